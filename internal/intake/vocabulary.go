package intake

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"hatang/internal/layer"
)

// vocabulary is the allowed values of a field by what people write for them.
type vocabulary struct {
	closed bool              // there are no others
	codes  map[string]bool   // as they are
	by     map[string]string // codes by key
}

// openField may have any value, and words are known for some.
const openField = "operator"

var titleParts = regexp.MustCompile(`[(),–—;]`)

// newVocabulary gathers the words for a field's values: the codes, then the titles in both
// languages, then other words for them, then parts of titles. What is said earlier stands;
// parts that would be two values' are none's. It is nil where a field has neither values nor
// words. Where the field allows any value, values are of those there are.
func newVocabulary(f *layer.Field, values []layer.Value) *vocabulary {
	v := &vocabulary{closed: len(values) > 0 || len(f.Values) > 0, codes: map[string]bool{}, by: map[string]string{}}
	if len(values) == 0 {
		values = f.Values
	}
	other := synonyms()[f.Name]
	if f.Name == openField && len(values) == 0 {
		for code := range other {
			values = append(values, layer.Value{Code: code})
		}
		slices.SortFunc(values, func(a, b layer.Value) int { return cmp.Compare(a.Code, b.Code) })
	}
	if len(values) == 0 || f.Kind == layer.TextList {
		return nil
	}
	for _, value := range values {
		v.codes[value.Code] = true
		v.add(value.Code, value.Code)
	}
	for _, value := range values {
		v.add(value.Title.VI, value.Code)
		v.add(value.Title.EN, value.Code)
	}
	for _, value := range values {
		for _, word := range other[value.Code] {
			v.add(word, value.Code)
		}
	}
	v.addParts(values)
	return v
}

func (v *vocabulary) add(words, code string) {
	k := key(words)
	if _, taken := v.by[k]; !taken && k != "" {
		v.by[k] = code
	}
}

func (v *vocabulary) addParts(values []layer.Value) {
	parts := map[string]string{}
	for _, value := range values {
		for _, title := range []string{value.Title.VI, value.Title.EN} {
			for _, part := range titleParts.Split(title, -1) {
				k := key(part)
				if code, taken := parts[k]; taken && code != value.Code {
					parts[k] = ""
				} else {
					parts[k] = value.Code
				}
			}
		}
	}
	for k, code := range parts {
		if _, taken := v.by[k]; !taken && k != "" && code != "" {
			v.by[k] = code
		}
	}
}

// read is the code that a text stands for; false where there is none.
func (v *vocabulary) read(s string) (string, bool) {
	if v.codes[s] {
		return s, true
	}
	code, ok := v.by[key(s)]
	return code, ok
}

// likely is the code that a text with a slip likely stands for: the nearest word's, or that
// of the only one that the text begins; "" where there are none, or two.
func (v *vocabulary) likely(s string) string {
	k := key(s)
	if len(k) < 3 {
		return ""
	}
	near := [3]map[string]bool{{}, {}, {}} // codes by distance; 0 is for beginnings
	for word, of := range v.by {
		if d := distance(k, word, 2); misspelt(k, word) || d == 1 && letters(k) != letters(word) {
			near[d][of] = true
		}
		if len(word) >= 3 && (strings.HasPrefix(word, k) || strings.HasPrefix(k, word)) {
			near[0][of] = true
		}
	}
	for _, codes := range []map[string]bool{near[1], near[2], near[0]} {
		if len(codes) == 1 {
			return slices.Collect(maps.Keys(codes))[0]
		}
		if len(codes) > 1 {
			break
		}
	}
	return ""
}

// list is the codes, for a sentence.
func (v *vocabulary) list() string {
	codes := make([]string, 0, len(v.codes))
	for code := range v.codes {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	return strings.Join(codes, ", ")
}
