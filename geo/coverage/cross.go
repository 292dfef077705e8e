package coverage

import (
	"math"

	"github.com/paulmach/orb"
)

// sameM is the distance within which two boundaries are one: far above rounding,
// and 1e-10 of a kilometre.
const sameM = 1e-7

// contains reports whether the disc a, the larger, covers the disc b.
func contains(a, b *curve) bool {
	d := distance(a.centre, b.centre)
	switch {
	case d+b.maxR <= a.minR:
		return true
	case d+b.minR > a.maxR+sameM:
		return false
	}
	farthest := a.largestExcess(b, b.awayFrom(a))
	return farthest <= sameM*a.maxR
}

// cross finds where the boundaries of a, the larger disc, and b cross, neither
// containing the other, and notes on each the part the other covers. Both get the
// same two points, so that what is walked stays closed however ill-conditioned
// the crossing is.
func cross(a, b *circle) {
	d := distance(a.centre, b.centre)
	if d >= a.maxR+b.maxR {
		return
	}
	away := b.awayFrom(&a.curve)
	excess := func(phi float64) float64 { return a.excess(b.at(phi)) }
	inside, outside := away+math.Pi, away
	if excess(inside) >= 0 {
		inside = extremum(func(phi float64) float64 { return -excess(phi) }, inside)
		if excess(inside) >= 0 {
			return
		}
	}
	if excess(outside) <= 0 {
		outside = extremum(excess, outside)
		if excess(outside) <= 0 {
			return
		}
	}
	slope := d * b.maxR
	half := math.Acos(max(-1, min(1, (d*d+2*b.mean-2*a.mean)/(2*slope))))
	towards := away + math.Pi
	first := root(excess, inside-turnTo(outside, inside), inside, towards-half, slope, towards)
	second := root(excess, inside, inside+turnTo(inside, outside), towards+half, slope, towards)
	b.cover(normal(first), normal(second))
	a.cover(a.angle(b.at(second)), a.angle(b.at(first)))
}

// awayFrom is the direction at b's centre that points away from a's.
func (b *curve) awayFrom(a *curve) float64 {
	return math.Atan2(b.centre[1]-a.centre[1], b.centre[0]-a.centre[0])
}

// largestExcess is how far, as an excess, b's boundary reaches out of a.
func (a *curve) largestExcess(b *curve, away float64) float64 {
	excess := func(phi float64) float64 { return a.excess(b.at(phi)) }
	return excess(extremum(excess, away))
}

// extremum finds the maximum of f within a quarter turn of a first guess by golden
// section, to 1e-9 rad, where f is flat to rounding.
func extremum(f func(float64) float64, guess float64) float64 {
	const golden = 0.6180339887498949
	low, high := guess-math.Pi/2, guess+math.Pi/2
	x1, x2 := high-golden*(high-low), low+golden*(high-low)
	f1, f2 := f(x1), f(x2)
	for high-low > 1e-9 {
		if f1 > f2 {
			high, x2, f2 = x2, x1, f1
			x1 = high - golden*(high-low)
			f1 = f(x1)
		} else {
			low, x1, f1 = x1, x2, f2
			x2 = low + golden*(high-low)
			f2 = f(x2)
		}
	}
	best := (low + high) / 2
	if f(guess) >= f(best) {
		return guess
	}
	return best
}

// root finds the zero of the excess between two angles of opposite sign: Newton
// steps with the slope two true circles would have, which leave an error of a
// thousandth each, within a bracket that is halved when they fail.
func root(f func(float64) float64, low, high, guess, slope, towards float64) float64 {
	rising := f(high) > 0
	x := guess
	for range 100 {
		if !(x > low && x < high) {
			x = (low + high) / 2
		}
		v := f(x)
		if v == 0 || high-low < 1e-15*math.Pi {
			break
		}
		if (v > 0) == rising {
			high = x
		} else {
			low = x
		}
		step := v / (slope * math.Sin(x-towards))
		if math.Abs(step) < 1e-14 {
			break
		}
		x -= step
		if math.IsNaN(x) || math.Abs(step) > 0.5*(high-low) {
			x = (low + high) / 2
		}
	}
	return x
}

// turnTo is the anticlockwise turn from one angle to another, in (0, 2π].
func turnTo(from, to float64) float64 {
	turn := math.Mod(to-from, 2*math.Pi)
	if turn <= 0 {
		turn += 2 * math.Pi
	}
	return turn
}

// normal brings an angle to [-π, π].
func normal(phi float64) float64 { return math.Remainder(phi, 2*math.Pi) }

func distance(p, q orb.Point) float64 { return math.Hypot(p[0]-q[0], p[1]-q[1]) }
