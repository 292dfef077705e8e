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
	// run together for kilometres leave slivers of some square metres between them.
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
	if report.Overlaps, err = defects(ctx, tx, overlapsSQL(l, rule), date); err != nil || !rule.Whole {
		report.Gaps.Largest = []layer.Defect{}
		return report, err
	}
	report.Gaps, err = defects(ctx, tx, gapsSQL(l), date)
	return report, err
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

// defects counts what a statement selects and lists the largest.
func defects(ctx context.Context, tx pgx.Tx, sql string, date geo.Date) (layer.Defects, error) {
	all := layer.Defects{Largest: []layer.Defect{}}
	rows, err := tx.Query(ctx, `WITH found AS (SELECT codes, area, ST_PointOnSurface(geom) AS at FROM (
				SELECT f.codes, f.geom, ST_Area(f.geom::geography) AS area FROM (`+sql+`) f) m
			WHERE area > $2 AND 2 * area > $4 * ST_Perimeter(geom::geography))
		SELECT count(*) OVER ()::int, sum(area) OVER (), coalesce(codes, '{}'), area, ST_X(at), ST_Y(at) FROM found ORDER BY area DESC, codes, ST_X(at) LIMIT $3`,
		date.Time(), MinDefectM2, mostDefects, MinDefectWidthM)
	if err != nil {
		return all, err
	}
	var d layer.Defect
	_, err = pgx.ForEachRow(rows, []any{&all.Count, &all.AreaM2, &d.Codes, &d.AreaM2, &d.At[0], &d.At[1]}, func() error {
		all.Largest = append(all.Largest, d)
		d.Codes = nil
		return nil
	})
	return all, err
}
