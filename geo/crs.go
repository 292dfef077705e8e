package geo

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
)

// ErrUnknownCRS is returned for a coordinate reference system Hatang does not hold.
var ErrUnknownCRS = errors.New("unknown coordinate reference system")

// ErrOutOfDomain is returned for a coordinate a projection cannot take: not
// finite, a latitude outside ±90°, or too far from where the projection is defined.
var ErrOutOfDomain = errors.New("coordinate outside the domain of the reference system")

// kind says how a system's coordinates follow from longitude and latitude.
type kind uint8

const (
	geographic         kind = iota // degrees, lon/lat
	webMercator                    // spherical Mercator on the equatorial radius
	transverseMercator             // Gauss-Krüger with k0, false easting 500 km
)

// CRS is one coordinate reference system of the closed set CRSs lists. It is a
// small comparable value; the zero value behaves as CRS84.
type CRS struct {
	code     int // EPSG; 0 for OGC:CRS84
	name     string
	kind     kind
	vn2000   bool
	meridian float64 // degrees
	scale    float64 // at the meridian
	area     orb.Bound
	latFirst bool
}

// Code returns the EPSG code, and 0 for OGC:CRS84, which has none.
func (c CRS) Code() int { return c.code }

// SRID returns the code PostGIS knows the system by: the EPSG code, 4326 for CRS84.
func (c CRS) SRID() int {
	if c.code == 0 {
		return SRID
	}
	return c.code
}

// URI returns the system's name as OGC API writes it, such as
// http://www.opengis.net/def/crs/EPSG/0/9205.
func (c CRS) URI() string {
	if c.code == 0 {
		return "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
	}
	return "http://www.opengis.net/def/crs/EPSG/0/" + strconv.Itoa(c.code)
}

// String returns the short name, such as EPSG:9205 or OGC:CRS84.
func (c CRS) String() string {
	if c.code == 0 {
		return "OGC:CRS84"
	}
	return "EPSG:" + strconv.Itoa(c.code)
}

// Name returns the name in the EPSG registry.
func (c CRS) Name() string {
	if c.name == "" {
		return "WGS 84 longitude-latitude"
	}
	return c.name
}

// LatFirst reports whether the authority puts latitude first (EPSG:4326 and 4756).
// Forward and Inverse never do: swapping belongs to the edge that reads or writes
// such coordinates. All projected systems here are easting, northing.
func (c CRS) LatFirst() bool { return c.latFirst }

// Projected reports whether coordinates are metres (easting, northing), not degrees.
func (c CRS) Projected() bool { return c.kind != geographic }

// AreaOfUse returns the lon/lat box the EPSG registry gives for the system.
func (c CRS) AreaOfUse() orb.Bound {
	if c.area == (orb.Bound{}) {
		return world
	}
	return c.area
}

// Forward turns a WGS 84 lon/lat point into the system's coordinates: easting,
// northing in metres, or longitude, latitude in degrees, never the other way round.
//
// VN-2000 is reached by the seven parameters of EPSG:6960 (stated accuracy 1 m) at
// height 0, as PROJ does for two-dimensional points; transverse Mercator by
// Krüger's series to the sixth order, good to 1 µm within 30° of the meridian.
// Beyond 80° from the meridian, for a latitude outside ±90° (±89.99° for 3857) and
// for numbers that are not finite the error wraps ErrOutOfDomain.
func (c CRS) Forward(lonLat orb.Point) (orb.Point, error) {
	if !onEarth(lonLat) {
		return orb.Point{}, outOfDomain(c, lonLat)
	}
	if c.vn2000 {
		lonLat = toVN2000(lonLat)
	}
	switch c.kind {
	case webMercator:
		if math.Abs(lonLat[1]) > 89.99 {
			return orb.Point{}, outOfDomain(c, lonLat)
		}
		return orb.Point{
			EquatorialRadiusM * radians(lonLat[0]),
			EquatorialRadiusM * math.Asinh(math.Tan(radians(lonLat[1]))),
		}, nil
	case transverseMercator:
		dLon := math.Remainder(lonLat[0]-c.meridian, 360)
		if math.Abs(dLon) > 80 {
			return orb.Point{}, outOfDomain(c, lonLat)
		}
		x, y := krueger.forward(radians(dLon), radians(lonLat[1]))
		return orb.Point{falseEastingM + c.scale*x, c.scale * y}, nil
	}
	return lonLat, nil
}

// Inverse turns the system's coordinates, ordered as Forward gives them, into WGS
// 84 lon/lat. After Forward it returns to the same point within 2 mm: the datum
// shift drops a height of some metres each way, as PROJ's does. Coordinates more
// than 8 000 km from the projection's origin on the meridian, a latitude outside
// ±90° and numbers that are not finite give an error that wraps ErrOutOfDomain.
func (c CRS) Inverse(xy orb.Point) (orb.Point, error) {
	if !finite(xy[0]) || !finite(xy[1]) {
		return orb.Point{}, outOfDomain(c, xy)
	}
	lonLat := xy
	switch c.kind {
	case webMercator:
		lonLat = orb.Point{
			degrees(xy[0] / EquatorialRadiusM),
			degrees(math.Atan(math.Sinh(xy[1] / EquatorialRadiusM))),
		}
	case transverseMercator:
		x, y := (xy[0]-falseEastingM)/c.scale, xy[1]/c.scale
		if math.Abs(x) > 8e6 || math.Abs(y) > 1.0001e7 {
			return orb.Point{}, outOfDomain(c, xy)
		}
		dLon, lat := krueger.inverse(x, y)
		lonLat = orb.Point{c.meridian + degrees(dLon), degrees(lat)}
	}
	if !onEarth(lonLat) {
		return orb.Point{}, outOfDomain(c, xy)
	}
	if c.vn2000 {
		lonLat = fromVN2000(lonLat)
	}
	return lonLat, nil
}

// LookupCRS finds a system by its EPSG code; CRS84 has none.
func LookupCRS(code int) (CRS, bool) {
	for _, c := range CRSs() {
		if c.code == code && code != 0 {
			return c, true
		}
	}
	return CRS{}, false
}

// crsForms are the spellings ParseCRS reads; the group is an EPSG code or CRS84.
var crsForms = regexp.MustCompile(`(?i)^(?:` +
	`(?:EPSG:)?(\d{1,6})` +
	`|https?://www\.opengis\.net/def/crs/EPSG/[\d.]+/(\d{1,6})` +
	`|urn:ogc:def:crs:EPSG:[\d.]*:(\d{1,6})` +
	`|(?:OGC:)?CRS84|https?://www\.opengis\.net/def/crs/OGC/1\.3/CRS84|urn:ogc:def:crs:OGC:(?:1\.3)?:CRS84)$`)

// ParseCRS reads the name of a system in any of the forms clients send: EPSG:9205,
// 9205, http(s)://www.opengis.net/def/crs/EPSG/0/9205,
// urn:ogc:def:crs:EPSG::9205, CRS84 and OGC:CRS84 with its URI and URN; letters of
// either case, in <angle> or [square] brackets or bare. Anything else, and codes
// outside CRSs, give an error that wraps ErrUnknownCRS.
func ParseCRS(s string) (CRS, error) {
	bare := strings.TrimSpace(s)
	for _, pair := range []string{"<>", "[]"} {
		if len(bare) > 1 && bare[0] == pair[0] && bare[len(bare)-1] == pair[1] {
			bare = bare[1 : len(bare)-1]
		}
	}
	m := crsForms.FindStringSubmatch(bare)
	if m == nil {
		return CRS{}, fmt.Errorf("%w: %.80q", ErrUnknownCRS, s)
	}
	digits := m[1] + m[2] + m[3]
	if digits == "" {
		return CRSs()[0], nil
	}
	code, err := strconv.Atoi(digits)
	if err != nil {
		return CRS{}, fmt.Errorf("%w: %.80q", ErrUnknownCRS, s)
	}
	c, ok := LookupCRS(code)
	if !ok {
		return CRS{}, fmt.Errorf("%w: EPSG:%d is not supported", ErrUnknownCRS, code)
	}
	return c, nil
}

func outOfDomain(c CRS, p orb.Point) error {
	return fmt.Errorf("%w: %v, %v in %s", ErrOutOfDomain, p[0], p[1], c)
}

func radians(deg float64) float64 { return deg * (math.Pi / 180) }
func degrees(rad float64) float64 { return rad * (180 / math.Pi) }
