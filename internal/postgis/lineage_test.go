package postgis_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/postgis"
	"hatang/internal/testdb"
)

// units2015 returns a store with the real units of 2015: province, districts made of
// their communes, communes.
func units2015(t testing.TB) (*postgis.Store, *layer.Registry, *pgx.Conn) {
	t.Helper()
	s, layers, url := open(t)
	for _, of := range [][2]string{{"provinces", "dienbien_province"}, {"districts", "dienbien_districts_dissolved"}, {"communes", "dienbien_communes"}} {
		l := get(t, layers, of[0])
		o := correction(t)
		o.Defaults["valid_from"] = day(t, "2013-01-01")
		o.Placed = map[string]any{"source": of[1]}
		if summary := importAll(t, s, l, o, file(t, l, "boundaries", of[1]+".geojson")...); !summary.Applied {
			t.Fatalf("%s: %+v", of[1], summary.Refused)
		}
	}
	return s, layers, connect(t, url)
}

// structure2020 is the demonstration's file of the change of 2020.
func structure2020(t testing.TB) []layer.UnitChange {
	t.Helper()
	return lineageOf(t, filepath.Join("..", "plan", "packs", "dien-bien", "structures", "2020-01-01.csv"), "2020-01-01", "815/NQ-UBTVQH14")
}

// merge2025 is the published table of the change of 2025.
func merge2025(t testing.TB) []layer.UnitChange {
	t.Helper()
	return lineageOf(t, filepath.Join(testdb.TestData(t), "tables", "dienbien_official_merge_2025.csv"), "2025-07-01", "1661/NQ-UBTVQH15")
}

func lineageOf(t testing.TB, path, on, act string) []layer.UnitChange {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	changes, _, err := formats.ReadLineage(in, layer.Lineage{Level: "commune", On: day(t, on), Act: act, Source: filepath.Base(path)})
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

// links brings links in; the import itself must not fail.
func links(t testing.TB, s *postgis.Store, o postgis.LineageOptions, changes ...layer.UnitChange) postgis.LineageSummary {
	t.Helper()
	summary, err := s.ImportLineage(context.Background(), officer(), o, changes)
	if err != nil {
		t.Fatal(err)
	}
	return summary
}

// link is a row of a file.
func link(t testing.TB, row int, from, to, part string) layer.UnitChange {
	t.Helper()
	return layer.UnitChange{Row: row, Lineage: layer.Lineage{Level: "commune", Predecessor: from, Successor: to, On: day(t, "2020-01-01"), Part: part, Source: "test"}}
}

func TestLineageIsKeptByLink(t *testing.T) {
	s, _, conn := units2015(t)
	first := links(t, s, postgis.LineageOptions{}, link(t, 1, "03144", "03145", layer.Whole), link(t, 2, "03145", "03145", layer.Whole))
	if !first.Applied || first.Inserted != 2 || len(first.Pending) != 0 {
		t.Fatalf("%+v", first)
	}
	noted := link(t, 1, "03144", "03145", layer.Whole)
	noted.Note = "x"
	if again := links(t, s, postgis.LineageOptions{DryRun: true}, noted); again.Applied || again.Updated != 1 {
		t.Errorf("a dry run: %+v", again)
	}
	if again := links(t, s, postgis.LineageOptions{}, noted); again.Updated != 1 || again.Unchanged != 0 {
		t.Errorf("again: %+v", again)
	}
	if again := links(t, s, postgis.LineageOptions{}, noted); again.Unchanged != 1 {
		t.Errorf("the same again: %+v", again)
	}
	if rest := links(t, s, postgis.LineageOptions{Complete: true}, noted); rest.Removed != 1 || !rest.Applied {
		t.Errorf("the whole of the day: %+v", rest)
	}
	if ahead := links(t, s, postgis.LineageOptions{}, link(t, 1, "03124", "99999", layer.Whole)); !ahead.Applied || cmp.Diff([]string{"99999"}, ahead.Pending) != "" {
		t.Errorf("a successor that is not there yet: %+v", ahead)
	}
	history := scalar[string](t, conn, "SELECT string_agg(operation || ':' || coalesce(before ->> 'note', '-') || ':' || who, ' ' ORDER BY id) FROM history WHERE layer = 'unit_lineage'")
	if want := "insert:-:W insert:-:W update:-:W delete:-:W insert:-:W"; history != strings.ReplaceAll(want, "W", officer().Name) {
		t.Errorf("history: %s", history)
	}
	if v := scalar[int64](t, conn, "SELECT version FROM layer_versions WHERE layer = 'unit_lineage'"); v != 5 {
		t.Errorf("version %d", v)
	}
}

// A wrong code shows by the name beside it; another spelling of marks does not.
func TestLineageComparesNames(t *testing.T) {
	s, _, _ := units2015(t)
	right, wrong := link(t, 1, "03144", "03145", layer.Whole), link(t, 2, "03145", "03145", layer.Whole)
	right.PredecessorName, wrong.PredecessorName = "XÃ TA LENG", "Xã Thanh Luông"
	got := links(t, s, postgis.LineageOptions{DryRun: true}, right, wrong)
	if diff := cmp.Diff([]postgis.NameDiffers{{Row: 2, Code: "03145", File: "Xã Thanh Luông", Register: "Xã Thanh Minh"}}, got.NamesDiffer); diff != "" || len(got.Refused) > 0 {
		t.Error(diff)
	}
	links(t, s, postgis.LineageOptions{Merge: true}, structure2020(t)...)
	var differ []string
	for _, n := range links(t, s, postgis.LineageOptions{}, merge2025(t)...).NamesDiffer {
		differ = append(differ, n.File+"/"+n.Register)
	}
	if diff := cmp.Diff([]string{"Xã Huổi Lếnh/Xã Huổi Lếch", "Xã Sa Lông/Xã Xá Lông", "Xã Phu Luông/Xã Pu Luông"}, differ); diff != "" {
		t.Errorf("of the published table and the published communes:\n%s", diff)
	}
}

// Everything that is wrong is told at once, and nothing is stored.
func TestLineageRefusesAllAtOnce(t *testing.T) {
	s, _, conn := units2015(t)
	broken := link(t, 8, "", "03145", "")
	broken.Faults.Add("predecessor_code", "x", "x")
	links(t, s, postgis.LineageOptions{}, link(t, 1, "03133", "03136", layer.Whole))
	got := links(t, s, postgis.LineageOptions{},
		link(t, 1, "03144", "03145", layer.Whole), link(t, 2, "03144", "03127", layer.Part), // whole, and elsewhere
		link(t, 3, "99999", "03145", layer.Whole),                                          // no such unit
		link(t, 4, "03127", "03127", layer.Part), link(t, 5, "03127", "03127", layer.Part), // twice
		link(t, 6, "03133", "03127", layer.Part), // whole elsewhere in the register
		link(t, 7, "03145", "03145", layer.Whole), broken)
	var at []string
	for _, r := range got.Refused {
		for _, f := range r.Faults {
			at = append(at, fmt.Sprint(r.Row, f.At))
		}
	}
	want := []string{"1part", "2part", "3predecessor_code", "4successor_code", "5successor_code", "6part", "8predecessor_code"}
	if diff := cmp.Diff(want, at); diff != "" || got.Applied {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	if n := scalar[int64](t, conn, "SELECT count(*) FROM unit_lineage"); n != 1 {
		t.Errorf("%d links are stored", n)
	}
}

func TestLineageIsWrittenByThoseWhoWriteUnits(t *testing.T) {
	s, _, _ := units2015(t)
	for _, v := range []account.Viewer{
		account.Anonymous(), account.Holder("x", account.Operator), account.Holder("x", account.Approver),
		{Name: "x", Grants: []account.Grant{{Role: account.Officer, Territory: "094"}}}, {Name: "x", Grants: []account.Grant{{Role: account.Officer, Layers: []string{"kiosks"}}}},
	} {
		if _, err := s.ImportLineage(context.Background(), v, postgis.LineageOptions{}, []layer.UnitChange{link(t, 1, "03144", "03145", layer.Whole)}); !errors.Is(err, layer.ErrForbidden) {
			t.Errorf("%+v: %v", v, err)
		}
	}
}

// The change of 2020 from names, codes and links alone: 130 communes become 129, the city
// grows by four and by parts of which nobody has the line.
func TestMergeOf2020(t *testing.T) {
	s, _, conn := units2015(t)
	run(t, conn, "INSERT INTO api_keys (id, hash, name, created_by) VALUES ('k', 'x', 'x', 'x'); INSERT INTO grants (key, role, territory) VALUES ('k', 'officer', '094'), ('k', 'officer', '03144'), ('k', 'officer', '03316')")
	run(t, conn, `INSERT INTO mast_zones (code, valid_from, jurisdiction, zone_class, follows_commune, geom) SELECT 'Z' || code, '2016-01-01', '11', 'd', code, geom FROM communes WHERE code IN ('03144', '03145', '03316')`)
	got := links(t, s, postgis.LineageOptions{Merge: true}, structure2020(t)...)
	if !got.Applied || got.Inserted != 12 || got.Opened != 8 || got.Ended != 9 || len(got.Pending) != 0 {
		t.Fatalf("%+v", got)
	}
	if diff := cmp.Diff([]string{"094", "100"}, got.Districts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]postgis.GrantConcerned{{Territory: "03144", Grants: 1}, {Territory: "094", Grants: 1}}, got.Grants); diff != "" || got.ZonesKept != 1 {
		t.Errorf("%d zones kept; grants:\n%s", got.ZonesKept, diff)
	}
	if again := links(t, s, postgis.LineageOptions{Merge: true}, structure2020(t)...); again.Opened != 0 || again.Ended != 0 || again.Unchanged != 12 {
		t.Errorf("again: %+v", again)
	}
	const count = "SELECT count(*) FROM communes WHERE valid_from <= $1::date AND (valid_to IS NULL OR valid_to > $1::date)"
	for date, n := range map[string]int64{"2019-12-31": 130, "2020-01-01": 129} {
		if got := scalar[int64](t, conn, count, date); got != n {
			t.Errorf("%s: %d communes, want %d", date, got, n)
		}
	}
	shapesOf2020(t, conn)
	if n := scalar[int64](t, conn, "SELECT count(*) FROM mast_zones WHERE follows_commune IS NULL AND valid_from = '2020-01-01' AND code = 'Z03145'"); n != 1 {
		t.Error("the zone of Thanh Minh does not stay where it was")
	}
}

// shapesOf2020: what merged has the area of what it was made of, what changed district has
// its own; nothing is invented, and what is not known says so.
func shapesOf2020(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	for name, sql := range map[string]string{
		"Thanh Minh is Tà Lèng and Thanh Minh": `SELECT (SELECT ST_Area(geom::geography) FROM communes WHERE code = '03145' AND valid_from = '2020-01-01') - (SELECT sum(ST_Area(geom::geography)) FROM communes WHERE code IN ('03144', '03145') AND valid_to = '2020-01-01')`,
		"Nà Tấu is what it was":                `SELECT ST_Area(ST_SymDifference(n.geom, o.geom)::geography) FROM communes n JOIN communes o USING (code) WHERE code = '03316' AND n.valid_from = '2020-01-01' AND o.valid_to = '2020-01-01'`,
		"the districts together":               `SELECT sum(ST_Area(geom::geography)) FILTER (WHERE valid_to IS NULL) - sum(ST_Area(geom::geography)) FILTER (WHERE valid_from < '2020-01-01') FROM districts`,
		"the communes together":                `SELECT sum(ST_Area(geom::geography)) FILTER (WHERE valid_to IS NULL) - sum(ST_Area(geom::geography)) FILTER (WHERE valid_from < '2020-01-01') FROM communes`,
		"the city is its communes":             `SELECT ST_Area(geom::geography) - (SELECT sum(ST_Area(geom::geography)) FROM communes WHERE district_code = '094' AND valid_to IS NULL) FROM districts WHERE code = '094' AND valid_to IS NULL`,
	} {
		if off := scalar[float64](t, conn, sql); math.Abs(off) > 0.5 {
			t.Errorf("%s: %v m² off", name, off)
		}
	}
	unknown := scalar[string](t, conn, "SELECT string_agg(code, ' ' ORDER BY code) FROM communes WHERE illustrative AND accuracy_m IS NULL AND source LIKE '%the new line is not published%' AND valid_to IS NULL")
	if unknown != "03217 03328 03331" {
		t.Errorf("without a published line: %s", unknown)
	}
	for _, code := range strings.Fields(unknown) {
		if n := scalar[int64](t, conn, "SELECT count(DISTINCT ST_AsEWKB(geom)) FROM communes WHERE code = $1", code); n != 1 {
			t.Errorf("%s has another shape now", code)
		}
	}
	if got := scalar[string](t, conn, "SELECT string_agg(code, ' ' ORDER BY code) FROM districts WHERE illustrative AND source LIKE '%Thanh Luông%' AND valid_to IS NULL"); got != "094 100" {
		t.Errorf("districts that say so: %s", got)
	}
	if got := scalar[string](t, conn, "SELECT source FROM communes WHERE code = '03145' AND valid_to IS NULL"); got != "gộp từ 03144, 03145 (merged from 03144, 03145)" {
		t.Errorf("Thanh Minh: %s", got)
	}
}

// Figures are of a territory: they do not go on to another one.
func TestMergeKeepsFiguresOfTheSameTerritoryAlone(t *testing.T) {
	s, _, conn := units2015(t)
	run(t, conn, "UPDATE communes SET population = 1000, population_year = 2019, official_area_m2 = 5e6 WHERE code IN ('03144', '03145', '03316')")
	links(t, s, postgis.LineageOptions{Merge: true}, structure2020(t)...)
	if got := scalar[string](t, conn, "SELECT string_agg(code || ':' || coalesce(population::text, '-') || ':' || coalesce(official_area_m2::text, '-'), ' ' ORDER BY code) FROM communes WHERE code IN ('03145', '03316') AND valid_to IS NULL"); got != "03145:-:- 03316:1000:5000000" {
		t.Error(got)
	}
}

// Of parts whose line nobody has no shape is made.
func TestMergeDrawsNothing(t *testing.T) {
	s, _, conn := units2015(t)
	got := links(t, s, postgis.LineageOptions{Merge: true}, link(t, 1, "03144", "03145", layer.Part), link(t, 2, "03127", "03127", layer.Part), link(t, 3, "03127", "03130", layer.Part), link(t, 4, "03130", "03130", layer.Whole))
	var at []string
	for _, r := range got.Refused {
		at = append(at, fmt.Sprint(r.Row, r.Faults[0].At))
	}
	if diff := cmp.Diff([]string{"1part"}, at); diff != "" || got.Applied {
		t.Errorf("%s\n%+v", diff, got.Refused)
	}
	if n := scalar[int64](t, conn, "SELECT count(*) FROM communes WHERE valid_to IS NOT NULL"); n != 0 {
		t.Errorf("%d communes ended", n)
	}
	several := link(t, 2, "03127", "03127", layer.Whole)
	several.On = day(t, "2021-01-01")
	if got := links(t, s, postgis.LineageOptions{Merge: true}, link(t, 1, "03144", "03145", layer.Whole), several); len(got.Refused) != 1 || got.Applied {
		t.Errorf("two days: %+v", got)
	}
}

// fileProperties are the properties of a file's features as they stand there.
func fileProperties(t testing.TB, path ...string) []map[string]any {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(append([]string{testdb.TestData(t)}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Features []struct{ Properties map[string]any }
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	properties := make([]map[string]any, len(all.Features))
	for i, f := range all.Features {
		properties[i] = f.Properties
	}
	return properties
}
