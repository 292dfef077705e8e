package tiles

import (
	"strings"
	"testing"
)

// A layer of as many bytes as may be is shown whole; one byte more, and something is left
// out and it says so.
func TestALayerAtItsLimit(t *testing.T) {
	l := layerNamed(t, "bts_sites")
	// sized encodes two points, the name of one padded so that all takes so many bytes.
	sized := func(bytes int) (int, Result) {
		pad := bytes
		for {
			drawing := NewLayer(l, Fields(l, here.Z), here)
			for id := range int64(2) {
				row := rowOf(t, l, here, id+1, lonLat(here, float64(100+id), 200))
				for i, f := range Fields(l, here.Z) {
					if f.Name == "name" && id == 0 {
						row.Values[i] = []byte(strings.Repeat("x", pad))
					}
				}
				if err := drawing.Add(row); err != nil {
					t.Fatal(err)
				}
			}
			// What all takes is told by the encoder itself, without the limits.
			whole, err := drawing.encode(nil, drawing.features)
			if err != nil {
				t.Fatal(err)
			}
			if len(whole) == bytes {
				raw, result, err := drawing.Append(nil)
				if err != nil {
					t.Fatal(err)
				}
				return len(raw), result
			}
			pad += bytes - len(whole)
		}
	}
	for extra, shown := range map[int]int{-1: 2, 0: 2, 1: 1} {
		size, result := sized(MaxBytes + extra)
		if want := (Result{Rows: 2, Shown: shown, Truncated: shown < 2}); result != want || shown == 2 && size != MaxBytes+extra {
			t.Errorf("limit%+d: %d bytes, %+v, want %+v", extra, size, result, want)
		}
	}
}
