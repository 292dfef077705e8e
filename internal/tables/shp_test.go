package tables

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/wkt"
)

func TestShapefilesOfAnOffice(t *testing.T) {
	table := opened(t, shared(t, "messy/shp_vn2000_utf8/huyen.shp"), Options{})
	rows := rowsOf(t, table)
	noFaults(t, rows)
	if table.CRS() != "EPSG:9205" || guessed(table, "encoding") != "utf-8" || len(rows) != 10 {
		t.Errorf("%s, %v, %d rows", table.CRS(), table.Guesses(), len(rows))
	}
	if want := []string{"ma", "ten", "loai", "ten_day_du", "dt_km2", "dan_so"}; !slices.Equal(table.Columns(), want) {
		t.Errorf("%q, want %q", table.Columns(), want)
	}
	if want := []any{"094", "Điện Biên Phủ", "thành phố", "Thành phố Điện Biên Phủ", 63.6684, int64(58519)}; !slices.Equal(rows[0].Cells, want) {
		t.Errorf("%v, want %v", rows[0].Cells, want)
	}
	within(t, rows, [4]float64{411671.8, 2311093.2, 561765.5, 2494538.7})

	table = opened(t, shared(t, "messy/huyen_utm48.zip"), Options{})
	rows = rowsOf(t, table)
	noFaults(t, rows)
	if table.CRS() != "EPSG:3405" || guessed(table, "table") != "HUYEN/huyen_utm48.shp" || len(rows) != 10 {
		t.Errorf("%s, %v, %d rows", table.CRS(), table.Guesses(), len(rows))
	}
}

// within fails unless all geometries together fill a box, to a metre.
func within(t *testing.T, rows []Row, box [4]float64) {
	t.Helper()
	all := geom.NewBounds(geom.XY)
	for _, r := range rows {
		if r.Geometry != nil {
			all.Extend(r.Geometry)
		}
	}
	for i, want := range box {
		got := append([]float64{all.Min(0), all.Min(1)}, all.Max(0), all.Max(1))[i]
		if math.Abs(got-want) > 1 {
			t.Errorf("bounds %v, want %v", all, box)
		}
	}
}

func TestShapefileInTCVN3(t *testing.T) {
	table := opened(t, shared(t, "messy/shp_vn2000_noprj_tcvn3/xa.shp"), Options{})
	f, err := os.Open(shared(t, "messy/shp_vn2000_noprj_tcvn3/xa.expected.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows := rowsOf(t, table)
	noFaults(t, rows)
	if len(rows) != len(want)-1 || table.CRS() != "" || guessed(table, "encoding") != "tcvn3" {
		t.Fatalf("%d rows, %q, %v", len(rows), table.CRS(), table.Guesses())
	}
	for i, r := range rows {
		for j, column := range []string{"MAXA", "TENXA", "TENHUYEN"} {
			got, want := cell(t, table, r, column).(string), want[i+1][j]
			if got != want && got != strings.Replace(want, "Ảng", "ảng", 1) { // a capital that TCVN3 has not
				t.Errorf("%q, want %q", got, want)
			}
		}
	}
}

// PostGIS's own loader has these files, and what should come of them.
func TestShapefilesOfPostGIS(t *testing.T) {
	folder := shared(t, "conformance/shapefile_postgis")
	for _, name := range []string{"Point", "PointZ", "PointM", "MultiPoint", "MultiPointZ", "Arc", "ArcM", "Polygon", "PolygonZ", "TSTPolygon", "NoTransPoint", "ReprojectPts"} {
		rows := rowsOf(t, opened(t, filepath.Join(folder, name+".shp"), Options{}))
		noFaults(t, rows)
		for i, want := range expected(t, filepath.Join(folder, name+".select.expected")) {
			if name == "ReprojectPts" { // told in another system: there the count must be right
				if i >= len(rows) {
					t.Errorf("%s: %d rows", name, len(rows))
				}
				continue
			}
			got, err := wkt.Marshal(rows[i].Geometry)
			if err != nil {
				t.Fatal(err)
			}
			if want := marshalled(t, want, rows[i].Geometry.Layout()); got != want {
				t.Errorf("%s %d: %s, want %s", name, i, got, want)
			}
		}
	}
}

// expected are the geometries that a file of PostGIS names as text.
func expected(t *testing.T, path string) []geom.T {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []geom.T
	for line := range strings.Lines(string(text)) {
		if g, err := wkt.Unmarshal(ofPostGIS(strings.TrimSpace(line))); err == nil { // others are the same in hexadecimal
			all = append(all, g)
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s names no geometry", path)
	}
	return all
}

// ofPostGIS names the dimensions that PostGIS leaves to the number of ordinates.
func ofPostGIS(line string) string {
	first, _, _ := strings.Cut(line, ",")
	for word, to := range map[int]string{2: " Z", 3: " ZM"} {
		if strings.Count(strings.TrimRight(first, ")"), " ") == word && !strings.Contains(first, "M(") {
			return strings.Replace(line, "(", to+" (", 1)
		}
	}
	return strings.Replace(line, "M(", " M (", 1)
}

// marshalled is a geometry as text, without measures.
func marshalled(t *testing.T, g geom.T, layout geom.Layout) string {
	t.Helper()
	text, err := wkt.Marshal(without(g, layout))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// without keeps the ordinates that a layout has.
func without(g geom.T, layout geom.Layout) geom.T {
	from, to := g.Stride(), layout.Stride()
	var flat []float64
	for p := range slices.Chunk(g.FlatCoords(), from) {
		flat = append(flat, p[:to]...)
	}
	scaled := func(ends []int) []int {
		var out []int
		for _, e := range ends {
			out = append(out, e/from*to)
		}
		return out
	}
	switch g := g.(type) {
	case *geom.Point:
		return geom.NewPointFlat(layout, flat)
	case *geom.MultiPoint:
		return geom.NewMultiPointFlat(layout, flat)
	case *geom.MultiLineString:
		return geom.NewMultiLineStringFlat(layout, flat, scaled(g.Ends()))
	case *geom.MultiPolygon:
		var ends [][]int
		for _, e := range g.Endss() {
			ends = append(ends, scaled(e))
		}
		return geom.NewMultiPolygonFlat(layout, flat, ends)
	}
	return nil
}

func TestOtherShapefiles(t *testing.T) {
	table := opened(t, shared(t, "conformance/shapefile_pyshp/blockgroups.zip"), Options{})
	if rows := rowsOf(t, table); len(rows) != 663 || len(table.Columns()) != 43 {
		t.Errorf("%d rows, %d columns", len(rows), len(table.Columns()))
	}
	table = opened(t, shared(t, "conformance/shapefile_pyshp/corrupt_too_long.shp"), Options{})
	if rows := rowsOf(t, table); len(rows) != 10 || rows[9].Cells[0] != "value" || rows[9].Geometry == nil {
		t.Errorf("%v", rows)
	}
	table = opened(t, shared(t, "conformance/shapefile_pyshp/latin1.shp"), Options{})
	if rows := rowsOf(t, table); len(rows) != 1 || guessed(table, "encoding") != "windows-1252" {
		t.Errorf("%v %v %v", rows, table.Columns(), table.Guesses())
	}
	table = opened(t, shared(t, "conformance/shapefile_postgis/Latin1.dbf"), Options{})
	if rows := rowsOf(t, table); len(rows) != 1 || rows[0].Cells[0] != "Tårneby in Våler I Solør kommune" {
		t.Errorf("%v", rows)
	}
	if got := refusal(t, shared(t, "conformance/shapefile_postgis/Arc.shx"), Options{}); !strings.Contains(got, ".shx") {
		t.Error(got)
	}
}

// polygonRecord is a .shp file with one polygon of the rings.
func polygonRecord(rings ...[]float64) []byte {
	var points []byte
	var starts []byte
	n := 0
	for _, ring := range rings {
		starts = binary.LittleEndian.AppendUint32(starts, uint32(n))
		for _, x := range ring {
			points = binary.LittleEndian.AppendUint64(points, math.Float64bits(x))
		}
		n += len(ring) / 2
	}
	content := binary.LittleEndian.AppendUint32(nil, 5)
	content = append(content, make([]byte, 32)...)
	content = binary.LittleEndian.AppendUint32(content, uint32(len(rings)))
	content = binary.LittleEndian.AppendUint32(content, uint32(n))
	content = append(append(content, starts...), points...)
	return shpOf(5, content)
}

func shpOf(kind uint32, contents ...[]byte) []byte {
	out := append([]byte(shapeMagic), make([]byte, 96)...)
	binary.LittleEndian.PutUint32(out[28:], 1000)
	binary.LittleEndian.PutUint32(out[32:], kind)
	for i, c := range contents {
		out = binary.BigEndian.AppendUint32(out, uint32(i+1))
		out = binary.BigEndian.AppendUint32(out, uint32(len(c)/2))
		out = append(out, c...)
	}
	binary.BigEndian.PutUint32(out[24:], uint32(len(out)/2))
	return out
}

func square(x, y, size float64, clockwise bool) []float64 {
	ring := []float64{x, y, x, y + size, x + size, y + size, x + size, y, x, y}
	if !clockwise {
		ring = []float64{x, y, x + size, y, x + size, y + size, x, y + size, x, y}
	}
	return ring
}

func TestRingsBecomeAreas(t *testing.T) {
	for _, c := range []struct {
		what  string
		rings [][]float64
		want  string
	}{
		{"a hole before its area", [][]float64{square(1, 1, 1, false), square(0, 0, 9, true)}, "MULTIPOLYGON (((0 0, 0 9, 9 9, 9 0, 0 0), (1 1, 2 1, 2 2, 1 2, 1 1)))"},
		{"an island in a hole", [][]float64{square(0, 0, 9, true), square(1, 1, 7, false), square(2, 2, 2, true), square(3, 3, 0.5, false)},
			"MULTIPOLYGON (((0 0, 0 9, 9 9, 9 0, 0 0), (1 1, 8 1, 8 8, 1 8, 1 1)), ((2 2, 2 4, 4 4, 4 2, 2 2), (3 3, 3.5 3, 3.5 3.5, 3 3.5, 3 3)))"},
		{"all the other way", [][]float64{square(0, 0, 9, false), square(1, 1, 1, false), square(20, 0, 1, false)},
			"MULTIPOLYGON (((0 0, 9 0, 9 9, 0 9, 0 0), (1 1, 2 1, 2 2, 1 2, 1 1)), ((20 0, 21 0, 21 1, 20 1, 20 0)))"},
		{"a hole of nothing", [][]float64{square(0, 0, 1, true), square(5, 5, 1, false)}, "MULTIPOLYGON (((0 0, 0 1, 1 1, 1 0, 0 0)), ((5 5, 6 5, 6 6, 5 6, 5 5)))"},
	} {
		rows := rowsOf(t, opened(t, written(t, "x.shp", polygonRecord(c.rings...)), Options{}))
		got, err := wkt.Marshal(rows[0].Geometry)
		if err != nil || got != c.want {
			t.Errorf("%s: %s, %v", c.what, got, err)
		}
	}
}

func TestShapesThatAreWrong(t *testing.T) {
	null := make([]byte, 4)
	point := append([]byte{1, 0, 0, 0}, make([]byte, 16)...)
	broken := append([]byte{1, 0, 0, 0}, make([]byte, 10)...)
	nan := binary.LittleEndian.AppendUint64(append([]byte{1, 0, 0, 0}, make([]byte, 8)...), math.Float64bits(math.NaN()))
	rows := rowsOf(t, opened(t, written(t, "x.shp", shpOf(1, null, point, broken, nan, append([]byte{3}, null[1:]...))), Options{}))
	for i, want := range []string{"", "", "broken", "no number", "not the file's"} {
		err := rows[i].Faults.Err()
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) || (rows[i].Geometry != nil) != (i == 1) {
			t.Errorf("%d: %v", i, rows[i])
		}
	}
	huge := shpOf(1, point)
	binary.BigEndian.PutUint32(huge[104:], 1<<30)
	for said, content := range map[string][]byte{
		"damaged":                  huge,
		"type 31":                  shpOf(31),
		"the .shp file is damaged": []byte(shapeMagic),
	} {
		if got := refusal(t, written(t, "x.shp", content), Options{}); !strings.Contains(got, said) {
			t.Errorf("%s: %s", said, got)
		}
	}
	many := make([][]float64, 0, 40_000)
	for i := range 20_000 { // islands, each with a lake
		many = append(many, square(float64(10*i), 0, 9, true), square(float64(10*i+1), 1, 1, false))
	}
	rows = rowsOf(t, opened(t, written(t, "x.shp", polygonRecord(many...)), Options{}))
	if areas, ok := rows[0].Geometry.(*geom.MultiPolygon); !ok || areas.NumPolygons() != 20_000 || areas.Polygon(7).NumLinearRings() != 2 {
		t.Errorf("%v", rows[0].Faults)
	}
	for i := range many { // each in all before it
		many[i] = square(0, 0, 1e6-float64(i), i%2 == 0)
	}
	rows = rowsOf(t, opened(t, written(t, "x.shp", polygonRecord(many...)), Options{}))
	if err := rows[0].Faults.Err(); err == nil || !strings.Contains(err.Error(), "too many rings") {
		t.Error(err)
	}
}

// dbfOf is a table with one text column.
func dbfOf(width int, texts ...string) []byte {
	out := make([]byte, 65)
	out[0], out[1], out[2], out[3] = 3, 120, 1, 1
	binary.LittleEndian.PutUint32(out[4:], uint32(len(texts)))
	binary.LittleEndian.PutUint16(out[8:], 65)
	binary.LittleEndian.PutUint16(out[10:], uint16(width+1))
	copy(out[32:], "TEN")
	out[43], out[48], out[64] = 'C', byte(width), '\r'
	for _, text := range texts {
		out = append(append(out, ' '), (text + strings.Repeat(" ", width))[:width]...)
	}
	return out
}

func TestAttributesOfShapefiles(t *testing.T) {
	point := append([]byte{1, 0, 0, 0}, make([]byte, 16)...)
	pack := func(cpg string, table []byte) string {
		return written(t, "x.zip", zipped(t, "a.SHP", string(shpOf(1, point, point)), "A.dbf", string(table), "a.cpg", cpg, "b/c.shp", string(shpOf(1, point))))
	}
	table := opened(t, pack("UTF-8", dbfOf(12, "Mường Nhé", "Điện Biên Phủ")), Options{Table: "a"})
	if rows := rowsOf(t, table); rows[0].Cells[0] != "Mường Nh" || rows[1].Cells[0] != "Điện Biê" {
		t.Errorf("a name cut off in the middle of a letter: %v", rows)
	}
	lied := dbfOf(20, string(inTCVN3("Nậm Kè, Mường Nhé")), string(inTCVN3("được duyệt")))
	for _, said := range []string{"UTF-8", "1252", "ISO-8859-1", "nonsense", ""} {
		table := opened(t, pack(said, lied), Options{Table: "a.shp"})
		if rows := rowsOf(t, table); rows[0].Cells[0] != "Nậm Kè, Mường Nhé" {
			t.Errorf("said to be %q: %v, %v", said, rows, table.Guesses())
		}
	}
	if got := refusal(t, pack("", dbfOf(5, "a")), Options{Table: "a"}); !strings.Contains(got, "2 shapes but the .dbf 1 rows") {
		t.Error(got)
	}
	if got := refusal(t, pack("", nil), Options{}); !strings.Contains(got, "a.SHP, b/c.shp") {
		t.Error(got)
	}
	deleted := dbfOf(5, "a", "b")
	deleted[65] = '*'
	if rows := rowsOf(t, opened(t, pack("", deleted), Options{Table: "a"})); len(rows) != 1 || rows[0].Cells[0] != "b" || rows[0].Number != 2 {
		t.Errorf("%v", rows)
	}
}

func TestSystemsOfPRJ(t *testing.T) {
	for text, want := range map[string]string{
		`GEOGCS["GCS_VN_2000",DATUM["D_Vietnam_2000",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]`:                                                                                                                                                                                                      "EPSG:4756",
		`GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["Degree",0.017453292519943295]]`:                                                                                                                                                                                                           "EPSG:4326",
		`PROJCS["WGS_1984_Web_Mercator_Auxiliary_Sphere",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]]],PROJECTION["Mercator_Auxiliary_Sphere"],PARAMETER["False_Easting",0.0],UNIT["Meter",1.0]]`:                                                                                                                         "EPSG:3857",
		`PROJCS["Dien Bien KTT 103",GEOGCS["a",DATUM["WGS 84",SPHEROID["WGS_1984",6378137,298.257223563],TOWGS84[-191.90441429,-39.30318279,-111.45032835,0.00928836,-0.01975479,0.00427372,0.252906278]]],PROJECTION["Transverse_Mercator"],PARAMETER["central_meridian",103],PARAMETER["scale_factor",0.9999],PARAMETER["false_easting",500000],UNIT["metre",1]]`: "EPSG:9205",
		`PROJCS["X",GEOGCS["a",DATUM["b"]],AUTHORITY["EPSG","32648"]]`:                                                                                                        "EPSG:32648",
		`PROJCRS["VN-2000 / TM-3 105-30",BASEGEOGCRS["VN-2000"],ID["EPSG",9209]]`:                                                                                             "EPSG:9209",
		`PROJCS["VN-2000_TM-3_103-00",GEOGCS["GCS_VN_2000",DATUM["D_Vietnam_2000"]],PROJECTION["Transverse_Mercator"],PARAMETER["Central_Meridian",103.1],UNIT["Meter",1.0]]`: `PROJCS["VN-2000_TM-3_103-00",GEOGCS["GCS_VN_2000",DATUM["D_Vietnam_2000"]],PROJECTION["Transverse_Mercator"],PARAMETER["Central_Meridian",103.1],UNIT["Meter",1.0]]`,
		"Hà Nội\n 1972": "Hà Nội 1972", strings.Repeat("A[", 99): strings.Repeat("A[", 99),
	} {
		if got := systemOfWKT(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func FuzzShapefile(f *testing.F) {
	f.Add(polygonRecord(square(0, 0, 9, true), square(1, 1, 1, false)))
	f.Add(shpOf(11, append([]byte{11, 0, 0, 0}, make([]byte, 32)...)))
	fuzzed(f, "x.shp")
}

func FuzzDBF(f *testing.F) {
	f.Add(dbfOf(5, "a", "b"))
	f.Add(bytes.Replace(dbfOf(8, "20200101", ""), []byte("C"), []byte("D"), 1))
	fuzzed(f, "x.dbf")
}

func FuzzWKT(f *testing.F) {
	f.Add(`PROJCS["X",GEOGCS["a",DATUM["b"]],AUTHORITY["EPSG","32648"]]`)
	f.Fuzz(func(t *testing.T, s string) {
		if got := systemOfWKT(s); strings.ToValidUTF8(got, "") != got {
			t.Errorf("%q", got)
		}
	})
}
