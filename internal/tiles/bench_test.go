package tiles

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paulmach/orb"

	"hatang/internal/layer"
)

// BenchmarkPoints draws tiles of 200 000 masts about towns, as dense as the nation's, in the
// order in which an index has them, which is none.
func BenchmarkPoints(b *testing.B) {
	l := layerNamed(b, "bts_sites")
	random := rand.New(rand.NewPCG(1, 2))
	var places []orb.Point
	for len(places) < 200_000 {
		town := orb.Point{102.5 + 6.5*random.Float64(), 8.5 + 14.5*random.Float64()}
		for range 400 {
			places = append(places, orb.Point{town[0] + 0.1*random.NormFloat64(), town[1] + 0.1*random.NormFloat64()})
		}
	}
	middle := slices.IndexFunc(places, func(p orb.Point) bool { return math.Hypot(p[0]-105.8, p[1]-16) < 0.5 })
	for _, zoom := range []uint32{6, 9, 12} {
		t := tileAt(zoom, places[middle])
		fields, box := Fields(l, zoom), t.Box()
		var rows []*layer.Row
		for i, p := range places {
			if box.Contains(p) {
				row := &layer.Row{ID: int64(i + 1), Geometry: ewkbOf(b, p), Values: make([][]byte, len(fields))}
				for k, f := range fields {
					if f.Kind == layer.Text {
						row.Values[k] = fmt.Appendf(nil, "%s %d", f.Name, random.IntN(1+100*k))
					}
				}
				rows = append(rows, row)
			}
		}
		random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		b.Run(fmt.Sprintf("z%d", zoom), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e := NewLayer(l, fields, t)
				for _, row := range rows {
					if err := e.Add(row); err != nil {
						b.Fatal(err)
					}
				}
				if _, _, err := e.Append(nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(rows)), "rows")
		})
	}
}

// tileAt is the tile of a zoom that a place lies in.
func tileAt(zoom uint32, p orb.Point) Tile {
	side := float64(uint64(1) << zoom)
	y := math.Asinh(math.Tan(p[1] * math.Pi / 180))
	return Tile{zoom, uint32((p[0] + 180) / 360 * side), uint32((1 - y/math.Pi) / 2 * side)}
}
