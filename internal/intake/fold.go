package intake

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"hatang/internal/layer"
)

// eth is what old fonts and keyboards leave of đ.
var eth = strings.NewReplacer("Ð", "Đ", "ð", "đ")

// words are the words of a text without marks, in lower case: letters and digits alone.
func words(s string) []string {
	return strings.FieldsFunc(strings.ToLower(layer.Bare(eth.Replace(s))), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// fold is a text as its words with single blanks between them: what is left of it when
// marks, case, blanks, underscores and stops do not count.
func fold(s string) string { return strings.Join(words(s), " ") }

// key is fold without blanks: "Mã xã", "MA_XA" and "maxa" are one.
func key(s string) string { return strings.Join(words(s), "") }

// marked is a text in NFC and lower case with single blanks: what is left when case and
// blanks do not count, but marks do.
func marked(s string) string {
	return strings.ToLower(strings.Join(strings.Fields(norm.NFC.String(eth.Replace(s))), " "))
}

// tones are the five marks of tones; the sixth tone has none.
var tones = map[rune]byte{'\u0300': '2', '\u0301': '1', '\u0303': '4', '\u0309': '3', '\u0323': '5'}

// toned is fold with marks, that of the tone behind its word: "toả" and "tỏa" are one
// word that is written in two ways.
func toned(s string) string {
	var out strings.Builder
	tone := byte(0)
	end := func() {
		if tone != 0 {
			out.WriteByte(tone)
		}
		tone = 0
	}
	for _, r := range norm.NFD.String(strings.ToLower(eth.Replace(s))) {
		switch t, is := tones[r]; {
		case is:
			tone = t
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.Is(unicode.Mn, r):
			out.WriteRune(r)
		default:
			end()
			if text := out.String(); text != "" && !strings.HasSuffix(text, " ") {
				out.WriteByte(' ')
			}
		}
	}
	end()
	return strings.TrimSpace(out.String())
}

// loose is key where i and y are one letter at the end of a word, as in Pá Mì and Pá Mỳ.
func loose(s string) string {
	list := words(s)
	for i, w := range list {
		if len(w) > 1 && w[len(w)-1] == 'y' && !strings.ContainsRune("aeou", rune(w[len(w)-2])) {
			list[i] = w[:len(w)-1] + "i"
		}
	}
	return strings.Join(list, "")
}

// distance is how many letters of a must be put in, left out, changed or swapped with the
// next to make b, up to most; more is most+1. Cost: the product of the lengths.
// Source: optimal string alignment (Damerau, 1964, without repeated edits).
func distance(a, b string, most int) int {
	x, y := []rune(a), []rune(b)
	if len(x) > len(y)+most || len(y) > len(x)+most {
		return most + 1
	}
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(y); j++ {
			change := last[j-1]
			if x[i-1] != y[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			least = min(least, row[j])
		}
		if least > most {
			return most + 1
		}
		before, last, row = last, row, before
	}
	return min(last[len(y)], most+1)
}

// misspelt reports whether a key looks like another with a slip: one letter in five or
// more, two in nine or more, two that are swapped in four. Keys that differ in digits alone are
// meant to differ.
func misspelt(a, b string) bool {
	most := 0
	switch shorter := min(utf8.RuneCountInString(a), utf8.RuneCountInString(b)); {
	case shorter >= 9:
		most = 2
	case shorter >= 5 || shorter == 4 && sorted(a) == sorted(b):
		most = 1
	}
	d := distance(a, b, most)
	return d > 0 && d <= most && letters(a) != letters(b)
}

// sorted are the letters of a text in their order.
func sorted(s string) string {
	all := []rune(s)
	slices.Sort(all)
	return string(all)
}

// letters is a text without its digits.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, s)
}
