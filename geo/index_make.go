package geo

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// making is a board in the making.
type making struct {
	x       *board
	cut     []uint32 // by cell of the lattice: its first leaf<<fineBits | log2 of the leaves in a row
	pieces  uint32   // how many there are, a cell that is not cut being one
	edges   []edge   // of all filings
	crossed []uint32 // by cell of the lattice: edges that may run through it
	covered []uint32 // … and areas whose box meets it
	filed   []filing
	ring    []edge // of the area that is being filed
	bands   bands
	met     []uint64 // leaf<<32 | number of an edge that may meet it
	cells   []uint64 // cells of the lattice that the area's edges may meet, a bit each, by its box
}

// filing is an area in a leaf.
type filing struct {
	leaf uint32
	from uint32 // its first edge
	head head
}

// How fine an index is: cells of the lattice for each area and for so many edges, and
// leaves for each edge or area in a cell.
const (
	cellsPerArea   = 4
	edgesPerCell   = 12
	leavesPerEntry = 4
)

// newBoard files areas of so many edges.
func newBoard(areas []indexed, edges int) *board {
	b := &making{x: &board{areas: areas}, edges: make([]edge, 0, edges*7/4), filed: make([]filing, 0, edges*2)}
	boxes := make([]orb.Bound, len(areas))
	for i := range areas {
		boxes[i] = areas[i].bound
	}
	b.x.lattice = newLattice(boxes, cellsPerArea*len(areas)+edges/edgesPerCell+1)
	b.refine()
	for i := range areas {
		b.file(i)
	}
	return b.collect()
}

// refine decides how finely each cell is cut: the more edges, the finer, but no
// finer than leaves the work linear where many areas overlap.
func (b *making) refine() {
	f := &b.x.lattice
	b.crossed, b.covered = make([]uint32, f.nx*f.ny), make([]uint32, f.nx*f.ny)
	for i := range b.x.areas {
		area := &b.x.areas[i]
		if area.bound.IsEmpty() {
			continue
		}
		x0, x1, y0, y1 := f.cells(area.bound)
		for y := y0; y <= y1; y++ {
			for x := x0; x <= x1; x++ {
				b.covered[y*f.nx+x]++
			}
		}
		forEachEdge(area.shape, func(a, c orb.Point) {
			f.forEachCell(edge{a, c}, func(x, y int) { b.crossed[y*f.nx+x]++ })
		})
	}
	b.cut = make([]uint32, f.nx*f.ny)
	for i := range b.cut {
		n, fine := int(b.crossed[i]), uint32(0)
		for fine < mostFine && n >= edgesPerCell<<fine && int(b.covered[i])<<(2*fine+2) <= leavesPerEntry*(n+int(b.covered[i])) {
			fine++
		}
		b.cut[i] = b.pieces<<fineBits | fine
		b.pieces += 1 << (2 * fine)
	}
}

// file finds how an area lies to the leaves of its box.
func (b *making) file(i int) {
	area := &b.x.areas[i]
	if area.bound.IsEmpty() {
		return
	}
	b.ring = b.ring[:0]
	forEachEdge(area.shape, func(a, c orb.Point) { b.ring = append(b.ring, edge{a, c}) })
	b.bands.fill(b.ring, area.bound)
	f := &b.x.lattice
	x0, x1, y0, y1 := f.cells(area.bound)
	width := x1 - x0 + 1
	b.cells = append(b.cells[:0], make([]uint64, (width*(y1-y0+1)+63)/64)...)
	b.met = b.met[:0]
	for n, e := range b.ring {
		f.forEachCell(e, func(x, y int) {
			at := (y-y0)*width + x - x0
			if x < x0 || x > x1 || y < y0 || y > y1 {
				return // rounding: nothing of the area is there
			}
			b.cells[at/64] |= 1 << (at % 64)
			b.meet(x, y, n, e)
		})
	}
	slices.Sort(b.met)
	for y := y0; y <= y1; y++ {
		for x := x0; x <= x1; {
			if at := (y-y0)*width + x - x0; b.cells[at/64]>>(at%64)&1 != 0 {
				b.leaves(i, x, y)
				x++
				continue
			}
			x = b.run(i, x, y, x1, func(x int) bool {
				at := (y-y0)*width + x - x0
				return b.cells[at/64]>>(at%64)&1 != 0
			})
		}
	}
}

// meet notes the leaves of a cell that the edge may meet.
func (b *making) meet(x, y, n int, e edge) {
	top := b.cut[y*b.x.lattice.nx+x]
	fine := top & (1<<fineBits - 1)
	if fine == 0 {
		b.met = append(b.met, uint64(top>>fineBits)<<32|uint64(n))
		return
	}
	sub := b.x.lattice.fine(x, y, fine)
	sub.forEachCell(e, func(sx, sy int) {
		b.met = append(b.met, uint64(top>>fineBits+uint32(sy<<fine+sx))<<32|uint64(n))
	})
}

// run files the area in the cells from x on that no edge of it meets: all of them or
// none are inside. It returns the first cell it did not look at.
func (b *making) run(i, x, y, last int, edged func(x int) bool) int {
	f := &b.x.lattice
	inside, _ := b.bands.holds(f.mark(x, y, 0, 0, 1))
	for ; x <= last && !edged(x); x++ {
		if !inside {
			continue
		}
		top := b.cut[y*f.nx+x]
		for at, end := top>>fineBits, top>>fineBits+1<<(2*(top&(1<<fineBits-1))); at < end; at++ {
			b.filed = append(b.filed, filing{leaf: at, head: head(i)<<32 | head(whole)})
		}
	}
	return x
}

// leaves files the area in the leaves of a cell that some of its edges meet.
func (b *making) leaves(i, x, y int) {
	f := &b.x.lattice
	top := b.cut[y*f.nx+x]
	fine := top & (1<<fineBits - 1)
	m := 1 << fine
	met, _ := slices.BinarySearch(b.met, uint64(top>>fineBits)<<32)
	for sy := range m {
		known, inside := false, false
		for sx := range m {
			at := top>>fineBits + uint32(sy*m+sx)
			end := met
			for end < len(b.met) && uint32(b.met[end]>>32) == at {
				end++
			}
			mark := f.mark(x, y, sx, sy, float64(m))
			if end > met {
				b.edged(i, at, mark, b.met[met:end])
				met, known = end, false
				continue
			}
			if !known {
				inside, _ = b.bands.holds(mark)
				known = true
			}
			if inside {
				b.filed = append(b.filed, filing{leaf: at, head: head(i)<<32 | head(whole)})
			}
		}
	}
}

// edged files the area in a leaf with the edges that may meet it.
func (b *making) edged(i int, at uint32, mark orb.Point, met []uint64) {
	from := uint32(len(b.edges))
	for _, n := range met {
		b.edges = append(b.edges, b.ring[uint32(n)])
	}
	how := markOutside
	inside, on := b.bands.holds(mark)
	switch {
	case on || b.leafOf(mark) != at:
		how = asDrawn
	case inside:
		how = markInside
	}
	b.filed = append(b.filed, filing{at, from, head(i)<<32 | head(len(met))<<lieBits | head(how)})
}

// leafOf is the leaf that a point of the lattice is in.
func (b *making) leafOf(p orb.Point) uint32 {
	f := &b.x.lattice
	x, y := f.column(p[0]), f.row(p[1])
	cut := b.cut[y*f.nx+x]
	fine := cut & (1<<fineBits - 1)
	sub := f.fine(x, y, fine)
	return cut>>fineBits + uint32(sub.row(p[1])<<fine+sub.column(p[0]))
}

// collect lays out what each leaf holds, areas ascending.
func (b *making) collect() *board {
	start := make([]uint32, b.pieces+1)
	for i := range b.filed {
		start[b.filed[i].leaf+1]++
	}
	for i := range b.pieces {
		start[i+1] += start[i]
	}
	sorted := make([]uint32, len(b.filed))
	for i := range b.filed {
		at := &start[b.filed[i].leaf]
		sorted[*at] = uint32(i)
		*at++
	}
	x, f := b.x, &b.x.lattice
	x.cells = make([]uint32, f.nx*f.ny)
	x.lists = make([]uint64, 0, len(b.filed)+4*len(b.edges)+int(b.pieces)/4)
	for i, cut := range b.cut {
		fine := cut & (1<<fineBits - 1)
		if fine > 0 {
			x.cells[i] = (uint32(len(x.leaves))<<fineBits|fine)<<heldBits | holdsCut
		}
		for at := cut >> fineBits; at < cut>>fineBits+1<<(2*fine); at++ {
			from := uint32(0) // start holds by now where the next leaf's begin
			if at > 0 {
				from = start[at-1]
			}
			held := b.hold(sorted[from:start[at]])
			if fine > 0 {
				x.leaves = append(x.leaves, held)
			} else {
				x.cells[i] = held
			}
		}
	}
	x.leaves, x.lists = slices.Clip(x.leaves), slices.Clip(x.lists)
	return x
}

// hold writes what a leaf holds.
func (b *making) hold(filed []uint32) uint32 {
	switch {
	case len(filed) == 0:
		return holdsNone
	case len(filed) == 1 && b.filed[filed[0]].head.lie() == whole:
		return uint32(b.filed[filed[0]].head.area())<<heldBits | holdsOne
	}
	x := b.x
	at := len(x.lists)
	x.lists = append(x.lists, 0)
	for _, n := range filed {
		f := &b.filed[n]
		x.lists = append(x.lists, uint64(f.head))
		for k := range uint32(f.head.next()-1) / 4 {
			e := &b.edges[f.from+k]
			x.lists = append(x.lists, math.Float64bits(e.a[0]), math.Float64bits(e.a[1]), math.Float64bits(e.b[0]), math.Float64bits(e.b[1]))
		}
	}
	x.lists[at] = uint64(len(x.lists) - at - 1)
	return uint32(at)<<heldBits | holdsList
}

// reaches reports whether p is in or on the area with these edges in the leaf of p
// and the mark: on the way from p along its latitude to the mark's longitude and
// from there to the mark, the edges crossed are counted. Where that corner is on an
// edge the way is taken to run a little to the north of p and less to the east of
// the mark; p itself is known not to be on an edge by then, and neither is the mark.
func reaches(edges []uint64, inside bool, mark, p orb.Point) bool {
	corner := orb.Point{mark[0], p[1]}
	west, east := min(p[0], mark[0]), max(p[0], mark[0])
	south, north := min(p[1], mark[1]), max(p[1], mark[1])
	for ; len(edges) >= 4; edges = edges[4:] {
		a := orb.Point{math.Float64frombits(edges[0]), math.Float64frombits(edges[1])}
		b := orb.Point{math.Float64frombits(edges[2]), math.Float64frombits(edges[3])}
		switch {
		case a[0] < west && b[0] < west, a[0] > east && b[0] > east, a[1] < south && b[1] < south, a[1] > north && b[1] > north:
			continue
		}
		if touches(a, b, p) {
			return true
		}
		level, upright := (a[1] > p[1]) != (b[1] > p[1]), (a[0] > mark[0]) != (b[0] > mark[0])
		if !level && !upright {
			continue
		}
		side := orientation(a, b, corner)
		if side == 0 { // of the corner moved a little to the north, and less to the east
			side = sign(b[0] - a[0])
		}
		if side == 0 {
			side = sign(a[1] - b[1])
		}
		if level && side != orientation(a, b, p) {
			inside = !inside
		}
		if upright && side != orientation(a, b, mark) {
			inside = !inside
		}
	}
	return inside
}

// touches reports whether p is on the edge.
func touches(a, b, p orb.Point) bool {
	return min(a[0], b[0]) <= p[0] && p[0] <= max(a[0], b[0]) && min(a[1], b[1]) <= p[1] && p[1] <= max(a[1], b[1]) &&
		orientation(a, b, p) == 0
}

func sign(v float64) int {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}
