package coverage

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// DistanceStats says how far it is to the nearest site from anywhere in a unit,
// every square metre of the unit counting alike. Distances are geodesic, metres.
type DistanceStats struct {
	MaxM  float64   // from the point of the unit farthest from every site
	MaxAt orb.Point // that point, lon/lat; one of them where there are several
	P50M  float64   // half the unit's area is at most this far from a site
	P95M  float64   // 95 % of its area is
}

// MaxToleranceM is how much farther than MaxM a point of the unit may at most be,
// metres, and PercentileTolerance how much the percentiles may be off, as a share.
const (
	MaxToleranceM       = 1e-3
	PercentileTolerance = 0.005
)

// The errors of Distances for which there is no distance to speak of.
var (
	ErrNoSites = errors.New("there is no site to measure the distance to")
	ErrNoArea  = errors.New("the unit has no area")
	// ErrIntricate is for units and sites so contrived that the work allowed is not
	// enough for the accuracy stated.
	ErrIntricate = errors.New("the distances cannot be told to the accuracy stated within the work allowed")
)

// What is looked at, corners of cells and sites in them, is at most so much for any
// unit, and so much more for every vertex and site.
const (
	workBase      = 1 << 19
	workPerVertex = 1 << 5
	workPerSite   = 1 << 12
)

// Distances measures the distance to the nearest site over a unit: its maximum, to
// MaxToleranceM, and the median and the 95th percentile of its distribution by
// area, to PercentileTolerance. Sites need not lie in the unit: a neighbour's may
// be the nearest. To compute the same by hand: take many points spread evenly over
// the unit, measure from each to every site, keep the least, sort.
//
// The maximum: the unit is cut into quarters, and those again, in an equal-area
// plane. A cell is left alone when its distances, bounded by those at its corners,
// cannot exceed the greatest met: the bound is rigorous and no sample is taken. MaxAt
// is a point of the unit to 1e-6 m, MaxM the geodesic distance from it.
//
// The percentiles: the radius of discs about the sites that cover as much of the
// unit, found by trial and proved by a radius a little less and one a little more. Where
// discs cannot be taken for round (see CoveredMany), stand in heaps, or the share jumps at
// a distance, by the same quarters, which bound the distribution from both sides.
//
// The order of the sites does not matter.
//
// No sites, a unit without area, a coordinate that is not on earth and a unit that
// reaches beyond MaxReachM are errors. Cost: about 0.25 ms per site and 10 ms, and never
// more than a fixed amount of work for each vertex and site, however large or odd
// the unit: what would take more, such as a unit about the antipode of its only site, is
// ErrIntricate.
func Distances(unit orb.MultiPolygon, sites []orb.Point) (DistanceStats, error) {
	if err := validate(unit, nil); err != nil {
		return DistanceStats{}, err
	}
	for i, p := range sites {
		if !onEarth(p) {
			return DistanceStats{}, fmt.Errorf("site %d: %w", i, ErrNotOnEarth)
		}
	}
	if len(sites) == 0 {
		return DistanceStats{}, ErrNoSites
	}
	areaM2 := geo.AreaM2(unit)
	if !(areaM2 > 0) {
		return DistanceStats{}, ErrNoArea
	}
	t, err := newTerritory(unit, areaM2, 0)
	if err != nil {
		return DistanceStats{}, err
	}
	s := newSurvey(t, sites)
	root := s.root()
	if root == nil || !(root.areaM2 > 0) {
		return DistanceStats{}, ErrNoArea
	}
	stats, err := s.percentiles(unit, root)
	if err != nil {
		return DistanceStats{}, err
	}
	if stats.MaxM, stats.MaxAt, err = s.farthest(root, stats.P95M*(1-2*PercentileTolerance)-MaxToleranceM); err != nil {
		return DistanceStats{}, err
	}
	return stats, nil
}

// survey is a unit with the sites the distances are measured to.
type survey struct {
	*territory
	sites   []orb.Point // lon/lat, distinct, sorted
	stretch float64     // the most a geodesic is longer than its chord in the plane
	work    int         // corners and sites still to be looked at
}

func newSurvey(t *territory, sites []orb.Point) *survey {
	sorted := slices.Clone(sites)
	slices.SortFunc(sorted, func(a, b orb.Point) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
	// Twice the stretch of the sphere, (c/2)²/2 at an angle c from the centre, at
	// the corners of the box, and an allowance for the ellipsoid.
	angle := 1.5 * t.reachM / geo.EquatorialRadiusM
	return &survey{
		territory: t, sites: slices.Compact(sorted), stretch: 1 + angle*angle/4 + eccentricity2*angle + 1e-9,
		work: workBase + workPerVertex*len(t.edges) + workPerSite*len(sites),
	}
}

func (s *survey) exhausted() bool { return s.work < 0 }

// percentiles finds the median and the 95th percentile.
func (s *survey) percentiles(unit orb.MultiPolygon, root *cell) (stats DistanceStats, err error) {
	var near []orb.Point // what lies farther changes nothing, not a digit
	for _, i := range root.sites {
		near = append(near, s.sites[i])
	}
	sites := thinned(s.plane, 0.5*root.areaM2, near)
	if len(sites) < len(near) {
		few := *s
		few.sites = sites
		s, root = &few, few.root()
	}
	discs, round := newReaches(unit, sites)
	for _, p := range []struct {
		share float64
		m     *float64
	}{{0.5, &stats.P50M}, {0.95, &stats.P95M}} {
		ok := false
		if round {
			*p.m, ok = discs.percentile(p.share)
		}
		if !ok {
			if *p.m, err = s.percentile(root, p.share); err != nil {
				return stats, err
			}
		}
	}
	return stats, nil
}

// percentile finds the distance within which a share of the unit lies, between
// bounds that every round of quartering draws closer.
func (s *survey) percentile(root *cell, share float64) (float64, error) {
	live, targetM2, belowM2 := []*cell{root}, share*root.areaM2, 0.0
	for {
		low := quantile(live, targetM2-belowM2, 1)
		high := quantile(live, targetM2-belowM2, -1)
		limitM := max((PercentileTolerance-thinShare)*(low+high), MaxToleranceM)
		if high-low <= limitM || len(live) == 0 {
			return (low + high) / 2, nil
		}
		var next []*cell
		settled := true
		for _, c := range live {
			switch nearest, farthest := c.span(); {
			case farthest <= low:
				belowM2 += c.areaM2
			case nearest >= high:
			case c.doubtM <= limitM/4:
				next = append(next, c)
			default:
				next = append(next, s.split(c)...)
				settled = false
			}
		}
		if s.exhausted() {
			return 0, ErrIntricate
		}
		// The bounds part where no distance between them occurs and the area
		// within them is the share, to rounding: the least such distance it is.
		if settled {
			return low, nil
		}
		live = next
	}
}

// quantile is the least distance within which the cells have an area, their doubt
// taken in favour (1) or against (-1).
func quantile(cells []*cell, areaM2, doubts float64) float64 {
	low, high := math.Inf(1), 0.0
	for _, c := range cells {
		nearest, farthest := c.span()
		low, high = min(low, nearest), max(high, farthest)
	}
	low = max(0, low)
	for range 60 {
		if high-low <= MaxToleranceM/16 {
			break
		}
		middle, withinM2 := (low+high)/2, 0.0
		for _, c := range cells {
			withinM2 += c.areaM2 * c.shareWithin(middle, doubts)
		}
		if withinM2 >= areaM2 {
			high = middle
		} else {
			low = middle
		}
	}
	return (low + high) / 2
}
