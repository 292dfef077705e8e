package intake

import (
	"math"
	"strconv"
	"strings"

	"github.com/twpayne/go-geom"
)

// maxWKTPositions is the most positions that a text may have.
const maxWKTPositions = 100_000

// wktReader reads the well-known text of one geometry, numbers with decimal points.
type wktReader struct {
	scanner
	stride    int
	flat      []float64
	positions int
}

// wktKinds are the types that are read, by how deep their positions lie.
var wktKinds = map[string]int{"POINT": 0, "MULTIPOINT": 1, "LINESTRING": 1, "POLYGON": 2, "MULTILINESTRING": 2, "MULTIPOLYGON": 3}

// readWKT reads a geometry as well-known text, EWKT with the number of its system among it:
// "POINT (103 21)", "SRID=9205;LINESTRING Z (…)". Measures are left aside. srid is 0 where
// the text has none; an empty geometry is nil. Collections and curves are not taken.
func readWKT(s string) (g geom.T, srid int, wrong *textFault) {
	r := &wktReader{scanner: *newScanner(s)}
	if srid, wrong = r.srid(); wrong != nil {
		return nil, 0, wrong
	}
	r.skipBlanks()
	start := r.at
	kind := strings.ToUpper(r.word())
	r.skipBlanks()
	dimensions := ""
	for _, end := range []string{"ZM", "Z", "M"} { // POINTZ, and POINT Z
		if bare, ok := strings.CutSuffix(kind, end); ok && bare != "" {
			if _, known := wktKinds[bare]; known {
				kind, dimensions = bare, end
			}
		}
	}
	depth, known := wktKinds[kind]
	if !known {
		r.at = start
		return nil, 0, r.wrong("không phải POINT, LINESTRING, POLYGON hoặc MULTI…", "neither POINT, LINESTRING, POLYGON nor MULTI…")
	}
	before := r.at
	switch word := strings.ToUpper(r.word()); word {
	case "Z", "M", "ZM":
		dimensions = word
	default:
		r.at = before
	}
	r.skipBlanks()
	before = r.at
	if strings.EqualFold(r.word(), "EMPTY") {
		return nil, srid, r.finished()
	}
	r.at = before
	r.stride = map[string]int{"Z": 3, "M": 3, "ZM": 4}[dimensions]
	if g, wrong = r.geometry(kind, depth, dimensions); wrong == nil {
		wrong = r.finished()
	}
	if wrong != nil {
		return nil, 0, wrong
	}
	return g, srid, nil
}

// srid takes SRID=9205; at the start.
func (r *wktReader) srid() (int, *textFault) {
	r.skipBlanks()
	start := r.at
	if !strings.EqualFold(r.word(), "SRID") {
		r.at = start
		return 0, nil
	}
	if r.peek() != '=' {
		return 0, r.wrong("thiếu =", "= is missing")
	}
	r.at++
	x, decimals, wrong := r.number()
	if wrong != nil || decimals || x > math.MaxInt32 {
		return 0, r.wrong("SRID phải là số nguyên", "SRID is a whole number")
	}
	if r.peek() != ';' {
		return 0, r.wrong("thiếu ;", "; is missing")
	}
	r.at++
	return int(x), nil
}

// open takes a bracket.
func (r *wktReader) open() *textFault {
	r.skipBlanks()
	if r.peek() != '(' {
		return r.wrong("thiếu (", "( is missing")
	}
	r.at++
	return nil
}

// list takes things in brackets with commas between.
func (r *wktReader) list(one func() *textFault) *textFault {
	if wrong := r.open(); wrong != nil {
		return wrong
	}
	for {
		if wrong := one(); wrong != nil {
			return wrong
		}
		r.skipBlanks()
		switch r.peek() {
		case ',':
			r.at++
		case ')':
			r.at++
			return nil
		default:
			return r.wrong("thiếu , hoặc )", ", or ) is missing")
		}
	}
}

// single takes one position in brackets.
func (r *wktReader) single() *textFault {
	if wrong := r.open(); wrong != nil {
		return wrong
	}
	if wrong := r.position(); wrong != nil {
		return wrong
	}
	r.skipBlanks()
	if r.peek() != ')' {
		return r.wrong("thiếu )", ") is missing")
	}
	r.at++
	return nil
}

// position takes two to four numbers.
func (r *wktReader) position() *textFault {
	start := r.at
	if r.positions++; r.positions > maxWKTPositions {
		return r.wrong("quá nhiều điểm", "too many positions")
	}
	n := 0
	for ; n < 5; n++ {
		r.skipBlanks()
		from := r.at
		for r.peek() != end && strings.ContainsRune("+-.0123456789eE", r.peek()) {
			r.at++
		}
		if r.at == from {
			break
		}
		x, err := strconv.ParseFloat(string(r.text[from:r.at]), 64)
		if err != nil {
			r.at = from
			return r.wrong("không phải số", "not a number")
		}
		r.flat = append(r.flat, x)
	}
	if r.stride == 0 && n >= 2 && n <= 4 {
		r.stride = n
	}
	if n != r.stride || n < 2 {
		r.at = start
		r.skipBlanks()
		return r.wrong("vị trí phải có hai số, hoặc ba với độ cao, như các vị trí khác", "a position has two numbers, or three with a height, as all the others")
	}
	return nil
}

// geometry takes the positions of a geometry.
func (r *wktReader) geometry(kind string, depth int, dimensions string) (geom.T, *textFault) {
	var ends []int
	var endss [][]int
	line := func() *textFault {
		wrong := r.list(r.position)
		ends = append(ends, len(r.flat))
		return wrong
	}
	var wrong *textFault
	switch depth {
	case 0:
		wrong = r.single()
	case 1:
		wrong = r.list(func() *textFault {
			r.skipBlanks()
			if kind == "MULTIPOINT" && r.peek() == '(' {
				return r.single()
			}
			return r.position()
		})
	case 2:
		wrong = r.list(line)
	case 3:
		wrong = r.list(func() *textFault {
			ends = nil
			w := r.list(line)
			endss = append(endss, ends)
			return w
		})
	}
	if wrong != nil {
		return nil, wrong
	}
	return r.build(kind, dimensions, ends, endss), nil
}

// build makes the geometry of the positions.
func (r *wktReader) build(kind, dimensions string, ends []int, endss [][]int) geom.T {
	layout := map[int]geom.Layout{2: geom.XY, 3: geom.XYZ, 4: geom.XYZM}[r.stride]
	if dimensions == "M" {
		layout = geom.XYM
	}
	switch kind {
	case "POINT":
		return geom.NewPointFlat(layout, r.flat)
	case "MULTIPOINT":
		return geom.NewMultiPointFlat(layout, r.flat)
	case "LINESTRING":
		return geom.NewLineStringFlat(layout, r.flat)
	case "POLYGON":
		return geom.NewPolygonFlat(layout, r.flat, ends)
	case "MULTILINESTRING":
		return geom.NewMultiLineStringFlat(layout, r.flat, ends)
	}
	return geom.NewMultiPolygonFlat(layout, r.flat, endss)
}
