package layer

import "encoding/json"

// Becomes is what becomes of a row of a file.
type Becomes string

// What becomes of rows.
const (
	BecomesInsert    Becomes = "insert"
	BecomesUpdate    Becomes = "update"
	BecomesUnchanged Becomes = "unchanged"
	BecomesSkipped   Becomes = "skipped"
	BecomesRefused   Becomes = "refused"
)

// ImportedRow is what an import does with a row of its file, or would do.
type ImportedRow struct {
	Row     int
	Code    string
	Becomes Becomes
	Place   json.RawMessage // where it will lie, a GeoJSON geometry; of a refused row where the file has it; nil for nowhere
	Moved   bool            // it lies elsewhere than before
	// Before and After are the fields that change, JSON objects; nil for none. A new row has no
	// Before.
	Before, After json.RawMessage
	Faults        Faults // why it is refused: of the first rows that are
}

// GeoJSON is the row as a GeoJSON feature.
func (r ImportedRow) GeoJSON() ([]byte, error) {
	type properties struct {
		Row     int             `json:"row"`
		Code    string          `json:"code"`
		Becomes Becomes         `json:"becomes"`
		Moved   bool            `json:"moved"`
		Before  json.RawMessage `json:"before"`
		After   json.RawMessage `json:"after"`
		Faults  Faults          `json:"faults,omitempty"`
	}
	return json.Marshal(struct {
		Type       string          `json:"type"`
		ID         int             `json:"id"`
		Geometry   json.RawMessage `json:"geometry"`
		Properties properties      `json:"properties"`
	}{"Feature", r.Row, r.Place, properties{r.Row, r.Code, r.Becomes, r.Moved, r.Before, r.After, r.Faults}})
}
