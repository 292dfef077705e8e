package postgis

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb/geojson"

	"hatang/internal/layer"
)

// preview hands on what becomes of each row that is left in the staging table: its place as it
// will be, and of what changes each field before and after.
func (im *importer) preview(ctx context.Context) error {
	if im.o.Preview == nil {
		return nil
	}
	var day any
	if !im.o.InForce.IsZero() {
		day = im.o.InForce.Time()
	}
	sql := fmt.Sprintf(`WITH rows AS (
			SELECT s._row, s.code, ST_AsGeoJSON(CASE WHEN t.id IS NULL THEN ST_Transform(s.geom, %[7]d) ELSE ST_Transform(%[1]s, %[7]d) END, 7)::jsonb AS place,
				s._match, s.geom IS NOT NULL AND t.id IS NOT NULL AND ST_AsEWKB(%[2]s) IS DISTINCT FROM ST_AsEWKB(t.%[3]s) AS moved,
				CASE WHEN t.id IS NOT NULL THEN (SELECT to_jsonb(f) FROM (SELECT %[4]s) f) ELSE '{}' END AS before,
				CASE WHEN t.id IS NULL THEN (SELECT jsonb_strip_nulls(to_jsonb(f)) FROM (SELECT %[5]s) f)
					ELSE (SELECT to_jsonb(f) FROM (SELECT %[6]s) f) || CASE WHEN t.valid_from < $1::date THEN jsonb_build_object('valid_from', $1::date) ELSE '{}' END END AS after
			FROM staging s LEFT JOIN %[8]s t ON t.id = s._match),
		changed AS (SELECT r.*, ARRAY(SELECT f.key FROM jsonb_each(r.after) f WHERE r.before -> f.key IS DISTINCT FROM f.value) AS fields FROM rows r)
		SELECT c._row, c.code, c._match IS NOT NULL, c.moved, c.place,
			CASE WHEN c._match IS NOT NULL THEN (SELECT jsonb_object_agg(f, c.before -> f) FROM unnest(c.fields) f) END, (SELECT jsonb_object_agg(f, c.after -> f) FROM unnest(c.fields) f)
		FROM changed c ORDER BY c._row`,
		im.place(), stored(im.layer, "s.geom"), geometryColumn(im.layer), im.list("t.%[1]s"), im.list("s.%[1]s"), im.list(merged+" AS %[1]s"), layer.SRID, quote(im.layer.Name))
	rows, err := im.tx.Query(ctx, sql, day)
	if err != nil {
		return err
	}
	var p layer.ImportedRow
	var known, moved bool
	var place, before, after []byte
	_, err = pgx.ForEachRow(rows, []any{&p.Row, &p.Code, &known, &moved, &place, &before, &after}, func() error {
		p.Becomes, p.Place, p.Before, p.After, p.Moved = im.becomes(known, moved || onlyFrom(after, day)), place, before, after, moved
		return im.o.Preview(p)
	})
	return err
}

// onlyFrom reports whether something besides the day from which a row holds changes.
func onlyFrom(after []byte, day any) bool {
	var fields map[string]json.RawMessage
	if json.Unmarshal(after, &fields) != nil { // null: nothing changes
		return false
	}
	if day != nil {
		delete(fields, "valid_from")
	}
	return len(fields) > 0
}

// becomes says what becomes of a row, which has one in the register and differs from it or not.
func (im *importer) becomes(known, differs bool) layer.Becomes {
	switch {
	case !known:
		return layer.BecomesInsert
	case im.o.OnConflict == SkipExisting:
		return layer.BecomesSkipped
	case differs:
		return layer.BecomesUpdate
	}
	return layer.BecomesUnchanged
}

// previewUnread hands on a row that was refused before it came into the staging table.
func (im *importer) previewUnread(in Incoming, code string, faults layer.Faults) error {
	if im.o.Preview == nil {
		return nil
	}
	p := layer.ImportedRow{Row: in.Row, Code: code, Becomes: layer.BecomesRefused, Faults: faults}
	if g := in.Feature.Geometry; g != nil && in.Feature.SRID == 0 {
		var err error
		if p.Place, err = json.Marshal(geojson.NewGeometry(g)); err != nil {
			return err
		}
	}
	return im.o.Preview(p)
}

// previewRefused hands on the rows that are marked as refused in the staging table.
func (im *importer) previewRefused(ctx context.Context) error {
	if im.o.Preview == nil {
		return nil
	}
	rows, err := im.tx.Query(ctx, fmt.Sprintf("SELECT _row, coalesce(code, ''), ST_AsGeoJSON(ST_Transform(geom, %d), 7)::jsonb FROM staging WHERE _refused ORDER BY _row", layer.SRID))
	if err != nil {
		return err
	}
	p := layer.ImportedRow{Becomes: layer.BecomesRefused}
	var place []byte
	_, err = pgx.ForEachRow(rows, []any{&p.Row, &p.Code, &place}, func() error {
		p.Place, p.Faults = place, nil
		if kept := im.refused.first[p.Row]; kept != nil {
			p.Faults = kept.Faults
		}
		return im.o.Preview(p)
	})
	return err
}

// mostPreview bounds the preview that a report has, bytes.
const mostPreview = 2 << 20

// previewed collects what becomes of rows for a report: those that there is room for.
type previewed struct {
	text    strings.Builder
	leftOut int
}

func (p *previewed) add(r layer.ImportedRow) error {
	feature, err := r.GeoJSON()
	if err != nil {
		return err
	}
	if p.leftOut > 0 || p.text.Len()+len(feature) > mostPreview {
		p.leftOut++
		return nil
	}
	if p.text.Len() > 0 {
		p.text.WriteByte(',')
	}
	p.text.Write(feature)
	return nil
}

// collection is what there was room for as a GeoJSON FeatureCollection.
func (p *previewed) collection() json.RawMessage {
	return json.RawMessage(`{"type":"FeatureCollection","features":[` + p.text.String() + `]}`)
}
