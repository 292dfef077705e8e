package zoning_test

import (
	"slices"
	"testing"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
)

// TestPlacesOfThePlan asks about six known places, with the zones that the plan's
// text gives them, drawn round the point. The clause stands in the rule set.
func TestPlacesOfThePlan(t *testing.T) {
	rules := demoRules(t)
	a1Hill := orb.Point{103.0165, 21.3826}
	at := func(p orb.Point, urban bool, classes ...string) zoning.Surroundings {
		s := zoning.Surroundings{InTerritory: true, Urban: urban}
		for i, class := range classes {
			s.Zones = append(s.Zones, zoning.Zone{Collection: "mast_zones", ID: int64(i + 1), Class: class,
				Geometry: squareAt(p, 0.002), Period: geo.Period{From: day(t, "2016-01-01")}, Illustrative: true})
		}
		return s
	}
	selfSupporting, guyed := new(geo.SelfSupporting), new(geo.Guyed)
	ward, village, himLam := orb.Point{103.033544, 21.38546}, orb.Point{103.226566, 21.144375}, orb.Point{103.030279, 21.404416}
	tests := []struct {
		name     string
		p        zoning.Proposal
		s        zoning.Surroundings
		verdicts []zoning.Verdict
		because  string
	}{
		{"P1 a tall mast on A1 hill", zoning.Proposal{Point: a1Hill, MastType: geo.A2b, HeightM: new(45.0), Structure: selfSupporting},
			at(a1Hill, true, "d", "b"), []zoning.Verdict{zoning.Refused}, "ZONE-b"},
		{"P2 a camouflaged mast on A1 hill", zoning.Proposal{Point: a1Hill, MastType: geo.A1b, HeightM: new(9.0), Structure: new(geo.OtherStructure), Concealed: new(true)},
			at(a1Hill, true, "d", "b"), []zoning.Verdict{zoning.Permitted, zoning.Conditional}, "ZONE-b"},
		{"P3 a guyed mast in an urban ward", zoning.Proposal{Point: ward, MastType: geo.A2b, HeightM: new(36.0), Structure: guyed},
			at(ward, true, "d"), []zoning.Verdict{zoning.Refused}, "COND-d1"},
		{"P4 remote countryside", zoning.Proposal{Point: village, MastType: geo.A2b, HeightM: new(42.0), Structure: selfSupporting},
			at(village, false, "dd"), []zoning.Verdict{zoning.Permitted, zoning.Conditional}, "ZONE-dd"},
		{"P5 an A1a mast on a building nobody measured", zoning.Proposal{Point: himLam, MastType: geo.A1a, HeightM: new(2.8), HalfWidthM: new(0.4), Structure: new(geo.Rooftop)},
			at(himLam, true, "d"), []zoning.Verdict{zoning.Undetermined}, "A1-class"},
		{"P6 outside the province", zoning.Proposal{Point: orb.Point{102.6, 21.1}, MastType: geo.A2b, HeightM: new(42.0), Structure: selfSupporting},
			zoning.Surroundings{}, []zoning.Verdict{zoning.Undetermined}, "TERRITORY"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.p.Date = day(t, "2020-06-30")
			r := rules.Check(tt.p, tt.s)
			if !slices.Contains(tt.verdicts, r.Verdict) {
				t.Errorf("verdict: want one of %v, got %s", tt.verdicts, r.Verdict)
			}
			if len(find(r, tt.because)) == 0 {
				t.Errorf("no finding of %s", tt.because)
			}
			if want := len(tt.s.Zones) > 0; r.Provisional != want {
				t.Errorf("provisional: want %v, got %v", want, r.Provisional)
			}
			wellFormed(t, r)
			if t.Failed() {
				dump(t, r)
			}
		})
	}
	p5 := tests[4].p
	p5.Date = day(t, "2020-06-30")
	missing := find(rules.Check(p5, tests[4].s), "A1-class")[0].Missing
	if want := []string{"host_building_height_m"}; !slices.Equal(want, missing) {
		t.Errorf("P5: missing want %v, got %v", want, missing)
	}
}

// TestAccuracy moves points about an edge of known place: 0.01° of latitude north of here.
func TestAccuracy(t *testing.T) {
	rules := demoRules(t)
	edge := orb.Point{here[0], here[1] + 0.01}
	inside := func(m float64) orb.Point { return geo.Destination(edge, 180, m) }
	outside := func(m float64) orb.Point { return geo.Destination(edge, 0, m) }
	wide := zoneOf(t, 1, "d")
	wide.Geometry = squareAt(here, 0.5)
	strict := zoneOf(t, 2, "b")
	strict.AccuracyM = new(10.0)
	drawn := strict
	drawn.Illustrative = true
	tests := []struct {
		name      string
		p         orb.Point
		mast      geo.MastType
		zones     []zoning.Zone
		accuracyM float64
		verdict   zoning.Verdict
	}{
		{"just inside, the edge may be wrong", inside(9), geo.A2a, []zoning.Zone{wide, strict}, 0, "undetermined"},
		{"farther inside", inside(11), geo.A2a, []zoning.Zone{wide, strict}, 0, "refused"},
		{"farther inside, position poor as well", inside(11), geo.A2a, []zoning.Zone{wide, strict}, 2, "undetermined"},
		{"just outside", outside(9), geo.A2a, []zoning.Zone{wide, strict}, 0, "undetermined"},
		{"farther outside", outside(11), geo.A2a, []zoning.Zone{wide, strict}, 0, "permitted"},
		{"just inside, but allowed on both sides", inside(9), geo.A1b, []zoning.Zone{wide, strict}, 0, "permitted"},
		{"illustrative zones are judged as drawn", inside(9), geo.A2a, []zoning.Zone{wide, drawn}, 0, "refused"},
		{"illustrative, just outside", outside(9), geo.A2a, []zoning.Zone{wide, drawn}, 0, "permitted"},
		{"the only zone may not be here", inside(9), geo.A1b, []zoning.Zone{strict}, 0, "undetermined"},
		{"another zone refuses anyway", inside(9), geo.A2a, []zoning.Zone{wide, strict, certain(t)}, 0, "refused"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := proposalOf(t, tt.mast)
			p.Point = tt.p
			r := rules.Check(p, zoning.Surroundings{InTerritory: true, Urban: true, Zones: tt.zones, PositionAccuracyM: tt.accuracyM})
			if r.Verdict != tt.verdict {
				t.Errorf("verdict: want %s, got %s", tt.verdict, r.Verdict)
				dump(t, r)
			}
			wellFormed(t, r)
		})
	}
}

// certain is a strict zone whose edges are far away.
func certain(tb testing.TB) zoning.Zone {
	z := zoneOf(tb, 9, "c")
	z.Geometry = squareAt(here, 0.4)
	return z
}

func TestCompliance(t *testing.T) {
	rules := demoRules(t)
	date := day(t, "2020-12-31")
	monument := urban(t)
	monument.Zones = append(monument.Zones, zoneOf(t, 2, "b"))
	site := func(id int64, mt geo.MastType, s *geo.Structure, since string, around zoning.Surroundings) zoning.ExistingMast {
		return zoning.ExistingMast{Mast: mastAt(id, 0, mt), Structure: s, Since: day(t, since), Around: around}
	}
	report := rules.Compliance([]zoning.ExistingMast{
		site(1, geo.A2b, new(geo.SelfSupporting), "2010-05-01", urban(t)),
		site(2, geo.A2b, new(geo.Guyed), "2010-05-01", urban(t)),
		site(3, geo.A2b, new(geo.Guyed), "2017-05-01", rural(t)),
		site(4, geo.A2a, nil, "2017-05-01", monument),
		site(5, geo.A2b, nil, "2017-05-01", urban(t)),
		site(6, geo.A2b, nil, "2017-05-01", zoning.Surroundings{InTerritory: true}),
	}, date)
	var compliant, known, before []bool
	for _, s := range report.Sites {
		compliant, known, before = append(compliant, s.Compliant), append(known, s.Known), append(before, s.BeforePlan)
	}
	if want := []bool{true, false, true, false, false, false}; !slices.Equal(want, compliant) {
		t.Errorf("compliant: want %v, got %v", want, compliant)
	}
	if want := []bool{true, true, true, true, false, false}; !slices.Equal(want, known) {
		t.Errorf("known: want %v, got %v", want, known)
	}
	if want := []bool{true, true, false, false, false, false}; !slices.Equal(want, before) {
		t.Errorf("before the plan: want %v, got %v", want, before)
	}
	if report.Compliant != 2 || report.Judged != 4 || report.Unknown != 2 || report.BeforePlan != 1 {
		t.Errorf("want 2 of 4, 2 unknown, 1 before the plan; got %+v", report)
	}
	if ratio, ok := report.Ratio(); !ok || ratio != 0.5 {
		t.Errorf("ratio: want 0.5, got %v %v", ratio, ok)
	}
	if _, ok := rules.Compliance(nil, date).Ratio(); ok {
		t.Error("no mast has a ratio")
	}
	if compliant, known := rules.ComplianceOf(mastAt(1, 0, geo.A2a), nil, monument, date); compliant || !known {
		t.Errorf("A2a at a monument: want known and not compliant, got %v %v", compliant, known)
	}
}
