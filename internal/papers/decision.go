package papers

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/permit"
)

// Decision is a decision of the register, as somebody may see it.
type Decision struct {
	permit.RegisteredDecision
	File *permit.File // the proposal, for who has to do with it; nil for others
	// Places are where its features lie, in their order, as the viewer is shown them; nil for
	// one without. Rounded: at least one is not shown exactly.
	Places  []orb.Geometry
	Rounded bool
}

// checkedFile is what the checks of a proposal found.
type checkedFile struct {
	Features  []permit.CheckedFeature `json:"features"`
	EachOther []permit.Together       `json:"each_other"`
}

// Evidence lists what the checks rested on, for who has to do with the proposal.
func (d *Decision) Evidence() ([]zoning.Evidence, error) {
	checks, err := d.checks()
	if err != nil {
		return nil, err
	}
	var all []zoning.Evidence
	for i := range checks {
		all = checks[i].answer.evidence(all)
	}
	return all, nil
}

// check is what the check of one feature found, and what it is to others in the proposal.
type check struct {
	permit.CheckedFeature
	answer answer
	others []zoning.Finding
}

// checks are those of the proposal that had something to judge.
func (d *Decision) checks() ([]check, error) {
	if d.File == nil || len(d.File.Verdict) == 0 {
		return nil, nil
	}
	var file checkedFile
	if err := json.Unmarshal(d.File.Verdict, &file); err != nil {
		return nil, fmt.Errorf("read what was checked: %w", err)
	}
	var checks []check
	for _, f := range file.Features {
		c := check{CheckedFeature: f}
		for _, t := range file.EachOther {
			if t.FeatureID == f.FeatureID {
				c.others = append(c.others, t.Finding)
			}
		}
		if len(f.Answer) > 0 && string(f.Answer) != "null" {
			if err := json.Unmarshal(f.Answer, &c.answer); err != nil {
				return nil, fmt.Errorf("read what was checked: %w", err)
			}
		} else if len(f.Faults) == 0 {
			continue
		}
		checks = append(checks, c)
	}
	return checks, nil
}

// Propose has a refusal tell of what was proposed and refused, which no register does: for who
// has to do with the proposal. Nothing comes of it without one, or where something is approved.
func (d *Decision) Propose() error {
	if d.Outcome != permit.Refused || d.File == nil {
		return nil
	}
	checks, err := d.checks()
	if err != nil {
		return err
	}
	d.Features, d.Places = nil, make([]orb.Geometry, len(d.File.Features))
	for i, f := range d.File.Features {
		d.Features = append(d.Features, permit.DecidedFeature{Collection: f.Collection, ID: f.ID, Code: f.Code})
		for j := range checks {
			if c := &checks[j]; c.Collection == f.Collection && c.ID == f.ID && c.answer.Point != nil {
				d.Places[i] = *c.answer.Point // as it was checked: the draft may have been moved since
			}
		}
	}
	return nil
}

// Legend is what the features are called on the map.
func (d *Decision) Legend(language string) string {
	if d.Outcome == permit.Refused {
		return say(language, "refused_feature")
	}
	return say(language, "decided_feature")
}

// Paper sets the decision.
func (d *Decision) Paper(s Setting) (*Paper, error) {
	checks, err := d.checks()
	if err != nil {
		return nil, err
	}
	p := s.paper("decision", d.Number, d.DecidedOn)
	p.Made = d.DecidedOn.Time()
	outcome, tone := "refused", Bad
	switch {
	case d.Outcome == permit.Approved && len(d.Conditions) > 0:
		outcome, tone = "approved_if", Mixed
	case d.Outcome == permit.Approved:
		outcome, tone = "approved", Good
	}
	p.Result = Result{s.say("outcome", s.say(outcome)), tone}
	p.Sections = append(p.Sections, Section{Title: s.say("about"), Facts: d.about(&s)}, d.grounds(&s))
	if said := d.said(permit.Approve); said != nil { // where the check is against it
		p.Sections = append(p.Sections, Section{Title: s.say("reasons"), Texts: said})
	}
	if d.Outcome == permit.Approved || len(d.Features) > 0 {
		p.Sections = append(p.Sections, d.features(&s))
	}
	p.Sections = append(p.Sections, s.mapSection(d.DecidedOn, d.Rounded)...)
	if len(checks) > 0 {
		p.Sections = append(p.Sections, s.checksSection(d.File, checks))
	}
	p.Seal.Ask = s.say("ask_decision", d.Number)
	p.Seal.Address = s.Root + "/decisions/" + d.Number
	p.Limit()
	return p, nil
}

func (d *Decision) about(s *Setting) []Fact {
	facts := []Fact{{s.say("organisation"), s.organisation(d.Organisation)}, {s.say("decided_on"), date(s.Language, d.DecidedOn)}}
	if f := d.File; f != nil {
		facts = append(facts, Fact{s.say("proposal"), fmt.Sprintf("%d: %s", f.ID, f.Title)})
	}
	if !d.ExpiresOn.IsZero() {
		facts = append(facts, Fact{s.say("expires_on"), date(s.Language, d.ExpiresOn)})
	}
	if d.State == permit.Built || d.State == permit.Expired {
		facts = append(facts, Fact{s.say("state"), s.say("state_" + string(d.State))})
	}
	return facts
}

// grounds are the conditions of an approval, or the reasons of a refusal.
func (d *Decision) grounds(s *Setting) Section {
	if d.Outcome == permit.Approved {
		section := Section{Title: s.say("conditions"), Items: append([]string(nil), d.Conditions...)}
		if len(section.Items) == 0 {
			section.Texts = []string{s.say("no_conditions")}
		}
		return section
	}
	section := Section{Title: s.say("reasons"), Texts: []string{s.say("reasons_kept")}}
	if said := d.said(permit.Refuse); said != nil {
		section.Texts = said
	}
	return section
}

// said are the reasons of the decision, for who has to do with the proposal.
func (d *Decision) said(action permit.Action) (lines []string) {
	if d.File == nil {
		return nil
	}
	for _, step := range d.File.Steps {
		if step.Action == action && step.Reasons != nil {
			lines = strings.Split(*step.Reasons, "\n")
		}
	}
	return lines
}

func (d *Decision) features(s *Setting) Section {
	section := Section{Title: s.say("features")}
	if d.Outcome == permit.Refused {
		section.Title = s.say("refused_features")
	}
	if len(d.Features) == 0 {
		section.Texts = []string{s.say("no_features")}
		return section
	}
	t := Table{Columns: []Column{{Title: s.say("layer"), Width: 34}, {Title: s.say("code"), Width: 46}, {Title: s.say("status"), Width: 24}, {Title: s.say("place"), Width: 66}}}
	if d.Outcome == permit.Refused { // has no status to be told
		t.Columns[3].Width += t.Columns[2].Width
		t.Columns = slices.Delete(t.Columns, 2, 3)
	}
	for i, f := range d.Features {
		var what []string
		if f.Name != nil && *f.Name != f.Code {
			what = append(what, *f.Name)
		}
		what = append(what, s.decided(f)...)
		place := ""
		if i < len(d.Places) {
			place = s.where(d.Places[i])
		}
		cells := []Cell{{Text: s.layerTitle(f.Collection)}, {Strong: f.Code, Text: strings.Join(what, "\n")}, {Text: s.statusTitle(f)}, {Text: place}}
		if d.Outcome == permit.Refused {
			cells = slices.Delete(cells, 2, 3)
		}
		t.Rows = append(t.Rows, Row{Cells: cells})
	}
	section.Tables = []Table{t}
	return section
}

// where says where a feature lies: a point by its coordinates, a line by its length.
func (s *Setting) where(g orb.Geometry) string {
	switch g := g.(type) {
	case orb.Point:
		var lines []string
		for _, fact := range coordinates(s.Language, g, Grid(s.Heading)) {
			lines = append(lines, fact.Value)
		}
		return strings.Join(lines, "\n")
	case orb.MultiLineString:
		return s.say("length") + ": " + metres(s.Language, geo.LengthM(g)) + " m"
	}
	return "–"
}

func (s *Setting) statusTitle(f permit.DecidedFeature) string {
	if l, ok := s.Layers(f.Collection); ok {
		if field, ok := l.Field("status"); ok {
			return fieldValue(field, s.Language, json.RawMessage(fmt.Sprintf("%q", f.Status)))
		}
	}
	return f.Status
}

// decided are the properties that make a feature what is approved, each by its title.
func (s *Setting) decided(f permit.DecidedFeature) (lines []string) {
	l, ok := s.Layers(f.Collection)
	if !ok {
		return nil
	}
	for _, name := range permit.DecidedProperties(f.Collection) {
		if value, has := f.Properties[name]; has {
			if field, ok := l.Field(name); ok {
				lines = append(lines, field.Title.In(s.Language)+": "+fieldValue(field, s.Language, value))
			}
		}
	}
	return lines
}

// checksSection is what the checks found when it was filed.
func (s *Setting) checksSection(f *permit.File, checks []check) Section {
	section := Section{Title: s.say("checks")}
	for i := range checks {
		c := &checks[i]
		number := c.Number
		if number == "" {
			number = s.say("unnumbered")
		}
		name := s.layerTitle(c.Collection) + " " + codeOf(f, c.FeatureID)
		if len(c.answer.Findings) == 0 {
			section.Texts = append(section.Texts, s.say("check_of", name, s.say("not_checked")))
			continue
		}
		t := s.findingsTable(c.answer.Findings)
		t.Title = s.say("check_of", name, s.say("by_verdict", c.answer.Verdict.Text().In(s.Language), number, c.answer.RuleSet, date(s.Language, c.answer.Date)))
		if c.answer.Provisional {
			t.Title += " – " + s.say("is_provisional")
		}
		section.Tables = append(section.Tables, t)
		if len(c.others) > 0 {
			t := s.findingsTable(c.others)
			t.Title = s.say("check_of", name, s.say("each_other"))
			section.Tables = append(section.Tables, t)
		}
	}
	return section
}

// codeOf is the code of a feature of a proposal.
func codeOf(f *permit.File, id permit.FeatureID) string {
	for _, one := range f.Features {
		if one.Collection == id.Collection && one.ID == id.ID {
			return one.Code
		}
	}
	return fmt.Sprintf("#%d", id.ID)
}
