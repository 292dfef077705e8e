package tiles

import (
	"fmt"
	"math"
)

// Geometry types of a tile's features.
const (
	drawPoints   = 1
	drawLines    = 2
	drawPolygons = 3
)

// tiny is the side of what is too small to have a shape, units: half a pixel of a tile
// that is drawn 512 pixels wide.
const tiny = 4

// pt is a place in a tile, units.
type pt struct{ x, y float64 }

// cell is a place of the tile's grid.
type cell struct{ x, y int32 }

// shaper turns the geometries of a layer into a tile's commands. Its buffers are used
// again for every shape.
type shaper struct {
	grid
	tolerance float64 // by how much lines may move, units

	out    []byte  // commands of the shape
	cursor cell    // where the last command ended
	size   float64 // of the shape, units of length or area: what is biggest stays longest
	kind   byte    // drawPoints …; 0: nothing of it is in the tile
	tiny   bool    // the shape is a stand-in, to be thinned
	at     cell    // of a point or a stand-in

	raw, clipped, spare []pt
	keep                []bool
	stack               [][2]int
	cells               []cell
	stand               standIn
}

// standIn is what is drawn where no part of a shape is big enough: the place of the biggest.
type standIn struct {
	ok   bool
	at   pt
	size float64
}

// toleranceAt is coarser where nobody looks at single shapes.
func toleranceAt(zoom uint32) float64 {
	switch {
	case zoom < 8:
		return 4
	case zoom < 12:
		return 2
	default:
		return 1
	}
}

// begin makes the shaper one for a tile.
func (s *shaper) begin(t Tile) { s.grid, s.tolerance = t.grid(), toleranceAt(t.Z) }

// within reports whether a place is in the tile or its buffer.
func within(p pt) bool {
	return p.x >= -Buffer && p.y >= -Buffer && p.x <= Extent+Buffer && p.y <= Extent+Buffer
}

// rounded is the nearest place of the grid, of two the one to the right and below: a place is
// rounded alike in all tiles.
func rounded(p pt) cell { return cell{int32(math.Floor(p.x + 0.5)), int32(math.Floor(p.y + 0.5))} }

// shape reads a geometry; kind is 0 where nothing of it is in the tile.
func (s *shaper) shape(ewkb []byte) error {
	s.out, s.cursor, s.size, s.kind, s.tiny, s.stand = s.out[:0], cell{}, 0, 0, false, standIn{}
	if lon, lat, ok := plainPoint(ewkb); ok {
		return s.point(lon, lat)
	}
	r := reader{b: ewkb}
	kind, err := r.header()
	if err != nil {
		return err
	}
	switch kind {
	case ewkbPoint:
		lon, lat, err := r.position()
		if err != nil {
			return err
		}
		return s.point(lon, lat)
	case ewkbLine, ewkbPolygon:
		err = s.part(&r, kind)
	case ewkbMultiPoint, ewkbMultiLine, ewkbMultiPolygon:
		err = s.parts(&r, kind)
	default:
		return fmt.Errorf("geometries of type %d are not drawn", kind)
	}
	if err == nil && len(s.out) == 0 && s.stand.ok {
		s.drawStandIn(kind == ewkbPolygon || kind == ewkbMultiPolygon)
	}
	return err
}

// point is the way of most rows: nothing is kept of it but its place.
func (s *shaper) point(lon, lat float64) error {
	if math.IsNaN(lon) && math.IsNaN(lat) { // POINT EMPTY
		return nil
	}
	if !(math.Abs(lon) <= 540 && math.Abs(lat) <= 90) {
		return fmt.Errorf("%v, %v is no place on earth", lon, lat)
	}
	x, y := s.grid.at(lon, lat)
	if p := (pt{x, y}); within(p) {
		s.kind, s.at = drawPoints, rounded(p)
		s.move(1)
		s.step(s.at)
	}
	return nil
}

// parts reads the parts of a Multi*.
func (s *shaper) parts(r *reader, kind uint32) error {
	n, err := r.count(5)
	if err != nil {
		return err
	}
	var points []cell
	for range n {
		of, err := r.header()
		if err != nil {
			return err
		}
		if of != kind-3 {
			return fmt.Errorf("a part of type %d in a geometry of type %d", of, kind)
		}
		if of != ewkbPoint {
			if err := s.part(r, of); err != nil {
				return err
			}
			continue
		}
		lon, lat, err := r.place()
		if err != nil {
			return err
		}
		x, y := s.grid.at(lon, lat)
		if p := (pt{x, y}); within(p) {
			points = append(points, rounded(p))
		}
	}
	if len(points) > 0 {
		s.kind, s.at, s.size = drawPoints, points[0], float64(len(points))
		s.move(len(points))
		for _, p := range points {
			s.step(p)
		}
	}
	return nil
}

// part reads a line or a polygon, and draws what of it is in the tile.
func (s *shaper) part(r *reader, kind uint32) error {
	if kind == ewkbLine {
		err := s.positions(r, false)
		if err == nil && len(s.raw) > 1 {
			s.line()
		}
		s.settle(drawLines)
		return err
	}
	n, err := r.count(4)
	drawn := false
	for i := 0; i < n && err == nil; i++ {
		err = s.positions(r, true)
		if err == nil && len(s.raw) > 0 && (i == 0 || drawn) {
			drawn = s.ring(i == 0) || drawn
		}
	}
	s.settle(drawPolygons)
	return err
}

func (s *shaper) settle(kind byte) {
	if len(s.out) > 0 {
		s.kind = kind
	}
}

// positions reads a line into raw. Of places that lie nearer to the one before than half
// the tolerance only the last of the line is kept. That, like all simplification, is the
// same for every tile of the zoom.
func (s *shaper) positions(r *reader, ring bool) error {
	s.raw = s.raw[:0]
	n, err := r.count(r.step)
	if err != nil {
		return err
	}
	var fromLon, fromLat, nearLon, nearLat float64
	for i := range n {
		lon, lat, err := r.place()
		if err != nil {
			return err
		}
		if i == 0 {
			nearLon = s.tolerance / 2 / s.perDegree
			nearLat = nearLon * math.Cos(min(math.Abs(lat), maxLatitude)*(math.Pi/180))
		} else if i < n-1 && math.Abs(lon-fromLon) < nearLon && math.Abs(lat-fromLat) < nearLat {
			continue
		}
		fromLon, fromLat = lon, lat
		x, y := s.grid.at(lon, lat)
		s.raw = append(s.raw, pt{x, y})
	}
	if last := len(s.raw) - 1; ring && last > 0 && s.raw[0] == s.raw[last] {
		s.raw = s.raw[:last]
	}
	return nil
}

// bounds is the box of places.
func bounds(ps []pt) (low, high pt) {
	low, high = ps[0], ps[0]
	for _, p := range ps[1:] {
		low.x, low.y = min(low.x, p.x), min(low.y, p.y)
		high.x, high.y = max(high.x, p.x), max(high.y, p.y)
	}
	return low, high
}

// outside reports whether a box does not meet the tile and its buffer.
func outside(low, high pt) bool {
	return high.x < -Buffer || high.y < -Buffer || low.x > Extent+Buffer || low.y > Extent+Buffer
}

// smallShape notes a shape without a visible extent as what may stand for the whole, and
// reports whether it is such.
func (s *shaper) smallShape(low, high pt) bool {
	if high.x-low.x >= tiny || high.y-low.y >= tiny {
		return false
	}
	s.standFor(pt{(low.x + high.x) / 2, (low.y + high.y) / 2}, (high.x-low.x)+(high.y-low.y))
	return true
}

func (s *shaper) standFor(at pt, size float64) {
	if within(at) && (!s.stand.ok || size > s.stand.size) {
		s.stand = standIn{true, at, size}
	}
}

// drawStandIn draws a square of the smallest size, or a dash.
func (s *shaper) drawStandIn(area bool) {
	c := rounded(s.stand.at)
	s.tiny, s.at, s.size = true, c, 0
	const half = tiny / 2
	if !area {
		s.kind = drawLines
		s.path([]cell{{c.x - half, c.y}, {c.x + half, c.y}}, false)
		return
	}
	s.kind = drawPolygons
	s.path([]cell{{c.x - half, c.y - half}, {c.x + half, c.y - half}, {c.x + half, c.y + half}, {c.x - half, c.y + half}}, true)
}

// line draws the parts of raw that are in the tile.
func (s *shaper) line() {
	low, high := bounds(s.raw)
	if outside(low, high) || s.smallShape(low, high) {
		return
	}
	s.simplify(false)
	s.cells = s.cells[:0]
	for i := range len(s.raw) - 1 {
		a, b, ok := clipSegment(s.raw[i], s.raw[i+1])
		if !ok {
			s.flushLine()
			continue
		}
		if len(s.cells) == 0 || a != s.raw[i] {
			s.flushLine()
			s.cells = append(s.cells, rounded(a))
		}
		if c := rounded(b); c != s.cells[len(s.cells)-1] {
			s.cells = append(s.cells, c)
		}
		if b != s.raw[i+1] {
			s.flushLine()
		}
	}
	s.flushLine()
}

// flushLine draws a part of a line; one that is a single place stands for the whole.
func (s *shaper) flushLine() {
	if len(s.cells) > 1 {
		for i := range len(s.cells) - 1 {
			s.size += math.Hypot(float64(s.cells[i+1].x-s.cells[i].x), float64(s.cells[i+1].y-s.cells[i].y))
		}
		s.path(s.cells, false)
	} else if len(s.cells) == 1 {
		s.standFor(pt{float64(s.cells[0].x), float64(s.cells[0].y)}, 0)
	}
	s.cells = s.cells[:0]
}

// ring draws what of raw is in the tile, and reports whether that is anything. The first
// ring of a polygon is its outside, and runs the other way than its holes.
func (s *shaper) ring(outer bool) bool {
	low, high := bounds(s.raw)
	if outside(low, high) {
		return false
	}
	if outer && s.smallShape(low, high) || !outer && math.Abs(area(s.raw)) < tiny*tiny {
		return false
	}
	middle, longest := pt{(low.x + high.x) / 2, (low.y + high.y) / 2}, max(high.x-low.x, high.y-low.y)
	s.simplify(true)
	clipped := s.clipRing()
	s.snap(clipped)
	twice := twiceArea(s.cells)
	if len(s.cells) < 3 || twice == 0 {
		if outer && !besideOnly(clipped) { // so narrow that nothing is left of it
			if !within(middle) {
				middle = clipped[0]
			}
			s.standFor(middle, longest)
		}
		return false
	}
	if (twice > 0) != outer {
		for i, j := 1, len(s.cells)-1; i < j; i, j = i+1, j-1 {
			s.cells[i], s.cells[j] = s.cells[j], s.cells[i]
		}
	}
	if outer {
		s.size += math.Abs(float64(twice)) / 2
	}
	s.path(s.cells, true)
	return true
}

// besideOnly reports whether a ring that has been cut runs along the edges of the buffer
// alone: then it lies around the tile and nothing of it in it.
func besideOnly(ring []pt) bool {
	for i, p := range ring {
		next := ring[(i+1)%len(ring)]
		if !onEdge(p.x, next.x) && !onEdge(p.y, next.y) {
			return false
		}
	}
	return true
}

// onEdge reports whether two places have the same edge of the buffer in common, as well
// as cutting knows.
func onEdge(a, b float64) bool {
	const hair = 1e-6
	return math.Abs(a-lowEdge) < hair && math.Abs(b-lowEdge) < hair || math.Abs(a-highEdge) < hair && math.Abs(b-highEdge) < hair
}

// snap puts a ring on the grid, without places that add nothing to it: such as are
// repeated, or lie on the way from the one before to the next, or on the way back.
func (s *shaper) snap(ring []pt) {
	s.cells = s.cells[:0]
	for _, p := range ring {
		s.cells = addCorner(s.cells, rounded(p))
	}
	for len(s.cells) > 2 { // where the ring closes
		n := len(s.cells)
		switch {
		case s.cells[n-1] == s.cells[0], straight(s.cells[n-2], s.cells[n-1], s.cells[0]):
			s.cells = s.cells[:n-1]
		case straight(s.cells[n-1], s.cells[0], s.cells[1]):
			s.cells = s.cells[:copy(s.cells, s.cells[1:])]
		default:
			return
		}
	}
}
