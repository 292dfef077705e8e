package httpapi

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"hatang/internal/layer"
)

// Media types of the files for QGIS.
const (
	typeXML = "application/xml"
	typeQML = "application/x-qgis-layer-settings"
)

const relRelated, relStylesheet = "related", "stylesheet"

// qgisFeatures is the file of connections that QGIS loads under "WFS / OGC API - Features".
// Paging follows our links, whose pages are as long as QGIS likes.
func (a *api) qgisFeatures(w http.ResponseWriter, r *request) error {
	return a.sendXML(w, r, typeXML, "hatang-features.xml", "<!DOCTYPE connections>\n", tree("qgsWFSConnections", "version", "1.1").with(
		tree("wfs", "name", a.Title.In(r.language()), "url", a.href(r, "", nil), "version", "OGC_API_FEATURES",
			"maxnumfeatures", "", "pagesize", "", "pagingenabled", "true", "ignoreAxisOrientation", "0", "invertAxisOrientation", "0",
			"username", "", "password", "", "httpMethod", "get", "featureMode", "default")))
}

// qgisTiles is the file of connections that QGIS loads under "Vector Tiles", with the style
// of the legend.
func (a *api) qgisTiles(w http.ResponseWriter, r *request) error {
	return a.sendXML(w, r, typeXML, "hatang-tiles.xml", "<!DOCTYPE connections>\n", tree("qgsVectorTileConnections", "version", "1.0").with(
		tree("vectortile", "name", a.Title.In(r.language()), "url", a.tileTemplate(r, layersTiles{}, "/{z}/{y}/{x}"),
			"zmin", "0", "zmax", strconv.Itoa(closestZoom), "serviceType", "0", "authcfg", "", "username", "", "password", "",
			"styleUrl", a.href(r, "/styles/"+defaultStyle, nil))))
}

// qgisStyle is a layer's style for QGIS: its legend, the titles of its fields, and the
// values that they may have.
func (a *api) qgisStyle(w http.ResponseWriter, r *request) error {
	l, language := r.layer, r.language()
	style := tree("qgis", "version", "3.22.0", "styleCategories", "Symbology|Fields|Forms")
	if dimensions := l.Geometry.Simple(); len(dimensions) == 1 {
		kind := map[layer.GeometryType]string{layer.Point: "0", layer.MultiLineString: "1", layer.MultiPolygon: "2"}
		style = style.with(qgisRenderer(l, dimensions[0], language), leaf("layerGeometryType", kind[dimensions[0]]))
	}
	fields, titles := tree("fieldConfiguration"), tree("aliases")
	for i := range l.Fields {
		f := &l.Fields[i]
		titles = titles.with(tree("alias", "index", strconv.Itoa(i), "field", f.Name, "name", f.Title.In(language)))
		if len(f.Values) > 0 {
			fields = fields.with(tree("field", "name", f.Name, "configurationFlags", "None").with(qgisValues(f, language)))
		}
	}
	return a.sendXML(w, r, typeQML, l.Name+".qml", "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n", style.with(fields, titles))
}

// qgisValues is the widget that offers the values of a field by their titles.
func qgisValues(f *layer.Field, language string) element {
	list := tree("Option", "type", "List", "name", "map")
	for _, v := range f.Values {
		list = list.with(options().with(option(v.Title.In(language), v.Code)))
	}
	return tree("editWidget", "type", "ValueMap").with(tree("config").with(options().with(list)))
}

// qgisRenderer draws a layer in the colours of the legend: one for all, or one for each
// value of the field that it colours by, and the layer's own for the rest.
func qgisRenderer(l *layer.Layer, dimension layer.GeometryType, language string) element {
	symbols := tree("symbols")
	add := func(colour string) (name string) {
		name = strconv.Itoa(len(symbols.children))
		symbols = symbols.with(qgisSymbol(l, dimension, name, colour))
		return name
	}
	renderer := tree("renderer-v2", "symbollevels", "0", "enableorderby", "0", "forceraster", "0")
	categories := tree("categories")
	if f, ok := l.Field(l.ColourBy); ok {
		for _, v := range f.Values {
			if v.Colour != "" {
				categories = categories.with(tree("category", "value", v.Code, "label", v.Title.In(language), "symbol", add(v.Colour), "render", "true"))
			}
		}
	}
	if len(categories.children) == 0 {
		add(l.Colour)
		return renderer.and("type", "singleSymbol").with(symbols)
	}
	categories = categories.with(tree("category", "value", "", "label", l.Title.In(language), "symbol", add(l.Colour), "render", "true"))
	return renderer.and("type", "categorizedSymbol", "attr", l.ColourBy).with(categories, symbols)
}

// qgisSymbol is drawn as styles draw it: points as discs with a white edge, areas with an
// outline, units by this alone.
func qgisSymbol(l *layer.Layer, dimension layer.GeometryType, name, colour string) element {
	symbol := func(kind, class string, of ...element) element {
		return tree("symbol", "type", kind, "name", name, "alpha", "1", "clip_to_extent", "1", "force_rhr", "0").with(
			tree("layer", "class", class, "enabled", "1", "locked", "0", "pass", "0").with(options().with(of...)))
	}
	solid := qgisColour(colour, 1)
	switch dimension {
	case layer.Point:
		return symbol("marker", "SimpleMarker", option("name", "circle"), option("color", solid), option("size", "2.4"), option("size_unit", "MM"),
			option("outline_color", "255,255,255,255"), option("outline_style", "solid"), option("outline_width", "0.3"), option("outline_width_unit", "MM"))
	case layer.MultiLineString:
		return symbol("line", "SimpleLine", option("line_color", solid), option("line_style", "solid"), option("line_width", "0.5"), option("line_width_unit", "MM"))
	}
	return symbol("fill", "SimpleFill", option("style", "solid"), option("color", qgisColour(colour, fillOpacity(l))),
		option("outline_color", solid), option("outline_style", "solid"), option("outline_width", "0.3"), option("outline_width_unit", "MM"))
}

// qgisColour writes a colour of the legend, #rrggbb, with an opacity.
func qgisColour(colour string, opacity float64) string {
	n, _ := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32) // what is written otherwise is black
	return fmt.Sprintf("%d,%d,%d,%.0f", n>>16&0xff, n>>8&0xff, n&0xff, 255*opacity)
}

func options() element { return tree("Option", "type", "Map") }

func option(name, value string) element {
	return tree("Option", "type", "QString", "name", name, "value", value)
}

// element is an element of XML.
type element struct {
	name       string
	attributes []xml.Attr
	children   []element
	text       string
}

// tree is an element with attributes, names and values in turn.
func tree(name string, attributes ...string) element {
	return element{name: name}.and(attributes...)
}

// and returns the element with attributes at their end.
func (e element) and(attributes ...string) element {
	e.attributes = slices.Clip(e.attributes)
	for i := 0; i+1 < len(attributes); i += 2 {
		e.attributes = append(e.attributes, xml.Attr{Name: xml.Name{Local: attributes[i]}, Value: attributes[i+1]})
	}
	return e
}

func leaf(name, text string) element { return element{name: name, text: text} }

// with returns the element with children at its end.
func (e element) with(children ...element) element {
	e.children = append(slices.Clip(e.children), children...)
	return e
}

// MarshalXML implements xml.Marshaler.
func (e element) MarshalXML(out *xml.Encoder, _ xml.StartElement) error {
	start := xml.StartElement{Name: xml.Name{Local: e.name}, Attr: e.attributes}
	if err := out.EncodeToken(start); err != nil {
		return err
	}
	if e.text != "" {
		if err := out.EncodeToken(xml.CharData(e.text)); err != nil {
			return err
		}
	}
	for _, child := range e.children {
		if err := out.Encode(child); err != nil {
			return err
		}
	}
	return out.EncodeToken(start.End())
}

// sendXML sends a document as a file to be kept.
func (a *api) sendXML(w http.ResponseWriter, r *request, mediaType, file, doctype string, of element) error {
	body, err := xml.MarshalIndent(of, "", " ")
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	w.Header().Set("Content-Disposition", `attachment; filename="`+file+`"`)
	return a.answerBytes(w, r, mediaType, append([]byte(doctype), append(body, '\n')...))
}
