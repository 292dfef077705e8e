package formats

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"

	"hatang/internal/layer"
)

// GeoJSONOptions say how features are written. The zero value writes RFC 7946:
// WGS 84, 2D, 7 decimals (1 cm).
type GeoJSONOptions struct {
	Decimals  int  // of coordinates, to MaxDecimals; 0 means 7, NoDecimals none
	WithZ     bool // write the third ordinate of layers that have one
	Transform func(x, y float64) (float64, float64, error)
}

// ErrGeometry is returned for bytes that are no EWKB geometry of a known type.
var ErrGeometry = errors.New("formats: not an EWKB geometry")

// AppendFeature appends one GeoJSON Feature: integer id, geometry, every property
// of the layer in the registry's order. Rings follow the right-hand rule.
// Cost: one pass over the bytes, no allocation beyond dst.
func AppendFeature(dst []byte, l *layer.Layer, r *layer.Row, o GeoJSONOptions) ([]byte, error) {
	return appendFeature(dst, l, nil, r, o)
}

// members are the properties of a layer's features up to their values.
func members(l *layer.Layer) []string {
	all := make([]string, len(l.Fields))
	for i := range l.Fields {
		all[i] = string(appendMember(nil, l, i))
	}
	return all
}

func appendMember(dst []byte, l *layer.Layer, i int) []byte {
	if i > 0 {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = append(dst, l.Fields[i].Name...)
	return append(dst, '"', ':')
}

// appendFeature is AppendFeature with the members of the layer, nil where it is for one
// feature alone.
func appendFeature(dst []byte, l *layer.Layer, members []string, r *layer.Row, o GeoJSONOptions) ([]byte, error) {
	if len(l.Fields) != len(r.Values) {
		return dst, fmt.Errorf("row %d of %s has %d values for %d fields", r.ID, l.Name, len(r.Values), len(l.Fields))
	}
	dst = append(dst, `{"type":"Feature","id":`...)
	dst = strconv.AppendInt(dst, r.ID, 10)
	dst = append(dst, `,"geometry":`...)
	dst, err := AppendGeometry(dst, r.Geometry, o)
	if err != nil {
		return dst, fmt.Errorf("row %d of %s: %w", r.ID, l.Name, err)
	}
	dst = append(dst, `,"properties":{`...)
	for i, value := range r.Values {
		f := &l.Fields[i]
		if members != nil {
			dst = append(dst, members[i]...)
		} else {
			dst = appendMember(dst, l, i)
		}
		if dst, err = f.Kind.AppendJSON(dst, value); err != nil {
			return dst, fmt.Errorf("row %d of %s, %s: %w", r.ID, l.Name, f.Name, err)
		}
	}
	return append(dst, '}', '}'), nil
}

// AppendGeometry appends an EWKB geometry as GeoJSON; nil is null. Curves and
// collections, which no layer holds, are refused.
func AppendGeometry(dst, ewkb []byte, o GeoJSONOptions) ([]byte, error) {
	if ewkb == nil {
		return append(dst, "null"...), nil
	}
	o.Decimals = asked(o.Decimals, decimalsDegrees)
	w := writer{dst: dst, in: ewkb, o: o, scale: math.Pow10(o.Decimals)}
	w.geometry()
	if w.err == nil && len(w.in) > 0 {
		w.fail()
	}
	return w.dst, w.err
}

// writer walks an EWKB geometry and writes it; the first error stops it.
type writer struct {
	dst   []byte
	in    []byte
	o     GeoJSONOptions
	scale float64
	order binary.ByteOrder
	hasZ  bool
	hasM  bool
	err   error
}

func (w *writer) fail() {
	if w.err == nil {
		w.err = ErrGeometry
	}
}

// geometryNames are GeoJSON's names of the WKB types 1 to 6.
var geometryNames = [...]string{1: "Point", 2: "LineString", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon"}

func (w *writer) geometry() {
	kind := w.header()
	if w.err != nil || kind < 1 || int(kind) >= len(geometryNames) {
		w.fail()
		return
	}
	w.dst = append(w.dst, `{"type":"`...)
	w.dst = append(w.dst, geometryNames[kind]...)
	w.dst = append(w.dst, `","coordinates":`...)
	w.coordinates(kind)
	w.dst = append(w.dst, '}')
}

// header reads byte order, type and SRID and returns the plain WKB type.
func (w *writer) header() uint32 {
	if len(w.in) < 5 || w.in[0] > 1 {
		w.fail()
		return 0
	}
	w.order = binary.LittleEndian
	if w.in[0] == 0 {
		w.order = binary.BigEndian
	}
	kind := w.order.Uint32(w.in[1:])
	w.in = w.in[5:]
	const z, m, srid = 0x80000000, 0x40000000, 0x20000000
	w.hasZ, w.hasM = kind&z != 0, kind&m != 0
	if kind&srid != 0 {
		if len(w.in) < 4 {
			w.fail()
			return 0
		}
		w.in = w.in[4:]
	}
	return kind &^ (z | m | srid)
}

func (w *writer) coordinates(kind uint32) {
	switch kind {
	case 1:
		w.point()
	case 2:
		w.points(w.count(w.pointSize()), false)
	case 3:
		w.rings()
	default:
		w.parts(kind)
	}
}

// parts writes the members of a Multi* geometry, each with a header of its own.
func (w *writer) parts(kind uint32) {
	w.dst = append(w.dst, '[')
	for i := range w.count(5) {
		if i > 0 {
			w.dst = append(w.dst, ',')
		}
		if w.header() != kind-3 || w.err != nil {
			w.fail()
			return
		}
		w.coordinates(kind - 3)
	}
	w.dst = append(w.dst, ']')
}

func (w *writer) rings() {
	w.dst = append(w.dst, '[')
	for i := range w.count(4) {
		if i > 0 {
			w.dst = append(w.dst, ',')
		}
		n := w.count(w.pointSize())
		clockwise := w.err == nil && w.doubledArea(n) < 0
		w.points(n, clockwise == (i == 0))
	}
	w.dst = append(w.dst, ']')
}

func (w *writer) pointSize() int {
	size := 16
	if w.hasZ {
		size += 8
	}
	if w.hasM {
		size += 8
	}
	return size
}

// count reads a number of things of at least size bytes each; more of them than
// bytes are left is an error, so that four bytes cannot claim gigabytes.
func (w *writer) count(size int) int {
	if w.err != nil || len(w.in) < 4 {
		w.fail()
		return 0
	}
	n := int(w.order.Uint32(w.in))
	w.in = w.in[4:]
	if n > len(w.in)/size {
		w.fail()
		return 0
	}
	return n
}

// doubledArea is twice the signed area of the next n points, positive where the
// ring runs counter-clockwise.
func (w *writer) doubledArea(n int) float64 {
	size := w.pointSize()
	area := 0.0
	for i := range max(n-1, 0) {
		x0, y0 := w.at(i * size)
		x1, y1 := w.at((i + 1) * size)
		area += (x0 - w.float(0)) * (y1 - w.float(8))
		area -= (x1 - w.float(0)) * (y0 - w.float(8))
	}
	return area
}

func (w *writer) float(offset int) float64 {
	return math.Float64frombits(w.order.Uint64(w.in[offset:]))
}

func (w *writer) at(offset int) (x, y float64) { return w.float(offset), w.float(offset + 8) }

// points writes n positions as a list, back to front if asked.
func (w *writer) points(n int, reversed bool) {
	if w.err != nil {
		return
	}
	size := w.pointSize()
	w.dst = append(w.dst, '[')
	for i := range n {
		if i > 0 {
			w.dst = append(w.dst, ',')
		}
		if reversed {
			w.position((n - 1 - i) * size)
		} else {
			w.position(i * size)
		}
	}
	w.dst = append(w.dst, ']')
	w.in = w.in[n*size:]
}

func (w *writer) point() {
	size := w.pointSize()
	if len(w.in) < size {
		w.fail()
		return
	}
	if math.IsNaN(w.float(0)) {
		w.dst = append(w.dst, "[]"...) // how WKB says POINT EMPTY
	} else {
		w.position(0)
	}
	w.in = w.in[size:]
}

func (w *writer) position(offset int) {
	x, y := w.at(offset)
	if w.o.Transform != nil {
		var err error
		if x, y, err = w.o.Transform(x, y); err != nil {
			if w.err == nil {
				w.err = err
			}
			return
		}
	}
	w.dst = append(w.dst, '[')
	w.number(x)
	w.dst = append(w.dst, ',')
	w.number(y)
	if w.hasZ && w.o.WithZ {
		w.dst = append(w.dst, ',')
		w.number(w.float(offset + 16))
	}
	w.dst = append(w.dst, ']')
}

func (w *writer) number(x float64) {
	var ok bool
	if w.dst, ok = appendFixed(w.dst, x, w.o.Decimals, w.scale); !ok {
		w.fail()
	}
}
