package zoning

import (
	"strings"

	"hatang/geo"
)

// limit is one dimension of a mast class: the value must not exceed limitM.
type limit struct {
	field  string // the proposal's field
	valueM *float64
	limitM *float64 // nil: not known, because the building's height is missing
	needs  string   // the field that would make limitM known
}

// class judges whether the mast is of the type declared: below every limit of the
// class, and concealed where the class asks for it. A dimension over its limit
// fails even if others are missing; otherwise a missing one is unknown.
func (c *check) class() {
	class, ok := c.rules.mastClasses[c.proposal.MastType]
	if !ok || !class.judged() {
		return
	}
	if class.mustBeConcealed {
		c.concealment(&class)
	}
	if limits := class.limits(c.proposal); len(limits) > 0 {
		c.dimensions(&class, limits)
	}
}

func (c *check) concealment(class *mastClass) {
	a := args{"type": same(string(class.mastType)), "otherwise": same(string(class.otherwise)),
		"required": same("concealed = true")}
	switch concealed := c.proposal.Concealed; {
	case concealed == nil:
		a["missing"] = wordsFor([]string{"concealed"})
		c.finding(stageClass, &class.Rule, Unknown, "unknown", a).Missing = []string{"concealed"}
	case *concealed:
		a["measured"] = same("concealed = true")
		c.finding(stageClass, &class.Rule, Pass, "concealed", a)
	default:
		a["measured"] = same("concealed = false")
		c.finding(stageClass, &class.Rule, Fail, "not_concealed", a)
	}
}

// limits lists the dimensions the class limits: height, height as a share of the
// host building's, half width.
func (m *mastClass) limits(p *Proposal) []limit {
	var out []limit
	if m.maxHeightM != nil {
		out = append(out, limit{field: "height_m", valueM: p.HeightM, limitM: m.maxHeightM})
	}
	if m.maxHeightRatio != nil {
		l := limit{field: "height_m", valueM: p.HeightM, needs: "host_building_height_m"}
		if p.HostBuildingHeightM != nil {
			l.limitM = new(*m.maxHeightRatio * *p.HostBuildingHeightM)
		}
		out = append(out, l)
	}
	if m.maxHalfWidthM != nil {
		out = append(out, limit{field: "half_width_m", valueM: p.HalfWidthM, limitM: m.maxHalfWidthM})
	}
	return out
}

// toleranceM absorbs the rounding of 0.2 × a building's height; a micrometre is
// below any measurement of a mast.
const toleranceM = 1e-6

func (c *check) dimensions(class *mastClass, limits []limit) {
	var missing []string
	var tightest *limit // the known limit with the least room
	for i := range limits {
		l := &limits[i]
		missing = l.missing(missing)
		if l.known() && (tightest == nil || l.roomM() < tightest.roomM()) {
			tightest = l
		}
	}
	a := args{"type": same(string(class.mastType)), "otherwise": same(string(class.otherwise))}
	switch {
	case tightest != nil && tightest.roomM() < -toleranceM:
		c.dimension(class, tightest, Fail, "fail", a)
	case len(missing) > 0:
		a["missing"] = wordsFor(missing)
		a["required"] = class.limitWords()
		c.finding(stageClass, &class.Rule, Unknown, "unknown", a).Missing = missing
	default:
		c.dimension(class, tightest, Pass, "pass", a)
	}
}

func (l *limit) known() bool { return l.valueM != nil && l.limitM != nil }

func (l *limit) roomM() float64 { return *l.limitM - *l.valueM }

// missing adds the fields without which the limit cannot be judged.
func (l *limit) missing(fields []string) []string {
	if l.valueM == nil {
		fields = appendNew(fields, l.field)
	}
	if l.limitM == nil {
		fields = appendNew(fields, l.needs)
	}
	return fields
}

func appendNew(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}

// dimension adds the finding of one limit with its numbers.
func (c *check) dimension(class *mastClass, l *limit, outcome Outcome, message string, a args) {
	measured, required := metresExact(*l.valueM), metresExact(*l.limitM)
	name := vocabulary[l.field]
	a["measured"] = geo.Text{VI: name.VI + " " + measured.VI, EN: name.EN + " " + measured.EN}
	a["required"] = required
	if l.needs != "" {
		share := metresExact(*class.maxHeightRatio * 100)
		a["required"] = geo.Text{
			VI: required.VI + " (" + strings.TrimSuffix(share.VI, " m") + " % chiều cao công trình)",
			EN: required.EN + " (" + strings.TrimSuffix(share.EN, " m") + " % of the building's height)",
		}
	}
	f := c.finding(stageClass, &class.Rule, outcome, message, a)
	f.Measured = l.field + " " + measured.EN
	f.numbers(*l.valueM, *l.limitM, l.roomM())
}

// limitWords writes all limits of the class: what a complete proposal must keep.
func (m *mastClass) limitWords() geo.Text {
	var words []string
	add := func(name string, v *float64) {
		if v != nil {
			words = append(words, name+" ≤ "+number(*v))
		}
	}
	add("height_m", m.maxHeightM)
	add("height_m / host_building_height_m", m.maxHeightRatio)
	add("half_width_m", m.maxHalfWidthM)
	return same(strings.Join(words, ", "))
}
