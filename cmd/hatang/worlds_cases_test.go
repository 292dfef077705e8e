package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"hatang/internal/account"
)

// worldsCases are what can be tried to learn of what is hidden, one try a test.
func worldsCases(t *testing.T, o *origin) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *origin)
	}{
		{"probes round a rival's draft find nothing", trilateration},
		{"no count moves", countsStay},
		{"no tag, version or time moves", tagsStay},
		{"ids of published rows tell nothing", idsTellNothing},
		{"what an agency is asked about it alone is told", consultationsTellOthersNothing},
		{"a hidden draft keeps no site in place", sitesAreFree},
		{"sites of a province that hides them might as well not be", func(t *testing.T, o *origin) { hiddenSites(t, o, 400) }},
		{"sites of a province that rounds them might stand anywhere in their cells", func(t *testing.T, o *origin) { roundedSites(t, o, 400) }},
		{"a replay shows a site as its province does now", replaysHide},
		{"a replay does not show what is a draft now", replaysHideDrafts},
		{"the past of what becomes a draft is told to those who see the draft", draftsTakeTheirPast},
		{"a cache's old answer is not good for other settings", oldTags},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, o)
		})
	}
}

// at is where the cases put what is hidden: in the district 094.
var at = orb.Point{103.0137, 21.3921}

// besideAt is where a mast at that place is too near.
var besideAt = orb.Point{at[0] + 0.0005, at[1]}

func get(path string, headers ...string) question {
	return question{method: http.MethodGet, path: path, headers: headers, address: "192.0.2.7:1"}
}

func check(p orb.Point, query string) question {
	return question{method: http.MethodPost, path: "/api/v1/placement-checks" + query, headers: jsonBody, address: "192.0.2.7:1",
		body: fmt.Sprintf(`{"lon":%f,"lat":%f,"mast_type":"A2b","height_m":40}`, p[0], p[1])}
}

// do has somebody do something in a world, which must succeed.
func (w *world) do(t *testing.T, as who, method, path, body string) reaction {
	t.Helper()
	got := deliver(w.warm, question{method: method, path: path, body: body, headers: []string{"Content-Type", "application/geo+json"}, address: "192.0.2.8:1"}, as)
	if got.status >= 300 {
		t.Fatalf("%s %s by %s: %d %s", method, path, as.name, got.status, got.body)
	}
	return got
}

func site(code, status, organisation string, p orb.Point) string {
	return fmt.Sprintf(`{"type":"Feature","properties":{"code":%q,"valid_from":"2016-01-01","jurisdiction":"11","status":%q,"owner_organisation":%q,"mast_type":"A2b","height_m":42,"half_width_m":2,"service_radius_m":5000},
		"geometry":{"type":"Point","coordinates":[%f,%f]}}`, code, status, organisation, p[0], p[1])
}

func position(code, status, organisation, on string, p orb.Point) string {
	return fmt.Sprintf(`{"type":"Feature","properties":{"code":%q,"valid_from":"2016-01-01","jurisdiction":"11","status":%q,"owner_organisation":%q,"site_code":%q,"operator":%[3]q},
		"geometry":{"type":"Point","coordinates":[%[5]f,%[6]f]}}`, code, status, organisation, on, p[0], p[1])
}

const sitesPath, positionsPath = "/api/v1/collections/bts_sites/items", "/api/v1/collections/operator_positions/items"

// rivals are those who see no draft of VNPT's in the district 094.
func (o *origin) rivals() []who {
	var list []who
	for _, name := range []string{"anonymous", "person", "operator VIETTEL", "consulted agency", "agency asked", "officer of 100", "approver of 099"} {
		list = append(list, o.who(name))
	}
	return list
}

// look asks everybody the same, when the memory knows the latest of everybody.
func look(t *testing.T, w *world, everyone []who, asked []question) map[string][]reaction {
	t.Helper()
	for _, as := range everyone {
		deliver(w.warm, check(at, ""), as)
	}
	w.settle(t, len(everyone))
	got := map[string][]reaction{}
	for _, as := range everyone {
		for _, q := range asked {
			got[as.name] = append(got[as.name], deliver(w.warm, q, as))
			if q.method == http.MethodPost { // what memory answers, the database answers too
				got[as.name] = append(got[as.name], deliver(w.cold, q, as))
			}
		}
	}
	return got
}

// unmoved asks everybody the same before and after each thing that an operator does with
// his drafts. The rivals must get the same, the operator something else.
func unmoved(t *testing.T, o *origin, rivals []who, questions func(w *world) []question) {
	t.Helper()
	w := o.newWorld(t, nil)
	vnpt := o.who("operator VNPT")
	everyone := append(slices.Clone(rivals), vnpt)
	asked := questions(w)
	look := func() map[string][]reaction { t.Helper(); return look(t, w, everyone, asked) }
	var draft, on string
	before := look()
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"a draft is added", func() {
			draft = path(w.do(t, vnpt, "POST", sitesPath, site("FREE-094-2", "draft", "VNPT", at)).header.Get("Location"))
			on = path(w.do(t, vnpt, "POST", positionsPath, position("HID-P", "draft", "VNPT", "FREE-094-1", at)).header.Get("Location"))
		}},
		{"it is edited", func() {
			w.do(t, vnpt, "PATCH", draft, `{"properties":{"height_m":12,"code":"X"},"geometry":{"type":"Point","coordinates":[103.0140,21.3923]}}`)
			w.do(t, vnpt, "PATCH", on, `{"properties":{"site_code":"FREE-094-3"}}`)
		}},
		{"it is deleted", func() { w.do(t, vnpt, "DELETE", draft, ""); w.do(t, vnpt, "DELETE", on, "") }},
	} {
		step.do()
		after := look()
		for _, as := range rivals {
			for i, was := range before[as.name] {
				if d := after[as.name][i].differs(was); d != "" {
					t.Errorf("%s, and %s is told (answer %d): %s", step.name, as.name, i, d)
				}
			}
		}
		if step.name == "it is deleted" {
			continue
		}
		same := true
		for i, was := range before[vnpt.name] {
			same = same && after[vnpt.name][i].differs(was) == ""
		}
		if same {
			t.Errorf("%s, and its owner is not told: the questions are none", step.name)
		}
	}
}

// consultationsTellOthersNothing has an agency asked about a draft: it is told all that the
// draft's owner is, others nothing, not even the owner.
func consultationsTellOthersNothing(t *testing.T, o *origin) {
	w := o.newWorld(t, nil)
	vnpt, officer, agency := o.who("operator VNPT"), o.who("officer of 094"), o.who("agency asked")
	draft := path(w.do(t, vnpt, "POST", sitesPath, site("HID-S", "draft", "VNPT", at)).header.Get("Location"))
	id := draft[strings.LastIndexByte(draft, '/')+1:]
	w.do(t, vnpt, "PATCH", draft, `{"properties":{"contact":"HID call"}}`)
	everyone := append(o.rivals(), vnpt)
	asked := []question{get(draft), get(sitesPath + "?limit=1"), get(sitesPath + "?code=HID-S"), get(sitesPath + "?bbox=103.01,21.39,103.02,21.4&limit=1"), get("/api/v1/collections/bts_sites"), get("/api/v1/collections"),
		get("/api/v1/districts/094/indicators"), get("/api/v1/provinces/11/sharing-clusters?within_m=3000"), get("/api/v1/collections/bts_sites/tiles/WebMercatorQuad/12/1798/3220"), get(consultationsPath), check(besideAt, ""), check(besideAt, "?detail=findings")}
	const rowsEnd, consultationsAt, checksAt = 4, 9, 10 // the first show the row, so do the last
	before := look(t, w, everyone, asked)
	var consultation string
	for _, step := range []struct {
		name string
		do   func()
		sees bool // the agency
	}{
		{"asked", func() {
			consultation = path(w.consult(t, officer, "POST", consultationsPath, `{"collection":"bts_sites","feature":`+id+`,"agency":"SXD"}`).header.Get("Location"))
		}, true},
		{"withdrawn", func() { w.consult(t, officer, "PATCH", consultation, `{"state":"withdrawn"}`) }, false},
		{"asked again", func() {
			consultation = path(w.consult(t, officer, "POST", consultationsPath, `{"collection":"bts_sites","feature":`+id+`,"agency":"SXD"}`).header.Get("Location"))
		}, true},
		{"answered", func() { w.consult(t, agency, "PATCH", consultation, `{"answer":"objected","note":"x"}`) }, true},
	} {
		step.do()
		for _, server := range []http.Handler{w.warm, w.cold} { // at once
			if got := deliver(server, asked[0], agency); (got.status == http.StatusOK) != step.sees || bytes.Contains(got.body, []byte("HID call")) {
				t.Errorf("%s, and the agency gets %d %s", step.name, got.status, got.body)
			}
		}
		after := look(t, w, everyone, asked)
		for _, as := range everyone {
			for i, was := range before[as.name] {
				now := after[as.name][i]
				switch d := now.differs(was); {
				case as.name == agency.name && i == consultationsAt && d == "":
					t.Errorf("%s, and it does not stand in the agency's list", step.name)
				case as.name != agency.name && d != "":
					t.Errorf("%s, and %s is told (answer %d): %s", step.name, as.name, i, d)
				case as.name == agency.name && i < rowsEnd && bytes.Equal(now.body, was.body) == step.sees:
					t.Errorf("%s, and the agency is told (answer %d, differs: %v): %.300s", step.name, i, !step.sees, now.body)
				case as.name == agency.name && i >= checksAt && bytes.Contains(now.body, []byte("HID-S")) != step.sees:
					t.Errorf("%s, and a check (answer %d) tells the agency of the draft: %v", step.name, i, !step.sees)
				}
			}
		}
	}
}

// consult has somebody do something about a consultation, which must succeed.
func (w *world) consult(t *testing.T, as who, method, path, body string) reaction {
	t.Helper()
	got := deliver(w.warm, question{method: method, path: path, body: body, headers: jsonBody, address: "192.0.2.8:1"}, as)
	if got.status >= 300 {
		t.Fatalf("%s %s by %s: %d %s", method, path, as.name, got.status, got.body)
	}
	return got
}

// path is the path of an address of the server's.
func path(address string) string { return strings.TrimPrefix(address, "https://register.example") }

func trilateration(t *testing.T, o *origin) {
	unmoved(t, o, o.rivals(), func(*world) []question {
		var list []question
		for _, d := range []orb.Point{{0, 0}, {0.001, 0}, {0, 0.001}, {-0.0007, -0.0007}} {
			for _, query := range []string{"", "?detail=findings", "?detail=verdict", "?nearest_within_m=2000"} {
				list = append(list, check(orb.Point{at[0] + d[0], at[1] + d[1]}, query))
			}
		}
		return list
	})
}

func countsStay(t *testing.T, o *origin) {
	some := []who{o.who("anonymous"), o.who("operator VIETTEL")}
	unmoved(t, o, some, func(w *world) []question {
		commune := allOf[string](t, w.conn, "SELECT code FROM communes WHERE ST_Intersects(geom, ST_SetSRID(ST_MakePoint($1, $2), 4326))", at[0], at[1])[0]
		list := []question{get("/api/v1/provinces/11/indicators"), get("/api/v1/plan/reconciliation"), get("/api/v1/provinces/11/sharing-clusters?within_m=3000"),
			get(sitesPath + "?limit=1"), get(positionsPath + "?limit=1"), get(sitesPath + "?status=draft"), get(sitesPath + "?code=FREE-094-2&datetime=../..&limit=1"),
			get(sitesPath + "?bbox=103.01,21.39,103.02,21.4&limit=1"), get(positionsPath + "?site_code=FREE-094-1"), get(sitesPath + "?limit=1&after=281474976710655")}
		for _, unit := range []string{"districts/094", "communes/" + commune} {
			for _, of := range []string{"indicators", "uncovered", "uncovered?operator=VNPT", "uncovered?stage=with_planned", "sharing-clusters", "sharing-clusters?within_m=3000&stage=with_planned"} {
				list = append(list, get("/api/v1/"+unit+"/"+of))
			}
		}
		return list
	})
}

func tagsStay(t *testing.T, o *origin) {
	unmoved(t, o, o.rivals(), func(w *world) []question {
		list := []question{get("/api/v1/collections"), get("/api/v1/collections/bts_sites"), get("/api/v1/collections/operator_positions"), get("/api/v1"),
			get(sitesPath), get(positionsPath + "?limit=3"), check(at, "?detail=verdict"), get("/api/v1/districts/094/indicators")}
		for _, id := range allOf[int64](t, w.conn, "SELECT id FROM bts_sites WHERE code IN ('FREE-094-1', 'FREE-094-2', 'FREE-094-3') AND status <> 'draft' ORDER BY id") {
			list = append(list, get(fmt.Sprint(sitesPath, "/", id)))
		}
		for _, as := range o.rivals() {
			for _, q := range list[:6] {
				if tag := deliver(w.warm, q, as).header.Get("ETag"); tag != "" {
					list = append(list, get(q.path, "If-None-Match", tag))
				}
			}
		}
		return list
	})
}

// idsTellNothing publishes rows in a world where others were hidden before and in one
// where none were.
func idsTellNothing(t *testing.T, o *origin) {
	a, b := o.newWorld(t, nil), o.newWorld(t, nil)
	vnpt, some := o.who("operator VNPT"), o.who("officer of some layers")
	for i := range 5 {
		b.do(t, vnpt, "POST", sitesPath, site(fmt.Sprint("HID-", i), "draft", "VNPT", at))
		b.do(t, vnpt, "POST", positionsPath, position(fmt.Sprint("HID-", i), "draft", "VNPT", "FREE-094-1", at))
	}
	execute(t, b.conn, `INSERT INTO special_areas (code, valid_from, jurisdiction, illustrative, kind, geom) SELECT 'HID', '2016-01-01', '11', true, 'military', geom FROM special_areas WHERE code = 'KV-QS-1'`)
	for i := range 3 {
		body := site(fmt.Sprint("HID-", i), "existing", "VNPT", at)
		if got, want := b.do(t, some, "POST", sitesPath, body), a.do(t, some, "POST", sitesPath, body); got.differs(want) != "" {
			t.Errorf("a site: %s", got.differs(want))
		}
		for _, sql := range []string{
			`INSERT INTO operator_positions (code, valid_from, jurisdiction, status, site_code, operator, geom) SELECT 'HID-%d', '2016-01-01', '11', 'existing', code, 'VNPT', geom FROM bts_sites WHERE code = 'FREE-094-4' AND status <> 'draft' LIMIT 1 RETURNING id`,
			`INSERT INTO special_areas (code, valid_from, jurisdiction, illustrative, kind, geom) SELECT 'NEW-%d', '2016-01-01', '11', true, 'support_area', geom FROM special_areas WHERE code = 'KV-HT-1' RETURNING id`,
		} {
			sql = fmt.Sprintf(sql, i)
			sql = strings.ReplaceAll(sql, "'VNPT'", fmt.Sprintf("'OP%d'", i))
			if got, want := allOf[int64](t, b.conn, sql), allOf[int64](t, a.conn, sql); len(got) != 1 || got[0] != want[0] {
				t.Errorf("ids %d and %d after %s", got, want, sql)
			}
		}
	}
}

// sitesAreFree removes and renames sites on which there is nobody but drafts that the
// officer does not see.
func sitesAreFree(t *testing.T, o *origin) {
	w := o.newWorld(t, nil)
	vnpt, officer := o.who("operator VNPT"), o.who("officer of 094")
	far := allOf[float64](t, w.conn, "SELECT unnest(ARRAY[ST_X(p), ST_Y(p)]) FROM (SELECT ST_PointOnSurface(geom) AS p FROM districts WHERE code = '100') d")
	for i := range 2 {
		code := fmt.Sprint("FREE-094-", i+1)
		w.do(t, vnpt, "POST", positionsPath, position(code, "draft", "VNPT", code, orb.Point{far[0], far[1]}))
		if found := deliver(w.warm, get(positionsPath+"?site_code="+code), officer); !bytes.Contains(found.body, []byte(`"numberMatched":0`)) {
			t.Fatalf("the officer sees the draft: %s", found.body)
		}
		id := allOf[int64](t, w.conn, "SELECT id FROM bts_sites WHERE code = $1 AND status <> 'draft'", code)[0]
		if i == 0 {
			w.do(t, officer, "PATCH", fmt.Sprint(sitesPath, "/", id), `{"properties":{"code":"RENAMED"}}`)
		}
		w.do(t, officer, "DELETE", fmt.Sprint(sitesPath, "/", id), "")
	}
}

// hiddenSites compares a register whose province hides its sites with one that has none.
// There is no declared difference, not of indicators either: they count what the public
// is shown.
func hiddenSites(t *testing.T, o *origin, requests int) {
	p := publicPair(t, o, `INSERT INTO publications (jurisdiction, exactness) VALUES ('11', 'hidden')`,
		nil, func(conn *pgx.Conn) {
			for _, l := range []string{"bts_sites", "operator_positions"} {
				untriggered(t, conn, "DELETE FROM "+l+" WHERE jurisdiction = '11'")
				untriggered(t, conn, "DELETE FROM history WHERE layer = $1 AND feature_id NOT IN (SELECT id FROM "+l+")", l)
			}
		})
	sites, _ := o.layers.Get("bts_sites")
	free := p.as.alone(sites)
	// The first world's sites go on changing.
	p.live = func() {
		p.made++
		execute(t, p.a.conn, "UPDATE bts_sites SET height_m = 30, geom = ST_Translate(geom, 0.01, 0) WHERE jurisdiction = '11' AND id % 7 = $1 AND "+free, p.made%7)
		execute(t, p.a.conn, `INSERT INTO bts_sites (code, valid_from, jurisdiction, status, mast_type, geom) SELECT 'LATER-' || $1::int, '2016-01-01', '11', 'existing', 'A1a', geom FROM bts_sites WHERE jurisdiction = '11' LIMIT 1`, p.made)
		execute(t, p.a.conn, "DELETE FROM operator_positions WHERE jurisdiction = '11' AND id = (SELECT max(id) FROM operator_positions WHERE jurisdiction = '11')")
		p.quiet = append(p.quiet, time.Now())
	}
	for _, d := range p.compare(requests) {
		t.Error(d)
	}
	const further = `INSERT INTO bts_sites (code, valid_from, jurisdiction, status, mast_type, geom) VALUES ('AFTER', '2016-01-01', '12', 'existing', 'A1a', 'SRID=4326;POINT(103.2 22.4)') RETURNING id`
	if got, want := allOf[int64](t, p.a.conn, further), allOf[int64](t, p.b.conn, further); got[0] != want[0] {
		t.Errorf("the id of a published site is %d behind hidden ones, %d without", got[0], want[0])
	}
}

// publicPair makes two worlds whose difference the settings of publication hide from the
// public; '12' is a province beside that publishes all.
func publicPair(t *testing.T, o *origin, setting string, a, b func(*pgx.Conn)) *pair {
	t.Helper()
	with := *o
	with.before = func(conn *pgx.Conn) {
		execute(t, conn, `INSERT INTO bts_sites (code, valid_from, jurisdiction, status, mast_type, height_m, service_radius_m, updated_at, geom)
			SELECT 'OTHER-' || id, '2016-01-01', '12', 'existing', mast_type, 20, 900, '2020-05-05', ST_Translate(geom, 0.02, 0.01) FROM bts_sites WHERE jurisdiction = '11' AND status <> 'draft' AND id % 20 = 0`)
		execute(t, conn, setting)
	}
	p := &pair{t: t, origin: &with, as: o.who("anonymous"), rand: seed(t), etags: map[string][2]string{}, counts: map[string]int{}, enough: 4}
	p.quiet = append(p.quiet, o.quiet...)
	p.a, p.b = with.newWorld(t, both(a, p.sameDice)), with.newWorld(t, both(b, p.sameDice))
	p.quiet = append(p.quiet, time.Now())
	p.stock = readStock(t, &with, p.as, p.b.conn, p.a.conn)
	p.settle()
	return p
}

// both is one after the other.
func both(first, second func(*pgx.Conn)) func(*pgx.Conn) {
	return func(conn *pgx.Conn) {
		if first != nil {
			first(conn)
		}
		second(conn)
	}
}

// roundedSites compares two registers whose sites stand elsewhere in the same cells.
func roundedSites(t *testing.T, o *origin, requests int) {
	move := func(share float64) func(*pgx.Conn) {
		return func(conn *pgx.Conn) {
			untriggered(t, conn, "UPDATE bts_sites SET commune_code = $1 WHERE jurisdiction = '11'", fmt.Sprint("CELL-", share))
			for _, l := range []string{"bts_sites", "operator_positions"} {
				untriggered(t, conn, fmt.Sprintf(`UPDATE %s SET geom = ST_Translate(ST_SnapToGrid(geom, 0.02), 0.02 * %g * sin(id), 0.02 * %g * cos(id * 7)) WHERE jurisdiction = '11'`, l, share, share))
			}
		}
	}
	p := publicPair(t, o, `INSERT INTO publications (jurisdiction, exactness, cell_degrees) VALUES ('11', 'rounded', 0.02)`, move(0.1), move(0.49))
	sites, _ := o.layers.Get("bts_sites")
	free := p.as.alone(sites)
	// They are moved on, in each world elsewhere: the history has other places, too.
	p.live = func() {
		p.made++
		p.tick()
		for w, share := range map[*world]float64{p.a: 0.2, p.b: 0.4} {
			execute(t, w.conn, "UPDATE bts_sites SET geom = ST_Translate(ST_SnapToGrid(geom, 0.02), 0.02 * $1 * cos(id), 0.02 * $1 * sin(id)) WHERE jurisdiction = '11' AND id % 5 = $2 AND "+free, share, p.made%5)
		}
		p.quiet = append(p.quiet, time.Now())
	}
	for _, d := range p.compare(requests) {
		t.Error(d)
	}
	exact := *o
	p = publicPair(t, &exact, "SELECT", move(0.1), move(0.49))
	p.live = func() {}
	if len(p.compare(200)) == 0 {
		t.Error("the moves are none: they do not show where places are exact")
	}
}

// oldTags asks with the tag of an answer that was made under other settings.
func oldTags(t *testing.T, o *origin) {
	w := o.newWorld(t, nil)
	public, cell := o.who("anonymous"), 0.5
	publish := func(exactness account.Exactness, cell *float64) {
		t.Helper()
		if err := w.store.SetPublication(t.Context(), account.Terminal("test"), account.Publication{Jurisdiction: "11", Exactness: exactness, CellDegrees: cell}); err != nil {
			t.Fatal(err)
		}
	}
	for _, of := range []string{sitesPath, positionsPath} {
		var p page
		if err := json.Unmarshal(deliver(w.warm, get(of+"?limit=1"), public).body, &p); err != nil {
			t.Fatal(err)
		}
		paths := []string{fmt.Sprint(of, "/", p.Features[0].ID), of + "?limit=1", strings.TrimSuffix(of, "/items"), "/api/v1/collections"}
		for _, path := range paths {
			publish(account.Exact, nil)
			exact := deliver(w.warm, get(path), public)
			publish(account.Rounded, &cell)
			again := deliver(w.warm, get(path, "If-None-Match", exact.header.Get("ETag")), public)
			if again.status != http.StatusOK || bytes.Equal(again.body, exact.body) {
				t.Errorf("%s: the exact answer is still good: %d %s", path, again.status, again.header.Get("ETag"))
			}
		}
	}
}

// replaysHide asks for what was known of a site before it came to a province that hides
// its sites.
func replaysHide(t *testing.T, o *origin) {
	w := o.newWorld(t, nil)
	public := o.who("anonymous")
	execute(t, w.conn, `INSERT INTO bts_sites (code, valid_from, jurisdiction, status, mast_type, height_m, geom) VALUES ('MOVED', '2016-01-01', '12', 'existing', 'A2b', 30, ST_SetSRID(ST_MakePoint($1, $2), 4326))`, at[0], at[1])
	then := check(at, "?known_at="+time.Now().UTC().Format(time.RFC3339Nano))
	if got := deliver(w.cold, then, public); !bytes.Contains(got.body, []byte("MOVED")) {
		t.Fatalf("the site is not found at all: %s", got.body)
	}
	execute(t, w.conn, "UPDATE bts_sites SET jurisdiction = '11' WHERE code = 'MOVED'")
	for _, exactness := range []string{"'hidden', NULL", "'rounded', 0.5"} {
		execute(t, w.conn, "DELETE FROM publications")
		execute(t, w.conn, "INSERT INTO publications (jurisdiction, exactness, cell_degrees) VALUES ('11', "+exactness+")")
		if got := deliver(w.cold, then, public); bytes.Contains(got.body, []byte("MOVED")) {
			t.Errorf("%s: the replay shows where the site stands: %s", exactness, got.body)
		}
	}
}

// replaysHideDrafts asks for what was known of a site before its publication was taken
// back.
func replaysHideDrafts(t *testing.T, o *origin) {
	w := o.newWorld(t, nil)
	officer := o.who("officer of 094")
	made := path(w.do(t, officer, "POST", sitesPath, site("BACK", "existing", "VNPT", at)).header.Get("Location"))
	then := check(at, "?known_at="+time.Now().UTC().Format(time.RFC3339Nano))
	w.do(t, officer, "PATCH", made, `{"properties":{"status":"draft"}}`)
	for _, as := range append(o.rivals(), officer, o.who("operator VNPT")) {
		sees := as.name == officer.name || as.name == "operator VNPT"
		if got := deliver(w.cold, then, as); bytes.Contains(got.body, []byte("BACK")) != sees {
			t.Errorf("%s sees the site in the replay: %v, want %v: %s", as.name, !sees, sees, got.body)
		}
	}
}

// draftsTakeTheirPast: a published row that an officer makes a draft of is gone for others,
// and so is all that was told of it before.
func draftsTakeTheirPast(t *testing.T, o *origin) {
	w := o.newWorld(t, nil)
	var id int64
	var owner string
	if err := w.conn.QueryRow(t.Context(), "SELECT id, owner_organisation FROM bts_sites WHERE code = 'FREE-094-2'").Scan(&id, &owner); err != nil {
		t.Fatal(err)
	}
	row := fmt.Sprint(sitesPath, "/", id)
	told := func() (by []string) {
		for _, as := range o.viewers {
			a := deliver(w.warm, get(fmt.Sprint("/api/v1/changes?collection=bts_sites&feature=", id)), as)
			b := deliver(w.warm, get("/api/v1/changes?limit=1000&code=FREE-094-2"), as)
			if at := []byte(row + `"`); bytes.Contains(a.body, at) != bytes.Contains(b.body, at) {
				t.Errorf("%s is told by one way: %s", as.name, b.body)
			} else if bytes.Contains(a.body, at) {
				by = append(by, as.name)
			}
		}
		return by
	}
	w.do(t, o.who("officer of 094"), "PATCH", row, `{"properties":{"name":"renamed"}}`)
	everybody := []string{"officer of 094", "officer of 100", "officer of some layers", "approver of 099"}
	own := "operator " + owner
	if slices.ContainsFunc(o.viewers, func(v who) bool { return v.name == own }) {
		everybody = append([]string{own}, everybody...)
	}
	if got := told(); !slices.Equal(got, everybody) {
		t.Errorf("while it is published %v are told of its past, want %v", got, everybody)
	}
	w.do(t, o.who("officer of 094"), "PATCH", row, `{"properties":{"status":"draft"}}`)
	insiders := slices.DeleteFunc(everybody, func(name string) bool { return name == "officer of 100" || name == "approver of 099" })
	if got := told(); !slices.Equal(got, insiders) {
		t.Errorf("when it is a draft %v are told of its past, want %v", got, insiders)
	}
}
