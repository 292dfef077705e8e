package postgis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// sharingSQL reads requests to share as permit.ShareRequest has them in lists, and as what
// the viewer has to do with each: as one of a party, as staff of the place.
const sharingSQL = `SELECT number, asker, partners, collection, feature, code, state, revision, asked_on, due_on, own, staff FROM (
	SELECT r.*, (SELECT json_agg(json_build_object('organisation', p.organisation, 'answered_on', p.answered_on) ORDER BY p.organisation) FROM sharing_partners p WHERE p.request = r.number) AS partners,
		%s AS own, %s AS staff FROM sharing_requests r) r WHERE (own OR staff)`

// seenShare is a request and what its viewer has to do with it.
type seenShare struct {
	permit.ShareRequest
	own, staff bool
}

// lateOn says whether the next step is late on a day.
func (r *seenShare) lateOn(today geo.Date) { r.Overdue = !r.DueOn.IsZero() && r.DueOn.Before(today) }

func scanShare(row pgx.CollectableRow) (*seenShare, error) {
	var r seenShare
	var asked, due day
	err := row.Scan(&r.Number, &r.Asker, &r.Partners, &r.Collection, &r.Feature, &r.Code, &r.State, &r.Revision, &asked, &due, &r.own, &r.staff)
	r.AskedOn, r.DueOn = asked.Date, due.Date
	return &r, err
}

// sharing is the statement that reads what the viewer has to do with: what his organisation
// asks or is asked, and as staff what is about places where he would see drafts.
func (c *conditions) sharing(v account.Viewer) string {
	own, staff := []string{"false"}, []string{"false"}
	for _, name := range permit.SharedLayers() {
		here, sight := "r.collection = "+literal(name), v.Sight(name)
		if code := v.OrganisationOn(name); code != "" {
			code = c.bind(code)
			own = append(own, fmt.Sprintf("%s AND (r.asker = %s OR EXISTS (SELECT FROM sharing_partners p WHERE p.request = r.number AND p.organisation = %s))", here, code, code))
		}
		if sight.All {
			staff = append(staff, here)
		}
		for _, unit := range sight.Territories {
			staff = append(staff, here+" AND coalesce(ST_Intersects((SELECT hatang_territory("+c.bind(unit)+")), r.geom), false)")
		}
	}
	return fmt.Sprintf(sharingSQL, "("+strings.Join(own, " OR ")+")", "("+strings.Join(staff, " OR ")+")")
}

// SharingRequests returns those that the viewer has to do with and the query selects, the
// newest first; none after one that he has nothing to do with. Cost: an index scan, and for
// staff of a territory a look at where each lies.
func (s *Store) SharingRequests(ctx context.Context, v account.Viewer, q permit.ShareQuery) ([]permit.ShareRequest, error) {
	c := &conditions{}
	sql := c.sharing(v)
	and := func(format string, args ...any) { sql += " AND " + fmt.Sprintf(format, args...) }
	if q.After != "" {
		and("(asked_at, number) < (SELECT a.asked_at, a.number FROM sharing_requests a WHERE a.number IN (SELECT number FROM (%s) b) AND a.number = %s)", sql, c.bind(q.After))
	}
	if q.State != "" {
		and("state = %s", c.bind(string(q.State)))
	}
	if q.Organisation != "" {
		code := c.bind(q.Organisation)
		and("(asker = %s OR EXISTS (SELECT FROM sharing_partners p WHERE p.request = r.number AND p.organisation = %s))", code, code)
	}
	if q.Collection != "" {
		and("collection = %s", c.bind(q.Collection))
	}
	if !q.From.IsZero() {
		and("asked_on >= %s::date", c.bind(q.From.Time()))
	}
	if !q.To.IsZero() {
		and("asked_on <= %s::date", c.bind(q.To.Time()))
	}
	if q.Overdue {
		and("due_on < %s::date", c.bind(q.Today.Time()))
	}
	rows, err := s.pool.kept.Query(ctx, sql+" ORDER BY asked_at DESC, number DESC LIMIT "+c.bind(q.Limit), c.args...)
	if err != nil {
		return nil, translate("list the requests to share", err)
	}
	found, err := pgx.CollectRows(rows, scanShare)
	list := make([]permit.ShareRequest, len(found))
	for i, r := range found {
		r.lateOn(q.Today)
		list[i] = r.ShareRequest
	}
	return list, translate("list the requests to share", err)
}

// SharingRequest returns one with all that the viewer may see of it, as on a day;
// layer.ErrNotFound where he has nothing to do with it.
func (s *Store) SharingRequest(ctx context.Context, v account.Viewer, number string, today geo.Date) (request permit.ShareRequest, err error) {
	err = pgx.BeginTxFunc(ctx, s.pool.kept, snapshot, func(tx pgx.Tx) error {
		request, err = sharingRequest(ctx, tx, v, number, today)
		return err
	})
	return request, translate("look up the request to share", err)
}

func sharingRequest(ctx context.Context, tx pgx.Tx, v account.Viewer, number string, today geo.Date) (permit.ShareRequest, error) {
	r, err := seeShare(ctx, tx, v, number, today)
	if err != nil {
		return permit.ShareRequest{}, err
	}
	if r.Parties, err = shareParties(ctx, tx, v, r); err != nil {
		return permit.ShareRequest{}, err
	}
	var wanted permit.Wanted
	var at []float64
	if err := tx.QueryRow(ctx, `SELECT wanted, reasons, position, CASE WHEN feature IS NULL THEN ARRAY[ST_X(geom), ST_Y(geom)] END FROM sharing_requests WHERE number = $1`, number).
		Scan(&wanted, &r.Reasons, &r.Position, &at); err != nil {
		return permit.ShareRequest{}, err
	}
	r.Wanted = &wanted
	if at != nil {
		r.Point = &[2]float64{at[0], at[1]}
	}
	if r.Steps, err = shareSteps(ctx, tx, v, r); err != nil {
		return permit.ShareRequest{}, err
	}
	r.Actions = permit.OpenShare(&r.ShareRequest, r.Parties, v.OrganisationOn(r.Collection))
	return r.ShareRequest, nil
}

func seeShare(ctx context.Context, q querier, v account.Viewer, number string, today geo.Date) (*seenShare, error) {
	c := &conditions{}
	sql := c.sharing(v) + " AND number = " + c.bind(number)
	rows, err := q.Query(ctx, sql, c.args...)
	if err != nil {
		return nil, err
	}
	r, err := pgx.CollectExactlyOneRow(rows, scanShare)
	if err == nil {
		r.lateOn(today)
	}
	return r, err
}

// shareParties are as whom the viewer takes steps on a request: operators of a party, and
// staff of none of them with a pen for the place.
func shareParties(ctx context.Context, tx pgx.Tx, v account.Viewer, r *seenShare) ([]permit.ShareParty, error) {
	var parties []permit.ShareParty
	ours := v.OrganisationOn(r.Collection)
	add := func(party permit.ShareParty, pen account.Pen) error {
		may, err := covers(ctx, tx, pen, "(SELECT geom FROM sharing_requests WHERE number = $2)", r.Number)
		if may {
			parties = append(parties, party)
		}
		return err
	}
	switch {
	case ours != "" && ours == r.Asker:
		return parties, add(permit.ShareAsker, v.Files(r.Collection))
	case ours != "" && slices.Contains(r.Between(), ours):
		return parties, add(permit.SharePartner, v.Files(r.Collection))
	case r.staff && !slices.Contains(r.Between(), v.Organisation):
		return parties, add(permit.ShareOfficer, v.Asks(r.Collection))
	}
	return parties, nil
}

// covers reports whether a pen reaches a place, an expression of $2.
func covers(ctx context.Context, tx pgx.Tx, pen account.Pen, place string, arg any) (may bool, err error) {
	if pen.None() || pen.All || pen.Drafts {
		return !pen.None(), nil
	}
	err = tx.QueryRow(ctx, "SELECT coalesce(bool_or(ST_Covers(hatang_territory(u), "+place+")), false) FROM unnest($1::text[]) u",
		slices.Concat(pen.Territories, pen.DraftsWithin), arg).Scan(&may)
	return may, err
}

// shareSteps returns the steps; who took them as far as the viewer may know.
func shareSteps(ctx context.Context, q querier, v account.Viewer, r *seenShare) ([]permit.ShareStep, error) {
	rows, err := q.Query(ctx, `SELECT revision, action, party, organisation, who, taken_on, at, before, after, reasons, capacity, agreement, document, due_on FROM sharing_steps
		WHERE request = $1 ORDER BY revision`, r.Number)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (permit.ShareStep, error) {
		var s permit.ShareStep
		var on, due day
		err := row.Scan(&s.Revision, &s.Action, &s.Party, &s.Organisation, &s.Who, &on, &s.At, &s.Before, &s.After, &s.Reasons, &s.Capacity, &s.Agreement, &s.Document, &due)
		s.On, s.DueOn = on.Date, due.Date
		if ours := s.Organisation != nil && *s.Organisation == v.Organisation; !r.staff && !ours {
			s.Who = nil
		}
		if s.Party == permit.ShareOfficer && !r.staff {
			s.Organisation = nil
		}
		return s, err
	})
}

// AskToShare asks, as the viewer's organisation. *layer.InvalidError with all that is wrong;
// layer.ErrForbidden for who files nothing there; *permit.RefusedError where a request of the
// organisation about the feature is open.
func (s *Store) AskToShare(ctx context.Context, v account.Viewer, n permit.NewShare) error {
	if !v.FilesAnything() {
		return fmt.Errorf("%s asks for nothing: %w", v.Name, layer.ErrForbidden)
	}
	return s.write(ctx, v, "ask to share", func(tx pgx.Tx) error {
		l, known := s.layers.Get(n.Collection)
		if !known || !slices.Contains(permit.SharedLayers(), n.Collection) {
			return fmt.Errorf("the layer %s is not shared: %w", n.Collection, layer.ErrNotFound)
		}
		if v.Files(l.Name).None() {
			return fmt.Errorf("%s asks for nothing of %s: %w", v.Name, l.Name, layer.ErrForbidden)
		}
		partners, err := s.whomToAsk(ctx, tx, v, l, n)
		if err != nil {
			return err
		}
		return ask(ctx, tx, v, n, partners)
	})
}

// whomToAsk returns who is asked: the owner of a feature that the viewer sees, or the
// partners, or all that is wrong with them.
func (s *Store) whomToAsk(ctx context.Context, tx pgx.Tx, v account.Viewer, l *layer.Layer, n permit.NewShare) ([]string, error) {
	var faults layer.Faults
	if n.Feature == 0 {
		for i, code := range n.Partners {
			switch known, err := isOperator(ctx, tx, code); {
			case err != nil:
				return nil, err
			case !known || code == v.Organisation:
				faults.Add(fmt.Sprintf("/partners/%d", i), "phải là doanh nghiệp khác có trong sổ đăng ký", "must be another operator that the register has")
			}
		}
		return n.Partners, faults.Err()
	}
	c := &conditions{}
	c.visible(v.Sight(l.Name), l)
	c.inForce(n.Today)
	c.add("id = %s AND status <> %s", c.bind(n.Feature), c.bind(layer.Draft))
	var owner, code string
	err := tx.QueryRow(ctx, "SELECT coalesce(owner_organisation, ''), code FROM "+quote(l.Name)+" AS t"+c.where(), c.args...).Scan(&owner, &code)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, err
	}
	if errors.Is(err, pgx.ErrNoRows) {
		faults.Add("/feature/id", "không có đối tượng này đang dùng, hoặc bạn không được xem", "there is no such feature in force, or you may not see it")
		return nil, faults.Err()
	}
	operator, err := isOperator(ctx, tx, owner)
	if err != nil {
		return nil, err
	}
	switch there, err := onMast(ctx, tx, l.Name, code, v.Organisation, n.Today); {
	case err != nil:
		return nil, err
	case owner == v.Organisation:
		faults.Add("/feature/id", "là của chính đơn vị bạn", "is of your own organisation")
	case !operator:
		faults.Add("/feature/id", "sổ đăng ký không biết chủ của đối tượng này", "the register does not know whose this is")
	case there:
		faults.Add("/feature/id", "đơn vị bạn đã có mặt trên cột này", "your organisation is on this mast already")
	}
	return []string{owner}, faults.Err()
}

func isOperator(ctx context.Context, tx pgx.Tx, code string) (known bool, err error) {
	err = tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM organisations WHERE code = $1 AND kind = 'operator')", code).Scan(&known)
	return known, err
}

// onMast reports whether an operator is on a mast on a day or later.
func onMast(ctx context.Context, tx pgx.Tx, collection, code, operator string, from geo.Date) (there bool, err error) {
	if collection != "bts_sites" {
		return false, nil
	}
	err = tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM operator_positions WHERE site_code = $1 AND operator = $2 AND status <> $3 AND (valid_to IS NULL OR valid_to > $4))",
		code, operator, layer.Draft, from.Time()).Scan(&there)
	return there, err
}

// ask adds a request and its first step.
func ask(ctx context.Context, tx pgx.Tx, v account.Viewer, n permit.NewShare, partners []string) error {
	var point any
	if n.Point != nil {
		point = n.Point[:]
	}
	if _, err := tx.Exec(ctx, `INSERT INTO sharing_requests (number, asker, collection, feature, geom, wanted, reasons, asked_on)
		VALUES ($1, $2, $3, nullif($4::bigint, 0), CASE WHEN $5::float8[] IS NOT NULL THEN ST_SetSRID(ST_MakePoint($5[1], $5[2]), 4326) END, $6, $7, $8)`,
		n.Number, v.Organisation, n.Collection, n.Feature, point, n.Wanted, n.Reasons, n.Today.Time()); err != nil {
		return err
	}
	may, err := covers(ctx, tx, v.Files(n.Collection), "(SELECT geom FROM sharing_requests WHERE number = $2)", n.Number)
	if err == nil && !may {
		err = fmt.Errorf("%s asks for nothing there: %w", v.Name, layer.ErrForbidden)
	}
	if err != nil {
		return err
	}
	for _, code := range partners {
		if _, err := tx.Exec(ctx, "INSERT INTO sharing_partners (request, organisation) VALUES ($1, $2)", n.Number, code); err != nil {
			return err
		}
	}
	calendar, err := sharingCalendar(ctx, tx, n.Number)
	if err != nil {
		return err
	}
	return takeShareStep(ctx, tx, v, n.Number, shareStep{revision: 1, party: permit.ShareAsker, due: calendar.DueShare(permit.ShareAsked, n.Today),
		ShareDecision: permit.ShareDecision{Action: permit.ShareAsk, Reasons: n.Reasons, Today: n.Today}})
}

// sharingCalendar returns the calendar of the plan where a request lies.
func sharingCalendar(ctx context.Context, tx pgx.Tx, number string) (permit.Calendar, error) {
	var settings []byte
	err := tx.QueryRow(ctx, `SELECT (SELECT `+calendarSQL+` FROM plans p ORDER BY p.jurisdiction IS NOT DISTINCT FROM r.jurisdiction DESC, p.valid_from DESC, p.id LIMIT 1)
		FROM sharing_requests r WHERE r.number = $1`, number).Scan(&settings)
	if err != nil {
		return permit.Calendar{}, err
	}
	return permit.ParseCalendar(settings)
}

// shareStep is a row of sharing_steps that is to be added.
type shareStep struct {
	permit.ShareDecision
	revision int64
	party    permit.ShareParty
	due      geo.Date
	position int64
}

// takeShareStep adds a step: the database judges it, and does what it says.
func takeShareStep(ctx context.Context, tx pgx.Tx, v account.Viewer, number string, s shareStep) error {
	kept := [3]any{}
	for i, document := range []any{s.Capacity, s.Agreement, s.Document} {
		raw, err := json.Marshal(document)
		if err != nil {
			return err
		}
		if string(raw) != "null" {
			kept[i] = raw
		}
	}
	_, err := tx.Exec(ctx, `INSERT INTO sharing_steps (request, revision, action, party, organisation, person, taken_on, reasons, capacity, agreement, document, due_on, position)
		VALUES ($1, $2, $3, $4, nullif($5, ''), nullif($6::bigint, 0), $7, nullif($8, ''), $9, $10, $11, $12, nullif($13::bigint, 0))`,
		number, s.revision, string(s.Action), string(s.party), v.Organisation, v.Person, s.Today.Time(), s.Reasons, kept[0], kept[1], kept[2], dayOrNull(s.due), s.position)
	return err
}
