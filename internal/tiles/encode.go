package tiles

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"hatang/internal/layer"
)

// Limits of one layer in one tile.
const (
	MaxFeatures = 50_000
	MaxBytes    = 500_000
)

// DetailZoom is the first zoom whose tiles have all fields of a layer; below it there is
// the one that the legend colours by.
const DetailZoom = 10

// Fields returns the fields that a tile of the zoom has of a layer.
func Fields(l *layer.Layer, zoom uint32) []*layer.Field {
	var fields []*layer.Field
	for i := range l.Fields {
		if f := &l.Fields[i]; zoom >= DetailZoom || f.Name == l.ColourBy {
			fields = append(fields, f)
		}
	}
	return fields
}

// cellAt is the side of the cells that show one point or tiny shape each, units; 0 where
// all points are shown. It divides the extent and the buffer, so that a cell holds the
// same in both tiles that show it.
func cellAt(zoom uint32) int32 {
	switch {
	case zoom < 8:
		return 32
	case zoom < 14:
		return 16
	default:
		return 0
	}
}

// tinyCell is cellAt for tiny shapes, where it is 0.
const tinyCell = 8

// Layer collects the rows of a layer for a tile. Rows may come in any order.
type Layer struct {
	name   string
	fields []*layer.Field
	cell   int32
	sparse bool // of the points of a cell one is shown
	*workspace
	thinned int
}

// feature is a row that is in the tile. Its values stand behind its commands in bytes,
// each with its length before it.
type feature struct {
	id         int64
	size       float64
	from, mid  uint32
	to         uint32
	at         cell
	kind       byte
	tiny       bool
	overridden bool
}

// NewLayer returns an empty layer for a tile; rows will have the values of the fields,
// in their order.
func NewLayer(l *layer.Layer, fields []*layer.Field, t Tile) *Layer {
	e := &Layer{name: l.Name, fields: fields, cell: cellAt(t.Z), workspace: workspaces.Get().(*workspace)}
	e.sparse = e.cell > 0 && l.Geometry == layer.Point
	e.shaper.begin(t)
	return e
}

// Add takes a row, which is the caller's again when it returns. A row without a geometry,
// or outside the tile, is left out. It fails on a geometry that cannot be read.
func (e *Layer) Add(row *layer.Row) error {
	if row.Geometry == nil {
		return nil
	}
	if len(row.Values) != len(e.fields) {
		return fmt.Errorf("%s %d: %d values for %d fields", e.name, row.ID, len(row.Values), len(e.fields))
	}
	if err := e.shaper.shape(row.Geometry); err != nil {
		return fmt.Errorf("%s %d: %w", e.name, row.ID, err)
	}
	s := &e.shaper
	if s.kind == 0 {
		return nil
	}
	f := feature{id: row.ID, size: s.size, at: s.at, kind: s.kind, tiny: s.tiny}
	if e.sparse && !e.claim(&f) {
		return nil
	}
	f.from = uint32(len(e.bytes))
	e.bytes = append(e.bytes, s.out...)
	f.mid = uint32(len(e.bytes))
	for _, value := range row.Values {
		if value == nil {
			e.bytes = append(e.bytes, 0)
			continue
		}
		e.bytes = appendUvarint(e.bytes, uint64(len(value))+1)
		e.bytes = append(e.bytes, value...)
	}
	if len(e.bytes) > math.MaxUint32 {
		return fmt.Errorf("%s %d: a tile of more than 4 GiB", e.name, row.ID)
	}
	f.to = uint32(len(e.bytes))
	e.features = append(e.features, f)
	return nil
}

// claim takes the cell of a point, and reports whether it is shown: a lower id wins it.
func (e *Layer) claim(f *feature) bool {
	held := e.taken.of(f.at, e.cell)
	if *held > 0 {
		e.thinned++
		other := &e.features[*held-1]
		if other.id <= f.id {
			return false
		}
		other.overridden = true
	}
	*held = int32(len(e.features)) + 1
	return true
}

// Result says what a layer of a tile shows.
type Result struct {
	Rows  int // that are in the tile
	Shown int // features, where points and tiny shapes may stand for others
	// Truncated: more was left out than thinning does, because of the limits.
	Truncated bool
}

// Append appends the tile's layer, nothing where it is empty. The same rows make the same
// bytes, in whatever order they came. No more may be added.
func (e *Layer) Append(dst []byte) ([]byte, Result, error) {
	defer e.release()
	e.features = slices.DeleteFunc(e.features, func(f feature) bool { return f.overridden })
	e.features, e.spare = byID(e.features, e.spare)
	result := Result{Rows: len(e.features) + e.thinned}
	shown := e.thin(e.features, max(tinyCell, e.cell), true)
	for side := 2 * max(tinyCell, e.cell); ; side *= 2 {
		if len(shown) == 0 {
			return dst, result, nil
		}
		begun := len(dst)
		if len(shown) <= MaxFeatures {
			out, err := e.encode(dst, shown)
			if err != nil {
				return dst, result, err
			}
			if len(out)-begun <= MaxBytes || len(shown) == 1 {
				result.Shown = len(shown)
				return out, result, nil
			}
			dst = out[:begun]
		}
		result.Truncated = true
		shown = e.fewer(shown, side)
	}
}

// fewer leaves out more: of points those that share a cell, of shapes the smaller half. It
// does so in place.
func (e *Layer) fewer(shown []feature, side int32) []feature {
	less := e.thin(shown, side, false)
	sizes := make([]float64, 0, len(less))
	for _, f := range less {
		if f.kind != drawPoints {
			sizes = append(sizes, f.size)
		}
	}
	if len(sizes) < 2 {
		if len(less) == len(shown) && side > Extent {
			return less[:1]
		}
		return less
	}
	slices.Sort(sizes)
	middle, spared := sizes[len(sizes)/2], 0
	return slices.DeleteFunc(less, func(f feature) bool {
		if f.kind == drawPoints || f.size > middle {
			return false
		}
		spared++
		return spared <= len(sizes)/2
	})
}

// thin leaves of the points and tiny shapes in each cell the first, in place; of tiny shapes
// alone where points have been thinned before or shall all be shown.
func (e *Layer) thin(features []feature, side int32, tinyOnly bool) []feature {
	e.taken.clear()
	return slices.DeleteFunc(features, func(f feature) bool {
		if !f.tiny && (f.kind != drawPoints || tinyOnly) {
			return false
		}
		held := e.taken.of(f.at, side)
		*held++
		return *held > 1
	})
}

// Wire types of protobuf.
const (
	asVarint = iota
	asDouble
	asBytes
)

// Tags of the fields in the messages, as protobuf writes them.
const (
	tagTileLayer     = 3<<3 + asBytes
	tagLayerVersion  = 15<<3 + asVarint
	tagLayerName     = 1<<3 + asBytes
	tagLayerFeature  = 2<<3 + asBytes
	tagLayerKey      = 3<<3 + asBytes
	tagLayerValue    = 4<<3 + asBytes
	tagLayerExtent   = 5<<3 + asVarint
	tagFeatureID     = 1<<3 + asVarint
	tagFeatureTags   = 2<<3 + asBytes
	tagFeatureKind   = 3<<3 + asVarint
	tagFeatureShape  = 4<<3 + asBytes
	tagValueText     = 1<<3 + asBytes
	tagValueDouble   = 3<<3 + asDouble
	tagValueInteger  = 4<<3 + asVarint
	tagValueNegative = 6<<3 + asVarint
	tagValueBoolean  = 7<<3 + asVarint

	mvtVersion = 2
)

// encode appends the layer with the features.
func (e *Layer) encode(dst []byte, features []feature) ([]byte, error) {
	body := appendText(append(e.body[:0], tagLayerVersion, mvtVersion), tagLayerName, e.name)
	e.values.clear()
	var one, tags, value []byte
	for i := range features {
		f := &features[i]
		var err error
		if tags, value, err = e.tags(tags[:0], value, f); err != nil {
			return dst, err
		}
		one = appendUvarint(append(one[:0], tagFeatureID), uint64(f.id))
		if len(tags) > 0 {
			one = appendBytes(one, tagFeatureTags, tags)
		}
		one = append(one, tagFeatureKind, f.kind)
		one = appendBytes(one, tagFeatureShape, e.bytes[f.from:f.mid])
		body = appendBytes(body, tagLayerFeature, one)
	}
	for _, field := range e.fields {
		body = appendText(body, tagLayerKey, field.Name)
	}
	body = e.values.append(body)
	e.body = appendUvarint(append(body, tagLayerExtent), Extent)
	return appendBytes(slices.Grow(dst, len(e.body)+binary.MaxVarintLen32+1), tagTileLayer, e.body), nil
}

// tags appends the pairs of key and value of a feature. What is null is left out.
func (e *Layer) tags(dst, scratch []byte, f *feature) (tags, value []byte, err error) {
	rest := e.bytes[f.mid:f.to]
	for key, field := range e.fields {
		size, n := uvarint(rest)
		rest = rest[n:]
		if size == 0 {
			continue
		}
		wire := rest[:size-1]
		rest = rest[size-1:]
		var ok bool
		if scratch, ok, err = appendValue(scratch[:0], field.Kind, wire); err != nil {
			return dst, scratch, fmt.Errorf("%s %d, %s: %w", e.name, f.id, field.Name, err)
		}
		if ok {
			dst = appendUvarint(dst, uint64(key))
			dst = appendUvarint(dst, uint64(e.values.index(scratch)))
		}
	}
	return dst, scratch, nil
}

// uvarint reads what appendUvarint wrote.
func uvarint(b []byte) (n uint64, size int) {
	for shift := 0; ; shift += 7 {
		c := b[size]
		size++
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return n, size
		}
	}
}

func appendBytes(dst []byte, tag byte, b []byte) []byte {
	return append(appendUvarint(append(dst, tag), uint64(len(b))), b...)
}

func appendText(dst []byte, tag byte, s string) []byte {
	return append(appendUvarint(append(dst, tag), uint64(len(s))), s...)
}
