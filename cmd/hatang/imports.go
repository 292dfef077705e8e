package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/formats"
	"hatang/internal/httpapi"
	"hatang/internal/intake"
	"hatang/internal/layer"
	"hatang/internal/postgis"
	"hatang/internal/tables"
)

// importPoll is how often a server looks for imports that others have kept, or died over.
const importPoll = time.Second

// maxNotTaken is how many columns are named that were not taken: some files have others in
// every row.
const maxNotTaken = 200

// imports keeps files for the API, and brings them in.
type imports struct {
	*postgis.Store
	reader importReader
	log    *slog.Logger
	kept   chan struct{} // a file has been kept here
}

func newImports(store *postgis.Store, date func() geo.Date, log *slog.Logger) *imports {
	return &imports{store, importReader{store, date}, log, make(chan struct{}, httpapi.ServerImports)}
}

// AddImport implements httpapi.Importer.
func (i *imports) AddImport(ctx context.Context, v account.Viewer, l *layer.Layer, n layer.NewImport, path string) (id int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if id, err = i.Store.AddImport(ctx, v, l, n, file); err != nil {
		return 0, err
	}
	select {
	case i.kept <- struct{}{}:
	default: // all look already
	}
	return id, nil
}

// run brings in what waits, so many at a time, until the context ends.
func (i *imports) run(ctx context.Context) {
	var working sync.WaitGroup
	for range httpapi.ServerImports {
		working.Go(func() { i.work(ctx) })
	}
	working.Wait()
}

// work brings in one import after the other.
func (i *imports) work(ctx context.Context) {
	poll := time.NewTicker(importPoll)
	defer poll.Stop()
	for {
		ran, err := i.RunImport(ctx, i.reader)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			i.log.ErrorContext(ctx, "an import broke off", "cause", err)
		}
		if ran && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-i.kept:
		case <-poll.C:
		}
	}
}

// importReader reads files of features. It implements postgis.ImportReader.
type importReader struct {
	store *postgis.Store
	date  func() geo.Date
}

// Options returns how the file of an import becomes rows.
func (r importReader) Options(ctx context.Context, i layer.Import) (postgis.ImportOptions, error) {
	return rowOptions(ctx, r.store, r.date(), i.Wishes, i.FileName)
}

// Read hands on the features of a file.
func (r importReader) Read(ctx context.Context, i layer.Import, l *layer.Layer, path string, bytesRead *atomic.Int64, add func(postgis.Incoming) error) (notTaken []string, err error) {
	defer bytesRead.Store(i.Bytes) // of files that are not read from their beginning to their end, too
	rows := 0
	few := func(in postgis.Incoming) error {
		if rows++; rows > httpapi.MaxFileFeatures {
			var faults layer.Faults
			faults.Add("", "tệp có hơn %d đối tượng", "the file has more than %d features", httpapi.MaxFileFeatures)
			return faults.Err()
		}
		return add(in)
	}
	source, err := formats.Open(ctx, path, i.Wishes.Table, func(f *os.File) (io.Reader, error) { return &counted{f, bytesRead}, nil })
	if errors.Is(err, formats.ErrUnknownFormat) {
		s := stranger{store: r.store, date: r.date(), table: tables.Options{Table: i.Wishes.Table}, options: intake.Options{CRS: i.Wishes.CRS}}
		report, err := s.read(ctx, path, l, few)
		if report == nil {
			return nil, err
		}
		return report.NotTaken[:min(len(report.NotTaken), maxNotTaken)], err
	}
	if err != nil {
		return nil, fileFaults(err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	notTaken, err = handOn(ctx, source, l, i.Wishes.CRS, false, few)
	return notTaken, fileFaults(err)
}

// fileFaults turns what is wrong with a file into what its sender is told; other errors it
// returns as they are.
func fileFaults(err error) error {
	if faults := httpapi.FileFaults(err); len(faults) > 0 {
		return faults.Err()
	}
	return err
}

// counted counts what is read.
type counted struct {
	in    io.Reader
	bytes *atomic.Int64
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}

// rowOptions say how a file of that name becomes rows on a date, as is wished.
func rowOptions(ctx context.Context, store *postgis.Store, date geo.Date, w layer.ImportWishes, fileName string) (postgis.ImportOptions, error) {
	o := postgis.ImportOptions{
		Date: date, InForce: w.InForce, OnConflict: postgis.OnConflict(w.OnConflict), GoodRows: w.GoodRows, DryRun: w.DryRun,
		Defaults: map[string]any{"valid_from": date},
		Placed:   map[string]any{"source": fileName, "illustrative": false, "accuracy_m": nil},
	}
	if !w.InForce.IsZero() {
		o.Defaults["valid_from"] = w.InForce
	}
	jurisdiction := w.Jurisdiction
	if jurisdiction == "" {
		var err error
		if jurisdiction, err = store.OnlyJurisdiction(ctx); err != nil {
			return o, err
		}
	}
	if jurisdiction != "" {
		o.Defaults["jurisdiction"] = jurisdiction
	}
	return o, nil
}

// handOn hands on the features of a file for a layer, and returns the columns that are
// not taken; where it is strict they are faults. crs is "" for what the file says.
func handOn(ctx context.Context, source formats.Source, l *layer.Layer, crs string, strict bool, add func(postgis.Incoming) error) (notTaken []string, err error) {
	notTaken = []string{}
	system := func(member string) (formats.System, error) {
		if crs != "" {
			member = crs
		}
		return systemOf(member)
	}
	err = source.Read(ctx, l, system, func(record formats.Record) error {
		for _, name := range record.NotTaken {
			if len(notTaken) < maxNotTaken {
				notTaken = addOnce(notTaken, name)
			}
			if strict {
				record.Faults.Add("/properties/"+name, "lớp %s không có trường này", "the layer %s has no such field", l.Name)
			}
		}
		governItself(l, record.Feature)
		return add(postgis.Incoming{Row: record.Row, Feature: record.Feature, Faults: record.Faults})
	})
	return notTaken, err
}
