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
