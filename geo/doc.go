// Package geo is Hatang's spatial core: the vocabulary of postal and telecom
// infrastructure, measurements on the WGS 84 ellipsoid, and the VN-2000 grids.
//
// Everything here is a pure function of its arguments. Coordinates are always
// longitude, latitude in degrees on WGS 84 (EPSG:4326 axis order reversed, as in
// GeoJSON); lengths are metres, areas square metres, and the unit stands in the
// name of whatever carries it. Distances and areas are geodesic, never spherical
// and never taken in a projection that stretches them.
//
// Edges. Where something is measured (LengthM, AreaM2, coverage.Covered) the side
// of an area is the geodesic between its ends; where a point is located (Contains,
// Index, DistanceToBoundaryM) it is straight in longitude and latitude, as PostGIS
// geometry has it. For sides of 1 km the two differ by less than 1 cm. Areas are
// closed: their boundary belongs to them, and a point on a border that two units
// share belongs to the first of them in the order of their codes.
//
// Sub-packages hold the judgements: coverage (service radius, covered area),
// zoning (placement verdicts from rules that are data), sharing (who shares a mast).
package geo
