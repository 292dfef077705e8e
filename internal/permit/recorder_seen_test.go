package permit_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

func TestVerdictsAreSeenByThoseConcerned(t *testing.T) {
	r := newRecording(t)
	operatorOf := func(name, organisation string) account.Viewer {
		return account.Viewer{Name: name, Organisation: organisation, Grants: []account.Grant{{Role: account.Operator}}}
	}
	lan, hoa, rival := operatorOf("person:lan", "VNPT"), operatorOf("person:hoa", "VNPT"), operatorOf("person:tuan", "VIETTEL")
	staffAtVNPT := account.Viewer{Name: "person:an", Organisation: "VNPT", Grants: []account.Grant{{Role: account.Officer}}}
	here := account.Viewer{Name: "key:here", Grants: []account.Grant{{Role: account.Officer, Territory: "094"}}}
	question := json.RawMessage(`{"lon":103.0165,"lat":21.3826,"mast_type":"A2b"}`)
	of := func(v account.Viewer) string { return r.record(v, permit.Placement, question)[0] }
	lans, officers, heres, staffs := of(lan), of(officer()), of(here), of(staffAtVNPT)
	for _, tt := range []struct {
		v    account.Viewer
		sees string
	}{{lan, lans}, {hoa, lans}, {rival, ""}, {account.Anonymous(), ""}, {here, heres}, {staffAtVNPT, lans + officers + heres + staffs}, {officer(), lans + officers + heres + staffs},
		{account.Viewer{Name: "key:agency", Organisation: "SXD", Grants: []account.Grant{{Role: account.Consulted}}}, ""}} {
		for _, number := range []string{lans, officers, heres, staffs} {
			rec, err := r.Verdict(t.Context(), tt.v, number)
			if err != nil || rec.Sees != strings.Contains(tt.sees, number) {
				t.Errorf("%q of %q: %t, %v", number, tt.v.Name, rec.Sees, err)
			}
		}
	}
	if _, err := r.Verdict(t.Context(), officer(), "V-2026-0000-0000-0000"); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("one that is not there: %v", err)
	}
}

func TestWhatCannotBeRecorded(t *testing.T) {
	r := newRecording(t)
	ctx := t.Context()
	judged, err := r.Judge(ctx, officer(), day(t, "2020-12-31"), permit.Placement, []json.RawMessage{[]byte(`{"lon":103,"lat":21}`), []byte(`{"lon":103,"lon":104}`), []byte(`{"lon":103.0165,"lat":21.3826,"mast_type":"A1a"}`)})
	if err != nil || judged[0].Invalid == nil || judged[1].Invalid == nil || judged[2].Invalid != nil || judged[2].Verdict == zoning.Verdict("") {
		t.Errorf("%+v, %v", judged, err)
	}
	if judged, err = r.Judge(ctx, officer(), day(t, "2020-12-31"), permit.CableKind, []json.RawMessage{[]byte(`{"carrier":"duct"}`), []byte(`{`)}); err != nil || judged[0].Invalid == nil || judged[1].Invalid == nil {
		t.Errorf("%+v, %v", judged, err)
	}
	var invalid *layer.InvalidError
	if _, err = r.Judge(ctx, officer(), day(t, "2020-12-31"), permit.Placement, make([]json.RawMessage, permit.MaxRecorded+1)); !errors.As(err, &invalid) {
		t.Errorf("too many: %v", err)
	}
}
