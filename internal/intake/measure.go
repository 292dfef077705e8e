package intake

import (
	"regexp"
	"strings"
)

// measures are units of length and area as people write them, in metres and square metres.
var measures = map[string]struct {
	unit   string // UCUM code of the field it can be brought to
	factor float64
}{
	"m": {"m", 1}, "met": {"m", 1}, "mét": {"m", 1}, "km": {"m", 1000}, "cm": {"m", 0.01}, "mm": {"m", 0.001},
	"m2": {"m2", 1}, "m²": {"m2", 1}, "km2": {"m2", 1e6}, "km²": {"m2", 1e6}, "ha": {"m2", 1e4},
}

const measureNames = `(?:mét|met|mm|cm|km2|km²|km|m2|m²|m|ha)`

var (
	bracketed = regexp.MustCompile(`(?i)^(.*?)\s*[(\[]\s*(` + measureNames + `)\s*[)\]]\s*$`)
	suffixed  = regexp.MustCompile(`(?i)^(.*[^\s_])[\s_]+(` + measureNames + `)$`)
	amidst    = regexp.MustCompile(`(?i)^(.*[^\s_])[\s_]+(km2|km²|m2|m²|ha|km)([\s_]+.*)$`)
	measured  = regexp.MustCompile(`(?i)^(.*[0-9])\s*(` + measureNames + `)$`)
)

// withoutMeasure splits a unit off a heading: "X (m)", "dt_km2", "area_km2_official"; unit is "" for none.
func withoutMeasure(name string) (rest, unit string) {
	for _, form := range []*regexp.Regexp{bracketed, suffixed, amidst} {
		if m := form.FindStringSubmatch(name); m != nil {
			return m[1] + strings.Join(m[3:], ""), strings.ToLower(m[2])
		}
	}
	return name, ""
}

// valueWithoutMeasure splits a unit off a value: "45 m", "1,2km".
func valueWithoutMeasure(value string) (rest, unit string) {
	if m := measured.FindStringSubmatch(value); m != nil {
		return m[1], strings.ToLower(m[2])
	}
	return value, ""
}

// factorTo is what values in a unit are multiplied by to be in another; false where they
// cannot be.
func factorTo(from, to string) (float64, bool) {
	if from == "" {
		return 1, true
	}
	m, ok := measures[from]
	return m.factor, ok && m.unit == to
}
