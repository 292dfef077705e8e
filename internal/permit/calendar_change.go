package permit

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"hatang/geo"
	"hatang/internal/layer"
)

// Limits of a change of the calendar.
const (
	MaxCalendarDays        = 1000 // that are set or removed at a time
	maxCalendarNameRunes   = 200
	maxCalendarSourceRunes = 500
	firstCalendarYear      = 1900
	lastCalendarYear       = 2200
)

// CalendarDay is a day that is not as its weekday or every year has it.
type CalendarDay struct {
	Date    geo.Date `json:"date"`
	Working bool     `json:"working"`
	Name    geo.Text `json:"name"`
	Source  string   `json:"source"` // the notice or decision that says so
}

// CalendarSheet is the calendar of a jurisdiction, with the days from From to To.
type CalendarSheet struct {
	Jurisdiction string        `json:"jurisdiction"`
	TimeZone     string        `json:"time_zone"`
	Today        geo.Date      `json:"today"`
	From         geo.Date      `json:"from"`
	To           geo.Date      `json:"to"`
	WorkingDays  []string      `json:"working_days"`    // of every week
	YearlyOff    []string      `json:"yearly_days_off"` // MM-DD
	Years        []int         `json:"years"`           // whose list of days is whole
	UnknownYears []int         `json:"unknown_years"`   // see Calendar.UnknownYears
	Periods      Periods       `json:"periods"`
	Days         []CalendarDay `json:"days"`
}

// CalendarChange is what becomes of a calendar. The list of Years is whole afterwards: days of
// theirs that are not among Days are removed, as are those of Remove.
type CalendarChange struct {
	Jurisdiction string // "" for the only one there is
	Years        []int
	Days         []CalendarDay
	Remove       []geo.Date
}

// CalendarChanged is how much of a calendar a change has changed.
type CalendarChanged struct {
	Jurisdiction string `json:"jurisdiction"`
	Set          int64  `json:"set"`
	Removed      int64  `json:"removed"`
}

// CalendarFile is a change as people write it.
type CalendarFile struct {
	Jurisdiction string     `json:"jurisdiction"`
	Source       string     `json:"source"` // of the days that name none
	Years        []int      `json:"years"`
	Days         []GivenDay `json:"days"`
	Remove       []string   `json:"remove"`
}

// GivenDay is a day of a CalendarFile.
type GivenDay struct {
	Date    string   `json:"date"`
	Working *bool    `json:"working"`
	Name    geo.Text `json:"name"`
	Source  string   `json:"source"`

	row int // of the file, from 1; 0 where it is no table
}

// Change reads what is written, or returns all that is wrong with it.
func (f CalendarFile) Change() (CalendarChange, error) {
	c := CalendarChange{Jurisdiction: norm.NFC.String(strings.TrimSpace(f.Jurisdiction)), Years: slices.Compact(slices.Sorted(slices.Values(f.Years)))}
	var faults layer.Faults
	n := len(f.Days) + len(f.Remove)
	if n > MaxCalendarDays {
		faults.Add("", "có %d ngày, mỗi lần nhiều nhất %d", "there are %d days, at most %d are changed at a time", n, MaxCalendarDays)
		return c, faults.Err()
	}
	if n == 0 && len(f.Years) == 0 {
		faults.Add("", "phải có days, years hoặc remove", "needs days, years or remove")
	}
	seen := map[geo.Date]bool{}
	once := func(at string, d geo.Date) {
		if !d.IsZero() && seen[d] {
			faults.Add(at, "ngày %[1]s có hai lần", "the day %[1]s occurs twice", d)
		}
		seen[d] = true
	}
	off := map[int]bool{}
	for i, given := range f.Days {
		at := fmt.Sprintf("/days/%d", i)
		if given.row > 0 {
			at = fmt.Sprintf("/rows/%d", given.row)
		}
		day := given.read(at, f.Source, &faults)
		once(at+"/date", day.Date)
		off[day.Date.Time().Year()] = off[day.Date.Time().Year()] || !day.Working
		c.Days = append(c.Days, day)
	}
	for i, text := range f.Remove {
		at := fmt.Sprintf("/remove/%d", i)
		d := calendarDate(at, text, &faults)
		once(at, d)
		c.Remove = append(c.Remove, d)
	}
	for i, year := range f.Years {
		if year < firstCalendarYear || year > lastCalendarYear {
			faults.Add(fmt.Sprintf("/years/%d", i), "phải từ %d đến %d", "must be from %d to %d", firstCalendarYear, lastCalendarYear)
		} else if !off[year] {
			faults.Add(fmt.Sprintf("/years/%d", i), "danh sách năm %d không có ngày nghỉ nào", "the list of %d has no day off", year)
		}
	}
	slices.SortFunc(c.Days, func(a, b CalendarDay) int { return cmp.Compare(a.Date.String(), b.Date.String()) })
	return c, faults.Err()
}

// read returns the day, and adds what is wrong with it.
func (g GivenDay) read(at, source string, faults *layer.Faults) CalendarDay {
	d := CalendarDay{Date: calendarDate(at+"/date", g.Date, faults)}
	if g.Working == nil {
		faults.Add(at+"/working", "phải là true (làm việc) hoặc false (nghỉ)", "must be true (worked) or false (off)")
	} else {
		d.Working = *g.Working
	}
	d.Name = geo.Text{VI: calendarText(at+"/name", cmp.Or(g.Name.VI, g.Name.EN), maxCalendarNameRunes, faults), EN: calendarText(at+"/name", cmp.Or(g.Name.EN, g.Name.VI), maxCalendarNameRunes, faults)}
	d.Source = calendarText(at+"/source", cmp.Or(strings.TrimSpace(g.Source), source), maxCalendarSourceRunes, faults)
	return d
}

// calendarDate reads 2028-01-26, or 26/1/2028 as tables have it.
func calendarDate(at, text string, faults *layer.Faults) geo.Date {
	text = strings.TrimSpace(text)
	d, err := geo.ParseDate(text)
	if t, other := time.Parse("2/1/2006", text); err != nil && other == nil {
		d, err = geo.DateOf(t), nil
	}
	if year := d.Time().Year(); err != nil || year < firstCalendarYear || year > lastCalendarYear {
		faults.Add(at, "phải là ngày dạng YYYY-MM-DD, từ năm %d đến %d", "must be a date of the form YYYY-MM-DD, from %d to %d", firstCalendarYear, lastCalendarYear)
		return geo.Date{}
	}
	return d
}

func calendarText(at, text string, most int, faults *layer.Faults) string {
	text = norm.NFC.String(strings.TrimSpace(text))
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		if !slices.ContainsFunc(*faults, func(f layer.Fault) bool { return f.At == at }) {
			faults.Add(at, "bắt buộc phải có", "is required")
		}
	case n > most:
		faults.Add(at, "dài nhất %d ký tự", "must have at most %d characters", most)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		faults.Add(at, "có ký tự không dùng được", "has characters that cannot be used")
	}
	return text
}

// calendarColumns are those of a table of days.
var calendarColumns = []string{"date", "working", "name_vi", "name_en", "source"}

// ReadCalendarTable reads CSV, its cells separated by comma or semicolon: the whole list of
// the years that it has days of.
func ReadCalendarTable(text []byte) (CalendarFile, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	in := csv.NewReader(bytes.NewReader(text))
	first, _, _ := bytes.Cut(text, []byte("\n"))
	if bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		in.Comma = ';'
	}
	in.FieldsPerRecord = -1
	var f CalendarFile
	var faults layer.Faults
	names, err := in.Read()
	if err != nil {
		faults.Add("", "không phải bảng CSV: %v", "is no CSV table: %v", err)
		return f, faults.Err()
	}
	column := map[string]int{}
	for i, name := range names {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(calendarColumns, name) {
			faults.Add(fmt.Sprintf("/columns/%d", i+1), "không có cột %[1]q; các cột: %[2]s", "there is no column %[1]q; there are: %[2]s", name, strings.Join(calendarColumns, ", "))
		}
		column[name] = i
	}
	years := map[int]bool{}
	for len(f.Days) <= MaxCalendarDays {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		row, _ := in.FieldPos(0)
		if err != nil {
			faults.Add("", "không phải bảng CSV: %v", "is no CSV table: %v", err)
			break
		}
		day := givenIn(record, column)
		day.row = row
		var ignored layer.Faults
		if d := calendarDate("", day.Date, &ignored); !d.IsZero() {
			years[d.Time().Year()] = true
		}
		f.Days = append(f.Days, day)
	}
	for year := range years {
		f.Years = append(f.Years, year)
	}
	slices.Sort(f.Years)
	return f, faults.Err()
}

// givenIn is the day of a line.
func givenIn(record []string, column map[string]int) (day GivenDay) {
	cell := func(name string) string {
		if i, has := column[name]; has && i < len(record) {
			return record[i]
		}
		return ""
	}
	day.Date, day.Name, day.Source = cell("date"), geo.Text{VI: cell("name_vi"), EN: cell("name_en")}, cell("source")
	if working, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(cell("working")))); err == nil {
		day.Working = &working
	}
	return day
}
