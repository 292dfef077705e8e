package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"hatang/internal/permit"
)

// Proposals in the worlds: of what lies in a viewer's sight and of what does not, together.

// proposalsOf is a statement that files some drafts of sites, each for its organisation, every
// other one with a file, and takes them to all states that leave the rows as they are. The agency
// is asked about some, and has answered about some of these.
func proposalsOf(title, where, agency string, world int) string {
	return fmt.Sprintf(`DO $$ DECLARE
			r record; p bigint := (1::bigint << 48) + 815000 + 1000 * %[3]d; n bigint; state int;
		BEGIN
			FOR r IN SELECT id, owner_organisation AS o FROM bts_sites WHERE status = 'draft' AND owner_organisation IS NOT NULL AND %[2]s ORDER BY md5(id::text) LIMIT 72 LOOP
				p := p + 1;
				state := p / 2 %% 6;
				n := 1;
				PERFORM set_config('hatang.who', 'key:files', true);
				INSERT INTO proposals (id, organisation, title, verdict) VALUES (p, r.o, '%[1]s', '{}');
				INSERT INTO proposal_features (proposal, position, layer, feature) VALUES (p, 0, 'bts_sites', r.id);
				INSERT INTO proposal_steps (proposal, revision, action, party, organisation, due_on) VALUES (p, 1, 'file', 'organisation', r.o, hatang_today() + 9);
				IF p %% 2 = 0 THEN
					n := 2;
					INSERT INTO proposal_steps (proposal, revision, action, party, organisation, due_on) VALUES (p, 2, 'attach', 'organisation', r.o, hatang_today() + 9);
					INSERT INTO attachments (id, proposal, revision, name, media_type, bytes, sha256) VALUES (p + 500000, p, 2, '%[1]s.txt', 'text/plain', 1, sha256('x'));
					INSERT INTO attachment_chunks (attachment, number, bytes) VALUES (p + 500000, 1, 'x');
				END IF;
				PERFORM set_config('hatang.who', 'key:decides', true);
				IF state IN (1, 2) THEN
					INSERT INTO proposal_steps (proposal, revision, action, party, reasons, due_on) VALUES (p, n + 1, 'ask_more', 'officer', 'x', hatang_today() + 19);
				ELSIF state IN (3, 4, 5) THEN
					UPDATE consultations SET proposal = p WHERE layer = 'bts_sites' AND feature = r.id AND agency = '%[4]s' AND answered_at IS NULL AND withdrawn_at IS NULL;
					INSERT INTO consultations (layer, feature, agency, due_on, proposal) VALUES ('bts_sites', r.id, '%[4]s', hatang_today() + 20, p)
						ON CONFLICT (layer, feature, agency, coalesce(proposal, 0)) WHERE answered_at IS NULL AND withdrawn_at IS NULL DO NOTHING;
					INSERT INTO proposal_steps (proposal, revision, action, party, detail, due_on) VALUES (p, n + 1, 'consult', 'officer', '{"agencies": ["%[4]s"], "required": false}', hatang_today() + 20);
				END IF;
				IF state = 2 THEN
					PERFORM set_config('hatang.who', 'key:files', true);
					INSERT INTO proposal_steps (proposal, revision, action, party, organisation, verdict, due_on) VALUES (p, n + 2, 'supplement', 'organisation', r.o, '{}', hatang_today() + 29);
				ELSIF state IN (4, 5) THEN
					PERFORM set_config('hatang.who', 'key:answers', true);
					INSERT INTO proposal_steps (proposal, revision, action, party, organisation, detail) VALUES (p, n + 2, 'answer', 'agency', '%[4]s', '{"agency": "%[4]s", "answer": "agreed"}');
					UPDATE consultations SET answer = 'agreed' WHERE proposal = p;
				END IF;
				IF state IN (0, 5) THEN
					PERFORM set_config('hatang.who', 'key:files', true);
					INSERT INTO proposal_steps (proposal, revision, action, party, organisation) VALUES (p, n + CASE state WHEN 0 THEN 1 ELSE 3 END, 'withdraw', 'organisation', r.o);
				END IF;
			END LOOP;
		END $$`, title, where, world, agency)
}

// part reports whether the viewer may see some of an organisation's drafts and not others, as staff
// or as one of it.
func (w who) part() bool {
	v := w.viewer()
	return v.Staff() && !v.SeesEverything() || v.Organisation != "" && v.OrganisationOn("ducts") == "" && v.FilesAnything()
}

// asked reports whether the viewer answers for an agency that is asked about proposals.
func (w who) asked() bool { return w.organisation == "SXD" }

// widen adds drafts that the viewer does not see, with files, to proposals about some drafts of
// which his agency is asked. And it files drafts that he sees together with others of the same
// organisation that he does not, where he is staff of a part: then he sees nothing of the proposal.
func (p *pair) widen(conn *pgx.Conn) {
	p.t.Helper()
	execute(p.t, conn, "CREATE TABLE apart (layer text, id bigint, organisation text, code text, geom geometry, seen boolean)")
	for _, name := range permit.FiledLayers() {
		l, _ := p.origin.layers.Get(name)
		blind := p.as.blind(l, "geom")
		execute(p.t, conn, fmt.Sprintf(`INSERT INTO apart SELECT '%s', id, owner_organisation, code, ST_Force2D(geom), NOT (%s) FROM %[1]s
			WHERE status = 'draft' AND owner_organisation IS NOT NULL AND %[3]s`, name, blind, p.as.alone(l)))
	}
	switch {
	case p.as.asked():
		execute(p.t, conn, widenAsked)
		if p.as.layers != nil {
			execute(p.t, conn, askBeside)
		}
	case p.as.part():
		execute(p.t, conn, holdSeen)
	}
}

// widenAsked adds two hidden drafts of the organisation to each proposal that has no files, and
// files to those that are open.
const widenAsked = `DO $$ DECLARE
		r record; h record; n int := 0;
	BEGIN
		FOR r IN SELECT p.* FROM proposals p WHERE title = 'x' AND NOT EXISTS (SELECT FROM attachments a WHERE a.proposal = p.id) ORDER BY id LOOP
			SET LOCAL session_replication_role = replica;
			INSERT INTO proposal_features (proposal, position, layer, feature, code, geom)
				SELECT r.id, row_number() OVER (ORDER BY id), layer, id, code, geom FROM (SELECT * FROM apart a WHERE organisation = r.organisation AND NOT seen ORDER BY md5(a.id::text || r.id) LIMIT 2) a;
			SET LOCAL session_replication_role = origin;
			CONTINUE WHEN r.state NOT IN ('filed', 'more_asked', 'supplemented', 'consulting');
			PERFORM set_config('hatang.who', 'key:files', true);
			INSERT INTO proposal_steps (proposal, revision, action, party, organisation, due_on) VALUES (r.id, r.revision + 1, 'attach', 'organisation', r.organisation, r.due_on);
			INSERT INTO attachments (id, proposal, revision, name, media_type, bytes, sha256) VALUES (r.id + 500000, r.id, r.revision + 1, 'hidden.txt', 'text/plain', 1, sha256('x'));
			INSERT INTO attachment_chunks (attachment, number, bytes) VALUES (r.id + 500000, 1, 'x');
		END LOOP;
	END $$`

// askBeside has the agency asked about hidden drafts of a layer for which the viewer does not
// answer, in the same proposals, and others of it answer about some of them.
const askBeside = `DO $$ DECLARE
		r record; which bigint;
	BEGIN
		FOR r IN SELECT DISTINCT p.id, p.revision, p.organisation, p.state FROM proposals p JOIN consultations c ON c.proposal = p.id AND c.agency = 'SXD' WHERE p.state = 'consulting' AND p.title = 'x' ORDER BY 1 LOOP
			SELECT a.id INTO which FROM apart a WHERE a.layer = 'ducts' AND organisation = r.organisation AND NOT EXISTS (SELECT FROM consultations c WHERE c.layer = a.layer AND c.feature = a.id AND c.agency = 'SXD')
				AND NOT EXISTS (SELECT FROM proposal_features f WHERE f.layer = a.layer AND f.feature = a.id) ORDER BY a.id LIMIT 1;
			CONTINUE WHEN which IS NULL;
			SET LOCAL session_replication_role = replica;
			INSERT INTO proposal_features (proposal, position, layer, feature, code, geom) SELECT r.id, 90, layer, id, code, geom FROM apart WHERE layer = 'ducts' AND id = which;
			SET LOCAL session_replication_role = origin;
			PERFORM set_config('hatang.who', 'key:answers', true);
			INSERT INTO consultations (layer, feature, agency, proposal) VALUES ('ducts', which, 'SXD', r.id);
			CONTINUE WHEN r.id % 4 < 2;
			INSERT INTO proposal_steps (proposal, revision, action, party, organisation, detail) VALUES (r.id, r.revision + 1, 'answer', 'agency', 'SXD', '{"agency": "SXD", "answer": "objected"}');
			UPDATE consultations SET answer = 'objected' WHERE proposal = r.id AND layer = 'ducts';
		END LOOP;
	END $$`

// holdSeen files drafts that the viewer sees, each with one that he does not, and takes the
// proposals to all states in which they are examined.
const holdSeen = `DO $$ DECLARE
		r record; p bigint := (1::bigint << 48) + 815000 + 2000; n bigint;
	BEGIN
		FOR r IN SELECT s.layer, s.id, s.organisation, h.layer AS hidden_layer, h.id AS hidden
				FROM (SELECT *, row_number() OVER (PARTITION BY organisation ORDER BY md5(id::text)) AS place FROM apart WHERE seen) s
				JOIN (SELECT *, row_number() OVER (PARTITION BY organisation ORDER BY md5(id::text)) AS place FROM apart WHERE NOT seen) h USING (organisation, place) ORDER BY place, organisation LIMIT 32 LOOP
			p := p + 1;
			n := 1;
			PERFORM set_config('hatang.who', 'key:files', true);
			INSERT INTO proposals (id, organisation, title, verdict) VALUES (p, r.organisation, 'held', '{}');
			INSERT INTO proposal_features (proposal, position, layer, feature) VALUES (p, p % 2, r.layer, r.id), (p, 1 - p % 2, r.hidden_layer, r.hidden);
			INSERT INTO proposal_steps (proposal, revision, action, party, organisation, due_on) VALUES (p, 1, 'file', 'organisation', r.organisation, hatang_today() + 9);
			PERFORM set_config('hatang.who', 'key:decides', true);
			IF p / 2 % 4 IN (1, 2) THEN
				INSERT INTO proposal_steps (proposal, revision, action, party, reasons, due_on) VALUES (p, 2, 'ask_more', 'officer', 'x', hatang_today() + 19);
			ELSIF p / 2 % 4 = 3 THEN
				INSERT INTO consultations (id, layer, feature, agency, proposal, required) VALUES (p + 600000, r.layer, r.id, 'BQP', p, true), (p + 700000, r.hidden_layer, r.hidden, 'BQP', p, true);
				INSERT INTO proposal_steps (proposal, revision, action, party, detail, due_on) VALUES (p, 2, 'consult', 'officer', '{"agencies": ["BQP"], "required": true}', hatang_today() + 20);
			END IF;
			IF p / 2 % 4 = 2 THEN
				PERFORM set_config('hatang.who', 'key:files', true);
				INSERT INTO proposal_steps (proposal, revision, action, party, organisation, verdict, due_on) VALUES (p, 3, 'supplement', 'organisation', r.organisation, '{}', hatang_today() + 29);
			END IF;
		END LOOP;
	END $$`

// heldDraft is a draft that the viewer sees, in a proposal of the second world that he does not.
type heldDraft struct {
	layer    string
	id       int64
	proposal int64
}

func (s *stock) readHeld(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT f.layer, f.feature, f.proposal FROM proposal_features f JOIN proposals p ON p.id = f.proposal JOIN apart a ON a.layer = f.layer AND a.id = f.feature
		WHERE p.title = 'held' AND a.seen ORDER BY f.proposal`)
	if err != nil {
		t.Fatal(err)
	}
	var h heldDraft
	if _, err := pgx.ForEachRow(rows, []any{&h.layer, &h.id, &h.proposal}, func() error {
		s.held = append(s.held, h)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

var verdictNumbers, knownAt = regexp.MustCompile(`V-\d{4}-\w{4}-\w{4}-\w{4}`), regexp.MustCompile(`"known_at":"[^"]*"`)

// mapVerdicts takes out of proposals the numbers of verdicts recorded meanwhile, which are random,
// and when that was.
func (p *pair) mapVerdicts(outcomes ...*reaction) {
	for _, o := range outcomes {
		o.body = verdictNumbers.ReplaceAllFunc(o.body, func(number []byte) []byte {
			if slices.Contains(p.stock.verdicts, string(number)) {
				return number
			}
			return []byte("V-new")
		})
		if knownAt.Match(o.body) { // the fewer digits the more zeros there are at the end
			o.body = knownAt.ReplaceAll(o.body, nil)
			o.header.Del("Content-Length")
		}
	}
}

// ask asks both worlds one thing after the other until they differ, and returns in what.
func (p *pair) ask(asked []question) []string {
	p.t.Helper()
	for _, q := range asked {
		q.address, q.cold = "192.0.2.6:1", p.chance(50)
		if d := p.both(q); d != "" {
			if p.kept != nil {
				d += p.shorten(q)
			}
			return []string{d}
		}
	}
	return nil
}

// stepsOn are all steps there are on a proposal, at the revision that the viewer is told.
func (p *pair) stepsOn(id int64) []question {
	p.t.Helper()
	path := fmt.Sprint("/api/v1/proposals/", id)
	var told struct{ Revision int64 }
	got := deliver(p.a.cold, question{method: http.MethodGet, path: path, address: "192.0.2.6:1"}, p.as)
	if got.status == http.StatusOK {
		if err := json.Unmarshal(got.body, &told); err != nil {
			p.t.Fatal(err)
		}
	}
	asked := []question{
		{method: http.MethodGet, path: path}, {method: http.MethodGet, path: path + "/attachments"}, {method: http.MethodGet, path: fmt.Sprint(path, "/attachments/", id+500000)},
		{method: http.MethodPost, path: path + "/attachments?name=x.txt", body: "x", headers: []string{"Content-Type", "text/plain"}},
		{method: http.MethodPost, path: path + "/attachments?name=x.txt&agency=SXD", body: "x", headers: []string{"Content-Type", "text/plain"}}, {method: http.MethodGet, path: path + "/attachments"},
	}
	further := map[permit.Action]string{permit.Consult: `,"agencies":["BCA"]`, permit.AnswerFor: `,"answer":"agreed","document_number":"1"`}
	for _, action := range permit.Actions() {
		for _, revision := range []string{fmt.Sprintf(`,"revision":%d`, told.Revision), ""} { // what is attached is a step, and the first may be stale
			asked = append(asked, question{method: http.MethodPost, path: path + "/decisions", headers: jsonBody, body: fmt.Sprintf(`{"action":%q,"reasons":"x"%s%s}`, action, revision, further[action])})
		}
	}
	return append(asked, question{method: http.MethodGet, path: path}, question{method: http.MethodGet, path: "/api/v1/proposals?limit=100"})
}

// tryProposals has the viewer try every step on every proposal that he has to do with, some of
// which have features in the second world that he does not see.
func (p *pair) tryProposals() (differences []string) {
	p.t.Helper()
	for _, id := range p.stock.seen {
		if differences = p.ask(p.stepsOn(id)); differences != nil {
			break
		}
	}
	return differences
}

// questionsOn are what the viewer may try with a question that is asked about a draft in its proposal.
func questionsOn(h heldDraft) []question {
	its := fmt.Sprint(consultationsPath, "/", h.proposal+600000)
	return []question{
		{method: http.MethodGet, path: its}, {method: http.MethodGet, path: consultationsPath + "?limit=1000&collection=" + h.layer}, {method: http.MethodPatch, path: its, headers: jsonBody, body: `{"due_on":"2090-01-01"}`},
		{method: http.MethodPost, path: consultationsPath, headers: jsonBody, body: fmt.Sprintf(`{"collection":%q,"feature":%d,"agency":"BQP"}`, h.layer, h.id)},
		{method: http.MethodPatch, path: its, headers: jsonBody, body: `{"state":"withdrawn"}`}, {method: http.MethodGet, path: consultationsPath + "?limit=1000"},
	}
}

// tryHeld has the viewer do with drafts what he may do with drafts that are in no proposal, which
// in the second world are in some that he does not see.
func (p *pair) tryHeld() (differences []string) {
	p.t.Helper()
	geojson := []string{"Content-Type", "application/geo+json"}
	for i, h := range p.stock.held {
		row, of := fmt.Sprintf("/api/v1/collections/%s/items/%d", h.layer, h.id), fmt.Sprintf("collection=%s&feature=%d", h.layer, h.id)
		change := []question{
			{method: http.MethodPatch, path: row, headers: geojson, body: `{"properties":{"name":"held"}}`},
			{method: http.MethodPatch, path: row, headers: geojson, body: `{"properties":{"status":"planned"}}`},
			{method: http.MethodPatch, path: row, headers: geojson, body: fmt.Sprintf(`{"properties":{"code":"HELD-%d","owner_organisation":"VIETTEL"}}`, i)},
			{method: http.MethodPatch, path: row + "?in_force=2030-01-01", headers: geojson, body: `{"properties":{"name":"next"}}`},
			{method: http.MethodPatch, path: row, headers: geojson, body: `{"properties":{"valid_to":"2031-01-01"}}`},
			{method: http.MethodDelete, path: row},
		}
		file := question{method: http.MethodPost, path: "/api/v1/proposals", headers: jsonBody, body: fmt.Sprintf(`{"title":"x","features":[{"collection":%q,"id":%d}]}`, h.layer, h.id)}
		asked := append(p.stepsOn(h.proposal), question{method: http.MethodGet, path: row}, question{method: http.MethodGet, path: "/api/v1/changes?" + of}, question{method: http.MethodGet, path: "/api/v1/decisions?" + of},
			question{method: http.MethodGet, path: "/api/v1/proposals/drafts?limit=100"},
			question{method: http.MethodPost, path: consultationsPath, headers: jsonBody, body: fmt.Sprintf(`{"collection":%q,"feature":%d,"agency":"BNG"}`, h.layer, h.id)})
		asked = append(asked, questionsOn(h)...)
		if i%3 == 0 {
			asked = append(asked, file)
		}
		revert := question{method: http.MethodPost, path: "/api/v1/changes/reverts", headers: jsonBody, body: fmt.Sprintf(`{"collection":%q,"feature":%d,"from":%q}`, h.layer, h.id, "2020-01-01T00:00:00Z")}
		asked = append(asked, change[i%len(change)], revert, change[0], file, change[5], question{method: http.MethodGet, path: row}, question{method: http.MethodGet, path: "/api/v1/changes?" + of})
		if differences = p.ask(asked); differences != nil {
			break
		}
	}
	return differences
}
