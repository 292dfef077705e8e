// Package coverage measures how a network of sites serves a unit of territory:
// the mean service radius, which is an average and not coverage; the area the
// sites' discs really cover, the people in it, and the parts left uncovered; and how
// far it is from anywhere in the unit to the nearest site.
//
// All distances and areas are geodesic, on the WGS 84 ellipsoid; the edges of units
// are geodesics.
//
// To get a district's figures by hand, with nothing of this package:
//
//   - mean service radius: √(S/(π·N)), S the official area in m², π as the plan
//     has it (3.14), N the sites or positions that count;
//   - covered area: for each site a polygon of points at its own radius, one every
//     few degrees of azimuth, on the ellipsoid; unite them, intersect with the unit,
//     take the geodesic area. With n points a disc falls short by (2π/n)²/6, and the
//     result comes to Covered's as n grows;
//   - covered share: that ÷ the geodesic area of the unit;
//   - covered population: for each commune population × covered share, added up
//     (area_weighted), or the people of the settlements in a disc (settlements);
//   - uncovered parts: the unit less the united polygons;
//   - distances: points spread evenly over the unit, from each the distance to the
//     nearest site, sorted: the middle one is the median, the one at 95 % the 95th
//     percentile, the last comes to the maximum as the points grow denser.
package coverage
