package postgis_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/postgis"
)

// schoolsAs defines a reference layer of points with one field of each kind.
func schoolsAs(name string) layer.Definition {
	both := func(s string) geo.Text { return geo.Text{VI: s, EN: s} }
	d := layer.Definition{Name: name, Title: both("Trường học"), Doc: both("x"), Geometry: layer.Point, Colour: "#112233", StorageSRID: 4326, CodeOf: layer.CodeOfID}
	for _, k := range layer.Kinds() {
		d.Fields = append(d.Fields, layer.FieldDefinition{Name: "a_" + string(k), Kind: k, Title: both(string(k)), Column: "A_" + string(k)})
	}
	return d
}

// threeSchools are rows of the layer, the last without a geometry.
func threeSchools(*layer.Layer) []postgis.Incoming {
	var rows []postgis.Incoming
	for i := range 3 {
		in := incoming(i+1, nil, map[string]any{"code": fmt.Sprint("S", i+1), "a_text": "x", "a_integer": int64(i), "a_number": 0.5, "a_boolean": true, "a_text_list": []string{"a"}, "a_timestamp": time.Unix(0, 0)})
		if i < 2 {
			in.Feature.Geometry = orb.Point{103 + float64(i)/10, 21.5}
		}
		rows = append(rows, in)
	}
	return rows
}

func publishing(t testing.TB, d layer.Definition, rows func(*layer.Layer) []postgis.Incoming) postgis.Publishing {
	return postgis.Publishing{Definition: d, ImportOptions: correction(t), Read: func(l *layer.Layer, add func(postgis.Incoming) error) error {
		for _, row := range rows(l) {
			if err := add(row); err != nil {
				return err
			}
		}
		return nil
	}}
}

// publish makes a layer, which must be taken.
func publish(t testing.TB, s *postgis.Store, p postgis.Publishing) *layer.Layer {
	t.Helper()
	summary, err := s.PublishLayer(context.Background(), officer(), p)
	if err != nil || !summary.Applied {
		t.Fatalf("publish %s: %+v, %v", p.Name, summary, err)
	}
	return known(t, s, p.Name)
}

func known(t testing.TB, s *postgis.Store, name string) *layer.Layer {
	t.Helper()
	l, ok := s.Layers().Whole().Get(name)
	if !ok {
		t.Fatalf("there is no layer %s", name)
	}
	return l
}

func TestAReferenceLayerIsALayerLikeAnyOther(t *testing.T) {
	s, literals, url := open(t)
	ctx, conn := context.Background(), connect(t, url)
	l := publish(t, s, publishing(t, schoolsAs("schools"), threeSchools))
	if n := total(t, s, l); n != 3 {
		t.Errorf("%d rows, want 3", n)
	}
	row := byCode(t, s, l, "S3")
	if row.Geometry != nil || properties(t, l, row)["a_number"] != 0.5 {
		t.Errorf("the row without geometry: %v", properties(t, l, row))
	}
	if n := found(t, s, account.Anonymous(), l, `a_integer >= 1 AND a_boolean = true`); n != 2 {
		t.Errorf("a filter finds %d rows, want 2", n)
	}
	id := byCode(t, s, l, "S1").ID
	if _, err := s.UpdateFeature(ctx, officer(), l, id, layer.Feature{NoGeometry: true, Properties: map[string]any{"a_text": "y"}}, 1, false); err != nil {
		t.Fatal(err)
	}
	if byCode(t, s, l, "S1").Geometry != nil {
		t.Error("the geometry was not taken away")
	}
	if got := scalar[string](t, conn, "SELECT string_agg(operation || coalesce(before->>'a_text', '') || (before_geom IS NOT NULL), ' ' ORDER BY id) FROM history WHERE layer = 'schools'"); got != "insertfalse insertfalse insertfalse updatextrue" {
		t.Errorf("the history has %q", got)
	}
	again := importAll(t, s, l, correction(t), threeSchools(l)[1:]...)
	if counts(again) != [6]int{2, 0, 0, 2, 0, 0} {
		t.Errorf("the same rows once more: %v", counts(again))
	}
	versions, err := s.LayerVersions(ctx, account.Anonymous())
	if err != nil || versions["schools"] < time.Now().Add(-time.Hour).UnixMicro() {
		t.Errorf("versions %v, %v", versions, err)
	}
	if err := postgis.CheckSchema(ctx, conn, s.Layers()); err != nil {
		t.Errorf("the table is not what the registry says: %v", err)
	}
	if err := postgis.Migrate(ctx, url, literals); err != nil {
		t.Errorf("a start with a reference layer there: %v", err)
	}
}

func TestAnotherServerKnowsALayerSoon(t *testing.T) {
	s, literals, url := open(t)
	ctx := context.Background()
	other, err := postgis.Open(ctx, url, literals)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	until := func(what string, knows func() bool) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); !knows(); {
			if err := other.FreshLayers(ctx); err != nil {
				t.Fatal(err)
			}
			if !knows() && time.Now().After(deadline) {
				t.Fatalf("the other server never knows that %s", what)
			}
		}
	}
	has := func(name string) bool { _, ok := other.Layers().Get(name); return ok }
	publish(t, s, publishing(t, schoolsAs("schools"), threeSchools))
	until("it was published", func() bool { return has("schools") })
	name, hidden := "academies", true
	if err := s.ChangeLayer(ctx, officer(), "schools", layer.ReferenceChange{Name: &name}); err != nil {
		t.Fatal(err)
	}
	until("it was renamed", func() bool { return has("academies") && !has("schools") })
	if err := s.ChangeLayer(ctx, officer(), "academies", layer.ReferenceChange{StaffOnly: &hidden}); err != nil {
		t.Fatal(err)
	}
	until("it was hidden", func() bool { return !has("academies") })
	if err := s.WithdrawLayer(ctx, officer(), "academies"); err != nil {
		t.Fatal(err)
	}
	until("it was withdrawn", func() bool { _, ok := other.Layers().Whole().Get("academies"); return !ok })
}

// A withdrawn layer's name can be had again, by a layer with other columns, and nothing
// that was prepared or remembered for the first is used for the second.
func TestANameIsFreeAgainOnceItsLayerIsWithdrawn(t *testing.T) {
	s, _, url := open(t)
	ctx, conn := context.Background(), connect(t, url)
	first := publish(t, s, publishing(t, schoolsAs("schools"), threeSchools))
	before, err := s.LayerVersions(ctx, officer())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // until statements are prepared
		total(t, s, first)
		byCode(t, s, first, "S1")
	}
	run(t, conn, "INSERT INTO api_keys (id, hash, name, created_by) VALUES ('k', 'x', 'x', 'x')")
	run(t, conn, "INSERT INTO grants (key, role, layers) VALUES ('k', 'officer', '{schools,roads}')")
	if err := s.WithdrawLayer(ctx, officer(), "schools"); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Layers().Whole().Get("schools"); ok {
		t.Error("the layer is still there")
	}
	if n := scalar[int64](t, conn, "SELECT count(*) FROM history WHERE layer = 'withdrawn_1'"); n != 3 {
		t.Errorf("%d entries of history are kept, want 3", n)
	}
	if got := scalar[string](t, conn, "SELECT layers::text FROM grants"); got != "{withdrawn_1,roads}" {
		t.Errorf("the grant is on %s: a new layer of the name must not fall under it", got)
	}
	d := schoolsAs("schools")
	d.Fields = d.Fields[:2]
	d.Fields[0].Kind, d.Fields[1].Kind = layer.Integer, layer.Text
	second := publish(t, s, publishing(t, d, func(*layer.Layer) []postgis.Incoming {
		return []postgis.Incoming{incoming(1, nil, map[string]any{"code": "S1", "a_text": int64(7), "a_integer": "seven"})}
	}))
	if p := properties(t, second, byCode(t, s, second, "S1")); p["a_text"] != 7.0 || p["a_integer"] != "seven" {
		t.Errorf("the new layer's row: %v", p)
	}
	after, err := s.LayerVersions(ctx, officer())
	if err != nil || after["schools"] <= before["schools"] {
		t.Errorf("the version is %d after %d, %v: a new layer must not have one of the old", after["schools"], before["schools"], err)
	}
	if got := scalar[string](t, conn, "SELECT string_agg(action || ' ' || subject, ', ' ORDER BY id) FROM audit WHERE action LIKE 'layer.%'"); got != "layer.published layer:schools, layer.withdrawn layer:schools, layer.published layer:schools" {
		t.Errorf("the audit has %s", got)
	}
}

// Nobody but staff gets a row, a count or a version of a layer that is for them alone, nor
// does the role of public reading.
func TestAStaffLayerIsNobodyElses(t *testing.T) {
	s, _, url := open(t)
	ctx, conn := context.Background(), connect(t, url)
	p := publishing(t, schoolsAs("bunkers"), threeSchools)
	p.StaffOnly = true
	l := publish(t, s, p)
	limited := account.Viewer{Name: "key:x", Grants: []account.Grant{{Role: account.Officer, Territory: "094"}}}
	for _, of := range []struct {
		viewer account.Viewer
		rows   int64
	}{
		{account.Anonymous(), 0}, {account.Viewer{Name: "person:lan"}, 0}, {account.Viewer{Name: "key:o", Organisation: "VNPT", Grants: []account.Grant{{Role: account.Operator}}}, 0},
		{account.Viewer{Name: "key:l", Grants: []account.Grant{{Role: account.Officer, Layers: []string{"roads"}}}}, 0},
		{limited, 3}, {account.Holder("key:a", account.Approver), 3}, {officer(), 3},
	} {
		n, err := s.CountFeatures(account.WithViewer(ctx, of.viewer), of.viewer, l, layer.Query{})
		versions, wrong := s.LayerVersions(ctx, of.viewer)
		_, told := versions["bunkers"]
		if err != nil && (!errors.Is(err, layer.ErrChanged) || of.rows != 0) || wrong != nil || n != of.rows || told != (of.rows > 0) {
			t.Errorf("%+v: %d rows, want %d; told a version: %v; %v %v", of.viewer, n, of.rows, told, err, wrong)
		}
	}
	run(t, conn, "SET ROLE hatang_read")
	if _, err := conn.Exec(ctx, "SELECT FROM bunkers"); code(err) != "42501" {
		t.Errorf("the reading role reads it: %v", err)
	}
	run(t, conn, "RESET ROLE")
	told := func(v account.Viewer) int64 {
		versions, err := s.LayerVersions(ctx, v)
		if err != nil {
			t.Fatal(err)
		}
		return versions["bunkers"]
	}
	first := permit.DecisionQuery{Collection: "bunkers", Feature: byCode(t, s, l, "S1").ID, Limit: 9}
	if none, err := s.Decisions(ctx, limited, first); err != nil || len(none) != 0 {
		t.Errorf("decisions on it: %v, %v", none, err)
	}
	if _, err := s.Decisions(ctx, account.Anonymous(), first); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("the public asks for decisions on it: %v", err)
	}
	was := [2]int64{told(limited), told(officer())}
	if _, err := s.UpdateFeature(ctx, officer(), l, byCode(t, s, l, "S1").ID, layer.Feature{Properties: map[string]any{"a_text": "z"}}, 0, false); err != nil {
		t.Fatal(err)
	}
	if now := [2]int64{told(limited), told(officer())}; now[0] != was[0]+1 || now[1] != was[1]+1 || told(account.Anonymous()) != 0 {
		t.Errorf("an edit takes versions from %v to %v", was, now)
	}
	open := false
	if err := s.ChangeLayer(ctx, officer(), "bunkers", layer.ReferenceChange{StaffOnly: &open}); err != nil {
		t.Fatal(err)
	}
	run(t, conn, "SET ROLE hatang_read")
	run(t, conn, "SELECT FROM bunkers")
	if n, err := s.CountFeatures(ctx, account.Anonymous(), known(t, s, "bunkers"), layer.Query{}); n != 3 || err != nil || told(account.Anonymous()) == 0 {
		t.Errorf("once published to all, the public sees %d rows, %v", n, err)
	}
}

// geometry is a point as GeoJSON would have it, in the system in which it was read.
func geometry(t testing.TB, l *layer.Layer, row *layer.Row) string {
	t.Helper()
	raw, err := formats.AppendGeometry(nil, row.Geometry, formats.GeoJSONOptions{Decimals: 3})
	var g struct{ Coordinates orb.Point }
	if err == nil {
		err = json.Unmarshal(raw, &g)
	}
	if err != nil {
		t.Fatalf("%s: %s: %v", l.Name, raw, err)
	}
	return fmt.Sprint(g.Coordinates)
}

// A layer kept in VN-2000 holds the file's own coordinates, is read in WGS 84, found by
// boxes there, and nothing of it is lost by an edit.
func TestALayerKeepsItsReferenceSystem(t *testing.T) {
	s, _, url := open(t)
	ctx, conn := context.Background(), connect(t, url)
	d := schoolsAs("schools")
	d.StorageSRID = 3405
	utm, _ := geo.LookupCRS(3405)
	place := orb.Point{300123.25, 2365789.5}
	lonLat, err := utm.Inverse(place)
	if err != nil {
		t.Fatal(err)
	}
	rows := func(l *layer.Layer) []postgis.Incoming {
		all := threeSchools(l)
		all[0].Feature.Geometry, all[0].Feature.SRID = place, 3405
		return all
	}
	l := publish(t, s, publishing(t, d, rows))
	near := func() {
		t.Helper()
		x, y := scalar[float64](t, conn, "SELECT ST_X(geom_stored) FROM schools WHERE code = 'S1'"), scalar[float64](t, conn, "SELECT ST_Y(geom_stored) FROM schools WHERE code = 'S1'")
		if x != place[0] || y != place[1] {
			t.Errorf("%v, %v is kept of %v", x, y, place)
		}
		if got := geometry(t, l.InStorage(), byCode(t, s, l.InStorage(), "S1")); got != fmt.Sprint(place) {
			t.Errorf("%v is read of %v", got, place)
		}
		q := layer.Query{Boxes: []orb.Bound{lonLat.Bound().Pad(1e-7)}}
		if n, err := s.CountFeatures(ctx, officer(), l, q); n != 1 || err != nil {
			t.Errorf("a box of a centimetre finds %d rows, %v", n, err)
		}
	}
	near()
	if srid := scalar[int32](t, conn, "SELECT Find_SRID('public', 'schools', 'geom_stored')"); srid != 3405 {
		t.Errorf("kept in %d", srid)
	}
	if again := importAll(t, s, l, correction(t), rows(l)...); counts(again) != [6]int{3, 0, 0, 3, 0, 0} {
		t.Errorf("the same rows once more: %v", counts(again))
	}
	place[0] += 2
	if lonLat, err = utm.Inverse(place); err != nil {
		t.Fatal(err)
	}
	moved := rows(l)[:1]
	if again := importAll(t, s, l, correction(t), moved...); counts(again) != [6]int{1, 0, 1, 0, 0, 0} {
		t.Errorf("a row that has moved: %v", counts(again))
	}
	near()
	if _, err := s.UpdateFeature(ctx, officer(), l, byCode(t, s, l, "S1").ID, layer.Feature{Geometry: orb.Point{103, 21}}, 0, false); err != nil {
		t.Fatal(err)
	}
	if got := scalar[string](t, conn, "SELECT ST_AsText(ST_Transform(geom_stored, 4326), 6) || ST_AsText(geom, 6) FROM schools WHERE code = 'S1'"); got != "POINT(103 21)POINT(103 21)" {
		t.Errorf("after an edit it is at %s", got)
	}
	// What it is read in does not bring back to the bit what is kept: a revert needs that.
	if n := scalar[int64](t, conn, "SELECT count(*) FROM history WHERE layer = 'schools' AND before IS NOT NULL AND before_geom IS NOT NULL AND before ->> 'geom_stored' IS NULL"); n != 0 {
		t.Errorf("%d images lack the geometry that is kept", n)
	}
	if err := postgis.CheckSchema(ctx, conn, s.Layers()); err != nil {
		t.Error(err)
	}
}

func TestALayerMayHaveTwoHundredFields(t *testing.T) {
	s, _, url := open(t)
	d := schoolsAs("wide")
	for i := len(d.Fields); i < layer.MaxReferenceFields; i++ {
		d.Fields = append(d.Fields, layer.FieldDefinition{Name: fmt.Sprint("f", i), Kind: layer.Integer, Column: fmt.Sprint("f", i), Title: geo.Text{VI: "x", EN: "x"}})
	}
	l := publish(t, s, publishing(t, d, threeSchools))
	if _, err := s.UpdateFeature(context.Background(), officer(), l, byCode(t, s, l, "S1").ID, layer.Feature{Properties: map[string]any{"f199": int64(7)}}, 0, false); err != nil {
		t.Fatal(err)
	}
	const image = "SELECT count(*) FROM history h, jsonb_object_keys(before) WHERE layer = 'wide'"
	if n := scalar[int64](t, connect(t, url), image); n != 212 {
		t.Errorf("the image in the history has %d values, want 212", n)
	}
}

func TestWhatCannotBePublished(t *testing.T) {
	s, _, url := open(t)
	ctx, conn := context.Background(), connect(t, url)
	publish(t, s, publishing(t, schoolsAs("schools"), threeSchools))
	for _, name := range []string{"schools", "roads", "history", "reference_layers", "geometry", "roads_code", "spatial_ref_sys"} {
		if _, err := s.PublishLayer(ctx, officer(), publishing(t, schoolsAs(name), threeSchools)); !errors.Is(err, layer.ErrNameTaken) || !errors.Is(err, layer.ErrConflict) {
			t.Errorf("%s: %v, want that the name is taken", name, err)
		}
	}
	for _, v := range []account.Viewer{account.Anonymous(), account.Holder("k", account.Approver), account.Holder("k", account.Operator),
		{Name: "k", Grants: []account.Grant{{Role: account.Officer, Territory: "094"}}}, {Name: "k", Grants: []account.Grant{{Role: account.Officer, Layers: []string{"schools"}}}}} {
		_, err := s.PublishLayer(ctx, v, publishing(t, schoolsAs("x"), threeSchools))
		other := "x"
		for _, err := range []error{err, s.ChangeLayer(ctx, v, "schools", layer.ReferenceChange{Name: &other}), s.WithdrawLayer(ctx, v, "schools")} {
			if !errors.Is(err, layer.ErrForbidden) {
				t.Errorf("%+v: %v, want that it is forbidden", v, err)
			}
		}
	}
	for _, name := range []string{"none", "roads"} {
		title := geo.Text{VI: "x", EN: "x"}
		if err := s.ChangeLayer(ctx, officer(), name, layer.ReferenceChange{Title: &title}); !errors.Is(err, layer.ErrNotFound) {
			t.Errorf("change %s: %v", name, err)
		}
		if err := s.WithdrawLayer(ctx, officer(), name); !errors.Is(err, layer.ErrNotFound) {
			t.Errorf("withdraw %s: %v", name, err)
		}
	}
	taken := "roads"
	if err := s.ChangeLayer(ctx, officer(), "schools", layer.ReferenceChange{Name: &taken}); !errors.Is(err, layer.ErrNameTaken) {
		t.Errorf("rename to roads: %v", err)
	}
	run(t, conn, "INSERT INTO reference_layers (name, definition, staff_only) SELECT 'l' || i, '{}', false FROM generate_series(1, 498) i")
	publish(t, s, publishing(t, schoolsAs("the_500th"), threeSchools))
	if problems, err := s.Inconsistencies(ctx); err != nil || !slices.Contains(problems, "498 reference layers whose definition cannot be one") {
		t.Errorf("what somebody has written there by hand is not told: %q, %v", problems, err)
	}
	if _, err := s.PublishLayer(ctx, officer(), publishing(t, schoolsAs("one_more"), threeSchools)); !errors.Is(err, layer.ErrTooManyLayers) {
		t.Errorf("the 501st layer: %v", err)
	}
}

// A file with bad rows publishes nothing, and a dry run neither.
func TestPublishingIsAllOrNothing(t *testing.T) {
	s, _, _ := open(t)
	bad := publishing(t, schoolsAs("schools"), func(l *layer.Layer) []postgis.Incoming {
		rows := threeSchools(l)
		rows[2].Feature.Properties["code"] = "S1"
		return rows
	})
	summary, err := s.PublishLayer(context.Background(), officer(), bad)
	if d := cmp.Diff([]string{"1 /properties/code", "3 /properties/code"}, faultsAt(summary)); d != "" || err != nil || summary.Applied {
		t.Errorf("%v %v", d, err)
	}
	dry := publishing(t, schoolsAs("schools"), threeSchools)
	dry.DryRun = true
	if summary, err := s.PublishLayer(context.Background(), officer(), dry); err != nil || summary.Applied || summary.Inserted != 3 {
		t.Errorf("a dry run: %+v, %v", summary, err)
	}
	if slices.ContainsFunc(s.Layers().Whole().All(), func(l *layer.Layer) bool { return l.Reference != nil }) {
		t.Error("something was published")
	}
	bad.GoodRows = true
	if l := publish(t, s, bad); total(t, s, l) != 1 {
		t.Error("the good row was not taken")
	}
}

// The database takes nothing on trust from whoever holds the serving role.
func TestDefinitionsAreHeldToByTheDatabase(t *testing.T) {
	_, _, url := open(t)
	app := connect(t, url)
	run(t, app, "SET ROLE hatang_app")
	const sound = `"geometry": "Point", "storage_srid": 4326`
	for name, definition := range map[string]string{
		`x (); DROP TABLE roads; --`: `{` + sound + `, "fields": []}`,
		`Upper`:                      `{` + sound + `, "fields": []}`,
		`pg_x`:                       `{` + sound + `, "fields": []}`,
		`a`:                          `{` + sound + `, "fields": [{"name": "x int); DROP TABLE roads; --", "kind": "text"}]}`,
		`b`:                          `{` + sound + `, "fields": [{"name": "x", "kind": "text DEFAULT pg_read_file('/etc/passwd')"}]}`,
		`c`:                          `{` + sound + `, "fields": [{"name": "geom", "kind": "text"}]}`,
		`d`:                          `{"geometry": "Point, 4326), x geometry(Point", "storage_srid": 4326, "fields": []}`,
		`e`:                          `{"geometry": "Point", "storage_srid": 4, "fields": []}`,
		`f`:                          `{"geometry": "Point", "fields": []}`,
		`g`:                          `{` + sound + `, "fields": [` + strings.Repeat(`{"name": "x", "kind": "text"},`, 200) + `{"name": "x", "kind": "text"}]}`,
	} {
		if _, err := app.Exec(context.Background(), "SELECT hatang_create_reference_layer($1, $2, false)", name, definition); code(err) != "22023" {
			t.Errorf("%s %.80s: %v", name, definition, err)
		}
	}
	run(t, app, "SELECT hatang_create_reference_layer('x', '{"+sound+`, "fields": [{"name": "select", "kind": "text"}]}', false)`)
}
