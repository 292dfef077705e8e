package tiles

import (
	"encoding/json"
	"math"
	"testing"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		z, x, y string
		want    Tile
		ok      bool
	}{
		{"0", "0", "0", Tile{}, true},
		{"12", "3219", "1803", Tile{12, 3219, 1803}, true},
		{"24", "16777215", "16777215", Tile{24, 16777215, 16777215}, true},
		{"25", "0", "0", Tile{}, false},
		{"1", "2", "0", Tile{}, false},
		{"1", "0", "2", Tile{}, false},
		{"01", "0", "0", Tile{}, false},
		{"1", "-1", "0", Tile{}, false},
		{"1", "+1", "0", Tile{}, false},
		{"x", "0", "0", Tile{}, false},
		{"1", "", "0", Tile{}, false},
		{"1", "4294967296", "0", Tile{}, false},
	} {
		if got, ok := Parse(tt.z, tt.x, tt.y); ok != tt.ok || ok && got != tt.want {
			t.Errorf("%s/%s/%s: %v, %v", tt.z, tt.x, tt.y, got, ok)
		}
	}
}

// The corners of a tile's box are its buffer's corners on the grid.
func TestBox(t *testing.T) {
	for _, tile := range []Tile{{5, 25, 14}, {12, 3219, 1803}, {24, 13183000, 7385000}} {
		b, g := tile.Box(), tile.grid()
		x0, y0 := g.at(b.Min[0], b.Max[1])
		x1, y1 := g.at(b.Max[0], b.Min[1])
		for _, d := range []float64{x0 + Buffer, y0 + Buffer, x1 - Extent - Buffer, y1 - Extent - Buffer} {
			if math.Abs(d) > 1e-3 {
				t.Errorf("%v: corners at %v %v, %v %v", tile, x0, y0, x1, y1)
			}
		}
	}
	if b := (Tile{}).Box(); b.Min[0] != -180 || b.Min[1] != -90 || b.Max[0] != 180 || b.Max[1] != 90 {
		t.Errorf("the world is %v", b)
	}
}

// The numbers of the standard's own document (OGC 17-083r4, annex D.1).
func TestMatrixSet(t *testing.T) {
	set := WebMercatorQuad()
	if len(set.TileMatrices) != MaxZoom+1 || set.ID != "WebMercatorQuad" || set.URI != MatrixSetURI {
		t.Fatalf("%d matrices of %s", len(set.TileMatrices), set.ID)
	}
	for z, want := range map[int][2]float64{0: {559082264.028717, 156543.033928041}, 12: {136494.693366386, 38.2185141425881}, 24: {33.3238997477006, 0.00933069192935307}} {
		m := set.TileMatrices[z]
		if math.Abs(m.ScaleDenominator/want[0]-1) > 1e-11 || math.Abs(m.CellSize/want[1]-1) > 1e-11 || m.MatrixWidth != 1<<z || m.MatrixHeight != 1<<z {
			t.Errorf("zoom %d: %+v", z, m)
		}
	}
	raw, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	var back map[string]any
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	first := back["tileMatrices"].([]any)[0].(map[string]any)
	for _, member := range []string{"id", "scaleDenominator", "cellSize", "pointOfOrigin", "tileWidth", "tileHeight", "matrixWidth", "matrixHeight"} {
		if _, ok := first[member]; !ok {
			t.Errorf("a matrix lacks %s", member)
		}
	}
}
