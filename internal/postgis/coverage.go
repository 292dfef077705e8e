package postgis

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// Limits of a report on a coverage.
const (
	// MinDefectM2 and MinDefectWidthM are the area, square metres, and the mean width (twice
	// the area by the perimeter), metres, from which on an overlap or a gap is one. Less is
	// rounding: coordinates have seven decimals, a centimetre, and lines of two files that
	// run together for kilometres leave slivers of some square metres between them. These are
	// counted by themselves.
	MinDefectM2     = 1
	MinDefectWidthM = 0.05
	// mostDefects is how many defects of a kind are listed; all are counted.
	mostDefects = 100
)

// Coverage looks how the areas of a layer in force on a date lie beside each other: where
// they overlap, and where they leave gaps in the province that they belong to, or, where
// the register has none, inside what they cover together. The zero report, false, for a
// layer of which nothing is asked.
//
// The cost is one intersection for each pair of areas whose boxes meet, which the spatial
// index finds (about three an area, of communes), and one union and difference a province:
// 18 s for 10 010 communes on two busy processors (BenchmarkCoverage).
func (s *Store) Coverage(ctx context.Context, v account.Viewer, l *layer.Layer, date geo.Date) (layer.CoverageReport, bool, error) {
	rule, asked := l.Coverage()
	if !asked {
		return layer.CoverageReport{}, false, nil
	}
	if !v.Sight(l.Name).All {
		return layer.CoverageReport{}, false, fmt.Errorf("the coverage of %s, %s: %w", l.Name, v.Name, layer.ErrForbidden)
	}
	var report layer.CoverageReport
	err := s.within(ctx, snapshot, importTime, func(tx pgx.Tx) (err error) {
		report, err = coverage(ctx, tx, l, rule, date)
		return err
	})
	return report, true, translate("check how "+l.Name+" lie beside each other", err)
}

func coverage(ctx context.Context, tx pgx.Tx, l *layer.Layer, rule layer.Coverage, date geo.Date) (layer.CoverageReport, error) {
	var report layer.CoverageReport
	var err error
	if report.Overlaps, err = defects(ctx, tx, onlyOn(date), overlapsSQL(l, rule)); err != nil || !rule.Whole {
		report.Gaps = noDefects()
		return report, err
	}
	report.Gaps, err = defects(ctx, tx, onlyOn(date), gapsSQL(l))
	return report, err
}

// onlyOn binds a date as $1, of which the statements on a coverage are.
func onlyOn(date geo.Date) *conditions {
	c := &conditions{}
	c.bind(date.Time())
	return c
}

// newOverlaps finds where areas that this transaction brought overlap others that the viewer
// sees, on any date.
func newOverlaps(ctx context.Context, tx pgx.Tx, v account.Viewer, l *layer.Layer, rule layer.Coverage) (layer.Defects, error) {
	var c conditions
	c.visible(v.Sight(l.Name), l)
	among, class, wentOn := "true", "true", "true"
	if rule.Among != "" {
		of := quote(rule.Among)
		among, class, wentOn = fmt.Sprintf("a.%[1]s = b.%[1]s", of), fmt.Sprintf("h.before ->> '%s' = t.%s::text", rule.Among, of), fmt.Sprintf("p.%[1]s = t.%[1]s", of)
	}
	// What has neither another shape or class than before nor is valid on more dates overlaps
	// nothing anew; nor does a row that only goes on where one of its code ended.
	return defects(ctx, tx, &c, fmt.Sprintf(`WITH brought AS MATERIALIZED (SELECT DISTINCT t.id FROM history h JOIN %[1]s t ON t.id = h.feature_id
			WHERE h.layer = %[2]s AND h.recorded_at = now() AND h.xid = pg_current_xact_id()
				AND NOT (h.operation = 'update' AND h.before_geom IS NOT DISTINCT FROM t.geom AND %[3]s AND t.valid_from >= (h.before ->> 'valid_from')::date
					AND coalesce(t.valid_to, 'infinity') <= coalesce((h.before ->> 'valid_to')::date, 'infinity'))
				AND NOT EXISTS (SELECT FROM %[1]s p WHERE p.code = t.code AND p.valid_to = t.valid_from AND p.geom = t.geom AND %[4]s))
		SELECT ARRAY[a.code, b.code] AS codes, ST_CollectionExtract(ST_Intersection(a.geom, b.geom), 3) AS geom
		FROM %[1]s a JOIN (SELECT t.* FROM %[1]s AS t%[5]s) b ON a.geom && b.geom AND a.code <> b.code AND %[6]s AND daterange(a.valid_from, a.valid_to) && daterange(b.valid_from, b.valid_to)
		WHERE a.id IN (SELECT id FROM brought) AND (a.id < b.id OR b.id NOT IN (SELECT id FROM brought)) AND NOT ST_Touches(a.geom, b.geom)`,
		quote(l.Name), c.bind(l.Name), class, wentOn, c.where(), among))
}

// overlapsSQL selects what two areas share, all parts of it together. Areas that only touch share none,
// and finding that out costs less than the intersection.
func overlapsSQL(l *layer.Layer, rule layer.Coverage) string {
	among := "true"
	if rule.Among != "" {
		among = fmt.Sprintf("a.%[1]s = b.%[1]s", quote(rule.Among))
	}
	return fmt.Sprintf(`SELECT ARRAY[a.code, b.code] AS codes, ST_CollectionExtract(ST_Intersection(a.geom, b.geom), 3) AS geom
		FROM %[1]s a JOIN %[1]s b ON a.geom && b.geom AND a.id < b.id AND %[2]s
		WHERE %[3]s AND %[4]s AND NOT ST_Touches(a.geom, b.geom)`, quote(l.Name), among, onDay("a"), onDay("b"))
}

// gapsSQL selects the parts of each province that the areas do not cover, and where there
// is no province, which provinces themselves have none, the holes in what they cover.
func gapsSQL(l *layer.Layer) string {
	of := "jurisdiction"
	if l.Name == "provinces" {
		of = "''"
	}
	return fmt.Sprintf(`SELECT NULL::text[] AS codes, d.geom FROM (
			SELECT %[1]s AS of, ST_Union(geom) AS geom FROM %[2]s t WHERE %[3]s GROUP BY 1) u
		LEFT JOIN LATERAL (SELECT p.geom FROM provinces p WHERE p.code = u.of AND %[4]s LIMIT 1) p ON true
		CROSS JOIN LATERAL ST_Dump(ST_Difference(coalesce(p.geom,
			(SELECT ST_Collect(ST_MakePolygon(ST_ExteriorRing(part.geom))) FROM ST_Dump(u.geom) part)), u.geom)) d
		WHERE ST_Dimension(d.geom) = 2`, of, quote(l.Name), onDay("t"), onDay("p"))
}

// onDay is the condition on a row that it is in force on the day $1.
func onDay(row string) string {
	return fmt.Sprintf("%[1]s.valid_from <= $1::date AND (%[1]s.valid_to IS NULL OR %[1]s.valid_to > $1::date)", row)
}

// noDefects are none of a kind.
func noDefects() layer.Defects {
	return layer.Defects{Largest: []layer.Defect{}, Slivers: layer.Slivers{BelowM2: MinDefectM2, BelowWidthM: MinDefectWidthM}}
}

// defects counts what a statement with the arguments of the conditions selects, and lists
// the largest.
func defects(ctx context.Context, tx pgx.Tx, c *conditions, sql string) (layer.Defects, error) {
	all := noDefects()
	least, most, wide := c.bind(MinDefectM2), c.bind(mostDefects), c.bind(MinDefectWidthM)
	rows, err := tx.Query(ctx, `WITH found AS MATERIALIZED (SELECT codes, geom, area, area > `+least+` AND 2 * area > `+wide+` * ST_Perimeter(geom::geography) AS counts FROM (
				SELECT f.codes, f.geom, ST_Area(f.geom::geography) AS area FROM (`+sql+`) f) m WHERE area > 0),
			told AS (SELECT count(*) FILTER (WHERE counts)::int, coalesce(sum(area) FILTER (WHERE counts), 0), count(*) FILTER (WHERE NOT counts)::int, coalesce(sum(area) FILTER (WHERE NOT counts), 0) FROM found),
			largest AS (SELECT codes, area, ST_PointOnSurface(geom) AS at FROM found WHERE counts)
		SELECT t.*, coalesce(codes, '{}'), coalesce(area, 0), coalesce(ST_X(at), 0), coalesce(ST_Y(at), 0) FROM told t LEFT JOIN largest ON true ORDER BY area DESC, codes, ST_X(at) LIMIT `+most,
		c.args...)
	if err != nil {
		return all, err
	}
	var d layer.Defect
	_, err = pgx.ForEachRow(rows, []any{&all.Count, &all.AreaM2, &all.Slivers.Count, &all.Slivers.AreaM2, &d.Codes, &d.AreaM2, &d.At[0], &d.At[1]}, func() error {
		if all.Count > 0 { // else the row tells of slivers alone
			all.Largest = append(all.Largest, d)
		}
		d.Codes = nil
		return nil
	})
	return all, err
}
