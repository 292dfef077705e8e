package tables

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// pair is a .mif with its .mid, packed.
func pair(t testing.TB, mif, mid string) string {
	t.Helper()
	return written(t, "x.zip", zipped(t, "x.mif", mif, "x.mid", mid))
}

const someMIF = `Version 300
Charset "WindowsLatin1"
Delimiter ","
CoordSys Earth Projection 8, 9999, 28, -191.90441429, -39.30318279, -111.45032835, -0.00928836, 0.01975479, -0.00427372, 0.252906278, 0, "m", 103, 0, 0.9999, 500000, 0 Bounds (0, 0) (1, 1)
Columns 4
  TEN Char(20)
  CAO Decimal(5,1)
  NGAY Date
  DUNG Logical
Data

Point 500000 2300000
    Symbol (35,0,12)
Line 0 0 1 1
    Pen (1,2,0)
Pline 3
0 0
1 0
1 1
    Smooth
PLINE MULTIPLE 2
  2
0 0
1 1
  2
2 2
3 3
Region 3
  4
0 0
9 0
9 9
0 0
  4
5 1
6 1
6 2
5 1
  4
20 0
21 0
21 1
20 0
    Brush (1,0,16777215)
    Center 4.5 4.5
Multipoint 1
7 8
None
Rect 0 0 2 1
Text
    "Rect 1 1 2 2"
    0 0 1 1
Collection 2
  Point 1 2
    Symbol (35,0,12)
  Multipoint 1
  3 4
`

func TestMIF(t *testing.T) {
	mid := strings.Repeat("\""+string(inTCVN3("Trạm, Nậm Kè"))+"\",45.5,20201015,T\n", 9) + "\"a \"\"b\"\"\",x,,F\n\n"
	table := opened(t, pair(t, someMIF, mid), Options{})
	rows := rowsOf(t, table)
	same(t, shapesOf(t, rows), []string{"POINT (500000 2300000)", "LINESTRING (0 0, 1 1)", "LINESTRING (0 0, 1 0, 1 1)", "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))",
		"MULTIPOLYGON (((0 0, 9 0, 9 9, 0 0), (5 1, 6 1, 6 2, 5 1)), ((20 0, 21 0, 21 1, 20 0)))", "MULTIPOINT (7 8)", "", "POLYGON ((0 0, 2 0, 2 1, 0 1, 0 0))", "/text are not read", "/no value of the type decimal"})
	if want := []any{"Trạm, Nậm Kè", 45.5, time.Date(2020, 10, 15, 0, 0, 0, 0, time.UTC), true}; !slices.Equal(rows[0].Cells, want) {
		t.Errorf("%v, want %v", rows[0].Cells, want)
	}
	if want := []any{`a "b"`, nil, nil, false}; !slices.Equal(rows[9].Cells, want) {
		t.Errorf("%v, want %v", rows[9].Cells, want)
	}
	if table.CRS() != "EPSG:9205" || guessed(table, "encoding") != "tcvn3" || !slices.Equal(table.Columns(), []string{"TEN", "CAO", "NGAY", "DUNG"}) {
		t.Errorf("%s %v %q", table.CRS(), table.Guesses(), table.Columns())
	}
}

func TestMIFThatIsWrong(t *testing.T) {
	const head = "Version 300\nColumns 1\nA Char(1)\nData\n"
	for said, path := range map[string]string{
		"no Data":                   pair(t, "Version 300\n", ""),
		"broken at line 6":          pair(t, head+"Point 1\nx\n", "a\n"),
		"more rows than the .mif":   pair(t, head+"Point 1 2\n", "a\nb\n"),
		"more shapes than the .mid": pair(t, head+"None\nNone\n", "a\n"),
		"more than 1000 columns":    pair(t, "Version 300\nColumns 2000\n", ""),
		"more than":                 pair(t, head+"Pline 99999999\n", "a\n"),
		"longer than":               pair(t, head+noise(MaxLineBytes+1), "a\n"),
	} {
		if got := refusal(t, path, Options{Table: "x.mif"}); !strings.Contains(got, said) {
			t.Errorf("%s: %s", said, got)
		}
	}
	table := opened(t, written(t, "x.mif", []byte(head+"Point 1 2\n")), Options{})
	if rows := rowsOf(t, table); len(rows) != 1 || len(table.Columns()) != 0 || rows[0].Geometry == nil {
		t.Errorf("without a .mid: %v", rows)
	}
}

func TestSystemsOfMapInfo(t *testing.T) {
	for clause, want := range map[string]string{
		"Earth Projection 1, 104":          "EPSG:4326",
		`Earth Projection 10, 157, "m", 0`: "EPSG:3857",
		`Earth Projection 1, 999, 28, -191.90441429, -39.30318279, -111.45032835`:                                 "EPSG:4756",
		`Earth Projection 8, 999, 28, -191.90441429, -39.30318279, -111.45032835, "m", 105, 0, 0.9996, 500000, 0`: "EPSG:3405",
		`Earth Projection 8, 104, "m", 103, 0, 0.9999, 500000, 0 Bounds (0, 0) (1, 1)`:                            `Earth Projection 8, 104, "m", 103, 0, 0.9999, 500000, 0`,
		`NonEarth Units "m"`: `NonEarth Units "m"`,
		"Earth Projection 8": "Earth Projection 8",
	} {
		if got := systemOfMapInfo(clause); got != want {
			t.Errorf("%s: %s, want %s", clause, got, want)
		}
	}
}

// GDAL writes the shapefile of districts, which then reads the same.
func TestMIFOfGDAL(t *testing.T) {
	source := shared(t, "messy/shp_vn2000_utf8/huyen.shp")
	path := filepath.Join(t.TempDir(), "x.mif")
	if out, err := exec.Command("ogr2ogr", "-f", "MapInfo File", "-dsco", "FORMAT=MIF", path, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want, got := opened(t, source, Options{}), opened(t, path, Options{})
	shapes, others := rowsOf(t, want), rowsOf(t, got)
	noFaults(t, others)
	if len(others) != len(shapes) || !slices.Equal(want.Columns(), got.Columns()) {
		t.Fatalf("%d rows, %q", len(others), got.Columns())
	}
	for i := range shapes {
		if shapes[i].Cells[1] != others[i].Cells[1] || len(shapes[i].Geometry.FlatCoords()) != len(others[i].Geometry.FlatCoords()) {
			t.Errorf("%v, want %v", others[i].Cells, shapes[i].Cells)
		}
	}
	within(t, others, [4]float64{411671.8, 2311093.2, 561765.5, 2494538.7})
}

func FuzzMIF(f *testing.F) {
	f.Add([]byte(someMIF))
	fuzzed(f, "x.mif")
}
