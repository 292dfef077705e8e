package postgis

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/plan"
)

// OnlyJurisdiction returns the province that all plans are of, or, without plans, the
// only province there is; "" where there are several or none.
func (s *Store) OnlyJurisdiction(ctx context.Context) (string, error) {
	var code string
	err := s.pool.QueryRow(ctx, `WITH of_plans AS (SELECT DISTINCT jurisdiction AS code FROM plans),
			known AS (SELECT code FROM of_plans UNION SELECT code FROM provinces WHERE NOT EXISTS (SELECT FROM of_plans))
		SELECT CASE count(*) WHEN 1 THEN min(code) ELSE '' END FROM known`).Scan(&code)
	return code, translate("look up the province", err)
}

// Zone returns the time zone of the register's days: hatang_today is the day in it.
func (s *Store) Zone(ctx context.Context) (*time.Location, error) {
	var name string
	if err := s.pool.QueryRow(ctx, "SELECT hatang_zone()").Scan(&name); err != nil {
		return nil, translate("read the time zone", err)
	}
	return time.LoadLocation(name)
}

// Plans returns the plans by the day they took force.
func (s *Store) Plans(ctx context.Context) ([]plan.Info, error) {
	rows, err := s.pool.Query(ctx, "SELECT id, title, jurisdiction, valid_from, reference_date FROM plans ORDER BY valid_from, id")
	if err != nil {
		return nil, translate("read the plans", err)
	}
	plans, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (plan.Info, error) {
		var p plan.Info
		var from, reference day
		err := row.Scan(&p.ID, &p.Title, &p.Jurisdiction, &from, &reference)
		p.ValidFrom, p.ReferenceDate = from.Date, reference.Date
		return p, err
	})
	return plans, translate("read the plans", err)
}

// FeatureSource reads the features of one file of a pack.
type FeatureSource func(file plan.LayerFile, l *layer.Layer, add func(Incoming) error) error

// LoadPack puts a plan pack into the database in one transaction: the plan, its
// rule set, organisations and features. Every refused feature of any layer is
// reported at once, as *layer.InvalidError, and then nothing is loaded. Progress is
// told each layer and its rows. A database that holds a plan or features already is
// left as it is and loaded is false; of several callers at once, one loads.
func (a *Admin) LoadPack(ctx context.Context, p *plan.Pack, layers *layer.Registry, read FeatureSource, progress func(layer string, rows int)) (loaded bool, err error) {
	err = pgx.BeginFunc(ctx, a.conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT set_config('hatang.who', $1, true), pg_advisory_xact_lock($2)", "pack:"+p.ID, loadLock); err != nil {
			return err
		}
		empty, err := isEmpty(ctx, tx, layers)
		if err != nil || !empty {
			return err
		}
		if err := insertPlan(ctx, tx, p); err != nil {
			return err
		}
		loaded = true
		var faults layer.Faults
		for _, file := range p.Features() {
			l, ok := layers.Get(file.Layer)
			if !ok {
				return fmt.Errorf("the pack has features of an unknown layer %s", file.Layer)
			}
			options := ImportOptions{Date: p.ReferenceDate, OnConflict: FailExisting, Defaults: map[string]any{"jurisdiction": p.Jurisdiction}}
			summary, err := importRows(ctx, tx, account.Holder("pack:"+p.ID, account.Administrator), l, options, func(add func(Incoming) error) error { return read(file, l, add) })
			if err != nil {
				return fmt.Errorf("load %s: %w", file.Layer, err)
			}
			if _, err := tx.Exec(ctx, "DROP TABLE staging"); err != nil {
				return err
			}
			for _, r := range summary.Refused {
				for _, f := range r.Faults {
					f.At = fmt.Sprintf("%s, row %d (%s)%s", file.Layer, r.Row, r.Code, f.At)
					faults = append(faults, f)
				}
			}
			progress(file.Layer, summary.Inserted)
		}
		return faults.Err()
	})
	return loaded && err == nil, translate("load the plan", err)
}

// loadLock is the advisory lock of loading a pack.
const loadLock = 7140618

// isEmpty reports whether the database holds no plan and no feature yet.
func isEmpty(ctx context.Context, db querier, layers *layer.Registry) (bool, error) {
	sql := "SELECT EXISTS (SELECT FROM plans)"
	for _, l := range layers.All() {
		sql += " OR EXISTS (SELECT FROM " + quote(l.Name) + ")"
	}
	var some bool
	err := db.QueryRow(ctx, sql).Scan(&some)
	return !some, err
}

// insertPlan writes all of a pack that is not features.
func insertPlan(ctx context.Context, tx pgx.Tx, p *plan.Pack) error {
	pi, err := p.ServiceRadius.Pi.Float64()
	if err != nil {
		return fmt.Errorf("pi of the plan: %w", err)
	}
	settings := map[string]any{"crs": p.CRS, "working_days": p.WorkingDays, "holidays": p.Yearly(), "permit": p.Periods, "sharing_figures_name_owners": p.NamesOwners, "basemap": p.Basemap, "stated_radii": p.ServiceRadius.Stated, "legal_basis": p.LegalBasis, "territory": p.Territory, "papers": p.Papers}
	if p.TimeZone != "" {
		settings["time_zone"] = p.TimeZone
	}
	if _, err := tx.Exec(ctx, `INSERT INTO plans (id, version, title, jurisdiction, valid_from, reference_date, pi, pi_source, settings)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		p.ID, p.Version, p.Title, p.Jurisdiction, p.InForceFrom.Time(), p.ReferenceDate.Time(), pi, p.ServiceRadius.Source.EN, settings); err != nil {
		return err
	}
	if err := insertCalendar(ctx, tx, p); err != nil {
		return err
	}
	for _, phase := range p.Phases {
		if _, err := tx.Exec(ctx, "INSERT INTO plan_phases (plan, code, title, starts, ends) VALUES ($1, $2, $3, $4, $5)",
			p.ID, phase.ID, phase.Title, phase.From.Time(), phase.To.Time()); err != nil {
			return err
		}
	}
	if err := insertOrganisations(ctx, tx, p); err != nil {
		return err
	}
	if err := insertRules(ctx, tx, p); err != nil {
		return err
	}
	return insertEntries(ctx, tx, p)
}

func insertOrganisations(ctx context.Context, tx pgx.Tx, p *plan.Pack) error {
	add := func(code, kind string, name geo.Text) error {
		_, err := tx.Exec(ctx, "INSERT INTO organisations (code, kind, name) VALUES ($1, $2, $3) ON CONFLICT (code) DO NOTHING", code, kind, name)
		return err
	}
	for _, o := range p.Operators {
		if err := add(o.Code, "operator", o.Name); err != nil {
			return err
		}
	}
	for _, agency := range p.Agencies {
		if err := add(agency.Code, "agency", agency.Name); err != nil {
			return err
		}
	}
	return nil
}

func insertRules(ctx context.Context, tx pgx.Tx, p *plan.Pack) error {
	rules, err := zoning.ParseRuleSet(p.Rules())
	if err != nil {
		return fmt.Errorf("rule set of the pack: %w", err)
	}
	var to any
	if ends := rules.Period().To; !ends.IsZero() {
		to = ends.Time()
	}
	_, err = tx.Exec(ctx, `INSERT INTO rule_sets (id, version, plan, jurisdiction, valid_from, valid_to, state, body, published_at)
		VALUES ($1, $2, $3, $4, $5, $6, 'published', $7, now())`,
		rules.ID(), rules.Version(), p.ID, p.Jurisdiction, rules.Period().From.Time(), to, []byte(p.Rules()))
	return err
}

func insertEntries(ctx context.Context, tx pgx.Tx, p *plan.Pack) error {
	var rows [][]any
	add := func(kind, id string, body any) error {
		raw, err := json.Marshal(body)
		rows = append(rows, []any{p.ID, kind, id, len(rows), raw})
		return err
	}
	for _, e := range p.Indicators {
		if err := add(plan.EntryIndicator, e.ID, e); err != nil {
			return err
		}
	}
	for _, e := range p.Projects.Items {
		if err := add(plan.EntryProject, e.ID, e); err != nil {
			return err
		}
	}
	for _, e := range p.Tables {
		if err := add(plan.EntryTable, e.ID, e); err != nil {
			return err
		}
	}
	for _, e := range p.Discrepancies {
		if err := add(plan.EntryDiscrepancy, e.ID, e); err != nil {
			return err
		}
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"plan_entries"}, []string{"plan", "kind", "id", "position", "body"}, pgx.CopyFromRows(rows))
	return err
}

// PlanEntries returns the documents of one kind of a plan, in the pack's order; id
// "" means all of them.
func (s *Store) PlanEntries(ctx context.Context, planID, kind, id string) ([]json.RawMessage, error) {
	rows, err := s.pool.Query(ctx, "SELECT body FROM plan_entries WHERE plan = $1 AND kind = $2 AND ($3 = '' OR id = $3) ORDER BY position", planID, kind, id)
	if err != nil {
		return nil, translate("read the plan", err)
	}
	entries, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (json.RawMessage, error) {
		var body []byte
		err := row.Scan(&body)
		return body, err
	})
	return entries, translate("read the plan", err)
}

// PlanPhases returns the phases of a plan by time.
func (s *Store) PlanPhases(ctx context.Context, planID string) ([]plan.Phase, error) {
	rows, err := s.pool.Query(ctx, "SELECT code, title, starts, ends FROM plan_phases WHERE plan = $1 ORDER BY starts", planID)
	if err != nil {
		return nil, translate("read the phases", err)
	}
	phases, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (plan.Phase, error) {
		var p plan.Phase
		var from, to day
		err := row.Scan(&p.ID, &p.Title, &from, &to)
		p.From, p.To = from.Date, to.Date
		return p, err
	})
	return phases, translate("read the phases", err)
}

// Grid is the projected reference system that a plan prefers.
type Grid struct {
	EPSG  int
	Name  string
	Proj4 string
}

// PreferredGrid returns the grid of the first plan; nil where no plan names one that
// the database knows.
func (s *Store) PreferredGrid(ctx context.Context) (*Grid, error) {
	rows, err := s.pool.Query(ctx, `SELECT r.auth_srid, coalesce(e->>'name', r.auth_name || ':' || r.auth_srid), r.proj4text
		FROM (SELECT settings FROM plans ORDER BY valid_from, id LIMIT 1) p
		JOIN spatial_ref_sys r ON r.srid = (p.settings->'crs'->>'preferred')::int
		LEFT JOIN LATERAL jsonb_array_elements(p.settings->'crs'->'list') e ON (e->>'epsg')::int = r.srid`)
	if err != nil {
		return nil, translate("read the plan's grid", err)
	}
	grids, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Grid])
	if err != nil || len(grids) == 0 {
		return nil, translate("read the plan's grid", err)
	}
	return &grids[0], nil
}

// PaperHeading returns what stands at the top of papers about a province on a date, by the
// plan in force there, else by another; the zero Heading where there is no plan. A plan that
// says nothing of papers has its territory's name in the place of an agency.
func (s *Store) PaperHeading(ctx context.Context, province string, date geo.Date) (plan.Heading, error) {
	rows, err := s.pool.kept.Query(ctx, `SELECT coalesce(p.style->'state', '{}'), coalesce(p.style->'motto', '{}'), coalesce(above.name, '{}'),
			coalesce(agency.name, p.settings->'territory'->'name', '{}'), coalesce(p.style->'place', '{}'), coalesce((p.settings->'crs'->>'preferred')::int, 0), hatang_zone()
		FROM (SELECT *, nullif(settings->'papers', 'null') AS style FROM plans
			ORDER BY jurisdiction = $1 DESC, valid_from <= $2::date DESC, valid_from DESC, id LIMIT 1) p
		LEFT JOIN organisations agency ON agency.code = p.style->>'agency' LEFT JOIN organisations above ON above.code = p.style->>'above'`, province, date.Time())
	if err != nil {
		return plan.Heading{}, translate("read the heading of papers", err)
	}
	headings, err := pgx.CollectRows(rows, pgx.RowToStructByPos[plan.Heading])
	if err != nil || len(headings) == 0 {
		return plan.Heading{}, translate("read the heading of papers", err)
	}
	return headings[0], nil
}
