package postgis

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/intake"
	"hatang/internal/layer"
)

// SiteCounts counts sites and positions in force on a day, without drafts.
func (s *Store) SiteCounts(ctx context.Context, date geo.Date) (layer.SiteCounts, error) {
	n, err := siteCounts(ctx, s.pool.kept, date)
	return n, translate("count the sites", err)
}

func siteCounts(ctx context.Context, q querier, date geo.Date) (n layer.SiteCounts, err error) {
	const standing = "status <> 'draft' AND valid_from <= $1::date AND (valid_to IS NULL OR valid_to > $1::date)"
	err = q.QueryRow(ctx, `SELECT (SELECT count(*) FROM bts_sites WHERE `+standing+`), (SELECT count(*) FROM operator_positions WHERE `+standing+`),
		(SELECT count(*) FROM (SELECT FROM operator_positions WHERE `+standing+` AND site_code IN (SELECT code FROM bts_sites WHERE `+standing+`)
			GROUP BY site_code HAVING count(DISTINCT operator) > 1) shared)`, date.Time()).Scan(&n.Sites, &n.Positions, &n.SharedSites)
	if n.Sites > 0 {
		ratio := float64(n.SharedSites) / float64(n.Sites)
		n.SharedSiteRatio = &ratio
	}
	return n, err
}

// ProposeSites returns which of the sites in force on a day are likely one mast, from the
// positions on them that are no drafts, lying within a distance in metres of each other, and
// counts them as they are. layer.ErrForbidden for who may not put sites together;
// intake.ErrPositions for a distance that is none. Cost: that of intake.ProposeSites.
func (s *Store) ProposeSites(ctx context.Context, v account.Viewer, date geo.Date, distanceM float64) (found intake.ProposedSites, counts layer.SiteCounts, err error) {
	if !v.AsksAnything() {
		return found, counts, fmt.Errorf("which sites are one mast, %s: %w", v.Name, layer.ErrForbidden)
	}
	err = s.within(ctx, snapshot, reportTime, func(tx pgx.Tx) (err error) {
		if found, err = proposeSites(ctx, tx, date, distanceM); err == nil {
			counts, err = siteCounts(ctx, tx, date)
		}
		return err
	})
	return found, counts, translate("look which sites are one mast", err)
}

func proposeSites(ctx context.Context, q querier, date geo.Date, distanceM float64) (intake.ProposedSites, error) {
	rows, err := q.Query(ctx, `SELECT operator, code, coalesce(name, ''), coalesce(site_code, ''), ST_X(geom), ST_Y(geom) FROM operator_positions
		WHERE status <> 'draft' AND valid_from <= $1::date AND (valid_to IS NULL OR valid_to > $1::date)`, date.Time())
	if err != nil {
		return intake.ProposedSites{}, err
	}
	var positions []intake.Position
	var p intake.Position
	if _, err := pgx.ForEachRow(rows, []any{&p.Operator, &p.Code, &p.Name, &p.Site, &p.At[0], &p.At[1]}, func() error {
		positions = append(positions, p)
		return nil
	}); err != nil {
		return intake.ProposedSites{}, err
	}
	apart, err := keptApart(ctx, q)
	if err != nil {
		return intake.ProposedSites{}, err
	}
	return intake.ProposeSites(positions, distanceM, foundApart(apart))
}

// foundApart tells pairs that were found to be two masts and lie where they did then.
func foundApart(pairs []layer.MastsApart) func(a, b intake.Position) bool {
	known := map[[2]string][2]orb.Point{}
	for _, p := range pairs {
		known[p.Codes] = p.Places
	}
	return func(a, b intake.Position) bool {
		if b.Code < a.Code {
			a, b = b, a
		}
		places, ok := known[[2]string{a.Code, b.Code}]
		return ok && places == [2]orb.Point{a.At, b.At}
	}
}

// MergeSites makes one site of several that are in force on a day: all positions on the
// others go to the first, and the others are removed. It is one change, which Revert takes
// back; with dryRun it is found out what would be. *layer.InvalidError where a site is not there, the first is /sites/0, or an operator would have two
// positions on one mast; layer.ErrForbidden where the viewer may not write one of the rows.
func (s *Store) MergeSites(ctx context.Context, v account.Viewer, codes []string, date geo.Date, dryRun bool) (layer.SitesChanged, error) {
	done := layer.SitesChanged{Site: codes[0], Positions: []string{}}
	err := s.changeSites(ctx, v, date, dryRun, &done, func(m *mastWork) error {
		ids, err := m.lockSites(ctx, codes)
		if err != nil {
			return err
		}
		if err := m.refuseTwice(ctx, codes); err != nil {
			return err
		}
		for i := range codes[1:] {
			if err := m.movePositions(ctx, ids[i+1], codes[i+1], codes[0], &done); err != nil {
				return err
			}
		}
		_, err = m.tx.Exec(ctx, "DELETE FROM bts_sites WHERE id = ANY ($1)", ids[1:])
		if err == nil {
			_, err = m.tx.Exec(ctx, `DELETE FROM masts_apart WHERE position_a = ANY (ARRAY(SELECT code FROM operator_positions WHERE site_code = $1))
				AND position_b = ANY (ARRAY(SELECT code FROM operator_positions WHERE site_code = $1))`, codes[0])
		}
		return err
	})
	return done, err
}

// SplitSite takes a position in force on a day off a site with others, onto a new one where
// it lies, which is otherwise as the old one, and remembers as KeepApart does. It is one change, which Revert takes back; with dryRun it
// is found out what would be.
// *layer.InvalidError where there is no such position, or nobody else on its site;
// layer.ErrConflict where the new site's code is taken.
func (s *Store) SplitSite(ctx context.Context, v account.Viewer, split layer.SiteSplit, date geo.Date, dryRun bool) (layer.SitesChanged, error) {
	if split.Site == "" {
		split.Site = split.Position
	}
	done := layer.SitesChanged{Site: split.Site, Positions: []string{split.Position}}
	err := s.changeSites(ctx, v, date, dryRun, &done, func(m *mastWork) error {
		position, err := m.lockRow(ctx, m.positions, split.Position)
		if err != nil {
			return notThere(err, "/position", split.Position)
		}
		var old string
		var others int
		var place []byte
		if err := m.tx.QueryRow(ctx, `SELECT p.site_code, ST_AsEWKB(p.geom), (SELECT count(*) FROM operator_positions o WHERE o.site_code = p.site_code AND o.id <> p.id
				AND o.status <> 'draft' AND daterange(o.valid_from, o.valid_to) && daterange(p.valid_from, p.valid_to))
			FROM operator_positions p WHERE p.id = $1`, position).Scan(&old, &place, &others); err != nil {
			return err
		}
		if others == 0 {
			return layer.Faults{{At: "/position", Detail: geo.Text{VI: "không có doanh nghiệp nào khác trên vị trí cột " + old, EN: "nobody else is on the site " + old}}}.Err()
		}
		site, err := m.lockRow(ctx, m.sites, old)
		if err != nil {
			return notThere(err, "/position", old)
		}
		at, err := decodePoint(place)
		if err != nil {
			return err
		}
		sql, args, err := insertBeside(m.sites, site, layer.Feature{Properties: map[string]any{"code": split.Site}, Geometry: at})
		if err != nil {
			return err
		}
		var id int64
		if err := m.tx.QueryRow(ctx, sql, args...).Scan(&id); err != nil {
			return err
		}
		if err := inPen(ctx, m.tx, v, m.sites, id); err != nil {
			return err
		}
		if _, err = m.tx.Exec(ctx, "UPDATE operator_positions SET site_code = $2 WHERE id = $1", position, split.Site); err != nil {
			return err
		}
		return m.rememberApart(ctx, []string{old, split.Site}, "")
	})
	return done, err
}

// KeepApart remembers of sites in force on a day that each is a mast of its own: no two
// positions on different ones of them are proposed as one while they lie where they do.
func (s *Store) KeepApart(ctx context.Context, v account.Viewer, codes []string, reason string, date geo.Date) error {
	done := layer.SitesChanged{}
	return s.changeSites(ctx, v, date, false, &done, func(m *mastWork) error {
		if _, err := m.lockSites(ctx, codes); err != nil {
			return err
		}
		return m.rememberApart(ctx, codes, reason)
	})
}

// rememberApart remembers the positions on different ones of the sites.
func (m *mastWork) rememberApart(ctx context.Context, codes []string, reason string) error {
	_, err := m.tx.Exec(ctx, `INSERT INTO masts_apart (position_a, position_b, place_a, place_b, reason)
		SELECT a.code, b.code, a.geom, b.geom, nullif($3, '') FROM operator_positions a JOIN operator_positions b ON a.code < b.code AND a.site_code <> b.site_code
		WHERE a.site_code = ANY ($1) AND b.site_code = ANY ($1) AND a.status <> 'draft' AND b.status <> 'draft'
			AND a.valid_from <= $2::date AND (a.valid_to IS NULL OR a.valid_to > $2::date) AND b.valid_from <= $2::date AND (b.valid_to IS NULL OR b.valid_to > $2::date)
		ON CONFLICT (position_a, position_b) DO UPDATE SET place_a = EXCLUDED.place_a, place_b = EXCLUDED.place_b, reason = EXCLUDED.reason`, codes, m.date.Time(), reason)
	return err
}

// KeptApart returns the positions that were found to be on two masts.
func (s *Store) KeptApart(ctx context.Context) ([]layer.MastsApart, error) {
	apart, err := keptApart(ctx, s.pool.kept)
	return apart, translate("read which masts are apart", err)
}

func keptApart(ctx context.Context, q querier) (apart []layer.MastsApart, err error) {
	rows, err := q.Query(ctx, "SELECT position_a, position_b, ST_X(place_a), ST_Y(place_a), ST_X(place_b), ST_Y(place_b) FROM masts_apart ORDER BY 1, 2")
	if err != nil {
		return nil, err
	}
	var one layer.MastsApart
	_, err = pgx.ForEachRow(rows, []any{&one.Codes[0], &one.Codes[1], &one.Places[0][0], &one.Places[0][1], &one.Places[1][0], &one.Places[1][1]}, func() error {
		apart = append(apart, one)
		return nil
	})
	return apart, err
}

// mastWork is one change of sites and of the positions on them.
type mastWork struct {
	tx               pgx.Tx
	viewer           account.Viewer
	date             geo.Date
	sites, positions *layer.Layer
}

// changeSites does a change in a transaction, counting before and after; where it is a dry
// run all stays as it was.
func (s *Store) changeSites(ctx context.Context, v account.Viewer, date geo.Date, dryRun bool, done *layer.SitesChanged, change func(*mastWork) error) error {
	err := s.write(ctx, v, "change the sites of positions", func(tx pgx.Tx) (err error) {
		m := &mastWork{tx: tx, viewer: v, date: date}
		for name, into := range map[string]**layer.Layer{"bts_sites": &m.sites, "operator_positions": &m.positions} {
			l, ok := s.layers.Get(name)
			if !ok {
				return fmt.Errorf("the registry has no layer %s", name)
			}
			*into = l
		}
		if done.Before, err = siteCounts(ctx, tx, date); err != nil {
			return err
		}
		if err := change(m); err != nil {
			return err
		}
		if done.After, err = siteCounts(ctx, tx, date); err == nil && dryRun {
			return errNotApplied
		}
		return err
	})
	if dryRun && errors.Is(err, errNotApplied) {
		return nil
	}
	done.Applied = err == nil
	return err
}

// lockRow holds the row of a code that is in force and no draft, which the viewer may write.
func (m *mastWork) lockRow(ctx context.Context, l *layer.Layer, code string) (int64, error) {
	var c conditions
	c.add("code = %s AND status <> 'draft'", c.bind(code))
	c.inForce(m.date)
	var id int64
	if err := m.tx.QueryRow(ctx, "SELECT id FROM "+quote(l.Name)+c.where()+" FOR UPDATE", c.args...).Scan(&id); err != nil {
		return 0, err
	}
	return id, inPen(ctx, m.tx, m.viewer, l, id)
}

// notThere is the fault of a row that is not there; other errors stay as they are.
func notThere(err error, at, code string) error {
	if !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	var faults layer.Faults
	faults.Add(at, "không có %s đang có hiệu lực", "there is no %s in force", code)
	return faults.Err()
}

// lockSites holds sites; all that are not there are told at once.
func (m *mastWork) lockSites(ctx context.Context, codes []string) (ids []int64, err error) {
	// In one order, so that two who merge the same sites wait for each other and not both.
	if _, err := m.tx.Exec(ctx, "SELECT FROM bts_sites WHERE code = ANY ($1) ORDER BY id FOR UPDATE", codes); err != nil {
		return nil, err
	}
	var faults layer.Faults
	for i, code := range codes {
		id, err := m.lockRow(ctx, m.sites, code)
		if missing := notThere(err, fmt.Sprintf("/sites/%d", i), code); missing != nil {
			var invalid *layer.InvalidError
			if !errors.As(missing, &invalid) {
				return nil, err
			}
			faults = append(faults, invalid.Faults...)
		}
		for j, other := range codes[:i] {
			if other == code {
				faults.Add(fmt.Sprintf("/sites/%d", i), "đã nêu ở /sites/%d", "is named at /sites/%d already", j)
			}
		}
		ids = append(ids, id)
	}
	return ids, faults.Err()
}

// refuseTwice refuses that an operator has two positions on one mast.
func (m *mastWork) refuseTwice(ctx context.Context, codes []string) error {
	rows, err := m.tx.Query(ctx, `SELECT operator, string_agg(code, ', ' ORDER BY code) FROM operator_positions WHERE site_code = ANY ($1) AND status <> 'draft'
		AND valid_from <= $2::date AND (valid_to IS NULL OR valid_to > $2::date) GROUP BY operator HAVING count(*) > 1 ORDER BY operator`, codes, m.date.Time())
	if err != nil {
		return err
	}
	var faults layer.Faults
	var operator, positions string
	if _, err := pgx.ForEachRow(rows, []any{&operator, &positions}, func() error {
		faults.Add("/sites", "%s sẽ có hai vị trí trên một cột: %s", "%s would have two positions on one mast: %s", operator, positions)
		return nil
	}); err != nil {
		return err
	}
	return faults.Err()
}

// movePositions moves the positions on a site that the viewer sees, drafts too, to another.
func (m *mastWork) movePositions(ctx context.Context, site int64, from, to string, done *layer.SitesChanged) error {
	var c conditions
	c.visible(m.viewer.Sight(m.positions.Name), m.positions)
	c.add("site_code = %s", c.bind(from))
	c.add("daterange(valid_from, valid_to) && (SELECT daterange(s.valid_from, s.valid_to) FROM bts_sites s WHERE s.id = %s)", c.bind(site))
	rows, err := m.tx.Query(ctx, "SELECT id, code FROM operator_positions AS t"+c.where()+" ORDER BY code, id FOR UPDATE", c.args...)
	if err != nil {
		return err
	}
	var ids []int64
	var id int64
	var code string
	if _, err := pgx.ForEachRow(rows, []any{&id, &code}, func() error {
		ids, done.Positions = append(ids, id), append(done.Positions, code)
		return nil
	}); err != nil {
		return err
	}
	for _, id := range ids {
		if err := inPen(ctx, m.tx, m.viewer, m.positions, id); err != nil {
			return err
		}
	}
	_, err = m.tx.Exec(ctx, "UPDATE operator_positions SET site_code = $2 WHERE id = ANY ($1)", ids, to)
	return err
}
