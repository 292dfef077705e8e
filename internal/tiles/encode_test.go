package tiles

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/ewkb"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/planar"
	"github.com/twpayne/go-geom"
	geomewkb "github.com/twpayne/go-geom/encoding/ewkb"

	"hatang/internal/layer"
	"hatang/internal/testdb"
)

func layerNamed(tb testing.TB, name string) *layer.Layer {
	tb.Helper()
	r, err := layer.Layers()
	if err != nil {
		tb.Fatal(err)
	}
	l, ok := r.Get(name)
	if !ok {
		tb.Fatal("no layer " + name)
	}
	return l
}

func ewkbOf(tb testing.TB, g orb.Geometry) []byte {
	tb.Helper()
	raw, err := ewkb.Marshal(g, layer.SRID)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

// rowOf is a row with a geometry and no values.
func rowOf(tb testing.TB, l *layer.Layer, t Tile, id int64, g orb.Geometry) *layer.Row {
	tb.Helper()
	return &layer.Row{ID: id, Geometry: ewkbOf(tb, g), Values: make([][]byte, len(Fields(l, t.Z)))}
}

// tileOf encodes rows and decodes the bytes with another's decoder.
func tileOf(tb testing.TB, l *layer.Layer, t Tile, rows ...*layer.Row) (*mvt.Layer, Result) {
	tb.Helper()
	e := NewLayer(l, Fields(l, t.Z), t)
	for _, row := range rows {
		if err := e.Add(row); err != nil {
			tb.Fatal(err)
		}
	}
	raw, result, err := e.Append(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return decoded(tb, l.Name, raw), result
}

// decoded reads a tile of one layer; an empty one where there is none.
func decoded(tb testing.TB, name string, raw []byte) *mvt.Layer {
	tb.Helper()
	layers, err := mvt.Unmarshal(raw)
	if err != nil {
		tb.Fatal(err)
	}
	if len(layers) == 0 {
		return &mvt.Layer{}
	}
	if len(layers) != 1 || layers[0].Name != name || layers[0].Extent != Extent || layers[0].Version != 2 {
		tb.Fatalf("%d layers, the first %s", len(layers), layers[0].Name)
	}
	for _, f := range layers[0].Features {
		checkDrawable(tb, f.Geometry)
	}
	return layers[0]
}

// checkDrawable holds a geometry against what the specification demands of valid ones.
func checkDrawable(tb testing.TB, g orb.Geometry) {
	tb.Helper()
	switch g := g.(type) {
	case orb.LineString:
		for i := range len(g) - 1 {
			if g[i] == g[i+1] {
				tb.Errorf("a line stays where it is: %v", g)
			}
		}
		if len(g) < 2 {
			tb.Errorf("a line of %d places", len(g))
		}
	case orb.MultiLineString:
		for _, line := range g {
			checkDrawable(tb, line)
		}
	case orb.Polygon:
		for i, ring := range g {
			// Clockwise on the screen, whose y goes down, is counter-clockwise in orb's eyes.
			if signed := planar.Area(ring); signed == 0 || len(ring) < 4 || (ring.Orientation() == orb.CCW) != (i == 0) {
				tb.Errorf("ring %d of area %v runs %v: %v", i, signed, ring.Orientation(), ring)
			}
		}
	case orb.MultiPolygon:
		for _, p := range g {
			checkDrawable(tb, p)
		}
	}
}

func idsOf(l *mvt.Layer) []int64 {
	ids := []int64{}
	for _, f := range l.Features {
		ids = append(ids, int64(f.ID.(float64)))
	}
	return ids
}

// lonLat is the place of a tile's unit.
func lonLat(t Tile, x, y float64) orb.Point {
	side := float64(uint64(Extent) << t.Z)
	x, y = (float64(t.X)*Extent+x)/side, (float64(t.Y)*Extent+y)/side
	return orb.Point{x*360 - 180, math.Atan(math.Sinh(math.Pi*(1-2*y))) * 180 / math.Pi}
}

func ringAt(t Tile, corners ...[2]float64) orb.Ring {
	var ring orb.Ring
	for _, c := range corners {
		ring = append(ring, lonLat(t, c[0], c[1]))
	}
	return append(ring, ring[0])
}

func boxAt(t Tile, x, y, w, h float64) orb.Polygon {
	return orb.Polygon{ringAt(t, [2]float64{x, y}, [2]float64{x + w, y}, [2]float64{x + w, y + h}, [2]float64{x, y + h})}
}

var here = Tile{14, 12878, 7215} // in Điện Biên

func TestAttributes(t *testing.T) {
	l := layerNamed(t, "bts_sites")
	row := rowOf(t, l, here, 9007199254740991, lonLat(here, 100, 200))
	number := func(x float64) []byte { return binary.BigEndian.AppendUint64(nil, math.Float64bits(x)) }
	whole := func(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }
	for i, f := range Fields(l, here.Z) {
		switch f.Name {
		case "code":
			row.Values[i] = []byte("DB-1")
		case "name":
			row.Values[i] = []byte("Cột \xff1")
		case "valid_from":
			row.Values[i] = binary.BigEndian.AppendUint32(nil, 5843)
		case "valid_to":
			row.Values[i] = binary.BigEndian.AppendUint32(nil, math.MaxInt32) // for ever
		case "updated_at":
			row.Values[i] = whole(1_000_000)
		case "revision":
			row.Values[i] = whole(-3)
		case "illustrative":
			row.Values[i] = []byte{1}
		case "concealed":
			row.Values[i] = []byte{0}
		case "height_m":
			row.Values[i] = number(42.5)
		case "accuracy_m":
			row.Values[i] = number(math.NaN())
		case "technologies":
			row.Values[i] = []byte("\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x19\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x022G\x00\x00\x00\x023G")
		}
	}
	got, _ := tileOf(t, l, here, row)
	if len(got.Features) != 1 || got.Features[0].ID != float64(9007199254740991) || !orb.Equal(got.Features[0].Geometry, orb.Point{100, 200}) {
		t.Fatalf("%+v", got.Features)
	}
	want := map[string]any{
		"code": "DB-1", "name": "Cột \uFFFD1", "valid_from": "2015-12-31", "updated_at": "2000-01-01T00:00:01Z",
		"revision": -3.0, "illustrative": true, "concealed": false, "height_m": 42.5, "technologies": "2G,3G",
	}
	if d := cmp.Diff(want, map[string]any(got.Features[0].Properties)); d != "" {
		t.Error(d)
	}
	row.Values[0], row.Values[8] = nil, []byte{1}
	e := NewLayer(l, Fields(l, here.Z), here)
	if err := e.Add(row); err != nil {
		t.Fatal(err)
	}
	if _, _, err := e.Append(nil); err == nil {
		t.Error("a number of one byte is read")
	}
	if err := e.Add(&layer.Row{Geometry: row.Geometry}); err == nil {
		t.Error("a row without its values is read")
	}
}

// The shapes of the published fixtures come back as they are.
func TestFixtures(t *testing.T) {
	dir := filepath.Join(testdb.TestData(t), "conformance", "mvt")
	for number, name := range map[string]string{"017": "bts_sites", "019": "special_areas", "020": "bts_sites", "022": "special_areas", "053": "special_areas", "055": "special_areas"} {
		raw, err := os.ReadFile(filepath.Join(dir, number, "tile.mvt"))
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := mvt.Unmarshal(raw)
		if err != nil {
			t.Fatal(err)
		}
		shape := theirs[0].Features[0].Geometry
		l := layerNamed(t, name)
		ours, _ := tileOf(t, l, here, rowOf(t, l, here, 1, onEarth(here, shape)))
		if len(ours.Features) != 1 || !sameRings(ours.Features[0].Geometry, shape) {
			t.Errorf("%s: %v, want %v", number, ours.Features[0].Geometry, shape)
		}
	}
}

// onEarth takes a shape in units of a tile to where it lies.
func onEarth(t Tile, g orb.Geometry) orb.Geometry {
	ring := func(r orb.Ring) (out orb.Ring) {
		for _, p := range r {
			out = append(out, lonLat(t, p[0], p[1]))
		}
		return out
	}
	switch g := g.(type) {
	case orb.Point:
		return lonLat(t, g[0], g[1])
	case orb.MultiPoint:
		return orb.MultiPoint(ring(orb.Ring(g)))
	case orb.LineString:
		return orb.LineString(ring(orb.Ring(g)))
	case orb.Polygon:
		var out orb.Polygon
		for _, r := range g {
			out = append(out, ring(r))
		}
		return out
	case orb.MultiPolygon:
		var out orb.MultiPolygon
		for _, p := range g {
			out = append(out, onEarth(t, p).(orb.Polygon))
		}
		return out
	}
	return nil
}

// sameRings compares shapes, wherever their rings begin.
func sameRings(a, b orb.Geometry) bool {
	flat := func(g orb.Geometry) (out []string) {
		switch g := g.(type) {
		case orb.Polygon:
			for _, r := range g {
				r = slices.Clone(r[:len(r)-1])
				slices.SortFunc(r, func(a, b orb.Point) int { return slices.Compare(a[:], b[:]) })
				out = append(out, fmt.Sprint(r))
			}
		case orb.MultiPolygon:
			for _, p := range g {
				for _, r := range p {
					r = slices.Clone(r[:len(r)-1])
					slices.SortFunc(r, func(a, b orb.Point) int { return slices.Compare(a[:], b[:]) })
					out = append(out, fmt.Sprint(r))
				}
			}
		default:
			out = []string{fmt.Sprint(g)}
		}
		return out
	}
	return slices.Equal(flat(a), flat(b))
}

// A hole stays one, and whichever way rings came they leave as the specification has them.
func TestWinding(t *testing.T) {
	l := layerNamed(t, "special_areas")
	area := boxAt(here, 100, 100, 1000, 1000)
	area = append(area, boxAt(here, 300, 300, 200, 200)[0])
	for _, reversed := range [][2]bool{{false, false}, {true, false}, {false, true}, {true, true}} {
		p := area.Clone()
		for i, r := range reversed {
			if r {
				p[i].Reverse()
			}
		}
		got, _ := tileOf(t, l, here, rowOf(t, l, here, 1, orb.MultiPolygon{p}))
		if size := planar.Area(got.Features[0].Geometry); math.Abs(size-(1e6-4e4)) > 1 {
			t.Errorf("reversed %v: area %v", reversed, size)
		}
	}
}

// What is too small to be drawn is shown by a stand-in, of which a cell has one.
func TestTinyShapesStay(t *testing.T) {
	for name, shape := range map[string]func(x float64) orb.Geometry{
		"special_areas": func(x float64) orb.Geometry { return orb.MultiPolygon{boxAt(here, x, 50, .01, .01)} },
		"roads": func(x float64) orb.Geometry {
			return orb.MultiLineString{{lonLat(here, x, 50), lonLat(here, x+.01, 50)}}
		},
		"communes": func(x float64) orb.Geometry { return orb.MultiPolygon{boxAt(here, x, 50, 900, .001)} }, // a hair
	} {
		l := layerNamed(t, name)
		got, result := tileOf(t, l, here, rowOf(t, l, here, 7, shape(51)), rowOf(t, l, here, 5, shape(50)), rowOf(t, l, here, 9, shape(1000)))
		if d := cmp.Diff([]int64{5, 9}, idsOf(got)); d != "" || result.Rows != 3 || result.Shown != 2 || result.Truncated {
			t.Errorf("%s: %s, %+v", name, d, result)
		}
		for z := range uint32(MaxZoom + 1) {
			tile := Tile{z, here.X, here.Y}
			if z <= here.Z {
				tile.X, tile.Y = here.X>>(here.Z-z), here.Y>>(here.Z-z)
			} else {
				p := lonLat(here, 1000+boxMiddle(name), 50)
				g := Tile{Z: z}.grid()
				x, y := g.at(p[0], p[1])
				tile.X, tile.Y = uint32(x)/Extent, uint32(y)/Extent
				if z > 19 {
					tile.X, tile.Y = uint32(uint64(x)/Extent), uint32(uint64(y)/Extent)
				}
			}
			if got, _ := tileOf(t, l, tile, rowOf(t, l, tile, 9, shape(1000))); len(got.Features) != 1 {
				t.Errorf("%s: zoom %d shows %d", name, z, len(got.Features))
			}
		}
	}
}

// boxMiddle is where in a shape of TestTinyShapesStay its middle is.
func boxMiddle(name string) float64 {
	if name == "communes" {
		return 450
	}
	return 0
}

func TestPointsAreThinnedFarAway(t *testing.T) {
	l := layerNamed(t, "bts_sites")
	for _, tt := range []struct {
		zoom uint32
		want []int64
	}{{7, []int64{1, 4}}, {12, []int64{1, 3, 4}}, {14, []int64{1, 2, 3, 4}}, {24, []int64{1, 2, 3, 4}}} {
		tile := Tile{tt.zoom, 3, 3}
		rows := []*layer.Row{
			rowOf(t, l, tile, 2, lonLat(tile, 34, 34)), rowOf(t, l, tile, 1, lonLat(tile, 33, 33)),
			rowOf(t, l, tile, 3, lonLat(tile, 50, 50)), rowOf(t, l, tile, 4, lonLat(tile, 99, 99)),
		}
		got, result := tileOf(t, l, tile, rows...)
		if d := cmp.Diff(tt.want, idsOf(got)); d != "" || result.Rows != 4 || result.Truncated {
			t.Errorf("zoom %d: %s, %+v", tt.zoom, d, result)
		}
		slices.Reverse(rows)
		if again, _ := tileOf(t, l, tile, rows...); cmp.Diff(got.Features, again.Features) != "" {
			t.Errorf("zoom %d: another order shows others", tt.zoom)
		}
	}
}

// A tile over the limits says so, and shows some of everything.
func TestLimits(t *testing.T) {
	points, areas := layerNamed(t, "bts_sites"), layerNamed(t, "communes")
	var rows []*layer.Row
	for i := range 60_000 {
		rows = append(rows, rowOf(t, points, here, int64(i+1), lonLat(here, float64(i%250)*16, float64(i/250)*16)))
	}
	got, result := tileOf(t, points, here, rows...)
	if !result.Truncated || result.Rows != 60_000 || result.Shown != len(got.Features) || result.Shown < 1000 || result.Shown > MaxFeatures {
		t.Errorf("points: %+v", result)
	}
	rows = nil
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 600 {
		x, y, r := float64(i%25)*160, float64(i/25)*160, 20+random.Float64()*50
		var ring orb.Ring
		for k := range 600 {
			a := float64(k) / 600 * 2 * math.Pi
			ring = append(ring, lonLat(here, x+(r+float64(k%2)*5)*math.Cos(a), y+(r+float64(k%2)*5)*math.Sin(a)))
		}
		rows = append(rows, rowOf(t, areas, here, int64(i+1), orb.MultiPolygon{{append(ring, ring[0])}}))
	}
	if _, result = tileOf(t, areas, here, rows...); !result.Truncated || result.Shown < 100 {
		t.Errorf("areas: %+v", result)
	}
	raw := AppendTruncated(nil, []Cut{{"communes", result}, {"roads", Result{Rows: 3, Shown: 2}}})
	told, err := mvt.Unmarshal(raw)
	if err != nil || len(told) != 1 || told[0].Name != TruncatedLayer || len(told[0].Features) != 2 {
		t.Fatalf("%v, %v", told, err)
	}
	if d := cmp.Diff(map[string]any{"layer": "roads", "rows": 3.0, "shown": 2.0}, map[string]any(told[0].Features[1].Properties)); d != "" {
		t.Error(d)
	}
}

func TestHeightsAreDropped(t *testing.T) {
	l := layerNamed(t, "fibre_routes")
	a, b := lonLat(here, 10, 10), lonLat(here, 500, 900)
	line, err := geom.NewMultiLineString(geom.XYZ).SetSRID(4326).SetCoords([][]geom.Coord{{{a[0], a[1], 5}, {b[0], b[1], -7}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		var raw bytes.Buffer
		if err := geomewkb.Write(&raw, order, line); err != nil {
			t.Fatal(err)
		}
		row := rowOf(t, l, here, 1, orb.Point{})
		row.Geometry = raw.Bytes()
		got, _ := tileOf(t, l, here, row)
		if len(got.Features) != 1 || !orb.Equal(got.Features[0].Geometry, orb.LineString{{10, 10}, {500, 900}}) {
			t.Errorf("%v: %+v", order, got.Features)
		}
	}
}

// wobbly is an area with an irregular outline around a tile's unit.
func wobbly(random *rand.Rand, t Tile, x, y, radius float64, corners int) orb.MultiPolygon {
	var ring orb.Ring
	for k := range corners {
		a := float64(k) / float64(corners) * 2 * math.Pi
		r := radius * (.7 + .3*random.Float64())
		ring = append(ring, lonLat(t, x+r*math.Cos(a), y+r*math.Sin(a)))
	}
	return orb.MultiPolygon{{append(ring, ring[0])}}
}

// A shape that crosses edges is in every tile it meets, with the same id, and its parts
// together are the shape, within the grid.
func TestPartsMeet(t *testing.T) {
	l := layerNamed(t, "communes")
	random := rand.New(rand.NewPCG(3, 4))
	for range 30 {
		zoom := 6 + random.Uint32N(12)
		middle := Tile{zoom, (1 << zoom) * 51 / 64, (1 << zoom) * 28 / 64}
		radius := 100 + random.Float64()*5000
		shape := wobbly(random, middle, 4000, 300, radius, 40+random.IntN(300))
		whole, perimeter := 0.0, 0.0
		g := middle.grid()
		var outline orb.Ring
		for _, p := range shape[0][0] {
			x, y := g.at(p[0], p[1])
			outline = append(outline, orb.Point{x, y})
		}
		whole, perimeter = math.Abs(planar.Area(outline)), planar.Length(outline)
		sum := 0.0
		for dx := -3; dx <= 3; dx++ {
			for dy := -3; dy <= 3; dy++ {
				tile := Tile{zoom, uint32(int(middle.X) + dx), uint32(int(middle.Y) + dy)}
				got, _ := tileOf(t, l, tile, rowOf(t, l, tile, 77, shape))
				for _, f := range got.Features {
					if f.ID != 77.0 {
						t.Errorf("%v: id %v", tile, f.ID)
					}
					sum += areaWithin(f.Geometry)
				}
			}
		}
		if off := math.Abs(sum - whole); off > perimeter*toleranceAt(zoom) || off > whole*.2 && whole > 1e5 {
			t.Errorf("zoom %d: parts of %.0f, the whole has %.0f, outline %.0f", zoom, sum, whole, perimeter)
		}
	}
}

// areaWithin is the area of what is in the tile itself, without its buffer.
func areaWithin(g orb.Geometry) float64 {
	sum := 0.0
	polygons, _ := g.(orb.MultiPolygon)
	if p, ok := g.(orb.Polygon); ok {
		polygons = orb.MultiPolygon{p}
	}
	for _, p := range polygons {
		for i, ring := range p {
			a := math.Abs(planar.Area(cutToTile(ring)))
			if i > 0 {
				a = -a
			}
			sum += a
		}
	}
	return sum
}

// cutToTile cuts a ring at the edges of the tile, in the plainest way.
func cutToTile(ring orb.Ring) orb.Ring {
	for edge := range 4 {
		axis, low := edge%2, edge < 2
		depth := func(p orb.Point) float64 {
			if low {
				return p[axis]
			}
			return Extent - p[axis]
		}
		var out orb.Ring
		for i := range len(ring) - 1 {
			a, b := ring[i], ring[i+1]
			da, db := depth(a), depth(b)
			if da >= 0 {
				out = append(out, a)
			}
			if da >= 0 != (db >= 0) {
				s := da / (da - db)
				out = append(out, orb.Point{a[0] + s*(b[0]-a[0]), a[1] + s*(b[1]-a[1])})
			}
		}
		if len(out) == 0 {
			return nil
		}
		out = append(out, out[0])
		ring = out
	}
	return ring
}

// A line's parts together are as long as the line.
func TestLinesMeet(t *testing.T) {
	l := layerNamed(t, "roads")
	middle := Tile{12, 3219, 1803}
	line := orb.LineString{}
	for i := range 400 {
		line = append(line, lonLat(middle, -9000+float64(i)*50, 2000+1800*math.Sin(float64(i)/9)))
	}
	g := middle.grid()
	var drawn orb.LineString
	for _, p := range line {
		x, y := g.at(p[0], p[1])
		drawn = append(drawn, orb.Point{x, y})
	}
	sum := 0.0
	for dx := -3; dx <= 3; dx++ {
		for dy := -1; dy <= 1; dy++ {
			tile := Tile{12, uint32(3219 + dx), uint32(1803 + dy)}
			got, _ := tileOf(t, l, tile, rowOf(t, l, tile, 3, orb.MultiLineString{line}))
			for _, f := range got.Features {
				sum += lengthWithin(f.Geometry)
			}
		}
	}
	if want := planar.Length(drawn); math.Abs(sum/want-1) > .01 {
		t.Errorf("parts of %v units, the line has %v", sum, want)
	}
}

// lengthWithin is the length in the tile itself, in small steps.
func lengthWithin(g orb.Geometry) float64 {
	lines, _ := g.(orb.MultiLineString)
	if line, ok := g.(orb.LineString); ok {
		lines = orb.MultiLineString{line}
	}
	sum := 0.0
	const steps = 100
	for _, line := range lines {
		for i := range len(line) - 1 {
			a, b := line[i], line[i+1]
			for k := range steps {
				s := (float64(k) + .5) / steps
				x, y := a[0]+s*(b[0]-a[0]), a[1]+s*(b[1]-a[1])
				if x >= 0 && y >= 0 && x < Extent && y < Extent {
					sum += planar.Distance(a, b) / steps
				}
			}
		}
	}
	return sum
}

func TestBytesAreTheSame(t *testing.T) {
	l := layerNamed(t, "communes")
	random := rand.New(rand.NewPCG(5, 6))
	var rows []*layer.Row
	for i := range 50 {
		row := rowOf(t, l, here, int64(i+1), wobbly(random, here, random.Float64()*4096, random.Float64()*4096, 300, 50))
		row.Values[0] = fmt.Appendf(nil, "code %d", i%7)
		rows = append(rows, row)
	}
	encode := func() []byte {
		e := NewLayer(l, Fields(l, here.Z), here)
		for _, row := range rows {
			if err := e.Add(row); err != nil {
				t.Fatal(err)
			}
		}
		raw, _, err := e.Append([]byte("before"))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	first := encode()
	random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	if second := encode(); !bytes.Equal(first, second) || !bytes.HasPrefix(first, []byte("before")) {
		t.Error("the bytes depend on the order of the rows")
	}
}

func TestNothingInTheTile(t *testing.T) {
	for name, far := range map[string]orb.Geometry{
		"bts_sites": lonLat(here, 9000, 9000), "communes": orb.MultiPolygon{boxAt(here, 9000, 9000, 500, 500)}, "roads": orb.MultiLineString{{lonLat(here, 9000, 0), lonLat(here, 0, 9000)}},
	} {
		l := layerNamed(t, name)
		e := NewLayer(l, Fields(l, here.Z), here)
		if err := e.Add(rowOf(t, l, here, 1, far)); err != nil {
			t.Fatal(err)
		}
		if err := e.Add(&layer.Row{ID: 2}); err != nil {
			t.Fatal(err)
		}
		if raw, result, err := e.Append(nil); len(raw) != 0 || result.Shown != 0 || err != nil {
			t.Errorf("%s: %d bytes, %+v, %v", name, len(raw), result, err)
		}
	}
	l := layerNamed(t, "bts_sites")
	if got, _ := tileOf(t, l, here, &layer.Row{Geometry: ewkbOf(t, orb.Point{math.NaN(), math.NaN()}), Values: make([][]byte, len(l.Fields))}); len(got.Features) != 0 {
		t.Error("an empty point is drawn")
	}
}

// An area that lies all around a tile but not in it is not there; a hair across it is.
func TestAroundTheTile(t *testing.T) {
	l := layerNamed(t, "communes")
	ring := func(corners ...[2]float64) orb.Geometry { return orb.MultiPolygon{{ringAt(here, corners...)}} }
	for name, of := range map[string]struct {
		shape orb.Geometry
		shown int
	}{
		"a corner away":  {ring([2]float64{12000, -3000}, [2]float64{12000, 12000}, [2]float64{-3000, 12000}), 0},
		"an L":           {ring([2]float64{-9000, -9000}, [2]float64{-8000, -9000}, [2]float64{-8000, 12000}, [2]float64{13000, 12000}, [2]float64{13000, 13000}, [2]float64{-9000, 13000}), 0},
		"a C":            {ring([2]float64{-9000, -9000}, [2]float64{9000, -9000}, [2]float64{9000, -8000}, [2]float64{-8000, -8000}, [2]float64{-8000, 8000}, [2]float64{9000, 8000}, [2]float64{9000, 9000}, [2]float64{-9000, 9000}), 0},
		"a hair":         {ring([2]float64{-5000, 2000.3}, [2]float64{9000, 2000.3}, [2]float64{9000, 2000.31}, [2]float64{-5000, 2000.31}), 1},
		"a hair upright": {ring([2]float64{2000.3, -5000}, [2]float64{2000.31, -5000}, [2]float64{2000.31, 9000}, [2]float64{2000.3, 9000}), 1},
		"a hair aslant":  {ring([2]float64{-500, -500}, [2]float64{5000, 5000}, [2]float64{5000.01, 5000}, [2]float64{-499.99, -500}), 1},
	} {
		if got, _ := tileOf(t, l, here, rowOf(t, l, here, 3, of.shape)); len(got.Features) != of.shown {
			t.Errorf("%s: %d features", name, len(got.Features))
		}
	}
}

func TestBadGeometries(t *testing.T) {
	l := layerNamed(t, "communes")
	good := ewkbOf(t, wobbly(rand.New(rand.NewPCG(7, 8)), here, 2000, 2000, 500, 20))
	for name, raw := range map[string][]byte{
		"empty": {}, "cut": good[:len(good)-1], "cut in the middle": good[:40], "a collection": ewkbOf(t, orb.Collection{orb.Point{1, 2}}),
		"nowhere": ewkbOf(t, orb.Point{103, 91}), "infinite": ewkbOf(t, orb.LineString{{1, 1}, {math.Inf(1), 0}}),
		"many parts": append(slices.Clone(good[:9]), 0xff, 0xff, 0xff, 0xff), "a point among areas": append(slices.Clone(good[:13]), ewkbOf(t, orb.Point{1, 2})...),
	} {
		e := NewLayer(l, Fields(l, here.Z), here)
		if err := e.Add(&layer.Row{ID: 1, Geometry: raw, Values: make([][]byte, len(l.Fields))}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzShape(f *testing.F) {
	for _, g := range []orb.Geometry{
		lonLat(here, 1, 2), orb.MultiPoint{lonLat(here, 1, 2), lonLat(here, 5, 9)}, orb.LineString{lonLat(here, 1, 2), lonLat(here, 900, -900)},
		boxAt(here, -500, -500, 9000, 9000), orb.MultiPolygon{boxAt(here, 1, 1, 2, 2), boxAt(here, 10, 10, 200, 2)},
	} {
		f.Add(ewkbOf(f, g), uint8(here.Z))
	}
	areas := layerNamed(f, "communes")
	f.Fuzz(func(t *testing.T, raw []byte, zoom uint8) {
		tile := Tile{Z: uint32(zoom) % (MaxZoom + 1)}
		tile.X, tile.Y = uint32(1)<<tile.Z*51/64, uint32(1)<<tile.Z*28/64
		if tile.Z == here.Z {
			tile = here
		}
		fields := Fields(areas, tile.Z)
		e := NewLayer(areas, fields, tile)
		if e.Add(&layer.Row{ID: 1, Geometry: raw, Values: make([][]byte, len(fields))}) != nil {
			return
		}
		out, _, err := e.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		decoded(t, areas.Name, out)
	})
}
