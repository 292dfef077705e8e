package tables

import (
	"bytes"
	"io"
	"regexp"

	"hatang/internal/layer"
)

// separators are what parts cells, those first that a text holds least by chance.
var separators = [...]rune{'\t', ';', '|', ','}

// guessSeparator finds the character by which most of the first lines have the same number
// of cells; share is how many these are, 0 where there is but one column.
func guessSeparator(top []byte) (comma rune, share float64) {
	if len(top) >= maxTop { // the last line is cut off
		if end := bytes.LastIndexByte(top, '\n'); end > 0 {
			top = top[:end]
		}
	}
	comma = ','
	for _, s := range separators {
		if of := evenness(top, s); of > share {
			comma, share = s, of
		}
	}
	return comma, share
}

// blankSeparated reports whether nearly all of the first lines are as many words, some of them
// numbers: the lists that surveyors' instruments write.
func blankSeparated(top []byte) bool {
	counts, rows := map[int]int{}, 0
	for line := range bytes.Lines(top) {
		words := bytes.Fields(line)
		numbers := 0
		for _, w := range words {
			if numberLike.Match(w) {
				numbers++
			}
		}
		if len(words) == 0 {
			continue
		}
		if rows++; len(words) >= 3 && numbers >= 2 {
			counts[len(words)]++
		}
		if rows >= lookedAt {
			break
		}
	}
	most := 0
	for _, n := range counts {
		most = max(most, n)
	}
	const names = 1 // of the columns, in one line
	return most >= 2 && 10*most >= 9*(rows-names)
}

// blanks makes a tab of every run of blanks, and nothing of those where a line begins.
type blanks struct {
	in    io.Reader
	run   bool // a blank has been passed over
	begun bool // the line has
}

// Read implements io.Reader.
func (b *blanks) Read(p []byte) (int, error) {
	if len(p) < 2 {
		return 0, io.ErrShortBuffer
	}
	half := p[len(p)/2:] // of a byte may come two: a tab before it
	n, err := b.in.Read(half)
	out := 0
	for _, c := range half[:n] {
		switch c {
		case ' ', '\t':
			b.run = true
			continue
		case '\n', '\r':
			b.begun = false
		default:
			if b.run && b.begun {
				p[out] = '\t'
				out++
			}
			b.begun = true
		}
		b.run = false
		p[out] = c
		out++
	}
	return out, err
}

// evenness is the share of the rows that have the commonest number of cells, if that is more
// than one.
func evenness(top []byte, comma rune) float64 {
	reader := newCSVReader(bytes.NewReader(top), comma)
	counts := map[int]int{}
	rows, most := 0, 1
	for rows < lookedAt {
		cells, err := reader.Read()
		if err != nil {
			break // its end, or where it is cut off
		}
		rows++
		n := len(cells)
		if counts[n]++; n > 1 && (most == 1 || counts[n] > counts[most]) {
			most = n
		}
	}
	if most == 1 || counts[most] < counts[1]/2 {
		return 0
	}
	return float64(counts[most]) / float64(rows)
}

var (
	withComma = regexp.MustCompile(`^[-+]?(\d{1,3}([. ]\d{3})+,\d+|\d+,(\d{1,2}|\d{4,})|\d{4,},\d+)$`)
	withPoint = regexp.MustCompile(`^[-+]?(\d{1,3}([, ]\d{3})+\.\d+|\d+\.(\d{1,2}|\d{4,})|\d{4,}\.\d+)$`)
	thousands = regexp.MustCompile(`^[-+]?\d{1,3}(\.\d{3}){2,}$`)
	thousand2 = regexp.MustCompile(`^[-+]?\d{1,3}(,\d{3}){2,}$`)
)

// guessDecimals finds out whether numbers are written with a comma before their fractions;
// asked is Options.DecimalComma. "1.234" and "1,234" alone say nothing.
func guessDecimals(rows []line, asked string) ([]Guess, error) {
	switch asked {
	case "yes", "no":
		return []Guess{{"decimal_comma", asked, "as was said"}}, nil
	case "":
	default:
		return nil, layer.Wrong("dấu phẩy thập phân: \"yes\" hoặc \"no\", không phải %q", "the decimal comma is \"yes\" or \"no\", not %q", cut(asked, 20))
	}
	commas, points := 0, 0
	example := map[bool]string{}
	for _, r := range rows {
		for _, c := range r.cells {
			comma := withComma.MatchString(c) || thousands.MatchString(c)
			switch {
			case comma:
				commas++
			case withPoint.MatchString(c) || thousand2.MatchString(c):
				points++
			default:
				continue
			}
			if example[comma] == "" {
				example[comma] = "numbers are written as " + cut(c, 40)
			}
		}
	}
	switch {
	case commas > points:
		return []Guess{{"decimal_comma", "yes", example[true]}}, nil
	case points > 0:
		return []Guess{{"decimal_comma", "no", example[false]}}, nil
	}
	return nil, nil
}
