package tables

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Every table of every GeoPackage has the rows and the geometries that GDAL finds in it.
func TestGeoPackagesReadAsGDALReadsThem(t *testing.T) {
	tables := 0
	for _, folder := range []string{"messy", "conformance/gpkg_cite"} {
		files, err := filepath.Glob(shared(t, folder+"/*.gpkg"))
		if err != nil || len(files) == 0 {
			t.Fatal(err, folder)
		}
		for _, path := range files {
			for _, name := range tablesOf(t, path) {
				tables++
				compare(t, path, name)
			}
		}
	}
	if tables < 45 {
		t.Errorf("only %d tables", tables)
	}
}

// tablesOf are the tables that a GeoPackage has; "" stands for the only one.
func tablesOf(t *testing.T, path string) []string {
	t.Helper()
	table, err := Open(t.Context(), path, Options{})
	var which *WhichError
	if errors.As(err, &which) {
		return which.Tables
	}
	if err != nil {
		if !strings.Contains(err.Error(), "holds no features") || filepath.Base(path) != "empty.gpkg" {
			t.Error(path, err)
		}
		return nil
	}
	if err := table.Close(); err != nil {
		t.Error(err)
	}
	return []string{""}
}

func compare(t *testing.T, path, name string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "x.geojson")
	args := []string{"-f", "GeoJSON", out, path, "-lco", "COORDINATE_PRECISION=15", "-dim", "layer_dim"}
	if name != "" {
		args = append(args, name)
	}
	if said, err := exec.Command("ogr2ogr", args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v: %s", path, name, err, said)
	}
	got, want := rowsOf(t, opened(t, path, Options{Table: name})), rowsOf(t, opened(t, out, Options{}))
	if len(got) != len(want) {
		t.Errorf("%s %s: %d rows, want %d", path, name, len(got), len(want))
		return
	}
	shapes, others := shapesOf(t, got), shapesOf(t, want)
	for i := range shapes {
		if shapes[i] != others[i] && !strings.HasPrefix(shapes[i], "/geometry: curves and collections") && len(shapes[i]) < 500 {
			t.Errorf("%s %s: row %d: %s, want %s", filepath.Base(path), name, i, shapes[i], others[i])
		}
	}
}

func TestGeoPackageOfAnOffice(t *testing.T) {
	path := shared(t, "messy/dienbien_mixed.gpkg")
	if got := refusal(t, path, Options{}); !strings.Contains(got, "bang_dan_so, huyen_vn2000, tam_xa_utm48, xa_wgs84") {
		t.Error(got)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, crs := range map[string]string{"bang_dan_so": "", "huyen_vn2000": "EPSG:9205", "tam_xa_utm48": "EPSG:3405", "xa_wgs84": "EPSG:4326"} {
		if got := opened(t, path, Options{Table: name}).CRS(); got != crs {
			t.Errorf("%s: %q", name, got)
		}
	}
	table := opened(t, path, Options{Table: "huyen_vn2000"})
	rows := rowsOf(t, table)
	if want := []any{int64(1), "094", "094", "Điện Biên Phủ", "thành phố", "Thành phố Điện Biên Phủ", "11", 63.6684, int64(58519), int64(9)}; !slices.Equal(rows[0].Cells, want) {
		t.Errorf("%v, want %v; %q", rows[0].Cells, want, table.Columns())
	}
	packed := written(t, "x.zip", zipped(t, "a.gpkg", string(content)))
	if got := refusal(t, packed, Options{}); !strings.Contains(got, "several tables") {
		t.Error(got)
	}
	if rows := rowsOf(t, opened(t, packed, Options{Table: "xa_wgs84"})); len(rows) != 130 {
		t.Errorf("%d rows of a table in an archive", len(rows))
	}
	one, err := os.ReadFile(shared(t, "conformance/gpkg_cite/features-0.gpkg"))
	if err != nil {
		t.Fatal(err)
	}
	if rows := rowsOf(t, opened(t, written(t, "x.zip", zipped(t, "a.gpkg", string(one))), Options{})); len(rows) != 51 {
		t.Errorf("%d rows", len(rows))
	}
	if got := refusal(t, written(t, "x", content[:5000]), Options{}); !strings.Contains(got, "the GeoPackage cannot be read") {
		t.Error(got)
	}
}

func FuzzGeoPackage(f *testing.F) {
	content, err := os.ReadFile(shared(f, "conformance/gpkg_cite/v12_bad_attributes.gpkg"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	fuzzed(f, "x.gpkg")
}

// withView is a GeoPackage with a view of the statement.
func withView(t *testing.T, statement string) string {
	t.Helper()
	return altered(t, "conformance/gpkg_cite/v12_bad_attributes.gpkg", "CREATE VIEW hostile AS "+statement,
		"INSERT INTO gpkg_contents (table_name, data_type, identifier, last_change) VALUES ('hostile', 'attributes', 'hostile', '2020-10-15T00:00:00.000Z')")
}

// altered is a GeoPackage of the shared data after statements.
func altered(t *testing.T, name string, statements ...string) string {
	t.Helper()
	content, err := os.ReadFile(shared(t, name))
	if err != nil {
		t.Fatal(err)
	}
	path := written(t, "x.gpkg", content)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// What SQLite takes for a value of a column and no field can hold is named, and so is a
// geometry that says another system than its table; one that says none is taken.
// A GeoPackage that lacks the log that a program kept beside it is read with a word on that.
func TestGeoPackageCopiedWhileInUse(t *testing.T) {
	raw, err := os.ReadFile(shared(t, "messy/dienbien_mixed.gpkg"))
	if err != nil {
		t.Fatal(err)
	}
	for version, want := range map[byte]string{1: "", 2: "wal"} {
		raw[18], raw[19] = version, version
		table := opened(t, written(t, "x.gpkg", raw), Options{Table: tablesOf(t, shared(t, "messy/dienbien_mixed.gpkg"))[0]})
		if got := guessed(table, "journal"); got != want {
			t.Errorf("of version %d is told %q", version, got)
		}
	}
}

func TestGeoPackageThatContradictsItself(t *testing.T) {
	path := altered(t, "messy/dienbien_mixed.gpkg",
		"UPDATE bang_dan_so SET area_km2 = 9e999 WHERE fid = 2", "UPDATE bang_dan_so SET area_km2 = -9e999 WHERE fid = 3",
		// The srs_id of the header: EPSG:9205 in little-endian, and undefined.
		"CREATE TABLE moved AS SELECT fid, cast(substr(geometry, 1, 4) || x'f5230000' || substr(geometry, 9) AS BLOB) AS g FROM tam_xa_utm48 WHERE fid = 2",
		"CREATE TABLE silent AS SELECT fid, cast(substr(geometry, 1, 4) || x'ffffffff' || substr(geometry, 9) AS BLOB) AS g FROM tam_xa_utm48 WHERE fid = 3",
		"CREATE TABLE points (fid INTEGER PRIMARY KEY, geom POINT)", "INSERT INTO points SELECT fid, geometry FROM tam_xa_utm48 WHERE fid = 1",
		"INSERT INTO points SELECT * FROM moved", "INSERT INTO points SELECT * FROM silent",
		"INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES ('points', 'features', 'points', 3405)",
		"INSERT INTO gpkg_geometry_columns VALUES ('points', 'geom', 'POINT', 3405, 0, 0)")
	rows := rowsOf(t, opened(t, path, Options{Table: "bang_dan_so"}))
	noFaults(t, append(slices.Clone(rows[:1]), rows[3:]...))
	for i, said := range map[int]string{1: "+Inf", 2: "-Inf"} {
		if f := rows[i].Faults; len(f) != 1 || f[0].At != "/properties/area_km2" || !strings.Contains(f[0].Detail.EN, said) {
			t.Errorf("row %d: %v", i+1, f)
		}
	}
	rows = rowsOf(t, opened(t, path, Options{Table: "points"}))
	if len(rows) != 3 || rows[0].Geometry == nil || rows[1].Geometry != nil || rows[2].Geometry == nil {
		t.Fatalf("%v", shapesOf(t, rows))
	}
	noFaults(t, []Row{rows[0], rows[2]})
	if f := rows[1].Faults; len(f) != 1 || f[0].At != "/geometry" || !strings.Contains(f[0].Detail.EN, "9205") || !strings.Contains(f[0].Detail.EN, "3405") {
		t.Errorf("%v", f)
	}
}

// A view may be made to run for ever: whoever reads it does so for as long as he likes.
func TestViewThatNeverEndsEndsWithItsContext(t *testing.T) {
	path := withView(t, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) AS n FROM c")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := Open(ctx, path, Options{Table: "hostile"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// A view of many values, each as long as a row may be.
func TestViewOfManyLongValuesIsRefused(t *testing.T) {
	var columns []string
	for i := range 900 {
		columns = append(columns, fmt.Sprintf("hex(zeroblob(3000000)) AS c%d", i))
	}
	path := withView(t, "SELECT "+strings.Join(columns, ", "))
	_, base := readingAlone(t, shared(t, "conformance/gpkg_cite/features-0.gpkg"), "")
	said, most := readingAlone(t, path, "hostile")
	if !strings.Contains(said, "longer than") || most-base > 64<<20 {
		t.Errorf("%d MB: %s", (most-base)>>20, said)
	}
}
