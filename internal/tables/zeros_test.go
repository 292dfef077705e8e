package tables

import (
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// withText is a GeoPackage with a text in its first row.
func withText(t *testing.T, text string) string {
	t.Helper()
	source := written(t, "x.geojson", []byte(`{"type":"Feature","properties":{"ten":"x"},"geometry":{"type":"Point","coordinates":[1,2]}}`))
	path := filepath.Join(t.TempDir(), "x.gpkg")
	if out, err := exec.Command("ogr2ogr", "-f", "GPKG", path, source, "-nln", "x", "-lco", "SPATIAL_INDEX=NO").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "UPDATE x SET ten = ? || char(0) || 'y'", text); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// A zero byte, which no text of the database has, is a fault of its row and column in every
// format that can carry one.
func TestZeroBytesAreNamed(t *testing.T) {
	flat := filepath.Join(t.TempDir(), "x.fgb")
	source := written(t, "x.geojson", []byte(`{"type":"Feature","properties":{"ten":"a#y"},"geometry":{"type":"Point","coordinates":[1,2]}}`))
	if out, err := exec.Command("ogr2ogr", "-f", "FlatGeobuf", flat, source, "-lco", "SPATIAL_INDEX=NO").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	content, err := os.ReadFile(flat)
	if err != nil {
		t.Fatal(err)
	}
	point := string(append([]byte{1, 0, 0, 0}, make([]byte, 16)...))
	sheet := `<worksheet><sheetData><row><c t="inlineStr"><is><t>ten</t></is></c></row><row><c t="inlineStr"><is><t>a_x0000_y</t></is></c></row></sheetData></worksheet>`
	for format, path := range map[string]string{
		"csv":        written(t, "x.csv", []byte("ma,ten\n1,a\x00y\n2,b\n")),
		"utf-16":     written(t, "x.csv", []byte("\xff\xfem\x00a\x00,\x00t\x00e\x00n\x00\n\x001\x00,\x00a\x00\x00\x00\n\x00")),
		"xlsx":       book(t, sheet),
		"geojson":    written(t, "x.geojson", []byte(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"ten":"a\u0000y"},"geometry":null}]}`)),
		"a line":     written(t, "x.geojsonl", []byte(`{"type":"Feature","properties":{"ten":"a\u0000y"},"geometry":null}`+"\n")),
		"geopackage": withText(t, "a"),
		"flatgeobuf": written(t, "x.fgb", []byte(strings.Replace(string(content), "a#y", "a\x00y", 1))),
		"shapefile":  written(t, "x.zip", zipped(t, "a.shp", string(shpOf(1, []byte(point))), "a.dbf", string(dbfOf(8, "a\x00y")))),
		"mif":        pair(t, "Version 300\nDelimiter \",\"\nColumns 1\nten Char(10)\nData\nNone\n", "a\x00y\n"),
		"dxf":        written(t, "x.dxf", drawing("", "0 TEXT|10 1|20 2|40 1|1 a\x00y")),
	} {
		table := opened(t, path, Options{})
		rows := rowsOf(t, table)
		column := "ten"
		switch format {
		case "shapefile":
			column = "TEN"
		case "dxf":
			column = "text"
		}
		if len(rows[0].Faults) != 1 || rows[0].Faults[0].At != "/properties/"+column || !strings.Contains(rows[0].Faults[0].Detail.EN, "NUL") {
			t.Errorf("%s: %v %q", format, rows[0].Faults, rows[0].Cells)
		}
	}
	for name, content := range map[string]string{"x.csv": strings.Repeat("\x00\x01\x02\x03abc\n", 20_000), "y.csv": "a\x00\x00b\x00\x00\x00c"} {
		if got := refusal(t, written(t, name, []byte(content)), Options{}); !strings.Contains(got, "no format that is known") {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := refusal(t, written(t, "x.kml", []byte("<kml><Placemark><name>a\x00y</name></Placemark></kml>")), Options{}); !strings.Contains(got, "U+0000") {
		t.Error(got)
	}
}
