// Package testdb gives tests empty databases in a real, private PostGIS cluster. It
// is imported by tests only.
package testdb

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
	os.Exit(m.Run())
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

func create(t testing.TB, template string) string {
	t.Helper()
	ctx := context.Background()
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("hatang-tests-%d", os.Getuid()))
	cluster, err := localdb.Open(ctx, localdb.Options{Dir: dir})
	if err != nil {
		t.Fatalf("open the test cluster: %v", err)
	}
	owner := cluster.OwnerURL()
	conn, err := pgx.Connect(ctx, owner)
	if err != nil {
		t.Fatalf("connect to the test cluster: %v", err)
	}
	if err := hurry(ctx, conn); err != nil {
		t.Fatalf("set up the test cluster: %v", err)
	}
	suffix := [6]byte{}
	_, _ = rand.Read(suffix[:]) // never fails
	name := "test_" + hex.EncodeToString(suffix[:])
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template); err != nil {
		t.Fatalf("make the test database: %v", err)
	}
	t.Cleanup(func() {
		if _, err := conn.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the test database: %v", err)
		}
		if err := conn.Close(ctx); err != nil {
			t.Errorf("close the connection to the test cluster: %v", err)
		}
		if err := cluster.Close(ctx); err != nil {
			t.Errorf("leave the test cluster: %v", err)
		}
	})
	return strings.Replace(owner, "dbname=hatang ", "dbname="+name+" ", 1)
}

// hurry has the cluster wait for no disk: what tests write need not outlast the machine, and
// making and dropping databases takes a third of the time. What is to be proved of crashes
// is proved on clusters of its own.
func hurry(ctx context.Context, conn *pgx.Conn) error {
	var waits bool
	if err := conn.QueryRow(ctx, "SELECT current_setting('fsync')::boolean").Scan(&waits); err != nil || !waits {
		return err
	}
	for _, sql := range []string{"ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()"} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
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
