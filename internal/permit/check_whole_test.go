package permit

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hatang/geo"
	"hatang/internal/account"
)

// slowFinder finds nothing, and only once it is told to.
type slowFinder struct {
	begun   atomic.Int64
	release chan struct{}
}

func (f *slowFinder) Facts(context.Context, Asked) (Facts, error) {
	f.begun.Add(1)
	<-f.release
	return Facts{}, nil
}

// So many read a whole register at a time; others wait, as long as they care to.
func TestWholeRegistersReadAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &slowFinder{release: make(chan struct{})}
		c := NewChecker(f)
		read := func(ctx context.Context) error {
			_, err := c.Snapshot(ctx, account.Anonymous(), geo.NewDate(2020, 6, 30), time.Time{})
			return err
		}
		gone, stop := context.WithCancel(t.Context())
		done := make(chan error, wholeReads+2)
		for range wholeReads {
			go func() { done <- read(t.Context()) }()
		}
		synctest.Wait()
		go func() { done <- read(gone) }()
		go func() { done <- read(t.Context()) }()
		synctest.Wait()
		if n := f.begun.Load(); n != wholeReads {
			t.Errorf("%d read at a time", n)
		}
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("one that leaves: %v", err)
		}
		close(f.release)
		for range wholeReads + 1 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if n := f.begun.Load(); n != wholeReads+1 {
			t.Errorf("%d have read", n)
		}
	})
}
