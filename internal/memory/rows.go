package memory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paulmach/orb"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// Times of the sets of rows.
const (
	readWithin = 2 * time.Minute
	tryAgain   = 5 * time.Second  // after a reading that failed
	tooBigFor  = time.Minute      // after one that did not fit
	inUse      = time.Minute      // how long a set that was asked for is not given up for another
	idleAfter  = 10 * time.Minute // since a set was asked for; then it is given up
)

// kept are the sets of rows.
type kept struct {
	mostBytes int64
	wake      chan struct{}

	mu   sync.Mutex // guards changes of sets
	sets atomic.Pointer[map[setKey]*keeping]
}

// setKey is whose rows, of which layer.
type setKey struct{ class, layer string }

// keeping is one set on its way through time.
type keeping struct {
	viewer  account.Viewer // one of the class
	layer   *layer.Layer
	current atomic.Pointer[set] // nil until it has been read
	used    atomic.Int64        // when it was asked for last, unix seconds
	retryAt time.Time           // of the one who follows
}

func newKept(mostBytes int64) *kept {
	k := &kept{mostBytes: mostBytes, wake: make(chan struct{}, 1)}
	k.sets.Store(&map[setKey]*keeping{})
	return k
}

func (k *kept) rouse() {
	select {
	case k.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// TileRows hands over the rows of a layer whose box meets the lon/lat box, which the
// query selects and the viewer may see, in no order; the query's Boxes, After and Limit
// are not looked at. A row has its id, its geometry and the values of the fields, and is
// valid until each returns, whose error ends the reading and is returned as it is. They
// come from memory where that has them as they are now; otherwise from the register, and
// the memory begins to keep the layer for the class of the viewer.
func (m *Memory) TileRows(ctx context.Context, v account.Viewer, l *layer.Layer, box orb.Bound, q layer.Query, fields []*layer.Field, each func(*layer.Row) error) error {
	if q.Filter == nil && len(q.Equal) == 0 {
		if s := m.keptFor(v, l, q.NoOlder); s != nil {
			return s.each(box, q, fields, each)
		}
	}
	return m.register.TileRows(ctx, v, l, box, q, fields, each)
}

// keptFor returns the rows that the viewer sees of a layer, nil where they are not known to
// be the latest of that version or a later one, or are the viewer's own.
func (m *Memory) keptFor(v account.Viewer, l *layer.Layer, noOlder int64) *set {
	if v.Limited() || v.Consulted(l.Name) != "" {
		return nil
	}
	return m.setOf(v, l, noOlder)
}

// setOf is keptFor a class of viewers.
func (m *Memory) setOf(v account.Viewer, l *layer.Layer, noOlder int64) *set {
	told := m.fresh()
	key := setKey{v.Class(), l.Name}
	k := (*m.rows.sets.Load())[key]
	if k == nil || k.layer != l {
		m.rows.keep(key, v, l)
		return nil
	}
	k.used.Store(time.Now().Unix())
	s := k.current.Load()
	if s == nil || told == nil || s.reading.Server != told.server || s.reading.Version != told.For(v)[l.Name] || s.reading.Version < noOlder {
		return nil
	}
	return s
}

// keep begins to keep a layer for a class.
func (k *kept) keep(key setKey, v account.Viewer, l *layer.Layer) {
	if k.mostBytes <= 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	sets := maps.Clone(*k.sets.Load())
	if known, ok := sets[key]; ok && known.layer == l {
		return
	}
	one := &keeping{viewer: v, layer: l}
	one.used.Store(time.Now().Unix())
	sets[key] = one
	k.sets.Store(&sets)
	k.rouse()
}

// forget gives up sets.
func (k *kept) forget(which func(*keeping) bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	sets := maps.Clone(*k.sets.Load())
	maps.DeleteFunc(sets, func(_ setKey, one *keeping) bool { return which(one) })
	k.sets.Store(&sets)
}

// followRows brings the sets up to date, one after the other, until the context ends.
func (m *Memory) followRows(ctx context.Context) {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		m.catchUp(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-m.rows.wake:
		}
	}
}

// catchUp brings every set to what the database told last.
func (m *Memory) catchUp(ctx context.Context) {
	m.rows.forget(func(k *keeping) bool { return time.Since(k.lastUsed()) > idleAfter })
	for _, k := range *m.rows.sets.Load() {
		p := m.told.Load()
		if p == nil || ctx.Err() != nil {
			return
		}
		version, there := p.told.For(k.viewer)[k.layer.Name]
		if !there { // withdrawn
			m.rows.forget(func(gone *keeping) bool { return gone == k })
			continue
		}
		s := k.current.Load()
		if s != nil && s.reading.Server == p.told.server && s.reading.Version == version || time.Now().Before(k.retryAt) {
			continue
		}
		limited, cancel := context.WithTimeout(ctx, readWithin)
		err := m.bring(limited, k, s)
		cancel()
		if err == nil {
			continue
		}
		k.current.Store(nil)
		k.retryAt = time.Now().Add(tryAgain)
		if errors.Is(err, errTooBig) {
			k.retryAt = time.Now().Add(tooBigFor)
		}
		m.failed(ctx, "the rows of a layer are not kept in memory", fmt.Errorf("%s: %w", k.layer.Name, err))
	}
}

func (k *keeping) lastUsed() time.Time { return time.Unix(k.used.Load(), 0) }

// errTooBig says that a set does not fit beside those in use.
var errTooBig = errors.New("too many bytes")

// bring reads what has changed since the set was read, or all.
func (m *Memory) bring(ctx context.Context, k *keeping, s *set) error {
	if s != nil {
		next := s.next()
		var came []*layer.Row
		now, changed, whole, err := m.register.RowsSince(ctx, k.viewer, k.layer, s.reading, func(r *layer.Row) error {
			came = append(came, r.Clone())
			return nil
		})
		if err == nil && !whole {
			err = next.remove(changed)
			for _, r := range came {
				err = errors.Join(err, next.put(r))
			}
			next.reading = now
			return m.publish(k, next, err)
		}
		if err != nil {
			return err
		}
	}
	next := newSet(k.layer)
	reading, err := m.register.AllRows(ctx, k.viewer, k.layer, func(r *layer.Row) error {
		if next.bytes > m.rows.mostBytes {
			return errTooBig
		}
		return next.put(r)
	})
	next.reading = reading
	return m.publish(k, next, err)
}

// publish lets a set be read, if it fits.
func (m *Memory) publish(k *keeping, next *set, err error) error {
	if err == nil {
		err = m.rows.makeRoom(k, next.bytes)
	}
	if err != nil {
		return err
	}
	k.current.Store(next)
	return nil
}

// makeRoom gives up sets that have not been asked for lately, the longest ago first,
// until one more of so many bytes fits.
func (k *kept) makeRoom(one *keeping, bytes int64) error {
	if bytes > k.mostBytes {
		return errTooBig
	}
	others := slices.DeleteFunc(slices.Collect(maps.Values(*k.sets.Load())), func(other *keeping) bool { return other == one || other.current.Load() == nil })
	slices.SortFunc(others, func(a, b *keeping) int { return b.lastUsed().Compare(a.lastUsed()) })
	for _, other := range others { // those used last stay
		bytes += other.current.Load().bytes
		if bytes <= k.mostBytes {
			continue
		}
		if time.Since(other.lastUsed()) < inUse {
			return errTooBig
		}
		k.forget(func(last *keeping) bool { return last == other })
	}
	return nil
}

// Report tells how many rows are in memory for each kind of viewers, organisations not
// named, and how many bytes they take.
func (m *Memory) Report(each func(viewers string, rows, bytes int64)) {
	held := map[string][2]int64{}
	for key, k := range *m.rows.sets.Load() {
		if s := k.current.Load(); s != nil {
			kind, _, _ := strings.Cut(key.class, ":")
			held[kind] = [2]int64{held[kind][0] + int64(s.tree.Len()), held[kind][1] + s.bytes}
		}
	}
	for viewers, of := range held {
		each(viewers, of[0], of[1])
	}
}
