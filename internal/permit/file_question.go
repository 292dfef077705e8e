package permit

import (
	"encoding/json"
	"fmt"

	"hatang/geo/zoning"
)

// filedRow is a row that is filed, as GeoJSON has it.
type filedRow struct {
	ID         json.RawMessage            `json:"id"`
	Geometry   json.RawMessage            `json:"geometry"`
	Properties map[string]json.RawMessage `json:"properties"`
}

// QuestionOf returns a row of one of the FiledLayers, a GeoJSON Feature, as what is asked in a
// check, and the kind of that; nil for a layer that no check is about.
//
// What the register does not hold is not asked: whether the owner of the poles agrees, say. A
// rule that needs it says so.
func QuestionOf(collection string, feature []byte, operator string) (Kind, json.RawMessage, error) {
	var row filedRow
	if err := json.Unmarshal(feature, &row); err != nil {
		return "", nil, fmt.Errorf("read a row that is filed: %w", err)
	}
	var body map[string]any
	kind := CableKind
	switch collection {
	case "bts_sites":
		var point struct {
			Coordinates []float64 `json:"coordinates"`
		}
		if err := json.Unmarshal(row.Geometry, &point); err != nil {
			return "", nil, fmt.Errorf("read a row that is filed: %w", err)
		}
		kind, body = Placement, row.given("mast_type", "height_m", "half_width_m", "host_building_height_m", "structure", "concealed", "accuracy_m")
		if at := point.Coordinates; len(at) == 2 {
			body["lon"], body["lat"] = at[0], at[1]
		}
		if row.ID != nil {
			body["feature"] = row.ID
		}
	case "cable_segments", "fibre_routes":
		body = row.cable(row.carrier())
		row.add(body, "new_project")
		if body["carrier"] == zoning.TelecomPole { // new ones are filed as lines of poles
			body["new_poles"] = false
		}
	case "ducts":
		body = row.cable(zoning.Duct)
	case "pole_lines":
		body = row.cable(zoning.Carrier(row.text("kind") + "_pole"))
		body["new_poles"] = true
		row.add(body, "pole_height_m", "new_project")
	default:
		return "", nil, nil
	}
	body["operator"] = operator
	text, err := json.Marshal(body)
	return kind, text, err
}

// given are those of the row's properties, the ones that it has.
func (f filedRow) given(names ...string) map[string]any {
	body := map[string]any{}
	f.add(body, names...)
	return body
}

func (f filedRow) add(body map[string]any, names ...string) {
	for _, name := range names {
		if value, ok := f.Properties[name]; ok {
			body[name] = value
		}
	}
}

// cable is the question about a line that a carrier holds; "" where that is not known, of
// which the check tells.
func (f filedRow) cable(carrier zoning.Carrier) map[string]any {
	body := map[string]any{"geometry": f.Geometry}
	if carrier != "" {
		body["carrier"] = carrier
	}
	return body
}

// carrier is what the row says holds the cable; else what its class of works implies or, for
// one that is underground, a duct, which the plan prefers. It is not known of a row that
// contradicts itself: one is not judged as underground that says that it hangs.
func (f filedRow) carrier() zoning.Carrier {
	underground := f.truth("underground")
	if said := zoning.Carrier(f.text("carrier")); said != "" {
		below := said == zoning.Duct || said == zoning.DirectBuried
		if class, known := undergroundClasses[f.text("works_class")]; known && class != below || f.says("underground") && underground != below {
			return ""
		}
		return said
	}
	switch f.text("works_class") {
	case "N1", "N2":
		return zoning.Duct
	case "direct":
		return zoning.DirectBuried
	case "C1": // poles of one's own
		return zoning.TelecomPole
	}
	if underground {
		return zoning.Duct
	}
	return ""
}

// undergroundClasses are the classes of works, and whether they are underground.
var undergroundClasses = map[string]bool{"N1": true, "N2": true, "direct": true, "C1": false, "C2": false}

// text is a property; "" where the row has none.
func (f filedRow) text(name string) string {
	var text string
	if json.Unmarshal(f.Properties[name], &text) != nil {
		return ""
	}
	return text
}

func (f filedRow) truth(name string) bool {
	var yes bool
	return json.Unmarshal(f.Properties[name], &yes) == nil && yes
}

// says reports whether the row has a property that is not null.
func (f filedRow) says(name string) bool {
	value, has := f.Properties[name]
	return has && string(value) != "null"
}
