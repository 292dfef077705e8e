package httpapi

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	contract "hatang/api"
	"hatang/geo"
	"hatang/internal/layer"
)

const (
	itemsPath = "/api/v1/collections/bts_sites/items"
	feature   = `{"type":"Feature","geometry":{"type":"Point","coordinates":[103.0165,21.3826]},"properties":{` +
		`"code":"DB-9","valid_from":"2020-01-01","jurisdiction":"11","illustrative":false,"status":"existing","mast_type":"A2b"}}`
	asOfficer = "Authorization: Bearer officer"
	geoJSON   = "Content-Type: application/geo+json"
)

// Every refused request gets the status and the type of its first wrong step, as a
// problem document with CORS headers and the request's id.
func TestProblems(t *testing.T) {
	long := strings.Repeat("a", maxAddressBytes)
	tests := []struct {
		name, method, target, body string
		headers                    []string
		err                        error // of the store
		status                     int
		kind                       string
	}{
		{"unknown path", "GET", "/api/v1/nothing", "", nil, nil, 404, "not-found"},
		{"unknown path outside the API", "GET", "/nothing", "", nil, nil, 404, "not-found"},
		{"unknown method on unknown path", "BREW", "/api/v1/nothing", "", nil, nil, 404, "not-found"},
		{"unknown method", "BREW", "/api/v1/collections", "", nil, nil, 405, "method-not-allowed"},
		{"wrong method", "DELETE", "/api/v1/collections", "", nil, nil, 405, "method-not-allowed"},
		{"unknown collection", "GET", "/api/v1/collections/none", "", nil, nil, 404, "not-found"},
		{"unknown collection's items", "GET", "/api/v1/collections/none/items", "", nil, nil, 404, "not-found"},
		{"options of unknown collection", "OPTIONS", "/api/v1/collections/none/items", "", nil, nil, 404, "not-found"},
		{"address too long", "GET", "/api/v1?" + long, "", nil, nil, 414, "uri-too-long"},
		{"bad key on a public route", "GET", itemsPath, "", []string{"Authorization: Bearer x"}, nil, 401, "unauthorised"},
		{"bad key on a probe", "GET", "/healthz", "", []string{"Authorization: Bearer x"}, nil, 401, "unauthorised"},
		{"bad key on the page", "GET", "/", "", []string{"Authorization: Bearer x"}, nil, 401, "unauthorised"},
		{"another scheme", "GET", itemsPath, "", []string{"Authorization: Basic b2ZmaWNlcg=="}, nil, 401, "unauthorised"},
		{"keys cannot be read", "GET", itemsPath, "", []string{"Authorization: Bearer lost"}, nil, 503, "unavailable"},
		{"write without a key", "POST", itemsPath, feature, []string{geoJSON}, nil, 401, "unauthorised"},
		{"delete without a key", "DELETE", itemsPath + "/1", "", nil, nil, 401, "unauthorised"},
		{"write without the right", "POST", strings.Replace(itemsPath, "bts_sites", "roads", 1), feature, []string{geoJSON, "Authorization: Bearer operator"}, nil, 403, "forbidden"},
		{"wrong media type", "POST", itemsPath, feature, []string{"Content-Type: text/csv", asOfficer}, nil, 415, "unsupported-media-type"},
		{"no media type", "POST", itemsPath, feature, []string{asOfficer}, nil, 415, "unsupported-media-type"},
		{"compressed body", "POST", itemsPath, feature, []string{geoJSON, asOfficer, "Content-Encoding: gzip"}, nil, 415, "unsupported-media-type"},
		{"no such format", "GET", itemsPath, "", []string{"Accept: image/png"}, nil, 406, "not-acceptable"},
		{"format refused", "GET", itemsPath, "", []string{"Accept: application/geo+json;q=0, application/json;q=0"}, nil, 406, "not-acceptable"},
		{"unknown parameter", "GET", itemsPath + "?nothing=1", "", nil, nil, 400, "invalid-parameter"},
		{"unknown parameter elsewhere", "GET", "/api/v1/collections?nothing=1", "", nil, nil, 400, "invalid-parameter"},
		{"unknown f", "GET", "/api/v1/collections?f=xml", "", nil, nil, 400, "invalid-parameter"},
		{"given twice", "GET", itemsPath + "?limit=1&limit=2", "", nil, nil, 400, "invalid-parameter"},
		{"bad percent code", "GET", itemsPath + "?limit=%zz", "", nil, nil, 400, "invalid-parameter"},
		{"limit 0", "GET", itemsPath + "?limit=0", "", nil, nil, 400, "invalid-parameter"},
		{"NaN", "GET", itemsPath + "?bbox=NaN,1,2,3", "", nil, nil, 400, "invalid-parameter"},
		{"NUL in text", "GET", itemsPath + "?code=%00", "", nil, nil, 400, "invalid-parameter"},
		{"letters for a number", "GET", itemsPath + "?height_m=tall", "", nil, nil, 400, "invalid-parameter"},
		{"unknown crs of a feature", "GET", itemsPath + "/1?crs=EPSG:1", "", nil, nil, 400, "invalid-parameter"},
		{"crs that cannot take the data", "GET", itemsPath + "?crs=EPSG:9205&code=peru", "", nil, nil, 400, "invalid-parameter"},
		{"id of letters", "GET", itemsPath + "/abc", "", nil, nil, 404, "not-found"},
		{"id NUL", "GET", itemsPath + "/%00", "", nil, nil, 404, "not-found"},
		{"id too large", "GET", itemsPath + "/99999999999999999999", "", nil, nil, 404, "not-found"},
		{"id with a slash", "GET", itemsPath + "/1%2F2", "", nil, nil, 404, "not-found"},
		{"no such row", "GET", itemsPath + "/99", "", nil, nil, 404, "not-found"},
		{"bad date", "GET", "/api/v1/indicators?date=2020-13-01", "", nil, nil, 400, "invalid-parameter"},
		{"bad level", "GET", "/api/v1/indicators?level=galaxy", "", nil, nil, 400, "invalid-parameter"},
		{"unknown unit", "GET", "/api/v1/districts/999/indicators", "", nil, nil, 404, "not-found"},
		{"bad stage", "GET", "/api/v1/districts/094/uncovered?stage=soon", "", nil, nil, 400, "invalid-parameter"},
		{"uncovered by what", "GET", "/api/v1/districts/094/uncovered?of=kiosks", "", nil, nil, 400, "invalid-parameter"},
		{"uncovered parts of no unit", "GET", "/api/v1/districts/999/uncovered", "", nil, nil, 404, "not-found"},
		{"uncovered operator NUL", "GET", "/api/v1/districts/094/uncovered?operator=%00", "", nil, nil, 400, "invalid-parameter"},
		{"clusters of no unit", "GET", "/api/v1/districts/999/sharing-clusters", "", nil, nil, 404, "not-found"},
		{"clusters of unit NUL", "GET", "/api/v1/districts/%00/sharing-clusters", "", nil, nil, 404, "not-found"},
		{"clusters in no stage", "GET", "/api/v1/communes/03136/sharing-clusters?stage=soon", "", nil, nil, 400, "invalid-parameter"},
		{"clusters on no day", "GET", "/api/v1/districts/094/sharing-clusters?date=soon", "", nil, nil, 400, "invalid-parameter"},
		{"clusters within 0 m", "GET", "/api/v1/districts/094/sharing-clusters?within_m=0", "", nil, nil, 400, "invalid-parameter"},
		{"clusters within too much", "GET", "/api/v1/provinces/11/sharing-clusters?within_m=10000.1", "", nil, nil, 400, "invalid-parameter"},
		{"clusters within NaN", "GET", "/api/v1/districts/094/sharing-clusters?within_m=NaN", "", nil, nil, 400, "invalid-parameter"},
		{"clusters within nothing", "GET", "/api/v1/districts/094/sharing-clusters?within_m=", "", nil, nil, 400, "invalid-parameter"},
		{"clusters by operator", "GET", "/api/v1/districts/094/sharing-clusters?operator=VNPT", "", nil, nil, 400, "invalid-parameter"},
		{"unit NUL", "GET", "/api/v1/districts/%00/indicators", "", nil, nil, 404, "not-found"},
		{"unknown table", "GET", "/api/v1/plan/tables/none", "", nil, nil, 404, "not-found"},
		{"broken JSON", "POST", itemsPath, `{"type":`, []string{geoJSON, asOfficer}, nil, 400, "unreadable-body"},
		{"empty body", "POST", itemsPath, "", []string{geoJSON, asOfficer}, nil, 400, "unreadable-body"},
		{"no object", "POST", itemsPath, `[1]`, []string{geoJSON, asOfficer}, nil, 400, "invalid-body"},
		{"null", "POST", itemsPath, `null`, []string{geoJSON, asOfficer}, nil, 400, "invalid-body"},
		{"too deep", "POST", itemsPath, strings.Repeat("[", 33) + strings.Repeat("]", 33), []string{geoJSON, asOfficer}, nil, 400, "unreadable-body"},
		{"wrong geometry", "POST", itemsPath, strings.Replace(feature, `"Point"`, `"LineString"`, 1), []string{geoJSON, asOfficer}, nil, 400, "invalid-body"},
		{"crs of the body", "POST", itemsPath, feature, []string{geoJSON, asOfficer, "Content-Crs: <http://www.opengis.net/def/crs/EPSG/0/9205>"}, nil, 400, "invalid-body"},
		{"proposal without a type", "POST", "/api/v1/placement-checks", `{"lon":103}`, []string{"Content-Type: application/json"}, nil, 400, "invalid-body"},
		{"proposals no list", "POST", "/api/v1/placement-checks", `{"proposals":1}`, []string{"Content-Type: application/json"}, nil, 400, "invalid-body"},
		{"something beside proposals", "POST", "/api/v1/placement-checks", `{"proposals":[],"x":1}`, []string{"Content-Type: application/json"}, nil, 400, "invalid-body"},
		{"conflict", "POST", itemsPath, feature, []string{geoJSON, asOfficer}, layer.ErrConflict, 409, "conflict"},
		{"the store's faults", "POST", itemsPath, feature, []string{geoJSON, asOfficer}, (layer.Faults{{At: "/geometry", Detail: geo.Text{VI: "tự cắt", EN: "crosses itself"}}}).Err(), 400, "invalid-body"},
		{"database away", "GET", itemsPath, "", nil, layer.ErrUnavailable, 503, "unavailable"},
		{"not ready", "GET", "/readyz", "", nil, layer.ErrUnavailable, 503, "unavailable"},
		{"too slow", "GET", itemsPath, "", nil, layer.ErrTimeout, 504, "timeout"},
		{"our fault", "GET", itemsPath, "", nil, errors.New("secret: password=x"), 500, "internal"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows := siteRows(t, 3, "x")
			if strings.HasSuffix(tt.target, "peru") {
				rows[0].Geometry = pointAt(t, -77, -12)
			}
			h := handlerOf(t, &fakeStore{rows: rows, err: tt.err})
			w := do(h, tt.method, tt.target, tt.body, tt.headers...)
			if w.Code != tt.status {
				t.Fatalf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			doc := decode(t, w)
			want := map[string]any{"type": "/problems/" + tt.kind, "status": float64(tt.status), "request_id": w.Header().Get("X-Request-Id")}
			for name, value := range want {
				if doc[name] != value {
					t.Errorf("%s is %v, want %v", name, doc[name], value)
				}
			}
			if doc["title"] == "" || doc["detail"] == "" || strings.Contains(w.Body.String(), "secret") {
				t.Errorf("title and detail are for people, causes are for the log: %s", w.Body)
			}
			if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("Content-Type %q", got)
			}
			if w.Header().Get("Access-Control-Allow-Origin") != "*" {
				t.Error("no CORS header")
			}
			checkStatusHeaders(t, w.Header(), tt.status)
		})
	}
}

func checkStatusHeaders(t *testing.T, h http.Header, status int) {
	t.Helper()
	need := map[int]string{401: "WWW-Authenticate", 405: "Allow", 503: "Retry-After"}
	if name := need[status]; name != "" && h.Get(name) == "" {
		t.Errorf("a %d without %s", status, name)
	}
}

// A request that is wrong in every way is answered for the first of them, in the
// order of the design; each repair uncovers the next.
func TestOrderOfChecks(t *testing.T) {
	h := handlerOf(t, &fakeStore{rows: siteRows(t, 1, "x")})
	steps := []struct {
		target  string
		body    string
		headers []string
		status  int
	}{
		{"/api/v1/collections/none/items?x=1&" + strings.Repeat("a", maxAddressBytes), "{", []string{"Authorization: Bearer bad"}, 414},
		{"/api/v1/none?x=1", "{", []string{"Authorization: Bearer operator"}, 404},
		{"/api/v1/collections/none/items?x=1", "{", []string{"Authorization: Bearer bad"}, 401},
		{"/api/v1/collections/none/items?x=1", "{", []string{"Authorization: Bearer operator"}, 404},
		{"/api/v1/collections/roads/items?x=1", "{", []string{"Authorization: Bearer operator"}, 403},
		{itemsPath + "?x=1", "{", []string{asOfficer}, 415},
		{itemsPath + "?x=1", "{", []string{asOfficer, geoJSON}, 400},
		{itemsPath, feature, []string{asOfficer, geoJSON}, 201},
	}
	for _, s := range steps {
		if w := do(h, "POST", s.target, s.body, s.headers...); w.Code != s.status {
			t.Errorf("%.60s %v: status %d, want %d: %s", s.target, s.headers, w.Code, s.status, w.Body)
		}
	}
}

func TestEveryFaultAtOnce(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	w := do(h, "GET", itemsPath+"?bbox=1,2&limit=x&datetime=soon&revision=one&nothing=1&crs=EPSG:1&after=-1", "")
	var got []string
	for _, e := range decode(t, w)["errors"].([]any) {
		got = append(got, e.(map[string]any)["parameter"].(string))
	}
	want := []string{"nothing", "crs", "bbox", "limit", "after", "datetime", "revision"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	w = do(h, "POST", itemsPath, `{"type":"Feature","geometry":null,"properties":{"height_m":"tall","nothing":1}}`, geoJSON, asOfficer)
	for _, pointer := range []string{"/geometry", "/properties/height_m", "/properties/nothing", "/properties/code", "/properties/mast_type"} {
		if !strings.Contains(w.Body.String(), `"pointer":"`+pointer+`"`) {
			t.Errorf("no fault at %s: %s", pointer, w.Body)
		}
	}
}

// A draft is refused to who leaves out whose it is as one of another place is: both are named.
func TestWhatMayNotBeWrittenIsToldWithEveryReason(t *testing.T) {
	w := do(apiOf(t, &fakeStore{err: layer.ErrForbidden}).router(), "POST", itemsPath, feature, geoJSON, asOfficer)
	for _, want := range []string{"territory", "layers", "owner_organisation", "địa bàn", "dự thảo của tổ chức bạn"} {
		if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%q: %d %s", want, w.Code, w.Body)
		}
	}
}

func TestProblemsSpeakBothLanguages(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	tests := []struct{ header, title, language string }{
		{"", "Not found", "en"},
		{"vi-VN,vi;q=0.9,en;q=0.8", "Không tìm thấy", "vi"},
		{"fr, vi;q=0.1", "Không tìm thấy", "vi"},
		{"en, vi;q=0.9", "Not found", "en"},
		{"vi;q=0", "Not found", "en"},
		{"!!", "Not found", "en"},
	}
	for _, tt := range tests {
		w := do(h, "GET", "/api/v1/none", "", "Accept-Language: "+tt.header)
		if got := decode(t, w)["title"]; got != tt.title || w.Header().Get("Content-Language") != tt.language {
			t.Errorf("%q: title %q in %q, want %q in %q", tt.header, got, w.Header().Get("Content-Language"), tt.title, tt.language)
		}
	}
}

func TestProblemTypesAreListed(t *testing.T) {
	var written []string
	for _, m := range regexp.MustCompile(`(?m)^## (.+)\n\n(\d{3})\.`).FindAllStringSubmatch(string(contract.Problems), -1) {
		written = append(written, m[2]+" "+m[1])
	}
	var known []string
	for _, p := range problemTypes() {
		known = append(known, strings.Join([]string{http.StatusText(p.Status), p.Name}, " "))
	}
	if len(written) != len(known) {
		t.Fatalf("%d headings for %d types", len(written), len(known))
	}
	for i, p := range problemTypes() {
		if want := strings.Join([]string{itoa(p.Status), p.Name}, " "); written[i] != want {
			t.Errorf("heading %d is %q, want %q", i, written[i], want)
		}
	}
}

func itoa(n int) string {
	return string([]byte{byte('0' + n/100), byte('0' + n/10%10), byte('0' + n%10)})
}

func TestPanicBecomesAProblem(t *testing.T) {
	h := handlerOf(t, &fakeStore{panics: true})
	w := do(h, "GET", itemsPath, "")
	if w.Code != 500 || strings.Contains(w.Body.String(), "secret") || decode(t, w)["type"] != "/problems/internal" {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}
