package zoning

import (
	"slices"

	"hatang/geo"
)

// RuleSet is one version of a plan's rules. It is made by ParseRuleSet only and
// never changes: it may be used by any number of goroutines.
type RuleSet struct {
	id      string
	version int
	title   geo.Text
	period  geo.Period

	mastClasses   map[geo.MastType]*mastClass
	zoneClasses   []zoneClass
	zoneByCode    map[string]*zoneClass // codes and aliases
	structures    []structureRule
	spacings      []spacingRule
	sharings      []sharingRule
	setbacks      []setbackRule
	consultations []consultation
	cables        []cableRule
	reachM        float64
	label         string // id@version
}

// Effect is what missing a rule does to the verdict.
type Effect string

// The effects of a rule.
const (
	Binding     Effect = "binding"   // a fail refuses
	Advisory    Effect = "advisory"  // a fail makes the verdict conditional
	OnCondition Effect = "condition" // what would be a fail is a condition to be met
)

// Source says where a rule comes from. Instrument is never empty.
type Source struct {
	Instrument string `json:"instrument"`
	URL        string `json:"url,omitempty"`
}

// Rule is what every rule states about itself.
type Rule struct {
	ID     string   `json:"rule"`
	Kind   string   `json:"kind"` // mast_class, zone_class, structure, spacing, sharing, setback, consultation, cable
	Title  geo.Text `json:"title"`
	Effect Effect   `json:"effect"`
	Clause string   `json:"clause"`
	Source Source   `json:"source"`
	Status string   `json:"status,omitempty"`

	sentences map[string]sentence // by message key
}

type mastClass struct {
	Rule
	mastType        geo.MastType
	onBuilding      bool
	maxHeightM      *float64
	maxHeightRatio  *float64 // of the host building's height, 0–1
	maxHalfWidthM   *float64
	mustBeConcealed bool
	otherwise       geo.MastType // what a mast over the limits is classified as
}

// narrows reports whether the class asks more of a mast than where it stands.
func (c *mastClass) narrows() bool {
	return c.mustBeConcealed || c.maxHeightM != nil || c.maxHeightRatio != nil || c.maxHalfWidthM != nil
}

type zoneClass struct {
	Rule
	code      string
	aliases   []string
	exclusive bool
	urban     bool // a place in such a zone is urban
	allowed   []geo.MastType
	preferred []geo.MastType
}

// scope says which proposals a rule is about.
type scope struct {
	mastTypes []geo.MastType
	areas     []string // areaUrban, areaRural, areaDense; any of them
}

type structureRule struct {
	Rule
	scope
	structures []geo.Structure
}

// counting says which masts of the surroundings a rule looks at.
type counting struct {
	mastTypes []geo.MastType
	statuses  []string
}

type spacingRule struct {
	Rule
	areas   []string
	counts  counting
	marginM float64
	rows    []spacingRow
}

type spacingRow struct {
	mastType     geo.MastType
	aboveHeightM *float64 // height > this; nil = no lower bound
	upToHeightM  *float64 // height <= this; nil = no upper bound
	distanceM    float64
}

type sharingRule struct {
	Rule
	mastTypes    []geo.MastType
	counts       counting
	maxOperators int
	distances    []sharingDistance
	// refusalMonths is for how long a refusal to share frees from the duty; 0: not at all.
	refusalMonths int
}

type sharingDistance struct {
	areas   []string
	withinM float64
}

type setbackRule struct {
	Rule
	enabled       bool
	mastTypes     []geo.MastType
	areaKinds     []string
	ratioOfHeight float64
}

type consultation struct {
	Rule
	areaKinds  []string
	minHeightM *float64 // anywhere: a top this high above ground, or higher
	replyDays  int
	authority  geo.Text
}

// The areas a scope can name. Rural is whatever is neither urban nor densely populated.
const (
	areaUrban = "urban"
	areaRural = "rural"
	areaDense = "densely_populated"
)

// ID returns the rule set's name, the same for all its versions.
func (rs *RuleSet) ID() string { return rs.id }

// Version returns the version, 1 or more.
func (rs *RuleSet) Version() int { return rs.version }

// Label returns "id@version", as answers carry it.
func (rs *RuleSet) Label() string { return rs.label }

// Title returns the rule set's name for people.
func (rs *RuleSet) Title() geo.Text { return rs.title }

// Period returns when the rule set is in force.
func (rs *RuleSet) Period() geo.Period { return rs.period }

// Reach returns how far, in metres, a check may need to look for masts: the
// largest spacing or sharing distance with its margin. Masts farther away than
// this (plus the accuracy of the position) change nothing; 0 when no rule looks at masts.
func (rs *RuleSet) Reach() float64 { return rs.reachM }

// SharingWithinM returns the largest distance, in metres, of the sharing rules: as far
// as any of them, of whatever mast types and areas, asks to share a mast rather than to
// build another. 0 when there is no sharing rule.
func (rs *RuleSet) SharingWithinM() float64 {
	var withinM float64
	for _, s := range rs.sharings {
		for _, d := range s.distances {
			withinM = max(withinM, d.withinM)
		}
	}
	return withinM
}

// AreaKinds returns the kinds of special areas that some rule looks at, sorted.
func (rs *RuleSet) AreaKinds() []string {
	var kinds []string
	for _, c := range rs.consultations {
		kinds = append(kinds, c.areaKinds...)
	}
	for _, s := range rs.setbacks {
		if s.enabled {
			kinds = append(kinds, s.areaKinds...)
		}
	}
	for _, c := range rs.cables {
		if c.asks == askConsent {
			kinds = append(kinds, c.kinds...)
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// ZoneClass describes one class of zones for legends and forms.
type ZoneClass struct {
	Rule
	Code      string         `json:"code"`
	Exclusive bool           `json:"exclusive"`
	Urban     bool           `json:"urban"`
	Allowed   []geo.MastType `json:"allowed"`
	Preferred []geo.MastType `json:"preferred"`
}

// ZoneClasses lists the classes in the order of the rule set.
func (rs *RuleSet) ZoneClasses() []ZoneClass {
	out := make([]ZoneClass, len(rs.zoneClasses))
	for i, z := range rs.zoneClasses {
		out[i] = ZoneClass{Rule: z.Rule, Code: z.code, Exclusive: z.exclusive, Urban: z.urban,
			Allowed: slices.Clone(z.allowed), Preferred: slices.Clone(z.preferred)}
	}
	return out
}

// Rules lists every rule once (several mast classes may share one), in the order
// in which Check and CheckCable apply them.
func (rs *RuleSet) Rules() []Rule {
	var out []Rule
	add := func(r Rule) {
		if !slices.ContainsFunc(out, func(o Rule) bool { return o.ID == r.ID }) {
			out = append(out, r)
		}
	}
	for _, t := range geo.MastTypes() {
		if c, ok := rs.mastClasses[t]; ok {
			add(c.Rule)
		}
	}
	for _, z := range rs.zoneClasses {
		add(z.Rule)
	}
	for _, s := range rs.structures {
		add(s.Rule)
	}
	for _, s := range rs.spacings {
		add(s.Rule)
	}
	for _, s := range rs.sharings {
		add(s.Rule)
	}
	for _, s := range rs.setbacks {
		add(s.Rule)
	}
	for _, c := range rs.consultations {
		add(c.Rule)
	}
	for _, c := range rs.cables {
		add(c.Rule)
	}
	return out
}

// computeReach finds the value of Reach.
func (rs *RuleSet) computeReach() float64 {
	reach := rs.SharingWithinM()
	for _, s := range rs.spacings {
		for _, row := range s.rows {
			reach = max(reach, row.distanceM+s.marginM)
		}
	}
	return reach
}
