package postgis

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/ewkb"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/testdb"
)

// scattered is a store with 10 000 sites strewn over three provinces: one has places
// rounded coarsely, one finely, one as they are.
func scattered(t *testing.T) (*Store, *layer.Layer) {
	t.Helper()
	ctx := context.Background()
	layers, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	url := testdb.New(t)
	if err := Migrate(ctx, url, layers); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }() // it has done its work
	for _, sql := range []string{
		`INSERT INTO provinces (code, name, valid_from, jurisdiction, geom)
			SELECT code, code, '2010-01-01', code, ST_Multi(ST_MakeEnvelope(x, 20, x + 1, 21, 4326)) FROM (VALUES ('11', 102), ('12', 103), ('14', 104)) p (code, x)`,
		`INSERT INTO bts_sites (code, valid_from, jurisdiction, mast_type, status, geom)
			SELECT 'S' || i, '2016-01-01', (ARRAY['11', '12', '14'])[1 + i % 3], 'A2b', 'existing',
				ST_SetSRID(ST_MakePoint(102 + i % 3 + (hashint4(i)::bigint + 2147483648) / 4294967296.0, 20 + (hashint4(-i)::bigint + 2147483648) / 4294967296.0), 4326)
			FROM generate_series(1, 10000) i`,
		"ANALYZE bts_sites",
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(ctx, url, layers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	for code, cell := range map[string]float64{"11": 0.05, "12": 0.003} {
		if err := s.SetPublication(ctx, account.Terminal("test"), account.Publication{Jurisdiction: code, Exactness: account.Rounded, CellDegrees: &cell}); err != nil {
			t.Fatal(err)
		}
	}
	l, _ := layers.Get("bts_sites")
	return s, l
}

func TestRoundedPlaces(t *testing.T) {
	s, l := scattered(t)
	t.Run("index", func(t *testing.T) { foundByTheIndex(t, s, l) })
	t.Run("shown", func(t *testing.T) { foundWhereTheyAreShown(t, s, l) })
}

// foundByTheIndex: where places are rounded the public's questions about a box use the
// index of the true ones.
func foundByTheIndex(t *testing.T, s *Store, l *layer.Layer) {
	ctx := context.Background()
	box := orb.Bound{Min: orb.Point{102.5, 20.5}, Max: orb.Point{102.51, 20.51}}
	plan := func(preselected []orb.Bound) string {
		var lines []string
		err := s.seen(ctx, account.Anonymous(), l, preselected, func(c *conditions, from string) error {
			if err := c.matching(layer.Query{Boxes: []orb.Bound{box}}, l); err != nil {
				return err
			}
			rows, err := s.pool.Query(ctx, "EXPLAIN SELECT id FROM "+from+c.where(), append([]any{pgx.QueryExecModeExec}, c.args...)...)
			if err != nil {
				return err
			}
			lines, err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(lines, "\n")
	}
	if with := plan([]orb.Bound{box}); !strings.Contains(with, "bts_sites_geom") {
		t.Errorf("the index is not used:\n%s", with)
	}
	if without := plan(nil); strings.Contains(without, "bts_sites_geom") {
		t.Errorf("the index is used without the box, too: the test proves nothing\n%s", without)
	}
}

// foundWhereTheyAreShown: what is found in a box is what lies in it as it is shown,
// whatever the true places are.
func foundWhereTheyAreShown(t *testing.T, s *Store, l *layer.Layer) {
	ctx, public := context.Background(), account.Anonymous()
	type shown struct {
		id int64
		at orb.Point
	}
	var all []shown
	read := func(rows *[]shown) func(*layer.Row) error {
		return func(r *layer.Row) error {
			g, _, err := ewkb.Unmarshal(r.Geometry)
			if err == nil {
				*rows = append(*rows, shown{r.ID, g.(orb.Point)})
			}
			return err
		}
	}
	if err := s.Features(ctx, public, l, layer.Query{}, read(&all)); err != nil || len(all) != 10_000 {
		t.Fatal(len(all), err)
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	found := 0
	for range 300 {
		corner, side := all[random.IntN(len(all))].at, []float64{0, 1e-9, 0.001, 0.02, 0.3}[random.IntN(5)]
		box := orb.Bound{Min: corner, Max: orb.Point{corner[0] + side, corner[1] + side*(0.1+random.Float64())}}
		if random.IntN(3) == 0 { // its edge by a hair beside the place
			box.Min[0] += 1e-12
			box.Max[0] += 1e-12
		}
		var want, got, inTile []shown
		for _, one := range all {
			if box.Contains(one.at) {
				want = append(want, one)
			}
		}
		if err := s.Features(ctx, public, l, layer.Query{Boxes: []orb.Bound{box, {Min: orb.Point{-10, -10}, Max: orb.Point{-9, -9}}}}, read(&got)); err != nil {
			t.Fatal(err)
		}
		if err := s.TileRows(ctx, public, l, box, layer.Query{}, nil, read(&inTile)); err != nil {
			t.Fatal(err)
		}
		scanned := inTile[len(inTile):]
		err := s.seen(ctx, public, l, nil, func(c *conditions, from string) error {
			return hand(ctx, s.pool, "SELECT id, revision, geom FROM "+from+" WHERE "+strings.Join(append(c.sql, c.within([]orb.Bound{box}, 0)), " AND "), c.args, 0, read(&scanned))
		})
		if err != nil {
			t.Fatal(err)
		}
		byID := func(a, b shown) int { return int(a.id - b.id) }
		slices.SortFunc(inTile, byID)
		slices.SortFunc(scanned, byID)
		count, err := s.CountFeatures(ctx, public, l, layer.Query{Boxes: []orb.Bound{box}})
		if err != nil || !slices.Equal(got, want) || count != int64(len(want)) || !slices.Equal(inTile, scanned) || len(inTile) < len(want) {
			t.Fatalf("seed %d, %v: %d of items, %d counted, %d of the tile, %d without the index, %d lie there; %v", seed, box, len(got), count, len(inTile), len(scanned), len(want), err)
		}
		found += len(want)
	}
	if found < 1000 {
		t.Errorf("%d places found: the test proves little", found)
	}
}
