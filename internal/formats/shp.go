package formats

import (
	"errors"
	"fmt"
	"os"
	"strings"

	geom "github.com/twpayne/go-geom"

	"hatang/internal/layer"
)

// shapefile writes a zip of Shapefiles (ESRI, 1998): shapes (.shp, .shx), dBase table
// (.dbf, UTF-8, which .cpg says), reference system (.prj in ESRI's words), x before y in
// any; and FIELDS.txt, which says what each column is called elsewhere, as names have ten
// characters at most. A layer of geometries of one kind is one file, with null shapes for
// rows that have none; others have a file for each kind, and a table alone of the rest.
//
// What dBase has no room for: texts end after 254 bytes, and FIELDS.txt counts those that
// were longer; an empty text is none; instants and lists are texts. Outer rings run clockwise.
//
// Shapes and values go to temporary files as they come, 4 bytes a row are kept in memory,
// and the zip is put together at the end.
type shapefile struct {
	sheet   Sheet
	zip     *zipFile
	columns []dbfColumn
	parts   []*shapePart // in the order of shapeKinds, nil where there is none
	left    int64        // bytes that the files in the making may take
	row     []byte
}

// Limits of Shapefiles.
const (
	MaxShapefileBytes = 1<<31 - 1 // of each of its files, as far as programs read
	MaxShapefileText  = 254       // bytes of a text
)

// shapeKind is a kind of shape that a file has, and no other.
type shapeKind struct {
	suffix string // of the file's name, where a layer has several kinds
	code   uint32
}

const withHeightsCode = 10 // is added to a code where shapes have heights

// The places of kinds in shapeKinds.
const (
	ofPoints = iota
	ofMultiPoints
	ofLines
	ofAreas
	ofNone
)

var shapeKinds = [...]shapeKind{{"_points", 1}, {"_multipoints", 8}, {"_lines", 3}, {"_areas", 5}, {"_none", 0}}

func newShapefile(s Sheet) (Writer, error) {
	f := &shapefile{sheet: s, columns: dbfColumns(&s), parts: make([]*shapePart, len(shapeKinds)), left: s.maxBytes()}
	var err error
	if f.zip, err = newZipFile(&s); err == nil {
		_, err = f.part(f.first())
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// first is the kind of which there is a file even if no row has it.
func (f *shapefile) first() int {
	switch f.sheet.Layer.Geometry {
	case layer.Point:
		return ofPoints
	case layer.MultiPoint:
		return ofMultiPoints
	case layer.MultiLineString:
		return ofLines
	case layer.MultiPolygon:
		return ofAreas
	}
	return ofNone
}

// kindOf is the kind that a geometry goes to.
func (f *shapefile) kindOf(g geom.T) (int, error) {
	kind := ofNone
	switch g.(type) {
	case nil:
		return f.first(), nil
	case *geom.Point:
		kind = ofPoints
	case *geom.MultiPoint:
		kind = ofMultiPoints
	case *geom.LineString, *geom.MultiLineString:
		kind = ofLines
	case *geom.Polygon, *geom.MultiPolygon:
		kind = ofAreas
	}
	if kind == ofNone || f.sheet.Layer.Geometry != layer.AnyGeometry && kind != f.first() {
		return 0, ErrGeometry
	}
	return kind, nil
}

// part is the file of a kind, made when there is none.
func (f *shapefile) part(kind int) (*shapePart, error) {
	if f.parts[kind] != nil {
		return f.parts[kind], nil
	}
	p := &shapePart{code: shapeKinds[kind].code, stride: 2, widths: make([]dbfWidth, len(f.columns))}
	if kind == ofLines && f.sheet.Layer.HasZ && f.sheet.WithZ {
		p.code, p.stride = p.code+withHeightsCode, 3
	}
	f.parts[kind] = p
	var err error
	if p.records, err = newSpool(&f.left); err == nil {
		p.values, err = newSpool(&f.left)
	}
	return p, err
}

// Begin implements Writer.
func (f *shapefile) Begin(dst []byte) ([]byte, error) { return dst, nil }

// Append implements Writer.
func (f *shapefile) Append(dst []byte, r *layer.Row) ([]byte, error) {
	if err := f.sheet.checkRow(r); err != nil {
		return dst, err
	}
	g, err := f.sheet.shape(r.Geometry)
	if err != nil {
		return dst, f.sheet.rowError(r, "", err)
	}
	kind, err := f.kindOf(g)
	if err != nil {
		return dst, f.sheet.rowError(r, "", err)
	}
	p, err := f.part(kind)
	if err != nil {
		return dst, err
	}
	f.row = f.row[:0]
	for i := range f.columns {
		if f.row, err = f.columns[i].append(f.row, r, &p.widths[i]); err != nil {
			return dst, f.sheet.rowError(r, f.columns[i].source, err)
		}
	}
	if _, err := p.values.Write(f.row); err != nil {
		return dst, err
	}
	return dst, p.add(g)
}

// End implements Writer.
func (f *shapefile) End(dst []byte) ([]byte, error) {
	for kind, p := range f.parts {
		if p == nil || kind == ofNone && len(p.lengths) == 0 && f.several() {
			continue
		}
		if err := f.put(f.name(kind), p); err != nil {
			return dst, err
		}
	}
	if err := f.zip.text("FIELDS.txt", f.names()); err != nil {
		return dst, err
	}
	return dst, f.zip.finish()
}

// several reports whether any kind has a file beside the table of rows without geometry.
func (f *shapefile) several() bool {
	for _, p := range f.parts[:ofNone] {
		if p != nil {
			return true
		}
	}
	return false
}

func (f *shapefile) name(kind int) string {
	if f.sheet.Layer.Geometry == layer.AnyGeometry {
		return f.sheet.Layer.Name + shapeKinds[kind].suffix
	}
	return f.sheet.Layer.Name
}

// put writes the files of a kind.
func (f *shapefile) put(name string, p *shapePart) error {
	if p.code != 0 {
		if err := p.write(f.zip, name); err != nil {
			return err
		}
		if err := f.zip.text(name+".prj", f.sheet.CRS.ESRI()); err != nil {
			return err
		}
	}
	w, err := f.zip.member(name + ".dbf")
	if err != nil {
		return err
	}
	if err := p.writeTable(w, f.columns); err != nil {
		return err
	}
	return f.zip.text(name+".cpg", "UTF-8")
}

// names is what FIELDS.txt says: a line for each column, tabs between.
func (f *shapefile) names() string {
	var b strings.Builder
	b.WriteString("column\tfield\tunit\ttitle_vi\ttitle_en\ttexts_cut\n")
	for i := range f.columns {
		c, cut := &f.columns[i], 0
		for _, p := range f.parts {
			if p != nil {
				cut += p.widths[i].cut
			}
		}
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\t%s\t%d\n", c.name, c.source, c.unit, oneLine(c.title.VI), oneLine(c.title.EN), cut)
	}
	return b.String()
}

// oneLine is a text without line breaks and tabs.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// File implements Writer.
func (f *shapefile) File() *os.File { return f.zip.give() }

// Close implements Writer.
func (f *shapefile) Close() error {
	var files []*os.File
	for _, p := range f.parts {
		if p == nil {
			continue
		}
		for _, s := range []*spool{p.records, p.values} {
			if s != nil {
				files = append(files, s.file)
			}
		}
	}
	if f.zip != nil {
		files = append(files, f.zip.file)
	}
	return closeAll(files...)
}
