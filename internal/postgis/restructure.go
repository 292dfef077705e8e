package postgis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/layer"
)

// restructure puts the change of communes that the file tells into force on its day:
// units that are named as predecessors end, and those named as successors begin, with the
// union of the shapes of what went into them whole. A successor that keeps its code keeps
// its boundary too where parts moved whose line nobody has published: such a unit is
// illustrative and its source says so. Nothing is drawn that is not there.
//
// Figures (area, population) hold for a territory: they go on only where it is one unit's,
// unchanged. What all predecessors agree on (district, province, urban) goes on; the file
// goes before it. Districts whose communes change follow them: see followDistricts.
//
// A successor that has a row from the day on is left as it is, so that a file may be
// brought in again.
func (li *lineageImporter) restructure(ctx context.Context) error {
	if !li.o.Merge || len(li.refused) > 0 {
		return nil
	}
	day, ok := li.day()
	if !ok {
		return nil
	}
	if err := li.refuseShapeless(ctx); err != nil || len(li.refused) > 0 {
		return err
	}
	if err := li.reform(ctx); err != nil {
		return err
	}
	if err := li.changeCommunes(ctx, day); err != nil {
		return err
	}
	if err := li.followDistricts(ctx, day); err != nil {
		return err
	}
	var err error
	if li.summary.ZonesKept, err = keepZones(ctx, li.tx, day); err != nil {
		return err
	}
	for _, name := range []string{"communes", "districts"} {
		concerned, err := grantsConcerned(ctx, li.tx, name, day)
		if err != nil {
			return err
		}
		li.summary.Grants = append(li.summary.Grants, concerned...)
	}
	return nil
}

// day is the one day of the communes' change; a file of several is refused.
func (li *lineageImporter) day() (geo.Date, bool) {
	var day geo.Date
	for _, c := range li.changes {
		if c.Level != "commune" {
			continue
		}
		if day.IsZero() {
			day = c.On
		} else if day.Compare(c.On) != 0 {
			li.fault(c.Row, "changed_on", "tệp có nhiều ngày; --merge cần một ngày", "the file has several days; a merge is of one")
		}
	}
	return day, !day.IsZero() && len(li.refused) == 0
}

// refuseShapeless finds successors of which no shape can be made: a part of which nobody
// has the line goes into a unit that was not there, or leaves one that the file says
// nothing more of.
func (li *lineageImporter) refuseShapeless(ctx context.Context) error {
	if err := li.refuse(ctx, "part", "đường chia của phần vào %s chưa có: hãy nhập ranh giới", "the line of the part that went into %s is not there: import its boundary",
		`SELECT n.row, n.successor_code FROM lineage_staging n WHERE n.level = 'commune' AND n.part = 'part' AND NOT EXISTS (
			SELECT FROM lineage_staging o WHERE o.level = 'commune' AND o.predecessor_code = n.successor_code AND o.successor_code = n.successor_code) ORDER BY n.row`); err != nil {
		return err
	}
	return li.refuse(ctx, "part", "phần còn lại của %s thì sao: tệp không nói", "what became of the rest of %s: the file does not say",
		`SELECT n.row, n.predecessor_code FROM lineage_staging n WHERE n.level = 'commune' AND n.part = 'part' AND n.predecessor_code <> n.successor_code AND NOT EXISTS (
			SELECT FROM lineage_staging o WHERE o.level = 'commune' AND o.predecessor_code = n.predecessor_code AND o.successor_code = n.predecessor_code) ORDER BY n.row`)
}

// reform makes the temporary table of the communes to come, each with what all its
// predecessors agree on. self is the row of the same code, heir the one row whose
// territory it has unchanged; null where there is none.
func (li *lineageImporter) reform(ctx context.Context) error {
	agreed := func(column string) string {
		return fmt.Sprintf("CASE WHEN count(DISTINCT u.%[1]s) = 1 AND count(u.%[1]s) = count(*) THEN min(u.%[1]s) END", column)
	}
	_, err := li.tx.Exec(ctx, `CREATE TEMP TABLE reformed ON COMMIT DROP AS
		SELECT n.successor_code AS code, min(n.changed_on) AS day, min(n.name) AS name, min(n.kind) AS kind, coalesce(min(n.district_code), `+agreed("district_code")+`) AS district_code,
			`+agreed("province_code")+` AS province_code, min(u.jurisdiction) AS jurisdiction,
			CASE WHEN bool_and(u.urban) OR NOT bool_or(u.urban) THEN bool_and(u.urban) END AS urban,
			string_agg(DISTINCT n.act, '; ') AS act, string_agg(DISTINCT n.note, '; ') AS note, string_agg(u.code, ', ' ORDER BY u.code) FILTER (WHERE n.part = 'whole') AS wholes,
			bool_or(n.illustrative OR n.part = 'part') AS line_unknown, bool_or(n.illustrative OR n.part = 'part' OR u.illustrative) AS illustrative,
			CASE WHEN count(u.accuracy_m) = count(*) THEN max(u.accuracy_m) END AS accuracy_m,
			min(u.id) FILTER (WHERE n.predecessor_code = n.successor_code) AS self, CASE WHEN count(*) = 1 AND bool_and(n.part = 'whole' AND NOT n.illustrative) THEN min(u.id) END AS heir,
			CASE WHEN count(*) = 1 THEN (array_agg(u.geom))[1]
				ELSE ST_Multi(ST_UnaryUnion(ST_Collect(u.geom) FILTER (WHERE n.part = 'whole' OR n.predecessor_code = n.successor_code))) END AS geom
		FROM lineage_staging n JOIN communes u ON `+wasInForce+` WHERE n.level = 'commune'
			AND NOT EXISTS (SELECT FROM communes r WHERE r.code = n.successor_code AND r.valid_from = n.changed_on)
		GROUP BY n.successor_code`)
	return err
}

// changeCommunes ends the predecessors and opens the successors.
func (li *lineageImporter) changeCommunes(ctx context.Context, day geo.Date) error {
	ended, err := li.tx.Exec(ctx, `UPDATE communes u SET valid_to = $1::date WHERE u.valid_from < $1::date AND (u.valid_to IS NULL OR u.valid_to > $1::date)
		AND (u.code IN (SELECT code FROM reformed) OR u.code IN (SELECT predecessor_code FROM lineage_staging WHERE level = 'commune'))`, day.Time())
	if err != nil {
		return err
	}
	communes, ok := li.layers.Get("communes")
	if !ok {
		return errors.New("the registry has no layer communes")
	}
	values := map[string]string{
		"code": "r.code", "name": "coalesce(r.name, self.name)", "kind": "coalesce(r.kind, self.kind)", "valid_from": "r.day", "valid_to": "NULL::date", "jurisdiction": "r.jurisdiction",
		"district_code": "r.district_code", "province_code": "r.province_code", "urban": "r.urban", "aliases": "self.aliases", "legal_basis": "coalesce(r.act, heir.legal_basis)",
		"illustrative": "r.illustrative", "accuracy_m": "CASE WHEN r.line_unknown THEN NULL ELSE r.accuracy_m END",
		"source": `CASE WHEN r.line_unknown THEN concat_ws('; ', 'ranh giới trước ' || r.day || ', đường ranh giới mới chưa được công bố (boundary of before ' || r.day || ', the new line is not published)', r.note)
			WHEN r.heir IS NOT NULL THEN heir.source ELSE 'gộp từ ' || r.wholes || ' (merged from ' || r.wholes || ')' END`,
	}
	var names, places []string
	for _, f := range communes.Fields {
		if f.ReadOnly {
			continue
		}
		value, known := values[f.Name]
		if !known { // a figure, or what is said of a territory alone
			value = "heir." + quote(f.Name)
		}
		names, places = append(names, quote(f.Name)), append(places, value)
	}
	opened, err := li.tx.Exec(ctx, fmt.Sprintf(`INSERT INTO communes (%s, geom) SELECT %s, r.geom FROM reformed r LEFT JOIN communes self ON self.id = r.self LEFT JOIN communes heir ON heir.id = r.heir ORDER BY r.code`,
		strings.Join(names, ", "), strings.Join(places, ", ")))
	li.summary.Ended, li.summary.Opened = int(ended.RowsAffected()), int(opened.RowsAffected())
	return err
}

// followDistricts opens districts anew whose communes are others from the day on: each is
// the union of its communes, which is where its own boundary must run. Its official area
// and population, figures of another territory, do not go on.
func (li *lineageImporter) followDistricts(ctx context.Context, day geo.Date) error {
	districts, ok := li.layers.Get("districts")
	if !ok {
		return errors.New("the registry has no layer districts")
	}
	if _, err := li.tx.Exec(ctx, `CREATE TEMP TABLE following ON COMMIT DROP AS
		SELECT d.id, d.code, c.geom, c.illustrative OR p.notes IS NOT NULL AS illustrative, concat_ws('; ', p.notes, c.notes) AS notes FROM districts d
		CROSS JOIN LATERAL (SELECT string_agg(coalesce(n.note, n.predecessor_code || ' → ' || n.successor_code), '; ') AS notes
			FROM lineage_staging n WHERE n.level = 'district' AND n.successor_code = d.code AND n.part = 'part') p
		JOIN LATERAL (
			SELECT ST_Multi(ST_UnaryUnion(ST_Collect(u.geom))) AS geom, bool_or(u.illustrative) AS illustrative, string_agg(r.note, '; ') AS notes
			FROM communes u LEFT JOIN reformed r ON r.code = u.code WHERE u.district_code = d.code AND u.valid_from <= $1::date AND (u.valid_to IS NULL OR u.valid_to > $1::date)) c ON c.geom IS NOT NULL
		WHERE d.valid_from < $1::date AND (d.valid_to IS NULL OR d.valid_to > $1::date) AND d.code IN (
			SELECT old.district_code FROM reformed r JOIN lineage_staging n ON n.level = 'commune' AND n.successor_code = r.code JOIN communes old ON old.code = n.predecessor_code AND old.valid_to = $1::date
				WHERE old.district_code IS DISTINCT FROM r.district_code
			UNION SELECT r.district_code FROM reformed r JOIN lineage_staging n ON n.level = 'commune' AND n.successor_code = r.code JOIN communes old ON old.code = n.predecessor_code AND old.valid_to = $1::date
				WHERE old.district_code IS DISTINCT FROM r.district_code)`, day.Time()); err != nil {
		return err
	}
	values := map[string]string{"valid_from": "$1::date", "valid_to": "NULL::date", "illustrative": "f.illustrative", "accuracy_m": "NULL::double precision",
		"source": "concat_ws('; ', 'gộp từ các xã ngày ' || $1::date || ' (union of the communes of ' || $1::date || ')', nullif(f.notes, ''))"}
	kept := []string{"code", "name", "kind", "aliases", "jurisdiction", "province_code", "owner_organisation", "legal_basis"}
	names, places := []string{}, []string{}
	for _, f := range districts.Fields {
		value, changed := values[f.Name]
		if f.ReadOnly || !changed && !slices.Contains(kept, f.Name) {
			continue
		}
		if !changed {
			value = "d." + quote(f.Name)
		}
		names, places = append(names, quote(f.Name)), append(places, value)
	}
	if _, err := li.tx.Exec(ctx, "UPDATE districts d SET valid_to = $1::date FROM following f WHERE d.id = f.id", day.Time()); err != nil {
		return err
	}
	rows, err := li.tx.Query(ctx, fmt.Sprintf("INSERT INTO districts (%s, geom) SELECT %s, f.geom FROM following f JOIN districts d ON d.id = f.id ORDER BY d.code RETURNING code",
		strings.Join(names, ", "), strings.Join(places, ", ")), day.Time())
	if err != nil {
		return err
	}
	li.summary.Districts, err = pgx.CollectRows(rows, pgx.RowTo[string])
	return err
}

// keepZones lets mast zones that followed a commune stay where they were, drawn by
// themselves from now on, where the code goes on with another territory: the zones are the
// plan's, and a new structure of communes does not move them. What follows a commune that
// has ended keeps its last shape anyway. It returns how many zones were kept so.
func keepZones(ctx context.Context, tx pgx.Tx, day geo.Date) (int, error) {
	tag, err := tx.Exec(ctx, `UPDATE mast_zones z SET follows_commune = NULL, geom = b.geom, illustrative = b.illustrative, accuracy_m = b.accuracy_m
		FROM mast_zones b WHERE z.valid_from = $1::date AND b.code = z.code AND b.valid_to = $1::date AND b.follows_commune = z.follows_commune
		AND EXISTS (SELECT FROM communes u JOIN communes n ON n.code = u.code AND n.valid_from = $1::date WHERE u.code = z.follows_commune AND u.valid_to = $1::date
			AND ST_AsEWKB(n.geom) <> ST_AsEWKB(u.geom))`, day.Time())
	return int(tag.RowsAffected()), err
}

// GrantConcerned is a unit that rights are limited to, and how many grants are: see
// hatang_territory.
type GrantConcerned = layer.GrantConcerned

// grantsConcerned finds the grants limited to units of a layer that end on the day, or
// whose code goes on with another shape.
func grantsConcerned(ctx context.Context, tx pgx.Tx, units string, day geo.Date) ([]GrantConcerned, error) {
	rows, err := tx.Query(ctx, fmt.Sprintf(`SELECT g.territory, count(*)::int FROM grants_in_force g JOIN %[1]s u ON u.code = g.territory AND u.valid_to = $1::date
		WHERE NOT EXISTS (SELECT FROM %[1]s n WHERE n.code = u.code AND n.valid_from = $1::date AND ST_AsEWKB(n.geom) = ST_AsEWKB(u.geom)) GROUP BY g.territory ORDER BY g.territory`, quote(units)), day.Time())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[GrantConcerned])
}
