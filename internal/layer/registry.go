package layer

import (
	"slices"
	"sync/atomic"
)

// Set is layers by name. It does not change.
type Set struct {
	byName map[string]*Layer
	all    []*Layer
}

// Get returns the layer of that name.
func (s *Set) Get(name string) (*Layer, bool) {
	l, ok := s.byName[name]
	return l, ok
}

// All returns the layers: those of the literals in their order, then reference layers by
// name. The slice is the caller's.
func (s *Set) All() []*Layer { return slices.Clone(s.all) }

// add puts a layer behind the others.
func (s *Set) add(l *Layer) {
	s.byName[l.Name] = l
	s.all = append(s.all, l)
}

// only returns the layers for which keep holds.
func (s *Set) only(keep func(*Layer) bool) *Set {
	kept := &Set{byName: map[string]*Layer{}}
	for _, l := range s.all {
		if keep(l) {
			kept.add(l)
		}
	}
	return kept
}

// Registry is every layer there is: the literals it was made from, and the reference
// layers put beside them last. What it says itself is what everybody may know; Seen says
// what a viewer may. It is safe for concurrent use: who needs the same answer twice keeps
// the Set.
type Registry struct {
	literals []*Layer
	now      atomic.Pointer[sets]
}

// sets are all layers, those that everybody may know of, and the others.
type sets struct {
	whole, open *Set
	hidden      []*Layer
}

// New builds a registry from literals, in their order, giving each the common
// fields. It returns every fault of the literals at once.
func New(layers ...Layer) (*Registry, error) {
	r := &Registry{}
	set := &Set{byName: make(map[string]*Layer, len(layers))}
	var faults Faults
	for _, l := range layers {
		l.Fields = append(slices.Clone(commonFields()), l.Fields...)
		faults = append(faults, checkLayer(&l, set.byName)...)
		set.add(&l)
	}
	if len(faults) > 0 {
		return nil, &InvalidError{Faults: faults}
	}
	r.literals = set.all
	r.now.Store(&sets{whole: set, open: set})
	return r, nil
}

// Clone returns a registry of the same literals without reference layers, which changes
// by itself.
func (r *Registry) Clone() *Registry {
	clone := &Registry{literals: r.literals}
	// Sound once, the literals are so again; there is nothing beside them to clash with.
	_ = clone.Replace(nil)
	return clone
}

// Replace puts reference layers in the place of those there were. On a fault, all of
// which are returned, nothing changes.
func (r *Registry) Replace(references []Layer) error {
	whole := &Set{byName: make(map[string]*Layer, len(r.literals)+len(references))}
	for _, l := range r.literals {
		whole.add(l)
	}
	var faults Faults
	for _, l := range references {
		faults = append(faults, checkLayer(&l, whole.byName)...)
		whole.add(&l)
	}
	if len(faults) > 0 {
		return &InvalidError{Faults: faults}
	}
	now := &sets{whole: whole, open: whole.only(func(l *Layer) bool { return !l.StaffOnly() })}
	for _, l := range whole.all {
		if l.StaffOnly() {
			now.hidden = append(now.hidden, l)
		}
	}
	r.now.Store(now)
	return nil
}

// Whole returns every layer, for those who act for no viewer.
func (r *Registry) Whole() *Set { return r.now.Load().whole }

// Viewer says of which layers somebody sees what is withheld from the public.
type Viewer interface{ SeesWithheld(layer string) bool }

// Seen returns the layers that a viewer may know of. Cost: a look at each that is for staff
// alone; where he sees some of these and others not, a set is made.
func (r *Registry) Seen(v Viewer) *Set {
	now := r.now.Load()
	seen := 0
	for _, l := range now.hidden {
		if v.SeesWithheld(l.Name) {
			seen++
		}
	}
	switch seen {
	case 0:
		return now.open
	case len(now.hidden):
		return now.whole
	}
	return now.whole.only(func(l *Layer) bool { return !l.StaffOnly() || v.SeesWithheld(l.Name) })
}

// Get returns the layer of that name that everybody may know of.
func (r *Registry) Get(name string) (*Layer, bool) { return r.now.Load().open.Get(name) }

// All returns the layers that everybody may know of, as Set.All does.
func (r *Registry) All() []*Layer { return r.now.Load().open.All() }
