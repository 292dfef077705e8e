package zoning

import (
	"cmp"
	"math"
	"slices"

	"hatang/geo"
)

// nearMast is a mast within reach and its geodesic distance.
type nearMast struct {
	*Mast
	distanceM float64
}

// masts measures the masts within reach once, then applies the rules about them.
func (c *check) masts() {
	reachM := c.rules.reachM + c.around.PositionAccuracyM
	for i := range c.around.Masts {
		m := &c.around.Masts[i]
		if farther(m.Point, c.proposal.Point, reachM) {
			continue
		}
		if d := geo.DistanceM(m.Point, c.proposal.Point); d <= reachM {
			c.nearby = append(c.nearby, nearMast{m, d})
		}
	}
	slices.SortFunc(c.nearby, func(a, b nearMast) int {
		return cmp.Or(cmp.Compare(a.distanceM, b.distanceM), cmp.Compare(a.Collection, b.Collection),
			cmp.Compare(a.ID, b.ID), cmp.Compare(a.Code, b.Code))
	})
	for i := range c.rules.spacings {
		c.spacing(&c.rules.spacings[i])
	}
	for i := range c.rules.sharings {
		c.sharing(&c.rules.sharings[i])
	}
}

func (k *counting) counts(m *Mast) bool {
	return slices.Contains(k.mastTypes, m.MastType) && slices.Contains(k.statuses, m.Status)
}

func (c *check) mastEvidence(m *nearMast) *Evidence {
	if m.Illustrative {
		c.provisional = true
	}
	return &Evidence{m.Collection, m.ID, m.Code}
}

// spacing asks for a distance to every mast that counts, by the type and height of
// the proposed mast. Without a height the rule is unknown only where the rows for
// its type disagree about the masts at hand. Every mast too close is a finding.
func (c *check) spacing(r *spacingRule) {
	lowM, highM, applies := r.required(c.proposal)
	if !applies || !c.in(r.areas) {
		return
	}
	var nearest *nearMast
	for i := range c.nearby {
		m := &c.nearby[i]
		if !r.counts.counts(m.Mast) {
			continue
		}
		if nearest == nil {
			nearest = m
		}
		if m.distanceM >= lowM {
			break
		}
		c.spacingFinding(r, m, lowM, Fail, "fail")
		c.doubtSpacing(r, m, lowM, len(c.findings)-1)
	}
	switch {
	case nearest == nil:
		f := c.finding(stageSpacing, &r.Rule, Pass, "none", args{"required": metres(highM)})
		f.RequiredM = new(highM)
	case nearest.distanceM >= highM:
		c.spacingFinding(r, nearest, highM, Pass, "pass")
		c.doubtSpacing(r, nearest, highM, len(c.findings)-1)
	case nearest.distanceM >= lowM:
		f := c.spacingFinding(r, nearest, highM, Unknown, "unknown")
		f.Required = number(lowM) + "–" + metres(highM).EN
		f.RequiredM, f.MarginM, f.Missing = nil, nil, []string{"height_m"}
	}
}

// required returns the distance asked of this mast: one value when its height is
// known or does not matter, else the smallest and largest it could be.
func (r *spacingRule) required(p *Proposal) (lowM, highM float64, applies bool) {
	lowM, highM = math.Inf(1), 0
	for _, row := range r.rows {
		low, high := row.heights()
		if row.mastType != p.MastType || p.HeightM != nil && (*p.HeightM <= low || *p.HeightM > high) {
			continue
		}
		lowM, highM, applies = min(lowM, row.distanceM), max(highM, row.distanceM), true
	}
	return lowM, highM, applies
}

func (c *check) spacingFinding(r *spacingRule, m *nearMast, requiredM float64, outcome Outcome, message string) *Finding {
	f := c.finding(stageSpacing, &r.Rule, outcome, message, args{
		"mast": same(m.Code), "measured": metresBeside(m.distanceM, requiredM), "required": metres(requiredM),
		"missing": wordsFor([]string{"height_m"}), "margin": metres(c.spacingMarginM(r)),
	})
	f.Evidence = c.mastEvidence(m)
	f.numbers(m.distanceM, requiredM, m.distanceM-requiredM)
	return f
}

func (c *check) spacingMarginM(r *spacingRule) float64 { return r.marginM + c.around.PositionAccuracyM }

// doubtSpacing notes a mast whose distance is within the margin of the required
// one. Only a binding rule can leave the verdict undetermined; others are judged as measured.
func (c *check) doubtSpacing(r *spacingRule, m *nearMast, requiredM float64, at int) {
	marginM := c.spacingMarginM(r)
	if r.Effect != Binding || marginM == 0 || math.Abs(m.distanceM-requiredM) > marginM {
		return
	}
	n := len(c.findings)
	as := *c.spacingFinding(r, m, requiredM, Unknown, "unknown_margin")
	c.findings = c.findings[:n]
	c.doubts = append(c.doubts, doubt{at, as})
}

// sharing asks to share rather than build where a mast within the distance could
// carry one more operator: fewer than the most allowed, the proposer not on it yet
// (without an operator the proposer is a newcomer). Each such mast is a finding.
func (c *check) sharing(r *sharingRule) {
	withinM, applies := c.shareWithinM(r)
	if !applies || !slices.Contains(r.mastTypes, c.proposal.MastType) {
		return
	}
	found := false
	for i := range c.nearby {
		m := &c.nearby[i]
		if m.distanceM > withinM || !c.canCarry(r, m) {
			continue
		}
		found = true
		a := c.shareArgs(r, m)
		a["required"] = metres(withinM)
		f := c.finding(stageSharing, &r.Rule, Fail, "fail", a)
		f.Evidence = c.mastEvidence(m)
		f.numbers(m.distanceM, withinM, m.distanceM-withinM)
	}
	if !found {
		f := c.finding(stageSharing, &r.Rule, Pass, "pass", args{"required": metres(withinM)})
		f.RequiredM = new(withinM)
	}
}

// shareWithinM is the largest distance of the rule that applies to the place.
func (c *check) shareWithinM(r *sharingRule) (distanceM float64, applies bool) {
	for _, d := range r.distances {
		if c.in(d.areas) {
			distanceM, applies = max(distanceM, d.withinM), true
		}
	}
	return distanceM, applies
}

func (c *check) canCarry(r *sharingRule, m *nearMast) bool {
	return r.counts.counts(m.Mast) && len(distinct(m.Operators)) < r.maxOperators &&
		(c.proposal.Operator == "" || !slices.Contains(m.Operators, c.proposal.Operator))
}

// distinct returns the different operators, sorted, leaving the mast's own list alone.
func distinct(operators []string) []string {
	out := slices.Clone(operators)
	slices.Sort(out)
	return slices.Compact(out)
}

func (c *check) shareArgs(r *sharingRule, m *nearMast) args {
	return args{
		"mast": same(m.Code), "measured": metres(m.distanceM),
		"count": same(number(float64(len(distinct(m.Operators))))), "limit": same(number(float64(r.maxOperators))),
	}
}
