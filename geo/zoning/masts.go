package zoning

import (
	"cmp"
	"math"
	"slices"

	"hatang/geo"
)

// nearMast is a mast within reach and its geodesic distance, or bounds of it.
type nearMast struct {
	*Mast
	lowM, highM float64 // bounds; both are the distance once it is measured
}

// masts applies the rules about masts within reach.
func (c *check) masts() {
	c.spacings()
	for i := range c.rules.sharings {
		if r := &c.rules.sharings[i]; c.detail != verdictOnly {
			c.sharing(r)
		} else if !c.idle(&r.Rule) {
			c.quickSharing(r)
		}
	}
}

// spacings applies the rules of spacing.
func (c *check) spacings() {
	for i := range c.rules.spacings {
		if r := &c.rules.spacings[i]; c.detail != verdictOnly || c.doubtful(r) {
			c.spacing(r)
		} else if !c.idle(&r.Rule) {
			c.quickSpacing(r)
		}
	}
}

// doubtful reports whether a rule may find a distance too inaccurate to judge.
func (c *check) doubtful(r *spacingRule) bool { return r.Effect == Binding && c.spacingMarginM(r) > 0 }

// gather finds the masts within reach, once. Where findings are wanted they are
// measured and sorted; for the verdict alone bounds of most distances will do.
func (c *check) gather() {
	if c.gathered {
		return
	}
	c.gathered = true
	reachM := c.rules.reachM + c.around.accuracyM
	plane := geo.NewPlane(c.proposal.Point)
	c.around.eachMast(c.proposal.Point, reachM, func(m *Mast) {
		if c.except != nil && m.ID == c.except.ID && m.Collection == c.except.Collection || c.proposal.isAbout(m) {
			return
		}
		low, high := plane.BoundsM(m.Point)
		if low > reachM || farther(m.Point, c.proposal.Point, reachM) {
			return
		}
		near := nearMast{m, low, high}
		if c.detail != verdictOnly && near.distanceM(c) > reachM {
			return
		}
		c.nearby = append(c.nearby, near)
	})
	if c.detail != verdictOnly {
		slices.SortFunc(c.nearby, compareMasts)
	}
}

// measured gathers the masts with all distances, sorted: what findings need, and a
// verdict that accuracy may change.
func (c *check) measured() {
	c.gather()
	if c.detail != verdictOnly {
		return
	}
	reachM := c.rules.reachM + c.around.accuracyM
	c.nearby = slices.DeleteFunc(c.nearby, func(m nearMast) bool { return m.distanceM(c) > reachM })
	for i := range c.nearby {
		c.nearby[i].distanceM(c)
	}
	slices.SortFunc(c.nearby, compareMasts)
}

// compareMasts sorts by distance, then name.
func compareMasts(a, b nearMast) int {
	if a.lowM != b.lowM {
		return cmp.Compare(a.lowM, b.lowM)
	}
	return cmp.Or(cmp.Compare(a.Collection, b.Collection), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Code, b.Code))
}

// distanceM measures the mast if that has not been done.
func (m *nearMast) distanceM(c *check) float64 {
	if m.lowM != m.highM {
		m.lowM = geo.DistanceM(m.Point, c.proposal.Point)
		m.highM = m.lowM
	}
	return m.lowM
}

// closer reports whether the mast is closer than the limit, measuring it only when
// its bounds do not tell.
func (m *nearMast) closer(c *check, limitM float64) bool {
	switch {
	case m.highM < limitM:
		return true
	case m.lowM >= limitM:
		return false
	}
	return m.distanceM(c) < limitM
}

// quickSpacing is spacing for the verdict alone: any mast too close decides.
func (c *check) quickSpacing(r *spacingRule) {
	lowM, highM, applies := r.required(&c.proposal)
	if !applies || !c.in(r.areas) {
		return
	}
	c.gather()
	unknown := false
	for i := range c.nearby {
		m := &c.nearby[i]
		if !c.spaces(&r.counts, m.Mast) || !m.closer(c, highM) {
			continue
		}
		if m.closer(c, lowM) {
			c.finding(stageSpacing, &r.Rule, Fail, "fail", noArgs)
			return
		}
		unknown = true
	}
	if unknown {
		c.finding(stageSpacing, &r.Rule, Unknown, "unknown", noArgs)
	}
}

// quickSharing is sharing for the verdict alone.
func (c *check) quickSharing(r *sharingRule) {
	withinM, applies := c.shareWithinM(r)
	if !applies || !slices.Contains(r.mastTypes, c.proposal.MastType) {
		return
	}
	c.gather()
	beyondM := math.Nextafter(withinM, math.Inf(1))
	for i := range c.nearby {
		if m := &c.nearby[i]; m.closer(c, beyondM) && c.canCarry(r, m) {
			c.finding(stageSharing, &r.Rule, Fail, "fail", noArgs)
			return
		}
	}
}

func (k *counting) counts(m *Mast) bool {
	return slices.Contains(k.mastTypes, m.MastType) && slices.Contains(k.statuses, m.Status)
}

// spaces reports whether a rule of spacing counts the mast: one that is only proposed, or
// a draft, by its type alone, and never the proposal's own.
//
// Decided: the statuses of a rule say which masts count that are published; which drafts
// count is a matter of who asks, not of the rule. Those do that he may see, which are
// his own, and all in an officer's check: where he may build, what he means to build himself
// counts like what is planned, whatever the rule says of that. Against what stands or is
// planned no draft counts, nor as a mast to share.
func (c *check) spaces(k *counting, m *Mast) bool {
	switch {
	case m.Status == Draft && c.proposal.Drafts != DraftsByRule:
		return c.except == nil && slices.Contains(k.mastTypes, m.MastType) && (c.proposal.Drafts != DraftsElsewhere || !c.itself(m))
	case m.Status == Proposed && c.proposal.Row != 0:
		return m.ID != -c.proposal.Row && slices.Contains(k.mastTypes, m.MastType)
	}
	return k.counts(m)
}

// samePlaceM is how near a draft was taken for the very mast that was asked about, metres.
const samePlaceM = 1.0

// itself reports whether a draft was taken for the mast that was asked about, before that was
// named: it stands in that very place, and is not said to be somebody else's.
func (c *check) itself(m *Mast) bool {
	others := m.Owner != "" && c.proposal.Operator != "" && m.Owner != c.proposal.Operator
	at := c.proposal.Point
	return !others && !farther(m.Point, at, samePlaceM) && geo.DistanceM(m.Point, at) <= samePlaceM
}

func (c *check) mastEvidence(f *Finding, m *nearMast) {
	if m.Illustrative {
		c.provisional = true
	}
	c.evidence(f, m.evidence())
}

// called is the mast's name in a sentence.
func (m *nearMast) called() geo.Text {
	switch m.Status {
	case Proposed:
		return geo.Text{VI: "đề nghị " + m.Code, EN: "proposed as " + m.Code}
	case Draft:
		return geo.Text{VI: m.Code + " (dự thảo)", EN: m.Code + " (draft)"}
	}
	return same(m.Code)
}

// spacing asks for a distance to every mast that counts, by the type and height of
// the proposed mast. Without a height the rule is unknown only where the rows for
// its type disagree about the masts at hand. Every mast too close is a finding.
func (c *check) spacing(r *spacingRule) {
	lowM, highM, applies := r.required(&c.proposal)
	if !applies || !c.in(r.areas) {
		return
	}
	c.measured()
	var nearest *nearMast
	for i := range c.nearby {
		m := &c.nearby[i]
		if !c.spaces(&r.counts, m.Mast) {
			continue
		}
		if nearest == nil {
			nearest = m
		}
		if m.lowM >= lowM {
			break
		}
		c.spacingFinding(r, m, lowM, Fail, "fail")
		c.doubtSpacing(r, m, lowM, len(c.findings)-1)
	}
	switch {
	case nearest == nil:
		f := c.finding(stageSpacing, &r.Rule, Pass, "none", func() args { return args{required: metres(highM)} })
		c.requires(f, highM)
	case nearest.lowM >= highM:
		c.spacingFinding(r, nearest, highM, Pass, "pass")
		c.doubtSpacing(r, nearest, highM, len(c.findings)-1)
	case nearest.lowM >= lowM:
		f := c.spacingFinding(r, nearest, highM, Unknown, "unknown")
		if c.detail == sentences {
			f.Required = number(lowM) + "–" + metres(highM).EN
		}
		f.RequiredM, f.MarginM = nil, nil
		c.lacks(f, "height_m")
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
	f := c.finding(stageSpacing, &r.Rule, outcome, message, func() args {
		return args{
			mast: m.called(), measured: metresBeside(m.lowM, requiredM), required: metres(requiredM),
			missing: wordsFor([]string{"height_m"}), margin: metres(c.spacingMarginM(r)),
		}
	})
	c.mastEvidence(f, m)
	c.numbers(f, m.lowM, requiredM, m.lowM-requiredM)
	return f
}

func (c *check) spacingMarginM(r *spacingRule) float64 { return r.marginM + c.around.accuracyM }

// doubtSpacing notes a mast whose distance is within the margin of the required
// one. Only a binding rule can leave the verdict undetermined; others are judged as measured.
func (c *check) doubtSpacing(r *spacingRule, m *nearMast, requiredM float64, at int) {
	marginM := c.spacingMarginM(r)
	if r.Effect != Binding || marginM == 0 || math.Abs(m.lowM-requiredM) > marginM {
		return
	}
	n, worst := len(c.findings), c.worst
	as := *c.spacingFinding(r, m, requiredM, Unknown, "unknown_margin")
	c.findings, c.worst = c.findings[:n], worst
	c.doubts = append(c.doubts, doubt{at, as})
}

// sharing asks to share rather than build where a mast within the distance could
// carry one more operator: fewer than the most allowed, the proposer not on it yet
// (without an operator the proposer is a newcomer). Each such mast is a finding. One that
// was refused to him lately is a finding, too, and is not asked for.
func (c *check) sharing(r *sharingRule) {
	withinM, applies := c.shareWithinM(r)
	if !applies || !slices.Contains(r.mastTypes, c.proposal.MastType) {
		return
	}
	c.measured()
	found := false
	for i := range c.nearby {
		m := &c.nearby[i]
		if m.lowM > withinM || !c.hasRoom(r, m) {
			continue
		}
		found = true
		if refusal := c.refusal(r, m); refusal != nil {
			c.refusedToShare(r, m, refusal)
			continue
		}
		f := c.finding(stageSharing, &r.Rule, Fail, "fail", func() args {
			a := c.shareArgs(r, m)
			a.required = metres(withinM)
			return a
		})
		c.mastEvidence(f, m)
		c.numbers(f, m.lowM, withinM, m.lowM-withinM)
	}
	if !found {
		f := c.finding(stageSharing, &r.Rule, Pass, "pass", func() args { return args{required: metres(withinM)} })
		c.requires(f, withinM)
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

// refusedToShare says why a mast is not asked for.
func (c *check) refusedToShare(r *sharingRule, m *nearMast, refusal *Refusal) {
	f := c.finding(stageSharing, &r.Rule, Pass, "refused", func() args {
		a := c.shareArgs(r, m)
		a.request, a.date = same(refusal.Request), refusal.On.Text()
		return a
	})
	c.mastEvidence(f, m)
	f.SharingRequest = refusal.Request
}

// refusal is the latest of the proposer's requests to share the mast that was refused, on the
// date or before it, and not longer before than the rule counts; nil for none.
func (c *check) refusal(r *sharingRule, m *nearMast) *Refusal {
	var latest *Refusal
	for i := range m.Refusals {
		f, date := &m.Refusals[i], c.proposal.Date.Time()
		if f.Operator != c.proposal.Operator || f.Operator == "" || date.Before(f.On.Time()) || !date.Before(f.On.Time().AddDate(0, r.refusalMonths, 0)) {
			continue
		}
		if latest == nil || latest.On.Before(f.On) || latest.On == f.On && latest.Request < f.Request {
			latest = f
		}
	}
	return latest
}

// canCarry reports whether the mast is to be asked for.
func (c *check) canCarry(r *sharingRule, m *nearMast) bool {
	return c.hasRoom(r, m) && c.refusal(r, m) == nil
}

func (c *check) hasRoom(r *sharingRule, m *nearMast) bool {
	return (m.Status != Draft || c.proposal.Drafts == DraftsByRule) && r.counts.counts(m.Mast) && countDistinct(m.Operators) < r.maxOperators &&
		(c.proposal.Operator == "" || !slices.Contains(m.Operators, c.proposal.Operator))
}

// countDistinct is the length of distinct, without making it: a mast has few operators.
func countDistinct(operators []string) int {
	n := 0
	for i, o := range operators {
		if !slices.Contains(operators[:i], o) {
			n++
		}
	}
	return n
}

// distinct returns the different operators, sorted, leaving the mast's own list alone.
func distinct(operators []string) []string {
	out := slices.Clone(operators)
	slices.Sort(out)
	return slices.Compact(out)
}

func (c *check) shareArgs(r *sharingRule, m *nearMast) args {
	return args{
		mast: same(m.Code), measured: metres(m.lowM),
		count: same(number(float64(countDistinct(m.Operators)))), limit: same(number(float64(r.maxOperators))),
	}
}
