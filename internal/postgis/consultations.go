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

// consultationsSQL reads consultations as account.Consultation has them; %s are the
// conditions on them under which the viewer has to do with them.
const consultationsSQL = `SELECT id, layer, feature, agency, state, asked_by, asked_at, due_on, answer, answered_by, answered_at, note, withdrawn_at FROM (
	SELECT *, CASE WHEN withdrawn_at IS NOT NULL THEN 'withdrawn' WHEN answered_at IS NOT NULL THEN 'answered' ELSE 'open' END AS state
	FROM consultations c WHERE %s) c`

// concerning is the condition on consultations c that the viewer has to do with: what his
// agency is asked, and as staff those on rows that lie in his territory, and his own.
//
// Decided: what is asked in a proposal is the proposal's, for staff who see that. Others of the
// place are told nothing of it and ask for themselves, as about any draft that is not filed.
func (s *Store) concerning(c *conditions, v account.Viewer) string {
	any, free := []string{"false"}, "true"
	if v.Staff() && !v.SeesEverything() {
		free = "c.proposal IS NULL"
		any = append(any, "c.proposal IS NOT NULL AND "+c.staffOfAll(v, "c.proposal"))
	}
	for _, l := range s.layers.All() {
		if !l.HasDrafts() {
			continue
		}
		sight, agency, when := v.Sight(l.Name), v.Consulted(l.Name), ""
		if agency != "" {
			when = " OR c.agency = " + c.bind(agency)
		}
		switch {
		case sight.All:
			when += " OR " + free
		case len(sight.Territories) > 0:
			here := c.own(account.Sight{Territories: sight.Territories})
			when += fmt.Sprintf(" OR %s AND (c.asked_by = %s OR EXISTS (SELECT FROM %s AS t WHERE t.id = c.feature AND %s))", free, c.bind(v.Name), quote(l.Name), here)
		}
		if when != "" {
			any = append(any, "c.layer = "+c.bind(l.Name)+" AND (false"+when+")")
		}
	}
	return "(" + strings.Join(any, " OR ") + ")"
}

func scanConsultation(row pgx.CollectableRow) (account.Consultation, error) {
	var c account.Consultation
	var due day
	err := row.Scan(&c.ID, &c.Collection, &c.Feature, &c.Agency, &c.State, &c.AskedBy, &c.AskedAt, &due, &c.Answer, &c.AnsweredBy, &c.AnsweredAt, &c.Note, &c.Withdrawn)
	c.DueOn = due.Date
	return c, err
}

// Consultations returns those that the viewer has to do with and the query selects, the
// newest first; none after one that he has nothing to do with. Cost: a look-up of the row
// of each for staff of a territory, an index scan for others.
func (s *Store) Consultations(ctx context.Context, v account.Viewer, q account.ConsultationQuery) ([]account.Consultation, error) {
	c := &conditions{}
	seen := fmt.Sprintf(consultationsSQL, s.concerning(c, v))
	if q.State != "" {
		c.add("state = %s", c.bind(string(q.State)))
	}
	if q.Collection != "" {
		c.add("layer = %s", c.bind(q.Collection))
	}
	if q.After != 0 {
		c.add("(asked_at, id) < (SELECT asked_at, id FROM (%s) a WHERE id = %s)", seen, c.bind(q.After))
	}
	rows, err := s.pool.kept.Query(ctx, seen+c.where()+" ORDER BY asked_at DESC, id DESC LIMIT "+c.bind(q.Limit), c.args...)
	if err != nil {
		return nil, translate("list the consultations", err)
	}
	list, err := pgx.CollectRows(rows, scanConsultation)
	return list, translate("list the consultations", err)
}

// Consultation returns one; layer.ErrNotFound where the viewer has nothing to do with it.
func (s *Store) Consultation(ctx context.Context, v account.Viewer, id int64) (account.Consultation, error) {
	consultation, err := s.consultation(ctx, s.pool.kept, v, id)
	return consultation, translate("look up the consultation", err)
}

func (s *Store) consultation(ctx context.Context, q querier, v account.Viewer, id int64) (account.Consultation, error) {
	c := &conditions{}
	seen := fmt.Sprintf(consultationsSQL, s.concerning(c, v))
	c.add("id = %s", c.bind(id))
	rows, err := q.Query(ctx, seen+c.where(), c.args...)
	if err != nil {
		return account.Consultation{}, err
	}
	return pgx.CollectExactlyOneRow(rows, scanConsultation)
}

// AskAgency puts a row to an agency, which sees it from then on, and returns the
// consultation's id. *layer.InvalidError with all faults of the question,
// layer.ErrForbidden for who does not write the row as staff, layer.ErrConflict where the
// agency is being asked about it already.
func (s *Store) AskAgency(ctx context.Context, v account.Viewer, n account.NewConsultation) (id int64, err error) {
	if !v.AsksAnything() {
		return 0, fmt.Errorf("%s asks no agencies: %w", v.Name, layer.ErrForbidden)
	}
	err = s.write(ctx, v, "ask the agency", func(tx pgx.Tx) error {
		l, faults, err := s.checkQuestion(ctx, tx, v, n)
		if err != nil {
			return err
		}
		if err := faults.Err(); err != nil {
			return err
		}
		if err := within(ctx, tx, v.Asks(l.Name), v, l, n.Feature); err != nil {
			return err
		}
		var due any
		if !n.DueOn.IsZero() {
			due = n.DueOn.Time()
		}
		return tx.QueryRow(ctx, "INSERT INTO consultations (layer, feature, agency, due_on) VALUES ($1, $2, $3, $4) RETURNING id", l.Name, n.Feature, n.Agency, due).Scan(&id)
	})
	return id, err
}

// checkQuestion returns the layer of a question, which is known where there is no fault.
// The row stays what and where it is until the transaction ends.
func (s *Store) checkQuestion(ctx context.Context, tx pgx.Tx, v account.Viewer, n account.NewConsultation) (*layer.Layer, layer.Faults, error) {
	var faults layer.Faults
	l, known := s.layers.Get(n.Collection)
	switch {
	case !known:
		faults.Add("/collection", "không có lớp %q", "there is no layer %q", n.Collection)
	case !l.HasDrafts():
		faults.Add("/collection", "lớp này không có bản thảo: mọi cơ quan đã thấy những gì công khai", "the layer has no drafts: agencies see what is published as it is")
	default:
		c := &conditions{}
		c.visible(v.Sight(l.Name), l)
		c.add("id = %s", c.bind(n.Feature))
		var found bool
		err := tx.QueryRow(ctx, "SELECT true FROM "+quote(l.Name)+" AS t"+c.where()+" FOR SHARE", c.args...).Scan(&found)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return nil, nil, err
		}
		if !found {
			faults.Add("/feature", "không có đối tượng này, hoặc bạn không được xem", "there is no such row, or you may not see it")
		}
	}
	var agency bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM organisations WHERE code = $1 AND kind = 'agency')", n.Agency).Scan(&agency); err != nil {
		return nil, nil, err
	}
	if !agency {
		faults.Add("/agency", "sổ đăng ký không có cơ quan %q", "the register has no agency %q", n.Agency)
	}
	if !n.DueOn.IsZero() && n.DueOn.Before(n.Today) {
		faults.Add("/due_on", "không được trước ngày %[1]s", "must not be before %[2]s", n.Today.Text().VI, n.Today.Text().EN)
	}
	return l, faults, nil
}

// ChangeConsultation takes one step: the agency that is asked answers; who may ask about
// the row, or has asked, withdraws the question or sets another date, of a question in a proposal
// those who take its officers' steps. layer.ErrNotFound where the viewer has nothing to do with
// it, layer.ErrForbidden where the step is not his, layer.ErrConflict where the consultation is
// over.
func (s *Store) ChangeConsultation(ctx context.Context, v account.Viewer, id int64, change account.ConsultationChange) error {
	return s.write(ctx, v, "change the consultation", func(tx pgx.Tx) error {
		asked, err := s.consultation(ctx, tx, v, id)
		if err != nil {
			return err
		}
		if err := s.mayChange(ctx, tx, v, asked, change); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, "SELECT id FROM consultations WHERE id = $1 FOR UPDATE", id).Scan(&id); err != nil {
			return err
		}
		if asked, err = s.consultation(ctx, tx, v, id); err != nil {
			return err
		}
		if asked.State != account.Open {
			return fmt.Errorf("the consultation %d is %s: %w", id, asked.State, layer.ErrConflict)
		}
		var due any
		if change.DueOn != nil && !change.DueOn.IsZero() {
			due = change.DueOn.Time()
		}
		_, err = tx.Exec(ctx, `UPDATE consultations SET answer = nullif($2, ''), note = nullif($3, ''), withdrawn_at = CASE WHEN $4 THEN now() END,
			due_on = CASE WHEN $5 THEN $6 ELSE due_on END WHERE id = $1`, id, string(change.Answer), change.Note, change.Withdraw, change.DueOn != nil, due)
		return err
	})
}

// mayChange refuses a step that is not the viewer's. The proposal in which it is asked waits then
// for the transaction to end.
func (s *Store) mayChange(ctx context.Context, tx pgx.Tx, v account.Viewer, asked account.Consultation, change account.ConsultationChange) error {
	l, ok := s.layers.Get(asked.Collection)
	if !ok {
		return fmt.Errorf("the registry has no layer %s", asked.Collection)
	}
	if change.Answer != "" {
		if v.Consulted(l.Name) != asked.Agency {
			return fmt.Errorf("%s is not asked: %w", v.Name, layer.ErrForbidden)
		}
		return nil
	}
	var proposal int64
	if err := tx.QueryRow(ctx, "SELECT coalesce(proposal, 0) FROM consultations WHERE id = $1", asked.ID).Scan(&proposal); err != nil {
		return err
	}
	pen := v.Asks(l.Name)
	switch {
	case proposal != 0:
		f, err := s.lockProposal(ctx, tx, v, proposal)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && !slices.Contains(f.Parties, permit.Officer) {
			return fmt.Errorf("%s takes no steps of officers on the proposal: %w", v.Name, layer.ErrForbidden)
		}
		return err
	case asked.AskedBy == v.Name && !pen.None():
		return nil
	}
	return within(ctx, tx, pen, v, l, asked.Feature)
}
