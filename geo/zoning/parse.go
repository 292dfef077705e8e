package zoning

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"hatang/geo"
)

// ParseRuleSet reads a rule set from JSON (format 1; rules.json of a plan pack is
// the model). It is strict: an unknown or doubled field, a number without a unit,
// a rule without a source or clause, inverted dates, an unknown mast type, a
// doubled id or trailing data refuse the whole set, and the error, a *FaultsError,
// names every fault with its JSON pointer.
func ParseRuleSet(body []byte) (*RuleSet, error) {
	var faults faultList
	tree, ok := parseTree(body, &faults)
	if !ok {
		return nil, faults.err(ofRuleSet)
	}
	f, ok := newFields(tree, "", &faults)
	if !ok {
		return nil, faults.err(ofRuleSet)
	}
	p := parser{set: &RuleSet{}, rulesAt: map[string]string{}, kindOf: map[string]string{}}
	p.head(f)
	f.objects("mast_classes", p.mastClass)
	f.requiredObjects("zone_classes", p.zoneClass) // without one nothing can be judged
	f.objects("structure_rules", p.structureRule)
	f.objects("spacing_rules", p.spacingRule)
	f.objects("sharing_rules", p.sharingRule)
	f.objects("setback_rules", p.setbackRule)
	f.objects("consultations", p.consultation)
	f.objects("cable_rules", p.cableRule)
	p.index()
	f.done()
	if err := faults.err(ofRuleSet); err != nil {
		return nil, err
	}
	p.set.reachM = p.set.computeReach()
	p.set.label = p.set.id + "@" + strconv.Itoa(p.set.version)
	return p.set, nil
}

const ofRuleSet = "rule set"

// parser holds the rule set being built.
type parser struct {
	set     *RuleSet
	rulesAt map[string]string // rule id → pointer of its first use
	kindOf  map[string]string // rule id → kind of its first use
}

func (p *parser) head(f *fields) {
	_, given := f.get("format")
	if format := f.integer("format", 0, math.MaxInt32); given && format != 1 {
		f.faults.add(f.at("format"), faultFormat, strconv.Itoa(format))
	}
	p.set.id = f.str("id")
	p.set.version = f.integer("version", 1, math.MaxInt32)
	p.set.title = f.text("title")
	p.set.period = geo.Period{From: f.date("valid_from"), To: f.optionalDate("valid_to")}
	if to := p.set.period.To; !to.IsZero() && !p.set.period.From.Before(to) {
		f.faults.add(f.at("valid_to"), faultDates, to.String(), p.set.period.From.String())
	}
}

// The kinds of rules, as Rule.Kind names them and the messages are filed.
const (
	kindMastClass    = "mast_class"
	kindZoneClass    = "zone_class"
	kindStructure    = "structure"
	kindSpacing      = "spacing"
	kindSharing      = "sharing"
	kindSetback      = "setback"
	kindConsultation = "consultation"
	kindCable        = "cable"
)

func effects() []Effect { return []Effect{Binding, Advisory, OnCondition} }

// rule reads what every rule states about itself.
func (p *parser) rule(f *fields, kind string, accepted []Effect) Rule {
	r := Rule{
		ID:     f.str("rule"),
		Kind:   kind,
		Title:  f.text("title"),
		Effect: word(f, "effect", accepted),
		Clause: f.optionalString("clause"),
		Source: source(f),
		Status: f.optionalString("status"),
	}
	if strings.TrimSpace(r.Clause) == "" {
		f.faults.add(f.at("clause"), faultNoClause)
	}
	r.sentences = sentencesOf(kind, messages(f, kind))
	p.claim(f, r)
	return r
}

// claim keeps rule ids unique; only mast classes may share one (A1a and A1b are
// judged by the same rule).
func (p *parser) claim(f *fields, r Rule) {
	if r.ID == "" {
		return
	}
	first, used := p.rulesAt[r.ID]
	if used && (r.Kind != kindMastClass || p.kindOf[r.ID] != kindMastClass) {
		f.faults.add(f.at("rule"), faultDuplicate, quote(r.ID), first)
	}
	if !used {
		p.rulesAt[r.ID] = f.at("rule")
		p.kindOf[r.ID] = r.Kind
	}
}

func source(f *fields) Source {
	v, ok := f.get("source")
	if !ok {
		f.faults.add(f.at("source"), faultNoSource)
		return Source{}
	}
	s, ok := newFields(v, f.at("source"), f.faults)
	if !ok {
		return Source{}
	}
	defer s.done()
	return Source{Instrument: s.str("instrument"), URL: s.optionalString("url")}
}

// messages reads a rule's own sentences; each must be one the rule's kind can say,
// with placeholders that are filled there.
func messages(f *fields, kind string) map[string]geo.Text {
	v, ok := f.get("messages")
	if !ok {
		return nil
	}
	m, ok := newFields(v, f.at("messages"), f.faults)
	if !ok {
		return nil
	}
	out := map[string]geo.Text{}
	for _, key := range m.object.keys {
		standard, known := catalogue[kind+"/"+key]
		if !known {
			continue // done reports it
		}
		t := m.text(key)
		for _, placeholder := range unknownPlaceholders(t, standard) {
			f.faults.add(m.at(key), faultPlaceholder, placeholder)
		}
		out[key] = t
	}
	m.done()
	return out
}

func (p *parser) mastClass(f *fields) {
	c := mastClass{
		Rule:            p.rule(f, kindMastClass, effects()),
		mastType:        word(f, "mast_type", geo.MastTypes()),
		onBuilding:      word(f, "stands_on", []string{"building", "ground"}) == "building",
		maxHeightM:      f.optionalNumber("max_height_m", 0, maxLengthM),
		maxHeightRatio:  f.optionalNumber("max_height_ratio", 0, 1),
		maxHalfWidthM:   f.optionalNumber("max_half_width_m", 0, maxLengthM),
		mustBeConcealed: f.boolean("must_be_concealed"),
	}
	if _, given := f.get("otherwise"); given || c.narrows() {
		c.otherwise = word(f, "otherwise", geo.MastTypes())
	}
	if c.otherwise == c.mastType && c.mastType.Valid() {
		f.faults.add(f.at("otherwise"), faultOwnClass, string(c.mastType))
	}
	if p.set.mastClasses == nil {
		p.set.mastClasses = map[geo.MastType]*mastClass{}
	}
	if first, twice := p.set.mastClasses[c.mastType]; twice && c.mastType.Valid() {
		f.faults.add(f.at("mast_type"), faultDuplicate, quote(string(c.mastType)), p.rulesAt[first.ID])
	}
	p.set.mastClasses[c.mastType] = &c
}

func (p *parser) zoneClass(f *fields) {
	z := zoneClass{
		Rule:      p.rule(f, kindZoneClass, effects()),
		code:      f.str("code"),
		aliases:   words[string](f, "aliases", nil),
		exclusive: word(f, "mode", []string{"exclusive", "permissive"}) == "exclusive",
		urban:     f.boolean("urban"),
		allowed:   inOrder(requiredWords(f, "allowed", geo.MastTypes())),
		preferred: inOrder(words(f, "preferred", geo.MastTypes())),
	}
	for _, t := range z.preferred {
		if !slices.Contains(z.allowed, t) {
			f.faults.add(f.at("preferred"), faultNotAllowed, string(t))
		}
	}
	for _, name := range append([]string{z.code}, z.aliases...) {
		if first := p.zoneNamed(name); name != "" && first != nil {
			f.faults.add(f.at("code"), faultDuplicate, quote(name), p.rulesAt[first.ID])
		}
	}
	p.set.zoneClasses = append(p.set.zoneClasses, z)
}

// zoneNamed finds a class read before by its code or an alias.
func (p *parser) zoneNamed(name string) *zoneClass {
	for i, z := range p.set.zoneClasses {
		if z.code == name || slices.Contains(z.aliases, name) {
			return &p.set.zoneClasses[i]
		}
	}
	return nil
}

// inOrder sorts mast types least bulky first, so that equal sets are equal lists.
func inOrder(types []geo.MastType) []geo.MastType {
	out := make([]geo.MastType, 0, len(types))
	for _, t := range geo.MastTypes() {
		if slices.Contains(types, t) {
			out = append(out, t)
		}
	}
	return out
}

func areaNames() []string { return []string{areaUrban, areaRural, areaDense} }

func (p *parser) structureRule(f *fields) {
	p.set.structures = append(p.set.structures, structureRule{
		Rule:       p.rule(f, kindStructure, effects()),
		scope:      scope{requiredWords(f, "mast_types", geo.MastTypes()), requiredWords(f, "areas", areaNames())},
		structures: requiredWords(f, "structures", geo.Structures()),
	})
}

// index makes the lookup of zone classes once all are read.
func (p *parser) index() {
	p.set.zoneByCode = map[string]*zoneClass{}
	for i := range p.set.zoneClasses {
		z := &p.set.zoneClasses[i]
		p.set.zoneByCode[z.code] = z
		for _, alias := range z.aliases {
			p.set.zoneByCode[alias] = z
		}
	}
}
