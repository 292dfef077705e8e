package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"strings"
	"time"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// changesFlags select changes of the history.
type changesFlags struct {
	Request string `placeholder:"ID" help:"Those of one request or command."`
	Layer   string `placeholder:"LAYER" help:"Those of rows of this layer."`
	Feature int64  `placeholder:"ID" help:"Those of the row of this id, in --layer."`
	From    string `placeholder:"TIME" help:"Recorded at this time or later, as 2026-01-31T08:00:00Z, or a day, UTC."`
	To      string `placeholder:"TIME" help:"Recorded before this time."`
	Who     string `placeholder:"WHO" help:"Made by this one, as person:lan, key:3f2a or cli:root."`
}

// query is the selection of the flags.
func (c *changesFlags) query(db *database) (layer.HistoryQuery, error) {
	q := layer.HistoryQuery{Layers: db.layers.Whole().All(), Request: c.Request, Feature: c.Feature, Who: c.Who}
	if c.Layer != "" {
		l, err := db.layer(c.Layer)
		if err != nil {
			return q, err
		}
		q.Layers = []*layer.Layer{l}
	}
	for _, end := range []struct {
		flag, text string
		into       *time.Time
	}{{"--from", c.From, &q.From}, {"--to", c.To, &q.Until}} {
		if end.text == "" {
			continue
		}
		if day, err := geo.ParseDate(end.text); err == nil {
			*end.into = day.Time()
			continue
		}
		at, err := time.Parse(time.RFC3339, end.text)
		if err != nil {
			return q, usageError{fmt.Errorf("%s %s is neither a day nor a time of the form 2026-01-31T08:00:00Z", end.flag, end.text)}
		}
		*end.into = at
	}
	if c.Feature != 0 && c.Layer == "" {
		return q, usageError{errors.New("--feature goes with --layer")}
	}
	return q, nil
}

type changesCommand struct {
	File string `arg:"" optional:"" help:"File to write: .csv, or .ndjson; default NDJSON on standard output."`
	changesFlags
	Code string `help:"Those of rows with this code, before or after."`
	CSV  bool   `name:"csv" help:"Write CSV, whatever the file is called."`
}

// Run writes the changes as they are read, however many there are. The file is for the
// person alone: it names people.
func (c *changesCommand) Run(ctx context.Context, g *globals, env *environment) error {
	ending := strings.ToLower(filepath.Ext(c.File))
	if c.File != "" && c.File != "-" && !c.CSV && ending != ".csv" && ending != ".ndjson" && ending != ".jsonl" {
		return usageError{fmt.Errorf("changes are written as .csv or .ndjson, not as %q", ending)}
	}
	return g.withStore(ctx, env, func(db *database, s *postgis.Store) error {
		q, err := c.query(db)
		if err != nil {
			return err
		}
		q.Code, q.Limit = c.Code, math.MaxInt32
		const mode = fs.FileMode(0o600)
		return writeFile(env, c.File, mode, func(out io.Writer) error {
			buffered := bufio.NewWriter(out)
			w, err := formats.NewChanges(buffered, c.CSV || ending == ".csv")
			if err != nil {
				return err
			}
			if err := s.History(ctx, env.viewer(), q, w.Write); err != nil {
				return err
			}
			return buffered.Flush()
		})
	})
}
