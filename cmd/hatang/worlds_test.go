package main

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/postgis"
	"hatang/internal/testdb"
)

// What one may not see cannot be inferred: here two databases that differ in what a
// viewer may not see alone are asked the same, and must answer the same, byte for byte.

// who is a viewer of the tests, who is in every world.
type who struct {
	name         string
	role         account.Role
	organisation string
	territory    string
	layers       []string
	key, token   string // of a program; of a session
}

func everybody() []who {
	return []who{
		{name: "anonymous"},
		{name: "person"},
		{name: "operator VNPT", role: account.Operator, organisation: "VNPT"},
		{name: "operator VIETTEL", role: account.Operator, organisation: "VIETTEL"},
		{name: "operator VNPT on sites", role: account.Operator, organisation: "VNPT", layers: []string{"bts_sites", "operator_positions"}},
		{name: "agency asked", role: account.Consulted, organisation: "SXD"},
		{name: "consulted agency", role: account.Consulted, organisation: "BCHQS"},
		{name: "agency asked about sites", role: account.Consulted, organisation: "SXD", layers: []string{"bts_sites"}},
		{name: "officer of 094", role: account.Officer, territory: "094"},
		{name: "officer of 100", role: account.Officer, territory: "100"},
		{name: "officer of some layers", role: account.Officer, layers: []string{"bts_sites", "postal_points"}},
		{name: "approver of 099", role: account.Approver, territory: "099"},
	}
}

func (w who) viewer() account.Viewer {
	v := account.Viewer{Organisation: w.organisation}
	if w.name != "anonymous" {
		v.Name = "key:" + w.name
	}
	if w.role != "" {
		v.Grants = []account.Grant{{Role: w.role, Layers: w.layers, Territory: w.territory}}
	}
	return v
}

// blind is the condition on rows of a layer under which the drafts among them are
// hidden from the viewer; geom is where such a row lies.
func (w who) blind(l *layer.Layer, geom string) string {
	s := w.viewer().Sight(l.Name)
	if s.All {
		return "false"
	}
	conditions := []string{"true"}
	if s.Organisation != "" {
		conditions = append(conditions, "owner_organisation IS DISTINCT FROM '"+s.Organisation+"'")
	}
	for _, code := range s.Territories {
		conditions = append(conditions, "NOT ST_Intersects(hatang_territory('"+code+"'), "+geom+")")
	}
	return strings.Join(conditions, " AND ")
}

// unasked is the condition on rows of a layer that the viewer is not asked about.
func (w who) unasked(l *layer.Layer) string {
	agency := w.viewer().Consulted(l.Name)
	if agency == "" {
		return "true"
	}
	return fmt.Sprintf("id NOT IN (SELECT feature FROM consultations WHERE layer = '%s' AND agency = '%s' AND withdrawn_at IS NULL AND over_at IS NULL)", l.Name, agency)
}

// alone is the condition on hidden rows of a layer that nothing which the viewer sees hangs on, and
// that are free to be changed: he is not asked about them, and they are in no open proposal.
func (w who) alone(l *layer.Layer) string {
	return fmt.Sprintf("%s AND id NOT IN (SELECT f.feature FROM proposal_features f JOIN proposals o ON o.id = f.proposal WHERE f.layer = '%s' AND hatang_proposal_open(o.state))", w.unasked(l), l.Name)
}

// unconcerned is the condition on rows of a layer about which other agencies may be asked
// without the viewer's having to do with it.
func (w who) unconcerned(l *layer.Layer) string {
	if !w.viewer().Staff() {
		return "true"
	}
	w.organisation = ""
	return w.blind(l, "geom")
}

// headers are those by which a request says who sends it.
func (w who) headers() []string {
	switch {
	case w.key != "":
		return []string{"Authorization", "Bearer " + w.key}
	case w.token != "":
		return []string{"Cookie", "hatang_session=" + w.token, "X-Csrf-Token", account.CSRFToken(w.token)}
	}
	return nil
}

// origin is the database that worlds are copies of.
type origin struct {
	url     string
	layers  *layer.Registry
	viewers []who
	clock   time.Time   // what every world takes for now
	quiet   []time.Time // times when nothing was being written

	// Of controls, nil else: what takes a right away from both worlds, before rows are
	// hidden or after, and the registry of layers that servers have.
	before, after func(*pgx.Conn)
	served        *layer.Registry
	open          func(*http.Request) bool // of these requests everybody is served as an administrator

	administrator who

	key keyFile // by which verdicts are signed; servers of worlds have it, too

	t    *testing.T
	kept map[string]*keptWorlds // by viewer, as they are with no right taken away
}

// newOrigin makes a register with the demonstration, some rows more, and the viewers.
func newOrigin(t *testing.T) *origin {
	t.Helper()
	layers, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	o := &origin{url: demonstration(t), layers: layers, served: layers, viewers: everybody(), clock: time.Now().Add(time.Hour).Truncate(time.Second), t: t, kept: map[string]*keptWorlds{}}
	for _, as := range append(o.viewers, who{}) {
		o.kept[as.name] = &keptWorlds{}
	}
	o.quiet = append(o.quiet, time.Now().Add(-24*time.Hour)) // before there was anything
	o.pause()
	db := o.database(o.url)
	conn := owner(t, o.url)
	for _, sql := range slices.Concat(diceSQL, furtherRows) {
		execute(t, conn, sql)
	}
	for _, l := range layers.All() {
		if l.HasDrafts() {
			execute(t, conn, draftsOf(l, "OWN", "true", 12))
			execute(t, conn, consultationsOf(l))
		}
	}
	execute(t, conn, proposalsOf("x", "true", "SXD", 0))
	execute(t, conn, shareFor("VIETTEL", "VNPT", "true", 0))
	execute(t, conn, shareFor("VNPT", "MOBIFONE", "true", 0))
	execute(t, conn, "INSERT INTO import_mappings (layer, organisation, name, reading) SELECT 'kiosks', o, 'x', '{}' FROM unnest('{VNPT,VIETTEL,NULL}'::text[]) o")
	execute(t, conn, "UPDATE consultations SET answer = 'agreed', note = 'x' WHERE feature % 5 = 1 AND answered_at IS NULL")
	execute(t, conn, "UPDATE consultations SET withdrawn_at = now() WHERE feature % 5 = 2 AND answered_at IS NULL")
	for _, sql := range layersPublished {
		execute(t, conn, sql)
	}
	o.key = keyFile(filepath.Join(t.TempDir(), "key.pem"))
	if err := o.key.ensure(t.Context(), &environment{user: "test"}, db); err != nil {
		t.Fatal(err)
	}
	for _, organisation := range []string{"VNPT", "VIETTEL"} {
		o.recordFor(t, conn, account.Viewer{Name: "key:recording", Organisation: organisation, Grants: []account.Grant{{Role: account.Operator}}})
	}
	o.recordFor(t, conn, account.Holder("key:recording", account.Officer))
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.admit(t)
	o.pause()
	return o
}

func (o *origin) pause() { o.quiet = append(o.quiet, time.Now()) }

func (o *origin) database(url string) *database {
	return &database{ownerURL: url, appURL: url, layers: o.served}
}

// furtherRows are published rows beside those of the demonstration: sites with nobody
// on them, rows of other times, contacts.
var furtherRows = []string{
	`INSERT INTO bts_sites (code, valid_from, owner_organisation, jurisdiction, status, mast_type, structure, height_m, half_width_m, service_radius_m, contact, geom)
		SELECT 'FREE-' || d.code || '-' || p.path[1], '2016-01-01', (ARRAY['VNPT', 'VIETTEL', 'MOBIFONE'])[1 + p.path[1] % 3], '11', 'existing', 'A2b', 'guyed', 20 + p.path[1], 1, 700, 'Số ' || d.code || p.path[1], p.geom
		FROM districts d, ST_Dump(ST_GeneratePoints(d.geom, 6, 7)) p`,
	`INSERT INTO bts_sites (code, valid_from, valid_to, owner_organisation, jurisdiction, status, mast_type, height_m, geom)
		SELECT 'PAST-' || i, make_date(2000 + i, 1, 1), make_date(2003 + i, 1, 1), 'VNPT', '11', 'existing', 'A1a', 9, ST_Translate(geom, 0.001 * i, 0)
		FROM generate_series(1, 12, 3) i, (SELECT geom FROM bts_sites WHERE code = 'FREE-094-1') s`,
	`UPDATE bts_sites SET contact = 'Người trực ' || code WHERE id % 5 = 0`,
	`UPDATE operator_positions SET contact = 'Người trực ' || code WHERE id % 5 = 0`,
}

// admit makes the keys and the session of everybody.
func (o *origin) admit(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	s, err := postgis.Open(ctx, o.url, o.layers)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	o.layers = s.Layers()
	o.administrator = who{name: "administrator", role: account.Administrator}
	all := []*who{&o.administrator}
	for i := range o.viewers {
		all = append(all, &o.viewers[i])
	}
	for _, w := range all {
		switch w.name {
		case "anonymous":
		case "person":
			w.token = account.NewToken()
			id, err := s.AddPerson(ctx, account.Terminal("test"), account.NewPerson{Login: "lan", Name: "Lan"})
			if err == nil {
				err = s.StartSession(ctx, account.NewSession{Person: id, Token: w.token, Address: "192.0.2.1", Expires: o.clock.Add(24 * time.Hour)})
			}
			if err != nil {
				t.Fatal(err)
			}
		default:
			id, key := account.NewKey()
			w.key = key
			k := account.NewKeyRecord{ID: id, Hash: account.Hash(key), Name: w.name, Organisation: w.organisation, Grants: w.viewer().Grants}
			if err := s.AddKey(ctx, account.Terminal("test"), k); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (o *origin) who(name string) who {
	for _, w := range o.viewers {
		if w.name == name {
			return w
		}
	}
	return who{}
}

// world is a copy of the origin, being served by this process: by a server that keeps
// snapshots in memory, and by one whose database makes all answers.
type world struct {
	url        string
	conn       *pgx.Conn // the owner's
	store      *postgis.Store
	memory     inMemory
	warm, cold http.Handler
}

// newWorld copies the origin and serves it. prepare is called before anybody is served.
func (o *origin) newWorld(t *testing.T, prepare func(*pgx.Conn)) *world {
	t.Helper()
	return o.serve(t, o.prepared(t, prepare))
}

// prepared copies the origin, for nobody to be served yet.
func (o *origin) prepared(t *testing.T, prepare func(*pgx.Conn)) string {
	t.Helper()
	return altered(t, testdb.Copy(t, o.url), o.before, prepare, o.after)
}

// altered takes steps in a database, of which some may be nil.
func altered(t *testing.T, url string, steps ...func(*pgx.Conn)) string {
	t.Helper()
	conn := owner(t, url)
	for _, step := range steps {
		if step != nil {
			step(conn)
		}
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return url
}

// serve serves what is in a database.
func (o *origin) serve(t *testing.T, url string) *world {
	t.Helper()
	w := &world{url: url, conn: owner(t, url)}
	var err error
	if w.store, err = postgis.Open(t.Context(), w.url, o.served); err != nil {
		t.Fatal(err)
	}
	w.memory, w.warm = o.server(t, w)
	_, w.cold = o.server(t, w)
	stop := inBackground(context.Background(), w.memory.run)
	t.Cleanup(func() {
		stop()
		w.store.Close()
		_ = w.conn.Close(context.Background()) // the database goes at once
	})
	return w
}

// server assembles a server of the world, whose memory is still empty.
func (o *origin) server(t *testing.T, w *world) (inMemory, http.Handler) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	date := func() geo.Date { return geo.NewDate(2020, 12, 31) }
	memory := keepInMemory(w.store, date, usualRowsBytes, log)
	c := &serveCommand{PublicURL: "https://register.example", now: func() time.Time { return o.clock }}
	handler, err := c.handler(log, w.store, memory, newImports(w.store, date, log), nil, date, time.UTC, o.key)
	if err != nil {
		t.Fatal(err)
	}
	if o.open == nil {
		return memory, handler
	}
	return memory, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if o.open(r) {
			r.Header.Set("Authorization", o.administrator.headers()[1])
		}
		handler.ServeHTTP(w, r)
	})
}

// settle waits until the memory answers for so many classes of viewers by what is in the
// database now.
func (w *world) settle(t *testing.T, classes int) {
	t.Helper()
	now, err := w.store.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	until(t, "fresh snapshots", func() bool {
		fresh := 0
		for _, s := range w.memory.snapshots.Report().Snapshots {
			if s.Fresh && maps.Equal(s.Versions, now.Versions) {
				fresh++
			}
		}
		return fresh >= classes
	})
	until(t, "versions that are the latest", func() bool {
		everything := account.Holder("key:test", account.Administrator)
		latest, err := w.store.LayerVersions(t.Context(), everything)
		if err != nil {
			t.Fatal(err)
		}
		told, err := w.memory.rows.LayerVersions(t.Context(), everything)
		return err == nil && maps.Equal(told, latest)
	})
}

// owner connects as the owner of the schema.
func owner(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func execute(t *testing.T, conn *pgx.Conn, sql string, args ...any) int64 {
	t.Helper()
	tag, err := conn.Exec(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	return tag.RowsAffected()
}

func allOf[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) []T {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	return list
}

// question is a request that both worlds get.
type question struct {
	method, path, body string
	headers            []string
	address            string
	cold               bool // of the server without memory
	etag               bool // with the ETag that the other world gave for the path
}

func (a question) server(w *world) http.Handler {
	if a.cold {
		return w.cold
	}
	return w.warm
}

func (a question) String() string {
	return fmt.Sprintf("%s %s %.600s (memory: %v)", a.method, a.path, a.body, !a.cold)
}

func (a question) reads() bool {
	return a.method == http.MethodGet || a.method == http.MethodHead || strings.Contains(a.path, "-checks")
}

// reaction is everything that a client gets.
type reaction struct {
	status int
	header http.Header
	body   []byte
	cut    bool
}

// send has a server answer. What no two answers have alike is taken out: the id of the
// request, in its header and in problems.
func deliver(h http.Handler, a question, as who, further ...string) (o reaction) {
	r := httptest.NewRequest(a.method, "https://register.example"+a.path, strings.NewReader(a.body))
	r.RemoteAddr = a.address
	for _, headers := range [][]string{as.headers(), a.headers, further} {
		for i := 0; i+1 < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	rec := httptest.NewRecorder()
	defer func() {
		o.cut = recover() != nil
		id := rec.Header().Get("X-Request-Id")
		rec.Header().Del("X-Request-Id")
		o.status, o.header = rec.Code, rec.Header()
		o.body = bytes.ReplaceAll(rec.Body.Bytes(), []byte(id), []byte(strings.Repeat("0", len(id))))
	}()
	h.ServeHTTP(rec, r)
	return o
}

// differs says where two outcomes are not the same, "" where they are.
func (o reaction) differs(p reaction) string {
	switch {
	case o.status != p.status || o.cut != p.cut:
		return fmt.Sprintf("status %d (cut %v) and %d (cut %v)\n%.300s\n%.300s", o.status, o.cut, p.status, p.cut, o.body, p.body)
	case fmt.Sprint(o.header) != fmt.Sprint(p.header):
		return fmt.Sprintf("headers\n%v\n%v\n%s", o.header, p.header, reaction{body: o.body}.differs(reaction{body: p.body}))
	case !bytes.Equal(o.body, p.body):
		at := 0
		for at < len(o.body) && at < len(p.body) && o.body[at] == p.body[at] {
			at++
		}
		part := func(b []byte) []byte { return b[min(max(0, at-120), len(b)):min(at+200, len(b))] }
		return fmt.Sprintf("bodies, at byte %d\n…%s…\n…%s…", at, part(o.body), part(p.body))
	}
	return ""
}

// pair is two worlds that differ in what one viewer may not see.
type pair struct {
	t      *testing.T
	origin *origin
	as     who
	a, b   *world
	stock  *stock
	rand   *rand.Rand
	quiet  []time.Time
	etags  map[string][2]string
	tagged []string // paths of etags, the first one first
	nexts  []string // pages behind pages that were asked for
	steps  []change // all that has been done to the worlds
	made   int      // rows and codes made so far
	// requests are what the history calls the requests that were to change something.
	requests []string
	counts   map[string]int
	live     func() // changes what the viewer does not see, while he asks
	// kept are databases as the worlds were before anything was asked; nil for none.
	kept []string

	onlyWrites bool // of controls
	enough     int  // differences that end a comparison
}

// newPair makes the two worlds for a viewer: the second has rows that the first has not,
// others are changed or gone, and none of them he sees. Both throw the same dice for the
// ids of rows that will be hidden.
func (o *origin) newPair(t *testing.T, as who, random *rand.Rand) *pair {
	t.Helper()
	p := &pair{t: t, origin: o, as: as, rand: random, etags: map[string][2]string{}, counts: map[string]int{}, enough: 4}
	p.live = p.stir
	p.keep()
	p.serveKept()
	p.quiet = append(p.quiet, time.Now())
	p.stock = readStock(t, o, as, p.a.conn, p.b.conn)
	seen, err := p.a.store.Proposals(t.Context(), as.viewer(), permit.FileQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range seen {
		p.stock.seen = append(p.stock.seen, f.ID)
	}
	p.stock.readHeld(t, p.b.conn)
	p.wake()
	p.settle()
	return p
}

// keptWorlds are two databases that differ in what a viewer may not see, and the times when
// nothing was being written to them.
type keptWorlds struct {
	once  sync.Once
	urls  []string
	quiet []time.Time
}

// keep prepares the worlds' databases, or takes those that were prepared for the viewer
// before: to hide rows takes longer than most that is asked of them.
func (p *pair) keep() {
	p.t.Helper()
	o, t, kept, plain := p.origin, p.origin.t, p.origin.kept[p.as.name], p.origin.kept[""]
	if o.before != nil {
		t, kept, plain = p.t, &keptWorlds{}, &keptWorlds{}
	}
	plain.once.Do(func() { plain.urls = []string{altered(p.t, testdb.Copy(t, o.url), o.before, p.sameDice)} })
	kept.once.Do(func() {
		p.quiet = slices.Clone(o.quiet)
		kept.urls = append(slices.Clone(plain.urls), altered(p.t, testdb.Copy(t, o.url), o.before, p.hide, p.sameDice))
		kept.quiet = p.quiet
	})
	if len(kept.urls) != 2 {
		p.t.Fatal("the worlds of this viewer could not be made before")
	}
	p.kept, p.quiet = kept.urls, slices.Clone(kept.quiet)
}

// wake has both memories answer for the viewer, too.
func (p *pair) wake() {
	for _, w := range []*world{p.a, p.b} {
		deliver(w.warm, question{method: "POST", path: "/api/v1/placement-checks", body: `{"lon":103,"lat":21.4,"mast_type":"A2b"}`, headers: jsonBody, address: "192.0.2.9:1"}, p.as)
	}
}

var jsonBody = []string{"Content-Type", "application/json"}

// settle waits until both memories answer for the viewer.
func (p *pair) settle() {
	p.t.Helper()
	classes := 2
	if p.as.name == "anonymous" {
		classes = 1
	}
	p.a.settle(p.t, classes)
	p.b.settle(p.t, classes)
}

// sameDiceSQL makes of chance and of time what is the same in both worlds.
func (*pair) sameDiceSQL() []string {
	return []string{
		`CREATE SEQUENCE ticks`,
		`CREATE FUNCTION tick() RETURNS timestamptz LANGUAGE sql STABLE SECURITY DEFINER AS $$ SELECT to_timestamp(last_value / 1e6) FROM public.ticks $$`,
		`CREATE FUNCTION tick_request() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER AS $$ SELECT 'request-' || last_value FROM public.ticks $$`,
		`DO $$ DECLARE c record; BEGIN
			FOR c IN SELECT d.adrelid::regclass AS of, a.attname AS name FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
				WHERE pg_get_expr(d.adbin, d.adrelid) = 'now()' AND d.adrelid::regclass::text <> 'layer_versions' LOOP
				EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT tick()', c.of, c.name);
			END LOOP;
			FOR c IN SELECT pg_get_functiondef(oid) AS body FROM pg_proc WHERE prosrc ~ 'NEW\.\w+ := (clock_timestamp|now)\(\)' LOOP
				EXECUTE regexp_replace(c.body, '(NEW\.\w+ := )(clock_timestamp|now)\(\)', '\1public.tick()', 'g');
			END LOOP;
		END $$`,
		`ALTER TABLE history ALTER COLUMN request SET DEFAULT tick_request()`,
		// Beyond what any was thrown before.
		`SELECT setval('dice', 1000000)`,
	}
}

// diceSQL has the ids of hidden rows thrown by dice that fall alike whenever they are thrown.
var diceSQL = []string{
	`CREATE SEQUENCE dice`, `GRANT USAGE ON SEQUENCE dice TO hatang_app`,
	`CREATE OR REPLACE FUNCTION hatang_identify_hidden() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			NEW.id := (1::bigint << 48) + ('x' || left(md5('dice' || nextval('dice')), 12))::bit(48)::bigint;
			RETURN NEW;
		END $$`,
}

func (p *pair) sameDice(conn *pgx.Conn) {
	for _, sql := range p.sameDiceSQL() {
		execute(p.t, conn, sql)
	}
}

// both sends a request to both worlds and returns how the answers differ.
func (p *pair) both(a question) string {
	p.t.Helper()
	var got [2]reaction
	var work sync.WaitGroup
	known := p.etags[a.path]
	if !a.reads() {
		p.steps = append(p.steps, change{question: a, at: p.tick()})
	}
	for i, w := range []*world{p.a, p.b} {
		work.Go(func() {
			var further []string
			if a.etag {
				further = []string{"If-None-Match", known[1-i]}
			}
			got[i] = deliver(a.server(w), a, p.as, further...)
		})
	}
	work.Wait()
	p.counts[a.method]++
	p.counts[strconv.Itoa(got[0].status)]++
	if strings.HasPrefix(a.path, "/api/v1/keys") {
		mapKeys(&got[0], &got[1])
	}
	if strings.HasPrefix(a.path, "/api/v1/proposals") {
		p.mapVerdicts(&got[0], &got[1])
	}
	if tag := got[0].header.Get("ETag"); a.method == http.MethodGet && tag != "" {
		if _, known := p.etags[a.path]; !known {
			p.tagged = append(p.tagged, a.path)
		}
		p.etags[a.path] = [2]string{tag, got[1].header.Get("ETag")}
	}
	if next := nextPage.FindSubmatch(got[0].body); next != nil && len(p.nexts) < 500 {
		p.nexts = append(p.nexts, path(string(next[1])))
	}
	if !a.reads() {
		p.quiet = append(p.quiet, time.Now())
		if got[0].status < 300 && a.cold {
			p.settle() // through the other server it may take a second, in each world another time
		}
	}
	if d := got[0].differs(got[1]); d != "" {
		return fmt.Sprintf("%s\nasked by %s: %s", a, p.as.name, d)
	}
	return ""
}

// nextPage finds the link to the next page.
var nextPage = regexp.MustCompile(`"href":"([^"]*)","rel":"next"`)

// tick sets the time that both worlds record what is done next at, and returns it.
func (p *pair) tick() int64 {
	p.t.Helper()
	now := time.Now().UnixMicro()
	p.setTime(now)
	p.requests = append(p.requests, fmt.Sprint("request-", now))
	return now
}

func (p *pair) setTime(at int64) {
	p.t.Helper()
	for _, w := range []*world{p.a, p.b} {
		execute(p.t, w.conn, "SELECT setval('ticks', $1)", at)
	}
}

// untriggered runs a statement past all triggers.
func untriggered(t *testing.T, conn *pgx.Conn, sql string, args ...any) int64 {
	t.Helper()
	execute(t, conn, "SET session_replication_role = replica")
	n := execute(t, conn, sql, args...)
	execute(t, conn, "SET session_replication_role = origin")
	return n
}

// compare asks both worlds n requests and returns where they differ, the first time with what
// had to be done before.
func (p *pair) compare(n int) (differences []string) {
	p.t.Helper()
	const block = 250
	for i := range n {
		if i%block == block/2 {
			p.live()
			p.settle()
		}
		writes := i%block > block-25
		q := p.next(writes)
		if d := p.both(q); d != "" {
			if len(differences) == 0 && p.kept != nil {
				d += p.shorten(q)
			}
			if differences = append(differences, d); len(differences) >= p.enough {
				return differences
			}
		}
	}
	return differences
}

// seed is where the random of a test begins: HATANG_SEED, else anywhere. What it leads to is
// the test's own, whichever others run before it.
func seed(t *testing.T) *rand.Rand {
	t.Helper()
	n := rand.Uint64() >> 1
	if given, err := strconv.ParseUint(os.Getenv("HATANG_SEED"), 10, 64); err == nil {
		n = given
	}
	t.Logf("HATANG_SEED=%d", n)
	name := fnv.New64a()
	_, _ = name.Write([]byte(t.Name())) // never fails
	return rand.New(rand.NewPCG(n, name.Sum64()))
}

// TestWorlds asks for each kind of viewer whether he can tell two worlds apart that
// differ in what he may not see; and shows that it would find where he can.
func TestWorlds(t *testing.T) {
	o := newOrigin(t)
	t.Run("viewers", func(t *testing.T) { compareWorlds(t, o, 2000, 500) })
	t.Run("cases", func(t *testing.T) { worldsCases(t, o) })
	t.Run("controls", func(t *testing.T) { worldsControls(t, o) })
	t.Run("caches", func(t *testing.T) { compareCaches(t, o, 300) })
	t.Run("classes", func(t *testing.T) { cachesByClass(t, o) })
}

// compareWorlds asks both worlds of one viewer of each role so many requests, and so many of
// each further viewer of it.
func compareWorlds(t *testing.T, o *origin, requests, further int) {
	asked := map[account.Role]bool{}
	for _, as := range o.viewers {
		requests := requests
		if asked[as.role] {
			requests = further
		}
		asked[as.role] = true
		t.Run(as.name, func(t *testing.T) {
			t.Parallel() // much of the time is spent waiting for memories to be fresh
			p := o.newPair(t, as, seed(t))
			for _, d := range slices.Concat(p.compare(requests), p.tryProposals(), p.tryHeld()) {
				t.Error(d)
			}
			memory := p.a.memory.snapshots.Report()
			t.Logf("%d requests, %d proposals seen, %d drafts held by others: %v; checks from memory %d, from the database %d", requests, len(p.stock.seen), len(p.stock.held), p.counts, memory.FromMemory, memory.FromDatabase)
			if memory.FromMemory == 0 || memory.FromDatabase == 0 {
				t.Error("not all ways to an answer were taken")
			}
		})
	}
}
