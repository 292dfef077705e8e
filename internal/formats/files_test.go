package formats

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gogama/flatgeobuf/flatgeobuf"
	"github.com/gogama/flatgeobuf/flatgeobuf/flat"
	"github.com/gogama/flatgeobuf/packedrtree"
	"github.com/paulmach/orb"

	"hatang/internal/layer"
)

var (
	le = binary.LittleEndian
	be = binary.BigEndian
)

// many are sites on a lattice, in no order that an index would have.
func many(t testing.TB, n int) []*layer.Row {
	t.Helper()
	l := layerOf(t, "bts_sites")
	rows := make([]*layer.Row, n)
	for i := range rows {
		at := i * 7919 % n
		rows[i] = rowOf(t, l, int64(i+1), marshal(t, orb.Point{103 + float64(at%20)/100, 21 + float64(at/20)/100}, le), nil)
	}
	return rows
}

// openPackage opens a GeoPackage for its tables.
func openPackage(t *testing.T, s Sheet, rows ...*layer.Row) *sql.DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.gpkg")
	if err := os.WriteFile(path, writtenAs(t, lookup(t, "gpkg"), s, rows...), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // it was read only
	return db
}

func value(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	var v sql.NullString
	if err := db.QueryRow(query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v.String
}

func TestGeoPackage(t *testing.T) {
	for name, rows := range sheets(t) {
		for _, code := range []int{4326, 9205, 3405, 3857} {
			s := Sheet{Layer: layerOf(t, name), WithZ: true, CRS: crsOf(t, code), Language: "vi"}
			db := openPackage(t, s, rows...)
			hasZ := map[bool]string{true: "1", false: "0"}[s.Layer.HasZ]
			for query, want := range map[string]string{
				"PRAGMA application_id":                                                     fmt.Sprint(0x47504b47),
				"PRAGMA user_version":                                                       "10300",
				"PRAGMA integrity_check":                                                    "ok",
				"SELECT count(*) FROM pragma_foreign_key_check()":                           "0",
				"SELECT rtreecheck('rtree_" + name + "_geom')":                              "ok",
				"SELECT table_name || data_type || identifier || srs_id FROM gpkg_contents": name + "features" + s.Layer.Title.VI + fmt.Sprint(code),
				"SELECT table_name || column_name || geometry_type_name || srs_id || z || m FROM gpkg_geometry_columns":            name + "geom" + strings.ToUpper(string(s.Layer.Geometry)) + fmt.Sprint(code) + hasZ + "0",
				"SELECT group_concat(srs_id, ' ') FROM (SELECT srs_id FROM gpkg_spatial_ref_sys WHERE srs_id < 1 ORDER BY srs_id)": "-1 0",
				"SELECT count(*) FROM gpkg_spatial_ref_sys WHERE srs_id IN (4326, " + fmt.Sprint(code) + ")":                       map[bool]string{true: "1", false: "2"}[code == 4326],
				"SELECT definition FROM gpkg_spatial_ref_sys WHERE srs_id = " + fmt.Sprint(code):                                   s.CRS.WKT(),
				"SELECT count(*) FROM " + name:                            fmt.Sprint(len(rows)),
				"SELECT count(*) FROM rtree_" + name + "_geom":            value(t, db, "SELECT count(geom) FROM "+name),
				"SELECT count(*) FROM sqlite_master WHERE type='trigger'": "6",
				"SELECT count(*) FROM gpkg_data_columns":                  fmt.Sprint(len(s.Layer.Fields)),
				"SELECT last_change || '' FROM gpkg_contents":             map[bool]string{true: "2026-01-02T03:04:05.678Z", false: "1970-01-01T00:00:00.000Z"}[len(rows) > 0],
			} {
				if got := value(t, db, query); got != want {
					t.Errorf("%s in EPSG:%d: %s is %q, want %q", name, code, query, got, want)
				}
			}
		}
	}
}

func TestValuesInGeoPackage(t *testing.T) {
	db := openPackage(t, Sheet{Layer: layerOf(t, "bts_sites")}, sheets(t)["bts_sites"]...)
	for query, want := range map[string]string{
		"SELECT name FROM bts_sites WHERE id = 3": "Mường Ảng \"<&>\"\n",
		"SELECT technologies || concealed || height_m || valid_from || updated_at || quote(source) || quote(phase) FROM bts_sites WHERE id = 3": `["2G","3G"]145.252016-01-022026-01-02T03:04:05.678Z''NULL`,
		"SELECT group_concat(typeof(height_m) || typeof(concealed) || typeof(revision) || typeof(code)) FROM bts_sites WHERE id = 3":            "realintegerintegertext",
		"SELECT hex(geom) FROM bts_sites WHERE id = 3":                                                                    "47500001E6100000" + "0101000000" + "931804560EC15940" + "1973D712F2613540", // of a point no bounds
		"SELECT group_concat(value, ' ') FROM gpkg_data_column_constraints WHERE constraint_name = 'bts_sites_mast_type'": "A1a A1b A2a A2b",
	} {
		if got := value(t, db, query); got != want {
			t.Errorf("%s is %q, want %q", query, got, want)
		}
	}
	// An editor's own functions keep the index: without them the trigger says so.
	if _, err := db.Exec("UPDATE bts_sites SET geom = geom WHERE id = 3"); err == nil || !strings.Contains(err.Error(), "ST_") {
		t.Errorf("the triggers of the index are not called: %v", err)
	}
}

// readFlat reads a whole FlatGeobuf file.
func readFlat(t *testing.T, raw []byte) (*flat.Header, *packedrtree.PackedRTree, []flat.Feature) {
	t.Helper()
	r := flatgeobuf.NewFileReader(bytes.NewReader(raw))
	header, err := r.Header()
	if err != nil {
		t.Fatal(err)
	}
	var index *packedrtree.PackedRTree
	if header.IndexNodeSize() > 0 {
		if index, err = r.Index(); err != nil {
			t.Fatal(err)
		}
	}
	features, err := r.DataRem()
	if err != nil {
		t.Fatal(err)
	}
	return header, index, features
}

func TestFlatGeobuf(t *testing.T) {
	for name, rows := range sheets(t) {
		s := Sheet{Layer: layerOf(t, name), WithZ: true, CRS: crsOf(t, 9205)}
		header, index, features := readFlat(t, writtenAs(t, lookup(t, "fgb"), s, rows...))
		var crs flat.Crs
		if header.Crs(&crs) == nil || crs.Code() != 9205 || string(crs.Org()) != "EPSG" || string(crs.Wkt()) != s.CRS.WKT() {
			t.Errorf("%s: CRS %s:%d", name, crs.Org(), crs.Code())
		}
		if string(header.Name()) != name || header.HasZ() != s.Layer.HasZ || header.GeometryType() != geometryTypes[s.Layer.Geometry] ||
			header.FeaturesCount() != uint64(len(rows)) || len(features) != len(rows) || header.ColumnsLength() != len(s.Layer.Fields)+1 {
			t.Errorf("%s: header %s, heights %t, %s, %d features in %d, %d columns", name, header.Name(), header.HasZ(), header.GeometryType(), len(features), header.FeaturesCount(), header.ColumnsLength())
		}
		placed := len(rows) > 0 && name != "communes" // one of which has no geometry
		if (index != nil) != placed || header.EnvelopeLength() != map[bool]int{true: 4, false: 0}[len(rows) > 0] {
			t.Errorf("%s: index %t, envelope of %d", name, index != nil, header.EnvelopeLength())
		}
	}
	_, _, features := readFlat(t, writtenAs(t, lookup(t, "fgb"), Sheet{Layer: layerOf(t, "ducts"), WithZ: true}, sheets(t)["ducts"]...))
	var g flat.Geometry
	if features[0].Geometry(&g) == nil || g.EndsLength() != 2 || g.Ends(0) != 2 || g.Ends(1) != 4 || g.XyLength() != 8 || g.ZLength() != 4 || g.Z(1) != -2 || g.Xy(5) != 22 {
		t.Errorf("lines: %d ends, %d ordinates, %d heights", g.EndsLength(), g.XyLength(), g.ZLength())
	}
}

func TestValuesInFlatGeobuf(t *testing.T) {
	l := layerOf(t, "bts_sites")
	header, _, features := readFlat(t, writtenAs(t, lookup(t, "fgb"), Sheet{Layer: l}, sheets(t)["bts_sites"][0]))
	got := map[string]string{}
	raw := bytes.NewReader(features[0].PropertiesBytes())
	for r := flatgeobuf.NewPropReader(raw); raw.Len() > 0; {
		var column flat.Column
		i, err := r.ReadUShort()
		if err != nil || !header.Columns(&column, int(i)) {
			t.Fatalf("column %d: %v", i, err)
		}
		var value any
		switch column.Type() {
		case flat.ColumnTypeLong:
			value, err = r.ReadLong()
		case flat.ColumnTypeDouble:
			value, err = r.ReadDouble()
		case flat.ColumnTypeBool:
			value, err = r.ReadBool()
		default:
			value, err = r.ReadString()
		}
		if err != nil {
			t.Fatalf("%s: %v", column.Name(), err)
		}
		got[string(column.Name())] = fmt.Sprint(value)
	}
	for name, want := range map[string]string{"id": "3", "code": "A,1", "name": "Mường Ảng \"<&>\"\n", "concealed": "true", "height_m": "45.25", "revision": "1",
		"technologies": `["2G","3G"]`, "valid_from": "2016-01-02", "updated_at": "2026-01-02T03:04:05.678Z", "source": ""} {
		if value, ok := got[name]; !ok || value != want {
			t.Errorf("%s is %q, want %q", name, value, want)
		}
	}
	if _, ok := got["phase"]; ok {
		t.Error("a null has a value")
	}
}

// The index finds what a look at every feature finds, where it says.
func TestIndexOfFlatGeobuf(t *testing.T) {
	rows := many(t, 333)
	_, index, features := readFlat(t, writtenAs(t, lookup(t, "fgb"), Sheet{Layer: layerOf(t, "bts_sites")}, rows...))
	offsets, at := map[int64]int{}, int64(0)
	for i := range features {
		offsets[at] = i
		at += int64(len(features[i].Table().Bytes))
	}
	ids := map[uint64]bool{}
	for i := range features {
		ids[le.Uint64(features[i].PropertiesBytes()[2:])] = true
	}
	if len(ids) != len(rows) {
		t.Errorf("%d different features of %d", len(ids), len(rows))
	}
	window := packedrtree.Box{XMin: 103.045, YMin: 21.045, XMax: 103.105, YMax: 21.085}
	found := map[int]bool{}
	for _, r := range index.Search(window) {
		i, ok := offsets[r.Offset]
		if !ok {
			t.Fatalf("the index leads to byte %d, where no feature begins", r.Offset)
		}
		found[i] = true
	}
	inside := 0
	for i := range features {
		var g flat.Geometry
		features[i].Geometry(&g)
		in := g.Xy(0) >= window.XMin && g.Xy(0) <= window.XMax && g.Xy(1) >= window.YMin && g.Xy(1) <= window.YMax
		if in != found[i] {
			t.Errorf("feature %d at %v, %v: inside %t, found %t", i, g.Xy(0), g.Xy(1), in, found[i])
		}
		if in {
			inside++
		}
	}
	if inside != 24 {
		t.Errorf("%d features are in the window", inside)
	}
}

func TestSequences(t *testing.T) {
	l := layerOf(t, "bts_sites")
	rows := sheets(t)["bts_sites"]
	for name, before := range map[string]string{"geojsonseq": "\x1e", "ndjson": ""} {
		raw := string(writtenAs(t, lookup(t, name), Sheet{Layer: l}, rows...))
		records := strings.SplitAfter(raw, "\n")
		if len(records) != len(rows)+1 || records[len(rows)] != "" {
			t.Fatalf("%s: %d lines", name, len(records))
		}
		for i, record := range records[:len(rows)] {
			feature, err := AppendFeature([]byte(before), l, rows[i], GeoJSONOptions{})
			if err != nil || record != string(feature)+"\n" {
				t.Errorf("%s: %q, want %q, %v", name, record, feature, err)
			}
		}
	}
	var whole struct{ Features []json.RawMessage }
	if err := json.Unmarshal(writtenAs(t, lookup(t, "geojson"), Sheet{Layer: l}, rows...), &whole); err != nil || len(whole.Features) != len(rows) {
		t.Errorf("%d features, %v", len(whole.Features), err)
	}
}
