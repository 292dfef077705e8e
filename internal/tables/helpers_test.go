package tables

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"hatang/internal/layer"
	"hatang/internal/testdb"
)

// shared is a file of the shared test data.
func shared(t testing.TB, path string) string {
	t.Helper()
	return filepath.Join(testdb.TestData(t), path)
}

// written is a file with what it is given in it.
func written(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// opened opens a file that can be read.
func opened(t testing.TB, path string, o Options) Table {
	t.Helper()
	table, err := Open(t.Context(), path, o)
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	t.Cleanup(func() {
		if err := table.Close(); err != nil {
			t.Error(err)
		}
	})
	return table
}

// rowsOf reads all rows.
func rowsOf(t testing.TB, table Table) []Row {
	t.Helper()
	rows, err := gather(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func gather(ctx context.Context, table Table) ([]Row, error) {
	var rows []Row
	err := table.Read(ctx, func(r *Row) error {
		kept := *r
		kept.Cells = slices.Clone(r.Cells)
		rows = append(rows, kept)
		return nil
	})
	return rows, err
}

// cell is a value of a row by its column's name.
func cell(t testing.TB, table Table, r Row, column string) any {
	t.Helper()
	i := slices.Index(table.Columns(), column)
	if i < 0 {
		t.Fatalf("no column %q in %q", column, table.Columns())
	}
	return r.Cells[i]
}

// guessed is what was guessed of a file; "" for nothing.
func guessed(table Table, what string) string {
	for _, g := range table.Guesses() {
		if g.What == what {
			return g.Value
		}
	}
	return ""
}

// refusal opens and reads a file that is refused, and returns why, in English.
func refusal(t testing.TB, path string, o Options) string {
	t.Helper()
	table, err := Open(t.Context(), path, o)
	if err == nil {
		defer table.Close()
		_, err = gather(t.Context(), table)
	}
	if err == nil {
		t.Fatalf("%s was read", filepath.Base(path))
	}
	return bilingual(t, filepath.Base(path), err)
}

// bilingual fails unless an error is said in both languages, and returns the English.
func bilingual(t testing.TB, what string, err error) string {
	t.Helper()
	var said *layer.ValueError
	if !errors.As(err, &said) || said.Text.VI == "" || said.Text.VI == said.Text.EN {
		t.Fatalf("%s: not said in both languages: %v", what, err)
	}
	return said.Text.EN
}

// noFaults fails for rows with faults.
func noFaults(t testing.TB, rows []Row) {
	t.Helper()
	for _, r := range rows {
		if err := r.Faults.Err(); err != nil {
			t.Errorf("row %d: %v", r.Number, err)
		}
	}
}
