package intake

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Comma says whether numbers are written with a decimal comma.
type Comma string

// The answers. Where it is not known, a number that both would read differently is refused.
const (
	CommaUnknown Comma = ""
	CommaDecimal Comma = "yes" // 1.234,5
	PointDecimal Comma = "no"  // 1,234.5
)

// A number is digits, or one to three digits, not 0, and groups of three behind blanks, apostrophes
// or one of the two signs; then perhaps the other sign and decimals.
var (
	withPoint      = regexp.MustCompile(`^[+-]?(?:\d+|[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d{0,2}(?: \d{3})+|[1-9]\d{0,2}(?:'\d{3})+|)(?:\.\d+)?(?:[eE][+-]?\d{1,3})?$`)
	withComma      = regexp.MustCompile(`^[+-]?(?:\d+|[1-9]\d{0,2}(?:\.\d{3})+|[1-9]\d{0,2}(?: \d{3})+|[1-9]\d{0,2}(?:'\d{3})+|)(?:,\d+)?(?:[eE][+-]?\d{1,3})?$`)
	startsAsNumber = regexp.MustCompile(`^[+-]?[.,]?\d`)
)

// plainSigns are what people and programs write for a minus, a blank and an apostrophe.
var plainSigns = strings.NewReplacer("−", "-", "–", "-", "\u00a0", " ", "\u202f", " ", "\u2009", " ", "’", "'")

// ungrouped takes away what parts groups of digits and can be nothing else.
var ungrouped = strings.NewReplacer(" ", "", "'", "")

// numeral is a text that is a number, as each of the two ways reads it, in the form of
// strconv; "" where one does not.
type numeral struct{ point, comma string }

// readNumeral reads a number; false where neither way does.
func readNumeral(s string) (numeral, bool) {
	s = strings.TrimSpace(plainSigns.Replace(s))
	var n numeral
	if !startsAsNumber.MatchString(s) {
		return n, false
	}
	if withPoint.MatchString(s) {
		n.point = strings.ReplaceAll(ungrouped.Replace(s), ",", "")
	}
	if withComma.MatchString(s) {
		n.comma = strings.ReplaceAll(strings.ReplaceAll(ungrouped.Replace(s), ".", ""), ",", ".")
	}
	return n, n != numeral{}
}

// proves tells which way the number must have been written in, CommaUnknown where it can
// have been either.
func (n numeral) proves() Comma {
	switch {
	case n.point == "":
		return CommaDecimal
	case n.comma == "":
		return PointDecimal
	}
	return CommaUnknown
}

// in is the number as written in a way, or in the only way that it can have been; false
// where there are two.
func (n numeral) in(comma Comma) (string, bool) {
	switch {
	case n.point == "" || n.point == n.comma:
		return n.comma, true
	case n.comma == "", comma == PointDecimal:
		return n.point, true
	case comma == CommaDecimal:
		return n.comma, true
	}
	return "", false
}

// wholeOnly leaves out a reading that is no whole number where the other is one.
func (n numeral) wholeOnly() numeral {
	point, comma := isWhole(n.point), isWhole(n.comma)
	switch {
	case point && !comma:
		n.comma = ""
	case comma && !point:
		n.point = ""
	}
	return n
}

func isWhole(s string) bool {
	x, err := strconv.ParseFloat(s, 64)
	return err == nil && x == math.Trunc(x)
}

// ReadNumber reads a number as people write it: with decimal point or comma, groups of
// three digits behind points, commas, blanks or apostrophes. Where the two ways give
// different numbers ("1.234") comma decides; unknown, it is a fault with both readings.
// One that a way alone can read ("2.365.624,080", "12,5", "1234.567", "0.125") is read so
// whatever comma says.
func ReadNumber(s string, comma Comma) (float64, *Fault) {
	n, ok := readNumeral(s)
	if !ok {
		return 0, fault(RuleNumber, s, "%q không phải số", "%q is not a number", cut(s))
	}
	text, ok := n.in(comma)
	if !ok {
		return 0, twoNumbers(s, n)
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fault(RuleNumber, s, "%q quá lớn", "%q is too large", cut(s))
	}
	return x, nil
}

func twoNumbers(s string, n numeral) *Fault {
	f := fault(RuleNumberReadings, s, "%q có thể là %s (dấu chấm thập phân) hoặc %s (dấu phẩy thập phân): hãy nêu kiểu số của tệp",
		"%q may be %s (decimal point) or %s (decimal comma): say how the file writes numbers", s, n.point, n.comma)
	f.Readings = []string{n.point, n.comma}
	return f
}
