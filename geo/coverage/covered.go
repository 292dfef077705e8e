package coverage

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// Disc is everything within RadiusM metres, by geodesic, of the lon/lat point Center.
type Disc struct {
	Center  orb.Point
	RadiusM float64
}

// Result is how much of a unit is covered.
type Result struct {
	AreaM2    float64 // of the unit, geodesic, m²
	CoveredM2 float64 // of the union of the discs within the unit, m²
	Share     float64 // CoveredM2 ÷ AreaM2, 0 to 1
}

// MaxRadiusM is the largest radius Covered takes, and MaxReachM how far a unit may
// reach from its centre, metres. Longitudes may run on past ±180°, up to MaxLongitude.
const (
	MaxRadiusM   = 1e6
	MaxReachM    = 2.5e6
	MaxLongitude = 3600.0
)

// The errors of Covered.
var (
	ErrNotOnEarth = fmt.Errorf("a coordinate is not finite, its latitude is outside ±90° or its longitude outside ±%v°", MaxLongitude)
	ErrRadius     = fmt.Errorf("a radius is not a number from 0 to %.0f m", MaxRadiusM)
	ErrTooLarge   = fmt.Errorf("the unit reaches more than %.0f m from its centre", MaxReachM)
)

// Covered returns the area of the union of geodesic discs clipped to the unit.
//
// Everything is mapped to an equal-area plane about the unit's centre, where the
// boundary of a disc is fitted by a curve whose sectors have a closed form; the
// boundary of union ∩ unit is walked once (Green's theorem), so no polygon is ever
// made of a disc. Accuracy for units up to a province: 1e-9 of a disc's area for
// whole discs, 1e-9 of the unit's area where its edges take part. The unit's edges are geodesics, as in
// geo.AreaM2; its rings may run either way, its parts must not overlap.
//
// The answer does not depend on the order of the discs, to the last bit.
// Coincident, tangent, contained and duplicate discs, and discs of radius 0 or far
// away, are all in order. A unit without area gives the zero Result. A coordinate
// that is not on earth, a radius outside 0 to MaxRadiusM and a unit that reaches
// beyond MaxReachM are errors.
//
// Beyond a province the edges of a long thin unit may be less exact: they are cut into
// 65 536 pieces at most, besides one for each.
//
// Cost: about 50 µs per disc, 5 µs per pair of overlapping discs and 6 µs per vertex, and
// at most 0.2 s for the pieces of long edges, whatever the unit's extent.
func Covered(unit orb.MultiPolygon, discs []Disc) (Result, error) {
	if err := validate(unit, discs); err != nil {
		return Result{}, err
	}
	result := Result{AreaM2: geo.AreaM2(unit)}
	if !(result.AreaM2 > 0) {
		return Result{}, nil
	}
	t, err := newTerritory(unit, result.AreaM2, 0)
	if err != nil {
		return Result{}, err
	}
	curves := t.curves(discs)
	circles := union(curves)
	result.CoveredM2 = t.edgesWithin(circles) + t.arcsWithin(circles)
	result.CoveredM2 = max(0, min(result.CoveredM2, result.AreaM2))
	result.Share = result.CoveredM2 / result.AreaM2
	return result, nil
}

func validate(unit orb.MultiPolygon, discs []Disc) error {
	for i, d := range discs {
		if !onEarth(d.Center) {
			return fmt.Errorf("disc %d: %w", i, ErrNotOnEarth)
		}
		if !(d.RadiusM >= 0 && d.RadiusM <= MaxRadiusM) {
			return fmt.Errorf("disc %d: %w", i, ErrRadius)
		}
	}
	for _, polygon := range unit {
		for _, ring := range polygon {
			for _, p := range ring {
				if !onEarth(p) {
					return fmt.Errorf("unit: %w", ErrNotOnEarth)
				}
			}
		}
	}
	return nil
}

func onEarth(p orb.Point) bool {
	return math.Abs(p[0]) <= MaxLongitude && math.Abs(p[1]) <= 90
}

// curves maps the discs that can meet the territory to the plane, in an order that
// depends on what they are, not on how they were given: largest first.
func (t *territory) curves(discs []Disc) []curve {
	var out []curve
	for _, d := range discs {
		if d.RadiusM == 0 || geo.DistanceM(t.origin, d.Center) > t.reachM+d.RadiusM {
			continue
		}
		if c := newCurve(t.plane, d); t.bound.Intersects(c.bound()) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b curve) int {
		return cmp.Or(cmp.Compare(b.mean, a.mean),
			cmp.Compare(a.centre[0], b.centre[0]), cmp.Compare(a.centre[1], b.centre[1]))
	})
	return out
}
