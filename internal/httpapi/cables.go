package httpapi

import (
	"net/http"

	"hatang/internal/layer"
	"hatang/internal/permit"
)

// cableChecks judges one cable, or a list of them. A single one that is not valid is a
// 400; among many its problem stands in its place.
func (a *api) cableChecks(w http.ResponseWriter, r *request) error {
	q := permit.Question{Viewer: r.viewer, Date: a.ReferenceDate()}
	var faults layer.Faults
	if q.KnownAt = a.knownAtIn(r.values, &faults); len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	body, err := appendBody(nil, w, r)
	if err != nil {
		return err
	}
	members, err := objectIn(body)
	if err != nil {
		return err
	}
	bodies, many, err := proposalsOf(body, members)
	if err != nil {
		return err
	}
	if len(bodies) > permit.MaxCables {
		faults.Add("/proposals", "có %d đề nghị, nhiều nhất là %d; hãy chia ra", "there are %d proposals, at most %d are taken; split them", len(bodies), permit.MaxCables)
		return faultsProblem(invalidBody, faults)
	}
	answers, err := a.Cables.Answers(r.Context(), q, bodies)
	if err != nil {
		return err
	}
	var out []byte
	switch {
	case many:
		if out, err = appendResults(nil, answers, r.language()); err != nil {
			return err
		}
	case answers[0].Invalid != nil:
		return faultsProblem(invalidBody, answers[0].Invalid.Faults)
	default:
		out = answers[0].Answer
	}
	w.Header()["Cache-Control"] = noStore
	send(w, r, typeJSON, out)
	return nil
}
