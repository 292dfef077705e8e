package main

import (
	"context"
	"errors"

	"github.com/paulmach/orb"

	"hatang/internal/formats"
	"hatang/internal/intake"
	"hatang/internal/layer"
	"hatang/internal/tables"
)

// filePlaces is where the features of a GeoJSON file or a GeoPackage were found to lie.
type filePlaces struct {
	report  *intake.Report
	guard   func() *intake.Guard
	oldFont bool // texts are written for an old font
}

// places finds out where the features of a file lie. *layer.InvalidError where it cannot be
// told, or somebody must say it.
func (s stranger) places(ctx context.Context, path string) (p filePlaces, err error) {
	t, err := tables.Open(ctx, path, s.table)
	if err != nil {
		return p, refusedFile(err)
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	for _, g := range t.Guesses() {
		p.oldFont = p.oldFont || g.What == "encoding" && g.Value != "utf-8"
	}
	m, err := s.understandPlaces(ctx, path, shapesAlone{t}, layer.SRID)
	if m != nil {
		p.report, p.guard = m.Report(), m.Guard
	}
	return p, err
}

// system is how the places are read; declared is what the file, or somebody, says of one
// without any.
func (p filePlaces) system(declared string) (formats.System, error) {
	at := &p.report.Placement
	switch {
	case at.Outcome == intake.NoPlace && declared == formats.UndefinedCRS:
		return formats.System{}, nil
	case at.Outcome == intake.NoPlace:
		return systemOf(declared)
	case at.Axis == intake.EastFirst && !at.Unshifted:
		return systemOf(at.CRS)
	}
	return formats.System{ToWGS84: func(x, y float64) (float64, float64, error) {
		q, err := at.LonLat(orb.Point{x, y})
		return q[0], q[1], err
	}}, nil
}

// shapesAlone is the rows of a table without their cells, which become fields as they are.
type shapesAlone struct{ tables.Table }

// Columns implements tables.Table.
func (shapesAlone) Columns() []string { return nil }

// Read implements tables.Table.
func (s shapesAlone) Read(ctx context.Context, each func(*tables.Row) error) error {
	return s.Table.Read(ctx, func(r *tables.Row) error {
		return each(&tables.Row{Number: r.Number, Geometry: r.Geometry})
	})
}
