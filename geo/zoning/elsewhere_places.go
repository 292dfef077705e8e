package zoning

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
	"github.com/tidwall/rtree"

	"hatang/geo"
)

// spot is a place to try: where one line comes nearest or two meet, with the direction
// of one of them, in radians from east towards north.
type spot struct {
	at      orb.Point // with seven decimals
	farM    float64
	heading float64
}

// ring tries the places between two distances, the nearest first. Where there is too much
// to look at it says how far it came.
func (f *finder) ring(fromM, toM float64) (stoppedM float64, complete bool) {
	lines := f.lines(toM)
	spots, complete := f.spots(lines, fromM-1, toM)
	if !complete {
		return fromM, false
	}
	slices.SortFunc(spots, func(a, b spot) int {
		return cmp.Or(cmp.Compare(a.farM, b.farM), cmp.Compare(a.at[0], b.at[0]), cmp.Compare(a.at[1], b.at[1]), cmp.Compare(a.heading, b.heading))
	})
	for len(spots) > 0 && spots[0].farM < f.bestM {
		if f.work > nearestWork {
			return spots[0].farM, false
		}
		n := 1
		for n < len(spots) && spots[n].at == spots[0].at {
			n++
		}
		f.round(spots[:n])
		spots = spots[n:]
	}
	return toM, true
}

// Beside a place that is not good itself the places between the lines are tried, a little
// way off; farther off for lines that run almost alike, whose middle a near one misses.
const (
	nearOffM = 0.03
	farOffM  = 0.5
)

// round tries a place, and in each of the corners that the lines through it make.
func (f *finder) round(spots []spot) {
	at := spots[0].at
	if f.try(at) {
		return
	}
	var room [16]float64
	turns := room[:0]
	for _, s := range spots {
		h := math.Mod(s.heading+2*math.Pi, math.Pi)
		turns = append(turns, h, h+math.Pi)
	}
	slices.Sort(turns)
	plane := geo.NewPlane(at)
	for _, offM := range [...]float64{nearOffM, farOffM} {
		found := false
		for i, a := range turns {
			b := turns[0] + 2*math.Pi
			if i+1 < len(turns) {
				b = turns[i+1]
			}
			if b-a < 1e-9 {
				continue
			}
			sin, cos := math.Sincos((a + b) / 2)
			found = f.try(rounded(plane.At(offM*cos, offM*sin))) || found
		}
		if found {
			return
		}
	}
}

// rounded has seven decimals, about a centimetre: a place that is told is the place that
// was judged.
func rounded(p orb.Point) orb.Point {
	return orb.Point{math.Round(p[0]*1e7) / 1e7, math.Round(p[1]*1e7) / 1e7}
}

// coordinates writes a place as people do, with the decimal mark of each language: "21.3826000° N, 103.0165000° E".
func coordinates(p orb.Point) geo.Text {
	degrees := func(v float64, halves string) string {
		half := halves[:1]
		if v < 0 {
			half = halves[1:]
		}
		return strconv.FormatFloat(math.Abs(v), 'f', 7, 64) + "° " + half
	}
	north, east := degrees(p[1], "NS"), degrees(p[0], "EW")
	return geo.Text{VI: strings.ReplaceAll(north+"; "+east, ".", ","), EN: north + ", " + east}
}

// spots gathers the places between two distances where a line comes nearest or two meet.
func (f *finder) spots(lines []curve, fromM, toM float64) (spots []spot, complete bool) {
	var tree rtree.RTreeG[int32]
	var room [2]orb.Point
	add := func(at orb.Point, through ...*curve) {
		at = rounded(at)
		farM := geo.DistanceM(f.proposal.Point, at)
		if !(farM >= fromM && farM <= toM && math.Abs(at[0]) <= 180) {
			return
		}
		for _, c := range through {
			spots = append(spots, spot{at, farM, c.heading(at)})
		}
	}
	for i := range lines {
		c := &lines[i]
		if at := c.foot(f.proposal.Point); f.open(at, fromM, toM) {
			add(at, c)
		}
		tree.Search(c.box.Min, c.box.Max, func(_, _ [2]float64, k int32) bool {
			f.work++
			for _, at := range c.guesses(room[:0], &lines[k], f.plane) {
				if f.open(at, fromM, toM) {
					add(c.refine(&lines[k], at), c, &lines[k])
				}
			}
			return f.work <= nearestWork
		})
		if f.work > nearestWork {
			return nil, false
		}
		tree.Insert(c.box.Min, c.box.Max, int32(i))
	}
	return spots, true
}

// open reports whether a place may be good and so far away, as far as can be told at once:
// a few metres about it do not matter.
func (f *finder) open(at orb.Point, fromM, toM float64) bool {
	const slackM = 10
	x, y := f.plane.OffsetM(at)
	farM := math.Hypot(x, y)
	return farM*1.02 >= fromM-slackM && farM*0.98 <= toM+slackM && !f.crowd.holds(x, y)
}

// lines gathers what may bound the good places so near, in an order of its own.
func (f *finder) lines(withinM float64) []curve {
	g := gathering{finder: f, withinM: withinM, accuracyM: f.proposal.accuracyM()}
	p := f.proposal.Point
	s := f.scene
	s.territories.each(&f.room, p, withinM+g.accuracyM, func(_ *Territory, as shape) { g.edges(as, g.accuracyM) })
	s.communes.each(&f.room, p, withinM+g.accuracyM, func(_ *Commune, as shape) { g.edges(as, g.accuracyM) })
	s.zones.eachDoubtful(&f.room, p, withinM+g.accuracyM, func(z *Zone, as shape) {
		if z.Period.Contains(f.proposal.Date) {
			besideM := 0.0
			if !z.Illustrative {
				besideM = g.accuracyM + z.edgeAccuracyM()
			}
			g.edges(as, besideM)
		}
	})
	setbacks := f.setbackM()
	widestM := 0.0
	for _, m := range setbacks {
		widestM = max(widestM, m)
	}
	s.areas.each(&f.room, p, withinM+max(widestM, g.accuracyM), func(a *Area, as shape) {
		besideM := setbacks[a.Kind]
		if a.Kind == DenselyPopulated && !a.Illustrative {
			besideM = max(besideM, g.accuracyM)
		}
		g.edges(as, besideM)
	})
	f.crowd = crowd{}
	g.circles()
	slices.SortFunc(g.found, compareCurves)
	return slices.Compact(g.found)
}

// setbackM is, by kind of area, how far from it the mast must stand.
func (f *finder) setbackM() map[string]float64 {
	out := map[string]float64{}
	for _, g := range f.grounds {
		for i := range g.rules.setbacks {
			r := &g.rules.setbacks[i]
			if !r.enabled || !slices.Contains(r.mastTypes, f.proposal.MastType) {
				continue
			}
			m := SetbackReachM // without a height it is unknown so near
			if f.proposal.HeightM != nil {
				m = r.ratioOfHeight * *f.proposal.HeightM
			}
			for _, kind := range r.areaKinds {
				out[kind] = max(out[kind], m)
			}
		}
	}
	return out
}

// gathering makes the lines of one ring.
type gathering struct {
	*finder
	withinM, accuracyM float64
	found              []curve
}

// edges takes those of an area, and the lines so many metres beside them.
func (g *gathering) edges(as shape, besideM float64) {
	as.index.EachEdgeIn(as.at, beside(g.proposal.Point, g.withinM+besideM), func(a, b orb.Point) {
		if before(b, a) {
			a, b = b, a
		}
		g.found = append(g.found, lineOf(a, b, 0))
		if besideM > 0 {
			g.found = append(g.found, lineOf(a, b, besideM), lineOf(a, b, -besideM), circleOf(g.plane, a, besideM), circleOf(g.plane, b, besideM))
		}
	})
}

// circles takes those round masts.
func (g *gathering) circles() {
	reachM := 0.0
	var c check
	for _, ground := range g.grounds {
		reachM = max(reachM, ground.rules.reachM+g.accuracyM)
	}
	var radii []float64
	g.scene.masts.each(&g.room, g.proposal.Point, g.withinM+reachM, func(m *Mast) {
		if g.proposal.isAbout(m) || farther(m.Point, g.proposal.Point, g.withinM+reachM) {
			return
		}
		radii = radii[:0]
		surelyM := math.Inf(1)
		for _, ground := range g.grounds {
			c.start(ground.rules, g.proposal, verdictOnly)
			c.around.accuracyM = g.accuracyM
			var m0 float64
			radii, m0 = c.radii(radii, m)
			surelyM = min(surelyM, m0)
		}
		slices.Sort(radii)
		for _, radiusM := range slices.Compact(radii) {
			if radiusM > 0 && radiusM >= surelyM { // within that no place is good
				g.found = append(g.found, circleOf(g.plane, m.Point, radiusM))
			}
		}
		x, y := g.plane.OffsetM(m.Point)
		g.crowd.add(x, y, surelyM)
	})
}

// radii appends the distances from the mast at which what the rules find may change; and
// says how near to it no place is good, be it urban or not.
func (c *check) radii(to []float64, m *Mast) (radii []float64, surelyM float64) {
	kinds := [...]string{areaUrban, areaDense, areaRural}
	var blocked [len(kinds)]float64
	block := func(areas []string, m float64) {
		for i, kind := range kinds {
			if slices.Contains(areas, kind) {
				blocked[i] = max(blocked[i], m)
			}
		}
	}
	for i := range c.rules.spacings {
		r := &c.rules.spacings[i]
		lowM, highM, applies := r.required(&c.proposal)
		if !applies || !c.spaces(&r.counts, m) {
			continue
		}
		to = append(to, lowM, highM)
		if marginM := c.spacingMarginM(r); r.Effect == Binding && marginM > 0 {
			to = append(to, lowM+marginM, highM+marginM)
		}
		block(r.areas, lowM)
	}
	for i := range c.rules.sharings {
		r := &c.rules.sharings[i]
		if !slices.Contains(r.mastTypes, c.proposal.MastType) || !c.canCarry(r, &nearMast{Mast: m}) {
			continue
		}
		for _, d := range r.distances {
			to = append(to, d.withinM)
			block(d.areas, d.withinM)
		}
	}
	return to, min(blocked[0], blocked[1], blocked[2])
}

// crowd are the places too near to masts, whatever else there is.
type crowd struct {
	tree rtree.RTreeG[near]
	some bool
}

// near is a mast, in the plane of the search, and how near to it no place is good.
type near struct{ x, y, surelyM float64 }

// add leaves some metres to what is tried beside a place, and to the plane.
func (c *crowd) add(x, y, surelyM float64) {
	if surelyM -= 3 + surelyM/100; surelyM > 0 {
		c.tree.Insert([2]float64{x - surelyM, y - surelyM}, [2]float64{x + surelyM, y + surelyM}, near{x, y, surelyM})
		c.some = true
	}
}

func (c *crowd) holds(x, y float64) (held bool) {
	if c.some {
		at := [2]float64{x, y}
		c.tree.Search(at, at, func(_, _ [2]float64, m near) bool {
			held = (m.x-x)*(m.x-x)+(m.y-y)*(m.y-y) < m.surelyM*m.surelyM
			return !held
		})
	}
	return held
}
