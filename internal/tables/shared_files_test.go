package tables

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// rightAnswer is what a file of the shared data is: so many rows, so many of them with a
// geometry, and so many with faults; or what is said of one that is refused.
type rightAnswer struct {
	rows, shapes, bad int
	crs               string
	refused           string
	table             string
}

// belongsTo are the endings of what is no file of its own but a part of one, or says what
// others hold.
var belongsTo = []string{".shx", ".prj", ".cpg", ".xsd", ".expected", ".opts", ".txt", ".TXT", ".expected.csv"}

// rightAnswers are by file. What becomes of the files of messy as rows of layers is in the
// tests of package intake and of the commands.
var rightAnswers = map[string][]rightAnswer{
	"messy/diem_dms_cp1258.csv":                    {{rows: 26}},
	"messy/dienbien_communes.fgb":                  {{rows: 130, shapes: 130, crs: "EPSG:4326"}},
	"messy/dienbien_communes.geojsonl":             {{rows: 130, shapes: 130}},
	"messy/dienbien_communes_raw_coverage.geojson": {{rows: 130, shapes: 130, crs: "OGC:CRS84"}},
	"messy/dienbien_districts.kml":                 {{rows: 10, shapes: 10, crs: "OGC:CRS84"}},
	"messy/dienbien_districts_4326_latlon.gml":     {{refused: "ogr2ogr -f GPKG out.gpkg in.gml"}},
	"messy/dienbien_mixed.gpkg":                    {{refused: "bang_dan_so, huyen_vn2000, tam_xa_utm48, xa_wgs84"}, {table: "bang_dan_so", rows: 130}, {table: "huyen_vn2000", rows: 10, shapes: 10, crs: "EPSG:9205"}, {table: "tam_xa_utm48", rows: 130, shapes: 130, crs: "EPSG:3405"}, {table: "xa_wgs84", rows: 130, shapes: 130, crs: "EPSG:4326"}},
	"messy/geojson_crs_epsg9205.geojson":           {{rows: 12, shapes: 12, crs: "EPSG:9205"}},
	"messy/geojson_latlon_swapped.geojson":         {{rows: 12, shapes: 12}},
	"messy/geojson_names_messy.geojson":            {{rows: 130, shapes: 130}},
	"messy/huyen_utm48.zip":                        {{rows: 10, shapes: 10, crs: "EPSG:3405"}},
	"messy/invalid_geometries.geojson":             {{rows: 14, shapes: 12}},
	"messy/shp_vn2000_noprj_tcvn3/xa.shp":          {{rows: 130, shapes: 130}},
	"messy/shp_vn2000_noprj_tcvn3/xa.dbf":          {{rows: 130}},
	"messy/shp_vn2000_utf8/huyen.shp":              {{rows: 10, shapes: 10, crs: "EPSG:9205"}},
	"messy/shp_vn2000_utf8/huyen.dbf":              {{rows: 10}},
	"messy/toado_vn2000_kttt103.csv":               {{rows: 130}},
	"messy/toado_vn2000_kttt105_sai.csv":           {{rows: 130}},
	// Attributes alone: those whose header is not quite one of dBASE are read beside their .shp only.
	"conformance/shapefile_postgis/Arc.shp":            {{rows: 2, shapes: 2}},
	"conformance/shapefile_postgis/Arc.dbf":            {{refused: "no format that is known"}},
	"conformance/shapefile_postgis/ArcM.shp":           {{rows: 1, shapes: 1}},
	"conformance/shapefile_postgis/ArcM.dbf":           {{refused: "no format that is known"}},
	"conformance/shapefile_postgis/MultiPoint.shp":     {{rows: 1, shapes: 1}},
	"conformance/shapefile_postgis/MultiPoint.dbf":     {{refused: "no format that is known"}},
	"conformance/shapefile_postgis/MultiPointZ.shp":    {{rows: 1, shapes: 1}},
	"conformance/shapefile_postgis/MultiPointZ.dbf":    {{refused: "no format that is known"}},
	"conformance/shapefile_postgis/NoTransPoint.shp":   {{rows: 3, shapes: 3}},
	"conformance/shapefile_postgis/NoTransPoint.dbf":   {{refused: "no format that is known"}},
	"conformance/shapefile_postgis/Point.shp":          {{rows: 3, shapes: 3}},
	"conformance/shapefile_postgis/Point.dbf":          {{refused: "no format that is known"}},
	"conformance/shapefile_postgis/PointM.shp":         {{rows: 3, shapes: 3}},
	"conformance/shapefile_postgis/PointM.dbf":         {{refused: "no format that is known"}},
	"conformance/shapefile_postgis/PointZ.shp":         {{rows: 3, shapes: 3}},
	"conformance/shapefile_postgis/PointZ.dbf":         {{refused: "no format that is known"}},
	"conformance/shapefile_postgis/Polygon.shp":        {{rows: 1, shapes: 1}},
	"conformance/shapefile_postgis/Polygon.dbf":        {{refused: "no format that is known"}},
	"conformance/shapefile_postgis/PolygonZ.shp":       {{rows: 1, shapes: 1}},
	"conformance/shapefile_postgis/PolygonZ.dbf":       {{refused: "no format that is known"}},
	"conformance/shapefile_postgis/TSTPolygon.shp":     {{rows: 1, shapes: 1}},
	"conformance/shapefile_postgis/TSTPolygon.dbf":     {{refused: "no format that is known"}},
	"conformance/shapefile_postgis/ReprojectPts.shp":   {{rows: 66, shapes: 66}},
	"conformance/shapefile_postgis/ReprojectPts.dbf":   {{rows: 66}},
	"conformance/shapefile_postgis/Latin1.dbf":         {{rows: 1}},
	"conformance/shapefile_pyshp/blockgroups.zip":      {{rows: 663, shapes: 663}},
	"conformance/shapefile_pyshp/corrupt_too_long.shp": {{rows: 10, shapes: 10}},
	"conformance/shapefile_pyshp/corrupt_too_long.dbf": {{rows: 10}},
	"conformance/shapefile_pyshp/empty_zipfile.zip":    {{refused: "holds no file that is read"}},
	"conformance/shapefile_pyshp/latin1.shp":           {{rows: 1, shapes: 1}},
	"conformance/shapefile_pyshp/latin1.dbf":           {{rows: 1}},
	"conformance/gpkg_cite/empty.gpkg":                 {{refused: "holds no features"}},
	"conformance/gpkg_cite/features-0.gpkg":            {{rows: 51, shapes: 51, crs: "EPSG:4326"}},
	"conformance/gpkg_cite/gdal_sample.gpkg":           {{refused: "several tables"}},
	"conformance/gpkg_cite/gdal_sample_view.gpkg":      {{refused: "several tables"}},
	"conformance/gpkg_cite/null_geometry.gpkg":         {{refused: "PointExamples, new_geopackage"}},
	"conformance/gpkg_cite/simple_sewer_features.gpkg": {{refused: "foul_sewer, s_manhole, surface_water_sewer"}},
	"conformance/gpkg_cite/v12_bad_attributes.gpkg":    {{refused: "attribute_table, linestring2d"}},
}

// TestEverySharedFileHasARightAnswer holds every file of the shared data that an import is
// for against its right answer; one that nobody has looked at fails.
func TestEverySharedFileHasARightAnswer(t *testing.T) {
	root := shared(t, "")
	for _, folder := range []string{"messy", "conformance/shapefile_postgis", "conformance/shapefile_pyshp", "conformance/gpkg_cite"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			for _, ending := range belongsTo {
				if strings.HasSuffix(path, ending) {
					return nil
				}
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			answers, known := rightAnswers[filepath.ToSlash(name)]
			if !known {
				t.Errorf("%s has no right answer; it is %+v", name, answerOf(t, path, ""))
			}
			for _, want := range answers {
				got := answerOf(t, path, want.table)
				if want.refused != "" && strings.Contains(got.refused, want.refused) {
					got.refused = want.refused
				}
				if got != want {
					t.Errorf("%s: %+v, want %+v", name, got, want)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name := range rightAnswers {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Error(err)
		}
	}
}

func answerOf(t *testing.T, path, name string) (a rightAnswer) {
	t.Helper()
	a.table = name
	table, err := Open(t.Context(), path, Options{Table: name})
	if err != nil {
		a.refused = bilingual(t, path, err)
		return a
	}
	defer table.Close()
	rows, err := gather(t.Context(), table)
	if err != nil {
		a.refused = bilingual(t, path, err)
		return a
	}
	a.rows, a.crs = len(rows), table.CRS()
	for _, r := range rows {
		if r.Geometry != nil {
			a.shapes++
		}
		if len(r.Faults) > 0 {
			a.bad++
		}
	}
	return a
}
