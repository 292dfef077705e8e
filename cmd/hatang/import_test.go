package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"hatang/internal/testdb"
)

// boundaryFiles are the real boundaries by layer.
func boundaryFiles(t *testing.T) map[string]string {
	t.Helper()
	dir := filepath.Join(testdb.TestData(t), "boundaries")
	return map[string]string{
		"provinces": filepath.Join(dir, "dienbien_province.geojson"),
		"districts": filepath.Join(dir, "dienbien_districts.geojson"),
		"communes":  filepath.Join(dir, "dienbien_communes.geojson"),
	}
}

// TestImportBoundaries loads the real boundaries beside a running server, as they
// come and without flags; what the server answers next follows them.
func TestImportBoundaries(t *testing.T) {
	t.Parallel()
	s := demo(t)
	before := [2]unit{s.unit(t, "district", "094", "2020-12-31"), s.unit(t, "district", "101", "2020-12-31")}
	for _, l := range []string{"provinces", "districts", "communes"} {
		changes := filepath.Join(t.TempDir(), l+".geojson")
		hatang(t, "import", l, boundaryFiles(t)[l], "--data", s.dir, "--dry-run", "--changes", changes).wants(t, exitDone, "nothing was changed")
		if text, err := os.ReadFile(changes); err != nil || strings.Count(string(text), `"becomes":"update","moved":true`) != map[string]int{"provinces": 1, "districts": 10, "communes": 130}[l] {
			t.Errorf("%s: %v, %.500s", l, err, text)
		}
	}
	if again := s.unit(t, "district", "094", "2020-12-31"); number(again.find(t, "covered_area_m2", "bts_sites", "", "site", "built").Denominator) !=
		number(before[0].find(t, "covered_area_m2", "bts_sites", "", "site", "built").Denominator) {
		t.Error("a dry run changed the figures")
	}
	var wg sync.WaitGroup // four commands at once, beside the server
	for l, want := range map[string]string{"provinces": "1 read, 0 inserted, 1 updated", "districts": "10 read, 0 inserted, 10 updated", "communes": "130 read, 0 inserted, 130 updated"} {
		wg.Go(func() {
			r := hatang(t, "import", l, boundaryFiles(t)[l], "--data", s.dir)
			r.wants(t, exitDone, want)
			r.wants(t, exitDone, "columns not taken")
		})
	}
	wg.Go(func() {
		hatang(t, "check", "--data", s.dir, "--date", "2020-06-30", "--mast-type", "A2b", "--lon", "103.0165", "--lat", "21.3826").wants(t, exitFindings, "03136/094")
	})
	wg.Wait()
	hatang(t, "import", "communes", boundaryFiles(t)["communes"], "--data", s.dir).wants(t, exitDone, "0 updated, 130 unchanged")
	realFigures(t, s, before)
	judgePoints(t, s, "real")
	v := s.check(t, map[string]any{"lon": 103.0165, "lat": 21.3826, "mast_type": "A1a", "date": "2020-06-30"})
	if v.Unit == nil || v.Unit.Commune != "03136" || v.Unit.District != "094" {
		t.Errorf("the point in phường Mường Thanh lies in %+v", v.Unit)
	}
	var p page
	s.get(t, "/api/v1/collections/communes/items?code=03136", &p)
	if got := p.Features[0].Properties; got["source"] != "dienbien_communes.geojson" || got["illustrative"] != false || got["valid_from"] != "2012-08-25" {
		t.Errorf("the corrected commune: %v", got)
	}
}

// realFigures compares the figures with the areas that the boundary files state
// (GeographicLib's, to a hundred square metres).
func realFigures(t *testing.T, s *server, before [2]unit) {
	t.Helper()
	for i, want := range []struct {
		code, basis string
		areaKM2     float64
	}{{"094", "official", 63.6684}, {"101", "geodesic", districtArea(t, "101")}} {
		after := s.unit(t, "district", want.code, "2020-12-31")
		area := number(after.find(t, "covered_area_m2", "bts_sites", "", "site", "built").Denominator) / 1e6
		if math.Abs(area-want.areaKM2) > 1e-4 {
			t.Errorf("%s: %.4f km² measured, the file says %.4f", want.code, area, want.areaKM2)
		}
		radius := after.find(t, "mean_service_radius_m", "bts_sites", "", "site", "built")
		if radius.AreaBasis != want.basis || want.basis == "geodesic" && math.Abs(number(radius.Numerator)-want.areaKM2) > 1e-3 {
			t.Errorf("%s: radius from %.3f km² (%s)", want.code, number(radius.Numerator), radius.AreaBasis)
		}
		for _, id := range []string{"covered_share", "covered_area_m2"} {
			if number(after.find(t, id, "bts_sites", "", "site", "built").Value) == number(before[i].find(t, id, "bts_sites", "", "site", "built").Value) {
				t.Errorf("%s: %s did not follow the boundaries", want.code, id)
			}
		}
	}
	// The demonstration's sites stand in their communes on both maps, so these stay.
	province := s.unit(t, "province", "11", "2020-12-31")
	if f := province.find(t, "shared_site_ratio", "bts_sites", "", "site", "built"); number(f.Numerator) != 135 || number(f.Denominator) != 478 {
		t.Errorf("shared sites: %v of %v", number(f.Numerator), number(f.Denominator))
	}
	if f := province.find(t, "zoning_compliance_ratio", "bts_sites", "", "site", "built"); number(f.Denominator) != 478 || number(f.Value) < 0.9 || number(f.Value) >= 1 {
		t.Errorf("compliance: %v of %v", number(f.Numerator), number(f.Denominator))
	}
	if f := province.find(t, "mean_service_radius_m", "bts_sites", "VIETTEL", "position", "built"); math.Round(number(f.Value)/10) != 358 || f.AreaBasis != "official" {
		t.Errorf("Viettel's stated radius: %v (%s)", number(f.Value), f.AreaBasis)
	}
	t.Logf("covered share of 094: %v before, %v after; of 101: %v before", number(before[0].find(t, "covered_share", "bts_sites", "", "site", "built").Value),
		number(s.unit(t, "district", "094", "2020-12-31").find(t, "covered_share", "bts_sites", "", "site", "built").Value),
		number(before[1].find(t, "covered_share", "bts_sites", "", "site", "built").Value))
}

// districtArea is the geodesic area that the boundary file states, square kilometres.
func districtArea(t *testing.T, code string) float64 {
	t.Helper()
	for _, f := range readFeatures(t, boundaryFiles(t)["districts"]) {
		if f.Properties["code"] == code {
			area, _ := f.Properties["area_km2"].(float64)
			return area
		}
	}
	t.Fatalf("no district %s", code)
	return 0
}

// exportsComeBack: what is exported and imported again changes nothing.
func exportsComeBack(t *testing.T, s *server) {
	dir := freshDir(t)
	common := []string{"--data", s.dir, "--date", "2020-12-31"}
	for _, l := range layersOf(t) {
		path := filepath.Join(dir, l.Name+".geojson")
		hatang(t, append([]string{"export", l.Name, path}, common...)...).wants(t, exitDone, "")
		n := len(packFeatures(t, l.Name)) // the terminal sees all
		want := fmt.Sprintf("%d read, 0 inserted, 0 updated, %d unchanged, 0 skipped, 0 refused", n, n)
		hatang(t, append([]string{"import", l.Name, path, "--dry-run"}, common...)...).wants(t, exitDone, want)
	}
	hatang(t, append([]string{"export", "roads", filepath.Join(dir, "missing", "x.geojson")}, common...)...).wants(t, exitFindings, "no such file")
	if left, err := os.ReadDir(dir); err != nil || len(left) != len(layersOf(t)) {
		t.Errorf("%d files in the folder, %v", len(left), err)
	}
}

// TestBadFiles imports what is no layer: each is told in a sentence, and nothing changes.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	s := demo(t)
	before := s.sql(t, "SELECT md5(string_agg(c::text, '' ORDER BY id)) FROM communes c")
	versions := s.sql(t, "SELECT string_agg(layer || version, ' ' ORDER BY layer) FROM layer_versions")
	dir := freshDir(t)
	real, err := os.ReadFile(boundaryFiles(t)["communes"])
	if err != nil {
		t.Fatal(err)
	}
	const crossing = `{"type":"Feature","properties":{"code":"03127","name":"x"},"geometry":{"type":"Polygon","coordinates":[[[103,21],[103.1,21.1],[103.1,21],[103,21.1],[103,21]]]}}`
	const point = `{"type":"Feature","properties":{"code":"03127"},"geometry":{"type":"Point","coordinates":[103,21]}}`
	for name, tt := range map[string]struct {
		text string
		code int
		said string
	}{
		"empty.geojson":     {"", exitFindings, "is empty"},
		"text.geojson":      {"hello", exitFindings, "no column of the layer"},
		"html.json":         {"<html></html>", exitFindings, "HTML are not read"},
		"json.geojson":      {`{"a":1}`, exitFindings, "not GeoJSON"},
		"binary.geojson":    {"\x00\x01\x02\xff", exitFindings, "of no format that is known"},
		"truncated.geojson": {string(real[:100000]), exitFindings, "ends in the middle"},
		"none.geojson":      {`{"type":"FeatureCollection","features":[]}`, exitFindings, "holds no features"},
		"crossing.geojson":  {`{"type":"FeatureCollection","features":[` + crossing + `]}`, exitFindings, "Nothing was changed"},
		"half.geojson":      {strings.Replace(string(real), `"features": [`, `"features": [`+crossing+`,`, 1), exitFindings, "Nothing was changed"},
		"point.geojson":     {point, exitFindings, "row 1"},
		"far.geojson":       {strings.Replace(point, "103,21", "500000,2300000", 1), exitFindings, "EPSG:9205"},
		"sites.dgn":         {"\x08\x09\xfe\x02", exitFindings, "ogr2ogr"},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		hatang(t, "import", "communes", path, "--data", s.dir).wants(t, tt.code, tt.said)
	}
	hatang(t, "import", "communes", dir, "--data", s.dir).wants(t, exitUsage, "directory")
	hatang(t, "import", "communes", filepath.Join(dir, "missing.geojson"), "--data", s.dir).wants(t, exitUsage, "missing.geojson")
	hatang(t, "import", "towers", boundaryFiles(t)["communes"], "--data", s.dir).wants(t, exitUsage, "there is no layer")
	hatang(t, "import", "communes", boundaryFiles(t)["communes"], "--data", s.dir, "--crs", "EPSG:99999").wants(t, exitFindings, "EPSG:99999")
	hatang(t, "import", "communes", boundaryFiles(t)["communes"], "--data", s.dir, "--in-force", "tomorrow").wants(t, exitUsage, "in-force")
	hatang(t, "import", "communes", boundaryFiles(t)["communes"], "--data", s.dir, "--strict").wants(t, exitFindings, `there is no field "name_gso"`)
	unreadable(t, s, dir)
	if after := s.sql(t, "SELECT md5(string_agg(c::text, '' ORDER BY id)) FROM communes c"); after != before {
		t.Error("a refused file changed the communes")
	}
	if after := s.sql(t, "SELECT string_agg(layer || version, ' ' ORDER BY layer) FROM layer_versions"); after != versions {
		t.Errorf("a refused file raised a version: %s, before %s", after, versions)
	}
}

// unreadable gives a file whose reading fails: for a user one without rights, for
// root, who may read everything, one whose medium gives an error.
func unreadable(t *testing.T, s *server, dir string) {
	t.Helper()
	path := filepath.Join(dir, "closed.geojson")
	var err error
	if os.Geteuid() == 0 {
		err = os.Symlink("/proc/self/mem", path)
	} else {
		err = os.WriteFile(path, []byte("{}"), 0o000)
	}
	if err != nil {
		t.Fatal(err)
	}
	hatang(t, "import", "communes", path, "--data", s.dir).wants(t, exitFindings, "closed.geojson")
}
