package formats

import (
	"bytes"
	"encoding/csv"
	"math"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"hatang/geo"
	"hatang/internal/layer"
)

// lookup is a format that there is.
func lookup(t testing.TB, name string) Format {
	t.Helper()
	f, ok := Named(name)
	if !ok {
		t.Fatalf("no format %s", name)
	}
	return f
}

func TestCSV(t *testing.T) {
	l := &layer.Layer{Name: "things", Geometry: layer.Point, Fields: []layer.Field{
		{Name: "code", Kind: layer.Text}, {Name: "lon", Kind: layer.Number}, {Name: "on", Kind: layer.Date}, {Name: "list", Kind: layer.TextList}, {Name: "ok", Kind: layer.Boolean}}}
	row := func(id int64, x, y float64, values map[string]any) *layer.Row {
		return rowOf(t, l, id, marshal(t, orb.Point{x, y}, le), values)
	}
	rows := []*layer.Row{
		row(1, 103.12345678, -21, map[string]any{"code": "=1+1", "lon": -1.5, "on": geo.NewDate(2020, 2, 29), "list": []string{"a", "b"}, "ok": true}),
		row(2, 103, 21, map[string]any{"code": "", "list": []string{"-1"}}),
		rowOf(t, l, 3, nil, map[string]any{"code": "a\"b,\r\n", "list": []string{"a,b"}}),
	}
	for _, tt := range []struct {
		s    Sheet
		want string
	}{
		{Sheet{}, "id,code,lon,on,list,ok,_lon,lat\n1,'=1+1,-1.5,2020-02-29,\"a,b\",true,103.1234568,-21\n2,\"\",,,'-1,,103,21\n3,\"a\"\"b,\r\n\",,,\"[\"\"a,b\"\"]\",,,\n"},
		{Sheet{BOM: true, Decimals: 2}, "\ufeffid,code,lon,on,list,ok,_lon,lat\n1,'=1+1,-1.5,2020-02-29,\"a,b\",true,103.12,-21\n"},
		{Sheet{Decimals: NoDecimals}, "id,code,lon,on,list,ok,_lon,lat\n1,'=1+1,-1.5,2020-02-29,\"a,b\",true,103,-21\n"},
		{Sheet{CRS: crsOf(t, 4326)}, "id,code,lon,on,list,ok,_lon,lat\n1,'=1+1,-1.5,2020-02-29,\"a,b\",true,103.1234568,-21\n"},
		{Sheet{CRS: crsOf(t, 3857)}, "id,code,lon,on,list,ok,x,y\n1,'=1+1,-1.5,2020-02-29,\"a,b\",true,11479650.698,-2391878.588\n"},
	} {
		tt.s.Layer = l
		if got := string(writtenAs(t, lookup(t, "csv"), tt.s, rows[:max(1, strings.Count(tt.want, "\n")-2)]...)); got != tt.want {
			t.Errorf("%+v\n%q\nwant\n%q", tt.s, got, tt.want)
		}
	}
}

func crsOf(t testing.TB, code int) geo.CRS {
	t.Helper()
	c, ok := geo.LookupCRS(code)
	if !ok {
		t.Fatalf("no EPSG:%d", code)
	}
	return c
}

func TestGeometriesInCSV(t *testing.T) {
	rows := sheets(t)
	for name, want := range map[string]string{
		"ducts":    "MULTILINESTRING ((103 21, 103.1 21.1), (104 22, 104.5 22))",
		"communes": "MULTIPOLYGON (((103 21, 104 21, 104 22, 103 22, 103 21), (103.2 21.2, 103.2 21.4, 103.4 21.4, 103.2 21.2)), ((103 21, 104 21, 104 22, 103 22, 103 21)))",
	} {
		for _, withZ := range []bool{false, true} {
			if withZ && name == "ducts" {
				want = "MULTILINESTRING Z ((103 21 -1.25, 103.1 21.1 -2), (104 22 0, 104.5 22 1))"
			}
			table := readTable(t, writtenAs(t, lookup(t, "csv"), Sheet{Layer: layerOf(t, name), WithZ: withZ}, rows[name]...))
			last := len(table[0]) - 1
			if table[0][last] != "wkt" || table[1][last] != want {
				t.Errorf("%s, heights %t: %s is %s, want %s", name, withZ, table[0][last], table[1][last], want)
			}
			if name == "communes" && table[2][last] != "" {
				t.Errorf("no geometry is %q", table[2][last])
			}
		}
	}
}

func readTable(t testing.TB, raw []byte) [][]string {
	t.Helper()
	table, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	return table
}

// plain undoes guard, as whoever reads a cell does.
func plain(cell string) string {
	if bare := strings.TrimLeft(cell, "'"); cell != bare && bare != "" && strings.ContainsAny(bare[:1], "=+-@\t\r\n") {
		return cell[1:]
	}
	return cell
}

// Whatever a text holds, no cell is a formula, and what is read back is the text.
func TestCellsReadBack(t *testing.T) {
	if plain("''=1") != "'=1" || plain("'1") != "'1" || plain("'") != "'" {
		t.Error("the reader of this test takes off the wrong apostrophes")
	}
	l := &layer.Layer{Name: "things", Geometry: layer.Point, Fields: []layer.Field{{Name: "text", Kind: layer.Text}, {Name: "list", Kind: layer.TextList}}}
	piece := rapid.OneOf(rapid.SampledFrom([]string{"'", "''", "=", "+84", "-", "@", "\t", "\r", "\n", "\"", ",", "[", "]", " ", "ă", "\\"}), rapid.StringN(0, 3, 9))
	text := rapid.Custom(func(t *rapid.T) string {
		return strings.ReplaceAll(strings.Join(rapid.SliceOfN(piece, 0, 4).Draw(t, "pieces"), ""), "\x00", "")
	})
	rapid.Check(t, func(rt *rapid.T) {
		want := strings.ReplaceAll(text.Draw(rt, "text"), "\r\n", "\n") // which the reader of CSV does, too
		list := rapid.SliceOfN(rapid.Map(text, func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }), 1, 4).Draw(rt, "list")
		table := readTable(t, writtenAs(t, lookup(t, "csv"), Sheet{Layer: l}, rowOf(t, l, 1, nil, map[string]any{"text": want, "list": list})))
		for _, cell := range table[1] {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
				rt.Errorf("%q is a formula", cell)
			}
		}
		if got := plain(table[1][1]); got != want {
			rt.Errorf("%q reads back as %q", want, got)
		}
		var kept []string // as the register keeps a list
		value, err := l.Fields[1].ParseText(plain(table[1][2]))
		if err == nil {
			kept, _ = value.([]string)
		}
		direct, err2 := l.Fields[1].ParseJSON(anyList(list))
		if wanted, _ := direct.([]string); err != nil || err2 != nil || strings.Join(kept, "|") != strings.Join(wanted, "|") {
			rt.Errorf("%q reads back as %q, %v, %v", list, kept, err, err2)
		}
	})
}

func anyList(list []string) (all []any) {
	for _, s := range list {
		all = append(all, s)
	}
	return all
}

func TestDecimals(t *testing.T) {
	for _, tt := range []struct {
		x        float64
		decimals int
		want     string
	}{
		{103.0165, 7, "103.0165"}, {103.0165, 0, "103"}, {-0.00000001, 7, "0"}, {-0.5, 0, "-1"}, {2.5, 1, "2.5"}, {103.123456789012, 9, "103.123456789"},
		{103.0165, 15, "103.0165"}, {103.123456789012345, 12, "103.123456789012"}, {1.0 / 3, 15, "0.333333333333333"}, {1e-12, 10, "0"}, {1234567.891, 15, "1234567.891"},
		{1e300, 7, ""}, {1e300, 15, ""}, {math.NaN(), 3, ""}, {math.Inf(1), 12, ""},
	} {
		got, ok := appendFixed(nil, tt.x, tt.decimals, math.Pow10(tt.decimals))
		if ok != (tt.want != "") || ok && string(got) != tt.want {
			t.Errorf("%v with %d decimals: %s, %t, want %s", tt.x, tt.decimals, got, ok, tt.want)
		}
	}
}
