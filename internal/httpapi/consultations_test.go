package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// fakeAgency is a register with consultations that knows what it was asked to do.
type fakeAgency struct {
	*fakeStore
	list    []account.Consultation
	query   account.ConsultationQuery
	asked   account.NewConsultation
	changed account.ConsultationChange
}

func (s *fakeAgency) Consultations(_ context.Context, _ account.Viewer, q account.ConsultationQuery) ([]account.Consultation, error) {
	s.query = q
	return s.list[:min(q.Limit, len(s.list))], s.err
}

func (s *fakeAgency) Consultation(_ context.Context, _ account.Viewer, id int64) (account.Consultation, error) {
	for _, c := range s.list {
		if c.ID == id {
			return c, s.err
		}
	}
	return account.Consultation{}, layer.ErrNotFound
}

func (s *fakeAgency) AskAgency(_ context.Context, _ account.Viewer, n account.NewConsultation) (int64, error) {
	s.asked = n
	return 77, s.err
}

func (s *fakeAgency) ChangeConsultation(_ context.Context, _ account.Viewer, _ int64, c account.ConsultationChange) error {
	s.changed = c
	return s.err
}

func newFakeAgency(t *testing.T, n int) (*fakeAgency, http.Handler) {
	t.Helper()
	s := &fakeAgency{fakeStore: &fakeStore{}}
	for i := range n {
		s.list = append(s.list, account.Consultation{ID: int64(i + 1), Collection: "bts_sites", Feature: 5, Agency: "SXD", State: account.Open, AskedBy: "key:o", AskedAt: time.Unix(0, 0).UTC()})
	}
	c := config(t, s.fakeStore)
	c.Accounts = s
	return s, apiWith(t, c).router()
}

const consultationsPath = root + "/consultations"

func TestConsultationsAreListedInPages(t *testing.T) {
	s, h := newFakeAgency(t, 3)
	w := do(h, "GET", consultationsPath+"?limit=2&state=open&collection=bts_sites", "", asOfficer)
	list := decode(t, w)
	found, _ := list["consultations"].([]any)
	if w.Code != 200 || len(found) != 2 || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v %v", w.Code, w.Header(), list)
	}
	next := linkTo(list, "next")
	if !strings.Contains(next, "after=2") || !strings.Contains(next, "state=open") || !strings.Contains(next, "limit=2") || !strings.Contains(next, "collection=bts_sites") {
		t.Errorf("the next page is at %q", next)
	}
	first, _ := found[0].(map[string]any)
	for name, want := range map[string]any{"id": 1.0, "collection": "bts_sites", "feature": 5.0, "agency": "SXD", "state": "open", "asked_by": "key:o", "asked_at": "1970-01-01T00:00:00Z",
		"due_on": nil, "answer": nil, "answered_by": nil, "answered_at": nil, "note": nil, "withdrawn_at": nil} {
		if got, ok := first[name]; !ok || got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if about := linkTo(first, "about"); !strings.HasSuffix(about, itemsPath+"/5") {
		t.Errorf("it is about %q", about)
	}
	if d := cmp.Diff(account.ConsultationQuery{State: account.Open, Collection: "bts_sites", Limit: 3}, s.query); d != "" {
		t.Error(d)
	}
	if last := decode(t, do(h, "GET", consultationsPath+"?after=1", "", asOfficer)); linkTo(last, "next") != "" || s.query.Limit != 101 || s.query.After != 1 {
		t.Errorf("%v, asked %+v", last, s.query)
	}
	w = do(h, "GET", consultationsPath+"?state=over&collection=none&limit=0&after=x&page=2", "", asOfficer)
	if w.Code != 400 {
		t.Errorf("bad parameters: %d", w.Code)
	}
	w = do(h, "GET", consultationsPath+"?state=over&collection=none&limit=0&after=x", "", asOfficer)
	if faults, _ := decode(t, w)["errors"].([]any); len(faults) != 4 {
		t.Errorf("not all faults at once: %s", w.Body)
	}
	for path, want := range map[string]int{"/2": 200, "/4": 404, "/x": 404, "/0": 404} {
		if w := do(h, "GET", consultationsPath+path, "", asOfficer); w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestAgenciesAreAsked(t *testing.T) {
	s, h := newFakeAgency(t, 0)
	w := do(h, "POST", consultationsPath, `{"collection":"bts_sites","feature":281474976710657,"agency":"SXD","due_on":"2026-02-01"}`, asOfficer, "Content-Type: application/json")
	if w.Code != 201 || !strings.HasSuffix(w.Header().Get("Location"), consultationsPath+"/77") {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	want := account.NewConsultation{Collection: "bts_sites", Feature: 281474976710657, Agency: "SXD", DueOn: geo.NewDate(2026, 2, 1), Today: geo.NewDate(2026, 1, 2)}
	if s.asked != want {
		t.Errorf("asked %+v", s.asked)
	}
	for name, bad := range map[string]struct {
		body   string
		err    error
		status int
		at     string
	}{
		"types":   {`{"collection":1,"feature":"x","agency":[],"due_on":"x","more":1}`, nil, 400, `/agency /collection /feature /more`},
		"a date":  {`{"collection":"x","feature":1,"agency":"a\u0000","due_on":"31.12.2026"}`, nil, 400, `/due_on /agency`},
		"twice":   {`{"collection":"x","feature":1,"agency":"a"}`, layer.ErrConflict, 409, ""},
		"beyond":  {`{"collection":"x","feature":1,"agency":"a"}`, layer.ErrForbidden, 403, ""},
		"faults":  {`{"collection":"x","feature":1,"agency":"a"}`, &layer.InvalidError{Faults: layer.Faults{{At: "/feature"}, {At: "/agency"}}}, 400, "/feature /agency"},
		"no JSON": {`{`, nil, 400, ""},
	} {
		s.err = bad.err
		w := do(h, "POST", consultationsPath, bad.body, asOfficer, "Content-Type: application/json")
		if w.Code != bad.status || pointers(t, w.Body.String()) != bad.at {
			t.Errorf("%s: %d at %q: %s", name, w.Code, pointers(t, w.Body.String()), w.Body)
		}
	}
	s.err = nil
	for header, want := range map[string]int{"": 401, "Authorization: Bearer operator": 403, "Authorization: Bearer administrator": 201} {
		if w := do(h, "POST", consultationsPath, `{"collection":"x","feature":1,"agency":"a"}`, header, "Content-Type: application/json"); w.Code != want {
			t.Errorf("%q: %d", header, w.Code)
		}
	}
}

// pointers are where a problem says that the faults are.
func pointers(t *testing.T, body string) string {
	t.Helper()
	var at []string
	for _, part := range strings.Split(body, `"pointer":"`)[1:] {
		pointer, _, _ := strings.Cut(part, `"`)
		at = append(at, pointer)
	}
	return strings.Join(at, " ")
}

func TestConsultationsTakeOneStepAtATime(t *testing.T) {
	s, h := newFakeAgency(t, 1)
	due, never := geo.NewDate(2026, 2, 1), geo.Date{}
	patch := func(body string) (int, string) {
		w := do(h, "PATCH", consultationsPath+"/1", body, asOfficer, "Content-Type: application/merge-patch+json")
		return w.Code, pointers(t, w.Body.String())
	}
	for body, want := range map[string]account.ConsultationChange{
		`{"answer":"agreed"}`:                           {Answer: "agreed"},
		`{"answer":"objected","note":"  quá gần  "}`:    {Answer: "objected", Note: "quá gần"},
		`{"state":"withdrawn"}`:                         {Withdraw: true},
		`{"due_on":"2026-02-01"}`:                       {DueOn: &due},
		`{"due_on":null}`:                               {DueOn: &never},
		`{"answer":"no_remark","note":"","state":null}`: {Answer: "no_remark"},
	} {
		if status, _ := patch(body); status != 204 || !cmp.Equal(s.changed, want, cmp.Comparer(func(a, b geo.Date) bool { return a == b })) {
			t.Errorf("%s: %d, %+v", body, status, s.changed)
		}
	}
	for body, at := range map[string]string{
		`{}`: "", `{"answer":"agreed","state":"withdrawn"}`: "", `{"answer":"yes"}`: "/answer", `{"state":"open"}`: "/state", `{"state":"answered"}`: "/state",
		`{"due_on":"2026-01-01"}`: "/due_on", `{"due_on":7}`: "/due_on", `{"state":"withdrawn","note":"x"}`: "/note", `{"agency":"SXD"}`: "/agency",
		fmt.Sprintf(`{"answer":"agreed","note":%q}`, strings.Repeat("x", 4001)):    "/note",
		`{"answer":"yes","note":"` + strings.Repeat("x", 4001) + `","due_on":"x"}`: "/answer /due_on  /note",
	} {
		if status, got := patch(body); status != 400 || got != at {
			t.Errorf("%.80s: %d at %q, want %q", body, status, got, at)
		}
	}
	for err, want := range map[error]int{layer.ErrForbidden: 403, layer.ErrConflict: 409, layer.ErrNotFound: 404, layer.ErrUnavailable: 503} {
		s.err = err
		if status, _ := patch(`{"answer":"agreed"}`); status != want {
			t.Errorf("%v: %d", err, status)
		}
	}
}

// Half an hour after midnight the day before is past, though UTC has it still.
func TestAQuestionIsDueOnADayOfThePlace(t *testing.T) {
	s := &fakeAgency{fakeStore: &fakeStore{}, list: []account.Consultation{{ID: 1, Collection: "bts_sites", Feature: 5, Agency: "SXD", State: account.Open}}}
	c := config(t, s.fakeStore)
	c.Accounts, c.Zone = s, time.FixedZone("", 7*3600)
	for now, today := range map[time.Time]geo.Date{
		time.Date(2026, 3, 2, 23, 30, 0, 0, c.Zone): geo.NewDate(2026, 3, 2), time.Date(2026, 3, 3, 0, 30, 0, 0, c.Zone): geo.NewDate(2026, 3, 3),
	} {
		c.Now = now.UTC
		h := apiWith(t, c).router()
		if w := do(h, "POST", consultationsPath, `{"collection":"bts_sites","feature":5,"agency":"SXD"}`, asOfficer, "Content-Type: application/json"); w.Code != http.StatusCreated || s.asked.Today != today {
			t.Errorf("at %s: %d, asked on %s", now, w.Code, s.asked.Today)
		}
		want := map[bool]int{true: http.StatusNoContent, false: http.StatusBadRequest}[today == geo.NewDate(2026, 3, 2)]
		if w := do(h, "PATCH", consultationsPath+"/1", `{"due_on":"2026-03-02"}`, asOfficer, "Content-Type: application/merge-patch+json"); w.Code != want {
			t.Errorf("at %s, due on 2 March: %d %s", now, w.Code, w.Body)
		}
	}
}
