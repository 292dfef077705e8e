package postgis_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// pastLayers are those that change at random: with drafts, with sites that operators stand
// on, with heights, with rows that are withheld, with areas that follow others, and one that
// is kept in another reference system.
var pastLayers = []string{"kiosks", "bts_sites", "operator_positions", "fibre_routes", "special_areas", "communes", "mast_zones", "grid"}

// register is a database that changes at random.
type register struct {
	s      *postgis.Store
	conn   *pgx.Conn
	layers []*layer.Layer
	codes  int
}

// table is what a layer holds: by id the row as text, and what revises itself apart.
type table struct {
	rows     map[int64]string
	revision map[int64]int64
}

func newRegister(t *testing.T) *register {
	s, _, url := open(t)
	d := schoolsAs("grid")
	d.StorageSRID = 3405
	publish(t, s, publishing(t, d, threeSchools))
	r := &register{s: s, conn: connect(t, url)}
	for _, name := range pastLayers {
		r.layers = append(r.layers, known(t, s, name))
	}
	return r
}

// clear begins anew.
func (r *register) clear(t *rapid.T) {
	for _, l := range r.layers {
		r.exec(t, "TRUNCATE "+l.Name)
	}
	r.exec(t, "TRUNCATE history")
	r.codes = 0
}

func (r *register) exec(t *rapid.T, sql string, args ...any) {
	t.Helper()
	if _, err := r.conn.Exec(context.Background(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// tables copies the layers, to the bit.
func (r *register) tables(t *rapid.T) map[string]table {
	copies := map[string]table{}
	for _, l := range r.layers {
		place := "geom"
		if l.StorageSRID() != layer.SRID {
			place = "geom_stored"
		}
		rows, err := r.conn.Query(context.Background(), fmt.Sprintf("SELECT id, revision, (to_jsonb(t) - '{geom,geom_stored,revision,updated_at}'::text[])::text || encode(ST_AsEWKB(%s), 'hex') FROM %s t", place, l.Name))
		if err != nil {
			t.Fatal(err)
		}
		of := table{map[int64]string{}, map[int64]int64{}}
		var id, revision int64
		var text string
		if _, err := pgx.ForEachRow(rows, []any{&id, &revision, &text}, func() error {
			of.rows[id], of.revision[id] = text, revision
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		copies[l.Name] = of
	}
	return copies
}

func rowsOf(copies map[string]table) map[string]map[int64]string {
	out := map[string]map[int64]string{}
	for name, of := range copies {
		out[name] = of.rows
	}
	return out
}

// served is what the store serves of the layers: as they are, or as they were known.
func (r *register) served(t *rapid.T, at time.Time) []string {
	var out []string
	for _, l := range r.layers {
		readers := []*layer.Layer{l}
		if l.StorageSRID() != layer.SRID {
			readers = append(readers, l.InStorage())
		}
		for _, l := range readers {
			if err := r.s.Features(context.Background(), officer(), l, layer.Query{KnownAt: at}, func(row *layer.Row) error {
				out = append(out, fmt.Sprintf("%s %d %d %x %q", l.Name, row.ID, row.Revision, row.Geometry, row.Values))
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

// period is the valid time of a row; to is "" for one that is open.
type period struct{ from, to string }

// periods are the valid times of all rows, by layer and id.
func (r *register) periods(t *rapid.T) map[string]map[int64]period {
	all := map[string]map[int64]period{}
	for _, l := range r.layers {
		of := map[int64]period{}
		rows, err := r.conn.Query(context.Background(), "SELECT id, valid_from::text, coalesce(valid_to::text, '') FROM "+l.Name)
		if err != nil {
			t.Fatal(err)
		}
		var id int64
		var p period
		if _, err := pgx.ForEachRow(rows, []any{&id, &p.from, &p.to}, func() error {
			of[id] = p
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		all[l.Name] = of
	}
	return all
}

// inForce is what the rows of a register say of a date, by nothing but what valid time means: half
// open, from the first day on.
func inForce(had map[string]map[int64]period, date string) []string {
	found := []string{}
	for name, of := range had {
		for id, p := range of {
			if p.from <= date && (p.to == "" || date < p.to) {
				found = append(found, fmt.Sprint(name, " ", id))
			}
		}
	}
	slices.Sort(found)
	return found
}

// inForce is what the store serves as in force on a date, as known at a time.
func (r *register) inForce(t *rapid.T, at time.Time, date string) []string {
	found := []string{}
	for _, l := range r.layers {
		if err := r.s.Features(context.Background(), officer(), l, layer.Query{KnownAt: at, Date: must(geo.ParseDate(date))}, func(row *layer.Row) error {
			found = append(found, fmt.Sprint(l.Name, " ", row.ID))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(found)
	return found
}

// moment is a time between two changes.
func (r *register) moment(t *rapid.T) time.Time {
	var at time.Time
	if err := r.conn.QueryRow(context.Background(), "SELECT clock_timestamp()").Scan(&at); err != nil {
		t.Fatal(err)
	}
	return at
}

// ids are those of a layer's rows, in order, so that a seed tells all.
func (r *register) ids(t *rapid.T, l *layer.Layer) []int64 {
	rows, err := r.conn.Query(context.Background(), "SELECT id FROM "+l.Name+" ORDER BY code, valid_from, id")
	if err != nil {
		t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// feature is a row of a layer: some codes come again, some rows are hidden.
func (r *register) feature(t *rapid.T, l *layer.Layer) layer.Feature {
	r.codes++
	f := layer.Feature{Properties: map[string]any{"code": fmt.Sprint("C", rapid.IntRange(1, 8).Draw(t, "code")), "valid_from": geo.Date{}, "jurisdiction": "11"}}
	f.Properties["valid_from"] = must(geo.ParseDate(rapid.SampledFrom([]string{"2015-01-01", "2018-01-01"}).Draw(t, "from")))
	if rapid.Bool().Draw(t, "ends") {
		f.Properties["valid_to"] = must(geo.ParseDate("2019-06-01"))
	}
	for i := range l.Fields {
		if field := &l.Fields[i]; field.Required && !field.ReadOnly && f.Properties[field.Name] == nil {
			f.Properties[field.Name] = "x"
			if len(field.Values) > 0 {
				f.Properties[field.Name] = field.Values[rapid.IntRange(0, len(field.Values)-1).Draw(t, field.Name)].Code
			}
			switch field.Kind {
			case layer.Integer:
				f.Properties[field.Name] = int64(1)
			case layer.Boolean:
				f.Properties[field.Name] = true
			}
		}
	}
	if l.Has("follows_commune") && rapid.Bool().Draw(t, "follows") {
		f.Properties["follows_commune"] = fmt.Sprint("C", rapid.IntRange(1, 8).Draw(t, "commune"))
	}
	if l.Has("site_code") {
		f.Properties["site_code"] = fmt.Sprint("C", rapid.IntRange(1, 8).Draw(t, "site"))
	}
	x := 103 + float64(rapid.IntRange(0, 9).Draw(t, "x"))/7
	switch {
	case l.HasZ:
		read, faults := formats.ReadFeature(fmt.Appendf(nil, `{"type":"Feature","properties":{},"geometry":{"type":"LineString","coordinates":[[%v,21.1,%v],[103.9,22,8]]}}`, x, float64(r.codes)/3), l, formats.ReadOptions{})
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		f.GeometryZ = read.GeometryZ
	case l.Geometry == layer.Point:
		f.Geometry = orb.Point{x, 21.1}
	default:
		f.Geometry = square(x, 21.1)
	}
	return f
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// change changes something in a request; what the register refuses changes nothing.
func (r *register) change(t *rapid.T, request string) {
	name, ctx := rapid.SampledFrom(pastLayers).Draw(t, "layer"), asking(request)
	l := r.layers[slices.Index(pastLayers, name)]
	ids := r.ids(t, l)
	what := rapid.SampledFrom([]string{"insert", "insert", "insert", "update", "update", "delete", "succeed", "sql", "truncate", "roll back"}).Draw(t, "what")
	if len(ids) == 0 || what == "insert" {
		_, err := r.s.CreateFeature(ctx, officer(), l, r.feature(t, l))
		r.refusable(t, err)
		return
	}
	id := rapid.SampledFrom(ids).Draw(t, "row")
	var err error
	switch what {
	case "update":
		f := r.feature(t, l)
		if rapid.Bool().Draw(t, "in part") {
			f = layer.Feature{Properties: map[string]any{"name": fmt.Sprint("Tên ", r.codes), "accuracy_m": float64(r.codes) / 7}}
		}
		_, err = r.s.UpdateFeature(ctx, officer(), l, id, f, 0, false)
	case "delete":
		err = r.s.DeleteFeature(ctx, officer(), l, id, 0)
	case "succeed":
		if l.StorageSRID() == layer.SRID {
			f := layer.Feature{Properties: map[string]any{"name": "kế tiếp"}}
			_, err = r.s.SucceedFeature(ctx, officer(), l, id, f, 0, false, must(geo.ParseDate(rapid.SampledFrom([]string{"2016-05-05", "2018-05-05"}).Draw(t, "on"))))
		}
	case "sql":
		err = r.byHand(t, request, l)
	case "roll back":
		err = r.sql(request, "SAVEPOINT s", "UPDATE "+l.Name+" SET name = 'never'", "DELETE FROM "+l.Name, "ROLLBACK TO s")
	default:
		err = r.sql(request, "TRUNCATE "+l.Name)
	}
	r.refusable(t, err)
}

// byHand changes rows of a layer by psql, several times over in one transaction.
func (r *register) byHand(t *rapid.T, request string, l *layer.Layer) error {
	place := "geom"
	if l.StorageSRID() != layer.SRID {
		place = "geom_stored"
	}
	shift := fmt.Sprintf("UPDATE %s SET %s = ST_Translate(%[2]s, 0.013, 0.007)", l.Name, place)
	if l.HasZ {
		shift = "UPDATE " + l.Name + " SET geom = ST_Translate(geom, 0.013, 0.007, 1.0 / 3)"
	}
	return r.sql(request, rapid.SliceOfN(rapid.SampledFrom([]string{
		shift, "UPDATE " + l.Name + " SET name = coalesce(name, '') || '+'",
		"UPDATE " + l.Name + " SET code = CASE code WHEN 'C1' THEN 'C2' WHEN 'C2' THEN 'C3' WHEN 'C3' THEN 'C1' ELSE code END",
		"UPDATE " + l.Name + " SET valid_to = valid_from + 30 WHERE id % 2 = 0", "DELETE FROM " + l.Name + " WHERE id % 3 = 0",
	}), 1, 4).Draw(t, "statements")...)
}

func (r *register) sql(request string, statements ...string) error {
	return pgx.BeginFunc(context.Background(), r.conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(context.Background(), "SELECT set_config('hatang.request', $1, true)", request)
		for _, sql := range statements {
			if err == nil {
				_, err = tx.Exec(context.Background(), sql)
			}
		}
		return err
	})
}

// refusable fails the test on an error that is not the register's refusal.
func (r *register) refusable(t *rapid.T, err error) {
	t.Helper()
	var invalid *layer.InvalidError
	if err != nil && !errors.Is(err, layer.ErrConflict) && !errors.As(err, &invalid) && !slices.Contains([]string{"23P01", "23503", "23514"}, code(err)) {
		t.Fatal(err)
	}
}
