package zoning

import (
	"math"
	"slices"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// lengthInM is how much of a line lies in an area, its edge included, metres. Lines and
// edges are straight in longitude and latitude, as in geo.Contains; lengths are geodesic.
// Cost: segments of the line that meet the area's box, times its edges.
func lengthInM(line orb.MultiLineString, area orb.MultiPolygon) float64 {
	total, box := 0.0, area.Bound()
	for _, part := range line {
		for i := 1; i < len(part); i++ {
			a, b := part[i-1], part[i]
			if !(orb.MultiPoint{a, b}).Bound().Intersects(box) {
				continue
			}
			cuts := append(crossings(a, b, area), 0, 1)
			slices.Sort(cuts)
			for k := 1; k < len(cuts); k++ {
				from, to := between(a, b, cuts[k-1]), between(a, b, cuts[k])
				if cuts[k] > cuts[k-1] && geo.Contains(area, between(a, b, (cuts[k-1]+cuts[k])/2)) {
					total += geo.DistanceM(from, to)
				}
			}
		}
	}
	return total
}

// touches reports whether any point of a line lies in an area, its edge included.
func touches(line orb.MultiLineString, area orb.MultiPolygon) bool {
	if !line.Bound().Intersects(area.Bound()) {
		return false
	}
	for _, part := range line {
		for i, p := range part {
			if geo.Contains(area, p) || i > 0 && len(crossings(part[i-1], p, area)) > 0 {
				return true
			}
		}
	}
	return false
}

// crossings are the places on the segment, 0 to 1, where it meets edges of the area.
func crossings(a, b orb.Point, area orb.MultiPolygon) []float64 {
	var out []float64
	dx, dy := b[0]-a[0], b[1]-a[1]
	for _, polygon := range area {
		for _, ring := range polygon {
			for i := 1; i < len(ring); i++ {
				p, q := ring[i-1], ring[i]
				ex, ey := q[0]-p[0], q[1]-p[1]
				det := dx*ey - dy*ex
				if det == 0 { // parallel: where they overlap, other edges or the ends cut
					continue
				}
				t, u := ((p[0]-a[0])*ey-(p[1]-a[1])*ex)/det, ((p[0]-a[0])*dy-(p[1]-a[1])*dx)/det
				if t >= 0 && t <= 1 && u >= 0 && u <= 1 {
					out = append(out, t)
				}
			}
		}
	}
	return out
}

func between(a, b orb.Point, t float64) orb.Point {
	return orb.Point{a[0] + t*(b[0]-a[0]), a[1] + t*(b[1]-a[1])}
}

// pieceM is how finely a line is walked along to find how much of it runs beside
// another: lengths beside are right to twice that at each end.
const pieceM = 5.0

// besideLine is how much of a line runs within a distance of another, and how near it
// comes there, metres; +Inf where it never is.
func besideLine(line, other orb.MultiLineString, withinM float64) (lengthM, nearestM float64) {
	nearestM = math.Inf(1)
	box := beside(other.Bound().Center(), 0)
	for _, c := range []orb.Point{other.Bound().Min, other.Bound().Max} {
		box = box.Union(beside(c, withinM+1))
	}
	for _, part := range line {
		for i := 1; i < len(part); i++ {
			a, b := part[i-1], part[i]
			if !(orb.MultiPoint{a, b}).Bound().Intersects(box) {
				continue
			}
			length := geo.DistanceM(a, b)
			pieces := max(1, int(math.Ceil(length/pieceM)))
			for k := range pieces {
				p := between(a, b, (float64(k)+0.5)/float64(pieces))
				if !box.Contains(p) {
					continue
				}
				if d := toLineM(p, other); d <= withinM {
					lengthM, nearestM = lengthM+length/float64(pieces), min(nearestM, d)
				}
			}
		}
	}
	return lengthM, nearestM
}

// toLineM is the distance of a point to a line nearby: the nearest place is found on a
// plane round the point, its distance is geodesic.
func toLineM(p orb.Point, line orb.MultiLineString) float64 {
	shrink := math.Cos(p[1] * math.Pi / 180)
	best, nearest := math.Inf(1), p
	for _, part := range line {
		for i := 1; i < len(part); i++ {
			a, b := part[i-1], part[i]
			dx, dy := (b[0]-a[0])*shrink, b[1]-a[1]
			t := 0.0
			if square := dx*dx + dy*dy; square > 0 {
				t = min(1, max(0, ((p[0]-a[0])*shrink*dx+(p[1]-a[1])*dy)/square))
			}
			q := between(a, b, t)
			if d := math.Hypot((p[0]-q[0])*shrink, p[1]-q[1]); d < best {
				best, nearest = d, q
			}
		}
	}
	if math.IsInf(best, 1) {
		return best
	}
	return geo.DistanceM(p, nearest)
}
