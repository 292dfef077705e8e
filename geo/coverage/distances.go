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
)

// Distances measures the distance to the nearest site over a unit: its maximum, to
// MaxToleranceM, and the median and the 95th percentile of its distribution by
// area, to PercentileTolerance. Sites need not lie in the unit: a neighbour's may
// be the nearest. To compute the same by hand: take many points spread evenly over
// the unit, measure from each to every site, keep the least, sort.
//
// The unit is cut into quarters, and those again, in an equal-area plane. Nowhere
// within a cell does the distance differ from that at its centre by more than half
// the cell's diagonal, so a cell that cannot change the answer is left alone: the
// bounds are rigorous and no sample is taken. MaxAt is a point of the unit to
// 1e-6 m, MaxM the geodesic distance from it. The order of the sites does not
// matter.
//
// No sites, a unit without area, a coordinate that is not on earth and a unit that
// reaches beyond MaxReachM are errors. Cost: about 1.5 ms per site.
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
	t, err := newTerritory(unit, areaM2)
	if err != nil {
		return DistanceStats{}, err
	}
	s := newSurvey(t, sites)
	root := s.root()
	if root == nil || !(root.areaM2 > 0) {
		return DistanceStats{}, ErrNoArea
	}
	var stats DistanceStats
	stats.P50M = s.percentile(root, 0.5)
	stats.P95M = s.percentile(root, 0.95)
	stats.MaxM, stats.MaxAt = s.farthest(root)
	return stats, nil
}

// survey is a unit with the sites the distances are measured to.
type survey struct {
	*territory
	sites   []orb.Point // lon/lat, distinct, sorted
	stretch float64     // the most a geodesic is longer than its chord in the plane
}

func newSurvey(t *territory, sites []orb.Point) *survey {
	sorted := slices.Clone(sites)
	slices.SortFunc(sorted, func(a, b orb.Point) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
	// Twice the stretch of the sphere, (c/2)²/2 at an angle c from the centre, at
	// the corners of the box, and an allowance for the ellipsoid.
	angle := 1.5 * t.reachM / geo.EquatorialRadiusM
	return &survey{t, slices.Compact(sorted), 1 + angle*angle/4 + eccentricity2*angle + 1e-9}
}

// percentile finds the distance within which a share of the unit lies, between
// bounds that every round of quartering draws closer.
func (s *survey) percentile(root *cell, share float64) float64 {
	live, targetM2, belowM2 := []*cell{root}, share*root.areaM2, 0.0
	for {
		low := quantile(live, targetM2-belowM2, 1)
		high := quantile(live, targetM2-belowM2, -1)
		limitM := max(PercentileTolerance*(low+high), MaxToleranceM)
		if high-low <= limitM || len(live) == 0 {
			return (low + high) / 2
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
		// The bounds part where no distance between them occurs and the area
		// within them is the share, to rounding: the least such distance it is.
		if settled {
			return low
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

// farthest finds the point of the unit farthest from every site: cells that cannot
// hold a farther one than the best point met are dropped, the others quartered.
func (s *survey) farthest(root *cell) (float64, orb.Point) {
	best, at := -1.0, orb.Point{}
	meet := func(p orb.Point, d float64) {
		if d > best {
			best, at = d, p
		}
	}
	for live := []*cell{root}; len(live) > 0; {
		for _, c := range live {
			if c.whole {
				meet(c.at, c.nearM)
			}
			for _, q := range c.onBorder() {
				p := s.plane.lonLat(q)
				d, _ := s.nearest(p, c.sites)
				meet(p, d)
			}
		}
		var next []*cell
		for _, c := range live {
			if c.nearM+c.reachM > best+MaxToleranceM/2 {
				next = append(next, s.split(c)...)
			}
		}
		live = next
	}
	return best, orb.Point{math.Remainder(at[0], 360), at[1]}
}

// nearest measures from p to those of the sites listed.
func (s *survey) nearest(p orb.Point, sites []int32) (distanceM float64, site int32) {
	distanceM, site = math.Inf(1), -1
	for _, i := range sites {
		if d := geo.DistanceM(p, s.sites[i]); d < distanceM {
			distanceM, site = d, i
		}
	}
	return distanceM, site
}
