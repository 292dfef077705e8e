package account

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// run is what one call of argon2 cost.
type run struct {
	passes, memoryKiB uint32
	lanes             uint8
	keyBytes          uint32
}

// counted returns a Passwords and the runs of argon2 it makes.
func counted(memoryBytes int64) (*Passwords, func() []run) {
	p := NewPasswords(memoryBytes)
	var mu sync.Mutex
	var runs []run
	p.argon = func(password, salt []byte, passes, memoryKiB uint32, lanes uint8, keyBytes uint32) []byte {
		mu.Lock()
		runs = append(runs, run{passes, memoryKiB, lanes, keyBytes})
		mu.Unlock()
		return argon2.IDKey(password, salt, passes, memoryKiB, lanes, keyBytes)
	}
	return p, func() []run {
		mu.Lock()
		defer mu.Unlock()
		defer func() { runs = nil }()
		return runs
	}
}

func TestPasswordsMatchTheirHashesOnly(t *testing.T) {
	p, ctx := NewPasswords(0), t.Context()
	const composed = "mật khẩu của Lan"
	decomposed := norm.NFD.String(composed)
	phc, err := p.Hash(ctx, composed)
	if err != nil || !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(phc, "=$") {
		t.Fatalf("%q, %v", phc, err)
	}
	if again, _ := p.Hash(ctx, composed); again == phc {
		t.Error("two hashes of one password are the same: there is no salt")
	}
	for _, tt := range []struct {
		phc, password string
		want          bool
	}{
		{phc, composed, true}, {phc, decomposed, true}, {phc, strings.ToUpper(composed), false}, {phc, composed + " ", false}, {phc, "", false},
		{"", composed, false}, {"", "", false}, {phc, strings.Repeat("x", maxPasswordBytes+1), false},
	} {
		if got, err := p.Matches(ctx, tt.phc, tt.password); got != tt.want || err != nil {
			t.Errorf("%q against %q: %t, %v", tt.password, tt.phc, got, err)
		}
	}
	if _, err := p.Hash(ctx, strings.Repeat("x", maxPasswordBytes+1)); !errors.Is(err, ErrLongPassword) {
		t.Errorf("a long password: %v", err)
	}
}

// A hash that the reference implementation made; it is among its own tests.
func TestPasswordsOfTheReferenceProgram(t *testing.T) {
	const phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	ok, err := NewPasswords(0).Matches(t.Context(), phc, "password")
	if !ok || err != nil {
		t.Errorf("%t, %v", ok, err)
	}
}

// Whoever tries logins must not learn from the work which are somebody's.
func TestKnownAndUnknownTakeTheSameWork(t *testing.T) {
	p, runs := counted(0)
	phc, err := p.Hash(t.Context(), "a password of Lan's")
	if err != nil || len(runs()) != 1 {
		t.Fatal(phc, err)
	}
	for _, password := range []string{"a password of Lan's", "another password", "", strings.Repeat("x", maxPasswordBytes+1)} {
		if _, err := p.Matches(t.Context(), phc, password); err != nil {
			t.Fatal(err)
		}
		known := runs()
		for what, stored := range map[string]string{"nobody": "", "a damaged row": "$argon2id$v=19$", "a hostile row": hostile} {
			if ok, err := p.Matches(t.Context(), stored, password); ok || (err != nil) != (stored != "") {
				t.Errorf("%s: %t, %v", what, ok, err)
			}
			if unknown := runs(); fmt.Sprint(unknown) != fmt.Sprint(known) || len(known) != 1 {
				t.Errorf("somebody takes %v, %s %v", known, what, unknown)
			}
		}
	}
}

const hostile = "$argon2id$v=19$m=4194304,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func TestStoredHashesAreBounded(t *testing.T) {
	salt, key := base64.RawStdEncoding.EncodeToString(make([]byte, 16)), base64.RawStdEncoding.EncodeToString(make([]byte, 32))
	good := "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key
	with := func(old, now string) string { return strings.Replace(good, old, now, 1) }
	for _, phc := range []string{good, with("m=19456", "m=65536"), with("t=2", "t=10"), with("p=1", "p=4"), with("m=19456", "m=8")} {
		if _, err := parseHash(phc); err != nil {
			t.Errorf("%q: %v", phc, err)
		}
	}
	for _, phc := range []string{
		"", "$", "$$$$$", hostile, good + "$", " " + good, good + "\n", good + "=", with("argon2id", "argon2i"), with("v=19", "v=16"),
		with("m=19456", "m=65537"), with("m=19456", "m=4294967295"), with("m=19456", "m=18446744073709551616"), with("m=19456", "m=7"),
		with("m=19456", "m=0"), with("m=19456", "m=-1"), with("m=19456", "m=+19456"), with("m=19456", "m=019456"), with("m=19456", "19456"),
		with("m=19456", "k=19456"), with("m=19456,t=2", "t=2,m=19456"), with("t=2", "t=11"), with("t=2", "t=0"), with("p=1", "p=5"), with("p=1", "p=0"),
		with("p=1", "p=257"), with("m=19456,t=2,p=1", "m=31,t=2,p=4"), with(",p=1", ""), with("p=1", "p=1,x=1"), with(salt, ""), with(salt, "AAAA"),
		with(salt, salt+"\n"), with(salt, strings.Repeat("A", 88)), with(key, "AAAA"), with(key, strings.Repeat("A", 88)), with(key, strings.Repeat("A", 1<<20)),
	} {
		if h, err := parseHash(phc); !errors.Is(err, ErrBadHash) {
			t.Errorf("%.80q is read as %+v, %v", phc, h, err)
		}
	}
	// Within the bounds, but never within the memory there is.
	small, runs := counted(32 << 20)
	if ok, err := small.Matches(t.Context(), with("m=19456", "m=65536"), "x"); ok || !errors.Is(err, ErrBadHash) || runs()[0].memoryKiB != hashMemoryKiB {
		t.Errorf("a hash of more memory than there is: %t, %v", ok, err)
	}
}

// With memory for three, never more than three at once, and all of forty in the end.
func TestHashesShareTheirMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPasswords(4*hashMemoryKiB<<10 - 1)
		var inside, most, done atomic.Int32
		leave := make(chan bool)
		p.argon = func(_, _ []byte, _, _ uint32, _ uint8, keyBytes uint32) []byte {
			most.Store(max(most.Load(), inside.Add(1)))
			<-leave
			inside.Add(-1)
			return make([]byte, keyBytes)
		}
		for range 40 {
			go func() {
				if _, err := p.Hash(t.Context(), "a password of Lan's"); err == nil {
					done.Add(1)
				}
			}()
		}
		synctest.Wait()
		if inside.Load() != 3 {
			t.Errorf("%d at once", inside.Load())
		}
		leaving, cancel := context.WithCancel(t.Context())
		left := make(chan error, 2)
		go func() { _, err := p.Hash(leaving, "a password of Lan's"); left <- err }()
		go func() { _, err := p.Matches(leaving, "", "a password of Lan's"); left <- err }()
		synctest.Wait()
		cancel()
		for range 2 {
			if err := <-left; !errors.Is(err, context.Canceled) {
				t.Errorf("the client left while waiting: %v", err)
			}
		}
		for range 40 {
			leave <- true
			synctest.Wait()
		}
		if done.Load() != 40 || most.Load() != 3 {
			t.Errorf("%d of 40 had their turn, up to %d at once", done.Load(), most.Load())
		}
	})
}

func TestMemoryForOneHashThereAlwaysIs(t *testing.T) {
	for _, memory := range []int64{1, 1 << 20, hashMemoryKiB << 10} {
		if _, err := NewPasswords(memory).Hash(t.Context(), "a password of Lan's"); err != nil {
			t.Errorf("%d bytes: %v", memory, err)
		}
	}
	if p := NewPasswords(-1); p.memory != DefaultHashMemory {
		t.Errorf("by default %d bytes", p.memory)
	}
}

func FuzzParseHash(f *testing.F) {
	f.Add(nobody.String())
	f.Add(hostile)
	f.Add("$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=65536,t=10,p=4$c29tZXNhbHQ\n$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Fuzz(func(t *testing.T, phc string) {
		h, err := parseHash(phc)
		if err != nil {
			return
		}
		if h.String() != phc {
			t.Errorf("%q is read as %q", phc, h)
		}
		if h.bytes() > maxHashMemoryKiB<<10 || h.bytes() < 8<<10 || h.passes < 1 || h.passes > maxHashPasses || h.lanes < 1 || h.lanes > maxHashLanes ||
			len(h.salt) > maxHashBytes || len(h.key) > maxHashBytes || len(h.key) < 16 {
			t.Errorf("%q is out of bounds", phc)
		}
	})
}
