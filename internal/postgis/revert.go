package postgis

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// Revert takes the changes back that the query selects, as far as the viewer sees them:
// every row of them becomes what it was before the first, or is found out what would become
// of it where dryRun is set. It is one transaction, a change like any other, which has a
// request and can be reverted itself; ids come back, revisions go on rising. The query's
// Code, Boxes, Older and Limit are not looked at.
//
// *layer.FiledError where a step of a proposal made one of the changes: that is undone by steps
// alone. layer.ErrNotFound where nothing is selected; layer.ErrForbidden where the viewer may not
// write a layer or a row as it is or as it was; *layer.OvertakenError where rows were changed
// after by other changes that have not been taken back; layer.ErrConflict where what they were is taken by other rows now.
//
// Cost: the images of all rows concerned are copied, in a few statements for each layer.
func (s *Store) Revert(ctx context.Context, v account.Viewer, q layer.HistoryQuery, dryRun bool) (layer.Reverted, error) {
	var done layer.Reverted
	err := s.write(ctx, v, "revert", func(tx pgx.Tx) error {
		if err := allowImport(ctx, tx); err != nil {
			return err
		}
		if err := heed(ctx, tx, v, "", 0); err != nil {
			return err
		}
		r := &reverter{tx: tx, viewer: v, query: q}
		if err := r.revert(ctx); err != nil {
			return err
		}
		done = r.done
		if dryRun {
			return errNotApplied
		}
		done.Applied = true
		return nil
	})
	if dryRun && errors.Is(err, errNotApplied) {
		err = nil
	}
	return done, err
}

// reverter carries one revert from step to step.
type reverter struct {
	tx     pgx.Tx
	viewer account.Viewer
	query  layer.HistoryQuery
	layers []*layer.Layer // of which changes are selected
	done   layer.Reverted
}

// reverted are the rows of which changes are selected: each with the number of the first of
// these, the image before it, null where there was no row, and what is done to the row.
const revertedSQL = `CREATE TEMP TABLE reverted (layer text NOT NULL, id bigint NOT NULL, record bigint NOT NULL,
	before jsonb, before_geom geometry, code text, did text, PRIMARY KEY (layer, id)) ON COMMIT DROP`

func (r *reverter) revert(ctx context.Context) error {
	if _, err := r.tx.Exec(ctx, revertedSQL); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{r.selectRows, r.holdRows, r.refuseOvertaken, r.refuseSteps} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if err := r.deferred(ctx, r.applyAll); err != nil {
		return err
	}
	return r.sumUp(ctx)
}

// selectRows finds the rows, of layers whose past the viewer sees.
func (r *reverter) selectRows(ctx context.Context) error {
	for _, l := range r.query.Layers {
		past := r.viewer.Past(l.Name)
		if past.None() {
			continue
		}
		c := &conditions{}
		c.add("h.layer = %s", c.bind(l.Name))
		r.history(l).selected(c, l, past)
		if !past.All || !r.viewer.Sight(l.Name).All {
			seen, err := r.seen(ctx, l)
			if err != nil {
				return err
			}
			c.add("h.id = ANY (%s)", c.bind(seen))
		}
		tag, err := r.tx.Exec(ctx, `INSERT INTO reverted SELECT DISTINCT ON (h.feature_id) h.layer, h.feature_id, h.id, h.before, h.before_geom
			FROM history h`+c.where()+" ORDER BY h.feature_id, h.id", c.args...)
		if err != nil {
			return err
		}
		if tag.RowsAffected() > 0 {
			r.layers = append(r.layers, l)
		}
	}
	if len(r.layers) == 0 {
		return fmt.Errorf("no change is selected: %w", layer.ErrNotFound)
	}
	for _, l := range r.layers {
		if r.viewer.Asks(l.Name).None() {
			return fmt.Errorf("%s, %s: %w", l.Name, r.viewer.Name, layer.ErrForbidden)
		}
	}
	_, err := r.tx.Exec(ctx, "ANALYZE reverted")
	return err
}

// history is a reading of the selected records of one layer.
func (r *reverter) history(l *layer.Layer) *history {
	q := r.query
	q.Layers, q.Code, q.Boxes, q.Older = []*layer.Layer{l}, "", nil, layer.HistoryKey{}
	return &history{tx: r.tx, viewer: r.viewer, query: q, left: math.MaxInt32}
}

// seen are the selected records of a layer of which the viewer sees anything. What he does
// not see is not taken back, and stands in nobody's way.
func (r *reverter) seen(ctx context.Context, l *layer.Layer) (records []int64, err error) {
	err = r.history(l).read(ctx, func(h *head, _ *layer.Change) error {
		records = append(records, h.id)
		return nil
	})
	return records, err
}

// holdRows keeps the rows as they are until the transaction ends.
func (r *reverter) holdRows(ctx context.Context) error {
	for _, l := range r.layers {
		if _, err := r.tx.Exec(ctx, fmt.Sprintf(`SELECT count(*) FROM (SELECT FROM %s t JOIN reverted v ON v.layer = $1 AND v.id = t.id
			ORDER BY t.id FOR UPDATE OF t) held`, quote(l.Name)), l.Name); err != nil {
			return err
		}
	}
	return nil
}

// refuseOvertaken fails where rows were changed after the first selected change by any that
// is not selected, unless that has been taken back itself: no selected change came after it,
// and the row is as it was before it. All such rows are named at once.
func (r *reverter) refuseOvertaken(ctx context.Context) error {
	var overtaken layer.OvertakenError
	for _, l := range r.layers {
		c := &conditions{}
		name := c.bind(l.Name)
		selected := &conditions{args: c.args}
		selected.add("true")
		r.history(l).selected(selected, l, account.Past{All: true})
		c.args = selected.args
		rows, err := r.tx.Query(ctx, fmt.Sprintf(`SELECT v.id, coalesce(t.code, later.code, v.before ->> 'code', ''), later.recorded_at, coalesce(later.request, ''), count(*) OVER ()
			FROM reverted v LEFT JOIN %[1]s t ON t.id = v.id CROSS JOIN LATERAL (
				SELECT h.id, h.recorded_at, h.request, h.before, h.before_geom, h.before ->> 'code' AS code
				FROM history h WHERE h.layer = %[2]s AND h.feature_id = v.id AND h.id > v.record AND (%[3]s) IS NOT TRUE ORDER BY h.id LIMIT 1) later
			LEFT JOIN LATERAL jsonb_populate_record(t, later.before) w ON later.before IS NOT NULL
			WHERE v.layer = %[2]s AND (EXISTS (SELECT FROM history h WHERE h.layer = %[2]s AND h.feature_id = v.id AND h.id > later.id AND (%[3]s))
				OR (t.id IS NULL) <> (later.before IS NULL)
				OR t.id IS NOT NULL AND (ROW(%[5]s) IS DISTINCT FROM ROW(%[6]s) OR ST_AsEWKB(%[7]s) IS DISTINCT FROM ST_AsEWKB(t.%[8]s)))
			ORDER BY v.id LIMIT %[4]d`, quote(l.Name), name, strings.Join(selected.sql, " AND "), layer.MostNamed,
			listed(l, "w.%s"), listed(l, "t.%s"), keptPlace(l, "later", "w"), geometryColumn(l)), c.args...)
		if err != nil {
			return err
		}
		row, count := layer.OvertakenRow{Layer: l}, int64(0)
		if _, err := pgx.ForEachRow(rows, []any{&row.FeatureID, &row.Code, &row.RecordedAt, &row.Request, &count}, func() error {
			row.RecordedAt = row.RecordedAt.UTC()
			if len(overtaken.Rows) < layer.MostNamed {
				overtaken.Rows = append(overtaken.Rows, row)
			}
			return nil
		}); err != nil {
			return err
		}
		overtaken.Count += count
	}
	if overtaken.Count > 0 {
		return &overtaken
	}
	return nil
}

// refuseSteps fails where a step of a proposal made one of the changes: the row would be out of
// step with its file, be that over or not. A step and what it does to rows are of one
// transaction, and so of one moment, one who and one request.
func (r *reverter) refuseSteps(ctx context.Context) error {
	var proposal *int64
	err := r.tx.QueryRow(ctx, `SELECT max(s.proposal) FROM reverted v
		JOIN proposal_features f ON f.layer = v.layer AND (f.feature = v.id OR f.became = v.id)
		JOIN proposal_steps s ON s.proposal = f.proposal AND s.action IN ('approve', 'expire', 'build')
		JOIN history h ON h.layer = v.layer AND h.feature_id = v.id AND h.id >= v.record
			AND h.recorded_at = s.at AND h.who = s.who AND h.request IS NOT DISTINCT FROM s.request`).Scan(&proposal)
	if err != nil || proposal == nil {
		return err
	}
	return &layer.FiledError{Proposal: *proposal, Step: true}
}

// deferred does work whose rows may be in each other's way until it is done.
func (r *reverter) deferred(ctx context.Context, work func(context.Context) error) error {
	var names []string
	for _, l := range r.layers {
		names = append(names, l.Name)
	}
	var rules string
	if err := r.tx.QueryRow(ctx, `SELECT coalesce(string_agg(quote_ident(conname), ', ' ORDER BY conname), '') FROM pg_constraint
		WHERE contype = 'x' AND condeferrable AND conrelid = ANY (SELECT to_regclass(quote_ident(n)) FROM unnest($1::text[]) n)`, names).Scan(&rules); err != nil {
		return err
	}
	set := func(mode string) error {
		if rules == "" {
			return nil
		}
		_, err := r.tx.Exec(ctx, "SET CONSTRAINTS "+rules+" "+mode)
		return err
	}
	if err := set("DEFERRED"); err != nil {
		return err
	}
	if err := work(ctx); err != nil {
		return err
	}
	return set("IMMEDIATE")
}

// applyAll writes the rows of all layers. One whose rows others hold on to waits for those:
// sites for the operators on them, zones for the communes they follow.
func (r *reverter) applyAll(ctx context.Context) error {
	left := r.layers
	for len(left) > 0 {
		var waiting []*layer.Layer
		var held error
		for _, l := range left {
			err := pgx.BeginFunc(ctx, r.tx, func(part pgx.Tx) error { return r.apply(ctx, part, l) })
			var pg *pgconn.PgError
			switch {
			case errors.As(err, &pg) && pg.Code == "23503":
				waiting, held = append(waiting, l), err
			case err != nil:
				return err
			}
		}
		if len(waiting) == len(left) {
			return held
		}
		left = waiting
	}
	return nil
}

// sumUp counts and names what was done.
func (r *reverter) sumUp(ctx context.Context) error {
	for _, l := range r.layers {
		sum := layer.RevertedLayer{Layer: l}
		if err := r.tx.QueryRow(ctx, `SELECT count(*) FILTER (WHERE did = 'insert'), count(*) FILTER (WHERE did = 'update'),
			count(*) FILTER (WHERE did = 'delete'), count(*) FILTER (WHERE did IS NULL) FROM reverted WHERE layer = $1`, l.Name).
			Scan(&sum.Inserted, &sum.Updated, &sum.Deleted, &sum.Unchanged); err != nil {
			return err
		}
		r.done.Layers = append(r.done.Layers, sum)
		rows, err := r.tx.Query(ctx, "SELECT id, code, did FROM reverted WHERE layer = $1 AND did IS NOT NULL ORDER BY id LIMIT $2", l.Name, layer.MostNamed-len(r.done.Rows))
		if err != nil {
			return err
		}
		row := layer.RevertedRow{Layer: l}
		if _, err := pgx.ForEachRow(rows, []any{&row.FeatureID, &row.Code, &row.Operation}, func() error {
			r.done.Rows = append(r.done.Rows, row)
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}
