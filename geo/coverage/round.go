package coverage

import (
	"math"
	"slices"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// round is a disc taken for a circle of the same area in the plane.
type round struct{ x, y, r float64 }

// newRound uses πr²(1 − Kr²/12) for the area of a geodesic disc, K being Gauss's
// curvature at its centre; the rest is of the order of r⁴/R⁴. Source: the expansion
// of Bertrand, Diguet and Puiseux (1848).
func newRound(p plane, d Disc) round {
	sin := math.Sin(radians(d.Center[1]))
	w := 1 - eccentricity2*sin*sin
	curvature := w * w / (geo.EquatorialRadiusM * geo.EquatorialRadiusM * (1 - eccentricity2))
	q := p.xy(d.Center)
	return round{q[0], q[1], d.RadiusM * math.Sqrt(1-curvature*d.RadiusM*d.RadiusM/12)}
}

func (c *round) at(angle float64) orb.Point {
	sin, cos := math.Sincos(angle)
	return orb.Point{c.x + c.r*cos, c.y + c.r*sin}
}

// arc is the contribution ½∮(x dy − y dx) of the boundary from one angle
// anticlockwise to another, m².
func (c *round) arc(from, to float64) float64 {
	sin1, cos1 := math.Sincos(from)
	sin2, cos2 := math.Sincos(to)
	return c.r / 2 * (c.r*(to-from) + c.x*(sin2-sin1) - c.y*(cos2-cos1))
}

// shelf is a grid of the circles with radii within a factor of two.
type shelf struct {
	maxR       float64
	minX, minY float64
	side       float64
	nx, ny     int
	start      []int32 // start[i]:start[i+1] are cell i's circles
	rounds     []int32
}

// shelve sorts the circles into shelves and their grids.
func (w *workshop) shelve(bound orb.Bound) {
	classes := map[int][]int32{}
	for i := range w.rounds {
		class := math.Ilogb(w.rounds[i].r)
		classes[class] = append(classes[class], int32(i))
	}
	keys := make([]int, 0, len(classes))
	for k := range classes {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	w.shelves = w.shelves[:0]
	for _, k := range keys {
		w.shelves = append(w.shelves, newShelf(w.rounds, classes[k], bound))
	}
}

func newShelf(rounds []round, members []int32, bound orb.Bound) shelf {
	var s shelf
	for _, i := range members {
		s.maxR = max(s.maxR, rounds[i].r)
	}
	margin := 1.02 * s.maxR
	s.minX, s.minY = bound.Min[0]-margin, bound.Min[1]-margin
	width, height := bound.Max[0]-bound.Min[0]+2*margin, bound.Max[1]-bound.Min[1]+2*margin
	s.side = max(s.maxR, max(width, height)/math.Sqrt(float64(4*len(members))))
	s.nx, s.ny = int(width/s.side)+1, int(height/s.side)+1
	s.start = make([]int32, s.nx*s.ny+1)
	for _, i := range members {
		s.start[s.cell(&rounds[i])+1]++
	}
	for i := range s.nx * s.ny {
		s.start[i+1] += s.start[i]
	}
	s.rounds = make([]int32, len(members))
	next := slices.Clone(s.start)
	for _, i := range members {
		k := s.cell(&rounds[i])
		s.rounds[next[k]] = i
		next[k]++
	}
	return s
}

func (s *shelf) cell(c *round) int { return s.column(c.x) + s.nx*s.row(c.y) }

func (s *shelf) column(x float64) int { return max(0, min(int((x-s.minX)/s.side), s.nx-1)) }

func (s *shelf) row(y float64) int { return max(0, min(int((y-s.minY)/s.side), s.ny-1)) }

// near lists the circles whose centres may lie in a box, enlarged by a share of
// the shelf's radius.
func (w *workshop) near(minX, minY, maxX, maxY, share float64) []int32 {
	w.found = w.found[:0]
	for k := range w.shelves {
		s := &w.shelves[k]
		margin := share * s.maxR
		first, last := s.column(minX-margin), s.column(maxX+margin)
		for y := s.row(minY - margin); y <= s.row(maxY+margin); y++ {
			w.found = append(w.found, s.rounds[s.start[first+s.nx*y]:s.start[last+1+s.nx*y]]...)
		}
	}
	return w.found
}

// stretch is from one number to a larger one: of angles, or of shares of an edge.
type stretch struct{ from, to float64 }

func byFrom(a, b stretch) int {
	switch {
	case a.from < b.from:
		return -1
	case a.from > b.from:
		return 1
	}
	return 0
}

// crossing is where an edge of the unit crosses a circle: units is what it adds, in
// going anticlockwise, to the units the boundary lies in.
type crossing struct {
	round int32
	units int32
	angle float64
}

// edgesWithin is the contribution to the area of the edges of the unit that circles
// cover, m²; it notes where edges cross circles.
func (w *workshop) edgesWithin() float64 {
	w.crossings = w.crossings[:0]
	total := 0.0
	for _, e := range w.edges {
		w.spans = w.spans[:0]
		full := false
		for _, i := range w.near(min(e.a[0], e.b[0]), min(e.a[1], e.b[1]), max(e.a[0], e.b[0]), max(e.a[1], e.b[1]), 1) {
			s, ok := w.span(i, e)
			full = full || ok && s == stretch{0, 1}
			if ok && !full {
				w.spans = append(w.spans, s)
			}
		}
		share := 1.0
		if !full {
			share = length(w.spans)
		}
		total += share * (e.a[0]*e.b[1] - e.b[0]*e.a[1]) / 2
	}
	return total
}

// length is that of a union of stretches.
func length(all []stretch) float64 {
	slices.SortFunc(all, byFrom)
	total, done := 0.0, math.Inf(-1)
	for _, s := range all {
		if from := max(s.from, done); s.to > from {
			total += s.to - from
			done = s.to
		}
	}
	return total
}

// span is the part of an edge within a circle. Whether an end is within depends on
// that end alone, so that neighbouring edges agree.
func (w *workshop) span(i int32, e segment) (stretch, bool) {
	c := &w.rounds[i]
	ax, ay, bx, by := e.a[0]-c.x, e.a[1]-c.y, e.b[0]-c.x, e.b[1]-c.y
	r2 := c.r * c.r
	startsIn, endsIn := ax*ax+ay*ay <= r2, bx*bx+by*by <= r2
	if startsIn && endsIn {
		return stretch{0, 1}, true
	}
	dx, dy := bx-ax, by-ay
	squared := dx*dx + dy*dy
	foot := -(ax*dx + ay*dy) / squared
	if !startsIn && !endsIn && (foot <= 0 || foot >= 1) {
		return stretch{}, false
	}
	fx, fy := ax+foot*dx, ay+foot*dy
	rest := r2 - fx*fx - fy*fy
	if rest <= 0 && !startsIn && !endsIn {
		return stretch{}, false
	}
	half := math.Sqrt(max(0, rest) / squared)
	s := stretch{0, 1}
	if !startsIn {
		s.from = max(0, min(1, foot-half))
		w.crossings = append(w.crossings, crossing{i, -1, math.Atan2(ay+s.from*dy, ax+s.from*dx)})
	}
	if !endsIn {
		s.to = max(s.from, min(1, foot+half))
		w.crossings = append(w.crossings, crossing{i, 1, math.Atan2(ay+s.to*dy, ax+s.to*dx)})
	}
	return s, true
}

// arcsWithin is the contribution to the area of the circles' boundaries that run
// within the unit and within no other circle, m². Call edgesWithin first.
func (w *workshop) arcsWithin() float64 {
	slices.SortFunc(w.crossings, func(a, b crossing) int { return int(a.round) - int(b.round) })
	total, at := 0.0, 0
	for i := range w.rounds {
		first := at
		for at < len(w.crossings) && int(w.crossings[at].round) == i {
			at++
		}
		total += w.arcs(i, w.crossings[first:at])
	}
	return total
}

// arcs is that of one circle. Most circles of a dense network are covered all round
// by the nearest few others, which are looked at first.
func (w *workshop) arcs(i int, crossings []crossing) float64 {
	c := &w.rounds[i]
	inUnit := func(angle float64) bool {
		_, ok := w.index.First(c.at(angle))
		return ok
	}
	if len(crossings) == 0 && !inUnit(0) {
		return 0
	}
	if w.covered360(i, 0.1) || w.covered360(i, 1) {
		return 0
	}
	b := &w.boundary
	b.events, b.initial = b.events[:0], 0
	for _, x := range crossings {
		b.events = append(b.events, event{angle: x.angle, units: int(x.units)})
	}
	total, last := 0.0, -math.Pi
	for _, s := range append(w.cover, stretch{math.Pi, math.Pi}) {
		if s.from > last && len(crossings) == 0 {
			total += c.arc(last, s.from)
		}
		if len(crossings) > 0 && s.to > s.from {
			b.events = append(b.events, event{angle: s.from, discs: 1}, event{angle: s.to, discs: -1})
		}
		last = max(last, s.to)
	}
	if len(crossings) > 0 {
		b.uncoveredArcs(inUnit, func(from, to float64) { total += c.arc(from, to) })
	}
	return total
}

// covered360 reports whether other circles cover all of the boundary, looking at
// those within a share of the reach; else cover holds the parts they do, sorted.
func (w *workshop) covered360(i int, share float64) bool {
	c := &w.rounds[i]
	w.cover = w.cover[:0]
	for _, j := range w.near(c.x-share*c.r, c.y-share*c.r, c.x+share*c.r, c.y+share*c.r, share) {
		o := &w.rounds[j]
		dx, dy := o.x-c.x, o.y-c.y
		d2 := dx*dx + dy*dy
		if sum := c.r + o.r; d2 >= sum*sum || int(j) == i {
			continue
		}
		if diff := c.r - o.r; d2 <= diff*diff {
			if o.r > c.r || o.r == c.r && int(j) < i {
				return true
			}
			continue
		}
		d := math.Sqrt(d2)
		half := math.Acos(max(-1, min(1, (d2+c.r*c.r-o.r*o.r)/(2*d*c.r))))
		towards := math.Atan2(dy, dx)
		w.addCover(towards-half, towards+half)
	}
	slices.SortFunc(w.cover, byFrom)
	done := -math.Pi
	for _, s := range w.cover {
		if s.from > done {
			return false
		}
		done = max(done, s.to)
	}
	return done >= math.Pi
}

// addCover notes a covered part, cut at ±π.
func (w *workshop) addCover(from, to float64) {
	switch {
	case from < -math.Pi:
		w.cover = append(w.cover, stretch{-math.Pi, to}, stretch{from + 2*math.Pi, math.Pi})
	case to > math.Pi:
		w.cover = append(w.cover, stretch{from, math.Pi}, stretch{-math.Pi, to - 2*math.Pi})
	default:
		w.cover = append(w.cover, stretch{from, to})
	}
}
