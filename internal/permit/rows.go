package permit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"hatang/geo"
)

// Limits of what is read in rows.
const (
	// MaxRowBytes is how long one row of a file may be. A longer one is a bad row: it
	// is passed over and reading goes on behind it.
	MaxRowBytes = 64 << 10
	// chunkRows and chunkBytes are how much is judged at a time.
	chunkRows  = 1024
	chunkBytes = 256 << 10
)

// RowFormat is a way to write proposals one after the other.
type RowFormat uint8

// The formats of rows. See each reader for what it takes.
const (
	CSV               RowFormat = iota + 1 // text/csv
	FeatureCollection                      // application/geo+json
	FeatureSequence                        // application/geo+json-seq (RFC 8142), or a Feature on each line
)

// ErrNoRows is returned for an input that is not in its format at all, or breaks off
// in the middle; rows before that place have been answered.
var ErrNoRows = errors.New("the rows cannot be read")

// notRows is an ErrNoRows that says why, in both languages.
type notRows struct{ geo.Text }

func (n *notRows) Error() string { return n.EN }
func (n *notRows) Unwrap() error { return ErrNoRows }

func noRows(vi, en string, args ...any) error {
	return &notRows{geo.Text{VI: fmt.Sprintf(vi, args...), EN: fmt.Sprintf(en, args...)}}
}

// NoRowsText returns what an error that wraps ErrNoRows has to say.
func NoRowsText(err error) (geo.Text, bool) {
	var n *notRows
	if errors.As(err, &n) {
		return n.Text, true
	}
	return geo.Text{}, false
}

// flaw is what is wrong with the text of a row before it is looked into.
type flaw uint8

const (
	flawless flaw = iota
	tooLong
	unclosed // a quotation mark that never closes
)

// rowText is where a row stands in its chunk, without what ends it.
type rowText struct {
	from, to int32
	flaw     flaw
}

// chunk is some rows on their way through.
type chunk struct {
	in    []byte
	kept  int // how much of in belongs to rows
	rows  []rowText
	first int64    // number of the first row, from 1
	crs   *geo.CRS // of GeoJSON
	out   []byte
	tally Tally
	done  chan error
}

// cut is what a cutter found at the beginning of a text.
type cut struct {
	advance int // how much of the text is done with
	row     rowText
	found   bool // row is one; positions within the text
	more    bool // nothing can be said without more text
	err     error
}

// cutter finds rows in a text, and does not look into them.
type cutter interface {
	// next looks at a text that begins where the last cut ended. atEnd: no more
	// follows. A cutter that asks for more is given at least MaxRowBytes and one byte
	// before it is told to skip.
	next(text []byte, atEnd bool) cut
	// skip passes over the rest of a row that is too long.
	skip(text []byte) (advance int, done bool)
	// end says what is missing when the text ends here.
	end() error
}

// feed cuts an input into chunks. Its memory is one row and a buffer, whatever the
// size of the input.
type feed struct {
	in       io.Reader
	cutter   cutter
	rest     []byte // read, but not of the last chunk
	atEnd    bool
	skipping bool
	rows     int64
	empty    int // readings that gave nothing
}

// fill puts the next rows into a chunk; false when there are none. An error may
// stand behind rows that are in order.
func (f *feed) fill(ctx context.Context, c *chunk) (bool, error) {
	c.in = append(c.in[:0], f.rest...)
	c.kept, c.rows, c.out, c.first = 0, c.rows[:0], c.out[:0], f.rows+1
	c.tally = Tally{}
	pos, err := f.cutAll(ctx, c)
	f.rest = append(f.rest[:0], c.in[pos:]...)
	f.rows += int64(len(c.rows))
	return len(c.rows) > 0, err
}

func (f *feed) cutAll(ctx context.Context, c *chunk) (pos int, err error) {
	for len(c.rows) < chunkRows {
		if f.skipping {
			n, done := f.cutter.skip(c.in[pos:])
			pos += n
			f.skipping = !done && !f.atEnd
		}
		var k cut
		if !f.skipping {
			k = f.cutter.next(c.in[pos:], f.atEnd)
		}
		switch {
		case k.err != nil:
			return pos, k.err
		case f.skipping, k.more && !f.atEnd:
			if !f.skipping && len(c.in)-pos > MaxRowBytes {
				c.rows = append(c.rows, rowText{flaw: tooLong})
				f.skipping = true
				continue
			}
			if pos > chunkBytes-MaxRowBytes && len(c.rows) > 0 {
				return pos, nil
			}
			if pos, err = f.read(ctx, c, pos); err != nil {
				return pos, err
			}
		case k.found:
			if k.row.flaw == flawless {
				k.row.from += int32(pos)
				k.row.to += int32(pos)
			}
			c.rows = append(c.rows, k.row)
			pos += k.advance
			c.kept = max(c.kept, int(k.row.to))
		case k.advance > 0:
			pos += k.advance
		default:
			return pos, f.cutter.end()
		}
	}
	return pos, nil
}

// maxEmptyReads is how often a reader may give nothing and no error.
const maxEmptyReads = 100

// read adds to the chunk's text; what is done with and of no row goes first.
func (f *feed) read(ctx context.Context, c *chunk, pos int) (int, error) {
	if err := ctx.Err(); err != nil {
		return pos, err
	}
	c.in = append(c.in[:c.kept], c.in[pos:]...)
	have := len(c.in)
	c.in = slices.Grow(c.in, MaxRowBytes)
	n, err := f.in.Read(c.in[have : have+MaxRowBytes])
	c.in = c.in[:have+n]
	return c.kept, f.judgeRead(n, err)
}

func (f *feed) judgeRead(n int, err error) error {
	switch {
	case errors.Is(err, io.EOF):
		f.atEnd = true
	case err != nil:
		return fmt.Errorf("read: %w", err)
	case n > 0:
		f.empty = 0
	default:
		if f.empty++; f.empty > maxEmptyReads {
			return io.ErrNoProgress
		}
	}
	return nil
}

// peek reads what stands before the first row: n bytes of it, unless the input is
// shorter. It stays in the rest.
func (f *feed) peek(n int) ([]byte, error) {
	for len(f.rest) < n && !f.atEnd {
		have := len(f.rest)
		f.rest = slices.Grow(f.rest, n-have)
		got, err := f.in.Read(f.rest[have:n])
		f.rest = f.rest[:have+got]
		if err := f.judgeRead(got, err); err != nil {
			return nil, err
		}
	}
	return f.rest, nil
}

// openGeoJSON tells the ways to write features apart.
func (f *feed) openGeoJSON(format RowFormat) error {
	text, err := f.peek(MaxRowBytes + 1)
	if err != nil {
		return err
	}
	if bytes.HasPrefix(text, byteOrderMark) {
		f.rest = f.rest[len(byteOrderMark):]
		text = f.rest
	}
	text = bytes.TrimLeft(text, " \t\r\n")
	switch {
	case len(text) == 0 && f.atEnd:
		return noRows("đầu vào trống", "the input is empty")
	case len(text) > 0 && text[0] == recordSeparator, format == FeatureCollection && f.atEnd && isFeature(text):
		f.cutter = &lineCutter{recordSeparator}
	case format == FeatureSequence:
		f.cutter = &lineCutter{'\n'}
	default:
		f.cutter = &collectionCutter{}
	}
	return nil
}

// recordSeparator begins each text of a sequence (RFC 8142).
const recordSeparator = '\x1e'

// isFeature reports whether a text is a single Feature.
func isFeature(text []byte) bool {
	var f struct {
		Type string `json:"type"`
	}
	return json.Unmarshal(text, &f) == nil && f.Type == "Feature"
}

// Sniff tells the format of rows by how they begin; 0 when nothing is there yet.
func Sniff(text []byte) RowFormat {
	text = bytes.TrimSpace(bytes.TrimPrefix(text, byteOrderMark))
	switch {
	case len(text) == 0:
		return 0
	case text[0] == recordSeparator:
		return FeatureSequence
	case text[0] != '{':
		return CSV
	}
	line, rest, more := bytes.Cut(text, []byte("\n"))
	if more && isFeature(line) && len(bytes.TrimSpace(rest)) > 0 {
		return FeatureSequence
	}
	return FeatureCollection
}

var byteOrderMark = []byte("\ufeff")

// lineCutter cuts at the ends of lines, or before record separators (RFC 8142) when
// the input begins with one.
type lineCutter struct{ separator byte }

func (l *lineCutter) next(text []byte, atEnd bool) cut {
	skip := 0
	for skip < len(text) && (isSpace(text[skip]) || text[skip] == l.separator) {
		skip++
	}
	if skip > 0 {
		return cut{advance: skip}
	}
	n := bytes.IndexByte(text, l.separator)
	if n < 0 {
		if !atEnd {
			return cut{more: true}
		}
		n = len(text)
	}
	row := rowText{to: int32(len(bytes.TrimRight(text[:n], " \t\r\n")))}
	if n > MaxRowBytes {
		row = rowText{flaw: tooLong}
	}
	return cut{advance: n, row: row, found: n > 0}
}

func (l *lineCutter) skip(text []byte) (int, bool) {
	if n := bytes.IndexByte(text, l.separator); n >= 0 {
		return n, true
	}
	return len(text), false
}

func (l *lineCutter) end() error { return nil }
