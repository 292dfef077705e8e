// Package layer says what a layer is: its table, its fields with units and
// allowed values, its titles in two languages, who may not see which of its rows.
//
// Every other room reads the registry; nothing else lists layers or fields. The
// name of a layer is the name of its table, of its OGC collection and of its
// vector-tile layer. A new layer is one literal in layers.go and its migration.
//
// Decided: layers are Go literals checked against the database at start-up, not
// discovered from it, because units, documentation and rights must be reviewed;
// instead of one jsonb table, because types, checks and indexes belong to columns.
//
// Decided: a reference layer, which an officer publishes from a file, is a Definition
// kept as a row of the database instead of a literal, and from there on a layer like any
// other, with a table and columns of its own. It differs in what nobody has reviewed: its
// numbers have no unit, its rows may lack a geometry, and none of its fields means more
// than its column says.
package layer

import (
	"slices"

	"hatang/geo"
)

// GeometryType is the OGC type of a layer's geometry column.
type GeometryType string

// The geometry types that layers have. Lines and areas are always stored as
// Multi*, and single ones are promoted on the way in. The last two are reference layers'
// alone; where it says nothing about the kind, each is stored as it came.
const (
	Point           GeometryType = "Point"
	MultiLineString GeometryType = "MultiLineString"
	MultiPolygon    GeometryType = "MultiPolygon"
	MultiPoint      GeometryType = "MultiPoint"
	AnyGeometry     GeometryType = "Geometry"
)

// GeometryTypes returns every type that a layer may have.
func GeometryTypes() []GeometryType {
	return []GeometryType{Point, MultiLineString, MultiPolygon, MultiPoint, AnyGeometry}
}

// Simple returns the dimensions that geometries of the type have: points, lines, areas.
func (t GeometryType) Simple() []GeometryType {
	switch t {
	case MultiPoint:
		return []GeometryType{Point}
	case AnyGeometry:
		return []GeometryType{Point, MultiLineString, MultiPolygon}
	}
	return []GeometryType{t}
}

// SRID is the spatial reference of every stored geometry: WGS 84, longitude first.
const SRID = 4326

// Kind is the type of a field's values.
type Kind string

// The kinds of field. Each has one column type, one JSON form and one wire form.
const (
	Text      Kind = "text"      // text, NFC
	Integer   Kind = "integer"   // bigint
	Number    Kind = "number"    // double precision
	Boolean   Kind = "boolean"   // boolean
	Date      Kind = "date"      // date, civil
	Timestamp Kind = "timestamp" // timestamptz, written in UTC
	TextList  Kind = "text_list" // text[]
)

// Column returns the PostgreSQL type of the kind, as format_type writes it.
func (k Kind) Column() string {
	switch k {
	case Integer:
		return "bigint"
	case Number:
		return "double precision"
	case Timestamp:
		return "timestamp with time zone"
	case TextList:
		return "text[]"
	default:
		return string(k)
	}
}

// Value is one allowed value of a field.
type Value struct {
	Code   string
	Title  geo.Text
	Colour string // CSS colour in the legend; "" where the layer's own serves
}

// Field is one attribute of a layer.
type Field struct {
	Name     string
	Kind     Kind
	Title    geo.Text
	Doc      geo.Text // what it is, with unit and source; also the column's comment
	Unit     string   // UCUM code, e.g. "m", "m2"; "" for counts, codes and words
	Required bool     // not null
	ReadOnly bool     // set by the server; ignored on the way in
	Min, Max *float64 // inclusive bounds of numbers
	Values   []Value  // allowed values; empty means any
	Aliases  []string // other column names recognised on import, best first
	Else     string   // on import, the field whose value a new row has here where the file says nothing; "" for none
	importAs []string // of reference layers: the only names recognised on import, best first

	// Confidential values are for the row's owner and the officers alone; for all
	// others the field is empty, in filters too.
	Confidential bool
}

// Allows reports whether code is among the allowed values, or the field has none.
func (f *Field) Allows(code string) bool {
	return len(f.Values) == 0 ||
		slices.ContainsFunc(f.Values, func(v Value) bool { return v.Code == code })
}

// Group is a heading under which layers are listed to people.
type Group string

// The groups, in the order in which they are shown.
const (
	GroupMobile  Group = "mobile"
	GroupPostal  Group = "postal"
	GroupNetwork Group = "network"
	GroupZones   Group = "zones"
	GroupUnits   Group = "units"
	GroupPlaces  Group = "places"

	GroupReference Group = "reference"
)

// Layer is one layer: table, collection and tile layer of the same name.
type Layer struct {
	Name     string
	Title    geo.Text
	Doc      geo.Text
	Group    Group
	Geometry GeometryType
	HasZ     bool    // third ordinate stored: metres, below ground negative
	Fields   []Field // the common ones first
	Colour   string  // CSS colour of the legend
	ColourBy string  // field whose values' colours replace Colour; "" for none

	// OnceADay names fields whose values together have at most one row in force on
	// any one date, as the code has by itself; empty for none.
	OnceADay []string

	// WithheldField and WithheldValues name the rows that only officers see.
	WithheldField  string
	WithheldValues []string

	// PublishedAsSet: the public sees places as the province has them published:
	// exactly, rounded, or not at all.
	PublishedAsSet bool

	// Reference is what is known of a layer that was published from a file; nil for others.
	Reference *Reference
	stored    bool // see InStorage
}

// Draft is the status of rows that only their owner and the officers see.
const Draft = "draft"

// HasDrafts reports whether rows of the layer can be drafts. The status of a reference
// layer is whatever its file calls so.
func (l *Layer) HasDrafts() bool { return l.Reference == nil && l.Has("status") }

// Field returns the field of that name.
func (l *Layer) Field(name string) (*Field, bool) {
	for i := range l.Fields { // fields are big: every request looks for some
		if l.Fields[i].Name == name {
			return &l.Fields[i], true
		}
	}
	return nil, false
}

// Has reports whether the layer has a field of that name.
func (l *Layer) Has(name string) bool {
	_, ok := l.Field(name)
	return ok
}

// Properties returns the fields that are feature properties: all but the id and
// the geometry, which have their own members in GeoJSON.
func (l *Layer) Properties() []Field { return l.Fields }

// idField is the id as a field: rows are selected and sorted by it like by any other,
// and nobody writes it.
func idField() Field {
	return Field{Name: IDName, Kind: Integer, ReadOnly: true, Required: true, Title: t("Số hiệu", "Id"),
		Doc: t("Số hiệu của bản ghi: một phiên bản của đối tượng theo thời gian hiệu lực.", "Id of the row: one version of a feature in valid time.")}
}

// Queryables returns what rows can be selected by, beside the geometry: the id, then the
// fields.
func (l *Layer) Queryables() []Field { return append([]Field{idField()}, l.Fields...) }

// QueryableNames returns the names of the queryables.
func (l *Layer) QueryableNames() []string {
	names := append(make([]string, 0, 1+len(l.Fields)), IDName)
	for i := range l.Fields {
		names = append(names, l.Fields[i].Name)
	}
	return names
}

// Sortables returns what rows can be sorted by: the queryables that have an order.
func (l *Layer) Sortables() []Field {
	return slices.DeleteFunc(l.Queryables(), func(f Field) bool { return f.Kind == TextList })
}

// Queryable returns the queryable of that name; of a reference layer also by the name that
// it had in the file.
func (l *Layer) Queryable(name string) (*Field, bool) {
	if name == IDName {
		f := idField()
		return &f, true
	}
	return l.Named(name)
}

// Narrowed returns the layer with these of its fields alone; nil means all of them.
func (l *Layer) Narrowed(fields []*Field) *Layer {
	if fields == nil {
		return l
	}
	narrowed := *l
	narrowed.Fields = make([]Field, len(fields))
	for i, f := range fields {
		narrowed.Fields[i] = *f
	}
	return &narrowed
}

// ColumnGeometry returns the type modifier of the geometry column, e.g. "MultiLineStringZ".
func (l *Layer) ColumnGeometry() string {
	if l.HasZ {
		return string(l.Geometry) + "Z"
	}
	return string(l.Geometry)
}

// ImportNames returns the names under which the field is recognised in a file,
// best first: a full name is preferred to a short one.
func (f *Field) ImportNames() []string {
	if f.importAs != nil {
		return slices.Clone(f.importAs)
	}
	names := slices.Clone(f.Aliases)
	if i := slices.Index(names, "full_name"); i == 0 {
		return slices.Insert(names, 1, f.Name)
	}
	return append([]string{f.Name}, names...)
}
