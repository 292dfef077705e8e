package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// rulesBody is the rule set of a pack, with another version.
func rulesBody(t *testing.T, change ...string) string {
	t.Helper()
	raw, err := os.ReadFile("../plan/packs/dien-bien/rules.json")
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(change...).Replace(string(raw))
}

// TestRuleSets: what a client says of rule sets reaches the store as it was said.
func TestRuleSets(t *testing.T) {
	const sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	body := rulesBody(t)
	second := strings.Replace(body, `"version": 1`, `"version": 2`, 1)
	s := &fakeStore{ruleSets: []permit.RuleSetEntry{{ID: "dien-bien-2016", Version: 2, Jurisdiction: "11", State: permit.RulesDraft, ValidFrom: geo.NewDate(2016, 1, 1), SHA256: sum, Body: []byte(second)}}}
	h := handlerOf(t, s)
	const rules = root + "/rule-sets/dien-bien-2016/2"
	for _, tt := range []struct {
		method, target, body, match string
		status                      int
		said                        string // by the store, or in the answer
	}{
		{"POST", root + "/rule-sets?jurisdiction=11", second, "", 201, "AddRules dien-bien-2016@2 11"},
		{"POST", root + "/rule-sets", strings.Replace(second, `"clause"`, `"claws"`, 1), "", 400, "/mast_classes/0/claws"},
		{"POST", root + "/rule-sets", "[]", "", 400, ""},
		{"POST", root + "/rule-sets", `{"x":"` + strings.Repeat("x", permit.MaxRuleSetBytes) + `"}`, "", 413, ""},
		{"PUT", rules, second, "", 204, "ChangeRules dien-bien-2016@2 *"},
		{"PUT", rules, second, `"` + sum + `"`, 204, "ChangeRules dien-bien-2016@2 " + sum},
		{"PUT", rules, second, `"7"`, 412, ""},
		{"PUT", rules, body, "", 400, "/version"},
		{"PUT", root + "/rule-sets/dien-bien-2016/3", body, "", 404, ""},
		{"DELETE", rules, "", `"` + sum + `"`, 204, "DropRules dien-bien-20162 " + sum},
		{"POST", rules + "/publication", "", "", 204, "PublishRules dien-bien-20162 * 2020-12-31"},
		{"GET", root + "/rule-sets?state=drafted", "", "", 400, "state"},
		{"GET", root + "/rule-sets?date=2020", "", "", 400, "date"},
		{"GET", root + "/rule-sets/dien-bien-2016/0", "", "", 404, ""},
		{"GET", root + "/rule-sets/dien-bien-2016/99999999999999999999", "", "", 404, ""},
		{"GET", rules + "/differences?from=x", "", "", 400, "ID@VERSION"},
		{"GET", rules + "/differences", "", "", 400, "no rule set before"},
		{"GET", rules + "/differences?from=dien-bien-2016@2", "", "", 200, `"differences":[]`},
	} {
		s.calls = nil
		headers := []string{asOfficer}
		if tt.method == "POST" && tt.body != "" || tt.method == "PUT" {
			headers = append(headers, "Content-Type: application/json")
		}
		if tt.match != "" {
			headers = append(headers, "If-Match: "+tt.match)
		}
		w := do(h, tt.method, tt.target, tt.body, headers...)
		if w.Code != tt.status || !strings.Contains(strings.Join(s.calls, "\n")+w.Body.String(), tt.said) {
			t.Errorf("%s %.80s %s: %d, %q of\n%s\n%.600s", tt.method, tt.target, tt.match, w.Code, tt.said, s.calls, w.Body)
		}
	}
	w := do(h, "GET", rules, "")
	if w.Code != http.StatusOK || w.Body.String() != second || w.Header().Get("ETag") != `"`+sum+`"` || !strings.Contains(w.Header().Get("Content-Disposition"), "dien-bien-2016@2.json") {
		t.Errorf("the body: %d %v", w.Code, w.Header())
	}
	w = do(h, "GET", root+"/rule-sets?id=dien-bien-2016&jurisdiction=11&state=draft&date=2020-01-01", "")
	var listed struct {
		RuleSets []ruleSetDocument `json:"rule_sets"`
	}
	want := permit.RuleSetQuery{ID: "dien-bien-2016", Jurisdiction: "11", State: permit.RulesDraft, InForce: geo.NewDate(2020, 1, 1)}
	if err := json.Unmarshal(w.Body.Bytes(), &listed); err != nil || len(listed.RuleSets) != 1 || len(listed.RuleSets[0].Links) != 2 || s.rulesAsked[len(s.rulesAsked)-1] != want {
		t.Errorf("%d, %v: %s", w.Code, s.rulesAsked, w.Body)
	}
}

func TestWhatKeepsRulesFromBeingWrittenIsSaidOfRules(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
		said   string
	}{
		{layer.ErrForbidden, 403, "approvers and administrators put them in force"},
		{fmt.Errorf("%w: it is published", layer.ErrConflict), 409, "draft a new version"},
	} {
		var p *problemError
		if !errors.As(rulesProblem(tt.err), &p) || p.Type.Status != tt.status || !strings.Contains(p.Detail.EN, tt.said) || p.Detail.VI == "" {
			t.Errorf("%v: %+v", tt.err, p)
		}
	}
	if err := errors.New("the disk"); !errors.Is(rulesProblem(err), err) {
		t.Error("other errors are words of others")
	}
}
