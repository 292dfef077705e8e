package zoning

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// MaxNearestM is how far Scene.Nearest looks at the most, metres.
const MaxNearestM = 20000.0

// nearestWork bounds a search: how many verdicts it asks for, and pairs of lines it has
// meet, altogether. Towns take a hundredth of it.
const nearestWork = 600_000

// Elsewhere is where, nearest to the place of a proposal, the same mast may stand.
type Elsewhere struct {
	WithinM    float64    // how far was looked, metres
	Place      *orb.Point // degrees with seven decimals; nil: there is none
	At         Place      // the units it lies in
	DistanceM  float64    // from the place of the proposal, to the millimetre
	BearingDeg float64    // clockwise from true north, to a tenth
	Verdict    Verdict    // there
	// StoppedAtM: so far nothing is left out, but there was too much to look at beyond.
	// Nil: all was looked at.
	StoppedAtM *float64
	Message    geo.Text
}

// Nearest looks for the nearest place, no farther than withinM metres, MaxNearestM at the
// most, where the same mast is permitted and nothing about the place speaks against it: by
// Verdict at that very place. What the mast brings with it wherever it stands, a height
// that calls for a consultation, is no matter of the place: the verdict there is then
// conditional, and nothing else is. The place is in the proposal's territory or, where the
// proposal lies outside every territory with rules, in any that has some. A place that is
// good itself is its own nearest; a proposal that is not valid has none.
//
// Good places are bounded by edges (of territories, communes, zones, areas), by lines at
// a distance beside them, and by circles round masts. The nearest one lies where such a
// line comes nearest, or where two meet; those are tried, the nearest first, together
// with what lies beside them. No good place is nearer by more than a metre, unless in a
// strip less than that wide. Where the position or an edge is not accurate the place
// keeps clear of every edge whose other side would change the verdict, and may be
// farther than it need be by the accuracies. The order of the scene's rows never
// matters. Cost: by how much lies within the distance found, whatever the scene's size:
// some ms in a town. Across the antimeridian and round the poles nothing is found.
func (s *Scene) Nearest(rules *Rules, p Proposal, withinM float64) Elsewhere {
	f := finder{scene: s, rules: rules, proposal: p, out: Elsewhere{WithinM: min(withinM, MaxNearestM)}}
	f.find()
	return f.out
}

// finder is one search on its way.
type finder struct {
	scene    *Scene
	rules    *Rules
	proposal Proposal
	home     string // the territory it must be in; "": any
	grounds  []ground
	room     []int
	work     int
	plane    geo.Plane // at the place of the proposal
	out      Elsewhere
	bestM    float64
	crowd    crowd
}

// ground is a territory in reach, and what its rules find against the mast anywhere.
type ground struct {
	territory string
	rules     *RuleSet
	own       []Finding
}

func (f *finder) find() {
	f.bestM = math.Inf(1)
	f.out.Verdict = Undetermined
	if f.proposal.Validate() != nil || !(f.out.WithinM > 0) || math.Abs(f.proposal.Point[1]) > 85 {
		f.sayNone(nil)
		return
	}
	f.plane = geo.NewPlane(f.proposal.Point)
	against := f.survey()
	if len(f.grounds) == 0 {
		f.sayNone(against)
		return
	}
	if f.try(f.proposal.Point) {
		f.say("alternative/nearest_here", args{required: f.out.Verdict.Text()})
		return
	}
	const firstM = 250
	for fromM, toM := 0.0, min(firstM, f.out.WithinM); ; fromM, toM = toM, min(2*toM, f.out.WithinM) {
		stoppedM, complete := f.ring(fromM, toM)
		if !complete {
			f.out.StoppedAtM = new(math.Floor(stoppedM))
		}
		if f.bestM <= toM || toM == f.out.WithinM || !complete {
			break
		}
	}
	if f.bestM > f.out.WithinM {
		f.out.Place = nil
	}
	if f.out.Place == nil {
		f.out.At, f.out.DistanceM, f.out.BearingDeg, f.out.Verdict = Place{}, 0, 0, Undetermined
		f.sayNone(nil)
		return
	}
	f.out.BearingDeg = math.Mod(math.Round(geo.AzimuthDeg(f.proposal.Point, *f.out.Place)*10)/10, 360)
	f.say("alternative/nearest", args{measured: metres(f.bestM), required: f.out.Verdict.Text(), otherwise: direction(f.out.BearingDeg),
		area: coordinates(*f.out.Place)})
}

// survey finds the territories where the mast may stand at all, and which rules are
// against it everywhere where there is none.
func (f *finder) survey() (against []string) {
	here := f.scene.At(f.proposal.Point).Territory
	if _, its := f.rules.For(here); its && here != "" {
		f.home = here
	}
	known := map[string]bool{}
	f.scene.territories.each(&f.room, f.proposal.Point, f.out.WithinM, func(t *Territory, _ shape) {
		set, its := f.rules.For(t.Code)
		if !its || known[t.Code] || f.home != "" && t.Code != f.home {
			return
		}
		known[t.Code] = true
		own := set.own(f.proposal)
		if slices.ContainsFunc(own, func(o Finding) bool { return verdictOf(&o).strength() >= Undetermined.strength() }) {
			for i := range own {
				against = append(against, own[i].Rule)
			}
			return
		}
		f.grounds = append(f.grounds, ground{t.Code, set, own})
	})
	slices.SortFunc(f.grounds, func(a, b ground) int { return cmp.Compare(a.territory, b.territory) })
	slices.Sort(against)
	return slices.Compact(against)
}

// own is what the rules find against the mast wherever it stands, by its dimensions.
func (rs *RuleSet) own(p Proposal) []Finding {
	var c check
	c.start(rs, p, figures)
	c.around.inTerritory = true
	if c.applies() {
		c.class()
		top := c.top()
		for i := range rs.consultations {
			c.consultHeight(&rs.consultations[i], top)
		}
	}
	return slices.DeleteFunc(c.findings, func(f Finding) bool { return verdictOf(&f) == Permitted })
}

// try has a place judged, and keeps it when it is good and the nearest so far.
func (f *finder) try(at orb.Point) bool {
	distanceM := geo.DistanceM(f.proposal.Point, at)
	if distanceM > f.bestM || distanceM == f.bestM && !before(at, *f.out.Place) {
		return false
	}
	f.work++
	p := f.proposal
	p.Point = at
	place, v := f.scene.Verdict(f.rules, p)
	if v != Permitted && v != Conditional || f.home != "" && place.Territory != f.home || v == Conditional && !f.onlyOwn(place, p) {
		return false
	}
	f.bestM = distanceM
	f.out.Place, f.out.At, f.out.Verdict, f.out.DistanceM = &at, place, v, toMillimetre(distanceM)
	return true
}

// before orders places that are equally far.
func before(a, b orb.Point) bool { return a[0] < b[0] || a[0] == b[0] && a[1] < b[1] }

// onlyOwn reports whether all that stands against the mast there does so everywhere.
func (f *finder) onlyOwn(place Place, p Proposal) bool {
	n := slices.IndexFunc(f.grounds, func(g ground) bool { return g.territory == place.Territory })
	if n < 0 || len(f.grounds[n].own) == 0 {
		return false
	}
	_, r := f.scene.result(f.rules, p, figures)
	for i := range r.Findings {
		found := &r.Findings[i]
		if verdictOf(found) != Permitted && !slices.ContainsFunc(f.grounds[n].own, func(o Finding) bool {
			return o.Rule == found.Rule && o.stage == found.stage && found.Evidence == nil && (o.MeasuredM == nil) == (found.MeasuredM == nil)
		}) {
			return false
		}
	}
	return true
}

func (f *finder) say(key string, a args) { f.out.Message = sayPlain(key, &a) }

func (f *finder) sayNone(against []string) {
	if len(against) > 0 {
		f.say("alternative/nowhere", args{rules: same(strings.Join(against, ", "))})
		return
	}
	lookedM := f.out.WithinM
	if f.out.StoppedAtM != nil {
		lookedM = *f.out.StoppedAtM
	}
	f.say("alternative/nearest_none", args{distance: metres(lookedM)})
}

// direction names the nearest of eight points of the compass.
func direction(deg float64) geo.Text {
	names := [...]geo.Text{{VI: "bắc", EN: "north"}, {VI: "đông bắc", EN: "north-east"}, {VI: "đông", EN: "east"}, {VI: "đông nam", EN: "south-east"},
		{VI: "nam", EN: "south"}, {VI: "tây nam", EN: "south-west"}, {VI: "tây", EN: "west"}, {VI: "tây bắc", EN: "north-west"}}
	return names[int(math.Round(deg/45))%len(names)]
}
