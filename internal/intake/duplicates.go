package intake

import (
	"cmp"
	"hash/maphash"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// Duplicate is rows of a file that look like one thing.
type Duplicate struct {
	By   string  `json:"by"` // "code", "place" or "name"
	Rows []int64 `json:"rows"`
	// Values are what the rows have in common, or the names that are so alike.
	Values []string `json:"values"`
	// ApartM is how far the rows of a place are from the first of them, metres, at most.
	ApartM float64 `json:"apart_m,omitempty"`
}

// samePlaceM is how near two points are the same place.
const samePlaceM = 1

// entry is what a row is compared by.
type entry struct {
	row               int64
	code, name, since string
	at                orb.Point
	hasPlace          bool
}

// So many rows are compared with each other, the first of a file, and so many texts are kept
// of what their names are without a letter: memory does not grow with the file. Two rows of one
// code are found among all rows by the register.
const (
	mostCompared = 50_000
	mostShorter  = 500_000
)

// Duplicates gathers rows, and finds those that are there twice among the first of them. It
// keeps some 150 bytes for each of these.
type Duplicates struct{ entries []entry }

// Add takes a row: its code and name, "" for none, the day since which it holds, so that
// versions of a feature are not its duplicates, and the place of a point, nil for others.
func (d *Duplicates) Add(row int64, code, name, since string, at *orb.Point) {
	if len(d.entries) == mostCompared {
		return
	}
	e := entry{row: row, code: code, name: name, since: since}
	if at != nil && math.Abs(at[0]) <= 180 && math.Abs(at[1]) <= 90 {
		e.at, e.hasPlace = *at, true
	}
	d.entries = append(d.entries, e)
}

// Find returns what is there twice: rows of one code, points less than a metre apart, and
// names that are the same but for marks, case and blanks, or but for one letter of nine or
// more; names that differ in digits are meant to differ. The order is by kind and row.
// Cost: n log n, about 10 µs and 2 kB for each row that is compared.
func (d *Duplicates) Find() []Duplicate {
	found := append(d.byCode(), d.byPlace()...)
	return append(found, d.byName()...)
}

// grouped are the rows with the same key, where there are several.
func (d *Duplicates) grouped(keyOf func(*entry) string) [][]int {
	groups := map[string][]int{}
	for i := range d.entries {
		if k := keyOf(&d.entries[i]); k != "" {
			groups[k] = append(groups[k], i)
		}
	}
	var several [][]int
	for _, group := range groups {
		if len(group) > 1 {
			several = append(several, group)
		}
	}
	return byFirst(several)
}

func byFirst(groups [][]int) [][]int {
	slices.SortFunc(groups, func(a, b []int) int { return cmp.Compare(a[0], b[0]) })
	return groups
}

func (d *Duplicates) duplicate(by string, group []int, value func(*entry) string) Duplicate {
	out := Duplicate{By: by}
	for _, i := range group {
		e := &d.entries[i]
		out.Rows = append(out.Rows, e.row)
		if v := value(e); v != "" && !slices.Contains(out.Values, v) {
			out.Values = append(out.Values, v)
		}
	}
	return out
}

func code(e *entry) string { return e.code }
func name(e *entry) string { return e.name }

// byCode groups rows of a code, unless each holds since another day: these are versions.
func (d *Duplicates) byCode() []Duplicate {
	var found []Duplicate
	for _, group := range d.grouped(code) {
		days := map[string]bool{}
		for _, i := range group {
			if since := d.entries[i].since; since != "" {
				days[since] = true
			}
		}
		if len(days) < len(group) {
			found = append(found, d.duplicate("code", group, code))
		}
	}
	return found
}

// byPlace groups points less than a metre from the first of the group.
func (d *Duplicates) byPlace() []Duplicate {
	var at []orb.Point
	var entries []int // of these points
	for i := range d.entries {
		if d.entries[i].hasPlace {
			at, entries = append(at, d.entries[i].at), append(entries, i)
		}
	}
	found := []Duplicate{}
	index := newNear(at, samePlaceM)
	taken := make([]bool, len(at))
	for i, p := range at {
		if taken[i] {
			continue
		}
		group, farthest := []int{entries[i]}, 0.0
		index.cellsAround(p, func(members []int) {
			for _, j := range members {
				if j <= i || taken[j] {
					continue
				}
				if m := geo.DistanceM(p, at[j]); m < samePlaceM {
					group, taken[j], farthest = append(group, entries[j]), true, max(farthest, m)
				}
			}
		})
		if len(group) > 1 {
			slices.Sort(group)
			one := d.duplicate("place", group, code)
			one.ApartM = farthest
			found = append(found, one)
		}
	}
	return found
}

// longName is how long a name is of which one letter may be a slip, and longestName how
// long one may be to be compared so: what is longer is a description.
const longName, longestName = 9, 100

// byName groups names that are the same when folded, then pairs those that are one letter apart:
// such have the same text when one letter of each, or of one of them, is left out.
func (d *Duplicates) byName() []Duplicate {
	var found []Duplicate
	for _, group := range d.grouped(func(e *entry) string { return key(e.name) }) {
		found = append(found, d.duplicate("name", group, name))
	}
	first := map[string]int{}        // of each folded name
	without := map[uint64][]folded{} // by what the text without a letter is hashed to
	seed := maphash.MakeSeed()
	seen := map[[2]string]bool{}
	for i := range d.entries {
		k := folded{text: key(d.entries[i].name)}
		if _, known := first[k.text]; known || len(k.text) < longName || len(k.text) > longestName {
			continue
		}
		first[k.text], k.letters = i, letters(k.text)
		for _, shorter := range shorterBy1(k.text) {
			hash := maphash.String(seed, shorter)
			list := without[hash]
			for _, other := range list {
				pair := [2]string{other.text, k.text}
				if other.letters != k.letters && !seen[pair] && distance(other.text, k.text, 1) == 1 {
					seen[pair] = true
					found = append(found, d.duplicate("name", []int{first[other.text], i}, name))
				}
			}
			if len(list) < mostAlike && (len(list) == 0 || list[len(list)-1] != k) && len(without) < mostShorter {
				without[hash] = append(list, k)
			}
		}
	}
	return found
}

// folded is a name without marks and blanks, and that without digits.
type folded struct{ text, letters string }

// mostAlike is how many names that are alike are compared with each other: beyond that it is how
// a file names things, and no slip.
const mostAlike = 20

// shorterBy1 are a text itself and what it is when one of its characters is left out.
func shorterBy1(s string) []string {
	list := []string{s}
	for i, r := range s {
		list = append(list, s[:i]+s[i+len(string(r)):])
	}
	return list
}
