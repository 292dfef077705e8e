package filter

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"

	"hatang/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// randomRows are rows that hold every value a random filter asks for, and no value often.
func randomRows(m *maker, n int) []row {
	rows := make([]row, n)
	for i := range rows {
		r := row{}
		maybe := func(name string, v any) {
			if m.IntN(4) > 0 {
				r[name] = v
			}
		}
		for _, name := range names(KindText) {
			maybe(name, pick(m, "Mường", "MƯỜNG", "muong", "Đông", "đông", "dong", "ß", "ss", "ΣΑΣ", "σας", "a%b", "axb", "a_b", `a\b`, "a'b", `a\`, `\'`, `a\nb`, "a\nb", "\a\b\t\v\f\r", "a", ""))
		}
		for _, name := range names(KindInteger) {
			maybe(name, pick[int64](m, 0, 1, 2, -3, 7, 1<<53, 1<<53+1))
		}
		for _, name := range names(KindNumber) {
			maybe(name, pick(m, 0, 1, 2.5, -0.5, 7, -3, 1e200, 1e-200))
		}
		for _, name := range names(KindBoolean) {
			maybe(name, m.IntN(2) == 0)
		}
		for _, name := range names(KindDate) {
			maybe(name, pick(m, someDays...))
		}
		for _, name := range names(KindTimestamp) {
			maybe(name, pick(m, someTimes...))
		}
		maybe("tags", pick(m, []string{}, []string{"a"}, []string{"a", "b"}, []string{"b", "a", "a"}, []string{"b", "c"}))
		maybe("geometry", Position{float64(m.IntN(5)), float64(m.IntN(5))})
		rows[i] = r
	}
	return rows
}

// table writes rows into a new database, ids from 0.
func table(t *testing.T, rows []row) *pgx.Conn {
	t.Helper()
	ctx := context.Background()
	config, err := pgx.ParseConfig(testdb.New(t))
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec // each statement is asked once
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(ctx) })
	if _, err := conn.PgConn().Exec(ctx, `CREATE EXTENSION postgis; SET timezone = 'Asia/Ho_Chi_Minh';
		CREATE TABLE rows (id int, name text, alias text, count bigint, rank bigint, x double precision, y double precision, flag boolean,
			other boolean, day date, last date, at timestamptz, until timestamptz, tags text[], geometry geometry(Point, 4326))`).ReadAll(); err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		var geometry any
		if p, ok := r["geometry"].(Position); ok {
			geometry = fmt.Sprintf("SRID=4326;POINT(%v %v)", p[0], p[1])
		}
		if _, err := conn.Exec(ctx, `INSERT INTO rows VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15::text::geometry)`,
			i, r["name"], r["alias"], r["count"], r["rank"], r["x"], r["y"], r["flag"], r["other"], r["day"], r["last"], r["at"], r["until"], r["tags"], geometry); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

func column(name string) string { return "t." + pgx.Identifier{name}.Sanitize() }

// statement is the SQL of a filter with what is bound.
func statement(f *Filter) (string, []any) {
	var args []any
	sql := f.SQL(column, func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	})
	return sql, args
}

// selected asks the database which rows a filter selects.
func selected(t testing.TB, conn *pgx.Conn, f *Filter) []int {
	t.Helper()
	sql, args := statement(f)
	rows, err := conn.Query(context.Background(), "SELECT id FROM rows AS t WHERE "+sql+" ORDER BY id", args...)
	if err != nil {
		t.Fatalf("%s\n%s\n%v", f, sql, err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		t.Fatalf("%s\n%s\n%v", f, sql, err)
	}
	return ids
}

// together is how many filters are asked in one go.
const together = 250

// allSelected is selected of several filters, which the database answers one after the other.
func allSelected(t testing.TB, conn *pgx.Conn, filters []*Filter) [][]int {
	t.Helper()
	var batch pgx.Batch
	all := make([][]int, len(filters))
	for i, f := range filters {
		sql, args := statement(f)
		batch.Queue("SELECT id FROM rows AS t WHERE "+sql+" ORDER BY id", args...).Query(func(rows pgx.Rows) (err error) {
			if all[i], err = pgx.CollectRows(rows, pgx.RowTo[int]); err != nil {
				t.Errorf("%s\n%s\n%v", f, sql, err)
			}
			return nil
		})
	}
	if err := conn.SendBatch(context.Background(), &batch).Close(); err != nil {
		t.Fatal(err)
	}
	return all
}

// What the database selects is what the filter means by the evaluator in Go.
func TestSQLMeansWhatTheFilterMeans(t *testing.T) { askBoth(t, 100_000) }

// askBoth asks so many random filters of the database and of the evaluator.
func askBoth(t *testing.T, n int) {
	seed := uint64(time.Now().UnixNano())
	m := newMaker(seed)
	rows := randomRows(m, 40)
	conn := table(t, rows)
	used, chosen := map[string]bool{}, 0
	for asked := 0; asked < n; asked += together {
		filters := make([]*Filter, min(together, n-asked))
		for i := range filters {
			var err error
			if filters[i], err = Check(m.condition(3), wide); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			text := filters[i].String()
			for op := range operators {
				used[op] = used[op] || strings.Contains(text, strings.ToUpper(op))
			}
		}
		for i, got := range allSelected(t, conn, filters) {
			var want []int
			for id, r := range rows {
				if r.eval(filters[i].Tree()) == true {
					want = append(want, id)
				}
			}
			if !slices.Equal(got, want) {
				sql, args := statement(filters[i])
				t.Fatalf("seed %d: %s selects %v, should %v\n%s\n%v", seed, filters[i], got, want, sql, args)
			}
			chosen += len(want)
		}
	}
	for op := range operators {
		if !used[op] && op != "isNull" {
			t.Errorf("%s was never asked", op)
		}
	}
	if share := float64(chosen) / float64(n*len(rows)); share < 0.1 || share > 0.9 {
		t.Errorf("the filters select %.2f of the rows: they should tell them apart", share)
	}
}

// CASEI and ACCENTI of a literal, in Go, are what the database makes of a value.
func TestFoldingIsOne(t *testing.T) {
	conn := table(t, nil)
	var letters []string
	for r := rune(0x20); r < 0x2500; r++ {
		if unicode.IsGraphic(r) && !unicode.Is(unicode.Cherokee, r) { // whose capitals the two fold in opposite directions
			letters = append(letters, "a"+string(r)+"b", string(r))
		}
	}
	letters = append(letters, "ĐIỆN BIÊN ĐÔNG", "Tủa Chùa", "Mu\u031bo\u031b\u0300ng A\u0309ng", "ΟΔΟΣ", "Straße", "ŒUVRE", "débárquér")
	for op, fold := range map[string]func(string) string{"casei": FoldCase, "accenti": FoldAccents} {
		c := &compiler{column: func(string) string { return "s" }}
		sql := c.folding(call(op, &Property{Name: "name"}))
		rows, err := conn.Query(context.Background(), "SELECT "+sql+" FROM unnest($1::text[]) WITH ORDINALITY AS u (s, i) ORDER BY i", letters)
		if err != nil {
			t.Fatal(err)
		}
		folded, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range letters {
			if got := fold(s); got != folded[i] {
				t.Errorf("%s(%+q) is %+q in Go and %+q in the database", op, s, got, folded[i])
			}
		}
	}
}

// No value of a row makes the SQL fail, which would tell of the row.
func TestSQLIsTotal(t *testing.T) {
	var rows []row
	for _, x := range []float64{0, math.Inf(1), math.Inf(-1), math.NaN(), math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 1e-150, 1e150, -0.5, 3} {
		for _, y := range []float64{0, math.Inf(1), math.NaN(), math.MaxFloat64, math.SmallestNonzeroFloat64, -1e150, 0.5, -3, 1000, 1e15} {
			rows = append(rows, row{"x": x, "y": y, "count": int64(math.MinInt64), "rank": int64(-1), "name": `\`, "alias": "%"})
		}
	}
	conn := table(t, rows)
	for _, op := range []string{"+", "-", "*", "/", "%", "div", "^"} {
		for _, pair := range [][2]string{{"x", "y"}, {"y", "x"}, {"count", "rank"}, {"x", "count"}, {"rank", "x"}} {
			e := call(">", call(op, call(op, &Property{Name: pair[0]}, &Property{Name: pair[1]}), &Property{Name: pair[1]}), &Number{Whole: true})
			f, err := Check(e, wide)
			if err != nil {
				t.Fatal(err)
			}
			selected(t, conn, f)
		}
	}
	for _, text := range []string{`name LIKE '%\%' OR alias LIKE CASEI('\\a')`, "x = y OR count = x OR x IN (1, 2.5)", "ACCENTI(CASEI(name)) LIKE ACCENTI('%')"} {
		f, err := Check(readText(t, text), wide)
		if err != nil {
			t.Fatal(err)
		}
		selected(t, conn, f)
	}
}
