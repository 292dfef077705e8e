package intake

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// centralMeridian is what people write of a grid: "KTT 103°00', múi 3°", "kinh tuyến trục 103-30 múi 3".
var (
	centralMeridian = regexp.MustCompile(`(?i)(?:kttt?|kttw|kinh tuyến trục|kinh tuyến trung ương|central[ _]meridian)\D{0,4}?(\d{2,3})(?:\s*(?:°|º|độ|-|\.|,)\s*(\d{1,2}))?`)
	zoneWidth       = regexp.MustCompile(`(?i)múi(?: chiếu)?\s*:?\s*([36])`)
)

// crsInWords finds the system that words tell of: its code or URI, its name in the registry
// as people and programs write it, or the central meridian of a VN-2000 grid, in zones of 3°
// where no width is said. A meridian of which there is no grid gives false.
func crsInWords(s string) (geo.CRS, bool) {
	if crs, err := geo.ParseCRS(s); err == nil {
		return crs, true
	}
	k := key(s)
	for _, crs := range geo.CRSs() {
		// "VN-2000" alone is said of its grids, too, and does not mean degrees.
		if k == key(crs.Name()) && crs.Code() != 4756 {
			return crs, true
		}
	}
	m := centralMeridian.FindStringSubmatch(s)
	if m == nil {
		return geo.CRS{}, false
	}
	degrees, _ := strconv.ParseFloat(m[1], 64) // digits: no error
	if m[2] != "" {
		minutes, _ := strconv.ParseFloat(m[2], 64)
		degrees += minutes / 60
	}
	family := "TM-3"
	if width := zoneWidth.FindStringSubmatch(s); width != nil && width[1] == "6" {
		family = "UTM"
	}
	for _, crs := range geo.CRSs() {
		if strings.Contains(crs.Name(), "VN-2000 / "+family) && math.Abs(meridian(crs)-degrees) < 1e-6 {
			return crs, true
		}
	}
	return geo.CRS{}, false
}

// meridian is the central meridian of a grid of VN-2000, degrees: the longitude, on
// its own datum, of where the easting is 500 km.
func meridian(crs geo.CRS) float64 {
	p, err := crs.Inverse(orb.Point{500000, 2300000})
	if err != nil {
		return math.NaN()
	}
	vn2000, _ := geo.LookupCRS(4756)
	if p, err = vn2000.Forward(p); err != nil {
		return math.NaN()
	}
	return math.Round(p[0]*1e4) / 1e4
}
