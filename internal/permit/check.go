package permit

import (
	"cmp"
	"context"
	"time"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// Checker answers proposals. It is safe for concurrent use.
type Checker struct {
	finder Finder
	memory *Memory // nil: every answer is made from the database
	parser *parser
	whole  chan struct{} // a place for each reading of a whole register
}

// wholeReads is how many may read a whole register at a time: each takes a core and
// the memory of a register.
const wholeReads = 2

func newChecker(f Finder, m *Memory, p *parser) *Checker {
	return &Checker{finder: f, memory: m, parser: p, whole: make(chan struct{}, wholeReads)}
}

// NewChecker returns a checker over the finder's facts, which reads them for every call.
func NewChecker(f Finder) *Checker {
	return newChecker(f, nil, &parser{parsed: map[string]*zoning.RuleSet{}})
}

// MaxDates is how many different dates the proposals of one call may have: each
// takes a reading of the database.
const MaxDates = 100

// Check answers each proposal, in order. Proposals of one date share one snapshot
// of the register.
func (c *Checker) Check(ctx context.Context, v account.Viewer, proposals []zoning.Proposal) ([]Answer, error) {
	return c.CheckAsKnown(ctx, v, proposals, time.Time{})
}

// CheckAsKnown is Check by what the register held at a record time; zero: now. A proposal about
// a mast that the viewer does not see is a *layer.InvalidError.
func (c *Checker) CheckAsKnown(ctx context.Context, v account.Viewer, proposals []zoning.Proposal, knownAt time.Time) ([]Answer, error) {
	answers := make([]Answer, len(proposals))
	byDate := map[geo.Date][]int{}
	for i, p := range proposals {
		byDate[p.Date] = append(byDate[p.Date], i)
	}
	var lacks *layer.InvalidError
	err := c.eachDate(ctx, Asked{Viewer: v, KnownAt: knownAt}, proposals, byDate, Listed{}, func(s *Snapshot, at int) {
		lacks = cmp.Or(lacks, s.Lacks(&proposals[at]))
		answers[at] = s.Check(proposals[at])
	})
	if err == nil && lacks != nil {
		return nil, lacks
	}
	return answers, err
}

// eachDate calls judge with each of the proposals listed by date and a snapshot that
// answers for it, one for all of a date, with the masts that are proposed beside it.
func (c *Checker) eachDate(ctx context.Context, asked Asked, proposals []zoning.Proposal, byDate map[geo.Date][]int, listed Listed, judge func(*Snapshot, int)) error {
	if n := len(byDate); n > MaxDates {
		var faults layer.Faults
		faults.Add("/proposals", "các đề nghị nêu %d ngày khác nhau; một lần hỏi nhận nhiều nhất %d ngày", "the proposals name %d different dates; one call takes at most %d", n, MaxDates)
		return faults.Err()
	}
	for date, which := range byDate {
		asked.Date = date
		these := make([]zoning.Proposal, len(which))
		for i, at := range which {
			these[i] = proposals[at]
		}
		s, err := c.near(ctx, asked.asking(these))
		if err != nil {
			return err
		}
		if len(listed.Masts) > 0 {
			s = s.among(listed)
		}
		for i, at := range which {
			if err := ctx.Err(); (i%100 == 0 || asked.WithinM > 0) && err != nil {
				return err
			}
			judge(s, at)
		}
	}
	return nil
}

// near returns a snapshot that answers for the points asked for: of the whole
// register where that is in memory and fresh, else of what lies round them.
func (c *Checker) near(ctx context.Context, asked Asked) (*Snapshot, error) {
	if s := c.memory.fresh(ctx, asked); s != nil {
		return s, nil
	}
	asked.ReachM = c.parser.reachM
	return c.read(ctx, asked)
}

func (c *Checker) read(ctx context.Context, asked Asked) (*Snapshot, error) {
	s, _, err := c.readFacts(ctx, asked)
	return s, err
}

// readFacts is read, with the facts that the snapshot was made of.
func (c *Checker) readFacts(ctx context.Context, asked Asked) (*Snapshot, Facts, error) {
	facts, err := c.finder.Facts(ctx, asked)
	if err != nil {
		return nil, facts, err
	}
	rules, err := c.parser.rules(facts.RuleSets)
	if err != nil {
		return nil, facts, err
	}
	return newSnapshot(asked, facts, rules), facts, nil
}

// Snapshot returns the whole register as the viewer may know it on the date, as it
// was held at the record time (zero: now): from memory while that is fresh, else
// read now, by wholeReads callers at a time. For batches: it costs some µs a row of
// the register.
func (c *Checker) Snapshot(ctx context.Context, v account.Viewer, date geo.Date, knownAt time.Time) (*Snapshot, error) {
	asked := Asked{Viewer: v, Date: date, KnownAt: knownAt}
	if s := c.memory.fresh(ctx, asked); s != nil {
		return s, nil
	}
	select {
	case c.whole <- struct{}{}:
		defer func() { <-c.whole }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	return c.read(ctx, asked)
}

// Places returns the rules in force on the date and what lies round each point, as
// read at the versions returned. Those are of the given ones, which something else
// was read at, unless the register has changed since.
func (c *Checker) Places(ctx context.Context, v account.Viewer, points []orb.Point, date geo.Date, with layer.Versions) ([]Place, layer.Versions, error) {
	if len(points) == 0 {
		return nil, layer.Versions{}, nil
	}
	s, err := c.agreeing(ctx, Asked{Viewer: v, Date: date, Points: points}, with)
	if err != nil {
		return nil, nil, err
	}
	places := make([]Place, len(points))
	for i, p := range points {
		places[i].Rules, places[i].Surroundings = s.scene.Surroundings(s.rules, p)
		if !places[i].InTerritory {
			places[i].Rules = nil
		}
	}
	return places, s.versions, nil
}

// Rules returns the rules in force in a territory on the date, nil where it has none,
// as read at the versions returned: see Places.
func (c *Checker) Rules(ctx context.Context, v account.Viewer, territory string, date geo.Date, with layer.Versions) (*zoning.RuleSet, layer.Versions, error) {
	s, err := c.agreeing(ctx, Asked{Viewer: v, Date: date, Points: []orb.Point{}}, with)
	if err != nil {
		return nil, nil, err
	}
	rules, its := s.rules.For(territory)
	if !its {
		rules = nil
	}
	return rules, s.versions, nil
}

// agreeing is near, of what was read elsewhere at some versions, or later.
func (c *Checker) agreeing(ctx context.Context, asked Asked, with layer.Versions) (*Snapshot, error) {
	if s := c.memory.fresh(ctx, asked); s != nil && s.versions.Agree(with) {
		return s, nil
	}
	asked.ReachM = c.parser.reachM
	return c.read(ctx, asked)
}

// Place is what there is to know about a point.
type Place struct {
	Rules *zoning.RuleSet // of the territory it lies in; nil where there are none
	zoning.Surroundings
}
