package intake

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/wkt"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/tables"
)

// Corrections are the rows of a file that were refused, as they stood in it, with the reasons and with
// what is likely meant: a file to be filled in and sent back. It is read as the first was, and the
// columns that are added are left out then. As JSON it can be kept.
type Corrections struct {
	Columns []string       `json:"columns"` // of the file; behind them wkt, where rows have geometries of their own
	Rows    []CorrectedRow `json:"rows"`

	bytes int
	full  bool // there was no room for a row
}

// CorrectedRow is one of them.
type CorrectedRow struct {
	Row     int64    `json:"row"`
	Cells   []string `json:"cells"` // in the file's own numbers
	Reasons geo.Text `json:"reasons"`
	Likely  string   `json:"likely"`
}

// correctionHeadings are the columns that are added, by language: before the others, and behind.
// They are among the headings that are taken for nothing.
var correctionHeadings = map[string][3]string{"vi": {"hàng tệp gốc", "lý do từ chối", "gợi ý sửa"}, "en": {"row in the file", "refused because", "likely meant"}}

// Correct reads the file once more and returns the rows with faults, those that were found here
// and those that the store found, by row. The report stays as it was.
func (m *Meaning) Correct(ctx context.Context, stored map[int64]layer.Faults) (*Corrections, error) {
	c := &Corrections{Columns: m.table.Columns(), Rows: []CorrectedRow{}}
	if m.hasShapes {
		c.Columns = append(slices.Clone(c.Columns), ToWKT)
	}
	commas := m.commas()
	err := m.Read(ctx, func(r *Record) error {
		faults := r.Faults
		if len(faults) == 0 {
			faults = m.stored(r.Row, stored[r.Row])
		}
		if len(faults) == 0 {
			return nil
		}
		row, err := corrected(r, faults, commas, m.hasShapes)
		if err != nil {
			return fmt.Errorf("write row %d: %w", r.Row, err)
		}
		c.add(row)
		return nil
	})
	return c, err
}

// commas are how the columns of the file write numbers.
func (m *Meaning) commas() []Comma {
	commas := make([]Comma, len(m.columns))
	for i := range commas {
		if commas[i] = m.file; m.cells[i] != nil {
			commas[i] = m.cells[i].comma
		}
	}
	return commas
}

// stored are faults that the store found in a row, as those of the columns they are about.
func (m *Meaning) stored(row int64, found layer.Faults) (faults []Fault) {
	for _, f := range found {
		column := ""
		if field, is := strings.CutPrefix(f.At, "/properties/"); is {
			column = m.columnOf(field)
		}
		faults = append(faults, Fault{Row: row, Column: column, Detail: f.Detail})
	}
	return faults
}

// add adds a row, if there is room for it and was for all before it.
func (c *Corrections) add(row CorrectedRow) {
	size := len(row.Reasons.VI) + len(row.Reasons.EN) + len(row.Likely)
	for _, cell := range row.Cells {
		size += len(cell)
	}
	if c.full = c.full || len(c.Rows) == layer.MostCorrections || c.bytes+size > layer.MostCorrectionsBytes; c.full {
		return
	}
	c.bytes += size
	c.Rows = append(c.Rows, row)
}

// corrected is a row with what is wrong with it.
func corrected(r *Record, faults []Fault, commas []Comma, shapes bool) (row CorrectedRow, err error) {
	row.Row = r.Row
	for i, comma := range commas {
		cell := any(nil)
		if i < len(r.Cells) {
			cell = r.Cells[i]
		}
		row.Cells = append(row.Cells, returnable(cell, comma))
	}
	if shapes {
		text, err := shapeText(r.Geometry)
		if err != nil {
			return row, err
		}
		row.Cells = append(row.Cells, text)
	}
	var vi, en, likely []string
	for _, f := range faults {
		before := ""
		if f.Column != "" {
			before = f.Column + ": "
		}
		vi, en = append(vi, before+f.Detail.VI), append(en, before+f.Detail.EN)
		switch {
		case f.Correction != "":
			likely = append(likely, before+f.Correction)
		case len(f.Readings) > 0:
			likely = append(likely, before+strings.Join(f.Readings, " | "))
		}
	}
	row.Reasons, row.Likely = geo.Text{VI: strings.Join(vi, "; "), EN: strings.Join(en, "; ")}, strings.Join(likely, "; ")
	return row, nil
}

// WriteCSV writes the rows as CSV for spreadsheet programs, with headings and reasons in the language "vi",
// or else English: what would be a formula has an apostrophe before it, which reading takes off.
func (c *Corrections) WriteCSV(w io.Writer, language string) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil { // for Excel, which takes it for another encoding otherwise
		return err
	}
	return c.write(w, language, guarded)
}

// WriteRows writes the same as CSV of which a workbook is made, whose texts are never formulas.
func (c *Corrections) WriteRows(w io.Writer, language string) error {
	return c.write(w, language, func(s string) string { return s })
}

// Sheet is what the sheet of a workbook of them is called.
func (c *Corrections) Sheet(language string) string {
	return geo.Text{VI: "Hàng bị từ chối", EN: "Refused rows"}.In(language)
}

func (c *Corrections) write(w io.Writer, language string, cell func(string) string) error {
	if language != "vi" {
		language = "en"
	}
	out := csv.NewWriter(w)
	line := func(before string, cells []string, behind ...string) error {
		record := []string{before}
		for _, text := range append(slices.Clone(cells), behind...) {
			record = append(record, cell(text))
		}
		return out.Write(record)
	}
	added := correctionHeadings[language]
	if err := line(added[0], c.Columns, added[1:]...); err != nil {
		return err
	}
	for _, r := range c.Rows {
		if err := line(strconv.FormatInt(r.Row, 10), r.Cells, r.Reasons.In(language), r.Likely); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// returnable is a cell as text that is read as the same again: a number is written as the
// others of its column are, and so that it cannot be read otherwise.
func returnable(cell any, comma Comma) string {
	switch v := cell.(type) {
	case string:
		return v
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
// ours do: reading takes the apostrophe off, and so one that is there already stays as it is. Numbers are none.
func guarded(s string) string {
	if s == "" || !strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
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
