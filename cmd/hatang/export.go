package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

type exportCommand struct {
	Layer string `arg:"" help:"Layer to write."`
	File  string `arg:"" help:"File to write, in the format that the end of its name says: .geojson, .csv, .gpkg, .fgb, .kml, .xlsx, .zip (a Shapefile), .geojsons, .geojsonl, .ofds.json (of fibre_routes); - for GeoJSON on standard output."`

	CRS string `name:"crs" placeholder:"EPSG:9205" help:"Reference system of the coordinates; default longitude, latitude on WGS 84."`
	BOM bool   `name:"bom" help:"Begin a CSV file with a byte order mark, by which Excel knows UTF-8."`
}

// Run writes the rows in force on the reference date, with their heights. A file is
// written beside its place and moved there when it is whole; it is for the person alone
// where the layer has rows that not everyone may see.
func (c *exportCommand) Run(ctx context.Context, g *globals, env *environment) error {
	format, sheet, err := c.output(env)
	if err != nil {
		return usageError{err}
	}
	return g.withStore(ctx, env, func(db *database, s *postgis.Store) error {
		l, err := db.layer(c.Layer)
		if err != nil {
			return err
		}
		date, err := g.referenceDate(ctx, s)
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if l.WithheldField != "" {
			mode = 0o600 // not everyone on the machine may see all rows
		}
		if sheet.Layer = l; !format.Takes(l) {
			return usageError{fmt.Errorf("%s is for the layer %s alone", format.Title, strings.Join(format.Layers, ", "))}
		}
		return writeFile(env, c.File, mode, func(out io.Writer) error {
			return format.Write(out, sheet, func(each func(*layer.Row) error) error {
				return s.Features(ctx, env.viewer(), l, layer.Query{Date: date()}, each)
			})
		})
	})
}

// output reads from the file's name and the flags what is to be written.
func (c *exportCommand) output(env *environment) (formats.Format, formats.Sheet, error) {
	sheet := formats.Sheet{WithZ: true, Language: env.language, BOM: c.BOM}
	format, ok := formats.OfFile(c.File)
	if c.File == "-" {
		format, ok = formats.Named("geojson")
	}
	if !ok {
		var known []string
		for _, f := range formats.All() {
			known = append(known, f.Extensions...)
		}
		return format, sheet, fmt.Errorf("%q files cannot be written, only %s; ogr2ogr makes others of these", filepath.Ext(c.File), strings.Join(known, ", "))
	}
	if c.CRS != "" {
		var err error
		if sheet.CRS, err = geo.ParseCRS(c.CRS); err != nil {
			return format, sheet, fmt.Errorf("reference system %q: %w", c.CRS, err)
		}
	}
	switch {
	case format.LonLatOnly && sheet.CRS.Code() != 0:
		return format, sheet, fmt.Errorf("%s has no other reference system than longitude, latitude on WGS 84: leave --crs out", format.Title)
	case c.BOM && format.Name() != "csv":
		return format, sheet, fmt.Errorf("--bom goes with .csv only")
	}
	return format, sheet, nil
}
