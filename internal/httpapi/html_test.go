package httpapi

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html/atom"

	"hatang/internal/layer"
)

const (
	chromium = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
	firefox  = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
)

// pagedAPI has assets, and rows of sites.
func pagedAPI(t testing.TB, s *fakeStore) http.Handler {
	t.Helper()
	c := config(t, s)
	c.Assets = Assets{Script: "/assets/map.js", Style: "/assets/style.css", Icon: "/assets/icon.svg"}
	c.UI = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") })
	return apiWith(t, c).router()
}

// What programs ask for they get, and browsers get pages.
func TestAcceptOfClients(t *testing.T) {
	h := pagedAPI(t, &fakeStore{rows: siteRows(t, 3, "x")})
	documents := []string{"/api/v1", "/api/v1/conformance", "/api/v1/collections", "/api/v1/collections/bts_sites", "/api/v1/collections/bts_sites/schema",
		"/api/v1/collections/bts_sites/queryables", itemsPath, itemsPath + "/1", "/api/v1/tiles", "/api/v1/tiles/WebMercatorQuad", "/api/v1/tiles/WebMercatorQuad/tilejson",
		"/api/v1/tileMatrixSets", "/api/v1/tileMatrixSets/WebMercatorQuad", "/api/v1/styles", "/api/v1/styles/default", "/api/v1/search?q=x"}
	for _, client := range []struct {
		name, accept string
		html         bool
	}{
		{"none", "", false},
		{"curl, OpenLayers, Python", "*/*", false},
		{"GDAL, of lists", "application/json", false},
		{"GDAL and QGIS, of items", "application/geo+json, application/json", false},
		{"MapLibre", "application/json", false},
		{"our own page", "application/geo+json, application/json", false},
		{"schema readers", "application/schema+json, application/json;q=0.9, */*;q=0.1", false},
		{"GDAL, of the description", "application/vnd.oai.openapi+json;version=3.0, application/openapi+json;version=3.0, application/json", false},
		{"a tie", "text/html, application/json, application/geo+json, application/schema+json, application/vnd.mapbox.style+json", false},
		{"a tie with all", "*/*, text/html", false},
		{"rather data", "text/html;q=0.5, */*;q=0.6", false},
		{"no page", "text/html;q=0, */*", false},
		{"too long", strings.Repeat("text/html,", maxHeader/10+1), false},
		{"Chromium", chromium, true},
		{"Firefox, Safari", firefox, true},
		{"text alone", "text/html", true},
		{"any text, a page sooner", "text/html, text/*;q=0.9", true},
		{"letters of both sizes", "Text/HTML, */*;q=0.2", true},
	} {
		for _, path := range documents {
			plain, got := do(h, "GET", path, ""), do(h, "GET", path, "", "Accept: "+client.accept)
			if client.html {
				if got.Code != 200 || got.Header().Get("Content-Type") != typePage || got.Header().Get("ETag") == plain.Header().Get("ETag") {
					t.Errorf("%s at %s: %d %s with the tag %s", client.name, path, got.Code, got.Header().Get("Content-Type"), got.Header().Get("ETag"))
				}
				continue
			}
			for name, want := range plain.Header() {
				if name != "X-Request-Id" && fmt.Sprint(got.Header()[name]) != fmt.Sprint(want) {
					t.Errorf("%s at %s: %s is %v, not %v", client.name, path, name, got.Header()[name], want)
				}
			}
			if got.Body.String() != plain.Body.String() {
				t.Errorf("%s at %s gets other bytes", client.name, path)
			}
		}
	}
}

// f outranks Accept, and knows html only where there are pages.
func TestFormatAndLanguageParameters(t *testing.T) {
	h := pagedAPI(t, &fakeStore{rows: siteRows(t, 3, "x")})
	for _, tt := range []struct {
		target, accept string
		status         int
		mediaType      string
		language       string
	}{
		{"/api/v1?f=html", "application/json", 200, typePage, "en"},
		{"/api/v1?f=html&lang=vi", "", 200, typePage, "vi"},
		{"/api/v1?lang=vi", "", 200, typeJSON, "vi"},
		{"/api/v1?f=json", chromium, 200, typeJSON, "en"},
		{itemsPath + "?f=html&lang=vi&limit=1", "", 200, typePage, "vi"},
		{itemsPath + "?f=geojson", chromium, 200, typeGeoJSON, ""},
		{"/api/v1?lang=fr", "", 400, typeProblem, "en"},
		{"/api/v1?f=xml", chromium, 400, typeProblem, "en"},
		{itemsPath + "?lang=", "", 400, typeProblem, "en"},
		{"/api/v1/indicators?f=html", "", 400, typePage, "en"},
		{"/api/v1/indicators", chromium, 200, typeJSON, ""},
		{"/api/v1/openapi.json", chromium, 200, typeOpenAPI30, "en"},
		{"/api/v1/openapi.html", "", 200, typePage, "en"},
		{"/api/v1/openapi.html", "application/json", 406, typeProblem, "en"},
		{"/api/v1/openapi.html?f=json", "", 400, typeProblem, "en"},
	} {
		w := do(h, "GET", tt.target, "", "Accept: "+tt.accept)
		if w.Code != tt.status || w.Header().Get("Content-Type") != tt.mediaType || tt.language != "" && w.Header().Get("Content-Language") != tt.language {
			t.Errorf("%s with %q: %d %s in %q", tt.target, tt.accept, w.Code, w.Header().Get("Content-Type"), w.Header().Get("Content-Language"))
		}
	}
}

// crawl walks all pages from the landing page, once for each kind of address, and hands
// on each. Every link must be answered.
func crawl(t *testing.T, h http.Handler, start string, each func(target string, page []byte, language string)) map[string]bool {
	t.Helper()
	seen, mediaTypes := map[string]bool{}, map[string]bool{}
	for waiting := []string{start}; len(waiting) > 0; {
		target := waiting[0]
		waiting = waiting[1:]
		w := do(h, "GET", target, "", "Accept: text/html")
		if w.Code != 200 {
			t.Errorf("%s: status %d: %.300s", target, w.Code, w.Body)
			continue
		}
		mediaTypes[w.Header().Get("Content-Type")] = true
		if w.Header().Get("Content-Type") != typePage {
			continue
		}
		each(target, w.Body.Bytes(), w.Header().Get("Content-Language"))
		for _, e := range elements(t, w.Body.Bytes()) {
			for _, name := range []string{"href", "src", "action"} {
				link := e.attributes[name]
				if link == "" || link[0] == '#' || seen[link] {
					continue
				}
				seen[link] = true
				waiting = append(waiting, link)
			}
		}
	}
	t.Logf("%d addresses, %v", len(seen), mediaTypes)
	return seen
}

// TestHTMLConformance is what ogcapi-features-1/1.0/conf/html asks: every resource has a
// page, and says so; and the pages are sound.
func TestHTMLConformance(t *testing.T) {
	if !slices.Contains(conformanceClasses(), "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html") {
		t.Error("the class is not declared")
	}
	h := pagedAPI(t, &fakeStore{rows: siteRows(t, 3, "x"), versions: []int64{1, 2, 3}})
	pages := map[string]int{}
	seen := crawl(t, h, "/api/v1", func(target string, page []byte, language string) {
		for _, fault := range faultsOf(t, page, language) {
			t.Errorf("%s: %s", target, fault)
		}
		pages[language]++
	})
	for _, path := range []string{"/api/v1/conformance", "/api/v1/openapi.html", "/api/v1/collections", "/api/v1/collections/roads", itemsPath, itemsPath + "/1", "/api/v1/collections/bts_sites/schema",
		"/api/v1/collections/bts_sites/queryables", "/api/v1/tiles", "/api/v1/styles/bts_sites", "/api/v1/tileMatrixSets/WebMercatorQuad", "/assets/map.js", "/assets/style.css", "/assets/icon.svg", "/"} {
		if !seen[path] && !seen[path+"?f=html"] {
			t.Errorf("no page leads to %s", path)
		}
	}
	if pages["vi"] < 100 || pages["en"] < 100 {
		t.Errorf("pages by language: %v", pages)
	}
	for _, of := range []struct{ path, data string }{{"/api/v1", typeJSON}, {"/api/v1/collections", typeJSON}, {"/api/v1/collections/bts_sites", typeJSON}, {itemsPath, typeGeoJSON}, {itemsPath + "/1", typeGeoJSON}} {
		doc := decode(t, do(h, "GET", of.path, ""))
		href := linkTo(doc, "alternate")
		if w := do(h, "GET", strings.TrimPrefix(href, "http://example.com"), ""); w.Code != 200 || w.Header().Get("Content-Type") != typePage {
			t.Errorf("the alternate of %s, %q, is %d %s", of.path, href, w.Code, w.Header().Get("Content-Type"))
		}
		page := do(h, "GET", of.path, "", "Accept: text/html")
		found := false
		for _, e := range elements(t, page.Body.Bytes()) {
			found = found || e.DataAtom == atom.Link && e.attributes["rel"] == "alternate" && e.attributes["type"] == of.data
		}
		if !found {
			t.Errorf("the page of %s has no alternate of type %s", of.path, of.data)
		}
	}
	if link := do(h, "GET", "/api/v1/collections/bts_sites/schema", "").Header().Get("Link"); !strings.Contains(link, `rel="alternate"; type="text/html"`) {
		t.Errorf("the schema, which has no links in it, has the header %q", link)
	}
}

// An error has the same status, headers and texts as a page.
func TestProblemsAsPages(t *testing.T) {
	for _, tt := range []struct {
		err    error
		target string
		status int
		who    string
	}{
		{nil, "/api/v1/nothing", 404, ""}, {nil, itemsPath + "/99", 404, ""}, {nil, "/api/v1/collections/none", 404, ""}, {nil, "/nothing", 404, ""},
		{nil, "/api/v1/keys", 401, ""}, {nil, "/api/v1", 401, "Authorization: Bearer wrong"}, {nil, "/api/v1/people", 403, "Authorization: Bearer officer"}, {nil, "/api/v1?a=1&b=2", 400, ""},
		{layer.ErrUnavailable, itemsPath, 503, ""}, {layer.ErrTimeout, itemsPath, 504, ""}, {fmt.Errorf("secret"), itemsPath, 500, ""},
	} {
		c := config(t, &fakeStore{err: tt.err})
		c.UI = http.NotFoundHandler()
		h := apiWith(t, c).router()
		for _, language := range []string{"vi", "en"} {
			data := do(h, "GET", tt.target, "", "Accept-Language: "+language, tt.who)
			page := do(h, "GET", tt.target, "", "Accept-Language: "+language, tt.who, "Accept: "+chromium)
			if data.Code != tt.status || page.Code != tt.status || data.Header().Get("Content-Type") != typeProblem || page.Header().Get("Content-Type") != typePage {
				t.Errorf("%s: %d %s and %d %s", tt.target, data.Code, data.Header().Get("Content-Type"), page.Code, page.Header().Get("Content-Type"))
				continue
			}
			for _, name := range []string{"Cache-Control", "Content-Language", "Retry-After", "WWW-Authenticate", "Vary", "Etag"} {
				if data.Header().Get(name) != page.Header().Get(name) {
					t.Errorf("%s: %s is %q and %q", tt.target, name, data.Header().Get(name), page.Header().Get(name))
				}
			}
			document := decode(t, data)
			for _, text := range []any{document["title"], document["detail"], page.Header().Get("X-Request-Id")} {
				if !slices.ContainsFunc(elements(t, page.Body.Bytes()), func(e htmlElement) bool { return e.text == text }) {
					t.Errorf("%s: the page does not say %q", tt.target, text)
				}
			}
			for _, fault := range faultsOf(t, page.Body.Bytes(), language) {
				t.Errorf("%s: %s", tt.target, fault)
			}
			if strings.Contains(page.Body.String(), "secret") {
				t.Error("the cause of a failure is on its page")
			}
		}
	}
}

// Pages are cached by language and class of viewers; what they may load, a 304 says too.
func TestPagesAreCached(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 3, "x"), number: 5}
	h := pagedAPI(t, s)
	for _, target := range []string{"/api/v1/collections", itemsPath, itemsPath + "/1", "/api/v1/openapi.html"} {
		tags := map[string]bool{}
		for _, headers := range [][]string{{"Accept-Language: vi"}, {"Accept-Language: en"}, {"Accept-Language: en", "Authorization: Bearer officer"}, {"Accept: application/json"}} {
			headers = append([]string{"Accept: text/html"}, headers...)
			w := do(h, "GET", target, "", headers...)
			if w.Code == 406 {
				continue
			}
			tag := w.Header().Get("ETag")
			if tags[tag] || tag == "" {
				t.Errorf("%s with %v has the tag %q of another", target, headers, tag)
			}
			tags[tag] = true
			again := do(h, "GET", target, "", append(headers, "If-None-Match: "+tag)...)
			head := do(h, "HEAD", target, "", headers...)
			if again.Code != 304 || again.Body.Len() > 0 || head.Code != 200 || head.Body.Len() > 0 || head.Header().Get("Content-Length") != w.Header().Get("Content-Length") {
				t.Errorf("%s with %v: %d, and %d of length %s", target, headers, again.Code, head.Code, head.Header().Get("Content-Length"))
			}
			for _, got := range []*httptest.ResponseRecorder{w, again, head} {
				policy := got.Header().Get("Content-Security-Policy")
				if page := headers[len(headers)-1] != "Accept: application/json"; page != strings.Contains(policy, "script-src 'self'") || strings.Contains(policy, "unsafe") {
					t.Errorf("%s with %v: the policy is %q", target, headers, policy)
				}
				if private := strings.Contains(strings.Join(headers, " "), "Bearer"); private != strings.Contains(got.Header().Get("Cache-Control"), "private") {
					t.Errorf("%s with %v is cached as %q", target, headers, got.Header().Get("Cache-Control"))
				}
			}
		}
	}
	before := do(h, "GET", itemsPath, "", "Accept: text/html").Header().Get("ETag")
	s.number++
	if w := do(h, "GET", itemsPath, "", "Accept: text/html", "If-None-Match: "+before); w.Code != 200 {
		t.Errorf("after an edit the page is still %d", w.Code)
	}
}
