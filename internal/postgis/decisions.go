package postgis

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

const decisionsSQL = `SELECT number, outcome, decided_on, organisation, coalesce(conditions, '{}'),
	coalesce((SELECT state FROM proposals p WHERE p.decision = d.number), outcome), (SELECT expires_on FROM proposals p WHERE p.decision = d.number) FROM decisions d`

func scanDecision(row pgx.CollectableRow) (permit.RegisteredDecision, error) {
	var d permit.RegisteredDecision
	var on, until day
	err := row.Scan(&d.Number, &d.Outcome, &on, &d.Organisation, &d.Conditions, &d.State, &until)
	d.DecidedOn, d.ExpiresOn = on.Date, until.Date
	return d, err
}

// Decisions returns the entries of the public register that the query selects, the newest
// first. Those on a row are told to who sees the row: layer.ErrNotFound for others.
func (s *Store) Decisions(ctx context.Context, v account.Viewer, q permit.DecisionQuery) ([]permit.RegisteredDecision, error) {
	c := &conditions{}
	if q.Outcome != "" {
		c.add("outcome = %s", c.bind(string(q.Outcome)))
	}
	if q.Organisation != "" {
		c.add("organisation = %s", c.bind(q.Organisation))
	}
	if q.Year != 0 {
		c.add("year = %s", c.bind(q.Year))
	}
	if q.Collection != "" {
		l, ok := s.layers.Seen(v).Get(q.Collection)
		if !ok {
			return nil, fmt.Errorf("the registry has no layer %s: %w", q.Collection, layer.ErrNotFound)
		}
		if _, err := s.Feature(ctx, v, l, q.Feature); err != nil {
			return nil, err
		}
		c.add("EXISTS (SELECT FROM decision_features f WHERE f.decision = d.number AND f.layer = %s AND f.feature = %s)", c.bind(q.Collection), c.bind(q.Feature))
	}
	if q.After != "" {
		c.add("(year, serial) < (SELECT year, serial FROM decisions WHERE number = %s)", c.bind(q.After))
	}
	rows, err := s.pool.kept.Query(ctx, decisionsSQL+c.where()+" ORDER BY year DESC, serial DESC LIMIT "+c.bind(q.Limit), c.args...)
	if err != nil {
		return nil, translate("list the decisions", err)
	}
	list, err := pgx.CollectRows(rows, scanDecision)
	return list, translate("list the decisions", err)
}

// proposalDecidedBy is the proposal that a decision is on; nil where the viewer has nothing to
// do with it.
func (s *Store) proposalDecidedBy(ctx context.Context, v account.Viewer, number string) (*int64, error) {
	if !v.Known() {
		return nil, nil
	}
	c := &conditions{}
	sql := "SELECT min(id) FROM (" + c.tiesOf(v).proposals("id") + " AND decision = " + c.bind(number) + ") p"
	var id *int64
	err := s.pool.kept.QueryRow(ctx, sql, c.args...).Scan(&id)
	return id, err
}

// DecisionOf returns an entry of the register by its number, with those of the features it
// approves that the viewer sees, as he sees them; layer.ErrNotFound.
func (s *Store) DecisionOf(ctx context.Context, v account.Viewer, number string) (permit.RegisteredDecision, error) {
	rows, err := s.pool.kept.Query(ctx, decisionsSQL+" WHERE number = $1", number)
	if err != nil {
		return permit.RegisteredDecision{}, translate("look up the decision", err)
	}
	d, err := pgx.CollectExactlyOneRow(rows, scanDecision)
	if err != nil {
		return d, translate("look up the decision", err)
	}
	if d.Proposal, err = s.proposalDecidedBy(ctx, v, number); err != nil {
		return d, translate("look up the decision", err)
	}
	d.Features = []permit.DecidedFeature{}
	for _, name := range permit.FiledLayers() {
		l, ok := s.layers.Get(name)
		if !ok {
			return d, fmt.Errorf("the registry has no layer %s", name)
		}
		var found []permit.DecidedFeature
		err := s.seen(ctx, v, l, nil, func(c *conditions, from string) error {
			found = nil
			c.add("id IN (SELECT feature FROM decision_features WHERE decision = %s AND layer = %s)", c.bind(number), c.bind(name))
			rows, err := s.pool.Query(ctx, "SELECT id, code, name, status, "+decidedSQL(name)+" AS properties FROM "+from+c.where()+" ORDER BY code, valid_from", c.args...)
			if err != nil {
				return err
			}
			found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (permit.DecidedFeature, error) {
				f := permit.DecidedFeature{Collection: name}
				err := row.Scan(&f.ID, &f.Code, &f.Name, &f.Status, &f.Properties)
				return f, err
			})
			return err
		})
		if err != nil {
			return d, translate("look up the decision", err)
		}
		d.Features = append(d.Features, found...)
	}
	return d, nil
}

// decidedSQL is the object of what a decision says of a row of a layer.
func decidedSQL(collection string) string {
	var members []string
	for _, name := range permit.DecidedProperties(collection) {
		members = append(members, "'"+name+"', "+quote(name))
	}
	return "jsonb_strip_nulls(jsonb_build_object(" + strings.Join(members, ", ") + "))"
}
