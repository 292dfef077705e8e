package intake

import (
	"fmt"

	"hatang/geo"
	"hatang/internal/layer"
)

// Rule names what a fault breaks; programs tell faults apart by it.
type Rule string

// The rules.
const (
	RuleColumnUnknown  Rule = "column_unknown"  // a column that is no field, where all must be
	RuleColumnMisspelt Rule = "column_misspelt" // a column that looks like a field the file lacks
	RuleColumnUnit     Rule = "column_unit"     // a unit that is none of the field's kind
	RuleMapping        Rule = "mapping"         // a mapping that the file or the layer does not bear out
	RuleUnreadable     Rule = "unreadable"      // what the reader of the file could not read
	RuleRequired       Rule = "required"        // a value that must be there
	RuleText           Rule = "text"            // what the database cannot hold as text
	RuleNumber         Rule = "number"          // no number, or none that the field holds
	RuleNumberReadings Rule = "number_readings" // a number that can be read in two ways
	RuleDate           Rule = "date"            // no date
	RuleDateReadings   Rule = "date_readings"   // a date that can be read in two ways
	RuleBoolean        Rule = "boolean"         // neither yes nor no
	RuleVocabulary     Rule = "vocabulary"      // none of the values allowed
	RulePosition       Rule = "position"        // no coordinates
	RuleOutside        Rule = "outside"         // outside the territory
	RuleGeometry       Rule = "geometry"        // no geometry of the layer's
	RulePeriod         Rule = "period"          // valid time that ends before it starts
	RuleUnit           Rule = "unit"            // no administrative unit, or one of several
	RuleCRS            Rule = "crs"             // a reference system that is missing, unknown or wrong
)

// Fault is one thing wrong with a file, its columns or one of its rows.
type Fault struct {
	Row        int64    `json:"row,omitempty"`    // as tables.Row counts; 0 for the whole file
	Column     string   `json:"column,omitempty"` // as the file calls it; "" for none
	Value      string   `json:"value,omitempty"`  // as it stands in the file, cut off where it is long
	Rule       Rule     `json:"rule"`
	Detail     geo.Text `json:"detail"`
	Correction string   `json:"correction,omitempty"` // what is likely meant; "" where nobody can tell
	Readings   []string `json:"readings,omitempty"`   // of what can be read in several ways
}

// maxFaultValue is how much of a value a fault carries, characters.
const maxFaultValue = 100

// fault makes a fault of a rule; the two texts are formats of the same arguments, of which those that
// are in both languages are put in in each.
func fault(rule Rule, value, vi, en string, args ...any) *Fault {
	return &Fault{Value: cut(value), Rule: rule, Detail: sentence(vi, en, args...)}
}

// sentence puts arguments into a format in both languages.
func sentence(vi, en string, args ...any) geo.Text {
	in := func(language string) []any {
		out := make([]any, len(args))
		for i, arg := range args {
			if text, ok := arg.(geo.Text); ok {
				arg = text.In(language)
			}
			out[i] = arg
		}
		return out
	}
	return geo.Text{VI: fmt.Sprintf(vi, in("vi")...), EN: fmt.Sprintf(en, in("en")...)}
}

// likely adds what is likely meant.
func (f *Fault) likely(correction string) *Fault {
	f.Correction = correction
	return f
}

// in is the fault at a place of the file.
func (f *Fault) in(row int64, column string) Fault {
	f.Row, f.Column = row, column
	return *f
}

// Layer returns the fault as those of package layer are: at the column or the geometry, or at
// "" where the whole row or file is meant; the correction is in the sentence.
func (f *Fault) Layer() layer.Fault {
	detail := f.Detail
	if f.Correction != "" {
		detail.VI += fmt.Sprintf("; có lẽ là %q", f.Correction)
		detail.EN += fmt.Sprintf("; likely meant: %q", f.Correction)
	}
	at := ""
	switch f.Column {
	case "":
	case layer.GeometryName:
		at = "/geometry"
	default:
		at = "/properties/" + f.Column
	}
	return layer.Fault{At: at, Detail: detail}
}

// cut is so much of a text as a fault carries, with … where there is more.
func cut(s string) string {
	n := 0
	for i := range s {
		if n == maxFaultValue {
			return s[:i] + "…"
		}
		n++
	}
	return s
}
