package httpapi

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Whoever waits for the end of the work on a request, or asks for it, is told as by any
// other context: at its time, with the request, and when it is given back.
func TestWorkContext(t *testing.T) {
	type key struct{}
	later := time.Now().Add(time.Hour)
	for name, tt := range map[string]struct {
		until time.Time
		end   func(c *workContext, leave func())
		want  error
	}{
		"time is up":      {time.Now(), func(*workContext, func()) {}, context.DeadlineExceeded},
		"given back":      {later, func(c *workContext, _ func()) { c.end() }, context.Canceled},
		"client has left": {later, func(_ *workContext, leave func()) { leave() }, context.Canceled},
	} {
		parent, leave := context.WithCancel(context.WithValue(context.Background(), key{}, "v"))
		defer leave()
		c := &workContext{Context: parent}
		if _, ok := c.Deadline(); ok || c.Done() != parent.Done() || c.Err() != nil {
			t.Errorf("%s: ends before its time has begun", name)
		}
		c.until = tt.until
		below, cancel := context.WithCancel(c)
		defer cancel()
		if c.Value(key{}) != "v" || below.Value(key{}) != "v" {
			t.Errorf("%s: the values are %v and %v", name, c.Value(key{}), below.Value(key{}))
		}
		if at, ok := below.Deadline(); !ok || !at.Equal(tt.until) {
			t.Errorf("%s: ends at %v, %v", name, at, ok)
		}
		if tt.until.Equal(later) && (c.Err() != nil || below.Err() != nil) {
			t.Errorf("%s: over before: %v, %v", name, c.Err(), below.Err())
		}
		tt.end(c, leave)
		<-c.Done()
		<-below.Done()
		if !errors.Is(c.Err(), tt.want) || !errors.Is(below.Err(), tt.want) {
			t.Errorf("%s: %v and %v, want %v", name, c.Err(), below.Err(), tt.want)
		}
	}
}
