package postgis

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"hatang/internal/layer"
)

// Elsewhere is a row whose place lies in no part of the commune that it declares.
type Elsewhere = layer.Elsewhere

// maxElsewhere is how many of them are listed, those of the first rows; all are counted.
const maxElsewhere = 200

// compareUnits finds the rows that lie elsewhere than in the commune that they declare, as the
// file leaves them. They are told, not refused: of a place near a boundary both may be meant.
func (im *importer) compareUnits(ctx context.Context) error {
	if f, ok := im.layer.Field("commune_code"); !ok || f.ReadOnly || im.layer.Reference != nil {
		return nil
	}
	// The places are gone through unit by unit, so that each boundary is prepared once.
	rows, err := im.tx.Query(ctx, fmt.Sprintf(`WITH places AS MATERIALIZED (
			SELECT s._row, s.code, CASE WHEN t.id IS NULL OR 'commune_code' = ANY (s._given) THEN s.commune_code ELSE t.commune_code END AS declared, coalesce(s.geom, t.geom) AS geom
			FROM staging s LEFT JOIN %s t ON t.id = s._match WHERE 'commune_code' = ANY (s._given) OR s.geom IS NOT NULL ORDER BY declared),
		units AS MATERIALIZED (SELECT code, geom, illustrative FROM communes WHERE valid_from <= $1::date AND (valid_to IS NULL OR valid_to > $1::date)),
		elsewhere AS MATERIALIZED (SELECT p.*, u.illustrative FROM places p JOIN units u ON u.code = p.declared WHERE p.geom IS NOT NULL AND NOT ST_Intersects(u.geom, p.geom))
		SELECT e._row, e.code, e.declared, coalesce(o.code, ''), e.illustrative OR coalesce(o.illustrative, false), (SELECT count(*) FROM elsewhere)
		FROM (SELECT * FROM elsewhere ORDER BY _row LIMIT %d) e
		LEFT JOIN LATERAL (SELECT code, illustrative FROM units u WHERE ST_Intersects(u.geom, e.geom) ORDER BY code LIMIT 1) o ON true ORDER BY e._row`,
		quote(im.layer.Name), maxElsewhere), im.day().Time())
	if err != nil {
		return err
	}
	var e Elsewhere
	_, err = pgx.ForEachRow(rows, []any{&e.Row, &e.Code, &e.Declared, &e.LiesIn, &e.Illustrative, &im.summary.ElsewhereRows}, func() error {
		im.summary.Elsewhere = append(im.summary.Elsewhere, e)
		return nil
	})
	return err
}
