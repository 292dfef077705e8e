package zoning

import (
	"cmp"
	"math"
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
	stageUrban
	stageClass
	stageZones
	stageStructure
	stageSpacing
	stageSharing
	stageSetback
	stageConsultation
	stageCable // and one for each rule about cables
)

// Ids of findings that come from no rule of the set.
const (
	RuleInput     = "INPUT"      // the proposal holds an impossible value
	RuleNoRules   = "RULES-none" // no rule set is in force anywhere
	RuleSetDate   = "RULE-SET"   // the rule set is not in force on the date
	RuleTerritory = "TERRITORY"  // the point lies outside the plan's territory
	RuleUrbanEdge = "URBAN-edge" // the accuracy leaves open whether the place is urban, and it matters
	RuleDenseEdge = "DENSE-edge" // the accuracy leaves open whether the place is densely populated, and it matters
	RuleNoZone    = "ZONE-none"  // no zone is in force at the point
	RuleZoneClass = "ZONE-class" // a zone has a class the rule set does not define
)

// detail is how much of an answer is wanted.
type detail int

const (
	verdictOnly detail = iota // outcomes, as far as they can matter
	figures                   // all findings with their numbers, no sentences
	sentences                 // everything
)

// check is one evaluation on its way. It may be used again: the slices that do not
// go into the answer keep their room.
type check struct {
	rules       *RuleSet
	proposal    Proposal
	around      facts
	detail      detail
	findings    []Finding
	allowed     []geo.MastType
	hits        []zoneHit
	nearby      []nearMast // masts within reach, nearest first unless only the verdict is wanted
	fields      []string   // missing fields, for a moment
	order       []int
	doubts      []doubt // what findings become when accuracy decides
	provisional bool
	except      *Mast // not among the masts nearby: the one that is judged
	urbanZone   bool  // a zone of an urban class covers the point
	gathered    bool  // nearby is filled
	worst       int   // strength of the strongest verdict so far
	touched     int64 // kept, so that the compiler keeps the reading
	answer      room  // what goes into the answer
}

// room holds what findings point at, many to one allocation.
type room struct {
	numbers  []float64
	evidence []Evidence
	types    []geo.MastType
	words    []string
}

// take cuts n values off the slice, which is replaced when it has no room left:
// what was taken before stays where it is.
func take[T any](from *[]T, n, chunk int) []T {
	at := len(*from)
	if *from == nil || cap(*from)-at < n {
		*from, at = make([]T, 0, max(n, chunk)), 0
	}
	*from = (*from)[:at+n]
	return (*from)[at : at+n : at+n]
}

// Check judges one proposal in the order of the plan: valid → mast class → zones in
// force → allowed types (strictest wins) → structure → spacing and duty to share →
// setback → consultations → verdict. It is a pure function: the same arguments
// give the same result, whatever the order of zones, masts and areas, which are
// not changed. It never panics; an invalid proposal is undetermined (finding INPUT).
//
// A rule that is not about this proposal gives no finding. Cost: linear in zones'
// vertices and masts, n log n in the findings. For many proposals among the same
// zones and masts make a Scene.
func (rs *RuleSet) Check(p Proposal, s Surroundings) Result {
	var c check
	c.start(rs, p, sentences)
	c.around.given(&s, &p)
	c.judge()
	return c.result()
}

// Verdict is Check without the words: the same verdict, no findings, no
// alternatives, at a small part of the cost. For batches.
func (rs *RuleSet) Verdict(p Proposal, s Surroundings) Verdict {
	var c check
	c.start(rs, p, verdictOnly)
	c.around.given(&s, &p)
	c.judge()
	return c.decide()
}

// start makes the check ready for a proposal, keeping room from the last one.
func (c *check) start(rs *RuleSet, p Proposal, d detail) {
	*c = check{rules: rs, proposal: p, detail: d, around: c.around.emptied(),
		findings: c.findings[:0], allowed: c.allowed[:0], hits: c.hits[:0], nearby: c.nearby[:0],
		fields: c.fields[:0], order: c.order[:0], doubts: c.doubts[:0]}
}

// judge applies the rules in the plan's order. Where only the verdict is wanted it
// stops as soon as nothing can change it.
func (c *check) judge() {
	if !c.applies() {
		return
	}
	c.class()
	if c.settled() {
		return
	}
	c.zones()
	if c.settled() {
		return
	}
	c.structure()
	c.masts()
	c.setbacks()
	c.consultations()
	c.accuracy()
	if !c.urbanZone {
		c.doubtAround(c.around.urbanEdgeM, RuleUrbanEdge, "check/urban_edge", func(f *facts) { f.urban, f.urbanEdgeM = !f.urban, math.Inf(1) })
	}
	c.doubtAround(c.around.denseEdgeM, RuleDenseEdge, "check/dense_edge", func(f *facts) { f.dense, f.denseEdgeM = !f.dense, math.Inf(1) })
}

func (c *check) edgeWords(edgeM float64) args {
	return args{distance: metres(edgeM), margin: metres(c.around.accuracyM)}
}

// doubtAround asks again as if the place were of the other kind (urban or not, densely
// populated or not), where the accuracy of the position leaves that open: an edge is so far
// away. If a binding rule makes the verdicts differ, what refuses only on this side is
// unknown, and a finding says why. Like any other accuracy it does not count for rules that
// only advise.
func (c *check) doubtAround(edgeM float64, rule, key string, flip func(*facts)) {
	if !c.around.uncertain(edgeM) {
		return
	}
	var other check
	other.start(c.rules, c.proposal, verdictOnly)
	other.around = c.around
	other.around.found = nil
	flip(&other.around)
	other.judge()
	here, there := c.decide(), other.decide()
	if here == there || max(here.strength(), there.strength()) < Undetermined.strength() {
		return
	}
	words := func() args { return c.edgeWords(edgeM) }
	for i := range c.findings {
		if f := &c.findings[i]; verdictOf(f) == Refused {
			f.Outcome = Unknown
			if c.detail == sentences {
				a := words()
				f.Message = sayPlain(key, &a)
			}
		}
	}
	c.plain(stageUrban, rule, key, words)
}

// settled reports whether only the verdict is wanted and a binding rule refuses
// that no accuracy can put in doubt.
func (c *check) settled() bool {
	return c.detail == verdictOnly && len(c.doubts) == 0 && c.worst == Refused.strength()
}

// idle reports whether the rule could only make conditional what is so already:
// doubts and later rules make verdicts stronger than that, never weaker.
func (c *check) idle(r *Rule) bool {
	return c.detail == verdictOnly && r.Effect != Binding && c.worst >= Conditional.strength()
}

// result sorts the findings, decides, and takes them out of the room that is used again.
func (c *check) result() Result {
	r := Result{
		AllowedTypes: append(take(&c.answer.types, len(c.allowed), 16)[:0], c.allowed...),
		Provisional:  c.provisional,
		Findings:     c.sorted(),
		Alternatives: []Alternative{},
		Date:         c.proposal.Date,
		RuleSet:      c.rules.label,
	}
	r.Verdict = decide(r.Findings)
	if r.Verdict != Permitted {
		r.Alternatives = append(r.Alternatives, c.instead(r.Findings)...)
	}
	return r
}

// decide gives the verdict alone.
func (c *check) decide() Verdict {
	verdict := Permitted
	for i := range c.findings {
		if v := verdictOf(&c.findings[i]); v.strength() > verdict.strength() {
			verdict = v
		}
	}
	return verdict
}

// sorted copies the findings in the order in which they are listed. They come all
// but sorted, so insertion is quick.
func (c *check) sorted() []Finding {
	for i := range c.findings {
		at := len(c.order)
		c.order = append(c.order, i)
		for ; at > 0 && compareFindings(&c.findings[i], &c.findings[c.order[at-1]]) < 0; at-- {
			c.order[at] = c.order[at-1]
		}
		c.order[at] = i
	}
	out := make([]Finding, len(c.order))
	for to, from := range c.order {
		out[to] = c.findings[from]
	}
	return out
}

// applies reports whether the rules can be applied at all, and why not.
func (c *check) applies() bool {
	if err := c.proposal.Validate(); err != nil {
		what := strings.ReplaceAll(err.Error(), "\n", "; ")
		c.plain(stageInput, RuleInput, "check/input", func() args { return args{measured: same(what)} })
		return false
	}
	switch {
	case !c.rules.period.Contains(c.proposal.Date):
		c.plain(stageRuleSet, RuleSetDate, "check/rule_set", noArgs)
	case !c.around.inTerritory:
		c.plain(stageTerritory, RuleTerritory, "check/territory", noArgs)
	case c.around.uncertain(c.around.territoryEdgeM): // beyond it another plan applies, or none
		c.plain(stageTerritory, RuleTerritory, "check/territory_edge", func() args { return c.edgeWords(c.around.territoryEdgeM) })
	default:
		in := c.around.populated
		c.provisional = c.provisional || in != nil && in.Illustrative && !c.around.urban
		return true
	}
	return false
}

func noArgs() args { return args{} }

// add makes room for one more finding; what it holds is left over from another check.
func (c *check) add() *Finding {
	n := len(c.findings)
	if n < cap(c.findings) {
		c.findings = c.findings[:n+1]
	} else {
		c.findings = append(c.findings, Finding{})
	}
	return &c.findings[n]
}

// plain adds a binding unknown that comes from no rule.
func (c *check) plain(at stage, rule, message string, words func() args) *Finding {
	f := c.add()
	f.Outcome, f.Binding = Unknown, true
	c.worst = max(c.worst, Undetermined.strength())
	if c.detail == verdictOnly {
		return f
	}
	*f = Finding{Rule: rule, Outcome: Unknown, Binding: true, RuleSet: c.rules.label, DataDate: c.proposal.Date, Source: Source{Instrument: c.rules.label}, stage: at}
	if c.detail == sentences {
		a := words()
		a.rules = same(c.rules.label)
		a.date = c.proposal.Date.Text()
		f.Message = sayPlain(message, &a)
	}
	return f
}

// finding starts a finding of a rule with the sentence filed under the message key;
// the words are asked for only if a sentence is made. What would be a fail is a
// condition where the rule says so.
func (c *check) finding(at stage, r *Rule, outcome Outcome, message string, words func() args) *Finding {
	if outcome == Fail && r.Effect == OnCondition {
		outcome = Condition
	}
	f := c.add()
	f.Outcome, f.Binding = outcome, r.Effect == Binding
	c.worst = max(c.worst, verdictOf(f).strength())
	if c.detail == verdictOnly {
		return f
	}
	*f = Finding{Rule: r.ID, Outcome: outcome, Binding: r.Effect == Binding, Clause: r.Clause,
		RuleSet: c.rules.label, DataDate: c.proposal.Date, Source: r.Source, Status: r.Status, stage: at}
	if c.detail == sentences {
		a := words()
		f.Measured, f.Required, f.Message = a.measured.EN, a.required.EN, r.say(message, &a)
	}
	return f
}

// numbers sets the figures of a finding, rounded to the millimetre; judgements are
// made on the unrounded ones.
func (c *check) numbers(f *Finding, measuredM, requiredM, marginM float64) {
	if c.detail == verdictOnly {
		return
	}
	n := take(&c.answer.numbers, 3, 24)
	n[0], n[1], n[2] = toMillimetre(measuredM), toMillimetre(requiredM), toMillimetre(marginM)
	f.MeasuredM, f.RequiredM, f.MarginM = &n[0], &n[1], &n[2]
}

// requires sets the required length where there is nothing to measure.
func (c *check) requires(f *Finding, requiredM float64) {
	if c.detail != verdictOnly {
		n := take(&c.answer.numbers, 1, 24)
		n[0] = requiredM
		f.RequiredM = &n[0]
	}
}

// evidence names the feature a finding rests on.
func (c *check) evidence(f *Finding, e Evidence) {
	if c.detail != verdictOnly {
		f.Evidence = c.feature(e)
	}
}

func (c *check) feature(e Evidence) *Evidence {
	kept := take(&c.answer.evidence, 1, 8)
	kept[0] = e
	return &kept[0]
}

// lacks names the fields that would settle an unknown.
func (c *check) lacks(f *Finding, fields ...string) {
	if c.detail != verdictOnly {
		words := take(&c.answer.words, len(fields), 8)
		copy(words, fields)
		f.Missing = words
	}
}

// in reports whether the place is in one of the named areas. Call zones first: a
// covering zone of an urban class makes the place urban, whatever its commune.
func (c *check) in(areas []string) bool {
	urban, dense := c.around.urban || c.urbanZone, c.around.dense
	return urban && slices.Contains(areas, areaUrban) ||
		dense && slices.Contains(areas, areaDense) ||
		!urban && !dense && slices.Contains(areas, areaRural)
}

// compareFindings is the order in which findings are listed: by the order of
// evaluation, then rule, then evidence.
func compareFindings(a, b *Finding) int {
	if a.stage != b.stage {
		return cmp.Compare(a.stage, b.stage)
	}
	if a.Rule != b.Rule {
		return cmp.Compare(a.Rule, b.Rule)
	}
	if e := compareEvidence(a.Evidence, b.Evidence); e != 0 {
		return e
	}
	return cmp.Or(cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Message.EN, b.Message.EN))
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
