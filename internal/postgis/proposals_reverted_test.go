package postgis_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// What a step of a proposal did to its features is taken back by nobody, while the proposal is
// open and when it is over; who sees the proposal is told which it is, and nobody else. Anything
// else of theirs is taken back as ever.
func TestStepsAreNotReverted(t *testing.T) {
	ctx := context.Background()
	long := func(f *filing, id int64) { // since it was approved
		untriggeredly(f.t, f.conn, fmt.Sprintf("UPDATE bts_sites SET valid_from = hatang_today() - 400 WHERE id IN (SELECT feature FROM proposal_features WHERE proposal = %d)", id))
	}
	lapsed := func(f *filing, id int64) {
		long(f, id)
		run(f.t, f.conn, "UPDATE proposals SET expires_on = hatang_today() - 1 WHERE id = $1", id)
	}
	for _, tt := range []struct {
		name   string
		before func(f *filing, id int64) // since it was approved
		step   permit.Action
		rows   string // those that the step changes
	}{
		{"approved", nil, permit.Approve, "feature"},
		{"built on the day", func(*filing, int64) {}, permit.Build, "feature"},
		{"built later", long, permit.Build, "feature"},
		{"built later, the row that stands", long, permit.Build, "became"},
		{"expired", lapsed, permit.Expire, "feature"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFiling(t)
			id, elsewhere := f.fileApart()
			approver := account.Holder("key:approves", account.Approver)
			if tt.before != nil {
				f.must(approver, id, permit.Decision{Action: permit.Approve})
				tt.before(f, id)
			}
			began := scalar[time.Time](t, f.conn, "SELECT clock_timestamp()")
			f.must(approverOrOfficer(approver, tt.step), id, permit.Decision{Action: tt.step})
			row := scalar[int64](t, f.conn, "SELECT "+tt.rows+" FROM proposal_features WHERE proposal = $1 AND feature <> $2", id, elsewhere)
			rows := func() string {
				return scalar[string](t, f.conn, "SELECT string_agg(b::text, ' ' ORDER BY id) FROM bts_sites b")
			}
			before := rows()
			for _, dry := range []bool{true, false} {
				for _, by := range []struct {
					v     account.Viewer
					named int64
				}{{officer(), id}, {f.officer, 0}} {
					for _, q := range []layer.HistoryQuery{
						{Layers: []*layer.Layer{f.sites}, Feature: row, From: began},
						{Layers: []*layer.Layer{f.sites}, Feature: row, From: began.Add(-24 * time.Hour)},
					} {
						_, err := f.Revert(ctx, by.v, q, dry)
						var filed *layer.FiledError
						if !errors.As(err, &filed) || filed.Proposal != by.named || !filed.Step {
							t.Errorf("reverted by %s: %v", by.v.Name, err)
						}
					}
				}
				_, err := f.Revert(ctx, officer(), layer.HistoryQuery{Layers: []*layer.Layer{f.sites}, From: began}, dry)
				if !errors.Is(err, layer.ErrFiled) {
					t.Errorf("all since then reverted: %v", err)
				}
			}
			if after := rows(); after != before {
				t.Errorf("the rows are\n%s\nand were\n%s", after, before)
			}
			later := scalar[time.Time](t, f.conn, "SELECT clock_timestamp()")
			if _, err := f.UpdateFeature(ctx, officer(), f.sites, row, layer.Feature{Properties: map[string]any{"name": "tên đúng"}}, 0, false); err != nil {
				t.Fatal(err)
			}
			if done, err := f.Revert(ctx, officer(), layer.HistoryQuery{Layers: []*layer.Layer{f.sites}, Feature: row, From: later}, false); err != nil || done.Layers[0].Updated != 1 {
				t.Errorf("a name that was corrected since: %+v, %v", done, err)
			}
		})
	}
}

func approverOrOfficer(approver account.Viewer, step permit.Action) account.Viewer {
	if step == permit.Approve {
		return approver
	}
	return officer()
}

// Who is kept from changing what is filed is told in which proposal it is, where he sees it.
func TestWhatIsFiledNamesItsProposal(t *testing.T) {
	f := newFiling(t)
	ctx := context.Background()
	id, _ := f.fileApart()
	named := func(v account.Viewer) int64 {
		t.Helper()
		var filed *layer.FiledError
		if err := f.DeleteFeature(ctx, v, f.sites, f.draft, 0); !errors.As(err, &filed) {
			t.Fatalf("removed by %s: %v", v.Name, err)
		}
		_, err := f.UpdateFeature(ctx, v, f.sites, f.draft, layer.Feature{Properties: map[string]any{"code": "ANOTHER"}}, 0, false)
		var changed *layer.FiledError
		if !errors.As(err, &changed) || changed.Proposal != filed.Proposal {
			t.Errorf("changed by %s: %v", v.Name, err)
		}
		return filed.Proposal
	}
	for _, v := range []account.Viewer{officer(), f.operator} {
		if got := named(v); got != id {
			t.Errorf("%s is told %d", v.Name, got)
		}
	}
	f.must(account.Holder("key:approves", account.Approver), id, permit.Decision{Action: permit.Approve})
	if got := named(officer()); got != id {
		t.Errorf("once it is approved %d is named", got)
	}
	if got := named(f.officer); got != 0 {
		t.Errorf("the officer of 094, who does not see it, is told %d", got)
	}
}
