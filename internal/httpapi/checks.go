package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"hatang/geo"
	"hatang/internal/layer"
)

// maxProposals is how many proposals one request may hold.
const maxProposals = 10000

// placementChecks judges one proposal, or many. A single one that is not valid is
// a 400; among many its problem stands in its place.
func (a *api) placementChecks(w http.ResponseWriter, r *request) error {
	raw, err := readBody(w, r)
	if err != nil {
		return err
	}
	bodies, many, err := proposalsOf(raw)
	if err != nil {
		return err
	}
	results, err := a.Checker.Check(r.Context(), r.viewer, bodies, a.ReferenceDate())
	if err != nil {
		return err
	}
	if len(results) != len(bodies) {
		return fmt.Errorf("the checker gave %d results for %d proposals", len(results), len(bodies))
	}
	var answer any
	if many {
		answer = map[string]any{"results": answersOf(results, r.language())}
	} else {
		if invalid := results[0].Invalid; invalid != nil {
			return faultsProblem(invalidBody, invalid.Faults)
		}
		answer = results[0].Answer
	}
	body, err := encode(answer)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	send(w, r, typeJSON, body)
	return nil
}

// answersOf puts the problem of each proposal that is not valid in its place.
func answersOf(results []CheckResult, language string) []any {
	answers := make([]any, len(results))
	for i, result := range results {
		answers[i] = result.Answer
		if result.Invalid != nil {
			answers[i] = faultsProblem(invalidBody, result.Invalid.Faults).document(language)
		}
	}
	return answers
}

// proposalsOf splits a body into proposals; many tells the list form.
func proposalsOf(raw json.RawMessage) (bodies []json.RawMessage, many bool, err error) {
	members, err := objectOf(raw)
	if err != nil {
		return nil, false, err
	}
	list, many := members["proposals"]
	if !many {
		return []json.RawMessage{raw}, false, nil
	}
	var faults layer.Faults
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if name != "proposals" {
			faults = append(faults, layer.Fault{At: "/" + escapePointer(name), Detail: geo.Text{
				VI: "bên cạnh proposals không có gì khác", EN: "nothing else stands beside proposals"}})
		}
	}
	if err := json.Unmarshal(list, &bodies); err != nil || bodies == nil {
		faults.Add("/proposals", "proposals phải là một mảng", "proposals must be an array")
	} else if len(bodies) > maxProposals {
		faults.Add("/proposals", "có %d đề nghị, nhiều nhất là %d; hãy chia ra", "there are %d proposals, at most %d are taken; split them", len(bodies), maxProposals)
	}
	if len(faults) > 0 {
		return nil, true, faultsProblem(invalidBody, faults)
	}
	return bodies, true, nil
}
