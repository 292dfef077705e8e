package geo

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/paulmach/orb"
)

// Index answers which of many areas a point lies in. Its answers never change, and
// it is safe for concurrent use.
//
// It rests on a grid of cells, each cut again the finer the more edges run through it. A
// cell knows the areas that hold it whole; of an area whose edge runs through it,
// it has those edges and whether the cell's mark, a point inside it, is in the
// area: the way from any point of the cell to the mark, first along the latitude,
// then along the longitude, crosses no other edges.
type Index struct {
	areas []indexed
	edges int      // of all areas
	gone  []uint64 // bit i: area i counts no more; nil: all count
	late  *late
}

// late makes the board of a small index when it pays: until looking at the areas
// themselves has cost as much as making it would have.
type late struct {
	board atomic.Pointer[board]
	seen  atomic.Int64 // edges looked at
	once  sync.Once
}

const (
	eagerEdges = 1 << 17 // an index of more edges has its board from the start
	boardPays  = 25      // looking so often at an edge costs a quarter of filing it, and who asks so often asks on
)

// board is the grid of an Index.
type board struct {
	lattice lattice
	cells   []uint32 // what each cell of the lattice holds: see held
	leaves  []uint32 // … and each leaf of the cells that are cut
	lists   []uint64 // length of the list, then for each area its head and its edges' coordinates
	areas   []indexed
}

// held says what a cell or a leaf holds, so that most points are located by reading
// one or two words: value<<heldBits | one of these.
const (
	holdsNone uint32 = iota // value 0
	holdsOne                // value is an area that holds all of it, and no other meets it
	holdsList               // value is where its list begins
	holdsCut                // value is where its leaves begin << fineBits | log2 of the leaves in a row
	heldBits  = 2
	fineBits  = 3
	mostFine  = 5 // leaves in a row of a cell: 32 at the most
)

// indexed is an area as given, and its box.
type indexed struct {
	bound orb.Bound
	shape orb.MultiPolygon
}

// lie is how an area lies to a leaf. Areas that do not meet it are not in its list.
type lie uint64

const (
	whole       lie = iota // every point of the leaf is in the area
	markOutside            // edges may run through it and its mark is outside
	markInside             // … and its mark is inside
	asDrawn                // … and its mark is of no use, on an edge perhaps: look at the area
)

// head begins an area in a list: area<<32 | edges<<lieBits | lie. Four coordinates
// follow for each edge.
type head uint64

const lieBits = 2

func (h head) area() int { return int(h >> 32) }
func (h head) lie() lie  { return lie(h & (1<<lieBits - 1)) }

// next is how many words on the next area begins.
func (h head) next() int { return 1 + int(uint32(h)>>lieBits)*4 }

// NewIndex prepares the areas; At answers with their positions in the slice. Cost:
// n log n in the vertices, about 0.4 µs and 70 bytes for each, whatever their shapes.
// A small index costs next to nothing until it has been asked some hundred times.
func NewIndex(areas []orb.MultiPolygon) *Index {
	x := &Index{areas: make([]indexed, len(areas)), late: &late{}}
	for i, mp := range areas {
		bound := emptyBound
		forEachEdge(mp, func(a, b orb.Point) {
			x.edges++
			bound.Min = orb.Point{min(bound.Min[0], a[0], b[0]), min(bound.Min[1], a[1], b[1])}
			bound.Max = orb.Point{max(bound.Max[0], a[0], b[0]), max(bound.Max[1], a[1], b[1])}
		})
		x.areas[i] = indexed{bound, mp}
	}
	if x.edges > eagerEdges {
		x.late.board.Store(newBoard(x.areas, x.edges))
	}
	return x
}

// grid is the board, nil while there is none.
func (x *Index) grid() *board {
	if b := x.late.board.Load(); b != nil || x.late.seen.Load() < int64(x.edges)*boardPays {
		return b
	}
	x.late.once.Do(func() { x.late.board.Store(newBoard(x.areas, x.edges)) })
	return x.late.board.Load()
}

// look is whether area i contains p, by looking at it.
func (x *Index) look(i int, p orb.Point) bool {
	if !x.areas[i].bound.Contains(p) || !x.Has(i) {
		return false
	}
	edges := 0
	for _, polygon := range x.areas[i].shape {
		for _, ring := range polygon {
			edges += len(ring)
		}
	}
	x.late.seen.Add(int64(edges))
	return Contains(x.areas[i].shape, p)
}

// Without returns the same index in which the areas at these positions are never
// found. The others keep their positions; the two share all but a bit for each area.
func (x *Index) Without(positions ...int) *Index {
	if len(positions) == 0 {
		return x
	}
	less := *x
	less.gone = make([]uint64, (len(x.areas)+63)/64)
	copy(less.gone, x.gone)
	for _, i := range positions {
		less.gone[i/64] |= 1 << (i % 64)
	}
	return &less
}

// Has reports whether the area at the position may be found: see Without.
func (x *Index) Has(i int) bool { return x.gone == nil || x.gone[i/64]>>(i%64)&1 == 0 }

// The mark of a leaf stands a little off its middle: borders drawn along meridians
// and parallels in round numbers would hit the middle too often.
const (
	markLon = 0.4871
	markLat = 0.5173
)

// held finds what the leaf of a point holds.
func (x *board) held(p orb.Point) uint32 {
	f := &x.lattice
	u, v := (p[0]-f.min[0])*f.perLon, (p[1]-f.min[1])*f.perLat
	cx, cy := cell(u, f.nx), cell(v, f.ny)
	held := x.cells[cy*f.nx+cx]
	if held&(1<<heldBits-1) != holdsCut {
		return held
	}
	fine := held >> heldBits & (1<<fineBits - 1)
	m := float64(int(1) << fine)
	sx, sy := cell((u-float64(cx))*m, 1<<fine), cell((v-float64(cy))*m, 1<<fine)
	return x.leaves[held>>(heldBits+fineBits)+uint32(sy<<fine+sx)]
}

// mark is the mark of the leaf of a point.
func (x *board) mark(p orb.Point) orb.Point {
	f := &x.lattice
	u, v := (p[0]-f.min[0])*f.perLon, (p[1]-f.min[1])*f.perLat
	cx, cy := cell(u, f.nx), cell(v, f.ny)
	held := x.cells[cy*f.nx+cx]
	if held&(1<<heldBits-1) != holdsCut {
		return f.mark(cx, cy, 0, 0, 1)
	}
	fine := held >> heldBits & (1<<fineBits - 1)
	m := float64(int(1) << fine)
	return f.mark(cx, cy, cell((u-float64(cx))*m, 1<<fine), cell((v-float64(cy))*m, 1<<fine), m)
}

// mark is the mark of the leaf in column sx and row sy of a cell of m × m leaves.
func (f *lattice) mark(cx, cy, sx, sy int, m float64) orb.Point {
	p := f.min
	if f.perLon > 0 {
		p[0] += (float64(cx) + (float64(sx)+markLon)/m) / f.perLon
	}
	if f.perLat > 0 {
		p[1] += (float64(cy) + (float64(sy)+markLat)/m) / f.perLat
	}
	return p
}

// list is the list that begins at the place.
func (x *board) list(at uint32) []uint64 {
	n := uint32(x.lists[at])
	return x.lists[at+1 : at+1+n]
}

// covers reports whether the area at the head of the list holds p, whose leaf has
// the mark.
func (x *board) covers(list []uint64, mark, p orb.Point) bool {
	h := head(list[0])
	switch h.lie() {
	case whole:
		return true
	case asDrawn:
		return Contains(x.areas[h.area()].shape, p)
	}
	return reaches(list[1:h.next()], h.lie() == markInside, mark, p)
}

// Touch reads the words that looking up a point begins with, and no more. Who asks
// several indexes about a point touches it in all of them first: what they wait for
// from memory then comes at the same time. It returns an area that may contain the
// point, so that what is kept about it can be touched too; -1 for none.
func (x *Index) Touch(p orb.Point) int {
	g := x.late.board.Load()
	if g == nil || !g.lattice.within(p) {
		return -1
	}
	held := g.held(p)
	switch value := held >> heldBits; held & (1<<heldBits - 1) {
	case holdsOne:
		return int(value)
	case holdsList:
		return head(g.lists[value+1]).area()
	}
	return -1
}

// At returns, in ascending order, every area that contains p in the sense of
// Contains: usually one, several on a shared border, nil when there is none. Where
// areas partition a territory, a point on a shared border belongs to exactly one
// of them, the lowest code: order the areas by code and take First.
func (x *Index) At(p orb.Point) []int { return x.AppendAt(nil, p) }

// AppendAt is At, appending to dst; it does not allocate beyond dst.
func (x *Index) AppendAt(dst []int, p orb.Point) []int {
	g := x.grid()
	if g == nil {
		for i := range x.areas {
			if x.look(i, p) {
				dst = append(dst, i)
			}
		}
		return dst
	}
	if !g.lattice.within(p) {
		return dst
	}
	held := g.held(p)
	switch value := held >> heldBits; held & (1<<heldBits - 1) {
	case holdsOne:
		if x.Has(int(value)) {
			dst = append(dst, int(value))
		}
	case holdsList:
		mark := g.mark(p)
		for list := g.list(value); len(list) > 0; list = list[head(list[0]).next():] {
			if i := head(list[0]).area(); x.Has(i) && g.covers(list, mark, p) {
				dst = append(dst, i)
			}
		}
	}
	return dst
}

// First returns the first of the areas that contains p, false when none does. It
// does not allocate; about 0.1 µs among a province's communes.
func (x *Index) First(p orb.Point) (int, bool) {
	g := x.grid()
	if g == nil {
		for i := range x.areas {
			if x.look(i, p) {
				return i, true
			}
		}
		return len(x.areas), false
	}
	if !g.lattice.within(p) {
		return len(x.areas), false
	}
	held := g.held(p)
	switch value := held >> heldBits; held & (1<<heldBits - 1) {
	case holdsOne:
		if x.Has(int(value)) {
			return int(value), true
		}
	case holdsList:
		mark := g.mark(p)
		for list := g.list(value); len(list) > 0; list = list[head(list[0]).next():] {
			if i := head(list[0]).area(); x.Has(i) && g.covers(list, mark, p) {
				return i, true
			}
		}
	}
	return len(x.areas), false
}

// Covers reports whether area i contains p in the sense of Contains. The area's
// position is one that NewIndex was given; one that Without left out covers nothing.
func (x *Index) Covers(i int, p orb.Point) bool {
	g := x.grid()
	if g == nil {
		return x.look(i, p)
	}
	if !g.lattice.within(p) || !x.Has(i) {
		return false
	}
	held := g.held(p)
	switch value := held >> heldBits; held & (1<<heldBits - 1) {
	case holdsOne:
		return int(value) == i
	case holdsList:
		for list := g.list(value); len(list) > 0; list = list[head(list[0]).next():] {
			if head(list[0]).area() == i {
				return g.covers(list, g.mark(p), p)
			}
		}
	}
	return false
}

// AppendNear appends, in ascending order, areas whose bounding box meets the box,
// among them all that hold or touch something in it. With the box of a point it
// reads one leaf and allocates nothing beyond dst.
func (x *Index) AppendNear(dst []int, box orb.Bound) []int {
	near := func(i int) {
		if x.areas[i].bound.Intersects(box) && x.Has(i) {
			dst = append(dst, i)
		}
	}
	g := x.grid()
	if g == nil {
		for i := range x.areas {
			near(i)
		}
		return dst
	}
	first := len(dst)
	g.forEachHeld(box, func(held uint32) {
		switch value := held >> heldBits; held & (1<<heldBits - 1) {
		case holdsOne:
			near(int(value))
		case holdsList:
			for list := g.list(value); len(list) > 0; list = list[head(list[0]).next():] {
				near(head(list[0]).area())
			}
		}
	})
	slices.Sort(dst[first:])
	return dst[:first+len(slices.Compact(dst[first:]))]
}

// forEachHeld calls yield with what every leaf holds that meets the box.
func (x *board) forEachHeld(box orb.Bound, yield func(held uint32)) {
	if !x.lattice.box.Intersects(box) {
		return
	}
	x0, x1, y0, y1 := x.lattice.cells(box)
	for cy := y0; cy <= y1; cy++ {
		for cx := x0; cx <= x1; cx++ {
			held := x.cells[cy*x.lattice.nx+cx]
			if held&(1<<heldBits-1) != holdsCut {
				yield(held)
				continue
			}
			fine := held >> heldBits & (1<<fineBits - 1)
			sub := x.lattice.fine(cx, cy, fine)
			sx0, sx1, sy0, sy1 := sub.cells(box)
			for sy := sy0; sy <= sy1; sy++ {
				for sx := sx0; sx <= sx1; sx++ {
					yield(x.leaves[held>>(heldBits+fineBits)+uint32(sy<<fine+sx)])
				}
			}
		}
	}
}
