package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"hatang/internal/formats"
	"hatang/internal/permit"
	"hatang/internal/postgis"
)

// runNetwork judges the masts of an operator and writes them, CSV where nothing else is
// said. Masts that do not conform are the exit status 1.
func (c *checkCommand) runNetwork(ctx context.Context, g *globals, env *environment, knownAt time.Time) error {
	format, book, err := c.networkFormat()
	if err != nil {
		return err
	}
	return g.withStore(ctx, env, func(_ *database, s *postgis.Store) error {
		date, err := g.referenceDate(ctx, s)
		if err != nil {
			return err
		}
		checker, q := permit.NewChecker(s), permit.Question{Viewer: env.viewer(), Date: date(), KnownAt: knownAt}
		var summary permit.NetworkSummary
		err = writeFile(env, c.Out, 0o644, func(out io.Writer) (err error) {
			if !book {
				summary, err = checker.Network(ctx, q, c.Network, env.language, format, out)
				return err
			}
			table := formats.NewTableWriter(out, "network", permit.IsNetworkNumber)
			summary, err = checker.Network(ctx, q, c.Network, env.language, format, table)
			return errors.Join(err, table.End(err))
		})
		if err != nil {
			return err
		}
		return tellNetwork(env, &summary)
	})
}

// networkFormat is that of --out by its name, else JSON where that is asked for, else CSV.
func (c *checkCommand) networkFormat() (f permit.NetworkFormat, book bool, err error) {
	if c.File != "" || c.Nearest > 0 || c.EachOther || c.MastType != "" {
		return 0, false, usageError{errors.New("--network stands alone: with --out, --json, --known-at and --date")}
	}
	switch strings.ToLower(filepath.Ext(c.Out)) {
	case ".csv":
		return permit.NetworkCSV, false, nil
	case workbook:
		return permit.NetworkCSV, true, nil
	case ".json":
		return permit.NetworkJSON, false, nil
	case ".ndjson", ".jsonl":
		return permit.NetworkLines, false, nil
	case "":
		if c.JSON {
			return permit.NetworkJSON, false, nil
		}
		return permit.NetworkCSV, false, nil
	}
	return 0, false, usageError{fmt.Errorf("%s: a network is written as .csv, .xlsx, .json or .ndjson", c.Out)}
}

// tellNetwork writes the summary to standard error: a line for all, for each district and for
// each rule that some mast of a district does not pass.
func tellNetwork(env *environment, s *permit.NetworkSummary) error {
	tell := func(of string, n permit.NetworkCounts) {
		fmt.Fprintf(env.stderr, "%s%d masts: %d conform, %d but for advice, %d do not, %d not known; %d stood before what they miss\n",
			of, n.Masts, n.Permitted, n.Conditional, n.Refused, n.Undetermined, n.BeforePlan)
	}
	tell("", s.NetworkCounts)
	for _, d := range s.Districts {
		tell("district "+d.District+": ", d.NetworkCounts)
	}
	for _, r := range s.Rules {
		fmt.Fprintf(env.stderr, "%s in district %s: %d fail, %d on condition, %d not known\n", r.Rule, r.District, r.Fail, r.Condition, r.Unknown)
	}
	if s.Refused > 0 {
		return errFindings
	}
	return nil
}
