package postgis

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// acquireTimeout is how long a statement waits for one of the connections there may be,
// all in use; then it is layer.ErrUnavailable. A connection that is only being made has
// connectTimeout.
const acquireTimeout = time.Second

// lanes are the connections to the database, in two pools so that no flood of public
// requests keeps staff or the server's own work waiting. Whose a statement is, its
// context says (account.WithViewer): staff, and work that is nobody's, such as
// readiness, keys and snapshots, have the kept lane, all others the public one. The
// public lane only reads, in a database role that can do nothing else: every write, and
// everything about people and keys, has the kept lane whoever asks.
//
// A connection goes back when the rows are closed, the row is scanned, the statement
// is executed or the transaction ends.
type lanes struct{ public, kept *pgxpool.Pool }

// laneSizes is how many connections each lane may have: 2 × cores + 2 together, at
// least 8 and as many as asked for, in equal halves.
func laneSizes(cores int, asked int32) (public, kept int32) {
	total := max(8, int32(2*cores+2), asked)
	return total - total/2, total / 2
}

// openLanes opens both pools; a statement waits for a connection so long and no longer.
func openLanes(ctx context.Context, config *pgxpool.Config, within time.Duration) (*lanes, error) {
	config = config.Copy()
	var keptSize int32
	config.MaxConns, keptSize = laneSizes(runtime.GOMAXPROCS(0), config.MaxConns)
	config.MinConns = min(max(config.MinConns, 1), config.MaxConns)
	config.ConnConfig.Tracer = acquireLimit(within)
	config.AfterConnect = become(readingRole)
	public, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	config = config.Copy()
	config.MaxConns, config.MinConns = keptSize, min(config.MinConns, keptSize)
	config.AfterConnect = become(servingRole)
	kept, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		public.Close()
		return nil, err
	}
	return &lanes{public, kept}, nil
}

// of returns the lane of whom the context is for.
func (l *lanes) of(ctx context.Context) *pgxpool.Pool {
	if v, ok := account.ViewerOf(ctx); ok && !v.Staff() {
		return l.public
	}
	return l.kept
}

// Close waits for running statements and closes both pools.
func (l *lanes) Close() {
	l.public.Close()
	l.kept.Close()
}

// ConnConfig returns what a connection of one's own is made with.
func (l *lanes) ConnConfig() *pgx.ConnConfig { return l.kept.Config().ConnConfig }

// Acquire takes a connection, to be released.
func (l *lanes) Acquire(ctx context.Context) (*pgxpool.Conn, error) { return l.of(ctx).Acquire(ctx) }

// Exec executes a statement.
func (l *lanes) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return l.of(ctx).Exec(ctx, sql, args...)
}

// Query returns rows, to be closed.
func (l *lanes) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return l.of(ctx).Query(ctx, sql, args...)
}

// QueryRow returns a row, to be scanned.
func (l *lanes) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return l.of(ctx).QueryRow(ctx, sql, args...)
}

// Begin begins a transaction, to be ended.
func (l *lanes) Begin(ctx context.Context) (pgx.Tx, error) { return l.of(ctx).Begin(ctx) }

// BeginTx begins a transaction of a kind, to be ended.
func (l *lanes) BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error) {
	return l.of(ctx).BeginTx(ctx, options)
}

// use tells how many connections of each lane are in use, and how many it may have.
func (l *lanes) use(each func(lane string, inUse, most int)) {
	for _, of := range []struct {
		lane string
		pool *pgxpool.Pool
	}{{"public", l.public}, {"kept", l.kept}} {
		stat := of.pool.Stat()
		each(of.lane, int(stat.AcquiredConns()), int(stat.MaxConns()))
	}
}

// PoolUse tells how many connections are in use and how many there may be, of each
// lane: "public" has the public's and the operators', "kept" all others.
func (s *Store) PoolUse(each func(lane string, inUse, most int)) { s.pool.use(each) }

// acquireLimit ends the waiting for a connection, and nothing else: the pool waits
// with the context that TraceAcquireStart returns, and has no other way to be told.
type acquireLimit time.Duration

var _ pgxpool.AcquireTracer = acquireLimit(0)

// TraceAcquireStart implements pgxpool.AcquireTracer.
func (l acquireLimit) TraceAcquireStart(asker context.Context, pool *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	a, within := &acquiring{asker: asker}, time.Duration(l)
	if stat := pool.Stat(); stat.AcquiredConns() < stat.MaxConns() {
		within = max(within, connectTimeout)
	}
	a.Context, a.cancel = context.WithTimeout(asker, within)
	return a
}

// TraceAcquireEnd implements pgxpool.AcquireTracer.
func (acquireLimit) TraceAcquireEnd(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireEndData) {
	if a, ok := ctx.(*acquiring); ok {
		a.cancel()
	}
}

// TraceQueryStart does nothing; a tracer must have it.
func (acquireLimit) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

// TraceQueryEnd does nothing.
func (acquireLimit) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// acquiring is the context of waiting for a connection.
type acquiring struct {
	context.Context
	asker  context.Context
	cancel context.CancelFunc
}

// errNoConnection does not wrap context.DeadlineExceeded: no work took too long, none
// has begun.
var errNoConnection = fmt.Errorf("%w: no connection became free in time", layer.ErrUnavailable)

// Err says whose patience has ended: the asker's as he says it, or ours.
func (a *acquiring) Err() error {
	err := a.Context.Err()
	if asker := a.asker.Err(); asker != nil {
		return asker
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errNoConnection
	}
	return err
}
