package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

func conformsToCore(c *conforming) {
	landing := c.links("")
	for _, rel := range []string{"self", "service-desc", "conformance", "data"} {
		c.isTrue(landing[rel] != "", "the landing page links to %s", rel)
	}
	var list struct {
		Collections []struct {
			ID    string
			Links []struct{ Rel, Type string }
		}
	}
	c.read("/collections", &list)
	c.isTrue(len(list.Collections) == len(c.layers), "every layer is a collection")
	for _, name := range c.layers {
		c.isTrue(c.links("/collections/" + name)["items"] != "", "%s links to its items", name)
		items := c.links("/collections/" + name + "/items?limit=1")
		c.isTrue(items["self"] != "", "items of %s link to themselves", name)
	}
	var p struct {
		page
		TimeStamp string
	}
	c.read("/collections/bts_sites/items?limit=3", &p)
	c.isTrue(p.NumberReturned == 3 && p.NumberMatched == 847 && p.TimeStamp != "" && p.next() != "", "a page tells its numbers: %+v", p.page)
	one := c.links(fmt.Sprintf("/collections/bts_sites/items/%d", p.Features[0].ID))
	c.isTrue(one["self"] != "" && one["collection"] != "", "a feature links to itself and its collection: %v", one)
	for _, query := range []string{"limit=0", "limit=x", "bbox=1,2,3", "bbox=a,b,c,d", "datetime=yesterday", "unknownQueryParameter1234=x"} {
		c.ask(http.StatusBadRequest, http.MethodGet, "/collections/bts_sites/items?"+query, "")
	}
	for _, box := range []string{"7,50,8,51", "177,65,-177,70", "-180,85,180,90", "-180,-90,180,-85", "-1.5,50,1.5,53", "102,20,-5,104,23,900"} {
		c.number("bbox=" + box)
	}
	c.isTrue(c.number("datetime=2015-12-31") < c.number("datetime=2015-12-31/.."), "datetime selects")
	c.ask(http.StatusNotFound, http.MethodGet, "/collections/none/items", "")
	c.ask(http.StatusNotFound, http.MethodGet, "/collections/bts_sites/items/999999", "")
}

func conformsToOpenAPI(c *conforming) {
	a := c.ask(http.StatusOK, http.MethodGet, "/openapi.json", "")
	c.isTrue(strings.HasPrefix(a.header.Get("Content-Type"), "application/vnd.oai.openapi+json;version=3.0"), "the type is %s", a.header.Get("Content-Type"))
	doc, err := openapi3.NewLoader().LoadFromData(a.body)
	if err == nil {
		err = doc.Validate(c.Context())
	}
	c.isTrue(err == nil, "the document is valid: %v", err)
	for _, name := range c.layers {
		for _, below := range []string{"", "/items", "/items/{featureId}"} {
			c.isTrue(doc.Paths.Value("/collections/"+name+below) != nil, "the document has %s%s", name, below)
		}
	}
}

func conformsToGeoJSON(c *conforming) {
	for _, name := range c.layers {
		a := c.ask(http.StatusOK, http.MethodGet, "/collections/"+name+"/items?limit=2", "", "Accept", "application/geo+json")
		var f struct {
			Type     string
			Features []struct{ Type string }
		}
		err := json.Unmarshal(a.body, &f)
		c.isTrue(err == nil && a.header.Get("Content-Type") == "application/geo+json" && f.Type == "FeatureCollection" && f.Features[0].Type == "Feature", "%s are GeoJSON", name)
	}
}

func conformsToHTML(c *conforming) {
	for _, path := range []string{"", "/conformance", "/collections", "/collections/bts_sites", "/collections/bts_sites/items?limit=2", "/collections/bts_sites/items/1"} {
		a := c.ask(http.StatusOK, http.MethodGet, path, "", "Accept", "text/html")
		c.isTrue(strings.HasPrefix(a.header.Get("Content-Type"), "text/html") && bytes.HasPrefix(a.body, []byte("<!doctype html>")), "%s is a page", path)
		c.isTrue(path == "/conformance" || strings.HasPrefix(c.linkOf(path, "alternate", "text/html"), "http"), "%s links to its page", path)
		if strings.Contains(path, "items?") {
			c.isTrue(bytes.Count(a.body, []byte("<tr data-id=")) == 2, "the page shows the features")
		}
	}
}

func conformsToCRS(c *conforming) {
	var doc struct {
		CRS        []string
		StorageCRS string `json:"storageCrs"`
	}
	c.read("/collections/bts_sites", &doc)
	c.isTrue(len(doc.CRS) > 1 && slices.Contains(doc.CRS, doc.StorageCRS), "the collection lists its systems, the storage's among them")
	for _, crs := range doc.CRS {
		a := c.ask(http.StatusOK, http.MethodGet, "/collections/bts_sites/items?limit=1&crs="+url.QueryEscape(crs), "")
		c.isTrue(a.header.Get("Content-Crs") == "<"+crs+">", "Content-Crs is %s for %s", a.header.Get("Content-Crs"), crs)
		c.number("bbox=1,1,2,2&bbox-crs=" + url.QueryEscape(crs))
	}
	for _, name := range []string{"crs", "bbox=1,1,2,2&bbox-crs", "filter=TRUE&filter-crs"} {
		c.ask(http.StatusBadRequest, http.MethodGet, "/collections/bts_sites/items?"+name+"=http://www.opengis.net/def/crs/EPSG/0/1", "")
	}
}

func conformsToFilter(c *conforming) {
	all := c.number("")
	c.isTrue(c.filter("TRUE") == all && c.filter("FALSE") == 0 && c.number("filter=status%3D%27planned%27") == 369, "filters select, and CQL2 text is their language")
	c.isTrue(c.number("filter=status%3D%27planned%27&mast_type=A2b") < 369, "a filter and a parameter both hold")
	for _, bad := range []string{"filter=THIS+IS+NOT+A+FILTER", "filter=none+IS+NULL", "filter=TRUE&filter-lang=sql"} {
		c.ask(http.StatusBadRequest, http.MethodGet, "/collections/bts_sites/items?"+bad, "")
	}
	grid := "S_INTERSECTS(geometry, BBOX(400000, 2300000, 500000, 2400000))"
	here := c.number("filter=" + url.QueryEscape(grid) + "&filter-crs=EPSG:9205")
	c.isTrue(here > 0 && here < all, "filter-crs is the system of the filter's geometries: %d of %d", here, all)
}

// schemaDocument is what the tests read of a schema.
type schemaDocument struct {
	Schema               string `json:"$schema"`
	ID                   string `json:"$id"`
	Type                 string
	AdditionalProperties *bool
	Properties           map[string]map[string]any
}

// keywords are those of JSON Schema that schemas use.
var keywords = []string{"title", "description", "type", "format", "enum", "items", "minimum", "maximum", "readOnly"}

// schema reads a schema and holds it against what all of them must be.
func (c *conforming) schema(name, kind, rel string) schemaDocument {
	c.Helper()
	path := "/collections/" + name + "/" + kind
	c.isTrue(c.links("/collections/" + name)["http://www.opengis.net/def/rel/ogc/1.0/"+rel] == "http://example.com/api/v1"+path, "%s links to its %s", name, kind)
	a := c.ask(http.StatusOK, http.MethodGet, path, "", "Accept", "application/schema+json")
	var s schemaDocument
	if err := json.Unmarshal(a.body, &s); err != nil {
		c.Fatal(err)
	}
	c.isTrue(a.header.Get("Content-Type") == "application/schema+json" && s.Schema == "https://json-schema.org/draft/2020-12/schema" && s.ID == "http://example.com/api/v1"+path && s.Type == "object",
		"%s is a schema: %s %s", path, s.Schema, s.ID)
	c.isTrue(s.AdditionalProperties != nil && !*s.AdditionalProperties, "%s has no other properties", path)
	ids, sequence := 0, map[float64]bool{}
	for property, p := range s.Properties {
		format, _ := p["format"].(string)
		spatial := strings.HasPrefix(format, "geometry-")
		c.isTrue((p["type"] != nil) != spatial, "%s of %s has a type or is spatial: %v", property, path, p)
		for keyword := range p {
			c.isTrue(strings.HasPrefix(keyword, "x-") || slices.Contains(keywords, keyword), "%s of %s has the keyword %s", property, path, keyword)
		}
		if role, given := p["x-ogc-role"]; given {
			c.isTrue(role != "" && fmt.Sprintf("%T", role) == "string", "the role of %s is %v", property, role)
			if role == "id" {
				ids++
				c.isTrue(p["type"] == "integer", "the id is an integer")
			}
		}
		number, _ := p["x-ogc-propertySeq"].(float64)
		c.isTrue(number >= 1 && number == float64(int(number)) && !sequence[number], "%s of %s has a place of its own: %v", property, path, number)
		sequence[number] = true
		if unit, given := p["x-ogc-unit"]; given {
			c.isTrue(p["type"] == "number" && p["x-ogc-unitLang"] == "UCUM" && slices.Contains([]any{"m", "m2", "1"}, unit), "the unit of %s is %v", property, unit)
		}
	}
	c.isTrue(ids == 1, "%s has %d ids", path, ids)
	return s
}

func conformsToSchemas(c *conforming) {
	for _, name := range c.layers {
		s := c.schema(name, "schema", "schema")
		var p page
		c.read("/collections/"+name+"/items?limit=50", &p)
		for _, f := range p.Features {
			for property := range f.Properties {
				c.isTrue(s.Properties[property] != nil, "%s of %s is in the schema", property, name)
			}
		}
	}
}

func conformsToRoles(c *conforming) {
	for _, name := range c.layers {
		of := map[any][]string{}
		s := c.schema(name, "schema", "schema")
		for property, p := range s.Properties {
			of[p["x-ogc-role"]] = append(of[p["x-ogc-role"]], property)
		}
		c.isTrue(len(of["primary-geometry"]) == 1 && len(of["primary-interval-start"]) == 1 && len(of["primary-interval-end"]) == 1 && len(of["primary-instant"]) == 0, "the roles of %s are %v", name, of)
		c.isTrue(s.Properties[of["primary-interval-start"][0]]["format"] == "date" && s.Properties[of["primary-interval-end"][0]]["format"] == "date", "the interval of %s is of days", name)
	}
}

func conformsToQueryables(c *conforming) {
	for _, name := range c.layers {
		for property, p := range c.schema(name, "queryables", "queryables").Properties {
			filter := `"` + property + `" IS NULL`
			if p["type"] == nil {
				filter = "S_INTERSECTS(" + property + ", POINT(103 21))"
			}
			c.ask(http.StatusOK, http.MethodGet, "/collections/"+name+"/items?limit=1&filter="+url.QueryEscape(filter), "")
		}
		c.ask(http.StatusBadRequest, http.MethodGet, "/collections/"+name+"/items?filter=none+IS+NULL", "")
	}
}

func conformsToSortables(c *conforming) {
	for _, name := range c.layers {
		s := c.schema(name, "sortables", "sortables")
		for property, p := range s.Properties {
			c.isTrue(p["type"] != "array" && p["type"] != "object" && p["type"] != nil, "%s of %s has an order", property, name)
			c.ask(http.StatusOK, http.MethodGet, "/collections/"+name+"/items?limit=1&sortby=-"+property, "")
		}
		c.ask(http.StatusBadRequest, http.MethodGet, "/collections/"+name+"/items?sortby=geometry", "")
		var doc struct{ DefaultSortOrder []string }
		c.read("/collections/"+name, &doc)
		c.isTrue(len(doc.DefaultSortOrder) == 1 && s.Properties[doc.DefaultSortOrder[0]] != nil, "%s names its own order: %v", name, doc.DefaultSortOrder)
	}
}

func conformsToSorting(c *conforming) {
	heights := func(sortby string) (list []float64) {
		var p page
		c.read("/collections/bts_sites/items?limit=10000&sortby="+sortby, &p)
		for _, f := range p.Features {
			if h, ok := f.Properties["height_m"].(float64); ok {
				list = append(list, h)
			}
		}
		return list
	}
	up, down := heights("height_m"), heights("-height_m,%2Bid")
	slices.Reverse(down)
	c.isTrue(len(up) > 100 && slices.IsSorted(up) && slices.Equal(up, down) && slices.Equal(up, heights("%2Bheight_m")), "sites are sorted by height, either way")
}

func conformsToProperties(c *conforming) {
	var p page
	c.read("/collections/bts_sites/items?limit=5&properties=code,height_m", &p)
	for _, f := range p.Features {
		_, code := f.Properties["code"]
		_, height := f.Properties["height_m"]
		c.isTrue(code && height && len(f.Properties) == 2 && f.Geometry.Type == "", "a feature has what was asked for: %v", f)
	}
	var one struct {
		Properties map[string]any
		Geometry   *struct{ Type string }
	}
	c.read(fmt.Sprintf("/collections/bts_sites/items/%d?properties=geometry,name", p.Features[0].ID), &one)
	c.isTrue(len(one.Properties) == 1 && one.Geometry != nil, "so has a single one: %+v", one)
}
