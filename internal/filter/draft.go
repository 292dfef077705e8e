package filter

import (
	"regexp"
	"strings"
)

// ParseDraftText reads cql-text, the text form of the standard's draft, as GDAL 3.6
// writes it: CQL2 Text, and ILIKE, which is LIKE of both sides without case. The kinds of
// its literals are for Typed to find. Errors and cost are those of ParseText.
func ParseDraftText(s string) (Expr, error) { return parseText(s, true) }

// Typed returns the tree with the literals that are compared with a property read as values
// of its kind: the draft writes dates and times as texts, some without minutes and seconds,
// and clients that know few kinds write truth as 0 and 1, and numbers as texts. A list is
// equal to a text that it contains. What cannot be read so stays, for Check to refuse; the
// rest is shared with e.
func Typed(e Expr, schema Schema) Expr {
	call, ok := e.(*Call)
	switch {
	case !ok:
		return e
	case operators[call.Op] == comparison:
		return typedComparison(call, schema)
	}
	out := &Call{call.At, call.Op, make([]Expr, len(call.Args))}
	for i, arg := range call.Args {
		out.Args[i] = Typed(arg, schema)
	}
	return out
}

// typedComparison is Typed of one comparison.
func typedComparison(e *Call, schema Schema) Expr {
	for i, arg := range e.Args {
		property, ok := arg.(*Property)
		if !ok {
			continue
		}
		other := e.Args[1-i]
		if text, ok := other.(*Text); ok && schema[property.Name] == KindTextList {
			return contains(e, property, text)
		}
		out := &Call{e.At, e.Op, []Expr{arg, arg}}
		out.Args[1-i] = readAs(schema[property.Name], other)
		return out
	}
	return e
}

// contains is a comparison of a list with a text.
func contains(e *Call, property *Property, text *Text) Expr {
	within := &Call{e.At, "a_contains", []Expr{property, &List{text.At, []Expr{text}}}}
	switch e.Op {
	case "=":
		return within
	case "<>":
		return &Call{e.At, "not", []Expr{within}}
	}
	return e
}

// shortTime is a time without seconds, or minutes, or anything: GDAL writes days as
// 2016-01-01T.
var shortTime = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T(\d{2}(:\d{2})?Z)?$`)

// readAs reads a literal as a value of a kind, and returns it unchanged where it is none.
func readAs(kind Kind, e Expr) Expr {
	var read Expr
	var err error
	switch literal := e.(type) {
	case *Number:
		if kind == KindBoolean && literal.Whole && (literal.Int == 0 || literal.Int == 1) {
			return &Boolean{literal.At, literal.Int == 1}
		}
		return e
	case *Text:
		switch kind {
		case KindInteger, KindNumber:
			if n, ok := newNumber(literal.At, literal.Value); ok {
				return n
			}
			return e
		case KindDate, KindTimestamp:
			read, err = newEnd(literal.At, WholeTime(literal.Value))
		}
	}
	if _, open := read.(*Open); read == nil || err != nil || open {
		return e
	}
	return read
}

// WholeTime completes a time that has no minutes or no seconds, and makes a day of one that
// has only its T; what is neither comes back unchanged.
func WholeTime(s string) string {
	if !shortTime.MatchString(s) {
		return s
	}
	if day, ok := strings.CutSuffix(s, "T"); ok {
		return day
	}
	s = strings.TrimSuffix(s, "Z")
	return s + ":00:00"[:len("2006-01-02T15:04:05")-len(s)] + "Z"
}
