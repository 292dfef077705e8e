package web

import (
	"fmt"
	"slices"
	"strings"

	"hatang/geo"
	"hatang/internal/layer"
)

// Grid is a projected grid for showing coordinates: easting and northing in metres.
type Grid struct {
	Code  string   `json:"code"`  // authority and code, "EPSG:9205"
	Title geo.Text `json:"title"` // as people call it
	// Proj4 is the definition for the browser's transformation, datum shift in the
	// position-vector convention; the page shows metres, the API computes.
	Proj4 string `json:"proj4"`
}

// description is /ui/layers.json.
type description struct {
	ReferenceDate string       `json:"reference_date"`
	TimeZone      string       `json:"time_zone,omitempty"`
	Version       string       `json:"version"`
	Basemap       *basemap     `json:"basemap"`
	Grid          *Grid        `json:"grid"`
	Grids         []gridEntry  `json:"grids"` // those that a place may be given in
	Groups        []groupEntry `json:"groups"`
	Layers        []layerEntry `json:"layers"`
}

type basemap struct {
	URL         string `json:"url"`
	Attribution string `json:"attribution"`
}

// gridEntry is a projected grid of VN-2000. X and Y are left to the API.
type gridEntry struct {
	Code string `json:"code"` // authority and code
	Name string `json:"name"`
}

// grids are those of VN-2000, in the order of geo.CRSs.
func grids() (all []gridEntry) {
	for _, c := range geo.CRSs() {
		if c.Projected() && strings.HasPrefix(c.Name(), "VN-2000") {
			all = append(all, gridEntry{fmt.Sprintf("EPSG:%d", c.Code()), c.Name()})
		}
	}
	return all
}

type groupEntry struct {
	ID    layer.Group `json:"id"`
	Title geo.Text    `json:"title"`
}

type layerEntry struct {
	Name     string             `json:"name"`
	Group    layer.Group        `json:"group"`
	Title    geo.Text           `json:"title"`
	Doc      geo.Text           `json:"doc"`
	Geometry layer.GeometryType `json:"geometry"`
	Colour   string             `json:"colour"`
	ColourBy string             `json:"colour_by,omitempty"`
	Fields   []fieldEntry       `json:"fields"`
}

type fieldEntry struct {
	Name   string       `json:"name"`
	Kind   layer.Kind   `json:"kind"`
	Title  geo.Text     `json:"title"`
	Unit   string       `json:"unit,omitempty"`
	Values []valueEntry `json:"values,omitempty"`
}

type valueEntry struct {
	Code   string   `json:"code"`
	Title  geo.Text `json:"title"`
	Colour string   `json:"colour,omitempty"`
}

// groups are the headings of the layer list, in the order shown; that of reference layers
// where there are any.
func groups(layers []*layer.Layer) []groupEntry {
	all := []groupEntry{
		{layer.GroupMobile, geo.Text{VI: "Thông tin di động", EN: "Mobile"}},
		{layer.GroupPostal, geo.Text{VI: "Bưu chính", EN: "Postal"}},
		{layer.GroupNetwork, geo.Text{VI: "Mạng viễn thông", EN: "Telecom network"}},
		{layer.GroupZones, geo.Text{VI: "Vùng và khu vực quy hoạch", EN: "Planning zones"}},
		{layer.GroupUnits, geo.Text{VI: "Đơn vị hành chính", EN: "Administrative units"}},
		{layer.GroupPlaces, geo.Text{VI: "Dân cư và giao thông", EN: "Places and roads"}},
		{layer.GroupReference, geo.Text{VI: "Lớp tham khảo", EN: "Reference layers"}},
	}
	return slices.DeleteFunc(all, func(g groupEntry) bool {
		return g.ID == layer.GroupReference && !slices.ContainsFunc(layers, func(l *layer.Layer) bool { return l.Group == g.ID })
	})
}

// describe tells the page what the registry holds, layers in the registry's order.
func describe(registry *layer.Registry, o Options) description {
	layers := registry.All()
	d := description{
		ReferenceDate: o.ReferenceDate().String(), TimeZone: o.TimeZone, Version: o.Version, Grid: o.Grid, Grids: grids(), Groups: groups(layers),
	}
	if o.BasemapURL != "" {
		d.Basemap = &basemap{URL: o.BasemapURL, Attribution: o.Attribution}
	}
	for _, l := range layers {
		e := layerEntry{
			Name: l.Name, Group: l.Group, Title: l.Title, Doc: l.Doc,
			Geometry: l.Geometry, Colour: l.Colour, ColourBy: l.ColourBy,
		}
		for _, f := range l.Properties() {
			e.Fields = append(e.Fields, describeField(&f))
		}
		d.Layers = append(d.Layers, e)
	}
	return d
}

func describeField(f *layer.Field) fieldEntry {
	e := fieldEntry{Name: f.Name, Kind: f.Kind, Title: f.Title, Unit: f.Unit}
	for _, v := range f.Values {
		e.Values = append(e.Values, valueEntry(v))
	}
	return e
}
