package account

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// throttleWindow is how long a failed sign-in counts.
const throttleWindow = 15 * time.Minute

// How many failed sign-ins are let pass in any 15 minutes.
const (
	failuresOfPair    = 10  // of one account from one network
	failuresOfNetwork = 100 // from one network, whatever the accounts
	failuresOfAccount = 100 // of one account, from wherever
)

// How much is remembered at most. With all of it full a Throttle takes some 60 MB.
const (
	pairsKept    = 1 << 16
	networksKept = 1 << 14
	accountsKept = 1 << 14
	homesKept    = 1 << 14 // accounts whose homes are known
	homesOfOne   = 16      // networks of one account
)

// homeLife is for how long an account is at home in a network after it signed in from there.
const homeLife = 30 * 24 * time.Hour

// Throttle slows the guessing of passwords. A network is an IPv4 address or an IPv6 /64.
// In any 15 minutes 10 failures are let pass of one account from one network, 100 from
// one network, and 100 of one account. Networks that the account has signed in from within 30
// days are let pass beside the last and do not count for it, so that nobody elsewhere can
// lock the owner out.
//
// Decided: an attempt counts from when it begins, as if it had failed, so that a thousand at
// once are not each the first. One that is refused does not count, so a lock ends by itself.
//
// Decided: memory is bounded by forgetting what was used longest ago. To make it forget ten guesses,
// one needs tens of thousands of attempts on other accounts, from hundreds of networks; whoever has those
// guesses faster from a fresh one. Where an account is at home is kept apart, where only sign-ins that
// succeed write: no number of made-up logins can drive it out. All is forgotten when the program ends; Welcome
// gives back what the stored sessions know.
type Throttle struct {
	now   func() time.Time
	start time.Time

	mu       sync.Mutex
	pairs    *recent[pair, failures]
	networks *recent[netip.Prefix, failures]
	accounts *recent[string, failures]
	homes    *recent[string, []home]
}

type pair struct {
	login   string
	network netip.Prefix
}

// home is a network from which an account has signed in.
type home struct {
	network netip.Prefix
	at      time.Duration // since the throttle's start
}

// NewThrottle returns a Throttle that knows of no failures yet.
func NewThrottle(now func() time.Time) *Throttle {
	return &Throttle{
		now: now, start: now(),
		pairs:    newRecent[pair, failures](pairsKept),
		networks: newRecent[netip.Prefix, failures](networksKept),
		accounts: newRecent[string, failures](accountsKept),
		homes:    newRecent[string, []home](homesKept),
	}
}

// Attempt is a sign-in that has begun. The first of Succeeded, Failed and Abandon says how it
// ended; without any it stays counted as a failure. Safe for concurrent use.
type Attempt struct {
	throttle *Throttle
	pair     pair
	at       time.Duration
	atHome   bool // does not count for the account
	once     sync.Once
}

// Begin counts an attempt to sign in as login from an address, "192.0.2.1" or
// "[2001:db8::1]:443", before the password is looked at. When there were too many it
// returns false, and for how long at most the next is refused too. However a login is
// written, it is the account of NormaliseLogin; those that can be nobody's count as one, as do addresses
// that cannot be read.
func (t *Throttle) Begin(login, address string) (attempt *Attempt, retryAfter time.Duration, ok bool) {
	p := pairOf(login, address)
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.elapsed()
	over, atHome := max(t.pairs.get(p).over(failuresOfPair, now), t.networks.get(p.network).over(failuresOfNetwork, now)), t.atHome(p, now)
	if !atHome {
		over = max(over, t.accounts.get(p.login).over(failuresOfAccount, now))
	}
	if over > 0 {
		return nil, over, false
	}
	t.pairs.put(p, t.pairs.get(p).with(now))
	t.networks.put(p.network, t.networks.get(p.network).with(now))
	if !atHome {
		t.accounts.put(p.login, t.accounts.get(p.login).with(now))
	}
	t.forget(now)
	return &Attempt{throttle: t, pair: p, at: now, atHome: atHome}, 0, true
}

// Succeeded says that the password was right: the attempt does not count, the account's earlier
// failures from the network are forgotten, and the account is at home there.
func (a *Attempt) Succeeded() {
	a.once.Do(func() {
		a.end(true)
		a.throttle.welcome(a.pair, a.at)
	})
}

// Failed says that the password was wrong: the attempt counts.
func (a *Attempt) Failed() { a.once.Do(func() {}) }

// Abandon says that the password was not looked at, because the client left or the server
// could not: the attempt does not count.
func (a *Attempt) Abandon() { a.once.Do(func() { a.end(false) }) }

// end takes the attempt out of the counts, and with all set the pair's others too.
func (a *Attempt) end(all bool) {
	t := a.throttle
	t.mu.Lock()
	defer t.mu.Unlock()
	if all {
		t.pairs.drop(a.pair)
	} else {
		takeOut(t.pairs, a.pair, a.at)
	}
	takeOut(t.networks, a.pair.network, a.at)
	if !a.atHome {
		takeOut(t.accounts, a.pair.login, a.at)
	}
}

// Welcome says that the account signed in from the address at a time, as a stored session
// tells: what Succeeded says of an attempt.
func (t *Throttle) Welcome(login, address string, at time.Time) {
	t.welcome(pairOf(login, address), at.Sub(t.start))
}

func (t *Throttle) welcome(p pair, at time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !p.network.IsValid() || p.login == "" {
		return
	}
	homes := slices.Clone(t.homes.get(p.login))
	if i := slices.IndexFunc(homes, func(h home) bool { return h.network == p.network }); i >= 0 {
		at = max(at, homes[i].at)
		homes = slices.Delete(homes, i, i+1)
	}
	homes = append(homes, home{network: p.network, at: at})
	slices.SortStableFunc(homes, func(a, b home) int { return cmp.Compare(a.at, b.at) })
	t.homes.put(p.login, homes[max(0, len(homes)-homesOfOne):])
}

func (t *Throttle) atHome(p pair, now time.Duration) bool {
	return slices.ContainsFunc(t.homes.get(p.login), func(h home) bool { return h.network == p.network && now-h.at < homeLife })
}

func (t *Throttle) elapsed() time.Duration { return t.now().Sub(t.start) }

// forget drops a few of those that no longer count; every attempt clears more than it adds.
func (t *Throttle) forget(now time.Duration) {
	t.pairs.dropOldest(2, func(f failures) bool { return f.gone(now) })
	t.networks.dropOldest(2, func(f failures) bool { return f.gone(now) })
	t.accounts.dropOldest(2, func(f failures) bool { return f.gone(now) })
}

func takeOut[K comparable](r *recent[K, failures], key K, at time.Duration) {
	left := r.get(key).without(at)
	if len(left) == 0 {
		r.drop(key)
		return
	}
	r.set(key, left)
}

// pairOf normalises an account and the network of an address.
func pairOf(login, address string) pair {
	p := pair{}
	if clean, err := NormaliseLogin(login); err == nil {
		p.login = clean
	}
	addr, err := netip.ParseAddr(address)
	if err != nil {
		withPort, portErr := netip.ParseAddrPort(address)
		if portErr != nil {
			return p
		}
		addr = withPort.Addr()
	}
	addr = addr.Unmap().WithZone("")
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	p.network, _ = addr.Prefix(bits) // both lengths fit their kind of address
	return p
}

// failures holds when attempts began that count, since the throttle's start, oldest first: never
// more than the limit, so that all of it is quick.
type failures []time.Duration

// over returns how long it takes until fewer than limit count; 0 if that is so now.
func (f failures) over(limit int, now time.Duration) time.Duration {
	if len(f) < limit {
		return 0
	}
	return max(0, f[len(f)-limit]+throttleWindow-now)
}

// with adds an attempt and leaves out those that no longer count.
func (f failures) with(at time.Duration) failures {
	past := 0
	for past < len(f) && f[past]+throttleWindow <= at {
		past++
	}
	return append(slices.Delete(f, 0, past), at)
}

// without takes out an attempt.
func (f failures) without(at time.Duration) failures {
	if i := slices.Index(f, at); i >= 0 {
		return slices.Delete(f, i, i+1)
	}
	return f
}

// gone reports whether none counts any more.
func (f failures) gone(now time.Duration) bool {
	return len(f) == 0 || f[len(f)-1]+throttleWindow <= now
}
