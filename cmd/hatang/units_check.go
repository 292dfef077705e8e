package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

type unitsCheckCommand struct {
	Layer string `arg:"" help:"Layer whose areas are looked at: communes, districts, provinces, or one of the zones."`

	JSON bool `name:"json" help:"Write the report as JSON."`
}

// checkReport is what a check of a coverage tells.
type checkReport struct {
	Layer string   `json:"layer"`
	Date  geo.Date `json:"date"`
	layer.CoverageReport
}

// Run looks for overlaps and gaps; exit status 1 where there are any.
func (c *unitsCheckCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withStore(ctx, env, func(db *database, store *postgis.Store) error {
		l, err := db.layer(c.Layer)
		if err != nil {
			return err
		}
		date, err := g.referenceDate(ctx, store)
		if err != nil {
			return err
		}
		report, asked, err := store.Coverage(ctx, env.viewer(), l, date())
		if err != nil {
			return err
		}
		if !asked {
			return usageError{fmt.Errorf("%s are neither units nor zones: nothing is asked of how they lie beside each other", l.Name)}
		}
		if c.JSON {
			err = writeJSON(env.stdout, checkReport{l.Name, date(), report})
		} else {
			fmt.Fprintf(env.stdout, "%s on %s: ", l.Name, date())
			printCoverage(env.stdout, report)
		}
		if err == nil && !report.Clean() {
			err = errFindings
		}
		return err
	})
}

// maxShownDefects keeps a layer of nonsense from filling the terminal.
const maxShownDefects = 10

// printCoverage writes how many defects there are, and the largest.
func printCoverage(out io.Writer, r layer.CoverageReport) {
	fmt.Fprintf(out, "%d overlaps (%.0f m²), %d gaps (%.0f m²)\n", r.Overlaps.Count, r.Overlaps.AreaM2, r.Gaps.Count, r.Gaps.AreaM2)
	printDefects(out, "overlap", r.Overlaps)
	printDefects(out, "gap", r.Gaps)
	if o, g := r.Overlaps.Slivers, r.Gaps.Slivers; o.Count+g.Count > 0 {
		fmt.Fprintf(out, "  not counted, because they are below %g m² or %g m wide: %d overlaps (%.3f m²), %d gaps (%.3f m²)\n", o.BelowM2, o.BelowWidthM, o.Count, o.AreaM2, g.Count, g.AreaM2)
	}
}

func printDefects(out io.Writer, kind string, of layer.Defects) {
	for i, d := range of.Largest {
		if i == maxShownDefects {
			fmt.Fprintf(out, "  … and %d more %ss (--json lists %d)\n", of.Count-i, kind, len(of.Largest))
			break
		}
		fmt.Fprintf(out, "  %s of %.0f m² at %.6f, %.6f", kind, d.AreaM2, d.At[0], d.At[1])
		if len(d.Codes) > 0 {
			fmt.Fprintf(out, ": %s", strings.Join(d.Codes, ", "))
		}
		fmt.Fprintln(out)
	}
}
