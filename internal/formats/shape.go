package formats

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	geom "github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/ewkb"
	"github.com/twpayne/go-geom/xy"
)

// shape reads a row's geometry as the sheet wants it: in its reference system, x before
// y; with heights or without; rounded where decimals are asked; outer rings counter-
// clockwise. nil for none, and for an empty one.
func (s *Sheet) shape(raw []byte) (geom.T, error) {
	if raw == nil {
		return nil, nil
	}
	g, err := unmarshal(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGeometry, err)
	}
	if g.Empty() {
		return nil, nil
	}
	if layout := g.Layout(); layout != geom.XY && (layout != geom.XYZ || !s.WithZ) {
		if g, err = withoutHeights(g); err != nil {
			return nil, err
		}
	}
	if err := s.place(g.FlatCoords(), g.Stride()); err != nil {
		return nil, err
	}
	turn(g)
	return g, nil
}

// unmarshal reads EWKB; most of it is points, which the library takes its time for.
func unmarshal(raw []byte) (geom.T, error) {
	const point, srid, size = 1, 0x20000000, 1 + 4 + 4 + 16
	if little := binary.LittleEndian; len(raw) == size && raw[0] == 1 && little.Uint32(raw[1:]) == point|srid {
		x, y := math.Float64frombits(little.Uint64(raw[size-16:])), math.Float64frombits(little.Uint64(raw[size-8:]))
		if !math.IsNaN(x) { // which says that it is empty
			return geom.NewPointFlat(geom.XY, []float64{x, y}), nil
		}
	}
	return ewkb.Unmarshal(raw)
}

// place takes positions to the sheet's system.
func (s *Sheet) place(flat []float64, stride int) error {
	forward := s.forward()
	if forward == nil && s.Decimals == 0 {
		return nil
	}
	decimals := asked(s.Decimals, 0)
	for at := 0; at < len(flat); at += stride {
		if forward != nil {
			x, y, err := forward(flat[at], flat[at+1])
			if err != nil {
				return err
			}
			flat[at], flat[at+1] = x, y
		}
		if s.Decimals != 0 {
			for i := at; i < at+stride; i++ {
				flat[i] = round(flat[i], decimals)
			}
		}
	}
	return nil
}

// withoutHeights keeps x and y.
func withoutHeights(g geom.T) (geom.T, error) {
	stride := g.Stride()
	flat := make([]float64, 0, 2*len(g.FlatCoords())/stride)
	for position := range slices.Chunk(g.FlatCoords(), stride) {
		flat = append(flat, position[0], position[1])
	}
	ends := func(of []int) []int {
		out := make([]int, len(of))
		for i, end := range of {
			out[i] = end / stride * 2
		}
		return out
	}
	switch g.(type) {
	case *geom.Point:
		return geom.NewPointFlat(geom.XY, flat), nil
	case *geom.LineString:
		return geom.NewLineStringFlat(geom.XY, flat), nil
	case *geom.MultiPoint:
		return geom.NewMultiPointFlat(geom.XY, flat), nil
	case *geom.Polygon:
		return geom.NewPolygonFlat(geom.XY, flat, ends(g.Ends())), nil
	case *geom.MultiLineString:
		return geom.NewMultiLineStringFlat(geom.XY, flat, ends(g.Ends())), nil
	case *geom.MultiPolygon:
		endss := make([][]int, len(g.Endss()))
		for i, of := range g.Endss() {
			endss[i] = ends(of)
		}
		return geom.NewMultiPolygonFlat(geom.XY, flat, endss), nil
	}
	return nil, ErrGeometry
}

// turn makes outer rings run counter-clockwise and holes clockwise.
func turn(g geom.T) {
	polygons := g.Endss()
	if polygon, ok := g.(*geom.Polygon); ok {
		polygons = [][]int{polygon.Ends()}
	}
	flat, layout, start := g.FlatCoords(), g.Layout(), 0
	for _, rings := range polygons {
		for i, end := range rings {
			ring := flat[start:end]
			if start = end; xy.IsRingCounterClockwise(layout, ring) != (i == 0) {
				reverse(ring, layout.Stride())
			}
		}
	}
}

// reverse turns a list of positions round.
func reverse(flat []float64, stride int) {
	for i, j := 0, len(flat)-stride; i < j; i, j = i+stride, j-stride {
		for k := range stride {
			flat[i+k], flat[j+k] = flat[j+k], flat[i+k]
		}
	}
}

// box is the bounds of positions: the least x, y and the largest.
type box struct{ minX, minY, maxX, maxY float64 }

// boxOf is the bounds of a geometry that is not empty.
func boxOf(g geom.T) box {
	flat, stride := g.FlatCoords(), g.Stride()
	b := box{flat[0], flat[1], flat[0], flat[1]}
	for at := stride; at < len(flat); at += stride {
		b = b.with(box{flat[at], flat[at+1], flat[at], flat[at+1]})
	}
	return b
}

// with is the bounds of both.
func (b box) with(c box) box {
	return box{min(b.minX, c.minX), min(b.minY, c.minY), max(b.maxX, c.maxX), max(b.maxY, c.maxY)}
}
