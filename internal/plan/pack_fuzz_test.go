package plan

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"testing/fstest"

	"hatang/internal/layer"
)

// FuzzParsePack reads packs whose description and rules are anybody's: what is refused has its
// faults in both languages.
func FuzzParsePack(f *testing.F) {
	source := os.DirFS("testdata/packs/song-lam")
	body, err := fs.ReadFile(source, "pack.json")
	if err != nil {
		f.Fatal(err)
	}
	rules, err := fs.ReadFile(source, "rules.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body, rules)
	f.Add([]byte(`{}`), []byte(`[]`))
	f.Fuzz(func(t *testing.T, body, rules []byte) {
		_, err := Parse(fstest.MapFS{"pack.json": {Data: body}, "rules.json": {Data: rules}})
		if err == nil {
			return
		}
		var invalid *layer.InvalidError
		if !errors.As(err, &invalid) || len(invalid.Faults) == 0 {
			t.Fatalf("not said in words: %v", err)
		}
		for _, fault := range invalid.Faults {
			if fault.Detail.VI == "" || fault.Detail.EN == "" {
				t.Errorf("%+v", fault)
			}
		}
	})
}
