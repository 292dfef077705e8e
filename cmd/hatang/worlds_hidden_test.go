package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/postgis"
)

// tried is how many codes TRY-n requests try to take and hidden rows have.
const tried = 30

// draftsOf is a statement that copies every so many published rows of a layer into
// drafts of each operator, a stone's throw away, where the condition holds: with codes
// of published rows, with codes that requests will try where they are to be hidden, and
// with their own.
func draftsOf(l *layer.Layer, prefix, where string, every int) string {
	try := prefix
	if prefix == "HID" {
		try = "TRY"
	}
	var names, values []string
	for _, f := range l.Fields {
		value := pgx.Identifier{f.Name}.Sanitize()
		switch f.Name {
		case "revision", "updated_at":
			continue
		case "status":
			value = "'draft'"
		case "name":
			value = "'" + prefix + " ' || n"
		case "owner_organisation":
			value = "owner_organisation"
		case "contact":
			value = "'" + prefix + " call ' || n"
		case "operator":
			value = "owner_organisation"
		case "code":
			value = fmt.Sprintf("CASE n %% 3 WHEN 0 THEN code WHEN 1 THEN '%s-' || n %% %d ELSE '%s-' || n END", try, tried, prefix)
		}
		names, values = append(names, pgx.Identifier{f.Name}.Sanitize()), append(values, value)
	}
	return fmt.Sprintf(`INSERT INTO %[1]s (%[2]s, geom) SELECT %[3]s, geom FROM (
			SELECT row_number() OVER (ORDER BY t.id, o.organisation) AS n, %[4]s, o.organisation AS owner_organisation, ST_Translate(t.geom, 0.0003, 0.0002) AS geom
			FROM (SELECT *, row_number() OVER (ORDER BY md5(code || id)) AS place FROM %[1]s WHERE status <> 'draft') t,
				(VALUES ('VNPT'), ('VIETTEL'), ('SFONE')) o (organisation)
			WHERE t.place %% %[5]d = 0) t WHERE %[6]s`,
		l.Name, strings.Join(names, ", "), strings.Join(values, ", "), columnsBut(l, "owner_organisation", "t."), every, where)
}

// consultationsOf is a statement that has agencies asked about some of the drafts of a layer.
func consultationsOf(l *layer.Layer) string {
	return fmt.Sprintf(`INSERT INTO consultations (layer, feature, agency, due_on) SELECT '%s', id, agency, '2027-01-01' FROM %[1]s, (VALUES ('SXD'), ('BCHBDBP')) a (agency)
		WHERE status = 'draft' AND ascii(md5(id || agency)) %% 3 = 0`, l.Name)
}

// hideConsultations has other agencies asked, and no longer asked, about rows of a layer of
// which the viewer is not told.
func (p *pair) hideConsultations(conn *pgx.Conn, l *layer.Layer) {
	p.t.Helper()
	unconcerned := p.as.unconcerned(l)
	execute(p.t, conn, fmt.Sprintf(`INSERT INTO consultations (layer, feature, agency) SELECT '%s', id, agency FROM %[1]s, (VALUES ('BCA'), ('BQP')) a (agency) WHERE (status = 'draft' AND id %% 3 = 0 OR id %% 97 = 0) AND %s`, l.Name, unconcerned))
	execute(p.t, conn, fmt.Sprintf(`UPDATE consultations SET withdrawn_at = now() WHERE agency IN ('BCHBDBP', 'BQP') AND answered_at IS NULL AND withdrawn_at IS NULL AND feature %% 2 = 0
		AND layer = '%s' AND feature IN (SELECT id FROM %[1]s WHERE %s)`, l.Name, unconcerned))
}

// shareFor is a statement by which one organisation asks another for some masts of its, is
// declined, and for some of them withdraws.
func shareFor(asker, owner, where string, world int) string {
	return fmt.Sprintf(`DO $$ DECLARE
			r record; n text; i int := 0;
		BEGIN
			FOR r IN SELECT id FROM bts_sites WHERE status = 'existing' AND owner_organisation = '%[2]s' AND valid_to IS NULL AND %[3]s
					AND NOT EXISTS (SELECT FROM operator_positions p WHERE p.site_code = bts_sites.code AND p.operator = '%[1]s') ORDER BY md5(id::text) LIMIT 12 LOOP
				i := i + 1;
				n := 'S-2020-%[4]d' || upper(substr(md5('%[1]s%[2]s' || i), 1, 3)) || '-' || upper(substr(md5('%[1]s%[2]s' || i), 4, 4)) || '-0000';
				PERFORM set_config('hatang.who', 'key:%[1]s', true);
				INSERT INTO sharing_requests (number, asker, collection, feature, wanted, reasons, asked_on) VALUES (n, '%[1]s', 'bts_sites', r.id, '{}', 'x', '2020-12-01');
				INSERT INTO sharing_partners (request, organisation) VALUES (n, '%[2]s');
				INSERT INTO sharing_steps (request, revision, action, party, organisation, taken_on, reasons, due_on) VALUES (n, 1, 'ask', 'asker', '%[1]s', '2020-12-01', 'x', '2020-12-22');
				PERFORM set_config('hatang.who', 'key:%[2]s', true);
				INSERT INTO sharing_steps (request, revision, action, party, organisation, taken_on, reasons, capacity) VALUES (n, 2, 'decline', 'partner', '%[2]s', '2020-12-03', 'x', '{"places": 0}');
				CONTINUE WHEN i %% 3 <> 0;
				PERFORM set_config('hatang.who', 'key:%[1]s', true);
				INSERT INTO sharing_steps (request, revision, action, party, organisation, taken_on) VALUES (n, 3, 'withdraw', 'asker', '%[1]s', '2020-12-04');
			END LOOP;
		END $$`, asker, owner, where, world)
}

// recordFor has verdicts recorded for a viewer, about places beside drafts.
func (o *origin) recordFor(t *testing.T, conn *pgx.Conn, v account.Viewer) {
	t.Helper()
	s, err := postgis.Open(t.Context(), conn.Config().ConnString(), o.served)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var questions []json.RawMessage
	for _, q := range allOf[string](t, conn, `SELECT json_build_object('lon', ST_X(geom) + 0.0005, 'lat', ST_Y(geom), 'mast_type', 'A2b', 'date', '2020-12-31')::text FROM bts_sites WHERE status = 'draft' ORDER BY md5(code) LIMIT 3`) {
		questions = append(questions, json.RawMessage(q))
	}
	recorder := permit.NewRecorder(s, o.key, time.UTC)
	judged, err := recorder.Judge(t.Context(), v, geo.NewDate(2020, 12, 31), permit.Placement, questions)
	if err != nil || len(judged) == 0 {
		t.Fatalf("%d verdicts, %v", len(judged), err)
	}
	for _, j := range judged {
		sealed, err := recorder.Seal(j, 0, nil)
		if err == nil {
			err = s.RecordVerdict(t.Context(), v, sealed)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// importsOf is a statement that has somebody import a file into a layer, and cancel that.
func importsOf(who string) string {
	return fmt.Sprintf(`WITH i AS (INSERT INTO imports (id, layer, file_name, bytes, sha256, options, who, state, finished_at)
			SELECT (1::bigint << 48) + 4711 + n, 'kiosks', 'hidden.geojson', n, sha256(''), '{}', '%[1]s', s, CASE WHEN s <> 'waiting' THEN now() END FROM (VALUES (1, 'waiting'), (2, 'cancelled'), (3, 'done')) v (n, s) RETURNING id)
		INSERT INTO import_progress (import, rows_read, updated_at) SELECT id, 4711, now() FROM i`, who)
}

// mappingsOf is a statement that has other organisations than the viewer's, and staff who
// belong to none where he is no such, save mappings.
func mappingsOf(v account.Viewer) string {
	others := []string{"NULL"}
	if v.Organisation == "" && v.Staff() {
		others = nil
	}
	for _, code := range []string{"VNPT", "VIETTEL", "MOBIFONE"} {
		if code != v.Organisation {
			others = append(others, "'"+code+"'")
		}
	}
	return fmt.Sprintf(`INSERT INTO import_mappings (id, layer, organisation, name, reading) SELECT (1::bigint << 48) + 9000 + row_number() OVER (), 'kiosks', o, 'hidden', '{"crs":"EPSG:9205"}'
		FROM unnest(ARRAY[%s]::text[]) o`, strings.Join(others, ","))
}

// columnsBut lists the columns of a layer without the geometry and one more.
func columnsBut(l *layer.Layer, but, prefix string) string {
	var names []string
	for _, f := range l.Fields {
		if f.Name != but {
			names = append(names, prefix+pgx.Identifier{f.Name}.Sanitize())
		}
	}
	return strings.Join(names, ", ")
}

// hide makes the second world: rows that the viewer does not see are added, changed and
// removed, and confidential values that he does not see are others.
func (p *pair) hide(conn *pgx.Conn) {
	p.t.Helper()
	for _, l := range p.origin.layers.All() {
		if !l.HasDrafts() {
			continue
		}
		blind := p.as.blind(l, "geom")
		execute(p.t, conn, draftsOf(l, "HID", blind, 9))
		p.quiet = append(p.quiet, time.Now())
		moved := p.as.blind(l, "ST_Translate(geom, 0.002, -0.001)")
		execute(p.t, conn, fmt.Sprintf(`UPDATE %s SET geom = ST_Translate(geom, 0.002, -0.001), name = 'moved ' || code, valid_from = valid_from - 700
			WHERE status = 'draft' AND id %% 2 = 0 AND %s AND %s AND %s`, l.Name, blind, moved, p.as.alone(l)))
		p.quiet = append(p.quiet, time.Now())
		execute(p.t, conn, fmt.Sprintf("DELETE FROM %s WHERE status = 'draft' AND id %% 5 = 0 AND %s AND %s", l.Name, blind, p.as.alone(l)))
		p.hideConsultations(conn, l)
		for _, f := range l.Fields {
			if f.Confidential {
				untriggered(p.t, conn, fmt.Sprintf("UPDATE %s SET %s = CASE WHEN id %% 2 = 0 THEN 'secret ' || id END WHERE %s", l.Name, f.Name, blind))
			}
		}
	}
	sites, _ := p.origin.layers.Get("bts_sites")
	execute(p.t, conn, proposalsOf("hidden", fmt.Sprintf("%s AND %s", p.as.blind(sites, "geom"), p.as.alone(sites)), "BCA", 1))
	p.widen(conn)
	owner := map[bool]string{true: "VIETTEL", false: "VNPT"}[p.as.organisation == "VNPT"]
	for _, asker := range []string{"MOBIFONE", "VIETNAMOBILE"} { // of whom no viewer is one
		execute(p.t, conn, shareFor(asker, owner, p.as.blind(sites, "geom"), 1))
	}
	p.quiet = append(p.quiet, time.Now())
	if !p.as.viewer().Administers() {
		execute(p.t, conn, importsOf("key:hidden"))
		execute(p.t, conn, `INSERT INTO import_corrections (import, rows) SELECT id, '{"columns":["hidden"],"rows":[]}' FROM imports WHERE who = 'key:hidden' AND state = 'waiting'`)
		execute(p.t, conn, mappingsOf(p.as.viewer()))
	}
	if !p.as.viewer().Staff() {
		execute(p.t, conn, "INSERT INTO rule_sets (id, version, plan, jurisdiction, valid_from, state, body) VALUES ('hidden', 1, 'x', '11', '2016-01-01', 'draft', '{}')")
		p.quiet = append(p.quiet, time.Now())
	}
	if !p.as.viewer().SeesEverything() {
		p.origin.recordFor(p.t, conn, account.Viewer{Name: "key:hidden", Organisation: "HIDDEN", Grants: []account.Grant{{Role: account.Operator}}})
	}
	if !p.as.viewer().SeesWithheld(hiddenLayer) {
		for _, sql := range layersHidden {
			execute(p.t, conn, sql)
		}
		p.quiet = append(p.quiet, time.Now())
	}
	if areas, _ := p.origin.layers.Get("special_areas"); !p.as.viewer().Sight(areas.Name).Withheld {
		p.withhold(conn)
	}
}

// withhold adds withheld areas, changes one and removes one, within communes that others
// of their kind touch already: they say nothing new, for each acts on whole communes.
func (p *pair) withhold(conn *pgx.Conn) {
	p.t.Helper()
	n := execute(p.t, conn, `INSERT INTO special_areas (code, valid_from, jurisdiction, illustrative, kind, agency, geom)
		SELECT CASE WHEN n % 2 = 0 THEN 'HID-A-' || n ELSE 'TRY-' || n END, '2015-06-01', '11', true, kind, 'BQP', ST_Multi(ST_Buffer(at, 0.0004))
		FROM (SELECT row_number() OVER (ORDER BY c.code, a.kind) AS n, a.kind, c.geom AS commune, ST_PointOnSurface(c.geom) AS at
			FROM communes c JOIN special_areas a ON a.kind IN ('military', 'border_belt') AND ST_Intersects(a.geom, c.geom)) x
		WHERE ST_ContainsProperly(commune, ST_Buffer(at, 0.001)) LIMIT 12`)
	if n < 5 {
		p.t.Fatalf("%d areas are withheld", n)
	}
	p.quiet = append(p.quiet, time.Now())
	execute(p.t, conn, `UPDATE special_areas SET agency = 'BCA', max_height_m = 5, geom = ST_Multi(ST_Buffer(geom, 0.0001)) WHERE code LIKE 'HID-A-%' AND id % 2 = 0`)
	p.quiet = append(p.quiet, time.Now())
	execute(p.t, conn, `DELETE FROM special_areas WHERE code IN (SELECT code FROM special_areas WHERE code LIKE 'HID-A-%' ORDER BY id LIMIT 2)`)
	p.quiet = append(p.quiet, time.Now())
}

// stir changes hidden rows of the second world while it is being asked. Rows that are
// added name their ids: the dice are for what the viewer adds.
func (p *pair) stir() {
	p.t.Helper()
	p.stirLayers()
	l := pick(p.rand, p.stock.drafts)
	p.made++
	row := pgx.Identifier{l.Name}.Sanitize()
	blind, id, unasked := p.as.blind(l, "geom"), int64(1)<<48+p.rand.Int64N(1<<48), p.as.alone(l)
	columns := strings.ReplaceAll(columnsBut(l, "code", ""), ", updated_at", "") + ", geom"
	p.alter(fmt.Sprintf(`INSERT INTO %[1]s (id, code, %[2]s) SELECT $1, 'LATE-' || $2::bigint, %[2]s FROM %[1]s WHERE status = 'draft' AND %[3]s ORDER BY md5(id || $2::text) LIMIT 1`, row, columns, blind), id, p.made)
	p.alter(fmt.Sprintf(`UPDATE %s SET name = 'stirred', geom = geom WHERE id IN (SELECT id FROM %[1]s WHERE status = 'draft' AND %s AND %s ORDER BY md5(id || $1::text) LIMIT 3)`, row, blind, unasked), fmt.Sprint(p.made))
	p.alter(fmt.Sprintf(`DELETE FROM %s WHERE id IN (SELECT id FROM %[1]s WHERE status = 'draft' AND %s AND %s ORDER BY md5(id || $1::text) DESC LIMIT 1)`, row, blind, unasked), fmt.Sprint(p.made))
	p.alter(fmt.Sprintf(`INSERT INTO consultations (id, layer, feature, agency) SELECT $1 + row_number() OVER (), $2, id, 'BNG' FROM %s WHERE %s ORDER BY md5(id || $3::text) LIMIT 3 ON CONFLICT DO NOTHING`, row, p.as.unconcerned(l)), id, l.Name, fmt.Sprint(p.made))
	p.alter("UPDATE consultations SET withdrawn_at = now() WHERE id IN (SELECT id FROM consultations WHERE agency = 'BNG' AND withdrawn_at IS NULL AND answered_at IS NULL AND id % 2 = 0 AND id BETWEEN $1 AND $1 + 3)", id)
	p.quiet = append(p.quiet, time.Now())
}

// stock is what requests are made of: what there is in the two worlds.
type stock struct {
	layers, drafts []*layer.Layer
	of             map[string]*rows
	points         []orb.Point // where something is, hidden things first
	within         []orb.Point // in the territory of the viewer, if he has one
	communes       []string
	consultations  []int64 // of either world
	imports        []int64 // of either world
	mappings       []int64 // of either world
	proposals      []int64 // of either world
	seen           []int64 // proposals that the viewer has to do with
	held           []heldDraft
	verdicts       []string // numbers, of either world
	shares         []string // numbers, of either world
	sites          *layer.Layer
	makers         []string // of changes, in either world
}

// rows are what is known of a layer's rows in either world.
type rows struct {
	ids, hidden []int64 // of all; of those in the second world alone
	within      []int64 // of those in the territory of the viewer
	values      map[string][]string
	published   []published1
}

// published1 is a published row as a client sends one.
type published1 struct {
	id         int64
	properties map[string]any
	geometry   json.RawMessage
}

func readStock(t *testing.T, o *origin, as who, a, b *pgx.Conn) *stock {
	t.Helper()
	s := &stock{layers: o.layers.All(), of: map[string]*rows{}, communes: allOf[string](t, a, "SELECT DISTINCT code FROM communes ORDER BY 1")}
	for _, l := range s.layers {
		if l.HasDrafts() {
			s.drafts = append(s.drafts, l)
		}
		known := map[int64]bool{}
		for _, id := range allOf[int64](t, a, "SELECT id FROM "+l.Name) {
			known[id] = true
		}
		s.of[l.Name] = s.read(t, l, b, known)
		s.of[l.Name].within = allOf[int64](t, a, "SELECT id FROM "+l.Name+" WHERE ST_Covers(hatang_territory($1), geom) ORDER BY id", as.territory)
	}
	s.makers = allOf[string](t, b, "SELECT DISTINCT who FROM history ORDER BY 1")
	s.imports = append(allOf[int64](t, b, "SELECT id FROM imports ORDER BY id"), 1)
	s.mappings = append(allOf[int64](t, b, "SELECT id FROM import_mappings ORDER BY id"), 1)
	s.proposals = allOf[int64](t, b, "SELECT id FROM proposals ORDER BY id")
	s.verdicts = allOf[string](t, b, "SELECT number FROM verdicts ORDER BY recorded_at DESC, number")
	s.shares = allOf[string](t, b, "SELECT number FROM sharing_requests ORDER BY md5(number)")
	s.sites, _ = o.layers.Get("bts_sites")
	s.consultations = allOf[int64](t, b, "SELECT id FROM consultations ORDER BY id")
	at := allOf[float64](t, a, "SELECT unnest(ARRAY[ST_X(p.geom), ST_Y(p.geom)]) FROM ST_Dump(ST_GeneratePoints(hatang_territory($1), 40, 3)) p", as.territory)
	for i := 0; i+1 < len(at); i += 2 {
		s.within = append(s.within, orb.Point{at[i], at[i+1]})
	}
	return s
}

// read reads the rows of a layer in the second world.
func (s *stock) read(t *testing.T, l *layer.Layer, conn *pgx.Conn, known map[int64]bool) *rows {
	t.Helper()
	got, err := conn.Query(t.Context(), "SELECT id, to_jsonb(t) - 'geom', ST_X(ST_Centroid(geom)), ST_Y(ST_Centroid(geom)), CASE WHEN length(ST_AsText(geom)) < 3000 THEN ST_AsGeoJSON(geom, 7) END FROM "+l.Name+" t ORDER BY id DESC")
	if err != nil {
		t.Fatal(err)
	}
	r := &rows{values: map[string][]string{}}
	var row published1
	var geometry *string
	var at orb.Point
	_, err = pgx.ForEachRow(got, []any{&row.id, &row.properties, &at[0], &at[1], &geometry}, func() error {
		r.ids = append(r.ids, row.id)
		hidden := !known[row.id]
		if hidden {
			r.hidden = append(r.hidden, row.id)
		}
		if n := len(r.ids); hidden || n%10 == 0 {
			s.points = append(s.points, at)
		}
		r.value(l, row.properties)
		if !hidden && geometry != nil && row.properties["status"] != layer.Draft && len(r.published) < 200 {
			row.geometry = json.RawMessage(*geometry)
			r.published = append(r.published, row)
		}
		row.properties = nil
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// value notes the values of a row as filters name them.
func (r *rows) value(l *layer.Layer, properties map[string]any) {
	for _, f := range l.Fields {
		v := properties[f.Name]
		list, _ := v.([]any)
		switch {
		case v == nil:
			continue
		case f.Kind == layer.TextList && len(list) > 0:
			v = list[0]
		case f.Kind == layer.Number || f.Kind == layer.Integer:
			v = fmt.Sprintf("%.12g", v)
		}
		if text := fmt.Sprint(v); len(r.values[f.Name]) < 300 {
			r.values[f.Name] = append(r.values[f.Name], text)
		}
	}
}
