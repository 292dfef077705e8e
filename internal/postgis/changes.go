package postgis

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/permit"
)

// mostChanges is how many changed rows are read one by one; beyond, reading all
// again costs less.
const mostChanges = 5000

// unseen are the features that transactions changed which the snapshot $1 does not hold:
// one that was running then is found by its number. A consultation changes no row, but who
// sees one; a request to share a mast what is known of it.
const unseen = `(SELECT layer, feature_id AS feature, coalesce(before->>'site_code', CASE layer WHEN 'bts_sites' THEN before->>'code' END, '') AS site, xid FROM history
		UNION ALL SELECT layer, feature, '', xid FROM consultations
		UNION ALL SELECT collection, feature, code, xid FROM sharing_steps JOIN sharing_requests ON number = request WHERE code IS NOT NULL) changed
	WHERE xid >= pg_snapshot_xmin($1::text::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot)`

// Changes reads what became of the facts since a state: the rows that transactions
// changed which the state does not hold. The history names them, for psql's edits
// as for ours, and a transaction that was running then is found by its number, so
// that none is missed whatever the order of commits.
func (s *Store) Changes(ctx context.Context, asked permit.Asked, since permit.State) (permit.Changes, error) {
	changes := permit.Changes{}
	err := pgx.BeginTxFunc(ctx, s.pool, snapshot, func(tx pgx.Tx) error {
		r, err := newReading(ctx, tx, s.layers, asked)
		if err != nil {
			return err
		}
		if changes.State, changes.Shown, err = r.state(ctx); err != nil {
			return err
		}
		if changes.Whole = changes.State.Server != since.Server || sightChanged(asked.Viewer, since, changes.State); changes.Whole {
			return nil
		}
		if changes.RuleSets, err = r.ruleSets(ctx); err != nil {
			return err
		}
		changed, err := r.changedSince(ctx, since)
		if err != nil || changed.count > mostChanges {
			changes.Whole = changed.count > mostChanges
			return err
		}
		return r.changes(ctx, changed, &changes.Changes)
	})
	return changes, translate("read what has changed", err)
}

// sightChanged reports whether the viewer may see other rows than before though these
// have not changed.
func sightChanged(v account.Viewer, before, now permit.State) bool {
	changed := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return before.Versions[name] != now.Versions[name] })
	}
	if !v.Known() {
		return changed("publications")
	}
	return v.Limited() && changed("provinces", "districts", "communes")
}

// changedRows are the ids of changed rows by layer, and the codes that changed sites had
// and those of the sites that changed positions stood on.
type changedRows struct {
	count     int
	ids       map[string][]int64
	siteCodes []string
}

func (r *reading) changedSince(ctx context.Context, since permit.State) (changedRows, error) {
	changed := changedRows{ids: map[string][]int64{}}
	rows, err := r.tx.Query(ctx, "SELECT DISTINCT layer, feature, site FROM "+unseen+` AND layer = ANY ($2)
		LIMIT $3`, since.Snapshot, checkLayers(), mostChanges+1)
	if err != nil {
		return changed, err
	}
	var name, site string
	var id int64
	_, err = pgx.ForEachRow(rows, []any{&name, &id, &site}, func() error {
		changed.count++
		changed.ids[name] = append(changed.ids[name], id)
		if site != "" {
			changed.siteCodes = append(changed.siteCodes, site)
		}
		return nil
	})
	return changed, err
}

// changes reads the changed rows as they are now; those that are not shown any
// more, or not in force, are gone.
func (r *reading) changes(ctx context.Context, changed changedRows, into *zoning.Changes) error {
	if err := r.sitesOfCodes(ctx, &changed); err != nil {
		return err
	}
	into.GoneTerritories, into.GoneCommunes, into.GoneZones = changed.ids["provinces"], changed.ids["communes"], changed.ids["mast_zones"]
	into.GoneMasts, into.GoneAreas = changed.ids["bts_sites"], changed.ids["special_areas"]
	for _, read := range []struct {
		layer string
		rows  func(context.Context, *zoning.SceneData) error
	}{{"provinces", r.territories}, {"communes", r.communes}, {"mast_zones", r.zones}, {"bts_sites", r.masts}, {"special_areas", r.areas}} {
		if r.only = changed.ids[read.layer]; len(r.only) == 0 {
			continue
		}
		if err := read.rows(ctx, &into.Came); err != nil {
			return err
		}
	}
	r.only = nil
	if len(changed.ids["communes"])+len(changed.ids["special_areas"]) == 0 {
		return nil
	}
	return r.withheld(ctx, &into.Came)
}

// sitesOfCodes adds the sites whose operators may have changed though they did not: all that
// have, or had, the code of one that did or on which a changed position stands or stood.
func (r *reading) sitesOfCodes(ctx context.Context, changed *changedRows) error {
	sites, positions := changed.ids["bts_sites"], changed.ids["operator_positions"]
	if len(sites)+len(positions) == 0 {
		return nil
	}
	rows, err := r.tx.Query(ctx, `SELECT id FROM bts_sites WHERE code = ANY ($1) OR code = ANY (ARRAY(
		SELECT code FROM bts_sites WHERE id = ANY ($2) UNION SELECT site_code FROM operator_positions WHERE id = ANY ($3)))`, changed.siteCodes, sites, positions)
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	ids = append(ids, sites...)
	slices.Sort(ids)
	changed.ids["bts_sites"] = slices.Compact(ids)
	return err
}

// Ground tells viewers apart who see other territories, communes or zones: where it
// is the same, so are these.
func (s *Store) Ground(v account.Viewer) (string, error) {
	c := &conditions{}
	for _, name := range []string{"provinces", "communes", "mast_zones"} {
		l, ok := s.layers.Get(name)
		if !ok {
			return "", fmt.Errorf("the registry has no layer %s", name)
		}
		c.add("%s", name)
		c.visible(v.Sight(name), l)
	}
	return fmt.Sprint(c.where(), c.args), nil
}

// Edits counts the writes that this store has made.
func (s *Store) Edits() int64 { return s.edits.Load() }

// channel is what layer_versions' triggers notify on.
const channel = "hatang_layers"

// Watch calls wake for each notification that layers have changed, until the
// context ends or the connection breaks, and returns why. It has a connection of
// its own.
func (s *Store) Watch(ctx context.Context, wake func()) error {
	conn, err := pgx.ConnectConfig(ctx, s.pool.ConnConfig())
	if err != nil {
		return translate("connect to listen", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // it is of no more use, broken or not
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return translate("listen", err)
	}
	for {
		wake() // the first time for what was said before we listened
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return translate("wait for a notification", err)
		}
	}
}

var _ permit.Register = (*Store)(nil)
