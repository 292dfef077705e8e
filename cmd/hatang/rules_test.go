package main

import (
	"encoding/json"
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
	second := strings.NewReplacer(`"version": 1`, `"version": 2`, `"valid_from": "2016-01-01"`, `"valid_from": "2021-01-01"`, `"mode": "exclusive"`, `"mode": "permissive"`).Replace(body)
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
	s.command(t, "rules", "diff", "dien-bien-2016@2").wants(t, exitDone, "5 differences from dien-bien-2016@1 to dien-bien-2016@2")
	s.command(t, "rules", "diff", "dien-bien-2016").wants(t, exitUsage, "ID@VERSION")

	var made struct{ Key string }
	if err := json.Unmarshal([]byte(s.command(t, "key", "create", "x", "--role", "officer", "--json").stdout), &made); err != nil {
		t.Fatal(err)
	}
	officer := bearer(made.Key)
	const path = "/api/v1/rule-sets/dien-bien-2016/2"
	s.call(t, http.MethodGet, path, "").wants(t, http.StatusNotFound)
	var compared struct {
		Differences []struct{ Pointer, Rule string }
	}
	s.get(t, path+"/differences", &compared, officer...)
	if len(compared.Differences) != 5 {
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
