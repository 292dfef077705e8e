package permit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Canonical writes JSON as RFC 8785 does: without white space, members by their names in
// UTF-16, numbers as the shortest that are the same double, and characters as they are but
// for those that must be escaped. So the same document has the same bytes, whoever wrote it.
//
// Refused are what the RFC leaves out: text that is not UTF-8, names that occur twice in an
// object, numbers that no double holds, and anything behind the document. Cost: O(bytes).
func Canonical(raw []byte) ([]byte, error) {
	if !utf8.Valid(raw) {
		return nil, errors.New("the JSON is no UTF-8 text")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	out, err := appendCanonical(nil, d)
	if err != nil {
		return nil, fmt.Errorf("read the JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON document")
	}
	return out, nil
}

// appendCanonical writes the next value of the decoder, which refuses nesting beyond its
// own limit of 10 000.
func appendCanonical(dst []byte, d *json.Decoder) ([]byte, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return appendCanonicalObject(dst, d)
		}
		return appendCanonicalArray(dst, d)
	case json.Number:
		return appendCanonicalNumber(dst, t)
	case string:
		return appendCanonicalText(dst, t), nil
	case bool:
		return strconv.AppendBool(dst, t), nil
	default:
		return append(dst, "null"...), nil
	}
}

func appendCanonicalArray(dst []byte, d *json.Decoder) (_ []byte, err error) {
	dst = append(dst, '[')
	for i := 0; d.More(); i++ {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendCanonical(dst, d); err != nil {
			return nil, err
		}
	}
	_, err = d.Token()
	return append(dst, ']'), err
}

// canonicalMember is a member of an object, its name also as the order goes by it.
type canonicalMember struct {
	name  []uint16
	bytes []byte
}

func appendCanonicalObject(dst []byte, d *json.Decoder) ([]byte, error) {
	var members []canonicalMember
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string) // the decoder takes nothing else for a name
		text, err := appendCanonical(append(appendCanonicalText(nil, name), ':'), d)
		if err != nil {
			return nil, err
		}
		members = append(members, canonicalMember{utf16.Encode([]rune(name)), text})
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	slices.SortFunc(members, func(a, b canonicalMember) int { return slices.Compare(a.name, b.name) })
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			if slices.Equal(m.name, members[i-1].name) {
				return nil, fmt.Errorf("the member %q occurs twice", string(utf16.Decode(m.name)))
			}
			dst = append(dst, ',')
		}
		dst = append(dst, m.bytes...)
	}
	return append(dst, '}'), nil
}

// appendCanonicalNumber writes a number as ECMAScript does, which is as appendFloat does but
// for the zero below zero.
func appendCanonicalNumber(dst []byte, n json.Number) ([]byte, error) {
	x, err := n.Float64()
	if err != nil || math.IsInf(x, 0) {
		return nil, fmt.Errorf("no double holds the number %.40s", n)
	}
	if x == 0 {
		return append(dst, '0'), nil
	}
	return appendFloat(dst, x), nil
}

func appendCanonicalText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			dst = appendEscaped(dst, s[i:i+1])
			continue
		}
		dst = append(dst, s[i])
	}
	return append(dst, '"')
}
