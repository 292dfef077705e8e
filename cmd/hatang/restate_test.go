package main

import (
	"fmt"
	"net/http"
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
