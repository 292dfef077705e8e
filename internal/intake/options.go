package intake

import "hatang/internal/layer"

// Options say what a file does not, and against what it is held; the zero value guesses
// what can be guessed, and refuses the rest.
type Options struct {
	Mapping Mapping // of columns, against what they are called
	Strict  bool    // columns of which nothing is taken are faults

	DecimalComma Comma     // of all numbers
	DateOrder    DateOrder // of all dates in digits
	// Vocabulary are the values that are allowed, or known, of fields beside those that the
	// layer says: the operators of a plan, by field.
	Vocabulary map[string][]layer.Value
}
