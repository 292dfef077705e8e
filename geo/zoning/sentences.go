package zoning

import (
	"slices"
	"strings"

	"hatang/geo"
)

// args are the values of a sentence's placeholders.
type args struct {
	title, mastType, measured, required, missing, preferred geo.Text
	zone, class, rules, date, distance, margin              geo.Text
	mast, count, limit, otherwise, authority, period, area  geo.Text
	request                                                 geo.Text
}

// slots name the placeholders; the number of one is its place here and in args.slot.
var slots = [...]string{"title", "type", "measured", "required", "missing", "preferred", "zone", "class", "rules", "date", "distance", "margin", "mast", "count", "limit", "otherwise", "authority", "period", "area", "request"}

// slot is the value for a placeholder, by its number; nil for a number that is none.
func (a *args) slot(i int) *geo.Text {
	switch i {
	case 0:
		return &a.title
	case 1:
		return &a.mastType
	case 2:
		return &a.measured
	case 3:
		return &a.required
	case 4:
		return &a.missing
	case 5:
		return &a.preferred
	case 6:
		return &a.zone
	case 7:
		return &a.class
	case 8:
		return &a.rules
	case 9:
		return &a.date
	case 10:
		return &a.distance
	case 11:
		return &a.margin
	case 12:
		return &a.mast
	case 13:
		return &a.count
	case 14:
		return &a.limit
	case 15:
		return &a.otherwise
	case 16:
		return &a.authority
	case 17:
		return &a.period
	case 18:
		return &a.area
	case 19:
		return &a.request
	}
	return nil
}

// sentence is a template read in advance: what a finding says.
type sentence struct{ vi, en []piece }

// piece is some text of a template and the number of the placeholder after it, -1
// for none.
type piece struct {
	text string
	slot int
}

// sentencesOf are all sentences a rule of the kind can say, by key, in its own words
// where it has some.
func sentencesOf(kind string, own map[string]geo.Text) map[string]sentence {
	out := map[string]sentence{}
	for name, t := range catalogue {
		if key, ok := strings.CutPrefix(name, kind+"/"); ok {
			words, ok := own[key]
			if !ok { // what it says of any area, it says of one with a name
				words, ok = own[strings.TrimSuffix(key, "_named")]
			}
			if ok {
				t = words
			}
			out[key] = read(t)
		}
	}
	return out
}

// plainSentences are those that belong to no rule. Nothing assigns to it.
var plainSentences = func() map[string]sentence {
	out := map[string]sentence{}
	for name, t := range catalogue {
		if strings.HasPrefix(name, "check/") || strings.HasPrefix(name, "alternative/") {
			out[name] = read(t)
		}
	}
	return out
}()

func read(t geo.Text) sentence { return sentence{pieces(t.VI), pieces(t.EN)} }

// pieces reads a template in one pass; a brace that is not closed is text, and a
// placeholder without a value says nothing.
func pieces(template string) []piece {
	var out []piece
	for {
		before, rest, found := strings.Cut(template, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return append(out, piece{template, -1})
		}
		out = append(out, piece{before, slices.Index(slots[:], name)})
		template = after
	}
}

// fill writes the sentence. Values are never read as templates.
func (s sentence) fill(a *args) geo.Text {
	var room [1024]byte
	b := room[:0]
	for _, p := range s.vi {
		b = append(b, p.text...)
		if v := a.slot(p.slot); v != nil {
			b = append(b, v.VI...)
		}
	}
	vi := len(b)
	for _, p := range s.en {
		b = append(b, p.text...)
		if v := a.slot(p.slot); v != nil {
			b = append(b, v.EN...)
		}
	}
	both := string(b)
	return geo.Text{VI: both[:vi], EN: both[vi:]}
}

// say fills the sentence of the rule with this key.
func (r *Rule) say(key string, a *args) geo.Text {
	a.title = r.Title
	return r.sentences[key].fill(a)
}

// sayPlain fills a sentence that belongs to no rule.
func sayPlain(key string, a *args) geo.Text { return plainSentences[key].fill(a) }

// unknownPlaceholders lists the braces of t that the standard sentence of the same
// place (or the title, which every rule has) does not fill.
func unknownPlaceholders(t, standard geo.Text) []string {
	known := append(placeholders(standard.VI), placeholders(standard.EN)...)
	known = append(known, "title")
	var unknown []string
	for _, name := range append(placeholders(t.VI), placeholders(t.EN)...) {
		if !slices.Contains(known, name) && !slices.Contains(unknown, "{"+name+"}") {
			unknown = append(unknown, "{"+name+"}")
		}
	}
	return unknown
}

func placeholders(template string) []string {
	var names []string
	for {
		_, rest, _ := strings.Cut(template, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return names
		}
		names, template = append(names, name), after
	}
}
