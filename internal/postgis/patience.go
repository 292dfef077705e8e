package postgis

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"hatang/internal/layer"
	"hatang/internal/permit"
)

// Limits say how long the database works for a store at most. All such limits are in
// this file, and none is anywhere else.
type Limits struct {
	Statement         time.Duration // one statement, from its beginning to its last row
	Lock              time.Duration // waiting for a lock
	IdleInTransaction time.Duration // a transaction of which nothing is asked
}

// RequestLimits are the limits of a store that answers requests. What is known to take
// longer has a limit of its own below.
func RequestLimits() Limits { return Limits{10 * time.Second, 2 * time.Second, 15 * time.Second} }

// TerminalLimits are the limits of commands: whole layers are written to files, whole
// files judged and all of the audit proved, and who waits sees it and may end it.
func TerminalLimits() Limits { return Limits{10 * time.Minute, 2 * time.Second, 10 * time.Minute} }

// Limits of one statement of work that takes long. None shortens the store's own.
const (
	// reportTime: indicators, many places at once, the register of a time past, and pages
	// that are sent on as they are read.
	reportTime = time.Minute
	// snapshotTime: all that checks need of a register, a million rows or more.
	snapshotTime = 2 * time.Minute
	// streamTime: a whole layer, at the pace of whoever takes it.
	streamTime = 5 * time.Minute
	// importTime: a file, also one that comes slowly.
	importTime = 10 * time.Minute
)

// migrationLimits are those of a change of the schema with its data. It waits for a lock
// no longer than a request, because all others would wait behind it: it fails, changes
// nothing and may be tried again.
func migrationLimits() Limits { return Limits{time.Hour, RequestLimits().Lock, time.Minute} }

// commentsLock is how long comments wait, for each other and for a VACUUM.
const commentsLock = time.Minute

// pageHeld is how many rows of a page are read at the usual limit. Those of a longer one
// may not all be held in memory, and then come at the pace of whoever takes them.
const pageHeld = 2000

// settings are the limits as PostgreSQL takes them.
func (l Limits) settings() map[string]string {
	settings := map[string]string{}
	for name, limit := range map[string]time.Duration{
		"statement_timeout": l.Statement, "lock_timeout": l.Lock, "idle_in_transaction_session_timeout": l.IdleInTransaction,
	} {
		settings[name] = fmt.Sprint(limit.Milliseconds())
	}
	return settings
}

// within runs work in a transaction of a kind whose statements may take so long each.
// It takes no more questions to the database than any transaction.
func (s *Store) within(ctx context.Context, options pgx.TxOptions, limit time.Duration, work func(pgx.Tx) error) error {
	if limit > s.limits.Statement {
		options.BeginQuery = fmt.Sprintf("BEGIN %s; SET LOCAL statement_timeout = %d", modes(options), limit.Milliseconds())
	}
	return pgx.BeginTxFunc(ctx, s.pool, options, work)
}

// modes are the options as they stand behind BEGIN.
func modes(options pgx.TxOptions) string {
	level := string(options.IsoLevel)
	if level == "" {
		level = string(pgx.ReadCommitted)
	}
	return fmt.Sprintf("ISOLATION LEVEL %s %s", level, options.AccessMode)
}

// allowImport gives the statements of a transaction the time of an import, and it may
// wait as long for its file.
func allowImport(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, fmt.Sprintf("SET LOCAL statement_timeout = %d; SET LOCAL idle_in_transaction_session_timeout = %[1]d", importTime.Milliseconds()))
	return err
}

// factsTime is how long a statement may take that reads what is asked for.
func factsTime(asked permit.Asked) time.Duration {
	switch {
	case asked.Points == nil:
		return snapshotTime
	case len(asked.Points) > 1, !asked.KnownAt.IsZero():
		return reportTime
	}
	return 0
}

// pageTime is how long the statement may take that reads a page, or all that is selected.
func pageTime(q layer.Query) time.Duration {
	switch {
	case q.Limit == 0:
		return streamTime
	case q.Limit > pageHeld, !q.KnownAt.IsZero():
		return reportTime
	}
	return 0
}
