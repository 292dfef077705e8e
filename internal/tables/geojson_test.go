package tables

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
)

func TestGeoJSONOfAnOffice(t *testing.T) {
	names := communes(t)
	for _, c := range []struct {
		file, crs string
		rows      int
	}{
		{"dienbien_communes.geojsonl", "", 130}, {"dienbien_communes_raw_coverage.geojson", "OGC:CRS84", 130}, {"geojson_crs_epsg9205.geojson", "EPSG:9205", 12},
		{"geojson_latlon_swapped.geojson", "", 12}, {"geojson_names_messy.geojson", "", 130}, {"invalid_geometries.geojson", "", 14},
	} {
		table := opened(t, shared(t, "messy/"+c.file), Options{})
		rows := rowsOf(t, table)
		noFaults(t, rows)
		if len(rows) != c.rows || table.CRS() != c.crs {
			t.Errorf("%s: %d rows, %q", c.file, len(rows), table.CRS())
		}
		for i := range rows {
			checkRow(t, table, &rows[i])
			at := slices.Index(table.Columns(), "full_name")
			if at >= 0 && rows[i].Cells[at] != names[cell(t, table, rows[i], "code").(string)] {
				t.Errorf("%s: %v", c.file, rows[i].Cells)
			}
		}
	}
	table := opened(t, shared(t, "messy/geojson_crs_epsg9205.geojson"), Options{})
	if got := rowsOf(t, table)[0].Geometry.FlatCoords()[:2]; !slices.Equal(got, []float64{503793.691, 2364537.265}) {
		t.Errorf("%v", got)
	}
}

// What is wrong with geometries of the messy file is for whoever knows geometry, but for
// null and empty ones.
func TestNamedDefects(t *testing.T) {
	table := opened(t, shared(t, "messy/invalid_geometries.geojson"), Options{})
	for _, r := range rowsOf(t, table) {
		defect := cell(t, table, r, "defect").(string)
		none := strings.Contains(defect, "null") || strings.Contains(defect, "empty")
		if (r.Geometry == nil) != none {
			t.Errorf("%s: %v", defect, r.Geometry)
		}
		if strings.Contains(defect, "3D") && r.Geometry.Stride() != 3 {
			t.Errorf("%s: the heights are lost", defect)
		}
	}
}

// Of the files of geojsonhint those of features are read, and what is wrong with one of them
// is said at it; those of bare geometries are refused.
func TestGeoJSONOfGeojsonhint(t *testing.T) {
	sound := map[string]int{"good-feature-with-id": 1, "good-feature-with-string-id": 1, "good-featurecollection-bbox": 2, "good-featurecollection-bbox3d": 2, "good-featurecollection": 3, "nullgeometry": 1}
	// Wrong for a linter: members that say nothing, or twice the same.
	harmless := map[string]int{"bad-duplicate-properties": 1, "featurecollection_changed_semantics": 3}
	wrong := map[string]string{"bad-polygonloop": "not nested", "bad-properties-as-array": "no object", "badcoordtype": "not nested", "badfeature": "type must be \"Feature\"", "expected_object": "no object",
		"multiple_problems": "not nested", "nofeaturetype": "type must be \"Feature\"", "point-labeled-as-a-multipolygon": "not nested", "stringcoord": "not nested"} //nolint:misspell // files are called so
	refused := map[string]string{"bad-json": "broken at byte", "bad-object-type": "has no \"type\"", "featurecollection-obj": "not a list", "featurecollection": "no features"}
	files, err := filepath.Glob(shared(t, "conformance/geojson/*/*.geojson"))
	if err != nil || len(files) < 40 {
		t.Fatal(err, len(files))
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".geojson")
		said, isRefused := refused[name]
		fault, isWrong := wrong[name]
		n, isRead := sound[name]
		if !isRead {
			n, isRead = harmless[name]
		}
		switch {
		case name == "rootstring": // no JSON object, but a line of text
			if rows := rowsOf(t, opened(t, path, Options{})); len(rows) != 0 {
				t.Error(rows)
			}
		case isRead:
			rows := rowsOf(t, opened(t, path, Options{}))
			noFaults(t, rows)
			if len(rows) != n {
				t.Errorf("%s: %d rows, want %d", name, len(rows), n)
			}
		case isWrong:
			faults := ""
			for _, r := range rowsOf(t, opened(t, path, Options{})) {
				if err := r.Faults.Err(); err != nil {
					faults += err.Error()
				}
			}
			if !strings.Contains(faults, fault) {
				t.Errorf("%s: %q", name, faults)
			}
		default:
			if !isRefused {
				said = "its type is"
			}
			if got := refusal(t, path, Options{}); !strings.Contains(got, said) {
				t.Errorf("%s: %s", name, got)
			}
		}
	}
}

const someGeoJSON = `{"type":"FeatureCollection","name":"x","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::32648"}},"features":[
{"type":"Feature","id":7,"properties":{"t":"Mường","n":1,"f":1.5,"b":true,"z":null,"l":["a", "b"],"o":{"a": 1}},"geometry":{"type":"Point","coordinates":[1,2,3]}},
{"type":"Feature","properties":{"n":12345678901234567890,"e":""},"geometry":{"type":"Polygon","coordinates":[[[0,0],[9,0],[9,9],[0,0]],[[5,1],[6,2],[6,1],[5,1]]]}},
{"type":"Feature","properties":null,"geometry":{"type":"MultiPolygon","coordinates":[[[[0,0],[9,0],[9,9],[0,0]]],[[[20,0],[29,0],[29,9],[20,0]]]]}},
{"type":"Feature","geometry":{"type":"MultiLineString","coordinates":[[[1,2],[3,4]],[[5,6],[7,8,9]]]}},
{"type":"Feature","geometry":{"type":"MultiPoint","coordinates":[[1,2]]}},
{"type":"Feature","geometry":{"type":"MultiPoint","coordinates":[]}},
{"type":"Feature","geometry":{"type":"Point","coordinates":[]}},
{"type":"Feature","geometry":{"type":"Point","coordinates":[[1,2]]}},
{"type":"Feature","geometry":{"type":"Point","coordinates":[1]}},
{"type":"Feature","geometry":{"type":"Point","coordinates":[1e999,1]}},
{"type":"Feature","geometry":{"type":"Circle","coordinates":[1,2]}},
{"type":"Feature","geometry":{"type":"GeometryCollection","geometries":[]}}]}`

func TestGeoJSON(t *testing.T) {
	table := opened(t, written(t, "x", []byte("\ufeff"+someGeoJSON)), Options{})
	rows := rowsOf(t, table)
	same(t, shapesOf(t, rows), []string{"POINT Z (1 2 3)", "POLYGON ((0 0, 9 0, 9 9, 0 0), (5 1, 6 2, 6 1, 5 1))", "MULTIPOLYGON (((0 0, 9 0, 9 9, 0 0)), ((20 0, 29 0, 29 9, 20 0)))",
		"MULTILINESTRING Z ((1 2 0, 3 4 0), (5 6 0, 7 8 9))", "MULTIPOINT (1 2)", "", "", "/not nested", "/two or three", "/not nested", "/no type of geometry", "/collections"})
	if want := []string{"id", "t", "n", "f", "b", "z", "l", "o", "e"}; !slices.Equal(table.Columns(), want) || table.CRS() != "EPSG:32648" {
		t.Errorf("%q, want %q; %s", table.Columns(), want, table.CRS())
	}
	if want := []any{int64(7), "Mường", int64(1), 1.5, true, nil, `["a","b"]`, `{"a":1}`, nil}; !slices.Equal(rows[0].Cells, want) {
		t.Errorf("%q, want %q", rows[0].Cells, want)
	}
	if rows[1].Cells[2] != 12345678901234567890.0 {
		t.Errorf("%v", rows[1].Cells[2])
	}
}

func TestGeoJSONOneAfterAnother(t *testing.T) {
	const one = `{"type":"Feature","properties":{"a":1},"geometry":{"type":"Point","coordinates":[1,2]}}`
	spread := strings.ReplaceAll(one, ",", ",\n")
	for what, text := range map[string]string{"lines": one + "\n" + one + "\n", "records": "\x1e" + spread + "\n\x1e" + spread + "\n", "no separators": one + one} {
		if rows := rowsOf(t, opened(t, written(t, "x", []byte(text)), Options{})); len(rows) != 2 || rows[1].Number != 2 || rows[1].Cells[0] != int64(1) {
			t.Errorf("%s: %v", what, rows)
		}
	}
	for said, text := range map[string]string{"broken at feature 2": one + "\n{]", "longer than": one + `{"a":"` + strings.Repeat("a", 2*MaxRowBytes)} {
		if got := refusal(t, written(t, "x", []byte(text)), Options{}); !strings.Contains(got, said) {
			t.Errorf("%s: %s", said, got)
		}
	}
}

func TestGeoJSONInAnOldFont(t *testing.T) {
	old, err := charmap.ISO8859_1.NewDecoder().Bytes(inTCVN3("Phường Him Lam, xã Mường Pồn, được duyệt"))
	if err != nil {
		t.Fatal(err)
	}
	table := opened(t, written(t, "x", bytes.Replace([]byte(`{"type":"Feature","properties":{"a":"@"},"geometry":null}`), []byte("@"), old, 1)), Options{})
	if rows := rowsOf(t, table); rows[0].Cells[0] != "Phường Him Lam, xã Mường Pồn, được duyệt" || guessed(table, "encoding") != "tcvn3" {
		t.Errorf("%v %v", rows, table.Guesses())
	}
}

func FuzzGeoJSON(f *testing.F) {
	f.Add([]byte(someGeoJSON))
	if content, err := os.ReadFile(shared(f, "messy/invalid_geometries.geojson")); err == nil {
		f.Add(content)
	}
	fuzzed(f, "x.geojson")
}
