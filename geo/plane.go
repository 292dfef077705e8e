package geo

import "github.com/paulmach/orb"

// OffsetM returns how far q lies east and north of the plane's point, in metres by
// the plane's own metres per degree: lines that are straight in longitude and latitude
// are straight in it. Lengths of d metres are true to some d/1000 km of them.
func (x Plane) OffsetM(q orb.Point) (eastM, northM float64) {
	return (q[0] - x.flat.origin[0]) * x.flat.lonM, (q[1] - x.flat.origin[1]) * x.flat.latM
}

// At returns the point so many metres east and north of the plane's point: the inverse
// of OffsetM.
func (x Plane) At(eastM, northM float64) orb.Point {
	return orb.Point{x.flat.origin[0] + eastM/x.flat.lonM, x.flat.origin[1] + northM/x.flat.latM}
}

// EachEdgeIn calls yield with every edge of area i that runs through the box, and
// perhaps others near it; some more than once. An area that Without left out has none.
func (x *Index) EachEdgeIn(i int, box orb.Bound, yield func(a, b orb.Point)) {
	if area := &x.areas[i]; x.Has(i) && area.bound.Intersects(box) {
		s := search{vicinity: vicinity{box: box}, each: yield}
		x.gather(&s, i)
	}
}
