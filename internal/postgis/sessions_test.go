package postgis_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// patiently does something again while the machine is too slow for the store's limits.
func patiently(work func() error) (err error) {
	for range 50 {
		if err = work(); !errors.Is(err, layer.ErrUnavailable) && !errors.Is(err, layer.ErrTimeout) {
			return err
		}
	}
	return err
}

// blocked begins work that must wait for a lock, and returns when it waits; then what it
// ends with is still to come.
func blocked(t *testing.T, watcher *pgx.Conn, work func() error) (ended chan error) {
	t.Helper()
	ended = make(chan error, 1)
	go func() { ended <- patiently(work) }()
	deadline := time.Now().Add(60 * time.Second)
	for !scalar[bool](t, watcher, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')") {
		if time.Now().After(deadline) || len(ended) > 0 {
			t.Fatal("it does not wait for the lock")
		}
	}
	return ended
}

// signedInFor is a new person who is signed in, or with a zero time is not.
func signedInFor(t *testing.T, s *postgis.Store, login string, lasts time.Duration) (person int64, token string) {
	t.Helper()
	ctx := context.Background()
	token = account.NewToken()
	err := patiently(func() (err error) {
		person, err = s.AddPerson(ctx, account.Terminal("test"), account.NewPerson{Login: login, Name: login})
		return err
	})
	if err == nil && lasts > 0 {
		err = patiently(func() error {
			return s.StartSession(ctx, account.NewSession{Person: person, Token: token, Address: "192.0.2.1", Expires: time.Now().Add(lasts)})
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return person, token
}

// To sign out and to end all sessions of the same person take the same locks in the
// same order: neither of two who do it at once is refused.
func TestSessionsThatEndFromTwoSidesDoNotBlockEachOther(t *testing.T) {
	s, _, url := open(t)
	ctx := context.Background()
	person, token := signedInFor(t, s, "lan", time.Hour)
	out, watcher := connect(t, url), connect(t, url)
	run(t, out, "BEGIN")
	run(t, out, "SELECT FROM sessions WHERE hash = $1 FOR UPDATE", account.Hash(token)) // as far as signing out gets first
	disabled := true
	ended := blocked(t, watcher, func() error {
		return s.ChangePerson(ctx, account.Terminal("test"), person, account.PersonChange{Disabled: &disabled})
	})
	run(t, out, "UPDATE sessions SET ended_at = now() WHERE hash = $1", account.Hash(token))
	run(t, out, "COMMIT")
	if err := <-ended; err != nil {
		t.Errorf("disabling a person who signs out just then: %v", err)
	}
	err := patiently(func() error { _, err := s.SessionViewer(ctx, token); return err })
	if !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("the session goes on: %v", err)
	}
}

// Who signs in while being disabled is not signed in again once enabled, nor one whose
// password is changed after it has been checked.
func TestNobodySignsInWhileBeingDisabled(t *testing.T) {
	for _, change := range []string{"disabled_at = now()", "password = 'another'"} {
		t.Run(change, func(t *testing.T) { signInDuring(t, change) })
	}
}

func signInDuring(t *testing.T, change string) {
	s, _, url := open(t)
	ctx := context.Background()
	person, token := signedInFor(t, s, "lan", 0)
	disable, watcher := connect(t, url), connect(t, url)
	run(t, disable, "UPDATE people SET password = 'checked'")
	run(t, disable, "BEGIN")
	run(t, disable, "SELECT FROM people WHERE id = $1 FOR UPDATE", person)
	run(t, disable, "UPDATE people SET "+change+" WHERE id = $1", person)
	started := blocked(t, watcher, func() error {
		return s.StartSession(ctx, account.NewSession{Person: person, Token: token, Address: "192.0.2.1", Expires: time.Now().Add(time.Hour), PasswordHash: "checked"})
	})
	run(t, disable, "COMMIT")
	if err := <-started; !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("signed in: %v", err)
	}
	if n := scalar[int64](t, watcher, "SELECT count(*) FROM sessions"); n != 0 {
		t.Errorf("%d sessions wait for the day when the person is enabled again", n)
	}
}
