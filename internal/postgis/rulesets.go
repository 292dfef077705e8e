package postgis

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// RuleSets returns the versions that q selects, by jurisdiction, id and version: drafts to
// staff alone.
func (s *Store) RuleSets(ctx context.Context, v account.Viewer, q permit.RuleSetQuery) ([]permit.RuleSetEntry, error) {
	c := &conditions{}
	if !v.Staff() {
		c.add("state = 'published'")
	}
	if q.ID != "" {
		c.add("id = %s", c.bind(q.ID))
	}
	if q.Version != 0 {
		c.add("version = %s", c.bind(q.Version))
	}
	if q.Jurisdiction != "" {
		c.add("jurisdiction = %s", c.bind(q.Jurisdiction))
	}
	if q.State != "" {
		c.add("state = %s", c.bind(string(q.State)))
	}
	if !q.InForce.IsZero() {
		c.add("state = 'published'")
		c.inForce(q.InForce)
	}
	rows, err := s.pool.Query(ctx, ruleSetSQL+c.where()+" ORDER BY jurisdiction, id, version", c.args...)
	if err != nil {
		return nil, translate("list the rule sets", err)
	}
	list, err := pgx.CollectRows(rows, scanRuleSet)
	return list, translate("list the rule sets", err)
}

const ruleSetSQL = "SELECT id, version, jurisdiction, state, valid_from, valid_to, encode(body_sha256, 'hex'), published_at, changed_at, body FROM rule_sets"

func scanRuleSet(row pgx.CollectableRow) (permit.RuleSetEntry, error) {
	var e permit.RuleSetEntry
	var from, to day
	if err := row.Scan(&e.ID, &e.Version, &e.Jurisdiction, &e.State, &from, &to, &e.SHA256, &e.PublishedAt, &e.ChangedAt, &e.Body); err != nil {
		return e, err
	}
	e.ValidFrom, e.ValidTo = from.Date, to.Date
	var err error
	e.Title, err = permit.TitleOfRules(e.Body)
	return e, err
}

// RuleSet returns one version; layer.ErrNotFound.
func (s *Store) RuleSet(ctx context.Context, v account.Viewer, id string, version int) (permit.RuleSetEntry, error) {
	list, err := s.RuleSets(ctx, v, permit.RuleSetQuery{ID: id, Version: version})
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("rule set %s@%d: %w", id, version, layer.ErrNotFound)
	}
	if err != nil {
		return permit.RuleSetEntry{}, err
	}
	return list[0], nil
}

// AddRules adds a draft. Its jurisdiction is that of the other versions, or of the only plan
// there is, where none is given. *layer.InvalidError where it cannot be told;
// layer.ErrForbidden; layer.ErrConflict where the version is there already.
func (s *Store) AddRules(ctx context.Context, v account.Viewer, rules *zoning.RuleSet, body []byte, jurisdiction string) error {
	return s.write(ctx, v, "draft a rule set", func(tx pgx.Tx) error {
		jurisdiction, err := jurisdictionOf(ctx, tx, rules.ID(), jurisdiction)
		if err != nil {
			return err
		}
		if !v.DraftsRules(jurisdiction) {
			return layer.ErrForbidden
		}
		_, err = tx.Exec(ctx, `INSERT INTO rule_sets (id, version, plan, jurisdiction, valid_from, valid_to, state, body)
			VALUES ($1, $2, coalesce((SELECT id FROM plans WHERE jurisdiction = $3 ORDER BY valid_from DESC, id LIMIT 1), ''), $3, $4, $5, 'draft', $6)`,
			rules.ID(), rules.Version(), jurisdiction, rules.Period().From.Time(), dayOrNull(rules.Period().To), body)
		return err
	})
}

// ChangeRules puts another body in the place of a draft's whose SHA-256 is ifSHA256, "*" for
// any. layer.ErrForbidden; layer.ErrConflict where it is published; layer.ErrStale where it
// is another by now; layer.ErrNotFound where there is none that the viewer sees.
func (s *Store) ChangeRules(ctx context.Context, v account.Viewer, rules *zoning.RuleSet, body []byte, ifSHA256 string) error {
	return s.changeDraft(ctx, v, rules.ID(), rules.Version(), ifSHA256, v.DraftsRules, func(tx pgx.Tx, _ permit.RuleSetEntry) error {
		_, err := tx.Exec(ctx, "UPDATE rule_sets SET valid_from = $3, valid_to = $4, body = $5 WHERE id = $1 AND version = $2",
			rules.ID(), rules.Version(), rules.Period().From.Time(), dayOrNull(rules.Period().To), body)
		return err
	})
}

func dayOrNull(d geo.Date) any {
	if d.IsZero() {
		return nil
	}
	return d.Time()
}

// DropRules removes a draft; errors as ChangeRules.
func (s *Store) DropRules(ctx context.Context, v account.Viewer, id string, version int, ifSHA256 string) error {
	return s.changeDraft(ctx, v, id, version, ifSHA256, v.DraftsRules, func(tx pgx.Tx, _ permit.RuleSetEntry) error {
		_, err := tx.Exec(ctx, "DELETE FROM rule_sets WHERE id = $1 AND version = $2", id, version)
		return err
	})
}

// PublishRules puts a draft in force from the day that its body says, and ends on that day
// the set that has been in force in the jurisdiction until then, if it is open.
// *layer.InvalidError where the day is before today; layer.ErrConflict also where another
// set is in force in that time that has an end, or begins later; other errors as
// ChangeRules. What is published never changes.
func (s *Store) PublishRules(ctx context.Context, v account.Viewer, id string, version int, ifSHA256 string, today geo.Date) error {
	return s.changeDraft(ctx, v, id, version, ifSHA256, v.PublishesRules, func(tx pgx.Tx, draft permit.RuleSetEntry) error {
		if draft.ValidFrom.Before(today) {
			return layer.Faults{{At: "/valid_from", Detail: geo.Text{VI: fmt.Sprintf("bộ quy tắc có hiệu lực từ %s, là ngày đã qua; hãy sửa bản thảo", draft.ValidFrom),
				EN: fmt.Sprintf("the rules would be in force from %s, which is past; change the draft", draft.ValidFrom)}}}.Err()
		}
		if _, err := tx.Exec(ctx, "UPDATE rule_sets SET valid_to = $2 WHERE jurisdiction = $1 AND state = 'published' AND valid_to IS NULL AND valid_from < $2", draft.Jurisdiction, draft.ValidFrom.Time()); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "UPDATE rule_sets SET state = 'published' WHERE id = $1 AND version = $2", id, version)
		return err
	})
}

// changeDraft runs work on a draft that the viewer sees and may change, and that is the one
// he has read.
func (s *Store) changeDraft(ctx context.Context, v account.Viewer, id string, version int, ifSHA256 string, may func(jurisdiction string) bool, work func(pgx.Tx, permit.RuleSetEntry) error) error {
	return s.write(ctx, v, fmt.Sprintf("change the rule set %s@%d", id, version), func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, ruleSetSQL+" WHERE id = $1 AND version = $2 FOR UPDATE", id, version)
		if err != nil {
			return err
		}
		draft, err := pgx.CollectExactlyOneRow(rows, scanRuleSet)
		switch {
		case err != nil:
			return err
		case draft.State == permit.RulesDraft && !v.Staff():
			return layer.ErrNotFound
		case !may(draft.Jurisdiction):
			return layer.ErrForbidden
		case ifSHA256 != "*" && draft.SHA256 != ifSHA256:
			return layer.ErrStale
		case draft.State != permit.RulesDraft:
			return fmt.Errorf("%w: it is published", layer.ErrConflict)
		}
		return work(tx, draft)
	})
}

// jurisdictionOf settles whose rules a set is.
func jurisdictionOf(ctx context.Context, tx pgx.Tx, id, given string) (string, error) {
	var of, only []string
	err := tx.QueryRow(ctx, "SELECT array(SELECT DISTINCT jurisdiction FROM rule_sets WHERE id = $1), array(SELECT DISTINCT jurisdiction FROM plans)", id).Scan(&of, &only)
	switch {
	case err != nil:
		return "", err
	case len(of) == 1 && (given == "" || given == of[0]):
		return of[0], nil
	case len(of) == 0 && given != "":
		var known bool
		err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM provinces WHERE code = $1) OR $1 = ANY ($2)", given, only).Scan(&known)
		if err != nil || known {
			return given, err
		}
		return "", layer.Faults{{At: "jurisdiction", Detail: geo.Text{VI: "không có địa bàn nào có mã này", EN: "there is no territory of this code"}}}.Err()
	case len(of) == 0 && len(only) == 1:
		return only[0], nil
	case len(of) == 1:
		return "", layer.Faults{{At: "jurisdiction", Detail: geo.Text{VI: "các phiên bản khác của bộ quy tắc này thuộc địa bàn " + of[0], EN: "the other versions of this rule set are of " + of[0]}}}.Err()
	}
	return "", layer.Faults{{At: "jurisdiction", Detail: geo.Text{VI: "phải nêu bộ quy tắc thuộc địa bàn nào", EN: "must say whose rules they are"}}}.Err()
}
