package tables

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// drawing is a drawing of entities, whose codes and values stand in one line each.
func drawing(page, entities string) []byte {
	text := "999 a remark|0 SECTION|2 HEADER|9 $ACADVER|1 AC1018|9 $DWGCODEPAGE|3 " + page + "|0 ENDSEC|0 SECTION|2 BLOCKS|0 POINT|10 9|20 9|0 ENDSEC|0 SECTION|2 ENTITIES|" +
		strings.ReplaceAll(strings.TrimSpace(entities), "\n", "|") + "|0 ENDSEC|0 EOF|"
	var b strings.Builder
	for pair := range strings.SplitSeq(strings.TrimSuffix(text, "|"), "|") {
		code, value, _ := strings.Cut(pair, " ")
		b.WriteString("  " + code + "\r\n" + value + "\r\n")
	}
	return []byte(b.String())
}

const someDXF = `0 POINT|8 COT|10 1|20 2|30 0
0 TEXT|8 CHU|10 1.5|20 2|40 0.5|1 Tr\U+1EA1m 1
0 TEXT|8 CHU|10 3|20 -2|40 0.5|1 ở xa hơn
0 INSERT|8 COT|2 BTS|10 50|20 60|30 7|66 1
0 ATTRIB|2 CAO|1 45|10 0|20 0
0 ATTRIB|2 CHU_SO_HUU|1 VNPT|10 0|20 0
0 SEQEND
0 LINE|8 TUYEN|10 0|20 0|30 0|11 5|21 5|31 0
0 LWPOLYLINE|8 VUNG|90 3|70 1|10 100|20 100|10 110|20 100|10 110|20 110
0 MTEXT|8 CHU|10 108|20 103|40 1|1 {\fArial,b0;Khu\P\H2.5x;A %%c}
0 LWPOLYLINE|8 TUYEN|90 3|70 0|38 12|10 0|20 0|42 0.5|10 1|20 0|10 1|20 1
0 POLYLINE|8 VUNG|70 0|10 0|20 0|30 0
0 VERTEX|10 0|20 0|30 0
0 VERTEX|10 9|20 0|30 0
0 VERTEX|10 9|20 9|30 0
0 VERTEX|10 0|20 0|30 0
0 SEQEND
0 POLYLINE|8 TUYEN|70 8
0 VERTEX|10 0|20 0|30 1
0 VERTEX|10 9|20 0|30 2
0 SEQEND
0 CIRCLE|8 COT|10 0|20 0|40 5
0 POINT|8 COT|67 1|10 1|20 2
0 LWPOLYLINE|8 TUYEN|90 2|70 0|10 1|20 2|10 3|20 4|230 -1
0 INSERT|8 COT|2 X|10 1|20 2|210 1|230 0`

func TestDXF(t *testing.T) {
	path := written(t, "x.dxf", drawing("ANSI_1258", string(in1258(t, someDXF))))
	table := opened(t, path, Options{})
	rows := rowsOf(t, table)
	same(t, shapesOf(t, rows), []string{"POINT (1 2)", "POINT Z (50 60 7)", "LINESTRING (0 0, 5 5)", "POLYGON ((100 100, 110 100, 110 110, 100 100))", "/made straight",
		"POLYGON ((0 0, 9 0, 9 9, 0 0))", "LINESTRING Z (0 0 1, 9 0 2)", "/CIRCLE are not read", "LINESTRING (-1 2, -3 4)", "/tilted", "POINT (3 -2)"})
	if want := []string{"layer", "text", "block", "CAO", "CHU_SO_HUU"}; !slices.Equal(table.Columns(), want) {
		t.Fatalf("%q, want %q", table.Columns(), want)
	}
	for i, want := range map[int][]any{
		0: {"COT", "Trạm 1", nil, nil, nil}, 1: {"COT", nil, "BTS", "45", "VNPT"}, 3: {"VUNG", "Khu\nA Ø", nil, nil, nil}, 5: {"VUNG", nil, nil, nil, nil}, 10: {"CHU", "ở xa hơn", nil, nil, nil},
	} {
		if !slices.Equal(rows[i].Cells, want) {
			t.Errorf("row %d: %q, want %q", i+1, rows[i].Cells, want)
		}
	}
	if rows[4].Geometry == nil || guessed(table, "encoding") != "windows-1258" || guessed(table, "text") != "near" {
		t.Errorf("%v %v", rows[4], table.Guesses())
	}
	if rows := rowsOf(t, opened(t, path, Options{Table: "vung"})); len(rows) != 2 || rows[0].Cells[1] != "Khu\nA Ø" {
		t.Errorf("a layer: %v", rows)
	}
	if got := refusal(t, path, Options{Table: "x"}); !strings.Contains(got, "CHU, COT, TUYEN, VUNG") {
		t.Error(got)
	}
}

func TestDXFThatIsWrong(t *testing.T) {
	for said, content := range map[string][]byte{
		"holds no entities":  drawing("", ""),
		"is broken at line":  drawing("", "x POINT"),
		"broken at line 36":  drawing("", "0 POINT|10 x"),
		"holds no entities ": []byte("0\nSECTION\n2\nTABLES\n0\nEOF\n"),
		"longer than":        drawing("", "0 TEXT|1 "+strings.Repeat("a", MaxLineBytes)),
	} {
		if said == "holds no entities" {
			content = []byte(strings.Replace(string(content), "  \r\n\r\n", "", 1))
		}
		if got := refusal(t, written(t, "x.dxf", content), Options{}); !strings.Contains(got, strings.TrimSpace(said)) {
			t.Errorf("%s: %s", said, got)
		}
	}
}

func TestDXFOfGDAL(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.dxf")
	if out, err := exec.Command("ogr2ogr", "-f", "DXF", path, shared(t, "messy/dienbien_mixed.gpkg"), "tam_xa_utm48").CombinedOutput(); err != nil && !strings.Contains(string(out), "arbitrary field") {
		t.Fatalf("%v: %s", err, out)
	}
	rows := rowsOf(t, opened(t, path, Options{}))
	noFaults(t, rows)
	if len(rows) != 130 {
		t.Errorf("%d rows", len(rows))
	}
	within(t, rows, [4]float64{216014.0, 2319896.6, 347586.5, 2486150.0})
}

func FuzzDXF(f *testing.F) {
	f.Add(drawing("ANSI_1258", someDXF))
	fuzzed(f, "x.dxf")
}
