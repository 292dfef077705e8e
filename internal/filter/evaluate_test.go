package filter

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// This file says what a filter means once more, in plain Go and without SQL: the two are
// held against each other. A nil value is unknown.

// row is the values of a row by property: string, int64, float64, bool, time.Time,
// []string and Position; nil where there is none.
type row map[string]any

func (r row) eval(e Expr) any {
	switch e := e.(type) {
	case *Property:
		return r[e.Name]
	case *Text:
		return norm.NFC.String(e.Value)
	case *Number:
		if e.Whole {
			return e.Int
		}
		return e.Float
	case *Boolean:
		return e.Value
	case *Date:
		return e.Value
	case *Timestamp:
		return e.Value
	case *Geometry, *Box:
		return e
	case *Interval:
		if r.eval(e.From) == nil || r.eval(e.To) == nil {
			return nil
		}
		return e
	case *Open:
		return e
	case *Call:
		return r.call(e)
	}
	panic(fmt.Sprintf("%T has no value", e))
}

func (r row) call(e *Call) any {
	switch f := operators[e.Op]; f {
	case logical:
		return r.logical(e)
	case negation:
		return not(r.eval(e.Args[0]))
	case isNull:
		return r.eval(e.Args[0]) == nil
	case in:
		return r.in(r.eval(e.Args[0]), e.Args[1].(*List).Items)
	case between:
		x, low, high := r.eval(e.Args[0]), r.eval(e.Args[1]), r.eval(e.Args[2])
		return and(compared(">=", x, low), compared("<=", x, high))
	case temporal:
		return r.temporal(e)
	case array:
		return r.array(e)
	default:
		a := r.eval(e.Args[0])
		if f == folding {
			if a == nil {
				return nil
			}
			return folded(e.Op, a.(string))
		}
		b := r.eval(e.Args[1])
		if a == nil || b == nil {
			return nil
		}
		switch f {
		case comparison:
			return compared(e.Op, a, b)
		case like:
			return matches([]rune(a.(string)), []rune(b.(string)))
		case arithmetic:
			return computed(e.Op, number(a), number(b))
		}
		return related(e.Op, a, b)
	}
}

func and(a, b any) any {
	if a == false || b == false {
		return false
	}
	if a == nil || b == nil {
		return nil
	}
	return true
}

func not(a any) any {
	if a == nil {
		return nil
	}
	return !a.(bool)
}

func or(a, b any) any { return not(and(not(a), not(b))) }

func (r row) logical(e *Call) any {
	v := r.eval(e.Args[0])
	for _, arg := range e.Args[1:] {
		if e.Op == "and" {
			v = and(v, r.eval(arg))
		} else {
			v = or(v, r.eval(arg))
		}
	}
	return v
}

func (r row) in(x any, items []Expr) any {
	var v any = false
	for _, item := range items {
		v = or(v, compared("=", x, r.eval(item)))
	}
	return v
}

func number(v any) float64 {
	if n, ok := v.(int64); ok {
		return float64(n)
	}
	return v.(float64)
}

func compared(op string, a, b any) any {
	if a == nil || b == nil {
		return nil
	}
	c := 0
	switch x := a.(type) {
	case string:
		c = strings.Compare(x, b.(string))
	case time.Time:
		c = x.Compare(b.(time.Time))
	case bool:
		switch y := b.(bool); {
		case x && !y:
			c = 1
		case y && !x:
			c = -1
		}
	default:
		n, whole := a.(int64)
		if k, both := b.(int64); whole && both {
			c = cmp.Compare(n, k)
		} else {
			c = cmp.Compare(number(a), number(b))
		}
	}
	switch op {
	case "=":
		return c == 0
	case "<>":
		return c != 0
	case "<":
		return c < 0
	case ">":
		return c > 0
	case "<=":
		return c <= 0
	}
	return c >= 0
}

// What letters lower or without their marks still have to become.
var (
	lowered  = strings.NewReplacer("ß", "ss", "ς", "σ")
	unmarked = strings.NewReplacer("đ", "d", "Đ", "D")
)

func folded(op, s string) string {
	if op == "casei" {
		return lowered.Replace(strings.ToLower(s))
	}
	var b strings.Builder
	for _, r := range norm.NFD.String(s) {
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(r)
		}
	}
	return unmarked.Replace(b.String())
}

// matches is LIKE by trying everything.
func matches(s, pattern []rune) bool {
	if len(pattern) == 0 {
		return len(s) == 0
	}
	switch pattern[0] {
	case '%':
		return matches(s, pattern[1:]) || len(s) > 0 && matches(s[1:], pattern)
	case '_':
		return len(s) > 0 && matches(s[1:], pattern[1:])
	case '\\':
		pattern = pattern[1:]
	}
	return len(s) > 0 && s[0] == pattern[0] && matches(s[1:], pattern[1:])
}

// computed is arithmetic where it has a finite value of some size, else nothing.
func computed(op string, x, y float64) any {
	size := func(v, low, high float64) bool { return v == 0 || math.Abs(v) >= low && math.Abs(v) <= high }
	medium := size(x, 1e-150, 1e150) && size(y, 1e-150, 1e150)
	switch op {
	case "+":
		if size(x, 0, 8e307) && size(y, 0, 8e307) {
			return x + y
		}
	case "-":
		if size(x, 0, 8e307) && size(y, 0, 8e307) {
			return x - y
		}
	case "*":
		if medium || (x == 0 || y == 0) && size(x, 0, 1e150) && size(y, 0, 1e150) {
			return x * y
		}
	case "^":
		if v := math.Pow(x, y); size(x, 0, 1e150) && size(v, 1e-290, 1e290) && (v != 0 || x == 0) {
			return v
		}
	default:
		if !medium || y == 0 {
			return nil
		}
		switch op {
		case "/":
			return x / y
		case "div":
			return math.Trunc(x / y)
		}
		product := y * math.Trunc(x/y)
		return x - product
	}
	return nil
}

// bounds are the ends of an instant or interval; nil where unknown.
func (r row) bounds(e Expr) (from, to any) {
	i, ok := e.(*Interval)
	if !ok {
		at := r.eval(e)
		return at, at
	}
	from, to = r.eval(i.From), r.eval(i.To)
	if _, open := from.(*Open); open {
		from = time.Time{}
	}
	if _, open := to.(*Open); open {
		to = time.Unix(1<<40, 0)
	}
	return from, to
}

func (r row) temporal(e *Call) any {
	a, b := r.bounds(e.Args[0])
	c, d := r.bounds(e.Args[1])
	is := func(x any, op string, y any) any { return compared(op, x, y) }
	switch e.Op {
	case "t_after":
		return is(a, ">", d)
	case "t_before":
		return is(b, "<", c)
	case "t_disjoint":
		return or(is(a, ">", d), is(b, "<", c))
	case "t_intersects":
		return not(or(is(a, ">", d), is(b, "<", c)))
	case "t_equals":
		return and(is(a, "=", c), is(b, "=", d))
	case "t_contains":
		return and(is(c, ">", a), is(d, "<", b))
	case "t_during":
		return and(is(a, ">", c), is(b, "<", d))
	case "t_finishes":
		return and(is(b, "=", d), is(a, ">", c))
	case "t_finishedBy":
		return and(is(b, "=", d), is(c, ">", a))
	case "t_starts":
		return and(is(a, "=", c), is(b, "<", d))
	case "t_startedBy":
		return and(is(a, "=", c), is(d, "<", b))
	case "t_meets":
		return is(b, "=", c)
	case "t_metBy":
		return is(d, "=", a)
	case "t_overlaps":
		return and(and(is(a, "<", c), is(c, "<", b)), is(b, "<", d))
	default: // t_overlappedBy
		return and(and(is(c, "<", a), is(a, "<", d)), is(d, "<", b))
	}
}

// set returns the items of a list; false when the list is unknown.
func (r row) set(e Expr) ([]any, bool) {
	var items []any
	if list, ok := e.(*List); ok {
		for _, item := range list.Items {
			v := r.eval(item)
			if n, ok := v.(int64); ok {
				v = float64(n)
			}
			items = append(items, v)
		}
		return items, true
	}
	tags, ok := r.eval(e).([]string)
	for _, tag := range tags {
		items = append(items, tag)
	}
	return items, ok
}

func (r row) array(e *Call) any {
	a, known := r.set(e.Args[0])
	b, both := r.set(e.Args[1])
	if !known || !both {
		return nil
	}
	contains := func(a, b []any) bool {
		return !slices.ContainsFunc(b, func(v any) bool { return v == nil || !slices.Contains(a, v) })
	}
	switch e.Op {
	case "a_contains":
		return contains(a, b)
	case "a_containedBy":
		return contains(b, a)
	case "a_equals":
		return contains(a, b) && contains(b, a)
	}
	return slices.ContainsFunc(b, func(v any) bool { return v != nil && slices.Contains(a, v) })
}

// Where a point lies.
const (
	outside = iota
	onBoundary
	inside
)

// related relates a point with a point, a rectangle, an upright line, or several.
func related(op string, a, b any) bool {
	p, first := a.(Position)
	if !first {
		p = b.(Position)
		b = a
		switch op {
		case "s_contains":
			op = "s_within"
		case "s_within":
			op = "s_contains"
		}
	}
	where, alone := locate(p, b)
	switch op {
	case "s_intersects":
		return where != outside
	case "s_disjoint":
		return where == outside
	case "s_within":
		return where == inside
	case "s_touches":
		return where == onBoundary
	case "s_contains", "s_equals":
		return alone
	}
	return false // a single point neither crosses nor overlaps
}

// locate says where p lies in a shape, and whether the shape is p and nothing else.
func locate(p Position, shape any) (where int, alone bool) {
	switch shape := shape.(type) {
	case Position:
		return locate(p, &Geometry{Kind: "Point", Parts: [][][]Position{{{shape}}}})
	case *Box:
		return span(p, shape.Min, shape.Max)
	case *Geometry:
		for _, m := range shape.Members {
			w, _ := locate(p, m)
			where = max(where, w)
		}
		alone = dimension(shape.Kind) == 0
		for _, part := range shape.Parts {
			for _, ring := range part {
				for _, q := range ring {
					alone = alone && q == p
				}
				switch dimension(shape.Kind) {
				case 0:
					if slices.Contains(ring, p) {
						where = inside
					}
				case 1:
					w, _ := span(p, ring[0], ring[1])
					where = max(where, w)
				default:
					w, _ := span(p, ring[0], ring[2])
					where = max(where, w)
				}
			}
		}
	}
	return where, alone
}

// span locates p in the rectangle, upright or level line, or point between two corners.
func span(p, low, high Position) (where int, alone bool) {
	where = inside
	flat := 0
	for axis := range 2 {
		switch v := p[axis]; {
		case low[axis] == high[axis]:
			flat++
			if v != low[axis] {
				return outside, false
			}
		case v < low[axis] || v > high[axis]:
			return outside, false
		case v == low[axis] || v == high[axis]:
			where = onBoundary
		}
	}
	return where, flat == 2
}
