package tables

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// oneOfEach is a file of each format, with rows.
func oneOfEach(t testing.TB) map[string]string {
	t.Helper()
	return map[string]string{
		"csv":     shared(t, "messy/toado_vn2000_kttt103.csv"),
		"xlsx":    book(t, sheetXML),
		"geojson": shared(t, "messy/invalid_geometries.geojson"),
		"records": shared(t, "messy/dienbien_communes.geojsonl"),
		"gpkg":    shared(t, "conformance/gpkg_cite/features-0.gpkg"),
		"shp":     shared(t, "messy/shp_vn2000_utf8/huyen.shp"),
		"dbf":     shared(t, "messy/shp_vn2000_utf8/huyen.dbf"),
		"zip":     shared(t, "messy/huyen_utm48.zip"),
		"kml":     shared(t, "messy/dienbien_districts.kml"),
		"fgb":     shared(t, "messy/dienbien_communes.fgb"),
		"mif":     pair(t, "Version 300\nDelimiter \",\"\nColumns 1\nA Char(1)\nData\nPoint 1 2\nNone\n", "a\nb\n"),
		"dxf":     written(t, "x.dxf", drawing("ANSI_1258", string(in1258(t, someDXF)))),
	}
}

// Whatever the format, a table is read again the same, stops where it is told to with the
// error it is told, and ends with its context.
func TestEveryFormatKeepsToTheContract(t *testing.T) {
	stop := errors.New("stop")
	for format, path := range oneOfEach(t) {
		table := opened(t, path, Options{})
		first, again := rowsOf(t, table), rowsOf(t, table)
		if len(first) < 2 || !reflect.DeepEqual(first, again) {
			t.Errorf("%s: %d rows, then %d others", format, len(first), len(again))
		}
		last := int64(0)
		for i := range first {
			checkRow(t, table, &first[i])
			if number := first[i].Number; format != "dxf" && number <= last { // whose texts come last
				t.Errorf("%s: row %d after %d", format, number, last)
			} else {
				last = number
			}
		}
		columns := slices.Clone(table.Columns())
		slices.Sort(columns)
		if len(slices.Compact(columns)) != len(table.Columns()) {
			t.Errorf("%s: %q", format, table.Columns())
		}
		calls := 0
		err := table.Read(t.Context(), func(*Row) error {
			calls++
			return stop
		})
		if !errors.Is(err, stop) || calls != 1 {
			t.Errorf("%s: %d calls, %v", format, calls, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := gather(ctx, table); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: read without a context: %v", format, err)
		}
		if _, err := Open(ctx, path, Options{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: opened without a context: %v", format, err)
		}
	}
}

// Names are of no account: files are known by what is in them.
func TestFormatsAreKnownByContent(t *testing.T) {
	if _, err := Open(t.Context(), filepath.Join(t.TempDir(), "none.csv"), Options{}); err == nil {
		t.Error("a file that is not there was opened")
	}
	if _, err := Open(t.Context(), t.TempDir(), Options{}); err == nil {
		t.Error("a folder was opened")
	}
	for format, path := range oneOfEach(t) {
		if format == "shp" || format == "dbf" {
			continue // these lie beside others
		}
		if link := filepath.Join(t.TempDir(), "x.bin"); link != path {
			content, err := onDisk(path)
			if err != nil {
				t.Fatal(err)
			}
			bytes, err := content.head(t.Context(), int(content.size))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := rowsOf(t, opened(t, written(t, "x.bin", bytes), Options{})), rowsOf(t, opened(t, path, Options{})); len(got) != len(want) {
				t.Errorf("%s: %d rows, want %d", format, len(got), len(want))
			}
		}
	}
}

// A file that ends anywhere is read up to there or refused, but never with a panic, and what
// is said is said in both languages.
func TestFilesThatEndAnywhere(t *testing.T) {
	for format, path := range oneOfEach(t) {
		content, err := onDisk(path)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := content.head(t.Context(), int(min(content.size, 20_000)))
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(whole); at += 1 + len(whole)/40 {
			table, err := Open(t.Context(), written(t, "x", whole[:at]), Options{})
			if err == nil {
				_, err = gather(t.Context(), table)
				err = errors.Join(err, table.Close())
			}
			if err != nil {
				bilingual(t, format, err)
			}
		}
	}
}
