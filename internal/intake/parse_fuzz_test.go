package intake

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func FuzzWKT(f *testing.F) {
	for _, text := range []string{"POINT (103 21)", "SRID=9205;LINESTRING Z (1 2 3, 4 5 6)", "MULTIPOLYGON (((0 0, 9 0, 9 9, 0 0)), EMPTY)", "MULTIPOINT ((1 2), 3 4)", "POINT ZM (1 2 3 4)", "POLYGON((0 0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		g, _, wrong := readWKT(text)
		if wrong != nil && g != nil {
			t.Errorf("%q is %v and wrong: %v", text, g, wrong)
		}
		if g != nil && (g.Stride() < 2 || len(g.FlatCoords())%g.Stride() != 0 || len(g.FlatCoords()) > 3*maxWKTPositions) {
			t.Errorf("%q has %d ordinates of %d", text, len(g.FlatCoords()), g.Stride())
		}
	})
}

func FuzzReading(f *testing.F) {
	f.Add([]byte(`{"columns":{"Mã xã":"code","Ghi chú":""},"separator":";","header_row":2}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := ParseReading(raw)
		if err != nil {
			return
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseReading(text)
		if d := cmp.Diff(r, again, cmpopts.EquateEmpty()); d != "" || err != nil {
			t.Errorf("%s: %v %s", raw, err, d)
		}
	})
}
