package geo

import (
	"math"

	"github.com/paulmach/orb"
)

// DistanceToBoundaryWithinM is DistanceToBoundaryM where that is no more than limitM:
// the same distance, and true. Farther away it is +Inf and false, at a small part of
// the cost: about 2 ns per vertex. A limit that is negative or no number, a point
// DistanceM refuses and an area without an edge give +Inf and false. Where the plane
// is no good for the limit (far beyond 50 km, beside a pole or the antimeridian) it
// costs what DistanceToBoundaryM does.
func DistanceToBoundaryWithinM(mp orb.MultiPolygon, p orb.Point, limitM float64) (m float64, within bool) {
	near, quick := newVicinity(p, limitM)
	if !quick {
		return plainlyWithin(mp, p, limitM)
	}
	s := search{vicinity: near, limit: limitM, best: limitM + roundingM}
	forEachEdge(mp, s.take)
	return s.nearest(limitM)
}

// DistanceToBoundaryWithinM is the function of that name for area i, a position that
// NewIndex was given. It reads the edges in the cells near the point: some 0.1 µs where
// there are none, and some µs where there are. An area that Without left out has no
// edge to be near.
func (x *Index) DistanceToBoundaryWithinM(i int, p orb.Point, limitM float64) (m float64, within bool) {
	return x.within(i, p, limitM, false)
}

// BoundaryWithin is what DistanceToBoundaryWithinM says without the distance: it measures
// only where the edges lie just about as far away as the limit.
func (x *Index) BoundaryWithin(i int, p orb.Point, limitM float64) bool {
	_, within := x.within(i, p, limitM, true)
	return within
}

// within is the distance to the boundary of area i, or 0 where any will do.
func (x *Index) within(i int, p orb.Point, limitM float64, anyWillDo bool) (float64, bool) {
	area := &x.areas[i]
	near, quick := newVicinity(p, limitM)
	switch {
	case !x.Has(i):
		return math.Inf(1), false
	case !quick:
		return plainlyWithin(area.shape, p, limitM)
	case !area.bound.Intersects(near.box):
		return math.Inf(1), false
	}
	s := search{vicinity: near, limit: limitM, best: limitM + roundingM}
	x.gather(&s, i)
	if anyWillDo && s.found {
		return 0, true
	}
	return s.nearest(limitM)
}

// gather gives the search the edges of area i, those far away perhaps excepted.
func (x *Index) gather(s *search, i int) {
	edges := vertices(x.areas[i].shape)
	g := x.grid()
	if g == nil || g.lattice.cellsIn(s.box)*edgesPerCell > edges {
		if g == nil {
			x.late.seen.Add(int64(edges))
		}
		forEachEdge(x.areas[i].shape, s.take)
		return
	}
	g.forEachHeld(s.box, func(held uint32) {
		if held&(1<<heldBits-1) != holdsList {
			return
		}
		for list := g.list(held >> heldBits); len(list) > 0; list = list[head(list[0]).next():] {
			if head(list[0]).area() == i {
				s.takeAll(list[1:head(list[0]).next()])
				return
			}
		}
	})
}

func plainlyWithin(mp orb.MultiPolygon, p orb.Point, limitM float64) (float64, bool) {
	if limitM >= 0 {
		if m := DistanceToBoundaryM(mp, p); m <= limitM && finite(m) {
			return m, true
		}
	}
	return math.Inf(1), false
}

// vertices are how many points the rings have, which is about how many edges.
func vertices(mp orb.MultiPolygon) int {
	n := 0
	for _, polygon := range mp {
		for _, ring := range polygon {
			n += len(ring)
		}
	}
	return n
}

// cellsIn is how many cells the box meets.
func (f *lattice) cellsIn(b orb.Bound) int {
	x0, x1, y0, y1 := f.cells(b)
	return (x1 - x0 + 1) * (y1 - y0 + 1)
}

// vicinity is the plane at a point and a box outside which every edge is farther
// from the point than a limit.
type vicinity struct {
	flat flat
	box  orb.Bound
}

// newVicinity is false where the plane's bounds are not known to hold as far as the
// limit, or longitudes may mean the same place on either side of the antimeridian.
func newVicinity(p orb.Point, limitM float64) (vicinity, bool) {
	if !onEarth(p) || !(limitM >= 0) || math.Abs(p[1]) > 85 {
		return vicinity{}, false
	}
	near := vicinity{flat: newFlat(p)}
	if near.flat.slope*limitM > 0.04 {
		return vicinity{}, false
	}
	reach := limitM/0.95*(1+1e-9) + 1e-3 // between never takes more than 5 % off
	dLon, dLat := reach/near.flat.lonM, reach/near.flat.latM
	near.box = orb.Bound{Min: orb.Point{p[0] - dLon, p[1] - dLat}, Max: orb.Point{p[0] + dLon, p[1] + dLat}}
	return near, near.box.Min[0] > -180 && near.box.Max[0] < 180
}

// roundingM is more than rounding takes off in the plane, metres: an edge through the
// point may seem a little way from it.
const roundingM = 1e-6

// search gathers the edges that may be the nearest and within the limit.
type search struct {
	vicinity
	candidates []candidate
	limit      float64
	best       float64 // edges surely farther away than this are left out
	found      bool    // an edge is surely within the limit

	each func(a, b orb.Point) // called with all edges in the box instead; nil: none
}

func (s *search) take(a, b orb.Point) {
	box := &s.box
	switch {
	case a[0] < box.Min[0] && b[0] < box.Min[0], a[0] > box.Max[0] && b[0] > box.Max[0],
		a[1] < box.Min[1] && b[1] < box.Min[1], a[1] > box.Max[1] && b[1] > box.Max[1]:
		return
	case s.each != nil:
		s.each(a, b)
		return
	}
	low, high := s.flat.between(s.flat.segmentM(a, b))
	if low > s.best {
		return
	}
	s.candidates = append(s.candidates, candidate{low, edge{a, b}})
	s.best = min(s.best, high)
	s.found = s.found || high <= s.limit
}

// takeAll takes edges as a list of an index holds them.
func (s *search) takeAll(edges []uint64) {
	for ; len(edges) >= 4; edges = edges[4:] {
		s.take(orb.Point{math.Float64frombits(edges[0]), math.Float64frombits(edges[1])},
			orb.Point{math.Float64frombits(edges[2]), math.Float64frombits(edges[3])})
	}
}

func (s *search) nearest(limitM float64) (float64, bool) {
	if m, _ := s.flat.nearestOf(s.candidates); m <= limitM {
		return m, true
	}
	return math.Inf(1), false
}
