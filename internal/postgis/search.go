package postgis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// searchTimeout is how long a search may take altogether.
const searchTimeout = 5 * time.Second

// mostByWords is how many rows of a layer that have the words, by ascending id, are ordered
// by how well they do. Those whose code or name begins with the text are found beside them.
const mostByWords = 500

// searchKey is what an index keeps of a code or a name, by code point; see
// hatang_make_searchable in the migrations.
func searchKey(column string) string { return "left(hatang_fold(" + column + `), 200) COLLATE "C"` }

// Search returns the features in force that are called by the text, or have its words, as
// the viewer sees them, best first, and whether there are more: those that are called just
// so; whose code, name or alias begins with it, in the order of what does; that have it as it
// stands, from the beginning of a word; and that have a word for each of its words, which
// begins with it, the shorter first. Letters' case and accents do not count.
//
// Cost: three index scans a layer, of which the first two read no more than there is room
// for; the third reads what has all words.
func (s *Store) Search(ctx context.Context, v account.Viewer, q layer.SearchQuery) (hits []layer.Hit, more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	var text searchText
	err = s.pool.QueryRow(ctx, "SELECT left(hatang_fold($1), 200), coalesce(hatang_words_query($1)::text, '')", q.Text).Scan(&text.folded, &text.words)
	if err != nil || text.folded == "" { // of marks alone
		return []layer.Hit{}, false, translate("fold what is searched", err)
	}
	var found []ranked
	for i, l := range q.Layers {
		of, err := s.searchLayer(ctx, v, l, q, text)
		if err != nil {
			return nil, false, translate("search "+l.Name, err)
		}
		for _, r := range of {
			r.order = i
			found = append(found, r)
		}
	}
	slices.SortFunc(found, ranked.compare)
	if more = len(found) > q.Limit; more {
		found = found[:q.Limit]
	}
	hits = make([]layer.Hit, len(found))
	for i, r := range found {
		hits[i] = r.Hit
	}
	return hits, more, translate("find the units", s.addUnits(ctx, v, q.Date, hits))
}

// searchText is a text as the indexes have texts.
type searchText struct {
	folded string
	words  string // a tsquery; "" for a text without words
}

// ranked is a hit with what its place in the order is made of.
type ranked struct {
	layer.Hit
	rank, length int
	key          string
	order        int // of its layer
}

func (r ranked) compare(with ranked) int {
	return cmp.Or(cmp.Compare(r.rank, with.rank), cmp.Compare(r.length, with.length), strings.Compare(r.key, with.key),
		cmp.Compare(r.order, with.order), cmp.Compare(r.ID, with.ID))
}

// searchSQL ranks the rows %[1]s by what they are called, as the text %[2]s, and shows the
// best %[3]d. OFFSET keeps the planner from computing things again for each use.
const searchSQL = `SELECT id, code, coalesce(name, ''), rank, length, key, ST_X(at), ST_Y(at), ST_XMin(geom), ST_YMin(geom), ST_XMax(geom), ST_YMax(geom) FROM (
		SELECT DISTINCT ON (rank, length, key, id) * FROM (%[1]s) rows
			CROSS JOIN LATERAL (SELECT ARRAY[hatang_fold(code), hatang_fold(name)] || ARRAY(SELECT hatang_fold(a) FROM unnest(aliases) a) AS called OFFSET 0) c
			CROSS JOIN LATERAL (SELECT (SELECT c FROM unnest(called) WITH ORDINALITY u (c, n) WHERE starts_with(c, %[2]s) ORDER BY n LIMIT 1) AS begins OFFSET 0) b
			CROSS JOIN LATERAL (SELECT coalesce(begins, called[2], called[1]) COLLATE "C" AS key, CASE WHEN %[2]s = ANY (called) THEN 0 WHEN begins IS NOT NULL THEN 1
				WHEN EXISTS (SELECT FROM unnest(called) c WHERE strpos(' ' || c, ' ' || %[2]s) > 0) THEN 2 ELSE 3 END AS rank OFFSET 0) r
			CROSS JOIN LATERAL (SELECT CASE WHEN begins IS NULL THEN length(key) ELSE 0 END AS length) l
		ORDER BY rank, length, key, id LIMIT %[3]d) best
	CROSS JOIN LATERAL (SELECT CASE ST_Dimension(geom) WHEN 0 THEN geom ELSE ST_PointOnSurface(geom) END AS at OFFSET 0) p`

// searchLayer finds one more row of a layer than there is room for.
func (s *Store) searchLayer(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.SearchQuery, text searchText) ([]ranked, error) {
	var found []ranked
	err := s.seen(ctx, v, l, nil, func(c *conditions, from string) error {
		c.inForce(q.Date)
		sql := fmt.Sprintf(searchSQL, c.ways(l, from, text, q.Limit+1), c.bind(text.folded)+"::text", q.Limit+1)
		// The plan depends on how many have the words: it is made for these.
		rows, err := s.pool.Query(ctx, sql, append([]any{pgx.QueryExecModeCacheDescribe}, c.args...)...)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (ranked, error) { return scanRanked(row, l) })
		return err
	})
	return found, err
}

// ways selects the rows of a layer whose code or whose name begins with the text, the first
// by it, and those that have its words.
func (c *conditions) ways(l *layer.Layer, from string, text searchText, most int) string {
	aliases := "NULL::text[]"
	if l.Has("aliases") {
		aliases = "aliases"
	}
	way := func(order string, most int, condition string) string {
		where := conditions{sql: append(slices.Clone(c.sql), condition)}
		return fmt.Sprintf("(SELECT id, code, name, %s AS aliases, geom FROM %s%s ORDER BY %s LIMIT %d)", aliases, from, where.where(), order, most)
	}
	first, behind := c.bind(text.folded), c.bind(text.folded+string(utf8.MaxRune))
	var ways []string
	for _, column := range []string{"code", "name"} {
		key := searchKey(column)
		ways = append(ways, way(key+", id", most, key+" >= "+first+" AND "+key+" < "+behind))
	}
	if text.words != "" {
		ways = append(ways, way("id", mostByWords, "hatang_words(code, name, "+aliases+") @@ "+c.bind(text.words)+"::tsquery"))
	}
	return strings.Join(ways, " UNION ALL ")
}

func scanRanked(row pgx.CollectableRow, l *layer.Layer) (ranked, error) {
	r := ranked{Hit: layer.Hit{Layer: l}}
	var at, lower, upper [2]*float64
	err := row.Scan(&r.ID, &r.Code, &r.Name, &r.rank, &r.length, &r.key, &at[0], &at[1], &lower[0], &lower[1], &upper[0], &upper[1])
	if at[0] != nil {
		r.Centre = &orb.Point{*at[0], *at[1]}
		r.Bound = orb.Bound{Min: orb.Point{*lower[0], *lower[1]}, Max: orb.Point{*upper[0], *upper[1]}}
	}
	return r, err
}

// addUnits says of each hit in which units it lies, of those that the viewer sees on the
// date; of a unit, in which above it.
func (s *Store) addUnits(ctx context.Context, v account.Viewer, date geo.Date, hits []layer.Hit) error {
	for _, level := range []struct {
		name  string
		below func(string) bool
		unit  func(*layer.Hit) **layer.Unit
	}{
		{"communes", func(of string) bool { return !slices.Contains([]string{"communes", "districts", "provinces"}, of) }, func(h *layer.Hit) **layer.Unit { return &h.Commune }},
		{"districts", func(of string) bool { return of != "districts" && of != "provinces" }, func(h *layer.Hit) **layer.Unit { return &h.District }},
	} {
		l, ok := s.layers.Get(level.name)
		if !ok {
			return fmt.Errorf("the registry has no layer %s", level.name)
		}
		var xs, ys []float64
		var of []int
		for i, h := range hits {
			if h.Centre != nil && level.below(h.Layer.Name) {
				xs, ys, of = append(xs, h.Centre[0]), append(ys, h.Centre[1]), append(of, i)
			}
		}
		units, err := s.unitsAt(ctx, v, l, date, xs, ys)
		if err != nil {
			return err
		}
		for i, unit := range units {
			*level.unit(&hits[of[i]]) = &unit
		}
	}
	return nil
}

// unitsAt returns the units of a layer that points lie in, by the number of the point; of
// several the first by id.
func (s *Store) unitsAt(ctx context.Context, v account.Viewer, l *layer.Layer, date geo.Date, xs, ys []float64) (map[int]layer.Unit, error) {
	units := map[int]layer.Unit{}
	if len(xs) == 0 {
		return units, nil
	}
	err := s.seen(ctx, v, l, nil, func(c *conditions, from string) error {
		c.inForce(date)
		c.add("ST_Intersects(t.geom, ST_SetSRID(ST_MakePoint(p.x, p.y), %d))", layer.SRID)
		rows, err := s.pool.Query(ctx, fmt.Sprintf("SELECT DISTINCT ON (p.n) p.n - 1, code, coalesce(name, '') FROM unnest(%s::float8[], %s::float8[]) WITH ORDINALITY p (x, y, n), %s%s ORDER BY p.n, t.id",
			c.bind(xs), c.bind(ys), from, c.where()), c.args...)
		if err != nil {
			return err
		}
		var n int
		var unit layer.Unit
		_, err = pgx.ForEachRow(rows, []any{&n, &unit.Code, &unit.Name}, func() error {
			units[n] = unit
			return nil
		})
		return err
	})
	return units, err
}
