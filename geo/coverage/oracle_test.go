package coverage

import (
	"math"
	"testing"

	"github.com/paulmach/orb"
	"github.com/peterstace/simplefeatures/geom"

	"hatang/geo"
)

// Covered against polygons: discs of 256 geodesic segments, united and clipped by
// simplefeatures' overlay, the area of what is left being geodesic. The polygons
// fall (2π/256)²/6 = 1.0e-4 short of their discs.
func TestCoveredAgainstOverlay(t *testing.T) {
	for i, unit := range boundaries(t, "dienbien_districts.geojson") {
		discs := scatter(uint64(i), 25, unit.Bound(), 500, 6000)
		got, err := Covered(unit, discs)
		if err != nil {
			t.Fatal(err)
		}
		want := overlayM2(t, unit, discs, 256)
		if rel := got.CoveredM2/want - 1; rel < -1e-7 || rel > 1.1e-4 {
			t.Errorf("district %d, seed %d: covered %.0f m², polygons %.0f, relative %.2g", i, i, got.CoveredM2, want, rel)
		}
	}
}

// The more segments the polygons have, the nearer they come: sixteen times for four
// times as many.
func TestOverlayConvergesToCovered(t *testing.T) {
	unit := boundaries(t, "dienbien_districts.geojson")[0]
	discs := scatter(99, 25, unit.Bound(), 500, 3000)
	got, err := Covered(unit, discs)
	if err != nil {
		t.Fatal(err)
	}
	coarse := got.CoveredM2/overlayM2(t, unit, discs, 64) - 1
	fine := got.CoveredM2/overlayM2(t, unit, discs, 256) - 1
	finest := got.CoveredM2/overlayM2(t, unit, discs, 1024) - 1
	t.Logf("relative difference with 64, 256 and 1024 segments: %.3g %.3g %.3g", coarse, fine, finest)
	if ratio := coarse / fine; !(ratio > 15 && ratio < 17) || !(math.Abs(finest) < 1e-5) {
		t.Errorf("differences %.3g, %.3g, %.3g do not fall sixteenfold", coarse, fine, finest)
	}
}

func overlayM2(t testing.TB, unit orb.MultiPolygon, discs []Disc, segments int) float64 {
	t.Helper()
	var parts []geom.Geometry
	for _, d := range discs {
		var ring orb.Ring
		for k := range segments {
			ring = append(ring, geo.Destination(d.Center, float64(k)*360/float64(segments), d.RadiusM))
		}
		ring = append(ring, ring[0])
		parts = append(parts, planar(orb.MultiPolygon{{ring}}))
	}
	united, err := geom.UnionMany(parts)
	if err != nil {
		t.Fatal(err)
	}
	clipped, err := geom.Intersection(united, planar(unit))
	if err != nil {
		t.Fatal(err)
	}
	total := 0.0
	for _, g := range clipped.Dump() {
		if p, ok := g.AsPolygon(); ok {
			total += geo.AreaM2(orbPolygon(p))
		}
	}
	if math.IsNaN(total) || total == 0 {
		t.Fatal("the overlay gave no area")
	}
	return total
}

func planar(mp orb.MultiPolygon) geom.Geometry {
	polygons := make([]geom.Polygon, len(mp))
	for i, polygon := range mp {
		rings := make([]geom.LineString, len(polygon))
		for j, ring := range polygon {
			flat := make([]float64, 0, 2*len(ring))
			for _, p := range ring {
				flat = append(flat, p[0], p[1])
			}
			rings[j] = geom.NewLineString(geom.NewSequence(flat, geom.DimXY))
		}
		polygons[i] = geom.NewPolygon(rings)
	}
	return geom.NewMultiPolygon(polygons).AsGeometry()
}

func orbPolygon(p geom.Polygon) orb.Polygon {
	var out orb.Polygon
	for _, ring := range append([]geom.LineString{p.ExteriorRing()}, interior(p)...) {
		var r orb.Ring
		for i := range ring.Coordinates().Length() {
			xy := ring.Coordinates().GetXY(i)
			r = append(r, orb.Point{xy.X, xy.Y})
		}
		out = append(out, r)
	}
	return out
}

func interior(p geom.Polygon) []geom.LineString {
	out := make([]geom.LineString, p.NumInteriorRings())
	for i := range out {
		out[i] = p.InteriorRingN(i)
	}
	return out
}

// Beside polygons of 256 segments, which are 1e-4 off.
func BenchmarkCoveredUnion(b *testing.B) {
	unit := boundaries(b, "dienbien_districts.geojson")[1]
	discs := scatter(1, 100, unit.Bound(), 2000, 2000)
	b.Run("discs=100/ours", func(b *testing.B) {
		for b.Loop() {
			if _, err := Covered(unit, discs); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("discs=100/peer", func(b *testing.B) {
		for b.Loop() {
			overlayM2(b, unit, discs, 256)
		}
	})
}
