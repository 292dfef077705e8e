package formats

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"

	"hatang/internal/layer"
)

// Record is one feature of a file, on its way in.
type Record struct {
	Row      int // 1 for the first feature
	Feature  layer.Feature
	Faults   layer.Faults
	NotTaken []string // names in the file that are no field of the layer
	ReadOnly []string // names of fields that have a value and are not taken
	id       string   // the feature's own; "" for none
}

// ReadOptions say how one feature is read. The zero value takes longitude and latitude
// on WGS 84 and refuses properties that are no field of the layer.
type ReadOptions struct {
	System System // of the positions
	// Lenient: properties that are no field of the layer are left aside.
	Lenient bool
	// Strict: read-only fields with a value are refused; else they are left aside.
	Strict bool
}

// ReadFeature reads one GeoJSON Feature of the layer. It returns every fault, each with
// its JSON pointer.
func ReadFeature(raw []byte, l *layer.Layer, o ReadOptions) (layer.Feature, layer.Faults) {
	r := readFeature(raw, l, o.System, false)
	for _, name := range r.NotTaken {
		if !o.Lenient {
			r.Faults.Add("/properties/"+name, "lớp %s không có trường này", "the layer %s has no such field", l.Name)
		}
	}
	for _, name := range r.ReadOnly {
		if o.Strict {
			r.Faults.Add("/properties/"+name, "máy chủ tự đặt giá trị này", "the server sets this value itself")
		}
	}
	return r.Feature, r.Faults
}

// rawFeature is a Feature before its members are looked into.
type rawFeature struct {
	Type       string                     `json:"type"`
	ID         json.RawMessage            `json:"id"`
	Geometry   json.RawMessage            `json:"geometry"`
	Properties map[string]json.RawMessage `json:"properties"`
}

// readFeature reads a feature. Where it is loose, the text fields of a reference layer take
// values of any kind, as they do in files.
func readFeature(raw []byte, l *layer.Layer, from System, loose bool) Record {
	var r Record
	var f rawFeature
	if err := json.Unmarshal(raw, &f); err != nil {
		AddJSONFault(&r.Faults, "", err)
		return r
	}
	if f.Type != "Feature" {
		r.Faults.Add("/type", "phải là \"Feature\", không phải %q", "must be \"Feature\", not %q", f.Type)
	}
	r.id = idText(f.ID)
	readProperties(&r, f.Properties, l, loose && l.Reference != nil)
	if len(f.Geometry) > 0 && !bytes.Equal(f.Geometry, []byte("null")) {
		readGeometry(&r, f.Geometry, l, from)
	}
	return r
}

// readProperties matches names to fields, by name before alias.
func readProperties(r *Record, properties map[string]json.RawMessage, l *layer.Layer, loose bool) {
	r.Feature.Properties = make(map[string]any, len(properties))
	source, notTaken := matchFields(l, properties)
	r.NotTaken = notTaken
	for i := range l.Fields {
		f := &l.Fields[i]
		name, ok := source[f.Name]
		if ok && f.ReadOnly && !bytes.Equal(properties[name], []byte("null")) {
			r.ReadOnly = append(r.ReadOnly, name)
		}
		if !ok || f.ReadOnly {
			continue
		}
		decoder := json.NewDecoder(bytes.NewReader(properties[name]))
		decoder.UseNumber()
		var value any
		err := decoder.Decode(&value)
		if loose && f.Kind == layer.Text {
			value = looseText(properties[name])
		}
		if err == nil {
			value, err = f.ParseJSON(value)
		}
		if err != nil {
			r.Faults.AddError("/properties/"+name, err)
			continue
		}
		r.Feature.Properties[f.Name] = value
	}
}

// matchFields says which property feeds each field: an alias that stands before
// the field's own name in preference (full_name before name) wins.
func matchFields[T any](l *layer.Layer, properties map[string]T) (source map[string]string, notTaken []string) {
	source = map[string]string{}
	taken := map[string]bool{}
	for i := range l.Fields {
		f := &l.Fields[i]
		for _, name := range f.ImportNames() {
			if _, ok := properties[name]; ok {
				taken[name] = true
				if source[f.Name] == "" {
					source[f.Name] = name
				}
			}
		}
	}
	for name := range properties {
		if !taken[name] {
			notTaken = append(notTaken, name)
		}
	}
	sort.Strings(notTaken)
	return source, notTaken
}

// ErrNotGeoJSON is returned for a file that is no GeoJSON at all.
var ErrNotGeoJSON = errors.New("the file is not GeoJSON")

// ErrFollowed is returned, beside ErrNotGeoJSON, for a file that goes on after its end, as one of a
// feature a line does.
var ErrFollowed = errors.New("something follows its end")

// MaxFeatureBytes is how long the text of one feature of a file may be. A longer one is
// refused; where it is more than a little longer reading ends there with ErrTooLong,
// because it is never held to its end.
const MaxFeatureBytes = 20 << 20

// aLittle is how much longer a feature may be and still be passed over.
const aLittle = 1 << 20

// ErrTooLong is returned for a file with a feature, or another member, far over its limit.
var ErrTooLong = errors.New("a feature is too long")

// ErrEmpty is returned for a file or collection without features.
var ErrEmpty = errors.New("the file holds no features")

// ReadGeoJSON reads a FeatureCollection, or a single Feature, one feature at a time
// and hands each to the callback, faults and all; an error of the callback stops it.
// The coordinates are in the system that resolve returns for the file's crs member, "" where
// it has none; a nil resolve takes them for WGS 84. Memory is bounded by the largest feature
// and the collection's own members, not by the file.
func ReadGeoJSON(in io.Reader, l *layer.Layer, resolve func(crs string) (System, error), each func(Record) error) error {
	var from System
	row := 0
	_, err := readGeoJSON(in, MaxFeatureBytes, func(crs string) (err error) {
		if resolve != nil {
			from, err = resolve(crs)
		}
		return err
	}, func(raw []byte) error {
		row++
		r := Record{}
		if len(raw) > MaxFeatureBytes {
			r.Faults.Add("", "dài hơn %d byte", "is longer than %d bytes", MaxFeatureBytes)
		} else {
			r = readFeature(raw, l, from, true)
		}
		r.Row = row
		takeCode(&r, l)
		return each(r)
	})
	return err
}

// readGeoJSON hands the text of each feature of a file on, after the name of its reference
// system, and returns the members of the whole that it has not looked at. Reading ends at a
// feature that is more than a little longer than most.
func readGeoJSON(in io.Reader, most int, crs func(name string) error, each func(raw []byte) error) (map[string]json.RawMessage, error) {
	gate := &gate{in: skipBOM(in), most: most}
	gate.open()
	decoder := json.NewDecoder(gate)
	start, err := decoder.Token()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: it is empty", ErrEmpty)
	}
	var syntax *json.SyntaxError
	if err != nil && !errors.As(err, &syntax) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err // the file cannot be read, whatever it is
	}
	if err != nil || start != json.Delim('{') {
		return nil, ErrNotGeoJSON
	}
	c := collection{gate: gate, decoder: decoder, resolve: crs, each: each}
	if err := c.members(); err != nil {
		return nil, err
	}
	return c.rest, c.finish()
}

// gate lets through so much of a file, each time that it is opened, that the longest
// feature comes whole, and no more.
type gate struct {
	in         io.Reader
	most, left int
}

func (g *gate) open() { g.left = g.most + aLittle }

func (g *gate) Read(p []byte) (int, error) {
	if g.left <= 0 {
		return 0, fmt.Errorf("%w: more than %d bytes", ErrTooLong, g.most)
	}
	n, err := g.in.Read(p)
	g.left -= n
	return n, err
}

// collection is a FeatureCollection being read.
type collection struct {
	gate     *gate
	decoder  *json.Decoder
	resolve  func(crs string) error
	resolved bool
	each     func(raw []byte) error
	kind     string
	rows     int
	rest     map[string]json.RawMessage // members of a single Feature
	held     int                        // bytes of these
}

func (c *collection) members() error {
	c.rest = map[string]json.RawMessage{}
	for c.decoder.More() {
		c.gate.open()
		key, err := c.decoder.Token()
		if err != nil {
			return broken(err)
		}
		switch key {
		case "features":
			err = c.features()
		case "crs":
			err = c.crs()
		default:
			var raw json.RawMessage
			if err = c.decoder.Decode(&raw); err == nil {
				c.rest[fmt.Sprint(key)] = raw
				if c.held += len(raw); c.held > c.gate.most {
					err = fmt.Errorf("%w: its other members are more than %d bytes", ErrTooLong, c.gate.most)
				}
			}
		}
		if err != nil {
			return broken(err)
		}
	}
	if _, err := c.decoder.Token(); err != nil {
		return broken(err)
	}
	// Two files run together would lose the second without a word.
	if _, err := c.decoder.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %w", ErrNotGeoJSON, ErrFollowed)
	}
	return nil
}

// crs reads the member of GeoJSON's 2008 text that names a reference system.
func (c *collection) crs() error {
	var member struct {
		Properties struct {
			Name string `json:"name"`
		} `json:"properties"`
	}
	if err := c.decoder.Decode(&member); err != nil {
		return err
	}
	if c.rows > 0 {
		return errors.New("the crs member stands after the features it speaks of")
	}
	return c.resolveCRS(member.Properties.Name)
}

func (c *collection) resolveCRS(name string) error {
	if c.resolved {
		return nil
	}
	c.resolved = true
	return c.resolve(name)
}

func (c *collection) features() error {
	open, err := c.decoder.Token()
	if err != nil {
		return err
	}
	if open != json.Delim('[') {
		return fmt.Errorf("%w: \"features\" is not a list", ErrNotGeoJSON)
	}
	for c.decoder.More() {
		c.gate.open()
		var raw json.RawMessage
		if err := c.decoder.Decode(&raw); err != nil {
			return err
		}
		if err := c.feature(raw); err != nil {
			return err
		}
	}
	_, err = c.decoder.Token()
	return err
}

func (c *collection) feature(raw []byte) error {
	if err := c.resolveCRS(""); err != nil {
		return err
	}
	c.rows++
	return c.each(raw)
}

// finish tells a single Feature from a file that is neither.
func (c *collection) finish() error {
	if err := json.Unmarshal(c.rest["type"], &c.kind); err != nil {
		return fmt.Errorf("%w: it has no \"type\"", ErrNotGeoJSON)
	}
	switch {
	case c.kind == "Feature":
		raw, err := json.Marshal(c.rest)
		if err != nil {
			return broken(err)
		}
		return c.feature(raw)
	case c.kind != "FeatureCollection":
		return fmt.Errorf("%w of features: its type is %q", ErrNotGeoJSON, c.kind)
	case c.rows == 0:
		return ErrEmpty
	}
	return nil
}

// broken says where the text of a file stops being JSON.
func broken(err error) error {
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return fmt.Errorf("%w: the JSON is broken at byte %d: %w", ErrNotGeoJSON, syntax.Offset, err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: the file ends in the middle", ErrNotGeoJSON)
	}
	return err
}

// skipBOM drops a UTF-8 byte order mark, which Windows programs write.
func skipBOM(in io.Reader) io.Reader {
	head := make([]byte, 3)
	n, err := io.ReadFull(in, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return io.MultiReader(bytes.NewReader(head[:n]), in)
	}
	if n == 3 && strings.HasPrefix(string(head), "\ufeff") {
		return in
	}
	return io.MultiReader(bytes.NewReader(head[:n]), in)
}
