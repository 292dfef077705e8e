package formats

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hatang/internal/layer"
)

// kmlFile is a KML document as a reader sees it.
type kmlFile struct {
	XMLName  xml.Name `xml:"http://www.opengis.net/kml/2.2 kml"`
	Document struct {
		Name   string `xml:"name"`
		Styles []struct {
			ID    string `xml:"id,attr"`
			Color string `xml:"LineStyle>color"`
		} `xml:"Style"`
		Fields []struct {
			Type string `xml:"type,attr"`
			Name string `xml:"name,attr"`
		} `xml:"Schema>SimpleField"`
		Placemarks []struct {
			ID    string `xml:"id,attr"`
			Name  string `xml:"name"`
			Style string `xml:"styleUrl"`
			Data  []struct {
				Name  string `xml:"name,attr"`
				Value string `xml:",chardata"`
			} `xml:"ExtendedData>SchemaData>SimpleData"`
			Inner string `xml:",innerxml"`
		} `xml:"Placemark"`
	} `xml:"Document"`
}

func readKML(t testing.TB, s Sheet, rows ...*layer.Row) (doc kmlFile) {
	t.Helper()
	raw := writtenAs(t, lookup(t, "kml"), s, rows...)
	if err := xml.Unmarshal(raw, &doc); err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	return doc
}

func TestKML(t *testing.T) {
	l := layerOf(t, "bts_sites")
	doc := readKML(t, Sheet{Layer: l, Language: "vi"}, sheets(t)["bts_sites"]...).Document
	if doc.Name != l.Title.VI || len(doc.Fields) != len(l.Fields)+1 || len(doc.Placemarks) != 2 {
		t.Fatalf("%q with %d fields and %d placemarks", doc.Name, len(doc.Fields), len(doc.Placemarks))
	}
	types := map[string]string{}
	for _, f := range doc.Fields {
		types[f.Name] = f.Type
	}
	if types["height_m"] != "double" || types["concealed"] != "bool" || types["valid_from"] != "string" || types["id"] != "string" {
		t.Errorf("types %v", types)
	}
	colours := map[string]string{}
	for _, s := range doc.Styles {
		colours["#"+s.ID] = s.Color
	}
	first, second := doc.Placemarks[0], doc.Placemarks[1]
	if colours[first.Style] != "ff2827d6" { // #d62728 of A2b, blue first
		t.Errorf("style %s of %v", first.Style, colours)
	}
	if second.Style != "#layer" || colours["#layer"] == "" {
		t.Errorf("a value without colour has the style %s of %v", second.Style, colours)
	}
	values := map[string]string{}
	for _, d := range first.Data {
		values[d.Name] = d.Value
	}
	want := map[string]string{"id": "3", "code": "A,1", "name": "Mường Ảng \"<&>\"\n", "valid_from": "2016-01-02", "valid_to": "1999-12-31", "jurisdiction": "x", "source": "",
		"illustrative": "0", "revision": "1", "updated_at": "2026-01-02T03:04:05.678Z", "status": "x", "mast_type": "A2b", "concealed": "1", "height_m": "45.25",
		"technologies": "2G,3G", "contact": "=1+1"}
	if d := cmp.Diff(want, values); d != "" {
		t.Error(d)
	}
	if first.Name != want["name"] || first.ID != "bts_sites.3" || !strings.HasSuffix(first.Inner, "<Point><coordinates>103.0165,21.3826</coordinates></Point>") {
		t.Errorf("placemark %q, %s: %s", first.Name, first.ID, first.Inner)
	}
	if second.Name != " \ufffd " {
		t.Errorf("a character that XML has not is written as %q", second.Name)
	}
}

func TestGeometriesInKML(t *testing.T) {
	rows := sheets(t)
	for _, tt := range []struct {
		layer string
		withZ bool
		want  string
	}{
		{"ducts", false, "<MultiGeometry><LineString><coordinates>103,21 103.1,21.1</coordinates></LineString><LineString><coordinates>104,22 104.5,22</coordinates></LineString></MultiGeometry>"},
		{"ducts", true, "<MultiGeometry><LineString><altitudeMode>relativeToGround</altitudeMode><coordinates>103,21,-1.25 103.1,21.1,-2</coordinates></LineString>" +
			"<LineString><altitudeMode>relativeToGround</altitudeMode><coordinates>104,22,0 104.5,22,1</coordinates></LineString></MultiGeometry>"},
		{"communes", true, "<MultiGeometry><Polygon><outerBoundaryIs><LinearRing><coordinates>103,21 104,21 104,22 103,22 103,21</coordinates></LinearRing></outerBoundaryIs>" +
			"<innerBoundaryIs><LinearRing><coordinates>103.2,21.2 103.2,21.4 103.4,21.4 103.2,21.2</coordinates></LinearRing></innerBoundaryIs></Polygon>" +
			"<Polygon><outerBoundaryIs><LinearRing><coordinates>103,21 104,21 104,22 103,22 103,21</coordinates></LinearRing></outerBoundaryIs></Polygon></MultiGeometry>"},
	} {
		doc := readKML(t, Sheet{Layer: layerOf(t, tt.layer), WithZ: tt.withZ}, rows[tt.layer]...)
		inner := doc.Document.Placemarks[0].Inner
		if _, got, _ := strings.Cut(inner, "</ExtendedData>"); got != tt.want {
			t.Errorf("%s, heights %t:\n%s\nwant\n%s", tt.layer, tt.withZ, got, tt.want)
		}
	}
	if inner := readKML(t, Sheet{Layer: layerOf(t, "communes")}, rows["communes"]...).Document.Placemarks[1].Inner; !strings.HasSuffix(inner, "</ExtendedData>") {
		t.Errorf("a row without geometry: %s", inner)
	}
}
