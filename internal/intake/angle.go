package intake

import (
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"hatang/geo"
)

// textFault is where a text stops being what it should be, and why.
type textFault struct {
	at  int // of the character, from 1; one behind the last at the end
	why geo.Text
}

// Coordinates in words are read character by character, so that a fault is told where it is.
type scanner struct {
	text []rune
	at   int
}

func newScanner(s string) *scanner { return &scanner{text: []rune(norm.NFC.String(eth.Replace(s)))} }

const end rune = -1

func (s *scanner) peek() rune {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return end
}

func (s *scanner) skipBlanks() {
	for s.at < len(s.text) && (unicode.IsSpace(s.text[s.at]) || s.text[s.at] == '\u200b' || s.text[s.at] == '\ufeff') {
		s.at++
	}
}

func (s *scanner) wrong(vi, en string) *textFault {
	return &textFault{s.at + 1, geo.Text{VI: vi, EN: en}}
}

// word takes a run of letters, in lower case; "" for none.
func (s *scanner) word() string {
	start := s.at
	for s.at < len(s.text) && unicode.IsLetter(s.text[s.at]) && !isDegreeSign(s.text[s.at]) {
		s.at++
	}
	return strings.ToLower(string(s.text[start:s.at]))
}

// digitAhead reports whether the next thing but blanks is a digit.
func (s *scanner) digitAhead() bool {
	ahead := scanner{s.text, s.at}
	ahead.skipBlanks()
	return isDigit(ahead.peek())
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

func isDegreeSign(r rune) bool { return strings.ContainsRune("°º˚⁰", r) }

// number takes digits, and perhaps decimals behind a point or comma.
func (s *scanner) number() (x float64, decimals bool, wrong *textFault) {
	start := s.at
	digits := func() {
		for isDigit(s.peek()) {
			s.at++
		}
	}
	digits()
	if s.at == start {
		return 0, false, s.wrong("thiếu số", "a number is missing")
	}
	if r := s.peek(); (r == '.' || r == ',') && s.at+1 < len(s.text) && isDigit(s.text[s.at+1]) {
		decimals = true
		s.at++
		digits()
	}
	x, err := strconv.ParseFloat(strings.ReplaceAll(string(s.text[start:s.at]), ",", "."), 64)
	if err != nil {
		s.at = start
		return 0, false, s.wrong("số quá lớn", "the number is too large")
	}
	return x, decimals, nil
}

// marks are what stands behind degrees, minutes and seconds beside the signs themselves.
var marks = [3][]string{{"độ", "do", "deg", "degrees", "d", "o"}, {"phút", "phut", "min", "p", "m"}, {"giây", "giay", "sec", "s", "g"}}

var markSigns = [3]string{"°º˚⁰", "′'’‘´`", "″\"”“"}

// mark takes what stands behind part 0, 1 or 2 of an angle; letter tells that the parts
// before had letters for marks, so that an s is seconds, not south.
func (s *scanner) mark(part int, letter bool) (taken, isLetter bool) {
	s.skipBlanks()
	r := s.peek()
	if part == 2 && r != end && strings.ContainsRune(markSigns[1], r) && s.at+1 < len(s.text) && s.text[s.at+1] == r {
		s.at += 2 // '' for "
		return true, false
	}
	if r != end && strings.ContainsRune(markSigns[part], r) {
		s.at++
		return true, false
	}
	if part == 2 && letter && (r == 's' || r == 'S') {
		s.at++ // and perhaps the letter of a hemisphere right behind it
		return true, true
	}
	if part < 2 && r == ':' && s.at > 0 {
		s.at++
		return true, false
	}
	before := s.at
	switch word := s.word(); {
	case word == "":
	case word == "d" && !s.digitAhead(), word == "s" && !letter, word == "o" && s.at-before != 1:
	case contains(marks[part], word):
		return true, true
	}
	s.at = before
	return false, false
}

func contains(list []string, word string) bool {
	for _, w := range list {
		if w == word {
			return true
		}
	}
	return false
}

// angle is one coordinate in degrees as it is written.
type angle struct {
	degrees float64 // without the sign that a letter gives
	signed  bool    // with a minus or plus
	side    side
	at      int // the character it begins at, from 0
}

// angle takes an angle: degrees with decimals, or degrees, minutes and seconds, of which
// the last may have decimals, with a sign or a letter of the hemisphere before or behind.
func (s *scanner) angle() (angle, *textFault) {
	var a angle
	s.skipBlanks()
	a.at = s.at
	before, wrong := s.side()
	if wrong != nil {
		return a, wrong
	}
	s.skipBlanks()
	negative := false
	switch s.peek() {
	case '-', '−', '–':
		negative, a.signed = true, true
		s.at++
	case '+':
		a.signed = true
		s.at++
	}
	if a.degrees, wrong = s.parts(); wrong != nil {
		return a, wrong
	}
	s.skipBlanks()
	start := s.at
	behind, wrong := s.side()
	switch {
	case wrong != nil:
		return a, wrong
	case before.known && behind.known:
		s.at = start
		return a, s.wrong("có hai chữ chỉ hướng", "there are two letters of direction")
	case before.known:
		a.side = before
	default:
		a.side = behind
	}
	if a.side.known && a.signed {
		s.at = start
		return a, s.wrong("vừa có dấu vừa có chữ chỉ hướng", "there are both a sign and a letter of direction")
	}
	if negative {
		a.degrees = -a.degrees
	}
	return a, nil
}

// parts takes degrees, minutes and seconds.
func (s *scanner) parts() (float64, *textFault) {
	sum, unit, letter := 0.0, 1.0, false
	for part := range 3 {
		start := s.at
		x, decimals, wrong := s.number()
		if wrong != nil {
			return 0, wrong
		}
		if part > 0 && x >= 60 {
			s.at = start
			return 0, s.wrong("phút và giây phải nhỏ hơn 60", "minutes and seconds are less than 60")
		}
		sum += x / unit
		marked, isLetter := s.mark(part, letter)
		letter = letter || isLetter
		gap := s.at
		if !marked && part < 2 {
			gap = s.dash()
		}
		ahead := scanner{s.text, gap}
		if !decimals && ahead.digitAhead() && part < 2 {
			ahead.skipBlanks()
			s.at = ahead.at
			unit *= 60
			continue
		}
		break
	}
	return sum, nil
}

// dash is where a dash between digits ends, as in 21-23-07; where there is none, it is here.
func (s *scanner) dash() int {
	if s.peek() == '-' && s.at+1 < len(s.text) && isDigit(s.text[s.at+1]) {
		return s.at + 1
	}
	return s.at
}

// finished is a fault where something is left.
func (s *scanner) finished() *textFault {
	s.skipBlanks()
	for strings.ContainsRune(")].;,", s.peek()) && s.at == len(s.text)-1 {
		s.at++
	}
	if s.at < len(s.text) {
		return s.wrong("không hiểu từ đây", "not understood from here on")
	}
	return nil
}
