package postgis

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
)

// Audit adds an entry of what changed nothing: a refusal.
func (s *Store) Audit(ctx context.Context, who, action, subject string, detail map[string]any) error {
	return translate("write the audit", pgx.BeginFunc(ctx, s.pool.kept, func(tx pgx.Tx) error {
		if err := sign(ctx, tx, who); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "SELECT hatang_audit($1, $2, $3)", action, subject, detail)
		return err
	}))
}

// AuditBrokenAt proves all of the audit and returns the first entry that is not as it was
// written, 0 where all is in order. Cost: some µs an entry, for all there are: a command's.
func (s *Store) AuditBrokenAt(ctx context.Context) (brokenAt int64, err error) {
	err = s.pool.kept.QueryRow(ctx, "SELECT coalesce(hatang_audit_broken_at(), 0)").Scan(&brokenAt)
	return brokenAt, translate("prove the audit", err)
}

// proof is an entry up to which the audit has been proved.
type proof struct {
	id   int64
	hash []byte
}

// mostProved is how many entries one call of AuditEntries proves at most, beside those
// that it returns.
const mostProved = 10_000

// AuditEntries returns entries of the audit, the newest first, below an id (0: from the
// end), and proves these and some of those that this store has not proved yet; of those
// that it has, that the last is still there. Tampering with entries of before shows when
// they are returned, and to AuditBrokenAt. Cost: bounded, however long the audit is.
func (s *Store) AuditEntries(ctx context.Context, below int64, limit int) (page account.AuditPage, err error) {
	known := s.proved.Load()
	from := proof{}
	if known != nil {
		from = *known
	}
	err = pgx.BeginTxFunc(ctx, s.pool.kept, snapshot, func(tx pgx.Tx) error {
		next := from
		if err := tx.QueryRow(ctx, "SELECT coalesce(broken_at, 0), coalesce(proved_id, 0), proved_hash FROM hatang_audit_broken_after($1, $2, $3)", from.id, from.hash, mostProved).
			Scan(&page.FirstBroken, &next.id, &next.hash); err != nil {
			return err
		}
		page.ProvedTo = from.id
		if page.FirstBroken == 0 {
			page.ProvedTo = next.id
			s.proved.CompareAndSwap(known, &next)
		}
		rows, err := tx.Query(ctx, "SELECT id, at, who, db_user, action, subject, detail, request_id FROM audit WHERE $1::bigint = 0 OR id < $1 ORDER BY id DESC LIMIT $2", below, limit)
		if err != nil {
			return err
		}
		if page.Entries, err = pgx.CollectRows(rows, auditEntry); err != nil || len(page.Entries) == 0 {
			return err
		}
		broken, err := brokenAmong(ctx, tx, page.Entries[len(page.Entries)-1].ID, page.Entries[0].ID)
		if broken != 0 && (page.FirstBroken == 0 || broken < page.FirstBroken) {
			page.FirstBroken = broken
		}
		return err
	})
	return page, translate("read the audit", err)
}

func auditEntry(row pgx.CollectableRow) (account.AuditEntry, error) {
	var e account.AuditEntry
	var detail []byte
	err := row.Scan(&e.ID, &e.At, &e.Who, &e.DBUser, &e.Action, &e.Subject, &detail, &e.RequestID)
	e.Detail = json.RawMessage(detail)
	return e, err
}

// brokenAmong returns the first of some entries that does not follow from the one before
// it, 0 for none.
func brokenAmong(ctx context.Context, tx pgx.Tx, first, last int64) (broken int64, err error) {
	err = tx.QueryRow(ctx, `SELECT coalesce(min(id), 0) FROM (
			SELECT a.id, a.id <> coalesce(lag(a.id) OVER w, 0) + 1 OR a.hash <> hatang_audit_hash(coalesce(lag(a.hash) OVER w, sha256('hatang')), a) AS broken
			FROM audit a WHERE a.id BETWEEN $1 - 1 AND $2 WINDOW w AS (ORDER BY a.id)) entries
		WHERE broken AND id >= $1`, first, last).Scan(&broken)
	return broken, err
}
