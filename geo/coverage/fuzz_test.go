package coverage

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/paulmach/orb"
)

// shapes reads a unit, discs and sites from bytes: coordinates are mostly those of a
// grid, so that they coincide, touch and cross, sometimes anywhere on earth or anything at all.
func shapes(data []byte) (unit orb.MultiPolygon, discs []Disc, sites []orb.Point) {
	next := func() byte {
		if len(data) == 0 {
			return 0
		}
		b := data[0]
		data = data[1:]
		return b
	}
	coordinate := func(centre, step, most float64) float64 {
		switch b := next(); {
		case b == 255 && len(data) >= 8: // anything
			f := math.Float64frombits(binary.LittleEndian.Uint64(data))
			data = data[8:]
			return f
		case b >= 250 && len(data) >= 2: // anywhere on earth
			f := (float64(binary.LittleEndian.Uint16(data))/32768 - 1) * most
			data = data[2:]
			return f
		default:
			return centre + step*float64(int(b%16)-8)
		}
	}
	centres := []orb.Point{{103, 21}, {180, 0}, {0, 90}, {-180, -89.99}, {0, 0}, {103, 60}}
	centre := centres[int(next())%len(centres)]
	step := math.Pow(10, 1-float64(next()%8))
	point := func() orb.Point {
		return orb.Point{coordinate(centre[0], step, 180), coordinate(centre[1], step, 90)}
	}
	for range next() % 3 {
		var polygon orb.Polygon
		for range next() % 3 {
			var ring orb.Ring
			for range next() % 9 {
				ring = append(ring, point())
			}
			polygon = append(polygon, ring)
		}
		unit = append(unit, polygon)
	}
	for range next() % 8 {
		discs = append(discs, Disc{point(), math.Abs(coordinate(8, 1, 8)) * step * 50e3})
	}
	for range next() % 5 {
		sites = append(sites, point())
	}
	return unit, discs, sites
}

// Whatever comes in, what comes out is an error or lies within bounds.
func FuzzShapes(f *testing.F) {
	f.Add([]byte{0, 2, 1, 1, 4, 0, 0, 15, 0, 15, 15, 0, 15, 2, 8, 8, 5, 3, 3, 9, 1, 8, 8})
	f.Add([]byte{1, 1, 1, 2, 4, 1, 1, 9, 1, 9, 9, 1, 9, 4, 3, 3, 3, 5, 5, 5, 5, 3, 1, 8, 8, 9, 2, 1, 1, 9, 9})
	f.Add([]byte{2, 0, 2, 1, 3, 0, 8, 5, 8, 9, 8, 1, 3, 1, 1, 2, 2, 3, 3, 7, 8, 8, 15, 4, 4, 1, 0, 0})
	f.Add([]byte{0, 0, 1, 1, 3, 255, 0, 0, 0, 0, 0, 0, 248, 127, 1, 2, 3, 4, 5})
	f.Fuzz(func(t *testing.T, data []byte) {
		unit, discs, sites := shapes(data)
		if r, err := Covered(unit, discs); err == nil && !sound(r) {
			t.Errorf("Covered(%v, %v) = %+v", unit, discs, r)
		}
		if many, err := CoveredMany([]orb.MultiPolygon{unit, unit}, discs); err == nil && (!sound(many[0]) || many[0] != many[1]) {
			t.Errorf("CoveredMany(%v, %v) = %+v", unit, discs, many)
		}
		if s, err := Distances(unit, sites); err == nil && !(s.MaxM >= 0 && s.MaxM < 2.01e7 && s.P50M >= 0 && s.P50M <= s.P95M*1.01+1e-3) {
			t.Errorf("Distances(%v, %v) = %+v", unit, sites, s)
		}
		if parts, err := Uncovered(unit, discs, 100); err == nil {
			for _, p := range parts {
				if box := p.Bound(); len(p) == 0 || len(p[0]) < 4 || box.Min[0] < -180 || box.Max[0] > 180 {
					t.Errorf("Uncovered(%v, %v) has a part %v", unit, discs, p)
				}
			}
		}
	})
}

func sound(r Result) bool {
	return r.AreaM2 >= 0 && r.AreaM2 < 5.2e14 && r.CoveredM2 >= 0 && r.CoveredM2 <= r.AreaM2 && r.Share >= 0 && r.Share <= 1
}
