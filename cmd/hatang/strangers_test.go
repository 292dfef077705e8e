package main

import (
	"encoding/csv"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"hatang/internal/layer"
	"hatang/internal/testdb"
)

// TestStrangersFiles: what offices really send is read for what it is, or refused with
// what it could be.
func TestStrangersFiles(t *testing.T) {
	t.Parallel()
	s := demo(t)
	messy := filepath.Join(testdb.TestData(t), "messy")
	byCode := filepath.Join(t.TempDir(), "mapping.json")
	if err := os.WriteFile(byCode, []byte(`{"columns": {"Mã xã": "code"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		file string
		args []string
		code int
		said []string
	}{
		{"diem_dms_cp1258.csv", []string{"commune_centres"}, exitDone, []string{"encoding: windows-1258", "places: EPSG:4326 xy", "26 read, 26 inserted"}},
		{"shp_vn2000_utf8/huyen.shp", []string{"districts", "--accept-overlaps"}, exitDone, []string{"places: EPSG:9205 xy", `column "dt_km2" is official_area_m2`, "10 read, 0 inserted, 10 updated"}},
		{"shp_vn2000_utf8/huyen.shp", []string{"districts", "--crs", "EPSG:3405"}, exitFindings, []string{"they are if it is EPSG:9205"}},
		{"shp_vn2000_noprj_tcvn3/xa.shp", []string{"communes"}, exitFindings, []string{"only EPSG:9205", "say so if it is meant"}},
		{"shp_vn2000_noprj_tcvn3/xa.shp", []string{"communes", "--crs", "EPSG:9205"}, exitDone, []string{"encoding: tcvn3", "130 read, 0 inserted, 130 updated"}},
		{"huyen_utm48.zip", []string{"districts", "--accept-overlaps"}, exitDone, []string{"places: EPSG:3405 xy", "10 read, 0 inserted, 10 updated"}},
		{"dienbien_districts.kml", []string{"districts", "--accept-overlaps"}, exitDone, []string{"10 read, 0 inserted, 10 updated"}},
		{"dienbien_communes.fgb", []string{"communes"}, exitDone, []string{"130 read, 0 inserted, 130 updated"}},
		{"dienbien_communes.geojsonl", []string{"communes"}, exitFindings, []string{"130 read, 0 inserted, 130 updated", "refused: the file makes 112 overlaps"}},
		{"dienbien_communes_raw_coverage.geojson", []string{"communes", "--accept-overlaps"}, exitDone, []string{"130 read, 0 inserted, 130 updated", "of these the file makes: 263 overlaps"}},
		{"dienbien_districts_4326_latlon.gml", []string{"districts"}, exitFindings, []string{"ogr2ogr"}},
		{"toado_vn2000_kttt105_sai.csv", []string{"commune_centres"}, exitFindings, []string{"EPSG:5897", "choose"}},
		{"toado_vn2000_kttt105_sai.csv", []string{"commune_centres", "--crs", "EPSG:9205"}, exitFindings, []string{"the points are not in the territory"}},
		{"toado_vn2000_kttt105_sai.csv", []string{"commune_centres", "--crs", "EPSG:5897"}, exitDone, []string{"places: EPSG:5897", "130 read, 130 inserted"}},
	} {
		args := append([]string{"import", tt.args[0], filepath.Join(messy, tt.file), "--data", s.dir, "--dry-run"}, tt.args[1:]...)
		r := hatang(t, args...)
		for _, said := range tt.said {
			r.wants(t, tt.code, said)
		}
	}
	ownFilesComeBack(t, s)
	surveyorsList(t, s, filepath.Join(messy, "toado_vn2000_kttt103.csv"), byCode)
}

// ownFilesComeBack: what is exported in any format comes back as it is, without a word on how it is to be read.
func ownFilesComeBack(t *testing.T, s *server) {
	t.Helper()
	dir := t.TempDir()
	for layer, endings := range map[string][]string{"communes": {".csv", ".xlsx", ".zip", ".gpkg", ".fgb", ".kml", ".geojson"}, "fibre_routes": {".csv", ".xlsx", ".zip"}, "kiosks": {".zip"}} {
		for _, ending := range endings {
			file := filepath.Join(dir, layer+ending)
			hatang(t, "export", layer, file, "--data", s.dir).wants(t, exitDone, "")
			hatang(t, "import", layer, file, "--data", s.dir, "--dry-run").wants(t, exitDone, "read, 0 inserted, 0 updated")
		}
	}
}

// surveyorsList imports a list of a surveyor's X and Y for good: every place is where the
// numbers say, X being north.
func surveyorsList(t *testing.T, s *server, file, mapping string) {
	t.Helper()
	r := hatang(t, "import", "commune_centres", file, "--mapping", mapping, "--data", s.dir)
	r.wants(t, exitDone, "places: EPSG:9205 yx")
	r.wants(t, exitDone, "130 read, 130 inserted")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	reader := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(raw), "\ufeff")))
	reader.Comma = ';'
	rows, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	metres := func(text string) float64 {
		x, err := strconv.ParseFloat(strings.ReplaceAll(strings.ReplaceAll(text, ".", ""), ",", "."), 64)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for _, row := range rows[1:] {
		var p struct {
			Features []struct {
				Geometry struct{ Coordinates [2]float64 }
			}
		}
		s.get(t, "/api/v1/collections/commune_centres/items?crs=EPSG:9205&code="+row[1], &p)
		if len(p.Features) != 1 {
			t.Fatalf("%s: %d features", row[1], len(p.Features))
		}
		if at := p.Features[0].Geometry.Coordinates; math.Hypot(at[0]-metres(row[4]), at[1]-metres(row[3])) > 0.01 {
			t.Errorf("%s is at %v, the list says X %s, Y %s", row[1], at, row[3], row[4])
		}
	}
}

// TestRowsComeBackToBeCorrected: the rows with faults go into a file with the reasons, and
// the file is taken once they are mended.
func TestRowsComeBackToBeCorrected(t *testing.T) {
	t.Parallel()
	s := demo(t)
	dir := t.TempDir()
	file, back := filepath.Join(dir, "ki-ot.csv"), filepath.Join(dir, "back.csv")
	list := "Mã;Tên;Trạng thái;Kinh độ;Vĩ độ\nSL-1;Ki-ốt một;existing;103,01;21,40\nSL-2;Ki-ốt hai;exsting;103,02;21,41\nSL-3;Ki-ốt ba;existing;13,02;21,41\n"
	if err := os.WriteFile(file, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	r := hatang(t, "import", "kiosks", file, "--data", s.dir, "--good-rows", "--corrections", back)
	for _, said := range []string{"3 read, 1 inserted", "2 refused", `likely meant: "existing"`, "row 4 (SL-3)"} {
		r.wants(t, exitFindings, said)
	}
	raw, err := os.ReadFile(back)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(raw); strings.Contains(text, "SL-1") || !strings.Contains(text, "SL-2") || !strings.Contains(text, "SL-3") {
		t.Fatalf("what comes back:\n%s", text)
	}
	mended := strings.NewReplacer("exsting", "existing", "13,02", "103,02").Replace(string(raw))
	if err := os.WriteFile(back, []byte(mended), 0o600); err != nil {
		t.Fatal(err)
	}
	hatang(t, "import", "kiosks", back, "--data", s.dir).wants(t, exitDone, "2 read, 2 inserted")

	a := s.call(t, "POST", "/api/v1/imports?collection=kiosks", list, append(bearer(s.key), "Content-Type", "text/csv")...)
	a.wants(t, http.StatusAccepted)
	i := s.importOver(t, strings.TrimPrefix(a.header.Get("Location"), s.url))
	if i.State != layer.ImportRefused || i.Report == nil || len(i.Report.Refused) != 2 || i.Report.Read != 3 || i.Report.Applied {
		t.Errorf("the list over HTTP: %+v %+v", i, i.Report)
	}
	correctedOverHTTP(t, s, i)
	correctedTwins(t, s)
}

// correctedOverHTTP has the refused rows of an import sent, as CSV and as a workbook, and sends them
// back, mended.
func correctedOverHTTP(t *testing.T, s *server, i layer.Import) {
	t.Helper()
	path := fmt.Sprint("/api/v1/imports/", i.ID, "/corrections")
	back := s.call(t, "GET", path+"?lang=en", "", bearer(s.key)...)
	back.wants(t, http.StatusOK)
	if text := string(back.body); i.Report.Corrections == nil || i.Report.Corrections.Rows != 2 || strings.Contains(text, "SL-1") || !strings.Contains(text, "Trạng thái: existing") {
		t.Errorf("%+v\n%s", i.Report.Corrections, text)
	}
	mended := strings.NewReplacer("exsting", "existing", "13,02", "103,02").Replace(string(back.body))
	a := s.call(t, "POST", "/api/v1/imports?collection=kiosks", mended, append(bearer(s.key), "Content-Type", "text/csv")...)
	a.wants(t, http.StatusAccepted)
	if i := s.importOver(t, strings.TrimPrefix(a.header.Get("Location"), s.url)); i.State != layer.ImportDone || i.Report.Read != 2 || i.Report.Corrections != nil {
		t.Errorf("mended: %+v %+v", i, i.Report)
	}
	s.call(t, "GET", path+"?lang=en", "").wants(t, http.StatusUnauthorized)
	book := s.call(t, "GET", path+"?f=xlsx&lang=vi", "", bearer(s.key)...)
	book.wants(t, http.StatusOK)
	file := filepath.Join(t.TempDir(), "back.xlsx")
	if err := os.WriteFile(file, book.body, 0o600); err != nil {
		t.Fatal(err)
	}
	hatang(t, "import", "kiosks", file, "--data", s.dir, "--dry-run").wants(t, exitFindings, "2 read, 0 inserted, 0 updated, 0 unchanged, 0 skipped, 2 refused")
}

// correctedTwins: rows that the register refuses come back, too, with its reasons.
func correctedTwins(t *testing.T, s *server) {
	t.Helper()
	dir := t.TempDir()
	file, back := filepath.Join(dir, "twice.csv"), filepath.Join(dir, "back.xlsx")
	if err := os.WriteFile(file, []byte("Mã;Tên;Trạng thái;Kinh độ;Vĩ độ\nTW-1;Một;existing;103,01;21,40\nTW-2;Hai;existing;103,02;21,41\nTW-2;Ba;existing;103,03;21,42\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hatang(t, "import", "kiosks", file, "--data", s.dir, "--dry-run", "--corrections", back).wants(t, exitFindings, "2 refused")
	sheet := hatang(t, "import", "kiosks", back, "--data", s.dir, "--dry-run", "--json")
	sheet.wants(t, exitFindings, `"read":2`)
	sheet.wants(t, exitFindings, "stands in the file more than once")
	hatang(t, "import", "kiosks", file, "--data", s.dir, "--good-rows", "--corrections", filepath.Join(dir, "no", "folder.csv")).wants(t, exitFindings, "2 refused")
	hatang(t, "import", "kiosks", file, "--data", s.dir, "--corrections", file).wants(t, exitUsage, "is the file itself")
}
