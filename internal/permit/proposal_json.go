package permit

import (
	"encoding/json"

	"hatang/geo"
)

// readJSON reads a proposal that is well formed and complete. It returns false for
// anything else, and for some texts that are in order but rare (escapes, names
// given twice): parseStrictly judges those.
func (d *draft) readJSON(raw []byte, onDate geo.Date) bool {
	d.start(onDate)
	s := scanner{text: raw}
	seen := [members]bool{}
	done := s.object(func(name []byte) bool {
		m := memberOf(name)
		if m == foreign || seen[m] {
			return false
		}
		seen[m] = true
		return d.readMember(&s, m)
	})
	return done && s.atEnd() && d.finish()
}

// readMember reads the value of a member; null is the same as not given.
func (d *draft) readMember(s *scanner, m member) bool {
	switch {
	case s.word("null"):
		return true
	case m.isNumber():
		value, ok := s.number()
		d.setNumber(m, value)
		return ok
	case m == concealed:
		yes := s.word("true")
		d.setConcealed(yes)
		return yes || s.word("false")
	}
	text, ok := s.plain()
	return ok && d.setText(m, text)
}

// scanner reads JSON from a text without copying it. Where a method returns false
// the text is not JSON, or is more than the method takes; the scanner is of no use
// afterwards.
type scanner struct {
	text   []byte
	at     int
	nameAt int  // where the name of the member stands whose value is read
	anyKey bool // names may have escapes and characters beyond ASCII
}

func (s *scanner) space() {
	for s.at < len(s.text) && isSpace(s.text[s.at]) {
		s.at++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// take passes over white space and then one character, if it is that one.
func (s *scanner) take(c byte) bool {
	s.space()
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

// peeks reports whether this character comes next.
func (s *scanner) peeks(c byte) bool {
	s.space()
	return s.at < len(s.text) && s.text[s.at] == c
}

func (s *scanner) atEnd() bool {
	s.space()
	return s.at == len(s.text)
}

// word passes over a literal, if it is that one. What follows it is for the
// caller, who expects a comma or a bracket.
func (s *scanner) word(w string) bool {
	s.space()
	if len(s.text)-s.at >= len(w) && string(s.text[s.at:s.at+len(w)]) == w {
		s.at += len(w)
		return true
	}
	return false
}

func (s *scanner) number() (float64, bool) {
	s.space()
	value, n := numberAt(s.text[s.at:], '.')
	s.at += n
	return value, n > 0
}

// plain reads a string of printable ASCII without escapes.
func (s *scanner) plain() ([]byte, bool) {
	if !s.take('"') {
		return nil, false
	}
	for i := s.at; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"':
			text := s.text[s.at:i]
			s.at = i + 1
			return text, true
		case c < ' ' || c > '~' || c == '\\':
			return nil, false
		}
	}
	return nil, false
}

// name reads the name of a member.
func (s *scanner) name() ([]byte, bool) {
	name, ok := s.plain()
	if ok || !s.anyKey {
		return name, ok
	}
	s.at = s.nameAt
	raw, ok := s.quoted()
	var text string
	if !ok || json.Unmarshal(raw, &text) != nil {
		return nil, false
	}
	return []byte(text), true
}

// object calls each for every member, with its name and the scanner before its
// value. Names with escapes or other than ASCII are not taken, unless asked for.
func (s *scanner) object(each func(name []byte) bool) bool {
	if !s.take('{') {
		return false
	}
	if s.take('}') {
		return true
	}
	for {
		s.space()
		s.nameAt = s.at
		name, ok := s.name()
		if !ok || !s.take(':') || !each(name) {
			return false
		}
		if s.take('}') {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

// value passes over any value and returns its text; false when it is not JSON.
func (s *scanner) value() ([]byte, bool) {
	s.space()
	from := s.at
	if s.at == len(s.text) {
		return nil, false
	}
	ok := false
	switch s.text[s.at] {
	case '{', '[':
		return s.nested()
	case '"':
		if _, ok = s.plain(); !ok {
			s.at = from
			return s.quoted()
		}
	case 't':
		ok = s.word("true")
	case 'f':
		ok = s.word("false")
	case 'n':
		ok = s.word("null")
	default:
		_, ok = s.number()
	}
	return s.text[from:s.at], ok
}

// quoted passes over a string of any kind.
func (s *scanner) quoted() ([]byte, bool) {
	from := s.at
	if from == len(s.text) || s.text[from] != '"' {
		return nil, false
	}
	for i := from + 1; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			i++
		case '"':
			s.at = i + 1
			return s.text[from:s.at], json.Valid(s.text[from:s.at])
		}
	}
	return nil, false
}

// nested passes over an object or a list.
func (s *scanner) nested() ([]byte, bool) {
	from := s.at
	depth, quoted := 0, false
	for i := from; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				s.at = i + 1
				return s.text[from:s.at], json.Valid(s.text[from:s.at])
			}
		}
	}
	return nil, false
}
