package postgis_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"hatang/internal/account"
	"hatang/internal/filter"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// hits returns the codes of what a viewer finds, best first, and "+" where there is more.
func hits(t testing.TB, s *postgis.Store, v account.Viewer, q layer.SearchQuery) string {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 50
	}
	if q.Date.IsZero() {
		q.Date = day(t, "2020-12-31")
	}
	found, more, err := s.Search(account.WithViewer(context.Background(), v), v, q)
	if err != nil {
		t.Fatalf("%q: %v", q.Text, err)
	}
	var codes []string
	for _, h := range found {
		codes = append(codes, h.Code)
	}
	if more {
		codes = append(codes, "+")
	}
	return strings.Join(codes, " ")
}

// named adds a row of a layer with a code, a name and a place.
func named(t testing.TB, s *postgis.Store, l *layer.Layer, code, name string, at orb.Geometry, properties ...any) int64 {
	t.Helper()
	f := sample(t, l, code)
	f.Properties["name"], f.Geometry = name, at
	if l.Has("aliases") {
		f.Properties["aliases"] = nil
	}
	if name == "" {
		f.Properties["name"] = nil
	}
	for i := 0; i+1 < len(properties); i += 2 {
		f.Properties[properties[i].(string)] = properties[i+1]
	}
	return create(t, s, l, f)
}

func TestSearchFindsByCodeNameAndAlias(t *testing.T) {
	s, layers, url := open(t)
	districts, communes, sites, roads := get(t, layers, "districts"), get(t, layers, "communes"), get(t, layers, "bts_sites"), get(t, layers, "roads")
	named(t, s, districts, "095", "Thị xã Mường Lay", box(103, 22, 1), "aliases", []string{"Lai Châu cũ", "Muong Lai"})
	named(t, s, districts, "094", "Thành phố Điện Biên Phủ", box(103, 21, 1))
	named(t, s, districts, "102", "Huyện Mường Ảng", box(104, 21, 1))
	named(t, s, communes, "03127", "Phường Na Lay", box(103.2, 22.2, 0.5))
	named(t, s, communes, "03130", "Xã Nà Ư", box(103.2, 21.2, 0.5))
	named(t, s, sites, "DBP-001", "Cột Mường Lay 1", orb.Point{103.3, 22.3})
	named(t, s, sites, "DBP-002", "", orb.Point{103.3, 21.3})
	named(t, s, sites, "DBP-0021", "Cột trên đồi A1", orb.Point{103.05, 21.05})
	named(t, s, sites, "OLD", "Mường Lay 2010", orb.Point{103.3, 22.3}, "valid_from", day(t, "2010-01-01"), "valid_to", day(t, "2015-01-01"))
	named(t, s, roads, "QL12", "Quốc lộ 12 (Mường Lay – Lai Châu)", orb.MultiLineString{{{103.5, 22.1}, {103.6, 22.5}}})
	all := layers.All()
	for text, want := range map[string]string{
		"muong lay": "DBP-001 095 QL12", "MƯỜNG LAY": "DBP-001 095 QL12", "Mường Lay": "DBP-001 095 QL12", "Mu\u031bo\u031b\u0300ng Lay": "DBP-001 095 QL12",
		"lay muong": "DBP-001 095 QL12", "thi xa muong lay": "095", "dien bien phu": "094", "Điện Biên": "094", "đien": "094", "d": "DBP-001 DBP-002 DBP-0021 094",
		"lai chau cu": "095", "lai chau": "095 QL12", "muong lai": "095 QL12", "cu": "095",
		"dbp-002": "DBP-002 DBP-0021", "DBP-0021": "DBP-0021", "002": "DBP-002 DBP-0021", "094": "094", "a1": "DBP-0021", "na u": "03130", "na": "03130 03127",
		"2010": "", "ay": "", "nothing": "", "\u0301": "", "-": "", "đồi A1 cột": "DBP-0021", "12 muong lay": "QL12",
	} {
		if got := hits(t, s, officer(), layer.SearchQuery{Text: text, Layers: all}); got != want {
			t.Errorf("%q finds %q, should %q", text, got, want)
		}
	}
	for name, tt := range map[string]struct {
		q    layer.SearchQuery
		want string
	}{
		"some":          {layer.SearchQuery{Text: "muong lay", Layers: all, Limit: 2}, "DBP-001 095 +"},
		"just enough":   {layer.SearchQuery{Text: "muong lay", Layers: all, Limit: 3}, "DBP-001 095 QL12"},
		"in two layers": {layer.SearchQuery{Text: "muong lay", Layers: []*layer.Layer{roads, districts}}, "095 QL12"},
		"in the past":   {layer.SearchQuery{Text: "muong lay", Layers: []*layer.Layer{sites}, Date: day(t, "2014-06-01")}, "OLD"},
	} {
		if got := hits(t, s, officer(), tt.q); got != tt.want {
			t.Errorf("%s: %q, should be %q", name, got, tt.want)
		}
	}
	found, _, err := s.Search(context.Background(), account.Anonymous(), layer.SearchQuery{Text: "muong lay", Layers: all, Date: day(t, "2020-12-31"), Limit: 9})
	if err != nil {
		t.Fatal(err)
	}
	units := func(h layer.Hit) string {
		names := []string{}
		for _, u := range []*layer.Unit{h.Commune, h.District} {
			if u != nil {
				names = append(names, u.Code+" "+u.Name)
			}
		}
		return strings.Join(names, ", ")
	}
	for i, want := range []struct {
		units  string
		centre orb.Point
		bound  orb.Bound
	}{
		{"03127 Phường Na Lay, 095 Thị xã Mường Lay", orb.Point{103.3, 22.3}, orb.Bound{Min: orb.Point{103.3, 22.3}, Max: orb.Point{103.3, 22.3}}},
		{"", orb.Point{103.5, 22.5}, orb.Bound{Min: orb.Point{103, 22}, Max: orb.Point{104, 23}}},
		{"03127 Phường Na Lay, 095 Thị xã Mường Lay", orb.Point{103.6, 22.5}, orb.Bound{Min: orb.Point{103.5, 22.1}, Max: orb.Point{103.6, 22.5}}},
	} {
		if h := found[i]; units(h) != want.units || *h.Centre != want.centre || h.Bound != want.bound {
			t.Errorf("%s lies in %q, at %v, %v; want %q, %v, %v", h.Code, units(h), *h.Centre, h.Bound, want.units, want.centre, want.bound)
		}
	}
	conn := connect(t, url)
	for _, l := range all {
		for _, index := range []string{"_by_code", "_by_name", "_by_words"} {
			if !scalar[bool](t, conn, "SELECT EXISTS (SELECT FROM pg_indexes WHERE tablename = $1 AND indexname = $2)", l.Name, l.Name+index) {
				t.Errorf("%s cannot be searched: there is no index %s", l.Name, l.Name+index)
			}
		}
	}
}

// One finds what one sees, at the place where one sees it.
func TestSearchShowsWhatItsViewerSees(t *testing.T) {
	s, layers, url := open(t)
	ctx := context.Background()
	all := layers.All()
	sites, areas := get(t, layers, "bts_sites"), get(t, layers, "special_areas")
	create(t, s, get(t, layers, "provinces"), sample(t, get(t, layers, "provinces"), "11"))
	named(t, s, get(t, layers, "districts"), "094", "Huyện Một", box(103, 21, 0.95))
	named(t, s, get(t, layers, "districts"), "095", "Huyện Hai", box(103.95, 21, 0.95))
	named(t, s, sites, "P", "Trạm chung", orb.Point{103.9, 21.5}, "jurisdiction", "11")
	named(t, s, sites, "D", "Trạm riêng", orb.Point{103.5, 21.5}, "status", "draft", "owner_organisation", "VNPT")
	named(t, s, areas, "M", "Trạm quân sự", box(103, 21, 0.1), "kind", "military")
	for _, tt := range []struct {
		name string
		v    account.Viewer
		want string
	}{
		{"the public", account.Anonymous(), "P"}, {"the owner", operatorOf("VNPT"), "P D"}, {"a rival", operatorOf("VIETTEL"), "P"},
		{"an officer of the district", member("", account.Grant{Role: account.Officer, Territory: "094"}), "P M D"},
		{"an officer of another", member("", account.Grant{Role: account.Officer, Territory: "095"}), "P M"}, {"an officer", officer(), "P M D"},
	} {
		if got := hits(t, s, tt.v, layer.SearchQuery{Text: "tram", Layers: all}); got != tt.want {
			t.Errorf("%s finds %s, should %s", tt.name, got, tt.want)
		}
	}
	set := func(exactness string, cell *float64) {
		t.Helper()
		if err := s.SetPublication(ctx, account.Terminal("test"), account.Publication{Jurisdiction: "11", Exactness: account.Exactness(exactness), CellDegrees: cell}); err != nil {
			t.Fatal(err)
		}
	}
	cell := 0.4
	set("rounded", &cell)
	place := func(v account.Viewer) string {
		found, _, err := s.Search(ctx, v, layer.SearchQuery{Text: "tram chung", Layers: all, Date: day(t, "2020-12-31"), Limit: 1})
		if err != nil || len(found) != 1 || found[0].District == nil {
			t.Fatalf("%+v, %v", found, err)
		}
		return fmt.Sprintf("%.1f %.1f %s", *found[0].Centre, found[0].Bound.Min, found[0].District.Code)
	}
	if got := place(account.Anonymous()); got != "[104.0 21.6] [104.0 21.6] 095" {
		t.Errorf("the public finds the site at %s", got)
	}
	if got := place(operatorOf("VIETTEL")); got != "[103.9 21.5] [103.9 21.5] 094" {
		t.Errorf("an operator finds the site at %s", got)
	}
	set("hidden", nil)
	if got := hits(t, s, account.Anonymous(), layer.SearchQuery{Text: "tram", Layers: all}); got != "" {
		t.Errorf("the public finds %s where sites are hidden", got)
	}
	if got := scalar[int64](t, connect(t, url), "SELECT count(*) FROM bts_sites"); got != 2 {
		t.Errorf("there are %d sites", got)
	}
}

// What is typed and what is kept are folded as ACCENTI(CASEI(…)) folds: by the same SQL, and
// for what people write here by the same Go.
func TestSearchFoldsAsFiltersDo(t *testing.T) {
	_, _, url := open(t)
	conn := connect(t, url)
	tree, err := filter.ParseText("ACCENTI(CASEI(x)) = 'a'")
	if err != nil {
		t.Fatal(err)
	}
	f, err := filter.Check(tree, filter.Schema{"x": filter.KindText})
	if err != nil {
		t.Fatal(err)
	}
	sql := f.SQL(func(string) string { return "c.x" }, func(any) string { return "hatang_fold(c.x)" })
	// Every character there is, alone and among letters; what the two make of it is the same.
	differs := scalar[string](t, conn, `SELECT coalesce(string_agg(c.x, ' '), '') FROM (SELECT 'Ab' || chr(n) || 'ế' || chr(n) AS x FROM generate_series(1, 200000) n WHERE n NOT BETWEEN 55296 AND 57343
		UNION ALL SELECT chr(n) FROM generate_series(1, 200000) n WHERE n NOT BETWEEN 55296 AND 57343) c WHERE (`+sql+`) IS NOT TRUE`)
	if differs != "" {
		t.Errorf("folded otherwise than by a filter: %.200s", differs)
	}
	const alphabet = "aAăĂâÂđĐêÊôÔơƠưƯàảãáạầẩẫấậýỳỷỹỵ zZ09-–(),ßΣς"
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune(alphabet+"\u0301\u0300\u031b\u0323")), 0, 30, -1).Draw(t, "text")
		var got string
		if err := conn.QueryRow(context.Background(), "SELECT hatang_fold($1)", text).Scan(&got); err != nil || got != filter.FoldAccents(filter.FoldCase(text)) {
			t.Fatalf("%q folds to %q, in Go to %q, %v", text, got, filter.FoldAccents(filter.FoldCase(text)), err)
		}
	})
}

// Whatever is typed or kept, it is kept and searched without an error, and a row is found
// by its own name.
func TestSearchTakesAnyText(t *testing.T) {
	s, layers, _ := open(t)
	roads := get(t, layers, "roads")
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.OneOf(rapid.StringOfN(rapid.SampledFrom([]rune(`a1 '"\&|!:*()<->%_`+"\u00a0–đ\U0010FFFF\n")), 1, 40, -1), rapid.StringN(1, 40, -1),
			rapid.Map(rapid.IntRange(1, 3000), func(n int) string { return strings.Repeat("한글 ễß", n) }), rapid.Map(rapid.IntRange(1, 30000), func(n int) string { return strings.Repeat("ậ", n) })).Draw(rt, "text")
		text = strings.Join(strings.Fields(strings.ReplaceAll(text, "\x00", "")), " ")
		if text == "" {
			return
		}
		n++
		code := fmt.Sprint("R", n)
		named(t, s, roads, code, text, orb.MultiLineString{{{0, 0}, {1, 1}}})
		short := string([]rune(text)[:min(200, len([]rune(text)))])
		got := strings.Fields(hits(t, s, officer(), layer.SearchQuery{Text: short, Layers: []*layer.Layer{roads}, Limit: 50}))
		if !slices.Contains(got, code) && !slices.Contains(got, "+") && filter.FoldAccents(short) != "" {
			rt.Fatalf("%q is not found by its name: %v", short, got)
		}
	})
}

// A search reads as little of a large layer as of a small one, whatever matches: little, or
// everything.
func TestSearchCostsWhatIsShown(t *testing.T) {
	s, layers, url := open(t)
	s.Close()
	conn := connect(t, url)
	settlements := []*layer.Layer{get(t, layers, "settlements")}
	enlarge := func(from, to int) {
		run(t, conn, "SET session_replication_role = replica")
		run(t, conn, `INSERT INTO settlements (code, name, valid_from, jurisdiction, geom) SELECT 'TB-' || i, 'Bản HT-' || i || ' – Phường Noong Bua ' || chr(65 + i % 26) || i % 150, '2015-01-01', '11', ST_SetSRID(ST_MakePoint(103 + i * 1e-6, 21), 4326)
			FROM generate_series($1::int, $2::int) i`, from, to)
		run(t, conn, "SET session_replication_role = origin")
		run(t, conn, "VACUUM ANALYZE settlements")
	}
	run(t, conn, "ALTER TABLE settlements SET (autovacuum_enabled = false)")
	const all = "all of it"
	costs := func() map[string]int64 {
		cost := map[string]int64{}
		for text, n := range map[string]int{"TB-123": 11, "tb": 11, "Bản HT": 11, "noong bua": 11, "4321 bua": 1, "bản ht 77": 3, "nothing": 0} {
			cost[text] = touched(t, url, layers, conn, func(s *postgis.Store) {
				if got := len(strings.Fields(hits(t, s, officer(), layer.SearchQuery{Text: text, Layers: settlements, Limit: 10}))); got < n && got < 11 {
					t.Errorf("%q finds %d", text, got)
				}
			})
		}
		cost[all] = scanned(t, url, layers, conn, "settlements") // the control
		return cost
	}
	enlarge(1, 5000)
	small := costs()
	enlarge(5001, 100_000)
	for text, large := range costs() {
		t.Logf("%q: %d blocks of 5 000 rows, %d of 100 000", text, small[text], large)
		if grows := large > 3*small[text]; grows != (text == all) {
			t.Errorf("%q costs %d blocks among 100 000 rows, %d among 5 000", text, large, small[text])
		}
	}
}
