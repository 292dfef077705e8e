package tables

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"hatang/internal/layer"
)

// Limits of a sheet.
const (
	MaxSheetRows    = 200_000
	MaxSheetColumns = 200
	maxElement      = 2 << 20 // bytes of XML of a row, or of a text
)

// workbook is an Excel workbook (ECMA-376) of which a sheet is read. Only the texts that
// cells share are held in memory, up to maxShared bytes.
type workbook struct {
	archive *archive
	sheets  []sheet
	sheet   sheet
	styles  []style // of cells, by the number they have for it
	shared  sharedTexts
	is1904  bool // days are counted from 1904
	codec   codec
	header  header
	merged  map[int][]span // by column: cells joined over several rows
	guesses []Guess
}

// sheet is a sheet as the workbook lists it.
type sheet struct {
	name, part string
	hidden     bool
}

// isWorkbook reports whether an archive is an Excel workbook.
func isWorkbook(a *archive) bool {
	return a.find(func(name string) bool { return strings.EqualFold(name, "xl/workbook.xml") }) != nil
}

// openWorkbook opens a workbook, which closes the archive. Cost: it is read to the end of
// its shared texts and run through for joined cells, 0.2 s for 100 000 rows of six cells;
// to read these takes 1.3 s.
func openWorkbook(ctx context.Context, a *archive, o Options) (Table, error) {
	w := &workbook{archive: a}
	var size uint64
	for _, f := range a.files {
		size += f.UncompressedSize64
	}
	if size > MaxWorkbookBytes {
		return nil, tooLarge(MaxWorkbookBytes)
	}
	for _, step := range []func(context.Context) error{w.list, w.readStyles, w.readShared} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return w, w.choose(ctx, o)
}

// part opens a file of the workbook; nil where it has none of the name.
func (w *workbook) part(ctx context.Context, name string) (*xmlStream, io.Closer, error) {
	f := w.archive.find(func(n string) bool { return strings.EqualFold(n, name) })
	if f == nil {
		return nil, nil, nil
	}
	in, err := w.archive.member(f).read(ctx)
	if err != nil {
		return nil, nil, err
	}
	return newXMLStream(in, maxElement), in, nil
}

// elements runs over the elements of a part of the workbook, if it is there.
func (w *workbook) elements(ctx context.Context, name string, each func(x *xmlStream, e xml.StartElement) error) (err error) {
	x, closer, err := w.part(ctx, name)
	if err != nil || x == nil {
		return err
	}
	defer closing(closer, &err)
	for {
		x.open()
		token, err := x.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e, ok := token.(xml.StartElement); ok {
			if err := each(x, e); err != nil {
				return err
			}
		}
	}
}

// list reads which sheets there are, and where.
func (w *workbook) list(ctx context.Context) error {
	parts := map[string]string{}
	err := w.elements(ctx, "xl/_rels/workbook.xml.rels", func(_ *xmlStream, e xml.StartElement) error {
		if e.Name.Local == "Relationship" {
			parts[cut(attribute(e, "Id"), maxNameBytes)] = cut(attribute(e, "Target"), maxNameBytes)
		}
		return tooManySheets(len(parts))
	})
	if err != nil {
		return err
	}
	err = w.elements(ctx, "xl/workbook.xml", func(_ *xmlStream, e xml.StartElement) error {
		switch e.Name.Local {
		case "workbookPr":
			w.is1904 = isTrue(attribute(e, "date1904"))
		case "sheet":
			var id string
			for _, a := range e.Attr {
				if a.Name.Local == "id" && a.Name.Space != "" {
					id = a.Value
				}
			}
			part := parts[cut(id, maxNameBytes)]
			if strings.HasPrefix(part, "/") {
				part = part[1:]
			} else {
				part = path.Join("xl", part)
			}
			w.sheets = append(w.sheets, sheet{norm.NFC.String(cut(attribute(e, "name"), maxNameBytes)), part, attribute(e, "state") != "" && attribute(e, "state") != "visible"})
		}
		return tooManySheets(len(w.sheets))
	})
	if err == nil && len(w.sheets) == 0 {
		err = layer.Wrong("sổ tính không có trang tính nào", "the workbook has no sheet")
	}
	return err
}

// tooManySheets refuses a workbook of more parts than anybody makes.
func tooManySheets(n int) error {
	const most = 1000
	if n > most {
		return layer.Wrong("sổ tính có hơn %d trang tính", "the workbook has more than %d sheets", most)
	}
	return nil
}

// choose settles which sheet is read: the one that is named, or else the first that is not
// hidden and holds something.
func (w *workbook) choose(ctx context.Context, o Options) error {
	names := make([]string, len(w.sheets))
	for i, s := range w.sheets {
		names[i] = s.name
	}
	if o.Table != "" {
		at := slices.IndexFunc(w.sheets, func(s sheet) bool { return strings.EqualFold(s.name, norm.NFC.String(o.Table)) })
		if at < 0 {
			return &WhichError{names}
		}
		w.sheet = w.sheets[at]
		return w.describe(ctx, o)
	}
	var hidden []string
	for _, s := range w.sheets {
		if s.hidden {
			hidden = append(hidden, s.name)
			continue
		}
		w.sheet = s
		err := w.describe(ctx, o)
		if errors.Is(err, errNoRows) {
			continue
		}
		if err == nil && len(names) > 1 {
			w.guesses = append(w.guesses, Guess{"table", s.name, "the first sheet with rows of: " + strings.Join(names, ", ")})
		}
		return err
	}
	if len(hidden) > 0 {
		return layer.Wrong("chỉ các trang tính ẩn mới có thể có dòng: %s; hãy nêu trang cần đọc", "none but hidden sheets can have rows: %s; name the one that is meant", cut(strings.Join(hidden, ", "), 400))
	}
	return errNothing()
}

// errNoRows is returned for a sheet without rows.
var errNoRows = errors.New("the sheet has no rows")

// describe finds the names of the sheet's columns among its first rows, how its texts are
// written, and its joined cells.
func (w *workbook) describe(ctx context.Context, o Options) error {
	var first []line
	var texts specimen
	size := 0 // bytes that are held
	err := w.rows(ctx, func(number int64, cells []value) error {
		l := line{number: number}
		for _, c := range cells {
			text := c.String()
			size += len(text) + cellBytes
			texts.add([]byte(text))
			l.cells = append(l.cells, text)
		}
		if all, _ := l.filled(); all > 0 {
			first = append(first, l)
		}
		if len(first) >= lookedAt && number >= int64(o.HeaderRow)+2 || size > 4*MaxLineBytes {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if len(first) == 0 {
		if o.Table != "" {
			return errNothing()
		}
		return errNoRows
	}
	if err := w.textsOf(&texts, o.Encoding, first); err != nil {
		return err
	}
	if w.header, err = findHeader(first, o.HeaderRow, true); err != nil {
		return err
	}
	w.guesses = append(w.guesses, w.header.guesses...)
	guesses, err := guessDecimals(first, o.DecimalComma)
	if err != nil {
		return err
	}
	w.guesses = append(w.guesses, guesses...)
	return w.findMerged(ctx)
}

// textsOf settles whether texts are what they say, or for an old font.
func (w *workbook) textsOf(s *specimen, asked string, first []line) error {
	c, guesses, err := s.guess(asked, "as was said")
	if err != nil {
		return err
	}
	w.codec = c
	if c.name != "utf-8" {
		w.guesses = append(w.guesses, guesses...)
	}
	for _, l := range first {
		for i := range l.cells {
			l.cells[i], _ = c.text(l.cells[i])
		}
	}
	return nil
}

// Columns implements Table.
func (w *workbook) Columns() []string { return w.header.columns }

// CRS implements Table: sheets say none.
func (w *workbook) CRS() string { return "" }

// Guesses implements Table.
func (w *workbook) Guesses() []Guess { return w.guesses }

// Close implements Table.
func (w *workbook) Close() error { return w.archive.Close() }

// Read implements Table. Rows without values are passed over; of cells that are joined over
// several rows each row has the value.
func (w *workbook) Read(ctx context.Context, each func(*Row) error) error {
	cells := make([]any, len(w.header.columns))
	filler := w.filler()
	return w.rows(ctx, func(number int64, values []value) error {
		if number <= w.header.last {
			return nil
		}
		row := &Row{Number: number, Cells: cells}
		clear(cells)
		some := false
		for i, v := range values {
			if v.what == nothing {
				continue
			}
			if i >= len(cells) {
				row.Faults.Add("", "ô %s (%s) nằm ngoài các cột có tên", "the cell %s (%s) stands beyond the columns that have names", cellName(i, number), cut(v.String(), 40))
				break
			}
			cells[i] = w.take(row, v, w.header.columns[i])
			some = some || cells[i] != nil
		}
		if !some && len(row.Faults) == 0 {
			return nil
		}
		filler.fill(row)
		return each(row)
	})
}

// take turns a cell into what a row holds.
func (w *workbook) take(row *Row, v value, column string) any {
	switch v.what {
	case aText:
		if strings.TrimSpace(v.text) == "" {
			return nil
		}
		text, ok := w.codec.text(v.text)
		if !ok {
			badText(row, column, w.codec, v.text)
		}
		return text
	case aFormula:
		row.Faults.Add("/properties/"+column, "ô có công thức mà tệp không lưu kết quả: hãy mở bằng Excel, lưu lại", "the cell holds a formula without its result: open the file in Excel and save it again")
		return nil
	case aFault:
		row.Faults.Add("/properties/"+column, "ô có lỗi %s", "the cell holds the error %s", cut(v.text, 40))
		return nil
	}
	return v.is
}

// cellName is how Excel calls a cell: "C7".
func cellName(column int, row int64) string {
	name := ""
	for column++; column > 0; column = (column - 1) / 26 {
		name = string(rune('A'+(column-1)%26)) + name
	}
	return name + strconv.FormatInt(row, 10)
}

func isTrue(s string) bool { return s == "1" || s == "true" }
