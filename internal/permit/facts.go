package permit

import (
	"context"
	"time"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// Asked says which facts are wanted: for whom, of when and where.
type Asked struct {
	Viewer account.Viewer
	Date   geo.Date
	// KnownAt is the record time: what the register held then. Zero: now.
	KnownAt time.Time
	// Snapshot are the transactions that were part of the register at the record time, as
	// State has them: facts are then exactly those of that reading, whatever is kept from the
	// viewer by now. "": those that had begun.
	Snapshot string
	// Points are the places that matter; nil: everywhere. None at all: the rule sets alone.
	Points []orb.Point
	// Features are ids of masts that are asked about: those are found wherever they lie.
	Features []int64
	// WithinM is how far from the points places matter as much as the points, metres.
	WithinM float64
	// WithoutGround leaves out territories, communes and zones.
	WithoutGround bool
	// ReachM is how far masts matter from the points under the rule sets found, metres.
	ReachM func([]RuleSet) (float64, error)
}

// asking is what is asked, about these proposals.
func (a Asked) asking(proposals []zoning.Proposal) Asked {
	a.Points, a.Features = make([]orb.Point, 0, len(proposals)), nil
	for i := range proposals {
		a.Points = append(a.Points, proposals[i].Point)
		if f := proposals[i].Feature; f != 0 {
			a.Features = append(a.Features, f)
		}
	}
	return a
}

// Facts are all that checks are made of, read in one state of the register. There
// may be more than is needed, never less.
type Facts struct {
	zoning.SceneData
	RuleSets []RuleSet // published and in force, by jurisdiction
	State    State
	// Shown are the versions that the viewer is told: they count what he sees.
	Shown layer.Versions
	// Generalised: the viewer is shown sites less exactly than they are known.
	Generalised bool
}

// RuleSet is a published rule set as it is kept.
type RuleSet struct {
	ID           string
	Version      int
	Jurisdiction string
	Body         []byte
}

// State names a state of the register.
type State struct {
	Versions layer.Versions // of the layers that checks depend on, of all changes whoever sees them
	Server   string         // which database it is, and since when its server runs
	Moment                  // its Snapshot tells what came later
}

// Same reports whether nothing that checks depend on differs between two states.
func (s State) Same(t State) bool {
	if s.Server != t.Server || len(s.Versions) != len(t.Versions) {
		return false
	}
	for name, version := range s.Versions {
		if t.Versions[name] != version {
			return false
		}
	}
	return true
}

// Finder finds facts. PostGIS finds, geo decides.
type Finder interface {
	Facts(ctx context.Context, asked Asked) (Facts, error)
}

// Changes are what became of the facts since a state.
type Changes struct {
	zoning.Changes
	RuleSets []RuleSet // all, as in Facts
	State    State
	Shown    layer.Versions // as in Facts
	// Whole: so much has changed that reading all again is cheaper, or what changed
	// cannot be told; there is nothing else in the Changes then.
	Whole bool
}

// Register is where facts are found and followed.
type Register interface {
	Finder
	// Changes returns what became of the facts, everywhere, since the state.
	Changes(ctx context.Context, asked Asked, since State) (Changes, error)
	// Ground tells viewers apart who see other territories, communes or zones.
	Ground(v account.Viewer) (string, error)
	// State returns the present state, its Snapshot left out: cheap enough to ask often.
	State(ctx context.Context) (State, error)
	// Edits counts the writes made through this process: a state asked for after
	// reading the count holds at least these.
	Edits() int64
	// Watch calls wake whenever the database says that something changed, until the
	// context ends or the connection breaks, and then returns why. That it says
	// nothing proves nothing.
	Watch(ctx context.Context, wake func()) error
}
