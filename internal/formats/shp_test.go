package formats

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/layer"
)

// dbfTable reads a dBase table: each column's name, type and width, then its rows.
func dbfTable(t testing.TB, raw string) (columns []string, rows [][]string) {
	t.Helper()
	count, header, record := le.Uint32([]byte(raw[4:])), int(le.Uint16([]byte(raw[8:]))), int(le.Uint16([]byte(raw[10:])))
	if want := header + int(count)*record + 1; len(raw) != want || raw[header-1] != '\r' || raw[len(raw)-1] != 0x1a {
		t.Fatalf("%d bytes, the header says %d", len(raw), want)
	}
	var widths []int
	for at := 32; at < header-1; at += 32 {
		d := raw[at : at+32]
		widths = append(widths, int(d[16]))
		columns = append(columns, fmt.Sprintf("%s %c%d.%d", strings.TrimRight(d[:11], "\x00"), d[11], d[16], d[17]))
	}
	for i := range int(count) {
		at := header + i*record + 1
		var row []string
		for _, width := range widths {
			row = append(row, raw[at:at+width])
			at += width
		}
		rows = append(rows, row)
	}
	return columns, rows
}

func TestDBF(t *testing.T) {
	l := kindsLayer()
	rows := []*layer.Row{
		rowOf(t, l, 1, nil, map[string]any{"text": "Mường", "whole": math.MinInt64, "number": 45.25, "yes": true, "day": geo.NewDate(2020, 2, 29), "list": []string{"a", "b"}}),
		rowOf(t, l, 12, nil, map[string]any{"text": "", "whole": 0, "number": 1e-20, "yes": false}),
		rowOf(t, l, 3, nil, map[string]any{"number": -1e300}),
		rowOf(t, l, 4, nil, map[string]any{"number": math.NaN()}),
	}
	columns, got := dbfTable(t, membersOf(t, writtenAs(t, lookup(t, "shp"), Sheet{Layer: l}, rows...))["things.dbf"])
	if d := cmp.Diff([]string{"id N2.0", "text C8.0", "whole C20.0", "number N17.15", "yes L1.0", "day D8.0", "at C1.0", "list C3.0"}, columns); d != "" {
		t.Error(d)
	}
	want := [][]string{
		{" 1", "Mường", "-9223372036854775808", "            45.25", "T", "20200229", " ", "a,b"},
		{"12", "        ", "0                   ", "            1e-20", "F", "        ", " ", "   "},
		{" 3", "        ", "                    ", "          -1e+300", " ", "        ", " ", "   "},
		{" 4", "        ", "                    ", "                 ", " ", "        ", " ", "   "},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	far := &layer.Row{Values: [][]byte{be.AppendUint32(nil, 2921940)}} // 10000-01-01
	if _, err := (&dbfColumn{kind: layer.Date}).append(nil, far, &dbfWidth{}); !errors.As(err, new(*UnfitError)) {
		t.Errorf("a day of five digits: %v", err)
	}
}

// Any number is read back as it was.
func TestNumbersInDBF(t *testing.T) {
	for _, x := range []float64{0, -0.1, 1.0 / 3, 1e15, 123456789.123456789, math.MaxFloat64, -math.SmallestNonzeroFloat64, 12345678901234567890, 1e-7} {
		text, _, err := layer.Number.AppendText(nil, wire(t, &layer.Field{}, x))
		if err != nil {
			t.Fatal(err)
		}
		var back float64
		if got := dbfNumber(text, &dbfWidth{}); len(got) > mostNumber {
			t.Errorf("%v is %d wide", x, len(got))
		} else if _, err := fmt.Sscan(string(got), &back); err != nil || back != x {
			t.Errorf("%v is %s: %v", x, got, err)
		}
	}
}

func TestShortNames(t *testing.T) {
	l := &layer.Layer{Name: "things"}
	for _, name := range []string{"population_year", "population_male", "population", "POPULATI_2", "a", "population_female"} {
		l.Fields = append(l.Fields, layer.Field{Name: name})
	}
	var got []string
	for _, c := range dbfColumns(&Sheet{Layer: l}) {
		got = append(got, c.name)
	}
	if d := cmp.Diff([]string{"id", "populati_3", "populati_4", "population", "POPULATI_2", "a", "populati_5"}, got); d != "" {
		t.Error(d)
	}
}

func TestShapefileAtItsLimits(t *testing.T) {
	l := kindsLayer()
	long := strings.Repeat("x", MaxShapefileText-2)
	all := membersOf(t, writtenAs(t, lookup(t, "shp"), Sheet{Layer: l},
		rowOf(t, l, 1, nil, map[string]any{"text": long + "ă"}), rowOf(t, l, 2, nil, map[string]any{"text": long + "ắ"}), rowOf(t, l, 3, nil, map[string]any{"text": long + "xxx"})))
	_, rows := dbfTable(t, all["things.dbf"])
	if rows[0][1] != long+"ă" || rows[1][1] != long+"  " || rows[2][1] != long+"xx" {
		t.Errorf("texts: %q", rows)
	}
	if !strings.Contains(all["FIELDS.txt"], "\ntext\ttext\t\t\t\t2\n") {
		t.Errorf("two texts were cut: %s", all["FIELDS.txt"])
	}
	s := Sheet{Layer: l}
	left := int64(1000)
	z, err := newZipFile(&s)
	if err != nil {
		t.Fatal(err)
	}
	defer z.file.Close()
	for words, want := range map[int64]error{MaxShapefileBytes/2 - headerWords: nil, MaxShapefileBytes/2 - headerWords + 1: ErrTooLarge} {
		records, err := newSpool(&left)
		if err != nil {
			t.Fatal(err)
		}
		p := &shapePart{code: 1, stride: 2, words: words, records: records}
		if err := p.write(z, "x"); !errors.Is(err, want) {
			t.Errorf("%d words: %v", words, err)
		}
		if err := records.file.Close(); err != nil {
			t.Error(err)
		}
	}
	values, err := newSpool(&left)
	if err != nil {
		t.Fatal(err)
	}
	defer values.file.Close()
	const most = (MaxShapefileBytes - 66) / 255                                  // rows of a byte and a text, beside the header and the end
	for rows, want := range map[int]error{most: io.EOF, most + 1: ErrTooLarge} { // there are no values to be read
		p := &shapePart{lengths: make([]uint32, rows), widths: []dbfWidth{{widest: MaxShapefileText}}, values: values}
		if err := p.writeTable(z.out, []dbfColumn{{kind: layer.Text}}); !errors.Is(err, want) {
			t.Errorf("a table of %d rows: %v", rows, err)
		}
	}
}

// What is put together of several files has one limit for all that it is made of.
func TestShapefilesShareTheirLimit(t *testing.T) {
	l := &layer.Layer{Name: "things", Geometry: layer.AnyGeometry, Fields: []layer.Field{{Name: "text", Kind: layer.Text}}}
	var rows []*layer.Row
	for i := range 200 {
		rows = append(rows, rowOf(t, l, int64(i), marshal(t, []orb.Geometry{orb.Point{1, 2}, orb.LineString{{1, 2}, {3, 4}}}[i%2], le), map[string]any{"text": strings.Repeat("x", 250)}))
	}
	f := lookup(t, "shp")
	for limit, want := range map[int64]error{100_000: nil, 50_000: ErrTooLarge} { // either kind takes half of 60 000
		w, err := f.New(Sheet{Layer: l, MaxBytes: limit})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := writeAll(w, rows); !errors.Is(err, want) {
			t.Errorf("with %d bytes: %v", limit, err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}

// asWKT has GDAL read a layer of a file: id and geometry of each row.
func asWKT(t *testing.T, path, name string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ogr2ogr", "-f", "CSV", "-lco", "GEOMETRY=AS_WKT", "-lco", "SEPARATOR=SEMICOLON", "-select", "id", "/vsistdout/", path, name)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil || said.Len() > 0 {
		t.Fatalf("%v: %s", err, said.String())
	}
	return strings.ReplaceAll(string(out), `"`, "")
}

// A layer of several kinds of geometry is a file for each, and a table of the rows without.
func TestShapefileOfSeveralKinds(t *testing.T) {
	l := &layer.Layer{Name: "things", Geometry: layer.AnyGeometry, Fields: []layer.Field{{Name: "code", Kind: layer.Text}}}
	var rows []*layer.Row
	for i, g := range shapes()[2:7] {
		rows = append(rows, rowOf(t, l, int64(i+1), marshal(t, g, le), nil))
	}
	rows = append(rows, rowOf(t, l, 9, marshal(t, orb.Point{103, 21}, le), nil), rowOf(t, l, 10, nil, nil))
	raw := writtenAs(t, lookup(t, "shp"), Sheet{Layer: l}, rows...)
	path := filepath.Join(t.TempDir(), "things.shp.zip")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"things_points":      "WKT;id\nPOINT (103 21);9\n",
		"things_multipoints": "WKT;id\nMULTIPOINT ((1 2),(3 4));1\n",
		"things_lines":       "WKT;id\nLINESTRING (1 2,3.5 4.0);2\nMULTILINESTRING ((1 2,3 4),(5 6,7.0 8.25));3\n",
		"things_areas":       "WKT;id\nPOLYGON ((103 21,103 22,104 22,104 21,103 21));4\nPOLYGON ((103 21,103 22,104 22,104 21,103 21),(103.2 21.2,103.4 21.4,103.2 21.4,103.2 21.2));5\n",
		"things_none":        "id;\n10\n",
	} {
		if got := asWKT(t, path, name); got != want {
			t.Errorf("%s\n%s\nwant\n%s", name, got, want)
		}
	}
	want := []string{"FIELDS.txt"}
	for _, name := range []string{"areas", "lines", "multipoints", "points"} {
		for _, end := range []string{"cpg", "dbf", "prj", "shp", "shx"} {
			want = append(want, "things_"+name+"."+end)
		}
	}
	want = append(want, "things_none.cpg", "things_none.dbf")
	slices.Sort(want)
	if d := cmp.Diff(want, slices.Sorted(maps.Keys(membersOf(t, raw)))); d != "" {
		t.Error(d)
	}
	if got := slices.Sorted(maps.Keys(membersOf(t, writtenAs(t, lookup(t, "shp"), Sheet{Layer: l})))); !slices.Equal(got, []string{"FIELDS.txt", "things_none.cpg", "things_none.dbf"}) {
		t.Errorf("no rows are %v", got)
	}
}

// Heights are kept, and null shapes; the index leads to every record.
func TestShapesAsBytes(t *testing.T) {
	ducts := layerOf(t, "ducts")
	rows := []*layer.Row{sheets(t)["ducts"][0], rowOf(t, ducts, 2, nil, nil), rowOf(t, ducts, 3, linesZOf(t, []float64{103, 21, 5, 103, 22, 6}), nil)}
	for _, withZ := range []bool{true, false} {
		all := membersOf(t, writtenAs(t, lookup(t, "shp"), Sheet{Layer: ducts, WithZ: withZ}, rows...))
		shp, shx := []byte(all["ducts.shp"]), []byte(all["ducts.shx"])
		kind, heights := map[bool]uint32{true: 13, false: 3}[withZ], [2]float64{}
		if withZ {
			heights = [2]float64{-2, 6}
		}
		float := func(at int) float64 { return math.Float64frombits(le.Uint64(shp[at:])) }
		if le.Uint32(shp[32:]) != kind || int(be.Uint32(shp[24:]))*2 != len(shp) || int(be.Uint32(shx[24:]))*2 != len(shx) || float(36) != 103 || float(60) != 22 || float(68) != heights[0] || float(76) != heights[1] {
			t.Errorf("heights %t: header % x", withZ, shp[:100])
		}
		var kinds []uint32
		for at := 100; at < len(shx); at += 8 {
			start, length := 2*be.Uint32(shx[at:]), be.Uint32(shx[at+4:])
			if be.Uint32(shp[start+4:]) != length || int(be.Uint32(shp[start:])) != len(kinds)+1 {
				t.Errorf("record %d is not where the index says", len(kinds)+1)
			}
			kinds = append(kinds, le.Uint32(shp[start+8:]))
		}
		if !slices.Equal(kinds, []uint32{kind, 0, kind}) {
			t.Errorf("kinds %v", kinds)
		}
	}
}
