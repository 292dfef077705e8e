package localdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// The locks of a home. The kernel releases them with the process, however it ends.
const (
	usersLock  = "users.lock"  // shared: every user of the cluster; exclusive: the keeper, once it stops
	keeperLock = "keeper.lock" // exclusive: the keeper, all its life
	startLock  = "start.lock"  // exclusive: whoever initialises or starts
	leaveLock  = "leave.lock"  // exclusive: whoever finds out whether it is the last
	serveLock  = "serve.lock"  // exclusive: the one `serve`
)

// pollEvery is how often a lock or a state is looked at again while waiting.
const pollEvery = 5 * time.Millisecond

// lockFile is one open lock file; an open file holds at most one lock.
type lockFile struct{ f *os.File }

func openLock(home, name string) (*lockFile, error) {
	f, err := os.OpenFile(filepath.Join(home, name), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	return &lockFile{f}, nil
}

// try takes the lock (syscall.LOCK_SH or LOCK_EX) if that is possible at once.
func (l *lockFile) try(how int) (bool, error) {
	for {
		err := syscall.Flock(int(l.f.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		default:
			return false, fmt.Errorf("lock %s: %w", l.f.Name(), err)
		}
	}
}

// take waits for the lock until ctx ends.
func (l *lockFile) take(ctx context.Context, how int) error {
	return poll(ctx, "waiting for "+filepath.Base(l.f.Name()), func() (bool, error) { return l.try(how) })
}

// unlock gives the lock back and keeps the file open. Unlocking cannot fail on an open file.
func (l *lockFile) unlock() { _ = syscall.Flock(int(l.f.Fd()), syscall.LOCK_UN) }

// close gives the lock back and closes the file; nothing was written through it that could be lost.
func (l *lockFile) close() { _ = l.f.Close() }

// locked opens a lock file of home and waits for the lock.
func locked(ctx context.Context, home, name string, how int) (*lockFile, error) {
	l, err := openLock(home, name)
	if err != nil {
		return nil, err
	}
	if err := l.take(ctx, how); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// keeperAlive says whether a keeper runs for home.
func keeperAlive(home string) (bool, error) {
	l, err := openLock(home, keeperLock)
	if err != nil {
		return false, err
	}
	defer l.close()
	// Shared, so that two who look at the same moment do not see each other.
	free, err := l.try(syscall.LOCK_SH)
	return !free, err
}

// poll calls done until it says true, fails, or ctx ends; what names the wait in the error.
func poll(ctx context.Context, what string, done func() (bool, error)) error {
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		if ok, err := done(); err != nil || ok {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, context.Cause(ctx))
		case <-t.C:
		}
	}
}
