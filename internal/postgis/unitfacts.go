package postgis

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/plan"
)

// unitLayers are the layers of administrative units by level.
func unitLayer(level string) (string, bool) {
	name, ok := map[string]string{"province": "provinces", "district": "districts", "commune": "communes"}[level]
	return name, ok
}

// UnitFacts reads what the indicators of one unit, or of a whole level when code is
// "", are computed from, in one snapshot of the database. An unknown code gives
// facts without units.
func (s *Store) UnitFacts(ctx context.Context, v account.Viewer, level, code string, date geo.Date) (plan.Facts, error) {
	name, ok := unitLayer(level)
	if !ok {
		return plan.Facts{}, fmt.Errorf("level %q: %w", level, layer.ErrNotFound)
	}
	facts := plan.Facts{PhaseEnds: map[string]geo.Date{}, Versions: layer.Versions{}}
	err := s.within(ctx, snapshot, reportTime, func(tx pgx.Tx) error {
		part, err := newReading(ctx, tx, s.layers, permit.Asked{Viewer: v, Date: date})
		if err != nil {
			return err
		}
		facts.Generalised = generalised(v, part.published)
		r := factReading{*part, &facts}
		if err := r.units(ctx, level, name, code); err != nil || len(facts.Units) == 0 {
			return err
		}
		if err := r.narrow(ctx, code); err != nil {
			return err
		}
		for _, read := range []func(context.Context) error{r.versions, r.plan, r.sites, r.positions, r.postal, r.settlements, r.communes} {
			if err := read(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	return facts, translate("read what the indicators are made of", err)
}

// factReading fills facts.
type factReading struct {
	reading
	facts *plan.Facts
}

func (r *factReading) units(ctx context.Context, level, name, code string) error {
	from, c, err := r.inForce(name)
	if err != nil {
		return err
	}
	if code != "" {
		c.add("code = %s", c.bind(code))
	}
	rows, err := r.tx.Query(ctx, `SELECT code, coalesce(name, code), jurisdiction, valid_from, coalesce(figures_source, ''), official_area_m2, population, population_year, ST_AsEWKB(geom)
		FROM `+from+c.where()+" ORDER BY code, id", c.args...)
	if err != nil {
		return err
	}
	r.facts.Units, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (plan.UnitFacts, error) {
		u := plan.UnitFacts{Level: level}
		var starts day
		var raw []byte
		if err := row.Scan(&u.Code, &u.Name, &u.Jurisdiction, &starts, &u.FiguresSource, &u.OfficialAreaM2, &u.Population, &u.PopulationYear, &raw); err != nil {
			return u, err
		}
		u.ValidFrom = starts.Date
		var err error
		u.Shape, err = decodeArea(raw)
		return u, err
	})
	return err
}

// narrow limits the reading to the box of one unit, widened so that it holds every site
// that may cover a part of the unit or be the nearest to one: by the greatest service
// radius, and by the distance from the unit's centre to an existing site and, twice, to the
// farthest corner of its box: what is farther than that is the nearest to no point.
func (r *factReading) narrow(ctx context.Context, code string) error {
	if code == "" {
		return nil
	}
	box := r.facts.Units[0].Shape.Bound()
	centre, corner := box.Center(), 0.0
	for _, p := range box.ToRing() {
		corner = max(corner, geo.DistanceM(centre, p))
	}
	from, c, err := r.inForce("bts_sites")
	if err != nil {
		return err
	}
	c.add("status = 'existing'")
	at := fmt.Sprintf("ST_SetSRID(ST_MakePoint(%s, %s), %d)", c.bind(centre[0]), c.bind(centre[1]), layer.SRID)
	var reach, nearest *float64
	if err := r.tx.QueryRow(ctx, "SELECT (SELECT max(service_radius_m) FROM bts_sites), (SELECT ST_Distance(geom::geography, "+at+"::geography) FROM "+
		from+c.where()+" ORDER BY geom <-> "+at+" LIMIT 1)", c.args...).Scan(&reach, &nearest); err != nil {
		return err
	}
	if nearest == nil { // a planned one may be the nearest wherever it is
		return nil
	}
	margin := *nearest + 2.1*corner
	if reach != nil {
		margin = max(margin, *reach)
	}
	r.boxes = []orb.Bound{grow(box, margin)}
	return nil
}

func (r *factReading) versions(ctx context.Context) error {
	var err error
	r.facts.Versions, err = shownVersions(ctx, r.tx, r.viewer, "provinces", "districts", "communes", "bts_sites", "operator_positions", "postal_points", "kiosks", "mast_zones", "settlements", "plans", "rule_sets")
	return err
}

// plan reads pi and the phases of the plan in force on the date, or, before any is,
// of the first one.
func (r *factReading) plan(ctx context.Context) error {
	var id string
	err := r.tx.QueryRow(ctx, "SELECT id, pi FROM plans ORDER BY valid_from <= $1::date DESC, abs(valid_from - $1::date), id LIMIT 1", r.date.Time()).Scan(&id, &r.facts.Pi)
	if errors.Is(err, pgx.ErrNoRows) {
		r.facts.Pi = math.Pi
		return nil
	}
	if err != nil {
		return err
	}
	rows, err := r.tx.Query(ctx, "SELECT code, ends FROM plan_phases WHERE plan = $1", id)
	if err != nil {
		return err
	}
	var code string
	var ends day
	_, err = pgx.ForEachRow(rows, []any{&code, &ends}, func() error {
		r.facts.PhaseEnds[code] = ends.Date
		return nil
	})
	return err
}

func (r *factReading) sites(ctx context.Context) error {
	from, c, err := r.inForce("bts_sites")
	if err != nil {
		return err
	}
	rows, err := r.tx.Query(ctx, `SELECT id, code, mast_type, structure, height_m, service_radius_m, status, coalesce(phase, ''), illustrative, valid_from, ST_AsEWKB(geom)
		FROM `+from+c.where()+" ORDER BY id", c.args...)
	if err != nil {
		return err
	}
	r.facts.Sites, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (plan.SiteFacts, error) {
		var s plan.SiteFacts
		var kind string
		var structure *string
		var starts day
		var raw []byte
		m := &s.Mast
		m.Collection = "bts_sites"
		if err := row.Scan(&m.ID, &m.Code, &kind, &structure, &m.HeightM, &s.RadiusM, &m.Status, &s.Phase, &m.Illustrative, &starts, &raw); err != nil {
			return s, err
		}
		m.MastType, s.Since = geo.MastType(kind), starts.Date
		if structure != nil {
			known := geo.Structure(*structure)
			s.Structure = &known
		}
		var err error
		m.Point, err = decodePoint(raw)
		return s, err
	})
	return err
}

// positions are read by site, wherever the operator says that it stands.
func (r *factReading) positions(ctx context.Context) error {
	anywhere := r.reading
	anywhere.boxes = nil
	from, c, err := anywhere.inForce("operator_positions")
	if err != nil {
		return err
	}
	codes := make([]string, len(r.facts.Sites))
	for i, s := range r.facts.Sites {
		codes[i] = s.Mast.Code
	}
	c.add("site_code = ANY (%s)", c.bind(codes))
	rows, err := r.tx.Query(ctx, "SELECT site_code, operator, status, coalesce(phase, '') FROM "+from+c.where()+" ORDER BY id", c.args...)
	if err != nil {
		return err
	}
	r.facts.Positions, err = pgx.CollectRows(rows, pgx.RowToStructByPos[plan.PositionFacts])
	return err
}

func (r *factReading) postal(ctx context.Context) error {
	for _, name := range []string{"postal_points", "kiosks"} {
		from, c, err := r.inForce(name)
		if err != nil {
			return err
		}
		rows, err := r.tx.Query(ctx, "SELECT status, coalesce(phase, ''), ST_AsEWKB(geom) FROM "+from+c.where()+" ORDER BY id", c.args...)
		if err != nil {
			return err
		}
		points, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (plan.PostalFacts, error) {
			var p plan.PostalFacts
			var raw []byte
			if err := row.Scan(&p.Status, &p.Phase, &raw); err != nil {
				return p, err
			}
			var err error
			p.Point, err = decodePoint(raw)
			return p, err
		})
		if err != nil {
			return err
		}
		r.facts.Postal = append(r.facts.Postal, points...)
	}
	return nil
}

func (r *factReading) settlements(ctx context.Context) error {
	from, c, err := r.inForce("settlements")
	if err != nil {
		return err
	}
	rows, err := r.tx.Query(ctx, "SELECT population, ST_AsEWKB(geom) FROM "+from+c.where()+" ORDER BY id", c.args...)
	if err != nil {
		return err
	}
	r.facts.Settlements, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (plan.SettlementFacts, error) {
		var s plan.SettlementFacts
		var raw []byte
		if err := row.Scan(&s.Population, &raw); err != nil {
			return s, err
		}
		var err error
		s.Point, err = decodePoint(raw)
		return s, err
	})
	return err
}

// communes are read by the unit that they name as theirs.
func (r *factReading) communes(ctx context.Context) error {
	column, ok := map[string]string{"province": "province_code", "district": "district_code"}[r.facts.Units[0].Level]
	if !ok {
		return nil
	}
	anywhere := r.reading
	anywhere.boxes = nil
	from, c, err := anywhere.inForce("communes")
	if err != nil {
		return err
	}
	codes := make([]string, len(r.facts.Units))
	for i, u := range r.facts.Units {
		codes[i] = u.Code
	}
	c.add(column+" = ANY (%s)", c.bind(codes))
	rows, err := r.tx.Query(ctx, "SELECT code, "+column+", population, population_year, ST_AsEWKB(geom) FROM "+from+c.where()+" ORDER BY code, id", c.args...)
	if err != nil {
		return err
	}
	r.facts.Communes, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (plan.UnitFacts, error) {
		u := plan.UnitFacts{Level: "commune"}
		var parent string
		var raw []byte
		if err := row.Scan(&u.Code, &parent, &u.Population, &u.PopulationYear, &raw); err != nil {
			return u, err
		}
		u.Parents = map[string]string{r.facts.Units[0].Level: parent}
		var err error
		u.Shape, err = decodeArea(raw)
		return u, err
	})
	return err
}
