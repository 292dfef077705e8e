package zoning

import (
	"cmp"
	"slices"

	"github.com/paulmach/orb"
	"github.com/tidwall/rtree"

	"hatang/geo"
)

// row is something of a layer: an area with an id, found again by it.
type row interface {
	name() (code string, id int64)
	area() orb.MultiPolygon
	edgeAccuracyM() float64 // how far its edge may be from the true one; 0: exact
}

// part is some rows of a layer by code, then id, with their index. It never changes.
type part[T row] struct {
	rows  []T
	byID  []int32 // positions in rows, by id
	index *geo.Index
	gone  int                  // how many of the rows the index finds no more
	poor  *rtree.RTreeG[int32] // positions of rows whose edges are not exact, by their boxes grown by the accuracy; nil: none
}

// layer is the rows of one kind in parts, the first the largest: scenes share the
// parts, less what is gone from them. What comes makes a new part; a part that is no
// longer small beside the one before is joined to it.
type layer[T row] []part[T]

// smallShare: a part is small as long as so many of it, with what is gone from the
// one before, are no more than that one.
const smallShare = 16

func newLayer[T row](rows []T) layer[T] {
	if len(rows) == 0 {
		return nil
	}
	return layer[T]{newPart(rows)}
}

func newPart[T row](rows []T) part[T] {
	p := part[T]{rows: slices.Clone(rows), byID: positions(len(rows))}
	slices.SortStableFunc(p.rows, compareNames)
	shapes := make([]orb.MultiPolygon, len(rows))
	for i := range p.rows {
		shapes[i] = p.rows[i].area()
	}
	slices.SortStableFunc(p.byID, func(a, b int32) int { return cmp.Compare(idOf(p.rows[a]), idOf(p.rows[b])) })
	p.index = geo.NewIndex(shapes)
	p.poor = poorEdges(p.rows)
	return p
}

func positions(n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(i)
	}
	return out
}

func compareNames[T row](a, b T) int {
	codeA, idA := a.name()
	codeB, idB := b.name()
	return cmp.Or(cmp.Compare(codeA, codeB), cmp.Compare(idA, idB))
}

func idOf[T row](r T) int64 {
	_, id := r.name()
	return id
}

// without is the part less the rows of these ids.
func (p part[T]) without(ids map[int64]bool) part[T] {
	var left []int
	for id := range ids {
		at, _ := slices.BinarySearchFunc(p.byID, id, func(i int32, id int64) int { return cmp.Compare(idOf(p.rows[i]), id) })
		for ; at < len(p.byID) && idOf(p.rows[p.byID[at]]) == id; at++ {
			if i := int(p.byID[at]); p.index.Has(i) {
				left = append(left, i)
			}
		}
	}
	p.index, p.gone = p.index.Without(left...), p.gone+len(left)
	return p
}

// left are the rows that are not gone.
func (p part[T]) left() []T {
	if p.gone == 0 {
		return p.rows
	}
	out := make([]T, 0, len(p.rows)-p.gone)
	for i := range p.rows {
		if p.index.Has(i) {
			out = append(out, p.rows[i])
		}
	}
	return out
}

// with is the layer without the rows whose ids are gone or come, and with those that come.
func (l layer[T]) with(gone []int64, came []T) layer[T] {
	if len(gone) == 0 && len(came) == 0 {
		return l
	}
	leaves := make(map[int64]bool, len(gone)+len(came))
	for _, id := range gone {
		leaves[id] = true
	}
	for i := range came {
		leaves[idOf(came[i])] = true
	}
	next := make(layer[T], 0, len(l)+1)
	for _, p := range l {
		next = append(next, p.without(leaves))
	}
	// What comes stays loose until it is known how much of the rest it joins.
	for n := len(next); n > 0 && smallShare*(len(came)+next[n-1].gone) >= len(next[n-1].rows); n-- {
		came = append(slices.Clone(came), next[n-1].left()...)
		next = next[:n-1]
	}
	if len(came) > 0 {
		next = append(next, newPart(came))
	}
	return next
}

// touch reads what looking up the point begins with: see geo.Index.Touch. The value
// means nothing.
func (l layer[T]) touch(p orb.Point) int64 {
	if len(l) == 0 {
		return 0
	}
	if i := l[0].index.Touch(p); i >= 0 {
		_, id := l[0].rows[i].name()
		return id
	}
	return 0
}

// first returns the row with the lowest code, then id, of those that cover the
// point; nil when none does.
func (l layer[T]) first(p orb.Point) *T {
	found, _ := l.firstShape(p)
	return found
}

// firstShape is first, and the row's shape.
func (l layer[T]) firstShape(p orb.Point) (found *T, as shape) {
	for n := range l {
		part := &l[n]
		if i, ok := part.index.First(p); ok && (found == nil || compareNames(part.rows[i], *found) < 0) {
			found, as = &part.rows[i], shape{part.index, i, true}
		}
	}
	return found, as
}

// each calls yield with the rows that cover the point or, where a margin matters,
// all that come so near, and perhaps others. room is a slice to use for a moment.
func (l layer[T]) each(room *[]int, p orb.Point, marginM float64, yield func(*T, shape)) {
	for n := range l {
		part := &l[n]
		*room = part.near((*room)[:0], p, marginM)
		for _, i := range *room {
			yield(&part.rows[i], shape{part.index, i, marginM == 0})
		}
	}
}

// near appends the rows that cover the point or whose boxes come so near, ascending.
func (p *part[T]) near(found []int, at orb.Point, marginM float64) []int {
	if marginM == 0 {
		return p.index.AppendAt(found, at)
	}
	return p.index.AppendNear(found, beside(at, marginM))
}
