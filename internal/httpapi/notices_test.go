package httpapi

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"hatang/internal/account"
)

func TestWebhooksAreSet(t *testing.T) {
	s := &fakeStore{}
	h := handlerOf(t, s)
	const administrator, path = "Authorization: Bearer administrator", root + "/webhooks/VNPT"
	put := func(url string) (int, string) {
		w := do(h, "PUT", path, `{"url": "`+url+`"}`, administrator, "Content-Type: application/json")
		secret, _ := decode(t, w)["secret"].(string)
		return w.Code, secret
	}
	code, first := put("https://vnpt.example.vn/told?x=1")
	_, second := put("https://vnpt.example.vn/told?x=1")
	if raw, err := base64.StdEncoding.DecodeString(second); code != 200 || err != nil || len(raw) != 32 || string(raw) != string(s.received) || first == second || !slices.Contains(s.calls, "SetWebhook VNPT https://vnpt.example.vn/told?x=1") {
		t.Errorf("%d: %q, %q; kept %x, %v", code, first, second, s.received, err)
	}
	long := "https://example.vn/" + strings.Repeat("x", maxWebhookBytes)
	for _, url := range []string{"", "http://example.vn/", "https://", "https:///x", "example.vn", "https://u:p@example.vn/", "https://example.vn/#x", "https://exa mple.vn/", "ftp://example.vn/", long} {
		if code, _ := put(url); code != 400 {
			t.Errorf("%.40s: %d", url, code)
		}
	}
	if code, _ := put(long[:maxWebhookBytes]); code != 200 {
		t.Errorf("an address at its limit: %d", code)
	}
	if code, _ := put("HTTPS://vnpt.example.vn/"); code != 200 || !slices.Contains(s.calls, "SetWebhook VNPT https://vnpt.example.vn/") {
		t.Errorf("in capitals: %d %v", code, s.calls)
	}
	if w := do(h, "DELETE", path, "", administrator); w.Code != 204 || !slices.Contains(s.calls, "RemoveWebhook VNPT") {
		t.Errorf("removed: %d %v", w.Code, s.calls)
	}
	if w := do(h, "GET", root+"/webhooks", "", administrator); w.Code != 200 || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("listed: %d %s", w.Code, w.Body)
	}
}

func TestNoticesAreListed(t *testing.T) {
	s := &fakeStore{}
	h := handlerOf(t, s)
	const administrator = "Authorization: Bearer administrator"
	w := do(h, "GET", root+"/notices?limit=1&state=failed", "", administrator)
	links, _ := decode(t, w)["links"].([]any)
	if w.Code != 200 || s.limit != 2 || len(links) != 1 || !strings.Contains(w.Body.String(), "after=2") || !slices.Contains(s.calls, "SentNotices failed") {
		t.Errorf("%d %s; asked for %d", w.Code, w.Body, s.limit)
	}
	for _, query := range []string{"?state=lost", "?limit=0", "?after=x", "?kind=filed"} {
		if w := do(h, "GET", root+"/notices"+query, "", administrator); w.Code != 400 {
			t.Errorf("%s: %d", query, w.Code)
		}
	}
	for path, want := range map[string]int{"/notices/1/attempts": 204, "/notices/2/attempts": 409, "/notices/0/attempts": 404, "/notices/x/attempts": 404, "/notices/1/attempts?x=1": 400} {
		if w := do(h, "POST", root+path, "", administrator); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	if list, again := do(h, "GET", root+"/notices", "", asOfficer), do(h, "POST", root+"/notices/1/attempts", "", asOfficer); list.Code != 403 || again.Code != 403 {
		t.Errorf("an officer: %d %d", list.Code, again.Code)
	}
}

// signedInStore has somebody signed in.
type signedInStore struct {
	*fakeStore
	changed account.PersonChange
	whose   int64
}

func (s *signedInStore) SessionViewer(context.Context, string) (account.Session, error) {
	return account.Session{Viewer: account.Viewer{Name: "person:lan", Person: 5}, Login: "lan", Email: "lan@example.vn", Notices: true, Language: "vi"}, nil
}

func (s *signedInStore) ChangePerson(_ context.Context, _ account.Viewer, id int64, c account.PersonChange) error {
	s.whose, s.changed = id, c
	return nil
}

// Whoever is signed in says what notices he is sent, and nothing else of himself.
func TestNoticesOfOnesOwn(t *testing.T) {
	s := &signedInStore{fakeStore: &fakeStore{}}
	c := config(t, s.fakeStore)
	c.Accounts, c.Readers = s, s
	h := apiWith(t, c).router()
	const cookie, path = "Cookie: hatang_session=x", root + "/session/notices"
	session := do(h, "GET", root+"/session", "", cookie)
	var csrf string
	if token, ok := decode(t, session)["csrf"].(string); ok {
		csrf = "X-CSRF-Token: " + token
	}
	if body := session.Body.String(); !strings.Contains(body, `"notices":{"on":true,"email":"lan@example.vn","language":"vi"}`) {
		t.Errorf("the session: %s", body)
	}
	for body, want := range map[string]int{`{"on": false, "language": "en"}`: 204, `{}`: 204, `{"language": "fr"}`: 400, `{"email": "x@example.vn"}`: 400, `{"on": "yes"}`: 400} {
		s.whose = 0
		w := do(h, "PUT", path, body, cookie, csrf, "Content-Type: application/json")
		if w.Code != want || (s.whose == 5) != (want == 204) {
			t.Errorf("%s: %d %s; changed of %d", body, w.Code, w.Body, s.whose)
		}
		if strings.Contains(body, "en") && (s.changed.Notices == nil || *s.changed.Notices || *s.changed.Language != "en" || s.changed.Email != nil) && want == 204 {
			t.Errorf("%s: %+v", body, s.changed)
		}
	}
	if w := do(h, "PUT", path, `{"on": false}`, asOfficer, "Content-Type: application/json"); w.Code != 403 {
		t.Errorf("a key: %d", w.Code)
	}
}
