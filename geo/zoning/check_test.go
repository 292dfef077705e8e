package zoning_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
)

// scene is one proposal and its place.
type scene struct {
	p zoning.Proposal
	s zoning.Surroundings
}

// checkCase changes one thing in a proposal and a place that are otherwise in order.
type checkCase struct {
	name    string
	mast    geo.MastType
	rural   bool
	change  func(*scene)
	verdict zoning.Verdict
	rule    string
	outcome zoning.Outcome
}

func add(z ...zoning.Zone) func(*scene) {
	return func(c *scene) { c.s.Zones = append(c.s.Zones, z...) }
}

func area(a zoning.Area) func(*scene) {
	return func(c *scene) { c.s.Areas = append(c.s.Areas, a) }
}

func masts(m ...zoning.Mast) func(*scene) { return func(c *scene) { c.s.Masts = m } }

// TestCheck is the table of the demo pack.
func TestCheck(t *testing.T) {
	rules := demoRules(t)
	tests := slices.Concat(classCases(), zoneCases(t), structureCases(), spacingCases(), consultationCases(), algebraCases(t))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := scene{proposalOf(t, tt.mast), urban(t)}
			if tt.rural {
				c.s = rural(t)
			}
			if tt.change != nil {
				tt.change(&c)
			}
			r := rules.Check(c.p, c.s)
			if r.Verdict != tt.verdict {
				t.Errorf("verdict: want %s, got %s", tt.verdict, r.Verdict)
			}
			if got := outcome(t, r, tt.rule); got != tt.outcome {
				t.Errorf("%s: want %q, got %q", tt.rule, tt.outcome, got)
			}
			wellFormed(t, r)
			if t.Failed() {
				dump(t, r)
			}
		})
	}
}

// classCases is the definition of a small mast, Joint Circular 15/2016: 3 m, 20 % of the building, 0.5 m.
func classCases() []checkCase {
	return []checkCase{
		{"A1a within all limits", geo.A1a, false, nil, "permitted", "A1-class", "pass"},
		{"A1a of exactly 3 m on exactly 15 m", geo.A1a, false, func(c *scene) { c.p.HeightM, c.p.HostBuildingHeightM = new(3.0), new(15.0) }, "permitted", "A1-class", "pass"},
		{"A1a over 3 m", geo.A1a, false, func(c *scene) { c.p.HeightM = new(3.01) }, "refused", "A1-class", "fail"},
		{"A1a over a fifth of its building", geo.A1a, false, func(c *scene) { c.p.HostBuildingHeightM = new(13.9) }, "refused", "A1-class", "fail"},
		{"A1a too wide", geo.A1a, false, func(c *scene) { c.p.HalfWidthM = new(0.51) }, "refused", "A1-class", "fail"},
		{"A1a too high, building unknown", geo.A1a, false, func(c *scene) { c.p.HeightM, c.p.HostBuildingHeightM = new(5.0), nil }, "refused", "A1-class", "fail"},
		{"A1a without its building", geo.A1a, false, func(c *scene) { c.p.HostBuildingHeightM = nil }, "undetermined", "A1-class", "unknown"},
		{"A1a without its half width", geo.A1a, false, func(c *scene) { c.p.HalfWidthM = nil }, "undetermined", "A1-class", "unknown"},
		{"A1a without its height", geo.A1a, false, func(c *scene) { c.p.HeightM = nil }, "undetermined", "A1-class", "unknown"},
		{"A1b concealed", geo.A1b, false, nil, "permitted", "A1-class", "pass"},
		{"A1b not concealed", geo.A1b, false, func(c *scene) { c.p.Concealed = new(false) }, "refused", "A1-class", "fail"},
		{"A1b, nobody says", geo.A1b, false, func(c *scene) { c.p.Concealed = nil }, "undetermined", "A1-class", "unknown"},
		{"A2b has no class to prove", geo.A2b, true, nil, "permitted", "A1-class", ""},
	}
}

// zoneCases is what each zone allows and when, Phần 2, III.2.4.1.
func zoneCases(t *testing.T) []checkCase {
	return []checkCase{
		{"A2b beside the People's Committee", geo.A2b, false, func(c *scene) { add(zoneOf(t, 2, "a"))(c) }, "refused", "ZONE-a", "fail"},
		{"A1a beside the People's Committee", geo.A1a, false, func(c *scene) { add(zoneOf(t, 2, "a"))(c) }, "refused", "ZONE-a", "fail"},
		{"A1b beside the People's Committee", geo.A1b, false, func(c *scene) { add(zoneOf(t, 2, "a"))(c) }, "permitted", "ZONE-a", "pass"},
		{"A1a at a monument", geo.A1a, false, func(c *scene) { add(zoneOf(t, 2, "b"))(c) }, "permitted", "ZONE-b", "pass"},
		{"A2a at a monument", geo.A2a, false, func(c *scene) { add(zoneOf(t, 2, "b"))(c) }, "refused", "ZONE-b", "fail"},
		{"A2a in a public place", geo.A2a, false, func(c *scene) { add(zoneOf(t, 2, "c"))(c) }, "refused", "ZONE-c", "fail"},
		{"zone d allows all", geo.A2a, false, nil, "permitted", "ZONE-d", "pass"},
		{"zone đ by its alias prefers A2b, A1b stays permitted", geo.A1b, true, func(c *scene) { c.s.Zones[0].Class = "đ" }, "permitted", "ZONE-dd", "pass"},
		{"zone beside the point", geo.A2b, true, func(c *scene) {
			z := zoneOf(t, 2, "a")
			z.Geometry = squareAt(east(5000), 0.01)
			add(z)(c)
		}, "permitted", "ZONE-a", ""},
		{"the day before a phase", geo.A2a, false, func(c *scene) {
			z := zoneOf(t, 2, "b")
			z.Period.From = day(t, "2019-01-01")
			add(z)(c)
			c.p.Date = day(t, "2018-12-31")
		}, "permitted", "ZONE-b", "pass"},
		{"the first day of a phase", geo.A2a, false, func(c *scene) {
			z := zoneOf(t, 2, "b")
			z.Period.From = day(t, "2019-01-01")
			add(z)(c)
			c.p.Date = day(t, "2019-01-01")
		}, "refused", "ZONE-b", "fail"},
		{"the last day of a zone", geo.A2a, false, func(c *scene) {
			z := zoneOf(t, 2, "b")
			z.Period.To = day(t, "2020-07-01")
			add(z)(c)
		}, "refused", "ZONE-b", "fail"},
		{"the day a zone ended", geo.A2a, false, func(c *scene) {
			z := zoneOf(t, 2, "b")
			z.Period.To = day(t, "2020-06-30")
			add(z)(c)
		}, "permitted", "ZONE-b", ""},
		{"no zone", geo.A2b, true, func(c *scene) { c.s.Zones = nil }, "undetermined", "ZONE-none", "unknown"},
		{"a zone the rules do not know", geo.A2b, true, func(c *scene) { add(zoneOf(t, 2, "z"))(c) }, "undetermined", "ZONE-class", "unknown"},
		{"outside the territory", geo.A2b, true, func(c *scene) { c.s.InTerritory = false }, "undetermined", "TERRITORY", "unknown"},
		{"before the rule set", geo.A2b, true, func(c *scene) { c.p.Date = day(t, "2015-12-31") }, "undetermined", "RULE-SET", "unknown"},
	}
}

// structureCases is COND-d1.
func structureCases() []checkCase {
	return []checkCase{
		{"guyed A2b in town", geo.A2b, false, func(c *scene) { c.p.Structure = new(geo.Guyed) }, "refused", "COND-d1", "fail"},
		{"guyed A2b in a dense village", geo.A2b, true, func(c *scene) { c.p.Structure, c.s.DenselyPopulated = new(geo.Guyed), true }, "refused", "COND-d1", "fail"},
		{"guyed A2b in the countryside", geo.A2b, true, func(c *scene) { c.p.Structure = new(geo.Guyed) }, "permitted", "COND-d1", ""},
		{"guyed A2b in zone d of a commune that is no ward", geo.A2b, false, func(c *scene) { c.p.Structure, c.s.Urban = new(geo.Guyed), false }, "refused", "COND-d1", "fail"},
		{"A2b in town, structure not given", geo.A2b, false, func(c *scene) { c.p.Structure = nil }, "undetermined", "COND-d1", "unknown"},
		{"rooftop A2a in town is no matter of COND-d1", geo.A2a, false, nil, "permitted", "COND-d1", ""},
	}
}

// spacingCases is COND-d2 and COND-dd1, and the duty to share: advisory.
func spacingCases() []checkCase {
	return []checkCase{
		{"A2b 299 m from another in town", geo.A2b, false, masts(mastAt(1, 299, geo.A2b, "VNPT")), "conditional", "COND-d2", "fail"},
		{"A2b 350 m from another in zone d of a commune that is no ward", geo.A2b, false, func(c *scene) { c.s.Urban = false; masts(mastAt(1, 350, geo.A2b, "VNPT"))(c) }, "permitted", "COND-d2", "pass"},
		{"A2b 301 m from another in town", geo.A2b, false, masts(mastAt(1, 301, geo.A2b, "VNPT")), "permitted", "COND-d2", "pass"},
		{"A2b 399 m from another in the country", geo.A2b, true, masts(mastAt(1, 399, geo.A2b, "VNPT")), "conditional", "COND-dd1", "fail"},
		{"A2b 401 m from another in the country", geo.A2b, true, masts(mastAt(1, 401, geo.A2b, "VNPT")), "permitted", "COND-dd1", "pass"},
		{"A1 masts do not count", geo.A2b, false, masts(mastAt(1, 50, geo.A1a, "VNPT")), "permitted", "COND-d2", "pass"},
		{"drafts count, whatever the rule names", geo.A2b, false, func(c *scene) {
			m := mastAt(1, 50, geo.A2b, "VNPT")
			m.Status = zoning.Draft
			masts(m)(c)
		}, "conditional", "COND-d2", "fail"},
		{"A2a of 15 m at 151 m", geo.A2a, false, func(c *scene) { c.p.HeightM = new(15.0); masts(mastAt(1, 151, geo.A2b))(c) }, "permitted", "COND-d2", "pass"},
		{"A2a of 15.1 m at 151 m", geo.A2a, false, func(c *scene) { c.p.HeightM = new(15.1); masts(mastAt(1, 151, geo.A2b))(c) }, "conditional", "COND-d2", "fail"},
		{"A2a of unknown height at 151 m", geo.A2a, false, func(c *scene) { c.p.HeightM = nil; masts(mastAt(1, 151, geo.A2b))(c) }, "permitted", "COND-d2", "unknown"},
		{"A2a of unknown height at 149 m", geo.A2a, false, func(c *scene) { c.p.HeightM = nil; masts(mastAt(1, 149, geo.A2b))(c) }, "conditional", "COND-d2", "fail"},
		{"A2a of unknown height at 201 m", geo.A2a, false, func(c *scene) { c.p.HeightM = nil; masts(mastAt(1, 201, geo.A2b))(c) }, "permitted", "COND-d2", "pass"},
		{"A1b keeps no distance", geo.A1b, false, masts(mastAt(1, 5, geo.A2b, "VNPT")), "permitted", "COND-d2", ""},
		{"a mast to share at 99 m", geo.A2b, false, masts(mastAt(1, 99, geo.A2b, "VNPT")), "conditional", "SHARE-duty", "fail"},
		{"a mast to share at 101 m in town", geo.A2b, false, masts(mastAt(1, 101, geo.A2b, "VNPT")), "conditional", "SHARE-duty", "pass"},
		{"a full mast", geo.A2b, false, masts(mastAt(1, 99, geo.A2b, "VNPT", "MOBIFONE", "VIETNAMOBILE", "SFONE")), "conditional", "SHARE-duty", "pass"},
		{"four names, three operators", geo.A2b, false, masts(mastAt(1, 99, geo.A2b, "VNPT", "MOBIFONE", "VNPT", "SFONE")), "conditional", "SHARE-duty", "fail"},
		{"one's own mast", geo.A2b, false, masts(mastAt(1, 99, geo.A2b, "VIETTEL")), "conditional", "SHARE-duty", "pass"},
		{"no operator is a newcomer", geo.A2b, false, func(c *scene) { c.p.Operator = ""; masts(mastAt(1, 99, geo.A2b, "VIETTEL"))(c) }, "conditional", "SHARE-duty", "fail"},
	}
}

// consultationCases is whom to ask first.
func consultationCases() []checkCase {
	return []checkCase{
		{"border belt", geo.A2b, true, area(zoning.Area{Kind: "border_belt", WholeCommune: true, Withheld: true}), "conditional", "CONSULT-border", "condition"},
		{"border belt drawn, for officers", geo.A2b, true, area(zoning.Area{Kind: "border_belt", Geometry: squareAt(here, 0.01)}), "conditional", "CONSULT-border", "condition"},
		{"border belt elsewhere", geo.A2b, true, area(zoning.Area{Kind: "border_belt", Geometry: squareAt(east(9000), 0.01)}), "permitted", "CONSULT-border", "pass"},
		{"military area", geo.A2b, true, area(zoning.Area{Kind: "military", Geometry: squareAt(here, 0.01)}), "conditional", "CONSULT-military", "condition"},
		{"support area asks for nothing", geo.A2b, true, area(zoning.Area{Kind: "support_area", Geometry: squareAt(here, 0.01)}), "permitted", "CONSULT-military", "pass"},
		{"44.9 m", geo.A2b, true, func(c *scene) { c.p.HeightM = new(44.9) }, "permitted", "CONSULT-aviation", "pass"},
		{"45 m", geo.A2b, true, func(c *scene) { c.p.HeightM = new(45.0) }, "conditional", "CONSULT-aviation", "condition"},
		{"12 m on a building of 33 m", geo.A2a, false, func(c *scene) { c.p.HostBuildingHeightM = new(33.0) }, "conditional", "CONSULT-aviation", "condition"},
		{"height not given", geo.A2b, true, func(c *scene) { c.p.HeightM = nil }, "permitted", "CONSULT-aviation", "unknown"},
		{"under a surface of any height", geo.A2b, true, area(zoning.Area{Kind: "aviation_surface", Geometry: squareAt(here, 0.01)}), "conditional", "CONSULT-aviation", "condition"},
		{"through a surface", geo.A2b, true, area(zoning.Area{Kind: "aviation_surface", Geometry: squareAt(here, 0.01), MaxHeightM: new(41.9)}), "conditional", "CONSULT-aviation", "condition"},
		{"just under a surface", geo.A2b, true, area(zoning.Area{Kind: "aviation_surface", Geometry: squareAt(here, 0.01), MaxHeightM: new(42.0)}), "permitted", "CONSULT-aviation", "pass"},
		{"the setback is off", geo.A2b, true, area(zoning.Area{Kind: "setback_area", Geometry: squareAt(here, 0.01)}), "permitted", "SETBACK", ""},
	}
}

// algebraCases is which outcome wins.
func algebraCases(t *testing.T) []checkCase {
	return []checkCase{
		{"refused beats undetermined", geo.A1a, false, func(c *scene) { c.p.HalfWidthM = nil; add(zoneOf(t, 2, "a"))(c) }, "refused", "A1-class", "unknown"},
		{"undetermined beats conditional", geo.A2b, false, func(c *scene) { c.p.Structure, c.p.HeightM = nil, new(50.0) }, "undetermined", "CONSULT-aviation", "condition"},
	}
}

// wellFormed checks what holds for every result.
func wellFormed(tb testing.TB, r zoning.Result) {
	tb.Helper()
	for _, f := range r.Findings {
		if f.Message.VI == "" || f.Message.EN == "" || strings.ContainsAny(f.Message.VI+f.Message.EN, "{}%") && !strings.Contains(f.Message.EN, " % of") {
			tb.Errorf("%s: message is not a finished sentence: %+v", f.Rule, f.Message)
		}
		if f.Source.Instrument == "" {
			tb.Errorf("%s: no source", f.Rule)
		}
		if f.Outcome == zoning.Unknown && strings.HasPrefix(f.Rule, "COND") && len(f.Missing) == 0 && len(find(r, zoning.RuleUrbanEdge)) == 0 {
			tb.Errorf("%s: unknown, but nothing is named as missing", f.Rule)
		}
	}
	if (r.Verdict == zoning.Permitted) != (len(r.Deciding()) == 0) {
		tb.Errorf("%s with %d deciding findings", r.Verdict, len(r.Deciding()))
	}
	if r.AllowedTypes == nil || r.Alternatives == nil {
		tb.Errorf("lists must be written [] and never null")
	}
}

func dump(tb testing.TB, r zoning.Result) {
	tb.Helper()
	body, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Log(string(body))
}

func TestMessagesNameTheNumbers(t *testing.T) {
	rules := demoRules(t)
	s := urban(t)
	s.Zones = append(s.Zones, zoneOf(t, 2, "b"))
	s.Masts = []zoning.Mast{mastAt(7, 212.44, geo.A2b, "VNPT", "MOBIFONE")}
	p := proposalOf(t, geo.A2b)
	p.Structure = new(geo.Guyed)
	r := rules.Check(p, s)
	tests := []struct {
		rule, measured, required, vi, en string
		marginM                          float64
	}{
		{"ZONE-b", "A2b", "A1a, A1b", "chỉ được xây dựng cột loại A1a, A1b; loại đề nghị là A2b", "Only masts of type A1a, A1b", 0},
		{"COND-d1", "guyed", "self_supporting", "phải là cột tự đứng; kết cấu đề nghị là cột dây co", "must be self-supporting", 0},
		{"COND-d2", "212.4 m", "300 m", "Cột S7 chỉ cách 212,4 m; khoảng cách tối thiểu là 300 m", "only 212.4 m away", -87.56},
	}
	for _, tt := range tests {
		f := find(r, tt.rule)[0]
		if f.Measured != tt.measured || f.Required != tt.required {
			t.Errorf("%s: want %s of %s, got %s of %s", tt.rule, tt.measured, tt.required, f.Measured, f.Required)
		}
		if !strings.Contains(f.Message.VI, tt.vi) || !strings.Contains(f.Message.EN, tt.en) {
			t.Errorf("%s: message %+v", tt.rule, f.Message)
		}
		if (f.MarginM == nil) != (tt.marginM == 0) || f.MarginM != nil && !near(*f.MarginM, tt.marginM, 0.001) {
			t.Errorf("%s: margin want %v m, got %v", tt.rule, tt.marginM, f.MarginM)
		}
	}
}

// TestNumbersBesideTheLimit: what fails by less than the sentence's decimal is
// written with as many as it takes.
func TestNumbersBesideTheLimit(t *testing.T) {
	s := urban(t)
	s.Masts = []zoning.Mast{mastAt(7, 299.96, geo.A2b, "VNPT")}
	f := find(demoRules(t).Check(proposalOf(t, geo.A2b), s), "COND-d2")[0]
	if f.Outcome != zoning.Fail || f.Measured != "299.96 m" || *f.MarginM != -0.04 {
		t.Errorf("want a fail at 299.96 m by 0.04 m, got %s at %s by %v m", f.Outcome, f.Measured, *f.MarginM)
	}
}

func near(a, b, tolerance float64) bool { return a-b <= tolerance && b-a <= tolerance }

func TestAlternatives(t *testing.T) {
	rules := demoRules(t)
	s := urban(t)
	s.Masts = []zoning.Mast{mastAt(3, 250, geo.A2b, "VNPT"), mastAt(2, 90, geo.A2b, "VNPT", "MOBIFONE"), mastAt(4, 20, geo.A1b, "VNPT")}
	p := proposalOf(t, geo.A2b)
	p.Structure = new(geo.Guyed)
	var got []string
	for _, a := range rules.Check(p, s).Alternatives {
		word := a.Kind + " " + string(a.MastType) + string(a.Structure)
		if a.Evidence != nil {
			word += a.Evidence.Code
		}
		got = append(got, word)
	}
	want := []string{"mast_type A1a", "mast_type A1b", "mast_type A2a", "structure self_supporting", "share_mast S2", "share_mast S3"}
	if !slices.Equal(want, got) {
		t.Errorf("want %q, got %q", want, got)
	}
}

func TestWithheldAreasShowNothing(t *testing.T) {
	rules := demoRules(t)
	s := rural(t)
	s.Areas = []zoning.Area{
		{Collection: "special_areas", ID: 41, Code: "X1", Kind: "military", WholeCommune: true, Withheld: true},
		{Collection: "special_areas", ID: 42, Code: "X2", Kind: "military", WholeCommune: true, Withheld: true},
	}
	r := rules.Check(proposalOf(t, geo.A2b), s)
	found := find(r, "CONSULT-military")
	if len(found) != 1 {
		t.Fatalf("want one finding for all withheld areas, got %d", len(found))
	}
	if f := found[0]; f.Evidence != nil || f.MarginM != nil || f.MeasuredM != nil || f.Measured != "" {
		t.Errorf("a withheld area shows: %+v", f)
	}
	if b, _ := json.Marshal(r); strings.Contains(string(b), "X1") {
		t.Errorf("the code of a withheld area shows in %s", b)
	}
	border := s
	border.Areas = []zoning.Area{{Kind: "border_belt", WholeCommune: true, Withheld: true}}
	if days := find(rules.Check(proposalOf(t, geo.A2b), border), "CONSULT-border")[0].ReplyDays; days != 30 {
		t.Errorf("reply period: want 30 days, got %d", days)
	}
}

// TestConsultationsNameTheirAreas: what several areas ask for reads differently of each, and
// a rule's own words about areas are kept for all of them. Withheld areas have no name.
func TestConsultationsNameTheirAreas(t *testing.T) {
	p, s := proposalOf(t, geo.A2b), rural(t)
	p.HeightM = new(50.0)
	for i, most := range []*float64{nil, nil, new(45.0)} {
		s.Areas = append(s.Areas, zoning.Area{Collection: "special_areas", ID: int64(i) + 1, Code: fmt.Sprint("HK", i), Name: "Sân bay", Kind: "aviation_surface", Geometry: squareAt(here, 0.01), MaxHeightM: most})
	}
	s.Areas = append(s.Areas, zoning.Area{Code: "KV-QS", Name: "Doanh trại", Kind: "military", Withheld: true, WholeCommune: true})
	const authority = "the Operations Department of the General Staff"
	want := []string{
		"Aviation obstacles: the top is 50 m above ground; from 45 m on, " + authority + " must be consulted.",
		"Aviation obstacles: the place lies within Sân bay (HK0); " + authority + " must be consulted.",
		"Aviation obstacles: the place lies within Sân bay (HK1); " + authority + " must be consulted.",
		"Aviation obstacles: the top is 50 m above ground; within Sân bay (HK2), what is higher than 45 m calls for consulting " + authority + ".",
		"Military area: the competent military authority must be consulted.",
	}
	said := func(rules *zoning.RuleSet) (en []string) {
		r := rules.Check(p, s)
		for _, rule := range []string{"CONSULT-aviation", "CONSULT-military"} {
			for _, f := range find(r, rule) {
				en = append(en, f.Message.EN)
			}
		}
		return en
	}
	if diff := cmp.Diff(want, said(demoRules(t))); diff != "" {
		t.Error(diff)
	}
	own := said(edited(t, func(set map[string]any) {
		rulesIn(set, "consultations")[2]["messages"] = map[string]any{"area": geo.Text{VI: "hỏi {authority}", EN: "ask {authority}"}}
	}))
	if own[1] != "ask "+authority || own[3] != want[3] {
		t.Errorf("in the rule's own words: %q", own)
	}
}

// TestDatesForPeople: no sentence writes a date as computers do.
func TestDatesForPeople(t *testing.T) {
	p, s := proposalOf(t, geo.A2b), rural(t)
	later := zoneOf(t, 5, "a")
	later.Period.From = day(t, "2021-02-03")
	s.Zones = append(s.Zones, later)
	f := find(demoRules(t).Check(p, s), "ZONE-a")
	if len(f) != 1 || !strings.Contains(f[0].Message.VI, "từ 03/02/2021;") || !strings.Contains(f[0].Message.EN, "from 3 February 2021;") {
		t.Errorf("a zone to come: %+v", f)
	}
	s.Zones = nil
	none := find(demoRules(t).Check(p, s), zoning.RuleNoZone)
	if len(none) != 1 || !strings.HasSuffix(none[0].Message.VI, "vào ngày 30/06/2020.") || !strings.HasSuffix(none[0].Message.EN, "on 30 June 2020.") {
		t.Errorf("no zone: %+v", none)
	}
}

// TestDenselyPopulatedAreas: in such an area the rules are those of densely populated places,
// its edge included, and where the position does not tell on which side of it the mast stands
// that is said, if the verdict depends on it. In a town the area changes nothing.
func TestDenselyPopulatedAreas(t *testing.T) {
	rules := demoRules(t)
	for _, tt := range []struct {
		name             string
		east             float64 // of the area's eastern edge, metres
		accuracy         float64
		urban, drawn     bool
		structure        geo.Structure
		verdict          zoning.Verdict
		rule, evidence   string
		outcome          zoning.Outcome
		alsoInTheCountry bool
	}{
		{"within", 100, 0, false, false, geo.Guyed, zoning.Refused, "COND-d1", "DC-1", zoning.Fail, false},
		{"within, as is asked", 100, 0, false, false, geo.SelfSupporting, zoning.Permitted, "COND-d1", "DC-1", zoning.Pass, false},
		{"on the edge", 0, 0, false, false, geo.Guyed, zoning.Refused, "COND-d1", "DC-1", zoning.Fail, false},
		{"beside", -1, 0, false, false, geo.Guyed, zoning.Permitted, "COND-d1", "", "", true},
		{"in a town", 100, 0, true, false, geo.Guyed, zoning.Refused, "COND-d1", "", zoning.Fail, false},
		{"perhaps beside", 10, 20, false, false, geo.Guyed, zoning.Undetermined, zoning.RuleDenseEdge, "", zoning.Unknown, false},
		{"perhaps within", -10, 20, false, false, geo.Guyed, zoning.Undetermined, zoning.RuleDenseEdge, "", zoning.Unknown, true},
		{"perhaps beside, and it does not matter", 10, 20, false, false, geo.SelfSupporting, zoning.Permitted, zoning.RuleDenseEdge, "", "", false},
		{"certainly within", 30, 20, false, false, geo.Guyed, zoning.Refused, zoning.RuleDenseEdge, "", "", false},
		{"drawn as an illustration", 10, 20, false, true, geo.Guyed, zoning.Refused, zoning.RuleDenseEdge, "", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, s := proposalOf(t, geo.A2b), rural(t)
			s.Urban = tt.urban
			p.Structure, p.AccuracyM = new(tt.structure), new(tt.accuracy)
			west, edge := east(-2000)[0], east(tt.east)[0]
			s.Areas = []zoning.Area{{Collection: "special_areas", ID: 3, Code: "DC-1", Kind: zoning.DenselyPopulated, Illustrative: tt.drawn,
				Geometry: orb.MultiPolygon{{{{west, here[1] - 0.03}, {edge, here[1] - 0.03}, {edge, here[1] + 0.03}, {west, here[1] + 0.03}, {west, here[1] - 0.03}}}}}}
			r := rules.Check(p, s)
			data := zoning.SceneData{Territories: []zoning.Territory{{Code: "11", Geometry: squareAt(here, 0.05)}}, Communes: []zoning.Commune{{Code: "1", Urban: tt.urban, Geometry: squareAt(here, 0.05)}}, Zones: s.Zones, Areas: s.Areas}
			scene := zoning.NewScene(data)
			_, among := scene.Check(everywhere(rules), p)
			_, quick := scene.Verdict(everywhere(rules), p)
			if r.Verdict != tt.verdict || among.Verdict != tt.verdict || quick != tt.verdict || rules.Verdict(p, s) != tt.verdict || r.Provisional != tt.drawn {
				t.Errorf("verdict %s, in a scene %s and %s, want %s", r.Verdict, among.Verdict, quick, tt.verdict)
			}
			found := find(r, tt.rule)
			if len(found) == 0 != (tt.outcome == "") || len(found) > 0 && (found[0].Outcome != tt.outcome || (found[0].Evidence == nil) != (tt.evidence == "") || tt.evidence != "" && found[0].Evidence.Code != tt.evidence) {
				t.Errorf("%s: %+v", tt.rule, found)
			}
			if country := len(find(r, "COND-dd1")) > 0; country != tt.alsoInTheCountry {
				t.Errorf("judged as in the country: %v", country)
			}
		})
	}
}
