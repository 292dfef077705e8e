package postgis

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/ewkb"

	"hatang/internal/account"
	"hatang/internal/filter"
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
	t.Run("filtered", func(t *testing.T) { filteredWhereTheyAreShown(t, s, l) })
	t.Run("shown", func(t *testing.T) { foundWhereTheyAreShown(t, s, l) })
}

// foundByTheIndex: where places are rounded the public's questions about places use the
// index of the true ones.
func foundByTheIndex(t *testing.T, s *Store, l *layer.Layer) {
	ctx := context.Background()
	plan := func(q layer.Query, by near) string {
		var lines []string
		err := s.seen(ctx, account.Anonymous(), l, by, func(c *conditions, from string) error {
			if err := c.matching(q, l); err != nil {
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
	for name, q := range map[string]layer.Query{
		"a box":               {Boxes: []orb.Bound{{Min: orb.Point{102.5, 20.5}, Max: orb.Point{102.51, 20.51}}}},
		"a filter by a place": {Filter: placesOf(t, "S_INTERSECTS(geometry, POINT(102.5 20.5))")},
		"one among others":    {Filter: placesOf(t, "code LIKE 'S1%' AND (S_WITHIN(geometry, BBOX(102.5, 20.5, 102.51, 20.51)) OR S_EQUALS(geometry, POINT(103.2 20.1)))")},
	} {
		if with := plan(q, nearOf(q)); !strings.Contains(with, "bts_sites_geom") {
			t.Errorf("%s: the index is not used:\n%s", name, with)
		}
		if without := plan(q, nil); strings.Contains(without, "bts_sites_geom") {
			t.Errorf("%s: the index is used without the boxes, too: the test proves nothing\n%s", name, without)
		}
	}
}

// placesOf is a filter by places and codes.
func placesOf(t *testing.T, text string) *filter.Filter {
	t.Helper()
	tree, err := filter.ParseText(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	f, err := filter.Check(tree, filter.Schema{layer.GeometryName: filter.KindGeometry, "code": filter.KindText})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}

// filteredWhereTheyAreShown: what filters by places select is what they select without the
// index, of places as they are shown.
func filteredWhereTheyAreShown(t *testing.T, s *Store, l *layer.Layer) {
	ctx, public := context.Background(), account.Anonymous()
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 2))
	var shown []string // places as texts that are read as the same numbers
	if err := s.Features(ctx, public, l, layer.Query{}, func(r *layer.Row) error {
		g, _, err := ewkb.Unmarshal(r.Geometry)
		if at, ok := g.(orb.Point); ok && random.IntN(100) == 0 {
			shown = append(shown, fmt.Sprintf("%v %v", at[0], at[1]))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	predicate := func() string {
		at := shown[random.IntN(len(shown))]
		var x, y float64
		if _, err := fmt.Sscan(at, &x, &y); err != nil {
			t.Fatal(err)
		}
		side := []float64{0, 0.001, 0.02, 0.3}[random.IntN(4)]
		box := fmt.Sprintf("BBOX(%v, %v, %v, %v)", x, y, x+side, y+side)
		return []string{"S_EQUALS(geometry, POINT(" + at + "))", "S_INTERSECTS(geometry, " + box + ")", "S_WITHIN(geometry, " + box + ")", "S_DISJOINT(geometry, " + box + ")",
			fmt.Sprintf("S_TOUCHES(POLYGON((%v %v, %v %v, %v %v, %v %v)), geometry)", x, y, x+0.1, y, x, y+0.1, x, y)}[random.IntN(5)]
	}
	found := 0
	for range 100 {
		text := predicate()
		for range random.IntN(3) {
			text = fmt.Sprintf([]string{"(%s AND %s)", "(%s OR %s)", "(NOT %s OR %s)"}[random.IntN(3)], text, predicate())
		}
		q := layer.Query{Filter: placesOf(t, text)}
		n, err := s.CountFeatures(ctx, public, l, q)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var want int64
		err = s.seen(ctx, public, l, nil, func(c *conditions, from string) error {
			if err := c.matching(q, l); err != nil {
				return err
			}
			return s.pool.QueryRow(ctx, "SELECT count(*) FROM "+from+c.where(), c.args...).Scan(&want)
		})
		if err != nil || n != want {
			t.Fatalf("seed %d, %s: %d, without the index %d; %v", seed, text, n, want, err)
		}
		if n < 10_000 {
			found += int(n)
		}
	}
	if found < 100 {
		t.Errorf("%d found: the test proves little", found)
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
