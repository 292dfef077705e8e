package plan_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"hatang/internal/layer"
	"hatang/internal/plan"
)

// reconciled is what a reader of the reconciliation sees.
type reconciled struct {
	Discrepancies []struct {
		ID      string `json:"id"`
		FromMap *struct {
			Value  *float64 `json:"value"`
			Agrees *bool    `json:"agrees"`
			Figure any      `json:"figure"`
		} `json:"from_map"`
	} `json:"discrepancies"`
}

func (l *loaded) document(t *testing.T, name string, into any) {
	t.Helper()
	document, err := l.ledger.Document(context.Background(), officer(), name, "", day(t, "2020-12-31"))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	raw, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
}

func reconciliation(t *testing.T, l *loaded) {
	var r reconciled
	l.document(t, "reconciliation", &r)
	if len(r.Discrepancies) != 30 {
		t.Errorf("%d discrepancies", len(r.Discrepancies))
	}
	checked := 0
	for _, d := range r.Discrepancies {
		if d.FromMap == nil {
			continue
		}
		checked++
		if d.FromMap.Value == nil || d.FromMap.Agrees == nil || d.FromMap.Figure == nil {
			t.Errorf("%s: the map gives no figure: %+v", d.ID, d.FromMap)
			continue
		}
		t.Logf("%s: %g, agrees %t", d.ID, *d.FromMap.Value, *d.FromMap.Agrees)
		switch d.ID {
		case "D01":
			if *d.FromMap.Value != 166 || *d.FromMap.Agrees {
				t.Errorf("D01: %g, agrees %t; the plan says 165", *d.FromMap.Value, *d.FromMap.Agrees)
			}
		case "D06":
			if *d.FromMap.Value != 847 || *d.FromMap.Agrees {
				t.Errorf("D06: %g, agrees %t; the plan says 982", *d.FromMap.Value, *d.FromMap.Agrees)
			}
		case "D28":
			if !*d.FromMap.Agrees {
				t.Errorf("D28: %g km, the plan's 31.83 does not agree", *d.FromMap.Value)
			}
		}
	}
	if checked != 6 {
		t.Errorf("%d discrepancies are checked on the map", checked)
	}
	documents(t, l)
}

// documents holds that each list of the plan comes whole and in its order.
func documents(t *testing.T, l *loaded) {
	t.Helper()
	for name, want := range map[string]int{"indicators": len(l.pack.Indicators), "projects": len(l.pack.Projects.Items), "phases": len(l.pack.Phases)} {
		var document map[string]json.RawMessage
		l.document(t, name, &document)
		var list []struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(document[name], &list); err != nil || len(list) != want || want == 0 {
			t.Errorf("%s: %d, want %d, %v", name, len(list), want, err)
		}
		if name == "phases" && list[0].ID != "P1" {
			t.Errorf("the first phase is %s", list[0].ID)
		}
	}
	var table map[string]any
	l.document(t, "tables/wifi_points", &table)
	if table["table"] == nil {
		t.Errorf("the table is %v", table)
	}
	for _, name := range []string{"tables/none", "tables/", "nothing", ""} {
		if got, err := l.ledger.Document(context.Background(), officer(), name, "", day(t, "2020-12-31")); !errors.Is(err, layer.ErrNotFound) {
			t.Errorf("%q: %v, %v", name, got, err)
		}
	}
	if _, err := l.ledger.Document(context.Background(), officer(), "phases", "no-such-plan", day(t, "2020-12-31")); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("an unknown plan: %v", err)
	}
}

// broken is a shelf whose database is lost once the plan itself is read.
type broken struct{ plan.Shelf }

func (broken) PlanEntries(context.Context, string, string, string) ([]json.RawMessage, error) {
	return nil, layer.ErrUnavailable
}

func (broken) Plans(context.Context) ([]plan.Info, error) { return []plan.Info{{ID: "p"}}, nil }

func TestALostDatabaseIsNoPanic(t *testing.T) {
	for _, name := range []string{"tables/x", "indicators", "projects", "reconciliation"} {
		document, err := plan.NewLedger(broken{}, nil).Document(context.Background(), officer(), name, "", day(t, "2020-12-31"))
		if !errors.Is(err, layer.ErrUnavailable) || document != nil {
			t.Errorf("%s: %v, %v", name, document, err)
		}
	}
}
