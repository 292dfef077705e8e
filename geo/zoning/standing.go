package zoning

import (
	"cmp"
	"iter"
	"slices"

	"hatang/geo"
)

// Standing is what the rules say of a mast that stands or is planned.
type Standing struct {
	Mast  *Mast // the scene's own: leave it as it is
	Place Place
	// Verdict is permitted where it conforms, conditional where only advice is missed,
	// refused where it does not conform, and undetermined where that is not known.
	Verdict  Verdict
	Findings []Finding // passed ones too
	RuleSet  string
	// BeforePlan: it misses something, and stood before that took force, the rules or the
	// zone that it misses. It is listed, not punished.
	BeforePlan  bool
	Provisional bool
}

// Standing judges every mast of the scene that wanted says, by code and then id, on the
// date: its class, the zones, its structure, its distance to other masts and setbacks.
// The duty to share and consultations are for masts that are yet to be built, and drafts
// count against none of these. Cost: that
// of Check for each.
func (s *Scene) Standing(rules *Rules, date geo.Date, wanted func(*Mast) bool) iter.Seq[Standing] {
	return func(yield func(Standing) bool) {
		for _, m := range s.masts.sorted(wanted) {
			if !yield(s.standing(rules, date, m)) {
				return
			}
		}
	}
}

// sorted are the masts wanted, by code, then id.
func (m masts) sorted(wanted func(*Mast) bool) []*Mast {
	var list []*Mast
	for n := range m {
		for i := range m[n].rows {
			if mast := &m[n].rows[i]; m[n].has(i) && wanted(mast) {
				list = append(list, mast)
			}
		}
	}
	slices.SortFunc(list, func(a, b *Mast) int { return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.ID, b.ID)) })
	return list
}

func (s *Scene) standing(rules *Rules, date geo.Date, m *Mast) Standing {
	p := Proposal{Point: m.Point, MastType: m.MastType, HeightM: m.HeightM, Date: date}
	var since geo.Date
	if b := m.Built; b != nil {
		p.Structure, p.HalfWidthM, p.HostBuildingHeightM, p.Concealed, since = b.Structure, b.HalfWidthM, b.HostBuildingHeightM, b.Concealed, b.Since
	}
	c := s.idle.Get().(*check)
	defer s.idle.Put(c)
	c.start(nil, p, sentences)
	c.except = m
	s.look(c, rules)
	out := Standing{Mast: m, Place: c.around.place}
	if c.rules == nil {
		none := c.noRules()
		out.Verdict, out.Findings = none.Verdict, none.Findings
		return out
	}
	if c.applies() {
		c.class()
		c.zones()
		c.structure()
		c.spacings()
		c.setbacks()
		c.accuracy()
	}
	out.Findings, out.RuleSet, out.Provisional = c.sorted(), c.rules.label, c.provisional || m.Illustrative
	out.Verdict = decide(out.Findings)
	out.BeforePlan = (out.Verdict == Refused || out.Verdict == Conditional) && !since.IsZero() && since.Before(c.tookForce())
	return out
}

// tookForce is when the last of what the mast misses took force: the rules, or a zone.
func (c *check) tookForce() geo.Date {
	last := c.rules.period.From
	for i := range c.hits {
		if h := &c.hits[i]; h.inside && !h.class.allows(c.proposal.MastType) && last.Before(h.zone.Period.From) {
			last = h.zone.Period.From
		}
	}
	return last
}
