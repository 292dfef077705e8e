package main

import (
	"bytes"
	"strings"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// referenceLayers are those of the matrix, by whether they are for staff alone.
var referenceLayers = map[string]bool{"matrix_open": false, "matrix_hidden": true}

// publish makes an empty reference layer of points.
func (m *matrix) publish(name string, staffOnly bool) error {
	d := layer.Definition{Name: name, Title: geo.Text{VI: name, EN: name}, Geometry: layer.Point, Fields: []layer.FieldDefinition{
		{Name: "depth", Kind: layer.Number, Title: geo.Text{VI: "x", EN: "x"}, Column: "depth"}}}
	d.Complete("")
	return patiently(func() error {
		_, err := m.store.PublishLayer(m.ctx, keeper, postgis.Publishing{Definition: d, StaffOnly: staffOnly, ImportOptions: postgis.ImportOptions{Date: geo.NewDate(2019, 1, 1)},
			Read: func(*layer.Layer, func(postgis.Incoming) error) error { return nil }})
		return err
	})
}

// layerIn is the layer that Location names.
func layerIn(a answer) string {
	location := a.header.Get("Location")
	return location[strings.LastIndexByte(location, '/')+1:]
}

// tellsOfStaffLayers looks for the name of a layer that the client may not know of in
// whatever he is answered, unless he said it himself.
func (m *matrix) tellsOfStaffLayers(o *outcome, p *principal, c *cell, a answer) {
	for name, staffOnly := range referenceLayers {
		if staffOnly && m.word(p, "document", name, false) != "ok" && !strings.Contains(c.path, name) && bytes.Contains(a.body, []byte(name)) {
			o.differs(c, p, "the answer tells of %s", name)
		}
	}
}
