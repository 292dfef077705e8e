package tables

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/twpayne/go-geom"

	"hatang/internal/layer"
)

// epsgName is a name with an authority and a code that geo does not know.
var epsgName = regexp.MustCompile(`(?i)^(?:urn:ogc:def:crs:|https?://www\.opengis\.net/def/crs/)?EPSG[:/][\d.]*[:/]?(\d{4,6})$`)

// jsonShape reads the coordinates of a geometry from text that is known to be JSON, without
// making values of it.
type jsonShape struct {
	b     *builder
	depth int // how deep positions lie
	raw   []byte
}

// coordinatesOf reads the coordinates of a type of geometry; nil for none.
func coordinatesOf(kind string, raw []byte) (geom.T, error) {
	one := strings.TrimPrefix(kind, "Multi")
	depths := map[string]int{points: 0, paths: 1, areas: 2}
	depth, ok := depths[one]
	if !ok {
		if kind == "GeometryCollection" {
			return nil, errCollection()
		}
		return nil, layer.Wrong("không có kiểu hình %q", "there is no type of geometry %q", cut(kind, 40))
	}
	b := &builder{multi: one != kind}
	if b.multi {
		depth++
	}
	if err := b.of(one); err != nil {
		return nil, err
	}
	s := &jsonShape{b, depth, raw}
	if err := s.read(); err != nil {
		return nil, err
	}
	if one == areas {
		b.area()
	}
	return b.geometry(), nil
}

func errNesting() error {
	return layer.Wrong("toạ độ không lồng nhau đúng theo kiểu hình", "the coordinates are not nested as the geometry type asks")
}

// read goes through the text once. An empty list is an empty geometry.
func (s *jsonShape) read() error {
	at, depth := 0, -1
	var xyz []float64
	if len(s.raw) == 0 || s.raw[0] != '[' {
		return errNesting()
	}
	for at < len(s.raw) {
		switch s.raw[at] {
		case '[':
			if depth++; depth > s.depth {
				return errNesting()
			}
			at++
		case ']':
			if err := s.end(depth, xyz); err != nil {
				return err
			}
			xyz = xyz[:0]
			depth--
			at++
		case ',', ' ', '\n', '\r', '\t':
			at++
		default:
			start := at
			for at < len(s.raw) && strings.IndexByte("+-.eE0123456789", s.raw[at]) >= 0 {
				at++
			}
			f, err := strconv.ParseFloat(string(s.raw[start:at]), 64)
			if err != nil || depth != s.depth {
				return errNesting()
			}
			xyz = append(xyz, f)
		}
	}
	return nil
}

// end takes the end of a list.
func (s *jsonShape) end(depth int, xyz []float64) error {
	switch {
	case depth == s.depth && len(xyz) == 0 && depth == 0:
		return nil // POINT EMPTY
	case depth == s.depth:
		return s.b.position(xyz...)
	case depth == s.depth-1 && s.b.kind != points:
		s.b.path()
	case depth == s.depth-2 && s.b.kind == areas:
		s.b.area()
	}
	return nil
}
