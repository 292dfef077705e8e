package postgis

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// DecideProposal takes one step on a proposal and returns its state and revision afterwards.
// layer.ErrNotFound where the viewer has nothing to do with it; layer.ErrForbidden where the
// step is for others; layer.ErrConflict where the state has no such step, as
// *permit.RefusedError where consent is missing; layer.ErrStale at another revision than
// that which it is decided on, and so for all but one of those who decide at once.
func (s *Store) DecideProposal(ctx context.Context, v account.Viewer, id int64, d permit.Decision) (state permit.FileState, revision int64, err error) {
	err = s.write(ctx, v, "decide on the proposal", func(tx pgx.Tx) error {
		f, err := s.lockProposal(ctx, tx, v, id)
		if err != nil {
			return err
		}
		if d.Revision != 0 && d.Revision != f.Revision {
			return fmt.Errorf("the proposal %d is at revision %d: %w", id, f.Revision, layer.ErrStale)
		}
		var party permit.Party
		if party, state, err = permit.Next(f.State, d.Action, f.Parties); err != nil {
			return err
		}
		revision = f.Revision + 1
		return s.decide(ctx, tx, v, f, d, party, state)
	})
	return state, revision, err
}

// lockProposal holds a proposal that the viewer sees until the transaction ends.
func (s *Store) lockProposal(ctx context.Context, tx pgx.Tx, v account.Viewer, id int64) (*seenFile, error) {
	if _, err := seeProposal(ctx, tx, v, id); err != nil {
		return nil, err
	}
	// The serving role changes no proposals and so cannot lock them; steps wait for each
	// other by this instead, and by the row in the end.
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended('proposal', $1))", id); err != nil {
		return nil, err
	}
	f, err := seeProposal(ctx, tx, v, id)
	if err != nil {
		return nil, err
	}
	if f.Features, err = filedFeatures(ctx, tx, id); err != nil {
		return nil, err
	}
	f.Parties, err = parties(ctx, tx, v, f)
	return f, err
}

// decide does what an action needs beside its step, and takes it.
func (s *Store) decide(ctx context.Context, tx pgx.Tx, v account.Viewer, f *seenFile, d permit.Decision, party permit.Party, after permit.FileState) error {
	calendar, today, err := calendarOf(ctx, tx, f.ID)
	if err != nil {
		return err
	}
	next := step{Revision: f.revision + 1, Action: d.Action, Party: party, Reasons: d.Reasons, Conditions: d.Conditions, DueOn: calendar.Due(after, d.Action, today)}
	switch d.Action {
	case permit.Supplement:
		next.Verdict = d.Verdict
		if err = unchangedSince(ctx, tx, f.Organisation, d.Features); err == nil {
			err = recordSealed(ctx, tx, f.ID, d.Records)
		}
	case permit.Approve:
		next.ExpiresOn, next.Verdict = calendar.Expires(today, today), d.Verdict
		err = recheck(ctx, tx, f, d)
	case permit.Build:
		if f.ExpiresOn.Before(today) {
			return &permit.RefusedError{Detail: geo.Text{VI: "Quyết định đã hết hạn sau ngày " + f.ExpiresOn.Text().VI + "; hãy gia hạn trước.", EN: "The approval ended after " + f.ExpiresOn.Text().EN + "; renew it first."}}
		}
	case permit.Renew:
		if calendar.Expires(today, today).Before(f.ExpiresOn) { // one period ahead, not as many as one likes
			return &permit.RefusedError{Detail: geo.Text{VI: "Đã gia hạn đến hết ngày " + f.ExpiresOn.Text().VI + ".", EN: "It has been renewed already, until the end of " + f.ExpiresOn.Text().EN + "."}}
		}
		next.ExpiresOn = calendar.Expires(today, f.ExpiresOn)
	case permit.Expire:
		if !f.ExpiresOn.Before(today) {
			return &permit.RefusedError{Detail: geo.Text{VI: "Quyết định còn hiệu lực đến hết ngày " + f.ExpiresOn.Text().VI + ".", EN: "The approval holds until the end of " + f.ExpiresOn.Text().EN + "."}}
		}
	}
	if err != nil {
		return err
	}
	switch d.Action {
	case permit.Consult:
		next.Detail = map[string]any{"agencies": d.Agencies, "required": d.Required}
		if err := askAgencies(ctx, tx, f, d, next.DueOn); err != nil {
			return err
		}
	case permit.AnswerFor:
		if today.Before(d.DocumentDate) {
			var faults layer.Faults
			faults.Add("/document_date", "văn bản không thể ký sau hôm nay, %s", "no paper is signed after today, %s", today)
			return faults.Err()
		}
		agency := answering(v, d, party)
		detail := map[string]any{"agency": agency, "answer": d.Answer, "document_number": d.DocumentNumber, "document_date": d.DocumentDate}
		if d.Attachment != 0 {
			detail["attachment"] = d.Attachment
		}
		next.Detail = detail
		if err := answerFor(ctx, tx, f, d, agency, answeredBy(v, party)); err != nil {
			return err
		}
	}
	if err := takeStep(ctx, tx, v, f.ID, next); err != nil {
		return err
	}
	if d.Action == permit.Approve {
		if err := notOvertaken(ctx, tx, d); err != nil {
			return err
		}
	}
	return s.follow(ctx, tx, f, d.Action, today)
}

// recheck records what was found when what is to be approved was checked again, and refuses
// what then needs reasons that are not given, and features that are not those that were checked.
func recheck(ctx context.Context, tx pgx.Tx, f *seenFile, d permit.Decision) error {
	if d.Verdict == nil {
		return nil
	}
	if err := unchangedSince(ctx, tx, f.Organisation, d.Features); err != nil {
		return err
	}
	var filed []byte
	if err := tx.QueryRow(ctx, "SELECT verdict FROM proposals WHERE id = $1", f.ID).Scan(&filed); err != nil {
		return err
	}
	if d.Reasons == "" {
		if err := permit.NeedsReasons(filed, d.Verdict); err != nil {
			return err
		}
	}
	return recordSealed(ctx, tx, f.ID, d.Records)
}

// notOvertaken refuses an approval, which has its number already, that was judged before another
// was given: permit.ErrOvertaken. Who gives the next waits for the number of this one, and so of
// two at once the second is judged with the first. Cost: of an index scan.
func notOvertaken(ctx context.Context, tx pgx.Tx, d permit.Decision) error {
	if d.Verdict == nil {
		return nil
	}
	var approved int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM decisions WHERE outcome = 'approved' AND ($1 = '' OR (year, serial) > (SELECT year, serial FROM decisions WHERE number = $1))`, d.LastDecision).Scan(&approved)
	if err == nil && approved > 1 {
		return permit.ErrOvertaken
	}
	return err
}

// answering is the agency that answers: one answers for itself alone.
func answering(v account.Viewer, d permit.Decision, party permit.Party) string {
	if party == permit.Agency {
		return v.Organisation
	}
	return d.Agency
}

// answeredBy are the layers about whose features somebody answers for an agency: an officer who
// records an answer about all.
func answeredBy(v account.Viewer, party permit.Party) []string {
	if party == permit.Agency {
		return answersOn(v)
	}
	return permit.FiledLayers()
}

// unchangedSince refuses where a row is not at the revision that was checked, or no draft of the
// organisation any more.
func unchangedSince(ctx context.Context, tx pgx.Tx, organisation string, features []permit.FiledFeature) error {
	for _, f := range features {
		var revision int64
		err := tx.QueryRow(ctx, "SELECT revision FROM "+quote(f.Collection)+" WHERE id = $1 AND status = 'draft' AND owner_organisation = $2 FOR SHARE", f.ID, organisation).Scan(&revision)
		if errors.Is(err, pgx.ErrNoRows) {
			return &permit.RefusedError{Detail: geo.Text{VI: fmt.Sprintf("%s không còn là bản thảo của đơn vị; hãy rút hồ sơ.", f.Code), EN: fmt.Sprintf("%s is no draft of the organisation any more; withdraw the proposal.", f.Code)}}
		}
		if err != nil {
			return err
		}
		if revision != f.Revision {
			return fmt.Errorf("%s %d is at revision %d: %w", f.Collection, f.ID, revision, layer.ErrStale)
		}
	}
	return nil
}

// askAgencies asks each agency about each feature.
func askAgencies(ctx context.Context, tx pgx.Tx, f *seenFile, d permit.Decision, due geo.Date) error {
	var faults layer.Faults
	for i, agency := range d.Agencies {
		var known bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM organisations WHERE code = $1 AND kind = 'agency')", agency).Scan(&known); err != nil {
			return err
		}
		if !known {
			faults.Add(fmt.Sprintf("/agencies/%d", i), "sổ đăng ký không có cơ quan %q", "the register has no agency %q", agency)
		}
	}
	if err := faults.Err(); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `INSERT INTO consultations (layer, feature, agency, due_on, proposal, required)
		SELECT f.layer, f.feature, a.agency, $3, f.proposal, $4 FROM proposal_features f, unnest($2::text[]) a (agency) WHERE f.proposal = $1 ORDER BY 1, 2, 3
		ON CONFLICT (layer, feature, agency, coalesce(proposal, 0)) WHERE answered_at IS NULL AND withdrawn_at IS NULL DO NOTHING`, f.ID, d.Agencies, due.Time(), d.Required)
	if err == nil && tag.RowsAffected() < int64(len(f.Features)*len(d.Agencies)) {
		return &permit.RefusedError{Detail: geo.Text{VI: "Trong hồ sơ này có cơ quan đang được hỏi rồi; hãy đợi trả lời hoặc rút câu hỏi ấy.",
			EN: "An agency is being asked in this proposal already; wait for its answer, or withdraw that question."}}
	}
	return err
}

// answerFor answers all that the agency is asked in the proposal about features of the layers.
func answerFor(ctx context.Context, tx pgx.Tx, f *seenFile, d permit.Decision, agency string, layers []string) error {
	if d.Attachment != 0 {
		var its bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM attachments WHERE id = $1 AND proposal = $2 AND agency = $3)", d.Attachment, f.ID, agency).Scan(&its); err != nil {
			return err
		}
		if !its {
			var faults layer.Faults
			faults.Add("/attachment", "không có tệp này trong các tệp của câu trả lời ấy", "is no file of that answer")
			return faults.Err()
		}
	}
	tag, err := tx.Exec(ctx, `UPDATE consultations SET answer = $3, note = nullif($4, ''), document_number = nullif($5, ''), document_date = $6, attachment = nullif($7::bigint, 0)
		WHERE proposal = $1 AND agency = $2 AND layer = ANY ($8) AND answered_at IS NULL AND withdrawn_at IS NULL`,
		f.ID, agency, string(d.Answer), d.Reasons, d.DocumentNumber, dayOrNull(d.DocumentDate), d.Attachment, layers)
	if err == nil && tag.RowsAffected() == 0 {
		return &permit.RefusedError{Detail: geo.Text{VI: "Trong hồ sơ này cơ quan ấy không còn được hỏi gì.", EN: "The agency is not being asked anything in this proposal."}}
	}
	return err
}
