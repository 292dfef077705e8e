package geo

import (
	"encoding/json"
	"fmt"
	"time"
)

// Date is a civil date without time or zone: the unit of valid time, "when
// something holds in the world or in law". The zero value is not a date; IsZero
// tells it apart. Dates compare with == and Compare.
type Date struct{ t time.Time }

// NewDate returns the given civil date. Out-of-range days roll over as in time.Date.
func NewDate(year int, month time.Month, day int) Date {
	return Date{time.Date(year, month, day, 0, 0, 0, 0, time.UTC)}
}

// DateOf returns the civil date of t in t's own zone.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return NewDate(y, m, d)
}

// ParseDate reads YYYY-MM-DD (RFC 3339 full-date), years 0001 to 9999.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1 {
		return Date{}, fmt.Errorf("%q is not a date of the form YYYY-MM-DD", s)
	}
	return Date{t}, nil
}

// IsZero reports whether d is the zero value, that is, no date.
func (d Date) IsZero() bool { return d.t.IsZero() }

// Time returns midnight UTC of the date.
func (d Date) Time() time.Time { return d.t }

// Compare returns -1, 0 or +1 as d is before, equal to or after e.
func (d Date) Compare(e Date) int { return d.t.Compare(e.t) }

// Equal reports whether d and e are the same date, or both none.
func (d Date) Equal(e Date) bool { return d.t.Equal(e.t) }

// Before reports whether d is earlier than e.
func (d Date) Before(e Date) bool { return d.t.Before(e.t) }

// String writes YYYY-MM-DD; the zero value writes "".
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.t.Format(time.DateOnly)
}

// Text writes the date for people, 01/02/2006 and 1 February 2006; the zero value writes "".
func (d Date) Text() Text {
	if d.IsZero() {
		return Text{}
	}
	return Text{VI: d.t.Format("02/01/2006"), EN: d.t.Format("2 January 2006")}
}

// MarshalJSON writes a date string; the zero value is null.
func (d Date) MarshalJSON() ([]byte, error) {
	if d.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(d.String())
}

// UnmarshalJSON reads a date string; null is the zero value.
func (d *Date) UnmarshalJSON(data []byte) error {
	var s *string
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("a date is a string of the form YYYY-MM-DD: %w", err)
	}
	if s == nil {
		*d = Date{}
		return nil
	}
	p, err := ParseDate(*s)
	*d = p
	return err
}

// Period is a half-open span of valid time [From, To). A zero To is open.
type Period struct {
	From Date `json:"valid_from"`
	To   Date `json:"valid_to"`
}

// Contains reports whether the period holds on day d: From <= d < To.
func (p Period) Contains(d Date) bool {
	return !d.Before(p.From) && (p.To.IsZero() || d.Before(p.To))
}
