package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// archived is a ZIP file of names and contents in turn.
func archived(t *testing.T, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestBadFilesAreNamed: bad files are refused, in words that name the row and the value where there
// are such, and leave everything as it was.
func TestBadFilesAreNamed(t *testing.T) {
	t.Parallel()
	s := demo(t)
	const head = "code,name,status,lon,lat\n"
	const good = "BF-1,Một,existing,103.01,21.40\n"
	feature := func(geometry, more string) string {
		return `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"code":"BF-1","name":"x","status":"existing"` + more + `},"geometry":` + geometry + `}]}`
	}
	placemark := func(inner string) string {
		return `<kml><Placemark><name>x</name>` + inner + `</Placemark></kml>`
	}
	workbook := func(name string) string {
		text := func(s string) string { return `<c t="inlineStr"><is><t>` + s + `</t></is></c>` }
		return archived(t, "xl/workbook.xml", `<workbook xmlns:r="http://x/r"><sheets><sheet name="S" r:id="a"/></sheets></workbook>`,
			"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="a" Target="worksheets/s.xml"/></Relationships>`,
			"xl/worksheets/s.xml", "<worksheet><sheetData><row>"+text("code")+text("name")+text("status")+text("lon")+text("lat")+"</row><row>"+
				text("BF-1")+name+text("existing")+"<c><v>103.01</v></c><c><v>21.4</v></c></row></sheetData></worksheet>")
	}
	before := content(t, s)
	exported := func(name string) string {
		path := filepath.Join(t.TempDir(), name)
		s.command(t, "export", "kiosks", path).wants(t, exitDone, "")
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	half := func(content string) string { return content[:len(content)/2] }
	shapes := unzipped(t, exported("k.shp.zip"))
	for _, tt := range []struct {
		what, file string
		said       []string
	}{
		{"nothing", "", []string{"the file is empty"}},
		{"a heading alone", head, []string{"no rows"}},
		{"GeoJSON of no features", `{"type":"FeatureCollection","features":[]}`, []string{"no features"}},
		{"a misspelt column", "code,n" + "mae,status,lon,lat\n" + good, []string{"n" + "mae", "likely name"}},
		{"a misspelt column and bad cells", "code,n" + "mae,status,lon,lat\nBF-1,a,exsting,103.01,21.40\nBF-2,b,existing,abc,21.40\n", []string{"likely name", "/rows/2/properties/status", "exsting", "/rows/3/properties/lon", "abc"}},
		{"another", "code,name,statu,lon,lat\n" + good, []string{"statu", "likely status"}},
		{"unknown value", head + good + "BF-2,Hai,exsting,103.02,21.41\n", []string{"row 3", "exsting", `"existing"`}},
		{"twice the same code", head + good + good, []string{"row 2", "row 3", "BF-1", "more than once"}},
		{"not a number", head + good + "BF-2,Hai,existing,abc,21.41\n", []string{"row 3", "abc"}},
		{"NaN", head + good + "BF-2,Hai,existing,NaN,21.41\n", []string{"row 3", "NaN"}},
		{"infinite", head + good + "BF-2,Hai,existing,Inf,21.41\n", []string{"row 3", "Inf"}},
		{"no place", head + good + "BF-2,Hai,existing,,\n", []string{"row 3", "geometry"}},
		{"half a place", head + good + "BF-2,Hai,existing,103.02,\n", []string{"row 3", "one of two coordinates"}},
		{"outside the territory", head + good + "BF-2,Hai,existing,13.02,21.41\n", []string{"row 3", "outside the territory", "13.020000"}},
		{"no status", head + good + "BF-2,Hai,,103.02,21.41\n", []string{"row 3", "status"}},
		{"a row too long", head + good + "BF-2,Hai,existing,103.02,21.41,more,and more\n", []string{"row 3", "cell 6", "more"}},
		{"a NUL byte", head + good + "BF-2,H\x00ai,existing,103.02,21.41\n", []string{"row 3", "/properties/name", "NUL"}},
		{"a NUL in GeoJSON", feature(`{"type":"Point","coordinates":[103,21.4]}`, `,"operator":"V\u0000"`), []string{"row 1", "/properties/operator", "NUL"}},
		{"a row of another encoding", head + "BF-1,Trường tiểu học Mường Nhé,existing,103.01,21.40\nBF-2,Tr\xad\xeang ti\xd3u h\xe4c M\xad\xeang Ph\xa8ng,existing,103.02,21.41\n", []string{"row 3", "tcvn3", "Trường tiểu học Mường Phăng"}},
		{"a workbook of formulas alone", workbook(`<c><f>A1</f><v/></c>`), []string{"row 2", "/properties/name", "formula"}},
		{"a workbook of errors", workbook(`<c t="e"><v>#REF!</v></c>`), []string{"row 2", "/properties/name", "#REF!"}},
		{"a polygon of ten million positions", feature(`{"type":"Polygon","coordinates":[[`+strings.Repeat("[103.01,21.4],", 10_000_000)+`[103.01,21.4]]]}`, ""), []string{"longer than"}},
		{"a FlatGeobuf that lacks features", exported("k.fgb")[:len(exported("k.fgb"))-4], []string{"FlatGeobuf"}},
		{"a day that is none", "code,name,status,lon,lat,valid_from\nBF-1,x,existing,103.01,21.4,2020-02-31\n", []string{"row 2", "2020-02-31"}},
		{"an unclosed quotation mark", head + "BF-1,\"Một,existing,103.01,21.40\n", []string{"row 2"}},
		{"no column of the layer", "a,b\n1,2\n", []string{"no column of the layer kiosks"}},
		{"CSV of nothing but commas", strings.Repeat(",,,,\n", 10), []string{"no column of the layer kiosks"}},
		{"GML", `<?xml version="1.0"?><gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml"/>`, []string{"ogr2ogr"}},
		{"a PDF", "%PDF-1.7\n", []string{"PDF"}},
		{"GeoJSON cut off", feature(`{"type":"Point","coordinates":[103,21]}`, "")[:90], []string{"ends in the middle"}},
		{"GeoJSON of a line", feature(`{"type":"LineString","coordinates":[[103,21],[103.1,21.1]]}`, ""), []string{"LineString"}},
		{"GeoJSON without a place", feature(`null`, ""), []string{"geometry"}},
		{"GeoJSON at latitude 91", feature(`{"type":"Point","coordinates":[103,91]}`, ""), []string{"No reading", "territory"}},
		{"GeoJSON of text", feature(`{"type":"Point","coordinates":["103","21"]}`, ""), []string{"row 1", "geometry", "coordinates"}},
		{"GeoJSON of lists in lists", feature(strings.Repeat("[", 100_000), ""), []string{"depth"}},
		{"GeoJSON of an unknown value", feature(`{"type":"Point","coordinates":[103,21.4]}`, `,"status":"exsting"`), []string{"exsting"}},
		{"KML cut off", placemark(`<Point><coordinates>103,21.4`)[:50], []string{"ends in the middle"}},
		{"KML with entities", `<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>` + placemark(`<description>&b;</description>`), []string{"no column of the layer"}},
		{"KML of words for places", placemark(`<Point><coordinates>here,there</coordinates></Point>`), []string{"row 1", `"here" is no coordinate`}},
		{"FlatGeobuf of one line", "fgb\x03fgb\x00\xff\xff\xff\x7f", []string{"FlatGeobuf", "damaged"}},
		{"GeoPackage of one line", "SQLite format 3\x00" + strings.Repeat("\x00", 200), []string{"not a GeoPackage"}},
		{"Shapefile of one line", "\x00\x00\x27\x0a" + strings.Repeat("\x00", 20), []string{".shp", "damaged"}},
		{"MIF without its data", "Version 300\nColumns 1\n  a char(10)\n", []string{"MIF", "no Data"}},
		{"binary DXF", "AutoCAD Binary DXF\r\n\x1a\x00\x00\x00", []string{"binary"}},
		{"DXF cut off", "0\nSECTION\n2\nENTITIES\n0\nPOINT\n10\n", []string{"DXF", "line 7"}},
		{"an empty archive", archived(t), []string{"no file that is read"}},
		{"an archive that climbs out", archived(t, "../../x.csv", head+good), []string{"unsafe path", "../../x.csv"}},
		{"an archive in an archive", archived(t, "x.zip", archived(t, "x.csv", head+good)), []string{"another archive", "x.zip"}},
		{"an archive cut off", archived(t, "x.csv", head+good)[:60], []string{"damaged"}},
		{"an archive of two lists", archived(t, "x.csv", head+good, "y.csv", head+good), []string{"x.csv", "y.csv"}},
		{"an archive that expands without end", archived(t, "x.csv", head+strings.Repeat("a", 200<<20)), []string{"more than 100 times"}},
		{"a workbook without sheets", archived(t, "xl/workbook.xml", "<workbook/>"), []string{"no sheet"}},
		{"FlatGeobuf cut off", half(exported("k.fgb")), []string{"FlatGeobuf"}},
		{"GeoPackage cut off", half(exported("k.gpkg")), []string{"GeoPackage"}},
		{"a workbook cut off", half(exported("k.xlsx")), []string{"damaged"}},
		{"a Shapefile whose table ends early", archived(t, "k.shp", shapes[".shp"], "k.shx", shapes[".shx"], "k.prj", shapes[".prj"], "k.dbf", half(shapes[".dbf"])), []string{".dbf"}},
		{"a Shapefile whose shapes end early", archived(t, "k.shp", half(shapes[".shp"]), "k.dbf", shapes[".dbf"]), []string{".shp"}},
		{"a Shapefile of another place", archived(t, "k.shp", shapes[".shp"], "k.dbf", shapes[".dbf"], "k.prj", strings.Replace(shapes[".prj"], "GEOGCS", "NOTHING", 1)), []string{"NOTHING", "not known"}},
		{"a shape without its table", archived(t, "x.dbf", "\x03"), []string{"no column of the layer"}},
	} {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, []byte(tt.file), 0o600); err != nil {
			t.Fatal(err)
		}
		r := hatang(t, "import", "kiosks", file, "--data", s.dir)
		text := r.stdout + r.stderr
		if r.code != exitFindings || len(tt.said) == 0 || strings.Contains(text, "panic") {
			t.Errorf("%s: exit %d: %.300s", tt.what, r.code, text)
		}
		for _, said := range tt.said {
			if !strings.Contains(text, said) {
				t.Errorf("%s: %q is not said in %.600s", tt.what, said, text)
			}
		}
		if content(t, s) != before {
			t.Fatalf("%s: something was changed", tt.what)
		}
	}
}

// unzipped are the files of a ZIP archive by the ends of their names.
func unzipped(t *testing.T, archive string) map[string]string {
	t.Helper()
	in, err := zip.NewReader(strings.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range in.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Ext(f.Name)] = string(raw)
	}
	return files
}
