package httpapi

import (
	"encoding/json"
	"strings"
	"testing"
)

// The figures of a unit link to its uncovered parts and its sharing clusters, which are GeoJSON.
func TestFiguresLink(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	var one struct {
		Unit  struct{ Code string }
		Links []struct{ Href, Rel, Type string }
	}
	var all struct {
		Units []json.RawMessage
	}
	read(t, do(h, "GET", "/api/v1/indicators?level=commune&date=2015-12-31", "").Body.Bytes(), &all)
	for _, body := range [][]byte{do(h, "GET", "/api/v1/districts/094/indicators?date=2015-12-31", "").Body.Bytes(), all.Units[0]} {
		read(t, body, &one)
		if len(one.Links) != 2 {
			t.Fatalf("links %+v", one.Links)
		}
		for i, name := range []string{"uncovered", "sharing-clusters"} {
			if l := one.Links[i]; l.Rel != "related" || l.Type != typeGeoJSON || !strings.HasSuffix(l.Href, "s/"+one.Unit.Code+"/"+name+"?date=2015-12-31") {
				t.Errorf("link %+v", l)
			}
		}
	}
	w := do(h, "GET", "/api/v1/districts/094/uncovered?operator=VIETTEL&stage=with_planned&date=2015-12-31&of=bts_sites", "")
	var parts struct {
		Type, Operator, Stage, Date string
	}
	read(t, w.Body.Bytes(), &parts)
	if w.Code != 200 || w.Header().Get("Content-Type") != typeGeoJSON || parts.Type != "FeatureCollection" || parts.Operator != "VIETTEL" || parts.Stage != "with_planned" || parts.Date != "2015-12-31" {
		t.Errorf("status %d, %s, %+v", w.Code, w.Header().Get("Content-Type"), parts)
	}
}

// What is asked of sharing clusters arrives, for every level; no within_m is none, which the rules decide.
func TestSharingClusters(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	for level, address := range map[string]string{"province": "/provinces/11", "district": "/districts/094", "commune": "/communes/03136"} {
		for query, want := range map[string]*float64{"": nil, "&within_m=250.5": new(250.5), "&within_m=10000": new(10000.0)} {
			w := do(h, "GET", "/api/v1"+address+"/sharing-clusters?stage=with_planned&date=2015-12-31"+query, "")
			var got struct {
				Type, Stage, Date string
				Unit              struct{ Level string }
				WithinM           *float64 `json:"within_m"`
			}
			read(t, w.Body.Bytes(), &got)
			same := (got.WithinM == nil) == (want == nil) && (want == nil || *got.WithinM == *want)
			if w.Code != 200 || w.Header().Get("Content-Type") != typeGeoJSON || got.Type != "FeatureCollection" || got.Stage != "with_planned" || got.Date != "2015-12-31" || got.Unit.Level != level || !same {
				t.Errorf("%s%s: status %d, %s, %+v", address, query, w.Code, w.Header().Get("Content-Type"), got)
			}
		}
	}
	if w := do(h, "GET", "/api/v1/districts/094/sharing-clusters", ""); decode(t, w)["stage"] != "built" || decode(t, w)["date"] != "2020-12-31" {
		t.Errorf("by default %s", w.Body)
	}
}

func read(t *testing.T, body []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
}
