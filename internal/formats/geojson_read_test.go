package formats

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"hatang/internal/layer"
	"hatang/internal/testdb"
)

const pointFeature = `{"type":"Feature","properties":{"code":"A"},"geometry":{"type":"Point","coordinates":[103,21]}}`

// read reads a text as a file of the layer.
func read(t *testing.T, l *layer.Layer, text string) (records []Record, err error) {
	t.Helper()
	err = ReadGeoJSON(strings.NewReader(text), l, nil, func(r Record) error {
		records = append(records, r)
		return nil
	})
	return records, err
}

func TestFilesThatAreNoFeatures(t *testing.T) {
	whole := `{"type":"FeatureCollection","features":[` + pointFeature + `,` + pointFeature + `]}`
	for name, tt := range map[string]struct {
		text string
		want error
	}{
		"empty":              {"", ErrEmpty},
		"blank":              {" \n", ErrEmpty},
		"mark only":          {"\ufeff", ErrEmpty},
		"not JSON":           {"code;lon;lat\n1;2;3\n", ErrNotGeoJSON},
		"a list":             {"[1,2]", ErrNotGeoJSON},
		"a number":           {"1", ErrNotGeoJSON},
		"binary":             {"PK\x03\x04", ErrNotGeoJSON},
		"no type":            {"{}", ErrNotGeoJSON},
		"bare geometry":      {`{"type":"Point","coordinates":[1,2]}`, ErrNotGeoJSON},
		"no features":        {`{"type":"FeatureCollection"}`, ErrEmpty},
		"empty features":     {`{"type":"FeatureCollection","features":[]}`, ErrEmpty},
		"features no list":   {`{"type":"FeatureCollection","features":{}}`, ErrNotGeoJSON},
		"type no string":     {`{"type":1,"features":[]}`, ErrNotGeoJSON},
		"two files in one":   {whole + "\n" + whole, ErrNotGeoJSON},
		"rubbish at the end": {whole + "x", ErrNotGeoJSON},
	} {
		if _, err := read(t, layerOf(t, "bts_sites"), tt.text); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	for n := 1; n < len(whole); n++ {
		if _, err := read(t, layerOf(t, "bts_sites"), whole[:n]); !errors.Is(err, ErrNotGeoJSON) {
			t.Errorf("cut at %d of %d: %v", n, len(whole), err)
		}
	}
	if _, err := read(t, layerOf(t, "bts_sites"), whole+" \n"); err != nil {
		t.Errorf("a line end after the file: %v", err)
	}
}

func TestFilesThatAreRead(t *testing.T) {
	for name, text := range map[string]string{
		"single feature":    pointFeature,
		"mark of bytes":     "\ufeff" + pointFeature,
		"features first":    `{"features":[` + pointFeature + `],"type":"FeatureCollection"}`,
		"foreign members":   `{"type":"FeatureCollection","name":"x","bbox":[1,2,3,4],"features":[` + pointFeature + `]}`,
		"crs of no meaning": `{"type":"FeatureCollection","crs":null,"features":[` + pointFeature + `]}`,
	} {
		records, err := read(t, layerOf(t, "bts_sites"), text)
		if err != nil || len(records) != 1 || len(records[0].Faults) > 0 || records[0].Feature.Geometry != (orb.Point{103, 21}) || records[0].Row != 1 {
			t.Errorf("%s: %+v, %v", name, records, err)
		}
	}
}

func TestTheCRSMember(t *testing.T) {
	named := `"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::9205"}}`
	asked := []string{}
	resolve := func(crs string) (System, error) {
		asked = append(asked, crs)
		return System{SRID: 9205, ToWGS84: func(x, y float64) (float64, float64, error) { return x / 10, y / 10, nil }}, nil
	}
	for name, tt := range map[string]struct {
		text, asked string
		fails       bool
	}{
		"before":         {`{"type":"FeatureCollection",` + named + `,"features":[` + pointFeature + `]}`, "urn:ogc:def:crs:EPSG::9205", false},
		"none":           {`{"type":"FeatureCollection","features":[` + pointFeature + `]}`, "", false},
		"single, after":  {strings.TrimSuffix(pointFeature, "}") + "," + named + "}", "urn:ogc:def:crs:EPSG::9205", false},
		"after the rows": {`{"type":"FeatureCollection","features":[` + pointFeature + `],` + named + `}`, "", true},
	} {
		asked = nil
		var got orb.Geometry
		err := ReadGeoJSON(strings.NewReader(tt.text), layerOf(t, "bts_sites"), resolve, func(r Record) error {
			got = r.Feature.Geometry
			return nil
		})
		if (err != nil) != tt.fails || got != (orb.Point{10.3, 2.1}) || !cmp.Equal(asked, []string{tt.asked}) {
			t.Errorf("%s: %v at %v, asked %q", name, err, got, asked)
		}
	}
}

func TestEveryFaultOfAFeatureAtOnce(t *testing.T) {
	raw := `{"type":"feature","properties":{"code":1,"mast_type":"B1","height_m":1001,"half_width_m":"2","valid_from":"2020-13-01","concealed":1,"technologies":"2G","colour":"red"},
		"geometry":{"type":"Polygon","coordinates":[]}}`
	_, faults := ReadFeature([]byte(raw), layerOf(t, "bts_sites"), ReadOptions{})
	got := map[string]bool{}
	for _, f := range faults {
		got[f.At] = true
		if f.Detail.VI == "" || f.Detail.EN == "" {
			t.Errorf("%s has no text in one language", f.At)
		}
	}
	want := map[string]bool{"/type": true, "/geometry/type": true}
	for _, name := range []string{"code", "mast_type", "height_m", "half_width_m", "valid_from", "concealed", "technologies", "colour"} {
		want["/properties/"+name] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("faults (-want +got)\n%s", diff)
	}
}

// What is of another kind than a feature has is told of in JSON's words, at its place.
func TestMembersOfAnotherKind(t *testing.T) {
	for raw, want := range map[string]string{
		`{"type":"Feature","properties":[],"geometry":null}`:  "/properties: must be a JSON object",
		`{"type":"Feature","properties":"x","geometry":null}`: "/properties: must be a JSON object",
		`{"type":5,"properties":{},"geometry":null}`:          "/type: must be a string",
		`[]`: ": must be a JSON object",
		`{"type":"Feature","properties":{"code":"A"},"geometry":"POINT"}`:    "/geometry: must be a JSON object",
		`{"type":"Feature","properties":{"code":"A"},"geometry":{"type":1}}`: "/geometry/type: must be a string",
	} {
		f, faults := ReadFeature([]byte(raw), layerOf(t, "bts_sites"), ReadOptions{})
		if len(faults) == 0 || faults[0].At+": "+faults[0].Detail.EN != want || strings.Contains(faults[0].Detail.VI, "json") {
			t.Errorf("%s: %v, %+v", raw, f, faults)
		}
	}
}

func TestGeometriesThatAreRefused(t *testing.T) {
	for _, tt := range []struct{ layer, geometry string }{
		{"bts_sites", `{"type":"Point","coordinates":[]}`},
		{"bts_sites", `{"type":"Point","coordinates":[103]}`},
		{"bts_sites", `{"type":"Point","coordinates":["103","21"]}`},
		{"bts_sites", `{"type":"Point","coordinates":[null,21]}`},
		{"bts_sites", `{"type":"Point","coordinates":[103,91]}`},
		{"bts_sites", `{"type":"Point","coordinates":[180.0001,0]}`},
		{"bts_sites", `{"type":"Point","coordinates":[1e999,0]}`},
		{"bts_sites", `{"type":"MultiPoint","coordinates":[[103,21]]}`},
		{"bts_sites", `{"type":"Point"}`},
		{"bts_sites", `{"type":"GeometryCollection","geometries":[]}`},
		{"bts_sites", `[103,21]`},
		{"roads", `{"type":"LineString","coordinates":[[103,21]]}`},
		{"roads", `{"type":"MultiLineString","coordinates":[]}`},
		{"roads", `{"type":"MultiLineString","coordinates":[[]]}`},
		{"roads", `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}`},
		{"communes", `{"type":"Polygon","coordinates":[]}`},
		{"communes", `{"type":"Polygon","coordinates":[[]]}`},
		{"communes", `{"type":"Polygon","coordinates":[[[0,0],[1,0],[0,0]]]}`},
		{"communes", `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}`},
		{"communes", `{"type":"MultiPolygon","coordinates":[[]]}`},
		{"communes", `{"type":"MultiPolygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}`},
	} {
		if f, faults := ReadFeature([]byte(`{"type":"Feature","properties":{},"geometry":`+tt.geometry+`}`), layerOf(t, tt.layer), ReadOptions{}); len(faults) != 1 {
			t.Errorf("%s %s: %v, %v", tt.layer, tt.geometry, f.Geometry, faults)
		}
	}
}

func TestTransformsThatGiveNoPlaceAreFaults(t *testing.T) {
	for _, x := range []float64{math.NaN(), math.Inf(1), 181} {
		resolve := func(string) (System, error) {
			return System{SRID: 9205, ToWGS84: func(float64, float64) (float64, float64, error) { return x, 0, nil }}, nil
		}
		err := ReadGeoJSON(strings.NewReader(pointFeature), layerOf(t, "bts_sites"), resolve, func(r Record) error {
			if len(r.Faults) != 1 {
				t.Errorf("%g was taken as %v", x, r.Feature.Geometry)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestVertexLimit(t *testing.T) {
	feature := func(n int) []byte {
		line := strings.Repeat("[103,21],", n-1) + "[104,22]"
		return []byte(`{"type":"Feature","properties":{},"geometry":{"type":"LineString","coordinates":[` + line + `]}}`)
	}
	for _, n := range []int{MaxVertices - 1, MaxVertices} {
		if _, faults := ReadFeature(feature(n), layerOf(t, "roads"), ReadOptions{}); len(faults) > 0 {
			t.Errorf("%d positions: %v", n, faults)
		}
	}
	if _, faults := ReadFeature(feature(MaxVertices+1), layerOf(t, "roads"), ReadOptions{}); len(faults) != 1 {
		t.Errorf("one over the limit: %v", faults)
	}
}

// A feature over the limit is refused and the next is read; one that goes on and on ends
// the reading before it is held.
func TestFeatureLengthLimit(t *testing.T) {
	read := func(in io.Reader) (faults []int, err error) {
		err = ReadGeoJSON(in, layerOf(t, "bts_sites"), nil, func(r Record) error {
			faults = append(faults, len(r.Faults))
			return nil
		})
		return faults, err
	}
	sized := func(size int) string {
		return strings.Replace(pointFeature, "{", "{"+strings.Repeat(" ", size-len(pointFeature)), 1)
	}
	for extra, want := range map[int]int{-1: 0, 0: 0, 1: 1} {
		faults, err := read(strings.NewReader(`{"type":"FeatureCollection","features":[` + pointFeature + "," + sized(MaxFeatureBytes+extra) + "," + pointFeature + `]}`))
		if d := cmp.Diff([]int{0, want, 0}, faults); d != "" || err != nil {
			t.Errorf("limit%+d: %v, %s", extra, err, d)
		}
		faults, err = read(strings.NewReader(sized(MaxFeatureBytes + extra)))
		if err != nil || len(faults) != 1 {
			t.Errorf("alone, limit%+d: %v, %v", extra, faults, err)
		}
	}
	for _, start := range []string{`{"type":"FeatureCollection","features":[{"x":"`, `{"type":"`, `{"x`} {
		endless := io.MultiReader(strings.NewReader(start), &repeated{left: 100 << 20})
		if _, err := read(endless); !errors.Is(err, ErrTooLong) {
			t.Errorf("%s…: %v", start, err)
		}
	}
}

// repeated is a letter so many times.
type repeated struct{ left int }

func (r *repeated) Read(p []byte) (int, error) {
	if r.left -= len(p); r.left < 0 {
		return 0, io.EOF
	}
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// corpusLayers are a layer of each geometry type.
func corpusLayers() []string { return []string{"bts_sites", "roads", "ducts", "communes"} }

// tolerated are files that a linter of GeoJSON refuses and an import need not: what
// is wrong lies in members that are not read, or a reader cannot see it.
func tolerated() map[string]string {
	return map[string]string{
		"bad-duplicate-properties": "the last of two members of one name counts, as RFC 8259 lets it",
		"bbox-4or6elements":        "bbox is not read", "bbox-contains-string": "bbox is not read",
		"featurecollection_changed_semantics": "foreign members are not read", "geometry_changed_semantics": "foreign members are not read",
		"different-first-size": "heights are not read in layers of areas",
		"point-toomany":        "further ordinates have no meaning (RFC 7946, 3.1.1)",
	}
}

// accepts reports whether each feature of the file is taken by some layer. A bare
// geometry is tried as that of a feature.
func accepts(t *testing.T, path string) bool {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	if strings.Contains(text, `"type"`) && !strings.Contains(text, `"Feature`) {
		text = `{"type":"Feature","properties":{},"geometry":` + text + `}`
	}
	taken := map[int]bool{}
	for _, name := range corpusLayers() {
		records, err := read(t, layerOf(t, name), text)
		if err != nil {
			return false
		}
		for _, r := range records {
			good := !slices.ContainsFunc(r.Faults, func(f layer.Fault) bool {
				return strings.HasPrefix(f.At, "/geometry") || f.At == "/type" || f.At == "/properties" || f.At == ""
			})
			taken[r.Row] = taken[r.Row] || good
		}
	}
	return !slices.Contains(slices.Collect(maps.Values(taken)), false)
}

func TestConformanceCorpus(t *testing.T) {
	root := filepath.Join(testdb.TestData(t), "conformance", "geojson")
	for _, folder := range []string{"good", "bad"} {
		files, err := filepath.Glob(filepath.Join(root, folder, "*.geojson"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no corpus: %v", err)
		}
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".geojson")
			_, mayPass := tolerated()[name]
			switch taken := accepts(t, file); {
			case folder == "bad" && taken && !mayPass:
				t.Errorf("%s is bad and was taken", name)
			case folder == "good" && !taken && !unfit()[name]:
				t.Errorf("%s is good and was refused", name)
			}
		}
	}
}

func FuzzReadFeature(f *testing.F) {
	layers := make([]*layer.Layer, 0, 4)
	for _, name := range corpusLayers() {
		layers = append(layers, layerOf(f, name))
	}
	f.Add([]byte(pointFeature))
	f.Add([]byte(`{"type":"Feature","properties":{"technologies":["2G"],"height_m":1e400},"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}}`))
	f.Add([]byte(`{"type":"Feature","properties":null,"geometry":{"type":"MultiLineString","coordinates":[[[0,0,-1],[1,0]]]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, l := range layers {
			feature, faults := ReadFeature(raw, l, ReadOptions{})
			if len(faults) == 0 && l.HasZ == (feature.Geometry != nil) && (feature.Geometry != nil || feature.GeometryZ != nil) {
				t.Errorf("%s got the other kind of geometry", l.Name)
			}
		}
	})
}

func FuzzReadGeoJSON(f *testing.F) {
	l := layerOf(f, "bts_sites")
	f.Add([]byte(pointFeature))
	f.Add([]byte(`{"type":"FeatureCollection","crs":{"properties":{"name":"EPSG:9205"}},"features":[` + pointFeature + `]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		rows := 0
		err := ReadGeoJSON(strings.NewReader(string(raw)), l, nil, func(r Record) error {
			if rows++; r.Row != rows {
				return fmt.Errorf("row %d came as number %d", r.Row, rows)
			}
			return nil
		})
		if err == nil && rows == 0 {
			t.Error("a file without features was read without an error")
		}
	})
}

// unfit are good files of which no layer can hold all.
func unfit() map[string]bool {
	return map[string]bool{"good-geometrycollection": true, "good-multipoint": true}
}
