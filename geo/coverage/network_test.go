package coverage

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/paulmach/orb"
)

func centres(discs []Disc) []orb.Point {
	var out []orb.Point
	for _, d := range discs {
		out = append(out, d.Center)
	}
	return out
}

// A network answers as the functions do with all of its discs.
func TestNetworkAnswersAlike(t *testing.T) {
	units := boundaries(t, "dienbien_districts.geojson")
	discs := scatter(21, 300, boundaries(t, "dienbien_province.geojson")[0].Bound(), 100, 6000)
	discs = append(discs, Disc{orb.Point{-70, 10}, 1e5}, Disc{orb.Point{0, 89}, 3000})
	n, err := NewNetwork(discs)
	if err != nil {
		t.Fatal(err)
	}
	for _, centre := range []orb.Point{{179.99, 10}, {0, 0}, {77, -89.9}, {0, 90}, {-70, 10.5}} {
		units = append(units, square(centre, 40e3))
	}
	for i, unit := range append(units, nil) {
		covered, err1 := Covered(unit, discs)
		got, err2 := n.Covered(unit)
		if got != covered || !errors.Is(err2, err1) {
			t.Errorf("unit %d: covered %+v, %v; want %+v, %v", i, got, err2, covered, err1)
		}
		parts, err1 := Uncovered(unit, discs, 20)
		left, err2 := n.Uncovered(unit, 20)
		if !reflect.DeepEqual(left, parts) || !errors.Is(err2, err1) {
			t.Errorf("unit %d: other parts, %v; want %v", i, err2, err1)
		}
		stats, err1 := Distances(unit, centres(discs))
		far, err2 := n.Distances(unit)
		if far != stats || !errors.Is(err2, err1) {
			t.Errorf("unit %d: distances %+v, %v; want %+v, %v", i, far, err2, stats, err1)
		}
	}
	if _, err := NewNetwork([]Disc{{dienBien, -1}}); !errors.Is(err, ErrRadius) {
		t.Errorf("a negative radius: %v", err)
	}
	empty, err := NewNetwork(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := empty.Distances(units[0]); !errors.Is(err, ErrNoSites) {
		t.Errorf("no sites: %v", err)
	}
}

// everyUnit asks for every unit on all processors.
func everyUnit(b *testing.B, units []orb.MultiPolygon, ask func(orb.MultiPolygon) error) {
	var next atomic.Int64
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(units); i = int(next.Add(1)) - 1 {
				if err := ask(units[i]); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wait.Wait()
}

// extent is how many units, in columns and rows, and how many discs.
type extent struct{ columns, rows, discs int }

// nations are parts of a nation, each four times as large as the one before; whole is all of it.
var sixtyFourth, sixteenth, quarter, whole = extent{1, 11, 3125}, extent{4, 11, 12500}, extent{10, 17, 50000}, extent{20, 35, 200000}

func nations(b *testing.B, sizes []extent, run func(b *testing.B, units []orb.MultiPolygon, discs []Disc)) {
	for _, size := range sizes {
		units, discs := nation(size.columns, size.rows, size.discs, 2000)
		vertices := 0
		for _, u := range units {
			vertices += len(u[0][0])
		}
		b.Run(fmt.Sprintf("units=%d/discs=%d", len(units), size.discs), func(b *testing.B) {
			run(b, units, discs)
			b.ReportMetric(float64(vertices), "vertices")
		})
	}
}

func BenchmarkNationalCovered(b *testing.B) {
	nations(b, []extent{sixteenth, quarter, whole}, func(b *testing.B, units []orb.MultiPolygon, discs []Disc) {
		for b.Loop() {
			if _, err := CoveredMany(units, discs); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// Polygons take most of a minute for a whole nation: the rows go up to a quarter.
func BenchmarkNationalUncovered(b *testing.B) {
	nations(b, []extent{sixtyFourth, sixteenth, quarter}, func(b *testing.B, units []orb.MultiPolygon, discs []Disc) {
		for b.Loop() {
			n, err := NewNetwork(discs)
			if err != nil {
				b.Fatal(err)
			}
			everyUnit(b, units, func(u orb.MultiPolygon) error { _, err := n.Uncovered(u, 20); return err })
		}
	})
}

func BenchmarkNationalDistances(b *testing.B) {
	nations(b, []extent{sixtyFourth, sixteenth, quarter}, func(b *testing.B, units []orb.MultiPolygon, discs []Disc) {
		for b.Loop() {
			n, err := NewNetwork(discs)
			if err != nil {
				b.Fatal(err)
			}
			everyUnit(b, units, func(u orb.MultiPolygon) error { _, err := n.Distances(u); return err })
		}
	})
}
