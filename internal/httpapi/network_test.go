package httpapi

import (
	"strings"
	"testing"
)

// A network comes in the format asked for, by f or by Accept; faults are told at once.
func TestNetworks(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	const path = "/api/v1/placement-checks/network"
	for _, tt := range []struct {
		query, accept string
		status        int
		mediaType     string
		says          string
	}{
		{"?operator=VNPT", "", 200, "application/json", `"operator":"VNPT"`},
		{"?operator=VNPT&f=ndjson", "", 200, "application/x-ndjson", `{"summary":"VNPT"}`},
		{"?operator=VNPT", "application/x-ndjson", 200, "application/x-ndjson", `{"summary":"VNPT"}`},
		{"?operator=VNPT&f=csv&date=2020-06-30", "application/json", 200, "text/csv", "code,VNPT\n"},
		{"?operator=VNPT&f=xlsx", "", 200, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "PK"},
		{"", "", 400, "application/problem+json", `"parameter":"operator"`},
		{"?operator=%00", "", 400, "application/problem+json", `"parameter":"operator"`},
		{"?operator=VNPT&f=pdf&date=soon", "", 400, "application/problem+json", `"parameter":"f"`},
		{"?date=soon", "", 400, "application/problem+json", `"parameter":"date"`},
		{"?operator=VNPT&x=1", "", 400, "application/problem+json", `"parameter":"x"`},
		{"?operator=VNPT", "image/png", 406, "application/problem+json", ""},
	} {
		w := do(h, "GET", path+tt.query, "", "Accept: "+tt.accept)
		if w.Code != tt.status || w.Header().Get("Content-Type") != tt.mediaType || !strings.Contains(w.Body.String(), tt.says) {
			t.Errorf("%+v: %d, %s: %.300s", tt, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
		if tt.status == 200 && !strings.Contains(w.Header().Get("Hatang-Summary"), `"before_plan":0`) {
			t.Errorf("%+v: %v", tt, w.Header())
		}
	}
}
