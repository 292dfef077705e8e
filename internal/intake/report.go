package intake

import (
	"hatang/geo"
	"hatang/internal/tables"
)

// Counts are what became of the rows of a file; the store fills them in.
type Counts struct {
	Inserted  int64 `json:"inserted"`
	Updated   int64 `json:"updated"`
	Unchanged int64 `json:"unchanged"`
	Skipped   int64 `json:"skipped"`
	Refused   int64 `json:"refused"` // for faults here, or by the store
}

// Guess is something that the meaning of a file rests on and that nobody has said.
type Guess struct {
	What  string   `json:"what"` // "decimal_comma", "date_order", "letters", …
	Value string   `json:"value"`
	Why   geo.Text `json:"why"`
}

// UnitGuess is a name or a code that was taken for a unit not to the letter.
type UnitGuess struct {
	Written string  `json:"written"`
	Code    string  `json:"code"`
	Name    string  `json:"name"`
	How     HowUnit `json:"how"`
	Rows    int64   `json:"rows"`
}

// How many of each the report keeps; all are counted.
const (
	defaultFaults  = 1000
	mostUnitGuess  = 200
	mostDuplicates = 200
	mostUnplaced   = 200
)

// Report is what a file was found to mean, and what is wrong with it. It is JSON for
// programs, with sentences in both languages for people.
type Report struct {
	Layer   string         `json:"layer"`
	File    []tables.Guess `json:"file"`    // what the reader of the file found out
	Guesses []Guess        `json:"guesses"` // what was found out about its cells
	Columns Columns        `json:"columns"`
	// NotTaken are the columns from which nothing is taken.
	NotTaken  []string  `json:"not_taken"`
	Placement Placement `json:"placement"`
	// Ready: columns and places are understood, so that rows without faults can be stored.
	Ready  bool   `json:"ready"`
	Rows   int64  `json:"rows"`
	Sound  int64  `json:"sound"` // rows without faults
	Counts Counts `json:"counts"`
	DryRun bool   `json:"dry_run,omitempty"` // the store changed nothing

	Faults       []Fault        `json:"faults"` // the first ones
	FaultCount   int64          `json:"fault_count"`
	FaultsByRule map[Rule]int64 `json:"faults_by_rule"`

	Units       map[HowUnit]int64 `json:"units"` // how the units that rows name were recognised
	UnitGuesses []UnitGuess       `json:"unit_guesses"`

	Duplicates      []Duplicate `json:"duplicates"` // the first ones
	DuplicateGroups int64       `json:"duplicate_groups"`
	RowsCompared    int64       `json:"rows_compared"` // the first rows, among which duplicates were looked for

	// Unplaced is how many rows without faults tell no place where others do: those that are in the
	// register keep what they have there. UnplacedRows are the first of them.
	Unplaced     int64   `json:"unplaced"`
	UnplacedRows []int64 `json:"unplaced_rows"`

	most  int
	units map[[2]string]int // in UnitGuesses
}

func newReport(layer string, most int) *Report {
	if most == 0 {
		most = defaultFaults
	}
	return &Report{Layer: layer, File: []tables.Guess{}, Guesses: []Guess{}, Columns: Columns{}, NotTaken: []string{}, Faults: []Fault{}, FaultsByRule: map[Rule]int64{},
		Units: map[HowUnit]int64{}, UnitGuesses: []UnitGuess{}, UnplacedRows: []int64{}, Duplicates: []Duplicate{}, most: most, units: map[[2]string]int{}}
}

// Add counts faults, and keeps those there is room for.
func (r *Report) Add(faults ...Fault) {
	for _, f := range faults {
		r.FaultCount++
		r.FaultsByRule[f.Rule]++
		if len(r.Faults) < r.most {
			r.Faults = append(r.Faults, f)
		}
	}
}

// addUnplaced counts a row, and keeps its number.
func (r *Report) addUnplaced(row int64) {
	if r.Unplaced++; len(r.UnplacedRows) < mostUnplaced {
		r.UnplacedRows = append(r.UnplacedRows, row)
	}
}

// addUnit counts a unit, and keeps how it was guessed.
func (r *Report) addUnit(written string, u Unit, how HowUnit) {
	if how == "" {
		return
	}
	r.Units[how]++
	if how == UnitByCode || how == UnitByName {
		return
	}
	at := [2]string{written, u.Code}
	if i, known := r.units[at]; known {
		r.UnitGuesses[i].Rows++
		return
	}
	if len(r.UnitGuesses) < mostUnitGuess {
		r.units[at] = len(r.UnitGuesses)
		r.UnitGuesses = append(r.UnitGuesses, UnitGuess{cut(written), u.Code, u.Name, how, 1})
	}
}

func (r *Report) guess(what, value, vi, en string, args ...any) {
	r.Guesses = append(r.Guesses, Guess{what, value, sentence(vi, en, args...)})
}

// addDuplicates counts what is there twice, and keeps the first ones, with no more rows of each than
// there is room for.
func (r *Report) addDuplicates(d *Duplicates) {
	found := d.Find()
	r.Duplicates, r.DuplicateGroups, r.RowsCompared = []Duplicate{}, int64(len(found)), int64(len(d.entries))
	for _, d := range found[:min(len(found), mostDuplicates)] {
		d.Rows, d.Values = d.Rows[:min(len(d.Rows), mostDuplicates)], d.Values[:min(len(d.Values), mostDuplicates)]
		r.Duplicates = append(r.Duplicates, d)
	}
}
