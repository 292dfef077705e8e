package localdb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// orphanWait is how long a server that an earlier keeper left may take to stop.
	orphanWait = 60 * time.Second
	// stopWait is how long the fast shutdown may take before it becomes an immediate one.
	stopWait = 60 * time.Second
	// restartMin and restartMax bound the pause before a dead server is started again.
	restartMin, restartMax = 100 * time.Millisecond, 5 * time.Second
	// keptLogs is how many of PostgreSQL's log files are kept.
	keptLogs = 7
	// pidNote is PostgreSQL's lock file in the data folder.
	pidNote = "postmaster.pid"
)

// Keeper is the body of the hidden subcommand `keep-cluster HOME BINDIR`. It runs PostgreSQL
// until nobody uses the cluster any more, starting it again whenever it dies, and returns once
// it is down. It ends at once if another keeper runs, and with an
// error if the very first start fails. The process must end after it: locks go with the process.
func Keeper(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: keep-cluster HOME BINDIR (started by hatang itself)")
	}
	p, err := settle(args[0])
	if err != nil {
		return err
	}
	k := &keeper{place: p, bin: args[1], log: slog.New(slog.NewTextHandler(os.Stderr, nil)).With("keeper", os.Getpid())}
	own, err := openLock(p.home, keeperLock)
	if err != nil {
		return err
	}
	defer own.close()
	// Those who look whether a keeper lives hold this lock for an instant.
	short, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := own.take(short, syscall.LOCK_EX); err != nil {
		return fmt.Errorf("another keeper runs: %w", err)
	}
	// Never closed: waitUnused may still wait for it. It goes with the process, which ends after Keeper.
	users, err := openLock(p.home, usersLock)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	return k.run(ctx, waitUnused(users))
}

// waitUnused returns a channel that is closed when nobody holds the users' lock any more; the
// keeper holds it from then on, so that newcomers wait until the cluster is down.
func waitUnused(users *lockFile) <-chan struct{} {
	unused := make(chan struct{})
	go func() {
		for errors.Is(syscall.Flock(int(users.f.Fd()), syscall.LOCK_EX), syscall.EINTR) {
		}
		close(unused)
	}()
	return unused
}

type keeper struct {
	place place
	bin   string
	log   *slog.Logger
}

// run keeps the server up. It stays on one thread: the server dies with the thread that started it.
func (k *keeper) run(ctx context.Context, unused <-chan struct{}) error {
	runtime.LockOSThread()
	everReady, pause := false, restartMin
	for {
		ready, err := k.once(ctx, unused)
		if err == nil { // told to stop, and down
			select {
			case <-unused:
				return k.place.dropSocketDir()
			default:
				return nil
			}
		}
		everReady = everReady || ready
		if !everReady {
			return err
		}
		k.log.Warn("PostgreSQL ended; starting it again", "error", err)
		if pause = min(2*pause, restartMax); ready {
			pause = restartMin
		}
		select {
		case <-unused:
			return k.place.dropSocketDir()
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// once runs the server until it is told to stop (nil) or it ends by itself (an error), and says
// whether it ever accepted connections.
func (k *keeper) once(ctx context.Context, unused <-chan struct{}) (ready bool, err error) {
	if err := k.clearWay(ctx); err != nil {
		return false, err
	}
	// Not to be killed with the context: stop ends the server in order.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), filepath.Join(k.bin, "postgres"), "-D", k.place.data(),
		"-c", "config_file="+filepath.Join(k.place.conf(), "postgresql.conf"))
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
	k.place.asServer(cmd)
	if err := cmd.Start(); err != nil {
		return false, fmt.Errorf("start PostgreSQL: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-unused:
			return ready, k.stop(cmd.Process, ended)
		case <-ctx.Done():
			return ready, k.stop(cmd.Process, ended)
		case err := <-ended:
			return ready, fmt.Errorf("PostgreSQL ended by itself (%v): %w", cmd.ProcessState, errors.Join(errEnded, err))
		case <-look.C:
			if !ready && notedPID(filepath.Join(k.place.data(), pidNote)) == cmd.Process.Pid && saysReady(k.place.data()) {
				ready = true
				look.Reset(time.Minute)
			}
			k.pruneLogs()
		}
	}
}

var errEnded = errors.New("unexpected end")

// stop shuts the server down fast; one that does not obey is stopped at once, and recovers
// from its log at the next start.
func (k *keeper) stop(server *os.Process, ended <-chan error) error {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		if err := server.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop PostgreSQL: %w", err)
		}
		select {
		case err := <-ended:
			if err != nil {
				k.log.Warn("PostgreSQL was stopped and complained", "signal", sig.String(), "error", err)
			}
			return nil
		case <-time.After(stopWait):
			k.log.Warn("PostgreSQL does not stop", "signal", sig.String())
		}
	}
	return errors.New("PostgreSQL cannot be stopped")
}

// clearWay deals with what an earlier keeper that was killed left behind: a server that is just
// shutting down is waited for, children of a killed server are ended, notes of a process
// that is none of ours are removed (PostgreSQL would take any living process, even a dead one that
// its parent has not collected yet, for a server).
func (k *keeper) clearWay(ctx context.Context) error {
	data := k.place.data()
	socket, err := k.place.socketDir()
	if err != nil {
		return err
	}
	for _, note := range []string{filepath.Join(data, pidNote), filepath.Join(socket, socketName+".lock")} {
		if pid := notedPID(note); pid > 0 && isElsewhere(pid, data) {
			if err := os.Remove(note); err != nil && !os.IsNotExist(err) {
				return fmt.Errorf("remove a stale note of a process: %w", err)
			}
		}
	}
	pid := notedPID(filepath.Join(data, pidNote))
	wait, cancel := context.WithTimeout(ctx, orphanWait)
	defer cancel()
	return poll(wait, fmt.Sprintf("%v (process %d)", ErrInUse, pid), func() (bool, error) {
		left := processesIn(data)
		if pid > 0 && slices.Contains(left, pid) {
			return false, nil
		}
		for _, orphan := range left {
			if err := syscall.Kill(orphan, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return false, fmt.Errorf("end process %d of a killed PostgreSQL: %w", orphan, err)
			}
		}
		return len(left) == 0, nil
	})
}

// notedPID returns the process id on the first line of a lock file of PostgreSQL's, 0 if there is none.
func notedPID(note string) int {
	lines := linesOf(note)
	if len(lines) == 0 {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil {
		return 0
	}
	return pid
}

// saysReady says whether the server noted that it accepts connections: the eighth line of
// postmaster.pid (PostgreSQL's miscadmin.h, LOCK_FILE_LINE_PM_STATUS). A killed server's note stays.
func saysReady(data string) bool {
	lines := linesOf(filepath.Join(data, pidNote))
	return len(lines) >= 8 && strings.TrimSpace(lines[7]) == "ready"
}

// linesOf returns the lines of a small file; none if there is no such file.
func linesOf(path string) []string {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }() // only read
	var lines []string
	for s := bufio.NewScanner(f); s.Scan(); {
		lines = append(lines, s.Text())
	}
	return lines
}

// pruneLogs removes all but the newest of PostgreSQL's logs; their names sort by time.
func (k *keeper) pruneLogs() {
	files, err := filepath.Glob(filepath.Join(k.place.logs(), "postgresql-*.log"))
	if err != nil || len(files) <= keptLogs {
		return
	}
	slices.Sort(files)
	for _, f := range files[:len(files)-keptLogs] {
		if err := os.Remove(f); err != nil {
			k.log.Warn("cannot remove an old log", "error", err)
		}
	}
}

// causeIn recognises a known cause in what the keeper wrote before it ended.
func causeIn(said string) error {
	switch {
	case strings.Contains(said, "No space left on device"):
		return ErrNoSpace
	case strings.Contains(said, ErrInUse.Error()), strings.Contains(said, "is another postmaster"):
		return ErrInUse
	}
	return nil
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// currentUser returns the name of the user who runs this process; empty if it has none.
func currentUser() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}
