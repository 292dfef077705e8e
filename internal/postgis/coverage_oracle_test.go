package postgis_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkt"
	"github.com/paulmach/orb/geojson"

	"hatang/geo"
	"hatang/geo/coverage"
	"hatang/internal/testdb"
)

// The three ways PostGIS is asked for discs. geodesic: points ST_Project finds at the
// radius, on the ellipsoid. buffer: ST_Buffer(geography), which works in UTM and so takes
// metres of the map, here up to 1.5e-4 longer or shorter, for metres. scaled: the same,
// the radius of each disc multiplied so that its corners are as far as they should be.
const (
	geodesicDiscs = `SELECT ST_Union(ST_MakePolygon(ST_AddPoint(line, ST_StartPoint(line)))) AS g FROM (
		SELECT ST_MakeLine(ARRAY(SELECT ST_Project(p, r, radians(-k * 90.0 / $5))::geometry FROM generate_series(0, 4 * $5 - 1) k ORDER BY k)) AS line FROM d) rings`
	bufferDiscs = `SELECT ST_Union(ST_Buffer(p, r, $5::int)::geometry) AS g FROM d`
	scaledDiscs = `SELECT ST_Union(ST_Buffer(p, r * r / ST_Distance(p, ST_StartPoint(ST_ExteriorRing(ST_Buffer(p, r, 8)::geometry))::geography), $5::int)::geometry) AS g FROM d`
)

// oracle asks PostGIS about a unit and discs.
type oracle struct {
	conn  *pgx.Conn
	unit  orb.MultiPolygon
	discs []coverage.Disc
}

func (o oracle) columns() (lons, lats, radii []float64) {
	for _, d := range o.discs {
		lons, lats, radii = append(lons, d.Center[0]), append(lats, d.Center[1]), append(radii, d.RadiusM)
	}
	return lons, lats, radii
}

// coveredM2 is the area of the union of the discs, quadSegs segments to a quarter, within
// the unit; swapped puts the arguments of the intersection the other way round.
func (o oracle) coveredM2(t testing.TB, discs string, quadSegs int, swapped bool) float64 {
	t.Helper()
	lons, lats, radii := o.columns()
	pair := "g, u"
	if swapped {
		pair = "u, g"
	}
	return scalar[float64](t, o.conn, `WITH d AS (SELECT ST_SetSRID(ST_MakePoint(lon, lat), 4326)::geography AS p, r FROM unnest($2::float8[], $3::float8[], $4::float8[]) AS x(lon, lat, r)),
		discs AS (`+discs+`), unit AS (SELECT ST_GeomFromText($1, 4326) AS u)
		SELECT ST_Area(ST_Intersection(`+pair+`)::geography) + 0 * $5::int FROM discs, unit`, wkt.MarshalString(o.unit), lons, lats, radii, quadSegs)
}

// dense adds corners to long edges, so that edges straight in degrees, as geometry has
// them, and geodesics are the same to a millimetre.
func dense(unit orb.MultiPolygon) orb.MultiPolygon {
	out := make(orb.MultiPolygon, 0, len(unit))
	for _, polygon := range unit {
		rings := make(orb.Polygon, 0, len(polygon))
		for _, ring := range polygon {
			r := orb.Ring{ring[0]}
			for i := 1; i < len(ring); i++ {
				a, b := ring[i-1], ring[i]
				n := math.Ceil(geo.DistanceM(a, b) / 500)
				for k := 1.0; k <= n; k++ {
					r = append(r, orb.Point{a[0] + k/n*(b[0]-a[0]), a[1] + k/n*(b[1]-a[1])})
				}
			}
			rings = append(rings, r)
		}
		out = append(out, rings)
	}
	return out
}

// shapesOf reads the areas of a file of the test data.
func shapesOf(t testing.TB, path string) []orb.MultiPolygon {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(testdb.TestData(t), path))
	if err != nil {
		t.Fatal(err)
	}
	var collection geojson.FeatureCollection
	if err := json.Unmarshal(raw, &collection); err != nil {
		t.Fatal(err)
	}
	var out []orb.MultiPolygon
	for _, f := range collection.Features {
		switch g := f.Geometry.(type) {
		case orb.Polygon:
			out = append(out, orb.MultiPolygon{g})
		case orb.MultiPolygon:
			out = append(out, g)
		}
	}
	return out
}

// blob is a star-shaped area about a point with a hole, from a random source.
func blob(r *rand.Rand, centre orb.Point, sizeM float64) orb.MultiPolygon {
	ring := func(sizeM float64) orb.Ring {
		var out orb.Ring
		n := 5 + r.IntN(40)
		for k := range n {
			out = append(out, geo.Destination(centre, -360*float64(k)/float64(n), sizeM*(0.4+0.6*r.Float64())))
		}
		return append(out, out[0])
	}
	unit := orb.MultiPolygon{{ring(sizeM)}}
	if r.IntN(2) == 0 {
		hole := ring(sizeM * 0.3)
		slices.Reverse(hole)
		unit[0] = append(unit[0], hole)
	}
	return unit
}

func strewn(r *rand.Rand, n int, box orb.Bound, minM, maxM float64) []coverage.Disc {
	discs := make([]coverage.Disc, n)
	for i := range discs {
		discs[i] = coverage.Disc{
			Center:  orb.Point{box.Min[0] + r.Float64()*(box.Max[0]-box.Min[0]), box.Min[1] + r.Float64()*(box.Max[1]-box.Min[1])},
			RadiusM: minM + r.Float64()*(maxM-minM),
		}
	}
	return discs
}

// oracles are the real districts, the province, messy communes and random shapes, each
// with discs strewn over it. The seed is printed; HATANG_SEED sets it.
func oracles(t testing.TB) map[string]oracle {
	t.Helper()
	seed := seedOf(t)
	r := rand.New(rand.NewPCG(seed, 7))
	_, _, url := open(t)
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	all := map[string]oracle{}
	add := func(name string, unit orb.MultiPolygon, n int, minM, maxM float64) {
		all[name] = oracle{conn, dense(unit), strewn(r, n, unit.Bound(), minM, maxM)}
	}
	for i, unit := range shapesOf(t, "boundaries/dienbien_districts.geojson") {
		add(fmt.Sprint("district ", i), unit, 25, 500, 6000)
	}
	add("the province", shapesOf(t, "boundaries/dienbien_province.geojson")[0], 60, 1000, 15000)
	for i, unit := range shapesOf(t, "messy/dienbien_communes_raw_coverage.geojson") {
		if i%13 == 0 {
			add(fmt.Sprint("raw commune ", i), unit, 12, 200, 3000)
		}
	}
	for i := range 8 {
		centre := orb.Point{r.Float64()*300 - 150, r.Float64()*120 - 60}
		sizeM := math.Pow(10, 3+2*r.Float64())
		add(fmt.Sprint("random ", i), blob(r, centre, sizeM), 3+r.IntN(30), sizeM/15, sizeM/3)
	}
	return all
}

func seedOf(t testing.TB) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("HATANG_SEED"); text != "" {
		if _, err := fmt.Sscan(text, &seed); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("HATANG_SEED=%d", seed)
	return seed
}

// The finer PostGIS's segments, the nearer its covered area comes to ours: sixteen times
// for four times as many. Its own buffers come as near once their radii are put right.
func TestCoveredConvergesToPostGIS(t *testing.T) {
	worst := map[string]float64{}
	for name, o := range oracles(t) {
		got, err := coverage.Covered(o.unit, o.discs)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.CoveredM2 < 1e-3*got.AreaM2 { // too little for a share of it to say much
			if m2 := o.coveredM2(t, geodesicDiscs, 32, false); math.Abs(m2-got.CoveredM2) > 1e-5*got.AreaM2 {
				t.Errorf("%s: %v m² are covered, PostGIS has %v", name, got.CoveredM2, m2)
			}
			continue
		}
		off := func(way, discs string, quadSegs int) float64 {
			rel := got.CoveredM2/o.coveredM2(t, discs, quadSegs, quadSegs == 32) - 1
			key := fmt.Sprintf("%s/%d", way, quadSegs)
			worst[key] = max(worst[key], math.Abs(rel))
			return math.Abs(rel)
		}
		// Differences below 1e-9 are of the unit's own edges.
		coarse, middle, fine, finest := off("geodesic", geodesicDiscs, 8), off("geodesic", geodesicDiscs, 32), off("geodesic", geodesicDiscs, 128), off("geodesic", geodesicDiscs, 512)
		falls := 12.0
		if coarse < 1e-3 { // nearly everything is covered, the rest left to chance
			falls = 2
		}
		if !(finest < 1e-5) || !(fine < max(middle/falls, 1e-9) && middle < max(coarse/falls, 1e-9)) {
			t.Errorf("%s: geodesic discs of 8, 32, 128, 512 segments: %.2g %.2g %.2g %.2g", name, coarse, middle, fine, finest)
		}
		off("buffer", bufferDiscs, 8)
		off("buffer", bufferDiscs, 32)
		if buffer := off("buffer", bufferDiscs, 128); !(buffer < 2.5e-3) {
			t.Errorf("%s: ST_Buffer(geography) of 128 segments: %.2g", name, buffer)
		}
		coarse, middle = off("scaled", scaledDiscs, 8), off("scaled", scaledDiscs, 32)
		if scaled := off("scaled", scaledDiscs, 128); !(scaled < fine+1e-4) || scaled > middle+1e-9 || middle > coarse+1e-9 {
			t.Errorf("%s: ST_Buffer of the right radius, 8, 32, 128 segments: %.2g %.2g %.2g", name, coarse, middle, scaled)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(worst)) {
		t.Logf("largest relative difference, %s segments: %.2g", key, worst[key])
	}
}

// What comes out of files with broken geometry: where PostGIS holds the geometry for valid,
// the same area; else an answer within bounds or an error.
func TestCoveredOfBrokenGeometries(t *testing.T) {
	_, _, url := open(t)
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	compared := 0
	for i, unit := range shapesOf(t, "messy/invalid_geometries.geojson") {
		discs := strewn(rand.New(rand.NewPCG(uint64(i), 1)), 12, unit.Bound(), 200, 2000)
		got, err := coverage.Covered(unit, discs)
		if err != nil || !(got.CoveredM2 >= 0 && got.CoveredM2 <= got.AreaM2) {
			t.Errorf("geometry %d: %+v, %v", i, got, err)
			continue
		}
		if _, err := coverage.Uncovered(unit, discs, 10); err != nil && !errors.Is(err, coverage.ErrShape) {
			t.Errorf("geometry %d: %v", i, err)
		}
		closed := got.AreaM2 > 0
		for _, polygon := range unit {
			for _, ring := range polygon {
				closed = closed && len(ring) > 3 && ring[0] == ring[len(ring)-1]
			}
		}
		if !closed || !scalar[bool](t, conn, "SELECT ST_IsValid(ST_GeomFromText($1, 4326))", wkt.MarshalString(unit)) || unit.Bound().Max[0] > 180 {
			continue
		}
		o := oracle{conn, dense(unit), discs}
		if want := o.coveredM2(t, geodesicDiscs, 128, true); math.Abs(got.CoveredM2-want) > 1e-4*want+1 {
			t.Errorf("geometry %d: covered %.1f m², PostGIS %.1f", i, got.CoveredM2, want)
		}
		compared++
	}
	if compared < 3 {
		t.Errorf("only %d geometries compared", compared)
	}
}

// The uncovered parts are valid to PostGIS and have the area Covered leaves; points in
// them are farther from every site than its radius, points beside them nearer to one.
func TestUncoveredAgainstPostGIS(t *testing.T) {
	const toleranceM = 2.0
	for name, o := range oracles(t) {
		parts, err := coverage.Uncovered(o.unit, o.discs, toleranceM)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		covered, err := coverage.Covered(o.unit, o.discs)
		if err != nil {
			t.Fatal(err)
		}
		left := wkt.MarshalString(parts)
		if len(parts) == 0 {
			left = "MULTIPOLYGON EMPTY"
		}
		var valid bool
		var m2, unitM2 float64
		if err := o.conn.QueryRow(context.Background(), "SELECT ST_IsValid(g), ST_Area(g::geography), ST_Area(ST_GeomFromText($2, 4326)::geography) FROM ST_GeomFromText($1, 4326) g",
			left, wkt.MarshalString(o.unit)).Scan(&valid, &m2, &unitM2); err != nil {
			t.Fatal(err)
		}
		// PostGIS's area is good to 1.4e-8; chords keep the area of whole discs, and
		// where an arc ends one may lack or have too much, by less than half its own.
		slackM2 := 1e-6 * unitM2
		for _, d := range o.discs {
			slackM2 += toleranceM * math.Sqrt(12*toleranceM*d.RadiusM) / 2
		}
		if want := unitM2 - covered.CoveredM2; !valid || math.Abs(m2-want) > slackM2 {
			t.Errorf("%s: valid %v, %.1f m² uncovered, the unit less what is covered is %.1f", name, valid, m2, want)
		}
		lons, lats, radii := o.columns()
		var nearest, farthest *float64
		if err := o.conn.QueryRow(context.Background(), `WITH d AS (SELECT ST_SetSRID(ST_MakePoint(lon, lat), 4326)::geography AS p, r FROM unnest($3::float8[], $4::float8[], $5::float8[]) AS x(lon, lat, r)),
			geoms AS (SELECT ST_GeomFromText($1, 4326) AS parts, ST_GeomFromText($2, 4326) AS unit),
			points AS (SELECT false AS inside, (ST_DumpPoints(ST_GeneratePoints(parts, 60, 7))).geom AS q FROM geoms
				UNION ALL SELECT true, (ST_DumpPoints(ST_GeneratePoints(ST_Difference(ST_MakeValid(unit), parts), 60, 7))).geom FROM geoms),
			beyond AS (SELECT inside, (SELECT min(ST_Distance(q::geography, p) - r) FROM d) AS m FROM points)
			SELECT min(m) FILTER (WHERE NOT inside), max(m) FILTER (WHERE inside) FROM beyond`,
			left, wkt.MarshalString(o.unit), lons, lats, radii).Scan(&nearest, &farthest); err != nil {
			t.Fatal(err)
		}
		if nearest != nil && *nearest < -toleranceM {
			t.Errorf("%s: a point of the parts lies %.2f m within a disc", name, -*nearest)
		}
		if farthest != nil && *farthest > toleranceM {
			t.Errorf("%s: a point beside the parts lies %.2f m outside every disc", name, *farthest)
		}
	}
}

// The distances against ST_Distance from a fine grid of points.
func TestDistancesAgainstPostGIS(t *testing.T) {
	for name, o := range oracles(t) {
		if len(o.discs) > 40 || strings.HasPrefix(name, "raw") {
			continue
		}
		var sites []orb.Point
		for _, d := range o.discs {
			sites = append(sites, d.Center)
		}
		got, err := coverage.Distances(o.unit, sites)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		lons, lats, _ := o.columns()
		box := o.unit.Bound()
		var n int
		var p50, p95, most, atMax, outM float64
		// One point for each cell of a grid of equal areas: even steps of longitude and of
		// the sine of the latitude, which on the ellipsoid is even to a few parts in ten thousand.
		if err := o.conn.QueryRow(context.Background(), `WITH s AS (SELECT ST_SetSRID(ST_MakePoint(lon, lat), 4326)::geography AS p FROM unnest($2::float8[], $3::float8[]) AS x(lon, lat)),
			unit AS (SELECT ST_GeomFromText($1, 4326) AS u),
			grid AS (SELECT ST_SetSRID(ST_MakePoint(w + (i + 0.5) / 90 * (e - w), degrees(asin(sin(radians(s)) + (j + 0.5) / 90 * (sin(radians(n)) - sin(radians(s)))))), 4326) AS q
				FROM generate_series(0, 89) i, generate_series(0, 89) j, (VALUES ($4::float8, $5::float8, $6::float8, $7::float8)) AS box(w, s, e, n)),
			measured AS (SELECT (SELECT min(ST_Distance(q::geography, p)) FROM s) AS m FROM grid, unit WHERE ST_Covers(u, q)),
			corners AS (SELECT (SELECT min(ST_Distance(q::geography, p)) FROM s) AS m FROM (SELECT (ST_DumpPoints(u)).geom AS q FROM unit) v)
			SELECT (SELECT count(*) FROM measured), coalesce((SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY m) FROM measured), 0), coalesce((SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY m) FROM measured), 0),
				greatest((SELECT max(m) FROM measured), (SELECT max(m) FROM corners)), (SELECT min(ST_Distance(a, p)) FROM s), (SELECT ST_Distance(a, u::geography) FROM unit)
			FROM (SELECT ST_SetSRID(ST_MakePoint($8, $9), 4326)::geography AS a) farthest`,
			wkt.MarshalString(o.unit), lons, lats, box.Min[0], box.Min[1], box.Max[0], box.Max[1], got.MaxAt[0], got.MaxAt[1]).Scan(&n, &p50, &p95, &most, &atMax, &outM); err != nil {
			t.Fatal(err)
		}
		if math.Abs(atMax-got.MaxM) > 1e-5 || outM > 0.01 || most > got.MaxM+coverage.MaxToleranceM {
			t.Errorf("%s: at most %.4f m; PostGIS has %.4f m from there, which lies %.4f m outside, and %.4f m elsewhere", name, got.MaxM, atMax, outM, most)
		}
		// So many points know a percentile to about so much of it: 2967 were once 1.04 % off the median.
		if known := 1 / math.Sqrt(float64(n)); n > 2000 && (math.Abs(got.P50M/p50-1) > known || math.Abs(got.P95M/p95-1) > known) {
			t.Errorf("%s: percentiles %.1f and %.1f m, PostGIS %.1f and %.1f from %d points", name, got.P50M, got.P95M, p50, p95, n)
		}
	}
}
