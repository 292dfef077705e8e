package postgis_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// reverting reverts, and says what was done: "inserted updated deleted unchanged" of each layer.
func reverting(t testing.TB, s *postgis.Store, v account.Viewer, q layer.HistoryQuery) string {
	t.Helper()
	done, err := s.Revert(asking("revert"), v, q, false)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, l := range done.Layers {
		fmt.Fprintf(&b, "%s %d %d %d %d\n", l.Layer.Name, l.Inserted, l.Updated, l.Deleted, l.Unchanged)
	}
	for _, r := range done.Rows {
		fmt.Fprintf(&b, "%s %s\n", r.Operation, r.Code)
	}
	return b.String()
}

// kioskNames is the names of kiosks by code.
func kioskNames(t testing.TB, conn *pgx.Conn) string {
	t.Helper()
	return scalar[string](t, conn, `SELECT coalesce(string_agg(code || '=' || coalesce(name, '-'), ' ' ORDER BY code, id), '') FROM kiosks`)
}

func TestRevertTakesBackWhatIsSelected(t *testing.T) {
	s, layers, url := open(t)
	conn := connect(t, url)
	kiosks, roads := get(t, layers, "kiosks"), get(t, layers, "roads")
	both := []*layer.Layer{kiosks, roads}
	moment := func() time.Time { return scalar[time.Time](t, conn, "SELECT clock_timestamp()") }
	ids := map[string]int64{}
	for _, code := range []string{"A", "B", "C"} {
		f := sample(t, kiosks, code)
		f.Properties["name"] = "1"
		ids[code] = create(t, s, kiosks, f)
	}
	start := moment()
	change(t, s, officer(), kiosks, ids["A"], "r1", "name", "2")
	afterFirst := moment()
	change(t, s, account.Holder("person:binh", account.Officer), kiosks, ids["B"], "r2", "name", "2")
	if err := s.DeleteFeature(asking("r3"), officer(), kiosks, ids["C"], 0); err != nil {
		t.Fatal(err)
	}
	f := sample(t, kiosks, "D")
	f.Properties["name"] = "1"
	if _, err := s.CreateFeature(asking("r3"), officer(), kiosks, f); err != nil {
		t.Fatal(err)
	}
	create(t, s, roads, sample(t, roads, "R"))
	end := moment()
	for _, tt := range []struct {
		name         string
		q            layer.HistoryQuery
		done, become string
	}{
		{"a request", layer.HistoryQuery{Layers: both, Request: "r3"}, "kiosks 1 0 1 0\n", "A=2 B=2 C=1"},
		{"a person's work", layer.HistoryQuery{Layers: both[:1], From: start, Until: end, Who: "person:binh"}, "kiosks 0 1 0 0\n", "A=2 B=1 D=1"},
		{"a day of a layer", layer.HistoryQuery{Layers: both[:1], From: start, Until: end}, "kiosks 1 2 1 0\n", "A=1 B=1 C=1"},
		{"part of a day", layer.HistoryQuery{Layers: both[:1], From: start, Until: afterFirst}, "kiosks 0 1 0 0\n", "A=1 B=2 D=1"},
		{"a row since a time", layer.HistoryQuery{Layers: both[:1], Feature: ids["A"], From: start}, "kiosks 0 1 0 0\n", "A=1 B=2 D=1"},
	} {
		const was = "A=2 B=2 D=1"
		if got := kioskNames(t, conn); got != was {
			t.Fatalf("before %s: %s", tt.name, got)
		}
		version := layerVersion(t, s, "kiosks")
		if got := reverting(t, s, officer(), tt.q); !strings.HasPrefix(got, tt.done) {
			t.Errorf("%s: %s", tt.name, got)
		}
		if got := kioskNames(t, conn); got != tt.become || layerVersion(t, s, "kiosks") != version+1 {
			t.Errorf("%s: %s", tt.name, got)
		}
		if n := scalar[int64](t, conn, "SELECT count(*) FROM history WHERE request = 'revert' AND who = 'key:lan'"); n == 0 {
			t.Errorf("%s is not in the history", tt.name)
		}
		reverting(t, s, officer(), layer.HistoryQuery{Layers: both, Request: "revert"})
		run(t, conn, "DELETE FROM history WHERE request = 'revert'")
	}
	if got := scalar[int64](t, conn, "SELECT count(*) FROM roads"); got != 1 {
		t.Errorf("%d roads", got)
	}
	for name, q := range map[string]layer.HistoryQuery{
		"no layer": {Request: "r1"}, "nobody's request": {Layers: both, Request: "r9"}, "a time before": {Layers: both, Until: start.Add(-time.Hour)},
	} {
		if _, err := s.Revert(context.Background(), officer(), q, false); !errors.Is(err, layer.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func layerVersion(t testing.TB, s *postgis.Store, name string) int64 {
	t.Helper()
	versions, err := s.LayerVersions(context.Background(), officer())
	if err != nil {
		t.Fatal(err)
	}
	return versions[name]
}

// Rows that were changed after by anything that is not selected are all named, and nothing is
// changed.
func TestRevertNamesEveryRowThatWasChangedLater(t *testing.T) {
	s, layers, url := open(t)
	conn := connect(t, url)
	run(t, conn, "SET hatang.request = 'import'")
	run(t, conn, `INSERT INTO kiosks (code, name, valid_from, jurisdiction, status, geom) SELECT 'C' || i, '1', '2015-01-01', '11', 'existing', 'SRID=4326;POINT(103 21)' FROM generate_series(1, 1500) i`)
	run(t, conn, "SET hatang.request = 'later'")
	run(t, conn, "UPDATE kiosks SET name = '2' WHERE id BETWEEN 2 AND 3")
	run(t, conn, "DELETE FROM kiosks WHERE id = 4")
	run(t, conn, "SET hatang.request = ''")
	run(t, conn, "UPDATE kiosks SET name = '3' WHERE id IN (3, 9)")
	kiosks := []*layer.Layer{get(t, layers, "kiosks")}
	before := kioskNames(t, conn)
	named := func() string {
		_, err := s.Revert(asking("x"), officer(), layer.HistoryQuery{Layers: kiosks, Request: "import"}, true)
		var overtaken *layer.OvertakenError
		if !errors.As(err, &overtaken) || !errors.Is(err, layer.ErrConflict) {
			t.Fatal(err)
		}
		list := []string{fmt.Sprint(overtaken.Count)}
		for _, r := range overtaken.Rows[:min(len(overtaken.Rows), 5)] {
			list = append(list, fmt.Sprint(r.FeatureID, r.Code, r.Request))
		}
		return strings.Join(append(list, fmt.Sprint(len(overtaken.Rows))), " ")
	}
	if got := named(); got != "4 2C2later 3C3later 4C4later 9C9 4" {
		t.Errorf("named %s", got)
	}
	run(t, conn, "UPDATE kiosks SET phase = 'P1'")
	if got := named(); got != "1500 1C1 2C2later 3C3later 4C4later 5C5 1000" {
		t.Errorf("named %s", got)
	}
	if got := kioskNames(t, conn); got != before {
		t.Error("something was changed")
	}
}

// What rows were may be taken by others meanwhile; then nothing is changed.
func TestRevertYieldsToRowsThatHaveTakenTheCode(t *testing.T) {
	s, layers, url := open(t)
	conn := connect(t, url)
	kiosks := get(t, layers, "kiosks")
	id := create(t, s, kiosks, sample(t, kiosks, "A"))
	if err := s.DeleteFeature(asking("r1"), officer(), kiosks, id, 0); err != nil {
		t.Fatal(err)
	}
	create(t, s, kiosks, sample(t, kiosks, "A"))
	if _, err := s.Revert(asking("x"), officer(), layer.HistoryQuery{Layers: []*layer.Layer{kiosks}, Request: "r1"}, false); !errors.Is(err, layer.ErrConflict) {
		t.Error(err)
	}
	if n := scalar[int64](t, conn, "SELECT count(*) FROM kiosks"); n != 1 {
		t.Errorf("%d rows", n)
	}
}

// Only staff revert, within what their roles write, and as far as they see.
func TestRevertWritesWhatItsViewerMayWrite(t *testing.T) {
	s, layers, url := open(t)
	conn := connect(t, url)
	districts, sites, roads := get(t, layers, "districts"), get(t, layers, "bts_sites"), get(t, layers, "roads")
	inside := map[string]orb.Point{"094": {103.5, 21.5}, "095": {105.5, 21.5}}
	for code, x := range map[string]float64{"094": 103, "095": 105} {
		f := sample(t, districts, code)
		f.Geometry = box(x, 21, 1)
		create(t, s, districts, f)
	}
	row := func(request, code, status, district string) int64 {
		f := sample(t, sites, code)
		f.Properties["status"], f.Properties["owner_organisation"], f.Geometry = status, "VNPT", inside[district]
		id, err := s.CreateFeature(asking(request), officer(), sites, f)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	row("here", "H", "existing", "094")
	row("hidden too", "T", "existing", "094")
	row("hidden too", "U", "draft", "095")
	row("far too", "F", "existing", "094")
	row("far too", "G", "existing", "095")
	moved := row("", "M", "existing", "095")
	change(t, s, officer(), sites, moved, "moved", "geom", inside["094"])
	if _, err := s.CreateFeature(asking("of two layers"), officer(), roads, sample(t, roads, "R")); err != nil {
		t.Fatal(err)
	}
	row("of two layers", "2", "existing", "094")
	row("draft", "V", "draft", "094")
	district, ofSites := account.Grant{Role: account.Officer, Territory: "094"}, account.Grant{Role: account.Officer, Layers: []string{"bts_sites"}}
	for _, tt := range []struct {
		name    string
		v       account.Viewer
		request string
		want    error
		left    string // rows that are not reverted
	}{
		{"the public", account.Anonymous(), "here", layer.ErrNotFound, "H"},
		{"an operator", operatorOf("VNPT"), "draft", layer.ErrForbidden, "V"},
		{"an approver", member("", account.Grant{Role: account.Approver}), "here", layer.ErrForbidden, "H"},
		{"an officer of roads", member("", account.Grant{Role: account.Officer, Layers: []string{"roads"}}), "here", layer.ErrNotFound, "H"},
		{"an officer of 094", member("", district), "here", nil, ""},
		{"an officer of 094, of rows elsewhere, too", member("", district), "far too", layer.ErrForbidden, "F G"},
		{"an officer of 094, of a row that came from elsewhere", member("", district), "moved", layer.ErrForbidden, "M"},
		{"an officer of 094, of a draft elsewhere, too", member("", district), "hidden too", nil, "U"},
		{"an officer of sites, of a road, too", member("", ofSites), "of two layers", nil, "R"},
		{"an officer", officer(), "of two layers", nil, ""},
	} {
		_, err := s.Revert(asking("back"), tt.v, layer.HistoryQuery{Layers: layers.All(), Request: tt.request}, false)
		if !errors.Is(err, tt.want) || (tt.want == nil) != (err == nil) {
			t.Errorf("%s: %v", tt.name, err)
		}
		const left = `SELECT coalesce(string_agg(code, ' ' ORDER BY code), '') FROM (SELECT id, code, 'bts_sites' AS layer FROM bts_sites UNION ALL SELECT id, code, 'roads' FROM roads) r
			WHERE EXISTS (SELECT FROM history h WHERE h.layer = r.layer AND h.feature_id = r.id AND h.request = $1)`
		if got := scalar[string](t, conn, left, tt.request); got != tt.left {
			t.Errorf("%s: left are %q, want %q", tt.name, got, tt.left)
		}
		if err == nil && tt.request != "of two layers" || tt.name == "an officer of sites, of a road, too" {
			reverting(t, s, officer(), layer.HistoryQuery{Layers: layers.All(), Request: "back"})
			run(t, conn, "DELETE FROM history WHERE request IN ('back', 'revert')")
		}
	}
}

// An import of positions and of the sites they stand on is reverted whole: rows that others
// hold on to wait for these.
func TestRevertOfRowsThatHoldOnToEachOther(t *testing.T) {
	s, layers, url := open(t)
	conn := connect(t, url)
	run(t, conn, "SET hatang.request = 'import'")
	run(t, conn, "BEGIN")
	run(t, conn, `INSERT INTO bts_sites (mast_type, code, valid_from, jurisdiction, status, geom) SELECT 'A1a', 'S' || i, '2015-01-01', '11', 'existing', 'SRID=4326;POINT(103 21)' FROM generate_series(1, 5) i`)
	run(t, conn, `INSERT INTO operator_positions (code, valid_from, jurisdiction, status, site_code, operator, geom) SELECT 'P' || i, '2015-01-01', '11', 'existing', 'S' || i, 'VNPT', 'SRID=4326;POINT(103 21)' FROM generate_series(1, 5) i`)
	run(t, conn, "COMMIT")
	all := layers.All()
	if got := reverting(t, s, officer(), layer.HistoryQuery{Layers: all, Request: "import"}); !strings.HasPrefix(got, "bts_sites 0 0 5 0\noperator_positions 0 0 5 0\n") {
		t.Error(got)
	}
	slices.Reverse(all)
	if got := reverting(t, s, officer(), layer.HistoryQuery{Layers: all, Request: "revert"}); !strings.HasPrefix(got, "operator_positions 5 0 0 0\nbts_sites 5 0 0 0\n") {
		t.Error(got)
	}
	// A position that stays holds its site.
	run(t, conn, "SET hatang.request = 'one more'")
	run(t, conn, `INSERT INTO bts_sites (mast_type, code, valid_from, jurisdiction, status, geom) VALUES ('A1a', 'S6', '2015-01-01', '11', 'existing', 'SRID=4326;POINT(103 21)')`)
	run(t, conn, "SET hatang.request = 'later'")
	run(t, conn, `UPDATE operator_positions SET site_code = 'S6' WHERE code = 'P1'`)
	if _, err := s.Revert(asking("x"), officer(), layer.HistoryQuery{Layers: all, Request: "one more"}, false); !errors.Is(err, layer.ErrConflict) {
		t.Error(err)
	}
}

// Ids that were scattered come back though what they were made of has changed, and records
// of before images had the geometry as it is kept bring back the one that they have.
func TestRevertOfIdsAndImagesOfBefore(t *testing.T) {
	s, layers, url := open(t)
	conn := connect(t, url)
	areas := get(t, layers, "special_areas")
	id := create(t, s, areas, sample(t, areas, "A"))
	change(t, s, officer(), areas, id, "", "code", "B")
	if err := s.DeleteFeature(asking("r"), officer(), areas, id, 0); err != nil {
		t.Fatal(err)
	}
	reverting(t, s, officer(), layer.HistoryQuery{Layers: []*layer.Layer{areas}, Request: "r"})
	if got := scalar[int64](t, conn, "SELECT id FROM special_areas WHERE code = 'B' AND revision = 3"); got != id {
		t.Errorf("the area comes back as %d, was %d", got, id)
	}
	d := schoolsAs("grid")
	d.StorageSRID = 3405
	grid := publish(t, s, publishing(t, d, threeSchools))
	const places = "SELECT string_agg(coalesce(ST_AsText(ST_SnapToGrid(geom_stored, 0.1)), '-'), ' ' ORDER BY code) FROM grid"
	was := scalar[string](t, conn, places)
	run(t, conn, "SET hatang.request = 'shift'")
	run(t, conn, "UPDATE grid SET geom_stored = ST_Translate(geom_stored, 10, 20)")
	run(t, conn, "UPDATE history SET before = before - 'geom_stored'")
	reverting(t, s, officer(), layer.HistoryQuery{Layers: []*layer.Layer{grid}, Request: "shift"})
	if diff := cmp.Diff(was, scalar[string](t, conn, places)); diff != "" {
		t.Error(diff)
	}
}

// What is once a day is so in every layer at the end of a revert, in layers that are
// published later, too.
func TestWhatIsOnceADayWaitsForTheEndOfARevert(t *testing.T) {
	s, layers, url := open(t)
	conn := connect(t, url)
	publish(t, s, publishing(t, schoolsAs("later"), threeSchools))
	run(t, conn, `CREATE TABLE hiding (LIKE feature_template INCLUDING ALL, status text, geom geometry(Point, 4326))`)
	run(t, conn, `SELECT hatang_add_layer('hiding')`)
	run(t, conn, `SELECT hatang_hide('hiding')`)
	const rules = `SELECT count(*) FROM pg_constraint WHERE contype = 'x' AND conname LIKE '%\_once\_a\_%' AND condeferrable = $1 AND NOT condeferred`
	waiting, others := scalar[int64](t, conn, rules, true), scalar[int64](t, conn, rules, false)
	if want := int64(len(layers.All()) + 3); waiting != want || others != 0 { // positions are once a site, too
		t.Errorf("%d wait, want %d; %d do not", waiting, want, others)
	}
}
