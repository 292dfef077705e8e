package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// barSteps is how many steps the bar of an import has, and barEvery how often it moves;
// where there is none a line is written every lineEvery.
const (
	barSteps  = 1000
	barEvery  = 200 * time.Millisecond
	lineEvery = 10 * time.Second
)

// shownImport shows how far an import is: rows, how many a second, and how long the rest
// takes, on a bar on a terminal; else by a line at the start, now and then, and at the end.
type shownImport struct {
	progress postgis.ImportProgress
	out      io.Writer
	name     string
	size     int64 // of the file
	bytes    atomic.Int64
	started  time.Time
	stop     func(ok bool)
}

// showImport shows the import of a file from now until its end is called.
func showImport(out io.Writer, path string) (*shownImport, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	s := &shownImport{out: out, name: filepath.Base(path), size: info.Size(), started: time.Now()}
	terminal, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(terminal.Fd())) {
		fmt.Fprintf(out, "Reading %s (%d bytes)\n", s.name, s.size)
		stop := every(lineEvery, func() { fmt.Fprintln(out, "  "+s.far().describe(s.size)) })
		s.stop = func(ok bool) {
			if stop(); ok {
				took := time.Since(s.started)
				fmt.Fprintf(out, "Read %s: %d rows in %s, %.0f rows/s\n", s.name, s.progress.Read(), took.Round(time.Millisecond), float64(s.progress.Read())/took.Seconds())
			}
		}
		return s, nil
	}
	s.bar()
	return s, nil
}

// every does something again and again until stop is called, which waits for its end.
func every(interval time.Duration, do func()) (stop func()) {
	done := make(chan struct{})
	var doing sync.WaitGroup
	doing.Go(func() {
		ticks := time.NewTicker(interval)
		defer ticks.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticks.C:
				do()
			}
		}
	})
	return func() { close(done); doing.Wait() }
}

// bar draws the bar until stop is called.
func (s *shownImport) bar() {
	bars := mpb.New(mpb.WithOutput(s.out), mpb.WithWidth(30))
	bar := bars.AddBar(barSteps, mpb.PrependDecorators(decor.Name(s.name+" ")),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return s.far().describe(s.size) })))
	stop := every(barEvery, func() {
		bar.SetCurrent(min(int64(s.far().Done(s.size)*barSteps), barSteps-1)) // it is full when it has ended
	})
	s.stop = func(ok bool) {
		stop()
		if ok {
			bar.SetTotal(-1, true)
		} else {
			bar.Abort(false)
		}
		bars.Wait()
	}
}

// farness is how far an import is.
type farness struct{ layer.ImportProgress }

// far is how far the import is now.
func (s *shownImport) far() farness {
	now := time.Now()
	return farness{layer.ImportProgress{BytesRead: s.bytes.Load(), RowsRead: s.progress.Read(), RowsToWrite: s.progress.ToWrite(), RowsWritten: s.progress.Written(),
		StartedAt: &s.started, UpdatedAt: &now}}
}

// describe says it in words, of a file of so many bytes.
func (f farness) describe(size int64) string {
	said := fmt.Sprintf("%d rows read", f.RowsRead)
	if f.RowsToWrite > 0 {
		said = fmt.Sprintf("%d of %d rows written", f.RowsWritten, f.RowsToWrite)
	}
	if rate, left, ok := f.Pace(size); ok {
		said += fmt.Sprintf(", %.0f rows/s, %s left", rate, left.Round(time.Second))
	}
	return said
}

// end says that the import has ended, and whether its rows are there now.
func (s *shownImport) end(ok bool) { s.stop(ok) }
