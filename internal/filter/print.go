package filter

import "strings"

// String writes the tree as CQL2 Text, from which ParseText reads the same tree.
func String(e Expr) string {
	var b strings.Builder
	printer{&b}.print(e)
	return b.String()
}

type printer struct{ *strings.Builder }

func (w printer) print(e Expr) {
	switch e := e.(type) {
	case *Call:
		w.call(e)
	case *List:
		w.list("", e.Items)
	case *Property:
		w.WriteString(`"` + e.Name + `"`)
	case *Text:
		w.quote(e.Value)
	case *Number:
		w.WriteString(e.digits())
	case *Boolean:
		w.WriteString(map[bool]string{true: "TRUE", false: "FALSE"}[e.Value])
	case *Date:
		w.WriteString("DATE('" + e.Value.Format(dayForm) + "')")
	case *Timestamp:
		w.WriteString("TIMESTAMP('" + e.Value.Format(timeFor) + "')")
	case *Interval:
		w.WriteString("INTERVAL(")
		w.end(e.From)
		w.WriteString(", ")
		w.end(e.To)
		w.WriteString(")")
	case *Box:
		for i, x := range e.numbers() {
			w.WriteString(map[bool]string{true: "BBOX(", false: ", "}[i == 0] + decimals(x))
		}
		w.WriteString(")")
	case *Geometry:
		w.geometry(e)
	}
}

// quoted writes what a text may not hold as it is.
var quoted = strings.NewReplacer("'", "''", `\`, `\\`, "\a", `\a`, "\b", `\b`, "\t", `\t`, "\n", `\n`, "\v", `\v`, "\f", `\f`, "\r", `\r`)

func (w printer) quote(s string) { w.WriteString("'" + quoted.Replace(s) + "'") }

func (w printer) end(e Expr) {
	if s, ok := end(e); ok {
		w.quote(s)
		return
	}
	w.print(e)
}

func (w printer) list(name string, items []Expr) {
	w.WriteString(name + "(")
	for i, e := range items {
		if i > 0 {
			w.WriteString(", ")
		}
		w.print(e)
	}
	w.WriteString(")")
}

// call writes an operator; operands that are operators themselves are put in parentheses.
func (w printer) call(e *Call) {
	f := operators[e.Op]
	switch {
	case f == 0:
		w.list(e.Op, e.Args)
	case functionLike(f):
		w.list(strings.ToUpper(e.Op), e.Args)
	case f == negation:
		w.WriteString("NOT ")
		w.operand(e.Args[0])
	case f == isNull:
		w.operand(e.Args[0])
		w.WriteString(" IS NULL")
	case f == in:
		w.operand(e.Args[0])
		w.WriteString(" IN ")
		w.print(e.Args[1])
	case f == between:
		w.operand(e.Args[0])
		w.WriteString(" BETWEEN ")
		w.operand(e.Args[1])
		w.WriteString(" AND ")
		w.operand(e.Args[2])
	default:
		for i, arg := range e.Args {
			if i > 0 {
				w.WriteString(" " + strings.ToUpper(e.Op) + " ")
			}
			w.operand(arg)
		}
	}
}

func (w printer) operand(e Expr) {
	call, ok := e.(*Call)
	if !ok || operators[call.Op] == 0 || functionLike(operators[call.Op]) {
		w.print(e)
		return
	}
	w.WriteString("(")
	w.call(call)
	w.WriteString(")")
}

func (w printer) geometry(g *Geometry) {
	w.WriteString(strings.ToUpper(g.Kind))
	if g.Z {
		w.WriteString(" Z ")
	}
	w.WriteString("(")
	for i, m := range g.Members {
		w.comma(i)
		w.geometry(m)
	}
	depth := nesting[g.Kind]
	for i, part := range g.Parts {
		w.comma(i)
		w.open(depth > 2)
		for k, ring := range part {
			w.comma(k)
			w.open(depth > 1)
			for n, p := range ring {
				w.comma(n)
				w.open(g.Kind == "MultiPoint")
				w.WriteString(decimals(p[0]) + " " + decimals(p[1]))
				if g.Z {
					w.WriteString(" " + decimals(p[2]))
				}
				w.close(g.Kind == "MultiPoint")
			}
			w.close(depth > 1)
		}
		w.close(depth > 2)
	}
	w.WriteString(")")
}

func (w printer) comma(i int) {
	if i > 0 {
		w.WriteString(", ")
	}
}

func (w printer) open(yes bool) {
	if yes {
		w.WriteString("(")
	}
}

func (w printer) close(yes bool) {
	if yes {
		w.WriteString(")")
	}
}
