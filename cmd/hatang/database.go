package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/user"
	"strings"
	"time"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/localdb"
	"hatang/internal/postgis"
)

// database is where a command finds its data. Its layers are the literals until its store
// has been opened.
type database struct {
	ownerURL, appURL string
	layers           *layer.Registry
	cluster          *localdb.Cluster // nil with a database URL
}

// stopTimeout is how long a command waits for its private cluster to stop.
const stopTimeout = 30 * time.Second

// open finds the database of a command: the one of the URL, else the private
// cluster, which it joins or starts.
func (g *globals) open(ctx context.Context, env *environment) (*database, error) {
	layers, err := layer.Layers()
	if err != nil {
		return nil, fmt.Errorf("the registry of layers: %w", err)
	}
	if g.DatabaseURL != "" {
		if err := postgis.CheckServer(ctx, g.DatabaseURL); err != nil {
			return nil, err
		}
		return &database{ownerURL: g.DatabaseURL, appURL: g.DatabaseURL, layers: layers}, nil
	}
	cluster, err := localdb.Open(ctx, localdb.Options{
		Dir: g.Data, Log: slog.New(slog.NewTextHandler(env.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Progress: func(step string) { fmt.Fprintln(env.stderr, step) },
	})
	if err != nil {
		return nil, err
	}
	return &database{ownerURL: cluster.OwnerURL(), appURL: cluster.AppURL(), layers: layers, cluster: cluster}, nil
}

// close leaves the private cluster; the last to leave stops it.
func (d *database) close(ctx context.Context) error {
	if d.cluster == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	return d.cluster.Close(ctx)
}

// migrate brings the schema up to date.
func (d *database) migrate(ctx context.Context) error {
	return postgis.Migrate(ctx, d.ownerURL, d.layers)
}

// store opens the register for a command that needs its schema to be there.
func (d *database) store(ctx context.Context) (*postgis.Store, error) {
	s, err := postgis.OpenWithin(ctx, d.appURL, d.layers, postgis.TerminalLimits())
	if errors.Is(err, postgis.ErrNoSchema) {
		return nil, fmt.Errorf("%w: run `hatang migrate`, or `hatang serve --demo` for the demonstration", err)
	}
	if err != nil {
		return nil, err
	}
	d.layers = s.Layers()
	return s, nil
}

// layer returns the layer that the person named.
func (d *database) layer(name string) (*layer.Layer, error) {
	layers := d.layers.Whole()
	if l, ok := layers.Get(name); ok {
		return l, nil
	}
	var names []string
	for _, l := range layers.All() {
		names = append(names, l.Name)
	}
	return nil, usageError{fmt.Errorf("there is no layer %q; layers are %s", name, strings.Join(names, ", "))}
}

// withDatabase runs work on the globals' database and leaves it afterwards.
func (g *globals) withDatabase(ctx context.Context, env *environment, work func(*database) error) (err error) {
	db, err := g.open(ctx, env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close(ctx)) }()
	return work(db)
}

// withStore runs work on the register of the globals' database.
func (g *globals) withStore(ctx context.Context, env *environment, work func(*database, *postgis.Store) error) error {
	return g.withDatabase(ctx, env, func(db *database) error {
		s, err := db.store(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		return work(db, s)
	})
}

// withAdmin runs work that takes the owner's rights.
func (d *database) withAdmin(ctx context.Context, work func(*postgis.Admin) error) (err error) {
	admin, err := postgis.OpenAdmin(ctx, d.ownerURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, admin.Close(ctx)) }()
	return work(admin)
}

// checkDate refuses a --date that is none before anything is started for it.
func (g *globals) checkDate() error {
	if g.Date == "" || g.Date == "today" {
		return nil
	}
	if _, err := geo.ParseDate(g.Date); err != nil {
		return usageError{fmt.Errorf("--date: %w", err)}
	}
	return nil
}

// daysIn returns the day that it is in a time zone.
func daysIn(zone *time.Location, now func() time.Time) func() geo.Date {
	return func() geo.Date { return geo.DateOf(now().In(zone)) }
}

// referenceDate is the date that answers are for: the one asked, else that of a
// demonstration in the database, else today. Every command of one database answers
// for the same day.
func (g *globals) referenceDate(ctx context.Context, store *postgis.Store) (func() geo.Date, error) {
	zone, err := store.Zone(ctx)
	if err != nil {
		return nil, err
	}
	today := daysIn(zone, time.Now)
	fixed := func(d geo.Date) func() geo.Date { return func() geo.Date { return d } }
	switch g.Date {
	case "today":
		return today, nil
	case "":
	default:
		d, err := geo.ParseDate(g.Date)
		return fixed(d), err
	}
	plans, err := store.Plans(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range plans {
		if !p.ReferenceDate.IsZero() {
			return fixed(p.ReferenceDate), nil
		}
	}
	return today, nil
}

// viewer is the person at the terminal, who has the database in hand anyway.
func (env *environment) viewer() account.Viewer { return account.Terminal(env.user) }

func unixUser(getenv func(string) string) string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	if name := getenv("USER"); name != "" {
		return name
	}
	return "unknown"
}
