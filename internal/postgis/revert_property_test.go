package postgis_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"hatang/internal/layer"
)

// A revert of what was done last, and of all that was done since some time, makes every row
// what it was, to the bit, and its own revert what it was before that; only revisions rise.
func TestARevertIsTheInverseOfItsChanges(t *testing.T) {
	r := newRegister(t)
	rapid.Check(t, func(t *rapid.T) {
		r.clear(t)
		n := rapid.IntRange(2, 9).Draw(t, "changes")
		at := rapid.IntRange(0, n-1).Draw(t, "from the change")
		var before map[string]table
		var from time.Time
		var held []string
		for i := range n {
			if i == at {
				before, from, held = r.tables(t), r.moment(t), r.held(t)
			}
			r.change(t, fmt.Sprint("c", i))
		}
		after, highest, heldAfter := r.tables(t), r.revisions(t), r.held(t)
		r.mustRevert(t, "back", layer.HistoryQuery{Layers: r.layers, From: from}, after, before, held)
		if diff := cmp.Diff(rowsOf(before), rowsOf(r.tables(t))); diff != "" {
			t.Fatalf("after the revert (-before the changes +now)\n%s", diff)
		}
		r.revised(t, highest)
		r.mustRevert(t, "forth", layer.HistoryQuery{Layers: r.layers, Request: "back"}, before, after, heldAfter)
		if diff := cmp.Diff(rowsOf(after), rowsOf(r.tables(t))); diff != "" {
			t.Fatalf("after the revert of the revert (-before it +now)\n%s", diff)
		}
	})
}

// held are the codes of sites on which operators are. Operators may be on a site before it
// is there, and then nobody may take it away.
func (r *register) held(t *rapid.T) []string {
	t.Helper()
	rows, err := r.conn.Query(context.Background(), "SELECT DISTINCT site_code FROM operator_positions WHERE status <> 'draft'")
	if err != nil {
		t.Fatal(err)
	}
	codes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return codes
}

// mustRevert reverts, and first finds out without doing it that it would do the same. Where
// operators stay on a site that was not there it is refused, as the register refuses to have
// the site removed.
func (r *register) mustRevert(t *rapid.T, request string, q layer.HistoryQuery, was, becomes map[string]table, held []string) {
	t.Helper()
	dry, err := r.s.Revert(asking(request), officer(), q, true)
	if errors.Is(err, layer.ErrConflict) && slices.ContainsFunc(held, func(site string) bool {
		return strings.Contains(err.Error(), "operators are on site "+site+" (")
	}) {
		t.Skip(err)
	}
	if errors.Is(err, layer.ErrNotFound) && cmp.Equal(rowsOf(was), rowsOf(becomes)) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rowsOf(was), rowsOf(r.tables(t))); diff != "" || dry.Applied {
		t.Fatalf("finding out changes (-before +after)\n%s", diff)
	}
	done, err := r.s.Revert(asking(request), officer(), q, false)
	if err != nil || !done.Applied {
		t.Fatalf("%+v, %v", done, err)
	}
	done.Applied = false
	if diff := cmp.Diff(dry, done, cmp.Comparer(func(a, b *layer.Layer) bool { return a == b })); diff != "" {
		t.Fatalf("what is done is not what was announced (-announced +done)\n%s", diff)
	}
}

// revisions are the highest that each row ever had.
func (r *register) revisions(t *rapid.T) map[string]int64 {
	highest := map[string]int64{}
	for name, of := range r.tables(t) {
		for id, revision := range of.revision {
			highest[fmt.Sprint(name, " ", id)] = revision
		}
	}
	rows, err := r.conn.Query(context.Background(), "SELECT layer || ' ' || feature_id, max((before ->> 'revision')::bigint) FROM history WHERE before IS NOT NULL GROUP BY 1")
	if err != nil {
		t.Fatal(err)
	}
	var key string
	var revision int64
	if _, err := pgx.ForEachRow(rows, []any{&key, &revision}, func() error {
		highest[key] = max(highest[key], revision)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return highest
}

// revised fails where a row that was changed since has no higher revision than ever before.
func (r *register) revised(t *rapid.T, before map[string]int64) {
	t.Helper()
	rows, err := r.conn.Query(context.Background(), "SELECT DISTINCT layer || ' ' || feature_id FROM history WHERE request = 'back'")
	if err != nil {
		t.Fatal(err)
	}
	changed, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	now := map[string]int64{}
	for name, of := range r.tables(t) {
		for id, revision := range of.revision {
			now[fmt.Sprint(name, " ", id)] = revision
		}
	}
	for _, key := range changed {
		if revision, there := now[key]; there && revision <= before[key] {
			t.Fatalf("%s has revision %d, and had %d before", key, revision, before[key])
		}
	}
}

// A revert of one change among others is refused, all rows named, where later ones touched
// its rows, and otherwise makes these rows what they were and no other.
func TestARevertAmongOthersTouchesItsRowsAlone(t *testing.T) {
	r := newRegister(t)
	counts := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		r.clear(t)
		n := rapid.IntRange(2, 9).Draw(t, "changes")
		which := rapid.IntRange(0, n-1).Draw(t, "the change")
		var before, after map[string]table
		for i := range n {
			if i == which {
				before = r.tables(t)
			}
			r.change(t, fmt.Sprint("c", i))
			if i == which {
				after = r.tables(t)
			}
		}
		touched, later := r.touched(t, fmt.Sprint("c", which))
		now := r.tables(t)
		// What changed nothing, or has been taken back, is in nobody's way.
		later = slices.DeleteFunc(later, func(key string) bool { return rowAt(after, key) == rowAt(now, key) })
		_, err := r.s.Revert(asking("back"), officer(), layer.HistoryQuery{Layers: r.layers, Request: fmt.Sprint("c", which)}, false)
		var overtaken *layer.OvertakenError
		want := rowsOf(now)
		switch {
		case errors.Is(err, layer.ErrNotFound):
			counts["nothing"]++
			if len(touched) > 0 {
				t.Fatalf("nothing is found of %v", touched)
			}
		case errors.As(err, &overtaken):
			counts["overtaken"]++
			var named []string
			for _, row := range overtaken.Rows {
				named = append(named, fmt.Sprint(row.Layer.Name, " ", row.FeatureID))
			}
			slices.Sort(named)
			if !slices.Equal(named, later) || overtaken.Count != int64(len(later)) {
				t.Fatalf("%d named %v, want %v", overtaken.Count, named, later)
			}
		case errors.Is(err, layer.ErrConflict):
			counts["taken"]++
		case err != nil:
			t.Fatal(err)
		default:
			counts["done"]++
			if len(later) > 0 {
				t.Fatalf("rows were changed later: %v", later)
			}
			giveBack(touched, before, want)
		}
		if err != nil || !slices.ContainsFunc(touched, derived) {
			if diff := cmp.Diff(want, rowsOf(r.tables(t))); diff != "" {
				t.Fatalf("(-want +got)\n%s", diff)
			}
		}
	})
	t.Log(counts)
}

// derived reports whether other rows may follow the row: zones follow communes.
func derived(key string) bool {
	return strings.HasPrefix(key, "communes ") || strings.HasPrefix(key, "mast_zones ")
}

// rowAt is the row that a key of touched names, "" where there is none.
func rowAt(tables map[string]table, key string) string {
	name, id := rowNamed(key)
	return tables[name].rows[id]
}

func rowNamed(key string) (name string, id int64) {
	if _, err := fmt.Sscan(key, &name, &id); err != nil {
		panic(err)
	}
	return name, id
}

// giveBack gives the rows that were touched back what they had.
func giveBack(touched []string, before map[string]table, want map[string]map[int64]string) {
	for name := range want {
		want[name] = maps.Clone(want[name])
	}
	for _, key := range touched {
		name, id := rowNamed(key)
		if text, was := before[name].rows[id]; was {
			want[name][id] = text
		} else {
			delete(want[name], id)
		}
	}
}

// touched are the rows that a request changed, and those of them that others changed later.
func (r *register) touched(t *rapid.T, request string) (touched, later []string) {
	rows, err := r.conn.Query(context.Background(), `SELECT layer || ' ' || feature_id, EXISTS (SELECT FROM history n WHERE n.layer = h.layer AND n.feature_id = h.feature_id
			AND n.id > min(h.id) AND n.request IS DISTINCT FROM $1) FROM history h WHERE request = $1 GROUP BY h.layer, h.feature_id`, request)
	if err != nil {
		t.Fatal(err)
	}
	var key string
	var overtaken bool
	if _, err := pgx.ForEachRow(rows, []any{&key, &overtaken}, func() error {
		touched = append(touched, key)
		if overtaken {
			later = append(later, key)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(touched)
	slices.Sort(later)
	return touched, later
}

// What was served at a time is served again as known at it, whatever has been done since,
// reverts too; and on any date the rows that the register had then in force on it.
func TestEveryStateIsServedAsItWasKnown(t *testing.T) {
	r := newRegister(t)
	rapid.Check(t, func(t *rapid.T) {
		r.clear(t)
		var moments []time.Time
		var served [][]string
		var had []map[string]map[int64]period
		for i := range rapid.IntRange(2, 7).Draw(t, "changes") {
			if i > 0 && rapid.IntRange(0, 4).Draw(t, "revert") == 0 {
				_, err := r.s.Revert(asking(fmt.Sprint("c", i)), officer(), layer.HistoryQuery{Layers: r.layers, Request: fmt.Sprint("c", i-1)}, false)
				if !errors.Is(err, layer.ErrNotFound) {
					r.refusable(t, err)
				}
			} else {
				r.change(t, fmt.Sprint("c", i))
			}
			moments, served, had = append(moments, r.moment(t)), append(served, r.served(t, time.Time{})), append(had, r.periods(t))
		}
		date := rapid.SampledFrom([]string{"2014-12-31", "2015-01-01", "2015-01-31", "2016-05-05", "2018-01-01", "2018-05-04", "2019-05-31", "2019-06-01", "2030-01-01"}).Draw(t, "date")
		for i, at := range moments {
			if diff := cmp.Diff(served[i], r.served(t, at)); diff != "" {
				t.Fatalf("after %d of %d changes (-then +as known then)\n%s", i+1, len(moments), diff)
			}
			if diff := cmp.Diff(inForce(had[i], date), r.inForce(t, at, date)); diff != "" {
				t.Fatalf("after %d of %d changes, in force on %s (-the model +as known then)\n%s", i+1, len(moments), date, diff)
			}
		}
	})
}
