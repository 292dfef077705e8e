package main

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// heard is a place that lines are written to, and how often.
type heard struct {
	mu     sync.Mutex
	said   bytes.Buffer
	writes int
}

func (h *heard) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.writes++
	return h.said.Write(b)
}

func (h *heard) lines() (lines, writes int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Count(h.said.String(), "\n"), h.writes
}

func TestLogLinesAreAllWritten(t *testing.T) {
	out := &heard{}
	lines := newLogLines(out)
	log := slog.New(slog.NewJSONHandler(lines, nil))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 500 {
				log.Info("request")
			}
		})
	}
	all.Wait()
	until(t, "the lines that wait", func() bool { n, _ := out.lines(); return n == 2000 })
	if _, writes := out.lines(); writes > 1000 {
		t.Errorf("%d writes of 2000 lines", writes)
	}
	log.Info("one more")
	log.Warn("now")
	if n, _ := out.lines(); n != 2002 {
		t.Errorf("%d lines after a warning, want 2002", n)
	}
	log.Info("last")
	lines.close()
	if n, _ := out.lines(); n != 2003 {
		t.Errorf("%d lines after the end, want 2003", n)
	}
}
