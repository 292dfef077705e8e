package papers

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/permit"
)

// answer is what a check answered, of a mast or of a cable, as far as papers say it.
type answer struct {
	Verdict      zoning.Verdict   `json:"verdict"`
	Provisional  bool             `json:"provisional"`
	Generalised  bool             `json:"generalised"`
	AllowedTypes []string         `json:"allowed_types"`
	Findings     []zoning.Finding `json:"findings"`
	Alternatives []struct {
		Kind     string           `json:"kind"`
		Evidence *zoning.Evidence `json:"evidence"`
		Message  geo.Text         `json:"message"`
	} `json:"alternatives"`
	Date     geo.Date     `json:"date"`
	RuleSet  string       `json:"rule_set"`
	Unit     *permit.Unit `json:"unit"`
	Point    *orb.Point   `json:"point"`
	LengthM  *float64     `json:"length_m"`
	Communes []string     `json:"communes"`
}

// Verdict is a recorded verdict that was read.
type Verdict struct {
	Date     geo.Date
	Place    orb.Geometry // a point or lines; nil where the question has none
	Evidence []zoning.Evidence
	Province string // code; "" for none

	record   permit.Record
	body     permit.RecordBody
	answer   answer
	question map[string]json.RawMessage
}

// ReadVerdict reads a recorded verdict.
func ReadVerdict(r permit.Record) (*Verdict, error) {
	v := &Verdict{record: r}
	var err error
	if v.body, err = r.Read(); err != nil {
		return nil, fmt.Errorf("read the verdict: %w", err)
	}
	if err = json.Unmarshal(v.body.Answer, &v.answer); err == nil {
		err = json.Unmarshal(v.body.Question, &v.question)
	}
	if err != nil {
		return nil, fmt.Errorf("read the verdict: %w", err)
	}
	v.Date = v.body.Date
	if v.answer.Point != nil {
		v.Place = *v.answer.Point
	} else if raw, ok := v.question["geometry"]; ok {
		line, _, err := permit.ParseRoute(raw)
		if err != nil {
			return nil, fmt.Errorf("read the route: %w", err)
		}
		v.Place = line
	}
	if v.answer.Unit != nil {
		v.Province = v.answer.Unit.Province
	}
	v.Evidence = v.answer.evidence(nil)
	return v, nil
}

// evidence adds the features that findings and alternatives name, each once.
func (a *answer) evidence(to []zoning.Evidence) []zoning.Evidence {
	add := func(e *zoning.Evidence) {
		if e == nil || e.ID == 0 {
			return
		}
		for _, known := range to {
			if known.Collection == e.Collection && known.ID == e.ID {
				return
			}
		}
		to = append(to, *e)
	}
	for i := range a.Findings {
		add(a.Findings[i].Evidence)
	}
	for i := range a.Alternatives {
		add(a.Alternatives[i].Evidence)
	}
	return to
}

// Legend is what the place is called on the map.
func (v *Verdict) Legend(language string) string {
	if v.body.Kind == permit.CableKind {
		return say(language, "route")
	}
	return say(language, "mast")
}

// Paper sets the verdict; faults are what is wrong with the record, none for one that holds.
func (v *Verdict) Paper(s Setting, faults []geo.Text) *Paper {
	b, a := &v.body, &v.answer
	key := "placement"
	if b.Kind == permit.CableKind {
		key = "cable"
	}
	p := s.paper(key, b.Number, geo.DateOf(b.KnownAt.In(s.zone())))
	p.Made = b.KnownAt
	p.Subtitle = s.say("on_date", date(s.Language, b.Date))
	if a.RuleSet != "" {
		p.Subtitle = s.say("by_rules", a.RuleSet, date(s.Language, b.Date))
	}
	p.Result = Result{s.say("verdict", a.Verdict.Text().In(s.Language)), toneOf(a.Verdict)}
	p.Notices = s.notices(a)
	p.Sections = append(p.Sections, Section{Title: s.say("question"), Facts: v.Asked(&s)})
	p.Sections = append(p.Sections, s.mapSection(b.Date, false)...)
	p.Sections = append(p.Sections, s.findings(a), s.instead(a), v.basis(&s))
	if len(p.Sections[len(p.Sections)-2].Items) == 0 {
		p.Sections = append(p.Sections[:len(p.Sections)-2], p.Sections[len(p.Sections)-1])
	}
	v.seal(&s, p, faults)
	p.Limit()
	return p
}

func toneOf(v zoning.Verdict) Tone {
	switch v {
	case zoning.Permitted:
		return Good
	case zoning.Refused:
		return Bad
	case zoning.Conditional:
		return Mixed
	}
	return Unclear
}

func (s *Setting) notices(a *answer) (notices []string) {
	if a.Provisional {
		notices = append(notices, s.say("provisional"))
	}
	if a.Generalised {
		notices = append(notices, s.say("generalised"))
	}
	return notices
}

// Asked is the question as people read it, as papers have it; without the unit where the
// setting knows no names of units.
func (v *Verdict) Asked(s *Setting) []Fact {
	if v.body.Kind == permit.CableKind {
		return v.asked(s, "cable_segments")
	}
	return v.asked(s, "bts_sites")
}

// Recorded is when the verdict was recorded, in the time zone of papers; "" where nobody knows.
func (v *Verdict) Recorded(s *Setting) string {
	if v.record.Kept == nil {
		return ""
	}
	return instant(s.Language, v.record.Kept.RecordedAt.In(s.zone()))
}

// asked are the facts of the question: the place first, then all that was said of the thing.
func (v *Verdict) asked(s *Setting, layerName string) (facts []Fact) {
	if p, ok := v.Place.(orb.Point); ok {
		facts = coordinates(s.Language, p, Grid(s.Heading))
	}
	if u := v.answer.Unit; u != nil && s.Units != nil {
		facts = append(facts, Fact{s.say("unit"), joinUnits(s.unit("communes", u.Commune), s.unit("districts", u.District), s.unit("provinces", u.Province))})
	}
	if len(v.answer.Communes) > 0 && s.Units != nil {
		var names []string
		for _, code := range v.answer.Communes {
			names = append(names, s.unit("communes", code))
		}
		facts = append(facts, Fact{s.say("unit"), strings.Join(names, "; ")})
	}
	if v.answer.LengthM != nil {
		facts = append(facts, Fact{s.say("length"), metres(s.Language, *v.answer.LengthM) + " m"})
	}
	for _, name := range []string{"mast_type", "height_m", "half_width_m", "host_building_height_m", "structure", "concealed", "accuracy_m",
		"new_project", "new_poles", "pole_height_m", "renovation", "owner_agreement"} {
		if fact, ok := s.field(layerName, name, v.question[name]); ok {
			facts = append(facts, fact)
		}
	}
	if raw, ok := v.question["feature"]; ok && string(raw) != "null" {
		facts = append(facts, Fact{s.say("asked_about"), string(raw)})
	}
	if raw, ok := v.question["carrier"]; ok {
		facts = append(facts, Fact{s.say("carrier"), s.say(plainValue(s.Language, raw))})
	}
	if raw, ok := v.question["operator"]; ok && string(raw) != "null" {
		facts = append(facts, Fact{s.say("operator"), s.organisation(plainValue(s.Language, raw))})
	}
	return append(facts, Fact{s.say("judged_for"), date(s.Language, v.Date)})
}

// joinUnits writes a place from the smallest unit on, without those that are not known.
func joinUnits(names ...string) string {
	var known []string
	for _, name := range names {
		if name != "" {
			known = append(known, name)
		}
	}
	return strings.Join(known, ", ")
}

func (s *Setting) findings(a *answer) Section {
	section := Section{Title: s.say("findings")}
	if len(a.Findings) == 0 {
		section.Texts = []string{s.say("no_findings")}
		return section
	}
	section.Tables = []Table{s.findingsTable(a.Findings)}
	return section
}

func (s *Setting) findingsTable(findings []zoning.Finding) Table {
	t := Table{Columns: []Column{
		{Title: s.say("rule"), Width: 46}, {Title: s.say("result"), Width: 38}, {Title: s.say("measured"), Width: 32},
		{Title: s.say("required"), Width: 32}, {Title: s.say("margin"), Width: 22, Right: true}}}
	for i := range findings {
		t.Rows = append(t.Rows, s.findingRow(&findings[i]))
	}
	return t
}

func (s *Setting) findingRow(f *zoning.Finding) Row {
	key, tone := string(f.Outcome), map[zoning.Outcome]Tone{zoning.Pass: Good, zoning.Fail: Bad, zoning.Condition: Mixed, zoning.Unknown: Unclear}[f.Outcome]
	if f.Notice {
		key, tone = "notice", Plain
	}
	weight := "advisory"
	switch {
	case f.Binding:
		weight = "binding"
	case f.Outcome == zoning.Condition: // is to be met, be its rule one that refuses or not
		weight = "to_be_met"
	}
	about := s.say(weight)
	if f.Decides {
		about += "; " + s.say("decides")
	}
	measured, required, margin := s.inWords(f.Measured), s.inWords(f.Required), ""
	if f.MeasuredM != nil {
		measured = metres(s.Language, *f.MeasuredM) + " m"
	}
	if f.RequiredM != nil {
		required = metres(s.Language, *f.RequiredM) + " m"
	}
	if f.MarginM != nil {
		if margin = metres(s.Language, *f.MarginM); *f.MarginM > 0 {
			margin = "+" + margin
		}
	}
	row := Row{Cells: []Cell{{Strong: f.Rule, Text: f.Clause}, {Strong: s.say(key), Text: about, Tone: tone}, {Text: measured}, {Text: required}, {Text: margin}}}
	row.Notes = append(row.Notes, f.Message.In(s.Language))
	if e := f.Evidence; e != nil {
		row.Notes = append(row.Notes, s.say("evidence", s.layerTitle(e.Collection)+" "+s.evidenceName(e)))
	}
	if f.RuleSet != "" { // verdicts of the first type do not say it of each
		row.Notes = append(row.Notes, s.say("rule_and_data", f.RuleSet, date(s.Language, f.DataDate)))
	}
	if f.Source.Instrument != "" {
		row.Notes = append(row.Notes, s.say("source", f.Source.Instrument))
	}
	return row
}

// inWords writes what a rule measured or requires, where it says it by the code of a structure
// or a carrier, in words; mast types are called by their codes.
func (s *Setting) inWords(text string) string {
	parts := strings.Split(text, ", ")
	for i, part := range parts {
		if _, ok := texts[part]; ok && slices.Contains(zoning.Carriers(), zoning.Carrier(part)) {
			parts[i] = s.say(part)
		} else if l, ok := s.Layers("bts_sites"); ok {
			if f, ok := l.Field("structure"); ok {
				parts[i] = valueTitle(f, s.Language, part)
			}
		}
	}
	return strings.Join(parts, ", ")
}

// evidenceName is what a feature is called, and what is to be known of it.
func (s *Setting) evidenceName(e *zoning.Evidence) string {
	name := e.Code
	if name == "" {
		name = fmt.Sprintf("#%d", e.ID)
	}
	if e.Status == zoning.Draft {
		name += ", " + s.say("draft")
	}
	if !e.RecordedOn.IsZero() {
		name += ", " + s.say("recorded_on", date(s.Language, e.RecordedOn))
	}
	return name
}

// instead is what would be allowed; no items where there is nothing to be said.
func (s *Setting) instead(a *answer) Section {
	section := Section{Title: s.say("instead")}
	if len(a.AllowedTypes) > 0 {
		section.Items = append(section.Items, s.say("allowed_types", strings.Join(a.AllowedTypes, ", ")))
	}
	for i := range a.Alternatives {
		if len(a.AllowedTypes) > 0 && a.Alternatives[i].Kind == zoning.AlternativeMastType {
			continue // stands in the first item
		}
		section.Items = append(section.Items, a.Alternatives[i].Message.In(s.Language))
	}
	const most = 50
	if len(section.Items) > most {
		section.Items = section.Items[:most]
	}
	return section
}

func (v *Verdict) basis(s *Setting) Section {
	b := &v.body
	section := Section{Title: s.say("basis"), Facts: []Fact{{s.say("data"), instant(s.Language, b.KnownAt.In(s.zone()))}}}
	if b.RuleSet != nil {
		section.Facts = append(section.Facts, Fact{s.say("rule_set"), fmt.Sprintf("%s@%d", b.RuleSet.ID, b.RuleSet.Version)}, Fact{s.say("rule_set_sum"), b.RuleSet.SHA256})
	}
	standing := "is_final"
	if v.answer.Provisional {
		standing = "is_provisional"
	}
	section.Facts = append(section.Facts, Fact{s.say("standing"), s.say(standing)})
	if b.Proposal != nil {
		section.Facts = append(section.Facts, Fact{s.say("filed_with"), fmt.Sprint(*b.Proposal)})
	}
	if b.Feature != nil {
		section.Facts = append(section.Facts, Fact{s.say("feature"), fmt.Sprintf("%s #%d", s.layerTitle(b.Feature.Collection), b.Feature.ID)})
	}
	return section
}

// seal proves the verdict on the paper.
func (v *Verdict) seal(s *Setting, p *Paper, faults []geo.Text) {
	d := v.record.Document()
	state := s.say("valid")
	if len(faults) > 0 {
		var wrong []string
		for _, f := range faults {
			wrong = append(wrong, f.In(s.Language))
		}
		state = strings.Join(wrong, "; ")
		p.Notices = append([]string{state + "."}, p.Notices...)
	}
	p.Seal.Facts = []Fact{{s.say("algorithm"), d.Algorithm + ", " + d.Key}, {s.say("sum"), d.SHA256}, {s.say("signature"), base64.RawURLEncoding.EncodeToString(v.record.Signature)}}
	if k := v.record.Kept; k != nil {
		p.Seal.Facts = append(p.Seal.Facts, Fact{s.say("recorded"), instant(s.Language, k.RecordedAt.In(s.zone()))})
	}
	p.Seal.Facts = append(p.Seal.Facts, Fact{s.say("checked"), state})
	p.Seal.Ask = s.say("ask", v.body.Number, v.body.Code)
	p.Seal.Address = s.Root + "/verdicts/" + v.body.Number + "/verification?code=" + v.body.Code // of digits and letters alone
}
