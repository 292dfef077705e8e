package intake

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
	"github.com/twpayne/go-geom"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"

	"hatang/geo"
	"hatang/internal/tables"
	"hatang/internal/testdb"
)

// The files of offices are read here as simply as their right answers being known allows.

func dataFile(t testing.TB, name ...string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{testdb.TestData(t)}, name...)...))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// csvTable is a CSV file as a table.
func csvTable(t testing.TB, text []byte, comma rune) *table {
	t.Helper()
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	r.Comma = comma
	var out table
	for n := int64(1); ; n++ {
		record, err := r.Read()
		if err == io.EOF {
			return &out
		}
		if err != nil {
			t.Fatal(err)
		}
		cells := make([]any, len(record))
		for i, s := range record {
			if cells[i] = norm.NFC.String(s); n == 1 {
				out.columns = append(out.columns, norm.NFC.String(s))
			}
		}
		if n > 1 {
			out.rows = append(out.rows, tables.Row{Number: n, Cells: cells})
		}
	}
}

func messyCSV(t testing.TB, name string) *table {
	t.Helper()
	text, comma := dataFile(t, "messy", name), ','
	if strings.HasSuffix(name, "cp1258.csv") {
		decoded, err := charmap.Windows1258.NewDecoder().Bytes(text)
		if err != nil {
			t.Fatal(err)
		}
		text = decoded
	}
	if bytes.Contains(text, []byte("STT;")) {
		comma = ';'
	}
	return csvTable(t, text, comma)
}

// geoJSONTable is a GeoJSON file of points or polygons as a table, with the members of its
// features beside the properties as columns.
func geoJSONTable(t testing.TB, text []byte) *table {
	t.Helper()
	var file struct {
		CRS struct {
			Properties struct{ Name string }
		}
		Features []struct {
			Properties   map[string]any
			Geometry     *geojson.Geometry
			ExpectedCode string `json:"expected_code"`
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	out := table{crs: file.CRS.Properties.Name, columns: []string{"code", "name", "ten", "expected_code"}}
	for i, f := range file.Features {
		row := tables.Row{Number: int64(i + 1), Geometry: flat(t, f.Geometry.Geometry())}
		for _, name := range out.columns {
			value := f.Properties[name]
			if name == "expected_code" && f.ExpectedCode != "" {
				value = f.ExpectedCode
			}
			if s, ok := value.(string); ok {
				value = norm.NFC.String(s)
			}
			row.Cells = append(row.Cells, value)
		}
		out.rows = append(out.rows, row)
	}
	return &out
}

// flat is a geometry as readers hand it on.
func flat(t testing.TB, g orb.Geometry) geom.T {
	t.Helper()
	switch g := g.(type) {
	case orb.Point:
		return geom.NewPointFlat(geom.XY, []float64{g[0], g[1]})
	case orb.Polygon:
		var coords []float64
		var ends []int
		for _, ring := range g {
			for _, p := range ring {
				coords = append(coords, p[0], p[1])
			}
			ends = append(ends, len(coords))
		}
		return geom.NewPolygonFlat(geom.XY, coords, ends)
	}
	t.Fatalf("%T", g)
	return nil
}

// shapes are the polygons of a shapefile, each with all its rings as those of one.
func shapes(t testing.TB, text []byte) *table {
	t.Helper()
	out := table{columns: []string{}}
	for at := 100; at+8 <= len(text); {
		content := text[at+8 : at+8+2*int(binary.BigEndian.Uint32(text[at+4:]))]
		at += 8 + len(content)
		parts, points := int(binary.LittleEndian.Uint32(content[36:])), int(binary.LittleEndian.Uint32(content[40:]))
		coords := make([]float64, 2*points)
		for i := range coords {
			coords[i] = math.Float64frombits(binary.LittleEndian.Uint64(content[44+4*parts+8*i:]))
		}
		ends := make([]int, parts)
		for i := range ends {
			if ends[i] = 2 * points; i+1 < parts {
				ends[i] = 2 * int(binary.LittleEndian.Uint32(content[44+4*(i+1):]))
			}
		}
		out.rows = append(out.rows, tables.Row{Number: int64(len(out.rows) + 1), Geometry: geom.NewPolygonFlat(geom.XY, coords, ends)})
	}
	return &out
}

// communeFacts are the right answers: names, districts and places by code.
type communeFact struct {
	name, district string
	at             orb.Point
	population     int64
}

func communeFacts(t testing.TB) map[string]communeFact {
	t.Helper()
	facts := map[string]communeFact{}
	for _, row := range csvTable(t, dataFile(t, "tables", "dienbien_communes.csv"), ',').rows {
		text := func(i int) string { s, _ := row.Cells[i].(string); return s }
		lon, errLon := strconv.ParseFloat(text(13), 64)
		lat, errLat := strconv.ParseFloat(text(14), 64)
		people, err := strconv.ParseInt(text(10), 10, 64)
		if errLon != nil || errLat != nil || err != nil {
			t.Fatal(errLon, errLat, err)
		}
		facts[text(0)] = communeFact{text(1), text(6), orb.Point{lon, lat}, people}
	}
	return facts
}

// province is the territory of the files.
func province() *Territory {
	return &Territory{Bound: orb.Bound{Min: orb.Point{102.144, 20.892}, Max: orb.Point{103.599, 22.549}}, Margin: 0.05}
}

// knownPlaces are the places of the communes by code.
func knownPlaces(t testing.TB) func(string) (orb.Point, bool) {
	facts := communeFacts(t)
	return func(code string) (orb.Point, bool) {
		f, ok := facts[code]
		return f.at, ok
	}
}

func crsOf(t testing.TB, code int) *geo.CRS {
	t.Helper()
	crs, ok := geo.LookupCRS(code)
	if !ok {
		t.Fatalf("there is no EPSG:%d", code)
	}
	return &crs
}
