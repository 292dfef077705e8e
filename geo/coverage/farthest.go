package coverage

import (
	"math"
	"slices"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// farthest finds the point of the unit farthest from every site: cells that cannot
// hold a farther one than the best point met, or none beyond a distance known to
// occur, are dropped, the others quartered.
func (s *survey) farthest(root *cell, knownM float64) (float64, orb.Point, error) {
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
		}
		var next []*cell
		for _, c := range live {
			if c.nearM+c.reachM <= max(best+MaxToleranceM/2, knownM) {
				continue
			}
			if len(c.sites) <= closeSites || c.reachM < 1 {
				for _, q := range c.onBorder() {
					p := s.plane.lonLat(q)
					meet(p, s.nearestM(p, c.sites))
				}
			}
			most, met, d := s.atMost(c)
			meet(met, d)
			if most <= max(best+MaxToleranceM/2, knownM) {
				continue
			}
			next = append(next, s.split(c)...)
			if s.exhausted() {
				return 0, orb.Point{}, ErrIntricate
			}
		}
		live = next
	}
	return best, orb.Point{math.Remainder(at[0], 360), at[1]}, nil
}

// nearestM measures from p to the nearest of the sites listed.
func (s *survey) nearestM(p orb.Point, sites []int32) float64 {
	m := math.Inf(1)
	for _, i := range sites {
		m = min(m, geo.DistanceM(p, s.sites[i]))
	}
	return m
}

// Cells with more sites or corners than these are not looked at closely.
const (
	closeSites   = 8
	closeCorners = 24
)

// atMost bounds the distance to the nearest site over a cell from the distances at
// its corners. The least of several distances is at most any weighted mean of them,
// and a mean of distances is the greatest at a corner but for how much it may
// bulge in between, which falls with the square of the cell's size: so a line at
// the same distance from a site, or from two, is settled as fast as any other.
// Besides, a point of the cell where two sites are equally far, and how far; -1 if none.
func (s *survey) atMost(c *cell) (most float64, at orb.Point, distanceM float64) {
	corners, bulgeM := c.corners(), s.bulgeM(c)
	if len(c.sites) > closeSites || len(corners) > closeCorners || bulgeM >= c.reachM {
		return math.Inf(1), at, -1
	}
	rows := make([][]float64, len(c.sites))
	first, second, least := 0, 0, math.Inf(1)
	for k, i := range c.sites {
		rows[k] = make([]float64, len(corners))
		for j, q := range corners {
			rows[k][j] = geo.DistanceM(s.plane.lonLat(q), s.sites[i])
		}
		if most := slices.Max(rows[k]); most < least {
			first, least = k, most
		}
	}
	for k, row := range rows {
		if mean := leastMean(rows[first], row); k != first && mean < least {
			second, least = k, mean
		}
	}
	if c.whole && second != first {
		at, distanceM = s.between(c, corners, rows, first, second)
		return least + bulgeM, at, distanceM
	}
	return least + bulgeM, at, -1
}

// between finds a point on the line from the corner nearest to one site to that nearest
// to another where both are equally far, and how far the nearest of all is.
func (s *survey) between(c *cell, corners []orb.Point, rows [][]float64, first, second int) (orb.Point, float64) {
	low, high := 0, 0
	lead := func(j int) float64 { return rows[first][j] - rows[second][j] }
	for j := range corners {
		if lead(j) < lead(low) {
			low = j
		}
		if lead(j) > lead(high) {
			high = j
		}
	}
	line := segment{corners[low], corners[high]}
	from, to := 0.0, 1.0
	for range 45 {
		p := s.plane.lonLat(line.at((from + to) / 2))
		if geo.DistanceM(p, s.sites[c.sites[first]]) < geo.DistanceM(p, s.sites[c.sites[second]]) {
			from = (from + to) / 2
		} else {
			to = (from + to) / 2
		}
	}
	p := s.plane.lonLat(line.at((from + to) / 2))
	return p, s.nearestM(p, c.sites)
}

// leastMean is the least, over all weights, of the greatest weighted mean of the
// pairs: nearly, and never too little.
func leastMean(a, b []float64) float64 {
	greatest := func(weight float64) float64 {
		most := 0.0
		for j := range a {
			most = max(most, b[j]+weight*(a[j]-b[j]))
		}
		return most
	}
	low, high := 0.0, 1.0
	for range 24 {
		third := (high - low) / 3
		if greatest(low+third) < greatest(high-third) {
			high -= third
		} else {
			low += third
		}
	}
	return greatest((low + high) / 2)
}

// bulgeM is how far a mean of distances may rise above its values at the corners of
// a cell: h²/8 times the most it may curve down, along a chord to the sides and
// once more along them. At a distance d it curves up to quarter way round the
// earth, beyond that down by up to −cot(d/b)/b, b being the polar semi-axis and
// 1/b² the most the ellipsoid is curved; the chords themselves bend a little.
func (s *survey) bulgeM(c *cell) float64 {
	const polarM = geo.EquatorialRadiusM * (1 - geo.Flattening)
	farM := c.nearM + 3*c.reachM // the farthest of the sites kept
	if farM >= (math.Pi-0.05)*polarM {
		return math.Inf(1)
	}
	curvature := max(0, -1/math.Tan(farM/polarM)) / polarM
	h := 2 * c.reachM
	return h * h / 4 * (curvature + s.stretch*s.stretch*s.bend())
}

// corners are those of the box, or of what of the unit lies in it.
func (c *cell) corners() []orb.Point {
	if c.whole {
		return []orb.Point{c.quad.Min, {c.quad.Max[0], c.quad.Min[1]}, c.quad.Max, {c.quad.Min[0], c.quad.Max[1]}}
	}
	var out []orb.Point
	for _, r := range c.rings {
		for i := 1; i < len(r); i++ {
			if r[i] != r[i-1] {
				out = append(out, r[i])
			}
		}
		if len(out) > closeCorners {
			break
		}
	}
	return out
}
