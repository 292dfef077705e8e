package postgis

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"hatang/internal/layer"
)

// stage makes the temporary table: the layer's columns, all nullable, and per row
// which of them the file gives. No field's name begins with an underscore.
func (im *importer) stage(ctx context.Context) error {
	var b strings.Builder
	b.WriteString("CREATE TEMP TABLE staging (_row int NOT NULL, _given text[] NOT NULL, _raw bytea")
	for _, f := range im.fields {
		fmt.Fprintf(&b, ", %s %s", quote(f.Name), f.Kind.Column())
	}
	b.WriteString(", geom geometry GENERATED ALWAYS AS (ST_GeomFromEWKB(_raw)) STORED, _match bigint, _refused boolean) ON COMMIT DROP")
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
		im.o.Progress.read.Add(1)
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
	_, err = im.tx.Exec(ctx, "CREATE INDEX ON staging (code); CREATE INDEX ON staging (_row); ANALYZE staging")
	return err
}

// importBatch is how many features are held before they are sent.
const importBatch = 1000

// stagingRow returns the values of one feature, or nil when it is refused already.
func (im *importer) stagingRow(in Incoming) ([]any, error) {
	code, _ := in.Feature.Properties["code"].(string)
	faults := slices.Concat(in.Faults, im.layer.CheckPeriod(in.Feature))
	if code == "" && len(faults) == 0 {
		faults.Add("/properties/code", "bắt buộc phải có", "is required")
	}
	if len(faults) > 0 {
		im.summary.RefusedRows++
		im.refused.add(in.Row, code, faults)
		return nil, im.previewUnread(in, code, faults)
	}
	raw, err := geometryOf(in.Feature)
	if err != nil {
		return nil, err
	}
	given := make([]string, 0, len(im.fields))
	values := make([]any, 0, len(im.fields)+3)
	values = append(values, in.Row, nil, raw)
	for _, f := range im.fields {
		value, ok := in.Feature.Properties[f.Name]
		if placed, known := im.o.Placed[f.Name]; known && !ok && raw != nil {
			value, ok = placed, true
		}
		if ok {
			given = append(given, f.Name)
		}
		if otherwise, known := im.o.Defaults[f.Name]; known && value == nil {
			if ok {
				im.nulls[f.Name] = true // a new row has the default, a stored one must not lose its value
			} else {
				value = otherwise
			}
		}
		values = append(values, column(value))
	}
	values[1] = given
	return values, nil
}

// dropRefused removes the rows that have been refused since it was called last.
func (im *importer) dropRefused(ctx context.Context) error {
	if !im.refused.marked {
		return nil
	}
	if err := im.previewRefused(ctx); err != nil {
		return err
	}
	tag, err := im.tx.Exec(ctx, "DELETE FROM staging WHERE _refused")
	im.summary.RefusedRows += int(tag.RowsAffected())
	im.refused.marked = false
	return err
}

// refusals are the rows that are not taken: of the first ones what is wrong with them, of
// all how many faults they have.
type refusals struct {
	first  map[int]*Refused // by row: the first layer.MostCorrections, and at most as many more that are not dropped yet
	last   int              // the last of the first layer.MostCorrections; 0 before there are so many
	faults int
	marked bool // there are some in the staging table
}

// add keeps a row with its faults if it is among the first, and those of a row that is
// kept already behind the others.
func (r *refusals) add(row int, code string, faults layer.Faults) {
	r.faults += len(faults)
	r.keep(row, code, faults)
}

// keep is add without counting.
func (r *refusals) keep(row int, code string, faults layer.Faults) {
	if r.first == nil {
		r.first = map[int]*Refused{}
	}
	if known := r.first[row]; known != nil {
		known.Faults = append(known.Faults, faults...)
		return
	}
	if r.last > 0 && row > r.last {
		return
	}
	r.first[row] = &Refused{Row: row, Code: code, Faults: faults}
	if len(r.first) == 2*layer.MostCorrections || r.last == 0 && len(r.first) == layer.MostCorrections {
		r.drop()
	}
}

// drop lets go of all but the first rows.
func (r *refusals) drop() {
	rows := slices.Sorted(maps.Keys(r.first))
	for _, row := range rows[min(len(rows), layer.MostCorrections):] {
		delete(r.first, row)
	}
	if len(rows) >= layer.MostCorrections {
		r.last = rows[layer.MostCorrections-1]
	}
}

// kept returns the rows that are kept, with all that is wrong with them.
func (r *refusals) kept() map[int64]layer.Faults {
	r.drop()
	kept := make(map[int64]layer.Faults, len(r.first))
	for row, refused := range r.first {
		kept[int64(row)] = refused.Faults
	}
	return kept
}

// list returns the rows in order, as far as their faults are listed.
func (r *refusals) list() []Refused {
	var rows []Refused
	left := MaxListedFaults
	for _, row := range slices.Sorted(maps.Keys(r.first)) {
		if left == 0 {
			break
		}
		refused := *r.first[row]
		refused.Faults = refused.Faults[:min(len(refused.Faults), left)]
		left -= len(refused.Faults)
		rows = append(rows, refused)
	}
	return rows
}
