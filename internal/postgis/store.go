package postgis

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/ewkb"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/filter"
	"hatang/internal/layer"
)

// The database roles that answer requests: the one cannot change the schema, the
// history, the audit or a published rule set; the other, of all reading that is not
// staff's, cannot change anything, and sees no people, keys and secrets.
const (
	servingRole = "hatang_app"
	readingRole = "hatang_read"
)

// connectTimeout is how long a connection may take to be made.
const connectTimeout = 5 * time.Second

// Store reads and writes the register through two pools of connections of the
// serving role, one kept from the public. It is safe for concurrent use.
type Store struct {
	pool   *lanes
	layers *layer.Registry
	limits Limits
	known  knownLayers
	edits  atomic.Int64 // writes committed, or broken off so that they may have been

	rowsAsked     rowsAsked
	keysAsked     keysAsked
	sessionsAsked sessionsAsked

	published atomic.Pointer[publications] // settings read last; every use proves them
	proved    atomic.Pointer[proof]        // how far the audit is; nil: nothing of it
}

// Open connects to the database as the serving role and checks that it has what
// Hatang needs. The layers are the literals; Layers has what the database has beside
// them. The store answers requests: see RequestLimits. Close it when done.
func Open(ctx context.Context, url string, layers *layer.Registry) (*Store, error) {
	return OpenWithin(ctx, url, layers, RequestLimits())
}

// OpenWithin is Open with other limits.
func OpenWithin(ctx context.Context, url string, layers *layer.Registry, limits Limits) (*Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	config.ConnConfig.ConnectTimeout = connectTimeout
	maps.Copy(config.ConnConfig.RuntimeParams, limits.settings())
	config.ConnConfig.RuntimeParams["application_name"] = "hatang"
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	// A tile or a page never gains from workers, and each would start PROJ anew.
	config.ConnConfig.RuntimeParams["max_parallel_workers_per_gather"] = "0"
	// Geometry functions look costly enough to be compiled, which takes longer than they do.
	config.ConnConfig.RuntimeParams["jit"] = "off"
	config.ConnConfig.BuildFrontend = buffered
	pool, err := openLanes(ctx, config, acquireTimeout)
	if err != nil {
		return nil, translate("open the pools", err)
	}
	s := &Store{pool: pool, layers: layers.Clone(), limits: limits}
	if err = s.Ready(ctx); err == nil {
		err = s.readLayers(ctx)
	}
	if err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

// buffered reads what the database has sent in larger pieces than the driver does, which
// asks the system for 8 KiB each time: of a whole layer that is thousands of times.
func buffered(r io.Reader, w io.Writer) *pgproto3.Frontend {
	const size = 64 << 10 // bytes of each connection
	return pgproto3.NewFrontend(bufio.NewReaderSize(r, size), w)
}

// become drops the rights of the connection's own user.
func become(role string) func(context.Context, *pgx.Conn) error {
	return func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "SET ROLE "+role)
		return err
	}
}

// Layers returns the store's own registry.
func (s *Store) Layers() *layer.Registry { return s.layers }

// Close waits for running statements and closes the pools.
func (s *Store) Close() { s.pool.Close() }

// Ready reports whether the database answers and has Hatang's schema,
// however busy the public lane is. Connections to a server that is no more do not count
// against the one that has come up since.
func (s *Store) Ready(ctx context.Context) error {
	err := s.ask(ctx)
	if errors.Is(err, layer.ErrUnavailable) && ctx.Err() == nil {
		s.pool.kept.Reset()
		err = s.ask(ctx)
	}
	return err
}

func (s *Store) ask(ctx context.Context) error {
	var layers int
	err := s.pool.kept.QueryRow(ctx, "SELECT count(*) FROM layer_versions").Scan(&layers)
	return translate("ask the database", err)
}

// LayerVersions returns the version of every layer as the viewer is told it: the number
// of changes to rows that he sees. Read in one statement.
func (s *Store) LayerVersions(ctx context.Context, v account.Viewer) (layer.Versions, error) {
	versions, err := shownVersions(ctx, s.pool, v)
	return versions, translate("read the layer versions", err)
}

// shownVersions returns the versions of layers, all where none are named.
func shownVersions(ctx context.Context, q querier, v account.Viewer, names ...string) (layer.Versions, error) {
	everywhere, of := v.Audiences()
	rows, err := q.Query(ctx, `SELECT layer, sum(version)::bigint FROM layer_versions
		WHERE (audience = ANY ($1) OR audience || '/' || layer = ANY ($2)) AND ($3::text[] IS NULL OR layer = ANY ($3)) GROUP BY layer`, everywhere, of, names)
	if err != nil {
		return nil, err
	}
	versions := layer.Versions{}
	var name string
	var version int64
	_, err = pgx.ForEachRow(rows, []any{&name, &version}, func() error {
		versions[name] = version
		return nil
	})
	return versions, err
}

// write runs work in one transaction on behalf of the viewer, whose name the
// history and the audit record.
func (s *Store) write(ctx context.Context, v account.Viewer, doing string, work func(pgx.Tx) error) error {
	err := pgx.BeginFunc(ctx, s.pool.kept, func(tx pgx.Tx) error {
		if err := sign(ctx, tx, v.Name); err != nil {
			return err
		}
		return work(tx)
	})
	s.edits.Add(1)
	return s.seenFiled(ctx, v, translate(doing, err))
}

// sign tells the transaction who is acting, and in which request.
func sign(ctx context.Context, tx querier, who string) error {
	_, err := tx.Exec(ctx, "SELECT set_config('hatang.who', $1, true), set_config('hatang.request', $2, true)", who, account.RequestOf(ctx))
	return err
}

// conditions collects the conditions of a statement and their bound values.
type conditions struct {
	sql     []string
	args    []any
	shownAs int64 // version of the settings that generalise the rows; 0 for none
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
	if len(q.Boxes) > 0 {
		c.add("%s", c.meets("geom", q.Boxes))
	}
	if err := c.filter(q.Filter, l); err != nil {
		return err
	}
	return c.equalities(q, l)
}

// meets is the condition that a geometry meets any of the boxes, their edges included.
func (c *conditions) meets(geometry string, boxes []orb.Bound) string {
	any := make([]string, len(boxes))
	for i, b := range boxes {
		any[i] = "ST_Intersects(" + geometry + ", " + c.bindBox(b) + ")"
	}
	return "(" + strings.Join(any, " OR ") + ")"
}

// bindBox binds a box as the geometry that it is: a point or a line where it has no area,
// because a polygon without area meets nothing. As one value it is never made anew for a row.
func (c *conditions) bindBox(b orb.Bound) string {
	var g orb.Geometry = b.ToPolygon()
	switch {
	case b.Min == b.Max:
		g = b.Min
	case b.Min[0] == b.Max[0] || b.Min[1] == b.Max[1]:
		g = orb.LineString{b.Min, b.Max}
	}
	return c.bind(ewkb.MustMarshalToHex(g, layer.SRID)) + "::geometry"
}

// filter adds a filter, which sees the columns of the view and nothing of the table.
func (c *conditions) filter(asked layer.Filter, l *layer.Layer) error {
	if asked == nil {
		return nil
	}
	f, ok := asked.(*filter.Filter)
	if !ok {
		return fmt.Errorf("a filter of type %T has no SQL", asked)
	}
	for _, name := range f.Properties() {
		if _, ok := l.Queryable(name); !ok && !l.IsGeometry(name) {
			return fmt.Errorf("the filter was checked for another layer: %s has no %q", l.Name, name)
		}
	}
	column := func(name string) string {
		if f, ok := l.Queryable(name); ok {
			return "t." + quote(f.Name)
		}
		return "t.geom"
	}
	c.add("%s", f.SQL(column, c.bind))
	return nil
}

func (c *conditions) equalities(q layer.Query, l *layer.Layer) error {
	var faults layer.Faults
	for _, e := range q.Equal {
		f, ok := l.Queryable(e.Field)
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
