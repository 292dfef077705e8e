package plan

import (
	"context"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// UnitFacts is an administrative unit in force on the date.
type UnitFacts struct {
	Level          string // province, district or commune
	Code, Name     string
	Jurisdiction   string // the territory whose rules apply: code of a province
	ValidFrom      geo.Date
	FiguresSource  string   // of official area and population
	OfficialAreaM2 *float64 // square metres; nil where no official figure is known
	Population     *int64
	PopulationYear *int64
	Shape          orb.MultiPolygon
	Parents        map[string]string // codes of the units it lies in, by level; of communes
}

// SiteFacts is a mast site in force on the date.
type SiteFacts struct {
	Mast      zoning.Mast
	Structure *geo.Structure
	Phase     string
	Since     geo.Date
	RadiusM   *float64 // the site's own service radius, metres; nil where not known
}

// PositionFacts is an operator on a site.
type PositionFacts struct{ Site, Operator, Status, Phase string }

// PostalFacts is a postal service point: a postal point or a kiosk.
type PostalFacts struct {
	Point         orb.Point
	Status, Phase string
}

// Facts are the rows that the indicators of some units are computed from.
type Facts struct {
	Units     []UnitFacts
	Sites     []SiteFacts
	Positions []PositionFacts
	Postal    []PostalFacts
	// Communes are those within the units; none where the units are communes.
	Communes    []UnitFacts
	Settlements []SettlementFacts
	PhaseEnds   map[string]geo.Date // last day of each phase
	Pi          float64
	Versions    layer.Versions // as the viewer is told them
	// Generalised: the viewer is shown sites less exactly than they are known.
	Generalised bool
}

// FactFinder reads the facts of one unit, or of all of a level when code is "".
// Sites come from beside the units too, because they cover across borders: all that may
// cover a part of the units, or be the nearest to one.
type FactFinder interface {
	UnitFacts(ctx context.Context, v account.Viewer, level, code string, date geo.Date) (Facts, error)
	LayerVersions(ctx context.Context, v account.Viewer) (layer.Versions, error)
}

// Measurer computes the indicators of units. It is safe for concurrent use.
type Measurer struct {
	finder  FactFinder
	checker *permit.Checker
	// What has been answered before.
	figures  *versionedCache[[]UnitFigures]
	gaps     *versionedCache[UncoveredParts]
	clusters *versionedCache[SharingClusters]
}

// NewMeasurer returns a measurer over the finder's facts.
func NewMeasurer(f FactFinder, c *permit.Checker) *Measurer {
	return &Measurer{
		finder: f, checker: c,
		figures: newCache[[]UnitFigures](maxKeptFigures), gaps: newCache[UncoveredParts](maxKeptUncovered), clusters: newCache[SharingClusters](maxKeptClusters),
	}
}

// UnitRef names the unit that figures are of.
type UnitRef struct {
	Code      string   `json:"code"`
	Name      string   `json:"name"`
	Level     string   `json:"level"`
	ValidFrom geo.Date `json:"valid_from"`
}

// UnitFigures are the indicators of one unit on one date.
type UnitFigures struct {
	Unit       UnitRef        `json:"unit"`
	Date       geo.Date       `json:"date"`
	Indicators []Figure       `json:"indicators"`
	Versions   layer.Versions `json:"versions"`
	// Generalised: sites count as the public is shown them, rounded or not at all.
	Generalised bool `json:"generalised,omitempty"`
}

// Figure is one indicator with all that it was computed from. Value is null with a
// reason where it does not exist; nothing is interpolated.
type Figure struct {
	ID          string   `json:"id"`
	Of          string   `json:"of"`
	Operator    *string  `json:"operator"` // null: all operators together
	Basis       string   `json:"basis,omitempty"`
	Stage       string   `json:"stage"`
	Phase       string   `json:"phase,omitempty"` // only what is new in this phase
	Value       *float64 `json:"value"`
	Unit        string   `json:"unit"`
	Numerator   *float64 `json:"numerator"`
	Denominator *float64 `json:"denominator"`
	Unknown     int      `json:"unknown,omitempty"` // rows that could not be judged: in neither number
	// PopulationYear is the year of the population divided; 0 where none is.
	PopulationYear int64   `json:"population_year,omitempty"`
	Definition     string  `json:"definition"`
	AreaBasis      string  `json:"area_basis,omitempty"`
	Pi             float64 `json:"pi,omitempty"`
	// Method says how people were given a place: area_weighted or settlements.
	Method string `json:"method,omitempty"`
	// At is where the value is found, lon/lat: of a maximum.
	At     *orb.Point `json:"at,omitempty"`
	Source string     `json:"source"`
	Reason *geo.Text  `json:"reason,omitempty"`
	Note   *geo.Text  `json:"note,omitempty"`
}

// Units returns the figures of one unit in force on the date, or of all of a level
// when code is "". layer.ErrNotFound where no unit has the code. While the layers
// stay as they are, an answer is made once.
func (m *Measurer) Units(ctx context.Context, v account.Viewer, level, code string, date geo.Date) ([]UnitFigures, error) {
	return keptOr(ctx, m, m.figures, asked{v, level, code, date, nil}, func(facts Facts) ([]UnitFigures, layer.Versions, error) {
		compliance, versions, err := m.compliance(ctx, v, facts, date)
		if err != nil || !facts.Versions.Agree(versions) {
			return nil, versions, err
		}
		figures, err := figuresOf(facts, compliance, date)
		return figures, versions, err
	})
}

// unitIndex finds the unit that a point lies in.
func unitIndex(facts Facts) *geo.Index {
	shapes := make([]orb.MultiPolygon, len(facts.Units))
	for i, u := range facts.Units {
		shapes[i] = u.Shape
	}
	return geo.NewIndex(shapes)
}

// siteCompliance says of existing sites, by row id, whether their type is allowed.
type siteCompliance map[int64]zoning.SiteCompliance

// compliance judges the units' existing sites by the rules in force where they stand, and
// returns the versions of what it read.
func (m *Measurer) compliance(ctx context.Context, v account.Viewer, facts Facts, date geo.Date) (siteCompliance, layer.Versions, error) {
	var points []orb.Point
	var built []SiteFacts
	units := unitIndex(facts)
	for _, s := range facts.Sites {
		if _, inside := units.First(s.Mast.Point); inside && s.Mast.Status == "existing" {
			built = append(built, s)
			points = append(points, s.Mast.Point)
		}
	}
	places, versions, err := m.checker.Places(ctx, v, points, date, facts.Versions)
	if err != nil {
		return nil, nil, err
	}
	judged := siteCompliance{}
	for i, s := range built {
		if places[i].Rules == nil {
			judged[s.Mast.ID] = zoning.SiteCompliance{}
			continue
		}
		report := places[i].Rules.Compliance([]zoning.ExistingMast{{Mast: s.Mast, Structure: s.Structure, Since: s.Since, Around: places[i].Surroundings}}, date)
		judged[s.Mast.ID] = report.Sites[0]
	}
	return judged, versions, nil
}
