package geo

import (
	"math"
	"math/big"
	"slices"

	"github.com/paulmach/orb"
)

// Contains reports whether p lies in mp or on its boundary: areas are closed, as
// in ST_Covers. Edges are straight in longitude and latitude, holes are open, and
// the answer is exact: the side of an edge is decided in exact arithmetic where
// rounding could matter. Parts must not overlap; rings may run either way. Empty
// geometries and points that are not finite give false. Cost: linear in the
// vertices; for many points build an Index.
func Contains(mp orb.MultiPolygon, p orb.Point) bool {
	if !finite(p[0]) || !finite(p[1]) {
		return false
	}
	inside, border := false, false
	forEachEdge(mp, func(a, b orb.Point) {
		crosses, touches := ray(a, b, p)
		inside = inside != crosses
		border = border || touches
	})
	return inside || border
}

// Index answers which of many areas a point lies in. It is immutable once made,
// and safe for concurrent use.
type Index struct {
	boxes *grid // its items carry how the area lies to the cell: see lie
	areas []bands
}

// lie is how an area lies to a cell of the grid, so that most points are located
// without looking at an edge. Items of the grid are position<<lieBits | lie.
type lie int32

const (
	crosses lie = iota // an edge may run through the cell
	inside             // every point of the cell is in the area
	outside            // none is
)

const lieBits = 2

// NewIndex prepares the areas; At answers with their positions in the slice. Cost:
// n log n in the vertices, and a grid of at most 4 cells for each area, or 128 where
// there are over a thousand areas (4 million cells in all at the most).
func NewIndex(areas []orb.MultiPolygon) *Index {
	x := &Index{areas: make([]bands, len(areas))}
	boxes := make([]orb.Bound, len(areas))
	for i, mp := range areas {
		x.areas[i] = newBands(mp)
		boxes[i] = x.areas[i].bound
	}
	cells := cellsPerArea
	if len(areas) <= fewAreas {
		cells = cellsPerFew
	}
	x.boxes = newGrid(boxes, cells)
	x.layOut()
	return x
}

// layOut finds how each area lies to each cell of its box. Cells without an edge
// are inside or outside as a whole, and so are their neighbours without one.
func (x *Index) layOut() {
	g := x.boxes
	next := slices.Clone(g.start[:len(g.start)-1])
	var edged []bool
	for i := range x.areas {
		area := &x.areas[i]
		if area.bound.IsEmpty() {
			continue
		}
		x0, x1, y0, y1 := g.cells(area.bound)
		width := x1 - x0 + 1
		edged = append(edged[:0], make([]bool, width*(y1-y0+1))...)
		for _, e := range area.edges {
			g.forEachCell(e, func(cx, cy int) { edged[(cy-y0)*width+min(max(cx, x0), x1)-x0] = true })
		}
		for y := y0; y <= y1; y++ {
			last := crosses
			for c := x0; c <= x1; c++ {
				switch {
				case edged[(y-y0)*width+c-x0]:
					last = crosses
				case last != crosses: // as the cell before
				case area.contains(g.centre(c, y)):
					last = inside
				default:
					last = outside
				}
				at := &next[y*g.nx+c]
				g.items[*at] = int32(i)<<lieBits | int32(last)
				*at++
			}
		}
	}
}

// centre is a point that lies in the cell.
func (g *grid) centre(x, y int) orb.Point {
	p := g.min
	if g.perLon > 0 {
		p[0] += (float64(x) + 0.5) / g.perLon
	}
	if g.perLat > 0 {
		p[1] += (float64(y) + 0.5) / g.perLat
	}
	return p
}

// forEachCell calls yield with every cell the edge may meet: row by row those
// between where it enters and leaves, and a thousandth of a cell more for rounding.
func (g *grid) forEachCell(e edge, yield func(x, y int)) {
	low, high := e.a, e.b
	if low[1] > high[1] {
		low, high = high, low
	}
	first, last := g.row(low[1]), g.row(high[1])
	lonAt := func(lat float64) float64 {
		t := max(0, min(1, (lat-low[1])/(high[1]-low[1])))
		return low[0] + t*(high[0]-low[0])
	}
	slack := 0.0
	if g.perLon > 0 {
		slack = 0.001 / g.perLon
	}
	for y := first; y <= last; y++ {
		from, to := low[0], high[0]
		if y > first {
			from = lonAt(g.min[1] + (float64(y)-0.001)/g.perLat)
		}
		if y < last {
			to = lonAt(g.min[1] + (float64(y)+1.001)/g.perLat)
		}
		for x, end := g.column(min(from, to)-slack), g.column(max(from, to)+slack); x <= end; x++ {
			yield(x, y)
		}
	}
}

// holds reports whether the area of a grid's item contains p, which lies in its cell.
func (x *Index) holds(item int32, p orb.Point) bool {
	switch lie(item & (1<<lieBits - 1)) {
	case inside:
		return true
	case outside:
		return false
	}
	return x.areas[item>>lieBits].contains(p)
}

// At returns, in ascending order, every area that contains p in the sense of
// Contains: usually one, several on a shared border, nil when there is none. Where
// areas partition a territory, a point on a shared border belongs to exactly one
// of them, the lowest code: order the areas by code and take First.
func (x *Index) At(p orb.Point) []int { return x.AppendAt(nil, p) }

// AppendAt is At, appending to dst; it does not allocate beyond dst.
func (x *Index) AppendAt(dst []int, p orb.Point) []int {
	if !x.boxes.within(p) {
		return dst
	}
	for _, item := range x.boxes.at(p) {
		if x.holds(item, p) {
			dst = append(dst, int(item>>lieBits))
		}
	}
	return dst
}

// First returns the first of the areas that contains p, false when none does. It
// does not allocate; about 0.1 µs among a province's communes.
func (x *Index) First(p orb.Point) (int, bool) {
	if x.boxes.within(p) {
		for _, item := range x.boxes.at(p) {
			if x.holds(item, p) {
				return int(item >> lieBits), true
			}
		}
	}
	return len(x.areas), false
}

// Covers reports whether area i contains p in the sense of Contains. The area's
// position is one that NewIndex was given.
func (x *Index) Covers(i int, p orb.Point) bool { return x.areas[i].contains(p) }

// AppendNear appends, in ascending order, the areas whose bounding box meets the
// box: those that may hold or touch something in it. With the box of a point it
// reads one cell and allocates nothing beyond dst.
func (x *Index) AppendNear(dst []int, box orb.Bound) []int {
	first := len(dst)
	x0, x1, y0, y1 := x.boxes.cells(box)
	for y := y0; y <= y1; y++ {
		for _, item := range x.boxes.items[x.boxes.start[y*x.boxes.nx+x0]:x.boxes.start[y*x.boxes.nx+x1+1]] {
			i := item >> lieBits
			if x.areas[i].bound.Intersects(box) {
				dst = append(dst, int(i))
			}
		}
	}
	if x0 == x1 && y0 == y1 {
		return dst
	}
	slices.Sort(dst[first:])
	return dst[:first+len(slices.Compact(dst[first:]))]
}

// edge runs from a to b, straight in longitude and latitude.
type edge struct{ a, b orb.Point }

// bands holds an area's edges sorted into equal bands of latitude, each edge in
// every band it meets, so that a point's ray meets only a few.
type bands struct {
	bound   orb.Bound
	perUnit float64 // bands per degree
	start   []int32 // start[i]:start[i+1] are band i's edges
	edges   []edge
}

func newBands(mp orb.MultiPolygon) bands {
	n, x := 0, bands{bound: emptyBound}
	forEachEdge(mp, func(a, b orb.Point) {
		n++
		x.bound.Min = orb.Point{min(x.bound.Min[0], a[0], b[0]), min(x.bound.Min[1], a[1], b[1])}
		x.bound.Max = orb.Point{max(x.bound.Max[0], a[0], b[0]), max(x.bound.Max[1], a[1], b[1])}
	})
	if n == 0 {
		return x
	}
	count := min(max(n/2, 1), 1<<14)
	if height := x.bound.Max[1] - x.bound.Min[1]; height > 0 {
		x.perUnit = float64(count) / height
	}
	x.start = make([]int32, count+1)
	forEachEdge(mp, func(a, b orb.Point) {
		for i, last := x.span(a, b); i <= last; i++ {
			x.start[i+1]++
		}
	})
	for i := range count {
		x.start[i+1] += x.start[i]
	}
	x.edges = make([]edge, x.start[count])
	next := slices.Clone(x.start)
	forEachEdge(mp, func(a, b orb.Point) {
		for i, last := x.span(a, b); i <= last; i++ {
			x.edges[next[i]] = edge{a, b}
			next[i]++
		}
	})
	return x
}

// span gives the first and last band an edge meets.
func (x *bands) span(a, b orb.Point) (first, last int) {
	return x.band(min(a[1], b[1])), x.band(max(a[1], b[1]))
}

func (x *bands) band(lat float64) int {
	i := int((lat - x.bound.Min[1]) * x.perUnit)
	return max(0, min(i, len(x.start)-2))
}

func (x *bands) contains(p orb.Point) bool {
	if len(x.edges) == 0 || !finite(p[0]) || !finite(p[1]) || !x.bound.Contains(p) {
		return false
	}
	inside := false
	i := x.band(p[1])
	for _, e := range x.edges[x.start[i]:x.start[i+1]] {
		crosses, touches := ray(e.a, e.b, p)
		if touches {
			return true
		}
		inside = inside != crosses
	}
	return inside
}

// forEachEdge calls yield with every edge of mp, closing rings that are not closed.
// Edges with an end that is not finite are left out.
func forEachEdge(mp orb.MultiPolygon, yield func(a, b orb.Point)) {
	for _, polygon := range mp {
		for _, ring := range polygon {
			for i, b := range ring {
				a := ring[(i+len(ring)-1)%len(ring)]
				if i == 0 && a == b {
					continue
				}
				if finite(a[0]) && finite(a[1]) && finite(b[0]) && finite(b[1]) {
					yield(a, b)
				}
			}
		}
	}
}

// ray reports whether the half-line from p towards the east crosses the edge a–b,
// counting an edge's lower end and not its upper one, and whether p is on the edge.
func ray(a, b, p orb.Point) (crosses, touches bool) {
	if a[0] < p[0] && b[0] < p[0] {
		return false, false
	}
	if p == b || p == a {
		return false, true
	}
	if a[1] == p[1] && b[1] == p[1] {
		return false, min(a[0], b[0]) <= p[0]
	}
	if (a[1] > p[1]) == (b[1] > p[1]) {
		return false, false
	}
	side := orientation(a, b, p)
	if side == 0 {
		return false, true
	}
	return (side > 0) == (b[1] > a[1]), false
}

// orientation is positive when p lies to the left of the line from a to b, negative
// to the right, zero on it; exact. The error bound of the quick answer is
// Shewchuk's (Adaptive precision floating-point arithmetic, 1997, ccwerrboundA).
func orientation(a, b, p orb.Point) int {
	left := (a[0] - p[0]) * (b[1] - p[1])
	right := (a[1] - p[1]) * (b[0] - p[0])
	det := left - right
	if math.Abs(det) > 3.3306690738754716e-16*(math.Abs(left)+math.Abs(right)) {
		if det > 0 {
			return 1
		}
		return -1
	}
	return exactOrientation(a, b, p)
}

func exactOrientation(a, b, p orb.Point) int {
	diff := func(u, v float64) *big.Rat {
		return new(big.Rat).Sub(new(big.Rat).SetFloat64(u), new(big.Rat).SetFloat64(v))
	}
	left := new(big.Rat).Mul(diff(a[0], p[0]), diff(b[1], p[1]))
	right := new(big.Rat).Mul(diff(a[1], p[1]), diff(b[0], p[0]))
	return left.Cmp(right)
}
