package permit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/postgis"
)

// faulty is a register with faults that a test switches on.
type faulty struct {
	*postgis.Store
	deaf  bool          // notifications are lost
	cut   atomic.Bool   // the database does not answer polls
	block chan struct{} // reading waits for it to be closed; nil: it does not
	reads atomic.Int64
}

func (f *faulty) Watch(ctx context.Context, wake func()) error {
	if f.deaf {
		<-ctx.Done()
		return ctx.Err()
	}
	return f.Store.Watch(ctx, wake)
}

func (f *faulty) State(ctx context.Context) (permit.State, error) {
	if f.cut.Load() {
		return permit.State{}, errors.New("no answer")
	}
	return f.Store.State(ctx)
}

func (f *faulty) Facts(ctx context.Context, asked permit.Asked) (permit.Facts, error) {
	if asked.Points == nil {
		f.reads.Add(1)
		if f.block != nil {
			select {
			case <-f.block:
			case <-ctx.Done():
			}
		}
	}
	return f.Store.Facts(ctx, asked)
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func always(date geo.Date) func() geo.Date { return func() geo.Date { return date } }

// viewers are one of each class.
func viewers() []account.Viewer {
	return []account.Viewer{account.Anonymous(), {Organisation: "VIETTEL", Name: "key:v", Grants: []account.Grant{{Role: account.Operator}}}, officer()}
}

// edits change the facts of checks in every way that SQL can. %d is a number of
// the edit's own, %[2]f and %[3]f a place.
func edits() []string {
	return []string{
		`INSERT INTO bts_sites (code, valid_from, jurisdiction, mast_type, status, height_m, geom) VALUES ('NEW-%[1]d', '2016-01-01', '11', 'A2b', 'existing', 42, ST_SetSRID(ST_MakePoint(%[2]f, %[3]f), 4326))`,
		`INSERT INTO bts_sites (code, valid_from, jurisdiction, mast_type, status, owner_organisation, geom) VALUES ('DRAFT-%[1]d', '2016-01-01', '11', 'A2b', 'draft', 'VIETTEL', ST_SetSRID(ST_MakePoint(%[2]f, %[3]f), 4326))`,
		`INSERT INTO operator_positions (code, valid_from, jurisdiction, site_code, operator, status, geom)
			SELECT 'POS-%[1]d', '2016-01-01', '11', code, 'SFONE', 'existing', geom FROM bts_sites s WHERE status = 'existing' AND valid_to IS NULL AND valid_from <= '2016-01-01'
			AND NOT EXISTS (SELECT FROM operator_positions p WHERE p.site_code = s.code AND operator = 'SFONE') ORDER BY geom <-> ST_SetSRID(ST_MakePoint(%[2]f, %[3]f), 4326) LIMIT 1`,
		`UPDATE operator_positions SET operator = 'VNPT' WHERE id = (SELECT id FROM operator_positions p WHERE operator = 'MOBIFONE'
			AND NOT EXISTS (SELECT FROM operator_positions q WHERE q.site_code = p.site_code AND q.operator = 'VNPT') ORDER BY geom <-> ST_SetSRID(ST_MakePoint(%[2]f, %[3]f), 4326) LIMIT 1)`,
		`DELETE FROM operator_positions WHERE id = (SELECT id FROM operator_positions ORDER BY geom <-> ST_SetSRID(ST_MakePoint(%[2]f, %[3]f), 4326) LIMIT 1)`,
		`UPDATE bts_sites SET geom = ST_Translate(geom, 0.0007, 0.0003), height_m = coalesce(height_m, 0) + 1 WHERE id IN (SELECT id FROM bts_sites ORDER BY geom <-> ST_SetSRID(ST_MakePoint(%[2]f, %[3]f), 4326) LIMIT 3)`,
		// Of two at a place the draft: an existing one that becomes a draft is not told as of before, either.
		`UPDATE bts_sites SET status = 'draft', owner_organisation = 'VIETTEL' WHERE id = (SELECT id FROM bts_sites ORDER BY geom <-> ST_SetSRID(ST_MakePoint(%[2]f, %[3]f), 4326), status <> 'draft' LIMIT 1)`,
		`DELETE FROM bts_sites s WHERE id = (SELECT id FROM bts_sites b WHERE NOT EXISTS (SELECT FROM operator_positions p WHERE p.site_code = b.code) ORDER BY geom <-> ST_SetSRID(ST_MakePoint(%[2]f, %[3]f), 4326) LIMIT 1)`,
		`INSERT INTO mast_zones (code, valid_from, jurisdiction, zone_class, phase, geom) VALUES ('ZONE-%[1]d', '2016-01-01', '11', 'b', 'P1', ST_Multi(ST_Expand(ST_SetSRID(ST_MakePoint(%[2]f, %[3]f), 4326), 0.02)))`,
		`UPDATE mast_zones SET valid_to = '2020-01-01' WHERE id = (SELECT id FROM mast_zones WHERE valid_to IS NULL AND valid_from < '2020-01-01' ORDER BY geom <-> ST_SetSRID(ST_MakePoint(%[2]f, %[3]f), 4326) LIMIT 1)`,
		`DELETE FROM mast_zones WHERE id = (SELECT id FROM mast_zones ORDER BY geom <-> ST_SetSRID(ST_MakePoint(%[2]f, %[3]f), 4326) LIMIT 1)`,
		`INSERT INTO special_areas (code, valid_from, jurisdiction, kind, geom) VALUES ('AREA-%[1]d', '2016-01-01', '11', 'military', ST_Multi(ST_Expand(ST_SetSRID(ST_MakePoint(%[2]f, %[3]f), 4326), 0.003)))`,
		`INSERT INTO special_areas (code, valid_from, jurisdiction, kind, geom) VALUES ('DENSE-%[1]d', '2016-01-01', '11', 'densely_populated', ST_Multi(ST_Expand(ST_SetSRID(ST_MakePoint(%[2]f, %[3]f), 4326), 0.01)))`,
		`UPDATE special_areas SET kind = 'aviation_surface', max_height_m = 30 WHERE id = (SELECT max(id) FROM special_areas WHERE kind = 'military')`,
		`UPDATE communes SET urban = NOT coalesce(urban, false) WHERE ST_Covers(geom, ST_SetSRID(ST_MakePoint(%[2]f, %[3]f), 4326))`,
		`UPDATE communes SET name = name || ' ' WHERE false`,
		`TRUNCATE special_areas`,
	}
}

// Whatever is edited, however and by whom, a snapshot that follows the changes
// answers as one read whole.
func TestMemoryFollowsEveryEdit(t *testing.T) {
	store, _, conn := demo(t)
	ctx, date := context.Background(), day(t, "2020-06-30")
	memory := permit.NewMemory(store, always(date), quiet())
	for _, v := range viewers() {
		memory.Keep(v, date)
	}
	memory.Catch(ctx)
	built := memory.Report().Builds
	whole := permit.NewChecker(store)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	asked := proposals(t, 300)
	differ := 0
	before := map[string]string{}
	for i, edit := range append(edits(), edits()...) {
		at := asked[random.IntN(len(asked))].Point
		if i%2 == 1 {
			at = orb.Point{103 + 0.05*random.Float64(), 21.36 + 0.05*random.Float64()}
		}
		sql := change(t, conn, edit, i, at)
		for _, v := range viewers() {
			got, want := caught(t, memory, v, date), snapshotOf(t, whole, v, date)
			text := answersText(t, want, asked, at)
			if diff := cmp.Diff(text, answersText(t, got, asked, at)); diff != "" {
				t.Fatalf("%s after %s (-whole +followed)\n%s", v.Class(), sql, diff)
			}
			if diff := cmp.Diff(want.Versions(), got.Versions()); diff != "" {
				t.Errorf("%s after %s: versions (-whole +followed)\n%s", v.Class(), sql, diff)
			}
			if before[v.Class()] != text {
				differ++
			}
			before[v.Class()] = text
		}
	}
	if r := memory.Report(); r.Builds != built || r.AppliedChanges < 60 || differ < 40 {
		t.Errorf("%d builds, %d before; %d changes applied; %d answers changed: the test proves little", r.Builds, built, r.AppliedChanges, differ)
	}
}

// change makes an edit and returns what was executed.
func change(t *testing.T, conn *pgx.Conn, edit string, number int, at orb.Point) string {
	t.Helper()
	sql := edit
	if strings.Contains(edit, "%") {
		sql = fmt.Sprintf(edit+" -- %[1]d %[2]f %[3]f", number, at[0], at[1])
	}
	if _, err := conn.Exec(context.Background(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return sql
}

// What the register answered once, it answers again when asked as of then.
func TestAnswersAsOnceKnown(t *testing.T) {
	store, _, conn := demo(t)
	ctx, date := context.Background(), day(t, "2020-06-30")
	checker := permit.NewChecker(store)
	asked, at := proposals(t, 100), orb.Point{103.02, 21.38}
	type answered struct {
		known time.Time
		text  map[string]string
	}
	var once []answered
	different := map[string]bool{}
	note := func() {
		a := answered{text: map[string]string{}}
		for _, v := range viewers() {
			a.text[v.Class()] = answersText(t, snapshotOf(t, checker, v, date), asked, at)
			different[a.text[v.Class()]] = true
		}
		if err := conn.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&a.known); err != nil {
			t.Fatal(err)
		}
		once = append(once, a)
	}
	note()
	for i, edit := range edits() {
		change(t, conn, edit, i, at)
		note()
	}
	// A rule set that is superseded: its end is set, the next one begins.
	for _, sql := range []string{
		`UPDATE rule_sets SET valid_to = '2020-01-01' WHERE state = 'published'`,
		`INSERT INTO rule_sets (id, version, plan, jurisdiction, valid_from, state, body)
			SELECT id, version + 1, plan, jurisdiction, valid_to, state, body FROM rule_sets`,
	} {
		change(t, conn, sql, 0, at)
		note()
	}
	if len(different) < 22 {
		t.Errorf("only %d different answers: the test proves little", len(different))
	}
	for i, a := range once {
		for _, v := range viewers() {
			s, err := checker.Snapshot(ctx, v, date, a.known)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(a.text[v.Class()], answersText(t, s, asked, at)); diff != "" || s.Versions() != nil {
				t.Fatalf("%s after edit %d, versions %v (-then +replayed)\n%s", v.Class(), i, s.Versions(), diff)
			}
			some, err := checker.CheckAsKnown(ctx, v, []zoning.Proposal{{Point: at, MastType: "A2b", Date: date}}, a.known)
			if err != nil || some[0].KnownAt == nil || !strings.Contains(a.text[v.Class()], string(some[0].Verdict)) {
				t.Errorf("asked for one place: %+v, %v", some, err)
			}
		}
	}
}

// What is withheld now is not told by asking as of before.
func TestReplayDoesNotTellWhatIsWithheldNow(t *testing.T) {
	store, _, conn := demo(t)
	ctx, date := context.Background(), day(t, "2020-06-30")
	at := orb.Point{103.226566, 21.144375}
	change(t, conn, `INSERT INTO special_areas (code, valid_from, jurisdiction, kind, geom)
		VALUES ('SECRET', '2016-01-01', '11', 'aviation_surface', ST_Multi(ST_MakeEnvelope(103.2265, 21.1443, 103.2266, 21.1444, 4326)))`, 0, at)
	var known time.Time
	if err := conn.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&known); err != nil {
		t.Fatal(err)
	}
	// told lists the rules by which an area makes a condition, and where it is named.
	told := func(v account.Viewer) (said string) {
		answers, err := permit.NewChecker(store).CheckAsKnown(ctx, v, []zoning.Proposal{{Point: at, MastType: "A2b", Date: date}}, known)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range answers[0].Findings {
			if f.Outcome == zoning.Condition {
				said += f.Rule + " "
				if f.Evidence != nil {
					said += f.Evidence.Collection + " "
				}
			}
		}
		return said
	}
	if got := told(account.Anonymous()); got != "CONSULT-aviation special_areas " {
		t.Fatalf("while it may be told, the public is told %s", got)
	}
	change(t, conn, `UPDATE special_areas SET kind = 'military' WHERE code = 'SECRET'`, 0, at)
	if got := told(account.Anonymous()); got != "CONSULT-military " {
		t.Errorf("the public is told %s", got)
	}
	if got := told(officer()); got != "CONSULT-aviation special_areas " {
		t.Errorf("an officer is told %s", got)
	}
}

// However poorly places and edges are known, what is read round a point answers as
// the whole register does.
func TestBoxesHoldAllThatAccuracyMakesMatter(t *testing.T) {
	store, _, conn := demo(t)
	ctx, date := context.Background(), day(t, "2020-06-30")
	for i, accuracyM := range []float64{30, 1700, 20000} {
		if _, err := conn.Exec(ctx, `INSERT INTO mast_zones (code, valid_from, jurisdiction, zone_class, illustrative, accuracy_m, geom)
			VALUES ($1, '2016-01-01', '11', 'b', false, $2, ST_Multi(ST_Expand(ST_SetSRID(ST_MakePoint($3, 21.3), 4326), 0.01)))`, fmt.Sprint("POOR-", i), accuracyM, 103.0+0.1*float64(i)); err != nil {
			t.Fatal(err)
		}
	}
	// A place that only a poor zone covers, with exact zones all round, far off.
	for i, box := range [][4]float64{{103.8, 21, 104.12, 22.2}, {104.28, 21, 104.6, 22.2}, {103.8, 21, 104.6, 21.52}, {103.8, 21.68, 104.6, 22.2}, {104.19, 21.59, 104.21, 21.61}} {
		accuracyM := 0.0
		if i == 4 {
			accuracyM = 20000
		}
		if _, err := conn.Exec(ctx, `INSERT INTO mast_zones (code, valid_from, jurisdiction, zone_class, illustrative, accuracy_m, geom)
			VALUES ($1, '2016-01-01', '11', 'dd', false, $2, ST_Multi(ST_MakeEnvelope($3, $4, $5, $6, 4326)))`, fmt.Sprint("ROUND-", i), accuracyM, box[0], box[1], box[2], box[3]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.Exec(ctx, "UPDATE provinces SET geom = ST_Multi(ST_Union(geom, ST_MakeEnvelope(103.5, 21, 104.6, 22.2, 4326)))"); err != nil {
		t.Fatal(err)
	}
	checker := permit.NewChecker(store)
	doubtful := 0
	for _, v := range viewers() {
		whole := snapshotOf(t, checker, v, date)
		for i, p := range proposals(t, 400) {
			p.Date = date
			if p.Point = (orb.Point{102.9 + 0.4*float64(i%29)/29, 21.2 + 0.2*float64(i%17)/17}); i%3 > 0 {
				accuracy := []float64{0, 10, 1000}[i%3]
				p.AccuracyM = &accuracy
			}
			if i%20 == 19 {
				p.Point = orb.Point{104.195 + 0.01*float64(i)/400, 21.6}
			}
			answers, err := checker.Check(ctx, v, []zoning.Proposal{p})
			if err != nil {
				t.Fatal(err)
			}
			want := whole.Check(p)
			if diff := cmp.Diff(asJSON(t, want), asJSON(t, answers[0])); diff != "" {
				t.Fatalf("%s at %v (-whole +box)\n%s", v.Class(), p.Point, diff)
			}
			for _, f := range want.Findings {
				if f.Rule == "ZONE-b" && f.Outcome == zoning.Unknown {
					doubtful++
				}
			}
		}
	}
	if doubtful < 100 {
		t.Errorf("only %d answers hang on accuracy: the test proves little", doubtful)
	}
}

// caught returns the snapshot in memory once it is the latest.
func caught(t testing.TB, m *permit.Memory, v account.Viewer, date geo.Date) *permit.Snapshot {
	t.Helper()
	for range 50 { // a machine that stops for a second makes a snapshot too old
		m.Catch(context.Background())
		if s := m.Fresh(v, date); s != nil {
			return s
		}
	}
	t.Fatal("the memory never was fresh")
	return nil
}

func snapshotOf(t testing.TB, c *permit.Checker, v account.Viewer, date geo.Date) *permit.Snapshot {
	t.Helper()
	s, err := c.Snapshot(context.Background(), v, date, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// answersText is what a snapshot says of the proposals and of some round a place.
func answersText(t testing.TB, s *permit.Snapshot, list []zoning.Proposal, at orb.Point) string {
	t.Helper()
	var b strings.Builder
	height := 35.0
	for i := range 40 {
		place := geo.Destination(at, float64(i)*47, float64(i)*12)
		list = append(list[:len(list):len(list)], zoning.Proposal{Point: place, MastType: geo.MastTypes()[i%4], HeightM: &height})
	}
	for _, p := range list {
		a := s.Check(p)
		a.Versions, a.KnownAt = nil, nil
		fmt.Fprintln(&b, asJSON(t, a))
	}
	return b.String()
}

// A transaction that began before others and commits after them is not missed.
func TestMemorySeesLateCommits(t *testing.T) {
	store, _, conn := demo(t)
	ctx, date := context.Background(), day(t, "2020-06-30")
	memory := permit.NewMemory(store, always(date), quiet())
	memory.Catch(ctx)
	late, err := pgx.ConnectConfig(ctx, conn.Config())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = late.Close(ctx) }()
	tx, err := late.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	add := `INSERT INTO mast_zones (code, valid_from, jurisdiction, zone_class, phase, geom) VALUES ($1, '2016-01-01', '11', 'b', 'P1', ST_Multi(ST_Expand(ST_SetSRID(ST_MakePoint($2, 21.1), 4326), 0.01)))`
	if _, err := tx.Exec(ctx, add, "LATE", 103.1); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, add, "EARLY", 103.3); err != nil {
		t.Fatal(err)
	}
	verdicts := func() (early, late zoning.Verdict) {
		s := caught(t, memory, account.Anonymous(), date)
		ask := func(lon float64) zoning.Verdict {
			_, v := s.Verdict(zoning.Proposal{Point: orb.Point{lon, 21.1}, MastType: "A2b"})
			return v
		}
		return ask(103.3), ask(103.1)
	}
	if early, late := verdicts(); early != zoning.Refused || late == zoning.Refused {
		t.Fatalf("before the late commit: %s, %s", early, late)
	}
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if early, late := verdicts(); early != zoning.Refused || late != zoning.Refused {
		t.Errorf("after the late commit: %s, %s", early, late)
	}
	if n := memory.Report().Builds; n != 1 {
		t.Errorf("%d builds: the change was not followed", n)
	}
}

// forbid draws a zone in which nothing bulky may stand, and returns a proposal that
// it refuses and nothing else does.
func forbid(t *testing.T, conn *pgx.Conn, code string, lon float64) zoning.Proposal {
	t.Helper()
	if _, err := conn.Exec(context.Background(), `INSERT INTO mast_zones (code, valid_from, jurisdiction, zone_class, phase, geom)
		VALUES ($1, '2016-01-01', '11', 'b', 'P1', ST_Multi(ST_Expand(ST_SetSRID(ST_MakePoint($2, 21.1), 4326), 0.01)))`, code, lon); err != nil {
		t.Fatal(err)
	}
	return zoning.Proposal{Point: orb.Point{lon, 21.1}, MastType: "A2b", Date: day(t, "2020-06-30")}
}

// running starts a memory and returns its checker; it ends with the test.
func running(t *testing.T, r permit.Register) (*permit.Memory, *permit.Checker) {
	t.Helper()
	memory := permit.NewMemory(r, always(day(t, "2020-06-30")), quiet())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); memory.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return memory, memory.Checker()
}

// seesInTime asks until the answer is refused, as it must be at the latest when
// what was known a second before the question holds the edit.
func seesInTime(t *testing.T, c *permit.Checker, p zoning.Proposal) {
	t.Helper()
	committed := time.Now()
	for {
		asked := time.Now()
		answers, err := c.Check(context.Background(), account.Anonymous(), []zoning.Proposal{p})
		if err != nil {
			t.Fatal(err)
		}
		if answers[0].Verdict == zoning.Refused {
			return
		}
		if asked.Sub(committed) > time.Second {
			t.Fatalf("asked %s after the edit, answered as before it: %+v", asked.Sub(committed), answers[0])
		}
	}
}

// becomesFresh waits until the public's answers come from memory.
func becomesFresh(t *testing.T, m *permit.Memory) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); m.Fresh(account.Anonymous(), day(t, "2020-06-30")) == nil; {
		if time.Now().After(deadline) {
			t.Fatalf("never fresh: %+v", m.Report())
		}
		runtime.Gosched()
	}
}

// Edits by psql and through another server are seen in time by servers that hear
// notifications and by those that do not.
func TestTwoServersOnOneDatabase(t *testing.T) {
	store, layers, conn := demo(t)
	other, err := postgis.Open(context.Background(), conn.Config().ConnString(), layers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	hearing, a := running(t, &faulty{Store: store})
	deaf, b := running(t, &faulty{Store: other, deaf: true})
	becomesFresh(t, hearing)
	becomesFresh(t, deaf)
	for i := range 5 {
		p := forbid(t, conn, fmt.Sprint("PSQL-", i), 103.05+0.04*float64(i))
		seesInTime(t, a, p)
		seesInTime(t, b, p)
	}
	// Through the server that made the edit: the next answer.
	l, _ := layers.Get("mast_zones")
	for i := range 5 {
		p := zoning.Proposal{Point: orb.Point{103.05 + 0.04*float64(i), 21.3}, MastType: "A2b", Date: day(t, "2020-06-30")}
		box := orb.Bound{Min: orb.Point{p.Point[0] - 0.01, 21.29}, Max: orb.Point{p.Point[0] + 0.01, 21.31}}
		becomesFresh(t, hearing)
		if _, err := store.CreateFeature(context.Background(), officer(), l, layer.Feature{Geometry: orb.MultiPolygon{box.ToPolygon()}, Properties: map[string]any{
			"code": fmt.Sprint("OWN-", i), "valid_from": day(t, "2016-01-01"), "jurisdiction": "11", "zone_class": "b", "illustrative": false}}); err != nil {
			t.Fatal(err)
		}
		answers, err := a.Check(context.Background(), account.Anonymous(), []zoning.Proposal{p})
		if err != nil || answers[0].Verdict != zoning.Refused {
			t.Fatalf("the server that made the edit answers %+v, %v", answers, err)
		}
		seesInTime(t, b, p)
	}
	if x, y := hearing.Report(), deaf.Report(); x.FromMemory == 0 || y.FromMemory == 0 || x.Builds != 1 || y.Builds != 1 {
		t.Errorf("%+v, %+v: the memory was not what answered", x, y)
	}
}

// What is measured with other facts is read in the state that those were read in,
// though an older snapshot would still do for a question by itself.
func TestPlacesAgreeWithWhatTheyAreMeasuredWith(t *testing.T) {
	store, _, conn := demo(t)
	memory, checker := running(t, &faulty{Store: store, deaf: true})
	for i := range 5 {
		becomesFresh(t, memory)
		p := forbid(t, conn, fmt.Sprint("WITH-", i), 103.05+0.04*float64(i))
		now, err := store.LayerVersions(context.Background(), account.Anonymous())
		if err != nil {
			t.Fatal(err)
		}
		places, versions, err := checker.Places(context.Background(), account.Anonymous(), []orb.Point{p.Point}, p.Date, now)
		if err != nil || !versions.Agree(now) || len(places[0].Zones) == 0 {
			t.Fatalf("%d: read at %v with %v: %+v, %v", i, versions, now, places, err)
		}
	}
}

// While the database does not tell its versions, nothing is answered from memory.
func TestMemoryCutOffIsNotTrusted(t *testing.T) {
	store, _, conn := demo(t)
	register := &faulty{Store: store, deaf: true}
	memory, checker := running(t, register)
	becomesFresh(t, memory)
	register.cut.Store(true)
	seesInTime(t, checker, forbid(t, conn, "CUT", 103.1))
	if r := memory.Report(); r.FromDatabase == 0 || r.Failures == 0 || r.Snapshots[0].Fresh {
		t.Errorf("cut off: %+v", r)
	}
	register.cut.Store(false)
	becomesFresh(t, memory)
}

// While a snapshot is being read, however long it takes, the database answers.
func TestSlowBuildIsNotWaitedFor(t *testing.T) {
	store, _, conn := demo(t)
	register := &faulty{Store: store, block: make(chan struct{})}
	memory, checker := running(t, register)
	for i := range 3 {
		seesInTime(t, checker, forbid(t, conn, fmt.Sprint("SLOW-", i), 103.05+0.04*float64(i)))
	}
	if r := memory.Report(); r.FromMemory > 0 || r.Snapshots[0].AgeS != nil {
		t.Errorf("while reading: %+v", r)
	}
	close(register.block)
	becomesFresh(t, memory)
	if n := register.reads.Load(); n != 1 {
		t.Errorf("read %d times", n)
	}
}

// held is a register whose whole readings wait, once that is asked of it.
type held struct {
	*postgis.Store
	asked        atomic.Bool
	release      chan struct{}
	reads, polls atomic.Int64
}

func (h *held) State(ctx context.Context) (permit.State, error) {
	h.polls.Add(1)
	return h.Store.State(ctx)
}

func (h *held) Facts(ctx context.Context, asked permit.Asked) (permit.Facts, error) {
	if asked.Points == nil && h.asked.Load() {
		h.reads.Add(1)
		select {
		case <-h.release:
		case <-ctx.Done():
		}
	}
	return h.Store.Facts(ctx, asked)
}

// A snapshot that must be read anew, because its viewers see other rows than before, is
// read to its end, though the poll that found it out has ended long before.
func TestReadingAnewOutlastsThePoll(t *testing.T) {
	store, _, conn := demo(t)
	register := &held{Store: store, release: make(chan struct{})}
	memory, _ := running(t, register)
	becomesFresh(t, memory)
	register.asked.Store(true)
	if _, err := conn.Exec(context.Background(), "INSERT INTO publications (jurisdiction, exactness, cell_degrees) VALUES ('11', 'rounded', 0.1)"); err != nil {
		t.Fatal(err)
	}
	wait := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !ok(); runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Fatalf("waited in vain for %s: %+v", what, memory.Report())
			}
		}
	}
	wait("a reading", func() bool { return register.reads.Load() > 0 })
	polls := register.polls.Load()
	wait("polls", func() bool { return register.polls.Load() > polls+1 })
	close(register.release)
	becomesFresh(t, memory)
	if n := register.reads.Load(); n != 1 {
		t.Errorf("read %d times", n)
	}
}

// Rules that cannot be read make checks fail, never answer by older ones.
func TestMemoryDropsBrokenRules(t *testing.T) {
	store, _, conn := demo(t)
	memory, checker := running(t, store)
	becomesFresh(t, memory)
	if _, err := conn.Exec(context.Background(), `INSERT INTO rule_sets (id, version, plan, jurisdiction, valid_from, state, body)
		VALUES ('broken', 1, 'x', '12', '2016-01-01', 'published', '{"format": 99}')`); err != nil {
		t.Fatal(err)
	}
	p := zoning.Proposal{Point: orb.Point{103.0165, 21.3826}, MastType: "A2b", Date: day(t, "2020-06-30")}
	for committed := time.Now(); ; {
		asked := time.Now()
		_, err := checker.Check(context.Background(), account.Anonymous(), []zoning.Proposal{p})
		if err != nil && strings.Contains(err.Error(), "broken") {
			return
		}
		if err != nil || asked.Sub(committed) > time.Second {
			t.Fatalf("%s after the rules broke: %v", asked.Sub(committed), err)
		}
	}
}
