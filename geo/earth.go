package geo

import (
	"math"

	"github.com/paulmach/orb"
	"github.com/tidwall/geodesic"
)

// SRID is the EPSG code everything is stored in: WGS 84, coordinates as
// longitude, latitude in degrees.
const SRID = 4326

// The WGS 84 ellipsoid: the equatorial radius in metres and the flattening.
// Source: NGA.STND.0036, table 3.1. VN-2000 is realised on the same ellipsoid
// (Decision 83/2000/QĐ-TTg).
const (
	EquatorialRadiusM = 6378137.0
	Flattening        = 1 / 298.257223563
)

// DistanceM returns the length in metres of the shortest path (geodesic) between
// two lon/lat points on the WGS 84 ellipsoid, at height 0. Accuracy 1e-8 m up to
// antipodal points; about 0.5 µs, a fifth of it within some 5 km. A latitude outside ±90° or a coordinate that is
// not finite gives NaN.
// Source: C. F. F. Karney, Algorithms for geodesics, J. Geodesy 87 (2013).
func DistanceM(a, b orb.Point) float64 {
	if !onEarth(a) || !onEarth(b) {
		return math.NaN()
	}
	if math.Abs(a[0]-b[0]) <= shortDeg && math.Abs(a[1]-b[1]) <= shortDeg {
		return shortM(a, b)
	}
	var s float64
	geodesic.WGS84.Inverse(latitude(a), a[0], latitude(b), b[0], &s, nil, nil)
	return s
}

// latitude is that of a point, 0 for a point within 1e-9 m of the equator: between two
// such points south of it and nearly opposite, package geodesic gives nonsense.
func latitude(p orb.Point) float64 {
	if math.Abs(p[1]) < 1e-14 {
		return 0
	}
	return p[1]
}

// shortDeg is how far apart, in degrees either way, shortM measures.
const shortDeg = 0.05

// shortM is the length of a short geodesic from the straight line through the earth
// between its ends: an arc of curvature k over a chord c is c (1 + (ck)²/24 + …)
// long. For k that of the ellipsoid half-way, in the line's direction (Euler), what
// is left out is below 1e-9 m at 5 km, and the rounding about as much.
func shortM(a, b orb.Point) float64 {
	sinA, cosA := math.Sincos(radians(a[1]))
	sinB, cosB := math.Sincos(radians(b[1]))
	nA := EquatorialRadiusM / math.Sqrt(1-eccentricity2*sinA*sinA)
	nB := EquatorialRadiusM / math.Sqrt(1-eccentricity2*sinB*sinB)
	half := math.Sin(radians(a[0]-b[0]) / 2)
	outA, outB := nA*cosA, nB*cosB // from the axis
	across2 := 4 * (outA * outB) * (half * half)
	out, up := outA-outB, (1-eccentricity2)*(nA*sinA-nB*sinB)
	along2 := out*out + up*up
	chord2 := across2 + along2
	if chord2 == 0 {
		return 0
	}
	sin := (sinA + sinB) / 2
	w2 := 1 - eccentricity2*sin*sin
	w := math.Sqrt(w2)
	k := (across2 + along2*w2/(1-eccentricity2)) / chord2 * w / EquatorialRadiusM
	bend := chord2 * k * k
	return math.Sqrt(chord2) * (1 + bend/24*(1+bend*9/80))
}

// AzimuthDeg returns the direction at a of the geodesic from a to b: degrees
// clockwise from true north in [0, 360). Coincident points give 0 or 180 and mean
// nothing. Points DistanceM refuses give NaN.
func AzimuthDeg(a, b orb.Point) float64 {
	if !onEarth(a) || !onEarth(b) {
		return math.NaN()
	}
	var azimuth float64
	geodesic.WGS84.Inverse(latitude(a), a[0], latitude(b), b[0], nil, &azimuth, nil)
	if azimuth < 0 {
		azimuth += 360
	}
	return math.Mod(azimuth, 360)
}

// Destination returns the point reached from p after distanceM metres along the
// geodesic that leaves p at azimuthDeg degrees clockwise from true north. Its
// longitude lies in [-180, 180]. A negative distance goes backwards. Arguments
// DistanceM refuses, or an azimuth or distance that is not finite, give NaN, NaN.
// Accuracy 1e-8 m; about 0.5 µs.
func Destination(p orb.Point, azimuthDeg, distanceM float64) orb.Point {
	if !onEarth(p) || !finite(azimuthDeg) || !finite(distanceM) {
		return orb.Point{math.NaN(), math.NaN()}
	}
	var lat, lon float64
	geodesic.WGS84.Direct(p[1], p[0], azimuthDeg, distanceM, &lat, &lon, nil)
	return orb.Point{lon, lat}
}

// LengthM returns the geodesic length in metres of lines, and the perimeter,
// holes included, of areas: every segment is the geodesic between its ends, and
// rings are closed when they are not. Points and empty or nil geometries give 0; a
// collection gives the sum. Points DistanceM refuses give NaN.
func LengthM(g orb.Geometry) float64 {
	switch g := g.(type) {
	case orb.LineString:
		return pathM(g)
	case orb.MultiLineString:
		return sum(g, pathM[orb.LineString])
	case orb.Ring:
		return perimeterM(g)
	case orb.Polygon:
		return sum(g, perimeterM)
	case orb.MultiPolygon:
		return sum(g, func(p orb.Polygon) float64 { return sum(p, perimeterM) })
	case orb.Bound:
		return LengthM(g.ToRing())
	case orb.Collection:
		return sum(g, LengthM)
	}
	return 0
}

// AreaM2 returns the area in square metres on the WGS 84 ellipsoid of whatever
// areas g holds, their edges being geodesics. The direction of rings does not
// matter: the first ring of a polygon counts, the others are subtracted, and of
// the two sides of a ring the smaller is meant. Rings are closed when they are
// not, and may cross the antimeridian or run round a pole. Rings are taken to be
// simple, and the parts of a multipolygon disjoint. Points, lines, rings of fewer
// than three points and empty or nil geometries give 0. Accuracy about 0.1 m² per
// edge at most, 1e-10 of the area for districts; about 1 µs per vertex. Points
// DistanceM refuses give NaN.
func AreaM2(g orb.Geometry) float64 {
	switch g := g.(type) {
	case orb.Ring:
		return ringAreaM2(g)
	case orb.Polygon:
		if len(g) == 0 {
			return 0
		}
		return ringAreaM2(g[0]) - sum(g[1:], ringAreaM2)
	case orb.MultiPolygon:
		return sum(g, func(p orb.Polygon) float64 { return AreaM2(p) })
	case orb.Bound:
		return ringAreaM2(g.ToRing())
	case orb.Collection:
		return sum(g, AreaM2)
	}
	return 0
}

func pathM[L ~[]orb.Point](points L) float64 {
	total := 0.0
	for i := 1; i < len(points); i++ {
		total += DistanceM(points[i-1], points[i])
	}
	return total
}

func perimeterM(r orb.Ring) float64 {
	if len(r) == 0 {
		return 0
	}
	return pathM(r) + DistanceM(r[len(r)-1], r[0])
}

func ringAreaM2(r orb.Ring) float64 {
	if len(r) > 1 && r[0] == r[len(r)-1] {
		r = r[:len(r)-1]
	}
	if len(r) < 3 {
		return 0
	}
	polygon := geodesic.WGS84.PolygonInit(false)
	for _, p := range r {
		if !onEarth(p) {
			return math.NaN()
		}
		polygon.AddPoint(p[1], p[0])
	}
	var area float64
	polygon.Compute(false, true, &area, nil)
	return math.Abs(area)
}

func sum[T any](parts []T, measure func(T) float64) float64 {
	total := 0.0
	for _, part := range parts {
		total += measure(part)
	}
	return total
}

// onEarth reports whether p is a usable lon/lat point: finite, the latitude within
// ±90°. Longitudes may run past ±180°.
func onEarth(p orb.Point) bool {
	return finite(p[0]) && p[1] >= -90 && p[1] <= 90
}

func finite(x float64) bool { return x*0 == 0 } // of infinity and NaN it is NaN
