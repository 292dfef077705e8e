package postgis

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/testdb"
)

// lanesOver opens lanes over an empty database; every test ends with all connections
// given back, else closing would wait for ever.
func lanesOver(t testing.TB, within time.Duration) *lanes {
	t.Helper()
	config := emptyDatabase(t)
	l, err := openLanes(context.Background(), config, within)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// emptyDatabase is one in which the roles are known, which belong to the cluster.
func emptyDatabase(t testing.TB) *pgxpool.Config {
	t.Helper()
	ctx := context.Background()
	config, err := pgxpool.ParseConfig(testdb.New(t))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }() // it has done its work
	for _, role := range []string{servingRole, readingRole} {
		// Another package's tests may be making it at this moment.
		_, err := conn.Exec(ctx, "DO $$ BEGIN CREATE ROLE "+role+" NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$")
		if err != nil {
			t.Fatal(err)
		}
	}
	return config
}

// The contexts of the three kinds of askers.
func asPublic(ctx context.Context) context.Context {
	return account.WithViewer(ctx, account.Anonymous())
}

func asStaff(ctx context.Context) context.Context {
	return account.WithViewer(ctx, account.Viewer{Name: "key:o", Grants: []account.Grant{{Role: account.Officer}}})
}

func asOperator(ctx context.Context) context.Context {
	return account.WithViewer(ctx, account.Viewer{Name: "key:v", Grants: []account.Grant{{Role: account.Operator}}})
}

// occupy fills the public lane with slow statements until the function it returns is called.
func occupy(t testing.TB, l *lanes) (release func()) {
	t.Helper()
	ctx, stop := context.WithCancel(asPublic(context.Background()))
	t.Cleanup(stop) // of a test that fails before it releases
	var sleeping sync.WaitGroup
	for range l.public.Config().MaxConns {
		tx, err := l.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		sleeping.Go(func() {
			if _, err := tx.Exec(ctx, "SELECT pg_sleep(600)"); !errors.Is(err, context.Canceled) {
				t.Errorf("the slow statement ended with %v", err)
			}
			_ = tx.Rollback(context.WithoutCancel(ctx)) // its connection is closed: pgx closes one whose statement is cancelled
		})
	}
	return func() { stop(); sleeping.Wait() }
}

func one(ctx context.Context, l *lanes) error {
	var n int
	return l.QueryRow(ctx, "SELECT 1").Scan(&n)
}

func TestAFloodOfThePublicKeepsNobodyElseWaiting(t *testing.T) {
	l := lanesOver(t, 20*time.Millisecond)
	ctx := context.Background()
	release := occupy(t, l)
	for name, err := range map[string]error{
		"a row":         one(asPublic(ctx), l),
		"an operator's": one(asOperator(ctx), l),
		"rows":          errorOf(l.Query(asPublic(ctx), "SELECT 1")),
		"a statement":   errorOf(l.Exec(asPublic(ctx), "SELECT 1")),
		"a transaction": errorOf(l.BeginTx(asPublic(ctx), pgx.TxOptions{})),
		"a connection":  errorOf(l.Acquire(asPublic(ctx))),
	} {
		if told := translate("read", err); !errors.Is(told, layer.ErrUnavailable) || errors.Is(told, layer.ErrTimeout) {
			t.Errorf("%s of a full lane: %v", name, told)
		}
	}
	for name, kept := range map[string]context.Context{"staff": asStaff(ctx), "the server": ctx} {
		if err := one(kept, l); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	l.use(func(lane string, inUse, most int) {
		if want := map[string]int{"public": most, "kept": 0}[lane]; inUse != want || most < 4 {
			t.Errorf("%s: %d of %d in use, want %d", lane, inUse, most, want)
		}
	})
	release()
	// The flood's connections are closed, which takes longer than a statement may wait here.
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if err = one(asPublic(ctx), l); err == nil {
			return
		}
	}
	t.Errorf("after the flood: %v", err)
}

func errorOf[T any](_ T, err error) error { return err }

// Whoever stops waiting before the limit is told why in his own words.
func TestAnAskersOwnPatience(t *testing.T) {
	l := lanesOver(t, time.Hour)
	defer occupy(t, l)()
	ctx := asPublic(context.Background())
	limited, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	if err := one(limited, l); !errors.Is(translate("read", err), layer.ErrTimeout) {
		t.Errorf("out of time: %v", err)
	}
	gone, leave := context.WithCancel(ctx)
	leave()
	if err := one(gone, l); !errors.Is(err, context.Canceled) {
		t.Errorf("gone: %v", err)
	}
}

// uses are all the ways to use a connection and to give it back.
var uses = map[string]func(ctx context.Context, l *lanes) error{
	"scanned": one,
	"not scannable": func(ctx context.Context, l *lanes) error {
		var n int
		if err := l.QueryRow(ctx, "SELECT 'x'").Scan(&n); err == nil {
			return errors.New("a letter was read as a number")
		}
		return nil
	},
	"no rows": func(ctx context.Context, l *lanes) error {
		var n int
		if err := l.QueryRow(ctx, "SELECT 1 WHERE false").Scan(&n); !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		return nil
	},
	"no statement": func(ctx context.Context, l *lanes) error {
		if _, err := l.Exec(ctx, "SELEKT"); err == nil {
			return errors.New("a statement that is none was executed")
		}
		return nil
	},
	"read to the end": func(ctx context.Context, l *lanes) error {
		rows, err := l.Query(ctx, "SELECT generate_series(1, 10)")
		if err != nil {
			return err
		}
		_, err = pgx.CollectRows(rows, pgx.RowTo[int])
		return err
	},
	"closed early": func(ctx context.Context, l *lanes) error {
		rows, err := l.Query(ctx, "SELECT generate_series(1, 1000)")
		if err != nil {
			return err
		}
		defer rows.Close()
		if !rows.Next() || len(rows.RawValues()) != 1 {
			return errors.Join(errors.New("no raw values"), rows.Err())
		}
		return nil
	},
	"cancelled between rows": func(ctx context.Context, l *lanes) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		rows, err := l.Query(ctx, "SELECT generate_series(1, 1000000)")
		if err != nil {
			return err
		}
		defer rows.Close()
		rows.Next()
		cancel()
		for rows.Next() { // to what had come already
		}
		if !errors.Is(rows.Err(), context.Canceled) {
			return errors.Join(errors.New("the statement went on"), rows.Err())
		}
		return nil
	},
	"committed": func(ctx context.Context, l *lanes) error {
		return pgx.BeginFunc(ctx, l, func(tx pgx.Tx) error { return errorOf(tx.Exec(ctx, "SELECT 1")) })
	},
	"rolled back": func(ctx context.Context, l *lanes) error {
		undo := errors.New("undo")
		err := pgx.BeginTxFunc(ctx, l, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(pgx.Tx) error { return undo })
		if !errors.Is(err, undo) {
			return err
		}
		return nil
	},
	"released": func(ctx context.Context, l *lanes) error {
		c, err := l.Acquire(ctx)
		if err == nil {
			c.Release()
		}
		return err
	},
}

// allBack waits until no connection is in use: pgx closes one whose statement was
// cancelled in the background.
func allBack(t *testing.T, l *lanes, after string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		left := 0
		l.use(func(_ string, inUse, _ int) { left += inUse })
		if left == 0 {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %d connections are not given back", after, left)
		case <-tick.C:
		}
	}
}

func TestEveryUseGivesItsConnectionBack(t *testing.T) {
	l := lanesOver(t, time.Minute)
	for name, use := range uses {
		for _, ctx := range []context.Context{context.Background(), asPublic(context.Background())} {
			if err := use(ctx, l); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			allBack(t, l, name)
		}
	}
}

func TestNoConnectionLeaksInAThousandUses(t *testing.T) {
	l := lanesOver(t, time.Minute)
	var work sync.WaitGroup
	for i := range 10 {
		ctx := context.Background()
		if i%2 == 0 {
			ctx = asPublic(ctx)
		}
		work.Go(func() {
			for range 10 {
				for name, use := range uses {
					if err := use(ctx, l); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
			}
		})
	}
	work.Wait()
	allBack(t, l, "a thousand uses")
	for _, pool := range []*pgxpool.Pool{l.public, l.kept} {
		if s := pool.Stat(); s.AcquiredConns() != 0 || s.TotalConns() > s.MaxConns() || s.AcquireCount() < 500 || s.CanceledAcquireCount() != 0 {
			t.Errorf("%d in use, %d of %d, acquired %d times, %d times in vain", s.AcquiredConns(), s.TotalConns(), s.MaxConns(), s.AcquireCount(), s.CanceledAcquireCount())
		}
	}
}

// The limit of acquiring does not end the statement, and statements stay prepared.
func TestOnlyAcquiringIsLimited(t *testing.T) {
	l := lanesOver(t, time.Minute)
	l.public.Close() // only one connection is looked at
	ctx := context.Background()
	tx, err := l.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(ctx) }()
	for range 3 {
		if _, err := tx.Exec(ctx, "SELECT $1::int", 1); err != nil {
			t.Fatal(err)
		}
	}
	var prepared int
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT $1::int'").Scan(&prepared); err != nil || prepared != 1 {
		t.Errorf("%d prepared, %v", prepared, err)
	}
	limit := acquireLimit(time.Minute)
	waiting := limit.TraceAcquireStart(ctx, l.kept, pgxpool.TraceAcquireStartData{})
	limit.TraceAcquireEnd(waiting, l.kept, pgxpool.TraceAcquireEndData{})
	if waiting.Err() == nil || ctx.Err() != nil {
		t.Error("the context of acquiring is left running, or ended another")
	}
}

func TestHowLanesAreSplit(t *testing.T) {
	for _, tt := range []struct {
		cores        int
		asked        int32
		public, kept int32
	}{{1, 4, 4, 4}, {2, 4, 4, 4}, {3, 4, 4, 4}, {4, 4, 5, 5}, {16, 16, 17, 17}, {2, 9, 5, 4}, {2, 40, 20, 20}} {
		if public, kept := laneSizes(tt.cores, tt.asked); public != tt.public || kept != tt.kept {
			t.Errorf("%d cores, %d asked: %d and %d, want %d and %d", tt.cores, tt.asked, public, kept, tt.public, tt.kept)
		}
	}
}

// BenchmarkLanes compares a connection, and a statement, of a lane with those of a bare
// pool. A ticker runs as in the server, where the snapshots have one: without any, Go
// wakes its poller for each new timer, which takes 10 µs.
func BenchmarkLanes(b *testing.B) {
	config := emptyDatabase(b)
	tick := time.NewTicker(250 * time.Millisecond)
	b.Cleanup(tick.Stop)
	ctx := asPublic(context.Background())
	bare, err := pgxpool.NewWithConfig(ctx, config.Copy())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(bare.Close)
	l, err := openLanes(ctx, config, acquireTimeout)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(l.Close)
	for name, acquire := range map[string]func(context.Context) (*pgxpool.Conn, error){"bare": bare.Acquire, "lane": l.Acquire} {
		b.Run("acquire/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c, err := acquire(ctx)
				if err != nil {
					b.Fatal(err)
				}
				c.Release()
			}
		})
	}
	for name, db := range map[string]querier{"bare": bare, "lane": l} {
		b.Run("statement/"+name, func(b *testing.B) {
			b.ReportAllocs()
			var n int
			for b.Loop() {
				if err := db.QueryRow(ctx, "SELECT 1").Scan(&n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
