package sharing

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/tidwall/rtree"

	"hatang/geo"
)

// Mast is an existing or planned mast as sharing looks at it.
type Mast struct {
	ID        int64
	Code      string
	Point     orb.Point // lon/lat
	HeightM   *float64  // above ground; nil when it is not known
	Status    string    // existing, planned, …: a rule says which ones count
	Operators []string  // who is on it, in any order
}

// The errors of Candidates and Clusters.
var (
	ErrNotOnEarth = errors.New("a coordinate is not finite or its latitude is outside ±90°")
	ErrDistance   = errors.New("a distance is not a number from 0 up")
)

func checked(distanceM float64, masts []Mast) error {
	if !(distanceM >= 0 && distanceM <= math.MaxFloat64) {
		return ErrDistance
	}
	for i := range masts {
		if !onEarth(masts[i].Point) {
			return ErrNotOnEarth
		}
	}
	return nil
}

func onEarth(p orb.Point) bool {
	return math.Abs(p[0]) <= math.MaxFloat64 && math.Abs(p[1]) <= 90
}

// distinct returns the different operators, sorted, leaving the list given alone.
func distinct(operators []string) []string {
	out := slices.Clone(operators)
	slices.Sort(out)
	return slices.Compact(out)
}

func byID(a, b *Mast) int {
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Code, b.Code),
		cmp.Compare(a.Point[0], b.Point[0]), cmp.Compare(a.Point[1], b.Point[1]))
}

// nearby finds masts by place.
type nearby struct{ index rtree.RTreeG[int] }

func newNearby(masts []Mast) *nearby {
	n := &nearby{}
	for i := range masts {
		p := normal(masts[i].Point)
		n.index.Insert(p, p, i)
	}
	return n
}

// each calls yield with every mast at most this far from p, and with some that are farther.
func (n *nearby) each(p orb.Point, distanceM float64, yield func(i int)) {
	for _, box := range boxes(normal(p), distanceM) {
		n.index.Search(box.Min, box.Max, func(_, _ [2]float64, i int) bool {
			yield(i)
			return true
		})
	}
}

// boxes hold every point at most this far from p: two where the antimeridian lies
// between. A degree of latitude is at least 110 574 m; the longitudes reach to
// asin(sin r / cos latitude), the r enlarged by half a percent for the ellipsoid.
func boxes(p orb.Point, distanceM float64) []orb.Bound {
	lat := distanceM / 110574 * 1.000001
	low, high := max(-90, p[1]-lat), min(90, p[1]+lat)
	all := []orb.Bound{{Min: orb.Point{-180, low}, Max: orb.Point{180, high}}}
	angle := distanceM / geo.EquatorialRadiusM * 1.01
	if angle > 1 || low == -90 || high == 90 {
		return all
	}
	sin := math.Sin(angle) / math.Cos(p[1]*math.Pi/180)
	if sin >= 1 {
		return all
	}
	lon := math.Asin(sin)*180/math.Pi + 1e-9
	box := orb.Bound{Min: orb.Point{p[0] - lon, low}, Max: orb.Point{p[0] + lon, high}}
	out := []orb.Bound{box}
	for _, turn := range []float64{-360, 360} {
		if box.Min[0]+turn <= 180 && box.Max[0]+turn >= -180 {
			out = append(out, orb.Bound{Min: orb.Point{box.Min[0] + turn, low}, Max: orb.Point{box.Max[0] + turn, high}})
		}
	}
	return out
}

// normal brings the longitude to [-180, 180).
func normal(p orb.Point) orb.Point {
	lon := math.Remainder(p[0], 360)
	if lon == 180 {
		lon = -180
	}
	return orb.Point{lon, p[1]}
}
