package zoning

import (
	"slices"

	"hatang/geo"
)

// maxShareAlternatives bounds the masts offered for sharing; a person reads the list.
const maxShareAlternatives = 5

// instead lists what would be allowed, best first: other mast types, another
// structure, masts to share (nearest first, those with fewer operators before).
func (c *check) instead() []Alternative {
	var out []Alternative
	if c.troubled(stageClass, stageZones, stageStructure) {
		for _, t := range c.allowed {
			if t != c.proposal.MastType {
				out = append(out, Alternative{Kind: AlternativeMastType, MastType: t,
					Message: sayPlain("alternative/mast_type", args{"type": same(string(t))})})
			}
		}
	}
	if c.troubled(stageStructure) && slices.Contains(c.allowed, c.proposal.MastType) {
		out = append(out, c.otherStructures()...)
	}
	return append(out, c.mastsToShare()...)
}

// troubled reports whether a deciding finding belongs to one of the stages.
func (c *check) troubled(stages ...stage) bool {
	return slices.ContainsFunc(c.findings, func(f Finding) bool { return f.Decides && slices.Contains(stages, f.stage) })
}

// otherStructures lists the structures that every rule about this mast accepts.
func (c *check) otherStructures() []Alternative {
	accepted := geo.Structures()
	for i := range c.rules.structures {
		r := &c.rules.structures[i]
		if c.about(&r.scope) {
			accepted = slices.DeleteFunc(accepted, func(s geo.Structure) bool { return !slices.Contains(r.structures, s) })
		}
	}
	var out []Alternative
	for _, s := range accepted {
		out = append(out, Alternative{Kind: AlternativeStructure, Structure: s,
			Message: sayPlain("alternative/structure", args{"measured": wordsFor([]geo.Structure{s})})})
	}
	return out
}

// mastsToShare lists masts within reach that could carry one more operator, also
// beyond the distance at which sharing is a duty.
func (c *check) mastsToShare() []Alternative {
	var out []Alternative
	for i := range c.nearby {
		m := &c.nearby[i]
		at := slices.IndexFunc(c.rules.sharings, func(r sharingRule) bool {
			return slices.Contains(r.mastTypes, c.proposal.MastType) && c.canCarry(&r, m)
		})
		if at < 0 {
			continue
		}
		out = append(out, Alternative{
			Kind: AlternativeShareMast, Evidence: &Evidence{m.Collection, m.ID, m.Code},
			Operators: distinct(m.Operators), DistanceM: new(toMillimetre(m.distanceM)),
			Message: sayPlain("alternative/share", c.shareArgs(&c.rules.sharings[at], m)),
		})
		if len(out) == maxShareAlternatives {
			break
		}
	}
	return out
}
