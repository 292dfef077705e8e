package postgis_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// An agency sees a draft until the proposal is over; then it keeps what it was asked and has
// answered, and the proposal as it was filed.
func TestWhatAnAgencyKeepsOfAProposal(t *testing.T) {
	for _, over := range []permit.Action{permit.Withdraw, permit.Refuse} {
		f := newFiling(t)
		ctx := context.Background()
		id := f.file(f.draft)
		f.must(f.officer, id, permit.Decision{Action: permit.Consult, Agencies: []string{"SXD"}})
		f.must(f.agency, id, permit.Decision{Action: permit.AnswerFor, Answer: "agreed"})
		version := func() int64 {
			versions, err := f.LayerVersions(ctx, f.agency)
			if err != nil {
				t.Fatal(err)
			}
			return versions["bts_sites"]
		}
		before := version()
		if _, err := f.Feature(ctx, f.agency, f.sites, f.draft); err != nil {
			t.Fatal(err)
		}
		f.must(map[permit.Action]account.Viewer{permit.Withdraw: f.operator, permit.Refuse: f.approver}[over], id, permit.Decision{Action: over, Reasons: "x"})
		if _, err := f.Feature(ctx, f.agency, f.sites, f.draft); !errors.Is(err, layer.ErrNotFound) {
			t.Errorf("after %s the agency sees the draft: %v", over, err)
		}
		after := version()
		if after == before {
			t.Errorf("after %s its version is the same", over)
		}
		if _, err := f.UpdateFeature(ctx, f.operator, f.sites, f.draft, layer.Feature{Properties: map[string]any{"name": "kế hoạch khác"}}, 0, false); err != nil {
			t.Fatal(err)
		}
		if version() != after {
			t.Errorf("after %s it is told that the draft changes", over)
		}
		seen, err := f.Proposal(ctx, f.agency, id)
		if err != nil || len(seen.Features) != 1 || len(seen.Consultations) != 1 || *seen.Consultations[0].Answer != "agreed" {
			t.Errorf("after %s: %+v, %v", over, seen, err)
		}
		asked, err := f.Consultations(ctx, f.agency, account.ConsultationQuery{Limit: 9})
		if err != nil || len(asked) != 1 || asked[0].State != account.Answered {
			t.Errorf("after %s: %+v, %v", over, asked, err)
		}
	}
}

// Who is of an agency and staff of a part of a proposal, which he therefore does not see, is told of
// what is asked in it and of its end by his agency's side: what his colleagues are told, and no more.
func TestWhoIsOfAnAgencyAndStaffOfAPart(t *testing.T) {
	f := newFiling(t)
	ctx := context.Background()
	id, elsewhere := f.fileApart()
	f.must(officer(), id, permit.Decision{Action: permit.Consult, Agencies: []string{"SXD", "BCHQS"}})
	f.must(f.agency, id, permit.Decision{Action: permit.AnswerFor, Answer: "agreed"})
	both := member("SXD", account.Grant{Role: account.Consulted}, account.Grant{Role: account.Officer, Territory: "094"})
	both.Name = "person:both"
	alike := func(when string, state permit.FileState) {
		t.Helper()
		told, err := f.Proposal(ctx, f.agency, id)
		if err != nil || told.State != state {
			t.Errorf("%s, his colleagues are told %s, %v", when, told.State, err)
		}
		if _, err := f.Proposal(ctx, both, id); !errors.Is(err, layer.ErrNotFound) {
			t.Errorf("%s, he is told of the proposal: %v", when, err)
		}
		var asked [2][]account.Consultation
		var seen [2]bool
		for i, v := range []account.Viewer{f.agency, both} {
			if asked[i], err = f.Consultations(ctx, v, account.ConsultationQuery{Limit: 9}); err != nil || len(asked[i]) != 2 {
				t.Errorf("%s, %s is listed %d questions, %v", when, v.Name, len(asked[i]), err)
			}
			_, err := f.Feature(ctx, v, f.sites, elsewhere)
			seen[i] = err == nil
		}
		if diff := cmp.Diff(asked[0], asked[1]); diff != "" || seen[0] != seen[1] || seen[0] == state.Over() {
			t.Errorf("%s, the draft elsewhere is seen: %v; questions (-colleague +he)\n%s", when, seen, diff)
		}
	}
	alike("answered", permit.Consulting)
	f.must(f.operator, id, permit.Decision{Action: permit.Withdraw})
	alike("withdrawn", permit.Withdrawn)
}
