package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// Features hands the rows that the query selects and the viewer may see to each, as the
// register's Features. Pages come from memory where it has the layer as it is now: of all
// that is in force, and of boxes where the layer has points, whose boxes they are
// themselves. So do whole layers, but nothing is put into memory for their sake: they are
// seldom asked for, and read at once. Cost: of a page of all no more than its rows, of boxes what lies in them.
func (m *Memory) Features(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query, each func(*layer.Row) error) error {
	if len(q.Sort) == 0 && (q.Limit > 0 || m.keeps(v, l)) {
		if s := m.selecting(v, l, q); s != nil {
			return s.page(q, each)
		}
	}
	return m.register.Features(ctx, v, l, q, each)
}

// CountFeatures counts what the query selects, as the register does.
func (m *Memory) CountFeatures(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query) (int64, error) {
	if s := m.selecting(v, l, q); s != nil {
		return s.count(q), nil
	}
	return m.register.CountFeatures(ctx, v, l, q)
}

// CountWithin is CountFeatures that gives up after so long; then it returns false.
func (m *Memory) CountWithin(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query, within time.Duration) (int64, bool, error) {
	if s := m.selecting(v, l, q); s != nil {
		return s.count(q), true, nil
	}
	return m.register.CountWithin(ctx, v, l, q, within)
}

// FeatureAmongVersions returns a row that the viewer may see, whatever its dates, and the
// ids of all of its code by valid time, as the register does.
func (m *Memory) FeatureAmongVersions(ctx context.Context, v account.Viewer, l *layer.Layer, id int64) (*layer.Row, []int64, error) {
	if s := m.selecting(v, l, layer.Query{}); s != nil {
		if r, versions := s.among(id); r != nil {
			return r, versions, nil
		}
	}
	return m.register.FeatureAmongVersions(ctx, v, l, id)
}

// selecting returns the rows that a query can be answered from; nil where it cannot.
func (m *Memory) selecting(v account.Viewer, l *layer.Layer, q layer.Query) *set {
	if q.Filter != nil || len(q.Equal) > 0 || !q.KnownAt.IsZero() || len(q.Boxes) > 0 && l.Geometry != layer.Point || l.ReadsStored() {
		return nil
	}
	return m.keptFor(v, l, q.NoOlder)
}

// keeps reports whether the layer is kept for the viewer's class, or is about to be.
func (m *Memory) keeps(v account.Viewer, l *layer.Layer) bool {
	_, kept := (*m.rows.sets.Load())[setKey{v.Class(), l.Name}]
	return kept
}

// page hands over the rows that the query selects, by id.
func (s *set) page(q layer.Query, each func(*layer.Row) error) error {
	places, values := s.whole, len(s.whole)
	var err error
	if q.Fields != nil {
		if places, err = s.places(q.Fields); err != nil {
			return err
		}
		values = len(q.Fields)
	}
	handed := layer.Row{Values: make([][]byte, values)}
	s.first(q, func(r *row) bool {
		r.fill(&handed, places)
		if q.NoGeometry {
			handed.Geometry = nil
		}
		err = each(&handed)
		return err == nil
	})
	return err
}

// first calls each for the rows of a page, or all there are, by id, until it returns false.
func (s *set) first(q layer.Query, each func(*row) bool) {
	if len(q.Boxes) > 0 {
		for _, r := range s.lowest(q) {
			if !each(r) {
				return
			}
		}
		return
	}
	days, left := datesOf(q), q.Limit
	s.byID.Ascend(q.After+1, func(_ int64, r *row) bool {
		if !days.hold(r) {
			return true
		}
		left--
		return each(r) && left != 0
	})
}

// lowest returns the rows of a page in boxes. It sorts what it has when that is twice as
// much, so the cost does not hang on how many more there are but for looking at them.
func (s *set) lowest(q layer.Query) []*row {
	limit := q.Limit
	if limit == 0 {
		limit = s.byID.Len()
	}
	found := make([]*row, 0, 2*q.Limit)
	after, before := q.After, int64(lastID)
	cut := func() {
		slices.SortFunc(found, func(a, b *row) int { return cmp.Compare(a.id, b.id) })
		if found = slices.Compact(found); len(found) > limit { // one may be in two boxes
			found = found[:limit]
			before = found[limit-1].id
		}
	}
	s.inBoxes(q, func(r *row) {
		if r.id > after && r.id < before {
			if found = append(found, r); len(found) == 2*limit {
				cut()
			}
		}
	})
	cut()
	return found
}

// inBoxes calls each for the points that lie in the boxes, their edges included, and that
// the dates of the query select: as often as there are boxes where they lie.
func (s *set) inBoxes(q layer.Query, each func(*row)) {
	days := datesOf(q)
	for _, box := range q.Boxes {
		s.tree.Search(box.Min, box.Max, func(_, _ [2]float64, r *row) bool {
			if days.hold(r) {
				each(r)
			}
			return true
		})
	}
}

// count is how many rows the query selects on all its pages.
func (s *set) count(q layer.Query) (n int64) {
	if len(q.Boxes) == 1 {
		s.inBoxes(q, func(*row) { n++ })
		return n
	}
	if len(q.Boxes) > 1 {
		once := map[int64]struct{}{}
		s.inBoxes(q, func(r *row) { once[r.id] = struct{}{} })
		return int64(len(once))
	}
	days := datesOf(q)
	s.byID.Scan(func(_ int64, r *row) bool {
		if days.hold(r) {
			n++
		}
		return true
	})
	return n
}

// among returns a row that is the caller's, but for its bytes, and the ids of all of its
// code by valid time; nil where there is no such row.
func (s *set) among(id int64) (*layer.Row, []int64) {
	r, ok := s.byID.Get(id)
	if !ok {
		return nil, nil
	}
	whole := &layer.Row{Values: make([][]byte, len(s.whole)), ShownAs: s.reading.ShownAs}
	r.fill(whole, s.whole)
	var versions []int64
	code := string(r.value(r.code))
	s.byCode.Ascend(&row{data: r.data, code: r.code, from: firstDay}, func(other *row) bool {
		if string(other.value(other.code)) != code {
			return false
		}
		versions = append(versions, other.id)
		return true
	})
	return whole, versions
}
