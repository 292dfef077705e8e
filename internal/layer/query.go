package layer

import (
	"github.com/paulmach/orb"

	"hatang/geo"
)

// MaxPage is the most features one page of items holds.
const MaxPage = 10000

// GeometryName is the name of the geometry where properties are named: in filters, and
// in the documents that say what can be filtered by.
const GeometryName = "geometry"

// Equality asks for rows whose field has a value; Value is in the field's text form.
type Equality struct {
	Field string
	Value string
}

// Query selects rows of one layer. The zero value of each member selects nothing
// out; the store adds what the viewer may see.
type Query struct {
	// Date selects the rows in force on it. When zero, Span selects.
	Date geo.Date
	// Span selects rows whose valid time meets the closed span; a zero bound is
	// open, so the zero Span with a zero Date selects every version.
	Span [2]geo.Date
	// Boxes selects rows whose geometry meets any of the boxes, longitude and
	// latitude on WGS 84; two boxes make one across the antimeridian.
	Boxes []orb.Bound
	Equal []Equality
	// Filter selects rows by what the viewer sees of them; nil selects all.
	Filter Filter
	After  int64 // rows with an id greater than this: the key of the page before
	Limit  int   // at most this many rows; 0 means all
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
	Values   [][]byte // by Layer.Properties, in wire form (see AppendJSON); nil is null
	// ShownAs is the version of the settings of publication by which the row is shown
	// otherwise than it is; 0 where it is shown as it is.
	ShownAs int64
}

// Version is one row of a feature's versions in valid time.
type Version struct {
	ID     int64
	Period geo.Period
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
	// Geometry is a Multi* or a point on WGS 84 for 2D layers; nil leaves the stored one.
	Geometry orb.Geometry
	// GeometryZ is EWKB for layers with heights; nil leaves the stored one.
	GeometryZ []byte
}
