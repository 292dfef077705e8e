package httpapi

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"hatang/internal/layer"
)

func TestSearchTellsWhatWasFound(t *testing.T) {
	s := &fakeStore{}
	h := handlerOf(t, s)
	sites, _ := registry(t).Get("bts_sites")
	s.hits = []layer.Hit{
		{Layer: sites, ID: 7, Code: "S-7", Name: "Trạm Mường Ảng", Centre: &orb.Point{103.2, 21.5}, Bound: orb.Bound{Min: orb.Point{103.2, 21.5}, Max: orb.Point{103.2, 21.5}},
			Commune: &layer.Unit{Code: "03253", Name: "Mường Ảng"}},
		{Layer: sites, ID: 8, Code: "S-8"},
	}
	w := do(h, "GET", root+"/search?q="+url.QueryEscape(" Mường ")+"&collections=bts_sites,districts&date=2018-01-01&limit=1&lang=en&f=json", "")
	doc := decode(t, w)
	hits, _ := doc["hits"].([]any)
	if w.Code != 200 || len(hits) != 1 || doc["more"] != true || doc["q"] != "Mường" || doc["date"] != "2018-01-01" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	first, _ := hits[0].(map[string]any)
	delete(first, "links")
	want := map[string]any{"collection": "bts_sites", "id": 7.0, "code": "S-7", "name": "Trạm Mường Ảng", "centre": []any{103.2, 21.5}, "bbox": []any{103.2, 21.5, 103.2, 21.5},
		"unit": map[string]any{"commune": map[string]any{"code": "03253", "name": "Mường Ảng"}, "district": nil}}
	if d := cmp.Diff(want, first); d != "" {
		t.Error(d)
	}
	var names []string
	for _, l := range s.searched.Layers {
		names = append(names, l.Name)
	}
	if got := fmt.Sprint(names, s.searched.Date, s.searched.Limit, s.searched.Text); got != "[districts bts_sites] 2018-01-01 1Mường" {
		t.Errorf("asked %s", got)
	}
	if self := linkTo(doc, "self"); strings.Contains(self, "lang=") || !strings.Contains(self, "limit=1") {
		t.Errorf("it is at %s", self)
	}
	s.hits = nil
	doc = decode(t, do(h, "GET", root+"/search?q=x", ""))
	if hits, ok := doc["hits"].([]any); !ok || len(hits) != 0 || doc["more"] != false || s.searched.Limit != 10 || s.searched.Date.String() != "2020-12-31" {
		t.Errorf("nothing found: %v, asked %+v", doc, s.searched)
	}
}

func TestSearchRefusesAllThatIsWrongAtOnce(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	for query, faults := range map[string]int{
		"": 1, "q=": 1, "q=%20": 1, "q=a%00": 1, "q=" + strings.Repeat("%C4%91", 201): 1, "q=" + strings.Repeat("%C4%91", 200): 0,
		"q=&limit=51&date=x&collections=none,bts_sites": 4, "q=a&limit=0": 1, "q=a&limit=50": 0, "q=a&page=2&f=gml": 2,
	} {
		w := do(h, "GET", root+"/search?"+query, "")
		if faults == 0 {
			if w.Code != 200 {
				t.Errorf("%s: %d %s", query, w.Code, w.Body)
			}
			continue
		}
		if errors, _ := decode(t, w)["errors"].([]any); w.Code != 400 || len(errors) != faults {
			t.Errorf("%s: %d %s, want %d faults", query, w.Code, w.Body, faults)
		}
	}
}
