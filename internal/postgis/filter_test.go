package postgis_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/paulmach/orb"

	"hatang/internal/account"
	"hatang/internal/filter"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// filterOf makes a filter on a layer's fields and its geometry.
func filterOf(t testing.TB, l *layer.Layer, text string) *filter.Filter {
	t.Helper()
	kinds := map[layer.Kind]filter.Kind{
		layer.Text: filter.KindText, layer.Integer: filter.KindInteger, layer.Number: filter.KindNumber, layer.Boolean: filter.KindBoolean,
		layer.Date: filter.KindDate, layer.Timestamp: filter.KindTimestamp, layer.TextList: filter.KindTextList,
	}
	schema := filter.Schema{layer.GeometryName: filter.KindGeometry}
	for _, f := range l.Queryables() {
		schema[f.Name] = kinds[f.Kind]
	}
	tree, err := filter.ParseText(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	f, err := filter.Check(tree, schema)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}

// found counts what a filter selects, in both ways of reading, which must agree.
func found(t testing.TB, s *postgis.Store, v account.Viewer, l *layer.Layer, text string) int {
	t.Helper()
	ctx, q := context.Background(), layer.Query{Filter: filterOf(t, l, text)}
	read := 0
	if err := s.Features(ctx, v, l, q, func(*layer.Row) error { read++; return nil }); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if n, err := s.CountFeatures(ctx, v, l, q); err != nil || int(n) != read {
		t.Errorf("%s: %d are read, %d counted, %v", text, read, n, err)
	}
	return read
}

// A filter sees what its viewer sees: no value that is kept from him, no draft, no true
// place of what is rounded, and it fails on no row that he may not see.
func TestFiltersActOnWhatIsSeen(t *testing.T) {
	s, layers, url := open(t)
	sites := get(t, layers, "bts_sites")
	f := sample(t, sites, "S")
	f.Properties["owner_organisation"], f.Properties["contact"], f.Properties["height_m"], f.Geometry = "VNPT", "Lan 0912", 45.0, orb.Point{103.5321, 21.5321}
	f.Properties["jurisdiction"], f.Properties["accuracy_m"] = "11", 1.0
	create(t, s, sites, f)
	draftOf(t, s, sites, "VNPT", "draft", orb.Point{103.1, 21.1})
	run(t, connect(t, url), "UPDATE bts_sites SET height_m = 45")
	public, owner := account.Anonymous(), operatorOf("VNPT")
	for _, tt := range []struct {
		text          string
		public, owner int
	}{
		{"contact = 'Lan 0912'", 0, 1}, {"contact LIKE 'Lan%'", 0, 1}, {"CASEI(contact) = CASEI('LAN 0912')", 0, 1}, {"contact IS NULL", 1, 0},
		{"NOT contact = 'nobody'", 0, 2}, {"contact IN ('Lan 0912')", 0, 1}, {"contact < name OR contact >= name", 0, 2},
		{"status = 'draft'", 0, 1}, {"TRUE", 1, 2}, {"code = 'S' OR status = 'draft'", 1, 2}, {"1 / (height_m - 45) > 0 OR code = 'S'", 1, 1},
		{"1 / (height_m - 45) > 0", 0, 0}, {"(height_m - 45) ^ -1 > 0", 0, 0}, {"(height_m * 1e300) ^ 9 > 0", 0, 0},
	} {
		if got := [2]int{found(t, s, public, sites, tt.text), found(t, s, owner, sites, tt.text)}; got != [2]int{tt.public, tt.owner} {
			t.Errorf("%s: public and owner find %v, should %d and %d", tt.text, got, tt.public, tt.owner)
		}
	}
	run(t, connect(t, url), "INSERT INTO publications VALUES ('11', 'rounded', 0.5)")
	for text, want := range map[string][2]int{
		"S_EQUALS(geometry, POINT(103.5321 21.5321))":            {0, 1},
		"S_WITHIN(geometry, BBOX(103.53, 21.53, 103.54, 21.54))": {0, 1},
		"S_EQUALS(geometry, POINT(103.5 21.5))":                  {1, 0},
		"accuracy_m > 1000":                                      {1, 0},
	} {
		if got := [2]int{found(t, s, public, sites, text), found(t, s, owner, sites, text+" AND code = 'S'")}; got != want {
			t.Errorf("%s: public and owner find %v, should %v", text, got, want)
		}
	}
}

// Filters on areas: what the random ones, whose rows are points, do not ask.
func TestFiltersOnAreas(t *testing.T) {
	s, layers, _ := open(t)
	districts := get(t, layers, "districts")
	for i, code := range []string{"a", "b", "c"} {
		f := sample(t, districts, code)
		f.Geometry = box(float64(2*i), 0, 1)
		f.Properties["name"] = []string{"Mường Ảng", "Điện Biên Đông", "Tủa Chùa"}[i]
		create(t, s, districts, f)
	}
	for text, want := range map[string]int{
		"S_INTERSECTS(geometry, POINT(0.5 0.5))":                                                               1,
		"S_INTERSECTS(geometry, BBOX(0.5, 0.5, 2.5, 2.5))":                                                     2,
		"S_WITHIN(geometry, BBOX(-1, -1, 3.5, 3))":                                                             2,
		"S_OVERLAPS(geometry, BBOX(-1, -1, 2.5, 3))":                                                           1,
		"S_TOUCHES(geometry, POLYGON((1 0, 2 0, 2 1, 1 1, 1 0)))":                                              2,
		"S_CROSSES(geometry, LINESTRING(0.5 0.5, 1.5 0.5))":                                                    1,
		"S_CONTAINS(geometry, MULTIPOINT((0.2 0.2), (0.3 0.3)))":                                               1,
		"S_EQUALS(geometry, MULTIPOLYGON(((0 0, 0 1, 1 1, 1 0, 0 0))))":                                        1,
		"S_DISJOINT(geometry, MULTILINESTRING((0.1 0.1, 0.2 0.2), (4.1 0.1, 4.2 0.2)))":                        1,
		"S_INTERSECTS(geometry, GEOMETRYCOLLECTION(POINT(0.5 0.5), LINESTRING(4 -1, 4 3)))":                    2,
		"S_DISJOINT(geometry, GEOMETRYCOLLECTION(POINT(0.5 0.5), LINESTRING(4 -1, 4 3)))":                      1,
		"S_WITHIN(geometry, GEOMETRYCOLLECTION(POLYGON((0 0, 1 0, 1 1, 0 0)), POLYGON((0 0, 1 1, 0 1, 0 0))))": 1,
		// Overlapping parts are united, crossing edges repaired: GEOS would fail, or cut the overlap out.
		"S_WITHIN(geometry, MULTIPOLYGON(((0 0, 0.7 0, 0.7 1, 0 1, 0 0)), ((0.3 0, 1 0, 1 1, 0.3 1, 0.3 0))))": 1,
		"S_OVERLAPS(geometry, POLYGON((0.2 0.2, 0.8 0.8, 0.8 0.2, 0.2 1.8, 0.2 0.2)))":                         1,
		"S_INTERSECTS(geometry, BBOX(179, -1, 0.5, 1))":                                                        1,
		"S_WITHIN(geometry, BBOX(3, -1, 1.5, 3))":                                                              2,
		"S_INTERSECTS(geometry, POLYGON Z ((0 0 5, 1 0 5, 1 1 5, 0 0 5)))":                                     1,
		"S_INTERSECTS(geometry, geometry)":                                                                     3,
		"ACCENTI(CASEI(name)) = 'muong ang'":                                                                   1,
		"ACCENTI(name) LIKE ACCENTI('Đien%')":                                                                  1,
		"ACCENTI(CASEI(name)) LIKE ACCENTI(CASEI('%ĐÔNG'))":                                                    1,
		"name = 'Mu\u031bo\u031b\u0300ng A\u0309ng'":                                                           1,
		"CASEI(name) IN (CASEI('TỦA CHÙA'), CASEI('mường ảng'))":                                               2,
		"T_INTERSECTS(INTERVAL(valid_from, valid_to), INTERVAL('..', '..'))":                                   0,
		"T_AFTER(updated_at, DATE('2020-01-01')) AND updated_at > valid_from":                                  3,
		"A_CONTAINS(aliases, ()) OR aliases IS NULL":                                                           3,
	} {
		if got := found(t, s, officer(), districts, text); got != want {
			t.Errorf("%s finds %d, should %d", text, got, want)
		}
	}
}

// other is a filter that no store knows.
type other struct{ layer.Filter }

func (other) Properties() []string { return nil }

func TestFiltersOfOthersAreRefused(t *testing.T) {
	s, layers, _ := open(t)
	sites, roads := get(t, layers, "bts_sites"), get(t, layers, "roads")
	for name, f := range map[string]layer.Filter{"of another type": other{}, "of another layer": filterOf(t, sites, "height_m > 1")} {
		if n, err := s.CountFeatures(context.Background(), officer(), roads, layer.Query{Filter: f}); err == nil {
			t.Error(fmt.Sprint("a filter ", name, " selects ", n))
		}
	}
}
