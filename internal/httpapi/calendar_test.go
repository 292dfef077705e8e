package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

func (s *fakeStore) Calendar(_ context.Context, jurisdiction string, from, to geo.Date) (permit.CalendarSheet, error) {
	return permit.CalendarSheet{Jurisdiction: jurisdiction, From: from, To: to, Days: []permit.CalendarDay{}}, s.call("Calendar")
}

func (s *fakeStore) ChangeCalendar(_ context.Context, _ account.Viewer, change permit.CalendarChange) (permit.CalendarChanged, error) {
	s.calendar = change
	return permit.CalendarChanged{Jurisdiction: "11", Set: int64(len(change.Days))}, s.call("ChangeCalendar")
}

const tet = `{"date":"2028-01-26","working":false,"name":{"vi":"Tết"},"source":"TB 1"}`

func TestTheCalendarIsAskedForAndChanged(t *testing.T) {
	s := &fakeStore{}
	h := handlerOf(t, s)
	const path = "/api/v1/calendar"
	ofJSON, ofCSV := "Content-Type: application/json", "Content-Type: text/csv"
	for _, c := range []struct {
		method, path, body, kind, who string
		status                        int
		at                            string
	}{
		{"GET", path, "", ofJSON, "", 200, ""}, {"GET", path + "?from=2028-01-01&to=2028-12-31&jurisdiction=11", "", ofJSON, "", 200, ""},
		{"GET", path + "?from=x&to=2028", "", ofJSON, "", 400, "from to"}, {"GET", path + "?from=2028-01-02&to=2028-01-01", "", ofJSON, "", 400, "to"},
		{"POST", path, `{"days":[` + tet + `]}`, ofJSON, "", 401, ""}, {"POST", path, `{"days":[` + tet + `]}`, ofJSON, asOperator, 403, ""},
		{"POST", path, `{"days":[` + tet + `]}`, ofJSON, asOfficer, 200, ""}, {"POST", path, `{"remove":["2028-01-26"]}`, ofJSON, asOfficer, 200, ""},
		{"POST", path, `{}`, ofJSON, asOfficer, 400, ""}, {"POST", path, `{"years":[2028]}`, ofJSON, asOfficer, 400, "/years/0"}, {"POST", path, `{"colour":1}`, ofJSON, asOfficer, 400, "/colour"},
		{"POST", path, `{"days":[{"date":"29/2/2027","name":{},"source":""}, ` + tet + `],"remove":["2028-01-26","1800-01-01"],"years":[1899,2028]}`, ofJSON, asOfficer, 400,
			"/days/0/date /days/0/working /days/0/name /days/0/source /remove/0 /remove/1 /years/0"},
		{"POST", path + "?source=TB", "date;working;name_vi\n26/1/2028;false;Tết\n2028-02-12;true;Làm bù\n", ofCSV, asOfficer, 200, ""},
		{"POST", path, "date,working,name_vi,source\n26/1/2028,maybe,Tết,x\n\n2028-02-12,true,,\n", ofCSV, asOfficer, 400, "/rows/2/working /rows/4/name /rows/4/source"},
		{"POST", path, "ngày,nghỉ\n1,2\n", ofCSV, asOfficer, 400, "/columns/1 /columns/2"},
	} {
		headers := []string{c.kind}
		if c.who != "" {
			headers = append(headers, c.who)
		}
		w := do(h, c.method, c.path, c.body, headers...)
		if w.Code != c.status || c.at != "" && strings.Join(pointersOf(t, w.Body.Bytes()), " ") != c.at {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, w.Code, w.Body)
		}
	}
	do(h, "POST", path+"?source=TB", "\ufeffdate,working,name_vi\n26/1/2028,0,Tết\n", ofCSV, asOfficer)
	if c := s.calendar; len(c.Days) != 1 || c.Days[0].Date != geo.NewDate(2028, 1, 26) || c.Days[0].Working || c.Days[0].Name.EN != "Tết" || c.Days[0].Source != "TB" || len(c.Years) != 1 || c.Years[0] != 2028 {
		t.Errorf("of a table: %+v", c)
	}
	s.err = layer.ErrForbidden
	if w := do(h, "POST", path, `{"days":[`+tet+`]}`, ofJSON, asOfficer); w.Code != http.StatusForbidden {
		t.Errorf("of another's territory: %d", w.Code)
	}
}

// pointersOf lists where a problem says that something is wrong.
func pointersOf(t *testing.T, body []byte) (at []string) {
	t.Helper()
	var problem struct {
		Errors []struct{ Pointer, Parameter string } `json:"errors"`
	}
	if err := json.Unmarshal(body, &problem); err != nil {
		t.Fatal(err)
	}
	for _, e := range problem.Errors {
		at = append(at, e.Pointer+e.Parameter)
	}
	return at
}

func TestChangesOfTheCalendarAtTheirLimit(t *testing.T) {
	s := &fakeStore{}
	h := handlerOf(t, s)
	for n, want := range map[int]int{permit.MaxCalendarDays - 1: 200, permit.MaxCalendarDays: 200, permit.MaxCalendarDays + 1: 400} {
		days := make([]string, n)
		rows := "date,working,name_vi,source\n"
		for i := range days {
			on := geo.DateOf(geo.NewDate(2028, 1, 1).Time().AddDate(0, 0, i))
			days[i] = fmt.Sprintf(`{"date":"%s","working":false,"name":{"vi":"x"},"source":"x"}`, on)
			rows += on.String() + ",false,x,x\n"
		}
		for kind, body := range map[string]string{"application/json": `{"days":[` + strings.Join(days, ",") + `]}`, "text/csv": rows} {
			if w := do(h, "POST", "/api/v1/calendar", body, "Content-Type: "+kind, asOfficer); w.Code != want {
				t.Errorf("%d days of %s: %d %s", n, kind, w.Code, w.Body)
			}
		}
	}
}
