package geo

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

// Recorded answers of PROJ; the file says how they were made.
func TestCRSAgainstPROJ(t *testing.T) {
	worst := map[string]float64{}
	for _, r := range table(t, "testdata/crs_vectors.csv") {
		c, err := ParseCRS(r["epsg"])
		if err != nil {
			t.Fatal(err)
		}
		p := orb.Point{number(t, r["lon"]), number(t, r["lat"])}
		want := orb.Point{number(t, r["x"]), number(t, r["y"])}
		got, err := c.Forward(p)
		if err != nil {
			t.Fatal(err)
		}
		off := math.Hypot(got[0]-want[0], got[1]-want[1])
		if !c.Projected() {
			off = DistanceM(got, want)
		}
		back, err := c.Inverse(want)
		if err != nil {
			t.Fatal(err)
		}
		off = max(off, DistanceM(back, orb.Point{number(t, r["back_lon"]), number(t, r["back_lat"])}))
		worst[c.String()] = max(worst[c.String()], off)
		if !(off < 2e-6) {
			t.Errorf("%s at %v: %v, %v; %.2g m from PROJ", c, p, got, back, off)
		}
	}
	if len(worst) != len(CRSs())-2 { // all but CRS84 and 4326
		t.Errorf("recorded answers for %d systems only", len(worst))
	}
	t.Logf("greatest distance from PROJ, metres: %v", worst)
}

// GeographicLib's TransverseMercatorProj: the projection alone, no datum shift.
func TestTransverseMercatorAgainstGeographicLib(t *testing.T) {
	worstM := 0.0
	for _, r := range table(t, othersData(t, "oracles/tm103_projection_no_datum_shift.csv")) {
		x, y := krueger.forward(radians(number(t, r["lon"])-103), radians(number(t, r["lat"])))
		worstM = max(worstM, math.Hypot(falseEastingM+0.9999*x-number(t, r["easting"]), 0.9999*y-number(t, r["northing"])))
	}
	if !(worstM < 2e-6) {
		t.Errorf("%g m off", worstM)
	}
	t.Logf("within %.2g m", worstM)
}

// The published vector of the province.
func TestVN2000Vector(t *testing.T) {
	p := orb.Point{103.0230, 21.3860}
	for code, want := range map[int]orb.Point{9205: {502188.6965, 2365683.6115}, 3405: {294840.704, 2366266.020}} {
		c, _ := LookupCRS(code)
		got, err := c.Forward(p)
		if err != nil || math.Hypot(got[0]-want[0], got[1]-want[1]) > 1e-3 {
			t.Errorf("%s: %.4f, %v; want %.4f", c, got, err, want)
		}
	}
	vn := toVN2000(p)
	if d := DistanceM(p, vn); math.Abs(d-222.73) > 0.05 {
		t.Errorf("the datum shift is %v m, want 222.7", d)
	}
}

func TestParseCRS(t *testing.T) {
	for s, want := range map[string]string{
		"EPSG:9205": "EPSG:9205", "epsg:9205": "EPSG:9205", "9205": "EPSG:9205", "\t9205\n": "EPSG:9205",
		"http://www.opengis.net/def/crs/EPSG/0/9205":     "EPSG:9205",
		"https://www.opengis.net/def/crs/EPSG/0/9205":    "EPSG:9205",
		"http://www.opengis.net/def/crs/EPSG/9.9.1/4326": "EPSG:4326",
		"urn:ogc:def:crs:EPSG::9205":                     "EPSG:9205",
		"URN:OGC:DEF:CRS:EPSG:6.9:4756":                  "EPSG:4756",
		"<http://www.opengis.net/def/crs/EPSG/0/3857>":   "EPSG:3857",
		"[EPSG:9205]": "EPSG:9205",
		"CRS84":       "OGC:CRS84",
		"OGC:CRS84":   "OGC:CRS84",
		"http://www.opengis.net/def/crs/OGC/1.3/CRS84":   "OGC:CRS84",
		"https://www.opengis.net/def/crs/OGC/1.3/CRS84":  "OGC:CRS84",
		"<http://www.opengis.net/def/crs/OGC/1.3/CRS84>": "OGC:CRS84",
		"urn:ogc:def:crs:OGC:1.3:CRS84":                  "OGC:CRS84",
		"urn:ogc:def:crs:OGC::CRS84":                     "OGC:CRS84",
	} {
		if c, err := ParseCRS(s); err != nil || c.String() != want {
			t.Errorf("ParseCRS(%q) = %v, %v; want %s", s, c, err, want)
		}
	}
	for _, s := range []string{"", "EPSG", "EPSG:", "EPSG:0", "0", "EPSG:9999", "9205x", "x9205", "EPSG:-9205", "EPSG:99999999999999999999",
		"<EPSG:9205", "[]", "http://www.opengis.net/def/crs/EPSG/0/", "http://example.com/def/crs/EPSG/0/9205", "CRS83", "EPSG:9205\nEPSG:9205"} {
		if c, err := ParseCRS(s); !errors.Is(err, ErrUnknownCRS) {
			t.Errorf("ParseCRS(%q) = %v, %v; want ErrUnknownCRS", s, c, err)
		}
	}
}

func TestEveryCRS(t *testing.T) {
	seen := map[int]bool{}
	for _, c := range CRSs() {
		if seen[c.Code()] {
			t.Errorf("%s is listed twice", c)
		}
		seen[c.Code()] = true
		for _, name := range []string{c.URI(), c.String()} {
			if got, err := ParseCRS(name); err != nil || got != c {
				t.Errorf("ParseCRS(%q) = %v, %v", name, got, err)
			}
		}
		if got, ok := LookupCRS(c.Code()); ok != (c.Code() != 0) || ok && got != c {
			t.Errorf("LookupCRS(%d) = %v, %v", c.Code(), got, ok)
		}
		if c.LatFirst() != (c.Code() == 4326 || c.Code() == 4756) {
			t.Errorf("%s: latitude first %v", c, c.LatFirst())
		}
		box := c.AreaOfUse()
		if c.Name() == "" || !(box.Min[0] < box.Max[0] && box.Min[1] < box.Max[1]) {
			t.Errorf("%s: name %q, area of use %v", c, c.Name(), box)
		}
		if centre := box.Center(); c.vn2000 && !(centre[0] > 102 && centre[0] < 110) {
			t.Errorf("%s: area of use %v is not in Viet Nam", c, box)
		}
		if want := c.code; want != 0 && c.SRID() != want {
			t.Errorf("%s: SRID %d", c, c.SRID())
		}
	}
	if (CRS{}).SRID() != SRID || (CRS{}).Name() == "" || (CRS{}).URI() != CRSs()[0].URI() || (CRS{}).AreaOfUse() != world {
		t.Error("the zero value is not CRS84")
	}
}

func TestCRSRefuses(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range CRSs() {
		for _, p := range []orb.Point{{nan, 21}, {103, nan}, {inf, 21}, {103, -inf}, {103, 90.01}} {
			if q, err := c.Forward(p); !errors.Is(err, ErrOutOfDomain) {
				t.Errorf("%s: Forward(%v) = %v, %v", c, p, q, err)
			}
		}
		for _, p := range []orb.Point{{nan, 1}, {1, nan}, {inf, 1}, {1, inf}} {
			if q, err := c.Inverse(p); !errors.Is(err, ErrOutOfDomain) {
				t.Errorf("%s: Inverse(%v) = %v, %v", c, p, q, err)
			}
		}
		if c.kind == transverseMercator {
			if q, err := c.Forward(orb.Point{-77, 0}); !errors.Is(err, ErrOutOfDomain) {
				t.Errorf("%s: Forward of the far side = %v, %v", c, q, err)
			}
			if q, err := c.Inverse(orb.Point{1e9, 0}); !errors.Is(err, ErrOutOfDomain) {
				t.Errorf("%s: Inverse of 1e9 m = %v, %v", c, q, err)
			}
		} else if !c.Projected() {
			if q, err := c.Inverse(orb.Point{500000, 2365683}); !errors.Is(err, ErrOutOfDomain) {
				t.Errorf("%s: metres taken for degrees: %v, %v", c, q, err)
			}
		}
	}
	mercator, _ := LookupCRS(3857)
	if q, err := mercator.Forward(orb.Point{0, 90}); !errors.Is(err, ErrOutOfDomain) {
		t.Errorf("the pole in 3857 = %v, %v", q, err)
	}
}

func TestCRSRoundTrip(t *testing.T) {
	all := CRSs()
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(all).Draw(t, "crs")
		p := orb.Point{rapid.Float64Range(98, 115).Draw(t, "lon"), rapid.Float64Range(5, 25).Draw(t, "lat")}
		xy, err := c.Forward(p)
		if err != nil {
			t.Fatal(err)
		}
		back, err := c.Inverse(xy)
		if err != nil || !(DistanceM(p, back) < 0.002) {
			t.Fatalf("%s: %v came back as %v, %v", c, p, back, err)
		}
	})
}

func ExampleCRS_Forward() {
	c, _ := ParseCRS("EPSG:9205")
	xy, _ := c.Forward(orb.Point{103.0230, 21.3860})
	fmt.Printf("%s: E %.3f m, N %.3f m\n", c.Name(), xy[0], xy[1])
	// Output: VN-2000 / TM-3 103-00: E 502188.696 m, N 2365683.612 m
}

func BenchmarkForward(b *testing.B) {
	c, _ := LookupCRS(9205)
	for b.Loop() {
		if _, err := c.Forward(orb.Point{103.0230, 21.3860}); err != nil {
			b.Fatal(err)
		}
	}
}
