package permit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// Recorder judges what is to be recorded, seals it, and makes it again. It reads the
// register itself for each: an answer from memory does not know of which transactions it is.
// It is safe for concurrent use.
type Recorder struct {
	checker *Checker
	cables  *Cables
	signer  Signer
	zone    *time.Location
}

// RegisterFinder finds the facts of all checks.
type RegisterFinder interface {
	Finder
	CableFinder
}

// NewRecorder returns a recorder over the finder's facts that signs by the signer, and
// numbers verdicts by the years of a time zone.
func NewRecorder(f RegisterFinder, s Signer, zone *time.Location) *Recorder {
	return &Recorder{checker: NewChecker(f), cables: NewCables(f), signer: s, zone: zone}
}

// Judged is a verdict that can be recorded, or the faults that kept it from being given.
type Judged struct {
	Number  string
	Answer  json.RawMessage // as it is recorded
	Verdict zoning.Verdict
	Invalid *layer.InvalidError

	body  RecordBody
	basis Basis
}

// Judge judges questions as they came, in order, as a viewer may know the register, but for
// what an agency is asked about: that is over before the record is. The answers are those of
// a check at the record time at which the register was read, which they name, and so have no
// versions. One without a date is judged on the default date.
//
// More than MaxRecorded questions, or than MaxDates dates, are a fault of the whole.
func (r *Recorder) Judge(ctx context.Context, v account.Viewer, date geo.Date, kind Kind, questions []json.RawMessage) ([]Judged, error) {
	return r.judgeAll(ctx, v, date, kind, questions, false)
}

// JudgeFiled is Judge, about features that are filed: who files them sees those that the
// questions name, whatever the viewer does.
func (r *Recorder) JudgeFiled(ctx context.Context, v account.Viewer, date geo.Date, kind Kind, questions []json.RawMessage) ([]Judged, error) {
	return r.judgeAll(ctx, v, date, kind, questions, true)
}

func (r *Recorder) judgeAll(ctx context.Context, v account.Viewer, date geo.Date, kind Kind, questions []json.RawMessage, filed bool) ([]Judged, error) {
	v = v.Unconsulted()
	if n := len(questions); n > MaxRecorded {
		var faults layer.Faults
		faults.Add("", "một lần ghi nhận nhiều nhất %d kết luận", "at most %d verdicts are recorded at a time", MaxRecorded)
		return nil, faults.Err()
	}
	questions = slices.Clone(questions)
	if kind == CableKind {
		return r.judgeCables(ctx, v, date, questions)
	}
	judged := make([]Judged, len(questions))
	proposals := make([]zoning.Proposal, len(questions))
	byDate := map[geo.Date][]int{}
	for i := range questions {
		if judged[i].Invalid = plain(&questions[i]); judged[i].Invalid != nil {
			continue
		}
		p, err := ParseProposal(questions[i], date)
		invalid, ok := Faults(err)
		switch {
		case ok:
			judged[i].Invalid = invalid
		case err != nil:
			return nil, err
		default:
			proposals[i] = p
			byDate[p.Date] = append(byDate[p.Date], i)
		}
	}
	if len(byDate) > MaxDates {
		var faults layer.Faults
		faults.Add("", "có %d ngày khác nhau, nhiều nhất là %d", "there are %d different dates, at most %d are taken", len(byDate), MaxDates)
		return nil, faults.Err()
	}
	for on, which := range byDate {
		if err := r.judgeMasts(ctx, Asked{Viewer: v, Date: on}, which, filed, proposals, questions, judged); err != nil {
			return nil, err
		}
	}
	return judged, nil
}

// judgeMasts judges those of the proposals that are listed, of one date, by one state.
func (r *Recorder) judgeMasts(ctx context.Context, asked Asked, which []int, filed bool, proposals []zoning.Proposal, questions []json.RawMessage, into []Judged) error {
	these := make([]zoning.Proposal, len(which))
	for i, at := range which {
		these[i] = proposals[at]
	}
	asked.ReachM = r.checker.parser.reachM
	s, facts, err := r.checker.readFacts(ctx, asked.asking(these))
	if err != nil {
		return err
	}
	// The answer is said as a replay says it, whose rows the transactions decide.
	s.knownAt, s.versions = &facts.State.ReadAt, nil
	for _, at := range which {
		if !filed {
			if into[at].Invalid = s.Lacks(&proposals[at]); into[at].Invalid != nil {
				continue
			}
		}
		a := s.Check(proposals[at])
		given := RecordBody{Kind: Placement, Date: asked.Date, KnownAt: facts.State.ReadAt, Versions: facts.Shown, RuleSet: ruleSetRef(a.RuleSet, facts.RuleSets), Answer: a.AppendJSON(nil, DetailFull)}
		into[at] = r.judge(asked.Viewer, facts.State.Snapshot, questions[at], a.Verdict, given)
	}
	return nil
}

func (r *Recorder) judgeCables(ctx context.Context, v account.Viewer, date geo.Date, questions []json.RawMessage) ([]Judged, error) {
	judged := make([]Judged, len(questions))
	for i := range questions {
		if judged[i].Invalid = plain(&questions[i]); judged[i].Invalid != nil {
			continue
		}
		p, err := ParseCable(questions[i], date)
		if invalid, ok := Faults(err); ok {
			judged[i].Invalid = invalid
			continue
		}
		if err != nil {
			return nil, err
		}
		a, facts, err := r.cables.check(ctx, CableAsked{Viewer: v, Date: p.Date}, p)
		if err != nil {
			return nil, err
		}
		a.Versions, a.KnownAt = nil, &facts.ReadAt
		text, err := cableJSON(a)
		if err != nil {
			return nil, err
		}
		given := RecordBody{Kind: CableKind, Date: p.Date, KnownAt: facts.ReadAt, Versions: facts.Shown, RuleSet: ruleSetRef(a.RuleSet, facts.RuleSets), Answer: text}
		judged[i] = r.judge(v, facts.Snapshot, questions[i], a.Verdict, given)
	}
	return judged, nil
}

// plain makes a question canonical, or says why it cannot be.
func plain(question *json.RawMessage) *layer.InvalidError {
	text, err := Canonical(*question)
	if err != nil {
		return &layer.InvalidError{Faults: layer.Faults{{Detail: geo.Text{VI: "không phải JSON mà mỗi tên chỉ có một lần và mỗi số là số thực kép", EN: "is no JSON of names that occur once and numbers that are doubles"}}}}
	}
	*question = text
	return nil
}

// judge completes what is to be recorded with its number, its code and its basis.
func (r *Recorder) judge(v account.Viewer, snapshot string, question json.RawMessage, verdict zoning.Verdict, b RecordBody) Judged {
	b.Type, b.Number, b.Code, b.Question = recordType, newNumber(b.KnownAt.In(r.zone).Year()), newCode(4), question
	basis := Basis{AskedBy: v.Name, Organisation: v.Organisation, Grants: v.Grants, RefusedTo: v.RefusedTo, Snapshot: snapshot, Salt: newCode(6)}
	return Judged{Number: b.Number, Answer: b.Answer, Verdict: verdict, body: b, basis: basis}
}

// ruleSetRef finds the rule set that an answer names ID@VERSION; nil for none.
func ruleSetRef(name string, sets []RuleSet) *RuleSetRef {
	for _, s := range sets {
		if fmt.Sprintf("%s@%d", s.ID, s.Version) == name {
			return &RuleSetRef{ID: s.ID, Version: s.Version, SHA256: hexSum(s.Body)}
		}
	}
	return nil
}

// Seal signs a verdict, of a feature of a proposal where these are given. ErrNoSigningKey
// where the server has no key.
func (r *Recorder) Seal(j Judged, proposal int64, f *RecordFeature) (Record, error) {
	b := j.body
	if proposal != 0 {
		b.Proposal = &proposal
	}
	b.Feature = f
	basis, err := canonicalOf(j.basis)
	if err != nil {
		return Record{}, err
	}
	b.Basis = hexSum(basis)
	body, err := canonicalOf(b)
	if err != nil {
		return Record{}, err
	}
	key, signature, err := r.signer.Sign(body)
	return Record{Body: body, Basis: basis, Key: key, Signature: signature, Sees: true}, err
}

// Replay asks a recorded question again, of the register as it was known then: by the same
// transactions, as whom it was asked, with the rights that he had. What of a row is kept from
// him by now was not then: the record tells it, too. Rights that end at a unit go by the
// ground that this has now.
//
// Cost: that of a check at a time past.
func (r *Recorder) Replay(ctx context.Context, rec Record) (Replay, error) {
	body, err := rec.Read()
	if err != nil {
		return Replay{}, fmt.Errorf("read the record: %w", err)
	}
	basis, err := rec.ReadBasis()
	if err != nil {
		return Replay{}, fmt.Errorf("read the basis of the record: %w", err)
	}
	again := Replay{Number: body.Number, KnownAt: body.KnownAt}
	again.Answer, err = r.again(ctx, body, basis)
	if err == nil && body.Type == firstType {
		again.Answer, err = inFirstForm(again.Answer)
	}
	if err != nil {
		return Replay{}, err
	}
	again.Same, err = SameButMessages(body.Answer, again.Answer)
	return again, err
}

func (r *Recorder) again(ctx context.Context, b RecordBody, basis Basis) (json.RawMessage, error) {
	known := b.KnownAt.UTC()
	if b.Kind == CableKind {
		p, err := ParseCable(b.Question, b.Date)
		if err != nil {
			return nil, err
		}
		a, _, err := r.cables.check(ctx, CableAsked{Viewer: basis.Viewer(), Date: p.Date, KnownAt: known, Snapshot: basis.Snapshot}, p)
		if err != nil {
			return nil, err
		}
		return cableJSON(a)
	}
	p, err := ParseProposal(b.Question, b.Date)
	if err != nil {
		return nil, err
	}
	s, _, err := r.checker.readFacts(ctx, Asked{Viewer: basis.Viewer(), Date: p.Date, KnownAt: known, Snapshot: basis.Snapshot, Points: []orb.Point{p.Point}, ReachM: r.checker.parser.reachM})
	if err != nil {
		return nil, err
	}
	p.Drafts = draftsOf[b.Type]
	a := s.Check(p)
	return a.AppendJSON(nil, DetailFull), nil
}

// cableJSON writes an answer about a cable.
func cableJSON(a CableAnswer) (json.RawMessage, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(a); err != nil {
		return nil, fmt.Errorf("write an answer: %w", err)
	}
	return bytes.TrimSpace(text.Bytes()), nil
}

func canonicalOf(value any) ([]byte, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("write a record: %w", err)
	}
	return Canonical(raw)
}

// Moment is when a register was read, and the transactions that were part of it then.
type Moment struct {
	ReadAt   time.Time
	Snapshot string // as the database writes them
}
