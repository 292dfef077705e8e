package postgis_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/postgis"
	"hatang/internal/testdb"
)

// incoming is one row of a file that gives just these properties.
func incoming(row int, _ *layer.Layer, properties map[string]any) postgis.Incoming {
	return postgis.Incoming{Row: row, Feature: layer.Feature{Properties: properties}}
}

// correction are the options of a plain import.
func correction(t testing.TB) postgis.ImportOptions {
	return postgis.ImportOptions{Date: day(t, "2020-12-31"), OnConflict: postgis.UpdateExisting,
		Defaults: map[string]any{"jurisdiction": "11", "valid_from": day(t, "2020-12-31")}}
}

// importAll imports rows; the import itself must not fail.
func importAll(t testing.TB, s *postgis.Store, l *layer.Layer, o postgis.ImportOptions, rows ...postgis.Incoming) postgis.ImportSummary {
	t.Helper()
	summary, err := s.Import(context.Background(), officer(), l, o, func(add func(postgis.Incoming) error) error {
		for _, row := range rows {
			if err := add(row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return summary
}

// file reads a GeoJSON file of the test data as rows.
func file(t testing.TB, l *layer.Layer, path ...string) []postgis.Incoming {
	t.Helper()
	in, err := os.Open(filepath.Join(append([]string{testdb.TestData(t)}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var rows []postgis.Incoming
	err = formats.ReadGeoJSON(in, l, nil, func(r formats.Record) error {
		rows = append(rows, postgis.Incoming{Row: r.Row, Feature: r.Feature, Faults: r.Faults})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// counts are the numbers of a summary: read, inserted, updated, unchanged, skipped, refused.
func counts(s postgis.ImportSummary) [6]int {
	return [6]int{s.Read, s.Inserted, s.Updated, s.Unchanged, s.Skipped, len(s.Refused)}
}

// faultsAt lists where rows were refused, as "row at".
func faultsAt(s postgis.ImportSummary) []string {
	var all []string
	for _, r := range s.Refused {
		for _, f := range r.Faults {
			all = append(all, fmt.Sprintf("%d %s", r.Row, f.At))
		}
	}
	return all
}

// site is a whole row of bts_sites.
func site(t testing.TB, row int, code string) postgis.Incoming {
	return postgis.Incoming{Row: row, Feature: layer.Feature{Geometry: orb.Point{103, 21},
		Properties: map[string]any{"code": code, "status": "existing", "mast_type": "A2b", "height_m": 40.0}}}
}

func total(t testing.TB, s *postgis.Store, l *layer.Layer) int64 {
	t.Helper()
	n, err := s.CountFeatures(context.Background(), officer(), l, layer.Query{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestImportCorrectsByCode(t *testing.T) {
	s, layers, _ := open(t)
	l := get(t, layers, "bts_sites")
	if got := counts(importAll(t, s, l, correction(t), site(t, 1, "A"), site(t, 2, "B"))); got != [6]int{2, 2, 0, 0, 0, 0} {
		t.Fatalf("first: %v", got)
	}
	if got := counts(importAll(t, s, l, correction(t), site(t, 1, "A"), site(t, 2, "B"))); got != [6]int{2, 0, 0, 2, 0, 0} {
		t.Errorf("again: %v", got)
	}
	taller := incoming(1, l, map[string]any{"code": "A", "height_m": 50.0})
	dry := correction(t)
	dry.DryRun = true
	summary := importAll(t, s, l, dry, taller, site(t, 2, "C"))
	if counts(summary) != [6]int{2, 1, 1, 0, 0, 0} || summary.Applied || total(t, s, l) != 2 {
		t.Errorf("dry run: %+v, %d rows", summary, total(t, s, l))
	}
	importAll(t, s, l, correction(t), taller)
	row := byCode(t, s, l, "A")
	if got := properties(t, l, row); got["height_m"] != 50.0 || got["mast_type"] != "A2b" || got["revision"] != 2.0 || got["valid_from"] != "2020-12-31" {
		t.Errorf("corrected to %v", got)
	}
	skip, fail := correction(t), correction(t)
	skip.OnConflict, fail.OnConflict = postgis.SkipExisting, postgis.FailExisting
	lower := incoming(1, l, map[string]any{"code": "A", "height_m": 1.0})
	if got := counts(importAll(t, s, l, skip, lower, site(t, 2, "D"))); got != [6]int{2, 1, 0, 0, 1, 0} {
		t.Errorf("skip: %v", got)
	}
	summary = importAll(t, s, l, fail, lower, site(t, 2, "E"))
	if summary.Applied || !cmp.Equal(faultsAt(summary), []string{"1 /properties/code"}) || total(t, s, l) != 3 {
		t.Errorf("fail: %+v", summary)
	}
	if got := properties(t, l, byCode(t, s, l, "A")); got["height_m"] != 50.0 {
		t.Errorf("height is %v", got["height_m"])
	}
}

// byCode returns the only row of a code.
func byCode(t testing.TB, s *postgis.Store, l *layer.Layer, code string) *layer.Row {
	t.Helper()
	rows := ofCode(t, s, l, code)
	if len(rows) != 1 {
		t.Fatalf("%s has %d rows", code, len(rows))
	}
	return rows[0]
}

func TestImportNamesEveryRefusedRow(t *testing.T) {
	s, layers, _ := open(t)
	l := get(t, layers, "communes")
	area := func(row int, code string, g orb.Geometry) postgis.Incoming {
		return postgis.Incoming{Row: row, Feature: layer.Feature{Geometry: g, Properties: map[string]any{"code": code}}}
	}
	bowTie := orb.MultiPolygon{{{{103, 21}, {104, 22}, {104, 21}, {103, 22}, {103, 21}}}}
	backwards := area(9, "period", square(103, 21))
	backwards.Feature.Properties["valid_to"] = day(t, "2019-01-01") // before the default valid_from
	faulty := area(10, "faulty", square(103, 21))
	faulty.Faults.Add("/properties/population", "sai", "wrong")
	// Rows are numbered as in a spreadsheet: not from one, not without gaps.
	rows := []postgis.Incoming{
		area(2, "good", square(103, 21)), area(3, "twin", square(103, 21)), area(4, "twin", square(104, 21)), area(5, "bow", bowTie),
		area(6, "", square(103, 21)), area(7, "shapeless", nil), backwards, faulty, area(12, "fine", square(105, 21)),
	}
	want := []string{"3 /properties/code", "4 /properties/code", "5 /geometry", "6 /properties/code", "7 /geometry", "9 /properties/valid_to", "10 /properties/population"}
	summary := importAll(t, s, l, correction(t), rows...)
	if diff := cmp.Diff(want, faultsAt(summary)); diff != "" || summary.Applied || total(t, s, l) != 0 {
		t.Errorf("all or nothing: applied %t, %d rows (-want +got)\n%s", summary.Applied, total(t, s, l), diff)
	}
	if detail := summary.Refused[2].Faults[0].Detail; !strings.Contains(detail.EN, "POINT(103.5 21.5)") || !strings.Contains(detail.VI, "POINT(103.5 21.5)") {
		t.Errorf("the place of the fault is not told: %+v", detail)
	}
	good := correction(t)
	good.GoodRows = true
	summary = importAll(t, s, l, good, rows...)
	if diff := cmp.Diff(want, faultsAt(summary)); diff != "" || !summary.Applied || summary.Inserted != 2 || total(t, s, l) != 2 {
		t.Errorf("good rows: %+v (-want +got)\n%s", summary, diff)
	}
}

func TestImportRefusesWhatAnUpdateWouldBreak(t *testing.T) {
	s, layers, _ := open(t)
	l := get(t, layers, "bts_sites")
	importAll(t, s, l, correction(t), site(t, 1, "A"), site(t, 2, "B"))
	old := site(t, 1, "A")
	old.Feature.Properties["valid_from"], old.Feature.Properties["valid_to"] = day(t, "2010-01-01"), day(t, "2015-01-01")
	early := correction(t)
	early.Date = day(t, "2012-01-01")
	importAll(t, s, l, early, old)
	good := correction(t)
	good.GoodRows = true
	summary := importAll(t, s, l, good,
		incoming(1, l, map[string]any{"code": "A", "valid_from": day(t, "2014-01-01")}), // would overlap its own past
		incoming(2, l, map[string]any{"code": "B", "valid_to": day(t, "2000-01-01")}),   // would end before it starts
		site(t, 3, "C"))
	if diff := cmp.Diff([]string{"1 /properties/valid_from", "2 /properties/valid_to"}, faultsAt(summary)); diff != "" || summary.Inserted != 1 {
		t.Errorf("%+v (-want +got)\n%s", summary, diff)
	}
	summary = importAll(t, s, l, good, incoming(1, l, map[string]any{"code": "B", "status": nil}))
	if diff := cmp.Diff([]string{"1 /properties/status"}, faultsAt(summary)); diff != "" {
		t.Errorf("a required value cleared (-want +got)\n%s", diff)
	}
}

func TestImportInForceOpensASuccessor(t *testing.T) {
	s, layers, _ := open(t)
	l := get(t, layers, "communes")
	first := postgis.Incoming{Row: 1, Feature: layer.Feature{Geometry: square(103, 21), Properties: map[string]any{
		"code": "03136", "name": "cũ", "kind": "phường", "valid_from": day(t, "2010-01-01")}}}
	importAll(t, s, l, correction(t), first)
	o := correction(t)
	o.InForce = day(t, "2025-07-01")
	o.Defaults["valid_from"] = o.InForce
	next := incoming(1, l, map[string]any{"code": "03136", "name": "mới"})
	fresh := postgis.Incoming{Row: 2, Feature: layer.Feature{Geometry: square(104, 21), Properties: map[string]any{"code": "new"}}}
	if got := counts(importAll(t, s, l, o, next, fresh)); got != [6]int{2, 1, 1, 0, 0, 0} {
		t.Fatalf("counts %v", got)
	}
	rows, change := periods(t, s, l, "03136"), o.InForce.String()
	if len(rows) != 2 || rows[0][1] != change || rows[1] != [2]any{change, nil} {
		t.Fatalf("periods %v", rows)
	}
	if got := properties(t, l, ofCode(t, s, l, "03136")[1]); got["name"] != "mới" || got["kind"] != "phường" || got["revision"] != 1.0 {
		t.Errorf("the successor is %v", got)
	}
	// The same file again finds the successor, which starts that day, unchanged.
	if got := counts(importAll(t, s, l, o, next, fresh)); got != [6]int{2, 0, 0, 2, 0, 0} {
		t.Errorf("again: %v", got)
	}
	next.Feature.Properties["name"] = "mới hơn"
	if got := counts(importAll(t, s, l, o, next)); got != [6]int{1, 0, 1, 0, 0, 0} || total(t, s, l) != 3 {
		t.Errorf("a later wording: %v, %d rows", got, total(t, s, l))
	}
}

// What is in force on the day of the change decides, not on the reference date.
func TestImportInForceMatchesOnItsDay(t *testing.T) {
	s, layers, _ := open(t)
	l := get(t, layers, "communes")
	ended := postgis.Incoming{Row: 1, Feature: layer.Feature{Geometry: square(103, 21), Properties: map[string]any{
		"code": "x", "valid_from": day(t, "2010-01-01"), "valid_to": day(t, "2022-01-01")}}}
	importAll(t, s, l, correction(t), ended)
	o := correction(t)
	o.InForce = day(t, "2025-07-01")
	o.Defaults["valid_from"] = o.InForce
	back := postgis.Incoming{Row: 1, Feature: layer.Feature{Geometry: square(104, 21), Properties: map[string]any{"code": "x"}}}
	if got := counts(importAll(t, s, l, o, back)); got != [6]int{1, 1, 0, 0, 0, 0} {
		t.Errorf("counts %v", got)
	}
	if got := periods(t, s, l, "x"); len(got) != 2 || got[0][1] != "2022-01-01" || got[1][0] != o.InForce.String() {
		t.Errorf("periods %v", got)
	}
}

func TestImportSaysWhereAPlaceComesFrom(t *testing.T) {
	s, layers, _ := open(t)
	l := get(t, layers, "bts_sites")
	drawn := site(t, 1, "A")
	for name, value := range map[string]any{"illustrative": true, "accuracy_m": 500.0, "source": "minh họa"} {
		drawn.Feature.Properties[name] = value
	}
	importAll(t, s, l, correction(t), drawn)
	o := correction(t)
	o.Placed = map[string]any{"source": "sites.geojson", "illustrative": false, "accuracy_m": nil}
	importAll(t, s, l, o, incoming(1, l, map[string]any{"code": "A", "height_m": 41.0}))
	if got := properties(t, l, byCode(t, s, l, "A")); got["illustrative"] != true || got["source"] != "minh họa" || got["accuracy_m"] != 500.0 {
		t.Errorf("a row without a place changed where the place comes from: %v", got)
	}
	importAll(t, s, l, o, site(t, 1, "A"))
	if got := properties(t, l, byCode(t, s, l, "A")); got["illustrative"] != false || got["source"] != "sites.geojson" || got["accuracy_m"] != nil {
		t.Errorf("a measured place is said to be %v", got)
	}
	said := site(t, 1, "A")
	said.Feature.Properties["source"] = "biên bản"
	importAll(t, s, l, o, said)
	if got := properties(t, l, byCode(t, s, l, "A")); got["source"] != "biên bản" {
		t.Errorf("the file's own source was lost: %v", got["source"])
	}
}

func TestImportStopsWithItsReader(t *testing.T) {
	s, layers, _ := open(t)
	l := get(t, layers, "bts_sites")
	broken := errors.New("the file ends in the middle")
	_, err := s.Import(context.Background(), officer(), l, correction(t), func(add func(postgis.Incoming) error) error {
		for i := range 2500 {
			if err := add(site(t, i+1, fmt.Sprint(i))); err != nil {
				return err
			}
		}
		return broken
	})
	if !errors.Is(err, broken) || total(t, s, l) != 0 {
		t.Errorf("%v, %d rows", err, total(t, s, l))
	}
}

func TestImportOfManyRows(t *testing.T) {
	s, layers, url := open(t)
	l := get(t, layers, "bts_sites")
	rows := make([]postgis.Incoming, 20000)
	for i := range rows {
		rows[i] = site(t, i+1, fmt.Sprint(i))
	}
	if got := importAll(t, s, l, correction(t), rows...); got.Inserted != 20000 || total(t, s, l) != 20000 {
		t.Errorf("%+v", counts(got))
	}
	conn := connect(t, url)
	if n := scalar[int64](t, conn, "SELECT count(DISTINCT feature_id) FROM history WHERE layer = 'bts_sites' AND operation = 'insert'"); n != 20000 {
		t.Errorf("%d rows in the history", n)
	}
	if v := scalar[int64](t, conn, "SELECT version FROM layer_versions WHERE layer = 'bts_sites'"); v != 2 {
		t.Errorf("version %d after one import", v)
	}
}

// The defects of the file, and whether a row with one may come in.
func TestImportOfInvalidGeometries(t *testing.T) {
	s, layers, url := open(t)
	l := get(t, layers, "communes")
	rows := file(t, l, "messy", "invalid_geometries.geojson")
	o := correction(t)
	o.GoodRows = true
	summary := importAll(t, s, l, o, rows...)
	mended := map[string]string{"03136": "spike, valid in OGC", "03172": "repeated points", "03253": "clockwise shell", "03283": "3D coordinates"}
	refused := map[string]bool{}
	for _, r := range summary.Refused {
		refused[r.Code] = true
		if !strings.HasPrefix(r.Faults[0].At, "/geometry") {
			t.Errorf("%s is refused for %s", r.Code, r.Faults[0].At)
		}
		if why, ok := mended[r.Code]; ok {
			t.Errorf("%s (%s) can be mended and was refused: %v", r.Code, why, r.Faults)
		}
	}
	if len(rows) != 14 || len(refused) != 10 || summary.Inserted != len(mended) {
		t.Errorf("%d rows, %d refused, %d taken", len(rows), len(refused), summary.Inserted)
	}
	if bad := scalar[int64](t, connect(t, url), "SELECT count(*) FROM communes WHERE NOT ST_IsValid(geom) OR ST_NDims(geom) <> 2"); bad != 0 {
		t.Errorf("%d stored shapes are bad", bad)
	}
}

// Drafts are not what a file means by a code, and neither keep it nor what is once a day
// from anybody: an import must not change them, nor tell of them.
func TestImportsPassDraftsBy(t *testing.T) {
	s, layers, _ := open(t)
	sites, positions := get(t, layers, "bts_sites"), get(t, layers, "operator_positions")
	draft := func(l *layer.Layer, code, organisation string) layer.Feature {
		f := sample(t, l, code)
		f.Properties["status"], f.Properties["owner_organisation"], f.Properties["name"] = layer.Draft, organisation, "draft"
		return f
	}
	hidden := []int64{create(t, s, sites, draft(sites, "S1", "VNPT")), create(t, s, sites, draft(sites, "S2", "VNPT"))}
	create(t, s, sites, sample(t, sites, "S1"))
	hidden = append(hidden, create(t, s, sites, draft(sites, "S1", "VIETTEL")))
	s2 := sample(t, sites, "S2")
	got := importAll(t, s, sites, correction(t), incoming(1, sites, map[string]any{"code": "S1", "name": "published"}), postgis.Incoming{Row: 2, Feature: s2})
	if counts(got) != [6]int{2, 1, 1, 0, 0, 0} {
		t.Errorf("%+v", got)
	}
	o := correction(t)
	o.OnConflict = postgis.FailExisting
	hidden = append(hidden, create(t, s, sites, draft(sites, "S3", "VNPT")))
	if got := importAll(t, s, sites, o, postgis.Incoming{Row: 1, Feature: sample(t, sites, "S3")}); counts(got) != [6]int{1, 1, 0, 0, 0, 0} {
		t.Errorf("a code that a draft has: %+v", got)
	}
	for _, id := range hidden {
		row, err := s.Feature(context.Background(), officer(), sites, id)
		if err != nil || row.Revision != 1 {
			t.Errorf("draft %d: %+v, %v", id, row, err)
		}
	}
	place := draft(positions, "P1", "VNPT")
	place.Properties["site_code"], place.Properties["operator"] = "S1", "VNPT"
	create(t, s, positions, place)
	rival := sample(t, positions, "P2")
	rival.Properties["site_code"], rival.Properties["operator"] = "S1", "VNPT"
	if got := importAll(t, s, positions, correction(t), postgis.Incoming{Row: 1, Feature: rival}); counts(got) != [6]int{1, 1, 0, 0, 0, 0} {
		t.Errorf("the place of a draft: %+v", got)
	}
}

// A file of drafts brings its owner's drafts up to date, beside a published row of the
// same code.
func TestImportsChangeTheOwnersDrafts(t *testing.T) {
	s, layers, _ := open(t)
	sites := get(t, layers, "bts_sites")
	row := func(n int, status, organisation, name string) postgis.Incoming {
		f := sample(t, sites, "S1")
		f.Properties["status"], f.Properties["owner_organisation"], f.Properties["name"] = status, organisation, name
		return postgis.Incoming{Row: n, Feature: f}
	}
	before := []postgis.Incoming{row(1, "draft", "VNPT", "a"), row(2, "draft", "VIETTEL", "b"), row(3, "existing", "VNPT", "c")}
	if got := importAll(t, s, sites, correction(t), before...); counts(got) != [6]int{3, 3, 0, 0, 0, 0} {
		t.Fatalf("%+v", got)
	}
	after := []postgis.Incoming{row(1, "draft", "VNPT", "A"), row(2, "draft", "VIETTEL", "b"), row(3, "existing", "VNPT", "C")}
	if got := importAll(t, s, sites, correction(t), after...); counts(got) != [6]int{3, 0, 2, 1, 0, 0} {
		t.Errorf("%+v", got)
	}
	if got := importAll(t, s, sites, correction(t), row(1, "draft", "VNPT", "x"), row(2, "draft", "VNPT", "y")); len(got.Refused) != 2 {
		t.Errorf("two drafts of one owner and code: %+v", got)
	}
}
