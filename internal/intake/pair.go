package intake

import (
	"strings"

	"hatang/geo"
)

// pair is two angles of one text, in its order.
type pair [2]angle

// readPair reads two coordinates in degrees in one text: "21.38, 103.03", "21°23'N 103°02'E",
// "B21-23-07 Đ103-02-00", "21,38; 103,03", "(21.38 103.03)". A comma is decimal where digits
// stand on both sides of it and the text has other signs between the two numbers, or three
// commas; and otherwise it stands between them.
func readPair(s string) (pair, *textFault) {
	text := newScanner(s)
	trim := strings.TrimSpace(string(text.text))
	if open := strings.IndexAny(trim, "(["); open == 0 {
		text.text[text.index("([")] = ' '
	}
	cut := text.between()
	for cut < len(text.text) && cut > 0 && strings.ContainsRune(" /\u00a0", text.text[cut-1]) {
		cut--
	}
	var p pair
	var wrong *textFault
	first := &scanner{text: text.text[:cut]}
	if p[0], wrong = first.angle(); wrong != nil {
		return p, wrong
	}
	if wrong = first.finished(); wrong != nil {
		return p, wrong
	}
	second := &scanner{text: text.text, at: cut}
	for second.at < len(second.text) && strings.ContainsRune(" \t\n;,|/\u00a0", second.text[second.at]) {
		second.at++
	}
	if second.at == len(second.text) {
		return p, second.wrong("thiếu toạ độ thứ hai", "the second coordinate is missing")
	}
	if p[1], wrong = second.angle(); wrong != nil {
		return p, wrong
	}
	if wrong = second.finished(); wrong != nil {
		return p, wrong
	}
	if p[0].side.known && p[1].side.known && p[0].side.axis == p[1].side.axis {
		return p, &textFault{p[1].at + 1, geo.Text{VI: "hai toạ độ cùng một trục", EN: "both coordinates are of one axis"}}
	}
	return p, nil
}

// index is where the first of some characters is; the length for none.
func (s *scanner) index(of string) int {
	for i, r := range s.text {
		if strings.ContainsRune(of, r) {
			return i
		}
	}
	return len(s.text)
}

// between is where the first of two coordinates ends; the length where that is nowhere.
func (s *scanner) between() int {
	if i := s.index(";|\t\n"); i < len(s.text) {
		return i
	}
	commas, spaced := []int{}, []int{}
	for i, r := range s.text {
		if r != ',' {
			continue
		}
		if i > 0 && i+1 < len(s.text) && isDigit(s.text[i-1]) && isDigit(s.text[i+1]) {
			commas = append(commas, i)
		} else {
			spaced = append(spaced, i)
		}
	}
	if len(spaced) > 0 {
		return spaced[0]
	}
	if i := s.afterAngle(); i < len(s.text) {
		return i
	}
	switch len(commas) {
	case 1:
		return commas[0]
	case 3:
		return commas[1]
	}
	return s.middle()
}

// afterAngle is where a letter of a hemisphere, or a sign of degrees that is not the first,
// tells that the first coordinate is over; the length where nothing does.
func (s *scanner) afterAngle() int {
	try := &scanner{text: s.text}
	a, wrong := try.angle()
	if wrong != nil || !a.side.known || try.at == len(s.text) {
		return len(s.text)
	}
	return try.at
}

// middle is the blank that parts a text into two of as many words; the length for none.
func (s *scanner) middle() int {
	var starts []int
	inWord := false
	for i, r := range s.text {
		blank := strings.ContainsRune(" \u00a0/", r)
		if !blank && !inWord {
			starts = append(starts, i)
		}
		inWord = !blank
	}
	if len(starts) < 2 || len(starts)%2 != 0 {
		return len(s.text)
	}
	return starts[len(starts)/2]
}

// ordered is the pair as longitude and latitude, as letters say it, or else the order of
// the heading, unless only the other one can be: a latitude is not beyond 90. swapped tells that
// it was the other one.
func (p pair) ordered(lonFirst bool) (lonLat pair, swapped bool) {
	first := 1 // axis of the first angle
	switch {
	case p[0].side.known:
		first = p[0].side.axis
	case p[1].side.known:
		first = 1 - p[1].side.axis
	case lonFirst:
		first = 0
	}
	beyond := func(a angle) bool { return a.degrees > 90 || a.degrees < -90 }
	known := p[0].side.known || p[1].side.known
	if !known && (first == 1 && beyond(p[0]) && !beyond(p[1]) || first == 0 && beyond(p[1]) && !beyond(p[0])) {
		first, swapped = 1-first, true
	}
	if first == 0 {
		return p, swapped
	}
	return pair{p[1], p[0]}, swapped
}
