package formats

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hatang/internal/layer"
)

// Changes are a line each, with what changed named; a text that would be a formula to a
// spreadsheet program is none.
func TestChangesAreWrittenALineEach(t *testing.T) {
	layers, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	kiosks, _ := layers.Get("kiosks")
	was := rowOf(t, kiosks, 7, nil, map[string]any{"code": "=K,1", "name": "cũ"})
	is := rowOf(t, kiosks, 7, nil, map[string]any{"code": "=K,1", "name": "mới"})
	at := time.Date(2026, 1, 2, 3, 4, 5, 600000, time.UTC)
	changes := []*layer.Change{
		{Layer: kiosks, FeatureID: 7, Operation: layer.Update, Who: "-lan", Request: "r", RecordedAt: at, Before: was, After: is},
		{Layer: kiosks, FeatureID: 7, Operation: layer.Insert, RecordedAt: at, After: was},
		{Layer: kiosks, FeatureID: 7, Operation: layer.Delete, RecordedAt: at, Before: is},
	}
	var table, lines bytes.Buffer
	for _, out := range []struct {
		to  *bytes.Buffer
		csv bool
	}{{&table, true}, {&lines, false}} {
		w, err := NewChanges(out.to, out.csv)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			if err := w.Write(c); err != nil {
				t.Fatal(err)
			}
		}
	}
	rows, err := csv.NewReader(&table).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"recorded_at", "collection", "feature", "operation", "who", "request", "code", "changed"},
		{"2026-01-02T03:04:05.0006Z", "kiosks", "7", "update", "'-lan", "r", "'=K,1", "name"},
		{"2026-01-02T03:04:05.0006Z", "kiosks", "7", "insert", "", "", "'=K,1", ""},
		{"2026-01-02T03:04:05.0006Z", "kiosks", "7", "delete", "", "", "'=K,1", ""},
	}
	read := json.NewDecoder(&lines)
	for i, row := range rows {
		if diff := cmp.Diff(want[i], row[:8]); diff != "" || len(row) != 10 {
			t.Errorf("%d cells\n%s", len(row), diff)
		}
		if i == 0 {
			continue
		}
		var line struct{ Before, After json.RawMessage }
		if err := read.Decode(&line); err != nil {
			t.Fatal(err)
		}
		for cell, member := range map[string]json.RawMessage{row[8]: line.Before, row[9]: line.After} {
			if cell != string(member) && (cell != "" || string(member) != "null") {
				t.Errorf("as CSV %s, as NDJSON %s", cell, member)
			}
		}
	}
	if _, err := NewChanges(failing{}, true); err == nil {
		t.Error("the line of names was not written, and nobody is told")
	}
	if w, err := NewChanges(failing{}, false); err != nil || w.Write(changes[0]) == nil {
		t.Errorf("a change was not written, and nobody is told: %v", err)
	}
}

// failing takes nothing.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }
