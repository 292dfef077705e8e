package intake

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// Sample is the points of a file in its own numbers: how many there are, their bounds, and
// some of them, evenly spread over the file. Its memory does not grow with the file.
type Sample struct {
	count  int64
	bound  orb.Bound
	most   int
	stride int64 // each of so many is kept
	kept   []sampled
}

// sampled is a point that is kept, with the code of its row.
type sampled struct {
	at   orb.Point
	code string
}

// sampleSize is how many points are kept at least, where there are so many.
const sampleSize = 500

// NewSample makes an empty one.
func NewSample() *Sample { return &Sample{most: 2 * sampleSize, stride: 1} }

// Add takes a point, with the code of its row or "". Points that are not finite are left aside.
func (s *Sample) Add(p orb.Point, code string) {
	if math.IsNaN(p[0]+p[1]) || math.IsInf(p[0]+p[1], 0) {
		return
	}
	if s.count == 0 {
		s.bound = p.Bound()
	}
	s.bound = s.bound.Extend(p)
	if s.count%s.stride == 0 {
		s.kept = append(s.kept, sampled{p, code})
	}
	s.count++
	if len(s.kept) < s.most {
		return
	}
	half := s.kept[:0]
	for i := 0; i < len(s.kept); i += 2 {
		half = append(half, s.kept[i])
	}
	s.kept, s.stride = half, 2*s.stride
}

// Count is how many points there are.
func (s *Sample) Count() int64 { return s.count }

// Bound is the bounds of all points, in the file's own numbers.
func (s *Sample) Bound() orb.Bound { return s.bound }

// Axis is the order of a file's two numbers.
type Axis string

// The orders.
const (
	EastFirst  Axis = "xy" // east, north: x is the first
	NorthFirst Axis = "yx" // north, east, as surveyors have X and Y, and latitude and longitude
)

// inOrder brings a point of the file to east, north.
func (a Axis) inOrder(p orb.Point) orb.Point {
	if a == NorthFirst {
		return orb.Point{p[1], p[0]}
	}
	return p
}

// Reading is one way to understand the numbers of a file.
type Reading struct {
	CRS  string `json:"crs"`
	Name string `json:"name"`
	Axis Axis   `json:"axis"`
	// InsideRatio is the share of points that lie in the territory with its margin.
	InsideRatio float64 `json:"inside_ratio"`
	// InUseRatio is the share of points that lie where the system is used.
	InUseRatio float64 `json:"in_use_ratio"`
	// MedianDistanceM is how far the median of the points is from the territory's centre.
	MedianDistanceM float64 `json:"median_distance_m"`
	Fits            bool    `json:"fits"`             // as well as any, and most points
	Offset          *Offset `json:"offset,omitempty"` // from known places, where there are enough

	crs geo.CRS
}

// Offset is how far points are from where they are known to be, as a whole.
type Offset struct {
	Points    int     `json:"points"` // that are known
	EastM     float64 `json:"east_m"` // medians
	NorthM    float64 `json:"north_m"`
	DistanceM float64 `json:"distance_m"` // the length of these
	SpreadM   float64 `json:"spread_m"`   // median distance of single points from that
	// WithoutShiftM is what is left where the numbers are taken to have been made without
	// the shift between VN-2000 and WGS 84.
	WithoutShiftM float64 `json:"without_shift_m"`
	// Systematic: the points are off as one, and not each in its own way.
	Systematic bool `json:"systematic"`
	// ShiftForgotten: the offset is one and the same for the points, and goes away so.
	ShiftForgotten bool `json:"shift_forgotten"`
}

// knownPoints is how many points must be known for an offset to be measured.
const knownPoints = 3

// fitShare is the share of points inside that a reading must have, and fitOfBest how much of
// that of the best reading.
const (
	fitShare  = 0.5
	fitOfBest = 0.9
)

// tellingM is within how much a reading must put points, as a whole and each by itself, on
// their known places to be the one, and by how much farther off others are not: a quarter of what a
// forgotten shift makes. Where no reading does, known places rule nothing out: they may be
// no more than centres of communes.
const tellingM = 60

// Readings tries every system in both orders of axes, and returns those that put some point
// inside the territory, the best first, and the declared one in any case. known returns where the
// row with a code is known to lie; nil where nothing is known.
//
// A box cannot tell VN-2000 from WGS 84, 222.7 m apart here: EPSG:4756 is a reading of its
// own only where it is declared, and whether the shift has been forgotten is measured
// against known places. OGC:CRS84 is EPSG:4326 here.
// Cost: 46 readings of up to a thousand points, some 0.1 s.
func (s *Sample) Readings(t Territory, declared *geo.CRS, known func(code string) (orb.Point, bool)) []Reading {
	readings := []Reading{}
	for _, crs := range geo.CRSs() {
		isDeclared := declared != nil && same(crs, *declared)
		if crs.Code() == 0 || crs.Code() == 4756 && !isDeclared {
			continue
		}
		for _, axis := range []Axis{EastFirst, NorthFirst} {
			r := s.reading(crs, axis, &t)
			if r.InsideRatio > 0 {
				r.Offset = s.offset(&r, known)
			}
			if r.InsideRatio > 0 || isDeclared && axis == EastFirst {
				readings = append(readings, r)
			}
		}
	}
	return rank(readings)
}

// same reports whether two systems are one: CRS84 is EPSG:4326 here.
func same(a, b geo.CRS) bool { return a.SRID() == b.SRID() }

// rank orders readings and says which fit.
func rank(readings []Reading) []Reading {
	best, nearest, found := 0.0, math.Inf(1), false
	for i := range readings {
		best = max(best, readings[i].InsideRatio)
		if o := readings[i].Offset; o != nil {
			nearest = min(nearest, o.least())
			found = found || o.least() <= tellingM && o.SpreadM <= tellingM
		}
	}
	for i := range readings {
		r := &readings[i]
		r.Fits = r.InsideRatio >= fitShare && r.InsideRatio >= fitOfBest*best && (!found || r.Offset == nil || r.Offset.least() <= nearest+tellingM)
	}
	fitting := map[bool]int{true: 0, false: 1}
	slices.SortStableFunc(readings, func(a, b Reading) int {
		return cmp.Or(cmp.Compare(fitting[a.Fits], fitting[b.Fits]), cmp.Compare(b.InsideRatio, a.InsideRatio),
			cmp.Compare(b.InUseRatio, a.InUseRatio), cmp.Compare(a.MedianDistanceM, b.MedianDistanceM))
	})
	return readings
}

// reading measures the sample as one system has it.
func (s *Sample) reading(crs geo.CRS, axis Axis, t *Territory) Reading {
	r := Reading{CRS: crs.String(), Name: crs.Name(), Axis: axis, MedianDistanceM: -1, crs: crs}
	reach, use := t.reach(), crs.AreaOfUse()
	var lons, lats []float64
	inside, inUse := 0, 0
	for _, k := range s.kept {
		p, err := crs.Inverse(axis.inOrder(k.at))
		if err != nil {
			continue // no place on earth, and so not inside
		}
		lons, lats = append(lons, p[0]), append(lats, p[1])
		if reach.Contains(p) {
			inside++
		}
		if use.Contains(p) {
			inUse++
		}
	}
	if len(lons) == 0 {
		return r
	}
	n := float64(len(s.kept))
	r.InsideRatio, r.InUseRatio = float64(inside)/n, float64(inUse)/n
	r.MedianDistanceM = geo.DistanceM(orb.Point{median(lons), median(lats)}, t.Bound.Center())
	return r
}

// median sorts its argument.
func median(x []float64) float64 {
	slices.Sort(x)
	if n := len(x); n%2 == 0 {
		return (x[n/2-1] + x[n/2]) / 2
	}
	return x[len(x)/2]
}

// least is the distance that is left, the shift having been forgotten or not.
func (o *Offset) least() float64 {
	if o.ShiftForgotten {
		return o.WithoutShiftM
	}
	return o.DistanceM
}

// offset measures a reading against known places; nil where too few are known.
func (s *Sample) offset(r *Reading, known func(code string) (orb.Point, bool)) *Offset {
	if known == nil {
		return nil
	}
	var asIs, unshifted [2][]float64
	for _, k := range s.kept {
		place, ok := known(k.code)
		if k.code == "" || !ok {
			continue
		}
		p, err := r.crs.Inverse(r.Axis.inOrder(k.at))
		if err != nil {
			continue
		}
		q, err := withoutShift(r.crs, p)
		if err != nil {
			continue
		}
		for _, v := range []struct {
			of *[2][]float64
			p  orb.Point
		}{{&asIs, p}, {&unshifted, q}} {
			east, north := vector(place, v.p)
			v.of[0], v.of[1] = append(v.of[0], east), append(v.of[1], north)
		}
	}
	if len(asIs[0]) < knownPoints {
		return nil
	}
	o := &Offset{Points: len(asIs[0])}
	o.EastM, o.NorthM, o.SpreadM = middle(asIs)
	o.DistanceM = math.Hypot(o.EastM, o.NorthM)
	e, n, _ := middle(unshifted)
	o.WithoutShiftM = math.Hypot(e, n)
	o.Systematic = o.DistanceM > tellingM && o.SpreadM < o.DistanceM/3
	o.ShiftForgotten = o.Systematic && o.DistanceM > 100 && o.DistanceM < 400 && o.WithoutShiftM < o.DistanceM/3
	return o
}

// middle is the medians of vectors, and the median distance from these.
func middle(v [2][]float64) (east, north, spread float64) {
	east, north = median(slices.Clone(v[0])), median(slices.Clone(v[1]))
	away := make([]float64, len(v[0]))
	for i := range away {
		away[i] = math.Hypot(v[0][i]-east, v[1][i]-north)
	}
	return east, north, median(away)
}

// vector is how far b is from a to the east and to the north, metres.
func vector(a, b orb.Point) (east, north float64) {
	d := geo.DistanceM(a, b)
	sin, cos := math.Sincos(geo.AzimuthDeg(a, b) * math.Pi / 180)
	return d * sin, d * cos
}

// withoutShift takes a place that a system gives to where it is if the numbers were made
// without the shift between the datums: of a VN-2000 system, from WGS 84 as if it were VN-2000;
// of WGS 84, from VN-2000 as if it were WGS 84.
func withoutShift(crs geo.CRS, p orb.Point) (orb.Point, error) {
	vn2000, _ := geo.LookupCRS(4756)
	if crs.Code() == 0 || crs.Code() == 4326 || crs.Code() == 3857 {
		return vn2000.Inverse(p)
	}
	return vn2000.Forward(p)
}
