package httpapi

import (
	"math"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/filter"
	"hatang/internal/formats"
	"hatang/internal/layer"
)

// worldSlack is by how much a bound may exceed the world before it is an error,
// degrees: clients send binary fractions of ±180 and ±90.
const worldSlack = 1e-9

// area is what a bbox selects: what meets one of the boxes, longitude and latitude, and
// where it has outlines one of these. Of a system whose axes are not those of longitude
// and latitude a box has an outline of its own, and the boxes are around it.
type area struct {
	boxes    []orb.Bound
	outlines []*filter.Geometry
}

func (a *area) add(other area) {
	a.boxes, a.outlines = append(a.boxes, other.boxes...), append(a.outlines, other.outlines...)
}

// parseBBox reads bbox in a reference system and returns the area, of one or two boxes.
// It returns none, without a fault, for a box outside where the system has places:
// nothing lies in it. Heights of a six-number box are left aside: the
// layers are flat. A box without area is a place or a line that was read from an
// answer, and holds what is shown there: whatever is rounded to it.
func parseBBox(s string, crs geo.CRS, faults *layer.Faults) (none area) {
	lower, upper, ok := cornersOf(s, crs, faults)
	if !ok {
		return none
	}
	if lower[0] == upper[0] || lower[1] == upper[1] {
		lower, upper = widened(lower, upper, crs)
	}
	switch {
	case lower[1] > upper[1]:
		faults.Add("bbox", "bbox sai thứ tự: cạnh dưới %v lớn hơn cạnh trên %v", "the bbox is out of order: its lower edge %v is above its upper edge %v", lower[1], upper[1])
	case !crs.Projected():
		return geographicBoxes(lower, upper, crs, faults)
	case lower[0] > upper[0]:
		faults.Add("bbox", "bbox sai thứ tự: cạnh trái %v lớn hơn cạnh phải %v", "the bbox is out of order: its left edge %v is right of its right edge %v", lower[0], upper[0])
	default:
		return projectedArea(orb.Bound{Min: lower, Max: upper}, crs)
	}
	return none
}

// widened is a box as it may have been before its corners were rounded as answers round
// them: larger by half of the last decimal, and a little for the arithmetic of going there
// and back. Degrees stay on the earth.
func widened(lower, upper orb.Point, crs geo.CRS) (orb.Point, orb.Point) {
	b := orb.Bound{Min: lower, Max: upper}.Pad(0.51 * formats.Step(crs))
	if !crs.Projected() {
		for axis, most := range [2]float64{180, 90} {
			// Where they were not, that is for others to say.
			b.Min[axis], b.Max[axis] = max(b.Min[axis], min(lower[axis], -most)), min(b.Max[axis], max(upper[axis], most))
		}
	}
	return b.Min, b.Max
}

// cornersOf reads four or six numbers, and returns the corners as x, y: easting
// or longitude first, whatever order the system has.
func cornersOf(s string, crs geo.CRS, faults *layer.Faults) (lower, upper orb.Point, ok bool) {
	parts := strings.Split(s, ",")
	if len(parts) != 4 && len(parts) != 6 {
		faults.Add("bbox", "bbox phải có 4 hoặc 6 số, cách nhau bằng dấu phẩy", "bbox must have 4 or 6 numbers, separated by commas")
		return lower, upper, false
	}
	numbers := make([]float64, len(parts))
	for i, part := range parts {
		x, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			faults.Add("bbox", "bbox: %q không phải là số hữu hạn", "bbox: %q is not a finite number", clip(part))
			return lower, upper, false
		}
		numbers[i] = x
	}
	half := len(numbers) / 2
	lower, upper = orb.Point{numbers[0], numbers[1]}, orb.Point{numbers[half], numbers[half+1]}
	if half == 3 && numbers[2] > numbers[5] {
		faults.Add("bbox", "bbox sai thứ tự: độ cao dưới lớn hơn độ cao trên", "the bbox is out of order: its lower height is above its upper height")
		return lower, upper, false
	}
	if crs.LatFirst() {
		lower[0], lower[1], upper[0], upper[1] = lower[1], lower[0], upper[1], upper[0]
	}
	return lower, upper, true
}

// geographicBoxes checks degrees and splits a box across the antimeridian.
func geographicBoxes(lower, upper orb.Point, crs geo.CRS, faults *layer.Faults) (none area) {
	for _, p := range []*orb.Point{&lower, &upper} {
		if math.Abs(p[0]) > 180+worldSlack {
			faults.Add("bbox", "bbox: kinh độ %v ngoài khoảng ±180", "bbox: the longitude %v is outside ±180", p[0])
			return none
		}
		if math.Abs(p[1]) > 90+worldSlack {
			faults.Add("bbox", "bbox: vĩ độ %v ngoài khoảng ±90", "bbox: the latitude %v is outside ±90", p[1])
			return none
		}
		p[0], p[1] = clamp(p[0], 180), clamp(p[1], 90)
	}
	boxes := []orb.Bound{{Min: lower, Max: upper}}
	if lower[0] > upper[0] {
		boxes = []orb.Bound{
			{Min: lower, Max: orb.Point{180, upper[1]}},
			{Min: orb.Point{-180, lower[1]}, Max: upper},
		}
	}
	if crs.Code() == 0 || crs.Code() == layer.SRID {
		return area{boxes: boxes}
	}
	var shifted area
	for _, b := range boxes {
		shifted.add(projectedArea(b, crs))
	}
	return shifted
}

func clamp(x, most float64) float64 { return max(-most, min(most, x)) }

// gridReach is where the grids of Vietnam are inverses of themselves, longitude and
// latitude: at most 30° from the meridian of each. Beyond, a projection folds the far side
// of the earth into a box. The area for which a grid is meant is much smaller, and no
// bound: features are shown in every system that a collection lists, and are found there.
var gridReach = orb.Bound{Min: orb.Point{81, -60}, Max: orb.Point{132, 80}}

// projectedArea is a box of a system that is not on WGS 84, or is projected. What is shown
// at its very edge is rounded, and belongs to it.
func projectedArea(box orb.Bound, crs geo.CRS) area {
	reach := gridReach
	if crs.Code() == webMercatorCode {
		reach = crs.AreaOfUse()
	}
	there, ok := boundOf(outline(reach), crs.Forward)
	if !ok || !there.Intersects(box) {
		return area{}
	}
	clipped := intersection(box, there)
	ring, bound, ok := ringOf(clipped.Pad(bend(clipped, crs)+0.51*formats.Step(crs)), crs)
	switch {
	case !ok:
		return area{}
	case crs.Code() == webMercatorCode: // upright there as here
		return area{boxes: []orb.Bound{bound}}
	}
	return area{[]orb.Bound{bound}, []*filter.Geometry{{Kind: "Polygon", Parts: [][][]filter.Position{{ring}}}}}
}

const webMercatorCode = 3857

// ringOf is the outline of a box on WGS 84, closed, and the bound of it; false where it
// leaves the earth.
func ringOf(b orb.Bound, crs geo.CRS) (ring []filter.Position, bound orb.Bound, ok bool) {
	for i, at := range outline(b) {
		p, err := placeShownAt(at, crs)
		if err != nil {
			return nil, bound, false
		}
		if i == 0 {
			bound = p.Bound()
		}
		bound = bound.Extend(p)
		ring = append(ring, filter.Position{p[0], p[1]})
	}
	return append(ring, ring[0]), bound, true
}

func intersection(a, b orb.Bound) orb.Bound {
	return orb.Bound{
		Min: orb.Point{max(a.Min[0], b.Min[0]), max(a.Min[1], b.Min[1])},
		Max: orb.Point{min(a.Max[0], b.Max[0]), min(a.Max[1], b.Max[1])},
	}
}

// bend is by how much the sides of a box lie beside the curves that they are on WGS 84,
// where they go straight from point to point: some millimetres for a box of 50 km, 7 cm for
// one of 180 km. 0 where it leaves the earth.
func bend(b orb.Bound, crs geo.CRS) (most float64) {
	points := outline(b)
	for i, at := range points {
		next := points[(i+1)%len(points)]
		from, err := placeShownAt(at, crs)
		to, errNext := placeShownAt(next, crs)
		if err != nil || errNext != nil {
			return 0
		}
		middle, err := crs.Forward(orb.Point{(from[0] + to[0]) / 2, (from[1] + to[1]) / 2})
		if err != nil {
			return 0
		}
		most = max(most, math.Hypot(middle[0]-(at[0]+next[0])/2, middle[1]-(at[1]+next[1])/2))
	}
	return most
}

// outline is the points of a box's sides, counter-clockwise, each side cut in 64.
func outline(b orb.Bound) []orb.Point {
	const cuts = 64
	corners := []orb.Point{b.Min, {b.Max[0], b.Min[1]}, b.Max, {b.Min[0], b.Max[1]}, b.Min}
	points := make([]orb.Point, 0, 4*cuts)
	for i, to := range corners[1:] {
		from := corners[i]
		for k := range cuts {
			share := float64(k) / cuts
			points = append(points, orb.Point{from[0] + share*(to[0]-from[0]), from[1] + share*(to[1]-from[1])})
		}
	}
	return points
}

// boundOf is the bound of points after a transformation. Points it cannot take are left
// out; false when it takes none.
func boundOf(points []orb.Point, transform func(orb.Point) (orb.Point, error)) (bound orb.Bound, found bool) {
	for _, at := range points {
		p, err := transform(at)
		switch {
		case err != nil:
		case !found:
			bound, found = p.Bound(), true
		default:
			bound = bound.Extend(p)
		}
	}
	return bound, found
}

// outlined is a filter, which may be nil, that also wants rows to meet one of the outlines.
func outlined(f layer.Filter, outlines []*filter.Geometry, l *layer.Layer) (layer.Filter, error) {
	if len(outlines) == 0 {
		return f, nil
	}
	meeting := make([]filter.Expr, len(outlines))
	for i, outline := range outlines {
		meeting[i] = &filter.Call{Op: "s_intersects", Args: []filter.Expr{&filter.Property{Name: layer.GeometryName}, outline}}
	}
	tree := meeting[0]
	if len(meeting) > 1 {
		tree = &filter.Call{Op: "or", Args: meeting}
	}
	if asked, ok := f.(*filter.Filter); ok {
		tree = &filter.Call{Op: "and", Args: []filter.Expr{tree, asked.Tree()}}
	}
	return filter.Check(tree, filterSchema(l))
}
