package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func containsFold(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}

func badAddresses(t *testing.T, s *server) {
	const items = "/api/v1/collections/bts_sites/items"
	for _, tt := range []struct {
		path   string
		status int
		names  string // the parameter that the problem names
	}{
		{"/api/v1/nowhere", 404, ""}, {"/api/v2", 404, ""}, {"/nowhere", 404, ""},
		{"/api/v1/collections/towers", 404, ""}, {"/api/v1/collections/towers/items", 404, ""}, {"/api/v1/collections/%00/items", 404, ""},
		{"/api/v1/collections/bts_sites%27/items", 404, ""}, {"/api/v1/collections/history/items", 404, ""},
		{items + "/0", 404, ""}, {items + "/-1", 404, ""}, {items + "/999999999", 404, ""}, {items + "/99999999999999999999", 404, ""},
		{items + "/abc", 404, ""}, {items + "/%00", 404, ""}, {items + "/1%20OR%201=1", 404, ""}, {items + "/1?crs=EPSG:1", 400, "crs"},
		{items + "?colour=red", 400, "colour"}, {items + "?f=xml", 400, "f"}, {items + "?limit=1&limit=2", 400, "limit"},
		{items + "?crs=EPSG:99999", 400, "crs"}, {items + "?bbox=103,21,104,22&bbox-crs=nonsense", 400, "bbox-crs"}, {items + "?bbox-crs=EPSG:9205", 400, "bbox-crs"},
		{items + "?filter=", 400, "filter"}, {items + "?filter=nothing%20IS%20NULL", 400, "filter"}, {items + "?filter=code%20%3D%20%27%00%27", 400, "filter"},
		{items + "?filter=TRUE&filter-lang=sql", 400, "filter-lang"}, {items + "?filter=TRUE&filter-crs=nonsense", 400, "filter-crs"},
		{items + "?filter=code%3D%27a%27%29%3BDROP%20TABLE%20bts_sites%3B--", 400, "filter"}, {items + "?filter=%28%28%28%28&filter-lang=cql2-json", 400, "filter"},
		{items + "?bbox=103,22,104,21", 400, "bbox"}, {items + "?bbox=600000,2300000,500000,2400000&bbox-crs=EPSG:9205", 400, "bbox"},
		{items + "?bbox=103,21,104", 400, "bbox"}, {items + "?bbox=103,21,104,91", 400, "bbox"}, {items + "?bbox=103,21,181,22", 400, "bbox"},
		{items + "?bbox=NaN,21,104,22", 400, "bbox"}, {items + "?bbox=103,21,Inf,22", 400, "bbox"}, {items + "?bbox=a,b,c,d", 400, "bbox"}, {items + "?bbox=", 400, "bbox"},
		{items + "?limit=0", 400, "limit"}, {items + "?limit=-5", 400, "limit"}, {items + "?limit=many", 400, "limit"}, {items + "?limit=", 400, "limit"},
		{items + "?datetime=yesterday", 400, "datetime"}, {items + "?datetime=2020-02-30", 400, "datetime"}, {items + "?datetime=2020-12-31/2019-01-01", 400, "datetime"},
		{items + "?after=x", 400, "after"}, {items + "?height_m=tall", 400, "height_m"}, {items + "?height_m=NaN", 400, "height_m"}, {items + "?code=%00", 400, "code"},
		{items + "?%zz=1", 400, ""}, {"/api/v1/collections?x=1", 400, "x"}, {"/api/v1?x=1", 400, "x"},
		{"/api/v1/indicators?level=village", 400, "level"}, {"/api/v1/indicators?date=31-12-2020", 400, "date"},
		{"/api/v1/districts/999/indicators", 404, ""}, {"/api/v1/districts/%00/indicators", 404, ""}, {"/api/v1/plan/tables/nothing", 404, ""},
		{items + "?code=" + strings.Repeat("x", 20000), 414, ""},
	} {
		p := s.call(t, "GET", tt.path, "").isProblem(t, tt.status)
		if tt.names == "" {
			continue
		}
		if len(p.Errors) == 0 || p.Errors[0].Parameter != tt.names {
			t.Errorf("%s: the problem names %+v, not %s", tt.path, p.Errors, tt.names)
		}
	}
	p := s.call(t, "GET", items+"?bbox=NaN&limit=0&colour=red&datetime=x", "").isProblem(t, 400)
	if len(p.Errors) != 4 {
		t.Errorf("not all four faults at once: %+v", p.Errors)
	}
	s.call(t, "GET", items, "", "Accept", "image/png").isProblem(t, http.StatusNotAcceptable)
	var whole page
	s.get(t, items+"?limit=99999999999999999999999999", &whole)
	if whole.NumberReturned != 847 {
		t.Errorf("a huge limit returns %d", whole.NumberReturned)
	}
}

func badBodies(t *testing.T, s *server) {
	for _, tt := range []struct {
		body, pointer string
	}{
		{``, ""}, {`{`, ""}, {`{"lon":103`, ""}, {`[]`, ""}, {`null`, ""}, {`"x"`, ""}, {`{"lon":NaN,"lat":21,"mast_type":"A2b"}`, ""}, {"\x00\xff", ""},
		{strings.Repeat("[", 100000), ""}, {strings.Repeat(`{"a":`, 1000), ""},
		{`{"lon":103,"lat":91,"mast_type":"A2b"}`, "/lat"}, {`{"lon":181,"lat":21,"mast_type":"A2b"}`, "/lon"}, {`{"lon":"NaN","lat":21,"mast_type":"A2b"}`, "/lon"},
		{`{"lon":1e999,"lat":21,"mast_type":"A2b"}`, "/lon"}, {`{"lon":103,"lat":21}`, "/mast_type"}, {`{"lon":103,"lat":21,"mast_type":"B7"}`, "/mast_type"},
		{`{"lat":21,"mast_type":"A2b"}`, "/lon"}, {`{"lon":103,"lat":21,"mast_type":"A2b","height_m":-3}`, "/height_m"},
		{`{"lon":103,"lat":21,"mast_type":"A2b","colour":"red"}`, "/colour"}, {`{"lon":103,"lat":21,"mast_type":"A2b","date":"2020-13-01"}`, "/date"},
		{`{"crs":"EPSG:1","x":1,"y":2,"mast_type":"A2b"}`, "/crs"},
		{`{"proposals":{}}`, "/proposals"}, {`{"proposals":[],"lon":1}`, "/lon"},
		{`{"proposals":[` + strings.TrimSuffix(strings.Repeat("{},", 10001), ",") + `]}`, "/proposals"},
	} {
		p := s.call(t, "POST", "/api/v1/placement-checks", tt.body, "Content-Type", "application/json").isProblem(t, 400)
		named := func(f struct{ Pointer, Parameter, Detail string }) bool { return f.Pointer == tt.pointer }
		if tt.pointer != "" && !slices.ContainsFunc(p.Errors, named) {
			t.Errorf("%.60s: the problem names %+v, not %s", tt.body, p.Errors, tt.pointer)
		}
	}
	const good = `{"lon":103,"lat":21,"mast_type":"A2b"}`
	s.call(t, "POST", "/api/v1/placement-checks", good, "Content-Type", "text/plain").isProblem(t, http.StatusUnsupportedMediaType)
	s.call(t, "POST", "/api/v1/placement-checks", good).isProblem(t, http.StatusUnsupportedMediaType)
	s.call(t, "POST", "/api/v1/placement-checks", good, "Content-Type", "application/json", "Content-Encoding", "gzip").isProblem(t, http.StatusUnsupportedMediaType)
	s.call(t, "POST", "/api/v1/placement-checks?x=1", good, "Content-Type", "application/json").isProblem(t, 400)
}

// badFeatures sends features that the administrator may not store either.
func badFeatures(t *testing.T, s *server) {
	headers := append(bearer(s.key), "Content-Type", "application/geo+json")
	feature := func(geometry, more string) string {
		return `{"type":"Feature","properties":{"code":"ZZ-1","name":"x","valid_from":"2016-01-01","jurisdiction":"11","illustrative":false` + more + `},"geometry":` + geometry + `}`
	}
	const ring = `{"type":"Polygon","coordinates":[[[103,21],[103.1,21.1],[103.1,21],[103,21.1],[103,21]]]}`
	const commune = `,"kind":"xã","district_code":"094"`
	for name, tt := range map[string]struct{ layer, body, pointer string }{
		"wrong kind":      {"bts_sites", feature(`{"type":"LineString","coordinates":[[103,21],[104,22]]}`, `,"status":"existing","mast_type":"A2b"`), "/geometry"},
		"self-crossing":   {"communes", feature(ring, commune), "/geometry"},
		"open ring":       {"communes", feature(`{"type":"Polygon","coordinates":[[[103,21],[103.1,21],[103.1,21.1],[103,21.1]]]}`, commune), "/geometry"},
		"latitude 91":     {"kiosks", feature(`{"type":"Point","coordinates":[103,91]}`, `,"status":"existing"`), "/geometry"},
		"no geometry":     {"kiosks", feature(`null`, `,"status":"existing"`), "/geometry"},
		"empty":           {"roads", feature(`{"type":"MultiLineString","coordinates":[]}`, `,"road_class":"national"`), "/geometry"},
		"text for number": {"bts_sites", feature(`{"type":"Point","coordinates":[103,21]}`, `,"status":"existing","mast_type":"A2b","height_m":"tall"`), "/properties/height_m"},
		"unknown value":   {"bts_sites", feature(`{"type":"Point","coordinates":[103,21]}`, `,"status":"existing","mast_type":"B7"`), "/properties/mast_type"},
		"no mast type":    {"bts_sites", feature(`{"type":"Point","coordinates":[103,21]}`, `,"status":"existing"`), "/properties/mast_type"},
		"unknown field":   {"kiosks", feature(`{"type":"Point","coordinates":[103,21]}`, `,"status":"existing","flavour":"x"`), "/properties/flavour"},
		"dates reversed":  {"kiosks", feature(`{"type":"Point","coordinates":[103,21]}`, `,"status":"existing","valid_to":"2015-01-01"`), "/properties/valid_to"},
	} {
		p := s.call(t, "POST", "/api/v1/collections/"+tt.layer+"/items", tt.body, headers...).isProblem(t, 400)
		named := func(f struct{ Pointer, Parameter, Detail string }) bool {
			return strings.HasPrefix(f.Pointer, tt.pointer)
		}
		if !slices.ContainsFunc(p.Errors, named) {
			t.Errorf("%s: the problem names %+v, not %s", name, p.Errors, tt.pointer)
		}
	}
	s.call(t, "POST", "/api/v1/collections/kiosks/items", `{"type":"FeatureCollection","features":[]}`, headers...).isProblem(t, 400)
	s.call(t, "POST", "/api/v1/collections/kiosks/items", `{"type":`, headers...).isProblem(t, 400)
	s.call(t, "PATCH", "/api/v1/collections/kiosks/items/999999", `{"type":"Feature"}`, headers...).isProblem(t, 404)
	s.call(t, "DELETE", "/api/v1/collections/kiosks/items/999999", "", headers...).isProblem(t, 404)
	var p page
	s.get(t, "/api/v1/collections/communes/items?code=ZZ-1&datetime=../..", &p)
	if p.NumberMatched != 0 {
		t.Error("a refused feature was stored")
	}
}

// countingReader counts what is taken from it.
type countingReader struct {
	left, taken int
}

func (c *countingReader) Read(b []byte) (int, error) {
	n := min(len(b), c.left)
	if n == 0 {
		return 0, io.EOF
	}
	for i := range n {
		b[i] = ' '
	}
	c.left, c.taken = c.left-n, c.taken+n
	return n, nil
}

// hugeBody sends 100 MB without saying so first: the server must not take it all.
func hugeBody(t *testing.T, s *server) {
	const size = 100 << 20
	for _, path := range []string{"/api/v1/placement-checks", "/api/v1/collections/kiosks/items"} {
		body := &countingReader{left: size}
		a, err := s.try(t.Context(), "POST", path, io.NopCloser(body), append(bearer(s.key), "Content-Type", "application/json")...)
		if err != nil {
			t.Errorf("%s: no answer: %v", path, err)
			continue
		}
		a.isProblem(t, http.StatusRequestEntityTooLarge)
		if body.taken > size/2 {
			t.Errorf("%s: the server took %d bytes", path, body.taken)
		}
	}
}

func methodsAndSlashes(t *testing.T, s *server) {
	for path, allow := range map[string]string{
		"/api/v1": "GET, HEAD, OPTIONS", "/api/v1/collections": "GET, HEAD, POST, OPTIONS",
		"/api/v1/collections/bts_sites/items":   "GET, HEAD, POST, OPTIONS",
		"/api/v1/collections/bts_sites/items/1": "GET, HEAD, PUT, PATCH, DELETE, OPTIONS",
		"/api/v1/placement-checks":              "POST, OPTIONS", "/": "GET, HEAD, OPTIONS",
	} {
		options := s.call(t, "OPTIONS", path, "")
		if options.status != http.StatusNoContent || options.header.Get("Allow") != allow {
			t.Errorf("OPTIONS %s: %d, Allow %q, want %q", path, options.status, options.header.Get("Allow"), allow)
		}
		a := s.call(t, "TRACE", path, "")
		if a.isProblem(t, http.StatusMethodNotAllowed); a.header.Get("Allow") != allow {
			t.Errorf("TRACE %s: Allow %q, want %q", path, a.header.Get("Allow"), allow)
		}
		if head := s.call(t, "HEAD", path, ""); strings.Contains(allow, "HEAD") && !strings.HasSuffix(path, "/1") && (head.status != http.StatusOK || len(head.body) > 0) {
			t.Errorf("HEAD %s: %d", path, head.status)
		}
	}
	for _, path := range []string{"/api/v1/collections", "/api/v1/collections/roads", "/api/v1/collections/roads/items", "/healthz"} {
		a := s.call(t, "GET", path+"/?f=json", "")
		if a.status != http.StatusPermanentRedirect || !strings.HasSuffix(a.header.Get("Location"), path+"?f=json") {
			t.Errorf("%s/: %d to %q", path, a.status, a.header.Get("Location"))
		}
	}
	for _, status := range []int{http.StatusNotFound} {
		a := s.call(t, "GET", "/api/v1/nowhere", "", "Accept-Language", "vi", "Origin", "http://elsewhere.example")
		p := a.isProblem(t, status)
		if p.Detail != p.Message.VI || a.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("in Vietnamese from elsewhere: %s %v", a.body, fmt.Sprint(a.header))
		}
	}
}
