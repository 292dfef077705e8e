package main

import (
	"encoding/csv"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// networkAnswer is what the tests read of a network.
type networkAnswer struct {
	Masts []struct {
		Evidence   struct{ Code string }
		Status     string
		Since      string
		Verdict    string
		BeforePlan bool `json:"before_plan"`
		Unit       *struct{ District string }
		Findings   []struct{ Rule, Outcome string }
	}
	Summary struct {
		Masts, Permitted, Conditional, Refused, Undetermined int
		BeforePlan                                           int `json:"before_plan"`
		Districts                                            []struct {
			District string
			Masts    int
		}
		Rules []struct {
			Rule string
			Fail int
		}
	}
}

// networksAreJudged: of the demonstration's operators each mast is judged once, the counts
// add up, every format says the same, and so does the command.
func networksAreJudged(t *testing.T, s *server) {
	const path = "/api/v1/placement-checks/network?date=2020-12-31&operator="
	for operator, masts := range map[string]int{"SFONE": 3, "VIETNAMOBILE": 41, "NOBODY": 0} {
		var n networkAnswer
		s.call(t, "GET", path+operator, "").read(t, &n)
		existing := 0
		for _, m := range n.Masts {
			if m.Status == "existing" {
				existing++
			}
		}
		if existing != masts {
			t.Errorf("%s: %d masts stand, want %d", operator, existing, masts)
		}
	}
	var n networkAnswer
	s.call(t, "GET", path+"VIETTEL", "").read(t, &n)
	sum, inDistricts := n.Summary, 0
	for _, d := range sum.Districts {
		inDistricts += d.Masts
	}
	if sum.Masts != len(n.Masts) || inDistricts != sum.Masts || sum.Permitted+sum.Conditional+sum.Refused+sum.Undetermined != sum.Masts || sum.Masts < 237 || sum.BeforePlan == 0 {
		t.Errorf("VIETTEL: %+v of %d", sum, len(n.Masts))
	}
	for _, m := range n.Masts {
		if m.BeforePlan && (m.Since == "" || m.Since >= "2020-12-31" || m.Verdict == "permitted") || m.Verdict == "refused" && len(m.Findings) == 0 {
			t.Errorf("%+v", m)
		}
	}
	t.Logf("VIETTEL: %+v", sum)
	table := s.call(t, "GET", path+"VIETTEL&f=csv", "")
	rows, err := csv.NewReader(strings.NewReader(string(table.body))).ReadAll()
	if err != nil || len(rows) != len(n.Masts)+1 || rows[1][0] != n.Masts[0].Evidence.Code || rows[1][9] != n.Masts[0].Verdict {
		t.Errorf("as CSV: %v, %d rows", err, len(rows))
	}
	lines := strings.Split(strings.TrimSpace(string(s.call(t, "GET", path+"VIETTEL&f=ndjson", "").body)), "\n")
	if len(lines) != len(n.Masts)+1 || !strings.HasPrefix(lines[len(lines)-1], `{"summary":`) {
		t.Errorf("%d lines", len(lines))
	}
	common := []string{"check", "--data", s.dir, "--date", "2020-12-31", "--network", "VIETTEL"}
	code := exitDone
	if sum.Refused > 0 {
		code = exitFindings
	}
	r := hatang(t, append(slices.Clone(common), "--json")...)
	r.wants(t, code, "")
	var told networkAnswer
	if err := json.Unmarshal([]byte(r.stdout), &told); err != nil || told.Summary.Masts < sum.Masts {
		t.Errorf("the command: %v, %+v", err, told.Summary)
	}
	hatang(t, append(slices.Clone(common), "--out", filepath.Join(freshDir(t), "network.xlsx"))...).wants(t, code, "")
	for _, bad := range [][]string{{"--out", "network.pdf"}, {"--file", "sites.csv"}, {"--nearest"}} {
		hatang(t, append(slices.Clone(common), bad...)...).wants(t, exitUsage, "")
	}
}
