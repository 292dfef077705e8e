package httpapi

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// What enter refuses for.
var (
	errNoRoom    = errors.New("as many work and wait as may")
	errOwnShare  = errors.New("the client has its share already")
	errLongQueue = errors.New("the turn did not come in time")
)

// turns let so many work at a time and so many wait for it. Whoever has least at work
// is next, and of those the first to come, so that a client with many requests does
// not keep out one with few. It is safe for concurrent use.
type turns struct {
	most  int // at work
	queue int // waiting beside
	kept  int // of most, for staff alone; only where nobody can wait

	mu      sync.Mutex
	working int
	others  int // of working, those that are not staff
	waiting []*turn
	clients map[client]holding // of those who work or wait
}

// turn is the place of one who works or waits.
type turn struct {
	of    client
	staff bool
	ready chan struct{} // closed when it begins to work
}

// holding is what a client has.
type holding struct{ working, waiting int }

func newTurns(most, queue int) *turns {
	return &turns{most: most, queue: queue, clients: map[client]holding{}}
}

// enter waits for a turn and begins it; leave must be called at its end. The client has
// at most its share, at work and waiting. The errors are errNoRoom and errOwnShare at
// once, errLongQueue or the context's when that ends.
func (t *turns) enter(ctx context.Context, of client, staff bool, share int) (leave func(), err error) {
	own := &turn{of: of, staff: staff}
	if err := t.begin(own, share); err != nil {
		return nil, err
	}
	if own.ready != nil {
		select {
		case <-own.ready:
		case <-ctx.Done():
			t.giveUp(own)
			return nil, longQueue(ctx)
		}
	}
	return sync.OnceFunc(func() { t.leave(own) }), nil
}

// longQueue is the error of a context that has ended while its turn was waited for.
func longQueue(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errLongQueue
	}
	return ctx.Err()
}

// begin lets a turn work, or puts it in the queue.
func (t *turns) begin(own *turn, share int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.clients[own.of]
	switch {
	case h.working+h.waiting >= share:
		return errOwnShare
	case t.working < t.most && (own.staff || t.others < t.most-t.kept):
		t.work(own)
	case len(t.waiting) >= t.queue:
		return errNoRoom
	default:
		own.ready = make(chan struct{})
		t.waiting = append(t.waiting, own)
		h.waiting++
		t.clients[own.of] = h
	}
	return nil
}

// work counts a turn as at work.
func (t *turns) work(own *turn) {
	t.working++
	if !own.staff {
		t.others++
	}
	h := t.clients[own.of]
	h.working++
	t.clients[own.of] = h
}

// leave ends a turn and begins the next.
func (t *turns) leave(own *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.working--
	if !own.staff {
		t.others--
	}
	h := t.clients[own.of]
	h.working--
	t.keep(own.of, h)
	if len(t.waiting) == 0 {
		return
	}
	next := 0
	for i, w := range t.waiting {
		if t.clients[w.of].working < t.clients[t.waiting[next].of].working {
			next = i
		}
	}
	w := t.waiting[next]
	t.unqueue(next)
	t.work(w)
	close(w.ready)
}

// giveUp takes back a turn that is not waited for any more.
func (t *turns) giveUp(own *turn) {
	t.mu.Lock()
	i := slices.Index(t.waiting, own)
	if i >= 0 {
		t.unqueue(i)
	}
	t.mu.Unlock()
	if i < 0 { // it had begun meanwhile
		t.leave(own)
	}
}

// unqueue takes a turn out of the queue.
func (t *turns) unqueue(i int) {
	of := t.waiting[i].of
	t.waiting = slices.Delete(t.waiting, i, i+1)
	h := t.clients[of]
	h.waiting--
	t.keep(of, h)
}

// keep forgets clients that have nothing.
func (t *turns) keep(of client, h holding) {
	if h == (holding{}) {
		delete(t.clients, of)
		return
	}
	t.clients[of] = h
}

// count returns how many work and how many wait.
func (t *turns) count() (working, waiting int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.working, len(t.waiting)
}
