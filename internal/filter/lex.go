package filter

import (
	"strings"
	"unicode/utf8"
)

// token kinds.
type tokenKind int

const (
	tokenEnd    tokenKind = iota
	tokenName             // an identifier or a keyword
	tokenQuoted           // an identifier in double quotes
	tokenText             // a character literal, without its quotes
	tokenNumber           // digits, without a sign
	tokenSign             // an operator or punctuation
)

type token struct {
	kind  tokenKind
	value string
	at    int
}

// lexer cuts text into tokens.
type lexer struct {
	text  string
	pos   int
	draft bool // reads ILIKE, and in texts no escapes but that of a quote
}

// next returns the next token, or an error of one fault.
func (l *lexer) next() (token, error) {
	for l.pos < len(l.text) {
		r, size := utf8.DecodeRuneInString(l.text[l.pos:])
		if !blank(r) {
			break
		}
		l.pos += size
	}
	start := l.pos
	if start == len(l.text) {
		return token{kind: tokenEnd, at: start}, nil
	}
	r, size := utf8.DecodeRuneInString(l.text[start:])
	switch {
	case r == '\'':
		return l.characters()
	case r == '"':
		return l.quoted()
	case '0' <= r && r <= '9' || r == '.':
		return l.number()
	case nameStart(r):
		return token{tokenName, l.take(namePart), start}, nil
	}
	for _, sign := range []string{"<>", "<=", ">=", "<", ">", "=", "(", ")", ",", "+", "-", "*", "/", "%", "^"} {
		if strings.HasPrefix(l.text[start:], sign) {
			l.pos += len(sign)
			return token{tokenSign, sign, start}, nil
		}
	}
	return token{}, wrong(Syntax, Place{Offset: start}, "không nhận ký tự %q ở đây", "the character %q is not taken here", l.text[start:start+size])
}

// take returns the longest run of runes that ok accepts.
func (l *lexer) take(ok func(rune) bool) string {
	start := l.pos
	for l.pos < len(l.text) {
		r, size := utf8.DecodeRuneInString(l.text[l.pos:])
		if !ok(r) {
			break
		}
		l.pos += size
	}
	return l.text[start:l.pos]
}

// escapes are what may follow a backslash in a character literal, and what it stands for.
// Before anything else a backslash is one: the grammar has it among the characters, and
// LIKE reads \% and \_ in its patterns.
var escapes = map[byte]byte{'\'': '\'', '\\': '\\', 'a': '\a', 'b': '\b', 't': '\t', 'n': '\n', 'v': '\v', 'f': '\f', 'r': '\r'}

// characters reads a character literal, in which two quotes are one.
func (l *lexer) characters() (token, error) {
	start := l.pos
	var b strings.Builder
	for i := start + 1; i < len(l.text); i++ {
		c, next := l.text[i], byte(0)
		if i+1 < len(l.text) {
			next = l.text[i+1]
		}
		meant, escaped := escapes[next]
		switch {
		case c == '\\' && escaped && (!l.draft || next == '\''), c == '\'' && next == '\'':
			b.WriteByte(meant)
			i++
		case c == '\'':
			l.pos = i + 1
			return token{tokenText, b.String(), start}, nil
		default:
			b.WriteByte(c)
		}
	}
	return token{}, wrong(Syntax, Place{Offset: start}, "chuỗi thiếu dấu ' ở cuối", "the text has no ' at its end")
}

// quoted reads the name of a property in double quotes.
func (l *lexer) quoted() (token, error) {
	start := l.pos
	name, _, ok := strings.Cut(l.text[start+1:], `"`)
	if !ok {
		return token{}, wrong(Syntax, Place{Offset: start}, "tên thiếu dấu \" ở cuối", "the name has no \" at its end")
	}
	if !isProperty(name) {
		return token{}, wrong(Syntax, Place{Offset: start}, "%q không phải tên", "%q is not a name", clip(name))
	}
	l.pos += len(name) + 2
	return token{tokenQuoted, name, start}, nil
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

// number reads an unsigned number.
func (l *lexer) number() (token, error) {
	start := l.pos
	whole := l.take(isDigit)
	fraction := ""
	if strings.HasPrefix(l.text[l.pos:], ".") {
		l.pos++
		fraction = l.take(isDigit)
	}
	good := whole != "" || fraction != ""
	if rest := l.text[l.pos:]; good && rest != "" && (rest[0] == 'e' || rest[0] == 'E') {
		l.pos++
		if rest = rest[1:]; rest != "" && (rest[0] == '+' || rest[0] == '-') {
			l.pos++
		}
		good = l.take(isDigit) != ""
	}
	if r, _ := utf8.DecodeRuneInString(l.text[l.pos:]); l.pos < len(l.text) && namePart(r) {
		good = false
		l.take(namePart)
	}
	if !good {
		return token{}, wrong(Syntax, Place{Offset: start}, "%q không phải số", "%q is not a number", clip(l.text[start:l.pos]))
	}
	return token{tokenNumber, l.text[start:l.pos], start}, nil
}
