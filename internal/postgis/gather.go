package postgis

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"

	"hatang/internal/layer"
)

// Of one kind, so many statements are under way at once, each for so many rows at most.
const (
	mostGathering = 2
	mostGathered  = 64
)

// gatherings look up rows for many who ask at the same time: while statements are under
// way, further questions of the kind wait, and the next statement answers them all. A
// statement begins after what it answers was asked, so nobody gets less than the latest;
// who asks alone waits for nobody. Safe for concurrent use.
type gatherings struct {
	mu sync.Mutex
	of map[gatheringKey]*gathering
}

// gatheringKey is a kind of question, to which one statement is the answer: the same layer
// as the same viewers see it, asked on the same lane.
type gatheringKey struct {
	layer *layer.Layer
	class string
	lane  *pgxpool.Pool
}

// gathering is what is asked of one kind.
type gathering struct {
	running int
	waiting []*lookUp
}

// lookUp is one question for a row, and its answer once it is done: nil for no row.
type lookUp struct {
	id       int64
	done     chan struct{}
	row      *layer.Row
	versions []int64
	err      error
}

// ask has read look up the row, together with what others ask, and waits for it or for the
// end of the context. read answers each of the questions, or returns why it cannot; it is
// called without the context's end, because others may wait for it.
func (g *gatherings) ask(ctx context.Context, key gatheringKey, id int64, read func(context.Context, []*lookUp) error) *lookUp {
	own := &lookUp{id: id, done: make(chan struct{})}
	g.mu.Lock()
	one := g.of[key]
	if one == nil {
		if g.of == nil {
			g.of = map[gatheringKey]*gathering{}
		}
		one = &gathering{}
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
		return &lookUp{id: id, err: ctx.Err()}
	}
}

// run answers what waits until nothing does.
func (g *gatherings) run(ctx context.Context, key gatheringKey, one *gathering, read func(context.Context, []*lookUp) error) {
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
func (g *gatherings) next(key gatheringKey, one *gathering) []*lookUp {
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
