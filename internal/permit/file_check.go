package permit

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/layer"
)

// CheckedFeature is what the check says of a feature of a proposal; of others than masts and
// what cables are of nothing.
type CheckedFeature struct {
	FeatureID
	Number string          `json:"number,omitempty"` // of the verdict that is recorded
	Answer json.RawMessage `json:"answer"`           // of the placement or the cable check; null where there is none
	Faults layer.Faults    `json:"faults"`           // what keeps it from being checked
}

// FileVerdict is what the checks of a proposal's features say together, as it is kept with it:
// the gravest of their verdicts and of what they are to each other, "" where no check is
// about any of them.
func FileVerdict(date geo.Date, features []CheckedFeature, together []Together) (json.RawMessage, error) {
	kept := make([]json.RawMessage, len(features))
	for i := range features {
		var err error
		if kept[i], err = json.Marshal(features[i]); err != nil {
			return nil, err
		}
	}
	gravest, err := gravestOf(kept, together)
	if err != nil {
		return nil, err
	}
	return keptVerdict(gravest, date, kept, together)
}

// keptCheck is a CheckedFeature as far as it is read again.
type keptCheck struct {
	FeatureID
	Answer *struct {
		Verdict zoning.Verdict `json:"verdict"`
	} `json:"answer"`
	Faults []json.RawMessage `json:"faults"`
}

// keptVerdict is what is kept; it has nothing of the masts to each other where there is nothing.
func keptVerdict(gravest zoning.Verdict, date any, features []json.RawMessage, together []Together) (json.RawMessage, error) {
	kept := map[string]any{"verdict": gravest, "date": date, "features": features}
	if len(together) > 0 {
		kept["each_other"] = together
	}
	return json.Marshal(kept)
}

// NeedsReasons returns a *RefusedError where an approval is to say why: against what the check
// now finds refused or cannot determine, and where more stands in the way of a feature than when
// it was filed, as when something else was approved since. It names the rules. Verdicts are what
// FileVerdict made; nil and null are none.
func NeedsReasons(filed, now json.RawMessage) error {
	before, after := weighed{}, weighed{}
	if err := errors.Join(unmarshalWeighed(filed, &before), unmarshalWeighed(now, &after)); err != nil {
		return err
	}
	known := before.against()
	against := after.against()
	since := slices.DeleteFunc(slices.Clone(against), func(a objection) bool { return slices.Contains(known, a) })
	verdict := after.Verdict.Text()
	switch {
	case after.Verdict == zoning.Refused || after.Verdict == zoning.Undetermined:
		rules := rulesOf(against)
		return &RefusedError{Detail: geo.Text{VI: "Kết quả kiểm tra hôm nay: " + verdict.VI + rules + ". Chấp thuận thì phải nêu lý do (reasons).",
			EN: "The check today: " + verdict.EN + rules + ". To approve it nevertheless, say why (reasons)."}}
	case after.Verdict == zoning.Conditional && (len(since) > 0 || slices.Index(gravity(), before.Verdict) < slices.Index(gravity(), after.Verdict)):
		rules := rulesOf(since)
		return &RefusedError{Detail: geo.Text{VI: "Từ khi nộp, kết quả kiểm tra đã thành: " + verdict.VI + rules + ". Chấp thuận thì phải nêu lý do (reasons).",
			EN: "Since it was filed, the check has come to: " + verdict.EN + rules + ". To approve it nevertheless, say why (reasons)."}}
	}
	return nil
}

// weighed is what FileVerdict made, as far as it is weighed for a decision.
type weighed struct {
	Verdict  zoning.Verdict `json:"verdict"`
	Features []struct {
		FeatureID
		Answer struct {
			Findings []zoning.Finding `json:"findings"`
		} `json:"answer"`
	} `json:"features"`
	EachOther []Together `json:"each_other"`
}

func unmarshalWeighed(text json.RawMessage, w *weighed) error {
	if len(text) == 0 {
		return nil
	}
	if err := json.Unmarshal(text, w); err != nil {
		return fmt.Errorf("read what was checked: %w", err)
	}
	return nil
}

// objection is a rule that a feature does not meet, or of which that is not known.
type objection struct {
	FeatureID
	rule string
}

func (w *weighed) against() (all []objection) {
	note := func(of FeatureID, f *zoning.Finding) {
		if f.Outcome == zoning.Fail || f.Outcome == zoning.Unknown {
			all = append(all, objection{of, f.Rule})
		}
	}
	for i := range w.Features {
		for j := range w.Features[i].Answer.Findings {
			note(w.Features[i].FeatureID, &w.Features[i].Answer.Findings[j])
		}
	}
	for i := range w.EachOther {
		note(w.EachOther[i].FeatureID, &w.EachOther[i].Finding)
	}
	return all
}

// rulesOf names rules in parentheses, each once; "" for none.
func rulesOf(all []objection) string {
	var rules []string
	for _, o := range all {
		if !slices.Contains(rules, o.rule) {
			rules = append(rules, o.rule)
		}
	}
	if len(rules) == 0 {
		return ""
	}
	return " (" + strings.Join(rules, ", ") + ")"
}

// gravity lists the verdicts, the least grave first.
func gravity() []zoning.Verdict {
	return []zoning.Verdict{"", zoning.Permitted, zoning.Conditional, zoning.Undetermined, zoning.Refused}
}

// gravestOf is the gravest verdict of features, and of what they are to each other. What
// cannot be checked is undetermined.
func gravestOf(features []json.RawMessage, together []Together) (zoning.Verdict, error) {
	order := gravity()
	gravest := 0
	for _, raw := range features {
		var f keptCheck
		if err := json.Unmarshal(raw, &f); err != nil {
			return "", fmt.Errorf("read what was checked: %w", err)
		}
		verdict := zoning.Verdict("")
		switch {
		case f.Answer != nil:
			verdict = f.Answer.Verdict
		case len(f.Faults) > 0:
			verdict = zoning.Undetermined
		}
		gravest = max(gravest, slices.Index(order, verdict))
	}
	for i := range together {
		gravest = max(gravest, slices.Index(order, together[i].verdict()))
	}
	return order[gravest], nil
}

// Only leaves of a proposal what is about some of its features: these, what was found about
// them and what is asked about them.
func (f *File) Only(seen func(FeatureID) bool) error {
	f.Features = slices.DeleteFunc(f.Features, func(one FiledFeature) bool { return !seen(FeatureID{one.Collection, one.ID}) })
	f.Consultations = slices.DeleteFunc(f.Consultations, func(c FileConsultation) bool { return !seen(FeatureID{c.Collection, c.Feature}) })
	kept := map[string]json.RawMessage{}
	var features []json.RawMessage
	var together []Together
	if err := json.Unmarshal(f.Verdict, &kept); err != nil {
		return fmt.Errorf("read what was checked: %w", err)
	}
	if raw, ok := kept["each_other"]; ok {
		if err := json.Unmarshal(raw, &together); err != nil {
			return fmt.Errorf("read what was checked: %w", err)
		}
	}
	together = seenTogether(together, seen)
	if raw, ok := kept["features"]; ok {
		if err := json.Unmarshal(raw, &features); err != nil {
			return fmt.Errorf("read what was checked: %w", err)
		}
	}
	left := []json.RawMessage{}
	for _, raw := range features {
		var one FeatureID
		if err := json.Unmarshal(raw, &one); err != nil {
			return fmt.Errorf("read what was checked: %w", err)
		}
		if seen(one) {
			left = append(left, raw)
		}
	}
	gravest, err := gravestOf(left, together)
	if err == nil {
		f.Verdict, err = keptVerdict(gravest, kept["date"], left, together)
	}
	return err
}
