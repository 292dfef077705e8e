package tables

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/unicode"

	"hatang/internal/layer"
)

// csvTable is a file of lines of text whose cells a character parts.
type csvTable struct {
	file    file
	wide    bool  // UTF-16
	returns bool  // lines end in a carriage return alone, as old Macintosh programs and Excel there write them
	skip    int64 // lines before the first row: the one that Excel names the separator in
	comma   rune
	blanks  bool // any number of blanks parts cells
	codec   codec
	header  header
	guesses []Guess
}

// errLongLine refuses what is no table of lines, before it is held.
func errLongLine() error {
	return layer.Wrong("một dòng dài hơn %d byte", "a line is longer than %d bytes", MaxLineBytes)
}

// openCSV opens a file of text. It is read once to its end, for its encoding; cost: 0.1 s for
// 100 MB.
func openCSV(ctx context.Context, f file, o Options) (Table, error) {
	if o.Table != "" {
		return nil, noTables("CSV", o.Table)
	}
	start, err := f.head(ctx, 2)
	if err != nil {
		return nil, err
	}
	t := &csvTable{file: f, wide: isWide(start)}
	specimen, top, err := t.survey(ctx)
	if err != nil {
		return nil, err
	}
	if t.wide && o.Encoding != "" {
		o.Encoding = ""
	}
	var guesses []Guess
	if t.codec, guesses, err = specimen.guess(o.Encoding, "as was said"); err != nil {
		return nil, err
	}
	if t.wide {
		guesses = []Guess{{"encoding", "utf-16", "it begins with the mark of UTF-16"}}
	}
	t.guesses = append(t.guesses, guesses...)
	if t.returns {
		t.guesses = append(t.guesses, Guess{"line_ends", "cr", "no line ends otherwise: so programs on a Macintosh wrote"})
	}
	if err := t.separator(top, o.Separator); err != nil {
		return nil, err
	}
	return t, t.findNames(ctx, o)
}

// noTables refuses a part of what has none.
func noTables(format, name string) error {
	return layer.Wrong("tệp %s không chia thành bảng, nên không có %q", "a %s file is not divided into tables, so it has no %q", format, cut(name, 80))
}

// isWide reports whether a file begins as UTF-16 does.
func isWide(start []byte) bool {
	return bytes.HasPrefix(start, []byte{0xff, 0xfe}) || bytes.HasPrefix(start, []byte{0xfe, 0xff})
}

// text is the file from its start, in UTF-8 or its own bytes, without a mark before it.
func (t *csvTable) text(ctx context.Context) (io.Reader, io.Closer, error) {
	in, err := t.file.read(ctx)
	if err != nil {
		return nil, nil, err
	}
	if t.wide {
		text, returns := endings(bufio.NewReaderSize(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Reader(in), maxTop))
		t.returns = returns
		return text, in, nil
	}
	buffered := bufio.NewReaderSize(in, maxTop)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\ufeff" {
		if _, err := buffered.Discard(3); err != nil {
			return nil, nil, errors.Join(err, in.Close())
		}
	}
	text, returns := endings(buffered)
	t.returns = returns
	return text, in, nil
}

// endings makes ends of lines of carriage returns, where the start of a text has no other.
func endings(in *bufio.Reader) (text io.Reader, returns bool) {
	start, _ := in.Peek(maxTop) // who reads on meets the error
	if bytes.IndexByte(start, '\n') >= 0 || bytes.IndexByte(start, '\r') < 0 {
		return in, false
	}
	return carriageReturns{in}, true
}

// carriageReturns reads each carriage return as the end of a line.
type carriageReturns struct{ in io.Reader }

// Read implements io.Reader.
func (r carriageReturns) Read(p []byte) (n int, err error) {
	n, err = r.in.Read(p)
	for i, b := range p[:n] {
		if b == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

// maxTop is how much of the start of a file its separator is looked for in, bytes.
const maxTop = 64 << 10

// survey reads all of the file: a specimen of its texts, and its first lines.
func (t *csvTable) survey(ctx context.Context) (_ *specimen, top []byte, err error) {
	in, closer, err := t.text(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer closing(closer, &err)
	buffered := bufio.NewReaderSize(in, 1<<16)
	specimen, length, zero, judged := &specimen{}, 0, false, false
	for {
		piece, err := buffered.ReadSlice('\n')
		if length += len(piece); length > MaxLineBytes {
			return nil, nil, errLongLine()
		}
		if len(top) < maxTop {
			top = append(top, piece...)
		}
		zero = zero || bytes.IndexByte(piece, 0) >= 0
		if zero && !judged && (len(top) >= maxTop || errors.Is(err, io.EOF)) {
			if judged = true; isBinary(top) {
				return nil, nil, errUnknown()
			}
		}
		specimen.add(piece)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return specimen, top, nil
		case err != nil:
			return nil, nil, err
		default:
			length = 0
		}
	}
}

// isBinary tells what is no text from a text with a zero byte in it, whose row then says so: a tenth
// of it is characters that no text has.
func isBinary(top []byte) bool {
	strange := 0
	for _, b := range top {
		if b < ' ' && (b < '\t' || b > '\r') {
			strange++
		}
	}
	return 10*strange > len(top)
}

// rows hands on the rows that are not empty. A quotation mark that nobody closes is met by
// the limit of a row's length.
func (t *csvTable) rows(ctx context.Context, each func(number int64, cells []string) error) (err error) {
	in, closer, err := t.text(ctx)
	if err != nil {
		return err
	}
	defer closing(closer, &err)
	if t.blanks {
		in = &blanks{in: in}
	}
	gate := newGate(in, 2*MaxLineBytes, errLongLine())
	reader := newCSVReader(gate, t.comma)
	for {
		gate.open()
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return plainCSV(err)
		}
		number, _ := reader.FieldPos(0)
		if int64(number) <= t.skip {
			continue
		}
		if err := each(int64(number), cells); err != nil {
			return err
		}
	}
}

func newCSVReader(in io.Reader, comma rune) *csv.Reader {
	reader := csv.NewReader(in)
	reader.Comma, reader.LazyQuotes, reader.FieldsPerRecord, reader.ReuseRecord = comma, true, -1, true
	return reader
}

// plainCSV says in words what the library found.
func plainCSV(err error) error {
	var broken *csv.ParseError
	if errors.As(err, &broken) && errors.Is(err, csv.ErrQuote) {
		return layer.Wrong("dòng %d: dấu nháy không đóng", "line %d: a quotation mark is not closed", broken.StartLine)
	}
	return err
}

// errEnough ends a reading of the first rows.
var errEnough = errors.New("enough rows were read")

// cellBytes is what a cell takes in memory beside its text.
const cellBytes = 16

// findNames reads the first rows and finds the names of the columns, and how numbers are
// written.
func (t *csvTable) findNames(ctx context.Context, o Options) error {
	var first []line
	size := 0
	err := t.rows(ctx, func(number int64, cells []string) error {
		l := line{number: number}
		for _, c := range cells[:min(len(cells), MaxColumns+1)] {
			decoded, _ := t.codec.text(c)
			l.cells = append(l.cells, decoded)
			size += len(decoded) + cellBytes
		}
		first = append(first, l)
		if len(first) >= max(lookedAt, o.HeaderRow+3) || size > 4*MaxLineBytes {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if len(first) == 0 {
		return errNothing()
	}
	if t.header, err = findHeader(first, o.HeaderRow, false); err != nil {
		return err
	}
	t.guesses = append(t.guesses, t.header.guesses...)
	guesses, err := guessDecimals(first, o.DecimalComma)
	t.guesses = append(t.guesses, guesses...)
	return err
}

// Columns implements Table.
func (t *csvTable) Columns() []string { return t.header.columns }

// CRS implements Table: texts say none.
func (t *csvTable) CRS() string { return "" }

// Guesses implements Table.
func (t *csvTable) Guesses() []Guess { return t.guesses }

// Close implements Table.
func (t *csvTable) Close() error { return nil }

// Read implements Table.
func (t *csvTable) Read(ctx context.Context, each func(*Row) error) error {
	cells := make([]any, len(t.header.columns))
	return t.rows(ctx, func(number int64, texts []string) error {
		if number <= t.header.last {
			return nil
		}
		row := &Row{Number: number, Cells: cells}
		clear(cells)
		some := false
		for i, raw := range texts {
			if strings.TrimSpace(raw) == "" {
				continue
			}
			some = true
			if i >= len(cells) {
				text, _ := t.codec.text(raw)
				row.Faults.Add("", "ô thứ %d (%s) nằm ngoài các cột có tên", "cell %d (%s) stands beyond the columns that have names", i+1, cut(text, 40))
				break
			}
			cells[i] = t.codec.cell(row, t.header.columns[i], raw)
		}
		if !some {
			return nil
		}
		return each(row)
	})
}

// errNothing refuses a file without rows.
func errNothing() error { return layer.Wrong("tệp rỗng", "the file is empty") }

// errUnknown refuses what is no file that is read.
func errUnknown() error {
	return layer.Wrong("không nhận ra định dạng của tệp; các tệp đọc được: %s", "the file is of no format that is known; these are read: %s", readable)
}

const readable = "CSV, XLSX, GeoJSON, GeoPackage, Shapefile, KML/KMZ, FlatGeobuf, MapInfo MIF/MID, DXF"

// separator settles what parts the cells.
func (t *csvTable) separator(top []byte, asked string) error {
	first, rest, _ := strings.Cut(string(top), "\n")
	named := ""
	if name, ok := strings.CutPrefix(strings.TrimSpace(first), "sep="); ok {
		t.skip, named, top = 1, name, []byte(rest)
		if named == "" {
			named = "\t" // which was trimmed
		}
	}
	why := "as was said"
	if asked == "" && named != "" {
		asked, why = named, "the file's first line says so"
	}
	if asked == "" {
		var share float64
		t.comma, share = guessSeparator(top)
		switch {
		case share < 0.5 && blankSeparated(top):
			t.comma, t.blanks = '\t', true
			t.guesses = append(t.guesses, Guess{"separator", " ", "lines are as many words, some of them numbers"})
		case share > 0:
			t.guesses = append(t.guesses, Guess{"separator", string(t.comma), fmt.Sprintf("%.0f %% of the first lines have the same number of cells by it", 100*share)})
		}
		return nil
	}
	var err error
	if t.comma, err = separatorOf(asked); err != nil {
		return err
	}
	if t.comma == ' ' {
		t.comma, t.blanks = '\t', true
	}
	t.guesses = append(t.guesses, Guess{"separator", asked, why})
	return nil
}
