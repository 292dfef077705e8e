package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"hatang/internal/account"
)

// conforming asks a register what a conformance class has to be asked.
type conforming struct {
	*testing.T
	*register
	officer []string // headers
	layers  []string
}

// classes are the conformance classes and what is tried of each, by the end of their
// URIs: what is declared is tried here, and what is tried here is declared. The tests of
// filters, tiles and reference systems are elsewhere and ask far more.
var classes = map[string]func(*conforming){
	"ogcapi-features-1/1.0/conf/core": conformsToCore, "ogcapi-features-1/1.0/conf/oas30": conformsToOpenAPI, "ogcapi-features-1/1.0/conf/geojson": conformsToGeoJSON,
	"ogcapi-features-1/1.0/conf/html":       conformsToHTML,
	"ogcapi-features-2/1.0/conf/crs":        conformsToCRS,
	"ogcapi-features-3/1.0/conf/queryables": conformsToQueryables, "ogcapi-features-3/1.0/conf/filter": conformsToFilter, "ogcapi-features-3/1.0/conf/features-filter": conformsToFilter,
	"ogcapi-features-4/1.0/conf/create-replace-delete": conformsToWriting, "ogcapi-features-4/1.0/conf/update": conformsToUpdate,
	"ogcapi-features-4/1.0/conf/optimistic-locking-etags": conformsToLocking, "ogcapi-features-4/1.0/conf/features": conformsToWritingFeatures,
	"ogcapi-common-3/1.0/conf/schemas": conformsToSchemas, "ogcapi-features-5/1.0/conf/schemas": conformsToSchemas,
	"ogcapi-common-3/1.0/conf/advanced-property-roles": conformsToRoles, "ogcapi-common-3/1.0/conf/queryables": conformsToQueryables,
	"ogcapi-common-3/1.0/conf/sortables": conformsToSortables, "ogcapi-features-8/1.0/conf/sortables": conformsToSortables,
	"ogcapi-features-8/1.0/conf/sorting": conformsToSorting, "ogcapi-features-8/1.0/conf/features-sorting": conformsToSorting,
	"ogcapi-features-6/1.0/conf/properties": conformsToProperties, "ogcapi-features-6/1.0/conf/properties-features": conformsToProperties,

	"cql2/1.0/conf/cql2-text":                     same("mast_type = 'A1a' AND NOT height_m > 20", "mast_type = 'A1a' AND (height_m <= 20)"),
	"cql2/1.0/conf/cql2-json":                     same(`{"op":"and","args":[{"op":"=","args":[{"property":"mast_type"},"A2b"]},{"op":">","args":[{"property":"height_m"},20]}]}`, "mast_type = 'A2b' AND height_m > 20"),
	"cql2/1.0/conf/basic-cql2":                    same("status <> 'planned' AND name IS NOT NULL AND valid_from >= DATE('2010-01-01') OR TRUE = FALSE", "status = 'existing' AND NOT name IS NULL AND NOT valid_from < DATE('2010-01-01')"),
	"cql2/1.0/conf/advanced-comparison-operators": same("code LIKE 'HT-00%' AND height_m BETWEEN 10 AND 30 AND mast_type IN ('A1a', 'A2b')", "code >= 'HT-00' AND code < 'HT-01' AND height_m >= 10 AND height_m <= 30 AND (mast_type = 'A1a' OR mast_type = 'A2b')"),
	"cql2/1.0/conf/case-insensitive-comparison":   same("CASEI(code) = CASEI('ht-0001')", "code = 'HT-0001'"),
	"cql2/1.0/conf/accent-insensitive-comparison": same("ACCENTI(source) LIKE ACCENTI('%minh hoa%')", "source LIKE '%minh họa%'"),
	"cql2/1.0/conf/basic-spatial-functions":       same("S_INTERSECTS(geometry, BBOX(102.95, 21.3, 103.1, 21.5))", "NOT S_DISJOINT(geometry, POLYGON((102.95 21.3, 103.1 21.3, 103.1 21.5, 102.95 21.5, 102.95 21.3)))"),
	"cql2/1.0/conf/basic-spatial-functions-plus":  same("S_INTERSECTS(geometry, MULTIPOLYGON(((102.95 21.3, 103.1 21.3, 103.1 21.5, 102.95 21.5, 102.95 21.3))))", "S_INTERSECTS(geometry, BBOX(102.95, 21.3, 103.1, 21.5))"),
	"cql2/1.0/conf/spatial-functions":             conformsToSpatialFunctions, "cql2/1.0/conf/temporal-functions": conformsToTemporalFunctions,
	"cql2/1.0/conf/array-functions":   same("A_CONTAINS(technologies, ('3G')) AND A_OVERLAPS(technologies, ('2G', '3G')) AND NOT A_EQUALS(technologies, ('5G')) AND NOT A_CONTAINEDBY(technologies, ('5G'))", "A_CONTAINS(technologies, ('3G'))"),
	"cql2/1.0/conf/property-property": same("valid_from <= valid_from AND height_m >= height_m", "height_m IS NOT NULL"),
	"cql2/1.0/conf/arithmetic":        same("height_m * 2 + 10 > 50 AND height_m / 2 > 10", "height_m > 20"),

	"ogcapi-tiles-1/1.0/conf/core": conformsToTiles, "ogcapi-tiles-1/1.0/conf/tileset": conformsToTiles, "ogcapi-tiles-1/1.0/conf/tilesets-list": conformsToTiles,
	"ogcapi-tiles-1/1.0/conf/dataset-tilesets": conformsToTiles, "ogcapi-tiles-1/1.0/conf/geodata-tilesets": conformsToTiles, "ogcapi-tiles-1/1.0/conf/collections-selection": conformsToTiles,
	"ogcapi-tiles-1/1.0/conf/datetime": conformsToTiles, "ogcapi-tiles-1/1.0/conf/oas30": conformsToTiles, "ogcapi-tiles-1/1.0/conf/mvt": conformsToTiles,
	"tms/2.0/conf/tilematrixset": conformsToTileMatrixSets, "tms/2.0/conf/json-tilematrixset": conformsToTileMatrixSets,
}

const specifications = "http://www.opengis.net/spec/"

// TestConformance tries every class that is declared, and no other.
func TestConformance(t *testing.T) {
	c := &conforming{T: t, register: newRegister(t)}
	_, key := c.key(t, 0, "", time.Time{}, account.Grant{Role: account.Officer})
	c.officer = bearer(key)
	for _, l := range c.db.layers.All() {
		c.layers = append(c.layers, l.Name)
	}
	var declared struct{ ConformsTo []string }
	c.read("/conformance", &declared)
	for _, uri := range declared.ConformsTo {
		if classes[strings.TrimPrefix(uri, specifications)] == nil {
			t.Errorf("%s is declared, and nothing is tried of it", uri)
		}
	}
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		if !slices.Contains(declared.ConformsTo, specifications+class) {
			t.Errorf("%s is tried, and not declared", class)
		}
		t.Run(class, func(t *testing.T) {
			own := *c
			own.T = t
			classes[class](&own)
		})
	}
}

// ask sends a request below the API's root, which must be answered with the status.
func (c *conforming) ask(status int, method, path, body string, headers ...string) answer {
	c.Helper()
	a := send(c.server, method, "/api/v1"+path, body, headers...)
	if a.status != status {
		c.Fatalf("%s: %d, want %d\n%.400s", a.request, a.status, status, a.body)
	}
	return a
}

// read fetches a document.
func (c *conforming) read(path string, into any) answer {
	c.Helper()
	a := c.ask(http.StatusOK, http.MethodGet, strings.TrimPrefix(path, "http://example.com/api/v1"), "")
	if err := json.Unmarshal(a.body, into); err != nil {
		c.Fatalf("%s: %v", path, err)
	}
	return a
}

// isTrue notes what a standard wants and there is not.
func (c *conforming) isTrue(is bool, format string, args ...any) {
	c.Helper()
	if !is {
		c.Errorf("not so: "+format, args...)
	}
}

// links are the links of a document by relation.
func (c *conforming) links(path string) map[string]string {
	c.Helper()
	var doc struct {
		Links []struct{ Href, Rel, Type string }
	}
	c.read(path, &doc)
	byRel := map[string]string{}
	for _, l := range doc.Links {
		c.isTrue(l.Href != "" && l.Rel != "" && l.Type != "", "every link of %s has href, rel and type: %+v", path, l)
		byRel[l.Rel] = l.Href
	}
	return byRel
}

// linkOf is the address of a document's link of a relation and media type.
func (c *conforming) linkOf(path, rel, mediaType string) string {
	c.Helper()
	var doc struct {
		Links []struct{ Href, Rel, Type string }
	}
	c.read(path, &doc)
	for _, l := range doc.Links {
		if l.Rel == rel && l.Type == mediaType {
			return l.Href
		}
	}
	return ""
}

// number is how many sites a query selects.
func (c *conforming) number(query string) int {
	c.Helper()
	var p page
	c.read("/collections/bts_sites/items?resultType=hits&"+query, &p)
	return p.NumberMatched
}

// filter is number of a filter in either language.
func (c *conforming) filter(text string) int {
	c.Helper()
	lang := "cql2-text"
	if strings.HasPrefix(text, "{") {
		lang = "cql2-json"
	}
	return c.number("filter-lang=" + lang + "&filter=" + url.QueryEscape(text))
}

// same has two filters select the same sites: some, and not all.
func same(one, other string) func(*conforming) {
	return func(c *conforming) {
		a, b := c.filter(one), c.filter(other)
		c.isTrue(a == b && a > 0 && a <= 847, "%s selects %d, %s %d", one, a, other, b)
	}
}

func conformsToSpatialFunctions(c *conforming) {
	const area = "POLYGON((102.95 21.3, 103.1 21.3, 103.1 21.5, 102.95 21.5, 102.95 21.3))"
	same("S_WITHIN(geometry, "+area+")", "NOT S_DISJOINT(geometry, "+area+")")(c)
	same("S_CONTAINS("+area+", geometry)", "S_WITHIN(geometry, "+area+")")(c)
	for _, f := range []string{"S_CROSSES", "S_EQUALS", "S_OVERLAPS", "S_TOUCHES"} {
		c.isTrue(c.filter(f+"(geometry, "+area+")") == 0, "no point %s an area", f)
	}
}

func conformsToTemporalFunctions(c *conforming) {
	same("T_AFTER(valid_from, DATE('2015-12-31'))", "valid_from > DATE('2015-12-31')")(c)
	same("T_BEFORE(valid_from, TIMESTAMP('2016-01-01T00:00:00Z'))", "valid_from < DATE('2016-01-01')")(c)
	same("T_INTERSECTS(INTERVAL(valid_from, '..'), INTERVAL('2015-01-01', '2015-12-31'))", "valid_from <= DATE('2015-12-31')")(c)
	for _, f := range strings.Fields("T_CONTAINS T_DISJOINT T_DURING T_EQUALS T_FINISHEDBY T_FINISHES T_MEETS T_METBY T_OVERLAPPEDBY T_OVERLAPS T_STARTEDBY T_STARTS") {
		n := c.filter(f + "(INTERVAL(valid_from, '..'), INTERVAL('2010-01-01', '2012-01-01'))")
		c.isTrue(n == map[string]int{"T_DISJOINT": 847}[f], "%s selects %d", f, n)
	}
}

func conformsToTiles(c *conforming) {
	for _, of := range []string{"", "/collections/bts_sites"} {
		var list struct {
			Tilesets []struct {
				DataType, TileMatrixSetURI string
				Links                      []struct{ Rel, Href string }
			}
		}
		c.read(of+"/tiles", &list)
		c.isTrue(len(list.Tilesets) == 1 && list.Tilesets[0].DataType == "vector", "%s lists a tileset of vectors", of)
		for _, l := range list.Tilesets[0].Links {
			if l.Rel == "self" {
				var set map[string]any
				c.read(l.Href, &set)
				c.isTrue(set["tileMatrixSetURI"] == list.Tilesets[0].TileMatrixSetURI, "the tileset of %s is the one listed", of)
			}
		}
		tile := c.ask(http.StatusOK, http.MethodGet, of+"/tiles/WebMercatorQuad/8/112/201", "")
		c.isTrue(tile.header.Get("Content-Type") == "application/vnd.mapbox-vector-tile", "tiles are Mapbox vector tiles: %s", tile.header.Get("Content-Type"))
	}
	c.ask(http.StatusOK, http.MethodGet, "/tiles/WebMercatorQuad/8/112/201?collections=bts_sites,roads", "")
	c.ask(http.StatusNoContent, http.MethodGet, "/collections/bts_sites/tiles/WebMercatorQuad/8/112/201?datetime=1990-01-01", "")
	c.ask(http.StatusBadRequest, http.MethodGet, "/tiles/WebMercatorQuad/8/112/201?collections=none", "")
	c.ask(http.StatusNotFound, http.MethodGet, "/tiles/WebMercatorQuad/8/999/201", "")
	c.isTrue(strings.Contains(string(c.ask(http.StatusOK, http.MethodGet, "/openapi.json", "").body), `"operationId":"dataset.vector.getTile"`), "the document has the operation of tiles")
}

func conformsToTileMatrixSets(c *conforming) {
	var set struct {
		ID, CRS      string
		TileMatrices []struct {
			ID                                               string
			ScaleDenominator, CellSize                       float64
			PointOfOrigin                                    []float64
			TileWidth, TileHeight, MatrixWidth, MatrixHeight int
		}
	}
	c.read("/tileMatrixSets/WebMercatorQuad", &set)
	c.isTrue(set.ID == "WebMercatorQuad" && set.CRS != "" && len(set.TileMatrices) == 25, "the set has its matrices")
	for i, m := range set.TileMatrices {
		c.isTrue(m.ID == fmt.Sprint(i) && m.MatrixWidth == 1<<i && m.MatrixHeight == 1<<i && m.TileWidth > 0 && m.CellSize > 0 && len(m.PointOfOrigin) == 2, "matrix %d is one of a quad tree: %+v", i, m)
	}
}
