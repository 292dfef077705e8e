package permit_test

import (
	"math"
	"testing"

	"hatang/geo"
	"hatang/internal/permit"
)

func FuzzParseCable(f *testing.F) {
	f.Add([]byte(`{"geometry":{"type":"LineString","coordinates":[[103,21],[103.1,21.1]]},"carrier":"electric_pole","owner_agreement":true,"date":"2020-01-01"}`))
	f.Add([]byte(`{"geometry":{"type":"MultiLineString","coordinates":[[[103,21,-1],[103.1,21.1,-1]]]},"carrier":"duct","pole_height_m":7}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := permit.ParseCable(raw, geo.NewDate(2020, 1, 1))
		if err == nil && (p.Carrier == "" || len(p.Line) == 0) {
			t.Errorf("%s was taken as %+v", raw, p)
		}
	})
}

func FuzzParseRoute(f *testing.F) {
	f.Add([]byte(`{"type":"LineString","coordinates":[[103,21],[103.1,21.1]]}`))
	f.Add([]byte(`{"type":"MultiLineString","coordinates":[[[103,21,1],[103.1,21.1,2]]]}`))
	f.Add([]byte(`{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		line, heights, err := permit.ParseRoute(raw)
		if err != nil {
			return
		}
		positions := 0
		for _, part := range line {
			positions += len(part)
			for _, p := range part {
				if !(math.Abs(p[0]) <= 180 && math.Abs(p[1]) <= 90) {
					t.Errorf("%s has %v", raw, p)
				}
			}
		}
		if positions < 2 || len(heights) != 0 && len(heights) != positions {
			t.Errorf("%s has %d positions and %d heights", raw, positions, len(heights))
		}
	})
}

func FuzzParseCalendar(f *testing.F) {
	f.Add([]byte(`{"working_days":["monday"],"holidays":["01-01","2020-04-30"],"decide_working_days":15}`), int16(3))
	f.Fuzz(func(t *testing.T, raw []byte, days int16) {
		c, err := permit.ParseCalendar(raw)
		if err != nil {
			return
		}
		from := geo.NewDate(2020, 1, 1)
		if to := c.After(from, int(days%50)); to.Before(from) {
			t.Errorf("%s: %d days after %v is %v", raw, days, from, to)
		}
	})
}
