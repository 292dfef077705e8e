package tables

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/twpayne/go-geom/encoding/wkt"
)

// shapesOf are the geometries of rows as text, "" for none, or what is wrong with them.
func shapesOf(t testing.TB, rows []Row) []string {
	t.Helper()
	var all []string
	for _, r := range rows {
		text := ""
		if r.Geometry != nil {
			var err error
			if text, err = wkt.Marshal(r.Geometry); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Faults.Err(); err != nil {
			text = err.Error()
		}
		all = append(all, text)
	}
	return all
}

func same(t testing.TB, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) {
			t.Fatalf("%d rows, want %d: %q", len(got), len(want), got)
		}
		if got[i] != want[i] && (!strings.HasPrefix(want[i], "/") || !strings.Contains(got[i], strings.TrimPrefix(want[i], "/"))) {
			t.Errorf("row %d: %s, want %s", i+1, got[i], want[i])
		}
	}
}

func TestKMLOfAnOffice(t *testing.T) {
	path := shared(t, "messy/dienbien_districts.kml")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, written(t, "x.kmz", zipped(t, "files/a.png", "x", "doc.kml", string(content)))} {
		table := opened(t, path, Options{})
		rows := rowsOf(t, table)
		noFaults(t, rows)
		if want := []string{"name", "id", "code", "type", "full_name", "province_code", "area_km2", "pop_2019", "n_communes"}; !slices.Equal(table.Columns(), want) {
			t.Fatalf("%q, want %q", table.Columns(), want)
		}
		if want := []any{"Điện Biên Phủ", "094", "094", "thành phố", "Thành phố Điện Biên Phủ", "11", 63.6684, int64(58519), int64(9)}; len(rows) != 10 || !slices.Equal(rows[0].Cells, want) || table.CRS() != "OGC:CRS84" {
			t.Errorf("%v, want %v", rows[0].Cells, want)
		}
		for _, r := range rows {
			if r.Geometry == nil {
				t.Errorf("row %d has no geometry", r.Number)
			}
		}
	}
}

const someKML = `<?xml version="1.0"?>
<!-- don't <stop> -->
<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"><Document><name>D</name>
<Folder><name>Trạm</name>
<Placemark><name>a</name><description><![CDATA[<b class="x">don't</b>]]></description><ExtendedData><Data name="cao"><displayName>Chiều cao</displayName><value>45</value></Data></ExtendedData>
<Style><name>no</name></Style><Point><coordinates> 103.1, 21.2 ,5 </coordinates></Point></Placemark>
<Placemark><Point><altitudeMode>absolute</altitudeMode><coordinates>103,21,5</coordinates></Point></Placemark></Folder>
<Folder><name>Tuyến</name><Placemark><LineString><coordinates>103,21,0
 104,22,0</coordinates></LineString></Placemark>
<Placemark><Polygon><outerBoundaryIs><LinearRing><coordinates>0,0 9,0 9,9 0,0</coordinates></LinearRing></outerBoundaryIs><innerBoundaryIs><LinearRing><coordinates>5,1 6,1 6,2 5,1</coordinates></LinearRing></innerBoundaryIs></Polygon></Placemark>
<Placemark><MultiGeometry><Point><coordinates>1,2</coordinates></Point><MultiGeometry><Point><coordinates>3,4</coordinates></Point></MultiGeometry></MultiGeometry></Placemark>
<Placemark><MultiGeometry><Polygon><outerBoundaryIs><LinearRing><coordinates>0,0 9,0 9,9 0,0</coordinates></LinearRing></outerBoundaryIs></Polygon></MultiGeometry></Placemark>
<Placemark><MultiGeometry><Point><coordinates>1,2</coordinates></Point><LineString><coordinates>3,4 5,6</coordinates></LineString></MultiGeometry></Placemark>
<Placemark><gx:Track/></Placemark>
<Placemark><Point><coordinates>1;2</coordinates></Point></Placemark>
<Placemark><Point><coordinates>1</coordinates></Point></Placemark>
<Placemark><name>e</name><Point><coordinates/></Point></Placemark></Folder>
<NetworkLink><Link><href>http://x</href></Link></NetworkLink></Document></kml>`

func TestKML(t *testing.T) {
	table := opened(t, written(t, "x", []byte(someKML)), Options{})
	rows := rowsOf(t, table)
	same(t, shapesOf(t, rows), []string{"POINT (103.1 21.2)", "POINT Z (103 21 5)", "LINESTRING (103 21, 104 22)", "POLYGON ((0 0, 9 0, 9 9, 0 0), (5 1, 6 1, 6 2, 5 1))",
		"MULTIPOINT (1 2, 3 4)", "MULTIPOLYGON (((0 0, 9 0, 9 9, 0 0)))", "/collections", "/collections", "/is no coordinate", "/two or three", ""})
	if want := []string{"name", "description", "folder", "cao"}; !slices.Equal(table.Columns(), want) {
		t.Errorf("%q, want %q", table.Columns(), want)
	}
	if want := []any{"a", `<b class="x">don't</b>`, "Trạm", "45"}; !slices.Equal(rows[0].Cells, want) || rows[3].Cells[2] != "Tuyến" {
		t.Errorf("%v, want %v", rows[0].Cells, want)
	}
	if guessed(table, "links") != "1" {
		t.Error(table.Guesses())
	}
}

func TestHostileKMLIsRefused(t *testing.T) {
	for said, content := range map[string]string{
		"no placemarks":            "<kml></kml>",
		"ends in the middle":       "<kml><Placemark>",
		"deep":                     "<kml>" + strings.Repeat("<Folder>", 100),
		"an element is longer":     "<kml><Placemark><name>" + strings.Repeat("a", MaxRowBytes+100_000),
		"a tag of XML":             "<kml><Placemark " + strings.Repeat("a='' ", maxTag),
		"invalid character entity": `<kml><!DOCTYPE kml [<!ENTITY a "b">]><Placemark><name>&a;</name></Placemark></kml>`,
		"more than 1000 columns":   "<kml><Placemark><ExtendedData>" + manyData(MaxColumns+1) + "</ExtendedData></Placemark></kml>",
		"is not known":             `<?xml version="1.0" encoding="klingon"?><kml/>`,
	} {
		if got := refusal(t, written(t, "x.kml", []byte(content)), Options{}); !strings.Contains(got, said) {
			t.Errorf("%s: %s", said, got)
		}
	}
}

func manyData(n int) string {
	var b bytes.Buffer
	for i := range n {
		b.WriteString(`<SimpleData name="` + cellName(i, 1) + `">b</SimpleData>`)
	}
	return b.String()
}

func FuzzKML(f *testing.F) {
	f.Add([]byte(someKML))
	fuzzed(f, "x.kml")
}
