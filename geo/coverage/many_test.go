package coverage

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
)

// nation is an invented country the size of Viet Nam's box: units in a grid whose
// shared borders wander, and discs three quarters of which crowd about seeds that
// themselves crowd about cities. The same for the same size.
func nation(columns, rows, discs int, radiusM float64) ([]orb.MultiPolygon, []Disc) {
	const west, south = 102.15, 8.45
	east, north := west+7.3*math.Sqrt(float64(columns*rows)/700), south+14.9*math.Sqrt(float64(columns*rows)/700)
	node := func(i, j int) orb.Point {
		return orb.Point{west + (east-west)*float64(i)/float64(columns), south + (north-south)*float64(j)/float64(rows)}
	}
	border := func(a, b orb.Point) []orb.Point {
		n := int(math.Hypot(b[0]-a[0], b[1]-a[1]) / 0.0018)
		phase := a[0]*7 + a[1]*13
		var out []orb.Point
		for k := range n {
			s := float64(k) / float64(n)
			off := 0.09 * s * (1 - s) * (math.Sin(12*s+phase) + 0.5*math.Sin(31*s+phase) + 0.2*math.Sin(97*s+phase))
			out = append(out, orb.Point{a[0] + s*(b[0]-a[0]) - off*(b[1]-a[1]), a[1] + s*(b[1]-a[1]) + off*(b[0]-a[0])})
		}
		return append(out, b)
	}
	backwards := func(line []orb.Point) []orb.Point {
		var out []orb.Point
		for i := len(line) - 1; i >= 0; i-- {
			out = append(out, line[i])
		}
		return out
	}
	var units []orb.MultiPolygon
	for i := range columns {
		for j := range rows {
			a, b, c, d := node(i, j), node(i+1, j), node(i+1, j+1), node(i, j+1)
			ring := append(orb.Ring{}, border(a, b)...)
			ring = append(ring, border(b, c)[1:]...)
			ring = append(ring, backwards(border(d, c))[1:]...)
			ring = append(ring, backwards(border(a, d))[1:]...)
			units = append(units, orb.MultiPolygon{{ring}})
		}
	}
	return units, crowd(discs, radiusM, orb.Bound{Min: orb.Point{west, south}, Max: orb.Point{east, north}})
}

func crowd(n int, radiusM float64, box orb.Bound) []Disc {
	r := rand.New(rand.NewPCG(2026, 11))
	anywhere := func() orb.Point {
		return orb.Point{box.Min[0] + r.Float64()*(box.Max[0]-box.Min[0]), box.Min[1] + r.Float64()*(box.Max[1]-box.Min[1])}
	}
	about := func(p orb.Point, spread float64) orb.Point {
		return orb.Point{min(max(p[0]+spread*r.NormFloat64(), box.Min[0]), box.Max[0]), min(max(p[1]+spread*r.NormFloat64(), box.Min[1]), box.Max[1])}
	}
	cities := make([]orb.Point, max(1, n*63/200000))
	for i := range cities {
		cities[i] = anywhere()
	}
	seeds := make([]orb.Point, max(1, n/20))
	for i := range seeds {
		seeds[i] = anywhere()
		if r.Float64() < 0.6 {
			u := r.Float64()
			seeds[i] = about(cities[int(u*u*float64(len(cities)))], 0.1+0.35*r.Float64())
		}
	}
	discs := make([]Disc, n)
	for i := range discs {
		discs[i] = Disc{anywhere(), radiusM}
		if r.Float64() < 0.75 {
			discs[i].Center = about(seeds[r.IntN(len(seeds))], 0.03*r.ExpFloat64())
		}
	}
	return discs
}

func TestCoveredManyAgainstCovered(t *testing.T) {
	units := boundaries(t, "dienbien_districts.geojson")
	units = append(units, boundaries(t, "dienbien_province.geojson")[0], nil, orb.MultiPolygon{{{}}}, square(dienBien, 300e3))
	box := units[0].Bound()
	for _, u := range units[:10] {
		box = box.Union(u.Bound())
	}
	for _, tt := range []struct {
		name         string
		n            int
		minM, maxM   float64
		units        int
		wantRelative float64
	}{{"alike", 600, 2000, 2000, len(units), ManyTolerance}, {"all sizes", 400, 1, 9000, len(units), ManyTolerance},
		{"some huge", 20, 100, 200e3, len(units), ManyTolerance}, {"none", 0, 1, 1, len(units), 0}} {
		t.Run(tt.name, func(t *testing.T) {
			discs := scatter(5, tt.n, box, tt.minM, tt.maxM)
			got, err := CoveredMany(units, discs)
			if err != nil {
				t.Fatal(err)
			}
			worst := 0.0
			for i, unit := range units {
				want, err := Covered(unit, discs)
				if err != nil {
					t.Fatal(err)
				}
				rel := math.Abs(got[i].CoveredM2-want.CoveredM2) / max(1, want.CoveredM2)
				worst = max(worst, rel)
				if rel > tt.wantRelative || math.Abs(got[i].AreaM2-want.AreaM2) > 2e-6*want.AreaM2 || got[i].Share > 1 {
					t.Errorf("unit %d: %+v, want %+v, relative %.2g", i, got[i], want, rel)
				}
			}
			t.Logf("worst relative difference %.2g", worst)
			rand.New(rand.NewPCG(1, 1)).Shuffle(len(discs), func(i, j int) { discs[i], discs[j] = discs[j], discs[i] })
			again, err := CoveredMany(units, append(discs, discs...))
			if err != nil {
				t.Fatal(err)
			}
			for i := range again {
				if again[i] != got[i] {
					t.Errorf("unit %d, shuffled and doubled: %+v, want %+v", i, again[i], got[i])
				}
			}
		})
	}
}

// Crowds, where most discs are covered all round.
func TestCoveredManyInACrowd(t *testing.T) {
	units, discs := nation(3, 2, 3000, 2000)
	got, err := CoveredMany(units, discs)
	if err != nil {
		t.Fatal(err)
	}
	for i, unit := range units {
		want, err := Covered(unit, discs)
		if err != nil {
			t.Fatal(err)
		}
		if rel := got[i].CoveredM2/want.CoveredM2 - 1; math.Abs(rel) > ManyTolerance {
			t.Errorf("unit %d: %+v, want %+v, relative %.2g", i, got[i], want, rel)
		}
	}
}

func TestCoveredManyAnywhere(t *testing.T) {
	for _, centre := range []orb.Point{{0, 0}, {179.99, 10}, {-180, -45}, {20, 80}, {0, 90}, {77, -89.9}} {
		unit := square(centre, 40e3)
		discs := scatter(1, 30, orb.Bound{Min: orb.Point{centre[0] - 0.3, max(-90, centre[1]-0.2)}, Max: orb.Point{centre[0] + 0.3, min(90, centre[1]+0.2)}}, 100, 5000)
		want, err := Covered(unit, discs)
		if err != nil {
			t.Fatal(err)
		}
		got, err := CoveredMany([]orb.MultiPolygon{unit}, discs)
		if err != nil || math.Abs(got[0].CoveredM2/want.CoveredM2-1) > ManyTolerance {
			t.Errorf("about %v: %+v, %v; want %+v", centre, got, err, want)
		}
	}
}

func TestCoveredManyRefuses(t *testing.T) {
	unit := square(dienBien, 1000)
	for _, tt := range []struct {
		units []orb.MultiPolygon
		discs []Disc
		want  error
	}{
		{[]orb.MultiPolygon{unit}, []Disc{{dienBien, -1}}, ErrRadius},
		{[]orb.MultiPolygon{unit, {{{{0, 0}, {math.NaN(), 1}, {1, 1}}}}}, nil, ErrNotOnEarth},
		{[]orb.MultiPolygon{{{{{-40, -40}, {40, -40}, {40, 40}, {-40, 40}}}}}, nil, ErrTooLarge},
		{nil, nil, nil},
	} {
		if _, err := CoveredMany(tt.units, tt.discs); !errors.Is(err, tt.want) {
			t.Errorf("error %v, want %v", err, tt.want)
		}
	}
}
