package plan_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/plan"
)

func ofSites(id, stage string) [6]string { return [6]string{id, "bts_sites", "", "site", stage, ""} }

func (l *loaded) uncovered(t testing.TB, level, code, operator, stage, date string) plan.UncoveredParts {
	t.Helper()
	parts, err := l.measurer.Uncovered(context.Background(), officer(), plan.UncoveredQuery{Level: level, Code: code, Operator: operator, Stage: stage, Date: day(t, date)})
	if err != nil {
		t.Fatalf("uncovered parts of %s %s: %v", level, code, err)
	}
	return parts
}

func TestHowFarTheSitesReach(t *testing.T) {
	l := load(t, demo(t))
	t.Run("distances", func(t *testing.T) { distancesToSites(t, l) })
	t.Run("by hand", func(t *testing.T) { figuresByHand(t, l) })
	t.Run("uncovered parts", func(t *testing.T) { uncoveredParts(t, l) })
	t.Run("covered population", func(t *testing.T) { coveredPopulation(t, l) })
	t.Run("units without sites", func(t *testing.T) { withoutSites(t, l) })
}

// The farthest point lies in the unit, as far from every site as is said; with more sites
// no distance grows.
func distancesToSites(t *testing.T, l *loaded) {
	var sites []orb.Point
	rows, err := l.conn.Query(context.Background(), "SELECT ST_X(geom), ST_Y(geom) FROM bts_sites WHERE status = 'existing'")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var p orb.Point
		if err := rows.Scan(&p[0], &p[1]); err != nil {
			t.Fatal(err)
		}
		sites = append(sites, p)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, u := range l.units(t, "district", "", "2020-12-31") {
		p50, p95, most := find(t, u, ofSites("distance_p50_m", "built")), find(t, u, ofSites("distance_p95_m", "built")), find(t, u, ofSites("distance_max_m", "built"))
		if most.At == nil || p50.At != nil || !(0 < *p50.Value && *p50.Value < *p95.Value && *p95.Value < *most.Value) || *p50.Numerator / *p50.Denominator != 0.5 {
			t.Fatalf("%s: median %+v, 95 %% %+v, maximum %+v", u.Unit.Code, p50, p95, most)
		}
		nearest := math.Inf(1)
		for _, p := range sites {
			nearest = min(nearest, geo.DistanceM(p, *most.At))
		}
		var outsideM float64
		if err := l.conn.QueryRow(context.Background(), "SELECT ST_Distance(geom::geography, ST_SetSRID(ST_MakePoint($1, $2), 4326)::geography) FROM districts WHERE code = $3",
			most.At[0], most.At[1], u.Unit.Code).Scan(&outsideM); err != nil {
			t.Fatal(err)
		}
		if math.Abs(nearest-*most.Value) > 0.001 || outsideM > 0.1 {
			t.Errorf("%s: at most %.3f m, but it is %.3f m from %v, %.3f m outside", u.Unit.Code, *most.Value, nearest, *most.At, outsideM)
		}
		if later := find(t, u, ofSites("distance_max_m", "with_planned")); *later.Value > *most.Value {
			t.Errorf("%s: at most %g m, with the planned sites %g", u.Unit.Code, *most.Value, *later.Value)
		}
	}
}

// A district's figures the way geo/coverage says to get them by hand, with SQL alone.
func figuresByHand(t *testing.T, l *loaded) {
	u := l.units(t, "district", "096", "2015-12-31")[0]
	var areaM2, coveredM2, p50, p95 float64
	if err := l.conn.QueryRow(context.Background(), `WITH unit AS (SELECT geom AS u FROM districts WHERE code = '096'),
		d AS (SELECT geom::geography AS p, service_radius_m AS r FROM bts_sites, unit WHERE status = 'existing' AND geom && ST_Expand(u, 0.3)),
		lines AS (SELECT ST_MakeLine(ARRAY(SELECT ST_Project(p, r, radians(-k * 360.0 / 256))::geometry FROM generate_series(0, 255) k ORDER BY k)) AS line FROM d),
		discs AS (SELECT ST_Union(ST_MakePolygon(ST_AddPoint(line, ST_StartPoint(line)))) AS g FROM lines),
		grid AS (SELECT ST_SetSRID(ST_MakePoint(ST_XMin(u) + (i + 0.5) / 100 * (ST_XMax(u) - ST_XMin(u)), ST_YMin(u) + (j + 0.5) / 100 * (ST_YMax(u) - ST_YMin(u))), 4326) AS q
			FROM unit, generate_series(0, 99) i, generate_series(0, 99) j),
		measured AS (SELECT (SELECT min(ST_Distance(q::geography, p)) FROM d) AS m FROM grid, unit WHERE ST_Covers(u, q))
		SELECT ST_Area(u::geography), ST_Area(ST_Intersection(u, g)::geography), (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY m) FROM measured),
			(SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY m) FROM measured) FROM unit, discs`).Scan(&areaM2, &coveredM2, &p50, &p95); err != nil {
		t.Fatal(err)
	}
	for _, f := range []struct {
		id               string
		byHand, relative float64
	}{
		{"covered_area_m2", coveredM2, 1.1e-4}, {"covered_share", coveredM2 / areaM2, 1.1e-4}, {"distance_p50_m", p50, 0.02}, {"distance_p95_m", p95, 0.02},
	} {
		if got := *find(t, u, ofSites(f.id, "built")).Value; math.Abs(got/f.byHand-1) > f.relative {
			t.Errorf("%s is %g, by hand %g", f.id, got, f.byHand)
		} else {
			t.Logf("%s is %g, by hand %g", f.id, got, f.byHand)
		}
	}
}

// The parts have the area the indicators leave uncovered; an operator alone leaves more.
func uncoveredParts(t *testing.T, l *loaded) {
	for _, u := range l.units(t, "district", "", "2020-12-31") {
		for _, stage := range []string{"built", "with_planned"} {
			covered := find(t, u, ofSites("covered_area_m2", stage))
			parts := l.uncovered(t, "district", u.Unit.Code, "", stage, "2020-12-31")
			sum := 0.0
			for i, f := range parts.Features {
				sum += f.Properties.AreaM2
				if i > 0 && f.Properties.AreaM2 > parts.Features[i-1].Properties.AreaM2 {
					t.Errorf("%s: part %d is larger than the one before", u.Unit.Code, i)
				}
			}
			if want := *covered.Denominator - *covered.Numerator; parts.UncoveredM2 != want || math.Abs(sum-want) > 1e-4**covered.Denominator {
				t.Errorf("%s %s: parts of %.0f m2, said %.0f, the indicators leave %.0f", u.Unit.Code, stage, sum, parts.UncoveredM2, want)
			}
			raw, err := json.Marshal(parts)
			if err != nil {
				t.Fatal(err)
			}
			var valid bool
			if err := l.conn.QueryRow(context.Background(), `SELECT coalesce(bool_and(ST_IsValid(ST_GeomFromGeoJSON(f->'geometry')) AND ST_IsPolygonCW(ST_ForceRHR(ST_GeomFromGeoJSON(f->'geometry')))), true)
				FROM jsonb_array_elements($1::jsonb->'features') f`, string(raw)).Scan(&valid); err != nil || !valid {
				t.Errorf("%s %s: valid %v, %v", u.Unit.Code, stage, valid, err)
			}
		}
	}
	all := l.uncovered(t, "province", "11", "", "built", "2020-12-31")
	few := l.uncovered(t, "province", "11", "SFONE", "built", "2020-12-31")
	none := l.uncovered(t, "province", "11", "NOBODY", "built", "2020-12-31")
	if !(all.UncoveredM2 < few.UncoveredM2 && few.UncoveredM2 < none.UncoveredM2 && none.UncoveredM2 == none.AreaM2) || few.Sites == 0 || none.Sites != 0 || *few.Operator != "SFONE" {
		t.Errorf("uncovered by all %.0f, by one %.0f, by nobody %.0f m2", all.UncoveredM2, few.UncoveredM2, none.UncoveredM2)
	}
	if again := l.uncovered(t, "province", "11", "", "built", "2020-12-31"); !reflect.DeepEqual(again, all) {
		t.Error("asked twice, two answers")
	}
	if _, err := l.measurer.Uncovered(context.Background(), officer(), plan.UncoveredQuery{Level: "district", Code: "999", Stage: "built", Date: day(t, "2020-12-31")}); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("an unknown district: %v", err)
	}
}

func coveredPopulation(t *testing.T, l *loaded) {
	key := ofSites("covered_population", "built")
	province := find(t, l.units(t, "province", "11", "2015-12-31")[0], key)
	share := find(t, l.units(t, "province", "11", "2015-12-31")[0], ofSites("covered_share", "built"))
	if province.Method != "area_weighted" || *province.Denominator != 547785 || province.PopulationYear != 2015 || math.Abs(*province.Value-547785**share.Value) > 60 {
		t.Errorf("the province: %+v, covered share %g", province, *share.Value)
	}
	if other := find(t, l.units(t, "province", "11", "2016-12-31")[0], key); other.Value != nil || other.Reason == nil {
		t.Errorf("a year later: %+v", other)
	}
	if district := find(t, l.units(t, "district", "094", "2015-12-31")[0], key); district.Value != nil || district.Reason == nil {
		t.Errorf("a district whose population is not known: %+v", district)
	}
	l.run(t, "UPDATE communes SET population = 1000, population_year = 2015")
	province = find(t, l.units(t, "province", "11", "2015-12-31")[0], key)
	if *province.Denominator != 130000 {
		t.Errorf("by communes: %+v", province)
	}
	sum := 0.0
	for _, u := range l.units(t, "commune", "", "2015-12-31") {
		sum += 1000 * *find(t, u, ofSites("covered_share", "built")).Value
	}
	if math.Abs(*province.Value-sum) > 1e-4*sum+1 {
		t.Errorf("%g people covered in the province, %g in its communes", *province.Value, sum)
	}
	l.run(t, "UPDATE settlements SET population = 10")
	var people, within float64
	if err := l.conn.QueryRow(context.Background(), `SELECT 10 * count(*), 10 * count(*) FILTER (WHERE EXISTS (SELECT FROM bts_sites s
		WHERE s.status = 'existing' AND ST_DWithin(s.geom::geography, v.geom::geography, s.service_radius_m))) FROM settlements v`).Scan(&people, &within); err != nil {
		t.Fatal(err)
	}
	for _, f := range l.units(t, "province", "11", "2015-12-31")[0].Indicators {
		if f.ID == "covered_population" && f.Stage == "built" && f.Method == "settlements" {
			if *f.Value != within || *f.Denominator != people {
				t.Errorf("by settlements: %+v, PostGIS has %g of %g", f, within, people)
			}
			return
		}
	}
	t.Error("no covered population by settlements")
}

func withoutSites(t *testing.T, l *loaded) {
	l.run(t, "DELETE FROM operator_positions")
	l.run(t, "DELETE FROM bts_sites")
	u := l.units(t, "district", "094", "2015-12-31")[0]
	for _, id := range []string{"distance_p50_m", "distance_p95_m", "distance_max_m"} {
		if f := find(t, u, ofSites(id, "built")); f.Value != nil || f.Reason == nil || f.At != nil {
			t.Errorf("%s without sites: %+v", id, f)
		}
	}
	if parts := l.uncovered(t, "district", "094", "", "built", "2015-12-31"); len(parts.Features) != 1 || parts.UncoveredM2 != parts.AreaM2 {
		t.Errorf("without sites %d parts, %g of %g m2", len(parts.Features), parts.UncoveredM2, parts.AreaM2)
	}
}
