package formats

import (
	"encoding/binary"
	"math"

	"hatang/internal/layer"
)

// wkbReader reads well-known binary, ISO's or PostGIS's, into positions. What is claimed
// is not believed: nothing is made room for that the bytes left cannot hold.
type wkbReader struct {
	in    []byte
	order binary.ByteOrder
	size  int // ordinates of a position
	hasZ  bool
	count int        // positions read, where p does not count them
	p     *positions // nil where positions are taken as they are
}

var (
	errBrokenWKB = layer.Wrong("hình bị hỏng", "the geometry is broken")
	errNotTaken  = layer.Wrong("không nhận hình cong và tập hợp hình", "curves and collections of geometries are not taken")
)

// wkbKinds are the names of the types 1 to 6.
var wkbKinds = geometryNames

// geometry reads one geometry; kind is "" for an empty one.
func (w *wkbReader) geometry() (kind string, tree coordinates, err error) {
	of, err := w.header()
	if err != nil {
		return "", tree, err
	}
	tree, err = w.read(of)
	if err == nil && len(w.in) > 0 {
		err = errBrokenWKB
	}
	if err != nil || of == 1 && tree.position == nil || of > 1 && len(tree.parts) == 0 {
		return "", tree, err
	}
	return wkbKinds[of], tree, nil
}

// header reads byte order and type.
func (w *wkbReader) header() (of uint32, err error) {
	if len(w.in) < 5 || w.in[0] > 1 {
		return 0, errBrokenWKB
	}
	w.order = binary.LittleEndian
	if w.in[0] == 0 {
		w.order = binary.BigEndian
	}
	of = w.order.Uint32(w.in[1:])
	w.in = w.in[5:]
	const z, m, srid = 0x80000000, 0x40000000, 0x20000000
	dimensions := of & 0xffff / 1000 // ISO: 1 heights, 2 measures, 3 both
	hasM := of&m != 0 || dimensions >= 2
	w.hasZ = of&z != 0 || dimensions == 1 || dimensions == 3
	if of&srid != 0 {
		if len(w.in) < 4 {
			return 0, errBrokenWKB
		}
		w.in = w.in[4:]
	}
	w.size = 2
	for _, more := range []bool{w.hasZ, hasM} {
		if more {
			w.size++
		}
	}
	of = of & 0xffff % 1000
	if of < 1 || int(of) >= len(wkbKinds) || dimensions > 3 {
		return 0, errNotTaken
	}
	return of, nil
}

func (w *wkbReader) read(of uint32) (coordinates, error) {
	switch of {
	case 1:
		return w.position()
	case 2:
		return w.list(8*w.size, w.vertex)
	case 3:
		return w.list(4, func() (coordinates, error) { return w.list(8*w.size, w.vertex) })
	}
	return w.list(5, func() (coordinates, error) {
		part, err := w.header()
		if err != nil || part != of-3 {
			return coordinates{}, errBrokenWKB
		}
		if part == 1 {
			return w.vertex()
		}
		return w.read(part)
	})
}

// vertex is a position that is not empty.
func (w *wkbReader) vertex() (coordinates, error) {
	c, err := w.position()
	if err == nil && c.position == nil {
		err = errBrokenWKB
	}
	return c, err
}

// list reads a number of parts of at least size bytes each.
func (w *wkbReader) list(size int, one func() (coordinates, error)) (coordinates, error) {
	if len(w.in) < 4 {
		return coordinates{}, errBrokenWKB
	}
	n := int(w.order.Uint32(w.in))
	w.in = w.in[4:]
	if n > len(w.in)/size {
		return coordinates{}, errBrokenWKB
	}
	if n > MaxVertices {
		return coordinates{}, errTooManyPositions
	}
	tree := coordinates{parts: make([]coordinates, 0, n)}
	for range n {
		part, err := one()
		if err != nil {
			return coordinates{}, err
		}
		tree.parts = append(tree.parts, part)
	}
	return tree, nil
}

// position reads one position, measures left aside; that of POINT EMPTY is nil.
func (w *wkbReader) position() (coordinates, error) {
	if len(w.in) < 8*w.size {
		return coordinates{}, errBrokenWKB
	}
	xyz := make([]float64, 2, 3)
	for i := range xyz {
		xyz[i] = math.Float64frombits(w.order.Uint64(w.in[8*i:]))
	}
	if w.hasZ {
		xyz = append(xyz, math.Float64frombits(w.order.Uint64(w.in[16:])))
	}
	w.in = w.in[8*w.size:]
	if math.IsNaN(xyz[0]) && math.IsNaN(xyz[1]) {
		return coordinates{}, nil
	}
	if w.p == nil {
		if w.count++; w.count > MaxVertices {
			return coordinates{}, errTooManyPositions
		}
		return coordinates{position: xyz}, nil
	}
	if err := w.p.counted(); err != nil {
		return coordinates{}, err
	}
	return coordinates{position: xyz}, w.p.place(xyz)
}
