package httpapi

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
)

// written is a position as an answer in a reference system has it.
func written(t testing.TB, crs geo.CRS, at orb.Point) [2]float64 {
	t.Helper()
	sheet := formats.Sheet{Layer: &layer.Layer{}, CRS: crs}
	format := sheet.GeoJSON()
	x, y := at[0], at[1]
	if format.Transform != nil {
		var err error
		if x, y, err = format.Transform(x, y); err != nil {
			t.Fatal(err)
		}
	}
	unit := math.Pow10(format.Decimals)
	return [2]float64{math.Round(x*unit) / unit, math.Round(y*unit) / unit}
}

// What is read in a reference system and written back in it is where it was, as often as
// one likes: to the last digit that is shown, and to the half of it on the ground.
func TestWrittenAsRead(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, crs := range geo.CRSs() {
		area := crs.AreaOfUse().Bound()
		area.Min[1], area.Max[1] = max(area.Min[1], -85), min(area.Max[1], 85)
		for range 500 {
			at := orb.Point{area.Min[0] + random.Float64()*(area.Max[0]-area.Min[0]), area.Min[1] + random.Float64()*(area.Max[1]-area.Min[1])}
			shown, stored := written(t, crs, at), at
			for range 20 {
				if back := toWGS84(crs); back != nil {
					lon, lat, err := back(shown[0], shown[1])
					if err != nil {
						t.Fatalf("%s: %v", crs, err)
					}
					stored = orb.Point{lon, lat}
				} else {
					stored = shown
				}
				if again := written(t, crs, stored); again != shown {
					t.Fatalf("%s: %v is shown as %v after it was written as %v", crs, at, again, shown)
				}
			}
			// Half a millimetre in each direction, or half of a ten-millionth of a degree.
			limitM := 0.0008
			if !crs.Projected() {
				limitM = 0.0079
			}
			if crs.Code() == 3857 {
				limitM /= math.Cos(at[1] * math.Pi / 180) // its metres are shorter than others
				limitM = max(limitM, 0.0008)
			}
			if moved := geo.DistanceM(at, stored); moved > limitM {
				t.Errorf("%s: %v has moved by %.2f mm", crs, at, 1000*moved)
			}
		}
	}
}

func TestWritingInEverySystem(t *testing.T) {
	here := orb.Point{103.0165, 21.3826}
	for _, crs := range geo.CRSs() {
		s := &fakeStore{}
		p := written(t, crs, here)
		body := strings.Replace(feature, "103.0165,21.3826", fmt.Sprintf("%.7f,%.7f", p[0], p[1]), 1)
		w := do(handlerOf(t, s), "POST", itemsPath, body, geoJSON, asOfficer, "Content-Crs: <"+crs.URI()+">")
		if at, ok := s.written.Geometry.(orb.Point); w.Code != 201 || !ok || geo.DistanceM(at, here) > 0.008 {
			t.Errorf("%s: %d, written at %v: %s", crs, w.Code, s.written.Geometry, w.Body)
		}
		// With the axes exchanged it would stand elsewhere.
		body = strings.Replace(feature, "103.0165,21.3826", fmt.Sprintf("%.7f,%.7f", p[1], p[0]), 1)
		w = do(handlerOf(t, s), "POST", itemsPath, body, geoJSON, asOfficer, "Content-Crs: "+crs.URI())
		if crs.Code() == 3857 {
			continue // which has the whole world
		}
		if w.Code != 400 || decode(t, w)["errors"].([]any)[0].(map[string]any)["pointer"] != "/geometry/coordinates" {
			t.Errorf("%s with exchanged axes: %d %s", crs, w.Code, w.Body)
		}
		if crs.Code() == 0 || crs.Code() == layer.SRID {
			continue // which have, too
		}
		p = written(t, crs, orb.Point{90, 20})
		body = strings.Replace(feature, "103.0165,21.3826", fmt.Sprintf("%.7f,%.7f", p[0], p[1]), 1)
		if w = do(handlerOf(t, s), "POST", itemsPath, body, geoJSON, asOfficer, "Content-Crs: "+crs.URI()); w.Code != 400 {
			t.Errorf("%s far from where it is used: %d", crs, w.Code)
		}
	}
}

func TestRepeatedMembers(t *testing.T) {
	for body, want := range map[string]string{
		`{"type":"Feature","type":"Feature","properties":{},"geometry":null}`:                                  "/type",
		`{"properties":{"height_m":1,"name":"a","height_m":2,"name":"b"}}`:                                     "/properties/height_m /properties/name",
		`{"geometry":{"type":"Point","coordinates":[1,2],"coordinates":[3,4]}}`:                                "/geometry/coordinates",
		`{"x":[{"a":1},{"b":2,"b":{"c":1,"c":2}}]}`:                                                            "/x/1/b /x/1/b/c",
		`{"a/b":{"~":1,"~":2},"\u0061\/b":1}`:                                                                  "/a~1b/~0 /a~1b",
		`{"a":{"b":1},"b":1,"properties":{"a":null},"list":[1,1,"x","x",{},[]]}`:                               "",
		`{"type":"Feature","Type":"Feature","properties":{"code":"A","Code":"B"},"geometry":{"type":"Point"}}`: "",
	} {
		var faults layer.Faults
		repeated(json.RawMessage(body), &faults)
		var got []string
		for _, f := range faults {
			got = append(got, f.At)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", body, got, want)
		}
	}
	// Beside all other faults, and whatever the client prefers.
	s := &fakeStore{}
	w := do(handlerOf(t, s), "POST", itemsPath, `{"type":"Feature","properties":{"code":"A","code":"B","colour":"red"},"geometry":null}`, geoJSON, asOfficer, "Content-Crs: EPSG:1", "Prefer: handling=lenient")
	var at []string
	for _, e := range decode(t, w)["errors"].([]any) {
		f := e.(map[string]any)
		at = append(at, fmt.Sprint(f["pointer"], f["parameter"]))
	}
	for _, want := range []string{"<nil>Content-Crs", "/properties/code<nil>", "/geometry<nil>", "/properties/mast_type<nil>"} {
		if !slices.Contains(at, want) {
			t.Errorf("%s is not among %v", want, at)
		}
	}
	if slices.Contains(at, "/properties/colour<nil>") || len(s.calls) > 0 {
		t.Errorf("%v, %v", at, s.calls)
	}
}

// Members are told apart by their exact names: what is another's is left aside.
func TestForeignMembersAreLeftAside(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 1, "x")}
	h := handlerOf(t, s)
	w := do(h, "PATCH", itemsPath+"/1", `{"Geometry":{"type":"Point","coordinates":[1,2]},"PROPERTIES":{"height_m":3},"properties":{"name":"y"}}`, asOfficer, geoJSON)
	if w.Code != 204 || s.written.Geometry != nil || len(s.written.Properties) != 1 {
		t.Errorf("%d, written %+v", w.Code, s.written)
	}
}

func TestPreferences(t *testing.T) {
	for header, want := range map[string]preferences{
		"":                                  {},
		"return=representation":             {returns: "representation"},
		`Return="minimal"; foo, wait=10`:    {returns: "minimal"},
		"handling = strict,return=minimal":  {returns: "minimal", handling: "strict"},
		"handling=lenient, handling=strict": {handling: "lenient"},
		"return, handling=harsh, =, ;,":     {},
	} {
		if got := preferencesOf(http.Header{"Prefer": {header}}); got != want {
			t.Errorf("%q: %+v, want %+v", header, got, want)
		}
	}
	if got := preferencesOf(http.Header{"Prefer": {"return=minimal", "handling=strict"}}); got != (preferences{"minimal", "strict"}) {
		t.Errorf("two headers: %+v", got)
	}
}

func TestPreferencesAreFollowed(t *testing.T) {
	odd := strings.Replace(feature, `"properties":{`, `"properties":{"colour":"red","revision":7,"updated_at":null,`, 1)
	for _, tt := range []struct {
		method, path, body, prefer string
		status                     int
		applied                    string
		feature                    bool
	}{
		{"POST", "", feature, "", 201, "", false},
		{"POST", "", feature, "return=minimal, respond-async", 201, "return=minimal", false},
		{"POST", "", feature, "return=representation", 201, "", false}, // which the store cannot show: row 77
		{"PUT", "/1", feature, "", 204, "", false},
		{"PUT", "/1", feature, "return=representation; x=y, handling=strict", 200, "return=representation, handling=strict", true},
		{"PATCH", "/1", `{"properties":{"height_m":40}}`, "return=representation", 200, "return=representation", true},
		{"PATCH", "/1?in_force=2019-01-01", `{"properties":{"height_m":40}}`, "return=minimal", 201, "return=minimal", false},
		{"PUT", "/1", odd, "", 400, "", false},
		{"PUT", "/1", odd, "handling=lenient", 204, "handling=lenient", false},
		{"PUT", "/1", odd, "handling=strict", 400, "", false},
		{"PUT", "/1", strings.Replace(odd, `"colour":"red",`, "", 1), "", 204, "", false},
		{"PUT", "/1", strings.Replace(odd, `"colour":"red",`, "", 1), "handling=strict", 400, "", false},
		{"DELETE", "/1", "", "return=representation", 204, "", false},
	} {
		s := &fakeStore{rows: siteRows(t, 1, "x")}
		w := do(handlerOf(t, s), tt.method, itemsPath+tt.path, tt.body, geoJSON, asOfficer, "Prefer: "+tt.prefer)
		if w.Code != tt.status || w.Header().Get("Preference-Applied") != tt.applied || strings.Contains(w.Body.String(), `"type":"Feature"`) != tt.feature {
			t.Errorf("%s %s %q: %d, %q, %s", tt.method, tt.path, tt.prefer, w.Code, w.Header().Get("Preference-Applied"), w.Body)
		}
		if tt.feature && (w.Header().Get("Content-Type") != typeGeoJSON || w.Header().Get("Content-Crs") == "" || w.Header().Get("ETag") != `"7"` || w.Header().Get("Cache-Control") != "no-store") {
			t.Errorf("%s: %v", tt.method, w.Header())
		}
		if tt.status == 201 && (w.Header().Get("Location") == "" || w.Header().Get("ETag") != `"1"`) {
			t.Errorf("%s: %v", tt.method, w.Header())
		}
	}
	w := do(handlerOf(t, &fakeStore{}), "PUT", itemsPath+"/1", odd, geoJSON, asOfficer, "Prefer: handling=strict")
	var at []string
	for _, e := range decode(t, w)["errors"].([]any) {
		at = append(at, e.(map[string]any)["pointer"].(string))
	}
	if d := cmp.Diff([]string{"/properties/colour", "/properties/revision"}, at); d != "" {
		t.Error(d)
	}
}

// A layer may demand If-Match, which QGIS does not send; others never do.
func TestRequiredIfMatch(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 1, "x")}
	c := config(t, s)
	c.RequireIfMatch = []string{"bts_sites"}
	h := apiWith(t, c).router()
	for _, tt := range []struct {
		method, path, match string
		status              int
	}{
		{"PUT", "/1", "", 428}, {"PATCH", "/1", "", 428}, {"DELETE", "/1", "", 428}, {"DELETE", "/99", "", 428}, {"POST", "", "", 201},
		{"PUT", "/1", `If-Match: "7"`, 204}, {"PATCH", "/1", "If-Match: *", 204}, {"DELETE", "/1", `If-Match: "6"`, 412}, {"DELETE", "/1", `If-Match: "7"`, 204},
	} {
		body := map[string]string{"PATCH": "{}"}[tt.method]
		if body == "" {
			body = feature
		}
		w := do(h, tt.method, itemsPath+tt.path, body, geoJSON, asOfficer, tt.match)
		if w.Code != tt.status || tt.status == 428 && decode(t, w)["type"] != "/problems/precondition-required" {
			t.Errorf("%s %s %q: %d %s", tt.method, tt.path, tt.match, w.Code, w.Body)
		}
	}
	if doc := decode(t, do(h, "GET", "/api/v1/collections/bts_sites", "")); doc["requiresIfMatch"] != true {
		t.Errorf("the collection does not say so: %v", doc["requiresIfMatch"])
	}
	if w := do(h, "DELETE", "/api/v1/collections/roads/items/1", "", asOfficer); w.Code != http.StatusNoContent {
		t.Errorf("another layer: %d %s", w.Code, w.Body)
	}
	if doc := decode(t, do(h, "GET", "/api/v1/collections/roads", "")); doc["requiresIfMatch"] != false {
		t.Errorf("another collection says %v", doc["requiresIfMatch"])
	}
	c.RequireIfMatch = []string{"bts_site"}
	if _, err := New(c); err == nil || !strings.Contains(err.Error(), `"bts_site"`) {
		t.Errorf("a layer that there is not: %v", err)
	}
}

// Allow says what he may do who asks, and all there is to those who have not said.
func TestAllowOfViewers(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	const all, reading = "GET, HEAD, PUT, PATCH, DELETE, OPTIONS", "GET, HEAD, OPTIONS"
	for _, tt := range []struct{ path, who, want string }{
		{"/api/v1/collections/roads/items/1", "", all},
		{"/api/v1/collections/roads/items/1", asOfficer, all},
		{"/api/v1/collections/roads/items/1", "Authorization: Bearer operator", reading},
		{"/api/v1/collections/roads/items/1", "Authorization: Bearer nonsense", all},
		{itemsPath + "/1", "Authorization: Bearer operator", all}, // drafts
		{"/api/v1/collections/roads/items", "Authorization: Bearer operator", reading},
		{"/api/v1/collections/roads/items", asOfficer, "GET, HEAD, POST, OPTIONS"},
		{"/api/v1/people", asOfficer, "OPTIONS"},
		{"/api/v1/people", "Authorization: Bearer administrator", "GET, HEAD, POST, OPTIONS"},
	} {
		w := do(h, "OPTIONS", tt.path, "", tt.who)
		if w.Code != 204 || w.Header().Get("Allow") != tt.want {
			t.Errorf("OPTIONS %s by %q: %d, %q, want %q", tt.path, tt.who, w.Code, w.Header().Get("Allow"), tt.want)
		}
		if patch := w.Header().Get("Accept-Patch"); (patch != "") != strings.HasSuffix(tt.path, "/1") {
			t.Errorf("OPTIONS %s: Accept-Patch %q", tt.path, patch)
		}
	}
	w := do(h, "PATCH", itemsPath+"/1", "x", asOfficer, "Content-Type: text/plain")
	if w.Code != 415 || !strings.Contains(w.Header().Get("Accept-Patch"), typeMergePatch) {
		t.Errorf("%d, %v", w.Code, w.Header())
	}
}

// Links are written as the encoder would write them, whatever is in them.
func TestLinksAreWrittenAsJSON(t *testing.T) {
	links := []link{
		{Href: "http://a/b?c=d&e=<f>", Rel: "self"}, {Href: "", Rel: ""}, {Href: `"\`, Rel: "a\n\x00\x7f", Type: "ữ", Title: "\u2028\xff", Templated: true},
	}
	for n := range len(links) + 1 {
		want, err := encode(append([]link{}, links[:n]...))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := appendLinks([]byte("x"), links[:n]); err != nil || string(got) != "x"+string(want) {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
}
