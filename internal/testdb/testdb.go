// Package testdb gives tests empty databases in a real, private PostGIS cluster. It
// is imported by tests only.
package testdb

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"hatang/internal/localdb"
)

// Main runs a package's tests; its TestMain calls it. The same binary is also the
// keeper of the cluster.
func Main(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "keep-cluster" {
		if err := localdb.Keeper(context.Background(), os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(Run(m))
}

// Run runs a package's tests, clears away what they shared and returns the exit code: for a
// TestMain with work of its own, instead of Main.
func Run(m *testing.M) int {
	debug.SetGCPercent(400) // tests make much garbage and keep little
	code := m.Run()
	if err := shared.leave(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "leave the test cluster:", err)
		return 1
	}
	return code
}

// New makes an empty database for one test and returns the owner's connection
// string. All packages under test share one cluster, which stays on disk between
// runs; the database goes with the test.
func New(t testing.TB) string {
	t.Helper()
	return create(t, "template0")
}

// Copy makes a database for one test with everything in it that is in another, which
// nobody may be connected to, and returns the owner's connection string.
func Copy(t testing.TB, url string) string {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatalf("the database to copy: %v", err)
	}
	return create(t, config.Database)
}

// Once returns a function that gives each test a database of its own, a copy of one that fill
// has filled when the first test asked for it. fill gets the owner's connection string and
// leaves no connection open.
func Once(fill func(ctx context.Context, url string) error) func(testing.TB) string {
	filled := sync.OnceValues(func() (string, error) {
		ctx := context.Background()
		owner, err := shared.join(ctx)
		if err != nil {
			return "", err
		}
		name := newName()
		if err := shared.create(ctx, name, "template0"); err != nil {
			return "", err
		}
		shared.keep(name)
		return name, fill(ctx, within(owner, name))
	})
	return func(t testing.TB) string {
		t.Helper()
		name, err := filled()
		if err != nil {
			t.Fatalf("fill the database that tests have copies of: %v", err)
		}
		return create(t, name)
	}
}

func create(t testing.TB, template string) string {
	t.Helper()
	ctx := context.Background()
	owner, err := shared.join(ctx)
	if err != nil {
		t.Fatalf("join the test cluster: %v", err)
	}
	name := newName()
	if err := shared.create(ctx, name, template); err != nil {
		t.Fatalf("make the test database: %v", err)
	}
	t.Cleanup(func() {
		if err := shared.drop(ctx, name); err != nil {
			t.Errorf("drop the test database: %v", err)
		}
	})
	return within(owner, name)
}

func newName() string {
	suffix := [6]byte{}
	_, _ = rand.Read(suffix[:]) // never fails
	return "test_" + hex.EncodeToString(suffix[:])
}

// within is the connection string of another database of the cluster.
func within(owner, name string) string {
	return strings.Replace(owner, "dbname=hatang ", "dbname="+name+" ", 1)
}

// hold is this process's hold on the test cluster: it lasts from the first test that has a
// database to the end of the run, for a cluster takes longer to stop and to start than many
// a test. Several goroutines may use it.
type hold struct {
	mu      sync.Mutex
	cluster *localdb.Cluster
	conn    *pgx.Conn // the owner's, by which databases are made: a connection takes as long as a database
	copying string    // how the server is told to copy databases by their files
	names   []string  // of databases that go with the hold
}

var shared hold

// join returns the owner's connection string.
func (h *hold) join(ctx context.Context) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cluster == nil {
		dir := filepath.Join(os.TempDir(), fmt.Sprintf("hatang-tests-%d", os.Getuid()))
		cluster, err := localdb.Open(ctx, localdb.Options{Dir: dir})
		if err != nil {
			return "", err
		}
		h.cluster = cluster
		if err := h.connect(ctx); err != nil {
			h.cluster = nil
			return "", errors.Join(err, cluster.Close(ctx))
		}
	}
	return h.cluster.OwnerURL(), nil
}

func (h *hold) connect(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, h.cluster.OwnerURL())
	if err != nil {
		return err
	}
	copying, err := hurry(ctx, conn)
	if err != nil {
		return errors.Join(err, conn.Close(ctx))
	}
	h.conn, h.copying = conn, copying
	return nil
}

func (h *hold) create(ctx context.Context, name, template string) error {
	return h.execute(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template+h.copying)
}

func (h *hold) drop(ctx context.Context, name string) error {
	return h.execute(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
}

func (h *hold) execute(ctx context.Context, sql string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.conn.IsClosed() { // the server has been started again
		if err := h.connect(ctx); err != nil {
			return err
		}
	}
	_, err := h.conn.Exec(ctx, sql)
	return err
}

func (h *hold) keep(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.names = append(h.names, name)
}

func (h *hold) leave(ctx context.Context) (err error) {
	if h.cluster == nil {
		return nil
	}
	for _, name := range h.names {
		err = errors.Join(err, h.drop(ctx, name))
	}
	return errors.Join(err, h.conn.Close(ctx), h.cluster.Close(ctx))
}

// hurry has the cluster wait for no disk: what tests write need not outlast the machine, and
// making and dropping databases takes a third of the time. What is to be proved of crashes
// is proved on clusters of its own. It returns how databases are copied file by file, which
// takes a fifth of the work of copying them page by page through the log: PostgreSQL 14 knows
// no other way and no word for it.
func hurry(ctx context.Context, conn *pgx.Conn) (copying string, err error) {
	var waits bool
	if err := conn.QueryRow(ctx, `SELECT current_setting('fsync')::boolean OR current_setting('synchronous_commit') <> 'off',
		CASE WHEN current_setting('server_version_num')::int >= 150000 THEN ' STRATEGY file_copy' ELSE '' END`).Scan(&waits, &copying); err != nil || !waits {
		return copying, err
	}
	for _, sql := range []string{"ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off", "ALTER SYSTEM SET synchronous_commit = off", "SELECT pg_reload_conf()"} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return "", err
		}
	}
	return copying, nil
}

// TestData returns the folder of the shared test data (HATANG_TESTDATA, by default
// ../shared/data beside the repository), and fails the test where there is none.
func TestData(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("HATANG_TESTDATA")
	if dir == "" {
		root, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for !exists(filepath.Join(root, "go.mod")) {
			parent := filepath.Dir(root)
			if parent == root {
				t.Fatal("the test runs outside the repository")
			}
			root = parent
		}
		dir = filepath.Join(root, "..", "shared", "data")
	}
	if !exists(dir) {
		t.Fatalf("the test data is not at %s: set HATANG_TESTDATA", dir)
	}
	return dir
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
