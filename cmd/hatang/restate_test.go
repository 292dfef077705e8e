package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hatang/internal/testdb"
)

// TestReferenceLayersOfAnyFormat publishes officers' files as they have them: each is there with
// its rows where they lie, typed, or is asked about as it is for a layer.
func TestReferenceLayersOfAnyFormat(t *testing.T) {
	t.Parallel()
	s := demo(t)
	messy := filepath.Join(testdb.TestData(t), "messy")
	for i, tt := range []struct {
		file   string
		args   []string
		rows   int    // 0 where it is refused
		within string // a place, which lies in one of the shapes or beside one of the points
		said   string
	}{
		{"shp_vn2000_noprj_tcvn3/xa.shp", nil, 0, "", "EPSG:9205"},
		{"shp_vn2000_noprj_tcvn3/xa.shp", []string{"--crs", "EPSG:9205"}, 130, "103.0165,21.3826", "tcvn3"},
		{"shp_vn2000_utf8/huyen.shp", []string{"--storage-crs", "EPSG:9205"}, 10, "103.0165,21.3826", "EPSG:9205"},
		{"huyen_utm48.zip", nil, 10, "103.0165,21.3826", "EPSG:3405"},
		{"dienbien_districts.kml", nil, 10, "103.0165,21.3826", ""},
		{"dienbien_communes.fgb", nil, 130, "103.0165,21.3826", ""},
		{"toado_vn2000_kttt103.csv", []string{"--axis", "yx"}, 130, "", "EPSG:9205"},
		{"toado_vn2000_kttt105_sai.csv", nil, 0, "", "EPSG:5897"},
		{"diem_dms_cp1258.csv", nil, 26, "", "windows-1258"},
		{"geojson_crs_epsg9205.geojson", nil, 12, "", "EPSG:9205"},
		{"geojson_crs_epsg9205.geojson", []string{"--storage-crs", "EPSG:9205"}, 12, "", "EPSG:9205"},
		{"geojson_crs_epsg9205.geojson", []string{"--crs", "EPSG:4326"}, 0, "", "EPSG:9205"},
		{"geojson_latlon_swapped.geojson", nil, 0, "", "EPSG:4326 (WGS 84) with north first"},
		{"geojson_latlon_swapped.geojson", []string{"--axis", "yx"}, 12, "", "EPSG:4326 yx"},
		{"dienbien_mixed.gpkg", []string{"--table", "tam_xa_utm48", "--crs", "EPSG:9205"}, 0, "", "EPSG:3405"},
		{"dienbien_communes.geojsonl", nil, 130, "103.0165,21.3826", "EPSG:4326"},
	} {
		name := fmt.Sprint("any_", i)
		r := s.command(t, append([]string{"import", "--as", name, filepath.Join(messy, tt.file)}, tt.args...)...)
		if text := r.stdout + r.stderr; !strings.Contains(text, tt.said) || (r.code == exitDone) != (tt.rows > 0) {
			t.Errorf("%s %v: exit %d, %q is not said in %.900s", tt.file, tt.args, r.code, tt.said, text)
			continue
		}
		if tt.rows == 0 {
			s.knows(t, "/api/v1/collections/"+name, http.StatusNotFound)
			continue
		}
		s.knows(t, "/api/v1/collections/"+name, http.StatusOK)
		if n := s.matched(t, name+"/items?"); n != tt.rows {
			t.Errorf("%s: %d rows", tt.file, n)
		}
		if tt.within != "" {
			if n := s.matched(t, name+"/items?bbox="+tt.within+","+tt.within); n != 1 {
				t.Errorf("%s: %d shapes at %s", tt.file, n, tt.within)
			}
		}
	}
	guardedGeoJSON(t, s)
	typed := filepath.Join(t.TempDir(), "typed.csv")
	if err := os.WriteFile(typed, []byte("mã;số lớp;diện tích;mở;ngày;kinh độ;vĩ độ\n03124;12;1,5;x;2020-01-31;103,01;21,40\n03125;;2;y;2021-02-01;103,02;21,41\n03126;7;0,25;;;;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := s.command(t, "import", "--as", "typed", typed, "--code", "mã")
	r.wants(t, exitDone, "so_lop: integer")
	for _, want := range []string{"dien_tich: number", "ngay: date", "mo: text"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("%q is not said in\n%s", want, r.stdout)
		}
	}
	s.knows(t, "/api/v1/collections/typed", http.StatusOK)
	if n := s.matched(t, "typed/items?code=03124&so_lop=12"); n != 1 {
		t.Errorf("%d rows of a code with a zero", n)
	}
	if n := s.matched(t, "typed/items?bbox=103.005,21.395,103.015,21.405"); n != 1 {
		t.Errorf("%d rows where the first lies", n)
	}
	bad := "mã;kinh độ;vĩ độ\nA;103,01;21,40\nB;103,02;\nC;3,02;21,4\n"
	a := s.call(t, http.MethodPost, "/api/v1/collections?name=bad", bad, append(bearer(s.key), "Content-Type", "text/csv")...)
	if a.status != http.StatusBadRequest || strings.Count(string(a.body), "/rows/") != 2 {
		t.Errorf("%d %s", a.status, a.body)
	}
	good := strings.Join(strings.SplitAfter(bad, "\n")[:2], "")
	s.call(t, http.MethodPost, "/api/v1/collections?name=good", good, append(bearer(s.key), "Content-Type", "text/csv")...).wants(t, http.StatusCreated)
}

// guardedGeoJSON publishes GeoJSON that lies elsewhere, in part or under a name that nobody knows.
func guardedGeoJSON(t *testing.T, s *server) {
	t.Helper()
	points := func(crs string, at ...string) string {
		var features []string
		for i, p := range at {
			features = append(features, fmt.Sprintf(`{"type":"Feature","id":"p%d","properties":{"since":"2020-01-31"},"geometry":{"type":"Point","coordinates":[%s]}}`, i, p))
		}
		return `{"type":"FeatureCollection",` + crs + `"features":[` + strings.Join(features, ",") + `]}`
	}
	named := func(name string) string { return `"crs":{"type":"name","properties":{"name":"` + name + `"}},` }
	for i, tt := range []struct {
		file string
		args []string
		code int
		said []string
	}{
		{points("", "103.01,21.4", "103.02,21.41", "13.02,21.4"), nil, exitFindings, []string{"row 3", "outside the territory: 13.020000", "places: EPSG:4326 xy"}},
		{points("", "103.01,21.4", "103.02,21.41", "13.02,21.4"), []string{"--good-rows"}, exitFindings, []string{"2 inserted", "1 refused"}},
		{points("", "103.01,21.4", "103.02,21.41", "13.02,21.4"), []string{"--allow-outside"}, exitDone, []string{"3 inserted", "since: date"}},
		{points("", "103.01,21.4"), nil, exitDone, []string{"The datum cannot be measured", "222."}},
		{points("", "103.01,21.4"), []string{"--unshifted"}, exitDone, []string{"places: EPSG:4326 xy"}},
		{points("", "103.01,21.4"), []string{"--no-unshifted"}, exitDone, []string{"places: EPSG:4326 xy"}},
		{points("", "13.01,21.4"), nil, exitFindings, []string{"No reading puts the points in the territory"}},
		{points("", "13.01,21.4"), []string{"--allow-outside"}, exitDone, []string{"1 inserted"}},
		{points("", "501036.14,2366373.52"), nil, exitFindings, []string{"As longitude and latitude", "EPSG:9205 (VN-2000"}},
		{points("", "501036.14,2366373.52"), []string{"--crs", "EPSG:9205", "--storage-crs", "EPSG:9205"}, exitDone, []string{"1 inserted", "since: date"}},
		{points(named("local grid"), "501036.14,2366373.52"), nil, exitFindings, []string{"local grid", "is not known here", "EPSG:9205 (VN-2000"}},
		{points(named("urn:ogc:def:crs:EPSG::9205"), "501036.14,2366373.52", "501036.14,2566373.52"), nil, exitFindings, []string{"row 2", "outside the territory"}},
		{points(named("urn:ogc:def:crs:EPSG::9205"), "501036.14,2366373.52", "501036.14,2566373.52"), []string{"--storage-crs", "EPSG:9205"}, exitFindings, []string{"row 2", "outside the territory"}},
		{strings.ReplaceAll(points("", "103.01,21.4"), "2020-01-31", "Tr\u00adêng tiÓu häc sè 2 x· Thanh N\u00ada"), nil, exitDone, []string{"encoding: tcvn3"}},
	} {
		name := fmt.Sprint("guarded_", i)
		r := s.command(t, append([]string{"import", "--as", name, writeTemp(t, "points.geojson", tt.file)}, tt.args...)...)
		if r.code != tt.code {
			t.Errorf("%s %v: exit %d, want %d", tt.file, tt.args, r.code, tt.code)
		}
		for _, said := range tt.said {
			if !strings.Contains(r.stdout+r.stderr, said) {
				t.Errorf("%s %v: %q is not said in %.900s", tt.file, tt.args, said, r.stdout+r.stderr)
			}
		}
	}
	s.knows(t, "/api/v1/collections/guarded_13", http.StatusOK)
	if n := s.matched(t, "guarded_13/items?filter="+url.QueryEscape("since = 'Trường tiểu học số 2 xã Thanh Nưa'")); n != 1 {
		t.Errorf("%d rows have the text that was written for an old font", n)
	}
	type asked struct {
		query  string
		status int
	}
	for i, ask := range []asked{{"", http.StatusBadRequest}, {"&axis=yx", http.StatusCreated}, {"&axis=zx", http.StatusBadRequest}, {"&allow_outside=maybe", http.StatusBadRequest}} {
		a := s.call(t, http.MethodPost, fmt.Sprint("/api/v1/collections?name=swapped_", i, ask.query), points("", "21.4,103.01"), append(bearer(s.key), "Content-Type", "application/geo+json")...)
		a.wants(t, ask.status)
		if ask.query == "" && !strings.Contains(string(a.body), "with north first") {
			t.Errorf("%.600s", a.body)
		}
	}
	for _, ask := range []asked{{"", http.StatusBadRequest}, {"&allow_outside=true", http.StatusCreated}} {
		a := s.call(t, http.MethodPost, "/api/v1/collections?name=far"+ask.query, points("", "103.01,21.4", "103.02,21.41", "13.02,21.4"), append(bearer(s.key), "Content-Type", "application/geo+json")...)
		a.wants(t, ask.status)
		if ask.query == "" && !strings.Contains(string(a.body), `"pointer":"/features/2/geometry"`) {
			t.Errorf("%.600s", a.body)
		}
	}
}
