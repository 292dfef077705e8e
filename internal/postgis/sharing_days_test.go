package postgis_test

import (
	"errors"
	"strings"
	"testing"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// stepFaults lists where a refused step is wrong.
func stepFaults(t *testing.T, err error) string {
	t.Helper()
	var invalid *layer.InvalidError
	if err == nil {
		return ""
	}
	if !errors.As(err, &invalid) {
		t.Fatal(err)
	}
	var at []string
	for _, f := range invalid.Faults {
		if f.Detail.VI == "" || f.Detail.EN == "" || strings.Contains(f.Detail.VI+f.Detail.EN, "%!") {
			t.Errorf("%s: %+v", f.At, f.Detail)
		}
		at = append(at, f.At)
	}
	return strings.Join(at, " ")
}

// Parties agree on what is to come; what was agreed on before the request is recorded by an
// officer, with its paper and why, and holds from the day that it says.
func TestAnAgreementOfBeforeTheRequestIsRecordedWithItsPaper(t *testing.T) {
	f := newSharing(t)
	before, later := geo.NewDate(2026, 2, 16), geo.NewDate(2026, 3, 9)
	from := func(day geo.Date) *permit.Agreement {
		a := offer()
		a.From = day
		return a
	}
	paper := func(day geo.Date) *permit.ShareDocument { return &permit.ShareDocument{Number: "7/BB", Date: day} }
	number := f.ask(f.request("bts_sites", f.mast))
	accept := accepts()
	accept.Agreement = from(before)
	if at := stepFaults(t, f.step(f.owner, number, accept)); at != "/agreement/from" {
		t.Errorf("offered from before the request: %q", at)
	}
	accept.Agreement = from(askedOn) // the day itself is none before it
	f.steps(f.owner, number, accept)
	f.steps(f.officer, number, permit.ShareDecision{Action: permit.ShareMediate})
	for want, d := range map[string]permit.ShareDecision{
		"/document /reasons": {Agreement: from(before)},
		"/reasons":           {Agreement: from(before), Document: paper(before)},
		"/document":          {Agreement: from(before), Reasons: "ký trước khi có sổ", Document: &permit.ShareDocument{Number: "7/BB"}},
		"/document/date":     {Agreement: from(before), Reasons: "ký trước khi có sổ", Document: paper(later)},
		"/agreement/shares /document/date /document": {Reasons: "x", Document: &permit.ShareDocument{Date: later},
			Agreement: &permit.Agreement{From: before, Shares: []permit.CapitalShare{{Organisation: "VNPT", Percent: 1_00}}}},
	} {
		d.Action = permit.ShareAgree
		if at := stepFaults(t, f.step(f.officer, number, d)); at != want {
			t.Errorf("an officer records: %q, want %q", at, want)
		}
	}
	f.steps(f.officer, number, permit.ShareDecision{Action: permit.ShareAgree, Agreement: from(before), Reasons: "ký trước khi có sổ", Document: paper(before)})
	r := f.seen(f.asker, number)
	if r.Position == nil || r.Steps[3].Document.Date != before {
		t.Fatalf("recorded: %+v", r)
	}
	if got := scalar[string](t, f.conn, "SELECT valid_from::text FROM operator_positions WHERE id = $1", *r.Position); got != before.String() {
		t.Errorf("shared from %s on", got)
	}
	if _, err := f.Feature(t.Context(), account.Anonymous(), get(t, f.layers, "operator_positions"), *r.Position); err != nil {
		t.Errorf("the public sees it: %v", err)
	}
	// What begins later needs no paper, and may be recorded with one of today.
	number = f.ask(f.request("ducts", f.duct))
	f.steps(f.owner, number, declines())
	f.steps(f.asker, number, permit.ShareDecision{Action: permit.ShareMediate})
	f.steps(f.officer, number, permit.ShareDecision{Action: permit.ShareAgree, Agreement: from(later), Document: paper(askedOn)})
}
