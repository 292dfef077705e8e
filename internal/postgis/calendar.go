package postgis

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/plan"
)

// calendarSQL is the calendar of a plan p, as permit.ParseCalendar reads it.
const calendarSQL = `p.settings || jsonb_build_object('days', (SELECT coalesce(jsonb_object_agg(d.day, d.working), '{}') FROM calendar_days d WHERE d.jurisdiction = p.jurisdiction),
	'years', (SELECT coalesce(jsonb_agg(y.year ORDER BY y.year), '[]') FROM calendar_years y WHERE y.jurisdiction = p.jurisdiction))`

// Calendars returns the jurisdictions that have one: those of plans.
func (s *Store) Calendars(ctx context.Context) ([]string, error) {
	codes, err := calendarsIn(ctx, s.pool.kept)
	return codes, translate("list the calendars", err)
}

func calendarsIn(ctx context.Context, q querier) ([]string, error) {
	rows, err := q.Query(ctx, "SELECT DISTINCT jurisdiction FROM plans ORDER BY 1")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// calendarNamed settles whose calendar is meant: the only one there is where none is named.
func calendarNamed(ctx context.Context, q querier, jurisdiction string) (string, error) {
	codes, err := calendarsIn(ctx, q)
	if err != nil {
		return "", err
	}
	for _, code := range codes {
		if code == jurisdiction || jurisdiction == "" && len(codes) == 1 {
			return code, nil
		}
	}
	if jurisdiction != "" || len(codes) == 0 {
		return "", fmt.Errorf("no plan is of %q: %w", jurisdiction, layer.ErrNotFound)
	}
	return "", layer.Faults{{At: "jurisdiction", Detail: geo.Text{VI: "phải nêu lịch của địa bàn nào", EN: "must say whose calendar is meant"}}}.Err()
}

// Calendar returns the calendar of a jurisdiction, "" for the only one there is, with the
// days from one day to another, of this year where they are zero; layer.ErrNotFound where it
// has no plan. It is of no viewer: all of it is public.
func (s *Store) Calendar(ctx context.Context, jurisdiction string, from, to geo.Date) (sheet permit.CalendarSheet, err error) {
	err = pgx.BeginTxFunc(ctx, s.pool.kept, snapshot, func(tx pgx.Tx) error {
		code, err := calendarNamed(ctx, tx, jurisdiction)
		if err != nil {
			return err
		}
		sheet, err = readCalendar(ctx, tx, code, from, to)
		return err
	})
	return sheet, translate("read the calendar", err)
}

func readCalendar(ctx context.Context, tx pgx.Tx, code string, from, to geo.Date) (permit.CalendarSheet, error) {
	sheet := permit.CalendarSheet{Jurisdiction: code, From: from, To: to}
	var settings []byte
	var today day
	if err := tx.QueryRow(ctx, "SELECT hatang_today(), hatang_zone(), "+calendarSQL+" FROM plans p WHERE p.jurisdiction = $1 ORDER BY p.valid_from DESC, p.id LIMIT 1", code).Scan(&today, &sheet.TimeZone, &settings); err != nil {
		return sheet, err
	}
	calendar, err := permit.ParseCalendar(settings)
	if err != nil {
		return sheet, err
	}
	sheet.Today, sheet.WorkingDays, sheet.YearlyOff, sheet.Years, sheet.Periods = today.Date, calendar.Week(), calendar.Yearly(), calendar.Years, calendar.Periods
	sheet.UnknownYears = calendar.UnknownYears(today.Date)
	if from.IsZero() {
		sheet.From = geo.NewDate(sheet.Today.Time().Year(), 1, 1)
	}
	if to.IsZero() {
		sheet.To = geo.NewDate(sheet.From.Time().Year(), 12, 31)
	}
	rows, err := tx.Query(ctx, "SELECT day, working, name, source FROM calendar_days WHERE jurisdiction = $1 AND day BETWEEN $2::date AND $3::date ORDER BY day", code, sheet.From.Time(), sheet.To.Time())
	if err != nil {
		return sheet, err
	}
	sheet.Days, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (permit.CalendarDay, error) {
		var d permit.CalendarDay
		var on day
		err := row.Scan(&on, &d.Working, &d.Name, &d.Source)
		d.Date = on.Date
		return d, err
	})
	return sheet, err
}

// ChangeCalendar changes a calendar, by who writes features of all layers in all of the
// jurisdiction: layer.ErrForbidden for others, layer.ErrNotFound where it has no plan. What
// changes is in the audit.
//
// Decided: deadlines that were given stay as they are: people were told them.
func (s *Store) ChangeCalendar(ctx context.Context, v account.Viewer, change permit.CalendarChange) (changed permit.CalendarChanged, err error) {
	err = s.write(ctx, v, "change the calendar", func(tx pgx.Tx) error {
		code, err := calendarNamed(ctx, tx, change.Jurisdiction)
		if err != nil {
			return err
		}
		if !v.KeepsCalendar(code) {
			return fmt.Errorf("%s does not keep the calendar of %s: %w", v.Name, code, layer.ErrForbidden)
		}
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended('calendar:' || $1, 0))", code); err != nil {
			return err
		}
		changed, err = writeCalendar(ctx, tx, code, change)
		return err
	})
	return changed, err
}

// writeCalendar writes what differs, and nothing else.
func writeCalendar(ctx context.Context, tx pgx.Tx, code string, change permit.CalendarChange) (permit.CalendarChanged, error) {
	changed := permit.CalendarChanged{Jurisdiction: code}
	days, err := json.Marshal(change.Days)
	if err != nil {
		return changed, err
	}
	remove := []string{}
	for _, d := range change.Remove {
		remove = append(remove, d.String())
	}
	years := append([]int{}, change.Years...)
	if len(change.Days) == 0 {
		days = []byte("[]")
	}
	removed, err := tx.Exec(ctx, `DELETE FROM calendar_days d WHERE jurisdiction = $1 AND (day = ANY ($2::text[]::date[])
		OR extract(year FROM day)::int = ANY ($3) AND NOT EXISTS (SELECT FROM jsonb_to_recordset($4) g (date date) WHERE g.date = d.day))`, code, remove, years, days)
	if err != nil {
		return changed, err
	}
	set, err := tx.Exec(ctx, `INSERT INTO calendar_days AS d (jurisdiction, day, working, name, source)
		SELECT $1, g.date, g.working, g.name, g.source FROM jsonb_to_recordset($2) g (date date, working boolean, name jsonb, source text)
		ON CONFLICT (jurisdiction, day) DO UPDATE SET working = excluded.working, name = excluded.name, source = excluded.source
			WHERE (d.working, d.name, d.source) IS DISTINCT FROM (excluded.working, excluded.name, excluded.source)`, code, days)
	if err != nil {
		return changed, err
	}
	changed.Set, changed.Removed = set.RowsAffected(), removed.RowsAffected()
	_, err = tx.Exec(ctx, "INSERT INTO calendar_years SELECT $1, y FROM unnest($2::int[]) y ON CONFLICT DO NOTHING", code, years)
	return changed, err
}

// insertCalendar keeps the single days off that a pack brings; their years are known.
func insertCalendar(ctx context.Context, tx pgx.Tx, p *plan.Pack) error {
	change := permit.CalendarChange{}
	for _, d := range p.SingleDaysOff() {
		change.Days = append(change.Days, permit.CalendarDay{Date: d, Name: p.NameOfDayOff(d), Source: p.Title.VI})
		change.Years = append(change.Years, d.Time().Year())
	}
	_, err := writeCalendar(ctx, tx, p.Jurisdiction, change)
	return err
}
