package httpapi

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"hatang/internal/layer"
)

func TestEveryRouteAnswersHeadAndOptions(t *testing.T) {
	a := apiOf(t, &fakeStore{rows: siteRows(t, 2, "x"), mappings: []layer.Mapping{{ID: 1}}})
	h := a.router()
	for _, rt := range a.routes() {
		target := strings.NewReplacer("{collectionId}", "bts_sites", "{featureId}", "1", "{code}", "094", "{table}", "1", "{personId}", "1", "{consultationId}", "1", "{importId}", "1", "{proposalId}", "1", "{noticeId}", "1", "{attachmentId}", "1", "{organisation}", "VNPT", "{number}", "2026-0001", "{ruleSetId}", "x", "{version}", "1", "{verdictNumber}", fakeNumber, "{sharingNumber}", fakeShare, "{mappingId}", "1", "/placement-checks/network", "/placement-checks/network?operator=VNPT",
			"{tileMatrix}", "12", "{tileRow}", "1798", "{tileCol}", "3220", "{styleId}", "default", "/search", "/search?q=x").Replace(rt.pattern)
		w := do(h, "OPTIONS", target, "")
		if w.Code != 204 || !strings.Contains(w.Header().Get("Allow"), rt.method) || !strings.Contains(w.Header().Get("Allow"), "OPTIONS") {
			t.Errorf("OPTIONS %s: status %d, Allow %q", target, w.Code, w.Header().Get("Allow"))
		}
		if rt.method != http.MethodGet {
			continue
		}
		var who []string
		if rt.needs != nothing {
			who = []string{"Authorization: Bearer administrator"}
		}
		if rt.needs == filing {
			who = []string{asOperator}
		}
		want := 200
		if strings.Contains(target, "/oidc") {
			want = 404 // there is no single sign-on here
		}
		for _, accepted := range []string{"identity", "gzip", "gzip;q=0.5, zstd"} {
			who := append(who, "Accept-Encoding: "+accepted)
			got, head := do(h, "GET", target, "", who...), do(h, "HEAD", target, "", who...)
			if got.Code != want || head.Code != want || want == 200 && head.Body.Len() != 0 && rt.pattern != "/metrics" {
				t.Errorf("%s: GET %d, HEAD %d with %d bytes", target, got.Code, head.Code, head.Body.Len())
			}
			sameHeaders(t, target+" with "+accepted, got, head)
			coded := got.Header().Get("Content-Encoding") != ""
			if want == 200 && rt.pattern != "/metrics" && coded == (got.Header().Get("Content-Length") != "") {
				t.Errorf("%s with %s: %v", target, accepted, got.Header())
			}
		}
	}
}

// sameHeaders holds HEAD to the headers of GET, all but those that name the one answer.
func sameHeaders(t *testing.T, of string, get, head *httptest.ResponseRecorder) {
	t.Helper()
	ignored := cmpopts.IgnoreMapEntries(func(name string, _ []string) bool { return name == requestIDHeader })
	if diff := cmp.Diff(get.Header(), head.Header(), ignored); diff != "" {
		t.Errorf("%s: HEAD has other headers than GET:\n%s", of, diff)
	}
}

func TestAllow(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	for target, want := range map[string]string{
		itemsPath:                  "GET, HEAD, POST, OPTIONS",
		itemsPath + "/1":           "GET, HEAD, PUT, PATCH, DELETE, OPTIONS",
		"/api/v1/placement-checks": "POST, OPTIONS",
		"/api/v1/":                 "GET, HEAD, OPTIONS",
		"/":                        "GET, HEAD, OPTIONS",
	} {
		if got := do(h, "OPTIONS", target, "").Header().Get("Allow"); got != want {
			t.Errorf("OPTIONS %s: Allow %q, want %q", target, got, want)
		}
		if target == "/" {
			continue
		}
		w := do(h, "TRACE", target, "")
		if w.Code != 405 || w.Header().Get("Allow") != want {
			t.Errorf("TRACE %s: status %d, Allow %q", target, w.Code, w.Header().Get("Allow"))
		}
	}
}

func TestTrailingSlashes(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	tests := []struct {
		target   string
		status   int
		location string
	}{
		{"/api/v1", 200, ""},
		{"/api/v1/", 200, ""},
		{"/api/v1/collections/?f=json", 308, "/api/v1/collections?f=json"},
		{itemsPath + "/", 308, itemsPath},
		{"/healthz/", 308, "/healthz"},
		{"/api/v1/none/", 404, ""},
		{"//example.com/", 404, ""},
		{"/api", 404, ""},
		{"/", 200, ""},
		{"/assets/none.js", 404, ""},
	}
	for _, tt := range tests {
		r := httptest.NewRequest("GET", "http://example.com/", nil)
		path, query, _ := strings.Cut(tt.target, "?")
		r.URL.Path, r.URL.RawQuery, r.RequestURI = path, query, tt.target
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tt.status || w.Header().Get("Location") != tt.location {
			t.Errorf("%s: status %d to %q, want %d to %q", tt.target, w.Code, w.Header().Get("Location"), tt.status, tt.location)
		}
	}
}

func TestCORS(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	w := do(h, "OPTIONS", itemsPath, "", "Origin: https://map.example", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization")
	for name, part := range map[string]string{"Allow-Origin": "*", "Allow-Methods": "PATCH", "Allow-Headers": "Authorization", "Max-Age": "86400"} {
		if !strings.Contains(w.Header().Get("Access-Control-"+name), part) {
			t.Errorf("preflight: %s is %q", name, w.Header().Get("Access-Control-"+name))
		}
	}
	for _, name := range []string{"Authorization", "Content-Crs", "If-Range", " Range"} { // files are read range by range by pages of other hosts, too
		if !strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), name) {
			t.Errorf("preflight: %s is not allowed", name)
		}
	}
	for _, name := range []string{"ETag", "Link", "Location", "Content-Crs", "Content-Range", "Accept-Ranges"} {
		if !strings.Contains(w.Header().Get("Access-Control-Expose-Headers"), name) {
			t.Errorf("%s is not exposed", name)
		}
	}
	if w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Error("no nosniff")
	}
}

// 304 has what caches, and pages of other hosts, need of it, and no more (RFC 9110 §15.4.5).
func TestNotModifiedIsShort(t *testing.T) {
	h := handlerOf(t, &fakeStore{rows: siteRows(t, 1, "x")})
	for _, target := range []string{itemsPath, itemsPath + "/1", "/api/v1/collections", siteTile} {
		got := do(h, "GET", target, "")
		again := do(h, "GET", target, "", "If-None-Match: "+got.Header().Get("ETag"))
		want := http.Header{}
		for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Cache-Control", "Content-Language", "Etag", "Vary"} {
			if got.Header()[name] != nil {
				want[name] = got.Header()[name]
			}
		}
		for name := range again.Header() {
			if name != requestIDHeader && name != "Link" && want[name] == nil {
				t.Errorf("%s: 304 has %s", target, name)
			}
			delete(want, name)
		}
		if again.Code != http.StatusNotModified || len(want) > 0 {
			t.Errorf("%s: %d without %v", target, again.Code, want)
		}
	}
}

func TestAccept(t *testing.T) {
	tests := []struct {
		header string
		want   bool
	}{
		{"", true}, {"*/*", true}, {"application/json", true}, {"application/geo+json, application/json", true}, {"Application/Geo+JSON; q=0.5", true},
		{"application/*", true}, {"text/html,application/xhtml+xml,*/*;q=0.8", true}, {"text/html", true}, {strings.Repeat("x", maxHeader+1), true},
		{"image/png", false}, {"image/png, */*;q=0", false}, {"application/json;q=0, application/geo+json;q=0, */*", false}, {"application/json;q=nonsense", false},
	}
	for _, tt := range tests {
		if got := acceptable(tt.header, featureTypes); got != tt.want {
			t.Errorf("%.80q: %v", tt.header, got)
		}
	}
	h := handlerOf(t, &fakeStore{rows: siteRows(t, 1, "x")})
	if w := do(h, "GET", itemsPath+"?f=json", "", "Accept: image/png"); w.Code != 200 {
		t.Errorf("f does not outrank Accept: status %d", w.Code)
	}
}

func TestLanding(t *testing.T) {
	c := config(t, &fakeStore{})
	c.PublicURL = "https://map.example.vn/"
	h, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	doc := decode(t, do(h, "GET", "/api/v1", "", "Accept-Language: vi"))
	if doc["title"] != "Hạ tầng" || doc["date"] != "2020-12-31" {
		t.Errorf("%v", doc)
	}
	for rel, want := range map[string]string{"self": "", "service-desc": "/openapi.json", "conformance": "/conformance", "data": "/collections"} {
		if got := linkTo(doc, rel); got != "https://map.example.vn/api/v1"+want {
			t.Errorf("%s is %q", rel, got)
		}
	}
	got := decode(t, do(h, "GET", "/api/v1/conformance", ""))["conformsTo"].([]any)
	if len(got) != len(conformanceClasses()) {
		t.Errorf("%v", got)
	}
}

func TestConfigNamesWhatIsMissing(t *testing.T) {
	_, err := New(Config{PublicURL: "map.example.vn"})
	for _, name := range []string{"Registry", "Store", "Checker", "Indicators", "Ledger", "ReferenceDate", "Log", "map.example.vn"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in %v", name, err)
		}
	}
}

func TestAddressLimit(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	for extra, want := range map[int]int{-1: 400, 0: 400, 1: 414} { // 400: the parameter is unknown
		target := "/api/v1?" + strings.Repeat("a", maxAddressBytes-len("GET/api/v1?")+extra)
		if w := do(h, "GET", target, ""); w.Code != want {
			t.Errorf("limit%+d: status %d, want %d", extra, w.Code, want)
		}
	}
}

func TestServerLimits(t *testing.T) {
	s := Server(":0", http.NotFoundHandler())
	if s.MaxHeaderBytes != 64<<10 || s.ReadHeaderTimeout != 10*time.Second || s.IdleTimeout != time.Minute || s.ReadTimeout == 0 || s.WriteTimeout == 0 {
		t.Errorf("%+v", s)
	}
}

// One line a request, with the route's pattern and never its key; the cause of a
// 5xx under the same request id.
func TestLogAndMetrics(t *testing.T) {
	var log bytes.Buffer
	c := config(t, &fakeStore{err: errors.New("the cause")})
	c.Log = slog.New(slog.NewJSONHandler(&log, nil))
	h, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	w := do(h, "GET", itemsPath+"?limit=3", "", "Authorization: Bearer officer")
	id := w.Header().Get("X-Request-Id")
	if len(id) != 24 || strings.Count(log.String(), id) != 2 || !strings.Contains(log.String(), "the cause") || strings.Contains(log.String(), "Bearer") {
		t.Errorf("request %q: %s", id, log.String())
	}
	if !strings.Contains(log.String(), `"route":"/api/v1/collections/{collectionId}/items","status":500`) {
		t.Errorf("no route pattern: %s", log.String())
	}
	figures := do(h, "GET", "/metrics", "").Body.String()
	if !strings.Contains(figures, `hatang_http_requests_total{method="GET",route="/api/v1/collections/{collectionId}/items",status="500"} 1`) {
		t.Errorf("not counted: %.500s", figures)
	}
}

// A client that leaves ends the work; nothing is written to it.
func TestClientThatLeaves(t *testing.T) {
	h := handlerOf(t, &fakeStore{rows: siteRows(t, 2, "x")})
	ctx, leave := context.WithCancel(context.Background())
	leave()
	w := httptest.NewRecorder()
	defer func() {
		if recover() != any(http.ErrAbortHandler) || w.Body.Len() != 0 {
			t.Errorf("%d bytes were written to a client that has gone", w.Body.Len())
		}
	}()
	h.ServeHTTP(w, httptest.NewRequest("GET", itemsPath, nil).WithContext(ctx))
}

// Errors wrap: the problem is found however deep the cause lies.
func TestProblemForWrappedErrors(t *testing.T) {
	err := errors.Join(errors.New("list bts_sites"), layer.ErrTimeout)
	if d := cmp.Diff("timeout", problemFor(err).Type.Name); d != "" {
		t.Error(d)
	}
	if got := problemFor(context.DeadlineExceeded).Type.Name; got != "timeout" {
		t.Error(got)
	}
}
