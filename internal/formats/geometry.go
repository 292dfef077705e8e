package formats

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"

	"github.com/paulmach/orb"
	geom "github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/ewkb"

	"hatang/geo"
	"hatang/internal/layer"
)

// MaxVertices is the most positions one feature may have.
const MaxVertices = 100_000

// Transform takes a position of a file to longitude and latitude on WGS 84.
type Transform func(x, y float64) (lon, lat float64, err error)

// System is the reference system of a file's positions. The zero value is WGS 84,
// longitude first.
type System struct {
	SRID    int
	ToWGS84 Transform
}

// coordinates is a tree of positions, as deep as the geometry type says.
type coordinates struct {
	position []float64
	parts    []coordinates
}

// depths are how deep the positions of each geometry type lie.
var depths = map[string]int{"Point": 0, "LineString": 1, "MultiPoint": 1, "Polygon": 2, "MultiLineString": 2, "MultiPolygon": 3}

// readGeometry reads a GeoJSON geometry into the layer's stored form. Single lines
// and areas become Multi*; a third ordinate is kept only where the layer has heights.
//
// Positions in the reference system that the layer is kept in stay as they are.
func readGeometry(r *Record, raw []byte, l *layer.Layer, from System) {
	var g struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	}
	if err := json.Unmarshal(raw, &g); err != nil {
		AddJSONFault(&r.Faults, "/geometry", err)
		return
	}
	if !takes(l, g.Type) {
		r.Faults.Add("/geometry/type", "lớp %s chứa %s, không phải %q", "the layer %s holds %s, not %q", l.Name, l.Geometry, g.Type)
		return
	}
	p := positionsFrom(r, l, from)
	tree, err := p.read(g.Coordinates, depths[g.Type])
	if err != nil {
		r.Faults.AddError("/geometry/coordinates", err)
		return
	}
	shape(r, l, g.Type, tree)
}

// takes reports whether a layer holds geometries of a type, or makes its own of them.
func takes(l *layer.Layer, kind string) bool {
	_, known := depths[kind]
	return known && (l.Geometry == layer.AnyGeometry || kind == string(l.Geometry) || "Multi"+kind == string(l.Geometry))
}

// shape checks a geometry of a type that the layer takes, and puts it into the feature in
// the type that it is kept in.
func shape(r *Record, l *layer.Layer, kind string, tree coordinates) {
	if err := shapeFault(tree, kind); err != nil {
		r.Faults.AddError("/geometry/coordinates", err)
		return
	}
	if l.Geometry != layer.AnyGeometry && kind != string(l.Geometry) {
		kind = string(l.Geometry)
		tree = coordinates{parts: []coordinates{tree}}
	}
	if !l.HasZ {
		r.Feature.Geometry = tree.geometry(kind)
		return
	}
	var err error
	if r.Feature.GeometryZ, err = linesZ(tree); err != nil {
		r.Faults.Add("/geometry", "không lưu được hình: %v", "%v", err)
	}
}

// positions reads and counts positions.
type positions struct {
	toWGS84 Transform
	keep    bool // positions as they are, once it is known that they have a place on earth
	within  *orb.Bound
	stored  geo.CRS // that positions must be within the reach of, where within is not nil
	count   int
}

// reachDegrees is how far beyond its area of use a reference system may be stored in: a
// grid is still good there to a metre, where the far side of the earth would fold into it.
const reachDegrees = 3

// positionsFrom settles in which reference system the feature's positions will be.
func positionsFrom(r *Record, l *layer.Layer, from System) *positions {
	p := &positions{toWGS84: from.ToWGS84, keep: from.ToWGS84 != nil && from.SRID == l.StorageSRID()}
	if p.keep {
		r.Feature.SRID = from.SRID
	}
	if crs, ok := geo.LookupCRS(l.StorageSRID()); ok && l.StorageSRID() != layer.SRID {
		reach := crs.AreaOfUse().Pad(reachDegrees)
		p.within, p.stored = &reach, crs
	}
	return p
}

func (p *positions) read(raw []byte, depth int) (coordinates, error) {
	if depth == 0 {
		return p.position(raw)
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(raw, &parts); err != nil {
		return coordinates{}, layer.Wrong("toạ độ không lồng nhau đúng theo kiểu hình", "the coordinates are not nested as the geometry type asks")
	}
	tree := coordinates{parts: make([]coordinates, 0, len(parts))}
	for _, part := range parts {
		c, err := p.read(part, depth-1)
		if err != nil {
			return coordinates{}, err
		}
		tree.parts = append(tree.parts, c)
	}
	return tree, nil
}

// counted counts a position, and refuses one too many.
func (p *positions) counted() error {
	if p.count++; p.count > MaxVertices {
		return errTooManyPositions
	}
	return nil
}

var errTooManyPositions = layer.Wrong("một đối tượng có hơn %d điểm", "more than %d positions in one feature", MaxVertices)

func (p *positions) position(raw []byte) (coordinates, error) {
	if err := p.counted(); err != nil {
		return coordinates{}, err
	}
	var xyz []float64
	if err := json.Unmarshal(raw, &xyz); err != nil || len(xyz) < 2 || bytes.Contains(raw, []byte("null")) {
		return coordinates{}, layer.Wrong("%.60s không phải vị trí gồm hai hoặc ba số", "%.60s is not a position of two or three numbers", raw)
	}
	if err := p.place(xyz); err != nil {
		return coordinates{}, err
	}
	return coordinates{position: xyz}, nil
}

// worldSlack is by how much a position may lie beyond the edge of the world and still be
// meant to lie on it, degrees: a tenth of a millimetre, what is lost in computing.
const worldSlack = 1e-9

// onWorld brings what is a trifle beyond the edge to it.
func onWorld(x, edge float64) float64 {
	if over := math.Abs(x) - edge; over > 0 && over <= worldSlack {
		return math.Copysign(edge, x)
	}
	return x
}

// place takes a position to WGS 84, unless it is kept as it is, and refuses one that is
// no place on earth.
func (p *positions) place(xyz []float64) error {
	lon, lat := xyz[0], xyz[1]
	if p.toWGS84 != nil {
		var err error
		if lon, lat, err = p.toWGS84(lon, lat); err != nil {
			return err
		}
	}
	lon, lat = onWorld(lon, 180), onWorld(lat, 90)
	if !(math.Abs(lon) <= 180 && math.Abs(lat) <= 90) { // so written for NaN, which a transform may give
		at := fmt.Sprint(xyz)
		return layer.Wrong("%s nằm ngoài kinh độ ±180, vĩ độ ±90: nếu là mét, hãy nêu hệ toạ độ; nếu vĩ độ đứng trước, hãy đổi trục",
			"%s is outside longitude ±180, latitude ±90: if it is in metres, name the reference system; if latitude comes first, swap the axes", at)
	}
	if p.within != nil && !p.within.Contains(orb.Point{lon, lat}) {
		return layer.Wrong("%.5f, %.5f nằm quá xa vùng sử dụng của %s, là hệ mà lớp được lưu", "%.5f, %.5f is too far from where %s is used, in which the layer is kept", lon, lat, p.stored)
	}
	if !p.keep {
		xyz[0], xyz[1] = lon, lat
	}
	return nil
}

// shapeFault finds lines of one point and rings that are too short or open.
func shapeFault(tree coordinates, kind string) error {
	switch kind {
	case "LineString":
		if len(tree.parts) < 2 {
			return layer.Wrong("đường có ít nhất hai điểm", "a line has at least two positions")
		}
	case "Polygon":
		if len(tree.parts) == 0 {
			return layer.Wrong("vùng có ít nhất một vòng", "a polygon has at least one ring")
		}
		for _, ring := range tree.parts {
			n := len(ring.parts)
			if n < 4 {
				return layer.Wrong("vòng có ít nhất bốn điểm", "a ring has at least four positions")
			}
			first, last := ring.parts[0].position, ring.parts[n-1].position
			if first[0] != last[0] || first[1] != last[1] {
				return layer.Wrong("vòng phải kết thúc ở điểm đầu", "a ring ends where it starts")
			}
		}
	case "MultiPoint", "MultiLineString", "MultiPolygon":
		if len(tree.parts) == 0 {
			return layer.Wrong("hình rỗng", "the geometry is empty")
		}
		for _, part := range tree.parts {
			if err := shapeFault(part, kind[len("Multi"):]); err != nil {
				return err
			}
		}
	}
	return nil
}

// geometry is a tree of positions as a flat geometry of the type.
func (c coordinates) geometry(kind string) orb.Geometry {
	switch kind {
	case "Point":
		return c.point()
	case "LineString":
		return orb.LineString(c.points())
	case "Polygon":
		return c.polygon()
	case "MultiPoint":
		return orb.MultiPoint(c.points())
	case "MultiLineString":
		lines := orb.MultiLineString{}
		for _, part := range c.parts {
			lines = append(lines, orb.LineString(part.points()))
		}
		return lines
	}
	polygons := orb.MultiPolygon{}
	for _, part := range c.parts {
		polygons = append(polygons, part.polygon())
	}
	return polygons
}

func (c coordinates) polygon() orb.Polygon {
	polygon := orb.Polygon{}
	for _, ring := range c.parts {
		polygon = append(polygon, orb.Ring(ring.points()))
	}
	return polygon
}

func (c coordinates) point() orb.Point { return orb.Point{c.position[0], c.position[1]} }

func (c coordinates) points() []orb.Point {
	points := make([]orb.Point, len(c.parts))
	for i, part := range c.parts {
		points[i] = part.point()
	}
	return points
}

// linesZ writes lines with heights as EWKB; a missing height is the ground, 0 m.
func linesZ(tree coordinates) ([]byte, error) {
	lines := geom.NewMultiLineString(geom.XYZ).SetSRID(layer.SRID)
	for _, part := range tree.parts {
		flat := make([]float64, 0, 3*len(part.parts))
		for _, p := range part.parts {
			height := 0.0
			if len(p.position) > 2 {
				height = p.position[2]
			}
			flat = append(flat, p.position[0], p.position[1], height)
		}
		if err := lines.Push(geom.NewLineStringFlat(geom.XYZ, flat)); err != nil {
			return nil, fmt.Errorf("collect the lines: %w", err)
		}
	}
	return ewkb.Marshal(lines, ewkb.NDR)
}
