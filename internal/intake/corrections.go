package intake

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/wkt"

	"hatang/internal/tables"
)

// Corrections writes the rows of a file that were refused, as CSV with a column of reasons and one of
// what is likely meant, to be filled in and sent back: it is read as the file was, and the columns that are
// added are left out then.
type Corrections struct {
	csv      *csv.Writer
	language string
	commas   []Comma // as the columns of the file write numbers
	shapes   bool
	begun    bool
	header   []string
}

// correctionHeadings are the columns that are added, by language: before the others, and behind.
// They are among the headings that are taken for nothing.
var correctionHeadings = map[string][3]string{"vi": {"hàng tệp gốc", "lý do từ chối", "gợi ý sửa"}, "en": {"row in the file", "refused because", "likely meant"}}

// Corrections returns a writer of the rows that Read refuses; the reasons are in the
// language "vi", or else English. Where rows have geometries of their own, these are in a column
// wkt, in the file's own numbers.
func (m *Meaning) Corrections(w io.Writer, language string) *Corrections {
	commas := make([]Comma, len(m.columns))
	for i := range commas {
		if commas[i] = m.file; m.cells[i] != nil {
			commas[i] = m.cells[i].comma
		}
	}
	return newCorrections(w, m.table.Columns(), commas, m.hasShapes, language)
}

func newCorrections(w io.Writer, columns []string, commas []Comma, shapes bool, language string) *Corrections {
	if language != "vi" {
		language = "en"
	}
	added := correctionHeadings[language]
	header := append([]string{"\ufeff" + added[0]}, columns...) // the mark is for Excel, which takes it for another encoding otherwise
	if shapes {
		header = append(header, "wkt")
	}
	header = append(header, added[1:]...)
	return &Corrections{csv: csv.NewWriter(w), language: language, commas: commas, shapes: shapes, header: header}
}

// Add writes a row, if it has faults.
func (c *Corrections) Add(r *Record) error {
	if len(r.Faults) == 0 {
		return nil
	}
	if err := c.begin(); err != nil {
		return err
	}
	record := make([]string, 0, len(c.header))
	record = append(record, strconv.FormatInt(r.Row, 10))
	for i, comma := range c.commas {
		cell := any(nil)
		if i < len(r.Cells) {
			cell = r.Cells[i]
		}
		record = append(record, returnable(cell, comma))
	}
	if c.shapes {
		text, err := shapeText(r.Geometry)
		if err != nil {
			return fmt.Errorf("write row %d: %w", r.Row, err)
		}
		record = append(record, text)
	}
	var reasons, likely []string
	for _, f := range r.Faults {
		reason := f.Detail.In(c.language)
		if f.Column != "" {
			reason = f.Column + ": " + reason
		}
		reasons = append(reasons, reason)
		switch {
		case f.Correction != "":
			likely = append(likely, f.Column+": "+f.Correction)
		case len(f.Readings) > 0:
			likely = append(likely, f.Column+": "+strings.Join(f.Readings, " | "))
		}
	}
	record = append(record, guarded(strings.Join(reasons, "; ")), guarded(strings.Join(likely, "; ")))
	return c.csv.Write(record)
}

func (c *Corrections) begin() error {
	if c.begun {
		return nil
	}
	c.begun = true
	header := []string{c.header[0]}
	for _, name := range c.header[1:] {
		header = append(header, guarded(name))
	}
	return c.csv.Write(header)
}

// Flush writes what is held back, and the heading of a file without rows.
func (c *Corrections) Flush() error {
	if err := c.begin(); err != nil {
		return err
	}
	c.csv.Flush()
	return c.csv.Error()
}

// returnable is a cell as text that is read as the same again: a number is written as the
// others of its column are, and so that it cannot be read otherwise.
func returnable(cell any, comma Comma) string {
	switch v := cell.(type) {
	case string:
		return guarded(v)
	case float64:
		s := strconv.FormatFloat(v, 'f', -1, 64)
		if n, ok := readNumeral(s); ok && n.proves() == CommaUnknown && strings.Contains(s, ".") {
			s += "0" // 1.234 could be a thousand
		}
		if comma == CommaDecimal {
			s = strings.Replace(s, ".", ",", 1)
		}
		return s
	}
	return tables.CellText(cell)
}

// guarded keeps a text from being taken for a formula by a spreadsheet program, as files of
// ours do: reading takes the apostrophe off. Numbers are none.
func guarded(s string) string {
	bare := strings.TrimLeft(s, "'")
	if bare == "" || !strings.ContainsRune("=+-@\t\r\n", rune(bare[0])) {
		return s
	}
	if _, isNumber := readNumeral(s); isNumber {
		return s
	}
	return "'" + s
}

func shapeText(g geom.T) (string, error) {
	if g == nil || g.Empty() {
		return "", nil
	}
	return wkt.Marshal(g)
}
