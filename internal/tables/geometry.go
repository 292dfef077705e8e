package tables

import (
	"math"

	"github.com/twpayne/go-geom"

	"hatang/internal/layer"
)

// What parts a geometry is made of.
const (
	points = "Point"
	paths  = "LineString"
	areas  = "Polygon"
)

// builder puts a geometry together of what a format has one after another: parts of one kind,
// of paths, of positions. Heights are kept if one position has one; the others are at 0.
type builder struct {
	kind   string
	multi  bool // it is a Multi* even of one part
	hasZ   bool
	flat   []float64 // x, y, z
	ends   []int     // of paths, in ordinates
	groups []int     // of areas: how many paths there are with each
}

// of says of which kind the next part is: all are of one.
func (b *builder) of(kind string) error {
	if b.kind != "" && b.kind != kind {
		return errCollection()
	}
	b.kind = kind
	return nil
}

func errCollection() error {
	return layer.Wrong("không nhận tập hợp các hình khác kiểu, hình cong hay hình khối", "collections of different geometries, curves and solids are not taken")
}

func errTooManyPositions() error {
	return layer.Wrong("một hình có hơn %d điểm", "more than %d positions in one geometry", MaxPositions)
}

// position adds a position: x, y and perhaps a height.
func (b *builder) position(xyz ...float64) error {
	if len(xyz) < 2 {
		return layer.Wrong("vị trí phải gồm hai hoặc ba số", "a position is two or three numbers")
	}
	if len(b.flat) >= 3*MaxPositions {
		return errTooManyPositions()
	}
	for _, x := range xyz[:min(3, len(xyz))] {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return layer.Wrong("toạ độ không phải là số", "a coordinate is no number")
		}
	}
	z := 0.0
	if len(xyz) > 2 {
		z, b.hasZ = xyz[2], true
	}
	b.flat = append(b.flat, xyz[0], xyz[1], z)
	return nil
}

// path ends a path: a line, or a ring of an area. One without positions is none.
func (b *builder) path() {
	start := 0
	if len(b.ends) > 0 {
		start = b.ends[len(b.ends)-1]
	}
	if len(b.flat) > start {
		b.ends = append(b.ends, len(b.flat))
	}
}

// area ends an area. One without rings is none.
func (b *builder) area() {
	start := 0
	if len(b.groups) > 0 {
		start = b.groups[len(b.groups)-1]
	}
	if len(b.ends) > start {
		b.groups = append(b.groups, len(b.ends))
	}
}

// geometry is what has been put together; nil for nothing.
func (b *builder) geometry() geom.T {
	if len(b.flat) == 0 {
		return nil
	}
	layout := geom.XYZ
	if !b.hasZ {
		layout = geom.XY
		flat := b.flat[:0]
		for at := 0; at < len(b.flat); at += 3 {
			flat = append(flat, b.flat[at], b.flat[at+1])
		}
		b.flat = flat
		for i := range b.ends {
			b.ends[i] = b.ends[i] / 3 * 2
		}
	}
	switch one := !b.multi; b.kind {
	case points:
		if one && len(b.flat) == layout.Stride() {
			return geom.NewPointFlat(layout, b.flat)
		}
		return geom.NewMultiPointFlat(layout, b.flat)
	case paths:
		if one && len(b.ends) == 1 {
			return geom.NewLineStringFlat(layout, b.flat)
		}
		return geom.NewMultiLineStringFlat(layout, b.flat, b.ends)
	}
	if !b.multi && len(b.groups) == 1 {
		return geom.NewPolygonFlat(layout, b.flat, b.ends)
	}
	var polygons [][]int
	start := 0
	for _, end := range b.groups {
		polygons = append(polygons, b.ends[start:end])
		start = end
	}
	return geom.NewMultiPolygonFlat(layout, b.flat, polygons)
}
