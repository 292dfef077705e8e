package geo

import (
	"math"
	"slices"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

func drawPoint(t *rapid.T, side float64) orb.Point {
	return orb.Point{rapid.Float64Range(-side, side).Draw(t, "lon"), rapid.Float64Range(-side, side).Draw(t, "lat")}
}

// drawBox is a box now tiny, now empty of area, now as large as everything.
func drawBox(t *rapid.T) orb.Bound {
	c, half := drawPoint(t, 10), rapid.SampledFrom([]float64{0, 0.001, 1, 30}).Draw(t, "half side")
	return orb.Bound{Min: orb.Point{c[0] - half, c[1] - half}, Max: orb.Point{c[0] + half, c[1] + half}}
}

// TestPointsAgainstLooking: the grid finds what looking at every point finds.
func TestPointsAgainstLooking(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var points []orb.Point
		for range rapid.IntRange(0, 40).Draw(r, "points") {
			points = append(points, drawPoint(r, rapid.SampledFrom([]float64{0, 0.01, 10}).Draw(r, "spread")))
		}
		points = append(points, orb.Point{math.NaN(), 1}, orb.Point{1, math.Inf(1)})
		box := drawBox(r)
		var want []int
		for i, p := range points {
			if finite(p[0]) && finite(p[1]) && box.Contains(p) {
				want = append(want, i)
			}
		}
		got := NewPoints(points).AppendIn(nil, box)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			r.Fatalf("in %v of %v: want %v, got %v", box, points, want, got)
		}
	})
}

// TestIndexAgainstLooking: At, First, Covers and AppendNear against every area in turn.
func TestIndexAgainstLooking(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		areas := []orb.MultiPolygon{nil, {{}}}
		for range rapid.IntRange(0, 20).Draw(r, "areas") {
			if rapid.Bool().Draw(r, "slanted") {
				areas = append(areas, orb.MultiPolygon{{{drawPoint(r, 10), drawPoint(r, 10), drawPoint(r, 10), drawPoint(r, 10)}}})
				continue
			}
			areas = append(areas, orb.MultiPolygon{drawBox(r).ToPolygon()})
		}
		x, p, box := NewIndex(areas), drawPoint(r, 12), drawBox(r)
		if rapid.Bool().Draw(r, "asked often") {
			x.late.seen.Store(math.MaxInt64)
		}
		if a := areas[len(areas)-1]; len(a[0]) > 0 && rapid.Bool().Draw(r, "on an edge") {
			p = orb.Point{(a[0][0][0][0] + a[0][0][1][0]) / 2, (a[0][0][0][1] + a[0][0][1][1]) / 2}
		}
		var at []int
		near := x.AppendNear([]int{7}, box)[1:]
		for i, a := range areas {
			if Contains(a, p) != x.Covers(i, p) {
				r.Fatalf("area %d: Covers is not Contains at %v", i, p)
			}
			if Contains(a, p) {
				at = append(at, i)
			}
			has := len(a) > 0 && len(a[0]) > 0
			if slices.Contains(near, i) && (!has || !a.Bound().Intersects(box)) {
				r.Fatalf("near %v: %d is far away", box, i)
			}
			meets := Contains(a, box.Center()) || Contains(a, box.Min) || Contains(a, box.Max) || has && slices.ContainsFunc(a[0][0], box.Contains)
			if meets && !slices.Contains(near, i) {
				r.Fatalf("near %v: %d is missing", box, i)
			}
		}
		if got := x.At(p); !slices.Equal(at, got) {
			r.Fatalf("at %v: want %v, got %v", p, at, got)
		}
		if first, ok := x.First(p); ok != (len(at) > 0) || ok && first != at[0] {
			r.Fatalf("first at %v: want the first of %v, got %v %v", p, at, first, ok)
		}
		if !slices.IsSorted(near) || len(slices.Compact(slices.Clone(near))) != len(near) {
			r.Fatalf("near %v: not ascending, or twice: %v", box, near)
		}
	})
}

// TestIndexIsExact: among areas of many ragged edges, on a grid so coarse that they
// touch, cross and repeat, everywhere and on every vertex; before its board is made,
// after, and without some of them.
func TestIndexIsExact(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var areas []orb.MultiPolygon
		steps := rapid.SampledFrom([]int{3, 20, 1000}).Draw(r, "steps")
		point := func() orb.Point {
			return orb.Point{float64(rapid.IntRange(0, steps).Draw(r, "x")) / 64, float64(rapid.IntRange(0, steps).Draw(r, "y")) / 64}
		}
		var asked []orb.Point
		for range rapid.IntRange(1, 4).Draw(r, "areas") {
			var ring orb.Ring
			for range rapid.IntRange(1, 60).Draw(r, "vertices") {
				ring = append(ring, point())
			}
			asked = append(asked, ring...)
			areas = append(areas, orb.MultiPolygon{{ring}})
		}
		for range 20 {
			asked = append(asked, point())
		}
		x := NewIndex(areas)
		gone := rapid.SliceOfNDistinct(rapid.IntRange(0, len(areas)-1), 0, 2, rapid.ID).Draw(r, "gone")
		less := x.Without(gone...)
		for round := range 2 {
			for _, p := range asked {
				var all, left []int
				for i, a := range areas {
					if Contains(a, p) {
						all = append(all, i)
						if !slices.Contains(gone, i) {
							left = append(left, i)
						}
					}
				}
				if got := x.At(p); !slices.Equal(all, got) {
					r.Fatalf("round %d, at %v: want %v, got %v", round, p, all, got)
				}
				if got := less.At(p); !slices.Equal(left, got) {
					r.Fatalf("round %d, at %v without %v: want %v, got %v", round, p, gone, left, got)
				}
				if i, ok := less.First(p); ok != (len(left) > 0) || ok && i != left[0] {
					r.Fatalf("round %d, first at %v without %v: want of %v, got %v", round, p, gone, left, i)
				}
			}
			x.late.seen.Store(math.MaxInt64)
		}
	})
}

// TestPlaneBounds: the quick bounds hold the geodesic between them, and are narrow.
func TestPlaneBounds(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := orb.Point{rapid.Float64Range(-180, 180).Draw(r, "lon"), rapid.Float64Range(-90, 90).Draw(r, "lat")}
		q := orb.Point{p[0] + rapid.Float64Range(-1.5, 1.5).Draw(r, "east"), p[1] + rapid.Float64Range(-1.5, 1.5).Draw(r, "north")}
		if rapid.Bool().Draw(r, "close") {
			q = Destination(p, rapid.Float64Range(0, 360).Draw(r, "azimuth"), rapid.Float64Range(0, 500).Draw(r, "distance, m"))
		}
		low, high := NewPlane(p).BoundsM(q)
		if d := DistanceM(p, q); d < low || d > high {
			r.Fatalf("%v to %v: %v m is not within %v–%v", p, q, d, low, high)
		} else if math.Abs(p[1]) < 50 && d < 500 && math.Abs(q[0]-p[0]) < 1 && high-low > 0.4 {
			r.Fatalf("%v to %v: the bounds of %v m are %v m apart", p, q, d, high-low)
		}
	})
}
