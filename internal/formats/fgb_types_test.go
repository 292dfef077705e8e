package formats

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"hatang/internal/layer"
)

// Every type of geometry that a layer may have stands in the header by its name, and GDAL
// reads from the file what was written.
func TestGeometryTypesInFlatGeobuf(t *testing.T) {
	ring := orb.Ring{{103, 21}, {104, 21}, {104, 22}, {103, 21}}
	point, points := orb.Point{103, 21}, orb.MultiPoint{{103, 21}, {104, 22}}
	lines, areas := orb.MultiLineString{{{103, 21}, {104, 22}}, {{105, 21}, {106, 22}}}, orb.MultiPolygon{{ring}}
	gdal := map[layer.GeometryType]struct {
		name   string
		shapes []orb.Geometry
		wkt    []string
	}{
		layer.Point:           {"Point", []orb.Geometry{point}, []string{"POINT (103 21)"}},
		layer.MultiPoint:      {"Multi Point", []orb.Geometry{points}, []string{"MULTIPOINT ((103 21),(104 22))"}},
		layer.MultiLineString: {"Multi Line String", []orb.Geometry{lines}, []string{"MULTILINESTRING ((103 21,104 22),(105 21,106 22))"}},
		layer.MultiPolygon:    {"Multi Polygon", []orb.Geometry{areas}, []string{"MULTIPOLYGON (((103 21,104 21,104 22,103 21)))"}},
		layer.AnyGeometry: {"Unknown (any)", []orb.Geometry{point, points, lines[0], lines, areas[0], areas}, []string{"POINT (103 21)", "MULTIPOINT ((103 21),(104 22))",
			"LINESTRING (103 21,104 22)", "MULTILINESTRING ((103 21,104 22),(105 21,106 22))", "POLYGON ((103 21,104 21,104 22,103 21))", "MULTIPOLYGON (((103 21,104 21,104 22,103 21)))"}},
	}
	registry, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	types := layer.GeometryTypes()
	for _, l := range registry.All() {
		if !slices.Contains(types, l.Geometry) {
			t.Errorf("%s has the geometry %s, which is not among the types there are", l.Name, l.Geometry)
		}
	}
	for _, kind := range types {
		if _, mapped := geometryTypes[kind]; !mapped {
			t.Errorf("%s has no type in FlatGeobuf", kind)
		}
		want := gdal[kind]
		reference := layer.Reference{Definition: layer.Definition{Name: "x", Geometry: kind, StorageSRID: layer.SRID}}.Layer()
		l := &reference
		var rows []*layer.Row
		for i, g := range want.shapes {
			rows = append(rows, rowOf(t, l, int64(i+1), marshal(t, g, le), nil))
		}
		path := filepath.Join(t.TempDir(), "x.fgb")
		if err := os.WriteFile(path, writtenAs(t, lookup(t, "fgb"), Sheet{Layer: l}, rows...), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "ogrinfo", "-ro", "-al", path).CombinedOutput()
		if err != nil || strings.Contains(string(out), "ERROR") {
			t.Fatalf("%s: %v\n%s", kind, err, out)
		}
		if !strings.Contains(string(out), "\nGeometry: "+want.name+"\n") {
			t.Errorf("%s: the header does not say %q:\n%s", kind, want.name, out)
		}
		for _, wkt := range want.wkt {
			if !strings.Contains(string(out), "\n  "+wkt+"\n") {
				t.Errorf("%s: GDAL finds no %s:\n%s", kind, wkt, out)
			}
		}
	}
}
