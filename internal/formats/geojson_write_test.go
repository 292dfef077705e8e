package formats

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/ewkb"
	"github.com/paulmach/orb/geojson"

	"hatang/internal/layer"
)

// layerOf returns a layer of the registry.
func layerOf(t testing.TB, name string) *layer.Layer {
	t.Helper()
	r, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	l, ok := r.Get(name)
	if !ok {
		t.Fatalf("no layer %s", name)
	}
	return l
}

func marshal(t testing.TB, g orb.Geometry, order binary.ByteOrder) []byte {
	t.Helper()
	raw, err := ewkb.Marshal(g, layer.SRID, order)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// shapes are one geometry of each type that GeoJSON and the register share.
func shapes() []orb.Geometry {
	ring := orb.Ring{{103, 21}, {104, 21}, {104, 22}, {103, 22}, {103, 21}}
	hole := orb.Ring{{103.2, 21.2}, {103.2, 21.4}, {103.4, 21.4}, {103.2, 21.2}}
	return []orb.Geometry{
		orb.Point{103.0230001, -21.386}, orb.Point{-180, 90}, orb.MultiPoint{{1, 2}, {3, 4}},
		orb.LineString{{1, 2}, {3.5, 4}}, orb.MultiLineString{{{1, 2}, {3, 4}}, {{5, 6}, {7, 8.25}}},
		orb.Polygon{ring}, orb.Polygon{ring, hole}, orb.MultiPolygon{{ring, hole}, {ring}},
	}
}

// written reads back what AppendGeometry wrote, by an independent reader.
func written(t *testing.T, raw []byte) orb.Geometry {
	t.Helper()
	text, err := AppendGeometry(nil, raw, GeoJSONOptions{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := geojson.UnmarshalGeometry(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return g.Geometry()
}

func TestGeometriesReadBackTheSame(t *testing.T) {
	for _, g := range shapes() {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			got := written(t, marshal(t, g, order))
			if diff := cmp.Diff(g, got, cmpopts.EquateApprox(0, 1e-7)); diff != "" {
				t.Errorf("%s, %s (-want +got)\n%s", g.GeoJSONType(), order, diff)
			}
		}
	}
}

func TestRingsFollowTheRightHandRule(t *testing.T) {
	for _, shellBackwards := range []bool{false, true} {
		for _, holeBackwards := range []bool{false, true} {
			polygon := shapes()[6].(orb.Polygon).Clone()
			if shellBackwards {
				polygon[0].Reverse()
			}
			if holeBackwards {
				polygon[1].Reverse()
			}
			for _, g := range []orb.Geometry{polygon, orb.MultiPolygon{polygon}} {
				got := written(t, marshal(t, g, binary.LittleEndian))
				first, ok := got.(orb.Polygon)
				if !ok {
					first = got.(orb.MultiPolygon)[0]
				}
				if first[0].Orientation() != orb.CCW || first[1].Orientation() != orb.CW {
					t.Errorf("shell backwards %t, hole backwards %t: written as %v", shellBackwards, holeBackwards, first)
				}
				if !first[0].Closed() || !first[1].Closed() {
					t.Errorf("a ring is open: %v", first)
				}
			}
		}
	}
}

func TestTruncatedGeometriesAreErrors(t *testing.T) {
	for _, g := range shapes() {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			raw := marshal(t, g, order)
			for n := range raw {
				if _, err := AppendGeometry(nil, raw[:n:n], GeoJSONOptions{}); !errors.Is(err, ErrGeometry) {
					t.Errorf("%s cut at %d of %d bytes: %v", g.GeoJSONType(), n, len(raw), err)
				}
			}
			if _, err := AppendGeometry(nil, append(raw, 0), GeoJSONOptions{}); !errors.Is(err, ErrGeometry) {
				t.Errorf("%s with a byte too many: %v", g.GeoJSONType(), err)
			}
		}
	}
}

func TestGeometriesThatJSONCannotHoldAreErrors(t *testing.T) {
	for _, p := range []orb.Point{{0, math.NaN()}, {math.Inf(1), 0}, {1e300, 0}} {
		if text, err := AppendGeometry(nil, marshal(t, p, binary.LittleEndian), GeoJSONOptions{}); err == nil {
			t.Errorf("%v was written as %s", p, text)
		}
	}
	collection := marshal(t, orb.Collection{orb.Point{1, 2}}, binary.LittleEndian)
	if _, err := AppendGeometry(nil, collection, GeoJSONOptions{}); !errors.Is(err, ErrGeometry) {
		t.Errorf("a collection: %v", err)
	}
	empty := marshal(t, orb.Point{math.NaN(), math.NaN()}, binary.LittleEndian)
	if text, err := AppendGeometry(nil, empty, GeoJSONOptions{}); err != nil || string(text) != `{"type":"Point","coordinates":[]}` {
		t.Errorf("POINT EMPTY is %s, %v", text, err)
	}
	if text, err := AppendGeometry(nil, nil, GeoJSONOptions{}); err != nil || string(text) != "null" {
		t.Errorf("no geometry is %s, %v", text, err)
	}
}

func TestHeightsAndDecimals(t *testing.T) {
	read, faults := ReadFeature([]byte(`{"type":"Feature","properties":{},"geometry":{"type":"LineString","coordinates":[[103.123456789,21,-1.25],[104,22]]}}`), layerOf(t, "ducts"), ReadOptions{})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for _, tt := range []struct {
		o    GeoJSONOptions
		want string
	}{
		{GeoJSONOptions{}, "[[[103.1234568,21],[104,22]]]"},
		{GeoJSONOptions{WithZ: true}, "[[[103.1234568,21,-1.25],[104,22,0]]]"},
		{GeoJSONOptions{Decimals: 2}, "[[[103.12,21],[104,22]]]"},
		{GeoJSONOptions{Decimals: 1, Transform: func(x, y float64) (float64, float64, error) { return y, -x, nil }}, "[[[21,-103.1],[22,-104]]]"},
	} {
		got, err := AppendGeometry(nil, read.GeometryZ, tt.o)
		if want := `{"type":"MultiLineString","coordinates":` + tt.want + "}"; err != nil || string(got) != want {
			t.Errorf("%+v: %s, %v, want %s", tt.o, got, err, want)
		}
	}
	refuse := GeoJSONOptions{Transform: func(x, y float64) (float64, float64, error) { return 0, 0, errors.New("off the map") }}
	if _, err := AppendGeometry(nil, read.GeometryZ, refuse); err == nil || !strings.Contains(err.Error(), "off the map") {
		t.Errorf("an error of the transform is lost: %v", err)
	}
}

func TestAppendFeatureHoldsEveryProperty(t *testing.T) {
	l := layerOf(t, "bts_sites")
	values := make([][]byte, len(l.Fields))
	for i, f := range l.Fields {
		if f.Kind == layer.Text {
			values[i] = []byte("\"" + f.Name + "\" ă\n")
		}
	}
	row := layer.Row{ID: 1 << 60, Geometry: marshal(t, orb.Point{103, 21}, binary.LittleEndian), Values: values}
	text, err := AppendFeature(nil, l, &row, GeoJSONOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Type       string
		ID         json.Number
		Geometry   json.RawMessage
		Properties map[string]*string
	}
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if f.Type != "Feature" || f.ID != "1152921504606846976" || len(f.Properties) != len(l.Fields) {
		t.Errorf("wrote %s", text)
	}
	if got := f.Properties["code"]; got == nil || *got != "\"code\" ă\n" {
		t.Errorf("code is %v", got)
	}
	row.Values = values[1:]
	if _, err := AppendFeature(nil, l, &row, GeoJSONOptions{}); err == nil {
		t.Error("a row with a value too few was written")
	}
}

func FuzzAppendGeometry(f *testing.F) {
	for _, g := range shapes() {
		f.Add(marshal(f, g, binary.LittleEndian))
		f.Add(marshal(f, g, binary.BigEndian))
	}
	f.Add([]byte{1, 6, 0, 0, 0, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, raw []byte) {
		text, err := AppendGeometry(nil, raw, GeoJSONOptions{WithZ: true})
		if err == nil && !json.Valid(text) {
			t.Errorf("%s is not JSON", text)
		}
	})
}

func benchmarkFeature(b *testing.B, name string, g orb.Geometry) {
	l := layerOf(b, name)
	row := layer.Row{ID: 7, Geometry: marshal(b, g, binary.LittleEndian), Values: make([][]byte, len(l.Fields))}
	for i, f := range l.Fields {
		if f.Kind == layer.Text {
			row.Values[i] = []byte("Phường Noong Bua")
		}
	}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, err = AppendFeature(dst[:0], l, &row, GeoJSONOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(dst)))
}

func BenchmarkAppendFeaturePoint(b *testing.B) {
	benchmarkFeature(b, "bts_sites", orb.Point{103.0230001, 21.3860001})
}

func BenchmarkAppendFeaturePolygon(b *testing.B) {
	ring := make(orb.Ring, 0, 1001)
	for i := range 1000 {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / 1000)
		ring = append(ring, orb.Point{103 + cos/10, 21 + sin/10})
	}
	benchmarkFeature(b, "communes", orb.MultiPolygon{{append(ring, ring[0])}})
}
