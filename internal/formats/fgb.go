package formats

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/gogama/flatgeobuf/flatgeobuf"
	"github.com/gogama/flatgeobuf/flatgeobuf/flat"
	"github.com/gogama/flatgeobuf/packedrtree"
	flatbuffers "github.com/google/flatbuffers/go"
	geom "github.com/twpayne/go-geom"

	"hatang/internal/layer"
)

// flatGeobuf writes a FlatGeobuf file: id and every field as a typed column, a list as
// JSON, dates and times as DateTime; coordinates x before y in any reference system. The
// features stand along a Hilbert curve with an index before them, unless there are none,
// or some have no geometry, which an index cannot hold; then they stand by id.
//
// The features go to a temporary file as they come, the places in it are kept in memory,
// 64 bytes each, and the file proper is put together at the end.
type flatGeobuf struct {
	sheet    Sheet
	rows     *os.File // features in the order in which they came
	out      io.Writer
	flush    func() error
	file     *os.File
	refs     []packedrtree.Ref // where each feature is in rows
	bounds   packedrtree.Box
	offset   int64
	nowhere  bool // a feature has no geometry
	builder  *flatbuffers.Builder
	property []byte
	value    []byte
}

// nodeSize is how many entries a node of the index has: the format's own default.
const nodeSize = 16

func newFlatGeobuf(s Sheet) (Writer, error) {
	f := &flatGeobuf{sheet: s, builder: flatbuffers.NewBuilder(1 << 12), bounds: packedrtree.EmptyBox}
	var err error
	if f.rows, err = TempFile(); err == nil {
		f.file, err = TempFile()
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	b := buffered(f.rows, s.maxBytes())
	f.out, f.flush = b, b.Flush
	return f, nil
}

// Begin implements Writer.
func (f *flatGeobuf) Begin(dst []byte) ([]byte, error) { return dst, nil }

// Append implements Writer.
func (f *flatGeobuf) Append(dst []byte, r *layer.Row) ([]byte, error) {
	if err := f.sheet.checkRow(r); err != nil {
		return dst, err
	}
	shape, err := f.sheet.shape(r.Geometry)
	if err != nil {
		return dst, f.sheet.rowError(r, "", err)
	}
	if err := f.properties(r); err != nil {
		return dst, err
	}
	b := f.builder
	b.Reset()
	var place flatbuffers.UOffsetT
	if shape != nil {
		if place, err = f.place(shape); err != nil {
			return dst, f.sheet.rowError(r, "", err)
		}
	}
	properties := b.CreateByteVector(f.property)
	flat.FeatureStart(b)
	if shape != nil {
		flat.FeatureAddGeometry(b, place)
	}
	flat.FeatureAddProperties(b, properties)
	flat.FinishSizePrefixedFeatureBuffer(b, flat.FeatureEnd(b))
	f.keep(shape, len(b.FinishedBytes()))
	_, err = f.out.Write(b.FinishedBytes())
	return dst, err
}

// keep notes where a feature is, in both senses.
func (f *flatGeobuf) keep(shape geom.T, size int) {
	ref := packedrtree.Ref{Box: packedrtree.EmptyBox, Offset: f.offset}
	if shape == nil {
		f.nowhere = true
	} else {
		b := boxOf(shape)
		ref.Box = packedrtree.Box{XMin: b.minX, YMin: b.minY, XMax: b.maxX, YMax: b.maxY}
		f.bounds.Expand(&ref.Box)
	}
	f.refs = append(f.refs, ref)
	f.offset += int64(size)
}

// properties writes the values that are not null: the number of the column, the value.
func (f *flatGeobuf) properties(r *layer.Row) error {
	little := binary.LittleEndian
	f.property = little.AppendUint64(little.AppendUint16(f.property[:0], 0), uint64(r.ID))
	fields := f.sheet.Layer.Properties()
	for i := range fields {
		value, kind := r.Values[i], fields[i].Kind
		var some bool
		var err error
		if kind == layer.TextList && value != nil {
			some = true
			f.value, err = kind.AppendJSON(f.value[:0], value)
		} else {
			f.value, some, err = kind.AppendText(f.value[:0], value)
		}
		if err != nil {
			return f.sheet.rowError(r, fields[i].Name, err)
		}
		if !some {
			continue
		}
		f.property = little.AppendUint16(f.property, uint16(i+1))
		switch kind { // AppendText has found values of eight bytes and of one
		case layer.Integer, layer.Number:
			f.property = little.AppendUint64(f.property, binary.BigEndian.Uint64(value))
		case layer.Boolean:
			f.property = append(f.property, value[0])
		default:
			f.property = append(little.AppendUint32(f.property, uint32(len(f.value))), f.value...)
		}
	}
	return nil
}

// place writes a geometry. The parts of a MultiPolygon are geometries of their own; of
// all others the ends of parts suffice.
func (f *flatGeobuf) place(g geom.T) (flatbuffers.UOffsetT, error) {
	b := f.builder
	switch g := g.(type) {
	case *geom.Point:
		return f.flat(flat.GeometryTypePoint, g.FlatCoords(), g.Stride(), nil), nil
	case *geom.LineString:
		return f.flat(flat.GeometryTypeLineString, g.FlatCoords(), g.Stride(), nil), nil
	case *geom.MultiPoint:
		return f.flat(flat.GeometryTypeMultiPoint, g.FlatCoords(), g.Stride(), nil), nil
	case *geom.MultiLineString:
		return f.flat(flat.GeometryTypeMultiLineString, g.FlatCoords(), g.Stride(), g.Ends()), nil
	case *geom.Polygon:
		return f.flat(flat.GeometryTypePolygon, g.FlatCoords(), g.Stride(), g.Ends()), nil
	case *geom.MultiPolygon:
		parts := make([]flatbuffers.UOffsetT, g.NumPolygons())
		for i := range parts {
			polygon := g.Polygon(i)
			parts[i] = f.flat(flat.GeometryTypePolygon, polygon.FlatCoords(), polygon.Stride(), polygon.Ends())
		}
		vector := b.CreateVectorOfTables(parts)
		flat.GeometryStart(b)
		flat.GeometryAddType(b, flat.GeometryTypeMultiPolygon)
		flat.GeometryAddParts(b, vector)
		return flat.GeometryEnd(b), nil
	}
	return 0, ErrGeometry
}

// flat writes positions; ends count ordinates here and positions there. GDAL wants those
// of lines even where there is one.
func (f *flatGeobuf) flat(kind flat.GeometryType, ordinates []float64, stride int, ends []int) flatbuffers.UOffsetT {
	b, n := f.builder, len(ordinates)/stride
	var endVector, zVector flatbuffers.UOffsetT
	if len(ends) > 1 || kind == flat.GeometryTypeMultiLineString {
		flat.GeometryStartEndsVector(b, len(ends))
		for i := len(ends) - 1; i >= 0; i-- {
			b.PrependUint32(uint32(ends[i] / stride))
		}
		endVector = b.EndVector(len(ends))
	}
	if stride > 2 {
		flat.GeometryStartZVector(b, n)
		for i := n - 1; i >= 0; i-- {
			b.PrependFloat64(ordinates[i*stride+2])
		}
		zVector = b.EndVector(n)
	}
	flat.GeometryStartXyVector(b, 2*n)
	for i := n - 1; i >= 0; i-- {
		b.PrependFloat64(ordinates[i*stride+1])
		b.PrependFloat64(ordinates[i*stride])
	}
	xyVector := b.EndVector(2 * n)
	flat.GeometryStart(b)
	flat.GeometryAddType(b, kind)
	flat.GeometryAddXy(b, xyVector)
	if endVector != 0 {
		flat.GeometryAddEnds(b, endVector)
	}
	if zVector != 0 {
		flat.GeometryAddZ(b, zVector)
	}
	return flat.GeometryEnd(b)
}

// End implements Writer.
func (f *flatGeobuf) End(dst []byte) ([]byte, error) {
	if err := f.flush(); err != nil {
		return dst, err
	}
	out := buffered(f.file, f.sheet.maxBytes())
	if err := f.assemble(out); err != nil {
		return dst, err
	}
	if err := out.Flush(); err != nil {
		return dst, err
	}
	_, err := f.file.Seek(0, io.SeekStart)
	return dst, err
}

// assemble writes the header, the index, and the features.
func (f *flatGeobuf) assemble(out io.Writer) error {
	indexed := len(f.refs) > 0 && !f.nowhere
	if _, err := flatgeobuf.NewFileWriter(out).Header(f.header(indexed)); err != nil {
		return err
	}
	if !indexed {
		_, err := io.Copy(out, io.NewSectionReader(f.rows, 0, f.offset))
		return err
	}
	starts := make([]int64, 0, len(f.refs)+1)
	for _, ref := range f.refs {
		starts = append(starts, ref.Offset)
	}
	starts = append(starts, f.offset)
	packedrtree.HilbertSort(f.refs, f.bounds)
	order, at := make([]int, len(f.refs)), int64(0)
	for i := range f.refs {
		order[i], _ = slices.BinarySearch(starts, f.refs[i].Offset)
		f.refs[i].Offset = at
		at += starts[order[i]+1] - starts[order[i]]
	}
	index, err := packedrtree.New(f.refs, nodeSize)
	if err != nil {
		return err
	}
	if _, err := index.Marshal(out); err != nil {
		return err
	}
	for _, i := range order {
		f.value = slices.Grow(f.value[:0], int(starts[i+1]-starts[i]))[:starts[i+1]-starts[i]]
		if _, err := f.rows.ReadAt(f.value, starts[i]); err != nil {
			return fmt.Errorf("read a feature back: %w", err)
		}
		if _, err := out.Write(f.value); err != nil {
			return err
		}
	}
	return nil
}

// File implements Writer.
func (f *flatGeobuf) File() *os.File {
	file := f.file
	f.file = nil
	return file
}

// Close implements Writer.
func (f *flatGeobuf) Close() error {
	var errs []error
	for _, file := range []*os.File{f.rows, f.file} {
		if file != nil {
			errs = append(errs, file.Close())
		}
	}
	return errors.Join(errs...)
}
