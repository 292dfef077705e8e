package tables

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// specimen collects what of a file says in which encoding it is: how much of it is UTF-8,
// and some of the texts that are not ASCII.
type specimen struct {
	text        []byte
	multi, torn int // sequences of bytes that are a character of UTF-8, and bytes that are none
}

// maxSpecimen is how much text is looked at, bytes.
const maxSpecimen = 128 << 10

// add takes a piece of text.
func (s *specimen) add(piece []byte) {
	plain := true
	for at := 0; at < len(piece); {
		if piece[at] < utf8.RuneSelf {
			at++
			continue
		}
		plain = false
		r, size := utf8.DecodeRune(piece[at:])
		if r == utf8.RuneError && size == 1 {
			s.torn++
		} else {
			s.multi++
		}
		at += size
	}
	if !plain && len(s.text) < maxSpecimen {
		s.text = append(append(s.text, piece[:min(len(piece), maxSpecimen)]...), '\n')
	}
}

// guess says in which encoding the texts are; asked is what a person or the file says, or "".
func (s *specimen) guess(asked, who string) (codec, []Guess, error) {
	if asked != "" {
		c, err := codecOf(asked)
		if err != nil {
			return codec{}, nil, err
		}
		c.inside = c.raw != nil && s.multi > 10*s.torn // a text for an old font in a file of today
		return c, []Guess{{"encoding", c.name, who}}, nil
	}
	if s.multi == 0 && s.torn == 0 {
		return utf8Codec(), nil, nil
	}
	if s.multi > 10*s.torn {
		return s.unicode()
	}
	c, t := best(string(s.text), oldCodecs())
	if t.share() < 0.5 {
		c = codec{name: "windows-1252", raw: byLibrary(charmap.Windows1252)}
		return c, []Guess{{"encoding", c.name, "it is not UTF-8, and in no encoding for it Vietnamese"}}, nil
	}
	return c, []Guess{{"encoding", c.name, syllables(t)}}, nil
}

// unicode tells texts of UTF-8 that are what they say from those for an old font.
func (s *specimen) unicode() (codec, []Guess, error) {
	text := string(s.text)
	now := newSpeller().count(norm.NFC.String(text))
	guess := []Guess{{"encoding", "utf-8", "its bytes are UTF-8"}}
	if now.share() >= 0.5 {
		return utf8Codec(), guess, nil
	}
	var old []codec
	for _, c := range oldCodecs() {
		c.inside = true
		old = append(old, c)
	}
	c, t := best(text, old)
	if t.good < 3 || t.share() < 0.8 {
		return utf8Codec(), guess, nil
	}
	return c, []Guess{{"encoding", c.name, "UTF-8 of what was written otherwise; " + syllables(t)}}, nil
}

// best finds in which encoding most words are Vietnamese; the first of those that are alike.
func best(text string, codecs []codec) (codec, tally) {
	speller := newSpeller()
	var found codec
	var most tally
	for _, c := range codecs {
		var t tally
		for line := range strings.SplitSeq(text, "\n") { // one that is written otherwise leaves the others alone
			decoded, _ := c.text(line)
			of := speller.count(decoded)
			t.good, t.bad = t.good+of.good, t.bad+of.bad
		}
		if found.name == "" || t.share() > most.share() {
			found, most = c, t
		}
	}
	return found, most
}

func syllables(t tally) string {
	return fmt.Sprintf("%d of %d words with marks are Vietnamese syllables", t.good, t.good+t.bad)
}

// declaredEncoding settles the encoding: what a person says, what the file
// itself says of texts that are that, or else what they are found to be. A file that is said to be Latin and
// reads as Vietnamese for an old font is that, because programs say Latin of all they find.
func declaredEncoding(texts *specimen, asked, declared, where string) (codec, []Guess, error) {
	if asked != "" || declared == "" {
		return texts.guess(asked, "as was said")
	}
	said, err := codecOf(declared)
	if err != nil {
		return texts.guess("", "")
	}
	if said.raw == nil && texts.torn > 0 && texts.multi <= 10*texts.torn {
		c, guesses, err := texts.guess("", "")
		for i := range guesses {
			guesses[i].Why = where + " says UTF-8, which it is not; " + guesses[i].Why
		}
		return c, guesses, err
	}
	if said.raw != nil && texts.torn > 0 {
		if c, t := best(string(texts.text), oldCodecs()); t.good >= 3 && t.share() >= 0.8 && c.name != said.name {
			return c, []Guess{{"encoding", c.name, where + " says " + said.name + ", but " + syllables(t)}}, nil
		}
	}
	return said, []Guess{{"encoding", said.name, where + " says so"}}, nil
}
