package zoning

import (
	"math"
	"slices"
	"sync"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// SceneData is everything that checks of one date and one viewer need. Ids tell the
// rows of a layer apart for With; the rest works whatever they are. NewScene keeps
// what rows point at: leave it alone afterwards.
type SceneData struct {
	Territories []Territory
	Communes    []Commune // in force on the date
	Zones       []Zone    // with their own periods
	Masts       []Mast    // standing or planned on the date, and drafts that the viewer sees
	Areas       []Area    // in force on the date, those shown to the viewer: each acts where it is drawn
	// Withheld are, by commune code, the areas not shown to the viewer. They act on the
	// whole commune; their kind and whether they are illustrative is all that counts.
	Withheld map[string][]Area
}

// Territory is an area that plans are made for: a province.
type Territory struct {
	ID       int64
	Code     string
	Geometry orb.MultiPolygon
}

// Commune is a unit that makes a place urban or not.
type Commune struct {
	ID               int64
	Code, District   string
	Urban            bool // a ward or a town
	DenselyPopulated bool
	Geometry         orb.MultiPolygon
}

func (t Territory) name() (string, int64)  { return t.Code, t.ID }
func (t Territory) area() orb.MultiPolygon { return t.Geometry }
func (c Commune) name() (string, int64)    { return c.Code, c.ID }
func (c Commune) area() orb.MultiPolygon   { return c.Geometry }
func (z Zone) name() (string, int64)       { return "", z.ID }
func (z Zone) area() orb.MultiPolygon      { return z.Geometry }
func (a Area) name() (string, int64)       { return "", a.ID }
func (a Area) area() orb.MultiPolygon      { return a.Geometry }

func (Territory) edgeAccuracyM() float64 { return 0 }
func (Commune) edgeAccuracyM() float64   { return 0 }
func (Area) edgeAccuracyM() float64      { return 0 }

func (z Zone) edgeAccuracyM() float64 {
	if z.AccuracyM == nil || z.Illustrative {
		return 0
	}
	return *z.AccuracyM
}

// Scene answers proposals among the same zones, masts, areas and units, as
// RuleSet.Check does with the surroundings of each point, without looking at what is
// far away. It is immutable, and safe for concurrent use. Where units overlap or
// touch, a point belongs to the one with the lowest code (of those, the lowest id).
//
// Cost: to build, n log n in the vertices, about 0.4 µs and 70 bytes for each beside
// the shapes themselves; layers of few vertices next to nothing until they have been
// asked often. A check costs the same whatever the size of the scene, but for the
// memory's caches: it reads a few words and edges of each layer, and the masts within
// reach. Where the position or an edge nearby is not accurate it reads the edges within
// that distance as well. Verdict does not allocate but for those.
type Scene struct {
	territories layer[Territory]
	communes    layer[Commune]
	zones       layer[Zone]
	areas       layer[Area]
	masts       masts
	withheld    map[string][]Area
	idle        *sync.Pool // of *check
}

// NewScene prepares the data, the layers beside one another. Empty data are a scene
// outside every territory.
func NewScene(d SceneData) *Scene {
	s := &Scene{idle: &sync.Pool{New: func() any { return new(check) }}}
	var layers sync.WaitGroup
	layers.Go(func() { s.communes = newLayer(d.Communes) })
	layers.Go(func() { s.zones = newLayer(d.Zones) })
	layers.Go(func() { s.territories = newLayer(d.Territories) })
	layers.Go(func() { s.view(d.Masts, d.Areas, d.Withheld) })
	layers.Wait()
	return s
}

// For is the scene of another viewer: the same territories, communes and zones,
// which the two share, with other masts and areas.
func (s *Scene) For(masts []Mast, areas []Area, withheld map[string][]Area) *Scene {
	other := *s
	other.view(masts, areas, withheld)
	return &other
}

func (s *Scene) view(masts []Mast, areas []Area, withheld map[string][]Area) {
	s.masts, s.areas, s.withheld = newMasts(masts), newLayer(asDrawn(areas)), acting(withheld)
}

// asDrawn makes areas act where they are drawn.
func asDrawn(areas []Area) []Area {
	out := slices.Clone(areas)
	for i := range out {
		out[i].Withheld = out[i].Withheld || out[i].WholeCommune
		out[i].WholeCommune = false
	}
	return out
}

// acting makes withheld areas act on whole communes.
func acting(withheld map[string][]Area) map[string][]Area {
	out := make(map[string][]Area, len(withheld))
	for code, areas := range withheld {
		for _, a := range areas {
			out[code] = append(out[code], Area{Kind: a.Kind, Illustrative: a.Illustrative, Withheld: true, WholeCommune: true})
		}
	}
	return out
}

// Changes are what differs between two scenes. Rows go and come by id: a row that
// comes takes the place of the one the scene holds. Ids that are not there do not matter.
type Changes struct {
	GoneTerritories, GoneCommunes, GoneZones, GoneMasts, GoneAreas []int64
	// Came holds the rows that are new or different. Withheld nil: as before; else it
	// replaces the whole map.
	Came SceneData
}

// With is the scene after the changes; s stays as it is, and the two share what has
// not changed. Cost: that of the changed rows and a bit for each row there is. What
// came and went is kept beside the rest of its layer until it is a sixteenth of it;
// the edit that makes it so puts the layer together anew, at the cost of building it.
func (s *Scene) With(c Changes) *Scene {
	next := *s
	next.territories = s.territories.with(c.GoneTerritories, c.Came.Territories)
	next.communes = s.communes.with(c.GoneCommunes, c.Came.Communes)
	next.zones = s.zones.with(c.GoneZones, c.Came.Zones)
	next.areas = s.areas.with(c.GoneAreas, asDrawn(c.Came.Areas))
	next.masts = s.masts.with(c.GoneMasts, c.Came.Masts)
	if c.Came.Withheld != nil {
		next.withheld = acting(c.Came.Withheld)
	}
	return &next
}

// Mast returns the mast of an id, nil where there is none: leave it as it is.
func (s *Scene) Mast(id int64) *Mast { return s.masts.of(id) }

// Place names the units a point lies in; "" where there is none.
type Place struct{ Commune, District, Territory string }

// At returns the units of a point.
func (s *Scene) At(p orb.Point) Place {
	var place Place
	if c := s.communes.first(p); c != nil {
		place.Commune, place.District = c.Code, c.District
	}
	if t := s.territories.first(p); t != nil {
		place.Territory = t.Code
	}
	return place
}

// Check judges a proposal by the rules of the territory it lies in, among the facts
// of the scene, and says where that is: the result of RuleSet.Check, sentences
// included. Outside every territory with rules the first of the rule sets judges, and
// finds TERRITORY; without any, the one finding is RULES-none.
func (s *Scene) Check(rules *Rules, p Proposal) (Place, Result) {
	return s.result(rules, p, sentences)
}

// Findings is Check without its sentences: Measured, Required and Message are
// empty, in the alternatives as well, and all else is the same. For batches, at a
// small part of the cost; ask Check about the proposals that are to be explained.
func (s *Scene) Findings(rules *Rules, p Proposal) (Place, Result) {
	return s.result(rules, p, figures)
}

func (s *Scene) result(rules *Rules, p Proposal, d detail) (Place, Result) {
	c := s.judge(rules, p, d)
	defer s.idle.Put(c)
	if c.rules == nil {
		return c.around.place, c.noRules()
	}
	r := c.result()
	if d == figures && c.tied(r.Findings) {
		place, r := s.result(rules, p, sentences)
		return place, r.withoutSentences()
	}
	return c.around.place, r
}

// Verdict is the verdict of Check alone. It does not allocate.
func (s *Scene) Verdict(rules *Rules, p Proposal) (Place, Verdict) {
	c := s.judge(rules, p, verdictOnly)
	place, v := c.around.place, Undetermined
	if c.rules != nil {
		v = c.decide()
	}
	s.idle.Put(c)
	return place, v
}

func (s *Scene) judge(rules *Rules, p Proposal, d detail) *check {
	c := s.idle.Get().(*check)
	c.start(nil, p, d)
	s.look(c, rules)
	if c.rules != nil {
		c.judge()
	}
	return c
}

// tied reports whether only their sentences could tell two findings apart, so that
// without sentences their order is not known.
func (c *check) tied(sorted []Finding) bool {
	for i := 1; i < len(sorted); i++ {
		if compareFindings(&sorted[i-1], &sorted[i]) == 0 {
			return true
		}
	}
	return false
}

func (r Result) withoutSentences() Result {
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Measured, f.Required, f.Message = "", "", geo.Text{}
	}
	for i := range r.Alternatives {
		r.Alternatives[i].Message = geo.Text{}
	}
	return r
}

// look gathers the facts about a place, masts excepted: those are asked for when a
// rule needs them.
func (s *Scene) look(c *check, rules *Rules) {
	f, p := &c.around, &c.proposal
	f.scene, f.accuracyM = s, p.accuracyM()
	c.touched = s.territories.touch(p.Point) + s.communes.touch(p.Point) + s.zones.touch(p.Point) + s.areas.touch(p.Point) + s.masts.touch(p.Point)
	t, land := s.territories.firstShape(p.Point)
	if t != nil {
		f.place.Territory = t.Code
	}
	c.rules, f.inTerritory = rules.For(f.place.Territory)
	f.inTerritory = f.inTerritory && t != nil
	s.lookAtCommune(f, p.Point)
	if c.rules == nil || !f.inTerritory {
		return
	}
	if f.accuracyM > 0 {
		f.territoryEdgeM, _ = land.edgeM(t.Geometry, p.Point, f.accuracyM, c.detail)
		if f.uncertain(f.territoryEdgeM) {
			return // then nothing else matters
		}
		f.urbanEdgeM = s.urbanEdge(c)
	}
	s.zones.eachDoubtful(&f.found, p.Point, f.accuracyM, func(z *Zone, as shape) {
		f.zones = append(f.zones, zoneFact{z, as})
	})
	s.areas.each(&f.found, p.Point, max(c.rules.besideM(p.heightM()), f.accuracyM), func(a *Area, as shape) {
		f.areas = append(f.areas, areaFact{a, as})
	})
	f.populate(p.Point)
}

func (s *Scene) lookAtCommune(f *facts, p orb.Point) {
	c := s.communes.first(p)
	if c == nil {
		return
	}
	f.place.Commune, f.place.District = c.Code, c.District
	f.urban, f.dense = c.Urban, c.DenselyPopulated
	if len(s.withheld) == 0 {
		return
	}
	whole := s.withheld[c.Code]
	for i := range whole {
		f.areas = append(f.areas, areaFact{Area: &whole[i]})
	}
}

// urbanEdge is the distance to the nearest commune of the other kind within the
// accuracy of the position, +Inf when there is none.
func (s *Scene) urbanEdge(c *check) float64 {
	f, p, nearest := &c.around, c.proposal.Point, math.Inf(1)
	s.communes.each(&f.found, p, f.accuracyM, func(u *Commune, as shape) {
		if u.Urban != f.urban && nearest > 0 {
			edgeM, _ := as.edgeM(u.Geometry, p, min(nearest, f.accuracyM), c.detail)
			nearest = min(nearest, edgeM)
		}
	})
	return nearest
}

// SetbackReachM is how far beside a point areas are found for rules of setback,
// metres; for larger setbacks, as far as the setback itself.
const SetbackReachM = 2000.0

// HighestMastM is the height of mast, metres, that Rules.BesideM reckons with.
const HighestMastM = 1000.0

// besideM is how far areas matter that do not cover the point, for a mast of this height.
func (rs *RuleSet) besideM(heightM float64) float64 {
	m := 0.0
	for i := range rs.setbacks {
		if r := &rs.setbacks[i]; r.enabled {
			m = max(m, SetbackReachM, r.ratioOfHeight*heightM)
		}
	}
	return m
}

// metresPerDegree is a little less than the shortest degree of latitude on WGS 84
// (110 574 m at the equator), so that boxes made with it are never too small.
const metresPerDegree = 110500.0

// beside is the box so many metres round a point; the point's own for 0, all
// longitudes near a pole.
func beside(p orb.Point, metres float64) orb.Bound {
	if metres == 0 {
		return p.Bound()
	}
	dLat := metres / metresPerDegree
	dLon := 360.0
	if widest := math.Abs(p[1]) + dLat; widest < 89 {
		dLon = dLat / math.Cos(widest*math.Pi/180)
	}
	return orb.Bound{Min: orb.Point{p[0] - dLon, p[1] - dLat}, Max: orb.Point{p[0] + dLon, p[1] + dLat}}
}
