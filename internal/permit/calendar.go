package permit

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"hatang/geo"
)

// Calendar says which days are worked, and how long what takes. The zero Calendar works from
// Monday to Friday.
type Calendar struct {
	WorkingDays []string `json:"working_days"` // English weekdays, lower case
	Holidays    []string `json:"holidays"`     // days off, as MM-DD in every year, or in a pack as YYYY-MM-DD
	// Days are those that are not as their weekday or every year has them, true for worked;
	// Years those whose list of them is whole. A pack has none: the register keeps them.
	Days    map[string]bool `json:"days,omitempty"`
	Years   []int           `json:"years,omitempty"`
	Periods Periods         `json:"permit"`
	// TimeZone says where days begin and end, as Asia/Ho_Chi_Minh; "" is DefaultZone.
	TimeZone string `json:"time_zone,omitempty"`
	// NamesOwners lets the public figures of requests to share say who was asked.
	NamesOwners bool `json:"sharing_figures_name_owners"`
}

// DefaultZone is the time zone of a plan that names none.
const DefaultZone = "Asia/Ho_Chi_Minh"

// Periods are how long steps may take, working days but for ValidMonths.
type Periods struct {
	DecideDays     int `json:"decide_working_days"`
	SupplementDays int `json:"supplement_working_days"`
	ConsultDays    int `json:"consult_working_days"`
	ValidMonths    int `json:"valid_months"` // of an approval
	// To answer a request to share, and to mediate one.
	SharingAnswerDays    int `json:"sharing_answer_working_days"`
	SharingMediationDays int `json:"sharing_mediation_working_days"`
}

// LongestPeriod is how long one may be, days or months.
const LongestPeriod = 1000

// DefaultPeriods are those of a plan that says nothing of them. No text that could be read
// sets one for sharing: as long as a decision takes, and as an agency has (30 days, NĐ 34/2014).
func DefaultPeriods() Periods {
	return Periods{DecideDays: 15, SupplementDays: 20, ConsultDays: 22, ValidMonths: 12, SharingAnswerDays: 15, SharingMediationDays: 22}
}

// ParseCalendar reads the settings of a plan; "" are those of none.
func ParseCalendar(settings []byte) (Calendar, error) {
	c := Calendar{Periods: DefaultPeriods()}
	if len(settings) == 0 {
		return c, nil
	}
	if err := json.Unmarshal(settings, &c); err != nil {
		return c, fmt.Errorf("the plan's calendar: %w", err)
	}
	return c, nil
}

// usualWeek is worked where a plan does not say otherwise.
var usualWeek = []string{"monday", "tuesday", "wednesday", "thursday", "friday"}

// Week lists the weekdays that are worked.
func (c Calendar) Week() []string {
	if len(c.WorkingDays) == 0 {
		return slices.Clone(usualWeek)
	}
	return c.WorkingDays
}

// Yearly lists what is off in every year, as MM-DD.
func (c Calendar) Yearly() []string {
	return slices.DeleteFunc(append([]string{}, c.Holidays...), func(d string) bool { return len(d) != len("01-02") })
}

// SingleDaysOff lists the days off that are of one year, in order, each once.
func (c Calendar) SingleDaysOff() (days []geo.Date) {
	for _, text := range slices.Compact(slices.Sorted(slices.Values(c.Holidays))) {
		if d, err := geo.ParseDate(text); err == nil {
			days = append(days, d)
		}
	}
	return days
}

// works reports whether a day is worked.
func (c Calendar) works(day geo.Date) bool {
	text := day.String()
	if worked, said := c.Days[text]; said {
		return worked
	}
	return slices.Contains(c.Week(), strings.ToLower(day.Time().Weekday().String())) &&
		!slices.Contains(c.Holidays, text) && !slices.Contains(c.Holidays, text[len(text)-len("01-02"):])
}

// longestBreak is how many days on end may be free.
const longestBreak = 366

// After returns the n-th working day behind a day. Where a year has none, no day counts as
// free.
func (c Calendar) After(day geo.Date, n int) geo.Date {
	for free := 0; n > 0; {
		day = geo.DateOf(day.Time().AddDate(0, 0, 1))
		if free++; c.works(day) || free > longestBreak {
			n, free = n-1, 0
		}
	}
	return day
}

// UnknownYears lists the years into which a period that begins today may reach and whose list
// of days is not whole: there, holidays are counted as days worked.
func (c Calendar) UnknownYears(today geo.Date) []int {
	p, unknown := c.Periods, []int{}
	last := c.After(today, max(p.DecideDays, p.SupplementDays, p.ConsultDays, p.SharingAnswerDays, p.SharingMediationDays))
	for year := today.Time().Year(); year <= last.Time().Year(); year++ {
		if !slices.Contains(c.Years, year) {
			unknown = append(unknown, year)
		}
	}
	return unknown
}

// Due returns by when the next step is due in the state that an action has led to; zero for
// no date.
func (c Calendar) Due(state FileState, action Action, today geo.Date) geo.Date {
	switch {
	case action == AnswerFor || state.Over() || state == Approved:
		return geo.Date{}
	case state == MoreAsked:
		return c.After(today, c.Periods.SupplementDays)
	case state == Consulting:
		return c.After(today, c.Periods.ConsultDays)
	}
	return c.After(today, c.Periods.DecideDays)
}

// Expires returns the last day of an approval given or renewed: from today, or from the day
// until which it holds where that is later.
func (c Calendar) Expires(today, until geo.Date) geo.Date {
	if until.Before(today) {
		until = today
	}
	from := until.Time()
	to := from.AddDate(0, c.Periods.ValidMonths, 0)
	if to.Day() != from.Day() { // a month that has no such day ends with its last
		to = to.AddDate(0, 0, -to.Day())
	}
	return geo.DateOf(to.In(time.UTC))
}
