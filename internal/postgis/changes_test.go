package postgis_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// recounted is a change as a test looks at it: the operation, the row's code, and what of it
// changed, "name: before > after".
func recounted(c *layer.Change) string {
	value := func(r *layer.Row, i int) string {
		if r == nil || r.Values[i] == nil {
			return "-"
		}
		raw, err := c.Layer.Fields[i].Kind.AppendJSON(nil, r.Values[i])
		if err != nil {
			return err.Error()
		}
		return strings.Trim(string(raw), `"`)
	}
	code, changed := "", []string{}
	for i, f := range c.Layer.Fields {
		before, after := value(c.Before, i), value(c.After, i)
		if f.Name == "code" {
			if code = after; c.After == nil {
				code = before
			}
		}
		switch {
		case f.Name == "updated_at", f.Name == "revision":
		case c.Operation == layer.Update && before != after:
			changed = append(changed, f.Name+": "+before+" > "+after)
		}
	}
	if c.Operation == layer.Update && string(c.Before.Geometry) != string(c.After.Geometry) {
		changed = append(changed, "geometry")
	}
	return strings.TrimSpace(fmt.Sprint(c.Operation, " ", code, " ", strings.Join(changed, ", ")))
}

// past returns the history that a viewer is shown, the newest first.
func past(t testing.TB, s *postgis.Store, v account.Viewer, q layer.HistoryQuery) []*layer.Change {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 1000
	}
	var all []*layer.Change
	ctx := account.WithViewer(context.Background(), v)
	if err := s.History(ctx, v, q, func(c *layer.Change) error { all = append(all, c); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func pastOf(t testing.TB, s *postgis.Store, v account.Viewer, q layer.HistoryQuery) []string {
	t.Helper()
	list := []string{}
	for _, c := range past(t, s, v, q) {
		list = append(list, recounted(c))
	}
	return list
}

// asking is a context of a request with that id.
func asking(id string) context.Context {
	return account.WithAsking(context.Background(), &account.Asking{Request: id})
}

// change patches one property of a row.
func change(t testing.TB, s *postgis.Store, v account.Viewer, l *layer.Layer, id int64, request, name string, value any) {
	t.Helper()
	f := layer.Feature{Properties: map[string]any{name: value}}
	if p, ok := value.(orb.Geometry); ok {
		f = layer.Feature{Geometry: p}
	}
	if _, err := s.UpdateFeature(asking(request), v, l, id, f, 0, false); err != nil {
		t.Fatal(err)
	}
}

func TestHistorySaysWhoChangedWhatFromWhatToWhat(t *testing.T) {
	s, layers, url := open(t)
	conn := connect(t, url)
	kiosks, roads := get(t, layers, "kiosks"), get(t, layers, "roads")
	f := sample(t, kiosks, "K")
	f.Properties["name"], f.Geometry = "cũ", orb.Point{103, 21}
	id, err := s.CreateFeature(asking("r1"), officer(), kiosks, f)
	if err != nil {
		t.Fatal(err)
	}
	change(t, s, member("", account.Grant{Role: account.Administrator}), kiosks, id, "r2", "name", "mới")
	change(t, s, officer(), kiosks, id, "r3", "geom", orb.Point{104, 22})
	run(t, conn, "UPDATE kiosks SET code = 'L'")
	road := sample(t, roads, "R")
	road.Geometry = orb.MultiLineString{{{0, 0}, {0.5, 0.5}}}
	create(t, s, roads, road)
	if err := s.DeleteFeature(asking("r4"), officer(), kiosks, id, 0); err != nil {
		t.Fatal(err)
	}
	both := []*layer.Layer{kiosks, roads}
	everything := past(t, s, officer(), layer.HistoryQuery{Layers: both})
	var got []string
	for _, c := range everything {
		got = append(got, fmt.Sprintf("%s; %s %s", recounted(c), c.Who, c.Request))
	}
	owner := "db:" + scalar[string](t, conn, "SELECT session_user::text")
	if diff := cmp.Diff([]string{"delete L; key:lan r4", "insert R; key:lan ", "update L code: K > L; " + owner + " ", "update K geometry; key:lan r3", "update K name: cũ > mới; person: r2", "insert K; key:lan r1"},
		got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, c := range everything {
		if c.Layer == kiosks && (c.FeatureID != id || c.Before != nil && c.Before.ID != id || time.Since(c.RecordedAt) > time.Hour || c.RecordedAt.Location() != time.UTC) {
			t.Errorf("%+v", c)
		}
	}
	second := everything[4].RecordedAt
	for name, tt := range map[string]struct {
		q    layer.HistoryQuery
		want string
	}{
		"of one layer":          {layer.HistoryQuery{Layers: []*layer.Layer{roads}}, "insert R"},
		"of no layer":           {layer.HistoryQuery{}, ""},
		"of one row":            {layer.HistoryQuery{Layers: []*layer.Layer{kiosks}, Feature: id, Limit: 2}, "delete L|update L code: K > L"},
		"of a code":             {layer.HistoryQuery{Layers: both, Code: "L"}, "delete L|update L code: K > L"},
		"of the code before":    {layer.HistoryQuery{Layers: both, Code: "K", Limit: 1}, "update L code: K > L"},
		"of a code there is":    {layer.HistoryQuery{Layers: both, Code: "R"}, "insert R"},
		"of nobody's code":      {layer.HistoryQuery{Layers: both, Code: "X"}, ""},
		"by a person":           {layer.HistoryQuery{Layers: both, Who: "person:"}, "update K name: cũ > mới"},
		"in a request":          {layer.HistoryQuery{Layers: both, Request: "r3"}, "update K geometry"},
		"from a time":           {layer.HistoryQuery{Layers: []*layer.Layer{kiosks}, From: second, Until: everything[0].RecordedAt}, "update L code: K > L|update K geometry|update K name: cũ > mới"},
		"until a time":          {layer.HistoryQuery{Layers: both, Until: second}, "insert K"},
		"where it was":          {layer.HistoryQuery{Layers: both, Boxes: []orb.Bound{{Min: orb.Point{102.9, 20.9}, Max: orb.Point{103.1, 21.1}}}}, "update K geometry|update K name: cũ > mới|insert K"},
		"where it came":         {layer.HistoryQuery{Layers: both, Boxes: []orb.Bound{{Min: orb.Point{103.9, 21.9}, Max: orb.Point{104.1, 22.1}}}}, "delete L|update L code: K > L|update K geometry"},
		"where there is a road": {layer.HistoryQuery{Layers: both, Boxes: []orb.Bound{{Min: orb.Point{-1, -1}, Max: orb.Point{1, 1}}, {Min: orb.Point{50, 50}, Max: orb.Point{51, 51}}}}, "insert R"},
	} {
		if got := strings.Join(pastOf(t, s, officer(), tt.q), "|"); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// Nobody is shown an image of a row that he may not see, or the past of a row that he does
// not see now; and where he sees one image alone, it is as if there had been no other.
func TestHistoryShowsWhatItsViewerSees(t *testing.T) {
	s, layers, url := open(t)
	conn := connect(t, url)
	districts, sites, areas := get(t, layers, "districts"), get(t, layers, "bts_sites"), get(t, layers, "special_areas")
	inside := map[string]orb.Point{"094": {103.5, 21.5}, "095": {105.5, 21.5}}
	for code, x := range map[string]float64{"094": 103, "095": 105} {
		f := sample(t, districts, code)
		f.Geometry = box(x, 21, 1)
		create(t, s, districts, f)
	}
	row := func(code, status, organisation, district string) int64 {
		f := sample(t, sites, code)
		f.Properties["status"], f.Properties["owner_organisation"], f.Properties["contact"], f.Geometry = status, organisation, "Lan", inside[district]
		return create(t, s, sites, f)
	}
	all := officer()
	published := row("P", "existing", "VNPT", "094")
	change(t, s, all, sites, published, "", "height_m", 31.0)
	change(t, s, all, sites, published, "", "contact", "Minh")
	withdrawn := row("W", "existing", "VNPT", "095")
	change(t, s, all, sites, withdrawn, "", "status", "draft")
	came := row("C", "draft", "VNPT", "095")
	change(t, s, all, sites, came, "", "height_m", 32.0)
	change(t, s, all, sites, came, "", "status", "approved")
	moved := row("M", "draft", "VNPT", "094")
	change(t, s, all, sites, moved, "", "geom", inside["095"])
	sold := row("S", "existing", "VIETTEL", "094")
	change(t, s, all, sites, sold, "", "height_m", 33.0)
	change(t, s, all, sites, sold, "", "owner_organisation", "VNPT")
	change(t, s, all, sites, sold, "", "height_m", 34.0)
	buried := row("B", "existing", "VNPT", "095")
	change(t, s, all, sites, buried, "", "status", "draft")
	if err := s.DeleteFeature(context.Background(), all, sites, buried, 0); err != nil {
		t.Fatal(err)
	}
	gone := row("G", "existing", "VNPT", "095")
	if err := s.DeleteFeature(context.Background(), all, sites, gone, 0); err != nil {
		t.Fatal(err)
	}
	f := sample(t, areas, "A")
	f.Properties["kind"] = "support_area"
	area := create(t, s, areas, f)
	change(t, s, all, areas, area, "", "kind", "military")
	run(t, conn, "DELETE FROM history WHERE layer = 'districts'")
	of := func(v account.Viewer) []string { return pastOf(t, s, v, layer.HistoryQuery{Layers: layers.All()}) }
	for _, tt := range []struct {
		name string
		v    account.Viewer
		want []string
	}{
		{"the public", account.Anonymous(), nil},
		{"a person without a role", member("VNPT"), nil},
		{"an agency", member("VNPT", account.Grant{Role: account.Consulted}), nil},
		{"an operator of no organisation", operatorOf(""), nil},
		{"an officer of other layers", member("", account.Grant{Role: account.Officer, Layers: []string{"roads"}}), nil},
		{"an officer", all, []string{
			"update A kind: support_area > military", "insert A", "delete G", "insert G", "delete B", "update B status: existing > draft", "insert B",
			"update S height_m: 33 > 34", "update S owner_organisation: VIETTEL > VNPT", "update S height_m: 0.1 > 33", "insert S", "update M geometry", "insert M",
			"update C status: draft > approved", "update C height_m: 0.1 > 32", "insert C", "update W status: existing > draft", "insert W", "update P contact: Lan > Minh", "update P height_m: 0.1 > 31", "insert P"}},
		{"an officer of 094", member("", account.Grant{Role: account.Officer, Territory: "094"}), []string{
			"update A kind: support_area > military", "insert A", "delete G", "insert G", // of B nothing: it was a draft of another district's when it went
			"update S height_m: 33 > 34", "update S owner_organisation: VIETTEL > VNPT", "update S height_m: 0.1 > 33", "insert S", // of M nothing: it is another district's draft
			"insert C", "update P contact: Lan > Minh", "update P height_m: 0.1 > 31", "insert P"}}, // C came when it was approved; W is a draft
		{"an approver of 095", member("", account.Grant{Role: account.Approver, Territory: "095"}), []string{
			"update A kind: support_area > military", "insert A", "delete G", "insert G", "delete B", "update B status: existing > draft", "insert B",
			"update S height_m: 33 > 34", "update S owner_organisation: VIETTEL > VNPT", "update S height_m: 0.1 > 33", "insert S", "insert M", // it came from elsewhere
			"update C status: draft > approved", "update C height_m: 0.1 > 32", "insert C", "update W status: existing > draft", "insert W", "update P", "update P height_m: 0.1 > 31", "insert P"}},
		{"VNPT", operatorOf("VNPT"), []string{"delete G", "insert G", "delete B", "update B status: existing > draft", "insert B", "update S height_m: 33 > 34", "insert S", "update M geometry", "insert M",
			"update C status: draft > approved", "update C height_m: 0.1 > 32", "insert C", "update W status: existing > draft", "insert W", "update P contact: Lan > Minh", "update P height_m: 0.1 > 31", "insert P"}},
		{"VIETTEL", operatorOf("VIETTEL"), nil}, // it was theirs, and is not
		{"an operator of sites alone", member("VNPT", account.Grant{Role: account.Operator, Layers: []string{"special_areas"}}), nil},
	} {
		if diff := cmp.Diff(append([]string{}, tt.want...), of(tt.v)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.name, diff)
		}
	}
	// What is not seen is not found, either.
	district := member("", account.Grant{Role: account.Officer, Territory: "094"})
	for name, q := range map[string]layer.HistoryQuery{
		"a row": {Layers: []*layer.Layer{sites}, Feature: moved}, "a code": {Layers: layers.All(), Code: "M"}, "a code that is a draft": {Layers: layers.All(), Code: "W"},
		"a place": {Layers: []*layer.Layer{sites}, Boxes: []orb.Bound{{Min: orb.Point{103.49, 21.49}, Max: orb.Point{103.51, 21.51}}}, Code: "M"},
	} {
		if got := pastOf(t, s, district, q); len(got) > 0 {
			t.Errorf("%s finds %s", name, got)
		}
	}
	if got := pastOf(t, s, district, layer.HistoryQuery{Layers: []*layer.Layer{sites}, Boxes: []orb.Bound{{Min: orb.Point{105, 21}, Max: orb.Point{106, 22}}}}); !slices.Equal(got, []string{"delete G", "insert G", "insert C"}) {
		t.Errorf("in the other district: %s", got)
	}
}

// An operator is told who it was where it was one of its own, and does not find by the
// names of others.
func TestHistoryNamesPeopleToWhomTheyConcern(t *testing.T) {
	s, layers, url := open(t)
	conn := connect(t, url)
	run(t, conn, `INSERT INTO organisations VALUES ('VNPT', 'operator', '{}'), ('VIETTEL', 'operator', '{}')`)
	run(t, conn, `INSERT INTO people (login, name, organisation) VALUES ('binh', 'Bình', 'VNPT'), ('lan', 'Lan', NULL), ('an', 'An', 'VIETTEL')`)
	run(t, conn, `INSERT INTO api_keys (id, hash, name, organisation, person, created_by) SELECT 'own', 'x', 'x', 'VNPT', NULL, 'x' UNION ALL SELECT login, convert_to(login, 'UTF8'), 'x', NULL, id, 'x' FROM people`)
	sites := get(t, layers, "bts_sites")
	f := sample(t, sites, "S")
	f.Properties["owner_organisation"] = "VNPT"
	id := create(t, s, sites, f)
	for i, who := range []string{"person:binh", "person:lan", "person:an", "person:nobody", "key:own", "key:binh", "key:lan", "key:an", "cli:root"} {
		change(t, s, account.Holder(who, account.Officer), sites, id, "", "height_m", float64(i))
	}
	names := func(v account.Viewer, q layer.HistoryQuery) string {
		var list []string
		q.Layers = []*layer.Layer{sites}
		for _, c := range past(t, s, v, q) {
			list = append(list, c.Who)
		}
		return strings.Join(list, " ")
	}
	const everyone = "cli:root key:an key:lan key:binh key:own person:nobody person:an person:lan person:binh key:lan"
	if got := names(officer(), layer.HistoryQuery{}); got != everyone {
		t.Errorf("staff are told of %s", got)
	}
	if got := names(operatorOf("VNPT"), layer.HistoryQuery{}); got != "   key:binh key:own    person:binh " {
		t.Errorf("the operator is told of %q", got)
	}
	for who, want := range map[string]string{"person:binh": "person:binh", "key:own": "key:own", "person:lan": "", "cli:root": "", "key:an": ""} {
		if got := names(operatorOf("VNPT"), layer.HistoryQuery{Who: who}); got != want {
			t.Errorf("by %s the operator finds %q", who, got)
		}
	}
}

// pages walks the history, so many records a page.
func pages(t testing.TB, s *postgis.Store, v account.Viewer, q layer.HistoryQuery, size int) (list []string) {
	t.Helper()
	for q.Limit = size; ; {
		page := past(t, s, v, q)
		for _, c := range page {
			list = append(list, fmt.Sprint(c.Layer.Name, c.FeatureID, c.RecordedAt, recounted(c)))
			q.Older = q.Older.Next(c)
		}
		if len(page) < size {
			return list
		}
	}
}

// Page by page is the same as all at once, whatever the size of pages, where one transaction
// changes the same rows several times, rows are hidden among those seen, and others write.
func TestHistoryPagesMissNothing(t *testing.T) {
	s, layers, url := open(t)
	conn := connect(t, url)
	const insert = `INSERT INTO kiosks (code, valid_from, jurisdiction, status, owner_organisation, geom) SELECT 'C' || i, '2015-01-01', '11', CASE WHEN i % 3 = 0 THEN 'draft' ELSE 'existing' END,
		CASE WHEN i % 2 = 0 THEN 'VNPT' ELSE 'VIETTEL' END, 'SRID=4326;POINT(103 21)' FROM generate_series(1, 30) i`
	run(t, conn, insert)
	run(t, conn, "BEGIN")
	run(t, conn, "INSERT INTO postal_points (kind, code, valid_from, jurisdiction, status, geom) SELECT 'agent', code, valid_from, jurisdiction, status, geom FROM kiosks LIMIT 1")
	for i := range 5 {
		run(t, conn, "UPDATE kiosks SET name = $1 WHERE id % 4 = 1 OR id > 1000000", fmt.Sprint(i))
		run(t, conn, "UPDATE postal_points SET name = $1", fmt.Sprint(i))
	}
	run(t, conn, "COMMIT")
	run(t, conn, "DELETE FROM kiosks WHERE code IN ('C7', 'C8', 'C9')")
	district := member("", account.Grant{Role: account.Officer, Territory: "none"})
	for name, v := range map[string]account.Viewer{"officer": officer(), "district": district, "VNPT": operatorOf("VNPT"), "public": account.Anonymous()} {
		q := layer.HistoryQuery{Layers: layers.All()}
		want := pages(t, s, v, q, 1000)
		if (name == "public") != (len(want) == 0) || name == "officer" && len(want) < 100 {
			t.Fatalf("%s: %d changes", name, len(want))
		}
		for _, size := range []int{1, 7, 50} {
			if diff := cmp.Diff(want, pages(t, s, v, q, size)); diff != "" {
				t.Errorf("%s, %d a page (-at once +by pages)\n%s", name, size, diff)
			}
		}
	}
	// What happens while somebody pages is newer than what he has seen.
	first := past(t, s, officer(), layer.HistoryQuery{Layers: layers.All(), Limit: 5})
	want := pages(t, s, officer(), layer.HistoryQuery{Layers: layers.All()}, 1000)
	run(t, conn, "UPDATE kiosks SET name = 'meanwhile'")
	var older layer.HistoryKey
	for _, c := range first {
		older = older.Next(c)
	}
	if got := pages(t, s, officer(), layer.HistoryQuery{Layers: layers.All(), Older: older}, 9); !slices.Equal(got, want[5:]) {
		t.Errorf("%d changes after the first page, want %d", len(got), len(want)-5)
	}
}

// touched is how many blocks of tables and indexes a store reads for something. A
// connection tells when it ends.
func touched(t testing.TB, url string, layers *layer.Registry, conn *pgx.Conn, work func(*postgis.Store)) int64 {
	t.Helper()
	s, err := postgis.Open(context.Background(), url, layers)
	if err != nil {
		t.Fatal(err)
	}
	run(t, conn, "SELECT pg_stat_force_next_flush()")
	run(t, conn, "SELECT pg_stat_reset()")
	work(s)
	s.Close()
	const others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
	for deadline := time.Now().Add(30 * time.Second); scalar[int64](t, conn, others) > 0; {
		if time.Now().After(deadline) {
			t.Fatal("the store's connections do not end")
		}
	}
	return scalar[int64](t, conn, `SELECT sum(heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit, 0) + coalesce(idx_blks_read, 0))::bigint FROM pg_statio_user_tables`)
}

// A page of the newest changes, and one of a row, of a code, of a place, of a request and of
// a person who has changed little, cost as much in a long history as in a short one.
func TestHistoryCostsWhatIsShown(t *testing.T) {
	s, layers, url := open(t)
	conn := connect(t, url)
	s.Close()
	run(t, conn, "ALTER TABLE history SET (autovacuum_enabled = false)") // it reads, too
	run(t, conn, "ALTER TABLE kiosks SET (autovacuum_enabled = false)")
	run(t, conn, `INSERT INTO kiosks (code, valid_from, jurisdiction, status, owner_organisation, geom)
		SELECT 'C' || i, '2015-01-01', '11', 'existing', CASE WHEN i % 4 = 0 THEN 'VNPT' ELSE 'VIETTEL' END, ST_SetSRID(ST_MakePoint(102 + i % 40 * 0.05, 20 + i / 40 * 0.05), 4326) FROM generate_series(1, 1000) i`)
	lengthen := func(n int) {
		run(t, conn, `INSERT INTO history (layer, feature_id, operation, before, before_geom, who, db_user, recorded_at, request)
			SELECT 'kiosks', k.id, 'update', to_jsonb(k) - 'geom', k.geom, CASE WHEN k.id = 500 AND i % 10 = 0 THEN 'person:rare' ELSE 'person:' || i % 5 END, 'x', now() - interval '1 day' + i * interval '1 ms', 'r' || i
			FROM generate_series(1, $1::int) i JOIN kiosks k ON k.id = 1 + i % 1000 WHERE $1 < 10000 OR k.id NOT IN (77, 410)`, n)
		run(t, conn, "VACUUM ANALYZE")
	}
	at := orb.Bound{Min: orb.Point{102.49, 20.49}, Max: orb.Point{102.51, 20.51}}
	kiosks := []*layer.Layer{get(t, layers, "kiosks")}
	costs := func() map[string]int64 {
		cost := map[string]int64{}
		for name, tt := range map[string]struct {
			v account.Viewer
			q layer.HistoryQuery
		}{
			"the newest":          {officer(), layer.HistoryQuery{Layers: layers.All()}},
			"of an operator":      {operatorOf("VNPT"), layer.HistoryQuery{Layers: layers.All()}},
			"of a district":       {member("", account.Grant{Role: account.Officer, Territory: "x"}), layer.HistoryQuery{Layers: layers.All()}},
			"of a layer":          {officer(), layer.HistoryQuery{Layers: kiosks}},
			"of a row":            {officer(), layer.HistoryQuery{Layers: kiosks, Feature: 77}},
			"of a code":           {officer(), layer.HistoryQuery{Layers: layers.All(), Code: "C77"}},
			"of a place":          {officer(), layer.HistoryQuery{Layers: layers.All(), Boxes: []orb.Bound{at}}},
			"by a person":         {officer(), layer.HistoryQuery{Layers: layers.All(), Who: "person:3"}},
			"in a request":        {officer(), layer.HistoryQuery{Layers: layers.All(), Request: "r3"}},
			"from the day before": {officer(), layer.HistoryQuery{Layers: layers.All(), Until: time.Now().Add(-24 * time.Hour).Add(time.Second)}},
		} {
			tt.q.Limit = 20
			cost[name] = touched(t, url, layers, conn, func(s *postgis.Store) {
				if n := len(past(t, s, tt.v, tt.q)); n == 0 {
					t.Errorf("%s: nothing is found", name)
				}
			})
		}
		// The control: what no index finds costs as much as the history is long.
		cost["all of it"] = scanned(t, url, layers, conn, "history")
		return cost
	}
	lengthen(2000)
	short := costs()
	lengthen(40_000)
	for name, long := range costs() {
		t.Logf("%s: %d blocks of a short history, %d of one 20 times as long", name, short[name], long)
		if grows := long > 2*short[name]; grows != (name == "all of it") {
			t.Errorf("%s costs %d blocks in a long history, %d in a short one", name, long, short[name])
		}
	}
}

// scanned is how many blocks it takes to read a whole table.
func scanned(t testing.TB, url string, layers *layer.Registry, conn *pgx.Conn, table string) int64 {
	t.Helper()
	return touched(t, url, layers, conn, func(*postgis.Store) {
		other, err := pgx.Connect(context.Background(), url)
		if err != nil {
			t.Fatal(err)
		}
		scalar[int64](t, other, "SELECT count(*) FROM "+table+" t WHERE t::text = ''")
		if err := other.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
}
