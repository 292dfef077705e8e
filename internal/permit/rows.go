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
	// maxQuotedBytes is how far a row of CSV is followed through quoted cells of many
	// lines to find that it is too long. Of a longer one each line counts as a row.
	maxQuotedBytes = 1 << 20
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
	in    []byte // the texts of the rows
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
	quoted  bool // with more: of a row that may be as long as maxQuotedBytes
	err     error
}

// room is how much text a cutter that asks for more is given before the row counts
// as too long: the row, and what may end its line.
func (k *cut) room() int {
	if k.quoted {
		return maxQuotedBytes + 1
	}
	return MaxRowBytes + 1
}

// cutter finds rows in a text, and does not look into them.
type cutter interface {
	// next looks at a text that begins where the last cut ended. atEnd: no more
	// follows. A cutter that asks for more is given at least cut.room and one byte
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
	rest     []byte // what has been read
	pos      int    // and is done with
	atEnd    bool
	skipping bool
	rows     int64
	empty    int // readings that gave nothing
}

// fill puts the next rows into a chunk; false when there are none. An error may
// stand behind rows that are in order.
func (f *feed) fill(ctx context.Context, c *chunk) (bool, error) {
	c.in, c.rows, c.out, c.first = c.in[:0], c.rows[:0], c.out[:0], f.rows+1
	c.tally = Tally{}
	err := f.cutAll(ctx, c)
	f.rows += int64(len(c.rows))
	return len(c.rows) > 0, err
}

func (f *feed) cutAll(ctx context.Context, c *chunk) error {
	for len(c.rows) < chunkRows && len(c.in) < chunkBytes {
		if f.skipping {
			n, done := f.cutter.skip(f.rest[f.pos:])
			f.pos += n
			f.skipping = !done && !f.atEnd
		}
		text := f.rest[f.pos:]
		var k cut
		if !f.skipping {
			k = f.cutter.next(text, f.atEnd)
		}
		switch {
		case k.err != nil:
			return k.err
		case f.skipping, k.more && !f.atEnd:
			if !f.skipping && len(text) > k.room() {
				c.rows = append(c.rows, rowText{flaw: tooLong})
				f.skipping = true
				continue
			}
			if err := f.read(ctx); err != nil {
				return err
			}
		case k.found:
			c.add(k.row, text)
			f.pos += k.advance
		case k.advance > 0:
			f.pos += k.advance
		default:
			return f.cutter.end()
		}
	}
	return nil
}

// add takes a row out of the text it was found in.
func (c *chunk) add(row rowText, text []byte) {
	if row.flaw == flawless {
		from := len(c.in)
		c.in = append(c.in, text[row.from:row.to]...)
		row.from, row.to = int32(from), int32(len(c.in))
	} else {
		row.from, row.to = 0, 0
	}
	c.rows = append(c.rows, row)
}

// maxEmptyReads is how often a reader may give nothing and no error.
const maxEmptyReads = 100

// read adds to the text. What is done with goes when it is the greater part, so that
// each byte is moved a few times at most.
func (f *feed) read(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if f.pos >= len(f.rest)-f.pos {
		f.rest = f.rest[:copy(f.rest, f.rest[f.pos:])]
		f.pos = 0
	}
	have := len(f.rest)
	f.rest = slices.Grow(f.rest, MaxRowBytes)
	n, err := f.in.Read(f.rest[have : have+MaxRowBytes])
	f.rest = f.rest[:have+n]
	return f.judgeRead(n, err)
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
