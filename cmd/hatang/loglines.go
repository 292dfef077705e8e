package main

import (
	"bufio"
	"bytes"
	"io"
	"sync"
	"time"
)

// logLines gathers log lines and writes many at once, because a write of its own for
// each of ten thousand requests a second costs as much as answering them. A line waits
// a fifth of a second at most; one that warns is written at once with all before it.
type logLines struct {
	mu    sync.Mutex
	out   *bufio.Writer
	timer *time.Timer // running while lines wait
	wait  bool
}

const (
	linesWait  = 200 * time.Millisecond
	linesBytes = 64 << 10
)

func newLogLines(out io.Writer) *logLines {
	l := &logLines{out: bufio.NewWriterSize(out, linesBytes)}
	l.timer = time.AfterFunc(linesWait, l.flush)
	l.timer.Stop()
	return l
}

// Write takes one line. That the log cannot be written is nowhere to be said.
func (l *logLines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.out.Write(line)
	switch {
	case err != nil:
	case bytes.Contains(line, []byte(`"level":"INFO"`)):
		if !l.wait {
			l.wait = true
			l.timer.Reset(linesWait)
		}
	default:
		err = l.out.Flush()
	}
	return n, err
}

func (l *logLines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wait = false
	_ = l.out.Flush() // a failed one fails every later Write
}

// close writes what waits.
func (l *logLines) close() {
	l.timer.Stop()
	l.flush()
}
