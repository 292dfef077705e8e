package httpapi

import (
	"math"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
)

// worldSlack is by how much a bound may exceed the world before it is an error,
// degrees: clients send binary fractions of ±180 and ±90.
const worldSlack = 1e-9

// parseBBox reads bbox in a reference system and returns one or two lon/lat boxes.
// It returns none, without a fault, for a box outside the area where the system
// is used: nothing lies in it. Heights of a six-number box are left aside: the
// layers are flat. A box without area is a place or a line that was read from an
// answer, and holds what is shown there: whatever is rounded to it.
func parseBBox(s string, crs geo.CRS, faults *layer.Faults) []orb.Bound {
	lower, upper, ok := cornersOf(s, crs, faults)
	if !ok {
		return nil
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
		return projectedBoxes(orb.Bound{Min: lower, Max: upper}, crs)
	}
	return nil
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
func geographicBoxes(lower, upper orb.Point, crs geo.CRS, faults *layer.Faults) []orb.Bound {
	for _, p := range []*orb.Point{&lower, &upper} {
		if math.Abs(p[0]) > 180+worldSlack {
			faults.Add("bbox", "bbox: kinh độ %v ngoài khoảng ±180", "bbox: the longitude %v is outside ±180", p[0])
			return nil
		}
		if math.Abs(p[1]) > 90+worldSlack {
			faults.Add("bbox", "bbox: vĩ độ %v ngoài khoảng ±90", "bbox: the latitude %v is outside ±90", p[1])
			return nil
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
		return boxes
	}
	var shifted []orb.Bound
	for _, b := range boxes {
		shifted = append(shifted, projectedBoxes(b, crs)...)
	}
	return shifted
}

func clamp(x, most float64) float64 { return max(-most, min(most, x)) }

// projectedBoxes clips a box to the area where the system is used and returns the
// lon/lat bounds of the rest: outside that area a projection folds the far side
// of the earth into the box. The bounds contain the box, whose sides are curves
// there; features in their corners may lie outside it.
func projectedBoxes(box orb.Bound, crs geo.CRS) []orb.Bound {
	area := crs.AreaOfUse()
	there, ok := transformedBound(area, crs.Forward)
	if !ok || !there.Intersects(box) {
		return nil
	}
	clipped := intersection(box, there)
	back, ok := transformedBound(clipped, func(p orb.Point) (orb.Point, error) { return placeShownAt(p, crs) })
	if !ok || !back.Intersects(area) {
		return nil
	}
	return []orb.Bound{intersection(back, area)}
}

func intersection(a, b orb.Bound) orb.Bound {
	return orb.Bound{
		Min: orb.Point{max(a.Min[0], b.Min[0]), max(a.Min[1], b.Min[1])},
		Max: orb.Point{min(a.Max[0], b.Max[0]), min(a.Max[1], b.Max[1])},
	}
}

// transformedBound is the bound of a box's outline, each side cut in 32, after a
// transformation. Points it cannot take are left out; false when it takes none.
func transformedBound(b orb.Bound, transform func(orb.Point) (orb.Point, error)) (orb.Bound, bool) {
	const cuts = 32
	var bound orb.Bound
	found := false
	add := func(x, y float64) {
		p, err := transform(orb.Point{x, y})
		switch {
		case err != nil:
		case !found:
			bound, found = p.Bound(), true
		default:
			bound = bound.Extend(p)
		}
	}
	for i := range cuts + 1 {
		t := float64(i) / cuts
		x := b.Min[0] + t*(b.Max[0]-b.Min[0])
		y := b.Min[1] + t*(b.Max[1]-b.Min[1])
		add(x, b.Min[1])
		add(x, b.Max[1])
		add(b.Min[0], y)
		add(b.Max[0], y)
	}
	return bound, found
}
