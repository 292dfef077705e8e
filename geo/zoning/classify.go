package zoning

import (
	"strconv"
	"strings"

	"hatang/geo"
)

// limit is one dimension of a mast class: the value must not exceed the most.
type limit struct {
	field string // the proposal's field
	value length
	most  length // not known where the building's height is missing
	needs string // the field that would make most known
}

// length is a length in metres that may not be known.
type length struct {
	m     float64
	known bool
}

func given(v *float64) length {
	if v == nil {
		return length{}
	}
	return length{*v, true}
}

// class judges whether the mast is of the type declared: on a building or on the ground as
// the class has it, below every limit of the class, and concealed where the class asks for
// it. A dimension over its limit fails even if others are missing; otherwise a missing one is
// unknown.
func (c *check) class() {
	class := c.rules.mastClasses[c.proposal.MastType]
	if class == nil || c.idle(&class.Rule) {
		return
	}
	c.footing(class)
	if class.mustBeConcealed {
		c.concealment(class)
	}
	var limits [3]limit
	if n := class.limits(&c.proposal, &limits); n > 0 {
		c.dimensions(class, limits[:n])
	}
}

// footing judges whether the mast stands on what masts of the class stand on. Its type says so by
// itself; a structure of buildings, or a building under it, may bear that out or be against it.
// Nothing speaks for the ground: any other structure may be on a roof.
func (c *check) footing(class *mastClass) {
	structure := c.proposal.Structure
	onBuilding := c.proposal.HostBuildingHeightM != nil || structure != nil && (*structure == geo.Rooftop || *structure == geo.Wall)
	words := func() args {
		a := class.words()
		a.measured = geo.Text{VI: "trên công trình đã xây dựng", EN: "on a building"}
		a.required = a.measured
		if !class.onBuilding {
			a.required = geo.Text{VI: "trên mặt đất", EN: "on the ground"}
		}
		return a
	}
	switch {
	case !onBuilding:
	case !class.onBuilding:
		c.finding(stageClass, &class.Rule, Fail, "stands_elsewhere", words)
	case !class.narrows():
		c.finding(stageClass, &class.Rule, Pass, "stands", words)
	}
}

func (c *check) concealment(class *mastClass) {
	concealed := c.proposal.Concealed
	words := func() args {
		a := class.words()
		a.required = same("concealed = true")
		if concealed == nil {
			a.missing = wordsFor([]string{"concealed"})
		} else {
			a.measured = same("concealed = " + strconv.FormatBool(*concealed))
		}
		return a
	}
	switch {
	case concealed == nil:
		c.lacks(c.finding(stageClass, &class.Rule, Unknown, "unknown", words), "concealed")
	case *concealed:
		c.finding(stageClass, &class.Rule, Pass, "concealed", words)
	default:
		c.finding(stageClass, &class.Rule, Fail, "not_concealed", words)
	}
}

func (m *mastClass) words() args {
	return args{mastType: same(string(m.mastType)), otherwise: same(string(m.otherwise))}
}

// limits lists the dimensions the class limits: height, height as a share of the
// host building's, half width. It returns how many there are.
func (m *mastClass) limits(p *Proposal, out *[3]limit) int {
	n := 0
	add := func(l limit) {
		out[n] = l
		n++
	}
	if m.maxHeightM != nil {
		add(limit{field: "height_m", value: given(p.HeightM), most: given(m.maxHeightM)})
	}
	if m.maxHeightRatio != nil {
		most := given(p.HostBuildingHeightM)
		most.m *= *m.maxHeightRatio
		add(limit{field: "height_m", value: given(p.HeightM), most: most, needs: "host_building_height_m"})
	}
	if m.maxHalfWidthM != nil {
		add(limit{field: "half_width_m", value: given(p.HalfWidthM), most: given(m.maxHalfWidthM)})
	}
	return n
}

// toleranceM absorbs the rounding of 0.2 × a building's height; a micrometre is
// below any measurement of a mast.
const toleranceM = 1e-6

func (c *check) dimensions(class *mastClass, limits []limit) {
	c.fields = c.fields[:0]
	var tightest *limit // the known limit with the least room
	for i := range limits {
		l := &limits[i]
		c.fields = l.missing(c.fields)
		if l.known() && (tightest == nil || l.roomM() < tightest.roomM()) {
			tightest = l
		}
	}
	switch {
	case tightest != nil && tightest.roomM() < -toleranceM:
		c.dimension(class, tightest, Fail, "fail")
	case len(c.fields) > 0:
		f := c.finding(stageClass, &class.Rule, Unknown, "unknown", func() args {
			a := class.words()
			a.missing = wordsFor(c.fields)
			a.required = class.limitWords()
			return a
		})
		c.lacks(f, c.fields...)
	default:
		c.dimension(class, tightest, Pass, "pass")
	}
}

func (l *limit) known() bool { return l.value.known && l.most.known }

func (l *limit) roomM() float64 { return l.most.m - l.value.m }

// missing adds the fields without which the limit cannot be judged.
func (l *limit) missing(fields []string) []string {
	if !l.value.known {
		fields = appendNew(fields, l.field)
	}
	if !l.most.known {
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
func (c *check) dimension(class *mastClass, l *limit, outcome Outcome, message string) {
	f := c.finding(stageClass, &class.Rule, outcome, message, func() args { return class.dimensionWords(l) })
	if c.detail == sentences {
		f.Measured = l.field + " " + metresExact(l.value.m).EN
	}
	c.numbers(f, l.value.m, l.most.m, l.roomM())
}

func (m *mastClass) dimensionWords(l *limit) args {
	a := m.words()
	measured, required := metresExact(l.value.m), metresExact(l.most.m)
	name := vocabulary[l.field]
	a.measured = geo.Text{VI: name.VI + " " + measured.VI, EN: name.EN + " " + measured.EN}
	a.required = required
	if l.needs != "" {
		share := metresExact(*m.maxHeightRatio * 100)
		a.required = geo.Text{
			VI: required.VI + " (" + strings.TrimSuffix(share.VI, " m") + " % chiều cao công trình)",
			EN: required.EN + " (" + strings.TrimSuffix(share.EN, " m") + " % of the building's height)",
		}
	}
	return a
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
