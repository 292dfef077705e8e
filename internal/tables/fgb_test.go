package tables

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFlatGeobufOfAnOffice(t *testing.T) {
	names := communes(t)
	table := opened(t, shared(t, "messy/dienbien_communes.fgb"), Options{})
	rows := rowsOf(t, table)
	noFaults(t, rows)
	if len(rows) != 130 || table.CRS() != "EPSG:4326" {
		t.Errorf("%d rows, %s", len(rows), table.CRS())
	}
	for _, r := range rows {
		code := cell(t, table, r, "code").(string)
		if got := cell(t, table, r, "full_name"); got != names[code] || r.Geometry == nil {
			t.Errorf("%s: %v, want %v", code, got, names[code])
		}
	}
	within1(t, rows, [4]float64{102.144029, 20.892719, 103.598772, 22.548381})
}

// within1 fails unless all geometries together fill a box of degrees.
func within1(t *testing.T, rows []Row, box [4]float64) {
	t.Helper()
	for i := range box {
		box[i] *= 1e5
	}
	for _, r := range rows {
		if r.Geometry != nil {
			for i := range r.Geometry.FlatCoords() {
				r.Geometry.FlatCoords()[i] *= 1e5
			}
		}
	}
	within(t, rows, box)
}

// GDAL writes each kind of geometry and of value.
func TestFlatGeobufOfGDAL(t *testing.T) {
	source := written(t, "x.geojson", []byte(`{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"i":1,"l":12345678901,"r":1.5,"t":"ạ","d":"2020-10-15","m":"2020-10-15T01:02:03Z","b":true},"geometry":{"type":"Point","coordinates":[1,2]}},
{"type":"Feature","properties":{"i":null},"geometry":{"type":"MultiPoint","coordinates":[[1,2]]}},
{"type":"Feature","properties":{},"geometry":{"type":"LineString","coordinates":[[1,2],[3,4]]}},
{"type":"Feature","properties":{},"geometry":{"type":"MultiLineString","coordinates":[[[1,2],[3,4]],[[5,6],[7,8]]]}},
{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[0,0],[9,0],[9,9],[0,0]],[[5,1],[6,2],[6,1],[5,1]]]}},
{"type":"Feature","properties":{},"geometry":{"type":"MultiPolygon","coordinates":[[[[0,0],[9,0],[9,9],[0,0]]],[[[20,0],[29,0],[29,9],[20,0]]]]}},
{"type":"Feature","properties":{},"geometry":{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]}]}}]}`))
	path := filepath.Join(t.TempDir(), "x.fgb")
	if out, err := exec.Command("ogr2ogr", "-f", "FlatGeobuf", path, source, "-lco", "SPATIAL_INDEX=NO").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	table := opened(t, path, Options{})
	rows := rowsOf(t, table)
	same(t, shapesOf(t, rows), []string{"POINT (1 2)", "MULTIPOINT (1 2)", "LINESTRING (1 2, 3 4)", "MULTILINESTRING ((1 2, 3 4), (5 6, 7 8))",
		"POLYGON ((0 0, 9 0, 9 9, 0 0), (5 1, 6 2, 6 1, 5 1))", "MULTIPOLYGON (((0 0, 9 0, 9 9, 0 0)), ((20 0, 29 0, 29 9, 20 0)))", "/collections"})
	want := []any{int64(1), int64(12345678901), 1.5, "ạ", time.Date(2020, 10, 15, 0, 0, 0, 0, time.UTC), time.Date(2020, 10, 15, 1, 2, 3, 0, time.UTC), true}
	if !slices.Equal(rows[0].Cells, want) {
		t.Errorf("%v, want %v", rows[0].Cells, want)
	}
}

func TestFlatGeobufWithHeights(t *testing.T) {
	source := written(t, "x.geojson", []byte(`{"type":"Feature","properties":{"a":1},"geometry":{"type":"MultiLineString","coordinates":[[[1,2,3],[4,5,6]],[[7,8,9],[1,2,3]]]}}`))
	path := filepath.Join(t.TempDir(), "x.fgb")
	if out, err := exec.Command("ogr2ogr", "-f", "FlatGeobuf", "-t_srs", "EPSG:3405", "-s_srs", "EPSG:3405", path, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	table := opened(t, path, Options{})
	same(t, shapesOf(t, rowsOf(t, table)), []string{"MULTILINESTRING Z ((1 2 3, 4 5 6), (7 8 9, 1 2 3))"})
	if table.CRS() != "EPSG:3405" {
		t.Error(table.CRS())
	}
}

// A number that is none is named with its row and column: it is not the same as no value.
func TestNumbersThatAreNoneInFlatGeobuf(t *testing.T) {
	source := written(t, "x.geojson", []byte(`{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"h":1234.5,"k":6.5},"geometry":{"type":"Point","coordinates":[1,2]}},
{"type":"Feature","properties":{"h":2345.5,"k":6.5},"geometry":{"type":"Point","coordinates":[1,2]}},
{"type":"Feature","properties":{"h":3456.5,"k":6.5},"geometry":{"type":"Point","coordinates":[1,2]}}]}`))
	path := filepath.Join(t.TempDir(), "x.fgb")
	if out, err := exec.Command("ogr2ogr", "-f", "FlatGeobuf", path, source, "-lco", "SPATIAL_INDEX=NO").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bits := func(x float64) []byte { return binary.LittleEndian.AppendUint64(nil, math.Float64bits(x)) }
	content = bytes.Replace(bytes.Replace(content, bits(2345.5), bits(math.NaN()), 1), bits(3456.5), bits(math.Inf(-1)), 1)
	rows := rowsOf(t, opened(t, written(t, "y.fgb", content), Options{}))
	noFaults(t, rows[:1])
	for _, r := range rows[1:] {
		if len(r.Faults) != 1 || r.Faults[0].At != "/properties/h" || !strings.Contains(r.Faults[0].Detail.EN, map[int64]string{2: "NaN", 3: "-Inf"}[r.Number]) || r.Cells[0] != nil {
			t.Errorf("row %d: %v, %v", r.Number, r.Cells, r.Faults)
		}
	}
}

func TestHostileFlatGeobufsAreRefused(t *testing.T) {
	whole, err := os.ReadFile(shared(t, "messy/dienbien_communes.fgb"))
	if err != nil {
		t.Fatal(err)
	}
	longHeader := bytes.Clone(whole)
	binary.LittleEndian.PutUint32(longHeader[8:], 1<<31)
	wild := bytes.Clone(whole)
	binary.LittleEndian.PutUint32(wild[12:], 1<<30)
	for _, content := range [][]byte{whole[:11], whole[:100], whole[:len(whole)-10], longHeader, wild} {
		if got := refusal(t, written(t, "x.fgb", content), Options{}); !strings.Contains(got, "damaged") {
			t.Error(got)
		}
	}
}

func FuzzFlatGeobuf(f *testing.F) {
	whole, err := os.ReadFile(shared(f, "messy/dienbien_communes.fgb"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole[:9000])
	fuzzed(f, "x.fgb")
}
