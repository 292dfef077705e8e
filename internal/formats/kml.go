package formats

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strconv"

	geom "github.com/twpayne/go-geom"

	"hatang/internal/layer"
)

// kmlWriter writes a KML 2.2 document: a schema of the layer's fields, a style for each
// colour of its legend, and a placemark for each feature, whose values stand in
// SchemaData. Numbers are double, also whole ones: KML's int has 32 bits. Dates are
// strings, there being no type for them. Heights are metres above the ground, and below
// it where negative.
//
// It is written as it comes, not by way of a tree of elements, which takes twelve times
// as long.
type kmlWriter struct {
	stream
	sheet  Sheet
	name   int // the fields that placemarks are called by; -1 for none
	code   int
	colour int // the field whose values have styles of their own; -1 for none
	value  []byte
	keys   []string // starts of the SimpleData elements, by field
}

func newKML(s Sheet) (Writer, error) {
	k := &kmlWriter{sheet: s, name: -1, code: -1, colour: -1}
	for i, f := range s.Layer.Properties() {
		switch f.Name {
		case "name":
			k.name = i
		case "code":
			k.code = i
		}
		if f.Name == s.Layer.ColourBy {
			k.colour = i
		}
		k.keys = append(k.keys, `<SimpleData name="`+escaped(f.Name)+`">`)
	}
	return k, nil
}

// appender is where encoders that want a writer append to.
type appender []byte

// Write implements io.Writer; it never fails.
func (a *appender) Write(b []byte) (int, error) {
	*a = append(*a, b...)
	return len(b), nil
}

// appendXML appends text with what XML may not hold escaped or replaced.
func appendXML(dst, text []byte) []byte {
	a := appender(dst)
	_ = xml.EscapeText(&a, text) // an appender takes everything
	return a
}

func escaped(text string) string { return string(appendXML(nil, []byte(text))) }

// Begin implements Writer.
func (k *kmlWriter) Begin(dst []byte) ([]byte, error) {
	l, language := k.sheet.Layer, k.sheet.Language
	dst = fmt.Appendf(dst, xml.Header+`<kml xmlns="http://www.opengis.net/kml/2.2"><Document id="%s"><name>%s</name><description>%s</description>`+"\n",
		escaped(l.Name), escaped(l.Title.In(language)), escaped(l.Doc.In(language)))
	dst = appendStyle(dst, "layer", l.Colour)
	if k.colour >= 0 {
		for i, v := range l.Properties()[k.colour].Values {
			if v.Colour != "" {
				dst = appendStyle(dst, "value-"+strconv.Itoa(i), v.Colour)
			}
		}
	}
	dst = fmt.Appendf(dst, `<Schema name="%s" id="schema">`+"\n", escaped(l.Name))
	dst = appendField(dst, "string", k.sheet.free("id"), "Id")
	for _, f := range l.Properties() {
		kind := "string"
		switch f.Kind {
		case layer.Integer, layer.Number:
			kind = "double"
		case layer.Boolean:
			kind = "bool"
		}
		dst = appendField(dst, kind, f.Name, f.Title.In(language))
	}
	return append(dst, "</Schema>\n"...), nil
}

func appendField(dst []byte, kind, name, title string) []byte {
	return fmt.Appendf(dst, `<SimpleField type="%s" name="%s"><displayName>%s</displayName></SimpleField>`+"\n", kind, escaped(name), escaped(title))
}

// appendStyle writes a style in a CSS colour of the form #rrggbb; anything else is grey.
func appendStyle(dst []byte, id, css string) []byte {
	rgb, err := strconv.ParseUint(css[min(1, len(css)):], 16, 32)
	if err != nil || len(css) != 7 {
		rgb = 0x808080
	}
	bgr := fmt.Sprintf("%02x%02x%02x", rgb&0xff, rgb>>8&0xff, rgb>>16) // KML has blue first
	return fmt.Appendf(dst, `<Style id="%s"><IconStyle><color>ff%s</color></IconStyle><LineStyle><color>ff%s</color><width>2</width></LineStyle><PolyStyle><color>66%s</color></PolyStyle></Style>`+"\n", id, bgr, bgr, bgr)
}

// Append implements Writer.
func (k *kmlWriter) Append(dst []byte, r *layer.Row) ([]byte, error) {
	if err := k.sheet.checkRow(r); err != nil {
		return dst, err
	}
	id := strconv.FormatInt(r.ID, 10)
	dst = append(append(append(append(dst, `<Placemark id="`...), escaped(k.sheet.Layer.Name)...), '.'), id...)
	dst = append(dst, `">`...)
	for _, of := range []int{k.name, k.code} {
		if of >= 0 && r.Values[of] != nil {
			dst = append(appendXML(append(dst, "<name>"...), r.Values[of]), "</name>"...)
			break
		}
	}
	dst = append(append(append(dst, "<styleUrl>#"...), k.style(r)...), "</styleUrl>"...)
	dst = append(append(append(dst, `<ExtendedData><SchemaData schemaUrl="#schema"><SimpleData name="`...), k.sheet.free("id")...), `">`...)
	dst = append(append(dst, id...), "</SimpleData>"...)
	fields := k.sheet.Layer.Properties()
	for i := range fields {
		var some bool
		var err error
		if k.value, some, err = fields[i].Kind.AppendText(k.value[:0], r.Values[i]); err != nil {
			return dst, k.sheet.rowError(r, fields[i].Name, err)
		}
		if !some {
			continue
		}
		if fields[i].Kind == layer.Boolean { // GDAL takes the word true for 0
			k.value = append(k.value[:0], '0'+r.Values[i][0]&1)
		}
		dst = append(appendXML(append(dst, k.keys[i]...), k.value), "</SimpleData>"...)
	}
	dst = append(dst, "</SchemaData></ExtendedData>"...)
	dst, err := k.place(dst, r)
	if err != nil {
		return dst, k.sheet.rowError(r, "", err)
	}
	return append(dst, "</Placemark>\n"...), nil
}

// style is the id of the row's style.
func (k *kmlWriter) style(r *layer.Row) string {
	if k.colour >= 0 {
		values := k.sheet.Layer.Properties()[k.colour].Values
		i := slices.IndexFunc(values, func(v layer.Value) bool { return v.Code == string(r.Values[k.colour]) })
		if i >= 0 && values[i].Colour != "" {
			return "value-" + strconv.Itoa(i)
		}
	}
	return "layer"
}

// End implements Writer.
func (k *kmlWriter) End(dst []byte) ([]byte, error) {
	return append(dst, "</Document></kml>\n"...), nil
}

func (k *kmlWriter) place(dst []byte, r *layer.Row) ([]byte, error) {
	g, err := k.sheet.shape(r.Geometry)
	if err != nil || g == nil {
		return dst, err
	}
	w := kmlGeometry{dst: dst, layout: g.Stride(), decimals: k.sheet.textDecimals(), flat: g.FlatCoords()}
	switch g := g.(type) {
	case *geom.Point:
		w.element("Point", len(w.flat))
	case *geom.LineString:
		w.element("LineString", len(w.flat))
	case *geom.Polygon:
		w.polygon(g.Ends())
	case *geom.MultiPoint:
		w.multi(func() {
			for _, end := range g.Ends() {
				w.element("Point", end)
			}
		})
	case *geom.MultiLineString:
		w.multi(func() {
			for _, end := range g.Ends() {
				w.element("LineString", end)
			}
		})
	case *geom.MultiPolygon:
		w.multi(func() {
			for _, ends := range g.Endss() {
				w.polygon(ends)
			}
		})
	default:
		return dst, ErrGeometry
	}
	return w.dst, w.err
}

// kmlGeometry writes flat coordinates, part after part.
type kmlGeometry struct {
	dst      []byte
	flat     []float64
	layout   int // ordinates of a position
	decimals int
	at       int // how much of flat is written
	err      error
}

func (w *kmlGeometry) multi(parts func()) {
	w.dst = append(w.dst, "<MultiGeometry>"...)
	parts()
	w.dst = append(w.dst, "</MultiGeometry>"...)
}

func (w *kmlGeometry) polygon(ends []int) {
	w.dst = append(append(w.dst, "<Polygon>"...), w.mode()...)
	for i, end := range ends {
		boundary := "outerBoundaryIs"
		if i > 0 {
			boundary = "innerBoundaryIs"
		}
		w.dst = append(append(append(w.dst, '<'), boundary...), "><LinearRing>"...)
		w.coordinates(end)
		w.dst = append(append(append(w.dst, "</LinearRing></"...), boundary...), '>')
	}
	w.dst = append(w.dst, "</Polygon>"...)
}

// element writes a point or line that ends in flat where said.
func (w *kmlGeometry) element(name string, end int) {
	w.dst = append(append(append(append(w.dst, '<'), name...), '>'), w.mode()...)
	w.coordinates(end)
	w.dst = append(append(append(w.dst, "</"...), name...), '>')
}

// mode says what heights count from: KML would lay everything on the ground.
func (w *kmlGeometry) mode() string {
	if w.layout > 2 {
		return "<altitudeMode>relativeToGround</altitudeMode>"
	}
	return ""
}

func (w *kmlGeometry) coordinates(end int) {
	w.dst = append(w.dst, "<coordinates>"...)
	for start := w.at; w.at < end && w.err == nil; w.at += w.layout {
		if w.at > start {
			w.dst = append(w.dst, ' ')
		}
		w.dst, w.err = appendPosition(w.dst, w.flat[w.at:w.at+w.layout], w.decimals)
	}
	w.dst = append(w.dst, "</coordinates>"...)
}
