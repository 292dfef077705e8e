package geo

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

// sameWithin asks for the bounded distance in every way and compares with the plain one.
func sameWithin(tb testing.TB, areas []orb.MultiPolygon, indexes []*Index, p orb.Point, limitM float64) (found int) {
	tb.Helper()
	for i, area := range areas {
		want, near := DistanceToBoundaryM(area, p), false
		if near = want <= limitM && finite(want); !near {
			want = math.Inf(1)
		}
		if m, within := DistanceToBoundaryWithinM(area, p, limitM); m != want || within != near {
			tb.Fatalf("area %d from %v within %v m: %v %t, want %v %t", i, p, limitM, m, within, want, near)
		}
		for n, x := range indexes {
			if m, within := x.DistanceToBoundaryWithinM(i, p, limitM); m != want || within != near {
				tb.Fatalf("index %d, area %d from %v within %v m: %v %t, want %v %t", n, i, p, limitM, m, within, want, near)
			}
			if within := x.BoundaryWithin(i, p, limitM); within != near {
				tb.Fatalf("index %d, area %d from %v, %v m away, within %v m: %t", n, i, p, want, limitM, within)
			}
		}
		if near {
			found++
		}
	}
	return found
}

// withGrid is an index that has its board from the start.
func withGrid(areas []orb.MultiPolygon) *Index {
	x := NewIndex(areas)
	x.late.board.Store(newBoard(x.areas, x.edges))
	return x
}

// Real units, from near and far, as drawn and through the grid.
func TestDistanceWithinAProvince(t *testing.T) {
	byCode, codes := boundaries(t, "dienbien_communes")
	var areas []orb.MultiPolygon
	whole := orb.MultiPolygon{}
	for _, code := range codes[:12] {
		areas = append(areas, byCode[code])
		whole = append(whole, byCode[code]...)
	}
	areas = append(areas, whole)
	indexes := []*Index{NewIndex(areas), withGrid(areas)}
	random, found := rand.New(rand.NewPCG(4, 4)), 0
	for i, p := range scatter(9, 100, whole.Bound().Pad(0.05)) {
		if i%5 == 0 { // on a vertex
			ring := areas[i%len(areas)][0][0]
			p = ring[random.IntN(len(ring))]
		}
		found += sameWithin(t, areas, indexes, p, []float64{0, 10, 100, 1e3, 1e4, 3e4, 1e5}[random.IntN(7)])
	}
	if found < 200 {
		t.Errorf("only %d boundaries were near: the test shows little", found)
	}
}

// Any shapes, anywhere: beside the antimeridian and the poles too, degenerate ones too.
func TestDistanceWithinAnywhere(t *testing.T) {
	found := 0
	rapid.Check(t, func(r *rapid.T) {
		centre := orb.Point{rapid.SampledFrom([]float64{103, 0, 179.99, -179.999, 180}).Draw(r, "lon"),
			rapid.SampledFrom([]float64{21, 0, -33, 60, 84.99, 89.9, -90, 90}).Draw(r, "lat")}
		size := rapid.SampledFrom([]float64{0, 1e-7, 1e-3, 0.1, 3}).Draw(r, "size, degrees")
		point := func(size float64) orb.Point {
			return orb.Point{max(-180, min(180, centre[0]+size*float64(rapid.IntRange(-8, 8).Draw(r, "x"))/8)),
				max(-90, min(90, centre[1]+size*float64(rapid.IntRange(-8, 8).Draw(r, "y"))/8))}
		}
		areas := []orb.MultiPolygon{nil, {}, {{}}, {{{}}}, {{{{math.NaN(), 1}, {2, math.Inf(1)}}}}}
		for range rapid.IntRange(1, 4).Draw(r, "areas") {
			var polygon orb.Polygon
			for range rapid.IntRange(1, 2).Draw(r, "rings") {
				var ring orb.Ring
				for range rapid.IntRange(0, 8).Draw(r, "vertices") {
					ring = append(ring, point(size))
				}
				polygon = append(polygon, ring)
			}
			areas = append(areas, orb.MultiPolygon{polygon})
		}
		indexes := []*Index{NewIndex(areas), withGrid(areas)}
		for range 5 {
			limitM := rapid.SampledFrom([]float64{0, 1e-3, 1, 50, 1e3, 2e4, 1e5, 1e7, math.Inf(1)}).Draw(r, "limit, m")
			found += sameWithin(t, areas, indexes, point(1.5*size), limitM)
		}
	})
	if found < 300 {
		t.Errorf("only %d boundaries were near: the test shows little", found)
	}
}

func TestDistanceWithinEdges(t *testing.T) {
	square := orb.MultiPolygon{{{{103, 21}, {103.1, 21}, {103.1, 21.1}, {103, 21.1}, {103, 21}}}}
	for _, x := range []*Index{NewIndex([]orb.MultiPolygon{square}), withGrid([]orb.MultiPolygon{square})} {
		for _, tt := range []struct {
			p      orb.Point
			limitM float64
			within bool
		}{
			{orb.Point{103, 21.05}, 0, true},
			{orb.Point{103, 21.05}, -1, false},
			{orb.Point{103, 21.05}, math.NaN(), false},
			{orb.Point{math.NaN(), 21}, math.Inf(1), false},
			{orb.Point{103, 91}, 10, false},
			{orb.Point{-70, -20}, math.Inf(1), true},
		} {
			m, within := x.DistanceToBoundaryWithinM(0, tt.p, tt.limitM)
			if within != tt.within || !within && !math.IsInf(m, 1) {
				t.Errorf("%v within %v m: got %v, %t", tt.p, tt.limitM, m, within)
			}
		}
		if m, within := x.Without(0).DistanceToBoundaryWithinM(0, orb.Point{103, 21}, 10); within || !math.IsInf(m, 1) {
			t.Errorf("an area left out: got %v, %t", m, within)
		}
	}
}

// BenchmarkDistanceWithin asks all over a province for the edge of each point's commune.
func BenchmarkDistanceWithin(b *testing.B) {
	byCode, codes := boundaries(b, "dienbien_communes")
	var areas []orb.MultiPolygon
	whole := orb.MultiPolygon{}
	for _, code := range codes {
		areas = append(areas, byCode[code])
		whole = append(whole, byCode[code]...)
	}
	index, points := withGrid(areas), scatter(1, 1024, whole.Bound())
	for name, limitM := range map[string]float64{"10 m": 10, "1 km": 1000, "20 km": 20000} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				p := points[i&1023]
				if at, ok := index.First(p); ok {
					index.DistanceToBoundaryWithinM(at, p, limitM)
				}
				i++
			}
		})
	}
}
