package filter

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"hatang/internal/testdb"
)

// same compares trees, wherever their parts stood.
var same = cmp.Options{cmpopts.IgnoreTypes(Place{}), cmpopts.EquateEmpty()}

// notPublishedAlike are published examples whose two forms are not one tree, and why.
// Each is still parsed and printed in both forms.
var notPublishedAlike = map[string]string{}

// readText parses a filter that must be right.
func readText(t testing.TB, s string) Expr {
	t.Helper()
	e, err := ParseText(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return e
}

func readJSON(t testing.TB, raw []byte) Expr {
	t.Helper()
	e, err := ParseJSON(raw)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return e
}

// roundTrip prints a tree in both forms and reads it again.
func roundTrip(t testing.TB, e Expr) {
	t.Helper()
	if d := cmp.Diff(e, readText(t, String(e)), same); d != "" {
		t.Errorf("%s is another filter:\n%s", String(e), d)
	}
	if d := cmp.Diff(e, readJSON(t, JSON(e)), same); d != "" {
		t.Errorf("%s is another filter:\n%s", JSON(e), d)
	}
}

func TestPublishedExamples(t *testing.T) {
	dir := filepath.Join(testdb.TestData(t), "conformance", "cql2")
	files, err := filepath.Glob(filepath.Join(dir, "text", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	published, err := filepath.Glob(filepath.Join(dir, "json", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			base, _, _ := strings.Cut(name, "-alt")
			seen[base] = true
			raw, err := os.ReadFile(filepath.Join(dir, "json", base+".json"))
			if err != nil {
				t.Fatal(err)
			}
			fromText, fromJSON := readText(t, string(text)), readJSON(t, raw)
			roundTrip(t, fromText)
			roundTrip(t, fromJSON)
			if d := cmp.Diff(fromJSON, fromText, same); (d != "") != (notPublishedAlike[name] != "") {
				t.Errorf("the two forms (-json +text), expected to differ: %q\n%s", notPublishedAlike[name], d)
			}
		})
	}
	if len(seen) < 80 || len(seen) != len(published) {
		t.Errorf("%d of %d examples in JSON were read", len(seen), len(published))
	}
}
