package permit

import (
	"context"
	"fmt"
	"sync"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// Place is what the store found about one point.
type Place struct {
	zoning.Surroundings
	Province string // code of the province the point lies in; "" for none
}

// RuleSet is a published rule set as it is kept.
type RuleSet struct {
	ID           string
	Version      int
	Jurisdiction string
	Body         []byte
}

// Finder finds facts. PostGIS finds, geo decides: what it returns may be more than
// is needed, never less.
type Finder interface {
	// RuleSets returns the published rule sets in force on the date, by jurisdiction,
	// with a version that was current when they were read.
	RuleSets(ctx context.Context, date geo.Date) ([]RuleSet, int64, error)
	// Places returns the surroundings of each point as the viewer may know them, with
	// the layer versions they were read at. Masts are those within reachM.
	Places(ctx context.Context, v account.Viewer, points []orb.Point, date geo.Date, reachM float64) ([]Place, layer.Versions, error)
}

// Checker answers proposals. It is safe for concurrent use.
type Checker struct {
	finder Finder
	mu     sync.Mutex
	parsed map[string]*zoning.RuleSet // by id and body: the same text parses to the same rules
}

// NewChecker returns a checker over the finder's facts.
func NewChecker(f Finder) *Checker {
	return &Checker{finder: f, parsed: map[string]*zoning.RuleSet{}}
}

// Unit names the units a point lies in.
type Unit struct {
	Commune  string `json:"commune"`
	District string `json:"district"`
	Province string `json:"province"`
}

// Answer is a verdict with what it was made from.
type Answer struct {
	zoning.Result
	Unit     *Unit          `json:"unit"` // null outside every known unit
	Point    [2]float64     `json:"point"`
	Versions layer.Versions `json:"versions"`
}

// versionsUsed are the layers that a verdict depends on.
func versionsUsed() []string {
	return []string{"bts_sites", "communes", "mast_zones", "operator_positions", "provinces", "rule_sets", "special_areas"}
}

// MaxDates is how many different dates the proposals of one call may have: each
// takes a reading of the database.
const MaxDates = 100

// Check answers each proposal, in order. Proposals of one date share one reading of
// the database.
func (c *Checker) Check(ctx context.Context, v account.Viewer, proposals []zoning.Proposal) ([]Answer, error) {
	answers := make([]Answer, len(proposals))
	byDate := map[geo.Date][]int{}
	for i, p := range proposals {
		byDate[p.Date] = append(byDate[p.Date], i)
	}
	if len(byDate) > MaxDates {
		var faults layer.Faults
		faults.Add("/proposals", "các đề nghị nêu %d ngày khác nhau; một lần hỏi nhận nhiều nhất %d ngày", "the proposals name %d different dates; one call takes at most %d", len(byDate), MaxDates)
		return nil, faults.Err()
	}
	for date, which := range byDate {
		if err := c.checkDate(ctx, v, date, which, proposals, answers); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

func (c *Checker) checkDate(ctx context.Context, v account.Viewer, date geo.Date, which []int, proposals []zoning.Proposal, answers []Answer) error {
	points := make([]orb.Point, len(which))
	for i, at := range which {
		points[i] = proposals[at].Point
	}
	rules, places, versions, err := c.Read(ctx, v, points, date)
	if err != nil {
		return err
	}
	used := layer.Versions{}
	for _, name := range versionsUsed() {
		used[name] = versions[name]
	}
	for i, at := range which {
		answers[at] = answer(rules, proposals[at], places[i])
		answers[at].Versions = used
	}
	return nil
}

// maxReadings is how often facts are read again that changed while being read.
const maxReadings = 3

// Read returns the rule sets in force on the date and the surroundings of the
// points, as they were at the versions returned: when the rule sets change between
// the two readings, both are made again.
func (c *Checker) Read(ctx context.Context, v account.Viewer, points []orb.Point, date geo.Date) (Rules, []Place, layer.Versions, error) {
	for range maxReadings {
		rules, err := c.RuleSetsOn(ctx, date)
		if err != nil {
			return Rules{}, nil, nil, err
		}
		places, versions, err := c.finder.Places(ctx, v, points, date, rules.reachM())
		if err != nil {
			return Rules{}, nil, nil, err
		}
		if len(points) == 0 || versions["rule_sets"] == rules.version {
			return rules, places, versions, nil
		}
	}
	return Rules{}, nil, nil, fmt.Errorf("the rule sets kept changing while they were read: %w", layer.ErrUnavailable)
}

// answer judges one proposal by the rules of the province it lies in; outside every
// province with rules, any rule set says that the place is not its territory.
func answer(rules Rules, p zoning.Proposal, place Place) Answer {
	a := Answer{Point: p.Point}
	if place.Province != "" || place.Commune != "" {
		a.Unit = &Unit{Commune: place.Commune, District: place.District, Province: place.Province}
	}
	rs, ok := rules.For(place.Province)
	if rs == nil {
		a.Result = noRules(p.Date)
		return a
	}
	place.InTerritory = ok
	a.Result = rs.Check(p, place.Surroundings)
	return a
}

// noRules is the verdict on a date without any rule set in force.
func noRules(date geo.Date) zoning.Result {
	return zoning.Result{
		Verdict: zoning.Undetermined, AllowedTypes: []geo.MastType{}, Alternatives: []zoning.Alternative{}, Date: date,
		Findings: []zoning.Finding{{
			Rule: "RULES-none", Outcome: zoning.Unknown, Binding: true, Decides: true,
			Message: geo.Text{
				VI: "Không có bộ quy tắc nào có hiệu lực vào ngày " + date.String() + ".",
				EN: "No rule set is in force on " + date.String() + ".",
			},
		}},
	}
}

// Rules are the rule sets in force on one date, by jurisdiction.
type Rules struct {
	sets    []jurisdictionRules
	version int64 // of the layer rule_sets
}

type jurisdictionRules struct {
	jurisdiction string
	rules        *zoning.RuleSet
}

// For returns the rules of the province and true, or, where it has none, any rule
// set (nil when there is none at all) and false.
func (r Rules) For(province string) (*zoning.RuleSet, bool) {
	for _, s := range r.sets {
		if s.jurisdiction == province {
			return s.rules, true
		}
	}
	if len(r.sets) == 0 {
		return nil, false
	}
	return r.sets[0].rules, false
}

// reachM is how far any of the rule sets looks for masts.
func (r Rules) reachM() float64 {
	reach := 0.0
	for _, s := range r.sets {
		reach = max(reach, s.rules.Reach())
	}
	return reach
}

// RuleSetsOn returns the parsed rule sets in force on the date. A published body
// that cannot be parsed is an error, so that checks answer with a problem and never
// wrongly.
func (c *Checker) RuleSetsOn(ctx context.Context, date geo.Date) (Rules, error) {
	kept, version, err := c.finder.RuleSets(ctx, date)
	if err != nil {
		return Rules{}, err
	}
	rules := Rules{version: version}
	for _, k := range kept {
		parsed, err := c.parse(k)
		if err != nil {
			return Rules{}, err
		}
		rules.sets = append(rules.sets, jurisdictionRules{k.Jurisdiction, parsed})
	}
	return rules, nil
}

func (c *Checker) parse(k RuleSet) (*zoning.RuleSet, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	label := k.ID + "@" + string(k.Body)
	if rs, ok := c.parsed[label]; ok {
		return rs, nil
	}
	rs, err := zoning.ParseRuleSet(k.Body)
	if err != nil {
		return nil, errNoRules(k.ID, err)
	}
	c.parsed[label] = rs
	return rs, nil
}
