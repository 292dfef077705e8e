package coverage

import (
	"cmp"
	"math"
	"runtime"
	"slices"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// ManyTolerance is how far CoveredMany's areas may be off, as a share.
const ManyTolerance = 1e-4

// CoveredMany returns what Covered returns for each of the units, in their order,
// with every disc counted in each: fast rather than to the last digit, to
// ManyTolerance of the covered area.
//
// In a unit's equal-area plane a disc is taken to be a circle of the same area. In
// truth it is stretched by (d/2R)²/2 along one axis and shrunk as much along the
// other at the distance d from the unit's centre: 4.5e-5 at the 120 km up to which
// this is done. Units and discs that reach farther are given to Covered. The
// order of the discs does not matter, to the last bit; the errors are Covered's.
//
// Works on all processors. Cost, for each of them: about 1 µs per vertex, 1 µs per disc and
// unit it may meet, 0.1 µs per pair of discs that overlap near a border or a gap.
func CoveredMany(units []orb.MultiPolygon, discs []Disc) ([]Result, error) {
	if err := validate(nil, discs); err != nil {
		return nil, err
	}
	return coveredMany(units, newSorted(discs))
}

func coveredMany(units []orb.MultiPolygon, sorted sortedDiscs) ([]Result, error) {
	for _, unit := range units {
		if err := validate(unit, nil); err != nil {
			return nil, err
		}
	}
	results, errs := make([]Result, len(units)), make([]error, len(units))
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(units)) {
		wait.Go(func() {
			var w workshop
			for i := int(next.Add(1)) - 1; i < len(units); i = int(next.Add(1)) - 1 {
				results[i], errs[i] = w.covered(units[i], sorted)
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return results, nil
}

// sortedDiscs are distinct discs from south to north.
type sortedDiscs struct {
	discs      []Disc
	maxRadiusM float64
}

func newSorted(discs []Disc) sortedDiscs {
	s := sortedDiscs{discs: slices.Clone(discs)}
	slices.SortFunc(s.discs, func(a, b Disc) int {
		switch {
		case a.Center[1] != b.Center[1]:
			return cmp.Compare(a.Center[1], b.Center[1])
		case a.Center[0] != b.Center[0]:
			return cmp.Compare(a.Center[0], b.Center[0])
		}
		return cmp.Compare(a.RadiusM, b.RadiusM)
	})
	s.discs = slices.Compact(s.discs)
	for _, d := range s.discs {
		s.maxRadiusM = max(s.maxRadiusM, d.RadiusM)
	}
	return s
}

// near calls yield with the discs that may meet a box about the origin, given as
// half its width and height in degrees. A degree of latitude is at least 110 574 m
// long, one of longitude at least that times the cosine.
func (s sortedDiscs) near(origin orb.Point, halfLon, halfLat float64, yield func(Disc)) {
	const metresPerDegree = 110574 * (1 - 1e-6)
	reach := halfLat + s.maxRadiusM/metresPerDegree
	first := sort.Search(len(s.discs), func(i int) bool { return s.discs[i].Center[1] >= origin[1]-reach })
	cos := math.Cos(radians(min(90, math.Abs(origin[1])+reach)))
	lonReach := 360.0
	if cos > 0.05 && reach < 10 {
		lonReach = halfLon + 1.1*s.maxRadiusM/(metresPerDegree*cos)
	}
	for _, d := range s.discs[first:] {
		if d.Center[1] > origin[1]+reach {
			break
		}
		lon := math.Abs(d.Center[0] - origin[0])
		if lon > 180 {
			lon = math.Abs(math.Remainder(lon, 360))
		}
		if lon <= lonReach {
			yield(d)
		}
	}
}

// roundReachM is how far from a unit's centre discs are taken to be round.
const roundReachM = 120e3

// workshop measures one unit at a time and keeps its tools.
type workshop struct {
	edges     []segment
	index     *geo.Index
	rounds    []round
	crossings []crossing
	shelves   []shelf
	found     []int32
	cover     []stretch
	spans     []stretch
	boundary  boundary
}

// covered measures one unit: see CoveredMany.
func (w *workshop) covered(unit orb.MultiPolygon, discs sortedDiscs) (Result, error) {
	origin := middle(unit)
	halfLon, halfLat := halfBox(unit, origin)
	if halfLon > 60 { // it may hold a pole, and so no box in degrees holds it
		return Covered(unit, discs.discs)
	}
	t := &territory{origin: origin, plane: newPlane(origin), reachM: roundReachM}
	small := perhapsRound(origin, halfLon, halfLat)
	areaM2, reachM := 0.0, 0.0
	if small {
		areaM2, reachM = w.outline(t, unit)
	}
	if small && reachM < roundReachM && w.take(t, discs, halfLon, halfLat) {
		if !(areaM2 > 0) {
			return Result{}, nil
		}
		r := Result{AreaM2: areaM2}
		r.CoveredM2 = max(0, min(w.edgesWithin()+w.arcsWithin(), areaM2))
		r.Share = r.CoveredM2 / areaM2
		return r, nil
	}
	var near []Disc
	discs.near(origin, halfLon, halfLat, func(d Disc) { near = append(near, d) })
	return Covered(unit, near)
}

// perhapsRound is false for boxes, half as wide and high as given in degrees, that
// reach much farther than discs are taken to be round.
func perhapsRound(origin orb.Point, halfLon, halfLat float64) bool {
	const metresPerDegree = 110574
	cos := math.Cos(radians(min(90, math.Abs(origin[1])+halfLat)))
	return halfLat*metresPerDegree < 2*roundReachM && halfLon*cos*metresPerDegree < 2*roundReachM
}

func halfBox(unit orb.MultiPolygon, origin orb.Point) (lon, lat float64) {
	for _, polygon := range unit {
		for _, ring := range polygon {
			for _, p := range ring {
				lon = max(lon, math.Abs(math.Remainder(p[0]-origin[0], 360)))
				lat = max(lat, math.Abs(p[1]-origin[1]))
			}
		}
	}
	return lon, lat
}

// chordStrayM is how far a chord may stray from an edge of the unit: 1e-6 of the
// area of a unit a kilometre wide or more.
const chordStrayM = 5e-3

// outline brings the unit to the plane; the area of nothing is 0.
func (w *workshop) outline(t *territory, unit orb.MultiPolygon) (areaM2, reachM float64) {
	w.edges = w.edges[:0]
	flat := make(orb.MultiPolygon, 0, len(unit))
	for _, polygon := range unit {
		rings := make(orb.Polygon, 0, len(polygon))
		for i, ring := range polygon {
			r := t.project(ring, chordStrayM)
			m2 := signedArea(r)
			if (m2 > 0) == (i > 0) {
				slices.Reverse(r)
				m2 = -m2
			}
			areaM2 += m2
			for k := 1; k < len(r); k++ {
				w.edges = append(w.edges, segment{r[k-1], r[k]})
				reachM = max(reachM, math.Hypot(r[k][0], r[k][1]))
			}
			rings = append(rings, r)
		}
		flat = append(flat, rings)
	}
	t.bound = flat.Bound()
	w.index = geo.NewIndex([]orb.MultiPolygon{flat})
	return areaM2, reachM
}

// take brings the discs that may meet the unit to the plane: false when one of
// them reaches too far to be round.
func (w *workshop) take(t *territory, discs sortedDiscs, halfLon, halfLat float64) bool {
	w.rounds = w.rounds[:0]
	ok := true
	discs.near(t.origin, halfLon, halfLat, func(d Disc) {
		if d.RadiusM == 0 {
			return
		}
		c := newRound(t.plane, d)
		if !t.bound.Intersects(orb.Bound{
			Min: orb.Point{c.x - 1.01*c.r, c.y - 1.01*c.r}, Max: orb.Point{c.x + 1.01*c.r, c.y + 1.01*c.r}}) {
			return
		}
		ok = ok && math.Hypot(c.x, c.y)+c.r < 1.5*roundReachM && c.r < roundReachM/4
		w.rounds = append(w.rounds, c)
	})
	w.shelve(t.bound)
	return ok
}
