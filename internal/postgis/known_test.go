package postgis_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// Nobody is shown the past of a row that he does not see now, or a form of it that he may
// not see, as in the history.
func TestRowsAsKnownAreThoseWhosePastTheViewerSees(t *testing.T) {
	s, layers, url := open(t)
	conn := connect(t, url)
	districts, sites, areas := get(t, layers, "districts"), get(t, layers, "bts_sites"), get(t, layers, "special_areas")
	inside := map[string]orb.Point{"094": {103.5, 21.5}, "095": {105.5, 21.5}}
	for code, x := range map[string]float64{"094": 103, "095": 105} {
		f := sample(t, districts, code)
		f.Geometry = box(x, 21, 1)
		create(t, s, districts, f)
	}
	all := officer()
	row := func(code, status, organisation, district string) int64 {
		f := sample(t, sites, code)
		f.Properties["status"], f.Properties["owner_organisation"], f.Properties["contact"], f.Geometry = status, organisation, "Lan", inside[district]
		return create(t, s, sites, f)
	}
	published, withdrawn, gone := row("P", "existing", "VNPT", "094"), row("W", "existing", "VNPT", "095"), row("G", "existing", "VNPT", "095")
	draft, sold, buried := row("D", "draft", "VNPT", "095"), row("S", "existing", "VIETTEL", "094"), row("B", "existing", "VNPT", "095")
	f := sample(t, areas, "A")
	f.Properties["kind"] = "support_area"
	area := create(t, s, areas, f)
	at := scalar[time.Time](t, conn, "SELECT clock_timestamp()")
	change(t, s, all, sites, published, "", "height_m", 31.0)
	change(t, s, all, sites, withdrawn, "", "status", "draft")
	change(t, s, all, sites, draft, "", "status", "approved")
	change(t, s, all, sites, sold, "", "owner_organisation", "VNPT")
	change(t, s, all, sites, buried, "", "status", "draft")
	change(t, s, all, areas, area, "", "kind", "military")
	for _, id := range []int64{buried, gone} {
		if err := s.DeleteFeature(context.Background(), all, sites, id, 0); err != nil {
			t.Fatal(err)
		}
	}
	row("N", "existing", "VNPT", "094") // was not there
	seen := func(v account.Viewer, l *layer.Layer, field string) []string {
		list := []string{}
		for _, value := range values(t, s, v, l, layer.Query{KnownAt: at}, field) {
			list = append(list, value)
		}
		slices.Sort(list)
		return list
	}
	for _, tt := range []struct {
		name                  string
		v                     account.Viewer
		codes, contact, areas []string
	}{
		{"the public", account.Anonymous(), nil, nil, nil},
		{"a person without a role", member("VNPT"), nil, nil, nil},
		{"an agency", member("VNPT", account.Grant{Role: account.Consulted}), nil, nil, nil},
		{"an officer of other layers", member("", account.Grant{Role: account.Officer, Layers: []string{"roads"}}), nil, nil, nil},
		{"an officer", all, []string{"B", "D", "G", "P", "S", "W"}, []string{"Lan", "Lan", "Lan", "Lan", "Lan", "Lan"}, []string{"A"}},
		{"an officer of 094", member("", account.Grant{Role: account.Officer, Territory: "094"}), []string{"G", "P", "S"}, []string{"", "Lan", "Lan"}, []string{"A"}},
		{"an approver of 095", member("", account.Grant{Role: account.Approver, Territory: "095"}), []string{"B", "D", "G", "P", "S", "W"}, []string{"", "", "Lan", "Lan", "Lan", "Lan"}, []string{"A"}},
		{"VNPT", operatorOf("VNPT"), []string{"B", "D", "G", "P", "W"}, []string{"Lan", "Lan", "Lan", "Lan", "Lan"}, nil},
		{"VIETTEL", operatorOf("VIETTEL"), nil, nil, nil},
	} {
		got := [][]string{seen(tt.v, sites, "code"), seen(tt.v, sites, "contact"), seen(tt.v, areas, "code")}
		want := [][]string{append([]string{}, tt.codes...), append([]string{}, tt.contact...), append([]string{}, tt.areas...)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.name, diff)
		}
	}
}

// What selects rows as they are selects them as they were known: dates, places, values,
// filters, order, pages and counts.
func TestRowsAsKnownAreSelectedLikeOthers(t *testing.T) {
	s, layers, url := open(t)
	conn := connect(t, url)
	run(t, conn, `INSERT INTO kiosks (code, name, valid_from, jurisdiction, status, geom)
		SELECT 'C' || i, 'x' || i % 3, '2015-01-01', '11', 'existing', ST_SetSRID(ST_MakePoint(103 + i * 0.01, 21), 4326) FROM generate_series(1, 20) i`)
	at := scalar[time.Time](t, conn, "SELECT clock_timestamp()")
	kiosks := get(t, layers, "kiosks")
	name, _ := kiosks.Queryable("name")
	queries := map[string]layer.Query{
		"all": {}, "a date": {Date: day(t, "2016-01-01")}, "a date before": {Date: day(t, "2014-01-01")},
		"a place": {Boxes: []orb.Bound{{Min: orb.Point{103.05, 20}, Max: orb.Point{103.1, 22}}}}, "a value": {Equal: []layer.Equality{{Field: "name", Value: "x1"}}},
		"a row": {Equal: []layer.Equality{{Field: "id", Value: "8"}}}, "a filter": {Filter: filterOf(t, kiosks, "name LIKE 'x%' AND id <= 9")},
		"an order": {Sort: []layer.SortKey{{Field: name, Descending: true}}}, "a page": {After: 5, Limit: 6}, "some fields": {Fields: []*layer.Field{name}, NoGeometry: true},
	}
	read := func(q layer.Query) []string {
		list := []string{}
		if err := s.Features(context.Background(), officer(), kiosks, q, func(r *layer.Row) error {
			list = append(list, fmt.Sprintf("%d %d %x %q", r.ID, r.Revision, r.Geometry, r.Values))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		n, err := s.CountFeatures(context.Background(), officer(), kiosks, q)
		if err != nil {
			t.Fatal(err)
		}
		within, counted, err := s.CountWithin(context.Background(), officer(), kiosks, q, time.Minute)
		more, err2 := s.HasMore(context.Background(), officer(), kiosks, q, max(int(n)-1, 0))
		if err != nil || err2 != nil || !counted || within != n || more != (n > 0) {
			t.Errorf("counted %d, %t, more than %d: %t, %v, %v", within, counted, n-1, more, err, err2)
		}
		return append(list, fmt.Sprint(n))
	}
	then := map[string][]string{}
	for name, q := range queries {
		then[name] = read(q)
	}
	run(t, conn, "UPDATE kiosks SET name = 'y', valid_to = '2015-06-01', geom = ST_Translate(geom, 1, 1) WHERE id % 2 = 0")
	run(t, conn, "DELETE FROM kiosks WHERE id % 3 = 0")
	run(t, conn, "INSERT INTO kiosks (code, name, valid_from, jurisdiction, status, geom) VALUES ('new', 'x1', '2015-01-01', '11', 'existing', 'SRID=4326;POINT(103.07 21)')")
	for name, q := range queries {
		q.KnownAt = at
		if diff := cmp.Diff(then[name], read(q)); diff != "" {
			t.Errorf("%s (-then +as known then)\n%s", name, diff)
		}
		q.KnownAt = time.Time{}
		if name != "a date before" && cmp.Equal(then[name], read(q)) {
			t.Errorf("%s: nothing has changed", name)
		}
	}
}
