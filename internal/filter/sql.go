package filter

import (
	"fmt"
	"strings"
)

// SQL writes the filter as a condition of PostgreSQL with PostGIS, in parentheses. column
// gives the SQL of a property, of the kind the schema has for it (bigint, double precision,
// text, boolean, date, timestamptz, text[], geometry in 4326); bind takes a value and
// returns its placeholder. Nothing else of the filter's literals and names enters the text.
func (f *Filter) SQL(column func(name string) string, bind func(value any) string) string {
	return (&compiler{f, column, bind}).sql(f.tree)
}

type compiler struct {
	*Filter
	column func(string) string
	bind   func(any) string
}

func (c *compiler) sql(e Expr) string {
	switch e := e.(type) {
	case *Property:
		return c.column(e.Name)
	case *Text:
		s, _ := foldedText(e)
		return c.bind(s) + "::text"
	case *Number:
		if e.Whole {
			return c.bind(e.Int) + "::bigint"
		}
		return c.bind(e.Float) + "::double precision"
	case *Boolean:
		return c.bind(e.Value) + "::boolean"
	case *Date:
		return c.bind(e.Value) + "::date"
	case *Timestamp:
		return c.bind(e.Value) + "::timestamptz"
	case *Geometry, *Box:
		return c.geometry(e)
	case *Interval:
		// Only IS NULL comes here: an interval is there when its ends are.
		return "(CASE WHEN " + c.time(e.From, true) + " IS NOT NULL AND " + c.time(e.To, false) + " IS NOT NULL THEN true END)"
	case *Call:
		return "(" + c.call(e) + ")"
	}
	panic(fmt.Sprintf("filter: %T was checked and has no SQL", e))
}

func (c *compiler) call(e *Call) string {
	switch operators[e.Op] {
	case logical:
		return c.join(e.Args, map[string]string{"and": " AND ", "or": " OR "}[e.Op], c.sql)
	case negation:
		return "NOT " + c.sql(e.Args[0])
	case isNull:
		return c.sql(e.Args[0]) + " IS NULL"
	case comparison:
		as := c.comparable(e.Args, e.Op != "=" && e.Op != "<>")
		return as(e.Args[0]) + " " + e.Op + " " + as(e.Args[1])
	case between:
		as := c.comparable(e.Args, true)
		return as(e.Args[0]) + " BETWEEN " + as(e.Args[1]) + " AND " + as(e.Args[2])
	case in:
		return c.in(e)
	case like:
		return c.sql(e.Args[0]) + " LIKE " + c.sql(e.Args[1])
	case folding:
		return c.folding(e)
	case arithmetic:
		return c.arithmetic(e)
	case spatial:
		return c.spatial(e)
	case temporal:
		return c.temporal(e)
	}
	return c.array(e)
}

func (c *compiler) join(parts []Expr, between string, as func(Expr) string) string {
	all := make([]string, len(parts))
	for i, e := range parts {
		all[i] = as(e)
	}
	return strings.Join(all, between)
}

// comparable returns how parts are written that are compared with each other: dates as
// times where there are both, texts by code point where their order counts.
func (c *compiler) comparable(parts []Expr, order bool) func(Expr) string {
	dates, times, texts := false, false, false
	for _, e := range parts {
		dates = dates || c.kinds[e] == KindDate
		times = times || c.kinds[e] == KindTimestamp
		texts = texts || c.kinds[e] == KindText
	}
	return func(e Expr) string {
		switch {
		case dates && times:
			return c.time(e, false)
		case texts && order:
			return "(" + c.sql(e) + ` COLLATE "C")`
		}
		return c.sql(e)
	}
}

// in binds a list of texts as one array, which an index serves. Whole numbers are kept
// from other numbers, which PostgreSQL would round them to.
func (c *compiler) in(e *Call) string {
	list, _ := behindIn(e)
	var texts []string
	var groups [2][]Expr
	for _, item := range list.Items {
		if s, ok := foldedText(item); ok {
			texts = append(texts, s)
		}
		i := 0
		if c.kinds[item] == KindNumber {
			i = 1
		}
		groups[i] = append(groups[i], item)
	}
	if len(texts) == len(list.Items) {
		return c.sql(e.Args[0]) + " = ANY (" + c.bind(texts) + "::text[])"
	}
	as := c.comparable(append([]Expr{e.Args[0]}, list.Items...), false)
	left := as(e.Args[0])
	var in []string
	for _, items := range groups {
		if len(items) > 0 {
			in = append(in, left+" IN ("+c.join(items, ", ", as)+")")
		}
	}
	return strings.Join(in, " OR ")
}

// combiningSQL is the class of combining marks of FoldAccents.
const combiningSQL = `[\u0300-\u036F\u1AB0-\u1AFF\u1DC0-\u1DFF\u20D0-\u20FF\uFE20-\uFE2F]`

func (c *compiler) folding(e *Call) string {
	if s, ok := foldedText(e); ok {
		return c.bind(s) + "::text"
	}
	inner := c.sql(e.Args[0])
	if e.Op == "casei" {
		return "translate(lower(upper(" + inner + ` COLLATE "und-x-icu")), 'ς', 'σ')`
	}
	return "translate(regexp_replace(normalize(" + inner + ", NFD), '" + combiningSQL + "', '', 'g'), 'đĐ', 'dD')"
}

// spatialFunctions are PostGIS's names; S_DISJOINT is the negation of S_INTERSECTS.
var spatialFunctions = map[string]string{
	"s_contains": "ST_Contains", "s_crosses": "ST_Crosses", "s_disjoint": "NOT ST_Intersects", "s_equals": "ST_Equals",
	"s_intersects": "ST_Intersects", "s_overlaps": "ST_Overlaps", "s_touches": "ST_Touches", "s_within": "ST_Within",
}

func (c *compiler) spatial(e *Call) string {
	return spatialFunctions[e.Op] + "(" + c.join(e.Args, ", ", c.sql) + ")"
}

// geometry binds a literal. Areas and collections are made valid first, because GEOS fails
// on some invalid ones; what is left of lower dimension is dropped.
func (c *compiler) geometry(e Expr) string {
	g, _ := e.(*Geometry)
	box, isBox := e.(*Box)
	if isBox {
		g = box.outline()
	}
	sql := "ST_GeomFromWKB(" + c.bind(wkb(nil, g)) + "::bytea, 4326)"
	d := g.dimension()
	switch {
	case isBox && g.Kind != "GeometryCollection", g.Kind != "GeometryCollection" && d < 2:
		return sql
	case d < 0:
		return "ST_UnaryUnion(ST_MakeValid(" + sql + "))"
	}
	return fmt.Sprintf("ST_CollectionExtract(ST_UnaryUnion(ST_MakeValid(%s)), %d)", sql, d+1)
}

// time writes an instant as a timestamptz; an open end is without end.
func (c *compiler) time(e Expr, from bool) string {
	if _, open := e.(*Open); open {
		return map[bool]string{true: "'-infinity'::timestamptz", false: "'infinity'::timestamptz"}[from]
	}
	if c.kinds[e] == KindDate {
		return "(" + c.sql(e) + "::timestamp AT TIME ZONE 'UTC')"
	}
	return c.sql(e)
}

// end writes one end of an operand; an instant begins and ends with itself.
func (c *compiler) end(e Expr, from bool) string {
	i, ok := e.(*Interval)
	switch {
	case !ok:
		return c.time(e, from)
	case from:
		return c.time(i.From, from)
	}
	return c.time(i.To, from)
}

// temporalSQL are the relations of the intervals from %[1]s to %[2]s and %[3]s to %[4]s.
var temporalSQL = map[string]string{
	"t_after":        "%[1]s > %[4]s",
	"t_before":       "%[2]s < %[3]s",
	"t_contains":     "%[1]s < %[3]s AND %[2]s > %[4]s",
	"t_disjoint":     "%[1]s > %[4]s OR %[2]s < %[3]s",
	"t_during":       "%[1]s > %[3]s AND %[2]s < %[4]s",
	"t_equals":       "%[1]s = %[3]s AND %[2]s = %[4]s",
	"t_finishedBy":   "%[1]s < %[3]s AND %[2]s = %[4]s",
	"t_finishes":     "%[1]s > %[3]s AND %[2]s = %[4]s",
	"t_intersects":   "%[1]s <= %[4]s AND %[2]s >= %[3]s",
	"t_meets":        "%[2]s = %[3]s",
	"t_metBy":        "%[1]s = %[4]s",
	"t_overlappedBy": "%[1]s > %[3]s AND %[1]s < %[4]s AND %[2]s > %[4]s",
	"t_overlaps":     "%[1]s < %[3]s AND %[2]s > %[3]s AND %[2]s < %[4]s",
	"t_startedBy":    "%[1]s = %[3]s AND %[2]s > %[4]s",
	"t_starts":       "%[1]s = %[3]s AND %[2]s < %[4]s",
}

// temporal binds only those ends that the relation looks at.
func (c *compiler) temporal(e *Call) string {
	sql := temporalSQL[e.Op]
	for i, mark := range []string{"%[1]s", "%[2]s", "%[3]s", "%[4]s"} {
		if strings.Contains(sql, mark) {
			sql = strings.ReplaceAll(sql, mark, c.end(e.Args[i/2], i%2 == 0))
		}
	}
	return sql
}

// array compares lists as sets.
func (c *compiler) array(e *Call) string {
	item := KindText
	for _, arg := range e.Args {
		if list, ok := arg.(*List); ok && len(list.Items) > 0 {
			item = c.kinds[list.Items[0]].family()
		}
	}
	a, b := c.set(e.Args[0], item), c.set(e.Args[1], item)
	switch e.Op {
	case "a_contains":
		return a + " @> " + b
	case "a_containedBy":
		return a + " <@ " + b
	case "a_overlaps":
		return a + " && " + b
	}
	return a + " @> " + b + " AND " + a + " <@ " + b
}

// columnTypes are the types of a list's items.
var columnTypes = map[Kind]string{KindText: "text", KindNumber: "double precision", KindBoolean: "boolean", KindTimestamp: "timestamptz"}

func (c *compiler) set(e Expr, item Kind) string {
	list, ok := e.(*List)
	if !ok {
		return c.sql(e)
	}
	as := c.sql
	if item == KindTimestamp {
		as = func(e Expr) string { return c.time(e, false) }
	}
	return "ARRAY[" + c.join(list.Items, ", ", as) + "]::" + columnTypes[item] + "[]"
}

// The guards of arithmetic: outside them the result is unknown, where PostgreSQL would
// fail because of a division by zero, an overflow or an underflow.
const (
	guardSum      = "abs(x) <= 8e307 AND abs(y) <= 8e307"
	guardProduct  = "abs(x) <= 1e150 AND abs(y) <= 1e150 AND (x = 0 OR y = 0 OR abs(x) >= 1e-150 AND abs(y) >= 1e-150)"
	guardQuotient = "abs(x) <= 1e150 AND abs(y) <= 1e150 AND abs(y) >= 1e-150 AND (x = 0 OR abs(x) >= 1e-150)"
)

// arithmeticSQL are the operations on x and y, double precision.
var arithmeticSQL = map[string]string{
	"+":   "CASE WHEN " + guardSum + " THEN x + y END",
	"-":   "CASE WHEN " + guardSum + " THEN x - y END",
	"*":   "CASE WHEN " + guardProduct + " THEN x * y END",
	"/":   "CASE WHEN " + guardQuotient + " THEN x / y END",
	"div": "CASE WHEN " + guardQuotient + " THEN trunc(x / y) END",
	"%":   "CASE WHEN " + guardQuotient + " THEN x - y * trunc(x / y) END",
	"^": `CASE WHEN x IS NULL OR y IS NULL OR NOT (abs(x) <= 1e150 AND abs(y) <= 1e15 AND (y = 0 OR abs(y) >= 1e-15)) THEN NULL
		WHEN y = 0 THEN 1 WHEN x = 0 THEN CASE WHEN y > 0 THEN 0 END WHEN x < 0 AND y <> trunc(y) THEN NULL
		WHEN abs(y * ln(abs(x))) <= 690 THEN power(x, y) END`,
}

// arithmetic computes in a subquery, whose OFFSET keeps the planner from writing the
// operands into it twice over, and from computing constants ahead of the guards.
func (c *compiler) arithmetic(e *Call) string {
	return "SELECT " + arithmeticSQL[e.Op] + " FROM (SELECT " + c.sql(e.Args[0]) + "::double precision AS x, " +
		c.sql(e.Args[1]) + "::double precision AS y OFFSET 0) AS operands"
}
