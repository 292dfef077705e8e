package main

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"hatang/internal/account"
)

// principal is one who asks, by one kind of credentials.
type principal struct {
	name, column string   // of the table of rights
	layers       []string // that an officer is limited to; nil for none
	headers      []string // the credentials
	who          string   // as the audit names it
	person       int64    // 0 for none
	session      bool     // signed in, not by key
	forged       bool     // sends what our page does not
	few          bool     // tried in a few layers: other credentials of one tried in all
	organisation string
	grants       []account.Grant
}

// columnOf is the principal's column for a layer ("" for none) and a method.
func (p *principal) columnOf(layer string, unsafe bool) string {
	switch {
	case p.forged && unsafe:
		return "forged"
	case p.layers != nil && layer != "" && !slices.Contains(p.layers, layer):
		return "other-layers"
	}
	return p.column
}

// fewLayers have between them drafts, withheld rows and confidential values.
var fewLayers = []string{"", "bts_sites", "special_areas"}

// tries reports whether the principal is tried at a place.
func (p *principal) tries(layer string) bool { return !p.few || slices.Contains(fewLayers, layer) }

// ownGrants is what the principal may hand on, as JSON; for those without a grant what
// they may not.
func (p *principal) ownGrants() string {
	grants := p.grants
	if grants == nil {
		grants = []account.Grant{{Role: account.Operator}}
	}
	out, err := json.Marshal(grants)
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// roles are what people and keys of the matrix may do, by column.
var roles = []struct {
	column, organisation string
	grants               []account.Grant
}{
	{"person", "", nil},
	{"operator", "VNPT", []account.Grant{{Role: account.Operator}}},
	{"rival", "VIETTEL", []account.Grant{{Role: account.Operator}}},
	{"consulted", "BCHQS", []account.Grant{{Role: account.Consulted}}},
	{"asked", askedAgency, []account.Grant{{Role: account.Consulted}}},
	{"officer-here", "", []account.Grant{{Role: account.Officer, Territory: here}}},
	{"officer-far", "", []account.Grant{{Role: account.Officer, Territory: elsewhere}}},
	{"officer-layer", "", []account.Grant{{Role: account.Officer, Layers: []string{"kiosks", "special_areas"}}}},
	{"officer", "", []account.Grant{{Role: account.Officer}}},
	{"approver-here", "", []account.Grant{{Role: account.Approver, Territory: here}}},
	{"approver-far", "", []account.Grant{{Role: account.Approver, Territory: elsewhere}}},
	{"administrator", "", []account.Grant{{Role: account.Administrator}}},
}

// askedAgency is asked about the drafts of every layer.
const askedAgency = "SXD"

// The districts of the rows, and of those who are limited to another.
const here, elsewhere = "094", "095"

// newPrincipals makes everybody who asks.
func newPrincipals(t *testing.T, r *register) (all []*principal, administrator string) {
	t.Helper()
	add := func(p principal) { all = append(all, &p) }
	add(principal{name: "nobody", column: "anonymous", who: "public"})
	for _, role := range roles {
		p := principal{column: role.column, organisation: role.organisation, grants: role.grants}
		if len(p.grants) > 0 {
			p.layers = p.grants[0].Layers
		}
		id, key := r.key(t, 0, p.organisation, time.Time{}, p.grants...)
		p.name, p.headers, p.who = role.column+" by key", bearer(key), "key:"+id
		add(p)
		if p.column == "administrator" {
			administrator = key
		}
		login := "matrix-" + role.column
		p.person = r.person(t, login, p.organisation, p.grants...)
		token := r.session(t, p.person, time.Hour)
		p.name, p.headers, p.who, p.session = role.column+" by session", signedIn(token), "person:"+login, true
		p.few = !slices.Contains([]string{"person", "operator", "officer-here", "administrator"}, p.column)
		add(p)
		if p.few || p.column == "person" {
			continue
		}
		for name, headers := range forgeries(t, r, p.person, token) {
			forged := p
			forged.name, forged.headers, forged.forged = role.column+" by session, "+name, headers, true
			forged.few = name != "without its token" && (name != "from another origin" || p.column != "operator")
			add(forged)
		}
		id, key = r.key(t, p.person, p.organisation, time.Time{}, p.grants...)
		p.name, p.headers, p.who, p.session, p.few = role.column+" by a key of one's own", bearer(key), "key:"+id, false, true
		add(p)
	}
	for name, headers := range past(t, r) {
		column := "bad-key"
		if headers[0] == "Cookie" {
			column = "over"
		}
		few := !slices.Contains([]string{"expired key", "revoked key", "session of one disabled"}, name)
		add(principal{name: name, column: column, headers: headers, who: "public", few: few})
	}
	return all, administrator
}

// forgeries are the ways in which a request with a session's cookie is not our page's.
func forgeries(t *testing.T, r *register, person int64, token string) map[string][]string {
	t.Helper()
	other := r.session(t, person, time.Hour)
	return map[string][]string{
		"without its token":           {"Cookie", "hatang_session=" + token},
		"with another's token":        {"Cookie", "hatang_session=" + token, "X-CSRF-Token", account.CSRFToken(other)},
		"from another origin":         append(signedIn(token), "Origin", "https://other.example"),
		"from another site":           append(signedIn(token), "Sec-Fetch-Site", "cross-site"),
		"from an origin without name": append(signedIn(token), "Origin", "null"),
	}
}

// past are the credentials of what was good once, or never.
func past(t *testing.T, r *register) map[string][]string {
	t.Helper()
	ctx := context.Background()
	all := account.Grant{Role: account.Administrator}
	_, expired := r.key(t, 0, "", time.Now().Add(-time.Second), all)
	id, revoked := r.key(t, 0, "", time.Time{}, all)
	disabled, out := r.person(t, "matrix-disabled", "", all), r.person(t, "matrix-out", "", all)
	_, disabledKey := r.key(t, disabled, "", time.Time{}, all)
	sessions := map[string]string{
		"session of one disabled": r.session(t, disabled, time.Hour),
		"session signed out":      r.session(t, out, time.Hour),
		"session expired":         r.session(t, out, -time.Second),
	}
	yes := true
	for _, end := range []func() error{
		func() error { return r.store.RevokeKey(ctx, keeper, id) },
		func() error { return r.store.EndSession(ctx, keeper, sessions["session signed out"]) },
		func() error { return r.store.ChangePerson(ctx, keeper, disabled, account.PersonChange{Disabled: &yes}) },
	} {
		if err := patiently(end); err != nil {
			t.Fatal(err)
		}
	}
	headers := map[string][]string{
		"expired key": bearer(expired), "revoked key": bearer(revoked), "key of one disabled": bearer(disabledKey), "no key at all": bearer("htg_abcdefgh_x"),
	}
	for name, token := range sessions {
		headers[name] = signedIn(token)
	}
	return headers
}
