package coverage

import "math"

// PlanPi is the value of π the plan computed its radii with: with the official
// area it reproduces all seven radii the plan states, the exact π only six.
const PlanPi = 3.14

// MeanServiceRadiusM returns r = √(S/(π·N)) in metres: the radius of a circle of
// the area S/N, S being areaM2 in square metres and N the number of sites or
// points. π is an input because published figures were computed with 3.14. False
// when N, S or π is not positive or not finite: there is then no such radius.
//
// It is an average, not coverage: it says nothing about where the sites stand.
func MeanServiceRadiusM(areaM2, pi float64, n int) (radiusM float64, ok bool) {
	if n <= 0 || !positive(areaM2) || !positive(pi) {
		return 0, false
	}
	return math.Sqrt(areaM2 / (pi * float64(n))), true
}

func positive(x float64) bool { return x > 0 && !math.IsInf(x, 1) }
