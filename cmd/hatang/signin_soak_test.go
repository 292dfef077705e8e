//go:build soak

package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
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

func nothing(n int64) *http.Request {
	return requestFrom(http.MethodPost, "/api/v1/nothing", credentialsOf("lan", "a guess"), strange(n))
}

// floods are what a thousand clients a second, each from an address of its own, ask for.
var floods = map[string]func(n int64) *http.Request{
	"one account": func(n int64) *http.Request {
		return requestFrom(http.MethodPost, "/api/v1/session", credentialsOf("tuan", "a guess"), strange(n))
	},
	"a locked account": func(n int64) *http.Request {
		return requestFrom(http.MethodPost, "/api/v1/session", credentialsOf("lan", "a guess"), strange(n))
	},
	"many accounts": func(n int64) *http.Request {
		return requestFrom(http.MethodPost, "/api/v1/session", credentialsOf(fmt.Sprint("somebody", n), "a guess"), strange(n))
	},
}

// A thousand guesses a second, at one account, at one that is locked or at as many
// accounts, keep out neither others nor the owner where he has been before. How long these
// take is held against the same flood of requests for nothing at all, which is what the
// clients in this process take of the machine; all by turns, so that whatever else the
// machine does falls on each alike.
//
// What the throttle promises is counted: while people sign in at home, one stranger in
// yieldTime is looked at. Of the times the middle is judged, and the latest are told alone:
// of twenty sign-ins the second slowest varies threefold on a machine that does something else
// too, where nobody guesses at all. The control: passwords hashed without any limit but that
// of their memory are found.
func TestSoakGuessesKeepNobodyOut(t *testing.T) {
	const rounds, unlimited = 12, "hashing without turns"
	r := newRegister(t)
	for _, login := range []string{"lan", "tuan"} {
		r.person(t, login, "", account.Grant{Role: account.Officer, Territory: here})
	}
	kinds := append(slices.Sorted(maps.Keys(floods)), unlimited)
	for place := range 2 * rounds * len(kinds) { // where they have been before
		r.sql(t, "INSERT INTO sessions (hash, person, address, expires_at) SELECT sha256(convert_to(login || $1, 'UTF8')), id, $1, now() FROM people", home(place))
	}
	r.sql(t, "INSERT INTO sign_in_attempts (login, network, at_home) SELECT 'lan', 'x' || i, false FROM generate_series(1, $1) i", account.FailuresOfAccount)
	var sent atomic.Int64
	passwords := account.NewPasswords(0)
	ask := func(next func(int64) *http.Request) func(context.Context) int {
		return func(ctx context.Context) int {
			w := httptest.NewRecorder()
			r.server.ServeHTTP(w, next(sent.Add(1)).WithContext(ctx))
			return w.Code
		}
	}
	times, before, answers := map[string][]time.Duration{}, map[string][]time.Duration{}, map[string]map[int]int{}
	lasted, place := map[string]time.Duration{}, 0
	during := func(what string, guess func(context.Context) int) []time.Duration {
		begun := time.Now()
		taken, statuses := r.during(t, place, guess)
		lasted[what] += time.Since(begun)
		place++
		if answers[what] == nil {
			answers[what] = map[int]int{}
		}
		for status, n := range statuses {
			answers[what][status] += n
		}
		return taken
	}
	for round := range rounds {
		for _, what := range kinds {
			if what == unlimited && round%4 > 0 { // it is slow
				continue
			}
			before[what] = append(before[what], during("nothing", ask(nothing))...)
			guess := ask(floods[what])
			if what == unlimited {
				guess = func(ctx context.Context) int {
					_, _ = passwords.Matches(ctx, "", "a guess") // whatever comes of it
					return http.StatusUnauthorized
				}
			}
			times[what] = append(times[what], during(what, guess)...)
		}
	}
	of := func(times []time.Duration, percent int) time.Duration {
		slices.Sort(times)
		return times[len(times)*percent/100]
	}
	for _, what := range kinds {
		looked, most := answers[what][http.StatusUnauthorized], rounds+int(lasted[what]/yieldTime)
		ratio := float64(of(times[what], 50)) / float64(of(before[what], 50))
		t.Logf("beside %v for %s: median %v, %.2f times as long as beside requests for nothing; 95 of 100 within %v, else %v; 99 within %v, else %v; %d looked at in %v", answers[what], what,
			of(times[what], 50), ratio, of(times[what], 95), of(before[what], 95), of(times[what], 99), of(before[what], 99), looked, lasted[what])
		if slow := ratio > 1.2; slow != (what == unlimited) {
			t.Errorf("guesses at %s keep honest people waiting: %v", what, slow)
		}
		if free := looked > most; free != (what == unlimited) {
			t.Errorf("%d guesses at %s are looked at in %v, at most %d should be: %v", looked, what, lasted[what], most, free)
		}
	}
	t.Logf("%d requests", sent.Load())
}

// yieldTime is how long a stranger waits at most for those at home.
const yieldTime = 3 * time.Second

// strange is an address that nobody has signed in from, home one that everybody has.
func strange(n int64) string { return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255) }

func home(place int) string { return fmt.Sprintf("172.16.%d.%d", place>>8, place&255) }

// during returns how long honest sign-ins from a place take while a thousand requests come
// a second, each begun when its time has come, whatever became of those before, and how
// those were answered. They come while people sign in already: until then strangers have the
// machine, and the first of them is looked at. Those that wait in the end leave.
func (r *register) during(t *testing.T, place int, guess func(context.Context) int) (times []time.Duration, answers map[int]int) {
	const perSecond, asked = 1000, 20
	var statuses [600]atomic.Int64
	var guessing sync.WaitGroup
	over, stop := context.WithCancel(context.Background())
	defer stop()
	one := func() {
		defer func() {
			if gone := recover(); gone != nil && gone != http.ErrAbortHandler { //nolint:errorlint // what was thrown is compared
				panic(gone)
			}
		}()
		statuses[guess(over)].Add(1)
	}
	signed := func(i int) {
		a := signIn(r.server, []string{"lan", "tuan"}[i%2], password, home(place))
		if a.status != http.StatusCreated {
			t.Errorf("%s: %d: %s", a.request, a.status, a.body)
		}
	}
	signed(0)
	guessing.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for begun, n := time.Now(), 0; over.Err() == nil; {
			for ; n < int(time.Since(begun).Seconds()*perSecond); n++ {
				guessing.Go(one)
			}
			select {
			case <-tick.C:
			case <-over.Done():
			}
		}
	})
	for i := range asked {
		begun := time.Now()
		signed(i)
		times = append(times, time.Since(begun))
	}
	stop()
	guessing.Wait()
	answers = map[int]int{}
	for status := range statuses {
		if n := statuses[status].Load(); n > 0 {
			answers[status] = int(n)
		}
	}
	return times, answers
}
