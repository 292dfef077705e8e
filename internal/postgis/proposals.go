package postgis

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/permit"
)

func scanProposal(row pgx.CollectableRow) (*seenFile, error) {
	var f seenFile
	var due, expires day
	err := row.Scan(&f.ID, &f.Organisation, &f.Title, &f.State, &f.revision, &f.Revision, &f.FiledAt, &due, &expires, &f.Overdue, &f.AwaitsAnswer, &f.Decision, &f.own, &f.staff, &f.asked, &f.whole)
	f.DueOn, f.ExpiresOn = due.Date, expires.Date
	return &f, err
}

// seenFile is a proposal and what its viewer has to do with it.
type seenFile struct {
	permit.File
	ties
	revision int64 // of all steps, with those that the viewer is not told
}

// Proposals returns those that the viewer has to do with and the query selects, in its order;
// none after one that he has nothing to do with. Cost: an index scan, and for staff of
// a territory a look at where each lies.
func (s *Store) Proposals(ctx context.Context, v account.Viewer, q permit.FileQuery) ([]permit.File, error) {
	c := &conditions{}
	of := c.tiesOf(v)
	sql := of.proposals(of.columns())
	and := func(format string, args ...any) { sql += " AND " + fmt.Sprintf(format, args...) }
	key, behind, order := "filed_at, id", "<", "filed_at DESC, id DESC"
	if q.ByDeadline {
		key, behind, order = "deadline, id", ">", "deadline, id"
	}
	if q.After != 0 {
		and("(%s) %s (%s AND id = %s)", key, behind, of.proposals(key), c.bind(q.After))
	}
	if q.State != "" {
		and("state = %s", c.bind(string(q.State)))
	}
	if q.Organisation != "" {
		and("organisation = %s", c.bind(q.Organisation))
	}
	if q.Territory != "" {
		and("EXISTS (SELECT FROM proposal_features f WHERE f.proposal = p.id AND %s AND ST_Intersects((SELECT hatang_territory(%s)), f.geom))", of.features(), c.bind(q.Territory))
	}
	if !q.DueBy.IsZero() {
		and("due_on <= %s::date", c.bind(q.DueBy.Time()))
	}
	if q.Overdue {
		and("overdue")
	}
	rows, err := s.pool.kept.Query(ctx, sql+" ORDER BY "+order+" LIMIT "+c.bind(q.Limit), c.args...)
	if err != nil {
		return nil, translate("list the proposals", err)
	}
	found, err := pgx.CollectRows(rows, scanProposal)
	list := make([]permit.File, len(found))
	for i, f := range found {
		list[i] = f.File
	}
	return list, translate("list the proposals", err)
}

// Proposal returns one with all that the viewer may see of it; layer.ErrNotFound where he has
// nothing to do with it.
func (s *Store) Proposal(ctx context.Context, v account.Viewer, id int64) (f permit.File, err error) {
	err = pgx.BeginTxFunc(ctx, s.pool.kept, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		f, err = s.proposal(ctx, tx, v, id)
		return err
	})
	return f, translate("look up the proposal", err)
}

func (s *Store) proposal(ctx context.Context, tx pgx.Tx, v account.Viewer, id int64) (permit.File, error) {
	f, err := seeProposal(ctx, tx, v, id)
	if err != nil {
		return permit.File{}, err
	}
	if f.Features, err = filedFeatures(ctx, tx, id); err != nil {
		return permit.File{}, err
	}
	if f.Parties, err = parties(ctx, tx, v, f); err != nil {
		return permit.File{}, err
	}
	if err := tx.QueryRow(ctx, "SELECT verdict, coalesce((SELECT number FROM decisions ORDER BY year DESC, serial DESC LIMIT 1), '') FROM proposals WHERE id = $1", id).Scan(&f.Verdict, &f.LastDecision); err != nil {
		return permit.File{}, err
	}
	if f.Consultations, err = fileConsultations(ctx, tx, v, f); err != nil {
		return permit.File{}, err
	}
	if err := f.onlySeen(ctx, tx, v); err != nil {
		return permit.File{}, err
	}
	if f.staff {
		if err := tx.QueryRow(ctx, "SELECT hatang_missing_consents($1)", id).Scan(&f.MissingConsents); err != nil {
			return permit.File{}, err
		}
	}
	f.Actions = permit.Open(&f.File)
	if f.Attachments, err = attachmentsOf(ctx, tx, v, f, 0); err != nil {
		return permit.File{}, err
	}
	f.Steps, err = fileSteps(ctx, tx, v, f)
	return f.File, err
}

func seeProposal(ctx context.Context, q querier, v account.Viewer, id int64) (*seenFile, error) {
	c := &conditions{}
	of := c.tiesOf(v)
	sql := of.proposals(of.columns()) + " AND id = " + c.bind(id)
	rows, err := q.Query(ctx, sql, c.args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectExactlyOneRow(rows, scanProposal)
}

func filedFeatures(ctx context.Context, q querier, id int64) ([]permit.FiledFeature, error) {
	rows, err := q.Query(ctx, "SELECT layer, feature, code, became FROM proposal_features WHERE proposal = $1 ORDER BY position", id)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (permit.FiledFeature, error) {
		var f permit.FiledFeature
		err := row.Scan(&f.Collection, &f.ID, &f.Code, &f.Became)
		return f, err
	})
}

// parties are as whom the viewer takes steps on a proposal: staff need a pen for every
// feature of it, and are none on what is their own organisation's.
func parties(ctx context.Context, q querier, v account.Viewer, f *seenFile) ([]permit.Party, error) {
	var list []permit.Party
	files := !slices.ContainsFunc(f.Features, func(feature permit.FiledFeature) bool { return v.Files(feature.Collection).None() })
	if f.own && files {
		list = append(list, permit.Organisation)
	}
	if f.staff && !f.own {
		for _, as := range []struct {
			party permit.Party
			pen   func(string) account.Pen
		}{{permit.Officer, v.Asks}, {permit.Approver, v.Decides}} {
			all, err := penForAll(ctx, q, f, as.pen)
			if err != nil {
				return nil, err
			}
			if all {
				list = append(list, as.party)
			}
		}
	}
	if f.asked {
		list = append(list, permit.Agency)
	}
	return list, nil
}

// penForAll reports whether pens are for every feature of a proposal, where it was filed: what
// its organisation does with the drafts while more is asked, or once it is over, who saw them
// there may not see any more, nor learn from what is still open to him.
func penForAll(ctx context.Context, q querier, f *seenFile, pen func(string) account.Pen) (bool, error) {
	layers := map[string]bool{}
	for _, feature := range f.Features {
		layers[feature.Collection] = true
	}
	for name := range layers {
		p := pen(name)
		if p.All {
			continue
		}
		var all bool
		if err := q.QueryRow(ctx, `SELECT bool_and(EXISTS (SELECT FROM unnest($1::text[]) u WHERE ST_Covers(hatang_territory(u), f.geom)))
			FROM proposal_features f WHERE f.proposal = $2 AND f.layer = $3`, p.Territories, f.ID, name).Scan(&all); err != nil || !all {
			return false, err
		}
	}
	return true, nil
}

// fileConsultations returns all to staff, to agencies their own, to others none.
func fileConsultations(ctx context.Context, q querier, v account.Viewer, f *seenFile) ([]permit.FileConsultation, error) {
	agency := ""
	switch {
	case f.staff:
	case f.asked:
		agency = v.Organisation
	default:
		return nil, nil
	}
	rows, err := q.Query(ctx, fmt.Sprintf(strings.Replace(consultationsSQL, "withdrawn_at FROM (", "withdrawn_at, required, document_number, document_date, attachment FROM (", 1),
		"c.proposal = $1 AND $2 IN ('', c.agency)")+" ORDER BY asked_at, agency, feature, id", f.ID, agency)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (permit.FileConsultation, error) {
		var c permit.FileConsultation
		var due, dated day
		err := row.Scan(&c.ID, &c.Collection, &c.Feature, &c.Agency, &c.State, &c.AskedBy, &c.AskedAt, &due, &c.Answer, &c.AnsweredBy, &c.AnsweredAt, &c.Note, &c.Withdrawn,
			&c.Required, &c.DocumentNumber, &dated, &c.Attachment)
		c.DueOn, c.DocumentDate = due.Date, dated.Date
		return c, err
	})
}

// fileSteps returns the steps; who took them, and what passed between staff and agencies, as
// far as the viewer may know.
func fileSteps(ctx context.Context, q querier, v account.Viewer, f *seenFile) ([]permit.FileStep, error) {
	rows, err := q.Query(ctx, `SELECT row_number() OVER (ORDER BY revision), revision, action, party, organisation, who, at, before, after, reasons, conditions, detail, due_on, expires_on FROM proposal_steps s
		WHERE proposal = $1 AND `+told("$2", "$3", "$4", "$5", "$6")+" ORDER BY revision", f.ID, f.staff, f.asked, f.whole, v.Organisation, answersOn(v))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (permit.FileStep, error) {
		var s permit.FileStep
		var due, expires day
		err := row.Scan(&s.Revision, &s.Number, &s.Action, &s.Party, &s.Organisation, &s.Who, &s.At, &s.Before, &s.After, &s.Reasons, &s.Conditions, &s.Detail, &due, &expires)
		s.DueOn, s.ExpiresOn = due.Date, expires.Date
		if ours := s.Organisation != nil && *s.Organisation == v.Organisation; !f.staff && !ours {
			s.Who, s.Detail = nil, nil
			if s.Party != permit.Organisation {
				s.Organisation = nil
			}
		}
		return s, err
	})
}

// calendarOf returns the calendar of the plan where a proposal lies, and today.
func calendarOf(ctx context.Context, tx pgx.Tx, id int64) (permit.Calendar, geo.Date, error) {
	var settings []byte
	var today day
	if err := tx.QueryRow(ctx, `SELECT hatang_today(), (SELECT `+calendarSQL+` FROM plans p ORDER BY coalesce(ST_Intersects(hatang_territory(jurisdiction),
		(SELECT geom FROM proposal_features WHERE proposal = $1 ORDER BY position LIMIT 1)), false) DESC, valid_from DESC, id LIMIT 1)`, id).Scan(&today, &settings); err != nil {
		return permit.Calendar{}, geo.Date{}, err
	}
	calendar, err := permit.ParseCalendar(settings)
	return calendar, today.Date, err
}

// step is a row of proposal_steps that is to be added.
type step struct {
	Revision         int64
	Action           permit.Action
	Party            permit.Party
	Reasons          string
	Conditions       []string
	Detail           any
	Verdict          json.RawMessage
	DueOn, ExpiresOn geo.Date
}

// takeStep adds a step: the database judges it, and does what it says.
func takeStep(ctx context.Context, tx pgx.Tx, v account.Viewer, id int64, s step) error {
	var verdict any
	if s.Verdict != nil {
		verdict = s.Verdict
	}
	_, err := tx.Exec(ctx, `INSERT INTO proposal_steps (proposal, revision, action, party, organisation, person, reasons, conditions, detail, verdict, due_on, expires_on)
		VALUES ($1, $2, $3, $4, nullif($5, ''), nullif($6::bigint, 0), nullif($7, ''), $8, $9, $10, $11, $12)`,
		id, s.Revision, string(s.Action), string(s.Party), v.Organisation, v.Person, s.Reasons, s.Conditions, s.Detail, verdict, dayOrNull(s.DueOn), dayOrNull(s.ExpiresOn))
	return err
}
