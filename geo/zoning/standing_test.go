package zoning_test

import (
	"fmt"
	"math/rand"
	"slices"
	"testing"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
)

// standingIn collects what the rules say of all masts.
func standingIn(tb testing.TB, d zoning.SceneData) []zoning.Standing {
	return slices.Collect(zoning.NewScene(d).Standing(everywhere(demoRules(tb)), day(tb, "2020-06-30"), func(*zoning.Mast) bool { return true }))
}

// built is a mast with what Standing needs.
func built(tb testing.TB, id int64, distanceM float64, since string, structure geo.Structure) zoning.Mast {
	m := mastAt(id, distanceM, geo.A2b, "VNPT")
	m.HeightM, m.Built = new(42.0), &zoning.Built{Structure: &structure}
	if since != "" {
		m.Built.Since = day(tb, since)
	}
	return m
}

// TestStanding: masts are judged by what holds for masts that stand, each without itself,
// and what stood before the rule or the zone that it misses says so.
func TestStanding(t *testing.T) {
	town := func(masts ...zoning.Mast) zoning.SceneData {
		d := zoning.SceneData{Masts: masts, Territories: []zoning.Territory{{ID: 1, Code: "11", Geometry: squareAt(here, 0.05)}},
			Communes: []zoning.Commune{{ID: 1, Code: "03", District: "094", Urban: true, Geometry: squareAt(here, 0.05)}}, Zones: []zoning.Zone{zoneOf(t, 1, "d"), zoneOf(t, 2, "b")}}
		d.Zones[0].Geometry, d.Zones[1].Geometry = squareAt(here, 0.04), squareAt(east(3000), 0.005)
		d.Zones[1].Period.From = day(t, "2019-01-01")
		return d
	}
	self, guyed := geo.SelfSupporting, geo.Guyed
	for _, tt := range []struct {
		name    string
		masts   []zoning.Mast
		verdict zoning.Verdict // of the first
		before  bool
		rule    string // that decides
	}{
		{"conforms, alone", []zoning.Mast{built(t, 1, 0, "2014-01-01", self)}, zoning.Permitted, false, ""},
		{"too near to another", []zoning.Mast{built(t, 1, 0, "2014-01-01", self), built(t, 2, 250, "2014-01-01", self)}, zoning.Conditional, true, "COND-d2"},
		{"not so near", []zoning.Mast{built(t, 1, 0, "2014-01-01", self), built(t, 2, 301, "2014-01-01", self)}, zoning.Permitted, false, ""},
		{"too near, built after the plan", []zoning.Mast{built(t, 1, 0, "2017-01-01", self), built(t, 2, 250, "2014-01-01", self)}, zoning.Conditional, false, "COND-d2"},
		{"guyed in a town, before the plan", []zoning.Mast{built(t, 1, 0, "2015-12-31", guyed)}, zoning.Refused, true, "COND-d1"},
		{"guyed in a town, from the first day on", []zoning.Mast{built(t, 1, 0, "2016-01-01", guyed)}, zoning.Refused, false, "COND-d1"},
		{"in a zone that came later", []zoning.Mast{built(t, 1, 3000, "2018-12-31", self)}, zoning.Refused, true, "ZONE-b"},
		{"in a zone that was there", []zoning.Mast{built(t, 1, 3000, "2019-01-01", self)}, zoning.Refused, false, "ZONE-b"},
		{"nobody knows since when", []zoning.Mast{built(t, 1, 3000, "", self)}, zoning.Refused, false, "ZONE-b"},
		{"nobody knows how it stands", []zoning.Mast{mastAt(1, 0, geo.A2b, "VNPT")}, zoning.Undetermined, false, "COND-d1"},
		{"outside the territory", []zoning.Mast{built(t, 1, 9000, "2014-01-01", self)}, zoning.Undetermined, false, "TERRITORY"},
	} {
		got := standingIn(t, town(tt.masts...))
		if len(got) != len(tt.masts) || got[0].Mast.ID != 1 {
			t.Fatalf("%s: %+v", tt.name, got)
		}
		s := got[0]
		decides := slices.ContainsFunc(s.Findings, func(f zoning.Finding) bool { return f.Decides && f.Rule == tt.rule })
		if s.Verdict != tt.verdict || s.BeforePlan != tt.before || decides != (tt.rule != "") {
			t.Errorf("%s: %s, before the plan %t: %+v", tt.name, s.Verdict, s.BeforePlan, s.Findings)
		}
		if slices.ContainsFunc(s.Findings, func(f zoning.Finding) bool { return f.Rule == "SHARE-duty" || f.Rule == "CONSULT-aviation" }) {
			t.Errorf("%s: asked what is for new masts: %+v", tt.name, s.Findings)
		}
	}
}

// TestStandingAsCheck: of a mast far from all others, what the rules say is what they say
// of a proposal of the same mast, the duty to share and consultations left out.
func TestStandingAsCheck(t *testing.T) {
	rules := everywhere(demoRules(t))
	for seed := range int64(100) {
		r := rand.New(rand.NewSource(seed))
		d := somePlace(t, r, zoning.SceneData{})
		for i := range d.Masts {
			d.Masts[i].HeightM, d.Masts[i].Built = new(40*r.Float64()+1), &zoning.Built{Structure: new(geo.Structures()[r.Intn(5)]), Concealed: new(r.Intn(2) == 0)}
		}
		scene := zoning.NewScene(d)
		for s := range scene.Standing(rules, day(t, "2020-06-30"), func(*zoning.Mast) bool { return true }) {
			m := s.Mast
			others := zoning.NewScene(without(d, m.ID))
			_, want := others.Check(rules, zoning.Proposal{Point: m.Point, MastType: m.MastType, HeightM: m.HeightM, Structure: m.Built.Structure, Concealed: m.Built.Concealed, Date: day(t, "2020-06-30")})
			forNew := func(f zoning.Finding) bool { return f.Rule == "SHARE-duty" || f.Rule[:4] == "CONS" }
			want.Findings = slices.DeleteFunc(want.Findings, forNew)
			if a, b := tellAll(want.Findings), tellAll(s.Findings); a != b {
				t.Fatalf("town %d, mast %d: want %s\ngot %s", seed, m.ID, a, b)
			}
		}
	}
}

// without are the data without a mast, and without drafts, which count against none that stands.
func without(d zoning.SceneData, id int64) zoning.SceneData {
	d.Masts = slices.DeleteFunc(slices.Clone(d.Masts), func(m zoning.Mast) bool { return m.ID == id || m.Status == zoning.Draft })
	return d
}

// tellAll writes findings without what decides, which depends on the others.
func tellAll(findings []zoning.Finding) (text string) {
	for _, f := range findings {
		text += fmt.Sprintf("%s %s %s; ", f.Rule, f.Outcome, f.Message.EN)
	}
	return text
}

// BenchmarkStanding judges a country's masts, one in a square kilometre.
func BenchmarkStanding(b *testing.B) {
	rules := everywhere(demoRules(b))
	r := rand.New(rand.NewSource(1))
	plane := geo.NewPlane(here)
	d := zoning.SceneData{Territories: []zoning.Territory{{ID: 1, Code: "11", Geometry: squareAt(here, 3)}}, Zones: []zoning.Zone{zoneOf(b, 1, "dd")}}
	d.Zones[0].Geometry = squareAt(here, 3)
	for i := range 200_000 {
		m := built(b, int64(i), 0, "2014-01-01", geo.SelfSupporting)
		m.Point = orb.Point(plane.At((r.Float64()-0.5)*447e3, (r.Float64()-0.5)*447e3))
		d.Masts = append(d.Masts, m)
	}
	scene := zoning.NewScene(d)
	n := 0
	for b.Loop() {
		n = 0
		for range scene.Standing(rules, day(b, "2020-06-30"), func(*zoning.Mast) bool { return true }) {
			n++
		}
	}
	b.ReportMetric(float64(n), "masts")
}
