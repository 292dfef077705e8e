package httpapi

import (
	"fmt"
	"strings"

	"hatang/internal/layer"
)

// mapView is a map on a page. Its ground are the outlines of the administrative units, of
// our own tiles; upon it lie features, or tiles of layers.
type mapView struct {
	Ground string // template of the units' tiles, "" for none
	Items  string // address of the features shown, GeoJSON; "" for none
	Tiles  string // template of the tiles shown, "" for none
	Box    string // where it begins: west,south,east,north; "" for where the features are
	Layers []mapLayer
	Legend []legendEntry
}

// mapLayer says how the script draws a layer.
type mapLayer struct {
	Name     string             `json:"name"`
	Geometry layer.GeometryType `json:"geometry"`
	Unit     bool               `json:"unit,omitempty"` // drawn as an outline alone
	Colour   string             `json:"colour"`
	By       string             `json:"by,omitempty"` // field whose values have colours of their own
	Colours  map[string]string  `json:"colours,omitempty"`
	Items    string             `json:"items"` // address of its features
}

// legendEntry is a line of a legend.
type legendEntry struct {
	Title, Colour string
	Geometry      layer.GeometryType
}

// mapOf begins a map that shows layers.
func (a *api) mapOf(v *view, layers []*layer.Layer) *mapView {
	m := &mapView{}
	var units []string
	for _, l := range a.Registry.All() {
		if l.Group == layer.GroupUnits {
			units = append(units, l.Name)
		}
	}
	const address = "/{z}/{y}/{x}"
	if len(units) > 0 {
		m.Ground = root + mercator + address + "?collections=" + strings.Join(units, ",")
	}
	for _, l := range layers {
		m.Layers = append(m.Layers, mapLayerOf(v, l))
		if len(layers) == 1 {
			m.Legend = valuesLegend(l, v.Language)
		}
	}
	if m.Legend == nil {
		for _, l := range layers {
			m.Legend = append(m.Legend, legendEntry{l.Title.In(v.Language), l.Colour, l.Geometry})
		}
	}
	return m
}

func mapLayerOf(v *view, l *layer.Layer) mapLayer {
	m := mapLayer{Name: l.Name, Geometry: l.Geometry, Unit: l.Group == layer.GroupUnits, Colour: l.Colour, Items: v.Local(root + "/collections/" + l.Name + "/items")}
	if f, ok := l.Field(l.ColourBy); ok {
		m.By, m.Colours = f.Name, map[string]string{}
		for _, value := range f.Values {
			if value.Colour != "" {
				m.Colours[value.Code] = value.Colour
			}
		}
	}
	return m
}

// valuesLegend has a line for each value that has a colour of its own; nil for none.
func valuesLegend(l *layer.Layer, language string) (legend []legendEntry) {
	f, ok := l.Field(l.ColourBy)
	if !ok {
		return nil
	}
	for _, value := range f.Values {
		if value.Colour != "" {
			legend = append(legend, legendEntry{value.Title.In(language), value.Colour, l.Geometry})
		}
	}
	return legend
}

// tilesMap is a map of the tiles that a document is about; nil for a document about none.
func (a *api) tilesMap(r *request, v *view) (*mapView, error) {
	find := a.ofSeveral
	switch id := r.param("styleId"); {
	case r.layer != nil:
		find = a.ofCollection
	case id != "" && id != defaultStyle:
		l, ok := r.layers.Get(id)
		if !ok {
			return nil, nil
		}
		find = func(*request) (layersTiles, error) {
			return layersTiles{path: "/collections/" + l.Name, selection: selection{layers: []*layer.Layer{l}}}, nil
		}
	case id == "" && !strings.Contains(r.URL.Path, mercator):
		return nil, nil
	}
	of, err := find(r)
	if err != nil {
		return nil, err
	}
	bound, known, err := a.boundOf(r, of.selection)
	if err != nil {
		return nil, err
	}
	m := a.mapOf(v, of.layers)
	m.Tiles = v.Bare(a.tileTemplate(r, of, "/{z}/{y}/{x}"))
	if known {
		m.Box = fmt.Sprintf("%v,%v,%v,%v", bound.Min[0], bound.Min[1], bound.Max[0], bound.Max[1])
	}
	return m, nil
}
