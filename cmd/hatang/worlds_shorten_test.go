package main

import (
	"fmt"
	"strings"
	"testing"

	"hatang/internal/testdb"
)

// change is something done to the worlds: a request to both, or a statement in the second.
type change struct {
	question
	at   int64 // the time that it is recorded at
	sql  string
	args []any
}

func (c change) String() string {
	if c.sql != "" {
		return fmt.Sprintf("in the second world: %s %v", c.sql, c.args)
	}
	return c.question.String()
}

// alter changes what the viewer does not see, in the second world.
func (p *pair) alter(sql string, args ...any) {
	p.t.Helper()
	p.steps = append(p.steps, change{sql: sql, args: args})
	execute(p.t, p.b.conn, sql, args...)
}

// serveKept serves the worlds as they were before anything was asked.
func (p *pair) serveKept() {
	p.t.Helper()
	copied := func(i int) *world {
		return p.origin.serve(p.t, altered(p.t, testdb.Copy(p.t, p.kept[i]), p.origin.after))
	}
	p.a, p.b = copied(0), copied(1)
}

// mostReplays is how often a difference is looked for again before what has been found by
// then is told.
const mostReplays = 60

// shorten returns the fewest steps found behind which the worlds, begun anew, answer a question
// differently: those that can be left out, halves first, are.
func (p *pair) shorten(q question) string {
	p.t.Helper()
	replays := 0
	differs := func(steps []change) (found bool) {
		replays++
		p.t.Run(fmt.Sprint("again ", replays), func(t *testing.T) { found = p.again(t, steps, q) != "" })
		return found
	}
	steps := p.steps
	if !q.reads() {
		steps = steps[:len(steps)-1] // the question itself
	}
	switch {
	case differs(nil):
		steps = nil
	case !differs(steps):
		return fmt.Sprintf("\nbehind %d changes; these alone, begun anew, do not lead to it", len(steps))
	}
	for size := (len(steps) + 1) / 2; size > 0 && replays < mostReplays; size /= 2 {
		for from := 0; from < len(steps) && replays < mostReplays; {
			fewer := append(append([]change{}, steps[:from]...), steps[min(from+size, len(steps)):]...)
			if differs(fewer) {
				steps = fewer
			} else {
				from += size
			}
		}
	}
	told := []string{fmt.Sprintf("\nbehind %d changes, found in %d replays:", len(steps), replays)}
	for _, s := range steps {
		told = append(told, s.String())
	}
	return strings.Join(told, "\n")
}

// again does some steps in worlds begun anew, and returns how the answers to a question differ
// then. What is different before is left alone.
func (p *pair) again(t *testing.T, steps []change, q question) string {
	t.Helper()
	n := &pair{t: t, origin: p.origin, as: p.as, stock: p.stock, kept: p.kept, etags: map[string][2]string{}, counts: map[string]int{}}
	n.serveKept()
	for _, s := range steps {
		if s.sql != "" {
			execute(t, n.b.conn, s.sql, s.args...)
			continue
		}
		n.setTime(s.at)
		for _, w := range []*world{n.a, n.b} {
			deliver(s.server(w), s.question, n.as)
		}
	}
	n.wake()
	n.settle()
	if q.etag {
		tag := question{method: "GET", path: q.path, headers: q.headers, address: q.address, cold: q.cold}
		if d := n.both(tag); d != "" {
			return d
		}
	}
	return n.both(q)
}
