package tables

import (
	"fmt"
	"math"

	"github.com/tidwall/rtree"
	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/xy"
	"github.com/twpayne/go-geom/xy/location"
)

// labels finds which text of a drawing says what a point or an area is.
type labels struct {
	texts  []label // none where there are too many to hold
	many   bool
	size   int                 // bytes that the texts take
	points rtree.RTreeG[int64] // points and blocks, by their numbers
	count  int
	tree   rtree.RTreeG[int] // texts, by their places in the list
	by     map[int64]int     // the text of each point
}

// label is a text of a drawing.
type label struct {
	number int64
	layer  string
	text   string
	at     [2]float64
	height float64
}

// maxLabels is of how many points and texts it is found out what belongs together; of more
// each stands for itself.
const (
	maxLabels     = 100_000
	maxLabelBytes = 16 << 20
)

// nearHeights is how far a text may be from its point, in heights of its letters: further than
// where programs put it, nearer than the next point is in a drawing that can be read.
const nearHeights = 5

// note takes a text or a point.
func (l *labels) note(e *entity) {
	x, y := e.first[0], e.first[1]
	if e.tilted || math.IsNaN(x-x) || math.IsNaN(y-y) {
		return
	}
	if e.mirrored && e.kind != "POINT" && e.kind != "MTEXT" {
		x = -x
	}
	switch {
	case e.isText() && !l.many:
		if l.size += len(e.text) + len(e.layer) + 64; len(l.texts) >= maxLabels || l.size > maxLabelBytes {
			l.texts, l.many = nil, true
			return
		}
		l.texts = append(l.texts, label{e.number, e.layer, e.text, [2]float64{x, y}, math.Abs(e.height)})
	case (e.kind == "POINT" || e.kind == "INSERT") && l.count <= maxLabels:
		l.count++
		l.points.Insert([2]float64{x, y}, [2]float64{x, y}, e.number)
	}
}

// match gives each text to the nearest point, and of those that a point has then it keeps the
// nearest.
func (l *labels) match() Guess {
	l.by = map[int64]int{}
	if l.count > maxLabels || l.many {
		l.points = rtree.RTreeG[int64]{}
		return Guess{"text", "apart", "there are too many points and texts to find out what belongs together"}
	}
	nearest := map[int64]float64{}
	for i, t := range l.texts {
		l.tree.Insert(t.at, t.at, i)
		l.points.Nearby(rtree.BoxDist[float64, int64](t.at, t.at, nil), func(at, _ [2]float64, number int64, _ float64) bool {
			d := math.Hypot(at[0]-t.at[0], at[1]-t.at[1])
			if d > nearHeights*t.height {
				return false
			}
			if known, ok := nearest[number]; !ok || d < known {
				nearest[number], l.by[number] = d, i
			}
			return false // the next are further
		})
	}
	return Guess{"text", "near", fmt.Sprintf("%d of %d texts stand within %d heights of their letters of a point", len(l.by), len(l.texts), nearHeights)}
}

// used are the texts that points have.
func (l *labels) used() []bool {
	used := make([]bool, len(l.texts))
	for _, i := range l.by {
		used[i] = true
	}
	return used
}

// of is the text of a point; -1 for none.
func (l *labels) of(number int64) int {
	if i, ok := l.by[number]; ok {
		return i
	}
	return -1
}

// in is the only text in an area that is no point's; -1 for none or several.
func (l *labels) in(g geom.T, used []bool) int {
	area, ok := g.(*geom.Polygon)
	if !ok {
		return -1
	}
	bounds := area.Bounds()
	found, count, tests := -1, 0, maxTests/1000
	l.tree.Search([2]float64{bounds.Min(0), bounds.Min(1)}, [2]float64{bounds.Max(0), bounds.Max(1)}, func(at, _ [2]float64, i int) bool {
		tests -= area.NumCoords() + 1
		if used[i] || xy.LocatePointInRing(area.Layout(), at[:], area.FlatCoords()) == location.Exterior {
			return tests > 0
		}
		found = i
		count++
		return count < 2 && tests > 0
	})
	if count != 1 || tests <= 0 {
		return -1
	}
	return found
}
