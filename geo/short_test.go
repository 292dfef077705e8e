package geo

import (
	"math"
	"testing"

	"github.com/paulmach/orb"
	"github.com/tidwall/geodesic"
	"pgregory.net/rapid"
)

// TestShortDistances: the quick way for short distances is Karney's to 1e-8 m, from
// pole to pole, whichever end comes first, and across the antimeridian.
func TestShortDistances(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a := orb.Point{rapid.Float64Range(-180, 180).Draw(r, "lon"), rapid.Float64Range(-90, 90).Draw(r, "lat")}
		reach := rapid.SampledFrom([]float64{1e-9, 1e-6, 0.001, 0.01, 0.05}).Draw(r, "reach, degrees")
		b := orb.Point{a[0] + rapid.Float64Range(-reach, reach).Draw(r, "east"), max(-90, min(90, a[1]+rapid.Float64Range(-reach, reach).Draw(r, "north")))}
		var want float64
		geodesic.WGS84.Inverse(a[1], a[0], b[1], b[0], &want, nil, nil)
		if got := DistanceM(a, b); math.Abs(got-want) > 1e-8 {
			r.Fatalf("%v to %v: want %.12f m, got %.12f", a, b, want, got)
		}
		if DistanceM(a, b) != DistanceM(b, a) || DistanceM(a, a) != 0 {
			r.Fatalf("%v to %v: there and back differ, or a place is away from itself", a, b)
		}
	})
}

// BenchmarkDistances measures within a kilometre and across a province.
func BenchmarkDistances(b *testing.B) {
	for name, to := range map[string]orb.Point{"within a kilometre": {103.025, 21.395}, "across a province": {103.9, 22.1}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				DistanceM(orb.Point{103.02, 21.39}, to)
			}
		})
	}
}
