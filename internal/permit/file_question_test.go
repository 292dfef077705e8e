package permit

import (
	"encoding/json"
	"testing"

	"hatang/geo"
)

// What is asked of a row that is filed is a question that the check takes, and has of the row
// what the check can use.
func TestQuestionsOfRows(t *testing.T) {
	const line = `"geometry":{"type":"MultiLineString","coordinates":[[[103.01,21.4,6],[103.02,21.41,6]]]}`
	for _, tt := range []struct {
		collection, feature string
		kind                Kind
		body                string
		faults              int
	}{
		{"bts_sites", `{"id":7,"geometry":{"type":"Point","coordinates":[103.01,21.4]},"properties":{"mast_type":"A2b","height_m":40,"code":"x"}}`, Placement, `{"feature":7,"height_m":40,"lat":21.4,"lon":103.01,"mast_type":"A2b","operator":"VNPT"}`, 0},
		{"bts_sites", `{"geometry":{"type":"Point","coordinates":[103.01,21.4]},"properties":{}}`, Placement, `{"lat":21.4,"lon":103.01,"operator":"VNPT"}`, 1},
		{"cable_segments", `{` + line + `,"properties":{"underground":false,"carrier":"electric_pole","new_project":true}}`, CableKind, `{"carrier":"electric_pole",` + line + `,"new_project":true,"operator":"VNPT"}`, 0},
		{"cable_segments", `{` + line + `,"properties":{"underground":true}}`, CableKind, `{"carrier":"duct",` + line + `,"operator":"VNPT"}`, 0},
		{"cable_segments", `{` + line + `,"properties":{"underground":false}}`, CableKind, `{` + line + `,"operator":"VNPT"}`, 1},
		{"fibre_routes", `{` + line + `,"properties":{"works_class":"C1","new_project":false}}`, CableKind, `{"carrier":"telecom_pole",` + line + `,"new_poles":false,"new_project":false,"operator":"VNPT"}`, 0},
		{"cable_segments", `{` + line + `,"properties":{"underground":false,"carrier":"telecom_pole"}}`, CableKind, `{"carrier":"telecom_pole",` + line + `,"new_poles":false,"operator":"VNPT"}`, 0},
		{"fibre_routes", `{` + line + `,"properties":{"works_class":"C1","carrier":"lighting_pole"}}`, CableKind, `{"carrier":"lighting_pole",` + line + `,"operator":"VNPT"}`, 0},
		{"fibre_routes", `{` + line + `,"properties":{"works_class":"direct"}}`, CableKind, `{"carrier":"direct",` + line + `,"operator":"VNPT"}`, 0},
		{"fibre_routes", `{` + line + `,"properties":{"works_class":"C2"}}`, CableKind, `{` + line + `,"operator":"VNPT"}`, 1},
		{"cable_segments", `{` + line + `,"properties":{"underground":false,"carrier":"duct"}}`, CableKind, `{` + line + `,"operator":"VNPT"}`, 1},
		{"cable_segments", `{` + line + `,"properties":{"underground":true,"carrier":"electric_pole"}}`, CableKind, `{` + line + `,"operator":"VNPT"}`, 1},
		{"fibre_routes", `{` + line + `,"properties":{"works_class":"C1","carrier":"duct"}}`, CableKind, `{` + line + `,"operator":"VNPT"}`, 1},
		{"fibre_routes", `{` + line + `,"properties":{"works_class":"N2","carrier":"lighting_pole"}}`, CableKind, `{` + line + `,"operator":"VNPT"}`, 1},
		{"fibre_routes", `{` + line + `,"properties":{"works_class":"N2","carrier":"duct"}}`, CableKind, `{"carrier":"duct",` + line + `,"operator":"VNPT"}`, 0},
		{"ducts", `{` + line + `,"properties":{"works_class":"N2"}}`, CableKind, `{"carrier":"duct",` + line + `,"operator":"VNPT"}`, 0},
		{"pole_lines", `{` + line + `,"properties":{"kind":"telecom","pole_height_m":7,"new_project":true}}`, CableKind, `{"carrier":"telecom_pole",` + line + `,"new_poles":true,"new_project":true,"operator":"VNPT","pole_height_m":7}`, 0},
		{"postal_points", `{"geometry":{"type":"Point","coordinates":[103.01,21.4]},"properties":{}}`, "", "", 0},
	} {
		kind, body, err := QuestionOf(tt.collection, []byte(tt.feature), "VNPT")
		if err != nil || kind != tt.kind || string(body) != tt.body {
			t.Errorf("%s %s:\n%s %s, %v, want\n%s %s", tt.collection, tt.feature, kind, body, err, tt.kind, tt.body)
			continue
		}
		if body == nil {
			continue
		}
		parse := func(raw json.RawMessage) error { _, err := ParseProposal(raw, geo.NewDate(2020, 1, 1)); return err }
		if kind == CableKind {
			parse = func(raw json.RawMessage) error { _, err := ParseCable(raw, geo.NewDate(2020, 1, 1)); return err }
		}
		found := 0
		if invalid, ok := Faults(parse(body)); ok {
			found = len(invalid.Faults)
		}
		if found != tt.faults {
			t.Errorf("%s: %d faults in %s", tt.collection, found, body)
		}
	}
	if _, _, err := QuestionOf("ducts", []byte("{"), "VNPT"); err == nil {
		t.Error("half a row is a question")
	}
}
