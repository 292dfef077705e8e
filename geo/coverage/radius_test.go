package coverage_test

import (
	"fmt"
	"math"
	"testing"

	"hatang/geo/coverage"
)

// officialAreaM2 is the official area of the province the plan computed with.
const officialAreaM2 = 9541.25e6

// The seven radii the plan states, and the three of 2020 by basis.
func TestMeanServiceRadiusOfThePlan(t *testing.T) {
	tests := []struct {
		name   string
		n      int
		wantKM float64 // as stated, two decimals
	}{
		{"postal points 2015", 134, 4.76},
		{"Vinaphone 2015", 230, 3.63},
		{"Mobifone 2015", 102, 5.46},
		{"Viettel 2015", 237, 3.58},
		{"Vietnamobile 2015", 41, 8.61},
		{"Sfone 2015", 3, 31.83},
		{"sites 2020, the plan's basis", 982, 1.76},
		{"2020 by position", 1093, 1.67},
		{"2020 by site", 847, 1.89},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, ok := coverage.MeanServiceRadiusM(officialAreaM2, coverage.PlanPi, tt.n)
			if got := math.Round(r/10) / 100; !ok || got != tt.wantKM {
				t.Errorf("r = %v m, %v; want %v km", r, ok, tt.wantKM)
			}
		})
	}
	if r, _ := coverage.MeanServiceRadiusM(officialAreaM2, math.Pi, 3); math.Round(r/10)/100 != 31.82 {
		t.Errorf("with the exact π the radius for 3 sites is %v m, want 31.82 km", r)
	}
}

func TestMeanServiceRadiusRefuses(t *testing.T) {
	for _, tt := range []struct {
		areaM2, pi float64
		n          int
	}{
		{0, 3.14, 1}, {-1, 3.14, 1}, {1, 0, 1}, {1, -3.14, 1}, {1, 3.14, 0}, {1, 3.14, -2},
		{math.NaN(), 3.14, 1}, {1, math.NaN(), 1}, {math.Inf(1), 3.14, 1}, {1, math.Inf(1), 1},
	} {
		if r, ok := coverage.MeanServiceRadiusM(tt.areaM2, tt.pi, tt.n); ok || r != 0 {
			t.Errorf("MeanServiceRadiusM(%v, %v, %v) = %v, %v; want 0, false", tt.areaM2, tt.pi, tt.n, r, ok)
		}
	}
}

func ExampleMeanServiceRadiusM() {
	radiusM, _ := coverage.MeanServiceRadiusM(9541.25e6, coverage.PlanPi, 237)
	fmt.Printf("%.1f m\n", radiusM)
	// Output: 3580.7 m
}
