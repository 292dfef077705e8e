package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hatang/internal/account"
)

// doors is a store of accounts that counts what is asked of it.
type doors struct {
	*fakeStore
	asked   atomic.Int64 // questions about accounts and attempts
	refused account.Refusal
	homes   []account.Attempt
}

func (d *doors) Credentials(_ context.Context, login, network string) (account.Credentials, error) {
	d.asked.Add(1)
	for _, home := range d.homes {
		if home.Login == login && home.Network == network {
			return account.Credentials{AtHome: true}, nil
		}
	}
	return account.Credentials{}, nil
}

func (d *doors) Homes(context.Context, time.Duration, int) ([]account.Attempt, error) {
	for i := range d.homes {
		d.homes[i].AtHome = true
	}
	return d.homes, nil
}

func (d *doors) BeginSignIn(context.Context, account.Attempt) (int64, account.Refusal, error) {
	d.asked.Add(1)
	if d.refused.Wait() > 0 {
		return 0, d.refused, nil
	}
	return 1, account.Refusal{}, nil
}

func (d *doors) Audit(context.Context, string, string, string, map[string]any) error { return nil }

// guess tries a wrong password from an address and returns the status.
func guess(a *api, login, address string) int {
	r := from(address + ":1")
	r.Method = http.MethodPost
	_, err := a.verify(&request{Request: r}, login, "a guess")
	if err == nil {
		return http.StatusUnauthorized
	}
	return problemFor(err).Type.Status
}

// What has been refused is refused again without a question, as far as the limit holds:
// for the account but where it is at home, for the network, or for both together.
func TestRefusedGuessesAskNothing(t *testing.T) {
	const wait = 5 * time.Minute
	home := account.Attempt{Login: "lan", Network: "192.0.2.9/32"}
	for name, tt := range map[string]struct {
		refused account.Refusal
		without []account.Attempt // who is refused without a question
	}{
		"pair":         {account.Refusal{Pair: wait}, []account.Attempt{{Login: "lan", Network: "192.0.2.1"}}},
		"network":      {account.Refusal{Network: wait}, []account.Attempt{{Login: "lan", Network: "192.0.2.1"}, {Login: "tuan", Network: "192.0.2.1"}}},
		"account":      {account.Refusal{Account: wait, Homes: []string{home.Network}}, []account.Attempt{{Login: "lan", Network: "192.0.2.1"}, {Login: "lan", Network: "192.0.2.2"}}},
		"many at home": {account.Refusal{Account: wait}, nil},
	} {
		d := &doors{fakeStore: &fakeStore{}, refused: tt.refused, homes: []account.Attempt{home}}
		c := config(t, d.fakeStore)
		c.Accounts, c.Readers = d, d
		a := apiWith(t, c)
		clock := standing(a.limits)
		if status := guess(a, "lan", "192.0.2.1"); status != http.StatusTooManyRequests || d.asked.Load() != 2 {
			t.Fatalf("%s: %d after %d questions", name, status, d.asked.Load())
		}
		d.refused = account.Refusal{}
		for _, who := range []account.Attempt{{Login: "lan", Network: "192.0.2.1"}, {Login: "lan", Network: "192.0.2.2"}, {Login: "tuan", Network: "192.0.2.1"}, {Login: "tuan", Network: "192.0.2.2"}, {Login: "lan", Network: "192.0.2.9"}} {
			want := http.StatusUnauthorized
			for _, w := range tt.without {
				if w == who {
					want = http.StatusTooManyRequests
				}
			}
			before := d.asked.Load()
			if got := guess(a, who.Login, who.Network); got != want || (d.asked.Load() == before) != (want == http.StatusTooManyRequests) {
				t.Errorf("%s: %s from %s: %d after %d questions, want %d", name, who.Login, who.Network, got, d.asked.Load()-before, want)
			}
		}
		clock.Add(int64(refusedTime)) // by then another server may have taken an attempt back
		if got := guess(a, "lan", "192.0.2.1"); got != http.StatusUnauthorized {
			t.Errorf("%s: a while later: %d", name, got)
		}
	}
}

// A refusal is remembered below the most that are, and when others have passed.
func TestRefusalsRememberedAtTheirLimit(t *testing.T) {
	s := newSignIns(2)
	of := func(i int) account.Attempt { return account.Attempt{Login: fmt.Sprint(i), Network: "x"} }
	for i := range maxRefused + 1 {
		s.refuse(of(i), account.Refusal{Pair: time.Hour}, 0)
	}
	for i, want := range map[int]bool{0: true, maxRefused - 1: true, maxRefused: false} {
		if got := s.refused(of(i), 0) > 0; got != want {
			t.Errorf("refusal %d is remembered: %t", i, got)
		}
	}
	s.refuse(of(maxRefused), account.Refusal{Pair: time.Hour}, refusedTime)
	if wait := s.refused(of(maxRefused), refusedTime); wait != time.Hour || len(s.old) != 1 {
		t.Errorf("when others have passed: %v to wait, %d remembered", wait, len(s.old))
	}
}

// So many homes are remembered as may be; for one more another is forgotten, not it.
func TestHomesRememberedAtTheirLimit(t *testing.T) {
	s := newSignIns(2)
	of := func(i int) account.Attempt {
		return account.Attempt{Login: "lan", Network: fmt.Sprint(i), AtHome: true}
	}
	known := func(n int) (known int) {
		for i := range n {
			if s.atHome(of(i)) {
				known++
			}
		}
		return known
	}
	for i := range homesKept {
		s.placed(of(i))
	}
	if n := known(homesKept); n != homesKept {
		t.Errorf("%d of %d are remembered", n, homesKept)
	}
	if s.placed(of(homesKept)); !s.atHome(of(homesKept)) || known(homesKept) != homesKept-1 {
		t.Error("one more is not remembered in another's place")
	}
	away := of(homesKept)
	away.AtHome = false
	if s.placed(away); s.atHome(away) {
		t.Error("it is remembered of who is not at home any more")
	}
}

// Strangers take turns and wait in a queue of a certain length, one address with its share
// of it. Whoever is at home passes them by.
func TestStrangersAtTheirLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &doors{fakeStore: &fakeStore{}, homes: []account.Attempt{{Login: "lan", Network: "192.0.2.1/32"}}}
		c := config(t, d.fakeStore)
		c.Accounts, c.Readers = d, d
		a := apiWith(t, c)
		enter := func(i int) (func(), error) {
			r := from(fmt.Sprintf("10.0.%d.%d:1", i>>8, i&255)).WithContext(t.Context())
			return a.limits.signIns.enterStranger(r.Context(), a.limits.at(r), a.limits.now)
		}
		most := a.limits.signIns.strangers.most
		var working []func()
		for i := range most {
			leave, err := enter(i)
			if err != nil {
				t.Fatal(err)
			}
			working = append(working, leave)
		}
		ended := make(chan error, maxStrangers)
		for i := range maxStrangers {
			go func() {
				leave, err := enter(most + i)
				if err == nil {
					leave()
				}
				ended <- err
			}()
		}
		synctest.Wait()
		if status := guess(a, "lan", "10.1.0.1"); status != http.StatusServiceUnavailable || d.asked.Load() != 0 {
			t.Errorf("one stranger more than may wait: %d after %d questions", status, d.asked.Load())
		}
		if status := guess(a, "lan", "192.0.2.1"); status != http.StatusUnauthorized {
			t.Errorf("at home: %d", status)
		}
		for _, leave := range working {
			leave()
		}
		for range maxStrangers {
			if err := <-ended; err != nil {
				t.Errorf("one of the queue: %v", err)
			}
		}
	})
}

// One address has a share of the strangers' turns and of their queue.
func TestStrangersOfOneAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, clock := newSignIns(2), func() time.Duration { return 0 }
		over := make(chan struct{})
		var all sync.WaitGroup
		for range ownStrangers {
			all.Go(func() {
				leave, err := s.enterStranger(t.Context(), 1, clock)
				if err != nil {
					t.Errorf("an address has less than its share: %v", err)
					return
				}
				<-over
				leave()
			})
		}
		synctest.Wait()
		if _, err := s.enterStranger(t.Context(), 1, clock); !errors.Is(err, errOwnShare) {
			t.Errorf("one more than its share: %v", err)
		}
		close(over)
		all.Wait()
	})
}

// Strangers leave the machine to those at home, and no longer than they must.
func TestStrangersYieldToThoseAtHome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, began := newSignIns(2), time.Now()
		now := func() time.Duration { return time.Since(began) }
		wait := func() time.Duration {
			asked := time.Now()
			leave, err := s.enterStranger(t.Context(), 1, now)
			if err != nil {
				t.Fatal(err)
			}
			leave()
			return time.Since(asked)
		}
		if got := wait(); got != 0 {
			t.Errorf("nobody is at home, and it waits %v", got)
		}
		s.enterHome(now)()
		if got := wait(); got != homeTime {
			t.Errorf("after one at home it waits %v, want %v", got, homeTime)
		}
		leave := s.enterHome(now)
		if got := wait(); got != yieldTime {
			t.Errorf("beside one at home it waits %v, want %v", got, yieldTime)
		}
		leave()
	})
}
