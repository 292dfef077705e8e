package httpapi

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"hatang/internal/intake"
	"hatang/internal/layer"
)

const proposalsPath = root + "/site-proposals"

func TestSitesAreMergedAndSplit(t *testing.T) {
	s := &fakeStore{}
	h := handlerOf(t, s)
	for _, c := range []struct{ path, body, did, faults string }{
		{"/mergers", `{"sites":["A","B\u0301"]}`, "merge [A B\u0301] false", ""},
		{"/mergers?dry_run=true", `{"sites":["A","Đ"]}`, "merge [A Đ] true", ""},
		{"/mergers?dry_run=x", `{"sites":["A"],"position":"P","reason":"r"}`, "", "dry_run /position /reason /sites"},
		{"/mergers", `{}`, "", "/sites"},
		{"/splits", `{"position":"P","site":"S"}`, "split {P S} false", ""},
		{"/splits?dry_run=true", `{"position":"P"}`, "split {P } true", ""},
		{"/splits", `{"sites":["A","B"]}`, "", "/position /sites"},
		{"/refusals", `{"sites":["A","B"],"reason":" hai cột "}`, "apart [A B]hai cột", ""},
		{"/refusals", `{"sites":["A\u0000","B"],"reason":"` + strings.Repeat("x", mostReason+1) + `","site":"S"}`, "", "/reason /site /sites/0"},
	} {
		s.sites = ""
		w := do(h, "POST", proposalsPath+c.path, c.body, asOfficer, "Content-Type: application/json")
		if c.faults != "" {
			got := map[string]bool{}
			for _, e := range decode(t, w)["errors"].([]any) {
				at := e.(map[string]any)
				for _, name := range []string{"pointer", "parameter"} {
					if text, ok := at[name].(string); ok {
						got[strings.TrimPrefix(text, "#")] = true
					}
				}
			}
			for _, want := range strings.Fields(c.faults) {
				if !got[want] {
					t.Errorf("%s %s: faults at %v, want %s", c.path, c.body, got, c.faults)
				}
			}
			if w.Code != http.StatusBadRequest || s.sites != "" {
				t.Errorf("%s %s: %d, did %s", c.path, c.body, w.Code, s.sites)
			}
			continue
		}
		if s.sites != c.did || w.Code >= 300 {
			t.Errorf("%s %s: %d %s, did %s", c.path, c.body, w.Code, w.Body, s.sites)
		}
	}
	if w := do(h, "POST", proposalsPath+"/mergers", `{"sites":["A","B"]}`, "Content-Type: application/json"); w.Code != http.StatusUnauthorized {
		t.Errorf("nobody: %d", w.Code)
	}
}

func TestProposalsOfSites(t *testing.T) {
	s := &fakeStore{proposed: intake.ProposedSites{Sites: make([]intake.ProposedSite, mostProposed+2), Apart: []intake.Link{}, Crowded: []intake.Position{{Code: "P", At: orb.Point{103, 21}}}}}
	h := handlerOf(t, s)
	doc := decode(t, do(h, "GET", proposalsPath+"?distance=30.5", "", asOfficer))
	if len(doc["proposals"].([]any)) != mostProposed || doc["more"] != 2.0 || doc["distance_m"] != 30.5 || len(doc["crowded"].([]any)) != 1 {
		t.Errorf("%v", doc["more"])
	}
	for _, bad := range []string{"0", "-1", "1001", "x", "NaN", ""} {
		if w := do(h, "GET", proposalsPath+"?distance="+bad, "", asOfficer); w.Code != http.StatusBadRequest {
			t.Errorf("distance=%s: %d", bad, w.Code)
		}
	}
	for _, at := range []string{"999", "1000"} {
		if w := do(h, "GET", proposalsPath+"?distance="+at, "", asOfficer); w.Code != http.StatusOK {
			t.Errorf("distance=%s: %d", at, w.Code)
		}
	}
	s.err = layer.ErrUnavailable
	if w := do(h, "GET", proposalsPath, "", asOfficer); w.Code != http.StatusServiceUnavailable {
		t.Errorf("no database: %d", w.Code)
	}
}

func TestSitesAtTheirLimits(t *testing.T) {
	s := &fakeStore{}
	h := handlerOf(t, s)
	for n, want := range map[int]int{mostSites - 1: http.StatusOK, mostSites: http.StatusOK, mostSites + 1: http.StatusBadRequest} {
		codes := make([]string, n)
		for i := range codes {
			codes[i] = strconv.Quote(strconv.Itoa(i))
		}
		if w := do(h, "POST", proposalsPath+"/mergers", `{"sites":[`+strings.Join(codes, ",")+`]}`, asOfficer, "Content-Type: application/json"); w.Code != want {
			t.Errorf("%d sites: %d %s", n, w.Code, w.Body)
		}
	}
	for found, more := range map[int]float64{mostProposed - 1: 0, mostProposed: 0, mostProposed + 1: 1} {
		s.proposed.Sites = make([]intake.ProposedSite, found)
		if doc := decode(t, do(h, "GET", proposalsPath, "", asOfficer)); len(doc["proposals"].([]any)) != min(found, mostProposed) || doc["more"] != more {
			t.Errorf("of %d proposals %v are left", found, doc["more"])
		}
	}
}
