package zoning

import (
	"slices"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// Carrier is what holds a cable.
type Carrier string

// The carriers, in the plan's order of preference.
const (
	Duct         Carrier = "duct"   // an underground duct
	DirectBuried Carrier = "direct" // buried without one
	TelecomPole  Carrier = "telecom_pole"
	ElectricPole Carrier = "electric_pole"
	LightingPole Carrier = "lighting_pole"
)

// Carriers are all of them.
func Carriers() []Carrier {
	return []Carrier{Duct, DirectBuried, TelecomPole, ElectricPole, LightingPole}
}

// Overhead reports whether the cable hangs.
func (c Carrier) Overhead() bool { return c != Duct && c != DirectBuried }

// CableProposal is one question: may this cable run here, carried so? A nil field was not
// given; a rule that needs it is unknown, and no other rule is.
type CableProposal struct {
	Line           orb.MultiLineString
	Carrier        Carrier
	NewProject     *bool    // part of a new road, a new urban area, …
	NewPoles       *bool    // the poles are yet to be put up
	Renovation     bool     // an existing overhead cable is tidied up where it hangs
	PoleHeightM    *float64 // of new poles, metres
	OwnerAgreement *bool    // the owner of the poles or the duct agrees
	Operator       string
	Date           geo.Date
}

// CableSurroundings are the facts about the route; they may hold more than is needed.
type CableSurroundings struct {
	Territories []Territory
	Communes    []Commune
	Zones       []UndergroundZone
	Poles       []PoleLine
	Areas       []Area
	Withheld    map[string][]Area // by commune, as in SceneData
}

// UndergroundZone is an area in which cables go underground.
type UndergroundZone struct {
	Collection   string
	ID           int64
	Code, Kind   string
	Phase        string
	Period       geo.Period
	Geometry     orb.MultiPolygon
	Illustrative bool
	RecordedOn   geo.Date // as Evidence.RecordedOn
}

// PoleLine is a line of poles beside the route.
type PoleLine struct {
	Collection   string
	ID           int64
	Code         string
	Kind         string // telecom, electric, lighting
	Status       string
	Line         orb.MultiLineString
	Illustrative bool
	RecordedOn   geo.Date // as Evidence.RecordedOn
}

// CableResult is the answer: Result without what is about masts.
type CableResult struct {
	Verdict      Verdict            `json:"verdict"`
	Provisional  bool               `json:"provisional"`
	LengthM      float64            `json:"length_m"`
	Findings     []Finding          `json:"findings"`
	Alternatives []CableAlternative `json:"alternatives"`
	Communes     []string           `json:"communes"` // codes of those that the route touches
	Date         geo.Date           `json:"date"`
	RuleSet      string             `json:"rule_set"`
}

// CableAlternative is a carrier by which the cable could run here.
type CableAlternative struct {
	Kind    string   `json:"kind"` // carrier
	Carrier Carrier  `json:"carrier"`
	Verdict Verdict  `json:"verdict"` // by that carrier
	Message geo.Text `json:"message"`
}

// RuleNoCables is the finding of a rule set that says nothing of cables.
const RuleNoCables = "RULES-cable"

// CheckCable judges one cable, rule by rule in the order of the rule set: a pure function,
// like Check. A rule that is not about this proposal gives no finding. rules are those of
// all territories: the route must lie in one that has some.
func CheckCable(rules *Rules, p CableProposal, s CableSurroundings) CableResult {
	r := checkCable(rules, p, s)
	if r.Verdict == Refused || r.Verdict == Undetermined {
		for _, carrier := range Carriers() {
			if carrier == p.Carrier {
				continue
			}
			other := p
			other.Carrier = carrier
			if v := checkCable(rules, other, s).Verdict; v == Permitted || v == Conditional {
				a := args{measured: vocabulary[string(carrier)], required: v.Text()}
				r.Alternatives = append(r.Alternatives, CableAlternative{"carrier", carrier, v, sayPlain("alternative/carrier", &a)})
			}
		}
	}
	return r
}

func checkCable(rules *Rules, p CableProposal, s CableSurroundings) CableResult {
	out := CableResult{Communes: []string{}, Alternatives: []CableAlternative{}, Date: p.Date, LengthM: toMillimetre(geo.LengthM(p.Line))}
	for i := range s.Communes {
		if touches(p.Line, s.Communes[i].Geometry) {
			out.Communes = append(out.Communes, s.Communes[i].Code)
		}
	}
	slices.Sort(out.Communes)
	c := cableCheck{proposal: p, around: s, communes: out.Communes, lengthM: geo.LengthM(p.Line)}
	set, inside := c.territory(rules)
	c.start(set, Proposal{Date: p.Date}, sentences)
	switch {
	case set == nil:
		none := c.noRules()
		out.Verdict, out.Findings = none.Verdict, none.Findings
		return out
	case !set.period.Contains(p.Date):
		c.plain(stageRuleSet, RuleSetDate, "check/rule_set", noArgs)
	case !inside:
		c.plain(stageTerritory, RuleTerritory, "check/territory_route", func() args { return args{area: p.called()} })
	case len(set.cables) == 0:
		c.plain(stageRuleSet, RuleNoCables, "check/no_cables", noArgs)
	default:
		for i := range set.cables {
			c.at = stageCable + stage(i)
			c.apply(&set.cables[i])
		}
	}
	out.Findings, out.RuleSet, out.Provisional = c.sorted(), set.label, c.provisional
	out.Verdict = decide(out.Findings)
	return out
}

// called is what a sentence calls that which is asked about.
func (p *CableProposal) called() geo.Text {
	if p.NewPoles != nil && *p.NewPoles {
		return geo.Text{VI: "Tuyến cột", EN: "pole line"}
	}
	return geo.Text{VI: "Tuyến", EN: "route"}
}

// cableCheck is one evaluation on its way.
type cableCheck struct {
	check
	proposal CableProposal
	around   CableSurroundings
	communes []string
	lengthM  float64
	at       stage
}

// territory finds the rules of the territory that the whole route lies in; false where
// there is none, with the first of all.
func (c *cableCheck) territory(rules *Rules) (*RuleSet, bool) {
	for i := range c.around.Territories {
		t := &c.around.Territories[i]
		if set, its := rules.For(t.Code); its && covers(t.Geometry, c.proposal.Line) {
			return set, true
		}
	}
	set, _ := rules.For("")
	return set, false
}

// covers reports whether a whole line lies in an area, to the millimetre.
func covers(area orb.MultiPolygon, line orb.MultiLineString) bool {
	for _, part := range line {
		for _, p := range part {
			if !geo.Contains(area, p) {
				return false
			}
		}
	}
	return geo.LengthM(line)-lengthInM(line, area) < 0.001
}

func (c *cableCheck) apply(r *cableRule) {
	p := &c.proposal
	if !slices.Contains(r.carriers, p.Carrier) {
		return
	}
	if r.newPolesOnly {
		switch {
		case p.NewPoles == nil:
			c.missing(r, "new_poles")
			return
		case !*p.NewPoles:
			return
		}
	}
	switch r.asks {
	case askZones:
		c.zonesOf(r)
	case askNew:
		c.project(r)
	case askHeight:
		c.height(r)
	case askOrder:
		c.order(r)
	case askAgreement:
		c.agreement(r)
	case askTidy:
		if p.Renovation && p.Carrier.Overhead() {
			c.finding(c.at, &r.Rule, Condition, "tidy", noArgs)
		}
	case askConsent:
		c.consent(r)
	}
}

// missing is an unknown for want of a field.
func (c *cableCheck) missing(r *cableRule, field string) {
	f := c.finding(c.at, &r.Rule, Unknown, "missing", func() args { return args{missing: vocabulary[field]} })
	c.lacks(f, field)
}

// zonesOf asks that nothing hangs in zones that are in force: what hangs there already may be
// tidied up. A zone whose phase is still to come is announced.
func (c *cableCheck) zonesOf(r *cableRule) {
	judged := false
	for i := range c.around.Zones {
		z := &c.around.Zones[i]
		if !slices.Contains(r.kinds, z.Kind) || !z.Period.To.IsZero() && !c.proposal.Date.Before(z.Period.To) {
			continue
		}
		inM := lengthInM(c.proposal.Line, z.Geometry)
		if inM <= 0 {
			continue
		}
		judged = true
		words := func() args {
			return args{zone: same(z.Code), measured: metres(inM), required: metres(0), date: z.Period.From.Text()}
		}
		var f *Finding
		switch {
		case c.proposal.Date.Before(z.Period.From):
			f = c.finding(c.at, &r.Rule, Pass, "later", words)
			f.Notice = true
		case !c.proposal.Carrier.Overhead():
			f = c.finding(c.at, &r.Rule, Pass, "underground", words)
		case c.proposal.Renovation:
			f = c.finding(c.at, &r.Rule, Pass, "renovated", words)
			f.Notice = true
		default:
			f = c.finding(c.at, &r.Rule, Fail, "zone", words)
			c.numbers(f, inM, 0, -inM)
		}
		c.provisional = c.provisional || z.Illustrative
		c.evidence(f, Evidence{Collection: z.Collection, ID: z.ID, Code: z.Code, RecordedOn: z.RecordedOn})
	}
	if !judged {
		c.finding(c.at, &r.Rule, Pass, "no_zone", noArgs)
	}
}

// project asks that all of a new project goes underground.
func (c *cableCheck) project(r *cableRule) {
	whole := func() args { return args{measured: metres(c.lengthM), required: same("100 %")} }
	switch {
	case !c.proposal.Carrier.Overhead():
		if c.proposal.NewProject != nil && *c.proposal.NewProject {
			c.finding(c.at, &r.Rule, Pass, "all_underground", whole)
		}
	case c.proposal.NewProject == nil:
		c.missing(r, "new_project")
	case *c.proposal.NewProject:
		f := c.finding(c.at, &r.Rule, Fail, "new_project", whole)
		c.numbers(f, c.lengthM, 0, -c.lengthM)
	default:
		c.finding(c.at, &r.Rule, Pass, "no_project", noArgs)
	}
}

// height asks for poles of a height within bounds, which belong to them.
func (c *cableCheck) height(r *cableRule) {
	given := c.proposal.PoleHeightM
	if given == nil {
		c.missing(r, "pole_height_m")
		return
	}
	outcome, message, limitM, marginM := Pass, "height_pass", r.minHeightM, *given-r.minHeightM
	if above := r.maxHeightM - *given; above < marginM {
		limitM, marginM = r.maxHeightM, above
	}
	if marginM < 0 {
		outcome, message = Fail, "height_fail"
	}
	f := c.finding(c.at, &r.Rule, outcome, message, func() args {
		return args{measured: metresExact(*given), required: geo.Text{VI: inMetres(r.minHeightM).VI + " – " + inMetres(r.maxHeightM).VI, EN: inMetres(r.minHeightM).EN + " – " + inMetres(r.maxHeightM).EN}}
	})
	c.numbers(f, *given, limitM, marginM)
}

// order asks that no pole line of a kind that comes first runs beside the route: for so
// many metres of it, or half of a shorter route.
func (c *cableCheck) order(r *cableRule) {
	mostM, found := min(r.alongM, c.lengthM/2), false
	for i := range c.around.Poles {
		l := &c.around.Poles[i]
		if !slices.Contains(r.kinds, l.Kind) || !slices.Contains(r.statuses, l.Status) {
			continue
		}
		alongM, nearestM := besideLine(c.proposal.Line, l.Line, r.withinM)
		if alongM < mostM || alongM == 0 {
			continue
		}
		found = true
		f := c.finding(c.at, &r.Rule, Fail, "poles", func() args {
			return args{mast: same(l.Code), class: vocabulary[l.Kind], measured: metres(alongM), required: metres(mostM), distance: metres(nearestM), margin: metres(r.withinM)}
		})
		c.numbers(f, alongM, mostM, mostM-alongM)
		c.provisional = c.provisional || l.Illustrative
		c.evidence(f, Evidence{Collection: l.Collection, ID: l.ID, Code: l.Code, RecordedOn: l.RecordedOn})
	}
	if !found {
		c.finding(c.at, &r.Rule, Pass, "no_poles", func() args { return args{margin: metres(r.withinM)} })
	}
}

// agreement asks for that of the owner: still to be had it is a condition.
func (c *cableCheck) agreement(r *cableRule) {
	given := c.proposal.OwnerAgreement
	switch {
	case given == nil:
		f := c.finding(c.at, &r.Rule, Condition, "agreement", noArgs)
		c.lacks(f, "owner_agreement")
	case *given:
		c.finding(c.at, &r.Rule, Pass, "agreed", noArgs)
	default:
		c.finding(c.at, &r.Rule, Fail, "not_agreed", noArgs)
	}
}

// consent asks for that of an agency, where the route touches an area. Areas that are
// withheld act on whole communes, and are one finding without evidence.
func (c *cableCheck) consent(r *cableRule) {
	words := func() args { return (&consultation{replyDays: r.replyDays, authority: r.authority}).args(nil) }
	found := false
	for i := range c.around.Areas {
		a := &c.around.Areas[i]
		if !slices.Contains(r.kinds, a.Kind) || !touches(c.proposal.Line, a.Geometry) {
			continue
		}
		found = true
		f := c.finding(c.at, &r.Rule, Condition, "consent_named", func() args {
			w := words()
			w.area = a.called()
			return w
		})
		f.ReplyDays = r.replyDays
		inM := toMillimetre(lengthInM(c.proposal.Line, a.Geometry))
		f.MeasuredM, f.Measured = &inM, metres(inM).EN
		c.provisional = c.provisional || a.Illustrative
		c.evidence(f, a.evidence())
	}
	withheld := false
	for _, code := range c.communes {
		for _, a := range c.around.Withheld[code] {
			if slices.Contains(r.kinds, a.Kind) {
				withheld = true
				c.provisional = c.provisional || a.Illustrative
			}
		}
	}
	if withheld {
		c.finding(c.at, &r.Rule, Condition, "consent", words).ReplyDays = r.replyDays
	}
	if !found && !withheld {
		c.finding(c.at, &r.Rule, Pass, "no_consent", words)
	}
}

// CableReachM is how far beside a route pole lines matter by any of the rules, metres.
func (r *Rules) CableReachM() float64 {
	m := 0.0
	if r != nil {
		for _, set := range r.sets {
			for i := range set.cables {
				m = max(m, set.cables[i].withinM)
			}
		}
	}
	return m
}
