package tables

import (
	"bytes"
	"database/sql"
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

// put is a copy of bytes with a number of 32 bits put in.
func put(order binary.ByteOrder, content []byte, at int, n uint32) []byte {
	content = bytes.Clone(content)
	order.PutUint32(content[at:], n)
	return content
}

// Files that lie about how long they are, or how many they hold, are refused for it.
func TestLyingLengthsAreRefused(t *testing.T) {
	little, big := binary.LittleEndian, binary.BigEndian
	point := append([]byte{1, 0, 0, 0}, make([]byte, 16)...)
	shapes, table := shpOf(1, point, point), dbfOf(8, "a", "b")
	short := func(at int, n uint16) []byte {
		content := bytes.Clone(table)
		little.PutUint16(content[at:], n)
		return content
	}
	pack := func(shp, dbf []byte) string {
		return written(t, "x.zip", zipped(t, "a.shp", string(shp), "a.dbf", string(dbf)))
	}
	record := 100 + 4 // where the length of the first record stands
	for said, paths := range map[string][]string{
		"the .shp file is damaged": {pack(put(big, shapes, record, math.MaxInt32), table), pack(put(big, shapes, record, 0), table), pack(put(big, shapes, record, 4), table), pack(put(big, shapes, record, 1<<31), table)},
		"the .shp file is cut off": {pack(put(big, shapes, 24, 1<<30), table)},
		"1 shapes but the .dbf":    {pack(put(big, shapes, 24, 64), table)},
		"the .dbf file is damaged": {pack(shapes, short(8, 0)), pack(shapes, short(8, 33)), pack(shapes, short(10, 0)), pack(shapes, short(10, 1)), pack(shapes, short(10, math.MaxUint16))},
		"the .dbf file is shorter": {pack(shapes, put(little, table, 4, math.MaxUint32)), pack(shapes, put(little, table, 4, 3)), pack(shapes, short(8, math.MaxUint16))},
		"but the .dbf 1 rows":      {pack(shapes, put(little, table, 4, 1))},
	} {
		for i, path := range paths {
			if got := refusal(t, path, Options{}); !strings.Contains(got, said) {
				t.Errorf("%d: %q is not said in %s", i, said, got)
			}
		}
	}
}

// polygonSaying is a polygon of four positions that says it has other numbers of parts and positions.
func polygonSaying(parts, positions uint32, first ...uint32) []byte {
	out := binary.LittleEndian.AppendUint32(nil, 5)
	out = append(out, make([]byte, 32)...)
	for _, n := range append([]uint32{parts, positions}, first...) {
		out = binary.LittleEndian.AppendUint32(out, n)
	}
	return append(out, make([]byte, 64)...)
}

// A geometry that lies about its parts is a fault of its row.
func TestLyingCountsAreFaultsOfTheirRow(t *testing.T) {
	const minus = math.MaxUint32
	for i, shape := range [][]byte{
		polygonSaying(1<<30, 4, 0), polygonSaying(1, math.MaxInt32, 0), polygonSaying(minus, 4, 0), polygonSaying(1, minus-3, 0),
		polygonSaying(2, 4, 3, 0), polygonSaying(1, 4, 9), polygonSaying(1, 4, minus-1),
	} {
		rows := rowsOf(t, opened(t, written(t, "x.shp", shpOf(5, shape)), Options{}))
		if len(rows) != 1 || len(rows[0].Faults) != 1 || rows[0].Faults[0].At != "/geometry" {
			t.Errorf("shape %d: %+v", i, rows)
		}
	}
	head := []byte{'G', 'P', 0, 1, 0, 0, 0, 0}
	count := func(kind uint32, n ...uint32) []byte {
		out := append(bytes.Clone(head), 1)
		for _, n := range append([]uint32{kind}, n...) {
			out = binary.LittleEndian.AppendUint32(out, n)
		}
		return out
	}
	point := append(count(1), make([]byte, 16)...)
	for i, blob := range [][]byte{
		count(2, 1<<31), count(3, minus), count(3, 1, minus), count(4, math.MaxInt32), point[:len(point)-3], append(bytes.Clone(point), "xx"...),
		{'G', 'P'}, append([]byte("XX"), point[2:]...), append([]byte{'G', 'P', 0, 15, 0, 0, 0, 0}, point[8:]...), append([]byte{'G', 'P', 0, 9, 0, 0, 0, 0}, point[8:]...),
	} {
		rows := rowsOf(t, opened(t, withBlob(t, blob), Options{}))
		if len(rows) != 1 || len(rows[0].Faults) != 1 || rows[0].Faults[0].At != "/geometry" {
			t.Errorf("blob %d: %+v", i, rows)
		}
	}
}

// withBlob is a GeoPackage of a row with a geometry, after which some statements were run.
func withBlob(t *testing.T, blob []byte, statements ...string) string {
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
	if _, err := db.ExecContext(t.Context(), "UPDATE x SET geom = coalesce(?, geom)", blob); err != nil {
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

func TestGeoPackagesThatLackATable(t *testing.T) {
	for said, statement := range map[string]string{
		"gpkg_geometry_columns": "DROP TABLE gpkg_geometry_columns",
		"but not in which":      "DELETE FROM gpkg_geometry_columns",
		"has no column nope":    "UPDATE gpkg_geometry_columns SET column_name = 'nope'",
		"has no table x":        "DROP TABLE x",
		"gpkg_contents":         "DROP TABLE gpkg_contents",
		"longer than":           "UPDATE x SET geom = zeroblob(10000000)",
	} {
		if got := refusal(t, withBlob(t, nil, "PRAGMA foreign_keys = 0", statement), Options{}); !strings.Contains(got, said) {
			t.Errorf("%s: %s", statement, got)
		}
	}
	for _, statement := range []string{"DELETE FROM gpkg_spatial_ref_sys", "DROP TABLE gpkg_spatial_ref_sys"} {
		table := opened(t, withBlob(t, nil, "PRAGMA foreign_keys = 0", statement), Options{})
		if rows := rowsOf(t, table); len(rows) != 1 || rows[0].Geometry == nil || table.CRS() != "" {
			t.Errorf("%s: %v %q", statement, rows, table.CRS())
		}
	}
}

// A file that ends between two features lacks some without being broken.
func TestFlatGeobufsThatLackFeatures(t *testing.T) {
	source := written(t, "x.geojson", []byte(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"a":1},"geometry":{"type":"Point","coordinates":[1,2]}},{"type":"Feature","properties":{"a":2},"geometry":{"type":"Point","coordinates":[1,2]}}]}`))
	path := filepath.Join(t.TempDir(), "x.fgb")
	if out, err := exec.Command("ogr2ogr", "-f", "FlatGeobuf", path, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last := bytes.LastIndex(whole, whole[len(whole)-4-int(featureSize(t, whole)):len(whole)-int(featureSize(t, whole))])
	if got := refusal(t, written(t, "x.fgb", whole[:last]), Options{}); !strings.Contains(got, "1 features, not the 2") {
		t.Error(got)
	}
	for _, n := range []uint32{0, 3, 1 << 20, math.MaxUint32} {
		if got := refusal(t, written(t, "x.fgb", put(binary.LittleEndian, whole, last, n)), Options{}); !strings.Contains(got, "damaged") {
			t.Errorf("%d: %s", n, got)
		}
	}
}

// featureSize is the size of the last feature: the file ends with it.
func featureSize(t *testing.T, whole []byte) uint32 {
	t.Helper()
	for at := len(whole) - 8; at > 0; at-- {
		if n := binary.LittleEndian.Uint32(whole[at:]); int(n) == len(whole)-at-4 {
			return n
		}
	}
	t.Fatal("the file has no last feature")
	return 0
}

func TestFormulasWithoutResultsAreNamed(t *testing.T) {
	text := func(s string) string { return `<c t="inlineStr"><is><t>` + s + `</t></is></c>` }
	sheet := "<worksheet><sheetData><row>" + text("a") + text("b") + "</row><row>" + text("1") + "<c><f>A1+1</f></c></row><row>" + text("2") + "<c><f>A1+1</f><v/></c></row><row>" +
		text("3") + `<c t="str"><f>A1</f><v></v></c></row><row>` + text("4") + "<c><f>A1</f><v>7</v></c></row></sheetData></worksheet>"
	rows := rowsOf(t, opened(t, book(t, sheet), Options{}))
	for i, faults := range []int{1, 1, 0, 0} {
		if len(rows[i].Faults) != faults || faults > 0 && !strings.Contains(rows[i].Faults[0].Detail.EN, "a formula without its result") {
			t.Errorf("row %d: %+v", i, rows[i])
		}
	}
	if rows[2].Cells[1] != nil || rows[3].Cells[1] != int64(7) {
		t.Errorf("%v %v", rows[2].Cells, rows[3].Cells)
	}
}

// Excel has a day that there was not, and counts from two others.
func TestDaysOfWorkbooks(t *testing.T) {
	sheet := `<worksheet><sheetData><row><c t="inlineStr"><is><t>ngày</t></is></c></row><row><c s="1"><v>1</v></c></row><row><c s="1"><v>59</v></c></row><row><c s="1"><v>60</v></c></row><row><c s="1"><v>61</v></c></row><row><c s="1"><v>-1</v></c></row><row><c s="1"><v>2958466</v></c></row></sheetData></worksheet>`
	date := func(y int, m time.Month, d int) any { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	for since, want := range map[string][]any{
		"":             {date(1900, 1, 1), date(1900, 2, 28), nil, date(1900, 3, 1), nil, nil},
		"date1904='1'": {date(1904, 1, 2), date(1904, 2, 29), date(1904, 3, 1), date(1904, 3, 2), nil, nil},
	} {
		path := written(t, "x.xlsx", zipped(t, "xl/workbook.xml", strings.Replace(bookXML, "<workbookPr/>", "<workbookPr "+since+"/>", 1), "xl/_rels/workbook.xml.rels", relsXML, "xl/styles.xml", styleXML, "xl/worksheets/s3.xml", sheet))
		var got []any
		for _, r := range rowsOf(t, opened(t, path, Options{Table: "Cột"})) {
			got = append(got, r.Cells[0])
			if (r.Cells[0] == nil) != (len(r.Faults) == 1) {
				t.Errorf("%q: %+v", since, r)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", since, got, want)
		}
	}
}

// A row in another encoding than the rest is not read in that of the rest.
func TestMixedEncodingsAreNamed(t *testing.T) {
	const words = "Trường tiểu học Mường Phăng"
	old, now := string(inTCVN3(words)), words
	for _, c := range []struct {
		lines []string
		row   int
		said  string
	}{
		{[]string{"ten", old, old, old, now}, 3, "is written in utf-8, unlike the rest of the file (tcvn3): \"" + words},
		{[]string{"ten", now, now, now, old}, 3, "is written in tcvn3, unlike the rest of the file (utf-8): \"" + words},
		{[]string{"ten", now, old, "Bưu điện văn hoá xã Nà Tấu"}, 1, "is written in tcvn3, unlike the rest of the file (utf-8): \"" + words},
	} {
		rows := rowsOf(t, opened(t, written(t, "x.csv", []byte(strings.Join(c.lines, "\n")+"\n")), Options{}))
		for i, r := range rows {
			if (i == c.row) != (len(r.Faults) == 1) || i == c.row && !strings.Contains(r.Faults[0].Detail.EN, c.said) {
				t.Errorf("row %d of %q: %v", i, c.lines, r.Faults)
			}
		}
	}
}

// A polygon of ten million positions is refused in every format before it is held.
func TestTenMillionPositionsAreRefused(t *testing.T) {
	_, base := readingAlone(t, written(t, "x.csv", []byte(someCSV)), "")
	const n = 10_000_000
	shape := binary.LittleEndian.AppendUint32(nil, 5)
	shape = append(shape, make([]byte, 32)...)
	shape = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(shape, 1), n), 0)
	shape = append(shape, bytes.Repeat(make([]byte, 16), n)...)
	for _, c := range []struct{ said, begin, position, end string }{
		{"longer than", `{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[`, "[103.01,21.4],", `[103.01,21.4]]]}}]}`},
		{"longer than", `{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[`, "[103.01,21.4],", `[103.01,21.4]]]}}`},
		{"longer than", "<kml><Placemark><Polygon><outerBoundaryIs><LinearRing><coordinates>", "103.01,21.4 ", "</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></kml>"},
		{"longer than", "ma,wkt\n1,\"POLYGON((", "103.01 21.4,", "103.01 21.4))\"\n"},
		{"more than 250000 positions", "Version 300\nData\nRegion 1\n10000000\n", "103.01 21.4\n", ""},
		{"more than 250000 positions", "0\nSECTION\n2\nENTITIES\n0\nLWPOLYLINE\n90\n10000000\n", "10\n103.01\n20\n21.4\n", "0\nENDSEC\n0\nEOF\n"},
		{"longer than", string(shpOf(5, shape)), "", ""},
	} {
		path := written(t, "x", []byte(c.begin+strings.Repeat(c.position, n)+c.end))
		said, most := readingAlone(t, path, "")
		if !strings.Contains(said, c.said) || most-base > 64<<20 {
			t.Errorf("%.40q: %d MB: %s", c.begin, (most-base)>>20, said)
		}
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}
