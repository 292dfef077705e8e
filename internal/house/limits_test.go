package house_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The table of limits names files that are there and tests that are run.
func TestTheTableOfLimitsNamesWhatThereIs(t *testing.T) {
	tests := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".hatang") {
			return filepath.SkipDir
		}
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range declared.FindAllSubmatch(text, -1) {
			tests[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile(filepath.Join(root, "api/limits.md"))
	if err != nil {
		t.Fatal(err)
	}
	kept, _, ok := strings.Cut(string(table), "Figures by role")
	rows := 0
	for line := range strings.Lines(kept) {
		cells := strings.Split(line, " | ")
		if !strings.HasPrefix(line, "| ") || len(cells) != 4 || strings.HasPrefix(line, "| limit ") {
			continue
		}
		rows++
		files, tried := quoted.FindAllStringSubmatch(cells[2], -1), quoted.FindAllStringSubmatch(cells[3], -1)
		if len(files) == 0 || len(tried) == 0 {
			t.Errorf("it is not said what keeps and what tries %s", cells[0])
		}
		for _, m := range files {
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Error(err)
			}
		}
		for _, m := range tried {
			if !tests[m[1]] {
				t.Errorf("there is no test %s", m[1])
			}
		}
	}
	if !ok || rows < 20 {
		t.Errorf("%d limits were found in the table", rows)
	}
}

var quoted = regexp.MustCompile("`([^`]+)`")
