package coverage

import (
	"math"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// Network holds the discs of many sites, sorted once, for asking about many units: each
// question looks only at the discs near the unit. Answers are those of the functions of the
// same name, to the last bit. It is immutable and safe for concurrent use.
type Network struct{ discs sortedDiscs }

// NewNetwork sorts the discs; those of radius 0 are sites that cover nothing. The errors are
// those of Covered. Cost: n log n.
func NewNetwork(discs []Disc) (*Network, error) {
	if err := validate(nil, discs); err != nil {
		return nil, err
	}
	return &Network{newSorted(discs)}, nil
}

// Covered is Covered of the unit.
func (n *Network) Covered(unit orb.MultiPolygon) (Result, error) {
	if err := validate(unit, nil); err != nil {
		return Result{}, err
	}
	return Covered(unit, n.near(unit))
}

// Uncovered is Uncovered of the unit, but that the tolerance is measured against the
// radii near it.
func (n *Network) Uncovered(unit orb.MultiPolygon, toleranceM float64) (orb.MultiPolygon, error) {
	if err := validate(unit, nil); err != nil {
		return nil, err
	}
	return Uncovered(unit, n.near(unit), toleranceM)
}

// Distances is Distances from the unit to the discs' centres.
func (n *Network) Distances(unit orb.MultiPolygon) (DistanceStats, error) {
	if err := validate(unit, nil); err != nil {
		return DistanceStats{}, err
	}
	if len(n.discs.discs) == 0 {
		return DistanceStats{}, ErrNoSites
	}
	origin := middle(unit)
	reachM := 0.0
	for _, polygon := range unit {
		for _, ring := range polygon {
			for _, p := range ring {
				reachM = max(reachM, geo.DistanceM(origin, p))
			}
		}
	}
	nearestM := math.Inf(1)
	for stepM := 1e3; math.IsInf(nearestM, 1); stepM *= 4 {
		n.discs.about(origin, stepM, func(d Disc) { nearestM = min(nearestM, geo.DistanceM(origin, d.Center)) })
	}
	// A site farther than nearestM + 2 reachM from the centre is the nearest to no point
	// of the unit; beyond twice that it does not even show in how the unit is cut up.
	var sites []orb.Point
	n.discs.about(origin, nearestM+5*reachM+1, func(d Disc) { sites = append(sites, d.Center) })
	return Distances(unit, sites)
}

// about calls yield with all discs whose centres lie within a distance of a point, and some
// beside.
func (s sortedDiscs) about(p orb.Point, distanceM float64, yield func(Disc)) {
	const metresPerDegree = 110574 * (1 - 1e-6)
	halfLat, halfLon := distanceM/metresPerDegree, 360.0
	if cos := math.Cos(radians(min(90, math.Abs(p[1])+halfLat))); cos > 0.05 {
		halfLon = halfLat / cos
	}
	s.near(p, halfLon, halfLat, yield)
}

// near are the discs that may reach the unit's box.
func (n *Network) near(unit orb.MultiPolygon) []Disc {
	origin := middle(unit)
	halfLon, halfLat := halfBox(unit, origin)
	if halfLon > 60 { // it may hold a pole, and so no box in degrees holds it
		return n.discs.discs
	}
	var found []Disc
	n.discs.near(origin, halfLon, halfLat, func(d Disc) { found = append(found, d) })
	return found
}
