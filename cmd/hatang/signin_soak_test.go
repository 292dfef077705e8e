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

// A thousand guesses a second, from as many addresses, at one account or at as many, keep out neither others nor the owner where he has been
// before. How long these take is held against the same flood of requests that ask for
// nothing at all: that is what the clients in this process take of the machine.
func TestSoakGuessesKeepNobodyOut(t *testing.T) {
	r := newRegister(t)
	for _, login := range []string{"lan", "tuan"} {
		r.person(t, login, "", account.Grant{Role: account.Officer, Territory: here})
	}
	const rounds = 6
	for round := range rounds { // where they have been before
		for place := range places {
			r.sql(t, "INSERT INTO sessions (hash, person, address, expires_at) SELECT sha256(convert_to(login || $1, 'UTF8')), id, $1, now() FROM people", home(round, place))
		}
	}
	r.during(t, 0, "no request", nil)
	nothing := func(n int64) int {
		return sendFrom(r.server, http.MethodPost, "/api/v1/nothing", `{"login": "lan", "password": "a guess"}`, strange(n)).status
	}
	controls := r.during(t, 1, "requests for nothing", nothing)
	one := r.during(t, 2, "guesses at one account", func(n int64) int { return signIn(r.server, "lan", "a guess", strange(n)).status })
	if n := value[int](t, r, "SELECT count(*)::int FROM sign_in_attempts WHERE login = 'lan' AND NOT at_home"); n == 0 || n > account.FailuresOfAccount {
		t.Errorf("%d guesses were looked at", n)
	}
	controls = append(controls, r.during(t, 3, "requests for nothing", nothing)...)
	r.sql(t, "INSERT INTO sign_in_attempts (login, network, at_home) SELECT 'lan', 'x' || i, false FROM generate_series(1, $1) i", account.FailuresOfAccount)
	locked := r.during(t, 4, "guesses at a locked account", func(n int64) int { return signIn(r.server, "lan", "a guess", strange(n)).status })
	many := r.during(t, 5, "guesses at many accounts", func(n int64) int { return signIn(r.server, fmt.Sprint("somebody", n), "a guess", strange(n)).status })
	for flood, times := range map[string][]time.Duration{"one account": one, "a locked account": locked, "many accounts": many} {
		ratio := float64(hundredth(times)) / float64(hundredth(controls))
		t.Logf("guesses at %s: 99 of 100 honest sign-ins take %.2f times as long as beside requests for nothing", flood, ratio)
		if ratio > 1.2 {
			t.Errorf("guesses at %s keep honest people waiting", flood)
		}
	}
}

// hundredth is within which time 99 of 100 are done.
func hundredth(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)*99/100]
}

// strange is an address that nobody has signed in from.
func strange(n int64) string { return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255) }

// places are how many an account is at home in, of each round: the rate of an address is
// another limit.
const places = 8

func home(round, place int) string { return fmt.Sprintf("172.16.%d.%d", round, place) }

// honestSignIns signs two people in by turns from where they are at home.
func honestSignIns(t *testing.T, server http.Handler, round int) (times []time.Duration) {
	const asked = 200
	for i := range asked {
		login := []string{"lan", "tuan"}[i%2]
		begun := time.Now()
		a := signIn(server, login, password, home(round, i/2%places))
		times = append(times, time.Since(begun))
		if a.status != http.StatusCreated {
			t.Errorf("%s: %d: %s", a.request, a.status, a.body)
		}
	}
	return times
}

// during returns how long honest sign-ins take while a thousand requests come a second,
// each begun when its time has come, whatever became of those before; nil for none.
func (r *register) during(t *testing.T, round int, what string, guess func(n int64) int) []time.Duration {
	const perSecond = 1000
	var statuses [600]atomic.Int64
	var guessing sync.WaitGroup
	over := make(chan struct{})
	guessing.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		begun, sent := time.Now(), int64(0)
		for guess != nil {
			due := int64(time.Since(begun).Seconds() * perSecond)
			for n := sent; n < due; n++ {
				guessing.Go(func() { statuses[guess(n)].Add(1) })
			}
			sent = due
			select {
			case <-tick.C:
			case <-over:
				return
			}
		}
	})
	times := honestSignIns(t, r.server, round)
	close(over)
	guessing.Wait()
	answers := map[int]int64{}
	for status := range statuses {
		if n := statuses[status].Load(); n > 0 {
			answers[status] = n
		}
	}
	p99 := hundredth(times)
	t.Logf("beside %s (answers by status: %v): median %v, 99 of 100 within %v", what, answers, times[len(times)/2], p99)
	return times
}
