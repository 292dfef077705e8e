package plan_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/plan"
)

func (l *loaded) clusters(t testing.TB, level, code, stage, date string, withinM *float64) plan.SharingClusters {
	t.Helper()
	found, err := l.measurer.Clusters(context.Background(), officer(), plan.ClustersQuery{Level: level, Code: code, Stage: stage, Date: day(t, date), WithinM: withinM})
	if err != nil {
		t.Fatalf("clusters of %s %s: %v", level, code, err)
	}
	return found
}

func TestSharingClusters(t *testing.T) {
	l := load(t, demo(t))
	t.Run("against all pairs", func(t *testing.T) { clustersAgainstAllPairs(t, l) })
	t.Run("the distance", func(t *testing.T) { clustersByRule(t, l) })
	t.Run("viewers", func(t *testing.T) { clustersByViewer(t, l) })
	t.Run("kept", func(t *testing.T) { clustersAreKept(t, l) })
}

// pair is two masts that are linked, as PostGIS finds them.
type pair struct {
	a, b      string
	distanceM float64
}

// pairs asks PostGIS for all pairs of masts of a unit that the definition links, and for the
// operators of each mast that counts.
func (l *loaded) pairs(t *testing.T, table, code, stage, date string, withinM float64) (pairs []pair, operators map[string][]string) {
	t.Helper()
	ctx := context.Background()
	const with = `WITH done AS (SELECT code FROM plan_phases WHERE ends <= $2::date),
		sites AS (SELECT s.code, s.geom::geography AS g, coalesce((SELECT array_agg(DISTINCT p.operator ORDER BY p.operator) FROM operator_positions p WHERE p.site_code = s.code
				AND (p.status = 'existing' OR $3 AND p.status IN ('planned', 'approved') AND p.phase IN (SELECT code FROM done))), '{}') AS operators
			FROM bts_sites s WHERE ST_Covers((SELECT geom FROM TABLE WHERE code = $1), s.geom)
				AND (s.status = 'existing' OR $3 AND s.status IN ('planned', 'approved') AND s.phase IN (SELECT code FROM done))) `
	sql := strings.Replace(with, "TABLE", table, 1)
	rows, err := l.conn.Query(ctx, sql+"SELECT code, operators FROM sites", code, date, stage == "with_planned")
	if err != nil {
		t.Fatal(err)
	}
	operators = map[string][]string{}
	for rows.Next() {
		var site string
		var its []string
		if err := rows.Scan(&site, &its); err != nil {
			t.Fatal(err)
		}
		operators[site] = its
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	rows, err = l.conn.Query(ctx, sql+`SELECT a.code, b.code, ST_Distance(a.g, b.g) FROM sites a JOIN sites b ON a.code < b.code
		WHERE a.operators <> '{}' AND b.operators <> '{}' AND a.operators <> b.operators AND ST_Distance(a.g, b.g) < $4`, code, date, stage == "with_planned", withinM)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var p pair
		if err := rows.Scan(&p.a, &p.b, &p.distanceM); err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, p)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return pairs, operators
}

// group is a cluster as the test makes it.
type group struct {
	masts, operators []string
	closestM         float64
}

// grouped gives linked masts the same label until nothing changes.
func grouped(pairs []pair, operators map[string][]string) []group {
	label := map[string]string{}
	for _, p := range pairs {
		label[p.a], label[p.b] = p.a, p.b
	}
	for changed := true; changed; {
		changed = false
		for _, p := range pairs {
			if least := min(label[p.a], label[p.b]); label[p.a] != least || label[p.b] != least {
				label[p.a], label[p.b], changed = least, least, true
			}
		}
	}
	groups := map[string]*group{}
	for mast, of := range label {
		if groups[of] == nil {
			groups[of] = &group{closestM: math.Inf(1)}
		}
		groups[of].masts = append(groups[of].masts, mast)
		groups[of].operators = append(groups[of].operators, operators[mast]...)
	}
	for _, p := range pairs {
		g := groups[label[p.a]]
		g.closestM = min(g.closestM, p.distanceM)
	}
	var out []group
	for _, g := range groups {
		slices.Sort(g.masts)
		slices.Sort(g.operators)
		g.operators = slices.Compact(g.operators)
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b group) int { return cmp.Or(len(b.masts)-len(a.masts), cmp.Compare(a.masts[0], b.masts[0])) })
	return out
}

func clustersAgainstAllPairs(t *testing.T, l *loaded) {
	// Operators that are to come to masts that stand: in the last phase, and in none.
	l.run(t, `INSERT INTO operator_positions (code, valid_from, jurisdiction, status, phase, site_code, operator, geom)
		SELECT 'NEW-' || code, valid_from, jurisdiction, 'planned', CASE WHEN id % 2 = 0 THEN (SELECT max(code) FROM plan_phases) END, code, 'NEW', geom FROM bts_sites WHERE status = 'existing' AND id % 3 = 0`)
	for _, tt := range []struct {
		level, code, stage string
		withinM            float64
		least              int // clusters
	}{
		{"province", "11", "built", 400, 1}, {"province", "11", "with_planned", 400, 1}, {"province", "11", "with_planned", 1500, 5}, {"province", "11", "built", 10000, 1},
		{"district", "094", "built", 400, 1}, {"district", "094", "with_planned", 400, 1}, {"district", "095", "with_planned", 3000, 1}, {"commune", "03136", "with_planned", 2000, 0},
	} {
		pairs, operators := l.pairs(t, tt.level+"s", tt.code, tt.stage, "2020-12-31", tt.withinM)
		want := grouped(pairs, operators)
		got := l.clusters(t, tt.level, tt.code, tt.stage, "2020-12-31", &tt.withinM)
		t.Logf("%s %s %s within %g m: %d clusters of %d masts", tt.level, tt.code, tt.stage, tt.withinM, len(got.Features), got.Sites)
		if len(want) < tt.least || len(got.Features) != len(want) || got.Sites != len(operators) {
			t.Errorf("%v: %d clusters of %d masts, all pairs give %d of %d", tt, len(got.Features), got.Sites, len(want), len(operators))
			continue
		}
		points := l.points(t)
		for i, f := range got.Features {
			if i > 0 && f.Properties.Count > got.Features[i-1].Properties.Count {
				t.Errorf("%v: cluster %d is larger than the one before", tt, i)
			}
			masts := slices.Sorted(slices.Values(f.Properties.Masts))
			at := slices.IndexFunc(want, func(g group) bool { return slices.Equal(g.masts, masts) })
			if at < 0 || !slices.Equal(want[at].operators, f.Properties.Operators) || math.Abs(want[at].closestM-f.Properties.ClosestM) > 1e-3 || f.Properties.Count != len(masts) {
				t.Errorf("%v: cluster %+v is none of %v", tt, f.Properties, want)
			}
			for k, p := range f.Geometry.Geometry().(orb.MultiPoint) {
				if geo.DistanceM(p, points[f.Properties.Masts[k]]) > 1e-6 {
					t.Errorf("%v: %s stands at %v, not at %v", tt, f.Properties.Masts[k], points[f.Properties.Masts[k]], p)
				}
			}
		}
	}
}

func (l *loaded) points(t *testing.T) map[string]orb.Point {
	t.Helper()
	rows, err := l.conn.Query(context.Background(), "SELECT code, ST_X(geom), ST_Y(geom) FROM bts_sites")
	if err != nil {
		t.Fatal(err)
	}
	points := map[string]orb.Point{}
	for rows.Next() {
		var code string
		var p orb.Point
		if err := rows.Scan(&code, &p[0], &p[1]); err != nil {
			t.Fatal(err)
		}
		points[code] = p
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return points
}

// Without a distance the rules in force say it; before there are any, nobody does.
func clustersByRule(t *testing.T, l *loaded) {
	for _, unit := range [][2]string{{"province", "11"}, {"district", "094"}, {"commune", "03136"}} {
		byRule := l.clusters(t, unit[0], unit[1], "with_planned", "2020-12-31", nil)
		named := l.clusters(t, unit[0], unit[1], "with_planned", "2020-12-31", new(400.0))
		if byRule.WithinM == nil || *byRule.WithinM != 400 || !strings.Contains(byRule.Source, "dien-bien-2016@1") || strings.Contains(named.Source, "dien-bien") {
			t.Errorf("%v: within %v by %q", unit, byRule.WithinM, byRule.Source)
		}
		if !reflect.DeepEqual(byRule.Features, named.Features) || byRule.Sites != named.Sites || byRule.Reason != nil {
			t.Errorf("%v: by rule %d clusters, the same distance named gives %d", unit, len(byRule.Features), len(named.Features))
		}
	}
	early := l.clusters(t, "district", "094", "built", "2015-12-31", nil)
	if early.WithinM != nil || early.Reason == nil || len(early.Features) != 0 || early.Sites == 0 {
		t.Errorf("before any rules within %v m of %d masts, because %v", early.WithinM, early.Sites, early.Reason)
	}
	raw, err := json.Marshal(early)
	if err != nil || !strings.Contains(string(raw), `"within_m":null`) || !strings.Contains(string(raw), `"features":[]`) {
		t.Errorf("before any rules %s, %v", raw, err)
	}
	if named := l.clusters(t, "district", "094", "built", "2015-12-31", new(400.0)); len(named.Features) == 0 || named.Reason != nil {
		t.Errorf("a distance named before any rules gives %d clusters, %v", len(named.Features), named.Reason)
	}
	_, err = l.measurer.Clusters(context.Background(), officer(), plan.ClustersQuery{Level: "district", Code: "999", Stage: "built", Date: day(t, "2020-12-31")})
	if !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("clusters of no unit: %v", err)
	}
}

// The public sees what is published, which is all that counts; a draft does not.
func clustersByViewer(t *testing.T, l *loaded) {
	q := plan.ClustersQuery{Level: "district", Code: "094", Stage: "built", Date: day(t, "2020-12-31")}
	before := l.clusters(t, q.Level, q.Code, q.Stage, "2020-12-31", nil)
	l.run(t, "INSERT INTO bts_sites (code, valid_from, jurisdiction, status, mast_type, geom) SELECT 'DRAFT', valid_from, jurisdiction, 'draft', mast_type, geom FROM bts_sites WHERE code = $1",
		before.Features[0].Properties.Masts[0])
	l.run(t, "INSERT INTO operator_positions (code, valid_from, jurisdiction, status, site_code, operator, geom) SELECT 'DRAFT', valid_from, jurisdiction, 'draft', code, 'NEW', geom FROM bts_sites WHERE code = 'DRAFT'")
	for _, v := range []account.Viewer{account.Anonymous(), officer()} {
		got, err := l.measurer.Clusters(context.Background(), v, q)
		if err != nil || !reflect.DeepEqual(got.Features, before.Features) || got.Sites != before.Sites {
			t.Errorf("%s: %d clusters of %d masts, not %d of %d, %v", v.Class(), len(got.Features), got.Sites, len(before.Features), before.Sites, err)
		}
	}
}

// An answer lasts until an edit: of a mast, of who is on it, or of the rules.
func clustersAreKept(t *testing.T, l *loaded) {
	ask := func() plan.SharingClusters { return l.clusters(t, "district", "094", "built", "2020-12-31", nil) }
	before := ask()
	if again := ask(); !reflect.DeepEqual(again, before) || &again.Features[0] != &before.Features[0] {
		t.Error("the same question was answered anew, or otherwise")
	}
	if other := l.clusters(t, "district", "094", "built", "2020-12-31", new(10.0)); *other.WithinM != 10 || len(other.Features) >= len(before.Features) {
		t.Errorf("within %v m, %d clusters", *other.WithinM, len(other.Features))
	}
	l.run(t, "DELETE FROM operator_positions WHERE site_code = ANY ($1)", before.Features[0].Properties.Masts)
	if after := ask(); len(after.Features) != len(before.Features)-1 || after.Unknown != before.Unknown+before.Features[0].Properties.Count || after.Versions["operator_positions"] == before.Versions["operator_positions"] {
		t.Errorf("with nobody on the masts of a cluster %d clusters, before %d", len(after.Features), len(before.Features))
	}
	l.run(t, "UPDATE rule_sets SET valid_to = '2020-01-01'")
	if after := ask(); after.WithinM != nil || after.Reason == nil || len(after.Features) != 0 {
		t.Errorf("after the rules have ended within %v m, %d clusters", *after.WithinM, len(after.Features))
	}
}
