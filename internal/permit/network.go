package permit

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/layer"
)

// NetworkFormat is a way to write what the rules say of a network.
type NetworkFormat uint8

// The formats of networks.
const (
	NetworkJSON  NetworkFormat = iota // one object: masts and a summary
	NetworkLines                      // an object a line for each mast, the summary last
	NetworkCSV                        // a line for each mast, no summary
)

// NetworkColumns are those of NetworkCSV.
func NetworkColumns() []string {
	return []string{"code", "id", "status", "lon", "lat", "commune", "district", "mast_type", "since", "verdict", "before_plan", "rules", "reasons", "rule_set", "data_date"}
}

// IsNetworkNumber reports whether the cells of a column are numbers.
func IsNetworkNumber(column string) bool {
	return slices.Contains([]string{"id", "lon", "lat"}, column)
}

// NetworkCounts count masts by what the rules say of them.
type NetworkCounts struct {
	Masts        int `json:"masts"`
	Permitted    int `json:"permitted"`   // they conform
	Conditional  int `json:"conditional"` // they miss what only advises
	Refused      int `json:"refused"`     // they do not conform
	Undetermined int `json:"undetermined"`
	BeforePlan   int `json:"before_plan"` // of those conditional or refused: they stood before what they miss took force
}

// NetworkSummary counts a network, and that in each district and by each rule.
type NetworkSummary struct {
	NetworkCounts
	Districts []DistrictCounts `json:"districts"`
	Rules     []RuleCounts     `json:"rules"`
}

// DistrictCounts are of a district; "": of masts in none.
type DistrictCounts struct {
	District string `json:"district"`
	NetworkCounts
}

// RuleCounts are how many masts of a district a rule is about without passing.
type RuleCounts struct {
	Rule      string `json:"rule"`
	District  string `json:"district"`
	Fail      int    `json:"fail"`
	Condition int    `json:"condition"`
	Unknown   int    `json:"unknown"`
}

// Network judges every mast of an operator that stands, is approved or is planned on the
// question's date, as far as the viewer may see it and the operator on it: see
// zoning.Scene.Standing. It writes them by code, in the language where a format has one,
// and returns what it counted. An operator without masts has an empty network.
func (c *Checker) Network(ctx context.Context, q Question, operator, language string, f NetworkFormat, out io.Writer) (NetworkSummary, error) {
	s, err := c.Snapshot(ctx, q.Viewer, q.Date, q.KnownAt)
	if err != nil {
		return NetworkSummary{}, err
	}
	w := networkWriter{format: f, language: language, out: out, date: s.date, districts: map[string]*NetworkCounts{}, rules: map[[2]string]*RuleCounts{}}
	if err := w.begin(s, operator); err != nil {
		return NetworkSummary{}, err
	}
	own := func(m *zoning.Mast) bool {
		return m.Status != layer.Draft && slices.Contains(m.Operators, operator)
	}
	n := 0
	for standing := range s.scene.Standing(s.rules, s.date, own) {
		if err := ctx.Err(); n%100 == 0 && err != nil {
			return NetworkSummary{}, context.Cause(ctx)
		}
		if err := w.mast(n, &standing); err != nil {
			return NetworkSummary{}, err
		}
		n++
	}
	return w.end()
}

// networkWriter writes a network and counts it.
type networkWriter struct {
	format    NetworkFormat
	language  string
	out       io.Writer
	date      geo.Date
	text      []byte
	total     NetworkCounts
	districts map[string]*NetworkCounts
	rules     map[[2]string]*RuleCounts
}

func (w *networkWriter) begin(s *Snapshot, operator string) error {
	switch w.format {
	case NetworkJSON:
		w.text = appendText(append(w.text, `{"operator":`...), operator)
		w.text = appendDate(append(w.text, `,"date":`...), s.date)
		if len(s.versions) > 0 {
			w.text = appendVersions(append(w.text, `,"versions":`...), s.versions)
		}
		if s.generalised {
			w.text = append(w.text, `,"generalised":true`...)
		}
		w.text = append(w.text, `,"masts":[`...)
	case NetworkCSV:
		for i, name := range NetworkColumns() {
			if i > 0 {
				w.text = append(w.text, ',')
			}
			w.text = append(w.text, name...)
		}
		w.text = append(w.text, '\n')
	}
	return w.flush()
}

func (w *networkWriter) flush() error {
	_, err := w.out.Write(w.text)
	w.text = w.text[:0]
	return err
}

func (w *networkWriter) mast(n int, s *zoning.Standing) error {
	w.count(s)
	switch w.format {
	case NetworkCSV:
		w.line(s)
	case NetworkLines:
		w.object(s)
	default:
		if n > 0 {
			w.text = append(w.text, ',')
		}
		w.text = append(w.text, '\n')
		w.object(s)
	}
	if w.format != NetworkJSON {
		w.text = append(w.text, '\n')
	}
	return w.flush()
}

// told are the findings that a mast's answer lists: those that do not pass.
func told(s *zoning.Standing) []zoning.Finding {
	return slices.DeleteFunc(slices.Clone(s.Findings), func(f zoning.Finding) bool { return f.Outcome == zoning.Pass })
}

func (w *networkWriter) object(s *zoning.Standing) {
	m := s.Mast
	t := appendEvidence(append(w.text, `{"evidence":`...), &zoning.Evidence{Collection: m.Collection, ID: m.ID, Code: m.Code})
	t = appendText(append(t, `,"status":`...), m.Status)
	t = appendFloat(append(t, `,"point":[`...), m.Point[0])
	t = append(appendFloat(append(t, ','), m.Point[1]), ']')
	t = appendUnit(append(t, `,"unit":`...), unitOf(s.Place))
	t = appendText(append(t, `,"mast_type":`...), string(m.MastType))
	t = append(t, `,"since":`...)
	if m.Built != nil {
		t = appendDate(t, m.Built.Since)
	} else {
		t = append(t, "null"...)
	}
	t = appendText(append(t, `,"verdict":`...), string(s.Verdict))
	t = strconv.AppendBool(append(t, `,"before_plan":`...), s.BeforePlan)
	t = strconv.AppendBool(append(t, `,"provisional":`...), s.Provisional)
	t = appendText(append(t, `,"rule_set":`...), s.RuleSet)
	t = appendList(append(t, `,"findings":`...), told(s), func(dst []byte, f *zoning.Finding) []byte { return appendFinding(dst, f, true) })
	t = append(t, '}')
	w.text = t
}

func (w *networkWriter) line(s *zoning.Standing) {
	m, since := s.Mast, ""
	if m.Built != nil && !m.Built.Since.IsZero() {
		since = m.Built.Since.String()
	}
	findings := told(s)
	cells := []string{m.Code, strconv.FormatInt(m.ID, 10), m.Status, strconv.FormatFloat(m.Point[0], 'f', -1, 64), strconv.FormatFloat(m.Point[1], 'f', -1, 64),
		s.Place.Commune, s.Place.District, string(m.MastType), since, string(s.Verdict), strconv.FormatBool(s.BeforePlan),
		joined(len(findings), func(i int) string { return findings[i].Rule }),
		joined(len(findings), func(i int) string { return findings[i].Message.In(w.language) }), s.RuleSet, w.date.String()}
	for i, cell := range cells {
		if i > 0 {
			w.text = append(w.text, ',')
		}
		w.text = appendCell(w.text, cell, ',')
	}
}

func (w *networkWriter) count(s *zoning.Standing) {
	district := w.districts[s.Place.District]
	if district == nil {
		district = &NetworkCounts{}
		w.districts[s.Place.District] = district
	}
	for _, c := range []*NetworkCounts{&w.total, district} {
		c.Masts++
		switch s.Verdict {
		case zoning.Permitted:
			c.Permitted++
		case zoning.Conditional:
			c.Conditional++
		case zoning.Refused:
			c.Refused++
		default:
			c.Undetermined++
		}
		if s.BeforePlan {
			c.BeforePlan++
		}
	}
	w.countRules(s)
}

// countRules counts a mast once for each rule, by the worst that the rule finds.
func (w *networkWriter) countRules(s *zoning.Standing) {
	worst := map[string]zoning.Outcome{}
	rank := []zoning.Outcome{zoning.Pass, zoning.Condition, zoning.Unknown, zoning.Fail}
	for i := range s.Findings {
		f := &s.Findings[i]
		if slices.Index(rank, f.Outcome) > max(0, slices.Index(rank, worst[f.Rule])) {
			worst[f.Rule] = f.Outcome
		}
	}
	for rule, outcome := range worst {
		key := [2]string{rule, s.Place.District}
		c := w.rules[key]
		if c == nil {
			c = &RuleCounts{Rule: rule, District: s.Place.District}
			w.rules[key] = c
		}
		switch outcome {
		case zoning.Fail:
			c.Fail++
		case zoning.Condition:
			c.Condition++
		default:
			c.Unknown++
		}
	}
}

func (w *networkWriter) end() (NetworkSummary, error) {
	sum := NetworkSummary{NetworkCounts: w.total, Districts: []DistrictCounts{}, Rules: []RuleCounts{}}
	for district, c := range w.districts {
		sum.Districts = append(sum.Districts, DistrictCounts{district, *c})
	}
	slices.SortFunc(sum.Districts, func(a, b DistrictCounts) int { return cmp.Compare(a.District, b.District) })
	for _, c := range w.rules {
		sum.Rules = append(sum.Rules, *c)
	}
	slices.SortFunc(sum.Rules, func(a, b RuleCounts) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.District, b.District))
	})
	if w.format == NetworkCSV {
		return sum, nil
	}
	raw, err := json.Marshal(sum)
	if err != nil {
		return sum, fmt.Errorf("write the summary: %w", err)
	}
	switch w.format {
	case NetworkLines:
		w.text = append(append(append(w.text, `{"summary":`...), raw...), "}\n"...)
	default:
		w.text = append(append(append(w.text, "\n],\"summary\":"...), raw...), "}\n"...)
	}
	return sum, w.flush()
}
