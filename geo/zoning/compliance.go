package zoning

import "hatang/geo"

// ExistingMast is a mast that stands, with the facts about its place.
type ExistingMast struct {
	Mast      Mast
	Structure *geo.Structure
	Since     geo.Date // when it was built; zero when not known
	Around    Surroundings
}

// SiteCompliance is the answer for one existing mast.
type SiteCompliance struct {
	Evidence  Evidence
	Compliant bool // meaningful when Known
	Known     bool // false: no zone, no structure, … see Findings
	// BeforePlan: the mast stood before the rule set took force. It is listed, not
	// punished, but counts in the ratio like any other.
	BeforePlan bool
	Findings   []Finding
}

// ComplianceReport counts a network: Compliant ÷ Judged is the zoning compliance ratio.
type ComplianceReport struct {
	Compliant int
	Judged    int // masts with a known answer
	Unknown   int // masts without one: in neither number of the ratio
	// BeforePlan counts the judged masts that do not comply and stood before the plan.
	BeforePlan int
	Sites      []SiteCompliance // in the order given
}

// Ratio returns Compliant ÷ Judged, 0–1; false when nothing could be judged.
func (r ComplianceReport) Ratio() (ratio float64, ok bool) {
	if r.Judged == 0 {
		return 0, false
	}
	return float64(r.Compliant) / float64(r.Judged), true
}

// Compliance judges existing masts by the zones and the structure rules in force at
// their places on the date; spacing, sharing and consultations are for new masts.
func (rs *RuleSet) Compliance(masts []ExistingMast, date geo.Date) ComplianceReport {
	report := ComplianceReport{Sites: make([]SiteCompliance, 0, len(masts))}
	for _, m := range masts {
		site := SiteCompliance{
			Evidence:   m.Mast.evidence(),
			BeforePlan: !m.Since.IsZero() && m.Since.Before(rs.period.From),
		}
		site.Compliant, site.Known, site.Findings = rs.compliance(m.Mast, m.Structure, m.Around, date)
		report.count(site)
	}
	return report
}

func (r *ComplianceReport) count(site SiteCompliance) {
	r.Sites = append(r.Sites, site)
	switch {
	case !site.Known:
		r.Unknown++
		return
	case site.Compliant:
		r.Compliant++
	case site.BeforePlan:
		r.BeforePlan++
	}
	r.Judged++
}

// ComplianceOf judges one existing mast as Compliance does. known is false when no
// binding rule fails but one lacks a fact; compliant is then false as well.
func (rs *RuleSet) ComplianceOf(mast Mast, structure *geo.Structure, s Surroundings, date geo.Date) (compliant, known bool) {
	compliant, known, _ = rs.compliance(mast, structure, s, date)
	return compliant, known
}

func (rs *RuleSet) compliance(mast Mast, structure *geo.Structure, s Surroundings, date geo.Date) (compliant, known bool, findings []Finding) {
	var c check
	c.start(rs, Proposal{Point: mast.Point, MastType: mast.MastType, Structure: structure, Date: date}, sentences)
	c.around.given(&s, &c.proposal)
	if c.applies() {
		c.zones()
		c.structure()
		c.accuracy()
	}
	findings = c.sorted()
	verdict := decide(findings)
	return verdict == Permitted || verdict == Conditional, verdict != Undetermined, findings
}
