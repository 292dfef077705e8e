package intake

import (
	"fmt"

	"github.com/paulmach/orb"
	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/ewkb"

	"hatang/internal/layer"
)

// shaper brings geometries of a file to the form in which a layer stores them.
type shaper struct {
	layer     *layer.Layer
	placement *Placement
	territory *Territory // nil where rows may lie anywhere
}

// maxPositions is the most positions that one feature may have, as in other files.
const maxPositions = 100_000

// shape puts a geometry, in the file's own numbers, into a feature: on WGS 84, longitude
// first; single lines and areas as multiple ones; with heights where the layer has them. In
// a layer that is kept in the system of the file, numbers stay as they are.
func (s *shaper) shape(f *layer.Feature, g geom.T) *Fault {
	kind := kindOf(g)
	if g == nil || g.Empty() {
		return nil
	}
	if points, ok := g.(*geom.MultiPoint); ok && points.NumPoints() == 1 && s.layer.Geometry == layer.Point {
		g, kind = points.Point(0), "Point"
	}
	if !s.takes(kind) {
		return fault(RuleGeometry, kind, "lớp %s chứa %s, không phải %s", "the layer %s holds %s, not %s", s.layer.Name, s.layer.Geometry, kind)
	}
	if n := len(g.FlatCoords()) / g.Stride(); n > maxPositions {
		return fault(RuleGeometry, "", "hơn %d điểm", "more than %d positions", maxPositions)
	}
	if wrong := unsound(g); wrong != nil {
		return wrong
	}
	lonLat, own, wrong := s.transform(g)
	if wrong != nil {
		return wrong
	}
	if s.territory != nil {
		if wrong := outside(s.territory, lonLat, 2); wrong != nil {
			return wrong
		}
	}
	if s.layer.HasZ {
		return s.withHeights(f, g, lonLat)
	}
	f.Geometry = flatOrb(g, lonLat)
	if srid := s.layer.StorageSRID(); srid != layer.SRID && srid == s.placement.crs.SRID() && !s.placement.Unshifted {
		f.Geometry, f.SRID = flatOrb(g, own), srid
	}
	switch one := f.Geometry.(type) {
	case orb.LineString:
		if s.layer.Geometry == layer.MultiLineString {
			f.Geometry = orb.MultiLineString{one}
		}
	case orb.Polygon:
		if s.layer.Geometry == layer.MultiPolygon {
			f.Geometry = orb.MultiPolygon{one}
		}
	case orb.Point:
		if s.layer.Geometry == layer.MultiPoint {
			f.Geometry = orb.MultiPoint{one}
		}
	}
	if areas, ok := f.Geometry.(orb.MultiPolygon); ok && s.layer.Geometry == layer.MultiPolygon {
		orient(areas)
	}
	return nil
}

// orient has rings run with the area to the left, as files of ours have them, so that an area is
// the same in whichever format it comes back: Shapefiles have them the other way.
func orient(areas orb.MultiPolygon) {
	for _, rings := range areas {
		for i, ring := range rings {
			wrong := orb.CCW
			if i == 0 {
				wrong = orb.CW
			}
			if ring.Orientation() == wrong {
				ring.Reverse()
			}
		}
	}
}

// takes reports whether the layer holds geometries of a type, or makes its own of them.
func (s *shaper) takes(kind string) bool {
	of := string(s.layer.Geometry)
	return kind != "" && (s.layer.Geometry == layer.AnyGeometry || kind == of || "Multi"+kind == of)
}

// kindOf is a geometry's type; "" for those that are not taken.
func kindOf(g geom.T) string {
	switch g.(type) {
	case *geom.Point:
		return "Point"
	case *geom.MultiPoint:
		return "MultiPoint"
	case *geom.LineString:
		return "LineString"
	case *geom.MultiLineString:
		return "MultiLineString"
	case *geom.Polygon:
		return "Polygon"
	case *geom.MultiPolygon:
		return "MultiPolygon"
	}
	return ""
}

// transform returns the positions of a geometry, two numbers each: on WGS 84, and as they
// are in the file's system, east first.
func (s *shaper) transform(g geom.T) (lonLat, own []float64, wrong *Fault) {
	flat, stride := g.FlatCoords(), g.Stride()
	for i := 0; i < len(flat); i += stride {
		at := orb.Point{flat[i], flat[i+1]}
		p, err := s.placement.LonLat(at)
		if err != nil {
			text := fmt.Sprintf("%v %v", at[0], at[1])
			return nil, nil, fault(RulePosition, text, "%s không phải vị trí nào của %s", "%s is no place of %s", text, s.placement.crs)
		}
		at = s.placement.Axis.inOrder(at)
		lonLat, own = append(lonLat, p[0], p[1]), append(own, at[0], at[1])
	}
	return lonLat, own, nil
}

// parts are the ends of a geometry's lines and rings in its positions, by part.
func parts(g geom.T) [][]int {
	switch g := g.(type) {
	case *geom.MultiPolygon:
		return g.Endss()
	case *geom.Polygon, *geom.MultiLineString:
		return [][]int{g.Ends()}
	}
	return [][]int{{len(g.FlatCoords())}}
}

// unsound finds lines of one position, and rings that are too short or open.
func unsound(g geom.T) *Fault {
	kind, flat, stride, start := kindOf(g), g.FlatCoords(), g.Stride(), 0
	if kind == "Point" || kind == "MultiPoint" {
		return nil
	}
	for _, ends := range parts(g) {
		if len(ends) == 0 {
			return fault(RuleGeometry, "", "một phần của hình rỗng", "a part of the geometry is empty")
		}
		for _, end := range ends {
			n := (end - start) / stride
			switch area := kind == "Polygon" || kind == "MultiPolygon"; {
			case !area && n < 2:
				return fault(RuleGeometry, "", "đường có ít nhất hai điểm", "a line has at least two positions")
			case area && n < 4:
				return fault(RuleGeometry, "", "vòng có ít nhất bốn điểm", "a ring has at least four positions")
			case area && (flat[start] != flat[end-stride] || flat[start+1] != flat[end-stride+1]):
				return fault(RuleGeometry, "", "vòng phải kết thúc ở điểm đầu", "a ring ends where it starts")
			}
			start = end
		}
	}
	return nil
}

// flatOrb is a geometry with other positions, two numbers each.
func flatOrb(g geom.T, flat []float64) orb.Geometry {
	at, stride := 0, g.Stride()
	points := func(end int) []orb.Point {
		var list []orb.Point
		for ; at < end/stride; at++ {
			list = append(list, orb.Point{flat[2*at], flat[2*at+1]})
		}
		return list
	}
	polygon := func(ends []int) orb.Polygon {
		var p orb.Polygon
		for _, end := range ends {
			p = append(p, orb.Ring(points(end)))
		}
		return p
	}
	all := len(g.FlatCoords())
	switch g := g.(type) {
	case *geom.Point:
		return points(all)[0]
	case *geom.MultiPoint:
		return orb.MultiPoint(points(all))
	case *geom.LineString:
		return orb.LineString(points(all))
	case *geom.MultiLineString:
		var lines orb.MultiLineString
		for _, end := range g.Ends() {
			lines = append(lines, orb.LineString(points(end)))
		}
		return lines
	case *geom.Polygon:
		return polygon(g.Ends())
	}
	var polygons orb.MultiPolygon
	for _, ends := range g.Endss() {
		polygons = append(polygons, polygon(ends))
	}
	return polygons
}

// withHeights stores lines with heights; one that is missing is the ground, 0 m.
func (s *shaper) withHeights(f *layer.Feature, g geom.T, lonLat []float64) *Fault {
	stride, z := g.Stride(), g.Layout().ZIndex()
	flat := make([]float64, 0, len(lonLat)/2*3)
	for i := range len(lonLat) / 2 {
		height := 0.0
		if z >= 0 {
			height = g.FlatCoords()[i*stride+z]
		}
		flat = append(flat, lonLat[2*i], lonLat[2*i+1], height)
	}
	ends := parts(g)[0]
	scaled := make([]int, len(ends))
	for i, end := range ends {
		scaled[i] = end / stride * 3
	}
	lines := geom.NewMultiLineStringFlat(geom.XYZ, flat, scaled).SetSRID(layer.SRID)
	raw, err := ewkb.Marshal(lines, ewkb.NDR)
	if err != nil {
		return fault(RuleGeometry, "", "không lưu được hình: %v", "%v", err)
	}
	f.GeometryZ = raw
	return nil
}
