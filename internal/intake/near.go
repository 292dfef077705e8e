package intake

import (
	"math"

	"github.com/paulmach/orb"
)

// near finds points within a distance of each other: they are filed in cells about as large.
// It does not look across the antimeridian.
type near struct {
	reachM float64
	points []orb.Point
	cells  map[[2]int64][]int // positions of points, in their order
}

// The shortest degree of latitude, and of longitude at the equator, metres: half a percent less, so that
// nothing is missed.
const (
	degreeLatM = 110574 * 0.995
	degreeLonM = 111319 * 0.995
)

// newNear files points for a distance of more than 0. Cost: linear.
func newNear(points []orb.Point, reachM float64) *near {
	n := &near{reachM: reachM, points: points, cells: map[[2]int64][]int{}}
	for i, p := range points {
		c := n.cell(p)
		n.cells[c] = append(n.cells[c], i)
	}
	return n
}

func (n *near) row(lat float64) int64 { return int64(math.Floor(lat * degreeLatM / n.reachM)) }

// lonReach is how many degrees of longitude the distance is at most, in a row and those beside it.
func (n *near) lonReach(row int64) float64 {
	height := n.reachM / degreeLatM
	lat := max(math.Abs(float64(row-1)), math.Abs(float64(row+2))) * height
	return n.reachM / (degreeLonM * max(math.Cos(min(lat, 89.9)*math.Pi/180), 1e-3))
}

func (n *near) cell(p orb.Point) [2]int64 {
	row := n.row(p[1])
	return [2]int64{row, int64(math.Floor(p[0] / n.lonReach(row)))}
}

// cellsAround calls yield with the members of each cell that may hold a point within the distance.
func (n *near) cellsAround(p orb.Point, yield func(members []int)) {
	row := n.row(p[1])
	for r := row - 1; r <= row+1; r++ {
		width := n.lonReach(r)
		reach := max(width, n.lonReach(row))
		for c := int64(math.Floor((p[0] - reach) / width)); c <= int64(math.Floor((p[0]+reach)/width)); c++ {
			if members := n.cells[[2]int64{r, c}]; len(members) > 0 {
				yield(members)
			}
		}
	}
}
