package filter

import (
	"math/rand/v2"
	"time"
)

// wide is the schema of the tests: two properties of every kind that has two sides.
var wide = Schema{
	"name": KindText, "alias": KindText, "count": KindInteger, "rank": KindInteger, "x": KindNumber, "y": KindNumber,
	"flag": KindBoolean, "other": KindBoolean, "day": KindDate, "last": KindDate, "at": KindTimestamp, "until": KindTimestamp,
	"tags": KindTextList, "geometry": KindGeometry,
}

// names are the properties of a kind.
func names(k Kind) []string {
	return map[Kind][]string{
		KindText: {"name", "alias"}, KindInteger: {"count", "rank"}, KindNumber: {"x", "y"}, KindBoolean: {"flag", "other"},
		KindDate: {"day", "last"}, KindTimestamp: {"at", "until"},
	}[k]
}

// maker makes random filters that pass Check against wide.
type maker struct {
	*rand.Rand
	mark string // stands in every text literal, for a search
}

func newMaker(seed uint64) *maker { return &maker{Rand: rand.New(rand.NewPCG(seed, 1))} }

func pick[T any](m *maker, from ...T) T { return from[m.IntN(len(from))] }

func call(op string, args ...Expr) *Call { return &Call{Op: op, Args: args} }

// condition makes a condition of so many levels.
func (m *maker) condition(depth int) Expr {
	if depth > 0 && m.IntN(3) > 0 {
		switch m.IntN(4) {
		case 0:
			return call("not", m.condition(depth-1))
		case 1:
			return call("isNull", m.anything(depth-1))
		default:
			c := call(pick(m, "and", "or"))
			for range 2 + m.IntN(3) {
				c.Args = append(c.Args, m.condition(depth-1))
			}
			return c
		}
	}
	switch m.IntN(11) {
	case 0:
		return pick[Expr](m, &Boolean{Value: m.IntN(2) == 0}, &Property{Name: pick(m, "flag", "other")})
	case 1, 2:
		k := pick(m, KindText, KindNumber, KindTimestamp)
		return call(pick(m, "=", "<>", "<", ">", "<=", ">="), m.scalar(k), m.scalar(k))
	case 3:
		return call(pick(m, "=", "<>", "<", "<=", ">", ">="), m.scalar(KindBoolean), m.scalar(KindBoolean))
	case 4:
		return call("like", m.scalar(KindText), m.folded(&Text{Value: m.mark + pick(m, "M%", "%ng", "_%", "%", "", `a\%b`, `a\_b`, "%m%g%", "đ_ng", "Mường%", "ss", "Σ%", `a\\b`, `%\\`, "a\n%", `%\'`)}))
	case 5:
		k := pick(m, KindText, KindNumber, KindTimestamp)
		return call("between", m.scalar(k), m.scalar(k), m.scalar(k))
	case 6:
		k := pick(m, KindText, KindNumber, KindTimestamp)
		list := &List{}
		for range 1 + m.IntN(4) {
			list.Items = append(list.Items, m.scalar(k))
		}
		return call("in", m.scalar(k), list)
	case 7:
		return m.arrays()
	case 8, 9:
		return call(pick(m, "t_after", "t_before", "t_contains", "t_disjoint", "t_during", "t_equals", "t_finishedBy", "t_finishes", "t_intersects",
			"t_meets", "t_metBy", "t_overlappedBy", "t_overlaps", "t_startedBy", "t_starts"), m.period(), m.period())
	}
	return m.spatial()
}

func (m *maker) anything(depth int) Expr {
	switch m.IntN(5) {
	case 0:
		return m.condition(depth)
	case 1:
		return pick[Expr](m, &Property{Name: "tags"}, &Property{Name: "geometry"}, m.period(), m.shape(true))
	}
	return m.scalar(pick(m, KindText, KindNumber, KindTimestamp, KindBoolean))
}

// scalar makes a literal, a property or an expression of a family.
func (m *maker) scalar(k Kind) Expr {
	literal := m.IntN(2) == 0
	switch k {
	case KindText:
		if literal {
			return m.folded(&Text{Value: m.mark + pick(m, "Mường", "MƯỜNG", "Mu\u031bo\u031b\u0300ng", "muong", "Đông", "đông", "dong", "ß", "SS", "ΣΑΣ", "a%b", "a'b", `a\b`, `a\`, `\'`, `a\nb`, "a\nb", "\a\b\t\v\f\r", "")})
		}
		return m.folded(&Property{Name: pick(m, names(KindText)...)})
	case KindNumber:
		return m.number(2)
	case KindBoolean:
		if literal {
			return &Boolean{Value: m.IntN(2) == 0}
		}
		return &Property{Name: pick(m, names(KindBoolean)...)}
	}
	return m.instant()
}

func (m *maker) folded(e Expr) Expr {
	for range m.IntN(3) {
		e = call(pick(m, "casei", "accenti"), e)
	}
	return e
}

func (m *maker) number(depth int) Expr {
	if depth > 0 && m.IntN(3) == 0 {
		op := pick(m, "+", "-", "*", "/", "%", "div", "^")
		if op == "^" {
			return call(op, m.number(depth-1), &Number{Whole: true, Int: m.Int64N(4)})
		}
		return call(op, m.number(depth-1), m.number(depth-1))
	}
	switch m.IntN(4) {
	case 0:
		return &Property{Name: pick(m, names(KindInteger)...)}
	case 1:
		return &Property{Name: pick(m, names(KindNumber)...)}
	case 2:
		return pick(m, &Number{Float: 2.5}, &Number{Float: -0.5}, &Number{Float: 1e200}, &Number{Float: 1e-200})
	}
	return &Number{Whole: true, Int: pick[int64](m, 0, 1, 2, -3, 7, 1<<53+1)}
}

var (
	someDays  = []time.Time{day(1), day(2), day(3), day(4)}
	someTimes = []time.Time{day(1), day(1).Add(time.Hour), day(2), day(3).Add(time.Second), day(4)}
)

func day(n int) time.Time { return time.Date(2020, 1, n, 0, 0, 0, 0, time.UTC) }

func (m *maker) instant() Expr {
	return pick[Expr](m, &Property{Name: pick(m, names(KindDate)...)}, &Property{Name: pick(m, names(KindTimestamp)...)},
		&Date{Value: pick(m, someDays...)}, &Timestamp{Value: pick(m, someTimes...)})
}

// period makes an instant or an interval in order.
func (m *maker) period() Expr {
	if m.IntN(2) == 0 {
		return m.instant()
	}
	i := &Interval{From: m.end(), To: m.end()}
	from, known := timeOf(i.From)
	if to, both := timeOf(i.To); known && both && to.Before(from) {
		i.From, i.To = i.To, i.From
	}
	return i
}

func (m *maker) end() Expr {
	if m.IntN(6) == 0 {
		return &Open{}
	}
	return m.instant()
}

func (m *maker) arrays() Expr {
	op := pick(m, "a_contains", "a_containedBy", "a_equals", "a_overlaps")
	if m.IntN(4) == 0 {
		list := func() *List {
			l := &List{}
			for range m.IntN(4) {
				l.Items = append(l.Items, pick(m, &Number{Whole: true, Int: m.Int64N(3)}, &Number{Float: 0.5}))
			}
			return l
		}
		return call(op, list(), list())
	}
	list := func() Expr {
		if m.IntN(2) == 0 {
			return &Property{Name: "tags"}
		}
		l := &List{}
		for range m.IntN(4) {
			l.Items = append(l.Items, pick[Expr](m, &Text{Value: m.mark + "a"}, &Text{Value: m.mark + "b"}, &Text{Value: m.mark + "c"}, m.scalar(KindText)))
		}
		return l
	}
	return call(op, list(), list())
}

func (m *maker) spatial() Expr {
	op := pick(m, "s_contains", "s_crosses", "s_disjoint", "s_equals", "s_intersects", "s_overlaps", "s_touches", "s_within")
	args := []Expr{&Property{Name: "geometry"}, m.shape(op == "s_intersects" || op == "s_disjoint")}
	if m.IntN(8) == 0 {
		args[1] = &Property{Name: "geometry"}
	}
	if m.IntN(2) == 0 {
		args[0], args[1] = args[1], args[0]
	}
	return call(op, args...)
}

// shape makes a literal on whole degrees: rectangles, upright lines, points.
func (m *maker) shape(mixed bool) Expr {
	x, y := float64(m.IntN(4)), float64(m.IntN(4))
	w, h := float64(1+m.IntN(3)), float64(1+m.IntN(3))
	rectangle := func(x, y float64) [][]Position {
		return [][]Position{{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}, {x, y}}}
	}
	line := func(x float64) []Position { return []Position{{x, y}, {x, y + h}} }
	one := func(kind string, parts ...[][]Position) *Geometry { return &Geometry{Kind: kind, Parts: parts} }
	switch n := m.IntN(8); {
	case n == 0:
		return &Box{Min: Position{x, y}, Max: Position{x + w - 1, y + h}}
	case n == 1:
		return one("Polygon", rectangle(x, y))
	case n == 2:
		return one("MultiPolygon", rectangle(x, y), rectangle(x+w+1, y))
	case n == 3:
		return one("LineString", [][]Position{line(x)})
	case n == 4:
		return one("MultiLineString", [][]Position{line(x), line(x + 1)})
	case n == 5:
		return one("MultiPoint", [][]Position{{{x, y}, {x + w, y}}})
	case n == 6 && mixed:
		return &Geometry{Kind: "GeometryCollection", Members: []*Geometry{one("Point", [][]Position{{{x, y}}}), one("Polygon", rectangle(x+1, y))}}
	}
	return one("Point", [][]Position{{{x, y}}})
}
