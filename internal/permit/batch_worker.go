package permit

import (
	"context"
	"fmt"
	"runtime/debug"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/layer"
)

// work judges chunks until there are no more.
func (r *run) work(ctx context.Context, jobs <-chan *chunk) {
	w := &worker{run: r, features: features{ignored: map[string]bool{}}}
	w.row.where = r.table
	for {
		select {
		case <-ctx.Done():
			return
		case c, ok := <-jobs:
			if !ok {
				r.note(w.features.ignored)
				return
			}
			c.done <- w.chunk(ctx, c)
		}
	}
}

// row is one row being read and judged. It is used again for the next.
type row struct {
	draft
	nth    int64 // from 1
	text   []byte
	faults layer.Faults
	where  *table // of CSV

	cells   []cell
	scratch []byte
	feature feature
	moved   bool // the place in the input is in another reference system
	found   judged
}

// judged is what was found about a row, as much as was asked for.
type judged struct {
	place   zoning.Place
	verdict zoning.Verdict
	answer  *Answer // nil of a bare verdict, unless it is written as an answer
}

// worker judges rows, one after the other.
type worker struct {
	*run
	row      row
	features features
	answer   Answer
	unit     Unit

	judge Judge // of the date; nil: not known, or none
	date  geo.Date
}

func (w *worker) chunk(ctx context.Context, c *chunk) (err error) {
	defer func() {
		if caught := recover(); caught != nil { // would end the whole server
			err = fmt.Errorf("judging rows panicked: %v\n%s", caught, debug.Stack())
		}
	}()
	w.features.crs = c.crs
	for i, t := range c.rows {
		if i%64 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		w.row.nth, w.row.text = c.first+int64(i), c.in[t.from:t.to]
		if err := w.one(ctx, t.flaw); err != nil {
			return fmt.Errorf("row %d: %w", w.row.nth, err)
		}
		c.out = w.pen.row(c.out, &w.row)
		w.tell(&c.tally)
	}
	return nil
}

// tell counts the row.
func (w *worker) tell(t *Tally) {
	t.Rows++
	if len(w.row.faults) == 0 {
		t.count(w.row.found.verdict)
		return
	}
	t.Bad++
	if len(t.Faults) < maxToldFaults {
		t.Faults = append(t.Faults, RowFaults{w.row.nth, w.row.faults})
	}
}

// one reads and judges one row.
func (w *worker) one(ctx context.Context, flaw flaw) error {
	r := &w.row
	r.faults, r.cells, r.found = nil, r.cells[:0], judged{}
	switch {
	case flaw == tooLong:
		r.feature.forget()
		r.faults.Add("", "dài quá %d byte", "is longer than %d bytes", MaxRowBytes)
	case flaw == unclosed:
		r.faults.Add("", "có dấu ngoặc kép không đóng", "a quotation mark does not close")
	case w.table != nil:
		w.table.read(r, w.Date)
	default:
		w.features.read(r, w.Date)
	}
	if len(r.faults) > 0 {
		return nil
	}
	return w.ask(ctx)
}

// ask has the row's proposal judged.
func (w *worker) ask(ctx context.Context) error {
	r := &w.row
	if w.others != nil {
		r.Row = r.nth
		if w.others.gathering {
			return w.others.add(r)
		}
	}
	if w.judge == nil || w.date != r.Date {
		j, err := w.judgeOf(ctx, r.Date)
		if err != nil {
			return err
		}
		w.judge, w.date = j, r.Date
	}
	if w.judge == nil {
		return w.askFew(ctx)
	}
	if lacks := w.judge.Lacks(&r.Proposal); lacks != nil {
		r.refuse(lacks, w.table)
		return nil
	}
	switch w.Detail {
	case DetailVerdict:
		r.found.place, r.found.verdict = w.judge.Verdict(r.Proposal)
		if w.Out == OutResults || w.Out == OutText {
			w.answer = bareAnswer(r.Proposal, r.found.place, r.found.verdict, w.judge, &w.unit)
			r.found.answer = &w.answer
		}
		return nil
	case DetailFindings:
		w.answer = w.judge.Findings(r.Proposal)
	default:
		w.answer = w.judge.Check(r.Proposal)
	}
	w.take()
	return nil
}

// askFew asks about a row of a date that has no judge.
func (w *worker) askFew(ctx context.Context) (err error) {
	w.answer, err = w.Few(ctx, w.row.Proposal)
	if lacks, ok := Faults(err); ok {
		w.row.refuse(lacks, w.table)
		return nil
	}
	w.take()
	return err
}

// refuse gives the row the faults that keep its proposal from being judged, where they stand
// in the input.
func (r *row) refuse(lacks *layer.InvalidError, csv *table) {
	for _, f := range lacks.Faults {
		if csv == nil {
			f.At = placeInFeature(f.At)
		}
		r.faults = append(r.faults, f)
	}
}

// take makes the answer the row's.
func (w *worker) take() {
	w.row.found = judged{verdict: w.answer.Verdict, answer: &w.answer}
	if u := w.answer.Unit; u != nil {
		w.row.found.place = zoning.Place{Commune: u.Commune, District: u.District, Territory: u.Province}
	}
}
