package postgis

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"hatang/internal/layer"
)

// apply writes the rows of one layer: those that go, those that get back what they had, and
// those that come back.
func (r *reverter) apply(ctx context.Context, tx pgx.Tx, l *layer.Layer) error {
	if _, err := tx.Exec(ctx, decideSQL(l), l.Name); err != nil {
		return err
	}
	if err := r.allInPen(ctx, tx, l); err != nil {
		return err
	}
	for _, sql := range []string{
		fmt.Sprintf("DELETE FROM %s t USING reverted v WHERE v.layer = $1 AND v.did = 'delete' AND t.id = v.id", quote(l.Name)),
		putBackSQL(l), bringBackSQL(l),
	} {
		if _, err := tx.Exec(ctx, sql, l.Name); err != nil {
			return err
		}
	}
	return r.allInPen(ctx, tx, l)
}

// allInPen refuses rows that the viewer's role does not write, as they are.
func (r *reverter) allInPen(ctx context.Context, tx pgx.Tx, l *layer.Layer) error {
	pen := r.viewer.Asks(l.Name)
	if pen.All {
		return nil
	}
	c := &conditions{}
	may := []string{"false"}
	for _, code := range pen.Territories {
		may = append(may, "ST_Covers((SELECT hatang_territory("+c.bind(code)+")), t.geom)")
	}
	var outside bool
	if err := tx.QueryRow(ctx, fmt.Sprintf("SELECT EXISTS (SELECT FROM reverted v JOIN %s t ON t.id = v.id WHERE v.layer = %s AND v.did IS NOT NULL AND (%s) IS NOT TRUE)",
		quote(l.Name), c.bind(l.Name), strings.Join(may, " OR ")), c.args...).Scan(&outside); err != nil {
		return err
	}
	if outside {
		return fmt.Errorf("rows of %s, %s: %w", l.Name, r.viewer.Name, layer.ErrForbidden)
	}
	return nil
}

// listed writes the format once for each column that a revert brings back, its geometry left
// aside: all but the id, and what rises with every change.
func listed(l *layer.Layer, format string) string {
	var parts []string
	for _, f := range l.Fields {
		if !f.ReadOnly {
			parts = append(parts, fmt.Sprintf(format, quote(f.Name)))
		}
	}
	return strings.Join(parts, ", ")
}

// decideSQL notes what is done to each row, nothing where it is already as it was. What an
// image lacks was not a column then, and is left as it is.
func decideSQL(l *layer.Layer) string {
	return fmt.Sprintf(`UPDATE reverted v SET code = n.code, did = CASE WHEN n.here AND v.before IS NULL THEN 'delete'
			WHEN n.differs THEN 'update' WHEN NOT n.here AND v.before IS NOT NULL THEN 'insert' END
		FROM (SELECT v.id, t.id IS NOT NULL AS here, coalesce(t.code, v.before ->> 'code') AS code,
				t.id IS NOT NULL AND v.before IS NOT NULL AND (ROW(%s) IS DISTINCT FROM ROW(%s) OR ST_AsEWKB(%s) IS DISTINCT FROM ST_AsEWKB(t.%s)) AS differs
			FROM reverted v LEFT JOIN %[5]s t ON t.id = v.id LEFT JOIN LATERAL jsonb_populate_record(t, v.before) w ON true WHERE v.layer = $1) n
		WHERE v.layer = $1 AND v.id = n.id`, listed(l, "w.%s"), listed(l, "t.%s"), keptPlace(l, "v", "w"), geometryColumn(l), quote(l.Name))
}

func putBackSQL(l *layer.Layer) string {
	return fmt.Sprintf(`UPDATE %[1]s t SET %[2]s, %[3]s = n.place
		FROM (SELECT v.id, %[4]s, %[5]s AS place FROM reverted v JOIN %[1]s b ON b.id = v.id CROSS JOIN LATERAL jsonb_populate_record(b, v.before) w
			WHERE v.layer = $1 AND v.did = 'update') n WHERE t.id = n.id`,
		quote(l.Name), listed(l, "%[1]s = n.%[1]s"), geometryColumn(l), listed(l, "w.%s"), keptPlace(l, "v", "w"))
}

// bringBackSQL inserts rows with the ids that they had. Their revision is the next after the
// last, so that no ETag of before is good for what they are now.
func bringBackSQL(l *layer.Layer) string {
	return fmt.Sprintf(`INSERT INTO %[1]s (id, %[2]s, %[3]s, revision)
		SELECT v.id, %[4]s, %[5]s, 1 + coalesce((SELECT (h.before ->> 'revision')::bigint FROM history h
			WHERE h.layer = v.layer AND h.feature_id = v.id AND h.before IS NOT NULL ORDER BY h.id DESC LIMIT 1), 0)
		FROM reverted v CROSS JOIN LATERAL jsonb_populate_record(NULL::%[1]s, v.before) w WHERE v.layer = $1 AND v.did = 'insert' ORDER BY v.id`,
		quote(l.Name), listed(l, "%s"), geometryColumn(l), listed(l, "w.%s"), keptPlace(l, "v", "w"))
}
