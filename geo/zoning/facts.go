package zoning

import (
	"math"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// facts are what a check knows of the place: given by hand, or found in a scene.
type facts struct {
	place                     Place
	inTerritory, urban, dense bool
	accuracyM                 float64
	territoryEdgeM            float64 // +Inf when far
	urbanEdgeM                float64
	denseEdgeM                float64 // to the edge of an area that makes places densely populated
	populated                 *Area   // such an area, at the point; nil for none
	zones                     []zoneFact
	areas                     []areaFact
	masts                     []Mast
	scene                     *Scene // when set, masts are found there
	found                     []int  // positions in the scene, for a moment
}

// shape is an area as drawn, or as a scene has prepared it.
type shape struct {
	index *geo.Index // nil: look at the area as drawn
	at    int
	holds bool // it is known already to cover the proposal's point
}

// edgeWithinM is the distance to the edge of the area, given as drawn too, and whether
// that is no more than the limit: +Inf and false when not.
func (s shape) edgeWithinM(drawn orb.MultiPolygon, p orb.Point, limitM float64) (float64, bool) {
	if s.index != nil {
		return s.index.DistanceToBoundaryWithinM(s.at, p, limitM)
	}
	return geo.DistanceToBoundaryWithinM(drawn, p, limitM)
}

// edgeM is edgeWithinM, with 0 for the distance where only the verdict is wanted.
func (s shape) edgeM(drawn orb.MultiPolygon, p orb.Point, limitM float64, d detail) (float64, bool) {
	switch {
	case d != verdictOnly || s.index == nil:
		return s.edgeWithinM(drawn, p, limitM)
	case s.index.BoundaryWithin(s.at, p, limitM):
		return 0, true
	}
	return math.Inf(1), false
}

// zoneFact is a zone that may cover the point.
type zoneFact struct {
	*Zone
	shape
}

func (z *zoneFact) covers(p orb.Point) bool {
	if z.index != nil {
		return z.index.Covers(z.at, p)
	}
	return geo.Contains(z.Geometry, p)
}

// here reports whether the zone covers the proposal's point.
func (z *zoneFact) here(p orb.Point) bool { return z.holds || z.covers(p) }

// areaFact is a special area that may matter.
type areaFact struct {
	*Area
	shape
}

func (a *areaFact) covers(p orb.Point) bool {
	if a.index != nil {
		return a.index.Covers(a.at, p)
	}
	return geo.Contains(a.Geometry, p)
}

func (a *areaFact) here(p orb.Point) bool { return a.holds || a.covers(p) }

// emptied keeps the room of the slices and nothing else.
func (f *facts) emptied() facts {
	return facts{territoryEdgeM: math.Inf(1), urbanEdgeM: math.Inf(1), denseEdgeM: math.Inf(1), zones: f.zones[:0], areas: f.areas[:0], found: f.found[:0]}
}

// given takes the facts from surroundings made by hand.
func (f *facts) given(s *Surroundings, p *Proposal) {
	f.inTerritory, f.urban, f.dense, f.accuracyM = s.InTerritory, s.Urban, s.DenselyPopulated, max(p.accuracyM(), s.PositionAccuracyM)
	f.masts = s.Masts
	if s.TerritoryEdgeM != nil {
		f.territoryEdgeM = *s.TerritoryEdgeM
	}
	if s.UrbanEdgeM != nil {
		f.urbanEdgeM = *s.UrbanEdgeM
	}
	for i := range s.Zones {
		f.zones = append(f.zones, zoneFact{Zone: &s.Zones[i]})
	}
	for i := range s.Areas {
		f.areas = append(f.areas, areaFact{Area: &s.Areas[i]})
	}
	f.populate(p.Point)
}

// populate notes whether an area makes the place densely populated, and how far its nearest
// edge is where that may lie on the other side of the point.
func (f *facts) populate(p orb.Point) {
	for i := range f.areas {
		a := &f.areas[i]
		if a.Kind != DenselyPopulated || a.Withheld || a.WholeCommune {
			continue
		}
		if a.here(p) && (f.populated == nil || a.ID < f.populated.ID) {
			f.dense, f.populated = true, a.Area
		}
		if f.accuracyM > 0 && !a.Illustrative {
			edgeM, _ := a.edgeWithinM(a.Geometry, p, f.accuracyM)
			f.denseEdgeM = min(f.denseEdgeM, edgeM)
		}
	}
}

// uncertain reports whether a line so far away may lie on the other side of the point.
func (f *facts) uncertain(edgeM float64) bool { return f.accuracyM > 0 && edgeM <= f.accuracyM }

// eachMast calls yield with every mast within reach, and perhaps others.
func (f *facts) eachMast(p orb.Point, reachM float64, yield func(*Mast)) {
	if f.scene == nil {
		for i := range f.masts {
			yield(&f.masts[i])
		}
		return
	}
	f.scene.masts.each(&f.found, p, reachM, yield)
}
