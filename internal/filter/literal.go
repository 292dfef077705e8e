package filter

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// exactFloat is where whole numbers stop having neighbours one apart.
const exactFloat = 1 << 53

// newNumber reads digits with an optional sign; false when they are no finite number.
func newNumber(at Place, digits string) (*Number, bool) {
	digits = strings.TrimPrefix(digits, "+")
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return &Number{At: at, Whole: true, Int: n}, true
	}
	x, err := strconv.ParseFloat(digits, 64)
	if err != nil || math.IsInf(x, 0) || math.IsNaN(x) {
		return nil, false
	}
	if x == math.Trunc(x) && math.Abs(x) <= exactFloat {
		return &Number{At: at, Whole: true, Int: int64(x)}, true
	}
	return &Number{At: at, Float: x}, true
}

// digits writes the number so that newNumber reads the same one.
func (e *Number) digits() string {
	if e.Whole {
		return strconv.FormatInt(e.Int, 10)
	}
	return decimals(e.Float)
}

func decimals(x float64) string { return strconv.FormatFloat(x, 'G', -1, 64) }

// newText makes a character literal, and refuses what the database cannot hold.
func newText(at Place, s string) (*Text, error) {
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return nil, wrong(Syntax, at, "chuỗi không phải UTF-8 hoặc có byte 0", "the text is not UTF-8 or holds a zero byte")
	}
	return &Text{at, s}, nil
}

const (
	dayForm = "2006-01-02"
	timeFor = "2006-01-02T15:04:05.999999999Z"
)

var (
	dayShape  = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)
	timeShape = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$`)
)

func newDate(at Place, s string) (*Date, error) {
	t, err := time.Parse(dayForm, s)
	if err != nil || !dayShape.MatchString(s) || t.Year() == 0 {
		return nil, wrong(Syntax, at, "%q không phải ngày dạng YYYY-MM-DD", "%q is not a date of the form YYYY-MM-DD", clip(s))
	}
	return &Date{at, t}, nil
}

func newTimestamp(at Place, s string) (*Timestamp, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || !timeShape.MatchString(s) || t.Year() == 0 {
		return nil, wrong(Syntax, at, "%q không phải thời điểm dạng YYYY-MM-DDThh:mm:ssZ", "%q is not a time of the form YYYY-MM-DDThh:mm:ssZ", clip(s))
	}
	return &Timestamp{at, t.UTC()}, nil
}

// newEnd reads an end of an interval that is written as text.
func newEnd(at Place, s string) (Expr, error) {
	switch {
	case s == "..":
		return &Open{at}, nil
	case len(s) > len(dayForm):
		return newTimestamp(at, s)
	default:
		return newDate(at, s)
	}
}

// end returns the text of an end of an interval; false for a property or a function.
func end(e Expr) (string, bool) {
	switch e := e.(type) {
	case *Open:
		return "..", true
	case *Date:
		return e.Value.Format(dayForm), true
	case *Timestamp:
		return e.Value.Format(timeFor), true
	}
	return "", false
}

// canEnd reports whether a part may be an end of an interval that is not text.
func canEnd(e Expr) bool {
	switch e := e.(type) {
	case *Property:
		return true
	case *Call:
		return operators[e.Op] == 0
	}
	return false
}

func wrongEnd(at Place) error {
	return wrong(Syntax, at, "đầu khoảng phải là ngày, thời điểm, '..' hoặc tên thuộc tính", "an end of an interval must be a date, a time, '..' or a property")
}

// geometryKinds are the kinds by their names in text.
var geometryKinds = map[string]string{
	"point": "Point", "linestring": "LineString", "polygon": "Polygon", "multipoint": "MultiPoint",
	"multilinestring": "MultiLineString", "multipolygon": "MultiPolygon", "geometrycollection": "GeometryCollection",
}

// nesting is how many lists are around a position of a kind, in both forms.
var nesting = map[string]int{"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}

// complete puts parsed positions in their place and holds them against the rules of the
// kind: lines have two positions, rings four and are closed, heights are for all or none.
func (g *Geometry) complete(parts [][][]Position, dims map[int]bool) error {
	g.Parts, g.Z = parts, dims[3]
	if len(dims) > 1 {
		return wrong(Syntax, g.At, "các toạ độ khi có khi không có độ cao", "some positions have heights and some have not")
	}
	for _, part := range parts {
		for _, ring := range part {
			switch g.Kind {
			case "LineString", "MultiLineString":
				if len(ring) < 2 {
					return wrong(Syntax, g.At, "đường phải có ít nhất 2 điểm", "a line has at least 2 positions")
				}
			case "Polygon", "MultiPolygon":
				if len(ring) < 4 || ring[0] != ring[len(ring)-1] {
					return wrong(Syntax, g.At, "vòng phải có ít nhất 4 điểm và điểm cuối trùng điểm đầu", "a ring has at least 4 positions and ends where it begins")
				}
			}
		}
	}
	return nil
}

// newBox makes a box of four or six numbers.
func newBox(at Place, n []float64) (*Box, error) {
	switch len(n) {
	case 4:
		return &Box{At: at, Min: Position{n[0], n[1]}, Max: Position{n[2], n[3]}}, nil
	case 6:
		return &Box{At: at, Z: true, Min: Position{n[0], n[1], n[2]}, Max: Position{n[3], n[4], n[5]}}, nil
	}
	return nil, wrong(Syntax, at, "BBOX phải có 4 hoặc 6 số", "BBOX has 4 or 6 numbers")
}

// numbers returns the numbers of the box in their order.
func (e *Box) numbers() []float64 {
	if e.Z {
		return []float64{e.Min[0], e.Min[1], e.Min[2], e.Max[0], e.Max[1], e.Max[2]}
	}
	return []float64{e.Min[0], e.Min[1], e.Max[0], e.Max[1]}
}

// coordinate reads a finite number.
func coordinate(s string) (float64, bool) {
	x, err := strconv.ParseFloat(s, 64)
	return x, err == nil && !math.IsInf(x, 0) && !math.IsNaN(x)
}
