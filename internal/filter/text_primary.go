package filter

import (
	"strings"
)

// prefix reads an operand, with what may stand before one.
func (p *parser) prefix() (Expr, error) {
	at, tok := p.here(), p.tok
	switch {
	case tok.kind == tokenNumber:
		return p.number("")
	case tok.kind == tokenText:
		e, err := newText(at, tok.value)
		if err != nil {
			return nil, err
		}
		return e, p.advance()
	case tok.kind == tokenQuoted:
		return &Property{at, tok.value}, p.advance()
	case tok.kind == tokenName:
		return p.word()
	case p.sign("("):
		if err := p.advance(); err != nil {
			return nil, err
		}
		e, err := p.expr(0)
		if err != nil {
			return nil, err
		}
		return e, p.need(")")
	case p.sign("-"), p.sign("+"):
		return p.signed()
	}
	return nil, p.unexpected()
}

func (p *parser) number(sign string) (Expr, error) {
	n, ok := newNumber(p.here(), sign+p.tok.value)
	if !ok {
		return nil, wrong(Syntax, p.here(), "số %q quá lớn", "the number %q is too large", clip(p.tok.value))
	}
	return n, p.advance()
}

// signed reads a signed number, or the negation of an operand, which is -1 times it.
func (p *parser) signed() (Expr, error) {
	at, sign := p.here(), p.tok.value
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.kind == tokenNumber {
		return p.number(sign)
	}
	if sign == "+" {
		return nil, p.unexpected()
	}
	e, err := p.expr(bindOperand)
	if err != nil {
		return nil, err
	}
	return &Call{at, "*", []Expr{&Number{At: at, Whole: true, Int: -1}, e}}, nil
}

// word reads what begins with a word: a keyword, a literal, a call or a property.
func (p *parser) word() (Expr, error) {
	at, name := p.here(), p.tok.value
	folded := strings.ToLower(name)
	opens := p.after.kind == tokenSign && p.after.value == "("
	switch folded {
	case "true", "false":
		return &Boolean{at, folded == "true"}, p.advance()
	case "not":
		if err := p.advance(); err != nil {
			return nil, err
		}
		e, err := p.expr(bindNot)
		return &Call{at, "not", []Expr{e}}, err
	case "and", "or", "like", "between", "in", "is", "null":
		return nil, p.unexpected()
	}
	if kind, ok := geometryKinds[folded]; ok && (opens || p.after.kind == tokenName && strings.EqualFold(p.after.value, "z")) {
		return p.geometry(kind)
	}
	if err := p.advance(); err != nil || !opens {
		return &Property{at, name}, err
	}
	switch folded {
	case "date", "timestamp":
		return p.instant(folded)
	case "interval":
		return p.interval(at)
	case "bbox":
		return p.box(at)
	case "div", "isnull":
		return nil, wrong(Syntax, at, "%q không phải tên hàm", "%q is not the name of a function", name)
	}
	return p.call(at, name)
}

// call reads the operands of a function.
func (p *parser) call(at Place, name string) (Expr, error) {
	op, known := operatorNamed(name)
	if known && !functionLike(operators[op]) {
		return nil, wrong(Syntax, at, "%q không phải tên hàm", "%q is not the name of a function", name)
	}
	if !known {
		op = name
	}
	list, err := p.list(!known || operators[op] == array)
	if err != nil {
		return nil, err
	}
	if least, most := operands(operators[op]); known && (len(list.Items) < least || len(list.Items) > most) {
		return nil, wrong(Syntax, at, "%s cần %d toán hạng, không phải %d", "%s takes %d operands, not %d", strings.ToUpper(op), least, len(list.Items))
	}
	return &Call{at, op, list.Items}, nil
}

// instant reads a date or a time in parentheses.
func (p *parser) instant(word string) (Expr, error) {
	if err := p.need("("); err != nil {
		return nil, err
	}
	at, value := p.here(), p.tok.value
	if p.tok.kind != tokenText {
		return nil, p.missing("'YYYY-MM-DD…'")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.need(")"); err != nil {
		return nil, err
	}
	if word == "date" {
		return orError(newDate(at, value))
	}
	return orError(newTimestamp(at, value))
}

// orError keeps a nil pointer from becoming an Expr.
func orError[E Expr](e E, err error) (Expr, error) {
	if err != nil {
		return nil, err
	}
	return e, nil
}

func (p *parser) interval(at Place) (Expr, error) {
	if err := p.need("("); err != nil {
		return nil, err
	}
	from, err := p.end()
	if err != nil {
		return nil, err
	}
	if err := p.need(","); err != nil {
		return nil, err
	}
	to, err := p.end()
	if err != nil {
		return nil, err
	}
	return &Interval{at, from, to}, p.need(")")
}

func (p *parser) end() (Expr, error) {
	at := p.here()
	if p.tok.kind == tokenText {
		e, err := newEnd(at, p.tok.value)
		if err != nil {
			return nil, err
		}
		return e, p.advance()
	}
	e, err := p.expr(bindOperand)
	if err == nil && !canEnd(e) {
		err = wrongEnd(at)
	}
	return e, err
}
