package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// areaFlags are the flags of an import of areas that lie beside each other.
type areaFlags struct {
	Complete       bool `help:"The file is the whole structure of a level of units from --in-force on: units that it lacks end on that day."`
	AcceptGaps     bool `help:"With --complete: take the structure although units leave gaps."`
	AcceptOverlaps bool `help:"Take units or zones although they overlap each other, or what is there on the same dates."`
}

// check refuses flags that do not go together.
func (f areaFlags) check(inForce, as string) error {
	switch {
	case f.Complete && (inForce == "" || as != ""):
		return usageError{errors.New("--complete is a change of structure: it goes with --in-force DATE and a layer of units")}
	case f.AcceptGaps && !f.Complete:
		return usageError{errors.New("--accept-gaps goes with --complete; other imports tell of gaps and refuse none")}
	}
	return nil
}

// into imports features into a layer; of areas that lie beside each other it reports how
// they do, nil of others.
func (f areaFlags) into(ctx context.Context, env *environment, store *postgis.Store, l *layer.Layer, o postgis.ImportOptions, read func(add func(postgis.Incoming) error) error) (postgis.ImportSummary, *postgis.AreasReport, error) {
	if f.Complete && layer.LevelOf(l.Name) == "" {
		return postgis.ImportSummary{}, nil, usageError{fmt.Errorf("%s are no units: --complete is for provinces, districts and communes", l.Name)}
	}
	if _, asked := l.Coverage(); !asked {
		if f.AcceptOverlaps {
			return postgis.ImportSummary{}, nil, usageError{fmt.Errorf("%s are neither units nor zones: --accept-overlaps is for these", l.Name)}
		}
		summary, err := store.Import(ctx, env.viewer(), l, o, read)
		return summary, nil, err
	}
	summary, report, err := store.ImportAreas(ctx, env.viewer(), l, o, postgis.AreasOptions{Complete: f.Complete, AcceptGaps: f.AcceptGaps, AcceptOverlaps: f.AcceptOverlaps}, read)
	return summary, &report, err
}

// areasRefused reports whether areas were refused as they lie beside each other.
func areasRefused(r *postgis.AreasReport) bool { return r != nil && len(r.Structure) > 0 }

// printAreas writes what an import of areas did beside what every import does.
func printAreas(env *environment, r *postgis.AreasReport) {
	if r == nil {
		return
	}
	if len(r.Ended) > 0 {
		fmt.Fprintf(env.stdout, "units that end: %d (%s)\n", len(r.Ended), someOf(r.Ended))
	}
	printConcerned(env, r.ZonesKept, r.Grants)
	if r.Coverage != nil {
		fmt.Fprint(env.stdout, "beside each other: ")
		printCoverage(env.stdout, *r.Coverage)
	}
	if r.NewOverlaps.Count > 0 {
		fmt.Fprintf(env.stdout, "of these the file makes: %d overlaps (%.0f m²), on any date\n", r.NewOverlaps.Count, r.NewOverlaps.AreaM2)
		printDefects(env.stdout, "overlap", r.NewOverlaps)
	}
	for _, f := range r.Structure {
		fmt.Fprintf(env.stdout, "refused: %s\n", strings.TrimSpace(f.Detail.In(env.language)))
	}
}

type unitsEndCommand struct {
	Level string `arg:"" enum:"districts" help:"Level that ends: ${enum}."`

	DryRun bool `help:"Say what would change; change nothing."`
	JSON   bool `name:"json" help:"Write the summary as JSON."`
}

// Run ends the level on the day that --date says.
func (c *unitsEndCommand) Run(ctx context.Context, g *globals, env *environment) error {
	day, err := g.dayOfChange()
	if err != nil {
		return err
	}
	return g.withStore(ctx, env, func(_ *database, store *postgis.Store) error {
		summary, err := store.EndDistricts(ctx, env.viewer(), day, c.DryRun)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(env.stdout, summary)
		}
		fmt.Fprintf(env.stdout, "%s: %d end on %s (%s), %d communes belong to none from then on\n", c.Level, len(summary.Ended), day, someOf(summary.Ended), summary.Detached)
		printConcerned(env, 0, summary.Grants)
		if c.DryRun {
			fmt.Fprintln(env.stdout, "Dry run: nothing was changed.")
		}
		return nil
	})
}
