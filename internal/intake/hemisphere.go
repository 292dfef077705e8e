package intake

import (
	"github.com/paulmach/orb"

	"hatang/geo"
)

// Letters says in which language the letters of hemispheres are: N is north in English and
// south (Nam) in Vietnamese.
type Letters string

// The languages.
const (
	LettersUnknown    Letters = ""
	LettersEnglish    Letters = "en" // N, S, E, W
	LettersVietnamese Letters = "vi" // B (Bắc, north), N (Nam, south), Đ or D (Đông, east), T (Tây, west)
)

// side is a hemisphere as it is written.
type side struct {
	known    bool
	axis     int     // 0 longitude, 1 latitude
	negative bool    // west, south
	letters  Letters // the language that the letter is of alone
	isN      bool    // the letter that both have
}

// sides are the hemispheres by letter and word, in lower case.
var sides = map[string]side{
	"n": {axis: 1, isN: true}, "s": {axis: 1, negative: true, letters: LettersEnglish}, "e": {letters: LettersEnglish}, "w": {negative: true, letters: LettersEnglish},
	"b": {axis: 1, letters: LettersVietnamese}, "đ": {letters: LettersVietnamese}, "d": {letters: LettersVietnamese}, "t": {negative: true, letters: LettersVietnamese},
	"north": {axis: 1, letters: LettersEnglish}, "south": {axis: 1, negative: true, letters: LettersEnglish}, "east": {letters: LettersEnglish}, "west": {negative: true, letters: LettersEnglish},
	"bắc": {axis: 1, letters: LettersVietnamese}, "bac": {axis: 1, letters: LettersVietnamese}, "nam": {axis: 1, negative: true, letters: LettersVietnamese},
	"đông": {letters: LettersVietnamese}, "dong": {letters: LettersVietnamese}, "tây": {negative: true, letters: LettersVietnamese}, "tay": {negative: true, letters: LettersVietnamese},
}

// fillers stand beside hemispheres and say nothing more.
var fillers = []string{"vĩ", "vi", "kinh", "độ", "do", "tuyến", "tuyen", "lat", "lon", "long", "latitude", "longitude"}

// side takes a hemisphere, the words around it and the signs behind them; that of none is
// not known.
func (s *scanner) side() (side, *textFault) {
	var found side
	for {
		s.skipBlanks()
		start := s.at
		word := s.word()
		if word == "" {
			return found, nil
		}
		is, known := sides[word]
		switch {
		case known && found.known:
			s.at = start
			return found, nil // of the next angle
		case known:
			found = is
			found.known = true
		case !contains(fillers, word):
			s.at = start
			return found, s.wrong("không phải chữ chỉ hướng", "no letter of a direction")
		}
		for s.peek() == '.' || s.peek() == ':' || s.peek() == '=' {
			s.at++
		}
	}
}

// hemispheres counts the letters of a file.
type hemispheres struct{ english, vietnamese, n int }

func (h *hemispheres) observe(a angle) {
	switch {
	case !a.side.known:
	case a.side.isN:
		h.n++
	case a.side.letters == LettersEnglish:
		h.english++
	default:
		h.vietnamese++
	}
}

// decide tells what N is in the whole file: what it is in the language of the other letters.
// Where these are of both languages, or south is nowhere near the territory, or there is
// nothing but N, it is north where the territory is. Without a territory it is English, and
// with letters of both languages it is not known. The sentence is nil where no N is there.
func (h *hemispheres) decide(territory *Territory) (Letters, *geo.Text) {
	if h.n == 0 {
		if h.vietnamese > 0 && h.english == 0 {
			return LettersVietnamese, nil
		}
		return LettersEnglish, nil
	}
	north := geo.Text{VI: "N là Bắc (North): lãnh thổ nằm ở bán cầu Bắc", EN: "N is north: the territory lies there"}
	switch {
	case h.english > 0 && h.vietnamese == 0:
		return LettersEnglish, &geo.Text{VI: "N là Bắc (North): các chữ khác là tiếng Anh (E, W, S)", EN: "N is north: the other letters are English (E, W, S)"}
	case territory != nil && territory.reach().Min[1] >= 0:
		return LettersEnglish, &north
	case h.vietnamese > 0 && h.english == 0:
		return LettersVietnamese, &geo.Text{VI: "N là Nam: các chữ khác là tiếng Việt (B, Đ, T)", EN: "N is south (Nam): the other letters are Vietnamese (B, Đ, T)"}
	case h.vietnamese > 0:
		return LettersUnknown, &geo.Text{VI: "không rõ N là Bắc (North) hay Nam: tệp có cả chữ tiếng Anh và tiếng Việt", EN: "N may be north or south (Nam): the file has English and Vietnamese letters"}
	}
	return LettersEnglish, &geo.Text{VI: "N được hiểu là Bắc (North)", EN: "N is taken for north"}
}

// value is an angle's degrees where letters are of a language, on an axis: 0 longitude, 1
// latitude. A fault tells that it is none of that axis, or where N could be either.
func (a angle) value(axis int, letters Letters) (float64, *textFault) {
	wrong := func(vi, en string) *textFault { return &textFault{a.at + 1, geo.Text{VI: vi, EN: en}} }
	if a.side.known && a.side.axis != axis {
		if axis == 0 {
			return 0, wrong("đây là vĩ độ, không phải kinh độ", "this is a latitude, not a longitude")
		}
		return 0, wrong("đây là kinh độ, không phải vĩ độ", "this is a longitude, not a latitude")
	}
	x := a.degrees
	switch {
	case a.side.isN && letters == LettersUnknown:
		return 0, wrong("N có thể là Bắc (North) hoặc Nam", "N may be north or south (Nam)")
	case a.side.negative, a.side.isN && letters == LettersVietnamese:
		x = -x
	}
	return x, nil
}

// onAxis is a fault where degrees are beyond an axis.
func onAxis(x float64, axis, at int) *textFault {
	if limit := [2]float64{180, 90}[axis]; x < -limit || x > limit {
		return &textFault{at + 1, geo.Text{VI: []string{"kinh độ nằm ngoài ±180", "vĩ độ nằm ngoài ±90"}[axis], EN: []string{"a longitude beyond ±180", "a latitude beyond ±90"}[axis]}}
	}
	return nil
}

// Territory is where the rows of a file should lie.
type Territory struct {
	Bound  orb.Bound // longitude and latitude on WGS 84
	Margin float64   // around it, degrees; what lies in it is not outside
}

// reach is the territory with its margin.
func (t *Territory) reach() orb.Bound { return t.Bound.Pad(t.Margin) }
