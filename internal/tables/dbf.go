package tables

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hatang/internal/layer"
)

// dbf is a dBASE table, as a shapefile's attributes stand in one. Its rows may be read
// alone, too.
type dbf struct {
	file    file
	rows    int64 // with those that are marked as deleted
	start   int64 // bytes before the first row
	size    int   // bytes of a row
	fields  []dbfField
	columns []string
	codec   codec
	guesses []Guess
}

type dbfField struct {
	kind     byte
	at, size int
	decimals int
}

// isDBF reports whether a file starts as a dBASE table does: no mark tells it, so all of its
// header must be as it should.
func isDBF(start []byte) bool {
	const versions = "\x02\x03\x04\x05\x30\x31\x32\x43\x63\x83\x8b\xcb\xf5\xfb"
	if len(start) < 33 || strings.IndexByte(versions, start[0]) < 0 || start[2] > 12 || start[3] > 31 {
		return false
	}
	end := min(len(start), int(binary.LittleEndian.Uint16(start[8:])))
	for i := 32; i < end; i += 32 {
		if start[i] == '\r' {
			return true
		}
	}
	return false
}

func openDBFTable(ctx context.Context, f file, o Options) (Table, error) {
	if o.Table != "" {
		return nil, noTables("DBF", o.Table)
	}
	d, err := openDBF(ctx, f, o, "")
	if err != nil {
		return nil, err
	}
	return d, nil
}

// openDBF reads a table's header, and all of it once for its encoding; declared is what the
// file beside it says of that, "" for nothing.
func openDBF(ctx context.Context, f file, o Options, declared string) (*dbf, error) {
	d := &dbf{file: f}
	start, err := f.head(ctx, 1<<16)
	if err != nil {
		return nil, err
	}
	if err := d.header(start); err != nil {
		return nil, err
	}
	var texts specimen
	stars := map[int]bool{} // fields of numbers with asterisks for one
	var names [][]byte
	for i := range d.fields {
		name, _, _ := bytes.Cut(start[32+32*i:32+32*i+11], []byte{0})
		names = append(names, name)
		texts.add(name)
	}
	err = d.raw(ctx, func(_ int64, row []byte) error {
		for i, field := range d.fields {
			switch value := row[field.at : field.at+field.size]; {
			case field.kind == 'C':
				texts.add(whole(value))
			case isStars(field, value):
				stars[i] = true
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if d.codec, d.guesses, err = declaredEncoding(&texts, o.Encoding, declared, "the .cpg"); err != nil {
		return nil, err
	}
	var columns []string
	for _, name := range names {
		column, _ := d.codec.text(string(name))
		columns = append(columns, column)
	}
	d.columns = uniqueNames(columns)
	d.noteUnread()
	d.noteStars(stars)
	return d, nil
}

// unread are the types of fields whose values are not read: notes and pictures in another
// file, and what only their maker knows.
const unread = "MGP0@T"

// noteUnread says which columns are not read.
func (d *dbf) noteUnread() {
	var names []string
	for i, f := range d.fields {
		if strings.IndexByte(unread, f.kind) >= 0 {
			names = append(names, d.columns[i])
		}
	}
	if len(names) > 0 {
		d.guesses = append(d.guesses, Guess{"columns", "", "not read, being kept in another file or bytes: " + cut(strings.Join(names, ", "), 400)})
	}
}

// isStars reports whether a number is asterisks: so GDAL and QGIS write that there is none, and
// dBASE one that is too long for its field.
func isStars(f dbfField, raw []byte) bool {
	return (f.kind == 'N' || f.kind == 'F') && len(raw) > 0 && len(bytes.Trim(raw, "*")) == 0
}

// noteStars says of which columns asterisks are read as no value.
func (d *dbf) noteStars(in map[int]bool) {
	var names []string
	for _, i := range slices.Sorted(maps.Keys(in)) {
		names = append(names, d.columns[i])
	}
	if len(names) > 0 {
		d.guesses = append(d.guesses, Guess{"asterisks", cut(strings.Join(names, ", "), 400), "read as no value, as GDAL and QGIS write it; dBASE writes numbers so that are too long"})
	}
}

func errBadDBF() error { return layer.Wrong("tệp .dbf bị hỏng", "the .dbf file is damaged") }

// header reads where the rows and the fields are.
func (d *dbf) header(start []byte) error {
	if len(start) < 33 {
		return errBadDBF()
	}
	little := binary.LittleEndian
	d.rows, d.start, d.size = int64(little.Uint32(start[4:])), int64(little.Uint16(start[8:])), int(little.Uint16(start[10:]))
	at := 1 // after the mark of deletion
	for i := 32; ; i += 32 {
		if i >= len(start) || int64(i) >= d.start {
			return errBadDBF()
		}
		if start[i] == '\r' || int64(i) == d.start-1 { // some programs end it with another sign
			break
		}
		if i+32 > len(start) {
			return errBadDBF()
		}
		f := dbfField{kind: start[i+11], at: at, size: int(start[i+16]), decimals: int(start[i+17])}
		if f.kind == 'C' { // of texts, that is the size's high byte
			f.size += f.decimals << 8
		}
		if at += f.size; at > d.size {
			return errBadDBF()
		}
		if d.fields = append(d.fields, f); len(d.fields) > MaxColumns {
			return tooManyColumns()
		}
	}
	if at != d.size { // some of each row would be read by nobody
		return errBadDBF()
	}
	if d.size < 1 || d.start+d.rows*int64(d.size) > d.file.size {
		return layer.Wrong("tệp .dbf ngắn hơn %d dòng mà nó nêu", "the .dbf file is shorter than the %d rows it speaks of", d.rows)
	}
	return nil
}

// raw hands on the rows that are not deleted, with their numbers from 1 on.
func (d *dbf) raw(ctx context.Context, each func(number int64, row []byte) error) (err error) {
	r, err := d.reader(ctx)
	if err != nil {
		return err
	}
	defer closing(r, &err)
	for {
		row, err := r.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if row[0] == '*' {
			continue
		}
		if err := each(r.number, row); err != nil {
			return err
		}
	}
}

// dbfReader runs over the rows of a table, deleted ones too.
type dbfReader struct {
	*reading
	in     *bufio.Reader
	row    []byte
	number int64
	of     *dbf
}

func (d *dbf) reader(ctx context.Context) (*dbfReader, error) {
	in, err := d.file.read(ctx)
	if err != nil {
		return nil, err
	}
	r := &dbfReader{in, bufio.NewReaderSize(in, 1<<16), make([]byte, d.size), 0, d}
	if _, err := r.in.Discard(int(d.start)); err != nil {
		return nil, errors.Join(short(err, errBadDBF()), in.Close())
	}
	return r, nil
}

// next returns the next row, until the next call; io.EOF after the last.
func (r *dbfReader) next() ([]byte, error) {
	if r.number >= r.of.rows {
		return nil, io.EOF
	}
	r.number++
	if _, err := io.ReadFull(r.in, r.row); err != nil {
		return nil, short(err, errBadDBF())
	}
	return r.row, nil
}

// Columns implements Table.
func (d *dbf) Columns() []string { return d.columns }

// CRS implements Table.
func (d *dbf) CRS() string { return "" }

// Guesses implements Table.
func (d *dbf) Guesses() []Guess { return d.guesses }

// Close implements Table.
func (d *dbf) Close() error { return nil }

// Read implements Table.
func (d *dbf) Read(ctx context.Context, each func(*Row) error) error {
	row := &Row{Cells: make([]any, len(d.columns))}
	return d.raw(ctx, func(number int64, raw []byte) error {
		row.Number, row.Faults = number, nil
		d.take(row, raw)
		return each(row)
	})
}

// take reads the values of a row.
func (d *dbf) take(row *Row, raw []byte) {
	for i, f := range d.fields {
		value, ok := d.value(f, raw[f.at:f.at+f.size])
		row.Cells[i] = value
		switch text, isText := value.(string); {
		case isText && f.kind == 'C':
			row.Cells[i] = d.codec.cell(row, d.columns[i], text)
		case ok:
		default:
			row.Cells[i] = nil
			row.Faults.Add("/properties/"+d.columns[i], "%q không phải giá trị kiểu %c", "%q is no value of the type %c", cut(strings.TrimSpace(text), 40), f.kind)
		}
	}
}

// value reads a value; false for one that is not of its field's type, which is then returned
// as the text that stands there.
func (d *dbf) value(f dbfField, raw []byte) (any, bool) {
	little := binary.LittleEndian
	switch {
	case f.kind == 'I' && len(raw) == 4, f.kind == '+' && len(raw) == 4:
		return int64(int32(little.Uint32(raw))), true
	case f.kind == 'B' && len(raw) == 8, f.kind == 'O' && len(raw) == 8:
		x := math.Float64frombits(little.Uint64(raw))
		return x, !math.IsNaN(x) && !math.IsInf(x, 0)
	case f.kind == 'Y' && len(raw) == 8:
		return float64(int64(little.Uint64(raw))) / 1e4, true
	case strings.IndexByte(unread, f.kind) >= 0:
		return nil, true
	}
	text := strings.TrimSpace(strings.Trim(string(raw), "\x00"))
	if text == "" || isStars(f, raw) {
		return nil, true
	}
	switch f.kind {
	case 'N', 'F':
		if i, err := strconv.ParseInt(text, 10, 64); err == nil && f.decimals == 0 {
			return i, true
		}
		x, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return text, false
		}
		return x, true
	case 'D':
		if strings.Trim(text, "0") == "" {
			return nil, true
		}
		day, err := time.Parse("20060102", text)
		if err != nil {
			return text, false
		}
		return day, true
	case 'L':
		if i := strings.Index("TtYyFfNn?", text); i >= 0 && len(text) == 1 {
			return map[bool]any{true: i < 4, false: nil}[text != "?"], true
		}
		return text, false
	}
	if d.codec.raw == nil {
		raw = whole(raw)
	}
	return string(bytes.TrimRight(raw, " \x00")), true
}

// whole leaves out the first bytes of a character of UTF-8 at the end of a field that is full:
// it was too short for all of them.
func whole(raw []byte) []byte {
	for back := 1; back <= min(3, len(raw)); back++ {
		if b := raw[len(raw)-back]; utf8.RuneStart(b) {
			if !utf8.FullRune(raw[len(raw)-back:]) {
				return raw[:len(raw)-back]
			}
			break
		}
	}
	return bytes.TrimRight(raw, " \x00")
}
