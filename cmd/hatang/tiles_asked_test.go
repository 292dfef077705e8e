package main

import (
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/maptile"

	"hatang/internal/tiles"
)

// tilesAreFiltered: tiles show what items select by the same question, alone and with
// other layers.
func tilesAreFiltered(t *testing.T, s *server) {
	const box = "103,21.37,103.05,21.41"
	all := len(idsOf(t, s, "bbox="+box))
	for _, asked := range []url.Values{
		{"filter": {"mast_type = 'A2b'"}},
		{"filter": {`{"op":"<","args":[{"property":"height_m"},30]}`}, "filter-lang": {"cql2-json"}},
		{"filter": {"S_INTERSECTS(geometry, BBOX(21.38, 103, 21.4, 103.03))"}, "filter-crs": {"http://www.opengis.net/def/crs/EPSG/0/4326"}},
		{"filter": {"status = 'planned' OR CASEI(code) LIKE '%1%'"}, "datetime": {"2014-01-01/.."}},
		{"mast_type": {"A2a"}, "datetime": {"2016-01-01"}},
		{"status": {"planned"}},
		{"filter": {"code = 'none'"}},
	} {
		want := idsOf(t, s, "bbox="+box+"&"+asked.Encode())
		if len(want) == all {
			t.Errorf("%v selects all %d sites: the test proves nothing", asked, all)
		}
		for _, base := range []string{"/api/v1/collections/bts_sites?", "/api/v1?collections=bts_sites&"} {
			if asked.Has("status") || asked.Has("mast_type") {
				if base != "/api/v1/collections/bts_sites?" {
					continue // several layers have no fields in common
				}
			}
			got := map[int64]bool{}
			for _, at := range tilesAbout(orb.Bound{Min: orb.Point{103, 21.37}, Max: orb.Point{103.05, 21.41}}, 14) {
				for _, f := range featuresOf(drawn(t, s, base+asked.Encode(), at)["bts_sites"]) {
					place := placeIn(at, f.Geometry.(orb.Point))
					if inBox(place, orb.Bound{Min: orb.Point{103, 21.37}, Max: orb.Point{103.05, 21.41}}) {
						got[int64(f.ID.(float64))] = true
					}
				}
			}
			if d := cmp.Diff(want, slices.Sorted(maps.Keys(got))); d != "" && len(want)+len(got) > 0 {
				t.Errorf("%s%v (-items +tiles)\n%s", base, asked, d)
			}
		}
	}
}

// placeIn is the place of a tile's units on earth.
func placeIn(at maptile.Tile, p orb.Point) orb.Point {
	n := float64(uint64(1)<<at.Z) * 4096
	x, y := float64(at.X)*4096+p[0], float64(at.Y)*4096+p[1]
	return orb.Point{x/n*360 - 180, math.Atan(math.Sinh(math.Pi*(1-2*y/n))) * 180 / math.Pi}
}

// inBox holds for places in a box, and within a unit of its edge.
func inBox(p orb.Point, box orb.Bound) bool { return box.Pad(2e-6).Contains(p) }

// tilesMeet: what lies across the edge of two tiles is in both, points in the same place,
// with the same id and the same attributes.
func tilesMeet(t *testing.T, s *server) {
	compared := 0
	for _, l := range layersOf(t) {
		for _, zoom := range []maptile.Zoom{7, 9, 11, 14} {
			at := maptile.At(orb.Point{103.02, 21.39}, zoom)
			for axis, beside := range []maptile.Tile{maptile.New(at.X+1, at.Y, zoom), maptile.New(at.X, at.Y+1, zoom)} {
				path := "/api/v1/collections/" + l.Name
				here, acrossHere := edgeOf(drawn(t, s, path, at)[l.Name], axis, 4096)
				there, acrossThere := edgeOf(drawn(t, s, path, beside)[l.Name], axis, 0)
				for _, id := range slices.Concat(acrossHere, acrossThere) {
					if here[id] == "" || here[id] != there[id] {
						t.Errorf("%s %d is %q in tile %v, %q in %v", l.Name, id, here[id], at, there[id], beside)
					}
				}
				compared += len(acrossHere)
			}
		}
	}
	if compared < 100 {
		t.Errorf("%d features lie across edges: the test proves little", compared)
	}
}

// edgeOf tells of the features of a tile what a tile beside it must have the same, and
// which lie across its edge or in the strip that both have.
func edgeOf(l *mvt.Layer, axis int, edge float64) (all map[int64]string, across []int64) {
	all = map[int64]string{}
	for _, f := range featuresOf(l) {
		id, bound := int64(f.ID.(float64)), f.Geometry.Bound()
		all[id] = fmt.Sprint(f.Properties)
		if p, ok := f.Geometry.(orb.Point); ok {
			p[axis] -= edge
			all[id] += fmt.Sprint(p)
			if math.Abs(p[axis]) < tiles.Buffer {
				across = append(across, id)
			}
			continue
		}
		const clearly = 8 // units: more than a stand-in has
		if bound.Min[axis] < edge-clearly && bound.Max[axis] > edge+clearly {
			across = append(across, id)
		}
	}
	return all, across
}
