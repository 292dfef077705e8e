package postgis_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// To sign out and to end all sessions of the same person take the same locks in the
// same order: neither of two who do it at once is refused.
func TestSessionsThatEndFromTwoSidesDoNotBlockEachOther(t *testing.T) {
	s, _, url := open(t)
	ctx := context.Background()
	admin := account.Terminal("test")
	person, err := s.AddPerson(ctx, admin, account.NewPerson{Login: "lan", Name: "Lan"})
	if err != nil {
		t.Fatal(err)
	}
	token := account.NewToken()
	if err := s.StartSession(ctx, person, token, "192.0.2.1", time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	out, watcher := connect(t, url), connect(t, url)
	run(t, out, "BEGIN")
	run(t, out, "SELECT FROM sessions WHERE hash = $1 FOR UPDATE", account.Hash(token)) // as far as signing out gets first
	disabled, ended := true, make(chan error, 1)
	go func() { ended <- s.ChangePerson(ctx, admin, person, account.PersonChange{Disabled: &disabled}) }()
	someoneWaits(t, watcher)
	run(t, out, "UPDATE sessions SET ended_at = now() WHERE hash = $1", account.Hash(token))
	run(t, out, "COMMIT")
	if err := <-ended; err != nil {
		t.Errorf("disabling a person who signs out just then: %v", err)
	}
	if _, err := s.SessionViewer(ctx, token); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("the session goes on: %v", err)
	}
}

// someoneWaits returns when a statement waits for a lock.
func someoneWaits(t *testing.T, watcher *pgx.Conn) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !scalar[bool](t, watcher, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')") {
		if time.Now().After(deadline) {
			t.Fatal("nobody waits for a lock")
		}
	}
}

// Who signs in while being disabled is not signed in again once enabled.
func TestNobodySignsInWhileBeingDisabled(t *testing.T) {
	s, _, url := open(t)
	ctx := context.Background()
	person, err := s.AddPerson(ctx, account.Terminal("test"), account.NewPerson{Login: "lan", Name: "Lan"})
	if err != nil {
		t.Fatal(err)
	}
	disable, watcher := connect(t, url), connect(t, url)
	run(t, disable, "BEGIN")
	run(t, disable, "SELECT FROM people WHERE id = $1 FOR UPDATE", person)
	run(t, disable, "UPDATE people SET disabled_at = now() WHERE id = $1", person)
	token, started := account.NewToken(), make(chan error, 1)
	go func() { started <- s.StartSession(ctx, person, token, "192.0.2.1", time.Now().Add(time.Hour)) }()
	someoneWaits(t, watcher)
	run(t, disable, "COMMIT")
	if err := <-started; !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("signed in: %v", err)
	}
	if n := scalar[int64](t, watcher, "SELECT count(*) FROM sessions"); n != 0 {
		t.Errorf("%d sessions wait for the day when the person is enabled again", n)
	}
}
