package geo

import "github.com/paulmach/orb"

// falseEastingM is the easting of the central meridian in every VN-2000 grid.
const falseEastingM = 500000.0

// world is the area of use of the global geographic systems, degrees.
var world = box(-180, -90, 180, 90)

// CRSs lists every system Hatang reads and writes, CRS84 first, then by EPSG code.
// Codes, meridians, scales and areas of use are the EPSG registry's (PROJ 9.1.1);
// a meridian such as 107-45 is 107°45′ = 107.75°.
func CRSs() []CRS {
	return []CRS{
		{area: world},
		{code: 3405, name: "VN-2000 / UTM zone 48N", kind: transverseMercator, vn2000: true, meridian: 105, scale: 0.9996, area: box(102.14, 8.33, 108, 23.4)},
		{code: 3406, name: "VN-2000 / UTM zone 49N", kind: transverseMercator, vn2000: true, meridian: 111, scale: 0.9996, area: box(108, 10.43, 109.53, 21.56)},
		{code: 3857, name: "WGS 84 / Pseudo-Mercator", kind: webMercator, area: box(-180, -85.06, 180, 85.06)},
		{code: 4326, name: "WGS 84", latFirst: true, area: world},
		{code: 4756, name: "VN-2000", latFirst: true, vn2000: true, area: box(102.14, 8.33, 109.53, 23.4)},
		tm3(5896, "zone 481", 102, box(102.14, 9.2, 103.51, 22.82)),
		tm3(5897, "zone 482", 105, box(103.5, 8.33, 106.51, 23.4)),
		tm3(5898, "zone 491", 108, box(106.5, 8.57, 109.53, 22.95)),
		tm3(5899, "107-45", 107.75, box(106.43, 8.57, 108.76, 21.67)),
		tm3(9205, "103-00", 103, box(102.14, 20.89, 103.99, 22.82)),
		tm3(9206, "104-00", 104, box(103.21, 20.57, 105.03, 22.04)),
		tm3(9207, "104-30", 104.5, box(103.4, 8.33, 105.54, 10.55)),
		tm3(9208, "104-45", 104.75, box(103.53, 10.18, 105.86, 22.85)),
		tm3(9209, "105-30", 105.5, box(104.33, 9.19, 106.69, 23.4)),
		tm3(9210, "105-45", 105.75, box(105.26, 9.75, 107.8, 23.12)),
		tm3(9211, "106-00", 106, box(104.83, 16.92, 107.03, 22.7)),
		tm3(9212, "106-15", 106.25, box(106.41, 11.3, 107.43, 17.22)),
		tm3(9213, "106-30", 106.5, box(105.43, 21.32, 106.25, 22.75)),
		tm3(9214, "107-00", 107, box(105.88, 15.99, 108.24, 21.63)),
		tm3(9215, "107-15", 107.25, box(106.09, 21.32, 107.37, 22.47)),
		tm3(9216, "107-30", 107.5, box(107.33, 13.92, 108.55, 15.42)),
		tm3(9217, "108-15", 108.25, box(108.55, 11.25, 109.53, 14.71)),
		tm3(9218, "108-30", 108.5, box(107.2, 10.43, 109.52, 14.61)),
	}
}

// tm3 is one of the 3° provincial grids: scale 0.9999 at the given meridian.
func tm3(code int, zone string, meridianDeg float64, area orb.Bound) CRS {
	return CRS{code: code, name: "VN-2000 / TM-3 " + zone, kind: transverseMercator,
		vn2000: true, meridian: meridianDeg, scale: 0.9999, area: area}
}

func box(minLon, minLat, maxLon, maxLat float64) orb.Bound {
	return orb.Bound{Min: orb.Point{minLon, minLat}, Max: orb.Point{maxLon, maxLat}}
}
