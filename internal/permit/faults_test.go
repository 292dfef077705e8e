package permit_test

import (
	"encoding/json"
	"strings"
	"testing"

	"hatang/geo"
	"hatang/internal/permit"
)

// FuzzProposalFaults: any row is either a proposal that is valid and complete, or
// an error that lists faults in both languages; never a panic. Rows come from
// strangers' files.
func FuzzProposalFaults(f *testing.F) {
	for _, row := range []string{
		`{"lon":103.02,"lat":21.39,"mast_type":"A2b","height_m":42,"structure":"self_supporting","date":"2020-06-30"}`,
		`{"crs":"EPSG:9205","x":500000,"y":2365000,"mast_type":"A1b","structure":"camouflaged"}`,
		`{"lon":null,"lat":"x","mast_type":7,"height_m":-1,"heigth_m":3}`,
		`{"lon":1e999}`, `[]`, `null`, ``, `{"crs":"EPSG:3405","x":1e308,"y":-1e308,"mast_type":"A2a"}`, "{\"operator\":\"\xff\"}",
	} {
		f.Add([]byte(row))
	}
	date := geo.NewDate(2020, 6, 30)
	f.Fuzz(func(t *testing.T, row []byte) {
		p, err := permit.ParseProposal(row, date)
		if err == nil {
			if invalid := p.Validate(); invalid != nil {
				t.Fatalf("accepted %q, which is invalid: %v", row, invalid)
			}
			if p.Date.IsZero() || !json.Valid(row) {
				t.Fatalf("accepted %q", row)
			}
			return
		}
		invalid, ok := permit.Faults(err)
		if !ok || len(invalid.Faults) == 0 {
			t.Fatalf("%q: %v lists no faults", row, err)
		}
		for _, fault := range invalid.Faults {
			if fault.Detail.VI == "" || fault.Detail.EN == "" || fault.At != "" && !strings.HasPrefix(fault.At, "/") {
				t.Fatalf("%q: a fault without words or pointer: %+v", row, fault)
			}
		}
	})
}
