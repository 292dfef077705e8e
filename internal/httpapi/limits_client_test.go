package httpapi

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"hatang/internal/account"
)

// from is a request from an address, through what X-Forwarded-For lines say.
func from(addr string, forwarded ...string) *http.Request {
	return &http.Request{Method: "GET", RemoteAddr: addr, Header: http.Header{"X-Forwarded-For": forwarded}}
}

func prefixes(list ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, s := range list {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

func TestTheClientsAddress(t *testing.T) {
	proxies := prefixes("10.0.0.0/8", "2001:db8:ffff::/48")
	for _, tt := range []struct {
		name, remote string
		forwarded    []string
		trusted      []netip.Prefix
		want         string
	}{
		{"straight", "192.0.2.1:4000", nil, nil, "192.0.2.1"},
		{"forged, with no proxies", "192.0.2.1:4000", []string{"198.51.100.7"}, nil, "192.0.2.1"},
		{"forged, not from a proxy", "192.0.2.1:4000", []string{"198.51.100.7"}, proxies, "192.0.2.1"},
		{"from a proxy", "10.1.2.3:4000", []string{"198.51.100.7"}, proxies, "198.51.100.7"},
		{"the left is the client's own invention", "10.1.2.3:4000", []string{"203.0.113.9, 198.51.100.7"}, proxies, "198.51.100.7"},
		{"two proxies", "10.1.2.3:4000", []string{"203.0.113.9, 198.51.100.7, 10.9.9.9"}, proxies, "198.51.100.7"},
		{"two lines", "10.1.2.3:4000", []string{"198.51.100.7", "10.9.9.9"}, proxies, "198.51.100.7"},
		{"proxies alone", "10.1.2.3:4000", []string{"10.7.7.7, 10.8.8.8"}, proxies, "10.7.7.7"},
		{"a proxy that says nothing", "10.1.2.3:4000", nil, proxies, "10.1.2.3"},
		{"a proxy that says nonsense", "10.1.2.3:4000", []string{"198.51.100.7, unknown, 10.9.9.9"}, proxies, "10.9.9.9"},
		{"with ports", "10.1.2.3:4000", []string{"198.51.100.7:81"}, proxies, "198.51.100.7"},
		{"IPv6", "[2001:db8:ffff::1]:4000", []string{"2001:db8:1::2"}, proxies, "2001:db8:1::2"},
		{"IPv6 with a port", "[2001:db8:ffff::1]:4000", []string{"[2001:db8:1::2]:81"}, proxies, "2001:db8:1::2"},
		{"IPv4 in IPv6", "[::ffff:10.1.2.3]:4000", []string{"::ffff:198.51.100.7"}, proxies, "198.51.100.7"},
		{"a zone", "[fe80::1%eth0]:4000", nil, proxies, "fe80::1"},
		{"a Unix socket", "@", []string{"198.51.100.7"}, proxies, "invalid IP"},
		{"more proxies than are looked behind", "10.1.2.3:4000", []string{"198.51.100.7" + strings.Repeat(", 10.0.0.1", mostHops)}, proxies, "10.0.0.1"},
	} {
		if got := clientAddr(from(tt.remote, tt.forwarded...), tt.trusted).String(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestWhoIsOneClient(t *testing.T) {
	l := newLimits(2, 0, nil)
	anonymous, key := account.Anonymous(), account.Viewer{Name: "key:a"}
	for _, tt := range []struct {
		name string
		a, b client
		same bool
	}{
		{"one address, two ports", l.of(anonymous, from("192.0.2.1:1")), l.of(anonymous, from("192.0.2.1:2")), true},
		{"two addresses", l.of(anonymous, from("192.0.2.1:1")), l.of(anonymous, from("192.0.2.2:1")), false},
		{"IPv4 in IPv6", l.of(anonymous, from("192.0.2.1:1")), l.of(anonymous, from("[::ffff:192.0.2.1]:1")), true},
		{"two of IPv4 in IPv6", l.of(anonymous, from("[::ffff:192.0.2.2]:1")), l.of(anonymous, from("[::ffff:192.0.2.1]:1")), false},
		{"the same 64 bits", l.of(anonymous, from("[2001:db8:1:2::1]:1")), l.of(anonymous, from("[2001:db8:1:2:ffff::9]:1")), true},
		{"other 64 bits", l.of(anonymous, from("[2001:db8:1:2::1]:1")), l.of(anonymous, from("[2001:db8:1:3::1]:1")), false},
		{"no address", l.of(anonymous, from("@")), l.of(anonymous, from("")), true},
		{"a key from two addresses", l.of(key, from("192.0.2.1:1")), l.of(key, from("192.0.2.2:1")), true},
		{"a key and an address", l.of(key, from("192.0.2.1:1")), l.of(anonymous, from("192.0.2.1:1")), false},
		{"two keys", l.of(key, from("192.0.2.1:1")), l.of(account.Viewer{Name: "key:b"}, from("192.0.2.1:1")), false},
	} {
		if (tt.a == tt.b) != tt.same {
			t.Errorf("%s: one client is %t, want %t", tt.name, !tt.same, tt.same)
		}
	}
	if client(1).bucket(forKeys) == client(1).bucket(forRate) {
		t.Error("two reasons have one bucket")
	}
}
