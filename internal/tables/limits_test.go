package tables

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	contract "hatang/api"
)

// declared is an archive of stored files whose list says that the first is so many bytes
// when it is unpacked.
func declared(t *testing.T, packed, unpacked int, more ...string) []byte {
	t.Helper()
	archive := zipped(t, append([]string{"x.csv", noise(packed)}, more...)...)
	at := bytes.Index(archive, []byte("PK\x01\x02"))
	for from, size := range map[int]int{20: packed, 24: unpacked} {
		binary.LittleEndian.PutUint32(archive[at+from:], uint32(size))
	}
	return archive
}

func TestArchivesAtTheirLimits(t *testing.T) {
	files := func(n int) []byte {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf("%d.prj", i), "x")
		}
		return zipped(t, append(list[:2*n-2], "x.csv", someCSV)...)
	}
	const packed = 20_000
	for _, c := range []struct {
		content []byte
		said    string // nothing where it is opened
	}{
		{files(MaxArchiveFiles - 1), ""}, {files(MaxArchiveFiles), ""}, {files(MaxArchiveFiles + 1), "more than 100 files"},
		{declared(t, 6<<20, MaxArchiveBytes-1), ""}, {declared(t, 6<<20, MaxArchiveBytes), ""}, {declared(t, 6<<20, MaxArchiveBytes+1), "more than 512 MB"},
		{declared(t, packed, MaxArchiveRatio*packed), ""}, {declared(t, packed, MaxArchiveRatio*(packed+1)-1), ""}, {declared(t, packed, MaxArchiveRatio*(packed+1)), "more than 100 times"},
	} {
		table, err := Open(t.Context(), written(t, "x.zip", c.content), Options{})
		if err == nil {
			err = table.Close()
		}
		switch {
		case c.said == "" && err != nil && strings.Contains(err.Error(), "more than"): // what it holds is no table
			t.Errorf("%d bytes: %v", len(c.content), err)
		case c.said != "" && (err == nil || !strings.Contains(err.Error(), c.said)):
			t.Errorf("%s: %v", c.said, err)
		}
	}
}

func TestWorkbooksAtTheirLimits(t *testing.T) {
	row := func(number, column int) string {
		return fmt.Sprintf(`<row r="%d"><c r="%s%d"><v>1</v></c></row>`, number, columnName(column), number)
	}
	sheet := func(rows ...string) string {
		return `<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row>` + strings.Join(rows, "") + `</sheetData></worksheet>`
	}
	for _, c := range []struct {
		rows, said string
	}{
		{row(MaxSheetRows-1, 1), ""}, {row(MaxSheetRows, 1), ""}, {row(MaxSheetRows+1, 1), "more than 200000 rows"},
		{row(2, MaxSheetColumns-1), ""}, {row(2, MaxSheetColumns), ""}, {row(2, MaxSheetColumns+1), "more than 200 columns"},
	} {
		path := book(t, sheet(c.rows))
		if c.said == "" {
			if rows, err := gather(t.Context(), opened(t, path, Options{Table: "Cột"})); err != nil || len(rows) != 1 {
				t.Errorf("%s: %d rows, %v", c.rows, len(rows), err)
			}
		} else if got := refusal(t, path, Options{Table: "Cột"}); !strings.Contains(got, c.said) {
			t.Errorf("%s: %s", c.said, got)
		}
	}
	for _, size := range []int{MaxWorkbookBytes - 1, MaxWorkbookBytes, MaxWorkbookBytes + 1} {
		content := declared(t, 6<<20, size-len("<x/>"), "xl/workbook.xml", "<x/>")
		_, err := Open(t.Context(), written(t, "x.xlsx", content), Options{})
		if tooLarge := err != nil && strings.Contains(err.Error(), "more than 256 MB"); tooLarge != (size > MaxWorkbookBytes) {
			t.Errorf("a workbook of %d bytes: %v", size, err)
		}
	}
}

func TestFeaturesAtTheirLimit(t *testing.T) {
	const point = `{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[103,21]}}`
	for _, extra := range []int{-1, 0, 1} {
		long := strings.Replace(point, "{", "{"+strings.Repeat(" ", MaxRowBytes+extra-len(point)), 1)
		table := opened(t, written(t, "x.geojson", []byte(`{"type":"FeatureCollection","features":[`+point+","+long+","+point+`]}`)), Options{})
		rows := rowsOf(t, table)
		if len(rows) != 3 || len(rows[0].Faults)+len(rows[2].Faults) > 0 || len(rows[1].Faults) != max(0, extra) {
			t.Errorf("limit%+d: %d rows, %v", extra, len(rows), rows[1].Faults)
		}
	}
}

// columnName is what a sheet calls a column, counted from 1.
func columnName(n int) (name string) {
	for ; n > 0; n = (n - 1) / 26 {
		name = string(rune('A'+(n-1)%26)) + name
	}
	return name
}

// The limits of files that are read are named in the API's own description.
func TestLimitsAreNamed(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(contract.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"archive_files": float64(MaxArchiveFiles), "archive_bytes": float64(MaxArchiveBytes), "archive_ratio": float64(MaxArchiveRatio), "archives_within": 0.0,
		"workbook_bytes": float64(MaxWorkbookBytes), "sheet_rows": float64(MaxSheetRows), "sheet_columns": float64(MaxSheetColumns),
	}
	if d := cmp.Diff(want, doc.Extensions["x-limits"].(map[string]any)["files_read"]); d != "" {
		t.Errorf("-kept +named:\n%s", d)
	}
}
