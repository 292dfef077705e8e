package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestSharingAtWork: one asks for another's mast and is refused, which his checks know and
// nobody else's; the department mediates, and what is agreed on makes the mast a shared site.
func TestSharingAtWork(t *testing.T) {
	t.Parallel()
	s := demo(t)
	keyOf := func(args ...string) []string {
		var made struct{ Key string }
		if err := json.Unmarshal([]byte(s.command(t, append([]string{"key", "create", "x", "--json"}, args...)...).stdout), &made); err != nil {
			t.Fatal(err)
		}
		return append(bearer(made.Key), "Content-Type", "application/json")
	}
	asker, owner, third := keyOf("--role", "operator", "--organisation", "VIETTEL"), keyOf("--role", "operator", "--organisation", "VNPT"), keyOf("--role", "operator", "--organisation", "MOBIFONE")
	officer := keyOf("--role", "officer")
	var mast int64
	var lon, lat float64
	one := s.sql(t, `SELECT id || ' ' || ST_X(geom) || ' ' || ST_Y(geom) FROM bts_sites s WHERE status = 'existing' AND mast_type = 'A2b' AND owner_organisation = 'VNPT'
		AND (SELECT count(*) FROM operator_positions p WHERE p.site_code = s.code AND p.status = 'existing') = 1 AND NOT EXISTS (SELECT FROM operator_positions p WHERE p.site_code = s.code AND p.operator = 'VIETTEL') ORDER BY id LIMIT 1`)
	if _, err := fmt.Sscan(one, &mast, &lon, &lat); err != nil {
		t.Fatal(one, err)
	}
	// refusal is the request that the check of a mast beside it names; "" where it is demanded.
	refusal := func(as []string) string {
		t.Helper()
		var r struct {
			Findings []struct {
				Rule, Outcome string
				Evidence      struct{ ID int64 }
				Request       string `json:"sharing_request"`
			}
		}
		s.call(t, http.MethodPost, "/api/v1/placement-checks", fmt.Sprintf(`{"lon":%v,"lat":%v,"mast_type":"A2b","height_m":30,"operator":"VIETTEL"}`, lon+0.0002, lat), as...).read(t, &r)
		for _, f := range r.Findings {
			if f.Rule == "SHARE-duty" && f.Evidence.ID == mast {
				if (f.Outcome == "pass") != (f.Request != "") {
					t.Errorf("%+v", f)
				}
				return f.Request
			}
		}
		t.Fatalf("the mast is not found: %+v", r)
		return ""
	}
	shared := func() (numerator, denominator float64) {
		t.Helper()
		var unit struct {
			Indicators []struct {
				ID, Stage              string
				Numerator, Denominator float64
			}
		}
		s.get(t, "/api/v1/provinces/11/indicators?date=2020-12-31", &unit)
		for _, i := range unit.Indicators {
			if i.ID == "shared_site_ratio" && i.Stage == "built" {
				return i.Numerator, i.Denominator
			}
		}
		t.Fatal("there is no shared-site ratio")
		return 0, 0
	}
	before, sites := shared()

	asked := s.call(t, http.MethodPost, "/api/v1/sharing-requests", fmt.Sprintf(`{"feature":{"collection":"bts_sites","id":%d},"reasons":"phủ sóng bản mới","wanted":{"height_m":25,"technologies":["4G"]}}`, mast), asker...)
	asked.wants(t, http.StatusCreated)
	path := strings.TrimPrefix(asked.header.Get("Location"), s.url)
	number := path[strings.LastIndexByte(path, '/')+1:]
	step := func(as []string, body string, want int) {
		t.Helper()
		s.call(t, http.MethodPost, path+"/steps", body, as...).wants(t, want)
	}
	s.call(t, http.MethodGet, path, "", third...).wants(t, http.StatusNotFound)
	if got := refusal(asker); got != "" {
		t.Errorf("before it is refused: %s", got)
	}
	step(third, `{"action":"decline","reasons":"x","capacity":{"places":0}}`, http.StatusNotFound)
	step(asker, `{"action":"mediate"}`, http.StatusConflict)
	step(owner, `{"action":"decline","reasons":"cột không đủ tải","capacity":{"places":1,"load_kg":0}}`, http.StatusOK)
	for name, as := range map[string]struct {
		headers []string
		want    string
	}{"the asker": {asker, number}, "the officer": {officer, number}, "the owner": {owner, ""}, "a third": {third, ""}, "the public": {[]string{"Content-Type", "application/json"}, ""}} {
		if got := refusal(as.headers); got != as.want {
			t.Errorf("%s is told of %q, want %q", name, got, as.want)
		}
	}
	s.command(t, "sharing", "list", "--state", "declined").wants(t, exitDone, number)
	s.command(t, "sharing", "list", "--overdue").wants(t, exitDone, "")
	s.command(t, "sharing", "list", "--state", "lost").wants(t, exitUsage, "asked accepted")
	step(asker, `{"action":"mediate"}`, http.StatusOK)
	step(officer, `{"action":"agree","agreement":{"shares":[{"organisation":"VIETTEL","capital_percent":40}]}}`, http.StatusBadRequest)
	agree := func(share string, flags ...string) result {
		return s.command(t, append([]string{"sharing", "step", number, "agree", "--share", share, "--from", "2020-12-01", "--document-number", "12/BB-STTTT", "--document-date", "2020-12-31"}, flags...)...)
	}
	agree("VIETTEL=40.005;VNPT=59.995").wants(t, exitUsage, "two decimals")
	agree("VIETTEL=40").wants(t, exitFindings, "100 %")
	agree("VIETTEL=40;VNPT=60", "--revision", "1").wants(t, exitFindings, "revision 3")
	s.command(t, "sharing", "step", number, "refuse").wants(t, exitUsage, "--reasons")
	s.command(t, "sharing", "step", number, "mediate", "--terms", "x").wants(t, exitUsage, "go with agree")
	s.command(t, "sharing", "step", number, "withdraw").wants(t, exitUsage, "mediate")
	agree("VIETTEL=40;VNPT=60").wants(t, exitFindings, "recorded late")
	agree("VIETTEL=40;VNPT=60", "--reasons", "signed before").wants(t, exitDone, "agreed, at revision 4")
	agree("VIETTEL=40;VNPT=60", "--reasons", "signed before").wants(t, exitFindings, "no step agree")
	s.command(t, "sharing", "show", number).wants(t, exitDone, "12/BB-STTTT")
	s.command(t, "sharing", "show", "S-2020-0000-0000-0000").wants(t, exitFindings, "not found")
	s.command(t, "sharing", "figures").wants(t, exitDone, "MEDIAN DAYS")
	if after, of := shared(); after != before+1 || of != sites {
		t.Errorf("%v of %v sites are shared, before %v of %v", after, of, before, sites)
	}
	var request struct {
		State    string
		Position int64
	}
	s.get(t, path, &request, owner...)
	if request.State != "agreed" || request.Position == 0 {
		t.Errorf("%+v", request)
	}
	s.call(t, http.MethodGet, fmt.Sprint("/api/v1/collections/operator_positions/items/", request.Position), "").wants(t, http.StatusOK)
	var counted struct {
		Figures []struct {
			Year, Requests int
			Owner          *string
			Outcomes       map[string]int
		}
	}
	s.get(t, "/api/v1/sharing-requests/figures", &counted)
	if len(counted.Figures) != 1 || counted.Figures[0].Year != 2020 || counted.Figures[0].Owner != nil || counted.Figures[0].Outcomes["agreed"] != 1 {
		t.Errorf("%+v", counted)
	}
}
