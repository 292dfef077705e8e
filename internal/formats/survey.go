package formats

import (
	"encoding/json"
	"hash/maphash"
	"strings"
	"time"

	"hatang/geo"
	"hatang/internal/layer"
)

// Survey is what a file says of its features before anything is made of them.
type Survey struct {
	Title          string // of the features in the file; "" for none
	Features       int
	Columns        []Column // in the file's order
	NotTaken       []string // columns of what no field holds
	Geometry       layer.GeometryType
	Heights        bool   // some positions have a third ordinate, which is dropped
	CRS            string // as the file names it; "" for longitude and latitude on WGS 84
	GeometryColumn string // its name; "" where the format has none
	IDs            bool   // every feature has an id of its own
}

// Column is one column of a file.
type Column struct {
	Name string
	Kind layer.Kind
	Key  bool // every feature has a value, and no two have the same
}

// tally counts what the values of a column are.
type tally struct {
	name  string
	seen  [kinds]int
	total int
	keys  *keys // nil where nobody asks for them
}

// What a value can be.
const (
	isNull = iota
	isBoolean
	isInteger
	isNumber
	isDate
	isTime
	isText
	isList
	isOther
	kinds
)

// keys finds out whether values are all different, by their hashes. Of more than mostKeys it
// is not known, and they are taken for no keys.
type keys struct {
	seed  maphash.Seed
	known map[uint64]bool
	twice bool
}

// mostKeys bounds the memory that keys take, to some 100 MB.
const mostKeys = 2_000_000

func newKeys() *keys { return &keys{seed: maphash.MakeSeed(), known: map[uint64]bool{}} }

func (k *keys) add(value string) {
	if k.twice {
		return
	}
	h := maphash.String(k.seed, value)
	if k.twice = k.known[h] || len(k.known) >= mostKeys; k.twice {
		k.known = nil
		return
	}
	k.known[h] = true
}

// all reports whether so many values have come, and no two alike.
func (k *keys) all(count int) bool { return !k.twice && len(k.known) == count }

func (t *tally) add(what int, text string) {
	t.seen[what]++
	t.total++
	if t.keys != nil && what != isNull && text != "" {
		t.keys.add(text)
	}
}

// column is the column that has been counted in a file of so many features.
func (t *tally) column(features int) Column {
	c := Column{Name: t.name, Kind: t.kind()}
	c.Key = t.keys != nil && t.keys.all(features)
	return c
}

// kind is the narrowest that holds every value; text where there are none.
func (t *tally) kind() layer.Kind {
	values := t.total - t.seen[isNull]
	only := func(some ...int) bool {
		n := 0
		for _, what := range some {
			n += t.seen[what]
		}
		return n == values
	}
	switch {
	case values == 0:
		return layer.Text
	case only(isBoolean):
		return layer.Boolean
	case only(isInteger):
		return layer.Integer
	case only(isInteger, isNumber):
		return layer.Number
	case only(isDate):
		return layer.Date
	case only(isTime):
		return layer.Timestamp
	case only(isList):
		return layer.TextList
	}
	return layer.Text
}

// ofText says what a text is.
func ofText(s string) int {
	if len(s) == len(time.DateOnly) {
		if _, err := geo.ParseDate(s); err == nil {
			return isDate
		}
	}
	if len(s) > len(time.DateOnly) && s[4] == '-' {
		if _, err := time.Parse(time.RFC3339Nano, s); err == nil {
			return isTime
		}
	}
	return isText
}

// ofNumber says what a JSON number is: one that is written whole and fits is an integer.
func ofNumber(n json.Number) int {
	if strings.ContainsAny(n.String(), ".eE") {
		return isNumber
	}
	if _, err := n.Int64(); err != nil {
		return isNumber
	}
	return isInteger
}

// shapeCounts counts the types of geometries.
type shapeCounts map[string]int

// common is the type that holds them all: single ones beside multiple ones become these.
func (s shapeCounts) common() layer.GeometryType {
	in := func(kinds ...string) bool {
		for kind := range s {
			if kind != kinds[0] && kind != kinds[1] {
				return false
			}
		}
		return len(s) > 0
	}
	switch {
	case in("Point", "Point"):
		return layer.Point
	case in("Point", "MultiPoint"):
		return layer.MultiPoint
	case in("LineString", "MultiLineString"):
		return layer.MultiLineString
	case in("Polygon", "MultiPolygon"):
		return layer.MultiPolygon
	}
	return layer.AnyGeometry
}
