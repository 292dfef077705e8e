package coverage

import (
	"math"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// plane is the Lambert azimuthal equal-area projection of the WGS 84 ellipsoid
// about one point. Areas in it are exact; shapes are true at the centre and
// stretched by (d/2R)²/2 at the distance d.
// Source: J. P. Snyder, Map projections: a working manual (1987), equations 3-11,
// 3-12 and 24-13 to 24-20; m₁/(R_q cos β₁) is his D.
type plane struct {
	lon0         float64 // degrees
	sinB1, cosB1 float64 // of the centre's authalic latitude
	radiusM      float64 // of the sphere of equal area
	stretch      float64 // D
}

const eccentricity2 = geo.Flattening * (2 - geo.Flattening)

func newPlane(centre orb.Point) plane {
	p := plane{lon0: centre[0], radiusM: geo.EquatorialRadiusM * math.Sqrt(authalic(1)/2), stretch: 1}
	sinLat, cosLat := math.Sincos(radians(centre[1]))
	p.sinB1, p.cosB1 = authalicSinCos(sinLat)
	if p.cosB1 > 1e-6 {
		m := cosLat / math.Sqrt(1-eccentricity2*sinLat*sinLat)
		p.stretch = geo.EquatorialRadiusM * m / (p.radiusM * p.cosB1)
	}
	return p
}

// xy projects a lon/lat point, metres. The rounding error is about 1e-9 m.
func (p plane) xy(lonLat orb.Point) orb.Point {
	sinB, cosB := authalicSinCos(math.Sin(radians(lonLat[1])))
	dLon := radians(math.Remainder(lonLat[0]-p.lon0, 360))
	sinL := math.Sin(dLon)
	half := math.Sin(dLon / 2)
	cosL := 1 - 2*half*half
	b := p.radiusM * math.Sqrt(2/(1+p.sinB1*sinB+p.cosB1*cosB*cosL))
	return orb.Point{
		b * p.stretch * cosB * sinL,
		b / p.stretch * (p.cosB1*sinB - p.sinB1*cosB + 2*p.sinB1*cosB*half*half),
	}
}

// lonLat is the inverse of xy, to 1e-8 m, less well beyond ±85° and to 0.1 m at a pole.
// Longitudes run on past ±180° rather than jump: they are within 180° of the
// centre's. Source: Snyder, equations 3-16 and 24-24 to 24-29.
func (p plane) lonLat(q orb.Point) orb.Point {
	x, y := q[0]/p.stretch, q[1]*p.stretch
	sinB, dLon := p.sinB1, 0.0
	if rho := math.Hypot(x, y); rho > 0 {
		half := min(1, rho/(2*p.radiusM))
		sinC, cosC := 2*half*math.Sqrt((1-half)*(1+half)), 1-2*half*half
		sinB = cosC*p.sinB1 + y/rho*sinC*p.cosB1
		dLon = math.Atan2(x*sinC, rho*p.cosB1*cosC-y*p.sinB1*sinC)
	}
	sinLat, want := sinB, sinB*authalic(1)
	for range 4 {
		w := 1 - eccentricity2*sinLat*sinLat
		sinLat += (want - authalic(sinLat)) * w * w / (2 * (1 - eccentricity2))
		sinLat = max(-1, min(1, sinLat))
	}
	return orb.Point{p.lon0 + dLon*(180/math.Pi), math.Asin(sinLat) * (180 / math.Pi)}
}

// authalic is Snyder's q of the sine of a latitude.
func authalic(sinLat float64) float64 {
	e := math.Sqrt(eccentricity2)
	return (1 - eccentricity2) * (sinLat/(1-eccentricity2*sinLat*sinLat) + math.Atanh(e*sinLat)/e)
}

func authalicSinCos(sinLat float64) (sinB, cosB float64) {
	sinB = max(-1, min(1, authalic(sinLat)/authalic(1)))
	return sinB, math.Sqrt((1 - sinB) * (1 + sinB))
}

func radians(deg float64) float64 { return deg * (math.Pi / 180) }
