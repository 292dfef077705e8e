package filter

import "math"

// mostBoxes is how many boxes a filter is surrounded by: more become the one around them.
const mostBoxes = 16

// Boxes returns boxes, longitude and latitude, of which the geometry of every row meets
// one for which the filter is true, and perhaps rows for which it is not; false where
// geometries anywhere may be selected. No box crosses the antimeridian. By them an index
// can find the rows that need to be looked at.
func (f *Filter) Boxes() (boxes []*Box, bounded bool) {
	boxes, bounded = around(f.tree)
	if len(boxes) > mostBoxes {
		boxes = []*Box{hull(boxes)}
	}
	return boxes, bounded
}

// around is Boxes of a part.
func around(e Expr) (boxes []*Box, bounded bool) {
	call, ok := e.(*Call)
	switch {
	case !ok:
	case call.Op == "and":
		return tightest(call.Args)
	case call.Op == "or":
		for _, arg := range call.Args {
			more, bounded := around(arg)
			if !bounded {
				return nil, false
			}
			boxes = append(boxes, more...)
		}
		return boxes, true
	case operators[call.Op] == spatial && call.Op != "s_disjoint":
		// All others are true only of geometries that meet.
		for i, arg := range call.Args {
			if _, ofRow := arg.(*Property); ofRow {
				boxes = extent(call.Args[1-i])
				return boxes, boxes != nil
			}
		}
	}
	return nil, false
}

// tightest is around of the part that leaves the least.
func tightest(parts []Expr) (boxes []*Box, bounded bool) {
	least := math.Inf(1)
	for _, part := range parts {
		theirs, ok := around(part)
		area := 0.0
		for _, b := range theirs {
			area += (b.Max[0] - b.Min[0]) * (b.Max[1] - b.Min[1])
		}
		if ok && area < least {
			boxes, bounded, least = theirs, true, area
		}
	}
	return boxes, bounded
}

// extent is the box of a literal, or the two of one across the antimeridian; nil for what
// is none.
func extent(e Expr) []*Box {
	switch e := e.(type) {
	case *Box:
		if e.Min[0] > e.Max[0] {
			return []*Box{{Min: e.Min, Max: Position{180, e.Max[1]}}, {Min: Position{-180, e.Min[1]}, Max: e.Max}}
		}
		return []*Box{e}
	case *Geometry:
		var all []*Box
		for _, m := range e.Members {
			all = append(all, extent(m)...)
		}
		for _, part := range e.Parts {
			for _, ring := range part {
				for _, p := range ring {
					all = append(all, &Box{Min: p, Max: p})
				}
			}
		}
		if len(all) > 0 {
			return []*Box{hull(all)}
		}
	}
	return nil
}

// hull is the box around boxes.
func hull(boxes []*Box) *Box {
	around := *boxes[0]
	for _, b := range boxes[1:] {
		for axis := range 2 {
			around.Min[axis], around.Max[axis] = min(around.Min[axis], b.Min[axis]), max(around.Max[axis], b.Max[axis])
		}
	}
	return &around
}
