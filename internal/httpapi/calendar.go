package httpapi

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"strings"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// Calendars say which days are worked. They are public; who keeps them is decided below.
type Calendars interface {
	// Calendar returns that of a jurisdiction, "" for the only one; ErrNotFound.
	Calendar(ctx context.Context, jurisdiction string, from, to geo.Date) (permit.CalendarSheet, error)
	// ChangeCalendar changes one; ErrForbidden, ErrNotFound, *layer.InvalidError.
	ChangeCalendar(ctx context.Context, v account.Viewer, change permit.CalendarChange) (permit.CalendarChanged, error)
}

// showCalendar shows the week, the years that are known, and the days that are not as usual.
func (a *api) showCalendar(w http.ResponseWriter, r *request) error {
	var faults layer.Faults
	jurisdiction, from, to := plainIn(r, "jurisdiction", &faults), dayIn(r, "from", &faults), dayIn(r, "to", &faults)
	if !from.IsZero() && !to.IsZero() && to.Before(from) {
		faults.Add("to", "không được trước from", "must not be before from")
	}
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	sheet, err := a.Accounts.Calendar(r.Context(), jurisdiction, from, to)
	var invalid *layer.InvalidError
	if errors.As(err, &invalid) {
		return faultsProblem(invalidParameter, invalid.Faults)
	}
	if err != nil {
		return err
	}
	return reply(w, r, http.StatusOK, sheet)
}

// changeCalendar sets and removes days: single ones, or the whole list of years. A table is
// the whole list of the years that it has.
func (a *api) changeCalendar(w http.ResponseWriter, r *request) error {
	file, err := calendarIn(w, r)
	if err != nil {
		return err
	}
	var faults layer.Faults
	if named := plainIn(r, "jurisdiction", &faults); named != "" {
		file.Jurisdiction = named
	}
	if source := plainIn(r, "source", &faults); source != "" {
		file.Source = source
	}
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	change, err := file.Change()
	if err != nil {
		return err
	}
	changed, err := a.Accounts.ChangeCalendar(r.Context(), r.viewer, change)
	if err != nil {
		return steps{forbidden: geo.Text{VI: "Lịch làm việc do cán bộ phụ trách mọi lớp trên toàn địa bàn hoặc quản trị giữ.", EN: "The calendar is kept by officers of all layers in the whole jurisdiction, and by administrators."}}.problem(err)
	}
	return reply(w, r, http.StatusOK, changed)
}

// calendarIn reads the body: JSON, or a table.
func calendarIn(w http.ResponseWriter, r *request) (file permit.CalendarFile, err error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); strings.EqualFold(kind, typeCSV) {
		body, err := appendBody(nil, w, r)
		if err != nil {
			return file, err
		}
		return permit.ReadCalendarTable(body)
	}
	return file, readDocument(w, r, &file)
}
