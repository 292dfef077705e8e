package zoning_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
)

// patch is an area of a few corners round a middle.
func patch(r *rand.Rand, middle orb.Point, leastM, mostM float64) orb.MultiPolygon {
	var ring orb.Ring
	corners := 3 + r.Intn(6)
	for i := range corners {
		ring = append(ring, geo.Destination(middle, (float64(i)+0.8*r.Float64())*360/float64(corners), leastM+r.Float64()*(mostM-leastM)))
	}
	return orb.MultiPolygon{{append(ring, ring[0])}}
}

func somewhere(r *rand.Rand, withinM float64) orb.Point {
	return geo.Destination(here, 360*r.Float64(), withinM*math.Sqrt(r.Float64()))
}

// somePlace draws a town of a kilometre or so: communes, zones, areas and masts.
func somePlace(tb testing.TB, r *rand.Rand, d zoning.SceneData) zoning.SceneData {
	d.Territories = append(d.Territories, zoning.Territory{ID: 1, Code: "11", Geometry: patch(r, somewhere(r, 300), 900, 1600)},
		zoning.Territory{ID: 2, Code: "12", Geometry: patch(r, somewhere(r, 1500), 500, 1500)})
	for i := range r.Intn(5) {
		d.Communes = append(d.Communes, zoning.Commune{ID: int64(i), Code: fmt.Sprint(9 - i), Urban: r.Intn(2) == 0, DenselyPopulated: r.Intn(4) == 0, Geometry: patch(r, somewhere(r, 900), 300, 1200)})
		if r.Intn(4) == 0 {
			d.Withheld = map[string][]zoning.Area{fmt.Sprint(9 - i): {{Kind: "military"}}}
		}
	}
	classes := []string{"a", "b", "c", "d", "dd", "dd", "dd"}
	for i := range 1 + r.Intn(7) {
		z := zoneOf(tb, int64(i), classes[r.Intn(len(classes))])
		z.Geometry = patch(r, somewhere(r, 1000), 100, 1300)
		z.Illustrative = r.Intn(2) == 0
		d.Zones = append(d.Zones, z)
	}
	for i := range r.Intn(3) {
		kinds := []string{"border_belt", "military", "aviation_surface", "support_area", zoning.DenselyPopulated, zoning.DenselyPopulated}
		d.Areas = append(d.Areas, zoning.Area{Collection: "special_areas", ID: int64(i), Kind: kinds[r.Intn(len(kinds))], Geometry: patch(r, somewhere(r, 1000), 50, 500)})
	}
	types := geo.MastTypes()
	for i := range r.Intn(25) {
		m := mastAt(int64(i), 0, types[r.Intn(len(types))], "VNPT", "MOBIFONE")
		m.Point = somewhere(r, 1500)
		if i%5 == 4 {
			m.Status, m.Operators = zoning.Draft, nil
		}
		d.Masts = append(d.Masts, m)
	}
	return d
}

// good is what a nearest place must be, in the words of the verdict itself: permitted or,
// for a mast so high that it calls for a consultation anywhere, with no other condition.
func good(scene *zoning.Scene, rules *zoning.Rules, p zoning.Proposal, home string) bool {
	place, verdict := scene.Verdict(rules, p)
	if home != "" && place.Territory != home || verdict != zoning.Permitted && verdict != zoning.Conditional {
		return false
	}
	if verdict == zoning.Permitted {
		return true
	}
	_, result := scene.Check(rules, p)
	return p.HeightM != nil && *p.HeightM >= 45 && !slices.ContainsFunc(result.Deciding(), func(f zoning.Finding) bool {
		return f.Rule != "CONSULT-aviation" || f.Evidence != nil
	})
}

// byGrid tries a grid of places so far apart: the distance to the nearest good one, +Inf
// when there is none.
func byGrid(scene *zoning.Scene, rules *zoning.Rules, p zoning.Proposal, home string, withinM, stepM float64) float64 {
	nearest := math.Inf(1)
	plane := geo.NewPlane(p.Point)
	for x := -withinM; x <= withinM; x += stepM {
		for y := -withinM; y <= withinM; y += stepM {
			if math.Hypot(x, y) >= min(nearest, withinM) {
				continue
			}
			q := p
			q.Point = plane.At(x, y)
			if distanceM := geo.DistanceM(p.Point, q.Point); distanceM < min(nearest, withinM) && good(scene, rules, q, home) {
				nearest = distanceM
			}
		}
	}
	return nearest
}

// edited are the demo's rules, changed.
func edited(tb testing.TB, change func(set map[string]any)) *zoning.RuleSet {
	tb.Helper()
	body, err := os.ReadFile("../../internal/plan/packs/dien-bien/rules.json")
	if err != nil {
		tb.Fatal(err)
	}
	var set map[string]any
	if err := json.Unmarshal(body, &set); err != nil {
		tb.Fatal(err)
	}
	change(set)
	if body, err = json.Marshal(set); err != nil {
		tb.Fatal(err)
	}
	rules, err := zoning.ParseRuleSet(body)
	if err != nil {
		tb.Fatal(err)
	}
	return rules
}

// rulesIn are the rules of one kind in a set that is being edited.
func rulesIn(set map[string]any, kind string) (out []map[string]any) {
	for _, rule := range set[kind].([]any) {
		out = append(out, rule.(map[string]any))
	}
	return out
}

// strict are the demo's rules with what is off or advises there in force: setbacks, and
// spacing that binds and has a margin of accuracy.
func strict(tb testing.TB) *zoning.RuleSet {
	tb.Helper()
	return edited(tb, func(set map[string]any) {
		for _, rule := range rulesIn(set, "spacing_rules") {
			rule["effect"], rule["accuracy_margin_m"] = "binding", 15
		}
		for _, rule := range rulesIn(set, "setback_rules") {
			rule["enabled"], rule["area_kinds"], rule["height_ratio"] = true, []string{"support_area", "military"}, 2.5
		}
	})
}

// TestNearestAgainstAGrid: among hundreds of towns no place of a fine grid is nearer than
// the one found by more than a metre, and the one found is good by the verdict itself.
func TestNearestAgainstAGrid(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rules *zoning.RuleSet
		seed  int64
		towns int
		poorM float64 // how poor positions and edges are, at the most
	}{
		{"the demo's rules", demoRules(t), 0, 150, 0},
		{"rules that bind, and setbacks", strict(t), 1000, 80, 0},
		{"poor positions and edges", strict(t), 2000, 80, 40},
	} {
		t.Run(tt.name, func(t *testing.T) {
			few := testing.Short() || raceDetector
			if few {
				tt.towns /= 8
			}
			var seen tally
			for i := range tt.towns {
				seen.town(t, everywhere(tt.rules), tt.seed+int64(i), tt.poorM)
			}
			t.Logf("%+v", seen)
			if !few && (seen.Elsewhere < tt.towns/6 || seen.None == 0 || seen.Already == 0 || seen.Conditional == 0) {
				t.Errorf("the towns do not have all that is to be tested")
			}
		})
	}
}

// tally counts what became of the questions.
type tally struct{ Elsewhere, Already, Conditional, None int }

func (seen *tally) town(t *testing.T, rules *zoning.Rules, seed int64, poorM float64) {
	const withinM, stepM = 1200.0, 13.0
	r := rand.New(rand.NewSource(seed))
	d := somePlace(t, r, zoning.SceneData{})
	p := proposalOf(t, geo.MastTypes()[r.Intn(4)])
	p.Point = somewhere(r, 900)
	if p.MastType == geo.A2b && r.Intn(2) == 0 {
		p.HeightM = new(50.0)
	}
	if r.Intn(5) == 0 {
		p.Operator = "VNPT"
	}
	if poorM > 0 {
		p.AccuracyM = new(poorM * r.Float64())
		for i := range d.Zones {
			d.Zones[i].AccuracyM = new(poorM * r.Float64())
		}
	}
	if n := len(d.Masts); n > 1 && seed%4 == 0 { // one of them is asked about
		p.Feature = d.Masts[n-1].ID
	}
	scene := zoning.NewScene(d)
	home := scene.At(p.Point).Territory
	got := scene.Nearest(rules, p, withinM)
	if got.StoppedAtM != nil {
		t.Fatalf("town %d: stopped at %v m", seed, *got.StoppedAtM)
	}
	if seed%10 == 0 {
		mixed := d
		mixed.Zones, mixed.Masts, mixed.Areas, mixed.Communes = shuffled(seed, d.Zones), shuffled(seed, d.Masts), shuffled(seed, d.Areas), shuffled(seed, d.Communes)
		if diff := cmp.Diff(got, zoning.NewScene(mixed).Nearest(rules, p, withinM)); diff != "" {
			t.Errorf("town %d: order matters:\n%s", seed, diff)
		}
	}
	grid := byGrid(scene, rules, p, home, withinM, stepM)
	if got.Place == nil {
		seen.None++
		if !math.IsInf(grid, 1) {
			t.Errorf("town %d: nothing found; the grid has a place at %.1f m", seed, grid)
		}
		return
	}
	q := p
	q.Point = *got.Place
	if !good(scene, rules, q, home) {
		t.Errorf("town %d: %v is no good place", seed, q.Point)
	}
	if measured := geo.DistanceM(p.Point, q.Point); math.Abs(measured-got.DistanceM) > 0.0006 || measured > withinM {
		t.Errorf("town %d: %v m away, and said to be %v", seed, measured, got.DistanceM)
	}
	if got.DistanceM > grid+1+2*poorM { // it keeps clear of doubtful edges: the accuracies of position and edge add up
		t.Errorf("town %d: found at %.2f m; the grid has a place at %.2f m", seed, got.DistanceM, grid)
	}
	if got.DistanceM == 0 {
		seen.Already++
	} else {
		seen.Elsewhere++
	}
	if got.Verdict == zoning.Conditional {
		seen.Conditional++
	}
}

// TestNearestStops: where too many masts crowd the search says how far it came, and up to
// there nothing is good.
func TestNearestStops(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	d := zoning.SceneData{Territories: []zoning.Territory{{ID: 1, Code: "11", Geometry: squareAt(here, 3)}}, Zones: []zoning.Zone{zoneOf(t, 1, "dd")}}
	d.Zones[0].Geometry = squareAt(here, 3)
	for i := range 4000 {
		m := mastAt(int64(i), 0, geo.A2b, "VNPT")
		m.Point = somewhere(r, 3500)
		d.Masts = append(d.Masts, m)
	}
	scene, rules := zoning.NewScene(d), everywhere(demoRules(t))
	p := proposalOf(t, geo.A2b)
	got := scene.Nearest(rules, p, 3000)
	if got.Place != nil || got.StoppedAtM == nil || *got.StoppedAtM < 500 || *got.StoppedAtM >= 3000 {
		t.Fatalf("%+v", got)
	}
	if grid := byGrid(scene, rules, p, "11", *got.StoppedAtM, 20); !math.IsInf(grid, 1) {
		t.Errorf("the grid has a place at %v m", grid)
	}
}

// BenchmarkNearest asks for places among masts in the country (one in a square
// kilometre) and in a town (twenty), where a zone forbids the type for 1.5 km round the
// place asked for; and among masts that leave no place at all.
func BenchmarkNearest(b *testing.B) {
	rules := everywhere(demoRules(b))
	for _, bb := range []struct {
		name   string
		masts  int
		perKM2 float64
		within float64
	}{
		{"country/masts=1000", 1000, 1, 5000},
		{"country/masts=200000", 200_000, 1, 5000},
		{"town/masts=1000", 1000, 20, 5000},
		{"town/masts=200000", 200_000, 20, 5000},
		{"full/masts=200000", 200_000, 60, 5000},
		{"full/masts=200000/20km", 200_000, 60, 20000},
	} {
		b.Run(bb.name, func(b *testing.B) {
			r := rand.New(rand.NewSource(1))
			sideM := 1000 * math.Sqrt(float64(bb.masts)/bb.perKM2)
			plane := geo.NewPlane(here)
			d := zoning.SceneData{Territories: []zoning.Territory{{ID: 1, Code: "11", Geometry: squareAt(here, 3)}}, Zones: []zoning.Zone{zoneOf(b, 1, "dd"), zoneOf(b, 2, "b")}}
			d.Zones[0].Geometry, d.Zones[1].Geometry = squareAt(here, 3), patch(r, here, 1500, 1501)
			for i := range bb.masts {
				m := mastAt(int64(i), 0, geo.A2b, "VNPT")
				m.Point = plane.At((r.Float64()-0.5)*sideM, (r.Float64()-0.5)*sideM)
				d.Masts = append(d.Masts, m)
			}
			scene := zoning.NewScene(d)
			p := proposalOf(b, geo.A2b)
			var got zoning.Elsewhere
			b.ReportAllocs()
			for b.Loop() {
				got = scene.Nearest(rules, p, bb.within)
			}
			if got.Place == nil {
				b.ReportMetric(0, "m-away")
			} else {
				b.ReportMetric(got.DistanceM, "m-away")
			}
			if got.StoppedAtM != nil {
				b.ReportMetric(*got.StoppedAtM, "m-looked")
			}
		})
	}
}

// TestNearestSays: what is told of places that are good already, of masts that may stand
// nowhere, and of places from which there is none in reach.
func TestNearestSays(t *testing.T) {
	rules := everywhere(demoRules(t))
	d := zoning.SceneData{Territories: []zoning.Territory{{ID: 1, Code: "11", Geometry: squareAt(here, 0.05)}},
		Communes: []zoning.Commune{{ID: 1, Code: "03", Urban: true, Geometry: squareAt(here, 0.05)}},
		Zones:    []zoning.Zone{zoneOf(t, 1, "d"), zoneOf(t, 2, "b")}, Masts: []zoning.Mast{mastAt(1, -1000, geo.A2b, "VNPT")}}
	d.Zones[0].Geometry = squareAt(here, 0.04)
	scene := zoning.NewScene(d)
	outside := proposalOf(t, geo.A2b)
	outside.Point = east(6000)
	high, low := proposalOf(t, geo.A2b), proposalOf(t, geo.A1a)
	high.HeightM, low.HostBuildingHeightM = new(60.0), nil
	guyed := proposalOf(t, geo.A2b)
	guyed.Structure = new(geo.Guyed)
	invalid := proposalOf(t, geo.A2b)
	invalid.HeightM = new(-1.0)
	for _, tt := range []struct {
		name     string
		proposal zoning.Proposal
		withinM  float64
		verdict  zoning.Verdict
		atM      float64 // -1: no place
		says     string
	}{
		{"in a zone that allows other types", proposalOf(t, geo.A2b), 5000, zoning.Permitted, 1037.01, "The nearest place for this mast: 21.3900000° N, 103.0300003° E, 1037 m to the east: Permitted."},
		{"a mast that calls for a consultation anywhere", high, 5000, zoning.Conditional, 1037.01, "The nearest place for this mast: 21.3900000° N, 103.0300003° E, 1037 m to the east: Permitted with conditions."},
		{"not so far", proposalOf(t, geo.A2b), 1000, zoning.Undetermined, -1, "Within 1000 m there is no place where this mast is permitted and nothing speaks against it."},
		{"a type that the zone allows", proposalOf(t, geo.A1a), 5000, zoning.Permitted, 0, "The place proposed is itself the nearest: Permitted."},
		{"a mast that lacks a figure", low, 5000, zoning.Undetermined, -1, "There is no such place: the mast itself does not meet A1-class, wherever it stands."},
		{"a structure that no town allows", guyed, 5000, zoning.Undetermined, -1, "Within 5000 m there is no place where this mast is permitted and nothing speaks against it."},
		{"outside the territory", outside, 5000, zoning.Permitted, 1852.08, "The nearest place for this mast: 21.3899900° N, 103.0600000° E, 1852.1 m to the west: Permitted."},
		{"farther than is looked", proposalOf(t, geo.A2b), 1e9, zoning.Permitted, 1037.01, ""},
		{"invalid", invalid, 5000, zoning.Undetermined, -1, "Within 5000 m there is no place where this mast is permitted and nothing speaks against it."},
		{"no distance", proposalOf(t, geo.A2b), math.NaN(), zoning.Undetermined, -1, ""},
	} {
		got := scene.Nearest(rules, tt.proposal, tt.withinM)
		if got.Verdict != tt.verdict || (got.Place == nil) != (tt.atM < 0) || got.Place != nil && math.Abs(got.DistanceM-tt.atM) > 0.05 {
			t.Errorf("%s: %+v", tt.name, got)
		}
		if tt.says != "" && got.Message.EN != tt.says || got.Message.VI == "" {
			t.Errorf("%s: it says %q, %q", tt.name, got.Message.EN, got.Message.VI)
		}
	}
	if got := zoning.NewScene(zoning.SceneData{}).Nearest(nil, proposalOf(t, geo.A2b), 5000); got.Place != nil {
		t.Errorf("without rules: %+v", got)
	}
}
