package postgis_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/ewkb"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/maptile"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/postgis"
	"hatang/internal/tiles"
)

var everywhere = orb.Bound{Min: orb.Point{-180, -90}, Max: orb.Point{180, 90}}

// tileRows returns the ids and the values of one field that a tile is made of.
func tileRows(t testing.TB, s *postgis.Store, v account.Viewer, l *layer.Layer, box orb.Bound, q layer.Query, field string) map[int64]string {
	t.Helper()
	f, ok := l.Field(field)
	if !ok {
		t.Fatal("no field " + field)
	}
	seen := map[int64]string{}
	err := s.TileRows(context.Background(), v, l, box, q, []*layer.Field{f}, func(r *layer.Row) error {
		if len(r.Values) != 1 {
			t.Fatalf("%d values", len(r.Values))
		}
		seen[r.ID] = string(r.Values[0])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// A tile is made of the rows that items show, to everyone.
func TestTilesShowWhatItemsShow(t *testing.T) {
	s, layers, _ := open(t)
	areas, sites := get(t, layers, "special_areas"), get(t, layers, "bts_sites")
	for i, kind := range []string{"aviation_surface", "support_area", "border_belt", "military"} {
		f := sample(t, areas, kind)
		f.Properties["kind"], f.Geometry = kind, square(float64(10*i), 0)
		create(t, s, areas, f)
	}
	create(t, s, sites, sample(t, sites, "S"))
	draftOf(t, s, sites, "VNPT", "D1", orb.Point{103.3, 21.5})
	draftOf(t, s, sites, "VIETTEL", "D2", orb.Point{103.3, 21.6})
	for name, v := range map[string]account.Viewer{"public": account.Anonymous(), "officer": officer(), "operator": operatorOf("VNPT")} {
		for _, l := range []*layer.Layer{areas, sites} {
			field := map[string]string{"special_areas": "kind", "bts_sites": "contact"}[l.Name]
			for _, q := range []layer.Query{{}, {Date: day(t, "2020-12-31")}, {Date: day(t, "1990-01-01")}, {Span: [2]geo.Date{day(t, "2019-03-01")}}, {Equal: []layer.Equality{{Field: "code", Value: "military"}}}} {
				want := values(t, s, v, l, q, field)
				if d := cmp.Diff(want, tileRows(t, s, v, l, everywhere, q, field)); d != "" {
					t.Errorf("%s, %s, %+v: %s", name, l.Name, q, d)
				}
			}
		}
	}
	if got := tileRows(t, s, account.Anonymous(), areas, everywhere, layer.Query{}, "kind"); len(got) != 2 {
		t.Errorf("the public's tiles have %v", got)
	}
	if got := tileRows(t, s, officer(), areas, orb.Bound{Min: orb.Point{9, -1}, Max: orb.Point{21, 1}}, layer.Query{}, "kind"); len(got) != 2 {
		t.Errorf("the box has %v", got)
	}
	stop := errors.New("stop")
	if err := s.TileRows(context.Background(), officer(), areas, everywhere, layer.Query{}, nil, func(*layer.Row) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the reader's error comes back as %v", err)
	}
	var invalid *layer.InvalidError
	if err := s.TileRows(context.Background(), officer(), areas, everywhere, layer.Query{Equal: []layer.Equality{{Field: "nothing"}}}, nil, nil); !errors.As(err, &invalid) {
		t.Errorf("a field that is not there: %v", err)
	}
}

// Places are in the public's tiles as the province has them published, and where they
// are published, not where they are.
func TestTilesHavePlacesAsPublished(t *testing.T) {
	s, layers, _ := open(t)
	ctx := context.Background()
	create(t, s, get(t, layers, "provinces"), sample(t, get(t, layers, "provinces"), "11"))
	sites := get(t, layers, "bts_sites")
	f := sample(t, sites, "S")
	exact := orb.Point{103.0237, 21.4562}
	f.Properties["jurisdiction"], f.Geometry = "11", exact
	create(t, s, sites, f)
	around := func(p orb.Point) orb.Bound { return p.Bound().Pad(1e-4) }
	places := func(v account.Viewer, box orb.Bound) (all []orb.Point) {
		err := s.TileRows(ctx, v, sites, box, layer.Query{}, nil, func(r *layer.Row) error {
			g, _, err := ewkb.Unmarshal(r.Geometry)
			all = append(all, g.(orb.Point))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	cell := 0.01
	rounded := orb.Point{103.02, 21.46}
	if err := s.SetPublication(ctx, account.Terminal("test"), account.Publication{Jurisdiction: "11", Exactness: account.Rounded, CellDegrees: &cell}); err != nil {
		t.Fatal(err)
	}
	if got := places(account.Anonymous(), around(rounded)); !slices.Equal(got, []orb.Point{rounded}) {
		t.Errorf("the public's tile has %v", got)
	}
	if got := places(account.Anonymous(), around(exact)); len(got) != 0 {
		t.Errorf("the public's tile of the true place has %v", got)
	}
	if got := places(officer(), around(exact)); !slices.Equal(got, []orb.Point{exact}) {
		t.Errorf("the officer's tile has %v", got)
	}
	if err := s.SetPublication(ctx, account.Terminal("test"), account.Publication{Jurisdiction: "11", Exactness: account.Hidden}); err != nil {
		t.Fatal(err)
	}
	if got := places(account.Anonymous(), everywhere); len(got) != 0 {
		t.Errorf("the public's tile has %v, which is hidden", got)
	}
}

// drawTile makes a layer's tile from the store.
func drawTile(tb testing.TB, s *postgis.Store, v account.Viewer, l *layer.Layer, q layer.Query, at tiles.Tile) ([]byte, tiles.Result) {
	tb.Helper()
	fields := tiles.Fields(l, at.Z)
	e := tiles.NewLayer(l, fields, at)
	if err := s.TileRows(context.Background(), v, l, at.Box(), q, fields, e.Add); err != nil {
		tb.Fatal(err)
	}
	raw, result, err := e.Append(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return raw, result
}

// Every layer that has a row is in a tile of every zoom, with the row's id.
func TestEveryZoomShowsEveryLayer(t *testing.T) {
	s, layers, _ := open(t)
	ids := map[string]int64{}
	for _, l := range layers.All() {
		f := sample(t, l, "X")
		switch l.Geometry {
		case layer.MultiPolygon:
			f.Geometry = box(103.25, 21.5, 1e-6)
		case layer.MultiLineString:
			if !l.HasZ {
				f.Geometry = orb.MultiLineString{{{103.25, 21.5}, {103.250001, 21.5}}}
			}
		}
		ids[l.Name] = create(t, s, l, f)
	}
	for z := range uint32(tiles.MaxZoom + 1) {
		missing := maps.Clone(ids)
		for _, p := range []orb.Point{{103.25, 21.5}, {103, 21.5}} {
			at := tileAt(p, z)
			for _, l := range layers.All() {
				raw, _ := drawTile(t, s, officer(), l, layer.Query{}, at)
				drawn, err := mvt.Unmarshal(raw)
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range drawn {
					if id := int64(d.Features[0].ID.(float64)); d.Name != l.Name || id != ids[l.Name] {
						t.Errorf("%s %d is drawn as %s %d", l.Name, ids[l.Name], d.Name, id)
					}
					delete(missing, l.Name)
				}
			}
		}
		if len(missing) > 0 {
			t.Errorf("zoom %d does not show %v", z, slices.Sorted(maps.Keys(missing)))
		}
	}
}

// BenchmarkNationalTiles makes the tiles of sites that one of the sites lies in, from the
// database; the peer's way is ST_AsMVT. Ours thins points that lie on each other up to zoom
// 13, and has all fields of the register from zoom 10; the peer's has all points and five fields.
func BenchmarkNationalTiles(b *testing.B) {
	n := openNation(b, 1)
	layers, err := layer.Layers()
	if err != nil {
		b.Fatal(err)
	}
	sites, _ := layers.Get("bts_sites")
	ctx := context.Background()
	var middle orb.Point
	if err := n.peer.QueryRow(ctx, "SELECT ST_X(geom), ST_Y(geom) FROM sites WHERE id = 1000").Scan(&middle[0], &middle[1]); err != nil {
		b.Fatal(err)
	}
	if _, err := n.peer.Exec(ctx, "SET max_parallel_workers_per_gather = 0"); err != nil {
		b.Fatal(err)
	}
	for _, z := range []uint32{6, 9, 12} {
		at := tileAt(middle, z)
		name := fmt.Sprintf("z%d", z)
		b.Run(name+"/ours", func(b *testing.B) {
			var raw []byte
			var result tiles.Result
			for b.Loop() {
				raw, result = drawTile(b, n.store, account.Anonymous(), sites, layer.Query{Date: n.date}, at)
			}
			b.ReportMetric(float64(len(raw)), "bytes")
			b.ReportMetric(float64(result.Shown), "features")
		})
		b.Run(name+"/peer", func(b *testing.B) {
			var raw []byte
			for b.Loop() {
				err := n.peer.QueryRow(ctx, `SELECT ST_AsMVT(q, 'sites', 4096, 'g', 'id') FROM (
					SELECT ST_AsMVTGeom(ST_Transform(s.geom, 3857), ST_TileEnvelope($1, $2, $3)) g, s.id, code, mast_type, status, phase
					FROM sites s WHERE s.geom && ST_Transform(ST_TileEnvelope($1, $2, $3), 4326)) q`, z, at.X, at.Y).Scan(&raw)
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(raw)), "bytes")
		})
	}
}

// tileAt is the tile of a zoom that a place lies in.
func tileAt(p orb.Point, zoom uint32) tiles.Tile {
	tile := maptile.At(p, maptile.Zoom(zoom))
	return tiles.Tile{Z: zoom, X: tile.X, Y: tile.Y}
}
