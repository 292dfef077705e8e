package zoning

import (
	"cmp"
	"slices"
	"strings"

	"hatang/geo"
)

// stage is the place of a finding in the order of evaluation.
type stage int

const (
	stageInput stage = iota
	stageRuleSet
	stageTerritory
	stageClass
	stageZones
	stageStructure
	stageSpacing
	stageSharing
	stageSetback
	stageConsultation
)

// Ids of findings that come from no rule of the set.
const (
	RuleInput     = "INPUT"      // the proposal holds an impossible value
	RuleSetDate   = "RULE-SET"   // the rule set is not in force on the date
	RuleTerritory = "TERRITORY"  // the point lies outside the plan's territory
	RuleNoZone    = "ZONE-none"  // no zone is in force at the point
	RuleZoneClass = "ZONE-class" // a zone has a class the rule set does not define
)

// check is one evaluation on its way.
type check struct {
	rules       *RuleSet
	proposal    *Proposal
	around      *Surroundings
	findings    []Finding
	allowed     []geo.MastType
	nearby      []nearMast // masts within reach, nearest first
	doubts      []doubt    // what findings become when accuracy decides
	provisional bool
	urbanZone   bool // a zone of an urban class covers the point
	silent      bool // no sentences
}

// usualFindings is how many findings a check has as a rule.
const usualFindings = 12

// Check judges one proposal in the order of the plan: valid → mast class → zones in
// force → allowed types (strictest wins) → structure → spacing and duty to share →
// setback → consultations → verdict. It is a pure function: the same arguments
// give the same result, whatever the order of zones, masts and areas, which are
// not changed. It never panics; an invalid proposal is undetermined (finding INPUT).
//
// A rule that is not about this proposal gives no finding. Cost: linear in zones'
// vertices and masts, n log n in the findings.
func (rs *RuleSet) Check(p Proposal, s Surroundings) Result {
	c := check{rules: rs, proposal: &p, around: &s, allowed: []geo.MastType{}, findings: make([]Finding, 0, usualFindings)}
	c.judge()
	r := Result{
		Verdict:      c.conclude(),
		AllowedTypes: c.allowed,
		Provisional:  c.provisional,
		Findings:     c.findings,
		Alternatives: []Alternative{},
		Date:         p.Date,
		RuleSet:      rs.Label(),
	}
	if r.Verdict != Permitted {
		r.Alternatives = append(r.Alternatives, c.instead()...)
	}
	return r
}

// Verdict is Check without the words: the same verdict, no sentences, no
// alternatives, at about half the cost. For batches.
func (rs *RuleSet) Verdict(p Proposal, s Surroundings) Verdict {
	c := check{rules: rs, proposal: &p, around: &s, silent: true, findings: make([]Finding, 0, usualFindings)}
	c.judge()
	return decide(c.findings)
}

// judge applies the rules in the plan's order.
func (c *check) judge() {
	if !c.applies() {
		return
	}
	c.class()
	c.zones()
	c.structure()
	c.masts()
	c.setbacks()
	c.consultations()
	c.accuracy()
}

// conclude sorts the findings and gives the verdict that follows from them.
func (c *check) conclude() Verdict {
	slices.SortStableFunc(c.findings, compareFindings)
	return decide(c.findings)
}

// applies reports whether the rules can be applied at all, and why not.
func (c *check) applies() bool {
	switch {
	case c.proposal.Validate() != nil:
		err := strings.ReplaceAll(c.proposal.Validate().Error(), "\n", "; ")
		c.plain(stageInput, RuleInput, "check/input", args{"measured": same(err)})
	case !c.rules.period.Contains(c.proposal.Date):
		c.plain(stageRuleSet, RuleSetDate, "check/rule_set", args{})
	case !c.around.InTerritory:
		c.plain(stageTerritory, RuleTerritory, "check/territory", args{})
	default:
		return true
	}
	return false
}

// plain adds a binding unknown that comes from no rule.
func (c *check) plain(at stage, rule, message string, a args) *Finding {
	a["rules"] = same(c.rules.Label())
	a["date"] = same(c.proposal.Date.String())
	c.findings = append(c.findings, Finding{
		Rule: rule, Outcome: Unknown, Binding: true, Message: sayPlain(message, a),
		Source: Source{Instrument: c.rules.Label()}, stage: at,
	})
	return &c.findings[len(c.findings)-1]
}

// finding starts a finding of a rule with the sentence filed under the message key.
// What would be a fail is a condition where the rule says so.
func (c *check) finding(at stage, r *Rule, outcome Outcome, message string, a args) *Finding {
	if outcome == Fail && r.Effect == OnCondition {
		outcome = Condition
	}
	f := Finding{Rule: r.ID, Outcome: outcome, Binding: r.Effect == Binding, Clause: r.Clause,
		Source: r.Source, Status: r.Status, stage: at}
	if !c.silent {
		f.Measured, f.Required, f.Message = a["measured"].EN, a["required"].EN, r.say(message, a)
	}
	c.findings = append(c.findings, f)
	return &c.findings[len(c.findings)-1]
}

// in reports whether the place is in one of the named areas. Call zones first: a
// covering zone of an urban class makes the place urban, whatever its commune.
func (c *check) in(areas []string) bool {
	urban, dense := c.around.Urban || c.urbanZone, c.around.DenselyPopulated
	return urban && slices.Contains(areas, areaUrban) ||
		dense && slices.Contains(areas, areaDense) ||
		!urban && !dense && slices.Contains(areas, areaRural)
}

// compareFindings is the order in which findings are listed: by the order of
// evaluation, then rule, then evidence.
func compareFindings(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(a.stage, b.stage),
		cmp.Compare(a.Rule, b.Rule),
		compareEvidence(a.Evidence, b.Evidence),
		cmp.Compare(a.Outcome, b.Outcome),
		cmp.Compare(a.Message.EN, b.Message.EN),
	)
}

func compareEvidence(a, b *Evidence) int {
	var none Evidence
	if a == nil {
		a = &none
	}
	if b == nil {
		b = &none
	}
	return cmp.Or(cmp.Compare(a.Collection, b.Collection), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Code, b.Code))
}
