package postgis_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/postgis"
)

// Random steps by random people end as the plain model says.
func TestSharingFollowsTheModel(t *testing.T) {
	f := newSharing(t)
	people := map[string]account.Viewer{"asker": f.asker, "owner": f.owner, "third": f.third, "officer": f.officer, "far": f.far, "approver": f.approver, "agency": f.agency}
	names := []string{"asker", "owner", "third", "officer", "far", "approver", "agency"}
	random := rand.New(rand.NewPCG(7, 44))
	taken, ends := 0, map[permit.ShareState]int{}
	for round := range 20 {
		duct := f.ofVNPT("ducts", fmt.Sprint("R", round))
		number := f.ask(f.request("ducts", duct))
		state, revision := permit.ShareAsked, int64(1)
		for range 16 {
			who, action := names[random.IntN(len(names))], permit.ShareActions()[random.IntN(6)]
			if open := sharesFrom(state); random.IntN(3) == 0 && len(open) > 0 { // else most would be refused
				step := open[random.IntN(len(open))]
				action, who = step.Action, map[permit.ShareParty]string{permit.ShareAsker: "asker", permit.SharePartner: "owner", permit.ShareOfficer: "officer"}[step.Party]
			}
			d := permit.ShareDecision{Action: action, Reasons: "x", Today: askedOn}
			if random.IntN(2) == 0 {
				d.Today = geo.NewDate(2026, 5, 1) // everything is overdue
			}
			if random.IntN(4) == 0 {
				d.Revision = revision - int64(random.IntN(2))
			}
			if action == permit.ShareAccept || action == permit.ShareDecline {
				d.Capacity = room()
			}
			if action == permit.ShareAccept || action == permit.ShareAgree && who == "officer" {
				d.Agreement = offer()
			}
			want, next := modelOf(state, revision, who, d)
			if got := outcomeOf(f.step(people[who], number, d)); got != want {
				t.Fatalf("round %d: %s, %s at %s %d (decided on %d, %s): %q, the model says %q", round, who, action, state, revision, d.Revision, d.Today, got, want)
			}
			if want == "" {
				state, revision, taken = next, revision+1, taken+1
			}
			if got := scalar[string](t, f.conn, "SELECT state || revision FROM sharing_requests WHERE number = $1", number); got != fmt.Sprint(state, revision) {
				t.Fatalf("round %d: it is %s, the model says %s%d", round, got, state, revision)
			}
		}
		ends[state]++
		if n := len(f.seen(f.officer, number).Steps); n != int(revision) {
			t.Fatalf("round %d: %d steps at revision %d", round, n, revision)
		}
	}
	if ends[permit.ShareAgreed] == 0 || ends[permit.ShareRefused] == 0 || ends[permit.ShareWithdrawn] == 0 || taken < 30 {
		t.Errorf("the steps lead nowhere: %v, %d taken", ends, taken)
	}
	t.Logf("%d taken, %v", taken, ends)
}

// sharesFrom are the transitions from a state.
func sharesFrom(state permit.ShareState) (from []permit.ShareTransition) {
	for _, t := range permit.ShareTransitions() {
		if t.Before == state {
			from = append(from, t)
		}
	}
	return from
}

// modelOf says what becomes of a step on a request for a feature: "" where it is taken, and
// the state then.
func modelOf(state permit.ShareState, revision int64, who string, d permit.ShareDecision) (string, permit.ShareState) {
	if !slices.Contains([]string{"asker", "owner", "officer", "approver"}, who) {
		return "not found", state
	}
	if d.Revision != 0 && d.Revision != revision {
		return "stale", state
	}
	// From which states who does what, and where it leads.
	from := map[string]string{"asker withdraw": "asked accepted declined mediation", "asker mediate": "asked accepted declined", "asker agree": "accepted",
		"owner accept": "asked", "owner decline": "asked", "officer mediate": "asked accepted declined", "officer agree": "mediation", "officer refuse": "mediation",
		"another partner accept": "asked accepted", "another partner decline": "asked accepted"}
	states, may := from[who+" "+string(d.Action)]
	in := func(states string) bool { return slices.Contains(strings.Fields(states), string(state)) }
	for of, states := range from {
		if !may && strings.HasSuffix(of, " "+string(d.Action)) && in(states) {
			return "forbidden", state // for others
		}
	}
	switch {
	case !may, !in(states), d.Action == permit.ShareMediate && state == permit.ShareAsked && d.Today == askedOn:
		return "conflict", state
	}
	return "", map[permit.ShareAction]permit.ShareState{permit.ShareAccept: "accepted", permit.ShareDecline: "declined", permit.ShareMediate: "mediation", permit.ShareAgree: "agreed",
		permit.ShareRefuse: "refused", permit.ShareWithdraw: "withdrawn"}[d.Action]
}

// Of eight who answer, withdraw or decide at once on two servers one is taken, and every
// step that is taken stays.
func TestSharingIsDecidedOnce(t *testing.T) {
	f := newSharing(t)
	second, err := postgis.Open(context.Background(), f.url, f.layers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(second.Close)
	for round := range 6 {
		number := f.ask(f.request("bts_sites", f.ofVNPT("bts_sites", fmt.Sprint("C", round))))
		revision := int64(1)
		if round%2 == 1 {
			revision = 0 // whatever it is at
		}
		errs := make([]error, 8)
		var all sync.WaitGroup
		begin := make(chan struct{})
		for n := range errs {
			store, v, d := []*postgis.Store{f.Store, second}[n%2], f.owner, accepts()
			v.Name, v.Person = fmt.Sprint("person:owner-", n), int64(100+n)
			switch n % 4 {
			case 1:
				d = declines()
			case 3:
				v, d = f.asker, permit.ShareDecision{Action: permit.ShareWithdraw}
			}
			d.Revision, d.Today = revision, askedOn
			all.Go(func() {
				<-begin
				_, _, errs[n] = store.DecideShare(context.Background(), v, number, d)
			})
		}
		close(begin)
		all.Wait()
		taken := 0
		for n, err := range errs {
			if err == nil {
				taken++
			} else if !errors.Is(err, layer.ErrStale) && !errors.Is(err, layer.ErrConflict) {
				t.Errorf("%d: %v", n, err)
			}
		}
		r := f.seen(f.officer, number)
		answers := 0
		for _, s := range r.Steps {
			if s.Party == permit.SharePartner {
				answers++
			}
		}
		if answers > 1 || revision != 0 && taken != 1 || int(r.Revision) != 1+taken || len(r.Steps) != 1+taken || r.Steps[taken].After != r.State {
			t.Errorf("%d taken, %d answers: %+v", taken, answers, r)
		}
	}
}

// The state machine as the serving role and the owner of the tables see it.
func TestNoStatementLeadsPastSharing(t *testing.T) {
	f := newSharing(t)
	number := f.ask(f.request("bts_sites", f.mast))
	app := connect(t, f.url)
	run(t, app, "SET ROLE hatang_app")
	ctx := context.Background()
	for _, sql := range []string{"UPDATE sharing_requests SET state = 'agreed'", "DELETE FROM sharing_requests", "TRUNCATE sharing_requests CASCADE", "UPDATE sharing_partners SET answered_on = now()", "DELETE FROM sharing_partners",
		"UPDATE sharing_steps SET reasons = 'x'", "DELETE FROM sharing_steps", "INSERT INTO sharing_transitions VALUES ('asked', 'agree', 'asker', 'agreed')", "INSERT INTO sharing_requests (number, state) VALUES ('x', 'agreed')",
		"INSERT INTO sharing_steps (request, who) VALUES ('x', 'y')", "SELECT sharing_steps_do()", "ALTER TABLE sharing_steps DISABLE TRIGGER ALL"} {
		if _, err := app.Exec(ctx, sql); code(err) != "42501" && code(err) != "0A000" {
			t.Errorf("%s: %v", sql, err)
		}
	}
	n := 0
	for _, party := range []permit.ShareParty{permit.ShareAsker, permit.SharePartner, permit.ShareOfficer, "nobody"} {
		for _, action := range append(permit.ShareActions(), permit.ShareAsk, "fly") {
			if _, _, err := permit.NextShare(permit.ShareAsked, action, []permit.ShareParty{party}); err == nil {
				continue
			}
			n++
			_, err := app.Exec(ctx, `INSERT INTO sharing_steps (request, revision, action, party, organisation, taken_on, reasons, agreement) VALUES ($1, 2, $2, $3, 'VIETTEL', '2026-05-01', 'x', '{}')`, number, string(action), string(party))
			if code(err) != "HT021" {
				t.Errorf("%s by %s: %v", action, party, err)
			}
		}
	}
	insert := "INSERT INTO sharing_steps (request, revision, action, party, taken_on, organisation, reasons, capacity, agreement, position) VALUES ('" + number + "', "
	for _, sql := range []string{
		insert + "2, 'accept', 'partner', '2026-03-03', 'MOBIFONE', NULL, '{}', '{}', NULL)",         // not asked
		insert + "2, 'accept', 'partner', '2026-03-03', 'VNPT', NULL, NULL, '{}', NULL)",             // no capacity
		insert + "2, 'accept', 'partner', '2026-03-03', 'VNPT', NULL, '{}', NULL, NULL)",             // no offer
		insert + "2, 'decline', 'partner', '2026-03-03', 'VNPT', NULL, '{}', NULL, NULL)",            // no reasons
		insert + "2, 'mediate', 'officer', '2026-03-03', NULL, NULL, NULL, NULL, NULL)",              // in time
		insert + "2, 'mediate', 'officer', '2026-05-03', 'VNPT', NULL, NULL, NULL, NULL)",            // his own
		insert + "3, 'decline', 'partner', '2026-03-03', 'VNPT', 'x', '{}', NULL, NULL)",             // not the next
		insert + "2, 'withdraw', 'asker', '2026-03-03', 'VIETTEL', NULL, NULL, '{}', NULL)",          // an agreement of nothing
		insert + "2, 'accept', 'partner', '2026-03-03', 'VNPT', NULL, '{}', '{}', 1)",                // a position of no agreement
		"INSERT INTO sharing_partners (request, organisation) VALUES ('" + number + "', 'MOBIFONE')", // asked already
		fmt.Sprintf("INSERT INTO sharing_requests (number, asker, collection, feature, wanted, reasons, asked_on) VALUES ('S-2026-0000-0000-0000', 'VIETTEL', 'bts_sites', %d, '{}', 'x', now())", f.draft),
		fmt.Sprintf("INSERT INTO sharing_requests (number, asker, collection, feature, wanted, reasons, asked_on) VALUES ('S-2026-0000-0000-0000', 'VNPT', 'ducts', %d, '{}', 'x', now())", f.duct),
		fmt.Sprintf("INSERT INTO sharing_requests (number, asker, collection, feature, wanted, reasons, asked_on) VALUES ('S-2026-0000-0000-0000', 'VIETTEL', 'ducts', %d, '{}', 'x', now())", f.duct), // never asked
	} {
		if _, err := app.Exec(ctx, sql); !strings.HasPrefix(code(err), "HT02") {
			t.Errorf("%s: %v", sql, err)
		}
	}
	for _, sql := range []string{"UPDATE sharing_requests SET state = 'agreed'", "UPDATE sharing_requests SET revision = 2", "UPDATE sharing_requests SET asker = 'MOBIFONE'", "UPDATE sharing_partners SET answered_on = now()",
		"DELETE FROM sharing_requests", "DELETE FROM sharing_steps", "UPDATE sharing_steps SET after = 'agreed'", "UPDATE sharing_transitions SET after = 'agreed'"} {
		if _, err := f.conn.Exec(ctx, sql); code(err) != "HT021" && code(err) != "23001" {
			t.Errorf("the owner, %s: %v", sql, err)
		}
	}
	if got := scalar[string](t, f.conn, "SELECT state || revision FROM sharing_requests"); got != "asked1" || n < 20 {
		t.Errorf("it is %s after %d steps that there are not", got, n)
	}
}
