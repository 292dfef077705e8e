package zoning_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hatang/geo"
	"hatang/geo/zoning"
)

var update = flag.Bool("update", false, "rewrite the sentences beside the bad rule sets in testdata")

func TestGoodRuleSetsLoad(t *testing.T) {
	files, err := filepath.Glob("testdata/*.good.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no good rule sets in testdata: %v", err)
	}
	for _, file := range files {
		rulesFrom(t, file)
	}
}

// TestBadRuleSetsSayWhy holds every bad rule set against all the sentences it must
// produce: NAME.bad.json against NAME.bad.txt.
func TestBadRuleSetsSayWhy(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no bad rule sets in testdata: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".bad.json"), func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			rules, err := zoning.ParseRuleSet(body)
			var faults *zoning.FaultsError
			if rules != nil || !errors.As(err, &faults) {
				t.Fatalf("want no rule set and a *FaultsError, got %v, %v", rules, err)
			}
			var got strings.Builder
			for _, f := range faults.Faults {
				got.WriteString(f.Pointer + ": " + f.Message.EN + "\n")
				if f.Message.VI == "" || strings.Contains(f.Message.VI+f.Message.EN, "%s") {
					t.Errorf("%s: unfinished sentence %+v", f.Pointer, f.Message)
				}
			}
			compareWith(t, strings.TrimSuffix(file, ".json")+".txt", got.String())
		})
	}
}

func compareWith(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestDemoRuleSet(t *testing.T) {
	rules := demoRules(t)
	if rules.Label() != "dien-bien-2016@1" || rules.Reach() != 400 || rules.SharingWithinM() != 400 {
		t.Errorf("want dien-bien-2016@1 with a reach of 400 m and sharing within 400 m, got %s with %v m and %v m", rules.Label(), rules.Reach(), rules.SharingWithinM())
	}
	var ids []string
	for _, r := range rules.Rules() {
		ids = append(ids, r.ID+" "+string(r.Effect))
	}
	want := []string{"A1-class binding", "A2a-class binding", "A2b-class binding", "ZONE-a binding", "ZONE-b binding", "ZONE-c binding", "ZONE-d binding", "ZONE-dd binding",
		"COND-d1 binding", "COND-d2 advisory", "COND-dd1 advisory", "SHARE-duty advisory", "SETBACK advisory",
		"CONSULT-border condition", "CONSULT-military condition", "CONSULT-aviation condition",
		"CAB-U1 binding", "CAB-U2 binding", "CAB-P3 condition", "CAB-P1 advisory", "CAB-P2 binding", "CAB-E1 advisory", "CAB-E2 binding", "CAB-B1 condition"}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if want := []string{"aviation_surface", "border_belt", "military"}; !slices.Equal(want, rules.AreaKinds()) {
		t.Errorf("kinds of areas: want %v, got %v", want, rules.AreaKinds())
	}
	allowed := map[string][]geo.MastType{}
	for _, z := range rules.ZoneClasses() {
		allowed[z.Code] = z.Allowed
	}
	a1 := []geo.MastType{geo.A1a, geo.A1b}
	wantAllowed := map[string][]geo.MastType{"a": {geo.A1b}, "b": a1, "c": a1, "d": geo.MastTypes(), "dd": geo.MastTypes()}
	if diff := cmp.Diff(wantAllowed, allowed); diff != "" {
		t.Errorf("allowed types (-want +got):\n%s", diff)
	}
	rules.ZoneClasses()[0].Allowed[0] = geo.A2b
	if rules.ZoneClasses()[0].Allowed[0] != geo.A1b {
		t.Error("a caller can change the rule set")
	}
}

// TestAnotherPlan shows that nothing of the demo's province is in the code.
func TestAnotherPlan(t *testing.T) {
	rules := rulesFrom(t, "testdata/invented.good.json")
	isle := func(classes ...string) zoning.Surroundings {
		s := zoning.Surroundings{InTerritory: true}
		for i, class := range classes {
			z := zoneOf(t, int64(i+1), class)
			s.Zones = append(s.Zones, z)
		}
		return s
	}
	with := func(s zoning.Surroundings, masts []zoning.Mast, areas ...zoning.Area) zoning.Surroundings {
		s.Masts, s.Areas = masts, areas
		for i := range s.Masts {
			s.Masts[i].Status = "up"
		}
		return s
	}
	school := zoning.Area{Collection: "schools", ID: 1, Code: "school", Kind: "school", Geometry: squareAt(east(200), 0.0001)}
	tests := []struct {
		name     string
		mast     geo.MastType
		heightM  *float64
		s        zoning.Surroundings
		verdict  zoning.Verdict
		rule     string
		outcome  zoning.Outcome
		measured string
	}{
		{"K1 wants big masts", geo.A1a, new(4.0), isle("K1"), "refused", "Z-K1", "fail", "A1a"},
		{"5 m is small there", geo.A1a, new(5.0), isle("k-two"), "permitted", "CLASS", "pass", "height_m 5 m"},
		{"both zones leave A2b", geo.A2b, new(10.0), isle("K1", "K2"), "conditional", "STAND", "fail", "self_supporting"},
		{"low masts 500 m apart", geo.A2b, new(20.0), with(isle("K2"), []zoning.Mast{mastAt(1, 490, geo.A2b, "A", "B")}), "refused", "FAR", "fail", "490 m"},
		{"high masts 900 m apart", geo.A2b, new(21.0), with(isle("K2"), []zoning.Mast{mastAt(1, 890, geo.A2b, "A", "B")}), "refused", "FAR", "fail", "890 m"},
		{"within the margin below", geo.A2b, new(20.0), with(isle("K2"), []zoning.Mast{mastAt(1, 496, geo.A2b, "A", "B")}), "undetermined", "FAR", "unknown", "496 m"},
		{"within the margin above", geo.A2b, new(20.0), with(isle("K2"), []zoning.Mast{mastAt(1, 504, geo.A2b, "A", "B")}), "undetermined", "FAR", "unknown", "504 m"},
		{"beyond the margin", geo.A2b, new(20.0), with(isle("K2"), []zoning.Mast{mastAt(1, 506, geo.A2b, "A", "B")}), "conditional", "FAR", "pass", "506 m"},
		{"unknown height matters between 500 and 900 m", geo.A2b, nil, with(isle("K2"), []zoning.Mast{mastAt(1, 700, geo.A2b, "A", "B")}), "undetermined", "FAR", "unknown", "700 m"},
		{"a binding duty to share", geo.A2b, new(20.0), with(isle("K2"), []zoning.Mast{mastAt(1, 950, geo.A2b, "A")}), "refused", "SHARE", "fail", "950 m"},
		{"setback 1.5 × 100 m of a school at 190 m", geo.A2b, new(100.0), with(isle("K2"), nil, school), "conditional", "BACK", "pass", "189.6 m"},
		{"setback 1.5 × 140 m of a school at 190 m", geo.A2b, new(140.0), with(isle("K2"), nil, school), "refused", "BACK", "fail", "189.6 m"},
		{"setback of an unknown height", geo.A2b, nil, with(isle("K2"), nil, school), "undetermined", "BACK", "unknown", ""},
		{"the keeper", geo.A1a, new(4.0), with(isle("K2"), nil, zoning.Area{Kind: "lighthouse", Geometry: squareAt(here, 0.01)}), "conditional", "ASK", "condition", ""},
		{"the demo's classes mean nothing there", geo.A2b, new(4.0), isle("b"), "undetermined", "ZONE-class", "unknown", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := zoning.Proposal{Point: here, MastType: tt.mast, HeightM: tt.heightM, Structure: new(geo.SelfSupporting), Date: day(t, "2025-01-01")}
			r := rules.Check(p, tt.s)
			if r.Verdict != tt.verdict {
				t.Errorf("verdict: want %s, got %s", tt.verdict, r.Verdict)
			}
			if got := outcome(t, r, tt.rule); got != tt.outcome {
				t.Errorf("%s: want %q, got %q", tt.rule, tt.outcome, got)
			}
			if found := find(r, tt.rule); len(found) == 1 && found[0].Measured != tt.measured {
				t.Errorf("%s: want measured %q, got %q", tt.rule, tt.measured, found[0].Measured)
			}
			wellFormed(t, r)
			if t.Failed() {
				dump(t, r)
			}
		})
	}
	p := zoning.Proposal{Point: here, MastType: geo.A2a, Date: day(t, "2025-01-01")}
	want := geo.Text{VI: "Đảo cấm loại A2a.", EN: "The isle forbids A2a here, Zone K2."}
	if got := find(rules.Check(p, isle("K2")), "Z-K2")[0].Message; got != want {
		t.Errorf("a rule's own sentence: want %v, got %v", want, got)
	}
}

func TestProposalFaultsAllAtOnce(t *testing.T) {
	p := zoning.Proposal{Point: here, MastType: "A9", HeightM: new(-1.0), HalfWidthM: new(0.0), Structure: new(geo.Structure("balloon"))}
	p.Point[0] = 206.7
	var faults *zoning.FaultsError
	if !errors.As(p.Validate(), &faults) {
		t.Fatalf("want a *FaultsError, got %v", p.Validate())
	}
	var pointers []string
	for _, f := range faults.Faults {
		pointers = append(pointers, f.Pointer)
	}
	want := []string{"/lon", "/mast_type", "/height_m", "/half_width_m", "/structure"}
	if diff := cmp.Diff(want, pointers); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	r := demoRules(t).Check(p, urban(t))
	if r.Verdict != zoning.Undetermined || outcome(t, r, "INPUT") != zoning.Unknown {
		t.Errorf("an invalid proposal: got %s with %v", r.Verdict, r.Findings)
	}
	if err := proposalOf(t, geo.A1a).Validate(); err != nil {
		t.Errorf("a good proposal: %v", err)
	}
}

// FuzzParseRuleSet: whatever the bytes, either a rule set that can judge or all
// its faults, each with a pointer and a finished sentence; never a panic.
func FuzzParseRuleSet(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "../../internal/plan/packs/dien-bien/rules.json") {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	p, s := proposalOf(f, geo.A2b), urban(f)
	s.Masts = []zoning.Mast{mastAt(1, 100, geo.A2b, "VNPT")}
	f.Fuzz(func(t *testing.T, body []byte) {
		rules, err := zoning.ParseRuleSet(body)
		if err == nil {
			rules.Check(p, s)
			return
		}
		var faults *zoning.FaultsError
		if rules != nil || !errors.As(err, &faults) || len(faults.Faults) == 0 {
			t.Fatalf("want faults, got %v, %v", rules, err)
		}
	})
}
