package zoning

import (
	"cmp"
	"math"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// curve is a line that good places may end at: an edge, straight in longitude and
// latitude, a line beside one, or a circle.
type curve struct {
	a, b     orb.Point // the edge; of a circle both are its middle
	asideM   float64   // how far to the left of the edge the line runs
	radiusM  float64   // 0: no circle
	from, to orb.Point // ends of the line
	box      orb.Bound
	x, y     float64 // of a circle: its middle in the plane of the search, metres
}

func compareCurves(x, y curve) int {
	return cmp.Or(cmp.Compare(x.a[0], y.a[0]), cmp.Compare(x.a[1], y.a[1]), cmp.Compare(x.b[0], y.b[0]), cmp.Compare(x.b[1], y.b[1]),
		cmp.Compare(x.asideM, y.asideM), cmp.Compare(x.radiusM, y.radiusM))
}

func circleOf(plane geo.Plane, middle orb.Point, radiusM float64) curve {
	x, y := plane.OffsetM(middle)
	return curve{a: middle, b: middle, radiusM: radiusM, box: beside(middle, radiusM), x: x, y: y}
}

// lineOf is the line so far to the left of an edge.
func lineOf(a, b orb.Point, asideM float64) curve {
	c := curve{a: a, b: b, asideM: asideM, from: a, to: b}
	if asideM != 0 {
		c.from, c.to = c.aside(a), c.aside(b)
	}
	c.box = orb.MultiPoint{c.from, c.to}.Bound()
	return c
}

// aside is the place beside an end of the edge.
func (c *curve) aside(end orb.Point) orb.Point {
	plane := geo.NewPlane(end)
	east, north := c.along(plane)
	return plane.At(-north*c.asideM, east*c.asideM)
}

// along is the direction of the edge in the plane, of length 1; 0 of an edge without length.
func (c *curve) along(plane geo.Plane) (east, north float64) {
	ax, ay := plane.OffsetM(c.a)
	bx, by := plane.OffsetM(c.b)
	return unit(bx-ax, by-ay)
}

func unit(x, y float64) (float64, float64) {
	if length := math.Hypot(x, y); length > 0 {
		return x / length, y / length
	}
	return 0, 0
}

// gap is how far q is from the curve, metres, with a sign, and in which direction the
// number grows.
func (c *curve) gap(q orb.Point) (m, east, north float64) {
	if c.radiusM > 0 {
		x, y := geo.NewPlane(halfway(c.a, q)).OffsetM(q)
		east, north = unit(x, y)
		return geo.DistanceM(c.a, q) - c.radiusM, east, north
	}
	plane := geo.NewPlane(q)
	ax, ay := plane.OffsetM(c.a)
	x, y := c.along(plane)
	east, north = -y, x // to the left
	return -ax*east - ay*north - c.asideM, east, north
}

func halfway(a, b orb.Point) orb.Point { return orb.Point{(a[0] + b[0]) / 2, (a[1] + b[1]) / 2} }

// heading is the direction of the curve at a place on it, radians.
func (c *curve) heading(q orb.Point) float64 {
	_, east, north := c.gap(q)
	return math.Atan2(east, -north)
}

// foot is the place on the curve that is nearest to p.
func (c *curve) foot(p orb.Point) orb.Point {
	if c.radiusM > 0 {
		return geo.Destination(c.a, geo.AzimuthDeg(c.a, p), c.radiusM)
	}
	q := p
	for range 2 { // by the scale half-way, which is good over some way
		plane := geo.NewPlane(halfway(p, q))
		px, py := plane.OffsetM(p)
		ax, ay := plane.OffsetM(c.from)
		bx, by := plane.OffsetM(c.to)
		t := 0.0
		if square := (bx-ax)*(bx-ax) + (by-ay)*(by-ay); square > 0 {
			t = max(0, min(1, ((px-ax)*(bx-ax)+(py-ay)*(by-ay))/square))
		}
		q = c.at(t)
	}
	if c.asideM != 0 {
		m, east, north := c.gap(q)
		q = geo.NewPlane(q).At(-m*east, -m*north)
	}
	return q
}

// at is the place at a share of the line's length.
func (c *curve) at(t float64) orb.Point {
	return orb.Point{c.from[0] + t*(c.to[0]-c.from[0]), c.from[1] + t*(c.to[1]-c.from[1])}
}

// guesses finds about where two curves meet, to a metre or so in the plane of the search;
// lines that run alike do not.
func (c *curve) guesses(to []orb.Point, o *curve, plane geo.Plane) []orb.Point {
	switch {
	case c.radiusM == 0 && o.radiusM == 0:
		return c.lineMeets(to, o)
	case c.radiusM == 0:
		return o.circleMeetsLine(to, c)
	case o.radiusM == 0:
		return c.circleMeetsLine(to, o)
	}
	return c.circleMeets(to, o, plane)
}

func (c *curve) lineMeets(to []orb.Point, o *curve) []orb.Point {
	dx, dy := c.to[0]-c.from[0], c.to[1]-c.from[1]
	ex, ey := o.to[0]-o.from[0], o.to[1]-o.from[1]
	fx, fy := o.from[0]-c.from[0], o.from[1]-c.from[1]
	cross := dx*ey - dy*ex
	if math.Abs(cross) <= 1e-12*math.Hypot(dx, dy)*math.Hypot(ex, ey) {
		return to
	}
	t, u := (fx*ey-fy*ex)/cross, (fx*dy-fy*dx)/cross
	const slack = 1e-6
	if t < -slack || t > 1+slack || u < -slack || u > 1+slack {
		return to
	}
	return append(to, c.at(t))
}

func (c *curve) circleMeetsLine(to []orb.Point, o *curve) []orb.Point {
	plane := geo.NewPlane(c.a)
	ax, ay := plane.OffsetM(o.from)
	bx, by := plane.OffsetM(o.to)
	length := math.Hypot(bx-ax, by-ay)
	ux, uy := unit(bx-ax, by-ay)
	middle, across := -(ax*ux + ay*uy), ax*uy-ay*ux
	half, some := halfChord(c.radiusM, across)
	if !some || length == 0 {
		return to
	}
	const slackM = 0.5 // the plane may be off by as much
	for _, s := range [...]float64{middle - half, middle + half} {
		if s >= -slackM && s <= length+slackM {
			to = append(to, o.at(s/length))
		}
	}
	return to
}

// halfChord is half of what a circle cuts off a line so far from its middle. One that
// all but touches it is taken to.
func halfChord(radiusM, acrossM float64) (m float64, some bool) {
	square := radiusM*radiusM - acrossM*acrossM
	return math.Sqrt(max(0, square)), square >= -1e-4*radiusM*radiusM
}

func (c *curve) circleMeets(to []orb.Point, o *curve, plane geo.Plane) []orb.Point {
	dx, dy := o.x-c.x, o.y-c.y
	square := dx*dx + dy*dy
	most := c.radiusM + o.radiusM
	if square > most*most*1.001 || square < 1e-6 {
		return to
	}
	apart := math.Sqrt(square)
	along := (square + c.radiusM*c.radiusM - o.radiusM*o.radiusM) / (2 * apart)
	half, some := halfChord(c.radiusM, along)
	if !some {
		return to
	}
	ux, uy := dx/apart, dy/apart
	x, y := c.x+along*ux, c.y+along*uy
	return append(to, plane.At(x-half*uy, y+half*ux), plane.At(x+half*uy, y-half*ux))
}

// refine brings the place where two curves meet to a millimetre, from a few metres; where
// they but touch it stays.
func (c *curve) refine(o *curve, q orb.Point) orb.Point {
	if c.radiusM == 0 && o.radiusM == 0 && c.asideM == 0 && o.asideM == 0 {
		return q // edges are straight: it is exact
	}
	const nearM = 50
	at := q
	for range 4 {
		m, mx, my := c.gap(at)
		n, nx, ny := o.gap(at)
		det := mx*ny - my*nx
		if math.Abs(det) < 1e-3 {
			return q
		}
		dx, dy := -(m*ny-n*my)/det, -(n*mx-m*nx)/det
		if math.Hypot(dx, dy) > nearM {
			return q
		}
		at = geo.NewPlane(at).At(dx, dy)
		if math.Hypot(dx, dy) < 1e-3 {
			break
		}
	}
	return at
}
