package layer

import (
	"fmt"
	"time"
)

// MostNamed is how many rows a revert names; of further ones it says how many there are.
const MostNamed = 1000

// Reverted is what a revert did, or would do.
type Reverted struct {
	Layers []RevertedLayer // those of which changes were selected, in name order
	Rows   []RevertedRow   // by layer and id, MostNamed at most
	// Applied: it is done, and not only found out.
	Applied bool
}

// RevertedLayer counts the rows of a layer of which changes were selected.
type RevertedLayer struct {
	Layer *Layer
	// Inserted, Updated and Deleted are rows that came back, got back what they had, and went.
	Inserted, Updated, Deleted int64
	// Unchanged are rows that are already as they were before.
	Unchanged int64
}

// Changed is how many rows are otherwise than they were.
func (r RevertedLayer) Changed() int64 { return r.Inserted + r.Updated + r.Deleted }

// RevertedRow is a row that a revert changes.
type RevertedRow struct {
	Layer     *Layer
	FeatureID int64
	Code      string
	Operation Operation
}

// OvertakenError is the ErrConflict of a revert of rows that were changed later, too, by
// changes that are not selected.
type OvertakenError struct {
	Rows  []OvertakenRow // by layer and id, MostNamed at most
	Count int64          // of all such rows
}

// OvertakenRow is a row that was changed later, and the first such change.
type OvertakenRow struct {
	Layer     *Layer
	FeatureID int64
	Code      string
	// Request is the id of the request that made the change; "" for none.
	Request    string
	RecordedAt time.Time
}

// Error says how many rows there are.
func (e *OvertakenError) Error() string {
	return fmt.Sprintf("%d rows were changed later by others: %v", e.Count, ErrConflict)
}

// Unwrap returns ErrConflict.
func (e *OvertakenError) Unwrap() error { return ErrConflict }
