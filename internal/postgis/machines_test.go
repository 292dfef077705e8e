package postgis_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"hatang/internal/permit"
)

// attempts takes every step of a state by every party, as the serving role and with all that
// steps need, in transactions that are undone: what the machine lacks is refused as such. It
// returns the steps that were taken.
type attempts struct {
	t     *testing.T
	app   *pgx.Conn
	tried int
	taken map[string]bool
}

func newAttempts(t *testing.T, url string) *attempts {
	app := connect(t, url)
	run(t, app, "SET ROLE hatang_app")
	return &attempts{t: t, app: app, taken: map[string]bool{}}
}

// try takes one step by an INSERT; known says that the machine has it.
func (a *attempts) try(step string, known bool, sql string, args ...any) {
	a.t.Helper()
	ctx := context.Background()
	tx, err := a.app.Begin(ctx)
	if err != nil {
		a.t.Fatal(err)
	}
	_, err = tx.Exec(ctx, sql, args...)
	if undone := tx.Rollback(ctx); undone != nil {
		a.t.Fatal(undone)
	}
	a.tried++
	none := err != nil && code(err) == "HT021" && strings.Contains(err.Error(), "there is no step")
	if none == known || err != nil && !strings.HasPrefix(code(err), "HT02") {
		a.t.Errorf("%s, which the machine has: %t: %v", step, known, err)
	}
	a.taken[step] = a.taken[step] || err == nil
}

// all checks that each of the steps was taken at least once.
func (a *attempts) all(steps []string) {
	a.t.Helper()
	for _, step := range steps {
		if !a.taken[step] {
			a.t.Errorf("%s was never taken", step)
		}
	}
	a.t.Logf("%d steps tried, %d of the machine", a.tried, len(steps))
}

// From every state of a proposal every step by every party is in the machine, or refused.
func TestEveryStepOfEveryProposal(t *testing.T) {
	f := newFiling(t)
	a := newAttempts(t, f.url)
	from := func(id int64, state permit.FileState) {
		t.Helper()
		if got := scalar[string](t, f.conn, "SELECT state FROM proposals WHERE id = $1", id); got != string(state) {
			t.Fatalf("it is %s, not %s", got, state)
		}
		for _, action := range append(permit.Actions(), permit.FileAction, permit.Attach, "fly") {
			for party, organisation := range map[permit.Party]string{permit.Organisation: "VNPT", permit.Officer: "", permit.Approver: "", permit.Agency: "SXD", "nobody": ""} {
				_, _, err := permit.Next(state, action, []permit.Party{party})
				a.try(fmt.Sprint(state, " ", action, " ", party), err == nil, `INSERT INTO proposal_steps (proposal, revision, action, party, organisation, reasons, verdict, expires_on)
					SELECT $1, revision + 1, $2, $3, nullif($4, ''), 'x', CASE WHEN $2 = 'supplement' THEN '{}'::jsonb END, CASE WHEN $2 IN ('approve', 'renew') THEN '2999-01-01'::date END FROM proposals WHERE id = $1`,
					id, string(action), string(party), organisation)
			}
		}
	}
	id := f.file(f.draft)
	from(id, permit.Filed)
	f.must(f.officer, id, permit.Decision{Action: permit.AskMore, Reasons: "x"})
	from(id, permit.MoreAsked)
	f.must(f.operator, id, permit.Decision{Action: permit.Supplement, Verdict: []byte("{}")})
	from(id, permit.Supplemented)
	f.must(f.officer, id, permit.Decision{Action: permit.Consult, Agencies: []string{"SXD"}})
	from(id, permit.Consulting)
	f.must(f.officer, id, permit.Decision{Action: permit.AskMore, Reasons: "x"})
	from(id, permit.MoreAsked) // and of an agency still
	f.must(f.operator, id, permit.Decision{Action: permit.Supplement, Verdict: []byte("{}")})
	from(id, permit.Supplemented)
	f.must(f.agency, id, permit.Decision{Action: permit.AnswerFor, Answer: "agreed"})
	f.must(f.approver, id, permit.Decision{Action: permit.Approve})
	from(id, permit.Approved)
	f.must(f.officer, id, permit.Decision{Action: permit.Build})
	from(id, permit.Built)
	id = f.file(f.rest)
	f.must(f.operator, id, permit.Decision{Action: permit.Withdraw})
	from(id, permit.Withdrawn)
	id = f.file(f.rest)
	f.must(f.approver, id, permit.Decision{Action: permit.Refuse, Reasons: "x"})
	from(id, permit.Refused)
	id = f.file(f.rest)
	f.must(f.approver, id, permit.Decision{Action: permit.Approve})
	run(t, f.conn, "UPDATE proposals SET expires_on = hatang_today() - 1 WHERE id = $1", id)
	from(id, permit.Approved) // when its time is up
	f.must(f.officer, id, permit.Decision{Action: permit.Expire})
	from(id, permit.Expired)
	var steps []string
	for _, tr := range permit.Transitions() {
		if tr.Before != permit.New {
			steps = append(steps, fmt.Sprint(tr.Before, " ", tr.Action, " ", tr.Party))
		}
	}
	a.all(steps)
}

// From every state of a request to share every step by every party is in the machine, or
// refused.
func TestEveryStepOfEveryShare(t *testing.T) {
	f := newSharing(t)
	a := newAttempts(t, f.url)
	const offered = `{"from": null, "terms": "thuê", "shares": null}`
	from := func(number string, state permit.ShareState) {
		t.Helper()
		if got := scalar[string](t, f.conn, "SELECT state FROM sharing_requests WHERE number = $1", number); got != string(state) {
			t.Fatalf("it is %s, not %s", got, state)
		}
		for _, action := range append(permit.ShareActions(), permit.ShareAsk, "fly") {
			for _, by := range [][2]string{{"asker", "VIETTEL"}, {"partner", "VNPT"}, {"partner", "MOBIFONE"}, {"officer", ""}, {"nobody", ""}} {
				_, _, err := permit.NextShare(state, action, []permit.ShareParty{permit.ShareParty(by[0])})
				a.try(fmt.Sprint(state, " ", action, " ", by[0]), err == nil, `INSERT INTO sharing_steps (request, revision, action, party, organisation, taken_on, reasons, capacity, agreement)
					SELECT $1, revision + 1, $2, $3, nullif($4, ''), '2026-12-01', 'x', CASE WHEN $2 IN ('accept', 'decline') THEN '{"ways": 1}'::jsonb END, CASE WHEN $2 IN ('accept', 'agree') THEN $5::jsonb END
					FROM sharing_requests WHERE number = $1`, number, string(action), by[0], by[1], offered)
			}
		}
	}
	accept := permit.ShareDecision{Action: permit.ShareAccept, Capacity: room(), Agreement: &permit.Agreement{Terms: "thuê"}}
	ask := func() string { return f.ask(f.request("ducts", f.duct)) }
	number := ask()
	from(number, permit.ShareAsked)
	f.steps(f.owner, number, accept)
	from(number, permit.ShareAccepted)
	f.steps(f.asker, number, permit.ShareDecision{Action: permit.ShareAgree})
	from(number, permit.ShareAgreed)
	number = ask()
	f.steps(f.owner, number, declines())
	from(number, permit.ShareDeclined)
	f.steps(f.officer, number, permit.ShareDecision{Action: permit.ShareMediate})
	from(number, permit.ShareMediation)
	f.steps(f.officer, number, permit.ShareDecision{Action: permit.ShareRefuse, Reasons: "x"})
	from(number, permit.ShareRefused)
	number = ask()
	f.steps(f.asker, number, permit.ShareDecision{Action: permit.ShareWithdraw})
	from(number, permit.ShareWithdrawn)
	number = f.ask(f.together())
	f.steps(f.owner, number, accept)
	from(number, permit.ShareAccepted) // by one of two
	var steps []string
	for _, tr := range permit.ShareTransitions() {
		if tr.Before != permit.ShareNew {
			steps = append(steps, fmt.Sprint(tr.Before, " ", tr.Action, " ", tr.Party))
		}
	}
	a.all(steps)
}
