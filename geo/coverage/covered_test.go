package coverage

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
	"pgregory.net/rapid"

	"hatang/geo"
)

// square is a square of the given side in metres about a point, by geodesic.
func square(centre orb.Point, sideM float64) orb.MultiPolygon {
	var ring orb.Ring
	for _, azimuth := range []float64{45, 135, 225, 315, 45} {
		ring = append(ring, geo.Destination(centre, azimuth, sideM/math.Sqrt2))
	}
	return orb.MultiPolygon{{ring}}
}

// discAreaM2 is the exact area of a geodesic disc: πr²(1 − Kr²/12), the rest being
// of the order of r⁴/R⁴. K = 1/(MN), Gauss's curvature at the centre.
// Source: the expansion of Bertrand, Diguet and Puiseux (1848).
func discAreaM2(d Disc) float64 {
	sin := math.Sin(radians(d.Center[1]))
	w := 1 - eccentricity2*sin*sin
	k := w * w / (geo.EquatorialRadiusM * geo.EquatorialRadiusM * (1 - eccentricity2))
	r2 := d.RadiusM * d.RadiusM
	return math.Pi * r2 * (1 - k*r2/12)
}

// lensM2 is the area two circles of radii r and s at the distance d share, in a plane.
func lensM2(r, s, d float64) float64 {
	a := math.Acos((d*d + r*r - s*s) / (2 * d * r))
	b := math.Acos((d*d + s*s - r*r) / (2 * d * s))
	return r*r*(a-math.Sin(2*a)/2) + s*s*(b-math.Sin(2*b)/2)
}

var dienBien = orb.Point{103.023, 21.386}

func TestCoveredClosedCases(t *testing.T) {
	big := square(dienBien, 40e3)
	small := square(dienBien, 1e3)
	ringed := orb.MultiPolygon{{big[0][0], small[0][0]}}
	disc := func(azimuth, distanceM, radiusM float64) Disc {
		return Disc{geo.Destination(dienBien, azimuth, distanceM), radiusM}
	}
	area := discAreaM2
	tests := []struct {
		name   string
		unit   orb.MultiPolygon
		discs  []Disc
		wantM2 float64
		rel    float64
	}{
		{"no disc", big, nil, 0, 0},
		{"radius 0", big, []Disc{disc(0, 0, 0)}, 0, 0},
		{"one disc inside", big, []Disc{disc(70, 3000, 2000)}, area(disc(70, 3000, 2000)), 1e-9},
		{"large disc inside", square(dienBien, 200e3), []Disc{disc(70, 3000, 31830)}, area(disc(70, 3000, 31830)), 1e-9},
		{"coincident discs", big, []Disc{disc(70, 3000, 2000), disc(70, 3000, 2000)}, area(disc(70, 3000, 2000)), 1e-9},
		{"nearly coincident discs", big, []Disc{disc(0, 0, 2000), disc(90, 1e-8, 2000)}, area(disc(0, 0, 2000)), 1e-9},
		{"one disc in another", big, []Disc{disc(0, 500, 1000), disc(0, 0, 2000)}, area(disc(0, 0, 2000)), 1e-9},
		{"concentric discs", big, []Disc{disc(0, 0, 1000), disc(0, 0, 2000)}, area(disc(0, 0, 2000)), 1e-9},
		{"disjoint discs", big, []Disc{disc(0, 5000, 1000), disc(180, 5000, 2000)}, area(disc(0, 5000, 1000)) + area(disc(180, 5000, 2000)), 1e-9},
		{"tangent outside", big, []Disc{disc(0, 0, 1000), disc(90, 3000, 2000)}, area(disc(0, 0, 1000)) + area(disc(90, 3000, 2000)), 1e-9},
		{"tangent inside", big, []Disc{disc(90, 1000, 1000), disc(0, 0, 2000)}, area(disc(0, 0, 2000)), 1e-9},
		{"two lenses", big, []Disc{disc(90, 60, 100), disc(270, 60, 120), disc(270, 240, 110)},
			area(disc(90, 60, 100)) + area(disc(270, 60, 120)) + area(disc(270, 240, 110)) - lensM2(100, 120, 120) - lensM2(120, 110, 180), 2e-9},
		{"disc contains polygon", big, []Disc{disc(0, 0, 60e3)}, geo.AreaM2(big), 1e-9},
		{"disc across the border", big, []Disc{{middleOf(big[0][0][0], big[0][0][1]), 2000}}, area(disc(0, 0, 2000)) / 2, 3e-9},
		{"disc at a corner", big, []Disc{{big[0][0][0], 100}}, area(disc(0, 0, 100)) / 4, 1e-5},
		{"disc in the hole", ringed, []Disc{disc(0, 0, 400)}, 0, 0},
		{"disc over the hole", ringed, []Disc{disc(0, 0, 2000)}, area(disc(0, 0, 2000)) - geo.AreaM2(small), 1e-9},
		{"disc over everything with a hole", ringed, []Disc{disc(0, 0, 60e3)}, geo.AreaM2(big) - geo.AreaM2(small), 1e-9},
		{"disc outside", big, []Disc{disc(0, 60e3, 2000)}, 0, 0},
		{"antipodal disc", big, []Disc{{orb.Point{-76.977, -21.386}, 1e6}}, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Covered(tt.unit, tt.discs)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(got.CoveredM2-tt.wantM2) > tt.rel*tt.wantM2 {
				t.Errorf("covered %.6f m², want %.6f (relative %.2g)", got.CoveredM2, tt.wantM2, got.CoveredM2/tt.wantM2-1)
			}
			if got.AreaM2 != geo.AreaM2(tt.unit) || got.Share != got.CoveredM2/got.AreaM2 {
				t.Errorf("inconsistent result %+v", got)
			}
		})
	}
}

func middleOf(a, b orb.Point) orb.Point {
	return geo.Destination(a, geo.AzimuthDeg(a, b), geo.DistanceM(a, b)/2)
}

// A disc is the same size wherever it lies: far from the unit's centre, across the
// antimeridian, near a pole.
func TestCoveredAnywhere(t *testing.T) {
	for _, centre := range []orb.Point{{0, 0}, {179.999, 10}, {-180, -45}, {20, 80}, {105.8, 21}} {
		unit := square(centre, 400e3)
		for _, shift := range []float64{0, 50e3, 150e3} {
			d := Disc{geo.Destination(centre, 33, shift), 3000}
			got, err := Covered(unit, []Disc{d})
			if err != nil {
				t.Fatal(err)
			}
			if rel := got.CoveredM2/discAreaM2(d) - 1; math.Abs(rel) > 2e-9 {
				t.Errorf("disc %.0f m from %v: relative error %.2g", shift, centre, rel)
			}
		}
	}
}

func TestCoveredRefuses(t *testing.T) {
	nan := math.NaN()
	unit := square(dienBien, 1000)
	tests := []struct {
		name  string
		unit  orb.MultiPolygon
		discs []Disc
		want  error
	}{
		{"NaN centre", unit, []Disc{{orb.Point{nan, 21}, 1}}, ErrNotOnEarth},
		{"infinite centre", unit, []Disc{{orb.Point{math.Inf(1), 21}, 1}}, ErrNotOnEarth},
		{"latitude 91", unit, []Disc{{orb.Point{0, 91}, 1}}, ErrNotOnEarth},
		{"NaN radius", unit, []Disc{{dienBien, nan}}, ErrRadius},
		{"negative radius", unit, []Disc{{dienBien, -1}}, ErrRadius},
		{"radius too large", unit, []Disc{{dienBien, 1e6 + 1}}, ErrRadius},
		{"NaN vertex", orb.MultiPolygon{{{{0, 0}, {nan, 1}, {1, 1}}}}, nil, ErrNotOnEarth},
		{"unit too large", orb.MultiPolygon{{{{-40, -40}, {40, -40}, {40, 40}, {-40, 40}}}}, nil, ErrTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Covered(tt.unit, tt.discs); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
	for _, empty := range []orb.MultiPolygon{nil, {}, {{}}, {{{}}}, {{{dienBien}}}, {{{dienBien, {103, 21}}}}, {{{dienBien, dienBien, dienBien, dienBien}}}} {
		got, err := Covered(empty, []Disc{{dienBien, 1000}})
		if err != nil || got != (Result{}) {
			t.Errorf("Covered(%v) = %v, %v; want nothing", empty, got, err)
		}
	}
}

// testdata is the folder of other people's data.
func testdata(tb testing.TB, path string) string {
	root := os.Getenv("HATANG_TESTDATA")
	if root == "" {
		root = "../../../shared/data"
	}
	return filepath.Join(root, path)
}

func boundaries(tb testing.TB, file string) []orb.MultiPolygon {
	tb.Helper()
	raw, err := os.ReadFile(testdata(tb, "boundaries/"+file))
	if err != nil {
		tb.Fatal(err)
	}
	var collection geojson.FeatureCollection
	if err := json.Unmarshal(raw, &collection); err != nil {
		tb.Fatal(err)
	}
	var out []orb.MultiPolygon
	for _, f := range collection.Features {
		switch g := f.Geometry.(type) {
		case orb.Polygon:
			out = append(out, orb.MultiPolygon{g})
		case orb.MultiPolygon:
			out = append(out, g)
		}
	}
	return out
}

// scatter strews discs over a box, the same ones for the same seed.
func scatter(seed uint64, n int, box orb.Bound, minM, maxM float64) []Disc {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]Disc, n)
	for i := range out {
		out[i] = Disc{
			orb.Point{
				box.Min[0] + r.Float64()*(box.Max[0]-box.Min[0]),
				box.Min[1] + r.Float64()*(box.Max[1]-box.Min[1])},
			minM + r.Float64()*(maxM-minM)}
	}
	return out
}

// The discs' cover of a province is the sum of that of its districts, and every
// disc set's answer is the same in any order.
func TestCoveredAddsUp(t *testing.T) {
	province := boundaries(t, "dienbien_province.geojson")[0]
	districts := boundaries(t, "dienbien_districts.geojson")
	for _, size := range []struct{ minM, maxM float64 }{{300, 2000}, {2000, 6000}, {100, 31830}} {
		discs := scatter(7, 300, province.Bound(), size.minM, size.maxM)
		whole, err := Covered(province, discs)
		if err != nil {
			t.Fatal(err)
		}
		parts := 0.0
		for _, d := range districts {
			r, err := Covered(d, discs)
			if err != nil {
				t.Fatal(err)
			}
			parts += r.CoveredM2
		}
		if rel := parts/whole.CoveredM2 - 1; math.Abs(rel) > 1e-8 {
			t.Errorf("radii %v: districts %.1f m², province %.1f m², relative %.2g", size, parts, whole.CoveredM2, rel)
		}
		shuffled := append([]Disc(nil), discs...)
		rand.New(rand.NewPCG(3, 3)).Shuffle(len(shuffled), func(i, j int) {
			shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
		})
		if again, err := Covered(province, shuffled); err != nil || again != whole {
			t.Errorf("shuffled: %v, %v; want %v", again, err, whole)
		}
	}
}

// Covered against a count of points, for discs on a coarse grid, so that tangent,
// coincident and concurrent discs are common; and a disc added never covers less.
func TestCoveredProperties(t *testing.T) {
	unit := square(dienBien, 8000)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		var discs []Disc
		for range n {
			east := float64(rapid.IntRange(-6, 6).Draw(t, "east")) * 0.01
			north := float64(rapid.IntRange(-6, 6).Draw(t, "north")) * 0.01
			radius := float64(rapid.IntRange(1, 5).Draw(t, "radius")) * 500
			discs = append(discs, Disc{orb.Point{dienBien[0] + east, dienBien[1] + north}, radius})
		}
		before := 0.0
		for i := range discs {
			r, err := Covered(unit, discs[:i+1])
			if err != nil {
				t.Fatal(err)
			}
			if r.CoveredM2 < before-0.01 || r.Share > 1 {
				t.Fatalf("%d discs cover %v m², one fewer %v", i+1, r.CoveredM2, before)
			}
			before = r.CoveredM2
		}
		if want := counted(unit, discs); math.Abs(before/64e6-want) > 0.03 {
			t.Fatalf("share %v, counted %v", before/64e6, want)
		}
	})
}

// counted is the share of a square's points, on a grid, that discs cover.
func counted(unit orb.MultiPolygon, discs []Disc) float64 {
	const n = 25
	box := unit.Bound()
	hits := 0
	for i := range n * n {
		p := orb.Point{
			box.Min[0] + (float64(i%n)+0.5)/n*(box.Max[0]-box.Min[0]),
			box.Min[1] + (float64(i/n)+0.5)/n*(box.Max[1]-box.Min[1])}
		for _, d := range discs {
			if geo.DistanceM(p, d.Center) <= d.RadiusM {
				hits++
				break
			}
		}
	}
	return float64(hits) / (n * n)
}

// Units no one should send are answered with something finite, never a panic.
func TestCoveredSurvivesBadUnits(t *testing.T) {
	line := orb.Ring{{103, 21}, {103.1, 21.1}, {103, 21}}
	bowTie := orb.Ring{{103, 21}, {103.1, 21.1}, {103.1, 21}, {103, 21.1}, {103, 21}}
	fine := square(dienBien, 8000)[0][0]
	for name, unit := range map[string]orb.MultiPolygon{
		"a line there and back": {{line}}, "a bow tie": {{bowTie}}, "a part twice": {{fine}, {fine}},
		"a hole outside": {{fine, square(orb.Point{104, 21}, 500)[0][0]}}, "a hole as large as the shell": {{fine, fine}},
		"spikes and repeated points": {{append(append(orb.Ring{fine[0], fine[0]}, fine[1], dienBien, fine[1], fine[1]), fine[2:]...)}},
		"an empty hole":              {{fine, {}}},
		"round the pole":             {{{{0, 85}, {90, 85}, {180, 85}, {-90, 85}, {0, 85}}}},
		"on the antimeridian":        {{{{179.9, -0.1}, {-179.9, -0.1}, {-179.9, 0.1}, {179.9, 0.1}}}},
	} {
		for _, centre := range []orb.Point{dienBien, {103.05, 21.05}, {0, 90}, {180, 0}} {
			got, err := Covered(unit, []Disc{{centre, 3000}, {fine[0], 2000}})
			if err != nil || math.IsNaN(got.CoveredM2+got.Share) || got.Share < 0 || got.Share > 1 {
				t.Errorf("%s, disc at %v: %+v, %v", name, centre, got, err)
			}
		}
	}
}

// The errors of a disc, of any size, where nothing is special: discs strewn so
// densely that every kind of crossing occurs cover the same by both halves of a unit.
func TestCoveredHalves(t *testing.T) {
	whole := square(dienBien, 20e3)
	r := whole[0][0]
	north, south := middleOf(r[0], r[3]), middleOf(r[1], r[2])
	halves := []orb.MultiPolygon{{{{r[0], r[1], south, north}}}, {{{south, r[2], r[3], north}}}}
	for seed := range uint64(20) {
		discs := scatter(seed, 200, whole.Bound(), 10, 1500)
		all, err := Covered(whole, discs)
		if err != nil {
			t.Fatal(err)
		}
		parts := 0.0
		for _, h := range halves {
			got, err := Covered(h, discs)
			if err != nil {
				t.Fatal(err)
			}
			parts += got.CoveredM2
		}
		if math.Abs(parts-all.CoveredM2) > 1e-8*all.AreaM2 {
			t.Errorf("seed %d: halves %.3f m², whole %.3f", seed, parts, all.CoveredM2)
		}
	}
}

func BenchmarkCovered(b *testing.B) {
	province := boundaries(b, "dienbien_province.geojson")[0]
	district := boundaries(b, "dienbien_districts.geojson")[1]
	for _, bm := range []struct {
		name    string
		unit    orb.MultiPolygon
		n       int
		radiusM float64
	}{
		{"province/n=53", province, 53, 5000}, {"province/n=212", province, 212, 5000}, {"province/n=850", province, 850, 5000},
		{"district/n=100", district, 100, 3000}, {"district/n=1600", district, 1600, 2000},
	} {
		discs := scatter(1, bm.n, bm.unit.Bound(), bm.radiusM, bm.radiusM)
		b.Run(bm.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Covered(bm.unit, discs); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
