package formats

import (
	"archive/zip"
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"
)

// TableWriter makes a workbook of the CSV text that is written to it.
type TableWriter struct {
	*io.PipeWriter
	made chan error
}

// NewTableWriter makes a workbook of one sheet, while its rows come as CSV, commas between:
// the first is its heading. Cells of the columns that number names are numbers where they
// read as one; all others are texts, never formulas. Memory is that of a row.
func NewTableWriter(out io.Writer, sheet string, number func(column string) bool) *TableWriter {
	rows, in := io.Pipe()
	w := &TableWriter{in, make(chan error, 1)}
	go func() {
		err := writeTable(out, rows, sheet, number)
		w.made <- errors.Join(err, rows.CloseWithError(err))
	}()
	return w
}

// End ends the workbook, or with an error leaves it broken off, and returns what went
// wrong, if not that very error.
func (w *TableWriter) End(err error) error {
	if closing := w.CloseWithError(err); closing != nil {
		return closing
	}
	if made := <-w.made; err == nil || !errors.Is(made, err) {
		return made
	}
	return nil
}

// WriteTable makes a workbook of the CSV text that rows writes, all of whose cells are texts.
func WriteTable(out io.Writer, sheet string, rows func(io.Writer) error) error {
	book := NewTableWriter(out, sheet, func(string) bool { return false })
	err := rows(book)
	return errors.Join(err, book.End(err))
}

func writeTable(out io.Writer, in io.Reader, sheet string, number func(column string) bool) error {
	buffer := bufio.NewWriterSize(out, chunkBytes)
	x := &workbook{zip: &zipFile{out: buffer, zip: zip.NewWriter(buffer)}}
	rows := csv.NewReader(in)
	rows.ReuseRecord = true
	if err := x.frame(sheet); err != nil {
		return err
	}
	var err error
	if x.out, err = x.zip.member(sheetPart(1)); err != nil {
		return err
	}
	x.cells = append(x.cells[:0], sheetStart...)
	if err := x.table(rows, number); err != nil {
		return err
	}
	if _, err := x.out.Write(append(x.cells, "</sheetData></worksheet>"...)); err != nil {
		return err
	}
	return errors.Join(x.zip.zip.Close(), buffer.Flush())
}

// table writes the rows of the sheet.
func (x *workbook) table(rows *csv.Reader, number func(string) bool) error {
	var numbers []bool
	for {
		record, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if x.row >= MaxExcelRows {
			return misfit("Một trang tính Excel chỉ có %d dòng: hãy chọn CSV.", "A sheet of Excel has no more than %d rows: choose CSV.", MaxExcelRows)
		}
		x.begin()
		for i, text := range record {
			if len(x.columns) <= i {
				x.columns = append(x.columns, columnLetters(i))
				numbers = append(numbers, number(text))
			}
			if err := x.tableCell(i, numbers[i], text); err != nil {
				return err
			}
		}
		if err := x.end(); err != nil {
			return err
		}
	}
}

func (x *workbook) tableCell(column int, number bool, text string) error {
	switch {
	case x.row == 1:
		x.text(column, styleHeader, []byte(text))
	case text == "":
	case number && readsAsNumber(text):
		x.number(column, styleNone, []byte(text))
	default:
		return x.checked(column, []byte(text))
	}
	return nil
}

func readsAsNumber(text string) bool {
	if strings.Trim(text, "0123456789+-.eE") != "" {
		return false
	}
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}
