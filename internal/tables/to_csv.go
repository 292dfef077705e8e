package tables

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
)

// unreadable stands in CSV for a cell that cannot be read, as Excel has it: no number, no
// date, and nobody takes it for nothing.
const unreadable = "#VALUE!"

// CSV reads a table as CSV: see WriteCSV. Closing it ends the reading and lets go of the table.
func CSV(ctx context.Context, t Table) io.ReadCloser {
	out, in := io.Pipe()
	c := &tableText{out, t, make(chan struct{})}
	go func() {
		defer close(c.ended)
		_ = in.CloseWithError(WriteCSV(ctx, t, in)) // always nil
	}()
	return c
}

// tableText is a table being read as text.
type tableText struct {
	*io.PipeReader
	table Table
	ended chan struct{}
}

// Close implements io.Closer.
func (c *tableText) Close() error {
	err := c.PipeReader.Close()
	<-c.ended
	return errors.Join(err, c.table.Close())
}

// WriteCSV writes the columns' names and every row of a table as CSV, commas between: a
// workbook for what reads rows of text. Numbers have all their digits, dates are
// 2020-06-30, truth values true or false; geometries are left out.
func WriteCSV(ctx context.Context, t Table, out io.Writer) error {
	w := csv.NewWriter(out)
	if err := w.Write(t.Columns()); err != nil {
		return err
	}
	at := map[string]int{}
	for i, name := range t.Columns() {
		at["/properties/"+name] = i
	}
	cells := make([]string, len(t.Columns()))
	err := t.Read(ctx, func(r *Row) error {
		for i := range cells {
			cells[i] = ""
			if i < len(r.Cells) {
				cells[i] = strings.TrimSpace(CellText(r.Cells[i]))
			}
		}
		for _, f := range r.Faults {
			if i, ok := at[f.At]; ok {
				cells[i] = unreadable
			}
		}
		return w.Write(cells)
	})
	if err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

// CellText is a cell as a person would write it.
func CellText(cell any) string {
	switch v := cell.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		if v.Equal(v.Truncate(24 * time.Hour)) {
			return v.Format(time.DateOnly)
		}
		return v.Format(time.RFC3339Nano)
	}
	return ""
}
