package postgis_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

func days(t *testing.T, working bool, texts ...string) (list []permit.CalendarDay) {
	t.Helper()
	for _, text := range texts {
		d, err := geo.ParseDate(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, permit.CalendarDay{Date: d, Working: working, Name: geo.Text{VI: "x", EN: "x"}, Source: "TB 1"})
	}
	return list
}

// Deadlines are counted by the calendar as it is when they are given, days off and days worked
// instead, and stay as they were given.
func TestDeadlinesAreCountedByTheCalendar(t *testing.T) {
	f := newFiling(t)
	ctx := t.Context()
	run(t, f.conn, `INSERT INTO plans (id, version, title, jurisdiction, valid_from, pi, pi_source, settings) VALUES ('p', 1, '{}', '11', '2016-01-01', 3.14, 'x', '{"holidays": ["04-30"], "permit": {"decide_working_days": 3}}')`)
	keeper := account.Holder("key:admin", account.Administrator)
	setNow(t, f.conn, time.Date(2026, 4, 24, 3, 0, 0, 0, time.UTC)) // a Friday
	due := func(id int64) string {
		return scalar[string](t, f.conn, "SELECT due_on::text FROM proposals WHERE id = $1", id)
	}
	first := f.file(f.draft)
	if got := due(first); got != "2026-04-29" {
		t.Errorf("with the week alone it is due on %s", got)
	}
	// Monday and Tuesday are off; the Saturday after the filing is worked instead, and so is the 30th.
	change := permit.CalendarChange{Days: append(days(t, false, "2026-04-27", "2026-04-28"), days(t, true, "2026-04-25", "2026-04-30")...)}
	changed, err := f.ChangeCalendar(ctx, keeper, change)
	if err != nil || changed != (permit.CalendarChanged{Jurisdiction: "11", Set: 4}) {
		t.Fatalf("%+v, %v", changed, err)
	}
	if second := f.file(f.rest); due(second) != "2026-04-30" {
		t.Errorf("with the calendar it is due on %s", due(second))
	}
	if got := due(first); got != "2026-04-29" {
		t.Errorf("what was given has become %s", got)
	}
	if changed, err = f.ChangeCalendar(ctx, keeper, change); err != nil || changed.Set != 0 {
		t.Errorf("the same again: %+v, %v", changed, err)
	}
	if n := scalar[int64](t, f.conn, "SELECT count(*) FROM audit WHERE action LIKE 'calendar.%' AND subject = 'jurisdiction:11' AND who = 'key:admin'"); n != 1 {
		t.Errorf("%d entries of the audit", n)
	}
	// The whole list of a year takes the place of what there was of it, and of nothing else.
	run(t, f.conn, "INSERT INTO calendar_days VALUES ('12', '2026-04-27', false, '{}', 'x'), ('11', '2027-02-05', false, '{}', 'x')")
	if changed, err = f.ChangeCalendar(ctx, keeper, permit.CalendarChange{Jurisdiction: "11", Years: []int{2026}, Days: days(t, false, "2026-04-27")}); err != nil || changed.Set != 0 || changed.Removed != 3 {
		t.Errorf("a whole year: %+v, %v", changed, err)
	}
	sheet, err := f.Calendar(ctx, "", geo.Date{}, geo.Date{})
	if err != nil || sheet.Jurisdiction != "11" || sheet.From != geo.NewDate(2026, 1, 1) || len(sheet.Days) != 1 || !slices.Equal(sheet.Years, []int{2026}) || !slices.Equal(sheet.YearlyOff, []string{"04-30"}) || len(sheet.UnknownYears) != 0 {
		t.Errorf("%+v, %v", sheet, err)
	}
	setNow(t, f.conn, time.Date(2026, 12, 10, 3, 0, 0, 0, time.UTC))
	if sheet, err = f.Calendar(ctx, "11", geo.NewDate(2027, 1, 1), geo.Date{}); err != nil || len(sheet.Days) != 1 || !slices.Equal(sheet.UnknownYears, []int{2027}) {
		t.Errorf("at the end of what is known: %+v, %v", sheet, err)
	}
	if changed, err = f.ChangeCalendar(ctx, keeper, permit.CalendarChange{Remove: []geo.Date{geo.NewDate(2027, 2, 5), geo.NewDate(2029, 1, 1)}}); err != nil || changed.Removed != 1 {
		t.Errorf("removed: %+v, %v", changed, err)
	}
}

func TestWhoKeepsTheCalendar(t *testing.T) {
	f := newFiling(t)
	ctx := t.Context()
	change := permit.CalendarChange{Days: days(t, false, "2026-04-27")}
	for _, jurisdiction := range []string{"", "11"} {
		if _, err := f.Calendar(ctx, jurisdiction, geo.Date{}, geo.Date{}); !errors.Is(err, layer.ErrNotFound) {
			t.Errorf("without a plan: %v", err)
		}
	}
	run(t, f.conn, `INSERT INTO plans (id, version, title, jurisdiction, valid_from, pi, pi_source) VALUES ('p', 1, '{}', '11', '2016-01-01', 3.14, 'x')`)
	whole := account.Viewer{Name: "person:whole", Grants: []account.Grant{{Role: account.Officer, Territory: "11"}}}
	other := account.Viewer{Name: "person:other", Grants: []account.Grant{{Role: account.Officer, Territory: "12"}}}
	layers := account.Viewer{Name: "person:layers", Grants: []account.Grant{{Role: account.Officer, Layers: []string{"bts_sites"}}}}
	for _, v := range []account.Viewer{account.Anonymous(), f.operator, f.officer, f.approver, f.agency, other, layers} {
		if _, err := f.ChangeCalendar(ctx, v, change); !errors.Is(err, layer.ErrForbidden) {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
	if _, err := f.ChangeCalendar(ctx, whole, change); err != nil {
		t.Errorf("an officer of all of it: %v", err)
	}
	run(t, f.conn, `INSERT INTO plans (id, version, title, jurisdiction, valid_from, pi, pi_source) VALUES ('q', 1, '{}', '12', '2016-01-01', 3.14, 'x')`)
	if _, err := f.ChangeCalendar(ctx, whole, change); !isInvalid(err) {
		t.Errorf("of two calendars none is named: %v", err)
	}
	change.Jurisdiction = "12"
	if _, err := f.ChangeCalendar(ctx, whole, change); !errors.Is(err, layer.ErrForbidden) {
		t.Errorf("another's calendar: %v", err)
	}
	change.Jurisdiction = "99"
	if _, err := f.ChangeCalendar(ctx, whole, change); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("a calendar that there is not: %v", err)
	}
}
