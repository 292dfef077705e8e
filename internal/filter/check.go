package filter

import (
	"slices"
	"strings"
)

// Kind is the type of a property's values.
type Kind int

// The kinds of property. Integer and number compare with each other, and so do date and
// timestamp.
const (
	KindText Kind = iota + 1
	KindInteger
	KindNumber
	KindBoolean
	KindDate
	KindTimestamp
	KindTextList
	KindGeometry

	kindInterval
	kindArray // a *List among the operands of an array function
)

// Schema names the properties that a filter may use. Names are compared as they are.
type Schema map[string]Kind

// Filter is a filter that has been checked: every property is known, every operand has
// the type its operator takes, and the whole is a condition. It does not change.
type Filter struct {
	tree  Expr
	kinds map[Expr]Kind
	names []string
}

// Check holds a tree against a schema and returns an *Error of everything that is wrong.
// Cost: one pass; polygons are also searched for edges that cross, which is quadratic in
// their vertices and stops at maxCrossings.
func Check(e Expr, schema Schema) (*Filter, error) {
	c := &checker{schema: schema, kinds: map[Expr]Kind{}}
	c.want(e, KindBoolean)
	if err := c.err(); err != nil {
		return nil, err
	}
	slices.Sort(c.names)
	return &Filter{e, c.kinds, slices.Compact(c.names)}, nil
}

// Tree returns the tree that was checked; it is not to be changed.
func (f *Filter) Tree() Expr { return f.tree }

// Properties returns the names of the properties that the filter uses, sorted.
func (f *Filter) Properties() []string { return slices.Clone(f.names) }

// String returns the filter as CQL2 Text.
func (f *Filter) String() string { return String(f.tree) }

// checker finds the kind of every part.
type checker struct {
	faults
	schema Schema
	kinds  map[Expr]Kind
	names  []string
}

// kind returns the kind of a part, 0 when it has faults, which have been recorded.
func (c *checker) kind(e Expr) Kind {
	k := c.find(e)
	c.kinds[e] = k
	return k
}

func (c *checker) find(e Expr) Kind {
	switch e := e.(type) {
	case *Property:
		k, ok := c.schema[e.Name]
		if !ok {
			c.add(UnknownProperty, e.At, "không có thuộc tính %q để lọc", "there is no property %q to filter by", clip(e.Name))
		}
		c.names = append(c.names, e.Name)
		return k
	case *Text:
		return KindText
	case *Number:
		if e.Whole {
			return KindInteger
		}
		return KindNumber
	case *Boolean:
		return KindBoolean
	case *Date:
		return KindDate
	case *Timestamp:
		return KindTimestamp
	case *Interval:
		return c.interval(e)
	case *Geometry:
		return c.geometry(e)
	case *Box:
		return c.box(e)
	case *Call:
		return c.call(e)
	}
	c.add(WrongType, e.Place(), "danh sách chỉ dùng trong các hàm A_… và sau IN", "a list belongs into the A_… functions and behind IN")
	return 0
}

// want records a fault when a part is of another kind than the one wanted.
func (c *checker) want(e Expr, wanted ...Kind) Kind {
	k := c.kind(e)
	if k != 0 && !slices.Contains(wanted, k) {
		c.add(WrongType, e.Place(), "ở đây phải là %[1]s, không phải %[2]s", "%[3]s must stand here, not %[4]s", wanted[0].vi(), k.vi(), wanted[0].en(), k.en())
		return 0
	}
	return k
}

// words of the kinds, Vietnamese and English.
var kindWords = map[Kind][2]string{
	KindText: {"chuỗi", "a text"}, KindInteger: {"số nguyên", "a whole number"}, KindNumber: {"số", "a number"},
	KindBoolean: {"điều kiện", "a condition"}, KindDate: {"ngày", "a date"}, KindTimestamp: {"thời điểm", "a time"},
	KindTextList: {"danh sách", "a list"}, KindGeometry: {"hình", "a geometry"}, kindInterval: {"khoảng thời gian", "an interval"},
	kindArray: {"danh sách", "a list"},
}

func (k Kind) vi() string { return kindWords[k][0] }
func (k Kind) en() string { return kindWords[k][1] }

// family is what a kind compares with.
func (k Kind) family() Kind {
	switch k {
	case KindInteger:
		return KindNumber
	case KindDate:
		return KindTimestamp
	}
	return k
}

var (
	numeric = []Kind{KindNumber, KindInteger}
	instant = []Kind{KindDate, KindTimestamp}
	scalar  = []Kind{KindText, KindNumber, KindInteger, KindDate, KindTimestamp, KindBoolean}
)

func (c *checker) call(e *Call) Kind {
	switch operators[e.Op] {
	case logical, negation:
		for _, arg := range e.Args {
			c.want(arg, KindBoolean)
		}
	case comparison, between: // conditions too: what is false comes before what is true
		c.alike(e.Args)
	case in:
		if list, ok := behindIn(e); ok {
			c.alike(append([]Expr{e.Args[0]}, list.Items...))
		}
	case arithmetic:
		for _, arg := range e.Args {
			c.want(arg, numeric...)
		}
		return KindNumber
	case like:
		c.want(e.Args[0], KindText)
		c.pattern(e.Args[1])
	case folding:
		c.want(e.Args[0], KindText)
		return KindText
	case isNull:
		if list, ok := e.Args[0].(*List); !ok {
			c.kind(e.Args[0])
		} else {
			c.find(list)
		}
	case spatial:
		for _, arg := range e.Args {
			c.want(arg, KindGeometry)
			c.mixed(e.Op, arg)
		}
	case temporal:
		for _, arg := range e.Args {
			c.want(arg, append([]Kind{kindInterval}, instant...)...)
		}
	case array:
		c.arrays(e)
	default:
		return c.function(e)
	}
	return KindBoolean
}

// function refuses functions, none of which there are, and looks for faults within.
func (c *checker) function(e *Call) Kind {
	c.add(UnknownFunction, e.At, "không có hàm %q", "there is no function %q", clip(e.Op))
	for _, arg := range e.Args {
		if _, ok := arg.(*List); !ok {
			c.kind(arg)
		}
	}
	return 0
}

// alike wants parts that are scalar and compare with the first of them.
func (c *checker) alike(parts []Expr) {
	var family Kind
	for _, e := range parts {
		k := c.kind(e)
		switch {
		case k == 0:
		case !slices.Contains(scalar, k):
			c.add(WrongType, e.Place(), "không so sánh được %[1]s bằng phép này", "%[2]s cannot be compared so", k.vi(), k.en())
		case family == 0:
			family = k.family()
		case k.family() != family:
			c.add(WrongType, e.Place(), "không so sánh được %[1]s với %[2]s", "%[3]s cannot be compared with %[4]s", k.vi(), family.vi(), k.en(), family.en())
		}
	}
}

// pattern wants a text literal, perhaps folded, whose escapes are complete.
func (c *checker) pattern(e Expr) {
	inner := e
	for {
		call, ok := inner.(*Call)
		if !ok || operators[call.Op] != folding {
			break
		}
		inner = call.Args[0]
	}
	if _, ok := inner.(*Text); !ok {
		c.add(WrongType, e.Place(), "mẫu của LIKE phải là chuỗi", "the pattern of LIKE must be a text")
		return
	}
	c.kind(e)
	s, _ := foldedText(e)
	if bare := strings.TrimRight(s, `\`); (len(s)-len(bare))%2 == 1 {
		c.add(WrongType, e.Place(), "mẫu của LIKE kết thúc bằng dấu \\", "the pattern of LIKE ends with a backslash")
	}
}

func (c *checker) interval(e *Interval) Kind {
	for _, end := range []Expr{e.From, e.To} {
		if _, open := end.(*Open); !open {
			c.want(end, instant...)
		}
	}
	from, known := timeOf(e.From)
	if to, both := timeOf(e.To); known && both && to.Before(from) {
		c.add(OutOfRange, e.At, "khoảng thời gian kết thúc trước khi bắt đầu", "the interval ends before it begins")
	}
	return kindInterval
}

// arrays wants two lists whose items compare with each other.
func (c *checker) arrays(e *Call) {
	var families [2]Kind
	for i, arg := range e.Args {
		list, ok := arg.(*List)
		if !ok {
			if c.want(arg, KindTextList) != 0 {
				families[i] = KindText
			}
			continue
		}
		c.kinds[list] = kindArray
		c.alike(list.Items)
		for _, item := range list.Items {
			families[i] = max(families[i], c.kinds[item].family())
		}
	}
	if a, b := families[0], families[1]; a != 0 && b != 0 && a != b {
		c.add(WrongType, e.At, "hai danh sách chứa %[1]s và %[2]s", "the lists hold values of two types: %[3]s and %[4]s", a.vi(), b.vi(), a.en(), b.en())
	}
}
