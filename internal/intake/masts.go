package intake

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// Position is a position of an operator, as his list or the register has it.
type Position struct {
	Operator string    `json:"operator"`
	Code     string    `json:"code"`
	Name     string    `json:"name,omitempty"`
	At       orb.Point `json:"at"` // longitude, latitude
	Row      int64     `json:"row,omitempty"`
	Site     string    `json:"site,omitempty"` // code of the site that it is on; "" for one of its own
}

// SameMastM is how near positions of different operators are taken for one mast, where
// nobody says: what a hand-held receiver and the size of a compound leave apart.
const SameMastM = 50

// Link is two positions of different operators, and what speaks for their being one mast.
type Link struct {
	A         Position  `json:"a"`
	B         Position  `json:"b"`
	DistanceM float64   `json:"distance_m"`
	SameCode  bool      `json:"same_code,omitempty"` // but for case, blanks and signs
	SameName  bool      `json:"same_name,omitempty"` // but for these and marks
	Why       *geo.Text `json:"why,omitempty"`       // they are not proposed as one
}

// ProposedSite is positions of different operators that are likely one mast.
type ProposedSite struct {
	At        orb.Point  `json:"at"` // the mean of the positions
	Positions []Position `json:"positions"`
	Links     []Link     `json:"links"` // of each two of them that are not on one site yet
	SpreadM   float64    `json:"spread_m"`
}

// ProposedSites is what lists of positions come to. Every position is in one site, or alone.
type ProposedSites struct {
	Sites []ProposedSite `json:"sites"`
	Alone []Position     `json:"alone"` // with no other operator's within the distance, or none that it may join
	// Apart are positions within the distance that are not proposed as one, and why: an
	// operator would have two positions there, the mast would be wider than the distance, or
	// somebody has found that they are two.
	Apart []Link `json:"apart"`
	// Crowded are positions where so many stand in one cell of the distance that nobody can
	// tell masts: places that were made up, say, or all of a list at its office.
	Crowded []Position `json:"crowded"`
}

// mostPerCell is how many positions may stand in one cell of the distance.
const mostPerCell = 32

// ErrPositions is returned for positions that are not on earth, and for a distance that is not a positive number.
var ErrPositions = errors.New("the positions cannot be compared")

// ProposeSites finds the masts that several operators list, each as a position of his own.
// The nearest pairs of different operators come first, and two groups become one where
// no operator is in both and all their positions are within the distance of each other; two positions
// of one operator are never put together, and a pair that is kept apart is told with the
// reason. The order of the positions does not matter. Not across the antimeridian.
// Cost: n log n; some 20 µs for each position at most.
func ProposeSites(positions []Position, distanceM float64, found func(a, b Position) bool) (ProposedSites, error) {
	if !(distanceM > 0 && distanceM <= 100_000) {
		return ProposedSites{}, fmt.Errorf("%w: a distance of %v m", ErrPositions, distanceM)
	}
	positions = slices.Clone(positions)
	slices.SortFunc(positions, comparePositions)
	points := make([]orb.Point, len(positions))
	for i, p := range positions {
		if !(math.Abs(p.At[0]) <= 180 && math.Abs(p.At[1]) <= 90) {
			return ProposedSites{}, fmt.Errorf("%w: %v is not on earth", ErrPositions, p.At)
		}
		points[i] = p.At
	}
	m := &masts{positions: positions, near: newNear(points, distanceM), group: make([]int, len(positions)), members: map[int][]int{}, found: found}
	return m.propose(), nil
}

// comparePositions is an order that does not depend on any.
func comparePositions(a, b Position) int {
	return cmp.Or(cmp.Compare(a.Operator, b.Operator), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.At[0], b.At[0]), cmp.Compare(a.At[1], b.At[1]), cmp.Compare(a.Row, b.Row))
}

// masts groups positions, which are sorted.
type masts struct {
	positions []Position
	near      *near
	group     []int         // of each position
	members   map[int][]int // of each group
	found     func(a, b Position) bool
}

// edge is two positions within the distance.
type edge struct {
	a, b      int
	distanceM float64
}

func (m *masts) propose() ProposedSites {
	out := ProposedSites{Sites: []ProposedSite{}, Alone: []Position{}, Apart: []Link{}, Crowded: []Position{}}
	crowded := make([]bool, len(m.positions))
	for _, members := range m.near.cells {
		for _, i := range members {
			crowded[i] = len(members) > mostPerCell
		}
	}
	for i := range m.positions {
		m.group[i], m.members[i] = i, []int{i}
		if crowded[i] {
			out.Crowded = append(out.Crowded, m.positions[i])
		}
	}
	m.joinSites(crowded)
	for _, e := range m.edges(crowded) {
		a, b := m.group[e.a], m.group[e.b]
		if a == b {
			continue
		}
		if why := m.apart(a, b); why != nil {
			link := m.link(e.a, e.b, e.distanceM)
			link.Why = why
			out.Apart = append(out.Apart, link)
			continue
		}
		m.join(a, b)
	}
	for i := range m.positions {
		switch members := m.members[m.group[i]]; {
		case crowded[i]:
		case !m.several(members):
			out.Alone = append(out.Alone, m.positions[i])
		case members[0] == i:
			out.Sites = append(out.Sites, m.site(members))
		}
	}
	return out
}

// joinSites puts together what is on one site, but for what is crowded.
func (m *masts) joinSites(crowded []bool) {
	first := map[string]int{}
	for i, p := range m.positions {
		if p.Site == "" || crowded[i] {
			continue
		}
		if other, known := first[p.Site]; known {
			m.join(m.group[other], i)
		} else {
			first[p.Site] = i
		}
	}
}

// several reports whether positions are on several sites.
func (m *masts) several(members []int) bool {
	return slices.ContainsFunc(members[1:], func(i int) bool { return !m.together(members[0], i) })
}

// together reports whether two positions are on one site.
func (m *masts) together(i, j int) bool {
	return m.positions[i].Site != "" && m.positions[i].Site == m.positions[j].Site
}

// edges are the pairs of different operators within the distance, the nearest first.
func (m *masts) edges(crowded []bool) []edge {
	var edges []edge
	for i := range m.positions {
		if crowded[i] {
			continue
		}
		m.near.cellsAround(m.positions[i].At, func(members []int) {
			if len(members) > mostPerCell {
				return
			}
			for _, j := range members {
				if j <= i || m.positions[i].Operator == m.positions[j].Operator {
					continue
				}
				if d := geo.DistanceM(m.positions[i].At, m.positions[j].At); d <= m.near.reachM {
					edges = append(edges, edge{i, j, d})
				}
			}
		})
	}
	slices.SortFunc(edges, func(x, y edge) int {
		return cmp.Or(cmp.Compare(x.distanceM, y.distanceM), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	})
	return edges
}

// apart says why two groups are not one; nil where they may be.
func (m *masts) apart(a, b int) *geo.Text {
	widest := 0.0
	for _, i := range m.members[a] {
		for _, j := range m.members[b] {
			if operator := m.positions[i].Operator; operator == m.positions[j].Operator {
				why := sentence("%s sẽ có hai vị trí trên một cột: %s và %s", "%s would have two positions on one mast: %s and %s", operator, m.positions[i].Code, m.positions[j].Code)
				return &why
			}
			if m.found != nil && m.found(m.positions[i], m.positions[j]) {
				why := sentence("đã xác định là hai cột: %s và %s", "these were found to be two masts: %s and %s", m.positions[i].Code, m.positions[j].Code)
				return &why
			}
			widest = max(widest, geo.DistanceM(m.positions[i].At, m.positions[j].At))
		}
	}
	if widest > m.near.reachM {
		why := sentence("các vị trí sẽ cách nhau đến %.1f m", "the positions would be up to %.1f m apart", widest)
		return &why
	}
	return nil
}

// join makes two groups one. A group has no more members than there are operators, and
// those within the distance of a cell are few.
func (m *masts) join(a, b int) {
	if b < a {
		a, b = b, a
	}
	for _, i := range m.members[b] {
		m.group[i] = a
	}
	m.members[a] = append(m.members[a], m.members[b]...)
	slices.Sort(m.members[a])
	delete(m.members, b)
}

// site makes a proposal of a group.
func (m *masts) site(members []int) ProposedSite {
	site := ProposedSite{Links: []Link{}}
	for at, i := range members {
		p := m.positions[i]
		site.Positions = append(site.Positions, p)
		site.At[0] += p.At[0] / float64(len(members))
		site.At[1] += p.At[1] / float64(len(members))
		for _, j := range members[at+1:] {
			d := geo.DistanceM(p.At, m.positions[j].At)
			site.SpreadM = max(site.SpreadM, d)
			if !m.together(i, j) {
				site.Links = append(site.Links, m.link(i, j, d))
			}
		}
	}
	return site
}

func (m *masts) link(i, j int, distanceM float64) Link {
	a, b := m.positions[i], m.positions[j]
	return Link{A: a, B: b, DistanceM: distanceM, SameCode: key(a.Code) != "" && key(a.Code) == key(b.Code), SameName: key(a.Name) != "" && key(a.Name) == key(b.Name)}
}
