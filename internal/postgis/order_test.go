package postgis_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// sortedBy reads "-height_m,name" as an order.
func sortedBy(t testing.TB, l *layer.Layer, order string) (keys []layer.SortKey) {
	t.Helper()
	for name := range strings.SplitSeq(order, ",") {
		bare := strings.TrimPrefix(name, "-")
		f, ok := l.Queryable(bare)
		if !ok {
			t.Fatalf("%s has no %s", l.Name, bare)
		}
		keys = append(keys, layer.SortKey{Field: f, Descending: bare != name})
	}
	return keys
}

// readPage returns the ids of a page and where the next one begins.
func readPage(t interface{ Fatal(...any) }, s *postgis.Store, v account.Viewer, l *layer.Layer, q layer.Query) (ids []int64, next layer.Query) {
	err := s.Features(context.Background(), v, l, q, func(r *layer.Row) error {
		ids = append(ids, r.ID)
		q.After, q.AfterKeys = r.ID, nil
		for _, key := range r.Keys {
			q.AfterKeys = append(q.AfterKeys, bytes.Clone(key))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids, q
}

// unlikeRows are sites with values that are hard to sort: none, equal ones, ends of what
// a type can hold, infinite ones, texts of both cases, with marks, and very long.
const unlikeRows = `INSERT INTO bts_sites (id, code, name, valid_from, valid_to, jurisdiction, status, mast_type, height_m, concealed, revision, updated_at, source, geom)
	SELECT 100 + i, 'C' || i,
		(ARRAY[NULL, 'đò', 'Đò', 'do', 'Do', 'dò', 'dõ', 'dơ', 'e', '', 'z' || repeat('z', 300) || '1', 'z' || repeat('z', 300) || '0'])[1 + i % 12],
		(ARRAY['2015-01-01', '-infinity', '4714-11-24 BC', '1999-12-31'])[1 + i % 4]::date, (ARRAY[NULL, 'infinity', '5874897-12-31', '2020-02-29'])[1 + i / 4 % 4]::date,
		'11', 'existing', 'A2b', (ARRAY[NULL, 0, 45.5, 1e-9, 200])[1 + i % 5], (ARRAY[NULL, true, false])[1 + i % 3], 1 + i % 2,
		(ARRAY['2020-01-01', 'infinity', '-infinity', '4714-11-24 BC', '2020-01-01 00:00:00.000001'])[1 + i / 7 % 5]::timestamptz, 's', ST_SetSRID(ST_MakePoint(103, 21), 4326)
	FROM generate_series(1, 97) i`

// Page by page every order shows what it shows at once, whatever the values are.
func TestPagesOfEveryOrder(t *testing.T) {
	s, layers, url := open(t)
	conn := connect(t, url)
	sites := get(t, layers, "bts_sites")
	run(t, conn, "SET session_replication_role = replica")
	run(t, conn, unlikeRows)
	var orders []string
	for _, f := range sites.Sortables() {
		orders = append(orders, f.Name, "-"+f.Name)
	}
	orders = append(orders, "-name,height_m", "concealed,-valid_to,name", "height_m,-id", "status,mast_type,-updated_at,revision,valid_from")
	for _, order := range orders {
		for _, limit := range []int{1, 7} {
			q := layer.Query{Sort: sortedBy(t, sites, order)}
			whole, _ := readPage(t, s, officer(), sites, q)
			if len(whole) != 97 {
				t.Fatalf("%s: %d rows", order, len(whole))
			}
			var walked, page []int64
			for q.Limit = limit; ; walked = append(walked, page...) {
				if page, q = readPage(t, s, officer(), sites, q); len(page) == 0 {
					break
				}
			}
			if !slices.Equal(walked, whole) {
				t.Errorf("%s, pages of %d:\n%v\nat once:\n%v", order, limit, walked, whole)
			}
		}
	}
}

func TestOrderOfValues(t *testing.T) {
	s, layers, url := open(t)
	conn := connect(t, url)
	sites := get(t, layers, "bts_sites")
	run(t, conn, "SET session_replication_role = replica")
	run(t, conn, unlikeRows)
	for _, tt := range []struct{ order, column, want string }{
		{"name", "left(name, 4)", ", do, Do, dò, dõ, dơ, đò, Đò, e, zzzz, -"},
		{"-name", "left(name, 4)", "zzzz, e, Đò, đò, dơ, dõ, dò, Do, do, , -"},
		{"height_m", "height_m", "0, 1e-09, 45.5, 200, -"},
		{"-height_m", "height_m", "200, 45.5, 1e-09, 0, -"},
		{"concealed", "concealed", "false, true, -"},
		{"valid_to", "valid_to", "2020-02-29, 5874897-12-31, infinity, -"},
		{"-valid_from", "valid_from", "2015-01-01, 1999-12-31, 4714-11-24 BC, -infinity"},
	} {
		ids, _ := readPage(t, s, officer(), sites, layer.Query{Sort: sortedBy(t, sites, tt.order)})
		var got []string
		for _, id := range ids {
			v := scalar[string](t, conn, "SELECT coalesce(("+tt.column+")::text, '-') FROM bts_sites WHERE id = $1", id)
			if len(got) == 0 || got[len(got)-1] != v {
				got = append(got, v)
			}
		}
		if strings.Join(got, ", ") != tt.want {
			t.Errorf("%s: %s\nwant %s", tt.order, strings.Join(got, ", "), tt.want)
		}
		// Equal ones by id.
		if !slices.IsSorted(ids[len(ids)-5:]) {
			t.Errorf("%s: the last ids are %v", tt.order, ids[len(ids)-5:])
		}
	}
}

// The database is asked for the columns that are wanted, and for no others.
func TestFieldsOfRows(t *testing.T) {
	s, layers, _ := open(t)
	sites := get(t, layers, "bts_sites")
	f := sample(t, sites, "S")
	f.Properties["height_m"] = 45.0
	id := create(t, s, sites, f)
	height, _ := sites.Field("height_m")
	for _, tt := range []struct {
		q        layer.Query
		values   int
		geometry bool
	}{
		{layer.Query{}, len(sites.Fields), true},
		{layer.Query{NoGeometry: true}, len(sites.Fields), false},
		{layer.Query{Fields: []*layer.Field{height}}, 1, true},
		{layer.Query{Fields: []*layer.Field{}, NoGeometry: true, Sort: sortedBy(t, sites, "name,-id")}, 0, false},
	} {
		n := 0
		err := s.Features(context.Background(), officer(), sites, tt.q, func(r *layer.Row) error {
			n++
			if r.ID != id || len(r.Values) != tt.values || (r.Geometry != nil) != tt.geometry || len(r.Keys) != len(tt.q.Sort) {
				t.Errorf("%+v: a row of %d values, %d keys, geometry %v", tt.q, len(r.Values), len(r.Keys), r.Geometry != nil)
			}
			if tt.values == 1 {
				if text, err := layer.Number.AppendJSON(nil, r.Values[0]); err != nil || string(text) != "45" {
					t.Errorf("height_m is %s, %v", text, err)
				}
			}
			return nil
		})
		if err != nil || n != 1 {
			t.Errorf("%d rows, %v", n, err)
		}
	}
}

// Rows are selected by their id, in both ways.
func TestIDsAreQueryables(t *testing.T) {
	s, layers, _ := open(t)
	l := get(t, layers, "kiosks")
	var ids []int64
	for i := range 4 {
		ids = append(ids, create(t, s, l, sample(t, l, fmt.Sprint(i))))
	}
	for filter, want := range map[string]int{
		fmt.Sprintf("id = %d", ids[1]): 1, fmt.Sprintf("id IN (%d, %d, 999999)", ids[0], ids[3]): 2,
		fmt.Sprintf("id > %d AND code <> '3'", ids[1]): 1, "id IS NULL": 0, "id + 0.5 > 0": 4, fmt.Sprintf("id BETWEEN %d AND %d", ids[0], ids[2]): 3,
	} {
		if n := found(t, s, officer(), l, filter); n != want {
			t.Errorf("%s selects %d, want %d", filter, n, want)
		}
	}
	n, err := s.CountFeatures(context.Background(), officer(), l, layer.Query{Equal: []layer.Equality{{Field: "id", Value: fmt.Sprint(ids[2])}}})
	if err != nil || n != 1 {
		t.Errorf("%d rows have the id, %v", n, err)
	}
}

// A count that does not come in time is none, and leaves the connection as it was.
func TestCountWithin(t *testing.T) {
	s, layers, url := open(t)
	ctx := context.Background()
	l := get(t, layers, "kiosks")
	create(t, s, l, sample(t, l, "1"))
	count := func(within time.Duration) (int64, bool) {
		t.Helper()
		n, counted, err := s.CountWithin(ctx, account.Anonymous(), l, layer.Query{}, within)
		if err != nil {
			t.Fatal(err)
		}
		return n, counted
	}
	if n, counted := count(time.Minute); n != 1 || !counted {
		t.Errorf("%d, %v", n, counted)
	}
	tx, err := connect(t, url).Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	run(t, tx, "LOCK kiosks")
	if n, counted := count(0); n != 0 || counted {
		t.Errorf("counted %d of a table that nobody may read", n)
	}
	if err := tx.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	for range 20 { // on every connection there may be
		if n, err := s.CountFeatures(ctx, account.Anonymous(), l, layer.Query{}); err != nil || n != 1 {
			t.Fatalf("%d, %v", n, err)
		}
	}
	gone, leave := context.WithCancel(ctx)
	leave()
	if _, _, err := s.CountWithin(gone, account.Anonymous(), l, layer.Query{}, time.Minute); err == nil {
		t.Error("counted for a client that has gone")
	}
}

// walker is what pages are expected to show: the rows as they are, sorted here.
type walker struct {
	conn *pgx.Conn
	rows map[int64]*walked
	last int64 // highest id there has been
}

// walked is a row and what has become of it since the walk began.
type walked struct {
	name   *string
	height *int

	stayed bool // there from the beginning
	kept   bool // with the keys it came with
	shown  int
}

// compareKeys compares two values, one missing behind all others.
func compareKeys[T cmp.Ordered](a, b *T, descending bool) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	case descending:
		return cmp.Compare(*b, *a)
	}
	return cmp.Compare(*a, *b)
}

// order compares two rows in one of walkOrders.
func (w *walker) order(by string, x, y int64, a, b *walked) int {
	for key := range strings.SplitSeq(by, ",") {
		c := 0
		switch strings.TrimPrefix(key, "-") {
		case "name":
			c = compareKeys(a.name, b.name, key[0] == '-')
		case "height_m":
			c = compareKeys(a.height, b.height, key[0] == '-')
		case "id":
			c = compareKeys(&x, &y, key[0] == '-')
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(x, y)
}

var walkOrders = []string{"", "name", "-name", "height_m", "-height_m,name", "name,-height_m", "-id", "height_m,-id"}

// edit changes something as another connection would between two statements of the walk:
// a page is one statement, so that nothing else is there to happen at the same time.
func (w *walker) edit(t *rapid.T) {
	execute := func(sql string, args ...any) {
		if _, err := w.conn.Exec(context.Background(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	var ids []int64
	for id := range w.rows {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	name, height := rapid.Ptr(rapid.SampledFrom([]string{"a", "b", "c"}), true).Draw(t, "name"), rapid.Ptr(rapid.IntRange(1, 4), true).Draw(t, "height")
	what := rapid.SampledFrom([]string{"insert", "delete", "keys", "other"}).Draw(t, "edit")
	if what == "insert" || len(ids) == 0 {
		w.insert(t, name, height)
		return
	}
	id := rapid.SampledFrom(ids).Draw(t, "id")
	switch r := w.rows[id]; what {
	case "delete":
		delete(w.rows, id)
		execute("DELETE FROM bts_sites WHERE id = $1", id)
	case "keys":
		r.name, r.height, r.kept = name, height, false
		execute("UPDATE bts_sites SET name = $2, height_m = $3 WHERE id = $1", id, name, height)
	case "other":
		execute("UPDATE bts_sites SET source = 'edited', revision = revision + 1, geom = ST_Translate(geom, 0.001, 0) WHERE id = $1", id)
	}
}

func (w *walker) insert(t *rapid.T, name *string, height *int) {
	w.last += 1 + rapid.Int64Range(0, 3).Draw(t, "gap")
	w.rows[w.last] = &walked{name: name, height: height, kept: true}
	if _, err := w.conn.Exec(context.Background(), `INSERT INTO bts_sites (id, code, name, valid_from, jurisdiction, status, mast_type, height_m, geom)
		VALUES ($1, 'C' || $1::bigint, $2, '2015-01-01', '11', 'existing', 'A2b', $3, 'SRID=4326;POINT(103 21)')`, w.last, name, height); err != nil {
		t.Fatal(err)
	}
}

// expect returns the page behind a row as it was when it was read.
func (w *walker) expect(by string, after int64, was *walked, limit int) (ids []int64) {
	for id, r := range w.rows {
		if after == 0 || w.order(by, id, after, r, was) > 0 {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(x, y int64) int { return w.order(by, x, y, w.rows[x], w.rows[y]) })
	return ids[:min(limit, len(ids))]
}

// TestWalkUnderEdits walks pages while rows come, go and change. By id, every row that is
// there all the time is shown once, and none twice. By other keys that holds of rows that
// keep their keys; a row whose keys are changed is shown on each page behind which it
// stands when that page is read: not at all, once, or again.
func TestWalkUnderEdits(t *testing.T) {
	s, layers, url := open(t)
	sites := get(t, layers, "bts_sites")
	conn := connect(t, url)
	run(t, conn, "SET session_replication_role = replica") // their history is not asked for
	again, missed := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		run(t, conn, "DELETE FROM bts_sites")
		w := &walker{conn: conn, rows: map[int64]*walked{}}
		for range rapid.IntRange(0, 25).Draw(rt, "rows") {
			w.insert(rt, rapid.Ptr(rapid.SampledFrom([]string{"a", "b", "c"}), true).Draw(rt, "name"), rapid.Ptr(rapid.IntRange(1, 4), true).Draw(rt, "height"))
		}
		all := map[int64]*walked{}
		for id, r := range w.rows {
			r.stayed, all[id] = true, r
		}
		by := rapid.SampledFrom(walkOrders).Draw(rt, "order")
		q := layer.Query{Limit: rapid.IntRange(1, 6).Draw(rt, "limit")}
		if by != "" {
			q.Sort = sortedBy(t, sites, by)
		}
		var was walked // the row before the page
		for pages := 0; ; pages++ {
			want := w.expect(by, q.After, &was, q.Limit)
			got, next := readPage(rt, s, officer(), sites, q)
			if !slices.Equal(got, want) {
				rt.Fatalf("page %d by %q shows %v, want %v", pages, by, got, want)
			}
			if len(got) == 0 {
				break
			}
			q, was = next, *w.rows[got[len(got)-1]]
			for _, id := range got {
				w.rows[id].shown++
				all[id] = w.rows[id]
			}
			for range rapid.IntRange(0, max(0, 8-pages/2)).Draw(rt, "edits") { // fewer and fewer, or newcomers have no end
				w.edit(rt)
			}
		}
		for id, r := range all {
			_, there := w.rows[id]
			moved := by != "" && !r.kept
			again += max(0, r.shown-1)
			if there && r.stayed && r.shown == 0 {
				missed++
			}
			if r.shown > 1 && !moved || there && r.stayed && !moved && r.shown != 1 {
				rt.Errorf("by %q the row %d (%+v) is shown %d times", by, id, r, r.shown)
			}
		}
	})
	// The control: edits of keys do move rows, in both directions.
	if again == 0 || missed == 0 {
		t.Errorf("%d rows were shown again, %d not at all: the edits were none", again, missed)
	}
}

// Whatever passes for a value of its kind, rows are compared with it.
func TestEveryPositionIsCompared(t *testing.T) {
	s, layers, _ := open(t)
	sites := get(t, layers, "bts_sites")
	create(t, s, sites, sample(t, sites, "S"))
	wires := map[layer.Kind][]string{
		layer.Text:      {"", "\x01", "\u0301", "\ufffd\U0010FFFF", strings.Repeat("đ", 10000)},
		layer.Integer:   {"\x00\x00\x00\x00\x00\x00\x00\x00", "\x80\x00\x00\x00\x00\x00\x00\x00", "\x7f\xff\xff\xff\xff\xff\xff\xff"},
		layer.Number:    {"\x00\x00\x00\x00\x00\x00\x00\x01", "\x7f\xf0\x00\x00\x00\x00\x00\x00", "\xff\xf0\x00\x00\x00\x00\x00\x00", "\x7f\xf8\x00\x00\x00\x00\x00\x01", "\x80\x00\x00\x00\x00\x00\x00\x00"},
		layer.Boolean:   {"\x00", "\x01"},
		layer.Date:      {"\x00\x00\x00\x00", "\x7f\xff\xff\xff", "\x80\x00\x00\x00", "\xff\xda\x97\xa7", "\x7f\xda\x97\x0c"},
		layer.Timestamp: {"\x00\x00\x00\x00\x00\x00\x00\x00", "\x7f\xff\xff\xff\xff\xff\xff\xff", "\x80\x00\x00\x00\x00\x00\x00\x00", "\xfd\x0f\x7c\xc1\x41\x1f\xa0\x00", "\x7f\xfc\xa2\xfe\xc4\xc8\x1f\xff"},
	}
	for _, f := range sites.Sortables() {
		for _, wire := range wires[f.Kind] {
			if !f.Kind.ValidWire([]byte(wire)) {
				t.Errorf("%x is no %s", wire, f.Kind)
				continue
			}
			for _, descending := range []bool{false, true} {
				q := layer.Query{Sort: []layer.SortKey{{Field: &f, Descending: descending}}, After: 1 << 40, AfterKeys: [][]byte{[]byte(wire)}}
				if err := s.Features(context.Background(), officer(), sites, q, func(*layer.Row) error { return nil }); err != nil {
					t.Errorf("%s behind %x: %v", f.Name, wire, err)
				}
			}
		}
	}
	// The first values that are refused are refused by PostgreSQL, too, or by Go.
	for kind, wire := range map[layer.Kind]string{layer.Date: "\xff\xda\x97\xa6", layer.Timestamp: "\x7f\xfc\xa2\xfe\xc4\xc8\x20\x00", layer.Text: "a\x00", layer.Boolean: "\x02", layer.Number: "1234567", layer.TextList: ""} {
		if kind.ValidWire([]byte(wire)) {
			t.Errorf("%x is a %s", wire, kind)
		}
	}
}

// Rows are sorted by what their viewer sees: values that are kept from him are none, and
// a position that somebody else's order came to tells him of no row.
func TestOrdersGoByWhatIsSeen(t *testing.T) {
	s, layers, url := open(t)
	conn := connect(t, url)
	sites := get(t, layers, "bts_sites")
	var ids []int64
	for i, contact := range []string{"Tùng", "An", "Lan"} {
		f := sample(t, sites, fmt.Sprint(i))
		f.Properties["owner_organisation"], f.Properties["contact"], f.Properties["accuracy_m"], f.Properties["jurisdiction"] = "VNPT", contact, float64(30-10*i), "11"
		ids = append(ids, create(t, s, sites, f))
	}
	inOrder := func(v account.Viewer, by string, want ...int64) layer.Query {
		t.Helper()
		got, next := readPage(t, s, v, sites, layer.Query{Sort: sortedBy(t, sites, by)})
		if !slices.Equal(got, want) {
			t.Errorf("%q sorts by %s: %v, want %v", v.Name, by, got, want)
		}
		return next
	}
	public, rival, owner := account.Anonymous(), operatorOf("VIETTEL"), operatorOf("VNPT")
	for _, v := range []account.Viewer{public, rival} {
		inOrder(v, "contact", ids...)
		inOrder(v, "-contact", ids...)
	}
	for _, v := range []account.Viewer{owner, officer()} {
		inOrder(v, "-contact", ids[0], ids[2], ids[1])
		inOrder(v, "accuracy_m", ids[2], ids[1], ids[0])
	}
	// Behind An there is nobody for him to whom nobody has a contact, but those by id.
	after := layer.Query{Sort: sortedBy(t, sites, "contact"), After: ids[0], AfterKeys: [][]byte{[]byte("An")}}
	if got, _ := readPage(t, s, public, sites, after); !slices.Equal(got, ids) {
		t.Errorf("the public sees %v behind An", got)
	}
	run(t, conn, "INSERT INTO publications (jurisdiction, exactness, cell_degrees) VALUES ('11', 'rounded', 0.01)")
	inOrder(public, "accuracy_m", ids...)
	inOrder(rival, "accuracy_m", ids[2], ids[1], ids[0])
}
