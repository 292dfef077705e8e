package coverage

import (
	"fmt"
	"math"

	"github.com/paulmach/orb"
	"github.com/peterstace/simplefeatures/geom"
)

// cutAtAntimeridian brings areas whose longitudes may run past ±180° into that range:
// RFC 7946, section 3.1.9. Areas wholly within it are left as they are.
func cutAtAntimeridian(areas orb.MultiPolygon) (orb.MultiPolygon, error) {
	var out orb.MultiPolygon
	for _, p := range areas {
		if withinRange(p) {
			out = append(out, p)
			continue
		}
		area, err := onMap(p[0])
		for _, hole := range p[1:] {
			var h geom.Geometry
			if err == nil {
				h, err = onMap(hole)
			}
			if err == nil {
				area, err = geom.Difference(area, h)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("cutting at the antimeridian: %w", err)
		}
		out = append(out, orbAreas(area)...)
	}
	return out, nil
}

// withinRange reports whether no ring leaves ±180° or jumps across it, as one does
// that goes round a pole.
func withinRange(p orb.Polygon) bool {
	for _, r := range p {
		for i, q := range r {
			if math.Abs(q[0]) > 180 || i > 0 && math.Abs(q[0]-r[i-1][0]) > 180 {
				return false
			}
		}
	}
	return true
}

// onMap is the area within a ring, on the map from -180° to 180°.
func onMap(ring orb.Ring) (geom.Geometry, error) {
	flat := unrolled(ring)
	box := flat.Bound()
	var parts []geom.Geometry
	whole := geom.NewPolygon([]geom.LineString{lineString(flat)}).AsGeometry()
	for turn := math.Floor((box.Min[0] + 180) / 360); turn*360-180 < box.Max[0]; turn++ {
		west, east := turn*360-180, turn*360+180
		strip := orb.Ring{{west, -91}, {east, -91}, {east, 91}, {west, 91}, {west, -91}}
		part, err := geom.Intersection(whole, geom.NewPolygon([]geom.LineString{lineString(strip)}).AsGeometry())
		if err != nil {
			return geom.Geometry{}, err
		}
		parts = append(parts, part.TransformXY(func(q geom.XY) geom.XY { return geom.XY{X: q.X - turn*360, Y: q.Y} }))
	}
	return geom.UnionMany(parts)
}

// unrolled lets a ring's longitudes run on instead of jump. A ring round a pole ends
// a full turn from where it began, and is closed over the pole.
func unrolled(ring orb.Ring) orb.Ring {
	out := make(orb.Ring, 0, len(ring)+3)
	sum := 0.0
	for i, q := range ring {
		if i > 0 {
			last := out[len(out)-1][0]
			q[0] = last + math.Remainder(q[0]-last, 360)
		}
		out = append(out, q)
		sum += q[1]
	}
	first, last := out[0], out[len(out)-1]
	if math.Abs(last[0]-first[0]) > 180 {
		pole := math.Copysign(90, sum)
		out = append(out, orb.Point{last[0], pole}, orb.Point{first[0], pole})
	} else {
		out = out[:len(out)-1]
	}
	return append(out, first)
}

// orbAreas are the areas of a geometry, outer rings anticlockwise.
func orbAreas(g geom.Geometry) orb.MultiPolygon {
	var out orb.MultiPolygon
	for _, part := range g.Dump() {
		p, ok := part.AsPolygon()
		if !ok || p.IsEmpty() {
			continue
		}
		p = p.ForceCCW()
		polygon := orb.Polygon{orbRing(p.ExteriorRing())}
		for i := range p.NumInteriorRings() {
			polygon = append(polygon, orbRing(p.InteriorRingN(i)))
		}
		out = append(out, polygon)
	}
	return out
}

func orbRing(r geom.LineString) orb.Ring {
	points := r.Coordinates()
	out := make(orb.Ring, points.Length())
	for i := range out {
		xy := points.GetXY(i)
		out[i] = orb.Point{xy.X, xy.Y}
	}
	return out
}
