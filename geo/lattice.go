package geo

import (
	"math"

	"github.com/paulmach/orb"
)

// lattice cuts a box into equal cells, nx columns by ny rows. A lattice may itself be a
// cell of another, cut finer by a power of two: column and row then say exactly what
// the coarse lattice's would say after the point.
type lattice struct {
	box            orb.Bound
	min            orb.Point
	perLon, perLat float64 // cells per degree; of the coarse lattice
	nx, ny         int
	cx, cy, m      float64 // the cell of the coarse lattice, and how many to each of its sides; 0, 0, 1
}

const (
	mostCells      = 1 << 22
	entriesPerCell = 8 // boxes that a cell asked for meets, on average, at the most
)

// emptyBound holds nothing and grows by min and max.
var emptyBound = orb.Bound{Min: orb.Point{math.Inf(1), math.Inf(1)}, Max: orb.Point{math.Inf(-1), math.Inf(-1)}}

// newLattice cuts the box of all boxes into about so many cells, fewer where the boxes
// would together meet too many: the cost is linear whatever their sizes.
func newLattice(boxes []orb.Bound, cells int) lattice {
	all := emptyBound
	for _, b := range boxes {
		if !b.IsEmpty() {
			all = orb.Bound{Min: orb.Point{min(all.Min[0], b.Min[0]), min(all.Min[1], b.Min[1])},
				Max: orb.Point{max(all.Max[0], b.Max[0]), max(all.Max[1], b.Max[1])}}
		}
	}
	if all.IsEmpty() {
		return lattice{box: all, min: all.Min, nx: 1, ny: 1, m: 1}
	}
	most := min(cells, mostCells)
	for cells = most; ; cells /= 2 {
		f := sized(all, max(cells, 1))
		if cells <= 1 || f.entries(boxes) <= entriesPerCell*most {
			return f
		}
	}
}

// sized is a lattice of about so many cells, square in degrees where it can be; of
// one cell where the box is wider than numbers go.
func sized(all orb.Bound, cells int) lattice {
	w, h := all.Max[0]-all.Min[0], all.Max[1]-all.Min[1]
	if !finite(w) || !finite(h) || h > 0 && !finite(w/h) { // too wide to be divided
		w, h = 0, 0
	}
	f := lattice{box: all, min: all.Min, nx: 1, ny: 1, m: 1}
	switch {
	case w > 0 && h > 0:
		f.nx = int(max(1, min(float64(cells), math.Sqrt(float64(cells)*w/h))))
		f.ny = max(1, cells/f.nx)
	case w > 0:
		f.nx = cells
	case h > 0:
		f.ny = cells
	}
	if w > 0 {
		f.perLon = float64(f.nx) / w
	}
	if h > 0 {
		f.perLat = float64(f.ny) / h
	}
	return f
}

// fine is the cell of the lattice as a lattice of 2^log2 columns and rows.
func (f *lattice) fine(x, y int, log2 uint32) lattice {
	sub := *f
	sub.nx, sub.ny = 1<<log2, 1<<log2
	sub.cx, sub.cy, sub.m = float64(x), float64(y), float64(int(1)<<log2)
	return sub
}

func (f *lattice) column(lon float64) int { return cell(((lon-f.min[0])*f.perLon-f.cx)*f.m, f.nx) }
func (f *lattice) row(lat float64) int    { return cell(((lat-f.min[1])*f.perLat-f.cy)*f.m, f.ny) }

// cell rounds down into 0 … n-1; what lies outside, or is no number, is taken to the edge.
func cell(v float64, n int) int {
	switch {
	case !(v > 0):
		return 0
	case v >= float64(n):
		return n - 1
	}
	return int(v)
}

// cells are the columns and rows that a box meets; never fewer.
func (f *lattice) cells(b orb.Bound) (x0, x1, y0, y1 int) {
	return f.column(b.Min[0]), f.column(b.Max[0]), f.row(b.Min[1]), f.row(b.Max[1])
}

func (f *lattice) entries(boxes []orb.Bound) int {
	total := 0
	for _, b := range boxes {
		if !b.IsEmpty() {
			x0, x1, y0, y1 := f.cells(b)
			total += (x1 - x0 + 1) * (y1 - y0 + 1)
		}
	}
	return total
}

// within reports whether p lies in the box of all boxes; false for what is no number.
func (f *lattice) within(p orb.Point) bool {
	return p[0] >= f.box.Min[0] && p[0] <= f.box.Max[0] && p[1] >= f.box.Min[1] && p[1] <= f.box.Max[1]
}

// forEachCell calls yield with every cell the edge may meet: row by row those
// between where it enters and leaves, and a thousandth of a cell more for rounding.
func (f *lattice) forEachCell(e edge, yield func(x, y int)) {
	low, high := e.a, e.b
	if low[1] > high[1] {
		low, high = high, low
	}
	lonAt := func(lat, otherwise float64) float64 {
		if !(lat > low[1] && lat < high[1]) {
			return otherwise
		}
		return low[0] + (lat-low[1])/(high[1]-low[1])*(high[0]-low[0])
	}
	perLon, perLat := f.perLon*f.m, f.perLat*f.m
	slack, south := 0.0, f.min[1]
	if f.perLon > 0 {
		slack = 0.001 / perLon
	}
	if f.perLat > 0 {
		south += f.cy / f.perLat
	}
	for y, last := f.row(low[1]), f.row(high[1]); y <= last; y++ {
		from, to := low[0], high[0]
		if f.perLat > 0 {
			from = lonAt(south+(float64(y)-0.001)/perLat, low[0])
			to = lonAt(south+(float64(y)+1.001)/perLat, high[0])
		}
		if from > to {
			from, to = to, from
		}
		from, to = from-slack, to+slack
		if f.m > 1 && (((to-f.min[0])*f.perLon-f.cx) < 0 || ((from-f.min[0])*f.perLon-f.cx) >= 1) {
			continue // beside this cell of the coarse lattice
		}
		for x, end := f.column(from), f.column(to); x <= end; x++ {
			yield(x, y)
		}
	}
}
