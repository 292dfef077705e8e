package zoning_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
)

// mastCase is a line of testdata/masts.json: what differs from a proposal that meets every
// rule, and the answer with the clause it rests on.
type mastCase struct {
	Name, Clause, Rule  string
	Outcome             zoning.Outcome
	Verdict             zoning.Verdict
	AnyVerdict          bool         `json:"any_verdict"` // what else is found decides
	MastType            geo.MastType `json:"mast_type"`
	Rural, Outside      bool
	NoZones             bool     `json:"no_zones"`
	HeightM             *float64 `json:"height_m"`
	HostBuildingHeightM *float64 `json:"host_building_height_m"`
	HalfWidthM          *float64 `json:"half_width_m"`
	Concealed           *bool
	Structure           *geo.Structure
	Without             []string
	Date                string
	ReplyDays           int   `json:"reply_days"`
	Feature             int64 // id of one of the masts, which are counted from 1
	Zones               []struct {
		Class, From, To string
		Edge            float64 `json:"east_edge_m"` // of a zone that begins 2 km in the west
	}
	Masts []struct {
		East      float64      `json:"east_m"`
		MastType  geo.MastType `json:"mast_type"`
		Operators []string
		Status    string
	}
	Areas []string // kinds
}

// given puts what the case says in the place of what is otherwise proposed.
func given[T any](into **T, value *T) {
	if value != nil {
		*into = value
	}
}

func (c *mastCase) question(t *testing.T) (zoning.Proposal, zoning.Surroundings) {
	p, s := proposalOf(t, c.MastType), urban(t)
	if c.Rural {
		s = rural(t)
	}
	p.Feature = c.Feature
	given(&p.HeightM, c.HeightM)
	given(&p.HostBuildingHeightM, c.HostBuildingHeightM)
	given(&p.HalfWidthM, c.HalfWidthM)
	given(&p.Concealed, c.Concealed)
	given(&p.Structure, c.Structure)
	for _, field := range c.Without {
		switch field {
		case "height_m":
			p.HeightM = nil
		case "half_width_m":
			p.HalfWidthM = nil
		case "host_building_height_m":
			p.HostBuildingHeightM = nil
		case "concealed":
			p.Concealed = nil
		case "structure":
			p.Structure = nil
		default:
			t.Fatalf("no field %s", field)
		}
	}
	if c.Date != "" {
		p.Date = day(t, c.Date)
	}
	if c.NoZones {
		s.Zones = nil
	}
	s.InTerritory = !c.Outside
	for i, z := range c.Zones {
		zone := zoneOf(t, int64(i)+10, z.Class)
		w, e := east(-2000)[0], east(z.Edge)[0]
		zone.Geometry = orb.MultiPolygon{{{{w, here[1] - 0.01}, {e, here[1] - 0.01}, {e, here[1] + 0.01}, {w, here[1] + 0.01}, {w, here[1] - 0.01}}}}
		zone.Period.From = day(t, z.From)
		if z.To != "" {
			zone.Period.To = day(t, z.To)
		}
		s.Zones = append(s.Zones, zone)
	}
	for i, m := range c.Masts {
		mast := mastAt(int64(i)+1, m.East, m.MastType, m.Operators...)
		mast.Status = m.Status
		s.Masts = append(s.Masts, mast)
	}
	for i, kind := range c.Areas {
		s.Areas = append(s.Areas, zoning.Area{Collection: "special_areas", ID: int64(i) + 1, Code: "A", Kind: kind, Geometry: squareAt(here, 0.01)})
	}
	return p, s
}

// TestMasts is the table of what the plan says of masts, each line with its clause.
func TestMasts(t *testing.T) {
	raw, err := os.ReadFile("testdata/masts.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []mastCase
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	rules, judged := demoRules(t), map[string]bool{"SETBACK": true} // which is off, and has a test of its own
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			p, s := c.question(t)
			r := rules.Check(p, s)
			if r.Verdict != c.Verdict && !c.AnyVerdict || rules.Verdict(p, s) != r.Verdict {
				t.Errorf("verdict %s, want %s", r.Verdict, c.Verdict)
			}
			found := find(r, c.Rule)
			if (len(found) == 0) != (c.Outcome == "") {
				t.Fatalf("%s: %+v", c.Rule, r.Findings)
			}
			told := c.Outcome == ""
			for _, f := range found {
				told = told || f.Outcome == c.Outcome && f.Clause == c.Clause && (c.ReplyDays == 0 || f.ReplyDays == c.ReplyDays)
			}
			judged[c.Rule] = judged[c.Rule] || c.Outcome != ""
			if !told {
				t.Errorf("want %s %s, %q", c.Rule, c.Outcome, c.Clause)
			}
			wellFormed(t, r)
			if t.Failed() {
				dump(t, r)
			}
		})
	}
	for _, rule := range rules.Rules() {
		if rule.Kind != "cable" && !judged[rule.ID] {
			t.Errorf("no case is about %s", rule.ID)
		}
	}
}
