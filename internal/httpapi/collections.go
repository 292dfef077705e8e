package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/formats"
	"hatang/internal/layer"
)

const (
	relQueryables = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
	relSchema     = "http://www.opengis.net/def/rel/ogc/1.0/schema"
	// relDescribedBy is written as GDAL 3.6 wants it: the schema behind it is one of GeoJSON.
	relDescribedBy = "describedBy"
	relSortables   = "http://www.opengis.net/def/rel/ogc/1.0/sortables"
)

// collections lists all layers; rows may be withheld, layers are not.
func (a *api) collections(w http.ResponseWriter, r *request) error {
	versions, err := a.Store.LayerVersions(r.Context(), r.viewer)
	if err != nil {
		return err
	}
	layers := r.layers.All()
	all := make([]map[string]any, 0, len(layers))
	for _, l := range layers {
		c, err := a.describe(r, l, versions[l.Name])
		if err != nil {
			return err
		}
		all = append(all, c)
	}
	return a.answer(w, r, typeJSON, map[string]any{
		"links":       append([]link{{Href: a.href(r, "/collections", nil), Rel: "self", Type: r.selfType(typeJSON)}}, a.alternates(r, typeJSON)...),
		"crs":         crsURIs(),
		"collections": all,
	})
}

func (a *api) collection(w http.ResponseWriter, r *request) error {
	versions, err := a.Store.LayerVersions(r.Context(), r.viewer)
	if err != nil {
		return err
	}
	c, err := a.describe(r, r.layer, versions[r.layer.Name])
	if err != nil {
		return err
	}
	links, _ := c["links"].([]link)
	c["links"] = append(links, a.alternates(r, typeJSON)...)
	return a.answer(w, r, typeJSON, c)
}

// describe is the collection document of a layer, in the request's language.
func (a *api) describe(r *request, l *layer.Layer, version int64) (map[string]any, error) {
	language, path := r.language(), "/collections/"+l.Name
	c := map[string]any{
		"id": l.Name, "title": l.Title.In(language), "description": l.Doc.In(language),
		"itemType": "feature", "group": l.Group, "geometryType": l.Geometry,
		"crs": crsURIs(), "storageCrs": storageCRS(l).URI(), "attribution": a.Attribution.In(language),
		"defaultSortOrder": []string{layer.IDName}, "requiresIfMatch": slices.Contains(a.RequireIfMatch, l.Name),
		"links": append([]link{
			{Href: a.href(r, path, nil), Rel: "self", Type: r.selfType(typeJSON)},
			{Href: a.href(r, path+"/items", nil), Rel: "items", Type: typeGeoJSON, Title: l.Title.In(language)},
			{Href: a.href(r, path+"/items", url.Values{"f": {"html"}}), Rel: "items", Type: typeHTML, Title: l.Title.In(language)},
			{Href: a.href(r, path+"/schema/feature", nil), Rel: relDescribedBy, Type: typeSchema},
			{Href: a.href(r, path+"/schema", nil), Rel: "describedby", Type: typeSchema},
			{Href: a.href(r, path+"/schema", nil), Rel: relSchema, Type: typeSchema},
			{Href: a.href(r, path+"/queryables", nil), Rel: relQueryables, Type: typeSchema},
			{Href: a.href(r, path+"/sortables", nil), Rel: relSortables, Type: typeSchema},
			{Href: a.href(r, path+"/tiles", nil), Rel: relTilesets, Type: typeJSON},
			{Href: a.href(r, path+"/qgis.qml", nil), Rel: relStylesheet, Type: typeQML, Title: "QGIS"},
		}, a.formatLinks(r, l, path)...),
	}
	x, err := a.extents.of(r.Context(), a.Store, r.viewer, l, a.ReferenceDate(), version)
	if err != nil {
		return nil, err
	}
	if x.known {
		c["extent"] = x.document()
	}
	return c, nil
}

// storageCRS is the reference system that the layer's geometries are kept in.
func storageCRS(l *layer.Layer) geo.CRS {
	if l.StorageSRID() == layer.SRID {
		return geo.CRS{}
	}
	crs, _ := geo.LookupCRS(l.StorageSRID()) // a layer's definition names none that there is not
	return crs
}

// formatLinks lead to a collection's features in each format: page by page, but for
// GeoJSON, whose link comes first of all; and in one file.
func (a *api) formatLinks(r *request, l *layer.Layer, path string) (links []link) {
	for _, f := range formats.Of(l) {
		q := url.Values{"f": {f.Name()}}
		if f.MediaType != typeGeoJSON {
			links = append(links, link{Href: a.href(r, path+"/items", q), Rel: "items", Type: f.MediaType, Title: f.Title})
		}
		links = append(links, link{Href: a.href(r, path+"/download", q), Rel: "enclosure", Type: f.MediaType, Title: f.Title})
	}
	return links
}

// crsURIs lists what crs= and bbox-crs= take, the storage's first.
func crsURIs() []string {
	var all []string
	for _, c := range geo.CRSs() {
		all = append(all, c.URI())
	}
	return all
}

// extent is where and when a layer's rows are; not known for an empty layer.
type extent struct {
	bound  orb.Bound
	period geo.Period
	known  bool
}

func (x extent) document() map[string]any {
	at := func(d geo.Date) any {
		if d.IsZero() {
			return nil
		}
		return d.Time().Format(time.RFC3339)
	}
	return map[string]any{
		"spatial": map[string]any{
			"bbox": [][]float64{{x.bound.Min[0], x.bound.Min[1], x.bound.Max[0], x.bound.Max[1]}},
			"crs":  geo.CRS{}.URI(),
		},
		"temporal": map[string]any{"interval": [][]any{{at(x.period.From), at(x.period.To)}}},
	}
}

// extentCache remembers extents by what they were made from, because a list of
// collections asks for all of them. The zero value is empty.
type extentCache struct {
	mu    sync.Mutex
	known map[string]extent
}

// maxExtents bounds the cache; at the bound it is emptied, which costs one query a layer.
const maxExtents = 4096

// of returns the extent of a layer at a version, read before the extent is, so
// that what is remembered is never older than its version says.
func (c *extentCache) of(ctx context.Context, s Store, v account.Viewer, l *layer.Layer, date geo.Date, version int64) (extent, error) {
	key := l.Name + "|" + strconv.FormatInt(version, 10) + "|" + date.String() + "|" + v.Class()
	c.mu.Lock()
	x, ok := c.known[key]
	c.mu.Unlock()
	if ok {
		return x, nil
	}
	var err error
	if x.bound, x.period, x.known, err = s.Extent(ctx, v, l, date); err != nil {
		return extent{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxExtents {
		c.known = map[string]extent{}
	}
	c.known[key] = x
	return x, nil
}
