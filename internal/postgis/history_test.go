package postgis_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// connect opens a plain connection of the owner, as psql would.
func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(ctx) })
	return conn
}

// run executes a statement that must succeed.
func run(t testing.TB, db interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}, sql string, args ...any) {
	t.Helper()
	if _, err := db.Exec(context.Background(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func scalar[T any](t testing.TB, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	var value T
	if err := conn.QueryRow(context.Background(), sql, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

// entry is a row of the history as a test looks at it.
type entry struct {
	Operation, Who   string
	HasImage, HasGeo bool
	Code, Name       string
}

func history(t *testing.T, conn *pgx.Conn, name string) []entry {
	t.Helper()
	rows, err := conn.Query(context.Background(), `SELECT operation, who, before IS NOT NULL, before_geom IS NOT NULL,
		coalesce(before->>'code', ''), coalesce(before->>'name', '') FROM history WHERE layer = $1 AND db_user = session_user ORDER BY id`, name)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := pgx.CollectRows(rows, pgx.RowToStructByPos[entry])
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

const insertSite = `INSERT INTO bts_sites (code, name, valid_from, jurisdiction, status, mast_type, geom)
	VALUES ($1, 'cũ', '2015-01-01', '11', 'existing', 'A2b', 'SRID=4326;POINT(103 21)')`

func TestHistoryKeepsTheImageBefore(t *testing.T) {
	s, layers, url := open(t)
	ctx := context.Background()
	conn := connect(t, url)
	l := get(t, layers, "bts_sites")
	f := sample(t, l, "A")
	f.Properties["name"] = "cũ"
	id := create(t, s, l, f)
	if _, err := s.UpdateFeature(ctx, officer(), l, id, layer.Feature{Properties: map[string]any{"name": "mới"}}, 0, false); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteFeature(ctx, officer(), l, id, 0); err != nil {
		t.Fatal(err)
	}
	owner := "db:" + scalar[string](t, conn, "SELECT session_user::text")
	run(t, conn, insertSite, "B")
	run(t, conn, "UPDATE bts_sites SET name = 'mới'")
	run(t, conn, "DELETE FROM bts_sites")
	run(t, conn, insertSite, "C")
	run(t, conn, "TRUNCATE bts_sites")
	run(t, conn, "UPDATE bts_sites SET name = 'x' WHERE false")
	want := []entry{
		{"insert", "key:lan", false, false, "", ""}, {"update", "key:lan", true, true, "A", "cũ"}, {"delete", "key:lan", true, true, "A", "mới"},
		{"insert", owner, false, false, "", ""}, {"update", owner, true, true, "B", "cũ"}, {"delete", owner, true, true, "B", "mới"},
		{"insert", owner, false, false, "", ""}, {"truncate", owner, true, true, "C", "cũ"},
	}
	if diff := cmp.Diff(want, history(t, conn, "bts_sites")); diff != "" {
		t.Errorf("history (-want +got)\n%s", diff)
	}
	image := scalar[string](t, conn, "SELECT string_agg(k, ',' ORDER BY k) FROM history, jsonb_object_keys(before) k WHERE layer = 'bts_sites' AND operation = 'truncate'")
	columns := scalar[string](t, conn, `SELECT string_agg(attname, ',' ORDER BY attname::text COLLATE "C") FROM pg_attribute
		WHERE attrelid = 'bts_sites'::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'geom'`)
	if strings.Count(image, ",") != strings.Count(columns, ",") || !strings.Contains(image, "valid_from") {
		t.Errorf("the image holds %s, the table %s", image, columns)
	}
	if place := scalar[string](t, conn, "SELECT ST_AsText(before_geom) FROM history WHERE operation = 'truncate'"); place != "POINT(103 21)" {
		t.Errorf("the shape before is %s", place)
	}
}

func TestTheServingRoleCannotChangeWhatIsKept(t *testing.T) {
	s, layers, url := open(t)
	create(t, s, get(t, layers, "kiosks"), sample(t, get(t, layers, "kiosks"), "K"))
	conn := connect(t, url)
	run(t, conn, `INSERT INTO rule_sets (id, version, plan, jurisdiction, valid_from, state, body) VALUES ('r', 1, 'p', '11', '2016-01-01', 'published', '{}'), ('r', 2, 'p', '11', '2016-01-01', 'draft', '{}')`)
	for _, sql := range []string{
		"UPDATE rule_sets SET body = '{\"a\":1}' WHERE version = 1", "UPDATE rule_sets SET state = 'draft' WHERE version = 1",
		"DELETE FROM rule_sets WHERE version = 1", "TRUNCATE rule_sets",
	} {
		if _, err := conn.Exec(context.Background(), sql); err == nil || code(err) != "23001" {
			t.Errorf("even the owner must not: %s: %v", sql, err)
		}
	}
	run(t, conn, "UPDATE rule_sets SET body = '{\"a\":1}' WHERE version = 2")
	run(t, conn, "SET ROLE hatang_app")
	for _, sql := range []string{
		"INSERT INTO history (layer, feature_id, operation, who, db_user) VALUES ('x', 1, 'insert', 'x', 'x')",
		"UPDATE history SET who = 'x'", "DELETE FROM history", "TRUNCATE history",
		"UPDATE layer_versions SET version = 9", "DELETE FROM layer_versions", "INSERT INTO layer_changes (layer) VALUES ('x')", "DELETE FROM layer_changes",
		"TRUNCATE rule_sets", "ALTER TABLE rule_sets DISABLE TRIGGER ALL", "UPDATE plans SET pi = 3.2", "UPDATE grants SET role = 'administrator'", "DELETE FROM grants", "UPDATE grants SET person = 1", "UPDATE api_keys SET hash = 'x'", "DELETE FROM api_keys",
		"UPDATE people SET login = 'x'", "DELETE FROM people", "INSERT INTO people (login, name, disabled_at, created_by) VALUES ('x', 'x', now(), 'x')",
		"UPDATE sessions SET expires_at = 'infinity'", "UPDATE sessions SET person = 1", "DELETE FROM sessions", "UPDATE identities SET person = 1", "DELETE FROM identities",
		"UPDATE organisations SET name = '{}'", "DELETE FROM organisations", "DELETE FROM publications", "UPDATE layer_sight SET drafts = false",
		"INSERT INTO audit SELECT * FROM audit", "UPDATE audit SET who = 'x'", "DELETE FROM audit", "TRUNCATE audit", "UPDATE audit_head SET id = 0", "SELECT * FROM audit_head",
		"ALTER TABLE audit DISABLE TRIGGER ALL", "SELECT hatang_touch('kiosks')", "DROP FUNCTION hatang_audit(text, text, jsonb)",
		"TRUNCATE kiosks", "ALTER TABLE kiosks DISABLE TRIGGER ALL", "ALTER TABLE kiosks ADD x int", "DROP TABLE kiosks",
		"CREATE TABLE public.x (i int)", "CREATE SCHEMA x", "SET session_replication_role = 'replica'", "DELETE FROM goose_db_version",
	} {
		if _, err := conn.Exec(context.Background(), sql); err == nil || code(err) != "42501" {
			t.Errorf("%s: %v", sql, err)
		}
	}
	for _, sql := range []string{"UPDATE rule_sets SET body = 'x' WHERE version = 1", "UPDATE rule_sets SET state = 'draft' WHERE version = 1", "DELETE FROM rule_sets WHERE version = 1"} {
		if _, err := conn.Exec(context.Background(), sql); err == nil || code(err) != "23001" {
			t.Errorf("rules that are published: %s: %v", sql, err)
		}
	}
	// The role of reading that is not staff's does nothing else.
	run(t, conn, "SET ROLE hatang_read")
	for _, sql := range []string{
		"INSERT INTO kiosks (code) VALUES ('x')", "UPDATE kiosks SET name = 'x'", "DELETE FROM kiosks", "UPDATE publications SET exactness = 'exact'", "INSERT INTO organisations VALUES ('x', 'agency', '{}')",
		"SELECT * FROM people", "SELECT * FROM sessions", "SELECT * FROM identities", "SELECT * FROM api_keys", "SELECT * FROM grants", "SELECT * FROM grants_in_force", "SELECT * FROM audit", "SELECT * FROM imports", "SELECT * FROM import_progress", "SELECT * FROM import_chunks",
		"SELECT asked_by FROM consultations", "SELECT note FROM consultations", "UPDATE consultations SET withdrawn_at = now()",
		"SELECT hatang_audit('x', 'x', '{}')", "SELECT hatang_audit_broken_at()", "SELECT hatang_audit_broken_after(0, '', 1)",
		"SELECT hatang_sign_in_begin('lan', '', false, '1 day', 10, 100, 100)", "SELECT hatang_sign_in_end(1, true)", "SELECT * FROM kiosks FOR UPDATE",
	} {
		if _, err := conn.Exec(context.Background(), sql); err == nil || code(err) != "42501" {
			t.Errorf("%s: %v", sql, err)
		}
	}
	run(t, conn, "SELECT * FROM kiosks")
}

func code(err error) string {
	var pg *pgconn.PgError
	errors.As(err, &pg)
	if pg == nil {
		return ""
	}
	return pg.Code
}

func TestVersionsRiseOnceATransactionAtCommit(t *testing.T) {
	s, layers, url := open(t)
	ctx := context.Background()
	versions := func() [2]int64 {
		v, err := s.LayerVersions(ctx, account.Anonymous())
		if err != nil {
			t.Fatal(err)
		}
		return [2]int64{v["bts_sites"], v["kiosks"]}
	}
	listener := connect(t, url)
	run(t, listener, "LISTEN hatang_layers")
	conn := connect(t, url)
	run(t, conn, "BEGIN")
	run(t, conn, insertSite, "A")
	run(t, conn, insertSite, "B")
	run(t, conn, "UPDATE bts_sites SET name = 'x'")
	run(t, conn, "INSERT INTO kiosks (code, valid_from, jurisdiction, status, geom) VALUES ('K', '2015-01-01', '11', 'planned', 'SRID=4326;POINT(103 21)')")
	if got := versions(); got != [2]int64{1, 1} {
		t.Errorf("before the commit: %v", got)
	}
	run(t, conn, "COMMIT")
	if got := versions(); got != [2]int64{2, 2} {
		t.Errorf("after the commit: %v", got)
	}
	run(t, conn, "BEGIN")
	run(t, conn, "DELETE FROM kiosks")
	run(t, conn, "ROLLBACK")
	run(t, conn, "UPDATE kiosks SET name = 'x' WHERE false")
	if got := versions(); got[0] != 2 {
		t.Errorf("after a roll back: %v", got)
	}
	create(t, s, get(t, layers, "bts_sites"), sample(t, get(t, layers, "bts_sites"), "C"))
	if got := versions(); got[0] != 3 {
		t.Errorf("after a write of the store: %v", got)
	}
	if left := scalar[int64](t, conn, "SELECT count(*) FROM layer_changes"); left != 0 {
		t.Errorf("%d marks are left behind", left)
	}
	// Two transactions changed rows; one that changed none may or may not tell.
	told := notifications(t, listener)
	if told < 2 || told > 3 {
		t.Errorf("told %d times of two transactions", told)
	}
}

// notifications counts what has arrived; a sentinel marks the end, so nothing waits.
func notifications(t *testing.T, conn *pgx.Conn) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	run(t, conn, "NOTIFY hatang_layers, 'sentinel'")
	for n := 0; ; n++ {
		got, err := conn.WaitForNotification(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got.Payload == "sentinel" {
			return n
		}
	}
}

// Two editors of one layer must not wait for each other's commit.
func TestEditorsOfOneLayerDoNotWait(t *testing.T) {
	_, _, url := open(t)
	first, second := connect(t, url), connect(t, url)
	run(t, first, "BEGIN")
	run(t, first, insertSite, "A")
	run(t, second, "SET lock_timeout = '1s'")
	run(t, second, "BEGIN")
	run(t, second, insertSite, "B")
	run(t, second, "UPDATE bts_sites SET name = 'x' WHERE code = 'B'")
	run(t, second, "COMMIT")
	run(t, first, "COMMIT")
	if v := scalar[int64](t, first, "SELECT version FROM layer_versions WHERE layer = 'bts_sites'"); v != 3 {
		t.Errorf("version %d after two transactions, want 3", v)
	}
}

func TestZonesFollowTheirCommune(t *testing.T) {
	s, layers, url := open(t)
	ctx := context.Background()
	conn := connect(t, url)
	communes, zones := get(t, layers, "communes"), get(t, layers, "mast_zones")
	commune := sample(t, communes, "03136")
	commune.Properties["illustrative"], commune.Properties["accuracy_m"] = true, 1500.0
	id := create(t, s, communes, commune)
	zone := sample(t, zones, "Z")
	zone.Properties["follows_commune"] = "03136"
	zone.Geometry = square(10, 10)
	create(t, s, zones, zone)
	zone = sample(t, zones, "free")
	create(t, s, zones, zone)
	same := func(when string) {
		t.Helper()
		// Every zone has a commune's row of exactly its own time, and that row's shape.
		if !scalar[bool](t, conn, `SELECT bool_and(c.id IS NOT NULL AND ST_Equals(z.geom, c.geom)) FROM mast_zones z
			LEFT JOIN communes c ON c.code = z.follows_commune AND daterange(c.valid_from, c.valid_to) @> daterange(z.valid_from, z.valid_to)
			WHERE z.follows_commune IS NOT NULL`) {
			t.Errorf("the zone has another shape %s", when)
		}
	}
	same("when it is made")
	if _, err := s.UpdateFeature(ctx, officer(), communes, id, layer.Feature{
		Properties: map[string]any{"illustrative": false, "accuracy_m": nil}, Geometry: square(104, 22)}, 0, false); err != nil {
		t.Fatal(err)
	}
	same("after a correction")
	if scalar[bool](t, conn, "SELECT illustrative OR accuracy_m IS NOT NULL FROM mast_zones WHERE code = 'Z'") {
		t.Error("the zone is illustrative still, its commune is not")
	}
	if who := scalar[string](t, conn, "SELECT who FROM history WHERE layer = 'mast_zones' AND operation = 'update'"); who != "key:lan" {
		t.Errorf("history says %s moved the zone", who)
	}
	successor := incoming(1, communes, map[string]any{"code": "03136"})
	successor.Feature.Geometry = square(105, 20)
	o := postgis.ImportOptions{Date: day(t, "2020-01-01"), InForce: day(t, "2025-07-01"), OnConflict: postgis.UpdateExisting}
	if summary := importAll(t, s, communes, o, successor); summary.Updated != 1 {
		t.Fatalf("%+v", summary)
	}
	same("after the commune changed in force")
	if n := scalar[int64](t, conn, "SELECT count(*) FROM mast_zones WHERE code = 'Z'"); n != 2 {
		t.Errorf("the zone has %d rows, want 2: one before the change and one after", n)
	}
	run(t, conn, "UPDATE communes SET name = 'x' WHERE code = '03136' AND valid_to IS NOT NULL")
	same("after the closed commune was touched")
	run(t, conn, "UPDATE mast_zones SET geom = ST_Multi(ST_MakeEnvelope(1, 1, 2, 2, 4326)), illustrative = true WHERE code = 'Z'")
	same("after somebody drew it elsewhere")
	if _, err := conn.Exec(ctx, "UPDATE mast_zones SET follows_commune = 'nowhere' WHERE code = 'Z'"); code(err) != "23503" {
		t.Errorf("a zone that follows no known commune: %v", err)
	}
	if moved := scalar[bool](t, conn, "SELECT revision > 1 FROM mast_zones WHERE code = 'free'"); moved {
		t.Error("a zone that follows no commune was changed")
	}
}

// Whatever statement psql changes rows by, as the owner or as the serving role, each row that is changed has its
// record, with who and when; what is rolled back has none; a row's id stays.
func TestEveryStatementIsRecorded(t *testing.T) {
	_, _, url := open(t)
	ctx := context.Background()
	for _, role := range []string{"", "hatang_app"} {
		conn, other := connect(t, url), connect(t, url)
		run(t, conn, "TRUNCATE bts_sites")
		run(t, conn, "TRUNCATE history")
		if role != "" {
			run(t, conn, "SET ROLE "+role)
		}
		if _, err := conn.CopyFrom(ctx, pgx.Identifier{"bts_sites"}, []string{"code", "valid_from", "jurisdiction", "status", "mast_type"}, pgx.CopyFromRows([][]any{{"x", time.Now(), "11", "existing", "A2b"}})); code(err) != "23502" {
			t.Errorf("a copy of a row without a place: %v", err)
		}
		place := scalar[string](t, conn, "SELECT ST_AsText('SRID=4326;POINT(103 21)'::geometry)")
		run(t, conn, "CREATE TEMP TABLE lines AS SELECT c AS code, $1::text AS place FROM unnest('{A,B,C}'::text[]) c", place)
		run(t, conn, "INSERT INTO bts_sites (code, valid_from, jurisdiction, status, mast_type, geom) SELECT code, '2015-01-01', '11', 'existing', 'A2b', ST_SetSRID(place::geometry, 4326) FROM lines")
		id := scalar[int64](t, conn, "SELECT id FROM bts_sites WHERE code = 'A'")
		for _, sql := range []string{
			"UPDATE bts_sites SET id = DEFAULT, code = 'A2' WHERE code = 'A'", "UPDATE bts_sites SET geom = 'SRID=4326;POINT(103.5 21)' WHERE code = 'B'",
			"MERGE INTO bts_sites s USING lines l ON s.code = l.code WHEN MATCHED AND l.code = 'B' THEN UPDATE SET name = 'b' WHEN MATCHED AND l.code = 'C' THEN DELETE",
			"INSERT INTO bts_sites SELECT * FROM bts_sites WHERE code = 'B' ON CONFLICT (id) DO UPDATE SET name = 'again'",
			"WITH gone AS (DELETE FROM bts_sites WHERE code = 'B' RETURNING *) UPDATE bts_sites SET name = 'with' WHERE code = 'A2'",
			"BEGIN", "UPDATE bts_sites SET name = 'nothing'", "DELETE FROM bts_sites", "ROLLBACK",
			"BEGIN", "SAVEPOINT s", "UPDATE bts_sites SET name = 'nothing'", "ROLLBACK TO s", "UPDATE bts_sites SET name = 'kept'",
		} {
			run(t, conn, sql)
		}
		// Another writes at the same time, and commits first.
		run(t, other, insertSite, "D")
		run(t, conn, "COMMIT")
		if got := scalar[int64](t, other, "SELECT id FROM bts_sites WHERE code = 'A2'"); got != id {
			t.Errorf("%q gave a row another id: %d, not %d", role, got, id)
		}
		got := scalar[string](t, other, "SELECT string_agg(operation || coalesce(' ' || (before ->> 'code'), '') || coalesce(' ' || (before ->> 'name'), ''), ', ' ORDER BY id) FROM history WHERE layer = 'bts_sites'")
		if want := "insert, insert, insert, update A, update B, update B, delete C, update B b, delete B again, update A2, insert, update A2 with"; sorted(got) != sorted(want) {
			t.Errorf("%q is recorded with\n%s, want\n%s", role, got, want)
		}
		if !scalar[bool](t, other, "SELECT bool_and(who = 'db:' || session_user AND db_user = session_user AND recorded_at BETWEEN now() - interval '1 hour' AND now()) FROM history") {
			t.Errorf("%q: not who or when", role)
		}
	}
}

// sorted puts the members of a list in order: of one statement those come in none.
func sorted(list string) string {
	members := strings.Split(list, ", ")
	slices.Sort(members)
	return strings.Join(members, ", ")
}

// What the owner of the database changes past the history, and that it can be, the doctor tells.
func TestChangesPastTheHistoryAreFound(t *testing.T) {
	s, layers, url := open(t)
	ctx, conn := context.Background(), connect(t, url)
	create(t, s, get(t, layers, "bts_sites"), sample(t, get(t, layers, "bts_sites"), "kept"))
	for _, c := range []string{"A", "B"} {
		run(t, conn, insertSite, c)
	}
	run(t, conn, "DELETE FROM bts_sites WHERE code = 'A'")
	run(t, conn, "UPDATE bts_sites SET name = 'x'")
	problems := func() string {
		t.Helper()
		found, err := s.Inconsistencies(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(found, "; ")
	}
	if got := problems(); got != "" {
		t.Errorf("before: %s", got)
	}
	run(t, conn, "ALTER TABLE bts_sites DISABLE TRIGGER record_update")
	run(t, conn, "UPDATE bts_sites SET name = 'past it' WHERE code = 'B'")
	run(t, conn, "SET session_replication_role = replica")
	run(t, conn, strings.NewReplacer("(code,", "(id, code,", "($1,", "(900001, $1,").Replace(insertSite), "C") // its trigger would give the id
	run(t, conn, "DELETE FROM bts_sites WHERE code = 'kept'")
	run(t, conn, "SET session_replication_role = DEFAULT")
	if got, want := problems(), "changes of bts_sites are not recorded: the triggers record_update are off or gone; bts_sites was changed past the history: 1 rows appeared, 1 vanished, 1 were changed"; got != want {
		t.Errorf("after: %s", got)
	}
}
