package papers

import (
	_ "embed" // the fonts
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Style is the face that a text is set in.
type Style uint8

// The faces.
const (
	Regular Style = iota
	Bold
	Italic
)

//go:embed fonts/DejaVuSerifCondensed.ttf
var regularTTF []byte

//go:embed fonts/DejaVuSerifCondensed-Bold.ttf
var boldTTF []byte

//go:embed fonts/DejaVuSerifCondensed-Italic.ttf
var italicTTF []byte

// face is what is known of a font: its file and how wide its characters are.
type face struct {
	file   []byte
	widths map[rune]float64 // em
}

// faces are read once, by Style.
var faces = sync.OnceValues(func() ([3]face, error) {
	var all [3]face
	for i, file := range [3][]byte{regularTTF, boldTTF, italicTTF} {
		widths, err := readWidths(file)
		if err != nil {
			return all, fmt.Errorf("font %d: %w", i, err)
		}
		all[i] = face{file, widths}
	}
	return all, nil
})

var errFont = errors.New("is no TrueType font with a table of characters of format 4")

// readWidths reads which characters a TrueType font has, and their widths, em.
func readWidths(file []byte) (map[rune]float64, error) {
	tables := map[string][]byte{}
	if len(file) < 12 {
		return nil, errFont
	}
	for i := range int(binary.BigEndian.Uint16(file[4:])) {
		at := 12 + 16*i
		if len(file) < at+16 {
			return nil, errFont
		}
		from, size := binary.BigEndian.Uint32(file[at+8:]), binary.BigEndian.Uint32(file[at+12:])
		if uint64(from)+uint64(size) > uint64(len(file)) {
			return nil, errFont
		}
		tables[string(file[at:at+4])] = file[from : from+size]
	}
	head, hhea, hmtx, cmap := tables["head"], tables["hhea"], tables["hmtx"], tables["cmap"]
	if len(head) < 20 || len(hhea) < 36 || len(cmap) < 4 {
		return nil, errFont
	}
	perEm, metrics := float64(binary.BigEndian.Uint16(head[18:])), int(binary.BigEndian.Uint16(hhea[34:]))
	if perEm == 0 || metrics == 0 || len(hmtx) < 4*metrics {
		return nil, errFont
	}
	glyphs, err := readCharacters(cmap)
	if err != nil {
		return nil, err
	}
	widths := make(map[rune]float64, len(glyphs))
	for r, glyph := range glyphs {
		widths[r] = float64(binary.BigEndian.Uint16(hmtx[4*min(glyph, metrics-1):])) / perEm
	}
	return widths, nil
}

// readCharacters reads the glyphs of the first table of characters, which is of format 4:
// segments of code points, with an offset to add or a list of glyphs each.
func readCharacters(cmap []byte) (map[rune]int, error) {
	if len(cmap) < 12 {
		return nil, errFont
	}
	from := int(binary.BigEndian.Uint32(cmap[8:]))
	if from < 0 || len(cmap) < from+14 {
		return nil, errFont
	}
	t := cmap[from:]
	n := int(binary.BigEndian.Uint16(t[6:])) / 2
	if binary.BigEndian.Uint16(t) != 4 || len(t) < 16+8*n {
		return nil, errFont
	}
	word := func(at int) int {
		if at+2 > len(t) {
			return 0
		}
		return int(binary.BigEndian.Uint16(t[at:]))
	}
	glyphs := map[rune]int{}
	for i := range n {
		last, first, delta, offset := word(14+2*i), word(16+2*n+2*i), word(16+4*n+2*i), word(16+6*n+2*i)
		for c := first; c <= last && c < 0xFFFF; c++ {
			glyph := c
			if offset != 0 {
				if glyph = word(16 + 6*n + 2*i + offset + 2*(c-first)); glyph == 0 {
					continue
				}
			}
			if glyph = (glyph + delta) & 0xFFFF; glyph != 0 {
				glyphs[rune(c)] = glyph
			}
		}
	}
	return glyphs, nil
}

// missing stands for a character that the fonts do not have.
const missing = '□'

// Clean makes a text fit to be set: NFC, blanks for what is no character, and □ for what the
// fonts do not have. Line ends stay; characters that only steer are left out.
func Clean(text string) string {
	all, err := faces()
	if err != nil {
		return text // no paper is made of it: PDF fails by the same error
	}
	text = norm.NFC.String(strings.ToValidUTF8(text, string(missing)))
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Mn, r) && all[Regular].widths[r] == 0:
			return -1
		}
		if _, ok := all[Regular].widths[r]; !ok {
			return missing
		}
		return r
	}, text)
}

// pointMM is a typographic point, millimetres.
const pointMM = 25.4 / 72

// width is how wide a text is that is clean, millimetres.
func (f *face) width(text string, size float64) float64 {
	em := 0.0
	for _, r := range text {
		em += f.widths[r]
	}
	return em * size * pointMM
}

// wrap breaks a clean text into lines that are no wider than so many millimetres: at blanks,
// and within words that are wider.
func (f *face) wrap(text string, size, widest float64) (lines []string) {
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := ""
		for _, word := range strings.FieldsFunc(paragraph, func(r rune) bool { return r == ' ' || r == '\t' }) {
			if longer := line + " " + word; line != "" && f.width(longer, size) <= widest {
				line = longer
				continue
			}
			if line != "" {
				lines = append(lines, line)
			}
			var full []string
			full, line = f.cut(word, size, widest)
			lines = append(lines, full...)
		}
		lines = append(lines, line)
	}
	return lines
}

// cut cuts a word into full lines and what is left: behind a sign as addresses have them,
// where one is near the end of a line.
func (f *face) cut(word string, size, widest float64) (full []string, rest string) {
	width, start := 0.0, 0
	sign, before := 0, 0.0 // where the last sign ends, and how wide the line is to there
	for i, r := range word {
		w := f.widths[r] * size * pointMM
		if width+w > widest && i > start {
			end, left := i, 0.0
			if sign > start && before > widest/2 {
				end, left = sign, width-before
			}
			full = append(full, word[start:end])
			start, width = end, left
		}
		if width += w; strings.ContainsRune("/?&=-", r) {
			sign, before = i+1, width
		}
	}
	return full, word[start:]
}
