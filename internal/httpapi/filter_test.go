package httpapi

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hatang/internal/filter"
)

func filtered(values ...string) string {
	q := url.Values{}
	for i := 0; i < len(values); i += 2 {
		q.Set(values[i], values[i+1])
	}
	return itemsPath + "?" + q.Encode()
}

func TestFilterReachesTheStore(t *testing.T) {
	for _, tt := range []struct {
		values []string
		want   string
	}{
		{[]string{"filter", "height_m > 40 and not name like 'X%'"}, `("height_m" > 40) AND (NOT ("name" LIKE 'X%'))`},
		{[]string{"filter", "mast_type='A1a'", "filter-lang", "cql2-text"}, `"mast_type" = 'A1a'`},
		{[]string{"filter", "(valid_from >= '2016-01-01T') AND (updated_at < '2016-01-01T10:30Z')", "filter-lang", "cql-text"}, `("valid_from" >= DATE('2016-01-01')) AND ("updated_at" < TIMESTAMP('2016-01-01T10:30:00Z'))`},
		{[]string{"filter", "concealed = 1 OR NOT (name ILIKE 'a%')", "filter-lang", "cql-text"}, `("concealed" = TRUE) OR (NOT (CASEI("name") LIKE CASEI('a%')))`},
		{[]string{"filter", "technologies = '3G' AND technologies <> '5G' AND height_m = '4.5'", "filter-lang", "cql-text"}, `A_CONTAINS("technologies", ('3G')) AND (NOT A_CONTAINS("technologies", ('5G'))) AND ("height_m" = 4.5)`},
		{[]string{"filter", `{"op":"s_intersects","args":[{"property":"geometry"},{"bbox":[102,21,103,22]}]}`, "filter-lang", "cql2-json"}, `S_INTERSECTS("geometry", BBOX(102, 21, 103, 22))`},
		{[]string{"filter", "S_INTERSECTS(geometry, BBOX(21,102,22,103))", "filter-crs", "http://www.opengis.net/def/crs/EPSG/0/4326"}, `S_INTERSECTS("geometry", BBOX(102, 21, 103, 22))`},
		{[]string{"filter", "S_INTERSECTS(geometry, POINT(102 21))", "filter-crs", "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}, `S_INTERSECTS("geometry", POINT(102 21))`},
	} {
		s := &fakeStore{rows: siteRows(t, 1, "x")}
		if w := do(handlerOf(t, s), "GET", filtered(tt.values...), ""); w.Code != 200 || s.asked.Filter == nil || s.asked.Filter.String() != tt.want {
			t.Errorf("%v: %d, %v, want %s", tt.values, w.Code, s.asked.Filter, tt.want)
		}
	}
	s := &fakeStore{rows: siteRows(t, 1, "x")}
	if do(handlerOf(t, s), "GET", itemsPath, ""); s.asked.Filter != nil {
		t.Errorf("without a filter the store is asked for %v", s.asked.Filter)
	}
}

// A geometry in metres selects by degrees.
func TestFilterCRSIsTransformed(t *testing.T) {
	s := &fakeStore{}
	do(handlerOf(t, s), "GET", filtered("filter", "S_INTERSECTS(geometry, POINT(500000 2365000))", "filter-crs", "EPSG:9205"), "")
	f, ok := s.asked.Filter.(*filter.Filter)
	if !ok {
		t.Fatalf("the store is asked for %v", s.asked.Filter)
	}
	p := f.Tree().(*filter.Call).Args[1].(*filter.Geometry).Parts[0][0][0]
	if p[0] < 102.99 || p[0] > 103.01 || p[1] < 21.3 || p[1] > 21.5 {
		t.Errorf("the point is at %v", p)
	}
}

func TestFilterFaults(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	for _, tt := range []struct {
		values []string
		want   []string // parameter and a part of what is said, for each fault
	}{
		{[]string{"filter", "nothing = 1 and height_m = 'a' and f(x)"}, []string{`filter|at byte 0: there is no property "nothing"`, "filter|at byte 27: a text cannot be compared", "filter|at byte 35: there is no function", `filter|at byte 37: there is no property "x"`}},
		{[]string{"filter", "name = "}, []string{"filter|at byte 7: the filter ends too early"}},
		{[]string{"filter", ""}, []string{"filter|at byte 0"}},
		{[]string{"filter", `{"op":"=","args":[{"property":"none"},1]}`, "filter-lang", "cql2-json"}, []string{`filter|at "/args/0": there is no property`}},
		{[]string{"filter", "TRUE", "filter-lang", "sql"}, []string{"filter-lang|must be cql2-text, cql2-json or cql-text"}},
		// What is read so of GDAL is CQL2 of nobody.
		{[]string{"filter", "name ILIKE 'a'"}, []string{"filter|at byte 5"}},
		{[]string{"filter", "concealed = 1 AND valid_from = '2016-01-01'"}, []string{"filter|at byte 12: a whole number cannot be compared", "filter|at byte 31: a text cannot be compared"}},
		{[]string{"filter", "valid_from = '..' AND height_m = 'x' AND concealed = 2 AND technologies < 'x'", "filter-lang", "cql-text"}, []string{"filter|at byte 13: a text", "filter|at byte 33: a text", "filter|at byte 53: a whole number", "filter|at byte 59: a list cannot"}},
		{[]string{"filter", "TRUE", "filter-crs", "EPSG:1"}, []string{"filter-crs|no reference system"}},
		{[]string{"filter", "S_WITHIN(geometry, POINT(1e9 1e9))", "filter-crs", "EPSG:9205"}, []string{"filter|at byte 19: the position"}},
		{[]string{"filter-lang", "cql2-text", "filter-crs", "EPSG:4326"}, []string{"filter-lang|goes with filter", "filter-crs|goes with filter"}},
		{[]string{"filter", "none = 1", "limit", "0"}, []string{"limit|limit must", "filter|at byte 0"}},
	} {
		w := do(h, "GET", filtered(tt.values...), "")
		errors, _ := decode(t, w)["errors"].([]any)
		ok := w.Code == 400 && len(errors) == len(tt.want)
		for i := 0; ok && i < len(errors); i++ {
			parameter, text, _ := strings.Cut(tt.want[i], "|")
			e := errors[i].(map[string]any)
			message := e["message"].(map[string]any)
			ok = e["parameter"] == parameter && strings.Contains(message["en"].(string), text) && message["vi"] != "" && !strings.Contains(fmt.Sprint(message), "%!")
		}
		if !ok {
			t.Errorf("%v: %d, %s", tt.values, w.Code, w.Body)
		}
	}
}

// Links keep the filter, and every filter has an ETag of its own.
func TestFilterIsPartOfLinksAndETag(t *testing.T) {
	h := handlerOf(t, &fakeStore{rows: siteRows(t, 3, "x")})
	values := []string{"filter", "name = 'a & b' OR height_m < 5", "filter-lang", "cql2-text", "filter-crs", "EPSG:4326", "limit", "2"}
	w := do(h, "GET", filtered(values...), "")
	doc := decode(t, w)
	for _, rel := range []string{"self", "next"} {
		link, err := url.Parse(linkTo(doc, rel))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(values); i += 2 {
			if got := link.Query().Get(values[i]); got != values[i+1] {
				t.Errorf("%s has %s=%q", rel, values[i], got)
			}
		}
	}
	if doc["numberMatched"] != 3.0 || doc["numberReturned"] != 2.0 {
		t.Errorf("%v of %v", doc["numberReturned"], doc["numberMatched"])
	}
	tags := map[string]bool{w.Header().Get("ETag"): true}
	for _, f := range []string{"height_m < 5", "height_m < 6"} {
		tags[do(h, "GET", filtered("filter", f), "").Header().Get("ETag")] = true
	}
	if len(tags) != 3 {
		t.Errorf("three filters have %d tags", len(tags))
	}
}

// Queryables name what filters take, and nothing else: every one is compared with itself.
func TestQueryablesCanBeFilteredBy(t *testing.T) {
	for _, l := range registry(t).All() {
		s := &fakeStore{}
		h := handlerOf(t, s)
		doc := decode(t, do(h, "GET", "/api/v1/collections/"+l.Name+"/queryables", ""))
		properties := doc["properties"].(map[string]any)
		var listed, known []string
		for name, property := range properties {
			listed = append(listed, name)
			text := `"` + name + `" IS NULL`
			if property.(map[string]any)["x-ogc-role"] == "primary-geometry" {
				text = "S_INTERSECTS(" + name + ", POINT(103 21))"
			}
			if w := do(h, "GET", "/api/v1/collections/"+l.Name+"/items?filter="+url.QueryEscape(text), ""); w.Code != 200 {
				t.Errorf("%s: %s: %d, %s", l.Name, text, w.Code, w.Body)
			}
		}
		for name := range filterSchema(l) {
			known = append(known, name)
		}
		slices.Sort(listed)
		slices.Sort(known)
		if d := cmp.Diff(known, listed); d != "" {
			t.Errorf("%s (-filters +queryables):\n%s", l.Name, d)
		}
		if doc["additionalProperties"] != false {
			t.Errorf("%s lets filters name anything", l.Name)
		}
	}
}

// What newer clients look for before they send a filter.
func TestConformanceOfFilters(t *testing.T) {
	doc := decode(t, do(handlerOf(t, &fakeStore{}), "GET", "/api/v1/conformance", ""))
	for _, class := range []string{"ogcapi-features-3/1.0/conf/filter", "ogcapi-features-3/1.0/conf/features-filter", "ogcapi-features-3/1.0/conf/queryables",
		"cql2/1.0/conf/cql2-text", "cql2/1.0/conf/basic-cql2", "cql2/1.0/conf/advanced-comparison-operators", "cql2/1.0/conf/case-insensitive-comparison"} {
		if !slices.Contains(doc["conformsTo"].([]any), any("http://www.opengis.net/spec/"+class)) {
			t.Errorf("%s is not listed", class)
		}
	}
}
