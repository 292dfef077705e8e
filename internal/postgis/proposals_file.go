package postgis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// FileProposal makes a proposal of drafts of the viewer's organisation and returns its id.
// *layer.InvalidError with all that is wrong with its features; layer.ErrForbidden for who
// files nothing; layer.ErrStale where a row has changed since it was checked.
func (s *Store) FileProposal(ctx context.Context, v account.Viewer, n permit.NewFile) (id int64, err error) {
	if !v.FilesAnything() {
		return 0, fmt.Errorf("%s files nothing: %w", v.Name, layer.ErrForbidden)
	}
	err = s.write(ctx, v, "file the proposal", func(tx pgx.Tx) error {
		if err := s.checkFiled(ctx, tx, v, n.Features); err != nil {
			return err
		}
		if err := heedNone(ctx, tx); err != nil { // those that he sees have been looked at
			return err
		}
		if err := tx.QueryRow(ctx, "INSERT INTO proposals (organisation, title, verdict) VALUES ($1, $2, $3) RETURNING id", v.Organisation, n.Title, n.Verdict).Scan(&id); err != nil {
			return err
		}
		for i, f := range n.Features {
			if _, err := tx.Exec(ctx, "INSERT INTO proposal_features (proposal, position, layer, feature) VALUES ($1, $2, $3, $4)", id, i, f.Collection, f.ID); err != nil {
				return err
			}
		}
		if err := recordSealed(ctx, tx, id, n.Records); err != nil {
			return err
		}
		calendar, today, err := calendarOf(ctx, tx, id)
		if err != nil {
			return err
		}
		return takeStep(ctx, tx, v, id, step{Revision: 1, Action: permit.FileAction, Party: permit.Organisation, DueOn: calendar.Due(permit.Filed, permit.FileAction, today)})
	})
	return id, err
}

// checkFiled refuses what the viewer may not file, and keeps the rows as they are until the
// transaction ends. Rows that he does not see are told like those that there are not.
func (s *Store) checkFiled(ctx context.Context, tx pgx.Tx, v account.Viewer, features []permit.FiledFeature) error {
	var faults layer.Faults
	order := make([]int, len(features)) // of locking, the same for all
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		if c := strings.Compare(features[i].Collection, features[j].Collection); c != 0 {
			return c
		}
		return int(min(max(features[i].ID-features[j].ID, -1), 1))
	})
	for _, i := range order {
		f, at := features[i], fmt.Sprintf("/features/%d", i)
		l, known := s.layers.Get(f.Collection)
		if !known || !slices.Contains(permit.FiledLayers(), f.Collection) {
			faults.Add(at+"/collection", "phải là một trong: %s", "must be one of: %s", strings.Join(permit.FiledLayers(), ", "))
			continue
		}
		revision, open, err := lockDraft(ctx, tx, v, l, f.ID)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			faults.Add(at+"/id", "không có bản thảo này của đơn vị bạn", "there is no such draft of your organisation")
			continue
		case err != nil:
			return err
		case open:
			faults.Add(at+"/id", "đã nằm trong một hồ sơ chưa kết thúc", "is in a proposal that is open")
		case f.Revision != 0 && f.Revision != revision:
			return fmt.Errorf("%s %d is at revision %d: %w", l.Name, f.ID, revision, layer.ErrStale)
		}
		if err := within(ctx, tx, v.Files(l.Name), v, l, f.ID); err != nil {
			return err
		}
		ended, taken, err := standsInTheWay(ctx, tx, v, l, f.ID)
		if err != nil {
			return err
		}
		if ended {
			faults.Add(at, "valid_to của bản thảo không sau ngày hôm nay: hồ sơ không thể được duyệt", "valid_to of the draft is not after today: it could not be approved")
		}
		if taken != "" {
			faults.Add(at, "mã %s đã có bản ghi khác có hiệu lực: hồ sơ không thể được duyệt", "the code %s has another row in force: it could not be approved", taken)
		}
	}
	slices.SortStableFunc(faults, func(a, b layer.Fault) int { return strings.Compare(a.At, b.At) })
	return faults.Err()
}

// Fileable returns drafts of the viewer's organisation that he may file and that are in no
// proposal of its that is open, by layer and code, behind one of them where q says so. Cost: an index
// scan for each layer.
func (s *Store) Fileable(ctx context.Context, v account.Viewer, q permit.DraftQuery) ([]permit.FiledFeature, error) {
	list := []permit.FiledFeature{}
	for _, name := range permit.FiledLayers() {
		l, known := s.layers.Get(name)
		if !known || v.Files(name).None() || name < q.After.Collection || len(list) == q.Limit {
			continue
		}
		c := &conditions{}
		c.visible(v.Sight(name), l)
		ours := fmt.Sprintf("owner_organisation = %s", c.bind(v.Organisation))
		c.add("%s AND status = %s AND NOT %s", ours, c.bind(layer.Draft), c.inOpenProposal(v, name, "t.id"))
		if name == q.After.Collection { // of others' rows it tells nothing
			c.add("(code, id) > (SELECT code, id FROM %s WHERE id = %s AND %s)", quote(name), c.bind(q.After.ID), ours)
		}
		rows, err := s.pool.kept.Query(ctx, "SELECT id, code FROM "+quote(name)+" AS t"+c.where()+" ORDER BY code, id LIMIT "+c.bind(q.Limit-len(list)), c.args...)
		if err != nil {
			return nil, translate("list the drafts", err)
		}
		found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (permit.FiledFeature, error) {
			f := permit.FiledFeature{Collection: name}
			return f, row.Scan(&f.ID, &f.Code)
		})
		if err != nil {
			return nil, translate("list the drafts", err)
		}
		list = append(list, found...)
	}
	return list, nil
}

// lockDraft holds a draft of the viewer's organisation, and reports whether it is filed.
func lockDraft(ctx context.Context, tx pgx.Tx, v account.Viewer, l *layer.Layer, id int64) (revision int64, open bool, err error) {
	c := &conditions{}
	c.visible(v.Sight(l.Name), l)
	c.add("id = %s AND status = %s AND owner_organisation = %s", c.bind(id), c.bind(layer.Draft), c.bind(v.Organisation))
	if err = tx.QueryRow(ctx, "SELECT revision FROM "+quote(l.Name)+" AS t"+c.where()+" FOR UPDATE", c.args...).Scan(&revision); err != nil {
		return 0, false, err
	}
	c = &conditions{}
	err = tx.QueryRow(ctx, "SELECT "+c.inOpenProposal(v, l.Name, c.bind(id)), c.args...).Scan(&open)
	return revision, open, err
}

// standsInTheWay reports what keeps a draft from ever being approved: that it ends before it would
// be planned, and its code where another row that the viewer sees has it then.
func standsInTheWay(ctx context.Context, tx pgx.Tx, v account.Viewer, l *layer.Layer, id int64) (ended bool, taken string, err error) {
	c := &conditions{}
	c.visible(v.Sight(l.Name), l)
	c.add(`t.code = d.code AND t.status <> %s AND t.valid_from < coalesce(d.valid_to, 'infinity') AND coalesce(t.valid_to, 'infinity') > greatest(d.valid_from, hatang_today())`, c.bind(layer.Draft))
	table := quote(l.Name)
	err = tx.QueryRow(ctx, "SELECT coalesce(d.valid_to <= greatest(d.valid_from, hatang_today()), false), CASE WHEN EXISTS (SELECT FROM "+table+" AS t"+c.where()+") THEN d.code ELSE '' END FROM "+table+" AS d WHERE d.id = "+c.bind(id), c.args...).Scan(&ended, &taken)
	return ended, taken, err
}
