package tables

import (
	"bufio"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"hatang/internal/layer"
)

// kml is the placemarks of a KML file (OGC 12-007): their names, descriptions, the names of
// the folders they are in, and their data.
type kml struct {
	file    file
	columns []string
	at      map[string]int    // the column of each value
	types   map[string]string // of the fields of schemas
	guesses []Guess
}

// Where values stand that are no data of their own, as keys of kml.at.
const (
	kmlName        = "\x00name"
	kmlDescription = "\x00description"
	kmlFolder      = "\x00folder"
)

var errNoPlacemarks = layer.Wrong("tệp KML không có đối tượng (Placemark) nào", "the KML file has no placemarks")

// openKML reads a file once for the names of its data.
func openKML(ctx context.Context, f file, o Options) (Table, error) {
	if o.Table != "" {
		return nil, noTables("KML", o.Table)
	}
	k := &kml{file: f, types: map[string]string{}}
	survey := &kmlSurvey{of: k, seen: map[string]bool{}, folders: map[string]bool{}}
	if err := k.placemarks(ctx, survey.schema, survey.link, survey.placemark); err != nil {
		return nil, err
	}
	if !survey.some {
		return nil, errNoPlacemarks
	}
	if survey.links > 0 {
		k.guesses = append(k.guesses, Guess{"links", strconv.Itoa(survey.links), "links to other files are not followed"})
	}
	k.settle(survey)
	return k, nil
}

// settle puts the columns in their order.
func (k *kml) settle(s *kmlSurvey) {
	var keys, names []string
	for _, own := range []string{kmlName, kmlDescription, kmlFolder} {
		if s.seen[own] && (own != kmlFolder || len(s.folders) > 1) {
			keys, names = append(keys, own), append(names, own[1:])
		}
	}
	for _, field := range s.fields {
		if s.seen[field] {
			keys, names = append(keys, field), append(names, field)
		}
	}
	k.at = map[string]int{}
	for i, key := range keys {
		k.at[key] = i
	}
	k.columns = uniqueNames(names)
}

// kmlSurvey is what a first reading finds.
type kmlSurvey struct {
	of      *kml
	some    bool
	links   int
	fields  []string // of schemas, then of data, in their order
	seen    map[string]bool
	folders map[string]bool
}

func (s *kmlSurvey) link() { s.links++ }

// schema notes a field and its type; one of which schemas differ is text.
func (s *kmlSurvey) schema(name, kind string) error {
	if known, ok := s.of.types[name]; ok {
		if known != cut(kind, maxNameBytes) {
			s.of.types[name] = ""
		}
		return nil
	}
	if err := s.field(name); err != nil {
		return err
	}
	s.of.types[name] = cut(kind, maxNameBytes)
	return nil
}

func (s *kmlSurvey) field(name string) error {
	if slices.Contains(s.fields, name) {
		return nil
	}
	if len(s.fields) >= MaxColumns {
		return tooManyColumns()
	}
	if err := checkName(name); err != nil {
		return err
	}
	s.fields = append(s.fields, name)
	return nil
}

func (s *kmlSurvey) placemark(p *placemark) error {
	s.some = true
	if p.folder != "" && len(s.folders) < 2 {
		s.folders[p.folder] = true
	}
	for key := range p.values {
		if s.seen[key] {
			continue
		}
		if key[0] != 0 {
			if err := s.field(key); err != nil {
				return err
			}
		}
		s.seen[key] = true
	}
	return nil
}

// placemark is one as it stands in the file.
type placemark struct {
	folder string
	values map[string]string
	shape  *builder
	err    error // of the shape
}

// placemarks runs over the file. Fields of schemas are handed on where they stand, which may
// be behind the placemarks.
func (k *kml) placemarks(ctx context.Context, field func(name, kind string) error, link func(), each func(*placemark) error) (err error) {
	in, err := k.file.read(ctx)
	if err != nil {
		return err
	}
	defer closing(in, &err)
	r := &kmlReader{x: newXMLStream(bufio.NewReaderSize(in, 1<<16), MaxRowBytes)}
	for {
		r.x.open()
		token, err := r.x.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.EndElement:
			if e.Name.Local == "Folder" || e.Name.Local == "Document" {
				r.folders = r.folders[:len(r.folders)-1]
			}
		case xml.StartElement:
			switch e.Name.Local {
			case "Folder", "Document":
				r.folders = append(r.folders, "")
			case "name":
				var name string
				if name, err = r.x.text(); len(r.folders) > 0 {
					r.folders[len(r.folders)-1] = cut(strings.TrimSpace(name), maxNameBytes)
				}
			case "SimpleField":
				if name := fieldName(attribute(e, "name")); field != nil && name != "" {
					err = field(name, attribute(e, "type"))
				}
			case "NetworkLink":
				if link != nil {
					link()
				}
				err = r.x.skip()
			case "Style", "StyleMap", "Region", "Camera", "LookAt", "GroundOverlay", "ScreenOverlay", "PhotoOverlay":
				err = r.x.skip()
			case "Placemark":
				var p *placemark
				if p, err = r.placemark(); err == nil {
					err = each(p)
				}
			}
			if err != nil {
				return err
			}
		}
	}
}

// fieldName is the name of a value as a key: without a byte that keys of ours begin with.
func fieldName(s string) string { return strings.Trim(s, "\x00 \t\r\n") }

// Columns implements Table.
func (k *kml) Columns() []string { return k.columns }

// CRS implements Table: the format has but one.
func (k *kml) CRS() string { return "OGC:CRS84" }

// Guesses implements Table.
func (k *kml) Guesses() []Guess { return k.guesses }

// Close implements Table.
func (k *kml) Close() error { return nil }

// Read implements Table.
func (k *kml) Read(ctx context.Context, each func(*Row) error) error {
	row := &Row{Cells: make([]any, len(k.columns))}
	return k.placemarks(ctx, nil, nil, func(p *placemark) error {
		row.Number++
		row.Faults, row.Geometry = nil, nil
		clear(row.Cells)
		for key, text := range p.values {
			if at, ok := k.at[key]; ok {
				row.Cells[at] = k.value(key, text)
			}
		}
		if p.err != nil {
			row.Faults.AddError("/geometry", p.err)
		} else if p.shape != nil {
			row.Geometry = p.shape.geometry()
		}
		return each(row)
	})
}

// value is a text as what its schema says it is, where it is that.
func (k *kml) value(key, text string) any {
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	switch k.types[key] {
	case "int", "uint", "short", "ushort":
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			return i
		}
	case "float", "double":
		if f, err := strconv.ParseFloat(text, 64); err == nil && f-f == 0 {
			return f
		}
	case "bool":
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	}
	return norm.NFC.String(strings.ReplaceAll(text, "\x00", "\ufffd"))
}

// kmlReader reads what is in a placemark.
type kmlReader struct {
	x       *xmlStream
	folders []string
}

// placemark reads the one that has just begun.
func (r *kmlReader) placemark() (*placemark, error) {
	p := &placemark{values: map[string]string{}}
	for _, f := range r.folders {
		if f != "" {
			p.folder = f
		}
	}
	if p.folder != "" {
		p.values[kmlFolder] = p.folder
	}
	for {
		token, err := r.x.next()
		if err != nil {
			return nil, err
		}
		switch e := token.(type) {
		case xml.EndElement:
			if e.Name.Local == "Placemark" {
				return p, nil
			}
		case xml.StartElement:
			if err := r.member(p, e); err != nil {
				return nil, err
			}
		}
	}
}

// member reads a member of a placemark.
func (r *kmlReader) member(p *placemark, e xml.StartElement) error {
	keep := func(key string, read func() (string, error)) error {
		text, err := read()
		if len(p.values) > MaxColumns {
			return tooManyColumns()
		}
		if key != "" && strings.TrimSpace(text) != "" {
			p.values[key] = text
		}
		return err
	}
	switch e.Name.Local {
	case "name":
		return keep(kmlName, r.x.text)
	case "description":
		return keep(kmlDescription, r.x.text)
	case "ExtendedData", "SchemaData":
		return nil // what is in them follows
	case "SimpleData":
		return keep(fieldName(attribute(e, "name")), r.x.text)
	case "Data":
		return keep(fieldName(attribute(e, "name")), r.data)
	case "Point", "LineString", "LinearRing", "Polygon", "MultiGeometry", "Track", "MultiTrack", "Model":
		if p.shape != nil {
			p.err = errCollection() // one more than a placemark has
		}
		p.shape = &builder{}
		fault, err := r.shape(p.shape, e.Name.Local)
		if fault != nil {
			p.err = fault
		}
		return err
	}
	return r.x.skip()
}

// data reads the value of the Data that has just begun, which may have a name to show, too.
func (r *kmlReader) data() (value string, err error) {
	for {
		token, err := r.x.next()
		if err != nil {
			return "", err
		}
		switch e := token.(type) {
		case xml.EndElement:
			return value, nil
		case xml.StartElement:
			if e.Name.Local == "value" {
				value, err = r.x.text()
			} else {
				err = r.x.skip()
			}
			if err != nil {
				return "", err
			}
		}
	}
}
