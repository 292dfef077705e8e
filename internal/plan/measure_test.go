package plan_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hatang/internal/layer"
	"hatang/internal/plan"
)

func TestTheDemoGivesThePlansFigures(t *testing.T) {
	l := load(t, demo(t))
	t.Run("stated radii", func(t *testing.T) { statedRadii(t, l) })
	t.Run("counts of masts", func(t *testing.T) { mastCounts(t, l) })
	t.Run("districts add up", func(t *testing.T) { districtsAddUp(t, l) })
	t.Run("reconciliation", func(t *testing.T) { reconciliation(t, l) })
	t.Run("a moved site", func(t *testing.T) { movedSite(t, l) })
	t.Run("an official area", func(t *testing.T) { officialArea(t, l) })
	t.Run("unknown units", func(t *testing.T) { unknownUnits(t, l) })
}

func statedRadii(t *testing.T, l *loaded) {
	if len(l.pack.ServiceRadius.Stated) != 7 {
		t.Fatalf("%d stated radii", len(l.pack.ServiceRadius.Stated))
	}
	for _, stated := range l.pack.ServiceRadius.Stated {
		province := l.units(t, "province", l.pack.Jurisdiction, stated.Date.String())[0]
		f := find(t, province, radius(stated.Of, stated.Operator, stated.Basis, stated.Stage))
		if f.Value == nil || fmt.Sprintf("%.2f", *f.Value/1000) != stated.StatedKm.String() || *f.Denominator != float64(stated.Count) || f.AreaBasis != "official" || f.Pi != 3.14 {
			t.Errorf("%s %s: computed %+v, stated %s", stated.Of, stated.Operator, f, stated.StatedKm)
		}
		t.Logf("%s %s: %.1f m of %g, stated %s km", stated.Of, stated.Operator, *f.Value, *f.Denominator, stated.StatedKm)
	}
}

func mastCounts(t *testing.T, l *loaded) {
	for _, tt := range []struct {
		date, basis, stage string
		n                  float64
		km                 string
	}{
		{"2015-12-31", "position", "built", 613, "2.23"}, {"2015-12-31", "site", "built", 478, "2.52"}, {"2015-12-31", "plan", "built", 613, "2.23"},
		{"2020-12-31", "position", "built", 613, "2.23"}, {"2020-12-30", "site", "built", 478, "2.52"},
		{"2020-12-31", "position", "with_planned", 1093, "1.67"}, {"2020-12-31", "site", "with_planned", 847, "1.89"}, {"2020-12-31", "plan", "with_planned", 982, "1.76"},
	} {
		f := find(t, l.units(t, "province", "11", tt.date)[0], radius("bts_sites", "", tt.basis, tt.stage))
		if f.Value == nil || *f.Denominator != tt.n || fmt.Sprintf("%.2f", *f.Value/1000) != tt.km {
			t.Errorf("%s %s %s: %g, %.1f m; want %g, %s km", tt.date, tt.basis, tt.stage, *f.Denominator, *f.Value, tt.n, tt.km)
		}
	}
	for date, want := range map[string]float64{"2015-12-31": 134, "2020-12-31": 166, "2020-12-30": 134} {
		f := find(t, l.units(t, "province", "11", date)[0], radius("postal_points", "", "position", "with_planned"))
		if date != "2020-12-30" && *f.Denominator != want || *f.Denominator > 166 {
			t.Errorf("%s: %g postal points, want %g", date, *f.Denominator, want)
		}
	}
}

// districtsAddUp holds that each site is counted in exactly one district and commune.
func districtsAddUp(t *testing.T, l *loaded) {
	province := l.units(t, "province", "11", "2020-12-31")[0]
	for level, units := range map[string]int{"district": 10, "commune": 130} {
		all := l.units(t, level, "", "2020-12-31")
		if len(all) != units {
			t.Errorf("%d units of level %s", len(all), level)
		}
		for _, key := range [][6]string{radius("bts_sites", "", "site", "with_planned"), radius("bts_sites", "", "position", "with_planned"), radius("postal_points", "", "position", "with_planned")} {
			sum := 0.0
			for _, u := range all {
				sum += *find(t, u, key).Denominator
			}
			if want := *find(t, province, key).Denominator; sum != want {
				t.Errorf("%s %q: the units have %g together, the province %g", level, key, sum, want)
			}
		}
		one := l.units(t, level, all[3].Unit.Code, "2020-12-31")[0]
		if diff := cmp.Diff(all[3].Indicators, one.Indicators); diff != "" {
			t.Errorf("%s %s alone and among all (-all +alone)\n%s", level, one.Unit.Code, diff)
		}
	}
	for _, u := range l.units(t, "district", "", "2020-12-31") {
		share := find(t, u, [6]string{"covered_share", "bts_sites", "", "site", "built", ""})
		compliance := find(t, u, [6]string{"zoning_compliance_ratio", "bts_sites", "", "site", "built", ""})
		if share.Value == nil || *share.Value <= 0 || *share.Value > 1 || *share.Value != *share.Numerator / *share.Denominator {
			t.Errorf("%s: covered share %+v", u.Unit.Code, share)
		}
		if sites := *find(t, u, radius("bts_sites", "", "site", "built")).Denominator; *compliance.Denominator+float64(compliance.Unknown) != sites {
			t.Errorf("%s: %g judged and %d unknown of %g sites", u.Unit.Code, *compliance.Denominator, compliance.Unknown, sites)
		}
	}
}

func movedSite(t *testing.T, l *loaded) {
	key := radius("bts_sites", "", "site", "built")
	count := func(level, code string) float64 {
		return *find(t, l.units(t, level, code, "2015-12-31")[0], key).Denominator
	}
	from, to := "094", "103"
	before := [3]float64{count("district", from), count("district", to), count("province", "11")}
	covered := [6]string{"covered_area_m2", "bts_sites", "", "site", "built", ""}
	areaBefore := *find(t, l.units(t, "district", to, "2015-12-31")[0], covered).Value
	l.run(t, `UPDATE bts_sites SET geom = (SELECT ST_PointOnSurface(geom) FROM districts WHERE code = $2)
		WHERE id = (SELECT s.id FROM bts_sites s JOIN districts d ON d.code = $1 AND ST_Contains(d.geom, s.geom) WHERE s.status = 'existing' ORDER BY s.id LIMIT 1)`, from, to)
	after := [3]float64{count("district", from), count("district", to), count("province", "11")}
	if want := [3]float64{before[0] - 1, before[1] + 1, before[2]}; after != want {
		t.Errorf("sites of %s, %s and the province: %v, want %v", from, to, after, want)
	}
	l.run(t, "UPDATE bts_sites SET service_radius_m = service_radius_m / 2")
	if area := *find(t, l.units(t, "district", to, "2015-12-31")[0], covered).Value; area >= areaBefore {
		t.Errorf("covered area from %g to %g m2 with half the radii", areaBefore, area)
	}
}

func officialArea(t *testing.T, l *loaded) {
	key := radius("bts_sites", "", "site", "built")
	before := *find(t, l.units(t, "province", "11", "2015-12-31")[0], key).Value
	l.run(t, "UPDATE provinces SET official_area_m2 = 4 * official_area_m2")
	after := *find(t, l.units(t, "province", "11", "2015-12-31")[0], key).Value
	if math.Abs(after-2*before) > 0.15 {
		t.Errorf("four times the area: radius from %.1f to %.1f", before, after)
	}
	l.run(t, "UPDATE provinces SET official_area_m2 = NULL")
	f := find(t, l.units(t, "province", "11", "2015-12-31")[0], key)
	if f.AreaBasis != "geodesic" || math.Abs(*f.Value/before-1) > 0.05 {
		t.Errorf("without an official area: %+v", f)
	}
}

func unknownUnits(t *testing.T, l *loaded) {
	for _, tt := range [][3]string{{"district", "999", "2020-12-31"}, {"village", "", "2020-12-31"}, {"district", "094", "1990-01-01"}} {
		_, err := l.measurer.Units(context.Background(), officer(), tt[0], tt[1], day(t, tt[2]))
		if !errors.Is(err, layer.ErrNotFound) {
			t.Errorf("%v: %v", tt, err)
		}
	}
	if units := l.units(t, "district", "", "1990-01-01"); len(units) != 0 {
		t.Errorf("%d districts before there were any", len(units))
	}
}

func TestAnInventedProvinceAnswersToo(t *testing.T) {
	l := load(t, invented(t))
	province := l.units(t, "province", "99", "2026-12-31")[0]
	sites := find(t, province, radius("bts_sites", "", "site", "with_planned"))
	if want := math.Round(10*math.Sqrt(460e6/(3.1416**sites.Denominator))) / 10; sites.Pi != 3.1416 || *sites.Denominator != 4 || *sites.Value != want {
		t.Errorf("radius %+v, want %g of 4 sites", sites, want)
	}
	if early := find(t, l.units(t, "province", "99", "2022-12-31")[0], radius("bts_sites", "", "site", "with_planned")); *early.Denominator >= 4 {
		t.Errorf("%g sites before any phase has ended", *early.Denominator)
	}
	phases := 0
	for _, f := range province.Indicators {
		if f.Phase == "I" || f.Phase == "II" {
			phases++
		}
	}
	if phases == 0 {
		t.Error("the phases of the pack give no figure")
	}
	tenancy := find(t, province, [6]string{"tenancy_ratio", "bts_sites", "", "site", "with_planned", ""})
	if *tenancy.Numerator != 6 || *tenancy.Denominator != 4 || *tenancy.Value != 1.5 {
		t.Errorf("tenancy %+v", tenancy)
	}
	for _, u := range l.units(t, "district", "", "2026-12-31") {
		share := find(t, u, [6]string{"covered_share", "bts_sites", "", "site", "built", ""})
		compliance := find(t, u, [6]string{"zoning_compliance_ratio", "bts_sites", "", "site", "built", ""})
		if share.Value == nil || *share.Value < 0 || *share.Value > 1 || *compliance.Denominator+float64(compliance.Unknown) == 0 && u.Unit.Code == "901" {
			t.Errorf("%s: share %+v, compliance %+v", u.Unit.Code, share, compliance)
		}
	}
	if _, err := l.ledger.Document(context.Background(), officer(), "reconciliation", "", day(t, "2026-12-31")); err != nil {
		t.Error(err)
	}
}

// Units can be measured before any plan is loaded: the map alone has areas and counts.
func TestUnitsWithoutAPlan(t *testing.T) {
	l := load(t, nil)
	l.run(t, `INSERT INTO provinces (code, valid_from, jurisdiction, geom) VALUES ('11', '2015-01-01', '11', 'SRID=4326;MULTIPOLYGON(((103 21,104 21,104 22,103 22,103 21)))')`)
	l.run(t, `INSERT INTO bts_sites (code, valid_from, jurisdiction, status, mast_type, geom) VALUES ('A', '2015-01-01', '11', 'existing', 'A2b', 'SRID=4326;POINT(103.5 21.5)')`)
	f := find(t, l.units(t, "province", "11", "2020-12-31")[0], radius("bts_sites", "", "site", "built"))
	if f.Value == nil || f.Pi != math.Pi {
		t.Errorf("%+v", f)
	}
	if _, err := l.ledger.Document(context.Background(), officer(), "indicators", "", day(t, "2020-12-31")); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("the ledger of no plan: %v", err)
	}
}

// contents is a digest of every row of every layer but for when it was written.
func (l *loaded) contents(t *testing.T) map[string]string {
	t.Helper()
	digests := map[string]string{}
	for _, lay := range l.layers.All() {
		var digest string
		sql := fmt.Sprintf("SELECT count(*) || ' ' || md5(coalesce(string_agg((to_jsonb(t) - 'updated_at')::text || ST_AsEWKT(geom, 15), '|' ORDER BY id), '')) FROM %s t", lay.Name)
		if err := l.conn.QueryRow(context.Background(), sql).Scan(&digest); err != nil {
			t.Fatal(err)
		}
		digests[lay.Name] = digest
	}
	return digests
}

func TestTwoLoadsAreTheSame(t *testing.T) {
	first, second := load(t, demo(t)).contents(t), load(t, demo(t)).contents(t)
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("(-first +second)\n%s", diff)
	}
	for name, want := range map[string]string{"bts_sites": "847 ", "operator_positions": "1093 ", "communes": "130 ", "wifi_points": "70 ", "exchanges": "64 ", "kiosks": "17 ", "postal_points": "149 "} {
		if got := first[name]; got[:len(want)] != want {
			t.Errorf("%s: %s rows", name, got)
		}
	}
}

func BenchmarkUnitsDistricts(b *testing.B) {
	l := load(b, demo(b))
	date := day(b, "2020-12-31")
	b.Run("computed", func(b *testing.B) {
		for b.Loop() {
			fresh := plan.NewMeasurer(l.store, l.checker())
			if _, err := fresh.Units(context.Background(), officer(), "district", "", date); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("kept", func(b *testing.B) {
		for b.Loop() {
			if _, err := l.measurer.Units(context.Background(), officer(), "district", "", date); err != nil {
				b.Fatal(err)
			}
		}
	})
}
