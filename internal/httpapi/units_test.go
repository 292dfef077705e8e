package httpapi

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hatang/geo"
	"hatang/internal/layer"
)

// descentOfThanhMinh is what 2020 made of two communes.
func descentOfThanhMinh(t *testing.T) layer.Descent {
	t.Helper()
	on := func(s string) geo.Date {
		d, err := geo.ParseDate(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	link := layer.Lineage{Level: "commune", Predecessor: "03144", Successor: "03145", On: on("2020-01-01"), Part: layer.Whole, Act: "815/NQ-UBTVQH14", Source: "x.csv"}
	next := layer.Lineage{Level: "commune", Predecessor: "03145", Successor: "03127", On: on("2025-07-01"), Part: layer.Whole, Source: "y.csv"}
	return layer.Descent{
		Unit:         layer.UnitVersion{ID: 200, Unit: layer.Unit{Code: "03145", Name: "Xã Thanh Minh"}, Level: "commune", Period: geo.Period{From: on("2020-01-01"), To: on("2025-07-01")}},
		Predecessors: []layer.Kin{{Lineage: link, Version: &layer.UnitVersion{ID: 8, Unit: layer.Unit{Code: "03144", Name: "Xã Tà Lèng"}, Level: "commune", Period: geo.Period{From: on("2013-01-01"), To: on("2020-01-01")}}}},
		Successors:   []layer.Kin{{Lineage: next}},
	}
}

func TestLineageOfAUnit(t *testing.T) {
	s := &fakeStore{descent: descentOfThanhMinh(t)}
	h := handlerOf(t, s)
	w := do(h, "GET", root+"/units/03145/lineage?date=2020-06-01&level=commune", "")
	if w.Code != 200 || s.calls[len(s.calls)-1] != "descent commune 03145 2020-06-01" {
		t.Fatalf("%d %s, %v", w.Code, w.Body, s.calls)
	}
	doc := decode(t, w)
	at := "http://example.com" + root
	item := func(id string) any {
		return map[string]any{"href": at + "/collections/communes/items/" + id, "rel": "item", "type": "application/geo+json"}
	}
	titled := func(l any, title string) any { l.(map[string]any)["title"] = title; return l }
	lineage := func(code, date string) any {
		return map[string]any{"href": at + "/units/" + code + "/lineage?date=" + date + "&level=commune", "rel": "unit-lineage", "type": "application/json"}
	}
	want := map[string]any{
		"date": "2020-06-01",
		"unit": map[string]any{"code": "03145", "name": "Xã Thanh Minh", "level": "commune", "valid_from": "2020-01-01", "valid_to": "2025-07-01", "links": []any{titled(item("200"), "Xã Thanh Minh"), lineage("03145", "2020-01-01")}},
		"predecessors": []any{map[string]any{"code": "03144", "changed_on": "2020-01-01", "part": "whole", "act": "815/NQ-UBTVQH14", "note": nil, "source": "x.csv",
			"unit": map[string]any{"code": "03144", "name": "Xã Tà Lèng", "level": "commune", "valid_from": "2013-01-01", "valid_to": "2020-01-01", "links": []any{titled(item("8"), "Xã Tà Lèng"), lineage("03144", "2013-01-01")}}}},
		"successors": []any{map[string]any{"code": "03127", "changed_on": "2025-07-01", "part": "whole", "act": nil, "note": nil, "source": "y.csv", "unit": nil}},
		"links":      []any{map[string]any{"href": at + "/units/03145/lineage?date=2020-06-01&level=commune", "rel": "self", "type": "application/json"}},
	}
	if d := cmp.Diff(want, doc); d != "" {
		t.Error(d)
	}
	for path, code := range map[string]int{"/units/99999/lineage": 404, "/units/a%00/lineage": 404, "/units/03145/lineage?level=village&date=x": 400, "/units/03145/lineage?page=2": 400, "/units/03145": 404} {
		if w := do(h, "GET", root+path, ""); w.Code != code {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// A unit that is over is not merely not there: the answer says when it was.
func TestFiguresOfAUnitThatIsOver(t *testing.T) {
	s := &fakeStore{descent: descentOfThanhMinh(t)}
	a := apiWith(t, config(t, s))
	on := func(d string) geo.Date {
		date, err := geo.ParseDate(d)
		if err != nil {
			t.Fatal(err)
		}
		return date
	}
	r := &request{Request: httptest.NewRequest("GET", root+"/communes/03145/indicators", nil)}
	for _, tt := range []struct{ code, date, says string }{
		{"03145", "2026-01-01", "until 2025-07-01; see /units/03145/lineage"}, {"03145", "2019-01-01", "is in force from 2020-01-01 on"},
		{"03145", "2021-01-01", "not found"}, {"99999", "2026-01-01", "not found"},
	} {
		if err := a.noUnit(r, "commune", tt.code, on(tt.date), layer.ErrNotFound); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s on %s: %v", tt.code, tt.date, err)
		}
	}
	if err := a.noUnit(r, "commune", "03145", on("2026-01-01"), layer.ErrUnavailable); !errors.Is(err, layer.ErrUnavailable) {
		t.Error(err)
	}
}
