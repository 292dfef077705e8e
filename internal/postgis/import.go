package postgis

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// OnConflict says what an import does with a code that has a row already.
type OnConflict string

// What an import does with a code that has a row in force.
const (
	UpdateExisting OnConflict = "update"
	SkipExisting   OnConflict = "skip"
	FailExisting   OnConflict = "fail"
)

// ImportOptions say how features become rows.
type ImportOptions struct {
	Date       geo.Date // rows in force on it are the ones matched by code
	InForce    geo.Date // when set, rows in force on it are matched instead, closed, and new ones opened; else they are corrected
	OnConflict OnConflict
	GoodRows   bool           // take the good rows when some are refused; else all or nothing
	DryRun     bool           // find out everything, change nothing
	Defaults   map[string]any // for new rows that lack them: jurisdiction, valid_from
	// Progress, where it is not nil, is kept up with while the import goes on.
	Progress *ImportProgress
	// Preview, where it is not nil, is told what becomes of each row: first those that cannot be read,
	// then those refused for other reasons, then the others, each in the order of the file.
	Preview func(layer.ImportedRow) error
	// Placed is set on every row to which the file brings a geometry and says nothing
	// else: where the place comes from now, and that it is no longer illustrative.
	Placed map[string]any
	// OwnSites is a mast type: new positions of operators that name no site get one of their
	// own, with such a mast; "" for none.
	OwnSites string
}

// Incoming is one feature of an import.
type Incoming struct {
	Row     int
	Feature layer.Feature
	Faults  layer.Faults
}

// Refused is one row that was not taken, with every reason.
type Refused = layer.RefusedRow

// MaxListedFaults is how many faults of a file are listed, those of its first rows. All are
// counted.
const MaxListedFaults = 1000

// ImportSummary is what an import did, or would do.
type ImportSummary struct {
	Read        int       `json:"read"`
	Inserted    int       `json:"inserted"`
	Updated     int       `json:"updated"`
	Unchanged   int       `json:"unchanged"`
	Skipped     int       `json:"skipped"`
	RefusedRows int       `json:"refused_rows"` // how many
	Faults      int       `json:"faults"`       // how many these have
	Refused     []Refused `json:"refused"`      // the first of them, with at most MaxListedFaults faults together
	Applied     bool      `json:"applied"`
	// KeptRefusals are the faults of the first rows that were refused, by row: of layer.MostCorrections at most.
	KeptRefusals map[int64]layer.Faults `json:"-"`

	ElsewhereRows int         `json:"elsewhere_rows"`      // how many lie elsewhere than in the commune that they declare
	Elsewhere     []Elsewhere `json:"elsewhere,omitempty"` // the first of them
	// Sites is what happened to the numbers of sites and positions; nil of other layers, and
	// where nothing is stored because rows were refused.
	Sites *layer.SitesImported `json:"sites,omitempty"`
}

// ImportProgress is how far an import is. It is written by the import and may be read
// meanwhile.
type ImportProgress struct{ read, toWrite, written atomic.Int64 }

// Read is how many features have been read.
func (p *ImportProgress) Read() int64 { return p.read.Load() }

// ToWrite is how many rows are to be written; 0 until all features have been looked at.
func (p *ImportProgress) ToWrite() int64 { return p.toWrite.Load() }

// Written is how many of these have been written, to be kept or undone as a whole.
func (p *ImportProgress) Written() int64 { return p.written.Load() }

// errNotApplied rolls back an import that found something, or was only asked to look.
var errNotApplied = errors.New("not applied")

// Import brings features into a layer in one transaction: read calls its argument
// once a feature, in order. Nothing is stored when a row is refused, unless
// GoodRows is set; the summary says what happened either way. Rows that the viewer may not
// write are refused; it fails with layer.ErrForbidden for one who may write none. The cost is
// a COPY into a temporary table and a few set-based statements, whatever the count; of the
// features importBatch are in memory, and the faults of layer.MostCorrections rows.
func (s *Store) Import(ctx context.Context, v account.Viewer, l *layer.Layer, o ImportOptions, read func(add func(Incoming) error) error) (ImportSummary, error) {
	var summary ImportSummary
	err := s.write(ctx, v, "import "+l.Name, func(tx pgx.Tx) (err error) {
		summary, err = importCounted(ctx, tx, v, l, o, read)
		return err
	})
	if errors.Is(err, errNotApplied) {
		err = nil
	}
	return summary, err
}

// importAll imports, and returns errNotApplied where that is to be undone.
func importAll(ctx context.Context, tx pgx.Tx, v account.Viewer, l *layer.Layer, o ImportOptions, read func(add func(Incoming) error) error) (ImportSummary, error) {
	summary, err := importRows(ctx, tx, v, l, o, read)
	if err == nil {
		if o.DryRun || (summary.RefusedRows > 0 && !o.GoodRows) {
			return summary, errNotApplied
		}
		summary.Applied = true
	}
	return summary, err
}

// importer carries one import from step to step.
type importer struct {
	tx      pgx.Tx
	viewer  account.Viewer
	pen     account.Pen
	layer   *layer.Layer
	o       ImportOptions
	fields  []layer.Field   // writable ones, in staging order
	nulls   map[string]bool // fields with a default that a row gives as null
	summary ImportSummary
	refused refusals
}

func importRows(ctx context.Context, tx pgx.Tx, v account.Viewer, l *layer.Layer, o ImportOptions, read func(add func(Incoming) error) error) (ImportSummary, error) {
	im := importer{tx: tx, viewer: v, pen: v.Pen(l.Name), layer: l, o: o, nulls: map[string]bool{}}
	if im.o.Progress == nil {
		im.o.Progress = &ImportProgress{}
	}
	for _, f := range l.Fields {
		if !f.ReadOnly {
			im.fields = append(im.fields, f)
		}
	}
	if err := im.mayWrite(); err != nil {
		return im.summary, err
	}
	if err := allowImport(ctx, tx); err != nil {
		return im.summary, err
	}
	if err := heed(ctx, tx, v, "", 0); err != nil {
		return im.summary, err
	}
	for _, step := range []func(context.Context) error{
		im.stage, func(ctx context.Context) error { return im.copyIn(ctx, read) }, im.match, im.refuseOthers,
		im.refuseTwins, im.refuseShapes, im.refuseExisting, im.refuseIncomplete, im.refusePeriods, im.refuseRivals, im.dropRefused, im.compareUnits, im.preview, im.apply, im.makeOwnSites,
	} {
		if err := step(ctx); err != nil {
			return im.summary, err
		}
	}
	im.summary.Refused, im.summary.KeptRefusals, im.summary.Faults = im.refused.list(), im.refused.kept(), im.refused.faults
	return im.summary, nil
}
