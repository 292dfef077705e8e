package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
)

// newKey makes a key on the terminal, beside the running server.
func newKey(t *testing.T, s *server, role string, args ...string) string {
	t.Helper()
	r := hatang(t, append([]string{"key", "create", "test " + role, "--role", role, "--json", "--data", s.dir}, args...)...)
	var made struct{ ID, Key string }
	if err := json.Unmarshal([]byte(r.stdout), &made); err != nil || r.code != exitDone || made.Key == "" || made.ID == "" {
		t.Fatalf("key create: exit %d, %v\n%s%s", r.code, err, r.stdout, r.stderr)
	}
	return made.Key
}

// problem is what the tests read of an error.
type problemAnswer struct {
	Type, Title, Detail, Instance string
	Status                        int
	RequestID                     string `json:"request_id"`
	Message                       struct{ VI, EN string }
	Errors                        []struct{ Pointer, Parameter, Detail string }
}

// isProblem checks that an answer is a problem document that says what to do and
// nothing of the server's inside.
func (a answer) isProblem(t *testing.T, status int) problemAnswer {
	t.Helper()
	var p problemAnswer
	if a.status != status || a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: %d %s, want a problem %d\n%.300s", a.request, a.status, a.header.Get("Content-Type"), status, a.body)
		return p
	}
	a.read(t, &p)
	if p.Type == "" || p.Title == "" || p.Detail == "" || p.Status != status || p.RequestID == "" || p.Message.VI == "" || p.Message.EN == "" {
		t.Errorf("%s: the problem lacks something: %s", a.request, a.body)
	}
	for _, inside := range []string{"goroutine", "SQLSTATE", "pgx", ".go:", "ERROR:"} {
		if containsFold(string(a.body), inside) {
			t.Errorf("%s shows the server's inside: %s", a.request, a.body)
		}
	}
	return p
}

func keysDecide(t *testing.T, s *server) {
	operator := newKey(t, s, "operator", "--organisation", "VIETTEL")
	expired := newKey(t, s, "officer", "--expires", "1ns")
	var p page
	s.get(t, "/api/v1/collections/roads/items?limit=1", &p)
	one := fmt.Sprintf("/api/v1/collections/roads/items/%d", p.Features[0].ID)
	const feature = `{"type":"Feature","properties":{"name":"x"},"geometry":{"type":"Point","coordinates":[103,21]}}`
	for _, tt := range []struct{ method, path string }{
		{"POST", "/api/v1/collections/roads/items"}, {"PUT", one}, {"PATCH", one}, {"DELETE", one},
	} {
		for _, who := range []struct {
			header string
			status int
		}{
			{"", http.StatusUnauthorized}, {"Bearer nonsense", http.StatusUnauthorized}, {"Bearer htg_abcdefgh_x", http.StatusUnauthorized},
			{"Basic YTpi", http.StatusUnauthorized}, {"Bearer " + expired, http.StatusUnauthorized}, {"Bearer " + operator, http.StatusForbidden},
		} {
			headers := []string{"Content-Type", "application/geo+json"}
			if who.header != "" {
				headers = append(headers, "Authorization", who.header)
			}
			a := s.call(t, tt.method, tt.path, feature, headers...)
			a.isProblem(t, who.status)
			if who.status == http.StatusUnauthorized && a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s with %q: no WWW-Authenticate", a.request, who.header)
			}
		}
	}
	for _, path := range []string{"/api/v1", "/api/v1/collections", one, "/api/v1/indicators", "/api/v1/nowhere", "/"} {
		s.call(t, "GET", path, "", "Authorization", "Bearer nonsense").isProblem(t, http.StatusUnauthorized)
	}
	s.call(t, "GET", one, "", bearer(operator)...).wants(t, http.StatusOK)
	hatang(t, "key", "create", "x", "--role", "emperor", "--data", s.dir).wants(t, exitUsage, "role")
	var again page
	s.get(t, "/api/v1/collections/roads/items?limit=1", &again)
	if fmt.Sprint(again.Features[0].Properties) != fmt.Sprint(p.Features[0].Properties) || again.NumberMatched != p.NumberMatched {
		t.Error("a refused request changed something")
	}
}

func withheldRows(t *testing.T, s *server) {
	const base = "/api/v1/collections/special_areas"
	officer := bearer(newKey(t, s, "officer"))
	operator := bearer(newKey(t, s, "operator", "--organisation", "VNPT"))
	kinds := func(query string, who []string) (map[string]int, int, []int64) {
		var p page
		s.get(t, base+"/items?limit=100"+query, &p, who...)
		found, ids := map[string]int{}, []int64{}
		for _, f := range p.Features {
			found[fmt.Sprint(f.Properties["kind"])]++
			ids = append(ids, f.ID)
		}
		return found, p.NumberMatched, ids
	}
	all, matched, ids := kinds("", officer)
	if all["border_belt"] != 1 || all["military"] != 2 || matched != 6 {
		t.Fatalf("the officer sees %v of %d", all, matched)
	}
	for name, who := range map[string][]string{"public": nil, "operator": operator} {
		for _, query := range []string{"", "&kind=military", "&kind=border_belt", "&bbox=102.8,21.7,103,21.8", "&code=KV-BG", "&datetime=../..", "&after=0"} {
			if found, n, _ := kinds(query, who); found["military"]+found["border_belt"] > 0 || n > 3 || query != "" && query != "&datetime=../.." && query != "&after=0" && n > 1 {
				t.Errorf("the %s sees %v (%d matched) with %q", name, found, n, query)
			}
		}
		visible := 0
		for _, id := range ids {
			if a := s.call(t, "GET", fmt.Sprintf("%s/items/%d", base, id), "", who...); a.status == http.StatusOK {
				visible++
			} else {
				a.isProblem(t, http.StatusNotFound)
			}
		}
		if visible != 3 {
			t.Errorf("the %s sees %d areas one by one", name, visible)
		}
	}
	var seen, known struct {
		Extent struct{ Spatial struct{ Bbox [][4]float64 } }
	}
	s.get(t, base, &seen)
	s.get(t, base, &known, officer...)
	if len(seen.Extent.Spatial.Bbox) == 0 || len(known.Extent.Spatial.Bbox) == 0 || seen.Extent.Spatial.Bbox[0] == known.Extent.Spatial.Bbox[0] {
		t.Errorf("the public's extent %v gives the withheld areas (%v) away", seen.Extent, known.Extent)
	}
	public := s.call(t, "GET", base+"/items", "")
	if private := s.call(t, "GET", base+"/items", "", officer...); private.header.Get("ETag") == public.header.Get("ETag") || private.header.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("answers of the officer may be taken for the public's: %v", private.header)
	}
}
