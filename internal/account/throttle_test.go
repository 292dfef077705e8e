package account

import (
	"sync/atomic"
	"testing"
	"time"
)

// clock is a time that passes when told.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(1_800_000_000, c.ns.Load()) }
func (c *clock) pass(some time.Duration) { c.ns.Add(int64(some)) }

func TestNetworks(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "192.0.2.1:80": "192.0.2.1/32", "::ffff:192.0.2.1": "192.0.2.1/32", "[::ffff:192.0.2.1]:443": "192.0.2.1/32",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "[2001:db8:1:2::9]:443": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "[fe80::1%eth0]:80": "fe80::/64",
		"": "", "lan": "", "invalid IP": "", "192.0.2.1/32": "",
	} {
		if got := networkOf(address); got != want {
			t.Errorf("%q is of network %q, want %q", address, got, want)
		}
	}
}

// However login and address are written, they are one account and one network.
func TestAttemptsAreCountedAsOne(t *testing.T) {
	for _, tt := range []struct {
		login, address string
		want           Attempt
	}{
		{"lan", "192.0.2.1", Attempt{"lan", "192.0.2.1/32", false}}, {" LAN ", "192.0.2.1:8080", Attempt{"lan", "192.0.2.1/32", false}},
		{"lan", "2001:db8::1", Attempt{"lan", "2001:db8::/64", false}}, {"lan", "@", Attempt{"lan", "", false}},
		{"no/body", "192.0.2.1", Attempt{"", "192.0.2.1/32", false}}, {"", "", Attempt{}},
	} {
		if got := NewAttempt(tt.login, tt.address); got != tt.want {
			t.Errorf("%q from %q: %+v, want %+v", tt.login, tt.address, got, tt.want)
		}
	}
}
