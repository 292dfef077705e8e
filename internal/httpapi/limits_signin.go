package httpapi

import (
	"context"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"hatang/internal/account"
)

// Limits of sign-ins by password in one server, beside those that all servers count
// together (account.FailuresOfPair and the others).
const (
	maxStrangers = 64 // that wait to be looked at; further ones are 503 at once
	ownStrangers = 16 // of one address, looked at and waiting: an office comes to work
	// homeTime is how long strangers leave the machine to those at home after each of them,
	// yieldTime how long one of them does at most.
	homeTime  = 100 * time.Millisecond
	yieldTime = 3 * time.Second
	// refusedTime is how long a server repeats a refusal without asking the database. It is
	// short, because another server may take an attempt back that counted for it.
	refusedTime = 5 * time.Second
	maxRefused  = 8192 // refusals that are remembered
	// homesKept is of how many accounts and networks it is remembered that they go together.
	homesKept = 16 << 10
	// homesTime is how long an account is at home in a network, homesAnew how often is learnt
	// what other servers have let in.
	homesTime = 30 * 24 * time.Hour
	homesAnew = time.Minute
)

// signIns keep those who guess passwords from those who know theirs. Whoever comes from
// where the account is at home is looked at at once. All others, of whom nobody can tell
// yet what they are, take turns on half of the cores, before the database is asked
// anything, and while people sign in at home one after the other only one in yieldTime: known and
// unknown accounts alike, so that no time tells which there are. What has been refused is
// refused again without work. It is safe for concurrent use.
type signIns struct {
	seed      maphash.Seed
	strangers *turns

	quiet atomic.Int64 // when those at home will have left the machine, as time.Duration

	learning sync.Mutex
	learnt   time.Duration // when homes were learnt last; 0 for never

	mu    sync.Mutex
	homes map[uint64]bool // says who is looked at first; whom limits let pass the database says
	old   map[uint64]pastRefusal
}

// pastRefusal is what is remembered of a refusal.
type pastRefusal struct {
	until time.Duration // it is repeated until then, if it lasts
	lasts time.Duration // when the limit lets pass again, as far as is known
	homes []string      // networks where it does not hold
}

// newSignIns returns the limits for a server with so many cores.
func newSignIns(cores int) *signIns {
	return &signIns{seed: maphash.MakeSeed(), strangers: newTurns(max(1, cores/2), maxStrangers), homes: map[uint64]bool{}, old: map[uint64]pastRefusal{}}
}

// What is remembered goes with an account, a network or both together.
const (
	ofPair byte = iota
	ofNetwork
	ofAccount
)

// key is what one of these is remembered under; never 0, which is nothing.
func (s *signIns) key(of byte, login, network string) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	_ = h.WriteByte(of) // hashing never fails
	if of != ofNetwork {
		_, _ = h.WriteString(login)
	}
	_ = h.WriteByte(0) // is in no login
	if of != ofAccount {
		_, _ = h.WriteString(network)
	}
	return h.Sum64() | 1
}

// atHome reports whether the account is known to be at home in the network.
func (s *signIns) atHome(a account.Attempt) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.homes[s.key(ofPair, a.Login, a.Network)]
}

// placed remembers where accounts are at home, and where they are not any more. Where there
// is no room it forgets any other.
func (s *signIns) placed(of ...account.Attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range of {
		key := s.key(ofPair, a.Login, a.Network)
		if !a.AtHome {
			delete(s.homes, key)
			continue
		}
		if s.homes[key] = true; len(s.homes) > homesKept {
			for other := range s.homes {
				if other != key {
					delete(s.homes, other)
					break
				}
			}
		}
	}
}

// enterHome begins to look at somebody at home; leave ends it.
func (s *signIns) enterHome(now func() time.Duration) (leave func()) {
	s.quiet.Store(int64(now() + yieldTime)) // or until it leaves
	return func() { s.quiet.Store(int64(now() + homeTime)) }
}

// enterStranger waits for the turn of a stranger, as turns.enter does, and then until those
// at home leave room.
func (s *signIns) enterStranger(ctx context.Context, of client, now func() time.Duration) (leave func(), err error) {
	leave, err = s.strangers.enter(ctx, of, false, ownStrangers)
	if err != nil {
		return nil, err
	}
	most := now() + yieldTime
	for wait := s.busy(now, most); wait > 0; wait = s.busy(now, most) {
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			leave()
			return nil, longQueue(ctx)
		}
	}
	return leave, nil
}

// busy is how long those at home still need the machine, as far as it is known now, and no
// longer than until most.
func (s *signIns) busy(now func() time.Duration, most time.Duration) time.Duration {
	return min(time.Duration(s.quiet.Load()), most) - now()
}

// learn remembers where accounts are at home that other servers have let in, or this one
// before it was started. Only one at a time waits for it; its error is that of read.
func (s *signIns) learn(ctx context.Context, now time.Duration, read func(context.Context, time.Duration, int) ([]account.Attempt, error)) error {
	if !s.learning.TryLock() {
		return nil
	}
	defer s.learning.Unlock()
	within := homesTime
	if s.learnt > 0 {
		if now-s.learnt < homesAnew {
			return nil
		}
		within = now - s.learnt + homesAnew // clocks may differ a little
	}
	homes, err := read(ctx, within, homesKept)
	if err != nil {
		return err
	}
	s.placed(homes...)
	s.learnt = max(now, 1)
	return nil
}

// refuse remembers a refusal. Where there is no room it is not remembered, and the
// database is asked again.
func (s *signIns) refuse(a account.Attempt, r account.Refusal, now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.old) >= maxRefused {
		for key, of := range s.old {
			if of.until <= now {
				delete(s.old, key)
			}
		}
	}
	keep := func(of byte, lasts time.Duration, homes []string) {
		if lasts > 0 && len(s.old) < maxRefused {
			s.old[s.key(of, a.Login, a.Network)] = pastRefusal{until: now + min(lasts, refusedTime), lasts: now + lasts, homes: homes}
		}
	}
	keep(ofPair, r.Pair, nil)
	keep(ofNetwork, r.Network, nil)
	if r.Homes != nil {
		keep(ofAccount, r.Account, r.Homes)
	}
}

// refused returns for how long an attempt is refused that need not be asked about, as
// others were a moment ago; 0 where it must.
func (s *signIns) refused(a account.Attempt, now time.Duration) (wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range []byte{ofPair, ofNetwork, ofAccount} {
		past := s.old[s.key(of, a.Login, a.Network)]
		if past.until > now && !slices.Contains(past.homes, a.Network) {
			wait = max(wait, past.lasts-now)
		}
	}
	return wait
}
