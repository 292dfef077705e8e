package httpapi

import (
	"errors"
	"strings"
	"time"

	"hatang/geo"
	"hatang/internal/filter"
)

var errDatetime = errors.New("not a datetime")

// parseDatetime reads OGC's datetime: a date or RFC 3339 instant, which gives date;
// or an interval "a/b" whose ends may be open ("..", or empty), which gives the
// closed span. "../.." gives neither: every version. Times count as their own day,
// the unit of valid time.
func parseDatetime(s string) (date geo.Date, span [2]geo.Date, err error) {
	first, last, interval := strings.Cut(s, "/")
	if !interval {
		date, err = parseInstant(first)
		return date, span, err
	}
	for i, end := range []string{first, last} {
		if end == "" || end == ".." {
			continue
		}
		if span[i], err = parseInstant(end); err != nil {
			return date, span, err
		}
	}
	if first == "" && last == "" || !span[0].IsZero() && !span[1].IsZero() && span[1].Before(span[0]) {
		return date, span, errDatetime
	}
	return date, span, nil
}

func parseInstant(s string) (geo.Date, error) {
	s = filter.WholeTime(s) // as some clients write days, hours and minutes
	if d, err := geo.ParseDate(s); err == nil {
		return d, nil
	}
	// A plus sign that was not percent-encoded arrives as a space.
	t, err := time.Parse(time.RFC3339, strings.Replace(s, " ", "+", 1))
	if err != nil || t.Year() < 1 {
		return geo.Date{}, errDatetime
	}
	return geo.DateOf(t), nil
}
