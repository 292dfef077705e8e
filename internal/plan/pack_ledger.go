package plan

import (
	"encoding/json"

	"hatang/geo"
)

// Indicator is a target of the plan, a baseline, or both.
type Indicator struct {
	ID      string   `json:"id"`
	Sector  string   `json:"sector"` // postal, telecom, it
	Kind    string   `json:"kind"`   // baseline, adjusted, added, direction, roadmap, orientation
	Name    geo.Text `json:"name"`
	Unit    geo.Text `json:"unit"` // of target and baseline, e.g. "km per point"
	Year    int      `json:"year"`
	Section string   `json:"section"` // where the plan says it
	Target  *Goal    `json:"target,omitempty"`
	// Baseline is the value before the plan, with its own year.
	Baseline *Goal  `json:"baseline,omitempty"`
	Formula  string `json:"formula,omitempty"`
	// ComputableFromMap is true where rows of layers decide whether it is met.
	ComputableFromMap bool     `json:"computable_from_map"`
	Discrepancies     []string `json:"discrepancies,omitempty"` // ids
}

// Goal is a value, a bound or a range; an empty number is absent.
type Goal struct {
	Op    string      `json:"op,omitempty"` // =, <, >, >=, range, approx, qualitative; "" in a baseline
	Value json.Number `json:"value,omitempty"`
	Min   json.Number `json:"min,omitempty"`
	Max   json.Number `json:"max,omitempty"`
	Year  int         `json:"year,omitempty"`
	Unit  string      `json:"unit,omitempty"` // where it differs from the indicator's
	Parts []GoalPart  `json:"parts,omitempty"`
}

// GoalPart is one of several figures stated together.
type GoalPart struct {
	Name  string      `json:"name"`
	Value json.Number `json:"value"`
}

// Projects is the plan's list of investments.
type Projects struct {
	Unit    geo.Text  `json:"unit"` // of every sum of money
	Section string    `json:"section"`
	Items   []Project `json:"items"`
}

// Project is an investment or, where Group is set, a stated subtotal.
type Project struct {
	ID       string   `json:"id"`
	Group    bool     `json:"group,omitempty"`
	Parent   string   `json:"parent,omitempty"` // id of the group it counts in
	Name     geo.Text `json:"name"`
	Owner    string   `json:"owner,omitempty"`
	FromYear int      `json:"from_year,omitempty"`
	ToYear   int      `json:"to_year,omitempty"`
	Money    Money    `json:"money"`
}

// Money holds sums as decimal strings, which binary fractions cannot hold.
type Money struct {
	Central        string `json:"central"`         // central budget
	LocalCapital   string `json:"local_capital"`   // local investment budget
	LocalRecurrent string `json:"local_recurrent"` // local recurrent budget
	Enterprise     string `json:"enterprise"`      // enterprises and others
	Total          string `json:"total"`
}

// sums returns the columns that make up the total, then the total.
func (m Money) sums() []string {
	return []string{m.Central, m.LocalCapital, m.LocalRecurrent, m.Enterprise, m.Total}
}

// Table is a table printed in the plan.
type Table struct {
	ID            string        `json:"id"`
	Title         geo.Text      `json:"title"`
	Section       string        `json:"section"`
	Unit          geo.Text      `json:"unit"`
	Columns       []TableColumn `json:"columns"`
	Rows          []TableRow    `json:"rows"`
	StatedTotal   []json.Number `json:"stated_total"` // one for each column
	Discrepancies []string      `json:"discrepancies,omitempty"`
}

// TableColumn is a column of figures.
type TableColumn struct {
	ID    string   `json:"id"`
	Title geo.Text `json:"title"`
}

// TableRow is the figures of one unit.
type TableRow struct {
	UnitCode string        `json:"unit_code"`
	Name     string        `json:"name"`   // as the plan spells it
	Values   []json.Number `json:"values"` // one for each column
}

// Discrepancy is a place where the plan contradicts itself.
type Discrepancy struct {
	ID         string   `json:"id"`
	Severity   string   `json:"severity"` // info, low, medium, high
	Title      geo.Text `json:"title"`
	Section    string   `json:"section"`
	Stated     string   `json:"stated"`
	Computed   geo.Text `json:"computed"`
	Conclusion geo.Text `json:"conclusion"`
	Check      *Check   `json:"check,omitempty"` // where rows can say it
}

// Check names the figure of the plan's province that rows give for a discrepancy,
// and what the plan states.
type Check struct {
	ID       string   `json:"id"` // of the figure, e.g. mean_service_radius_m
	Of       string   `json:"of"`
	Operator string   `json:"operator,omitempty"`
	Basis    string   `json:"basis"`
	Stage    string   `json:"stage"`
	Phase    string   `json:"phase,omitempty"`
	Date     geo.Date `json:"date"`
	// Part of the figure that the plan states: value (default), numerator or denominator.
	Part string `json:"part,omitempty"`
	// Divisor takes the figure to the plan's unit, e.g. 1000 for kilometres.
	Divisor   json.Number `json:"divisor,omitempty"`
	Stated    json.Number `json:"stated,omitempty"`
	StatedMin json.Number `json:"stated_min,omitempty"`
	StatedMax json.Number `json:"stated_max,omitempty"`
}
