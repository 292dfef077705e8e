package permit

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/layer"
)

// MaxEffects is how many masts Effects lists.
const MaxEffects = 10_000

// Effects are what a rule set changes for the masts that stand or are planned.
type Effects struct {
	Date    geo.Date       `json:"date"`
	Masts   int            `json:"masts"`   // judged by both
	Changed int            `json:"changed"` // whose verdict is another
	Steps   []EffectStep   `json:"steps"`
	Counts  []EffectCounts `json:"counts"`
	List    []EffectOnMast `json:"list"` // those changed, by code: the first MaxEffects
	More    int            `json:"more"` // changed and not listed

	Versions    layer.Versions `json:"versions,omitempty"`
	Generalised bool           `json:"generalised,omitempty"`
}

// EffectStep counts masts by their verdicts before and after.
type EffectStep struct {
	Before zoning.Verdict `json:"before"`
	After  zoning.Verdict `json:"after"`
	Masts  int            `json:"masts"`
}

// EffectCounts are of an operator in a district; "" where there is none. A mast counts for
// each operator on it.
type EffectCounts struct {
	District      string `json:"district"`
	Operator      string `json:"operator"`
	Masts         int    `json:"masts"`
	RefusedBefore int    `json:"refused_before"` // do not conform by the rules before
	RefusedAfter  int    `json:"refused_after"`
	BecomeRefused int    `json:"become_refused"` // do not conform any more
	CeaseRefused  int    `json:"cease_refused"`
}

// EffectOnMast is a mast whose verdict is another.
type EffectOnMast struct {
	Evidence   zoning.Evidence  `json:"evidence"`
	Point      [2]float64       `json:"point"`
	Unit       *Unit            `json:"unit"`
	Operators  []string         `json:"operators"`
	Before     zoning.Verdict   `json:"before"`
	After      zoning.Verdict   `json:"after"`
	BeforePlan bool             `json:"before_plan"` // it stood before that took force which it misses
	Findings   []zoning.Finding `json:"findings"`    // of the rules afterwards, those that do not pass
}

// Effects compares what two rule sets of a territory say of the masts there that stand, are
// approved or are planned on the question's date, all else being as it is: see
// zoning.Scene.Standing. Cost: that of judging each mast twice.
func (c *Checker) Effects(ctx context.Context, q Question, from, to RuleSetEntry) (Effects, error) {
	before, err := ParseRules(from.Body)
	if err != nil {
		return Effects{}, err
	}
	after, err := ParseRules(to.Body)
	if err != nil {
		return Effects{}, err
	}
	s, err := c.Snapshot(ctx, q.Viewer, q.Date, q.KnownAt)
	if err != nil {
		return Effects{}, err
	}
	territory := to.Jurisdiction
	e := &effects{Effects: Effects{Date: q.Date, List: []EffectOnMast{}, Versions: s.versions, Generalised: s.generalised}, steps: map[[2]zoning.Verdict]int{}, counts: map[[2]string]*EffectCounts{}}
	wanted := func(m *zoning.Mast) bool {
		return m.Status != layer.Draft && s.scene.At(m.Point).Territory == territory
	}
	then, stop := iter.Pull(s.scene.Standing(only(territory, after), q.Date, wanted))
	defer stop()
	for was := range s.scene.Standing(only(territory, before), q.Date, wanted) {
		is, ok := then()
		if !ok {
			break // both are the same masts, in the same order
		}
		if err := ctx.Err(); e.Masts%100 == 0 && err != nil {
			return Effects{}, context.Cause(ctx)
		}
		e.add(&was, &is)
	}
	return e.end(), nil
}

// only are the rules of one territory.
func only(territory string, set *zoning.RuleSet) *zoning.Rules {
	return zoning.NewRules([]zoning.TerritoryRules{{Territory: territory, Rules: set}})
}

// effects are counted mast by mast.
type effects struct {
	Effects
	steps  map[[2]zoning.Verdict]int
	counts map[[2]string]*EffectCounts
}

func (e *effects) add(was, is *zoning.Standing) {
	e.Masts++
	e.steps[[2]zoning.Verdict{was.Verdict, is.Verdict}]++
	operators := was.Mast.Operators
	if len(operators) == 0 {
		operators = []string{""}
	}
	for _, operator := range operators {
		key := [2]string{was.Place.District, operator}
		n := e.counts[key]
		if n == nil {
			n = &EffectCounts{District: key[0], Operator: operator}
			e.counts[key] = n
		}
		n.add(was.Verdict == zoning.Refused, is.Verdict == zoning.Refused)
	}
	if was.Verdict == is.Verdict {
		return
	}
	if e.Changed++; e.Changed > MaxEffects {
		e.More++
		return
	}
	m := was.Mast
	e.List = append(e.List, EffectOnMast{Evidence: zoning.Evidence{Collection: m.Collection, ID: m.ID, Code: m.Code}, Point: m.Point, Unit: unitOf(was.Place),
		Operators: m.Operators, Before: was.Verdict, After: is.Verdict, BeforePlan: is.BeforePlan, Findings: told(is)})
}

func (n *EffectCounts) add(refusedBefore, refusedAfter bool) {
	n.Masts++
	for _, of := range []struct {
		is    bool
		count *int
	}{{refusedBefore, &n.RefusedBefore}, {refusedAfter, &n.RefusedAfter}, {refusedAfter && !refusedBefore, &n.BecomeRefused}, {refusedBefore && !refusedAfter, &n.CeaseRefused}} {
		if of.is {
			*of.count++
		}
	}
}

func (e *effects) end() Effects {
	e.Steps, e.Counts = []EffectStep{}, []EffectCounts{}
	for step, n := range e.steps {
		e.Steps = append(e.Steps, EffectStep{step[0], step[1], n})
	}
	slices.SortFunc(e.Steps, func(a, b EffectStep) int {
		return cmp.Or(cmp.Compare(a.Before, b.Before), cmp.Compare(a.After, b.After))
	})
	for _, n := range e.counts {
		e.Counts = append(e.Counts, *n)
	}
	slices.SortFunc(e.Counts, func(a, b EffectCounts) int {
		return cmp.Or(cmp.Compare(a.District, b.District), cmp.Compare(a.Operator, b.Operator))
	})
	return e.Effects
}
