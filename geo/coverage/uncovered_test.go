package coverage

import (
	"errors"
	"math"
	"testing"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// The uncovered parts are valid, turn the right way, and have the area Covered leaves.
func TestUncoveredAgreesWithCovered(t *testing.T) {
	for i, unit := range boundaries(t, "dienbien_districts.geojson") {
		discs := scatter(uint64(i), 40, unit.Bound(), 500, 6000)
		want, err := Covered(unit, discs)
		if err != nil {
			t.Fatal(err)
		}
		for _, toleranceM := range []float64{0.5, 20} {
			got, err := Uncovered(unit, discs, toleranceM)
			if err != nil {
				t.Fatalf("district %d: %v", i, err)
			}
			checkParts(t, got)
			// Chords keep a whole disc's area; of an arc only its ends differ.
			slackM2 := float64(len(discs)*4)*toleranceM*toleranceM + 1e-6*toleranceM*want.AreaM2 + 1
			if diff := geo.AreaM2(got) - (want.AreaM2 - want.CoveredM2); math.Abs(diff) > slackM2 {
				t.Errorf("district %d to %v m: %.1f m² too much, of %.0f", i, toleranceM, diff, want.AreaM2-want.CoveredM2)
			}
			if again, err := Covered(got, discs); err != nil || again.CoveredM2 > toleranceM*geo.LengthM(got) {
				t.Errorf("district %d: %+v of the uncovered parts is covered, %v", i, again, err)
			}
		}
	}
}

func checkParts(t *testing.T, parts orb.MultiPolygon) {
	t.Helper()
	if err := planar(parts).Validate(); err != nil {
		t.Errorf("invalid: %v", err)
	}
	for _, p := range parts {
		for j, ring := range p {
			if ring[0] != ring[len(ring)-1] || (ring.Orientation() == orb.CCW) != (j == 0) {
				t.Errorf("ring %d is open or turns the wrong way", j)
			}
		}
	}
}

func TestUncoveredCases(t *testing.T) {
	unit := square(dienBien, 10e3)
	area := geo.AreaM2(unit)
	for _, tt := range []struct {
		name         string
		unit         orb.MultiPolygon
		discs        []Disc
		parts, rings int
		wantM2       float64
	}{
		{"no discs", unit, nil, 1, 1, area},
		{"all covered", unit, []Disc{{dienBien, 8e3}}, 0, 0, 0},
		{"a hole", unit, []Disc{{dienBien, 2e3}}, 1, 2, area - discAreaM2(Disc{dienBien, 2e3})},
		{"four corners", unit, []Disc{{dienBien, 6e3}}, 4, 4, -1},
		{"a unit of two parts", append(square(geo.Destination(dienBien, 90, 30e3), 10e3), unit...), []Disc{{dienBien, 8e3}}, 1, 1, -1},
		{"the same disc twice", unit, []Disc{{dienBien, 2e3}, {dienBien, 2e3}}, 1, 2, area - discAreaM2(Disc{dienBien, 2e3})},
		{"tangent discs", unit, []Disc{{geo.Destination(dienBien, 90, 1000), 1000}, {geo.Destination(dienBien, 270, 1000), 1000}}, -1, -1, -1},
		{"no area", orb.MultiPolygon{{{dienBien}}}, []Disc{{dienBien, 1}}, 0, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Uncovered(tt.unit, tt.discs, 1)
			if err != nil {
				t.Fatal(err)
			}
			checkParts(t, got)
			rings := 0
			for _, p := range got {
				rings += len(p)
			}
			if tt.parts >= 0 && (len(got) != tt.parts || rings != tt.rings) {
				t.Errorf("%d parts with %d rings, want %d with %d", len(got), rings, tt.parts, tt.rings)
			}
			if m2 := geo.AreaM2(got); tt.wantM2 >= 0 && math.Abs(m2-tt.wantM2) > 1e-6*area {
				t.Errorf("%.1f m² uncovered, want %.1f", m2, tt.wantM2)
			}
		})
	}
}

func TestUncoveredRefuses(t *testing.T) {
	bowTie := orb.MultiPolygon{{{{103, 21}, {103.1, 21.1}, {103.1, 21}, {103.02, 21.1}, {103, 21}}}}
	for _, tt := range []struct {
		name       string
		unit       orb.MultiPolygon
		discs      []Disc
		toleranceM float64
		want       error
	}{
		{"no tolerance", square(dienBien, 10), nil, 0, ErrTolerance},
		{"NaN tolerance", square(dienBien, 10), nil, math.NaN(), ErrTolerance},
		{"too fine for the disc", square(dienBien, 10), []Disc{{dienBien, 1e6}}, 0.09, ErrTolerance},
		{"NaN disc", square(dienBien, 10), []Disc{{dienBien, math.NaN()}}, 1, ErrRadius},
		{"a bow tie", bowTie, nil, 1, ErrShape},
	} {
		if _, err := Uncovered(tt.unit, tt.discs, tt.toleranceM); !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestPopulation(t *testing.T) {
	west, east := square(dienBien, 2e3), square(geo.Destination(dienBien, 90, 10e3), 2e3)
	discs := []Disc{{dienBien, 5e3}}
	half := Disc{middleOf(east[0][0][0], east[0][0][1]), 500}
	byArea, err := PopulationByArea([]SubUnit{{west, 1000}, {east, 500}, {nil, 0}}, append(discs, half))
	if err != nil {
		t.Fatal(err)
	}
	want := 1000 + 500*discAreaM2(half)/2/geo.AreaM2(east)
	if math.Abs(byArea.Covered-want) > 1e-5 || byArea.Total != 1500 || byArea.Share != byArea.Covered/1500 || byArea.Method != AreaWeighted {
		t.Errorf("by area %+v, want %v covered", byArea, want)
	}
	border := geo.Destination(dienBien, 45, 5e3)
	at, err := PopulationBySettlements([]Settlement{
		{dienBien, 100}, {border, 30}, {geo.Destination(dienBien, 45, 5000.001), 7}, {geo.Destination(dienBien, 0, 9e3), 3}},
		[]Disc{{dienBien, geo.DistanceM(dienBien, border)}, {dienBien, 10}})
	if err != nil || at != (Population{130, 140, 130.0 / 140, AtSettlements}) {
		t.Errorf("at settlements %+v, %v", at, err)
	}
	if none, err := PopulationByArea(nil, discs); err != nil || none != (Population{Method: AreaWeighted}) {
		t.Errorf("nobody: %+v, %v", none, err)
	}
	for _, err := range []error{
		second(PopulationByArea([]SubUnit{{west, -1}}, nil)), second(PopulationByArea([]SubUnit{{west, math.Inf(1)}}, nil)),
		second(PopulationBySettlements([]Settlement{{dienBien, math.NaN()}}, nil)),
	} {
		if !errors.Is(err, ErrPopulation) {
			t.Errorf("error %v", err)
		}
	}
	if _, err := PopulationByArea([]SubUnit{{nil, 3}}, nil); !errors.Is(err, ErrNowhere) {
		t.Errorf("people nowhere: %v", err)
	}
	if _, err := PopulationBySettlements([]Settlement{{orb.Point{0, 91}, 1}}, nil); !errors.Is(err, ErrNotOnEarth) {
		t.Errorf("people off the earth: %v", err)
	}
}

// By hand, commune by commune and settlement by settlement.
func TestPopulationByHand(t *testing.T) {
	units := boundaries(t, "dienbien_communes.geojson")
	box := units[0].Bound()
	var parts []SubUnit
	for i, u := range units {
		box = box.Union(u.Bound())
		parts = append(parts, SubUnit{u, float64(1000 + 37*i)})
	}
	discs := scatter(11, 300, box, 300, 6000)
	got, err := PopulationByArea(parts, discs)
	if err != nil {
		t.Fatal(err)
	}
	want, total := 0.0, 0.0
	for _, p := range parts {
		r, err := Covered(p.Shape, discs)
		if err != nil {
			t.Fatal(err)
		}
		want += p.Population * r.Share
		total += p.Population
	}
	if math.Abs(got.Covered-want) > ManyTolerance*want || got.Total != total || got.Share != got.Covered/total {
		t.Errorf("by area %+v, want %v of %v", got, want, total)
	}
	var settlements []Settlement
	want = 0
	for i, d := range scatter(12, 2000, box, 1, 1) {
		settlements = append(settlements, Settlement{d.Center, float64(i)})
		for _, e := range discs {
			if geo.DistanceM(e.Center, d.Center) <= e.RadiusM {
				want += float64(i)
				break
			}
		}
	}
	if got, err := PopulationBySettlements(settlements, discs); err != nil || got.Covered != want || got.Total != 1999*1000 {
		t.Errorf("by settlements %+v, %v; want %v", got, err, want)
	}
}

func second[T any](_ T, err error) error { return err }

func BenchmarkUncovered(b *testing.B) {
	unit := boundaries(b, "dienbien_districts.geojson")[1]
	discs := scatter(1, 100, unit.Bound(), 2000, 2000)
	for b.Loop() {
		if _, err := Uncovered(unit, discs, 10); err != nil {
			b.Fatal(err)
		}
	}
}
