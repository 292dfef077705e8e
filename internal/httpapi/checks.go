package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

const (
	// maxProposals is how many proposals one request may hold in JSON. Rows of CSV and
	// GeoJSON are not counted.
	maxProposals = 10000
	// maxNearest is how many where the nearest places are asked for, each of which may
	// take half a second.
	maxNearest = 100
	// lightBody is how long the body of a proposal may be that takes no turn. The longest
	// that says all it can is a fifth of that.
	lightBody = 4 << 10
)

// placementChecks judges one proposal, or many, or a stream of rows. A single one
// that is not valid is a 400; among many its problem stands in its place.
func (a *api) placementChecks(w http.ResponseWriter, r *request) error {
	question, err := a.question(r)
	if err != nil {
		return err
	}
	if kind := rowsOf(r.Request); kind != nil {
		return a.checkRows(w, r, kind, question)
	}
	if !acceptable(r.Header.Get("Accept"), jsonType) {
		return problem(notAcceptable, "Đề nghị gửi bằng JSON được trả lời bằng JSON.", "Proposals in JSON are answered in JSON.")
	}
	room := rooms.Get().(*room)
	defer room.giveBack()
	if err := room.answer(a, w, r, question); err != nil {
		return err
	}
	w.Header()["Cache-Control"] = noStore
	send(w, r, typeJSON, room.out)
	return nil
}

// question reads the parameters of checks, and reports all their faults.
func (a *api) question(r *request) (permit.Question, error) {
	q := permit.Question{Viewer: r.viewer, Date: a.ReferenceDate()}
	if r.URL.RawQuery == "" {
		return q, nil
	}
	var faults layer.Faults
	var ok bool
	if q.Detail, ok = permit.ParseDetail(r.values.Get("detail")); !ok {
		faults.Add("detail", "detail phải là verdict, findings hoặc full", "detail must be verdict, findings or full")
	}
	q.KnownAt = a.knownAtIn(r.values, &faults)
	if against := r.values.Get(againstName); against != "" {
		if q.EachOther = against == "each_other"; !q.EachOther {
			faults.Add(againstName, "against phải là each_other", "against must be each_other")
		}
	}
	if within := r.values.Get(nearestName); within != "" {
		if q.NearestM, ok = permit.ParseNearestM(within); !ok {
			faults.Add(nearestName, "nearest_within_m phải là một số mét lớn hơn 0, nhiều nhất là %.0f", "nearest_within_m must be a number of metres above 0, at most %.0f", zoning.MaxNearestM)
		} else if rowsOf(r.Request) != nil {
			faults.Add(nearestName, "nearest_within_m chỉ dùng cho đề nghị gửi bằng JSON", "nearest_within_m goes with proposals in JSON")
		}
	}
	if len(faults) > 0 {
		return q, faultsProblem(invalidParameter, faults)
	}
	return q, nil
}

// nearestName is the parameter that has the nearest place looked for where the same mast
// may stand.
const nearestName = "nearest_within_m"

// againstName is the parameter that has proposals checked against each other.
const againstName = "against"

// noStore is shared by all answers; nobody appends to it.
var noStore = []string{"no-store"}

// room is memory for a body and an answer, used again by later requests.
type room struct{ in, out []byte }

// mostKept is the largest room that is kept, bytes.
const mostKept = 1 << 20

var rooms = sync.Pool{New: func() any { return new(room) }}

func (m *room) giveBack() {
	if cap(m.in) <= mostKept && cap(m.out) <= mostKept {
		m.in, m.out = m.in[:0], m.out[:0]
		rooms.Put(m)
	}
}

// answer reads and judges, in a turn where that is work.
func (m *room) answer(a *api, w http.ResponseWriter, r *request, q permit.Question) (err error) {
	if m.in, err = appendBody(m.in[:0], w, r); err != nil {
		return err
	}
	list := bytes.Contains(m.in, []byte(`"proposals"`))
	if list || len(m.in) > lightBody || !q.KnownAt.IsZero() || q.NearestM > 0 {
		leave, err := a.limits.enterHeavy(r.viewer, r.Request)
		if err != nil {
			return err
		}
		defer leave()
	}
	return m.judge(a, r, q, list)
}

// judge judges what was read. One proposal that is in order is judged as it stands;
// every other body is looked into first.
func (m *room) judge(a *api, r *request, q permit.Question, list bool) (err error) {
	var invalid *layer.InvalidError
	if !list {
		m.out, err = a.Checker.AppendAnswer(r.Context(), q, m.out[:0], m.in)
		if !errors.As(err, &invalid) {
			return err
		}
	}
	members, err := objectIn(m.in)
	if err != nil {
		return err
	}
	if _, many := members["proposals"]; !many && invalid != nil {
		return faultsProblem(invalidBody, invalid.Faults)
	}
	bodies, many, err := proposalsOf(m.in, members)
	if err != nil {
		return err
	}
	if q.NearestM > 0 && len(bodies) > maxNearest {
		var faults layer.Faults
		faults.Add("/proposals", "có %d đề nghị, nhiều nhất là %d khi hỏi nơi gần nhất", "there are %d proposals, at most %d are taken where the nearest places are asked for", len(bodies), maxNearest)
		return faultsProblem(invalidBody, faults)
	}
	answers, err := a.Checker.Answers(r.Context(), q, bodies)
	if err != nil {
		return err
	}
	if len(answers) != len(bodies) {
		return fmt.Errorf("the checker gave %d answers to %d proposals", len(answers), len(bodies))
	}
	if !many {
		m.out = append(m.out[:0], answers[0].Answer...)
		if invalid := answers[0].Invalid; invalid != nil {
			return faultsProblem(invalidBody, invalid.Faults)
		}
		return nil
	}
	m.out, err = appendResults(m.out[:0], answers, r.language())
	return err
}

// objectIn reads the members of the object that a body must be.
func objectIn(body []byte) (map[string]json.RawMessage, error) {
	raw, err := jsonIn(body)
	if err != nil {
		return nil, err
	}
	return objectOf(raw)
}

// appendResults puts the problem of each proposal that is not valid in its place, and a
// summary behind them.
func appendResults(dst []byte, answers []permit.JSONAnswer, language string) ([]byte, error) {
	dst = append(dst, `{"results":[`...)
	var tally permit.Tally
	for i, answer := range answers {
		tally.Count(answer.Verdict)
		if i > 0 {
			dst = append(dst, ',')
		}
		if answer.Invalid == nil {
			dst = append(dst, answer.Answer...)
			continue
		}
		bad, err := encode(faultsProblem(invalidBody, answer.Invalid.Faults).document(language))
		if err != nil {
			return dst, err
		}
		dst = append(dst, bad...)
	}
	return append(tally.AppendJSON(append(dst, `],"summary":`...)), '}'), nil
}

// proposalsOf splits a body into proposals; many tells the list form.
func proposalsOf(raw json.RawMessage, members map[string]json.RawMessage) (bodies []json.RawMessage, many bool, err error) {
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
		faults.Add("/proposals", "có %d đề nghị, nhiều nhất là %d; hãy chia ra, hoặc gửi bằng CSV hay GeoJSON", "there are %d proposals, at most %d are taken; split them, or send them as CSV or GeoJSON", len(bodies), maxProposals)
	}
	if len(faults) > 0 {
		return nil, true, faultsProblem(invalidBody, faults)
	}
	return bodies, true, nil
}
