package permit_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/postgis"
)

// pen signs by a key in memory.
type pen struct{ private ed25519.PrivateKey }

func newPen(t *testing.T) *pen {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &pen{private}
}

func (p *pen) public() ed25519.PublicKey { return ed25519.PublicKey(p.private[32:]) }

// Sign implements permit.Signer.
func (p *pen) Sign(message []byte) (key string, signature []byte, err error) {
	return permit.KeyID(p.public()), ed25519.Sign(p.private, message), nil
}

// recording is the demonstration with a key in use.
type recording struct {
	*postgis.Store
	*permit.Recorder
	t     *testing.T
	conn  *pgx.Conn
	admin *postgis.Admin
	pen   *pen
}

func newRecording(t *testing.T) *recording {
	t.Helper()
	s, _, conn := demo(t)
	admin, err := postgis.OpenAdmin(t.Context(), conn.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close(context.Background()) })
	r := &recording{Store: s, t: t, conn: conn, admin: admin, pen: newPen(t)}
	r.Recorder = permit.NewRecorder(s, r.pen, time.UTC)
	r.addKey()
	return r
}

func (r *recording) addKey() {
	r.t.Helper()
	if added, err := r.admin.AddSigningKey(r.t.Context(), r.pen.public(), false, "test"); err != nil || !added {
		r.t.Fatalf("%t, %v", added, err)
	}
}

func (r *recording) sql(conn *pgx.Conn, statement string, args ...any) {
	r.t.Helper()
	if _, err := conn.Exec(r.t.Context(), statement, args...); err != nil {
		r.t.Fatalf("%s: %v", statement, err)
	}
}

func (r *recording) another() *pgx.Conn {
	r.t.Helper()
	conn, err := pgx.Connect(r.t.Context(), r.conn.Config().ConnString())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// record judges and keeps, and returns the numbers.
func (r *recording) record(v account.Viewer, kind permit.Kind, questions ...json.RawMessage) (numbers []string) {
	r.t.Helper()
	judged, err := r.Judge(r.t.Context(), v, day(r.t, "2020-12-31"), kind, questions)
	if err != nil {
		r.t.Fatal(err)
	}
	for i, j := range judged {
		if j.Invalid != nil {
			r.t.Fatalf("%s: %v", questions[i], j.Invalid)
		}
		sealed, err := r.Seal(j, 0, nil)
		if err == nil {
			err = r.RecordVerdict(r.t.Context(), v, sealed)
		}
		if err != nil {
			r.t.Fatal(err)
		}
		numbers = append(numbers, j.Number)
	}
	return numbers
}

func (r *recording) kept(v account.Viewer, number string) (permit.Record, permit.RecordBody) {
	r.t.Helper()
	rec, err := r.Verdict(r.t.Context(), v, number)
	if err != nil || !rec.Sees {
		r.t.Fatalf("%s for %s: %t, %v", number, v.Name, rec.Sees, err)
	}
	body, err := rec.Read()
	if err != nil {
		r.t.Fatal(err)
	}
	return rec, body
}

func (r *recording) wrong(number string) string {
	r.t.Helper()
	keys, err := r.SigningKeys(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	rec, err := r.Verdict(r.t.Context(), account.Terminal("test"), number)
	if err != nil {
		r.t.Fatal(err)
	}
	var said []string
	for _, w := range rec.Verify(keys) {
		said = append(said, w.EN)
	}
	return strings.Join(said, "; ")
}

const poles = `{"geometry":{"type":"LineString","coordinates":[[103.0190,21.3914,7],[103.0222,21.3914,7]]},"carrier":"electric_pole","new_project":false,"owner_agreement":true,"date":"2020-06-30"}`

// The year in a number is that of the place, which begins before or after that of UTC.
func TestVerdictsAreNumberedByTheYearOfThePlace(t *testing.T) {
	r := newRecording(t)
	for _, years := range []int{-1, 0, 1} {
		zone := time.FixedZone("", years*366*24*3600)
		judged, err := permit.NewRecorder(r.Store, r.pen, zone).Judge(t.Context(), account.Anonymous(), geo.NewDate(2020, 12, 31), permit.CableKind, []json.RawMessage{[]byte(poles)})
		if err != nil || judged[0].Invalid != nil {
			t.Fatal(judged, err)
		}
		if at := time.Now().In(zone); !strings.HasPrefix(judged[0].Number, fmt.Sprintf("V-%d-", at.Year())) && !strings.HasPrefix(judged[0].Number, fmt.Sprintf("V-%d-", at.Add(-time.Hour).Year())) {
			t.Errorf("at %s: %s", at, judged[0].Number)
		}
	}
}

// Whatever becomes of the register, and whoever was writing while it was recorded, the
// recorded question is answered as it was recorded.
func TestRecordedVerdictsAreMadeAgain(t *testing.T) {
	r := newRecording(t)
	ctx := t.Context()
	vnpt := account.Viewer{Name: "person:lan", Organisation: "VNPT", Grants: []account.Grant{{Role: account.Operator}}}
	here := account.Viewer{Name: "key:here", Grants: []account.Grant{{Role: account.Officer, Territory: "094"}}}
	viewers := []account.Viewer{officer(), vnpt, here}
	r.sql(r.conn, `INSERT INTO bts_sites (code, valid_from, jurisdiction, status, mast_type, owner_organisation, geom) SELECT 'D-' || code, '2019-01-01', '11', 'draft', 'A2b',
		CASE id % 3 WHEN 0 THEN 'VNPT' ELSE 'VIETTEL' END, ST_Translate(geom, 0.0005, 0) FROM bts_sites WHERE id % 2 = 0`)
	var questions []json.RawMessage
	list, _ := checks(t)
	for _, c := range list {
		questions = append(questions, c.raw)
	}
	for _, p := range proposals(t, 25) {
		questions = append(questions, json.RawMessage(fmt.Sprintf(`{"lon":%v,"lat":%v,"mast_type":"A2b","height_m":42,"date":"2020-06-30"}`, p.Point[0], p.Point[1])))
	}

	// Somebody has begun to write, and somebody will have begun before and written after.
	begun, writing := r.another(), r.another()
	r.sql(begun, "BEGIN")
	r.sql(begun, "SELECT now()")
	r.sql(writing, "BEGIN")
	r.sql(writing, "UPDATE bts_sites SET geom = ST_Translate(geom, 0.001, 0) WHERE id % 5 = 0")
	r.sql(writing, "INSERT INTO bts_sites (code, valid_from, jurisdiction, status, mast_type, geom) SELECT 'X-' || code, '2015-01-01', '11', 'existing', 'A2b', ST_Translate(geom, 0, 0.0004) FROM bts_sites WHERE id % 7 = 1 AND status = 'existing'")
	numbers := map[string]account.Viewer{}
	for _, v := range viewers {
		for _, n := range append(r.record(v, permit.Placement, questions...), r.record(v, permit.CableKind, json.RawMessage(poles))...) {
			numbers[n] = v
		}
	}
	ofFirstType := r.recordAsFirst(vnpt, questions[len(questions)-10:])
	r.sql(writing, "COMMIT")
	r.sql(begun, "UPDATE bts_sites SET geom = ST_Translate(geom, 0, 0.001) WHERE id % 5 = 1")
	r.sql(begun, "DELETE FROM bts_sites WHERE id % 11 = 2 AND status = 'draft'")
	r.sql(begun, "COMMIT")
	same := func(when string) (changed map[permit.Kind]int) {
		t.Helper()
		changed = map[permit.Kind]int{}
		for number, v := range numbers {
			rec, body := r.kept(v, number)
			again, err := r.Replay(ctx, rec)
			if err != nil || !again.Same || again.Number != number {
				t.Fatalf("%s, %s for %s: %v\nrecorded %s\nreplayed %s", when, number, v.Name, err, body.Answer, again.Answer)
			}
			today, err := r.Judge(ctx, v, body.Date, body.Kind, []json.RawMessage{body.Question})
			if err != nil {
				t.Fatal(err)
			}
			if stripped(t, today[0].Answer) != stripped(t, body.Answer) {
				changed[body.Kind]++
			}
		}
		return changed
	}
	if changed := same("what was being written is written"); changed[permit.Placement] == 0 {
		t.Error("nothing of what was being written counts now")
	}
	// The check at that time, asked by anybody who sees the same, is the recorded one, too.
	checker := permit.NewChecker(r)
	for number, v := range numbers {
		_, body := r.kept(v, number)
		if body.Kind != permit.Placement || v.Name == here.Name {
			continue
		}
		answer, err := checker.AppendAnswer(ctx, permit.Question{Viewer: v, Date: body.Date, KnownAt: body.KnownAt}, nil, body.Question)
		if is, err2 := permit.SameButMessages(answer, body.Answer); err != nil || err2 != nil || !is {
			t.Fatalf("asked at known_at: %v, %v\nrecorded %s\nasked    %s", err, err2, body.Answer, answer)
		}
	}

	r.sql(r.conn, "DELETE FROM operator_positions WHERE id % 2 = 0")
	r.sql(r.conn, "DELETE FROM bts_sites WHERE status = 'draft' AND id % 3 = 0")
	r.sql(r.conn, "UPDATE bts_sites SET status = 'draft', owner_organisation = 'VIETTEL' WHERE id % 4 = 0 AND status = 'existing'")
	r.sql(r.conn, "UPDATE mast_zones SET geom = ST_Multi(ST_Translate(geom, 0.01, 0.01)), code = code || '-new' WHERE follows_commune IS NULL")
	r.sql(r.conn, "DELETE FROM underground_zones")
	r.sql(r.conn, "UPDATE special_areas SET geom = ST_Multi(ST_Translate(geom, 0.05, 0))")
	r.sql(r.conn, "UPDATE rule_sets SET valid_to = '2020-06-01' WHERE valid_to IS NULL")
	if changed := same("all is another"); changed[permit.Placement] < len(numbers)/2 || changed[permit.CableKind] == 0 {
		t.Errorf("of %d verdicts these are others today: %v", len(numbers), changed)
	} else {
		t.Logf("of %d verdicts these are others today, and made again as they were: %v", len(numbers), changed)
	}
	for _, number := range ofFirstType {
		if rec, _ := r.kept(vnpt, number); r.wrong(number) != "" {
			t.Errorf("%s of the first type: %s", number, r.wrong(number))
		} else if again, err := r.Replay(ctx, rec); err != nil || !again.Same || bytes.Contains(again.Answer, []byte("data_date")) {
			t.Errorf("%s of the first type, made again: %v\nrecorded %s\nreplayed %s", number, err, rec.Body, again.Answer)
		}
	}
	// What differs beside messages is found.
	for number := range numbers {
		rec, body := r.kept(account.Terminal("test"), number)
		body.Answer = bytes.Replace(body.Answer, []byte(`"binding":true`), []byte(`"binding":false`), 1)
		forged, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		rec.Body = forged
		if again, err := r.Replay(ctx, rec); err != nil || again.Same {
			t.Errorf("%s has another finding: %+v, %v", number, again.Same, err)
		}
		break
	}
}

// recordAsFirst records verdicts as they were before drafts counted whatever a rule says, and
// before findings told of when they are. Of some of the places the answer is another now.
func (r *recording) recordAsFirst(v account.Viewer, questions []json.RawMessage) (numbers []string) {
	r.t.Helper()
	ctx, others := r.t.Context(), 0
	judged, err := r.Judge(ctx, v, day(r.t, "2020-12-31"), permit.Placement, questions)
	if err != nil {
		r.t.Fatal(err)
	}
	for i, j := range judged {
		p, err := permit.ParseProposal(questions[i], day(r.t, "2020-12-31"))
		if err != nil {
			r.t.Fatal(err)
		}
		p.Drafts = zoning.DraftsByRule
		then, err := permit.NewChecker(r).CheckAsKnown(ctx, v, []zoning.Proposal{p}, j.KnownAt())
		if err != nil {
			r.t.Fatal(err)
		}
		if bytes.Contains(j.Answer, []byte(`"status":"draft"`)) {
			others++
		}
		first, err := j.OfFirstType(then[0].AppendJSON(nil, permit.DetailFull))
		if err != nil || bytes.Contains(first.Answer, []byte("(draft)")) || bytes.Contains(first.Answer, []byte("recorded_on")) {
			r.t.Fatalf("as of the first type: %v, %s", err, first.Answer)
		}
		sealed, err := r.Seal(first, 0, nil)
		if err == nil {
			err = r.RecordVerdict(ctx, v, sealed)
		}
		if err != nil {
			r.t.Fatal(err)
		}
		numbers = append(numbers, first.Number)
	}
	if others == 0 {
		r.t.Error("no draft is near any of the places")
	}
	return numbers
}

// stripped is an answer without what says when it was given and what the registry said of it.
func stripped(t *testing.T, raw []byte) string {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal(raw, &members); err != nil {
		t.Fatal(err)
	}
	delete(members, "known_at")
	return asJSON(t, members)
}

// A verdict is proved as long as there is its key, whatever keys have come after; what was
// tampered with, or signed by nobody, is found.
func TestRecordedVerdictsAreProved(t *testing.T) {
	r := newRecording(t)
	ctx := t.Context()
	question := json.RawMessage(`{"lon":103.0165,"lat":21.3826,"mast_type":"A2b","height_m":45,"structure":"self_supporting"}`)
	number := r.record(officer(), permit.Placement, question)[0]
	old := *r.pen
	r.pen.private = newPen(t).private
	if _, _, err := r.pen.Sign(nil); err != nil {
		t.Fatal(err)
	}
	judged, err := r.Judge(ctx, officer(), day(t, "2020-12-31"), permit.Placement, []json.RawMessage{question})
	if err != nil {
		t.Fatal(err)
	}
	keep := func(by *pen) error {
		sealed, err := permit.NewRecorder(r.Store, by, time.UTC).Seal(judged[0], 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r.RecordVerdict(ctx, officer(), sealed)
	}
	if err := keep(r.pen); !errors.Is(err, permit.ErrNoSigningKey) {
		t.Errorf("by a key that nobody has put in use: %v", err)
	}
	r.addKey()
	if err := r.admin.EndSigningKeys(ctx, permit.KeyID(r.pen.public()), "test"); err != nil {
		t.Fatal(err)
	}
	if err := keep(&old); !errors.Is(err, permit.ErrNoSigningKey) {
		t.Errorf("by a key that has ended: %v", err)
	}
	if err := keep(r.pen); err != nil {
		t.Error(err)
	}
	if err := keep(r.pen); !errors.Is(err, layer.ErrConflict) {
		t.Errorf("the same number twice: %v", err)
	}
	later := judged[0].Number
	for _, n := range []string{number, later} {
		if w := r.wrong(n); w != "" {
			t.Errorf("%s: %s", n, w)
		}
	}
	keys, err := r.SigningKeys(ctx)
	if err != nil || len(keys) != 2 || !keys[0].Until.IsZero() || keys[1].Until.IsZero() {
		t.Fatalf("%+v, %v", keys, err)
	}

	rec, body := r.kept(officer(), number)
	if !body.Unlocks(strings.ToLower(body.Code)) || body.Unlocks("") || body.Unlocks(number) || body.RuleSet == nil || body.RuleSet.ID != "dien-bien-2016" || len(body.RuleSet.SHA256) != 64 || body.Versions["mast_zones"] == 0 {
		t.Errorf("%+v", body)
	}
	for _, secret := range []string{"key:lan", rec.Kept.Snapshot, "officer"} {
		if bytes.Contains(rec.Body, []byte(secret)) {
			t.Errorf("the body tells %s", secret)
		}
	}
	offline(t, rec, keys)
	tampered(r, number)
	forged(r, judged[0])
}

// offline proves a document by the published keys alone, however it is written.
func offline(t *testing.T, rec permit.Record, keys []permit.SigningKey) {
	t.Helper()
	text, err := json.MarshalIndent(rec.Document(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	published, err := json.Marshal(keys)
	if err != nil {
		t.Fatal(err)
	}
	var read []permit.SigningKey
	if err := json.Unmarshal(published, &read); err != nil {
		t.Fatal(err)
	}
	handed, err := permit.ParseDocument(text)
	if err != nil || len(handed.Verify(read)) != 0 {
		t.Errorf("%v, %v", handed.Verify(read), err)
	}
	if handed, err = permit.ParseDocument(bytes.Replace(text, []byte(`"refused"`), []byte(`"permitted"`), 1)); err != nil || len(handed.Verify(read)) == 0 {
		t.Errorf("permitted instead of refused: %v", err)
	}
	if len(handed.Verify(read[:1])) == 0 || len(handed.Verify(nil)) == 0 {
		t.Error("proved without its key")
	}
	for _, bad := range []string{"", "{}", `{"body":{"a":1,"a":2}}`, `{"body":{},"signature":"?"}`} {
		if _, err := permit.ParseDocument([]byte(bad)); err == nil {
			t.Errorf("%q is a document", bad)
		}
	}
	if err := json.Unmarshal(bytes.Replace(published, []byte(`"x":"`), []byte(`"x":"A`), 1), &read); err == nil {
		t.Error("a key that is not of its thumbprint is taken")
	}
}

// tampered changes a row in every way that the owner of the database could.
func tampered(r *recording, number string) {
	r.t.Helper()
	r.sql(r.conn, "ALTER TABLE verdicts DISABLE TRIGGER keep")
	for change, want := range map[string]string{
		"body = replace(body, '\"verdict\":\"refused\"', '\"verdict\":\"permitted\"'), verdict = 'permitted'": "signature", "body = body || ' '": "signature", "body = '[]'": "form",
		"signature = set_byte(signature, 7, 255 - get_byte(signature, 7))": "signature", "verdict = 'permitted'": "columns", "date = date + 1": "columns", "known_at = known_at + interval '1 second'": "columns",
		"rule_set = NULL": "columns", "asked_by = 'key:other'": "columns", "snapshot = '1:1:'": "columns", "kind = 'cable'": "columns", "basis = replace(basis, 'officer', 'operator')": "basis",
		"recorded_at = recorded_at + interval '1 day'": "in use", "recorded_at = recorded_at - interval '1 day'": "in use", "key = (SELECT id FROM signing_keys WHERE valid_until IS NULL)": "signature",
	} {
		r.sql(r.conn, "CREATE TEMP TABLE before AS SELECT * FROM verdicts")
		r.sql(r.conn, "UPDATE verdicts SET "+change+" WHERE number = $1", number)
		if w := r.wrong(number); !strings.Contains(w, want) {
			r.t.Errorf("%s: %q, want %s", change, w, want)
		}
		r.sql(r.conn, `UPDATE verdicts v SET (body, signature, verdict, date, known_at, rule_set, asked_by, snapshot, kind, basis, recorded_at, key) =
			(b.body, b.signature, b.verdict, b.date, b.known_at, b.rule_set, b.asked_by, b.snapshot, b.kind, b.basis, b.recorded_at, b.key) FROM before b WHERE b.number = v.number`)
		r.sql(r.conn, "DROP TABLE before")
	}
	r.sql(r.conn, "ALTER TABLE verdicts ENABLE TRIGGER keep")
	if w := r.wrong(number); w != "" {
		r.t.Errorf("as it was again: %s", w)
	}
}

// forged is what the serving role, without the private key, can put there.
func forged(r *recording, j permit.Judged) {
	r.t.Helper()
	sealed, err := r.Seal(j, 0, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	const number = "V-2026-F0RG-EDXX-0000"
	body := bytes.Replace(bytes.Replace(sealed.Body, []byte(j.Number), []byte(number), 1), []byte(`"verdict":"refused"`), []byte(`"verdict":"permitted"`), 1)
	app := r.another()
	r.sql(app, "SET ROLE hatang_app")
	r.sql(app, "SELECT set_config('hatang.who', 'key:lan', false)")
	r.sql(app, "INSERT INTO verdicts (body, basis, key, signature) VALUES ($1, $2, $3, $4)", string(body), string(sealed.Basis), sealed.Key, sealed.Signature)
	if w := r.wrong(number); !strings.Contains(w, "signature") {
		r.t.Errorf("a forged verdict: %q", w)
	}
	r.sql(app, "SELECT set_config('hatang.who', 'key:other', false)")
	if _, err := app.Exec(r.t.Context(), "INSERT INTO verdicts (body, basis, key, signature) VALUES ($1, $2, $3, $4)", strings.Replace(string(body), "F0RG", "F0RH", 1), string(sealed.Basis), sealed.Key, sealed.Signature); err == nil {
		r.t.Error("one is recorded in another's name")
	}
}
