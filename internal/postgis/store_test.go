package postgis_test

import (
	"context"
	"flag"
	"testing"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/postgis"
	"hatang/internal/testdb"
)

func TestMain(m *testing.M) {
	// A check of a property here is some changes of a database, and takes up to a second: by
	// default fewer than elsewhere. `make soak` makes more of them.
	if err := flag.Set("rapid.checks", "40"); err != nil {
		panic(err)
	}
	testdb.Main(m)
}

// migrated returns a database of the test's own with nothing in it but the schema.
var migrated = testdb.Once(func(ctx context.Context, url string) error {
	layers, err := layer.Layers()
	if err != nil {
		return err
	}
	return postgis.Migrate(ctx, url, layers)
})

// open returns a store over a migrated, empty database, and the owner's address.
func open(t testing.TB) (*postgis.Store, *layer.Registry, string) {
	t.Helper()
	layers, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	url := migrated(t)
	s, err := postgis.Open(context.Background(), url, layers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, layers, url
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
