package httpapi

import (
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hatang/geo"
	"hatang/internal/layer"
)

// ids lists the features of a page, and fails on one without an integer id.
func ids(t *testing.T, page map[string]any) []int {
	t.Helper()
	var all []int
	for _, f := range page["features"].([]any) {
		all = append(all, int(f.(map[string]any)["id"].(float64)))
	}
	return all
}

func TestPages(t *testing.T) {
	h := handlerOf(t, &fakeStore{rows: siteRows(t, 5, "x")})
	target, pages := itemsPath+"?limit=2&mast_type=A2b", [][]int{}
	for target != "" {
		w := do(h, "GET", target, "")
		if w.Code != 200 || w.Header().Get("Content-Type") != typeGeoJSON {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		page := decode(t, w)
		got := ids(t, page)
		pages = append(pages, got)
		if page["numberMatched"] != 5.0 || page["numberReturned"] != float64(len(got)) || page["timeStamp"] != "2026-01-02T03:04:05Z" {
			t.Errorf("%v of %v at %v", page["numberReturned"], page["numberMatched"], page["timeStamp"])
		}
		if self := linkTo(page, "self"); !strings.HasPrefix(self, "http://example.com"+itemsPath+"?") {
			t.Errorf("self is %q", self)
		}
		target = linkTo(page, "next")
	}
	if d := cmp.Diff([][]int{{1, 2}, {3, 4}, {5}}, pages); d != "" {
		t.Error(d)
	}
}

// A page that ends with the last feature has no next link: clients stop on an empty page.
func TestNoEmptyPage(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 4, "x")}
	h := handlerOf(t, s)
	if next := linkTo(decode(t, do(h, "GET", itemsPath+"?limit=4", "")), "next"); next != "" {
		t.Errorf("next is %q", next)
	}
	if slices.Contains(s.calls, "CountFeatures") {
		t.Error("an only page was counted besides")
	}
	// What no feature can have selects nothing, and the store is not asked.
	s.calls = nil
	for _, query := range []string{"bbox=-20000000,-20000000,-19000000,-19000000&bbox-crs=EPSG:9205", "mast_type=A9", "height_m=1e308", "name=" + strings.Repeat("x", layer.MaxTextBytes+1)} {
		page := decode(t, do(h, "GET", itemsPath+"?"+query, ""))
		if page["numberMatched"] != 0.0 || len(page["features"].([]any)) != 0 {
			t.Errorf("%.80s gives %v", query, page)
		}
	}
	if slices.Contains(s.calls, "Features") {
		t.Error("the store was asked for what cannot be")
	}
}

func TestQueryReachesTheStore(t *testing.T) {
	s := &fakeStore{}
	h := handlerOf(t, s)
	day := geo.NewDate(2018, 1, 1)
	tests := []struct {
		query string
		want  layer.Query
	}{
		{"", layer.Query{Date: reference, Limit: 1001}},
		{"datetime=2018-01-01&limit=7", layer.Query{Date: day, Limit: 8}},
		{"datetime=../..", layer.Query{Limit: 1001}},
		{"datetime=2018-01-01/..&after=9", layer.Query{Span: [2]geo.Date{day, {}}, After: 9, Limit: 1001}},
		{"code=DB-1", layer.Query{Date: reference, Limit: 1001, Equal: []layer.Equality{{Field: "code", Value: "DB-1"}}}},
	}
	for _, tt := range tests {
		if w := do(h, "GET", itemsPath+"?"+tt.query, ""); w.Code != 200 {
			t.Fatalf("%s: %s", tt.query, w.Body)
		}
		if d := cmp.Diff(tt.want, s.asked, cmp.Comparer(func(a, b geo.Date) bool { return a == b })); d != "" {
			t.Errorf("%s: %s", tt.query, d)
		}
	}
}

func position(t *testing.T, w *httptest.ResponseRecorder) []any {
	t.Helper()
	doc := decode(t, w)
	if features, ok := doc["features"].([]any); ok {
		doc = features[0].(map[string]any)
	}
	return doc["geometry"].(map[string]any)["coordinates"].([]any)
}

func TestCoordinatesInOtherSystems(t *testing.T) {
	h := handlerOf(t, &fakeStore{rows: siteRows(t, 1, "x")})
	crs, err := geo.ParseCRS("EPSG:9205")
	if err != nil {
		t.Fatal(err)
	}
	grid, err := crs.Forward([2]float64{103.0165, 21.3826})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		crs, header string
		x, y        float64
	}{
		{"", "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>", 103.0165, 21.3826},
		{"http://www.opengis.net/def/crs/EPSG/0/4326", "<http://www.opengis.net/def/crs/EPSG/0/4326>", 21.3826, 103.0165},
		{"http://www.opengis.net/def/crs/EPSG/0/9205", "<http://www.opengis.net/def/crs/EPSG/0/9205>", grid[0], grid[1]},
	}
	for _, tt := range tests {
		for _, path := range []string{itemsPath, itemsPath + "/1"} {
			target := path
			if tt.crs != "" {
				target += "?crs=" + url.QueryEscape(tt.crs)
			}
			w := do(h, "GET", target, "")
			at := position(t, w)
			if dx, dy := at[0].(float64)-tt.x, at[1].(float64)-tt.y; dx*dx+dy*dy > 1e-6 {
				t.Errorf("%s in %q: %v, want %v, %v", path, tt.crs, at, tt.x, tt.y)
			}
			if got := w.Header().Get("Content-Crs"); got != tt.header {
				t.Errorf("Content-Crs %q, want %q", got, tt.header)
			}
		}
	}
}

func TestVersionsAreLinked(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 3, "x"), versions: []int64{3, 1, 2}}
	h := handlerOf(t, s)
	tests := []struct{ id, before, after, latest string }{
		{"3", "", "/1", "/2"}, {"1", "/3", "/2", "/2"}, {"2", "/1", "", "/2"},
	}
	for _, tt := range tests {
		s.calls = nil
		w := do(h, "GET", itemsPath+"/"+tt.id, "")
		if len(s.calls) != 1 {
			t.Errorf("the store is asked more than once: %v", s.calls)
		}
		doc := decode(t, w)
		for rel, want := range map[string]string{"predecessor-version": tt.before, "successor-version": tt.after, "latest-version": tt.latest, "collection": "/bts_sites"} {
			if got := linkTo(doc, rel); (got == "") != (want == "") || !strings.HasSuffix(got, want) {
				t.Errorf("%s of %s is %q, want …%s", rel, tt.id, got, want)
			}
		}
		if w.Header().Get("ETag") != `"7"` {
			t.Errorf("ETag %s, want the revision", w.Header().Get("ETag"))
		}
	}
}

func TestCaching(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 2, "x"), number: 17}
	h := handlerOf(t, s)
	etag := func(target string, headers ...string) string {
		t.Helper()
		w := do(h, "GET", target, "", headers...)
		if w.Code != 200 || w.Header().Get("ETag") == "" {
			t.Fatalf("%s: status %d, %v", target, w.Code, w.Header())
		}
		return w.Header().Get("ETag")
	}
	for _, target := range []string{itemsPath, itemsPath + "/1", "/api/v1/collections", "/api/v1", "/api/v1/openapi.json", "/api/v1/indicators"} {
		tag := etag(target)
		w := do(h, "GET", target, "", "If-None-Match: "+`"other", `+tag)
		if w.Code != 304 || w.Body.Len() != 0 || w.Header().Get("ETag") != tag {
			t.Errorf("%s: status %d with %d bytes", target, w.Code, w.Body.Len())
		}
		if w = do(h, "GET", target, "", `If-None-Match: "other"`); w.Code != 200 {
			t.Errorf("%s: status %d for another tag", target, w.Code)
		}
	}
	before := etag(itemsPath)
	// What the client has been told is no answer to another question, and none to who may not ask it.
	for question, want := range map[string]int{itemsPath + "?limit=0": 400, itemsPath + "?f=wrong": 400, itemsPath + "?known_at=2020-01-01T00:00:00Z": 401, itemsPath + "?limit=1": 200} {
		for _, theirs := range []string{before, "*"} {
			w := do(h, "GET", question, "", "If-None-Match: "+theirs)
			if theirs == "*" && want == 200 {
				want = 304
			}
			if w.Code != want || want >= 400 && w.Header().Get("ETag") != "" {
				t.Errorf("%s with %s: status %d with the tag %s, want %d", question, theirs, w.Code, w.Header().Get("ETag"), want)
			}
		}
	}
	seen := map[string]bool{before: true, etag(itemsPath + "?limit=1"): true, etag(itemsPath, asOfficer): true,
		etag(itemsPath, "Authorization: Bearer operator"): true, etag(itemsPath + "?crs=EPSG:9205"): true}
	s.number = 18
	seen[etag(itemsPath)] = true
	if len(seen) != 6 {
		t.Errorf("%d different tags for six different answers", len(seen))
	}
	for headers, want := range map[string]string{"": "public, no-cache", asOfficer: "private, no-cache", "Authorization: Bearer operator": "private, no-cache"} {
		if got := do(h, "GET", itemsPath, "", headers).Header().Get("Cache-Control"); got != want {
			t.Errorf("%q: Cache-Control %q, want %q", headers, got, want)
		}
	}
}

func TestCollections(t *testing.T) {
	s := &fakeStore{number: 1}
	h := handlerOf(t, s)
	doc := decode(t, do(h, "GET", "/api/v1/collections", "", "Accept-Language: vi"))
	all := doc["collections"].([]any)
	if len(all) != 21 {
		t.Fatalf("%d collections", len(all))
	}
	c := all[0].(map[string]any)
	if c["id"] != "bts_sites" || c["title"] != "Vị trí cột ăng ten" || c["itemType"] != "feature" || c["storageCrs"] != "http://www.opengis.net/def/crs/OGC/1.3/CRS84" {
		t.Errorf("%v", c)
	}
	want := map[string]any{
		"spatial":  map[string]any{"bbox": []any{[]any{102.1, 20.9, 103.6, 22.6}}, "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"},
		"temporal": map[string]any{"interval": []any{[]any{"2015-12-31T00:00:00Z", nil}}},
	}
	if d := cmp.Diff(want, c["extent"]); d != "" {
		t.Error(d)
	}
	if _, ok := all[1].(map[string]any)["extent"]; ok {
		t.Error("an empty layer has an extent")
	}
	for _, rel := range []string{"self", "items", "describedby", relSchema, relQueryables} {
		if linkTo(c, rel) == "" {
			t.Errorf("no link %s", rel)
		}
	}
	// The second request finds the extents known; a new version of one layer asks for it alone.
	s.calls = nil
	do(h, "GET", "/api/v1/collections", "")
	s.number = 2
	do(h, "GET", "/api/v1/collections", "")
	if d := cmp.Diff([]string{"LayerVersions", "LayerVersions", "Extent bts_sites"}, s.calls); d != "" {
		t.Error(d)
	}
}

func TestSchemas(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	for _, path := range []string{"/schema", "/queryables"} {
		w := do(h, "GET", "/api/v1/collections/bts_sites"+path, "", "Accept-Language: vi")
		doc := decode(t, w)
		if w.Header().Get("Content-Type") != typeSchema || doc["$id"] != "http://example.com/api/v1/collections/bts_sites"+path {
			t.Errorf("%s: %v, %v", path, w.Header().Get("Content-Type"), doc["$id"])
		}
		height := doc["properties"].(map[string]any)["height_m"].(map[string]any)
		if height["type"] != "number" || height["x-ogc-unit"] != "m" || height["minimum"] != 0.0 || height["title"] != "Chiều cao (m)" {
			t.Errorf("height_m: %v", height)
		}
	}
}
