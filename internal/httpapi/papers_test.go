package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/permit"
	"hatang/internal/plan"
)

// decidedStore has a decision on a mast.
type decidedStore struct{ *fakeStore }

func (s decidedStore) DecisionOf(_ context.Context, _ account.Viewer, number string) (permit.RegisteredDecision, error) {
	return permit.RegisteredDecision{Number: number, Outcome: permit.Approved, DecidedOn: geo.NewDate(2026, 11, 29), Organisation: "VNPT", Conditions: []string{"a <b> & c"},
		Features: []permit.DecidedFeature{{Collection: "bts_sites", ID: 1, Code: "X-1", Status: "planned"}, {Collection: "bts_sites", ID: 99, Code: "X-99", Status: "planned"}}}, s.call("DecisionOf")
}

func (s decidedStore) SharingFigures(context.Context) ([]permit.SharingFigures, error) {
	median, most, owner := 2.5, 12, "VNPT"
	return []permit.SharingFigures{{Year: 2020, Requests: 3, Outcomes: map[permit.ShareState]int{permit.ShareAgreed: 2, permit.ShareAsked: 1}, Answered: 2, MedianDay: &median, MostDays: &most},
		{Year: 2020, Owner: &owner, Requests: 1, Outcomes: map[permit.ShareState]int{permit.ShareAsked: 1}}}, s.call("SharingFigures")
}

// The public counts of sharing are a page, with a column for each outcome.
func TestSharingFiguresAreAPage(t *testing.T) {
	c := config(t, &fakeStore{})
	c.Accounts = decidedStore{&fakeStore{}}
	for language, want := range map[string][]string{"vi": {"Đã thỏa thuận", "không nêu tên", "<td>2,5</td><td>12</td>"}, "en": {"Agreed", "not named", "<td>2.5</td><td>12</td>", "<td>VNPT</td>"}} {
		page := do(apiWith(t, c).router(), "GET", root+"/sharing-requests/figures?f=html&lang="+language, "").Body.String()
		for _, text := range want {
			if !strings.Contains(page, text) {
				t.Errorf("%s lacks %q:\n%s", language, text, page)
			}
		}
	}
}

// A paper is had by f or by Accept, and JSON by whoever asks for nothing.
func TestPapersAreNegotiated(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 2, "x")}
	c := config(t, s)
	c.Accounts = decidedStore{s}
	h := apiWith(t, c).router()
	const decision = root + "/decisions/2026-0001"
	for _, tt := range []struct{ target, accept, mediaType, cache string }{
		{decision, "", typeJSON, "public, no-cache"}, {decision, "*/*", typeJSON, "public, no-cache"}, {decision, "application/pdf", typePDF, "public, no-cache"},
		{decision, "application/pdf;q=0.5, application/json", typeJSON, "public, no-cache"}, {decision, firefox, typePage, "public, no-cache"}, {decision, chromium, typePage, "public, no-cache"},
		{decision + "?f=pdf", firefox, typePDF, "public, no-cache"}, {decision + "?f=html&lang=vi", "application/pdf", typePage, "public, no-cache"}, {decision + "?f=json", "application/pdf", typeJSON, "public, no-cache"},
		{oneVerdict, "application/pdf", typePDF, "no-store"}, {oneVerdict + "?f=html", "", typePage, "no-store"}, {oneVerdict + "?lang=vi", "", typeJSON, "no-store"},
		{oneVerdict + "/verification", firefox, typePage, "no-store"}, {oneVerdict + "/verification?f=json", firefox, typeJSON, "no-store"}, {root + "/decisions", firefox, typePage, "public, no-cache"}, {root + "/sharing-requests/figures", firefox, typePage, "public, no-cache"}, {root + "/sharing-requests/figures?f=json", firefox, typeJSON, "public, no-cache"},
	} {
		headers := []string{"Accept: " + tt.accept}
		if strings.HasPrefix(tt.target, oneVerdict) && !strings.Contains(tt.target, "verification") {
			headers = append(headers, asOperator)
		}
		w := do(h, "GET", tt.target, "", headers...)
		if w.Code != 200 || w.Header().Get("Content-Type") != tt.mediaType || w.Header().Get("Cache-Control") != tt.cache {
			t.Errorf("%s with %q: %d %s, %s: %.200s", tt.target, tt.accept, w.Code, w.Header().Get("Content-Type"), w.Header().Get("Cache-Control"), w.Body)
		}
		if tt.mediaType == typePDF && !strings.HasPrefix(w.Body.String(), "%PDF-") {
			t.Errorf("%s is no PDF: %.20q", tt.target, w.Body)
		}
		if tt.mediaType == typePage {
			if faults := faultsOf(t, w.Body.Bytes(), w.Header().Get("Content-Language")); len(faults) > 0 {
				t.Errorf("%s: %v", tt.target, faults)
			}
		}
	}
	for target, want := range map[string]int{decision + "?f=xlsx": 400, decision + "?lang=fr": 400, decision + "?x=1": 400, root + "/decisions?f=pdf": 400, root + "/decisions?year=": 400} {
		if w := do(h, "GET", target, ""); w.Code != want {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
	if w := do(h, "GET", decision, "", "Accept: image/png"); w.Code != 406 {
		t.Errorf("as a picture: %d", w.Code)
	}
	w := do(h, "HEAD", decision+"?f=pdf", "")
	if w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") == "" || w.Header().Get("ETag") == "" {
		t.Errorf("HEAD: %d, %v", w.Code, w.Header())
	}
}

// headless knows no heading of papers.
type headless struct{ decidedStore }

func (headless) PaperHeading(context.Context, string, geo.Date) (plan.Heading, error) {
	return plan.Heading{}, errors.New("secret: the plan is gone")
}

// What a paper cannot be made of is an error of the server, and says nothing of why.
func TestPapersFail(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 2, "x")}
	c := config(t, s)
	c.Accounts = headless{decidedStore{s}}
	h := apiWith(t, c).router()
	for _, target := range []string{oneVerdict + "?f=pdf", root + "/decisions/1?f=html"} {
		if w := do(h, "GET", target, "", asOperator); w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	s.rows[0].Geometry = []byte("no geometry")
	c.Accounts = decidedStore{s}
	if w := do(apiWith(t, c).router(), "GET", root+"/decisions/1?f=html", ""); w.Code != http.StatusInternalServerError {
		t.Errorf("a row without a readable geometry: %d", w.Code)
	}
}

// Heights are left aside, and what is no geometry is refused.
func TestGeometryOfPapers(t *testing.T) {
	for _, raw := range [][]byte{nil, {1}, {1, 9, 9, 9, 9, 0}, {0, 0x80, 0, 0, 1, 0}} {
		if g, err := geometryOf(raw); err == nil {
			t.Errorf("%v is read as %v", raw, g)
		}
	}
}
