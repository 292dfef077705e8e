package permit

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// drafts are used again: a draft is taken for one proposal and given back when its
// answer is written.
var drafts = sync.Pool{New: func() any { return new(draft) }}

// Question is what is asked about proposals, beside the proposals.
type Question struct {
	Viewer  account.Viewer
	Date    geo.Date  // of proposals that name none
	KnownAt time.Time // record time; zero: now
	Detail  Detail
	// NearestM has the nearest place where the same mast may stand looked for, so far, metres;
	// 0: not. Rows are answered without it.
	NearestM float64
	// EachOther has proposals that come together checked against each other, too.
	EachOther bool
}

// AppendAnswer judges a proposal as it came and appends its answer (see
// Answer.AppendJSON). The error of one that cannot be judged is a
// *layer.InvalidError with every fault.
func (c *Checker) AppendAnswer(ctx context.Context, q Question, dst, raw []byte) ([]byte, error) {
	p := drafts.Get().(*draft)
	defer drafts.Put(p)
	if !p.readJSON(raw, q.Date) {
		var err error
		if p.Proposal, err = parseStrictly(raw, q.Date); err != nil {
			return dst, err
		}
	}
	s, err := c.about(ctx, q, &p.Proposal)
	if err != nil {
		return dst, err
	}
	dst, _ = appendVerdict(dst, s, p.Proposal, q)
	return dst, nil
}

// about returns a snapshot that answers for a proposal, or the fault that keeps it from being
// judged.
func (c *Checker) about(ctx context.Context, q Question, p *zoning.Proposal) (*Snapshot, error) {
	asked := Asked{Viewer: q.Viewer, Date: p.Date, KnownAt: q.KnownAt, Points: []orb.Point{p.Point}, WithinM: q.NearestM}
	if p.Feature != 0 {
		asked.Features = []int64{p.Feature}
	}
	s, err := c.near(ctx, asked)
	if err != nil {
		return nil, err
	}
	if lacks := s.Lacks(p); lacks != nil {
		return nil, lacks
	}
	return s, nil
}

// Ask judges one proposal in full, on the question's date. One about a mast that the viewer
// does not see is a *layer.InvalidError.
func (c *Checker) Ask(ctx context.Context, q Question, p zoning.Proposal) (Answer, error) {
	p.Date = q.Date
	s, err := c.about(ctx, q, &p)
	if err != nil {
		return Answer{}, err
	}
	a := s.Check(p)
	if q.NearestM > 0 {
		a.Nearest = s.Nearest(p, q.NearestM)
	}
	return a, nil
}

// appendVerdict has a proposal judged as far as the detail asks, with the nearest place where
// that is asked.
func appendVerdict(dst []byte, s *Snapshot, p zoning.Proposal, q Question) ([]byte, zoning.Verdict) {
	var unit Unit
	a := answerOf(s, p, q.Detail, &unit)
	if q.NearestM > 0 {
		a.Nearest = s.Nearest(p, q.NearestM)
	}
	return a.AppendJSON(dst, q.Detail), a.Verdict
}

// answerOf judges as far as the detail asks; unit is room for the place.
func answerOf(j Judge, p zoning.Proposal, d Detail, unit *Unit) Answer {
	switch d {
	case DetailVerdict:
		place, verdict := j.Verdict(p)
		return bareAnswer(p, place, verdict, j, unit)
	case DetailFindings:
		return j.Findings(p)
	}
	return j.Check(p)
}

// bareAnswer is an answer of which only the verdict is known; unit is room for the
// place.
func bareAnswer(p zoning.Proposal, place zoning.Place, verdict zoning.Verdict, j Judge, unit *Unit) Answer {
	a := Answer{Point: p.Point, Versions: j.Versions(), Generalised: j.Generalised()}
	a.Verdict, a.Date = verdict, p.Date
	if place != (zoning.Place{}) {
		*unit = Unit{Commune: place.Commune, District: place.District, Province: place.Territory}
		a.Unit = unit
	}
	return a
}

// JSONAnswer is what became of one proposal among many: an answer, or the faults
// that kept it from being judged.
type JSONAnswer struct {
	Answer  json.RawMessage
	Verdict zoning.Verdict // "" where there is no answer
	Invalid *layer.InvalidError
}

// MaxAnswersBytes is how long the answers to one list may be together: they are held until all
// are there, and then as long as the client takes to read them. Rows are answered one by one.
const MaxAnswersBytes = 8 << 20

// Answers judges many proposals as they came, in order; those of one date by one
// state of the register. More than MaxDates dates, and answers longer than MaxAnswersBytes
// together, are a fault of the whole.
func (c *Checker) Answers(ctx context.Context, q Question, bodies []json.RawMessage) ([]JSONAnswer, error) {
	answers := make([]JSONAnswer, len(bodies))
	proposals := make([]zoning.Proposal, len(bodies))
	byDate := map[geo.Date][]int{}
	var listed Listed
	for i, raw := range bodies {
		p, err := ParseProposal(raw, q.Date)
		invalid, ok := Faults(err)
		switch {
		case ok:
			answers[i].Invalid = invalid
		case err != nil:
			return nil, err
		default:
			if q.EachOther {
				p.Row = int64(i) + 1
				listed.add(p, rowName(p.Row))
			}
			proposals[i] = p
			byDate[p.Date] = append(byDate[p.Date], i)
		}
	}
	var answered, bytes int
	err := c.eachDate(ctx, Asked{Viewer: q.Viewer, KnownAt: q.KnownAt, WithinM: q.NearestM}, proposals, byDate, listed, func(s *Snapshot, at int) {
		if bytes > MaxAnswersBytes {
			return
		}
		if answers[at].Invalid = s.Lacks(&proposals[at]); answers[at].Invalid != nil {
			return
		}
		answers[at].Answer, answers[at].Verdict = appendVerdict(nil, s, proposals[at], q)
		answered, bytes = answered+1, bytes+len(answers[at].Answer)
	})
	if err == nil && bytes > MaxAnswersBytes {
		err = tooMuchToAnswer(len(bodies), answered)
	}
	return answers, err
}

// tooMuchToAnswer is the fault of a list whose answers are too long; so many fit.
func tooMuchToAnswer(proposals, fit int) error {
	var faults layer.Faults
	faults.Add("/proposals", "câu trả lời cho %d đề nghị dài quá %d MiB, đủ chỗ cho khoảng %d; hãy chia ra, hỏi ít chi tiết hơn (detail), hoặc gửi bằng CSV hay GeoJSON",
		"the answers to %d proposals are longer than %d MiB, which holds some %d; split them, ask for less detail, or send them as CSV or GeoJSON", proposals, MaxAnswersBytes>>20, fit)
	return faults.Err()
}

// Batch returns a batch that answers the question about rows. Its format and its
// output are still to be said.
func (c *Checker) Batch(q Question) *Batch {
	return &Batch{
		Date: q.Date, Detail: q.Detail, EachOther: q.EachOther,
		Open: func(ctx context.Context, date geo.Date) (Judge, error) {
			s, err := c.Snapshot(ctx, q.Viewer, date, q.KnownAt)
			if err != nil { // a nil *Snapshot must not become a Judge
				return nil, err
			}
			return s, nil
		},
		Ready: func(ctx context.Context, date geo.Date) Judge {
			if s := c.memory.fresh(ctx, Asked{Viewer: q.Viewer, Date: date, KnownAt: q.KnownAt}); s != nil {
				return s
			}
			return nil
		},
		Near: func(ctx context.Context, date geo.Date, proposals []zoning.Proposal) (Judge, error) {
			s, err := c.near(ctx, Asked{Viewer: q.Viewer, Date: date, KnownAt: q.KnownAt}.asking(proposals))
			if err != nil {
				return nil, err
			}
			return s, nil
		},
		Few: func(ctx context.Context, p zoning.Proposal) (Answer, error) {
			answers, err := c.CheckAsKnown(ctx, q.Viewer, []zoning.Proposal{p}, q.KnownAt)
			if err != nil {
				return Answer{}, err
			}
			return answers[0], nil
		},
	}
}
