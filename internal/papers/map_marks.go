package papers

import (
	"fmt"
	"math"
	"strings"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
)

// grid marks round coordinates of the grid along the frame; a plane has none.
func (d *drawer) grid() {
	f := &d.m.Frame
	if !f.grid.Projected() {
		return
	}
	step := niceUp(f.metres*30, []float64{1, 2, 5, 10})
	west, south := f.centre[0]-f.metres*mapWidth/2, f.centre[1]-f.metres*mapHeight/2
	for e := math.Ceil(west/step) * step; ; e += step {
		x := (e - west) / f.metres
		if x >= mapWidth {
			break
		}
		d.line(orb.Point{x, mapHeight}, orb.Point{x, mapHeight - 1.5}, black, 0.2)
		d.line(orb.Point{x, 0}, orb.Point{x, 1.5}, black, 0.2)
		if x > 26 && x < mapWidth-12 { // else it is in the way of the scale
			d.mark(orb.Point{x, 3.6}, spaced(e), Middle)
		}
	}
	for n := math.Ceil(south/step) * step; ; n += step {
		y := mapHeight - (n-south)/f.metres
		if y <= 0 {
			break
		}
		d.line(orb.Point{0, y}, orb.Point{1.5, y}, black, 0.2)
		d.line(orb.Point{mapWidth, y}, orb.Point{mapWidth - 1.5, y}, black, 0.2)
		if y > 8 && y < mapHeight-12 {
			d.mark(orb.Point{2.2, y + 0.6}, spaced(n), Start)
		}
	}
}

func (d *drawer) mark(at orb.Point, line string, anchor Anchor) {
	d.text(Text{At: at, Line: line, Size: 5, Colour: grey, Anchor: anchor, Halo: true})
	width := d.faces[Regular].width(line, 5)
	if anchor == Middle {
		at[0] -= width / 2
	}
	d.taken = append(d.taken, orb.Bound{Min: orb.Point{at[0], at[1] - 2}, Max: orb.Point{at[0] + width, at[1] + 0.5}})
}

// labels writes the names, those of the subject first, where they have room.
func (d *drawer) labels(features []Feature) {
	corner := orb.Bound{Min: orb.Point{mapWidth - 12, 0}, Max: orb.Point{mapWidth, 16}}
	bar := orb.Bound{Min: orb.Point{0, mapHeight - 11}, Max: orb.Point{60, mapHeight}}
	d.taken = append(d.taken, corner, bar)
	for i := range features {
		if f := &features[i]; f.Role >= Evidence {
			for _, p := range pointsOf(f.Geometry, &d.m.Frame) {
				free := 1.3
				if f.Role == Subject {
					free = 3.4
				}
				d.taken = append(d.taken, orb.Bound{Min: p, Max: p}.Pad(free))
			}
		}
	}
	for role := int(Subject); role >= int(Unit); role-- {
		for i := range features {
			if f := &features[i]; f.Label != "" && int(f.Role) == role {
				d.label(f)
			}
		}
	}
}

// label writes the name of a feature at the first place beside it that is free.
func (d *drawer) label(f *Feature) {
	text := Text{Line: Clean(f.Label), Size: 6.5, Colour: f.Colour.dark(), Halo: true, Anchor: Start}
	switch f.Role {
	case Subject:
		text.Style, text.Size = Bold, 7.5
	case Unit, Border:
		text.Style, text.Size, text.Colour = Italic, 7, grey
	}
	width, height := d.faces[text.Style].width(text.Line, text.Size), text.Size*pointMM
	for _, at := range d.places(f, width, height) {
		box := orb.Bound{Min: orb.Point{at[0], at[1] - height}, Max: orb.Point{at[0] + width, at[1] + height*0.3}}
		if box.Min[0] < 1 || box.Min[1] < 1 || box.Max[0] > mapWidth-1 || box.Max[1] > mapHeight-1 || d.meets(box) {
			continue
		}
		d.taken = append(d.taken, box)
		text.At = at
		d.text(text)
		return
	}
}

func (d *drawer) meets(box orb.Bound) bool {
	for _, other := range d.taken {
		if other.Intersects(box) {
			return true
		}
	}
	return false
}

// places are where the label of a feature may begin.
func (d *drawer) places(f *Feature, width, height float64) (places []orb.Point) {
	beside := func(p orb.Point, gap float64) {
		places = append(places, orb.Point{p[0] + gap, p[1] + height*0.35}, orb.Point{p[0] - gap - width, p[1] + height*0.35},
			orb.Point{p[0] - width/2, p[1] - gap}, orb.Point{p[0] - width/2, p[1] + gap + height})
	}
	switch g := onMap(f.Geometry, &d.m.Frame).(type) {
	case orb.MultiPoint:
		for _, p := range g {
			gap := 1.8
			if f.Role == Subject {
				gap = 3.6
			}
			beside(p, gap)
		}
	case orb.MultiLineString:
		for _, line := range g {
			beside(line[len(line)/2], 2)
		}
	case orb.MultiPolygon:
		for _, polygon := range g {
			at, area := planar.CentroidArea(polygon)
			if math.Abs(area) < width*height {
				continue
			}
			at[0] -= width / 2
			for _, step := range []float64{0, -6, 6, -12, 12, 18, -18} {
				places = append(places, orb.Point{at[0], at[1] + step})
			}
		}
	}
	return places
}

func pointsOf(g orb.Geometry, f *Frame) orb.MultiPoint {
	switch g.(type) {
	case orb.Point, orb.MultiPoint:
		points, _ := onMap(g, f).(orb.MultiPoint)
		return points
	}
	return nil
}

// scale draws the bar and says the scale.
func (d *drawer) scale() {
	f := &d.m.Frame
	metres := niceUp(f.metres*15, []float64{1, 2, 5, 10})
	long := metres / f.metres
	x, y := 4.0, mapHeight-4.0
	d.add(Shape{Paths: [][]orb.Point{rectangle(1, mapHeight-10.5, max(long+16, 34), 9.5)}, Closed: true, Fill: &white, Opaque: 0.85})
	for i := range 4 {
		fill := &black
		if i%2 == 1 {
			fill = &white
		}
		d.add(Shape{Paths: [][]orb.Point{rectangle(x+long*float64(i)/4, y-1.2, long/4, 1.2)}, Closed: true, Fill: fill, Stroke: &black, Width: 0.15})
	}
	d.text(Text{At: orb.Point{x, y + 2.4}, Line: "0", Size: 5.5, Anchor: Middle})
	d.text(Text{At: orb.Point{x + long, y + 2.4}, Line: length(metres), Size: 5.5, Anchor: Middle})
	d.text(Text{At: orb.Point{x, y - 2.4}, Line: "1 : " + spaced(float64(f.Scale())), Size: 6.5})
}

// north draws the arrow to the north of the grid.
func (d *drawer) north() {
	x, y := mapWidth-6.5, 12.5
	d.add(Shape{Paths: [][]orb.Point{rectangle(mapWidth-11, 1, 9, 14)}, Closed: true, Fill: &white, Opaque: 0.85})
	d.add(Shape{Paths: [][]orb.Point{{{x, y - 7}, {x + 2.2, y + 1}, {x, y - 0.6}}}, Closed: true, Fill: &black})
	d.add(Shape{Paths: [][]orb.Point{{{x, y - 7}, {x - 2.2, y + 1}, {x, y - 0.6}}}, Closed: true, Fill: &white, Stroke: &black, Width: 0.2})
	d.text(Text{At: orb.Point{x, y - 7.6}, Line: d.m.North, Size: 7, Style: Bold, Anchor: Middle})
}

// legend lists what the shapes are, below the frame, in two columns, as far as they lie in the frame.
func (d *drawer) legend(features []Feature) {
	const columns, symbol = 2, 9.0
	wide := mapWidth / columns
	seen := map[string]bool{}
	x, y := 0.0, mapHeight+2.0
	for i := len(features) - 1; i >= 0; i-- {
		f := &features[i]
		key := fmt.Sprint(f.Legend, f.Role, dimension(f.Geometry), f.Colour)
		if f.Legend == "" || seen[key] || !d.shown[i] {
			continue
		}
		seen[key] = true
		lines := d.faces[Regular].wrap(Clean(f.Legend), tinySize, wide-symbol-3)
		if len(lines) > 1 {
			lines = []string{strings.TrimSpace(lines[0]) + "…"}
		}
		if x+wide > mapWidth+0.1 {
			x, y = 0, y+legendLine
		}
		d.example(f, x, y)
		d.text(Text{At: orb.Point{x + symbol, y + 3.2}, Line: lines[0], Size: tinySize})
		x += wide
	}
	d.Height = y + legendLine + 1
}

// example draws a small shape as the feature is drawn.
func (d *drawer) example(f *Feature, x, y float64) {
	switch middle := y + 2.2; dimension(f.Geometry) {
	case 0:
		d.symbol(f, orb.Point{x + 3.5, middle})
	case 1:
		d.line(orb.Point{x, middle}, orb.Point{x + 7, middle}, f.Colour, 0.8)
	default:
		edge := Shape{Paths: [][]orb.Point{rectangle(x, y+0.6, 7, 3.4)}, Closed: true, Stroke: &f.Colour, Width: 0.3}
		switch f.Role {
		case Unit:
			edge.Width = 0.2
		case Border:
			edge.Width = 0.45
		default:
			d.add(Shape{Paths: edge.Paths, Closed: true, Fill: &f.Colour, Opaque: 0.22})
		}
		d.add(edge)
	}
}
