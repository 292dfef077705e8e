package web

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/text/unicode/norm"

	"hatang/geo"
	"hatang/internal/layer"
)

func testOptions() Options {
	return Options{ReferenceDate: func() geo.Date { return geo.NewDate(2020, time.December, 31) }, Version: "1.2.3", Grid: &Grid{Code: "EPSG:9205", Title: geo.Text{VI: "VN-2000", EN: "VN-2000"}, Proj4: "+proj=tmerc"}}
}

// builtPage stands for what `npm run build` writes.
func builtPage() fs.FS {
	return fstest.MapFS{
		"index.html":        {Data: []byte("<!doctype html><title>Hatang</title>")},
		"assets/app-ABC.js": {Data: []byte("export {};")},
	}
}

func testPage(t *testing.T, files fs.FS, o Options) (http.Handler, *layer.Registry) {
	t.Helper()
	registry, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	h, err := newPage(files, registry, o)
	if err != nil {
		t.Fatal(err)
	}
	return h, registry
}

func get(t *testing.T, h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, "http://host.example/", nil)
	r.URL.Path = target // as a router hands it over: not cleaned
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPageAnswers(t *testing.T) {
	h, _ := testPage(t, builtPage(), testOptions())
	for _, c := range []struct {
		method, path string
		status       int
		header       map[string]string
		body         string
	}{
		{"GET", "/", 200, map[string]string{"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-cache"}, "<title>Hatang"},
		{"HEAD", "/", 200, map[string]string{"Content-Length": "36"}, ""},
		{"GET", "/assets/app-ABC.js", 200, map[string]string{"Cache-Control": "public, max-age=31536000, immutable"}, "export"},
		{"GET", "/ui/layers.json", 200, map[string]string{"Content-Type": "application/json", "Cache-Control": "no-cache"}, `"layers"`},
		{"GET", "/assets/none.js", 404, nil, "not found"},
		{"GET", "/assets", 404, nil, "not found"},
		{"GET", "/assets/", 404, nil, "not found"},
		{"GET", "/assets/../index.html", 404, nil, "not found"},
		{"GET", "/assets/\x00", 404, nil, "not found"},
		{"GET", "/index.html", 404, nil, "not found"},
		{"POST", "/", 405, map[string]string{"Allow": "GET, HEAD"}, "only read"},
	} {
		w := get(t, h, c.method, c.path)
		if w.Code != c.status {
			t.Errorf("%s %q: %d, want %d", c.method, c.path, w.Code, c.status)
		}
		for name, want := range c.header {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s %q: %s is %q, want %q", c.method, c.path, name, got, want)
			}
		}
		if !strings.Contains(w.Body.String(), c.body) || (c.body == "" && w.Body.Len() > 0) {
			t.Errorf("%s %q: body %q, want %q in it", c.method, c.path, w.Body, c.body)
		}
	}
}

func TestPageIsSentOnce(t *testing.T) {
	h, _ := testPage(t, builtPage(), testOptions())
	for _, path := range []string{"/", "/assets/app-ABC.js", "/ui/layers.json"} {
		tag := get(t, h, "GET", path).Header().Get("ETag")
		if tag == "" {
			t.Errorf("%s has no ETag", path)
		}
		if w := get(t, h, "GET", path, "If-None-Match", tag); w.Code != http.StatusNotModified {
			t.Errorf("%s with its own ETag: %d, want 304", path, w.Code)
		}
		if w := get(t, h, "GET", path, "If-None-Match", `"other"`); w.Code != http.StatusOK {
			t.Errorf("%s with another ETag: %d, want 200", path, w.Code)
		}
	}
}

func TestPolicyNamesOnlyTheBasemapsHost(t *testing.T) {
	for _, c := range []struct{ basemap, images string }{
		{"", "img-src 'self' data:;"},
		{"https://tiles.example:8443/a/{z}/{x}/{y}.png", "img-src 'self' data: https://tiles.example:8443;"},
	} {
		o := testOptions()
		o.BasemapURL = c.basemap
		h, _ := testPage(t, builtPage(), o)
		policy := get(t, h, "GET", "/").Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'self';") || !strings.Contains(policy, c.images) || strings.Contains(policy, "unsafe") {
			t.Errorf("base map %q: policy %q, want %q in it", c.basemap, policy, c.images)
		}
	}
}

func TestOptionsThatCannotWorkAreRefused(t *testing.T) {
	registry, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, basemap := range []string{"tiles/{z}", "javascript:alert(1)", "https:///x", "https://a;script-src *", "https://a b/"} {
		o := testOptions()
		o.BasemapURL = basemap
		if _, err := New(registry, o); err == nil {
			t.Errorf("the base map %q was accepted", basemap)
		}
	}
	if _, err := New(registry, Options{}); err == nil {
		t.Error("options without a reference date were accepted")
	}
	if _, err := New(nil, testOptions()); err == nil {
		t.Error("no registry was accepted")
	}
}

func TestUnbuiltPageSaysHowToBuildIt(t *testing.T) {
	h, _ := testPage(t, fstest.MapFS{".gitkeep": {}}, testOptions())
	w := get(t, h, "GET", "/")
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	if w := get(t, h, "GET", "/ui/layers.json"); w.Code != http.StatusOK {
		t.Errorf("layers.json without a page: %d", w.Code)
	}
}

func TestDescriptionIsTheRegistry(t *testing.T) {
	o := testOptions()
	o.BasemapURL, o.Attribution, o.TimeZone = "https://tiles.example/{z}/{x}/{y}.png", "© Example", "Asia/Ho_Chi_Minh"
	h, registry := testPage(t, builtPage(), o)
	var d description
	if err := json.Unmarshal(get(t, h, "GET", "/ui/layers.json").Body.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	if d.ReferenceDate != "2020-12-31" || d.Version != "1.2.3" || d.TimeZone != "Asia/Ho_Chi_Minh" || d.Basemap == nil || d.Basemap.Attribution != "© Example" || d.Grid.Code != "EPSG:9205" || len(d.Grids) < 10 || !slices.Contains(d.Grids, gridEntry{"EPSG:9205", "VN-2000 / TM-3 103-00"}) {
		t.Errorf("%+v", d)
	}
	if len(d.Layers) != len(registry.All()) {
		t.Fatalf("%d layers, want %d", len(d.Layers), len(registry.All()))
	}
	headings := map[layer.Group]bool{}
	for _, g := range d.Groups {
		headings[g.ID] = true
	}
	for i, l := range registry.All() {
		e := d.Layers[i]
		if e.Name != l.Name || e.Title != l.Title || e.Colour != l.Colour || e.ColourBy != l.ColourBy || e.Geometry != l.Geometry {
			t.Errorf("%s is described as %+v", l.Name, e)
		}
		if len(e.Fields) != len(l.Properties()) {
			t.Errorf("%s has %d fields, want %d", l.Name, len(e.Fields), len(l.Properties()))
		}
		if !headings[l.Group] {
			t.Errorf("%s is in the group %q, which the page does not list", l.Name, l.Group)
		}
	}
}

// The catalogue is the one file of the page's own texts: each in two languages, the
// Vietnamese one composed (NFC), placeholders the same in both.
func TestCatalogueSpeaksBothLanguages(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("ui", "src", "catalogue.ts"))
	if err != nil {
		t.Fatal(err)
	}
	entry := regexp.MustCompile(`(?m)^  "([^"]+)": \["((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)"\],$`)
	placeholder := regexp.MustCompile(`\{\w+\}`)
	entries := entry.FindAllStringSubmatch(string(data), -1)
	if lines := strings.Count(string(data), "\n  \""); len(entries) < 90 || len(entries) != lines {
		t.Errorf("%d entries on %d lines, want one on each line and at least 90", len(entries), lines)
	}
	for _, e := range entries {
		if e[2] == "" || e[3] == "" || !norm.NFC.IsNormalString(e[2]) {
			t.Errorf("%s: %q, %q", e[1], e[2], e[3])
		}
		if vi, en := placeholder.FindAllString(e[2], -1), placeholder.FindAllString(e[3], -1); len(vi) != len(en) {
			t.Errorf("%s: placeholders %v and %v", e[1], vi, en)
		}
	}
}
