package postgis

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"hatang/internal/layer"
)

// refuse refuses the rows that a statement returns (row number, detail) for a fault. They
// stay in the table until dropRefused, so that all that is wrong with them is found. Of any
// number of rows no more come out of the database than are kept.
func (im *importer) refuse(ctx context.Context, at, vi, en, sql string, args ...any) error {
	rows, err := im.tx.Query(ctx, fmt.Sprintf(`WITH found (_row, detail) AS (%s),
			marked AS (UPDATE staging s SET _refused = true FROM (SELECT DISTINCT _row FROM found) f WHERE f._row = s._row AND s._refused IS NULL)
		SELECT f._row, s.code, f.detail, (SELECT count(*) FROM found) FROM found f JOIN staging s USING (_row) ORDER BY f._row LIMIT %d`, sql, layer.MostCorrections), args...)
	if err != nil {
		return err
	}
	var row, all int
	var code, detail string
	_, err = pgx.ForEachRow(rows, []any{&row, &code, &detail, &all}, func() error {
		var faults layer.Faults
		faults.Add(at, vi, en, detail)
		im.refused.keep(row, code, faults)
		return nil
	})
	im.refused.faults += all
	im.refused.marked = im.refused.marked || all > 0
	return err
}

func (im *importer) refuseTwins(ctx context.Context) error {
	return im.refuse(ctx, "/properties/code", "mã %s có nhiều lần trong tệp", "the code %s stands in the file more than once",
		`SELECT s._row, s.code FROM staging s WHERE EXISTS (SELECT FROM staging o WHERE o.code = s.code AND o._row <> s._row AND `+im.alike("s", "o")+`) ORDER BY s._row`)
}

func (im *importer) refuseShapes(ctx context.Context) error {
	if im.layer.Geometry != layer.MultiPolygon && im.layer.Geometry != layer.AnyGeometry {
		return nil
	}
	return im.refuse(ctx, "/geometry", "vùng không hợp lệ: %s", "the polygon is not valid: %s",
		`SELECT s._row, d.reason || ' (' || ST_AsText(d.location, 6) || ')' FROM staging s, ST_IsValidDetail(s.geom) d
		WHERE s.geom IS NOT NULL AND NOT d.valid ORDER BY s._row`)
}

func (im *importer) refuseExisting(ctx context.Context) error {
	if im.o.OnConflict != FailExisting {
		return nil
	}
	return im.refuse(ctx, "/properties/code", "mã %s đã có trong sổ đăng ký", "the code %s is in the register already",
		`SELECT _row, code FROM staging WHERE _match IS NOT NULL ORDER BY _row`)
}

// refuseIncomplete fills in what the file leaves unsaid and finds what rows lack.
func (im *importer) refuseIncomplete(ctx context.Context) error {
	for name := range im.nulls {
		sql := fmt.Sprintf("UPDATE staging SET %[1]s = $1 WHERE _match IS NULL AND %[1]s IS NULL", quote(name))
		if _, err := im.tx.Exec(ctx, sql, column(im.o.Defaults[name])); err != nil {
			return err
		}
	}
	for _, f := range im.fields {
		if f.Else != "" {
			if _, err := im.tx.Exec(ctx, fmt.Sprintf("UPDATE staging SET %[1]s = %[2]s WHERE _match IS NULL AND %[1]s IS NULL", quote(f.Name), quote(f.Else))); err != nil {
				return err
			}
		}
		if !f.Required || f.Kind == layer.Boolean {
			continue
		}
		// A new row needs it; a stored one must not lose it to an explicit null.
		sql := fmt.Sprintf("SELECT _row, '' FROM staging WHERE %s IS NULL AND (_match IS NULL OR %s = ANY (_given)) ORDER BY _row", quote(f.Name), literal(f.Name))
		if err := im.refuse(ctx, "/properties/"+f.Name, "bắt buộc phải có%s", "is required%s", sql); err != nil {
			return err
		}
	}
	if im.layer.MayLackGeometry() {
		return nil
	}
	return im.refuse(ctx, "/geometry", "bắt buộc phải có%s", "is required%s",
		"SELECT _row, '' FROM staging WHERE geom IS NULL AND _match IS NULL ORDER BY _row")
}

// periods are the valid times that rows will have, with $1 the day of the change or null.
const periods = `(SELECT s._row, s.code, s._match, %[2]s AS takes,
		CASE WHEN t.valid_from < $1::date THEN $1::date WHEN t.id IS NULL OR 'valid_from' = ANY (s._given) THEN s.valid_from ELSE t.valid_from END AS starts,
		CASE WHEN t.valid_from < $1::date AND e.ends <= $1::date THEN NULL ELSE e.ends END AS ends
	FROM staging s LEFT JOIN %[1]s t ON t.id = s._match
	CROSS JOIN LATERAL (SELECT CASE WHEN t.id IS NULL OR 'valid_to' = ANY (s._given) THEN s.valid_to ELSE t.valid_to END AS ends) e) p`

// refusePeriods finds rows that would end before they start, or whose code has
// another row in that time.
func (im *importer) refusePeriods(ctx context.Context) error {
	var change any
	if !im.o.InForce.IsZero() {
		change = im.o.InForce.Time()
	}
	from := fmt.Sprintf(periods, quote(im.layer.Name), im.taker("s"))
	if err := im.refuse(ctx, "/properties/valid_to", "phải sau valid_from (%s)", "must be after valid_from (%s)",
		"SELECT _row, starts::text FROM "+from+" WHERE ends <= starts ORDER BY _row", change); err != nil {
		return err
	}
	return im.refuse(ctx, "/properties/valid_from", "mã %s đã có bản ghi khác trong thời gian này", "the code %s has another row in force in that time",
		fmt.Sprintf(`SELECT _row, code FROM %s WHERE takes AND starts IS NOT NULL AND CASE WHEN ends <= starts THEN false ELSE EXISTS (
			SELECT FROM %s o WHERE o.code = p.code AND %s AND o.id IS DISTINCT FROM p._match
				AND daterange(o.valid_from, o.valid_to) && daterange(p.starts, p.ends)) END ORDER BY _row`, from, quote(im.layer.Name), im.taker("o")), change)
}

// refuseRivals finds rows of another code with the same values of the fields that
// have one row a day, in the file or in the register.
func (im *importer) refuseRivals(ctx context.Context) error {
	if len(im.layer.OnceADay) == 0 {
		return nil
	}
	same, now := make([]string, len(im.layer.OnceADay)), make([]string, len(im.layer.OnceADay))
	for i, name := range im.layer.OnceADay {
		f := quote(name)
		same[i] = "a." + f + " = b." + f
		now[i] = fmt.Sprintf("CASE WHEN t.id IS NULL OR %s = ANY (s._given) THEN s.%s ELSE t.%s END AS %s", literal(name), f, f, f)
	}
	span := func(column string) string {
		return fmt.Sprintf("CASE WHEN t.id IS NULL OR '%[1]s' = ANY (s._given) THEN s.%[1]s ELSE t.%[1]s END AS %[1]s", column)
	}
	coming := fmt.Sprintf("SELECT s._row, s.code, s._match, %s, %s, %s FROM staging s LEFT JOIN %s t ON t.id = s._match WHERE %s",
		span("valid_from"), span("valid_to"), strings.Join(now, ", "), quote(im.layer.Name), im.taker("s"))
	names := strings.Join(im.layer.OnceADay, ", ")
	return im.refuse(ctx, "/properties/"+im.layer.OnceADay[0], names+": trùng với mã %s", names+": the same as of the code %s", fmt.Sprintf(`
		WITH coming AS (%s)
		SELECT DISTINCT ON (_row) _row, rival FROM (
			SELECT a._row, b.code AS rival FROM coming a JOIN %s b ON %s AND %s AND b.id IS DISTINCT FROM a._match AND b.code <> a.code
				AND NOT EXISTS (SELECT FROM coming m WHERE m._match = b.id)
				AND a.valid_from < coalesce(b.valid_to, 'infinity') AND b.valid_from < coalesce(a.valid_to, 'infinity')
			UNION ALL
			SELECT a._row, b.code FROM coming a JOIN coming b ON %s AND b._row <> a._row
				AND a.valid_from < coalesce(b.valid_to, 'infinity') AND b.valid_from < coalesce(a.valid_to, 'infinity')) r
		ORDER BY _row, rival`, coming, quote(im.layer.Name), strings.Join(same, " AND "), im.taker("b"), strings.Join(same, " AND ")))
}
