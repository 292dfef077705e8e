package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
)

// Reference layers in the worlds: one that all see and one for staff alone in both, and
// one for staff alone in the second, where the viewer is none.

const hiddenLayer = "bunkers"

// definitionSQL is a definition of points with a field.
const definitionSQL = `'{"title": {"vi": "Lớp", "en": "Layer"}, "description": {"vi": "Lớp", "en": "Layer"}, "geometry": "Point", "colour": "#123456", "storage_srid": 4326,
	"code_of": "id", "fields": [{"name": "depth", "kind": "number", "title": {"vi": "Sâu", "en": "Depth"}, "column": "depth"}]}'`

// fillSQL is a statement that fills a layer of the definition.
func fillSQL(name string) string {
	return fmt.Sprintf(`INSERT INTO %s (code, name, valid_from, jurisdiction, updated_at, depth, geom)
		SELECT 'C' || n, 'Điểm ' || n, '2016-01-01', '11', '2020-05-05', n / 2.0, geom FROM (SELECT row_number() OVER (ORDER BY id) AS n, geom FROM bts_sites WHERE status <> 'draft' AND id %% 40 = 0) s`, name)
}

var layersPublished = []string{
	"SELECT hatang_create_reference_layer('schools', " + definitionSQL + ", false)", fillSQL("schools"),
	"SELECT hatang_create_reference_layer('wells', " + definitionSQL + ", true)", fillSQL("wells"),
}

// layersHidden make the layer that the viewer may not know of, by the way of others that
// were withdrawn and renamed.
var layersHidden = []string{
	"SELECT hatang_create_reference_layer('bunkers', " + definitionSQL + ", true)", fillSQL("bunkers"), "SELECT hatang_withdraw_reference_layer('bunkers')",
	"SELECT hatang_create_reference_layer('shelters', " + definitionSQL + ", true)", fillSQL("shelters"), "SELECT hatang_change_reference_layer('shelters', 'bunkers', '{}', NULL)",
	"DELETE FROM bunkers WHERE id = 3",
}

// stirLayers changes what the viewer may not know of in the second world, if it is there.
func (p *pair) stirLayers() {
	p.t.Helper()
	if p.as.viewer().SeesWithheld(hiddenLayer) {
		return
	}
	p.made++
	p.alter("UPDATE bunkers SET depth = $1 WHERE id % 3 = $2", float64(p.made), p.made%3)
	p.alter("SELECT hatang_change_reference_layer('bunkers', NULL, jsonb_build_object('colour', $1::text), NULL)", fmt.Sprintf("#%06x", p.made))
	p.alter("SELECT hatang_change_reference_layer('bunkers', 'cellars', '{}', NULL)")
	p.alter("SELECT hatang_change_reference_layer('cellars', 'bunkers', '{}', NULL)")
}

// ofHiddenLayer asks for the hidden layer, and for what lists layers.
func ofHiddenLayer(r *rand.Rand) string {
	return "/api/v1" + pick(r, []string{
		"/collections", "/openapi.json", "/openapi-3.1.json", "/styles", "/styles/default", "/styles/bunkers", "/styles/wells", "/tiles", "/tiles/WebMercatorQuad", "/tiles/WebMercatorQuad/tilejson",
		"/tiles?collections=bunkers", "/tiles/WebMercatorQuad/6/28/50", "/tiles/WebMercatorQuad/6/28/50?collections=bunkers,schools", "/collections/bunkers", "/collections/wells", "/collections/schools",
		"/collections/bunkers/items", "/collections/bunkers/items/1", "/collections/bunkers/schema", "/collections/bunkers/schema/feature", "/collections/bunkers/queryables", "/collections/bunkers/tiles", "/collections/bunkers/tiles/WebMercatorQuad/6/28/50",
		"/collections/withdrawn_3/items", "/collections/schools/items?limit=5",
	})
}

// layer tries to change layers, and to take the hidden one's name.
func (p *pair) layer(a question) question {
	name := pick(p.rand, []string{hiddenLayer, "wells", "schools", "cellars", "nothing"})
	switch p.rand.IntN(4) {
	case 0:
		a.method, a.path, a.headers = http.MethodPost, "/api/v1/collections?name="+name, []string{"Content-Type", "application/geo+json"}
		a.body = `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":null}]}`
	case 1:
		a.method, a.path = http.MethodDelete, "/api/v1/collections/"+name
	case 2:
		a.method, a.path, a.headers, a.body = http.MethodPatch, "/api/v1/collections/"+name, []string{"Content-Type", "application/merge-patch+json"}, `{"name":"bunkers"}`
	default:
		a.method, a.path, a.headers = http.MethodPost, "/api/v1/collections/"+name+"/items", []string{"Content-Type", "application/geo+json"}
		a.body = `{"type":"Feature","properties":{"code":"NEW","valid_from":"2016-01-01","jurisdiction":"11","depth":"no number"},"geometry":null}`
	}
	return a
}
