package permit

import (
	"bytes"
	"context"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"hatang/geo"
	"hatang/geo/zoning"
)

// Limits of rows that are checked against each other: all are held at once.
const (
	MaxEachOther      = 10000
	MaxEachOtherBytes = 32 << 20
)

// others are the proposals of an input that is checked against itself.
type others struct {
	mu        sync.Mutex
	gathering bool
	proposed  map[int64]zoning.Mast // by row
	features  []int64
	asked     map[geo.Date][]zoning.Proposal // where, and about what
}

// runEachOther reads the input twice: first for the masts that are proposed, then to
// judge each row among all the others.
func (b *Batch) runEachOther(ctx context.Context, in io.Reader, out io.Writer) (Tally, error) {
	text, err := io.ReadAll(io.LimitReader(in, MaxEachOtherBytes+1))
	if err != nil {
		return Tally{}, err
	}
	if len(text) > MaxEachOtherBytes {
		return Tally{}, noRows("để kiểm tra các dòng với nhau, nội dung không được quá %d MiB; hãy chia ra", "to be checked against each other, rows may take at most %d MiB; split them", MaxEachOtherBytes>>20)
	}
	all := &others{gathering: true, proposed: map[int64]zoning.Mast{}, asked: map[geo.Date][]zoning.Proposal{}}
	first := *b
	first.Out, first.Interrupt = OutText, nil
	first.Text = func(dst []byte, _ *Answer) []byte { return dst }
	if _, err := first.run(ctx, bytes.NewReader(text), io.Discard, all); err != nil {
		return Tally{}, err
	}
	all.gathering = false
	second := b.among(all)
	return second.run(ctx, bytes.NewReader(text), out, all)
}

// among is the batch with judges that know of the others.
func (b *Batch) among(all *others) *Batch {
	rows := slices.Sorted(maps.Keys(all.proposed))
	listed := Listed{Masts: make([]zoning.Mast, len(rows)), Features: all.features}
	for i, row := range rows {
		listed.Masts[i] = all.proposed[row]
	}
	near := func(ctx context.Context, date geo.Date, proposals []zoning.Proposal) (Judge, error) {
		j, err := b.Near(ctx, date, proposals)
		if err != nil {
			return nil, err
		}
		return j.Among(listed), nil
	}
	second := *b
	second.Ready, second.Interrupt = nil, nil
	second.Open = func(ctx context.Context, date geo.Date) (Judge, error) { return near(ctx, date, all.asked[date]) }
	second.Few = func(ctx context.Context, p zoning.Proposal) (Answer, error) {
		j, err := near(ctx, p.Date, []zoning.Proposal{p})
		if err != nil {
			return Answer{}, err
		}
		if lacks := j.Lacks(&p); lacks != nil {
			return Answer{}, lacks
		}
		return j.Check(p), nil
	}
	return &second
}

// add takes up a row. Workers add at the same time.
func (o *others) add(r *row) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.proposed) == MaxEachOther {
		return noRows("có hơn %d dòng để kiểm tra với nhau; hãy chia ra, hoặc bỏ against", "there are more than %d rows to check against each other; split them, or leave against out", MaxEachOther)
	}
	m := zoning.ProposedMast(r.Proposal, r.name())
	if m.HeightM != nil { // points into the row, which is used again
		m.HeightM = new(*m.HeightM)
	}
	o.proposed[r.nth] = m
	o.asked[r.Date] = append(o.asked[r.Date], zoning.Proposal{Point: r.Point, Feature: r.Feature})
	if r.Feature != 0 {
		o.features = append(o.features, r.Feature)
	}
	return nil
}

// name is what people call the row: its id or code, else its number.
func (r *row) name() string {
	name := ""
	switch {
	case r.where != nil && r.where.id >= 0 && r.where.id < len(r.cells):
		name = clip(string(trim(r.cells[r.where.id].text)))
	case r.feature.id != nil:
		name = clip(strings.Trim(string(r.feature.id), `"`))
	}
	if name == "" || name == "null" {
		return rowName(r.nth)
	}
	return name
}

// rowName is the name of a row that has none.
func rowName(nth int64) string { return "#" + strconv.FormatInt(nth, 10) }
