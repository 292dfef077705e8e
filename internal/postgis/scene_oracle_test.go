package postgis_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
)

// oracleParts is the size of the nation that is compared with SQL: 4 000 sites, 200
// communes and 100 zones, spread over the whole country.
const oracleParts = 50

// oracleSeed makes the proposals; it is printed with every difference.
const oracleSeed = 20161230

// told is what a check tells about one proposal, ours and PostGIS's alike.
type told struct {
	Commune, District string
	Zones             []int64  // that cover the point
	Allowed           []string // by all of them
	Spacing           []nearby // masts too close, nearest first
	Sharing           []nearby // masts that could be shared, nearest first
	Areas             []int64  // about which somebody is to be asked
	Verdict           string
}

type nearby struct {
	Mast      int64
	DistanceM float64
}

// distanceTolM is how far distances may differ: both are exact to less. Findings give
// them to the millimetre.
const (
	distanceTolM = 1e-6
	findingTolM  = 0.5e-3 + distanceTolM
)

func differences(ours, theirs []told) []string {
	var out []string
	for i := range ours {
		if diff := gocmp.Diff(theirs[i], ours[i], cmpopts.EquateApprox(0, findingTolM), cmpopts.EquateEmpty()); diff != "" {
			out = append(out, fmt.Sprintf("proposal %d (-PostGIS +ours):\n%s", i, diff))
		}
	}
	return out
}

// TestSceneIsSQL: over thousands of proposals, many on borders and corners, a scene
// names the same units, zones, masts, distances, areas and allowed types and gives
// the same verdict as one SQL statement over the register.
func TestSceneIsSQL(t *testing.T) {
	n := openNation(t, oracleParts)
	facts := n.facts(t)
	proposals := oracleProposals(n, facts.SceneData, 2500)
	theirs := askSQL(t, n, proposals)
	rules := rulesOf(t, facts)
	wrong := differences(askScene(zoning.NewScene(facts.SceneData), rules, proposals), theirs)
	for _, w := range wrong[:min(5, len(wrong))] {
		t.Errorf("seed %d, %s", oracleSeed, w)
	}
	t.Logf("%d proposals, %d differ: %v", len(proposals), len(wrong), tally(theirs))

	// The control: a centimetre, or one row, must show.
	for name, spoil := range map[string]func(*zoning.SceneData){
		"masts moved by a centimetre": func(d *zoning.SceneData) {
			for i := range d.Masts {
				d.Masts[i].Point[1] += 1e-7
			}
		},
		"one zone less": func(d *zoning.SceneData) { d.Zones = d.Zones[1:] },
		"no operator on any mast": func(d *zoning.SceneData) {
			for i := range d.Masts {
				d.Masts[i].Operators = nil
			}
		},
		"areas a tenth of a millimetre off": func(d *zoning.SceneData) {
			for i := range d.Areas {
				d.Areas[i].Geometry = moved(d.Areas[i].Geometry, 1e-9)
			}
		},
	} {
		spoilt := facts.SceneData
		spoilt.Masts, spoilt.Areas = slices.Clone(spoilt.Masts), slices.Clone(spoilt.Areas)
		spoil(&spoilt)
		if len(differences(askScene(zoning.NewScene(spoilt), rules, proposals), theirs)) == len(wrong) {
			t.Errorf("%s: no difference shows", name)
		}
	}
}

// tally counts the verdicts, and what they rest on: a comparison of nothing proves nothing.
func tally(all []told) map[string]int {
	counts := map[string]int{}
	for _, one := range all {
		counts[one.Verdict]++
		counts["zones"] += len(one.Zones)
		counts["too close"] += len(one.Spacing)
		counts["to share"] += len(one.Sharing)
		counts["areas"] += len(one.Areas)
	}
	return counts
}

// oracleProposals stand on corners and edges of zones, communes and areas, near
// masts, in zones and anywhere, the sea included.
func oracleProposals(n nation, d zoning.SceneData, count int) []zoning.Proposal {
	random := rand.New(rand.NewSource(oracleSeed))
	zoned := func(m zoning.Mast) bool {
		return slices.ContainsFunc(d.Zones, func(z zoning.Zone) bool { return geo.Contains(z.Geometry, m.Point) })
	}
	masts := append(keep(d.Masts, zoned), d.Masts[:300]...)
	place := func() orb.Point {
		m := masts[random.Intn(len(masts))].Point
		z := d.Zones[random.Intn(len(d.Zones))].Geometry
		switch random.Intn(10) {
		case 0:
			return cornerOrEdge(random, d.Communes[random.Intn(len(d.Communes))].Geometry)
		case 1:
			return cornerOrEdge(random, z)
		case 2:
			return cornerOrEdge(random, d.Areas[random.Intn(len(d.Areas))].Geometry)
		case 3:
			return cornerOrEdge(random, d.Territories[0].Geometry)
		case 4:
			return within(random, orb.Bound{Min: orb.Point{101.9, 8.2}, Max: orb.Point{109.7, 23.6}})
		case 5:
			return within(random, d.Areas[random.Intn(len(d.Areas))].Geometry.Bound())
		case 6:
			return within(random, z.Bound())
		case 7:
			return m
		default:
			return geo.Destination(m, 360*random.Float64(), 500*random.Float64())
		}
	}
	operators := []string{"", "VNPT", "MOBIFONE", "VIETTEL", "VIETNAMOBILE", "SFONE"}
	structures := []geo.Structure{geo.SelfSupporting, geo.Guyed}
	proposals := make([]zoning.Proposal, count)
	for i := range proposals {
		p := zoning.Proposal{Point: place(), MastType: []geo.MastType{geo.A2b, geo.A2a, geo.A1b}[random.Intn(3)], HeightM: new(5 + float64(random.Intn(60))),
			HalfWidthM: new(0.4), HostBuildingHeightM: new(1 + float64(random.Intn(20))), Concealed: new(true), Operator: operators[random.Intn(len(operators))],
			Structure: &structures[random.Intn(2)], Date: n.date}
		if p.MastType != geo.A2b {
			p.Structure = new(geo.Rooftop)
		} else if random.Intn(4) > 0 {
			p.HostBuildingHeightM = nil // else it stands on what it must not
		}
		proposals[i] = p
	}
	return proposals
}

// cornerOrEdge is a corner of the area, or the middle of an edge as nearly as
// numbers allow: the exact answer there is a matter of the last bit.
func cornerOrEdge(random *rand.Rand, mp orb.MultiPolygon) orb.Point {
	polygon := mp[random.Intn(len(mp))]
	ring := polygon[random.Intn(len(polygon))]
	i := random.Intn(len(ring) - 1)
	a, b := ring[i], ring[i+1]
	if random.Intn(2) == 0 {
		return a
	}
	return orb.Point{(a[0] + b[0]) / 2, (a[1] + b[1]) / 2}
}

func within(random *rand.Rand, b orb.Bound) orb.Point {
	return orb.Point{b.Min[0] + random.Float64()*(b.Max[0]-b.Min[0]), b.Min[1] + random.Float64()*(b.Max[1]-b.Min[1])}
}

func moved(mp orb.MultiPolygon, degrees float64) orb.MultiPolygon {
	mp = mp.Clone()
	for _, polygon := range mp {
		for _, ring := range polygon {
			for i := range ring {
				ring[i][0] += degrees
			}
		}
	}
	return mp
}

// askScene tells what the scene's findings say, and the verdict asked for alone.
func askScene(scene *zoning.Scene, rules *zoning.Rules, proposals []zoning.Proposal) []told {
	out := make([]told, len(proposals))
	for i, p := range proposals {
		place, result := scene.Findings(rules, p)
		_, verdict := scene.Verdict(rules, p)
		one := told{Commune: place.Commune, District: place.District, Verdict: string(verdict)}
		if verdict != result.Verdict {
			one.Verdict += ", with findings " + string(result.Verdict)
		}
		for _, t := range result.AllowedTypes {
			one.Allowed = append(one.Allowed, string(t))
		}
		for _, f := range result.Findings {
			one.take(f)
		}
		for _, masts := range [][]nearby{one.Spacing, one.Sharing} {
			slices.SortFunc(masts, func(a, b nearby) int { return cmp.Compare(a.Mast, b.Mast) })
		}
		slices.Sort(one.Zones)
		slices.Sort(one.Areas)
		one.Areas = slices.Compact(one.Areas)
		out[i] = one
	}
	return out
}

func (one *told) take(f zoning.Finding) {
	if f.Evidence == nil {
		return
	}
	switch {
	case f.Evidence.Collection == "mast_zones":
		one.Zones = append(one.Zones, f.Evidence.ID)
	case f.Evidence.Collection == "special_areas":
		one.Areas = append(one.Areas, f.Evidence.ID)
	case f.Outcome != zoning.Fail: // the nearest mast of a rule that is kept
	case f.Rule == "SHARE-duty":
		one.Sharing = append(one.Sharing, nearby{f.Evidence.ID, *f.MeasuredM})
	default:
		one.Spacing = append(one.Spacing, nearby{f.Evidence.ID, *f.MeasuredM})
	}
}

// exactly is GEOS's exact answer to whether an area holds or touches a point.
// ST_Covers on points has a tolerance: see TestIndexIsPostGIS.
const exactly = `~ '^(0|...0)'`

// oracleSQL answers the proposals in the table asked by the demo's rules: zones, types
// × zones, what an A2b stands on, structure, spacing, duty to share, consultations. It was written from the
// rule set's text, not from the code. Distances are taken in both directions.
const oracleSQL = `
WITH placed AS (
	SELECT a.*, u.code AS commune, u.district_code, coalesce(u.urban, false) AS commune_urban,
		EXISTS (SELECT FROM provinces r WHERE CASE WHEN EXISTS (SELECT FROM border b WHERE ST_DWithin(b.geom, a.geom, 1e-7))
			THEN ST_Relate(r.geom, a.geom) ` + exactly + ` ELSE ST_Covers(r.geom, a.geom) END) AS inside
	FROM asked a LEFT JOIN LATERAL (SELECT * FROM communes c WHERE c.geom && a.geom AND ST_Relate(c.geom, a.geom) ` + exactly + ` ORDER BY code LIMIT 1) u ON true
), classes (zone_class, allowed) AS (
	VALUES ('a', ARRAY['A1b']), ('b', ARRAY['A1a', 'A1b']), ('d', ARRAY['A1a', 'A1b', 'A2a', 'A2b']), ('dd', ARRAY['A1a', 'A1b', 'A2a', 'A2b'])
), zoned AS (
	SELECT p.*, z.ids AS zones, coalesce(z.urban, false) OR p.commune_urban AS urban,
		ARRAY(SELECT t FROM unnest(ARRAY['A1a', 'A1b', 'A2a', 'A2b']) WITH ORDINALITY AS all_types (t, n) WHERE z.n > 0 AND z.n = (
			SELECT count(*) FROM mast_zones m JOIN classes k USING (zone_class) WHERE m.id = ANY (z.ids) AND t = ANY (k.allowed)) ORDER BY n) AS allowed
	FROM placed p LEFT JOIN LATERAL (
		SELECT array_agg(m.id ORDER BY m.id) AS ids, count(*) AS n, bool_or(zone_class = 'd') AS urban
		FROM mast_zones m WHERE p.inside AND m.geom && p.geom AND ST_Relate(m.geom, p.geom) ` + exactly + `) z ON true
), required AS (
	SELECT z.*, mast_type IN ('A2a', 'A2b') AS bulky, CASE WHEN urban THEN 100 ELSE 400 END AS share_m,
		CASE WHEN mast_type = 'A2b' THEN CASE WHEN urban THEN 300 ELSE 400 END
			WHEN height_m <= 15 THEN CASE WHEN urban THEN 150 ELSE 200 END
			ELSE CASE WHEN urban THEN 200 ELSE 350 END END AS space_m,
		height_m + CASE WHEN mast_type = 'A2b' THEN 0 ELSE building_m END AS top_m
	FROM zoned z
), masts AS (
	SELECT r.id, s.id AS mast, r.space_m, r.share_m, d.there, d.back,
		(SELECT count(DISTINCT operator) < 4 AND bool_and(operator <> r.operator) FROM operator_positions o WHERE o.site_code = s.code) AS room
	FROM required r JOIN bts_sites s ON s.geom && ST_Expand(r.geom, 0.006)
	CROSS JOIN LATERAL (SELECT ST_Distance(r.geom::geography, s.geom::geography) AS there, ST_Distance(s.geom::geography, r.geom::geography) AS back) d
	WHERE r.inside AND r.bulky AND s.mast_type IN ('A2a', 'A2b') AND s.status IN ('existing', 'approved', 'planned')
), near AS (
	SELECT id, array_agg(mast ORDER BY mast) FILTER (WHERE there < space_m) AS spacing,
		array_agg(there ORDER BY mast) FILTER (WHERE there < space_m) AS spacing_m,
		array_agg(mast ORDER BY mast) FILTER (WHERE there <= share_m AND room) AS sharing,
		array_agg(there ORDER BY mast) FILTER (WHERE there <= share_m AND room) AS sharing_m,
		max(abs(there - back)) AS unlike
	FROM masts GROUP BY id
), answered AS (
	SELECT r.*, n.spacing, n.spacing_m, n.sharing, n.sharing_m, n.unlike, (SELECT array_agg(s.id ORDER BY s.id) FROM special_areas s WHERE r.inside AND s.geom && r.geom AND ST_Relate(s.geom, r.geom) ` + exactly + `
		AND (s.kind IN ('border_belt', 'military') OR s.kind = 'aviation_surface' AND r.top_m > s.max_height_m)) AS areas
	FROM required r LEFT JOIN near n USING (id)
)
SELECT coalesce(commune, ''), coalesce(district_code, ''), zones, allowed, spacing, spacing_m, sharing, sharing_m, areas, coalesce(unlike, 0),
	CASE WHEN NOT inside THEN 'undetermined'
		WHEN zones IS NOT NULL AND mast_type <> ALL (allowed) THEN 'refused'
		WHEN mast_type = 'A2b' AND building_m > 0 THEN 'refused'
		WHEN mast_type = 'A2b' AND urban AND structure <> 'self_supporting' THEN 'refused'
		WHEN zones IS NULL THEN 'undetermined'
		WHEN spacing IS NOT NULL OR sharing IS NOT NULL OR areas IS NOT NULL OR top_m >= 45 THEN 'conditional'
		ELSE 'permitted' END
FROM answered ORDER BY id`

// askSQL asks PostGIS. Distances that depend on the direction fail the test.
func askSQL(t *testing.T, n nation, proposals []zoning.Proposal) []told {
	t.Helper()
	ctx := context.Background()
	run(t, n.peer, "SET search_path = public")
	run(t, n.peer, "CREATE TEMPORARY TABLE asked (id int, lon float8, lat float8, mast_type text, height_m float8, building_m float8, operator text, structure text)")
	_, err := n.peer.CopyFrom(ctx, pgx.Identifier{"asked"}, []string{"id", "lon", "lat", "mast_type", "height_m", "building_m", "operator", "structure"},
		pgx.CopyFromSlice(len(proposals), func(i int) ([]any, error) {
			p := proposals[i]
			return []any{i, p.Point[0], p.Point[1], string(p.MastType), *p.HeightM, p.HostBuildingHeightM, p.Operator, string(*p.Structure)}, nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	run(t, n.peer, "ALTER TABLE asked ADD geom geometry(Point, 4326)")
	run(t, n.peer, "UPDATE asked SET geom = ST_SetSRID(ST_MakePoint(lon, lat), 4326)")
	run(t, n.peer, "CREATE TEMPORARY TABLE border AS SELECT ST_Subdivide(ST_Boundary(geom), 64) AS geom FROM provinces")
	run(t, n.peer, "CREATE INDEX ON border USING gist (geom)")
	run(t, n.peer, "ANALYZE asked, border")
	rows, err := n.peer.Query(ctx, oracleSQL)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (told, error) {
		var one told
		var spacing, sharing []int64
		var spacingM, sharingM []float64
		var unlike float64
		err := row.Scan(&one.Commune, &one.District, &one.Zones, &one.Allowed, &spacing, &spacingM, &sharing, &sharingM, &one.Areas, &unlike, &one.Verdict)
		if unlike > distanceTolM {
			t.Errorf("PostGIS's distances differ by %g m with the direction", unlike)
		}
		one.Spacing, one.Sharing = together(spacing, spacingM), together(sharing, sharingM)
		return one, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return answers
}

func together(masts []int64, metres []float64) []nearby {
	var out []nearby
	for i, m := range masts {
		out = append(out, nearby{m, metres[i]})
	}
	return out
}

// TestDistanceBothWays: the distance is PostGIS's in both orders of the arguments,
// from a tenth of a millimetre to the other side of the earth.
func TestDistanceBothWays(t *testing.T) {
	n := openNation(t, oracleParts)
	random := rand.New(rand.NewSource(oracleSeed))
	earth := orb.Bound{Min: orb.Point{-180, -90}, Max: orb.Point{180, 90}}
	var lonA, latA, lonB, latB []float64
	for range 4000 {
		a := within(random, earth)
		b := geo.Destination(a, 360*random.Float64(), math.Pow(10, -4+11.3*random.Float64()))
		lonA, latA, lonB, latB = append(lonA, a[0]), append(latA, a[1]), append(lonB, b[0]), append(latB, b[1])
	}
	rows, err := n.peer.Query(context.Background(), `SELECT ST_Distance(a, b), ST_Distance(b, a) FROM (
		SELECT i, ST_MakePoint(x, y)::geography AS a, ST_MakePoint(v, w)::geography AS b
		FROM unnest($1::float8[], $2::float8[], $3::float8[], $4::float8[]) WITH ORDINALITY AS u (x, y, v, w, i)) q ORDER BY i`, lonA, latA, lonB, latB)
	if err != nil {
		t.Fatal(err)
	}
	i, worst := 0, 0.0
	var there, back float64
	_, err = pgx.ForEachRow(rows, []any{&there, &back}, func() error {
		a, b := orb.Point{lonA[i], latA[i]}, orb.Point{lonB[i], latB[i]}
		ours, oursBack := geo.DistanceM(a, b), geo.DistanceM(b, a)
		off := max(math.Abs(ours-there), math.Abs(oursBack-back), math.Abs(ours-back))
		worst = max(worst, off)
		if !(off <= distanceTolM) {
			t.Errorf("seed %d: from %v to %v: ours %.9f and %.9f m, PostGIS %.9f and %.9f", oracleSeed, a, b, ours, oursBack, there, back)
		}
		i++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the largest of %d differences is %.2g m", i, worst)
}
