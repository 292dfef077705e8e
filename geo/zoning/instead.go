package zoning

import (
	"slices"

	"hatang/geo"
)

// maxShareAlternatives bounds the masts offered for sharing; a person reads the list.
const maxShareAlternatives = 5

// instead lists what would be allowed, best first: other mast types, another
// structure, masts to share (nearest first, those with fewer operators before).
func (c *check) instead(findings []Finding) []Alternative {
	var out []Alternative
	if troubled(findings, stageClass, stageZones, stageStructure) {
		for _, t := range c.allowed {
			if t != c.proposal.MastType {
				out = append(out, Alternative{Kind: AlternativeMastType, MastType: t,
					Message: c.say("alternative/mast_type", func() args { return args{mastType: same(string(t))} })})
			}
		}
	}
	if troubled(findings, stageStructure) && slices.Contains(c.allowed, c.proposal.MastType) {
		out = append(out, c.otherStructures()...)
	}
	return append(out, c.mastsToShare()...)
}

// troubled reports whether a deciding finding belongs to one of the stages.
func troubled(findings []Finding, stages ...stage) bool {
	for i := range findings {
		if findings[i].Decides && slices.Contains(stages, findings[i].stage) {
			return true
		}
	}
	return false
}

// say makes a sentence that belongs to no rule, if sentences are wanted.
func (c *check) say(key string, words func() args) geo.Text {
	if c.detail != sentences {
		return geo.Text{}
	}
	a := words()
	return sayPlain(key, &a)
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
			Message: c.say("alternative/structure", func() args { return args{measured: wordsFor([]geo.Structure{s})} })})
	}
	return out
}

// mastsToShare lists masts within reach that could carry one more operator, also
// beyond the distance at which sharing is a duty.
func (c *check) mastsToShare() []Alternative {
	if !slices.ContainsFunc(c.rules.sharings, c.sharesType) {
		return nil
	}
	c.measured()
	var out []Alternative
	for i := range c.nearby {
		m := &c.nearby[i]
		r := c.sharable(m)
		if r == nil {
			continue
		}
		distance := take(&c.answer.numbers, 1, 24)
		distance[0] = toMillimetre(m.lowM)
		if out == nil {
			out = make([]Alternative, 0, maxShareAlternatives)
		}
		out = append(out, Alternative{
			Kind: AlternativeShareMast, Evidence: c.feature(m.evidence()),
			Operators: distinct(m.Operators), DistanceM: &distance[0],
			Message: c.say("alternative/share", func() args { return c.shareArgs(r, m) }),
		})
		if len(out) == maxShareAlternatives {
			break
		}
	}
	return out
}

func (c *check) sharesType(r sharingRule) bool {
	return slices.Contains(r.mastTypes, c.proposal.MastType)
}

// sharable is the first rule by which the mast could carry the proposal; nil when none.
func (c *check) sharable(m *nearMast) *sharingRule {
	for i := range c.rules.sharings {
		r := &c.rules.sharings[i]
		if slices.Contains(r.mastTypes, c.proposal.MastType) && c.canCarry(r, m) {
			return r
		}
	}
	return nil
}
