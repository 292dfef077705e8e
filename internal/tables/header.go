package tables

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"hatang/internal/layer"
)

// line is a row of a sheet or a file of text, before it is known what it is.
type line struct {
	number int64
	cells  []string
}

// header is which rows of a sheet name its columns.
type header struct {
	first, last int64 // of the rows with names; 0 for none
	columns     []string
	guesses     []Guess
}

// lookedAt is how many rows are looked at to find the names of the columns.
const lookedAt = 100

var (
	numberLike = regexp.MustCompile(`^[-+]?[\d.,\s]*\d[\d.,\s]*%?$|^[-+]?\d+ ?[°d].*|^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b`)
	yearLike   = regexp.MustCompile(`^(19|20)\d\d$`)
	ordinal    = regexp.MustCompile(`^\(?(\d{1,3})\)?$`)
)

// filled is how many cells of a row hold something, and how many of these a number, a place
// or a date.
func (l line) filled() (all, numbers int) {
	for _, c := range l.cells {
		if c = strings.TrimSpace(c); c != "" {
			all++
			if numberLike.MatchString(c) && !yearLike.MatchString(c) {
				numbers++
			}
		}
	}
	return all, numbers
}

// findHeader finds the names of the columns among the first rows; asked is Options.HeaderRow.
// In a file of text, where one separator too many shifts a row's cells, a column without a
// name is one only if half of the rows have it; loose tells that cells have places of their own.
func findHeader(rows []line, asked int, loose bool) (header, error) {
	at, why := guessHeader(rows)
	switch {
	case asked < 0:
		at = -1
	case asked > 0:
		for at = 0; at < len(rows) && rows[at].number != int64(asked); at++ {
		}
		if at == len(rows) {
			return header{}, layer.Wrong("dòng tiêu đề %d không có, hoặc rỗng, hoặc ở quá xa đầu tệp", "the row of names %d is not there, or empty, or too far from the top", asked)
		}
		why = "as was said"
	}
	h := header{}
	width := width(rows[max(at, 0):], loose)
	if width > MaxColumns {
		return header{}, tooManyColumns()
	}
	if at < 0 {
		h.columns = uniqueNames(make([]string, width))
		h.guesses = append(h.guesses, Guess{"header_row", "-1", why})
		return h, nil
	}
	names := make([]string, width)
	copy(names, rows[at].cells)
	h.first, h.last = rows[at].number, rows[at].number
	h.guesses = append(h.guesses, Guess{"header_row", strconv.FormatInt(h.first, 10), why})
	rest := rows[at+1:]
	if len(rest) > 0 && groups(names, rest[0]) {
		names = joinNames(names, rest[0].cells)
		h.last, rest = rest[0].number, rest[1:]
		h.guesses = append(h.guesses, Guess{"header_rows", "2", "the row below names the columns of groups"})
	}
	if len(rest) > 0 && numbered(rest[0]) {
		h.last = rest[0].number
		h.guesses = append(h.guesses, Guess{"numbering_row", strconv.FormatInt(h.last, 10), "it counts the columns"})
	}
	h.columns = uniqueNames(names)
	return h, nil
}

// width is how many columns the rows have.
func width(rows []line, loose bool) int {
	var widths []int
	for _, r := range rows {
		widths = append(widths, len(r.cells))
	}
	if loose {
		return slices.Max(widths)
	}
	first := widths[0]
	slices.Sort(widths)
	return max(first, widths[(len(widths)-1)/2])
}

func tooManyColumns() error {
	return layer.Wrong("tệp có hơn %d cột", "the file has more than %d columns", MaxColumns)
}

// guessHeader finds the first row that is nearly as wide as most and holds no values; -1
// where values come before one.
func guessHeader(rows []line) (at int, why string) {
	var widths []int
	for _, r := range rows {
		if n, _ := r.filled(); n > 0 {
			widths = append(widths, n)
		}
	}
	slices.Sort(widths)
	typical := 0
	if len(widths) > 0 {
		typical = widths[len(widths)*3/4] // most rows are narrower only where cells are empty
	}
	for i, r := range rows {
		all, numbers := r.filled()
		if all == 0 || 2*all < typical {
			continue // a title, or a note
		}
		if numbers > 0 {
			return -1, fmt.Sprintf("row %d holds values and none before it names", r.number)
		}
		if i == 0 {
			return i, "the first row holds no values"
		}
		return i, "the first row as wide as the table that holds no values"
	}
	return -1, "no row is as wide as the table and holds no values"
}

// groups reports whether a row below the names divides some that span several columns.
func groups(names []string, below line) bool {
	all, numbers := below.filled()
	if all == 0 || numbers > 0 {
		return false
	}
	fills := false
	for i, c := range below.cells {
		if strings.TrimSpace(c) == "" {
			continue
		}
		empty := i < len(names) && strings.TrimSpace(names[i]) == ""
		spans := i+1 < len(names) && strings.TrimSpace(names[i+1]) == ""
		if !empty && !spans {
			return false
		}
		fills = fills || empty
	}
	return fills
}

// joinNames puts the name of a group before those of its columns.
func joinNames(names, below []string) []string {
	joined := make([]string, len(names))
	group := ""
	for i := range names {
		if strings.TrimSpace(names[i]) != "" {
			group = names[i]
		}
		joined[i] = names[i]
		if i < len(below) && strings.TrimSpace(below[i]) != "" {
			joined[i] = group + " " + below[i]
		}
	}
	return joined
}

// numbered reports whether a row counts the columns: (1), (2), (3), … Without brackets it
// must count some more, because a row of values may happen to begin so.
func numbered(row line) bool {
	n, bare := 0, false
	for _, c := range row.cells {
		if c = strings.TrimSpace(c); c == "" {
			continue
		}
		m := ordinal.FindStringSubmatch(c)
		if n++; m == nil || m[1] != strconv.Itoa(n) {
			return false
		}
		bare = bare || m[0] == m[1]
	}
	return n >= 3 && (!bare || n >= 5)
}

// uniqueNames are the names of columns: in NFC, in one line, no two alike, none empty.
func uniqueNames(names []string) []string {
	unique := make([]string, len(names))
	seen := map[string]bool{}
	for i, name := range names {
		name = cut(strings.Join(strings.Fields(norm.NFC.String(name)), " "), maxNameBytes)
		if name == "" {
			name = fmt.Sprintf("column %d", i+1)
		}
		unique[i] = name
		for n := 2; seen[unique[i]]; n++ {
			unique[i] = fmt.Sprintf("%s (%d)", name, n)
		}
		seen[unique[i]] = true
	}
	return unique
}

// maxNameBytes is how much of a column's name is kept; of one that is ten times as long
// nothing is, and the file is refused: such names must not be held by the thousand.
const maxNameBytes = 200

// checkName refuses a name that is no name of a column.
func checkName(name string) error {
	const most = 10 * maxNameBytes
	if len(name) > most {
		return layer.Wrong("tên cột dài hơn %d byte: %s", "the name of a column is longer than %d bytes: %s", most, cut(name, 40))
	}
	return nil
}
