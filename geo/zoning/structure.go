package zoning

import (
	"slices"

	"hatang/geo"
)

// about reports whether a rule of this scope is about the proposal.
func (c *check) about(s *scope) bool {
	return slices.Contains(s.mastTypes, c.proposal.MastType) && c.in(s.areas)
}

// structure judges how the mast stands, where a rule asks.
func (c *check) structure() {
	for i := range c.rules.structures {
		r := &c.rules.structures[i]
		if !c.about(&r.scope) || c.idle(&r.Rule) {
			continue
		}
		given := c.proposal.Structure
		words := func() args { return c.structureWords(r) }
		var f *Finding
		switch {
		case given == nil:
			f = c.finding(stageStructure, &r.Rule, Unknown, "unknown", words)
			c.lacks(f, "structure")
		case slices.Contains(r.structures, *given):
			f = c.finding(stageStructure, &r.Rule, Pass, "pass", words)
		default:
			f = c.finding(stageStructure, &r.Rule, Fail, "fail", words)
		}
		if in := c.around.populated; in != nil && !c.around.urban && !c.urbanZone {
			c.evidence(f, in.evidence())
		}
		if c.detail == sentences {
			f.Required = joinStructures(r.structures)
			if given != nil {
				f.Measured = string(*given)
			}
		}
	}
}

func (c *check) structureWords(r *structureRule) args {
	a := args{mastType: same(string(c.proposal.MastType)), required: wordsFor(r.structures)}
	if c.proposal.Structure == nil {
		a.missing = wordsFor([]string{"structure"})
	} else {
		a.measured = wordsFor([]geo.Structure{*c.proposal.Structure})
	}
	return a
}
