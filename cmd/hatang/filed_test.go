package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestWhatIsFiledIsChecked files a mast, a cable that hangs where the plan wants it underground,
// one of which nobody has said what holds it, and a postal point: the checks say of each what
// they can, the gravest word is the proposal's, and every verdict is recorded.
func TestWhatIsFiledIsChecked(t *testing.T) {
	t.Parallel()
	s := demo(t)
	key := newKey(t, s, "operator", "--organisation", "VNPT")
	as := append(bearer(key), "Content-Type", "application/geo+json")
	draft := func(collection, geometry, properties string) string {
		t.Helper()
		a := s.call(t, http.MethodPost, "/api/v1/collections/"+collection+"/items", fmt.Sprintf(`{"type":"Feature","geometry":%s,"properties":{"status":"draft","valid_from":"2026-01-01","jurisdiction":"11","owner_organisation":"VNPT",%s}}`, geometry, properties), as...)
		a.wants(t, http.StatusCreated)
		at := a.header.Get("Location")
		return fmt.Sprintf(`{"collection":%q,"id":%s}`, collection, at[strings.LastIndexByte(at, '/')+1:])
	}
	const street = `{"type":"MultiLineString","coordinates":[[[103.0190,21.3914,6],[103.0222,21.3914,6]]]}`
	filed := []string{
		draft("bts_sites", `{"type":"Point","coordinates":[103.0165,21.3826]}`, `"code":"FILED-1","mast_type":"A1a"`),
		draft("cable_segments", street, `"code":"FILED-2","underground":false,"carrier":"telecom_pole"`),
		draft("cable_segments", street, `"code":"FILED-3","underground":false`),
		draft("ducts", street, `"code":"FILED-4","works_class":"N2"`),
		draft("postal_points", `{"type":"Point","coordinates":[103.0165,21.3826]}`, `"code":"FILED-5","kind":"post_office"`),
	}
	as[len(as)-1] = "application/json"
	a := s.call(t, http.MethodPost, "/api/v1/proposals", `{"title":"Tuyến và cột","features":[`+strings.Join(filed, ",")+`]}`, as...)
	a.wants(t, http.StatusCreated)
	var shown struct {
		Verdict struct {
			Verdict  string
			Features []struct {
				Collection string
				Number     string
				Answer     *struct{ Verdict string }
				Faults     []struct{ At string }
			}
		}
	}
	s.call(t, http.MethodGet, path(a.header.Get("Location")), "", bearer(key)...).read(t, &shown)
	if shown.Verdict.Verdict != "refused" || len(shown.Verdict.Features) != len(filed) {
		t.Fatalf("%+v", shown)
	}
	for i, want := range []string{"permitted conditional undetermined refused", "refused", "", "permitted conditional", ""} {
		f := shown.Verdict.Features[i]
		got, unsaid := "", i == 2
		if f.Answer != nil {
			got = f.Answer.Verdict
			s.call(t, http.MethodGet, "/api/v1/verdicts/"+f.Number, "", bearer(key)...).wants(t, http.StatusOK)
		}
		if (want == "") != (got == "") || !strings.Contains(want, got) || unsaid != (len(f.Faults) == 1 && f.Faults[0].At == "/carrier") {
			t.Errorf("%s: %+v", f.Collection, f)
		}
	}
}
