package layer

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestLayersAreSound(t *testing.T) {
	r, err := Layers()
	if err != nil {
		t.Fatal(err)
	}
	if got := len(r.All()); got != 21 {
		t.Errorf("%d layers, want the 21 of the design", got)
	}
	for _, l := range r.All() {
		for _, f := range l.Fields {
			for _, s := range []string{f.Title.VI, f.Doc.VI} {
				if !norm.NFC.IsNormalString(s) {
					t.Errorf("%s.%s: %q is not NFC", l.Name, f.Name, s)
				}
			}
		}
	}
}

func TestNewReportsEveryFaultAtOnce(t *testing.T) {
	_, err := New(Layer{Name: "Bad Name", ColourBy: "nothing"}, Layer{Name: "x", Fields: []Field{{Name: "height", Kind: Number, Unit: "m"}}})
	if err == nil {
		t.Fatal("bad literals were accepted")
	}
	for _, want := range []string{"lower-case", "ColourBy", "Vietnamese and English", "ends in it"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not among the faults: %v", want, err)
		}
	}
}
