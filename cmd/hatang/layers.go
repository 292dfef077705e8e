package main

import (
	"context"
	"errors"
	"fmt"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

type layerCommand struct {
	List     layerListCommand     `cmd:"" help:"List the layers."`
	Change   layerChangeCommand   `cmd:"" help:"Change a reference layer: its name, title, colour, and who may know of it."`
	Withdraw layerWithdrawCommand `cmd:"" help:"Take a reference layer away; its rows and their history stay in the database."`
}

type layerListCommand struct {
	JSON bool `name:"json" help:"Write the list as JSON."`
}

// layerLine is a layer in the list.
type layerLine struct {
	Name      string             `json:"name"`
	Title     geo.Text           `json:"title"`
	Geometry  layer.GeometryType `json:"geometry"`
	Reference bool               `json:"reference"`
	StaffOnly bool               `json:"staff_only"`
	CreatedBy string             `json:"created_by,omitempty"`
}

// Run lists the layers.
func (c *layerListCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withStore(ctx, env, func(db *database, _ *postgis.Store) error {
		lines := []layerLine{}
		for _, l := range db.layers.Seen(env.viewer()).All() {
			line := layerLine{Name: l.Name, Title: l.Title, Geometry: l.Geometry, Reference: l.Reference != nil, StaffOnly: l.StaffOnly()}
			if l.Reference != nil {
				line.CreatedBy = l.Reference.CreatedBy
			}
			lines = append(lines, line)
		}
		if c.JSON {
			return writeJSON(env.stdout, lines)
		}
		for _, l := range lines {
			what := ""
			if l.Reference {
				what = "reference layer, published by " + l.CreatedBy
			}
			if l.StaffOnly {
				what += ", for staff alone"
			}
			fmt.Fprintf(env.stdout, "%-24s %-16s %s  %s\n", l.Name, l.Geometry, l.Title.In(env.language), what)
		}
		return nil
	})
}

type layerChangeCommand struct {
	Name string `arg:"" help:"The reference layer."`

	Rename    string `placeholder:"NAME" help:"Its new name."`
	Title     string `help:"Its title in Vietnamese."`
	TitleEN   string `name:"title-en" placeholder:"TITLE" help:"Its title in English."`
	Colour    string `placeholder:"#RRGGBB" help:"Its colour on maps."`
	StaffOnly bool   `xor:"sight" help:"Nobody but staff shall know of it."`
	Public    bool   `xor:"sight" help:"Everybody shall see it."`
}

// Run changes the layer.
func (c *layerChangeCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withStore(ctx, env, func(db *database, store *postgis.Store) error {
		l, err := db.reference(c.Name)
		if err != nil {
			return err
		}
		change, err := c.change(l)
		if err != nil {
			return err
		}
		return store.ChangeLayer(ctx, env.viewer(), c.Name, change)
	})
}

// change is what the flags ask of the layer.
func (c *layerChangeCommand) change(l *layer.Layer) (layer.ReferenceChange, error) {
	var change layer.ReferenceChange
	if c.Rename != "" {
		change.Name = &c.Rename
	}
	if c.Title != "" || c.TitleEN != "" {
		title := l.Title
		if c.Title != "" {
			title.VI = c.Title
		}
		if c.TitleEN != "" {
			title.EN = c.TitleEN
		}
		change.Title = &title
	}
	if c.Colour != "" {
		change.Colour = &c.Colour
	}
	if c.StaffOnly || c.Public {
		change.StaffOnly = &c.StaffOnly
	}
	if change == (layer.ReferenceChange{}) {
		return change, usageError{errors.New("nothing to change was named")}
	}
	return change, nil
}

// reference returns the reference layer that the person named.
func (d *database) reference(name string) (*layer.Layer, error) {
	l, err := d.layer(name)
	if err == nil && l.Reference == nil {
		err = usageError{fmt.Errorf("%s is no reference layer: it is part of the program", name)}
	}
	return l, err
}

type layerWithdrawCommand struct {
	Name string `arg:"" help:"The reference layer."`
}

// Run withdraws the layer.
func (c *layerWithdrawCommand) Run(ctx context.Context, g *globals, env *environment) error {
	return g.withStore(ctx, env, func(db *database, store *postgis.Store) error {
		if _, err := db.reference(c.Name); err != nil {
			return err
		}
		return store.WithdrawLayer(ctx, env.viewer(), c.Name)
	})
}
