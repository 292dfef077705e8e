package tables

import (
	"encoding/binary"
	"math"

	"github.com/twpayne/go-geom"

	"hatang/internal/layer"
)

// shapeBytes reads the numbers of a record. What it claims is held against its length first.
type shapeBytes struct {
	in     []byte
	points int
	parts  int
	z      []byte // where heights stand; nil for none
}

func (b *shapeBytes) float(at int) float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(b.in[at:]))
}

// readShape reads a record of a file of shapes of a kind; nil for a null shape. Measures are
// left aside.
func readShape(content []byte, of uint32) (geom.T, error) {
	kind := binary.LittleEndian.Uint32(content)
	if kind == 0 {
		return nil, nil
	}
	if kind != of {
		return nil, errOtherKind(kind)
	}
	b := &shapeBytes{in: content[4:]}
	hasZ := kind > 10 && kind < 20
	if kind%10 == 1 {
		return b.point(hasZ)
	}
	const box, counts = 32, 4
	at := box
	if kind%10 != 8 {
		at += counts
	}
	if len(b.in) < at+counts {
		return nil, errBrokenShape()
	}
	b.points = int(binary.LittleEndian.Uint32(b.in[at:]))
	if kind%10 != 8 {
		b.parts = int(binary.LittleEndian.Uint32(b.in[box:]))
	}
	at += counts
	if b.points > MaxPositions || b.parts > MaxPositions || len(b.in) < at+4*b.parts+16*b.points {
		return nil, errBrokenShape()
	}
	starts := b.in[at : at+4*b.parts]
	at += 4 * b.parts
	if zAt := at + 16*b.points + 16; hasZ { // after their least and largest
		if len(b.in) < zAt+8*b.points {
			return nil, errBrokenShape()
		}
		b.z = b.in[zAt:]
	}
	flat, layout := b.positions(at)
	if kind%10 == 8 {
		return sound(geom.NewMultiPointFlat(layout, flat))
	}
	ends, err := b.ends(starts, layout.Stride())
	if err != nil {
		return nil, err
	}
	if kind%10 == 3 {
		return sound(geom.NewMultiLineStringFlat(layout, flat, ends))
	}
	return areasOf(layout, flat, ends)
}

func errBrokenShape() error { return layer.Wrong("hình bị hỏng", "the geometry is broken") }

// sound refuses a geometry with a position that is none, and turns an empty one into none.
func sound(g geom.T) (geom.T, error) {
	for _, x := range g.FlatCoords() {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, layer.Wrong("toạ độ không phải là số", "a coordinate is no number")
		}
	}
	if len(g.FlatCoords()) == 0 {
		return nil, nil
	}
	return g, nil
}

// areasOf makes areas of rings.
func areasOf(layout geom.Layout, flat []float64, ends []int) (geom.T, error) {
	if g, err := sound(geom.NewMultiLineStringFlat(layout, flat, ends)); err != nil || g == nil {
		return nil, err
	}
	areas, err := polygons(layout, flat, ends)
	if err != nil {
		return nil, err
	}
	return areas, nil
}

func (b *shapeBytes) point(hasZ bool) (geom.T, error) {
	if len(b.in) < 16 || hasZ && len(b.in) < 24 {
		return nil, errBrokenShape()
	}
	if hasZ {
		return sound(geom.NewPointFlat(geom.XYZ, []float64{b.float(0), b.float(8), b.float(16)}))
	}
	return sound(geom.NewPointFlat(geom.XY, []float64{b.float(0), b.float(8)}))
}

// positions reads the positions, with their heights if there are any.
func (b *shapeBytes) positions(at int) ([]float64, geom.Layout) {
	layout := geom.XY
	if b.z != nil {
		layout = geom.XYZ
	}
	flat := make([]float64, 0, b.points*layout.Stride())
	for i := range b.points {
		flat = append(flat, b.float(at+16*i), b.float(at+16*i+8))
		if b.z != nil {
			flat = append(flat, math.Float64frombits(binary.LittleEndian.Uint64(b.z[8*i:])))
		}
	}
	return flat, layout
}

// ends turns where parts start into where they end, in ordinates. Parts without positions
// are left out.
func (b *shapeBytes) ends(starts []byte, stride int) ([]int, error) {
	var ends []int
	last := 0
	for i := range b.parts {
		start := int(binary.LittleEndian.Uint32(starts[4*i:]))
		if start < last || start > b.points || i == 0 && start != 0 {
			return nil, errBrokenShape()
		}
		if start > last {
			ends = append(ends, start*stride)
		}
		last = start
	}
	if b.points > last {
		ends = append(ends, b.points*stride)
	}
	if b.parts == 0 && b.points > 0 {
		return nil, errBrokenShape()
	}
	return ends, nil
}
