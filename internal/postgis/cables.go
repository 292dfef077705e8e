package postgis

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"
	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/ewkb"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/permit"
)

// cableLayers are the layers that checks of cables depend on.
func cableLayers() []string {
	return []string{"communes", "pole_lines", "provinces", "rule_sets", "special_areas", "underground_zones"}
}

// CableFacts reads what a check of a cable needs, in one snapshot of the database.
func (s *Store) CableFacts(ctx context.Context, asked permit.CableAsked) (permit.CableFacts, error) {
	var facts permit.CableFacts
	err := s.within(ctx, snapshot, reportTime, func(tx pgx.Tx) error {
		r, err := newReading(ctx, tx, s.layers, permit.Asked{Viewer: asked.Viewer, Date: asked.Date, KnownAt: asked.KnownAt, Snapshot: asked.Snapshot})
		if err != nil {
			return err
		}
		if facts.Shown, err = shownVersions(ctx, tx, asked.Viewer, cableLayers()...); err != nil {
			return err
		}
		if facts.Moment, err = r.moment(ctx); err != nil {
			return err
		}
		if facts.RuleSets, err = r.ruleSets(ctx); err != nil {
			return err
		}
		reachM, err := asked.ReachM(facts.RuleSets)
		if err != nil {
			return err
		}
		r.boxes = []orb.Bound{grow(asked.Route, reachM+1)}
		return r.route(ctx, &facts.CableSurroundings)
	})
	return facts, translate("read the surroundings of a route", err)
}

// route reads what lies along a route.
func (r *reading) route(ctx context.Context, into *zoning.CableSurroundings) error {
	var ground zoning.SceneData
	for _, read := range []func(context.Context, *zoning.SceneData) error{r.territories, r.communes, r.areas, r.withheld} {
		if err := read(ctx, &ground); err != nil {
			return err
		}
	}
	into.Territories, into.Communes, into.Areas, into.Withheld = ground.Territories, ground.Communes, ground.Areas, ground.Withheld
	if err := r.undergroundZones(ctx, into); err != nil {
		return err
	}
	return r.poleLines(ctx, into)
}

// undergroundZones reads them, those that start later included: a proposal is told of them.
func (r *reading) undergroundZones(ctx context.Context, into *zoning.CableSurroundings) error {
	from, c, err := r.shown("underground_zones")
	if err != nil {
		return err
	}
	c.add("(valid_to IS NULL OR valid_to > %s::date)", c.bind(r.date.Time()))
	rows, err := r.query(ctx, "id, code, kind, coalesce(phase, ''), illustrative, valid_from, valid_to, "+recordedOn+", ST_AsEWKB(geom)", from, c)
	if err != nil {
		return err
	}
	z := zoning.UndergroundZone{Collection: "underground_zones"}
	var starts, ends, recorded day
	var raw []byte
	_, err = pgx.ForEachRow(rows, []any{&z.ID, &z.Code, &z.Kind, &z.Phase, &z.Illustrative, &starts, &ends, &recorded, &raw}, func() (err error) {
		z.Period, z.RecordedOn = geo.Period{From: starts.Date, To: ends.Date}, recorded.Date
		z.Geometry, err = decodeArea(raw)
		into.Zones = append(into.Zones, z)
		return err
	})
	return err
}

func (r *reading) poleLines(ctx context.Context, into *zoning.CableSurroundings) error {
	from, c, err := r.inForce("pole_lines")
	if err != nil {
		return err
	}
	rows, err := r.query(ctx, "id, code, kind, status, illustrative, "+recordedOn+", ST_AsEWKB(geom)", from, c)
	if err != nil {
		return err
	}
	l := zoning.PoleLine{Collection: "pole_lines"}
	var recorded day
	var raw []byte
	_, err = pgx.ForEachRow(rows, []any{&l.ID, &l.Code, &l.Kind, &l.Status, &l.Illustrative, &recorded, &raw}, func() (err error) {
		l.RecordedOn = recorded.Date
		l.Line, err = decodeLine(raw)
		into.Poles = append(into.Poles, l)
		return err
	})
	return err
}

// decodeLine reads a MultiLineStringZ and leaves its heights: go-geom, because nothing
// decodes Z through orb.
func decodeLine(raw []byte) (orb.MultiLineString, error) {
	g, err := ewkb.Unmarshal(raw)
	if err != nil {
		return nil, fmt.Errorf("decode the geometry: %w", err)
	}
	lines, ok := g.(*geom.MultiLineString)
	if !ok {
		return nil, fmt.Errorf("a %T where lines belong", g)
	}
	out := make(orb.MultiLineString, lines.NumLineStrings())
	for i := range out {
		for _, at := range lines.LineString(i).Coords() {
			out[i] = append(out[i], orb.Point{at.X(), at.Y()})
		}
	}
	return out, nil
}
