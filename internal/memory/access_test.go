package memory_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/memory"
)

// KeyHolder and SessionHolder count the questions and let a test say otherwise.
func (c *counting) KeyHolder(ctx context.Context, hash string) (memory.Holder[account.Viewer], error) {
	c.holders.Add(1)
	h, err := c.Store.KeyHolder(ctx, hash)
	if c.otherwise != nil {
		c.otherwise(&h)
	}
	return h, err
}

func (c *counting) SessionHolder(ctx context.Context, hash string) (memory.Holder[account.Session], error) {
	c.holders.Add(1)
	return c.Store.SessionHolder(ctx, hash)
}

// holding is a register with somebody in it, as hold makes him.
func holding(t *testing.T) (*counting, *memory.Memory, *pgx.Conn) {
	t.Helper()
	register, _, conn := strewn(t)
	run(t, conn, `INSERT INTO organisations (code, kind, name) VALUES ('VNPT', 'operator', '{"vi":"VNPT","en":"VNPT"}')`)
	m := memory.New(register, plenty, quiet())
	hold(t, m, conn, 1)
	return register, m, conn
}

// hold makes the person with an id, the next, who has a session and a key, and a key of nobody's.
func hold(t *testing.T, m *memory.Memory, conn *pgx.Conn, id int) {
	t.Helper()
	for _, sql := range []string{
		`INSERT INTO people (login, name, organisation) VALUES ('lan%[1]d', 'Lan', 'VNPT')`,
		`INSERT INTO grants (person, role) VALUES (%[1]d, 'officer'), (%[1]d, 'operator')`,
		`INSERT INTO sessions (hash, person, expires_at) VALUES (sha256('token%[1]d'), %[1]d, now() + interval '1 hour')`,
		`INSERT INTO api_keys (id, hash, name, person, created_by) VALUES ('own%[1]d', sha256('own%[1]d'), 'x', %[1]d, 'x')`,
		`INSERT INTO api_keys (id, hash, name, created_by) VALUES ('program%[1]d', sha256('program%[1]d'), 'x', 'x')`,
		`INSERT INTO grants (key, role) VALUES ('own%[1]d', 'officer'), ('program%[1]d', 'officer'), ('program%[1]d', 'approver')`,
	} {
		run(t, conn, fmt.Sprintf(sql, id))
	}
	if err := m.Catch(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), sql); err != nil {
		t.Fatal(sql, err)
	}
}

// held is who has the secrets of a person, as one of the two says.
type held struct {
	Session      account.Session
	Own, Program account.Viewer
	Errors       [3]bool
}

func heldBy(t *testing.T, from interface {
	KeyViewer(context.Context, string) (account.Viewer, error)
	SessionViewer(context.Context, string) (account.Session, error)
}, id int) (h held) {
	t.Helper()
	ctx := context.Background()
	var errs [3]error
	h.Session, errs[0] = from.SessionViewer(ctx, fmt.Sprint("token", id))
	h.Own, errs[1] = from.KeyViewer(ctx, fmt.Sprint("own", id))
	h.Program, errs[2] = from.KeyViewer(ctx, fmt.Sprint("program", id))
	for i, err := range errs {
		if h.Errors[i] = err != nil; err != nil && !errors.Is(err, layer.ErrNotFound) {
			t.Fatal(err)
		}
	}
	return h
}

// Whatever changes who somebody is or what he may, is seen as soon as it is told; all else
// leaves what is remembered.
func TestWhoHasWhatIsTheDatabases(t *testing.T) {
	register, m, conn := holding(t)
	for i, sql := range []string{
		"UPDATE api_keys SET revoked_at = now() WHERE id = 'program%[1]d'", "UPDATE api_keys SET expires_at = now() WHERE id = 'program%[1]d'", "DELETE FROM grants WHERE key = 'program%[1]d' AND role = 'approver'",
		"UPDATE grants SET withdrawn_at = now() WHERE key = 'program%[1]d' AND role = 'officer'", "INSERT INTO grants (key, role, territory) VALUES ('program%[1]d', 'consulted', '11')",
		"UPDATE grants SET layers = '{roads}' WHERE key = 'program%[1]d'", "UPDATE grants SET withdrawn_at = now() WHERE person = %[1]d", "UPDATE people SET disabled_at = now() WHERE id = %[1]d",
		"UPDATE people SET organisation = NULL WHERE id = %[1]d", "UPDATE people SET login = 'mai', name = 'Mai', email = 'mai@example.vn' WHERE id = %[1]d", "UPDATE people SET notices = NOT notices WHERE id = %[1]d",
		"UPDATE sessions SET ended_at = now() WHERE person = %[1]d", "UPDATE sessions SET expires_at = now() WHERE person = %[1]d", "DELETE FROM sessions WHERE person = %[1]d",
		"DELETE FROM grants WHERE key = 'own%[1]d'; DELETE FROM api_keys WHERE id = 'own%[1]d'", "TRUNCATE grants -- %[1]d", "TRUNCATE sessions -- %[1]d",
	} {
		id := i + 1
		if sql = fmt.Sprintf(sql, id); id > 1 {
			hold(t, m, conn, id)
		}
		before := register.holders.Load()
		was := heldBy(t, m, id)
		if again, want := heldBy(t, m, id), heldBy(t, register.Store, id); register.holders.Load() != before+3 || !cmp.Equal(was, again) || !cmp.Equal(was, want) || len(want.Program.Grants) != 2 {
			t.Fatalf("asked %d times: %+v, then %+v, want %+v", register.holders.Load()-before, was, again, want)
		}
		for _, other := range []string{
			"UPDATE bts_sites SET mast_type = 'A1b' WHERE code = 'S1' -- %d", "INSERT INTO sessions (hash, person, expires_at) VALUES (sha256('another%[1]d'), %[1]d, now() + interval '1 hour')",
			"INSERT INTO api_keys (id, hash, name, created_by) VALUES ('new%[1]d', sha256('new%[1]d'), 'x', 'x')",
		} {
			run(t, conn, fmt.Sprintf(other, id))
		}
		if err := m.Catch(context.Background()); err != nil {
			t.Fatal(err)
		}
		if heldBy(t, m, id); register.holders.Load() != before+3 {
			t.Errorf("asked %d times after what changes nobody", register.holders.Load()-before)
		}
		run(t, conn, sql)
		// The control: what was told before the change still has it as it was.
		if !cmp.Equal(was, heldBy(t, m, id)) {
			t.Errorf("%s: what is remembered has changed by itself", sql)
		}
		if err := m.Catch(context.Background()); err != nil {
			t.Fatal(err)
		}
		now, want := heldBy(t, m, id), heldBy(t, register.Store, id)
		if d := cmp.Diff(want, now); d != "" || cmp.Equal(was, now) {
			t.Errorf("after %s (-database +memory)\n%s", sql, d)
		}
	}
}

// Nothing is remembered that ends, is of another state of the database, or is nobody's; nor
// without proof that it is the latest, nor beyond a number.
func TestWhatIsNotRemembered(t *testing.T) {
	register, m, conn := holding(t)
	ctx := context.Background()
	asks := func(what string, want int64) {
		t.Helper()
		before := register.holders.Load()
		for range 2 {
			if _, err := m.KeyViewer(ctx, "program1"); err != nil {
				t.Fatal(err)
			}
		}
		if n := register.holders.Load() - before; n != want {
			t.Errorf("%s: asked %d times of 2, want %d", what, n, want)
		}
	}
	for what, otherwise := range map[string]func(*memory.Holder[account.Viewer]){
		"one that ends at once": func(h *memory.Holder[account.Viewer]) { h.For = 0 },
		"another version":       func(h *memory.Holder[account.Viewer]) { h.Access++ },
		"another database":      func(h *memory.Holder[account.Viewer]) { h.Server += "x" },
	} {
		register.otherwise = otherwise
		asks(what, 2)
	}
	register.otherwise = nil
	asks("the key as it is", 1)
	register.cut.Store(true)
	if err := register.SetPublication(ctx, account.Terminal("test"), account.Publication{Jurisdiction: "11", Exactness: account.Exact}); err != nil {
		t.Fatal(err)
	}
	asks("after a write of this process", 2)
	register.cut.Store(false)
	if err := m.Catch(ctx); err != nil {
		t.Fatal(err)
	}
	asks("told again", 0)
	for range 2 {
		before := register.holders.Load()
		if _, err := m.KeyViewer(ctx, "nobody's"); !errors.Is(err, layer.ErrNotFound) || register.holders.Load() != before+1 {
			t.Errorf("a key of nobody's: %v, asked %d times", err, register.holders.Load()-before)
		}
	}
	run(t, conn, "INSERT INTO api_keys (id, hash, name, created_by) SELECT 'k' || i, sha256(('k' || i)::bytea), 'x', 'x' FROM generate_series(1, 4096) i")
	for i := range memory.MostHolders {
		if i%256 == 0 { // before the proof is a second old
			if err := m.Catch(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := m.KeyViewer(ctx, "k"+strconv.Itoa(i+1)); err != nil {
			t.Fatal(err)
		}
	}
	asks("after as many others as are remembered", 1)
}

// What ends by itself is not remembered beyond that.
func TestNobodyIsRememberedBeyondTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		register := &still{told: memory.NewTold("here", nil), lasts: 3 * time.Second}
		m := memory.New(register, plenty, quiet())
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); m.Run(ctx) }()
		time.Sleep(time.Second)
		for i, want := range []int64{1, 1, 1, 2, 2, 2, 3} { // a second apart
			if _, err := m.KeyViewer(ctx, "x"); err != nil || register.asked.Load() != want {
				t.Errorf("after %d s: %v, asked %d times, want %d", i, err, register.asked.Load(), want)
			}
			time.Sleep(time.Second)
		}
		cancel()
		<-done
	})
}
