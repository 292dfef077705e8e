// Package sharing counts how far operators share passive mobile infrastructure.
//
// A site is a place; an operator position is a (site, operator) pair; a shared site
// carries at least two operators. Several technologies of one operator on one mast
// are not sharing. Published ratios differ in what they divide by, so every ratio
// here keeps its numerator and denominator.
//
// Candidates lists the masts a proposal could share, and Clusters the masts of
// different operators that stand so close together that one might have done.
package sharing

// Ratio is a quotient that remembers what was divided.
type Ratio struct {
	Numerator   float64 `json:"numerator"`
	Denominator float64 `json:"denominator"`
}

// Value returns Numerator ÷ Denominator, never a percent; false when the
// denominator is 0, because the ratio of nothing does not exist.
func (r Ratio) Value() (float64, bool) {
	if r.Denominator == 0 {
		return 0, false
	}
	return r.Numerator / r.Denominator, true
}

// Position is one operator's presence on one site, as operators list them.
type Position struct {
	SiteCode string
	Operator string
}

// Count is what the ratios are made of: how many sites there are and who is on them.
type Count struct {
	Sites           int // with at least one operator
	SharedSites     int // with at least two operators
	Positions       int // distinct (site, operator) pairs
	SharedPositions int // positions on shared sites
}

// CountPositions counts distinct sites and operators. A position listed twice, for
// two technologies say, counts once; the order does not matter. Which positions
// belong (a stage, a phase, an operator's own) is for the caller to choose.
func CountPositions(positions []Position) Count {
	seen := make(map[Position]bool, len(positions))
	operators := make(map[string]int, len(positions))
	for _, p := range positions {
		if !seen[p] {
			seen[p] = true
			operators[p.SiteCode]++
		}
	}
	perSite := make([]int, 0, len(operators))
	for _, n := range operators {
		perSite = append(perSite, n)
	}
	return CountOperators(perSite)
}

// CountOperators counts from the number of operators on each site. Sites without
// an operator do not count.
func CountOperators(perSite []int) Count {
	var c Count
	for _, n := range perSite {
		if n < 1 {
			continue
		}
		c.Sites++
		c.Positions += n
		if n > 1 {
			c.SharedSites++
			c.SharedPositions += n
		}
	}
	return c
}

// SharedSiteRatio is the sites with two operators or more ÷ all sites.
func (c Count) SharedSiteRatio() Ratio {
	return Ratio{float64(c.SharedSites), float64(c.Sites)}
}

// TenancyRatio is the operator positions ÷ the sites: the mean number of operators
// on a site.
func (c Count) TenancyRatio() Ratio {
	return Ratio{float64(c.Positions), float64(c.Sites)}
}

// SharedPositionRatio is the operator positions on shared sites ÷ all positions:
// how much of the operators' presence is shared.
func (c Count) SharedPositionRatio() Ratio {
	return Ratio{float64(c.SharedPositions), float64(c.Positions)}
}
