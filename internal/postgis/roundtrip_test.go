package postgis_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// officer is a viewer who sees and edits everything.
func officer() account.Viewer { return account.Holder("key:lan", account.Officer) }

func day(t testing.TB, s string) geo.Date {
	t.Helper()
	d, err := geo.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func get(t testing.TB, layers *layer.Registry, name string) *layer.Layer {
	t.Helper()
	l, ok := layers.Get(name)
	if !ok {
		t.Fatalf("no layer %s", name)
	}
	return l
}

// square is an area of about 1 km beside a corner.
func square(x, y float64) orb.MultiPolygon { return box(x, y, 0.01) }

func box(x, y, side float64) orb.MultiPolygon {
	return orb.MultiPolygon{{{{x, y}, {x + side, y}, {x + side, y + side}, {x, y + side}, {x, y}}}}
}

// valueOf makes a value that the field allows.
func valueOf(t testing.TB, f *layer.Field) any {
	t.Helper()
	switch {
	case len(f.Values) > 0 && f.Kind == layer.Integer:
		value, err := f.ParseText(f.Values[0].Code)
		if err != nil {
			t.Fatal(err)
		}
		return value
	case len(f.Values) > 0:
		return f.Values[len(f.Values)-1].Code
	}
	switch f.Kind {
	case layer.Integer:
		if f.Min != nil {
			return int64(*f.Min)
		}
		return int64(3)
	case layer.Number:
		return 0.1 + *f.Min
	case layer.Boolean:
		return true
	case layer.Date:
		return day(t, "2019-02-28")
	case layer.TextList:
		return []string{"Mường Ảng", `"`}
	}
	return "Giá trị " + f.Name
}

// sample makes a feature with every field of the layer given.
func sample(t testing.TB, l *layer.Layer, code string) layer.Feature {
	t.Helper()
	f := layer.Feature{Properties: map[string]any{}}
	for i := range l.Fields {
		if field := &l.Fields[i]; !field.ReadOnly {
			f.Properties[field.Name] = valueOf(t, field)
		}
	}
	f.Properties["code"] = code
	f.Properties["valid_to"] = nil
	for name, value := range map[string]any{"status": "existing", "illustrative": false} {
		if l.Has(name) {
			f.Properties[name] = value
		}
	}
	if l.Has("follows_commune") {
		f.Properties["follows_commune"] = nil
	}
	switch {
	case l.HasZ:
		read, faults := formats.ReadFeature([]byte(`{"type":"Feature","properties":{},"geometry":{"type":"LineString","coordinates":[[103,21.5,-1.25],[103.5,22,8]]}}`), l, formats.ReadOptions{})
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		f.GeometryZ = read.GeometryZ
	case l.Geometry == layer.Point:
		f.Geometry = orb.Point{103.25, 21.5}
	case l.Geometry == layer.MultiLineString:
		f.Geometry = orb.MultiLineString{{{103, 21.5}, {103.5, 22}}}
	default:
		f.Geometry = square(103.25, 21.5)
	}
	return f
}

// create adds a feature that must be taken.
func create(t testing.TB, s *postgis.Store, l *layer.Layer, f layer.Feature) int64 {
	t.Helper()
	id, err := s.CreateFeature(context.Background(), officer(), l, f)
	if err != nil {
		t.Fatalf("create in %s: %v", l.Name, err)
	}
	return id
}

// properties reads a row's properties by way of its GeoJSON.
func properties(t testing.TB, l *layer.Layer, row *layer.Row) map[string]any {
	t.Helper()
	raw, err := formats.AppendFeature(nil, l, row, formats.GeoJSONOptions{WithZ: true})
	if err != nil {
		t.Fatal(err)
	}
	var f struct{ Properties map[string]any }
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return f.Properties
}

// plain is a value as JSON has it.
func plain(t testing.TB, value any) any {
	t.Helper()
	if d, ok := value.(geo.Date); ok {
		value = d.String()
	}
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// compare holds a stored row against what was given.
func compare(t *testing.T, l *layer.Layer, row *layer.Row, want layer.Feature) {
	t.Helper()
	got := properties(t, l, row)
	for name, value := range want.Properties {
		if diff := cmp.Diff(plain(t, value), got[name]); diff != "" {
			t.Errorf("%s.%s (-want +got)\n%s", l.Name, name, diff)
		}
	}
	text, err := formats.AppendGeometry(nil, row.Geometry, formats.GeoJSONOptions{WithZ: true})
	if err != nil {
		t.Fatal(err)
	}
	raw := want.GeometryZ
	if raw == nil {
		return
	}
	if given, err := formats.AppendGeometry(nil, raw, formats.GeoJSONOptions{WithZ: true}); err != nil || string(given) != string(text) || !strings.Contains(string(text), "-1.25") {
		t.Errorf("%s: stored %s, given %s, %v", l.Name, text, given, err)
	}
}

func TestEveryLayerRoundTrips(t *testing.T) {
	s, layers, _ := open(t)
	ctx := context.Background()
	for _, l := range layers.All() {
		t.Run(l.Name, func(t *testing.T) {
			want := sample(t, l, "Đ-1")
			id := create(t, s, l, want)
			row, err := s.Feature(ctx, officer(), l, id)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, l, row, want)
			n := 0
			if err := s.Features(ctx, officer(), l, layer.Query{}, func(r *layer.Row) error {
				n++
				compare(t, l, r, want)
				return nil
			}); err != nil || n != 1 {
				t.Errorf("%d rows, %v", n, err)
			}
			updateAndDelete(t, s, l, id, want)
		})
	}
}

// updateAndDelete corrects a row in part, clears the rest, and removes it.
func updateAndDelete(t *testing.T, s *postgis.Store, l *layer.Layer, id int64, want layer.Feature) {
	t.Helper()
	ctx := context.Background()
	revision, err := s.UpdateFeature(ctx, officer(), l, id, layer.Feature{Properties: map[string]any{"name": "Tên mới"}}, 1, false)
	if err != nil || revision != 2 {
		t.Fatalf("revision %d, %v", revision, err)
	}
	row, err := s.Feature(ctx, officer(), l, id)
	if err != nil {
		t.Fatal(err)
	}
	want.Properties["name"] = "Tên mới"
	compare(t, l, row, want)
	if _, err := s.UpdateFeature(ctx, officer(), l, id, layer.Feature{}, 1, false); !errors.Is(err, layer.ErrStale) {
		t.Errorf("a stale update: %v", err)
	}
	bare := layer.Feature{Properties: map[string]any{}, Geometry: want.Geometry, GeometryZ: want.GeometryZ}
	for _, f := range l.Fields {
		if f.Required && !f.ReadOnly {
			bare.Properties[f.Name] = want.Properties[f.Name]
		}
	}
	if _, err := s.UpdateFeature(ctx, officer(), l, id, bare, 2, true); err != nil {
		t.Fatal(err)
	}
	if row, err = s.Feature(ctx, officer(), l, id); err != nil {
		t.Fatal(err)
	}
	for name, value := range properties(t, l, row) {
		if f, _ := l.Field(name); !f.Required && value != nil {
			t.Errorf("%s is %v after a replacement that leaves it out", name, value)
		}
	}
	if err := s.DeleteFeature(ctx, officer(), l, id, 2); !errors.Is(err, layer.ErrStale) {
		t.Errorf("a stale delete: %v", err)
	}
	if err := s.DeleteFeature(ctx, officer(), l, id, 3); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Feature(ctx, officer(), l, id); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("the deleted row: %v", err)
	}
	if err := s.DeleteFeature(ctx, officer(), l, id, 0); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("deleting twice: %v", err)
	}
}

// violation is one way to break a rule of a field.
type violation struct {
	field, why string
	value      any
}

func violations(l *layer.Layer) []violation {
	var all []violation
	for _, f := range l.Fields {
		number := func(x float64) any {
			if f.Kind == layer.Integer {
				return int64(x)
			}
			return x
		}
		switch {
		case f.ReadOnly:
			continue
		case f.Required && f.Kind != layer.Boolean: // which is false then
			all = append(all, violation{f.Name, "null", nil})
		}
		if f.Min != nil {
			all = append(all, violation{f.Name, "below", number(*f.Min - 1)})
		}
		if f.Max != nil {
			all = append(all, violation{f.Name, "above", number(*f.Max + 1)})
		}
		if len(f.Values) > 0 && f.Kind == layer.Text {
			all = append(all, violation{f.Name, "unknown", "không có"})
		}
	}
	return append(all, violation{"code", "blank", ""}, violation{"code", "padded", " x"})
}

// The tables hold every rule of the registry on their own, whoever writes.
func TestTablesRefuseWhatTheRegistryForbids(t *testing.T) {
	s, layers, _ := open(t)
	ctx := context.Background()
	checked := 0
	for _, l := range layers.All() {
		id := create(t, s, l, sample(t, l, "1"))
		for _, v := range violations(l) {
			_, err := s.UpdateFeature(ctx, officer(), l, id, layer.Feature{Properties: map[string]any{v.field: v.value}}, 0, false)
			var invalid *layer.InvalidError
			if !errors.As(err, &invalid) || !strings.Contains(invalid.Error(), v.field) {
				t.Errorf("%s.%s %s (%v): %v", l.Name, v.field, v.why, v.value, err)
			}
			checked++
		}
		if row, err := s.Feature(ctx, officer(), l, id); err != nil || row.Revision != 1 {
			t.Errorf("%s: a refused change left revision %d, %v", l.Name, row.Revision, err)
		}
	}
	if checked < 150 {
		t.Errorf("only %d rules were tried", checked)
	}
}

func TestGeometriesThatTablesRefuse(t *testing.T) {
	s, layers, _ := open(t)
	for _, tt := range []struct {
		layer string
		g     orb.Geometry
	}{
		{"communes", orb.MultiPolygon{{{{0, 0}, {1, 1}, {1, 0}, {0, 1}, {0, 0}}}}}, // crosses itself
		{"communes", orb.MultiPolygon{}},
		{"communes", orb.Point{1, 1}},
		{"bts_sites", orb.Point{181, 0}},
		{"bts_sites", orb.Point{0, -91}},
		{"roads", orb.LineString{{0, 0}, {1, 1}}},
		{"ducts", orb.MultiLineString{{{0, 0}, {1, 1}}}}, // flat where heights belong
	} {
		l := get(t, layers, tt.layer)
		f := sample(t, l, "x")
		f.Geometry, f.GeometryZ = tt.g, nil
		_, err := s.CreateFeature(context.Background(), officer(), l, f)
		var invalid *layer.InvalidError
		if !errors.As(err, &invalid) || invalid.Faults[0].At != "/geometry" {
			t.Errorf("%s %v: %v", tt.layer, tt.g, err)
		}
	}
}

func TestACodeIsInForceOnceADay(t *testing.T) {
	s, layers, _ := open(t)
	ctx := context.Background()
	l := get(t, layers, "districts")
	add := func(from, to string) (int64, error) {
		f := sample(t, l, "094")
		f.Properties["valid_from"] = day(t, from)
		if to != "" {
			f.Properties["valid_to"] = day(t, to)
		}
		return s.CreateFeature(ctx, officer(), l, f)
	}
	first, err := add("2010-01-01", "2015-01-01")
	if err != nil {
		t.Fatal(err)
	}
	last, err := add("2015-01-01", "")
	if err != nil {
		t.Fatalf("a successor from the day on: %v", err)
	}
	for _, p := range [][2]string{{"2014-12-31", "2015-01-01"}, {"2000-01-01", ""}, {"2025-07-01", ""}} {
		if _, err := add(p[0], p[1]); !errors.Is(err, layer.ErrConflict) {
			t.Errorf("%v: %v", p, err)
		}
	}
	if _, err := s.UpdateFeature(ctx, officer(), l, first, layer.Feature{Properties: map[string]any{"valid_to": nil}}, 0, false); !errors.Is(err, layer.ErrConflict) {
		t.Errorf("reopening the closed row: %v", err)
	}
	for _, id := range []int64{first, last} {
		row, versions, err := s.FeatureAmongVersions(ctx, officer(), l, id)
		if err != nil || row.ID != id || !slices.Equal(versions, []int64{first, last}) {
			t.Fatalf("versions of %d: %v, %v", id, versions, err)
		}
	}
	if got, want := periods(t, s, l, "094"), [][2]any{{"2010-01-01", "2015-01-01"}, {"2015-01-01", nil}}; !slices.Equal(got, want) {
		t.Errorf("periods %v, want %v", got, want)
	}
	for date, want := range map[string]int64{"2009-12-31": 0, "2010-01-01": 1, "2014-12-31": 1, "2015-01-01": 1, "2030-01-01": 1} {
		if n, err := s.CountFeatures(ctx, officer(), l, layer.Query{Date: day(t, date)}); err != nil || n != want {
			t.Errorf("%s: %d rows, %v", date, n, err)
		}
	}
	for _, tt := range []struct {
		from, to string
		want     int64
	}{{"", "", 2}, {"2014-12-31", "2014-12-31", 1}, {"2014-12-31", "2015-01-01", 2}, {"2015-01-01", "", 1}, {"", "2010-01-01", 1}, {"", "2009-12-31", 0}} {
		q := layer.Query{}
		for i, text := range []string{tt.from, tt.to} {
			if text != "" {
				q.Span[i] = day(t, text)
			}
		}
		if n, err := s.CountFeatures(ctx, officer(), l, q); err != nil || n != tt.want {
			t.Errorf("span %s..%s: %d rows, want %d, %v", tt.from, tt.to, n, tt.want, err)
		}
	}
}

func TestEqualityOfEveryKind(t *testing.T) {
	s, layers, _ := open(t)
	ctx := context.Background()
	for _, name := range []string{"bts_sites", "communes", "mail_routes", "ducts"} {
		l := get(t, layers, name)
		id := create(t, s, l, sample(t, l, "1"))
		other := sample(t, l, "2")
		for i := range l.Fields {
			if f := &l.Fields[i]; !f.Required && len(f.Values) == 0 {
				other.Properties[f.Name] = nil
			}
		}
		create(t, s, l, other)
		row, err := s.Feature(ctx, officer(), l, id)
		if err != nil {
			t.Fatal(err)
		}
		for field, value := range properties(t, l, row) {
			text := fmt.Sprint(value)
			switch v := value.(type) {
			case nil:
				continue
			case []any:
				text = fmt.Sprint(v[0])
			}
			count := func(equal string) int64 {
				n, err := s.CountFeatures(ctx, officer(), l, layer.Query{Equal: []layer.Equality{{Field: field, Value: equal}}})
				if err != nil {
					t.Errorf("%s.%s = %s: %v", name, field, equal, err)
				}
				return n
			}
			f, _ := l.Field(field)
			shared := f.Required && field != "code" && field != "updated_at" || len(f.Values) > 0
			if n := count(text); n != 1 && !shared || n < 1 {
				t.Errorf("%s.%s = %s selects %d rows", name, field, text, n)
			}
		}
		for field, value := range map[string]string{"nothing": "1", "revision": "x", "illustrative": "maybe", "valid_from": "yesterday", "updated_at": "now"} {
			_, err := s.CountFeatures(ctx, officer(), l, layer.Query{Equal: []layer.Equality{{Field: field, Value: value}}})
			var invalid *layer.InvalidError
			if !errors.As(err, &invalid) || invalid.Faults[0].At != field {
				t.Errorf("%s.%s = %s: %v", name, field, value, err)
			}
		}
	}
}

func TestBoxesAndExtent(t *testing.T) {
	s, layers, _ := open(t)
	ctx := context.Background()
	l := get(t, layers, "communes")
	if _, _, some, err := s.Extent(ctx, officer(), l, day(t, "2020-01-01")); err != nil || some {
		t.Fatalf("extent of nothing: %t, %v", some, err)
	}
	f := sample(t, l, "a")
	f.Geometry = orb.MultiPolygon{{{{0, 0}, {10, 0}, {0, 10}, {0, 0}}}} // half of its box
	f.Properties["valid_from"], f.Properties["valid_to"] = day(t, "2010-01-01"), day(t, "2020-01-01")
	create(t, s, l, f)
	f = sample(t, l, "b")
	f.Geometry = box(170, -10, 9)
	f.Properties["valid_from"] = day(t, "2015-01-01")
	create(t, s, l, f)
	bound := func(x0, y0, x1, y1 float64) orb.Bound {
		return orb.Bound{Min: orb.Point{x0, y0}, Max: orb.Point{x1, y1}}
	}
	for _, tt := range []struct {
		boxes []orb.Bound
		want  int64
	}{
		{nil, 2},
		{[]orb.Bound{bound(-1, -1, 0, 0)}, 1},                               // touches the corner
		{[]orb.Bound{bound(8, 8, 9, 9)}, 0},                                 // in the box, not in the shape
		{[]orb.Bound{bound(175, -5, 176, -4)}, 1},                           // inside
		{[]orb.Bound{bound(-180, -90, 180, 90)}, 2},                         // round both
		{[]orb.Bound{bound(178, -20, 180, 20), bound(-180, -20, 1, 20)}, 2}, // across the antimeridian
		{[]orb.Bound{bound(10, 0, 10, 0)}, 1},                               // a place on a corner
		{[]orb.Bound{bound(175, -5, 175, -5)}, 1},                           // a place inside
		{[]orb.Bound{bound(8, 8, 8, 8)}, 0},                                 // in the box, not in the shape
		{[]orb.Bound{bound(0, 0, 180, 0)}, 1},                               // a line along an edge
		{[]orb.Bound{bound(-5, -5, 175, -5)}, 1},                            // a line into the other
		{[]orb.Bound{bound(5, -90, 5, 90), bound(179, -1, 179, -1)}, 2},     // a line and a place
	} {
		if n, err := s.CountFeatures(ctx, officer(), l, layer.Query{Boxes: tt.boxes}); err != nil || n != tt.want {
			t.Errorf("%v: %d rows, want %d, %v", tt.boxes, n, tt.want, err)
		}
	}
	for date, want := range map[string]orb.Bound{"2012-01-01": bound(0, 0, 10, 10), "2016-01-01": bound(0, -10, 179, 10), "2020-01-01": bound(170, -10, 179, -1)} {
		got, period, some, err := s.Extent(ctx, officer(), l, day(t, date))
		if err != nil || !some || got != want || period.From.String() != "2010-01-01" || !period.To.IsZero() {
			t.Errorf("extent on %s: %v %+v %t, %v", date, got, period, some, err)
		}
	}
}

// periods are the valid times of the rows of a code, by their beginning.
func periods(t testing.TB, s *postgis.Store, l *layer.Layer, code string) [][2]any {
	t.Helper()
	var all [][2]any
	for _, row := range ofCode(t, s, l, code) {
		p := properties(t, l, row)
		all = append(all, [2]any{p["valid_from"], p["valid_to"]})
	}
	return all
}

// ofCode are the rows of a code, by the beginning of their valid time.
func ofCode(t testing.TB, s *postgis.Store, l *layer.Layer, code string) []*layer.Row {
	t.Helper()
	from, _ := l.Queryable("valid_from")
	q := layer.Query{Equal: []layer.Equality{{Field: "code", Value: code}}, Sort: []layer.SortKey{{Field: from}}}
	var rows []*layer.Row
	if err := s.Features(context.Background(), officer(), l, q, func(r *layer.Row) error { rows = append(rows, r.Clone()); return nil }); err != nil {
		t.Fatal(err)
	}
	return rows
}
