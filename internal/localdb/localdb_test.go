package localdb_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hatang/internal/localdb"
)

// TestMain lets the test binary be the keeper and a command that holds the cluster.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "keep-cluster":
			exitOn(localdb.Keeper(context.Background(), os.Args[2:]))
		case "hold":
			exitOn(hold(os.Args[2]))
		}
	}
	os.Exit(m.Run())
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// hold is a command that opens the cluster, says so, and keeps it until its input ends.
func hold(dir string) error {
	c, err := localdb.Open(context.Background(), localdb.Options{Dir: dir})
	if err != nil {
		return err
	}
	fmt.Println("open")
	buf := make([]byte, 1)
	_, readErr := os.Stdin.Read(buf)
	return errors.Join(c.Close(context.Background()), ignoreEOF(readErr))
}

func ignoreEOF(err error) error {
	if err != nil && err.Error() == "EOF" {
		return nil
	}
	return err
}

func TestFirstStartJoinAndLastOut(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	start := time.Now()
	a := open(t, dir)
	t.Logf("first start %v", time.Since(start).Round(time.Millisecond))
	if got := mustAsk(t, a.OwnerURL(), "SELECT current_user || ' ' || current_database() || ' ' || current_setting('data_checksums')"); got != "hatang hatang on" {
		t.Errorf("owner: got %q", got)
	}
	if got := mustAsk(t, a.AppURL(), "SELECT current_user || ' ' || current_setting('is_superuser')"); got != "hatang_app off" {
		t.Errorf("app: got %q", got)
	}
	if got := mustAsk(t, a.OwnerURL(), "SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension"); got != "btree_gist plpgsql postgis" {
		t.Errorf("extensions: got %q", got)
	}
	if got := mustAsk(t, a.OwnerURL(), "SELECT current_setting('listen_addresses')"); got != "" {
		t.Errorf("listens on TCP: %q", got)
	}
	checkClosed(t, dir, a.DataDir())

	start = time.Now()
	b := open(t, dir)
	t.Logf("joined in %v", time.Since(start).Round(time.Millisecond))
	pid := postmaster(a.DataDir())
	closeIt(t, a)
	if got := postmaster(b.DataDir()); got != pid || mustAsk(t, b.OwnerURL(), "SELECT 'still'") != "still" {
		t.Errorf("the cluster changed when one of two left: postmaster %d, was %d", got, pid)
	}
	start = time.Now()
	closeIt(t, b)
	t.Logf("last out in %v", time.Since(start).Round(time.Millisecond))
	if postmaster(b.DataDir()) != 0 {
		t.Error("PostgreSQL is still up")
	}
	until(t, "the last PostgreSQL process to end", func() bool { return serversIn(t, b.DataDir()) == 0 }) // the log's may outlive the server
	start = time.Now()
	open(t, dir)
	t.Logf("later start %v", time.Since(start).Round(time.Millisecond))
}

// checkClosed: nobody but the owner and the server's group gets into the folder.
func checkClosed(t *testing.T, dir, data string) {
	t.Helper()
	for path, closed := range map[string]os.FileMode{dir: 0o067, data: 0o077} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm() & closed; got != 0 {
			t.Errorf("%s is open to others: mode %o", path, info.Mode().Perm())
		}
	}
}

func TestOpenedByManyAtOnce(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	const n = 4
	got := make(chan *localdb.Cluster, n)
	errs := make(chan error, n)
	for range n {
		go func() {
			c, err := localdb.Open(testCtx(t), localdb.Options{Dir: dir})
			got <- c
			errs <- err
		}()
	}
	pids := map[int]bool{}
	var data string
	for range n {
		c, err := <-got, <-errs
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		defer closeIt(t, c)
		data = c.DataDir()
		pids[postmaster(data)] = true
	}
	if len(pids) != 1 {
		t.Errorf("postmasters seen: %v, want one", pids)
	}
}

func TestKilledPostmasterAndKeeperComeBack(t *testing.T) {
	t.Parallel()
	c := open(t, openDir(t))
	execute(t, c.OwnerURL(), "CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)")
	for _, victim := range []string{"postmaster", "keeper", "both"} {
		t.Run(victim, func(t *testing.T) {
			pm := postmaster(c.DataDir())
			keeper := parentOf(t, pm)
			if victim != "postmaster" {
				kill(t, keeper)
			}
			if victim != "keeper" {
				kill(t, pm)
			}
			start := time.Now()
			until(t, "another postmaster", func() bool {
				got, err := ask(testCtx(t), c.OwnerURL(), "SELECT id::text FROM kept")
				return err == nil && got == "7" && postmaster(c.DataDir()) != pm
			})
			t.Logf("answered again after %v", time.Since(start).Round(time.Millisecond))
		})
	}
	closeIt(t, c)
	until(t, "no process in the data folder", func() bool { return serversIn(t, c.DataDir()) == 0 })
}

func TestKilledPostmasterWithBusyBackend(t *testing.T) {
	t.Parallel()
	c := open(t, openDir(t))
	ctx := testCtx(t)
	conn, err := pgx.Connect(ctx, c.OwnerURL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	busy := make(chan error, 1)
	go func() { // never looks up, so it outlives its postmaster
		_, err := conn.Exec(ctx, "DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$")
		busy <- err
	}()
	until(t, "the busy query", func() bool {
		n, err := ask(ctx, c.OwnerURL(), "SELECT count(*)::text FROM pg_stat_activity WHERE query LIKE 'DO %' AND state = 'active'")
		return err == nil && n == "1"
	})
	kill(t, postmaster(c.DataDir()))
	if err := <-busy; err == nil {
		t.Error("the endless query ended without an error")
	}
	until(t, "an answer", func() bool { _, err := ask(ctx, c.OwnerURL(), "SELECT 'x'"); return err == nil })
}

// holder starts a command of its own that holds the cluster.
func holder(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "hold", dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() }) // a killed command has closed it already
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 5)
	if _, err := out.Read(line); err != nil || !strings.HasPrefix(string(line), "open") {
		t.Fatalf("the command did not open the cluster: %q %v", line, err)
	}
	return cmd
}

func TestKilledCommandLeavesClusterToTheOthers(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	first := holder(t, dir) // its death must not take the keeper it started along
	c := open(t, dir)
	pm := postmaster(c.DataDir())
	kill(t, first.Process.Pid)
	if err := first.Wait(); err == nil {
		t.Fatal("the killed command ended well")
	}
	if mustAsk(t, c.OwnerURL(), "SELECT 'x'") != "x" || postmaster(c.DataDir()) != pm {
		t.Error("the cluster did not outlive the killed command")
	}
	second := holder(t, dir)
	closeIt(t, c)
	if got := postmaster(c.DataDir()); got != pm {
		t.Errorf("postmaster %d, was %d, while one command holds it", got, pm)
	}
	kill(t, second.Process.Pid)
	if err := second.Wait(); err == nil {
		t.Fatal("the killed command ended well")
	}
	until(t, "the cluster to stop after its last user was killed", func() bool { return serversIn(t, c.DataDir()) == 0 })
}

func TestKeeperKilledWithNobodyLeft(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	h := holder(t, dir)
	data := filepath.Join(dir, "data")
	pm := postmaster(data)
	keeper := parentOf(t, pm)
	kill(t, h.Process.Pid)
	kill(t, keeper)
	if err := h.Wait(); err == nil {
		t.Fatal("the killed command ended well")
	}
	until(t, "no orphan", func() bool { return serversIn(t, data) == 0 })
	if got := mustAsk(t, open(t, dir).OwnerURL(), "SELECT 'again'"); got != "again" {
		t.Errorf("got %q", got)
	}
}

func TestServeOnce(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	a, b := open(t, dir), open(t, dir)
	if err := a.LockServe(); err != nil {
		t.Fatal(err)
	}
	err := b.LockServe()
	if !errors.Is(err, localdb.ErrServing) || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("second serve: got %v, want ErrServing with the process id", err)
	}
	closeIt(t, a)
	if err := b.LockServe(); err != nil {
		t.Errorf("after the first left: %v", err)
	}
}
