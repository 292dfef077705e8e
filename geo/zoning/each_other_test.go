package zoning_test

import (
	"strings"
	"testing"

	"hatang/geo"
	"hatang/geo/zoning"
)

// TestEachOther: a mast that is only proposed is too close as one that stands is, whatever
// statuses the rule names; it is no mast to share; and no proposal meets itself.
func TestEachOther(t *testing.T) {
	rules := demoRules(t)
	one, two, far := proposalOf(t, geo.A2b), proposalOf(t, geo.A2b), proposalOf(t, geo.A2b)
	one.Row, two.Row, far.Row = 1, 2, 3
	two.Point, far.Point = east(399.9), east(900)
	around := rural(t)
	for _, p := range []zoning.Proposal{one, two, far} {
		around.Masts = append(around.Masts, zoning.ProposedMast(p, "N"+string(rune('0'+p.Row))))
	}
	for _, tt := range []struct {
		p       zoning.Proposal
		verdict zoning.Verdict
		other   int64
	}{{one, zoning.Conditional, 2}, {two, zoning.Conditional, 1}, {far, zoning.Permitted, 0}} {
		s := around
		for i := range s.Zones {
			s.Zones[i].Geometry = squareAt(here, 0.05)
		}
		r := rules.Check(tt.p, s)
		if r.Verdict != tt.verdict || rules.Verdict(tt.p, s) != tt.verdict {
			t.Errorf("row %d: verdict %s, want %s", tt.p.Row, r.Verdict, tt.verdict)
			dump(t, r)
		}
		for _, f := range find(r, "COND-dd1") {
			if (f.Outcome == zoning.Fail) != (tt.other != 0) {
				t.Errorf("row %d: %s", tt.p.Row, f.Outcome)
			}
			if tt.other == 0 {
				continue
			}
			if f.Evidence == nil || f.Evidence.Collection != zoning.Proposals || f.Evidence.ID != tt.other || !strings.Contains(f.Message.EN, "proposed as N") {
				t.Errorf("row %d: evidence %+v: %s", tt.p.Row, f.Evidence, f.Message.EN)
			}
		}
		if len(r.Alternatives) > 0 || outcome(t, r, "SHARE-duty") != zoning.Pass {
			t.Errorf("row %d: a proposed mast was offered to share", tt.p.Row)
		}
	}
}
