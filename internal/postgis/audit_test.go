package postgis_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/postgis"
)

// entries of the audit that is tampered with.
const entries = 40

// tamperings are what one who has the owner's rights may do to an audit of n entries:
// statements of the entries i < j, and the number of the first entry then in disorder.
var tamperings = map[string]func(i, j, n int) (sql string, brokenAt int){
	"who":            set("who = 'key:other'"),
	"database user":  set("db_user = 'other'"),
	"action":         set("action = action || ' '"),
	"subject":        set("subject = upper(subject)"),
	"detail":         set(`detail = detail || '{"n": -1}'`),
	"less detail":    set("detail = '{}'"),
	"request":        set("request_id = ''"),
	"a microsecond":  set("at = at - interval '1 microsecond'"),
	"no time at all": set("at = '-infinity'"),
	"for ever":       set("at = 'infinity'"),
	"the last day":   set("at = '294276-12-31 23:59:59+00'"),
	"hash":           set("hash = sha256(hash)"),
	"no hash":        set("hash = ''"),
	"members moved":  set("who = who || action, action = ''"),
	"delete":         func(i, _, _ int) (string, int) { return fmt.Sprintf("DELETE FROM audit WHERE id = %d", i), i },
	"delete first":   func(int, int, int) (string, int) { return "DELETE FROM audit WHERE id = 1", 1 },
	"delete last":    func(_, _, n int) (string, int) { return fmt.Sprintf("DELETE FROM audit WHERE id = %d", n), n },
	"delete the end": func(i, _, _ int) (string, int) { return fmt.Sprintf("DELETE FROM audit WHERE id >= %d", i), i },
	"delete all":     func(int, int, int) (string, int) { return "DELETE FROM audit", 1 },
	"close the gap": func(i, _, _ int) (string, int) {
		return fmt.Sprintf("DELETE FROM audit WHERE id = %d; UPDATE audit SET id = id + 1000 WHERE id > %[1]d; UPDATE audit SET id = id - 1001 WHERE id > 1000", i), i
	},
	"swap": func(i, j, _ int) (string, int) {
		return fmt.Sprintf("UPDATE audit SET id = 0 WHERE id = %d; UPDATE audit SET id = %[1]d WHERE id = %d; UPDATE audit SET id = %[2]d WHERE id = 0", i, j), i
	},
	"swap but for the hashes": func(i, j, _ int) (string, int) {
		return fmt.Sprintf("UPDATE audit a SET who = b.who, action = b.action, subject = b.subject, detail = b.detail, at = b.at FROM audit b WHERE (a.id, b.id) IN ((%d, %d), (%[2]d, %[1]d))", i, j), i
	},
	"copy over": func(i, j, _ int) (string, int) {
		return fmt.Sprintf("UPDATE audit a SET detail = b.detail, hash = b.hash FROM audit b WHERE a.id = %d AND b.id = %d", i, j), i
	},
	// Written as it should be: it shows by what stands after it.
	"insert": func(i, _, _ int) (string, int) {
		return fmt.Sprintf("UPDATE audit SET id = id + 1000 WHERE id > %d; %s; UPDATE audit SET id = id - 999 WHERE id > 1000", i, wellMade(i)), i + 2
	},
	"insert before": func(int, int, int) (string, int) {
		return "INSERT INTO audit SELECT 0, at, who, db_user, action, subject, detail, request_id, hash FROM audit WHERE id = 1", 1
	},
	"append": func(_, _, n int) (string, int) { return wellMade(n), n + 1 },
	"rewrite well": func(i, _, _ int) (string, int) {
		return fmt.Sprintf("UPDATE audit a SET who = 'key:other' WHERE id = %d; UPDATE audit a SET hash = hatang_audit_hash(b.hash, a) FROM audit b WHERE a.id = %[1]d AND b.id = %[1]d - 1", i), i + 1
	},
	"another head":    func(_, _, n int) (string, int) { return "UPDATE audit_head SET hash = sha256(hash)", n + 1 },
	"an earlier head": func(i, _, _ int) (string, int) { return head(i), i + 1 },
	"a later head":    func(_, _, n int) (string, int) { return "UPDATE audit_head SET id = id + 1", n + 1 },
	"no head":         func(int, int, int) (string, int) { return "DELETE FROM audit_head", 1 },
	"all anew":        func(int, int, int) (string, int) { return "DELETE FROM audit; UPDATE audit_head SET id = 0", 1 },
	"the end, no head": func(i, _, _ int) (string, int) {
		return fmt.Sprintf("DELETE FROM audit WHERE id > %d; DELETE FROM audit_head", i), 1
	},
}

func set(what string) func(i, j, n int) (string, int) {
	return func(i, _, _ int) (string, int) { return fmt.Sprintf("UPDATE audit SET %s WHERE id = %d", what, i), i }
}

// head is a head that some entry left.
func head(i int) string {
	return fmt.Sprintf("UPDATE audit_head h SET id = a.id, hash = a.hash FROM audit a WHERE a.id = %d", i)
}

// wellMade inserts an entry after another, with the hash it should have.
func wellMade(after int) string {
	return fmt.Sprintf(`INSERT INTO audit SELECT (e.new).id, (e.new).at, (e.new).who, (e.new).db_user, (e.new).action, (e.new).subject, (e.new).detail, (e.new).request_id, hatang_audit_hash(e.hash, e.new)
		FROM (SELECT hash, ROW(id + 1, at, 'key:other', db_user, action, subject, detail, request_id, hash)::audit AS new FROM audit WHERE id = %d) e`, after)
}

func brokenAt(t *testing.T, conn *pgx.Conn) int {
	t.Helper()
	return int(scalar[int64](t, conn, "SELECT coalesce(hatang_audit_broken_at(), 0)"))
}

// brokenInPieces proves the audit so many entries at a time, each piece going on from what
// the one before has proved.
func brokenInPieces(t *testing.T, conn *pgx.Conn, most int) int {
	t.Helper()
	var id, next int64
	var hash []byte
	for {
		var broken *int64
		err := conn.QueryRow(context.Background(), "SELECT broken_at, coalesce(proved_id, 0), proved_hash FROM hatang_audit_broken_after($1, $2, $3)", id, hash, most).Scan(&broken, &next, &hash)
		if err != nil {
			t.Fatal(err)
		}
		if broken != nil {
			return int(*broken)
		}
		if next == id {
			return 0
		}
		id = next
	}
}

// A page of the audit proves what it shows and what is new; tampering with what was proved
// before shows there, to a server that has proved nothing yet, and to who proves all.
func TestWhichProofFindsWhat(t *testing.T) {
	s, layers, url := open(t)
	fill(t, s, entries)
	conn := connect(t, url)
	page := func(s *postgis.Store, below int64, limit int) account.AuditPage {
		t.Helper()
		var p account.AuditPage
		if err := patiently(func() (err error) { p, err = s.AuditEntries(context.Background(), below, limit); return err }); err != nil {
			t.Fatal(err)
		}
		return p
	}
	if p := page(s, 0, 10); p.FirstBroken != 0 || p.ProvedTo != entries || len(p.Entries) != 10 {
		t.Fatalf("at first: broken at %d, proved to %d", p.FirstBroken, p.ProvedTo)
	}
	tamper := func(sql string) (restore func()) {
		run(t, conn, "ALTER TABLE audit DISABLE TRIGGER ALL")
		run(t, conn, "CREATE TABLE kept AS TABLE audit")
		run(t, conn, sql)
		return func() {
			run(t, conn, "DELETE FROM audit")
			run(t, conn, "INSERT INTO audit TABLE kept")
			run(t, conn, "DROP TABLE kept")
		}
	}
	for _, tt := range []struct {
		name, sql          string
		newest, shown, all int64 // where it is said to be broken: by the newest ten, by 11 to 20, by who proves all
	}{
		{"nothing", "SELECT", 0, 0, 0},
		{"one of before, not shown", "UPDATE audit SET who = 'x' WHERE id = 5", 0, 0, 5},
		{"one of before, shown on a page", "UPDATE audit SET who = 'x' WHERE id = 15", 0, 15, 15},
		{"one before a page is gone", "DELETE FROM audit WHERE id = 10", 0, 11, 10},
		{"one on a page is gone", "DELETE FROM audit WHERE id = 15", 0, 16, 15},
		{"one of the newest", "UPDATE audit SET who = 'x' WHERE id = 35", 35, 0, 35},
		{"the last that was proved", "DELETE FROM audit WHERE id = 40", 40, 40, 40},
	} {
		restore := tamper(tt.sql)
		got := [3]int64{page(s, 0, 10).FirstBroken, page(s, 21, 10).FirstBroken, int64(brokenAt(t, conn))}
		if want := [3]int64{tt.newest, tt.shown, tt.all}; got != want {
			t.Errorf("%s: found at %v, want %v", tt.name, got, want)
		}
		if all, err := s.AuditBrokenAt(t.Context()); err != nil || all != tt.all {
			t.Errorf("%s: who proves all finds %d, %v", tt.name, all, err)
		}
		other, err := postgis.Open(t.Context(), url, layers)
		if err != nil {
			t.Fatal(err)
		}
		if got := page(other, 0, 10).FirstBroken; got != tt.all {
			t.Errorf("%s: a server that has proved nothing finds %d, want %d", tt.name, got, tt.all)
		}
		other.Close()
		restore()
	}
	run(t, conn, "ALTER TABLE audit ENABLE TRIGGER ALL")
	fill(t, s, 2)
	restore := tamper("UPDATE audit SET detail = '{}' WHERE id = 41")
	if got := page(s, 0, 1); got.FirstBroken != 41 || got.ProvedTo != entries {
		t.Errorf("a new one: broken at %d, proved to %d", got.FirstBroken, got.ProvedTo)
	}
	restore()
	if got := page(s, 0, 1); got.FirstBroken != 0 || got.ProvedTo != entries+2 {
		t.Errorf("at last: broken at %d, proved to %d", got.FirstBroken, got.ProvedTo)
	}
}

// One answer proves ten thousand entries at most, and the next goes on from there.
func TestAnAnswerProvesSoMuch(t *testing.T) {
	_, layers, url := open(t)
	conn := connect(t, url)
	const most = 10_000
	run(t, conn, "SELECT hatang_audit('x', 'x', '{}') FROM generate_series(1, $1)", most-1)
	for _, n := range []int64{most - 1, most, most + 1} {
		s, err := postgis.Open(t.Context(), url, layers)
		if err != nil {
			t.Fatal(err)
		}
		var proved []int64
		for range 2 {
			p, err := s.AuditEntries(t.Context(), 0, 1)
			if err != nil || p.FirstBroken != 0 {
				t.Fatalf("broken at %d, %v", p.FirstBroken, err)
			}
			proved = append(proved, p.ProvedTo)
		}
		if want := []int64{min(n, most), n}; !slices.Equal(proved, want) {
			t.Errorf("of %d entries %v are proved, want %v", n, proved, want)
		}
		s.Close()
		run(t, conn, "SELECT hatang_audit('x', 'x', '{}')")
	}
}

// fill writes an audit of so many entries, of every kind that there is.
func fill(t *testing.T, s *postgis.Store, n int) {
	t.Helper()
	for i := range n {
		ctx := account.WithAsking(context.Background(), &account.Asking{Request: fmt.Sprint("request-", i)})
		if err := patiently(func() error {
			return s.Audit(ctx, fmt.Sprint("key:", i), "write.refused", fmt.Sprint("PATCH /x/", i), map[string]any{"n": i, "tên": "Mường Ảng"})
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEveryTamperingWithTheAuditIsFound(t *testing.T) {
	s, _, url := open(t)
	ctx := context.Background()
	fill(t, s, entries)
	conn := connect(t, url)
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	rounds := 0
	for rounds < 100 {
		for _, kind := range slices.Sorted(maps.Keys(tamperings)) {
			rounds++
			i := 2 + random.IntN(entries-3) // neither the first nor the last: these have kinds of their own
			sql, want := tamperings[kind](i, i+1+random.IntN(entries-i), entries)
			run(t, conn, "BEGIN")
			run(t, conn, "ALTER TABLE audit DISABLE TRIGGER ALL")
			if _, err := conn.Exec(ctx, sql); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
			if got := brokenAt(t, conn); got != want {
				t.Errorf("%s: said to be broken at %d, want %d: %s", kind, got, want, sql)
			}
			for _, most := range []int{7, entries, entries + 1} {
				if got := brokenInPieces(t, conn, most); got != want {
					t.Errorf("%s: by pieces of %d said to be broken at %d, want %d: %s", kind, most, got, want, sql)
				}
			}
			run(t, conn, "ROLLBACK")
		}
	}
	if got := max(brokenAt(t, conn), brokenInPieces(t, conn, 7)); got != 0 {
		t.Errorf("untouched, it is said to be broken at %d", got)
	}
	t.Logf("%d tamperings of %d kinds", rounds, len(tamperings))
}

// An empty audit is in order, and so is one that many write at once.
func TestManyWriteTheAuditAtOnce(t *testing.T) {
	s, _, url := open(t)
	ctx := context.Background()
	conn := connect(t, url)
	if got := brokenAt(t, conn); got != 0 {
		t.Errorf("empty, it is said to be broken at %d", got)
	}
	const writers, each = 8, 50
	admin := account.Terminal("test")
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				write := func() error {
					return s.Audit(ctx, fmt.Sprint("key:", w), "write.refused", fmt.Sprint(i), map[string]any{"n": i})
				}
				if i%2 == 1 {
					id, key := account.NewKey() // two entries: the key and its grant
					k := account.NewKeyRecord{ID: id, Name: "x", Hash: account.Hash(key), Grants: []account.Grant{{Role: account.Officer}}}
					write = func() error { return s.AddKey(ctx, admin, k) }
				}
				if err := patiently(write); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	const want = writers * each / 2 * 3
	if n, last := scalar[int64](t, conn, "SELECT count(*) FROM audit"), scalar[int64](t, conn, "SELECT max(id) FROM audit"); n != want || last != want {
		t.Errorf("%d entries up to %d, want %d", n, last, want)
	}
	if got := brokenAt(t, conn); got != 0 {
		t.Errorf("broken at %d", got)
	}
	if early := scalar[int64](t, conn, "SELECT count(*) FROM (SELECT at < lag(at) OVER (ORDER BY id) AS early FROM audit) a WHERE early"); early != 0 {
		t.Errorf("%d entries are older than the one before them", early)
	}
}
