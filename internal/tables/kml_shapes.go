package tables

import (
	"encoding/xml"
	"strconv"
	"strings"

	"hatang/internal/layer"
)

// shape reads the geometry that has just begun. The fault is the geometry's; after it the rest
// of the geometry is passed over.
func (r *kmlReader) shape(b *builder, kind string) (fault, err error) {
	switch kind {
	case "MultiGeometry":
		b.multi = true
	case "Point":
		fault = b.of(points)
	case "LineString", "LinearRing":
		fault = b.of(paths)
	case "Polygon":
		fault = b.of(areas)
	default:
		fault = errCollection()
	}
	g := kmlShape{r: r, b: b, kind: kind, fault: fault}
	if err := g.read(); err != nil {
		return nil, err
	}
	switch kind {
	case "LineString", "LinearRing":
		b.path()
	case "Polygon":
		b.area()
	}
	return g.fault, nil
}

// kmlShape is a geometry being read.
type kmlShape struct {
	r     *kmlReader
	b     *builder
	kind  string
	high  bool // positions have heights that count: not where they are clamped to the ground
	fault error
	texts []string // coordinates, kept until it is known whether heights count
}

func (g *kmlShape) read() error {
	for depth := 1; depth > 0; {
		token, err := g.r.x.next()
		if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.EndElement:
			depth--
		case xml.StartElement:
			inner := true
			switch e.Name.Local {
			case "Point", "LineString", "LinearRing", "Polygon", "MultiGeometry", "Track", "MultiTrack", "Model":
				if g.kind == "MultiGeometry" {
					var fault error
					if fault, err = g.r.shape(g.b, e.Name.Local); fault != nil {
						g.fault = fault
					}
					inner = false
				}
			case "altitudeMode":
				var mode string
				mode, err = g.r.x.text()
				g.high = strings.TrimSpace(mode) == "absolute" || strings.TrimSpace(mode) == "relativeToGround"
				inner = false
			case "coordinates":
				var text string
				text, err = g.r.x.text()
				g.texts = append(g.texts, text)
				inner = false
			}
			if err != nil {
				return err
			}
			if inner {
				depth++
			}
		}
	}
	for _, text := range g.texts {
		if g.fault == nil {
			g.fault = g.coordinates(text)
		}
		if g.kind == "Polygon" {
			g.b.path()
		}
	}
	return nil
}

// coordinates reads positions: numbers with commas between them, blanks between positions;
// blanks beside commas are overlooked.
func (g *kmlShape) coordinates(text string) error {
	const blank = " \t\r\n\u00a0"
	var xyz []float64
	for text = strings.TrimLeft(text, blank); text != ""; text = strings.TrimLeft(text, blank) {
		end := strings.IndexAny(text, ","+blank)
		if end < 0 {
			end = len(text)
		}
		x, err := strconv.ParseFloat(text[:end], 64)
		if err != nil {
			return layer.Wrong("%q không phải là toạ độ", "%q is no coordinate", cut(text[:end], 40))
		}
		xyz = append(xyz, x)
		text = strings.TrimLeft(text[end:], blank)
		if strings.HasPrefix(text, ",") {
			text = text[1:]
			if rest := strings.TrimLeft(text, blank); rest != "" {
				continue
			}
		}
		if len(xyz) > 2 && !g.high {
			xyz = xyz[:2]
		}
		if err := g.b.position(xyz...); err != nil {
			return err
		}
		xyz = xyz[:0]
	}
	return nil
}
