package tables

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

const someCSV = "mã,tên\na,b\n"

func TestArchives(t *testing.T) {
	path := written(t, "x.zip", zipped(t, "Thư mục/Danh sách.csv", someCSV, "Thư mục/x.prj", "GEOGCS"))
	table := opened(t, path, Options{})
	if rows := rowsOf(t, table); len(rows) != 1 || guessed(table, "table") != "Thư mục/Danh sách.csv" {
		t.Errorf("%v %v", rows, table.Guesses())
	}
	path = written(t, "x.zip", zipped(t, "a/a.csv", someCSV, "b.csv", "x\ny\n"))
	for _, name := range []string{"a", "A.CSV", "a/a.csv"} {
		if table := opened(t, path, Options{Table: name}); table.Columns()[0] != "mã" {
			t.Errorf("%s: %q", name, table.Columns())
		}
	}
	path = written(t, "x.zip", zipped(t, norm.NFD.String("Xã.csv"), someCSV, "H\xe0.csv", "x\ny\n"))
	for _, name := range []string{"Xã", "H\ufffd", norm.NFD.String("xã.csv")} {
		if rows := rowsOf(t, opened(t, path, Options{Table: name})); len(rows) != 1 {
			t.Errorf("%s: %v", name, rows)
		}
	}
	path = written(t, "x.zip", zipped(t, "a.csv", someCSV, "FIELDS.txt", "what the fields are\n", "Readme.TXT", "x\n"))
	if table := opened(t, path, Options{}); guessed(table, "table") != "a.csv" {
		t.Errorf("beside texts that say what it is: %v", table.Guesses())
	}
	path = written(t, "x.zip", zipped(t, "a/a.csv", someCSV, "b.csv", "x\ny\n"))
	for _, name := range []string{"", "c"} {
		if got := refusal(t, path, Options{Table: name}); !strings.Contains(got, "a/a.csv, b.csv") {
			t.Error(got)
		}
	}
}

func TestArchivesOfOtherFormatsSayAWayRound(t *testing.T) {
	path := written(t, "x.zip", zipped(t, "x.tab", "!table\n!version 300\n", "x.dat", "x", "x.map", "x", "x.id", "x"))
	if got := refusal(t, path, Options{}); !strings.Contains(got, "MapInfo TAB") {
		t.Error(got)
	}
	if rows := rowsOf(t, opened(t, written(t, "x.zip", zipped(t, "x.dbf", string(dbfOf(5, "a", "b")))), Options{})); len(rows) != 2 {
		t.Errorf("attributes alone: %v", rows)
	}
}

func TestHostileArchivesAreRefused(t *testing.T) {
	header := func(change func(*zip.FileHeader)) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		h := &zip.FileHeader{Name: "x.csv"}
		change(h)
		if _, err := w.CreateHeader(h); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	var many []string
	for range MaxArchiveFiles + 1 {
		many = append(many, "x.csv", someCSV)
	}
	whole := zipped(t, "x.csv", someCSV)
	tooLong := shrink(bytes.Clone(whole))
	for _, c := range []struct {
		said    string
		content []byte
	}{
		{"unsafe path", header(func(h *zip.FileHeader) { h.Name = "../x.csv" })},
		{"unsafe path", header(func(h *zip.FileHeader) { h.Name = `..\x.csv` })},
		{"unsafe path", header(func(h *zip.FileHeader) { h.Name = "/x.csv" })},
		{"unsafe path", header(func(h *zip.FileHeader) { h.Name = `C:\x.csv` })},
		{"a link", header(func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink | 0o777) })},
		{"password", header(func(h *zip.FileHeader) { h.Flags = 1 })},
		{"more than 100 files", zipped(t, many...)},
		{"times its size", zipped(t, "x.csv", strings.Repeat("a", 2<<20))},
		{"another archive", zipped(t, "x.zip", string(zipped(t, "x.csv", someCSV)))},
		{"no file that is read", zipped(t)},
		{"damaged", whole[:len(whole)-30]},
		{"damaged", append(bytes.Clone(whole[:len(whole)-22]), append(make([]byte, 9), whole[len(whole)-22:]...)...)},
		{"damaged", tooLong},
		{"OpenDocument", zipped(t, "mimetype", "x", "content.xml", "<x/>")},
		{"Geodatabase", zipped(t, "a.gdb/gdb", "x")},
	} {
		if got := refusal(t, written(t, "x.zip", c.content), Options{}); !strings.Contains(got, c.said) {
			t.Errorf("%s: %s", c.said, got)
		}
	}
	if got := refusal(t, shared(t, "conformance/shapefile_pyshp/empty_zipfile.zip"), Options{}); !strings.Contains(got, "no file that is read") {
		t.Error(got)
	}
}

// shrink makes the list of files say that the first is a byte shorter than it is.
func shrink(archive []byte) []byte {
	at := bytes.Index(archive, []byte("PK\x01\x02"))
	archive[at+24]--
	return archive
}

func TestFormatsThatAreNotReadSayAWayRound(t *testing.T) {
	ole := func(word string) string {
		wide := ""
		for _, c := range word {
			wide += string(c) + "\x00"
		}
		return "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 100) + wide
	}
	for content, said := range map[string]string{
		"!table\n!version 300\n!charset WindowsLatin1\n": "ogr2ogr -f GPKG out.gpkg in.tab",
		"\x08\x09\xfe\x02\x00":                           "ogr2ogr -f GPKG out.gpkg in.dgn",
		ole("Workbook"):                                  "save it as .xlsx or convert it: ogr2ogr -f XLSX out.xlsx in.xls",
		ole("Dgn"):                                       "DGN V8",
		ole("EncryptedPackage"):                          "password",
		"\x00\x01\x00\x00Standard Jet DB\x00":            "ogr2ogr -f GPKG out.gpkg in.mdb",
		"Rar!\x1a\x07\x00":                               "pack it as .zip",
		"AC1032":                                         "AutoCAD DWG",
		"AutoCAD Binary DXF\r\n\x1a\x00":                 "text (ASCII)",
		"<html><table>":                                  "HTML",
		"<?xml version=\"1.0\"?>\n<gpx version=\"1.1\">": "in.gpx",
		"\x00\x01\x02":                                   "no format that is known",
		"\xff\xfe<\x00k\x00":                             "UTF-16",
	} {
		if got := refusal(t, written(t, "x", []byte(content)), Options{}); !strings.Contains(got, said) {
			t.Errorf("%.30q: %s", content, got)
		}
	}
	if got := refusal(t, shared(t, "messy/dienbien_districts_4326_latlon.gml"), Options{}); !strings.Contains(got, "ogr2ogr -f GPKG out.gpkg in.gml") {
		t.Error(got)
	}
}

func FuzzArchive(f *testing.F) {
	f.Add(zipped(f, "x.csv", someCSV))
	fuzzed(f, "x.zip")
}
