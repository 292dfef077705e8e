package main

import (
	"encoding/csv"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hatang/internal/layer"
)

// gdal runs a program of GDAL that must succeed.
func gdal(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil || strings.Contains(string(out), "ERROR") {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// featureCount reads the count that ogrinfo -so tells.
func featureCount(t *testing.T, out string) (n int) {
	t.Helper()
	_, rest, ok := strings.Cut(out, "Feature Count: ")
	if _, err := fmt.Sscan(rest, &n); !ok || err != nil {
		t.Fatalf("no count in\n%s", out)
	}
	return n
}

func ogrLists(t *testing.T, s *server) {
	out := gdal(t, "ogrinfo", "-ro", "-so", "-al", "OAPIF:"+s.url+"/api/v1")
	counts := map[string]int{}
	for _, section := range strings.Split(out, "Layer name: ")[1:] {
		name, _, _ := strings.Cut(section, "\n")
		counts[strings.TrimSpace(name)] = featureCount(t, section)
	}
	for _, l := range layersOf(t) {
		var p page
		s.get(t, "/api/v1/collections/"+l.Name+"/items?limit=1", &p)
		if n, ok := counts[l.Name]; !ok || n != p.NumberMatched {
			t.Errorf("%s: GDAL counts %d (listed: %v), the server %d", l.Name, n, ok, p.NumberMatched)
		}
	}
	if len(counts) != len(layersOf(t)) {
		t.Errorf("GDAL lists %d layers", len(counts))
	}
}

// ogrTypes: the types of fields are those of the schema, whatever the first page holds, in its order.
func ogrTypes(t *testing.T, s *server) {
	types := map[layer.Kind]string{layer.Text: "String", layer.Integer: "Integer", layer.Number: "Real", layer.Boolean: "Integer(Boolean)", layer.Date: "Date", layer.Timestamp: "DateTime", layer.TextList: "StringList"}
	for _, l := range layersOf(t) {
		out := gdal(t, "ogrinfo", "-ro", "-so", "OAPIF:"+s.url+"/api/v1", l.Name)
		at := 0
		for _, f := range l.Properties() {
			if f.Confidential {
				continue
			}
			next := strings.Index(out[at:], "\n"+f.Name+": "+types[f.Kind]+" (")
			if next < 0 {
				t.Errorf("%s.%s is no %s, or not in its place:\n%s", l.Name, f.Name, types[f.Kind], out)
				break
			}
			at += next
		}
	}
}

func ogrFilters(t *testing.T, s *server) {
	source := "OAPIF:" + s.url + "/api/v1"
	for _, tt := range []struct {
		args  []string
		query string
	}{
		{[]string{"-where", "mast_type = 'A1a'"}, "mast_type=A1a"},
		{[]string{"-where", "height_m > 20 AND mast_type <> 'A1a'"}, "filter=" + url.QueryEscape("height_m > 20 AND mast_type <> 'A1a'")},
		{[]string{"-where", "valid_from >= '2016/01/01'"}, "filter=" + url.QueryEscape("valid_from >= DATE('2016-01-01')")},
		{[]string{"-where", "valid_from < '2016/01/01 10:30:00' AND updated_at > '2015/01/01'"}, "filter=" + url.QueryEscape("valid_from < DATE('2016-01-02')")},
		{[]string{"-where", "concealed = 1 OR name ILIKE '%NOONG%'"}, "filter=" + url.QueryEscape("concealed = TRUE OR CASEI(name) LIKE '%noong%'")},
		{[]string{"-where", "technologies = '3G'"}, "technologies=3G"},
		{[]string{"-spat", "102.95", "21.3", "103.1", "21.5"}, "bbox=102.95,21.3,103.1,21.5"},
	} {
		out := gdal(t, "ogrinfo", append(append([]string{"-ro", "-so"}, tt.args...), source, "bts_sites")...)
		if got, want := featureCount(t, out), len(idsOf(t, s, tt.query)); got != want || want == 0 {
			t.Errorf("%v: GDAL counts %d, the server %d", tt.args, got, want)
		}
	}
}

func ogrReadsAllPages(t *testing.T, s *server) {
	target := filepath.Join(freshDir(t), "sites.csv")
	gdal(t, "ogr2ogr", "-f", "CSV", target, "-oo", "PAGE_SIZE=100", "OAPIF:"+s.url+"/api/v1", "bts_sites")
	f, err := os.Open(target)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := -1
	for i, name := range rows[0] {
		if name == "code" {
			column = i
		}
	}
	codes := map[string]int{}
	for _, row := range rows[1:] {
		codes[row[column]]++
	}
	if len(rows)-1 != 847 || len(codes) != 847 {
		t.Errorf("ogr2ogr wrote %d rows of %d sites, there are 847", len(rows)-1, len(codes))
	}
}

func ogrReadsURL(t *testing.T, s *server) {
	for path, want := range map[string]int{"bts_sites/items": 847, "communes/items": 130, "communes/items?district_code=094": 9} {
		out := gdal(t, "ogrinfo", "-ro", "-so", "-al", "/vsicurl/"+s.url+"/api/v1/collections/"+path)
		if got := featureCount(t, out); got != want {
			t.Errorf("%s: GDAL counts %d, want %d", path, got, want)
		}
	}
	// Files are read range by range: of a small box, by the index in the file.
	for _, name := range []string{"bts_sites", "postal_points"} {
		url := s.url + "/api/v1/collections/" + name + "/download?f="
		box := []string{"-ro", "-so", "-al", "-spat", "102.95", "21.3", "103.1", "21.5"}
		want := featureCount(t, gdal(t, "ogrinfo", append(box, "/vsicurl/"+url+"geojson")...))
		for _, format := range []string{"fgb", "gpkg"} {
			if got := featureCount(t, gdal(t, "ogrinfo", append(box, "/vsicurl/"+url+format)...)); got != want || want == 0 {
				t.Errorf("%s as %s: GDAL counts %d in the box, in GeoJSON %d", name, format, got, want)
			}
		}
	}
}
