package httpapi

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// workContext is a context that ends at a time, and has a timer for it only from when
// somebody waits for its end: most answers come from memory, where nobody does.
type workContext struct {
	context.Context // of the request
	until           time.Time

	arm   sync.Once
	armed atomic.Pointer[timedContext]
}

// withTime is context.WithTimeout.
func withTime(ctx context.Context, most time.Duration) (timed context.Context, end context.CancelFunc) {
	c := &workContext{Context: ctx, until: time.Now().Add(most)}
	return c, c.end
}

// timedContext is a context with its timer, which end gives back.
type timedContext struct {
	context.Context
	end context.CancelFunc
}

// timed is the context with a timer.
func (c *workContext) timed() *timedContext {
	c.arm.Do(func() {
		ctx, end := context.WithDeadline(c.Context, c.until)
		c.armed.Store(&timedContext{ctx, end})
	})
	return c.armed.Load()
}

// Deadline implements context.Context.
func (c *workContext) Deadline() (time.Time, bool) {
	if parents, ok := c.Context.Deadline(); ok && parents.Before(c.until) {
		return parents, true
	}
	return c.until, true
}

// Done implements context.Context.
func (c *workContext) Done() <-chan struct{} { return c.timed().Done() }

// Err implements context.Context.
func (c *workContext) Err() error { return c.timed().Err() }

// Value implements context.Context. Whoever has waited for Done is asked by contexts below
// what ends them.
func (c *workContext) Value(key any) any {
	if timed := c.armed.Load(); timed != nil {
		return timed.Value(key)
	}
	return c.Context.Value(key)
}

// end gives back the timer, if there is one. The request's context ends with the request.
func (c *workContext) end() {
	if timed := c.armed.Load(); timed != nil {
		timed.end()
	}
}
