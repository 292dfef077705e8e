package zoning_test

import (
	"os"
	"strings"
	"testing"

	"hatang/geo"
	"hatang/geo/zoning"
)

// A mast that was refused to the proposer is not demanded from the day of the refusal on, for
// as long as the rule says, from him alone; the finding names the request.
func TestARefusalFreesFromSharingTheMast(t *testing.T) {
	demo := demoRules(t)
	body, err := os.ReadFile("../../internal/plan/packs/dien-bien/rules.json")
	if err != nil {
		t.Fatal(err)
	}
	never, err := zoning.ParseRuleSet([]byte(strings.Replace(string(body), `"max_operators": 4,`, `"max_operators": 4, "refusal_months": 0,`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, operator, date string
		rules                *zoning.RuleSet
		frees                bool
	}{
		{"on the day", "VIETTEL", "2020-01-15", demo, true}, {"the day before", "VIETTEL", "2020-01-14", demo, false},
		{"the last day", "VIETTEL", "2021-01-14", demo, true}, {"a year later", "VIETTEL", "2021-01-15", demo, false},
		{"another's", "MOBIFONE", "2020-06-30", demo, false}, {"nobody's", "", "2020-06-30", demo, false}, {"where none counts", "VIETTEL", "2020-06-30", never, false},
	} {
		p, s := proposalOf(t, geo.A2b), urban(t)
		p.Operator, p.Date = c.operator, day(t, c.date)
		m := mastAt(1, 50, geo.A2b, "VNPT")
		m.Refusals = []zoning.Refusal{{Operator: "VIETTEL", Request: "S-2020-0000-0000-0001", On: day(t, "2020-01-15")}, {Operator: "VIETTEL", Request: "S-2018-0000-0000-0001", On: day(t, "2018-01-15")}}
		s.Masts = []zoning.Mast{m}
		r := c.rules.Check(p, s)
		found := find(r, "SHARE-duty")
		want := zoning.Finding{Outcome: zoning.Fail}
		if c.frees {
			want = zoning.Finding{Outcome: zoning.Pass, SharingRequest: "S-2020-0000-0000-0001"}
		}
		offered := false
		for _, a := range r.Alternatives {
			offered = offered || a.Kind == zoning.AlternativeShareMast
		}
		if len(found) != 1 || found[0].Outcome != want.Outcome || found[0].SharingRequest != want.SharingRequest || found[0].Evidence.ID != 1 || strings.Contains(found[0].Message.EN, want.SharingRequest) != true || offered == c.frees {
			t.Errorf("%s: %+v, offered %t", c.name, found, offered)
		}
		if c.rules.Verdict(p, s) != r.Verdict {
			t.Errorf("%s: the verdict alone is %s", c.name, c.rules.Verdict(p, s))
		}
		wellFormed(t, r)
	}
}
