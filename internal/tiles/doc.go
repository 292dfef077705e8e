// Package tiles makes Mapbox vector tiles of a layer's rows: which part of the world a
// tile is, what of a row is drawn in it, and the bytes. It does no I/O.
//
// A tile is a square of 4096 units; what lies up to 64 units around it belongs to it too,
// so that symbols and lines do not end at its edge. Every row keeps its id in every tile
// it is in. Shapes are simplified before they are cut, and on a grid that all tiles of a
// zoom share, so that the parts of a shape meet.
//
// What is too small to be drawn is thinned, never left out altogether: of the points and
// tiny shapes of a small cell the one with the lowest id is shown, a tiny area as a
// square, a tiny line as a dash. From zoom 14 on every point is there.
//
// Decided: an encoder of our own for all geometry types, because rows come as EWKB and
// nothing needs to be built from them; the geometry of a tile is not validated again
// after simplification, which drawing does not need.
package tiles
