package geo_test

import (
	"fmt"
	"math"
	"os/exec"
	"strings"
	"testing"

	"hatang/geo"
)

// projected has PROJ, through GDAL, take a place into the system that a text defines.
func projected(t *testing.T, wkt string) (x, y float64) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "gdaltransform", "-s_srs", "OGC:CRS84", "-t_srs", wkt)
	cmd.Stdin = strings.NewReader("103.0165 21.3826\n")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, wkt)
	}
	if _, err := fmt.Sscan(string(out), &x, &y); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return x, y
}

// offM is how far two positions of a system are from each other, metres.
func offM(c geo.CRS, x, y float64, p [2]float64) float64 {
	d := math.Hypot(x-p[0], y-p[1])
	if !c.Projected() {
		d *= 111_000
	}
	return d
}

// What a file says of its reference system is what PROJ makes of the system's code.
func TestWKT(t *testing.T) {
	for _, c := range geo.CRSs() {
		want, err := c.Forward([2]float64{103.0165, 21.3826})
		if err != nil {
			t.Fatal(err)
		}
		x, y := projected(t, c.WKT())
		if off := offM(c, x, y, want); off > 0.001 {
			t.Errorf("%s: %f, %f by the text, %v by us: %f m", c, x, y, want, off)
		}
		out, err := exec.CommandContext(t.Context(), "gdalsrsinfo", "-e", "-o", "epsg", c.WKT()).Output()
		if got := strings.TrimSpace(string(out)); err != nil || got != fmt.Sprintf("EPSG:%d", c.SRID()) {
			t.Errorf("%s is taken for %q, %v", c, got, err)
		}
	}
	// The comparison sees the commonest mistake, rotations of the other sign.
	c, _ := geo.LookupCRS(9205)
	want, err := c.Forward([2]float64{103.0165, 21.3826})
	if err != nil {
		t.Fatal(err)
	}
	wrong := strings.NewReplacer(`0.00928836,-0.01975479,0.00427372`, `-0.00928836,0.01975479,-0.00427372`, `,AUTHORITY["EPSG","9205"]`, "",
		`,AUTHORITY["EPSG","6756"]`, "", `,AUTHORITY["EPSG","4756"]`, "").Replace(c.WKT())
	if x, y := projected(t, wrong); offM(c, x, y, want) < 0.1 {
		t.Errorf("with wrong rotations the place is at %f, %f, %f m off", x, y, offM(c, x, y, want))
	}
}

// GDAL knows every system again by its .prj, and takes it to the same place.
func TestESRI(t *testing.T) {
	for _, c := range geo.CRSs() {
		out, err := exec.CommandContext(t.Context(), "gdalsrsinfo", "-e", "-o", "epsg", "ESRI::"+c.ESRI()).Output()
		if got := strings.TrimSpace(string(out)); err != nil || got != fmt.Sprintf("EPSG:%d", c.SRID()) {
			t.Errorf("%s is taken for %q, %v: %s", c, got, err, c.ESRI())
		}
		out, err = exec.CommandContext(t.Context(), "gdalsrsinfo", "--single-line", "-o", "wkt_esri", fmt.Sprintf("EPSG:%d", c.SRID())).Output()
		if want := strings.TrimSpace(string(out)); err != nil || want != c.ESRI() {
			t.Errorf("%s: %v\n%s\n%s is GDAL's", c, err, c.ESRI(), want)
		}
	}
}
