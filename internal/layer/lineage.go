package layer

import "hatang/geo"

// Whole and Part say how much of a unit went into another.
const (
	Whole = "whole"
	Part  = "part"
)

// UnitLevels are the levels of administrative units, the highest first.
func UnitLevels() []string { return []string{"province", "district", "commune"} }

// UnitsOf returns the name of the layer that holds the units of a level; "" for none.
func UnitsOf(level string) string {
	switch level {
	case "province", "district", "commune":
		return level + "s"
	}
	return ""
}

// LevelOf is the level of a layer's units; "" for a layer of anything else.
func LevelOf(layerName string) string {
	for _, level := range UnitLevels() {
		if UnitsOf(level) == layerName {
			return level
		}
	}
	return ""
}

// Lineage says that a unit went, whole or in part, into another of its level.
type Lineage struct {
	Level       string   `json:"level"`
	Predecessor string   `json:"predecessor_code"`
	Successor   string   `json:"successor_code"` // may be the same code
	On          geo.Date `json:"changed_on"`     // the successor's first day
	Part        string   `json:"part"`           // Whole or Part
	Act         string   `json:"act,omitempty"`  // decree or resolution; "" where not known
	Note        string   `json:"note,omitempty"`
	Source      string   `json:"source"` // where it was taken from
}

// UnitVersion is a unit in one of its forms: one row of its code.
type UnitVersion struct {
	ID int64
	Unit
	Level string
	geo.Period
}

// Kin is a unit that another came from or went into, and how. Version is its row: of a
// predecessor the one in force the day before the change, of a successor the one in force
// on its day; nil where the register has none.
type Kin struct {
	Lineage
	Version *UnitVersion
}

// Descent is where a unit came from and what became of it.
type Descent struct {
	Unit         UnitVersion
	Predecessors []Kin // by day, then code
	Successors   []Kin
}

// UnitChange is a link as a file of a change of structure has it: beside the link what the
// file says of the successor, each "" where it says nothing.
type UnitChange struct {
	Lineage
	Row             int    // of the file, 1 for the first below the headings
	PredecessorName string // as the file has it, to be compared
	Name            string // of the successor
	Kind            string // of the successor: xã, phường, …
	District        string // code of the successor's district
	// Illustrative: the successor's boundary after the change is not known.
	Illustrative bool
	Faults       Faults // what is wrong with the row itself
}
