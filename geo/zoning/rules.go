package zoning

import "hatang/geo"

// TerritoryRules are the rules in force in one territory.
type TerritoryRules struct {
	Territory string // its code
	Rules     *RuleSet
}

// Rules are the rule sets in force, by the territory they are made for. It is
// immutable, and safe for concurrent use; nil is no rules.
type Rules struct {
	first  *RuleSet // by territory code; nil when there is none
	sets   map[string]*RuleSet
	reachM float64
}

// NewRules gathers rule sets. A territory has one; of several the first given counts.
// No rule set at all is allowed: every verdict is then undetermined (finding RULES-none).
func NewRules(sets []TerritoryRules) *Rules {
	r := &Rules{sets: map[string]*RuleSet{}}
	first := ""
	for _, s := range sets {
		if s.Rules == nil || r.sets[s.Territory] != nil {
			continue
		}
		r.sets[s.Territory] = s.Rules
		r.reachM = max(r.reachM, s.Rules.Reach())
		if r.first == nil || s.Territory < first {
			r.first, first = s.Rules, s.Territory
		}
	}
	return r
}

// ReachM is how far, in metres, any of the rule sets looks for masts: see RuleSet.Reach.
// 0 without rules.
func (r *Rules) ReachM() float64 {
	if r == nil {
		return 0
	}
	return r.reachM
}

// BesideM is the largest distance in metres at which a special area that does not cover
// a point matters there, by the setbacks of any of the rule sets, for masts of up to
// HighestMastM: the larger of SetbackReachM and the setback of the highest mast. 0
// where no setback is enabled, and without rules: only areas at the point matter. With
// zones the accuracies of proposal and zone, added up, say how far beside the point
// they matter; with units that of the proposal.
func (r *Rules) BesideM() float64 {
	if r == nil {
		return 0
	}
	m := 0.0
	for _, rs := range r.sets {
		m = max(m, rs.besideM(HighestMastM))
	}
	return m
}

// For returns the rules of the territory and true or, where it has none, the first
// of all by territory code (nil when there is none) and false.
func (r *Rules) For(territory string) (*RuleSet, bool) {
	if r == nil {
		return nil, false
	}
	if rs := r.sets[territory]; rs != nil {
		return rs, true
	}
	return r.first, false
}

// noRules is the answer on a date without any rule set in force.
func (c *check) noRules() Result {
	f := Finding{Rule: RuleNoRules, Outcome: Unknown, Binding: true, Decides: true, DataDate: c.proposal.Date}
	if c.detail == sentences {
		f.Message = sayPlain("check/no_rules", &args{date: c.proposal.Date.Text()})
	}
	return Result{Verdict: Undetermined, AllowedTypes: []geo.MastType{}, Alternatives: []Alternative{},
		Date: c.proposal.Date, Findings: []Finding{f}}
}
