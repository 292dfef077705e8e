package main

import (
	"context"
	"fmt"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

type doctorCommand struct {
	JSON bool `name:"json" help:"Write the findings as JSON."`
}

// health is what the doctor found.
type health struct {
	Version  string         `json:"version"`
	Database string         `json:"database"`
	Server   string         `json:"server"`
	Layers   layer.Versions `json:"layer_versions"`
	Problems []string       `json:"problems"`
	Warnings []string       `json:"warnings"` // of what is to be done in time
}

// Run says what is installed, reachable and consistent; problems are exit status 1.
func (c *doctorCommand) Run(ctx context.Context, g *globals, env *environment) error {
	h := health{Version: version, Database: g.DatabaseURL, Problems: []string{}, Warnings: []string{}}
	if h.Database != "" {
		h.Database = "the database of the URL"
	} else {
		h.Database = "the private cluster in " + g.Data
	}
	if err := c.examine(ctx, g, env, &h); err != nil {
		h.Problems = append(h.Problems, err.Error())
	}
	if c.JSON {
		if err := writeJSON(env.stdout, h); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(env.stdout, "hatang %s\n%s: %s\n", h.Version, h.Database, h.Server)
		for _, warning := range h.Warnings {
			fmt.Fprintln(env.stdout, "warning:", warning)
		}
		for _, problem := range h.Problems {
			fmt.Fprintln(env.stdout, "problem:", problem)
		}
		if len(h.Problems) == 0 {
			fmt.Fprintf(env.stdout, "%d layers, no problems found\n", len(h.Layers))
		}
	}
	if len(h.Problems) > 0 {
		return errFindings
	}
	return nil
}

func (c *doctorCommand) examine(ctx context.Context, g *globals, env *environment, h *health) error {
	return g.withDatabase(ctx, env, func(db *database) (err error) {
		if h.Server, err = postgis.ServerVersion(ctx, db.ownerURL); err != nil {
			return err
		}
		store, err := db.store(ctx)
		if err != nil {
			return err
		}
		defer store.Close()
		if h.Layers, err = store.LayerVersions(ctx, env.viewer()); err != nil {
			return err
		}
		for name := range h.Layers { // rule sets and plans have versions too, and are no layers
			if _, ok := db.layers.Whole().Get(name); !ok {
				delete(h.Layers, name)
			}
		}
		problems, err := store.Inconsistencies(ctx)
		h.Problems = append(h.Problems, problems...)
		if err != nil {
			return err
		}
		if h.Warnings, err = calendarWarnings(ctx, store); err != nil {
			return err
		}
		broken, err := store.AuditBrokenAt(ctx)
		if broken != 0 {
			h.Problems = append(h.Problems, fmt.Sprintf("the audit is not as it was written, from entry %d on", broken))
		}
		return err
	})
}

// calendarWarnings says of which years the calendars must soon have lists.
func calendarWarnings(ctx context.Context, store *postgis.Store) ([]string, error) {
	warnings := []string{}
	codes, err := store.Calendars(ctx)
	if err != nil {
		return warnings, err
	}
	for _, code := range codes {
		sheet, err := store.Calendar(ctx, code, geo.Date{}, geo.Date{})
		if err != nil {
			return warnings, err
		}
		if warning := calendarWarning(sheet); warning != "" {
			warnings = append(warnings, warning)
		}
	}
	return warnings, nil
}
