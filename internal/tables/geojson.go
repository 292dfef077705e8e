package tables

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"github.com/twpayne/go-geom"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
)

// geoJSON is the features of a GeoJSON file: a collection, one feature, or one after another
// (RFC 8142, or a line each).
type geoJSON struct {
	file     file
	sequence bool
	columns  []string
	at       map[string]int // the column of each property
	id       bool           // the first column is the features' own id
	crs      string
	codec    codec
	guesses  []Guess
}

// feature is one, before its members are looked into.
type feature struct {
	Type       string
	ID         json.RawMessage
	Geometry   json.RawMessage
	Properties formats.Members
}

// isGeoJSON reports whether a file starts as JSON does.
func isGeoJSON(start []byte) bool {
	rest := text(bytes.TrimLeft(text(start), "\x1e"))
	return len(rest) > 0 && rest[0] == '{'
}

// openGeoJSON reads a file once, for the names of its properties.
func openGeoJSON(ctx context.Context, f file, o Options) (Table, error) {
	if o.Table != "" {
		return nil, noTables("GeoJSON", o.Table)
	}
	start, err := f.head(ctx, headBytes)
	if err != nil {
		return nil, err
	}
	g := &geoJSON{file: f, sequence: isSequence(start), at: map[string]int{}}
	var names []string
	var texts specimen
	ids, named := false, false
	err = g.each(ctx, func(raw []byte) error {
		var f feature
		if json.Unmarshal(raw, &f) != nil {
			return nil //nolint:nilerr // it is no feature: the row says so when it is read
		}
		ids = ids || idOf(f.ID) != nil
		for _, m := range f.Properties {
			if texts.sample(m.Value); g.at[m.Name] > 0 {
				continue
			}
			if len(names) >= MaxColumns {
				return tooManyColumns()
			}
			if err := checkName(m.Name); err != nil {
				return err
			}
			names = append(names, m.Name)
			g.at[m.Name] = len(names) // one more than where it is, until it is known whether an id comes first
			named = named || m.Name == "id"
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	g.id = ids && !named
	if g.id {
		names = append([]string{"id"}, names...)
	} else {
		for name := range g.at {
			g.at[name]--
		}
	}
	if g.codec, g.guesses, err = texts.fonts(o.Encoding); err != nil {
		return nil, err
	}
	for i := range names {
		names[i], _ = g.codec.text(names[i])
	}
	g.columns = uniqueNames(names)
	return g, nil
}

// sample takes a value, if it is a text.
func (s *specimen) sample(raw json.RawMessage) {
	if len(raw) > 1 && raw[0] == '"' && len(s.text) < maxSpecimen {
		var text string
		if json.Unmarshal(raw, &text) == nil {
			s.add([]byte(text))
		}
	}
}

// fonts settles whether texts that must be UTF-8 are what they say, or for an old font.
func (s *specimen) fonts(asked string) (codec, []Guess, error) {
	c, guesses, err := s.guess(asked, "as was said")
	if err != nil || c.raw != nil && c.inside {
		return c, guesses, err
	}
	return utf8Codec(), nil, nil
}

// isSequence tells features one after another from a collection, by the type of the first
// object; where the file's start does not say it is a collection.
func isSequence(start []byte) bool {
	if bytes.IndexByte(start, 0x1e) >= 0 && text(start)[0] == 0x1e {
		return true
	}
	decoder := json.NewDecoder(bytes.NewReader(text(start)))
	if _, err := decoder.Token(); err != nil {
		return false
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil || key == "features" {
			return false
		}
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			return false
		}
		if key == "type" {
			return string(value) == `"Feature"`
		}
	}
	return false
}

// each hands on the text of each feature, and notes the reference system.
func (g *geoJSON) each(ctx context.Context, each func(raw []byte) error) (err error) {
	in, err := g.file.read(ctx)
	if err != nil {
		return err
	}
	defer closing(in, &err)
	buffered := bufio.NewReaderSize(in, 1<<16)
	if g.sequence {
		return g.one(buffered, each)
	}
	note := func(name string) error {
		g.crs = systemOfName(name)
		return nil
	}
	return inWords(formats.EachFeature(buffered, MaxRowBytes, note, each))
}

// one reads features one after another.
func (g *geoJSON) one(in io.Reader, each func(raw []byte) error) error {
	gate := newGate(&recordSeparators{in}, MaxRowBytes, errLongFeature())
	decoder := json.NewDecoder(gate)
	for n := 0; ; n++ {
		gate.open()
		var raw json.RawMessage
		err := decoder.Decode(&raw)
		var said *layer.ValueError
		switch {
		case errors.Is(err, io.EOF) && n == 0:
			return errNothing()
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &said):
			return said
		case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
			return err
		case err != nil:
			return layer.Wrong("JSON hỏng ở đối tượng thứ %d: %v", "the JSON is broken at feature %d: %v", n+1, err)
		}
		if n == 0 {
			g.crs = crsMember(raw)
		}
		if err := each(raw); err != nil {
			return err
		}
	}
}

func errLongFeature() error {
	return layer.Wrong("một đối tượng dài hơn %d byte", "a feature is longer than %d bytes", MaxRowBytes)
}

// recordSeparators makes blanks of the characters that RFC 8142 puts before texts: they stand in
// no JSON otherwise.
type recordSeparators struct{ in io.Reader }

// Read implements io.Reader.
func (s *recordSeparators) Read(p []byte) (int, error) {
	n, err := s.in.Read(p)
	for i, c := range p[:n] {
		if c == 0x1e {
			p[i] = ' '
		}
	}
	return n, err
}

// inWords says errors of package formats in both languages.
func inWords(err error) error {
	var which *formats.WhichTableError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &which):
		return &WhichError{which.Tables}
	case errors.Is(err, formats.ErrEmpty):
		return layer.Wrong("tệp không có đối tượng nào", "the file holds no features")
	case errors.Is(err, formats.ErrTooLong):
		return errLongFeature()
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, formats.ErrNotGeoJSON):
		return layer.Wrong("không đọc được GeoJSON: %v", "the GeoJSON cannot be read: %v", err)
	case errors.Is(err, formats.ErrNotGeoPackage):
		return layer.Wrong("không đọc được GeoPackage: %v", "the GeoPackage cannot be read: %v", err)
	}
	return err
}

// crsMember reads the name of the crs member of a feature, "" for none.
func crsMember(raw []byte) string {
	var f struct {
		CRS struct {
			Properties struct{ Name string }
		}
	}
	if json.Unmarshal(raw, &f) != nil {
		return ""
	}
	return systemOfName(f.CRS.Properties.Name)
}

// systemOfName is an authority and a code, where a name is one of the ways to write them; else
// the name.
func systemOfName(name string) string {
	if c, err := geo.ParseCRS(name); err == nil && name != "" {
		return c.String()
	}
	if m := epsgName.FindStringSubmatch(name); m != nil {
		return "EPSG:" + m[1]
	}
	return ownWords(name)
}

// Columns implements Table.
func (g *geoJSON) Columns() []string { return g.columns }

// CRS implements Table.
func (g *geoJSON) CRS() string { return g.crs }

// Guesses implements Table.
func (g *geoJSON) Guesses() []Guess { return g.guesses }

// Close implements Table.
func (g *geoJSON) Close() error { return nil }

// Read implements Table.
func (g *geoJSON) Read(ctx context.Context, each func(*Row) error) error {
	row := &Row{Cells: make([]any, len(g.columns))}
	return g.each(ctx, func(raw []byte) error {
		row.Number++
		row.Geometry, row.Faults = nil, nil
		clear(row.Cells)
		var f feature
		switch err := json.Unmarshal(raw, &f); {
		case len(raw) > MaxRowBytes:
			row.Faults.AddError("", errLongFeature())
		case err != nil:
			row.Faults.Add("", "không phải đối tượng GeoJSON: %v", "not a GeoJSON feature: %v", err)
		case f.Type != "Feature":
			row.Faults.Add("", "kiểu phải là \"Feature\", không phải %q", "its type must be \"Feature\", not %q", cut(f.Type, 40))
		default:
			g.take(row, &f)
		}
		return each(row)
	})
}

// take reads the members of a feature.
func (g *geoJSON) take(row *Row, f *feature) {
	if g.id {
		row.Cells[0] = idOf(f.ID)
	}
	for _, m := range f.Properties {
		at, ok := g.at[m.Name]
		if !ok {
			continue // the file has been changed since it was opened
		}
		value := valueOfJSON(m.Value)
		if text, isText := value.(string); isText {
			decoded, ok := g.codec.text(text)
			if value = decoded; !ok {
				badText(row, g.columns[at], g.codec, text)
			}
		}
		row.Cells[at] = value
	}
	var err error
	if row.Geometry, err = shapeOfJSON(f.Geometry); err != nil {
		row.Faults.AddError("/geometry", err)
	}
}

// idOf is a feature's id: a text or a number; nil for none.
func idOf(raw json.RawMessage) any {
	switch v := valueOfJSON(raw).(type) {
	case string, int64, float64:
		return v
	}
	return nil
}

// valueOfJSON is a value of JSON as a cell holds it; lists and objects are the text they are
// written in.
func valueOfJSON(raw json.RawMessage) any {
	switch {
	case len(raw) == 0 || raw[0] == 'n':
		return nil
	case raw[0] == '"':
		var text string
		if json.Unmarshal(raw, &text) != nil || text == "" {
			return nil
		}
		return text
	case raw[0] == 't' || raw[0] == 'f':
		return raw[0] == 't'
	case raw[0] == '{' || raw[0] == '[':
		var b bytes.Buffer
		if json.Compact(&b, raw) != nil {
			return nil
		}
		return b.String()
	}
	if i, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return i
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return string(raw) // a number that no float holds
	}
	return f
}

// shapeOfJSON reads a geometry; nil for null.
func shapeOfJSON(raw json.RawMessage) (geom.T, error) {
	if len(raw) == 0 || raw[0] == 'n' {
		return nil, nil
	}
	var g struct {
		Type        string
		Coordinates json.RawMessage
	}
	if err := json.Unmarshal(raw, &g); err != nil {
		return nil, layer.Wrong("không phải hình GeoJSON: %v", "not a GeoJSON geometry: %v", err)
	}
	return coordinatesOf(g.Type, g.Coordinates)
}
