package postgis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

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
	// Placed is set on every row to which the file brings a geometry and says nothing
	// else: where the place comes from now, and that it is no longer illustrative.
	Placed map[string]any
}

// Incoming is one feature of an import.
type Incoming struct {
	Row     int
	Feature layer.Feature
	Faults  layer.Faults
}

// Refused is one row that was not taken, with every reason.
type Refused struct {
	Row    int          `json:"row"`
	Code   string       `json:"code,omitempty"`
	Faults layer.Faults `json:"faults"`
}

// ImportSummary is what an import did, or would do.
type ImportSummary struct {
	Read      int       `json:"read"`
	Inserted  int       `json:"inserted"`
	Updated   int       `json:"updated"`
	Unchanged int       `json:"unchanged"`
	Skipped   int       `json:"skipped"`
	Refused   []Refused `json:"refused"`
	Applied   bool      `json:"applied"`
}

// errNotApplied rolls back an import that found something, or was only asked to look.
var errNotApplied = errors.New("not applied")

// Import brings features into a layer in one transaction: read calls its argument
// once a feature, in order. Nothing is stored when a row is refused, unless
// GoodRows is set; the summary says what happened either way. The cost is a COPY
// into a temporary table and a few set-based statements, whatever the count.
func (s *Store) Import(ctx context.Context, v account.Viewer, l *layer.Layer, o ImportOptions, read func(add func(Incoming) error) error) (ImportSummary, error) {
	var summary ImportSummary
	err := s.write(ctx, v, "import "+l.Name, func(tx pgx.Tx) (err error) {
		summary, err = importAll(ctx, tx, l, o, read)
		return err
	})
	if errors.Is(err, errNotApplied) {
		err = nil
	}
	return summary, err
}

// importAll imports, and returns errNotApplied where that is to be undone.
func importAll(ctx context.Context, tx pgx.Tx, l *layer.Layer, o ImportOptions, read func(add func(Incoming) error) error) (ImportSummary, error) {
	summary, err := importRows(ctx, tx, l, o, read)
	if err == nil {
		if o.DryRun || (len(summary.Refused) > 0 && !o.GoodRows) {
			return summary, errNotApplied
		}
		summary.Applied = true
	}
	return summary, err
}

// importer carries one import from step to step.
type importer struct {
	tx      pgx.Tx
	layer   *layer.Layer
	o       ImportOptions
	fields  []layer.Field // writable ones, in staging order
	summary ImportSummary
	codes   map[int]string
	refused map[int]layer.Faults
}

func importRows(ctx context.Context, tx pgx.Tx, l *layer.Layer, o ImportOptions, read func(add func(Incoming) error) error) (ImportSummary, error) {
	im := importer{tx: tx, layer: l, o: o, codes: map[int]string{}, refused: map[int]layer.Faults{}}
	for _, f := range l.Fields {
		if !f.ReadOnly {
			im.fields = append(im.fields, f)
		}
	}
	if err := allowImport(ctx, tx); err != nil {
		return im.summary, err
	}
	for _, step := range []func(context.Context) error{
		im.stage, func(ctx context.Context) error { return im.copyIn(ctx, read) }, im.match,
		im.refuseTwins, im.refuseShapes, im.refuseExisting, im.refuseIncomplete, im.refusePeriods, im.refuseRivals, im.dropRefused, im.apply,
	} {
		if err := step(ctx); err != nil {
			return im.summary, err
		}
	}
	return im.summary, nil
}

// stage makes the temporary table: the layer's columns, all nullable, and per row
// which of them the file gives. No field's name begins with an underscore.
func (im *importer) stage(ctx context.Context) error {
	var b strings.Builder
	b.WriteString("CREATE TEMP TABLE staging (_row int NOT NULL, _given text[] NOT NULL, _raw bytea")
	for _, f := range im.fields {
		fmt.Fprintf(&b, ", %s %s", quote(f.Name), f.Kind.Column())
	}
	b.WriteString(", geom geometry, _match bigint) ON COMMIT DROP")
	_, err := im.tx.Exec(ctx, b.String())
	return err
}

// copyIn streams the features into the table as they are read.
func (im *importer) copyIn(ctx context.Context, read func(add func(Incoming) error) error) error {
	names := []string{"_row", "_given", "_raw"}
	for _, f := range im.fields {
		names = append(names, f.Name)
	}
	batch := make([][]any, 0, importBatch)
	flush := func() error {
		_, err := im.tx.CopyFrom(ctx, pgx.Identifier{"staging"}, names, pgx.CopyFromRows(batch))
		batch = batch[:0]
		return err
	}
	err := read(func(in Incoming) error {
		im.summary.Read++
		row, err := im.stagingRow(in)
		if err != nil || row == nil {
			return err
		}
		batch = append(batch, row)
		if len(batch) < importBatch {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	if err := flush(); err != nil {
		return err
	}
	_, err = im.tx.Exec(ctx, "UPDATE staging SET geom = ST_GeomFromEWKB(_raw) WHERE _raw IS NOT NULL; CREATE INDEX ON staging (code); ANALYZE staging")
	return err
}

// importBatch is how many features are held before they are sent; of the rest only
// the codes are kept, to name refused rows by.
const importBatch = 1000

// stagingRow returns the values of one feature, or nil when it is refused already.
func (im *importer) stagingRow(in Incoming) ([]any, error) {
	code, _ := in.Feature.Properties["code"].(string)
	im.codes[in.Row] = code
	faults := slices.Concat(in.Faults, im.layer.CheckPeriod(in.Feature))
	if code == "" && len(faults) == 0 {
		faults.Add("/properties/code", "bắt buộc phải có", "is required")
	}
	if len(faults) > 0 {
		im.refused[in.Row] = faults
		return nil, nil
	}
	raw, err := geometryOf(in.Feature)
	if err != nil {
		return nil, err
	}
	given := []string{}
	values := make([]any, 0, len(im.fields)+3)
	values = append(values, in.Row, nil, raw)
	for _, f := range im.fields {
		value, ok := in.Feature.Properties[f.Name]
		if ok {
			given = append(given, f.Name)
		}
		values = append(values, column(value))
	}
	values[1] = given
	return values, nil
}

// day is the one on which rows in force are matched: that of the change, if it is one.
func (im *importer) day() geo.Date {
	if !im.o.InForce.IsZero() {
		return im.o.InForce
	}
	return im.o.Date
}

// match finds for each code the row in force on the day: one that all may see, or for a
// draft of the file its owner's draft.
func (im *importer) match(ctx context.Context) error {
	_, err := im.tx.Exec(ctx, fmt.Sprintf(`UPDATE staging s SET _match = m.id FROM (
			SELECT s._row, min(t.id) AS id FROM staging s JOIN %s t ON t.code = s.code AND %s
			WHERE t.valid_from <= $1::date AND (t.valid_to IS NULL OR t.valid_to > $1::date) GROUP BY s._row) m
		WHERE m._row = s._row`, quote(im.layer.Name), im.alike("s", "t")), im.day().Time())
	return err
}

// taker is the condition on a row that it takes its code and what is once a day: a draft
// takes nothing. What the file says nothing of is no draft.
func (im *importer) taker(row string) string {
	if !im.layer.HasDrafts() {
		return "true"
	}
	return "(" + row + ".status IS DISTINCT FROM " + literal(layer.Draft) + ")"
}

// alike is the condition on two rows that both take their code, or both are drafts of one
// owner: a file never changes a draft by the code of a row that all may see.
func (im *importer) alike(a, b string) string {
	if !im.layer.HasDrafts() {
		return "true"
	}
	return fmt.Sprintf("%[3]s = %[4]s AND (%[3]s OR %[1]s.owner_organisation IS NOT DISTINCT FROM %[2]s.owner_organisation)", a, b, im.taker(a), im.taker(b))
}

func (im *importer) dropRefused(ctx context.Context) error {
	rows := make([]int, 0, len(im.refused))
	for _, row := range slices.Sorted(maps.Keys(im.refused)) {
		rows = append(rows, row)
		im.summary.Refused = append(im.summary.Refused, Refused{Row: row, Code: im.codes[row], Faults: im.refused[row]})
	}
	_, err := im.tx.Exec(ctx, "DELETE FROM staging WHERE _row = ANY ($1)", rows)
	return err
}
