package permit

import (
	"sync"
	"time"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/layer"
)

// Snapshot is everything that checks need, as one class of viewers may know it, on
// one date, in one state of the register. It is immutable and safe for concurrent
// use; of what it was made from it keeps nothing in the database.
type Snapshot struct {
	scene    *zoning.Scene
	register *zoning.Scene // without the masts that are proposed together
	rules    *zoning.Rules
	date     geo.Date
	knownAt  *time.Time
	versions layer.Versions // as the viewer is told them

	generalised bool // it shows sites less exactly than they are known
}

// newSnapshot prepares facts for checks.
func newSnapshot(asked Asked, facts Facts, rules *zoning.Rules) *Snapshot {
	s := snapshotOf(zoning.NewScene(facts.SceneData), rules, asked.Date, facts.Shown, facts.Generalised)
	if !asked.KnownAt.IsZero() {
		// The versions are of now, and the facts are not.
		s.knownAt, s.versions = &asked.KnownAt, nil
	}
	return s
}

func snapshotOf(scene *zoning.Scene, rules *zoning.Rules, date geo.Date, shown layer.Versions, generalised bool) *Snapshot {
	return &Snapshot{scene: scene, register: scene, rules: rules, date: date, versions: shown, generalised: generalised}
}

// Date is the date for which the snapshot answers.
func (s *Snapshot) Date() geo.Date { return s.date }

// Versions are the versions of the layers it was made from; nil in a replay.
func (s *Snapshot) Versions() layer.Versions { return s.versions }

// Generalised reports whether it shows sites less exactly than they are known.
func (s *Snapshot) Generalised() bool { return s.generalised }

// Check judges a proposal by the rules of the province it lies in, on the date of
// the snapshot, whatever its own.
func (s *Snapshot) Check(p zoning.Proposal) Answer {
	p.Date = s.date
	place, result := s.scene.Check(s.rules, p)
	return s.answer(p, place, result)
}

// Findings is Check without its sentences, for batches.
func (s *Snapshot) Findings(p zoning.Proposal) Answer {
	p.Date = s.date
	place, result := s.scene.Findings(s.rules, p)
	return s.answer(p, place, result)
}

// Verdict is the verdict of Check alone and where the point lies. It does not allocate.
func (s *Snapshot) Verdict(p zoning.Proposal) (zoning.Place, zoning.Verdict) {
	p.Date = s.date
	return s.scene.Verdict(s.rules, p)
}

// Lacks is what is wrong with a proposal among these facts, nil for nothing: the mast that it
// says it is about is none that the viewer sees and that is in force. One that is kept from him
// is as one that there is not.
func (s *Snapshot) Lacks(p *zoning.Proposal) *layer.InvalidError {
	if p.Feature == 0 || s.register.Mast(p.Feature) != nil {
		return nil
	}
	var faults layer.Faults
	faults.Add("/feature", "không có cột ăng ten nào bạn xem được, có trong ngày này, mang id %d", "no mast that you may see, and that is there on this date, has the id %d", p.Feature)
	return &layer.InvalidError{Faults: faults}
}

// Listed are masts that are proposed together.
type Listed struct {
	Masts    []zoning.Mast // see zoning.ProposedMast
	Features []int64       // the masts of the register that they are
}

func (l *Listed) add(p zoning.Proposal, name string) {
	l.Masts = append(l.Masts, zoning.ProposedMast(p, name))
	if p.Feature != 0 {
		l.Features = append(l.Features, p.Feature)
	}
}

// Among is the snapshot with masts that are proposed together. Drafts of theirs are met as
// what is proposed; what stands or is planned goes on counting where it is.
func (s *Snapshot) Among(all Listed) Judge { return s.among(all) }

func (s *Snapshot) among(all Listed) *Snapshot {
	changes := zoning.Changes{Came: zoning.SceneData{Masts: all.Masts}}
	for _, id := range all.Features {
		if m := s.register.Mast(id); m != nil && m.Status == zoning.Draft {
			changes.GoneMasts = append(changes.GoneMasts, id)
		}
	}
	other := *s
	other.scene = s.scene.With(changes)
	return &other
}

func (s *Snapshot) answer(p zoning.Proposal, place zoning.Place, result zoning.Result) Answer {
	a := Answer{Result: result, Point: p.Point, Versions: s.versions, KnownAt: s.knownAt, Generalised: s.generalised}
	a.Unit = unitOf(place)
	return a
}

// unitOf names the units of a place, nil outside all.
func unitOf(place zoning.Place) *Unit {
	if place.Territory == "" && place.Commune == "" {
		return nil
	}
	return &Unit{Commune: place.Commune, District: place.District, Province: place.Territory}
}

// Unit names the units a point lies in.
type Unit struct {
	Commune  string `json:"commune"`
	District string `json:"district"`
	Province string `json:"province"`
}

// Answer is a verdict with what it was made from.
type Answer struct {
	zoning.Result
	Unit     *Unit          `json:"unit"` // null outside every known unit
	Point    [2]float64     `json:"point"`
	Versions layer.Versions `json:"versions,omitempty"` // none in a replay
	KnownAt  *time.Time     `json:"known_at,omitempty"` // of a replay
	// Generalised: sites were judged as the public is shown them, rounded or not at all.
	Generalised bool `json:"generalised,omitempty"`
	// Nearest is where the same mast may stand, if that was asked.
	Nearest *Nearest `json:"nearest,omitempty"`
}

// mostParsed is how many rule sets are kept parsed: those of all provinces, and then some.
const mostParsed = 256

// parser parses rule sets once: the same text parses to the same rules.
type parser struct {
	mu     sync.Mutex
	parsed map[string]*zoning.RuleSet // by id and body
}

// rules parses the rule sets of the facts. A published body that cannot be parsed
// is an error, so that checks answer with a problem and never wrongly.
func (p *parser) rules(sets []RuleSet) (*zoning.Rules, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	territories := make([]zoning.TerritoryRules, 0, len(sets))
	for _, set := range sets {
		label := set.ID + "@" + string(set.Body)
		parsed, ok := p.parsed[label]
		if !ok {
			var err error
			if parsed, err = zoning.ParseRuleSet(set.Body); err != nil {
				return nil, errNoRules(set.ID, err)
			}
			if len(p.parsed) >= mostParsed {
				clear(p.parsed)
			}
			p.parsed[label] = parsed
		}
		territories = append(territories, zoning.TerritoryRules{Territory: set.Jurisdiction, Rules: parsed})
	}
	return zoning.NewRules(territories), nil
}

// reachM is how far any of the rule sets looks for masts or beside special areas, metres.
func (p *parser) reachM(sets []RuleSet) (float64, error) {
	rules, err := p.rules(sets)
	if err != nil {
		return 0, err
	}
	return max(rules.ReachM(), rules.BesideM()), nil
}
