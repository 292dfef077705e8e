package coverage

import (
	"errors"
	"math"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// Population is how many people the discs cover, and how that was counted.
type Population struct {
	Covered float64
	Total   float64 // people counted at all
	Share   float64 // Covered ÷ Total, 0 to 1; 0 when Total is 0
	Method  Method
}

// Method says how people were given a place.
type Method string

// The methods: people spread evenly over their sub-unit, or all at the point that
// stands for their settlement.
const (
	AreaWeighted  Method = "area_weighted"
	AtSettlements Method = "settlements"
)

// SubUnit is a part of a unit, a commune say, with the people who live there.
type SubUnit struct {
	Shape      orb.MultiPolygon
	Population float64
}

// Settlement is a lon/lat point with the people who live there.
type Settlement struct {
	At         orb.Point
	Population float64
}

// The errors of the population functions besides those of Covered.
var (
	ErrPopulation = errors.New("a population is not a number from 0 up")
	ErrNowhere    = errors.New("people live in a sub-unit without area")
)

// PopulationByArea adds up, over the sub-units, population × covered share: people
// are taken to live evenly spread over their sub-unit, which overstates cover
// where sites stand in the empty parts of it and understates it elsewhere. The
// shares are CoveredMany's: one pass over the sub-units and the discs near each, to
// ManyTolerance of the people covered. A sub-unit without area must be without people.
// Other errors are those of Covered.
func PopulationByArea(subUnits []SubUnit, discs []Disc) (Population, error) {
	n, err := NewNetwork(discs)
	if err != nil {
		return Population{}, err
	}
	return n.PopulationByArea(subUnits)
}

// PopulationByArea is PopulationByArea of the sub-units.
func (n *Network) PopulationByArea(subUnits []SubUnit) (Population, error) {
	p := Population{Method: AreaWeighted}
	shapes := make([]orb.MultiPolygon, len(subUnits))
	for i, s := range subUnits {
		if !(s.Population >= 0 && s.Population <= math.MaxFloat64) {
			return Population{}, ErrPopulation
		}
		shapes[i] = s.Shape
	}
	results, err := coveredMany(shapes, n.discs)
	if err != nil {
		return Population{}, err
	}
	for i, s := range subUnits {
		if results[i].AreaM2 == 0 && s.Population > 0 {
			return Population{}, ErrNowhere
		}
		p.Covered += s.Population * results[i].Share
		p.Total += s.Population
	}
	p.share()
	return p, nil
}

// PopulationBySettlements adds up the people of the settlements that lie within a
// disc, its boundary included, by geodesic distance. Cost: n log n, and one distance for
// every disc in the box about a settlement until one holds it.
func PopulationBySettlements(settlements []Settlement, discs []Disc) (Population, error) {
	n, err := NewNetwork(discs)
	if err != nil {
		return Population{}, err
	}
	return n.PopulationBySettlements(settlements)
}

// PopulationBySettlements is PopulationBySettlements of the settlements.
func (n *Network) PopulationBySettlements(settlements []Settlement) (Population, error) {
	p := Population{Method: AtSettlements}
	for _, s := range settlements {
		if !onEarth(s.At) {
			return Population{}, ErrNotOnEarth
		}
		if !(s.Population >= 0 && s.Population <= math.MaxFloat64) {
			return Population{}, ErrPopulation
		}
		p.Total += s.Population
		covered := false
		n.discs.near(s.At, 0, 0, func(d Disc) { covered = covered || within(d, s.At) })
		if covered {
			p.Covered += s.Population
		}
	}
	p.share()
	return p, nil
}

// within is DistanceM ≤ RadiusM; a degree of latitude is at least 110 574 m long.
func within(d Disc, p orb.Point) bool {
	if math.Abs(p[1]-d.Center[1])*110574 > d.RadiusM*(1+1e-9) {
		return false
	}
	return geo.DistanceM(d.Center, p) <= d.RadiusM
}

func (p *Population) share() {
	if p.Total > 0 {
		p.Share = p.Covered / p.Total
	}
}
