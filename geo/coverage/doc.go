// Package coverage measures how a network of sites serves a unit of territory:
// the mean service radius, which is an average and not coverage; the area the
// sites' discs really cover, the people in it, and the parts left uncovered; and how
// far it is from anywhere in the unit to the nearest site.
//
// All distances and areas are geodesic, on the WGS 84 ellipsoid; the edges of units
// are geodesics. Units may lie across the antimeridian or round a pole. For many units
// of one network, NewNetwork sorts the discs once; CoveredMany is the fastest, to 1e-4.
//
// To get a district's figures by hand, with nothing of this package:
//
//   - mean service radius: √(S/(π·N)), S the official area in m², π as the plan
//     has it (3.14), N the sites or positions that count;
//   - covered area: for each site a polygon of points at its own radius, one every
//     few degrees of azimuth, on the ellipsoid; unite them, intersect with the unit,
//     take the geodesic area. With n points a disc falls short by (2π/n)²/6, and the
//     result comes to Covered's as n grows, sixteen times nearer for four times as
//     many. In PostGIS the points are ST_Project's; ST_Buffer(geography) works in a
//     map projection (UTM), whose metres are up to 1e-3 longer or shorter, and its areas
//     stay as far off however fine the segments;
//   - covered share: that ÷ the geodesic area of the unit;
//   - covered population: for each commune population × covered share, added up
//     (area_weighted), or the people of the settlements in a disc (settlements);
//   - uncovered parts: the unit less the united polygons;
//   - distances: points spread evenly over the unit, from each the distance to the
//     nearest site, sorted: the middle one is the median, the one at 95 % the 95th
//     percentile, the last comes to the maximum as the points grow denser.
//
// What is finite and on earth is answered in time that grows with the vertices and
// discs, and the pairs of discs that overlap, whatever its extent. What cannot be
// answered is an error: ErrTooLarge, ErrShape, ErrIntricate and those of the arguments.
package coverage
