package formats

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"hatang/geo"
	"hatang/internal/layer"
)

// Limits of names and numbers in dBase tables, in bytes.
const (
	mostName   = 10
	mostNumber = 24 // which any float64 has room in
	// mostInteger is how many characters of a whole number programs read as one.
	mostInteger = 18
)

// dbfColumn is a column of a dBase table.
type dbfColumn struct {
	name   string
	source string // the field's name
	unit   string
	title  geo.Text
	index  int // of the field; -1 for the id
	kind   layer.Kind
	value  []byte
}

// dbfWidth is what is known of a column's values once all have come.
type dbfWidth struct {
	widest   int // bytes
	decimals int
	cut      int // texts that were longer than dBase has room for
}

// dbfColumns are the id and the fields of a sheet, under names of ten characters at most
// that differ also without case.
func dbfColumns(s *Sheet) []dbfColumn {
	columns := []dbfColumn{{source: s.free(layer.IDName), index: -1, kind: layer.Integer, title: geo.Text{VI: "Số hiệu", EN: "Id"}}}
	for i, f := range s.Layer.Properties() {
		columns = append(columns, dbfColumn{source: f.Name, unit: f.Unit, title: f.Title, index: i, kind: f.Kind})
	}
	taken := map[string]bool{}
	for _, short := range []bool{true, false} { // names that fit stay as they are
		for i := range columns {
			if c := &columns[i]; (len(c.source) <= mostName) == short {
				c.name = shortName(c.source, taken)
				taken[strings.ToLower(c.name)] = true
			}
		}
	}
	return columns
}

// shortName cuts a name, with a number at its end where the short one is taken. Names of
// fields are ASCII.
func shortName(name string, taken map[string]bool) string {
	short := name[:min(len(name), mostName)]
	for n := 2; taken[strings.ToLower(short)]; n++ {
		end := "_" + strconv.Itoa(n)
		short = name[:min(len(name), mostName-len(end))] + end
	}
	return short
}

// append writes a row's value as its length and its text, unpadded, and notes how wide it is.
func (c *dbfColumn) append(dst []byte, r *layer.Row, w *dbfWidth) ([]byte, error) {
	var err error
	if c.index < 0 {
		c.value = strconv.AppendInt(c.value[:0], r.ID, 10)
	} else if c.value, _, err = c.kind.AppendText(c.value[:0], r.Values[c.index]); err != nil {
		return dst, err
	}
	text := c.value
	switch {
	case len(text) == 0:
	case c.kind == layer.Boolean:
		text = bytes.ToUpper(text[:1]) // T or F
	case c.kind == layer.Date:
		if text = bytes.ReplaceAll(text, []byte("-"), nil); len(text) != 8 {
			return dst, misfit("Ngày %q không ghi được vào dBase, chỉ có năm 0001 đến 9999: hãy chọn f=gpkg hay f=csv.",
				"dBase has no room for the day %q, only for the years 0001 to 9999: choose f=gpkg or f=csv.", c.value)
		}
	case c.kind == layer.Number:
		text = dbfNumber(text, w)
	case len(text) > MaxShapefileText:
		w.cut++
		end := MaxShapefileText
		for end > 0 && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
	w.widest = max(w.widest, len(text))
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...), nil
}

// dbfNumber is the shortest form of a number that reads back the same, with an exponent
// where the column would get too wide.
func dbfNumber(text []byte, w *dbfWidth) []byte {
	const mostDecimals = 15
	decimals := 0
	if point := bytes.IndexByte(text, '.'); point >= 0 {
		decimals = len(text) - point - 1
	}
	if decimals > mostDecimals || len(text) > mostNumber {
		if x, err := strconv.ParseFloat(string(text), 64); err == nil { // it was made of one
			text, decimals = strconv.AppendFloat(nil, x, 'e', -1, 64), mostDecimals
		}
	}
	w.decimals = max(w.decimals, decimals)
	return text
}

// descriptor is the column in the table's header, and its width in bytes.
func (c *dbfColumn) descriptor(w *dbfWidth) (b [32]byte, width int) {
	copy(b[:11], c.name)
	kind, width, decimals := byte('C'), max(1, w.widest), 0
	switch c.kind {
	case layer.Boolean:
		kind, width = 'L', 1
	case layer.Date:
		kind, width = 'D', 8
	case layer.Integer:
		if w.widest <= mostInteger {
			kind = 'N'
		}
	case layer.Number: // without decimals it would be one of whole numbers
		kind, decimals = 'N', max(1, w.decimals)
		width = max(w.widest, decimals+2)
	}
	b[11], b[16], b[17] = kind, byte(width), byte(decimals)
	return b, width
}

// writeTable puts the .dbf together. Its date is always the same one; the same rows make
// the same bytes.
func (p *shapePart) writeTable(out io.Writer, columns []dbfColumn) error {
	const version, end = 3, 0x1a
	header, record := make([]byte, 32, 32*(len(columns)+1)+1), 1
	widths, right := make([]int, len(columns)), make([]bool, len(columns))
	for i := range columns {
		d, width := columns[i].descriptor(&p.widths[i])
		header, widths[i], right[i] = append(header, d[:]...), width, d[11] == 'N'
		record += width
	}
	header = append(header, '\r')
	if int64(len(header))+int64(record)*int64(len(p.lengths))+1 > MaxShapefileBytes || record > math.MaxUint16 {
		return ErrTooLarge
	}
	header[0], header[1], header[2], header[3] = version, 100, 1, 1
	binary.LittleEndian.PutUint32(header[4:], uint32(len(p.lengths)))
	binary.LittleEndian.PutUint16(header[8:], uint16(len(header)))
	binary.LittleEndian.PutUint16(header[10:], uint16(record))
	if _, err := out.Write(header); err != nil {
		return err
	}
	values, err := p.values.reader()
	if err != nil {
		return err
	}
	row := make([]byte, record)
	for range p.lengths {
		for i := range row {
			row[i] = ' '
		}
		at := 1
		for i, width := range widths {
			length, err := binary.ReadUvarint(values)
			if err != nil {
				return err
			}
			start := at
			if right[i] {
				start += width - int(length)
			}
			if _, err := io.ReadFull(values, row[start:start+int(length)]); err != nil {
				return err
			}
			at += width
		}
		if _, err := out.Write(row); err != nil {
			return err
		}
	}
	_, err = out.Write([]byte{end})
	return err
}
