package zoning_test

import (
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"hatang/geo"
	"hatang/geo/zoning"
)

// frameAt is a square with a square hole, half sides in degrees.
func frameAt(c orb.Point, half, hole float64) orb.MultiPolygon {
	return orb.MultiPolygon{{squareAt(c, half)[0][0], squareAt(c, hole)[0][0]}}
}

// drawPoorly is a wide scene with edges of any accuracy, zones that are frames, and ids
// that are few.
func drawPoorly(t *rapid.T, tb testing.TB) zoning.SceneData {
	d := drawScene(t, tb)
	if rapid.Bool().Draw(t, "wide territory") {
		d.Territories[0].Geometry = squareAt(here, 1)
	}
	for i := range d.Zones {
		z := &d.Zones[i]
		z.ID %= 7
		z.AccuracyM = nil
		if rapid.Bool().Draw(t, "poor edge") {
			z.AccuracyM = new(rapid.SampledFrom([]float64{-5, 0, 5, 49, 51, 700, 6000, 20000, math.Inf(1)}).Draw(t, "edge, m"))
		}
		at := east(rapid.Float64Range(-30e3, 30e3).Draw(t, "zone east, m"))
		switch rapid.IntRange(0, 3).Draw(t, "shape") {
		case 0:
			z.Geometry = squareAt(at, 0.02)
		case 1:
			z.Geometry = frameAt(at, 0.5, rapid.Float64Range(0.01, 0.3).Draw(t, "hole"))
		case 2:
			z.Geometry = nil
		}
	}
	return d
}

func drawPlace(t *rapid.T, tb testing.TB) zoning.Proposal {
	p := drawProposal(t, tb)
	p.Point = east(rapid.Float64Range(-10e3, 10e3).Draw(t, "east, m"))
	if rapid.Bool().Draw(t, "poor position") {
		p.AccuracyM = new(rapid.SampledFrom([]float64{0, 3, 80, 900, 9000, 1e5}).Draw(t, "position, m"))
	}
	return p
}

// TestScenePoorEdges: whatever the accuracies, and whichever zones came and went, a
// scene answers as RuleSet.Check does with everything looked at, and what it says lies
// round an exact place is enough for Check to answer the same.
func TestScenePoorEdges(t *testing.T) {
	rules := demoRules(t)
	all := everywhere(rules)
	verdicts := map[zoning.Verdict]int{}
	rapid.Check(t, func(r *rapid.T) {
		d := drawPoorly(r, t)
		scene := zoning.NewScene(d)
		for range rapid.IntRange(1, 4).Draw(r, "changes") {
			c := zoning.Changes{GoneZones: rapid.SliceOfN(rapid.Int64Range(0, 6), 0, 3).Draw(r, "gone zones")}
			c.Came.Zones = drawPoorly(r, t).Zones
			d, scene = changed(d, c), scene.With(c)
			p := drawPlace(r, t)
			want := rules.Check(p, plainly(d, p.Point))
			verdicts[want.Verdict]++
			for name, s := range map[string]*zoning.Scene{"edited": scene, "anew": zoning.NewScene(d)} {
				if diff := sameResult(want, check(s, all, p)); diff != "" {
					r.Fatalf("%s (-by hand +scene):\n%s", name, diff)
				}
				if got := verdict(s, all, p); got != want.Verdict {
					r.Fatalf("%s: verdict %s, want %s", name, got, want.Verdict)
				}
			}
			p.AccuracyM = nil
			_, around := scene.Surroundings(all, p.Point)
			if diff := sameResult(check(scene, all, p), rules.Check(p, around)); diff != "" {
				r.Fatalf("Surroundings (-scene +by hand):\n%s", diff)
			}
		}
	})
	for _, v := range []zoning.Verdict{zoning.Permitted, zoning.Refused, zoning.Undetermined} {
		if verdicts[v] == 0 {
			t.Errorf("no verdict was %s: the test shows little: %v", v, verdicts)
		}
	}
}

// TestSceneBeyondAPoorEdge: beyond a poor edge another zone counts, however far it is
// and however exact.
func TestSceneBeyondAPoorEdge(t *testing.T) {
	rules := demoRules(t)
	poor, round := zoneOf(t, 1, "dd"), zoneOf(t, 2, "dd")
	poor.AccuracyM = new(20000.0)
	round.Geometry = frameAt(here, 0.5, 0.1)
	d := zoning.SceneData{Territories: []zoning.Territory{{ID: 1, Code: "11", Geometry: squareAt(here, 1)}}, Zones: []zoning.Zone{poor}}
	scene, p := zoning.NewScene(d), proposalOf(t, geo.A2b)
	if got := verdict(scene, everywhere(rules), p); got != zoning.Undetermined {
		t.Errorf("nothing beyond the edge: want undetermined, got %s", got)
	}
	d.Zones = append(d.Zones, round)
	want := rules.Check(p, plainly(d, p.Point)).Verdict
	if got := verdict(zoning.NewScene(d), everywhere(rules), p); got != want || got != zoning.Permitted {
		t.Errorf("a zone beyond the edge: want %s and permitted, got %s", want, got)
	}
	if got := verdict(scene.With(zoning.Changes{Came: zoning.SceneData{Zones: []zoning.Zone{round}}}), everywhere(rules), p); got != want {
		t.Errorf("… that came later: want %s, got %s", want, got)
	}
}

// BenchmarkSceneAccuracy asks all over a nation for verdicts and findings about places
// of several accuracies; then with one zone of 20 km far from most, and with it gone.
func BenchmarkSceneAccuracy(b *testing.B) {
	c := newCountry(b, 10000, cityCount)
	exact := zoning.NewScene(c.SceneData)
	worst := c.Zones[17]
	worst.ID, worst.AccuracyM = 1e6, new(20000.0)
	poor := exact.With(zoning.Changes{Came: zoning.SceneData{Zones: []zoning.Zone{worst}}})
	probes, rules := c.probes(b, 1<<15), c.rules
	c = country{}
	runtime.GC()
	for _, in := range []struct {
		name      string
		scene     *zoning.Scene
		accuracyM float64
	}{{"none", exact, 0}, {"10 m", exact, 10}, {"100 m", exact, 100}, {"1 km", exact, 1000}, {"20 km", exact, 20000},
		{"one poor zone", poor, 0}, {"the poor zone gone", poor.With(zoning.Changes{GoneZones: []int64{1e6}}), 0}} {
		for name, ask := range map[string]func(p zoning.Proposal){
			"verdict":  func(p zoning.Proposal) { in.scene.Verdict(rules, p) },
			"findings": func(p zoning.Proposal) { in.scene.Findings(rules, p) },
		} {
			b.Run(fmt.Sprintf("%s/%s", name, in.name), func(b *testing.B) {
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					p := probes[i&(1<<15-1)]
					if in.accuracyM > 0 {
						p.AccuracyM = &in.accuracyM
					}
					ask(p)
					i++
				}
			})
		}
	}
}
