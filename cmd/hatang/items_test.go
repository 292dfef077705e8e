package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"hatang/geo"
)

// idsOf returns the ids that a request for sites selects.
func idsOf(t *testing.T, s *server, query string) []int64 {
	t.Helper()
	var p page
	s.get(t, "/api/v1/collections/bts_sites/items?limit=10000&"+query, &p)
	var ids []int64
	for _, f := range p.Features {
		ids = append(ids, f.ID)
	}
	slices.Sort(ids)
	return ids
}

// boxIn writes the bound of a lon/lat box in a reference system.
func boxIn(t *testing.T, name string, box orb.Bound) string {
	t.Helper()
	crs, err := geo.ParseCRS(name)
	if err != nil {
		t.Fatal(err)
	}
	var b orb.Bound
	for i, corner := range []orb.Point{box.Min, {box.Max[0], box.Min[1]}, box.Max, {box.Min[0], box.Max[1]}} {
		p, err := crs.Forward(corner)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			b = p.Bound()
		}
		b = b.Extend(p)
	}
	if crs.LatFirst() {
		b.Min[0], b.Min[1], b.Max[0], b.Max[1] = b.Min[1], b.Min[0], b.Max[1], b.Max[0]
	}
	return fmt.Sprintf("%.9f,%.9f,%.9f,%.9f", b.Min[0], b.Min[1], b.Max[0], b.Max[1])
}

func bboxInEverySystem(t *testing.T, s *server) {
	box := orb.Bound{Min: orb.Point{102.95, 21.3}, Max: orb.Point{103.1, 21.5}}
	want := idsOf(t, s, "bbox=102.95,21.3,103.1,21.5")
	if len(want) < 20 || len(want) > 400 {
		t.Fatalf("the box selects %d sites: it should be some and not all", len(want))
	}
	for _, crs := range []string{"EPSG:4326", "EPSG:3857", "EPSG:9205"} {
		uri := "http://www.opengis.net/def/crs/EPSG/0/" + strings.TrimPrefix(crs, "EPSG:")
		if diff := cmp.Diff(want, idsOf(t, s, "bbox="+boxIn(t, crs, box)+"&bbox-crs="+uri)); diff != "" {
			t.Errorf("%s selects others:\n%s", crs, diff)
		}
	}
	// A box of a grid holds what is shown in it, and nothing beside it: its sides are curves
	// of longitude and latitude.
	for _, crs := range []string{"EPSG:9205", "EPSG:3406", "EPSG:5898", "EPSG:4756"} {
		boxHoldsWhatIsShown(t, s, crs)
	}
	if outside := idsOf(t, s, "bbox=2,48,3,49"); len(outside) != 0 {
		t.Errorf("a box over Paris selects %v", outside)
	}
	for _, id := range []int64{want[0], want[len(want)/2], want[len(want)-1]} {
		boxesWithoutArea(t, s, id)
	}
}

// boxHoldsWhatIsShown asks for the middle of what a system shows.
func boxHoldsWhatIsShown(t *testing.T, s *server, crs string) {
	t.Helper()
	var all struct {
		Features []struct {
			ID       int64
			Geometry struct{ Coordinates [2]float64 }
		}
	}
	s.get(t, "/api/v1/collections/bts_sites/items?limit=10000&crs="+crs, &all)
	around := orb.Bound{Min: all.Features[0].Geometry.Coordinates, Max: all.Features[0].Geometry.Coordinates}
	for _, f := range all.Features {
		around = around.Extend(f.Geometry.Coordinates)
	}
	if n := len(idsOf(t, s, fmt.Sprintf("bbox=%.7f,%.7f,%.7f,%.7f&bbox-crs=%s", around.Min[0], around.Min[1], around.Max[0], around.Max[1], crs))); n != len(all.Features) {
		t.Errorf("%s: the box around all holds %d of %d", crs, n, len(all.Features))
	}
	for _, part := range []float64{0.1, 0.2, 0.3, 0.4} {
		width, height := around.Max[0]-around.Min[0], around.Max[1]-around.Min[1]
		box := orb.Bound{Min: orb.Point{around.Min[0] + part*width, around.Min[1] + part*height}, Max: orb.Point{around.Max[0] - part*width, around.Max[1] - part*height}}
		var want []int64
		for _, f := range all.Features {
			if box.Contains(f.Geometry.Coordinates) {
				want = append(want, f.ID)
			}
		}
		got := idsOf(t, s, fmt.Sprintf("bbox=%.7f,%.7f,%.7f,%.7f&bbox-crs=%s", box.Min[0], box.Min[1], box.Max[0], box.Max[1], crs))
		if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
			t.Errorf("%s: %v selects others than it shows:\n%s", crs, box, diff)
		}
	}
}

// boxesWithoutArea asks for a place as it is shown in every reference system, and for
// lines that end there.
func boxesWithoutArea(t *testing.T, s *server, id int64) {
	t.Helper()
	for _, crs := range geo.CRSs() {
		var f struct {
			Geometry struct{ Coordinates [2]json.Number }
		}
		s.get(t, fmt.Sprintf("/api/v1/collections/bts_sites/items/%d?crs=%s", id, crs.URI()), &f)
		x, y := f.Geometry.Coordinates[0], f.Geometry.Coordinates[1]
		before, err := x.Float64()
		if err != nil {
			t.Fatal(err)
		}
		for _, box := range []string{fmt.Sprintf("%s,%s,%s,%s", x, y, x, y), fmt.Sprintf("%.7f,%s,%s,%s", before-0.001, y, x, y)} {
			if found := idsOf(t, s, "bbox="+box+"&bbox-crs="+crs.URI()); !slices.Contains(found, id) || len(found) > 3 {
				t.Errorf("%s: the box %s selects %v, and %d is shown there", crs.URI(), box, found, id)
			}
		}
	}
}

func itemsParametersWork(t *testing.T, s *server) {
	kinds := map[string]int{}
	built := 0
	for _, f := range packFeatures(t, "bts_sites") {
		kinds[fmt.Sprint(f.Properties["mast_type"])]++
		if f.Properties["status"] == "existing" {
			built++
		}
	}
	for kind, n := range kinds {
		if got := len(idsOf(t, s, "mast_type="+kind)); got != n {
			t.Errorf("mast_type=%s selects %d, the pack has %d", kind, got, n)
		}
	}
	for query, want := range map[string]int{
		"datetime=2015-12-31": built, "datetime=2020-12-31": 847, "datetime=../..": 847, "datetime=../1990-01-01": 0,
		"datetime=2015-12-31T00:00:00Z/..": 847, "code=HT-0001": 1, "code=nothing": 0, "mast_type=A1a&datetime=../1990-01-01": 0, "limit=10001": 847,
	} {
		if strings.HasPrefix(query, "limit") {
			var p page
			s.get(t, "/api/v1/collections/bts_sites/items?"+query, &p)
			if p.NumberReturned != want {
				t.Errorf("%s returns %d, want %d", query, p.NumberReturned, want)
			}
			continue
		}
		if got := len(idsOf(t, s, query)); got != want {
			t.Errorf("%s selects %d, want %d", query, got, want)
		}
	}
	var p page
	s.get(t, "/api/v1/collections/bts_sites/items?limit=3", &p)
	if p.NumberReturned != 3 || p.NumberMatched != 847 || p.next() == "" {
		t.Errorf("limit=3: %d of %d, next %q", p.NumberReturned, p.NumberMatched, p.next())
	}
	s.call(t, http.MethodGet, fmt.Sprintf("/api/v1/collections/bts_sites/items/%d", p.Features[0].ID), "").wants(t, http.StatusOK)
}

// filtersWork holds filters against the pack's own file, in both languages.
func filtersWork(t *testing.T, s *server) {
	tall, western, named := 0, 0, 0
	for _, f := range packFeatures(t, "bts_sites") {
		height, _ := f.Properties["height_m"].(float64)
		kind := fmt.Sprint(f.Properties["mast_type"])
		if height > 20 && kind != "A2b" || kind == "A1a" {
			tall++
		}
		var at orb.Point
		if err := json.Unmarshal(f.Geometry.Coordinates, &at); err != nil {
			t.Fatal(err)
		}
		if at[0] < 103 {
			western++
		}
		if strings.HasPrefix(fmt.Sprint(f.Properties["code"]), "HT-00") {
			named++
		}
	}
	grid := boxIn(t, "EPSG:9205", orb.Bound{Min: orb.Point{102.95, 21.3}, Max: orb.Point{103.1, 21.5}})
	inBox := len(idsOf(t, s, "bbox="+grid+"&bbox-crs=EPSG:9205"))
	for _, tt := range []struct {
		filter, more string
		want         int
	}{
		{"(height_m > 20 AND NOT mast_type = 'A2b') OR mast_type IN ('A1a')", "", tall},
		{"S_WITHIN(geometry, POLYGON((90 0, 103 0, 103 60, 90 60, 90 0)))", "", western},
		{`{"op":"s_within","args":[{"property":"geometry"},{"bbox":[90,0,103,60]}]}`, "&filter-lang=cql2-json", western},
		{"CASEI(code) LIKE CASEI('ht-00%')", "", named},
		{"S_INTERSECTS(geometry, BBOX(" + grid + "))", "&filter-crs=EPSG:9205", inBox},
		{"status = 'planned'", "&mast_type=A1a&datetime=../1990-01-01", 0},
		{"contact IS NULL AND valid_from <= DATE('2020-12-31') AND (height_m / 0 = 1) IS NULL", "", 847},
		{"1 = 2", "", 0},
	} {
		if got := len(idsOf(t, s, "filter="+url.QueryEscape(tt.filter)+tt.more)); got != tt.want {
			t.Errorf("%s%s selects %d, want %d", tt.filter, tt.more, got, tt.want)
		}
	}
	if tall == 0 || tall == 847 || western == 0 || western == 847 || named == 0 {
		t.Errorf("the filters tell nothing apart: %d, %d, %d", tall, western, named)
	}
	seen := 0
	for next := s.url + "/api/v1/collections/bts_sites/items?limit=100&filter=" + url.QueryEscape("status = 'planned'"); next != ""; {
		var p page
		s.get(t, next, &p)
		if p.NumberMatched != 369 {
			t.Fatalf("%d match", p.NumberMatched)
		}
		seen += len(p.Features)
		next = p.next()
	}
	if seen != 369 {
		t.Errorf("the pages of a filter show %d", seen)
	}
	s.call(t, http.MethodGet, "/api/v1/collections/bts_sites/items?filter=nothing%3D1", "").wants(t, http.StatusBadRequest)
}

func pagesVisitEachOnce(t *testing.T, s *server) {
	seen := map[int64]int{}
	pages := 0
	for next := s.url + "/api/v1/collections/bts_sites/items?limit=97&status=planned"; next != ""; pages++ {
		var p page
		s.get(t, next, &p)
		if p.NumberMatched != 369 || len(p.Features) == 0 {
			t.Fatalf("page %d matches %d and holds %d", pages, p.NumberMatched, len(p.Features))
		}
		for _, f := range p.Features {
			seen[f.ID]++
		}
		next = p.next()
	}
	if len(seen) != 369 || pages != 4 {
		t.Errorf("%d pages show %d of 369", pages, len(seen))
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%d is shown %d times", id, n)
		}
	}
}

// byteRanges: GDAL reads a large file over the network in pieces only.
func byteRanges(t *testing.T, s *server) {
	path := "/api/v1/collections/bts_sites/items"
	whole := s.call(t, http.MethodGet, path, "", "Accept-Encoding", "identity")
	size := strconv.Itoa(len(whole.body))
	for _, tt := range []struct {
		header, content string
		from, to, want  int
	}{
		{"bytes=0-16383", "bytes 0-16383/" + size, 0, 16384, http.StatusPartialContent},
		{"bytes=200000-200009", "bytes 200000-200009/" + size, 200000, 200010, http.StatusPartialContent},
		{"bytes=500000-", "bytes 500000-" + strconv.Itoa(len(whole.body)-1) + "/" + size, 500000, len(whole.body), http.StatusPartialContent},
		{"bytes=-20", "bytes " + strconv.Itoa(len(whole.body)-20) + "-" + strconv.Itoa(len(whole.body)-1) + "/" + size, len(whole.body) - 20, len(whole.body), http.StatusPartialContent},
		{"bytes=99999999-", "", 0, len(whole.body), http.StatusOK},
		{"bytes=0-1,5-6", "", 0, len(whole.body), http.StatusOK},
		{"bytes=5-1", "", 0, len(whole.body), http.StatusOK},
		{"lines=1-2", "", 0, len(whole.body), http.StatusOK},
	} {
		part := s.call(t, http.MethodGet, path, "", "Range", tt.header)
		if part.status != tt.want || part.header.Get("Content-Range") != tt.content || len(part.body) != tt.to-tt.from {
			t.Errorf("%s: %d, %q, %d bytes", tt.header, part.status, part.header.Get("Content-Range"), len(part.body))
			continue
		}
		// The time of the answer stands near its end.
		stamp := bytes.LastIndex(whole.body, []byte(`"timeStamp":"`)) + len(`"timeStamp":"`)
		if stamped := stamp + len("2026-01-02T03:04:05Z"); tt.from < stamped && stamp < tt.to {
			copy(part.body[max(0, stamp-tt.from):], whole.body[max(tt.from, stamp):min(tt.to, stamped)])
		}
		if !bytes.Equal(part.body, whole.body[tt.from:tt.to]) {
			t.Errorf("%s: other bytes", tt.header)
		}
	}
	if a := s.call(t, http.MethodGet, path, "", "Range", "bytes=0-1", "If-Range", whole.header.Get("ETag")); a.status != http.StatusOK {
		t.Errorf("If-Range with a weak tag: %d", a.status)
	}
}

// ordersAndProperties holds orders against the pack's own file, and looks at what is left
// of features.
func ordersAndProperties(t *testing.T, s *server) {
	heights := map[string]float64{}
	for _, f := range packFeatures(t, "bts_sites") {
		if h, ok := f.Properties["height_m"].(float64); ok {
			heights[fmt.Sprint(f.Properties["code"])] = h
		}
	}
	seen, last, without := map[string]bool{}, math.Inf(1), 0
	for next := s.url + "/api/v1/collections/bts_sites/items?limit=100&sortby=-height_m,%2Bcode&properties=height_m,code"; next != ""; {
		var p page
		s.get(t, next, &p)
		for _, f := range p.Features {
			code := fmt.Sprint(f.Properties["code"])
			if seen[code] = true; len(f.Properties) != 2 || f.Geometry.Type != "" {
				t.Fatalf("%v, %v", f.Properties, f.Geometry)
			}
			h, ok := f.Properties["height_m"].(float64)
			if !ok {
				without++
			}
			if want, known := heights[code]; ok != known || h != want || ok && (h > last || without > 0) {
				t.Fatalf("%s of %v m (%v m) comes after one of %v m, %d without", code, h, want, last, without)
			}
			if ok {
				last = h
			}
		}
		next = p.next()
	}
	if len(seen) != 847 || len(heights) == 0 || without != 847-len(heights) {
		t.Errorf("%d sites are shown, %d of them without height", len(seen), without)
	}
	var p page
	s.get(t, "/api/v1/collections/bts_sites/items?status=planned&resultType=hits", &p)
	if p.NumberMatched != 369 || p.NumberReturned != 0 || len(p.Features) != 0 || p.next() != "" {
		t.Errorf("hits: %+v", p)
	}
	// Names in the order of people, not of bytes: Đ stands before M.
	s.get(t, "/api/v1/collections/districts/items?sortby=name&properties=name", &p)
	if first := fmt.Sprint(p.Features[0].Properties["name"]); first != "Huyện Điện Biên" {
		t.Errorf("the first district is %s", first)
	}
	if ids := idsOf(t, s, fmt.Sprintf("id=%d", p.Features[0].ID)+"&datetime=../.."); len(ids) > 1 {
		t.Errorf("an id has %d sites", len(ids))
	}
	for _, bad := range []string{"sortby=nothing", "properties=nothing", "skipGeometry=1", "sortby=name&after=7", "resultType=none"} {
		s.call(t, http.MethodGet, "/api/v1/collections/bts_sites/items?"+bad, "").isProblem(t, http.StatusBadRequest)
	}
}
