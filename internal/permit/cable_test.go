package permit_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/permit"
	"hatang/internal/postgis"
)

// cablesOnTheDemo asks about routes in the plan's own zones and along its own poles.
func cablesOnTheDemo(t *testing.T, s *postgis.Store, conn *pgx.Conn) {
	cables := permit.NewCables(s)
	ask := func(t *testing.T, v account.Viewer, date, body string) zoning.CableResult {
		t.Helper()
		p, err := permit.ParseCable([]byte(body), day(t, date))
		if err != nil {
			t.Fatal(err)
		}
		a, err := cables.Check(t.Context(), permit.Question{Viewer: v}, p)
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Versions) != 6 {
			t.Errorf("versions of %v", a.Versions)
		}
		return a.CableResult
	}
	found := func(r zoning.CableResult, rule string) string {
		var out []string
		for _, f := range r.Findings {
			if f.Rule == rule && f.Evidence != nil {
				out = append(out, string(f.Outcome)+" "+f.Evidence.Code)
			} else if f.Rule == rule {
				out = append(out, string(f.Outcome))
			}
		}
		slices.Sort(out)
		return strings.Join(out, ", ")
	}
	const through = `{"geometry":{"type":"LineString","coordinates":[[103.0190,21.3914,7],[103.0222,21.3914,7]]},"carrier":"electric_pole","new_project":false,"owner_agreement":true}`
	if r := ask(t, account.Anonymous(), "2020-06-30", through); r.Verdict != zoning.Refused || !strings.Contains(found(r, "CAB-U1"), "fail NH-01") || !r.Provisional || len(r.Communes) == 0 {
		t.Errorf("through the provincial centre: %s, %s in %v", r.Verdict, found(r, "CAB-U1"), r.Communes)
	}
	const beside = `{"geometry":{"type":"LineString","coordinates":[[103.036325,21.352044],[103.038718,21.351231],[103.040799,21.351332]]},"carrier":"telecom_pole","new_poles":true,"pole_height_m":7,"new_project":false}`
	if r := ask(t, account.Anonymous(), "2020-06-30", beside); !strings.Contains(found(r, "CAB-P1"), "fail TC-01") || r.Verdict != zoning.Conditional {
		t.Errorf("along a line of poles: %s: %+v", r.Verdict, r.Findings)
	}
	const laos = `{"geometry":{"type":"LineString","coordinates":[[102.6,21.1],[102.61,21.1]]},"carrier":"duct"}`
	if r := ask(t, account.Anonymous(), "2020-06-30", laos); r.Verdict != zoning.Undetermined || found(r, "TERRITORY") != "unknown" {
		t.Errorf("in Laos: %s: %+v", r.Verdict, r.Findings)
	}
	t.Run("a rival's planned poles", func(t *testing.T) { hiddenPoles(t, ask, found, conn) })
	t.Run("what may not be asked", cableFaults)
	t.Run("withheld areas", func(t *testing.T) {
		var lon, lat float64
		if err := conn.QueryRow(t.Context(), "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_PointOnSurface(geom) p FROM special_areas WHERE kind = 'border_belt') b").Scan(&lon, &lat); err != nil {
			t.Fatal(err)
		}
		body := fmt.Sprintf(`{"geometry":{"type":"LineString","coordinates":[[%v,%v],[%v,%v]]},"carrier":"duct"}`, lon, lat, lon+0.0005, lat)
		public, staff := ask(t, account.Anonymous(), "2020-06-30", body), ask(t, officer(), "2020-06-30", body)
		if found(public, "CAB-B1") != "condition" || !strings.HasPrefix(found(staff, "CAB-B1"), "condition ") {
			t.Errorf("the public is told %q, officers %q", found(public, "CAB-B1"), found(staff, "CAB-B1"))
		}
	})
}

// hiddenPoles: a draft of planned telecom poles counts for those who see it, and for them
// alone; once approved, for all.
func hiddenPoles(t *testing.T, ask func(*testing.T, account.Viewer, string, string) zoning.CableResult, found func(zoning.CableResult, string) string, conn *pgx.Conn) {
	const route = `{"geometry":{"type":"LineString","coordinates":[[103.2260,21.1443],[103.2280,21.1443]]},"carrier":"electric_pole","new_project":false,"owner_agreement":true}`
	put := func(status string) {
		t.Helper()
		_, err := conn.Exec(t.Context(), "DELETE FROM pole_lines WHERE code = 'TC-X'")
		if err == nil {
			_, err = conn.Exec(t.Context(), `INSERT INTO pole_lines (code, valid_from, jurisdiction, owner_organisation, source, illustrative, status, kind, geom)
				VALUES ('TC-X', '2016-01-01', '11', 'VNPT', 'test', false, $1, 'telecom', ST_GeomFromText('MULTILINESTRING Z((103.2260 21.1444 0, 103.2280 21.1444 0))', 4326))`, status)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	put("draft")
	if got := found(ask(t, account.Anonymous(), "2020-06-30", route), "CAB-E1"); got != "pass" {
		t.Errorf("the public is told of a draft: %s", got)
	}
	put("approved")
	if got := found(ask(t, account.Anonymous(), "2020-06-30", route), "CAB-E1"); got != "fail TC-X" {
		t.Errorf("approved poles do not count: %s", got)
	}
	if _, err := conn.Exec(t.Context(), "DELETE FROM pole_lines WHERE code = 'TC-X'"); err != nil {
		t.Fatal(err)
	}
}

// cableFaults: everything that is wrong with a proposal is said at once.
func cableFaults(t *testing.T) {
	const line = `"geometry":{"type":"LineString","coordinates":[[103,21],[103.01,21]]}`
	for body, want := range map[string]string{
		`[]`: "",
		`{}`: "/geometry /carrier",
		`{"geometry":{"type":"Point","coordinates":[103,21]},"carrier":"duct"}`:                                   "/geometry",
		`{"geometry":{"type":"LineString","coordinates":[[103,21],[103,21]]},"carrier":"duct"}`:                   "/geometry",
		`{"geometry":{"type":"LineString","coordinates":[[103,91],[103,21]]},"carrier":"duct"}`:                   "/geometry",
		`{"geometry":{"type":"LineString","coordinates":[[103,21],[109,21]]},"carrier":"duct"}`:                   "/geometry",
		`{"geometry":{"type":"LineString","coordinates":[[103,21,-1],[103.01,21,-1]]},"carrier":"electric_pole"}`: "/carrier",
		`{` + line + `,"carrier":"balloon","new_poles":1,"pole_height_m":-1,"date":"x","z":1}`:                    "/carrier /new_poles /pole_height_m /date /z",
		`{` + line + `,"carrier":"duct","pole_height_m":101}`:                                                     "/pole_height_m",
	} {
		_, err := permit.ParseCable([]byte(body), day(t, "2020-06-30"))
		invalid, ok := permit.Faults(err)
		if !ok {
			t.Errorf("%s: %v", body, err)
			continue
		}
		var at []string
		for _, f := range invalid.Faults {
			at = append(at, f.At)
		}
		if got := strings.Join(at, " "); got != want {
			t.Errorf("%s: faults at %q, want %q", body, got, want)
		}
	}
	if _, err := permit.ParseCable(json.RawMessage(`{`+line+`,"carrier":"duct","new_project":null,"pole_height_m":100}`), day(t, "2020-06-30")); err != nil {
		t.Error(err)
	}
}

// TestCableLimits: as many positions, and as wide a route, as may be are judged, no more.
func TestCableLimits(t *testing.T) {
	route := func(positions int, width float64) string {
		at := make([]string, positions)
		for i := range at {
			at[i] = fmt.Sprintf("[%v,21]", 103+width*float64(i)/float64(positions-1))
		}
		return `{"geometry":{"type":"LineString","coordinates":[` + strings.Join(at, ",") + `]},"carrier":"duct"}`
	}
	for _, tt := range []struct {
		body string
		ok   bool
	}{
		{route(permit.MaxCablePositions-1, 1), true}, {route(permit.MaxCablePositions, 1), true}, {route(permit.MaxCablePositions+1, 1), false},
		{route(2, 4.999), true}, {route(2, 5), true}, {route(2, 5.001), false},
	} {
		if _, err := permit.ParseCable([]byte(tt.body), day(t, "2020-06-30")); (err == nil) != tt.ok {
			t.Errorf("%.80s…: %v", tt.body, err)
		}
	}
}
