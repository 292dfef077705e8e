package formats

import (
	"bytes"
	"math"
	"strconv"

	"github.com/twpayne/go-geom/encoding/wkt"

	"hatang/internal/layer"
)

// csvWriter writes a table (RFC 4180, lines end in LF): id, every property, then lon and
// lat of points (x and y in a projected system), or the well-known text of other
// geometries, x before y. Decimal points, ISO dates, true and false; a list has commas
// between its values, or is a JSON array where these have commas themselves. Nothing is
// null, "" an empty text.
//
// No cell is a formula to a spreadsheet program: a text that begins with = + - @, a tab
// or a line break, or with apostrophes and then one of these, gets an apostrophe before
// it. Whoever reads it back takes one off such a cell, and has what was there.
type csvWriter struct {
	stream
	sheet Sheet
	wkt   *wkt.Encoder // nil for points
	value []byte       // scratch
}

func newCSV(s Sheet) (Writer, error) {
	c := &csvWriter{sheet: s}
	if s.Layer.Geometry != layer.Point {
		c.wkt = wkt.NewEncoder(wkt.EncodeOptionWithMaxDecimalDigits(s.textDecimals()))
	}
	return c, nil
}

// Begin implements Writer.
func (c *csvWriter) Begin(dst []byte) ([]byte, error) {
	if c.sheet.BOM {
		dst = append(dst, "\ufeff"...)
	}
	dst = append(dst, c.sheet.free("id")...)
	for _, f := range c.sheet.Layer.Properties() {
		dst = appendCell(append(dst, ','), guard([]byte(f.Name)))
	}
	for _, name := range placeNames(&c.sheet) {
		dst = append(append(dst, ','), c.sheet.free(name)...)
	}
	return append(dst, '\n'), nil
}

// placeNames are the columns of a table that say where a row is.
func placeNames(s *Sheet) []string {
	switch {
	case s.Layer.Geometry != layer.Point:
		return []string{"wkt"}
	case s.CRS.Projected():
		return []string{"x", "y"}
	}
	return []string{"lon", "lat"}
}

// Append implements Writer.
func (c *csvWriter) Append(dst []byte, r *layer.Row) ([]byte, error) {
	if err := c.sheet.checkRow(r); err != nil {
		return dst, err
	}
	dst = strconv.AppendInt(dst, r.ID, 10)
	fields := c.sheet.Layer.Properties()
	for i := range fields {
		dst = append(dst, ',')
		var some bool
		var err error
		if c.value, some, err = fields[i].Kind.AppendText(c.value[:0], r.Values[i]); err != nil {
			return dst, c.sheet.rowError(r, fields[i].Name, err)
		}
		switch {
		case !some:
		case fields[i].Kind == layer.Text || fields[i].Kind == layer.TextList:
			dst = appendCell(dst, guard(c.value))
		default:
			dst = append(dst, c.value...)
		}
	}
	dst, err := c.place(dst, r)
	if err != nil {
		return dst, c.sheet.rowError(r, "", err)
	}
	return append(dst, '\n'), nil
}

// place writes where a row is.
func (c *csvWriter) place(dst []byte, r *layer.Row) ([]byte, error) {
	g, err := c.sheet.shape(r.Geometry)
	if err != nil {
		return dst, err
	}
	dst = append(dst, ',')
	switch {
	case c.wkt == nil && g == nil:
		return append(dst, ','), nil
	case g == nil:
		return dst, nil
	case c.wkt == nil:
		return appendPosition(dst, g.FlatCoords()[:2], c.sheet.textDecimals())
	}
	text, err := c.wkt.Encode(g)
	return append(append(append(dst, '"'), text...), '"'), err
}

// appendPosition writes ordinates with commas between.
func appendPosition(dst []byte, position []float64, decimals int) ([]byte, error) {
	scale := math.Pow10(decimals)
	for i, x := range position {
		if i > 0 {
			dst = append(dst, ',')
		}
		var ok bool
		if dst, ok = appendFixed(dst, x, decimals, scale); !ok {
			return dst, ErrGeometry
		}
	}
	return dst, nil
}

// guard keeps a text from being taken for a formula.
func guard(text []byte) []byte {
	bare := bytes.TrimLeft(text, "'")
	if len(bare) == 0 || bytes.IndexByte([]byte("=+-@\t\r\n"), bare[0]) < 0 {
		return text
	}
	return append([]byte{'\''}, text...)
}

// appendCell quotes a text where a cell needs it: outer blanks would be taken off by
// some readers, and nothing at all means null.
func appendCell(dst, text []byte) []byte {
	if len(text) > 0 && !bytes.ContainsAny(text, "\",\r\n") && len(bytes.TrimSpace(text)) == len(text) {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	for _, b := range text {
		if b == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, b)
	}
	return append(dst, '"')
}
