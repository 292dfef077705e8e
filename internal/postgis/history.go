package postgis

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// What records are looked at together: their images are in memory.
const (
	mostHeads      = 200
	mostImageBytes = 4 << 20 // of their geometries, as they are stored; a single one may have more
)

// History hands the records that the query selects to each, as the viewer may see them, the
// newest first: by record time, then by layer, row and order, all descending. A change is the
// reader's; an error of each ends the reading and is returned as it is.
//
// Cost: an index scan over the records of each layer, as many as are handed and those passed
// over because the viewer does not see them, and a look-up of the images of each.
func (s *Store) History(ctx context.Context, v account.Viewer, q layer.HistoryQuery, each func(*layer.Change) error) error {
	err := pgx.BeginTxFunc(ctx, s.pool, snapshot, func(tx pgx.Tx) error {
		h := &history{tx: tx, viewer: v, query: q, left: q.Limit, skip: q.Older.Shown}
		return h.read(ctx, func(_ *head, change *layer.Change) error { return each(change) })
	})
	return notHanded("read the history", err)
}

// read hands the records that the query selects to each, with what the viewer sees of them.
func (h *history) read(ctx context.Context, each func(*head, *layer.Change) error) error {
	if q := h.query; !q.Older.IsZero() {
		h.after = &head{layer: q.Older.Layer, at: q.Older.RecordedAt, feature: q.Older.FeatureID, id: math.MaxInt64}
	}
	if err := h.find(ctx); err != nil {
		return err
	}
	for size := min(h.left+h.skip, mostHeads); h.left > 0; size = mostHeads {
		heads, err := h.heads(ctx, size)
		if err != nil {
			return err
		}
		for part := range parts(heads) {
			if err := h.hand(ctx, part, each); err != nil {
				return err
			}
		}
		if len(heads) < size {
			return nil
		}
		h.after = &heads[len(heads)-1]
	}
	return nil
}

// history is one reading of the history.
type history struct {
	tx     pgx.Tx
	viewer account.Viewer
	query  layer.HistoryQuery
	after  *head // the record read last, nil before the first
	skip   int   // records at the query's key that the page before has shown
	left   int
	rows   map[string][]int64 // by layer, those that can be what is asked for; nil for any
}

// head is a record of the history without its images.
type head struct {
	id      int64
	layer   string
	feature int64
	at      time.Time
	who     string
	request string
	ours    bool // who is of the viewer's organisation
	gone    bool // the row is no more
	bytes   int  // of the geometry before it, as it is stored
}

// parts are heads in runs whose images go into memory together.
func parts(heads []head) iter.Seq[[]head] {
	return func(yield func([]head) bool) {
		begin, bytes := 0, 0
		for i := range heads {
			if bytes += heads[i].bytes; bytes > mostImageBytes && i > begin {
				if !yield(heads[begin:i]) {
					return
				}
				begin, bytes = i, heads[i].bytes
			}
		}
		if begin < len(heads) {
			yield(heads[begin:])
		}
	}
}

// mostRows is how many rows are looked for by their ids; more are as well met by and by.
const mostRows = 100_000

// find looks up which rows have or had the code, or are or were in the boxes, that the query
// asks for. Whether an image that the viewer sees does so is looked at later. The planner
// would not know how few they are.
func (h *history) find(ctx context.Context) error {
	q := h.query
	if q.Code == "" && len(q.Boxes) == 0 {
		return nil
	}
	c := &conditions{}
	was, is := "", ""
	if q.Code != "" {
		code := c.bind(q.Code)
		was, is = "before ->> 'code' = "+code, "code = "+code
	} else {
		was, is = c.meets("before_geom", q.Boxes), c.meets("geom", q.Boxes)
	}
	rows := []string{"SELECT layer, feature_id FROM history WHERE " + was}
	for _, l := range q.Layers {
		rows = append(rows, fmt.Sprintf("SELECT %s, id FROM %s WHERE %s", c.bind(l.Name), quote(l.Name), is))
	}
	found, err := h.tx.Query(ctx, fmt.Sprintf("SELECT * FROM (%s) r LIMIT %d", strings.Join(rows, " UNION "), mostRows+1), c.args...)
	if err != nil {
		return err
	}
	h.rows = map[string][]int64{}
	var name string
	var id int64
	tag, err := pgx.ForEachRow(found, []any{&name, &id}, func() error {
		h.rows[name] = append(h.rows[name], id)
		return nil
	})
	if tag.RowsAffected() > mostRows {
		h.rows = nil
	}
	return err
}

// heads reads the next records, of all layers that the viewer sees the past of.
func (h *history) heads(ctx context.Context, size int) ([]head, error) {
	c := &conditions{}
	var branches []string
	for _, l := range h.query.Layers {
		if past := h.viewer.Past(l.Name); !past.None() && (h.rows == nil || len(h.rows[l.Name]) > 0) {
			branches = append(branches, h.branch(c, l, past, size))
		}
	}
	if len(branches) == 0 {
		return nil, nil
	}
	rows, err := h.tx.Query(ctx, fmt.Sprintf(`SELECT id, layer, feature_id, recorded_at, who, coalesce(request, ''), ours, gone, bytes FROM (%s) h
		ORDER BY recorded_at DESC, layer COLLATE "C" DESC, feature_id DESC, id DESC LIMIT %d`, strings.Join(branches, " UNION ALL "), size),
		append([]any{pgx.QueryExecModeCacheDescribe}, c.args...)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (head, error) {
		var r head
		err := row.Scan(&r.id, &r.layer, &r.feature, &r.at, &r.who, &r.request, &r.ours, &r.gone, &r.bytes)
		return r, err
	})
}

// branch is the statement on the records of one layer; what it binds is added to all.
func (h *history) branch(all *conditions, l *layer.Layer, past account.Past, size int) string {
	c := &conditions{args: all.args}
	c.add("h.layer = %s", c.bind(l.Name))
	h.behind(c, l)
	h.selected(c, l, past)
	name := quote(l.Name)
	// Not EXISTS: the planner would gather the whole layer for it.
	gone := "(SELECT true FROM " + name + " x WHERE x.id = h.feature_id) IS NULL"
	if !past.All || !h.viewer.Sight(l.Name).All {
		seen := &conditions{args: c.args}
		from := seen.past(h.viewer, l, name)
		seen.add("t.id = h.feature_id")
		c.args = seen.args
		c.add("((SELECT true FROM %s%s) OR %s)", from, seen.where(), gone)
	}
	ours := "false"
	if past.Organisation != "" {
		ours = "hatang_of_organisation(h.who, " + c.bind(past.Organisation) + ")"
	}
	all.args = c.args
	return fmt.Sprintf(`(SELECT h.id, h.layer, h.feature_id, h.recorded_at, h.who, h.request, %s AS ours, %s AS gone, coalesce(pg_column_size(h.before_geom), 0) AS bytes FROM history h%s
		ORDER BY h.recorded_at DESC, h.feature_id DESC, h.id DESC LIMIT %d)`, ours, gone, c.where(), size)
}

// behind adds that a record of the layer comes after the one read last.
func (h *history) behind(c *conditions, l *layer.Layer) {
	if h.after == nil {
		return
	}
	at := c.bind(h.after.at)
	switch strings.Compare(l.Name, h.after.layer) {
	case 0:
		c.add("(h.recorded_at, h.feature_id, h.id) < (%s, %s, %s)", at, c.bind(h.after.feature), c.bind(h.after.id))
	case -1:
		c.add("h.recorded_at <= %s", at)
	default:
		c.add("h.recorded_at < %s", at)
	}
}

// selected adds what the query asks of the record, and which rows it can be of.
func (h *history) selected(c *conditions, l *layer.Layer, past account.Past) {
	q := h.query
	if q.Feature != 0 {
		c.add("h.feature_id = %s", c.bind(q.Feature))
	}
	if q.Who != "" {
		c.add("h.who = %s", c.bind(q.Who))
		if !past.All { // not found by a name that is not shown
			c.add("hatang_of_organisation(h.who, %s)", c.bind(past.Organisation))
		}
	}
	if q.Request != "" {
		c.add("h.request = %s", c.bind(q.Request))
	}
	if !q.From.IsZero() {
		c.add("h.recorded_at >= %s", c.bind(q.From))
	}
	if !q.Until.IsZero() {
		c.add("h.recorded_at < %s", c.bind(q.Until))
	}
	if h.rows != nil {
		c.add("h.feature_id = ANY (%s)", c.bind(h.rows[l.Name]))
	}
}

// hand hands the records of which the viewer sees anything that was asked for.
func (h *history) hand(ctx context.Context, heads []head, each func(*head, *layer.Change) error) error {
	seen := map[string]images{}
	for _, l := range h.query.Layers {
		of := slices.DeleteFunc(slices.Clone(heads), func(r head) bool { return r.layer != l.Name })
		if len(of) == 0 {
			continue
		}
		var err error
		if seen[l.Name], err = h.images(ctx, l, of); err != nil {
			return err
		}
	}
	for i := range heads {
		change := h.change(&heads[i], seen[heads[i].layer])
		if change == nil || h.shown(change) {
			continue
		}
		if h.left == 0 {
			return nil
		}
		h.left--
		if err := each(&heads[i], change); err != nil {
			return handed{err}
		}
	}
	return nil
}

// shown reports whether the page before has shown the record.
func (h *history) shown(change *layer.Change) bool {
	key := h.query.Older.Next(change)
	if h.skip == 0 || key.Shown == 1 {
		return false
	}
	h.skip--
	return true
}

// change puts a record and its images together; nil where the viewer sees neither image, or
// nothing of a row that is no more in the form that it had last.
func (h *history) change(r *head, seen images) *layer.Change {
	i := slices.IndexFunc(h.query.Layers, func(l *layer.Layer) bool { return l.Name == r.layer })
	change := &layer.Change{Layer: h.query.Layers[i], FeatureID: r.feature, Operation: layer.Update, Who: r.who, Request: r.request, RecordedAt: r.at.UTC()}
	past := h.viewer.Past(r.layer)
	if !past.All && !r.ours {
		change.Who = ""
	}
	if r.gone && seen[imageLast(r.feature)].row == nil {
		return nil
	}
	before, after := seen[imageBefore(r.id)], seen[imageAfter(r.id)]
	if !before.asked && !after.asked {
		return nil
	}
	for _, row := range []*layer.Row{before.row, after.row} {
		if row != nil {
			row.ID = r.feature
		}
	}
	change.Before, change.After = before.row, after.row
	switch {
	case before.row == nil:
		change.Operation = layer.Insert
	case after.row == nil:
		change.Operation = layer.Delete
	}
	return change
}
