package tables

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
)

// zipped is an archive of files: names and contents by turns.
func zipped(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err == nil {
			_, err = f.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const (
	bookXML  = `<workbook xmlns:r="http://x/r"><workbookPr/><sheets><sheet name="Ẩn" sheetId="1" state="hidden" r:id="rId1"/><sheet name="Trống" r:id="rId2"/><sheet name="Cột" r:id="rId3"/><sheet name="Khác" r:id="rId4"/></sheets></workbook>`
	relsXML  = `<Relationships><Relationship Id="rId1" Target="worksheets/s1.xml"/><Relationship Id="rId2" Target="/xl/worksheets/s2.xml"/><Relationship Id="rId3" Target="worksheets/s3.xml"/><Relationship Id="rId4" Target="worksheets/s1.xml"/></Relationships>`
	emptyXML = `<worksheet><sheetData/></worksheet>`
	styleXML = `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy;@"/><numFmt numFmtId="165" formatCode="00000"/><numFmt numFmtId="166" formatCode="0.00&quot; ngày&quot;"/></numFmts>` +
		`<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="166"/><xf numFmtId="22"/></cellXfs></styleSheet>`
	textsXML = `<sst><si><t>Mã</t></si><si><r><t>Tên </t></r><r><t>cột</t></r><rPh><t>x</t></rPh></si><si><t>Toạ độ</t></si></sst>`
)

// book is a workbook with a sheet of the rows.
func book(t testing.TB, rows string, more ...string) string {
	t.Helper()
	files := append([]string{"xl/workbook.xml", bookXML, "xl/_rels/workbook.xml.rels", relsXML, "xl/worksheets/s1.xml", `<worksheet><sheetData><row><c t="inlineStr"><is><t>bí mật</t></is></c></row></sheetData></worksheet>`,
		"xl/worksheets/s2.xml", emptyXML, "xl/styles.xml", styleXML, "xl/sharedStrings.xml", textsXML, "xl/worksheets/s3.xml", rows}, more...)
	return written(t, "x.xlsx", zipped(t, files...))
}

const sheetXML = `<worksheet><sheetData>
<row r="1"><c r="A1" t="inlineStr"><is><t>DANH SÁCH CỘT</t></is></c></row>
<row r="3"><c r="A3" t="s"><v>0</v></c><c r="B3" t="s"><v>1</v></c><c r="C3" t="s"><v>2</v></c><c r="E3" t="inlineStr"><is><t>Ngày</t></is></c><c r="F3" t="inlineStr"><is><t>Đủ</t></is></c><c r="G3" t="inlineStr"><is><t>Huyện</t></is></c></row>
<row r="4"><c r="C4" t="inlineStr"><is><t>X</t></is></c><c r="D4" t="inlineStr"><is><t>Y</t></is></c></row>
<row r="5"><c r="A5" s="2"><v>3124</v></c><c r="B5" t="str"><f>A1</f><v>Cột 1</v></c><c r="C5"><v>2365624.08</v></c><c r="D5" s="3"><v>503281</v></c><c r="E5" s="1"><v>44119</v></c><c r="F5" t="b"><v>1</v></c><c r="G5" t="inlineStr"><is><t>Tủa Chùa</t></is></c></row>
<row r="6"><c r="A6"/></row>
<row r="7"><c r="A7" t="inlineStr"><is><t>b</t></is></c><c r="B7" t="e"><v>#REF!</v></c><c r="C7"><v>1E+2</v></c><c r="E7" s="4"><v>44119.5</v></c></row>
<row r="8"><c t="inlineStr"><is><t>c</t></is></c></row>
</sheetData><mergeCells count="2"><mergeCell ref="A1:G1"/><mergeCell ref="G5:G7"/></mergeCells></worksheet>`

func TestWorkbook(t *testing.T) {
	table := opened(t, book(t, sheetXML), Options{})
	if want := []string{"Mã", "Tên cột", "Toạ độ X", "Toạ độ Y", "Ngày", "Đủ", "Huyện"}; !slices.Equal(table.Columns(), want) {
		t.Fatalf("%q, want %q", table.Columns(), want)
	}
	for what, want := range map[string]string{"table": "Cột", "header_row": "3", "header_rows": "2", "joined_cells": "filled"} {
		if got := guessed(table, what); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	rows := rowsOf(t, table)
	if len(rows) != 3 || rows[0].Number != 5 || rows[1].Number != 7 {
		t.Fatalf("%v", rows)
	}
	day := time.Date(2020, 10, 15, 0, 0, 0, 0, time.UTC)
	if want := []any{"03124", "Cột 1", 2365624.08, int64(503281), day, true, "Tủa Chùa"}; !slices.Equal(rows[0].Cells, want) {
		t.Errorf("%v, want %v", rows[0].Cells, want)
	}
	if want := []any{"b", nil, int64(100), nil, day.Add(12 * time.Hour), nil, "Tủa Chùa"}; !slices.Equal(rows[1].Cells, want) {
		t.Errorf("%v, want %v", rows[1].Cells, want)
	}
	if err := rows[1].Faults.Err(); err == nil || !strings.Contains(err.Error(), "/properties/Tên cột: the cell holds the error #REF!") {
		t.Errorf("%v", err)
	}
	if rows[2].Cells[6] != nil {
		t.Errorf("below the joined cells: %v", rows[2].Cells)
	}
}

func TestSheetThatIsMeant(t *testing.T) {
	path := book(t, sheetXML)
	if got := opened(t, path, Options{Table: "ẩn", HeaderRow: -1}); rowsOf(t, got)[0].Cells[0] != "bí mật" {
		t.Error("another sheet was read")
	}
	if got := refusal(t, path, Options{Table: "nào"}); !strings.Contains(got, "Ẩn, Trống, Cột, Khác") {
		t.Error(got)
	}
	if got := refusal(t, path, Options{Table: "Trống"}); !strings.Contains(got, "empty") {
		t.Error(got)
	}
	if got := opened(t, path, Options{HeaderRow: 5}); got.Columns()[0] != "03124" {
		t.Errorf("%q", got.Columns())
	}
}

// A workbook whose sheets are all hidden, or empty, is not empty: who sends it may name one.
func TestSheetsThatAreAllHidden(t *testing.T) {
	path := written(t, "x.xlsx", zipped(t, "xl/workbook.xml", strings.Replace(bookXML, `name="Khác"`, `name="Khác" state="veryHidden"`, 1), "xl/_rels/workbook.xml.rels", relsXML,
		"xl/worksheets/s1.xml", sheetXML, "xl/worksheets/s2.xml", emptyXML, "xl/worksheets/s3.xml", emptyXML))
	_, err := Open(t.Context(), path, Options{})
	if err == nil || !strings.Contains(err.Error(), "hidden sheets can have rows: Ẩn, Khác") {
		t.Errorf("%v", err)
	}
}

func TestWorkbookInAnOldFont(t *testing.T) {
	old, err := charmap.ISO8859_1.NewDecoder().Bytes(inTCVN3("Phường Him Lam, xã Mường Pồn, được duyệt"))
	if err != nil {
		t.Fatal(err)
	}
	cellOf := func(s string) string { return `<row><c t="inlineStr"><is><t>` + s + `</t></is></c></row>` }
	table := opened(t, book(t, "<worksheet><sheetData>"+cellOf("ten")+cellOf(string(old))+cellOf("Hà")+"</sheetData></worksheet>"), Options{})
	rows := rowsOf(t, table)
	if guessed(table, "encoding") != "tcvn3" || rows[0].Cells[0] != "Phường Him Lam, xã Mường Pồn, được duyệt" {
		t.Errorf("%v %v", table.Guesses(), rows)
	}
}

// GDAL writes a workbook of a file of text, which reads the same.
func TestWorkbookOfGDAL(t *testing.T) {
	source := shared(t, "tables/dienbien_communes.csv")
	path := filepath.Join(t.TempDir(), "x.xlsx")
	if out, err := exec.Command("ogr2ogr", "-f", "XLSX", path, source, "-oo", "AUTODETECT_TYPE=YES").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want, got := opened(t, source, Options{}), opened(t, path, Options{})
	texts, values := rowsOf(t, want), rowsOf(t, got)
	if !slices.Equal(want.Columns(), got.Columns()) || len(texts) != len(values) || len(texts) != 130 {
		t.Fatalf("%q, %d rows; %q, %d rows", want.Columns(), len(texts), got.Columns(), len(values))
	}
	name := slices.Index(want.Columns(), "full_name")
	for i := range texts {
		if texts[i].Cells[name] != values[i].Cells[name] || values[i].Number != texts[i].Number {
			t.Errorf("%v, want %v", values[i], texts[i])
		}
	}
}

func TestHostileWorkbooksAreRefused(t *testing.T) {
	sheet := func(rows string) string { return "<worksheet><sheetData>" + rows + "</sheetData></worksheet>" }
	for said, path := range map[string]string{
		"more than 200000 rows":    book(t, sheet(`<row r="200001"><c><v>1</v></c></row>`)),
		"more than 200 columns":    book(t, sheet(`<row><c r="ZZ1"><v>1</v></c></row>`)),
		"deep":                     book(t, strings.Repeat("<a>", 100)),
		"a tag of XML":             book(t, `<a b="`+noise(maxTag+1)+`"/>`),
		"an element is longer":     book(t, sheet("<row>"+strings.ReplaceAll(noise(2*maxElement), "7", "<c/>")+"</row>")),
		"the XML is broken":        book(t, "<worksheet><sheetData><row></c>"),
		"ends in the middle":       book(t, "<worksheet><sheetData><row><c>"),
		"invalid character entity": book(t, `<!DOCTYPE a [<!ENTITY b "c">]><worksheet><sheetData><row><c><v>&b;</v></c></row></sheetData></worksheet>`),
		"no sheet":                 written(t, "x.xlsx", zipped(t, "xl/workbook.xml", "<workbook/>")),
		"lacks the sheet":          written(t, "x.xlsx", zipped(t, "xl/workbook.xml", bookXML)),
		"times its size":           book(t, sheet(strings.Repeat("<row/>", 1<<20))),
	} {
		if got := refusal(t, path, Options{Table: "Cột"}); !strings.Contains(got, said) {
			t.Errorf("%s: %s", said, got)
		}
	}
}

// noise is digits that cannot be packed well.
func noise(n int) string {
	var b strings.Builder
	for x := uint32(1); b.Len() < n; x = x*1664525 + 1013904223 {
		fmt.Fprint(&b, x)
	}
	return b.String()[:n]
}

func FuzzSheet(f *testing.F) {
	f.Add([]byte(sheetXML))
	f.Fuzz(func(t *testing.T, content []byte) {
		table, err := Open(t.Context(), book(t, string(content)), Options{Table: "Cột"})
		if err != nil {
			return
		}
		defer table.Close()
		_ = table.Read(t.Context(), func(r *Row) error {
			checkRow(t, table, r)
			return nil
		})
	})
}
