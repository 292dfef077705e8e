package coverage

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/tidwall/rtree"

	"hatang/geo"
)

// territory is a unit in the plane about its centre.
type territory struct {
	origin orb.Point // lon/lat of the centre
	plane  plane
	reachM float64 // geodesic distance of the farthest vertex from the centre
	bound  orb.Bound
	flat   orb.MultiPolygon // in the plane
	rings  []orb.Ring       // of flat: outer rings anticlockwise, holes clockwise
	edges  []segment
	runs   rtree.RTreeG[run]
	index  *geo.Index // of the same rings in the plane
}

// segment is an edge of the unit in the plane, the unit to its left.
type segment struct{ a, b orb.Point }

// run is a stretch of consecutive edges.
type run struct{ first, last int }

// edgesPerRun balances the boxes looked at against the edges looked at in vain.
const edgesPerRun = 16

// newTerritory maps the unit, letting the chords of its edges stray by strayM, or by
// what strayM() says if that is more.
func newTerritory(unit orb.MultiPolygon, areaM2, strayM float64) (*territory, error) {
	t := &territory{origin: middle(unit)}
	t.plane = newPlane(t.origin)
	lengthM := 0.0
	for _, polygon := range unit {
		for _, ring := range polygon {
			lengthM += geo.LengthM(ring)
			for _, p := range ring {
				t.reachM = max(t.reachM, geo.DistanceM(t.origin, p))
			}
		}
	}
	if t.reachM > MaxReachM {
		return nil, ErrTooLarge
	}
	strayM = max(strayM, t.strayM(areaM2, lengthM))
	flat := make(orb.MultiPolygon, 0, len(unit))
	for _, polygon := range unit {
		rings := make(orb.Polygon, 0, len(polygon))
		for i, ring := range polygon {
			r := t.project(ring, strayM)
			if (signedArea(r) > 0) == (i > 0) {
				slices.Reverse(r)
			}
			rings = append(rings, r)
			if len(r) > 0 {
				t.rings = append(t.rings, r)
			}
			t.addEdges(r)
		}
		flat = append(flat, rings)
	}
	t.flat, t.bound = flat, flat.Bound()
	t.index = geo.NewIndex([]orb.MultiPolygon{flat})
	return t, nil
}

// mostPieces is how many pieces the edges of a unit are cut into at most, besides
// one for each: enough for any compact unit within MaxReachM.
const mostPieces = 1 << 16

// strayM is how far chords may stray from edges: all along the boundary that costs
// at most a third of 1e-9 of the area, unless the unit is a sliver so long that it
// would take more than mostPieces.
func (t *territory) strayM(areaM2, lengthM float64) float64 {
	piece := lengthM / mostPieces
	return max(0.5e-9*areaM2/lengthM, t.bend()*piece*piece/8, 1e-8)
}

// bend is more than any geodesic bends in the plane within the reach, 1/m.
func (t *territory) bend() float64 {
	return (t.reachM/geo.EquatorialRadiusM + 2*eccentricity2) / geo.EquatorialRadiusM
}

// middle is the centre of the unit's box; longitudes are taken relative to the
// first vertex, so that the antimeridian is nothing special.
func middle(unit orb.MultiPolygon) orb.Point {
	var box orb.Bound
	first, started := orb.Point{}, false
	for _, polygon := range unit {
		for _, ring := range polygon {
			for _, p := range ring {
				if !started {
					first, started = p, true
					box = orb.Bound{Min: orb.Point{0, p[1]}, Max: orb.Point{0, p[1]}}
				}
				box = box.Extend(orb.Point{math.Remainder(p[0]-first[0], 360), p[1]})
			}
		}
	}
	c := box.Center()
	return orb.Point{math.Remainder(first[0]+c[0], 360), c[1]}
}

// project maps a ring to the plane, adding points along its geodesic edges where a
// chord would stray from one by more than the given distance.
func (t *territory) project(ring orb.Ring, strayM float64) orb.Ring {
	if len(ring) == 0 {
		return nil
	}
	out := make(orb.Ring, 0, len(ring)+1)
	a := ring[len(ring)-1]
	p := t.plane.xy(a)
	for _, b := range ring {
		if a == b {
			continue
		}
		q := t.plane.xy(b)
		out = t.appendEdge(out, a, b, p, q, strayM)
		a, p = b, q
	}
	if len(out) > 0 {
		out = append(out, out[0])
	}
	return out
}

// appendEdge adds the points of an edge after its first end, up to its second; p
// and q are the ends in the plane.
func (t *territory) appendEdge(out orb.Ring, a, b, p, q orb.Point, strayM float64) orb.Ring {
	length := distance(p, q)
	if length*length/8*t.bend() <= strayM {
		return append(out, q)
	}
	azimuthDeg, lengthM := geo.AzimuthDeg(a, b), geo.DistanceM(a, b)
	at := func(share float64) orb.Point {
		return t.plane.xy(geo.Destination(a, azimuthDeg, share*lengthM))
	}
	stray := 0.0
	for _, share := range []float64{0.25, 0.5, 0.75} {
		m := at(share)
		stray = max(stray, math.Abs((q[0]-p[0])*(m[1]-p[1])-(q[1]-p[1])*(m[0]-p[0]))/length)
	}
	pieces := min(int(math.Ceil(1.2*math.Sqrt(stray/strayM))), 1<<12)
	for i := 1; i < pieces; i++ {
		out = append(out, at(float64(i)/float64(pieces)))
	}
	return append(out, q)
}

func (t *territory) addEdges(ring orb.Ring) {
	for from := 0; from < len(ring)-1; from += edgesPerRun {
		to := min(from+edgesPerRun, len(ring)-1)
		r := run{first: len(t.edges), last: len(t.edges) + to - from}
		box := orb.LineString(ring[from : to+1]).Bound()
		t.runs.Insert(box.Min, box.Max, r)
		for i := from; i < to; i++ {
			t.edges = append(t.edges, segment{ring[i], ring[i+1]})
		}
	}
}

func signedArea(r orb.Ring) float64 {
	total := 0.0
	for i := 1; i < len(r); i++ {
		total += (r[i-1][0]*r[i][1] - r[i][0]*r[i-1][1]) / 2
	}
	return total
}

// span is the part of an edge, as shares of its length, that one disc covers.
type span struct {
	edge     int
	from, to float64
}

// edgesWithin is the contribution to the area of the edges of the unit that the
// union of the discs covers, m². It notes on every circle where edges cross it.
func (t *territory) edgesWithin(circles []*circle) float64 {
	var spans []span
	for _, c := range circles {
		box := c.bound()
		t.runs.Search(box.Min, box.Max, func(_, _ [2]float64, r run) bool {
			for i := r.first; i < r.last; i++ {
				if from, to, ok := c.clip(t.edges[i]); ok {
					spans = append(spans, span{i, from, to})
				}
			}
			return true
		})
	}
	slices.SortFunc(spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.edge, b.edge), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	total, edge, done := 0.0, -1, 0.0
	for _, s := range spans {
		if s.edge != edge {
			edge, done = s.edge, 0
		}
		if from := max(s.from, done); s.to > from {
			e := t.edges[edge]
			total += (s.to - from) * (e.a[0]*e.b[1] - e.b[0]*e.a[1]) / 2
			done = s.to
		}
	}
	return total
}

// arcsWithin is the contribution to the area of the discs' boundaries that run
// within the unit and within no other disc, m². Call edgesWithin first.
func (t *territory) arcsWithin(circles []*circle) float64 {
	total := 0.0
	for _, c := range circles {
		inUnit := func(angle float64) bool {
			_, ok := t.index.First(c.at(angle))
			return ok
		}
		c.uncoveredArcs(inUnit, func(from, to float64) { total += c.arc(from, to) })
	}
	return total
}

// clip gives the part of an edge within the disc, and notes the crossings: an edge
// that enters the disc takes the boundary, anticlockwise, out of the unit, and one
// that leaves it takes the boundary in. Whether an end is within depends on that
// end alone, so that neighbouring edges agree.
func (c *circle) clip(s segment) (from, to float64, ok bool) {
	startsIn, endsIn := c.covers(s.a), c.covers(s.b)
	if startsIn && endsIn {
		return 0, 1, true
	}
	foot := c.foot(s)
	if !startsIn && !endsIn {
		if foot <= 0 || foot >= 1 {
			return 0, 0, false
		}
		if near := distance(s.at(foot), c.centre); near > c.maxR {
			return 0, 0, false
		}
		if foot, ok = c.deepest(s, foot); !ok {
			return 0, 0, false
		}
	}
	from, to = 0, 1
	if !startsIn {
		inside := foot
		if endsIn {
			inside = 1
		}
		from = c.meets(s, 0, inside)
		c.events = append(c.events, event{angle: c.angle(s.at(from)), units: -1})
	}
	if !endsIn {
		inside := foot
		if startsIn {
			inside = 0
		}
		to = c.meets(s, inside, 1)
		c.events = append(c.events, event{angle: c.angle(s.at(to)), units: 1})
	}
	return from, to, true
}

func (s segment) at(share float64) orb.Point {
	return orb.Point{s.a[0] + share*(s.b[0]-s.a[0]), s.a[1] + share*(s.b[1]-s.a[1])}
}

// foot is the share of the edge's line nearest to the disc's centre.
func (c *circle) foot(s segment) float64 {
	dx, dy := s.b[0]-s.a[0], s.b[1]-s.a[1]
	return ((c.centre[0]-s.a[0])*dx + (c.centre[1]-s.a[1])*dy) / (dx*dx + dy*dy)
}

// deepest looks about the foot of an edge with both ends outside for a point
// inside: false when the edge misses the disc.
func (c *circle) deepest(s segment, foot float64) (float64, bool) {
	if c.excess(s.at(foot)) < 0 {
		return foot, true
	}
	const golden = 0.6180339887498949
	low, high := 0.0, 1.0
	for high-low > 1e-9 {
		x1, x2 := high-golden*(high-low), low+golden*(high-low)
		if c.excess(s.at(x1)) < c.excess(s.at(x2)) {
			high = x2
		} else {
			low = x1
		}
	}
	best := (low + high) / 2
	return best, c.excess(s.at(best)) < 0
}

// meets finds where the edge meets the boundary between two shares of which one is
// inside and one outside, to rounding: regula falsi, Illinois variant.
func (c *circle) meets(s segment, low, high float64) float64 {
	fLow, fHigh := c.excess(s.at(low)), c.excess(s.at(high))
	highMoved, lowMoved := false, false
	for range 100 {
		if high-low < 1e-15 || fLow == fHigh {
			break
		}
		x := low + (high-low)*fLow/(fLow-fHigh)
		if !(x > low && x < high) {
			x = (low + high) / 2
		}
		f := c.excess(s.at(x))
		if math.Abs(f) <= 2e-16*c.mean {
			return x
		}
		if (f > 0) == (fHigh > 0) {
			if highMoved {
				fLow /= 2
			}
			high, fHigh, highMoved, lowMoved = x, f, true, false
		} else {
			if lowMoved {
				fHigh /= 2
			}
			low, fLow, highMoved, lowMoved = x, f, false, true
		}
	}
	return (low + high) / 2
}
