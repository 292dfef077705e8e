package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"hatang/internal/layer"
)

const mappingsPath = root + "/mappings"

// savedOnes are two mappings of staff of no organisation, the second of which names what is not there.
func savedOnes() []layer.Mapping {
	return []layer.Mapping{
		{ID: 1, MappingName: layer.MappingName{Collection: "bts_sites", Name: "Vn"}, Reading: layer.Reading{Columns: map[string]string{"A": "code"}, CRS: "EPSG:9205"}, SavedBy: "person:lan"},
		{ID: 2, MappingName: layer.MappingName{Collection: "bts_sites", Name: "cũ"}, Reading: layer.Reading{Columns: map[string]string{"A": "gone", "B": "code"}}},
	}
}

func TestSavingMappings(t *testing.T) {
	s := &fakeStore{}
	body := `{"collection":"bts_sites","name":"Tỉnh","reading":{"columns":{"Mã":"code"},"header_row":3,"separator":";"}}`
	w := do(handlerOf(t, s), "POST", mappingsPath, body, asOfficer, "Content-Type: application/json")
	if w.Code != http.StatusCreated || w.Header().Get("Location") != "http://example.com"+mappingsPath+"/7" || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if s.saved.Name != "Tỉnh" || s.saved.Organisation != "" || s.saved.Reading.Columns["Mã"] != "code" || s.saved.Reading.HeaderRow != 3 {
		t.Errorf("%+v", s.saved)
	}
	if w = do(handlerOf(t, s), "PUT", mappingsPath+"/3", `{"reading":{"axis":"yx"}}`, asOfficer, "Content-Type: application/json"); w.Code != http.StatusNoContent || s.saved.ID != 3 || s.saved.Reading.Axis != "yx" {
		t.Errorf("%d %s, %+v", w.Code, w.Body, s.saved)
	}
	for _, tt := range []struct {
		method, path, body, as string
		err                    error
		want                   int
	}{
		{"POST", "", body, "Accept: */*", nil, 401}, {"POST", "", strings.Replace(body, "bts_sites", "none", 1), asOfficer, nil, 400}, {"POST", "", `{"collection":"roads","naem":"x"}`, asOfficer, nil, 400},
		{"POST", "", strings.Replace(body, "header_row", "haeder_row", 1), asOfficer, nil, 400}, {"POST", "", "[]", asOfficer, nil, 400}, {"POST", "", body, asOfficer, layer.ErrConflict, 409},
		{"POST", "", body, asOfficer, layer.ErrForbidden, 403}, {"POST", "", body, asOfficer, layer.Faults{{At: "/reading/columns/x"}}.Err(), 400}, {"POST", "?x=1", body, asOfficer, nil, 400},
		{"PUT", "/3", `{"reading":1}`, asOfficer, nil, 400}, {"PUT", "/3", "{}", asOfficer, layer.ErrNotFound, 404}, {"PUT", "/x", "{}", asOfficer, nil, 404}, {"PUT", "/3", "{}", "Accept: */*", nil, 401},
		{"DELETE", "/3", "", asOfficer, nil, 204}, {"DELETE", "/3", "", asOfficer, layer.ErrNotFound, 404}, {"DELETE", "/0", "", asOfficer, nil, 404}, {"DELETE", "/3", "", "Accept: */*", nil, 401},
	} {
		if w := do(handlerOf(t, &fakeStore{err: tt.err}), tt.method, mappingsPath+tt.path, tt.body, tt.as, "Content-Type: application/json"); w.Code != tt.want {
			t.Errorf("%+v: %d %s", tt, w.Code, w.Body)
		}
	}
}

// Mappings are listed with what is wrong with them by now.
func TestListingMappings(t *testing.T) {
	s := &fakeStore{mappings: savedOnes()}
	h := handlerOf(t, s)
	doc := decode(t, do(h, "GET", mappingsPath+"?limit=1&collection=bts_sites", "", asOfficer))
	if list, ok := doc["mappings"].([]any); !ok || len(list) != 1 || linkTo(doc, "next") != "http://example.com"+mappingsPath+"?after=1&collection=bts_sites&limit=1" || s.limit != 2 {
		t.Errorf("%v", doc)
	}
	for id, want := range map[int]string{1: "[]", 2: "/columns/A"} {
		doc := decode(t, do(h, "GET", fmt.Sprint(mappingsPath, "/", id), "", asOfficer))
		if faults := fmt.Sprint(doc["faults"]); !strings.Contains(faults, want) || doc["collection"] != "bts_sites" {
			t.Errorf("%d: %v", id, doc)
		}
	}
	for path, want := range map[string]int{"/3": 404, "/x": 404, "?limit=0": 400, "?limit=1001": 400, "?collection=none": 400, "?x=1": 400, "": 200, "?after=2": 200} {
		if w := do(h, "GET", mappingsPath+path, "", asOfficer); w.Code != want {
			t.Errorf("%q: %d %s", path, w.Code, w.Body)
		}
	}
}

// A file is read by a mapping that is saved and can be used.
func TestImportsByAMapping(t *testing.T) {
	for _, tt := range []struct {
		query string
		want  int
		says  string
	}{
		{"?collection=bts_sites&mapping=Vn", 202, ""},
		{"?collection=bts_sites&mapping=c%C5%A9", 400, "/columns/A"},
		{"?collection=bts_sites&mapping=other", 400, "there is no mapping"},
		{"?collection=roads&mapping=Vn", 400, "there is no mapping"},
		{"?collection=bts_sites&mapping=V%00", 400, "mapping"},
	} {
		s := &fakeStore{mappings: savedOnes()}
		w := do(handlerOf(t, s), "POST", importsPath+tt.query, "A\nx\n", asOfficer, "Content-Type: text/csv", "Accept-Language: en")
		if w.Code != tt.want || !strings.Contains(w.Body.String(), tt.says) {
			t.Errorf("%s: %d %s", tt.query, w.Code, w.Body)
		}
		if tt.want == 202 && (s.sent.Wishes.Mapping != "Vn" || s.sent.Wishes.Reading == nil || s.sent.Wishes.Reading.CRS != "EPSG:9205") {
			t.Errorf("%s: %+v", tt.query, s.sent.Wishes)
		}
	}
}
