package postgis_test

import (
	"context"
	"testing"

	"hatang/internal/layer"
	"hatang/internal/postgis"
	"hatang/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// open returns a store over a migrated, empty database, and the owner's address.
func open(t *testing.T) (*postgis.Store, *layer.Registry, string) {
	t.Helper()
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
	t.Cleanup(s.Close)
	return s, layers, url
}

func TestMigrateMakesEveryLayer(t *testing.T) {
	s, layers, url := open(t)
	versions, err := s.LayerVersions(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range layers.All() {
		if versions[l.Name] != 1 {
			t.Errorf("%s has version %d, want 1", l.Name, versions[l.Name])
		}
	}
	if err := postgis.Migrate(context.Background(), url, layers); err != nil {
		t.Errorf("migrating again: %v", err)
	}
}
