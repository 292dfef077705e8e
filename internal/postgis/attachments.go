package postgis

import (
	"context"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// Decided: a file of an agency's answer is for staff and that agency, as the answer is. All
// others are for who sees the whole proposal; an agency that is asked about some of its features is
// told of none of these.

// Attachments returns those of a proposal that the viewer sees, in the order in which they
// came. layer.ErrNotFound where he has nothing to do with it.
func (s *Store) Attachments(ctx context.Context, v account.Viewer, proposal int64) ([]permit.Attachment, error) {
	list, err := s.attachments(ctx, v, proposal, 0)
	return list, translate("list the attachments", err)
}

// Attachment returns one of those that Attachments lists; layer.ErrNotFound for any other.
func (s *Store) Attachment(ctx context.Context, v account.Viewer, proposal, id int64) (permit.Attachment, error) {
	list, err := s.attachments(ctx, v, proposal, id)
	if err == nil && len(list) == 0 {
		err = pgx.ErrNoRows
	}
	if err != nil {
		return permit.Attachment{}, translate("look up the attachment", err)
	}
	return list[0], nil
}

// attachments are all that the viewer sees of a proposal, or the one of an id that is not 0.
func (s *Store) attachments(ctx context.Context, v account.Viewer, proposal, id int64) (list []permit.Attachment, err error) {
	err = pgx.BeginTxFunc(ctx, s.pool.kept, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		f, err := seeProposal(ctx, tx, v, proposal)
		if err != nil {
			return err
		}
		list, err = attachmentsOf(ctx, tx, v, f, id)
		return err
	})
	return list, err
}

// attachmentsOf reads what the viewer sees of the attachments of a proposal.
func attachmentsOf(ctx context.Context, q querier, v account.Viewer, f *seenFile, id int64) ([]permit.Attachment, error) {
	rows, err := q.Query(ctx, `SELECT a.id, a.name, a.media_type, a.bytes, encode(a.sha256, 'hex'), s.party, s.organisation, a.agency, s.who, s.at,
			(SELECT count(*) FROM proposal_steps s WHERE s.proposal = a.proposal AND s.revision <= a.revision AND `+told("$3", "$4", "$5", "$6", "$7")+`)
		FROM attachments a JOIN proposal_steps s USING (proposal, revision)
		WHERE a.proposal = $1 AND $2::bigint IN (0, a.id) AND ($3 OR a.agency IS NULL AND $5 OR $4 AND a.agency = $6) ORDER BY a.revision`, f.ID, id, f.staff, f.asked, f.whole, v.Organisation, answersOn(v))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (permit.Attachment, error) {
		var a permit.Attachment
		err := row.Scan(&a.ID, &a.Name, &a.MediaType, &a.Bytes, &a.SHA256, &a.Party, &a.Organisation, &a.Agency, &a.Who, &a.At, &a.Revision)
		if ours := a.Organisation != nil && *a.Organisation == v.Organisation; !f.staff && !ours {
			a.Who = nil
			if a.Party != permit.Organisation {
				a.Organisation = nil
			}
		}
		return a, err
	})
}

// ReadAttachment writes the bytes of an attachment that Attachment has returned. It keeps no
// connection while it writes.
func (s *Store) ReadAttachment(ctx context.Context, a permit.Attachment, w io.Writer) error {
	for number := int64(1); (number-1)*importChunkBytes < a.Bytes; number++ {
		var part []byte
		if err := s.pool.kept.QueryRow(ctx, "SELECT bytes FROM attachment_chunks WHERE attachment = $1 AND number = $2", a.ID, number).Scan(&part); err != nil {
			return translate("read the attachment", err)
		}
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// AttachFile attaches a file to a proposal, which is a step on it, and returns its id.
// layer.ErrNotFound where the viewer has nothing to do with it; layer.ErrForbidden and
// layer.ErrConflict as DecideProposal, the latter as *permit.RefusedError where a limit is
// reached; *layer.InvalidError for an agency that is asked nothing.
func (s *Store) AttachFile(ctx context.Context, v account.Viewer, proposal int64, n permit.NewAttachment) (id int64, err error) {
	err = s.write(ctx, v, "attach the file", func(tx pgx.Tx) error {
		f, err := s.lockProposal(ctx, tx, v, proposal)
		if err != nil {
			return err
		}
		party, _, err := permit.Next(f.State, permit.Attach, f.Parties)
		if err != nil {
			return err
		}
		if party == permit.Agency {
			n.Agency = v.Organisation
		}
		if err := mayAnswerWith(ctx, tx, v, f, party, n.Agency); err != nil {
			return err
		}
		if err := roomFor(ctx, tx, v, f, party, n); err != nil {
			return err
		}
		next := step{Revision: f.revision + 1, Action: permit.Attach, Party: party, DueOn: f.DueOn}
		if err := takeStep(ctx, tx, v, f.ID, next); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, "INSERT INTO attachments (proposal, revision, agency, name, media_type, bytes, sha256) VALUES ($1, $2, nullif($3, ''), $4, $5, $6, $7) RETURNING id",
			f.ID, next.Revision, n.Agency, n.Name, n.MediaType, n.Bytes, n.SHA256).Scan(&id); err != nil {
			return err
		}
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"attachment_chunks"}, []string{"attachment", "number", "bytes"}, &chunks{file: n.Content, id: id})
		return err
	})
	return id, err
}

// mayAnswerWith refuses a file of an answer that is not asked for.
func mayAnswerWith(ctx context.Context, tx pgx.Tx, v account.Viewer, f *seenFile, party permit.Party, agency string) error {
	var faults layer.Faults
	if agency != "" && party == permit.Organisation {
		return fmt.Errorf("it answers for no agency: %w", layer.ErrForbidden)
	}
	if agency == "" {
		return nil
	}
	var open bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM consultations WHERE proposal = $1 AND agency = $2 AND answered_at IS NULL AND withdrawn_at IS NULL AND layer = ANY ($3))", f.ID, agency, answeredBy(v, party)).Scan(&open); err != nil {
		return err
	}
	if !open && party == permit.Agency {
		return &permit.RefusedError{Detail: geo.Text{VI: "Trong hồ sơ này cơ quan ấy không còn được hỏi gì.", EN: "The agency is not being asked anything in this proposal."}}
	}
	if !open {
		faults.Add("agency", "hồ sơ này không đang hỏi cơ quan %q", "the agency %q is not being asked in this proposal", agency)
	}
	return faults.Err()
}

// roomFor refuses a file beyond the limits. Proposals of one organisation wait here for each
// other.
//
// Decided: of an organisation's files those count whose proposals the viewer sees. By a refusal
// a key for some layers would measure, file by file, how much there is in the others.
func roomFor(ctx context.Context, tx pgx.Tx, v account.Viewer, f *seenFile, party permit.Party, n permit.NewAttachment) error {
	var files, bytes, whole int64
	if err := tx.QueryRow(ctx, `SELECT count(*), coalesce(sum(a.bytes), 0)::bigint FROM attachments a JOIN proposal_steps s USING (proposal, revision)
		WHERE a.proposal = $1 AND a.agency IS NOT DISTINCT FROM nullif($2, '') AND ($2 <> '' OR s.party = $3)`, f.ID, n.Agency, string(party)).Scan(&files, &bytes); err != nil {
		return err
	}
	if v.Organisation != "" {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended('attachments of ' || $1, 0))", v.Organisation); err != nil {
			return err
		}
		c := &conditions{}
		c.add("s.action = 'attach' AND s.organisation = %s", c.bind(v.Organisation))
		c.add("a.proposal IN (%s AND hatang_proposal_open(state))", c.tiesOf(v).proposals("id"))
		if err := tx.QueryRow(ctx, "SELECT coalesce(sum(a.bytes), 0)::bigint FROM attachments a JOIN proposal_steps s USING (proposal, revision)"+c.where(), c.args...).Scan(&whole); err != nil {
			return err
		}
	}
	const mebibyte = 1 << 20
	switch {
	case files >= permit.MaxAttachments:
		return tooMuch("Hồ sơ này đã có %d tệp của bên bạn.", "The proposal has %d files of your side already.", permit.MaxAttachments)
	case bytes+n.Bytes > permit.MaxAttachedBytes:
		return tooMuch("Các tệp của bên bạn trong hồ sơ này sẽ quá %d MiB.", "The files of your side in the proposal would be over %d MiB.", permit.MaxAttachedBytes/mebibyte)
	case whole+n.Bytes > permit.MaxOrganisationBytes:
		return tooMuch("Các tệp của đơn vị bạn trong những hồ sơ chưa kết thúc sẽ quá %d MiB.", "The files of your organisation in proposals that are open would be over %d MiB.", permit.MaxOrganisationBytes/mebibyte)
	}
	return nil
}

func tooMuch(vi, en string, most int64) error {
	return &permit.RefusedError{Detail: geo.Text{VI: fmt.Sprintf(vi, most), EN: fmt.Sprintf(en, most)}}
}
