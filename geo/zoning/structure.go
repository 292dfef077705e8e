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
		if !c.about(&r.scope) {
			continue
		}
		a := args{"type": same(string(c.proposal.MastType)), "required": wordsFor(r.structures)}
		var f *Finding
		switch given := c.proposal.Structure; {
		case given == nil:
			a["missing"] = wordsFor([]string{"structure"})
			f = c.finding(stageStructure, &r.Rule, Unknown, "unknown", a)
			f.Missing = []string{"structure"}
		case slices.Contains(r.structures, *given):
			a["measured"] = wordsFor([]geo.Structure{*given})
			f = c.finding(stageStructure, &r.Rule, Pass, "pass", a)
		default:
			a["measured"] = wordsFor([]geo.Structure{*given})
			f = c.finding(stageStructure, &r.Rule, Fail, "fail", a)
		}
		f.Required = joinStructures(r.structures)
		if c.proposal.Structure != nil {
			f.Measured = string(*c.proposal.Structure)
		}
	}
}
