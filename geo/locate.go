package geo

import (
	"math"
	"math/big"

	"github.com/paulmach/orb"
)

// Contains reports whether p lies in mp or on its boundary: areas are closed, as
// in ST_Covers. Edges are straight in longitude and latitude, holes are open, and
// the answer is exact: the side of an edge is decided in exact arithmetic where
// rounding could matter. Parts must not overlap; rings may run either way. Empty
// geometries and points that are not finite give false. Cost: linear in the
// vertices; for many points build an Index.
func Contains(mp orb.MultiPolygon, p orb.Point) bool {
	if !finite(p[0]) || !finite(p[1]) {
		return false
	}
	inside, border := false, false
	forEachEdge(mp, func(a, b orb.Point) {
		crosses, touches := ray(a, b, p)
		inside = inside != crosses
		border = border || touches
	})
	return inside || border
}

// edge runs from a to b, straight in longitude and latitude.
type edge struct{ a, b orb.Point }

// forEachEdge calls yield with every edge of mp, closing rings that are not closed.
// Edges with an end that is not finite are left out.
func forEachEdge(mp orb.MultiPolygon, yield func(a, b orb.Point)) {
	for _, polygon := range mp {
		for _, ring := range polygon {
			if len(ring) == 0 {
				continue
			}
			a := ring[len(ring)-1]
			known := finite(a[0]) && finite(a[1])
			for i, b := range ring {
				before := known
				known = finite(b[0]) && finite(b[1])
				if before && known && (i > 0 || a != b) {
					yield(a, b)
				}
				a = b
			}
		}
	}
}

// ray reports whether the half-line from p towards the east crosses the edge a–b,
// counting an edge's lower end and not its upper one, and whether p is on the edge.
func ray(a, b, p orb.Point) (crosses, touches bool) {
	if a[0] < p[0] && b[0] < p[0] {
		return false, false
	}
	if p == b || p == a {
		return false, true
	}
	if a[1] == p[1] && b[1] == p[1] {
		return false, min(a[0], b[0]) <= p[0]
	}
	if (a[1] > p[1]) == (b[1] > p[1]) {
		return false, false
	}
	side := orientation(a, b, p)
	if side == 0 {
		return false, true
	}
	return (side > 0) == (b[1] > a[1]), false
}

// orientation is positive when p lies to the left of the line from a to b, negative
// to the right, zero on it; exact. The error bound of the quick answer is
// Shewchuk's (Adaptive precision floating-point arithmetic, 1997, ccwerrboundA).
func orientation(a, b, p orb.Point) int {
	left := (a[0] - p[0]) * (b[1] - p[1])
	right := (a[1] - p[1]) * (b[0] - p[0])
	det := left - right
	if !finite(det) { // too large for numbers; a power of two changes no sign
		const small = 0x1p-600
		left = (a[0]*small - p[0]*small) * (b[1]*small - p[1]*small)
		right = (a[1]*small - p[1]*small) * (b[0]*small - p[0]*small)
		det = left - right
	}
	if math.Abs(det) > 3.3306690738754716e-16*(math.Abs(left)+math.Abs(right)) {
		if det > 0 {
			return 1
		}
		return -1
	}
	return exactOrientation(a, b, p)
}

func exactOrientation(a, b, p orb.Point) int {
	diff := func(u, v float64) *big.Rat {
		return new(big.Rat).Sub(new(big.Rat).SetFloat64(u), new(big.Rat).SetFloat64(v))
	}
	left := new(big.Rat).Mul(diff(a[0], p[0]), diff(b[1], p[1]))
	right := new(big.Rat).Mul(diff(a[1], p[1]), diff(b[0], p[0]))
	return left.Cmp(right)
}
