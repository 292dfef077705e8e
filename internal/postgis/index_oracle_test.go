package postgis_test

import (
	"context"
	"encoding/json"
	"math"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkb"
	"github.com/paulmach/orb/geojson"

	"hatang/geo"
	"hatang/internal/testdb"
)

// TestIndexIsPostGIS: the index finds the areas that PostGIS finds, for points
// anywhere, on corners, and on edges and within rounding of them.
//
// Exact is GEOS (ST_Relate), and from it nothing may differ. ST_Covers promises no
// exactness: it may differ where the point and an edge make a triangle of which twice
// the area is below 1e-12 square degrees (in PostGIS 3.3.2 it does not).
func TestIndexIsPostGIS(t *testing.T) {
	boundaries := filepath.Join(testdb.TestData(t), "boundaries")
	n := openNation(t, oracleParts)
	for _, set := range []struct {
		name  string
		areas []orb.MultiPolygon
	}{
		{"the communes of a province", fileAreas(t, filepath.Join(boundaries, "dienbien_communes.geojson"))},
		{"its districts", fileAreas(t, filepath.Join(boundaries, "dienbien_districts.geojson"))},
		{"its new communes", fileAreas(t, filepath.Join(boundaries, "dienbien_communes_2025.geojson"))},
		{"a raw survey, with gaps and overlaps", fileAreas(t, filepath.Join(testdb.TestData(t), "messy", "dienbien_communes_raw_coverage.geojson"))},
		{"the generator's communes", n.units(t, "communes")},
		{"random shapes with holes", randomAreas(rand.New(rand.NewSource(oracleSeed)), 60)},
	} {
		t.Run(set.name, func(t *testing.T) { compareIndex(t, n, set.areas) })
	}
}

func compareIndex(t *testing.T, n nation, areas []orb.MultiPolygon) {
	points := pointsAbout(rand.New(rand.NewSource(oracleSeed)), areas, 2000)
	exact, covers := coveredSQL(t, n, areas, points)
	index := geo.NewIndex(areas)
	unlike, onBorders := 0, 0
	for i, p := range points {
		ours := index.At(p)
		if !slices.Equal(ours, exact[i]) {
			t.Errorf("seed %d: point %d %v lies in %v, PostGIS exactly says %v", oracleSeed, i, p, ours, exact[i])
		}
		if len(ours) > 1 {
			onBorders++
		}
		if slices.Equal(ours, covers[i]) {
			continue
		}
		unlike++
		for _, at := range append(slices.Clone(ours), covers[i]...) {
			if slices.Contains(ours, at) != slices.Contains(covers[i], at) && !withinTolerance(areas[at], p) {
				t.Errorf("seed %d: point %d %v lies in %v, ST_Covers says %v", oracleSeed, i, p, ours, covers[i])
			}
		}
	}
	t.Logf("%d points, %d of them in several areas; ST_Covers sees %d otherwise, within its tolerance", len(points), onBorders, unlike)

	// The control: the same areas a hair to the east are not the same.
	for i := range areas {
		areas[i] = moved(areas[i], 1e-9)
	}
	index = geo.NewIndex(areas)
	if !slices.ContainsFunc(points, func(p orb.Point) bool { return !slices.Equal(index.At(p), exact[slices.Index(points, p)]) }) {
		t.Error("the control finds no difference: the comparison proves nothing")
	}
}

// withinTolerance reports whether p is so near to an edge that ST_Covers may differ.
func withinTolerance(mp orb.MultiPolygon, p orb.Point) bool {
	for _, polygon := range mp {
		for _, ring := range polygon {
			for i := 1; i < len(ring); i++ {
				a, b := ring[i-1], ring[i]
				if math.Abs((b[0]-a[0])*(p[1]-a[1])-(b[1]-a[1])*(p[0]-a[0])) <= 1.01e-12 &&
					p[1] >= min(a[1], b[1])-1e-12 && p[1] <= max(a[1], b[1])+1e-12 &&
					p[0] >= min(a[0], b[0])-1e-12 && p[0] <= max(a[0], b[0])+1e-12 {
					return true
				}
			}
		}
	}
	return false
}

// pointsAbout are anywhere in the areas' box, on corners, and on edges: exactly where
// numbers allow, else beside them by rounding.
func pointsAbout(random *rand.Rand, areas []orb.MultiPolygon, count int) []orb.Point {
	box := areas[0].Bound()
	for _, mp := range areas {
		box = box.Union(mp.Bound())
	}
	points := make([]orb.Point, 0, count)
	for len(points) < count {
		p := cornerOrEdge(random, areas[random.Intn(len(areas))])
		switch random.Intn(4) {
		case 0:
			p = within(random, box)
		case 1:
			p[random.Intn(2)] += 1e-9 * (random.Float64() - 0.5)
		}
		points = append(points, p)
	}
	return points
}

// coveredSQL asks PostGIS for the positions of the areas that hold or touch each
// point, exactly and by ST_Covers.
func coveredSQL(t *testing.T, n nation, areas []orb.MultiPolygon, points []orb.Point) (exact, covers [][]int) {
	t.Helper()
	ctx := context.Background()
	run(t, n.peer, "SET search_path = public")
	run(t, n.peer, "DROP TABLE IF EXISTS area, spot")
	run(t, n.peer, "CREATE TEMPORARY TABLE area (at int, raw bytea)")
	run(t, n.peer, "CREATE TEMPORARY TABLE spot (i int, lon float8, lat float8)")
	_, err := n.peer.CopyFrom(ctx, pgx.Identifier{"area"}, []string{"at", "raw"}, pgx.CopyFromSlice(len(areas), func(i int) ([]any, error) {
		raw, err := wkb.Marshal(areas[i])
		return []any{i, raw}, err
	}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = n.peer.CopyFrom(ctx, pgx.Identifier{"spot"}, []string{"i", "lon", "lat"}, pgx.CopyFromSlice(len(points), func(i int) ([]any, error) {
		return []any{i, points[i][0], points[i][1]}, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	run(t, n.peer, "ALTER TABLE area ADD geom geometry")
	run(t, n.peer, "UPDATE area SET geom = ST_GeomFromWKB(raw)")
	run(t, n.peer, "CREATE INDEX ON area USING gist (geom)")
	run(t, n.peer, "ANALYZE area, spot")
	rows, err := n.peer.Query(ctx, `SELECT array_agg(a.at ORDER BY a.at) FILTER (WHERE ST_Relate(a.geom, p.geom) `+exactly+`),
			array_agg(a.at ORDER BY a.at) FILTER (WHERE ST_Covers(a.geom, p.geom))
		FROM (SELECT i, ST_MakePoint(lon, lat) AS geom FROM spot) p LEFT JOIN area a ON a.geom && ST_Expand(p.geom, 1e-9) GROUP BY i ORDER BY i`)
	if err != nil {
		t.Fatal(err)
	}
	var e, c []int
	_, err = pgx.ForEachRow(rows, []any{&e, &c}, func() error {
		exact, covers = append(exact, slices.Clone(e)), append(covers, slices.Clone(c))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return exact, covers
}

// fileAreas reads the areas of a GeoJSON file.
func fileAreas(t *testing.T, path string) []orb.MultiPolygon {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file geojson.FeatureCollection
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	var areas []orb.MultiPolygon
	for _, f := range file.Features {
		switch g := f.Geometry.(type) {
		case orb.MultiPolygon:
			areas = append(areas, g)
		case orb.Polygon:
			areas = append(areas, orb.MultiPolygon{g})
		}
	}
	if len(areas) == 0 {
		t.Fatalf("%s holds no areas", path)
	}
	return areas
}

// randomAreas overlap each other; each is a star with a hole of the same shape, some
// with corners so close together that edges are shorter than a millimetre.
func randomAreas(random *rand.Rand, count int) []orb.MultiPolygon {
	areas := make([]orb.MultiPolygon, count)
	for i := range areas {
		centre := orb.Point{103 + random.Float64(), 21 + random.Float64()}
		size := math.Pow(10, -4+3.5*random.Float64())
		var outer, inner orb.Ring
		corners := 3 + random.Intn(300)
		for k := range corners {
			sin, cos := math.Sincos(2 * math.Pi * float64(k) / float64(corners))
			r := size * (0.6 + 0.4*random.Float64())
			outer = append(outer, orb.Point{centre[0] + r*cos, centre[1] + r*sin})
			inner = append(inner, orb.Point{centre[0] + 0.3*r*cos, centre[1] + 0.3*r*sin})
		}
		areas[i] = orb.MultiPolygon{{append(outer, outer[0]), append(inner, inner[0])}}
		if random.Intn(2) == 0 {
			slices.Reverse(areas[i][0][0])
		}
	}
	return areas
}
