package tables

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gogama/flatgeobuf/flatgeobuf/flat"
	"github.com/gogama/flatgeobuf/packedrtree"
	"github.com/twpayne/go-geom"

	"hatang/internal/layer"
)

// fgb is a FlatGeobuf file. Its index is passed over.
type fgb struct {
	file     file
	start    int64 // of the features, bytes
	kind     flat.GeometryType
	columns  []string
	types    []flat.ColumnType
	crs      string
	features uint64 // how many there are said to be; 0 where nothing is said
}

const fgbMagic = "fgb\x03fgb"

func errBadFGB() error {
	return layer.Wrong("tệp FlatGeobuf bị hỏng", "the FlatGeobuf file is damaged")
}

// openFGB reads a file's header.
func openFGB(ctx context.Context, f file, o Options) (_ Table, err error) {
	if o.Table != "" {
		return nil, noTables("FlatGeobuf", o.Table)
	}
	in, err := f.read(ctx)
	if err != nil {
		return nil, err
	}
	defer closing(in, &err)
	var fixed [12]byte
	if _, err := io.ReadFull(in, fixed[:]); err != nil {
		return nil, short(err, errBadFGB())
	}
	const mostHeader = 4 << 20
	size := int64(binary.LittleEndian.Uint32(fixed[8:]))
	if size > mostHeader || size > f.size {
		return nil, errBadFGB()
	}
	header := make([]byte, size)
	if _, err := io.ReadFull(in, header); err != nil {
		return nil, short(err, errBadFGB())
	}
	t := &fgb{file: f, start: int64(len(fixed)) + size}
	if err := t.header(header); err != nil {
		return nil, err
	}
	return t, nil
}

// guarded calls what reads a flat buffer, whose offsets lead anywhere in a hostile file: the
// library does not check them, and panics where they lead out of it.
func guarded(read func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errBadFGB()
		}
	}()
	return read()
}

func (t *fgb) header(raw []byte) error {
	return guarded(func() error {
		h := flat.GetRootAsHeader(raw, 0)
		t.kind = h.GeometryType()
		n := h.ColumnsLength()
		if n > MaxColumns {
			return tooManyColumns()
		}
		var names []string
		for i := range n {
			var c flat.Column
			if !h.Columns(&c, i) {
				return errBadFGB()
			}
			name, _ := utf8Codec().text(string(c.Name()))
			names, t.types = append(names, name), append(t.types, c.Type())
		}
		t.columns = uniqueNames(names)
		t.crs = fgbSystem(h)
		nodes, features := h.IndexNodeSize(), h.FeaturesCount()
		t.features = features
		if nodes < 2 || features == 0 {
			return nil
		}
		if features > uint64(t.file.size) {
			return errBadFGB()
		}
		size, err := packedrtree.Size(int(features), nodes)
		if t.start += int64(size); err != nil || t.start > t.file.size {
			return errBadFGB()
		}
		return nil
	})
}

// fgbSystem names the reference system.
func fgbSystem(h *flat.Header) string {
	c := h.Crs(nil)
	if c == nil {
		return ""
	}
	if org := string(c.Org()); c.Code() > 0 {
		if org == "" {
			org = "EPSG" // as the format has it
		}
		return strings.ToUpper(ownWords(cut(org, 20))) + ":" + strconv.Itoa(int(c.Code()))
	}
	if text := string(c.Wkt()); text != "" {
		return systemOfWKT(text[:min(len(text), maxWKT)])
	}
	return ownWords(string(c.Name()))
}

// Columns implements Table.
func (t *fgb) Columns() []string { return t.columns }

// CRS implements Table.
func (t *fgb) CRS() string { return t.crs }

// Guesses implements Table.
func (t *fgb) Guesses() []Guess { return nil }

// Close implements Table.
func (t *fgb) Close() error { return nil }

// Read implements Table.
func (t *fgb) Read(ctx context.Context, each func(*Row) error) (err error) {
	in, err := t.file.read(ctx)
	if err != nil {
		return err
	}
	defer closing(in, &err)
	buffered := bufio.NewReaderSize(in, 1<<16)
	if _, err := io.CopyN(io.Discard, buffered, t.start); err != nil {
		return short(err, errBadFGB())
	}
	left := t.file.size - t.start
	row := &Row{Cells: make([]any, len(t.columns))}
	var feature []byte
	for left > 0 {
		var head [4]byte
		if _, err := io.ReadFull(buffered, head[:]); err != nil {
			return short(err, errBadFGB())
		}
		size := int64(binary.LittleEndian.Uint32(head[:]))
		if left -= size + int64(len(head)); left < 0 || size < 4 {
			return errBadFGB()
		}
		if size > MaxRowBytes {
			return layer.Wrong("một đối tượng dài hơn %d byte", "a feature is longer than %d bytes", MaxRowBytes)
		}
		if int64(cap(feature)) < size {
			feature = make([]byte, size)
		}
		feature = feature[:size]
		if _, err := io.ReadFull(buffered, feature); err != nil {
			return short(err, errBadFGB())
		}
		row.Number++
		t.take(row, feature)
		if err := each(row); err != nil {
			return err
		}
	}
	if t.features > 0 && uint64(row.Number) != t.features {
		return layer.Wrong("tệp FlatGeobuf có %d đối tượng, không phải %d như nó nêu", "the FlatGeobuf has %d features, not the %d that it says", row.Number, t.features)
	}
	return nil
}

// take reads a feature.
func (t *fgb) take(row *Row, raw []byte) {
	row.Geometry, row.Faults = nil, nil
	clear(row.Cells)
	err := guarded(func() error {
		return t.properties(row, flat.GetRootAsFeature(raw, 0).PropertiesBytes())
	})
	if err != nil {
		row.Faults.AddError("", err)
	}
	err = guarded(func() error {
		g := flat.GetRootAsFeature(raw, 0).Geometry(nil)
		if g == nil {
			return nil
		}
		var err error
		row.Geometry, err = t.geometry(g, len(raw))
		return err
	})
	if err != nil {
		row.Faults.AddError("/geometry", err)
	}
}

// fgbSizes are how many bytes values of types take; those that are not here say themselves.
var fgbSizes = map[flat.ColumnType]int{flat.ColumnTypeByte: 1, flat.ColumnTypeUByte: 1, flat.ColumnTypeBool: 1, flat.ColumnTypeShort: 2, flat.ColumnTypeUShort: 2,
	flat.ColumnTypeInt: 4, flat.ColumnTypeUInt: 4, flat.ColumnTypeFloat: 4, flat.ColumnTypeLong: 8, flat.ColumnTypeULong: 8, flat.ColumnTypeDouble: 8}

// properties reads the values of a feature: the number of a column, the value, and so on.
func (t *fgb) properties(row *Row, raw []byte) error {
	little := binary.LittleEndian
	for len(raw) > 0 {
		at := int(little.Uint16(raw))
		raw = raw[2:]
		if at >= len(t.columns) {
			return errBadFGB()
		}
		size, fixed := fgbSizes[t.types[at]]
		if !fixed {
			size = int(little.Uint32(raw))
			raw = raw[4:]
		}
		value, ok := fgbValue(t.types[at], raw[:size])
		if x, number := value.(float64); number {
			value = finite(row, t.columns[at], x)
		}
		if row.Cells[at] = value; !ok {
			badText(row, t.columns[at], utf8Codec(), string(raw[:size]))
		}
		raw = raw[size:]
	}
	return nil
}

// fgbValue reads a value; bytes are left aside.
func fgbValue(kind flat.ColumnType, raw []byte) (any, bool) {
	little := binary.LittleEndian
	switch kind {
	case flat.ColumnTypeByte:
		return int64(int8(raw[0])), true
	case flat.ColumnTypeUByte:
		return int64(raw[0]), true
	case flat.ColumnTypeBool:
		return raw[0] != 0, true
	case flat.ColumnTypeShort:
		return int64(int16(little.Uint16(raw))), true
	case flat.ColumnTypeUShort:
		return int64(little.Uint16(raw)), true
	case flat.ColumnTypeInt:
		return int64(int32(little.Uint32(raw))), true
	case flat.ColumnTypeUInt:
		return int64(little.Uint32(raw)), true
	case flat.ColumnTypeLong:
		return int64(little.Uint64(raw)), true
	case flat.ColumnTypeULong:
		if u := little.Uint64(raw); u > math.MaxInt64 {
			return float64(u), true
		}
		return int64(little.Uint64(raw)), true
	case flat.ColumnTypeFloat:
		return float64(math.Float32frombits(little.Uint32(raw))), true
	case flat.ColumnTypeDouble:
		return math.Float64frombits(little.Uint64(raw)), true
	case flat.ColumnTypeBinary:
		return nil, true
	}
	text, ok := utf8Codec().text(string(raw))
	if kind == flat.ColumnTypeDateTime {
		if moment, ok := moment(text); ok {
			return moment, true
		}
	}
	if text == "" {
		return nil, ok
	}
	return text, ok
}

// finite is a number of a row; of one that is none nil, with a fault.
func finite(row *Row, column string, x float64) any {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		row.Faults.Add("/properties/"+column, "%v không phải là số hữu hạn", "%v is no finite number", x)
		return nil
	}
	return x
}

// moment reads a date or a time as ISO 8601 writes it; one without a zone is universal time.
func moment(s string) (time.Time, bool) {
	for _, form := range []string{time.DateOnly, time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04", "2006/01/02", "2006/01/02 15:04:05.999999999"} {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// geometry reads one; size bounds what its vectors may claim.
func (t *fgb) geometry(g *flat.Geometry, size int) (geom.T, error) {
	kind := g.Type()
	if kind == flat.GeometryTypeUnknown {
		kind = t.kind
	}
	b := &builder{multi: kind == flat.GeometryTypeMultiPoint || kind == flat.GeometryTypeMultiLineString || kind == flat.GeometryTypeMultiPolygon}
	var err error
	switch kind {
	case flat.GeometryTypePoint, flat.GeometryTypeMultiPoint:
		err = b.of(points)
	case flat.GeometryTypeLineString, flat.GeometryTypeMultiLineString:
		err = b.of(paths)
	case flat.GeometryTypePolygon:
		err = b.of(areas)
	case flat.GeometryTypeMultiPolygon:
		if err := b.of(areas); err != nil {
			return nil, err
		}
		for i := range g.PartsLength() {
			var part flat.Geometry
			if !g.Parts(&part, i) {
				return nil, errBrokenShape()
			}
			if err := fgbPart(b, &part, size); err != nil {
				return nil, err
			}
			b.area()
		}
		if g.PartsLength() > 0 {
			return b.geometry(), nil
		}
	default:
		return nil, errCollection()
	}
	if err == nil {
		err = fgbPart(b, g, size)
	}
	if err != nil {
		return nil, err
	}
	b.area()
	return b.geometry(), nil
}

// fgbPart reads positions, and where paths end among them: without ends all is one.
func fgbPart(b *builder, g *flat.Geometry, size int) error {
	n, heights, ends := g.XyLength()/2, g.ZLength(), g.EndsLength()
	if 16*n > size || 8*heights > size || 4*ends > size || heights > 0 && heights < n {
		return errBrokenShape()
	}
	next := 0
	for i := range n {
		for next < ends && int(g.Ends(next)) <= i {
			b.path()
			next++
		}
		xyz := []float64{g.Xy(2 * i), g.Xy(2*i + 1)}
		if n == 1 && math.IsNaN(xyz[0]) && math.IsNaN(xyz[1]) {
			return nil // an empty point
		}
		if heights > 0 {
			xyz = append(xyz, g.Z(i))
		}
		if err := b.position(xyz...); err != nil {
			return err
		}
	}
	if b.kind != points {
		b.path()
	}
	return nil
}
