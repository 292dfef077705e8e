package postgis_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/postgis"
)

// guard has a function called on every row that a role without the owner's rights looks at.
func guard(t *testing.T, conn *pgx.Conn, body string, tables ...string) {
	t.Helper()
	run(t, conn, "CREATE FUNCTION looked() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN "+body+" RETURN true; END $$")
	for _, table := range tables {
		run(t, conn, "ALTER TABLE "+table+" ENABLE ROW LEVEL SECURITY")
		run(t, conn, "CREATE POLICY looked ON "+table+" USING (looked()) WITH CHECK (true)")
	}
}

// Each kind of work has the limits that the table says, and the pages that are at the edge
// of two limits have each their own.
func TestEveryWorkHasItsLimits(t *testing.T) {
	s, layers, url := open(t)
	kiosks, sites, districts := get(t, layers, "kiosks"), get(t, layers, "bts_sites"), get(t, layers, "districts")
	here := orb.Point{103.02, 21.38}
	site := sample(t, sites, "S")
	site.Geometry = here
	for _, f := range []struct {
		l *layer.Layer
		f layer.Feature
	}{{kiosks, sample(t, kiosks, "K")}, {sites, site}, {districts, sample(t, districts, "D")}} {
		create(t, s, f.l, f.f)
	}
	conn := connect(t, url)
	guard(t, conn, `RAISE EXCEPTION 'within % % %', current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout');`, "kiosks", "bts_sites")
	date := day(t, "2020-12-31")
	reach := func([]permit.RuleSet) (float64, error) { return 1000, nil }
	asked := func(points ...orb.Point) permit.Asked {
		return permit.Asked{Viewer: officer(), Date: date, Points: points, ReachM: reach}
	}
	page := func(limit int) func(context.Context, *postgis.Store) error {
		return func(ctx context.Context, s *postgis.Store) error {
			return s.Features(ctx, officer(), kiosks, layer.Query{Limit: limit}, func(*layer.Row) error { return nil })
		}
	}
	facts := func(a permit.Asked) func(context.Context, *postgis.Store) error {
		return func(ctx context.Context, s *postgis.Store) error { _, err := s.Facts(ctx, a); return err }
	}
	replay := asked(here)
	replay.KnownAt = time.Now()
	terminal, err := postgis.OpenWithin(t.Context(), url, layers, postgis.TerminalLimits())
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	for _, tt := range []struct {
		name, want, atTheTerminal string
		work                      func(context.Context, *postgis.Store) error
	}{
		{"a count", "10s 2s 15s", "10min 2s 10min", func(ctx context.Context, s *postgis.Store) error {
			_, err := s.CountFeatures(ctx, officer(), kiosks, layer.Query{})
			return err
		}},
		{"a write", "10s 2s 15s", "10min 2s 10min", func(ctx context.Context, s *postgis.Store) error {
			return s.DeleteFeature(ctx, officer(), kiosks, 1, 0)
		}},
		{"a page that is held", "10s 2s 15s", "10min 2s 10min", page(2000)},
		{"a longer page", "1min 2s 15s", "10min 2s 10min", page(2001)},
		{"a whole layer", "5min 2s 15s", "10min 2s 10min", page(0)},
		{"one place", "10s 2s 15s", "10min 2s 10min", facts(asked(here))},
		{"two places", "1min 2s 15s", "10min 2s 10min", facts(asked(here, here))},
		{"a place in the past", "1min 2s 15s", "10min 2s 10min", facts(replay)},
		{"the whole register", "2min 2s 15s", "10min 2s 10min", facts(asked())},
		{"indicators", "1min 2s 15s", "10min 2s 10min", func(ctx context.Context, s *postgis.Store) error {
			_, err := s.UnitFacts(ctx, officer(), "district", "", date)
			return err
		}},
		{"an import", "10min 2s 10min", "10min 2s 10min", func(ctx context.Context, s *postgis.Store) error {
			_, err := s.Import(ctx, officer(), kiosks, correction(t), func(add func(postgis.Incoming) error) error {
				return add(incoming(1, kiosks, map[string]any{"code": "K", "name": "x"}))
			})
			return err
		}},
	} {
		for store, want := range map[*postgis.Store]string{s: tt.want, terminal: tt.atTheTerminal} {
			if err := patiently(func() error { return tt.work(t.Context(), store) }); err == nil || !strings.Contains(err.Error(), "within "+want) {
				t.Errorf("%s: %v, want it within %s", tt.name, err, want)
			}
		}
	}
	// What had a limit of its own leaves the next work on its connection with the usual one.
	for range 16 {
		if err := page(2000)(t.Context(), s); err == nil || !strings.Contains(err.Error(), "within 10s 2s 15s") {
			t.Fatalf("afterwards: %v", err)
		}
	}
}

// The limits end the work, and it is said why.
func TestAStatementOverItsLimitIsEnded(t *testing.T) {
	s, layers, url := open(t)
	l := get(t, layers, "kiosks")
	create(t, s, l, sample(t, l, "K"))
	conn := connect(t, url)
	guard(t, conn, "PERFORM pg_sleep(600);", "kiosks")
	limits := postgis.RequestLimits()
	limits.Statement = 50 * time.Millisecond
	hurried, err := postgis.OpenWithin(t.Context(), url, layers, limits)
	if err != nil {
		t.Fatal(err)
	}
	defer hurried.Close()
	if _, err := hurried.CountFeatures(t.Context(), officer(), l, layer.Query{}); !errors.Is(err, layer.ErrTimeout) {
		t.Errorf("a statement of ten minutes: %v", err)
	}
}

// A change of the schema gives up where it cannot have a table, instead of having all
// others wait behind it.
func TestAMigrationDoesNotWaitForALock(t *testing.T) {
	_, layers, url := open(t)
	conn := connect(t, url)
	run(t, conn, "BEGIN")
	run(t, conn, "LOCK TABLE goose_db_version")
	if err := postgis.Migrate(t.Context(), url, layers); code(err) != "55P03" {
		t.Errorf("with its table taken: %v", err)
	}
	run(t, conn, "ROLLBACK")
	if err := postgis.Migrate(t.Context(), url, layers); err != nil {
		t.Errorf("again: %v", err)
	}
}
