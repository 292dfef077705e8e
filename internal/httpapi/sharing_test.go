package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/permit"
)

const fakeShare, sharesPath = "S-2026-0000-0000-0000", root + sharingPath

func (s *fakeStore) SharingRequests(_ context.Context, _ account.Viewer, q permit.ShareQuery) ([]permit.ShareRequest, error) {
	return slices.Repeat([]permit.ShareRequest{{Number: fakeShare}}, min(q.Limit, 3)), s.call(fmt.Sprint("SharingRequests ", q.State, q.Organisation, q.Collection, q.From, q.To, q.Overdue, q.After, q.Limit))
}

func (s *fakeStore) SharingRequest(_ context.Context, _ account.Viewer, number string, _ geo.Date) (permit.ShareRequest, error) {
	return permit.ShareRequest{Number: number, Revision: 3}, s.call("SharingRequest")
}

func (s *fakeStore) AskToShare(_ context.Context, _ account.Viewer, n permit.NewShare) error {
	return s.call(fmt.Sprint("AskToShare ", n.Collection, n.Feature, n.Partners, n.Reasons, n.Wanted.Technologies))
}

func (s *fakeStore) DecideShare(_ context.Context, _ account.Viewer, _ string, d permit.ShareDecision) (permit.ShareState, int64, error) {
	return permit.ShareDeclined, 4, s.call(fmt.Sprint("DecideShare ", d.Action, d.Revision, d.Reasons))
}

func (s *fakeStore) SharingFigures(context.Context) ([]permit.SharingFigures, error) {
	return []permit.SharingFigures{}, s.call("SharingFigures")
}

func TestSharingIsRead(t *testing.T) {
	s := &fakeStore{}
	h := apiOf(t, s).router()
	const one = sharesPath + "/" + fakeShare
	const place = `"collection":"ducts","lon":103,"lat":21`
	for _, c := range []struct {
		method, path, body, as string
		status                 int
		want                   string // called with, or in the answer
	}{
		{"GET", sharesPath + "?state=asked&organisation=VNPT&collection=ducts&asked_from=2026-01-01&asked_to=2026-02-01&overdue=true&after=" + fakeShare + "&limit=2", "", asOperator, 200,
			"SharingRequests askedVNPTducts2026-01-01 2026-02-01 true" + fakeShare + "3"},
		{"GET", sharesPath + "?state=x", "", asOperator, 400, "state"}, {"GET", sharesPath + "?collection=roads", "", asOperator, 400, "collection"}, {"GET", sharesPath + "?after=7", "", asOperator, 400, "after"},
		{"GET", sharesPath + "?asked_from=x&asked_to=y", "", asOperator, 400, "asked_to"}, {"GET", sharesPath, "", "", 401, ""},
		{"GET", one, "", asOperator, 200, `"revision":3`}, {"GET", sharesPath + "/S-7", "", asOperator, 404, ""}, {"GET", sharesPath + "/figures", "", "", 200, `"figures":[]`},
		{"POST", sharesPath, `{"feature":{"collection":"bts_sites","id":7},"reasons":" phủ sóng ","wanted":{"technologies":["4G"],"height_m":20,"from":"2026-06-01"}}`, asOperator, 201, "AskToShare bts_sites7 []phủ sóng[4G]"},
		{"POST", sharesPath, `{"together":{` + place + `,"partners":["A","A","B"]},"reasons":"x"}`, asOperator, 201, "AskToShare ducts0 [A B]x[]"},
		{"POST", sharesPath, `{"reasons":"x"}`, asOperator, 400, "feature"}, {"POST", sharesPath, `{"together":{` + place + `,"partners":[]}}`, asOperator, 400, "/together/partners"},
		{"POST", sharesPath, `{"feature":{"collection":"roads","id":0},"wanted":{"fibres":0}}`, asOperator, 400, "/feature/id"}, {"POST", sharesPath, `{"feature":{"collection":"ducts","id":1,"x":1},"reasons":"x"}`, asOperator, 400, "/feature"},
		{"POST", sharesPath, `{"feature":{"collection":"ducts","id":1},"reasons":"x"}`, asOfficer, 403, ""},
		{"POST", one + "/steps", `{"action":"decline","reasons":"hết tải","capacity":{"places":0},"revision":2}`, asOperator, 200, "DecideShare decline2hết tải"},
		{"POST", one + "/steps", `{"action":"accept","capacity":{"places":-1},"agreement":{"shares":[{"organisation":"A","capital_percent":100}]}}`, asOperator, 400, "/capacity/places"},
		{"POST", one + "/steps", `{"action":"accept","agreement":{"shares":[{"organisation":"A","capital_percent":100.001}]}}`, asOperator, 400, "/agreement"},
		{"POST", one + "/steps", `{"action":"withdraw","agreement":{"terms":"x"}}`, asOperator, 400, "/agreement"}, {"POST", one + "/steps", `{"action":"refuse"}`, asOperator, 400, "/reasons"}, {"POST", one + "/steps", `{"action":"fly"}`, asOperator, 400, "/action"},
		{"POST", sharesPath + "/x/steps", `{"action":"withdraw"}`, asOperator, 404, ""},
	} {
		s.calls = nil
		headers := []string{"Content-Type: application/json"}
		if c.as != "" {
			headers = append(headers, c.as)
		}
		w := do(h, c.method, c.path, c.body, headers...)
		if w.Code != c.status || !strings.Contains(w.Body.String()+strings.Join(s.calls, " "), c.want) {
			t.Errorf("%s %s %s: %d %s %v, want %d %q", c.method, c.path, c.body, w.Code, w.Body, s.calls, c.status, c.want)
		}
	}
	// What is wrong is told in the same order each time.
	for path, body := range map[string]string{one + "/steps": `{"action":"withdraw","capacity":{"places":0},"agreement":{"terms":"x"}}`,
		root + "/changes/reverts": `{"request":"x","collection":"kiosks","feature":1,"from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z","who":"x"}`} {
		first := ""
		for range 20 {
			told := fmt.Sprint(decode(t, do(h, "POST", path, body, asOfficer, "Content-Type: application/json"))["errors"])
			if first == "" {
				first = told
			}
			if told != first || !strings.Contains(told, "/") {
				t.Errorf("%s: the faults are told as %s, then as %s", path, first, told)
				break
			}
		}
	}
	list := decode(t, do(h, "GET", sharesPath+"?limit=2", "", asOperator))
	if len(list["sharing_requests"].([]any)) != 2 || len(list["links"].([]any)) != 1 {
		t.Errorf("a page: %v", list)
	}
	step := func(headers ...string) int {
		return do(h, "POST", one+"/steps", `{"action":"withdraw","revision":3}`, append(headers, asOperator, "Content-Type: application/json")...).Code
	}
	tag := do(h, "GET", one, "", asOperator).Header().Get("ETag")
	if got := []int{step(), step("If-Match: " + tag), step(`If-Match: "x"`)}; !slices.Equal(got, []int{http.StatusOK, http.StatusOK, http.StatusPreconditionFailed}) {
		t.Errorf("steps at %s: %v", tag, got)
	}
}

func TestSharingAtItsLimits(t *testing.T) {
	h := apiOf(t, &fakeStore{}).router()
	list := func(n int) string { return strings.TrimSuffix(strings.Repeat(`"%d",`, n), ",") }
	numbered := func(n int) string {
		args := make([]any, n)
		for i := range args {
			args[i] = i
		}
		return fmt.Sprintf(list(n), args...)
	}
	for name, of := range map[string]struct {
		most int
		body func(n int) string
	}{
		"/together/partners": {permit.MaxPartners, func(n int) string {
			return `{"together":{"collection":"ducts","lon":103,"lat":21,"partners":[` + numbered(n) + `]},"reasons":"x"}`
		}},
		"/wanted/technologies": {permit.MaxTechnologies, func(n int) string {
			return `{"feature":{"collection":"ducts","id":1},"reasons":"x","wanted":{"technologies":[` + numbered(n) + `]}}`
		}},
		"/wanted/fibres": {permit.MaxShared, func(n int) string {
			return fmt.Sprintf(`{"feature":{"collection":"ducts","id":1},"reasons":"x","wanted":{"fibres":%d}}`, n)
		}},
		"/reasons": {permit.MaxReasonsRunes, func(n int) string {
			return `{"feature":{"collection":"ducts","id":1},"reasons":"` + strings.Repeat("đ", n) + `"}`
		}},
	} {
		for n, want := range map[int]int{of.most - 1: 201, of.most: 201, of.most + 1: 400} {
			w := do(h, "POST", sharesPath, of.body(n), asOperator, "Content-Type: application/json")
			if w.Code != want || want == 400 && !strings.Contains(w.Body.String(), name) {
				t.Errorf("%s of %d: %d %s", name, n, w.Code, w.Body)
			}
		}
	}
}
