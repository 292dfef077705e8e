package postgis

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/memory"
)

// Of one kind, so many statements are under way at once, each for so many rows at most.
const (
	mostGathering = 2
	mostGathered  = 64
)

// gatherings answer questions Q of a kind K with A for many who ask at the same time: while
// statements are under way, further questions of the kind wait, and the next statement
// answers them all. A statement begins after what it answers was asked, so nobody gets less
// than the latest; who asks alone waits for nobody. Safe for concurrent use.
type gatherings[K comparable, Q, A any] struct {
	mu sync.Mutex
	of map[K]*gathering[Q, A]
}

// rowKind is a kind of question for rows, to which one statement is the answer: the same
// layer as the same viewers see it, asked on the same lane.
type rowKind struct {
	layer *layer.Layer
	class string
	lane  *pgxpool.Pool
}

// rowFound is the answer to a question for a row: nil for none.
type rowFound struct {
	row      *layer.Row
	versions []int64
}

// oneKind is the kind of questions of which all are alike.
type oneKind struct{}

// Questions for rows by id, and for who has a key or a session of a hash.
type (
	rowsAsked     = gatherings[rowKind, int64, rowFound]
	keysAsked     = gatherings[oneKind, string, *memory.Holder[account.Viewer]]
	sessionsAsked = gatherings[oneKind, string, *memory.Holder[account.Session]]
)

// gathering is what is asked of one kind.
type gathering[Q, A any] struct {
	running int
	waiting []*lookUp[Q, A]
}

// lookUp is one question, and its answer once it is done.
type lookUp[Q, A any] struct {
	of     Q
	done   chan struct{}
	answer A
	err    error
}

// ask has read answer the question, together with what others ask, and waits for it or for the
// end of the context. read answers each of the questions, or returns why it cannot; it is
// called without the context's end, because others may wait for it.
func (g *gatherings[K, Q, A]) ask(ctx context.Context, key K, of Q, read func(context.Context, []*lookUp[Q, A]) error) *lookUp[Q, A] {
	own := &lookUp[Q, A]{of: of, done: make(chan struct{})}
	g.mu.Lock()
	one := g.of[key]
	if one == nil {
		if g.of == nil {
			g.of = map[K]*gathering[Q, A]{}
		}
		one = &gathering[Q, A]{}
		g.of[key] = one
	}
	one.waiting = append(one.waiting, own)
	if one.running < mostGathering {
		one.running++
		go g.run(context.WithoutCancel(ctx), key, one, read)
	}
	g.mu.Unlock()
	select {
	case <-own.done:
		return own
	case <-ctx.Done():
		return &lookUp[Q, A]{of: of, err: ctx.Err()}
	}
}

// run answers what waits until nothing does.
func (g *gatherings[K, Q, A]) run(ctx context.Context, key K, one *gathering[Q, A], read func(context.Context, []*lookUp[Q, A]) error) {
	for {
		questions := g.next(key, one)
		if questions == nil {
			return
		}
		err := read(ctx, questions)
		for _, q := range questions {
			q.err = err
			close(q.done)
		}
	}
}

// next takes what waits; nil where nothing does, and then the caller has ended.
func (g *gatherings[K, Q, A]) next(key K, one *gathering[Q, A]) []*lookUp[Q, A] {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(one.waiting) == 0 {
		if one.running--; one.running == 0 {
			delete(g.of, key)
		}
		return nil
	}
	n := min(len(one.waiting), mostGathered)
	questions := one.waiting[:n:n]
	if one.waiting = one.waiting[n:]; len(one.waiting) == 0 {
		one.waiting = nil
	}
	return questions
}
