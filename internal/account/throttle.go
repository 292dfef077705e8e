package account

import (
	"net/netip"
	"time"
)

// How many attempts to sign in by password may fail in any FailureSpan. The guessing of
// passwords is slowed by them and by nothing else.
//
// Decided: an attempt counts from when it begins, as if it had failed, so that a thousand
// at once are not each the first. One that is refused does not count, so a lock ends by
// itself.
//
// Decided: attempts are rows of the database, which all servers count together and which
// outlive each of them. Only those that are let pass are written, which takes a password
// to be hashed, and each clears away more than it adds: their number is bounded by what
// the servers can hash.
const (
	FailureSpan       = 15 * time.Minute
	FailuresOfPair    = 10  // of one account from one network
	FailuresOfNetwork = 100 // from one network, whatever the accounts
	FailuresOfAccount = 100 // of one account, from wherever it is not at home
)

// Attempt is what an attempt to sign in is counted as.
type Attempt struct {
	// Login is the account's name; "" for every text that can be nobody's, which count as one.
	Login string
	// Network is an IPv4 address or an IPv6 /64; "" for an address that cannot be read.
	Network string
	// AtHome: the account has signed in from the network lately. It is let pass beside
	// FailuresOfAccount and does not count for it, so that nobody elsewhere can lock the
	// owner out.
	AtHome bool
}

// Refusal says which limits refuse an attempt, and for how long at most each refuses the
// next too; 0 for a limit that does not.
type Refusal struct {
	Pair, Network, Account time.Duration
	// Homes are the networks in which the account is at home, so that Account does not hold
	// there; nil where that is not known.
	Homes []string
}

// Wait returns for how long at most the next attempt is refused too; 0 for no refusal.
func (r Refusal) Wait() time.Duration { return max(r.Pair, r.Network, r.Account) }

// NewAttempt returns an attempt to sign in as login from an address, "192.0.2.1" or
// "[2001:db8::1]:443", where it is not said to be at home. However a login is written, it
// is the account of NormaliseLogin.
func NewAttempt(login, address string) Attempt {
	a := Attempt{Network: networkOf(address)}
	if clean, err := NormaliseLogin(login); err == nil {
		a.Login = clean
	}
	return a
}

// networkOf returns the network of an address.
func networkOf(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		withPort, err := netip.ParseAddrPort(address)
		if err != nil {
			return ""
		}
		addr = withPort.Addr()
	}
	addr = addr.Unmap().WithZone("")
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	network, err := addr.Prefix(bits)
	if err != nil { // both lengths fit their kind of address
		return ""
	}
	return network.String()
}
