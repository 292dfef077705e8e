package zoning

import (
	"slices"
	"strconv"

	"hatang/geo"
)

// topHeight is what is known of the mast's top above ground: on a building the
// building's height is part of it.
type topHeight struct {
	atLeastM float64  // known part of the height, metres
	missing  []string // fields that would complete it
}

func (c *check) top() topHeight {
	c.fields = c.fields[:0]
	var t topHeight
	add := func(field string, v *float64) {
		if v == nil {
			c.fields = append(c.fields, field)
			return
		}
		t.atLeastM += *v
	}
	add("height_m", c.proposal.HeightM)
	if class := c.rules.mastClasses[c.proposal.MastType]; class != nil && class.onBuilding {
		add("host_building_height_m", c.proposal.HostBuildingHeightM)
	}
	t.missing = c.fields
	return t
}

// consultations lists whom to ask first: for an area of a kind the rule names, and
// for a top at or above its height. A rule that asks for nobody passes.
func (c *check) consultations() {
	top := c.top()
	for i := range c.rules.consultations {
		r := &c.rules.consultations[i]
		if c.idle(&r.Rule) {
			continue
		}
		before := len(c.findings)
		c.consultHeight(r, top)
		c.consultAreas(r, top)
		if len(c.findings) == before && c.detail != verdictOnly {
			c.finding(stageConsultation, &r.Rule, Pass, "pass", func() args { return r.args(nil) })
		}
	}
}

// args are the words about a consultation for an area, nil for none.
func (r *consultation) args(area *Area) args {
	a := args{authority: r.authority}
	if area != nil {
		a.area = area.called()
	}
	if r.replyDays > 0 {
		days := strconv.Itoa(r.replyDays)
		a.period = geo.Text{VI: " (trả lời trong " + days + " ngày)", EN: " (reply within " + days + " days)"}
	}
	return a
}

func (c *check) consultHeight(r *consultation, top topHeight) {
	switch {
	case r.minHeightM == nil:
	case top.atLeastM >= *r.minHeightM:
		c.consultTop(r, nil, top, *r.minHeightM)
	case len(top.missing) > 0:
		c.consultUnknown(r, nil, top)
	}
}

// aboutArea is the key of a sentence about an area, or about none.
func aboutArea(key string, area *Area) string {
	if area != nil {
		return key + "_named"
	}
	return key
}

func (c *check) consultTop(r *consultation, area *Area, top topHeight, limitM float64) *Finding {
	f := c.finding(stageConsultation, &r.Rule, Condition, aboutArea("height", area), func() args {
		a := r.args(area)
		a.measured, a.required = metresBeside(top.atLeastM, limitM), metres(limitM)
		return a
	})
	f.ReplyDays = r.replyDays
	c.numbers(f, top.atLeastM, limitM, limitM-top.atLeastM)
	return f
}

func (c *check) consultUnknown(r *consultation, area *Area, top topHeight) *Finding {
	f := c.finding(stageConsultation, &r.Rule, Unknown, aboutArea("unknown", area), func() args {
		a := r.args(area)
		a.missing = wordsFor(top.missing)
		return a
	})
	c.lacks(f, top.missing...)
	return f
}

// consultAreas judges the areas at the point. Withheld areas give one finding
// together, without evidence, so that not even their number shows.
func (c *check) consultAreas(r *consultation, top topHeight) {
	withheld := false
	for i := range c.around.areas {
		area := &c.around.areas[i]
		if !slices.Contains(r.areaKinds, area.Kind) || !area.WholeCommune && !area.here(c.proposal.Point) {
			continue
		}
		if area.Withheld || area.WholeCommune {
			withheld = true
			c.provisional = c.provisional || area.Illustrative
			continue
		}
		before := len(c.findings)
		c.consultArea(r, area.Area, top)
		c.provisional = c.provisional || area.Illustrative && len(c.findings) > before
	}
	if withheld {
		c.finding(stageConsultation, &r.Rule, Condition, "area", func() args { return r.args(nil) }).ReplyDays = r.replyDays
	}
}

func (c *check) consultArea(r *consultation, area *Area, top topHeight) {
	var f *Finding
	switch {
	case area.MaxHeightM == nil:
		f = c.finding(stageConsultation, &r.Rule, Condition, "area_named", func() args { return r.args(area) })
		f.ReplyDays = r.replyDays
	case top.atLeastM > *area.MaxHeightM:
		f = c.consultTop(r, area, top, *area.MaxHeightM)
	case len(top.missing) > 0:
		f = c.consultUnknown(r, area, top)
	default:
		return
	}
	c.evidence(f, area.evidence())
}

// setbacks asks for a distance of so many mast heights from areas of the named
// kinds; rules that are not enabled say nothing, and withheld areas and those farther
// away than SetbackReachM and the setback are left out.
func (c *check) setbacks() {
	for i := range c.rules.setbacks {
		r := &c.rules.setbacks[i]
		if !r.enabled || !slices.Contains(r.mastTypes, c.proposal.MastType) || c.idle(&r.Rule) {
			continue
		}
		for j := range c.around.areas {
			area := &c.around.areas[j]
			if slices.Contains(r.areaKinds, area.Kind) && !area.Withheld && !area.WholeCommune {
				c.setback(r, area)
			}
		}
	}
}

func (c *check) setback(r *setbackRule, area *areaFact) {
	requiredM, distanceM := 0.0, 0.0
	if c.proposal.HeightM != nil {
		requiredM = r.ratioOfHeight * *c.proposal.HeightM
	}
	if !area.here(c.proposal.Point) {
		edgeM, beside := area.edgeWithinM(area.Geometry, c.proposal.Point, max(SetbackReachM, requiredM))
		if !beside {
			return // so far away, or without an edge, it is not beside the place
		}
		distanceM = edgeM
	}
	if c.proposal.HeightM == nil {
		f := c.finding(stageSetback, &r.Rule, Unknown, "unknown", func() args { return args{missing: wordsFor([]string{"height_m"})} })
		c.lacks(f, "height_m")
		c.evidence(f, area.evidence())
		return
	}
	outcome, message := Pass, "pass"
	if distanceM < requiredM {
		outcome, message = Fail, "fail"
	}
	f := c.finding(stageSetback, &r.Rule, outcome, message, func() args {
		return args{area: same(area.Code), measured: metresBeside(distanceM, requiredM), required: metres(requiredM)}
	})
	c.numbers(f, distanceM, requiredM, distanceM-requiredM)
	c.evidence(f, area.evidence())
}
