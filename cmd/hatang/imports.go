package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/httpapi"
	"hatang/internal/intake"
	"hatang/internal/layer"
	"hatang/internal/postgis"
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
	return &imports{store, importReader{store, date, httpapi.MaxFileFeatures}, log, make(chan struct{}, httpapi.ServerImports)}
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
	most  int // features of a file
}

// Options returns how the file of an import becomes rows.
func (r importReader) Options(ctx context.Context, i layer.Import) (postgis.ImportOptions, error) {
	return rowOptions(ctx, r.store, r.date(), i.Wishes, i.FileName)
}

// Read hands on the features of a file.
func (r importReader) Read(ctx context.Context, v account.Viewer, i layer.Import, l *layer.Layer, path string, bytesRead *atomic.Int64, add func(postgis.Incoming) error) (postgis.ReadFile, error) {
	defer bytesRead.Store(i.Bytes) // of files that are not read from their beginning to their end, too
	rows := 0
	few := func(in postgis.Incoming) error {
		if rows++; rows > r.most {
			return tooManyFeatures(r.most)
		}
		return add(in)
	}
	s := stranger{store: r.store, viewer: v, date: r.date(), bytesRead: bytesRead, options: intake.Options{Strict: i.Wishes.Strict, AllowOutside: i.Wishes.AllowOutside}}
	reading := layer.Reading{Table: i.Wishes.Table, CRS: i.Wishes.CRS}
	if i.Wishes.Reading != nil {
		reading = reading.Over(*i.Wishes.Reading)
	}
	s.reads(reading)
	report, err := s.read(ctx, path, l, few)
	read := postgis.ReadFile{Close: s.close}
	if report == nil {
		return read, fileFaults(err)
	}
	if s.meaning != nil {
		read.Correct = corrector(s.meaning)
	}
	text, failed := json.Marshal(report)
	read.FileRead = layer.FileRead{NotTaken: report.NotTaken[:min(len(report.NotTaken), maxNotTaken)], File: text}
	return read, errors.Join(fileFaults(err), failed)
}

// corrector returns what makes the file of rows to be corrected, as it is kept.
func corrector(m *intake.Meaning) func(context.Context, map[int64]layer.Faults) ([]byte, int, error) {
	return func(ctx context.Context, stored map[int64]layer.Faults) ([]byte, int, error) {
		c, err := m.Correct(ctx, stored)
		if err != nil {
			return nil, 0, err
		}
		text, err := json.Marshal(c)
		return text, len(c.Rows), err
	}
}

// fileFaults turns what is wrong with a file into what its sender is told; other errors it
// returns as they are.
func fileFaults(err error) error {
	if faults := httpapi.FileFaults(err); len(faults) > 0 {
		return faults.Err()
	}
	return err
}

// rowOptions say how a file of that name becomes rows on a date, as is wished.
func rowOptions(ctx context.Context, store *postgis.Store, date geo.Date, w layer.ImportWishes, fileName string) (postgis.ImportOptions, error) {
	o := postgis.ImportOptions{
		OwnSites: w.OwnSites, Date: date, InForce: w.InForce, OnConflict: postgis.OnConflict(w.OnConflict), GoodRows: w.GoodRows, DryRun: w.DryRun,
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
