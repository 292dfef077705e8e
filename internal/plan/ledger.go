package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// Info is what tells one plan from another.
type Info struct {
	ID            string   `json:"id"`
	Title         geo.Text `json:"title"`
	Jurisdiction  string   `json:"jurisdiction"`
	ValidFrom     geo.Date `json:"valid_from"`
	ReferenceDate geo.Date `json:"reference_date"`
}

// Shelf keeps what plans say, as it was loaded.
type Shelf interface {
	Plans(ctx context.Context) ([]Info, error)
	PlanPhases(ctx context.Context, plan string) ([]Phase, error)
	// PlanEntries returns the documents of a kind in the plan's order; id "" means all.
	PlanEntries(ctx context.Context, plan, kind, id string) ([]json.RawMessage, error)
}

// The kinds of entries on the shelf.
const (
	EntryIndicator   = "indicator"
	EntryProject     = "project"
	EntryTable       = "table"
	EntryDiscrepancy = "discrepancy"
)

// Ledger sets what a plan states against what the map says.
type Ledger struct {
	shelf    Shelf
	measurer *Measurer
}

// NewLedger returns a ledger of the plans on the shelf.
func NewLedger(s Shelf, m *Measurer) *Ledger { return &Ledger{s, m} }

// Document returns "indicators", "phases", "projects", "reconciliation" or
// "tables/NAME" of a plan; the plan "" is the one in force on the date, or the first.
// layer.ErrNotFound for what there is not.
func (l *Ledger) Document(ctx context.Context, v account.Viewer, name, planID string, date geo.Date) (any, error) {
	info, err := l.plan(ctx, planID, date)
	if err != nil {
		return nil, err
	}
	document := map[string]any{"plan": info}
	switch {
	case name == "phases":
		document["phases"], err = l.shelf.PlanPhases(ctx, info.ID)
	case name == "indicators":
		document["indicators"], err = l.shelf.PlanEntries(ctx, info.ID, EntryIndicator, "")
	case name == "projects":
		document["projects"], err = l.shelf.PlanEntries(ctx, info.ID, EntryProject, "")
	case name == "reconciliation":
		document["discrepancies"], err = l.reconcile(ctx, v, info)
	case strings.HasPrefix(name, "tables/"):
		document["table"], err = l.table(ctx, info.ID, strings.TrimPrefix(name, "tables/"))
	default:
		return nil, layer.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return document, nil
}

// table returns the table of that name; the shelf takes "" for all of them.
func (l *Ledger) table(ctx context.Context, planID, name string) (json.RawMessage, error) {
	if name == "" {
		return nil, layer.ErrNotFound
	}
	tables, err := l.shelf.PlanEntries(ctx, planID, EntryTable, name)
	if err != nil {
		return nil, err
	}
	if len(tables) == 0 {
		return nil, layer.ErrNotFound
	}
	return tables[0], nil
}

func (l *Ledger) plan(ctx context.Context, id string, date geo.Date) (Info, error) {
	plans, err := l.shelf.Plans(ctx)
	if err != nil {
		return Info{}, err
	}
	var found *Info
	for i, p := range plans {
		inForce := id == "" && (found == nil || !date.Before(p.ValidFrom))
		if p.ID == id || inForce {
			found = &plans[i]
		}
	}
	if found == nil {
		return Info{}, fmt.Errorf("plan %q: %w", id, layer.ErrNotFound)
	}
	return *found, nil
}

// Reconciled is a place where the plan contradicts itself, with what the rows of
// the map give today where they can say it.
type Reconciled struct {
	Discrepancy
	FromMap *FromMap `json:"from_map,omitempty"`
}

// FromMap is a figure computed from rows beside the one stated.
type FromMap struct {
	Value     *float64 `json:"value"`
	Agrees    *bool    `json:"agrees"`              // null where the map has no such figure
	Tolerance float64  `json:"tolerance,omitempty"` // half a unit of the stated figure's last digit
	Figure    *Figure  `json:"figure"`
	Date      geo.Date `json:"date"`
}

func (l *Ledger) reconcile(ctx context.Context, v account.Viewer, info Info) ([]Reconciled, error) {
	entries, err := l.shelf.PlanEntries(ctx, info.ID, EntryDiscrepancy, "")
	if err != nil {
		return nil, err
	}
	list := make([]Reconciled, len(entries))
	for i, raw := range entries {
		if err := json.Unmarshal(raw, &list[i].Discrepancy); err != nil {
			return nil, fmt.Errorf("discrepancy %d of plan %s: %w", i, info.ID, err)
		}
		if list[i].Check == nil {
			continue
		}
		if list[i].FromMap, err = l.fromMap(ctx, v, info, *list[i].Check); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// fromMap computes the figure that a check names, for the plan's province.
func (l *Ledger) fromMap(ctx context.Context, v account.Viewer, info Info, check Check) (*FromMap, error) {
	units, err := l.measurer.Units(ctx, v, "province", info.Jurisdiction, check.Date)
	if err != nil {
		return nil, fmt.Errorf("figures of province %s: %w", info.Jurisdiction, err)
	}
	result := &FromMap{Date: check.Date}
	for i, f := range units[0].Indicators {
		if check.names(f) {
			result.Figure = &units[0].Indicators[i]
			result.Value = check.value(f)
		}
	}
	if result.Value != nil {
		agrees := false
		agrees, result.Tolerance = check.agrees(*result.Value)
		result.Agrees = &agrees
	}
	return result, nil
}

// names reports whether f is the figure that the check means.
func (c Check) names(f Figure) bool {
	operator := ""
	if f.Operator != nil {
		operator = *f.Operator
	}
	return f.ID == c.ID && f.Of == c.Of && operator == c.Operator && f.Basis == c.Basis && f.Stage == c.Stage && f.Phase == c.Phase
}

// value takes the part of the figure that the plan states, in the plan's unit.
func (c Check) value(f Figure) *float64 {
	part := f.Value
	switch c.Part {
	case "numerator":
		part = f.Numerator
	case "denominator":
		part = f.Denominator
	}
	if part == nil {
		return nil
	}
	scaled := *part
	if divisor, err := c.Divisor.Float64(); err == nil && divisor != 0 {
		scaled /= divisor
	}
	return &scaled
}

// agrees compares with the stated figure to the digits it was printed with, or with
// the stated range.
func (c Check) agrees(value float64) (agrees bool, tolerance float64) {
	if c.Stated == "" {
		low, errLow := c.StatedMin.Float64()
		high, errHigh := c.StatedMax.Float64()
		return errLow == nil && errHigh == nil && value >= low && value <= high, 0
	}
	stated, err := c.Stated.Float64()
	decimals := 0
	if _, fraction, ok := strings.Cut(c.Stated.String(), "."); ok {
		decimals = len(fraction)
	}
	// A hair more than half, for what binary fractions lose.
	tolerance = 0.5 * math.Pow10(-decimals)
	return err == nil && math.Abs(value-stated) <= tolerance*(1+1e-9), tolerance
}
