package postgis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// Decided: a step notes in its own transaction what there is to tell; whom that concerns is
// found out afterwards, by any server, once. Who may be told is decided by the same rights as
// who may see, when it is found out and again when it is sent.

// noticesAtOnce is how many notices are spread in one transaction.
const noticesAtOnce = 20

// NoteDeadlines notes what there is to tell of days that are past or near, each once; those of
// requests to share as on today.
func (s *Store) NoteDeadlines(ctx context.Context, today geo.Date) error {
	_, err := s.pool.kept.Exec(ctx, "SELECT hatang_note_deadlines($1, $2, $3)", permit.ExpiringDays, permit.ShareDueDays, today.Time())
	return translate("look for deadlines", err)
}

// about is what a notice is about: a proposal, or a request to share.
type about struct {
	Proposal int64
	Sharing  string
}

// toSpread is a notice for which it is to be found out whom it concerns.
type toSpread struct {
	ID int64
	about
	Kind                 permit.NoticeKind
	Agency, Organisation string
	State                string            // of the proposal; of a request to share, before the step that the notice is about
	By                   permit.ShareParty // who took that step; "" for none
}

// toSpreadSQL reads notices that have not been spread yet.
const toSpreadSQL = `SELECT n.id, coalesce(n.proposal, 0), coalesce(n.sharing, ''), n.kind, coalesce(n.agency, ''), coalesce(p.organisation, r.asker), coalesce(p.state, t.before, r.state), coalesce(t.party, '')
	FROM notices n LEFT JOIN proposals p ON p.id = n.proposal LEFT JOIN sharing_requests r ON r.number = n.sharing LEFT JOIN sharing_steps t ON t.request = n.sharing AND t.revision = n.revision
	WHERE n.spread_at IS NULL ORDER BY n.id LIMIT $1 FOR UPDATE OF n SKIP LOCKED`

// SpreadNotices finds out whom some of the notices concern that have not been spread yet, by
// mail too where mail is sent, and returns how many these were. What another server works on
// it leaves to that. Cost: a look at what each receiver who may be meant sees.
func (s *Store) SpreadNotices(ctx context.Context, mail bool) (spread int, err error) {
	err = pgx.BeginFunc(ctx, s.pool.kept, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, toSpreadSQL, noticesAtOnce)
		if err != nil {
			return err
		}
		found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (n toSpread, err error) {
			return n, row.Scan(&n.ID, &n.Proposal, &n.Sharing, &n.Kind, &n.Agency, &n.Organisation, &n.State, &n.By)
		})
		if err != nil {
			return err
		}
		for _, n := range found {
			if err := s.spread(ctx, tx, n, mail); err != nil {
				return err
			}
		}
		spread = len(found)
		return nil
	})
	return spread, translate("spread the notices", err)
}

// toldParty is a party that a notice concerns; officers are of no organisation that is told as a whole.
type toldParty struct {
	party        permit.Party
	organisation string
}

// toldOf returns the parties that a notice concerns.
func toldOf(ctx context.Context, tx pgx.Tx, n toSpread) (told []toldParty, err error) {
	if n.Sharing == "" {
		for _, party := range permit.ToldTo(n.Kind, permit.FileState(n.State)) {
			told = append(told, toldParty{party, map[permit.Party]string{permit.Organisation: n.Organisation, permit.Agency: n.Agency}[party]})
		}
		return told, nil
	}
	for _, party := range permit.ShareToldTo(n.Kind, n.By, permit.ShareState(n.State)) {
		of := []string{map[permit.ShareParty]string{permit.ShareAsker: n.Organisation}[party]}
		if party == permit.SharePartner {
			// Who has answered is told of no answer that is due.
			rows, err := tx.Query(ctx, "SELECT organisation FROM sharing_partners WHERE request = $1 AND NOT ($2 AND answered_on IS NOT NULL) ORDER BY organisation",
				n.Sharing, n.By == "" && n.State != string(permit.ShareMediation))
			if err != nil {
				return nil, err
			}
			if of, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
				return nil, err
			}
		}
		for _, organisation := range of {
			told = append(told, toldParty{permit.Party(party), organisation})
		}
	}
	return told, nil
}

func (s *Store) spread(ctx context.Context, tx pgx.Tx, n toSpread, mail bool) error {
	told, err := toldOf(ctx, tx, n)
	if err != nil {
		return err
	}
	for _, t := range told {
		if mail {
			if err := s.spreadByMail(ctx, tx, n, t); err != nil {
				return err
			}
		}
		if t.organisation == "" {
			continue
		}
		concerned, err := s.concerned(ctx, tx, account.OrganisationItself(t.organisation), n.about, t.party)
		if err != nil {
			return err
		}
		if concerned {
			if _, err := tx.Exec(ctx, "INSERT INTO notice_deliveries (notice, organisation, party) SELECT $1, organisation, $3 FROM webhooks WHERE organisation = $2", n.ID, t.organisation, string(t.party)); err != nil {
				return err
			}
		}
	}
	_, err = tx.Exec(ctx, "UPDATE notices SET spread_at = now() WHERE id = $1", n.ID)
	return err
}

// noticePeopleSQL reads people who are sent notices by mail.
const noticePeopleSQL = `SELECT p.id, 'person:' || p.login, coalesce(p.organisation, ''), p.name, p.email, p.language, %s FROM people p
	WHERE p.notices AND p.email IS NOT NULL AND p.disabled_at IS NULL AND %s`

// noticePerson is one of them.
type noticePerson struct {
	account.Viewer
	permit.NoticeMail
}

func noticePeople(ctx context.Context, tx pgx.Tx, which string, args ...any) ([]noticePerson, error) {
	rows, err := tx.Query(ctx, fmt.Sprintf(noticePeopleSQL, fmt.Sprintf(grantsOf, "person", "p.id"), which), args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (noticePerson, error) {
		var p noticePerson
		err := row.Scan(&p.Person, &p.Viewer.Name, &p.Organisation, &p.NoticeMail.Name, &p.Address, &p.Language, &p.Grants)
		return p, err
	})
}

// spreadByMail notes the people whom a notice concerns as a party.
func (s *Store) spreadByMail(ctx context.Context, tx pgx.Tx, n toSpread, t toldParty) error {
	which, args := "p.organisation = $1", []any{t.organisation}
	if t.party == permit.Officer {
		which, args = "EXISTS (SELECT FROM grants_in_force g WHERE g.person = p.id AND g.role = 'officer')", nil
	}
	people, err := noticePeople(ctx, tx, which+" ORDER BY p.id", args...)
	if err != nil {
		return err
	}
	for _, p := range people {
		concerned, err := s.concerned(ctx, tx, p.Viewer, n.about, t.party)
		if err != nil {
			return err
		}
		if !concerned {
			continue
		}
		if _, err := tx.Exec(ctx, "INSERT INTO notice_deliveries (notice, person, party) VALUES ($1, $2, $3) ON CONFLICT (notice, person) DO NOTHING", n.ID, p.Person, string(t.party)); err != nil {
			return err
		}
	}
	return nil
}

// asParty returns the viewer as far as he takes part as a party: administrators, who could do
// all that officers do, are not told all that these are told.
func asParty(v account.Viewer, party permit.Party) account.Viewer {
	if party == permit.Officer {
		return v.Only(account.Officer)
	}
	return v
}

// concerned reports whether the viewer takes part in what a notice is about as a party.
func (s *Store) concerned(ctx context.Context, tx pgx.Tx, v account.Viewer, a about, party permit.Party) (bool, error) {
	v = asParty(v, party)
	parties, err := s.partiesAbout(ctx, tx, v, a)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return slices.Contains(parties, party), err
}

// partiesAbout are as whom the viewer takes part; pgx.ErrNoRows where he sees nothing of it.
func (s *Store) partiesAbout(ctx context.Context, tx pgx.Tx, v account.Viewer, a about) ([]permit.Party, error) {
	if a.Sharing != "" {
		r, err := seeShare(ctx, tx, v, a.Sharing, geo.Date{})
		if err != nil {
			return nil, err
		}
		parties, err := shareParties(ctx, tx, v, r)
		return asParties(parties), err
	}
	f, err := seeProposal(ctx, tx, v, a.Proposal)
	if err != nil {
		return nil, err
	}
	if f.Features, err = filedFeatures(ctx, tx, a.Proposal); err != nil {
		return nil, err
	}
	return parties(ctx, tx, v, f)
}

func asParties(list []permit.ShareParty) (parties []permit.Party) {
	for _, p := range list {
		parties = append(parties, permit.Party(p))
	}
	return parties
}

// ClaimNotice takes the notice that has been due longest and that nobody else is about to
// send, for so long, with what its receiver may see now; nil where there is none. One whom it
// does not concern any more is not told: that is noted, and the next one is taken. Without
// mail those to people are left alone.
func (s *Store) ClaimNotice(ctx context.Context, lease time.Duration, mail bool) (n *permit.Notice, err error) {
	for again := true; again && err == nil; {
		err = pgx.BeginFunc(ctx, s.pool.kept, func(tx pgx.Tx) error {
			n, again, err = s.claim(ctx, tx, lease, mail)
			return err
		})
	}
	return n, translate("take a notice", err)
}

// claim takes one notice, or drops it, and then there may be another.
func (s *Store) claim(ctx context.Context, tx pgx.Tx, lease time.Duration, mail bool) (n *permit.Notice, again bool, err error) {
	var person *int64
	var organisation *string
	var of about
	var on day
	n = &permit.Notice{}
	err = tx.QueryRow(ctx, `UPDATE notice_deliveries d SET lease = gen_random_uuid(), leased_until = now() + $1::interval, attempts = d.attempts + 1
		FROM notices n WHERE n.id = d.notice AND d.id = (SELECT id FROM notice_deliveries WHERE state = 'waiting' AND due_at <= now() AND (leased_until IS NULL OR leased_until < now())
			AND ($2 OR person IS NULL) ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
		RETURNING d.id, d.lease::text, d.message::text, d.person, d.organisation, d.party, d.attempts, coalesce(n.proposal, 0), coalesce(n.sharing, ''), n.kind, n.made_at, coalesce(n.revision, 0), coalesce(n.agency, ''), n.day`, lease, mail).
		Scan(&n.Delivery, &n.Lease, &n.Message, &person, &organisation, &n.Party, &n.Attempts, &of.Proposal, &of.Sharing, &n.Kind, &n.MadeAt, &n.Revision, &n.Agency, &on)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	n.Day = on.Date
	var v account.Viewer
	if person != nil {
		v, n.Mail, err = personToTell(ctx, tx, *person)
	} else {
		v, n.Hook, err = hookToTell(ctx, tx, *organisation)
	}
	var parties []permit.Party
	if err == nil {
		parties, err = s.show(ctx, tx, asParty(v, n.Party), of, n)
	}
	if err == nil && slices.Contains(parties, n.Party) {
		return n, false, nil
	}
	if err == nil || errors.Is(err, pgx.ErrNoRows) {
		_, err = tx.Exec(ctx, "UPDATE notice_deliveries SET state = 'dropped', ended_at = now(), lease = NULL, leased_until = NULL WHERE id = $1", n.Delivery)
	}
	return nil, true, err
}

// show adds to a notice what it is about as the viewer sees it, and returns as whom he takes
// part in that.
func (s *Store) show(ctx context.Context, tx pgx.Tx, v account.Viewer, of about, n *permit.Notice) (parties []permit.Party, err error) {
	if of.Sharing == "" {
		n.File, err = s.proposal(ctx, tx, v, of.Proposal)
		return n.File.Parties, err
	}
	r, err := sharingRequest(ctx, tx, v, of.Sharing, geo.Date{}) // what is late is told by the kind
	if err != nil {
		return nil, err
	}
	n.Share = &r
	return asParties(r.Parties), nil
}

// personToTell is pgx.ErrNoRows for one who is told nothing any more.
func personToTell(ctx context.Context, tx pgx.Tx, id int64) (account.Viewer, *permit.NoticeMail, error) {
	people, err := noticePeople(ctx, tx, "p.id = $1", id)
	if err == nil && len(people) == 0 {
		err = pgx.ErrNoRows
	}
	if err != nil {
		return account.Viewer{}, nil, err
	}
	return people[0].Viewer, &people[0].NoticeMail, nil
}

// hookToTell is pgx.ErrNoRows for an organisation that has no webhook any more.
func hookToTell(ctx context.Context, tx pgx.Tx, organisation string) (account.Viewer, *permit.NoticeHook, error) {
	h := &permit.NoticeHook{Organisation: organisation}
	err := tx.QueryRow(ctx, "SELECT url, secret FROM webhooks WHERE organisation = $1", organisation).Scan(&h.URL, &h.Secret)
	return account.OrganisationItself(organisation), h, err
}

// EndNotice tells what came of an attempt; layer.ErrStale where the lease was over and another
// server has taken the notice.
func (s *Store) EndNotice(ctx context.Context, n *permit.Notice, o permit.NoticeOutcome) error {
	tag, err := s.pool.kept.Exec(ctx, `UPDATE notice_deliveries SET state = $3, due_at = now() + $4::interval, error = coalesce(nullif($5, ''), error), lease = NULL, leased_until = NULL,
		ended_at = CASE WHEN $3 <> 'waiting' THEN now() END WHERE id = $1 AND lease = $2::uuid AND state = 'waiting'`, n.Delivery, n.Lease, string(o.State), o.Again, o.Error)
	if err == nil && tag.RowsAffected() == 0 {
		return fmt.Errorf("the notice %s: %w", n.Message, layer.ErrStale)
	}
	return translate("end the notice", err)
}

// SentNotices returns what has become of notices to each receiver, the newest first; for
// administrators. Cost: an index scan.
func (s *Store) SentNotices(ctx context.Context, v account.Viewer, q permit.NoticeQuery) ([]permit.SentNotice, error) {
	if err := administers(v); err != nil {
		return nil, err
	}
	rows, err := s.pool.kept.Query(ctx, `SELECT d.id, d.message::text, n.proposal, n.sharing, n.kind, n.made_at, d.party, p.login, d.organisation, d.state, d.attempts, d.due_at, d.error, d.ended_at
		FROM notice_deliveries d JOIN notices n ON n.id = d.notice LEFT JOIN people p ON p.id = d.person
		WHERE ($1 = '' OR d.state = $1) AND ($2::bigint = 0 OR d.id < $2) ORDER BY d.id DESC LIMIT $3`, string(q.State), q.After, q.Limit)
	if err != nil {
		return nil, translate("list the notices", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[permit.SentNotice])
	return list, translate("list the notices", err)
}

// SendNoticeAgain has one that could not be delivered sent again, with as many attempts as at
// first; for administrators. layer.ErrNotFound where there is none, layer.ErrConflict for one
// that has not failed.
func (s *Store) SendNoticeAgain(ctx context.Context, v account.Viewer, id int64) error {
	if err := administers(v); err != nil {
		return err
	}
	return s.write(ctx, v, "send the notice again", func(tx pgx.Tx) error {
		var state permit.NoticeState
		if err := tx.QueryRow(ctx, "SELECT state FROM notice_deliveries WHERE id = $1 FOR UPDATE", id).Scan(&state); err != nil {
			return err
		}
		if state != permit.NoticeFailed {
			return fmt.Errorf("the notice %d is %s: %w", id, state, layer.ErrConflict)
		}
		_, err := tx.Exec(ctx, "UPDATE notice_deliveries SET state = 'waiting', attempts = 0, due_at = now(), ended_at = NULL WHERE id = $1", id)
		return err
	})
}

// Webhooks returns where programs of organisations are told, by organisation; for administrators.
func (s *Store) Webhooks(ctx context.Context, v account.Viewer) ([]account.Webhook, error) {
	if err := administers(v); err != nil {
		return nil, err
	}
	rows, err := s.pool.kept.Query(ctx, "SELECT organisation, url, set_by, set_at FROM webhooks ORDER BY organisation")
	if err != nil {
		return nil, translate("list the webhooks", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[account.Webhook])
	return list, translate("list the webhooks", err)
}

// SetWebhook says where programs of an organisation are told from now on, under a new secret;
// layer.ErrNotFound for an organisation there is not.
func (s *Store) SetWebhook(ctx context.Context, v account.Viewer, organisation, url string, secret []byte) error {
	if err := administers(v); err != nil {
		return err
	}
	return s.write(ctx, v, "set the webhook", func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, "SELECT code FROM organisations WHERE code = $1", organisation).Scan(&organisation); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "INSERT INTO webhooks (organisation, url, secret) VALUES ($1, $2, $3) ON CONFLICT (organisation) DO UPDATE SET url = excluded.url, secret = excluded.secret", organisation, url, secret)
		return err
	})
}

// RemoveWebhook has programs of an organisation told nothing any more; layer.ErrNotFound where
// there is no webhook.
func (s *Store) RemoveWebhook(ctx context.Context, v account.Viewer, organisation string) error {
	if err := administers(v); err != nil {
		return err
	}
	return s.write(ctx, v, "remove the webhook", func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, "DELETE FROM webhooks WHERE organisation = $1 RETURNING organisation", organisation).Scan(&organisation)
	})
}
