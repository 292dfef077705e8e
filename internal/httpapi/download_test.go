package httpapi

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"hatang/internal/formats"
	"hatang/internal/layer"
)

const downloadPath = "/api/v1/collections/bts_sites/download"

// Every format is had by its names and by its media type, page by page and in one file.
func TestFormats(t *testing.T) {
	h := handlerOf(t, &fakeStore{rows: siteRows(t, 5, "Mường Ảng")})
	for _, f := range formats.Of(&layer.Layer{Name: "bts_sites"}) {
		for _, path := range []string{itemsPath, downloadPath} {
			byName := do(h, "GET", path+"?f="+f.Name(), "")
			if byName.Code != 200 || byName.Header().Get("Content-Type") != contentType(&f) || byName.Header().Get("Content-Length") != strconv.Itoa(byName.Body.Len()) {
				t.Errorf("%s as %s: %d, %v", path, f.Name(), byName.Code, byName.Header())
			}
			byType := do(h, "GET", path, "", "Accept: text/nothing, "+f.MediaType+";q=0.5, */*;q=0.1")
			if byType.Header().Get("Content-Type") != contentType(&f) || path == downloadPath && byType.Body.String() != byName.Body.String() {
				t.Errorf("%s as %s: %d, %v", path, f.MediaType, byType.Code, byType.Header())
			}
			name := "attachment; filename=bts_sites-2020-12-31" + f.Extensions[0]
			if got := byName.Header().Get("Content-Disposition"); got != name && (path == downloadPath || f.Name() != "geojson") {
				t.Errorf("%s as %s is called %q", path, f.Name(), got)
			}
			for _, accepted := range []string{"identity", "gzip", "zstd"} {
				target := path + "?f=" + f.Name()
				got, head := do(h, "GET", target, "", "Accept-Encoding: "+accepted), do(h, "HEAD", target, "", "Accept-Encoding: "+accepted)
				if head.Code != 200 || head.Body.Len() > 0 {
					t.Errorf("HEAD of %s: %d with %d bytes", target, head.Code, head.Body.Len())
				}
				sameHeaders(t, target+" with "+accepted, got, head)
			}
		}
	}
}

// What a format is asked with and cannot have is a fault of its own, all at once.
func TestFaultsOfOutput(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	for query, want := range map[string][]string{
		"f=dxf":                            {"f"},
		"f=dxf&decimals=16&bom=1":          {"f", "decimals", "bom"},
		"bom=true":                         {"bom"},
		"bom=x&f=kml&crs=EPSG:9205":        {"crs", "bom", "bom"},
		"f=csv&bom=":                       {"bom"},
		"decimals=-1":                      {"decimals"},
		"decimals=1.5&limit=0&after=x":     {"limit", "after", "decimals"},
		"f=kml&crs=EPSG:4326&datetime=now": {"datetime", "crs"},
	} {
		w := do(h, "GET", itemsPath+"?"+query, "")
		var p problemDocument
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, fault := range p.Errors {
			got = append(got, fault.Parameter)
		}
		if d := cmp.Diff(want, got); w.Code != 400 || d != "" {
			t.Errorf("%s: %d, %s", query, w.Code, d)
		}
	}
	for path, page := range map[string]bool{itemsPath: true, downloadPath: false} {
		if w := do(h, "GET", path+"?f=dxf", ""); strings.Contains(w.Body.String(), "ndjson, html") != page {
			t.Errorf("%s: whether f may be html is said wrongly: %s", path, w.Body)
		}
	}
	for _, query := range []string{"limit=1", "after=3", "nothing=1"} {
		if w := do(h, "GET", downloadPath+"?"+query, ""); w.Code != 400 {
			t.Errorf("a download with %s: %d", query, w.Code)
		}
	}
	if w := do(h, "GET", downloadPath, "", "Accept: image/png"); w.Code != 406 {
		t.Errorf("as a picture: %d", w.Code)
	}
	for _, query := range []string{"f=kml&crs=CRS84", "f=csv&bom=true&decimals=0", "f=json", "decimals=15"} {
		if w := do(h, "GET", itemsPath+"?"+query, ""); w.Code != 200 {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}

// A page that is no GeoJSON tells by headers what GeoJSON has members for.
func TestPagesInOtherFormats(t *testing.T) {
	h := handlerOf(t, &fakeStore{rows: siteRows(t, 5, "x")})
	for _, f := range formats.Of(&layer.Layer{Name: "bts_sites"}) {
		if f.Name() == "geojson" {
			continue
		}
		target, pages := itemsPath+"?limit=2&f="+f.Name(), []string{}
		for target != "" {
			w := do(h, "GET", target, "")
			pages = append(pages, w.Header().Get("OGC-NumberReturned")+" of "+w.Header().Get("OGC-NumberMatched"))
			target = ""
			for _, link := range w.Header().Values("Link") {
				if href, _, ok := strings.Cut(link, `>; rel="next"; type="`+f.MediaType+`"`); ok {
					target = strings.TrimPrefix(href, "<http://example.com")
				}
			}
		}
		if d := cmp.Diff([]string{"2 of 5", "2 of 5", "1 of 5"}, pages); d != "" {
			t.Errorf("%s: %s", f.Name(), d)
		}
	}
}

// A page in another format that grows long ends early, with a link to what follows.
func TestLongPagesInOtherFormats(t *testing.T) {
	h := handlerOf(t, &fakeStore{rows: siteRows(t, 20, strings.Repeat("x", 1<<20))})
	target, lines, pages := itemsPath+"?f=ndjson", 0, 0
	for target != "" && pages < 9 {
		w := do(h, "GET", target, "")
		if w.Header().Get("Content-Length") == "" || w.Header().Get("OGC-NumberMatched") != "20" {
			t.Errorf("page %d: %v", pages, w.Header())
		}
		lines += strings.Count(w.Body.String(), "\n")
		pages++
		target = ""
		for _, link := range w.Header().Values("Link") {
			if href, _, ok := strings.Cut(link, `>; rel="next"`); ok {
				target = strings.TrimPrefix(href, "<http://example.com")
			}
		}
	}
	if lines != 20 || pages != 3 {
		t.Errorf("%d features on %d pages", lines, pages)
	}
}

func TestFormatsAreLinked(t *testing.T) {
	h := handlerOf(t, &fakeStore{rows: siteRows(t, 1, "x")})
	hrefs := func(target, rel string) (all []string) {
		for _, l := range decode(t, do(h, "GET", target, ""))["links"].([]any) {
			if m := l.(map[string]any); m["rel"] == rel {
				all = append(all, m["href"].(string)+" "+m["type"].(string))
			}
		}
		return all
	}
	page := "http://example.com" + itemsPath
	var items, enclosures []string
	alternates := []string{page + "?crs=EPSG%3A3405&f=html " + typeHTML}
	for _, f := range formats.Of(&layer.Layer{Name: "bts_sites"}) {
		at := page + "?f=" + f.Name() + " " + f.MediaType
		if f.Name() == "geojson" {
			at = page + " " + f.MediaType
		} else if f.Name() != "kml" {
			alternates = append(alternates, page+"?crs=EPSG%3A3405&f="+f.Name()+" "+f.MediaType)
		}
		if items = append(items, at); f.Name() == "geojson" {
			items = append(items, page+"?f=html "+typeHTML)
		}
		enclosures = append(enclosures, "http://example.com"+downloadPath+"?f="+f.Name()+" "+f.MediaType)
	}
	if d := cmp.Diff(items, hrefs("/api/v1/collections/bts_sites", "items")); d != "" {
		t.Errorf("items: %s", d)
	}
	if d := cmp.Diff(enclosures, hrefs("/api/v1/collections/bts_sites", "enclosure")); d != "" {
		t.Errorf("enclosures: %s", d)
	}
	if d := cmp.Diff(alternates, hrefs(itemsPath+"?crs=EPSG:3405", "alternate")); d != "" {
		t.Errorf("alternates: %s", d)
	}
}

// What a download is asked reaches the store, without a limit; nothing is counted.
func TestDownloadAsksOnce(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 3, "x")}
	h := handlerOf(t, s)
	w := do(h, "GET", downloadPath+"?mast_type=A2b&datetime=2018-01-01&bbox=100,20,110,23", "")
	if w.Code != 200 || s.asked.Limit != 0 || len(s.asked.Equal) != 1 || len(s.asked.Boxes) != 1 || s.asked.Date.String() != "2018-01-01" {
		t.Errorf("%d, the store was asked %+v", w.Code, s.asked)
	}
	if d := cmp.Diff([]string{"LayerVersions", "Features"}, s.calls); d != "" {
		t.Error(d)
	}
	// With nothing to narrow it, it is asked whether the layer is large.
	s.calls = nil
	do(h, "GET", downloadPath, "")
	if d := cmp.Diff([]string{"LayerVersions", "HasMore", "Features"}, s.calls); d != "" {
		t.Error(d)
	}
	// The header of a long answer is known without its rows.
	large := &fakeStore{rows: siteRows(t, maxComplete/100, "x")}
	if w := do(handlerOf(t, large), "HEAD", downloadPath, ""); w.Code != 200 || w.Header().Get("Content-Length") != "" || slices.Contains(large.calls, "Features") {
		t.Errorf("HEAD of a long answer: %d, %v, by %v", w.Code, w.Header(), large.calls)
	}
	s.calls = nil
	if got := do(h, "GET", downloadPath+"?mast_type=A9&f=csv", ""); strings.Count(got.Body.String(), "\n") != 1 || slices.Contains(s.calls, "Features") {
		t.Errorf("what cannot be is %q, by %v", got.Body, s.calls)
	}
}

func TestCachingOfDownloads(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 2, "x"), number: 17}
	h := handlerOf(t, s)
	seen := map[string]string{}
	for _, ask := range [][]string{
		{downloadPath}, {itemsPath}, {downloadPath + "?f=csv"}, {downloadPath + "?f=csv&bom=true"}, {downloadPath + "?decimals=2"}, {downloadPath, "Accept: text/csv"},
		{downloadPath + "?f=kml", "Accept-Language: vi"}, {downloadPath + "?f=kml"}, {downloadPath, asOfficer}, {downloadPath + "?crs=EPSG:9205"}, {downloadPath + "?f=gpkg"},
	} {
		w := do(h, "GET", ask[0], "", ask[1:]...)
		tag := w.Header().Get("ETag")
		if other := seen[tag]; tag == "" || other != "" {
			t.Errorf("%v and %s have the tag %s", ask, other, tag)
		}
		seen[tag] = strings.Join(ask, " ")
		if again := do(h, "GET", ask[0], "", append(ask[1:], "If-None-Match: "+tag)...); again.Code != 304 || again.Body.Len() > 0 {
			t.Errorf("%v again: %d", ask, again.Code)
		}
		s.number++
		if changed := do(h, "GET", ask[0], "", append(ask[1:], "If-None-Match: "+tag)...); changed.Code != 200 {
			t.Errorf("%v after an edit: %d", ask, changed.Code)
		}
		s.number--
	}
}

// A format that is made for one layer is offered and had there alone, and by its name.
func TestFormatOfOneLayer(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	if w := do(h, "GET", downloadPath+"?f=ofds", "", "Accept-Language: en"); w.Code != 400 || !strings.Contains(w.Body.String(), "is for the layer fibre_routes alone") {
		t.Errorf("sites: %d %s", w.Code, w.Body)
	}
	for accept, want := range map[string]string{"application/json": typeGeoJSON, "*/*": typeGeoJSON} {
		if w := do(h, "GET", "/api/v1/collections/fibre_routes/items", "", "Accept: "+accept); w.Code != 200 || w.Header().Get("Content-Type") != want {
			t.Errorf("%s: %d %s", accept, w.Code, w.Header().Get("Content-Type"))
		}
	}
	for path, want := range map[string]bool{"/api/v1/collections/fibre_routes": true, "/api/v1/collections/fibre_routes/items": true, "/api/v1/collections/bts_sites": false} {
		if got := strings.Contains(do(h, "GET", path, "").Body.String(), "f=ofds"); got != want {
			t.Errorf("%s links to it: %t", path, got)
		}
	}
	doc, err := openapi3.NewLoader().LoadFromData(do(h, "GET", "/api/v1/openapi.json", "").Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for of, want := range map[string]bool{"fibre_routes/items": true, "fibre_routes/download": true, "bts_sites/items": false} {
		names := doc.Paths.Value("/collections/"+of).Get.Parameters.GetByInAndName("query", "f").Schema.Value.Enum
		if slices.Contains(names, any("ofds")) != want || !slices.Contains(names, any("xlsx")) {
			t.Errorf("%s has f=%v", of, names)
		}
	}
	if w := do(h, "GET", "/api/v1/collections/fibre_routes/download?f=ofds", ""); w.Code != 200 || w.Header().Get("Content-Type") != typeJSON || !strings.Contains(w.Body.String(), `{"networks":[`) {
		t.Errorf("routes: %d %s", w.Code, w.Body)
	}
}

// What is compressed by itself is not compressed again.
func TestPackedFormats(t *testing.T) {
	h := handlerOf(t, &fakeStore{rows: siteRows(t, 200, strings.Repeat("x", 100))})
	for _, f := range formats.Of(&layer.Layer{Name: "bts_sites"}) {
		w := do(h, "GET", downloadPath+"?f="+f.Name(), "", "Accept-Encoding: gzip")
		if packed := w.Header().Get("Content-Encoding") == ""; packed != f.Packed {
			t.Errorf("%s is sent uncompressed: %t", f.Name(), packed)
		}
	}
}

func TestRangesOfDownloads(t *testing.T) {
	h := handlerOf(t, &fakeStore{rows: siteRows(t, 20, "x")})
	for _, name := range []string{"gpkg", "fgb", "csv"} {
		whole := do(h, "GET", downloadPath+"?f="+name, "").Body.String()
		for asked, want := range map[string]string{"bytes=0-99": whole[:100], "bytes=100-": whole[100:], "bytes=-10": whole[len(whole)-10:]} {
			w := do(h, "GET", downloadPath+"?f="+name, "", "Range: "+asked)
			if w.Code != 206 || w.Body.String() != want || !strings.HasSuffix(w.Header().Get("Content-Range"), "/"+strconv.Itoa(len(whole))) {
				t.Errorf("%s, %s: %d, %d bytes, %s", name, asked, w.Code, w.Body.Len(), w.Header().Get("Content-Range"))
			}
		}
		if w := do(h, "GET", downloadPath+"?f="+name, "", "Range: bytes=0-1", `If-Range: "x"`); w.Code != 200 || w.Body.String() != whole {
			t.Errorf("%s for another version: %d", name, w.Code)
		}
	}
}

// A client that reads a file range by range has it made once; an edit has it made anew,
// and nobody reads the parts of two of them for one.
func TestFilesAreMadeOnceForTheirRanges(t *testing.T) {
	for _, name := range []string{"gpkg", "fgb"} {
		s := &fakeStore{rows: siteRows(t, 20, "x"), number: 1}
		h := handlerOf(t, s)
		made := func() int {
			n := 0
			for _, call := range s.calls {
				if call == "Features" {
					n++
				}
			}
			return n
		}
		path := downloadPath + "?f=" + name
		first := do(h, "HEAD", path, "")
		size, strong := first.Header().Get("Content-Length"), first.Header().Get("ETag")
		if first.Code != 200 || strings.HasPrefix(strong, "W/") || made() != 1 {
			t.Fatalf("%s: %d, tag %s, made %d times", name, first.Code, strong, made())
		}
		var parts []string
		for _, asked := range []string{"bytes=0-99", "bytes=100-199", "bytes=200-"} {
			w := do(h, "GET", path, "", "Range: "+asked, "If-Range: "+strong)
			if w.Code != 206 || w.Header().Get("ETag") != strong || !strings.HasSuffix(w.Header().Get("Content-Range"), "/"+size) {
				t.Errorf("%s, %s: %d, %s", name, asked, w.Code, w.Header().Get("ETag"))
			}
			parts = append(parts, w.Body.String())
		}
		if made() != 1 {
			t.Errorf("%s: made %d times for its ranges", name, made())
		}
		again := do(handlerOf(t, s), "GET", path, "") // of another server
		if again.Body.String() != strings.Join(parts, "") || again.Header().Get("ETag") != strong {
			t.Errorf("%s: another server sends other bytes, or calls them otherwise: %s, %s", name, again.Header().Get("ETag"), strong)
		}
		if packed := do(h, "GET", path, "", "Accept-Encoding: zstd"); packed.Header().Get("Content-Encoding") == "zstd" && packed.Header().Get("ETag") != strings.TrimSuffix(strong, `"`)+`-zstd"` || packed.Header().Get("Content-Encoding") == "" && packed.Header().Get("ETag") != strong {
			t.Errorf("%s: compressed it is %s", name, packed.Header().Get("ETag"))
		}
		for _, tag := range []string{strong, "W/" + strong, `"x", ` + strong} {
			if w := do(h, "GET", path, "", "If-None-Match: "+tag); w.Code != 304 || !strings.HasSuffix(w.Header().Get("ETag"), strong) {
				t.Errorf("%s: %s gets %d, %s", name, tag, w.Code, w.Header().Get("ETag"))
			}
		}
		// Of a file of which one has all there is no more; what is no single range is passed over.
		for asked, status := range map[string]int{"bytes=" + size + "-": 416, "bytes=99999999999-": 416, "bytes=9999999-99999999": 416, "bytes=0-0,9999999-": 200, "bytes=9999999-1": 200, "rows=9999999-": 200} {
			w := do(h, "GET", path, "", "Range: "+asked, "If-Range: "+strong)
			if w.Code != status || status == 416 && (w.Header().Get("Content-Range") != "bytes */"+size || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("ETag") != "") {
				t.Errorf("%s, %s: %d, %v", name, asked, w.Code, w.Header())
			}
		}
		if w := do(h, "GET", path, "", "Range: bytes="+size+"-", `If-Range: "x"`); w.Code != 200 {
			t.Errorf("%s: the end of another file: %d", name, w.Code)
		}
		before := made()
		s.number, s.rows = 2, siteRows(t, 21, "x")
		if w := do(h, "GET", path, "", "Range: bytes=0-99", "If-Range: "+strong); w.Code != 200 || w.Header().Get("ETag") == strong || made() != before+1 {
			t.Errorf("%s after an edit: %d, %s", name, w.Code, w.Header().Get("ETag"))
		}
		if w := do(h, "GET", path, "", "If-None-Match: "+strong); w.Code != 200 {
			t.Errorf("%s after an edit, for who has the one before: %d", name, w.Code)
		}
	}
}

// Downloads stream as pages do, and fail as they do: with a problem before the first
// byte, by being cut off after it. A layer that is certain to be long begins at once.
func TestStreamsOfDownloads(t *testing.T) {
	small := strings.Repeat("x", 100)
	count := 2 * maxComplete / 600
	for _, tt := range []struct {
		name                  string
		rows, failAt          int
		pad, path, encoding   string
		status                int
		wantLength, wantError bool
	}{
		{"short", 3, 0, small, "?f=csv", "identity", 200, true, false},
		{"short and failing", 3, 2, small, "", "identity", 503, true, false},
		{"long by its rows", 12, 0, strings.Repeat("x", 1<<20), "", "identity", 200, false, false},
		{"certain to be long", count, 0, small, "", "identity", 200, false, false},
		{"certain to be long, failing before a chunk is full", count, 2, small, "", "identity", 503, true, false},
		{"certain to be long, failing after the first", count, 1000, small, "", "identity", 200, false, true},
		{"failing after the first, compressed", count, 1000, small, "", "gzip", 200, false, true},
		{"failing after the first, with zstd", count, 1000, small, "", "zstd", 200, false, true},
		{"not certain, failing at the same row", count, 1000, small, "?bbox=100,20,110,23", "identity", 503, true, false},
		{"a file that fails", count, count, small, "?f=fgb", "identity", 503, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(handlerOf(t, &fakeStore{rows: siteRows(t, tt.rows, tt.pad), failAt: tt.failAt}))
			defer server.Close()
			resp, body, err := get(t, server, "GET", downloadPath+tt.path, tt.encoding)
			if resp.StatusCode != tt.status || (resp.ContentLength >= 0) != tt.wantLength || (err != nil) != tt.wantError {
				t.Fatalf("status %d, length %d, %v", resp.StatusCode, resp.ContentLength, err)
			}
			if resp.StatusCode == 503 && resp.Header.Get("Content-Disposition") != "" {
				t.Error("a problem is offered as a file")
			}
			if tt.status == 200 && !tt.wantError && tt.path == "" {
				checkWhole(t, resp, body)
			}
		})
	}
}

// A file that grows too large is the fault of f, and says what to do.
func TestFilesThatAreTooLarge(t *testing.T) {
	f, _ := formats.Named("gpkg")
	var p *problemError
	if err := tooLarge(errors.Join(formats.ErrTooLarge), &f); !errors.As(err, &p) || p.Type.Status != 400 || p.Faults[0].At != "f" || !strings.Contains(p.Detail.EN, "GeoPackage") {
		t.Errorf("%v", err)
	}
	long := siteRows(t, 1, strings.Repeat("x", formats.MaxExcelCharacters+1))
	for lang, want := range map[string]string{"en": "32767 that Excel has room for", "vi": "32767 mà Excel chứa được"} {
		w := do(handlerOf(t, &fakeStore{rows: long}), "GET", downloadPath+"?f=xlsx", "", "Accept-Language: "+lang)
		if w.Code != 400 || !strings.Contains(w.Body.String(), want) || w.Header().Get("Content-Disposition") != "" {
			t.Errorf("a text that is too long for Excel: %d %s", w.Code, w.Body)
		}
	}
	if err := tooLarge(layer.ErrTimeout, &f); !errors.Is(err, layer.ErrTimeout) {
		t.Errorf("another error became %v", err)
	}
}

// Decimals are as asked, in the answer's reference system.
func TestDecimalsAsAsked(t *testing.T) {
	h := handlerOf(t, &fakeStore{rows: siteRows(t, 1, "x")})
	for query, want := range map[string]string{
		"": "[103.0165,21.3826]", "decimals=2": "[103.02,21.38]", "decimals=0": "[103,21]", "decimals=15": "[103.0165,21.3826]",
		"decimals=1&crs=" + url.QueryEscape("EPSG:9205"): "[501514.8,2365307.1]", "decimals=0&crs=EPSG:4326": "[21,103]",
	} {
		if w := do(h, "GET", itemsPath+"?"+query, ""); !strings.Contains(w.Body.String(), `"coordinates":`+want) {
			t.Errorf("%s: %.300s", query, w.Body)
		}
	}
}

// GDAL takes no download that was cut off for a whole one.
func TestGDALSeesWhatIsCutOff(t *testing.T) {
	rows := siteRows(t, 2*maxComplete/600, strings.Repeat("x", 100))
	for _, failAt := range []int{0, len(rows) - 10} {
		server := httptest.NewServer(handlerOf(t, &fakeStore{rows: rows, failAt: failAt}))
		defer server.Close()
		for _, name := range []string{"geojson", "kml", "ndjson"} {
			out, err := exec.CommandContext(t.Context(), "ogrinfo", "-ro", "-so", "-al", server.URL+downloadPath+"?f="+name).CombinedOutput()
			whole := err == nil && strings.Contains(string(out), "Feature Count: "+strconv.Itoa(len(rows)))
			if whole != (failAt == 0) || failAt > 0 && !strings.Contains(string(out), "ERROR") && err == nil {
				t.Errorf("%s, failing at row %d: %v\n%.500s", name, failAt, err, out)
			}
		}
	}
}

// What is read for a page or a file is no older than what its ETag says.
func TestRowsAreNoOlderThanTheirTag(t *testing.T) {
	for _, path := range []string{itemsPath, downloadPath} {
		s := &fakeStore{rows: siteRows(t, 3, "x"), number: 7}
		if w := do(handlerOf(t, s), "GET", path, ""); w.Code != 200 || s.asked.NoOlder != 7 {
			t.Errorf("%s: status %d, rows of version %d or later, want 7", path, w.Code, s.asked.NoOlder)
		}
	}
}
