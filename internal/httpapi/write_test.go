package httpapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"hatang/internal/layer"
)

func TestWriting(t *testing.T) {
	crs84, latLon := "http://www.opengis.net/def/crs/OGC/1.3/CRS84", "http://www.opengis.net/def/crs/EPSG/0/4326"
	swapped := strings.Replace(feature, "103.0165,21.3826", "21.3826,103.0165", 1)
	tests := []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		call                     string
	}{
		{"create", "POST", "", feature, []string{geoJSON}, 201, "CreateFeature"},
		{"create as plain JSON", "POST", "", feature, []string{"Content-Type: application/json; charset=utf-8"}, 201, "CreateFeature"},
		{"with a Content-Crs", "POST", "", feature, []string{geoJSON, "Content-Crs: <" + crs84 + ">"}, 201, "CreateFeature"},
		{"as QGIS writes it", "POST", "", feature, []string{geoJSON, "Content-Crs: " + crs84}, 201, "CreateFeature"},
		{"latitude first", "POST", "", swapped, []string{geoJSON, "Content-Crs: " + latLon}, 201, "CreateFeature"},
		{"latitude first, unsaid", "POST", "", swapped, []string{geoJSON}, 400, ""},
		{"replace", "PUT", "/1", feature, []string{geoJSON}, 204, "UpdateFeature"},
		{"replace in part", "PUT", "/1", `{"type":"Feature","geometry":null,"properties":{"height_m":40}}`, []string{geoJSON}, 400, ""},
		{"replace, matching", "PUT", "/1", feature, []string{geoJSON, `If-Match: "7"`}, 204, "UpdateFeature"},
		{"replace, one of a list", "PUT", "/1", feature, []string{geoJSON, `If-Match: "1", "7"`}, 204, "UpdateFeature"},
		{"replace, any", "PUT", "/1", feature, []string{geoJSON, `If-Match: *`}, 204, "UpdateFeature"},
		{"replace, stale", "PUT", "/1", feature, []string{geoJSON, `If-Match: "6"`}, 412, ""},
		{"a weak tag never matches", "PUT", "/1", feature, []string{geoJSON, `If-Match: W/"7"`}, 412, ""},
		{"replace, bad id", "PUT", "/x", feature, []string{geoJSON}, 404, ""},
		{"replace nothing, matching", "PUT", "/99", feature, []string{geoJSON, `If-Match: "6"`}, 412, ""},
		{"replace from a date", "PUT", "/1?in_force=2019-05-06", feature, []string{geoJSON}, 201, "SucceedFeature 2019-05-06"},
		{"replace from a date, stale", "PUT", "/1?in_force=2019-05-06", feature, []string{geoJSON, `If-Match: "6"`}, 412, ""},
		{"replace from no date", "PUT", "/1?in_force=yesterday", feature, []string{geoJSON}, 400, ""},
		{"with the client's ids", "PUT", "/1", strings.Replace(feature, `"properties":{`, `"id":"x","links":[],"properties":{"id":5,`, 1), []string{geoJSON}, 204, "UpdateFeature"},
		{"an id of one's own", "POST", "", strings.Replace(feature, `"properties":{`, `"id":7,"properties":{"id":null,`, 1), []string{geoJSON}, 201, "CreateFeature"},
		{"in an unknown system", "POST", "", feature, []string{geoJSON, "Content-Crs: http://www.opengis.net/def/crs/EPSG/0/32648"}, 400, ""},
		{"x and y exchanged", "POST", "", strings.Replace(feature, "103.0165,21.3826", "2365248.7,501709.3", 1), []string{geoJSON, "Content-Crs: EPSG:9205"}, 400, ""},
		{"degrees as metres", "POST", "", feature, []string{geoJSON, "Content-Crs: EPSG:9205"}, 400, ""},
		{"a collection", "POST", "", `{"type":"FeatureCollection","features":[` + feature + `]}`, []string{geoJSON}, 400, ""},
		{"patch", "PATCH", "/1", `{"properties":{"height_m":40,"structure":null}}`, []string{"Content-Type: application/merge-patch+json"}, 204, "UpdateFeature"},
		{"patch from a date", "PATCH", "/1?in_force=2019-05-06", `{"properties":{"height_m":40}}`, []string{geoJSON}, 201, "SucceedFeature 2019-05-06"},
		{"patch with the id", "PATCH", "/1", `{"id":1,"properties":{"id":"1"}}`, []string{"Content-Type: application/merge-patch+json"}, 204, "UpdateFeature"},
		{"patch the id", "PATCH", "/1", `{"id":2}`, []string{"Content-Type: application/merge-patch+json"}, 400, ""},
		{"patch away the id", "PATCH", "/1", `{"properties":{"id":null}}`, []string{"Content-Type: application/merge-patch+json"}, 400, ""},
		{"patch with a Feature", "PATCH", "/1", `{"id":2,"properties":{"height_m":40}}`, []string{geoJSON}, 204, "UpdateFeature"},
		{"patch away everything", "PATCH", "/1", `{"properties":null}`, []string{"Content-Type: application/merge-patch+json"}, 400, ""},
		{"delete from a date", "DELETE", "/1?in_force=2019-05-06", "", nil, 400, ""},
		{"patch, no geometry", "PATCH", "/1", `{"geometry":null}`, []string{"Content-Type: application/merge-patch+json"}, 400, ""},
		{"patch, stale", "PATCH", "/1", `{"properties":{}}`, []string{"Content-Type: application/merge-patch+json", `If-Match: "x"`}, 412, ""},
		{"patch, the place alone", "PATCH", "/1", `{"geometry":{"coordinates":[103.0165,21.3826]}}`, []string{"Content-Type: application/merge-patch+json"}, 204, "UpdateFeature"},
		{"patch, the place alone of a Feature", "PATCH", "/1", `{"geometry":{"coordinates":[103.0165,21.3826]}}`, []string{geoJSON}, 400, ""},
		{"patch away what is not there", "PATCH", "/1", `{"properties":{"none":null}}`, []string{"Content-Type: application/merge-patch+json"}, 204, "UpdateFeature"},
		{"patch what is not there", "PATCH", "/1", `{"properties":{"none":1}}`, []string{"Content-Type: application/merge-patch+json"}, 400, ""},
		{"replace, if there is none", "PUT", "/1", feature, []string{geoJSON, `If-None-Match: *`}, 412, ""},
		{"replace, if it has changed, and it has not", "PUT", "/1", feature, []string{geoJSON, `If-None-Match: "6", W/"7"`}, 412, ""},
		{"replace, if it has changed", "PUT", "/1", feature, []string{geoJSON, `If-None-Match: "6"`}, 204, "UpdateFeature"},
		{"delete, if there is none", "DELETE", "/1", "", []string{`If-None-Match: *`}, 412, ""},
		{"read, matching", "GET", "/1", "", []string{`If-Match: "6", "7"`}, 200, ""},
		{"read, any", "GET", "/1", "", []string{`If-Match: *`}, 200, ""},
		{"read, stale", "GET", "/1", "", []string{`If-Match: "6"`, `If-None-Match: "7"`}, 412, ""},
		{"delete", "DELETE", "/1", "", nil, 204, "DeleteFeature"},
		{"delete, stale", "DELETE", "/1", "", []string{`If-Match: "6"`}, 412, ""},
		{"delete nothing, matching", "DELETE", "/99", "", []string{`If-Match: "6"`}, 404, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &fakeStore{rows: siteRows(t, 1, "x")}
			w := do(handlerOf(t, s), tt.method, itemsPath+tt.path, tt.body, append(tt.headers, asOfficer)...)
			if w.Code != tt.status {
				t.Fatalf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			s.calls = slices.DeleteFunc(s.calls, func(c string) bool { return c == "Feature" })
			if got := strings.Join(s.calls, " "); got != tt.call {
				t.Errorf("the store was asked for %q, want %q", got, tt.call)
			}
			if g, ok := s.written.Geometry.(orb.Point); ok && g != (orb.Point{103.0165, 21.3826}) {
				t.Errorf("written at %v", g)
			}
		})
	}
}

func TestWritingAnswers(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 1, "x")}
	h := handlerOf(t, s)
	w := do(h, "POST", itemsPath, feature, asOfficer, geoJSON)
	if got := w.Header().Get("Location"); got != "http://example.com"+itemsPath+"/77" {
		t.Errorf("Location %q", got)
	}
	w = do(h, "PUT", itemsPath+"/1", feature, asOfficer, geoJSON)
	if w.Header().Get("ETag") != `"8"` || !s.replace {
		t.Errorf("ETag %q, replace %v", w.Header().Get("ETag"), s.replace)
	}
	do(h, "PATCH", itemsPath+"/1", `{"properties":{"height_m":40,"structure":null}}`, asOfficer, "Content-Type: application/merge-patch+json")
	structure, given := s.written.Properties["structure"]
	if s.replace || s.written.Properties["height_m"] != 40.0 || structure != nil || !given || len(s.written.Properties) != 2 || s.written.Geometry != nil {
		t.Errorf("patched with %+v, replace %v", s.written, s.replace)
	}
	// The row changed between our reading it and the store's writing it.
	s.err = nil
	racing := &racingStore{fakeStore{rows: siteRows(t, 1, "x")}}
	c := config(t, &racing.fakeStore)
	c.Store = racing
	if w = do(apiWith(t, c).router(), "DELETE", itemsPath+"/1", "", asOfficer, `If-Match: "7"`); w.Code != 412 {
		t.Errorf("status %d for a lost race, want 412", w.Code)
	}
}

// racingStore loses every conditional delete to somebody else.
type racingStore struct{ fakeStore }

func (*racingStore) DeleteFeature(_ ctx, _ viewer, _ *layer.Layer, _ int64, ifRevision int64) error {
	if ifRevision != 0 {
		return fmt.Errorf("delete: %w", layer.ErrStale)
	}
	return nil
}

func TestBodyLimits(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	nest := func(levels int) string {
		return `{"mast_type":` + strings.Repeat("[", levels-1) + strings.Repeat("]", levels-1) + `}`
	}
	many := func(n int) string {
		return `{"proposals":[` + strings.TrimSuffix(strings.Repeat(`{"mast_type":"A2b"},`, n), ",") + `]}`
	}
	tests := []struct {
		name, body string
		status     int
	}{
		{"depth - 1", nest(maxDepth - 1), 200}, {"depth", nest(maxDepth), 200}, {"depth + 1", nest(maxDepth + 1), 400},
		{"proposals - 1", many(maxProposals - 1), 200}, {"proposals", many(maxProposals), 200}, {"proposals + 1", many(maxProposals + 1), 400},
		{"none", `{"proposals":[]}`, 200}, {"brackets in strings", `{"mast_type":"` + strings.Repeat(`[\"`, 40) + `"}`, 200},
	}
	for _, tt := range tests {
		if w := do(h, "POST", "/api/v1/placement-checks", tt.body, "Content-Type: application/json"); w.Code != tt.status {
			t.Errorf("%s: status %d, want %d: %.300s", tt.name, w.Code, tt.status, w.Body)
		}
	}
}

// How far the nearest place is looked for, and of how many proposals.
func TestNearestLimits(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	for _, tt := range []struct {
		within    string
		proposals int
		status    int
	}{
		{"5000", 1, 200}, {"0.5", 1, 200}, {"19999.9", 1, 200}, {"20000", 1, 200}, {"20000.1", 1, 400},
		{"0", 1, 400}, {"-1", 1, 400}, {"NaN", 1, 400}, {"far", 1, 400}, {"1e999", 1, 400},
		{"5000", maxNearest - 1, 200}, {"5000", maxNearest, 200}, {"5000", maxNearest + 1, 400},
	} {
		body := `{"proposals":[` + strings.TrimSuffix(strings.Repeat(`{"mast_type":"A2b"},`, tt.proposals), ",") + `]}`
		if w := do(h, "POST", "/api/v1/placement-checks?nearest_within_m="+tt.within, body, "Content-Type: application/json"); w.Code != tt.status {
			t.Errorf("%+v: %d %.300s", tt, w.Code, w.Body)
		}
	}
}

func TestPlacementChecks(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	one := do(h, "POST", "/api/v1/placement-checks", `{"mast_type":"A2b"}`, "Content-Type: application/json")
	if doc := decode(t, one); doc["verdict"] != "permitted" || doc["date"] != "2020-12-31" || one.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%v, %v", doc, one.Header())
	}
	many := do(h, "POST", "/api/v1/placement-checks", `{"proposals":[{"mast_type":"A2b"},{"lon":1}]}`, "Content-Type: application/json")
	results := decode(t, many)["results"].([]any)
	if len(results) != 2 || results[0].(map[string]any)["verdict"] != "permitted" {
		t.Fatalf("%v", results)
	}
	bad := results[1].(map[string]any)
	if bad["status"] != 400.0 || bad["type"] != "/problems/invalid-body" || bad["errors"].([]any)[0].(map[string]any)["pointer"] != "/mast_type" {
		t.Errorf("a bad row is not a problem in its place: %v", bad)
	}
}

// Whatever JSON object comes, what is handed on is a JSON object.
func FuzzPrepare(f *testing.F) {
	for _, seed := range []string{`{}`, feature, `{"geometry":{"type":"Point","coordinates":[1,2,3]}}`, `{"geometry":{"coordinates":[[1],[2,[3,4]],"x"]}}`,
		`{"geometry":[1,2]}`, `{"geometry":null,"properties":1}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if depth([]byte(raw)) > maxDepth {
			return
		}
		members, err := objectOf(json.RawMessage(raw))
		if err != nil {
			return
		}
		var faults layer.Faults
		repeated(json.RawMessage(raw), &faults)
		for _, whole := range []bool{false, true} {
			out, err := prepare(members, whole)
			if err != nil || !json.Valid(out) {
				t.Errorf("%s: %v", out, err)
			}
			again := len(faults)
			if repeated(out, &faults); len(faults) > again && again == 0 {
				t.Errorf("%s has what %s had not: %v", out, raw, faults)
			}
		}
	})
}
