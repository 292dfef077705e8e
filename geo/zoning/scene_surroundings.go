package zoning

import "github.com/paulmach/orb"

// Surroundings gathers what the scene holds about a place whose position is exact,
// for RuleSet.Check and RuleSet.Compliance, and the rule set that judges there: that
// of the territory; outside every territory with rules the first of all; nil when
// there is none. Masts are those within reach of that rule set.
func (s *Scene) Surroundings(rules *Rules, p orb.Point) (*RuleSet, Surroundings) {
	c := s.idle.Get().(*check)
	defer s.idle.Put(c)
	c.start(nil, Proposal{Point: p}, figures)
	s.look(c, rules)
	f := &c.around
	out := Surroundings{InTerritory: f.inTerritory, Commune: f.place.Commune, District: f.place.District,
		Urban: f.urban, DenselyPopulated: f.dense}
	if c.rules == nil {
		return c.rules, out
	}
	if f.inTerritory {
		s.zones.each(&f.found, p, f.widestEdgeM(), func(z *Zone, _ shape) { out.Zones = append(out.Zones, *z) })
	}
	for i := range f.areas {
		out.Areas = append(out.Areas, *f.areas[i].Area)
	}
	c.gather()
	for i := range c.nearby {
		out.Masts = append(out.Masts, *c.nearby[i].Mast)
	}
	return c.rules, out
}

// widestEdgeM is the poorest accuracy of the zones found. Beside an edge so poor it
// matters what other zones there are as far away.
func (f *facts) widestEdgeM() float64 {
	m := 0.0
	for i := range f.zones {
		m = max(m, f.zones[i].edgeAccuracyM())
	}
	return m
}
