package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/maptile"

	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/testdb"
)

// TestReferenceLayers publishes files beside a running server, as officers do, and looks
// at what becomes of them.
func TestReferenceLayers(t *testing.T) {
	t.Parallel()
	s := demo(t)
	t.Run("from a file to a layer", func(t *testing.T) { publishChangeWithdraw(t, s) })
	t.Run("kept in VN-2000", func(t *testing.T) { keptInVN2000(t, s) })
	t.Run("without codes", func(t *testing.T) { updatedWithoutCodes(t, s) })
	t.Run("of every kind of geometry", func(t *testing.T) { mixedGeometries(t, s) })
	t.Run("refused", func(t *testing.T) { refusedFiles(t, s) })
}

// command runs a command on the server's data.
func (s *server) command(t *testing.T, args ...string) result {
	t.Helper()
	return hatang(t, append(args, "--data", s.dir)...)
}

// knows waits until the server knows what a command has done: within a second.
func (s *server) knows(t *testing.T, path string, status int) {
	t.Helper()
	until(t, path, func() bool { return s.call(t, http.MethodGet, path, "").status == status })
}

const schoolsFile = `{"type":"FeatureCollection","name":"Trường học","features":[
	{"type":"Feature","id":"a","properties":{"Mã":"T1","NAME":"Trường 1","Sĩ số":120,"opened":"1999-09-05","tags":["x","y"],"note":null},"geometry":{"type":"Point","coordinates":[103.01,21.39,5]}},
	{"type":"Feature","id":"b","properties":{"Mã":"T2","NAME":"Trường 2","Sĩ số":80,"opened":"2003-09-05","tags":[]},"geometry":{"type":"Point","coordinates":[103.02,21.38]}},
	{"type":"Feature","id":"c","properties":{"Mã":"T3","NAME":"Trường 3","Sĩ số":null,"opened":null},"geometry":null}]}`

func writeTemp(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(freshDir(t), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func publishChangeWithdraw(t *testing.T, s *server) {
	file := writeTemp(t, "truong.geojson", schoolsFile)
	s.command(t, "import", "--as", "schools", file, "--dry-run").wants(t, exitDone, "Dry run: nothing was changed.")
	s.knows(t, "/api/v1/collections/schools", http.StatusNotFound)
	r := s.command(t, "import", "--as", "schools", "--title-en", "Schools", "--code", "Mã", file)
	for _, said := range []string{"3 read, 3 inserted", "si_so: integer, from column Sĩ số", "code: text, from column Mã", "heights were dropped"} {
		r.wants(t, exitDone, said)
	}
	s.knows(t, "/api/v1/collections/schools", http.StatusOK)
	var c struct{ Title string }
	s.get(t, "/api/v1/collections/schools", &c, "Accept-Language", "en")
	if c.Title != "Schools" {
		t.Errorf("the collection: %+v", c)
	}
	var p page
	s.get(t, "/api/v1/collections/schools/items", &p)
	if len(p.Features) != 3 || p.Features[2].Geometry.Type != "" {
		t.Fatalf("%d features: %+v", len(p.Features), p.Features)
	}
	got, err := json.Marshal(p.Features[0].Properties)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"code":"T1"`, `"name":"Trường 1"`, `"si_so":120`, `"opened":"1999-09-05"`, `"tags":["x","y"]`, `"note":null`, `"source":"truong.geojson"`, `"valid_from":"2020-12-31"`, `"jurisdiction":"11"`} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	if n := featureCount(t, gdal(t, "ogrinfo", "-ro", "-so", "-where", "si_so > 100", "OAPIF:"+s.url+"/api/v1", "schools")); n != 1 {
		t.Errorf("GDAL finds %d schools of more than a hundred", n)
	}
	if drawn(t, s, "/api/v1/collections/schools", maptile.At(orb.Point{103.01, 21.39}, 12))["schools"] == nil {
		t.Error("the tile is empty")
	}

	// The names that fields have in the file are theirs in filters, too.
	for lang, filter := range map[string]string{"cql2-text": `"Sĩ số" > 100`, "cql2-json": `{"op":">","args":[{"property":"Sĩ số"},100]}`} {
		if s.get(t, "/api/v1/collections/schools/items?filter-lang="+lang+"&filter="+url.QueryEscape(filter), &p); len(p.Features) != 1 {
			t.Errorf("%s selects %v", filter, p.Features)
		}
	}

	later := writeTemp(t, "truong.geojson", strings.NewReplacer(`"Sĩ số":80`, `"Sĩ số":81`, `"T3"`, `"T4"`).Replace(schoolsFile))
	s.command(t, "import", "schools", later).wants(t, exitDone, "3 read, 1 inserted, 1 updated, 1 unchanged")
	s.get(t, "/api/v1/collections/schools/items?si_so=81", &p)
	if len(p.Features) != 1 || p.Features[0].Properties["code"] != "T2" {
		t.Errorf("the row that the second file changed: %v", p.Features)
	}
	exported := filepath.Join(freshDir(t), "out.geojson")
	s.command(t, "export", "schools", exported).wants(t, exitDone, "")
	s.command(t, "import", "schools", exported).wants(t, exitDone, "4 read, 0 inserted, 0 updated, 4 unchanged")

	s.command(t, "layer", "change", "schools", "--rename", "academies", "--staff-only").wants(t, exitDone, "")
	s.knows(t, "/api/v1/collections/schools", http.StatusNotFound)
	if a := s.call(t, http.MethodGet, "/api/v1/collections/academies", ""); a.status != http.StatusNotFound {
		t.Errorf("the public knows of it: %d", a.status)
	}
	s.call(t, http.MethodGet, "/api/v1/collections/academies/items/1", "", bearer(s.key)...).wants(t, http.StatusOK)
	s.command(t, "layer", "list").wants(t, exitDone, "academies")
	s.command(t, "layer", "change", "academies", "--public").wants(t, exitDone, "")
	s.knows(t, "/api/v1/collections/academies", http.StatusOK)
	s.command(t, "layer", "change", "roads", "--rename", "lanes").wants(t, exitUsage, "no reference layer")
	s.command(t, "layer", "withdraw", "academies").wants(t, exitDone, "")
	s.knows(t, "/api/v1/collections/academies", http.StatusNotFound)
	if n := s.sql(t, "SELECT count(*) FROM history WHERE layer LIKE 'withdrawn_%'"); n == "0" {
		t.Error("the history went with the layer")
	}
}

// updatedWithoutCodes: what has no codes is brought up to date by its features' ids, else by
// their numbers, and whole numbers keep all their digits.
func updatedWithoutCodes(t *testing.T, s *server) {
	for name, id := range map[string]string{"by_id": `"id":"%d",`, "by_row": ""} {
		write := func(last int64) string {
			feature := `{"type":"Feature",` + id + `"properties":{"n":%d},"geometry":{"type":"Point","coordinates":[103.0%d,21.39]}}`
			var features []string
			for i, n := range []int64{9007199254740993, math.MinInt64, last} {
				values := []any{n, i}
				if id != "" {
					values = append([]any{7 - i}, values...)
				}
				features = append(features, fmt.Sprintf(feature, values...))
			}
			return writeTemp(t, name+".geojson", `{"type":"FeatureCollection","features":[`+strings.Join(features, ",")+`]}`)
		}
		s.command(t, "import", "--as", name, write(1)).wants(t, exitDone, "3 inserted")
		s.command(t, "import", name, write(1)).wants(t, exitDone, "3 read, 0 inserted, 0 updated, 3 unchanged")
		s.command(t, "import", name, write(math.MaxInt64)).wants(t, exitDone, "3 read, 0 inserted, 1 updated, 2 unchanged")
		s.knows(t, "/api/v1/collections/"+name, http.StatusOK)
		if a := s.call(t, http.MethodGet, "/api/v1/collections/"+name+"/items", ""); !strings.Contains(string(a.body), `"n":9223372036854775807`) {
			t.Errorf("%s: %s", name, a.body)
		}
	}
}

func keptInVN2000(t *testing.T, s *server) {
	file := filepath.Join(testdb.TestData(t), "messy", "dienbien_mixed.gpkg")
	s.command(t, "import", "--as", "centres", file).wants(t, exitFindings, "tam_xa_utm48")
	s.command(t, "import", "--as", "centres", "--table", "tam_xa_utm48", "--storage-crs", "EPSG:3405", file).wants(t, exitDone, "130 inserted")
	s.knows(t, "/api/v1/collections/centres", http.StatusOK)
	var c struct {
		StorageCRS string `json:"storageCrs"`
	}
	s.get(t, "/api/v1/collections/centres", &c)
	if c.StorageCRS != "http://www.opengis.net/def/crs/EPSG/0/3405" {
		t.Errorf("kept in %s", c.StorageCRS)
	}
	places := func(raw []byte) map[string]orb.Point {
		var p struct {
			Features []struct {
				Properties map[string]any
				Geometry   struct{ Coordinates orb.Point }
			}
		}
		if err := json.Unmarshal(raw, &p); err != nil {
			t.Fatal(err)
		}
		at := map[string]orb.Point{}
		for _, f := range p.Features {
			at[fmt.Sprint(f.Properties["code"])] = f.Geometry.Coordinates
		}
		return at
	}
	// What is served in the system that it is kept in is what the file has, to the millimetre
	// that is written; GDAL says what that is.
	theirs := filepath.Join(freshDir(t), "gdal.geojson")
	gdal(t, "ogr2ogr", "-f", "GeoJSON", "-lco", "COORDINATE_PRECISION=3", theirs, file, "tam_xa_utm48")
	raw, err := os.ReadFile(theirs)
	if err != nil {
		t.Fatal(err)
	}
	want, got := places(raw), places(s.call(t, http.MethodGet, "/api/v1/collections/centres/items?crs=http://www.opengis.net/def/crs/EPSG/0/3405", "").body)
	lonLat := places(s.call(t, http.MethodGet, "/api/v1/collections/centres/items", "").body)
	for code, at := range want {
		if math.Abs(got[code][0]-at[0]) > 1e-6 || math.Abs(got[code][1]-at[1]) > 1e-6 {
			t.Errorf("%s is served at %v, the file has %v", code, got[code], at)
		}
		if box := s.matched(t, fmt.Sprintf("centres/items?bbox=%.7f,%.7f,%.7f,%.7f", lonLat[code][0]-1e-6, lonLat[code][1]-1e-6, lonLat[code][0]+1e-6, lonLat[code][1]+1e-6)); box != 1 {
			t.Errorf("%s: a box around it has %d", code, box)
		}
	}
	if len(want) != 130 || len(got) != 130 {
		t.Errorf("%d places served, the file has %d", len(got), len(want))
	}
	downloaded := filepath.Join(freshDir(t), "centres.gpkg")
	if err := os.WriteFile(downloaded, s.call(t, http.MethodGet, "/api/v1/collections/centres/download?f=gpkg&crs=http://www.opengis.net/def/crs/EPSG/0/3405", "").body, 0o644); err != nil {
		t.Fatal(err)
	}
	sum := func(path, table, column string) string {
		return gdal(t, "ogrinfo", "-ro", "-q", "-dialect", "SQLITE", "-sql", fmt.Sprintf("SELECT sum(ST_X(%[1]s)) AS x, sum(ST_Y(%[1]s)) AS y FROM %[2]s", column, table), path)
	}
	if a, b := sum(downloaded, "centres", "geom"), sum(file, "tam_xa_utm48", "geometry"); a != b {
		t.Errorf("the download in the layer's own system has\n%s, the file\n%s", a, b)
	}
	downloadsOf(t, s, "centres", 130)
	// Boxes and tiles of the far side of the earth do not fold into the grid.
	for query, n := range map[string]int{"bbox=-80,-10,-70,30": 0, "bbox=-180,-90,180,90": 130, "bbox=177,65,-177,70": 0, "filter=S_INTERSECTS(geometry,BBOX(101,20,105,24))": 130} {
		if got := s.matched(t, "centres/items?"+query); got != n {
			t.Errorf("%s: %d, want %d", query, got, n)
		}
	}
	for zoom := range maptile.Zoom(5) {
		if drawn(t, s, "/api/v1/collections/centres", maptile.At(orb.Point{103, 21.5}, zoom))["centres"] == nil {
			t.Errorf("the tile of zoom %d is empty", zoom)
		}
	}
	// Another position, written by HTTP, is kept in it, too.
	a := s.call(t, http.MethodPatch, "/api/v1/collections/centres/items/1", `{"geometry":{"type":"Point","coordinates":[103.5,21.5]}}`, append(bearer(s.key), "Content-Type", "application/merge-patch+json")...)
	a.wants(t, http.StatusNoContent)
	if got := s.sql(t, "SELECT ST_SRID(geom_stored) || ' ' || ST_AsText(geom, 6) FROM centres WHERE id = 1"); got != "3405 POINT(103.5 21.5)" {
		t.Errorf("a row that was moved is at %s", got)
	}
}

// matched is how many features a request for items has, which are few.
func (s *server) matched(t *testing.T, path string) int {
	t.Helper()
	var p page
	s.get(t, "/api/v1/collections/"+path+"&limit=1000", &p)
	return len(p.Features)
}

func mixedGeometries(t *testing.T, s *server) {
	shapes := []string{`{"type":"Point","coordinates":[103,21.5]}`, `{"type":"MultiPoint","coordinates":[[103.001,21.5],[103.002,21.5]]}`, `{"type":"LineString","coordinates":[[103,21.5],[103.1,21.6]]}`,
		`{"type":"Polygon","coordinates":[[[103,21.5],[103.1,21.5],[103.1,21.6],[103,21.5]]]}`, "null"}
	var features []string
	for i, g := range shapes {
		features = append(features, fmt.Sprintf(`{"type":"Feature","properties":{"x":%d},"geometry":%s}`, i, g))
	}
	body := `{"type":"FeatureCollection","features":[` + strings.Join(features, ",") + `]}`
	s.call(t, http.MethodPost, "/api/v1/collections?name=mixed", body, append(bearer(s.key), "Content-Type", "application/geo+json")...).wants(t, http.StatusCreated)
	var p page
	s.get(t, "/api/v1/collections/mixed/items", &p)
	for i, f := range p.Features {
		got := fmt.Sprintf(`{"type":%q,"coordinates":%s}`, f.Geometry.Type, f.Geometry.Coordinates)
		if f.Geometry.Type == "" {
			got = "null"
		}
		if got != shapes[i] {
			t.Errorf("%s became %s", shapes[i], got)
		}
	}
	l := drawn(t, s, "/api/v1/collections/mixed", maptile.At(orb.Point{103.001, 21.501}, 12))["mixed"]
	if l == nil || len(l.Features) != 4 {
		t.Errorf("the tile has %v", l)
	}
	var style struct{ Layers []map[string]any }
	s.get(t, "/api/v1/styles/mixed", &style)
	if len(style.Layers) != 4 {
		t.Errorf("the style has %d layers, want areas, outlines, lines and points", len(style.Layers))
	}
	if n := featureCount(t, gdal(t, "ogrinfo", "-ro", "-so", "OAPIF:"+s.url+"/api/v1", "mixed")); n != 5 {
		t.Errorf("GDAL counts %d", n)
	}
	downloadsOf(t, s, "mixed", 5)
}

// downloadsOf fetches a layer in every format, has GDAL count it, and publishes the
// GeoPackage anew.
func downloadsOf(t *testing.T, s *server, name string, want int) {
	t.Helper()
	dir := freshDir(t)
	for _, f := range formats.Of(&layer.Layer{Name: name}) {
		a := s.call(t, http.MethodGet, "/api/v1/collections/"+name+"/download?f="+f.Names[0], "")
		a.wants(t, http.StatusOK)
		path := filepath.Join(dir, name+f.Extensions[0])
		if err := os.WriteFile(path, a.body, 0o644); err != nil {
			t.Fatal(err)
		}
		if n := countIn(t, &f, name, path); n != want {
			t.Errorf("%s of %s: GDAL counts %d, want %d", f.Title, name, n, want)
		}
	}
	s.command(t, "import", "--as", name+"_again", filepath.Join(dir, name+".gpkg")).wants(t, exitDone, fmt.Sprintf("%d inserted", want))
	const rows = "SELECT string_agg(code || coalesce(ST_AsText(geom, 7), 'none'), ' ' ORDER BY code) FROM "
	if was, is := s.sql(t, rows+name), s.sql(t, rows+name+"_again"); was != is {
		t.Errorf("by way of a GeoPackage\n%s became\n%s", was, is)
	}
}

// countIn is how many rows GDAL counts in a file, in all that a layer is parted into.
func countIn(t *testing.T, f *formats.Format, name, path string) (n int) {
	t.Helper()
	if f.Name() == "xlsx" { // it has another sheet, too
		return featureCount(t, gdal(t, "ogrinfo", "--config", "OGR_XLSX_HEADERS", "FORCE", "-ro", "-so", path, name))
	}
	for _, part := range strings.Split(gdal(t, "ogrinfo", "-ro", "-so", "-al", path), "Layer name: ")[1:] {
		n += featureCount(t, part)
	}
	return n
}

func refusedFiles(t *testing.T, s *server) {
	world := filepath.Join("testdata", "cql2", "ne110m4cql2.gpkg")
	s.command(t, "import", "--as", "countries", "--table", "ne_110m_admin_0_countries", "--storage-crs", "EPSG:3405", "--allow-outside", world).wants(t, exitFindings, "too far from where EPSG:3405 is used")
	samples := filepath.Join(testdb.TestData(t), "conformance", "gpkg_cite", "gdal_sample.gpkg")
	s.command(t, "import", "--as", "unknown", "--table", "point2d", samples).wants(t, exitFindings, "No reading puts the points in the territory")
	file := writeTemp(t, "truong.geojson", schoolsFile)
	s.command(t, "import", "--as", "roads", file).wants(t, exitFindings, "the name is taken")
	s.command(t, "import", "--as", "Bad Name", file).wants(t, exitFindings, "cannot be the name of a layer")
	s.command(t, "import", "--as", "x", "--code", "NONE", file).wants(t, exitFindings, "no column")
	s.command(t, "import", "--as", "x", "schools", file).wants(t, exitUsage, "the file alone is named")
	s.command(t, "import", "--as", "x", "--in-force", "2020-01-01", file).wants(t, exitUsage, "do not go with --as")
	s.command(t, "import", "schools").wants(t, exitUsage, "are needed")
	s.command(t, "import", "roads", file, "--staff-only").wants(t, exitUsage, "go with --as")

	bad := strings.Replace(schoolsFile, "[103.01,21.39,5]", "[1030.1,21.39]", 1)
	a := s.call(t, http.MethodPost, "/api/v1/collections?name=bad", bad, append(bearer(s.key), "Content-Type", "application/geo+json")...)
	a.wants(t, http.StatusBadRequest)
	if !strings.Contains(string(a.body), `"pointer":"/features/0/geometry/coordinates"`) {
		t.Errorf("the refusal names no place: %s", a.body)
	}
	raw, err := os.ReadFile(world)
	if err != nil {
		t.Fatal(err)
	}
	a = s.call(t, http.MethodPost, "/api/v1/collections?name=countries&table=ne_110m_admin_0_countries&storage_crs=EPSG:3405&allow_outside=true", string(raw), append(bearer(s.key), "Content-Type", "application/octet-stream")...)
	a.wants(t, http.StatusBadRequest)
	var collections struct{ Collections []struct{ ID string } }
	s.get(t, "/api/v1/collections", &collections, bearer(s.key)...)
	for _, c := range collections.Collections {
		if c.ID == "bad" || c.ID == "countries" || c.ID == "x" || c.ID == "unknown" {
			t.Errorf("%s was published", c.ID)
		}
	}
}
