package intake

import (
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/layer"
)

// Guard holds features to what a file was found to mean where another reader reads them of it,
// which takes their fields as they are typed there.
type Guard struct {
	meaning    *Meaning
	duplicates Duplicates
}

// Guard begins a reading of the file, of which the report then tells.
func (m *Meaning) Guard() *Guard {
	r := m.report
	r.Rows, r.Sound, r.FaultCount, r.Faults, r.FaultsByRule = 0, 0, 0, []Fault{}, map[Rule]int64{}
	r.Add(m.head...)
	return &Guard{meaning: m}
}

// Add takes the feature of a row, and the faults that were found in it, and returns these and
// that of a place outside the territory. The report counts them.
func (g *Guard) Add(row int64, f *layer.Feature, faults layer.Faults) layer.Faults {
	r := g.meaning.report
	r.Rows++
	for _, wrong := range faults {
		r.Add(Fault{Row: row, Column: wrong.At, Rule: RuleUnreadable, Detail: wrong.Detail})
	}
	if wrong := g.outside(f); wrong != nil {
		told := wrong.in(row, layer.GeometryName)
		r.Add(told)
		faults = append(faults, told.Layer())
	}
	if len(faults) == 0 {
		r.Sound++
	}
	g.meaning.compare(&Record{Row: row, Feature: *f}, &g.duplicates)
	return faults
}

// End completes the report.
func (g *Guard) End() { g.meaning.report.addDuplicates(&g.duplicates) }

// outside is the fault of a feature beyond the territory, nil where it is inside or may be anywhere.
func (g *Guard) outside(f *layer.Feature) *Fault {
	m := g.meaning
	if f.Geometry == nil || m.options.Territory == nil || m.options.AllowOutside {
		return nil
	}
	var flat []float64
	eachPosition(f.Geometry, func(p orb.Point) { flat = append(flat, p[0], p[1]) })
	if crs, ok := geo.LookupCRS(f.SRID); ok && f.SRID != layer.SRID {
		for i := 0; i < len(flat); i += 2 {
			p, err := crs.Inverse(orb.Point{flat[i], flat[i+1]})
			if err != nil {
				return fault(RulePosition, "", "%v %v không phải vị trí nào của %s", "%v %v is no place of %s", flat[i], flat[i+1], crs)
			}
			flat[i], flat[i+1] = p[0], p[1]
		}
	}
	return outside(m.options.Territory, flat, 2)
}

// eachPosition hands on the positions of a geometry of one of the six types that layers hold.
func eachPosition(g orb.Geometry, each func(orb.Point)) {
	all := func(points []orb.Point) {
		for _, p := range points {
			each(p)
		}
	}
	switch g := g.(type) {
	case orb.Point:
		each(g)
	case orb.MultiPoint:
		all(g)
	case orb.LineString:
		all(g)
	case orb.MultiLineString:
		for _, line := range g {
			all(line)
		}
	case orb.Polygon:
		for _, ring := range g {
			all(ring)
		}
	case orb.MultiPolygon:
		for _, polygon := range g {
			eachPosition(polygon, each)
		}
	}
}
