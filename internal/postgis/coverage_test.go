package postgis_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// coverageOf checks a layer; the check itself must not fail.
func coverageOf(t testing.TB, s *postgis.Store, l *layer.Layer, date string) layer.CoverageReport {
	t.Helper()
	report, asked, err := s.Coverage(context.Background(), officer(), l, day(t, date))
	if err != nil || !asked {
		t.Fatal(asked, err)
	}
	return report
}

// The published communes overlap and leave gaps, and how much is known; the cleaned ones
// do neither.
func TestCoverageOfPublishedCommunes(t *testing.T) {
	s, layers, conn := units2015(t)
	communes := get(t, layers, "communes")
	for _, name := range []string{"provinces", "districts", "communes"} {
		if report := coverageOf(t, s, get(t, layers, name), "2020-12-31"); !report.Clean() || report.Gaps.Largest == nil || report.Overlaps.Largest == nil {
			t.Errorf("%s: %d overlaps, %d gaps", name, report.Overlaps.Count, report.Gaps.Count)
		}
	}
	if summary := importAll(t, s, communes, correction(t), file(t, communes, "messy", "dienbien_communes_raw_coverage.geojson")...); !summary.Applied {
		t.Fatalf("%+v", summary.Refused)
	}
	raw := coverageOf(t, s, communes, "2020-12-31")
	t.Logf("%d overlaps, %.4f km², largest %.2f ha; %d gaps, %.4f km²", raw.Overlaps.Count, raw.Overlaps.AreaM2/1e6, raw.Overlaps.Largest[0].AreaM2/1e4, raw.Gaps.Count, raw.Gaps.AreaM2/1e6)
	if raw.Overlaps.Count != 263 || math.Abs(raw.Overlaps.Largest[0].AreaM2-352e3) > 500 || math.Abs(raw.Overlaps.AreaM2-15.5e6) > 5e4 {
		t.Errorf("overlaps: %d, %v m², largest %v m²", raw.Overlaps.Count, raw.Overlaps.AreaM2, raw.Overlaps.Largest[0].AreaM2)
	}
	if math.Abs(raw.Gaps.AreaM2-37e6) > 5e5 {
		t.Errorf("gaps: %v m²", raw.Gaps.AreaM2)
	}
	if len(raw.Overlaps.Largest) != 100 || raw.Overlaps.Largest[0].AreaM2 < raw.Overlaps.Largest[1].AreaM2 || len(raw.Overlaps.Largest[0].Codes) != 2 || len(raw.Gaps.Largest[0].Codes) != 0 {
		t.Error("the list is not the hundred largest, by codes")
	}
	nothingIsLost(t, conn, raw)
}

// nothingIsLost: what is counted and what is not are together all that pairs of communes share, and
// all of the province that they do not cover.
func nothingIsLost(t *testing.T, conn *pgx.Conn, raw layer.CoverageReport) {
	t.Helper()
	t.Logf("slivers: %+v of overlaps, %+v of gaps", raw.Overlaps.Slivers, raw.Gaps.Slivers)
	shared := scalar[float64](t, conn, "SELECT sum(ST_Area(ST_Intersection(a.geom, b.geom)::geography)) FROM communes a, communes b WHERE a.id < b.id")
	pairs := scalar[int](t, conn, "SELECT count(*)::int FROM communes a, communes b WHERE a.id < b.id AND ST_Area(ST_Intersection(a.geom, b.geom)::geography) > 0")
	bare := scalar[float64](t, conn, "SELECT ST_Area(ST_Difference(geom, (SELECT ST_Union(geom) FROM communes))::geography) FROM provinces")
	if o := raw.Overlaps; o.Slivers.Count != 2 || o.Count+o.Slivers.Count != pairs || math.Abs(o.AreaM2+o.Slivers.AreaM2-shared) > 0.01 || o.Slivers.BelowM2 != postgis.MinDefectM2 || o.Slivers.BelowWidthM != postgis.MinDefectWidthM {
		t.Errorf("%d pairs share %v m²: %d overlaps of %v m², %+v", pairs, shared, o.Count, o.AreaM2, o.Slivers)
	}
	if g := raw.Gaps; math.Abs(g.AreaM2+g.Slivers.AreaM2-bare) > 0.01 {
		t.Errorf("%v m² are not covered: %v m² of gaps, %+v", bare, g.AreaM2, g.Slivers)
	}
}

// Each defect is listed once, with a point in it: an overlap with both codes.
func TestCoverageNamesPlaces(t *testing.T) {
	s, layers, url := open(t)
	conn := connect(t, url)
	communes := get(t, layers, "communes")
	run(t, conn, `INSERT INTO communes (code, valid_from, valid_to, jurisdiction, geom) VALUES
		('A', '2020-01-01', NULL, '11', ST_Multi(ST_MakeEnvelope(103, 21, 103.1, 21.1, 4326))),
		('B', '2020-01-01', NULL, '11', ST_Multi(ST_MakeEnvelope(103.09, 21, 103.2, 21.1, 4326))),
		('C', '2020-01-01', '2021-01-01', '11', ST_Multi(ST_MakeEnvelope(103, 21, 103.2, 21.1, 4326))),
		('D', '2020-01-01', NULL, '11', ST_Multi(ST_Difference(ST_MakeEnvelope(103, 21.1, 103.2, 21.2, 4326), ST_MakeEnvelope(103.05, 21.15, 103.06, 21.16, 4326))))`)
	got := coverageOf(t, s, communes, "2021-01-01")
	if got.Overlaps.Count != 1 || got.Gaps.Count != 1 || got.Overlaps.Slivers.Count != 0 {
		t.Fatalf("without a province holes are gaps: %+v", got)
	}
	run(t, conn, "INSERT INTO communes (code, valid_from, valid_to, jurisdiction, geom) SELECT code, '2022-01-01', NULL, '11', ST_Multi(ST_MakeEnvelope(x, 21, x + 0.0100001, 21.01, 4326)) FROM (VALUES ('E', 104.0), ('F', 104.01)) v (code, x)")
	if narrow := coverageOf(t, s, communes, "2022-01-01").Overlaps; narrow.Count != 1 || narrow.Slivers.Count != 1 || math.Abs(narrow.Slivers.AreaM2-11.5) > 1 {
		t.Errorf("a strip of a centimetre: %+v", narrow)
	}
	if o := got.Overlaps.Largest[0]; o.Codes[0] != "A" || o.Codes[1] != "B" || o.At[0] < 103.09 || o.At[0] > 103.1 || math.Abs(o.AreaM2/(0.01*0.1)-11.50e9) > 1e8 {
		t.Errorf("%+v", o)
	}
	if g := got.Gaps.Largest[0]; g.At[0] < 103.05 || g.At[0] > 103.06 || g.At[1] < 21.15 || g.At[1] > 21.16 {
		t.Errorf("%+v", g)
	}
	run(t, conn, "INSERT INTO provinces (code, valid_from, jurisdiction, geom) VALUES ('11', '2020-01-01', '11', ST_Multi(ST_MakeEnvelope(103, 21, 103.2, 21.3, 4326)))")
	if got := coverageOf(t, s, communes, "2021-01-01"); got.Gaps.Count != 2 || got.Gaps.Largest[0].At[1] < 21.2 {
		t.Errorf("in a province: %+v", got.Gaps)
	}
	if got := coverageOf(t, s, communes, "2020-06-01"); got.Overlaps.Count != 3 {
		t.Errorf("while there was another: %+v", got.Overlaps)
	}
	if got := coverageOf(t, s, communes, "2019-06-01"); !got.Clean() {
		t.Errorf("before there were any: %+v", got)
	}
}

// Zones of one class must not overlap; those of two do as the plan has it.
func TestCoverageOfZones(t *testing.T) {
	s, layers, url := open(t)
	conn := connect(t, url)
	run(t, conn, `INSERT INTO mast_zones (code, valid_from, jurisdiction, zone_class, geom) VALUES
		('A', '2020-01-01', '11', 'd', ST_Multi(ST_MakeEnvelope(103, 21, 103.1, 21.1, 4326))),
		('B', '2020-01-01', '11', 'a', ST_Multi(ST_MakeEnvelope(103.01, 21.01, 103.02, 21.02, 4326))),
		('C', '2020-01-01', '11', 'a', ST_Multi(ST_MakeEnvelope(103.015, 21.01, 103.03, 21.02, 4326)))`)
	if got := coverageOf(t, s, get(t, layers, "mast_zones"), "2021-01-01"); got.Overlaps.Count != 1 || got.Gaps.Count != 0 {
		t.Errorf("%+v", got)
	}
	run(t, conn, "INSERT INTO special_areas (code, valid_from, jurisdiction, kind, geom) VALUES ('S', '2020-01-01', '11', 'military', ST_Multi(ST_MakeEnvelope(103, 21, 103.1, 21.1, 4326)))")
	if got := coverageOf(t, s, get(t, layers, "special_areas"), "2021-01-01"); !got.Clean() {
		t.Errorf("%+v", got)
	}
	if _, asked, err := s.Coverage(context.Background(), officer(), get(t, layers, "bts_sites"), day(t, "2021-01-01")); asked || err != nil {
		t.Error("points have no coverage")
	}
	if _, _, err := s.Coverage(context.Background(), account.Anonymous(), get(t, layers, "special_areas"), day(t, "2021-01-01")); !errors.Is(err, layer.ErrForbidden) {
		t.Errorf("the public: %v", err)
	}
}
