package filter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// form is how an operator is written in text, and what it is.
type form int

const (
	logical form = iota + 1
	negation
	comparison
	arithmetic
	like
	between
	in
	isNull
	folding // CASEI, ACCENTI
	spatial
	temporal
	array
)

// operators are all that the standard has, by their JSON names.
var operators = map[string]form{
	"and": logical, "or": logical, "not": negation,
	"=": comparison, "<>": comparison, "<": comparison, ">": comparison, "<=": comparison, ">=": comparison,
	"+": arithmetic, "-": arithmetic, "*": arithmetic, "/": arithmetic, "%": arithmetic, "^": arithmetic, "div": arithmetic,
	"like": like, "between": between, "in": in, "isNull": isNull, "casei": folding, "accenti": folding,
	"s_contains": spatial, "s_crosses": spatial, "s_disjoint": spatial, "s_equals": spatial,
	"s_intersects": spatial, "s_overlaps": spatial, "s_touches": spatial, "s_within": spatial,
	"t_after": temporal, "t_before": temporal, "t_contains": temporal, "t_disjoint": temporal, "t_during": temporal,
	"t_equals": temporal, "t_finishedBy": temporal, "t_finishes": temporal, "t_intersects": temporal, "t_meets": temporal,
	"t_metBy": temporal, "t_overlappedBy": temporal, "t_overlaps": temporal, "t_startedBy": temporal, "t_starts": temporal,
	"a_containedBy": array, "a_contains": array, "a_equals": array, "a_overlaps": array,
}

// operatorNamed finds an operator whatever the case of its letters.
func operatorNamed(name string) (string, bool) {
	if _, ok := operators[name]; ok {
		return name, true
	}
	op, ok := foldedOperators[strings.ToLower(name)]
	return op, ok
}

var foldedOperators = func() map[string]string {
	m := map[string]string{}
	for op := range operators {
		m[strings.ToLower(op)] = op
	}
	return m
}()

// functionLike reports whether an operator is written as NAME(operands) in text.
func functionLike(f form) bool {
	return f == folding || f == spatial || f == temporal || f == array
}

// operands returns how few and how many operands an operator takes; no limit is -1.
func operands(f form) (least, most int) {
	switch f {
	case logical:
		return 2, -1
	case negation, isNull, folding:
		return 1, 1
	case between:
		return 3, 3
	default:
		return 2, 2
	}
}

// words cannot be names of functions: text could not tell them from what they mean.
var words = map[string]bool{
	"and": true, "or": true, "not": true, "like": true, "between": true, "in": true, "is": true, "null": true,
	"true": true, "false": true, "div": true, "date": true, "timestamp": true, "interval": true, "bbox": true,
	"point": true, "linestring": true, "polygon": true, "multipoint": true, "multilinestring": true,
	"multipolygon": true, "geometrycollection": true, "isnull": true,
}

// isName reports whether s is an identifier of the grammar.
func isName(s string) bool {
	for i, r := range s {
		if !nameStart(r) && (i == 0 || !namePart(r)) {
			return false
		}
	}
	return s != ""
}

// isProperty reports whether s can stand in double quotes as the name of a property. The
// grammar has identifiers there alone; fields of offices' files are called "Sĩ số", too.
func isProperty(s string) bool {
	return s != "" && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r == '"' || unicode.IsControl(r) })
}

// nameRanges are the runes that begin identifiers.
var nameRanges = [][2]rune{
	{':', ':'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}, {0xC0, 0xD6}, {0xD8, 0xF6}, {0xF8, 0x2FF}, {0x370, 0x37D},
	{0x37F, 0x1FFE}, {0x200C, 0x200D}, {0x2070, 0x218F}, {0x2C00, 0x2FEF}, {0x3001, 0xD7FF}, {0xF900, 0xFDCF},
	{0xFDF0, 0xFFFC}, {0x10000, 0xEFFFF},
}

func nameStart(r rune) bool {
	if blank(r) {
		return false // U+1680 lies in a range of letters
	}
	for _, b := range nameRanges {
		if b[0] <= r && r <= b[1] {
			return true
		}
	}
	return false
}

func namePart(r rune) bool {
	return nameStart(r) || r == '.' || '0' <= r && r <= '9' || 0x300 <= r && r <= 0x36F || 0x203F <= r && r <= 0x2040
}

// blank reports whether r is white space of the grammar.
func blank(r rune) bool {
	switch r {
	case '\t', '\n', '\v', '\f', '\r', ' ', 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000:
		return true
	}
	return 0x2000 <= r && r <= 0x200A
}
