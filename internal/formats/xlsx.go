package formats

import (
	"encoding/binary"
	"io"
	"math"
	"os"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	geom "github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/wkt"

	"hatang/internal/layer"
)

// Limits of Excel's sheets.
const (
	MaxExcelRows       = 1_048_576 // with the header
	MaxExcelCharacters = 32_767    // of a cell, units of UTF-16
)

// maxSheetBytes is how long the XML of a sheet may be: beyond, Excel takes the file for broken.
const maxSheetBytes = 4<<30 - 1

// workbook writes an XLSX file (ISO/IEC 29500) of two sheets. The first is called as the
// layer: names of the fields, then a row a feature with id, every property, and lon and lat
// of points (x and y in a projected system) or the well-known text of other geometries. The
// second, fields, says what the columns are.
//
// Numbers, dates and truth values are such cells; instants are in UTC, to the microsecond.
// What Excel would spoil is text: whole numbers beyond 2⁵³, days before 1900-03-01, from
// which on its calendar is right, and after the year 9999. Texts are texts, never formulas,
// also when a cell is edited; an empty one is a cell, null is none. A row or cell too many
// or too long is an UnfitError.
//
// The rows are compressed into the file as they come.
type workbook struct {
	sheet   Sheet
	zip     *zipFile
	out     io.Writer // the first sheet
	row     int       // the last written
	bytes   int64     // of the first sheet
	columns []string  // their letters
	wkt     *wkt.Encoder
	cells   []byte
	value   []byte
}

func newWorkbook(s Sheet) (Writer, error) {
	x := &workbook{sheet: s}
	if s.Layer.Geometry != layer.Point {
		x.wkt = wkt.NewEncoder(wkt.EncodeOptionWithMaxDecimalDigits(s.textDecimals()))
	}
	for i := range 3 + len(s.Layer.Properties()) {
		x.columns = append(x.columns, columnLetters(i))
	}
	var err error
	x.zip, err = newZipFile(&s)
	return x, err
}

// columnLetters are the letters of a column, A being 0.
func columnLetters(i int) string {
	letters := ""
	for i++; i > 0; i = (i - 1) / 26 {
		letters = string(rune('A'+(i-1)%26)) + letters
	}
	return letters
}

// Begin implements Writer.
func (x *workbook) Begin(dst []byte) ([]byte, error) {
	if err := x.parts(); err != nil {
		return dst, err
	}
	var err error
	if x.out, err = x.zip.member(sheetPart(1)); err != nil {
		return dst, err
	}
	x.cells = append(x.cells[:0], sheetStart...)
	x.begin()
	names := []string{x.sheet.free("id")}
	for _, f := range x.sheet.Layer.Properties() {
		names = append(names, f.Name)
	}
	for _, name := range placeNames(&x.sheet) {
		names = append(names, x.sheet.free(name))
	}
	for i, name := range names {
		x.text(i, styleHeader, []byte(name))
	}
	return dst, x.end()
}

// begin begins a row.
func (x *workbook) begin() {
	x.row++
	x.cells = append(strconv.AppendInt(append(x.cells, `<row r="`...), int64(x.row), 10), `">`...)
}

// end writes the row.
func (x *workbook) end() error {
	x.cells = append(x.cells, "</row>"...)
	if x.bytes += int64(len(x.cells)); x.bytes > maxSheetBytes {
		return ErrTooLarge
	}
	_, err := x.out.Write(x.cells)
	x.cells = x.cells[:0]
	return err
}

// Append implements Writer.
func (x *workbook) Append(dst []byte, r *layer.Row) ([]byte, error) {
	if err := x.sheet.checkRow(r); err != nil {
		return dst, err
	}
	if x.row >= MaxExcelRows {
		return dst, misfit("Một trang tính Excel chỉ có %d dòng: hãy thu hẹp bằng bbox hay filter, hoặc chọn f=csv, f=gpkg.",
			"A sheet of Excel has no more than %d rows: narrow the layer with bbox or filter, or choose f=csv or f=gpkg.", MaxExcelRows)
	}
	x.begin()
	x.integer(0, r.ID)
	fields := x.sheet.Layer.Properties()
	for i := range fields {
		if err := x.field(i+1, fields[i].Kind, r.Values[i]); err != nil {
			return dst, x.sheet.rowError(r, fields[i].Name, err)
		}
	}
	if err := x.place(1+len(fields), r); err != nil {
		return dst, x.sheet.rowError(r, "", err)
	}
	return dst, x.end()
}

// field writes a value as a cell of its kind.
func (x *workbook) field(column int, kind layer.Kind, value []byte) error {
	var some bool
	var err error
	if x.value, some, err = kind.AppendText(x.value[:0], value); !some || err != nil {
		return err
	}
	switch kind { // AppendText has found values of as many bytes as the kind has
	case layer.Integer:
		x.integer(column, int64(binary.BigEndian.Uint64(value)))
		return nil
	case layer.Number:
		x.number(column, styleNone, strconv.AppendFloat(x.value[:0], math.Float64frombits(binary.BigEndian.Uint64(value)), 'g', -1, 64))
		return nil
	case layer.Boolean:
		x.cells = append(append(append(x.open(column, styleNone), ` t="b"><v>`...), '0'+value[0]&1), "</v></c>"...)
		return nil
	case layer.Date:
		if days := int64(int32(binary.BigEndian.Uint32(value))); x.day(days) {
			x.number(column, styleDate, strconv.AppendInt(x.value[:0], excelDay+days, 10))
			return nil
		}
	case layer.Timestamp:
		const day = 24 * 3600 * 1_000_000
		at := int64(binary.BigEndian.Uint64(value))
		days, rest := at/day, at%day
		if rest < 0 {
			days, rest = days-1, rest+day
		}
		if x.day(days) {
			x.number(column, styleInstant, appendInstant(x.value[:0], days, float64(rest)/day))
			return nil
		}
	}
	return x.checked(column, x.value)
}

// excelDay is 2000-01-01 in Excel's count of days.
const excelDay = 36526

// day reports whether Excel counts a day as we do: from 1900-03-01, as before it has a
// day that there never was, to 9999-12-31.
func (x *workbook) day(since2000 int64) bool {
	return since2000 >= 61-excelDay && since2000 <= 2_958_465-excelDay
}

// appendInstant writes days and a fraction of one to less than a microsecond, of which
// float64 arithmetic on their sum would leave a tenth.
func appendInstant(dst []byte, days int64, fraction float64) []byte {
	dst = strconv.AppendInt(dst, excelDay+days, 10)
	at := len(dst)
	dst = strconv.AppendFloat(dst, fraction, 'f', 11, 64)
	return append(dst[:at], dst[at+1:]...) // the zero before the point
}

// place writes where a row is.
func (x *workbook) place(column int, r *layer.Row) error {
	g, err := x.sheet.shape(r.Geometry)
	if err != nil || g == nil {
		return err
	}
	if x.wkt == nil {
		return x.position(column, g)
	}
	text, err := x.wkt.Encode(g)
	if err != nil {
		return err
	}
	return x.checked(column, []byte(text))
}

func (x *workbook) position(column int, g geom.T) error {
	decimals := x.sheet.textDecimals()
	for i, ordinate := range g.FlatCoords()[:2] {
		var ok bool
		if x.value, ok = appendFixed(x.value[:0], ordinate, decimals, math.Pow10(decimals)); !ok {
			return ErrGeometry
		}
		x.number(column+i, styleNone, x.value)
	}
	return nil
}

// open begins a cell, up to the end of its tag.
func (x *workbook) open(column, style int) []byte {
	x.cells = append(append(x.cells, `<c r="`...), x.columns[column]...)
	x.cells = strconv.AppendInt(x.cells, int64(x.row), 10)
	x.cells = append(x.cells, '"')
	if style != styleNone {
		x.cells = append(append(append(x.cells, ` s="`...), byte('0'+style)), '"')
	}
	return x.cells
}

func (x *workbook) number(column, style int, digits []byte) {
	x.cells = append(append(append(x.open(column, style), "><v>"...), digits...), "</v></c>"...)
}

// integer is a number as long as Excel's numbers, which are float64, have all of them.
func (x *workbook) integer(column int, n int64) {
	digits := strconv.AppendInt(nil, n, 10)
	if n > 1<<53 || n < -1<<53 {
		x.text(column, styleText, digits)
		return
	}
	x.number(column, styleNone, digits)
}

// checked writes a text that may be too long for a cell.
func (x *workbook) checked(column int, text []byte) error {
	if n := characters(text); n > MaxExcelCharacters {
		return misfit("Ô %s%d sẽ có %d ký tự, nhiều hơn %d mà Excel chứa được: hãy chọn f=gpkg hay f=csv, hoặc bỏ cột đó (properties, skipGeometry).",
			"The cell %s%d would have %d characters, more than the %d that Excel has room for: choose f=gpkg or f=csv, or leave the column out (properties, skipGeometry).",
			x.columns[column], x.row, n, MaxExcelCharacters)
	}
	x.text(column, styleText, text)
	return nil
}

// characters counts as Excel does.
func characters(text []byte) (n int) {
	if len(text) <= MaxExcelCharacters {
		return len(text) // at least as many as there are, and few enough
	}
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		n += max(1, utf16.RuneLen(r))
		text = text[size:]
	}
	return n
}

func (x *workbook) text(column, style int, text []byte) {
	x.cells = append(x.open(column, style), ` t="inlineStr"><is><t xml:space="preserve">`...)
	x.cells = append(appendXML(x.cells, escapeControls(text)), "</t></is></c>"...)
}

// escapeControls writes what XML may not hold, and what would be taken for being written
// so, as Excel does: _xHHHH_.
func escapeControls(text []byte) []byte {
	var out []byte
	start := 0
	for i, b := range text {
		if b < ' ' && b != '\t' && b != '\n' && b != '\r' || b == '_' && escapes(text[i:]) {
			out = append(append(out, text[start:i]...), '_', 'x', '0', '0', hexDigit(b>>4), hexDigit(b&15), '_')
			start = i + 1
		}
	}
	if out == nil {
		return text
	}
	return append(out, text[start:]...)
}

// escapes reports whether a text begins as an escape of Excel's.
func escapes(text []byte) bool {
	if len(text) < 7 || text[1] != 'x' || text[6] != '_' {
		return false
	}
	_, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return err == nil
}

func hexDigit(n byte) byte { return "0123456789ABCDEF"[n] }

// End implements Writer.
func (x *workbook) End(dst []byte) ([]byte, error) {
	if _, err := io.WriteString(x.out, "</sheetData></worksheet>"); err != nil {
		return dst, err
	}
	return dst, x.zip.finish()
}

// File implements Writer.
func (x *workbook) File() *os.File { return x.zip.give() }

// Close implements Writer.
func (x *workbook) Close() error {
	if x.zip == nil {
		return nil
	}
	return closeAll(x.zip.file)
}
