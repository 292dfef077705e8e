package coverage

import (
	"cmp"
	"math"
	"slices"

	"github.com/tidwall/rtree"
)

// circle is a disc of the union with the parts of its boundary other discs cover.
type circle struct {
	curve
	boundary
}

// boundary is what happens along the boundary of a disc.
type boundary struct {
	events  []event
	initial int // discs that cover the boundary at the angle -π
}

// event is a change, at an angle of a circle's boundary, going anticlockwise: of
// how many other discs cover it, or of whether it runs within the unit.
type event struct {
	angle        float64 // in [-π, π]
	discs, units int
}

// cover notes that another disc covers the boundary from one angle anticlockwise
// to the other.
func (c *boundary) cover(from, to float64) {
	c.events = append(c.events, event{angle: from, discs: 1}, event{angle: to, discs: -1})
	if from > to {
		c.initial++
	}
}

// union drops the discs that lie within others and finds where the rest cross.
func union(curves []curve) []*circle {
	var kept []*circle
	var index rtree.RTreeG[*circle]
	for _, c := range curves {
		next := &circle{curve: c}
		box := c.bound()
		var near []*circle
		within := false
		index.Search(box.Min, box.Max, func(_, _ [2]float64, other *circle) bool {
			near = append(near, other)
			within = contains(&other.curve, &next.curve)
			return !within
		})
		if within {
			continue
		}
		for _, other := range near {
			cross(other, next)
		}
		kept = append(kept, next)
		index.Insert(box.Min, box.Max, next)
	}
	return kept
}

// uncoveredArcs calls yield with the parts of the boundary, anticlockwise, that no
// other disc covers and that run within the unit. inUnit tells for a point
// of the boundary, by its angle, whether it lies in the unit.
func (c *boundary) uncoveredArcs(inUnit func(float64) bool, yield func(from, to float64)) {
	if len(c.events) == 0 {
		if inUnit(0) {
			yield(-math.Pi, math.Pi)
		}
		return
	}
	slices.SortFunc(c.events, func(a, b event) int {
		return cmp.Or(cmp.Compare(a.angle, b.angle),
			cmp.Compare(b.discs, a.discs), cmp.Compare(b.units, a.units))
	})
	discs, units := c.initial, c.initialUnits(inUnit)
	last := c.events[len(c.events)-1].angle - 2*math.Pi
	for _, e := range c.events {
		if discs == 0 && units > 0 && e.angle > last {
			yield(last, e.angle)
		}
		discs, units, last = discs+e.discs, units+e.units, e.angle
	}
}

// initialUnits counts the units the boundary lies in before the first event: the
// unit is asked for the middle of the longest stretch without an event.
func (c *boundary) initialUnits(inUnit func(float64) bool) int {
	widest, middle, shift, running := -1.0, 0.0, 0, 0
	last := c.events[len(c.events)-1].angle - 2*math.Pi
	for _, e := range c.events {
		if gap := e.angle - last; gap > widest {
			widest, middle, shift = gap, last+gap/2, running
		}
		running, last = running+e.units, e.angle
	}
	if inUnit(middle) {
		return 1 - shift
	}
	return -shift
}
