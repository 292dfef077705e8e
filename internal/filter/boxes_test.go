package filter

import (
	"fmt"
	"strings"
	"testing"
)

func TestBoxes(t *testing.T) {
	schema := Schema{"geometry": KindGeometry, "n": KindNumber}
	near := func(x, y int) string { return fmt.Sprintf("S_INTERSECTS(geometry, POINT(%d %d))", x, y) }
	var many []string
	for i := range mostBoxes + 1 {
		many = append(many, near(i, -i))
	}
	for text, want := range map[string]string{
		near(1, 2): "[1 2 1 2]", "S_WITHIN(geometry, BBOX(1, 2, 3, 4))": "[1 2 3 4]", "S_CONTAINS(BBOX(1, 2, 3, 4), geometry)": "[1 2 3 4]",
		"S_CROSSES(geometry, LINESTRING(5 1, 1 5, 3 9))":                        "[1 1 5 9]",
		"S_EQUALS(geometry, POLYGON((0 0, 4 0, 4 3, 0 0)))":                     "[0 0 4 3]",
		"S_TOUCHES(geometry, GEOMETRYCOLLECTION(POINT(7 8), POINT(1 9)))":       "[1 8 7 9]",
		"S_INTERSECTS(geometry, BBOX(177, 65, -177, 70))":                       "[177 65 180 70] [-180 65 -177 70]",
		"S_DISJOINT(geometry, POINT(1 2))":                                      "any",
		"NOT " + near(1, 2):                                                     "any",
		"n = 1":                                                                 "any",
		"n = 1 AND " + near(1, 2):                                               "[1 2 1 2]",
		"n = 1 OR " + near(1, 2):                                                "any",
		near(1, 2) + " OR " + near(3, 4):                                        "[1 2 1 2] [3 4 3 4]",
		near(1, 2) + " OR (n = 1 AND " + near(3, 4) + ")":                       "[1 2 1 2] [3 4 3 4]",
		"S_INTERSECTS(geometry, BBOX(0, 0, 9, 9)) AND " + near(1, 2):            "[1 2 1 2]",
		"S_DISJOINT(geometry, BBOX(0, 0, 1, 1)) AND NOT (n = 2 OR n = 3)":       "any",
		"S_INTERSECTS(geometry, geometry)":                                      "any",
		strings.Join(many, " OR "):                                              "[0 -16 16 0]",
		"S_INTERSECTS(POINT(1 2), POINT(1 2))":                                  "any",
		"NOT (NOT " + near(1, 2) + ")":                                          "any",
		"(n = 1 AND S_WITHIN(geometry, BBOX(1, 2, 3, 4))) AND (n = 2 OR n = 3)": "[1 2 3 4]",
	} {
		tree, err := ParseText(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		f, err := Check(tree, schema)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		boxes, bounded := f.Boxes()
		var all []string
		for _, b := range boxes {
			all = append(all, fmt.Sprint([]float64{b.Min[0], b.Min[1], b.Max[0], b.Max[1]}))
		}
		got := strings.Join(all, " ")
		if !bounded {
			got += "any"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
