package coverage_test

import (
	"fmt"

	"github.com/paulmach/orb"

	"hatang/geo/coverage"
)

func ExampleCovered() {
	unit := orb.MultiPolygon{{{{103.0, 21.3}, {103.1, 21.3}, {103.1, 21.4}, {103.0, 21.4}, {103.0, 21.3}}}}
	r, err := coverage.Covered(unit, []coverage.Disc{
		{Center: orb.Point{103.03, 21.35}, RadiusM: 3000},
		{Center: orb.Point{103.06, 21.35}, RadiusM: 3000},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3f of %.3f km², %.1f %%\n", r.CoveredM2/1e6, r.AreaM2/1e6, 100*r.Share)
	// Output: 46.071 of 114.847 km², 40.1 %
}

func ExampleDistances() {
	unit := orb.MultiPolygon{{{{103.0, 21.3}, {103.1, 21.3}, {103.1, 21.4}, {103.0, 21.4}, {103.0, 21.3}}}}
	d, err := coverage.Distances(unit, []orb.Point{{103.03, 21.35}, {103.06, 21.35}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("at most %.3f m, at %.4f %.4f\n", d.MaxM, d.MaxAt[0], d.MaxAt[1])
	// Output: at most 6918.699 m, at 103.1000 21.3000
}

func ExampleUncovered() {
	unit := orb.MultiPolygon{{{{103.0, 21.3}, {103.1, 21.3}, {103.1, 21.4}, {103.0, 21.4}, {103.0, 21.3}}}}
	parts, err := coverage.Uncovered(unit, []coverage.Disc{{Center: orb.Point{103.05, 21.35}, RadiusM: 3000}}, 10)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(parts), "part with", len(parts[0])-1, "hole")
	// Output: 1 part with 1 hole
}
