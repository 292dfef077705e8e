package zoning

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// masts are the masts of a scene, in parts like a layer.
type masts []mastPart

// mastPart never changes, but for the copy that counts what is gone.
type mastPart struct {
	rows    []Mast
	byID    []int32 // positions in rows, by id; nil: the rows are by id themselves
	byPlace *geo.Points
	gone    []uint64 // bit i: rows[i] counts no more; nil: all count
	less    int      // how many are gone
}

func newMasts(rows []Mast) masts {
	if len(rows) == 0 {
		return nil
	}
	return masts{newMastPart(rows)}
}

func newMastPart(rows []Mast) mastPart {
	p := mastPart{rows: rows}
	if !slices.IsSortedFunc(rows, func(a, b Mast) int { return cmp.Compare(a.ID, b.ID) }) {
		p.byID = positions(len(rows))
		slices.SortStableFunc(p.byID, func(a, b int32) int { return cmp.Compare(rows[a].ID, rows[b].ID) })
	}
	points := make([]orb.Point, len(rows))
	for i := range rows {
		points[i] = orb.Point{roundTheWorld(rows[i].Point[0]), rows[i].Point[1]}
	}
	p.byPlace = geo.NewPoints(points)
	return p
}

// roundTheWorld brings a longitude within ±180°.
func roundTheWorld(lon float64) float64 {
	if lon >= -180 && lon <= 180 {
		return lon
	}
	return math.Remainder(lon, 360)
}

// at is the place in rows of the one that is nth by id.
func (p *mastPart) at(n int) int {
	if p.byID != nil {
		return int(p.byID[n])
	}
	return n
}

func (p *mastPart) has(i int) bool { return p.gone == nil || p.gone[i/64]>>(i%64)&1 == 0 }

// first is the place by id of the first mast whose id is no less.
func (p *mastPart) first(id int64) int {
	return sort.Search(len(p.rows), func(n int) bool { return p.rows[p.at(n)].ID >= id })
}

// of returns the mast of an id, nil for none.
func (m masts) of(id int64) *Mast {
	for n := range m {
		part := &m[n]
		for at := part.first(id); at < len(part.rows) && part.rows[part.at(at)].ID == id; at++ {
			if i := part.at(at); part.has(i) {
				return &part.rows[i]
			}
		}
	}
	return nil
}

// without is the part less the masts of these ids.
func (p mastPart) without(ids map[int64]bool) mastPart {
	gone := append(make([]uint64, 0, (len(p.rows)+63)/64), p.gone...)[:(len(p.rows)+63)/64]
	before := p.less
	for id := range ids {
		for low := p.first(id); low < len(p.rows) && p.rows[p.at(low)].ID == id; low++ {
			if i := p.at(low); gone[i/64]>>(i%64)&1 == 0 {
				gone[i/64] |= 1 << (i % 64)
				p.less++
			}
		}
	}
	if p.less > before {
		p.gone = gone
	}
	return p
}

// left are the masts that are not gone.
func (p *mastPart) left() []Mast {
	if p.less == 0 {
		return p.rows
	}
	out := make([]Mast, 0, len(p.rows)-p.less)
	for i := range p.rows {
		if p.has(i) {
			out = append(out, p.rows[i])
		}
	}
	return out
}

// with is the masts without those whose ids are gone or come, and with those that come.
func (m masts) with(gone []int64, came []Mast) masts {
	if len(gone) == 0 && len(came) == 0 {
		return m
	}
	leaves := make(map[int64]bool, len(gone)+len(came))
	for _, id := range gone {
		leaves[id] = true
	}
	for i := range came {
		leaves[came[i].ID] = true
	}
	next := make(masts, 0, len(m)+1)
	for _, p := range m {
		next = append(next, p.without(leaves))
	}
	for n := len(next); n > 0 && smallShare*(len(came)+next[n-1].less) >= len(next[n-1].rows); n-- {
		came = append(slices.Clone(came), next[n-1].left()...)
		next = next[:n-1]
	}
	if len(came) > 0 {
		next = append(next, newMastPart(came))
	}
	return next
}

// touch reads what finding masts at the point begins with: see geo.Index.Touch.
func (m masts) touch(p orb.Point) int64 {
	if len(m) == 0 {
		return 0
	}
	return int64(m[0].byPlace.Touch(p))
}

// each calls yield with the masts within reach, and some beyond, across the
// antimeridian and round the poles too. room is a slice to use for a moment.
func (m masts) each(room *[]int, p orb.Point, reachM float64, yield func(*Mast)) {
	box := beside(p, reachM)
	if box.Max[0]-box.Min[0] >= 360 {
		box.Min[0], box.Max[0] = -180, 180
		m.in(room, box, yield)
		return
	}
	m.in(room, box, yield)
	if box.Min[0] <= -180 {
		m.in(room, shifted(box, 360), yield)
	}
	if box.Max[0] >= 180 {
		m.in(room, shifted(box, -360), yield)
	}
}

func (m masts) in(room *[]int, box orb.Bound, yield func(*Mast)) {
	for n := range m {
		part := &m[n]
		*room = part.byPlace.AppendIn((*room)[:0], box)
		for _, i := range *room {
			if part.has(i) {
				yield(&part.rows[i])
			}
		}
	}
}

func shifted(b orb.Bound, lon float64) orb.Bound {
	b.Min[0] += lon
	b.Max[0] += lon
	return b
}
