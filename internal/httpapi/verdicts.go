package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/papers"
	"hatang/internal/permit"
)

// Recorder judges what is to be recorded, seals it, and makes it again.
type Recorder interface {
	Judge(ctx context.Context, v account.Viewer, date geo.Date, kind permit.Kind, questions []json.RawMessage) ([]permit.Judged, error)
	JudgeFiled(ctx context.Context, v account.Viewer, date geo.Date, kind permit.Kind, questions []json.RawMessage) ([]permit.Judged, error)
	// Together checks the masts of a proposal against each other.
	Together(ctx context.Context, v account.Viewer, date geo.Date, masts []permit.FiledMast) ([]permit.Together, error)
	// Seal signs; permit.ErrNoSigningKey.
	Seal(j permit.Judged, proposal int64, f *permit.RecordFeature) (permit.Record, error)
	Replay(ctx context.Context, r permit.Record) (permit.Replay, error)
}

// Verdicts are those that are recorded.
type Verdicts interface {
	// RecordVerdict keeps one; permit.ErrNoSigningKey where its key is not in use any more.
	RecordVerdict(ctx context.Context, v account.Viewer, r permit.Record) error
	// Verdict returns one by its number, and whether the viewer may see it; ErrNotFound.
	Verdict(ctx context.Context, v account.Viewer, number string) (permit.Record, error)
	// SigningKeys returns all keys there have been, the newest first.
	SigningKeys(ctx context.Context) ([]permit.SigningKey, error)
}

func verdictPath(number string) string { return "/verdicts/" + number }

// recordVerdict judges one question and keeps the verdict.
func (a *api) recordVerdict(w http.ResponseWriter, r *request) error {
	var given struct {
		Placement json.RawMessage `json:"placement_check"`
		Cable     json.RawMessage `json:"cable_check"`
	}
	if err := readDocument(w, r, &given); err != nil {
		return err
	}
	kind, question, at := permit.Placement, given.Placement, "/placement_check"
	if given.Cable != nil {
		kind, question, at = permit.CableKind, given.Cable, "/cable_check"
	}
	var faults layer.Faults
	if (given.Placement == nil) == (given.Cable == nil) {
		faults.Add("", "phải có placement_check hoặc cable_check, và chỉ một", "must have placement_check or cable_check, and not both")
		return faultsProblem(invalidBody, faults)
	}
	judged, err := a.Recorder.Judge(r.Context(), r.viewer, a.ReferenceDate(), kind, []json.RawMessage{question})
	if err != nil {
		return err
	}
	if invalid := judged[0].Invalid; invalid != nil {
		for _, f := range invalid.Faults {
			faults = append(faults, layer.Fault{At: at + f.At, Detail: f.Detail})
		}
		return faultsProblem(invalidBody, faults)
	}
	record, err := a.Recorder.Seal(judged[0], 0, nil)
	if err != nil {
		return err
	}
	if err := a.Accounts.RecordVerdict(r.Context(), r.viewer, record); err != nil {
		return err
	}
	w.Header().Set("Location", a.href(r, verdictPath(judged[0].Number), nil))
	return reply(w, r, http.StatusCreated, record.Document())
}

// seenVerdict returns the verdict of the request's number, where the viewer may see it.
func (a *api) seenVerdict(r *request) (permit.Record, error) {
	number := r.param("verdictNumber")
	if !permit.ValidNumber(number) {
		return permit.Record{}, layer.ErrNotFound
	}
	record, err := a.Accounts.Verdict(r.Context(), r.viewer, number)
	if err == nil && !record.Sees {
		err = layer.ErrNotFound
	}
	return record, err
}

func (a *api) showVerdict(w http.ResponseWriter, r *request) error {
	record, err := a.seenVerdict(r)
	if err != nil {
		return err
	}
	if r.html || r.pdf {
		return a.showVerdictPaper(w, r, record)
	}
	return reply(w, r, http.StatusOK, record.Document())
}

// replayVerdict asks the question again of the register as it was known then.
func (a *api) replayVerdict(w http.ResponseWriter, r *request) error {
	record, err := a.seenVerdict(r)
	if err != nil {
		return err
	}
	again, err := a.Recorder.Replay(r.Context(), record)
	if err != nil {
		return err
	}
	return reply(w, r, http.StatusOK, again)
}

// verification is what anybody is told who knows a number, and behind Signature what is told
// to who brings the code or may see the verdict.
type verification struct {
	Number     string     `json:"number"`
	Valid      bool       `json:"valid"`
	Faults     []geo.Text `json:"faults"`
	RecordedAt time.Time  `json:"recorded_at"`
	Key        string     `json:"key"`
	SHA256     string     `json:"sha256"`
	Signature  string     `json:"signature"`

	Kind     permit.Kind     `json:"kind,omitempty"`
	Verdict  zoning.Verdict  `json:"verdict,omitempty"`
	Date     *geo.Date       `json:"date,omitempty"`
	Question json.RawMessage `json:"question,omitempty"`
}

// verifyVerdict tells anybody whether there is such a verdict and whether its signature holds.
func (a *api) verifyVerdict(w http.ResponseWriter, r *request) error {
	number := r.param("verdictNumber")
	if !permit.ValidNumber(number) {
		return layer.ErrNotFound
	}
	record, err := a.Accounts.Verdict(r.Context(), r.viewer, number)
	if err != nil {
		return err
	}
	keys, err := a.Accounts.SigningKeys(r.Context())
	if err != nil {
		return err
	}
	document := record.Document()
	told := verification{Number: number, Faults: record.Verify(keys), RecordedAt: record.Kept.RecordedAt.UTC(), Key: record.Key, SHA256: document.SHA256, Signature: document.Signature}
	told.Valid = len(told.Faults) == 0
	if body, err := record.Read(); err == nil && (record.Sees || body.Unlocks(r.values.Get("code"))) {
		var answer struct {
			Verdict zoning.Verdict `json:"verdict"`
		}
		if err := json.Unmarshal(body.Answer, &answer); err != nil {
			return err
		}
		told.Kind, told.Verdict, told.Date, told.Question = body.Kind, answer.Verdict, &body.Date, body.Question
	}
	if r.html {
		return a.showVerification(w, r, record, told)
	}
	return reply(w, r, http.StatusOK, told)
}

// showVerification is the page that the code on a paper leads to: it says what was asked, and
// when that was recorded, in the words and the time zone of the paper.
func (a *api) showVerification(w http.ResponseWriter, r *request, record permit.Record, told verification) error {
	page := struct {
		verification
		Asked    []papers.Fact `json:"asked"`
		Recorded string        `json:"recorded"`
	}{verification: told}
	v, err := papers.ReadVerdict(record)
	if err != nil { // of a record that was tampered with the page says that
		page.Recorded = localTime(told.RecordedAt.Format(time.RFC3339), r.language())
		return a.replyPage(w, r, page)
	}
	s, err := a.paperWords(r, v.Province, v.Date)
	if err != nil {
		return err
	}
	if page.Recorded = v.Recorded(&s); told.Question != nil {
		page.Asked = v.Asked(&s)
	}
	return a.replyPage(w, r, page)
}

// showSigningKeys publishes the keys by which anybody verifies, as a JWK set.
func (a *api) showSigningKeys(w http.ResponseWriter, r *request) error {
	keys, err := a.Accounts.SigningKeys(r.Context())
	if err != nil {
		return err
	}
	return a.answer(w, r, typeJSON, map[string]any{"keys": keys})
}
