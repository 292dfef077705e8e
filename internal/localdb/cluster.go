package localdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Names in the cluster: the owner (its superuser, for migrations), the role that serves, the database.
const (
	ownerRole = "hatang"
	appRole   = "hatang_app"
	readRole  = "hatang_read" // what appRole becomes to read for the public
	database  = "hatang"
)

const (
	// healEvery is how often a user of the cluster looks whether the keeper lives.
	healEvery = 250 * time.Millisecond
	// joinedAfter: if the keeper has not begun to stop by then, another command has joined.
	joinedAfter = 2 * time.Second
)

// Options says where the cluster is and whom to tell about it.
type Options struct {
	Dir           string       // the folder, e.g. ".hatang"; made if absent
	Log           *slog.Logger // nil: slog's default
	Progress      func(string) // told a short sentence before each long step; may be nil
	KeeperCommand []string     // how to run Keeper; nil: this executable with "keep-cluster"
	BinDir        string       // folder of initdb and postgres; "": HATANG_PG_BIN, else the newest found
}

// Cluster is one user's hold on a running cluster. Its methods may be called by several
// goroutines; the cluster runs at least until Close.
type Cluster struct {
	opt    Options
	place  place
	users  *lockFile              // shared while open
	socket atomic.Pointer[string] // folder of the socket; heal may set it again

	stopHealing context.CancelFunc
	healing     sync.WaitGroup

	mu    sync.Mutex
	serve *lockFile // exclusive after LockServe
}

// Open joins the cluster in o.Dir; it makes and starts it first if need be. The first start takes
// about 1.5 s, a later one 0.2 s, joining 10 ms. It waits, until ctx ends, for another command
// that is starting or stopping the same cluster.
//
// Errors: ErrForeign, ErrNoSpace, ErrInUse (wrapped), *VersionError, *MissingError, the end of ctx.
func Open(ctx context.Context, o Options) (*Cluster, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if len(o.KeeperCommand) == 0 {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find this program: %w", err)
		}
		o.KeeperCommand = []string{self, "keep-cluster"}
	}
	p, err := locate(ctx, o.Dir, o.Log)
	if err != nil {
		return nil, err
	}
	c := &Cluster{opt: o, place: p}
	if c.users, err = locked(ctx, p.home, usersLock, syscall.LOCK_SH); err != nil {
		return nil, err
	}
	if err := c.ensureRunning(ctx); err != nil {
		return nil, errors.Join(err, c.leave(context.WithoutCancel(ctx)))
	}
	c.opt.Progress = func(string) {} // what heals itself later does so silently
	healCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.stopHealing = cancel
	c.healing.Go(func() { c.heal(healCtx) })
	return c, nil
}

// OwnerURL returns the connection string (keyword/value form) of the cluster's superuser, the owner of the schema.
func (c *Cluster) OwnerURL() string { return c.url(ownerRole, database) }

// AppURL returns the connection string (keyword/value form) of the role that serves.
func (c *Cluster) AppURL() string { return c.url(appRole, database) }

// DataDir returns PostgreSQL's data folder.
func (c *Cluster) DataDir() string { return c.place.data() }

// url needs no quoting beyond the quotes: fitsSocket admits neither quotes nor backslashes.
func (c *Cluster) url(role, db string) string {
	return fmt.Sprintf("host='%s' port=5432 user=%s dbname=%s sslmode=disable", *c.socket.Load(), role, db)
}

// LockServe makes this process the only one that serves from the folder, until Close.
// ErrServing (wrapped, with the other process's id) if there is one already.
func (c *Cluster) LockServe() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.serve != nil {
		return fmt.Errorf("%w: this very process (%d)", ErrServing, os.Getpid())
	}
	l, err := openLock(c.place.home, serveLock)
	if err != nil {
		return err
	}
	if ok, err := l.try(syscall.LOCK_EX); err != nil || !ok {
		pid := readPID(l)
		l.close()
		if err != nil {
			return err
		}
		return fmt.Errorf("%w: process %s serves from %s; stop it or choose another folder with --data", ErrServing, pid, c.opt.Dir)
	}
	text := []byte(strconv.Itoa(os.Getpid()) + "\n")
	if err := l.f.Truncate(0); err != nil {
		l.close()
		return fmt.Errorf("note who serves: %w", err)
	}
	if _, err := l.f.WriteAt(text, 0); err != nil {
		l.close()
		return fmt.Errorf("note who serves: %w", noSpace(err))
	}
	c.serve = l
	return nil
}

func readPID(l *lockFile) string {
	buf := make([]byte, 16)
	// A short read is the normal case; an unreadable one only costs the number in a message.
	n, _ := l.f.ReadAt(buf, 0)
	if pid := strings.TrimSpace(string(buf[:n])); pid != "" {
		return pid
	}
	return "of unknown id"
}

// Close gives the cluster up. The last one out waits until it is down, at most until ctx ends.
// A second Close does nothing.
func (c *Cluster) Close(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users == nil {
		return nil
	}
	c.stopHealing()
	c.healing.Wait()
	if c.serve != nil {
		c.serve.close()
		c.serve = nil
	}
	return c.leave(ctx)
}

// leave drops the shared lock and, if it was the last, waits for the keeper to end.
func (c *Cluster) leave(ctx context.Context) error {
	users := c.users
	c.users = nil
	defer users.close()
	last, err := c.isLast(ctx, users)
	users.unlock()
	if err != nil || !last {
		return err
	}
	deadline := time.Now().Add(joinedAfter)
	return poll(ctx, "waiting for PostgreSQL to stop", func() (bool, error) {
		if alive, err := keeperAlive(c.place.home); err != nil || !alive {
			return true, err
		}
		shared, err := users.try(syscall.LOCK_SH)
		if shared {
			users.unlock()
		} else {
			deadline = time.Now().Add(joinedAfter) // the keeper is at it
		}
		return shared && time.Now().After(deadline), err
	})
}

// isLast says whether nobody but us uses the cluster. Those who leave ask one after the other,
// so that of two who leave at once the second is the last. It loses the shared lock.
func (c *Cluster) isLast(ctx context.Context, users *lockFile) (bool, error) {
	turn, err := locked(ctx, c.place.home, leaveLock, syscall.LOCK_EX)
	if err != nil {
		return false, err
	}
	defer turn.close()
	if only, err := users.try(syscall.LOCK_EX); err != nil || only {
		return only, err
	}
	// Trying gave our own lock up. If a shared one is not to be had now, the keeper was waiting and
	// took the lock: nobody else was there.
	others, err := users.try(syscall.LOCK_SH)
	users.unlock()
	return !others, err
}

// heal starts a new keeper when the present one is killed. After a failure it tries again, at
// longer and longer intervals up to restartMax.
func (c *Cluster) heal(ctx context.Context) {
	pause := healEvery
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		alive, err := keeperAlive(c.place.home)
		if err == nil && !alive {
			c.opt.Log.Warn("the database's keeper has died; starting it again", "dir", c.opt.Dir)
			err = c.ensureRunning(ctx)
		}
		switch {
		case err == nil:
			pause = healEvery
		case ctx.Err() == nil:
			pause = min(2*pause, restartMax)
			c.opt.Log.Error("cannot restart the database", "dir", c.opt.Dir, "next_try_in", pause, "error", err)
		}
	}
}
