package postgis

import (
	"context"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/memory"
	"hatang/internal/permit"
)

// identity is which database it is, and since when its server runs: that one d names.
const identity = "d.oid || ' ' || pg_postmaster_start_time() || ' ' || pg_is_in_recovery()"

// Told returns the versions of all layers for all audiences, in one statement.
func (s *Store) Told(ctx context.Context) (*memory.Told, error) {
	rows, err := s.pool.Query(ctx, `SELECT layer, audience, version, `+identity+`
		FROM layer_versions, pg_database d WHERE d.datname = current_database() ORDER BY layer, audience`)
	if err != nil {
		return nil, translate("read the layer versions", err)
	}
	var server string
	var one memory.Version
	var all []memory.Version
	_, err = pgx.ForEachRow(rows, []any{&one.Layer, &one.Audience, &one.Number, &server}, func() error {
		all = append(all, one)
		return nil
	})
	return memory.NewTold(server, all), translate("read the layer versions", err)
}

// AllRows hands over every row of a layer that the viewer sees, whatever its dates, with
// all its fields, in the order in which they lie beside each other, as of one state of
// the database, which it returns. Cost: the whole layer, sorted.
func (s *Store) AllRows(ctx context.Context, v account.Viewer, l *layer.Layer, each func(*layer.Row) error) (memory.Reading, error) {
	var reading memory.Reading
	err := s.within(ctx, snapshot, snapshotTime, func(tx pgx.Tx) error {
		r, now, err := s.readingOf(ctx, tx, v, l)
		if err != nil {
			return err
		}
		reading = now
		reading.ShownAs, err = r.hand(ctx, l, nil, each)
		return err
	})
	return reading, notHanded("read all of "+l.Name, err)
}

// RowsSince hands over the rows that transactions have changed which a reading did not
// see, as the viewer sees them now, and returns the ids of all that have changed. The
// history names them, for psql's edits as for ours, and the consultations. whole: more have changed than are read
// one by one, or the viewer sees rows otherwise than then, or it is another database; then
// nothing is handed over.
func (s *Store) RowsSince(ctx context.Context, v account.Viewer, l *layer.Layer, since memory.Reading, each func(*layer.Row) error) (reading memory.Reading, changed []int64, whole bool, err error) {
	err = pgx.BeginTxFunc(ctx, s.pool, snapshot, func(tx pgx.Tx) error {
		r, now, err := s.readingOf(ctx, tx, v, l)
		if err != nil {
			return err
		}
		reading = now
		reading.ShownAs = since.ShownAs // as long as the settings are the same
		if whole = now.Server != since.Server || now.Published != since.Published; whole {
			return nil
		}
		rows, err := tx.Query(ctx, "SELECT DISTINCT feature FROM "+unseen+" AND layer = $2 LIMIT $3", since.Snapshot, l.Name, mostChanges+1)
		if err != nil {
			return err
		}
		if changed, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil {
			return err
		}
		if whole = len(changed) > mostChanges; whole || len(changed) == 0 {
			return nil
		}
		_, err = r.hand(ctx, l, changed, each)
		return err
	})
	return reading, changed, whole, notHanded("read what has changed of "+l.Name, err)
}

// readingOf begins to read a layer for a viewer in one snapshot of the database, and
// returns which it is.
func (s *Store) readingOf(ctx context.Context, tx pgx.Tx, v account.Viewer, l *layer.Layer) (*reading, memory.Reading, error) {
	var now memory.Reading
	r, err := newReading(ctx, tx, s.layers, permit.Asked{Viewer: v})
	if err != nil {
		return nil, now, err
	}
	if l.PublishedAsSet && r.published != nil {
		now.Published = r.published.version
	}
	versions, err := shownVersions(ctx, tx, v, l.Name)
	if err != nil {
		return nil, now, err
	}
	now.Version = versions[l.Name]
	err = tx.QueryRow(ctx, "SELECT "+identity+", pg_current_snapshot()::text FROM pg_database d WHERE d.datname = current_database()").Scan(&now.Server, &now.Snapshot)
	return r, now, err
}

// hand hands over rows of a layer as the viewer sees them: those with the ids, all where
// these are nil. It returns the version of the settings that generalise them, 0 for none.
func (r *reading) hand(ctx context.Context, l *layer.Layer, ids []int64, each func(*layer.Row) error) (shownAs int64, err error) {
	c := &conditions{}
	from := c.view(r.viewer, l, r.published, quote(l.Name), nil)
	order := " ORDER BY geom"
	if ids != nil {
		c.add("id = ANY (%s)", c.bind(ids))
		order = ""
	}
	fields := make([]*layer.Field, len(l.Fields))
	for i := range l.Fields {
		fields[i] = &l.Fields[i]
	}
	return c.shownAs, hand(ctx, r.tx, tileColumns(fields)+from+c.where()+order, c.args, 0, each)
}

var _ memory.Register = (*Store)(nil)
