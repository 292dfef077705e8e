package coverage

import (
	"errors"
	"fmt"
	"math"

	"github.com/paulmach/orb"
	"github.com/peterstace/simplefeatures/geom"

	"hatang/geo"
)

// MinToleranceM is the finest tolerance Uncovered takes, metres, and MinTolerance the
// finest as a share of the largest radius: a disc has 5 700 corners at most.
const (
	MinToleranceM = 1e-3
	MinTolerance  = 1e-7
)

// The errors of Uncovered besides those of Covered.
var (
	ErrTolerance = fmt.Errorf("the tolerance is not a number from %v m up, or less than %v of a radius", MinToleranceM, MinTolerance)
	ErrShape     = errors.New("the unit's rings cross or touch where they may not")
)

// Uncovered returns the parts of a unit that no disc covers, as polygons: outer
// rings anticlockwise, holes clockwise, closed (RFC 7946). Arcs become chords that
// stray at most toleranceM from them, half as many metres outside as inside so that
// a disc keeps its area; hence the parts' area is Covered's AreaM2 − CoveredM2 to
// far less than toleranceM times the length of their border. Parts and holes
// smaller than a square of toleranceM are left out. Everything covered gives nil.
//
// Parts across the antimeridian are cut there (RFC 7946, section 3.1.9), so that
// longitudes lie within ±180°. A part round a pole is cut along the antimeridian too
// and closed over the pole's edge of the map, from (180, ±90) to (-180, ±90).
//
// A unit whose rings cross themselves or each other is ErrShape; other errors are
// those of Covered. Cost: about 0.2 ms per disc at 10 m, growing with 1/√toleranceM.
func Uncovered(unit orb.MultiPolygon, discs []Disc, toleranceM float64) (orb.MultiPolygon, error) {
	if !(toleranceM >= MinToleranceM && toleranceM <= math.MaxFloat64) {
		return nil, ErrTolerance
	}
	if err := validate(unit, discs); err != nil {
		return nil, err
	}
	for i, d := range discs {
		if d.RadiusM*MinTolerance > toleranceM {
			return nil, fmt.Errorf("disc %d: %w", i, ErrTolerance)
		}
	}
	areaM2 := geo.AreaM2(unit)
	if !(areaM2 > 0) {
		return nil, nil
	}
	t, err := newTerritory(unit, areaM2, toleranceM/1000)
	if err != nil {
		return nil, err
	}
	whole, err := t.geometry()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrShape, err)
	}
	var parts []geom.Geometry
	for _, c := range t.needed(t.curves(discs), toleranceM) {
		parts = append(parts, c.polygon(toleranceM).AsGeometry())
	}
	covered, err := geom.UnionMany(parts)
	if err != nil {
		return nil, fmt.Errorf("uniting the discs: %w", err)
	}
	left, err := geom.Difference(whole, covered)
	if err != nil {
		return nil, fmt.Errorf("taking the discs from the unit: %w", err)
	}
	return cutAtAntimeridian(t.lonLats(left, toleranceM))
}

// geometry is the unit in the plane, united where its parts touch.
func (t *territory) geometry() (geom.Geometry, error) {
	var polygons []geom.Geometry
	for _, polygon := range t.flat {
		var rings []geom.LineString
		for _, r := range polygon {
			if len(r) > 3 {
				rings = append(rings, lineString(r))
			}
		}
		p := geom.NewPolygon(rings)
		if err := p.Validate(); err != nil {
			return geom.Geometry{}, err
		}
		polygons = append(polygons, p.AsGeometry())
	}
	return geom.UnionMany(polygons)
}

func lineString(r orb.Ring) geom.LineString {
	xys := make([]float64, 0, 2*len(r))
	for _, p := range r {
		xys = append(xys, p[0], p[1])
	}
	return geom.NewLineString(geom.NewSequence(xys, geom.DimXY))
}

// polygon gives the disc as a polygon of the same area. With the angle θ between
// its vertices these lie r(√(θ/sin θ)−1) ≈ rθ²/12 outside the arc, and the middles
// of the chords half as far inside.
func (c *curve) polygon(toleranceM float64) geom.Polygon {
	n := max(16, int(math.Ceil(2*math.Pi/math.Sqrt(12*toleranceM/c.maxR))))
	step := 2 * math.Pi / float64(n)
	out := math.Sqrt(step / math.Sin(step))
	var ring orb.Ring
	for k := range n {
		p := c.at(float64(k) * step)
		ring = append(ring, orb.Point{
			c.centre[0] + out*(p[0]-c.centre[0]), c.centre[1] + out*(p[1]-c.centre[1])})
	}
	return geom.NewPolygon([]geom.LineString{lineString(append(ring, ring[0]))})
}

// lonLats brings the areas of a geometry of the plane back, without slivers.
func (t *territory) lonLats(g geom.Geometry, toleranceM float64) orb.MultiPolygon {
	var out orb.MultiPolygon
	leastM2 := toleranceM * toleranceM
	for _, part := range g.Dump() {
		p, ok := part.AsPolygon()
		if !ok || p.Area() < leastM2 {
			continue
		}
		p = p.ForceCCW()
		polygon := orb.Polygon{t.lonLatRing(p.ExteriorRing(), toleranceM)}
		for i := range p.NumInteriorRings() {
			r := p.InteriorRingN(i)
			if geom.NewPolygon([]geom.LineString{r}).Area() >= leastM2 {
				polygon = append(polygon, t.lonLatRing(r, toleranceM))
			}
		}
		out = append(out, polygon)
	}
	return out
}

// lonLatRing adds points where an edge, drawn straight in degrees, would stray by
// more than a quarter of the tolerance: near a pole or where it is very long.
func (t *territory) lonLatRing(r geom.LineString, toleranceM float64) orb.Ring {
	points := r.Coordinates()
	var out orb.Ring
	for i := range points.Length() {
		xy := points.GetXY(i)
		b := orb.Point{xy.X, xy.Y}
		if i > 0 {
			last := points.GetXY(i - 1)
			out = t.straighten(out, orb.Point{last.X, last.Y}, b, out[len(out)-1], t.plane.lonLat(b), toleranceM/4, 12)
		}
		out = append(out, t.plane.lonLat(b))
	}
	out[len(out)-1] = out[0]
	return out
}

// straighten adds the points between the ends of an edge, given in the plane and in
// degrees; every depth doubles how many it may add.
func (t *territory) straighten(out orb.Ring, a, b, lonLatA, lonLatB orb.Point, strayM float64, depth int) orb.Ring {
	m := orb.Point{(a[0] + b[0]) / 2, (a[1] + b[1]) / 2}
	drawn := orb.Point{lonLatA[0] + math.Remainder(lonLatB[0]-lonLatA[0], 360)/2, (lonLatA[1] + lonLatB[1]) / 2}
	if depth == 0 || distance(t.plane.xy(drawn), m) <= strayM {
		return out
	}
	middle := t.plane.lonLat(m)
	out = t.straighten(out, a, m, lonLatA, middle, strayM, depth-1)
	out = append(out, middle)
	return t.straighten(out, m, b, middle, lonLatB, strayM, depth-1)
}
