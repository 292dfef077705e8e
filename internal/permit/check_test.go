package permit_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/plan"
	"hatang/internal/postgis"
	"hatang/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

func officer() account.Viewer { return account.Holder("key:lan", account.Officer) }

// readInto hands the features of an open file to an import.
func readInto(in interface{ Read([]byte) (int, error) }, l *layer.Layer, add func(postgis.Incoming) error) error {
	return formats.ReadGeoJSON(in, l, nil, func(r formats.Record) error {
		return add(postgis.Incoming{Row: r.Row, Feature: r.Feature, Faults: r.Faults})
	})
}

func readFile(file plan.LayerFile, l *layer.Layer, add func(postgis.Incoming) error) (err error) {
	in, err := file.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	return readInto(in, l, add)
}

// demonstration returns a database of the test's own with the plan of Điện Biên in it.
var demonstration = testdb.Once(func(ctx context.Context, url string) (err error) {
	layers, err := layer.Layers()
	if err != nil {
		return err
	}
	files, err := plan.DienBien()
	if err != nil {
		return err
	}
	pack, err := plan.Parse(files)
	if err != nil {
		return err
	}
	if err := postgis.Migrate(ctx, url, layers); err != nil {
		return err
	}
	admin, err := postgis.OpenAdmin(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, admin.Close(ctx)) }()
	_, err = admin.LoadPack(ctx, pack, layers, readFile, func(string, int) {})
	return err
})

// demo returns a store over the plan of Điện Biên, in a database of its own.
func demo(t testing.TB) (*postgis.Store, *layer.Registry, *pgx.Conn) {
	t.Helper()
	ctx := context.Background()
	layers, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	url := demonstration(t)
	store, err := postgis.Open(ctx, url, layers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(ctx) })
	return store, layers, conn
}

// importReal brings the real boundaries in as a correction.
func importReal(t testing.TB, s *postgis.Store, layers *layer.Registry) {
	t.Helper()
	for _, file := range [][2]string{{"provinces", "dienbien_province.geojson"}, {"districts", "dienbien_districts.geojson"}, {"communes", "dienbien_communes.geojson"}} {
		l, _ := layers.Get(file[0])
		in, err := os.Open(filepath.Join(testdb.TestData(t), "boundaries", file[1]))
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		o := postgis.ImportOptions{Date: day(t, "2020-12-31"), OnConflict: postgis.UpdateExisting, Defaults: map[string]any{"valid_from": day(t, "2020-12-31"), "jurisdiction": "11"},
			Placed: map[string]any{"source": file[1], "illustrative": false, "accuracy_m": nil}}
		summary, err := s.Import(context.Background(), officer(), l, o, func(add func(postgis.Incoming) error) error { return readInto(in, l, add) })
		if err != nil || !summary.Applied || summary.Inserted > 0 || summary.Updated != summary.Read {
			t.Fatalf("%s: %+v, %v", file[1], summary, err)
		}
	}
}

func TestChecksOnTheDemo(t *testing.T) {
	s, layers, conn := demo(t)
	checker := permit.NewChecker(s)
	t.Run("points on the schematic map", func(t *testing.T) { placementPoints(t, checker, false) })
	t.Run("unusual questions", func(t *testing.T) { unusualQuestions(t, checker) })
	importReal(t, s, layers)
	t.Run("points on the real map", func(t *testing.T) { placementPoints(t, checker, true) })
	t.Run("batch", func(t *testing.T) { batchEqualsSingles(t, checker) })
	t.Run("cables", func(t *testing.T) { cablesOnTheDemo(t, s, conn) })
	t.Run("each other", func(t *testing.T) { eachOther(t, checker) })
	t.Run("as many answers as are allowed", func(t *testing.T) { answersAtTheirLimit(t, checker) })
	t.Run("edits", func(t *testing.T) { answersFollowEdits(t, s, conn) })
	t.Run("broken rules", func(t *testing.T) { brokenRules(t, checker, conn) })
}

// placementPoints asks the plan's own questions. On the schematic map a commune may differ.
func placementPoints(t *testing.T, checker *permit.Checker, real bool) {
	list, date := checks(t)
	for _, c := range list {
		p, err := permit.ParseProposal(c.raw, date)
		if err != nil {
			t.Fatal(err)
		}
		answers, err := checker.Check(context.Background(), account.Anonymous(), []zoning.Proposal{p})
		if err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		a := answers[0]
		commune := ""
		if a.Unit != nil {
			commune = a.Unit.Commune
		}
		t.Logf("%s: %s in %q", c.ID, a.Verdict, commune)
		if !slices.Contains(c.Verdict, string(a.Verdict)) {
			t.Errorf("%s: %s, want one of %v: %+v", c.ID, a.Verdict, c.Verdict, a.Findings)
		}
		if real && commune != c.Commune {
			t.Errorf("%s lies in %q, want %q", c.ID, commune, c.Commune)
		}
		told := slices.ContainsFunc(a.Findings, func(f zoning.Finding) bool { return f.Rule == c.Because })
		if rule := !strings.Contains(c.Because, " "); rule && !told {
			t.Errorf("%s: no finding %s", c.ID, c.Because)
		}
		for _, f := range a.Findings {
			if f.Message.VI == "" || f.Message.EN == "" || f.Rule == "" {
				t.Errorf("%s: a finding without words: %+v", c.ID, f)
			}
		}
		if a.Versions["mast_zones"] < 2 || a.Versions["rule_sets"] < 2 {
			t.Errorf("%s was made from versions %v", c.ID, a.Versions)
		}
	}
}

func unusualQuestions(t *testing.T, checker *permit.Checker) {
	ask := func(lon, lat float64, date string) permit.Answer {
		p := zoning.Proposal{Point: orb.Point{lon, lat}, MastType: geo.MastType("A2b"), Date: day(t, date)}
		answers, err := checker.Check(context.Background(), account.Anonymous(), []zoning.Proposal{p})
		if err != nil {
			t.Fatal(err)
		}
		return answers[0]
	}
	if a := ask(0, 0, "2020-06-30"); a.Verdict != zoning.Undetermined || a.Unit != nil {
		t.Errorf("far outside: %s in %+v", a.Verdict, a.Unit)
	}
	if a := ask(103.0165, 21.3826, "1999-01-01"); a.Verdict != zoning.Undetermined || len(a.Findings) != 1 || a.Findings[0].Rule != "RULES-none" {
		t.Errorf("before any rules: %+v", a)
	}
	outside, before := ask(102.6, 21.1, "2020-06-30"), ask(103.0165, 21.3826, "1999-01-01")
	if outside.Findings[0].Rule == before.Findings[0].Rule {
		t.Error("outside the territory and before the rules are told alike")
	}
	if none, err := checker.Check(context.Background(), account.Anonymous(), nil); err != nil || len(none) != 0 {
		t.Errorf("no proposals: %v, %v", none, err)
	}
}

// proposals are scattered over and beside the province, on two dates.
func proposals(t testing.TB, n int) []zoning.Proposal {
	t.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	types := geo.MastTypes()
	list := make([]zoning.Proposal, n)
	for i := range list {
		height := 5 + 60*random.Float64()
		list[i] = zoning.Proposal{Point: orb.Point{102.1 + 1.6*random.Float64(), 20.9 + 1.7*random.Float64()}, MastType: types[random.IntN(len(types))], HeightM: &height, Date: day(t, "2020-06-30")}
		if i%2 == 1 {
			list[i].Point = orb.Point{103 + 0.05*random.Float64(), 21.36 + 0.05*random.Float64()}
		}
		if i%10 == 0 {
			list[i].Date = day(t, "2018-06-30")
		}
	}
	return list
}

func batchEqualsSingles(t *testing.T, checker *permit.Checker) {
	list := proposals(t, 2000)
	for _, v := range []account.Viewer{account.Anonymous(), officer()} {
		batch, err := checker.Check(context.Background(), v, list)
		if err != nil {
			t.Fatal(err)
		}
		verdicts := map[zoning.Verdict]int{}
		for _, a := range batch {
			verdicts[a.Verdict]++
		}
		if len(verdicts) < 3 {
			t.Errorf("the batch gives only %v", verdicts)
		}
		for i := 0; i < len(list); i += 17 {
			single, err := checker.Check(context.Background(), v, list[i:i+1])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(asJSON(t, batch[i]), asJSON(t, single[0])); diff != "" {
				t.Fatalf("%s, proposal %d (-batch +alone)\n%s", v.Class(), i, diff)
			}
		}
	}
}

func asJSON(t testing.TB, value any) string {
	t.Helper()
	raw, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// A zone that is drawn is a zone at once, and an area densely populated; a withheld one never
// shows where it is.
func answersFollowEdits(t *testing.T, s *postgis.Store, conn *pgx.Conn) {
	checker := permit.NewChecker(s)
	height := 42.0
	guyed := geo.Structure("guyed")
	p := zoning.Proposal{Point: orb.Point{103.226566, 21.144375}, MastType: "A2b", HeightM: &height, Structure: &guyed, Date: day(t, "2020-06-30")}
	ask := func(v account.Viewer) permit.Answer {
		answers, err := checker.Check(context.Background(), v, []zoning.Proposal{p})
		if err != nil {
			t.Fatal(err)
		}
		return answers[0]
	}
	before := ask(account.Anonymous())
	if before.Verdict == zoning.Refused {
		t.Fatalf("%+v", before)
	}
	if _, err := conn.Exec(context.Background(), `INSERT INTO special_areas (code, valid_from, jurisdiction, kind, geom)
		VALUES ('DENSE', '2016-01-01', '11', 'densely_populated', ST_Multi(ST_MakeEnvelope(103.22, 21.14, 103.23, 21.15, 4326)))`); err != nil {
		t.Fatal(err)
	}
	if dense := ask(account.Anonymous()); dense.Verdict != zoning.Refused || !strings.Contains(asJSON(t, dense.Findings), `"code": "DENSE"`) {
		t.Errorf("a guyed mast in a densely populated area: %s", asJSON(t, dense.Findings))
	}
	if _, err := conn.Exec(context.Background(), "DELETE FROM special_areas WHERE code = 'DENSE'"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(context.Background(), `INSERT INTO mast_zones (code, valid_from, jurisdiction, zone_class, phase, geom)
		VALUES ('TEST-B', '2016-01-01', '11', 'b', 'P1', ST_Multi(ST_MakeEnvelope(103.22, 21.14, 103.23, 21.15, 4326)))`); err != nil {
		t.Fatal(err)
	}
	after := ask(account.Anonymous())
	if after.Verdict != zoning.Refused || after.Versions["mast_zones"] <= before.Versions["mast_zones"] {
		t.Errorf("%s at version %d, before %s at %d", after.Verdict, after.Versions["mast_zones"], before.Verdict, before.Versions["mast_zones"])
	}
	if _, err := conn.Exec(context.Background(), `INSERT INTO special_areas (code, valid_from, jurisdiction, kind, geom)
		VALUES ('SECRET', '2016-01-01', '11', 'military', ST_Multi(ST_MakeEnvelope(103.2265, 21.1443, 103.2266, 21.1444, 4326)))`); err != nil {
		t.Fatal(err)
	}
	for _, v := range []account.Viewer{account.Anonymous(), officer()} {
		answer := ask(v)
		i := slices.IndexFunc(answer.Findings, func(f zoning.Finding) bool { return f.Rule == "CONSULT-military" })
		if i < 0 {
			t.Errorf("%s is not told to consult", v.Class())
			continue
		}
		f := answer.Findings[i]
		if told := f.Evidence != nil || f.MeasuredM != nil || f.MarginM != nil; told != v.Staff() || v.Staff() != strings.Contains(asJSON(t, answer.Findings), "special_areas") {
			t.Errorf("%s is told %+v", v.Class(), f)
		}
	}
}

// A body that cannot be read makes checks fail, never answer wrongly.
func brokenRules(t *testing.T, checker *permit.Checker, conn *pgx.Conn) {
	ctx := context.Background()
	if _, err := conn.Exec(ctx, `INSERT INTO rule_sets (id, version, plan, jurisdiction, valid_from, valid_to, state, body)
		VALUES ('broken', 1, 'x', '12', '2016-01-01', '2019-01-01', 'published', '{"format": 99}')`); err != nil {
		t.Fatal(err)
	}
	p := zoning.Proposal{Point: orb.Point{103.0165, 21.3826}, MastType: "A2b", Date: day(t, "2018-06-30")}
	if answers, err := checker.Check(ctx, account.Anonymous(), []zoning.Proposal{p}); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("%+v, %v", answers, err)
	}
	p.Date = day(t, "2020-06-30")
	if _, err := checker.Check(ctx, account.Anonymous(), []zoning.Proposal{p}); err != nil {
		t.Errorf("on a date without the broken one: %v", err)
	}
}

func BenchmarkCheck(b *testing.B) {
	s, _, _ := demo(b)
	checker := permit.NewChecker(s)
	for name, n := range map[string]int{"one": 1, "thousand": 1000} {
		list := proposals(b, n)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := checker.Check(context.Background(), account.Anonymous(), list); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSnapshot reads the whole province with its real boundaries.
func BenchmarkSnapshot(b *testing.B) {
	s, layers, _ := demo(b)
	importReal(b, s, layers)
	checker := permit.NewChecker(s)
	for b.Loop() {
		snapshotOf(b, checker, account.Anonymous(), day(b, "2020-12-31"))
	}
}
