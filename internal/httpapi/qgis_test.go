package httpapi

import (
	"encoding/xml"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"hatang/geo"
	"hatang/internal/layer"
)

// qml is what QGIS reads of a style.
type qml struct {
	XMLName  xml.Name `xml:"qgis"`
	Kind     string   `xml:"layerGeometryType"`
	Renderer *struct {
		Type       string `xml:"type,attr"`
		Attr       string `xml:"attr,attr"`
		Categories []struct {
			Value  string `xml:"value,attr"`
			Label  string `xml:"label,attr"`
			Symbol string `xml:"symbol,attr"`
		} `xml:"categories>category"`
		Symbols []struct {
			Name  string `xml:"name,attr"`
			Type  string `xml:"type,attr"`
			Layer struct {
				Class   string `xml:"class,attr"`
				Options []struct {
					Name  string `xml:"name,attr"`
					Value string `xml:"value,attr"`
				} `xml:"Option>Option"`
			} `xml:"layer"`
		} `xml:"symbols>symbol"`
	} `xml:"renderer-v2"`
	Aliases []struct {
		Field string `xml:"field,attr"`
		Name  string `xml:"name,attr"`
	} `xml:"aliases>alias"`
	Fields []struct {
		Name   string `xml:"name,attr"`
		Widget struct {
			Type   string `xml:"type,attr"`
			Values []struct {
				Title string `xml:"name,attr"`
				Code  string `xml:"value,attr"`
			} `xml:"config>Option>Option>Option>Option"`
		} `xml:"editWidget"`
	} `xml:"fieldConfiguration>field"`
}

// qmlOf fetches a layer's style by the link of its collection.
func qmlOf(t *testing.T, h http.Handler, name, language string) (q qml) {
	t.Helper()
	href := linkTo(decode(t, do(h, "GET", "/api/v1/collections/"+name, "")), relStylesheet)
	w := do(h, "GET", strings.TrimPrefix(href, "http://example.com"), "", "Accept-Language: "+language)
	if w.Code != 200 || w.Header().Get("Content-Type") != typeQML || w.Header().Get("Content-Disposition") != `attachment; filename="`+name+`.qml"` {
		t.Fatalf("%s: %d, %v", name, w.Code, w.Header())
	}
	if !strings.HasPrefix(w.Body.String(), "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n<qgis ") {
		t.Errorf("%s begins %.80q", name, w.Body)
	}
	if err := xml.Unmarshal(w.Body.Bytes(), &q); err != nil {
		t.Fatal(err)
	}
	return q
}

// The styles for QGIS have the legend, the titles and the values of the registry.
func TestQGISStyles(t *testing.T) {
	a := apiOf(t, &fakeStore{})
	h := a.router()
	kinds := map[layer.GeometryType][2]string{layer.Point: {"0", "marker"}, layer.MultiLineString: {"1", "line"}, layer.MultiPolygon: {"2", "fill"}}
	rgb := regexp.MustCompile(`^\d+,\d+,\d+,\d+$`)
	for _, l := range a.Registry.Whole().All() {
		q := qmlOf(t, h, l.Name, "vi")
		coloured := 0
		if f, ok := l.Field(l.ColourBy); ok {
			for _, v := range f.Values {
				if v.Colour != "" {
					coloured++
				}
			}
			if coloured > 0 && (len(q.Renderer.Categories) != coloured+1 || q.Renderer.Attr != l.ColourBy || q.Renderer.Type != "categorizedSymbol") {
				t.Errorf("%s: %+v", l.Name, q.Renderer)
			}
		}
		if coloured == 0 && q.Renderer.Type != "singleSymbol" {
			t.Errorf("%s: %+v", l.Name, q.Renderer)
		}
		if q.Kind != kinds[l.Geometry][0] || len(q.Renderer.Symbols) != coloured+1 || len(q.Aliases) != len(l.Fields) {
			t.Errorf("%s: kind %s, %d symbols, %d titles", l.Name, q.Kind, len(q.Renderer.Symbols), len(q.Aliases))
		}
		for i, s := range q.Renderer.Symbols {
			if s.Name != strconv.Itoa(i) || s.Type != kinds[l.Geometry][1] {
				t.Errorf("%s: symbol %+v", l.Name, s)
			}
			for _, o := range s.Layer.Options {
				if strings.HasSuffix(o.Name, "color") && !rgb.MatchString(o.Value) {
					t.Errorf("%s: %s is %s", l.Name, o.Name, o.Value)
				}
			}
		}
	}
	vi, en := qmlOf(t, h, "bts_sites", "vi"), qmlOf(t, h, "bts_sites", "en")
	if got := vi.Renderer.Symbols[0].Layer.Options[1]; got.Name != "color" || got.Value != "44,160,44,255" || vi.Renderer.Categories[0].Value != "A1a" {
		t.Errorf("A1a is %+v", got) // #2ca02c
	}
	if vi.Aliases[0].Field != "code" || vi.Aliases[0].Name == en.Aliases[0].Name {
		t.Errorf("%+v, %+v", vi.Aliases[0], en.Aliases[0])
	}
	for _, f := range vi.Fields {
		if f.Name == "status" && (f.Widget.Type != "ValueMap" || len(f.Widget.Values) < 3 || f.Widget.Values[0].Code == f.Widget.Values[0].Title) {
			t.Errorf("%+v", f.Widget)
		}
	}
}

// Whatever titles have in them, a style is good XML; a layer of all kinds of geometries has
// no symbols, of which QGIS takes one kind alone, and one of several points has points.
func TestQGISStylesOfReferenceLayers(t *testing.T) {
	a := apiOf(t, &fakeStore{})
	title := geo.Text{VI: `<a "b" & 'c'>`, EN: `]]>`}
	odd := layer.Layer{Name: "odd", Geometry: layer.AnyGeometry, Title: title, Doc: title, Colour: "red"}
	points := layer.Layer{Name: "points", Geometry: layer.MultiPoint, Title: title, Doc: title, Colour: "#010203"}
	if err := a.Registry.Replace([]layer.Layer{odd, points}); err != nil {
		t.Fatal(err)
	}
	h := a.router()
	if q := qmlOf(t, h, "odd", "vi"); q.Renderer != nil || q.Kind != "" {
		t.Errorf("%+v", q)
	}
	if q := qmlOf(t, h, "points", "en"); q.Kind != "0" || q.Renderer.Symbols[0].Layer.Options[1].Value != "1,2,3,255" {
		t.Errorf("%+v", q)
	}
	style := decode(t, do(h, "GET", "/api/v1/styles/odd", ""))
	var ids []string
	for _, raw := range style["layers"].([]any) {
		l := raw.(map[string]any)
		ids = append(ids, l["id"].(string))
		if l["filter"] == nil {
			t.Errorf("%v draws every kind of geometry", l)
		}
	}
	if strings.Join(ids, " ") != "odd-areas odd-areas-outline odd-lines odd-points" {
		t.Errorf("the style has %v", ids)
	}
	if of := decode(t, do(h, "GET", "/api/v1/styles/points", ""))["layers"].([]any); len(of) != 1 || of[0].(map[string]any)["type"] != "circle" {
		t.Errorf("%v", of)
	}
}

func TestQGISConnections(t *testing.T) {
	h := handlerOf(t, &fakeStore{rows: siteRows(t, 1, "x")})
	type connection struct {
		Name    string `xml:"name,attr"`
		URL     string `xml:"url,attr"`
		Version string `xml:"version,attr"`
		Paging  string `xml:"pagingenabled,attr"`
		ZMax    string `xml:"zmax,attr"`
		Style   string `xml:"styleUrl,attr"`
	}
	var features struct {
		XMLName xml.Name   `xml:"qgsWFSConnections"`
		WFS     connection `xml:"wfs"`
	}
	var tiles struct {
		XMLName xml.Name   `xml:"qgsVectorTileConnections"`
		Tiles   connection `xml:"vectortile"`
	}
	var found []string
	for _, raw := range decode(t, do(h, "GET", "/api/v1", ""))["links"].([]any) {
		if l := raw.(map[string]any); l["rel"] == relRelated {
			found = append(found, strings.TrimPrefix(l["href"].(string), "http://example.com"))
		}
	}
	if len(found) != 2 {
		t.Fatalf("the landing page leads to %v", found)
	}
	for i, into := range []any{&features, &tiles} {
		w := do(h, "GET", found[i], "", "Accept: text/xml")
		if w.Code != 200 || w.Header().Get("Content-Type") != typeXML || !strings.HasPrefix(w.Body.String(), "<!DOCTYPE connections>\n") {
			t.Errorf("%s: %d, %v", found[i], w.Code, w.Header())
		}
		if err := xml.Unmarshal(w.Body.Bytes(), into); err != nil {
			t.Fatal(err)
		}
	}
	if c := features.WFS; c.URL != "http://example.com/api/v1" || c.Version != "OGC_API_FEATURES" || c.Paging != "true" || c.Name == "" {
		t.Errorf("%+v", c)
	}
	c := tiles.Tiles
	tile := strings.NewReplacer("http://example.com", "", "{z}", "12", "{y}", "1798", "{x}", "3220").Replace(c.URL)
	layersIn(t, do(h, "GET", tile, ""))
	if style := do(h, "GET", strings.TrimPrefix(c.Style, "http://example.com"), ""); style.Code != 200 || c.ZMax != "14" {
		t.Errorf("%+v: %d", c, style.Code)
	}
}
