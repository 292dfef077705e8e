// Package coverage measures how a network of sites serves a unit of territory:
// the mean service radius, which is an average and not coverage, and the area the
// sites' discs really cover.
//
// All distances and areas are geodesic, on the WGS 84 ellipsoid.
package coverage
