package tiles

import (
	"math"
	"strconv"

	"github.com/paulmach/orb"
)

const (
	// MaxZoom is the last zoom there are tiles of.
	MaxZoom = 24
	// Extent is the side of a tile in its own units.
	Extent = 4096
	// Buffer is what a tile holds around its square, units.
	Buffer = 64
)

// Tile is the address of a tile: zoom, column from the west, row from the north.
type Tile struct{ Z, X, Y uint32 }

// Parse reads the three parts of a tile's address; false for what is no tile of the set.
func Parse(z, x, y string) (Tile, bool) {
	zoom, ok := whole(z)
	if !ok || zoom > MaxZoom {
		return Tile{}, false
	}
	column, okX := whole(x)
	row, okY := whole(y)
	side := uint32(1) << zoom
	return Tile{zoom, column, row}, okX && okY && column < side && row < side
}

// whole reads a number as it is written in addresses: digits, no sign, no zeros in front.
func whole(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil && strconv.FormatUint(n, 10) == s
}

// Box is the tile with its buffer in longitude and latitude, within the world.
func (t Tile) Box() orb.Bound {
	side := float64(uint64(1) << t.Z)
	const margin = float64(Buffer) / Extent
	lon := func(x float64) float64 { return max(-180, min(180, x/side*360-180)) }
	lat := func(y float64) float64 {
		if y <= 0 {
			return 90 // the map ends at 85°, and what lies beyond is drawn at its edge
		}
		if y >= side {
			return -90
		}
		return math.Atan(math.Sinh(math.Pi*(1-2*y/side))) * 180 / math.Pi
	}
	x, y := float64(t.X), float64(t.Y)
	return orb.Bound{
		Min: orb.Point{lon(x - margin), lat(y + 1 + margin)},
		Max: orb.Point{lon(x + 1 + margin), lat(y - margin)},
	}
}

// grid takes longitude and latitude to the units of a tile.
type grid struct {
	perDegree float64 // units in a degree of longitude
	side      float64 // units around the world
	x, y      float64 // the tile's corner
}

func (t Tile) grid() grid {
	side := float64(uint64(Extent) << t.Z)
	return grid{side / 360, side, float64(t.X) * Extent, float64(t.Y) * Extent}
}

// maxLatitude is where the square map of the world ends.
const maxLatitude = 85.05112877980659

// at returns a place in units of the tile, y downwards.
func (g *grid) at(lon, lat float64) (x, y float64) {
	lat = max(-maxLatitude, min(maxLatitude, lat))
	s := math.Sin(lat * (math.Pi / 180))
	return (lon+180)*g.perDegree - g.x, (0.5-math.Log((1+s)/(1-s))/(4*math.Pi))*g.side - g.y
}
