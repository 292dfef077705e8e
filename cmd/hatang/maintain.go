package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/localdb"
	"hatang/internal/plan"
	"hatang/internal/postgis"
)

type migrateCommand struct{}

// Run brings the schema up to date.
func (*migrateCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withDatabase(ctx, env, func(db *database) error {
		if err := db.migrate(ctx); err != nil {
			return err
		}
		fmt.Fprintln(env.stdout, "The schema is up to date.")
		return nil
	})
}

type demoCommand struct {
	Pack string `type:"existingdir" placeholder:"DIR" help:"Folder of another plan pack; default the embedded one of Điện Biên."`
}

// Run loads the demonstration into an empty database.
func (c *demoCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withDatabase(ctx, env, func(db *database) error {
		if err := db.migrate(ctx); err != nil {
			return err
		}
		loaded, err := c.load(ctx, db, env.stderr)
		if err == nil && !loaded {
			fmt.Fprintln(env.stdout, "The database holds data already; nothing was loaded.")
		}
		return err
	})
}

func (c *demoCommand) load(ctx context.Context, db *database, progress io.Writer) (bool, error) {
	if c.Pack == "" {
		return loadDemo(ctx, db, progress)
	}
	pack, err := plan.Parse(os.DirFS(c.Pack))
	if err != nil {
		return false, err
	}
	return loadPack(ctx, db, pack, progress)
}

// loadDemo loads the embedded pack unless the database holds a plan.
func loadDemo(ctx context.Context, db *database, progress io.Writer) (bool, error) {
	files, err := plan.DienBien()
	if err != nil {
		return false, fmt.Errorf("the demonstration pack: %w", err)
	}
	pack, err := plan.Parse(files)
	if err != nil {
		return false, fmt.Errorf("the demonstration pack: %w", err)
	}
	return loadPack(ctx, db, pack, progress)
}

// loadPack puts a pack into an empty database, and says whether it did.
func loadPack(ctx context.Context, db *database, pack *plan.Pack, progress io.Writer) (loaded bool, err error) {
	err = db.withAdmin(ctx, func(admin *postgis.Admin) error {
		start, features := time.Now(), 0
		loaded, err = admin.LoadPack(ctx, pack, db.layers, readLayerFile, func(_ string, rows int) { features += rows })
		if loaded {
			fmt.Fprintf(progress, "Loaded %d features of %s in %.1f s.\n", features, pack.Title.EN, time.Since(start).Seconds())
		}
		return err
	})
	return loaded, err
}

// readLayerFile reads one layer of a pack. A column of its own is a fault: packs
// are ours.
func readLayerFile(file plan.LayerFile, l *layer.Layer, add func(postgis.Incoming) error) (err error) {
	in, err := file.Open()
	if err != nil {
		return fmt.Errorf("open the features of %s: %w", l.Name, err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	return formats.ReadGeoJSON(in, l, nil, func(r formats.Record) error {
		for _, name := range r.NotTaken {
			r.Faults.Add("/properties/"+name, "không phải trường của lớp", "is no field of the layer")
		}
		return add(postgis.Incoming{Row: r.Row, Feature: r.Feature, Faults: r.Faults})
	})
}

type keeperCommand struct {
	Args []string `arg:"" optional:"" passthrough:""`
}

// Run is the small process that keeps the private cluster while anyone uses it.
func (c *keeperCommand) Run(ctx context.Context) error { return localdb.Keeper(ctx, c.Args) }
