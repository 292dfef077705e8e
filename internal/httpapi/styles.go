package httpapi

import (
	"net/http"
	"slices"

	"hatang/internal/layer"
)

// defaultStyle is the style of all layers; the others have the names of theirs.
const defaultStyle = "default"

func (a *api) styles(w http.ResponseWriter, r *request) error {
	list := []map[string]any{a.styleOf(r, defaultStyle, a.Title.In(r.language()))}
	for _, l := range r.layers.All() {
		list = append(list, a.styleOf(r, l.Name, l.Title.In(r.language())))
	}
	return a.answer(w, r, typeJSON, map[string]any{
		"default": defaultStyle, "styles": list,
		"links": append([]link{{Href: a.href(r, "/styles", nil), Rel: "self", Type: r.selfType(typeJSON)}}, a.alternates(r, typeJSON)...),
	})
}

// styleOf is what the list says of a style.
func (a *api) styleOf(r *request, id, title string) map[string]any {
	return map[string]any{"id": id, "title": title,
		"links": []link{{Href: a.href(r, "/styles/"+id, nil), Rel: "stylesheet", Type: typeStyle}}}
}

// style is a style of MapLibre's specification, version 8, with the colours of the legend.
func (a *api) style(w http.ResponseWriter, r *request) error {
	id := r.param("styleId")
	drawn, title, source := r.layers.All(), a.Title, mercator+"/tilejson"
	if id != defaultStyle {
		l, ok := r.layers.Get(id)
		if !ok {
			return problem(notFound, "Không có kiểu hiển thị này; /api/v1/styles liệt kê những gì có.", "There is no such style; /api/v1/styles lists them.")
		}
		drawn, title, source = []*layer.Layer{l}, l.Title, "/collections/"+l.Name+source
	}
	list := []map[string]any{}
	for _, of := range []layer.GeometryType{layer.MultiPolygon, layer.MultiLineString, layer.Point} { // the last lies on top
		for _, l := range slices.Backward(drawn) {
			if slices.Contains(l.Geometry.Simple(), of) {
				list = append(list, styleLayers(l, of)...)
			}
		}
	}
	return a.answer(w, r, typeStyle, map[string]any{
		"version": 8, "name": title.In(r.language()), "layers": list,
		"sources": map[string]any{"hatang": map[string]any{"type": "vector", "url": a.href(r, source, nil)}},
	})
}

// mixed tells apart what a layer of any geometry has in tiles: the filter's value, and the
// end of the style layer's id.
var mixed = map[layer.GeometryType]struct{ kind, suffix string }{
	layer.Point: {"Point", "-points"}, layer.MultiLineString: {"LineString", "-lines"}, layer.MultiPolygon: {"Polygon", "-areas"},
}

// styleLayers draws what a layer has of one dimension: areas with their outlines, units by
// these alone.
func styleLayers(l *layer.Layer, dimension layer.GeometryType) []map[string]any {
	colour, name := colourOf(l), l.Name
	if l.Geometry == layer.AnyGeometry {
		name += mixed[dimension].suffix
	}
	of := func(id, kind string, paint map[string]any) map[string]any {
		drawn := map[string]any{"id": id, "type": kind, "source": "hatang", "source-layer": l.Name, "paint": paint}
		if l.Geometry == layer.AnyGeometry {
			// Of MapLibre some versions tell multiple ones apart, others do not.
			drawn["filter"] = []any{"match", []any{"geometry-type"}, []string{mixed[dimension].kind, "Multi" + mixed[dimension].kind}, true, false}
		}
		return drawn
	}
	switch dimension {
	case layer.Point:
		return []map[string]any{of(name, "circle", map[string]any{"circle-color": colour, "circle-radius": 4, "circle-stroke-color": "#ffffff", "circle-stroke-width": 1})}
	case layer.MultiLineString:
		return []map[string]any{of(name, "line", map[string]any{"line-color": colour, "line-width": 1.5})}
	}
	return []map[string]any{
		of(name, "fill", map[string]any{"fill-color": colour, "fill-opacity": fillOpacity(l)}),
		of(name+"-outline", "line", map[string]any{"line-color": colour, "line-width": 1}),
	}
}

// fillOpacity is how areas are filled: units not at all.
func fillOpacity(l *layer.Layer) float64 {
	if l.Group == layer.GroupUnits {
		return 0
	}
	return 0.35
}

// colourOf is a colour, or an expression that has one for each value of the field that
// the legend colours by.
func colourOf(l *layer.Layer) any {
	f, ok := l.Field(l.ColourBy)
	if !ok {
		return l.Colour
	}
	value := []any{"get", f.Name}
	if f.Kind != layer.Text { // the legend has texts, which equal no number
		value = []any{"to-string", value}
	}
	match := []any{"match", value}
	for _, v := range f.Values {
		if v.Colour != "" {
			match = append(match, v.Code, v.Colour)
		}
	}
	if len(match) == 2 {
		return l.Colour
	}
	return append(match, l.Colour)
}
