// Package formats reads and writes the files and bodies in which features travel.
// GeoJSON is written straight from the database's bytes, without a geometry object
// between, because a layer of 10⁶ features passes here on every full read.
package formats
