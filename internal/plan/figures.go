package plan

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"hatang/geo"
	"hatang/geo/coverage"
	"hatang/geo/sharing"
	"hatang/internal/layer"
)

// The two stages: what stands, and what stands once the phases that have ended are built.
const (
	built       = "built"
	withPlanned = "with_planned"
)

// squareMetresPerKm2 turns the areas shown in definitions into square kilometres.
const squareMetresPerKm2 = 1e6

// counts reports whether a row belongs to a stage on the date: an existing one to
// both, a planned or approved one to with_planned once its phase has ended.
func (f *Facts) counts(status, phase, stage string, date geo.Date) bool {
	switch status {
	case "existing":
		return true
	case "planned", "approved":
		ends, known := f.PhaseEnds[phase]
		return stage == withPlanned && known && !date.Before(ends)
	}
	return false
}

// unitRows are the facts that lie in one unit.
type unitRows struct {
	unit  UnitFacts
	sites []SiteFacts
	// positions are counted where their site stands.
	positions []PositionFacts
	postal    []PostalFacts
	// communes are those that name the unit as theirs.
	communes    []UnitFacts
	settlements []SettlementFacts
}

// figuresOf computes the figures of every unit. Each site belongs to exactly one
// unit, the lowest code where two share a border. Works on all processors.
func figuresOf(facts Facts, compliance siteCompliance, date geo.Date) ([]UnitFigures, error) {
	rows := assign(facts)
	reach := map[string]reached{}
	for _, stage := range []string{built, withPlanned} {
		r, err := facts.reachedIn(stage, "", date)
		if err != nil {
			return nil, err
		}
		reach[stage] = r
	}
	result, errs := make([]UnitFigures, len(rows)), make([]error, len(rows))
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(rows)) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(rows); i = int(next.Add(1)) - 1 {
				r := rows[i]
				c := calculation{facts: &facts, rows: r, date: date, compliance: compliance, reach: reach}
				errs[i] = c.all()
				result[i] = UnitFigures{
					Unit: UnitRef{r.unit.Code, r.unit.Name, r.unit.Level, r.unit.ValidFrom},
					Date: date, Indicators: c.figures, Versions: facts.Versions, Generalised: facts.Generalised,
				}
			}
		})
	}
	wait.Wait()
	return result, errors.Join(errs...)
}

// assign sorts the facts into units.
func assign(facts Facts) []*unitRows {
	rows := make([]*unitRows, len(facts.Units))
	for i, u := range facts.Units {
		rows[i] = &unitRows{unit: u}
	}
	index := unitIndex(facts)
	siteUnit := make(map[string]int, len(facts.Sites))
	for _, s := range facts.Sites {
		if i, ok := index.First(s.Mast.Point); ok {
			rows[i].sites = append(rows[i].sites, s)
			// A draft may have the code of a site that stands: the operators are on this.
			if _, taken := siteUnit[s.Mast.Code]; !taken || s.Mast.Status != layer.Draft {
				siteUnit[s.Mast.Code] = i
			}
		}
	}
	for _, p := range facts.Positions {
		if i, ok := siteUnit[p.Site]; ok {
			rows[i].positions = append(rows[i].positions, p)
		}
	}
	for _, p := range facts.Postal {
		if i, ok := index.First(p.Point); ok {
			rows[i].postal = append(rows[i].postal, p)
		}
	}
	for _, s := range facts.Settlements {
		if i, ok := index.First(s.Point); ok {
			rows[i].settlements = append(rows[i].settlements, s)
		}
	}
	for _, r := range rows {
		for _, u := range facts.Communes {
			if u.Parents[r.unit.Level] == r.unit.Code {
				r.communes = append(r.communes, u)
			}
		}
	}
	return rows
}

// calculation computes the figures of one unit.
type calculation struct {
	facts      *Facts
	rows       *unitRows
	date       geo.Date
	compliance siteCompliance
	reach      map[string]reached // by stage
	figures    []Figure

	areaM2       float64 // the area that radii are computed with
	areaBasis    string
	areaSource   string
	geodesicM2   float64
	operatorList []string
}

func (c *calculation) all() error {
	u := c.rows.unit
	c.geodesicM2 = geo.AreaM2(u.Shape)
	c.areaM2, c.areaBasis, c.areaSource = c.geodesicM2, "geodesic", "geodesic area of the unit's polygon on WGS 84"
	if u.OfficialAreaM2 != nil {
		c.areaM2, c.areaBasis, c.areaSource = *u.OfficialAreaM2, "official", u.FiguresSource
	}
	for _, p := range c.rows.positions {
		if !slices.Contains(c.operatorList, p.Operator) {
			c.operatorList = append(c.operatorList, p.Operator)
		}
	}
	slices.Sort(c.operatorList)
	for _, stage := range []string{built, withPlanned} {
		c.postal(stage)
		c.radii(stage)
		c.sharing(stage)
		for _, measure := range []func(string, reached) error{c.covered, c.population, c.distances} {
			if err := measure(stage, c.reach[stage]); err != nil {
				return err
			}
		}
	}
	c.newInPhases()
	c.zoning()
	return nil
}

// add appends a figure; the value is null where the division does not exist.
func (c *calculation) add(f Figure, value float64, ok bool, why geo.Text) {
	if ok {
		f.Value = &value
	} else {
		f.Reason = &why
	}
	c.figures = append(c.figures, f)
}

// float returns a pointer to x: null and zero are different answers.
func float(x float64) *float64 { return &x }

func noRows() geo.Text {
	return geo.Text{VI: "Không có dòng nào để tính trong đơn vị này.", EN: "The unit has no rows to compute it from."}
}

func isAverage() *geo.Text {
	return &geo.Text{
		VI: "Bán kính của hình tròn có diện tích S/N: một số bình quân, không phải vùng phủ sóng.",
		EN: "The radius of a circle of area S/N: an average, not coverage.",
	}
}

// radius adds one mean service radius for n points. It is given to a tenth of a metre.
func (c *calculation) radius(f Figure, n int) {
	f.ID, f.Unit, f.Definition, f.AreaBasis, f.Pi = "mean_service_radius_m", "m", "sqrt(S/(pi*N))", c.areaBasis, c.facts.Pi
	f.Numerator, f.Denominator, f.Note = float(c.areaM2/squareMetresPerKm2), float(float64(n)), isAverage()
	f.Source = "S: " + c.areaSource + "; N: " + f.Source
	r, ok := coverage.MeanServiceRadiusM(c.areaM2, c.facts.Pi, n)
	c.add(f, math.Round(r*10)/10, ok, noRows())
}

func (c *calculation) postal(stage string) {
	n := 0
	for _, p := range c.rows.postal {
		if c.facts.counts(p.Status, p.Phase, stage, c.date) {
			n++
		}
	}
	source := "rows of postal_points and kiosks"
	c.radius(Figure{Of: "postal_points", Basis: "position", Stage: stage, Source: source}, n)
	f := Figure{ID: "persons_per_point", Of: "postal_points", Basis: "position", Stage: stage, Unit: "person", Definition: "P/N", Denominator: float(float64(n)), Source: source}
	u := c.rows.unit
	if u.Population == nil {
		c.add(f, 0, false, geo.Text{VI: "Chưa có số dân của đơn vị trong kỳ này.", EN: "No population figure of the unit is known for this time."})
		return
	}
	f.Numerator = float(float64(*u.Population))
	if u.PopulationYear != nil {
		f.PopulationYear = *u.PopulationYear
		if *u.PopulationYear != int64(c.date.Time().Year()) {
			c.add(f, 0, false, geo.Text{
				VI: fmt.Sprintf("Số dân đã biết là của năm %d; không nội suy sang năm khác.", *u.PopulationYear),
				EN: fmt.Sprintf("The population known is of %d; nothing is carried over to another year.", *u.PopulationYear),
			})
			return
		}
	}
	f.Source = "P: " + u.FiguresSource + "; N: " + source
	c.add(f, float64(*u.Population)/float64(max(n, 1)), n > 0, noRows())
}

// counted returns the positions of a stage, of one operator or of all ("").
func (c *calculation) counted(stage, operator string) []sharing.Position {
	var counted []sharing.Position
	for _, p := range c.rows.positions {
		if (operator == "" || p.Operator == operator) && c.facts.counts(p.Status, p.Phase, stage, c.date) {
			counted = append(counted, sharing.Position{SiteCode: p.Site, Operator: p.Operator})
		}
	}
	return counted
}

// radii adds the mean service radius of each operator and of all, on every basis.
func (c *calculation) radii(stage string) {
	for _, operator := range c.operatorList {
		n := sharing.CountPositions(c.counted(stage, operator)).Positions
		c.radius(Figure{Of: "bts_sites", Operator: &operator, Basis: "position", Stage: stage, Source: "rows of operator_positions"}, n)
	}
	all := sharing.CountPositions(c.counted(stage, ""))
	sites, planned := 0, 0
	for _, s := range c.rows.sites {
		if c.facts.counts(s.Mast.Status, s.Phase, stage, c.date) {
			sites++
			if s.Mast.Status != "existing" {
				planned++
			}
		}
	}
	baseline := sharing.CountPositions(c.counted(built, "")).Positions
	c.radius(Figure{Of: "bts_sites", Basis: "position", Stage: stage, Source: "rows of operator_positions"}, all.Positions)
	c.radius(Figure{Of: "bts_sites", Basis: "site", Stage: stage, Source: "rows of bts_sites"}, sites)
	c.radius(Figure{
		Of: "bts_sites", Basis: "plan", Stage: stage,
		Source: "rows of operator_positions that stand, plus rows of bts_sites that the phases add: the plan's own way of counting",
	}, baseline+planned)
}

// sharing adds the shared-site ratio and the tenancy ratio of a stage.
func (c *calculation) sharing(stage string) {
	c.ratios(Figure{Of: "bts_sites", Basis: "site", Stage: stage}, sharing.CountPositions(c.counted(stage, "")))
}

func (c *calculation) ratios(f Figure, n sharing.Count) {
	f.Unit, f.Source = "1", "rows of operator_positions, by site"
	shared, tenancy := f, f
	shared.ID, shared.Definition = "shared_site_ratio", "sites with two or more operators / sites"
	shared.Numerator, shared.Denominator = float(float64(n.SharedSites)), float(float64(n.Sites))
	tenancy.ID, tenancy.Definition = "tenancy_ratio", "operator positions / sites"
	tenancy.Numerator, tenancy.Denominator = float(float64(n.Positions)), float(float64(n.Sites))
	value, ok := sharing.Ratio{Numerator: float64(n.SharedSites), Denominator: float64(n.Sites)}.Value()
	c.add(shared, value, ok, noRows())
	value, ok = sharing.Ratio{Numerator: float64(n.Positions), Denominator: float64(n.Sites)}.Value()
	c.add(tenancy, value, ok, noRows())
}

// newInPhases adds the same ratios over what each phase adds, and all phases together.
func (c *calculation) newInPhases() {
	byPhase := map[string][]sharing.Position{}
	for _, p := range c.rows.positions {
		if p.Status != "existing" && c.facts.counts(p.Status, p.Phase, withPlanned, c.date) {
			position := sharing.Position{SiteCode: p.Site, Operator: p.Operator}
			byPhase[p.Phase] = append(byPhase[p.Phase], position)
			byPhase["new"] = append(byPhase["new"], position)
		}
	}
	phases := make([]string, 0, len(byPhase))
	for phase := range byPhase {
		phases = append(phases, phase)
	}
	slices.Sort(phases)
	for _, phase := range phases {
		c.ratios(Figure{Of: "bts_sites", Basis: "site", Stage: withPlanned, Phase: phase}, sharing.CountPositions(byPhase[phase]))
	}
}

// zoning adds the share of existing sites whose type the zones in force allow.
func (c *calculation) zoning() {
	compliant, judged, unknown := 0, 0, 0
	for _, s := range c.rows.sites {
		if s.Mast.Status != "existing" {
			continue
		}
		switch verdict := c.compliance[s.Mast.ID]; {
		case !verdict.Known:
			unknown++
		default:
			judged++
			if verdict.Compliant {
				compliant++
			}
		}
	}
	f := Figure{
		ID: "zoning_compliance_ratio", Of: "bts_sites", Basis: "site", Stage: built, Unit: "1", Unknown: unknown,
		Numerator: float(float64(compliant)), Denominator: float(float64(judged)),
		Definition: "existing sites whose mast type and structure the zones in force allow / existing sites that can be judged",
		Source:     "rows of bts_sites, mast_zones and communes; the rule set in force",
	}
	value, ok := sharing.Ratio{Numerator: float64(compliant), Denominator: float64(judged)}.Value()
	why := noRows()
	if unknown > 0 {
		why = geo.Text{VI: "Không vị trí nào đánh giá được, ví dụ vì chưa có bộ quy tắc có hiệu lực.", EN: "No site can be judged, for instance because no rule set is in force yet."}
	}
	c.add(f, value, ok, why)
}
