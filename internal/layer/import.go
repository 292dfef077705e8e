package layer

import (
	"encoding/json"
	"time"

	"hatang/geo"
)

// KeptImports is how many imports of one user are remembered, the newest; of older ones
// nothing is known any more.
const KeptImports = 100

// Of the rows that an import refuses so many, and so many bytes of texts, are kept to be filled in and sent
// back: nobody fills in more by hand, and what is left out is told of the next time.
const (
	MostCorrections      = 10_000
	MostCorrectionsBytes = 8 << 20
)

// ImportState is how far an import is, or what it ended as.
type ImportState string

// The states of an import. The first three are under way and may be cancelled; an import
// that was broken off with its server waits again.
const (
	ImportWaiting   ImportState = "waiting"
	ImportReading   ImportState = "reading"   // the file is read, its rows are looked at
	ImportWriting   ImportState = "writing"   // rows are written, and seen by nobody yet
	ImportDone      ImportState = "done"      // the rows are in the register, or would be: a dry run
	ImportRefused   ImportState = "refused"   // nothing is changed: rows have faults, or the file
	ImportFailed    ImportState = "failed"    // nothing is changed: send it again
	ImportCancelled ImportState = "cancelled" // nothing is changed
)

// ImportStates lists the states.
func ImportStates() []ImportState {
	return []ImportState{ImportWaiting, ImportReading, ImportWriting, ImportDone, ImportRefused, ImportFailed, ImportCancelled}
}

// Over reports whether nothing comes after the state.
func (s ImportState) Over() bool {
	return s != ImportWaiting && s != ImportReading && s != ImportWriting
}

// ImportWishes say how a file becomes rows.
type ImportWishes struct {
	DryRun         bool     `json:"dry_run"`                   // find out everything, change nothing
	OnConflict     string   `json:"on_conflict"`               // update, skip or fail
	InForce        geo.Date `json:"in_force"`                  // null to correct the rows in force
	GoodRows       bool     `json:"good_rows"`                 // take the good rows when some are refused
	CRS            string   `json:"crs,omitempty"`             // of the file; "" for what it says
	Table          string   `json:"table,omitempty"`           // of a GeoPackage; "" for the only one
	Jurisdiction   string   `json:"jurisdiction,omitempty"`    // of new rows; "" for the only one there is
	Complete       bool     `json:"complete,omitempty"`        // the whole structure of a level of units from InForce on
	AcceptGaps     bool     `json:"accept_gaps,omitempty"`     // with Complete, although units leave gaps
	AcceptOverlaps bool     `json:"accept_overlaps,omitempty"` // areas, although they overlap
	Mapping        string   `json:"mapping,omitempty"`         // the saved one by which the file is read; "" for none
	Reading        *Reading `json:"reading,omitempty"`         // how the file is read: what was asked, and what the mapping said when the file came; nil for nothing
	AllowOutside   bool     `json:"allow_outside,omitempty"`   // take rows outside the territory, too
	Strict         bool     `json:"strict,omitempty"`          // columns that are not taken are faults
	OwnSites       string   `json:"own_sites,omitempty"`       // mast type of the sites that new positions without one get; "" for none
}

// NewImport is a file to be imported.
type NewImport struct {
	Collection string
	FileName   string // what it is called; it stands in the source of its rows
	Wishes     ImportWishes
}

// Import is a file that was to be brought into a layer.
type Import struct {
	ID         int64          `json:"id"`
	Collection string         `json:"collection"`
	FileName   string         `json:"file_name"`
	Bytes      int64          `json:"bytes"`
	SHA256     string         `json:"sha256"` // lower-case hexadecimal
	Wishes     ImportWishes   `json:"options"`
	By         string         `json:"by"`      // as the history records it
	Request    string         `json:"request"` // that the file came with; "" for none
	State      ImportState    `json:"state"`
	CreatedAt  time.Time      `json:"created_at"`
	FinishedAt *time.Time     `json:"finished_at"` // null until it is over
	Progress   ImportProgress `json:"progress"`
	Report     *ImportReport  `json:"report"` // null until it is over, and for one that was cancelled
}

// ImportProgress is how far an import is.
type ImportProgress struct {
	BytesRead   int64      `json:"bytes_read"`
	RowsRead    int64      `json:"rows_read"`
	RowsToWrite int64      `json:"rows_to_write"` // 0 until all have been looked at
	RowsWritten int64      `json:"rows_written"`
	StartedAt   *time.Time `json:"started_at"` // null before anybody has begun
	UpdatedAt   *time.Time `json:"updated_at"`
}

// RefusedRow is one row that was not taken, with every reason.
type RefusedRow struct {
	Row    int    `json:"row"`
	Code   string `json:"code,omitempty"`
	Faults Faults `json:"faults"`
}

// Elsewhere is a row of a file whose place lies in no part of the commune that it declares.
type Elsewhere struct {
	Row      int    `json:"row"`
	Code     string `json:"code"`
	Declared string `json:"declared"` // the commune's code
	LiesIn   string `json:"lies_in"`  // the code of the commune it touches; "" for none
	// Illustrative: one of the two boundaries is drawn, not measured.
	Illustrative bool `json:"illustrative"`
}

// ImportReport is what an import did, or would do.
type ImportReport struct {
	Read        int          `json:"read"`
	Inserted    int          `json:"inserted"`
	Updated     int          `json:"updated"`
	Unchanged   int          `json:"unchanged"`
	Skipped     int          `json:"skipped"`
	RefusedRows int          `json:"refused_rows"` // how many
	Faults      int          `json:"faults"`       // how many these have
	Refused     []RefusedRow `json:"refused"`      // the first of them, with at most a thousand faults together
	Applied     bool         `json:"applied"`
	// Corrections is how many of the refused rows there are to be filled in and sent back; nil for none.
	Corrections *CorrectionsTold `json:"corrections,omitempty"`
	FileRead
	Sites *SitesImported `json:"sites,omitempty"` // of sites and positions, where no row was refused or the good ones were taken
	Areas *AreasImported `json:"areas,omitempty"` // of units and zones
	// How many rows lie elsewhere than in the commune that they declare, and the first of them.
	ElsewhereRows int         `json:"elsewhere_rows,omitempty"`
	Elsewhere     []Elsewhere `json:"elsewhere,omitempty"`
	Problems      Faults      `json:"problems,omitempty"` // with the file as a whole, or with what became of it
	// Changes is of a dry run what would become of each row, a GeoJSON FeatureCollection of
	// ImportedRows; of a long file the first of them.
	Changes        json.RawMessage `json:"changes,omitempty"`
	ChangesLeftOut int             `json:"changes_left_out,omitempty"`
}

// CorrectionsTold is how many rows of a file are kept that were refused.
type CorrectionsTold struct {
	Rows    int `json:"rows"`
	LeftOut int `json:"left_out"` // more than there was room for
}

// FileRead is how a file was read.
type FileRead struct {
	NotTaken []string        `json:"columns_not_taken"`
	File     json.RawMessage `json:"file,omitempty"` // the report of package intake
}

// Shares of the time of an import that is reading its file, and of what comes after it, as
// measured with points in GeoJSON.
const readingShare = 0.2

// Done is the share of an import that is done, 0 to 1, of a file of so many bytes.
func (p ImportProgress) Done(bytes int64) float64 {
	share := 0.0
	if bytes > 0 {
		share = readingShare * min(float64(p.BytesRead)/float64(bytes), 1)
	}
	if p.RowsToWrite > 0 {
		share = readingShare + (1-readingShare)*min(float64(p.RowsWritten)/float64(p.RowsToWrite), 1)
	}
	return share
}

// Pace returns how many rows a second are brought in, from the file to the register, since
// the start, and how long the rest takes at that pace; false where it cannot be told yet.
func (p ImportProgress) Pace(bytes int64) (rowsPerS float64, left time.Duration, known bool) {
	if p.StartedAt == nil || p.UpdatedAt == nil {
		return 0, 0, false
	}
	took, share := p.UpdatedAt.Sub(*p.StartedAt), p.Done(bytes)
	if took < time.Second || share <= 0 {
		return 0, 0, false
	}
	rows := float64(p.RowsRead) // in the whole file
	if p.RowsToWrite == 0 && p.BytesRead > 0 {
		rows *= max(float64(bytes)/float64(p.BytesRead), 1)
	}
	return rows * share / took.Seconds(), time.Duration(float64(took) * (1 - share) / share), true
}
