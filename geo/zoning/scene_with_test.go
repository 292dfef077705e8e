package zoning_test

import (
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"sync"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"hatang/geo/zoning"
)

// drawChanges makes rows come and go among ids that are few, so that they meet.
func drawChanges(t *rapid.T, tb testing.TB) zoning.Changes {
	ids := rapid.SliceOfN(rapid.Int64Range(0, 6), 0, 3)
	c := zoning.Changes{GoneTerritories: ids.Draw(t, "gone territories"), GoneCommunes: ids.Draw(t, "gone communes"),
		GoneZones: ids.Draw(t, "gone zones"), GoneMasts: ids.Draw(t, "gone masts"), GoneAreas: ids.Draw(t, "gone areas")}
	came := drawScene(t, tb)
	if rapid.Bool().Draw(t, "everything comes") {
		c.Came = came
	}
	if rapid.Bool().Draw(t, "masts and zones come") {
		c.Came.Masts, c.Came.Zones = came.Masts, came.Zones
	}
	for i := range c.Came.Zones {
		c.Came.Zones[i].ID %= 7
	}
	for i := range c.Came.Masts {
		c.Came.Masts[i].ID %= 7
	}
	for i := range c.Came.Areas {
		c.Came.Areas[i].ID %= 7
	}
	return c
}

// replaced is what With says of one layer, done plainly.
func replaced[T any](rows []T, gone []int64, came []T, id func(T) int64) []T {
	leaves := func(r T) bool {
		return slices.Contains(gone, id(r)) || slices.ContainsFunc(came, func(c T) bool { return id(c) == id(r) })
	}
	return append(slices.DeleteFunc(slices.Clone(rows), leaves), came...)
}

func changed(d zoning.SceneData, c zoning.Changes) zoning.SceneData {
	d.Territories = replaced(d.Territories, c.GoneTerritories, c.Came.Territories, func(r zoning.Territory) int64 { return r.ID })
	d.Communes = replaced(d.Communes, c.GoneCommunes, c.Came.Communes, func(r zoning.Commune) int64 { return r.ID })
	d.Zones = replaced(d.Zones, c.GoneZones, c.Came.Zones, func(r zoning.Zone) int64 { return r.ID })
	d.Masts = replaced(d.Masts, c.GoneMasts, c.Came.Masts, func(r zoning.Mast) int64 { return r.ID })
	d.Areas = replaced(d.Areas, c.GoneAreas, c.Came.Areas, func(r zoning.Area) int64 { return r.ID })
	if c.Came.Withheld != nil {
		d.Withheld = c.Came.Withheld
	}
	return d
}

// sameAnswers asks two scenes, which hold the same rows, the same things.
func sameAnswers(t *rapid.T, tb testing.TB, what string, want, got *zoning.Scene, rules *zoning.Rules) {
	for range 3 {
		p := drawProposal(t, tb)
		p.Point = east(rapid.Float64Range(-4000, 4000).Draw(t, "east, m"))
		if rapid.Bool().Draw(t, "poor position") {
			p.AccuracyM = new(rapid.Float64Range(0, 300).Draw(t, "accuracy, m"))
		}
		wantPlace, wantResult := want.Check(rules, p)
		gotPlace, gotResult := got.Check(rules, p)
		if diff := sameResult(wantResult, gotResult); diff != "" || wantPlace != gotPlace {
			t.Fatalf("%s, at %v: %+v %+v\n%s", what, p.Point, wantPlace, gotPlace, diff)
		}
		if place, v := got.Verdict(rules, p); place != wantPlace || v != wantResult.Verdict {
			t.Fatalf("%s: verdict %s, want %s", what, v, wantResult.Verdict)
		}
	}
}

// TestWithIsAnotherScene: after any changes, one upon the other, a scene answers as
// one made of the rows that are left; the scenes before it answer as they did; and
// another viewer's scene is the one made of that viewer's rows.
func TestWithIsAnotherScene(t *testing.T) {
	rules := everywhere(demoRules(t))
	rapid.Check(t, func(r *rapid.T) {
		data := []zoning.SceneData{drawScene(r, t)}
		scenes := []*zoning.Scene{zoning.NewScene(data[0])}
		for range rapid.IntRange(1, 6).Draw(r, "changes") {
			c := drawChanges(r, t)
			data = append(data, changed(data[len(data)-1], c))
			scenes = append(scenes, scenes[len(scenes)-1].With(c))
		}
		for i := range scenes {
			sameAnswers(r, t, fmt.Sprintf("scene %d of %d", i, len(scenes)-1), zoning.NewScene(data[i]), scenes[i], rules)
		}
		last, other := data[len(data)-1], drawScene(r, t)
		view := scenes[len(scenes)-1].For(other.Masts, other.Areas, other.Withheld)
		last.Masts, last.Areas, last.Withheld = other.Masts, other.Areas, other.Withheld
		sameAnswers(r, t, "another viewer", zoning.NewScene(last), view, rules)
	})
}

// TestManyEdits: thousands of single edits, which no layer keeps apart for ever.
func TestManyEdits(t *testing.T) {
	c := newCountry(t, 60, 3)
	scene, random := zoning.NewScene(c.SceneData), rand.New(rand.NewSource(countrySeed))
	data := c.SceneData
	for range 1500 {
		var edit zoning.Changes
		at := random.Intn(len(data.Masts))
		switch random.Intn(4) {
		case 0:
			m := data.Masts[at]
			m.Point[0] += 0.01 * random.NormFloat64()
			edit.Came.Masts = []zoning.Mast{m}
		case 1:
			edit.GoneMasts = []int64{data.Masts[at].ID}
		case 2:
			z := data.Zones[random.Intn(len(data.Zones))]
			z.Class = []string{"a", "d", "dd"}[random.Intn(3)]
			edit.Came.Zones = []zoning.Zone{z}
		case 3:
			m := data.Masts[at]
			m.ID = int64(10000 + random.Intn(1000))
			edit.Came.Masts = []zoning.Mast{m}
		}
		data, scene = changed(data, edit), scene.With(edit)
	}
	anew := zoning.NewScene(data)
	for _, p := range c.probes(t, 300) {
		if diff := sameResult(check(anew, c.rules, p), check(scene, c.rules, p)); diff != "" {
			t.Fatalf("at %v (-anew +edited):\n%s", p.Point, diff)
		}
	}
}

// TestSceneIsAskedAndEditedAtOnce: readers of one scene and makers of others from it do not
// disturb one another. It means most under the race detector.
func TestSceneIsAskedAndEditedAtOnce(t *testing.T) {
	c := newCountry(t, 60, 3)
	scene, probes := zoning.NewScene(c.SceneData), c.probes(t, 200)
	want := make([]zoning.Result, len(probes))
	for i, p := range probes {
		want[i] = check(scene, c.rules, p)
	}
	var all sync.WaitGroup
	for reader := range 4 {
		all.Go(func() {
			for i := range probes {
				at := (i*7 + reader*50) % len(probes)
				if diff := sameResult(want[at], check(scene, c.rules, probes[at])); diff != "" {
					t.Errorf("proposal %d (-alone +together):\n%s", at, diff)
					return
				}
				if got := verdict(scene, c.rules, probes[at]); got != want[at].Verdict {
					t.Errorf("proposal %d: want %s, got %s", at, want[at].Verdict, got)
					return
				}
			}
		})
		all.Go(func() {
			edited := scene
			for i := range 50 {
				m := c.Masts[(i*31+reader)%len(c.Masts)]
				m.Status = "retired"
				edited = edited.With(zoning.Changes{GoneZones: []int64{int64(i)}, Came: zoning.SceneData{Masts: []zoning.Mast{m}}})
				findings(edited, c.rules, probes[i])
				verdict(edited.For(nil, nil, nil), c.rules, probes[i])
			}
		})
	}
	all.Wait()
}

// inventedRules have one of each kind of rule, a setback among them.
func inventedRules(tb testing.TB) *zoning.RuleSet {
	return rulesFrom(tb, "testdata/invented.good.json")
}

// moved is the scene somewhere else in longitude and latitude; masts keep within ±180°.
func moved(d zoning.SceneData, by orb.Point) zoning.SceneData {
	shift := func(mp orb.MultiPolygon) orb.MultiPolygon {
		out := mp.Clone()
		for _, polygon := range out {
			for _, ring := range polygon {
				for i := range ring {
					ring[i] = orb.Point{ring[i][0] + by[0], ring[i][1] + by[1]}
				}
			}
		}
		return out
	}
	d.Territories, d.Communes, d.Zones = slices.Clone(d.Territories), slices.Clone(d.Communes), slices.Clone(d.Zones)
	d.Areas, d.Masts = slices.Clone(d.Areas), slices.Clone(d.Masts)
	for i := range d.Territories {
		d.Territories[i].Geometry = shift(d.Territories[i].Geometry)
	}
	for i := range d.Communes {
		d.Communes[i].Geometry = shift(d.Communes[i].Geometry)
	}
	for i := range d.Zones {
		d.Zones[i].Geometry = shift(d.Zones[i].Geometry)
	}
	for i := range d.Areas {
		d.Areas[i].Geometry = shift(d.Areas[i].Geometry)
	}
	for i := range d.Masts {
		p := &d.Masts[i].Point
		p[0], p[1] = p[0]+by[0], p[1]+by[1]
		if p[0] > 180 {
			p[0] -= 360
		}
	}
	return d
}

// TestSceneIsCheckElsewhere: as TestSceneIsCheck, with rules of every kind, setbacks
// among them, at home, beside the antimeridian and near a pole.
func TestSceneIsCheckElsewhere(t *testing.T) {
	sets := map[string]*zoning.RuleSet{"demo": demoRules(t), "invented": inventedRules(t)}
	names := slices.Sorted(maps.Keys(sets))
	kinds := sets["invented"].AreaKinds()
	rapid.Check(t, func(r *rapid.T) {
		rules := sets[rapid.SampledFrom(names).Draw(r, "rules")]
		to := rapid.SampledFrom([]orb.Point{here, {179.9995, 10}, {-179.999, -20}, {10, 88.9}}).Draw(r, "to")
		by := orb.Point{to[0] - here[0], to[1] - here[1]}
		d := drawScene(r, t)
		for i := range d.Areas {
			d.Areas[i].Kind = rapid.SampledFrom(kinds).Draw(r, "kind that counts")
		}
		for i := range d.Zones {
			d.Zones[i].Class = rapid.SampledFrom(rules.ZoneClasses()).Draw(r, "class that counts").Code
		}
		for i := range d.Masts {
			d.Masts[i].Status = rapid.SampledFrom([]string{"existing", "up"}).Draw(r, "status that counts")
		}
		d = moved(d, by)
		p := drawProposal(r, t)
		p.Date = rules.Period().From
		p.Point = east(rapid.Float64Range(-4000, 4000).Draw(r, "east, m"))
		p.Point = orb.Point{min(180, p.Point[0]+by[0]), p.Point[1] + by[1]}
		if rapid.Bool().Draw(r, "poor position") {
			p.AccuracyM = new(rapid.Float64Range(0, 300).Draw(r, "accuracy, m"))
		}
		scene, all := zoning.NewScene(d), everywhere(rules)
		want := rules.Check(p, plainly(d, p.Point))
		if diff := sameResult(want, check(scene, all, p)); diff != "" {
			r.Fatalf("Check (-by hand +scene):\n%s", diff)
		}
		if got := verdict(scene, all, p); got != want.Verdict {
			r.Fatalf("Verdict: want %s, got %s", want.Verdict, got)
		}
		if diff := sameResult(silent(want), findings(scene, all, p)); diff != "" {
			r.Fatalf("Findings (-by hand +scene):\n%s", diff)
		}
		curable(r, want)
	})
}

// curable: the deciding findings of a result, and no smaller set, carry its verdict.
func curable(t *rapid.T, r zoning.Result) {
	deciding := r.Deciding()
	if (r.Verdict == zoning.Permitted) != (len(deciding) == 0) {
		t.Fatalf("%s with %d deciding findings", r.Verdict, len(deciding))
	}
	rest := slices.DeleteFunc(slices.Clone(r.Findings), func(f zoning.Finding) bool { return f.Decides })
	if len(deciding) > 0 && verdictFrom(rest) == r.Verdict {
		t.Fatalf("all deciding findings cured, and the verdict is %s still", r.Verdict)
	}
	for _, f := range deciding {
		if verdictFrom(append(slices.Clone(rest), f)) != r.Verdict {
			t.Fatalf("%s does not carry the verdict %s by itself, and need not be cured", f.Rule, r.Verdict)
		}
	}
}

// TestSceneOfTheSameShapes: how zones, units and territories are written (where rings
// start, which way they run, in how many parts) and what lies far away or counts for
// nothing changes neither verdict nor allowed types.
func TestSceneOfTheSameShapes(t *testing.T) {
	rules := demoRules(t)
	all := everywhere(rules)
	ways := map[string]func(orb.MultiPolygon) orb.MultiPolygon{"rotated": rotated, "reversed": reversed, "split in the middle": split}
	rapid.Check(t, func(r *rapid.T) {
		d, p := drawScene(r, t), drawProposal(r, t)
		for i := range d.Zones {
			d.Zones[i].AccuracyM = nil
		}
		p.Point = east(rapid.Float64Range(-4000, 4000).Draw(r, "east, m"))
		want := check(zoning.NewScene(d), all, p)
		for name, change := range ways {
			other := moved(d, orb.Point{})
			for i := range other.Zones {
				other.Zones[i].Geometry = change(other.Zones[i].Geometry)
			}
			for i := range other.Communes {
				other.Communes[i].Geometry = change(other.Communes[i].Geometry)
			}
			for i := range other.Territories {
				other.Territories[i].Geometry = change(other.Territories[i].Geometry)
			}
			if got := check(zoning.NewScene(other), all, p); got.Verdict != want.Verdict || !slices.Equal(got.AllowedTypes, want.AllowedTypes) {
				r.Fatalf("%s: want %s %v, got %s %v", name, want.Verdict, want.AllowedTypes, got.Verdict, got.AllowedTypes)
			}
		}
		halves := moved(d, orb.Point{})
		halves.Zones = nil
		for _, z := range d.Zones { // each half a zone of its own
			for n, half := range split(z.Geometry) {
				z.ID, z.Geometry = 10*z.ID+int64(n), orb.MultiPolygon{half}
				halves.Zones = append(halves.Zones, z)
			}
		}
		if got := check(zoning.NewScene(halves), all, p); got.Verdict != want.Verdict || !slices.Equal(got.AllowedTypes, want.AllowedTypes) {
			r.Fatalf("halves: want %s %v, got %s %v", want.Verdict, want.AllowedTypes, got.Verdict, got.AllowedTypes)
		}
		far := zoneOf(t, 3000, "a")
		far.Geometry = squareAt(east(50_000), 0.01)
		d.Zones = append(slices.Clone(d.Zones), far)
		d.Masts = append(slices.Clone(d.Masts), mastAt(3002, 5000+rules.Reach(), "A2b", "VNPT"), zoning.Mast{Point: p.Point, MastType: "A1a", Status: "existing"})
		d.Areas = append(slices.Clone(d.Areas), zoning.Area{Kind: "support_area", Geometry: squareAt(here, 0.01)})
		if diff := sameResult(want, check(zoning.NewScene(d), all, p)); diff != "" {
			r.Fatalf("something irrelevant matters:\n%s", diff)
		}
	})
}
