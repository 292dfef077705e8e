package permit

import (
	"context"
	"encoding/json"
	"slices"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
)

// FiledMast is a mast of a proposal as it is asked about.
type FiledMast struct {
	FeatureID
	Code     string
	Question json.RawMessage
}

// Together is what a rule says of a mast of a proposal because of another one in it, which is
// the evidence. It is no part of the verdict on either that is recorded: that is on the mast
// alone, so that it can be asked again without the proposal.
type Together struct {
	FeatureID
	Finding zoning.Finding `json:"finding"`
}

// Together checks the masts of a proposal against each other, as a viewer may know the
// register: those that stand too close, or may, each once for either of them. What is no
// question is left out; fewer than two masts have nothing between them.
//
// Cost: that of a check for each.
func (r *Recorder) Together(ctx context.Context, v account.Viewer, date geo.Date, masts []FiledMast) ([]Together, error) {
	if len(masts) < 2 {
		return nil, nil
	}
	var proposals []zoning.Proposal
	var listed Listed
	asked := Asked{Viewer: v.Unconsulted(), Date: date, ReachM: r.checker.parser.reachM}
	for i := range masts {
		p, err := ParseProposal(masts[i].Question, date)
		if _, invalid := Faults(err); invalid {
			continue
		}
		if err != nil {
			return nil, err
		}
		p.Row = int64(i + 1)
		proposals = append(proposals, p)
		listed.add(p, masts[i].Code)
	}
	alone, _, err := r.checker.readFacts(ctx, asked.asking(proposals))
	if err != nil {
		return nil, err
	}
	among := alone.among(listed)
	var found []Together
	for _, p := range proposals {
		for _, f := range among.Check(p).Findings {
			if f.Evidence == nil || f.Evidence.Collection != zoning.Proposals || f.Outcome == zoning.Pass {
				continue
			}
			other := masts[f.Evidence.ID-1]
			f.Evidence = &zoning.Evidence{Collection: other.Collection, ID: other.ID, Code: other.Code}
			f.Decides = false // of the verdict on the mast alone
			found = append(found, Together{masts[p.Row-1].FeatureID, f})
		}
	}
	return found, nil
}

// verdict is the one that the finding alone leads to.
func (t *Together) verdict() zoning.Verdict {
	switch f := &t.Finding; {
	case f.Outcome == zoning.Fail && f.Binding:
		return zoning.Refused
	case f.Outcome == zoning.Unknown && f.Binding:
		return zoning.Undetermined
	case f.Outcome == zoning.Fail, f.Outcome == zoning.Condition:
		return zoning.Conditional
	}
	return zoning.Permitted
}

// other is the mast that the finding is about beside the one that it is of.
func (t *Together) other() FeatureID {
	if e := t.Finding.Evidence; e != nil {
		return FeatureID{e.Collection, e.ID}
	}
	return t.FeatureID
}

// seenTogether leaves what is about two masts that are both seen: of another one not even
// how near it is.
func seenTogether(all []Together, seen func(FeatureID) bool) []Together {
	return slices.DeleteFunc(all, func(t Together) bool { return !seen(t.FeatureID) || !seen(t.other()) })
}
