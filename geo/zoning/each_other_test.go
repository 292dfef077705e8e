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

// TestDrafts: a draft is too close as a mast that stands is, whatever statuses the rule
// names and however near, and says that it is one; it is no mast to share. The one that is
// asked about is left out, wherever it stands, and no other. Earlier verdicts are given as
// they were: one in the very place was the mast itself, unless said to be somebody else's.
func TestDrafts(t *testing.T) {
	rules := demoRules(t)
	at := func(east float64, owner string) zoning.Mast {
		m := mastAt(7, east, geo.A2b)
		m.Status, m.Owner, m.RecordedOn = zoning.Draft, owner, day(t, "2020-02-03")
		return m
	}
	for _, tt := range []struct {
		name    string
		mast    zoning.Mast
		feature int64
		drafts  zoning.DraftsCounted
		verdict zoning.Verdict
		said    string // of the finding about spacing
	}{
		{"near", at(399.9, ""), 0, zoning.AllDrafts, zoning.Conditional, "Mast S7 (draft) is only 399.9 m away; the minimum is 400 m."},
		{"somebody else's", at(399.9, "VNPT"), 0, zoning.AllDrafts, zoning.Conditional, "Mast S7 (draft) is only 399.9 m away; the minimum is 400 m."},
		{"asked about, moved from there", at(399.9, ""), 7, zoning.AllDrafts, zoning.Permitted, "No mast that counts lies within 400 m."},
		{"asked about, where it stands", at(0, ""), 7, zoning.AllDrafts, zoning.Permitted, "No mast that counts lies within 400 m."},
		{"in its place", at(0, "VIETTEL"), 0, zoning.AllDrafts, zoning.Conditional, "Mast S7 (draft) is only 0 m away; the minimum is 400 m."},
		{"in its place, where another is asked about", at(0, ""), 8, zoning.AllDrafts, zoning.Conditional, "Mast S7 (draft) is only 0 m away; the minimum is 400 m."},
		{"far", at(400.1, ""), 0, zoning.AllDrafts, zoning.Permitted, "No mast that counts lies within 400 m."},
		{"itself", at(0.99, ""), 0, zoning.DraftsElsewhere, zoning.Permitted, "No mast that counts lies within 400 m."},
		{"said to be its own", at(0, "VIETTEL"), 0, zoning.DraftsElsewhere, zoning.Permitted, "No mast that counts lies within 400 m."},
		{"in its place, and somebody else's", at(0, "VNPT"), 0, zoning.DraftsElsewhere, zoning.Conditional, "Mast S7 (draft) is only 0 m away; the minimum is 400 m."},
		{"all but in its place", at(1.01, ""), 0, zoning.DraftsElsewhere, zoning.Conditional, "Mast S7 (draft) is only 1 m away; the minimum is 400 m."},
		{"by the rule's own statuses", at(399.9, ""), 0, zoning.DraftsByRule, zoning.Permitted, "No mast that counts lies within 400 m."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, s := proposalOf(t, geo.A2b), rural(t)
			p.Feature, p.Drafts = tt.feature, tt.drafts
			s.Masts = []zoning.Mast{tt.mast}
			r := rules.Check(p, s)
			if r.Verdict != tt.verdict || rules.Verdict(p, s) != tt.verdict || len(r.Alternatives) > 0 || outcome(t, r, "SHARE-duty") != zoning.Pass {
				t.Errorf("verdict %s, want %s", r.Verdict, tt.verdict)
				dump(t, r)
			}
			f := find(r, "COND-dd1")[0]
			if f.Message.EN != tt.said {
				t.Errorf("said %q, want %q", f.Message.EN, tt.said)
			}
			if e := f.Evidence; e != nil && (e.Status != zoning.Draft || e.RecordedOn != day(t, "2020-02-03")) {
				t.Errorf("evidence %+v", e)
			}
			if f.RuleSet != "dien-bien-2016@1" || f.DataDate != p.Date {
				t.Errorf("by %q, of %s", f.RuleSet, f.DataDate)
			}
		})
	}
}

// TestNamedMasts: a mast that stands and is asked about is neither too near to itself nor one
// to share.
func TestNamedMasts(t *testing.T) {
	rules, p, s := demoRules(t), proposalOf(t, geo.A2b), rural(t)
	s.Masts = []zoning.Mast{mastAt(7, 50, geo.A2b)}
	if r := rules.Check(p, s); outcome(t, r, "SHARE-duty") == zoning.Pass || outcome(t, r, "COND-dd1") == zoning.Pass {
		t.Fatalf("another mast does not count: %+v", r.Findings)
	}
	p.Feature = 7
	if r := rules.Check(p, s); r.Verdict != zoning.Permitted || rules.Verdict(p, s) != zoning.Permitted {
		t.Errorf("its own: %s", r.Verdict)
		dump(t, r)
	}
}

// TestDraftsElsewhere: the mast that is looked for a place goes with it, others stay; and no
// draft counts against a mast that stands.
func TestDraftsElsewhere(t *testing.T) {
	scene := func(drafts ...zoning.Mast) *zoning.Scene {
		d := zoning.SceneData{Territories: []zoning.Territory{{Code: "11", Geometry: squareAt(here, 0.05)}}, Zones: []zoning.Zone{zoneOf(t, 1, "dd"), zoneOf(t, 2, "a")}, Masts: drafts}
		d.Zones[0].Geometry, d.Zones[1].Geometry = squareAt(here, 0.05), squareAt(here, 0.001)
		return zoning.NewScene(d)
	}
	draft := func(id int64, east float64) zoning.Mast {
		m := mastAt(id, east, geo.A2b)
		m.Status = zoning.Draft
		return m
	}
	p, rules := proposalOf(t, geo.A2b), everywhere(demoRules(t))
	alone := scene().Nearest(rules, p, 1000)
	p.Feature = 1
	own := scene(draft(1, 0)).Nearest(rules, p, 1000)
	if alone.Place == nil || own.Place == nil || *own.Place != *alone.Place {
		t.Errorf("alone %+v, with its own draft %+v", alone, own)
	}
	among := scene(draft(1, 0), draft(2, 150)).Nearest(rules, p, 1000)
	if among.Place == nil || geo.DistanceM(*among.Place, east(150)) < 400 {
		t.Errorf("among other drafts %+v", among)
	}
	stands := mastAt(3, 500, geo.A2b)
	for standing := range scene(stands, draft(1, 450)).Standing(rules, p.Date, func(m *zoning.Mast) bool { return m.ID == 3 }) {
		for _, f := range standing.Findings {
			if f.Evidence != nil && f.Evidence.Status == zoning.Draft {
				t.Errorf("against what stands: %+v", f)
			}
		}
	}
}
