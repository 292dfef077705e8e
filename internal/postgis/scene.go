package postgis

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/layer"
)

// scene reads everything that judges places.
func (r *reading) scene(ctx context.Context, into *zoning.SceneData) error {
	reads := []func(context.Context, *zoning.SceneData) error{r.masts, r.namedMasts, r.areas, r.withheld}
	if !r.withoutGround {
		reads = append(reads, r.territories, r.communes, r.zones)
	}
	for _, read := range reads {
		if err := read(ctx, into); err != nil {
			return err
		}
	}
	return nil
}

func (r *reading) territories(ctx context.Context, into *zoning.SceneData) error {
	from, c, err := r.inForce("provinces")
	if err != nil {
		return err
	}
	rows, err := r.query(ctx, "id, code, ST_AsEWKB(geom)", from, c)
	if err != nil {
		return err
	}
	var t zoning.Territory
	var raw []byte
	_, err = pgx.ForEachRow(rows, []any{&t.ID, &t.Code, &raw}, func() (err error) {
		t.Geometry, err = decodeArea(raw)
		into.Territories = append(into.Territories, t)
		return err
	})
	return err
}

func (r *reading) communes(ctx context.Context, into *zoning.SceneData) error {
	from, c, err := r.inForce("communes")
	if err != nil {
		return err
	}
	rows, err := r.query(ctx, "id, code, coalesce(district_code, ''), coalesce(urban, false), ST_AsEWKB(geom)", from, c)
	if err != nil {
		return err
	}
	var u zoning.Commune
	var raw []byte
	_, err = pgx.ForEachRow(rows, []any{&u.ID, &u.Code, &u.District, &u.Urban, &raw}, func() (err error) {
		u.Geometry, err = decodeArea(raw)
		into.Communes = append(into.Communes, u)
		return err
	})
	return err
}

// zones reads the zones, those that start later included: a proposal is told of them.
func (r *reading) zones(ctx context.Context, into *zoning.SceneData) error {
	widestM, err := r.widestEdgeM(ctx)
	if err != nil {
		return err
	}
	further := *r
	further.boxes = slices.Clone(r.boxes)
	for i := range further.boxes {
		further.boxes[i] = grow(further.boxes[i], widestM)
	}
	from, c, err := further.shown("mast_zones")
	if err != nil {
		return err
	}
	c.add("(valid_to IS NULL OR valid_to > %s::date)", c.bind(r.date.Time()))
	rows, err := r.query(ctx, "id, code, zone_class, coalesce(phase, ''), illustrative, accuracy_m, valid_from, valid_to, "+recordedOn+", ST_AsEWKB(geom)", from, c)
	if err != nil {
		return err
	}
	z := zoning.Zone{Collection: "mast_zones"}
	var starts, ends, recorded day
	var raw []byte
	_, err = pgx.ForEachRow(rows, []any{&z.ID, &z.Code, &z.Class, &z.Phase, &z.Illustrative, &z.AccuracyM, &starts, &ends, &recorded, &raw}, func() (err error) {
		z.Period, z.RecordedOn = geo.Period{From: starts.Date, To: ends.Date}, recorded.Date
		z.Geometry, err = decodeArea(raw)
		into.Zones = append(into.Zones, z)
		return err
	})
	return err
}

// widestEdgeM is how poor the poorest edge of a zone is, metres, 0 where none is so
// poor that zones matter beyond the boxes: beside such an edge all zones matter that
// lie within its accuracy.
func (r *reading) widestEdgeM(ctx context.Context) (widestM float64, err error) {
	if r.boxes == nil {
		return 0, nil
	}
	c := &conditions{}
	from, err := r.from(c, "mast_zones")
	if err != nil {
		return 0, err
	}
	c.add("NOT illustrative AND accuracy_m > %v", zoneMarginM)
	c.add("(valid_to IS NULL OR valid_to > %s::date)", c.bind(r.date.Time()))
	err = r.tx.QueryRow(ctx, "SELECT coalesce(max(accuracy_m), 0) FROM "+from+" AS t"+c.where(), c.args...).Scan(&widestM)
	return widestM, err
}

// recordedOn is the day on which the register last recorded a row, in UTC.
const recordedOn = "(updated_at AT TIME ZONE 'UTC')::date"

// masts reads the sites with the operators on each. Whose a draft is matters of those of
// others than the viewer's organisation.
func (r *reading) masts(ctx context.Context, into *zoning.SceneData) error {
	from, c, err := r.inForce("bts_sites")
	if err != nil {
		return err
	}
	rows, err := r.query(ctx, "id, code, mast_type, height_m, status, illustrative, ST_X(geom), ST_Y(geom), structure, half_width_m, host_building_height_m, concealed, valid_from, "+recordedOn+", CASE status WHEN "+c.bind(layer.Draft)+" THEN coalesce(owner_organisation, '') ELSE '' END", from, c)
	if err != nil {
		return err
	}
	m := zoning.Mast{Collection: "bts_sites"}
	var kind string
	var built zoning.Built
	var since, recorded day
	var owner string
	own := r.viewer.Sight("bts_sites").Organisation
	known := words{}
	_, err = pgx.ForEachRow(rows, []any{&m.ID, &m.Code, &kind, &m.HeightM, &m.Status, &m.Illustrative, &m.Point[0], &m.Point[1],
		&built.Structure, &built.HalfWidthM, &built.HostBuildingHeightM, &built.Concealed, &since, &recorded, &owner}, func() error {
		if m.Owner = known.one(owner); owner == own {
			m.Owner = ""
		}
		m.MastType, m.Status, m.RecordedOn = geo.MastType(known.one(kind)), known.one(m.Status), recorded.Date
		its := built
		its.Since = since.Date
		m.Built = &its
		into.Masts = append(into.Masts, m)
		return nil
	})
	if err != nil || len(into.Masts) == 0 {
		return err
	}
	return r.operators(ctx, into.Masts, known)
}

// namedMasts adds those of the masts that are asked about which lie beyond the boxes.
func (r *reading) namedMasts(ctx context.Context, into *zoning.SceneData) error {
	if len(r.named) == 0 || r.boxes == nil {
		return nil
	}
	read := make(map[int64]bool, len(into.Masts))
	for i := range into.Masts {
		read[into.Masts[i].ID] = true
	}
	alone := *r
	alone.boxes, alone.only = nil, slices.DeleteFunc(slices.Clone(r.named), func(id int64) bool { return read[id] })
	if len(alone.only) == 0 {
		return nil
	}
	var more zoning.SceneData
	err := alone.masts(ctx, &more)
	into.Masts = append(into.Masts, more.Masts...)
	return err
}

// operators adds to the masts the operators on each, and the refusals to share it: the viewer sees an operator
// only through a position that he sees, on the mast that bears its code. Reading the positions by themselves costs a
// third of joining them.
func (r *reading) operators(ctx context.Context, masts []zoning.Mast, known words) error {
	at, err := r.bearers(ctx, masts)
	if err != nil {
		return err
	}
	from, c, err := r.rows("operator_positions")
	if err != nil {
		return err
	}
	c.inForce(r.date)
	if r.boxes != nil || r.only != nil {
		c.add("site_code = ANY (%s)", c.bind(slices.Collect(maps.Keys(at))))
	}
	rows, err := r.tx.Query(ctx, "SELECT site_code, operator FROM "+from+c.where(), c.args...)
	if err != nil {
		return err
	}
	var site, operator string
	_, err = pgx.ForEachRow(rows, []any{&site, &operator}, func() error {
		if i, ok := at[site]; ok && !slices.Contains(masts[i].Operators, operator) {
			masts[i].Operators = append(masts[i].Operators, known.one(operator))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range masts {
		slices.Sort(masts[i].Operators)
	}
	return r.refusals(ctx, masts, at)
}

// bearers returns which of the masts bears each code. Drafts may have the code of a site
// that stands, or of each other, wherever these lie: of those in force that the viewer
// sees the site that stands bears it, or else the draft with the lowest id.
func (r *reading) bearers(ctx context.Context, masts []zoning.Mast) (map[string]int, error) {
	at := make(map[string]int, len(masts))
	drafts := map[int64]int{}
	var codes []string
	for i := range masts {
		if masts[i].Status == layer.Draft {
			drafts[masts[i].ID] = i
			codes = append(codes, masts[i].Code)
			continue
		}
		at[masts[i].Code] = i
	}
	if len(drafts) == 0 {
		return at, nil
	}
	from, c, err := r.rows("bts_sites")
	if err != nil {
		return nil, err
	}
	c.inForce(r.date)
	c.add("code = ANY (%s)", c.bind(codes))
	draft := c.bind(layer.Draft)
	rows, err := r.tx.Query(ctx, "SELECT DISTINCT ON (code) code, id FROM "+from+c.where()+" ORDER BY code, status = "+draft+", id", c.args...)
	if err != nil {
		return nil, err
	}
	var code string
	var id int64
	_, err = pgx.ForEachRow(rows, []any{&code, &id}, func() error {
		if i, ok := drafts[id]; ok {
			at[code] = i
		}
		return nil
	})
	return at, err
}

// words keeps one copy of each of the few words that many rows have.
type words map[string]string

func (w words) one(s string) string {
	if kept, ok := w[s]; ok {
		return kept
	}
	w[s] = s
	return s
}

// areas reads the special areas that the viewer may see.
func (r *reading) areas(ctx context.Context, into *zoning.SceneData) error {
	from, c, err := r.inForce("special_areas")
	if err != nil {
		return err
	}
	rows, err := r.query(ctx, "id, code, coalesce(name, ''), kind, max_height_m, illustrative, "+recordedOn+", ST_AsEWKB(geom)", from, c)
	if err != nil {
		return err
	}
	a := zoning.Area{Collection: "special_areas"}
	var recorded day
	var raw []byte
	_, err = pgx.ForEachRow(rows, []any{&a.ID, &a.Code, &a.Name, &a.Kind, &a.MaxHeightM, &a.Illustrative, &recorded, &raw}, func() (err error) {
		a.RecordedOn = recorded.Date
		a.Geometry, err = decodeArea(raw)
		into.Areas = append(into.Areas, a)
		return err
	})
	return err
}

// withheld finds, for a viewer who may not see certain areas, which communes they
// touch: each acts on the whole of them, so that its place cannot be inferred.
func (r *reading) withheld(ctx context.Context, into *zoning.SceneData) error {
	into.Withheld = map[string][]zoning.Area{}
	l, err := r.layer("special_areas")
	if err != nil || r.viewer.Sight(l.Name).Withheld {
		return err
	}
	c := &conditions{}
	communes, err := r.from(c, "communes")
	if err != nil {
		return err
	}
	areas, err := r.from(c, "special_areas")
	if err != nil {
		return err
	}
	near := &conditions{args: c.args}
	near.inForce(r.date)
	r.inBoxes(near)
	hidden := &conditions{args: near.args}
	hidden.inForce(r.date)
	hidden.add("%s = ANY (%s)", quote(l.WithheldField), hidden.bind(l.WithheldValues))
	rows, err := r.tx.Query(ctx, `SELECT u.code, a.kind, bool_or(a.illustrative)
		FROM (SELECT code, geom FROM `+communes+` AS t`+near.where()+`) u
		JOIN (SELECT kind, illustrative, geom FROM `+areas+` AS t`+hidden.where()+`) a ON ST_Intersects(u.geom, a.geom)
		GROUP BY 1, 2 ORDER BY 1, 2`, hidden.args...)
	if err != nil {
		return err
	}
	a := zoning.Area{Collection: "special_areas", Withheld: true, WholeCommune: true}
	var code string
	_, err = pgx.ForEachRow(rows, []any{&code, &a.Kind, &a.Illustrative}, func() error {
		into.Withheld[code] = append(into.Withheld[code], a)
		return nil
	})
	return err
}
