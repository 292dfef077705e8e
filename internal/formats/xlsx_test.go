package formats

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/layer"
)

// membersOf are the files in a zip, by name.
func membersOf(t testing.TB, raw []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name] = string(content)
	}
	return all
}

// excelCells reads a sheet: the content of each cell by its place, with its type and style before it.
func excelCells(t testing.TB, sheet string) map[string]string {
	t.Helper()
	var doc struct {
		Cells []struct {
			Ref    string `xml:"r,attr"`
			Type   string `xml:"t,attr"`
			Style  string `xml:"s,attr"`
			Value  string `xml:"v"`
			Inline string `xml:"is>t"`
			Extra  string `xml:"f"`
		} `xml:"sheetData>row>c"`
	}
	if err := xml.Unmarshal([]byte(sheet), &doc); err != nil {
		t.Fatalf("%v\n%s", err, sheet)
	}
	cells := map[string]string{}
	for _, c := range doc.Cells {
		cells[c.Ref] = c.Type + c.Style + ":" + c.Value + c.Inline
		if c.Extra != "" {
			t.Errorf("%s is a formula", c.Ref)
		}
	}
	return cells
}

func excelOf(t testing.TB, s Sheet, rows ...*layer.Row) map[string]string {
	t.Helper()
	return excelCells(t, membersOf(t, writtenAs(t, lookup(t, "xlsx"), s, rows...))["xl/worksheets/sheet1.xml"])
}

func kindsLayer() *layer.Layer {
	return &layer.Layer{Name: "things", Geometry: layer.Point, Fields: []layer.Field{
		{Name: "text", Kind: layer.Text}, {Name: "whole", Kind: layer.Integer}, {Name: "number", Kind: layer.Number}, {Name: "yes", Kind: layer.Boolean},
		{Name: "day", Kind: layer.Date}, {Name: "at", Kind: layer.Timestamp}, {Name: "list", Kind: layer.TextList}}}
}

func TestExcelCells(t *testing.T) {
	l := kindsLayer()
	row := func(id int64, text string, whole int, number float64, yes bool, day geo.Date, at time.Time) *layer.Row {
		return rowOf(t, l, id, marshal(t, orb.Point{103.12345678, -21}, le), map[string]any{"text": text, "whole": whole, "number": number, "yes": yes, "day": day, "at": at, "list": []string{"=a", "b"}})
	}
	last, beyond := row(3, "", 0, math.Inf(1), true, geo.Date{}, time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)), rowOf(t, l, 4, nil, nil)
	last.Values[4], beyond.Values[4] = be.AppendUint32(nil, 2921939), be.AppendUint32(nil, 2921940) // 9999-12-31, and the day after it
	got := excelOf(t, Sheet{Layer: l},
		row(1<<53, "=1+1", -1<<53, -0.1, true, geo.NewDate(1900, 3, 1), time.Date(1999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)),
		row(1<<53+1, "_x0041_ \x01\r\n<&>", 1<<53+1, 1e300, false, geo.NewDate(1900, 2, 28), time.Date(1900, 2, 28, 23, 0, 0, 0, time.UTC)),
		last, beyond)
	want := map[string]string{
		"A1": "inlineStr3:id", "B1": "inlineStr3:text", "C1": "inlineStr3:whole", "D1": "inlineStr3:number", "E1": "inlineStr3:yes", "F1": "inlineStr3:day", "G1": "inlineStr3:at",
		"H1": "inlineStr3:list", "I1": "inlineStr3:lon", "J1": "inlineStr3:lat",
		"A2": ":9007199254740992", "B2": "inlineStr4:=1+1", "C2": ":-9007199254740992", "D2": ":-0.1", "E2": "b:1", "F2": "1:61", "G2": "2:36525.99999999999",
		"H2": "inlineStr4:=a,b", "I2": ":103.1234568", "J2": ":-21",
		"A3": "inlineStr4:9007199254740993", "B3": "inlineStr4:_x005F_x0041_ _x0001_\r\n<&>", "C3": "inlineStr4:9007199254740993", "D3": ":1e+300", "E3": "b:0",
		"F3": "inlineStr4:1900-02-28", "G3": "inlineStr4:1900-02-28T23:00:00Z", "H3": "inlineStr4:=a,b", "I3": ":103.1234568", "J3": ":-21",
		"A4": ":3", "B4": "inlineStr4:", "C4": ":0", "E4": "b:1", "F4": "1:2958465", "G4": "2:46024.50000000000", "H4": "inlineStr4:=a,b", "I4": ":103.1234568", "J4": ":-21",
		"A5": ":4", "F5": "inlineStr4:10000-01-01",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestPlacesInExcel(t *testing.T) {
	l := kindsLayer()
	point := rowOf(t, l, 1, marshal(t, orb.Point{103.0165, 21.3826}, le), nil)
	if got := excelOf(t, Sheet{Layer: l, CRS: crsOf(t, 9205)}, point); got["I1"] != "inlineStr3:x" || got["I2"] != ":501514.752" || got["J2"] != ":2365307.112" {
		t.Errorf("on a grid: %v", got)
	}
	ducts := layerOf(t, "ducts")
	last := columnLetters(1 + len(ducts.Fields))
	got := excelOf(t, Sheet{Layer: ducts, WithZ: true}, sheets(t)["ducts"]...)
	if got[last+"1"] != "inlineStr3:wkt" || got[last+"2"] != "inlineStr4:MULTILINESTRING Z ((103 21 -1.25, 103.1 21.1 -2), (104 22 0, 104.5 22 1))" {
		t.Errorf("lines: %v", got)
	}
}

// A row or a character too many is told, with what else can be asked for.
func TestExcelAtItsLimits(t *testing.T) {
	l := kindsLayer()
	row := rowOf(t, l, 1, nil, nil)
	writer := func() *workbook {
		w, err := newWorkbook(Sheet{Layer: l})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.Close() })
		if _, err := w.Begin(nil); err != nil {
			t.Fatal(err)
		}
		return w.(*workbook)
	}
	var misfit *UnfitError
	w := writer()
	w.row = MaxExcelRows - 2
	for n, want := range []bool{false, false, true} {
		if _, err := w.Append(nil, row); errors.As(err, &misfit) != want || !want && err != nil {
			t.Errorf("row %d: %v", MaxExcelRows-1+n, err)
		}
	}
	if !strings.Contains(misfit.Text.EN, "1048576") || !strings.Contains(misfit.Text.VI, "1048576") {
		t.Errorf("%+v", misfit)
	}
	w = writer()
	w.bytes = maxSheetBytes - 10
	if _, err := w.Append(nil, row); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a sheet of four gigabytes: %v", err)
	}
	for text, want := range map[string]bool{
		strings.Repeat("ă", MaxExcelCharacters): false, strings.Repeat("x", MaxExcelCharacters+1): true,
		strings.Repeat("😀", MaxExcelCharacters/2) + "x": false, strings.Repeat("😀", MaxExcelCharacters/2+1): true, // two units of UTF-16 each
	} {
		_, err := writer().Append(nil, rowOf(t, l, 1, nil, map[string]any{"text": text}))
		if errors.As(err, &misfit) != want || !want && err != nil || want && !strings.Contains(misfit.Text.EN, "B2") {
			t.Errorf("%d bytes: %v", len(text), err)
		}
	}
}

// The second sheet says what the fields are, in both languages.
func TestExcelFields(t *testing.T) {
	l := layerOf(t, "bts_sites")
	all := membersOf(t, writtenAs(t, lookup(t, "xlsx"), Sheet{Layer: l}))
	if !strings.Contains(all["xl/workbook.xml"], `<sheet name="bts_sites"`) || !strings.Contains(all["xl/workbook.xml"], `<sheet name="fields"`) {
		t.Errorf("sheets: %s", all["xl/workbook.xml"])
	}
	sheet := all["xl/worksheets/sheet2.xml"]
	for _, want := range []string{"height_m", ">m<", "Chiều cao (m)", "Height (m)", "A2b – cồng kềnh, trên mặt đất", "timestamp (UTC)"} {
		if !strings.Contains(sheet, want) {
			t.Errorf("the fields do not say %q", want)
		}
	}
	rows := 1
	for _, f := range l.Fields {
		rows += 1 + len(f.Values)
	}
	if n := strings.Count(sheet, "<row "); n != rows {
		t.Errorf("%d rows, want %d", n, rows)
	}
	for name, want := range map[string][2]string{"fields": {"fields", "_fields"}, strings.Repeat("x", 41): {strings.Repeat("x", 31), "fields"}} {
		if a, b := sheetNames(&layer.Layer{Name: name}); a != want[0] || b != want[1] {
			t.Errorf("%s: %s, %s", name, a, b)
		}
	}
	for i, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 701: "ZZ", 702: "AAA", 16383: "XFD"} {
		if got := columnLetters(i); got != want {
			t.Errorf("column %d is %s, want %s", i, got, want)
		}
	}
}
