package coverage

import (
	"math"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// reaches measures how much of a unit lies within a distance of its sites: the
// area that discs of that radius cover, to ManyTolerance.
type reaches struct {
	workshop
	t      *territory
	areaM2 float64
	sites  []orb.Point // lon/lat
	done   map[float64]float64
}

// newReaches is false for a unit too large to take discs for round.
func newReaches(unit orb.MultiPolygon, sites []orb.Point) (*reaches, bool) {
	origin := middle(unit)
	t := &territory{origin: origin, plane: newPlane(origin), reachM: roundReachM}
	if halfLon, halfLat := halfBox(unit, origin); halfLon > 60 || !perhapsRound(origin, halfLon, halfLat) {
		return nil, false
	}
	r := &reaches{t: t, sites: sites, done: map[float64]float64{}}
	areaM2, reachM := r.outline(t, unit)
	r.areaM2 = areaM2
	return r, areaM2 > 0 && reachM < roundReachM
}

// thinShare is how far, as a share of a percentile, a site may lie from the one that
// stands for it.
const thinShare = 0.1 * PercentileTolerance

// thinned leaves out sites so near others that the percentile of a share of the unit
// is the same without them to thinShare: n discs of the radius √(S/(πn)) cover an area
// S at most, so no percentile is less; and fewer sites raise it. So heaps of sites
// cost no more than one.
func thinned(plane plane, areaM2 float64, sites []orb.Point) []orb.Point {
	for {
		side := thinShare * math.Sqrt(areaM2/(math.Pi*float64(len(sites)))) / 2
		taken := make(map[[2]float64]bool, len(sites))
		var kept []orb.Point
		for _, p := range sites {
			q := plane.xy(p)
			key := [2]float64{math.Floor(q[0] / side), math.Floor(q[1] / side)}
			far := math.Hypot(q[0], q[1]) > geo.EquatorialRadiusM // the plane squeezes what is farther
			if far || !taken[key] {
				taken[key] = true
				kept = append(kept, p)
			}
		}
		if 2*len(kept) > len(sites) {
			return kept
		}
		sites = kept
	}
}

// crowded is how many pairs of discs, for each disc, are too many: where sites stand
// in heaps their distances are found sooner cell by cell.
const crowded = 200

// share is that of the unit within radiusM of a site: false when that cannot be
// told fast and to ManyTolerance.
func (r *reaches) share(radiusM float64) (float64, bool) {
	if share, ok := r.done[radiusM]; ok {
		return share, true
	}
	discs := newSorted(nil)
	for _, p := range r.sites {
		discs.discs = append(discs.discs, Disc{p, radiusM})
	}
	discs.maxRadiusM = radiusM
	if !r.take(r.t, discs, 360, 180) || r.pairs() > crowded*(len(r.rounds)+10) {
		return 0, false
	}
	share := max(0, min(1, (r.edgesWithin()+r.arcsWithin())/r.areaM2))
	r.done[radiusM] = share
	return share, true
}

// pairs bounds, from the grids alone, how many pairs of circles may overlap.
func (w *workshop) pairs() int {
	total := 0
	for _, s := range w.shelves {
		for y := range s.ny {
			for x := range s.nx {
				here := int(s.start[x+s.nx*y+1] - s.start[x+s.nx*y])
				if here == 0 {
					continue
				}
				for row := max(0, y-1); row <= min(s.ny-1, y+1); row++ {
					total += here * int(s.start[min(s.nx-1, x+1)+s.nx*row+1]-s.start[max(0, x-1)+s.nx*row])
				}
			}
		}
	}
	return total
}

// percentile finds the distance within which a share of the unit lies, by the area
// that discs cover, and proves it: a little nearer there is less, a little
// farther more, by more than ManyTolerance. False when that fails.
func (r *reaches) percentile(share float64) (float64, bool) {
	const doubt, step = 1.2 * ManyTolerance, 0.8 * PercentileTolerance // and thinShare
	low, fLow := 0.0, -share
	high := math.Sqrt(r.areaM2 * share / (math.Pi * float64(len(r.sites))))
	fHigh := 0.0
	for {
		f, ok := r.share(high)
		if !ok {
			return 0, false
		}
		if f >= share {
			fHigh = f - share
			break
		}
		low, fLow, high = high, f-share, 1.5*high
	}
	for range 24 {
		x := low + (high-low)*max(0.02, min(0.98, fLow/(fLow-fHigh)))
		f, ok := r.share(x)
		if !ok {
			return 0, false
		}
		if f -= share; f >= 0 {
			high, fHigh = x, f
		} else {
			low, fLow = x, f
		}
		if math.Abs(f) < doubt || high-low < step*high/4 {
			less, ok1 := r.share(x * (1 - step))
			more, ok2 := r.share(x * (1 + step))
			return x, ok1 && ok2 && less < share-doubt && more > share+doubt && x > MaxToleranceM
		}
	}
	return 0, false
}
