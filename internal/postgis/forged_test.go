package postgis_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// The functions of triggers work with the owner's rights. Whoever could hang one on a
// table of his own would write history, audit and versions as he likes, and run
// functions of his own as the owner.
func TestTheServingRoleHangsNoTriggerOnATableOfItsOwn(t *testing.T) {
	_, _, url := open(t)
	ctx := context.Background()
	owner, app := connect(t, url), connect(t, url)
	const ours = `pronamespace = 'public'::regnamespace AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')`
	rows, err := owner.Query(ctx, "SELECT proname FROM pg_proc p WHERE prorettype = 'trigger'::regtype AND "+ours)
	if err != nil {
		t.Fatal(err)
	}
	functions, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(functions) < 16 {
		t.Fatalf("functions of triggers: %v, %v", functions, err)
	}
	run(t, app, "SET ROLE hatang_app")
	run(t, app, "CREATE TEMP TABLE kiosks (LIKE public.kiosks)")
	for _, name := range functions {
		if _, err := app.Exec(ctx, fmt.Sprintf("CREATE TRIGGER %s AFTER INSERT ON pg_temp.kiosks REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.%[1]s('x')", name)); code(err) != "42501" {
			t.Errorf("a trigger of %s: %v", name, err)
		}
	}
	run(t, app, `INSERT INTO pg_temp.kiosks (id, code, valid_from, jurisdiction, illustrative, revision, updated_at, status, geom)
		VALUES (4711, 'forged', '2015-01-01', '11', false, 1, now(), 'existing', 'SRID=4326;POINT(103 21)')`)
	if n := scalar[int64](t, owner, "SELECT count(*) FROM history"); n != 0 {
		t.Errorf("%d entries of the history are forged", n)
	}
	if may := scalar[string](t, owner, "SELECT string_agg(proname, ' ' ORDER BY proname) FROM pg_proc p WHERE prosecdef AND has_function_privilege('hatang_app', oid, 'EXECUTE') AND "+ours); may != strings.Join(servingFunctions, " ") {
		t.Errorf("the serving role may call %s", may)
	}
}

// Nobody raises rights by a statement of the serving role, brings back what has ended,
// or writes what only triggers may.
func TestTheServingRoleForgesNothing(t *testing.T) {
	s, _, url := open(t)
	ctx := context.Background()
	fill(t, s, 3)
	owner, app := connect(t, url), connect(t, url)
	run(t, owner, "INSERT INTO people (login, name) VALUES ('lan', 'Lan')")
	run(t, owner, "INSERT INTO sessions (hash, person, expires_at, ended_at) VALUES ('x', 1, 'infinity', now())")
	run(t, owner, "INSERT INTO api_keys (id, hash, name, created_by, revoked_at) VALUES ('k', 'x', 'x', 'x', now())")
	run(t, owner, "INSERT INTO grants (person, role, territory, withdrawn_at) VALUES (1, 'officer', '094', now())")
	run(t, owner, "INSERT INTO organisations (code, kind, name) VALUES ('SXD', 'agency', '{}')")
	run(t, owner, "INSERT INTO consultations (layer, feature, agency, withdrawn_at) VALUES ('kiosks', 1, 'SXD', now())")
	run(t, owner, "INSERT INTO signing_keys (id, public_key) VALUES (repeat('y', 43), sha256('y'))")
	run(t, owner, "INSERT INTO imports (layer, file_name, bytes, sha256, options, state, finished_at) VALUES ('kiosks', 'x', 1, sha256(''), '{}', 'cancelled', now())")
	untriggeredly(t, owner, "INSERT INTO notices (proposal, kind) VALUES (1, 'approved')") // without its proposal
	run(t, owner, "INSERT INTO notice_deliveries (notice, person, party, state, ended_at) VALUES (1, 1, 'officer', 'delivered', now())")
	const everything = `SELECT md5(concat((SELECT string_agg(a::text, '' ORDER BY id) FROM audit a), (SELECT h::text FROM audit_head h), (SELECT string_agg(g::text, '') FROM grants g),
		(SELECT string_agg(k::text, '') FROM api_keys k), (SELECT string_agg(p::text, '') FROM people p), (SELECT string_agg(s::text, '') FROM sessions s), (SELECT string_agg(c::text, '') FROM consultations c),
		(SELECT string_agg(n::text, '') FROM notices n), (SELECT string_agg(d::text, '') FROM notice_deliveries d)))`
	before := scalar[string](t, owner, everything)
	run(t, app, "SET ROLE hatang_app")
	for _, sql := range forgeries {
		if _, err := app.Exec(ctx, sql); code(err) != "42501" {
			t.Errorf("%s: %v", sql, err)
		}
	}
	for _, sql := range revivals {
		if _, err := app.Exec(ctx, sql); code(err) != "23001" {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if after := scalar[string](t, owner, everything); after != before {
		t.Error("something was changed all the same")
	}
	t.Logf("%d statements", len(forgeries)+len(revivals))
}

// revivals are what would bring back what has ended.
var revivals = []string{
	"UPDATE grants SET withdrawn_at = NULL", "UPDATE grants SET withdrawn_at = 'infinity'",
	"UPDATE consultations SET withdrawn_at = NULL", "UPDATE consultations SET answer = 'agreed'",
	"UPDATE imports SET state = 'waiting', finished_at = NULL", "UPDATE imports SET report = '{}'", "INSERT INTO import_corrections SELECT id, '{}' FROM imports",
	"UPDATE api_keys SET revoked_at = NULL", "UPDATE sessions SET ended_at = NULL",
	"UPDATE consultations SET attachment = 1", "UPDATE notice_deliveries SET state = 'waiting', ended_at = NULL", "UPDATE notice_deliveries SET state = 'waiting', attempts = 0, ended_at = NULL", "UPDATE notice_deliveries SET due_at = now()",
}

// servingFunctions are those of all that work with the owner's rights which the serving
// role may call, by name.
var servingFunctions = []string{
	"hatang_audit",
	"hatang_audit_broken_after",
	"hatang_audit_broken_at",
	"hatang_change_reference_layer",
	"hatang_create_reference_layer",
	"hatang_note_deadlines",
	"hatang_of_organisation",
	"hatang_sign_in_begin",
	"hatang_sign_in_end",
	"hatang_withdraw_reference_layer",
}

// forgeries are statements that the serving role must not be allowed.
var forgeries = []string{
	"INSERT INTO audit (id, at, who, db_user, action, subject, detail, request_id, hash) VALUES (4, now(), 'x', 'x', 'x', 'x', '{}', '', 'x')",
	"INSERT INTO audit_head (id, hash) VALUES (0, 'x')", "DELETE FROM audit_head", "UPDATE audit_head SET hash = 'x'", "TRUNCATE audit_head",
	"UPDATE audit SET detail = '{}' WHERE id = 2", "DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)", "SELECT FROM audit FOR UPDATE",
	"DO $$ BEGIN LOCK TABLE audit IN ACCESS EXCLUSIVE MODE; END $$", "ALTER TABLE audit DISABLE TRIGGER keep", "DROP TRIGGER keep ON audit", "DROP TRIGGER audit ON grants",
	"ALTER TABLE audit OWNER TO hatang_app", "ALTER TABLE audit RENAME TO other", "COMMENT ON TABLE audit IS ''", "GRANT UPDATE ON audit_head TO hatang_app",
	"CREATE OR REPLACE FUNCTION hatang_audit(action text, subject text, detail jsonb) RETURNS void LANGUAGE sql AS ''",
	"CREATE OR REPLACE FUNCTION hatang_who() RETURNS text LANGUAGE sql AS $$SELECT 'x'$$", "ALTER FUNCTION hatang_audit_broken_at() SECURITY INVOKER",
	"CREATE RULE x AS ON INSERT TO grants DO INSTEAD NOTHING", "CREATE OR REPLACE VIEW grants_in_force AS SELECT * FROM grants", "DROP VIEW grants_in_force",
	"SELECT hatang_touch('kiosks', 'public')", "SELECT hatang_hide('kiosks')", "SELECT hatang_add_layer('kiosks')", "SELECT hatang_record()", "SELECT hatang_raise_versions()",
	"UPDATE grants SET layers = NULL", "UPDATE grants SET territory = NULL", "UPDATE grants SET key = 'k', person = NULL", "UPDATE grants SET granted_by = 'x'", "TRUNCATE grants",
	"INSERT INTO grants (person, role, granted_by) VALUES (1, 'administrator', 'key:other')", "INSERT INTO grants (person, role, granted_at) VALUES (1, 'officer', '2015-01-01')",
	"UPDATE api_keys SET person = NULL", "UPDATE api_keys SET expires_at = NULL", "UPDATE api_keys SET organisation = 'VNPT'", "UPDATE api_keys SET created_by = 'x'", "TRUNCATE api_keys, grants",
	"UPDATE people SET created_by = 'x'", "UPDATE people SET id = DEFAULT", "INSERT INTO people (login, name, created_at) VALUES ('x', 'x', '2015-01-01')", "TRUNCATE people CASCADE",
	"UPDATE sessions SET hash = 'y'", "UPDATE sessions SET started_at = '2015-01-01'", "INSERT INTO sessions (hash, person, expires_at, started_at) VALUES ('y', 1, 'infinity', '2015-01-01')",
	"UPDATE identities SET subject = 'x'", "INSERT INTO layer_sight VALUES ('roads', false, NULL, false)", "DELETE FROM layer_sight", "INSERT INTO layer_versions (layer, audience) VALUES ('roads', 'staff')",
	"SELECT FROM sign_in_attempts", "INSERT INTO sign_in_attempts (login, network, at_home) VALUES ('lan', '', false)", "UPDATE sign_in_attempts SET forgiven = true", "DELETE FROM sign_in_attempts",
	"SELECT hatang_sign_in_full('lan', '', false, '1 day', 10, 100, 100)",
	"TRUNCATE publications", "SELECT setval('kiosks_id_seq', 1)", "SELECT nextval('kiosks_id_seq')", "SELECT setval('history_id_seq', 1)",
	"INSERT INTO reference_layers (name, definition, staff_only) VALUES ('roads', '{}', false)", "UPDATE reference_layers SET staff_only = false", "DELETE FROM reference_layers", "CREATE TABLE x ()",
	"SELECT hatang_rename_layer('roads', 'lanes')", "SELECT hatang_show_layer('roads', true)", "SELECT hatang_check_layer_name('x')",
	"INSERT INTO consultations (id, layer, feature, agency) VALUES (1, 'kiosks', 1, 'SXD')", "INSERT INTO consultations (layer, feature, agency, asked_by) VALUES ('kiosks', 1, 'SXD', 'x')",
	"INSERT INTO consultations (layer, feature, agency, answer, answered_by, answered_at) VALUES ('kiosks', 1, 'SXD', 'agreed', 'x', now())", "UPDATE consultations SET agency = 'BCHQS'",
	"UPDATE consultations SET answered_by = 'x'", "UPDATE consultations SET asked_at = now()", "DELETE FROM consultations", "TRUNCATE consultations",
	"INSERT INTO imports (id, layer, file_name, bytes, sha256, options) VALUES (1, 'kiosks', 'x', 1, sha256(''), '{}')", "UPDATE imports SET who = 'x'", "UPDATE imports SET layer = 'roads'", "UPDATE imports SET request = 'x'",
	"UPDATE import_corrections SET rows = ''", "DELETE FROM import_corrections", "TRUNCATE import_corrections",
	"UPDATE import_chunks SET bytes = ''", "TRUNCATE imports CASCADE", "DELETE FROM import_progress",
	"TRUNCATE unit_lineage", "UPDATE unit_lineage SET predecessor_code = 'x'", "UPDATE unit_lineage SET changed_on = now()", "ALTER TABLE unit_lineage DISABLE TRIGGER ALL",
	"INSERT INTO signing_keys (id, public_key) VALUES (repeat('x', 43), sha256(''))", "UPDATE signing_keys SET valid_until = NULL", "DELETE FROM signing_keys", "TRUNCATE signing_keys CASCADE", "SELECT FROM signing_keys FOR UPDATE",
	"UPDATE verdicts SET body = '{}'", "UPDATE verdicts SET proposal = 1", "DELETE FROM verdicts", "TRUNCATE verdicts", "ALTER TABLE verdicts DISABLE TRIGGER keep", "ALTER TABLE verdicts DISABLE TRIGGER take",
	"INSERT INTO verdicts (number, body, basis, key, signature) VALUES ('V-2026-0000-0000-0000', '{}', '{}', 'x', '')", "INSERT INTO verdicts (recorded_at, body, basis, key, signature) VALUES ('2015-01-01', '{}', '{}', 'x', '')",
	"INSERT INTO attachments (id, proposal, revision, name, media_type, bytes, sha256) VALUES (1, 1, 1, 'x', 'x', 1, sha256(''))", "UPDATE attachments SET agency = NULL", "DELETE FROM attachments", "TRUNCATE attachments CASCADE",
	"UPDATE attachment_chunks SET bytes = 'x'", "DELETE FROM attachment_chunks", "ALTER TABLE attachments DISABLE TRIGGER judge", "INSERT INTO proposal_transitions (before, action, party, after) VALUES ('filed', 'approve', 'organisation', 'approved')",
	"INSERT INTO webhooks (organisation, url, secret, set_by) VALUES ('SXD', 'https://x', sha256(''), 'x')", "UPDATE webhooks SET set_by = 'x'", "UPDATE webhooks SET organisation = 'VNPT'", "TRUNCATE webhooks", "ALTER TABLE webhooks DISABLE TRIGGER note",
	"INSERT INTO notices (proposal, kind) VALUES (1, 'approved')", "UPDATE notices SET kind = 'approved'", "DELETE FROM notices", "INSERT INTO notice_deliveries (notice, person, party, state) VALUES (1, 1, 'officer', 'delivered')",
	"UPDATE notice_deliveries SET person = 2", "UPDATE notice_deliveries SET notice = 2", "UPDATE notice_deliveries SET message = gen_random_uuid()", "DELETE FROM notice_deliveries", "TRUNCATE notice_deliveries",
	"INSERT INTO sharing_transitions (before, action, party, after) VALUES ('asked', 'agree', 'asker', 'agreed')", "DELETE FROM sharing_transitions",
	"INSERT INTO sharing_requests (number, asker, collection, geom, wanted, reasons, asked_on, state) VALUES ('S-2026-0000-0000-0000', 'VNPT', 'ducts', 'SRID=4326;POINT(103 21)', '{}', 'x', now(), 'agreed')",
	"INSERT INTO sharing_requests (number, asker, collection, code, geom, wanted, reasons, asked_on) VALUES ('S-2026-0000-0000-0000', 'VNPT', 'ducts', 'x', 'SRID=4326;POINT(103 21)', '{}', 'x', now())",
	"UPDATE sharing_requests SET state = 'agreed'", "UPDATE sharing_requests SET asker = 'VNPT'", "DELETE FROM sharing_requests", "TRUNCATE sharing_requests CASCADE", "SELECT FROM sharing_requests FOR UPDATE",
	"INSERT INTO sharing_partners (request, organisation, answered_on) VALUES ('x', 'VNPT', now())", "UPDATE sharing_partners SET answered_on = now()", "DELETE FROM sharing_partners",
	"INSERT INTO sharing_steps (request, revision, action, party, taken_on, who) VALUES ('x', 1, 'ask', 'asker', now(), 'x')", "INSERT INTO sharing_steps (request, revision, action, party, taken_on, at) VALUES ('x', 1, 'ask', 'asker', now(), now())",
	"UPDATE sharing_steps SET reasons = 'x'", "DELETE FROM sharing_steps", "TRUNCATE sharing_steps", "ALTER TABLE sharing_steps DISABLE TRIGGER judge",
	"COPY grants TO PROGRAM 'true'", "SELECT pg_read_file('/etc/hostname')", "ALTER SYSTEM SET fsync = off", "CREATE ROLE other", "ALTER ROLE hatang_app SUPERUSER", "CREATE EXTENSION dblink",
}
