package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
)

// referenceLayer is a reference layer of any geometry.
func referenceLayer(name string, staffOnly bool) layer.Layer {
	d := layer.Definition{Name: name, Title: geo.Text{VI: "Trường", EN: "Schools"}, Geometry: layer.AnyGeometry, StorageSRID: 3405, GeometryColumn: "the_geom",
		Fields: []layer.FieldDefinition{{Name: "pupils", Kind: layer.Integer, Title: geo.Text{VI: "Sĩ số", EN: "Sĩ số"}, Column: "PUPILS"}, {Name: "limit", Kind: layer.Text, Title: geo.Text{VI: "x", EN: "x"}, Column: "limit"}}}
	d.Complete("")
	return layer.Reference{ID: 1, StaffOnly: staffOnly, Definition: d}.Layer()
}

// withReferences is an API that has a reference layer for all, and one for staff alone.
func withReferences(t testing.TB, s *fakeStore) *api {
	t.Helper()
	a := apiOf(t, s)
	if err := a.Registry.Replace([]layer.Layer{referenceLayer("bunkers", true), referenceLayer("schools", false)}); err != nil {
		t.Fatal(err)
	}
	return a
}

const publishPath = "/api/v1/collections?name=schools"

func TestPublishing(t *testing.T) {
	s := &fakeStore{made: Published{Definition: layer.Definition{Geometry: layer.Point, Fields: []layer.FieldDefinition{{Name: "x", Kind: layer.Date, Column: "X"}}}, Read: 3}}
	query := "&title_vi=Tr%C6%B0%E1%BB%9Dng&title_en=Schools&description_en=d&colour=%23112233&code=c&table=t&crs=EPSG:9205&storage_crs=EPSG:3405&visibility=staff&jurisdiction=11&source=a.gpkg&axis=yx&unshifted=false&encoding=tcvn3"
	w := do(handlerOf(t, s), "POST", publishPath+query, "the file", asOfficer, "Content-Type: application/geopackage+sqlite3")
	if w.Code != http.StatusCreated || w.Header().Get("Location") != "http://example.com/api/v1/collections/schools" || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	want := File{Source: "a.gpkg", Name: "schools", Title: geo.Text{VI: "Trường", EN: "Schools"}, Doc: geo.Text{EN: "d"}, Colour: "#112233", Code: "c", Table: "t", CRS: "EPSG:9205", StorageSRID: 3405, StaffOnly: true, Jurisdiction: "11", Path: s.file.Path,
		Reading: layer.Reading{Axis: "yx", Encoding: "tcvn3", Unshifted: new(false)}}
	if d := cmp.Diff(want, s.file); d != "" || string(s.received) != "the file" {
		t.Errorf("%s, and %q", d, s.received)
	}
	if _, err := os.Stat(s.file.Path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
	if doc := decode(t, w); doc["collection"] != "schools" || doc["features"] != 3.0 || fmt.Sprint(doc["fields"]) != "[map[column:X kind:date name:x]]" {
		t.Errorf("%v", doc)
	}
	w = do(handlerOf(t, s), "POST", publishPath, "{}", asOfficer, "Content-Type: application/geo+json")
	if w.Code != http.StatusCreated || s.file.StorageSRID != layer.SRID || s.file.StaffOnly || s.file.Source != "schools" {
		t.Errorf("%d %+v", w.Code, s.file)
	}
}

func TestPublishingTellsAllFaultsOfTheRequest(t *testing.T) {
	s := &fakeStore{}
	w := do(handlerOf(t, s), "POST", "/api/v1/collections?crs=EPSG:1&storage_crs=x&visibility=secret&title_vi=%ff&other=1", "{}", asOfficer, "Content-Type: application/json")
	var doc problemDocument
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	var at []string
	for _, f := range doc.Errors {
		at = append(at, f.Parameter)
	}
	if w.Code != http.StatusBadRequest || !slices.Equal(at, []string{"other"}) {
		t.Errorf("%d %q: unknown parameters come first", w.Code, at)
	}
	w = do(handlerOf(t, s), "POST", "/api/v1/collections?crs=EPSG:1&storage_crs=x&visibility=secret&title_vi=%ff", "{}", asOfficer, "Content-Type: application/json")
	doc, at = problemDocument{}, nil
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	for _, f := range doc.Errors {
		at = append(at, f.Parameter)
	}
	if w.Code != http.StatusBadRequest || !slices.Equal(at, []string{"title_vi", "crs", "storage_crs", "visibility", "name"}) || len(s.calls) > 0 {
		t.Errorf("%d %q, and asked for %q", w.Code, at, s.calls)
	}
}

func TestWhatKeepsAFileFromBeingPublished(t *testing.T) {
	for _, tt := range []struct {
		err         error
		status      int
		name, where string
	}{
		{formats.ErrUnknownFormat, 400, "unreadable-body", ""},
		{fmt.Errorf("x: %w", formats.ErrNotGeoJSON), 400, "unreadable-body", ""},
		{fmt.Errorf("x: %w", formats.ErrNotGeoPackage), 400, "unreadable-body", ""},
		{formats.ErrEmpty, 400, "unreadable-body", ""},
		{&formats.WhichTableError{Tables: []string{"a", "b"}}, 400, "invalid-parameter", "table"},
		{fmt.Errorf("x: %w", geo.ErrUnknownCRS), 400, "invalid-parameter", "crs"},
		{layer.ErrNameTaken, 409, "conflict", ""},
		{layer.ErrTooManyLayers, 409, "conflict", ""},
		{layer.Faults{{At: "/storage_srid"}}.Err(), 400, "invalid-parameter", "storage_crs"},
		{layer.ErrUnavailable, 503, "unavailable", ""},
	} {
		w := do(handlerOf(t, &fakeStore{err: tt.err}), "POST", publishPath, "{}", asOfficer, "Content-Type: application/geo+json")
		var doc problemDocument
		if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		where := ""
		if len(doc.Errors) > 0 {
			where = doc.Errors[0].Parameter
		}
		if w.Code != tt.status || doc.Type != "/problems/"+tt.name || where != tt.where {
			t.Errorf("%v: %d %s at %q", tt.err, w.Code, doc.Type, where)
		}
	}
	s := &fakeStore{}
	for range 2 * MaxFileFaults {
		s.made.Faults.Add("/features/1", "x", "x")
	}
	w := do(handlerOf(t, s), "POST", publishPath, "{}", asOfficer, "Content-Type: application/geo+json")
	if errs, _ := decode(t, w)["errors"].([]any); w.Code != 400 || len(errs) != MaxFileFaults || !strings.Contains(w.Body.String(), "2000 faults") {
		t.Errorf("%d with %d faults: %.200s", w.Code, len(errs), w.Body)
	}
}

// A file is as large as it may be, or one byte larger, whether its length is said or not;
// and nothing of it is left.
func TestFilesHaveALimit(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	for size, want := range map[int]int{maxUploadBytes: http.StatusCreated, maxUploadBytes + 1: http.StatusRequestEntityTooLarge} {
		for _, said := range []bool{true, false} {
			s := &fakeStore{}
			r := httptest.NewRequest("POST", publishPath, &endless{left: size})
			r.ContentLength = -1
			if said {
				r.ContentLength = int64(size)
			}
			r.Header.Set("Authorization", strings.TrimPrefix(asOfficer, "Authorization: "))
			r.Header.Set("Content-Type", "application/octet-stream")
			w := httptest.NewRecorder()
			handlerOf(t, s).ServeHTTP(w, r)
			if w.Code != want || want == http.StatusCreated && len(s.received) != size {
				t.Errorf("%d bytes, said %v: %d %.200s", size, said, w.Code, w.Body)
			}
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

// One client sends one file at a time, and all together two.
func TestFilesTakeTurns(t *testing.T) {
	a := apiOf(t, &fakeStore{})
	rt := route{method: "POST", upload: true}
	enter := func(address string) (func(), error) {
		r := httptest.NewRequest("POST", "/", nil)
		r.RemoteAddr = address + ":1"
		return a.limits.enter(rt, viewer{}, r)
	}
	status := func(err error) int { return problemFor(err).Type.Status }
	leave, err := enter("192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := enter("192.0.2.1"); err == nil || status(err) != http.StatusTooManyRequests {
		t.Errorf("a second file of one client: %v", err)
	}
	if _, err = enter("192.0.2.2"); err != nil {
		t.Errorf("a file of another: %v", err)
	}
	if _, err := enter("192.0.2.3"); err == nil || status(err) != http.StatusServiceUnavailable {
		t.Errorf("a third file: %v", err)
	}
	leave()
	if _, err = enter("192.0.2.3"); err != nil {
		t.Errorf("once there is room: %v", err)
	}
}

func TestChangingAndWithdrawingLayers(t *testing.T) {
	text := func(vi, en string) *geo.Text { return &geo.Text{VI: vi, EN: en} }
	name, colour, yes := "academies", "#abcdef", true
	for _, tt := range []struct {
		method, path, body string
		status             int
		call               string
		change             layer.ReferenceChange
	}{
		{"PATCH", "schools", `{"name":"academies","title":{"en":"Academies"},"description":{"vi":"a","en":"b"},"colour":"#abcdef","visibility":"staff"}`, 204, "ChangeLayer schools",
			layer.ReferenceChange{Name: &name, Title: text("Trường", "Academies"), Doc: text("a", "b"), Colour: &colour, StaffOnly: &yes}},
		{"PATCH", "schools", `{}`, 204, "ChangeLayer schools", layer.ReferenceChange{}},
		{"PATCH", "bunkers", `{}`, 204, "ChangeLayer bunkers", layer.ReferenceChange{}},
		{"PATCH", "schools", `{"name":"Bad Name","colour":"red","visibility":"nobody","title":{"vi":""}}`, 400, "", layer.ReferenceChange{}},
		{"PATCH", "schools", `{"fields":[],"title":"x","storage_srid":1}`, 400, "", layer.ReferenceChange{}},
		{"PATCH", "roads", `{"colour":"#abcdef"}`, 403, "", layer.ReferenceChange{}},
		{"DELETE", "roads", "", 403, "", layer.ReferenceChange{}},
		{"DELETE", "schools", "", 204, "WithdrawLayer schools", layer.ReferenceChange{}},
		{"DELETE", "none", "", 404, "", layer.ReferenceChange{}},
	} {
		s := &fakeStore{}
		w := do(withReferences(t, s).router(), tt.method, "/api/v1/collections/"+tt.path, tt.body, asOfficer, "Content-Type: application/merge-patch+json")
		if w.Code != tt.status || strings.Join(s.calls, " ") != tt.call {
			t.Errorf("%s %s %s: %d, asked for %q: %s", tt.method, tt.path, tt.body, w.Code, s.calls, w.Body)
		}
		if d := cmp.Diff(tt.change, s.change); d != "" {
			t.Errorf("%s %s: %s", tt.method, tt.body, d)
		}
	}
}

// Whoever may not know of a layer finds it nowhere, and is answered of it as of one that
// there is not.
func TestLayersForStaffAreNowhereToOthers(t *testing.T) {
	s := &fakeStore{}
	h := withReferences(t, s).router()
	for _, path := range []string{"/collections", "/styles", "/styles/default", "/tiles/WebMercatorQuad", "/tiles/WebMercatorQuad/tilejson", "/openapi.json", "/openapi-3.1.json"} {
		for who, sees := range map[string]bool{"": false, "Authorization: Bearer operator": false, asOfficer: true} {
			var headers []string
			if who != "" {
				headers = []string{who}
			}
			w := do(h, "GET", "/api/v1"+path, "", headers...)
			if w.Code != 200 || strings.Contains(w.Body.String(), "bunkers") != sees || !strings.Contains(w.Body.String(), "schools") {
				t.Errorf("%s by %q: %d, tells of the layer: %v", path, who, w.Code, !sees)
			}
		}
	}
	for _, path := range []string{"", "/schema", "/schema/feature", "/queryables", "/items", "/items/1", "/tiles", "/tiles/WebMercatorQuad/0/0/0"} {
		for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
			hidden, none := do(h, method, "/api/v1/collections/bunkers"+path, ""), do(h, method, "/api/v1/collections/nothing"+path, "")
			plain := strings.NewReplacer("bunkers", "", "nothing", "", hidden.Header().Get("X-Request-Id"), "", none.Header().Get("X-Request-Id"), "")
			if hidden.Code != 404 || plain.Replace(hidden.Body.String()) != plain.Replace(none.Body.String()) {
				t.Errorf("%s %s: %d %s, of none %d %s", method, path, hidden.Code, hidden.Body, none.Code, none.Body)
			}
			if w := do(h, method, "/api/v1/collections/bunkers"+path, "", asOfficer); w.Code == 404 && path != "/items/1" {
				t.Errorf("%s %s by an officer: %d", method, path, w.Code)
			}
		}
	}
	preflight := "Access-Control-Request-Method: GET"
	for _, name := range []string{"bunkers", "nothing", "roads"} {
		if w := do(h, "OPTIONS", "/api/v1/collections/"+name+"/items", "", "Origin: https://other.example", preflight); w.Code != 204 {
			t.Errorf("a preflight for %s: %d: a browser asks it without saying who asks", name, w.Code)
		}
	}
	for _, path := range []string{"/tiles?collections=bunkers", "/tiles/WebMercatorQuad/0/0/0?collections=roads,bunkers"} {
		if w := do(h, "GET", "/api/v1"+path, ""); w.Code != 400 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestDocumentsOfAReferenceLayer(t *testing.T) {
	a := withReferences(t, &fakeStore{})
	h := a.router()
	c := decode(t, do(h, "GET", "/api/v1/collections/schools", ""))
	if c["storageCrs"] != "http://www.opengis.net/def/crs/EPSG/0/3405" || c["geometryType"] != "Geometry" || c["group"] != "reference" {
		t.Errorf("%v", c)
	}
	schema := decode(t, do(h, "GET", "/api/v1/collections/schools/schema", ""))
	properties, _ := schema["properties"].(map[string]any)
	geometry, _ := properties["geometry"].(map[string]any)
	if geometry["format"] != "geometry-any" || strings.Contains(fmt.Sprint(schema["required"]), "geometry") {
		t.Errorf("%v, required %v", geometry, schema["required"])
	}
	style := do(h, "GET", "/api/v1/styles/schools", "").Body.String()
	for _, want := range []string{`"id":"schools-points"`, `"id":"schools-lines"`, `"id":"schools-areas"`, `"id":"schools-areas-outline"`, `["match",["geometry-type"],["Polygon","MultiPolygon"],true,false]`} {
		if !strings.Contains(style, want) {
			t.Errorf("the style lacks %s: %s", want, style)
		}
	}
	docs := documentsOf(t, a)
	if err := validate(docs.v30); err != nil {
		t.Errorf("with reference layers the document is none: %v", err)
	}
	if again := documentsOf(t, a); &again.v30[0] != &docs.v30[0] {
		t.Error("the document is made anew for the same layers")
	}
	operation := func(path, method string) bool {
		var doc struct{ Paths map[string]map[string]any }
		if err := json.Unmarshal(docs.v30, &doc); err != nil {
			t.Fatal(err)
		}
		return doc.Paths[path][method] != nil
	}
	if !operation("/collections/schools", "delete") || operation("/collections/roads", "delete") || operation("/collections/roads", "patch") {
		t.Error("reference layers, and they alone, are changed and withdrawn")
	}
	for _, filter := range []string{"PUPILS>1", "pupils>1", "S_INTERSECTS(the_geom,POINT(1 1))", "S_INTERSECTS(geometry,POINT(1 1))", "valid_from<DATE('2020-01-01')", "limit='x'"} {
		if w := do(h, "GET", "/api/v1/collections/schools/items?filter="+strings.NewReplacer(" ", "%20", ">", "%3E", "<", "%3C").Replace(filter), ""); w.Code != 200 {
			t.Errorf("%s: %d %s", filter, w.Code, w.Body)
		}
	}
}

// A layer that is kept in the system asked for is read as it is kept.
func TestStoredCoordinatesAreNotComputed(t *testing.T) {
	l := referenceLayer("schools", false)
	format := func(l *layer.Layer) formats.GeoJSONOptions {
		sheet := formats.Sheet{Layer: l, CRS: mustCRS(t, "EPSG:3405")}
		return sheet.GeoJSON()
	}
	kept := readIn(&l, mustCRS(t, "EPSG:3405"))
	if format := format(kept); !kept.ReadsStored() || format.Transform != nil || format.Decimals != 3 {
		t.Errorf("asked for in its own system: %v, %+v", kept.ReadsStored(), format)
	}
	for _, name := range []string{"EPSG:9205", "CRS84", "EPSG:4326"} {
		if readIn(&l, mustCRS(t, name)).ReadsStored() {
			t.Errorf("%s is not what it is kept in", name)
		}
	}
	roads, _ := registry(t).Get("roads")
	if other := readIn(roads, mustCRS(t, "EPSG:3405")); other.ReadsStored() || format(other).Transform == nil {
		t.Error("a layer that is kept in WGS 84 is taken to another system")
	}
}

func mustCRS(t *testing.T, name string) geo.CRS {
	t.Helper()
	crs, err := geo.ParseCRS(name)
	if err != nil {
		t.Fatal(err)
	}
	return crs
}

// A geometry may be taken away where a row need not have one, and nowhere else.
func TestReferenceFeaturesMayLoseTheirGeometry(t *testing.T) {
	for _, tt := range []struct {
		method, body string
		cleared      bool
	}{
		{"PATCH", `{"geometry":null}`, true}, {"PATCH", `{"properties":{"pupils":3}}`, false},
		{"PUT", `{"type":"Feature","geometry":null,"properties":{"code":"A","valid_from":"2020-01-01","jurisdiction":"11"}}`, true},
		{"PUT", `{"type":"Feature","geometry":{"type":"Point","coordinates":[105,21]},"properties":{"code":"A","valid_from":"2020-01-01","jurisdiction":"11"}}`, false},
	} {
		s := &fakeStore{}
		w := do(withReferences(t, s).router(), tt.method, "/api/v1/collections/schools/items/1", tt.body, asOfficer, "Content-Type: application/geo+json")
		if w.Code != 204 || s.written.NoGeometry != tt.cleared {
			t.Errorf("%s %s: %d, cleared %v: %s", tt.method, tt.body, w.Code, s.written.NoGeometry, w.Body)
		}
	}
}

// What another server has changed meanwhile is no fault of this one.
func TestALayerThatHasJustBeenChanged(t *testing.T) {
	s := &fakeStore{err: fmt.Errorf("read schools: %w", layer.ErrChanged)}
	h := withReferences(t, s).router()
	for path, want := range map[string]int{"/collections/schools/items/1": 503, "/collections/roads/items/1": 500} {
		if w := do(h, "GET", "/api/v1"+path, ""); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}
