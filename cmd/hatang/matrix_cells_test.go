package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hatang/internal/account"
	"hatang/internal/formats"
	"hatang/internal/layer"
)

// matrix is every operation × every client, on one register.
type matrix struct {
	*register
	ctx           context.Context
	table         statuses
	principals    []*principal
	administrator string // a key
	signIn        string // login of somebody who can sign in
	places        map[string]*place
	middle        map[string][2]float64 // of districts
}

// cell is one kind of request at one path; who sends it comes in when it is tried.
type cell struct {
	operation, method, path string
	kind                    string
	ok                      int
	quiet                   []int
	place                   *place
}

func (c *cell) unsafe() bool {
	return c.method != http.MethodGet && c.method != http.MethodHead && c.method != http.MethodOptions
}

// target is the kind of row that the cell asks for, "" for none.
func (c *cell) target() string {
	if !strings.Contains(c.path, "{featureId}") {
		return ""
	}
	for _, kind := range []string{"published", "draft", "withheld"} {
		if strings.Contains(c.kind, kind) && !strings.Contains(c.kind, "absent") {
			return kind
		}
	}
	return "absent"
}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	m := &matrix{register: newRegister(t), ctx: context.Background(), table: readRights(t), middle: map[string][2]float64{}, signIn: "matrix-sign-in"}
	for _, code := range []string{here, elsewhere} {
		var p [2]float64
		var inside bool
		if err := m.owner.QueryRow(m.ctx, `SELECT ST_X(p), ST_Y(p), ST_Covers(hatang_territory($1), ST_Expand(p, 0.002))
			FROM (SELECT ST_PointOnSurface(hatang_territory($1)) p) p`, code).Scan(&p[0], &p[1], &inside); err != nil || !inside {
			t.Fatalf("the middle of %s: %t, %v", code, inside, err)
		}
		m.middle[code] = p
	}
	m.principals, m.administrator = newPrincipals(t, m.register)
	m.person(t, m.signIn, "")
	m.newPlaces(t)
	return m
}

// victimsBelow are what make anew what requests below a path try to change, by the path's first part.
func (m *matrix) victimsBelow() map[string]func(*place) error {
	return map[string]func(*place) error{
		"consultations": m.newConsultation, "imports": m.newImport, "mappings": m.newMapping, "notices": m.newNotice, "proposals": m.newProposal, "sharing-requests": m.newSharing,
		"rule-sets": m.newRules, "verdicts": m.newVerdict, "webhooks": m.newWebhook, "people": m.newHolder, "keys": m.newHolder,
	}
}

// newVictims makes all that others' requests try to change.
func (m *matrix) newVictims(pl *place) error {
	for _, renew := range m.victimsBelow() {
		if err := renew(pl); err != nil {
			return err
		}
	}
	return nil
}

// renewVictims makes anew what a request that was answered has used up.
func (m *matrix) renewVictims(c *cell) error {
	first, _, _ := strings.Cut(strings.TrimPrefix(c.path, "/api/v1/"), "/")
	if renew, ok := m.victimsBelow()[first]; ok {
		return renew(c.place)
	}
	return nil
}

// newHolder makes, once, a person whose name and rights cells change, and anew a grant and two keys.
func (m *matrix) newHolder(pl *place) (err error) {
	if pl.victims.person == 0 {
		if err = patiently(func() (err error) {
			pl.victims.person, err = m.store.AddPerson(m.ctx, keeper, account.NewPerson{Login: "matrix-victim", Name: "x"})
			return err
		}); err != nil {
			return err
		}
	}
	if err = patiently(func() (err error) {
		pl.victims.grant, err = m.store.AddGrant(m.ctx, keeper, pl.victims.person, account.Grant{Role: account.Officer})
		return err
	}); err != nil {
		return err
	}
	if pl.victims.key, _, err = m.newKey(pl.victims.person, "", time.Time{}, account.Grant{Role: account.Officer}); err != nil {
		return err
	}
	pl.victims.programKey, _, err = m.newKey(0, "", time.Time{}, account.Grant{Role: account.Officer})
	return err
}

// cells lists everything that is tried: the operations, and HEAD and OPTIONS of each
// path. With layers given only theirs.
func (m *matrix) cells(served map[string][]string, layers []string) (cells []cell) {
	offers := map[string][]string{} // methods of each path
	for name, addresses := range served {
		method, _, _ := strings.Cut(name, " ")
		for _, address := range addresses {
			offers[address] = append(offers[address], method)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(served)) {
		method, _, _ := strings.Cut(name, " ")
		for _, address := range served[name] {
			pl := m.placeOf(address)
			if layers != nil && !slices.Contains(layers, pl.name()) {
				continue
			}
			op := operations[name]
			for _, kind := range m.kinds(op, pl) {
				ok := op.ok
				if strings.HasPrefix(kind, "succeed-") {
					ok = http.StatusCreated
				}
				cells = append(cells, cell{name, method, address, kind, ok, op.quiet, pl})
				if method == http.MethodGet {
					cells = append(cells, cell{"HEAD of " + name, http.MethodHead, address, kind, op.ok, nil, pl})
				}
			}
			if offers[address][0] == method { // once for each path
				kind := "options"
				if address == "/" {
					kind = "options-of-page"
				}
				cells = append(cells, cell{"OPTIONS of " + address, http.MethodOptions, address, kind, http.StatusNoContent, nil, pl})
				if !slices.Contains(offers[address], http.MethodGet) {
					cells = append(cells, cell{"HEAD of " + address, http.MethodHead, address, "no-head", 0, nil, pl})
				}
			}
		}
	}
	return cells
}

func (m *matrix) paths(served map[string][]string) int {
	paths := map[string]bool{}
	for _, addresses := range served {
		for _, address := range addresses {
			paths[address] = true
		}
	}
	return len(paths)
}

func (m *matrix) placeOf(address string) *place {
	if rest, ok := strings.CutPrefix(address, "/api/v1/collections/"); ok {
		name, _, _ := strings.Cut(rest, "/")
		return m.places[name]
	}
	return m.places[""]
}

// kinds are the kinds of an operation that the place has.
func (m *matrix) kinds(op operation, pl *place) (kinds []string) {
	for pattern := range strings.FieldsSeq(op.kinds) {
		start, all := strings.CutSuffix(pattern, "*")
		if !all {
			kinds = append(kinds, pattern)
			continue
		}
		for _, kind := range slices.Sorted(maps.Keys(m.table)) {
			if strings.HasPrefix(kind, start) && applies(kind, pl.layer) {
				kinds = append(kinds, kind)
			}
		}
	}
	return kinds
}

// kindFor is the row of the table: what a key may of keys and passwords depends on
// whose it is.
func (c *cell) kindFor(p *principal) string {
	switch {
	case c.kind == "key-own" && strings.HasPrefix(p.who, "key:"):
		return "key-own-by-key"
	case c.kind == "revoke-own-key" && p.person == 0 && strings.HasPrefix(p.who, "key:"):
		return "revoke-program's-key"
	case c.kind == "revoke-own-key" && strings.HasPrefix(p.who, "key:"):
		return "revoke-own-by-key"
	case c.kind == "password" && p.session:
		return "password-by-session"
	}
	return c.kind
}

// word is what the table says of a kind of request at a place.
func (m *matrix) word(p *principal, kind, layer string, unsafe bool) string {
	if l := m.places[layer].layer; l != nil && l.StaffOnly() {
		kind = "staff-" + kind
	}
	return m.table[kind][p.columnOf(layer, unsafe)]
}

// outcome is what a trial found.
type outcome struct {
	mu          sync.Mutex
	cells       int
	differences []string
	noted       map[string]string // who the audit must name, by request; "" for nobody
	counted     int               // refusals of nobody known that the audit counted before
	first       bool              // one difference is enough
}

// enough reports whether nothing more need be tried.
func (o *outcome) enough() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.first && len(o.differences) > 0
}

func (o *outcome) differs(c *cell, p *principal, format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.differences = append(o.differences, fmt.Sprintf("%s (%s, %s) by %s: ", c.operation, c.place.name(), c.kind, p.name)+fmt.Sprintf(format, args...))
}

// note says whom the audit must name for an answer.
func (o *outcome) note(a answer, who string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cells++
	o.noted[a.header.Get("X-Request-Id")] = who
}

// try sends every cell as every client, place by place. What only reads comes first
// everywhere: the server remembers figures until something changes. With first it ends
// where something differs.
func (m *matrix) try(server http.Handler, principals []*principal, cells []cell, first bool) *outcome {
	o := &outcome{noted: map[string]string{}, first: first}
	var err error
	if o.counted, err = m.countedRefusals(); err != nil {
		o.differences = append(o.differences, err.Error())
	}
	for _, unsafe := range []bool{false, true} {
		at := map[*place][]*cell{}
		for i, c := range cells {
			if c.unsafe() == unsafe {
				at[c.place] = append(at[c.place], &cells[i])
			}
		}
		var wg sync.WaitGroup
		workers := make(chan struct{}, 4)
		for pl, cells := range at {
			wg.Go(func() {
				workers <- struct{}{}
				defer func() { <-workers }()
				for _, c := range cells {
					for _, p := range principals {
						if p.tries(pl.name()) && !o.enough() {
							m.tryCell(o, server, p, c)
						}
					}
				}
			})
		}
		wg.Wait()
	}
	m.compareAudit(o)
	return o
}

// tryCell sends one cell as one client and holds what comes of it against the table.
func (m *matrix) tryCell(o *outcome, server http.Handler, p *principal, c *cell) {
	word := m.word(p, c.kindFor(p), c.place.name(), c.unsafe())
	path, body, headers, err := m.request(p, c)
	before := c.place.image
	if err == nil && c.unsafe() && before == "" {
		before, err = read[string](m.register, c.place.imageSQL())
	}
	if err != nil {
		o.differs(c, p, "the cell could not be made: %v", err)
		return
	}
	a := send(server, c.method, path, body, headers...)
	refused := a.status >= http.StatusBadRequest
	switch want := status(word, c.ok); {
	case a.status != want:
		o.differs(c, p, "%d, want %s\n\t%.300s", a.status, word, a.body)
	case c.unsafe() && refused && !slices.Contains(c.quiet, a.status) && a.status != http.StatusBadRequest:
		o.note(a, p.who)
	default:
		o.note(a, "")
	}
	c.leaks(o, m, p, a)
	m.tellsOfStaffLayers(o, p, c, a)
	if c.method == http.MethodGet && (strings.HasPrefix(c.kind, "list") || c.target() != "") {
		m.tryPage(o, server, p, c, a.status, path, headers)
	}
	if refused {
		m.refusal(o, server, p, c, a)
	}
	if c.unsafe() {
		err = m.settle(o, p, c, a, before)
	}
	if err != nil {
		o.differs(c, p, "the place could not be restored: %v", err)
	}
}

// settle compares what a refused request has left with what was before, and makes anew
// what another has used up.
func (m *matrix) settle(o *outcome, p *principal, c *cell, a answer, before string) error {
	if a.status >= http.StatusBadRequest {
		after, err := read[string](m.register, c.place.imageSQL())
		if after != before {
			o.differs(c, p, "it was refused with %d, and something was changed", a.status)
		}
		c.place.image = after
		return err
	}
	c.place.image = ""
	switch c.kind {
	case "new-layer":
		return m.store.WithdrawLayer(m.ctx, keeper, layerIn(a))
	case "change-layer":
		return nil
	case "withdraw-layer":
		if err := m.publish(c.place.name(), c.place.layer.StaffOnly()); err != nil {
			return err
		}
		delete(c.place.rows, "published") // it went with its table
		return m.renew(c.place, "published")
	}
	if c.place.layer == nil {
		return m.renewVictims(c)
	}
	if c.target() == "" {
		_, err := m.owner.Exec(m.ctx, fmt.Sprintf("DELETE FROM %s WHERE id = %d", c.place.name(), idIn(a)))
		return err
	}
	if c.target() == "absent" {
		return nil
	}
	if a.status == http.StatusCreated { // the row that followed
		if _, err := m.owner.Exec(m.ctx, fmt.Sprintf("DELETE FROM %s WHERE id = %d", c.place.name(), idIn(a))); err != nil {
			return err
		}
	}
	return m.renew(c.place, c.target())
}

// refusal holds a refusal against what all are like: a problem, which of a row that the
// client may not see says what it says of one that there is not.
func (m *matrix) refusal(o *outcome, server http.Handler, p *principal, c *cell, a answer) {
	var d problemAnswer
	switch err := json.Unmarshal(a.body, &d); {
	case a.header.Get("Content-Type") != "application/problem+json" || err != nil:
		o.differs(c, p, "%d is no problem document: %s", a.status, a.body)
	case d.Status != a.status || d.Type == "" || d.Title == "" || d.Detail == "" || d.Message.VI == "" || d.Message.EN == "" || d.RequestID != a.header.Get("X-Request-Id"):
		o.differs(c, p, "the problem lacks something: %s", a.body)
	}
	target := c.target()
	if target == "" || target == "absent" || m.word(p, "row-"+target, c.place.name(), false) == "ok" {
		return
	}
	missing := *c
	if missing.kind = "write-absent"; c.past() {
		missing.kind = "known-absent"
	}
	path, body, headers, err := m.request(p, &missing)
	if err != nil {
		o.differs(c, p, "the cell could not be made: %v", err)
		return
	}
	b := send(server, c.method, path, body, headers...)
	who := ""
	if c.unsafe() && b.status >= http.StatusBadRequest {
		who = p.who
	}
	o.note(b, who)
	if there, not := plain(a), plain(b); there != not {
		o.differs(c, p, "it is answered otherwise than one that there is not:\n\t%s\n\t%s", there, not)
	}
}

// plain is an answer without what is each request's own.
func plain(a answer) string {
	header := a.header.Clone()
	header.Del("Content-Length")
	_, path, _ := strings.Cut(a.request, " ")
	path, _, _ = strings.Cut(path, "?")
	body := a.body
	for _, own := range []string{header.Get("X-Request-Id"), path} {
		body = bytes.ReplaceAll(body, []byte(own), nil)
	}
	header.Del("X-Request-Id")
	return fmt.Sprintf("%d %v %s", a.status, header, body)
}

// leaks looks for values that the client may not see, whatever the answer, and for rows
// of a list.
func (c *cell) leaks(o *outcome, m *matrix, p *principal, a answer) {
	pl := c.place
	if pl.layer == nil {
		if told := bytes.Contains(a.body, fmt.Append(nil, pl.victims.consultation)); c.kind == "consultations" && c.method == http.MethodGet && told != (m.word(p, "consultation", "", false) == "ok") {
			o.differs(c, p, "the consultation is listed: %v", told)
		}
		draft := a.status == http.StatusOK && m.word(p, "row-draft", "kiosks", false) == "ok"
		if told := bytes.Contains(a.body, fmt.Append(nil, "items/", pl.victims.features["draft"])); (c.kind == "search" || c.kind == "history") && c.method == http.MethodGet && told != draft {
			o.differs(c, p, "the draft is told of: %v", told)
		}
		return
	}
	matched := c.hides(o, m, p, a)
	var list page
	if c.format(p) == "geojson" && c.method == http.MethodGet && a.status == http.StatusOK {
		err := json.Unmarshal(a.body, &list)
		if strings.HasPrefix(c.kind, "download") {
			list.NumberMatched = len(list.Features) // it does not count
		}
		if err != nil || list.NumberMatched != matched || len(list.Features) != matched {
			o.differs(c, p, "%d rows are listed, want %d: %v", list.NumberMatched, matched, err)
		}
	}
}

// tryPage asks for the same as HTML: the status is the same, and no more is shown.
func (m *matrix) tryPage(o *outcome, server http.Handler, p *principal, c *cell, status int, path string, headers []string) {
	path, query, _ := strings.Cut(path, "?")
	asked, err := url.ParseQuery(query)
	if err != nil {
		o.differs(c, p, "%v", err)
	}
	asked.Set("f", "html")
	a := send(server, http.MethodGet, path+"?"+asked.Encode(), "", headers...)
	if a.status != status || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		o.differs(c, p, "as a page it is %d %s", a.status, a.header.Get("Content-Type"))
	}
	matched := c.hides(o, m, p, a)
	if rows := bytes.Count(a.body, []byte("<tr data-id=")); strings.HasPrefix(c.kind, "list") && status == http.StatusOK && rows != matched {
		o.differs(c, p, "%d rows are on the page, want %d", rows, matched)
	}
}

// hides looks in an answer for values that the client may not see, and returns how many of
// the cell's rows he sees.
func (c *cell) hides(o *outcome, m *matrix, p *principal, a answer) int {
	pl := c.place
	sees := map[string]bool{"draft": m.word(p, "row-draft", pl.name(), false) == "ok", "withheld": m.word(p, "row-withheld", pl.name(), false) == "ok"}
	sees["contact"] = m.word(p, "confidential-values", pl.name(), false) == "ok"
	sees["draft-contact"] = sees["contact"]
	body, err := unpacked(a.body)
	if err != nil {
		o.differs(c, p, "the answer cannot be unpacked: %v", err)
	}
	matched := 1
	if c.past() {
		sees["draft"], sees["withheld"] = m.word(p, "known-draft", pl.name(), false) == "ok", m.word(p, "known-withheld", pl.name(), false) == "ok"
		if m.word(p, "known-published", pl.name(), false) != "ok" {
			matched = 0
		}
	}
	for of, seen := range sees {
		if !seen && bytes.Contains(body, []byte(pl.secret(of))) {
			o.differs(c, p, "the answer tells what is hidden: %s", body)
		}
		if seen && pl.rows[of] != nil {
			matched++
		}
	}
	return matched
}

// unpacked is what stands in a zip; anything else as it is.
func unpacked(raw []byte) (all []byte, err error) {
	if !bytes.HasPrefix(raw, []byte("PK\x03\x04")) {
		return raw, nil
	}
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, err
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		all = append(all, content...)
	}
	return all, nil
}

// past reports whether the cell asks for rows as they are known now, as of a time past.
func (c *cell) past() bool { return strings.Contains(c.kind, "known") }

func knownNow() string {
	return url.Values{"known_at": {time.Now().UTC().Format(time.RFC3339Nano)}}.Encode()
}

// format is the one in which a cell's features are asked for: GeoJSON of pages, all in
// turn of downloads; "" of other cells.
func (c *cell) format(p *principal) string {
	switch all := formats.Of(&layer.Layer{Name: c.place.name()}); c.kind {
	case "list", "list-known":
		return all[0].Name()
	case "download", "download-known":
		return all[(len(c.place.name())+len(p.name))%len(all)].Name()
	}
	return ""
}

// compareAudit looks for the entries of refused writes: one for each that should have
// one, with the right name, and none for all others. Those of nobody known have one or are
// counted.
func (m *matrix) compareAudit(o *outcome) {
	counted, err := m.countedRefusals()
	if err != nil {
		o.differences = append(o.differences, err.Error())
		return
	}
	rows, err := m.owner.Query(m.ctx, "SELECT request_id, who FROM audit WHERE action = 'write.refused'")
	if err != nil {
		o.differences = append(o.differences, err.Error())
		return
	}
	defer rows.Close()
	entries := map[string][]string{}
	for rows.Next() {
		var id, who string
		if err := rows.Scan(&id, &who); err != nil {
			o.differences = append(o.differences, err.Error())
		}
		entries[id] = append(entries[id], who)
	}
	missing := 0
	for id, who := range o.noted {
		var want []string
		if who != "" {
			want = []string{who}
		}
		switch {
		case slices.Equal(entries[id], want):
		case who == "public" && len(entries[id]) == 0:
			missing++
		default:
			o.differences = append(o.differences, fmt.Sprintf("the audit names %q for request %s, want %q", entries[id], id, want))
		}
	}
	if counted-o.counted < missing {
		o.differences = append(o.differences, fmt.Sprintf("the audit counts %d refusals of nobody known, want %d", counted-o.counted, missing))
	}
}

// countedRefusals is how many refusals of nobody known the audit counts beside those that
// it has in full, now that the server has recorded all.
func (m *matrix) countedRefusals() (int, error) {
	if err := m.refusals.Flush(m.ctx); err != nil {
		return 0, err
	}
	return read[int](m.register, "SELECT coalesce(sum((detail ->> 'count')::bigint), 0)::int FROM audit WHERE action = 'write.refused' AND subject LIKE 'network:%'")
}

// wholeEarth fills in the tile that has everything.
var wholeEarth = strings.NewReplacer("{tileMatrix}", "0", "{tileRow}", "0", "{tileCol}", "0")

// request makes what one client sends for a cell; making it may add what it works on.
func (m *matrix) request(p *principal, c *cell) (path, body string, headers []string, err error) {
	headers = p.headers
	path, body = wholeEarth.Replace(c.path), ""
	switch {
	case c.format(p) != "":
		path += "?source=" + url.QueryEscape(mark) + "&f=" + c.format(p)
		if c.past() {
			path += "&" + knownNow()
		}
	case c.place.layer != nil:
		body = m.rowBody(c)
		path = strings.Replace(path, "{featureId}", fmt.Sprint(c.place.rows[c.target()].id0()), 1)
		if strings.HasPrefix(c.kind, "succeed-") {
			path += "?in_force=2019-06-01"
		}
		if c.past() {
			path += "?" + knownNow()
		}
	default:
		if path, err = m.otherPath(p, c); err == nil {
			body = m.otherBody(p, c)
		}
		if p.session && !p.forged && c.kind == "sign-out" {
			var token string
			token, err = m.newSession(p.person, time.Hour)
			headers = signedIn(token)
			c.place.image = ""
		}
	}
	if body != "" {
		headers = append(slices.Clip(headers), "Content-Type", map[string]string{http.MethodPatch: "application/merge-patch+json"}[c.method])
		if c.method != http.MethodPatch {
			headers[len(headers)-1] = "application/json"
		}
	}
	return path, body, headers, err
}

// id0 is the row's id, 0 for none.
func (r *row) id0() int64 {
	if r == nil {
		return 0
	}
	return r.id
}

// rowBody is the body of a cell on rows.
func (m *matrix) rowBody(c *cell) string {
	what, kind, _ := strings.Cut(c.kind, "-")
	switch {
	case !c.unsafe() || c.method == http.MethodDelete:
		return ""
	case kind == "layer":
		return `{"colour":"#123456"}`
	case what == "create":
		given := c.place.given(kind)
		delete(given, "contact")
		delete(given, "name")
		delete(given, "code")
		return m.feature(c.place.layer, here, given)
	case c.method == http.MethodPut && c.target() == "absent":
		return c.place.rows["published"].body
	case c.method == http.MethodPut:
		return c.place.rows[c.target()].body
	case what == "move":
		return `{"geometry":` + m.geometry(c.place.layer, elsewhere) + `}`
	case what == "give":
		return `{"properties":{"owner_organisation":"VIETTEL"}}`
	case what == "publish":
		return `{"properties":{"status":"existing"}}`
	}
	return `{"properties":{"accuracy_m":7}}`
}
