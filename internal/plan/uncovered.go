package plan

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"

	"hatang/geo"
	"hatang/geo/coverage"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// UncoveredQuery asks for the parts of one unit that no service disc covers.
type UncoveredQuery struct {
	Level, Code string
	Operator    string // "": of all
	Stage       string // built or with_planned
	Date        geo.Date
}

// UncoveredToleranceM is how far the chords of an uncovered part may stray from the
// arcs of the discs, metres.
const UncoveredToleranceM = 10

// UncoveredParts is a GeoJSON feature collection of the parts, the largest first. A unit
// that is wholly covered has none.
type UncoveredParts struct {
	Type        string          `json:"type"`
	Unit        UnitRef         `json:"unit"`
	Date        geo.Date        `json:"date"`
	Of          string          `json:"of"`
	Operator    *string         `json:"operator"` // null: all operators together
	Stage       string          `json:"stage"`
	Sites       int             `json:"sites"`             // whose discs reach the unit
	Unknown     int             `json:"unknown,omitempty"` // sites of the unit without a radius
	AreaM2      float64         `json:"area_m2"`           // of the unit, geodesic
	UncoveredM2 float64         `json:"uncovered_area_m2"` // the unit's less the covered area
	ToleranceM  float64         `json:"tolerance_m"`
	Definition  string          `json:"definition"`
	Source      string          `json:"source"`
	Reason      *geo.Text       `json:"reason,omitempty"` // why the parts cannot be told
	Features    []UncoveredPart `json:"features"`
	Versions    layer.Versions  `json:"versions"`
	// Generalised: sites count as the public is shown them, rounded or not at all.
	Generalised bool `json:"generalised,omitempty"`
}

// UncoveredPart is one part, a polygon.
type UncoveredPart struct {
	Type       string            `json:"type"`
	Geometry   *geojson.Geometry `json:"geometry"`
	Properties struct {
		AreaM2 float64 `json:"area_m2"` // geodesic
	} `json:"properties"`
}

// Uncovered returns the parts of a unit in force on the date; layer.ErrNotFound where no
// unit has the code. While the layers stay as they are, an answer is made once.
func (m *Measurer) Uncovered(ctx context.Context, v account.Viewer, q UncoveredQuery) (UncoveredParts, error) {
	question := asked{v, q.Level, q.Code, q.Date, []string{q.Stage, q.Operator}}
	return keptOr(ctx, m, m.gaps, question, func(facts Facts) (UncoveredParts, layer.Versions, error) {
		parts, err := uncoveredOf(facts, q)
		return parts, nil, err
	})
}

// uncoveredOf finds the parts of the one unit of the facts.
func uncoveredOf(facts Facts, q UncoveredQuery) (UncoveredParts, error) {
	u := facts.Units[0]
	reach, err := facts.reachedIn(q.Stage, q.Operator, q.Date)
	if err != nil {
		return UncoveredParts{}, err
	}
	result := UncoveredParts{
		Type: "FeatureCollection", Unit: UnitRef{u.Code, u.Name, u.Level, u.ValidFrom}, Date: q.Date, Of: "bts_sites", Stage: q.Stage,
		Unknown: reach.unknownIn(u.Shape), ToleranceM: UncoveredToleranceM, Features: []UncoveredPart{}, Versions: facts.Versions, Generalised: facts.Generalised,
		Definition: "the unit less the union of the sites' service discs, each of its own radius; geodesic, on WGS 84",
		Source:     "rows of bts_sites: service_radius_m; polygon of the unit",
	}
	if q.Operator != "" {
		result.Operator, result.Source = &q.Operator, "rows of operator_positions, by site; "+result.Source
	}
	covered, err := reach.covering.Covered(u.Shape)
	if err == nil {
		result.AreaM2, result.UncoveredM2 = covered.AreaM2, covered.AreaM2-covered.CoveredM2
		err = result.find(u.Shape, reach)
	}
	if errors.Is(err, coverage.ErrTooLarge) || errors.Is(err, coverage.ErrShape) {
		result.Reason = &geo.Text{
			VI: "Hình dạng của đơn vị không cho phép tính phần chưa được phủ: quá rộng hoặc đường biên tự cắt.",
			EN: "The shape of the unit does not allow it: " + err.Error() + ".",
		}
		return result, nil
	}
	return result, err
}

func (p *UncoveredParts) find(shape orb.MultiPolygon, r reached) error {
	parts, err := r.covering.Uncovered(shape, UncoveredToleranceM)
	if err != nil {
		return err
	}
	for _, d := range r.discs {
		if geo.Contains(shape, d.Center) || geo.DistanceToBoundaryM(shape, d.Center) <= d.RadiusM {
			p.Sites++
		}
	}
	for _, polygon := range parts {
		part := UncoveredPart{Type: "Feature", Geometry: geojson.NewGeometry(rounded(polygon))}
		part.Properties.AreaM2 = geo.AreaM2(polygon)
		p.Features = append(p.Features, part)
	}
	slices.SortStableFunc(p.Features, func(a, b UncoveredPart) int {
		return cmp.Compare(b.Properties.AreaM2, a.Properties.AreaM2)
	})
	return nil
}

// rounded keeps nine decimals of a degree, a tenth of a millimetre.
func rounded(p orb.Polygon) orb.Polygon {
	for _, ring := range p {
		for i := range ring {
			ring[i] = orb.Point{math.Round(ring[i][0]*1e9) / 1e9, math.Round(ring[i][1]*1e9) / 1e9}
		}
	}
	return p
}
