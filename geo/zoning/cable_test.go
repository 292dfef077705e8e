package zoning_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"hatang/geo"
	"hatang/geo/zoning"
)

// cableCase is a line of testdata/cables.json: a route of 1 000 m east from here, what lies
// along it, and the answer with the clause it rests on.
type cableCase struct {
	Name, Clause, Rule string
	Outcome            zoning.Outcome
	Verdict            zoning.Verdict
	Missing            []string
	Measured           *float64 `json:"measured_m"`
	Margin             *float64 `json:"margin_m"`
	Cable              struct {
		Carrier        zoning.Carrier
		NewProject     *bool    `json:"new_project"`
		NewPoles       *bool    `json:"new_poles"`
		OwnerAgreement *bool    `json:"owner_agreement"`
		PoleHeightM    *float64 `json:"pole_height_m"`
		Renovation     bool
		Date           string
	}
	Zones []struct {
		Kind, From, To string
		West           float64 `json:"west_m"`
		East           float64 `json:"east_m"`
	}
	Poles []struct {
		Kind, Status string
		North        float64 `json:"north_m"`
		West         float64 `json:"west_m"`
		East         float64 `json:"east_m"`
	}
	Areas []struct {
		Kind string
		West float64 `json:"west_m"`
		East float64 `json:"east_m"`
	}
	Withheld  []string
	Territory float64 `json:"territory_east_m"`
}

// strip is an area from so many metres east of here to so many.
func strip(westM, eastM float64) orb.MultiPolygon {
	w, e := east(westM)[0], east(eastM)[0]
	return orb.MultiPolygon{{{{w, here[1] - 0.01}, {e, here[1] - 0.01}, {e, here[1] + 0.01}, {w, here[1] + 0.01}, {w, here[1] - 0.01}}}}
}

func northOf(p orb.Point, m float64) orb.Point { return geo.Destination(p, 0, m) }

func (c *cableCase) question(t *testing.T) (zoning.CableProposal, zoning.CableSurroundings) {
	// Along the parallel, as the strips' edges are; 1 000 m of it is as long to the micrometre.
	p := zoning.CableProposal{Line: orb.MultiLineString{{here, {east(1000)[0], here[1]}}}, Carrier: c.Cable.Carrier, NewProject: c.Cable.NewProject, NewPoles: c.Cable.NewPoles,
		OwnerAgreement: c.Cable.OwnerAgreement, PoleHeightM: c.Cable.PoleHeightM, Renovation: c.Cable.Renovation, Date: day(t, "2020-06-30")}
	if c.Cable.Date != "" {
		p.Date = day(t, c.Cable.Date)
	}
	land := strip(-50000, 50000)
	if c.Territory > 0 {
		land = strip(-50000, c.Territory)
	}
	s := zoning.CableSurroundings{Territories: []zoning.Territory{{ID: 1, Code: "11", Geometry: land}}, Communes: []zoning.Commune{{ID: 1, Code: "c", Geometry: strip(-50000, 50000)}}, Withheld: map[string][]zoning.Area{}}
	for i, z := range c.Zones {
		zone := zoning.UndergroundZone{Collection: "underground_zones", ID: int64(i) + 1, Code: "NH", Kind: z.Kind, Geometry: strip(z.West, z.East), Period: geo.Period{From: day(t, z.From)}}
		if z.To != "" {
			zone.Period.To = day(t, z.To)
		}
		s.Zones = append(s.Zones, zone)
	}
	for i, l := range c.Poles {
		s.Poles = append(s.Poles, zoning.PoleLine{Collection: "pole_lines", ID: int64(i) + 1, Code: "TC", Kind: l.Kind, Status: l.Status,
			Line: orb.MultiLineString{{northOf(east(l.West), l.North), northOf(east(l.East), l.North)}}})
	}
	for i, a := range c.Areas {
		s.Areas = append(s.Areas, zoning.Area{Collection: "special_areas", ID: int64(i) + 1, Code: "A", Kind: a.Kind, Geometry: strip(a.West, a.East)})
	}
	for _, kind := range c.Withheld {
		s.Withheld["c"] = append(s.Withheld["c"], zoning.Area{Kind: kind, Withheld: true, WholeCommune: true})
	}
	return p, s
}

func TestCables(t *testing.T) {
	raw, err := os.ReadFile("testdata/cables.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []cableCase
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	set := demoRules(t)
	rules := zoning.NewRules([]zoning.TerritoryRules{{Territory: "11", Rules: set}})
	judged := map[string]bool{}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			p, s := c.question(t)
			r := zoning.CheckCable(rules, p, s)
			if r.Verdict != c.Verdict {
				t.Errorf("verdict %s, want %s", r.Verdict, c.Verdict)
			}
			at := slices.IndexFunc(r.Findings, func(f zoning.Finding) bool { return f.Rule == c.Rule })
			if (at < 0) != (c.Outcome == "") {
				t.Fatalf("%s: %+v", c.Rule, r.Findings)
			}
			if at >= 0 {
				c.compare(t, r.Findings[at])
				judged[c.Rule] = true
			}
			for _, f := range r.Findings {
				if f.Message.VI == "" || f.Message.EN == "" || f.Source.Instrument == "" {
					t.Errorf("%s says nothing: %+v", f.Rule, f)
				}
			}
			again := zoning.CheckCable(rules, p, s)
			if diff := cmp.Diff(r.Findings, again.Findings, cmp.AllowUnexported(zoning.Finding{})); diff != "" {
				t.Errorf("another answer the second time\n%s", diff)
			}
		})
	}
	for _, rule := range set.Rules() {
		if rule.Kind == "cable" && !judged[rule.ID] {
			t.Errorf("no case is about %s", rule.ID)
		}
	}
}

func (c *cableCase) compare(t *testing.T, f zoning.Finding) {
	if f.Outcome != c.Outcome || f.Clause != c.Clause || !slices.Equal(f.Missing, c.Missing) {
		t.Errorf("%s, %q, missing %v: want %s, %q, %v: %s", f.Outcome, f.Clause, f.Missing, c.Outcome, c.Clause, c.Missing, f.Message.EN)
	}
	for what, pair := range map[string][2]*float64{"measured": {f.MeasuredM, c.Measured}, "margin": {f.MarginM, c.Margin}} {
		if want, got := pair[1], pair[0]; want != nil && (got == nil || math.Abs(*got-*want) > 0.002) {
			t.Errorf("%s %v, want %v: %s", what, got, *want, f.Message.EN)
		}
	}
}

// TestCableAlternatives: what cannot hang may run underground; what is permitted has no
// need of another way.
func TestCableAlternatives(t *testing.T) {
	rules := zoning.NewRules([]zoning.TerritoryRules{{Territory: "11", Rules: demoRules(t)}})
	var c cableCase
	if err := json.Unmarshal([]byte(`{"cable":{"carrier":"electric_pole","new_project":false,"owner_agreement":true},"zones":[{"kind":"tourism","from":"2016-01-01","west_m":0,"east_m":100}]}`), &c); err != nil {
		t.Fatal(err)
	}
	p, s := c.question(t)
	r := zoning.CheckCable(rules, p, s)
	var carriers []zoning.Carrier
	for _, a := range r.Alternatives {
		carriers = append(carriers, a.Carrier)
	}
	if want := []zoning.Carrier{zoning.Duct, zoning.DirectBuried}; !slices.Equal(carriers, want) || r.Communes[0] != "c" {
		t.Errorf("alternatives %v in %v, want %v", carriers, r.Communes, want)
	}
	p.Carrier = zoning.Duct
	if r := zoning.CheckCable(rules, p, s); len(r.Alternatives) > 0 {
		t.Errorf("a permitted cable has alternatives: %v", r.Alternatives)
	}
	if r := zoning.CheckCable(zoning.NewRules(nil), p, s); r.Verdict != zoning.Undetermined || r.Findings[0].Rule != zoning.RuleNoRules {
		t.Errorf("without rules: %+v", r)
	}
}

// TestLengthInZones: however a route winds, the lengths in two halves of the land add up to
// the whole, and that in a zone is what walking it in small steps says.
func TestLengthInZones(t *testing.T) {
	rules := zoning.NewRules([]zoning.TerritoryRules{{Territory: "11", Rules: demoRules(t)}})
	rapid.Check(t, func(r *rapid.T) {
		line := orb.LineString{}
		for range rapid.IntRange(2, 6).Draw(r, "positions") {
			line = append(line, northOf(east(rapid.Float64Range(0, 1000).Draw(r, "east")), rapid.Float64Range(-500, 500).Draw(r, "north")))
		}
		cut := rapid.Float64Range(100, 900).Draw(r, "edge")
		p := zoning.CableProposal{Line: orb.MultiLineString{line}, Carrier: zoning.ElectricPole, NewProject: new(false), OwnerAgreement: new(true), Date: day(t, "2020-06-30")}
		s := zoning.CableSurroundings{Territories: []zoning.Territory{{ID: 1, Code: "11", Geometry: strip(-50000, 50000)}}}
		for i, area := range []orb.MultiPolygon{strip(-1000, cut), strip(cut, 3000)} {
			s.Zones = append(s.Zones, zoning.UndergroundZone{ID: int64(i) + 1, Kind: "tourism", Geometry: area, Period: geo.Period{From: day(t, "2016-01-01")}})
		}
		total, walked := 0.0, [2]float64{}
		for _, f := range zoning.CheckCable(rules, p, s).Findings {
			if f.Rule == "CAB-U1" && f.MeasuredM != nil {
				total += *f.MeasuredM
				walked[f.Evidence.ID-1] = *f.MeasuredM
			}
		}
		whole := geo.LengthM(p.Line)
		if math.Abs(total-whole) > 0.01 {
			r.Fatalf("the parts are %.3f m, the whole %.3f m", total, whole)
		}
		steps, inside := 2000, 0.0
		for i := 1; i < len(line); i++ {
			length := geo.DistanceM(line[i-1], line[i])
			for k := range steps {
				f := (float64(k) + 0.5) / float64(steps)
				if q := (orb.Point{line[i-1][0] + f*(line[i][0]-line[i-1][0]), line[i-1][1] + f*(line[i][1]-line[i-1][1])}); q[0] < east(cut)[0] {
					inside += length / float64(steps)
				}
			}
		}
		if math.Abs(inside-walked[0]) > 0.001*whole+0.01 {
			r.Fatalf("%.3f m in the western half, walked %.3f m", walked[0], inside)
		}
	})
}

// TestOutsideTheTerritory: what is said is about a route or a line of poles, and about no place.
func TestOutsideTheTerritory(t *testing.T) {
	rules := zoning.NewRules([]zoning.TerritoryRules{{Territory: "11", Rules: demoRules(t)}})
	p := zoning.CableProposal{Line: orb.MultiLineString{{here, east(1000)}}, Carrier: zoning.TelecomPole, Date: day(t, "2020-06-30")}
	for _, tt := range []struct {
		newPoles *bool
		vi, en   string
	}{
		{nil, "Tuyến không nằm trọn trong", "The route does not lie wholly in"}, {new(false), "Tuyến không nằm trọn trong", "The route does not lie wholly in"},
		{new(true), "Tuyến cột không nằm trọn trong", "The pole line does not lie wholly in"},
	} {
		p.NewPoles = tt.newPoles
		found := zoning.CheckCable(rules, p, zoning.CableSurroundings{}).Findings
		if len(found) != 1 || found[0].Rule != zoning.RuleTerritory || !strings.HasPrefix(found[0].Message.VI, tt.vi) || !strings.HasPrefix(found[0].Message.EN, tt.en) {
			t.Errorf("%+v", found)
		}
	}
}
