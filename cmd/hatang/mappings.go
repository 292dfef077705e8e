package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"hatang/internal/intake"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

type mappingCommand struct {
	Save   mappingSaveCommand   `cmd:"" help:"Save how files of one kind are read into a layer; what was saved under the name before is replaced."`
	List   mappingListCommand   `cmd:"" help:"List what is saved; exit status 1 where a layer has no more what a mapping names."`
	Remove mappingRemoveCommand `cmd:"" help:"Remove a mapping."`
}

// mappingArgs name a mapping.
type mappingArgs struct {
	Layer string `arg:"" help:"Layer that the files are for."`
	Name  string `arg:"" help:"Name of the mapping."`

	Organisation string `placeholder:"CODE" help:"Whose it is; default that of staff of none."`
}

// named is the mapping's name; the layer must be there.
func (a mappingArgs) named(db *database) (layer.MappingName, error) {
	l, err := db.layer(a.Layer)
	if err != nil {
		return layer.MappingName{}, err
	}
	return layer.MappingName{Collection: l.Name, Organisation: a.Organisation, Name: norm.NFC.String(a.Name)}, nil
}

type mappingSaveCommand struct {
	mappingArgs

	From      string            `type:"existingfile" placeholder:"FILE" help:"JSON file of what is saved; the flags go before it."`
	Column    map[string]string `mapsep:"none" placeholder:"COLUMN=FIELD" help:"Which field a column is, or @northing, @easting, @lon, @lat, …; nothing behind the = leaves it out. For each column again."`
	Table     string            `placeholder:"TABLE" help:"Sheet of a workbook, table of a GeoPackage, file of an archive or layer of a drawing."`
	HeaderRow int               `placeholder:"ROW" help:"Row or line with the columns' names, from 1."`
	Encoding  string            `placeholder:"NAME" help:"Encoding of texts: utf-8, windows-1258, tcvn3, vni."`
	Separator string            `placeholder:"CHAR" help:"What separates the cells of a line."`
	CRS       string            `name:"crs" placeholder:"EPSG:9205" help:"Reference system of the coordinates."`
	Axis      string            `enum:",xy,yx" default:"" help:"Order of coordinates: xy (east first) or yx (north first)."`
	Unshifted *bool             `negatable:"" help:"The coordinates were made without the shift between VN-2000 and WGS 84, or with it."`
}

// reading is what is to be saved.
func (c *mappingSaveCommand) reading() (layer.Reading, error) {
	given := intake.NormalReading(layer.Reading{Columns: c.Column, Table: c.Table, HeaderRow: c.HeaderRow, Encoding: c.Encoding, Separator: c.Separator, CRS: c.CRS, Axis: c.Axis, Unshifted: c.Unshifted})
	if c.From == "" {
		return given, nil
	}
	raw, err := os.ReadFile(c.From)
	if err != nil {
		return given, err
	}
	from, err := intake.ParseReading(raw)
	if err != nil {
		return given, usageError{fmt.Errorf("--from: %w", err)}
	}
	if given.Columns != nil {
		columns := maps.Clone(from.Columns)
		if columns == nil {
			columns = map[string]string{}
		}
		maps.Copy(columns, given.Columns)
		given.Columns = columns
	}
	return given.Over(from), nil
}

// Run saves the mapping.
func (c *mappingSaveCommand) Run(ctx context.Context, g *globals, env *environment) error {
	reading, err := c.reading()
	if err != nil {
		return err
	}
	if len(reading.Columns) == 0 && reading.Table == "" && reading.HeaderRow == 0 && reading.Encoding+reading.Separator+reading.CRS+reading.Axis == "" && reading.Unshifted == nil {
		return usageError{errors.New("nothing to save was named: --column COLUMN=FIELD, --from FILE, --crs, …")}
	}
	return g.withStore(ctx, env, func(db *database, store *postgis.Store) error {
		name, err := c.named(db)
		if err != nil {
			return err
		}
		m, err := store.MappingNamed(ctx, env.viewer(), name)
		switch {
		case err == nil:
			err = store.ChangeMapping(ctx, env.viewer(), m.ID, reading)
		case errors.Is(err, layer.ErrNotFound):
			_, err = store.AddMapping(ctx, env.viewer(), name, reading)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(env.stdout, "saved: hatang import %s FILE --mapping %q\n", name.Collection, name.Name)
		return nil
	})
}

type mappingListCommand struct {
	Layer string `arg:"" optional:"" help:"Of this layer alone."`

	JSON bool `name:"json" help:"Write the list as JSON."`
}

// mappingLine is a mapping in the list.
type mappingLine struct {
	layer.Mapping
	Faults layer.Faults `json:"faults"`
}

// Run lists the mappings.
func (c *mappingListCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withStore(ctx, env, func(db *database, store *postgis.Store) error {
		if c.Layer != "" {
			if _, err := db.layer(c.Layer); err != nil {
				return err
			}
		}
		lines, wrong := []mappingLine{}, false
		const page = 1000
		for q := (layer.MappingQuery{Collection: c.Layer, Limit: page}); ; q.After = lines[len(lines)-1].ID {
			found, err := store.Mappings(ctx, env.viewer(), q)
			if err != nil {
				return err
			}
			for _, m := range found {
				line := mappingLine{m, layer.Faults{}}
				if l, err := db.layer(m.Collection); err == nil {
					line.Faults = append(line.Faults, intake.CheckReading(l, m.Reading)...)
				}
				lines, wrong = append(lines, line), wrong || len(line.Faults) > 0
			}
			if len(found) < page {
				break
			}
		}
		if err := tellMappings(env, c.JSON, lines); err != nil {
			return err
		}
		if wrong {
			return errFindings
		}
		return nil
	})
}

func tellMappings(env *environment, asJSON bool, lines []mappingLine) error {
	if asJSON {
		return writeJSON(env.stdout, lines)
	}
	for _, m := range lines {
		of := m.Organisation
		if of == "" {
			of = "-"
		}
		fmt.Fprintf(env.stdout, "%-24s %-12s %s  %s\n", m.Collection, of, m.Name, describeReading(m.Reading))
		for _, f := range m.Faults {
			fmt.Fprintf(env.stdout, "  cannot be used: %s: %s\n", f.At, f.Detail.In(env.language))
		}
	}
	return nil
}

// describeReading says what a mapping says, in the words of the flags.
func describeReading(r layer.Reading) string {
	var said []string
	for _, name := range slices.Sorted(maps.Keys(r.Columns)) {
		said = append(said, fmt.Sprintf("%q=%s", name, r.Columns[name]))
	}
	for _, f := range []struct{ name, value string }{{"table", r.Table}, {"encoding", r.Encoding}, {"separator", r.Separator}, {"crs", r.CRS}, {"axis", r.Axis}} {
		if f.value != "" {
			said = append(said, fmt.Sprintf("%s %q", f.name, f.value))
		}
	}
	if r.HeaderRow != 0 {
		said = append(said, fmt.Sprintf("header row %d", r.HeaderRow))
	}
	if r.Unshifted != nil {
		said = append(said, map[bool]string{true: "unshifted", false: "no-unshifted"}[*r.Unshifted])
	}
	return strings.Join(said, ", ")
}

type mappingRemoveCommand struct{ mappingArgs }

// Run removes the mapping.
func (c *mappingRemoveCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withStore(ctx, env, func(db *database, store *postgis.Store) error {
		name, err := c.named(db)
		if err != nil {
			return err
		}
		m, err := store.MappingNamed(ctx, env.viewer(), name)
		if errors.Is(err, layer.ErrNotFound) {
			return usageError{fmt.Errorf("nothing is saved under the name %q for %s (hatang mapping list)", name.Name, name.Collection)}
		}
		if err != nil {
			return err
		}
		return store.RemoveMapping(ctx, env.viewer(), m.ID)
	})
}
