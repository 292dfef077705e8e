package postgis_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/postgis"
)

// registered returns a store with the real units of the province.
func registered(t testing.TB) (*postgis.Store, *layer.Registry, string) {
	t.Helper()
	s, layers, url := open(t)
	for name, path := range map[string]string{"provinces": "dienbien_province.geojson", "communes": "dienbien_communes.geojson"} {
		l := get(t, layers, name)
		o := correction(t)
		o.Defaults["valid_from"] = day(t, "2013-01-01")
		if summary := importAll(t, s, l, o, file(t, l, "boundaries", path)...); !summary.Applied {
			t.Fatalf("%s: %+v", path, summary)
		}
	}
	return s, layers, url
}

// sceneOf reads what lies round the points, masts within so many metres.
func sceneOf(t testing.TB, s *postgis.Store, v account.Viewer, points []orb.Point, date geo.Date, reachM float64) (permit.Facts, *zoning.Scene) {
	t.Helper()
	facts, err := s.Facts(context.Background(), permit.Asked{Viewer: v, Date: date, Points: points,
		ReachM: func([]permit.RuleSet) (float64, error) { return reachM, nil }})
	if err != nil {
		t.Fatal(err)
	}
	return facts, zoning.NewScene(facts.SceneData)
}

// scatter makes points in and round the province, the same ones every time.
func scatter(n int) []orb.Point {
	random := rand.New(rand.NewPCG(1, 2))
	points := make([]orb.Point, n)
	for i := range points {
		points[i] = orb.Point{102.1 + 1.6*random.Float64(), 20.85 + 1.75*random.Float64()}
	}
	return points
}

// SQL and geo must agree on the commune of every point.
func TestPlacesAgreeWithPostGIS(t *testing.T) {
	s, layers, url := registered(t)
	ctx := context.Background()
	conn := connect(t, url)
	date := day(t, "2020-12-31")
	points := scatter(600)
	// Corners are where two answers differ first.
	for _, row := range file(t, get(t, layers, "communes"), "boundaries", "dienbien_communes.geojson")[:20] {
		points = append(points, row.Feature.Geometry.(orb.MultiPolygon)[0][0][0])
	}
	facts, scene := sceneOf(t, s, officer(), points, date, 0)
	if facts.State.Versions["communes"] != 2 {
		t.Fatal(facts.State)
	}
	towns := map[string]bool{}
	for _, c := range facts.Communes {
		towns[c.Code] = c.Urban
	}
	inside := 0
	for i, p := range points {
		var commune, district string
		var urban bool
		err := conn.QueryRow(ctx, `SELECT coalesce(min(code), '') , coalesce((array_agg(coalesce(district_code, '') ORDER BY code))[1], ''), coalesce((array_agg(coalesce(urban, false) ORDER BY code))[1], false)
			FROM communes WHERE ST_Covers(geom, ST_SetSRID(ST_MakePoint($1, $2), 4326))`, p[0], p[1]).Scan(&commune, &district, &urban)
		if err != nil {
			t.Fatal(err)
		}
		if got := scene.At(p); got.Commune != commune || got.District != district || towns[got.Commune] != urban || (got.Territory != "") != (commune != "") {
			t.Errorf("%v: commune %q district %q province %q, SQL says %q %q", p, got.Commune, got.District, got.Territory, commune, district)
		}
		if commune != "" {
			inside++
		}
		if i%100 == 0 {
			if _, alone := sceneOf(t, s, officer(), points[i:i+1], date, 0); alone.At(p) != scene.At(p) {
				t.Errorf("%v alone: %+v", p, alone.At(p))
			}
		}
	}
	if inside < 100 || inside > 550 {
		t.Errorf("%d of %d points lie inside", inside, len(points))
	}
	if _, before := sceneOf(t, s, officer(), points, day(t, "2012-12-31"), 0); before.At(points[0]) != (zoning.Place{}) {
		t.Errorf("before the units: %+v", before.At(points[0]))
	}
}

func TestWithheldAreasActThroughWholeCommunes(t *testing.T) {
	s, layers, _ := open(t)
	communes, areas := get(t, layers, "communes"), get(t, layers, "special_areas")
	for i, code := range []string{"west", "middle", "east"} {
		f := sample(t, communes, code)
		f.Geometry = box(103+float64(i), 21, 1)
		create(t, s, communes, f)
	}
	add := func(code, kind string, g orb.MultiPolygon, to any) {
		f := sample(t, areas, code)
		f.Properties["kind"], f.Properties["valid_to"], f.Geometry = kind, to, g
		create(t, s, areas, f)
	}
	add("m1", "military", square(103.5, 21.5), nil)
	add("m2", "military", square(103.1, 21.9), nil)
	add("b", "border_belt", box(103.9, 21.4, 0.2), nil) // reaches into the middle
	add("old", "military", square(105.5, 21.5), day(t, "2019-12-31"))
	add("air", "aviation_surface", square(105.2, 21.2), nil)
	points := []orb.Point{{103.001, 21.001}, {103.505, 21.505}, {104.9, 21.9}, {105.5, 21.5}, {105.205, 21.205}}
	kinds := func(v account.Viewer) (all [][]string) {
		facts, scene := sceneOf(t, s, v, points, day(t, "2020-12-31"), 0)
		for _, p := range points {
			list := []string{}
			acting := slices.Clone(facts.Withheld[scene.At(p).Commune])
			for _, a := range facts.Areas {
				if a.WholeCommune || a.Geometry == nil {
					t.Errorf("%s: %+v is listed as if shown", v.Class(), a)
				}
				if geo.Contains(a.Geometry, p) {
					acting = append(acting, a)
				}
			}
			for _, a := range acting {
				text := a.Kind
				if a.Withheld != a.WholeCommune || a.Withheld != (a.ID == 0) || a.Withheld != (a.Geometry == nil) || a.Withheld && (a.Code != "" || a.MaxHeightM != nil) {
					t.Errorf("%s: half withheld: %+v", v.Class(), a)
				}
				if a.Withheld {
					text += " by commune"
				}
				list = append(list, text)
			}
			all = append(all, list)
		}
		return all
	}
	both := []string{"border_belt by commune", "military by commune"}
	want := [][]string{both, both, {"border_belt by commune"}, {}, {"aviation_surface"}}
	if diff := cmp.Diff(want, kinds(account.Anonymous())); diff != "" {
		t.Errorf("the public (-want +got)\n%s", diff)
	}
	want = [][]string{{}, {"military"}, {}, {}, {"aviation_surface"}}
	if diff := cmp.Diff(want, kinds(officer())); diff != "" {
		t.Errorf("an officer (-want +got)\n%s", diff)
	}
}

func TestMastsWithinReach(t *testing.T) {
	s, layers, url := open(t)
	l := get(t, layers, "bts_sites")
	conn := connect(t, url)
	center := orb.Point{103, 21}
	for i := range 60 {
		f := sample(t, l, fmt.Sprint(i))
		f.Geometry = orb.Point{103 + float64(i)*0.0007, 21 + float64(i)*0.0005}
		create(t, s, l, f)
	}
	facts, _ := sceneOf(t, s, officer(), []orb.Point{center}, day(t, "2020-12-31"), 3000)
	found := map[string]bool{}
	for _, m := range facts.Masts {
		found[m.Code] = true
	}
	rows, err := conn.Query(context.Background(), "SELECT code FROM bts_sites WHERE ST_DWithin(geom::geography, 'SRID=4326;POINT(103 21)'::geography, 3000)")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var code string
		if err := rows.Scan(&code); err != nil {
			t.Fatal(err)
		}
		if n++; !found[code] {
			t.Errorf("mast %s is within reach and was not found", code)
		}
	}
	if rows.Err() != nil || n < 20 || len(found) == 60 {
		t.Errorf("%d within reach, %d found, %v", n, len(found), rows.Err())
	}
	if d := geo.DistanceM(center, orb.Point{103 + 59*0.0007, 21 + 59*0.0005}); d < 4000 {
		t.Errorf("the farthest mast is %.0f m away: the test proves nothing", d)
	}
}

func BenchmarkFacts(b *testing.B) {
	s, _, _ := registered(b)
	date := day(b, "2020-12-31")
	for _, n := range []int{1, 1000} {
		points := scatter(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sceneOf(b, s, account.Anonymous(), points, date, 2000)
			}
		})
	}
}

// Of several sites with one code the same one bears it, and the operators on it, whether
// all is read, what lies near a point, or what has changed.
func TestOneSiteBearsACode(t *testing.T) {
	s, layers, url := open(t)
	sites, conn, ctx := get(t, layers, "bts_sites"), connect(t, url), context.Background()
	at := orb.Point{103, 21}
	standing := func(code string, at orb.Point) {
		f := sample(t, sites, code)
		f.Properties["status"], f.Geometry = "existing", at
		create(t, s, sites, f)
	}
	for i := range 4 {
		code, place := fmt.Sprint("X", i%2), orb.Point{at[0] + 0.001*float64(i), at[1]}
		draftOf(t, s, sites, "VNPT", code, place)
		if i == 0 {
			draftOf(t, s, sites, "VIETTEL", code, place)
		}
	}
	standing("X0", orb.Point{105, 21})
	standing("X2", at)
	run(t, conn, `INSERT INTO operator_positions (code, valid_from, jurisdiction, status, site_code, operator, geom)
		SELECT 'P' || i, '2015-01-01', '11', 'existing', 'X' || i, 'VNPT', 'SRID=4326;POINT(103 21)' FROM generate_series(0, 1) i`)
	steps := []string{
		"UPDATE bts_sites SET height_m = coalesce(height_m, 0) + 1 WHERE status = 'draft' AND code = 'X0'",
		"UPDATE bts_sites SET height_m = 3 WHERE status = 'existing' AND code = 'X0'",
		"UPDATE bts_sites SET status = 'draft', owner_organisation = 'VIETTEL' WHERE status = 'existing' AND code = 'X0'",
		"UPDATE bts_sites SET code = 'X1' WHERE id = (SELECT min(id) FROM bts_sites WHERE code = 'X0' AND owner_organisation = 'VNPT')",
		"UPDATE bts_sites SET code = 'X0' WHERE status = 'existing' AND code = 'X2'",
		"UPDATE operator_positions SET site_code = 'X1', operator = 'SFONE' WHERE code = 'P0'",
		"UPDATE operator_positions SET site_code = 'X0' WHERE code = 'P1'",
		"DELETE FROM operator_positions WHERE code = 'P1'",
		"DELETE FROM bts_sites WHERE status = 'existing'",
		"DELETE FROM bts_sites WHERE id = (SELECT min(id) FROM bts_sites WHERE code = 'X1')",
	}
	viewers := []account.Viewer{operatorOf("VNPT"), operatorOf("VIETTEL"), officer(), account.Anonymous()}
	before, followed := make([]permit.State, len(viewers)), make([]map[int64]zoning.Mast, len(viewers))
	apart := 0
	for n, step := range append([]string{"SELECT"}, steps...) {
		run(t, conn, step)
		for i, v := range viewers {
			asked := permit.Asked{Viewer: v, Date: day(t, "2020-12-31")}
			facts, err := s.Facts(ctx, asked)
			if err != nil {
				t.Fatal(err)
			}
			whole := mastsByID(facts.Masts)
			if n == 0 {
				before[i], followed[i] = facts.State, maps.Clone(whole)
				continue
			}
			changes, err := s.Changes(ctx, asked, before[i])
			if err != nil || changes.Whole {
				t.Fatalf("%s: %v, whole: %v", step, err, changes.Whole)
			}
			for _, id := range changes.GoneMasts {
				delete(followed[i], id)
			}
			maps.Copy(followed[i], mastsByID(changes.Came.Masts))
			before[i] = facts.State
			if diff := cmp.Diff(whole, followed[i], cmpopts.EquateComparable(geo.Date{})); diff != "" {
				t.Errorf("%s: after %s (-whole +followed)\n%s", v.Class(), step, diff)
			}
			near, _ := sceneOf(t, s, v, []orb.Point{at}, asked.Date, 100)
			for _, m := range near.Masts {
				if diff := cmp.Diff(whole[m.ID], m, cmpopts.EquateComparable(geo.Date{})); diff != "" {
					t.Errorf("%s: after %s (-whole +near)\n%s", v.Class(), step, diff)
				}
			}
			if len(near.Masts) > 0 && len(near.Masts) < len(whole) {
				apart++
			}
		}
	}
	if apart < 10 {
		t.Errorf("only %d times masts near and far: the test proves little", apart)
	}
}

func mastsByID(masts []zoning.Mast) map[int64]zoning.Mast {
	by := map[int64]zoning.Mast{}
	for _, m := range masts {
		by[m.ID] = m
	}
	return by
}
