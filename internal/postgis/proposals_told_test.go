package postgis_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// counted is all that counts the steps of a proposal for a viewer: its revision, in the list
// too, those of its steps, and those of its files.
func (f *filing) counted(v account.Viewer, id int64) (c [4][]int64) {
	f.t.Helper()
	seen, err := f.Proposal(f.t.Context(), v, id)
	if err != nil {
		f.t.Fatalf("%s: %v", v.Name, err)
	}
	list, err := f.Proposals(f.t.Context(), v, permit.FileQuery{Limit: 1})
	if err != nil || len(list) != 1 {
		f.t.Fatalf("%s is listed %d, %v", v.Name, len(list), err)
	}
	c[0], c[1] = []int64{seen.Revision}, []int64{list[0].Revision}
	for _, s := range seen.Steps {
		c[2] = append(c[2], s.Revision)
	}
	for _, a := range seen.Attachments {
		c[3] = append(c[3], a.Revision)
	}
	return c
}

// What passes between staff and an agency counts for these alone: neither the organisation nor
// another agency learns from its revisions that there was something, or how often.
func TestStepsThatOneIsNotToldDoNotCount(t *testing.T) {
	f := newFiling(t)
	id := f.file(f.draft)
	all := officer()
	f.must(all, id, permit.Decision{Action: permit.Consult, Agencies: []string{"SXD", "BCHQS"}})
	before, others := f.counted(f.operator, id), f.counted(f.stranger, id)
	f.mustAttach(f.agency, id, "")
	f.mustAttach(all, id, "SXD")
	f.must(f.agency, id, permit.Decision{Action: permit.AnswerFor, Answer: "agreed"})
	if diff := cmp.Diff(before, f.counted(f.operator, id)); diff != "" {
		t.Errorf("the organisation (-before +after)\n%s", diff)
	}
	if diff := cmp.Diff(others, f.counted(f.stranger, id)); diff != "" {
		t.Errorf("the other agency (-before +after)\n%s", diff)
	}
	f.mustAttach(all, id, "")
	for _, tt := range []struct {
		as          account.Viewer
		steps, file []int64
	}{
		{f.operator, []int64{1, 2, 3}, []int64{3}},
		{f.stranger, []int64{1, 2, 3}, []int64{3}},
		{f.agency, []int64{1, 2, 3, 4, 5, 6}, []int64{3, 4, 6}},
		{all, []int64{1, 2, 3, 4, 5, 6}, []int64{3, 4, 6}},
	} {
		last := tt.steps[len(tt.steps)-1:]
		if diff := cmp.Diff([4][]int64{last, last, tt.steps, tt.file}, f.counted(tt.as, id)); diff != "" {
			t.Errorf("%s of %s (-want +got)\n%s", tt.as.Name, tt.as.Organisation, diff)
		}
	}
	// It is decided at the revision that one is told, and staff at that of all steps.
	withdraw := permit.Decision{Action: permit.Withdraw, Revision: 2}
	if err := f.decide(f.operator, id, withdraw); !errors.Is(err, layer.ErrStale) {
		t.Errorf("at a revision of before: %v", err)
	}
	if err := f.decide(all, id, permit.Decision{Action: permit.AnswerFor, Agency: "BCHQS", Answer: "agreed", Revision: 3}); !errors.Is(err, layer.ErrStale) {
		t.Errorf("staff at a revision of before: %v", err)
	}
	withdraw.Revision = 3
	if _, revision, err := f.DecideProposal(t.Context(), f.operator, id, withdraw); err != nil || revision != 4 {
		t.Errorf("it is at revision %d, %v", revision, err)
	}
}
