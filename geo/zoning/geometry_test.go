package zoning

import (
	"math"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"hatang/geo"
)

// TestFartherIsALowerBound: a mast may be left unmeasured only if it is out of reach.
func TestFartherIsALowerBound(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a := orb.Point{rapid.Float64Range(-180, 180).Draw(r, "lon"), rapid.Float64Range(-90, 90).Draw(r, "lat")}
		b := geo.Destination(a, rapid.Float64Range(0, 360).Draw(r, "azimuth"), rapid.Float64Range(0, 5000).Draw(r, "distance, m"))
		limitM := rapid.Float64Range(0, 5000).Draw(r, "limit, m")
		if d := geo.DistanceM(a, b); farther(a, b, limitM) && d <= limitM {
			r.Fatalf("%v and %v are %v m apart, within %v m", a, b, d, limitM)
		}
	})
}

// TestHostileShapesDoNotPanic gives Check every kind of broken geometry and number.
func TestHostileShapesDoNotPanic(t *testing.T) {
	rules := &RuleSet{
		spacings: []spacingRule{{Rule: Rule{Effect: Binding, Kind: kindSpacing}, areas: areaNames(), marginM: 1,
			counts: counting{geo.MastTypes(), []string{""}}, rows: []spacingRow{{mastType: geo.A2b, distanceM: 100}}}},
		setbacks: []setbackRule{{Rule: Rule{Effect: Binding, Kind: kindSetback}, enabled: true, mastTypes: geo.MastTypes(),
			areaKinds: []string{"k"}, ratioOfHeight: 1}},
		consultations: []consultation{{Rule: Rule{Effect: OnCondition, Kind: kindConsultation}, areaKinds: []string{"k"}}},
		reachM:        100,
	}
	class := zoneClass{Rule: Rule{Effect: Binding, Kind: kindZoneClass}, allowed: []geo.MastType{geo.A1a}}
	rules.zoneByCode = map[string]*zoneClass{"z": &class}
	nan, far := math.NaN(), 1e308
	shapes := []orb.MultiPolygon{
		nil, {}, {nil}, {{}}, {{nil}}, {{{}}}, {{{{1, 1}}}}, {{{{1, 1}, {1, 1}}}}, {{{{nan, nan}, {1, 1}, {2, nan}}}},
		{{{{-far, -far}, {far, -far}, {far, far}, {-far, -far}}}}, {{{{179, 0}, {-179, 0}, {-179, 1}, {179, 0}}}},
	}
	points := []orb.Point{{1, 1}, {0, 90}, {0, -90}, {180, 0}, {-180, 0}, {nan, 0}, {math.Inf(1), 0}, {999, 999}}
	for _, shape := range shapes {
		for _, p := range points {
			for _, accuracyM := range []float64{0, 10, nan, math.Inf(1), -1} {
				rules.Check(Proposal{Point: p, MastType: geo.A2b, HeightM: new(30.0)}, Surroundings{
					InTerritory: true, PositionAccuracyM: accuracyM,
					Zones: []Zone{{Class: "z", Geometry: shape, AccuracyM: &accuracyM}},
					Areas: []Area{{Kind: "k", Geometry: shape}},
					Masts: []Mast{{Point: p, MastType: geo.A2b}, {Point: points[5], MastType: geo.A2b}},
				})
			}
		}
	}
}
