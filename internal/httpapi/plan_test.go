package httpapi

import (
	"encoding/json"
	"strings"
	"testing"
)

// The figures of a unit link to its uncovered parts, which are GeoJSON.
func TestUncoveredIsLinked(t *testing.T) {
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
		if len(one.Links) != 1 || one.Links[0].Rel != "related" || one.Links[0].Type != typeGeoJSON || !strings.HasSuffix(one.Links[0].Href, "s/"+one.Unit.Code+"/uncovered?date=2015-12-31") {
			t.Errorf("links %+v", one.Links)
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

func read(t *testing.T, body []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
}
