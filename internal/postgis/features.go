package postgis

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// shownColumn is the column that the layer's geometries are read from.
func shownColumn(l *layer.Layer) string {
	if l.ReadsStored() {
		return "geom_stored"
	}
	return "geom"
}

// columns lists what the rows of a query are made of, in the order of layer.Row.
func columns(l *layer.Layer, q layer.Query) string {
	var b strings.Builder
	b.WriteString("id, revision, ")
	if q.NoGeometry {
		b.WriteString("NULL::geometry")
	} else {
		b.WriteString(shownColumn(l))
	}
	if q.Fields == nil {
		for i := range l.Fields {
			b.WriteString(", " + quote(l.Fields[i].Name))
		}
	}
	for _, f := range q.Fields {
		b.WriteString(", " + quote(f.Name))
	}
	for _, k := range q.Sort {
		b.WriteString(", " + sortColumn(k))
	}
	return b.String()
}

// Features hands the rows that the query selects and the viewer may see to each, in the
// query's order. The row is valid until each returns; an error of each ends the reading
// and is returned as it is. Cost: by id an index scan of what is read; in another order
// one of all that is selected; one pass over the bytes.
func (s *Store) Features(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query, each func(*layer.Row) error) error {
	err := s.chosen(ctx, v, l, q, func(c *conditions, from string) error {
		if err := c.matching(q, l); err != nil {
			return err
		}
		if err := c.behind(q); err != nil {
			return err
		}
		sql := "SELECT " + columns(l, q) + " FROM " + from + c.where() + orderBy(q.Sort)
		if q.Limit > 0 {
			sql += " LIMIT " + c.bind(q.Limit)
		}
		limit := pageTime(q)
		if limit == 0 {
			return hand(ctx, s.pool, sql, c.args, len(q.Sort), each)
		}
		return s.within(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly}, limit, func(tx pgx.Tx) error {
			return hand(ctx, tx, sql, c.args, len(q.Sort), each)
		})
	})
	return notHanded("read "+l.Name, err)
}

// hand hands the rows of a statement, whose last columns are so many keys, to each, whose
// error ends the reading.
func hand(ctx context.Context, q querier, sql string, args []any, keys int, each func(*layer.Row) error) error {
	rows, err := queryRaw(ctx, q, sql, args)
	if err != nil {
		return err
	}
	defer rows.Close()
	var row layer.Row
	for rows.Next() {
		if err := scanRow(rows, keys, &row); err != nil {
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
	return q.Query(ctx, sql, inBinary(args)...)
}

// inBinary are the arguments of a statement whose columns are wanted in binary.
func inBinary(args []any) []any {
	return append([]any{pgx.QueryResultFormats{pgx.BinaryFormatCode}}, args...)
}

// scanRow points a layer.Row at the raw values of the current row.
func scanRow(rows pgx.Rows, keys int, row *layer.Row) error {
	raw := rows.RawValues()
	if len(raw) < 3+keys || len(raw[0]) != 8 || len(raw[1]) != 8 {
		return errors.New("the database sent a row without id and revision")
	}
	row.ID = int64(binary.BigEndian.Uint64(raw[0]))
	row.Revision = int64(binary.BigEndian.Uint64(raw[1]))
	row.Geometry = raw[2]
	values := raw[3:]
	row.Values = append(row.Values[:0], values[:len(values)-keys]...)
	row.Keys = append(row.Keys[:0], values[len(values)-keys:]...)
	return nil
}

// CountFeatures returns how many rows the query selects for the viewer, whatever
// its After and Limit. Cost: a scan of all of them; 200 000 take some 30 ms.
func (s *Store) CountFeatures(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query) (n int64, err error) {
	err = s.count(ctx, v, l, q, func(sql string, args []any) error {
		if q.KnownAt.IsZero() {
			return s.pool.QueryRow(ctx, sql, args...).Scan(&n)
		}
		return s.within(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly}, reportTime, func(tx pgx.Tx) error {
			return tx.QueryRow(ctx, sql, args...).Scan(&n)
		})
	})
	return n, err
}

// CountWithin is CountFeatures that gives up after so long, at least a millisecond; then
// it returns false.
func (s *Store) CountWithin(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query, within time.Duration) (n int64, counted bool, err error) {
	err = s.count(ctx, v, l, q, func(sql string, args []any) error {
		conn, err := s.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		// Sent together they are one transaction, with which the limit ends.
		var both pgx.Batch
		both.Queue("SELECT set_config('statement_timeout', $1, true)", strconv.FormatInt(max(within.Milliseconds(), 1), 10))
		both.Queue(sql, args...).QueryRow(func(row pgx.Row) error { return row.Scan(&n) })
		return conn.SendBatch(ctx, &both).Close()
	})
	if errors.Is(err, layer.ErrTimeout) && ctx.Err() == nil {
		return 0, false, nil
	}
	return n, err == nil, err
}

// count makes the statement that counts what the query selects for the viewer.
func (s *Store) count(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query, ask func(sql string, args []any) error) error {
	err := s.chosen(ctx, v, l, q, func(c *conditions, from string) error {
		if err := c.matching(q, l); err != nil {
			return err
		}
		return ask("SELECT count(*) FROM "+from+c.where(), c.args)
	})
	return translate("count "+l.Name, err)
}

// Feature returns one row by id, whatever its dates; layer.ErrNotFound where there
// is none that the viewer may see. The row is the caller's.
func (s *Store) Feature(ctx context.Context, v account.Viewer, l *layer.Layer, id int64) (*layer.Row, error) {
	var row *layer.Row
	err := s.seen(ctx, v, l, nil, func(c *conditions, from string) error {
		c.add("id = %s", c.bind(id))
		return hand(ctx, s.pool, "SELECT "+columns(l, layer.Query{})+" FROM "+from+c.where(), c.args, 0, func(r *layer.Row) error {
			r.ShownAs = c.shownAs
			row = r.Clone()
			return nil
		})
	})
	return found(row, l, id, err)
}

// found says of a row that was looked up what its not being there means.
func found(row *layer.Row, l *layer.Layer, id int64, err error) (*layer.Row, error) {
	switch {
	case err != nil:
		return nil, translate("read "+l.Name, err)
	case row == nil:
		return nil, fmt.Errorf("%s %d: %w", l.Name, id, layer.ErrNotFound)
	}
	return row, nil
}

// FeatureAmongVersions is Feature, with the ids of all rows of its code that the viewer may
// see, by valid time, in the same statement. Cost: two look-ups by index, in a statement
// for all who ask at the same time and see the same rows.
func (s *Store) FeatureAmongVersions(ctx context.Context, v account.Viewer, l *layer.Layer, id int64) (*layer.Row, []int64, error) {
	read := func(ctx context.Context, questions []*lookUp[int64, rowFound]) error {
		ctx, cancel := s.forOthers(ctx)
		defer cancel()
		return s.lookUp(ctx, v, l, questions)
	}
	one := &lookUp[int64, rowFound]{of: id}
	if l.ReadsStored() || v.Limited() || v.Consulted(l.Name) != "" { // a layer of its own, or rows that are the viewer's own
		one.err = read(ctx, []*lookUp[int64, rowFound]{one})
	} else {
		one = s.rowsAsked.ask(ctx, rowKind{l, v.Class(), s.pool.of(ctx)}, id, read)
	}
	row, err := found(one.answer.row, l, id, one.err)
	return row, one.answer.versions, err
}

// forOthers ends what is read for several where the database itself does not answer.
func (s *Store) forOthers(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.limits.Statement+acquireTimeout)
}

// lookUp answers questions for rows of a layer. Rows are the askers' own.
func (s *Store) lookUp(ctx context.Context, v account.Viewer, l *layer.Layer, questions []*lookUp[int64, rowFound]) error {
	asked, ids := map[int64][]*lookUp[int64, rowFound]{}, make([]int64, len(questions))
	for i, q := range questions {
		asked[q.of], ids[i] = append(asked[q.of], q), q.of
	}
	return s.seen(ctx, v, l, nil, func(c *conditions, from string) error {
		same := conditions{sql: append(slices.Clip(c.sql), "t.code = one.code")}
		versions := "(SELECT string_agg(int8send(t.id), '' ORDER BY valid_from, t.id) FROM " + from + same.where() + ")"
		c.add("id = ANY (%s)", c.bind(ids))
		sql := "SELECT one.*, " + versions + " FROM (SELECT " + columns(l, layer.Query{}) + " FROM " + from + c.where() + ") AS one"
		return hand(ctx, s.pool, sql, c.args, 0, func(r *layer.Row) error {
			raw := r.Values[len(l.Fields)]
			r.Values, r.ShownAs = r.Values[:len(l.Fields)], c.shownAs
			for _, q := range asked[r.ID] {
				q.answer = rowFound{row: r.Clone()}
				for rest := raw; len(rest) >= 8; rest = rest[8:] {
					q.answer.versions = append(q.answer.versions, int64(binary.BigEndian.Uint64(rest)))
				}
			}
			return nil
		})
	})
}

// Extent returns the box of the rows in force on the date and the span of valid
// time of all rows, as the viewer sees them; false when none is in force.
// Cost: a scan of the layer, so callers remember it by the layer's version.
func (s *Store) Extent(ctx context.Context, v account.Viewer, l *layer.Layer, date geo.Date) (orb.Bound, geo.Period, bool, error) {
	var x0, y0, x1, y1 *float64
	var from, to day
	err := s.seen(ctx, v, l, nil, func(c *conditions, rows string) error {
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
