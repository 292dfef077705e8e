package postgis_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// version is what the tests look at of a row.
type version struct {
	ID       int64
	From, To string
	Name     string
	Height   float64
	Contact  string
	Revision int64
	X        float64
}

func versionsOfSite(t *testing.T, conn *pgx.Conn, code string) []version {
	t.Helper()
	rows, err := conn.Query(context.Background(), `SELECT id, valid_from::text, coalesce(valid_to::text, ''), coalesce(name, ''), coalesce(height_m, 0), coalesce(contact, ''), revision, ST_X(geom)
		FROM bts_sites WHERE code = $1 ORDER BY valid_from`, code)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[version])
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// newSite makes a site in force since 2015 with a contact, of VNPT.
func newSite(t *testing.T, s *postgis.Store, l *layer.Layer, code string) int64 {
	t.Helper()
	f := sample(t, l, code)
	f.Properties["valid_from"], f.Properties["valid_to"] = day(t, "2015-01-01"), nil
	f.Properties["name"], f.Properties["height_m"], f.Properties["contact"], f.Properties["owner_organisation"], f.Geometry = "cũ", 40.0, "Lan", "VNPT", orb.Point{103, 21}
	return create(t, s, l, f)
}

func succeed(s *postgis.Store, v account.Viewer, l *layer.Layer, id int64, f layer.Feature, t *testing.T, date string) (int64, error) {
	return s.SucceedFeature(context.Background(), v, l, id, f, 0, false, day(t, date))
}

// A change in force closes a row and opens the next; the history has both, and who.
func TestAChangeInForce(t *testing.T) {
	s, layers, url := open(t)
	ctx := context.Background()
	conn := connect(t, url)
	sites := get(t, layers, "bts_sites")
	id := newSite(t, s, sites, "A")
	next, err := succeed(s, officer(), sites, id, layer.Feature{Properties: map[string]any{"height_m": 55.0, "name": nil, "valid_from": day(t, "2015-01-01")}}, t, "2019-05-06")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]version{{id, "2015-01-01", "2019-05-06", "cũ", 40, "Lan", 2, 103}, {next, "2019-05-06", "", "", 55, "Lan", 1, 103}}, versionsOfSite(t, conn, "A")); d != "" {
		t.Error(d)
	}
	// As a whole: what is not given is not there.
	whole := sample(t, sites, "A")
	whole.Properties["valid_from"], whole.Properties["valid_to"], whole.Properties["height_m"], whole.Geometry = day(t, "2020-02-03"), nil, 60.0, orb.Point{104, 22}
	delete(whole.Properties, "contact")
	delete(whole.Properties, "name")
	third, err := s.SucceedFeature(ctx, officer(), sites, next, whole, 1, true, day(t, "2020-02-03"))
	if err != nil {
		t.Fatal(err)
	}
	got := versionsOfSite(t, conn, "A")
	if d := cmp.Diff(version{third, "2020-02-03", "", "", 60, "", 1, 104}, got[2]); d != "" || got[1].To != "2020-02-03" {
		t.Errorf("%+v: %s", got[1], d)
	}
	// Of one that is closed already, the part within.
	middle, err := succeed(s, officer(), sites, next, layer.Feature{Properties: map[string]any{"name": "giữa"}}, t, "2019-12-01")
	if err != nil {
		t.Fatal(err)
	}
	if got = versionsOfSite(t, conn, "A"); len(got) != 4 || got[2] != (version{middle, "2019-12-01", "2020-02-03", "giữa", 55, "Lan", 1, 103}) {
		t.Errorf("%+v", got)
	}
	var operations []string
	for _, e := range history(t, conn, "bts_sites") {
		operations = append(operations, e.Operation+" "+e.Who)
	}
	if d := cmp.Diff([]string{"insert key:lan", "update key:lan", "insert key:lan", "update key:lan", "insert key:lan", "update key:lan", "insert key:lan"}, operations); d != "" {
		t.Error(d)
	}
}

func TestChangesInForceThatAreRefused(t *testing.T) {
	s, layers, url := open(t)
	ctx := context.Background()
	conn := connect(t, url)
	sites := get(t, layers, "bts_sites")
	id := newSite(t, s, sites, "A")
	if _, err := succeed(s, officer(), sites, id, layer.Feature{}, t, "2018-01-01"); err != nil {
		t.Fatal(err)
	}
	before := versionsOfSite(t, conn, "A")
	for name, tt := range map[string]struct {
		date       string
		properties map[string]any
		at         []string
	}{
		"the first day":         {"2015-01-01", nil, []string{"in_force"}},
		"before it":             {"2014-06-01", nil, []string{"in_force"}},
		"the end":               {"2018-01-01", nil, []string{"in_force"}},
		"behind it":             {"2019-01-01", nil, []string{"in_force"}},
		"another code":          {"2016-01-01", map[string]any{"code": "B"}, []string{"/properties/code"}},
		"another first day":     {"2016-01-01", map[string]any{"valid_from": day(t, "2016-01-02")}, []string{"/properties/valid_from"}},
		"an end before it":      {"2016-01-01", map[string]any{"valid_to": day(t, "2015-12-31")}, []string{"/properties/valid_to"}},
		"everything is wrong":   {"2010-01-01", map[string]any{"code": "B", "valid_from": day(t, "2016-01-02"), "valid_to": day(t, "2009-01-01")}, []string{"in_force", "/properties/code", "/properties/valid_from", "/properties/valid_to"}},
		"a value out of bounds": {"2016-01-01", map[string]any{"height_m": -5.0}, []string{"/properties"}},
	} {
		_, err := succeed(s, officer(), sites, id, layer.Feature{Properties: tt.properties}, t, tt.date)
		var invalid *layer.InvalidError
		if !errors.As(err, &invalid) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var at []string
		for _, f := range invalid.Faults {
			at = append(at, f.At)
		}
		if d := cmp.Diff(tt.at, at); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	// It would lie over the version that follows.
	if _, err := succeed(s, officer(), sites, id, layer.Feature{Properties: map[string]any{"valid_to": nil}}, t, "2016-01-01"); !errors.Is(err, layer.ErrConflict) {
		t.Errorf("an end behind the next version's first day: %v", err)
	}
	if _, err := s.SucceedFeature(ctx, officer(), sites, id, layer.Feature{}, 1, false, day(t, "2016-01-01")); !errors.Is(err, layer.ErrStale) {
		t.Errorf("an old revision: %v", err)
	}
	if _, err := succeed(s, officer(), sites, 1<<47, layer.Feature{}, t, "2016-01-01"); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("nobody's id: %v", err)
	}
	if d := cmp.Diff(before, versionsOfSite(t, conn, "A")); d != "" {
		t.Errorf("something was written nevertheless: %s", d)
	}
}

func TestWhoMakesChangesInForce(t *testing.T) {
	s, layers, _ := open(t)
	sites, districts := get(t, layers, "bts_sites"), get(t, layers, "districts")
	unit := sample(t, districts, "094")
	unit.Geometry = box(102.5, 20.5, 1)
	create(t, s, districts, unit)
	local := member("", account.Grant{Role: account.Officer, Territory: "094"})
	published := newSite(t, s, sites, "P")
	draft := draftOf(t, s, sites, "VNPT", "D", orb.Point{103, 21})
	from := "2020-12-30" // samples begin before
	away := layer.Feature{Geometry: orb.Point{106, 10}}
	for _, tt := range []struct {
		name string
		v    account.Viewer
		id   int64
		f    layer.Feature
		want error
	}{
		{"the public", account.Anonymous(), published, layer.Feature{}, layer.ErrForbidden},
		{"an operator, what is published", operatorOf("VNPT"), published, layer.Feature{}, layer.ErrForbidden},
		{"a rival, a draft", operatorOf("VIETTEL"), draft, layer.Feature{}, layer.ErrNotFound},
		{"the owner, to publish it", operatorOf("VNPT"), draft, layer.Feature{Properties: map[string]any{"status": "existing"}}, layer.ErrForbidden},
		{"the owner, to give it away", operatorOf("VNPT"), draft, layer.Feature{Properties: map[string]any{"owner_organisation": "VIETTEL"}}, layer.ErrForbidden},
		{"an officer of the district, out of it", local, published, away, layer.ErrForbidden},
		{"the owner, a draft", operatorOf("VNPT"), draft, away, nil},
		{"an officer of the district", local, published, layer.Feature{}, nil},
	} {
		if _, err := succeed(s, tt.v, sites, tt.id, tt.f, t, from); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

// Every layer takes a change in force: values of every kind, heights, areas.
func TestChangesInForceOfEveryLayer(t *testing.T) {
	s, layers, _ := open(t)
	ctx := context.Background()
	for _, l := range layers.All() {
		want := sample(t, l, "Đ-1")
		want.Properties["valid_from"], want.Properties["valid_to"] = day(t, "2015-01-01"), nil
		id := create(t, s, l, want)
		next, err := succeed(s, officer(), l, id, layer.Feature{Properties: map[string]any{"name": "Tên mới"}}, t, "2019-05-06")
		if err != nil {
			t.Errorf("%s: %v", l.Name, err)
			continue
		}
		want.Properties["name"], want.Properties["valid_from"] = "Tên mới", day(t, "2019-05-06")
		row, err := s.Feature(ctx, officer(), l, next)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, l, row, want)
		third, err := s.SucceedFeature(ctx, officer(), l, next, want, 0, true, day(t, "2020-05-06"))
		if err != nil {
			t.Errorf("%s, as a whole: %v", l.Name, err)
			continue
		}
		if row, err = s.Feature(ctx, officer(), l, third); err != nil {
			t.Fatal(err)
		}
		want.Properties["valid_from"] = day(t, "2020-05-06")
		compare(t, l, row, want)
	}
}

// A boolean that must be there is false where nobody says: QGIS sends null for what was
// not filled in.
func TestBooleansThatNobodyFills(t *testing.T) {
	s, layers, url := open(t)
	ctx := context.Background()
	conn := connect(t, url)
	sites := get(t, layers, "bts_sites")
	f := sample(t, sites, "A")
	f.Properties["illustrative"] = nil
	id := create(t, s, sites, f)
	is := func(want bool) {
		t.Helper()
		if got := scalar[bool](t, conn, "SELECT illustrative FROM bts_sites WHERE id = $1", id); got != want {
			t.Errorf("illustrative is %v", got)
		}
	}
	set := func(value any, given, replace bool) {
		t.Helper()
		next := layer.Feature{Properties: map[string]any{}}
		if replace {
			next = sample(t, sites, "A")
			delete(next.Properties, "illustrative")
		}
		if given {
			next.Properties["illustrative"] = value
		}
		if _, err := s.UpdateFeature(ctx, officer(), sites, id, next, 0, replace); err != nil {
			t.Fatal(err)
		}
	}
	is(false)
	set(true, true, false)
	is(true)
	set(nil, false, false)
	is(true)
	set(nil, true, false)
	is(false)
	set(true, true, true)
	is(true)
	set(nil, false, true)
	is(false)
}
