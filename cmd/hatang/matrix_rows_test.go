package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// place is where cells work: the rows of one layer, or with a nil layer all else.
type place struct {
	layer   *layer.Layer
	rows    map[string]*row // "published", "draft", "withheld" and "absent"
	victims victims
	image   string // what it held when last looked at
}

// row is a row that cells ask for.
type row struct {
	id   int64
	body string // what it is made of
}

// victims are people, keys and consultations that cells try to change.
type victims struct {
	person, grant   int64
	key, programKey string
	consultation    int64
	imported        int64
	mapping         int64
	proposal        int64
	attachment      int64            // of the agency's answer in it
	unfiled         int64            // a draft that can be filed
	decision        string           // one in the register
	rules           string           // id of a draft of a rule set, of version 1
	sharing         string           // number of a request to share
	notice          int64            // one that could not be delivered
	verdict         string           // one that the operator has had recorded
	features        map[string]int64 // kiosks that agencies are asked about: "draft" and "published"
}

// mark stands in the rows' source, by which they are found.
const mark = "Ma trận"

// codes makes every code new.
var codes atomic.Int64

func newCode() string { return fmt.Sprintf("MT-%d", codes.Add(1)) }

func (pl *place) name() string {
	if pl.layer == nil {
		return ""
	}
	return pl.layer.Name
}

// secret is a text that stands in hidden values and nowhere else.
func (pl *place) secret(of string) string { return "secret-" + of + "-of-" + pl.name() }

// feature writes a valid feature that lies in a district, with the properties given.
func (m *matrix) feature(l *layer.Layer, district string, given map[string]any) string {
	code := newCode()
	properties := map[string]any{"source": mark}
	for _, f := range l.Fields {
		if !f.Required || f.ReadOnly {
			continue
		}
		switch {
		case len(f.Values) > 0 && f.Kind == layer.Integer:
			properties[f.Name] = json.Number(f.Values[0].Code)
		case len(f.Values) > 0:
			properties[f.Name] = f.Values[len(f.Values)-1].Code
		case f.Kind == layer.Boolean:
			properties[f.Name] = false
		default:
			properties[f.Name] = code
		}
	}
	for name, value := range map[string]any{"code": code, "valid_from": "2019-01-01", "jurisdiction": "11", "owner_organisation": "VNPT", "status": "existing"} {
		if l.Has(name) {
			properties[name] = value
		}
	}
	for name, value := range given {
		if l.Has(name) {
			properties[name] = value
		}
	}
	return fmt.Sprintf(`{"type":"Feature","properties":%s,"geometry":%s}`, asJSON(properties), m.geometry(l, district))
}

func asJSON(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// geometry is a small one of the layer's kind in the middle of a district.
func (m *matrix) geometry(l *layer.Layer, district string) string {
	x, y := m.middle[district][0], m.middle[district][1]
	switch {
	case l.Geometry == layer.Point:
		return fmt.Sprintf(`{"type":"Point","coordinates":[%v,%v]}`, x, y)
	case l.HasZ:
		return fmt.Sprintf(`{"type":"MultiLineString","coordinates":[[[%v,%v,1],[%v,%v,2]]]}`, x, y, x+size, y)
	case l.Geometry == layer.MultiLineString:
		return fmt.Sprintf(`{"type":"MultiLineString","coordinates":[[[%v,%v],[%v,%v]]]}`, x, y, x+size, y)
	}
	return fmt.Sprintf(`{"type":"MultiPolygon","coordinates":[[[[%v,%v],[%v,%v],[%v,%v],[%v,%v]]]]}`, x, y, x+size, y, x, y+size, x, y)
}

// size of the lines and areas, degrees.
const size = 0.0005

// given are the properties that make a row what its kind says.
func (pl *place) given(kind string) map[string]any {
	switch kind {
	case "draft":
		secret := pl.secret("draft")
		return map[string]any{"status": layer.Draft, "name": secret, "contact": pl.secret("draft-contact"), "code": secret + newCode()}
	case "rivals-draft":
		return map[string]any{"status": layer.Draft, "owner_organisation": "VIETTEL"}
	case "withheld":
		return map[string]any{pl.layer.WithheldField: pl.layer.WithheldValues[0], "name": pl.secret("withheld"), "code": pl.secret("withheld") + newCode()}
	}
	return map[string]any{"contact": pl.secret("contact")}
}

// renew makes a row anew, whatever has become of it.
func (m *matrix) renew(pl *place, kind string) error {
	if old := pl.rows[kind]; old != nil {
		if _, err := m.owner.Exec(m.ctx, fmt.Sprintf("DELETE FROM %s WHERE id = %d", pl.name(), old.id)); err != nil {
			return err
		}
	}
	body := m.feature(pl.layer, here, pl.given(kind))
	a := send(m.server, http.MethodPost, "/api/v1/collections/"+pl.name()+"/items", body, append(bearer(m.administrator), "Content-Type", "application/geo+json")...)
	if a.status != http.StatusCreated {
		return fmt.Errorf("%s %s: %d %s\n%s", kind, a.request, a.status, a.body, body)
	}
	pl.rows[kind] = &row{id: idIn(a), body: body}
	if kind != "draft" {
		return nil
	}
	_, err := m.owner.Exec(m.ctx, "INSERT INTO consultations (layer, feature, agency) VALUES ($1, $2, $3)", pl.name(), idIn(a), askedAgency)
	return err
}

// newConsultation makes anew what cells answer and withdraw, and ends what they have asked.
func (m *matrix) newConsultation(pl *place) error {
	if pl.victims.features == nil {
		pl.victims.features = map[string]int64{}
		for _, kind := range []string{"draft", "published"} {
			kiosks := m.places["kiosks"]
			given := map[string]any{"source": "beside", "name": "asked " + kind, "status": map[string]string{"draft": layer.Draft, "published": "existing"}[kind]}
			a := send(m.server, http.MethodPost, "/api/v1/collections/kiosks/items", m.feature(kiosks.layer, here, given), append(bearer(m.administrator), "Content-Type", "application/geo+json")...)
			pl.victims.features[kind] = idIn(a)
		}
	}
	if _, err := m.owner.Exec(m.ctx, "UPDATE consultations SET withdrawn_at = now() WHERE layer = 'kiosks' AND feature IN ($1, $2) AND withdrawn_at IS NULL AND answered_at IS NULL",
		pl.victims.features["draft"], pl.victims.features["published"]); err != nil {
		return err
	}
	return m.owner.QueryRow(m.ctx, "INSERT INTO consultations (layer, feature, agency) VALUES ('kiosks', $1, $2) RETURNING id", pl.victims.features["draft"], askedAgency).Scan(&pl.victims.consultation)
}

// newSites makes, once, what cells merge and split: two operators on a site, another beside it.
func (m *matrix) newSites() error {
	_, err := m.owner.Exec(m.ctx, `WITH place AS (SELECT ST_SetSRID(ST_MakePoint($1, $2), 4326) AS at),
		sites AS (INSERT INTO bts_sites (code, valid_from, jurisdiction, status, mast_type, geom) SELECT 'MT-SITE-' || c, '2019-01-01', '11', 'existing', 'A2b', at FROM place, unnest('{A,C}'::text[]) c)
		INSERT INTO operator_positions (code, valid_from, jurisdiction, status, site_code, operator, geom) SELECT 'MT-SITE-' || c, '2019-01-01', '11', 'existing', 'MT-SITE-' || s, o, at
			FROM place, (VALUES ('A', 'A', 'VNPT'), ('B', 'A', 'VIETTEL'), ('C', 'C', 'MOBIFONE')) p (c, s, o)`, m.middle[here][0], m.middle[here][1])
	return err
}

// newImport makes anew what cells cancel, an import of somebody else's, and ends what they
// have kept.
func (m *matrix) newImport(pl *place) error {
	if _, err := m.owner.Exec(m.ctx, "DELETE FROM imports"); err != nil {
		return err
	}
	if err := m.owner.QueryRow(m.ctx, `WITH i AS (INSERT INTO imports (layer, file_name, bytes, sha256, options, who) VALUES ('kiosks', 'x', 0, sha256(''), '{}', 'person:nobody') RETURNING id)
		INSERT INTO import_progress (import) SELECT id FROM i RETURNING import`).Scan(&pl.victims.imported); err != nil {
		return err
	}
	_, err := m.owner.Exec(m.ctx, `INSERT INTO import_corrections (import, rows) VALUES ($1, '{"columns":[],"rows":[]}')`, pl.victims.imported)
	return err
}

// newMapping makes anew what cells change and remove, and removes what they have saved.
func (m *matrix) newMapping(pl *place) error {
	if _, err := m.owner.Exec(m.ctx, "DELETE FROM import_mappings"); err != nil {
		return err
	}
	return m.owner.QueryRow(m.ctx, "INSERT INTO import_mappings (layer, name, reading) VALUES ('kiosks', 'x', '{}') RETURNING id").Scan(&pl.victims.mapping)
}

// newProposal makes anew what cells decide on, and a draft that they file.
func (m *matrix) newProposal(pl *place) error {
	drafts := make([]int64, 2, 3)
	if pl.victims.decision == "" {
		drafts = drafts[:3]
	}
	for i := range drafts {
		body := m.feature(m.places["bts_sites"].layer, here, map[string]any{"source": "beside", "status": layer.Draft})
		a := send(m.server, http.MethodPost, "/api/v1/collections/bts_sites/items", body, append(bearer(m.administrator), "Content-Type", "application/geo+json")...)
		if drafts[i] = idIn(a); a.status != http.StatusCreated {
			return fmt.Errorf("%s: %d %s", a.request, a.status, a.body)
		}
	}
	pl.victims.unfiled = drafts[0]
	operator := account.Viewer{Name: "key:filing", Organisation: "VNPT", Grants: []account.Grant{{Role: account.Operator}}}
	file := func(draft int64) (int64, error) {
		return m.store.FileProposal(m.ctx, operator, permit.NewFile{Title: "x", Verdict: json.RawMessage("{}"), Features: []permit.FiledFeature{{Collection: "bts_sites", ID: draft}}})
	}
	var err error
	if pl.victims.proposal, err = file(drafts[1]); err != nil {
		return err
	}
	staff := account.Viewer{Name: "key:deciding", Grants: []account.Grant{{Role: account.Officer}, {Role: account.Approver}}}
	if _, _, err = m.store.DecideProposal(m.ctx, staff, pl.victims.proposal, permit.Decision{Action: permit.Consult, Agencies: []string{askedAgency}}); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte("x"))
	agency := account.Viewer{Name: "key:answering", Organisation: askedAgency, Grants: []account.Grant{{Role: account.Consulted}}}
	if pl.victims.attachment, err = m.store.AttachFile(m.ctx, agency, pl.victims.proposal, permit.NewAttachment{Name: "x.txt", MediaType: "text/plain", Bytes: 1, SHA256: sum[:], Content: strings.NewReader("x")}); err != nil || pl.victims.decision != "" {
		return err
	}
	refused, err := file(drafts[2])
	if err != nil {
		return err
	}
	if _, _, err = m.store.DecideProposal(m.ctx, staff, refused, permit.Decision{Action: permit.Refuse, Reasons: "x"}); err != nil {
		return err
	}
	return m.owner.QueryRow(m.ctx, "SELECT decision FROM proposals WHERE id = $1", refused).Scan(&pl.victims.decision)
}

// newWebhook makes, where there is none, what cells set and remove.
func (m *matrix) newWebhook(*place) error {
	_, err := m.owner.Exec(m.ctx, "INSERT INTO webhooks (organisation, url, secret) VALUES ('VNPT', 'https://example.vn/', sha256('')) ON CONFLICT (organisation) DO NOTHING")
	return err
}

// newNotice makes anew one of a proposal that could not be delivered, which cells have sent again.
func (m *matrix) newNotice(pl *place) error {
	if err := m.newProposal(pl); err != nil {
		return err
	}
	return m.owner.QueryRow(m.ctx, "INSERT INTO notice_deliveries (notice, organisation, party, state, attempts, ended_at) SELECT max(id), 'VNPT', 'organisation', 'failed', 10, now() FROM notices WHERE proposal = $1 RETURNING id",
		pl.victims.proposal).Scan(&pl.victims.notice)
}

// newSharing makes anew what VIETTEL is asked and cells answer.
func (m *matrix) newSharing(pl *place) error {
	today, at := geo.NewDate(2020, 12, 31), m.middle[here]
	pl.victims.sharing = permit.NewShareNumber(today)
	operator := account.Viewer{Name: "key:sharing", Organisation: "VNPT", Grants: []account.Grant{{Role: account.Operator}}}
	return m.store.AskToShare(m.ctx, operator, permit.NewShare{Number: pl.victims.sharing, Collection: "bts_sites", Point: &[2]float64{at[0], at[1]}, Partners: []string{"VIETTEL"}, Reasons: "x", Today: today})
}

// newRules makes anew the draft of a rule set that cells change, drop and publish.
func (m *matrix) newRules(pl *place) error {
	pl.victims.rules = newCode()
	_, err := m.owner.Exec(m.ctx, "INSERT INTO rule_sets (id, version, plan, jurisdiction, valid_from, state, body) VALUES ($1, 1, 'x', $1, '2030-01-01', 'draft', $2)", pl.victims.rules, rulesOf(pl.victims.rules))
	return err
}

// rulesOf is the smallest rule set.
func rulesOf(id string) string {
	return fmt.Sprintf(`{"format":1,"id":%q,"version":1,"title":{"vi":"x","en":"x"},"valid_from":"2030-01-01","valid_to":null,
		"zone_classes":[{"rule":"Z","title":{"vi":"x","en":"x"},"effect":"binding","clause":"x","source":{"instrument":"x"},"code":"a","mode":"exclusive","allowed":["A1a"]}]}`, id)
}

// newVerdict has, once, a verdict recorded for the operator.
func (m *matrix) newVerdict(pl *place) error {
	if pl.victims.verdict != "" {
		return nil
	}
	recorder := permit.NewRecorder(m.store, m.signer, time.UTC)
	operator := account.Viewer{Name: "key:recording", Organisation: "VNPT", Grants: []account.Grant{{Role: account.Operator}}}
	question := fmt.Sprintf(`{"lon":%v,"lat":%v,"mast_type":"A2b"}`, m.middle[here][0], m.middle[here][1])
	judged, err := recorder.Judge(m.ctx, operator, geo.NewDate(2020, 12, 31), permit.Placement, []json.RawMessage{[]byte(question)})
	if err != nil {
		return err
	}
	sealed, err := recorder.Seal(judged[0], 0, nil)
	if err != nil {
		return err
	}
	pl.victims.verdict = judged[0].Number
	return m.store.RecordVerdict(m.ctx, operator, sealed)
}

// idIn is the id that Location ends in, 0 for none.
func idIn(a answer) (id int64) {
	location := a.header.Get("Location")
	_, _ = fmt.Sscan(location[strings.LastIndexByte(location, '/')+1:], &id) // none is 0
	return id
}

// newPlaces makes the rows of every layer, and those that keep people and keys.
func (m *matrix) newPlaces(t *testing.T) {
	t.Helper()
	m.places = map[string]*place{"": {}}
	for name, staffOnly := range referenceLayers {
		if err := m.publish(name, staffOnly); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range m.store.Layers().Whole().All() {
		pl := &place{layer: l, rows: map[string]*row{"absent": {id: 1<<48 - 1}}}
		m.places[l.Name] = pl
		for _, kind := range []string{"published", "draft", "withheld"} {
			if !applies(kind, l) {
				continue
			}
			if err := m.renew(pl, kind); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(m.newSites(), m.newVictims(m.places[""])); err != nil {
		t.Fatal(err)
	}
}

// applies reports whether a layer can have rows of a kind, or requests for them.
func applies(kind string, l *layer.Layer) bool {
	switch {
	case strings.Contains(kind, "no-drafts"):
		return !l.HasDrafts()
	case strings.Contains(kind, "draft"), kind == "write-absent":
		return l.HasDrafts()
	case strings.Contains(kind, "withheld"):
		return l.WithheldField != ""
	}
	return true
}

// imageSQL is a statement that sums up everything the cells of the place could change.
func (pl *place) imageSQL() string {
	if pl.layer != nil && pl.layer.Reference != nil {
		return fmt.Sprintf(`SELECT (SELECT md5(string_agg(r::text, '' ORDER BY id)) FROM %s r) || (SELECT l::text FROM reference_layers l WHERE name = '%s' AND withdrawn_at IS NULL)`, pl.name(), pl.name())
	}
	if pl.layer != nil {
		return fmt.Sprintf(`SELECT (SELECT count(*) FROM %[1]s WHERE source IS DISTINCT FROM 'beside') || coalesce((SELECT md5(string_agg(r::text, '' ORDER BY id)) FROM %[1]s r WHERE source = '%[2]s'), '')`, pl.name(), mark)
	}
	return fmt.Sprintf(`SELECT md5(concat((SELECT string_agg(r::text, '' ORDER BY id) FROM consultations r WHERE feature IN (%d, %d)), (SELECT string_agg(r::text, '' ORDER BY id) FROM imports r), (SELECT string_agg(r::text, '' ORDER BY id) FROM import_mappings r), (SELECT string_agg(r::text, '' ORDER BY id) FROM proposals r), (SELECT string_agg(r::text, '' ORDER BY id) FROM notice_deliveries r), (SELECT string_agg(r::text, '' ORDER BY number) FROM sharing_requests r), (SELECT string_agg(r::text, '' ORDER BY id, version) FROM rule_sets r), (SELECT count(*) FROM verdicts), (SELECT string_agg(r::text, '' ORDER BY import) FROM import_progress r), (SELECT string_agg(r::text, '' ORDER BY id) FROM people r), (SELECT string_agg(r::text, '' ORDER BY id) FROM grants r),
		(SELECT string_agg(r::text, '' ORDER BY id) FROM api_keys r), (SELECT string_agg(r::text, '' ORDER BY hash) FROM sessions r),
		(SELECT string_agg(name, '' ORDER BY id) FROM reference_layers WHERE name LIKE 'new\_%%' AND withdrawn_at IS NULL),
		(SELECT string_agg(r::text, '' ORDER BY code) FROM organisations r), (SELECT string_agg(r::text, '' ORDER BY position_a, position_b) FROM masts_apart r), (SELECT string_agg(r::text, '' ORDER BY jurisdiction) FROM publications r), (SELECT string_agg(r::text, '') FROM webhooks r), (SELECT string_agg(r::text, '' ORDER BY jurisdiction, day) FROM calendar_days r)))`, pl.victims.features["draft"], pl.victims.features["published"])
}
