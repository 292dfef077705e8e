package zoning

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/tidwall/rtree"
)

// poorEdges files the rows whose edges are not exact; nil when there are none.
func poorEdges[T row](rows []T) *rtree.RTreeG[int32] {
	var poor *rtree.RTreeG[int32]
	for i := range rows {
		accuracyM := rows[i].edgeAccuracyM()
		if !(accuracyM > 0) {
			continue
		}
		if box, ok := grown(rows[i].area(), accuracyM); ok {
			if poor == nil {
				poor = &rtree.RTreeG[int32]{}
			}
			poor.Insert(box.Min, box.Max, int32(i))
		}
	}
	return poor
}

// widestDeg bounds boxes: no proposal is farther from longitude or latitude 0, with
// its accuracy, and trees cannot take numbers without end.
const widestDeg = 1000.0

// grown is the box of an area and so many metres round it, false for an area without
// points. It is a little too large rather than too small; all longitudes near a pole.
func grown(area orb.MultiPolygon, metres float64) (orb.Bound, bool) {
	box := orb.Bound{Min: orb.Point{math.Inf(1), math.Inf(1)}, Max: orb.Point{math.Inf(-1), math.Inf(-1)}}
	for _, polygon := range area {
		for _, ring := range polygon {
			for _, p := range ring {
				if !(math.Abs(p[0]) <= math.MaxFloat64 && math.Abs(p[1]) <= math.MaxFloat64) {
					continue
				}
				box.Min = orb.Point{min(box.Min[0], p[0]), min(box.Min[1], p[1])}
				box.Max = orb.Point{max(box.Max[0], p[0]), max(box.Max[1], p[1])}
			}
		}
	}
	if box.IsEmpty() {
		return box, false
	}
	highest := orb.Point{0, max(math.Abs(box.Min[1]), math.Abs(box.Max[1]))}
	by := beside(highest, metres)
	dLon, dLat := by.Max[0], by.Max[1]-highest[1]
	within := func(v float64) float64 { return max(-widestDeg, min(widestDeg, v)) }
	return orb.Bound{Min: orb.Point{within(box.Min[0] - dLon), within(box.Min[1] - dLat)},
		Max: orb.Point{within(box.Max[0] + dLon), within(box.Max[1] + dLat)}}, true
}

// eachDoubtful calls yield with the rows that cover the point or come so near that
// the accuracy of the position and that of their own edge could make them cover it,
// and perhaps others. room is a slice to use for a moment.
func (l layer[T]) eachDoubtful(room *[]int, p orb.Point, accuracyM float64, yield func(*T, shape)) {
	for n := range l {
		part := &l[n]
		*room = part.near((*room)[:0], p, accuracyM)
		exact := len(*room)
		*room = part.besidePoorEdges(*room, p, accuracyM)
		for k, i := range *room {
			yield(&part.rows[i], shape{part.index, i, accuracyM == 0 && k < exact})
		}
	}
}

// besidePoorEdges appends the rows whose own accuracy, with the position's, reaches the
// point, and perhaps others, but none that are found already: those are ascending.
func (p *part[T]) besidePoorEdges(found []int, at orb.Point, accuracyM float64) []int {
	if p.poor == nil {
		return found
	}
	already, box := found, beside(at, accuracyM)
	p.poor.Search(box.Min, box.Max, func(_, _ [2]float64, i int32) bool {
		if _, known := slices.BinarySearch(already, int(i)); !known && p.index.Has(int(i)) {
			found = append(found, int(i))
		}
		return true
	})
	return found
}
