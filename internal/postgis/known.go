package postgis

import (
	"context"
	"fmt"
	"strings"
	"time"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// chosen is seen, of the rows that the query is about: as they are, or as they were known at
// a time past. Those are nobody's whom settings of publication matter to.
//
// Cost of the rows known at a time: that of the query on the rows as they are, a look-up in
// the history for each of these, and the images of all rows of the layer that have changed
// since.
func (s *Store) chosen(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query, read func(c *conditions, from string) error) error {
	if q.KnownAt.IsZero() {
		return s.seen(ctx, v, l, nearOf(q), read)
	}
	c := &conditions{}
	return read(c, c.known(v, l, q.KnownAt))
}

// known is what stands behind FROM for the rows of a layer as they were known at a time, as
// far as the viewer sees their past: those that he sees now, or saw last, in forms that he
// sees.
func (c *conditions) known(v account.Viewer, l *layer.Layer, at time.Time) string {
	shown := ""
	if !v.Past(l.Name).All || !v.Sight(l.Name).All {
		shown = " AND " + c.seenLast(v, l, "first.feature_id")
	}
	return c.past(v, l, c.knownRows(l, moment{at: at}, func(column string) string { return "r." + column }, shown))
}

// knownRows are the rows of a layer as they were at a record time, to stand in a FROM
// clause. A row's image then is the one before its first later change; a row whose first
// later change is its insertion was not there. image is the expression of a column of an
// image r, and shown what else images must be.
//
// The record time of a change is when its transaction began. Where the transactions are
// known that were part of the register, changes by others are later ones, too.
func (c *conditions) knownRows(l *layer.Layer, at moment, image func(column string) string, shown string) string {
	columns, images := []string{"t.id"}, []string{"first.feature_id"}
	for _, f := range l.Fields {
		columns, images = append(columns, "t."+quote(f.Name)), append(images, image(quote(f.Name)))
	}
	if geometryColumn(l) != "geom" {
		columns, images = append(columns, "t.geom_stored"), append(images, keptPlace(l, "first", "r"))
	}
	return fmt.Sprintf(`(SELECT %[1]s, t.geom FROM %[2]s t WHERE NOT EXISTS (
				SELECT FROM history h WHERE h.layer = %[4]s AND h.feature_id = t.id AND %[3]s)
			UNION ALL SELECT %[5]s, first.before_geom FROM (
				SELECT DISTINCT ON (feature_id) feature_id, operation, before, before_geom FROM history h
				WHERE layer = %[4]s AND %[3]s ORDER BY feature_id, id) first
			CROSS JOIN LATERAL jsonb_populate_record(NULL::%[2]s, first.before) r WHERE first.operation <> 'insert'%[6]s)`,
		strings.Join(columns, ", "), quote(l.Name), c.later(at), c.bind(l.Name), strings.Join(images, ", "), shown)
}

// moment is a record time, and the transactions that were part of the register then as the
// database writes them; "" where nobody has noted them.
type moment struct {
	at       time.Time
	snapshot string
}

// straddling is how long before a record time a transaction has begun at most that was not
// part of the register at it. It keeps numbers of transactions from before a restore, which
// are another server's, from being compared with those of after it.
const straddling = "interval '1 day'"

// later is the condition on records h of the history that they are of changes after a moment.
func (c *conditions) later(m moment) string {
	at := c.bind(m.at)
	if m.snapshot == "" {
		return "h.recorded_at > " + at
	}
	// By the first number that can be missing the index finds them.
	snapshot := c.bind(m.snapshot) + "::text::pg_snapshot"
	return fmt.Sprintf("(h.recorded_at > %[1]s OR h.xid >= pg_snapshot_xmin(%[2]s) AND h.recorded_at > %[1]s::timestamptz - %[3]s AND NOT pg_visible_in_snapshot(h.xid, %[2]s))", at, snapshot, straddling)
}

// recordedAt returns the transactions that were part of the register at a record time, if a
// verdict was recorded at it; "" for all other times.
func recordedAt(ctx context.Context, q querier, at time.Time) (snapshot string, err error) {
	err = q.QueryRow(ctx, "SELECT coalesce((SELECT snapshot::text FROM verdicts WHERE known_at = $1 ORDER BY snapshot::text LIMIT 1), '')", at).Scan(&snapshot)
	return snapshot, err
}

// keptPlace is the geometry of a record's image as the layer keeps it. Records of before it
// was kept have the one that was read alone.
func keptPlace(l *layer.Layer, record, image string) string {
	if geometryColumn(l) == "geom" {
		return record + ".before_geom"
	}
	return fmt.Sprintf("CASE WHEN %[1]s.before ? 'geom_stored' THEN %[2]s.geom_stored ELSE %[3]s END", record, image, stored(l, record+".before_geom"))
}

// seenLast is the condition on the id of a row that the viewer sees its past: he sees it as
// it is, or where it is no more as it was last.
func (c *conditions) seenLast(v account.Viewer, l *layer.Layer, id string) string {
	now := &conditions{args: c.args}
	rows := now.past(v, l, quote(l.Name))
	now.add("t.id = %s", id)
	last := &conditions{args: now.args}
	var columns []string
	for _, f := range l.Fields {
		columns = append(columns, "r."+quote(f.Name))
	}
	images := last.past(v, l, fmt.Sprintf(`(SELECT l.feature_id AS id, %s, l.before_geom AS geom FROM (
			SELECT feature_id, before, before_geom FROM history WHERE layer = %s AND feature_id = %s ORDER BY id DESC LIMIT 1) l
			CROSS JOIN LATERAL jsonb_populate_record(NULL::%s, l.before) r WHERE l.before IS NOT NULL)`,
		strings.Join(columns, ", "), last.bind(l.Name), id, quote(l.Name)))
	c.args = last.args
	// Not EXISTS: the planner would gather the whole layer for it.
	return fmt.Sprintf(`CASE WHEN (SELECT true FROM %s x WHERE x.id = %s) THEN (SELECT true FROM %s%s) ELSE (SELECT true FROM %s%s) END`,
		quote(l.Name), id, rows, now.where(), images, last.where())
}
