package postgis

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// CreateFeature adds a row and returns its id. It fails with *layer.InvalidError
// on what the layer does not allow, with layer.ErrConflict where the code has a row
// in force already.
func (s *Store) CreateFeature(ctx context.Context, v account.Viewer, l *layer.Layer, f layer.Feature) (int64, error) {
	if err := l.CheckNew(f).Err(); err != nil {
		return 0, err
	}
	var id int64
	err := s.write(ctx, v, "add to "+l.Name, func(tx pgx.Tx) (err error) {
		if id, err = addRow(ctx, tx, l, f); err != nil {
			return err
		}
		return inPen(ctx, tx, v, l, id)
	})
	return id, err
}

// addRow adds a row that the layer allows, whoever may, and returns its id.
func addRow(ctx context.Context, tx pgx.Tx, l *layer.Layer, f layer.Feature) (id int64, err error) {
	var c conditions
	names, places, err := assignments(&c, l, f)
	if err != nil {
		return 0, err
	}
	sql := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) RETURNING id", quote(l.Name), strings.Join(names, ", "), strings.Join(places, ", "))
	err = tx.QueryRow(ctx, sql, c.args...).Scan(&id)
	return id, err
}

// UpdateFeature corrects a row and returns its new revision. Properties not given
// keep their value, or are cleared when replace is set. A revision other than
// ifRevision, unless that is 0, is layer.ErrStale.
func (s *Store) UpdateFeature(ctx context.Context, v account.Viewer, l *layer.Layer, id int64, f layer.Feature, ifRevision int64, replace bool) (int64, error) {
	faults := l.CheckPeriod(f)
	if replace {
		faults = l.CheckNew(f)
		f = whole(l, f)
	}
	if err := faults.Err(); err != nil {
		return 0, err
	}
	var c conditions
	names, places, err := assignments(&c, l, f)
	if err != nil {
		return 0, err
	}
	for i := range names {
		names[i] += " = " + places[i]
	}
	sql := "UPDATE " + quote(l.Name) + " SET " + strings.Join(names, ", ") + " WHERE id = " + c.bind(id) + " RETURNING revision"
	var revision int64
	err = s.write(ctx, v, "change "+l.Name, func(tx pgx.Tx) error {
		var err error
		if revision, err = lockRevision(ctx, tx, v, l, id, ifRevision); err != nil || len(names) == 0 {
			return err // nothing given, nothing written
		}
		if err := tx.QueryRow(ctx, sql, c.args...).Scan(&revision); err != nil {
			return err
		}
		return inPen(ctx, tx, v, l, id)
	})
	return revision, err
}

// whole clears what a feature does not give.
func whole(l *layer.Layer, f layer.Feature) layer.Feature {
	f.Properties = maps.Clone(f.Properties)
	if f.Properties == nil {
		f.Properties = map[string]any{}
	}
	for _, field := range l.Fields {
		if _, given := f.Properties[field.Name]; !given && !field.ReadOnly && (!field.Required || field.Kind == layer.Boolean) {
			f.Properties[field.Name] = nil
		}
	}
	return f
}

// DeleteFeature removes a row; its image stays in the history. A revision other
// than ifRevision, unless that is 0, is layer.ErrStale.
func (s *Store) DeleteFeature(ctx context.Context, v account.Viewer, l *layer.Layer, id int64, ifRevision int64) error {
	return s.write(ctx, v, "remove from "+l.Name, func(tx pgx.Tx) error {
		if _, err := lockRevision(ctx, tx, v, l, id, ifRevision); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "DELETE FROM "+quote(l.Name)+" WHERE id = $1", id)
		return err
	})
}

// lockRevision holds the row until the transaction ends, so that check and write
// are one step, has it kept for the proposals that the viewer sees, and returns its revision.
func lockRevision(ctx context.Context, tx pgx.Tx, v account.Viewer, l *layer.Layer, id, ifRevision int64) (int64, error) {
	var c conditions
	c.visible(v.Sight(l.Name), l)
	c.add("id = %s", c.bind(id))
	var revision int64
	if err := tx.QueryRow(ctx, "SELECT revision FROM "+quote(l.Name)+" AS t"+c.where()+" FOR UPDATE", c.args...).Scan(&revision); err != nil {
		return 0, err
	}
	if ifRevision != 0 && ifRevision != revision {
		return 0, fmt.Errorf("%s %d is at revision %d, not %d: %w", l.Name, id, revision, ifRevision, layer.ErrStale)
	}
	if err := inPen(ctx, tx, v, l, id); err != nil {
		return 0, err
	}
	return revision, heed(ctx, tx, v, l.Name, id)
}

// inPen refuses a row that the viewer may not write: one that does not lie within a unit
// that his role is limited to, nor is a draft of an organisation that writes its own, there
// or everywhere.
// It is asked before and after a change, so that nothing is moved out of a territory or
// into another, and no draft is made more than that by its owner.
func inPen(ctx context.Context, tx pgx.Tx, v account.Viewer, l *layer.Layer, id int64) error {
	return within(ctx, tx, v.Pen(l.Name), v, l, id)
}

// within is inPen, of a pen of the viewer's.
func within(ctx context.Context, tx pgx.Tx, pen account.Pen, v account.Viewer, l *layer.Layer, id int64) error {
	if pen.All {
		return nil
	}
	var c conditions
	var may []string
	inside := func(unit string) string { return "ST_Covers(hatang_territory(" + c.bind(unit) + "), geom)" }
	for _, code := range pen.Territories {
		may = append(may, inside(code))
	}
	if l.HasDrafts() {
		draft := func() string {
			return "status = " + c.bind(layer.Draft) + " AND owner_organisation = " + c.bind(v.Organisation)
		}
		if pen.Drafts {
			may = append(may, draft())
		}
		for _, code := range pen.DraftsWithin {
			may = append(may, draft()+" AND "+inside(code))
		}
	}
	var allowed bool
	if len(may) > 0 {
		sql := "SELECT coalesce(" + strings.Join(may, " OR ") + ", false) FROM " + quote(l.Name) + " WHERE id = " + c.bind(id)
		if err := tx.QueryRow(ctx, sql, c.args...).Scan(&allowed); err != nil {
			return err
		}
	}
	if !allowed {
		return fmt.Errorf("%s %d, %s: %w", l.Name, id, v.Name, layer.ErrForbidden)
	}
	return nil
}

// assignments returns column names and placeholders of what a feature gives.
func assignments(c *conditions, l *layer.Layer, f layer.Feature) (names, places []string, err error) {
	for i := range l.Fields {
		field := &l.Fields[i]
		value, given := f.Properties[field.Name]
		if !given || field.ReadOnly {
			continue
		}
		if value == nil && field.Required && field.Kind == layer.Boolean {
			value = false // what it is where nobody says
		}
		names = append(names, quote(field.Name))
		places = append(places, c.bind(column(value))+"::"+field.Kind.Column())
	}
	raw, err := geometryOf(f)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case raw != nil:
		names = append(names, geometryColumn(l))
		places = append(places, stored(l, "ST_GeomFromEWKB("+c.bind(raw)+")"))
	case f.NoGeometry:
		names = append(names, geometryColumn(l))
		places = append(places, "NULL")
	}
	return names, places, nil
}

// geometryColumn is the column that a layer's geometries are written to; they are read
// from geom, which may be made of it.
func geometryColumn(l *layer.Layer) string {
	if l.StorageSRID() != layer.SRID {
		return "geom_stored"
	}
	return "geom"
}

// stored is an expression for a geometry in the reference system that it is kept in.
func stored(l *layer.Layer, geometry string) string {
	if l.StorageSRID() != layer.SRID {
		return fmt.Sprintf("ST_Transform(%s, %d)", geometry, l.StorageSRID())
	}
	return geometry
}

// column turns a feature's value into one that pgx writes.
func column(value any) any {
	if d, ok := value.(geo.Date); ok {
		return d.Time()
	}
	return value
}

// geometryOf returns a feature's geometry as EWKB, nil for none.
func geometryOf(f layer.Feature) ([]byte, error) {
	if f.GeometryZ != nil || f.Geometry == nil {
		return f.GeometryZ, nil
	}
	return encode(f.Geometry, cmp.Or(f.SRID, layer.SRID))
}
