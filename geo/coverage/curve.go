package coverage

import (
	"math"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// curve is the boundary of a geodesic disc in the plane, in polar form about the
// projected centre: half the squared radius is a trigonometric polynomial of the
// angle, so that the area of any sector is known in closed form. The disc is
// star-shaped about its centre.
type curve struct {
	centre     orb.Point
	mean       float64      // of half the squared radius, m²
	harmonics  []complex128 // a - ib of cos kφ and sin kφ, k from 1, m²
	minR, maxR float64      // bounds of the radius, m
}

// samples is how many points of a disc's boundary its curve is fitted to: enough
// for 1e-11 of the radius within 1 000 km of the plane's centre.
func samples(radiusM float64) int {
	switch {
	case radiusM < 20e3:
		return 16
	case radiusM < 200e3:
		return 32
	}
	return 64
}

// newCurve fits the curve of a disc: points of the exact geodesic circle at equal
// azimuths, resampled to equal angles in the plane.
func newCurve(p plane, d Disc) curve {
	n := samples(d.RadiusM)
	c := curve{centre: p.xy(d.Center)}
	turn := make([]float64, n) // angle in the plane less the azimuth's
	half := make([]float64, n) // half the squared radius
	first := 0.0
	for k := range n {
		theta := 2 * math.Pi * float64(k) / float64(n)
		q := p.xy(geo.Destination(d.Center, -theta*180/math.Pi, d.RadiusM))
		dx, dy := q[0]-c.centre[0], q[1]-c.centre[1]
		angle := math.Atan2(dy, dx)
		if k == 0 {
			first = angle
		}
		turn[k] = math.Remainder(angle-theta-first, 2*math.Pi)
		half[k] = (dx*dx + dy*dy) / 2
	}
	turnMean, turnTerms := fourier(turn)
	halfMean, halfTerms := fourier(half)
	for k := range n {
		target := 2*math.Pi*float64(k)/float64(n) - first
		theta := target
		for range 12 {
			sin, cos := math.Sincos(theta)
			theta = target - turnMean - evaluate(turnTerms, cos, sin)
		}
		sin, cos := math.Sincos(theta)
		half[k] = halfMean + evaluate(halfTerms, cos, sin)
	}
	c.mean, c.harmonics = fourier(half)
	c.trim()
	return c
}

// trim drops the harmonics below rounding and bounds the radius.
func (c *curve) trim() {
	spread := 0.0
	keep := 0
	for k, h := range c.harmonics {
		size := math.Hypot(real(h), imag(h))
		spread += size
		if size > 3e-13*c.mean {
			keep = k + 1
		}
	}
	c.harmonics = c.harmonics[:keep]
	c.minR = math.Sqrt(2 * max(0, c.mean-spread))
	c.maxR = math.Sqrt(2 * (c.mean + spread))
}

// fourier gives the mean and the harmonics below the Nyquist frequency of a
// periodic function sampled at equal steps.
func fourier(f []float64) (mean float64, harmonics []complex128) {
	n := len(f)
	harmonics = make([]complex128, n/2-1)
	roots := make([]complex128, n)
	for j := range roots {
		sin, cos := math.Sincos(2 * math.Pi * float64(j) / float64(n))
		roots[j] = complex(cos, -sin)
	}
	for j, v := range f {
		mean += v / float64(n)
		for k := range harmonics {
			harmonics[k] += complex(v*2/float64(n), 0) * roots[(k+1)*j%n]
		}
	}
	return mean, harmonics
}

// evaluate sums the harmonics at the angle of the given cosine and sine.
func evaluate(harmonics []complex128, cos, sin float64) float64 {
	re, im, total := 1.0, 0.0, 0.0
	for _, h := range harmonics {
		re, im = re*cos-im*sin, re*sin+im*cos
		total += real(h)*re - imag(h)*im
	}
	return total
}

// excess is half the squared distance of q from the centre less that of the
// boundary in its direction: negative inside, positive outside, m².
func (c *curve) excess(q orb.Point) float64 {
	dx, dy := q[0]-c.centre[0], q[1]-c.centre[1]
	r := math.Hypot(dx, dy)
	if r == 0 {
		return -c.mean
	}
	return r*r/2 - c.mean - evaluate(c.harmonics, dx/r, dy/r)
}

// covers reports whether q lies in the closed disc.
func (c *curve) covers(q orb.Point) bool {
	dx, dy := q[0]-c.centre[0], q[1]-c.centre[1]
	squared := dx*dx + dy*dy
	switch {
	case squared > c.maxR*c.maxR*(1+1e-12):
		return false
	case squared < c.minR*c.minR*(1-1e-12):
		return true
	}
	return c.excess(q) <= 0
}

// at is the boundary point in the direction phi.
func (c *curve) at(phi float64) orb.Point {
	sin, cos := math.Sincos(phi)
	r := math.Sqrt(2 * (c.mean + evaluate(c.harmonics, cos, sin)))
	return orb.Point{c.centre[0] + r*cos, c.centre[1] + r*sin}
}

// angle is the direction of q from the centre.
func (c *curve) angle(q orb.Point) float64 {
	return math.Atan2(q[1]-c.centre[1], q[0]-c.centre[0])
}

// sector is the antiderivative of half the squared radius: its difference between
// two angles is the area of the sector between them.
func (c *curve) sector(phi float64) float64 {
	sin, cos := math.Sincos(phi)
	re, im, total := 1.0, 0.0, c.mean*phi
	for k, h := range c.harmonics {
		re, im = re*cos-im*sin, re*sin+im*cos
		total += (real(h)*im + imag(h)*re) / float64(k+1)
	}
	return total
}

// arc is the contribution ½∮(x dy − y dx) of the boundary from one angle
// anticlockwise to another, m².
func (c *curve) arc(from, to float64) float64 {
	p, q := c.at(from), c.at(to)
	return c.sector(to) - c.sector(from) +
		(c.centre[0]*(q[1]-p[1])-c.centre[1]*(q[0]-p[0]))/2
}

// bound is the curve's box, a little too large.
func (c *curve) bound() orb.Bound {
	return orb.Bound{
		Min: orb.Point{c.centre[0] - c.maxR, c.centre[1] - c.maxR},
		Max: orb.Point{c.centre[0] + c.maxR, c.centre[1] + c.maxR},
	}
}
