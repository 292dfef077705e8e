package zoning

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// SceneData is everything that checks of one date and one viewer need. NewScene
// keeps the slices: leave them alone afterwards.
type SceneData struct {
	Territories []Territory
	Communes    []Commune // in force on the date
	Zones       []Zone    // with their own periods
	Masts       []Mast    // standing or planned on the date
	Areas       []Area    // in force on the date, those shown to the viewer
}

// Territory is an area that plans are made for: a province.
type Territory struct {
	Code     string
	Geometry orb.MultiPolygon
}

// Commune is a unit that makes a place urban or not.
type Commune struct {
	Code, District   string
	Urban            bool // a ward or a town
	DenselyPopulated bool
	// Withheld are the kinds of the areas that act on the whole commune and are not
	// shown. An Area in SceneData is judged where it is drawn, WholeCommune or not.
	Withheld []string
	Geometry orb.MultiPolygon
}

// Scene answers proposals among the same zones, masts, areas and units, as Check
// does with the surroundings of each point, without looking at what is far away.
// It is immutable, and safe for concurrent use. Where units overlap or touch, a
// point belongs to the one with the lowest code.
//
// Cost: to build, n log n in the vertices, about 0.2 µs and 70 bytes for each. A
// check costs the same whatever the size of the scene, but for the memory's
// caches: it reads one cell of each grid, the edges level with the point, and the
// masts within reach. Verdict does not allocate.
type Scene struct {
	territories []Territory
	communes    []Commune
	zones       []Zone
	masts       []Mast
	areas       []Area
	whole       [][]Area // by commune: what acts on all of it

	inTerritory, inCommune, inZone, inArea *geo.Index

	byPlace     *geo.Points // masts
	edgeMarginM float64     // the largest accuracy of a zone's edge
	only        []string    // territories that count; nil: all
	idle        *sync.Pool  // of *check
}

// NewScene prepares the data. Empty data are a scene outside every territory.
func NewScene(d SceneData) *Scene {
	s := &Scene{
		territories: sortedBy(d.Territories, func(t Territory) string { return t.Code }),
		communes:    sortedBy(d.Communes, func(c Commune) string { return c.Code }),
		zones:       d.Zones, masts: d.Masts, areas: slices.Clone(d.Areas),
		idle: &sync.Pool{New: func() any { return new(check) }},
	}
	for i := range s.areas {
		s.areas[i].Withheld = s.areas[i].Withheld || s.areas[i].WholeCommune
		s.areas[i].WholeCommune = false
	}
	s.whole = make([][]Area, len(s.communes))
	for i, c := range s.communes {
		for _, kind := range c.Withheld {
			s.whole[i] = append(s.whole[i], Area{Kind: kind, Withheld: true, WholeCommune: true})
		}
	}
	for _, z := range s.zones {
		if z.AccuracyM != nil && !z.Illustrative {
			s.edgeMarginM = max(s.edgeMarginM, *z.AccuracyM)
		}
	}
	s.inTerritory = indexOf(s.territories, func(t *Territory) orb.MultiPolygon { return t.Geometry })
	s.inCommune = indexOf(s.communes, func(c *Commune) orb.MultiPolygon { return c.Geometry })
	s.inZone = indexOf(s.zones, func(z *Zone) orb.MultiPolygon { return z.Geometry })
	s.inArea = indexOf(s.areas, func(a *Area) orb.MultiPolygon { return a.Geometry })
	points := make([]orb.Point, len(s.masts))
	for i := range s.masts {
		points[i] = orb.Point{roundTheWorld(s.masts[i].Point[0]), s.masts[i].Point[1]}
	}
	s.byPlace = geo.NewPoints(points)
	return s
}

func sortedBy[T any](items []T, code func(T) string) []T {
	out := slices.Clone(items)
	slices.SortStableFunc(out, func(a, b T) int { return cmp.Compare(code(a), code(b)) })
	return out
}

func indexOf[T any](items []T, geometry func(*T) orb.MultiPolygon) *geo.Index {
	shapes := make([]orb.MultiPolygon, len(items))
	for i := range items {
		shapes[i] = geometry(&items[i])
	}
	return geo.NewIndex(shapes)
}

// roundTheWorld brings a longitude within ±180°.
func roundTheWorld(lon float64) float64 {
	if lon >= -180 && lon <= 180 {
		return lon
	}
	return math.Remainder(lon, 360)
}

// Within is the same scene in which only the named territories count as territory
// of the rules: elsewhere the verdict is undetermined (finding TERRITORY).
func (s *Scene) Within(territories []string) *Scene {
	view := *s
	view.only = append([]string{}, territories...)
	return &view
}

// Place names the units a point lies in; "" where there is none.
type Place struct{ Commune, District, Territory string }

// At returns the units of a point.
func (s *Scene) At(p orb.Point) Place {
	var place Place
	if i, ok := s.inCommune.First(p); ok {
		place.Commune, place.District = s.communes[i].Code, s.communes[i].District
	}
	if i, ok := s.inTerritory.First(p); ok {
		place.Territory = s.territories[i].Code
	}
	return place
}

// Check is RuleSet.Check among the facts of the scene: the same result, sentences included.
func (s *Scene) Check(rs *RuleSet, p Proposal) Result {
	c := s.judge(rs, p, sentences)
	defer s.idle.Put(c)
	return c.result()
}

// Findings is Check without its sentences: Measured, Required and Message are
// empty, in the alternatives as well, and all else is the same. For batches, at a
// small part of the cost; ask Check about the proposals that are to be explained.
func (s *Scene) Findings(rs *RuleSet, p Proposal) Result {
	c := s.judge(rs, p, figures)
	defer s.idle.Put(c)
	r := c.result()
	if c.tied(r.Findings) {
		return s.Check(rs, p).withoutSentences()
	}
	return r
}

// Verdict is the verdict of Check alone. It does not allocate.
func (s *Scene) Verdict(rs *RuleSet, p Proposal) Verdict {
	c := s.judge(rs, p, verdictOnly)
	v := c.decide()
	s.idle.Put(c)
	return v
}

func (s *Scene) judge(rs *RuleSet, p Proposal, d detail) *check {
	c := s.idle.Get().(*check)
	c.start(rs, p, d)
	s.look(&c.around, rs, &c.proposal)
	c.judge()
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
func (s *Scene) look(f *facts, rs *RuleSet, p *Proposal) {
	f.scene, f.accuracyM = s, p.accuracyM()
	if i, ok := s.inTerritory.First(p.Point); ok {
		f.inTerritory = s.only == nil || slices.Contains(s.only, s.territories[i].Code)
		if f.accuracyM > 0 {
			f.territoryEdgeM = geo.DistanceToBoundaryM(s.territories[i].Geometry, p.Point)
		}
	}
	if !f.inTerritory {
		return
	}
	if i, ok := s.inCommune.First(p.Point); ok {
		f.urban, f.dense = s.communes[i].Urban, s.communes[i].DenselyPopulated
		for j := range s.whole[i] {
			f.areas = append(f.areas, areaFact{Area: &s.whole[i][j]})
		}
	}
	if f.accuracyM > 0 {
		f.urbanEdgeM = s.urbanEdge(f, p.Point)
	}
	marginM := s.edgeMarginM + f.accuracyM
	f.found = around(s.inZone, f.found[:0], p.Point, marginM)
	for _, i := range f.found {
		f.zones = append(f.zones, zoneFact{&s.zones[i], shape{s.inZone, i, marginM == 0}})
	}
	besideM := rs.besideM(p)
	f.found = around(s.inArea, f.found[:0], p.Point, besideM)
	for _, i := range f.found {
		f.areas = append(f.areas, areaFact{&s.areas[i], shape{s.inArea, i, besideM == 0}})
	}
}

// urbanEdge is the distance to the nearest commune of the other kind within the
// accuracy of the position, +Inf when there is none.
func (s *Scene) urbanEdge(f *facts, p orb.Point) float64 {
	nearest := math.Inf(1)
	f.found = s.inCommune.AppendNear(f.found[:0], beside(p, f.accuracyM))
	for _, i := range f.found {
		if s.communes[i].Urban != f.urban {
			nearest = min(nearest, geo.DistanceToBoundaryM(s.communes[i].Geometry, p))
		}
	}
	return nearest
}

// around appends the areas that hold the point or, where a margin matters, all
// whose box comes so near.
func around(x *geo.Index, dst []int, p orb.Point, marginM float64) []int {
	if marginM == 0 {
		return x.AppendAt(dst, p)
	}
	return x.AppendNear(dst, beside(p, marginM))
}

// SetbackReachM is how far beside a point areas are found for rules of setback,
// metres; for larger setbacks, as far as the setback itself.
const SetbackReachM = 2000.0

// besideM is how far areas matter that do not cover the point.
func (rs *RuleSet) besideM(p *Proposal) float64 {
	m := 0.0
	for i := range rs.setbacks {
		if r := &rs.setbacks[i]; r.enabled {
			m = max(m, SetbackReachM)
			if p.HeightM != nil {
				m = max(m, r.ratioOfHeight**p.HeightM)
			}
		}
	}
	return m
}

// appendMasts appends the masts within reach, and some beyond, across the
// antimeridian and round the poles too.
func (s *Scene) appendMasts(dst []int, p orb.Point, reachM float64) []int {
	box := beside(p, reachM)
	if box.Max[0]-box.Min[0] >= 360 {
		box.Min[0], box.Max[0] = -180, 180
		return s.byPlace.AppendIn(dst, box)
	}
	dst = s.byPlace.AppendIn(dst, box)
	if box.Min[0] <= -180 {
		dst = s.byPlace.AppendIn(dst, shifted(box, 360))
	}
	if box.Max[0] >= 180 {
		dst = s.byPlace.AppendIn(dst, shifted(box, -360))
	}
	return dst
}

func shifted(b orb.Bound, lon float64) orb.Bound {
	b.Min[0] += lon
	b.Max[0] += lon
	return b
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
