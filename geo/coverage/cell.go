package coverage

import (
	"math"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// cell is the part of a unit within a box in the plane.
type cell struct {
	quad   orb.Bound  // the box that was cut out
	box    orb.Bound  // of what lies in it
	rings  []orb.Ring // of what lies in it, while it is not split
	whole  bool       // all of the box lies in the unit
	areaM2 float64
	at     orb.Point // lon/lat of the middle of box
	reachM float64   // from there to any point of box, at most
	nearM  float64   // from there to the nearest site
	doubtM float64   // how wrong shareWithin may be about distances
	sites  []int32   // the ones that may be the nearest to a point of the cell

	// Where one site is the nearest to all of a whole box, the distance is a slope:
	// over the box it changes by up to this much, metres, along either axis.
	sloped         bool
	slopeX, slopeY float64

	children []*cell
	split    bool
}

// root is the cell of the whole unit.
func (s *survey) root() *cell {
	all := make([]int32, len(s.sites))
	for i := range all {
		all[i] = int32(i)
	}
	// Holes that lie outside their part, where no one should put them, count too.
	box := s.bound
	for _, r := range s.rings {
		box = box.Union(r.Bound())
	}
	side := max(box.Max[0]-box.Min[0], box.Max[1]-box.Min[1])
	quad := orb.Bound{Min: box.Min, Max: orb.Point{box.Min[0] + side, box.Min[1] + side}}
	return s.cell(quad, s.rings, false, all)
}

// split quarters a cell, once.
func (s *survey) split(c *cell) []*cell {
	if c.split {
		return c.children
	}
	c.split = true
	middle := c.quad.Center()
	for _, east := range []bool{false, true} {
		half := clip(c.rings, 0, middle[0], east)
		for _, north := range []bool{false, true} {
			quad := c.quad
			quad.Min[0], quad.Max[0] = halved(quad.Min[0], middle[0], quad.Max[0], east)
			quad.Min[1], quad.Max[1] = halved(quad.Min[1], middle[1], quad.Max[1], north)
			if child := s.cell(quad, clip(half, 1, middle[1], north), c.whole, c.sites); child != nil {
				c.children = append(c.children, child)
			}
		}
	}
	c.rings, c.sites = nil, nil
	return c.children
}

func halved(low, middle, high float64, upper bool) (float64, float64) {
	if upper {
		return middle, high
	}
	return low, middle
}

// cell measures one: nil when nothing of the unit lies in it.
func (s *survey) cell(quad orb.Bound, rings []orb.Ring, whole bool, sites []int32) *cell {
	c := &cell{quad: quad, box: quad, rings: rings, whole: whole}
	quadM2 := (quad.Max[0] - quad.Min[0]) * (quad.Max[1] - quad.Min[1])
	c.areaM2 = quadM2
	if !whole {
		c.areaM2 = areaAbout(quad.Min, rings)
		if len(c.onBorder()) == 0 {
			if !(c.areaM2 > quadM2/2) {
				return nil
			}
			c.rings, c.whole, c.areaM2 = nil, true, quadM2
		} else {
			c.box = rings[0].Bound()
			for _, r := range rings {
				c.box = c.box.Union(r.Bound())
			}
		}
	}
	c.areaM2 = max(0, c.areaM2)
	middle := c.box.Center()
	c.at = s.plane.lonLat(middle)
	c.reachM = distance(c.box.Min, c.box.Max) / 2 * s.stretch
	s.assign(c, sites)
	s.slope(c, middle)
	return c
}

// assign measures to the sites and keeps those that may be nearest in the cell.
func (s *survey) assign(c *cell, sites []int32) {
	s.work -= 1 + len(sites)
	for _, r := range c.rings {
		s.work -= len(r)
	}
	distances := make([]float64, len(sites))
	c.nearM = math.Inf(1)
	for k, i := range sites {
		distances[k] = geo.DistanceM(c.at, s.sites[i])
		c.nearM = min(c.nearM, distances[k])
	}
	n := 0
	for _, d := range distances {
		if d <= c.nearM+2*c.reachM {
			n++
		}
	}
	c.sites = make([]int32, 0, n)
	for k, i := range sites {
		if distances[k] <= c.nearM+2*c.reachM {
			c.sites = append(c.sites, i)
		}
	}
}

// slope prepares shareWithin. Distance curves by 1/distance, and the plane turns
// and stretches it a little; what that may come to over the cell is the doubt.
func (s *survey) slope(c *cell, middle orb.Point) {
	c.doubtM = c.reachM
	if !c.whole || len(c.sites) != 1 || c.nearM < 2*c.reachM {
		return
	}
	const r2 = geo.EquatorialRadiusM * geo.EquatorialRadiusM
	doubt := c.reachM*c.reachM/(2*(c.nearM-c.reachM)) +
		c.reachM*(2*(s.stretch-1)+c.nearM*(s.reachM+c.nearM)/r2)
	if doubt >= c.reachM {
		return
	}
	site := s.plane.xy(s.sites[c.sites[0]])
	d := distance(site, middle)
	c.sloped, c.doubtM = true, doubt
	c.slopeX = math.Abs(middle[0]-site[0]) / d * (c.box.Max[0] - c.box.Min[0]) / 2
	c.slopeY = math.Abs(middle[1]-site[1]) / d * (c.box.Max[1] - c.box.Min[1]) / 2
}

// span bounds the distances within the cell.
func (c *cell) span() (nearestM, farthestM float64) {
	if c.sloped {
		reachM := c.slopeX + c.slopeY + c.doubtM
		return c.nearM - reachM, c.nearM + reachM
	}
	return c.nearM - c.reachM, c.nearM + c.reachM
}

// shareWithin is the share of the cell within a distance of a site: at most (doubts
// 1) or at least (-1).
func (c *cell) shareWithin(distanceM, doubts float64) float64 {
	past := distanceM - c.nearM + doubts*c.doubtM
	if c.sloped {
		return slopeShare(max(c.slopeX, c.slopeY), min(c.slopeX, c.slopeY), past)
	}
	if past >= 0 {
		return 1
	}
	return 0
}

// slopeShare is the probability that the sum of two independent numbers, even
// between ±a and ±b, a ≥ b ≥ 0, is at most x.
func slopeShare(a, b, x float64) float64 {
	switch rest := a + b - math.Abs(x); {
	case rest <= 0 && x < 0:
		return 0
	case rest <= 0:
		return 1
	case math.Abs(x) <= a-b:
		return 0.5 + x/(2*a)
	case x < 0:
		return rest * rest / (8 * a * b)
	default:
		return 1 - rest*rest/(8*a*b)
	}
}

// mostBorderPoints is how many points of the unit's border a cell offers.
const mostBorderPoints = 8

// onBorder gives some ends of the unit's own edges within the cell. Edges along
// the sides of the cell may be the cuts' and are left out.
func (c *cell) onBorder() []orb.Point {
	var out []orb.Point
	for _, r := range c.rings {
		for i := 1; i < len(r); i++ {
			if r[i-1] == r[i] || c.alongSide(r[i-1], r[i]) {
				continue
			}
			out = append(out, r[i-1], r[i])
			if len(out) >= mostBorderPoints {
				return out
			}
		}
	}
	return out
}

func (c *cell) alongSide(a, b orb.Point) bool {
	for axis := range 2 {
		if a[axis] == b[axis] && (a[axis] == c.quad.Min[axis] || a[axis] == c.quad.Max[axis]) {
			return true
		}
	}
	return false
}

// clip cuts rings at a line across an axis, keeping one side. Source: I. Sutherland
// and G. Hodgman, Reentrant polygon clipping (1974). Parts of a ring stay joined by
// edges along the line, there and back, which have no area.
func clip(rings []orb.Ring, axis int, line float64, upper bool) []orb.Ring {
	keeps := func(p orb.Point) bool { return (p[axis] >= line) == upper || p[axis] == line }
	var out []orb.Ring
	for _, r := range rings {
		var cut orb.Ring
		for i := 1; i < len(r); i++ {
			a, b := r[i-1], r[i]
			if keeps(a) != keeps(b) {
				m := orb.Point{line, line}
				m[1-axis] = a[1-axis] + (b[1-axis]-a[1-axis])*(line-a[axis])/(b[axis]-a[axis])
				cut = append(cut, m)
			}
			if keeps(b) {
				cut = append(cut, b)
			}
		}
		if len(cut) > 2 {
			out = append(out, append(cut, cut[0]))
		}
	}
	return out
}

// areaAbout is the area of rings, holes running the other way, m²; the origin
// near them keeps the rounding errors small.
func areaAbout(origin orb.Point, rings []orb.Ring) float64 {
	total := 0.0
	for _, r := range rings {
		for i := 1; i < len(r); i++ {
			a, b := r[i-1], r[i]
			total += ((a[0]-origin[0])*(b[1]-origin[1]) - (b[0]-origin[0])*(a[1]-origin[1])) / 2
		}
	}
	return total
}
