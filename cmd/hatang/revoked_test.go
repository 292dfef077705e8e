package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
)

// twoServers are two servers of one register, and what rounds of taking away look at.
type twoServers struct {
	*register
	a, b          http.Handler
	administrator string // a key
	random        *rand.Rand
	round         int
	site, draft   string // paths of rows
	at            [2]float64
	provider      *provider // at which people sign in
	byHand        bool      // the last change was made past both servers, else through the first
	changed       time.Time
}

// TestWhatIsTakenAwayIsGoneAtOnce takes rights and places away through one server, or
// by hand past both, and asks both: that server answers so from then on, whatever changes
// something is refused by both from then on, and nothing that is begun a second later is
// answered otherwise.
func TestWhatIsTakenAwayIsGoneAtOnce(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := &twoServers{register: newRegister(t), random: rand.New(rand.NewPCG(seed, 1)), provider: newProvider(t)}
	s.serveCommand = serveCommand{PublicURL: "http://127.0.0.1:1", OIDCIssuer: s.provider.url, OIDCClientID: "hatang", OIDCClientSecret: "secret"}
	s.a, s.store = s.serve(t)
	s.b, _ = s.serve(t)
	_, s.administrator = s.key(t, 0, "", time.Time{}, account.Grant{Role: account.Administrator})
	s.newRows(t)
	takings := []struct {
		name string
		take func(t *testing.T, byHand bool)
	}{
		{"a key is revoked", s.revokeKey}, {"a person is disabled", s.disablePerson}, {"a grant is withdrawn", s.withdrawGrant},
		{"somebody signs out", s.signOut}, {"who signs in at a provider is disabled", s.disableElsewhere}, {"somebody leaves his organisation", s.leaveOrganisation},
		{"a password is changed", s.changePassword}, {"places are published otherwise", s.publishOtherwise},
		{"a consultation is withdrawn", s.withdrawConsultation},
	}
	done := map[string]int{}
	for s.round = range 50 {
		taking, byHand := takings[s.random.IntN(len(takings))], s.random.IntN(3) == 0
		if s.round < 2*len(takings) { // each both ways
			taking, byHand = takings[s.round/2], s.round%2 == 1
		}
		name := taking.name + map[bool]string{true: " by hand", false: ""}[byHand]
		done[name]++
		taking.take(t, name != taking.name)
		if t.Failed() {
			t.Fatalf("round %d: %s", s.round, name)
		}
	}
	t.Logf("50 rounds: %v", done)
}

// newRows makes a site that everybody sees and a draft.
func (s *twoServers) newRows(t *testing.T) {
	t.Helper()
	s.at = [2]float64{103.0337, 21.4023} // in district 094, and in no corner of a cell
	for path, status := range map[*string]string{&s.site: "existing", &s.draft: "draft"} {
		beside := map[string]float64{"draft": 0.0002}[status] // so that tiles have both
		body := fmt.Sprintf(`{"type":"Feature","properties":{"code":"R-%s","valid_from":"2019-01-01","jurisdiction":"11","owner_organisation":"VNPT","illustrative":false,"status":%[1]q,"mast_type":"A2b"},
			"geometry":{"type":"Point","coordinates":[%v,%v]}}`, status, s.at[0]+beside, s.at[1])
		a := send(s.a, http.MethodPost, sites, body, append(bearer(s.administrator), "Content-Type", "application/geo+json")...)
		a.wants(t, http.StatusCreated)
		*path = fmt.Sprintf("%s/%d", sites, idIn(a))
	}
}

const sites = "/api/v1/collections/bts_sites/items"

// change does something through the first server.
func (s *twoServers) change(t *testing.T, method, path, body string, headers ...string) {
	t.Helper()
	if len(headers) == 0 {
		headers = bearer(s.administrator)
	}
	send(s.a, method, path, body, append(headers, "Content-Type", "application/json")...).wants(t, http.StatusNoContent)
	s.byHand, s.changed = false, time.Now()
}

// sql changes something past both servers.
func (s *twoServers) sql(t *testing.T, statement string, args ...any) {
	t.Helper()
	s.register.sql(t, statement, args...)
	s.byHand, s.changed = true, time.Now()
}

// holds asks a server for something until it is right: at once what changes something, and of the
// server through which the change was made.
func (s *twoServers) holds(t *testing.T, first bool, method string, ask func() (wrong string)) {
	t.Helper()
	wrong := ask()
	if wrong != "" && (s.byHand || !first) && method == http.MethodGet {
		s.followed(t, s.changed, func() bool { wrong = ask(); return wrong == "" })
	}
	if wrong != "" {
		t.Error(wrong)
	}
}

// showing are the addresses that show the draft to who sees it: a list, a tile, what describes the
// layer; of which browsers keep answers.
func (s *twoServers) showing() []string {
	const z = 16
	lat := s.at[1] * math.Pi / 180
	x, y := int((s.at[0]+180)/360*(1<<z)), int((1-math.Log(math.Tan(lat)+1/math.Cos(lat))/math.Pi)/2*(1<<z))
	return []string{sites + "?status=draft&limit=1000", fmt.Sprintf("/api/v1/collections/bts_sites/tiles/WebMercatorQuad/%d/%d/%d", z, y, x), "/api/v1/collections/bts_sites", s.draft}
}

// keep asks both servers for all that shows the draft, as a browser with such credentials does, and
// returns the tags of the answers by server and address; shown: of whether it is in them.
func (s *twoServers) keep(t *testing.T, credentials []string, shown bool) (tags [2]map[string]string) {
	t.Helper()
	for i, server := range []http.Handler{s.a, s.b} {
		tags[i] = map[string]string{}
		for n, path := range s.showing() {
			s.holds(t, i == 0, http.MethodGet, func() string {
				a := send(server, http.MethodGet, path, "", credentials...)
				tags[i][path] = a.header.Get("ETag")
				if told := bytes.Contains(a.body, []byte("R-draft")); n < 2 && told != shown || a.status == http.StatusOK && (tags[i][path] == "" || a.header.Get("Cache-Control") != "private, no-cache") {
					return fmt.Sprintf("server %d, %s: %d, tells of the draft: %v; %v", i, path, a.status, told, a.header)
				}
				return ""
			})
		}
	}
	return tags
}

// good asks with the tags of answers that were kept: none is good any more, nor is another told; with
// a status of success those who ask are still somebody.
func (s *twoServers) good(t *testing.T, credentials []string, tags [2]map[string]string, status int) {
	t.Helper()
	for i, server := range []http.Handler{s.a, s.b} {
		for _, path := range s.showing() {
			want := status
			if path == s.draft && status == http.StatusOK {
				want = http.StatusNotFound
			}
			s.holds(t, i == 0, http.MethodGet, func() string {
				a := send(server, http.MethodGet, path, "", append(slices.Clone(credentials), "If-None-Match", tags[i][path])...)
				if empty := http.StatusNoContent; a.status != want && (want != http.StatusOK || a.status != empty) || bytes.Contains(a.body, []byte("R-draft")) {
					return fmt.Sprintf("server %d, %s, with the tag of before: %d, want %d", i, path, a.status, want)
				}
				return ""
			})
		}
	}
}

// both asks both servers the same; a request that changes something must be refused.
func (s *twoServers) both(t *testing.T, method, path string, status int, credentials []string) {
	t.Helper()
	for i, server := range []http.Handler{s.a, s.b} {
		body, headers := "", credentials
		if method == http.MethodPatch {
			body, headers = `{"properties":{"accuracy_m":1}}`, append(append([]string{}, credentials...), "Content-Type", "application/merge-patch+json")
		}
		s.holds(t, i == 0, method, func() string {
			if a := send(server, method, path, body, headers...); a.status != status {
				return fmt.Sprintf("server %d, %s: %d, want %d\n%.300s", i, a.request, a.status, status, a.body)
			}
			return ""
		})
	}
}

// refusedAll asks for all that the credentials were good for, also with the tags of answers that
// were got by them; nil for none.
func (s *twoServers) refusedAll(t *testing.T, credentials []string, tags ...[2]map[string]string) {
	t.Helper()
	for _, kept := range tags {
		s.good(t, credentials, kept, http.StatusUnauthorized)
	}
	s.both(t, http.MethodPatch, s.site, http.StatusUnauthorized, credentials)
	s.both(t, http.MethodGet, s.draft, http.StatusUnauthorized, credentials)
	s.both(t, http.MethodGet, "/api/v1/keys", http.StatusUnauthorized, credentials)
}

// someone is a new person with a session and a key, whom both servers know.
func (s *twoServers) someone(t *testing.T) (id, grant int64, session, key []string) {
	t.Helper()
	officer := account.Grant{Role: account.Officer, Territory: here}
	id = s.person(t, fmt.Sprint("round-", s.round), "", officer)
	session = signedIn(s.session(t, id, time.Hour))
	_, made := s.key(t, id, "", time.Time{}, officer)
	key = bearer(made)
	for _, credentials := range [][]string{session, key} {
		s.both(t, http.MethodGet, s.draft, http.StatusOK, credentials)
	}
	return id, value[int64](t, s.register, "SELECT id FROM grants WHERE person = $1", id), session, key
}

func (s *twoServers) revokeKey(t *testing.T, byHand bool) {
	id, key := s.key(t, 0, "", time.Time{}, account.Grant{Role: account.Officer})
	tags := s.keep(t, bearer(key), true)
	if byHand {
		s.sql(t, "UPDATE api_keys SET revoked_at = now() WHERE id = $1", id)
	} else {
		s.change(t, http.MethodDelete, "/api/v1/keys/"+id, "")
	}
	s.refusedAll(t, bearer(key), tags)
}

func (s *twoServers) disablePerson(t *testing.T, byHand bool) {
	id, _, session, key := s.someone(t)
	tags := s.keep(t, session, true)
	s.disable(t, id, byHand)
	s.refusedAll(t, session, tags)
	s.refusedAll(t, key, tags)
}

func (s *twoServers) disable(t *testing.T, person int64, byHand bool) {
	t.Helper()
	if byHand {
		s.sql(t, "UPDATE people SET disabled_at = now() WHERE id = $1", person)
	} else {
		s.change(t, http.MethodPatch, fmt.Sprint("/api/v1/people/", person), `{"disabled":true}`)
	}
}

// disableElsewhere disables somebody who signs in at a provider, where he still may.
func (s *twoServers) disableElsewhere(t *testing.T, byHand bool) {
	id, _, _, key := s.someone(t)
	s.provider.subject, s.provider.email = fmt.Sprint("round-", s.round), fmt.Sprintf("round-%d@example.vn", s.round)
	s.sql(t, "UPDATE people SET email = $2, password = NULL WHERE id = $1", id, s.provider.email)
	session := signedIn(sessionIn(s.provider.signOn(t, s.a, "/")))
	tags := s.keep(t, session, true)
	s.disable(t, id, byHand)
	s.refusedAll(t, session, tags)
	s.refusedAll(t, key, tags)
	for _, server := range []http.Handler{s.a, s.b} {
		s.provider.signOn(t, server, "/").isProblem(t, http.StatusUnauthorized)
	}
}

// signOut ends one session of somebody; his others and his keys go on.
func (s *twoServers) signOut(t *testing.T, byHand bool) {
	id, _, session, key := s.someone(t)
	own := s.session(t, id, time.Hour)
	tags := s.keep(t, signedIn(own), true)
	if byHand {
		s.sql(t, "UPDATE sessions SET ended_at = now() WHERE hash = $1", account.Hash(own))
	} else {
		s.change(t, http.MethodDelete, "/api/v1/session", "", signedIn(own)...)
	}
	s.refusedAll(t, signedIn(own), tags)
	s.both(t, http.MethodGet, s.draft, http.StatusOK, session)
	s.both(t, http.MethodGet, s.draft, http.StatusOK, key)
}

// leaveOrganisation takes an operator out of the organisation whose drafts he sees.
func (s *twoServers) leaveOrganisation(t *testing.T, byHand bool) {
	operator := account.Grant{Role: account.Operator}
	id := s.person(t, fmt.Sprint("leaves-", s.round), "VNPT", operator)
	_, made := s.key(t, id, "", time.Time{}, operator)
	for _, credentials := range [][]string{signedIn(s.session(t, id, time.Hour)), bearer(made)} {
		tags := s.keep(t, credentials, true)
		if byHand {
			s.sql(t, "UPDATE people SET organisation = NULL WHERE id = $1", id)
		} else {
			s.change(t, http.MethodPatch, fmt.Sprint("/api/v1/people/", id), `{"organisation":""}`)
		}
		s.good(t, credentials, tags, http.StatusOK)
		s.both(t, http.MethodGet, s.draft, http.StatusNotFound, credentials)
		s.sql(t, "UPDATE people SET organisation = 'VNPT' WHERE id = $1", id)
	}
}

func (s *twoServers) withdrawGrant(t *testing.T, byHand bool) {
	id, grant, session, key := s.someone(t)
	tags := s.keep(t, session, true)
	if byHand {
		s.sql(t, "UPDATE grants SET withdrawn_at = now() WHERE id = $1", grant)
	} else {
		s.change(t, http.MethodDelete, fmt.Sprintf("/api/v1/people/%d/grants/%d", id, grant), "")
	}
	for _, credentials := range [][]string{session, key} {
		s.good(t, credentials, tags, http.StatusOK)
		s.both(t, http.MethodPatch, s.site, http.StatusForbidden, credentials)
		s.both(t, http.MethodGet, s.draft, http.StatusNotFound, credentials)
		s.both(t, http.MethodGet, s.site, http.StatusOK, credentials)
	}
}

// changePassword ends all sessions but the one that does it.
func (s *twoServers) changePassword(t *testing.T, byHand bool) {
	id, _, session, key := s.someone(t)
	own := signedIn(s.session(t, id, time.Hour))
	switch {
	case byHand:
		s.transaction(t, func(tx pgx.Tx) error {
			ctx := context.Background()
			if _, err := tx.Exec(ctx, "UPDATE people SET password = NULL WHERE id = $1", id); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "UPDATE sessions SET ended_at = now() WHERE person = $1", id)
			return err
		})
		s.byHand, s.changed = true, time.Now()
		s.refusedAll(t, own)
	case s.random.IntN(2) == 0:
		s.change(t, http.MethodPut, "/api/v1/session/password", fmt.Sprintf(`{"old":%q,"new":"một mật khẩu khác hẳn"}`, password), own...)
		s.both(t, http.MethodGet, s.draft, http.StatusOK, own)
	default:
		s.change(t, http.MethodPatch, fmt.Sprint("/api/v1/people/", id), `{"password":"một mật khẩu khác hẳn"}`)
		s.refusedAll(t, own)
	}
	s.refusedAll(t, session)
	s.both(t, http.MethodGet, s.draft, http.StatusOK, key)
}

// publishOtherwise rounds or hides the places of the province, or shows them exactly
// again.
func (s *twoServers) publishOtherwise(t *testing.T, byHand bool) {
	was := s.exactness(t)
	exactness, cell := "exact", (*float64)(nil)
	if was == "exact" {
		exactness = []string{"hidden", "rounded"}[s.random.IntN(2)]
	}
	if exactness == "rounded" {
		degrees := []float64{0.01, 0.05}[s.random.IntN(2)]
		cell = &degrees
	}
	var tags []string
	for _, server := range []http.Handler{s.a, s.b} { // which remember what they can
		if wrong := s.wrongly(t, server, was, s.cell(t), ""); wrong != "" {
			t.Error(wrong)
		}
		tags = append(tags, send(server, http.MethodGet, s.site, "").header.Get("ETag"))
		send(server, http.MethodGet, "/api/v1/collections/bts_sites", "").wants(t, http.StatusOK)
	}
	if byHand {
		s.sql(t, `INSERT INTO publications VALUES ('11', $1, $2) ON CONFLICT (jurisdiction) DO UPDATE SET exactness = excluded.exactness, cell_degrees = excluded.cell_degrees`, exactness, cell)
	} else {
		s.change(t, http.MethodPut, "/api/v1/publications/11", asJSON(map[string]any{"exactness": exactness, "cell_degrees": cell}))
	}
	changed := time.Now()
	for i, server := range []http.Handler{s.a, s.b} {
		shows := func() bool { return s.wrongly(t, server, exactness, cell, tags[i]) == "" }
		if i == 0 && !byHand && !shows() {
			t.Errorf("the server that made the change: %s", s.wrongly(t, server, exactness, cell, tags[i]))
		}
		s.followed(t, changed, shows) // what it remembers may be good for a second
	}
	if generalised := exactness != "exact"; !byHand && s.generalised(t, s.a) != generalised {
		t.Error("the next check of the server that made the change knows nothing of it")
	}
	s.followed(t, changed, func() bool { return s.generalised(t, s.b) == (exactness != "exact") })
}

func (s *twoServers) exactness(t *testing.T) string {
	t.Helper()
	return value[string](t, s.register, "SELECT coalesce((SELECT exactness FROM publications WHERE jurisdiction = '11'), 'exact')")
}

func (s *twoServers) cell(t *testing.T) *float64 {
	t.Helper()
	return value[*float64](t, s.register, "SELECT (SELECT cell_degrees FROM publications WHERE jurisdiction = '11')")
}

// wrongly is how a server shows the site otherwise than a setting of publication has it, ""
// where it does not: to the public one by one, in a list, and where it has an earlier answer
// still. Staff sees the place as it is.
func (s *twoServers) wrongly(t *testing.T, server http.Handler, exactness string, cell *float64, tag string) string {
	t.Helper()
	want := s.at
	if cell != nil {
		for i := range want {
			want[i] = math.Round(want[i] / *cell) * *cell
		}
	}
	var list page
	send(server, http.MethodGet, sites+"?code=R-existing", "").read(t, &list)
	one := send(server, http.MethodGet, s.site, "", "If-None-Match", tag)
	status, listed := http.StatusOK, 1
	if exactness == "hidden" {
		status, listed = http.StatusNotFound, 0
	}
	if one.status != status || list.NumberMatched != listed {
		return fmt.Sprintf("%s, and %d are listed, the site is %d", exactness, list.NumberMatched, one.status)
	}
	if exactness == "hidden" {
		return ""
	}
	var public, whole struct {
		Geometry struct{ Coordinates [2]float64 }
	}
	one.read(t, &public)
	send(server, http.MethodGet, s.site, "", bearer(s.administrator)...).read(t, &whole)
	if at := coordinates(t, list.Features[0].Geometry.Coordinates); !near(public.Geometry.Coordinates, want) || !near(at, want) || !near(whole.Geometry.Coordinates, s.at) {
		return fmt.Sprintf("%s: shown at %v and %v, want %v, and to the administrator at %v", exactness, public.Geometry.Coordinates, at, want, whole.Geometry.Coordinates)
	}
	return ""
}

func coordinates(t *testing.T, raw json.RawMessage) (at [2]float64) {
	t.Helper()
	if err := json.Unmarshal(raw, &at); err != nil {
		t.Fatal(err)
	}
	return at
}

func near(a, b [2]float64) bool { return math.Abs(a[0]-b[0]) < 1e-6 && math.Abs(a[1]-b[1]) < 1e-6 }

// generalised says whether a check is made of other places than there are.
func (s *twoServers) generalised(t *testing.T, server http.Handler) bool {
	t.Helper()
	body := fmt.Sprintf(`{"lon":%v,"lat":%v,"mast_type":"A2b","date":"2020-12-31"}`, s.at[0], s.at[1])
	a := send(server, http.MethodPost, "/api/v1/placement-checks", body, "Content-Type", "application/json")
	a.wants(t, http.StatusOK)
	var answered struct{ Generalised bool }
	a.read(t, &answered)
	return answered.Generalised
}

// followed asks a server until its answers follow the change: those that are begun a second
// after it must.
func (s *twoServers) followed(t *testing.T, changed time.Time, follows func() bool) {
	t.Helper()
	until(t, "answers that follow the change", func() bool {
		asked := time.Now()
		if follows() {
			return true
		}
		if late := asked.Sub(changed); late > time.Second {
			t.Fatalf("asked %s after the change, answered as before it", late)
		}
		return false
	})
}

// withdrawConsultation asks an agency about the draft and takes the question back.
func (s *twoServers) withdrawConsultation(t *testing.T, byHand bool) {
	_, key := s.key(t, 0, askedAgency, time.Time{}, account.Grant{Role: account.Consulted})
	agency := bearer(key)
	tells := func(server http.Handler) bool {
		body := fmt.Sprintf(`{"lon":%v,"lat":%v,"mast_type":"A2b","date":"2020-12-31"}`, s.at[0]+0.0005, s.at[1])
		a := send(server, http.MethodPost, "/api/v1/placement-checks?detail=full", body, append(agency, "Content-Type", "application/json")...)
		a.wants(t, http.StatusOK)
		return bytes.Contains(a.body, []byte("R-draft"))
	}
	// look asks for the draft in all ways; a list that was good before is not any more.
	known := map[bool][2]string{}
	look := func(seen bool, changed time.Time) {
		t.Helper()
		status, matched := http.StatusNotFound, 0
		if seen {
			status, matched = http.StatusOK, 1
		}
		s.both(t, http.MethodGet, s.draft, status, agency)
		var tags [2]string
		lists := func(i int, server http.Handler) bool {
			a := send(server, http.MethodGet, sites+"?code=R-draft", "", append(agency, "If-None-Match", known[!seen][i])...)
			if a.status == http.StatusNotModified {
				return false
			}
			a.wants(t, http.StatusOK)
			var list page
			a.read(t, &list)
			tags[i] = a.header.Get("ETag")
			return list.NumberMatched == matched
		}
		if !byHand && !lists(0, s.a) {
			t.Errorf("the next list of the server that made the change has the draft: %v", !seen)
		}
		for i, server := range []http.Handler{s.a, s.b} {
			s.followed(t, changed, func() bool { return lists(i, server) })
		}
		known[seen] = tags
		if !byHand && tells(s.a) != seen {
			t.Errorf("the next check of the server that made the change tells of the draft: %v", !seen)
		}
		for _, server := range []http.Handler{s.a, s.b} {
			s.followed(t, changed, func() bool { return tells(server) == seen })
		}
	}
	look(false, time.Now())
	ask := asJSON(map[string]any{"collection": "bts_sites", "feature": value[int64](t, s.register, "SELECT id FROM bts_sites WHERE code = 'R-draft'"), "agency": askedAgency})
	a := send(s.a, http.MethodPost, "/api/v1/consultations", ask, append(bearer(s.administrator), "Content-Type", "application/json")...)
	a.wants(t, http.StatusCreated)
	look(true, time.Now())
	if byHand {
		s.sql(t, "UPDATE consultations SET withdrawn_at = now() WHERE id = $1", idIn(a))
	} else {
		s.change(t, http.MethodPatch, fmt.Sprint("/api/v1/consultations/", idIn(a)), `{"state":"withdrawn"}`)
	}
	look(false, time.Now())
}
