package intake

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"hatang/internal/layer"
)

// How says how a column was recognised.
type How string

// The ways, surest first.
const (
	ByMapping   How = "mapping"   // somebody said so
	ByName      How = "name"      // it is called as the field
	ByAlias     How = "alias"     // or as one of the field's other names
	ByTitle     How = "title"     // or as people see the field, in one of the languages
	ByFolding   How = "folding"   // one of these but for marks, case, blanks and underscores
	ByHeading   How = "heading"   // as offices and operators call it
	ByTruncated How = "truncated" // its first ten characters, as dBase cuts names
	ByNothing   How = ""          // not at all
)

// Column is a column of a file and what is taken from it.
type Column struct {
	Name string `json:"name"` // as the file has it
	To   string `json:"to"`   // a field's name or one of To…; "" where it is not taken
	How  How    `json:"how,omitempty"`
	Unit string `json:"unit,omitempty"` // as the heading has it: "km2"; "" for none
	// Factor is what its numbers are multiplied by to be in the field's unit; 1 mostly.
	Factor float64 `json:"factor,omitempty"`
	// Instead is the column that feeds the field that this one is another name of.
	Instead string `json:"instead,omitempty"`
	Likely  string `json:"likely,omitempty"` // the field that a misspelt column likely means

	rank  int          // among the columns of a field, the least first
	field *layer.Field // of To, where it is one
}

// Columns are the columns of a file in its order. At most one feeds each field and target.
type Columns []Column

// Index returns the position of the column that goes to a field or target, -1 for none.
func (c Columns) Index(to string) int {
	return slices.IndexFunc(c, func(column Column) bool { return column.To == to })
}

// NotTaken returns the names of the columns from which nothing is taken.
func (c Columns) NotTaken() []string {
	names := []string{}
	for i := range c {
		if c[i].To == "" || c[i].To == ToNothing {
			names = append(names, c[i].Name)
		}
	}
	return names
}

// Match says what each column of a file is. A mapping is obeyed; the others are recognised
// by the names, aliases and titles of the fields and by the words of headings. Of several
// columns of one field the one with the fuller name feeds it. The faults are: a mapping
// that names what is not there; a column that looks like a misspelling of a field that the
// file lacks; a unit that the field cannot have; where strict, every other column that is
// not taken, unless it counts rows or is another name of a field that is fed.
// Cost: the columns times the words of headings, some ms.
func Match(columns []string, l *layer.Layer, m Mapping, strict bool) (Columns, []Fault) {
	lexicon := newLexicon(l)
	matched := make(Columns, len(columns))
	faults := m.faults(columns, lexicon)
	for i, name := range columns {
		if to, ok := m.Columns[name]; ok && lexicon.known(to) {
			matched[i] = lexicon.mapped(name, to)
			continue
		}
		matched[i] = lexicon.recognise(name)
	}
	matched.settle()
	lexicon.truncated(matched)
	matched.settle()
	matched.onePlace()
	lexicon.takeCodes(matched)
	for i := range matched {
		if f := lexicon.fault(matched, &matched[i], strict); f != nil {
			faults = append(faults, f.in(0, matched[i].Name))
		}
	}
	return matched, faults
}

// settle leaves one column for each field and target: that of the least rank, the first
// of equals.
func (c Columns) settle() {
	best := map[string]int{}
	for i := range c {
		to := c[i].To
		if to == "" || to == ToNothing {
			continue
		}
		j, taken := best[to]
		if !taken {
			best[to] = i
			continue
		}
		winner, loser := j, i
		if c[i].rank < c[j].rank {
			winner, loser = i, j
			best[to] = i
		}
		c[loser].To, c[loser].How, c[loser].Instead, c[loser].field = "", ByNothing, c[winner].Name, nil
	}
}

// places are the ways in which columns tell a place, the best first.
var places = [][]string{{ToLon, ToLat}, {ToEasting, ToNorthing}, {ToX, ToY}, {ToPosition}, {ToPositionLonLat}, {ToWKT}}

// Place returns the targets that tell where rows lie: those of the first way of which all
// columns are there, or nil.
func (c Columns) Place() []string {
	for _, way := range places {
		if !slices.ContainsFunc(way, func(to string) bool { return c.Index(to) < 0 }) {
			return way
		}
	}
	return nil
}

// onePlace leaves one way of telling a place.
func (c Columns) onePlace() {
	chosen := c.Place()
	if chosen == nil {
		return
	}
	for i := range c {
		if c[i].isPlace() && !slices.Contains(chosen, c[i].To) {
			c[i].To, c[i].How, c[i].Instead = "", ByNothing, c[c.Index(chosen[0])].Name
		}
	}
}

func (c *Column) isPlace() bool {
	return slices.ContainsFunc(places, func(way []string) bool { return slices.Contains(way, c.To) })
}

// meaning is what a key can stand for.
type meaning struct {
	to   string
	how  How
	rank int // of the column among those of the field
}

// lexicon is what the columns of a layer are called.
type lexicon struct {
	layer    *layer.Layer
	exact    map[string]meaning   // as the layer writes it
	titles   map[string]meaning   // with marks
	folded   map[string][]meaning // by key
	written  map[string][]string  // by key: the names, in lower case with their marks
	readOnly map[string]bool
}

// Ranks of columns of one field, beside the place among its names.
const (
	rankTitle   = 100
	rankHeading = 200
	rankCut     = 300
)

func newLexicon(l *layer.Layer) *lexicon {
	x := &lexicon{layer: l, exact: map[string]meaning{}, titles: map[string]meaning{}, folded: map[string][]meaning{}, written: map[string][]string{}, readOnly: map[string]bool{}}
	for i := range l.Fields {
		f := &l.Fields[i]
		x.readOnly[f.Name] = f.ReadOnly
		for rank, name := range f.ImportNames() {
			how := ByAlias
			if name == f.Name {
				how = ByName
			}
			if _, taken := x.exact[name]; !taken {
				x.exact[name] = meaning{f.Name, how, rank}
			}
			x.add(name, meaning{f.Name, ByFolding, rank})
		}
	}
	for i := range l.Fields {
		f := &l.Fields[i]
		for _, title := range []string{f.Title.VI, f.Title.EN} {
			title, _ = withoutMeasure(title)
			if _, taken := x.titles[marked(title)]; !taken {
				x.titles[marked(title)] = meaning{f.Name, ByTitle, rankTitle}
			}
			x.add(title, meaning{f.Name, ByFolding, rankTitle})
		}
	}
	for _, h := range headings() {
		x.addHeading(&h)
	}
	return x
}

func (x *lexicon) add(name string, m meaning) {
	if k := key(name); k != "" {
		x.folded[k] = append(x.folded[k], m)
		x.written[k] = append(x.written[k], marked(name))
	}
}

// addHeading adds what offices call a column. A reference layer's fields are called as in
// its file, and nothing else is meant by it; but where things lie is told alike.
func (x *lexicon) addHeading(h *heading) {
	_, isField := x.layer.Field(h.to)
	isTarget := strings.HasPrefix(h.to, "@")
	if !h.of(x.layer.Name) || !isField && !isTarget || isField && x.layer.Reference != nil {
		return
	}
	rank := rankHeading
	if h.first {
		rank = -1
	}
	for _, name := range h.names {
		x.add(name, meaning{h.to, ByHeading, rank})
	}
}

// known reports whether something can go to a field or target.
func (x *lexicon) known(to string) bool {
	_, isField := x.layer.Field(to)
	return to == "" || isField && !x.readOnly[to] || slices.Contains(targets(), to)
}

// recognise says what a column is by its name alone.
func (x *lexicon) recognise(name string) Column {
	if m, ok := x.exact[name]; ok {
		return x.column(name, "", m)
	}
	if m, ok := x.titles[marked(name)]; ok {
		return x.column(name, "", m)
	}
	if m, ok := x.best(key(name)); ok {
		return x.column(name, "", m)
	}
	rest, unit := withoutMeasure(name)
	if unit == "" {
		return Column{Name: name}
	}
	if m, ok := x.titles[marked(rest)]; ok {
		return x.column(name, unit, m)
	}
	if m, ok := x.best(key(rest)); ok {
		return x.column(name, unit, m)
	}
	return Column{Name: name}
}

// best is what a key stands for: names and titles before headings, a required field before
// others, else what was added first.
func (x *lexicon) best(k string) (meaning, bool) {
	list := x.folded[k]
	if len(list) == 0 {
		return meaning{}, false
	}
	order := func(m meaning) int {
		f, isField := x.layer.Field(m.to)
		switch {
		case m.how == ByHeading:
			return 2
		case isField && f.Required:
			return 0
		}
		return 1
	}
	return slices.MinFunc(list, func(a, b meaning) int { return cmp.Compare(order(a), order(b)) }), true
}

// column makes a column of what it means; what the server sets itself is not taken.
func (x *lexicon) column(name, unit string, m meaning) Column {
	c := Column{Name: name, To: m.to, How: m.how, Unit: unit, Factor: 1, rank: m.rank}
	if x.readOnly[m.to] {
		c.To, c.How = ToNothing, ByName
	}
	if f, ok := x.layer.Field(c.To); ok {
		c.field = f
		if unit == "" {
			c.Unit = f.Unit
		}
	}
	return c
}

func (x *lexicon) mapped(name, to string) Column {
	if to == "" {
		to = ToNothing
	}
	c := x.column(name, "", meaning{to, ByMapping, -2})
	if _, unit := withoutMeasure(name); unit != "" && c.field != nil && c.field.Unit != "" {
		c.Unit = unit
	}
	return c
}

// cutAt is how many characters the name of a column has in a dBase file.
const cutAt = 10

// truncated recognises columns by the first ten characters of a name, or by eight and a
// number, as ogr2ogr writes those that would be the same, of fields that nothing feeds.
func (x *lexicon) truncated(c Columns) {
	for i := range c {
		if c[i].To != "" || c[i].Instead != "" || len([]rune(c[i].Name)) > cutAt || len(c[i].Name) < cutAt-1 {
			continue
		}
		stem := c[i].Name
		if at := strings.LastIndexByte(stem, '_'); at >= cutAt-3 {
			if _, err := strconv.Atoi(stem[at+1:]); err == nil {
				stem = stem[:at]
			}
		}
		var found []string
		for j := range x.layer.Fields {
			f := &x.layer.Fields[j]
			if c.Index(f.Name) >= 0 || f.ReadOnly || x.layer.Reference != nil {
				continue
			}
			if slices.ContainsFunc(f.ImportNames(), func(name string) bool { return len(name) > cutAt && strings.HasPrefix(key(name), key(stem)) }) {
				found = append(found, f.Name)
			}
		}
		if len(found) == 1 {
			c[i] = x.column(c[i].Name, "", meaning{found[0], ByTruncated, rankCut})
		}
	}
}

// fault is what is wrong with a column, nil for nothing.
func (x *lexicon) fault(c Columns, column *Column, strict bool) *Fault {
	if f := column.field; f != nil {
		if factor, ok := factorTo(column.Unit, f.Unit); ok || f.Unit == "" {
			if ok {
				column.Factor = factor
			}
			return nil
		}
		return fault(RuleColumnUnit, column.Unit, "%q là của trường %s, tính bằng %s, không phải %s", "%q is of the field %s, which is in %s, not in %s", column.Name, f.Name, f.Unit, column.Unit)
	}
	if column.To != "" || column.Instead != "" {
		if factor, ok := factorTo(column.Unit, "m"); ok && column.isPlace() {
			column.Factor = factor
		}
		return nil
	}
	if to := x.likely(c, column.Name); to != "" {
		column.Likely = to
		return fault(RuleColumnMisspelt, "", "không có trường %q; có lẽ là %s", "there is no field %q; it is likely %s", column.Name, to).likely(to)
	}
	if strict {
		return fault(RuleColumnUnknown, "", "không có trường %q", "there is no field %q", column.Name)
	}
	return nil
}

// slip reports whether a name looks like one of those of a key with a slip. One that has
// marks must with these: "Tần số" (frequency) is none of "Dân số" (population).
func (x *lexicon) slip(name, k string) bool {
	if !misspelt(key(name), k) {
		return false
	}
	as := marked(name)
	return layer.Bare(as) == norm.NFD.String(as) || slices.ContainsFunc(x.written[k], func(other string) bool { return misspelt(as, other) })
}

// likely is the field that a column looks like with a slip, "" for none: the nearest of
// those that nothing feeds.
func (x *lexicon) likely(c Columns, name string) string {
	rest, _ := withoutMeasure(name)
	best, to := 3, ""
	for k, list := range x.folded {
		for _, m := range list {
			if x.readOnly[m.to] || m.to == ToNothing || c.Index(m.to) >= 0 {
				continue
			}
			for _, as := range []string{name, rest} {
				if d := distance(key(as), k, 2); x.slip(as, k) && (d < best || d == best && m.to < to) {
					best, to = d, m.to
				}
			}
		}
	}
	return to
}
