package tables

import (
	"fmt"
	"slices"
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
	c, t := best(string(s.text), append([]codec{utf8Codec()}, singleByte()...))
	if c.raw == nil && t.share() >= 0.5 {
		return c, []Guess{{"encoding", c.name, "most of its texts are, though not all"}}, nil
	}
	if t.share() < 0.5 {
		c = codec{name: "windows-1252", raw: byLibrary(charmap.Windows1252)}
		return c, []Guess{{"encoding", c.name, "it is not UTF-8, and in no encoding for it Vietnamese"}}, nil
	}
	return c, []Guess{{"encoding", c.name, syllables(t)}}, nil
}

// unicode tells texts of UTF-8 that are what they say from those for an old font.
func (s *specimen) unicode() (codec, []Guess, error) {
	text := string(s.text)
	now := vietnamese.count(norm.NFC.String(text))
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

// singleByte are the encodings of old whose characters are bytes.
func singleByte() []codec {
	return slices.DeleteFunc(oldCodecs(), func(c codec) bool { return c.name == "utf-8-twice" })
}

// cell decodes a cell, as it stands in the file, and notes in the row what is no text in the
// encoding, and what is one in another alone.
func (c codec) cell(row *Row, column, raw string) string {
	text, ok := c.text(raw)
	switch {
	case !ok:
		badText(row, column, c, raw)
	case c.raw != nil && !c.inside && !ascii(raw) && utf8.ValidString(raw):
		if now := vietnamese.count(norm.NFC.String(raw)); now.share() > vietnamese.count(text).share() {
			otherEncoding(row, column, c, utf8Codec().name, raw)
		}
	}
	return text
}

// badText notes that a cell, as it stands in the file, is not in the file's encoding, or has a
// character that no text has.
func badText(row *Row, column string, c codec, raw string) {
	if strings.IndexByte(raw, 0) >= 0 {
		row.Faults.Add("/properties/"+column, "có byte 0 (NUL), không văn bản nào có", "holds a zero byte (NUL), which no text has")
		return
	}
	if c.raw == nil && !utf8.ValidString(raw) {
		if old, t := best(raw, singleByte()); t.good > 1 && t.share() >= 0.8 {
			text, _ := old.text(raw)
			otherEncoding(row, column, c, old.name, text)
			return
		}
	}
	row.Faults.Add("/properties/"+column, "có ký tự không thuộc bảng mã %s", "has characters that are none of the encoding %s", c.name)
}

// otherEncoding notes that a cell is written otherwise than the rest of the file.
func otherEncoding(row *Row, column string, c codec, other, text string) {
	row.Faults.Add("/properties/"+column, "viết bằng bảng mã %s, khác phần còn lại của tệp (%s): %q", "is written in %s, unlike the rest of the file (%s): %q", other, c.name, cut(text, 80))
}

// best finds in which encoding most words are Vietnamese; the first of those that are alike.
func best(text string, codecs []codec) (codec, tally) {
	var found codec
	var most tally
	for _, c := range codecs {
		var t tally
		for line := range strings.SplitSeq(text, "\n") { // one that is written otherwise leaves the others alone
			decoded, _ := c.text(line)
			of := vietnamese.count(decoded)
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
