package tiles

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"hatang/internal/layer"
)

// Features in the order of their ids are what sorting makes of them, whatever the ids.
func TestInTheOrderOfIDs(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	var spare []feature
	for range 200 {
		var features []feature
		bits := 1 + random.IntN(63)
		for n := range random.IntN(3000) {
			id := random.Int64() >> (63 - bits)
			if bits > 40 && n%2 > 0 {
				id = -id
			}
			features = append(features, feature{id: id, from: uint32(n)})
		}
		want := slices.SortedStableFunc(slices.Values(features), func(a, b feature) int { return cmp.Compare(a.id, b.id) })
		var got []feature
		got, spare = byID(features, spare)
		if !slices.EqualFunc(got, want, func(a, b feature) bool { return a.id == b.id }) {
			t.Fatalf("%d features of ids of %d bits are in no order", len(got), bits)
		}
	}
}

// Numbers at cells are those that were set, until they are cleared.
func TestNumbersAtCells(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 14))
	var c cells
	for _, side := range []int32{8, 16, 32, 64, 8192} {
		want := map[cell]int32{}
		for n := range int32(20_000) {
			at := cell{random.Int32N(Extent+2*Buffer) - Buffer, random.Int32N(Extent+2*Buffer) - Buffer}
			in := cell{(at.x + Buffer) / side, (at.y + Buffer) / side}
			if held := c.of(at, side); *held != want[in] {
				t.Fatalf("%d at %v of side %d, want %d", *held, at, side, want[in])
			} else if *held == 0 {
				*held, want[in] = n+1, n+1
			}
		}
		c.clear()
	}
}

// A tile is the same whatever was drawn in its workspace before it, and whoever draws beside it.
func TestWorkspacesLeaveNothingInACrowd(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 16))
	type drawing struct {
		of   *layer.Layer
		tile Tile
		rows []*layer.Row
		want []byte
	}
	draw := func(d *drawing) []byte {
		e := NewLayer(d.of, Fields(d.of, d.tile.Z), d.tile)
		for _, row := range d.rows {
			if err := e.Add(row); err != nil {
				t.Error(err)
			}
		}
		raw, _, err := e.Append(nil)
		if err != nil {
			t.Error(err)
		}
		return raw
	}
	var all []*drawing
	for i, name := range []string{"bts_sites", "communes", "bts_sites", "communes"} {
		d := &drawing{of: layerNamed(t, name), tile: here}
		for id := range int64(10 + 300*i) {
			x, y := random.Float64()*Extent, random.Float64()*Extent
			g := ewkbOf(t, lonLat(here, x, y))
			if name == "communes" {
				g = ewkbOf(t, wobbly(random, here, x, y, 200, 30))
			}
			row := &layer.Row{ID: id + 1, Geometry: g, Values: make([][]byte, len(Fields(d.of, here.Z)))}
			for k, f := range Fields(d.of, here.Z) {
				if f.Kind == layer.Text {
					row.Values[k] = []byte{byte('a' + random.IntN(20)), byte('a' + random.IntN(20))}
				}
			}
			d.rows = append(d.rows, row)
		}
		d.want = draw(d)
		all = append(all, d)
	}
	var crowd sync.WaitGroup
	for worker := range 4 {
		crowd.Go(func() {
			for i := range 40 {
				if d := all[(i*7+worker)%len(all)]; !bytes.Equal(draw(d), d.want) {
					t.Errorf("%d rows of %s are another tile in a used workspace", len(d.rows), d.of.Name)
				}
			}
		})
	}
	crowd.Wait()
}
