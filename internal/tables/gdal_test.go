package tables

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// What GDAL, and QGIS with it, writes for numbers that are not there, for times in MIF, and
// for a KMZ file of layers, is read as it is meant.
func TestHabitsOfGDAL(t *testing.T) {
	source := written(t, "x.geojson", []byte(`{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"ten":"Ba","so":7,"cao":1.5,"luc":"2020-10-15T01:02:03Z"},"geometry":{"type":"Point","coordinates":[103,21]}},
{"type":"Feature","properties":{"ten":"Hai","so":null,"cao":null,"luc":null},"geometry":{"type":"Point","coordinates":[103.1,21.1]}}]}`))
	made := func(format, name string, options ...string) string {
		path := filepath.Join(t.TempDir(), name)
		if out, err := exec.Command("ogr2ogr", append([]string{"-f", format, path, source}, options...)...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", format, err, out)
		}
		return path
	}
	for _, tt := range []struct {
		path, stars string
		time        any
	}{
		{made("ESRI Shapefile", "x.shp", "-lco", "ENCODING=UTF-8"), "so, cao", time.Date(2020, 10, 15, 0, 0, 0, 0, time.UTC)}, // which has days alone
		{made("MapInfo File", "x.mif", "-dsco", "FORMAT=MIF"), "", time.Date(2020, 10, 15, 1, 2, 3, 0, time.UTC)},
	} {
		table := opened(t, tt.path, Options{})
		rows := rowsOf(t, table)
		noFaults(t, rows)
		if len(rows) != 2 || cell(t, table, rows[0], "so") != int64(7) || cell(t, table, rows[0], "cao") != 1.5 || guessed(table, "asterisks") != tt.stars {
			t.Errorf("%s: %v, %v", filepath.Base(tt.path), rows, table.Guesses())
		}
		if got := cell(t, table, rows[0], "luc"); got != tt.time {
			t.Errorf("%s: %v", filepath.Base(tt.path), got)
		}
		if tt.stars != "" && (cell(t, table, rows[1], "so") != nil || cell(t, table, rows[1], "cao") != nil) {
			t.Errorf("%v", rows[1].Cells)
		}
	}
	table := opened(t, made("LIBKML", "x.kmz"), Options{})
	if rows := rowsOf(t, table); len(rows) != 2 || rows[1].Geometry == nil || guessed(table, "table") != "layers/x.kml" {
		t.Errorf("%v, %v", rows, table.Guesses())
	}
}
