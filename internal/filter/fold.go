package filter

import (
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// FoldCase is CASEI: texts that differ in the case of letters alone become equal, ß and
// SS, σ and ς among them. The SQL of CASEI does the same with ICU.
func FoldCase(s string) string {
	upper := cases.Upper(language.Und).String(s)
	return strings.ReplaceAll(cases.Lower(language.Und).String(upper), "ς", "σ")
}

// FoldAccents is ACCENTI: combining marks are dropped, and đ and Đ lose their stroke.
// The SQL of ACCENTI does the same.
func FoldAccents(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == 'đ':
			return 'd'
		case r == 'Đ':
			return 'D'
		case unicode.In(r, combining):
			return -1
		}
		return r
	}, norm.NFD.String(s))
}

// combining are the blocks of combining marks, those of combiningSQL.
var combining = &unicode.RangeTable{R16: []unicode.Range16{
	{0x0300, 0x036F, 1}, {0x1AB0, 0x1AFF, 1}, {0x1DC0, 0x1DFF, 1}, {0x20D0, 0x20FF, 1}, {0xFE20, 0xFE2F, 1}}}

// foldedText is the text of a literal, perhaps folded; false for anything else.
func foldedText(e Expr) (string, bool) {
	switch e := e.(type) {
	case *Text:
		return norm.NFC.String(e.Value), true
	case *Call:
		if operators[e.Op] != folding {
			return "", false
		}
		s, ok := foldedText(e.Args[0])
		if e.Op == "casei" {
			return FoldCase(s), ok
		}
		return FoldAccents(s), ok
	}
	return "", false
}

// timeOf is the time of a temporal literal; false for anything else.
func timeOf(e Expr) (time.Time, bool) {
	switch e := e.(type) {
	case *Date:
		return e.Value, true
	case *Timestamp:
		return e.Value, true
	}
	return time.Time{}, false
}
