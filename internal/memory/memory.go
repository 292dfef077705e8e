package memory

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// Times of the memory.
const (
	pollEvery  = 250 * time.Millisecond
	maxAge     = time.Second // of the proof that what is in memory is the latest
	pollWithin = 5 * time.Second
	rewatch    = time.Second // pause before listening again
)

// Memory answers from memory what is known to be the latest, and asks the register for
// all else. It is empty until Run, and safe for concurrent use.
type Memory struct {
	register Register
	log      *slog.Logger
	wake     chan struct{}
	told     atomic.Pointer[proof]
	rows     *kept
}

// proof is what the database told, and since when it is known to be the latest.
type proof struct {
	told  *Told
	since time.Time // when the question began that showed it
	edits int64     // writes of this process known to be in it
}

// New returns an empty memory, whose sets of rows hold so many bytes at most.
func New(r Register, mostBytes int64, log *slog.Logger) *Memory {
	return &Memory{register: r, log: log, wake: make(chan struct{}, 1), rows: newKept(mostBytes)}
}

// Run keeps the memory fresh until the context ends, and returns when all its work has
// stopped.
func (m *Memory) Run(ctx context.Context) {
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() { m.listen(ctx) })
	work.Go(func() { m.followRows(ctx) })
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		if err := m.poll(ctx); err != nil {
			m.failed(ctx, "the layer versions cannot be read", err)
		}
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
		m.log.WarnContext(ctx, what, "cause", err)
	}
}

// poll asks the database once.
func (m *Memory) poll(ctx context.Context) error {
	edits, began := m.register.Edits(), time.Now()
	limited, cancel := context.WithTimeout(ctx, pollWithin)
	defer cancel()
	told, err := m.register.Told(limited)
	if err != nil {
		return err
	}
	before := m.told.Load()
	changed := before == nil || !before.told.same(told)
	if !changed {
		told = before.told // which knows the classes
	} else if before != nil && told.access.is(before.told.access) {
		told.access = before.told.access // which knows who has what
	}
	m.told.Store(&proof{told, began, edits})
	if changed {
		m.rows.rouse()
	}
	return nil
}

// fresh returns what the database tells, nil where that is not known to be the latest.
func (m *Memory) fresh() *Told {
	p := m.told.Load()
	if p == nil || time.Since(p.since) > maxAge || p.edits != m.register.Edits() {
		m.rouse()
		return nil
	}
	return p.told
}

// LayerVersions returns the versions of all layers that the viewer is told. The map is
// shared: it must not be changed.
func (m *Memory) LayerVersions(ctx context.Context, v account.Viewer) (layer.Versions, error) {
	if told := m.fresh(); told != nil {
		return told.For(v), nil
	}
	return m.register.LayerVersions(ctx, v)
}
