package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/postgis"
	"hatang/internal/tables"
)

// runFile judges the rows of a file, however many, and tells what became of them.
func (c *checkCommand) runFile(ctx context.Context, g *globals, env *environment, knownAt time.Time) error {
	in, done, err := c.input(ctx, env)
	if err != nil {
		return err
	}
	read := false
	defer func() { done(read) }()
	buffered := bufio.NewReaderSize(in, 1<<16)
	batch, err := c.batch(env, buffered)
	if err != nil {
		return err
	}
	return g.withStore(ctx, env, func(_ *database, s *postgis.Store) error {
		date, err := g.referenceDate(ctx, s)
		if err != nil {
			return err
		}
		judges := permit.NewChecker(s).Batch(permit.Question{Viewer: env.viewer(), KnownAt: knownAt})
		batch.EachOther, batch.Near = c.EachOther, judges.Near
		var reading atomic.Int64 // the register, not the file
		batch.Few, batch.Date = judges.Few, date()
		batch.Open = func(ctx context.Context, date geo.Date) (permit.Judge, error) {
			began := time.Now()
			defer func() { reading.Add(int64(time.Since(began))) }()
			return judges.Open(ctx, date)
		}
		start := time.Now()
		var tally permit.Tally
		err = writeFile(env, c.Out, 0o644, func(out io.Writer) error {
			var err error
			tally, err = c.runRows(ctx, batch, buffered, out)
			if err == nil && tally.Rows == 0 {
				err = errors.New("holds no proposals")
			}
			return err
		})
		read = err == nil
		done(read)
		c.tell(env, tally, time.Since(start), time.Duration(reading.Load()))
		if text, ok := permit.NoRowsText(err); ok {
			err = errors.New(text.In(env.language))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.File, err)
		}
		if tally.Permitted+tally.Conditional < tally.Rows {
			return errFindings
		}
		return nil
	})
}

// workbook is how the names of workbooks end.
const workbook = ".xlsx"

func isWorkbook(name string) bool { return strings.EqualFold(filepath.Ext(name), workbook) }

// runRows judges the rows; where a workbook is wanted, it is made of their CSV.
func (c *checkCommand) runRows(ctx context.Context, batch *permit.Batch, in io.Reader, out io.Writer) (permit.Tally, error) {
	if !isWorkbook(c.Out) {
		return batch.Run(ctx, in, out)
	}
	book := formats.NewTableWriter(out, "verdicts", permit.IsNumber)
	tally, err := batch.Run(ctx, in, book)
	return tally, errors.Join(err, book.End(err))
}

// openWorkbook reads the rows of a workbook as CSV.
func (c *checkCommand) openWorkbook(ctx context.Context, env *environment) (in io.Reader, done func(ok bool), err error) {
	table, err := tables.Open(ctx, c.File, tables.Options{})
	var wrong *layer.ValueError
	if errors.As(err, &wrong) {
		err = fmt.Errorf("%s: %s", c.File, wrong.Text.In(env.language))
	}
	if err != nil {
		return nil, nil, err
	}
	rows := tables.CSV(ctx, table)
	return rows, func(bool) { _ = rows.Close() }, nil // nothing was written to it
}

// input opens the file, with its progress; done may be called more than once.
func (c *checkCommand) input(ctx context.Context, env *environment) (in io.Reader, done func(ok bool), err error) {
	if isWorkbook(c.File) {
		return c.openWorkbook(ctx, env)
	}
	if c.File == "-" {
		return os.Stdin, func(bool) {}, nil
	}
	f, err := os.Open(c.File)
	if err != nil {
		return nil, nil, err
	}
	in, shown, err := progress(env.stderr, f, c.File)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	open := true
	return in, func(ok bool) {
		if open {
			open = false
			shown(ok)
			_ = f.Close() // nothing was written to it
		}
	}, nil
}

// batch says how the rows are read and written, by the names of the files, else by
// how the rows begin.
func (c *checkCommand) batch(env *environment, in *bufio.Reader) (*permit.Batch, error) {
	detail, _ := permit.ParseDetail(c.Detail) // kong has checked it
	b := &permit.Batch{Detail: detail, Language: env.language, Text: func(dst []byte, a *permit.Answer) []byte {
		return appendAnswer(dst, a, env.language)
	}}
	text, err := in.Peek(in.Size())
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	if b.Format = formatOf(c.File); b.Format == 0 {
		b.Format = permit.Sniff(text)
	}
	if b.Format == 0 {
		b.Format = permit.CSV // which says that it is empty
	}
	b.Out, err = c.outFormat(b.Format, bytes.HasPrefix(bytes.TrimSpace(text), []byte{0x1e}))
	return b, err
}

// formatOf tells the format by the ending of a file's name; 0 when that says nothing.
func formatOf(name string) permit.RowFormat {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv", ".tsv", workbook: // which is read as CSV
		return permit.CSV
	case ".geojsonl", ".ndjson", ".jsonl", ".geojsons", ".geojsonseq":
		return permit.FeatureSequence
	}
	return 0 // .geojson and .json are used for both kinds
}

// outFormat is the format of what is written: that of --out where its name says one,
// else that of the input.
func (c *checkCommand) outFormat(in permit.RowFormat, separated bool) (permit.OutFormat, error) {
	lines := permit.OutLines
	if separated {
		lines = permit.OutSequence
	}
	extension := strings.ToLower(filepath.Ext(c.Out))
	switch {
	case isWorkbook(c.Out) && !isWorkbook(c.File):
		return 0, usageError{fmt.Errorf("%s: a workbook is written of a workbook's rows; those of CSV are answered in CSV, those of GeoJSON in GeoJSON", c.Out)}
	case isWorkbook(c.Out) && c.JSON:
		return 0, usageError{errors.New("--json is not written as a workbook")}
	case c.JSON:
		return permit.OutResults, nil
	case c.Out == "" && c.Detail == "":
		return permit.OutText, nil
	case extension == ".geojson" || extension == ".json":
		return permit.OutGeoJSON, nil
	case slices.Contains([]string{".geojsonl", ".ndjson", ".jsonl"}, extension):
		return permit.OutLines, nil
	case extension == ".geojsons" || extension == ".geojsonseq":
		return permit.OutSequence, nil
	case in == permit.CSV:
		return permit.OutCSV, nil
	case extension == ".csv" || extension == ".tsv":
		return 0, usageError{fmt.Errorf("%s: rows of GeoJSON are answered in GeoJSON (.geojson, .geojsonl)", c.Out)}
	case in == permit.FeatureCollection:
		return permit.OutGeoJSON, nil
	}
	return lines, nil
}

// tell writes the bad rows and the summary to standard error.
func (c *checkCommand) tell(env *environment, t permit.Tally, took, reading time.Duration) {
	for _, bad := range t.Faults {
		printFaults(env, bad.Row, bad.Faults)
	}
	if more := t.Bad - int64(len(t.Faults)); more > 0 {
		fmt.Fprintf(env.stderr, "… and %d more rows that could not be judged\n", more)
	}
	if len(t.Ignored) > 0 {
		fmt.Fprintf(env.stderr, "columns or properties that say nothing to a check: %s\n", strings.Join(t.Ignored, ", "))
	}
	fmt.Fprintf(env.stderr, "%d rows: %d permitted, %d conditional, %d refused, %d undetermined, %d not judged; register read in %.1f s, then %.0f rows/s\n",
		t.Rows, t.Permitted, t.Conditional, t.Refused, t.Undetermined, t.Bad, reading.Seconds(), float64(t.Rows)/max((took-reading).Seconds(), 1e-6))
}
