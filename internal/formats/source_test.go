package formats

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkt"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/testdb"
)

func surveyOf(t testing.TB, features ...string) Survey {
	t.Helper()
	s, err := SurveyGeoJSON(strings.NewReader(`{"type":"FeatureCollection","name":"Trường","features":[`+strings.Join(features, ",")+`]}`), "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// withProperties is a feature at a point, with an id of its own where that is not "".
func withProperties(id, properties string) string {
	if id != "" {
		id = `"id":` + id + `,`
	}
	return `{"type":"Feature",` + id + `"properties":` + properties + `,"geometry":{"type":"Point","coordinates":[103,21]}}`
}

func TestColumnsOfGeoJSONAreTheNarrowestKind(t *testing.T) {
	for values, want := range map[string]layer.Kind{
		`1;2;null`: layer.Integer, `1;2.5`: layer.Number, `1.0;2`: layer.Number, `1e3`: layer.Number, `9223372036854775807`: layer.Integer, `9223372036854775808`: layer.Number,
		`true;false`: layer.Boolean, `true;1`: layer.Text, `"a";1`: layer.Text, `null;null`: layer.Text, `{"a":1}`: layer.Text, `[1]`: layer.Text, `["a",1]`: layer.Text,
		`"2020-02-29";"2021-01-01"`: layer.Date, `"2021-02-29"`: layer.Text, `"2020-01-01";"x"`: layer.Text, `"2020-01-01T00:00:00Z";"2020-01-01T07:30:00.5+07:00"`: layer.Timestamp,
		`"2020-01-01T00:00:00Z";"2020-01-01"`: layer.Text, `"2020-01-01 00:00:00"`: layer.Text, `["a"];[]`: layer.TextList, `["a"];"a"`: layer.Text, `"1"`: layer.Text, `""`: layer.Text, `"0123"`: layer.Text,
	} {
		var features []string
		for _, v := range strings.Split(values, ";") {
			features = append(features, withProperties("", `{"x":`+v+`}`))
		}
		s := surveyOf(t, append(features, withProperties("", `{}`))...)
		if len(s.Columns) != 1 || s.Columns[0].Kind != want {
			t.Errorf("%s: %+v, want %s", values, s.Columns, want)
		}
	}
}

func TestTheTypeOfGeoJSONGeometriesHoldsAll(t *testing.T) {
	for types, want := range map[string]layer.GeometryType{
		"Point": layer.Point, "Point,MultiPoint": layer.MultiPoint, "LineString": layer.MultiLineString, "MultiPolygon,Polygon": layer.MultiPolygon,
		"Point,LineString": layer.AnyGeometry, "": layer.AnyGeometry, "GeometryCollection": layer.AnyGeometry,
	} {
		var features []string
		for _, kind := range append(strings.Split(types, ","), "") {
			geometry := `{"type":"` + kind + `","coordinates":[[[1,2,3]]]}`
			if kind == "" {
				geometry = "null"
			}
			features = append(features, `{"type":"Feature","properties":null,"geometry":`+geometry+`}`)
		}
		if s := surveyOf(t, features...); s.Geometry != want || s.Heights != (types != "") {
			t.Errorf("%s: %s with heights %v, want %s", types, s.Geometry, s.Heights, want)
		}
	}
}

func TestDefinitionsOfFiles(t *testing.T) {
	row := func(id string, code, more string) string {
		return withProperties(id, `{"Code":`+code+`,"NAME":"x","Tên xã":1,"ten_xa":2,"id":5,"valid_from":"2020-01-01","revision":3,"aliases":"x","accuracy_m":"x","source":1,"geom":true,"漢":1,"字":1`+more+`}`)
	}
	fields := func(d layer.Definition) string {
		var all []string
		for _, f := range d.Fields {
			all = append(all, f.Name+"="+f.Column+":"+string(f.Kind))
		}
		return strings.Join(all, " ")
	}
	const others = "ten_xa=Tên xã:integer file_ten_xa=ten_xa:integer file_id=id:integer file_revision=revision:integer file_aliases=aliases:text file_accuracy_m=accuracy_m:text file_source=source:integer file_geom=geom:boolean field=漢:integer file_field=字:integer"
	for _, tt := range []struct {
		what     string
		features []string
		wishes   Wishes
		codeOf   string
		common   map[string]string
		fields   string
		fault    bool
	}{
		{"a code that is a key", []string{row("", "1", ""), row("", `"2"`, "")}, Wishes{}, layer.CodeOfColumn, map[string]string{"code": "Code", "name": "NAME", "valid_from": "valid_from"}, others, false},
		{"a code twice, ids", []string{row("1", "1", ""), row(`"b"`, "1", "")}, Wishes{}, layer.CodeOfID, map[string]string{"name": "NAME", "valid_from": "valid_from"}, "file_code=Code:integer " + others, false},
		{"neither", []string{row("1", "1", ""), row("1", "null", "")}, Wishes{}, layer.CodeOfRow, map[string]string{"name": "NAME", "valid_from": "valid_from"}, "file_code=Code:integer " + others, false},
		{"a column that is named", []string{row("1", "1", `,"k":"a"`), row("2", "2", `,"k":"b"`)}, Wishes{Code: "k"}, layer.CodeOfColumn, map[string]string{"code": "k", "name": "NAME", "valid_from": "valid_from"}, "file_code=Code:integer " + others, false},
		{"one that is no key", []string{row("1", "1", ""), row("2", "2", "")}, Wishes{Code: "NAME"}, layer.CodeOfID, map[string]string{"name": "NAME", "valid_from": "valid_from"}, "file_code=Code:integer " + others, true},
	} {
		s, err := SurveyGeoJSON(strings.NewReader(`{"type":"FeatureCollection","features":[`+strings.Join(tt.features, ",")+`]}`), tt.wishes.Code)
		if err != nil {
			t.Fatal(err)
		}
		tt.wishes.Name = "x"
		d, faults := s.Define(tt.wishes)
		if d.CodeOf != tt.codeOf || (len(faults) > 0) != tt.fault {
			t.Errorf("%s: codes of %s, faults %v", tt.what, d.CodeOf, faults)
		}
		if diff := cmp.Diff(tt.common, d.Common); diff != "" {
			t.Errorf("%s: common fields: %s", tt.what, diff)
		}
		if got := fields(d); got != tt.fields {
			t.Errorf("%s: fields\n%s, want\n%s", tt.what, got, tt.fields)
		}
		if faults := d.Faults(); len(faults) > 0 {
			t.Errorf("%s: the definition is none: %v", tt.what, faults.Err())
		}
	}
}

// layerFrom is the layer that a file's survey makes.
func layerFrom(t testing.TB, s Survey, w Wishes) *layer.Layer {
	t.Helper()
	w.Name = "x"
	d, faults := s.Define(w)
	if err := append(faults, d.Faults()...).Err(); err != nil {
		t.Fatal(err)
	}
	l := layer.Reference{Definition: d}.Layer()
	return &l
}

func open(t testing.TB, path, table string) Source {
	t.Helper()
	s, err := Open(t.Context(), path, table, nil)
	if err != nil {
		t.Fatalf("%s %s: %v", filepath.Base(path), table, err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// records reads a file as the layer's, in the reference system given whatever it says.
func records(t testing.TB, s Source, l *layer.Layer, as System) []Record {
	t.Helper()
	var all []Record
	err := s.Read(t.Context(), l, func(string) (System, error) { return as, nil }, func(r Record) error {
		all = append(all, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// text is a record as text: what is in it, and where it is.
func text(r Record) string {
	var all []string
	for name, value := range r.Feature.Properties {
		if at, ok := value.(time.Time); ok {
			value = at.UTC()
		}
		all = append(all, fmt.Sprintf("%s=%v", name, value))
	}
	slices.Sort(all)
	if r.Feature.Geometry != nil {
		all = append(all, wkt.MarshalString(r.Feature.Geometry))
	}
	return strings.Join(all, "|") + fmt.Sprint(r.Faults)
}

// cutFractions cuts off what GDAL does: fractions in columns declared for whole numbers.
func cutFractions(ours, gdals map[string]any) {
	for name, v := range ours {
		x, ok := v.(float64)
		theirs, both := gdals[name].(float64)
		if ok && both && math.Trunc(x) == theirs {
			ours[name] = theirs
		}
	}
}

func TestGeoPackagesAreReadAsGDALReadsThem(t *testing.T) {
	data := testdb.TestData(t)
	tables := map[string][]string{
		"conformance/gpkg_cite/features-0.gpkg":            {"0"},
		"conformance/gpkg_cite/gdal_sample.gpkg":           {"point2d", "linestring2d", "polygon2d", "multipoint2d", "multilinestring2d", "multipolygon2d", "point3d", "linestring3d", "polygon3d", "multipoint3d", "multilinestring3d", "multipolygon3d", "geometry2d", "geometry3d"},
		"conformance/gpkg_cite/gdal_sample_view.gpkg":      {"sample_view", "sample_attributes"},
		"conformance/gpkg_cite/null_geometry.gpkg":         {"PointExamples", "new_geopackage"},
		"conformance/gpkg_cite/simple_sewer_features.gpkg": {"foul_sewer", "s_manhole", "surface_water_sewer"},
		"messy/dienbien_mixed.gpkg":                        {"bang_dan_so", "huyen_vn2000", "tam_xa_utm48", "xa_wgs84"},
		"boundaries/dienbien_communes_2025_full.gpkg":      {"dienbien_communes_2025"},
	}
	compared := 0
	for file, names := range tables {
		for _, table := range names {
			path := filepath.Join(data, file)
			ours := open(t, path, table)
			s, err := ours.Survey(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			l := layerFrom(t, s, Wishes{})
			// Whatever the system is, a grid on earth: what counts is that both read the same, of
			// which GDAL writes fifteen digits.
			nano := func(x float64) float64 { return math.Round(x*1e9) / 1e9 }
			grid := System{SRID: 1, ToWGS84: func(x, y float64) (float64, float64, error) {
				return nano(math.Mod(x, 180)), nano(math.Mod(y, 90)), nil
			}}
			converted := filepath.Join(t.TempDir(), "gdal.geojson")
			if out, err := exec.Command("ogr2ogr", "-f", "GeoJSON", "-preserve_fid", "-lco", "COORDINATE_PRECISION=15", "-lco", "WRITE_NAME=NO", converted, path, table).CombinedOutput(); err != nil {
				t.Fatalf("ogr2ogr: %v\n%s", err, out)
			}
			got, want := records(t, ours, l, grid), records(t, open(t, converted, ""), l, grid)
			if len(got) != len(want) || len(got) != s.Features {
				t.Fatalf("%s %s: %d records, GDAL has %d", file, table, len(got), len(want))
			}
			for i := range got {
				cutFractions(got[i].Feature.Properties, want[i].Feature.Properties)
				if d := cmp.Diff(text(want[i]), text(got[i])); d != "" && !strings.Contains(text(got[i]), "not taken") {
					t.Errorf("%s %s, row %d: %s", file, table, i+1, d)
				}
				compared++
			}
		}
	}
	t.Logf("%d features", compared)
}

func TestGeoPackagesThatSayTooLittle(t *testing.T) {
	data := testdb.TestData(t)
	mixed := filepath.Join(data, "messy", "dienbien_mixed.gpkg")
	var which *WhichTableError
	if _, err := Open(t.Context(), mixed, "", nil); !errors.As(err, &which) || !slices.Contains(which.Tables, "huyen_vn2000") {
		t.Errorf("several tables: %v", err)
	}
	if _, err := Open(t.Context(), mixed, "none", nil); !errors.As(err, &which) {
		t.Errorf("a table there is not: %v", err)
	}
	s := open(t, mixed, "HUYEN_VN2000")
	if survey, err := s.Survey(t.Context(), ""); err != nil || survey.CRS != "EPSG:9205" || survey.Features != 10 || survey.GeometryColumn != "geom" {
		t.Errorf("%+v, %v", survey, err)
	}
	if _, err := Open(t.Context(), filepath.Join(data, "conformance", "gpkg_cite", "empty.gpkg"), "", nil); !errors.Is(err, ErrEmpty) {
		t.Errorf("an empty one: %v", err)
	}
	if survey, err := open(t, filepath.Join(data, "conformance", "gpkg_cite", "gdal_sample.gpkg"), "point3d").Survey(t.Context(), ""); err != nil || survey.CRS != UndefinedCRS || !survey.Heights {
		t.Errorf("one without a reference system: %+v, %v", survey, err)
	}
}

// What is kept in the file's own system stays as it is.
func TestPositionsAreKeptInTheSystemOfTheLayer(t *testing.T) {
	s := open(t, filepath.Join(testdb.TestData(t), "messy", "dienbien_mixed.gpkg"), "tam_xa_utm48")
	survey, err := s.Survey(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	utm, _ := geo.LookupCRS(3405)
	as := System{SRID: 3405, ToWGS84: func(x, y float64) (float64, float64, error) {
		p, err := utm.Inverse(orb.Point{x, y})
		return p[0], p[1], err
	}}
	kept, taken := records(t, s, layerFrom(t, survey, Wishes{StorageSRID: 3405}), as), records(t, s, layerFrom(t, survey, Wishes{}), as)
	for i := range kept {
		file, lonLat := kept[i].Feature.Geometry.(orb.Point), taken[i].Feature.Geometry.(orb.Point)
		if want, err := utm.Inverse(file); kept[i].Feature.SRID != 3405 || taken[i].Feature.SRID != 0 || err != nil || want != lonLat || file[0] < 180 {
			t.Fatalf("row %d: kept at %v, taken to %v", i+1, file, lonLat)
		}
	}
}

// madeGeoPackage writes a GeoPackage of one table by statements.
func madeGeoPackage(t testing.TB, statements ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "made.gpkg")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range append([]string{
		"CREATE TABLE gpkg_contents (table_name TEXT, data_type TEXT, identifier TEXT)", "INSERT INTO gpkg_contents VALUES ('t', 'features', 'T')",
		"CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, geometry_type_name TEXT, srs_id INTEGER)", "INSERT INTO gpkg_geometry_columns VALUES ('t', 'g', 'GEOMETRY', 4326)",
		"CREATE TABLE gpkg_spatial_ref_sys (srs_id INTEGER, organization TEXT, organization_coordsys_id INTEGER)", "INSERT INTO gpkg_spatial_ref_sys VALUES (4326, 'epsg', 4326)",
	}, statements...) {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	return path
}

func TestValuesOfAGeoPackage(t *testing.T) {
	path := madeGeoPackage(t, "CREATE TABLE t (fid INTEGER PRIMARY KEY, g BLOB, a TEXT(10), b BOOLEAN, i MEDIUMINT, n DOUBLE, d DATE, at DATETIME, x BLOB, u)",
		`INSERT INTO t VALUES (7, NULL, ' Xã ', 1, 3, 2.5, '2020-02-29', '2020-02-29T01:02:03.5Z', x'00', 1), (9, NULL, NULL, NULL, NULL, NULL, '', NULL, NULL, NULL),
			(11, NULL, 5, 0, 4.0, 7, NULL, '2020-02-29 01:02:03', NULL, 2), (12, 'x', x'41', 2, 'x', 'x', '2021-02-29', 'x', NULL, 3),
			(13, NULL, NULL, NULL, NULL, 9e999, NULL, NULL, NULL, NULL)`)
	s := open(t, path, "")
	survey, err := s.Survey(t.Context(), "")
	if err != nil || cmp.Diff(survey.NotTaken, []string{"x"}) != "" || !survey.IDs {
		t.Fatalf("%+v, %v", survey, err)
	}
	got := records(t, s, layerFrom(t, survey, Wishes{}), System{})
	for i, want := range []string{
		"a=Xã|at=2020-02-29 01:02:03.5 +0000 UTC|b=true|code=7|d=2020-02-29|i=3|n=2.5|u=1[]",
		"a=<nil>|at=<nil>|b=<nil>|code=9|d=<nil>|i=<nil>|n=<nil>|u=<nil>[]",
		"a=5|at=2020-02-29 01:02:03 +0000 UTC|b=false|code=11|d=<nil>|i=4|n=7|u=2[]",
	} {
		if text(got[i]) != want {
			t.Errorf("row %d: %s, want %s", i+1, text(got[i]), want)
		}
	}
	var at []string
	for _, f := range got[3].Faults {
		at = append(at, f.At)
	}
	if want := []string{"/properties/a", "/properties/b", "/properties/i", "/properties/n", "/properties/d", "/properties/at", "/geometry"}; cmp.Diff(want, at) != "" {
		t.Errorf("faults at %q, want %q", at, want)
	}
	if f := got[4].Faults; len(f) != 1 || f[0].At != "/properties/n" || !strings.Contains(f[0].Detail.EN, "Inf") {
		t.Errorf("infinite: %v", f)
	}
}

// geoPackageGeometry is a blob of a geometry with flags and well-known binary as given.
func geoPackageGeometry(flags byte, rest ...byte) []byte {
	return append([]byte{'G', 'P', 0, flags, 0, 0, 0, 0}, rest...)
}

// wkbOf writes little-endian WKB: a type, and then numbers, the whole ones as counts.
func wkbOf(kind uint32, numbers ...any) []byte {
	b := binary.LittleEndian.AppendUint32([]byte{1}, kind)
	for _, n := range numbers {
		switch n := n.(type) {
		case int:
			b = binary.LittleEndian.AppendUint32(b, uint32(n))
		case float64:
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(n))
		case []byte:
			b = append(b, n...)
		}
	}
	return b
}

func TestGeometriesOfAGeoPackage(t *testing.T) {
	point := wkbOf(1, 103.0, 21.0)
	l := layer.Reference{Definition: layer.Definition{Name: "x", Geometry: layer.AnyGeometry, StorageSRID: 4326}}.Layer()
	nan := math.NaN()
	for name, tt := range map[string]struct {
		blob []byte
		want string
	}{
		"a point":                    {geoPackageGeometry(1, point...), "POINT(103 21)"},
		"with an envelope":           {geoPackageGeometry(3, append(make([]byte, 32), point...)...), "POINT(103 21)"},
		"with heights and measures":  {geoPackageGeometry(9, append(make([]byte, 64), wkbOf(3001, 103.0, 21.0, 7.0, 8.0)...)...), "POINT(103 21)"},
		"measures":                   {geoPackageGeometry(1, wkbOf(2002, 2, 103.0, 21.0, 7.0, 104.0, 22.0, 8.0)...), "LINESTRING(103 21,104 22)"},
		"PostGIS's flags":            {geoPackageGeometry(1, wkbOf(0xa0000001, 4326, 103.0, 21.0, 7.0)...), "POINT(103 21)"},
		"marked as empty":            {geoPackageGeometry(0x11, wkbOf(1, nan, nan)...), ""},
		"empty":                      {geoPackageGeometry(1, wkbOf(1, nan, nan)...), ""},
		"an empty polygon":           {geoPackageGeometry(1, wkbOf(3, 0)...), ""},
		"points":                     {geoPackageGeometry(1, wkbOf(4, 2, point, point)...), "MULTIPOINT((103 21),(103 21))"},
		"an empty point among some":  {geoPackageGeometry(1, wkbOf(4, 2, point, wkbOf(1, nan, nan))...), "!/geometry"},
		"a vertex that is none":      {geoPackageGeometry(1, wkbOf(2, 2, nan, nan, 103.0, 21.0)...), "!/geometry"},
		"a line of one place":        {geoPackageGeometry(1, wkbOf(2, 1, 103.0, 21.0)...), "!/geometry/coordinates"},
		"an open ring":               {geoPackageGeometry(1, wkbOf(3, 1, 4, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0)...), "!/geometry/coordinates"},
		"beyond the earth":           {geoPackageGeometry(1, wkbOf(1, 300000.0, 21.0)...), "!/geometry"},
		"infinite":                   {geoPackageGeometry(1, wkbOf(1, math.Inf(1), 21.0)...), "!/geometry"},
		"of another system":          {append([]byte{'G', 'P', 0, 1, 0xf5, 0x23, 0, 0}, point...), "!/geometry"},
		"of another, big-endian":     {append([]byte{'G', 'P', 0, 0, 0, 0, 0x23, 0xf5}, point...), "!/geometry"},
		"of the table's system":      {append([]byte{'G', 'P', 0, 0, 0, 0, 0x10, 0xe6}, point...), "POINT(103 21)"},
		"of an undefined system":     {append([]byte{'G', 'P', 0, 1, 0xff, 0xff, 0xff, 0xff}, point...), "POINT(103 21)"},
		"extended":                   {geoPackageGeometry(0x21, point...), "!/geometry"},
		"an envelope there is not":   {geoPackageGeometry(11, point...), "!/geometry"},
		"an envelope cut off":        {geoPackageGeometry(3, point...), "!/geometry"},
		"a collection":               {geoPackageGeometry(1, wkbOf(7, 1, point)...), "!/geometry"},
		"a curve":                    {geoPackageGeometry(1, wkbOf(8, 3, 0.0, 0.0, 1.0, 1.0, 2.0, 0.0)...), "!/geometry"},
		"a part of another type":     {geoPackageGeometry(1, wkbOf(5, 1, point)...), "!/geometry"},
		"four thousand million":      {geoPackageGeometry(1, wkbOf(2, -1)...), "!/geometry"},
		"something behind it":        {geoPackageGeometry(1, append(slices.Clone(point), 0)...), "!/geometry"},
		"cut off":                    {geoPackageGeometry(1, point[:20]...), "!/geometry"},
		"another version":            {append([]byte{'G', 'P', 1}, geoPackageGeometry(1, point...)[3:]...), "!/geometry"},
		"no header":                  {point, "!/geometry"},
		"nothing":                    {[]byte{}, "!/geometry"},
		"big-endian":                 {geoPackageGeometry(0, append([]byte{0, 0, 0, 0, 1}, binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, math.Float64bits(103)), math.Float64bits(21))...)...), "POINT(103 21)"},
		"a hundred thousand and one": {geoPackageGeometry(1, append(wkbOf(2, MaxVertices+1), bytes.Repeat(wkbOf(0, 1.0, 1.0)[5:], MaxVertices+1)...)...), "!/geometry"},
	} {
		var r Record
		readGeoPackageGeometry(&r, tt.blob, 4326, &l, System{})
		got := ""
		if r.Feature.Geometry != nil {
			got = wkt.MarshalString(r.Feature.Geometry)
		}
		for _, f := range r.Faults {
			got += "!" + f.At
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// A file may be anything: what is no GeoPackage is told to be none, and what would never
// end ends with whoever waits for it.
func TestHostileGeoPackages(t *testing.T) {
	magic := filepath.Join(t.TempDir(), "magic.gpkg")
	if err := os.WriteFile(magic, append([]byte("SQLite format 3\x00"), bytes.Repeat([]byte{0xff}, 5000)...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), magic, "", nil); !errors.Is(err, ErrNotGeoPackage) {
		t.Errorf("noise behind the magic: %v", err)
	}
	whole := filepath.Join(testdb.TestData(t), "conformance", "gpkg_cite", "features-0.gpkg")
	raw, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{100, 4096, len(raw) / 2} {
		cut := filepath.Join(t.TempDir(), "cut.gpkg")
		if err := os.WriteFile(cut, raw[:at], 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), cut, "", nil)
		if err == nil {
			_, err = s.Survey(t.Context(), "")
			err = errors.Join(err, s.Close())
		}
		if !errors.Is(err, ErrNotGeoPackage) {
			t.Errorf("cut at %d: %v", at, err)
		}
	}
	endless := madeGeoPackage(t, "CREATE VIEW t AS WITH RECURSIVE r (fid, g) AS (VALUES (1, NULL) UNION ALL SELECT fid + 1, NULL FROM r) SELECT fid, g FROM r WHERE fid < 0")
	ctx, cancel := context.WithCancel(t.Context())
	s, err := Open(ctx, endless, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	go func() { <-started; cancel() }()
	close(started)
	if _, err := s.Survey(ctx, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("a view without end: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for view, want := range map[string]error{
		"SELECT 1 AS fid, NULL AS g, zeroblob(1000000000) AS x": ErrTooLong,
		"SELECT 1 AS fid, NULL AS g, load_extension('x') AS x":  ErrNotGeoPackage,
	} {
		s, err := Open(t.Context(), madeGeoPackage(t, "CREATE VIEW t AS "+view), "", nil)
		if err == nil {
			_, err = s.Survey(t.Context(), "")
			err = errors.Join(err, s.Close())
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", view, err, want)
		}
	}
	unfinished := madeGeoPackage(t, "CREATE TABLE t (fid INTEGER PRIMARY KEY, g BLOB)")
	if err := os.WriteFile(unfinished+"-wal", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), unfinished, "", nil); err == nil {
		t.Error("a file that is being written elsewhere was read")
	}
	for name, content := range map[string]string{"no JSON": "name,lon\n", "an array": "[1]"} {
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), path, "", nil); !errors.Is(err, ErrUnknownFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The text fields of a reference layer take from a file what is no text, and nowhere else.
func TestFilesMayMixKinds(t *testing.T) {
	features := []string{withProperties("1", `{"x":1.50}`), withProperties("2", `{"x":{"b": [1, null]}}`), withProperties("3", `{"x":"x"}`), withProperties("4", `{"x":null}`), withProperties("5", `{"x":true}`)}
	s := surveyOf(t, features...)
	l := layerFrom(t, s, Wishes{})
	var got []any
	err := ReadGeoJSON(strings.NewReader(`{"type":"FeatureCollection","features":[`+strings.Join(features, ",")+`]}`), l, nil, func(r Record) error {
		if len(r.Faults) > 0 {
			t.Errorf("row %d: %v", r.Row, r.Faults)
		}
		got = append(got, r.Feature.Properties["x"])
		return nil
	})
	if d := cmp.Diff([]any{"1.50", `{"b":[1,null]}`, "x", nil, "true"}, got); d != "" || err != nil {
		t.Errorf("%s %v", d, err)
	}
	if _, faults := ReadFeature([]byte(features[0]), l, ReadOptions{}); len(faults) != 1 {
		t.Errorf("a number for a text in a request: %v", faults)
	}
	if s.Title != "Trường" {
		t.Errorf("the collection is called %q", s.Title)
	}
}

func FuzzGeoPackageGeometry(f *testing.F) {
	f.Add(geoPackageGeometry(1, wkbOf(1, 103.0, 21.0)...))
	f.Add(geoPackageGeometry(1, wkbOf(1003, 1, 4, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0)...))
	f.Add(geoPackageGeometry(1, wkbOf(6, 1, wkbOf(3, 1, 4, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0))...))
	l := layer.Reference{Definition: layer.Definition{Name: "x", Geometry: layer.AnyGeometry, StorageSRID: 4326}}.Layer()
	f.Fuzz(func(t *testing.T, blob []byte) {
		var r Record
		readGeoPackageGeometry(&r, blob, 4326, &l, System{})
		if len(r.Faults) > 0 && r.Feature.Geometry != nil {
			t.Errorf("%x: both %v and faults %v", blob, r.Feature.Geometry, r.Faults)
		}
		if kind, _, err := geoPackageShape(blob, 4326); err != nil && len(r.Faults) == 0 && kind == "" && r.Feature.Geometry != nil {
			t.Errorf("%x: %v, and read as %v", blob, err, r.Feature.Geometry)
		}
	})
}

func FuzzSurveyGeoJSON(f *testing.F) {
	f.Add([]byte(`{"type":"FeatureCollection","features":[` + withProperties("1", `{"code":1,"x":[],"y":{}}`) + `,{"type":"Feature","id":null,"properties":[1],"geometry":{"type":"Point","coordinates":[ ]}}]}`))
	f.Add([]byte(withProperties("1", `{"a\u0000":1," ":2}`)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := SurveyGeoJSON(bytes.NewReader(raw), "")
		if err != nil {
			return
		}
		d, _ := s.Define(Wishes{Name: "x"})
		if faults := d.Faults(); len(faults) > 0 && len(d.Fields) <= layer.MaxReferenceFields && json.Valid(raw) && layer.PlainText(s.Title) && len(s.Title) < 5000 {
			t.Errorf("%s: no definition: %v", raw, faults.Err())
		}
	})
}
