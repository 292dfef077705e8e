package tiles

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/paulmach/orb"
)

// Geometry types of EWKB, and the flags beside them.
const (
	ewkbPoint        = 1
	ewkbLine         = 2
	ewkbPolygon      = 3
	ewkbMultiPoint   = 4
	ewkbMultiLine    = 5
	ewkbMultiPolygon = 6

	flagZ    = 0x80000000
	flagM    = 0x40000000
	flagSRID = 0x20000000
)

var errShort = errors.New("the geometry ends too early")

// reader reads EWKB; what is behind the geometry's end is left aside.
type reader struct {
	b    []byte
	big  bool // big-endian
	step int  // bytes of a position
}

// plainPoint reads what nearly all points are: two numbers, little-endian, with their
// reference system.
func plainPoint(ewkb []byte) (lon, lat float64, ok bool) {
	const begin = 1 + 4 + 4
	if len(ewkb) != begin+16 || ewkb[0] != 1 || binary.LittleEndian.Uint32(ewkb[1:]) != ewkbPoint|flagSRID {
		return 0, 0, false
	}
	return littleDouble(ewkb[begin:]), littleDouble(ewkb[begin+8:]), true
}

func littleDouble(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }

// number reads four bytes.
func (r *reader) number(b []byte) uint32 {
	if r.big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

// header reads the byte order and the type of a geometry.
func (r *reader) header() (kind uint32, err error) {
	if len(r.b) < 5 {
		return 0, errShort
	}
	r.big = r.b[0] == 0
	kind = r.number(r.b[1:])
	r.b = r.b[5:]
	if kind&flagSRID != 0 {
		if len(r.b) < 4 {
			return 0, errShort
		}
		r.b = r.b[4:]
	}
	r.step = 16
	if kind&flagZ != 0 {
		r.step += 8
	}
	if kind&flagM != 0 {
		r.step += 8
	}
	return kind &^ (flagZ | flagM | flagSRID), nil
}

// count reads a number of things of at least size bytes each.
func (r *reader) count(size int) (int, error) {
	if len(r.b) < 4 {
		return 0, errShort
	}
	n := r.number(r.b)
	r.b = r.b[4:]
	if uint64(n)*uint64(size) > uint64(len(r.b)) {
		return 0, errShort
	}
	return int(n), nil
}

// position reads longitude and latitude, heights left aside.
func (r *reader) position() (lon, lat float64, err error) {
	if len(r.b) < r.step {
		return 0, 0, errShort
	}
	at := r.b
	r.b = r.b[r.step:]
	if r.big {
		return math.Float64frombits(binary.BigEndian.Uint64(at)), math.Float64frombits(binary.BigEndian.Uint64(at[8:])), nil
	}
	return littleDouble(at), littleDouble(at[8:]), nil
}

// place is position for what must be a place on earth. Longitudes may go once around,
// so that a shape can cross the date line; nothing that is drawn has such in it.
func (r *reader) place() (lon, lat float64, err error) {
	lon, lat, err = r.position()
	if err == nil && !(math.Abs(lon) <= 540 && math.Abs(lat) <= 90) {
		err = fmt.Errorf("%v, %v is no place on earth", lon, lat)
	}
	return lon, lat, err
}

// Bounds is the box of a geometry in EWKB; an inverted one where it is empty. It fails on
// what cannot be read.
func Bounds(ewkb []byte) (orb.Bound, error) {
	r := reader{b: ewkb}
	box := orb.Bound{Min: orb.Point{math.Inf(1), math.Inf(1)}, Max: orb.Point{math.Inf(-1), math.Inf(-1)}}
	return box, r.extend(&box)
}

// extend widens a box by the geometry that begins here.
func (r *reader) extend(box *orb.Bound) error {
	kind, err := r.header()
	if err != nil {
		return err
	}
	switch kind {
	case ewkbPoint:
		return r.extendBy(1, box)
	case ewkbLine:
		n, err := r.count(r.step)
		return errors.Join(err, r.extendBy(n, box))
	}
	least := 5 // bytes of a part
	if kind == ewkbPolygon {
		least = 4
	} else if kind > ewkbMultiPolygon {
		return fmt.Errorf("geometries of type %d are not drawn", kind)
	}
	n, err := r.count(least)
	for i := 0; i < n && err == nil; i++ {
		if kind != ewkbPolygon {
			err = r.extend(box)
			continue
		}
		var places int
		if places, err = r.count(r.step); err == nil {
			err = r.extendBy(places, box)
		}
	}
	return err
}

// extendBy widens a box by so many positions; one that is no number, as of an empty
// point, is passed over.
func (r *reader) extendBy(positions int, box *orb.Bound) error {
	for range positions {
		lon, lat, err := r.position()
		if err != nil {
			return err
		}
		if !math.IsNaN(lon) && !math.IsNaN(lat) {
			box.Min = orb.Point{min(box.Min[0], lon), min(box.Min[1], lat)}
			box.Max = orb.Point{max(box.Max[0], lon), max(box.Max[1], lat)}
		}
	}
	return nil
}
