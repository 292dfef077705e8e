package permit

import (
	"context"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// Times of the memory. An answer from memory is never older than maxAge: it comes
// from a snapshot that a question to the database, begun less than that ago, has
// shown to be the latest. Without such proof the database answers.
const (
	pollEvery  = 250 * time.Millisecond
	maxAge     = time.Second
	pollWithin = 5 * time.Second
	buildLimit = 2 * time.Minute
	rewatch    = time.Second     // pause before listening again
	rebuild    = 5 * time.Second // pause after a build that failed
	idleAfter  = 10 * time.Minute
	mostKept   = 16 // classes of viewers
)

// Memory keeps snapshots of the register for the reference date, one for each class
// of viewers that asks, and keeps them fresh: a notification wakes it, a poll of the
// layer versions is what it trusts, and what changed is applied to the snapshot.
// It is safe for concurrent use.
type Memory struct {
	register Register
	parser   *parser
	date     func() geo.Date
	log      *slog.Logger

	mu    sync.Mutex // guards changes of kept
	kept  atomic.Pointer[map[memoryKey]*keeping]
	wake  chan struct{}
	stats stats
}

type memoryKey struct {
	class string
	date  geo.Date
}

// keeping is one class of viewers on one date.
type keeping struct {
	asked    Asked
	ground   string
	current  atomic.Pointer[held]
	building atomic.Bool
	retryAt  atomic.Int64 // unix milliseconds before which a build that failed is not tried again
	used     atomic.Int64 // unix seconds of the last question
}

// held is a snapshot with the proof of its freshness.
type held struct {
	snapshot  *Snapshot
	state     State
	confirmed time.Time // when the question began that showed it to be the latest
	edits     int64     // writes of this process known to be in it
}

type stats struct{ fromMemory, fromDatabase, builds, applied, failures atomic.Int64 }

// NewMemory returns a memory that is empty until Run.
func NewMemory(r Register, date func() geo.Date, log *slog.Logger) *Memory {
	m := &Memory{register: r, parser: &parser{parsed: map[string]*zoning.RuleSet{}}, date: date, log: log, wake: make(chan struct{}, 1)}
	m.kept.Store(&map[memoryKey]*keeping{})
	return m
}

// Checker returns a checker that answers from the memory while that is fresh, and
// from the database otherwise.
func (m *Memory) Checker() *Checker { return newChecker(m.register, m, m.parser) }

// Run keeps the memory fresh until the context ends, beginning with what the public
// may know. It returns when all its work has stopped.
func (m *Memory) Run(ctx context.Context) {
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() { m.listen(ctx) })
	m.keep(ctx, Asked{Viewer: account.Anonymous(), Date: m.date()})
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		m.refresh(ctx, &work)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-m.wake:
		}
	}
}

// listen has notifications wake the memory. When it cannot, polls still do.
func (m *Memory) listen(ctx context.Context) {
	for {
		err := m.register.Watch(ctx, m.rouse)
		if ctx.Err() != nil {
			return
		}
		m.failed(ctx, "listening for changes stopped", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(rewatch):
		}
	}
}

func (m *Memory) rouse() {
	select {
	case m.wake <- struct{}{}:
	default: // it will look anyway
	}
}

func (m *Memory) failed(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		m.stats.failures.Add(1)
		m.log.WarnContext(ctx, what, "cause", err)
	}
}

// fresh returns the snapshot of what is asked, nil where there is none that is
// known to be the latest.
func (m *Memory) fresh(ctx context.Context, asked Asked) *Snapshot {
	if m == nil || !asked.KnownAt.IsZero() {
		return nil
	}
	k := (*m.kept.Load())[keyOf(asked)]
	if k == nil {
		if asked.Date == m.date() {
			m.keep(ctx, asked)
			m.rouse()
		}
		m.stats.fromDatabase.Add(1)
		return nil
	}
	now := time.Now()
	k.used.Store(now.Unix())
	h := k.current.Load()
	if h == nil || now.Sub(h.confirmed) > maxAge || h.edits != m.register.Edits() {
		m.rouse()
		m.stats.fromDatabase.Add(1)
		return nil
	}
	m.stats.fromMemory.Add(1)
	return h.snapshot
}

func keyOf(asked Asked) memoryKey { return memoryKey{asked.Viewer.Class(), asked.Date} }

// keep begins to keep what is asked, unless too much is kept already.
func (m *Memory) keep(ctx context.Context, asked Asked) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := *m.kept.Load()
	if _, ok := kept[keyOf(asked)]; ok || len(kept) >= mostKept {
		return
	}
	ground, err := m.register.Ground(asked.Viewer)
	if err != nil {
		m.failed(ctx, "a class of viewers is not kept in memory", err)
		return
	}
	k := &keeping{asked: Asked{Viewer: asked.Viewer, Date: asked.Date}, ground: ground}
	k.used.Store(time.Now().Unix())
	kept = maps.Clone(kept)
	kept[keyOf(asked)] = k
	m.kept.Store(&kept)
}

// forget drops what nobody has asked for lately, and what is not of the reference
// date any more. The public's is always kept.
func (m *Memory) forget(ctx context.Context) {
	m.mu.Lock()
	today, kept := m.date(), *m.kept.Load()
	left := maps.Clone(kept)
	maps.DeleteFunc(left, func(key memoryKey, k *keeping) bool {
		idle := time.Since(time.Unix(k.used.Load(), 0)) > idleAfter && key.class != account.Anonymous().Class()
		return idle || key.date != today
	})
	if len(left) != len(kept) {
		m.kept.Store(&left)
	}
	m.mu.Unlock()
	m.keep(ctx, Asked{Viewer: account.Anonymous(), Date: today})
}

// refresh asks the database for the present state and brings every snapshot to it.
func (m *Memory) refresh(ctx context.Context, work *sync.WaitGroup) {
	m.forget(ctx)
	edits, began := m.register.Edits(), time.Now()
	limited, cancel := context.WithTimeout(ctx, pollWithin)
	defer cancel()
	state, err := m.register.State(limited)
	if err != nil {
		m.failed(ctx, "the layer versions cannot be read", err)
		return
	}
	for _, k := range *m.kept.Load() {
		h := k.current.Load()
		switch {
		case k.building.Load():
		case h == nil:
			m.build(ctx, k, work)
		case h.state.Same(state):
			k.current.Store(&held{h.snapshot, h.state, began, edits})
		default:
			m.apply(ctx, limited, k, h, work)
		}
	}
}

// build reads a whole snapshot beside the polling.
func (m *Memory) build(ctx context.Context, k *keeping, work *sync.WaitGroup) {
	if time.Now().UnixMilli() < k.retryAt.Load() {
		return
	}
	k.building.Store(true)
	work.Go(func() {
		defer k.building.Store(false)
		edits, began := m.register.Edits(), time.Now()
		limited, cancel := context.WithTimeout(ctx, buildLimit)
		defer cancel()
		snapshot, state, err := m.whole(limited, k)
		if err != nil {
			k.current.Store(nil)
			k.retryAt.Store(time.Now().Add(rebuild).UnixMilli())
			m.failed(ctx, "the register cannot be read into memory", err)
			return
		}
		m.stats.builds.Add(1)
		k.current.Store(&held{snapshot, state, began, edits})
		m.rouse()
	})
}

// whole reads a snapshot, sharing with one already held what both viewers see alike.
func (m *Memory) whole(ctx context.Context, k *keeping) (*Snapshot, State, error) {
	base := m.sharing(k)
	asked := k.asked
	asked.WithoutGround = base != nil
	facts, err := m.register.Facts(ctx, asked)
	if err == nil && base != nil && !sameGround(facts.State, base.state) {
		base, asked.WithoutGround = nil, false
		facts, err = m.register.Facts(ctx, asked)
	}
	if err != nil {
		return nil, State{}, err
	}
	rules, err := m.parser.rules(facts.RuleSets)
	if err != nil {
		return nil, State{}, err
	}
	if base == nil {
		return newSnapshot(asked, facts, rules), facts.State, nil
	}
	scene := base.snapshot.scene.For(facts.Masts, facts.Areas, facts.Withheld)
	return snapshotOf(scene, rules, asked.Date, facts.Shown, facts.Generalised), facts.State, nil
}

// sharing finds a snapshot of the same date whose viewers see the same territories,
// communes and zones.
func (m *Memory) sharing(k *keeping) *held {
	for _, other := range *m.kept.Load() {
		if h := other.current.Load(); h != nil && other != k && other.ground == k.ground && other.asked.Date == k.asked.Date {
			return h
		}
	}
	return nil
}

func sameGround(a, b State) bool {
	for _, name := range []string{"provinces", "communes", "mast_zones"} {
		if a.Versions[name] != b.Versions[name] {
			return false
		}
	}
	return a.Server == b.Server
}

// apply brings a snapshot up to date by what has changed since, within the limits of the
// poll; reading all anew takes longer and is beside it.
func (m *Memory) apply(ctx, limited context.Context, k *keeping, h *held, work *sync.WaitGroup) {
	edits, began := m.register.Edits(), time.Now()
	changes, err := m.register.Changes(limited, k.asked, h.state)
	if err != nil {
		m.failed(ctx, "changes cannot be read", err)
		return
	}
	if changes.Whole {
		m.build(ctx, k, work)
		return
	}
	rules, err := m.parser.rules(changes.RuleSets)
	if err != nil {
		k.current.Store(nil)
		k.retryAt.Store(time.Now().Add(rebuild).UnixMilli())
		m.failed(ctx, "rules cannot be used", err)
		return
	}
	m.stats.applied.Add(1)
	next := snapshotOf(h.snapshot.scene.With(changes.Changes), rules, k.asked.Date, changes.Shown, h.snapshot.generalised)
	k.current.Store(&held{next, changes.State, began, edits})
}

// Report says how fresh the memory is and what it did.
type Report struct {
	Snapshots                        []SnapshotReport
	FromMemory, FromDatabase         int64 // calls answered
	Builds, AppliedChanges, Failures int64
}

// SnapshotReport is about one snapshot kept.
type SnapshotReport struct {
	Viewers  string // kind of viewers, organisations not named
	Date     geo.Date
	AgeS     *float64 // seconds since it was last known to be the latest; nil: not read yet
	Fresh    bool     // answers are made from it
	Versions layer.Versions
}

// Report describes the memory now.
func (m *Memory) Report() Report {
	r := Report{
		FromMemory: m.stats.fromMemory.Load(), FromDatabase: m.stats.fromDatabase.Load(),
		Builds: m.stats.builds.Load(), AppliedChanges: m.stats.applied.Load(), Failures: m.stats.failures.Load(),
	}
	for key, k := range *m.kept.Load() {
		kind, _, _ := strings.Cut(key.class, ":")
		s := SnapshotReport{Viewers: kind, Date: key.date}
		if h := k.current.Load(); h != nil {
			age := time.Since(h.confirmed)
			seconds := age.Seconds()
			s.AgeS, s.Versions = &seconds, h.state.Versions
			s.Fresh = age <= maxAge && h.edits == m.register.Edits()
		}
		r.Snapshots = append(r.Snapshots, s)
	}
	return r
}
