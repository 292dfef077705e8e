package postgis

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
)

// units reads areas of a unit layer with the columns asked for; scan gets them.
func (r reading) units(ctx context.Context, name, columns string, scan func(pgx.CollectableRow) (orb.MultiPolygon, error)) (*geo.Index, error) {
	c, err := r.inForce(name)
	if err != nil {
		return nil, err
	}
	rows, err := r.tx.Query(ctx, "SELECT "+columns+", ST_AsEWKB(geom) FROM "+quote(name)+c.where()+" ORDER BY code, id", c.args...)
	if err != nil {
		return nil, err
	}
	shapes, err := pgx.CollectRows(rows, scan)
	return geo.NewIndex(shapes), err
}

func (r reading) communes(ctx context.Context, w *world) (err error) {
	w.inCommune, err = r.units(ctx, "communes", "code, coalesce(district_code, ''), coalesce(urban, false)", func(row pgx.CollectableRow) (orb.MultiPolygon, error) {
		var c commune
		var raw []byte
		if err := row.Scan(&c.code, &c.district, &c.urban, &raw); err != nil {
			return nil, err
		}
		w.communes = append(w.communes, c)
		return decodeArea(raw)
	})
	return err
}

func (r reading) provinces(ctx context.Context, w *world) (err error) {
	w.inside, err = r.units(ctx, "provinces", "code", func(row pgx.CollectableRow) (orb.MultiPolygon, error) {
		var code string
		var raw []byte
		if err := row.Scan(&code, &raw); err != nil {
			return nil, err
		}
		w.provinces = append(w.provinces, code)
		return decodeArea(raw)
	})
	return err
}

// zones reads the zones in the box, those that start later included: a proposal is
// told of them.
func (r reading) zones(ctx context.Context, w *world) error {
	c := &conditions{}
	c.add("(valid_to IS NULL OR valid_to > %s::date)", c.bind(r.date.Time()))
	r.inBox(c)
	rows, err := r.tx.Query(ctx, `SELECT id, code, zone_class, coalesce(phase, ''), illustrative, accuracy_m, valid_from, valid_to, ST_AsEWKB(geom)
		FROM mast_zones`+c.where()+" ORDER BY id", c.args...)
	if err != nil {
		return err
	}
	z := zoning.Zone{Collection: "mast_zones"}
	var from, to day
	var raw []byte
	_, err = pgx.ForEachRow(rows, []any{&z.ID, &z.Code, &z.Class, &z.Phase, &z.Illustrative, &z.AccuracyM, &from, &to, &raw}, func() error {
		z.Period = geo.Period{From: from.Date, To: to.Date}
		var err error
		if z.Geometry, err = decodeArea(raw); err != nil {
			return err
		}
		box := z.Geometry.Bound()
		w.zones.Insert(box.Min, box.Max, z)
		return nil
	})
	return err
}

// masts reads the sites in the box with the operators on each.
func (r reading) masts(ctx context.Context, w *world) error {
	c, err := r.inForce("bts_sites")
	if err != nil {
		return err
	}
	positions, ok := r.layers.Get("operator_positions")
	if !ok {
		return errors.New("the registry has no layer operator_positions")
	}
	on := &conditions{args: c.args} // the viewer sees an operator only through a position that he sees
	on.visible(r.viewer, positions)
	on.inForce(r.date)
	on.add("site_code = s.code")
	rows, err := r.tx.Query(ctx, `SELECT id, code, mast_type, height_m, status, illustrative, ST_AsEWKB(geom),
			ARRAY(SELECT DISTINCT operator FROM operator_positions`+on.where()+` ORDER BY 1)
		FROM bts_sites s`+c.where()+" ORDER BY id", on.args...)
	if err != nil {
		return err
	}
	m := zoning.Mast{Collection: "bts_sites"}
	var kind string
	var raw []byte
	_, err = pgx.ForEachRow(rows, []any{&m.ID, &m.Code, &kind, &m.HeightM, &m.Status, &m.Illustrative, &raw, &m.Operators}, func() error {
		m.MastType = geo.MastType(kind)
		var err error
		if m.Point, err = decodePoint(raw); err != nil {
			return err
		}
		w.masts.Insert(m.Point, m.Point, m)
		return nil
	})
	return err
}

// areas reads the special areas in the box that the viewer may see.
func (r reading) areas(ctx context.Context, w *world) error {
	c, err := r.inForce("special_areas")
	if err != nil {
		return err
	}
	rows, err := r.tx.Query(ctx, "SELECT id, code, kind, max_height_m, illustrative, ST_AsEWKB(geom) FROM special_areas"+c.where()+" ORDER BY id", c.args...)
	if err != nil {
		return err
	}
	a := zoning.Area{Collection: "special_areas"}
	var raw []byte
	_, err = pgx.ForEachRow(rows, []any{&a.ID, &a.Code, &a.Kind, &a.MaxHeightM, &a.Illustrative, &raw}, func() error {
		var err error
		if a.Geometry, err = decodeArea(raw); err != nil {
			return err
		}
		box := a.Geometry.Bound()
		w.areas.Insert(box.Min, box.Max, a)
		return nil
	})
	return err
}

// withheld finds, for a viewer who may not see certain areas, which communes they
// touch: each acts on the whole of them, so that its place cannot be inferred.
func (r reading) withheld(ctx context.Context, w *world) error {
	l, ok := r.layers.Get("special_areas")
	if !ok || r.viewer.SeesWithheld() {
		return nil
	}
	codes := make([]string, len(w.communes))
	for i, commune := range w.communes {
		codes[i] = commune.code
	}
	hidden := &conditions{}
	day := hidden.bind(r.date.Time())
	rows, err := r.tx.Query(ctx, `SELECT u.code, a.kind, bool_or(a.illustrative) FROM communes u JOIN special_areas a ON ST_Intersects(u.geom, a.geom)
		WHERE u.code = ANY (`+hidden.bind(codes)+`) AND a.kind = ANY (`+hidden.bind(l.WithheldValues)+`)
		AND u.valid_from <= `+day+`::date AND (u.valid_to IS NULL OR u.valid_to > `+day+`::date)
		AND a.valid_from <= `+day+`::date AND (a.valid_to IS NULL OR a.valid_to > `+day+`::date) GROUP BY 1, 2 ORDER BY 1, 2`, hidden.args...)
	if err != nil {
		return err
	}
	a := zoning.Area{Collection: "special_areas", Withheld: true, WholeCommune: true}
	var code string
	_, err = pgx.ForEachRow(rows, []any{&code, &a.Kind, &a.Illustrative}, func() error {
		w.withheld[code] = append(w.withheld[code], a)
		return nil
	})
	return err
}
