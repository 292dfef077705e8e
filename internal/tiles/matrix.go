package tiles

import "strconv"

// The tile matrix set of all tiles.
const (
	MatrixSet    = "WebMercatorQuad"
	MatrixSetURI = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
	CRSURI       = "http://www.opengis.net/def/crs/EPSG/0/3857"
)

// TileMatrixSet is the document of OGC's Two Dimensional Tile Matrix Set 2.0.
type TileMatrixSet struct {
	ID                string       `json:"id"`
	Title             string       `json:"title"`
	URI               string       `json:"uri"`
	CRS               string       `json:"crs"`
	OrderedAxes       []string     `json:"orderedAxes"`
	WellKnownScaleSet string       `json:"wellKnownScaleSet"`
	TileMatrices      []TileMatrix `json:"tileMatrices"`
}

// TileMatrix is the grid of the tiles of one zoom. Sizes are metres of the projection.
type TileMatrix struct {
	ID               string     `json:"id"`
	ScaleDenominator float64    `json:"scaleDenominator"`
	CellSize         float64    `json:"cellSize"`
	CornerOfOrigin   string     `json:"cornerOfOrigin"`
	PointOfOrigin    [2]float64 `json:"pointOfOrigin"`
	TileWidth        int        `json:"tileWidth"`
	TileHeight       int        `json:"tileHeight"`
	MatrixWidth      int        `json:"matrixWidth"`
	MatrixHeight     int        `json:"matrixHeight"`
}

// WebMercatorQuad returns the matrix set of zooms 0 to MaxZoom, with the numbers of the
// standard's registry.
func WebMercatorQuad() TileMatrixSet {
	const (
		half  = 20037508.342789244 // metres from the middle to the edge
		cells = 256
		pixel = 0.00028 // metres of the standard's screen
	)
	set := TileMatrixSet{
		ID: MatrixSet, Title: "Google Maps Compatible for the World", URI: MatrixSetURI, CRS: CRSURI,
		OrderedAxes:       []string{"X", "Y"},
		WellKnownScaleSet: "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
	}
	for z := range MaxZoom + 1 {
		side := 1 << z
		size := 2 * half / cells / float64(side)
		set.TileMatrices = append(set.TileMatrices, TileMatrix{
			ID: strconv.Itoa(z), ScaleDenominator: size / pixel, CellSize: size,
			CornerOfOrigin: "topLeft", PointOfOrigin: [2]float64{-half, half},
			TileWidth: cells, TileHeight: cells, MatrixWidth: side, MatrixHeight: side,
		})
	}
	return set
}
