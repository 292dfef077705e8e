package postgis_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/postgis"
)

// consulting is a register in which agencies can be asked: SXD and BCHQS about drafts of
// VNPT in the district 094.
type consulting struct {
	*postgis.Store
	t                  *testing.T
	sites              *layer.Layer
	conn               *pgx.Conn
	asked, other, here account.Viewer // of SXD; of BCHQS; officer of 094
	draft, rest        int64          // of VNPT, in 094; the first is what SXD is asked about
}

func agencyOf(organisation string) account.Viewer {
	return member(organisation, account.Grant{Role: account.Consulted})
}

func newConsulting(t *testing.T) *consulting {
	t.Helper()
	s, layers, url := open(t)
	c := &consulting{Store: s, t: t, sites: get(t, layers, "bts_sites"), conn: connect(t, url), asked: agencyOf("SXD"), other: agencyOf("BCHQS"),
		here: account.Viewer{Name: "key:here", Grants: []account.Grant{{Role: account.Officer, Territory: "094"}}}}
	for _, o := range []string{"SXD agency", "BCHQS agency", "VNPT operator"} {
		var code, kind string
		if _, err := fmt.Sscan(o, &code, &kind); err != nil {
			t.Fatal(err)
		}
		run(t, c.conn, `INSERT INTO organisations (code, kind, name) VALUES ($1, $2, '{"vi": "x", "en": "x"}')`, code, kind)
	}
	for code, x := range map[string]float64{"094": 103, "095": 105} {
		f := sample(t, get(t, layers, "districts"), code)
		f.Geometry = box(x, 21, 1)
		create(t, s, get(t, layers, "districts"), f)
	}
	c.draft = draftOf(t, s, c.sites, "VNPT", "D1", orb.Point{103.5, 21.5})
	c.rest = draftOf(t, s, c.sites, "VNPT", "D2", orb.Point{103.6, 21.6})
	run(t, c.conn, "UPDATE bts_sites SET contact = 'Lan 0912', height_m = 31")
	return c
}

// ask has the officer of 094 ask SXD about the draft.
func (c *consulting) ask() int64 {
	c.t.Helper()
	id, err := c.AskAgency(context.Background(), c.here, question(c.draft))
	if err != nil {
		c.t.Fatal(err)
	}
	return id
}

func question(feature int64) account.NewConsultation {
	return account.NewConsultation{Collection: "bts_sites", Feature: feature, Agency: "SXD", Today: geo.NewDate(2026, 1, 2)}
}

// change takes a step and returns its error.
func (c *consulting) change(v account.Viewer, id int64, change account.ConsultationChange) error {
	return c.ChangeConsultation(context.Background(), v, id, change)
}

// seen are the drafts that a viewer sees, by all ways there are to them.
func (c *consulting) seen(v account.Viewer) []int64 {
	c.t.Helper()
	ctx := context.Background()
	var ids []int64
	q := layer.Query{Equal: []layer.Equality{{Field: "status", Value: layer.Draft}}}
	for id, contact := range values(c.t, c.Store, v, c.sites, q, "contact") {
		ids = append(ids, id)
		if contact != "" {
			c.t.Errorf("%s reads the contact %q", v.Name, contact)
		}
	}
	n, err := c.CountFeatures(ctx, v, c.sites, q)
	if err != nil || int(n) != len(ids) {
		c.t.Errorf("%s: %d rows are counted, %d listed, %v", v.Name, n, len(ids), err)
	}
	_, _, some, err := c.Extent(ctx, v, c.sites, geo.NewDate(2026, 1, 2))
	if err != nil || some != (len(ids) > 0) {
		c.t.Errorf("%s: an extent: %v, of %d rows, %v", v.Name, some, len(ids), err)
	}
	for _, id := range []int64{c.draft, c.rest} {
		if _, err := c.Feature(ctx, v, c.sites, id); errors.Is(err, layer.ErrNotFound) == slices.Contains(ids, id) {
			c.t.Errorf("%s: row %d: %v, listed %d", v.Name, id, err, ids)
		}
	}
	return ids
}

func TestAnAgencySeesWhatItIsAskedAbout(t *testing.T) {
	c := newConsulting(t)
	everyone := map[string]account.Viewer{"public": account.Anonymous(), "asked": c.asked, "other": c.other, "rival": operatorOf("VIETTEL"),
		"no role": member("SXD"), "of roads": member("SXD", account.Grant{Role: account.Consulted, Layers: []string{"roads"}}),
		"of a territory": member("SXD", account.Grant{Role: account.Consulted, Territory: "094"})}
	told := map[string]int64{}
	// shown looks at what everybody sees, and which of them are told of a change.
	shown := func(when string, want []int64, toAsked bool) {
		t.Helper()
		for name, v := range everyone {
			sees, version := []int64(nil), versionsOf(t, c.Store, v)["bts_sites"]
			if name == "asked" {
				sees = want
			}
			if diff := cmp.Diff(sees, c.seen(v)); diff != "" {
				t.Errorf("%s, the viewer %q (-want +got)\n%s", when, name, diff)
			}
			if was, known := told[name]; known && (version != was) != (toAsked && name == "asked") {
				t.Errorf("%s, the viewer %q is told version %d after %d", when, name, version, was)
			}
			told[name] = version
		}
	}
	shown("nobody is asked", nil, false)
	id := c.ask()
	shown("asked", []int64{c.draft}, true)
	run(t, c.conn, "UPDATE bts_sites SET height_m = 40 WHERE id = $1", c.draft)
	shown("the row is changed", []int64{c.draft}, true)
	run(t, c.conn, "UPDATE bts_sites SET height_m = 40 WHERE id = $1", c.rest)
	shown("another row is changed", []int64{c.draft}, false)
	if err := c.change(c.here, id, account.ConsultationChange{Withdraw: true}); err != nil {
		t.Fatal(err)
	}
	shown("withdrawn", nil, true)
	run(t, c.conn, "UPDATE bts_sites SET height_m = 50 WHERE id = $1", c.draft)
	shown("the row is changed afterwards", nil, false)
	id = c.ask()
	shown("asked again", []int64{c.draft}, true)
	if err := c.change(c.asked, id, account.ConsultationChange{Answer: "objected", Note: "quá gần đường"}); err != nil {
		t.Fatal(err)
	}
	shown("answered", []int64{c.draft}, false)
	run(t, c.conn, "DELETE FROM bts_sites WHERE id = $1", c.draft)
	shown("the row is removed", nil, true)
}

// What a server keeps in memory follows a consultation, though no row has changed.
func TestSnapshotsFollowConsultations(t *testing.T) {
	c := newConsulting(t)
	ctx := context.Background()
	for _, v := range []account.Viewer{c.asked, c.other, account.Anonymous(), officer()} {
		asked := permit.Asked{Viewer: v, Date: geo.NewDate(2026, 1, 2)}
		before, err := c.Facts(ctx, asked)
		if err != nil {
			t.Fatal(err)
		}
		id := c.ask()
		sees := v.Organisation == "SXD"
		for _, step := range []struct {
			name string
			do   func() error
			came bool
		}{
			{"asked", func() error { return nil }, sees},
			{"withdrawn", func() error { return c.change(c.here, id, account.ConsultationChange{Withdraw: true}) }, false},
		} {
			if err := step.do(); err != nil {
				t.Fatal(err)
			}
			now, err := c.Changes(ctx, asked, before.State)
			if err != nil || now.Whole || now.State.Same(before.State) {
				t.Fatalf("%s, %s: %+v, %v", v.Name, step.name, now.State, err)
			}
			if !slices.Contains(now.GoneMasts, c.draft) || len(now.Came.Masts) != map[bool]int{true: 1}[step.came || v.Sight("bts_sites").All] {
				t.Errorf("%s, %s: gone %d, came %+v", v.Name, step.name, now.GoneMasts, now.Came.Masts)
			}
			if whole, err := c.Facts(ctx, asked); err != nil || (len(whole.Masts) == 1) != (step.came && len(before.Masts) == 0) && !v.Sight("bts_sites").All {
				t.Errorf("%s, %s: %d masts are read anew, %v", v.Name, step.name, len(whole.Masts), err)
			}
			before.State = now.State
		}
	}
}

// A replay shows a draft to who is asked about it now, and to no other agency.
func TestReplaysKnowConsultations(t *testing.T) {
	c := newConsulting(t)
	then := scalar[time.Time](t, c.conn, "SELECT clock_timestamp()")
	run(t, c.conn, "UPDATE bts_sites SET status = 'existing' WHERE id = $1", c.rest)
	run(t, c.conn, "UPDATE bts_sites SET status = 'draft' WHERE id = $1", c.rest)
	c.ask()
	for _, v := range []account.Viewer{c.asked, c.other, account.Anonymous()} {
		facts, err := c.Facts(context.Background(), permit.Asked{Viewer: v, Date: geo.NewDate(2026, 1, 2), KnownAt: then})
		if err != nil || (len(facts.Masts) == 1 && facts.Masts[0].ID == c.draft) != (v.Organisation == "SXD") {
			t.Errorf("%s sees %+v, %v", v.Name, facts.Masts, err)
		}
	}
}

func TestWhoAsksAgencies(t *testing.T) {
	c := newConsulting(t)
	ctx := context.Background()
	far := draftOf(t, c.Store, c.sites, "VNPT", "F", orb.Point{105.5, 21.5})
	published := create(t, c.Store, c.sites, sample(t, c.sites, "P"))
	limited := func(role account.Role, layers []string, territory string) account.Viewer {
		return account.Viewer{Name: "key:x", Grants: []account.Grant{{Role: role, Layers: layers, Territory: territory}}}
	}
	for name, try := range map[string]struct {
		v       account.Viewer
		feature int64
		want    error
	}{
		"the public":                         {account.Anonymous(), c.draft, layer.ErrForbidden},
		"the owner":                          {operatorOf("VNPT"), c.draft, layer.ErrForbidden},
		"the agency itself":                  {c.asked, published, layer.ErrForbidden},
		"an approver":                        {limited(account.Approver, nil, ""), c.draft, layer.ErrForbidden},
		"an officer of roads":                {limited(account.Officer, []string{"roads"}, ""), published, layer.ErrForbidden},
		"about a published row elsewhere":    {limited(account.Officer, nil, "095"), published, layer.ErrForbidden},
		"an officer here":                    {c.here, c.draft, nil},
		"about what is published":            {c.here, published, nil},
		"an officer everywhere":              {officer(), far, nil},
		"an officer of the layer, the other": {limited(account.Officer, []string{"bts_sites"}, ""), c.rest, nil},
	} {
		if _, err := c.AskAgency(ctx, try.v, question(try.feature)); !errors.Is(err, try.want) {
			t.Errorf("%s: %v, want %v", name, err, try.want)
		}
	}
	for _, v := range []account.Viewer{c.here, account.Terminal("t")} {
		if _, err := c.AskAgency(ctx, v, question(c.draft)); !errors.Is(err, layer.ErrConflict) {
			t.Errorf("asked twice: %v", err)
		}
	}
	for name, bad := range map[string]account.NewConsultation{
		"/feature /agency /due_on":    {Collection: "bts_sites", Feature: far, Agency: "VNPT", DueOn: geo.NewDate(2026, 1, 1), Today: geo.NewDate(2026, 1, 2)},
		"/collection /agency":         {Collection: "none", Feature: 1, Agency: "NOBODY"},
		"/collection /due_on":         {Collection: "roads", Feature: 1, Agency: "SXD", DueOn: geo.NewDate(2026, 1, 1), Today: geo.NewDate(2026, 1, 2)},
		"/feature":                    {Collection: "bts_sites", Feature: 12345, Agency: "BCHQS"},
		"/agency (an empty question)": {Collection: "bts_sites", Feature: c.rest},
	} {
		_, err := c.AskAgency(ctx, c.here, bad)
		var invalid *layer.InvalidError
		if !errors.As(err, &invalid) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		at := ""
		for _, f := range invalid.Faults {
			at += f.At + " "
		}
		if want, _, _ := strings.Cut(name, " ("); at != want+" " {
			t.Errorf("%s: faults at %s", name, at)
		}
	}
}

func TestConsultationsEndOnce(t *testing.T) {
	c := newConsulting(t)
	late := geo.NewDate(2026, 3, 1)
	id := c.ask()
	for name, try := range map[string]struct {
		v      account.Viewer
		change account.ConsultationChange
		want   error
	}{
		"another agency answers":     {c.other, account.ConsultationChange{Answer: "agreed"}, layer.ErrNotFound},
		"the owner withdraws":        {operatorOf("VNPT"), account.ConsultationChange{Withdraw: true}, layer.ErrNotFound},
		"an officer answers":         {c.here, account.ConsultationChange{Answer: "agreed"}, layer.ErrForbidden},
		"an administrator answers":   {account.Terminal("t"), account.ConsultationChange{Answer: "agreed"}, layer.ErrForbidden},
		"the agency withdraws":       {c.asked, account.ConsultationChange{Withdraw: true}, layer.ErrForbidden},
		"the agency takes its time":  {c.asked, account.ConsultationChange{DueOn: &late}, layer.ErrForbidden},
		"an approver withdraws":      {account.Viewer{Name: "key:a", Grants: []account.Grant{{Role: account.Approver, Territory: "094"}}}, account.ConsultationChange{Withdraw: true}, layer.ErrForbidden},
		"an officer of 095":          {account.Viewer{Name: "key:f", Grants: []account.Grant{{Role: account.Officer, Territory: "095"}}}, account.ConsultationChange{Withdraw: true}, layer.ErrNotFound},
		"another officer, more time": {account.Viewer{Name: "key:o", Grants: []account.Grant{{Role: account.Officer, Territory: "094"}}}, account.ConsultationChange{DueOn: &late}, nil},
	} {
		if err := c.change(try.v, id, try.change); !errors.Is(err, try.want) {
			t.Errorf("%s: %v, want %v", name, err, try.want)
		}
	}
	if err := c.change(c.asked, id, account.ConsultationChange{Answer: "agreed_with_conditions", Note: "cao không quá 30 m"}); err != nil {
		t.Fatal(err)
	}
	got, err := c.Consultation(context.Background(), c.here, id)
	if err != nil || got.State != account.Answered || got.DueOn != late || *got.Answer != "agreed_with_conditions" || *got.Note != "cao không quá 30 m" || *got.AnsweredBy != c.asked.Name || got.AskedBy != "key:here" || got.AnsweredAt == nil || got.Withdrawn != nil {
		t.Errorf("%+v, %v", got, err)
	}
	for name, again := range map[string]struct {
		v      account.Viewer
		change account.ConsultationChange
	}{
		"answered again": {c.asked, account.ConsultationChange{Answer: "agreed"}}, "withdrawn after": {c.here, account.ConsultationChange{Withdraw: true}}, "extended after": {c.here, account.ConsultationChange{DueOn: &late}},
	} {
		if err := c.change(again.v, id, again.change); !errors.Is(err, layer.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// By no other path either.
	for _, sql := range []string{"UPDATE consultations SET answer = 'agreed'", "UPDATE consultations SET withdrawn_at = now()", "UPDATE consultations SET due_on = NULL"} {
		if _, err := c.conn.Exec(context.Background(), sql); code(err) != "23001" {
			t.Errorf("%s: %v", sql, err)
		}
	}
	steps := scalar[string](t, c.conn, "SELECT string_agg(who || ' ' || action || ' ' || subject, ', ' ORDER BY id) FROM audit WHERE action LIKE 'consultation.%'")
	if want := fmt.Sprintf("key:here consultation.asked consultation:%[1]d, key:o consultation.changed consultation:%[1]d, person:SXD consultation.answered consultation:%[1]d", id); steps != want {
		t.Errorf("the audit has %s, want %s", steps, want)
	}
}

func TestConsultationsAreListedForThoseConcerned(t *testing.T) {
	c := newConsulting(t)
	ctx := context.Background()
	far := draftOf(t, c.Store, c.sites, "VNPT", "F", orb.Point{105.5, 21.5})
	first := c.ask()
	there := question(far)
	there.Agency = "BCHQS"
	second, err := c.AskAgency(ctx, officer(), there)
	if err != nil {
		t.Fatal(err)
	}
	third, err := c.AskAgency(ctx, c.here, question(c.rest))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.change(c.here, third, account.ConsultationChange{Withdraw: true}); err != nil {
		t.Fatal(err)
	}
	list := func(v account.Viewer, q account.ConsultationQuery) (ids []int64) {
		t.Helper()
		if q.Limit == 0 {
			q.Limit = 100
		}
		found, err := c.Consultations(ctx, v, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			ids = append(ids, f.ID)
		}
		return ids
	}
	officerOf := func(role account.Role, territory string, layers ...string) account.Viewer {
		return account.Viewer{Name: "key:x", Grants: []account.Grant{{Role: role, Territory: territory, Layers: layers}}}
	}
	for name, want := range map[string]struct {
		v   account.Viewer
		ids []int64
	}{
		"administrator": {account.Terminal("t"), []int64{third, second, first}}, "officer": {officer(), []int64{third, second, first}},
		"approver of 094": {officerOf(account.Approver, "094"), []int64{third, first}}, "officer of 095": {officerOf(account.Officer, "095"), []int64{second}},
		"officer of roads": {officerOf(account.Officer, "", "roads"), nil}, "the agency": {c.asked, []int64{third, first}}, "the other": {c.other, []int64{second}},
		"the owner": {operatorOf("VNPT"), nil}, "public": {account.Anonymous(), nil}, "a colleague without the role": {member("SXD"), nil},
	} {
		if diff := cmp.Diff(want.ids, list(want.v, account.ConsultationQuery{})); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
		for _, id := range []int64{first, second, third} {
			if _, err := c.Consultation(ctx, want.v, id); errors.Is(err, layer.ErrNotFound) == slices.Contains(want.ids, id) {
				t.Errorf("%s, one by one: %v", name, err)
			}
		}
	}
	for name, want := range map[string]struct {
		q   account.ConsultationQuery
		ids []int64
	}{
		"open": {account.ConsultationQuery{State: account.Open}, []int64{first}}, "withdrawn": {account.ConsultationQuery{State: account.Withdrawn}, []int64{third}}, "answered": {account.ConsultationQuery{State: account.Answered}, nil},
		"a page": {account.ConsultationQuery{Limit: 1}, []int64{third}}, "the next": {account.ConsultationQuery{After: third}, []int64{first}},
		"after one that is not theirs": {account.ConsultationQuery{After: second}, nil}, "another layer": {account.ConsultationQuery{Collection: "kiosks"}, nil},
	} {
		if diff := cmp.Diff(want.ids, list(c.asked, want.q)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	// Who asked goes on with it when the row is gone.
	run(t, c.conn, "DELETE FROM bts_sites WHERE id = $1", c.draft)
	if diff := cmp.Diff([]int64{third, first}, list(c.here, account.ConsultationQuery{})); diff != "" {
		t.Error(diff)
	}
	if err := c.change(c.here, first, account.ConsultationChange{Withdraw: true}); err != nil {
		t.Error(err)
	}
}

// What an agency sees each question says: a grant that ends at a territory is refused.
func TestAConsultedGrantNamesNoTerritory(t *testing.T) {
	c := newConsulting(t)
	add := func(territory string) error {
		id, key := account.NewKey()
		return c.AddKey(context.Background(), account.Terminal("t"), account.NewKeyRecord{ID: id, Hash: account.Hash(key), Name: "x", Organisation: "SXD",
			Grants: []account.Grant{{Role: account.Consulted, Layers: []string{"bts_sites"}, Territory: territory}}})
	}
	var invalid *layer.InvalidError
	if err := add("094"); !errors.As(err, &invalid) || len(invalid.Faults) != 1 || invalid.Faults[0].At != "/grants/0/territory" {
		t.Errorf("of a territory: %v", err)
	}
	if err := add(""); err != nil {
		t.Error(err)
	}
}
