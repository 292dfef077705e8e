package plan_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/plan"
	"hatang/internal/postgis"
	"hatang/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// loaded is a pack in a database, with what answers from it.
type loaded struct {
	pack     *plan.Pack
	store    *postgis.Store
	layers   *layer.Registry
	measurer *plan.Measurer
	ledger   *plan.Ledger
	conn     *pgx.Conn // of the owner, as psql would be
}

func officer() account.Viewer { return account.Holder("key:lan", account.Officer) }

func day(t testing.TB, s string) geo.Date {
	t.Helper()
	d, err := geo.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func demo(t testing.TB) *plan.Pack {
	t.Helper()
	files, err := plan.DienBien()
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Parse(files)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func invented(t testing.TB) *plan.Pack {
	t.Helper()
	p, err := plan.Parse(os.DirFS("testdata/packs/song-lam"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// readFile reads the features of one file of a pack.
func readFile(file plan.LayerFile, l *layer.Layer, add func(postgis.Incoming) error) (err error) {
	in, err := file.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	return formats.ReadGeoJSON(in, l, nil, func(r formats.Record) error {
		return add(postgis.Incoming{Row: r.Row, Feature: r.Feature, Faults: r.Faults})
	})
}

// TestPacksBringTheirCalendar: days off and periods are those of the pack, and those by
// default that it does not name.
func TestPacksBringTheirCalendar(t *testing.T) {
	l := load(t, invented(t))
	var settings []byte
	if err := l.conn.QueryRow(t.Context(), "SELECT settings || jsonb_build_object('days', (SELECT jsonb_object_agg(day, working) FROM calendar_days), 'years', (SELECT jsonb_agg(year) FROM calendar_years)) FROM plans").Scan(&settings); err != nil {
		t.Fatal(err)
	}
	c, err := permit.ParseCalendar(settings)
	want := permit.DefaultPeriods()
	want.DecideDays, want.ConsultDays = 10, 15
	if got := c.Due(permit.Filed, permit.FileAction, geo.NewDate(2031, 1, 31)); err != nil || c.Periods != want || got != geo.NewDate(2031, 2, 13) || len(c.Years) != 1 || c.Years[0] != 2031 {
		t.Errorf("%+v, due on %s: %v", c, got, err)
	}
}

// migrated returns a database of the test's own with nothing in it but the schema.
var migrated = testdb.Once(func(ctx context.Context, url string) error {
	layers, err := layer.Layers()
	if err != nil {
		return err
	}
	return postgis.Migrate(ctx, url, layers)
})

// load puts a pack, or none when it is nil, into a database of its own.
func load(t testing.TB, p *plan.Pack) *loaded {
	t.Helper()
	ctx := context.Background()
	layers, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	url := migrated(t)
	admin, err := postgis.OpenAdmin(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close(ctx) })
	if p != nil {
		if _, err := admin.LoadPack(ctx, p, layers, readFile, func(string, int) {}); err != nil {
			t.Fatal(err)
		}
	}
	store, err := postgis.Open(ctx, url, layers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(ctx) })
	measurer := plan.NewMeasurer(store, permit.NewChecker(store))
	return &loaded{p, store, layers, measurer, plan.NewLedger(store, measurer), conn}
}

func (l *loaded) units(t testing.TB, level, code, date string) []plan.UnitFigures {
	t.Helper()
	units, err := l.measurer.Units(context.Background(), officer(), level, code, day(t, date))
	if err != nil {
		t.Fatalf("%s %s: %v", level, code, err)
	}
	return units
}

func (l *loaded) run(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := l.conn.Exec(context.Background(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// find returns the figure that a key names: id, of, operator, basis, stage, phase.
func find(t testing.TB, u plan.UnitFigures, key [6]string) plan.Figure {
	t.Helper()
	for _, f := range u.Indicators {
		operator := ""
		if f.Operator != nil {
			operator = *f.Operator
		}
		if [6]string{f.ID, f.Of, operator, f.Basis, f.Stage, f.Phase} == key {
			return f
		}
	}
	t.Fatalf("unit %s has no figure %q", u.Unit.Code, key)
	return plan.Figure{}
}

func radius(of, operator, basis, stage string) [6]string {
	return [6]string{"mean_service_radius_m", of, operator, basis, stage, ""}
}

func (l *loaded) checker() *permit.Checker { return permit.NewChecker(l.store) }
