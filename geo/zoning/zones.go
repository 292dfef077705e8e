package zoning

import (
	"slices"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// zoneHit is a zone of a known class, in force, that covers the point or lies so
// near that the accuracy of position and edge could make it cover the point.
type zoneHit struct {
	zone    *Zone
	class   *zoneClass
	inside  bool
	near    bool    // the edge is within the margin
	edgeM   float64 // when near; 0 where only the verdict is wanted
	marginM float64
	finding int // index of its finding when inside
}

// zones finds the zones that cover the point on the date (closed areas: an edge
// belongs to every zone that has it), intersects what they allow, and judges the
// declared type. A zone that starts later gives a notice only.
func (c *check) zones() {
	unjudged := false
	for i := range c.around.zones {
		z := &c.around.zones[i]
		class := c.rules.zoneByCode[z.Class]
		if c.proposal.Date.Before(z.Period.From) {
			c.later(z, class)
			continue
		}
		if !z.Period.Contains(c.proposal.Date) {
			continue
		}
		hit := c.hit(z, class)
		switch {
		case hit.inside && class == nil:
			unjudged = true
			c.unknownClass(z)
		case class != nil && (hit.inside || hit.near):
			c.hits = append(c.hits, hit)
		}
	}
	c.intersect()
	covered := c.judgeZones()
	if !covered && !unjudged {
		c.plain(stageZones, RuleNoZone, "check/no_zone", noArgs)
	}
	c.doubtZones()
}

// hit measures how the zone lies to the point. Illustrative zones are taken as drawn.
func (c *check) hit(z *zoneFact, class *zoneClass) zoneHit {
	h := zoneHit{zone: z.Zone, class: class, inside: z.here(c.proposal.Point)}
	if h.inside && z.Illustrative {
		c.provisional = true
	}
	if z.Illustrative {
		return h
	}
	h.marginM = c.around.accuracyM
	if z.AccuracyM != nil {
		h.marginM += *z.AccuracyM
	}
	if h.marginM > 0 {
		h.edgeM, h.near = z.edgeM(z.Geometry, c.proposal.Point, h.marginM, c.detail)
	}
	return h
}

// intersect finds the types that every covering zone allows, least bulky first;
// none when there is no such zone.
func (c *check) intersect() {
	started := false
	for i := range c.hits {
		h := &c.hits[i]
		switch {
		case !h.inside:
		case !started:
			started = true
			c.allowed = append(c.allowed[:0], h.class.allowed...)
		default:
			c.allowed = slices.DeleteFunc(c.allowed, func(t geo.MastType) bool { return !h.class.allows(t) })
		}
	}
}

// judgeZones adds one finding for each covering zone and reports whether there is one.
func (c *check) judgeZones() bool {
	covered := false
	for i := range c.hits {
		h := &c.hits[i]
		if !h.inside {
			continue
		}
		covered = true
		c.urbanZone = c.urbanZone || h.class.urban
		outcome, message := Pass, "pass"
		switch {
		case !h.class.allows(c.proposal.MastType):
			outcome, message = Fail, "fail"
		case len(h.class.preferred) > 0 && !slices.Contains(h.class.preferred, c.proposal.MastType):
			message = "not_preferred"
		}
		h.finding = len(c.findings)
		f := c.zoneFinding(h.zone, h.class, outcome, message, nil)
		f.Notice = message == "not_preferred"
		f.Strictest = len(h.class.allowed) == len(c.allowed)
	}
	return covered
}

func (z *zoneClass) allows(t geo.MastType) bool { return slices.Contains(z.allowed, t) }

// zoneFinding adds a finding about a zone; more, if given, adds words to its sentence.
func (c *check) zoneFinding(z *Zone, class *zoneClass, outcome Outcome, message string, more func(*args)) *Finding {
	f := c.finding(stageZones, &class.Rule, outcome, message, func() args {
		declared := same(string(c.proposal.MastType))
		a := args{mastType: declared, measured: declared, required: same(joinTypes(class.allowed)),
			preferred: same(joinTypes(class.preferred)), zone: same(z.Code)}
		if more != nil {
			more(&a)
		}
		return a
	})
	c.evidence(f, z.evidence())
	if c.detail != verdictOnly {
		types := take(&c.answer.types, len(class.allowed), 16)
		copy(types, class.allowed)
		f.AllowedTypes = types
	}
	return f
}

// later adds the notice of a zone that covers the point but starts after the date.
func (c *check) later(z *zoneFact, class *zoneClass) {
	if c.detail == verdictOnly || class == nil || !z.here(c.proposal.Point) {
		return
	}
	f := c.zoneFinding(z.Zone, class, Pass, "later", func(a *args) { a.date = z.Period.From.Text() })
	f.Binding, f.Notice = false, true
}

func (c *check) unknownClass(z *zoneFact) {
	f := c.plain(stageZones, RuleZoneClass, "check/class", func() args { return args{zone: same(z.Code), class: same(z.Class)} })
	c.evidence(f, z.evidence())
}

// doubt is a finding to be put in place of another (at < 0: added) if the
// accuracy of the data decides the verdict.
type doubt struct {
	at int
	as Finding
}

// doubtZones notes the zones whose other side would change what is judged: the
// type passes as drawn but a zone just outside forbids it; or it fails only
// because of zones whose edge is within the margin; or beyond the edge there is no
// zone at all.
func (c *check) doubtZones() {
	passes := slices.Contains(c.allowed, c.proposal.MastType)
	certain := slices.ContainsFunc(c.hits, func(h zoneHit) bool { return h.inside && !h.near })
	for i := range c.hits {
		h := &c.hits[i]
		if !h.near || h.class.Effect != Binding {
			continue
		}
		forbids := !h.class.allows(c.proposal.MastType)
		switch {
		case h.inside && (!passes && forbids || passes && !certain && c.bareWithin(h.marginM)):
			c.doubts = append(c.doubts, doubt{h.finding, c.zoneDoubt(h)})
		case !h.inside && forbids && passes:
			c.doubts = append(c.doubts, doubt{-1, c.zoneDoubt(h)})
		}
	}
}

// bareWithin reports whether some place at the distance lies in no zone in force.
// Sixteen directions are tried: the border between two zones is not bare, the
// outer edge of the last one is.
func (c *check) bareWithin(distanceM float64) bool {
	const directions = 16
	for i := range directions {
		if !c.covered(geo.Destination(c.proposal.Point, float64(i)*360/directions, distanceM)) {
			return true
		}
	}
	return false
}

// covered reports whether a zone in force, of a class the rules know, covers the place,
// which need not be near any zone that was found beside the point.
func (c *check) covered(place orb.Point) bool {
	counts := func(z *Zone) bool {
		return z.Period.Contains(c.proposal.Date) && c.rules.zoneByCode[z.Class] != nil
	}
	if s := c.around.scene; s != nil {
		covered := false
		s.zones.each(&c.around.found, place, 0, func(z *Zone, _ shape) { covered = covered || counts(z) })
		return covered
	}
	return slices.ContainsFunc(c.around.zones, func(z zoneFact) bool { return counts(z.Zone) && z.covers(place) })
}

// zoneDoubt makes the unknown that a zone's finding becomes.
func (c *check) zoneDoubt(h *zoneHit) Finding {
	n, worst := len(c.findings), c.worst
	f := c.zoneFinding(h.zone, h.class, Unknown, "unknown", func(a *args) {
		a.distance, a.margin = metres(h.edgeM), metres(h.marginM)
	})
	c.numbers(f, h.edgeM, h.marginM, h.edgeM-h.marginM)
	as := *f
	c.findings, c.worst = c.findings[:n], worst
	return as
}

// accuracy turns the doubtful findings into unknowns, unless a rule that is not
// in doubt refuses anyway: then no side of any line would change the verdict.
func (c *check) accuracy() {
	if len(c.doubts) == 0 {
		return
	}
	inDoubt := make(map[int]bool, len(c.doubts))
	for _, d := range c.doubts {
		inDoubt[d.at] = true
	}
	for i := range c.findings {
		if verdictOf(&c.findings[i]) == Refused && !inDoubt[i] {
			return
		}
	}
	for _, d := range c.doubts {
		if d.at < 0 {
			c.findings = append(c.findings, d.as)
			continue
		}
		c.findings[d.at] = d.as
	}
}
