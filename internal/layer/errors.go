package layer

import (
	"errors"
	"fmt"
	"strings"

	"hatang/geo"
)

// ErrNotFound is returned for a row, layer or document that does not exist or
// that the viewer may not see; the two are never told apart.
var ErrNotFound = errors.New("not found")

// ErrConflict is returned when a write meets another row's code.
var ErrConflict = errors.New("conflict")

// ErrFiled is the ErrConflict of a row that is in an open proposal, and stays as it was filed.
var ErrFiled = fmt.Errorf("%w: the row is in an open proposal", ErrConflict)

// FiledError is the ErrFiled that names the proposal.
type FiledError struct {
	Proposal int64 // 0: one that the viewer does not see
	Step     bool  // a step of it made what was to be taken back; it may be over
}

// Error says of which proposal the row is.
func (e *FiledError) Error() string { return fmt.Sprintf("proposal %d: %v", e.Proposal, ErrFiled) }

// Unwrap returns ErrFiled.
func (e *FiledError) Unwrap() error { return ErrFiled }

// ErrNameTaken is the ErrConflict of a reference layer whose name something else has.
var ErrNameTaken = fmt.Errorf("%w: the name is taken", ErrConflict)

// ErrTooManyLayers is the ErrConflict of a reference layer too many: MaxReferences are there.
var ErrTooManyLayers = fmt.Errorf("%w: there are too many reference layers", ErrConflict)

// ErrChanged is returned where the database has other tables or columns than the registry
// says: of a reference layer that has just been changed elsewhere.
var ErrChanged = errors.New("the layer is not what it was")

// ErrStale is returned when a row is no longer at the revision a write was made from.
var ErrStale = errors.New("changed meanwhile")

// ErrUnavailable is returned when the database cannot be reached or has no room now;
// the same request may succeed later.
var ErrUnavailable = errors.New("database unavailable")

// ErrNoSpace is returned when the database has no room left to write; nothing of the
// write was stored.
var ErrNoSpace = errors.New("the disk is full")

// ErrForbidden is returned for a write outside the territory of the viewer's role.
var ErrForbidden = errors.New("outside the territory of the role")

// ErrTimeout is returned when the database gave up a statement for its time limit.
var ErrTimeout = errors.New("statement took too long")

// Fault is one thing wrong with an input, at a JSON pointer ("/properties/height_m")
// or a parameter name ("bbox").
type Fault struct {
	At     string   `json:"at"`
	Detail geo.Text `json:"detail"`
}

// Faults is a list of faults in the order in which they were met.
type Faults []Fault

// Add appends a fault; the two texts are formats of the same arguments.
func (f *Faults) Add(at, vi, en string, args ...any) {
	*f = append(*f, Fault{At: at, Detail: geo.Text{VI: fmt.Sprintf(vi, args...), EN: fmt.Sprintf(en, args...)}})
}

// AddError appends what an error says: in both languages when it is a *ValueError.
func (f *Faults) AddError(at string, err error) {
	text := geo.Text{VI: err.Error(), EN: err.Error()}
	var value *ValueError
	if errors.As(err, &value) {
		text = value.Text
	}
	*f = append(*f, Fault{At: at, Detail: text})
}

// Err returns an *InvalidError holding the faults, or nil when there are none.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	return &InvalidError{Faults: f}
}

// InvalidError says that an input breaks rules; it holds every fault found.
type InvalidError struct{ Faults Faults }

// Error lists all faults in English.
func (e *InvalidError) Error() string {
	parts := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		if parts[i] = f.Detail.EN; f.At != "" { // else the whole input is meant
			parts[i] = f.At + ": " + f.Detail.EN
		}
	}
	return strings.Join(parts, "; ")
}
