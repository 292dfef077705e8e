package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// recorded is an audit that keeps what it is given, and fails when told.
type recorded struct {
	entries []string
	err     error
}

func (r *recorded) write(_ context.Context, who, action, subject string, detail map[string]any) error {
	if r.err == nil {
		r.entries = append(r.entries, fmt.Sprint(who, " ", action, " ", subject, " ", detail["count"]))
	}
	return r.err
}

// counted returns refusals whose time stands until it is moved.
func counted(r *recorded) (f *Refusals, pass func(time.Duration)) {
	f = NewRefusals(r.write, slog.New(slog.DiscardHandler))
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.now = func() time.Time { return now }
	return f, func(some time.Duration) { now = now.Add(some) }
}

// refuse notes a refusal of an address.
func (r *recorded) refuse(t *testing.T, f *Refusals, address string) {
	t.Helper()
	err := f.note(netip.MustParseAddr(address), func() error {
		return r.write(t.Context(), "public", "write.refused", address, map[string]any{"count": 1})
	})
	if !errors.Is(err, r.err) {
		t.Errorf("%s: %v", address, err)
	}
}

func (r *recorded) wants(t *testing.T, what string, want ...string) {
	t.Helper()
	slices.Sort(r.entries)
	if !slices.Equal(r.entries, want) {
		t.Errorf("%s: %q, want %q", what, r.entries, want)
	}
	r.entries = nil
}

// Of a network the first refusal is recorded in full, the others are counted until a
// quarter of an hour is over.
func TestRefusalsOfANetwork(t *testing.T) {
	r := new(recorded)
	f, pass := counted(r)
	for _, address := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.255", "192.0.3.1", "2001:db8:1:2::3", "2001:db8:1:ffff::1", "2001:db8:2::1"} {
		r.refuse(t, f, address)
	}
	r.wants(t, "the first of each", "public write.refused 192.0.2.1 1", "public write.refused 192.0.3.1 1",
		"public write.refused 2001:db8:1:2::3 1", "public write.refused 2001:db8:2::1 1")
	due := func() {
		t.Helper()
		if err := f.record(t.Context(), f.now().Add(-refusalSpan)); err != nil {
			t.Error(err)
		}
	}
	pass(refusalSpan - 1)
	due()
	r.wants(t, "a moment too early")
	pass(1)
	due()
	r.wants(t, "when it is over", "public write.refused network:192.0.2.0/24 2", "public write.refused network:2001:db8:1::/48 1")
	r.refuse(t, f, "192.0.2.1")
	r.wants(t, "then", "public write.refused 192.0.2.1 1")
	if err := f.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	r.wants(t, "at the end nothing was counted")
}

// So many networks are told apart, and all others are one.
func TestRefusalsOfManyNetworks(t *testing.T) {
	r := new(recorded)
	f, _ := counted(r)
	for i := range maxRefusalNetworks + 3 {
		r.refuse(t, f, fmt.Sprintf("10.%d.%d.1", i>>8, i&255))
		if want := min(i+1, maxRefusalNetworks+1); len(r.entries) != want {
			t.Fatalf("after %d networks: %d entries", i+1, len(r.entries))
		}
	}
	r.entries = nil
	r.refuse(t, f, "10.0.0.2") // one of those told apart
	if err := f.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	r.wants(t, "counted", "public write.refused network:10.0.0.0/24 1", "public write.refused network:other 2")
}

// What cannot be recorded is refused with the error where it is the first, and counted still
// where it is not.
func TestRefusalsThatCannotBeRecorded(t *testing.T) {
	r := new(recorded)
	f, _ := counted(r)
	r.err = errors.New("no audit")
	r.refuse(t, f, "192.0.2.1")
	r.err = nil
	for range 3 {
		r.refuse(t, f, "192.0.2.1")
	}
	r.wants(t, "the first when it can be", "public write.refused 192.0.2.1 1")
	r.err = errors.New("no audit")
	if err := f.Flush(t.Context()); !errors.Is(err, r.err) {
		t.Errorf("%v", err)
	}
	r.err = nil
	r.refuse(t, f, "192.0.2.1")
	if err := f.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	r.wants(t, "with those of before", "public write.refused network:192.0.2.0/24 3")
}

// Whoever is known, or used somebody's session, is recorded each time; all others once, and
// then are counted.
func TestWhoseRefusalsAreCounted(t *testing.T) {
	for name, tt := range map[string]struct {
		headers []string
		want    int
	}{
		"nobody":             {nil, 1},
		"a bad key":          {[]string{"Authorization: Bearer nonsense"}, 1},
		"somebody":           {[]string{"Authorization: Bearer operator"}, 3},
		"somebody's session": {[]string{"Cookie: hatang_session=x"}, 3},
	} {
		s := &signedIn{fakeStore: &fakeStore{}}
		c := config(t, s.fakeStore)
		c.Accounts = s
		c.Refusals = NewRefusals(s.Audit, c.Log)
		h := apiWith(t, c).router()
		for range 3 {
			if w := do(h, "DELETE", "/api/v1/people/1/grants/1", "", tt.headers...); w.Code != http.StatusForbidden && w.Code != http.StatusUnauthorized {
				t.Fatalf("%s: %d", name, w.Code)
			}
		}
		if len(s.audit) != tt.want {
			t.Errorf("%s: %d entries, want %d", name, len(s.audit), tt.want)
		}
	}
}
