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

// checkFiled checks the masts among features and notes the revisions that it has read.
// Their verdicts are to be recorded with the proposal.
//
// Decided: they are checked as for somebody who has signed in and nothing else. All of the
// organisation read what was found, and the agencies, whatever he who files may see beside;
// drafts of the organisation itself do not count: the masts are among them. What others have
// refused to share with it does: by filing it relies on that.
func (a *api) checkFiled(r *request, features []permit.FiledFeature) (json.RawMessage, permit.Sealed, error) {
	checked := make([]permit.CheckedFeature, len(features))
	var masts []int
	var bodies []json.RawMessage
	for i := range features {
		f := &features[i]
		checked[i] = permit.CheckedFeature{FeatureID: permit.FeatureID{Collection: f.Collection, ID: f.ID}}
		body, err := a.filedMast(r, f)
		if err != nil {
			return nil, nil, err
		}
		if body != nil {
			masts, bodies = append(masts, i), append(bodies, body)
		}
	}
	date := a.ReferenceDate()
	judged, err := a.Recorder.Judge(r.Context(), account.Viewer{Name: r.viewer.Name, RefusedTo: r.viewer.Organisation}, date, permit.Placement, bodies)
	if err != nil {
		return nil, nil, err
	}
	for i, j := range judged {
		at := &checked[masts[i]]
		at.Number, at.Answer = j.Number, j.Answer
		if j.Invalid != nil {
			at.Faults = j.Invalid.Faults
		}
	}
	sealed := func(proposal int64) (records []permit.Record, err error) {
		for i, j := range judged {
			if j.Invalid != nil {
				continue
			}
			f := features[masts[i]]
			record, err := a.Recorder.Seal(j, proposal, &permit.RecordFeature{Collection: f.Collection, ID: f.ID, Revision: f.Revision})
			if err != nil {
				return nil, err
			}
			records = append(records, record)
		}
		return records, nil
	}
	text, err := permit.FileVerdict(date, checked)
	return text, sealed, err
}

// filedMast returns a feature as the proposal of a placement check, and notes the revision
// that it has read; nil for what is no mast, and for what the store is going to say is wrong,
// with all else.
func (a *api) filedMast(r *request, f *permit.FiledFeature) (json.RawMessage, error) {
	l, known := a.Registry.Get(f.Collection)
	if !known || !slices.Contains(permit.FiledLayers(), f.Collection) {
		return nil, nil
	}
	row, err := a.Store.Feature(r.Context(), r.viewer, l, f.ID)
	if errors.Is(err, layer.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f.Revision = row.Revision
	if !l.Has("mast_type") {
		return nil, nil
	}
	return mastBody(l, row, r.viewer.Organisation)
}

// mastBody writes a row as the proposal of a placement check.
func mastBody(l *layer.Layer, row *layer.Row, operator string) (json.RawMessage, error) {
	text, err := formats.AppendFeature(nil, l, row, formats.GeoJSONOptions{})
	if err != nil {
		return nil, err
	}
	var feature struct {
		Geometry struct {
			Coordinates []float64 `json:"coordinates"`
		} `json:"geometry"`
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(text, &feature); err != nil {
		return nil, err
	}
	body := map[string]any{"operator": operator}
	if at := feature.Geometry.Coordinates; len(at) == 2 {
		body["lon"], body["lat"] = at[0], at[1]
	}
	for _, name := range []string{"mast_type", "height_m", "half_width_m", "host_building_height_m", "structure", "concealed", "accuracy_m"} {
		if value, ok := feature.Properties[name]; ok {
			body[name] = value
		}
	}
	return json.Marshal(body)
}
