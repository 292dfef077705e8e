package main

import (
	"encoding/csv"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/geojson"
	"github.com/paulmach/orb/maptile"
	"github.com/paulmach/orb/planar"
	"github.com/paulmach/orb/project"
)

// tilesAbout are the tiles of a zoom that meet a box.
func tilesAbout(box orb.Bound, zoom maptile.Zoom) (all []maptile.Tile) {
	first, last := maptile.At(orb.Point{box.Min[0], box.Max[1]}, zoom), maptile.At(orb.Point{box.Max[0], box.Min[1]}, zoom)
	for y := first.Y; y <= last.Y; y++ {
		for x := first.X; x <= last.X; x++ {
			all = append(all, maptile.New(x, y, zoom))
		}
	}
	return all
}

// drawn fetches a tile's layers by name.
func drawn(t *testing.T, s *server, path string, at maptile.Tile, headers ...string) map[string]*mvt.Layer {
	t.Helper()
	base, query, _ := strings.Cut(path, "?")
	a := s.call(t, http.MethodGet, fmt.Sprintf("%s/tiles/WebMercatorQuad/%d/%d/%d?%s", base, at.Z, at.Y, at.X, query), "", headers...)
	if a.status == http.StatusNoContent && len(a.body) == 0 {
		return nil
	}
	a.wants(t, http.StatusOK)
	layers, err := mvt.Unmarshal(a.body)
	if err != nil {
		t.Fatal(err)
	}
	return byName(layers)
}

func byName(layers mvt.Layers) map[string]*mvt.Layer {
	named := map[string]*mvt.Layer{}
	for _, l := range layers {
		named[l.Name] = l
	}
	return named
}

// tilesShowItems: a whole province of tiles shows the features of items, with their ids
// and attributes, and every zoom shows every layer.
func tilesShowItems(t *testing.T, s *server) {
	for _, l := range layersOf(t) {
		var c struct {
			Extent struct{ Spatial struct{ Bbox [][]float64 } }
		}
		s.get(t, "/api/v1/collections/"+l.Name, &c)
		b := c.Extent.Spatial.Bbox[0]
		box := orb.Bound{Min: orb.Point{b[0], b[1]}, Max: orb.Point{b[2], b[3]}}
		for _, zoom := range []maptile.Zoom{0, 4, 8} {
			n := 0
			for _, at := range tilesAbout(box, zoom) {
				if of := drawn(t, s, "/api/v1/collections/"+l.Name, at)[l.Name]; of != nil {
					n += len(of.Features)
				}
			}
			if n == 0 {
				t.Errorf("zoom %d does not show %s", zoom, l.Name)
			}
		}
	}
	var p page
	s.get(t, "/api/v1/collections/communes/items?limit=10000", &p)
	want, got := map[int64]string{}, map[int64]string{}
	for _, f := range p.Features {
		want[f.ID] = fmt.Sprint(f.Properties["code"], f.Properties["name"], f.Properties["urban"], f.Properties["valid_from"], f.Properties["population"])
	}
	for _, at := range tilesAbout(orb.Bound{Min: orb.Point{102, 20.8}, Max: orb.Point{103.7, 22.7}}, 10) {
		for _, f := range featuresOf(drawn(t, s, "/api/v1/collections/communes", at)["communes"]) {
			properties := fmt.Sprint(f.Properties["code"], f.Properties["name"], f.Properties["urban"], f.Properties["valid_from"], f.Properties["population"])
			id := int64(f.ID.(float64))
			if before, ok := got[id]; ok && before != properties {
				t.Errorf("%d is %s in one tile and %s in another", id, before, properties)
			}
			got[id] = properties
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	// One by one from zoom 14 on.
	ids := idsOf(t, s, "bbox=103,21.37,103.05,21.41")
	var shown []int64
	for _, at := range tilesAbout(orb.Bound{Min: orb.Point{103, 21.37}, Max: orb.Point{103.05, 21.41}}, 14) {
		for _, f := range featuresOf(drawn(t, s, "/api/v1/collections/bts_sites", at)["bts_sites"]) {
			shown = append(shown, int64(f.ID.(float64)))
		}
	}
	for _, id := range ids {
		if !slices.Contains(shown, id) {
			t.Errorf("the site %d is in no tile", id)
		}
	}
}

func featuresOf(l *mvt.Layer) []*geojson.Feature {
	if l == nil {
		return nil
	}
	return l.Features
}

// tilesKeepSecrets: officer and public get different tiles, whoever asks first, and
// neither gets the other's from memory or by a tag.
func tilesKeepSecrets(t *testing.T, s *server) {
	officer := bearer(newKey(t, s, "officer"))
	operator := bearer(newKey(t, s, "operator", "--organisation", "VNPT"))
	kinds := func(path string, at maptile.Tile, who []string) map[string]int {
		found := map[string]int{}
		for _, f := range featuresOf(drawn(t, s, path, at, who...)["special_areas"]) {
			found[fmt.Sprint(f.Properties["kind"])]++
		}
		return found
	}
	for i, at := range []maptile.Tile{maptile.New(0, 0, 0), maptile.At(orb.Point{103, 21.5}, 6), maptile.At(orb.Point{103, 21.5}, 7)} {
		for _, path := range []string{"/api/v1/collections/special_areas", "/api/v1?collections=special_areas,roads"} {
			ask := []string{"officer", "public", "operator", "officer", "public"}
			if i%2 == 1 {
				slices.Reverse(ask)
			}
			for _, name := range ask {
				got := kinds(path, at, map[string][]string{"officer": officer, "operator": operator}[name])
				hidden := got["military"] + got["border_belt"]
				if (name == "officer") != (hidden > 0) || got["aviation_surface"]+got["support_area"] == 0 {
					t.Errorf("%s, %v: the %s sees %v", path, at, name, got)
				}
			}
		}
	}
	const tile = "/api/v1/collections/special_areas/tiles/WebMercatorQuad/0/0/0"
	private, public := s.call(t, "GET", tile, "", officer...), s.call(t, "GET", tile, "")
	tag := private.header.Get("ETag")
	if tag == public.header.Get("ETag") || private.header.Get("Cache-Control") != "private, no-cache" || public.header.Get("Cache-Control") != "public, no-cache" {
		t.Errorf("%v\n%v", private.header, public.header)
	}
	s.call(t, "GET", tile, "", append([]string{"If-None-Match", tag}, officer...)...).wants(t, http.StatusNotModified)
	s.call(t, "GET", tile, "", "If-None-Match", tag).wants(t, http.StatusOK)
	s.call(t, "GET", tile, "", "If-None-Match", public.header.Get("ETag")).wants(t, http.StatusNotModified)
}

// ogrReadsTiles: GDAL's own decoder finds in a tile what items have there.
func ogrReadsTiles(t *testing.T, s *server) {
	const path = "/api/v1/tiles/WebMercatorQuad/10/449/805?collections=bts_sites,communes,roads"
	a := s.call(t, http.MethodGet, path, "", "Accept-Encoding", "identity")
	a.wants(t, http.StatusOK)
	layers, err := mvt.Unmarshal(a.body)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(freshDir(t), "449.pbf")
	if err := os.WriteFile(file, a.body, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, of := range byName(layers) {
		out := gdal(t, "ogrinfo", "-ro", "-so", "-oo", "X=805", "-oo", "Y=449", "-oo", "Z=10", "MVT:"+file, name)
		if n := featureCount(t, out); n != len(of.Features) || n == 0 || !strings.Contains(out, "code: String") {
			t.Errorf("%s: GDAL counts %d, there are %d\n%s", name, n, len(of.Features), out)
		}
	}
	ogrMeasures(t, s, file, maptile.New(805, 449, 10))
	ogrReadsAttributes(t, s)
}

// ogrReadsAttributes compares the sites of a tile that shows all of them, as GDAL decodes
// them, with items: the same ids, values and places.
func ogrReadsAttributes(t *testing.T, s *server) {
	at := maptile.At(orb.Point{103.0165, 21.3826}, 14)
	a := s.call(t, http.MethodGet, fmt.Sprintf("/api/v1/collections/bts_sites/tiles/WebMercatorQuad/%d/%d/%d", at.Z, at.Y, at.X), "", "Accept-Encoding", "identity")
	a.wants(t, http.StatusOK)
	file := filepath.Join(freshDir(t), "sites.pbf")
	if err := os.WriteFile(file, a.body, 0o600); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(filepath.Dir(file), "sites.geojson")
	gdal(t, "ogr2ogr", "-f", "GeoJSON", "-t_srs", "EPSG:4326", target, "MVT:"+file, "-oo", fmt.Sprint("X=", at.X), "-oo", fmt.Sprint("Y=", at.Y), "-oo", fmt.Sprint("Z=", at.Z))
	raw, err := os.ReadFile(target)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := geojson.UnmarshalFeatureCollection(raw)
	if err != nil {
		t.Fatal(err)
	}
	items, err := geojson.UnmarshalFeatureCollection(s.call(t, http.MethodGet, "/api/v1/collections/bts_sites/items?limit=10000", "").body)
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]*geojson.Feature{}
	for _, f := range items.Features {
		byID[fmt.Sprint(f.ID)] = f
	}
	if n := len(decoded.Features); n < 20 {
		t.Fatalf("GDAL finds %d sites", n)
	}
	for _, f := range decoded.Features {
		item := byID[fmt.Sprint(f.Properties["mvt_id"])]
		if item == nil {
			t.Errorf("no item %v", f.Properties["mvt_id"])
			continue
		}
		for _, name := range []string{"code", "name", "mast_type", "status", "height_m", "concealed", "valid_from", "revision"} {
			if got, want := f.Properties[name], item.Properties[name]; fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%v: %s is %v, in items %v", f.Properties["mvt_id"], name, got, want)
			}
		}
		place, there := f.Geometry.(orb.Point), item.Geometry.(orb.Point)
		const unit = 360. / (1 << 14) / 4096 // degrees
		if math.Abs(place[0]-there[0]) > unit || math.Abs(place[1]-there[1]) > unit {
			t.Errorf("%v is at %v, in items at %v", f.Properties["mvt_id"], place, there)
		}
	}
}

// ogrMeasures compares the communes that lie wholly in a tile, as GDAL decodes them, with
// their shapes in items: the same ids, and the same areas within what simplification and
// the grid move their outlines by.
func ogrMeasures(t *testing.T, s *server, file string, at maptile.Tile) {
	target := filepath.Join(filepath.Dir(file), "areas.csv")
	gdal(t, "ogr2ogr", "-f", "CSV", target, "MVT:"+file, "-oo", fmt.Sprint("X=", at.X), "-oo", fmt.Sprint("Y=", at.Y), "-oo", fmt.Sprint("Z=", at.Z),
		"-dialect", "SQLITE", "-sql", "SELECT mvt_id, code, ST_Area(geometry) AS area FROM communes")
	raw, err := os.ReadFile(target)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(raw))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	decoded := map[string]float64{}
	for _, row := range rows[1:] {
		if decoded[row[0]+" "+row[1]], err = strconv.ParseFloat(row[2], 64); err != nil {
			t.Fatal(err)
		}
	}
	items := s.call(t, http.MethodGet, "/api/v1/collections/communes/items?limit=10000", "")
	all, err := geojson.UnmarshalFeatureCollection(items.body)
	if err != nil {
		t.Fatal(err)
	}
	const movedM = 2 * 40075017 / 1024 / 4096 // metres: two units at zoom 10
	compared := 0
	for _, f := range all.Features {
		bound, within := f.Geometry.Bound(), at.Bound()
		if !within.Contains(bound.Min) || !within.Contains(bound.Max) {
			continue
		}
		compared++
		flat := project.Geometry(orb.Clone(f.Geometry), project.WGS84.ToMercator)
		area, ok := decoded[fmt.Sprintf("%v %v", f.ID, f.Properties["code"])]
		if want := math.Abs(planar.Area(flat)); !ok || math.Abs(area-want) > planar.Length(flat)*movedM || math.Abs(area/want-1) > .02 {
			t.Errorf("commune %v has %.0f m2 in the tile (there: %v), %.0f in items", f.ID, area, ok, want)
		}
	}
	if compared == 0 {
		t.Error("no commune lies wholly in the tile")
	}
}

// TestTilesFollowEdits: a tile is the client's until an edit that he may see, and not a
// moment longer.
func TestTilesFollowEdits(t *testing.T) {
	s := demo(t)
	at := maptile.At(orb.Point{103.0165, 21.3826}, 12)
	tile := fmt.Sprintf("/api/v1/collections/kiosks/tiles/WebMercatorQuad/12/%d/%d", at.Y, at.X)
	admin := bearer(s.key)
	before := s.call(t, "GET", tile, "")
	tag := before.header.Get("ETag")
	s.call(t, "GET", tile, "", "If-None-Match", tag).wants(t, http.StatusNotModified)
	edit := func(code, status string) {
		t.Helper()
		body := fmt.Sprintf(`{"type":"Feature","geometry":{"type":"Point","coordinates":[103.0165,21.3826]},"properties":{"code":%q,"status":%q,"valid_from":"2015-12-31","jurisdiction":"11","illustrative":false}}`, code, status)
		s.call(t, "POST", "/api/v1/collections/kiosks/items", body, append([]string{"Content-Type", "application/geo+json"}, admin...)...).wants(t, http.StatusCreated)
	}
	for i := range 3 {
		private := s.call(t, "GET", tile, "", admin...).header.Get("ETag")
		edit(fmt.Sprint("D-", i), "draft")
		s.call(t, "GET", tile, "", "If-None-Match", tag).wants(t, http.StatusNotModified)
		s.call(t, "GET", tile, "", append([]string{"If-None-Match", private}, admin...)...).wants(t, http.StatusOK)
		edit(fmt.Sprint("T-", i), "existing")
		after := s.call(t, "GET", tile, "", "If-None-Match", tag)
		after.wants(t, http.StatusOK)
		layers, err := mvt.Unmarshal(after.body)
		if err != nil || len(layers) != 1 {
			t.Fatalf("%d layers, %v", len(layers), err)
		}
		tag = after.header.Get("ETag")
		s.call(t, "GET", tile, "", "If-None-Match", tag).wants(t, http.StatusNotModified)
	}
}
