package postgis_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/permit"
)

// setZone makes a plan name a time zone.
func setZone(t *testing.T, conn *pgx.Conn, zone string) {
	t.Helper()
	run(t, conn, `INSERT INTO plans (id, version, title, jurisdiction, valid_from, pi, pi_source) VALUES ('p', 1, '{}', '11', '2016-01-01', 3.14, 'x') ON CONFLICT DO NOTHING`)
	run(t, conn, `UPDATE plans SET settings = settings || jsonb_build_object('time_zone', $1::text)`, zone)
}

// setNow makes it a time for all that asks what day it is.
func setNow(t *testing.T, conn *pgx.Conn, at time.Time) {
	t.Helper()
	run(t, conn, fmt.Sprintf("CREATE OR REPLACE FUNCTION hatang_today() RETURNS date LANGUAGE sql STABLE AS $$ SELECT hatang_day(%s) $$", "timestamptz '"+at.UTC().Format(time.RFC3339)+"'"))
}

// The database and the program begin and end a day at the same time: at midnight where the
// register is.
func TestADayIsOneInGoAndInTheDatabase(t *testing.T) {
	s, _, url := open(t)
	conn := connect(t, url)
	days := func(name string) {
		t.Helper()
		zone, err := s.Zone(t.Context())
		if err != nil || zone.String() != name {
			t.Fatalf("the zone is %v, not %s: %v", zone, name, err)
		}
		for _, at := range []time.Time{time.Date(2026, 3, 2, 23, 30, 0, 0, zone), time.Date(2026, 3, 3, 0, 0, 0, 0, zone), time.Date(2026, 3, 3, 0, 30, 0, 0, zone),
			time.Date(2026, 12, 31, 23, 59, 59, 0, zone), time.Date(2027, 1, 1, 0, 30, 0, 0, zone), time.Date(2026, 7, 1, 23, 30, 0, 0, zone)} {
			if ours, kept := geo.DateOf(at), scalar[string](t, conn, "SELECT hatang_day($1)::text", at); kept != ours.String() {
				t.Errorf("%s: the database says %s", at, kept)
			}
		}
	}
	days(permit.DefaultZone)
	for _, name := range []string{"Asia/Ho_Chi_Minh", "UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Europe/Paris", "Asia/Kathmandu"} {
		setZone(t, conn, name)
		days(name)
		// One of the first and the last zone is on another day than UTC is, whenever this runs.
		before := geo.DateOf(time.Now().In(mustZone(t, name)))
		today := scalar[string](t, conn, "SELECT hatang_today()::text")
		if after := geo.DateOf(time.Now().In(mustZone(t, name))); today != before.String() && today != after.String() {
			t.Errorf("in %s it is %s, for the database %s", name, before, today)
		}
	}
	if _, err := conn.Exec(t.Context(), `UPDATE plans SET settings = '{"time_zone": "Nowhere/At_All"}'`); code(err) != "22023" {
		t.Errorf("a plan names a zone that there is not: %v", err)
	}
}

func mustZone(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// What is decided half an hour after midnight is decided on the new day, which in UTC has
// not begun; what is due on a day is late when the next has.
func TestDeadlinesEndAtMidnightWhereTheRegisterIs(t *testing.T) {
	f := newFiling(t)
	zone := mustZone(t, permit.DefaultZone)
	evening, night := time.Date(2026, 3, 2, 23, 30, 0, 0, zone), time.Date(2026, 3, 3, 0, 30, 0, 0, zone) // Monday, Tuesday
	calendar := permit.Calendar{Periods: permit.DefaultPeriods()}
	dueOf := func(id int64) string {
		return scalar[string](t, f.conn, "SELECT due_on::text FROM proposals WHERE id = $1", id)
	}
	setNow(t, f.conn, evening)
	first := f.file(f.draft)
	if got, want := dueOf(first), calendar.After(geo.NewDate(2026, 3, 2), 15).String(); got != want {
		t.Errorf("filed in the evening it is due on %s, not %s", got, want)
	}
	setNow(t, f.conn, night)
	second := f.file(f.rest)
	if got, want := dueOf(second), calendar.After(geo.NewDate(2026, 3, 3), 15).String(); got != want {
		t.Errorf("filed at night it is due on %s, not %s", got, want)
	}
	overdue := func(at time.Time) bool {
		setNow(t, f.conn, at)
		list, err := f.Proposals(t.Context(), f.officer, permit.FileQuery{Overdue: true, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return len(list) == 1 && list[0].ID == first
	}
	due := calendar.After(geo.NewDate(2026, 3, 2), 15).Time()
	if at := time.Date(due.Year(), due.Month(), due.Day(), 23, 30, 0, 0, zone); overdue(at) {
		t.Errorf("at %s it is late", at)
	}
	if at := time.Date(due.Year(), due.Month(), due.Day()+1, 0, 30, 0, 0, zone); !overdue(at) {
		t.Errorf("at %s it is not late", at)
	}
	newYear := time.Date(2027, 1, 1, 0, 30, 0, 0, zone)
	setNow(t, f.conn, newYear)
	f.must(f.approver, first, permit.Decision{Action: permit.Approve})
	if got := scalar[string](t, f.conn, "SELECT number || ' ' || decided_on FROM decisions"); got != "2027-0001 2027-01-01" {
		t.Errorf("decided in the night of the new year: %s", got)
	}
	if got := scalar[string](t, f.conn, "SELECT expires_on::text FROM proposals WHERE id = $1", first); got != "2028-01-01" {
		t.Errorf("it holds until %s", got)
	}
	expires := time.Date(2028, 1, 1, 23, 30, 0, 0, zone)
	for _, at := range []time.Time{expires, expires.Add(time.Hour)} {
		setNow(t, f.conn, at)
		if err := f.NoteDeadlines(t.Context(), geo.DateOf(at)); err != nil {
			t.Fatal(err)
		}
		want := map[bool]int64{false: 0, true: 1}[at.After(expires)]
		if got := scalar[int64](t, f.conn, "SELECT count(*) FROM notices WHERE kind = 'not_built'"); got != want {
			t.Errorf("at %s it was told %d times that it was not built", at, got)
		}
	}
	f.must(f.officer, first, permit.Decision{Action: permit.Expire})
}
