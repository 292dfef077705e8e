package intake

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/tables"
)

// numbersOf is the sample of two columns of numbers, with the codes of a third.
func numbersOf(t testing.TB, m *table, code, x, y int) *Sample {
	t.Helper()
	s := NewSample()
	for _, row := range m.rows {
		var p orb.Point
		for i, at := range []int{x, y} {
			text, _ := row.Cells[at].(string)
			var f *Fault
			if p[i], f = ReadNumber(text, CommaUnknown); f != nil {
				t.Fatalf("row %d: %+v", row.Number, f)
			}
		}
		text, _ := row.Cells[code].(string)
		s.Add(p, text)
	}
	return s
}

// verticesOf is the sample of geometries.
func verticesOf(m *table) *Sample {
	s := NewSample()
	for _, row := range m.rows {
		flat, stride := row.Geometry.FlatCoords(), row.Geometry.Stride()
		for i := 0; i < len(flat); i += stride {
			s.Add(orb.Point{flat[i], flat[i+1]}, "")
		}
	}
	return s
}

// place decides, in the province.
func place(t testing.TB, s *Sample, d Declared) Placement {
	t.Helper()
	p := d.Place(s, s.Readings(*province(), d.CRS, nil), false)
	if p.Why.VI == "" || p.Why.EN == "" {
		t.Errorf("no reason: %+v", p)
	}
	return p
}

// fitting names the readings that fit, the best first.
func fitting(p Placement) []string {
	var names []string
	for _, r := range p.fitting() {
		names = append(names, r.CRS+" "+string(r.Axis))
	}
	return names
}

func expect(t *testing.T, what string, p Placement, outcome Outcome, crs string, axis Axis, first string) {
	t.Helper()
	names := fitting(p)
	if p.Outcome != outcome || p.CRS != crs || p.Axis != axis || first != "" && (len(names) == 0 || names[0] != first) {
		t.Errorf("%s: %s as %s %s; %q fit; %s", what, p.Outcome, p.CRS, p.Axis, names, p.Why.EN)
	}
}

// TestPlacementOfFiles has the files that offices send, whose right answers are known.
func TestPlacementOfFiles(t *testing.T) {
	tm103, tm105, utm48 := crsOf(t, 9205), crsOf(t, 5897), crsOf(t, 3405)
	surveyors := numbersOf(t, messyCSV(t, "toado_vn2000_kttt103.csv"), 1, 3, 4)
	expect(t, "X and Y of TM-3 103, said so", place(t, surveyors, Declared{CRS: tm103, By: "option", AxesOpen: true}), Taken, "EPSG:9205", NorthFirst, "EPSG:9205 yx")
	expect(t, "X and Y, nothing said", place(t, surveyors, Declared{AxesOpen: true}), Asks, "EPSG:9205", NorthFirst, "EPSG:9205 yx")
	expect(t, "said to be east and north", place(t, surveyors, Declared{CRS: tm103, By: "file"}), Refused, "", "", "EPSG:9205 yx")
	expect(t, "said to be north and east", place(t, surveyors, Declared{CRS: tm103, By: "file", Axis: NorthFirst}), Taken, "EPSG:9205", NorthFirst, "EPSG:9205 yx")
	expect(t, "said to be TM-3 105", place(t, surveyors, Declared{CRS: tm105, By: "option", AxesOpen: true}), Refused, "", "", "EPSG:9205 yx")

	wrong := numbersOf(t, messyCSV(t, "toado_vn2000_kttt105_sai.csv"), 0, 2, 3)
	expect(t, "TM-3 105 said to be 103", place(t, wrong, Declared{CRS: tm103, By: "option"}), Refused, "", "", "")
	expect(t, "TM-3 105 said to be so", place(t, wrong, Declared{CRS: tm105, By: "option"}), Taken, "EPSG:5897", EastFirst, "")
	p := place(t, wrong, Declared{}) // the grid of six degrees has the same meridian, and is 700 m off
	expect(t, "TM-3 105, nothing said", p, Asks, "", "", "")
	if got := fitting(p); !slices.Contains(got, "EPSG:5897 xy") || !slices.Contains(got, "EPSG:3405 xy") || slices.Contains(got, "EPSG:9205 xy") {
		t.Errorf("%q fit", got)
	}
	known := Declared{}
	expect(t, "TM-3 105, with known places", known.Place(wrong, wrong.Readings(*province(), nil, knownPlaces(t)), false), Asks, "EPSG:5897", EastFirst, "EPSG:5897 xy")
	expect(t, "TM-3 105 said to be 103, but let outside", (&Declared{CRS: tm103, By: "option"}).Place(wrong, wrong.Readings(*province(), tm103, nil), true), Taken, "EPSG:9205", EastFirst, "")

	swapped := verticesOf(geoJSONTable(t, dataFile(t, "messy", "geojson_latlon_swapped.geojson")))
	expect(t, "latitude first", place(t, swapped, Declared{Degrees: true}), Refused, "", "", "EPSG:4326 yx")
	expect(t, "latitude first, said so", place(t, swapped, Declared{Degrees: true, Axis: NorthFirst}), Taken, "EPSG:4326", NorthFirst, "EPSG:4326 yx")

	old := geoJSONTable(t, dataFile(t, "messy", "geojson_crs_epsg9205.geojson"))
	crs, ok := crsInWords(old.crs)
	if !ok || crs.Code() != 9205 {
		t.Errorf("%q is %v", old.crs, crs)
	}
	expect(t, "an old crs member", place(t, verticesOf(old), Declared{CRS: &crs, Words: old.crs, By: "file", Degrees: true}), Taken, "EPSG:9205", EastFirst, "EPSG:9205 xy")
	expect(t, "metres in GeoJSON that says nothing", place(t, verticesOf(old), Declared{Degrees: true}), Refused, "", "", "EPSG:9205 xy")

	expect(t, "a shapefile without .prj", place(t, verticesOf(shapes(t, dataFile(t, "messy", "shp_vn2000_noprj_tcvn3", "xa.shp"))), Declared{}), Asks, "EPSG:9205", EastFirst, "EPSG:9205 xy")
	expect(t, "a shapefile with one", place(t, verticesOf(shapes(t, dataFile(t, "messy", "shp_vn2000_utf8", "huyen.shp"))), Declared{CRS: tm103, By: "file"}), Taken, "EPSG:9205", EastFirst, "EPSG:9205 xy")
	expect(t, "the same said to be UTM", place(t, verticesOf(shapes(t, dataFile(t, "messy", "shp_vn2000_utf8", "huyen.shp"))), Declared{CRS: utm48, By: "option"}), Refused, "", "", "EPSG:9205 xy")
	expect(t, "degrees in lon and lat", place(t, verticesOf(geoJSONTable(t, dataFile(t, "messy", "geojson_names_messy.geojson"))), Declared{Degrees: true}), Taken, "EPSG:4326", EastFirst, "EPSG:4326 xy")
	far := NewSample()
	far.Add(orb.Point{-74, 40.7}, "")
	expect(t, "degrees far away", place(t, far, Declared{Degrees: true}), Refused, "", "", "")
	expect(t, "degrees that may be far away", (&Declared{Degrees: true}).Place(far, far.Readings(*province(), nil, nil), true), Taken, "EPSG:4326", EastFirst, "")
	expect(t, "the same in X and Y", (&Declared{AxesOpen: true}).Place(far, far.Readings(*province(), nil, nil), true), Refused, "", "", "")
	expect(t, "degrees in x and y", place(t, verticesOf(geoJSONTable(t, dataFile(t, "messy", "geojson_names_messy.geojson"))), Declared{AxesOpen: true}), Asks, "EPSG:4326", EastFirst, "")
	expect(t, "words that nobody knows", place(t, wrong, Declared{Words: "HN-72"}), Asks, "", "", "")
	expect(t, "no points", place(t, NewSample(), Declared{}), NoPlace, "", "", "")
}

// unshifted are places by code, and their numbers in TM-3 103 projected without the shift
// between the datums: an independent oracle.
func unshifted(t *testing.T) (known map[string]orb.Point, s *Sample) {
	t.Helper()
	file := csvTable(t, dataFile(t, "oracles", "tm103_projection_no_datum_shift.csv"), ',')
	known, s = map[string]orb.Point{}, NewSample()
	for i, row := range file.rows {
		number := func(name string) float64 {
			x, err := strconv.ParseFloat(tables.CellText(row.Cells[indexOf(file.columns, name)]), 64)
			if err != nil {
				t.Fatal(name, err)
			}
			return x
		}
		code := strconv.Itoa(i)
		known[code] = orb.Point{number("lon"), number("lat")}
		s.Add(orb.Point{number("easting"), number("northing")}, code)
	}
	return known, s
}

func indexOf(list []string, s string) int { return slices.Index(list, s) }

// TestForgottenShift: a box cannot see that the numbers were projected without the shift
// between the datums. Known places can.
func TestForgottenShift(t *testing.T) {
	known, s := unshifted(t)
	tm103 := crsOf(t, 9205)
	d := Declared{CRS: tm103, By: "option"}
	readings := s.Readings(*province(), tm103, func(code string) (orb.Point, bool) { p, ok := known[code]; return p, ok })
	o := readings[0].Offset
	if readings[0].CRS != "EPSG:9205" || o == nil || math.Abs(o.DistanceM-222.7) > 0.5 || o.SpreadM > 1 || o.WithoutShiftM > 0.01 || !o.ShiftForgotten || o.Points < knownPoints {
		t.Fatalf("%+v, %+v", readings[0], o)
	}
	if p := d.Place(s, readings, false); p.Outcome != Asks {
		t.Errorf("a file that is 222.7 m off was %s", p.Outcome)
	}
	d.Datum = DatumForgotten
	p := d.Place(s, readings, false)
	if p.Outcome != Taken || !p.Unshifted {
		t.Fatalf("%+v", p)
	}
	for _, k := range s.kept {
		if q, err := p.LonLat(k.at); err != nil || geo.DistanceM(q, known[k.code]) > 0.01 {
			t.Fatalf("%v lies at %v, %v; want %v", k.at, q, err, known[k.code])
		}
	}
	d.Datum = DatumDeclared
	if p := d.Place(s, readings, false); p.Outcome != Taken || p.Unshifted || p.Notice == nil {
		t.Errorf("what somebody said was not obeyed: %+v", p)
	}
}

// TestKnownPlaces: VN-2000 degrees that are said to be WGS 84 are seen, and so is what is
// off otherwise, as one; what is off each in its own way says nothing.
func TestKnownPlaces(t *testing.T) {
	known, _ := unshifted(t)
	reference := func(code string) (orb.Point, bool) { p, ok := known[code]; return p, ok }
	tm103, vn2000 := crsOf(t, 9205), crsOf(t, 4756)
	degrees, exact, moved := NewSample(), NewSample(), NewSample()
	add := func(s *Sample, crs *geo.CRS, at orb.Point, code string) {
		p, err := crs.Forward(at)
		if err != nil {
			t.Fatal(err)
		}
		s.Add(p, code)
	}
	for code, at := range known {
		add(degrees, vn2000, at, code)
		add(exact, tm103, at, code)
		add(moved, tm103, geo.Destination(at, 90, 5000), code)
	}
	wgs84, said, grid := Declared{Degrees: true}, Declared{CRS: vn2000, By: "option"}, Declared{CRS: tm103, By: "option"}
	readings := degrees.Readings(*province(), nil, reference)
	if p := wgs84.Place(degrees, readings, false); p.Outcome != Asks || readings[0].Offset == nil || !readings[0].Offset.ShiftForgotten {
		t.Errorf("VN-2000 degrees as WGS 84: %+v", p)
	}
	if p := said.Place(degrees, degrees.Readings(*province(), vn2000, reference), false); p.Outcome != Taken || p.CRS != "EPSG:4756" || p.Notice != nil {
		t.Errorf("VN-2000 degrees as such: %+v", p)
	}
	if p := grid.Place(moved, moved.Readings(*province(), tm103, reference), false); p.Outcome != Asks || math.Abs(p.Readings[0].Offset.EastM-5000) > 1 {
		t.Errorf("5 km to the east: %+v", p)
	}
	meant := Declared{CRS: tm103, By: "option", Datum: DatumDeclared}
	if p := meant.Place(moved, moved.Readings(*province(), tm103, reference), false); p.Outcome != Taken || p.Notice == nil {
		t.Errorf("5 km to the east, and meant: %+v", p)
	}
	meant.Datum = DatumForgotten
	if p := meant.Place(exact, exact.Readings(*province(), tm103, reference), false); p.Outcome != Taken || p.Notice == nil || !strings.Contains(p.Notice.EN, "Without the shift") {
		t.Errorf("the shift taken back of what has it: %+v", p)
	}
	if p := grid.Place(exact, exact.Readings(*province(), tm103, reference), false); p.Outcome != Taken || p.Notice != nil {
		t.Errorf("where it is known to lie: %+v", p)
	}
	scattered := func(code string) (orb.Point, bool) {
		n, err := strconv.Atoi(code)
		p, ok := known[code]
		return geo.Destination(p, float64(n*37), 3000), ok && err == nil
	}
	degrees.Add(orb.Point{21.4, 103.02}, "") // one is written the other way round
	for what, known := range map[string]func(string) (orb.Point, bool){"places that are known to 3 km": scattered, "no known places": nil} {
		if p := grid.Place(exact, exact.Readings(*province(), tm103, known), false); p.Outcome != Taken || p.Notice == nil || !strings.Contains(p.Notice.EN, "cannot be measured") || !strings.Contains(p.Notice.EN, "222.7 m") {
			t.Errorf("%s: %+v, %+v", what, p, p.Notice)
		}
	}
	if p := wgs84.Place(degrees, degrees.Readings(*province(), nil, nil), false); p.Outcome != Taken || p.Notice == nil || !strings.Contains(p.Notice.EN, "222.7 m") {
		t.Errorf("VN-2000 degrees as WGS 84, and nothing known: %+v, %+v", p, p.Notice)
	}
}

func TestCRSInWords(t *testing.T) {
	for words, want := range map[string]int{
		"EPSG:9205": 9205, "urn:ogc:def:crs:EPSG::3405": 3405, "VN-2000 / TM-3 103-00": 9205, "VN-2000_TM-3_103-00": 9205, "VN_2000_UTM_Zone_48N": 3405, "WGS 84": 4326,
		"X=Bắc, Y=Đông, KTT 103°00', múi 3°": 9205, "KTT 104-45 múi 3": 9208, "kinh tuyến trục 105 độ, múi chiếu 6 độ": 3405, "Kinh tuyến trục: 105°30'": 9209, "KTTT 105": 5897, "KTT 107.45": 5899, "kinh tuyến trục 102°00' múi 3": 5896,
	} {
		if crs, ok := crsInWords(words); !ok || crs.Code() != want {
			t.Errorf("%q is %v, want EPSG:%d", words, crs, want)
		}
	}
	for _, words := range []string{"", "HN-72", "VN-2000", "KTT 103 múi 6", "KTT 99", "ghi chú 103"} {
		if crs, ok := crsInWords(words); ok {
			t.Errorf("%q is %v", words, crs)
		}
	}
}

// TestSampleIsBounded: whatever comes, little is kept, from all of the file, and the bounds are all's.
func TestSampleIsBounded(t *testing.T) {
	s := NewSample()
	for i := range 100_000 {
		s.Add(orb.Point{float64(i), -float64(i)}, "")
	}
	s.Add(orb.Point{math.NaN(), 0}, "")
	s.Add(orb.Point{0, math.Inf(1)}, "")
	if n := len(s.kept); n < sampleSize || n > 2*sampleSize || s.Count() != 100_000 || s.Bound() != (orb.Bound{Min: orb.Point{0, -99999}, Max: orb.Point{99999, 0}}) {
		t.Errorf("%d kept of %d, %v", n, s.Count(), s.Bound())
	}
	if last := s.kept[len(s.kept)-1].at[0]; last < 99_000 {
		t.Errorf("the last that is kept is %v", last)
	}
}
