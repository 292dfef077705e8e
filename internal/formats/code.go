package formats

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

	"hatang/internal/layer"
)

// takeCode gives a feature of a reference layer the code that its file has no column for:
// the feature's own id, or its number in the file.
func takeCode(r *Record, l *layer.Layer) {
	if _, given := r.Feature.Properties["code"]; given || l.Reference == nil || r.Feature.Properties == nil {
		return
	}
	switch {
	case l.Reference.CodeOf == layer.CodeOfID && r.id != "":
		r.Feature.Properties["code"] = r.id
	case l.Reference.CodeOf == layer.CodeOfRow:
		r.Feature.Properties["code"] = strconv.Itoa(r.Row)
	}
}

// idText is a feature's id as text; "" where it has none.
func idText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s // "" for null, too
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return ""
}

// looseText is any JSON value as text: what fields of reference layers hold that are made
// of values of several kinds, and codes that are numbers.
func looseText(raw json.RawMessage) any {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil
	}
	if raw[0] == '"' {
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return s
		}
	}
	var compact bytes.Buffer
	if json.Compact(&compact, raw) == nil {
		raw = compact.Bytes()
	}
	return string(raw)
}

// addOnce adds a name to a list that lacks it.
func addOnce(list []string, name string) []string {
	if slices.Contains(list, name) {
		return list
	}
	return append(list, name)
}
