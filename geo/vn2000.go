package geo

import (
	"math"
	"math/cmplx"

	"github.com/paulmach/orb"
)

// The transformation from VN-2000 to WGS 84, EPSG:6960, method 9607 (Coordinate
// Frame rotation): metres, arc seconds, parts per million. The published rotations
// are Coordinate Frame; software that wants Position Vector flips their signs, and
// mixing the two up moves a point 0.78 m. No datum shift at all: 222.7 m.
const (
	shiftXM, shiftYM, shiftZM       = -191.90441429, -39.30318279, -111.45032835
	rotateXSec, rotateYSec, rotZSec = -0.00928836, 0.01975479, -0.00427372
	scalePPM                        = 0.252906278
	secondsRad                      = math.Pi / (180 * 3600)
	rotateX, rotateY, rotateZ       = rotateXSec * secondsRad, rotateYSec * secondsRad, rotZSec * secondsRad
	scaleFactor                     = 1 + scalePPM*1e-6
	eccentricity2                   = Flattening * (2 - Flattening)
	thirdFlattening                 = Flattening / (2 - Flattening)
)

// fromVN2000 turns VN-2000 lon/lat at height 0 into WGS 84 lon/lat.
func fromVN2000(lonLat orb.Point) orb.Point {
	x, y, z := geocentric(lonLat)
	return geodetic(
		shiftXM+scaleFactor*(x+rotateZ*y-rotateY*z),
		shiftYM+scaleFactor*(y-rotateZ*x+rotateX*z),
		shiftZM+scaleFactor*(z+rotateY*x-rotateX*y))
}

// toVN2000 turns WGS 84 lon/lat at height 0 into VN-2000 lon/lat. The rotation
// matrix is transposed, not inverted: the difference is below 1e-7 m.
func toVN2000(lonLat orb.Point) orb.Point {
	x, y, z := geocentric(lonLat)
	x, y, z = (x-shiftXM)/scaleFactor, (y-shiftYM)/scaleFactor, (z-shiftZM)/scaleFactor
	return geodetic(
		x-rotateZ*y+rotateY*z,
		y+rotateZ*x-rotateX*z,
		z-rotateY*x+rotateX*y)
}

// geocentric gives the earth-centred coordinates, metres, of a point at height 0.
func geocentric(lonLat orb.Point) (x, y, z float64) {
	sinLon, cosLon := math.Sincos(radians(lonLat[0]))
	sinLat, cosLat := math.Sincos(radians(lonLat[1]))
	n := EquatorialRadiusM / math.Sqrt(1-eccentricity2*sinLat*sinLat)
	return n * cosLat * cosLon, n * cosLat * sinLon, n * (1 - eccentricity2) * sinLat
}

// geodetic is the inverse of geocentric, the height dropped: Bowring's formula,
// whose error within 10 km of the ellipsoid is below 1e-11 degrees.
// Source: B. R. Bowring, Survey Review 23 (1976).
func geodetic(x, y, z float64) orb.Point {
	const b = EquatorialRadiusM * (1 - Flattening)
	p := math.Hypot(x, y)
	sinT, cosT := math.Sincos(math.Atan2(z*EquatorialRadiusM, p*b))
	lat := math.Atan2(
		z+eccentricity2/(1-eccentricity2)*b*sinT*sinT*sinT,
		p-eccentricity2*EquatorialRadiusM*cosT*cosT*cosT)
	return orb.Point{degrees(math.Atan2(y, x)), degrees(lat)}
}

// series holds Krüger's coefficients of the transverse Mercator projection of the
// WGS 84 ellipsoid: radius of the rectifying sphere, metres, and the trigonometric
// series there and back.
type series struct {
	radiusM     float64
	alpha, beta [6]float64
}

// krueger is computed once from the third flattening and never changes.
var krueger = newSeries(thirdFlattening)

// newSeries evaluates the coefficients to the sixth order in n.
// Source: C. F. F. Karney, Transverse Mercator with an accuracy of a few
// nanometers, J. Geodesy 85 (2011), equations 12, 14, 35 and 36.
func newSeries(n float64) series {
	return series{
		radiusM: EquatorialRadiusM / (1 + n) * (1 + n*n/4*(1+n*n/16*(1+n*n/4))),
		alpha: [6]float64{
			n * horner(n, 1./2, -2./3, 5./16, 41./180, -127./288, 7891./37800),
			pow(n, 2) * horner(n, 13./48, -3./5, 557./1440, 281./630, -1983433./1935360),
			pow(n, 3) * horner(n, 61./240, -103./140, 15061./26880, 167603./181440),
			pow(n, 4) * horner(n, 49561./161280, -179./168, 6601661./7257600),
			pow(n, 5) * horner(n, 34729./80640, -3418889./1995840),
			pow(n, 6) * 212378941. / 319334400,
		},
		beta: [6]float64{
			n * horner(n, 1./2, -2./3, 37./96, -1./360, -81./512, 96199./604800),
			pow(n, 2) * horner(n, 1./48, 1./15, -437./1440, 46./105, -1118711./3870720),
			pow(n, 3) * horner(n, 17./480, -37./840, -209./4480, 5569./90720),
			pow(n, 4) * horner(n, 4397./161280, -11./504, -830251./7257600),
			pow(n, 5) * horner(n, 4583./161280, -108847./3991680),
			pow(n, 6) * 20648693. / 638668800,
		},
	}
}

// forward projects a longitude from the meridian and a latitude, radians, to metres
// east and north at scale 1.
func (s series) forward(dLon, lat float64) (x, y float64) {
	tau := math.Tan(lat)
	t := conformalTan(tau)
	sinL, cosL := math.Sincos(dLon)
	zeta := complex(math.Atan2(t, cosL), math.Asinh(sinL/math.Hypot(t, cosL)))
	z := zeta
	for k, a := range s.alpha {
		z += complex(a, 0) * cmplx.Sin(complex(float64(2*(k+1)), 0)*zeta)
	}
	return s.radiusM * imag(z), s.radiusM * real(z)
}

// inverse undoes forward. Newton's iteration for the latitude converges in three steps.
func (s series) inverse(x, y float64) (dLon, lat float64) {
	z := complex(y/s.radiusM, x/s.radiusM)
	zeta := z
	for k, b := range s.beta {
		zeta -= complex(b, 0) * cmplx.Sin(complex(float64(2*(k+1)), 0)*z)
	}
	sinX, cosX := math.Sincos(real(zeta))
	sinhE := math.Sinh(imag(zeta))
	t := sinX / math.Hypot(sinhE, cosX)
	tau := t / (1 - eccentricity2)
	for range 5 {
		ti := conformalTan(tau)
		tau += (t - ti) / math.Hypot(1, ti) *
			(1 + (1-eccentricity2)*tau*tau) / ((1 - eccentricity2) * math.Hypot(1, tau))
	}
	return math.Atan2(sinhE, cosX), math.Atan(tau)
}

// conformalTan turns the tangent of a latitude into that of the conformal latitude.
func conformalTan(tau float64) float64 {
	e := math.Sqrt(eccentricity2)
	h := math.Hypot(1, tau)
	sigma := math.Sinh(e * math.Atanh(e*tau/h))
	return tau*math.Hypot(1, sigma) - sigma*h
}

// horner evaluates c[0] + c[1]·x + c[2]·x² and so on.
func horner(x float64, c ...float64) float64 {
	total := 0.0
	for i := len(c) - 1; i >= 0; i-- {
		total = total*x + c[i]
	}
	return total
}

func pow(x float64, n int) float64 {
	p := 1.0
	for range n {
		p *= x
	}
	return p
}
