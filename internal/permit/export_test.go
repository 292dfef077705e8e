package permit

import (
	"context"
	"sync"
	"time"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
)

// Catch brings the memory up to date at once, as its loop does bit by bit.
func (m *Memory) Catch(ctx context.Context) {
	var work sync.WaitGroup
	for range 3 { // begin builds, follow what changed meanwhile, confirm
		m.refresh(ctx, &work)
		work.Wait()
	}
}

// Fresh returns the snapshot that would answer from memory; nil for none.
func (m *Memory) Fresh(v account.Viewer, date geo.Date) *Snapshot {
	return m.fresh(context.Background(), Asked{Viewer: v, Date: date})
}

// Keep begins to keep a class of viewers.
func (m *Memory) Keep(v account.Viewer, date geo.Date) {
	m.keep(context.Background(), Asked{Viewer: v, Date: date})
}

// KnownAt is the record time at which the register was read.
func (j Judged) KnownAt() time.Time { return j.body.KnownAt }

// OfFirstType is a verdict as those of the first type were recorded, with the answer given.
func (j Judged) OfFirstType(answer []byte) (Judged, error) {
	j.body.Type = firstType
	var err error
	j.body.Answer, err = inFirstForm(answer)
	j.Answer = j.body.Answer
	return j, err
}

// OfSecondType is a verdict as those of the second type were recorded, with the answer given.
func (j Judged) OfSecondType(answer []byte) Judged {
	j.body.Type, j.body.Answer, j.Answer = secondType, answer, answer
	return j
}

// NewBatchOfNone is a batch of rows that are checked against each other, with a judge
// that knows no register.
func NewBatchOfNone(date geo.Date) *Batch {
	b := batchOf(CSV, OutCSV, DetailVerdict)
	b.Date, b.EachOther = date, true
	b.Near = func(context.Context, geo.Date, []zoning.Proposal) (Judge, error) { return byLongitude{}, nil }
	return b
}
