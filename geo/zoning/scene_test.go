package zoning_test

import (
	"fmt"
	"math"
	"math/rand"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"hatang/geo"
	"hatang/geo/zoning"
)

// everywhere makes one rule set that of both territories of the tests.
func everywhere(rs *zoning.RuleSet) *zoning.Rules {
	return zoning.NewRules([]zoning.TerritoryRules{{Territory: "12", Rules: rs}, {Territory: "11", Rules: rs}})
}

// check, findings and verdict leave the place out.
func check(s *zoning.Scene, rules *zoning.Rules, p zoning.Proposal) zoning.Result {
	_, r := s.Check(rules, p)
	return r
}

func findings(s *zoning.Scene, rules *zoning.Rules, p zoning.Proposal) zoning.Result {
	_, r := s.Findings(rules, p)
	return r
}

func verdict(s *zoning.Scene, rules *zoning.Rules, p zoning.Proposal) zoning.Verdict {
	_, v := s.Verdict(rules, p)
	return v
}

// plainly gathers everything a scene holds for one point by looking at each thing
// in turn: nothing is left out and nothing prepared.
func plainly(d zoning.SceneData, p orb.Point) zoning.Surroundings {
	s := zoning.Surroundings{Zones: d.Zones, Masts: d.Masts, Areas: append([]zoning.Area{}, d.Areas...)}
	for _, t := range d.Territories {
		if geo.Contains(t.Geometry, p) && !s.InTerritory {
			s.InTerritory, s.TerritoryEdgeM = true, new(geo.DistanceToBoundaryM(t.Geometry, p))
		}
	}
	best := -1
	for i, c := range d.Communes {
		if geo.Contains(c.Geometry, p) && (best < 0 || c.Code < d.Communes[best].Code) {
			best = i
		}
	}
	if best >= 0 {
		c := d.Communes[best]
		s.Commune, s.District, s.Urban, s.DenselyPopulated = c.Code, c.District, c.Urban, c.DenselyPopulated
		for _, a := range d.Withheld[c.Code] {
			s.Areas = append(s.Areas, zoning.Area{Kind: a.Kind, Illustrative: a.Illustrative, Withheld: true, WholeCommune: true})
		}
	}
	for _, c := range d.Communes {
		if edgeM := geo.DistanceToBoundaryM(c.Geometry, p); c.Urban != s.Urban && (s.UrbanEdgeM == nil || edgeM < *s.UrbanEdgeM) {
			s.UrbanEdgeM = new(edgeM)
		}
	}
	return s
}

func drawScene(t *rapid.T, tb testing.TB) zoning.SceneData {
	s := drawSurroundings(t, tb)
	d := zoning.SceneData{Zones: s.Zones, Masts: s.Masts, Areas: s.Areas,
		Territories: []zoning.Territory{{ID: 1, Code: "11", Geometry: squareAt(here, 0.03)}, {ID: 2, Code: "12", Geometry: squareAt(east(5000), 0.03)}},
		Withheld:    map[string][]zoning.Area{}}
	for i := range d.Areas {
		d.Areas[i].WholeCommune = false
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "communes") {
		d.Communes = append(d.Communes, zoning.Commune{ID: int64(i), Code: fmt.Sprint(9 - i), Urban: rapid.Bool().Draw(t, "urban commune"),
			DenselyPopulated: rapid.Bool().Draw(t, "dense commune"), Geometry: squareAt(east(rapid.Float64Range(-2000, 2000).Draw(t, "commune east, m")), 0.01)})
		for _, kind := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"military", "border_belt", "aviation_surface"}), 0, 2, rapid.ID).Draw(t, "withheld") {
			d.Withheld[fmt.Sprint(9-i)] = append(d.Withheld[fmt.Sprint(9-i)], zoning.Area{Kind: kind, Illustrative: rapid.Bool().Draw(t, "withheld as drawn")})
		}
	}
	return d
}

// TestSceneIsCheck: a scene gives what Check gives with everything looked at; its
// findings differ in the sentences alone, and its verdict is the same.
func TestSceneIsCheck(t *testing.T) {
	rules := demoRules(t)
	all := everywhere(rules)
	rapid.Check(t, func(r *rapid.T) {
		d := drawScene(r, t)
		scene := zoning.NewScene(d)
		for range 4 { // the same room is used again
			p := drawProposal(r, t)
			p.Point = east(rapid.Float64Range(-4000, 4000).Draw(r, "east, m"))
			if rapid.Bool().Draw(r, "poor position") {
				p.AccuracyM = new(rapid.Float64Range(0, 300).Draw(r, "accuracy, m"))
			}
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
		}
	})
}

// silent takes the sentences out of a result.
func silent(r zoning.Result) zoning.Result {
	r.Findings = append([]zoning.Finding{}, r.Findings...)
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Measured, f.Required, f.Message = "", "", geo.Text{}
	}
	r.Alternatives = append([]zoning.Alternative{}, r.Alternatives...)
	for i := range r.Alternatives {
		r.Alternatives[i].Message = geo.Text{}
	}
	return r
}

// TestSceneKeepsNoResult: what a check returned stays as it is when others follow.
func TestSceneKeepsNoResult(t *testing.T) {
	all, scene := everywhere(demoRules(t)), zoning.NewScene(smallNation(t, 1))
	proposals := nationalProposals(t, 50)
	first, again := make([]zoning.Result, len(proposals)), make([]zoning.Result, len(proposals))
	for i, p := range proposals {
		first[i], again[i] = findings(scene, all, p), silent(check(scene, all, p))
	}
	for i := range first {
		if diff := sameResult(first[i], again[i]); diff != "" {
			t.Fatalf("proposal %d (-then +now):\n%s", i, diff)
		}
	}
}

// TestSceneEdges: empty data, views of some territories, masts across the antimeridian.
func TestSceneEdges(t *testing.T) {
	rules := demoRules(t)
	all := everywhere(rules)
	p := proposalOf(t, geo.A2b)
	if r := check(zoning.NewScene(zoning.SceneData{}), all, p); r.Verdict != zoning.Undetermined || len(find(r, zoning.RuleTerritory)) != 1 {
		t.Errorf("empty scene: want undetermined by %s, got %s", zoning.RuleTerritory, r.Verdict)
	}
	d := zoning.SceneData{Territories: []zoning.Territory{{Code: "11", Geometry: squareAt(here, 1)}}, Zones: []zoning.Zone{zoneOf(t, 1, "dd")}}
	scene := zoning.NewScene(d)
	if v := verdict(scene, all, p); v != zoning.Permitted {
		t.Errorf("in the territory: want permitted, got %s", v)
	}
	if v := verdict(scene, zoning.NewRules([]zoning.TerritoryRules{{Territory: "12", Rules: rules}}), p); v != zoning.Undetermined {
		t.Errorf("only elsewhere: want undetermined, got %s", v)
	}
	if at := scene.At(here); at.Territory != "11" || at.Commune != "" {
		t.Errorf("units: got %+v", at)
	}
	p.Point = orb.Point{179.9999, 10}
	d.Territories[0].Geometry = squareAt(p.Point, 1)
	d.Zones[0].Geometry = squareAt(p.Point, 1)
	for _, lon := range []float64{-179.9999, 180.0001, 179.9998} {
		d.Masts = []zoning.Mast{{Code: "M", Point: orb.Point{lon, 10}, MastType: geo.A2b, Status: "existing"}}
		if v := verdict(zoning.NewScene(d), all, p); v != zoning.Conditional {
			t.Errorf("a mast at longitude %v: want conditional, got %s", lon, v)
		}
	}
	p.Point[0] = math.NaN()
	if v := verdict(scene, all, p); v != zoning.Undetermined {
		t.Errorf("no place: want undetermined, got %s", v)
	}
}

// TestVerdictDoesNotAllocate, and neither does what it looks at.
func TestVerdictDoesNotAllocate(t *testing.T) {
	all, scene := everywhere(demoRules(t)), zoning.NewScene(smallNation(t, 1))
	proposals := nationalProposals(t, 200)
	for _, p := range proposals {
		verdict(scene, all, p)
	}
	next := 0
	if n := testing.AllocsPerRun(1000, func() {
		scene.Verdict(all, proposals[next%len(proposals)])
		next++
	}); n > 0.01 && !raceDetector { // the collector may empty the pool, and the race detector does so on purpose
		t.Errorf("want no allocation, got %v a verdict", n)
	}
}

// The invented nation: a square of sixths of a degree to the north-east of here,
// with round-ish units, zones about towns and masts in clusters.
const nationSide = 8.0

func smallNation(tb testing.TB, scale int) zoning.SceneData { return nation(tb, 1000*scale) }

// nation is a country of so many communes with 20 masts to each, a zone to two
// communes, all communes in zone đ or d, and edges of some 50 to 200 vertices. The
// density of masts and zones is the same at every size of commune.
func nation(tb testing.TB, communes int) zoning.SceneData {
	random := rand.New(rand.NewSource(20200630))
	columns := int(math.Sqrt(float64(communes)))
	step := nationSide / math.Sqrt(10000) // 0.08°: communes of 70 km² whatever their number
	d := zoning.SceneData{Territories: []zoning.Territory{{Code: "11", Geometry: orb.MultiPolygon{{
		{{102, 8}, {130 + float64(columns)*step, 8}, {130 + float64(columns)*step, 12 + float64(columns)*step}, {102, 12 + float64(columns)*step}}}}}}}
	period := geo.Period{From: day(tb, "2016-01-01")}
	zone := func(class string, shape orb.MultiPolygon) {
		id := int64(len(d.Zones))
		d.Zones = append(d.Zones, zoning.Zone{Collection: "mast_zones", ID: id, Code: fmt.Sprint(class, id), Class: class, Geometry: shape, Period: period})
	}
	for i := range columns * columns {
		x, y := 103+float64(i%columns)*step, 10+float64(i/columns)*step
		d.Communes = append(d.Communes, zoning.Commune{Code: fmt.Sprintf("%06d", i), Urban: i%8 == 0, Geometry: ragged(x, y, step, 220)})
		switch i % 4 {
		case 0:
			zone([]string{"a", "b", "c"}[random.Intn(3)], blob(random, x, y, step, step/3, 270))
		case 2: // zones of the countryside cover four communes and more
			zone([]string{"dd", "d"}[random.Intn(2)], orb.MultiPolygon{{{{x - step, y - step}, {x + 2*step, y - step}, {x + 2*step, y + 2*step}, {x - step, y + 2*step}}}})
		}
		for range 20 {
			id := int64(len(d.Masts))
			d.Masts = append(d.Masts, zoning.Mast{Collection: "bts_sites", ID: id, Code: fmt.Sprint("S", id),
				Point:    orb.Point{x + step*math.Pow(random.Float64(), 2), y + step*math.Pow(random.Float64(), 2)},
				MastType: geo.MastTypes()[random.Intn(4)], Status: "existing", Operators: []string{"VNPT", "VIETTEL", "MOBIFONE"}[:1+random.Intn(3)]})
		}
	}
	return d
}

// ragged is a square whose edges are waves that its neighbours share.
func ragged(x, y, side float64, vertices int) orb.MultiPolygon {
	n := vertices / 4
	wave := func(v float64) float64 { return side / 40 * math.Sin(v/side*40) }
	var ring orb.Ring
	for i := range n {
		t := side * float64(i) / float64(n)
		ring = append(ring, orb.Point{x + t, y + wave(x+t)})
	}
	for i := range n {
		t := side * float64(i) / float64(n)
		ring = append(ring, orb.Point{x + side + wave(y+t), y + t})
	}
	for i := range n {
		t := side * float64(n-i) / float64(n)
		ring = append(ring, orb.Point{x + t, y + side + wave(x+t)})
	}
	for i := range n {
		t := side * float64(n-i) / float64(n)
		ring = append(ring, orb.Point{x + wave(y+t), y + t})
	}
	return orb.MultiPolygon{{ring}}
}

func blob(random *rand.Rand, x, y, step, radius float64, vertices int) orb.MultiPolygon {
	cx, cy := x+step*random.Float64(), y+step*random.Float64()
	var ring orb.Ring
	for i := range vertices {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(vertices))
		r := radius * (0.7 + 0.3*random.Float64())
		ring = append(ring, orb.Point{cx + r*cos, cy + r*sin})
	}
	return orb.MultiPolygon{{ring}}
}

// nationalProposals are spread over the smallest nation, of every type.
func nationalProposals(tb testing.TB, n int) []zoning.Proposal {
	return proposalsOver(tb, n, 2.4)
}

func proposalsOver(tb testing.TB, n int, side float64) []zoning.Proposal {
	random := rand.New(rand.NewSource(7))
	out := make([]zoning.Proposal, n)
	for i := range out {
		out[i] = proposalOf(tb, geo.MastTypes()[random.Intn(4)])
		out[i].Point = orb.Point{103 + side*random.Float64(), 10 + side*random.Float64()}
	}
	return out
}

// TestEdgesOfUnits: near the edge of the territory, or of an urban commune, a
// position of poor accuracy leaves open what either side would decide differently.
func TestEdgesOfUnits(t *testing.T) {
	rules := demoRules(t)
	all := everywhere(rules)
	scene := zoning.NewScene(zoning.SceneData{
		Territories: []zoning.Territory{{Code: "11", Geometry: squareAt(here, 0.02)}},
		Communes: []zoning.Commune{{Code: "1", Urban: true, Geometry: squareAt(here, 0.01)},
			{Code: "2", Geometry: squareAt(orb.Point{here[0], here[1] + 0.02}, 0.01)}},
		Zones: []zoning.Zone{{ID: 1, Class: "dd", Geometry: squareAt(here, 0.02), Period: geo.Period{From: day(t, "2016-01-01")}, Illustrative: true}},
	})
	urbanEdge := orb.Point{here[0], here[1] + 0.01}
	territoryEdge := orb.Point{here[0], here[1] + 0.02}
	inside := func(edge orb.Point, m float64) orb.Point { return geo.Destination(edge, 180, m) }
	guyed, sturdy := geo.Guyed, geo.SelfSupporting
	for _, tt := range []struct {
		name      string
		at        orb.Point
		structure *geo.Structure
		accuracyM float64
		want      zoning.Verdict
		because   string
	}{
		{"a guyed mast in town, exact", inside(urbanEdge, 9), &guyed, 0, zoning.Refused, "COND-d1"},
		{"a guyed mast that may be out of town", inside(urbanEdge, 9), &guyed, 10, zoning.Undetermined, zoning.RuleUrbanEdge},
		{"a guyed mast well in town", inside(urbanEdge, 11), &guyed, 10, zoning.Refused, "COND-d1"},
		{"a guyed mast that may be in town", inside(urbanEdge, -9), &guyed, 10, zoning.Undetermined, zoning.RuleUrbanEdge},
		{"a guyed mast well out of town", inside(urbanEdge, -11), &guyed, 10, zoning.Permitted, "ZONE-dd"},
		{"a mast that both sides allow", inside(urbanEdge, 9), &sturdy, 10, zoning.Permitted, "ZONE-dd"},
		{"no structure, maybe in town", inside(urbanEdge, -9), nil, 10, zoning.Undetermined, zoning.RuleUrbanEdge},
		{"maybe outside the territory", inside(territoryEdge, 9), &sturdy, 10, zoning.Undetermined, zoning.RuleTerritory},
		{"well in the territory", inside(territoryEdge, 11), &sturdy, 10, zoning.Permitted, "ZONE-dd"},
	} {
		p := proposalOf(t, geo.A2b)
		p.Point, p.Structure, p.AccuracyM = tt.at, tt.structure, &tt.accuracyM
		r := check(scene, all, p)
		if r.Verdict != tt.want || verdict(scene, all, p) != tt.want || len(find(r, tt.because)) == 0 {
			t.Errorf("%s: want %s because of %s", tt.name, tt.want, tt.because)
			dump(t, r)
		}
		wellFormed(t, r)
	}
}

// TestMovingTheDateReplaysExactly: a day's answer is that of a world which only ever
// held what was in force on it; days asked about in between leave no trace.
func TestMovingTheDateReplaysExactly(t *testing.T) {
	rules := demoRules(t)
	all := everywhere(rules)
	rapid.Check(t, func(r *rapid.T) {
		d := drawScene(r, t)
		for i := range d.Zones {
			from := geo.NewDate(2016, 1, rapid.IntRange(1, 3000).Draw(r, "from"))
			d.Zones[i].Period = geo.Period{From: from, To: geo.DateOf(from.Time().AddDate(0, 0, rapid.IntRange(1, 2000).Draw(r, "days")))}
		}
		scene, p := zoning.NewScene(d), drawProposal(r, t)
		on := func(n int) zoning.Result {
			p.Date = geo.NewDate(2016, 1, n)
			return check(scene, all, p)
		}
		today := rapid.IntRange(1, 5000).Draw(r, "today")
		want := on(today)
		for range 3 {
			on(rapid.IntRange(-100, 6000).Draw(r, "another day"))
		}
		if diff := sameResult(want, on(today)); diff != "" {
			r.Fatalf("asked again (-first +again):\n%s", diff)
		}
		var left []zoning.Zone
		for _, z := range d.Zones {
			if z.Period.To.IsZero() || p.Date.Before(z.Period.To) {
				left = append(left, z)
			}
		}
		d.Zones = left
		if diff := sameResult(want, check(zoning.NewScene(d), all, p)); diff != "" {
			r.Fatalf("zones that are over leave a trace (-with +without):\n%s", diff)
		}
	})
}
