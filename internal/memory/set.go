package memory

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/tidwall/btree"
	"github.com/tidwall/rtree"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/tiles"
)

// set is every row of a layer that a class of viewers sees. It is read by many and
// followed by one, who makes the next from it: with copies what the two have in common.
type set struct {
	reading Reading
	layer   *layer.Layer
	whole   []int                        // the places of all fields
	tree    rtree.RTreeGN[float64, *row] // those that have a geometry
	byID    *btree.Map[int64, *row]
	byCode  *btree.BTreeG[*row] // those of one code by the beginning of their valid time
	bytes   int64
}

// row is a row in as few pieces as can be, so that a set of many does not cost the
// garbage collector much.
type row struct {
	id, revision int64
	from, to     int32 // days since 2000-01-01; the end is not in it
	shape, code  uint32
	data         []byte // so many bytes of EWKB; then of each field 1 + its length, 0 for null, and the bytes; that of the code stands at code
}

// Days that stand for no beginning and no end, as PostgreSQL writes them, and an id that
// no row has.
const (
	firstDay = math.MinInt32
	lastDay  = math.MaxInt32
	lastID   = math.MaxInt64
)

// rowOverhead is what a row takes beside its data, bytes: itself, its place in the tree,
// its places among the ids and the codes.
const rowOverhead = 64 + 72 + 24 + 16

func newSet(l *layer.Layer) *set {
	unlocked := btree.Options{NoLocks: true} // one follows a set, and the others read what he is done with
	s := &set{layer: l, whole: make([]int, len(l.Fields))}
	for i := range s.whole {
		s.whole[i] = i + 1
	}
	s.byID, s.byCode = &btree.Map[int64, *row]{}, btree.NewBTreeGOptions(codeLess, unlocked)
	return s
}

func codeLess(a, b *row) bool {
	return cmp.Or(bytes.Compare(a.value(a.code), b.value(b.code)), cmp.Compare(a.from, b.from), cmp.Compare(a.id, b.id)) < 0
}

// value is the value of the field that stands at a place in the data.
func (r *row) value(at uint32) []byte {
	size, n := binary.Uvarint(r.data[at:])
	if size == 0 {
		return nil
	}
	from := int(at) + n
	return r.data[from : from+int(size)-1]
}

// next is a set that begins as this one is. This one can be read as before, and not
// followed any more.
func (s *set) next() *set {
	next := *s
	next.tree, next.byID, next.byCode = *s.tree.Copy(), s.byID.Copy(), s.byCode.Copy()
	return &next
}

// put adds a row.
func (s *set) put(r *layer.Row) error {
	if len(r.Values) != len(s.layer.Fields) {
		return fmt.Errorf("%s %d has %d values, the layer %d fields", s.layer.Name, r.ID, len(r.Values), len(s.layer.Fields))
	}
	size := len(r.Geometry)
	for _, value := range r.Values {
		size += binary.MaxVarintLen32 + len(value)
	}
	one := &row{id: r.ID, revision: r.Revision, from: firstDay, to: lastDay, shape: uint32(len(r.Geometry)), data: append(make([]byte, 0, size), r.Geometry...)}
	var err error
	for i, value := range r.Values {
		switch s.layer.Fields[i].Name {
		case "code":
			one.code = uint32(len(one.data))
		case "valid_from":
			err = errors.Join(err, readDay(value, &one.from))
		case "valid_to":
			err = errors.Join(err, readDay(value, &one.to))
		}
		if value == nil {
			one.data = append(one.data, 0)
			continue
		}
		one.data = binary.AppendUvarint(one.data, uint64(len(value))+1)
		one.data = append(one.data, value...)
	}
	box, err2 := one.box()
	if err = errors.Join(err, err2); err != nil {
		return fmt.Errorf("%s %d: %w", s.layer.Name, r.ID, err)
	}
	if one.shape > 0 { // one without a geometry is in no box
		s.tree.Insert(box.Min, box.Max, one)
	}
	s.byID.Set(one.id, one)
	s.byCode.Set(one)
	s.bytes += int64(cap(one.data)) + rowOverhead
	return nil
}

// box is the box of the row's geometry, empty where it has none.
func (r *row) box() (orb.Bound, error) {
	if r.shape == 0 {
		return orb.Bound{}, nil
	}
	return tiles.Bounds(r.data[:r.shape])
}

// readDay reads a date of PostgreSQL's binary form; null leaves the day as it is.
func readDay(wire []byte, day *int32) error {
	switch len(wire) {
	case 0:
	case 4:
		*day = int32(binary.BigEndian.Uint32(wire))
	default:
		return fmt.Errorf("a value of %d bytes is no date", len(wire))
	}
	return nil
}

// remove takes rows out; ids of which there is none are passed over.
func (s *set) remove(ids []int64) error {
	for _, id := range ids {
		one, ok := s.byID.Delete(id)
		if !ok {
			continue
		}
		s.byCode.Delete(one)
		s.bytes -= int64(cap(one.data)) + rowOverhead
		box, err := one.box()
		if err != nil {
			return err
		}
		if one.shape > 0 {
			s.tree.Delete(box.Min, box.Max, one)
		}
	}
	return nil
}

// hair is by how much a box is widened, degrees: the database's own boxes are rounded
// outwards to half a decimetre, and nobody shall be told by a tile where it came from.
const hair = 1e-6

// each hands over the rows whose box meets the box and that the dates of the query
// select, with the fields asked for; see Memory.TileRows.
func (s *set) each(box orb.Bound, q layer.Query, fields []*layer.Field, each func(*layer.Row) error) error {
	places, err := s.places(fields)
	if err != nil {
		return err
	}
	days := datesOf(q)
	handed := layer.Row{Values: make([][]byte, len(fields))}
	box = box.Pad(hair)
	s.tree.Search(box.Min, box.Max, func(_, _ [2]float64, r *row) bool {
		if !days.hold(r) {
			return true
		}
		r.fill(&handed, places)
		err = each(&handed)
		return err == nil
	})
	return err
}

// places are where the values of the layer's fields go in those of the fields asked for,
// 1 for the first and 0 for nowhere, as far as any goes somewhere.
func (s *set) places(fields []*layer.Field) ([]int, error) {
	places, last := make([]int, len(s.layer.Fields)), 0
	for i, f := range fields {
		at := slices.IndexFunc(s.layer.Fields, func(own layer.Field) bool { return own.Name == f.Name })
		if at < 0 {
			return nil, fmt.Errorf("%s has no field %s", s.layer.Name, f.Name)
		}
		places[at], last = i+1, max(last, at+1)
	}
	return places[:last], nil
}

// fill points a layer.Row at what is asked for of the row.
func (r *row) fill(into *layer.Row, places []int) {
	into.ID, into.Revision, into.Geometry = r.id, r.revision, nil
	if r.shape > 0 {
		into.Geometry = r.data[:r.shape:r.shape]
	}
	rest := r.data[r.shape:]
	for _, at := range places {
		size, n := binary.Uvarint(rest)
		rest = rest[n:]
		var value []byte
		if size > 0 {
			value, rest = rest[:size-1:size-1], rest[size-1:]
		}
		if at > 0 {
			into.Values[at-1] = value
		}
	}
}

// dates are the days that a row must have begun by and not ended before.
type dates struct{ by, after int32 }

func datesOf(q layer.Query) dates {
	d := dates{lastDay, firstDay}
	switch {
	case !q.Date.IsZero():
		d.by, d.after = dayOf(q.Date), dayOf(q.Date)
	default:
		if !q.Span[1].IsZero() {
			d.by = dayOf(q.Span[1])
		}
		if !q.Span[0].IsZero() {
			d.after = dayOf(q.Span[0])
		}
	}
	return d
}

// hold reports whether the row is of the days.
func (d dates) hold(r *row) bool { return r.from <= d.by && r.to > d.after }

// dayOf counts from 2000-01-01, as PostgreSQL does.
func dayOf(d geo.Date) int32 {
	const first, secondsADay = 946_684_800, 86_400
	return int32((d.Time().Unix() - first) / secondsADay)
}
