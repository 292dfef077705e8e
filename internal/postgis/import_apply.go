package postgis

import (
	"context"
	"fmt"
	"strings"
)

// apply writes what is left in the staging table and counts it.
func (im *importer) apply(ctx context.Context) error {
	if im.o.OnConflict == SkipExisting {
		tag, err := im.tx.Exec(ctx, "DELETE FROM staging WHERE match_id IS NOT NULL")
		if err != nil {
			return err
		}
		im.summary.Skipped = int(tag.RowsAffected())
	}
	if err := im.dropUnchanged(ctx); err != nil {
		return err
	}
	change := im.correct
	if !im.o.InForce.IsZero() {
		change = im.succeed
	}
	updated, err := change(ctx)
	if err != nil {
		return err
	}
	im.summary.Updated = updated
	tag, err := im.tx.Exec(ctx, fmt.Sprintf("INSERT INTO %s (%s, geom) SELECT %s, geom FROM staging WHERE match_id IS NULL ORDER BY row_number",
		quote(im.layer.Name), im.list("%[1]s"), im.inserted()))
	im.summary.Inserted = int(tag.RowsAffected())
	return err
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
const merged = "CASE WHEN %[2]s = ANY (s.given) THEN s.%[1]s ELSE t.%[1]s END"

func (im *importer) dropUnchanged(ctx context.Context) error {
	tag, err := im.tx.Exec(ctx, fmt.Sprintf(`DELETE FROM staging s USING %s t WHERE t.id = s.match_id
		AND (%s) IS NOT DISTINCT FROM (%s) AND (s.geom IS NULL OR ST_AsEWKB(s.geom) = ST_AsEWKB(t.geom))`,
		quote(im.layer.Name), im.list("t.%[1]s"), im.list(merged)))
	im.summary.Unchanged = int(tag.RowsAffected())
	return err
}

// correct changes the record and keeps valid time.
func (im *importer) correct(ctx context.Context) (int, error) {
	tag, err := im.tx.Exec(ctx, fmt.Sprintf("UPDATE %s t SET %s, geom = coalesce(s.geom, t.geom) FROM staging s WHERE t.id = s.match_id",
		quote(im.layer.Name), im.list("%[1]s = "+merged)))
	return int(tag.RowsAffected()), err
}

// succeed closes the rows in force and opens the next ones with what the file gives
// laid over them. A row that started on the day itself is corrected instead: closing
// it would leave it no day.
func (im *importer) succeed(ctx context.Context) (int, error) {
	day := im.o.InForce.Time()
	name := quote(im.layer.Name)
	if _, err := im.tx.Exec(ctx, fmt.Sprintf(`CREATE TEMP TABLE successors ON COMMIT DROP AS
		SELECT s.row_number, t.id AS old_id, %s, coalesce(s.geom, t.geom) AS geom
		FROM staging s JOIN %s t ON t.id = s.match_id WHERE t.valid_from < $1::date`, im.list(merged+" AS %[1]s"), name), day); err != nil {
		return 0, err
	}
	if _, err := im.tx.Exec(ctx, "UPDATE successors SET valid_from = $1::date, valid_to = CASE WHEN valid_to > $1::date THEN valid_to END", day); err != nil {
		return 0, err
	}
	if _, err := im.tx.Exec(ctx, "UPDATE "+name+" t SET valid_to = $1::date FROM successors n WHERE t.id = n.old_id", day); err != nil {
		return 0, err
	}
	tag, err := im.tx.Exec(ctx, fmt.Sprintf("INSERT INTO %s (%s, geom) SELECT %s, geom FROM successors ORDER BY row_number", name, im.list("%[1]s"), im.list("%[1]s")))
	if err != nil {
		return 0, err
	}
	if _, err := im.tx.Exec(ctx, "DELETE FROM staging s USING successors n WHERE s.match_id = n.old_id"); err != nil {
		return 0, err
	}
	corrected, err := im.correct(ctx)
	return int(tag.RowsAffected()) + corrected, err
}
