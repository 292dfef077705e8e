package httpapi

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html/atom"

	"hatang/geo"
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
		"/api/v1/tileMatrixSets", "/api/v1/tileMatrixSets/WebMercatorQuad", "/api/v1/styles", "/api/v1/styles/default"}
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
	h := pagedAPI(t, &fakeStore{rows: siteRows(t, 3, "x"), versions: []layer.Version{{ID: 1}, {ID: 2}, {ID: 3}}})
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

// nasty are values that would be code if a page did not take them for text.
var nasty = []string{`<script>alert(1)</script>`, `" onmouseover="alert(1)`, `' autofocus onfocus='alert(1)`, `javascript:alert(1)`, `</textarea><script>alert(1)</script>`,
	`</title><img src=x onerror=alert(1)>`, `{{.Doc}}`, "`${alert(1)}`", `<!--`, `]]>`, `&lt;b&gt;`, "a\u2028b<svg/onload=alert(1)>"}

func TestValuesAreTextAndNoCode(t *testing.T) {
	for _, value := range nasty {
		s := &fakeStore{rows: siteRows(t, 2, value)}
		h := pagedAPI(t, s)
		sent := url.QueryEscape(value)
		for target, status := range map[string]int{
			itemsPath: 200, itemsPath + "/1": 200, itemsPath + "?name=" + sent: 200, itemsPath + "?filter=" + url.QueryEscape("name = '"+strings.ReplaceAll(value, "'", "''")+"'"): 200,
			itemsPath + "?filter=" + sent + "&bbox=" + sent + "&datetime=" + sent + "&limit=" + sent: 400, itemsPath + "?" + sent + "=" + sent: 400,
			"/api/v1/collections/" + url.PathEscape(value): 404, "/api/v1?f=html&lang=" + sent: 400, "/api/v1/styles/" + url.PathEscape(value): 404,
		} {
			w := do(h, "GET", target, "", "Accept: text/html")
			if w.Code != status || w.Header().Get("Content-Type") != typePage {
				t.Fatalf("%s: %d %s", target, w.Code, w.Header().Get("Content-Type"))
			}
			for _, fault := range faultsOf(t, w.Body.Bytes(), w.Header().Get("Content-Language")) {
				t.Errorf("%s: %s", target, fault)
			}
			if strings.HasPrefix(target, itemsPath) && status == 200 && !showsText(t, w.Body.Bytes(), value) {
				t.Errorf("%s does not show %q", target, value)
			}
		}
	}
}

// showsText reports whether a cell of a table, or the heading, is the text.
func showsText(t *testing.T, page []byte, text string) bool {
	t.Helper()
	return slices.ContainsFunc(elements(t, page), func(e htmlElement) bool { return (e.DataAtom == atom.Td || e.DataAtom == atom.H1) && e.text == text })
}

// A page of HTML is shorter, its map reads the same features, and the next one follows.
func TestPagesOfItems(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 1200, "x")}
	h := pagedAPI(t, s)
	for target, want := range map[string]int{itemsPath: 50, itemsPath + "?limit=7": 7, itemsPath + "?limit=5000": 1000, itemsPath + "?bbox=&datetime=&limit=&filter=": 50, itemsPath + "?limit=100&after=1190": 10} {
		w := do(h, "GET", target, "", "Accept: text/html")
		rows, data, next := 0, "", ""
		for _, e := range elements(t, w.Body.Bytes()) {
			switch {
			case e.DataAtom == atom.Tr && e.attributes["data-id"] != "":
				rows++
			case e.attributes["id"] == "map":
				data = e.attributes["data-items"]
			case e.attributes["rel"] == "next":
				next = e.attributes["href"]
			}
		}
		if rows != want || (next == "") != strings.Contains(target, "1190") {
			t.Errorf("%s: %d rows, want %d, next %q", target, rows, want, next)
		}
		features := ids(t, decode(t, do(h, "GET", data, "")))
		if len(features) != want || !strings.Contains(w.Body.String(), `data-id="`+strconv.Itoa(features[want-1])+`"`) {
			t.Errorf("%s: the map reads %d features from %s", target, len(features), data)
		}
		if next != "" && !strings.Contains(do(h, "GET", next, "", "Accept: text/html").Body.String(), `data-id="`+strconv.Itoa(features[want-1]+1)+`"`) {
			t.Errorf("%s: the next page, %s, does not go on", target, next)
		}
	}
}

// A form that cannot be answered comes back as it was sent, with what is wrong beside it.
func TestFormsSayWhatIsWrong(t *testing.T) {
	h := pagedAPI(t, &fakeStore{})
	target := itemsPath + "?lang=vi&filter=nme%3D1&bbox=1&mast_type=A2b&hamster=2"
	w := do(h, "GET", target, "", "Accept: text/html")
	problem := decode(t, do(h, "GET", target, ""))
	if w.Code != 400 || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("ETag") != "" {
		t.Errorf("status %d, %v", w.Code, w.Header())
	}
	page := ""
	fields := map[string]htmlElement{}
	for _, e := range elements(t, w.Body.Bytes()) {
		if e.DataAtom == atom.Body {
			page = e.text
		}
		if name := e.attributes["name"]; name != "" {
			fields[name] = e
		}
	}
	for _, fault := range problem["errors"].([]any) {
		if text := fault.(map[string]any)["detail"].(string); !strings.Contains(page, text) {
			t.Errorf("the page does not say %q", text)
		}
	}
	if fields["filter"].text != "nme=1" || fields["bbox"].attributes["value"] != "1" || fields["filter"].attributes["aria-invalid"] != "true" || fields["limit"].attributes["aria-invalid"] != "" {
		t.Errorf("the fields are %+v", fields)
	}
	if fields["mast_type"].attributes["value"] != "A2b" || fields["lang"].attributes["value"] != "vi" || fields["hamster"].Node != nil {
		t.Errorf("the form keeps %+v", fields)
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

var (
	usedTexts = regexp.MustCompile(`(?:\bT|say\() ?"([a-zA-Z.]+)"`)
	wordKinds = []string{"at.", "rel.", "geometry.", "kind.", "tag.", "in.", "status.", "value.", "type."}
)

// Every text is in both languages, and on some page.
func TestCatalogue(t *testing.T) {
	used := map[string]bool{}
	files, err := pageFiles.ReadDir("pages")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := pageFiles.ReadFile("pages/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range usedTexts.FindAllStringSubmatch(string(text), -1) {
			used[m[1]] = true
			if _, ok := pageTexts[m[1]]; !ok {
				t.Errorf("%s uses %q, which the catalogue lacks", f.Name(), m[1])
			}
		}
	}
	used["at"] = true // of view
	for key, text := range pageTexts {
		if text.VI == "" || text.EN == "" {
			t.Errorf("%s is not in both languages", key)
		}
		if !used[key] && !slices.ContainsFunc(wordKinds, func(kind string) bool { return strings.HasPrefix(key, kind) }) {
			t.Errorf("no page uses %s", key)
		}
	}
}

func TestValuesAsPeopleWriteThem(t *testing.T) {
	l := sites(t)
	for _, tt := range []struct{ field, value, vi, en string }{
		{"height_m", "12345.5", "12.345,5", "12,345.5"}, {"height_m", "-1234.25", "−1234,25", "−1234.25"}, {"height_m", "0.5", "0,5", "0.5"}, {"revision", "1234567", "1.234.567", "1,234,567"},
		{"valid_from", `"2016-02-03"`, "03/02/2016", "3 Feb 2016"}, {"updated_at", `"2020-12-31T10:00:00.5Z"`, "31/12/2020 10:00:00 UTC", "31 Dec 2020 10:00:00 UTC"},
		{"concealed", "true", "có", "yes"}, {"technologies", `["2G","3G"]`, "2G, 3G", "2G, 3G"}, {"mast_type", `"A1b"`, "A1b – thân thiện môi trường", "A1b – environment-friendly"},
		{"name", `"a\"b"`, `a"b`, `a"b`}, {"name", "null", "", ""}, {"mast_type", `"other"`, "other", "other"},
	} {
		f, ok := l.Field(tt.field)
		if !ok {
			t.Fatalf("no field %s", tt.field)
		}
		for language, want := range map[string]string{"vi": tt.vi, "en": tt.en} {
			if got, err := showValue(f, []byte(tt.value), language); err != nil || got.Text != want {
				t.Errorf("%s %s in %s: %q, want %q (%v)", tt.field, tt.value, language, got.Text, want, err)
			}
		}
	}
	if got := fieldTitle(&layer.Field{Title: geo.Text{VI: "Diện tích", EN: "Area"}, Unit: "m2"}, "en"); got != "Area (m²)" {
		t.Error(got)
	}
	if _, err := showValue(&layer.Field{Name: "x", Kind: layer.Text}, []byte("7"), "en"); err == nil {
		t.Error("a number was shown as a text")
	}
}
