package geo

import (
	"encoding/csv"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
)

// othersData is a file of other people's data.
func othersData(tb testing.TB, path string) string {
	root := os.Getenv("HATANG_TESTDATA")
	if root == "" {
		root = "../../shared/data"
	}
	return filepath.Join(root, path)
}

// table reads a CSV file with a header; # starts a comment.
func table(tb testing.TB, path string) []map[string]string {
	tb.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	r := csv.NewReader(strings.NewReader(string(raw)))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 2 {
		tb.Fatalf("%s: %d rows, %v", path, len(rows), err)
	}
	var out []map[string]string
	for _, row := range rows[1:] {
		m := make(map[string]string)
		for i, name := range rows[0] {
			m[name] = row[i]
		}
		out = append(out, m)
	}
	return out
}

func number(tb testing.TB, s string) float64 {
	tb.Helper()
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return x
}

// boundaries reads a boundary file: areas by their code, and the codes in order.
func boundaries(tb testing.TB, name string) (areas map[string]orb.MultiPolygon, codes []string) {
	tb.Helper()
	raw, err := os.ReadFile(othersData(tb, "boundaries/"+name+".geojson"))
	if err != nil {
		tb.Fatal(err)
	}
	var collection geojson.FeatureCollection
	if err := json.Unmarshal(raw, &collection); err != nil {
		tb.Fatal(err)
	}
	areas = make(map[string]orb.MultiPolygon)
	for _, f := range collection.Features {
		code := f.Properties.MustString("code", "province")
		switch g := f.Geometry.(type) {
		case orb.Polygon:
			areas[code] = orb.MultiPolygon{g}
		case orb.MultiPolygon:
			areas[code] = g
		}
		codes = append(codes, code)
	}
	return areas, codes
}

// scatter strews points over a box, the same ones for the same seed.
func scatter(seed uint64, n int, box orb.Bound) []orb.Point {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]orb.Point, n)
	for i := range out {
		out[i] = orb.Point{
			box.Min[0] + r.Float64()*(box.Max[0]-box.Min[0]),
			box.Min[1] + r.Float64()*(box.Max[1]-box.Min[1])}
	}
	return out
}
