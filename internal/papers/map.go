package papers

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/clip"
	"github.com/paulmach/orb/simplify"

	"hatang/geo"
)

// Role is what a shape is on a map, from below to above.
type Role uint8

// The roles.
const (
	Unit     Role = iota // an administrative unit: its border and its name
	Border               // a larger one: a heavier border, and no name
	Evidence             // what a finding rests on
	Subject              // what the paper is about
)

// Feature is a shape on a map.
type Feature struct {
	Role     Role
	Geometry orb.Geometry // longitude and latitude
	Label    string       // beside it; "" for none
	Legend   string       // what such shapes are
	Colour   Colour
}

// Map is a map with a frame, a scale, an arrow to the north of its grid and a legend.
type Map struct {
	Frame    Frame
	Features []Feature
	Title    string // what it shows, for those who do not see it
	North    string // the letter at the arrow
	Captions []string
}

// Sizes of maps, millimetres.
const (
	mapWidth, mapHeight = float64(bodyWidth), 105.0
	legendLine          = 5.0
)

// Frame is the part of the world that a map shows: some millimetres of paper on a grid.
type Frame struct {
	grid   geo.CRS
	plane  geo.Plane // where the grid does not reach
	centre orb.Point // on the grid
	metres float64   // per millimetre
}

// steps are the scales that maps have, metres per millimetre, times powers of ten.
var steps = []float64{1, 1.5, 2, 2.5, 4, 5, 7.5, 10}

// leastRadiusM is how much a map shows around a point at least, metres.
const leastRadiusM = 600

// NewFrame is the frame around a box of longitudes and latitudes, in the scale that shows all
// of it, on a grid that has metres; on a plane of its own where the grid has none.
func NewFrame(box orb.Bound, grid geo.CRS) Frame {
	f := Frame{grid: grid, plane: geo.NewPlane(box.Center()), metres: 1}
	if !grid.Projected() || !grid.AreaOfUse().Contains(box.Center()) {
		f.grid = geo.CRS{}
	}
	f.centre = f.onGrid(box.Center())
	east, north := 0.0, 0.0
	for _, corner := range []orb.Point{box.Min, box.Max, {box.Min[0], box.Max[1]}, {box.Max[0], box.Min[1]}} {
		p := f.onGrid(corner)
		east, north = max(east, math.Abs(p[0]-f.centre[0])), max(north, math.Abs(p[1]-f.centre[1]))
	}
	const used = 0.82 // of the frame
	least := max(leastRadiusM/(mapHeight/2), east/(mapWidth/2*used), north/(mapHeight/2*used))
	f.metres = niceUp(least, steps)
	return f
}

// niceUp is the smallest of some steps, times a power of ten, that is no less.
func niceUp(least float64, of []float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, step := range of {
		if step*power >= least*(1-1e-9) {
			return step * power
		}
	}
	return 10 * power
}

// onGrid is a place on the grid, metres. What lies where the grid has no places is far off.
func (f *Frame) onGrid(lonLat orb.Point) orb.Point {
	if f.grid.Projected() {
		p, err := f.grid.Forward(lonLat)
		if err != nil {
			return orb.Point{math.Inf(1), math.Inf(1)}
		}
		return p
	}
	east, north := f.plane.OffsetM(lonLat)
	return orb.Point{east, north}
}

// onPaper is a place in millimetres from the upper left corner of the frame.
func (f *Frame) onPaper(lonLat orb.Point) orb.Point {
	p := f.onGrid(lonLat)
	return orb.Point{mapWidth/2 + (p[0]-f.centre[0])/f.metres, mapHeight/2 - (p[1]-f.centre[1])/f.metres}
}

// Box is what the frame shows in longitudes and latitudes, and somewhat more.
func (f *Frame) Box() orb.Bound {
	const beside = 1.15
	east, north := f.metres*mapWidth/2*beside, f.metres*mapHeight/2*beside
	return orb.Bound{Min: f.plane.At(-east, -north), Max: f.plane.At(east, north)}
}

// Scale is by how much the map is smaller than the world.
func (f *Frame) Scale() int { return int(math.Round(f.metres * 1000)) }

// sheet is the frame on paper.
var sheet = orb.Bound{Max: orb.Point{mapWidth, mapHeight}}

// finest is how much of a line is left out because nobody sees it, millimetres.
const finest = 0.04

// Draw draws the map.
func (m *Map) Draw() (Drawing, error) {
	all, err := faces()
	if err != nil {
		return Drawing{}, err
	}
	d := drawer{m: m, faces: &all}
	d.Width, d.Height = mapWidth, mapHeight
	d.add(Shape{Paths: [][]orb.Point{rectangle(0, 0, mapWidth, mapHeight)}, Closed: true, Fill: &Colour{252, 252, 249}})
	features := slices.Clone(m.Features)
	// Of one role areas lie below lines, and these below points.
	slices.SortStableFunc(features, func(a, b Feature) int {
		return int(a.Role)*8 - int(b.Role)*8 + dimension(b.Geometry) - dimension(a.Geometry)
	})
	d.shown = make([]bool, len(features))
	for i := range features {
		before := len(d.Shapes)
		d.feature(&features[i])
		d.shown[i] = len(d.Shapes) > before
	}
	d.grid()
	d.labels(features)
	d.scale()
	d.north()
	d.add(Shape{Paths: [][]orb.Point{rectangle(0, 0, mapWidth, mapHeight)}, Closed: true, Stroke: &black, Width: 0.35})
	d.legend(features)
	return d.Drawing, nil
}

func dimension(g orb.Geometry) int {
	if g == nil {
		return 0
	}
	return g.Dimensions()
}

// drawer is a map being drawn.
type drawer struct {
	Drawing
	m     *Map
	faces *[3]face
	shown []bool      // which features lie in the frame
	taken []orb.Bound // by labels
}

// feature draws the shape of a feature, as far as it lies in the frame.
func (d *drawer) feature(f *Feature) {
	if f.Geometry == nil {
		return
	}
	switch g := onMap(f.Geometry, &d.m.Frame).(type) {
	case orb.MultiPoint:
		for _, p := range g {
			d.symbol(f, p)
		}
	case orb.MultiLineString:
		d.lines(f, g)
	case orb.MultiPolygon:
		d.area(f, g)
	}
}

func (d *drawer) symbol(f *Feature, p orb.Point) {
	if f.Role == Subject {
		d.add(Shape{Paths: [][]orb.Point{circle(p, 2)}, Closed: true, Fill: &white, Stroke: &f.Colour, Width: 0.6})
		d.line(orb.Point{p[0] - 3.2, p[1]}, orb.Point{p[0] + 3.2, p[1]}, f.Colour, 0.35)
		d.line(orb.Point{p[0], p[1] - 3.2}, orb.Point{p[0], p[1] + 3.2}, f.Colour, 0.35)
		d.add(Shape{Paths: [][]orb.Point{circle(p, 0.7)}, Closed: true, Fill: &f.Colour})
		return
	}
	d.add(Shape{Paths: [][]orb.Point{{{p[0], p[1] - 1.4}, {p[0] + 1.25, p[1] + 0.9}, {p[0] - 1.25, p[1] + 0.9}}}, Closed: true, Fill: &f.Colour, Stroke: &white, Width: 0.25})
}

// circle is one in 24 straight lines.
func circle(at orb.Point, radius float64) []orb.Point {
	const corners = 24
	path := make([]orb.Point, corners)
	for i := range path {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / corners)
		path[i] = orb.Point{at[0] + radius*cos, at[1] + radius*sin}
	}
	return path
}

func (d *drawer) lines(f *Feature, g orb.MultiLineString) {
	if len(g) == 0 {
		return
	}
	width := 0.5
	if f.Role == Subject {
		d.add(Shape{Paths: pathsOf(g), Stroke: &white, Width: 1.8})
		width = 1
	}
	d.add(Shape{Paths: pathsOf(g), Stroke: &f.Colour, Width: width})
}

func (d *drawer) area(f *Feature, g orb.MultiPolygon) {
	var rings [][]orb.Point
	for _, polygon := range g {
		for _, ring := range polygon {
			rings = append(rings, ring)
		}
	}
	edge := Shape{Stroke: &f.Colour, Width: 0.3}
	switch f.Role {
	case Unit:
		edge.Width = 0.2 // whole: neighbours draw the same border, and dashes would fill each other's gaps
	case Border:
		edge.Width = 0.45
	default:
		if len(rings) > 0 {
			d.add(Shape{Paths: rings, Closed: true, Fill: &f.Colour, Opaque: 0.22})
		}
		edge.Width = 0.4
	}
	// The edge is drawn by itself: where the frame cuts the area there is none.
	if edges := clip.MultiLineString(sheet, ringsOf(f.Geometry, &d.m.Frame)); len(edges) > 0 {
		edge.Paths = pathsOf(simplify.DouglasPeucker(finest).MultiLineString(edges))
		d.add(edge)
	}
}

func pathsOf(g orb.MultiLineString) [][]orb.Point {
	paths := make([][]orb.Point, len(g))
	for i := range g {
		paths[i] = g[i]
	}
	return paths
}

// onMap is a geometry on paper, cut at the frame: several points, lines or areas. It is a copy.
func onMap(g orb.Geometry, f *Frame) orb.Geometry {
	switch g := g.(type) {
	case orb.Point:
		return onMap(orb.MultiPoint{g}, f)
	case orb.LineString:
		return onMap(orb.MultiLineString{g}, f)
	case orb.Polygon:
		return onMap(orb.MultiPolygon{g}, f)
	case orb.MultiPoint:
		var points orb.MultiPoint
		for _, p := range g {
			if q := f.onPaper(p); sheet.Contains(q) {
				points = append(points, q)
			}
		}
		return points
	case orb.MultiLineString:
		lines := make(orb.MultiLineString, len(g))
		for i := range g {
			lines[i] = f.path(g[i])
		}
		return simplify.DouglasPeucker(finest).MultiLineString(clip.MultiLineString(sheet, lines))
	case orb.MultiPolygon:
		areas := make(orb.MultiPolygon, len(g))
		for i := range g {
			for _, ring := range g[i] {
				areas[i] = append(areas[i], orb.Ring(f.path(ring)))
			}
		}
		return simplify.DouglasPeucker(finest).MultiPolygon(clip.MultiPolygon(sheet, areas))
	}
	return nil
}

// path is a line on paper, without what lies where the grid has no places.
func (f *Frame) path(line []orb.Point) orb.LineString {
	path := make(orb.LineString, 0, len(line))
	for _, p := range line {
		if q := f.onPaper(p); !math.IsInf(q[0], 0) {
			path = append(path, q)
		}
	}
	return path
}

// ringsOf are the edges of areas on paper.
func ringsOf(g orb.Geometry, f *Frame) orb.MultiLineString {
	if one, ok := g.(orb.Polygon); ok {
		g = orb.MultiPolygon{one}
	}
	areas, ok := g.(orb.MultiPolygon)
	if !ok {
		return nil
	}
	var rings orb.MultiLineString
	for _, polygon := range areas {
		for _, ring := range polygon {
			rings = append(rings, f.path(ring))
		}
	}
	return rings
}

// spaced writes metres with a blank before each three digits.
func spaced(metres float64) string {
	s := strconv.FormatInt(int64(math.Round(metres)), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// length writes a length in metres or kilometres.
func length(metres float64) string {
	if metres >= 1000 {
		return fmt.Sprintf("%g km", metres/1000)
	}
	return fmt.Sprintf("%g m", metres)
}
