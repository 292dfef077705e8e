package geo

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paulmach/orb"
	"github.com/peterstace/simplefeatures/geom"
	"pgregory.net/rapid"
)

var (
	frame = orb.MultiPolygon{{ // a square with a square hole
		{{0, 0}, {4, 0}, {4, 4}, {0, 4}, {0, 0}},
		{{1, 1}, {1, 3}, {3, 3}, {3, 1}, {1, 1}}}}
	diamond = orb.MultiPolygon{{{{0, 0}, {2, -2}, {4, 0}, {2, 2}}}} // not closed
)

func TestContains(t *testing.T) {
	nan := math.NaN()
	tests := []struct {
		name string
		area orb.MultiPolygon
		p    orb.Point
		want bool
	}{
		{"inside", frame, orb.Point{0.5, 0.5}, true},
		{"in the hole", frame, orb.Point{2, 2}, false},
		{"on the hole's edge", frame, orb.Point{1, 2}, true},
		{"on the hole's corner", frame, orb.Point{3, 3}, true},
		{"level with the hole's top", frame, orb.Point{0.5, 3}, true},
		{"on a horizontal edge", frame, orb.Point{2, 4}, true},
		{"beyond a horizontal edge", frame, orb.Point{-1, 4}, false},
		{"on a corner", frame, orb.Point{0, 0}, true},
		{"outside", frame, orb.Point{5, 2}, false},
		{"level with two vertices, left", diamond, orb.Point{-1, 0}, false},
		{"level with two vertices, inside", diamond, orb.Point{2, 0}, true},
		{"level with the top vertex", diamond, orb.Point{1, 2}, false},
		{"the top vertex", diamond, orb.Point{2, 2}, true},
		{"on a slanted edge", diamond, orb.Point{1, 1}, true},
		{"the next number beyond a slanted edge", diamond, orb.Point{1, math.Nextafter(1, 2)}, false},
		{"the next number within a slanted edge", diamond, orb.Point{1, math.Nextafter(1, 0)}, true},
		{"NaN", frame, orb.Point{nan, 2}, false},
		{"NaN latitude", frame, orb.Point{0.5, nan}, false},
		{"infinite", frame, orb.Point{math.Inf(-1), 2}, false},
		{"NaN vertex", orb.MultiPolygon{{{{0, 0}, {nan, 1}, {1, 1}, {0, 0}}}}, orb.Point{5, 5}, false},
		{"nil", nil, orb.Point{0, 0}, false},
		{"empty polygon", orb.MultiPolygon{{}}, orb.Point{0, 0}, false},
		{"empty ring", orb.MultiPolygon{{{}}}, orb.Point{0, 0}, false},
		{"a line there and back", orb.MultiPolygon{{{{0, 0}, {2, 2}, {0, 0}}}}, orb.Point{1, 1}, true},
		{"beside a line there and back", orb.MultiPolygon{{{{0, 0}, {2, 2}, {0, 0}}}}, orb.Point{1, 0.5}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Contains(tt.area, tt.p); got != tt.want {
				t.Errorf("Contains = %v, want %v", got, tt.want)
			}
			if got := len(NewIndex([]orb.MultiPolygon{tt.area}).At(tt.p)) == 1; got != tt.want {
				t.Errorf("Index.At finds it: %v, want %v", got, tt.want)
			}
		})
	}
}

// Rings may run either way and start anywhere.
func TestContainsWhateverTheRingsDirection(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := orb.Point{float64(rapid.IntRange(-1, 9).Draw(t, "x")) / 2, float64(rapid.IntRange(-1, 9).Draw(t, "y")) / 2}
		turned := frame.Clone()
		for i, r := range turned[0] {
			if rapid.Bool().Draw(t, "reverse") {
				slices.Reverse(r)
			}
			open := r[:4]
			k := rapid.IntRange(0, 3).Draw(t, "start")
			turned[0][i] = append(slices.Clone(open[k:]), open[:k]...)
		}
		if Contains(turned, p) != Contains(frame, p) {
			t.Fatalf("%v: %v as drawn, %v turned", p, Contains(frame, p), Contains(turned, p))
		}
	})
}

// Every point of a partition lies in exactly one of its units, vertices and the
// middles of edges, where units meet, included.
func TestIndexPartitionsTheProvince(t *testing.T) {
	areas, codes := boundaries(t, "dienbien_communes")
	slices.Sort(codes)
	units := make([]orb.MultiPolygon, len(codes))
	for i, code := range codes {
		units[i] = areas[code]
	}
	index := NewIndex(units)
	shared := 0
	for i, u := range units {
		for _, p := range u[0][0] {
			found := index.At(p)
			first, ok := index.First(p)
			if !ok || !slices.Contains(found, i) || first != found[0] || !slices.IsSorted(found) {
				t.Fatalf("vertex %v of %s: At %v, First %d %v", p, codes[i], found, first, ok)
			}
			if len(found) > 1 {
				shared++
			}
		}
	}
	if shared == 0 {
		t.Error("no vertex is shared: the test shows nothing")
	}
	whole := orb.MultiPolygon{}
	for _, u := range units {
		whole = append(whole, u...)
	}
	inside := 0
	for _, p := range scatter(11, 20000, whole.Bound()) {
		found := index.At(p)
		if len(found) > 1 {
			t.Errorf("%v lies in %v", p, found)
		}
		for _, i := range found {
			if !Contains(units[i], p) {
				t.Errorf("%v: the index and Contains differ over %s", p, codes[i])
			}
		}
		inside += len(found)
	}
	if inside < 6000 {
		t.Errorf("only %d points of 20000 inside", inside)
	}
}

// An independent judge: the relate matrix of simplefeatures, as in ST_Covers.
func TestContainsAgainstRelate(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 300 {
		ring := make(orb.Ring, 0, 9)
		for k := range 8 { // star-shaped, on a coarse grid, so that points hit edges
			angle := (float64(k) + 0.8*r.Float64()) * math.Pi / 4
			size := 1 + 7*r.Float64()
			ring = append(ring, orb.Point{math.Round(size * math.Cos(angle)), math.Round(size * math.Sin(angle))})
		}
		ring = append(ring, ring[0])
		var flat []float64
		for _, p := range ring {
			flat = append(flat, p[0], p[1])
		}
		polygon := geom.NewPolygon([]geom.LineString{geom.NewLineString(geom.NewSequence(flat, geom.DimXY))})
		if polygon.Validate() != nil {
			continue
		}
		for range 40 {
			p := orb.Point{float64(r.IntN(33)-16) / 2, float64(r.IntN(33)-16) / 2}
			want, err := geom.Covers(polygon.AsGeometry(), geom.XY{X: p[0], Y: p[1]}.AsPoint().AsGeometry())
			if err != nil {
				t.Fatal(err)
			}
			if got := Contains(orb.MultiPolygon{{ring}}, p); got != want {
				t.Errorf("%v in %v: %v, want %v", p, ring, got, want)
			}
		}
	}
}

func TestDistanceToBoundary(t *testing.T) {
	square := orb.MultiPolygon{{{{103, 21}, {103.1, 21}, {103.1, 21.1}, {103, 21.1}, {103, 21}}}}
	tests := []struct {
		name  string
		p     orb.Point
		wantM float64
	}{
		{"on a vertex", orb.Point{103, 21}, 0},
		{"on an edge", orb.Point{103, 21.05}, 0},
		{"west of the middle of a meridian edge", orb.Point{102.9, 21.05}, DistanceM(orb.Point{102.9, 21.05}, orb.Point{103, 21.0500178})},
		{"beyond a corner", orb.Point{103.2, 21.2}, DistanceM(orb.Point{103.2, 21.2}, orb.Point{103.1, 21.1})},
		{"inside", orb.Point{103.05, 21.01}, DistanceM(orb.Point{103.05, 21.01}, orb.Point{103.05, 21})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, at := NearestOnBoundary(square, tt.p)
			if math.Abs(d-tt.wantM) > 1e-4 || math.Abs(DistanceM(tt.p, at)-d) > 1e-6 {
				t.Errorf("%.6f m to %v, want %.6f", d, at, tt.wantM)
			}
		})
	}
	if d := DistanceToBoundaryM(nil, orb.Point{103, 21}); !math.IsInf(d, 1) {
		t.Errorf("no boundary: %v", d)
	}
	if d := DistanceToBoundaryM(square, orb.Point{math.NaN(), 21}); !math.IsNaN(d) {
		t.Errorf("NaN: %v", d)
	}
}

// One slanted edge, against golden section on the exact distance.
func TestDistanceToBoundaryIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := orb.Point{103, 21}
		end := func() orb.Point {
			return Destination(p, rapid.Float64Range(0, 360).Draw(t, "azimuth"), rapid.Float64Range(0, 50e3).Draw(t, "distance"))
		}
		a, b := end(), end()
		at := func(s float64) float64 {
			return DistanceM(p, orb.Point{a[0] + s*(b[0]-a[0]), a[1] + s*(b[1]-a[1])})
		}
		low, high := 0.0, 1.0
		for high-low > 1e-12 {
			if x, y := low+0.382*(high-low), low+0.618*(high-low); at(x) < at(y) {
				high = y
			} else {
				low = x
			}
		}
		want := min(at(0), at(low), at(1))
		if got := DistanceToBoundaryM(orb.MultiPolygon{{{a, b}}}, p); math.Abs(got-want) > 1e-4 {
			t.Fatalf("%v–%v: %.6f m, want %.6f", a, b, got, want)
		}
	})
}

// Against every edge of a real unit, each looked at exactly.
func TestDistanceToBoundaryAgainstEveryEdge(t *testing.T) {
	areas, codes := boundaries(t, "dienbien_communes")
	for _, code := range codes[:6] {
		unit := areas[code]
		for _, p := range scatter(3, 4, unit.Bound().Pad(0.3)) {
			want := math.Inf(1)
			forEachEdge(unit, func(a, b orb.Point) {
				for k := range 21 {
					s := float64(k) / 20
					want = min(want, DistanceM(p, orb.Point{a[0] + s*(b[0]-a[0]), a[1] + s*(b[1]-a[1])}))
				}
			})
			if got := DistanceToBoundaryM(unit, p); got > want+1e-6 || got < want-30 {
				t.Errorf("%s from %v: %.4f m, by hand %.4f", code, p, got, want)
			}
		}
	}
}

func BenchmarkIndexFirst(b *testing.B) {
	areas, codes := boundaries(b, "dienbien_communes")
	var units []orb.MultiPolygon
	whole := orb.MultiPolygon{}
	for _, code := range codes {
		units = append(units, areas[code])
		whole = append(whole, areas[code]...)
	}
	index := NewIndex(units)
	points := scatter(1, 1024, whole.Bound())
	i := 0
	for b.Loop() {
		index.First(points[i&1023])
		i++
	}
}

func BenchmarkDistanceToBoundaryM(b *testing.B) {
	areas, codes := boundaries(b, "dienbien_communes")
	unit := areas[codes[20]]
	p := unit.Bound().Center()
	for b.Loop() {
		DistanceToBoundaryM(unit, p)
	}
}
