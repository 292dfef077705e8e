//go:build soak

package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hatang/internal/account"
)

// Nobody learns from the time of a refusal whom there is: a thousand sign-ins of each
// kind in turn, each from an address of its own, and the medians of their times.
func TestSoakSignInTakesTheSameTimeForAll(t *testing.T) {
	const each, logins = 1000, 20
	r := newRegister(t)
	disabled := true
	for i := range logins {
		known := r.person(t, fmt.Sprint("known", i), "", account.Grant{Role: account.Officer, Territory: here})
		out := r.person(t, fmt.Sprint("disabled", i), "", account.Grant{Role: account.Officer, Territory: here})
		for range 5 {
			r.session(t, known, time.Hour)
		}
		if err := r.store.ChangePerson(context.Background(), keeper, out, account.PersonChange{Disabled: &disabled}); err != nil {
			t.Fatal(err)
		}
		r.sql(t, "INSERT INTO people (login, name, created_by) VALUES ($1, 'signs in elsewhere', 'test')", fmt.Sprint("elsewhere", i))
	}
	kinds := []string{"unknown", "known", "disabled", "elsewhere", "refused"}
	r.sql(t, "INSERT INTO sign_in_attempts (login, network, at_home) SELECT 'refused' || i, 'x', false FROM generate_series(0, $1) i, generate_series(1, $2)", logins-1, account.FailuresOfAccount)
	times := map[string][]time.Duration{}
	for i := range each {
		for j := range kinds {
			n := (i + j) % len(kinds) // nobody always follows the same
			kind, address, want := kinds[n], fmt.Sprintf("10.%d.%d.%d", n, i>>8, i&255), http.StatusUnauthorized
			if kind == "refused" {
				want = http.StatusTooManyRequests
			}
			begun := time.Now()
			a := signIn(r.server, fmt.Sprint(kind, i%logins), "not the password", address)
			times[kind] = append(times[kind], time.Since(begun))
			if a.status != want {
				t.Fatalf("%s: %d: %s", a.request, a.status, a.body)
			}
		}
	}
	median := func(kind string) time.Duration { slices.Sort(times[kind]); return times[kind][each/2] }
	for _, kind := range []string{"known", "disabled", "elsewhere"} {
		ratio := float64(median(kind)) / float64(median("unknown"))
		t.Logf("%s %v, unknown %v: %.3f times as long", kind, median(kind), median("unknown"), ratio)
		if ratio < 0.95 || ratio > 1.05 {
			t.Errorf("the time tells %s from unknown", kind)
		}
	}
	// The control: what takes no hashing is told from what does.
	if ratio := float64(median("refused")) / float64(median("unknown")); ratio > 0.95 {
		t.Errorf("a sign-in that is refused takes %.3f times as long as one that is tried: the times measure something else", ratio)
	}
}

// Ten thousand guesses at one account, from as many addresses, keep out neither others nor
// the owner where he has been before; it is told what these wait meanwhile.
func TestSoakGuessesKeepNobodyOut(t *testing.T) {
	const guesses, guessers, asked = 10_000, 16, 200
	r := newRegister(t)
	for _, login := range []string{"lan", "tuan"} {
		r.person(t, login, "", account.Grant{Role: account.Officer, Territory: here})
	}
	honest := func(round int) (p50, p99 time.Duration) {
		var times []time.Duration
		for i := range asked {
			login := []string{"lan", "tuan"}[i%2]
			// Each from one of eight places that it knows: the rate of an address is another limit.
			address := fmt.Sprintf("172.16.%d.%d", round, i/2%8)
			begun := time.Now()
			a := signIn(r.server, login, password, address)
			times = append(times, time.Since(begun))
			if a.status != http.StatusCreated {
				t.Errorf("%s: %d: %s", a.request, a.status, a.body)
			}
		}
		slices.Sort(times)
		return times[asked/2], times[asked*99/100]
	}
	for place := range 8 { // of the second round, known from before
		for _, login := range []string{"lan", "tuan"} {
			signIn(r.server, login, password, fmt.Sprintf("172.16.1.%d", place)).wants(t, http.StatusCreated)
		}
	}
	quiet50, quiet99 := honest(0)
	var tried, refused atomic.Int64
	var guessing sync.WaitGroup
	for range guessers {
		guessing.Go(func() {
			for n := tried.Add(1); n <= guesses; n = tried.Add(1) {
				if signIn(r.server, "lan", "a guess", fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255)).status == http.StatusTooManyRequests {
					refused.Add(1)
				}
			}
		})
	}
	during50, during99 := honest(1)
	guessing.Wait()
	t.Logf("honest sign-ins: median %v, 99 of 100 within %v; during %d guesses, of which %d were refused unseen: %v and %v",
		quiet50, quiet99, guesses, refused.Load(), during50, during99)
	if seen := guesses - refused.Load(); seen != account.FailuresOfAccount {
		t.Errorf("%d guesses were looked at, want %d", seen, account.FailuresOfAccount)
	}
}
