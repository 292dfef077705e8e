package zoning

import (
	"math"

	"github.com/paulmach/orb"
)

// farther is a quick lower bound: true only if the points are more than limitM
// apart. A degree of latitude is at least 110 574 m on WGS 84; between two points
// of that latitude or less, a degree of longitude is at least cos(lat) × 111 319 m.
// A millimetre covers the rounding.
func farther(a, b orb.Point, limitM float64) bool {
	limitM += 0.001
	if math.Abs(a[1]-b[1])*110574 > limitM {
		return true
	}
	dLon := math.Abs(a[0] - b[0])
	if dLon > 1 { // the chord of a long way is shorter than its arc: measure it
		return false
	}
	highest := max(math.Abs(a[1]), math.Abs(b[1]))
	return dLon*111319*math.Cos(highest*math.Pi/180)*0.999 > limitM
}
