package filter

import (
	"strings"
	"unicode/utf8"
)

// ParseText reads CQL2 Text. It returns an *Error: of the first fault of syntax, at its
// byte, or of every limit exceeded. Cost: one pass; the depth of its recursion is bounded.
func ParseText(s string) (Expr, error) { return parseText(s, false) }

// parseText reads CQL2 Text, or what the draft before it had.
func parseText(s string, draft bool) (Expr, error) {
	if len(s) > MaxTextBytes {
		return nil, wrong(TooLong, Place{Offset: MaxTextBytes}, "bộ lọc dài hơn %d byte", "the filter is longer than %d bytes", MaxTextBytes)
	}
	if !utf8.ValidString(s) {
		return nil, wrong(Syntax, Place{Offset: len(s) - len(strings.ToValidUTF8(s, ""))}, "bộ lọc không phải UTF-8", "the filter is not UTF-8")
	}
	p := &parser{lexer: lexer{text: s, draft: draft}}
	if err := p.advance(); err != nil {
		return nil, err
	}
	e, err := p.expr(0)
	if err != nil {
		return nil, err
	}
	if p.tok.kind != tokenEnd {
		return nil, p.unexpected()
	}
	return e, withinLimits(e)
}

// How strongly operators bind, weakest first.
const (
	bindOr = iota + 1
	bindAnd
	bindNot
	bindCompare
	bindAdd
	bindMultiply
	bindPower
	bindOperand
)

// parser is a Pratt parser: tok is the token to be read next, after the one after it.
type parser struct {
	lexer
	tok, after token
	started    bool
	nested     int
}

// advance goes on by one token.
func (p *parser) advance() error {
	var err error
	if !p.started {
		p.started = true
		if p.after, err = p.next(); err != nil {
			return err
		}
	}
	p.tok = p.after
	if p.tok.kind != tokenEnd {
		p.after, err = p.next()
	}
	return err
}

func (p *parser) here() Place { return Place{Offset: p.tok.at} }

// keyword reports whether the next token is an unquoted word.
func (p *parser) keyword(word string) bool {
	return p.tok.kind == tokenName && strings.EqualFold(p.tok.value, word)
}

func (p *parser) sign(s string) bool { return p.tok.kind == tokenSign && p.tok.value == s }

// need goes over a sign that must stand here.
func (p *parser) need(s string) error {
	if !p.sign(s) {
		return p.missing(s)
	}
	return p.advance()
}

func (p *parser) missing(what string) error {
	return wrong(Syntax, p.here(), "ở đây phải là %s", "%s must stand here", what)
}

func (p *parser) unexpected() error {
	if p.tok.kind == tokenEnd {
		return wrong(Syntax, p.here(), "bộ lọc kết thúc giữa chừng", "the filter ends too early")
	}
	return wrong(Syntax, p.here(), "không hiểu %q ở đây", "%q is not understood here", clip(p.tok.value))
}

// expr reads an expression whose operators bind at least so strongly.
func (p *parser) expr(least int) (Expr, error) {
	p.nested++
	defer func() { p.nested-- }()
	if p.nested > maxNesting {
		return nil, wrong(TooDeep, p.here(), "bộ lọc lồng sâu hơn %d tầng", "the filter is nested deeper than %d", MaxDepth)
	}
	left, err := p.prefix()
	if err != nil {
		return nil, err
	}
	return p.infix(left, least)
}

// infix reads the operators that follow an operand.
func (p *parser) infix(left Expr, least int) (Expr, error) {
	once := 0 // the operator before, of those that do not chain
	for {
		op, binds := p.operator()
		if binds == 0 || binds < least {
			return left, nil
		}
		if binds == once {
			return nil, wrong(Syntax, p.here(), "cần dấu ngoặc quanh phép trước %q", "what stands before %q needs parentheses", clip(p.tok.value))
		}
		once = 0
		if binds == bindCompare || binds == bindPower {
			once = binds
		}
		var err error
		switch {
		case op == "and" || op == "or":
			left, err = p.chain(left, op, binds)
		case binds == bindCompare:
			left, err = p.predicate(left, op)
		default:
			left, err = p.binary(left, op, binds+1)
		}
		if err != nil {
			return nil, err
		}
	}
}

// operator returns the operator that stands here and how strongly it binds, 0 for none.
func (p *parser) operator() (string, int) {
	if p.tok.kind == tokenSign {
		switch op := p.tok.value; op {
		case "=", "<>", "<", ">", "<=", ">=":
			return op, bindCompare
		case "+", "-":
			return op, bindAdd
		case "*", "/", "%":
			return op, bindMultiply
		case "^":
			return op, bindPower
		}
		return "", 0
	}
	if p.tok.kind != tokenName {
		return "", 0
	}
	switch word := strings.ToLower(p.tok.value); word {
	case "or":
		return word, bindOr
	case "and":
		return word, bindAnd
	case "not", "like", "between", "in", "is":
		return word, bindCompare
	case "div":
		return word, bindMultiply
	case "ilike":
		if p.draft {
			return word, bindCompare
		}
	}
	return "", 0
}

// chain reads all operands of AND or OR into one call.
func (p *parser) chain(left Expr, op string, binds int) (Expr, error) {
	call := &Call{left.Place(), op, []Expr{left}}
	for p.keyword(op) {
		if err := p.advance(); err != nil {
			return nil, err
		}
		right, err := p.expr(binds + 1)
		if err != nil {
			return nil, err
		}
		call.Args = append(call.Args, right)
	}
	return call, nil
}

func (p *parser) binary(left Expr, op string, least int) (Expr, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	right, err := p.expr(least)
	if err != nil {
		return nil, err
	}
	return &Call{left.Place(), op, []Expr{left, right}}, nil
}

// predicate reads a comparison, or [NOT] LIKE, BETWEEN, IN, or IS [NOT] NULL.
func (p *parser) predicate(left Expr, op string) (Expr, error) {
	if operators[op] == comparison {
		return p.binary(left, op, bindAdd)
	}
	at := left.Place()
	if err := p.advance(); err != nil {
		return nil, err
	}
	not := op == "not"
	if not {
		op, _ = p.operator()
		if op != "like" && op != "ilike" && op != "between" && op != "in" {
			return nil, p.missing("LIKE, BETWEEN, IN")
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	var e Expr
	var err error
	switch op {
	case "like":
		var pattern Expr
		pattern, err = p.expr(bindAdd)
		e = &Call{at, op, []Expr{left, pattern}}
	case "ilike":
		var pattern Expr
		pattern, err = p.expr(bindAdd)
		e = &Call{at, "like", []Expr{&Call{at, "casei", []Expr{left}}, &Call{at, "casei", []Expr{pattern}}}}
	case "between":
		e, err = p.between(left)
	case "in":
		var list *List
		list, err = p.list(false)
		e = &Call{at, op, []Expr{left, list}}
	default:
		not, err = p.isNull()
		e = &Call{at, "isNull", []Expr{left}}
	}
	if err != nil {
		return nil, err
	}
	if not {
		return &Call{at, "not", []Expr{e}}, nil
	}
	return e, nil
}

func (p *parser) between(left Expr) (Expr, error) {
	low, err := p.expr(bindAdd)
	if err != nil {
		return nil, err
	}
	if !p.keyword("and") {
		return nil, p.missing("AND")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	high, err := p.expr(bindAdd)
	return &Call{left.Place(), "between", []Expr{left, low, high}}, err
}

// isNull reads what follows IS, and reports whether NOT is there.
func (p *parser) isNull() (not bool, err error) {
	if not = p.keyword("not"); not {
		if err := p.advance(); err != nil {
			return not, err
		}
	}
	if !p.keyword("null") {
		return not, p.missing("NULL")
	}
	return not, p.advance()
}

// list reads a list in parentheses; only an array may be empty or hold arrays.
func (p *parser) list(isArray bool) (*List, error) {
	l := &List{At: p.here(), Items: []Expr{}}
	if err := p.need("("); err != nil {
		return nil, err
	}
	if isArray && p.sign(")") {
		return l, p.advance()
	}
	for {
		item, err := p.item(isArray)
		if err != nil {
			return nil, err
		}
		l.Items = append(l.Items, item)
		if p.sign(")") {
			return l, p.advance()
		}
		if err := p.need(","); err != nil {
			return nil, err
		}
	}
}

// item reads an item of a list or an operand of a function. One that begins with a
// parenthesis is an array, unless the parenthesis is a part of a longer expression.
func (p *parser) item(mayBeArray bool) (Expr, error) {
	if !mayBeArray || !p.sign("(") {
		return p.expr(0)
	}
	p.nested++
	defer func() { p.nested-- }()
	if p.nested > maxNesting {
		return nil, wrong(TooDeep, p.here(), "bộ lọc lồng sâu hơn %d tầng", "the filter is nested deeper than %d", MaxDepth)
	}
	l, err := p.list(true)
	if err != nil || p.sign(",") || p.sign(")") || len(l.Items) != 1 {
		return l, err
	}
	if _, within := l.Items[0].(*List); within {
		return nil, p.unexpected()
	}
	return p.infix(l.Items[0], 0)
}
