package zoning_test

import (
	"os"
	"slices"
	"testing"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
)

// demoRules are the rules of the demo pack: the body that is shipped is the one tested.
func demoRules(tb testing.TB) *zoning.RuleSet {
	tb.Helper()
	return rulesFrom(tb, "../../internal/plan/packs/dien-bien/rules.json")
}

func rulesFrom(tb testing.TB, path string) *zoning.RuleSet {
	tb.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	rules, err := zoning.ParseRuleSet(body)
	if err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
	return rules
}

func day(tb testing.TB, s string) geo.Date {
	tb.Helper()
	d, err := geo.ParseDate(s)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// The fixed scene of most tests: a point in the province's city, in 2020.
var here = orb.Point{103.02, 21.39}

// squareAt is a closed square of the given half side, in degrees.
func squareAt(c orb.Point, half float64) orb.MultiPolygon {
	x, y := c[0], c[1]
	return orb.MultiPolygon{{{{x - half, y - half}, {x + half, y - half}, {x + half, y + half}, {x - half, y + half}, {x - half, y - half}}}}
}

// zoneOf is a zone round here, in force from the plan's start.
func zoneOf(tb testing.TB, id int64, class string) zoning.Zone {
	tb.Helper()
	return zoning.Zone{Collection: "mast_zones", ID: id, Code: class + "-1", Class: class,
		Geometry: squareAt(here, 0.01), Period: geo.Period{From: day(tb, "2016-01-01")}}
}

// east is the point so many metres to the east of here.
func east(distanceM float64) orb.Point { return geo.Destination(here, 90, distanceM) }

func mastAt(id int64, distanceM float64, t geo.MastType, operators ...string) zoning.Mast {
	return zoning.Mast{Collection: "bts_sites", ID: id, Code: "S" + string(rune('0'+id%10)), Point: east(distanceM),
		MastType: t, Operators: operators, Status: "existing"}
}

// urban and rural are surroundings with one permissive zone.
func urban(tb testing.TB) zoning.Surroundings {
	return zoning.Surroundings{InTerritory: true, Urban: true, Zones: []zoning.Zone{zoneOf(tb, 1, "d")}}
}

func rural(tb testing.TB) zoning.Surroundings {
	return zoning.Surroundings{InTerritory: true, Zones: []zoning.Zone{zoneOf(tb, 1, "dd")}}
}

// proposalOf is a complete proposal that meets every rule of the demo pack where
// its type is allowed.
func proposalOf(tb testing.TB, t geo.MastType) zoning.Proposal {
	p := zoning.Proposal{Point: here, MastType: t, Date: day(tb, "2020-06-30"), Operator: "VIETTEL", Concealed: new(false)}
	switch t {
	case geo.A1a:
		p.HeightM, p.HalfWidthM, p.HostBuildingHeightM, p.Structure = new(2.8), new(0.4), new(20.0), new(geo.Rooftop)
	case geo.A1b:
		p.HeightM, p.HalfWidthM, p.HostBuildingHeightM, p.Structure, p.Concealed = new(9.0), new(1.0), new(20.0), new(geo.OtherStructure), new(true)
	case geo.A2a:
		p.HeightM, p.HalfWidthM, p.HostBuildingHeightM, p.Structure = new(12.0), new(2.0), new(15.0), new(geo.Rooftop)
	case geo.A2b:
		p.HeightM, p.HalfWidthM, p.Structure = new(42.0), new(3.0), new(geo.SelfSupporting)
	}
	return p
}

// find returns the findings of a rule.
func find(r zoning.Result, rule string) []zoning.Finding {
	return slices.DeleteFunc(slices.Clone(r.Findings), func(f zoning.Finding) bool { return f.Rule != rule })
}

// outcome returns the outcome of the only finding of a rule, "" when there is none.
func outcome(tb testing.TB, r zoning.Result, rule string) zoning.Outcome {
	tb.Helper()
	found := find(r, rule)
	if len(found) > 1 {
		tb.Fatalf("rule %s: %d findings, want one at most", rule, len(found))
	}
	if len(found) == 0 {
		return ""
	}
	return found[0].Outcome
}
