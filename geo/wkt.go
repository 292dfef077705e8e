package geo

import (
	"strconv"
	"strings"
)

// WKT returns the system's definition as well-known text (OGC 01-009, "WKT 1"), as files
// carry it: for VN-2000 with the seven parameters to WGS 84, so that a reader whose list
// of systems lacks EPSG:9205 still puts things in their place. CRS84 has EPSG:4326's.
func (c CRS) WKT() string {
	geographic := `GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],` + degreesWKT + `,AUTHORITY["EPSG","4326"]]`
	if c.vn2000 {
		geographic = `GEOGCS["VN-2000",DATUM["Vietnam_2000",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],` +
			`TOWGS84[-191.90441429,-39.30318279,-111.45032835,0.00928836,-0.01975479,0.00427372,0.252906278],AUTHORITY["EPSG","6756"]],` + degreesWKT + `,AUTHORITY["EPSG","4756"]]`
	}
	const metres = `UNIT["metre",1,AUTHORITY["EPSG","9001"]],AXIS["Easting",EAST],AXIS["Northing",NORTH]`
	authority := `,AUTHORITY["EPSG","` + strconv.Itoa(c.SRID()) + `"]]`
	switch c.kind {
	case webMercator:
		return `PROJCS["` + c.name + `",` + geographic + `,PROJECTION["Mercator_1SP"],PARAMETER["central_meridian",0],PARAMETER["scale_factor",1],` +
			`PARAMETER["false_easting",0],PARAMETER["false_northing",0],` + metres +
			`,EXTENSION["PROJ4","+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 +units=m +nadgrids=@null +wktext +no_defs"]` + authority
	case transverseMercator:
		number := func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
		return `PROJCS["` + c.name + `",` + geographic + `,PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],` +
			`PARAMETER["central_meridian",` + number(c.meridian) + `],PARAMETER["scale_factor",` + number(c.scale) + `],` +
			`PARAMETER["false_easting",` + number(falseEastingM) + `],PARAMETER["false_northing",0],` + metres + authority
	}
	return geographic
}

const degreesWKT = `PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST]`

// ESRI returns the system's definition in ESRI's dialect of well-known text, as the .prj
// of a Shapefile carries it: without codes, so that readers know systems by their names
// and parameters, and without a way to WGS 84, which they look up. CRS84 has EPSG:4326's.
func (c CRS) ESRI() string {
	geographic := `GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",` + ellipsoidESRI
	if c.vn2000 {
		geographic = `GEOGCS["GCS_VN_2000",DATUM["D_Vietnam_2000",` + ellipsoidESRI
	}
	if !c.Projected() {
		return geographic
	}
	name, ok := esriNames[c.code]
	if !ok {
		name = strings.NewReplacer(" / ", "_", " ", "_").Replace(c.name)
	}
	text := `PROJCS["` + name + `",` + geographic
	number := func(parameter string, x float64) {
		digits := strconv.FormatFloat(x, 'f', -1, 64)
		if !strings.Contains(digits, ".") {
			digits += ".0"
		}
		text += `,PARAMETER["` + parameter + `",` + digits + `]`
	}
	if c.kind == webMercator {
		text += `,PROJECTION["Mercator_Auxiliary_Sphere"]`
		for _, parameter := range []string{"False_Easting", "False_Northing", "Central_Meridian", "Standard_Parallel_1", "Auxiliary_Sphere_Type"} {
			number(parameter, 0)
		}
	} else {
		text += `,PROJECTION["Transverse_Mercator"]`
		number("False_Easting", falseEastingM)
		number("False_Northing", 0)
		number("Central_Meridian", c.meridian)
		number("Scale_Factor", c.scale)
		number("Latitude_Of_Origin", 0)
	}
	return text + `,UNIT["Meter",1.0]]`
}

const ellipsoidESRI = `SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]`

// esriNames are ESRI's own names; those of other systems are made of EPSG's.
var esriNames = map[int]string{
	3405: "VN_2000_UTM_Zone_48N", 3406: "VN_2000_UTM_Zone_49N", 3857: "WGS_1984_Web_Mercator_Auxiliary_Sphere",
	5896: "VN_2000_TM-3_zone_481", 5897: "VN_2000_TM-3_zone_482", 5898: "VN_2000_TM-3_zone_491", 5899: "VN_2000_TM-3_107-45",
}
