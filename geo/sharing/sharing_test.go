package sharing_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hatang/geo/sharing"
)

// operators lists sites with one operator and with two.
func operators(single, double int) []int {
	var out []int
	for range single {
		out = append(out, 1)
	}
	for range double {
		out = append(out, 2)
	}
	return out
}

// The counts of the plan: 613 positions of which 135 sites are shared by two, then
// 369 sites more, 111 of them shared.
func TestCountsOfThePlan(t *testing.T) {
	tests := []struct {
		name           string
		perSite        []int
		want           sharing.Count
		shared, tenant float64
	}{
		{"2015", operators(343, 135), sharing.Count{Sites: 478, SharedSites: 135, Positions: 613, SharedPositions: 270}, 0.2824, 1.2824},
		{"2016-2020 only", operators(258, 111), sharing.Count{Sites: 369, SharedSites: 111, Positions: 480, SharedPositions: 222}, 0.3008, 1.3008},
		{"2020", operators(343+258, 135+111), sharing.Count{Sites: 847, SharedSites: 246, Positions: 1093, SharedPositions: 492}, 0.2904, 1.2904},
		{"three on one", []int{3, 1, 0, -1}, sharing.Count{Sites: 2, SharedSites: 1, Positions: 4, SharedPositions: 3}, 0.5, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := sharing.CountOperators(tt.perSite)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			shared, _ := got.SharedSiteRatio().Value()
			tenancy, _ := got.TenancyRatio().Value()
			if math.Abs(shared-tt.shared) > 5e-5 || math.Abs(tenancy-tt.tenant) > 5e-5 {
				t.Errorf("shared-site ratio %v, tenancy ratio %v; want %v, %v", shared, tenancy, tt.shared, tt.tenant)
			}
		})
	}
}

func TestCountPositions(t *testing.T) {
	got := sharing.CountPositions([]sharing.Position{
		{"S1", "VNPT"}, {"S1", "VIETTEL"}, {"S1", "VNPT"}, // 2G and 3G of one operator
		{"S2", "VNPT"}, {"S2", "VNPT"},
		{"S3", "MOBIFONE"},
	})
	want := sharing.Count{Sites: 3, SharedSites: 1, Positions: 4, SharedPositions: 2}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRatioOfNothing(t *testing.T) {
	for _, c := range []sharing.Count{sharing.CountPositions(nil), sharing.CountOperators([]int{0})} {
		for _, r := range []sharing.Ratio{c.SharedSiteRatio(), c.TenancyRatio(), c.SharedPositionRatio()} {
			if v, ok := r.Value(); ok || v != 0 {
				t.Errorf("%v has the value %v", r, v)
			}
		}
	}
}

func TestRatioProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := sharing.CountOperators(rapid.SliceOfN(rapid.IntRange(1, 5), 1, 50).Draw(t, "operators"))
		shared, tenancy := c.SharedSiteRatio(), c.TenancyRatio()
		// Every site has an operator, every shared one two at least. Compared as counts, since the
		// quotients 11/6 and 1 + 5/6 differ in their last bit.
		if v, ok := shared.Value(); !ok || v < 0 || v > 1 ||
			tenancy.Denominator != shared.Denominator || tenancy.Numerator < shared.Denominator+shared.Numerator {
			t.Fatalf("%+v: shared-site ratio %v, tenancy ratio %v", c, shared, tenancy)
		}
	})
}

func ExampleCount_SharedSiteRatio() {
	c := sharing.CountOperators([]int{1, 2, 1, 3})
	r := c.SharedSiteRatio()
	v, _ := r.Value()
	fmt.Printf("%g of %g sites: %.2f\n", r.Numerator, r.Denominator, v)
	// Output: 2 of 4 sites: 0.50
}
