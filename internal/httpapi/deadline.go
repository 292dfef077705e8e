package httpapi

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// workContext is the context of a request, which the work on it ends at a time, once that
// has begun. It has a timer only from when somebody waits for that end: most answers come
// from memory, where nobody does.
type workContext struct {
	context.Context           // of the request
	until           time.Time // zero before the time has begun, and of work that has a pace to keep

	arm   sync.Once
	armed atomic.Pointer[timedContext]
}

// begin begins the time that the work may take. It is called once, before anybody else has
// the context: who waited for its end before, for a place or a body, was not told of it.
func (c *workContext) begin(most time.Duration) { c.until = time.Now().Add(most) }

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
	if parents, ok := c.Context.Deadline(); c.until.IsZero() || ok && parents.Before(c.until) {
		return parents, ok
	}
	return c.until, true
}

// Done implements context.Context.
func (c *workContext) Done() <-chan struct{} {
	if c.until.IsZero() {
		return c.Context.Done()
	}
	return c.timed().Done()
}

// Err implements context.Context.
func (c *workContext) Err() error {
	if c.until.IsZero() {
		return c.Context.Err()
	}
	return c.timed().Err()
}

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
