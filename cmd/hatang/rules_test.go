package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hatang/internal/permit"
)

// TestRulesAtWork: a decree is drafted, compared and published, at the terminal and over
// HTTP, and from its day on checks judge by it.
func TestRulesAtWork(t *testing.T) {
	t.Parallel()
	s := demo(t)
	body := s.command(t, "rules", "show", "dien-bien-2016@1").stdout
	second := strings.NewReplacer(`"version": 1`, `"version": 2`, `"valid_from": "2016-01-01"`, `"valid_from": "2021-01-01"`, "\"A2a\", \"A2b\"]\n", "\"A2a\"]\n").Replace(body)
	file := filepath.Join(t.TempDir(), "second.json")
	for _, text := range []string{strings.Replace(second, `"clause"`, `"claws"`, 1), second} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if text != second {
			s.command(t, "rules", "draft", file).wants(t, exitFindings, "claws")
		}
	}
	s.command(t, "rules", "draft", file).wants(t, exitDone, "dien-bien-2016@2 is a draft")
	s.command(t, "rules", "draft", file).wants(t, exitDone, "dien-bien-2016@2 is a draft")
	s.command(t, "rules", "list").wants(t, exitDone, "dien-bien-2016@2 11 draft from 2021-01-01")
	s.command(t, "rules", "diff", "dien-bien-2016@2").wants(t, exitDone, "3 differences from dien-bien-2016@1 to dien-bien-2016@2")
	s.command(t, "rules", "diff", "dien-bien-2016").wants(t, exitUsage, "ID@VERSION")

	var made struct{ Key string }
	if err := json.Unmarshal([]byte(s.command(t, "key", "create", "x", "--role", "officer", "--json").stdout), &made); err != nil {
		t.Fatal(err)
	}
	officer := bearer(made.Key)
	s.effects(t, officer)
	const path = "/api/v1/rule-sets/dien-bien-2016/2"
	s.call(t, http.MethodGet, path, "").wants(t, http.StatusNotFound)
	var compared struct {
		Differences []struct{ Pointer, Rule string }
	}
	s.get(t, path+"/differences", &compared, officer...)
	if len(compared.Differences) != 3 {
		t.Errorf("%+v", compared)
	}
	s.call(t, http.MethodPost, path+"/publication", "", officer...).wants(t, http.StatusForbidden)
	s.command(t, "rules", "publish", "dien-bien-2016@2").wants(t, exitDone, "")
	s.command(t, "rules", "publish", "dien-bien-2016@2").wants(t, exitFindings, "published already")
	s.command(t, "rules", "drop", "dien-bien-2016@2").wants(t, exitFindings, "")
	for date, label := range map[string]string{"2020-12-31": "dien-bien-2016@1", "2021-01-01": "dien-bien-2016@2"} {
		var verdict struct {
			RuleSet string `json:"rule_set"`
		}
		s.call(t, http.MethodPost, "/api/v1/placement-checks", `{"lon":103.0165,"lat":21.3826,"mast_type":"A2b","date":"`+date+`"}`, "Content-Type", "application/json").read(t, &verdict)
		if verdict.RuleSet != label {
			t.Errorf("on %s judged by %s", date, verdict.RuleSet)
		}
	}
	var listed struct {
		RuleSets []permit.RuleSetEntry `json:"rule_sets"`
	}
	s.get(t, "/api/v1/rule-sets?date=2020-06-01", &listed)
	if len(listed.RuleSets) != 1 || listed.RuleSets[0].Label() != "dien-bien-2016@1" || listed.RuleSets[0].ValidTo.String() != "2021-01-01" {
		t.Errorf("%+v", listed)
	}
}

// effects compares what the draft changes with what networks are judged by each: all operators
// together, before and after.
func (s *server) effects(t *testing.T, officer []string) {
	t.Helper()
	var found struct {
		From, To             string
		Masts, Changed, More int
		Steps                []permit.EffectStep
		Counts               []permit.EffectCounts
		List                 []struct{ Before, After string }
	}
	s.get(t, "/api/v1/rule-sets/dien-bien-2016/2/effects", &found, officer...)
	changed, masts := 0, 0
	for _, step := range found.Steps {
		masts += step.Masts
		if step.Before != step.After {
			changed += step.Masts
		}
	}
	if found.From != "dien-bien-2016@1" || found.To != "dien-bien-2016@2" || found.Masts == 0 || masts != found.Masts || changed != found.Changed || changed == 0 || len(found.List)+found.More != changed {
		t.Fatalf("%+v", found)
	}
	before := map[string]int{}
	for _, n := range found.Counts {
		before[n.Operator] += n.RefusedBefore
		if n.RefusedAfter != n.RefusedBefore+n.BecomeRefused-n.CeaseRefused {
			t.Errorf("%+v", n)
		}
	}
	for _, operator := range []string{"VNPT", "VIETTEL"} {
		var network struct {
			Summary struct{ Refused int }
		}
		s.get(t, "/api/v1/placement-checks/network?date=2021-01-01&operator="+operator, &network, officer...)
		if network.Summary.Refused != before[operator] {
			t.Errorf("%s: %d do not conform, before the draft %d", operator, network.Summary.Refused, before[operator])
		}
	}
	s.command(t, "rules", "effects", "dien-bien-2016@2").wants(t, exitDone, fmt.Sprintf("%d of %d masts have another verdict", found.Changed, found.Masts))
}

// TestEffectsOnMastsOfNobody: a mast on which no operator is yet is told as such, not by an empty name.
func TestEffectsOnMastsOfNobody(t *testing.T) {
	var out strings.Builder
	printEffects(&environment{stdout: &out}, "a@1", "a@2", permit.Effects{Counts: []permit.EffectCounts{{District: "094", Masts: 1}}})
	if !strings.Contains(out.String(), "district 094, no operator: 1 masts") {
		t.Error(out.String())
	}
}
