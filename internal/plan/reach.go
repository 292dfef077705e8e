package plan

import (
	"errors"
	"math"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/coverage"
)

// SettlementFacts is a village or quarter with its population, where that is known.
type SettlementFacts struct {
	Point      orb.Point
	Population *int64
}

// reached are the sites that count in a stage.
type reached struct {
	discs    []coverage.Disc   // by each site's own service radius, where it is known
	covering *coverage.Network // of the discs
	standing *coverage.Network // of all sites, whatever their radius
	// withoutRadius are the sites whose service radius is not known.
	withoutRadius []orb.Point
}

// reachedIn lists the sites that count in a stage; those of one operator only, unless
// operator is "".
func (f *Facts) reachedIn(stage, operator string, date geo.Date) (r reached, err error) {
	has := map[string]bool{}
	for _, p := range f.Positions {
		if p.Operator == operator && f.counts(p.Status, p.Phase, stage, date) {
			has[p.Site] = true
		}
	}
	var sites []coverage.Disc
	for _, s := range f.Sites {
		if !f.counts(s.Mast.Status, s.Phase, stage, date) || operator != "" && !has[s.Mast.Code] {
			continue
		}
		sites = append(sites, coverage.Disc{Center: s.Mast.Point})
		switch {
		case s.RadiusM == nil:
			r.withoutRadius = append(r.withoutRadius, s.Mast.Point)
		case *s.RadiusM > 0:
			r.discs = append(r.discs, coverage.Disc{Center: s.Mast.Point, RadiusM: *s.RadiusM})
		}
	}
	if r.covering, err = coverage.NewNetwork(r.discs); err != nil {
		return r, err
	}
	r.standing, err = coverage.NewNetwork(sites)
	return r, err
}

// covered adds the area within reach of any site, by each site's own radius; sites
// beyond the unit's border reach in.
func (c *calculation) covered(stage string, r reached) error {
	result, err := r.covering.Covered(c.rows.unit.Shape)
	if err != nil {
		return err
	}
	f := Figure{
		Of: "bts_sites", Basis: "site", Stage: stage, Numerator: float(result.CoveredM2), Denominator: float(result.AreaM2), Unknown: r.unknownIn(c.rows.unit.Shape),
		AreaBasis: "geodesic", Definition: "area of the union of the sites' service discs within the unit", Source: "rows of bts_sites: service_radius_m; polygon of the unit",
	}
	area, share := f, f
	area.ID, area.Unit = "covered_area_m2", "m2"
	share.ID, share.Unit, share.Definition = "covered_share", "1", f.Definition+" / geodesic area of the unit"
	c.add(area, result.CoveredM2, true, geo.Text{})
	c.add(share, result.Share, result.AreaM2 > 0, noRows())
	return nil
}

// unknownIn counts the sites within a unit whose service radius is not known.
func (r reached) unknownIn(shape orb.MultiPolygon) int {
	n := 0
	for _, p := range r.withoutRadius {
		if geo.Contains(shape, p) {
			n++
		}
	}
	return n
}

// population adds how many people live within reach of any site: by the communes of
// the unit where the population of all of them is known for the year, else by the unit as
// a whole; and by settlements where the population of all is known.
func (c *calculation) population(stage string, r reached) error {
	f := Figure{
		ID: "covered_population", Of: "bts_sites", Basis: "site", Stage: stage, Unit: "person", Unknown: r.unknownIn(c.rows.unit.Shape),
		Definition: "for each commune of the unit its population x the share of its area that the sites' service discs cover, added up",
		Source:     "rows of communes: population; rows of bts_sites: service_radius_m", Method: string(coverage.AreaWeighted),
	}
	parts, whole := c.inhabited()
	if whole {
		f.Definition = "population of the unit x the share of its area that the sites' service discs cover"
		f.Source = "P: " + c.rows.unit.FiguresSource + "; rows of bts_sites: service_radius_m"
	}
	result, err := r.covering.PopulationByArea(parts)
	if err != nil {
		return err
	}
	why := noRows()
	if len(parts) == 0 {
		why = c.noPopulation()
	} else {
		f.Numerator, f.Denominator, f.PopulationYear = float(math.Round(result.Covered)), float(result.Total), int64(c.date.Time().Year())
	}
	c.add(f, math.Round(result.Covered), len(parts) > 0, why)
	return c.settled(f, r)
}

// settled adds the people of the settlements that lie within reach.
func (c *calculation) settled(f Figure, r reached) error {
	var all []coverage.Settlement
	for _, s := range c.rows.settlements {
		if s.Population == nil {
			return nil
		}
		all = append(all, coverage.Settlement{At: s.Point, Population: float64(*s.Population)})
	}
	if len(all) == 0 {
		return nil
	}
	result, err := r.covering.PopulationBySettlements(all)
	if err != nil {
		return err
	}
	f.Definition, f.Method = "population of the settlements in the unit that lie within the service radius of a site", string(coverage.AtSettlements)
	f.Source, f.PopulationYear = "rows of settlements: population; rows of bts_sites: service_radius_m", 0
	f.Numerator, f.Denominator, f.Reason, f.Value = float(result.Covered), float(result.Total), nil, nil
	c.add(f, result.Covered, true, geo.Text{})
	return nil
}

// inhabited are the communes of the unit with their people or, where not every one of
// them is known for the year of the date, the unit as a whole with its own; else nothing.
func (c *calculation) inhabited() (parts []coverage.SubUnit, whole bool) {
	for _, u := range c.rows.communes {
		if !c.ofTheYear(u) {
			parts = nil
			break
		}
		parts = append(parts, coverage.SubUnit{Shape: u.Shape, Population: float64(*u.Population)})
	}
	if len(parts) > 0 {
		return parts, false
	}
	if u := c.rows.unit; c.ofTheYear(u) {
		return []coverage.SubUnit{{Shape: u.Shape, Population: float64(*u.Population)}}, true
	}
	return nil, false
}

// ofTheYear: nothing is carried over from another year.
func (c *calculation) ofTheYear(u UnitFacts) bool {
	return u.Population != nil && (u.PopulationYear == nil || *u.PopulationYear == int64(c.date.Time().Year()))
}

func (c *calculation) noPopulation() geo.Text {
	return geo.Text{
		VI: "Chưa có số dân của năm này cho đơn vị hoặc cho mọi xã của đơn vị; không nội suy từ năm khác.",
		EN: "No population of this year is known of the unit or of all its communes; nothing is carried over from another year.",
	}
}

// distances adds how far it is to the nearest site from anywhere in the unit.
func (c *calculation) distances(stage string, r reached) error {
	f := Figure{
		Of: "bts_sites", Basis: "site", Stage: stage, Unit: "m", AreaBasis: "geodesic",
		Source: "rows of bts_sites: position, in the unit and beyond its border; polygon of the unit",
	}
	var why geo.Text
	stats, err := r.standing.Distances(c.rows.unit.Shape)
	switch {
	case errors.Is(err, coverage.ErrNoSites):
		why = geo.Text{VI: "Không có vị trí nào để đo khoảng cách đến.", EN: "There is no site to measure the distance to."}
	case errors.Is(err, coverage.ErrNoArea), errors.Is(err, coverage.ErrTooLarge), errors.Is(err, coverage.ErrIntricate):
		why = geo.Text{VI: "Hình dạng của đơn vị không cho phép đo: không có diện tích, quá rộng hoặc quá phức tạp.", EN: "The shape of the unit does not allow it: " + err.Error() + "."}
	case err != nil:
		return err
	}
	for _, d := range []struct {
		id, definition string
		share, m       float64
	}{
		{"distance_p50_m", "distance within which the nearest site lies for half of the unit's area, to 0.5 %", 0.5, math.Round(stats.P50M*10) / 10},
		{"distance_p95_m", "distance within which the nearest site lies for 95 % of the unit's area, to 0.5 %", 0.95, math.Round(stats.P95M*10) / 10},
		{"distance_max_m", "distance to the nearest site from the point of the unit farthest from all, to 1 mm", 1, math.Round(stats.MaxM*1000) / 1000},
	} {
		g := f
		g.ID, g.Definition = d.id, d.definition
		g.Numerator, g.Denominator = float(d.share*c.geodesicM2), float(c.geodesicM2)
		if d.share == 1 && err == nil {
			g.At = &orb.Point{math.Round(stats.MaxAt[0]*1e9) / 1e9, math.Round(stats.MaxAt[1]*1e9) / 1e9}
		}
		c.add(g, d.m, err == nil, why)
	}
	return nil
}
