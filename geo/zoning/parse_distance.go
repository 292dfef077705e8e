package zoning

import (
	"math"
	"slices"
	"strconv"

	"hatang/geo"
)

func (p *parser) spacingRule(f *fields) {
	s := spacingRule{
		Rule:   p.rule(f, kindSpacing, effects()),
		areas:  requiredWords(f, "areas", areaNames()),
		counts: counts(f),
	}
	if m := f.optionalNumber("accuracy_margin_m", 0, maxLengthM); m != nil {
		s.marginM = *m
	}
	f.requiredObjects("table", func(row *fields) { s.rows = append(s.rows, spacingTableRow(row, s.rows)) })
	p.set.spacings = append(p.set.spacings, s)
}

// counts reads which masts beside the proposal a rule looks at.
func counts(f *fields) counting {
	v, ok := f.require("counts")
	if !ok {
		return counting{}
	}
	c, ok := newFields(v, f.at("counts"), f.faults)
	if !ok {
		return counting{}
	}
	defer c.done()
	return counting{requiredWords(c, "mast_types", geo.MastTypes()), requiredWords[string](c, "statuses", nil)}
}

func spacingTableRow(f *fields, before []spacingRow) spacingRow {
	row := spacingRow{
		mastType:     word(f, "mast_type", geo.MastTypes()),
		aboveHeightM: f.optionalNumber("above_height_m", 0, maxLengthM),
		upToHeightM:  f.optionalNumber("up_to_height_m", 0, maxLengthM),
		distanceM:    f.number("distance_m", 0, maxLengthM),
	}
	low, high := row.heights()
	if low >= high {
		f.faults.add(f.at("up_to_height_m"), faultOutOfRange, "> "+number(low), number(maxLengthM))
	}
	at := slices.IndexFunc(before, func(b spacingRow) bool {
		bLow, bHigh := b.heights()
		return b.mastType == row.mastType && low < bHigh && bLow < high
	})
	if at >= 0 {
		f.faults.add(f.pointer, faultOverlap, strconv.Itoa(at))
	}
	return row
}

// heights returns the row's heights in metres: above low, up to and with high.
func (r spacingRow) heights() (low, high float64) {
	low, high = 0, math.Inf(1)
	if r.aboveHeightM != nil {
		low = *r.aboveHeightM
	}
	if r.upToHeightM != nil {
		high = *r.upToHeightM
	}
	return low, high
}

// For how long a refusal to share frees from the duty where a rule does not say, and at most,
// months. No text that could be read says: as long as an approval holds.
const (
	defaultRefusalMonths = 12
	mostRefusalMonths    = 1200
)

func (p *parser) sharingRule(f *fields) {
	s := sharingRule{
		Rule:         p.rule(f, kindSharing, effects()),
		mastTypes:    requiredWords(f, "mast_types", geo.MastTypes()),
		counts:       counts(f),
		maxOperators: f.integer("max_operators", 1, math.MaxInt32),

		refusalMonths: defaultRefusalMonths,
	}
	if _, given := f.get("refusal_months"); given {
		s.refusalMonths = f.integer("refusal_months", 0, mostRefusalMonths)
	}
	f.requiredObjects("distances", func(d *fields) {
		s.distances = append(s.distances,
			sharingDistance{requiredWords(d, "areas", areaNames()), d.number("within_m", 0, maxLengthM)})
	})
	p.set.sharings = append(p.set.sharings, s)
}

func (p *parser) setbackRule(f *fields) {
	p.set.setbacks = append(p.set.setbacks, setbackRule{
		Rule:          p.rule(f, kindSetback, effects()),
		enabled:       f.boolean("enabled"),
		mastTypes:     requiredWords(f, "mast_types", geo.MastTypes()),
		areaKinds:     requiredWords[string](f, "area_kinds", nil),
		ratioOfHeight: f.number("height_ratio", 0, 100),
	})
}

func (p *parser) consultation(f *fields) {
	c := consultation{
		Rule:       p.rule(f, kindConsultation, []Effect{OnCondition}),
		areaKinds:  words[string](f, "area_kinds", nil),
		minHeightM: f.optionalNumber("min_height_m", 0, maxLengthM),
		authority:  f.text("authority"),
	}
	if _, given := f.get("reply_days"); given {
		c.replyDays = f.integer("reply_days", 1, 3660)
	}
	if len(c.areaKinds) == 0 && c.minHeightM == nil {
		f.faults.add(f.pointer, faultNothingAsked)
	}
	p.set.consultations = append(p.set.consultations, c)
}
