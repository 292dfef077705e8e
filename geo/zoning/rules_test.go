package zoning_test

import (
	"os"
	"strings"
	"testing"

	"hatang/geo/zoning"
)

// TestRulesOfTerritories: each territory by its own rules, elsewhere the first of all
// by territory code, which finds that the place is not its territory.
func TestRulesOfTerritories(t *testing.T) {
	demo, invented := demoRules(t), inventedRules(t)
	rules := zoning.NewRules([]zoning.TerritoryRules{{Territory: "12", Rules: invented}, {Territory: "11", Rules: demo}, {Territory: "12", Rules: demo}, {Territory: "10"}})
	for territory, want := range map[string]*zoning.RuleSet{"11": demo, "12": invented} {
		if got, ok := rules.For(territory); got != want || !ok {
			t.Errorf("%s: want %s, got %s, %t", territory, want.Label(), got.Label(), ok)
		}
	}
	if got, ok := rules.For("10"); got != demo || ok {
		t.Errorf("a territory without rules: want the first and false, got %s, %t", got.Label(), ok)
	}
	if invented.SharingWithinM() != 1000 {
		t.Errorf("sharing: want within 1000 m, got %v m", invented.SharingWithinM())
	}
	if want := max(demo.Reach(), invented.Reach()); rules.ReachM() != want {
		t.Errorf("reach: want %v m, got %v m", want, rules.ReachM())
	}
}

// TestWithoutRules: on a date without rules the verdict is undetermined, and says so
// in whatever detail it is asked for.
func TestWithoutRules(t *testing.T) {
	none := zoning.NewRules(nil)
	scene := zoning.NewScene(zoning.SceneData{
		Territories: []zoning.Territory{{ID: 1, Code: "11", Geometry: squareAt(here, 1)}},
		Communes:    []zoning.Commune{{ID: 1, Code: "c", District: "d", Geometry: squareAt(here, 0.5)}},
	})
	p, want := proposalOf(t, "A2b"), zoning.Place{Commune: "c", District: "d", Territory: "11"}
	place, r := scene.Check(none, p)
	if place != want || r.Verdict != zoning.Undetermined || len(r.Findings) != 1 || len(find(r, zoning.RuleNoRules)) != 1 || r.Findings[0].Message.VI == "" {
		t.Errorf("Check: got %+v in %+v", r, place)
	}
	if quiet := findings(scene, none, p); sameResult(silent(r), quiet) != "" {
		t.Errorf("Findings (-Check +Findings):\n%s", sameResult(silent(r), quiet))
	}
	if place, v := scene.Verdict(none, p); place != want || v != zoning.Undetermined {
		t.Errorf("Verdict: got %s in %+v", v, place)
	}
	if rs, around := scene.Surroundings(none, here); rs != nil || around.InTerritory || around.Commune != "c" {
		t.Errorf("Surroundings: got %v, %+v", rs, around)
	}
}

// TestSurroundingsOfAScene: what a scene says lies round a place judges it as the
// scene does.
func TestSurroundingsOfAScene(t *testing.T) {
	c := newCountry(t, 60, 3)
	scene := zoning.NewScene(c.SceneData)
	for _, p := range c.probes(t, 200) {
		rs, around := scene.Surroundings(c.rules, p.Point)
		if diff := sameResult(check(scene, c.rules, p), rs.Check(p, around)); diff != "" {
			t.Fatalf("at %v (-scene +by hand):\n%s", p.Point, diff)
		}
	}
}

// TestBesideM: how far beside a point areas matter, by the setbacks that are enabled.
func TestBesideM(t *testing.T) {
	demo, invented := demoRules(t), inventedRules(t) // no setback enabled; 1.5 heights
	tests := []struct {
		name  string
		rules *zoning.Rules
		want  float64
	}{
		{"nil", nil, 0},
		{"no rules", zoning.NewRules(nil), 0},
		{"no setback", everywhere(demo), 0},
		{"a small setback", everywhere(invented), zoning.SetbackReachM},
		{"of either", zoning.NewRules([]zoning.TerritoryRules{{Territory: "11", Rules: demo}, {Territory: "12", Rules: invented}}), zoning.SetbackReachM},
		{"a large setback", everywhere(rulesWith(t, "testdata/invented.good.json", `"height_ratio": 1.5`, `"height_ratio": 7.5`)), 7.5 * zoning.HighestMastM},
	}
	for _, tt := range tests {
		if got := tt.rules.BesideM(); got != tt.want {
			t.Errorf("%s: want %v m, got %v m", tt.name, tt.want, got)
		}
	}
}

// rulesWith are rules from a file in which some text stands in the place of other.
func rulesWith(tb testing.TB, path, text, instead string) *zoning.RuleSet {
	tb.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	if strings.Count(string(body), text) != 1 {
		tb.Fatalf("%s does not hold %s once", path, text)
	}
	rules, err := zoning.ParseRuleSet([]byte(strings.Replace(string(body), text, instead, 1)))
	if err != nil {
		tb.Fatal(err)
	}
	return rules
}

// TestNilRules: nil is no rules.
func TestNilRules(t *testing.T) {
	var none *zoning.Rules
	if rs, ok := none.For("11"); rs != nil || ok || none.ReachM() != 0 {
		t.Errorf("For: %v, %t; ReachM: %v", rs, ok, none.ReachM())
	}
	scene := zoning.NewScene(zoning.SceneData{Territories: []zoning.Territory{{ID: 1, Code: "11", Geometry: squareAt(here, 1)}}})
	p := proposalOf(t, "A2b")
	if diff := sameResult(check(scene, zoning.NewRules(nil), p), check(scene, nil, p)); diff != "" {
		t.Errorf("-none +nil:\n%s", diff)
	}
	if v := verdict(scene, nil, p); v != zoning.Undetermined {
		t.Errorf("Verdict: %s", v)
	}
	if rs, _ := scene.Surroundings(nil, here); rs != nil {
		t.Errorf("Surroundings: %v", rs)
	}
}
