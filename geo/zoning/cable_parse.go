package zoning

import "hatang/geo"

// cableAsk is what a cable rule asks; what it needs stands in cableRule.
type cableAsk string

const (
	askZones     cableAsk = "underground_zones" // no hanging in zones of these kinds
	askNew       cableAsk = "new_project"       // all of a new project goes underground
	askHeight    cableAsk = "pole_height"       // of new poles
	askOrder     cableAsk = "no_poles_beside"   // no poles of these kinds and statuses beside
	askAgreement cableAsk = "owner_agreement"   // of the owner of what carries it
	askTidy      cableAsk = "tidy_up"           // of what hangs and is renovated
	askConsent   cableAsk = "consent"           // of an agency, in areas of these kinds
)

func cableAsks() []cableAsk {
	return []cableAsk{askZones, askNew, askHeight, askOrder, askAgreement, askTidy, askConsent}
}

// cableRule is one rule about cables.
type cableRule struct {
	Rule
	asks                   cableAsk
	carriers               []Carrier
	newPolesOnly           bool
	kinds                  []string // of zones, areas or pole lines
	statuses               []string // of pole lines
	withinM, alongM        float64
	minHeightM, maxHeightM float64
	replyDays              int
	authority              geo.Text
}

// cableRule reads a rule about cables.
func (p *parser) cableRule(f *fields) {
	r := cableRule{Rule: p.rule(f, kindCable, effects()), asks: word(f, "asks", cableAsks()), carriers: requiredWords(f, "carriers", Carriers()), newPolesOnly: f.boolean("new_poles_only")}
	switch r.asks {
	case askZones:
		r.kinds = requiredWords[string](f, "zone_kinds", nil)
	case askHeight:
		r.minHeightM, r.maxHeightM = f.number("min_height_m", 0, maxLengthM), f.number("max_height_m", 0, maxLengthM)
		if r.maxHeightM < r.minHeightM {
			f.faults.add(f.at("max_height_m"), faultOutOfRange, number(r.minHeightM), number(maxLengthM))
		}
	case askOrder:
		r.kinds, r.statuses = requiredWords[string](f, "pole_kinds", nil), requiredWords[string](f, "statuses", nil)
		r.withinM, r.alongM = f.number("within_m", 0, maxBesideM), f.number("along_m", 0, maxLengthM)
	case askConsent:
		r.kinds, r.authority = requiredWords[string](f, "area_kinds", nil), f.text("authority")
		if _, given := f.get("reply_days"); given {
			r.replyDays = f.integer("reply_days", 1, 3660)
		}
	}
	p.set.cables = append(p.set.cables, r)
}

// maxBesideM is how far from a route poles may still count as beside it, metres.
const maxBesideM = 1000
