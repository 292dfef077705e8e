package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

type unitsCommand struct {
	Lineage unitsLineageCommand `cmd:"" help:"Say what became of administrative units: a CSV table of old and new codes, for the day given by --date."`
	End     unitsEndCommand     `cmd:"" help:"End a level of units on --date."`
	Check   unitsCheckCommand   `cmd:"" help:"Look for overlaps and gaps of units or zones in force on --date; exit status 1 where there are any."`
}

type unitsLineageCommand struct {
	File string `arg:"" type:"existingfile" help:"CSV table: old and new codes (old_code, new_code or mã cũ, mã mới), how much went over (merge_type: full, partial)."`

	Level    string `enum:"province,district,commune" default:"commune" help:"Level of the units of rows that do not say it: ${enum}."`
	Act      string `help:"The decree or resolution, of rows that do not say it."`
	Source   string `help:"Where the table was taken from; default the name of the file."`
	Complete bool   `help:"The file has all that happened on its days: links that it lacks are removed."`
	Merge    bool   `help:"Put it into force, too: old communes end, new ones have the united shapes of what went into them whole."`
	DryRun   bool   `help:"Say what would change; change nothing."`
	JSON     bool   `name:"json" help:"Write the summary as JSON."`
}

// lineageReport is what an import of links tells.
type lineageReport struct {
	postgis.LineageSummary
	NotTaken []string `json:"columns_not_taken"`
}

// Run brings the links of the file into the register.
func (c *unitsLineageCommand) Run(ctx context.Context, g *globals, env *environment) error {
	defaults := layer.Lineage{Level: c.Level, Act: c.Act, Source: cmp.Or(c.Source, filepath.Base(c.File))}
	var err error
	if g.Date != "" {
		if defaults.On, err = g.dayOfChange(); err != nil {
			return err
		}
	}
	changes, notTaken, err := readLineage(c.File, defaults)
	if err != nil {
		return err
	}
	return g.withStore(ctx, env, func(_ *database, store *postgis.Store) error {
		summary, err := store.ImportLineage(ctx, env.viewer(), postgis.LineageOptions{Complete: c.Complete, Merge: c.Merge, DryRun: c.DryRun}, changes)
		if err != nil {
			return fmt.Errorf("%s: %w", c.File, err)
		}
		return c.tell(env, lineageReport{summary, append([]string{}, notTaken...)})
	})
}

// dayOfChange is the --date of a command that changes something on a day: a day, and not
// whatever today is.
func (g *globals) dayOfChange() (geo.Date, error) {
	day, err := geo.ParseDate(g.Date)
	if err != nil {
		return day, usageError{errors.New("--date must be the first day of the change, as YYYY-MM-DD")}
	}
	return day, nil
}

func readLineage(path string, defaults layer.Lineage) (changes []layer.UnitChange, notTaken []string, err error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	if changes, notTaken, err = formats.ReadLineage(in, defaults); err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return changes, notTaken, err
}

func (c *unitsLineageCommand) tell(env *environment, r lineageReport) error {
	if c.JSON {
		if err := writeJSON(env.stdout, r); err != nil {
			return err
		}
	} else {
		c.print(env, r)
	}
	if len(r.Refused) > 0 {
		return errFindings
	}
	return nil
}

func (c *unitsLineageCommand) print(env *environment, r lineageReport) {
	printRefused(env, r.Refused)
	if len(r.NotTaken) > 0 {
		fmt.Fprintf(env.stdout, "columns not taken: %s\n", strings.Join(r.NotTaken, ", "))
	}
	fmt.Fprintf(env.stdout, "lineage: %d read, %d inserted, %d updated, %d unchanged, %d removed, %d refused\n", r.Read, r.Inserted, r.Updated, r.Unchanged, r.Removed, len(r.Refused))
	for i, n := range r.NamesDiffer {
		if i == maxShownRefusals {
			fmt.Fprintf(env.stdout, "… and %d more (--json lists all)\n", len(r.NamesDiffer)-i)
			break
		}
		fmt.Fprintf(env.stdout, "row %d: the file calls %s %s, the register %s\n", n.Row, n.Code, n.File, n.Register)
	}
	if len(r.Pending) > 0 {
		fmt.Fprintf(env.stdout, "%d successors are not in force on the day yet; import their boundaries: %s\n", len(r.Pending), someOf(r.Pending))
	}
	if c.Merge && len(r.Refused) == 0 {
		fmt.Fprintf(env.stdout, "communes: %d ended, %d began\n", r.Ended, r.Opened)
		if len(r.Districts) > 0 {
			fmt.Fprintf(env.stdout, "districts that follow their communes: %s\n", strings.Join(r.Districts, ", "))
		}
		printConcerned(env, r.ZonesKept, r.Grants)
	}
	switch {
	case c.DryRun:
		fmt.Fprintln(env.stdout, "Dry run: nothing was changed.")
	case !r.Applied:
		fmt.Fprintln(env.stdout, "Nothing was changed, because rows were refused.")
	}
}

// printRefused writes the reasons for which rows were refused, as many as a terminal takes.
func printRefused(env *environment, refused []postgis.Refused) {
	for i, row := range refused {
		if i == maxShownRefusals {
			fmt.Fprintf(env.stdout, "… and %d more rows refused (--json lists all)\n", len(refused)-i)
			break
		}
		for _, f := range row.Faults {
			fmt.Fprintf(env.stdout, "row %d (%s) %s: %s\n", row.Row, row.Code, f.At, f.Detail.In(env.language))
		}
	}
}

// printConcerned writes what else a change of units touches.
func printConcerned(env *environment, zonesKept int, grants []postgis.GrantConcerned) {
	if zonesKept > 0 {
		fmt.Fprintf(env.stdout, "mast zones that stay where they are and follow their commune no more: %d\n", zonesKept)
	}
	for _, g := range grants {
		fmt.Fprintf(env.stdout, "rights are limited to %s, which has ended or has another territory now: %d grants; look whether they are still meant\n", g.Territory, g.Grants)
	}
}

// someOf lists codes, as many as a line takes.
func someOf(codes []string) string {
	const most = 20
	if len(codes) <= most {
		return strings.Join(codes, ", ")
	}
	return fmt.Sprintf("%s, … (%d)", strings.Join(codes[:most], ", "), len(codes))
}
