package postgis

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// columns lists what a layer.Row is made of, in its order.
func columns(l *layer.Layer) string {
	var b strings.Builder
	b.WriteString("id, revision, geom")
	for _, f := range l.Properties() {
		b.WriteString(", ")
		b.WriteString(quote(f.Name))
	}
	return b.String()
}

// Features hands the rows that the query selects and the viewer may see to each, by
// ascending id. The row is valid until each returns; an error of each ends the
// reading and is returned as it is. Cost: an index scan, one pass over the bytes.
func (s *Store) Features(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query, each func(*layer.Row) error) error {
	err := s.seen(ctx, v, l, func(c *conditions, from string) error {
		if err := c.matching(q, l); err != nil {
			return err
		}
		if q.After > 0 {
			c.add("id > %s", c.bind(q.After))
		}
		sql := "SELECT " + columns(l) + " FROM " + from + c.where() + " ORDER BY id"
		if q.Limit > 0 {
			sql += " LIMIT " + c.bind(q.Limit)
		}
		limit := pageTime(q.Limit)
		if limit == 0 {
			return hand(ctx, s.pool, sql, c.args, each)
		}
		return s.within(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly}, limit, func(tx pgx.Tx) error { return hand(ctx, tx, sql, c.args, each) })
	})
	return notHanded("read "+l.Name, err)
}

// hand hands the rows of a statement to each, whose error ends the reading.
func hand(ctx context.Context, q querier, sql string, args []any, each func(*layer.Row) error) error {
	rows, err := queryRaw(ctx, q, sql, args)
	if err != nil {
		return err
	}
	defer rows.Close()
	var row layer.Row
	for rows.Next() {
		if err := scanRow(rows, &row); err != nil {
			return err
		}
		if err := each(&row); err != nil {
			return handed{err}
		}
	}
	return rows.Err()
}

// handed is an error of whoever rows are handed to: it is none of the database's.
type handed struct{ error }

// notHanded translates an error of the database; one of whoever the rows were handed to
// is returned as it is.
func notHanded(doing string, err error) error {
	var theirs handed
	if errors.As(err, &theirs) {
		return theirs.error
	}
	return translate(doing, err)
}

// queryRaw asks for every column in binary, so that values pass through unparsed.
func queryRaw(ctx context.Context, q querier, sql string, args []any) (pgx.Rows, error) {
	return q.Query(ctx, sql, append([]any{pgx.QueryResultFormats{pgx.BinaryFormatCode}}, args...)...)
}

// scanRow points a layer.Row at the raw values of the current row.
func scanRow(rows pgx.Rows, row *layer.Row) error {
	raw := rows.RawValues()
	if len(raw) < 3 || len(raw[0]) != 8 || len(raw[1]) != 8 {
		return errors.New("the database sent a row without id and revision")
	}
	row.ID = int64(binary.BigEndian.Uint64(raw[0]))
	row.Revision = int64(binary.BigEndian.Uint64(raw[1]))
	row.Geometry = raw[2]
	row.Values = append(row.Values[:0], raw[3:]...)
	return nil
}

// CountFeatures returns how many rows the query selects for the viewer, whatever
// its After and Limit. Cost: an index scan over all of them.
func (s *Store) CountFeatures(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query) (int64, error) {
	var n int64
	err := s.seen(ctx, v, l, func(c *conditions, from string) error {
		if err := c.matching(q, l); err != nil {
			return err
		}
		return s.pool.QueryRow(ctx, "SELECT count(*) FROM "+from+c.where(), c.args...).Scan(&n)
	})
	return n, translate("count "+l.Name, err)
}

// Feature returns one row by id, whatever its dates; layer.ErrNotFound where there
// is none that the viewer may see. The row is the caller's.
func (s *Store) Feature(ctx context.Context, v account.Viewer, l *layer.Layer, id int64) (*layer.Row, error) {
	var row *layer.Row
	err := s.seen(ctx, v, l, func(c *conditions, from string) error {
		c.add("id = %s", c.bind(id))
		rows, err := queryRaw(ctx, s.pool, "SELECT "+columns(l)+" FROM "+from+c.where(), c.args)
		if err != nil {
			return err
		}
		defer rows.Close()
		if rows.Next() {
			row = &layer.Row{ShownAs: c.shownAs}
			if err := scanRow(rows, row); err != nil {
				return err
			}
			keep(row)
		}
		rows.Close()
		return rows.Err()
	})
	if err != nil {
		return nil, translate("read "+l.Name, err)
	}
	if row == nil {
		return nil, fmt.Errorf("%s %d: %w", l.Name, id, layer.ErrNotFound)
	}
	return row, nil
}

// keep copies a row's values out of the connection's memory.
func keep(row *layer.Row) {
	row.Geometry = append([]byte(nil), row.Geometry...)
	for i, value := range row.Values {
		if value != nil {
			row.Values[i] = append([]byte{}, value...)
		}
	}
}

// FeatureVersions returns the rows of one code that the viewer may see, by valid time.
func (s *Store) FeatureVersions(ctx context.Context, v account.Viewer, l *layer.Layer, code string) ([]layer.Version, error) {
	var versions []layer.Version
	err := s.seen(ctx, v, l, func(c *conditions, from string) error {
		c.add("code = %s", c.bind(code))
		rows, err := s.pool.Query(ctx, "SELECT id, valid_from, valid_to FROM "+from+c.where()+" ORDER BY valid_from, id", c.args...)
		if err != nil {
			return err
		}
		versions, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (layer.Version, error) {
			var version layer.Version
			var from, to day
			err := row.Scan(&version.ID, &from, &to)
			version.Period = geo.Period{From: from.Date, To: to.Date}
			return version, err
		})
		return err
	})
	return versions, translate("read versions of "+l.Name, err)
}

// Extent returns the box of the rows in force on the date and the span of valid
// time of all rows, as the viewer sees them; false when none is in force.
// Cost: a scan of the layer, so callers remember it by the layer's version.
func (s *Store) Extent(ctx context.Context, v account.Viewer, l *layer.Layer, date geo.Date) (orb.Bound, geo.Period, bool, error) {
	var x0, y0, x1, y1 *float64
	var from, to day
	err := s.seen(ctx, v, l, func(c *conditions, rows string) error {
		in := c.bind(date.Time())
		sql := fmt.Sprintf(`SELECT ST_XMin(box), ST_YMin(box), ST_XMax(box), ST_YMax(box), starts, ends FROM (
			SELECT ST_Extent(geom) FILTER (WHERE valid_from <= %s::date AND (valid_to IS NULL OR valid_to > %s::date)) AS box,
			       min(valid_from) AS starts, CASE WHEN bool_or(valid_to IS NULL) THEN NULL ELSE max(valid_to) END AS ends
			FROM %s%s) e`, in, in, rows, c.where())
		return s.pool.QueryRow(ctx, sql, c.args...).Scan(&x0, &y0, &x1, &y1, &from, &to)
	})
	if err != nil {
		return orb.Bound{}, geo.Period{}, false, translate("read the extent of "+l.Name, err)
	}
	period := geo.Period{From: from.Date, To: to.Date}
	if x0 == nil {
		return orb.Bound{}, period, false, nil
	}
	return orb.Bound{Min: orb.Point{*x0, *y0}, Max: orb.Point{*x1, *y1}}, period, true, nil
}
