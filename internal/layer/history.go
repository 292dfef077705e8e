package layer

import (
	"time"

	"github.com/paulmach/orb"
)

// Operation is what a change was to its viewer: one that brings a row into his sight is an
// insert, one that takes it out of it a delete, whatever it was to others.
type Operation string

// The operations.
const (
	Insert Operation = "insert"
	Update Operation = "update"
	Delete Operation = "delete"
)

// Change is one record of the history as its viewer sees it.
type Change struct {
	Layer      *Layer
	FeatureID  int64
	Operation  Operation
	Who        string // "" where the viewer is not told
	Request    string // id of the request that made the change; "" for none
	RecordedAt time.Time
	// Before and After are the row's images, nil where there is none or the viewer does not
	// see it; not both are.
	Before, After *Row
}

// HistoryQuery selects records of the history. The zero value of each member but Layers
// selects nothing out; the store adds what the viewer may see.
type HistoryQuery struct {
	Layers       []*Layer // of rows of these
	Feature      int64    // of the row with this id, in one layer
	Code         string   // of rows with this code, before or after
	Who, Request string
	From, Until  time.Time   // recorded at From or later, before Until
	Boxes        []orb.Bound // of rows that meet any of the boxes, before or after
	Older        HistoryKey
	Limit        int // at most this many
}

// HistoryKey is where a page of the history ended; the zero value is before the newest
// record. It is made of what the page showed alone, so that it tells of no other record:
// when the last one was recorded, of which row it was, and how many of that time and row
// there were.
type HistoryKey struct {
	RecordedAt time.Time
	Layer      string
	FeatureID  int64
	Shown      int
}

// IsZero reports whether the key is before the newest record.
func (k HistoryKey) IsZero() bool { return k == HistoryKey{} }

// Next is the key after a change that follows on k.
func (k HistoryKey) Next(c *Change) HistoryKey {
	next := HistoryKey{RecordedAt: c.RecordedAt, Layer: c.Layer.Name, FeatureID: c.FeatureID, Shown: 1}
	if k.RecordedAt.Equal(next.RecordedAt) && k.Layer == next.Layer && k.FeatureID == next.FeatureID {
		next.Shown = k.Shown + 1
	}
	return next
}
