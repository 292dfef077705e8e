package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"hatang/internal/layer"
)

// worldsControls takes rights away, one at a time: the comparison that finds nothing
// otherwise must find each.
func worldsControls(t *testing.T, o *origin) {
	run := func(t *testing.T, statements []string) func(*pgx.Conn) {
		return func(conn *pgx.Conn) {
			for _, s := range statements {
				execute(t, conn, s)
			}
		}
	}
	before := func(sql ...string) func(*testing.T, *origin) {
		return func(t *testing.T, o *origin) { o.before = run(t, sql) }
	}
	open := func(which func(*http.Request) bool) func(*testing.T, *origin) {
		return func(_ *testing.T, o *origin) { o.open = which }
	}
	after := func(sql ...string) func(*testing.T, *origin) {
		return func(t *testing.T, o *origin) { o.after = run(t, sql) }
	}
	for _, control := range []struct {
		name, as string
		requests int
		writes   bool
		tamper   func(*testing.T, *origin)
	}{
		{"a role sees drafts", "operator VNPT", 1500, false, after(`INSERT INTO grants (key, role) SELECT id, 'approver' FROM api_keys WHERE name = 'operator VNPT'`)},
		{"a territory has no border", "approver of 099", 1500, false, after(`CREATE OR REPLACE FUNCTION hatang_territory(unit text) RETURNS geometry LANGUAGE sql STABLE AS $$ SELECT ST_MakeEnvelope(100, 10, 110, 30, 4326) $$`)},
		{"versions count for all", "anonymous", 1500, false, before(`CREATE OR REPLACE FUNCTION hatang_touch(changed text, whose text DEFAULT 'public') RETURNS void
			LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$ INSERT INTO layer_changes (layer) VALUES (changed) ON CONFLICT DO NOTHING $$`)},
		{"one counter of ids", "officer of 094", 1500, true, before(`DO $$ DECLARE l text; BEGIN
			FOR l IN SELECT layer FROM layer_sight WHERE drafts LOOP EXECUTE format('DROP TRIGGER identify_a_hidden ON %I', l); END LOOP; END $$`)},
		{"drafts take codes", "officer of 094", 1500, true, after(`CREATE FUNCTION taken() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE found boolean; BEGIN
				EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE code = $1 AND status = ''draft'')', TG_TABLE_NAME) INTO found USING NEW.code;
				IF found AND NEW.status <> 'draft' THEN RAISE EXCEPTION 'taken' USING ERRCODE = 'unique_violation'; END IF; RETURN NEW; END $$`,
			`DO $$ DECLARE l text; BEGIN
				FOR l IN SELECT layer FROM layer_sight WHERE drafts LOOP EXECUTE format('CREATE TRIGGER taken BEFORE INSERT ON %I FOR EACH ROW EXECUTE FUNCTION taken()', l); END LOOP; END $$`)},
		{"what one agency is asked all agencies are", "consulted agency", 1500, false, after(`ALTER TABLE consultations RENAME TO kept`,
			`CREATE VIEW consultations AS SELECT k.id, k.layer, k.feature, o.code AS agency, k.asked_by, k.asked_at, k.due_on, k.answer, k.note, k.answered_by, k.answered_at, k.withdrawn_at, k.over_at, k.xid, k.proposal, k.required, k.document_number, k.document_date, k.attachment
				FROM kept k CROSS JOIN organisations o WHERE o.kind = 'agency'`,
			`GRANT SELECT ON consultations TO hatang_app, hatang_read`)},
		{"versions count what others are asked", "consulted agency", 1500, false, before(`CREATE OR REPLACE FUNCTION hatang_touch(changed text, whose text DEFAULT 'public') RETURNS void
			LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
				INSERT INTO layer_changes (layer, audience) VALUES (changed, CASE WHEN whose LIKE 'consulted:%' THEN 'consulted:BCHQS' ELSE whose END) ON CONFLICT DO NOTHING $$`)},
		{"a search finds everything", "operator VIETTEL", 1500, false, open(func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/v1/search") })},
		{"requests to share are everybody's", "operator VIETTEL", 1500, false, open(func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/v1/sharing-requests") })},
		{"the history shows everything", "operator VIETTEL", 1500, false, open(func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/v1/changes") })},
		{"what was known shows everything", "operator VIETTEL", 1500, false, open(func(r *http.Request) bool { return r.Method == http.MethodGet && r.URL.Query().Has("known_at") })},
		{"a layer for staff is everybody's", "person", 1500, false, after(`DO $$ BEGIN
			IF EXISTS (SELECT FROM reference_layers WHERE name = 'bunkers') THEN PERFORM hatang_change_reference_layer('bunkers', NULL, '{}', false); END IF; END $$`)},
		{"nothing is confidential", "person", 1500, false, registry(func(l *layer.Layer) {
			for i := range l.Fields {
				l.Fields[i].Confidential = false
			}
		})},
		{"proposals hold drafts against who does not see them", "officer of 094", 0, false, after(`CREATE OR REPLACE FUNCTION hatang_heeds(proposal bigint) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT true'`)},
		{"staff of a part see a proposal with that part", "officer of 094", 0, false, after(seenAlone...)},
		{"what is asked in a proposal is told to all staff of the place", "officer of 094", 0, false, after("ALTER TABLE consultations DISABLE TRIGGER USER", "UPDATE consultations SET proposal = NULL WHERE proposal IN (SELECT id FROM proposals WHERE title = 'held')",
			"ALTER TABLE consultations ENABLE TRIGGER USER")},
		{"an agency sees the files of what it sees a part of", "agency asked", 0, false, after(seenAlone...)},
		{"nothing is withheld", "consulted agency", 1500, false, registry(func(l *layer.Layer) { l.WithheldValues = []string{} })},
	} {
		t.Run(control.name, func(t *testing.T) {
			t.Parallel()
			tampered := *o
			control.tamper(t, &tampered)
			p := tampered.newPair(t, tampered.who(control.as), seed(t))
			p.onlyWrites, p.enough, p.kept = control.writes, 1, nil
			found := p.compare(control.requests)
			if len(found) == 0 && control.requests == 0 {
				found = append(p.tryProposals(), p.tryHeld()...)
			}
			if len(found) == 0 {
				t.Errorf("%d requests of %s found nothing", control.requests, control.as)
			} else {
				t.Logf("found: %.500s", found[0])
			}
		})
	}
}

// seenAlone leaves of proposals of the second world, which has a table of them, what the viewer sees.
var seenAlone = []string{"ALTER TABLE proposal_features DISABLE TRIGGER keep", `DO $$ BEGIN
	IF to_regclass('apart') IS NOT NULL THEN
		DELETE FROM proposal_features f USING proposals p, apart a WHERE p.id = f.proposal AND p.title <> 'hidden' AND (a.layer, a.id) = (f.layer, f.feature) AND NOT a.seen AND f.position <> CASE p.title WHEN 'x' THEN 0 ELSE -1 END;
	END IF;
END $$`}

// registry has a server with other rights on layers.
func registry(change func(*layer.Layer)) func(*testing.T, *origin) {
	return func(t *testing.T, o *origin) {
		layers, err := layer.Layers()
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range layers.All() {
			change(l)
		}
		o.served = layers
	}
}
