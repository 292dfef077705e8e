package intake

import (
	"context"
	"testing"

	"hatang/internal/layer"
	"hatang/internal/tables"
)

// layerNamed is a layer of the registry.
func layerNamed(t testing.TB, name string) *layer.Layer {
	t.Helper()
	registry, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	l, ok := registry.Get(name)
	if !ok {
		t.Fatalf("there is no layer %s", name)
	}
	return l
}

// table is rows in memory.
type table struct {
	columns []string
	crs     string
	guesses []tables.Guess
	rows    []tables.Row
}

func (m *table) Columns() []string       { return m.columns }
func (m *table) CRS() string             { return m.crs }
func (m *table) Guesses() []tables.Guess { return m.guesses }
func (m *table) Close() error            { return nil }

func (m *table) Read(ctx context.Context, each func(*tables.Row) error) error {
	for i := range m.rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		row := m.rows[i] // a reader may use its row again: so nobody may keep it
		if err := each(&row); err != nil {
			return err
		}
	}
	return nil
}
