package localdb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	keeperLog = "keeper.log"
	// keeperLogMax is the size in bytes at which a new keeper begins its log anew.
	keeperLogMax = 1 << 20
)

// SQLSTATEs met while a cluster comes up.
const (
	cannotConnectNow = "57P03"
	noSuchDatabase   = "3D000"
)

// ensureRunning starts the keeper unless one runs, and returns when the database answers and
// holds its roles and extensions. One process at a time does so.
func (c *Cluster) ensureRunning(ctx context.Context) error {
	start, err := locked(ctx, c.place.home, startLock, syscall.LOCK_EX)
	if err != nil {
		return err
	}
	defer start.close()
	alive, err := keeperAlive(c.place.home)
	if err != nil {
		return err
	}
	var died <-chan error // nil: a keeper that is not our child
	if !alive {
		if died, err = c.launch(ctx); err != nil {
			return err
		}
	}
	return poll(ctx, "waiting for PostgreSQL to start", func() (bool, error) {
		err := c.answers(ctx)
		if err == nil || !comingUp(err) {
			return err == nil, err
		}
		if died != nil {
			select {
			case err := <-died:
				return false, c.explain(err)
			default:
				return false, nil
			}
		}
		// Ended between our look and now, for the last user before us.
		if alive, err = keeperAlive(c.place.home); err == nil && !alive {
			died, err = c.launch(ctx)
		}
		return false, err
	})
}

// answers is nil once the database answers and holds what belongs in it. A server that says of
// itself that it is not ready is not asked: it would note every try in its log.
func (c *Cluster) answers(ctx context.Context) error {
	if !saysReady(c.place.data()) {
		return errNotReady
	}
	dir, err := c.place.socketDir()
	if err != nil {
		return err
	}
	c.socket.Store(&dir)
	return c.bootstrap(ctx)
}

var errNotReady = errors.New("PostgreSQL is starting")

// launch makes the data folder if there is none and starts a keeper; the channel tells its end.
func (c *Cluster) launch(ctx context.Context) (<-chan error, error) {
	installs, err := findInstalls(ctx, c.opt.BinDir)
	if err != nil {
		return nil, err
	}
	in, err := chooseInstall(installs, c.place.data())
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(c.place.data()); errors.Is(err, fs.ErrNotExist) {
		c.opt.Progress(fmt.Sprintf("Making a private PostgreSQL %d database in %s", in.major, c.opt.Dir))
		if err := c.place.initData(ctx, in); err != nil {
			return nil, err
		}
	}
	if err := c.place.makeDir(c.place.logs()); err != nil {
		return nil, fmt.Errorf("make the log folder: %w", err)
	}
	socket, err := c.place.makeSocketDir()
	if err != nil {
		return nil, fmt.Errorf("make the socket's folder: %w", err)
	}
	me, err := settle(c.place.home)
	if err != nil {
		return nil, err
	}
	if err := c.place.writeConfig(socket, []string{me.user, currentUser(), "root", serverUser}); err != nil {
		return nil, err
	}
	c.opt.Progress("Starting the database")
	return c.spawn(ctx, in)
}

// spawn runs the keeper in a session of its own, so that neither Ctrl-C nor the end of a
// terminal reaches it.
func (c *Cluster) spawn(ctx context.Context, in install) (<-chan error, error) {
	logFile, err := os.OpenFile(filepath.Join(c.place.home, keeperLog), os.O_WRONLY|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the keeper's log: %w", noSpace(err))
	}
	defer func() { _ = logFile.Close() }() // the child has its own descriptor
	if info, err := logFile.Stat(); err == nil && info.Size() > keeperLogMax {
		if err := logFile.Truncate(0); err != nil {
			return nil, fmt.Errorf("shorten the keeper's log: %w", err)
		}
	}
	args := slices.Concat(c.opt.KeeperCommand[1:], []string{c.place.home, in.bin})
	cmd := exec.CommandContext(context.WithoutCancel(ctx), c.opt.KeeperCommand[0], args...) // outlives us
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = logFile, logFile
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the database's keeper: %w", err)
	}
	died := make(chan error, 1)
	go func() { died <- cmd.Wait() }()
	return died, nil
}

// explain makes the sentence for a keeper that ended before the database answered.
func (c *Cluster) explain(err error) error {
	if err == nil {
		err = errors.New("the keeper ended")
	}
	path := filepath.Join(c.place.home, keeperLog)
	raw, readErr := os.ReadFile(path)
	if readErr != nil {
		return fmt.Errorf("PostgreSQL does not start: %w", errors.Join(err, readErr))
	}
	said := lastLines(string(raw), 4)
	if cause := causeIn(said); cause != nil {
		err = fmt.Errorf("%w (%w)", cause, err)
	}
	return fmt.Errorf("PostgreSQL does not start: %w: %s (more in %s and %s)", err, said, path, c.place.logs())
}

// bootstrap connects as the owner and makes what is missing: database, role, extensions.
func (c *Cluster) bootstrap(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.url(ownerRole, database))
	if pgErr := (*pgconn.PgError)(nil); errors.As(err, &pgErr) && pgErr.Code == noSuchDatabase {
		c.opt.Progress("Adding PostGIS to the database")
		if err := run(ctx, c.url(ownerRole, "postgres"), "CREATE DATABASE "+database); err != nil {
			return err
		}
		conn, err = pgx.Connect(ctx, c.url(ownerRole, database))
	}
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // nothing is pending on it
	var app, read, member, postgis, gist bool
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1), EXISTS (SELECT FROM pg_roles WHERE rolname = $2),
		EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles a ON a.oid = m.member JOIN pg_roles r ON r.oid = m.roleid WHERE a.rolname = $1 AND r.rolname = $2),
		EXISTS (SELECT FROM pg_extension WHERE extname = 'postgis'),
		EXISTS (SELECT FROM pg_extension WHERE extname = 'btree_gist')`, appRole, readRole).Scan(&app, &read, &member, &postgis, &gist)
	if err != nil {
		return fmt.Errorf("look what the database holds: %w", err)
	}
	steps := []struct {
		there bool
		sql   string
	}{{app, "CREATE ROLE " + appRole + " LOGIN"}, {read, "CREATE ROLE " + readRole + " NOLOGIN"}, {member, "GRANT " + readRole + " TO " + appRole}, {postgis, "CREATE EXTENSION postgis"}, {gist, "CREATE EXTENSION btree_gist"}}
	for _, s := range steps {
		if s.there {
			continue
		}
		if _, err := conn.Exec(ctx, s.sql); err != nil {
			return fmt.Errorf("%s: %w", s.sql, err)
		}
	}
	return nil
}

// run executes one statement over a connection of its own.
func run(ctx context.Context, url, sql string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

// comingUp says whether an error is that of a server which does not listen yet, is still
// recovering, or went away in the middle.
func comingUp(err error) bool {
	if pgErr := (*pgconn.PgError)(nil); errors.As(err, &pgErr) {
		return pgErr.Code == cannotConnectNow || pgErr.Code[:3] == "57P"
	}
	netErr := (*net.OpError)(nil)
	return errors.Is(err, errNotReady) || errors.As(err, &netErr) || pgconn.Timeout(err) || errors.Is(err, os.ErrNotExist) || isEOF(err)
}
