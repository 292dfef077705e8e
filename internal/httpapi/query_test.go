package httpapi

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/layer"
)

var reference = geo.NewDate(2020, 12, 31)

func TestDatetime(t *testing.T) {
	d := geo.NewDate(2018, 2, 3)
	e := geo.NewDate(2019, 1, 1)
	none := geo.Date{}
	tests := []struct {
		in   string
		date geo.Date
		span [2]geo.Date
		ok   bool
	}{
		{"2018-02-03", d, [2]geo.Date{}, true},
		{"2018-02-03T23:59:59Z", d, [2]geo.Date{}, true},
		{"2018-02-03T01:00:00.5+07:00", d, [2]geo.Date{}, true},
		{"2018-02-03T01:00:00 07:00", d, [2]geo.Date{}, true}, // an unescaped +
		{"2018-02-03T12Z", d, [2]geo.Date{}, true},
		{"2018-02-03T", d, [2]geo.Date{}, true},
		{"2018-02-03T/..", none, [2]geo.Date{d, none}, true},
		{"2018-02-30T", none, [2]geo.Date{}, false},
		{"2018-02-03T12:30Z", d, [2]geo.Date{}, true},
		{"2018-02-03/2019-01-01", none, [2]geo.Date{d, e}, true},
		{"2018-02-03/2018-02-03", none, [2]geo.Date{d, d}, true},
		{"2018-02-03/..", none, [2]geo.Date{d, {}}, true},
		{"2018-02-03/", none, [2]geo.Date{d, {}}, true},
		{"../2019-01-01T00:00:00Z", none, [2]geo.Date{{}, e}, true},
		{"../..", none, [2]geo.Date{}, true},
		{"2019-01-01/2018-02-03", none, [2]geo.Date{}, false},
		{"..", none, [2]geo.Date{}, false},
		{"/", none, [2]geo.Date{}, false},
		{"", none, [2]geo.Date{}, false},
		{"a/b/c", none, [2]geo.Date{}, false},
		{"2018-02-30", none, [2]geo.Date{}, false},
		{"2018-02-03T99Z", none, [2]geo.Date{}, false},
		{"yesterday", none, [2]geo.Date{}, false},
	}
	for _, tt := range tests {
		date, span, err := parseDatetime(tt.in)
		if (err == nil) != tt.ok {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		if tt.ok && (date != tt.date || span != tt.span) {
			t.Errorf("%q is %v, %v; want %v, %v", tt.in, date, span, tt.date, tt.span)
		}
	}
}

func bound(west, south, east, north float64) orb.Bound {
	return orb.Bound{Min: orb.Point{west, south}, Max: orb.Point{east, north}}
}

func TestBBox(t *testing.T) {
	const hair = 0.51e-7
	tests := []struct {
		bbox, crs string
		want      []orb.Bound
		fault     string
	}{
		{"102,21,103,22", "", []orb.Bound{bound(102, 21, 103, 22)}, ""},
		{" 102, 21 ,103,22", "", []orb.Bound{bound(102, 21, 103, 22)}, ""},
		{"102.20122400000001,21,103,22", "", []orb.Bound{bound(102.20122400000001, 21, 103, 22)}, ""},
		{"102,21,-5,103,22,900", "", []orb.Bound{bound(102, 21, 103, 22)}, ""},
		{"-180,-90,180,90", "", []orb.Bound{bound(-180, -90, 180, 90)}, ""},
		{"-180.00000000000003,-90,180,90", "", []orb.Bound{bound(-180, -90, 180, 90)}, ""},
		{"177,65,-177,70", "", []orb.Bound{bound(177, 65, 180, 70), bound(-180, 65, -177, 70)}, ""},
		{"21,102,22,103", "EPSG:4326", []orb.Bound{bound(102, 21, 103, 22)}, ""},
		// A place, or a line, holds what is rounded to it.
		{"1,2,1,2", "", []orb.Bound{bound(1-hair, 2-hair, 1+hair, 2+hair)}, ""},
		{"2,1,2,5", "EPSG:4326", []orb.Bound{bound(1-hair, 2-hair, 5+hair, 2+hair)}, ""},
		{"-180,90,180,90", "", []orb.Bound{bound(-180, 90-hair, 180, 90)}, ""},
		{"102,21,103", "", nil, "4 or 6"},
		{"", "", nil, "4 or 6"},
		{"102,21,103,22,9", "", nil, "4 or 6"},
		{"102,21,103,NaN", "", nil, "finite"},
		{"102,21,103,+Inf", "", nil, "finite"},
		{"102,21,103,1e999", "", nil, "finite"},
		{"102,22,103,21", "", nil, "out of order"},
		{"102,21,9,103,22,1", "", nil, "out of order"},
		{"102,21,103,91", "", nil, "latitude"},
		{"102,-90.001,103,20", "", nil, "latitude"},
		{"102,21,181,22", "", nil, "longitude"},
		{"500000,2300000,400000,2400000", "EPSG:9205", nil, "out of order"},
		{"400000,2400000,500000,2300000", "EPSG:9205", nil, "out of order"},
		// Far from where the system is used there is nothing, and no error.
		{"-20000000,-20000000,-19000000,-19000000", "EPSG:9205", nil, ""},
		{"1e300,1e300,1.1e300,1.1e300", "EPSG:3405", nil, ""},
	}
	for _, tt := range tests {
		var faults layer.Faults
		var crs geo.CRS
		if tt.crs != "" {
			var err error
			if crs, err = geo.ParseCRS(tt.crs); err != nil {
				t.Fatal(err)
			}
		}
		got := parseBBox(tt.bbox, crs, &faults).boxes
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%q: %s", tt.bbox, d)
		}
		if (tt.fault != "") != (len(faults) == 1) || tt.fault != "" && !strings.Contains(faults[0].Detail.EN, tt.fault) {
			t.Errorf("%q: faults %v, want %q", tt.bbox, faults, tt.fault)
		}
	}
}

// A box drawn in a projected system contains the points that it contains there, in the grid
// of another province too, however far its meridian is.
func TestBBoxInProjectedSystems(t *testing.T) {
	here := orb.Point{103.0165, 21.3826}
	for _, crs := range geo.CRSs() {
		if crs.Code() == 0 || crs.Code() == layer.SRID {
			continue
		}
		p, err := crs.Forward(here)
		if err != nil {
			t.Fatal(err)
		}
		step := 1000.0
		if !crs.Projected() {
			step = 0.01
		}
		in := projectedArea(bound(p[0]-step, p[1]-step, p[0]+step, p[1]+step), crs)
		if len(in.boxes) != 1 || !in.boxes[0].Contains(here) || in.boxes[0].Right()-in.boxes[0].Left() > 0.025 {
			t.Errorf("%s: %v", crs, in.boxes)
		}
		if straight := crs.Code() == webMercatorCode; straight != (len(in.outlines) == 0) {
			t.Errorf("%s has %d outlines", crs, len(in.outlines))
		}
		everything := projectedArea(bound(-1e9, -1e9, 1e9, 1e9), crs)
		if len(everything.boxes) != 1 || !everything.boxes[0].Contains(here) || !everything.boxes[0].Contains(orb.Point{109.5, 8.3}) {
			t.Errorf("%s: everything is %v", crs, everything.boxes)
		}
		for _, tiny := range []float64{0, 1e-6, 1} {
			x, y := p[0], p[1]
			if crs.LatFirst() {
				x, y = y, x
			}
			list, faults := parseListing(fmt.Sprintf("bbox=%f,%f,%f,%f&bbox-crs=%s&filter=height_m>3", x, y, x+tiny, y, crs), sites(t), reference, itemsParameters())
			if len(faults) > 0 || len(list.query.Boxes) != 1 || list.query.Filter == nil {
				t.Errorf("%s: a line of %v gives %v, %v", crs, tiny, list.query, faults)
			}
		}
	}
}

func TestLimit(t *testing.T) {
	tests := []struct {
		in   string
		want int
	}{{"1", 1}, {"9999", 9999}, {"10000", 10000}, {"10001", 10000}, {"99999999999999999999999", 10000}, {"", 0}, {"0", 0}, {"00", 0}, {"-1", 0}, {"1.5", 0}, {"ten", 0}, {"0x10", 0}}
	for _, tt := range tests {
		p, faults := parseListing("limit="+tt.in, sites(t), reference, itemsParameters())
		if (tt.want == 0) != (len(faults) == 1) || tt.want != 0 && p.query.Limit != tt.want {
			t.Errorf("limit=%s: %d, faults %v", tt.in, p.query.Limit, faults)
		}
	}
}

func TestEqualities(t *testing.T) {
	raw := url.Values{"mast_type": {"A2b"}, "height_m": {"4.50e1"}, "concealed": {"true"}, "revision": {"+07"}, "valid_from": {"2015-12-31"}, "name": {"Hạ tầng"}}.Encode()
	p, faults := parseListing(raw, sites(t), reference, itemsParameters())
	if faults != nil {
		t.Fatal(faults)
	}
	want := []layer.Equality{{Field: "name", Value: "Hạ tầng"}, {Field: "valid_from", Value: "2015-12-31"}, {Field: "revision", Value: "7"},
		{Field: "mast_type", Value: "A2b"}, {Field: "concealed", Value: "true"}, {Field: "height_m", Value: "45"}}
	if d := cmp.Diff(want, p.query.Equal, cmpopts.SortSlices(func(a, b layer.Equality) bool { return a.Field < b.Field })); d != "" {
		t.Error(d)
	}
	if p.query.Date != reference || p.query.Limit != defaultPage {
		t.Errorf("defaults: %v, %d", p.query.Date, p.query.Limit)
	}
}

// Truth may be a number: GDAL writes it so.
func TestTruthAsNumber(t *testing.T) {
	for in, want := range map[string]string{"1": "true", "0": "false", "true": "true", "2": "", "": "", "TRUE": ""} {
		p, faults := parseListing("concealed="+in, sites(t), reference, itemsParameters())
		if (want == "") != (len(faults) == 1) || want != "" && p.query.Equal[0].Value != want {
			t.Errorf("concealed=%s: %v, faults %v", in, p.query.Equal, faults)
		}
	}
}

// A layer's field that is named like a parameter could not be selected by.
func TestFieldsAreNoParameters(t *testing.T) {
	for _, l := range registry(t).All() {
		for _, name := range itemsParameters() {
			if l.Has(name) {
				t.Errorf("%s has a field named like the parameter %s", l.Name, name)
			}
		}
	}
}

// Whatever the query, parsing gives faults or a query the store can run.
func FuzzParseListing(f *testing.F) {
	for _, seed := range []string{"", "bbox=1,2,3,4", "bbox=177,65,-177,70&limit=5", "bbox=1,2,3,4&bbox-crs=EPSG:9205", "datetime=../..",
		"datetime=2018-02-03T12Z/..", "code=%00", "limit=99999999999999999999", "bbox=NaN,1,2,3", "bbox=0,0,1e308,1e308&bbox-crs=EPSG:3405",
		"bbox=-9,-9,9,9&bbox-crs=EPSG:4756", "a=1;b=2", "%zz", "height_m=nan", "after=-9", "=&=&/=1"} {
		f.Add(seed)
	}
	l := sites(f)
	f.Fuzz(func(t *testing.T, raw string) {
		p, faults := parseListing(raw, l, reference, itemsParameters())
		if len(faults) > 0 {
			for _, fault := range faults {
				if fault.At == "" || fault.Detail.VI == "" || fault.Detail.EN == "" {
					t.Errorf("an empty fault: %+v", fault)
				}
			}
			return
		}
		if q := p.query; q.Limit < 1 || q.Limit > layer.MaxPage || q.After < 0 || len(q.Boxes) > 2 {
			t.Errorf("%+v", q)
		}
		for _, b := range p.query.Boxes {
			if !(b.Min[0] >= -180.1 && b.Min[0] <= b.Max[0] && b.Max[0] <= 180.1 && b.Min[1] >= -90 && b.Min[1] <= b.Max[1] && b.Max[1] <= 90) {
				t.Errorf("box %v", b)
			}
		}
	})
}

// A page over the limit is cut to it, as OGC API - Features has it.
func TestPageLimit(t *testing.T) {
	for limit, want := range map[string]int{"9999": 9999, "10000": 10000, "10001": 10000} {
		p, faults := parseListing("limit="+limit, sites(t), geo.NewDate(2020, 12, 31), itemsParameters())
		if len(faults) > 0 || p.query.Limit != want {
			t.Errorf("limit=%s: %d, %v", limit, p.query.Limit, faults)
		}
	}
}
