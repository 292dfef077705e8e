package postgis_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"hatang/internal/account"
	"hatang/internal/postgis"
)

// throttle counts attempts in the database of a test, whose time passes when told.
type throttle struct {
	s     *postgis.Store
	owner *pgx.Conn
}

func newThrottle(t *testing.T) throttle {
	t.Helper()
	s, _, url := open(t)
	return throttle{s, connect(t, url)}
}

// pass lets time pass: what was counted was so earlier.
func (th throttle) pass(t testing.TB, some time.Duration) {
	t.Helper()
	run(t, th.owner, "UPDATE sign_in_attempts SET at = at - $1::interval", some)
}

// begin begins an attempt, and reports whether it was let pass.
func (th throttle) begin(t testing.TB, a account.Attempt) (attempt int64, wait time.Duration, ok bool) {
	t.Helper()
	var refused account.Refusal
	err := patiently(func() (err error) {
		attempt, refused, err = th.s.BeginSignIn(context.Background(), a)
		return err
	})
	wait = refused.Wait()
	if err != nil || (attempt > 0) == (wait > 0) {
		t.Fatalf("attempt %d, wait %v, %v", attempt, wait, err)
	}
	return attempt, wait, wait == 0
}

func (th throttle) end(t testing.TB, attempt int64, succeeded bool) {
	t.Helper()
	if err := patiently(func() error { return th.s.EndSignIn(context.Background(), attempt, succeeded) }); err != nil {
		t.Fatal(err)
	}
}

// from is an attempt on an account from a network, not at home.
func from(login, network string) account.Attempt {
	return account.Attempt{Login: login, Network: network}
}

// fail tries n times with a wrong password and returns how often that was let pass.
func (th throttle) fail(t testing.TB, n int, a account.Attempt) (passed int) {
	t.Helper()
	for range n {
		if _, _, ok := th.begin(t, a); ok {
			passed++
		}
	}
	return passed
}

// may reports whether an attempt is let pass, and leaves no trace.
func (th throttle) may(t testing.TB, a account.Attempt) bool {
	t.Helper()
	attempt, _, ok := th.begin(t, a)
	if ok {
		th.end(t, attempt, false)
	}
	return ok
}

// near reports whether a wait is as expected, but for the time that the test takes.
func near(wait, want time.Duration) bool { return wait <= want && wait > want-time.Minute }

func TestTenGuessesFromOnePlace(t *testing.T) {
	th := newThrottle(t)
	here := from("lan", "192.0.2.1/32")
	for n := 1; n <= account.FailuresOfPair; n++ {
		if passed := th.fail(t, 1, here); passed != 1 {
			t.Fatalf("guess %d is refused", n)
		}
	}
	if passed := th.fail(t, 10, here); passed != 0 {
		t.Errorf("%d guesses over the limit were let pass", passed)
	}
	for _, other := range []account.Attempt{from("tuan", "192.0.2.1/32"), from("lan", "192.0.2.2/32"), from("lan", "2001:db8::/64"), from("lan", ""), from("", "192.0.2.1/32")} {
		if !th.may(t, other) {
			t.Errorf("%+v is refused", other)
		}
	}
	th.pass(t, 5*time.Minute)
	if _, wait, ok := th.begin(t, here); ok || !near(wait, 10*time.Minute) {
		t.Errorf("after five minutes: %t, %v to wait", ok, wait)
	}
	// Those refused do not count: the lock ends fifteen minutes after the guesses.
	th.pass(t, 9*time.Minute)
	if _, wait, ok := th.begin(t, here); ok || !near(wait, time.Minute) {
		t.Errorf("just before: %t, %v to wait", ok, wait)
	}
	th.pass(t, time.Minute)
	if passed := th.fail(t, 20, here); passed != account.FailuresOfPair {
		t.Errorf("%d guesses were let pass after the lock", passed)
	}
}

func TestManyAccountsFromOnePlace(t *testing.T) {
	th := newThrottle(t)
	passed := 0
	for i := range account.FailuresOfNetwork + 20 {
		passed += th.fail(t, 1, from(fmt.Sprint("person", i), "192.0.2.1/32"))
		// One's own account does not buy guesses of others': a success takes back itself alone.
		if attempt, _, ok := th.begin(t, from("mine", "192.0.2.1/32")); ok {
			th.end(t, attempt, true)
		}
	}
	if passed != account.FailuresOfNetwork || th.may(t, from("lan", "192.0.2.1/32")) || !th.may(t, from("lan", "192.0.2.2/32")) {
		t.Errorf("%d guesses were let pass", passed)
	}
}

// attack guesses at an account from so many networks.
func (th throttle) attack(t testing.TB, login string, networks int) (passed int) {
	t.Helper()
	for i := range networks {
		passed += th.fail(t, 5, from(login, fmt.Sprintf("203.0.%d.%d/32", i>>8, i&255)))
	}
	return passed
}

func TestOwnersAreNotLockedOutFromElsewhere(t *testing.T) {
	th := newThrottle(t)
	home := account.Attempt{Login: "lan", Network: "192.0.2.1/32", AtHome: true}
	if passed := th.attack(t, "lan", 40); passed != account.FailuresOfAccount {
		t.Errorf("%d guesses from forty networks were let pass", passed)
	}
	if !th.may(t, home) || !th.may(t, from("tuan", "203.0.0.1/32")) {
		t.Error("the owner is refused at home, or another with him")
	}
	if th.may(t, from("lan", "192.0.2.9/32")) { // the control: without having been there, the owner is refused
		t.Error("a network unknown to the account is let pass")
	}
	// At home too, ten guesses are enough, and are held against nobody elsewhere.
	if passed := th.fail(t, 20, home); passed != account.FailuresOfPair {
		t.Errorf("%d guesses at home", passed)
	}
	th.pass(t, account.FailureSpan)
	for i := range 16 {
		th.fail(t, account.FailuresOfPair, account.Attempt{Login: "lan", Network: fmt.Sprintf("192.0.2.%d/32", i), AtHome: true})
	}
	if !th.may(t, from("lan", "198.51.100.1/32")) {
		t.Error("the attack is over and still counts, or failures at home lock the account elsewhere")
	}
}

// A refusal says which limits refuse, and where the account's does not hold.
func TestWhatARefusalSays(t *testing.T) {
	th := newThrottle(t)
	lan, _ := signedInFor(t, th.s, "lan", time.Hour) // from 192.0.2.1
	ask := func(a account.Attempt) (refused account.Refusal) {
		t.Helper()
		err := patiently(func() (err error) { _, refused, err = th.s.BeginSignIn(context.Background(), a); return err })
		if err != nil {
			t.Fatal(err)
		}
		return refused
	}
	if got := ask(from("lan", "198.51.100.1/32")); got.Wait() != 0 || got.Homes != nil {
		t.Errorf("the first attempt: %+v", got)
	}
	th.attack(t, "lan", 30)
	got := ask(from("lan", "198.51.100.1/32"))
	if !near(got.Account, account.FailureSpan) || got.Pair != 0 || got.Network != 0 || !slices.Equal(got.Homes, []string{"192.0.2.1/32"}) {
		t.Errorf("an account that is attacked: %+v", got)
	}
	th.attack(t, "nobody", 30)
	if got := ask(from("nobody", "198.51.100.1/32")); got.Account == 0 || got.Homes == nil || len(got.Homes) > 0 {
		t.Errorf("one that there is not: %+v", got)
	}
	home := account.Attempt{Login: "lan", Network: "192.0.2.1/32", AtHome: true}
	th.fail(t, account.FailuresOfPair, home)
	if got := ask(home); !near(got.Pair, account.FailureSpan) || got.Account != 0 || got.Network != 0 {
		t.Errorf("at home: %+v", got)
	}
	run(t, th.owner, "INSERT INTO sign_in_attempts (login, network, at_home) SELECT 'x' || i, '192.0.2.5/32', false FROM generate_series(1, $1) i", account.FailuresOfNetwork)
	if got := ask(from("tuan", "192.0.2.5/32")); !near(got.Network, account.FailureSpan) || got.Account != 0 || got.Pair != 0 {
		t.Errorf("a network: %+v", got)
	}
	for _, more := range []int{254, 255, 256} { // networks beside the one
		run(t, th.owner, "DELETE FROM sessions WHERE address <> '192.0.2.1'")
		run(t, th.owner, "INSERT INTO sessions (hash, person, address, expires_at) SELECT sha256(i::text::bytea), $1, host('10.0.0.0'::inet + i), now() FROM generate_series(1, $2) i", lan, more)
		got, named := ask(from("lan", "198.51.100.1/32")), more+1
		if named > 256 {
			named = 0
		}
		if len(got.Homes) != named || (got.Homes == nil) != (named == 0) {
			t.Errorf("of %d networks %d are named", more+1, len(got.Homes))
		}
	}
}

// The latest homes come first, those of too long ago not at all.
func TestHomesOfAll(t *testing.T) {
	s, _, url := open(t)
	lan, _ := signedInFor(t, s, "lan", time.Hour) // from 192.0.2.1
	run(t, connect(t, url), `INSERT INTO sessions (hash, person, address, started_at, expires_at) SELECT sha256(address::bytea), $1, address, now() - ago::interval, now()
		FROM (VALUES ('2001:db8::1', '1 hour'), ('192.0.2.7', '3 hours'), ('', '0')) v(address, ago)`, lan)
	homes := func(most int) []account.Attempt {
		t.Helper()
		var homes []account.Attempt
		if err := patiently(func() (err error) { homes, err = s.Homes(context.Background(), 2*time.Hour, most); return err }); err != nil {
			t.Fatal(err)
		}
		return homes
	}
	want := []account.Attempt{{Login: "lan", Network: "192.0.2.1/32", AtHome: true}, {Login: "lan", Network: "2001:db8::/64", AtHome: true}}
	if got := homes(10); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	if got := homes(1); !slices.Equal(got, want[:1]) {
		t.Errorf("the latest: %+v", got)
	}
}

// An account is at home where it has signed in from within thirty days, in the same IPv6
// /64 too, however often it has signed in elsewhere since.
func TestWhereAnAccountIsAtHome(t *testing.T) {
	s, _, url := open(t)
	owner := connect(t, url)
	lan, _ := signedInFor(t, s, "lan", time.Hour) // from 192.0.2.1
	signedInFor(t, s, "tuan", 0)
	for _, at := range []struct{ address, ago string }{{"2001:db8:0:1::9", "29 days"}, {"192.0.2.3", "31 days"}, {"invalid IP", "0"}, {"", "0"}} {
		run(t, owner, "INSERT INTO sessions (hash, person, address, started_at, expires_at) VALUES (sha256(convert_to($2, 'UTF8')), $1, $2, now() - $3::interval, now())", lan, at.address, at.ago)
	}
	run(t, owner, "INSERT INTO sessions (hash, person, address, expires_at) SELECT sha256(i::text::bytea), $1, '192.0.2.200', now() FROM generate_series(1, 1000) i", lan)
	for _, tt := range []struct {
		login, address string
		want           bool
	}{
		{"lan", "192.0.2.1", true}, {"lan", "192.0.2.1:99", true}, {"lan", "[2001:db8:0:1:2::3]:443", true}, {"lan", "192.0.2.200", true},
		{"lan", "192.0.2.3", false}, {"lan", "192.0.2.2", false}, {"lan", "2001:db8:0:2::9", false}, {"lan", "@", false}, {"tuan", "192.0.2.1", false}, {"nobody", "192.0.2.1", false},
	} {
		var c account.Credentials
		if err := patiently(func() (err error) {
			c, err = s.Credentials(context.Background(), tt.login, account.NewAttempt(tt.login, tt.address).Network)
			return err
		}); err != nil || c.AtHome != tt.want {
			t.Errorf("%s from %s: %t, %v", tt.login, tt.address, c.AtHome, err)
		}
	}
}

func TestHowAttemptsEnd(t *testing.T) {
	th := newThrottle(t)
	for name, tt := range map[string]struct {
		end  func(attempt int64)
		left int // of ten guesses, after nine failures and this
	}{
		"failed":          {func(int64) {}, 0},
		"abandoned":       {func(a int64) { th.end(t, a, false) }, 1},
		"succeeded":       {func(a int64) { th.end(t, a, true) }, 10},
		"abandoned twice": {func(a int64) { th.end(t, a, false); th.end(t, a, true) }, 1},
		"another's end":   {func(int64) { th.end(t, math.MaxInt64, true) }, 0},
	} {
		here := from("lan", name)
		th.fail(t, account.FailuresOfPair-1, here)
		attempt, _, ok := th.begin(t, here)
		if !ok || th.may(t, here) {
			t.Fatal("the tenth is not let pass, or does not count from its beginning")
		}
		tt.end(attempt)
		if left := th.fail(t, 20, here); left != tt.left {
			t.Errorf("%s: %d more are let pass, want %d", name, left, tt.left)
		}
		run(t, th.owner, "DELETE FROM sign_in_attempts")
	}
}

// Many guesses at once, on two servers, are ten; and nobody who signs in at the same time
// from two windows is told of a conflict.
func TestGuessesAtOnce(t *testing.T) {
	a, layers, url := open(t)
	b, err := postgis.Open(t.Context(), url, layers)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var passed, failed atomic.Int32
	var all sync.WaitGroup
	for i := range 100 {
		th := throttle{s: a}
		if i%2 == 1 {
			th.s = b
		}
		all.Go(func() {
			if _, _, ok := th.begin(t, from("lan", "192.0.2.1/32")); ok {
				passed.Add(1)
			}
			attempt, _, ok := th.begin(t, from("mai", fmt.Sprint(i%20)))
			if !ok {
				failed.Add(1)
				return
			}
			th.end(t, attempt, true)
		})
	}
	all.Wait()
	if passed.Load() != account.FailuresOfPair || failed.Load() > 0 {
		t.Errorf("%d of a hundred guesses were let pass, %d honest ones refused", passed.Load(), failed.Load())
	}
}

// What counts no more is removed as others come, a few at a time.
func TestOldAttemptsAreRemoved(t *testing.T) {
	th := newThrottle(t)
	for i := range 50 {
		th.fail(t, 1, from(fmt.Sprint("person", i), fmt.Sprint("network", i)))
	}
	th.pass(t, account.FailureSpan)
	for i := range 5 {
		th.fail(t, 1, from("lan", fmt.Sprint("network", i)))
		if n := scalar[int64](t, th.owner, "SELECT count(*) FROM sign_in_attempts"); n != int64(50-10*(i+1)+i+1) {
			t.Fatalf("%d rows after %d attempts", n, i+1)
		}
	}
}

// Whatever comes in whatever order, what is let pass is what a list of all attempts would
// let pass.
func TestThrottleAgainstAList(t *testing.T) {
	th := newThrottle(t)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		type begun struct {
			attempt int64
			at      time.Duration
		}
		round++
		here := from("lan", fmt.Sprint(round))
		var counts []time.Duration
		var open []begun
		elapsed := time.Duration(0)
		run(t, th.owner, "DELETE FROM sign_in_attempts")
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			// Steps of two minutes and a half: none is so near to an edge that the machine's own time matters.
			some := time.Duration(rapid.IntRange(0, 2).Draw(rt, "steps of time")) * 149 * time.Second
			th.pass(t, some)
			elapsed += some
			for len(counts) > 0 && counts[0]+account.FailureSpan <= elapsed {
				counts = counts[1:]
			}
			for len(open) > 0 && open[0].at+account.FailureSpan <= elapsed { // a sign-in does not take so long
				open = open[1:]
			}
			attempt, wait, ok := th.begin(t, here)
			if want := len(counts) < account.FailuresOfPair; ok != want || !ok && !near(wait, counts[len(counts)-account.FailuresOfPair]+account.FailureSpan-elapsed) {
				rt.Fatalf("with %d that count: %t, %v to wait", len(counts), ok, wait)
			}
			if ok {
				counts, open = append(counts, elapsed), append(open, begun{attempt, elapsed})
			}
			if len(open) == 0 {
				continue
			}
			i := rapid.IntRange(0, len(open)-1).Draw(rt, "which")
			switch rapid.SampledFrom([]string{"later", "failed", "failed", "failed", "abandoned", "succeeded"}).Draw(rt, "end") {
			case "later":
				continue
			case "failed":
			case "abandoned":
				th.end(t, open[i].attempt, false)
				for at := range counts {
					if counts[at] == open[i].at {
						counts = append(counts[:at:at], counts[at+1:]...)
						break
					}
				}
			case "succeeded":
				th.end(t, open[i].attempt, true)
				counts = nil
			}
			open = append(open[:i:i], open[i+1:]...)
		}
	})
}
