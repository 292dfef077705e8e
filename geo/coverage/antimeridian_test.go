package coverage

import (
	"math"
	"testing"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// Wherever the unit lies, the parts are valid, lie on the map from -180° to 180°, and
// have the area Covered leaves.
func TestUncoveredOnTheMap(t *testing.T) {
	disc := func(p orb.Point, azimuth, distanceM, radiusM float64) Disc {
		return Disc{geo.Destination(p, azimuth, distanceM), radiusM}
	}
	fiji, north, south := orb.Point{180, -17}, orb.Point{0, 90}, orb.Point{-60, -90}
	near := orb.Point{100, 89.2}
	split := orb.MultiPolygon{{{{179, -17}, {180, -17}, {180, -16}, {179, -16}, {179, -17}}}, {{{-180, -17}, {-179, -17}, {-179, -16}, {-180, -16}, {-180, -17}}}}
	for _, tt := range []struct {
		name  string
		unit  orb.MultiPolygon
		discs []Disc
		parts int
	}{
		{"no disc", square(fiji, 100e3), nil, 2},
		{"a hole on the antimeridian", square(fiji, 100e3), []Disc{disc(fiji, 0, 0, 20e3)}, 2},
		{"a hole beside it", square(fiji, 100e3), []Disc{disc(fiji, 90, 25e3, 20e3)}, 2},
		{"only corners left", square(fiji, 100e3), []Disc{disc(fiji, 0, 0, 52e3)}, 4},
		{"cut already", split, []Disc{disc(fiji, 0, 40e3, 20e3)}, 2},
		{"written past 180", orb.MultiPolygon{{{{179, -17}, {181, -17}, {181, -16}, {179, -16}, {179, -17}}}}, nil, 2},
		{"all on one side, past 180", orb.MultiPolygon{{{{190, -17}, {191, -17}, {191, -16}, {190, -16}, {190, -17}}}}, nil, 1},
		{"round the pole", square(north, 400e3), nil, 1},
		{"round the pole, a disc on it", square(north, 400e3), []Disc{disc(north, 0, 0, 50e3)}, 1},
		{"round the pole, a disc over it", square(south, 400e3), []Disc{disc(south, 90, 30e3, 50e3)}, 1},
		{"round the pole, a disc beside it", square(south, 400e3), []Disc{disc(south, 70, 80e3, 50e3)}, 1},
		{"beside the pole", square(near, 100e3), []Disc{{near, 20e3}}, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want, err := Covered(tt.unit, tt.discs)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Uncovered(tt.unit, tt.discs, 5)
			if err != nil {
				t.Fatal(err)
			}
			checkParts(t, got)
			if len(got) != tt.parts && tt.parts >= 0 {
				t.Errorf("%d parts, want %d", len(got), tt.parts)
			}
			if box := got.Bound(); box.Min[0] < -180 || box.Max[0] > 180 || box.Min[1] < -90 || box.Max[1] > 90 {
				t.Errorf("off the map: %v", box)
			}
			if rel := onMapM2(got)/(want.AreaM2-want.CoveredM2) - 1; math.Abs(rel) > 1e-5 {
				t.Errorf("area off by %.2g", rel)
			}
		})
	}
}

// onMapM2 is the area of what is drawn on the map, edges straight in degrees: strips
// of longitude measured on the ellipsoid by the integral of the authalic latitude.
func onMapM2(areas orb.MultiPolygon) float64 {
	radius2 := geo.EquatorialRadiusM * geo.EquatorialRadiusM / 2
	total := 0.0
	for _, polygon := range areas {
		for _, ring := range polygon {
			for i := 1; i < len(ring); i++ {
				a, b := ring[i-1], ring[i]
				const steps = 64
				for k := range steps {
					lat := a[1] + (b[1]-a[1])*(float64(k)+0.5)/steps
					total -= radians(b[0]-a[0]) / steps * radius2 * authalic(math.Sin(radians(lat)))
				}
			}
		}
	}
	return total
}
