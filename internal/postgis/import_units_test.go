package postgis_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// Rows that lie elsewhere than in the commune that they declare are told, and taken.
func TestUnitsThatDisagreeAreTold(t *testing.T) {
	s, layers, _ := open(t)
	square := func(x float64) orb.MultiPolygon {
		return orb.MultiPolygon{{{{x, 21}, {x + 1, 21}, {x + 1, 22}, {x, 22}, {x, 21}}}}
	}
	unit := func(row int, code string, at float64, illustrative bool) postgis.Incoming {
		return postgis.Incoming{Row: row, Feature: layer.Feature{Geometry: square(at), Properties: map[string]any{"code": code, "name": code, "illustrative": illustrative}}}
	}
	communes := get(t, layers, "communes")
	if summary := importAll(t, s, communes, correction(t), unit(1, "A", 102, false), unit(2, "B", 103, false), unit(3, "C", 104, true)); !summary.Applied {
		t.Fatalf("%+v", summary)
	}
	kiosks := get(t, layers, "kiosks")
	kiosk := func(row int, code, commune string, at orb.Point) postgis.Incoming {
		p := map[string]any{"code": code, "name": code, "status": "existing"}
		if commune != "" {
			p["commune_code"] = commune
		}
		return postgis.Incoming{Row: row, Feature: layer.Feature{Geometry: at, Properties: p}}
	}
	summary := importAll(t, s, kiosks, correction(t),
		kiosk(1, "in", "A", orb.Point{102.5, 21.5}), kiosk(2, "on the border", "A", orb.Point{103, 21.5}), kiosk(3, "in B", "A", orb.Point{103.5, 21.5}),
		kiosk(4, "in none", "B", orb.Point{110, 21.5}), kiosk(5, "in C", "A", orb.Point{104.5, 21.5}), kiosk(6, "says nothing", "", orb.Point{110, 10}))
	want := []postgis.Elsewhere{{Row: 3, Code: "in B", Declared: "A", LiesIn: "B"}, {Row: 4, Code: "in none", Declared: "B"}, {Row: 5, Code: "in C", Declared: "A", LiesIn: "C", Illustrative: true}}
	if d := cmp.Diff(want, summary.Elsewhere); d != "" || summary.ElsewhereRows != 3 || !summary.Applied || summary.Inserted != 6 {
		t.Errorf("%+v\n%s", summary, d)
	}
	// A row that is moved lies elsewhere than it has declared before; one that is given its commune does not.
	moved := postgis.Incoming{Row: 1, Feature: layer.Feature{Geometry: orb.Point{103.5, 21.2}, Properties: map[string]any{"code": "in"}}}
	named := postgis.Incoming{Row: 2, Feature: layer.Feature{Properties: map[string]any{"code": "in B", "commune_code": "B"}}}
	summary = importAll(t, s, kiosks, correction(t), moved, named)
	if d := cmp.Diff([]postgis.Elsewhere{{Row: 1, Code: "in", Declared: "A", LiesIn: "B"}}, summary.Elsewhere); d != "" {
		t.Errorf("%+v\n%s", summary, d)
	}
}
