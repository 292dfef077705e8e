package httpapi

import (
	"encoding/json"
	"errors"
	"slices"

	"hatang/internal/account"
	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// filedQuestion is what is asked of one of the features that are filed.
type filedQuestion struct {
	at   int // which of the features
	body json.RawMessage
}

// filedAnswer is what was judged of it.
type filedAnswer struct {
	permit.Judged
	at int
}

// checkFiled checks the masts and the cables among features of an organisation's proposal and
// notes the revisions that it has read: when they are filed, supplemented and approved. Their
// verdicts are to be recorded with the proposal.
//
// Decided: they are checked as for somebody who has signed in and nothing else. All of the
// organisation read what was found, and the agencies, whatever he who files may see beside;
// drafts of the organisation itself do not count: the masts are among them. What others have
// refused to share with it does: by filing it relies on that. What the masts are to each other
// is found beside.
func (a *api) checkFiled(r *request, organisation string, features []permit.FiledFeature) (json.RawMessage, permit.Sealed, error) {
	checked := make([]permit.CheckedFeature, len(features))
	questions := map[permit.Kind][]filedQuestion{}
	for i := range features {
		f := &features[i]
		checked[i] = permit.CheckedFeature{FeatureID: permit.FeatureID{Collection: f.Collection, ID: f.ID}}
		kind, body, err := a.questionOf(r, organisation, f)
		if err != nil {
			return nil, nil, err
		}
		if body != nil {
			questions[kind] = append(questions[kind], filedQuestion{i, body})
		}
	}
	date, viewer := a.ReferenceDate(), account.Viewer{Name: r.viewer.Name, RefusedTo: organisation}
	var answers []filedAnswer
	for _, kind := range []permit.Kind{permit.Placement, permit.CableKind} {
		bodies := make([]json.RawMessage, len(questions[kind]))
		for i, q := range questions[kind] {
			bodies[i] = q.body
		}
		judged, err := a.Recorder.JudgeFiled(r.Context(), viewer, date, kind, bodies)
		if err != nil {
			return nil, nil, err
		}
		for i, j := range judged {
			answers = append(answers, filedAnswer{j, questions[kind][i].at})
		}
	}
	for _, j := range answers {
		at := &checked[j.at]
		at.Number, at.Answer = j.Number, j.Answer
		if j.Invalid != nil {
			at.Faults = j.Invalid.Faults
		}
	}
	masts := make([]permit.FiledMast, len(questions[permit.Placement]))
	for i, q := range questions[permit.Placement] {
		masts[i] = permit.FiledMast{FeatureID: checked[q.at].FeatureID, Code: features[q.at].Code, Question: q.body}
	}
	together, err := a.Recorder.Together(r.Context(), viewer, date, masts)
	if err != nil {
		return nil, nil, err
	}
	text, err := permit.FileVerdict(date, checked, together)
	return text, a.sealedOf(answers, features), err
}

// sealedOf seals the verdicts that were given, each of its feature.
func (a *api) sealedOf(answers []filedAnswer, features []permit.FiledFeature) permit.Sealed {
	return func(proposal int64) (records []permit.Record, err error) {
		for _, j := range answers {
			if j.Invalid != nil {
				continue
			}
			f := features[j.at]
			record, err := a.Recorder.Seal(j.Judged, proposal, &permit.RecordFeature{Collection: f.Collection, ID: f.ID, Revision: f.Revision})
			if err != nil {
				return nil, err
			}
			records = append(records, record)
		}
		return records, nil
	}
}

// questionOf returns a feature as what is asked in a check, and notes the revision that it has
// read and its code; nil for what no check is about, and for what the store is going to say is wrong, with
// all else.
func (a *api) questionOf(r *request, organisation string, f *permit.FiledFeature) (permit.Kind, json.RawMessage, error) {
	l, known := a.Registry.Get(f.Collection)
	if !known || !slices.Contains(permit.FiledLayers(), f.Collection) {
		return "", nil, nil
	}
	row, err := a.Store.Feature(r.Context(), r.viewer, l, f.ID)
	if errors.Is(err, layer.ErrNotFound) {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	f.Revision = row.Revision
	f.Code = l.TextOf(row, "code")
	text, err := formats.AppendFeature(nil, l, row, formats.GeoJSONOptions{})
	if err != nil {
		return "", nil, err
	}
	return permit.QuestionOf(f.Collection, text, organisation)
}
