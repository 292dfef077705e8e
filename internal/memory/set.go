package memory

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"
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
	tree    rtree.RTreeGN[float64, *row]
	byID    map[int64]*row // handed on to the next set: not for those who read
	bytes   int64
}

// row is a row in as few pieces as can be, so that a set of many does not cost the
// garbage collector much.
type row struct {
	id       int64
	from, to int32 // days since 2000-01-01; the end is not in it
	shape    uint32
	data     []byte // so many bytes of EWKB; then of each field 1 + its length, 0 for null, and the bytes
}

// Days that stand for no beginning and no end, as PostgreSQL writes them.
const (
	firstDay = math.MinInt32
	lastDay  = math.MaxInt32
)

// rowOverhead is what a row takes beside its data, bytes: itself, its place in the tree,
// its place among the ids.
const rowOverhead = 56 + 72 + 40

func newSet(l *layer.Layer) *set { return &set{layer: l, byID: map[int64]*row{}} }

// next is a set that begins as this one is. This one can be read as before, and not
// followed any more.
func (s *set) next() *set {
	return &set{layer: s.layer, tree: *s.tree.Copy(), byID: s.byID, bytes: s.bytes}
}

// put adds a row. One without a geometry is in no tile, and is left out.
func (s *set) put(r *layer.Row) error {
	if r.Geometry == nil {
		return nil
	}
	if len(r.Values) != len(s.layer.Fields) {
		return fmt.Errorf("%s %d has %d values, the layer %d fields", s.layer.Name, r.ID, len(r.Values), len(s.layer.Fields))
	}
	box, err := tiles.Bounds(r.Geometry)
	if err != nil {
		return fmt.Errorf("%s %d: %w", s.layer.Name, r.ID, err)
	}
	size := len(r.Geometry)
	for _, value := range r.Values {
		size += binary.MaxVarintLen32 + len(value)
	}
	one := &row{id: r.ID, from: firstDay, to: lastDay, shape: uint32(len(r.Geometry)), data: append(make([]byte, 0, size), r.Geometry...)}
	for i, value := range r.Values {
		switch s.layer.Fields[i].Name {
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
	if err != nil {
		return fmt.Errorf("%s %d: %w", s.layer.Name, r.ID, err)
	}
	s.tree.Insert(box.Min, box.Max, one)
	s.byID[r.ID] = one
	s.bytes += int64(cap(one.data)) + rowOverhead
	return nil
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
		one, ok := s.byID[id]
		if !ok {
			continue
		}
		box, err := tiles.Bounds(one.data[:one.shape])
		if err != nil {
			return err
		}
		s.tree.Delete(box.Min, box.Max, one)
		delete(s.byID, id)
		s.bytes -= int64(cap(one.data)) + rowOverhead
	}
	return nil
}

// hair is by how much a box is widened, degrees: the database's own boxes are rounded
// outwards to half a decimetre, and nobody shall be told by a tile where it came from.
const hair = 1e-6

// each hands over the rows whose box meets the box and that the dates of the query
// select, with the fields asked for; see Memory.TileRows.
func (s *set) each(box orb.Bound, q layer.Query, fields []*layer.Field, each func(*layer.Row) error) error {
	places := make([]int, len(s.layer.Fields)) // in Values, 0 for what is not asked for
	last := 0
	for i, f := range fields {
		at := slices.IndexFunc(s.layer.Fields, func(own layer.Field) bool { return own.Name == f.Name })
		if at < 0 {
			return fmt.Errorf("%s has no field %s", s.layer.Name, f.Name)
		}
		places[at], last = i+1, max(last, at+1)
	}
	places = places[:last]
	days := datesOf(q)
	handed := layer.Row{Values: make([][]byte, len(fields))}
	box = box.Pad(hair)
	var err error
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

// fill points a layer.Row at what is asked for of the row.
func (r *row) fill(into *layer.Row, places []int) {
	into.ID, into.Geometry = r.id, r.data[:r.shape:r.shape]
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
