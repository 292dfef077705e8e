package filter

import (
	"fmt"
	"strings"
)

// Code is the kind of a fault.
type Code string

// The kinds of fault; each limit has its own.
const (
	Syntax          Code = "syntax"
	UnknownProperty Code = "unknown-property"
	UnknownFunction Code = "unknown-function"
	WrongType       Code = "wrong-type"
	OutOfRange      Code = "out-of-range" // a coordinate
	TooLong         Code = "too-long"     // MaxTextBytes, MaxJSONBytes
	TooDeep         Code = "too-deep"     // MaxDepth
	TooManyNodes    Code = "too-many-nodes"
	TooManyVertices Code = "too-many-vertices"
	ListTooLong     Code = "list-too-long" // MaxList
)

// Fault is one thing wrong with a filter, where it stands, in Vietnamese and English.
type Fault struct {
	Code   Code
	At     Place
	VI, EN string
}

// Error holds every fault that was found, in the order of the filter.
type Error struct{ Faults []Fault }

// Error lists the faults in English.
func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.At.String() + ": " + f.EN
	}
	return strings.Join(lines, "; ")
}

// String names the place in English.
func (p Place) String() string {
	if p.JSON {
		return fmt.Sprintf("at %q", p.Pointer)
	}
	return fmt.Sprintf("at byte %d", p.Offset)
}

// faults collects faults.
type faults []Fault

// add appends a fault; the two texts are formats of the same arguments.
func (f *faults) add(code Code, at Place, vi, en string, args ...any) {
	*f = append(*f, Fault{code, at, fmt.Sprintf(vi, args...), fmt.Sprintf(en, args...)})
}

func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return &Error{f}
}

// wrong makes an error of one fault.
func wrong(code Code, at Place, vi, en string, args ...any) error {
	var f faults
	f.add(code, at, vi, en, args...)
	return f.err()
}

// clip shortens what a message quotes.
func clip(s string) string {
	const most = 60
	s = strings.ToValidUTF8(s, "�")
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}
