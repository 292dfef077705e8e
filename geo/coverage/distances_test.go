package coverage

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/paulmach/orb"

	"hatang/geo"
)

func TestPlaneThereAndBack(t *testing.T) {
	for _, centre := range []orb.Point{dienBien, {0, 0}, {179.9, -60}, {-180, 89}, {10, 90}, {10, -90}} {
		p := newPlane(centre)
		for _, step := range []float64{0, 1, 1e3, 1e5, 2e6} {
			for azimuth := 0.0; azimuth < 360; azimuth += 50 {
				q := geo.Destination(centre, azimuth, step)
				tolerance := 1e-8
				switch {
				case math.Abs(q[1]) > 89.99:
					tolerance = 0.1
				case math.Abs(q[1]) > 85:
					tolerance = 1e-5
				}
				if d := geo.DistanceM(p.lonLat(p.xy(q)), q); !(d <= tolerance) {
					t.Errorf("about %v, %v comes back %v m away", centre, q, d)
				}
			}
		}
	}
}

// Where the farthest point is known: a corner, the middle between sites, a hole's rim.
func TestDistancesFarthest(t *testing.T) {
	const side = 20e3
	unit := square(dienBien, side)
	corners := unit[0][0][:4]
	centre := geo.Destination(dienBien, 0, 0)
	hole := square(dienBien, 2e3)[0][0]
	for _, tt := range []struct {
		name  string
		unit  orb.MultiPolygon
		sites []orb.Point
		want  float64
		slack float64
	}{
		{"one site in the middle", unit, []orb.Point{centre}, geo.DistanceM(centre, corners[0]), 2e-3},
		{"one site at a corner", unit, corners[:1], geo.DistanceM(corners[0], corners[2]), 2e-3},
		{"a site on every corner", unit, corners, geo.DistanceM(centre, corners[0]), 5e-2},
		{"the same site twice", unit, []orb.Point{centre, centre}, geo.DistanceM(centre, corners[0]), 2e-3},
		{"a hole in the middle", orb.MultiPolygon{{unit[0][0], hole}}, corners, geo.DistanceM(hole[0], middleOf(corners[0], corners[1])), math.Inf(1)},
		{"a far site", unit, []orb.Point{{-70, -20}}, geo.DistanceM(orb.Point{-70, -20}, corners[2]), math.Inf(1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			unit := dense(tt.unit)
			got, err := Distances(unit, tt.sites)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(got.MaxM-tt.want) > tt.slack {
				t.Errorf("%.4f m at %v, want %.4f", got.MaxM, got.MaxAt, tt.want)
			}
			checkFarthest(t, unit, tt.sites, got)
		})
	}
}

// checkFarthest climbs from a grid and from every vertex as high as it can.
func checkFarthest(t *testing.T, unit orb.MultiPolygon, sites []orb.Point, got DistanceStats) {
	t.Helper()
	distance := func(p orb.Point) float64 {
		d := math.Inf(1)
		for _, s := range sites {
			d = min(d, geo.DistanceM(p, s))
		}
		return d
	}
	if d := distance(got.MaxAt); math.Abs(d-got.MaxM) > 1e-6 {
		t.Errorf("MaxM is %v, but it is %v m from MaxAt", got.MaxM, d)
	}
	if off := geo.DistanceToBoundaryM(unit, got.MaxAt); !geo.Contains(unit, got.MaxAt) && off > 1e-3 {
		t.Errorf("MaxAt lies %v m outside the unit", off)
	}
	index := geo.NewIndex([]orb.MultiPolygon{unit})
	inside := func(p orb.Point) bool {
		_, ok := index.First(p)
		return ok
	}
	best := 0.0
	climb := func(p orb.Point) {
		here := distance(p)
		for step := 0.01; step > 1e-10; {
			moved := false
			for k := range 8 {
				sin, cos := math.Sincos(float64(k) * math.Pi / 4)
				q := orb.Point{p[0] + step*cos, p[1] + step*sin}
				if d := distance(q); d > here && inside(q) {
					p, here, moved = q, d, true
				}
			}
			if !moved {
				step /= 2
			}
		}
		best = max(best, here)
	}
	box := unit.Bound()
	for i := range 9 {
		p := orb.Point{box.Min[0] + (float64(i%3)+.5)/3*(box.Max[0]-box.Min[0]), box.Min[1] + (float64(i/3)+.5)/3*(box.Max[1]-box.Min[1])}
		if inside(p) {
			climb(p)
		}
	}
	for _, ring := range unit[0] {
		for _, p := range ring {
			best = max(best, distance(p))
		}
	}
	if best > got.MaxM+1.2*MaxToleranceM {
		t.Errorf("climbed to %.5f m, MaxM is %.5f", best, got.MaxM)
	}
}

func TestDistancesAgainstBruteForce(t *testing.T) {
	unit := dense(orb.MultiPolygon{{{{103, 21.3}, {103.2, 21.32}, {103.15, 21.4}, {103.2, 21.5}, {103.05, 21.45}, {103, 21.3}},
		{{103.08, 21.36}, {103.12, 21.36}, {103.1, 21.4}, {103.08, 21.36}}}})
	box := orb.Bound{Min: orb.Point{102.95, 21.25}, Max: orb.Point{103.25, 21.55}}
	for seed := range uint64(16) {
		var sites []orb.Point
		for _, d := range scatter(seed, 1+int(seed), box, 1, 1) {
			sites = append(sites, d.Center)
		}
		got, err := Distances(unit, sites)
		if err != nil {
			t.Fatal(err)
		}
		checkFarthest(t, unit, sites, got)
		p50, p95 := sampled(unit, sites, 70)
		if math.Abs(got.P50M/p50-1) > 0.015 || math.Abs(got.P95M/p95-1) > 0.015 {
			t.Errorf("seed %d: percentiles %v and %v, counted %v and %v", seed, got.P50M, got.P95M, p50, p95)
		}
	}
}

// dense adds points every hundred metres or so, which makes edges that are straight
// in degrees, as Contains has them, the geodesics that Distances has, to 0.1 mm.
func dense(unit orb.MultiPolygon) orb.MultiPolygon {
	var out orb.MultiPolygon
	for _, polygon := range unit {
		var rings orb.Polygon
		for _, ring := range polygon {
			r := orb.Ring{ring[0]}
			for i := 1; i < len(ring); i++ {
				a, b := ring[i-1], ring[i]
				n := math.Ceil(geo.DistanceM(a, b) / 100)
				for k := 1.0; k < n; k++ {
					r = append(r, orb.Point{a[0] + k/n*(b[0]-a[0]), a[1] + k/n*(b[1]-a[1])})
				}
				r = append(r, b)
			}
			rings = append(rings, r)
		}
		out = append(out, rings)
	}
	return out
}

// sampled are the percentiles over the points of an n×n grid; a small unit needs
// no weights.
func sampled(unit orb.MultiPolygon, sites []orb.Point, n int) (p50, p95 float64) {
	box := unit.Bound()
	var all []float64
	for i := range n * n {
		p := orb.Point{
			box.Min[0] + (float64(i%n)+.5)/float64(n)*(box.Max[0]-box.Min[0]),
			box.Min[1] + (float64(i/n)+.5)/float64(n)*(box.Max[1]-box.Min[1])}
		if !geo.Contains(unit, p) {
			continue
		}
		d := math.Inf(1)
		for _, s := range sites {
			d = min(d, geo.DistanceM(p, s))
		}
		all = append(all, d)
	}
	slices.Sort(all)
	return all[len(all)/2], all[len(all)*95/100]
}

// The share of the area within a percentile of the sites is that percentile, as
// measured by Covered, for the real districts.
func TestDistancesAgreeWithCovered(t *testing.T) {
	for i, unit := range boundaries(t, "dienbien_districts.geojson") {
		var sites []orb.Point
		for _, d := range scatter(uint64(i), 40, unit.Bound(), 1, 1) {
			sites = append(sites, d.Center)
		}
		got, err := Distances(unit, sites)
		if err != nil {
			t.Fatal(err)
		}
		within := func(radiusM float64) float64 {
			var discs []Disc
			for _, p := range sites {
				discs = append(discs, Disc{p, radiusM})
			}
			r, err := Covered(unit, discs)
			if err != nil {
				t.Fatal(err)
			}
			return r.Share
		}
		for _, c := range []struct{ share, m float64 }{{0.5, got.P50M}, {0.95, got.P95M}} {
			low, high := within(c.m*(1-PercentileTolerance)), within(c.m*(1+PercentileTolerance))
			if low > c.share || high < c.share {
				t.Errorf("district %d: %v of it lies within %.1f m to half a percent: %v to %v", i, c.share, c.m, low, high)
			}
		}
		if all := within(got.MaxM + 2*MaxToleranceM); all < 1-1e-9 {
			t.Errorf("district %d: %v of it lies within %.3f m", i, all, got.MaxM)
		}
	}
}

func TestDistancesRefuses(t *testing.T) {
	unit := square(dienBien, 1000)
	for _, tt := range []struct {
		name  string
		unit  orb.MultiPolygon
		sites []orb.Point
		want  error
	}{
		{"no sites", unit, nil, ErrNoSites},
		{"no unit", nil, []orb.Point{dienBien}, ErrNoArea},
		{"a line", orb.MultiPolygon{{{dienBien, {103, 21}, dienBien}}}, []orb.Point{dienBien}, ErrNoArea},
		{"NaN site", unit, []orb.Point{{math.NaN(), 21}}, ErrNotOnEarth},
		{"NaN unit", orb.MultiPolygon{{{{0, 0}, {math.NaN(), 1}, {1, 1}}}}, []orb.Point{dienBien}, ErrNotOnEarth},
		{"too large", orb.MultiPolygon{{{{-40, -40}, {40, -40}, {40, 40}, {-40, 40}}}}, []orb.Point{dienBien}, ErrTooLarge},
	} {
		if _, err := Distances(tt.unit, tt.sites); !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.want)
		}
	}
}

// Half of the unit is near and the other half far, so every distance between is a
// median; and a unit whose rings make no sense comes to an end.
func TestDistancesWithAGap(t *testing.T) {
	east := geo.Destination(dienBien, 90, 30e3)
	near, far := square(dienBien, 2e3), square(east, 2e3)
	got, err := Distances(append(near, far...), []orb.Point{dienBien})
	if err != nil || got.P50M < 1300 || got.P50M > 29.1e3 || got.P95M < 30e3 || got.P95M > 31e3 {
		t.Errorf("%+v, %v", got, err)
	}
	nonsense := orb.MultiPolygon{{}, {
		{{103.07, 20.92}, {102.96, 20.96}, {103, 21.05}, {103.07, 20.95}, {103.04, 21.07}},
		{{102.94, 20.96}, {102.97, 20.99}, {102.96, 20.92}, {102.94, 21.02}, {102.92, 21.07}, {103.06, 20.95}, {102.99, 21.05}, {103.05, 21.01}}}}
	if got, err := Distances(nonsense, []orb.Point{{103.04, 20.96}, {102.94, 20.92}}); err != nil || !(got.MaxM > 0) {
		t.Errorf("nonsense: %+v, %v", got, err)
	}
}

// A unit is the same wherever it lies, and the order of the sites does not matter.
func TestDistancesAnywhere(t *testing.T) {
	for _, centre := range []orb.Point{{0, 0}, {179.999, 10}, {-180, -45}, {20, 80}, {0, 90}} {
		unit := square(centre, 20e3)
		sites := []orb.Point{geo.Destination(centre, 33, 2000), geo.Destination(centre, 190, 4000)}
		got, err := Distances(unit, sites)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got.MaxM-13865.02) > 0.01 || got.P50M > got.P95M || got.P95M > got.MaxM || got.P50M < 4000 {
			t.Errorf("about %v: %+v", centre, got)
		}
		slices.Reverse(sites)
		if again, err := Distances(unit, sites); err != nil || again != got {
			t.Errorf("about %v, reversed: %+v, %v; want %+v", centre, again, err, got)
		}
	}
}

// Borders and lines all of whose points are equally far from the sites take no longer
// than others; where nothing can be told in the work allowed, an error says so.
func TestDistancesOfEqualDistances(t *testing.T) {
	const quarter = 10001965.729 // of a meridian, m
	poles := []orb.Point{{0, 90}, {0, -90}}
	var disc orb.Ring
	for k := range 720 {
		disc = append(disc, geo.Destination(dienBien, -float64(k)/2, 50e3))
	}
	band := orb.MultiPolygon{{{{100, 0}, {110, 0}, {120, 0}, {130, 0}, {130, 8}, {100, 8}}}}
	for _, tt := range []struct {
		name  string
		unit  orb.MultiPolygon
		sites []orb.Point
		want  float64
	}{
		{"a disc about its site", orb.MultiPolygon{{disc}}, []orb.Point{dienBien}, 50e3},
		{"an edge on the equator, sites at the poles", band, poles, quarter},
		{"the equator within, sites at the poles", square(orb.Point{103, 0.01}, 40e3), poles, quarter},
	} {
		got, err := Distances(tt.unit, tt.sites)
		if err != nil || math.Abs(got.MaxM-tt.want) > 1.5*MaxToleranceM {
			t.Errorf("%s: %+v, %v; want %.3f m", tt.name, got, err, tt.want)
		}
	}
	antipode := square(orb.Point{dienBien[0] - 180, -dienBien[1]}, 500e3)
	if got, err := Distances(antipode, []orb.Point{dienBien}); err != nil && !errors.Is(err, ErrIntricate) || err == nil && !(got.MaxM > 2.0003e7 && got.MaxM < 2.00040e7) {
		t.Errorf("about the antipode: %+v, %v", got, err)
	}
}

// Heaps of sites, and a distance at which much of the unit lies at once.
func TestPercentilesWhereDiscsDoNotServe(t *testing.T) {
	unit := square(dienBien, 40e3)
	var heap []orb.Point
	for k := range 600 {
		heap = append(heap, geo.Destination(dienBien, float64(k), float64(k)/600))
	}
	got, err := Distances(unit, heap)
	if err != nil {
		t.Fatal(err)
	}
	one, err := Distances(unit, []orb.Point{dienBien})
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]float64{{got.P50M, one.P50M}, {got.P95M, one.P95M}} {
		if math.Abs(pair[0]/pair[1]-1) > 2*PercentileTolerance {
			t.Errorf("a heap gives %+v, one site %+v", got, one)
		}
	}
	// Half of a square lies within r of its middle where πr² is half of it.
	if want := 40e3 / math.Sqrt(2*math.Pi); math.Abs(one.P50M/want-1) > PercentileTolerance {
		t.Errorf("median %.1f m, want %.1f", one.P50M, want)
	}
}

func BenchmarkDistances(b *testing.B) {
	unit := boundaries(b, "dienbien_districts.geojson")[1]
	for _, n := range []int{25, 100, 400} {
		var sites []orb.Point
		for _, d := range scatter(1, n, unit.Bound(), 1, 1) {
			sites = append(sites, d.Center)
		}
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			for b.Loop() {
				if _, err := Distances(unit, sites); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
