package postgis_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// shared is a register in which VIETTEL (asker) asks VNPT (owner) for its mast or its duct,
// both in the district 094; MOBIFONE (third) has to do with neither.
type shared struct {
	*filing
	asker, owner, third, admin account.Viewer
	mast, duct                 int64
}

var askedOn = geo.NewDate(2026, 3, 2) // a Monday

func newSharing(t *testing.T) *shared {
	t.Helper()
	return sharingIn(newFiling(t))
}

// sharingIn has them share in a register that there is.
func sharingIn(in *filing) *shared {
	f := &shared{filing: in, admin: account.Holder("key:admin", account.Administrator)}
	for _, code := range []string{"VIETTEL", "MOBIFONE"} {
		run(f.t, f.conn, `INSERT INTO organisations (code, kind, name) VALUES ($1, 'operator', '{"vi": "x", "en": "x"}') ON CONFLICT DO NOTHING`, code)
	}
	f.asker, f.owner, f.third = f.rival, f.operator, operatorOf("MOBIFONE")
	f.mast, f.duct = f.ofVNPT("bts_sites", "M1"), f.ofVNPT("ducts", "K1")
	return f
}

// ofVNPT makes a row of VNPT's that stands, and was a draft: its id is beyond 32 bits.
func (f *shared) ofVNPT(collection, code string) int64 {
	f.t.Helper()
	l := get(f.t, f.layers, collection)
	one := sample(f.t, l, code)
	one.Properties["owner_organisation"], one.Properties["valid_from"], one.Properties["status"] = "VNPT", geo.NewDate(2020, 1, 1), layer.Draft
	id := create(f.t, f.Store, l, one)
	if id <= math.MaxUint32 {
		f.t.Fatalf("the id %d is no draft's", id)
	}
	run(f.t, f.conn, "UPDATE "+collection+" SET status = 'existing' WHERE id = $1", id)
	return id
}

func (f *shared) request(collection string, feature int64) permit.NewShare {
	height := 30.0
	return permit.NewShare{Number: permit.NewShareNumber(askedOn), Collection: collection, Feature: feature, Reasons: "phủ sóng bản mới", Today: askedOn,
		Wanted: permit.Wanted{HeightM: &height, Technologies: []string{"4G"}, From: geo.NewDate(2026, 6, 1)}}
}

// together asks VNPT and MOBIFONE to build at a point.
func (f *shared) together() permit.NewShare {
	n := f.request("bts_sites", 0)
	n.Point, n.Partners = &[2]float64{103.4, 21.4}, []string{"VNPT", "MOBIFONE"}
	return n
}

// ask has the asker ask, and returns the number.
func (f *shared) ask(n permit.NewShare) string {
	f.t.Helper()
	if err := f.AskToShare(context.Background(), f.asker, n); err != nil {
		f.t.Fatal(err)
	}
	return n.Number
}

func (f *shared) step(v account.Viewer, number string, d permit.ShareDecision) error {
	if d.Today.IsZero() {
		d.Today = askedOn
	}
	_, _, err := f.DecideShare(context.Background(), v, number, d)
	return err
}

func (f *shared) steps(v account.Viewer, number string, d permit.ShareDecision) {
	f.t.Helper()
	if err := f.step(v, number, d); err != nil {
		f.t.Fatalf("%s, %s: %v", v.Name, d.Action, err)
	}
}

func (f *shared) seen(v account.Viewer, number string) permit.ShareRequest {
	f.t.Helper()
	r, err := f.SharingRequest(context.Background(), v, number, askedOn)
	if err != nil {
		f.t.Fatalf("%s: %v", v.Name, err)
	}
	return r
}

func room() *permit.Capacity {
	places := int64(2)
	return &permit.Capacity{Places: &places}
}

func offer() *permit.Agreement {
	return &permit.Agreement{Terms: "thuê theo tháng", Shares: []permit.CapitalShare{{Organisation: "VNPT", Percent: 60_50}, {Organisation: "VIETTEL", Percent: 39_50}}}
}

func accepts() permit.ShareDecision {
	return permit.ShareDecision{Action: permit.ShareAccept, Capacity: room(), Agreement: offer()}
}

func declines() permit.ShareDecision {
	return permit.ShareDecision{Action: permit.ShareDecline, Capacity: room(), Reasons: "hết tải"}
}

func TestTheMachineOfSharingIsOne(t *testing.T) {
	_, _, url := open(t)
	rows, err := connect(t, url).Query(context.Background(), "SELECT before, action, party, after FROM sharing_transitions")
	if err != nil {
		t.Fatal(err)
	}
	kept, err := pgx.CollectRows(rows, pgx.RowToStructByPos[permit.ShareTransition])
	if err != nil {
		t.Fatal(err)
	}
	byText := func(a, b permit.ShareTransition) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
	ours := permit.ShareTransitions()
	slices.SortFunc(kept, byText)
	slices.SortFunc(ours, byText)
	if diff := cmp.Diff(ours, kept); diff != "" {
		t.Errorf("Go and the database differ (-Go +database)\n%s", diff)
	}
}

// What is agreed on makes the operator position, as of the day that was agreed on.
func TestSharingFromAskingToAgreement(t *testing.T) {
	f := newSharing(t)
	number := f.ask(f.request("bts_sites", f.mast))
	r := f.seen(f.owner, number)
	if r.State != permit.ShareAsked || r.DueOn != geo.NewDate(2026, 3, 23) || r.Overdue || r.Wanted == nil || *r.Wanted.HeightM != 30 || *r.Code != "M1" || r.Partners[0].Organisation != "VNPT" {
		t.Fatalf("asked: %+v", r)
	}
	if diff := cmp.Diff([]permit.ShareAction{permit.ShareAccept, permit.ShareDecline}, r.Actions); diff != "" {
		t.Errorf("what the owner may do (-want +got)\n%s", diff)
	}
	f.steps(f.owner, number, accepts())
	if r = f.seen(f.asker, number); r.State != permit.ShareAccepted || !r.DueOn.IsZero() || r.Partners[0].AnsweredOn != askedOn || r.Steps[1].Agreement.Shares[0].Percent != 60_50 || r.Steps[1].Who != nil {
		t.Fatalf("accepted: %+v", r)
	}
	if diff := cmp.Diff([]permit.ShareAction{permit.ShareMediate, permit.ShareAgree, permit.ShareWithdraw}, r.Actions); diff != "" {
		t.Errorf("what the asker may do (-want +got)\n%s", diff)
	}
	before := scalar[int64](t, f.conn, "SELECT sum(version) FROM layer_versions WHERE layer = 'operator_positions' AND audience = 'public'")
	f.steps(f.asker, number, permit.ShareDecision{Action: permit.ShareAgree, Revision: 2})
	r = f.seen(f.asker, number)
	if r.State != permit.ShareAgreed || r.Position == nil || len(r.Actions) != 0 {
		t.Fatalf("agreed: %+v", r)
	}
	if _, err := f.Feature(t.Context(), account.Anonymous(), get(t, f.layers, "operator_positions"), *r.Position); err != nil {
		t.Errorf("the public sees it: %v", err)
	}
	got := scalar[string](t, f.conn, "SELECT concat_ws(' ', code, site_code, operator, status, valid_from, owner_organisation, technologies) FROM operator_positions WHERE id = $1", *r.Position)
	if want := "M1-VIETTEL M1 VIETTEL existing 2026-03-02 VIETTEL {4G}"; got != want {
		t.Errorf("the position is %s, want %s", got, want)
	}
	if after := scalar[int64](t, f.conn, "SELECT sum(version) FROM layer_versions WHERE layer = 'operator_positions' AND audience = 'public'"); after != before+1 {
		t.Errorf("version %d after %d", after, before)
	}
	if who := scalar[string](t, f.conn, "SELECT who FROM history WHERE layer = 'operator_positions' AND feature_id = $1", *r.Position); who != f.asker.Name {
		t.Errorf("the history says %s", who)
	}
	again := f.request("bts_sites", f.mast)
	if err := f.AskToShare(t.Context(), f.asker, again); !isInvalid(err) {
		t.Errorf("asked where it is already: %v", err)
	}
}

func TestSharingIsMediated(t *testing.T) {
	f := newSharing(t)
	late := geo.NewDate(2026, 4, 1)
	number := f.ask(f.request("ducts", f.duct))
	mediate := permit.ShareDecision{Action: permit.ShareMediate}
	var refused *permit.RefusedError
	if err := f.step(f.asker, number, mediate); !errors.As(err, &refused) {
		t.Errorf("before the period ends: %v", err)
	}
	if list, err := f.SharingRequests(t.Context(), f.officer, permit.ShareQuery{Overdue: true, Today: late, Limit: 9}); err != nil || len(list) != 1 || !list[0].Overdue {
		t.Errorf("overdue: %+v, %v", list, err)
	}
	mediate.Today = late
	f.steps(f.officer, number, mediate)
	agree := permit.ShareDecision{Action: permit.ShareAgree, Today: late, Agreement: &permit.Agreement{Terms: "2 ống"}, Document: &permit.ShareDocument{Number: "7/BB", Date: late}}
	f.steps(f.officer, number, agree)
	if r := f.seen(f.owner, number); r.State != permit.ShareAgreed || r.Position != nil || r.Steps[2].Document.Number != "7/BB" || r.Steps[2].Who != nil || r.Steps[2].Organisation != nil {
		t.Errorf("mediated: %+v", r)
	}
	if n := scalar[int64](t, f.conn, "SELECT count(*) FROM operator_positions"); n != 0 {
		t.Errorf("%d positions for a duct", n)
	}
	// Of several each answers by himself; what differs is mediated.
	number = f.ask(f.together())
	f.steps(f.owner, number, permit.ShareDecision{Action: permit.ShareAccept, Agreement: &permit.Agreement{Terms: "A"}})
	if err := f.step(f.owner, number, declines()); !errors.As(err, &refused) {
		t.Errorf("answered twice: %v", err)
	}
	if err := f.step(f.asker, number, permit.ShareDecision{Action: permit.ShareAgree}); !errors.As(err, &refused) {
		t.Errorf("agreed while one is silent: %v", err)
	}
	if r := f.seen(f.third, number); r.DueOn.IsZero() || slices.Contains(r.Actions, permit.ShareAgree) || *r.Point != [2]float64{103.4, 21.4} {
		t.Errorf("one has answered: %+v", r)
	}
	f.steps(f.third, number, permit.ShareDecision{Action: permit.ShareAccept, Agreement: &permit.Agreement{Terms: "B"}})
	if err := f.step(f.asker, number, permit.ShareDecision{Action: permit.ShareAgree}); !errors.As(err, &refused) {
		t.Errorf("agreed to what differs: %v", err)
	}
	f.steps(f.asker, number, mediate)
	f.steps(f.admin, number, permit.ShareDecision{Action: permit.ShareRefuse, Reasons: "không đạt"})
	figures, err := f.SharingFigures(t.Context())
	if err != nil || len(figures) != 1 || figures[0].Requests != 2 || figures[0].Owner != nil || figures[0].Outcomes[permit.ShareRefused] != 1 || figures[0].Answered != 1 || *figures[0].MostDays != 0 {
		t.Errorf("figures: %+v, %v", figures, err)
	}
	// Where the plan of the place says so, the figures name who was asked.
	run(t, f.conn, `INSERT INTO plans (id, version, title, jurisdiction, valid_from, reference_date, pi, pi_source, settings)
		SELECT 'x', 1, '{"vi": "x", "en": "x"}', jurisdiction, '2020-01-01', '2020-01-01', 3.14, 'x', '{"sharing_figures_name_owners": true}' FROM sharing_requests WHERE jurisdiction IS NOT NULL`)
	if figures, err = f.SharingFigures(t.Context()); err != nil || len(figures) != 2 || figures[0].Owner != nil || figures[0].Requests != 1 || *figures[1].Owner != "VNPT" || figures[1].Outcomes[permit.ShareAgreed] != 1 {
		t.Errorf("figures with names: %+v, %v", figures, err)
	}
}

// Who is no party and no staff of the place is told what he is told of a request there is not.
func TestWhoSeesARequestToShare(t *testing.T) {
	f := newSharing(t)
	ctx := context.Background()
	number := f.ask(f.request("bts_sites", f.mast))
	scoped := f.owner
	scoped.Name, scoped.Grants = "key:ducts", []account.Grant{{Role: account.Operator, Layers: []string{"ducts"}}}
	for name, of := range map[string]struct {
		v    account.Viewer
		does permit.ShareAction // "" for nothing that he may; "nothing" where he does not see it
	}{
		"the asker": {f.asker, permit.ShareWithdraw}, "the owner": {f.owner, permit.ShareDecline}, "one of the owner's without a role": {member("VNPT"), ""},
		"the officer": {f.officer, permit.ShareMediate}, "the approver": {f.approver, ""}, "the administrator": {f.admin, permit.ShareMediate},
		"the public": {account.Anonymous(), "nothing"}, "a third operator": {f.third, "nothing"}, "an officer of elsewhere": {f.far, "nothing"}, "an agency": {f.agency, "nothing"}, "a key for ducts": {scoped, "nothing"},
		"staff who are the owner's": {member("VNPT", account.Grant{Role: account.Officer}), ""},
	} {
		_, err := f.SharingRequest(ctx, of.v, number, askedOn)
		_, none := f.SharingRequest(ctx, of.v, permit.NewShareNumber(askedOn), askedOn)
		list, listErr := f.SharingRequests(ctx, of.v, permit.ShareQuery{Limit: 9, Today: askedOn})
		after, afterErr := f.SharingRequests(ctx, of.v, permit.ShareQuery{After: number, Limit: 9, Today: askedOn})
		if sees := of.does != "nothing"; sees != (err == nil) || sees != (len(list) == 1) || err != nil && (err.Error() != none.Error() || !errors.Is(err, layer.ErrNotFound)) || errors.Join(listErr, afterErr) != nil || len(after) != 0 {
			t.Errorf("%s: %v, %d listed, %d after, %v", name, err, len(list), len(after), errors.Join(listErr, afterErr))
		}
		for _, action := range permit.ShareActions() {
			err := f.step(of.v, number, permit.ShareDecision{Action: action, Revision: 99, Reasons: "x"})
			switch want := layer.ErrStale; {
			case of.does == "nothing" && !errors.Is(err, layer.ErrNotFound), of.does != "nothing" && !errors.Is(err, want):
				t.Errorf("%s, %s: %v", name, action, err)
			}
			if of.does == "" {
				want := layer.ErrForbidden
				if action == permit.ShareAgree || action == permit.ShareRefuse { // nobody may, of what is asked
					want = layer.ErrConflict
				}
				if err := f.step(of.v, number, permit.ShareDecision{Action: action, Reasons: "x"}); !errors.Is(err, want) {
					t.Errorf("%s, %s: %v", name, action, err)
				}
			}
		}
	}
	for v, want := range map[*account.Viewer]error{&f.third: nil, &f.officer: layer.ErrForbidden, &f.agency: layer.ErrForbidden} {
		if err := f.AskToShare(ctx, *v, f.request("bts_sites", f.mast)); !errors.Is(err, want) {
			t.Errorf("%s asks: %v", v.Name, err)
		}
	}
	limited := f.third
	limited.Grants = []account.Grant{{Role: account.Operator, Territory: "095"}}
	if err := f.AskToShare(ctx, limited, f.request("ducts", f.duct)); !errors.Is(err, layer.ErrForbidden) {
		t.Errorf("asked outside the territory of the role: %v", err)
	}
	// Nobody acts on both sides, by whatever name.
	turned := operatorOf("VNPT")
	turned.Name = "person:turned"
	asked := f.asker
	asked.Person = 77
	turned.Person = 77
	n := f.request("ducts", f.duct)
	if err := f.AskToShare(ctx, asked, n); err != nil {
		t.Fatal(err)
	}
	if err := f.step(turned, n.Number, declines()); !errors.Is(err, layer.ErrForbidden) {
		t.Errorf("who asked answers: %v", err)
	}
}

func TestWhatCannotBeAskedFor(t *testing.T) {
	f := newSharing(t)
	ctx := context.Background()
	own := f.request("bts_sites", f.mast)
	if err := f.AskToShare(ctx, f.owner, own); !isInvalid(err) {
		t.Errorf("one's own: %v", err)
	}
	partners := f.together()
	partners.Partners = []string{"VIETTEL", "SXD", "NOBODY"}
	var invalid *layer.InvalidError
	if err := f.AskToShare(ctx, f.asker, partners); !errors.As(err, &invalid) || len(invalid.Faults) != 3 {
		t.Errorf("partners: %v", err)
	}
	for name, n := range map[string]permit.NewShare{"another's draft": f.request("bts_sites", f.draft), "nothing": f.request("bts_sites", 999)} {
		if err := f.AskToShare(ctx, f.asker, n); !isInvalid(err) || !strings.Contains(err.Error(), "there is no such feature") {
			t.Errorf("%s: %v", name, err)
		}
	}
	f.ask(f.request("bts_sites", f.mast))
	var refused *permit.RefusedError
	if err := f.AskToShare(ctx, f.asker, f.request("bts_sites", f.mast)); !errors.As(err, &refused) {
		t.Errorf("asked twice: %v", err)
	}
	number := f.ask(f.together())
	for name, a := range map[string]*permit.Agreement{"none": nil, "nothing": {}, "ninety percent": {Shares: []permit.CapitalShare{{Organisation: "VNPT", Percent: 90_00}}},
		"a stranger": {Shares: []permit.CapitalShare{{Organisation: "SFONE", Percent: permit.Whole}}}, "twice": {Shares: []permit.CapitalShare{{Organisation: "VNPT", Percent: 50_00}, {Organisation: "VNPT", Percent: 50_00}}}} {
		if err := f.step(f.owner, number, permit.ShareDecision{Action: permit.ShareAccept, Agreement: a}); !isInvalid(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
