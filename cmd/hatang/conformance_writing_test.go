package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

const (
	kiosks   = "/collections/kiosks/items"
	geoJSON  = "application/geo+json"
	merging  = "application/merge-patch+json"
	ofKiosks = `{"type":"Feature","id":%s,"properties":{"code":%q,"name":"Ki-ốt","valid_from":"2016-01-01","jurisdiction":"11","status":"existing"},"geometry":{"type":"Point","coordinates":[%s]}}`
)

// writes sends a write as an officer does.
func (c *conforming) writes(status int, method, path, mediaType, body string, headers ...string) answer {
	c.Helper()
	return c.ask(status, method, path, body, append(append(slices.Clone(c.officer), "Content-Type", mediaType), headers...)...)
}

// newKiosk adds one and returns its path.
func (c *conforming) newKiosk(at string, headers ...string) string {
	c.Helper()
	a := c.writes(http.StatusCreated, http.MethodPost, kiosks, geoJSON, fmt.Sprintf(ofKiosks, "7", newCode(), at), headers...)
	location := a.header.Get("Location")
	path, ours := strings.CutPrefix(location, "http://example.com/api/v1")
	c.isTrue(ours && strings.HasPrefix(path, kiosks+"/"), "Location is the address of the new feature: %s", location)
	return path
}

// kiosk is what the tests read of one.
type kiosk struct {
	ID         int64
	Properties map[string]any
	Geometry   struct{ Coordinates []float64 }
}

func (c *conforming) kiosk(path string) (k kiosk, etag string) {
	c.Helper()
	a := c.read(path, &k)
	return k, a.header.Get("ETag")
}

// conformsToWriting: OPTIONS is answered with 204 where the draft has 200, for an answer
// without a body; that clause is kept by what it is for, Allow.
func conformsToWriting(c *conforming) {
	a := c.ask(http.StatusNoContent, http.MethodOptions, kiosks, "", c.officer...)
	c.isTrue(strings.Contains(a.header.Get("Allow"), "POST"), "Allow is %s", a.header.Get("Allow"))
	path := c.newKiosk("103,21.4")
	a = c.ask(http.StatusNoContent, http.MethodOptions, path, "", c.officer...)
	c.isTrue(strings.Contains(a.header.Get("Allow"), "PUT, PATCH, DELETE"), "Allow is %s", a.header.Get("Allow"))
	k, _ := c.kiosk(path)
	c.isTrue(k.Properties["name"] == "Ki-ốt" && k.ID != 7, "the feature is the one that was added, with an id of the server's: %+v", k)
	c.writes(http.StatusNoContent, http.MethodPut, path, geoJSON, fmt.Sprintf(ofKiosks, `"other"`, newCode(), "103.1,21.5"))
	replaced, _ := c.kiosk(path)
	c.isTrue(replaced.ID == k.ID && replaced.Properties["code"] != k.Properties["code"] && replaced.Geometry.Coordinates[0] == 103.1, "it is another, with the same id: %+v", replaced)
	c.writes(http.StatusNotFound, http.MethodPut, kiosks+"/999999", geoJSON, fmt.Sprintf(ofKiosks, "1", newCode(), "103,21.4"))
	c.writes(http.StatusPreconditionFailed, http.MethodPut, kiosks+"/999999", geoJSON, fmt.Sprintf(ofKiosks, "1", newCode(), "103,21.4"), "If-Match", "*")
	c.writes(http.StatusUnsupportedMediaType, http.MethodPost, kiosks, "text/plain", "x")
	c.writes(http.StatusNoContent, http.MethodDelete, path, "", "")
	c.writes(http.StatusNotFound, http.MethodDelete, path, "", "")
	c.ask(http.StatusNotFound, http.MethodGet, path, "")
}

func conformsToUpdate(c *conforming) {
	path := c.newKiosk("103,21.4")
	a := c.ask(http.StatusNoContent, http.MethodOptions, path, "", c.officer...)
	c.isTrue(strings.Contains(a.header.Get("Allow"), "PATCH") && strings.Contains(a.header.Get("Accept-Patch"), merging), "PATCH is offered: %v", a.header)
	before, _ := c.kiosk(path)
	c.writes(http.StatusNoContent, http.MethodPatch, path, merging, `{"properties":{"name":null,"source":"đo"}}`)
	after, _ := c.kiosk(path)
	c.isTrue(after.Properties["name"] == nil && after.Properties["source"] == "đo" && after.Properties["code"] == before.Properties["code"], "only what is given changes: %+v", after)
	c.writes(http.StatusNoContent, http.MethodPatch, path, geoJSON, `{"id":5,"geometry":{"type":"Point","coordinates":[103.2,21.6]}}`)
	moved, _ := c.kiosk(path)
	c.isTrue(moved.ID == before.ID && moved.Geometry.Coordinates[0] == 103.2 && moved.Properties["source"] == "đo", "an id is left aside: %+v", moved)
	c.writes(http.StatusBadRequest, http.MethodPatch, path, merging, `{"id":5}`)
}

func conformsToLocking(c *conforming) {
	path := c.newKiosk("103,21.4")
	_, first := c.kiosk(path)
	c.isTrue(strings.HasPrefix(first, `"`), "a feature has a strong tag: %s", first)
	a := c.writes(http.StatusNoContent, http.MethodPatch, path, merging, `{"properties":{"name":"A"}}`, "If-Match", first)
	_, second := c.kiosk(path)
	c.isTrue(a.header.Get("ETag") == second && second != first, "PATCH tells the new tag: %s, %s", a.header.Get("ETag"), second)
	body := fmt.Sprintf(ofKiosks, "1", newCode(), "103,21.4")
	c.writes(http.StatusPreconditionFailed, http.MethodPut, path, geoJSON, body, "If-Match", first)
	c.writes(http.StatusPreconditionFailed, http.MethodPatch, path, merging, `{"properties":{"name":"B"}}`, "If-Match", "W/"+second)
	c.writes(http.StatusPreconditionFailed, http.MethodDelete, path, "", "", "If-Match", first)
	// An edit elsewhere makes no tag stale.
	c.newKiosk("103.3,21.4")
	a = c.writes(http.StatusNoContent, http.MethodPut, path, geoJSON, body, "If-Match", `"x", `+second)
	_, third := c.kiosk(path)
	c.isTrue(a.header.Get("ETag") == third, "PUT tells the new tag")
	c.writes(http.StatusNoContent, http.MethodPut, path, geoJSON, body, "If-Match", "*")
	c.writes(http.StatusNoContent, http.MethodDelete, path, "", "")
}

func conformsToWritingFeatures(c *conforming) {
	var doc struct {
		CRS                                 []string
		SupportsNonAutogeneratedResourceIDs bool
	}
	c.read("/collections/kiosks", &doc)
	c.isTrue(!doc.SupportsNonAutogeneratedResourceIDs, "PUT makes no features, and the collection does not say so")
	degrees, _ := c.kiosk(c.newKiosk("103,21.4"))
	c.isTrue(degrees.Geometry.Coordinates[0] == 103 && degrees.Geometry.Coordinates[1] == 21.4, "without Content-Crs it is CRS84")
	grid := "http://www.opengis.net/def/crs/EPSG/0/9205"
	c.isTrue(slices.Contains(doc.CRS, grid), "%s is among the collection's systems", grid)
	path := c.newKiosk("500123.456,2365543.21", "Content-Crs", "<"+grid+">")
	var k kiosk
	c.read(path+"?crs="+grid, &k)
	c.isTrue(k.Geometry.Coordinates[0] == 500123.456 && k.Geometry.Coordinates[1] == 2365543.21, "in the grid it is where it was put: %v", k.Geometry.Coordinates)
	c.writes(http.StatusBadRequest, http.MethodPost, kiosks, geoJSON, fmt.Sprintf(ofKiosks, "1", newCode(), "103,21.4"), "Content-Crs", "<http://www.opengis.net/def/crs/EPSG/0/32648>")
	// The schema holds: what is wrong by it is refused, all at once.
	a := c.writes(http.StatusBadRequest, http.MethodPost, kiosks, geoJSON, `{"type":"Feature","properties":{"code":5,"colour":"red","status":"x"},"geometry":null}`)
	var p problemAnswer
	if err := json.Unmarshal(a.body, &p); err != nil {
		c.Fatal(err)
	}
	var at []string
	for _, e := range p.Errors {
		at = append(at, e.Pointer)
	}
	for _, want := range []string{"/properties/code", "/properties/colour", "/properties/status", "/properties/valid_from", "/properties/jurisdiction", "/geometry"} {
		c.isTrue(slices.Contains(at, want), "%s is among the faults %v", want, at)
	}
}
