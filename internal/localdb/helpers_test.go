package localdb_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hatang/internal/localdb"
)

func testCtx(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// openDir returns a folder for a cluster whose parents the server's user may pass. t.TempDir
// is closed to it under root.
func openDir(t testing.TB) string {
	t.Helper()
	base, err := os.MkdirTemp("/tmp", "hatangtest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(base); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(base, "db")
}

func open(t testing.TB, dir string) *localdb.Cluster {
	t.Helper()
	quiet := slog.New(slog.NewTextHandler(t.Output(), nil))
	c, err := localdb.Open(testCtx(t), localdb.Options{Dir: dir, Log: quiet})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { closeIt(t, c) })
	return c
}

func closeIt(t testing.TB, c *localdb.Cluster) {
	t.Helper()
	if err := c.Close(testCtx(t)); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// ask runs a query that returns one text.
func ask(ctx context.Context, url, sql string) (string, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(ctx) }()
	var s string
	err = conn.QueryRow(ctx, sql).Scan(&s)
	return s, err
}

func mustAsk(t testing.TB, url, sql string) string {
	t.Helper()
	s, err := ask(testCtx(t), url, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return s
}

// execute runs statements that return nothing.
func execute(t testing.TB, url, sql string) {
	t.Helper()
	ctx := testCtx(t)
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// until waits for a condition; the deadline is the context's.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	ctx := testCtx(t)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

// postmaster returns the process id noted in the data folder; 0 when there is none.
func postmaster(data string) int {
	raw, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return 0
	}
	return pid
}

// parentOf returns the parent's process id: the keeper's, for a postmaster.
func parentOf(t testing.TB, pid int) int {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	ppid, err := strconv.Atoi(strings.Fields(rest)[1])
	if err != nil {
		t.Fatal(err)
	}
	return ppid
}

// serversIn counts the processes that work in a data folder.
func serversIn(t testing.TB, data string) int {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, l := range links {
		if cwd, err := os.Readlink(l); err == nil && cwd == data {
			n++
		}
	}
	return n
}

func kill(t testing.TB, pid int) {
	t.Helper()
	if pid <= 1 {
		t.Fatalf("no process to kill: %d", pid)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
