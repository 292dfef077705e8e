package formats

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/layer"
)

// Format is one way to write features: a record of All, from which negotiation, links,
// documents and export follow.
type Format struct {
	Names      []string // values of f=, the format's own first
	MediaType  string   // without parameters, lower case; application/json says too little to choose by
	Extensions []string // of file names, that of files written first
	Title      string   // what people call it

	// InFile formats are made in a temporary file, because what stands first in them
	// is known last; all others go out while rows come in.
	InFile bool
	// LonLatOnly formats have no other reference system than CRS84.
	LonLatOnly bool
	// Packed formats are compressed by themselves.
	Packed bool
	// Layers are the names of those that the format can express; nil: all.
	Layers []string

	// New begins to write. The writer must be closed.
	New func(Sheet) (Writer, error)
}

// Takes reports whether the format can express a layer.
func (f *Format) Takes(l *layer.Layer) bool {
	return f.Layers == nil || slices.Contains(f.Layers, l.Name)
}

// Of returns the formats that take a layer, GeoJSON first.
func Of(l *layer.Layer) []Format {
	return slices.DeleteFunc(slices.Clone(All()), func(f Format) bool { return !f.Takes(l) })
}

// Name returns the format's own name.
func (f *Format) Name() string { return f.Names[0] }

// All returns the formats, GeoJSON first. The list is shared: nobody changes it.
func All() []Format { return all() }

var all = sync.OnceValue(func() []Format {
	return []Format{
		{Names: []string{"geojson", "json"}, MediaType: "application/geo+json", Extensions: []string{".geojson", ".json"}, Title: "GeoJSON", New: newCollection},
		{Names: []string{"csv"}, MediaType: "text/csv", Extensions: []string{".csv"}, Title: "CSV", New: newCSV},
		{Names: []string{"gpkg"}, MediaType: "application/geopackage+sqlite3", Extensions: []string{".gpkg"}, Title: "GeoPackage", InFile: true, New: newGeoPackage},
		{Names: []string{"fgb"}, MediaType: "application/flatgeobuf", Extensions: []string{".fgb"}, Title: "FlatGeobuf", InFile: true, New: newFlatGeobuf},
		{Names: []string{"kml"}, MediaType: "application/vnd.google-earth.kml+xml", Extensions: []string{".kml"}, Title: "KML", LonLatOnly: true, New: newKML},
		{Names: []string{"xlsx"}, MediaType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Extensions: []string{".xlsx"}, Title: "Excel", InFile: true, Packed: true, New: newWorkbook},
		{Names: []string{"shp", "shapefile"}, MediaType: "application/zip", Extensions: []string{".shp.zip", ".zip", ".shz"}, Title: "Shapefile", InFile: true, Packed: true, New: newShapefile},
		{Names: []string{"ofds"}, MediaType: "application/json", Extensions: []string{".ofds.json"}, Title: "Open Fibre Data Standard", LonLatOnly: true, Layers: []string{"fibre_routes"}, New: newOpenFibre},
		{Names: []string{"geojsonseq"}, MediaType: "application/geo+json-seq", Extensions: []string{".geojsons"}, Title: "GeoJSON Text Sequence", New: newSequence},
		{Names: []string{"ndjson"}, MediaType: "application/x-ndjson", Extensions: []string{".geojsonl", ".ndjson"}, Title: "Newline-delimited GeoJSON", New: newLines},
	}
})

// Named returns the format that a value of f= names.
func Named(name string) (Format, bool) {
	return find(func(f *Format) bool { return slices.Contains(f.Names, name) })
}

// OfFile returns the format of a file by the end of its name, by the longest that one has.
func OfFile(path string) (format Format, found bool) {
	path, longest := strings.ToLower(filepath.Base(path)), 0
	for _, f := range All() {
		for _, extension := range f.Extensions {
			if strings.HasSuffix(path, extension) && len(extension) > longest {
				format, found, longest = f, true, len(extension)
			}
		}
	}
	return format, found
}

func find(is func(*Format) bool) (Format, bool) {
	for i := range All() {
		if f := &All()[i]; is(f) {
			return *f, true
		}
	}
	return Format{}, false
}

// Sheet is what is written: rows of a layer, as somebody has asked for them.
type Sheet struct {
	Layer *layer.Layer
	CRS   geo.CRS // of the coordinates; the zero value is CRS84
	// Decimals of coordinates: 1 to MaxDecimals, NoDecimals, or 0 for what the format
	// does by itself: 7 of degrees and 3 of metres in text, all of them in binary.
	Decimals int
	WithZ    bool   // with the heights of layers that have them
	Language string // of titles: "vi", or "en" for all else
	BOM      bool   // CSV begins with a byte order mark, by which Excel knows UTF-8
	MaxBytes int64  // of a file made on disk; 0: DefaultMaxBytes
}

// Writer turns rows into one format: Begin, Append for each row, End. They append to dst
// what can go out; dst is the caller's between the calls. Of a format InFile that is
// nothing, and File is the whole of it. Close may be called at any time, and frees all.
type Writer interface {
	Begin(dst []byte) ([]byte, error)
	Append(dst []byte, r *layer.Row) ([]byte, error)
	End(dst []byte) ([]byte, error)
	// File hands over what has been made once End has returned, at its beginning; nil of
	// formats that are not InFile. It has no name on the disk any more, and is gone
	// when whoever called this closes it.
	File() *os.File
	Close() error
}

// stream is what writers without a file have in common.
type stream struct{}

func (stream) Begin(dst []byte) ([]byte, error) { return dst, nil }
func (stream) End(dst []byte) ([]byte, error)   { return dst, nil }
func (stream) File() *os.File                   { return nil }
func (stream) Close() error                     { return nil }

// LeastBytes is how many bytes any row of the sheet takes at least, in formats that are
// not InFile; from it follows that an answer is large before it is made.
func (f *Format) LeastBytes(s Sheet) (int, error) {
	w, err := f.New(s)
	if err != nil {
		return 0, err
	}
	fields := len(s.Layer.Properties())
	// Two rows: what parts them counts. A null is at most 3 bytes longer than any value.
	empty := layer.Row{Values: make([][]byte, fields)}
	once, err := w.Append(nil, &empty)
	if err == nil {
		once, err = w.Append(once[:0], &empty)
	}
	return max(0, len(once)-3*fields), errors.Join(err, w.Close())
}

// forward takes longitude and latitude to the sheet's system, in the order x, y: east
// before north, whatever the authority says. nil: they stay as they are, being in it.
func (s *Sheet) forward() func(x, y float64) (float64, float64, error) {
	if s.CRS.SRID() == layer.SRID || s.Layer.ReadsStored() {
		return nil
	}
	return func(x, y float64) (float64, float64, error) {
		p, err := s.CRS.Forward(orb.Point{x, y})
		return p[0], p[1], err
	}
}

// textDecimals is how many decimals coordinates have as text.
func (s *Sheet) textDecimals() int { return asked(s.Decimals, decimalsOf(s.CRS)) }

func decimalsOf(crs geo.CRS) int {
	if crs.Projected() {
		return decimalsMetres
	}
	return decimalsDegrees
}

// Step is the last decimal of coordinates in a reference system, as text has them where
// nobody asks for others: degrees, or metres of projected ones.
func Step(crs geo.CRS) float64 { return math.Pow10(-decimalsOf(crs)) }

// GeoJSON returns how the sheet's features are written as GeoJSON, with coordinates in
// the order of the system's own axes, as OGC API has it.
func (s *Sheet) GeoJSON() GeoJSONOptions {
	o := GeoJSONOptions{Decimals: s.textDecimals(), WithZ: s.WithZ, Transform: s.forward()}
	if o.Decimals == 0 {
		o.Decimals = NoDecimals
	}
	if s.CRS.LatFirst() {
		forward := o.Transform
		o.Transform = func(x, y float64) (float64, float64, error) {
			if forward == nil {
				return y, x, nil
			}
			x, y, err := forward(x, y)
			return y, x, err
		}
	}
	return o
}

// free is a column name that no field has: the name itself, or with underscores before.
func (s *Sheet) free(name string) string {
	for slices.ContainsFunc(s.Layer.Properties(), func(f layer.Field) bool { return strings.EqualFold(f.Name, name) }) {
		name = "_" + name
	}
	return name
}

// rowError says of which row and field an error is.
func (s *Sheet) rowError(r *layer.Row, field string, err error) error {
	if field != "" {
		field = ", " + field
	}
	return fmt.Errorf("row %d of %s%s: %w", r.ID, s.Layer.Name, field, err)
}

// checkRow compares the number of a row's values with the fields.
func (s *Sheet) checkRow(r *layer.Row) error {
	if n := len(s.Layer.Properties()); n != len(r.Values) {
		return s.rowError(r, "", fmt.Errorf("%d values for %d fields", len(r.Values), n))
	}
	return nil
}
