package coverage

import (
	"math"
	"math/rand/v2"

	"github.com/paulmach/orb"
)

// cellsPerRadius is how fine the grid is by which discs are found needless.
const cellsPerRadius = 6

// needed leaves out discs whose part of the territory others cover between them: of a
// dense network most. It counts, for the squares of a grid, the discs that each lies within,
// and drops a disc when every square it touches lies within another that stays. What is
// left covers the same to the last digit, whether its discs are curves or polygons that
// stray less than the tolerance from them. Cost: about 200 squares for each disc.
func (t *territory) needed(curves []curve, toleranceM float64) []*curve {
	if len(curves) == 0 {
		return nil
	}
	side := curves[0].maxR / cellsPerRadius // of the largest
	within := map[[2]int]int{}
	cover := func(c *curve, n int) {
		c.squares(t.bound, side, c.minR-toleranceM, func(square [2]int, farthest float64) {
			if farthest < c.minR-toleranceM {
				within[square] += n
			}
		})
	}
	for i := range curves {
		cover(&curves[i], 1)
	}
	var kept []*curve
	// Not in their order from west to east: neighbours dropped one by one would leave a
	// denser rest than a choice from all over.
	for _, i := range rand.New(rand.NewPCG(1, uint64(len(curves)))).Perm(len(curves)) {
		c := &curves[i]
		cover(c, -1)
		needless := true
		c.squares(t.bound, side, c.maxR+toleranceM, func(square [2]int, _ float64) {
			needless = needless && within[square] > 0
		})
		if !needless {
			cover(c, 1)
			kept = append(kept, c)
		}
	}
	return kept
}

// squares calls yield with the squares of a grid in a box that come nearer to the centre than
// radiusM, and the distance of their farthest corner.
func (c *curve) squares(box orb.Bound, side, radiusM float64, yield func(square [2]int, farthest float64)) {
	index := func(x float64) int { return int(math.Floor(x / side)) }
	first := [2]int{index(max(c.centre[0]-radiusM, box.Min[0])), index(max(c.centre[1]-radiusM, box.Min[1]))}
	last := [2]int{index(min(c.centre[0]+radiusM, box.Max[0])), index(min(c.centre[1]+radiusM, box.Max[1]))}
	for x := first[0]; x <= last[0]; x++ {
		for y := first[1]; y <= last[1]; y++ {
			dx, dy := math.Abs((float64(x)+0.5)*side-c.centre[0]), math.Abs((float64(y)+0.5)*side-c.centre[1])
			if math.Hypot(max(0, dx-side/2), max(0, dy-side/2)) <= radiusM {
				yield([2]int{x, y}, math.Hypot(dx+side/2, dy+side/2))
			}
		}
	}
}
