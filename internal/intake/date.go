package intake

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"hatang/geo"
)

// DateOrder says in which order dates in digits are written.
type DateOrder string

// The orders.
const (
	OrderUnknown DateOrder = ""
	DayFirst     DateOrder = "dmy" // 05/03/2020 is the fifth of March
	MonthFirst   DateOrder = "mdy" // 05/03/2020 is the third of May
)

var (
	dayMonthYear = regexp.MustCompile(`^(\d{1,2})\s*[/.\-]\s*(\d{1,2})\s*[/.\-]\s*(\d{2}|\d{4})$`)
	yearMonthDay = regexp.MustCompile(`^(\d{4})[/.\-](\d{1,2})[/.\-](\d{1,2})$`)
	monthYear    = regexp.MustCompile(`^(?:tháng\s*)?(\d{1,2})\s*[/\-]\s*(\d{4})$`)
	yearOnly     = regexp.MustCompile(`^(?:năm\s*)?(\d{4})$`)
	inWords      = regexp.MustCompile(`^(?:ngày\s*)?(\d{1,2})\s*tháng\s*(\d{1,2})\s*năm\s*(\d{4})$`)
	midnight     = regexp.MustCompile(`(?i)[ t]0{1,2}:00(:00(\.0+)?)?(z|\+00:00)?$`)
)

// calendar is how a column writes dates.
type calendar struct {
	order      DateOrder // as somebody said
	monthFirst bool      // some date of the column can only be month first
	end        bool      // dates are the first days on which something no longer holds
}

// ReadDate reads a date as people write it. The rules:
//
//	2020-03-05, 2020/3/5            the year first: year, month, day
//	05/03/2020, 5-3-2020, 5.3.2020  day first, as is the law's and everybody's way in Viet Nam;
//	                                month first where order says so
//	25/03/2020, 03/25/2020          the only way there is, unless order says the other
//	ngày 5 tháng 3 năm 2020         day, month, year
//	03/2020, tháng 3/2020           the first of the month
//	2020, năm 2020                  the first of the year
//	05/03/20                        refused: the century is missing
//	any of these at 00:00           the day
//
// Where another date of the column can only be month first, 05/03/2020 has two readings; and
// so has a month or a year as the end of something, which may be meant to be part of it.
// These are faults with both readings when a column is read.
func ReadDate(s string, order DateOrder) (geo.Date, *Fault) {
	return calendar{order: order}.read(s)
}

// partOfDate reports whether a date is written as a year or a month alone.
func partOfDate(s string) bool {
	text := strings.ToLower(strings.TrimSpace(s))
	return yearOnly.MatchString(text) || monthYear.MatchString(text)
}

func (c calendar) read(s string) (geo.Date, *Fault) {
	text := strings.ToLower(strings.TrimSpace(s))
	text = midnight.ReplaceAllString(text, "")
	var d geo.Date
	var ok bool
	if m := yearMonthDay.FindStringSubmatch(text); m != nil {
		d, ok = civil(m[1], m[2], m[3])
	} else if m := inWords.FindStringSubmatch(text); m != nil {
		d, ok = civil(m[3], m[2], m[1])
	} else if m := dayMonthYear.FindStringSubmatch(text); m != nil {
		return c.digits(s, m)
	} else if m := monthYear.FindStringSubmatch(text); m != nil {
		if d, ok = civil(m[2], m[1], "1"); ok && c.end {
			return geo.Date{}, twoDates(s, d, geo.DateOf(d.Time().AddDate(0, 1, 0)))
		}
	} else if m := yearOnly.FindStringSubmatch(text); m != nil {
		if d, ok = civil(m[1], "1", "1"); ok && c.end {
			return geo.Date{}, twoDates(s, d, geo.DateOf(d.Time().AddDate(1, 0, 0)))
		}
	}
	if !ok {
		return d, noDate(s)
	}
	return d, nil
}

// digits reads a date of day and month in either order before the year.
func (c calendar) digits(s string, m []string) (geo.Date, *Fault) {
	if len(m[3]) == 2 {
		f := noDate(s)
		if d, wrong := c.read(m[1] + "/" + m[2] + "/20" + m[3]); wrong == nil {
			f.likely(d.String())
		}
		return geo.Date{}, f
	}
	dayFirst, isDay := civil(m[3], m[2], m[1])
	monthFirst, isMonth := civil(m[3], m[1], m[2])
	switch {
	case !isDay && !isMonth:
		return geo.Date{}, noDate(s)
	case isDay && (!isMonth || dayFirst == monthFirst):
		return c.only(s, dayFirst, MonthFirst, isMonth)
	case !isDay:
		return c.only(s, monthFirst, DayFirst, false)
	case c.order == MonthFirst:
		return monthFirst, nil
	case c.order == "" && c.monthFirst:
		return geo.Date{}, twoDates(s, dayFirst, monthFirst)
	}
	return dayFirst, nil
}

// only is a date that can be read in one way alone, which must not be against what
// somebody said of the others.
func (c calendar) only(s string, d geo.Date, against DateOrder, same bool) (geo.Date, *Fault) {
	if !same && c.order == against {
		return geo.Date{}, noDate(s).likely(d.String())
	}
	return d, nil
}

// provesMonthFirst reports whether a date can only be month first.
func provesMonthFirst(s string) bool {
	m := dayMonthYear.FindStringSubmatch(midnight.ReplaceAllString(strings.ToLower(strings.TrimSpace(s)), ""))
	if m == nil || len(m[3]) == 2 {
		return false
	}
	_, isDay := civil(m[3], m[2], m[1])
	_, isMonth := civil(m[3], m[1], m[2])
	return isMonth && !isDay
}

// civil is a day of the calendar; false for none.
func civil(year, month, day string) (geo.Date, bool) {
	var n [3]int
	for i, digits := range []string{year, month, day} {
		var err error
		if n[i], err = strconv.Atoi(digits); err != nil {
			return geo.Date{}, false
		}
	}
	if n[0] < 1 || n[1] < 1 || n[1] > 12 || n[2] < 1 {
		return geo.Date{}, false
	}
	d := geo.NewDate(n[0], time.Month(n[1]), n[2])
	return d, d.Time().Day() == n[2]
}

func noDate(s string) *Fault {
	return fault(RuleDate, s, "%q không phải ngày: viết dd/mm/yyyy hoặc yyyy-mm-dd", "%q is not a date: write dd/mm/yyyy or yyyy-mm-dd", cut(s))
}

func twoDates(s string, a, b geo.Date) *Fault {
	f := fault(RuleDateReadings, s, "%q có thể là %s hoặc %s: hãy viết yyyy-mm-dd, hoặc nêu thứ tự ngày tháng của tệp", "%q may be %s or %s: write yyyy-mm-dd, or say in which order the file writes dates", s, a, b)
	f.Readings = []string{a.String(), b.String()}
	return f
}

// dayOfSheet is the day that a spreadsheet counts as so many from 1899-12-30; false for
// numbers that are no days of this age.
func dayOfSheet(n float64) (geo.Date, bool) {
	const first, last = 20000, 80000 // 1954 to 2119
	return geo.NewDate(1899, time.December, 30+int(n)), n >= first && n <= last
}
