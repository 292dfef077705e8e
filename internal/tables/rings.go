package tables

import (
	"slices"

	"github.com/tidwall/rtree"
	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/xy"
	"github.com/twpayne/go-geom/xy/location"

	"hatang/internal/layer"
)

// ring is a ring of an area, as formats have them that do not say which is whose hole.
type ring struct {
	flat []float64
	box  [4]float64 // least x, y, largest x, y
	area float64    // of the box
	cw   bool
}

// polygons puts rings together into areas: those that run clockwise are outer ones, as
// shapefiles have it, and of the others each is a hole in the smallest outer one around it,
// or one of its own where there is none. Where all run the other way what lies in what decides.
// Cost: the positions of the rings around each hole, up to maxTests.
func polygons(layout geom.Layout, flat []float64, ends []int) (*geom.MultiPolygon, error) {
	rings := ringsOf(layout, flat, ends)
	if slices.ContainsFunc(rings, func(r *ring) bool { return r.cw }) {
		return assemble(layout, rings)
	}
	return byContainment(layout, flat, ends)
}

// byContainment puts rings together into areas by what lies in what.
func byContainment(layout geom.Layout, flat []float64, ends []int) (*geom.MultiPolygon, error) {
	rings := ringsOf(layout, flat, ends)
	if err := parity(layout, rings); err != nil {
		return nil, err
	}
	return assemble(layout, rings)
}

func ringsOf(layout geom.Layout, flat []float64, ends []int) []*ring {
	rings := make([]*ring, 0, len(ends))
	start := 0
	for _, end := range ends {
		rings = append(rings, newRing(layout, flat[start:end]))
		start = end
	}
	return rings
}

func newRing(layout geom.Layout, flat []float64) *ring {
	stride := layout.Stride()
	r := &ring{flat: flat, box: [4]float64{flat[0], flat[1], flat[0], flat[1]}}
	var twice float64
	for at := 0; at < len(flat); at += stride {
		x, y := flat[at], flat[at+1]
		r.box = [4]float64{min(r.box[0], x), min(r.box[1], y), max(r.box[2], x), max(r.box[3], y)}
		if at > 0 { // from the first position on, so that large numbers do not swallow small areas
			x0, y0 := flat[at-stride]-flat[0], flat[at-stride+1]-flat[1]
			twice += x0*(y-flat[1]) - (x-flat[0])*y0
		}
	}
	r.cw = twice <= 0
	r.area = (r.box[2] - r.box[0]) * (r.box[3] - r.box[1])
	return r
}

// within reports whether a ring lies in another whose box is around it, by its first position
// that is not on that; tests counts down.
func (r *ring) within(layout geom.Layout, other *ring, tests *int) bool {
	for at := 0; at < len(r.flat) && *tests > 0; at += layout.Stride() {
		*tests -= len(other.flat) / layout.Stride()
		switch xy.LocatePointInRing(layout, r.flat[at:at+2], other.flat) {
		case location.Interior:
			return true
		case location.Exterior:
			return false
		}
	}
	return true
}

// maxTests bounds how many positions are looked at to find which ring is in which.
const maxTests = 20_000_000

// ringIndex finds which rings lie around another.
type ringIndex struct {
	layout geom.Layout
	tree   rtree.RTreeG[*ring]
	tests  int // that may still be made
}

func indexOf(layout geom.Layout, rings []*ring) *ringIndex {
	x := &ringIndex{layout: layout, tests: maxTests}
	for _, r := range rings {
		x.tree.Insert([2]float64{r.box[0], r.box[1]}, [2]float64{r.box[2], r.box[3]}, r)
	}
	return x
}

// around hands on the rings that a ring lies in.
func (x *ringIndex) around(r *ring, each func(*ring)) error {
	x.tree.Search([2]float64{r.box[0], r.box[1]}, [2]float64{r.box[2], r.box[3]}, func(low, high [2]float64, other *ring) bool {
		x.tests--
		if r.box[0] >= low[0] && r.box[1] >= low[1] && r.box[2] <= high[0] && r.box[3] <= high[1] && r.area < other.area && r.within(x.layout, other, &x.tests) {
			each(other)
		}
		return x.tests > 0
	})
	if x.tests <= 0 {
		return layer.Wrong("hình có quá nhiều vòng", "the geometry has too many rings")
	}
	return nil
}

// parity makes holes of the rings that lie in an odd number of others.
func parity(layout geom.Layout, rings []*ring) error {
	if len(rings) == 1 {
		rings[0].cw = true
		return nil
	}
	index := indexOf(layout, rings)
	for _, r := range rings {
		depth := 0
		if err := index.around(r, func(*ring) { depth++ }); err != nil {
			return err
		}
		r.cw = depth%2 == 0
	}
	return nil
}

// assemble gives each hole to the smallest outer ring around it.
func assemble(layout geom.Layout, rings []*ring) (*geom.MultiPolygon, error) {
	holes := map[*ring][]*ring{}
	var index *ringIndex
	for _, r := range rings {
		if r.cw {
			continue
		}
		if index == nil {
			index = indexOf(layout, rings)
		}
		var smallest *ring
		err := index.around(r, func(o *ring) {
			if o.cw && (smallest == nil || o.area < smallest.area) {
				smallest = o
			}
		})
		if err != nil {
			return nil, err
		}
		if smallest == nil {
			r.cw = true
			continue
		}
		holes[smallest] = append(holes[smallest], r)
	}
	areas := geom.NewMultiPolygon(layout)
	for _, r := range rings {
		if !r.cw {
			continue
		}
		var flat []float64
		var ends []int
		for _, part := range append([]*ring{r}, holes[r]...) {
			flat = append(flat, part.flat...)
			ends = append(ends, len(flat))
		}
		if err := areas.Push(geom.NewPolygonFlat(layout, flat, ends)); err != nil {
			return nil, err
		}
	}
	return areas, nil
}
