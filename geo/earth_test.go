package geo

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

// GeodTest-100: lat1 lon1 azi1 lat2 lon2 azi2 s12 a12 m12 S12, computed by
// C. F. F. Karney in high precision.
func TestGeodesicsAgainstGeodTest(t *testing.T) {
	f, err := os.Open(othersData(t, "conformance/geodesic/GeodTest-100.dat"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	worstM, worstEndM, worstDeg, rows := 0.0, 0.0, 0.0, 0
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var v [10]float64
		for i, s := range strings.Fields(lines.Text()) {
			v[i] = number(t, s)
		}
		a, b := orb.Point{v[1], v[0]}, orb.Point{v[4], v[3]}
		worstM = max(worstM, math.Abs(DistanceM(a, b)-v[6]), math.Abs(DistanceM(b, a)-v[6]))
		worstEndM = max(worstEndM, DistanceM(Destination(a, v[2], v[6]), b))
		// The azimuth of nearly antipodal points hangs on the last digit of the end.
		if v[7] < 179 {
			worstDeg = max(worstDeg, math.Abs(math.Remainder(AzimuthDeg(a, b)-v[2], 360)))
		}
		rows++
	}
	if rows < 50 || lines.Err() != nil {
		t.Fatalf("%d rows, %v", rows, lines.Err())
	}
	t.Logf("%d rows: distance within %.2g m, destination %.2g m, azimuth %.2g°", rows, worstM, worstEndM, worstDeg)
	if !(worstM < 1.5e-8 && worstEndM < 1.5e-8 && worstDeg < 1e-9) {
		t.Errorf("distance off by %g m, destination by %g m, azimuth by %g°", worstM, worstEndM, worstDeg)
	}
}

func TestDistancesAgainstOracle(t *testing.T) {
	worstM := 0.0
	for _, r := range table(t, othersData(t, "oracles/geodesic_distances.csv")) {
		a := orb.Point{number(t, r["lon1"]), number(t, r["lat1"])}
		b := orb.Point{number(t, r["lon2"]), number(t, r["lat2"])}
		worstM = max(worstM, math.Abs(DistanceM(a, b)-number(t, r["dist_m"])))
		if off := math.Remainder(AzimuthDeg(a, b)-number(t, r["azi1_deg"]), 360); math.Abs(off) > 1e-9 {
			t.Errorf("%v to %v: azimuth off by %g°", a, b, off)
		}
	}
	if !(worstM < 1e-8) {
		t.Errorf("distance off by %g m", worstM)
	}
	t.Logf("within %.2g m", worstM)
}

// GeodTest's S12 is the area between a geodesic, the two meridians and the equator.
func TestAreasAgainstGeodTest(t *testing.T) {
	raw, err := os.ReadFile(othersData(t, "conformance/geodesic/GeodTest-100.dat"))
	if err != nil {
		t.Fatal(err)
	}
	worst, compared := 0.0, 0
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		lat1, lat2, lon2, want := number(t, f[0]), number(t, f[3]), number(t, f[4]), number(t, f[9])
		if lat1*lat2 <= 0 || lon2 > 170 {
			continue // the figure would cross itself, or its side on the equator not be the shortest way
		}
		got := AreaM2(orb.Ring{{0, lat1}, {lon2, lat2}, {lon2, 0}, {0, 0}})
		worst = max(worst, math.Abs(got-math.Abs(want))/math.Abs(want))
		compared++
	}
	if compared < 20 || !(worst < 1e-10) {
		t.Errorf("%d areas, relative error %.2g", compared, worst)
	}
	t.Logf("%d areas within %.2g", compared, worst)
}

// The oracle rounds areas to 0.1 m² and perimeters to 0.1 mm.
func TestAreasAgainstOracle(t *testing.T) {
	worst := 0.0
	files := map[string]map[string]orb.MultiPolygon{}
	compared := 0
	for _, r := range table(t, othersData(t, "oracles/geodesic_areas.csv")) {
		if _, ok := files[r["file"]]; !ok {
			files[r["file"]], _ = boundaries(t, r["file"])
		}
		mp, ok := files[r["file"]][r["code"]]
		if !ok || len(mp) != 1 {
			continue
		}
		compared++
		want := number(t, r["area_m2"])
		off := math.Abs(AreaM2(mp) - want)
		worst = max(worst, (off-0.05)/want)
		if off > 0.0501+1e-10*want {
			t.Errorf("%s %s: %.3f m², want %.2f", r["file"], r["code"], AreaM2(mp), want)
		}
		if got := LengthM(mp); math.Abs(got-number(t, r["perimeter_m"])) > 1e-3 {
			t.Errorf("%s %s: perimeter %.4f m, want %s", r["file"], r["code"], got, r["perimeter_m"])
		}
	}
	if compared < 100 {
		t.Fatalf("only %d areas compared", compared)
	}
	t.Logf("%d areas within %.2g beyond the oracle's rounding", compared, worst)
}

func TestAreaOfRings(t *testing.T) {
	outer := orb.Ring{{103, 21}, {104, 21}, {104, 22}, {103, 22}, {103, 21}}
	hole := orb.Ring{{103.4, 21.4}, {103.6, 21.4}, {103.6, 21.6}, {103.4, 21.6}, {103.4, 21.4}}
	reversed := func(r orb.Ring) orb.Ring { c := r.Clone(); c.Reverse(); return c }
	want := AreaM2(outer) - AreaM2(hole)
	for name, g := range map[string]orb.Geometry{
		"as is":                orb.Polygon{outer, hole},
		"shell reversed":       orb.Polygon{reversed(outer), hole},
		"both reversed":        orb.Polygon{reversed(outer), reversed(hole)},
		"not closed":           orb.Polygon{outer[:4], hole[:4]},
		"shifted by 360":       orb.Polygon{shift(outer, 360), shift(hole, 360)},
		"shifted to the seam":  orb.Polygon{shift(outer, 76.5), shift(hole, 76.5)},
		"in a collection":      orb.Collection{orb.Point{1, 1}, orb.MultiPolygon{{outer, hole}}},
		"other half of earth ": orb.Polygon{shift(outer, 180), shift(hole, 180)},
	} {
		if got := AreaM2(g); math.Abs(got/want-1) > 1e-10 {
			t.Errorf("%s: %v m², want %v", name, got, want)
		}
	}
	bound := orb.Bound{Min: orb.Point{103, 21}, Max: orb.Point{104, 22}}
	if AreaM2(bound) != AreaM2(outer) || LengthM(bound) != LengthM(outer) {
		t.Error("a bound is not its ring")
	}
	polar := orb.Ring{{0, 89}, {90, 89}, {180, 89}, {-90, 89}}
	if got := AreaM2(polar); got < 2.4e10 || got > 2.6e10 { // two squares of the diagonal 223.4 km
		t.Errorf("a ring round the pole: %v m²", got)
	}
}

func shift(r orb.Ring, byDeg float64) orb.Ring {
	c := r.Clone()
	for i := range c {
		c[i][0] += byDeg
	}
	return c
}

func TestEveryShapeIsMeasured(t *testing.T) {
	for _, g := range orb.AllGeometries {
		if l, a := LengthM(g), AreaM2(g); l != 0 || a != 0 {
			t.Errorf("%T %v: length %v m, area %v m²; want 0", g, g, l, a)
		}
	}
}

func TestPointsOffTheEarthAreNaN(t *testing.T) {
	fine := orb.Point{103, 21}
	for _, p := range []orb.Point{{math.NaN(), 0}, {0, math.NaN()}, {math.Inf(1), 0}, {0, math.Inf(-1)}, {0, 90.001}, {0, -91}} {
		for name, got := range map[string]float64{
			"DistanceM": DistanceM(p, fine), "DistanceM reversed": DistanceM(fine, p),
			"AzimuthDeg": AzimuthDeg(fine, p), "Destination": Destination(p, 1, 1)[0],
			"LengthM": LengthM(orb.LineString{fine, p}), "AreaM2": AreaM2(orb.Ring{fine, {104, 21}, {104, 22}, p}),
		} {
			if !math.IsNaN(got) {
				t.Errorf("%s with %v: %v", name, p, got)
			}
		}
	}
	if p := Destination(fine, math.NaN(), 1); !math.IsNaN(p[0]) || !math.IsNaN(p[1]) {
		t.Errorf("NaN azimuth leads to %v", p)
	}
	if p := Destination(fine, 0, math.Inf(1)); !math.IsNaN(p[1]) {
		t.Errorf("an infinite distance leads to %v", p)
	}
}

// Points a hair south of the equator and nearly opposite, which a rapid draw met.
func TestNearlyOppositeOnTheEquator(t *testing.T) {
	for _, ab := range [][2]orb.Point{
		{{180, -5.17949197233021e-19}, {0.5, -3.0294060249730733e-18}}, {{180, -1.0009899803551481e-19}, {-0.46704652492108845, -1.7781452282472985e-20}},
		{{180, -1.7267389497204561e-18}, {0.05307507964239011, -7.203096720888597e-20}}, {{-0.5, -1e-18}, {180, -1e-17}},
	} {
		a, b := ab[0], ab[1]
		d := DistanceM(a, b)
		if end := Destination(a, AzimuthDeg(a, b), d); !(d > 1.99e7) || DistanceM(end, b) > 2e-8 || math.Abs(DistanceM(b, a)-d) > 1.5e-8 {
			t.Errorf("%v to %v: %v m, %v back, ends at %v", a, b, d, DistanceM(b, a), end)
		}
	}
}

func TestDestinationUndoesInverse(t *testing.T) {
	point := rapid.Custom(func(t *rapid.T) orb.Point {
		return orb.Point{rapid.Float64Range(-180, 180).Draw(t, "lon"), rapid.Float64Range(-90, 90).Draw(t, "lat")}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := point.Draw(t, "a"), point.Draw(t, "b")
		d := DistanceM(a, b)
		if back := DistanceM(b, a); math.Abs(d-back) > 1.5e-8 {
			t.Fatalf("%v there, %v back", d, back)
		}
		if end := Destination(a, AzimuthDeg(a, b), d); DistanceM(end, b) > 2e-8 {
			t.Fatalf("%v m off at %v", DistanceM(end, b), end)
		}
	})
}

func ExampleDistanceM() {
	dienBienPhu, muongLay := orb.Point{103.0165, 21.3826}, orb.Point{103.1531, 22.0396}
	fmt.Printf("%.3f m, %.2f°\n", DistanceM(dienBienPhu, muongLay), AzimuthDeg(dienBienPhu, muongLay))
	// Output: 74107.549 m, 10.97°
}

func BenchmarkDistanceM(b *testing.B) {
	p, q := orb.Point{103.0165, 21.3826}, orb.Point{103.1531, 22.0396}
	for b.Loop() {
		DistanceM(p, q)
	}
}
