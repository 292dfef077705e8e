package httpapi

import (
	"hash/maphash"
	"net/http"
	"net/netip"
	"strings"

	"hatang/internal/account"
)

// client is whom limits count as one: a key, a person, or an address of those who are
// neither. It is a hash under a seed of the process, so that nobody can choose to be
// counted as another.
type client uint64

// clients tells clients apart.
type clients struct {
	seed    maphash.Seed
	trusted []netip.Prefix // proxies whose X-Forwarded-For is believed
}

// of returns who sends the request on behalf of the viewer.
func (c *clients) of(viewer account.Viewer, r *http.Request) client {
	if viewer.Name != "" {
		return client(maphash.String(c.seed, viewer.Name))
	}
	return c.at(r)
}

// at returns who sends the request, by address alone: of IPv6 the first 64 bits, which
// is what one customer is given. Those without an address, behind a Unix socket, are
// one client.
func (c *clients) at(r *http.Request) client {
	addr := clientAddr(r, c.trusted)
	b := addr.As16()
	n := len(b)
	if addr.Is6() {
		n = 8
	}
	return client(maphash.Bytes(c.seed, b[:n]))
}

// mostHops is how many proxies are looked behind.
const mostHops = 32

// clientAddr returns the address of a request's client: the one it comes from, or
// behind trusted proxies the last that none of them has. What cannot be read as an
// address is no better known than by the proxy that says it.
func clientAddr(r *http.Request, trusted []netip.Prefix) netip.Addr {
	addr := addrIn(r.RemoteAddr)
	if len(trusted) == 0 || !within(addr, trusted) {
		return addr
	}
	hops := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
	for range mostHops {
		var hop string
		if i := strings.LastIndexByte(hops, ','); i >= 0 {
			hops, hop = hops[:i], hops[i+1:]
		} else {
			hops, hop = "", hops
		}
		before := addrIn(strings.TrimSpace(hop))
		if !before.IsValid() {
			return addr
		}
		if addr = before; !within(addr, trusted) {
			return addr
		}
	}
	return addr
}

// addrIn reads "192.0.2.1", "192.0.2.1:80", "2001:db8::1" or "[2001:db8::1]:80"; the
// zero Addr for anything else.
func addrIn(s string) netip.Addr {
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return withPort.Addr().Unmap().WithZone("")
	}
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}

func within(addr netip.Addr, prefixes []netip.Prefix) bool {
	for _, p := range prefixes {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}
