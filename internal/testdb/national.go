package testdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hatang/internal/localdb"
)

// Nation is a database of national size. Its schema "national" holds the tables that
// the shared generator made, for the peers' SQL; its schema "public" is the product's
// own register, filled from them.
type Nation struct {
	URL string // the owner's connection string
}

// NationDate is a day on which every row of the nation's register is in force.
const NationDate = "2025-06-30"

// Peer is the owner's connection string for the peers' SQL, which names its tables
// without their schema, with the settings their figures were recorded with.
func (n Nation) Peer() string {
	return n.URL + " options='-c search_path=national,public -c work_mem=64MB -c max_parallel_workers_per_gather=2'"
}

// National returns the nation at 1/parts of its size: 200 000 sites, 10 000 communes,
// 700 districts and 5 000 zones when parts is 1. The data are made by the generator
// in BenchData (some 40 s for the whole), always the same, and are kept between runs:
// treat them as read only. migrate brings the product's schema into a database.
func National(tb testing.TB, parts int, migrate func(ctx context.Context, ownerURL string) error) Nation {
	tb.Helper()
	ctx := context.Background()
	owner, conn := open(ctx, tb)
	b := builder{conn: conn, owner: owner, parts: parts, migrate: migrate, sql: filepath.Join(BenchData(tb), "sql")}
	name, err := b.ensure(ctx)
	if err != nil {
		tb.Fatalf("make the national data: %v", err)
	}
	nation := Nation{URL: b.url(name)}
	// Whoever is connected keeps others from clearing the database away.
	hold, err := pgx.Connect(ctx, nation.URL)
	if err != nil {
		tb.Fatalf("connect to the national data: %v", err)
	}
	tb.Cleanup(func() {
		if err := hold.Close(ctx); err != nil {
			tb.Errorf("close the connection to the national data: %v", err)
		}
	})
	return nation
}

// BenchData returns the folder of the shared benchmark (HATANG_BENCHDATA, by default
// ../shared/bench beside the repository), and fails the test where there is none.
func BenchData(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("HATANG_BENCHDATA")
	if dir == "" {
		root, err := findRoot()
		if err != nil {
			tb.Fatal(err)
		}
		dir = filepath.Join(root, "..", "shared", "bench")
	}
	if !exists(dir) {
		tb.Fatalf("the benchmark data are not at %s: set HATANG_BENCHDATA", dir)
	}
	return dir
}

// BenchSQL returns a statement of the shared benchmark without psql's own lines.
func BenchSQL(tb testing.TB, name string) string {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join(BenchData(tb), "sql", name))
	if err != nil {
		tb.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(raw)) {
		if !strings.HasPrefix(line, `\`) {
			lines = append(lines, line)
		}
	}
	return strings.TrimSuffix(strings.TrimSpace(strings.Join(lines, "")), ";")
}

// inUse is the SQLSTATE of a database that somebody is connected to.
const inUse = "55006"

// buildLock is the advisory lock of whoever makes national data.
const buildLock = 7140699

// builder makes the two databases of a nation, each named by what it is made from: the
// generator's data, which nobody connects to, and the copy of it that has the register.
type builder struct {
	conn    *pgx.Conn
	owner   string
	sql     string
	parts   int
	migrate func(ctx context.Context, ownerURL string) error
}

// ensure returns the name of the database, which it makes if need be.
func (b builder) ensure(ctx context.Context) (string, error) {
	if _, err := b.conn.Exec(ctx, "SELECT pg_advisory_lock($1)", buildLock); err != nil {
		return "", err
	}
	raw := fmt.Sprintf("nation_%d_raw_", b.parts)
	rawHash, err := fingerprint(filepath.Join(b.sql, "01_generate.sql"))
	if err != nil {
		return "", err
	}
	if err := b.make(ctx, raw, rawHash, "template0", b.generate); err != nil {
		return "", err
	}
	full := fmt.Sprintf("nation_%d_full_", b.parts)
	files, err := registerFiles()
	if err != nil {
		return "", err
	}
	hash, err := fingerprint(append(files, filepath.Join(b.sql, "01_generate.sql"))...)
	if err != nil {
		return "", err
	}
	if err := b.make(ctx, full, hash, raw+rawHash, b.register); err != nil {
		return "", err
	}
	_, err = b.conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", buildLock)
	return full + hash, err
}

// make makes the database kind+hash unless it is there, and clears away those of the
// same kind that are made from something else, unless somebody uses them. It bears
// another name until it is complete.
func (b builder) make(ctx context.Context, kind, hash, template string, fill func(context.Context, string) error) error {
	rows, err := b.conn.Query(ctx, "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", kind)
	if err != nil {
		return err
	}
	there, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range there {
		if name == kind+hash {
			return nil
		}
		_, err := b.conn.Exec(ctx, "DROP DATABASE "+name)
		if busy := new(pgconn.PgError); errors.As(err, &busy) && busy.Code == inUse {
			continue
		}
		if err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "making %s%s, once\n", kind, hash)
	if _, err := b.conn.Exec(ctx, "CREATE DATABASE "+kind+"making TEMPLATE "+template); err != nil {
		return err
	}
	if err := fill(ctx, b.url(kind+"making")); err != nil {
		return err
	}
	_, err = b.conn.Exec(ctx, "ALTER DATABASE "+kind+"making RENAME TO "+kind+hash)
	return err
}

func (b builder) url(name string) string {
	return strings.Replace(b.owner, "dbname=hatang ", "dbname="+name+" ", 1)
}

// generate runs the shared generator, without the layers that no benchmark here reads.
func (b builder) generate(ctx context.Context, url string) error {
	set := func(name string, whole int) string { return fmt.Sprintf("%s=%d", name, whole/b.parts) }
	return b.psql(ctx, url, filepath.Join(b.sql, "01_generate.sql"), "-v", set("nsites", 200000), "-v", set("ncommunes", 10000),
		"-v", set("ndistricts", 700), "-v", set("nzones", 5000), "-v", set("nprobes", 100000), "-v", "nfibre=0", "-v", "npostal=0")
}

// register moves the generator's tables aside and fills the product's own from them.
func (b builder) register(ctx context.Context, url string) error {
	files, err := registerFiles()
	if err != nil {
		return err
	}
	aside, fill, rules := files[0], files[1], files[2]
	if err := b.psql(ctx, url, aside); err != nil {
		return err
	}
	if err := b.migrate(ctx, url); err != nil {
		return err
	}
	return b.psql(ctx, url, fill, "-v", "rules="+rules)
}

// registerFiles are what the register is made from: the two scripts, the rule set, and
// the migrations.
func registerFiles() ([]string, error) {
	root, err := findRoot()
	if err != nil {
		return nil, err
	}
	here := filepath.Join(root, "internal", "testdb")
	files := []string{filepath.Join(here, "national_aside.sql"), filepath.Join(here, "national_fill.sql"),
		filepath.Join(root, "internal", "plan", "packs", "dien-bien", "rules.json")}
	steps, err := filepath.Glob(filepath.Join(root, "migrations", "*.sql"))
	return append(files, steps...), err
}

// psql runs a script that has psql's own commands in it.
func (b builder) psql(ctx context.Context, url, script string, args ...string) error {
	program := "psql"
	if bin := os.Getenv("HATANG_PG_BIN"); bin != "" {
		program = filepath.Join(bin, program)
	}
	cmd := exec.CommandContext(ctx, program, append([]string{"-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", script}, args...)...)
	cmd.Env = append(os.Environ(), "PGCLIENTENCODING=UTF8", "PGOPTIONS=-c synchronous_commit=off -c maintenance_work_mem=256MB -c work_mem=64MB -c client_min_messages=warning")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(script), err, out)
	}
	return nil
}

func fingerprint(files ...string) (string, error) {
	sum := sha256.New()
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n%s", filepath.Base(file), len(raw), raw)
	}
	return hex.EncodeToString(sum.Sum(nil)[:5]), nil
}

// open joins the test cluster for the test and returns the owner's connection string
// with a connection.
func open(ctx context.Context, tb testing.TB) (string, *pgx.Conn) {
	tb.Helper()
	cluster, err := localdb.Open(ctx, localdb.Options{Dir: filepath.Join(os.TempDir(), fmt.Sprintf("hatang-tests-%d", os.Getuid()))})
	if err != nil {
		tb.Fatalf("open the test cluster: %v", err)
	}
	conn, err := pgx.Connect(ctx, cluster.OwnerURL())
	if err != nil {
		tb.Fatalf("connect to the test cluster: %v", err)
	}
	tb.Cleanup(func() {
		if err := errors.Join(conn.Close(ctx), cluster.Close(ctx)); err != nil {
			tb.Errorf("leave the test cluster: %v", err)
		}
	})
	return cluster.OwnerURL(), conn
}

// findRoot returns the repository's root: the nearest folder above with a go.mod.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for !exists(filepath.Join(dir, "go.mod")) {
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("the test runs outside the repository")
		}
		dir = parent
	}
	return dir, nil
}
