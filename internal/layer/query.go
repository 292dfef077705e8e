package layer

import (
	"time"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// MaxPage is the most features one page of items holds.
const MaxPage = 10000

// GeometryName is the name of the geometry where properties are named: in filters, and
// in the documents that say what can be filtered by.
const GeometryName = "geometry"

// IDName is the name of a row's id where properties are named.
const IDName = "id"

// Equality asks for rows whose field has a value; Value is in the field's text form.
// The field may be the id.
type Equality struct {
	Field string
	Value string
}

// SortKey is one key of an order of rows: a field that is among Layer.Sortables.
type SortKey struct {
	Field      *Field
	Descending bool
}

// SortedCharacters is how much of a text its place in an order goes by, characters; so
// that a position in the order always fits into an address.
const SortedCharacters = 200

// Query selects rows of one layer. The zero value of each member selects nothing
// out; the store adds what the viewer may see.
type Query struct {
	// Date selects the rows in force on it. When zero, Span selects.
	Date geo.Date
	// Span selects rows whose valid time meets the closed span; a zero bound is
	// open, so the zero Span with a zero Date selects every version.
	Span [2]geo.Date
	// KnownAt asks for the rows as they were known at this record time, of which the viewer
	// sees the past; zero for now.
	KnownAt time.Time
	// Boxes selects rows whose geometry meets any of the boxes, longitude and
	// latitude on WGS 84; two boxes make one across the antimeridian.
	Boxes []orb.Bound
	Equal []Equality
	// Filter selects rows by what the viewer sees of them; nil selects all.
	Filter Filter
	// Fields are the fields whose values a row has, in this order; nil means all of the
	// layer's. Counting does not look at this and what follows.
	Fields []*Field
	// NoGeometry: rows come without their geometry.
	NoGeometry bool
	// Sort is the order of rows: by these keys, rows without a value last whatever the
	// direction, then by ascending id. Texts are compared by their first SortedCharacters.
	Sort []SortKey
	// After is the id of a row, and AfterKeys are its keys (see Row): the rows behind it are
	// asked for, whether or not it is still there. 0 begins with the first row.
	After     int64
	AfterKeys [][]byte
	Limit     int // at most this many rows; 0 means all
	// NoOlder is a version of the layer, as the viewer is told it: rows from memory must be
	// of this or a later one. Those from the database always are.
	NoOlder int64
}

// Filter is a condition on the values of a row that has been checked against the fields
// of its layer. Package filter makes them, and the store knows how to ask for them.
type Filter interface {
	// Properties returns the names that the condition uses, sorted.
	Properties() []string
	// String returns the condition in the one form that it is written in.
	String() string
}

// Row is one feature as the database sent it.
type Row struct {
	ID       int64
	Revision int64
	Geometry []byte   // EWKB; nil for none
	Values   [][]byte // by Query.Fields, in wire form (see AppendJSON); nil is null
	Keys     [][]byte // by Query.Sort, likewise
	// ShownAs is the version of the settings of publication by which the row is shown
	// otherwise than it is; 0 where it is shown as it is.
	ShownAs int64
}

// Clone returns a row that shares no memory with this one: its bytes lie in one piece.
func (r *Row) Clone() *Row {
	size := len(r.Geometry)
	for _, values := range [][][]byte{r.Values, r.Keys} {
		for _, value := range values {
			size += len(value)
		}
	}
	bytes := make([]byte, 0, size)
	own := *r
	keep := func(value []byte) []byte {
		if value == nil {
			return nil
		}
		from := len(bytes)
		bytes = append(bytes, value...)
		return bytes[from:len(bytes):len(bytes)]
	}
	keepAll := func(values [][]byte) [][]byte {
		if values == nil {
			return nil
		}
		kept := make([][]byte, len(values))
		for i, value := range values {
			kept[i] = keep(value)
		}
		return kept
	}
	own.Geometry, own.Values, own.Keys = keep(r.Geometry), keepAll(r.Values), keepAll(r.Keys)
	return &own
}

// Versions are the version numbers of layers, by layer: what an answer was made from.
type Versions map[string]int64

// Agree reports whether every layer that both tell of has the same version in both.
func (v Versions) Agree(with Versions) bool {
	for name, version := range v {
		if other, told := with[name]; told && other != version {
			return false
		}
	}
	return true
}

// Feature is a feature on its way in: checked by Validate, geometry in stored form.
type Feature struct {
	// Properties by field name; a missing name leaves a stored value as it is,
	// a nil value clears it. Values have the Go type of their Kind: string, int64,
	// float64, bool, geo.Date, []string.
	Properties map[string]any
	// Geometry is of the layer's type, for 2D layers; nil leaves the stored one.
	Geometry orb.Geometry
	// SRID is Geometry's reference system, 0 for WGS 84: that or the one the layer is kept in.
	SRID int
	// GeometryZ is EWKB for layers with heights; nil leaves the stored one.
	GeometryZ []byte
	// NoGeometry takes the stored geometry away, of layers whose rows may lack one.
	NoGeometry bool
}

// TextOf returns the value of a field of a row of the layer as text; "" for null, for bytes
// that are none, and where the layer has no such field.
func (l *Layer) TextOf(r *Row, name string) string {
	for i := range l.Fields {
		if f := &l.Fields[i]; f.Name == name && i < len(r.Values) {
			text, _, _ := f.Kind.AppendText(nil, r.Values[i])
			return string(text)
		}
	}
	return ""
}
