package tables

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strconv"
	"strings"

	"hatang/internal/layer"
)

// shapefile is an ESRI shapefile: geometries in the order in which they stand in the .shp,
// attributes in the .dbf beside it, if there is one. The index (.shx) is not needed.
type shapefile struct {
	shp     file
	length  int64 // bytes of the .shp that hold records
	kind    uint32
	records int64
	table   *dbf // nil where there is no .dbf
	crs     string
	guesses []Guess
}

const (
	shapeMagic  = "\x00\x00\x27\x0a"
	shapeHeader = 100 // bytes
)

// shapeKinds are the types of shapes that are read; those from 11 on have heights, from 21 on
// measures.
var shapeKinds = map[uint32]string{1: "point", 3: "polyline", 5: "polygon", 8: "multipoint"}

func isShapefile(start []byte) bool { return bytes.HasPrefix(start, []byte(shapeMagic)) }

// openShapefile opens a .shp file, with what lies beside it. It is read once to its end to
// count its records; so is the .dbf for its encoding.
func openShapefile(ctx context.Context, f file, o Options) (Table, error) {
	if o.Table != "" {
		return nil, noTables("Shapefile", o.Table)
	}
	s := &shapefile{shp: f}
	if err := s.header(ctx); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context, Options) error{s.attributes, s.system} {
		if err := step(ctx, o); err != nil {
			return nil, err
		}
	}
	err := s.shapes(ctx, func([]byte) error {
		s.records++
		return nil
	})
	if err == nil && s.table != nil && s.table.rows != s.records {
		err = layer.Wrong("tệp .shp có %d hình nhưng .dbf có %d dòng", "the .shp file has %d shapes but the .dbf %d rows", s.records, s.table.rows)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// header reads the file's own.
func (s *shapefile) header(ctx context.Context) error {
	start, err := s.shp.head(ctx, shapeHeader+4)
	if err != nil {
		return err
	}
	if len(start) < shapeHeader {
		return errBadShape()
	}
	const indexed = "\x00\x00\x00\x32" // where an index's first entry points; in a .shp the number 1 stands there
	if string(start[shapeHeader:]) == indexed {
		return layer.Wrong("đây là tệp chỉ mục .shx: hãy gửi .shp cùng .dbf, .prj (nén .zip)", "this is the index .shx: send the .shp with its .dbf and .prj (packed as .zip)")
	}
	if s.length = 2 * int64(binary.BigEndian.Uint32(start[24:])); s.length > s.shp.size {
		return layer.Wrong("tệp .shp bị cắt: có %d byte, không phải %d như nó nêu", "the .shp file is cut off: it has %d bytes, not the %d that it says", s.shp.size, s.length)
	}
	s.kind = binary.LittleEndian.Uint32(start[32:])
	if s.kind != 0 && (s.kind > 30 || shapeKinds[s.kind%10] == "") {
		return layer.Wrong("không đọc kiểu hình %d của Shapefile", "shapes of the type %d are not read", s.kind)
	}
	return nil
}

func errBadShape() error { return layer.Wrong("tệp .shp bị hỏng", "the .shp file is damaged") }

// attributes opens the .dbf.
func (s *shapefile) attributes(ctx context.Context, o Options) error {
	f, ok, err := s.shp.beside(".dbf")
	if err != nil {
		return err
	}
	if !ok {
		s.guesses = append(s.guesses, Guess{"attributes", "", "there is no .dbf beside the .shp"})
		return nil
	}
	declared, err := s.word(ctx, ".cpg")
	if err != nil {
		return err
	}
	table, err := openDBF(ctx, f, o, declared)
	if err != nil {
		return err
	}
	if len(table.fields) == 0 {
		s.guesses = append(s.guesses, Guess{"attributes", "", "the .dbf has no columns"})
		return nil
	}
	s.table = table
	s.guesses = append(s.guesses, table.guesses...)
	return nil
}

// word is the text of a small file beside the .shp; "" where there is none.
func (s *shapefile) word(ctx context.Context, ending string) (string, error) {
	f, ok, err := s.shp.beside(ending)
	if err != nil || !ok {
		return "", err
	}
	text, err := f.head(ctx, maxWKT)
	return strings.TrimSpace(strings.TrimPrefix(string(text), "\ufeff")), err
}

// system reads the .prj.
func (s *shapefile) system(ctx context.Context, _ Options) error {
	text, err := s.word(ctx, ".prj")
	if err == nil && text != "" {
		s.crs = systemOfWKT(text)
	}
	return err
}

// shapes hands on each record's content, until the next.
func (s *shapefile) shapes(ctx context.Context, each func(content []byte) error) (err error) {
	r, err := s.reader(ctx)
	if err != nil {
		return err
	}
	defer closing(r, &err)
	for {
		content, err := r.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = each(content)
		}
		if err != nil {
			return err
		}
	}
}

// shapeReader runs over the records of a .shp.
type shapeReader struct {
	*reading
	in      *bufio.Reader
	left    int64
	content []byte
}

func (s *shapefile) reader(ctx context.Context) (*shapeReader, error) {
	in, err := s.shp.read(ctx)
	if err != nil {
		return nil, err
	}
	r := &shapeReader{in, bufio.NewReaderSize(in, 1<<16), s.length - shapeHeader, nil}
	if _, err := r.in.Discard(shapeHeader); err != nil {
		return nil, errors.Join(short(err, errBadShape()), in.Close())
	}
	return r, nil
}

// next returns the next record's content, until the next call; io.EOF after the last.
func (r *shapeReader) next() ([]byte, error) {
	var head [8]byte
	if r.left < int64(len(head)) {
		return nil, io.EOF
	}
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		return nil, short(err, errBadShape())
	}
	size := 2 * int64(binary.BigEndian.Uint32(head[4:]))
	if r.left -= int64(len(head)) + size; r.left < 0 || size < 4 {
		return nil, errBadShape()
	}
	if size > MaxRowBytes {
		return nil, layer.Wrong("một hình dài hơn %d byte", "a shape is longer than %d bytes", MaxRowBytes)
	}
	if int64(cap(r.content)) < size {
		r.content = make([]byte, size)
	}
	r.content = r.content[:size]
	if _, err := io.ReadFull(r.in, r.content); err != nil {
		return nil, short(err, errBadShape())
	}
	return r.content, nil
}

// Columns implements Table.
func (s *shapefile) Columns() []string {
	if s.table == nil {
		return nil
	}
	return s.table.columns
}

// CRS implements Table.
func (s *shapefile) CRS() string { return s.crs }

// Guesses implements Table.
func (s *shapefile) Guesses() []Guess { return s.guesses }

// Close implements Table.
func (s *shapefile) Close() error { return nil }

// Read implements Table.
func (s *shapefile) Read(ctx context.Context, each func(*Row) error) (err error) {
	var attributes *dbfReader
	if s.table != nil {
		if attributes, err = s.table.reader(ctx); err != nil {
			return err
		}
		defer closing(attributes, &err)
	}
	row := &Row{Cells: make([]any, len(s.Columns()))}
	return s.shapes(ctx, func(content []byte) error {
		row.Number++
		row.Faults, row.Geometry = nil, nil
		if attributes != nil {
			raw, err := attributes.next()
			if err != nil || raw[0] == '*' {
				return err
			}
			s.table.take(row, raw)
		}
		var err error
		if row.Geometry, err = readShape(content, s.kind); err != nil {
			row.Faults.AddError("/geometry", err)
		}
		return each(row)
	})
}

// errOtherKind is the fault of a record that is not of its file's type.
func errOtherKind(kind uint32) error {
	return layer.Wrong("hình có kiểu %s khác với tệp", "the shape is of the type %s, which is not the file's", strconv.FormatUint(uint64(kind), 10))
}
