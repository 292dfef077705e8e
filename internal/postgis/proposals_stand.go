package postgis

import (
	"context"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// follow has those who are on the masts of a proposal follow a step by which these change:
// approved, its organisation is on them from when on they are planned; built, who is planned
// to be on them is, and the organisation is; expired, nobody is on them any more.
func (s *Store) follow(ctx context.Context, tx pgx.Tx, f *seenFile, action permit.Action, today geo.Date) error {
	if action != permit.Approve && action != permit.Build && action != permit.Expire {
		return nil
	}
	masts, err := mastsOf(ctx, tx, f.ID)
	if err != nil {
		return err
	}
	for _, m := range masts {
		if action != permit.Approve {
			err = s.endPlanned(ctx, tx, m, action == permit.Build, today)
		}
		if err == nil && action != permit.Expire {
			err = s.standOwn(ctx, tx, m, f.Organisation)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// filedMast is a mast of a proposal as a step has left it.
type filedMast struct {
	Code         string
	Technologies []string
	From, To     day // of the row that stands, or else is planned; To is null while it is in force
	Planned      day // when that which was planned began
}

// mastsOf returns the masts of a proposal, in its order.
func mastsOf(ctx context.Context, tx pgx.Tx, id int64) ([]filedMast, error) {
	rows, err := tx.Query(ctx, `SELECT t.code, coalesce(t.technologies, '{}'), t.valid_from, t.valid_to, was.valid_from
		FROM proposal_features p JOIN bts_sites t ON t.id = coalesce(p.became, p.feature) JOIN bts_sites was ON was.id = p.feature
		WHERE p.proposal = $1 AND p.layer = 'bts_sites' ORDER BY p.position`, id)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[filedMast])
}

// standOwn has the organisation of a proposal on its mast, where it is not on it yet: it is of its
// network, planned while that is, and from when on it stands if that is before its time.
func (s *Store) standOwn(ctx context.Context, tx pgx.Tx, m filedMast, organisation string) error {
	there, err := onMast(ctx, tx, "bts_sites", m.Code, organisation, m.From.Date)
	if err == nil && !there {
		_, err = s.stand(ctx, tx, m.Code, organisation, m.From.Date, "Hồ sơ đã được duyệt", m.Technologies)
	}
	if there && err == nil {
		_, err = tx.Exec(ctx, `UPDATE operator_positions p SET valid_from = $3 WHERE site_code = $1 AND operator = $2 AND status = 'existing' AND valid_from > $3
			AND NOT EXISTS (SELECT FROM operator_positions o WHERE o.site_code = $1 AND o.operator = $2 AND o.status <> $4 AND o.valid_from < p.valid_from AND (o.valid_to IS NULL OR o.valid_to > $3))`,
			m.Code, organisation, m.From.Time(), layer.Draft)
	}
	return err
}

// endPlanned ends who was planned to be on a mast that is planned no more: built, he is on it from
// then on. A change in force, as that of the mast; what would begin later begins existing, or never.
func (s *Store) endPlanned(ctx context.Context, tx pgx.Tx, m filedMast, built bool, today geo.Date) error {
	positions, known := s.layers.Get("operator_positions")
	if !known {
		return errNoPositions
	}
	end := today
	if !built {
		end = m.To.Date
	}
	rows, err := tx.Query(ctx, `SELECT id, valid_from FROM operator_positions WHERE site_code = $1 AND status = 'planned' AND valid_from >= $2 AND (valid_to IS NULL OR valid_to > $3)
		ORDER BY id FOR UPDATE`, m.Code, m.Planned.Time(), end.Time())
	if err != nil {
		return err
	}
	type position struct {
		ID   int64
		From day
	}
	planned, err := pgx.CollectRows(rows, pgx.RowToStructByPos[position])
	if err != nil {
		return err
	}
	for _, p := range planned {
		switch begun := p.From.Before(end); {
		case built && !begun:
			_, err = tx.Exec(ctx, "UPDATE operator_positions SET status = 'existing' WHERE id = $1", p.ID)
		case !built && !begun:
			_, err = tx.Exec(ctx, "DELETE FROM operator_positions WHERE id = $1", p.ID)
		case built:
			_, err = succeed(ctx, tx, positions, p.ID, layer.Feature{Properties: map[string]any{"status": "existing"}}, false, end)
		default:
			_, err = tx.Exec(ctx, "UPDATE operator_positions SET valid_to = $2 WHERE id = $1", p.ID, end.Time())
		}
		if err != nil {
			return err
		}
	}
	return nil
}
