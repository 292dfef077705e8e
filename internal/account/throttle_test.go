package account

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// clock is a time that passes when told.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(1_800_000_000, c.ns.Load()) }
func (c *clock) pass(some time.Duration) { c.ns.Add(int64(some)) }

func newThrottle() (*Throttle, *clock) {
	c := &clock{}
	return NewThrottle(c.now), c
}

// fail tries n times with a wrong password and returns how often that was let pass.
func fail(t *Throttle, n int, login, address string) (passed int) {
	for range n {
		if a, _, ok := t.Begin(login, address); ok {
			a.Failed()
			passed++
		}
	}
	return passed
}

func may(t *Throttle, login, address string) bool {
	a, _, ok := t.Begin(login, address)
	if ok {
		a.Abandon()
	}
	return ok
}

func TestTenGuessesFromOnePlace(t *testing.T) {
	th, c := newThrottle()
	if passed := fail(th, 20, "lan", "192.0.2.1"); passed != failuresOfPair {
		t.Errorf("%d guesses were let pass", passed)
	}
	// The same account and network, however they are written.
	for _, again := range [][2]string{{" LAN ", "192.0.2.1"}, {"lan", "192.0.2.1:8080"}, {"lan", "::ffff:192.0.2.1"}, {"lan", "[::ffff:192.0.2.1]:443"}} {
		if may(th, again[0], again[1]) {
			t.Errorf("%q was let pass", again)
		}
	}
	// The neighbours are.
	for _, other := range [][2]string{{"tuan", "192.0.2.1"}, {"lan", "192.0.2.2"}, {"lan", "2001:db8::1"}, {"lan", ""}, {"", "192.0.2.1"}} {
		if !may(th, other[0], other[1]) {
			t.Errorf("%q was refused", other)
		}
	}
	c.pass(5 * time.Minute)
	if _, wait, ok := th.Begin("lan", "192.0.2.1"); ok || wait != 10*time.Minute {
		t.Errorf("after five minutes: %t, %v to wait", ok, wait)
	}
	// Those refused do not count: the lock ends fifteen minutes after the guesses.
	c.pass(10*time.Minute - 1)
	if _, wait, ok := th.Begin("lan", "192.0.2.1"); ok || wait != 1 {
		t.Errorf("just before: %t, %v to wait", ok, wait)
	}
	c.pass(1)
	if passed := fail(th, 20, "lan", "192.0.2.1"); passed != failuresOfPair {
		t.Errorf("%d guesses were let pass after the lock", passed)
	}
}

func TestNetworks(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "192.0.2.1:80": "192.0.2.1/32", "::ffff:192.0.2.1": "192.0.2.1/32", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"[2001:db8:1:2::9]:443": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "[fe80::1%eth0]:80": "fe80::/64", "": "invalid Prefix", "lan": "invalid Prefix", "192.0.2.1/32": "invalid Prefix",
	} {
		if got := pairOf("lan", address).network.String(); got != want {
			t.Errorf("%q is of network %s, want %s", address, got, want)
		}
	}
	th, _ := newThrottle()
	for i := range 20 {
		fail(th, 1, "lan", fmt.Sprintf("2001:db8:1:2::%x", i))
	}
	if may(th, "lan", "2001:db8:1:2:ffff::1") || !may(th, "lan", "2001:db8:1:3::1") {
		t.Error("a /64 is not one network")
	}
}

func TestManyAccountsFromOnePlace(t *testing.T) {
	th, c := newThrottle()
	passed := 0
	for i := range 200 {
		passed += fail(th, 1, fmt.Sprintf("person%d", i), "192.0.2.1")
		c.pass(time.Second)
	}
	if passed != failuresOfNetwork || may(th, "lan", "192.0.2.1") || !may(th, "lan", "192.0.2.2") {
		t.Errorf("%d guesses were let pass", passed)
	}
	// One's own account does not buy guesses of others': a success takes back itself alone.
	th, _ = newThrottle()
	passed = 0
	for i := range 200 {
		passed += fail(th, 1, fmt.Sprintf("person%d", i), "192.0.2.1")
		if a, _, ok := th.Begin("mine", "192.0.2.1"); ok {
			a.Succeeded()
		}
	}
	if passed != failuresOfNetwork {
		t.Errorf("%d guesses were let pass between successes", passed)
	}
}

// attack guesses at an account from so many networks.
func attack(th *Throttle, login string, networks int) (passed int) {
	for i := range networks {
		passed += fail(th, 5, login, netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}).String())
	}
	return passed
}

func TestOwnersAreNotLockedOutFromElsewhere(t *testing.T) {
	th, c := newThrottle()
	if a, _, ok := th.Begin("lan", "192.0.2.1"); ok {
		a.Succeeded()
	}
	th.Welcome("lan", "2001:db8::1", c.now().Add(-29*24*time.Hour))
	th.Welcome("lan", "192.0.2.3", c.now().Add(-31*24*time.Hour))
	if passed := attack(th, "lan", 1000); passed != failuresOfAccount {
		t.Errorf("%d guesses from a thousand networks were let pass", passed)
	}
	for _, tt := range []struct {
		login, address string
		want           bool
	}{
		{"lan", "192.0.2.1", true}, {"LAN", "192.0.2.1:99", true}, {"lan", "2001:db8::2", true}, {"tuan", "192.0.2.9", true},
		{"lan", "192.0.2.3", false}, {"lan", "192.0.2.9", false}, {"lan", "203.0.113.7", false},
	} {
		if may(th, tt.login, tt.address) != tt.want {
			t.Errorf("%s from %s: want %t", tt.login, tt.address, tt.want)
		}
	}
	// At home too, ten guesses are enough.
	if passed := fail(th, 20, "lan", "192.0.2.1"); passed != failuresOfPair {
		t.Errorf("%d guesses at home", passed)
	}
	c.pass(throttleWindow)
	if !may(th, "lan", "192.0.2.9") {
		t.Error("the attack is over and still counts")
	}
}

// What the owner mistypes at home is held against nobody elsewhere.
func TestFailuresAtHomeAreOfHome(t *testing.T) {
	th, c := newThrottle()
	passed := 0
	for i := range homesOfOne {
		address := fmt.Sprintf("192.0.2.%d", i)
		th.Welcome("lan", address, c.now())
		passed += fail(th, 20, "lan", address)
	}
	if passed != homesOfOne*failuresOfPair || passed < failuresOfAccount || !may(th, "lan", "198.51.100.1") {
		t.Errorf("%d failures at home lock the account elsewhere", passed)
	}
}

// The control of the owner's: without having been there, the owner is refused.
func TestStrangersAreRefusedDuringAnAttack(t *testing.T) {
	th, _ := newThrottle()
	attack(th, "lan", 1000)
	if may(th, "lan", "192.0.2.1") {
		t.Error("a network unknown to the account was let pass")
	}
}

func TestHowAttemptsEnd(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(*Attempt)
		left int // of ten guesses, after nine failures and this
	}{
		{"failed", (*Attempt).Failed, 0}, {"abandoned", (*Attempt).Abandon, 1}, {"succeeded", (*Attempt).Succeeded, 10}, {"lost", func(*Attempt) {}, 0},
		{"failed, then the others", func(a *Attempt) { a.Failed(); a.Succeeded(); a.Abandon() }, 0},
		{"abandoned twice", func(a *Attempt) { a.Abandon(); a.Abandon(); a.Failed() }, 1},
	} {
		th, _ := newThrottle()
		fail(th, failuresOfPair-1, "lan", "192.0.2.1")
		a, _, ok := th.Begin("lan", "192.0.2.1")
		if !ok || may(th, "lan", "192.0.2.1") {
			t.Fatal("the tenth is not let pass, or does not count from its beginning")
		}
		tt.end(a)
		if left := fail(th, 20, "lan", "192.0.2.1"); left != tt.left {
			t.Errorf("%s: %d more are let pass, want %d", tt.name, left, tt.left)
		}
	}
}

// A thousand guesses at once are ten.
func TestGuessesAtOnce(t *testing.T) {
	th, _ := newThrottle()
	var passed atomic.Int32
	var all sync.WaitGroup
	looked := make(chan bool)
	for range 1000 {
		all.Go(func() {
			if a, _, ok := th.Begin("lan", "192.0.2.1"); ok {
				passed.Add(1)
				<-looked // all have begun before the first has ended
				a.Failed()
			}
		})
	}
	all.Go(func() {
		for range failuresOfPair {
			looked <- true
		}
	})
	all.Wait()
	if passed.Load() != failuresOfPair {
		t.Errorf("%d of a thousand were let pass", passed.Load())
	}
}

// Made-up logins from made-up networks, by the hundred thousand.
func TestThrottleForgets(t *testing.T) {
	th, c := newThrottle()
	if a, _, ok := th.Begin("lan", "192.0.2.1"); ok {
		a.Succeeded()
	}
	for i := range 150_000 {
		fail(th, 1, fmt.Sprintf("person%d", i), netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String())
	}
	for what, n := range map[string][2]int{
		"pairs": {len(th.pairs.byKey), pairsKept}, "networks": {len(th.networks.byKey), networksKept}, "accounts": {len(th.accounts.byKey), accountsKept},
		"pairs in order": {th.pairs.order.Len(), pairsKept}, "networks in order": {th.networks.order.Len(), networksKept},
	} {
		if n[0] > n[1] || n[0] < n[1]/2 {
			t.Errorf("%d %s are kept, at most %d", n[0], what, n[1])
		}
	}
	attack(th, "lan", 1000)
	if !may(th, "lan", "192.0.2.1") || may(th, "lan", "192.0.2.2") {
		t.Error("where an account is at home was driven out")
	}
	// What no longer counts goes as others come.
	c.pass(throttleWindow)
	for range pairsKept/2 + 1 {
		may(th, "lan", "192.0.2.1")
	}
	if n := len(th.pairs.byKey) + len(th.networks.byKey) + len(th.accounts.byKey); n > 3 {
		t.Errorf("%d that no longer count are kept", n)
	}
}

func TestHomesOfOneAccountAreFew(t *testing.T) {
	th, c := newThrottle()
	for i := range 100 {
		th.Welcome("lan", fmt.Sprintf("192.0.2.%d", i), c.now().Add(time.Duration(i)*time.Second))
		th.Welcome("lan", "192.0.2.200", c.now().Add(200*time.Second))
		th.Welcome("lan", "192.0.2.200", c.now())
	}
	th.Welcome("lan", "nowhere", c.now())
	th.Welcome("", "192.0.2.1", c.now())
	homes := th.homes.get("lan")
	if len(homes) != homesOfOne || len(th.homes.byKey) != 1 || homes[homesOfOne-1].network.String() != "192.0.2.200/32" || homes[0].network.String() != "192.0.2.85/32" {
		t.Errorf("%d homes: %v", len(homes), homes)
	}
	attack(th, "lan", 1000)
	if !may(th, "lan", "192.0.2.99") || may(th, "lan", "192.0.2.9") {
		t.Error("the latest homes are not those kept")
	}
}

// Whatever comes in whatever order, the throttle lets pass what a list of all attempts would.
func TestThrottleAgainstAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		th, c := newThrottle()
		type begun struct {
			attempt *Attempt
			at      time.Duration
		}
		var counts []time.Duration
		var open []begun
		elapsed := time.Duration(0)
		drop := func(at time.Duration) {
			for i, x := range counts {
				if x == at {
					counts = append(counts[:i:i], counts[i+1:]...)
					return
				}
			}
		}
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			some := time.Duration(rapid.IntRange(0, 200).Draw(t, "seconds")) * time.Second
			c.pass(some)
			elapsed += some
			for len(counts) > 0 && counts[0]+throttleWindow <= elapsed {
				counts = counts[1:]
			}
			a, wait, ok := th.Begin("lan", "192.0.2.1")
			if want := len(counts) < failuresOfPair; ok != want || !ok && wait != counts[len(counts)-failuresOfPair]+throttleWindow-elapsed {
				t.Fatalf("with %d that count: %t, %v to wait", len(counts), ok, wait)
			}
			if ok {
				counts, open = append(counts, elapsed), append(open, begun{a, elapsed})
			}
			if len(open) == 0 {
				continue
			}
			i := rapid.IntRange(0, len(open)-1).Draw(t, "which")
			switch rapid.SampledFrom([]string{"later", "failed", "failed", "failed", "abandoned", "succeeded"}).Draw(t, "end") {
			case "later":
				continue
			case "failed":
				open[i].attempt.Failed()
			case "abandoned":
				open[i].attempt.Abandon()
				drop(open[i].at)
			case "succeeded":
				open[i].attempt.Succeeded()
				counts = nil
			}
			open = append(open[:i:i], open[i+1:]...)
		}
	})
}
