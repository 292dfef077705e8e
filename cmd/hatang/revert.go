package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hatang/internal/layer"
	"hatang/internal/postgis"
)

type revertCommand struct {
	changesFlags
	DryRun bool `name:"dry-run" help:"Say what would be done and change nothing."`
	JSON   bool `name:"json" help:"Write what was done as JSON."`
}

// Run takes the changes back.
func (c *revertCommand) Run(ctx context.Context, g *globals, env *environment) error {
	if err := c.check(); err != nil {
		return err
	}
	return g.withStore(ctx, env, func(db *database, s *postgis.Store) error {
		q, err := c.query(db)
		if err != nil {
			return err
		}
		if c.Feature != 0 { // becomes what was known of it at the time
			q.From, q.Until = q.Until.Truncate(time.Microsecond).Add(time.Microsecond), time.Time{}
		}
		done, err := s.Revert(ctx, env.viewer(), q, c.DryRun)
		var overtaken *layer.OvertakenError
		switch {
		case errors.As(err, &overtaken):
			return c.refuse(env, overtaken)
		case errors.Is(err, layer.ErrNotFound):
			return errors.New("there is no such change")
		case err != nil:
			return err
		}
		return c.tell(env, done)
	})
}

// check refuses flags that select what nobody can have meant.
func (c *revertCommand) check() error {
	const ways = "--request ID; --layer L --from TIME --to TIME, perhaps --who WHO; or --layer L --feature ID --to TIME"
	one := c.Request != "" && c.changesFlags == changesFlags{Request: c.Request}
	day := c.Layer != "" && c.From != "" && c.To != "" && c.Feature == 0 && c.Request == ""
	row := c.Feature != 0 && c.changesFlags == changesFlags{Layer: c.Layer, Feature: c.Feature, To: c.To} && c.Layer != "" && c.To != ""
	if !one && !day && !row {
		return usageError{errors.New("what is reverted is named by " + ways)}
	}
	return nil
}

// revertReport is what was done, for programs.
type revertReport struct {
	Applied bool          `json:"applied"`
	Request string        `json:"request"`
	Layers  []revertCount `json:"layers"`
	Rows    []revertLine  `json:"rows"`
	More    int64         `json:"more"`
}

type revertCount struct {
	Layer     string `json:"layer"`
	Inserted  int64  `json:"inserted"`
	Updated   int64  `json:"updated"`
	Deleted   int64  `json:"deleted"`
	Unchanged int64  `json:"unchanged"`
}

type revertLine struct {
	Layer     string          `json:"layer"`
	Feature   int64           `json:"feature"`
	Code      string          `json:"code"`
	Operation layer.Operation `json:"operation,omitempty"`
	// Of rows that were changed later.
	RecordedAt *time.Time `json:"recorded_at,omitempty"`
	Request    string     `json:"request,omitempty"`
}

// tell says what was done; a dry run names the rows.
func (c *revertCommand) tell(env *environment, done layer.Reverted) error {
	r := revertReport{Applied: done.Applied, Request: env.request, Layers: []revertCount{}, Rows: []revertLine{}}
	for _, l := range done.Layers {
		r.Layers = append(r.Layers, revertCount{l.Layer.Name, l.Inserted, l.Updated, l.Deleted, l.Unchanged})
		r.More += l.Changed()
	}
	for _, row := range done.Rows {
		r.Rows = append(r.Rows, revertLine{Layer: row.Layer.Name, Feature: row.FeatureID, Code: row.Code, Operation: row.Operation})
	}
	r.More -= int64(len(r.Rows))
	if c.JSON {
		return writeJSON(env.stdout, r)
	}
	if c.DryRun {
		for _, row := range r.Rows {
			fmt.Fprintf(env.stdout, "%-6s %s %d (%s)\n", row.Operation, row.Layer, row.Feature, row.Code)
		}
		if r.More > 0 {
			fmt.Fprintf(env.stdout, "… and %d more rows\n", r.More)
		}
	}
	for _, l := range r.Layers {
		fmt.Fprintf(env.stdout, "%s: %d rows come back, %d get back what they had, %d go, %d are as they were\n", l.Layer, l.Inserted, l.Updated, l.Deleted, l.Unchanged)
	}
	if c.DryRun {
		fmt.Fprintln(env.stdout, "Dry run: nothing was changed.")
	} else {
		fmt.Fprintf(env.stdout, "To take this back: hatang revert --request %s\n", r.Request)
	}
	return nil
}

// refuse names the rows that were changed later.
func (c *revertCommand) refuse(env *environment, overtaken *layer.OvertakenError) error {
	r := revertReport{Request: env.request, Layers: []revertCount{}, Rows: []revertLine{}, More: overtaken.Count - int64(len(overtaken.Rows))}
	for _, row := range overtaken.Rows {
		r.Rows = append(r.Rows, revertLine{Layer: row.Layer.Name, Feature: row.FeatureID, Code: row.Code, RecordedAt: &row.RecordedAt, Request: row.Request})
	}
	if c.JSON {
		if err := writeJSON(env.stdout, r); err != nil {
			return err
		}
		return errFindings
	}
	for _, row := range r.Rows {
		fmt.Fprintf(env.stderr, "hatang: %s %d (%s) was changed later, at %s", row.Layer, row.Feature, row.Code, row.RecordedAt.Format(time.RFC3339))
		if row.Request != "" {
			fmt.Fprintf(env.stderr, " by request %s", row.Request)
		}
		fmt.Fprintln(env.stderr)
	}
	fmt.Fprintf(env.stderr, "hatang: nothing was reverted: %d rows were changed later\n", overtaken.Count)
	return errFindings
}
