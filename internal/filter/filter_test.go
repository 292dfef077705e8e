package filter

import (
	"errors"
	"flag"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// often runs a property so many times.
func often(t *testing.T, n int, property func(*rapid.T)) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	before := checks.Value.String()
	if err := checks.Value.Set(fmt.Sprint(n)); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = checks.Value.Set(before) }()
	rapid.Check(t, property)
}

// No literal is ever in the text of the SQL, both forms are one filter with one SQL, and
// printing and reading changes nothing.
func TestLiteralsAreBound(t *testing.T) { seekCanaries(t, 10_000) }

// seekCanaries makes so many random filters and searches their SQL.
func seekCanaries(t *testing.T, n int) {
	const canary = "canary"
	often(t, n, func(t *rapid.T) {
		m := newMaker(rapid.Uint64().Draw(t, "seed"))
		m.mark = canary
		tree := m.condition(3)
		fromText, err := ParseText(String(tree))
		if err != nil {
			t.Skip(err) // over a limit
		}
		fromJSON, err := ParseJSON(JSON(tree))
		if err != nil {
			t.Fatalf("%s: %v", JSON(tree), err)
		}
		for _, other := range []Expr{fromText, fromJSON} {
			if !equal(tree, other) {
				t.Fatalf("read again it is another filter:\n%s", cmp.Diff(tree, other, same))
			}
		}
		sql := map[string]bool{}
		for _, e := range []Expr{tree, fromText, fromJSON} {
			f, err := Check(e, wide)
			if err != nil {
				t.Fatalf("%s: %v", String(e), err)
			}
			text, _ := statement(f)
			sql[text] = true
			if strings.Contains(strings.ToLower(text), canary) || strings.Contains(text, "2020") || strings.Contains(text, "9007199254740993") {
				t.Fatalf("a literal is in the text: %s", text)
			}
		}
		if len(sql) != 1 {
			t.Fatalf("%s has %d forms in SQL", String(tree), len(sql))
		}
	})
}

// equal is what cmp.Diff finds no difference in, wherever the parts stood, but fast.
func equal(a, b Expr) bool {
	switch a := a.(type) {
	case *Call:
		other, ok := b.(*Call)
		return ok && a.Op == other.Op && slices.EqualFunc(a.Args, other.Args, equal)
	case *List:
		other, ok := b.(*List)
		return ok && slices.EqualFunc(a.Items, other.Items, equal)
	case *Interval:
		other, ok := b.(*Interval)
		return ok && equal(a.From, other.From) && equal(a.To, other.To)
	case *Geometry:
		other, ok := b.(*Geometry)
		return ok && a.Kind == other.Kind && a.Z == other.Z && reflect.DeepEqual(a.Parts, other.Parts) &&
			slices.EqualFunc(a.Members, other.Members, func(a, b *Geometry) bool { return equal(a, b) })
	}
	return cmp.Equal(a, b, same)
}

func TestSyntaxFaults(t *testing.T) {
	for _, tt := range []struct {
		text string
		at   int
	}{
		{"", 0}, {"   ", 3}, {"name =", 6}, {"name = 'x", 7}, {`"name = 1`, 0}, {`"" = 1`, 0}, {"\"a\tb\" = 1", 0}, {"name = 'x' extra", 11}, {"(name = 'x'", 11},
		{"name = 1 = 2", 9}, {"2 ^ 3 ^ 4 = 1", 6}, {"x ~ 1", 2}, {"x = 1e", 4}, {"x = 10abc", 4}, {"x = 1e999", 4}, {"NOT", 3}, {"AND x", 0},
		{"x BETWEEN 1", 11}, {"x BETWEEN 1 OR 2", 12}, {"x IN 1", 5}, {"x IN ()", 6}, {"x NOT 1", 6}, {"x IS 1", 5}, {"x IS NOT 1", 9},
		{"DATE(2020)", 5}, {"DATE('2020-02-30')", 5}, {"TIMESTAMP('2020-01-01')", 10}, {"TIMESTAMP('2020-01-01T00:00:00+07:00')", 10},
		{"INTERVAL('2020-01-01')", 21}, {"INTERVAL('x', '..')", 9}, {"INTERVAL(1, '..')", 9}, {"POINT(1)", 7}, {"POINT(1 2, 3 4)", 5},
		{"LINESTRING(1 2)", 0}, {"POLYGON((1 2, 3 4, 5 6, 7 8))", 0}, {"POLYGON((1 2, 3 4, 1 2))", 0}, {"LINESTRING(1 2 3, 4 5)", 0},
		{"POINT Z (1 2)", 0}, {"BBOX(1,2,3)", 0}, {"BBOX(1,2,3,x)", 11}, {"S_INTERSECTS(geometry)", 0}, {"CASEI(a, b)", 0}, {"LIKE('a')", 0},
		{"GEOMETRYCOLLECTION(GEOMETRYCOLLECTION(POINT(1 2)))", 19}, {"'a\x00b' = name", 0}, {"name = 'a'; DROP TABLE x", 10},
	} {
		_, err := ParseText(tt.text)
		var wrong *Error
		if !errors.As(err, &wrong) || wrong.Faults[0].Code != Syntax || wrong.Faults[0].At.Offset != tt.at {
			t.Errorf("%q: %v, want a fault of syntax at %d", tt.text, err, tt.at)
		}
	}
	if _, err := ParseText("name = '\xff'"); err == nil {
		t.Error("text that is not UTF-8 was read")
	}
}

// What is no JSON is told of at the byte where it stops being any.
func TestWhereJSONBreaks(t *testing.T) {
	for raw, at := range map[string]int{
		``: 0, `  `: 2, `{"op":"=`: 8, `{"op":}`: 6, `{"op":"=","args":[1,2]`: 22, `{"op":"=",'args':[]}`: 10, `nil`: 1, `true false`: 10, "{\"op\":\"a\x01\"}": 8,
	} {
		_, err := ParseJSON([]byte(raw))
		var wrong *Error
		if !errors.As(err, &wrong) || wrong.Faults[0].Code != Syntax || wrong.Faults[0].At.JSON || wrong.Faults[0].At.Offset != at {
			t.Errorf("%q: %v, want a fault of syntax at byte %d", raw, err, at)
		}
	}
}

func TestJSONFaults(t *testing.T) {
	for _, tt := range []struct {
		raw string
		at  []string
	}{
		{`{"op":"and","args":[1]}`, []string{"/args"}}, {`{"op":"=","args":[{"property":1},{"date":"x"}]}`, []string{"/args/0/property", "/args/1"}},
		{`{"op":"=","args":[{"property":"a\"b"},null]}`, []string{"/args/0/property", "/args/1"}}, {`{}`, []string{""}}, {`[1]`, []string{""}},
		{`{"op":"null","args":[]}`, []string{"/op"}}, {`{"op":"a b","args":[]}`, []string{"/op"}}, {`{"op":"="}`, []string{"/args"}},
		{`{"op":"in","args":[1,2]}`, []string{"/args/1"}}, {`{"op":"in","args":[1,[]]}`, []string{"/args/1"}}, {`{"op":"=","args":[[1],2]}`, []string{"/args/0"}},
		{`{"bbox":[1,2,3]}`, []string{""}}, {`{"bbox":["1",2,3,4]}`, []string{"/bbox"}}, {`{"type":"Pt","coordinates":[1,2]}`, []string{"/type"}},
		{`{"type":"Polygon","coordinates":[[[1,2],["3",4]]]}`, []string{"/coordinates/0/1"}}, {`{"type":"Point","coordinates":[1,2,3,4]}`, []string{"/coordinates"}},
		{`{"interval":["..",1]}`, []string{"/interval/1"}}, {`{"interval":[".."]}`, []string{"/interval"}}, {`{"property":"a","x/y":1}`, []string{"/x~1y"}},
		{`{"op":"=","args":["a\u0000","b"]}`, []string{"/args/0"}},
		{`{"type":"GeometryCollection","geometries":[{"type":"GeometryCollection","geometries":[]}]}`, []string{"/geometries/0"}},
	} {
		_, err := ParseJSON([]byte(tt.raw))
		var wrong *Error
		if !errors.As(err, &wrong) {
			t.Errorf("%s: %v", tt.raw, err)
			continue
		}
		var at []string
		for _, f := range wrong.Faults {
			at = append(at, f.At.Pointer)
		}
		if d := cmp.Diff(tt.at, at); d != "" {
			t.Errorf("%s:\n%s", tt.raw, d)
		}
	}
	for _, raw := range []string{"", "{", `{"op":"="} x`, "nul"} {
		var wrong *Error
		if _, err := ParseJSON([]byte(raw)); !errors.As(err, &wrong) || wrong.Faults[0].At.JSON {
			t.Errorf("%q: %v, want a fault at a byte", raw, err)
		}
	}
}

// Every fault is told, with its place and its kind.
func TestCheckFaults(t *testing.T) {
	type fault struct {
		at   int
		code Code
	}
	for text, want := range map[string][]fault{
		"nothing = 1 AND x = 'a' OR f(y, none)": {{0, UnknownProperty}, {20, WrongType}, {27, UnknownFunction}, {32, UnknownProperty}},
		"x":                                     {{0, WrongType}},
		"'a'":                                   {{0, WrongType}},
		"NOT x AND name":                        {{4, WrongType}, {10, WrongType}},
		"flag < 1":                              {{7, WrongType}},
		"geometry < geometry":                   {{0, WrongType}, {11, WrongType}},
		"day = '2020-01-01'":                    {{6, WrongType}},
		"geometry = geometry":                   {{0, WrongType}, {11, WrongType}},
		"tags = tags":                           {{0, WrongType}, {7, WrongType}},
		"name + 1 = 2":                          {{0, WrongType}},
		"x LIKE 'a' OR name LIKE alias OR name LIKE CASEI(x)": {{0, WrongType}, {24, WrongType}, {43, WrongType}},
		"name LIKE ACCENTI('a\\\u0301')":                      {{10, WrongType}},
		"CASEI(x) = 'a'":                                      {{6, WrongType}},
		"x IN (1, 'a', day)":                                  {{9, WrongType}, {14, WrongType}},
		"x BETWEEN 'a' AND 2":                                 {{10, WrongType}},
		"S_WITHIN(name, POINT(181 2))":                        {{9, WrongType}, {15, OutOfRange}},
		"S_WITHIN(geometry, BBOX(1,5,2,4))":                   {{19, OutOfRange}},
		"S_WITHIN(geometry, GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 1 1)))": {{19, WrongType}},
		"S_WITHIN(geometry, LINESTRING(1 1, 1 1))":                                 {{19, OutOfRange}},
		"T_AFTER(name, day)": {{8, WrongType}},
		"T_AFTER(day, INTERVAL('2020-01-02','2020-01-01'))": {{13, OutOfRange}},
		"T_AFTER(day, INTERVAL(name,'2020-01-01'))":         {{22, WrongType}},
		"A_CONTAINS(name, ('a', 1))":                        {{11, WrongType}, {23, WrongType}},
		"A_CONTAINS(tags, (1, 2))":                          {{0, WrongType}},
		"A_EQUALS(tags, ((('a')), ('b', 'c')))":             {{16, WrongType}, {25, WrongType}},
	} {
		_, err := Check(readText(t, text), wide)
		var wrong *Error
		if !errors.As(err, &wrong) {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []fault
		for _, f := range wrong.Faults {
			got = append(got, fault{f.At.Offset, f.Code})
			if f.VI == "" || f.EN == "" || strings.Contains(f.VI+f.EN, "%!") {
				t.Errorf("%s: %+v", text, f)
			}
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(fault{})); d != "" {
			t.Errorf("%s (-want +got):\n%s%v", text, d, err)
		}
	}
}

// Each limit lets through what is at it, and refuses one more with its own code.
func TestLimits(t *testing.T) {
	text := func(n int) error { _, err := ParseText(strings.Repeat(" ", n-4) + "TRUE"); return err }
	nots := func(n int) error { _, err := ParseText(strings.Repeat("NOT ", n-1) + "TRUE"); return err }
	deep := func(n int) error {
		_, err := ParseJSON([]byte(strings.Repeat(`{"op":"not","args":[`, n-1) + "true" + strings.Repeat("]}", n-1)))
		return err
	}
	nodes := func(n int) error { _, err := ParseText("TRUE" + strings.Repeat(" OR TRUE", n-2)); return err }
	list := func(n int) error { _, err := ParseText("x IN (1" + strings.Repeat(",1", n-1) + ")"); return err }
	points := func(n int) error {
		_, err := ParseJSON([]byte(`{"type":"MultiPoint","coordinates":[[1,2]` + strings.Repeat(",[1,2]", n-1) + `]}`))
		return err
	}
	raw := func(n int) error { _, err := ParseJSON([]byte(strings.Repeat(" ", n-4) + "true")); return err }
	for _, tt := range []struct {
		code  Code
		limit int
		make  func(int) error
	}{
		{TooLong, MaxTextBytes, text}, {TooLong, MaxJSONBytes, raw}, {TooDeep, MaxDepth, nots}, {TooDeep, MaxDepth, deep},
		{TooManyNodes, MaxNodes, nodes}, {ListTooLong, MaxList, list}, {TooManyVertices, MaxVertices, points},
	} {
		for _, n := range []int{tt.limit - 1, tt.limit} {
			if err := tt.make(n); err != nil {
				t.Errorf("%s: %d is refused: %v", tt.code, n, err)
			}
		}
		var wrong *Error
		if err := tt.make(tt.limit + 1); !errors.As(err, &wrong) || wrong.Faults[0].Code != tt.code {
			t.Errorf("%s: %d is not refused so: %v", tt.code, tt.limit+1, err)
		}
	}
	for _, bomb := range []string{strings.Repeat("(", 8000), strings.Repeat("-", 8000), strings.Repeat("A_EQUALS(", 1500), strings.Repeat("f((", 4000), strings.Repeat("NOT ", 4000)} {
		var wrong *Error
		if _, err := ParseText(bomb); !errors.As(err, &wrong) || wrong.Faults[0].Code != TooDeep {
			t.Errorf("%.10s…: %v", bomb, err)
		}
	}
}

// A polygon may cross itself now and then, but not so often that repairing it is work.
func TestCrossings(t *testing.T) {
	comb := func(n int) Expr {
		ring := []Position{{0, 0}}
		for i := range n {
			ring = append(ring, Position{float64(i%2) * 10, 1 + float64(i)/1000})
		}
		for i := range n {
			ring = append(ring, Position{1 + float64(i)/1000, float64(i%2) * 10})
		}
		return call("s_intersects", &Property{Name: "geometry"}, &Geometry{Kind: "Polygon", Parts: [][][]Position{{append(ring, ring[0])}}})
	}
	if _, err := Check(comb(20), wide); err != nil {
		t.Errorf("some crossings: %v", err)
	}
	var wrong *Error
	if _, err := Check(comb(60), wide); !errors.As(err, &wrong) || wrong.Faults[0].Code != OutOfRange {
		t.Errorf("many crossings: %v", err)
	}
}

func TestPrecedence(t *testing.T) {
	for text, want := range map[string]string{
		"flag or other and not flag or x=1":          `"flag" OR ("other" AND (NOT "flag")) OR ("x" = 1)`,
		"not x = 1 and flag":                         `(NOT ("x" = 1)) AND "flag"`,
		"1+2*3^2 - 4 = -x^2":                         `((1 + (2 * (3 ^ 2))) - 4) = ((-1 * "x") ^ 2)`,
		"x between 1+1 and 2 and flag":               `("x" BETWEEN (1 + 1) AND 2) AND "flag"`,
		"x is not null":                              `NOT ("x" IS NULL)`,
		`name not like 'a\'b''c'`:                    `NOT ("name" LIKE 'a''b''c')`,
		"x div 2 div 3 = 5. and y = .5e-3":           `((("x" DIV 2) DIV 3) = 5) AND ("y" = 0.0005)`,
		"date = DATE('2020-01-01')":                  `"date" = DATE('2020-01-01')`,
		"t_FinishedBy(at, interval(a, '..'))":        `T_FINISHEDBY("at", INTERVAL("a", '..'))`,
		"a_equals((1),((1+2)*3,(4)))":                `A_EQUALS((1), ((1 + 2) * 3, (4)))`,
		"point = point(1 -2.5e0)":                    `"point" = POINT(1 -2.5)`,
		"multipoint(1 2,(3 4)) is null":              `MULTIPOINT((1 2), (3 4)) IS NULL`,
		"polygon((0 0 1,1 0 1,1 1 1,0 0 1)) is null": `POLYGON Z ((0 0 1, 1 0 1, 1 1 1, 0 0 1)) IS NULL`,
	} {
		e := readText(t, text)
		if got := String(e); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
		roundTrip(t, e)
	}
}

func TestTransform(t *testing.T) {
	shift := System{LatFirst: true, Inverse: func(x, y float64) (float64, float64, error) {
		if x > 100 {
			return 0, 0, errors.New("too far")
		}
		return x + 1, y + 2, nil
	}}
	e, err := Transform(readText(t, "S_WITHIN(geometry, POINT(10 20)) AND flag"), shift)
	if err != nil || String(e) != `S_WITHIN("geometry", POINT(21 12)) AND "flag"` {
		t.Errorf("%v, %v", e, err)
	}
	e, err = Transform(readText(t, "S_WITHIN(geometry, BBOX(10,20,11,22))"), shift)
	if err != nil {
		t.Fatal(err)
	}
	if g := e.(*Call).Args[1].(*Geometry); len(g.Parts[0][0]) != 4*cuts+1 || g.Parts[0][0][0] != (Position{21, 12}) || g.Parts[0][0][2*cuts] != (Position{23, 13}) {
		t.Errorf("%s", String(e))
	}
	e, err = Transform(readText(t, "S_WITHIN(geometry, BBOX(10,20,11,22))"), System{LatFirst: true, Straight: true})
	if err != nil || String(e) != `S_WITHIN("geometry", BBOX(20, 10, 22, 11))` {
		t.Errorf("%v, %v", e, err)
	}
	_, err = Transform(readText(t, "S_WITHIN(POINT(1 101), LINESTRING(1 101, 1 102)) AND S_WITHIN(geometry, BBOX(5,5,1,1))"), shift)
	var wrong *Error
	if !errors.As(err, &wrong) || len(wrong.Faults) != 3 || wrong.Faults[1].At.Offset != 23 {
		t.Errorf("%v", err)
	}
}

func FuzzParseText(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(String(newMaker(seed).condition(3)))
	}
	for _, s := range []string{"", "a", "((", "a = 'x''", "NOT NOT a", "- - a = 1", "f((1),((2)))", "x IN ((1),(2))", "POINT Z(1 2 3)", "INTERVAL('..',f())", "\xff", "a^b^c", "'\\''", `a = '\\\'\n\x\'`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseText(s)
		outcome(t, e, err)
	})
}

func FuzzParseJSON(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(JSON(newMaker(seed).condition(3)))
	}
	for _, s := range []string{"", "{}", "[]", "1e400", `{"op":"in","args":[1,[[1]]]}`, `{"op":"f","args":[[],[[1]]]}`, `{"type":"Point"}`, `{"bbox":[]}`, `{"op":"IN","args":[1,[1]]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := ParseJSON(raw)
		outcome(t, e, err)
	})
}

// outcome is a tree that is the same in both forms, or an error with places.
func outcome(t *testing.T, e Expr, err error) {
	var wrong *Error
	switch {
	case errors.As(err, &wrong) && len(wrong.Faults) > 0:
		for _, f := range wrong.Faults {
			if f.Code == "" || f.VI == "" || f.EN == "" || f.At.Offset < 0 || f.At.JSON && f.At.Pointer != "" && f.At.Pointer[0] != '/' {
				t.Errorf("a fault without a place: %+v", f)
			}
		}
		return
	case err != nil:
		t.Fatalf("an error without places: %v", err)
	}
	text, raw := String(e), JSON(e)
	if len(text) <= MaxTextBytes && !equal(e, readText(t, text)) {
		t.Errorf("%s is another filter", text)
	}
	if !equal(e, readJSON(t, raw)) {
		t.Errorf("%s is another filter", raw)
	}
	if f, err := Check(e, wide); err == nil {
		statement(f)
	}
}

// Fields of files have names that are no identifiers; both forms have them.
func TestNamesOfFiles(t *testing.T) {
	text, err := ParseText(`"Sĩ số (2016)" > 1`)
	if err != nil {
		t.Fatal(err)
	}
	inJSON, err := ParseJSON(JSON(text))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ParseText(String(inJSON)); err != nil || String(again) != `"Sĩ số (2016)" > 1` {
		t.Errorf("%s, %v", String(again), err)
	}
}
