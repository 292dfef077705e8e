package zoning

import "hatang/geo"

// Verdict is the answer to a proposal.
type Verdict string

// The four verdicts, the strongest first: see Result for when each is given.
const (
	Refused      Verdict = "refused"      // không được phép
	Undetermined Verdict = "undetermined" // chưa đủ căn cứ
	Conditional  Verdict = "conditional"  // được phép có điều kiện
	Permitted    Verdict = "permitted"    // được phép
)

// Text returns the verdict in words.
func (v Verdict) Text() geo.Text {
	switch v {
	case Permitted:
		return geo.Text{VI: "Được phép", EN: "Permitted"}
	case Conditional:
		return geo.Text{VI: "Được phép có điều kiện", EN: "Permitted with conditions"}
	case Refused:
		return geo.Text{VI: "Không được phép", EN: "Refused"}
	default:
		return geo.Text{VI: "Chưa đủ căn cứ", EN: "Undetermined"}
	}
}

// Outcome is what one rule found.
type Outcome string

// The outcomes of a rule.
const (
	Pass      Outcome = "pass"
	Fail      Outcome = "fail"
	Condition Outcome = "condition" // allowed once something is done, such as a consultation
	Unknown   Outcome = "unknown"   // a fact the rule needs is missing or too inaccurate
)

// Evidence names the feature a finding rests on.
type Evidence struct {
	Collection string `json:"collection"`
	ID         int64  `json:"id"`
	Code       string `json:"code,omitempty"`
	// Status is Draft where it is a draft, "" otherwise.
	Status string `json:"status,omitempty"`
	// RecordedOn is the day, in UTC, on which the register last recorded it; zero where it is
	// not in the register.
	RecordedOn geo.Date `json:"recorded_on,omitzero"`
}

// Finding is what one rule says about one proposal (and one piece of evidence).
type Finding struct {
	Rule    string  `json:"rule"`
	Outcome Outcome `json:"outcome"`
	// Binding: a fail refuses and an unknown leaves the verdict undetermined.
	Binding bool   `json:"binding"`
	Clause  string `json:"clause"`
	RuleSet string `json:"rule_set"` // ID@VERSION of the rules it comes from; "" for none
	// DataDate is the day that the facts it rests on are of: what was in force on it.
	DataDate geo.Date `json:"data_date"`
	// Measured and Required are written for people, with their units; "" when there is nothing to say.
	Measured string `json:"measured"`
	Required string `json:"required"`
	// MarginM is by how many metres the rule is met (negative: missed), to the millimetre; null when the rule is not about metres.
	MarginM  *float64  `json:"margin_m"`
	Evidence *Evidence `json:"evidence"`
	Message  geo.Text  `json:"message"`

	// MeasuredM and RequiredM are the numbers behind Measured and Required, metres.
	MeasuredM *float64 `json:"measured_m,omitempty"`
	RequiredM *float64 `json:"required_m,omitempty"`
	// AllowedTypes is what this zone alone would allow; zone findings only.
	AllowedTypes []geo.MastType `json:"allowed_types,omitempty"`
	// Strictest: this zone alone allows no more than all zones together.
	Strictest bool `json:"strictest,omitempty"`
	// Missing names the fields of the proposal that would settle an unknown.
	Missing []string `json:"missing,omitempty"`
	// Notice marks information that changes no verdict (a zone that starts later, a preference).
	Notice bool `json:"notice,omitempty"`
	// Decides: the verdict stands because of this finding; curing all that decide removes it.
	Decides bool `json:"decides"`
	// SharingRequest is the number of the request to share the mast that was refused; "" for none.
	SharingRequest string `json:"sharing_request,omitempty"`
	// ReplyDays is the period of a consultation, in days.
	ReplyDays int    `json:"reply_days,omitempty"`
	Source    Source `json:"source"`
	// Status is the standing of the rule's figure, such as "precedent, not law"; "" = as in the clause.
	Status string `json:"status,omitempty"`

	stage stage
}

// Alternative is something that would be allowed instead.
type Alternative struct {
	Kind      string        `json:"kind"` // mast_type, structure or share_mast
	MastType  geo.MastType  `json:"mast_type,omitempty"`
	Structure geo.Structure `json:"structure,omitempty"`
	Evidence  *Evidence     `json:"evidence,omitempty"`
	Operators []string      `json:"operators,omitempty"`
	DistanceM *float64      `json:"distance_m,omitempty"`
	Message   geo.Text      `json:"message"`
}

// The kinds of Alternative.
const (
	AlternativeMastType  = "mast_type"
	AlternativeStructure = "structure"
	AlternativeShareMast = "share_mast"
)

// Result is the whole answer. The verdict follows from the findings alone:
// refused (a binding fail) > undetermined (a binding unknown) > conditional (a
// condition, or an advisory fail) > permitted.
type Result struct {
	Verdict Verdict `json:"verdict"`
	// AllowedTypes is the intersection of what the zones in force here allow; empty
	// also when no zone says anything (see the findings ZONE-none and TERRITORY).
	AllowedTypes []geo.MastType `json:"allowed_types"`
	// Provisional: an illustrative zone, mast or special area was judged as drawn.
	Provisional  bool          `json:"provisional"`
	Findings     []Finding     `json:"findings"`
	Alternatives []Alternative `json:"alternatives"`
	Date         geo.Date      `json:"date"`
	RuleSet      string        `json:"rule_set"`
}

// Deciding returns the findings that carry the verdict: cured all together they
// remove it, and no smaller set does. Empty exactly when the verdict is permitted.
func (r Result) Deciding() []Finding {
	var out []Finding
	for _, f := range r.Findings {
		if f.Decides {
			out = append(out, f)
		}
	}
	return out
}

// verdictOf is the verdict one finding alone would give.
func verdictOf(f *Finding) Verdict {
	switch {
	case f.Outcome == Fail && f.Binding:
		return Refused
	case f.Outcome == Unknown && f.Binding:
		return Undetermined
	case f.Outcome == Condition, f.Outcome == Fail:
		return Conditional
	default:
		return Permitted
	}
}

// strength orders verdicts: the stronger one wins.
func (v Verdict) strength() int {
	switch v {
	case Refused:
		return 3
	case Undetermined:
		return 2
	case Conditional:
		return 1
	default:
		return 0
	}
}

// decide gives the verdict of the findings and marks those that carry it.
func decide(findings []Finding) Verdict {
	verdict := Permitted
	for i := range findings {
		if v := verdictOf(&findings[i]); v.strength() > verdict.strength() {
			verdict = v
		}
	}
	for i := range findings {
		findings[i].Decides = verdict != Permitted && verdictOf(&findings[i]) == verdict
	}
	return verdict
}
