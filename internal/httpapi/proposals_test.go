package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// fakePermits is a register that knows which step it was asked to take.
type fakePermits struct {
	*fakeStore
	checkedFor account.Viewer
	filed      permit.NewFile
	decided    permit.Decision
	listed     permit.FileQuery
	refusal    error
}

func (s *fakePermits) Proposals(_ context.Context, _ account.Viewer, q permit.FileQuery) ([]permit.File, error) {
	s.listed = q
	return nil, nil
}

func (s *fakePermits) FileProposal(_ context.Context, _ account.Viewer, n permit.NewFile) (int64, error) {
	s.filed = n
	return 7, s.refusal
}

func (s *fakePermits) DecideProposal(_ context.Context, _ account.Viewer, _ int64, d permit.Decision) (permit.FileState, int64, error) {
	s.decided = d
	return permit.Approved, 4, s.refusal
}

// hearingRecorder notes for whom it judges.
type hearingRecorder struct {
	fakePlan
	of *fakePermits
}

func (c hearingRecorder) Judge(ctx context.Context, v account.Viewer, date geo.Date, k permit.Kind, bodies []json.RawMessage) ([]permit.Judged, error) {
	c.of.checkedFor = v
	return c.fakePlan.Judge(ctx, v, date, k, bodies)
}

func (c hearingRecorder) JudgeFiled(ctx context.Context, v account.Viewer, date geo.Date, k permit.Kind, bodies []json.RawMessage) ([]permit.Judged, error) {
	return c.Judge(ctx, v, date, k, bodies)
}

// TestDraftsAreListed: so many, and the way to the others.
func TestDraftsAreListed(t *testing.T) {
	s, h := newFakePermits(t)
	w := do(h, "GET", root+"/proposals/drafts?limit=1", "", asOperator)
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"drafts":[{"collection":"ducts","id":2,`) || !strings.Contains(w.Body.String(), "after=ducts%2F2") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := do(h, "GET", root+"/proposals/drafts?after=ducts/2", "", asOperator); w.Code != 200 || s.calls[len(s.calls)-1] != "Fileable ducts2" || strings.Contains(w.Body.String(), "next") {
		t.Errorf("%d %s %v", w.Code, w.Body, s.calls)
	}
	for _, query := range []string{"?after=ducts", "?after=kiosks/1", "?after=ducts/x", "?limit=0", "?state=draft"} {
		if w := do(h, "GET", root+"/proposals/drafts"+query, "", asOperator); w.Code != 400 {
			t.Errorf("%s: %d", query, w.Code)
		}
	}
}

func newFakePermits(t *testing.T) (*fakePermits, http.Handler) {
	t.Helper()
	s := &fakePermits{fakeStore: &fakeStore{rows: siteRows(t, 2, "x")}}
	c := config(t, s.fakeStore)
	c.Accounts, c.Recorder = s, hearingRecorder{of: s}
	return s, apiWith(t, c).router()
}

const asOperator, decisionsPath = "Authorization: Bearer operator", root + "/proposals/1/decisions"

func TestStepsAreRead(t *testing.T) {
	s, h := newFakePermits(t)
	body := `{"action": "answer", "revision": 3, "agency": "SXD", "answer": "agreed", "reasons": " ổn ", "document_number": "12/CV", "document_date": "2026-01-05"}`
	w := do(h, "POST", decisionsPath, body, asOfficer, "Content-Type: application/json")
	if got := decode(t, w); w.Code != 200 || got["state"] != "approved" || got["revision"] != 4.0 || w.Header().Get("ETag") == "" {
		t.Fatalf("%d %v", w.Code, got)
	}
	want := permit.Decision{Action: permit.AnswerFor, Revision: 3, Agency: "SXD", Answer: "agreed", Reasons: "ổn", DocumentNumber: "12/CV", DocumentDate: geo.NewDate(2026, 1, 5)}
	if diff := cmp.Diff(fmt.Sprintf("%+v", want), fmt.Sprintf("%+v", s.decided)); diff != "" {
		t.Errorf("the step (-want +got)\n%s", diff)
	}
	tag := do(h, "GET", root+"/proposals/1", "", asOfficer).Header().Get("ETag")
	if w = do(h, "POST", decisionsPath, `{"action": "approve"}`, asOfficer, "Content-Type: application/json", "If-Match: "+tag); w.Code != 200 || s.decided.Revision != 3 {
		t.Errorf("If-Match %s: %d, decided on %d", tag, w.Code, s.decided.Revision)
	}
	for body, want := range map[string]string{
		`{"action": "fly"}`: "/action", `{}`: "/action", `{"action": "refuse", "reasons": " "}`: "/reasons", `{"action": "refuse", "reasons": "\u200b"}`: "/reasons", `{"action": "ask_more"}`: "/reasons", `{"action": "consult"}`: "/agencies",
		`{"action": "answer", "answer": "maybe"}`: "/answer", `{"action": "approve", "document_date": "x"}`: "/document_date", `{"action": "approve", "colour": "x"}`: "/colour",
		`{"action": "refuse", "reasons": "` + strings.Repeat("x", permit.MaxReasonsRunes+1) + `"}`: "/reasons",
	} {
		if w := do(h, "POST", decisionsPath, body, asOfficer, "Content-Type: application/json"); w.Code != 400 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%.60s: %d %s", body, w.Code, w.Body)
		}
	}
	for _, tt := range []struct {
		err  error
		want int
	}{{layer.ErrStale, 412}, {layer.ErrForbidden, 403}, {layer.ErrConflict, 409}, {layer.ErrNotFound, 404}, {&permit.RefusedError{Detail: geo.Text{VI: "x", EN: "consent"}}, 409}, {&layer.FiledError{}, 409}, {&layer.FiledError{Proposal: 7, Step: true}, 409}} {
		s.refusal = tt.err
		if w := do(h, "POST", decisionsPath, `{"action": "approve"}`, asOfficer, "Content-Type: application/json"); w.Code != tt.want {
			t.Errorf("%v: %d, want %d", tt.err, w.Code, tt.want)
		}
	}
}

func TestProposalsAreListedInAnOrder(t *testing.T) {
	s, h := newFakePermits(t)
	for query, want := range map[string]int{"": 200, "?sortby=-filed_at": 200, "?sortby=due_on": 200, "?sortby=": 400, "?sortby=title": 400} {
		w := do(h, "GET", root+"/proposals"+query, "", asOfficer)
		if w.Code != want || w.Code == 400 && !strings.Contains(w.Body.String(), `"sortby"`) || s.listed.ByDeadline != (query == "?sortby=due_on") {
			t.Errorf("%q: %d %s, asked %+v", query, w.Code, w.Body, s.listed)
		}
		s.listed = permit.FileQuery{}
	}
}

func TestWhatIsFiledIsChecked(t *testing.T) {
	s, h := newFakePermits(t)
	w := do(h, "POST", root+"/proposals", `{"title": "Cột", "features": [{"collection": "bts_sites", "id": 1}]}`, asOperator, "Content-Type: application/json")
	var verdict struct {
		Verdict  string           `json:"verdict"`
		Features []map[string]any `json:"features"`
	}
	if err := json.Unmarshal(s.filed.Verdict, &verdict); w.Code != 201 || err != nil || verdict.Verdict == "" || len(verdict.Features) != 1 || s.filed.Features[0].Revision == 0 {
		t.Errorf("%d %s; filed %+v, %s, %v", w.Code, w.Body, s.filed, s.filed.Verdict, err)
	}
	// All of the organisation and whoever is asked read it: it is made of what each of them sees.
	do(h, "POST", root+"/proposals", `{"title": "Cột", "features": [{"collection": "bts_sites", "id": 1}]}`, "Authorization: Bearer operator and officer", "Content-Type: application/json")
	if v := s.checkedFor; !v.Known() || v.Organisation != "" || len(v.Grants) > 0 {
		t.Errorf("what one who is an officer too files is checked for %+v", v)
	}
	for body, want := range map[string]string{`{"features": [{"collection": "bts_sites", "id": 1}]}`: "/title", `{"title": "x"}`: "/features",
		`{"title": "x", "features": [{"collection": "bts_sites", "id": 1}, {"collection": "bts_sites", "id": 1}]}`: "/features/1"} {
		if w := do(h, "POST", root+"/proposals", body, asOperator, "Content-Type: application/json"); w.Code != 400 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	if w := do(h, "POST", root+"/proposals", `{"title": "x", "features": [{"collection": "bts_sites", "id": 1}]}`, asOfficer, "Content-Type: application/json"); w.Code != 403 {
		t.Errorf("an officer files: %d", w.Code)
	}
}

func TestProposalsAtTheirLimits(t *testing.T) {
	_, h := newFakePermits(t)
	list := func(n int, one func(i int) string) string {
		all := make([]string, n)
		for i := range all {
			all[i] = one(i)
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	text := func(i int) string { return fmt.Sprintf("%q", fmt.Sprint("x", i)) }
	for _, tt := range []struct {
		path, as, at string
		most         int
		body         func(n int) string
		ok           int
	}{
		{root + "/proposals", asOperator, "/features", permit.MaxFiled, func(n int) string {
			return `{"title": "x", "features": ` + list(n, func(i int) string { return fmt.Sprintf(`{"collection": "bts_sites", "id": %d}`, i+1) }) + `}`
		}, 201},
		{decisionsPath, asOfficer, "/conditions", permit.MaxConditions, func(n int) string { return `{"action": "approve", "conditions": ` + list(n, text) + `}` }, 200},
		{decisionsPath, asOfficer, "/agencies", permit.MaxAgencies, func(n int) string { return `{"action": "consult", "agencies": ` + list(n, text) + `}` }, 200},
	} {
		for n, want := range map[int]int{tt.most - 1: tt.ok, tt.most: tt.ok, tt.most + 1: 400} {
			if w := do(h, "POST", tt.path, tt.body(n), tt.as, "Content-Type: application/json"); w.Code != want || want == 400 && !strings.Contains(w.Body.String(), tt.at) {
				t.Errorf("%s, %d: %d %s", tt.at, n, w.Code, w.Body)
			}
		}
	}
}

func TestABlankConditionIsNone(t *testing.T) {
	_, h := newFakePermits(t)
	for body, at := range map[string]string{`{"action": "refuse", "reasons": "x", "conditions": ["y"]}`: "/conditions", `{"action": "approve", "agencies": ["SXD"]}`: "/agencies", `{"action": "approve", "attachment": 1}`: "/attachment"} {
		if w := do(h, "POST", decisionsPath, body, asOfficer, "Content-Type: application/json"); w.Code != 400 || !strings.Contains(w.Body.String(), `"`+at+`"`) {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	w := do(h, "POST", decisionsPath, `{"action": "approve", "conditions": ["sơn phản quang", " \u00a0"]}`, asOfficer, "Content-Type: application/json")
	if w.Code != 400 || !strings.Contains(w.Body.String(), `"/conditions/1"`) || strings.Contains(w.Body.String(), `"/conditions/0"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
