package postgis_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"testing"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/postgis"
	"hatang/internal/testdb"
	"hatang/migrations"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// open returns a store over a migrated, empty database, and the owner's address.
func open(t testing.TB) (*postgis.Store, *layer.Registry, string) {
	t.Helper()
	ctx := context.Background()
	layers, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	url := testdb.New(t)
	copyMigrated(t, url, layers)
	s, err := postgis.Open(ctx, url, layers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, layers, url
}

// copyMigrated replaces an empty database by a copy of a migrated one, which the
// cluster keeps between runs under a name made from the migrations: migrating thirty
// times over takes longer than all the tests.
func copyMigrated(t testing.TB, url string, layers *layer.Registry) {
	t.Helper()
	ctx := context.Background()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	name := config.Database
	config.Database = "hatang"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }() // gives the lock back, too
	run(t, conn, "SELECT pg_advisory_lock(7140618)")
	template := "template_" + digest(t)
	if scalar[bool](t, conn, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", template) {
		run(t, conn, "DROP DATABASE "+name)
	} else {
		if err := postgis.Migrate(ctx, url, layers); err != nil {
			t.Fatal(err)
		}
		run(t, conn, "ALTER DATABASE "+name+" RENAME TO "+template)
	}
	run(t, conn, "CREATE DATABASE "+name+" TEMPLATE "+template)
}

// digest names the migrations by their text.
func digest(t testing.TB) string {
	t.Helper()
	hash := sha256.New()
	files, err := fs.Glob(migrations.Files, "*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no migrations: %v", err)
	}
	for _, file := range files {
		text, err := fs.ReadFile(migrations.Files, file)
		if err != nil {
			t.Fatal(err)
		}
		hash.Write(text)
	}
	return fmt.Sprintf("%.8x", hash.Sum(nil))
}

func TestMigrateMakesEveryLayer(t *testing.T) {
	ctx := context.Background()
	layers, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	url := testdb.New(t)
	if err := postgis.Migrate(ctx, url, layers); err != nil {
		t.Fatal(err)
	}
	s, err := postgis.Open(ctx, url, layers)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	versions, err := s.LayerVersions(ctx, account.Anonymous())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range layers.All() {
		if versions[l.Name] != 1 {
			t.Errorf("%s has version %d, want 1", l.Name, versions[l.Name])
		}
	}
	if err := postgis.Migrate(ctx, url, layers); err != nil {
		t.Errorf("migrating again: %v", err)
	}
}
