package postgis

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// servingRole is the database role that answers requests: it cannot change the
// schema, the history or a published rule set.
const servingRole = "hatang_app"

// Limits of the serving connections.
const (
	connectTimeout   = 5 * time.Second
	statementTimeout = 30 * time.Second
	lockTimeout      = 2 * time.Second
	idleInTxTimeout  = 60 * time.Second
)

// Store reads and writes the register through a pool of connections of the serving
// role. It is safe for concurrent use.
type Store struct {
	pool   *pgxpool.Pool
	layers *layer.Registry
	edits  atomic.Int64 // writes committed, or broken off so that they may have been
}

// Open connects to the database as the serving role and checks that it has what
// Hatang needs. Close the store when done.
func Open(ctx context.Context, url string, layers *layer.Registry) (*Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	config.ConnConfig.ConnectTimeout = connectTimeout
	config.MinConns = 1
	if config.MaxConns < 8 {
		config.MaxConns = 8
	}
	for name, value := range map[string]time.Duration{
		"statement_timeout": statementTimeout, "lock_timeout": lockTimeout, "idle_in_transaction_session_timeout": idleInTxTimeout,
	} {
		config.ConnConfig.RuntimeParams[name] = fmt.Sprint(value.Milliseconds())
	}
	config.ConnConfig.RuntimeParams["application_name"] = "hatang"
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	// A tile or a page never gains from workers, and each would start PROJ anew.
	config.ConnConfig.RuntimeParams["max_parallel_workers_per_gather"] = "0"
	// Geometry functions look costly enough to be compiled, which takes longer than they do.
	config.ConnConfig.RuntimeParams["jit"] = "off"
	config.AfterConnect = becomeServingRole
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, translate("open the pool", err)
	}
	s := &Store{pool: pool, layers: layers}
	if err := s.Ready(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

// becomeServingRole drops the rights of the connection's own user.
func becomeServingRole(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "SET ROLE "+servingRole)
	return err
}

// Close waits for running statements and closes the pool.
func (s *Store) Close() { s.pool.Close() }

// Ready reports whether the database answers and has Hatang's schema.
func (s *Store) Ready(ctx context.Context) error {
	var layers int
	err := s.pool.QueryRow(ctx, "SELECT count(*) FROM layer_versions").Scan(&layers)
	return translate("ask the database", err)
}

// LayerVersions returns the version of every layer, read in one statement.
func (s *Store) LayerVersions(ctx context.Context) (layer.Versions, error) {
	rows, err := s.pool.Query(ctx, "SELECT layer, version FROM layer_versions")
	if err != nil {
		return nil, translate("read the layer versions", err)
	}
	versions := layer.Versions{}
	var name string
	var version int64
	_, err = pgx.ForEachRow(rows, []any{&name, &version}, func() error {
		versions[name] = version
		return nil
	})
	return versions, translate("read the layer versions", err)
}

// write runs work in one transaction on behalf of the viewer, whose name the
// history records.
func (s *Store) write(ctx context.Context, v account.Viewer, doing string, work func(pgx.Tx) error) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT set_config('hatang.who', $1, true)", v.Name); err != nil {
			return err
		}
		return work(tx)
	})
	s.edits.Add(1)
	return translate(doing, err)
}

// conditions collects the conditions of a statement and their bound values.
type conditions struct {
	sql  []string
	args []any
}

// bind adds a value and returns its placeholder.
func (c *conditions) bind(value any) string {
	c.args = append(c.args, value)
	return fmt.Sprintf("$%d", len(c.args))
}

func (c *conditions) add(format string, args ...any) {
	c.sql = append(c.sql, fmt.Sprintf(format, args...))
}

// where returns the WHERE clause, or nothing when all rows are wanted.
func (c *conditions) where() string {
	if len(c.sql) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.sql, " AND ")
}

// visible adds what the viewer may see of the layer: the one place where rights
// on rows become SQL.
func (c *conditions) visible(v account.Viewer, l *layer.Layer) {
	if v.SeesWithheld() {
		return
	}
	if l.WithheldField != "" {
		c.add("%s <> ALL (%s)", quote(l.WithheldField), c.bind(l.WithheldValues))
	}
	if l.Has("status") {
		if v.Organisation != "" {
			c.add("(status <> 'draft' OR owner_organisation = %s)", c.bind(v.Organisation))
		} else {
			c.add("status <> 'draft'")
		}
	}
}

// inForce selects the rows in force on a date.
func (c *conditions) inForce(date geo.Date) {
	day := c.bind(date.Time())
	c.add("valid_from <= %s::date AND (valid_to IS NULL OR valid_to > %s::date)", day, day)
}

// matching adds the conditions of a query.
func (c *conditions) matching(q layer.Query, l *layer.Layer) error {
	switch {
	case !q.Date.IsZero():
		c.inForce(q.Date)
	default:
		if !q.Span[1].IsZero() {
			c.add("valid_from <= %s::date", c.bind(q.Span[1].Time()))
		}
		if !q.Span[0].IsZero() {
			c.add("(valid_to IS NULL OR valid_to > %s::date)", c.bind(q.Span[0].Time()))
		}
	}
	var boxes []string
	for _, b := range q.Boxes {
		boxes = append(boxes, fmt.Sprintf("ST_Intersects(geom, ST_MakeEnvelope(%s, %s, %s, %s, %d))",
			c.bind(b.Min[0]), c.bind(b.Min[1]), c.bind(b.Max[0]), c.bind(b.Max[1]), layer.SRID))
	}
	if len(boxes) > 0 {
		c.add("(%s)", strings.Join(boxes, " OR "))
	}
	return c.equalities(q, l)
}

func (c *conditions) equalities(q layer.Query, l *layer.Layer) error {
	var faults layer.Faults
	for _, e := range q.Equal {
		f, ok := l.Field(e.Field)
		if !ok {
			faults.Add(e.Field, "lớp %s không có trường này", "the layer %s has no such field", l.Name)
			continue
		}
		value, err := f.ParseText(e.Value)
		switch {
		case err != nil:
			faults.AddError(e.Field, err)
		case f.Kind == layer.TextList:
			c.add("%s @> %s", quote(f.Name), c.bind(value))
		case f.Kind == layer.Timestamp, f.Kind == layer.Date:
			c.add("%s = %s::text::%s", quote(f.Name), c.bind(e.Value), f.Kind.Column())
		default:
			c.add("%s = %s", quote(f.Name), c.bind(value))
		}
	}
	return faults.Err()
}
