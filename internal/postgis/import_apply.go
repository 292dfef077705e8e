package postgis

import (
	"context"
	"fmt"
	"strings"
)

// apply writes what is left in the staging table and counts it.
func (im *importer) apply(ctx context.Context) error {
	if im.o.OnConflict == SkipExisting {
		tag, err := im.tx.Exec(ctx, "DELETE FROM staging WHERE _match IS NOT NULL")
		if err != nil {
			return err
		}
		im.summary.Skipped = int(tag.RowsAffected())
	}
	if err := im.dropUnchanged(ctx); err != nil {
		return err
	}
	var rows int64
	if err := im.tx.QueryRow(ctx, "SELECT count(*) FROM staging").Scan(&rows); err != nil {
		return err
	}
	im.o.Progress.toWrite.Store(rows)
	change := im.correct
	if !im.o.InForce.IsZero() {
		change = im.succeed
	}
	updated, err := change(ctx)
	if err != nil {
		return err
	}
	im.summary.Updated = updated
	im.summary.Inserted, err = im.inChunks(ctx, "_match IS NULL", fmt.Sprintf("INSERT INTO %s (%s, %s) SELECT %s, %s FROM staging s WHERE _match IS NULL AND %s ORDER BY _row",
		quote(im.layer.Name), im.list("%[1]s"), geometryColumn(im.layer), im.inserted(), stored(im.layer, "geom"), chunk))
	return err
}

// chunkRows is how many rows a statement writes: enough for its own cost not to matter, few
// enough to see and to end.
const chunkRows = 10_000

// chunk is the condition on the rows of one statement.
const chunk = "s._row > $1 AND s._row <= $2"

// inChunks runs a statement on the rows of the staging table that meet the condition, so
// many at a time, and returns how many rows it has written.
func (im *importer) inChunks(ctx context.Context, which, sql string) (int, error) {
	written, from := 0, -1
	for {
		var to *int
		if err := im.tx.QueryRow(ctx, fmt.Sprintf("SELECT max(_row) FROM (SELECT _row FROM staging WHERE %s AND _row > $1 ORDER BY _row LIMIT %d) c", which, chunkRows), from).Scan(&to); err != nil || to == nil {
			return written, err
		}
		tag, err := im.tx.Exec(ctx, sql, from, *to)
		if err != nil {
			return written, err
		}
		written += int(tag.RowsAffected())
		im.o.Progress.written.Add(tag.RowsAffected())
		from = *to
	}
}

// list writes the format once a field, with its quoted name and its name as a literal.
func (im *importer) list(format string) string {
	parts := make([]string, len(im.fields))
	for i, f := range im.fields {
		parts[i] = fmt.Sprintf(format, quote(f.Name), literal(f.Name))
	}
	return strings.Join(parts, ", ")
}

// inserted lists the columns of a new row: an unstated boolean that must be there is false.
func (im *importer) inserted() string {
	parts := make([]string, len(im.fields))
	for i, f := range im.fields {
		parts[i] = quote(f.Name)
		if f.Required && f.Kind == "boolean" {
			parts[i] = "coalesce(" + parts[i] + ", false)"
		}
	}
	return strings.Join(parts, ", ")
}

// merged is a stored row with what the file gives laid over it.
const merged = "CASE WHEN %[2]s = ANY (s._given) THEN s.%[1]s ELSE t.%[1]s END"

// place is the geometry of a stored row with what the file gives laid over it, as it is kept.
func (im *importer) place() string {
	return "coalesce(" + stored(im.layer, "s.geom") + ", t." + geometryColumn(im.layer) + ")"
}

func (im *importer) dropUnchanged(ctx context.Context) error {
	tag, err := im.tx.Exec(ctx, fmt.Sprintf(`DELETE FROM staging s USING %s t WHERE t.id = s._match
		AND (%s) IS NOT DISTINCT FROM (%s) AND (s.geom IS NULL OR ST_AsEWKB(%s) = ST_AsEWKB(t.%s))`,
		quote(im.layer.Name), im.list("t.%[1]s"), im.list(merged), stored(im.layer, "s.geom"), geometryColumn(im.layer)))
	im.summary.Unchanged = int(tag.RowsAffected())
	return err
}

// correct changes the record and keeps valid time.
func (im *importer) correct(ctx context.Context) (int, error) {
	return im.inChunks(ctx, "_match IS NOT NULL", fmt.Sprintf("UPDATE %s t SET %s, %s FROM staging s WHERE t.id = s._match AND %s",
		quote(im.layer.Name), im.list("%[1]s = "+merged), geometryColumn(im.layer)+" = "+im.place(), chunk))
}

// succeed closes the rows in force and opens the next ones with what the file gives
// laid over them. A row that started on the day itself is corrected instead: closing
// it would leave it no day.
func (im *importer) succeed(ctx context.Context) (int, error) {
	day := im.o.InForce.Time()
	name, geometry := quote(im.layer.Name), geometryColumn(im.layer)
	if _, err := im.tx.Exec(ctx, fmt.Sprintf(`CREATE TEMP TABLE successors ON COMMIT DROP AS
		SELECT s._row, t.id AS _old, %s, %s AS %s
		FROM staging s JOIN %s t ON t.id = s._match WHERE t.valid_from < $1::date`, im.list(merged+" AS %[1]s"), im.place(), geometry, name), day); err != nil {
		return 0, err
	}
	if _, err := im.tx.Exec(ctx, "UPDATE successors SET valid_from = $1::date, valid_to = CASE WHEN valid_to > $1::date THEN valid_to END", day); err != nil {
		return 0, err
	}
	if _, err := im.tx.Exec(ctx, "UPDATE "+name+" t SET valid_to = $1::date FROM successors n WHERE t.id = n._old", day); err != nil {
		return 0, err
	}
	tag, err := im.tx.Exec(ctx, fmt.Sprintf("INSERT INTO %s (%s, %s) SELECT %s, %s FROM successors ORDER BY _row", name, im.list("%[1]s"), geometry, im.list("%[1]s"), geometry))
	if err != nil {
		return 0, err
	}
	im.o.Progress.written.Add(tag.RowsAffected())
	if _, err := im.tx.Exec(ctx, "DELETE FROM staging s USING successors n WHERE s._match = n._old"); err != nil {
		return 0, err
	}
	corrected, err := im.correct(ctx)
	return int(tag.RowsAffected()) + corrected, err
}
