package intake

import (
	"cmp"
	"slices"
	"strings"

	"hatang/geo"
)

// Level is the level of an administrative unit.
type Level string

// The levels. Districts ended in 2025.
const (
	Province Level = "province"
	District Level = "district"
	Commune  Level = "commune"
)

// Unit is an administrative unit in valid time.
type Unit struct {
	Code    string
	Name    string   // with its type or without: "Xã Nà Tòng", "Nà Tòng"
	Aliases []string // other spellings
	Level   Level
	Parent  string // code of the unit above: of a commune its district, "" where it has none
	Period  geo.Period
}

// unitKind is a type of unit as it stands before names.
type unitKind struct {
	name  string
	level Level
	words []string // folded, several words with blanks between
}

func unitKinds() []unitKind {
	return []unitKind{
		{"thị trấn", Commune, []string{"thi tran", "tt"}},
		{"phường", Commune, []string{"phuong", "p", "ph"}},
		{"xã", Commune, []string{"xa", "x"}},
		{"thị xã", District, []string{"thi xa", "tx"}},
		{"thành phố", District, []string{"thanh pho", "tp", "t p"}},
		{"quận", District, []string{"quan", "q"}},
		{"huyện", District, []string{"huyen", "h"}},
		{"tỉnh", Province, []string{"tinh", "t"}},
	}
}

// spelling is a name without its type, and the type; "" for none.
type spelling struct{ name, kind string }

// spellings are the ways to take a name apart: as it is, and without the type before it,
// so that "Xa Dung" may be Xa Dung and the commune (xã) of Dung.
func spellings(name string) []spelling {
	list := []spelling{{name, ""}}
	fields := strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == '.' || r == '_' || r == '\t' || r == '\u00a0' || r == '-' })
	for _, kind := range unitKinds() {
		for _, words := range kind.words {
			n := strings.Count(words, " ") + 1
			if len(fields) > n && fold(strings.Join(fields[:n], " ")) == words {
				list = append(list, spelling{strings.Join(fields[n:], " "), kind.name})
			}
		}
	}
	return list
}

// folds are what names are compared by, the strictest first: with marks, without, and with
// neither blanks nor a difference of i and y.
func folds() []func(string) string { return []func(string) string{toned, fold, loose} }

// unitName is a name under which a unit is known.
type unitName struct {
	unit int
	kind string // the type of unit that the name has; "" for none
}

// Gazetteer finds administrative units by what files call them. It does not change, and is
// safe for concurrent use.
type Gazetteer struct {
	units  []Unit
	byCode map[string][]int
	byName []map[string][]unitName // by the folds
}

// NewGazetteer files units; the order does not matter. Cost: some µs for each name.
func NewGazetteer(units []Unit) *Gazetteer {
	g := &Gazetteer{units: slices.Clone(units), byCode: map[string][]int{}}
	slices.SortStableFunc(g.units, func(a, b Unit) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), a.Period.From.Compare(b.Period.From), cmp.Compare(a.Name, b.Name))
	})
	for range folds() {
		g.byName = append(g.byName, map[string][]unitName{})
	}
	for i, u := range g.units {
		g.byCode[u.Code] = append(g.byCode[u.Code], i)
		for _, name := range append([]string{u.Name}, u.Aliases...) {
			for _, s := range spellings(name) {
				for j, by := range folds() {
					k := by(s.name)
					g.byName[j][k] = append(g.byName[j][k], unitName{i, s.kind})
				}
			}
		}
	}
	return g
}

// maxUnitName is how long the name of a unit may be, bytes: a longer text is none.
const maxUnitName = 200

// Named is a unit as a row of a file has it.
type Named struct {
	Level    Level
	Code     string   // "" for none
	Name     string   // "" for none
	District string   // code of the district that a commune is said to lie in; "" for none
	Date     geo.Date // units in force on it; zero for any
}

// HowUnit says how a unit was recognised.
type HowUnit string

// The ways, surest first.
const (
	UnitByCode       HowUnit = "code"
	UnitByPaddedCode HowUnit = "padded_code" // its leading zeros were lost
	UnitByName       HowUnit = "name"        // case, blanks, the type before it and where a tone is written do not count
	UnitByBareName   HowUnit = "bare_name"   // nor do marks
	UnitByLooseName  HowUnit = "loose_name"  // nor blanks in it, nor i for y
)

// Find returns the unit that a row means. A code alone decides, leading zeros added where
// a spreadsheet lost them, also where it stands for the name; a name beside it must not be another unit's. A name is looked for with
// its marks, then without, then loosely; the first of these that finds something decides,
// within the district where one is said; but not what another district has more to the letter. A type before the name ("P.", "TT", "xã") rules out
// units whose own type is another. It is a fault where nothing or more than one unit is
// found, with the candidates as readings: of a name that is in other districts alone, these;
// of an unknown one, those that look like it. The zero Unit is returned for a row that
// names none. Cost: some µs; where nothing is found, 1 µs for each unit.
func (g *Gazetteer) Find(n Named) (Unit, HowUnit, *Fault) {
	code, name := strings.TrimSpace(n.Code), plainText(n.Name)
	if len(name) > maxUnitName {
		return Unit{}, "", fault(RuleUnit, name, "dài hơn tên của đơn vị hành chính", "is longer than the name of a unit")
	}
	switch {
	case code == "" && fold(name) == "":
		return Unit{}, "", nil
	case code == "" && strings.Trim(name, "0123456789") == "": // no unit is called so: a code under the heading of names
		code, name = name, ""
	case code == "":
		return g.findName(n, name)
	}
	found, how := g.withCode(code, n)
	if len(found) == 0 {
		f := fault(RuleUnit, code, "không có %s mã %q%s", "there is no %s with the code %q%s", levelWord(n.Level), code, onDate(n.Date))
		if name != "" {
			if u, _, wrong := g.findName(n, name); wrong == nil {
				f.likely(u.Code)
			}
		}
		return Unit{}, "", f
	}
	u := g.units[found[0]]
	if fold(name) != "" && !g.mayBe(u, name) {
		f := fault(RuleUnit, code, "mã %s là %s, không phải %q", "the code %s is %s, not %q", code, u.Name, name)
		f.Readings = []string{label(u)}
		if other, _, wrong := g.findName(n, name); wrong == nil {
			f.Readings = append(f.Readings, label(other))
		}
		return Unit{}, "", f
	}
	return u, how, nil
}

// codeDigits is how many digits the code of a level has.
var codeDigits = map[Level]int{Province: 2, District: 3, Commune: 5}

// withCode are the units of a code.
func (g *Gazetteer) withCode(code string, n Named) ([]int, HowUnit) {
	if found := g.fitting(g.byCode[code], n); len(found) > 0 {
		return found, UnitByCode
	}
	if missing := codeDigits[n.Level] - len(code); missing > 0 && strings.Trim(code, "0123456789") == "" {
		return g.fitting(g.byCode[strings.Repeat("0", missing)+code], n), UnitByPaddedCode
	}
	return nil, ""
}

// fitting are the units of the level in force on the date, each code once.
func (g *Gazetteer) fitting(units []int, n Named) []int {
	var fits []int
	seen := map[string]bool{}
	for _, i := range units {
		u := &g.units[i]
		if u.Level == n.Level && (n.Date.IsZero() || u.Period.Contains(n.Date)) && !seen[u.Code] {
			seen[u.Code] = true
			fits = append(fits, i)
		}
	}
	return fits
}

// mayBe reports whether a name is one of a unit's, marks aside.
func (g *Gazetteer) mayBe(u Unit, name string) bool {
	for _, own := range append([]string{u.Name}, u.Aliases...) {
		for _, a := range spellings(own) {
			for _, b := range spellings(name) {
				if loose(a.name) == loose(b.name) {
					return true
				}
			}
		}
	}
	return false
}

// findName finds a unit by its name alone.
func (g *Gazetteer) findName(n Named, name string) (Unit, HowUnit, *Fault) {
	ways := []HowUnit{UnitByName, UnitByBareName, UnitByLooseName}
	var elsewhere []int
	for j := range folds() {
		found := g.fitting(g.called(j, name, true), n)
		if inside := g.within(found, n.District); len(inside) > 0 {
			// Nà Tòng and Na Tông are two: what is elsewhere to the letter is not this one without marks.
			if len(elsewhere) > 0 {
				f := fault(RuleUnit, name, "huyện %s có %s, còn %s viết đúng như vậy thì ở nơi khác: hãy nêu mã", "the district %s has %s, and %s, which is written so, is elsewhere: say the code",
					g.nameOf(n.District), g.units[inside[0]].Name, g.units[elsewhere[0]].Name)
				f.Readings = g.labels(append(inside, elsewhere...))
				return Unit{}, "", f
			}
			if len(inside) > 1 {
				return Unit{}, "", g.several(name, n, inside)
			}
			return g.units[inside[0]], ways[j], nil
		}
		if len(elsewhere) == 0 {
			elsewhere = found
		}
	}
	if len(elsewhere) > 0 {
		f := fault(RuleUnit, name, "huyện %s không có %s %q; nơi khác thì có", "the district %s has no %s %q; others have", g.nameOf(n.District), levelWord(n.Level), name)
		f.Readings = g.labels(elsewhere)
		return Unit{}, "", f
	}
	f := fault(RuleUnit, name, "không có %s nào tên %q%s", "there is no %s called %q%s", levelWord(n.Level), name, onDate(n.Date))
	candidates := g.fitting(g.called(1, name, false), n) // of another type
	if len(candidates) == 0 {
		candidates = g.alike(n, name)
	}
	f.Readings = g.labels(candidates)
	if len(candidates) == 1 {
		f.likely(g.units[candidates[0]].Name)
	}
	return Unit{}, "", f
}

// called are the units of a name by one of the folds, each type of unit that the name has being the
// unit's own, where both are known, if that is asked for.
func (g *Gazetteer) called(by int, name string, strict bool) []int {
	key := folds()[by]
	for _, s := range slices.Backward(spellings(name)) {
		var found []int
		for _, u := range g.byName[by][key(s.name)] {
			if !strict || s.kind == "" || g.kindOf(u) == "" || g.kindOf(u) == s.kind {
				found = append(found, u.unit)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// kindOf is the type of the unit that has a name, as this or the first of its names has it.
func (g *Gazetteer) kindOf(u unitName) string {
	if u.kind != "" {
		return u.kind
	}
	if own := spellings(g.units[u.unit].Name); len(own) > 1 {
		return own[len(own)-1].kind
	}
	return ""
}

// within are the units in a district; all of them where none is said.
func (g *Gazetteer) within(units []int, district string) []int {
	if district == "" {
		return units
	}
	var inside []int
	for _, i := range units {
		if g.units[i].Parent == district {
			inside = append(inside, i)
		}
	}
	return inside
}

func (g *Gazetteer) several(name string, n Named, units []int) *Fault {
	f := fault(RuleUnit, name, "có %[2]d %[1]s tên %[3]q: hãy nêu mã hoặc huyện", "there are %[2]d of %[1]s called %[3]q: say the code or the district", levelWord(n.Level), len(units), name)
	f.Readings = g.labels(units)
	return f
}

// mostCandidates is how many units a fault names.
const mostCandidates = 5

// alike are the units whose names look like one.
func (g *Gazetteer) alike(n Named, name string) []int {
	var near [3][]int
	for i := range g.units {
		least := 3
		for _, own := range append([]string{g.units[i].Name}, g.units[i].Aliases...) {
			for _, a := range spellings(own) {
				for _, b := range spellings(name) {
					if d := distance(loose(a.name), loose(b.name), 2); d < least && misspelt(loose(a.name), loose(b.name)) {
						least = d
					}
				}
			}
		}
		if least < 3 {
			near[least] = append(near[least], i)
		}
	}
	for _, units := range near {
		for _, district := range []string{n.District, ""} {
			if fits := g.within(g.fitting(units, n), district); len(fits) > 0 {
				return fits[:min(len(fits), mostCandidates)]
			}
		}
	}
	return nil
}

// label is a unit as candidates are named: code, name and the unit above.
func label(u Unit) string {
	text := u.Code + " " + u.Name
	if u.Parent != "" {
		text += " (" + u.Parent + ")"
	}
	return text
}

func (g *Gazetteer) labels(units []int) []string {
	var labels []string
	for _, i := range units[:min(len(units), mostCandidates)] {
		labels = append(labels, label(g.units[i]))
	}
	return labels
}

// nameOf is the name of a unit with a code, or the code.
func (g *Gazetteer) nameOf(code string) string {
	if of := g.byCode[code]; len(of) > 0 {
		return g.units[of[0]].Name
	}
	return code
}

func levelWord(l Level) geo.Text {
	switch l {
	case Province:
		return geo.Text{VI: "tỉnh", EN: "province"}
	case District:
		return geo.Text{VI: "huyện", EN: "district"}
	}
	return geo.Text{VI: "xã", EN: "commune"}
}

// onDate tells on which date something is not; "" for none.
func onDate(d geo.Date) geo.Text {
	if d.IsZero() {
		return geo.Text{}
	}
	return geo.Text{VI: " vào ngày " + d.Text().VI, EN: " on " + d.Text().EN}
}
