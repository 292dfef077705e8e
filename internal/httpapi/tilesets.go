package httpapi

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/tiles"
)

const (
	relTilesets      = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
	relTilingScheme  = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
	relTilingSchemes = "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes"
	relStyles        = "http://www.opengis.net/def/rel/ogc/1.0/styles"
)

// closestZoom is the zoom beyond which maps enlarge tiles instead of asking for others: a
// unit is 0.6 m then.
const closestZoom = 14

// layersTiles are the tiles of one layer or of several.
type layersTiles struct {
	title string
	path  string     // below the API's root
	query url.Values // of every address below it: what the tiles are asked for
	selection
}

// ofCollection are the tiles of the path's collection.
func (a *api) ofCollection(r *request) (layersTiles, error) {
	s, err := a.ofLayer(r, pageQuery...)
	return layersTiles{r.layer.Title.In(r.language()), "/collections/" + r.layer.Name, carried(s.values), s}, err
}

// ofSeveral are the tiles of the layers that collections names, all by default.
func (a *api) ofSeveral(r *request) (layersTiles, error) {
	s, err := a.ofLayers(r)
	t := layersTiles{a.Title.In(r.language()), "", carried(s.values), s}
	if t.query.Has("collections") {
		var names []string
		for _, l := range s.layers {
			names = append(names, l.Name)
		}
		t.query.Set("collections", strings.Join(names, ","))
	}
	return t, err
}

// carried are the parameters that the tiles are asked for with, too.
func carried(values url.Values) url.Values {
	query := url.Values{}
	for name, of := range values {
		if !slices.Contains(pageQuery, name) {
			query[name] = of
		}
	}
	return query
}

// tilesOf is the work on tiles which are found out first.
func tilesOf(find func(*request) (layersTiles, error), work func(http.ResponseWriter, *request, layersTiles) error) handler {
	return func(w http.ResponseWriter, r *request) error {
		s, err := find(r)
		if err != nil {
			return err
		}
		return work(w, r, s)
	}
}

func (a *api) listTilesets(w http.ResponseWriter, r *request, s layersTiles) error {
	return a.answer(w, r, typeJSON, map[string]any{
		"links":    append([]link{{Href: a.href(r, s.path+"/tiles", s.query), Rel: "self", Type: r.selfType(typeJSON)}}, a.alternates(r, typeJSON)...),
		"tilesets": []map[string]any{a.tilesetOf(r, s)},
	})
}

// tilesetOf is what a list says of a tileset.
func (a *api) tilesetOf(r *request, s layersTiles) map[string]any {
	return map[string]any{
		"title": s.title, "dataType": "vector", "crs": tiles.CRSURI, "tileMatrixSetURI": tiles.MatrixSetURI, "tileMatrixSetId": tiles.MatrixSet,
		"links": []link{
			{Href: a.href(r, s.path+mercator, s.query), Rel: "self", Type: typeJSON, Title: s.title},
			{Href: a.href(r, "/tileMatrixSets/"+tiles.MatrixSet, nil), Rel: relTilingScheme, Type: typeJSON},
			{Href: a.tileTemplate(r, s, tileAddress), Rel: "item", Type: typeMVT, Templated: true},
			{Href: a.href(r, s.path+mercator+"/tilejson", s.query), Rel: "describedby", Type: typeJSON, Title: "TileJSON 3.0"},
		},
	}
}

// tileTemplate is the address of the tiles with the names in braces as they are.
func (a *api) tileTemplate(r *request, s layersTiles, address string) string {
	template := a.href(r, s.path+mercator, nil) + address
	if len(s.query) > 0 {
		template += "?" + s.query.Encode()
	}
	return template
}

// showTileset is the metadata of OGC's tile set.
func (a *api) showTileset(w http.ResponseWriter, r *request, s layersTiles) error {
	bound, known, err := a.boundOf(r, s.selection)
	if err != nil {
		return err
	}
	doc := a.tilesetOf(r, s)
	doc["attribution"] = a.Attribution.In(r.language())
	dimensions := map[layer.GeometryType]int{layer.Point: 0, layer.MultiPoint: 0, layer.MultiLineString: 1, layer.MultiPolygon: 2}
	var list []map[string]any
	for _, l := range s.layers {
		properties := map[string]any{}
		for i := range l.Fields {
			properties[l.Fields[i].Name] = map[string]any{"title": l.Fields[i].Title.In(r.language()), "type": tileType(l.Fields[i].Kind)}
		}
		described := map[string]any{
			"id": l.Name, "title": l.Title.In(r.language()), "description": l.Doc.In(r.language()), "dataType": "vector",
			"propertiesSchema": map[string]any{"type": "object", "properties": properties},
		}
		if dimension, one := dimensions[l.Geometry]; one {
			described["geometryDimension"] = dimension
		}
		list = append(list, described)
	}
	doc["layers"] = list
	if known {
		doc["boundingBox"] = map[string]any{"lowerLeft": bound.Min, "upperRight": bound.Max, "crs": geo.CRS{}.URI()}
	}
	return a.answer(w, r, typeJSON, doc)
}

// tileType is the JSON type of a kind's values in tiles.
func tileType(k layer.Kind) string {
	switch k {
	case layer.Integer, layer.Number, layer.Boolean:
		return string(k)
	default:
		return "string"
	}
}

// boundOf is the box of layers in force on the reference date; false where there is
// nothing, or where it is not known, because another time is asked for.
func (a *api) boundOf(r *request, of selection) (orb.Bound, bool, error) {
	if of.values.Has("datetime") {
		return orb.Bound{}, false, nil
	}
	versions, err := a.Store.LayerVersions(r.Context(), r.viewer)
	if err != nil {
		return orb.Bound{}, false, err
	}
	var bound orb.Bound
	known := false
	for _, l := range of.layers {
		x, err := a.extents.of(r.Context(), a.Store, r.viewer, l, a.ReferenceDate(), versions[l.Name])
		switch {
		case err != nil:
			return orb.Bound{}, false, err
		case x.known && known:
			bound = bound.Union(x.bound)
		case x.known:
			bound, known = x.bound, true
		}
	}
	return bound, known, nil
}

// showTileJSON is TileJSON 3.0.
func (a *api) showTileJSON(w http.ResponseWriter, r *request, s layersTiles) error {
	bound, known, err := a.boundOf(r, s.selection)
	if err != nil {
		return err
	}
	list := []map[string]any{}
	for _, l := range s.layers {
		fields := map[string]string{}
		for i := range l.Fields {
			fields[l.Fields[i].Name] = l.Fields[i].Title.In(r.language())
		}
		list = append(list, map[string]any{"id": l.Name, "description": l.Title.In(r.language()), "minzoom": 0, "maxzoom": closestZoom, "fields": fields})
	}
	doc := map[string]any{
		"tilejson": "3.0.0", "name": s.title, "attribution": a.Attribution.In(r.language()), "scheme": "xyz",
		"tiles":   []string{a.tileTemplate(r, s, "/{z}/{y}/{x}")},
		"minzoom": 0, "maxzoom": closestZoom, "vector_layers": list,
	}
	if known {
		doc["bounds"] = []float64{bound.Min[0], bound.Min[1], bound.Max[0], bound.Max[1]}
	}
	return a.answer(w, r, typeJSON, doc)
}

func (a *api) tileMatrixSets(w http.ResponseWriter, r *request) error {
	set := tiles.WebMercatorQuad()
	return a.answer(w, r, typeJSON, map[string]any{
		"links": append([]link{{Href: a.href(r, "/tileMatrixSets", nil), Rel: "self", Type: r.selfType(typeJSON)}}, a.alternates(r, typeJSON)...),
		"tileMatrixSets": []map[string]any{{
			"id": set.ID, "title": set.Title, "uri": set.URI, "crs": set.CRS,
			"links": []link{{Href: a.href(r, "/tileMatrixSets/"+set.ID, nil), Rel: "self", Type: typeJSON}},
		}},
	})
}

func (a *api) tileMatrixSet(w http.ResponseWriter, r *request) error {
	return a.answer(w, r, typeJSON, tiles.WebMercatorQuad())
}
