package postgis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// metresPerDegree is a little less than the shortest degree of latitude on WGS 84
// (110 574 m at the equator), so that boxes made with it are never too small.
const metresPerDegree = 110500.0

// besideM is how far beside a point zones, areas and units are fetched, metres: more
// than the accuracy by which a point may be off together with that of a zone's edge,
// or with a setback. Where zones are off by more, zones are fetched as far.
const (
	besideM     = 4000.0
	zoneMarginM = besideM - permit.PoorestPlaceM - 100
)

// Facts reads what checks need, in one snapshot of the database. Points that lie
// near each other share a box, so that a thousand proposals of a town cost little
// more than one.
func (s *Store) Facts(ctx context.Context, asked permit.Asked) (permit.Facts, error) {
	var facts permit.Facts
	err := s.within(ctx, snapshot, factsTime(asked), func(tx pgx.Tx) error {
		r, err := newReading(ctx, tx, s.layers, asked)
		if err != nil {
			return err
		}
		if facts.State, facts.Shown, err = r.state(ctx); err != nil {
			return err
		}
		facts.Generalised = generalised(asked.Viewer, r.published)
		if facts.RuleSets, err = r.ruleSets(ctx); err != nil {
			return err
		}
		if asked.Points != nil && len(asked.Points) == 0 {
			return nil
		}
		if r.boxes, err = boxesRound(asked, facts.RuleSets); err != nil {
			return err
		}
		return r.scene(ctx, &facts.SceneData)
	})
	return facts, translate("read the surroundings", err)
}

// snapshot is a transaction that sees one state of the database and changes nothing.
var snapshot = pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}

// ruleSets returns the published rule sets in force on the date.
func (r *reading) ruleSets(ctx context.Context) ([]permit.RuleSet, error) {
	c := &conditions{}
	c.add("state = 'published'")
	if r.known.at.IsZero() {
		c.inForce(r.date)
	} else { // one whose end was set later was open then
		day, known := c.bind(r.date.Time()), c.bind(r.known.at)
		c.add("valid_from <= %s::date AND (valid_to IS NULL OR valid_to > %s::date OR ended_at > %s)", day, day, known)
		c.add("(published_at IS NULL OR published_at <= %s)", known)
	}
	rows, err := r.tx.Query(ctx, "SELECT id, version, jurisdiction, body FROM rule_sets"+c.where()+" ORDER BY jurisdiction, id, version", c.args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[permit.RuleSet])
}

// Points are gathered in cells of so many degrees, each cell's points in one box;
// where there are more cells than an index scan is good for, in one box altogether.
const (
	cellDegrees = 0.25
	mostBoxes   = 64
)

// boxesRound returns boxes that hold all that matters to the points; nil: everywhere.
func boxesRound(asked permit.Asked, sets []permit.RuleSet) ([]orb.Bound, error) {
	if asked.Points == nil {
		return nil, nil
	}
	reachM, err := asked.ReachM(sets)
	if err != nil {
		return nil, err
	}
	reachM = max(reachM+permit.PoorestPlaceM, besideM) + asked.WithinM
	cells := map[[2]int]int{}
	var boxes []orb.Bound
	for _, p := range asked.Points {
		cell := [2]int{int(math.Floor(p[0] / cellDegrees)), int(math.Floor(p[1] / cellDegrees))}
		at, known := cells[cell]
		switch {
		case known:
			boxes[at] = boxes[at].Extend(p)
		case len(boxes) == mostBoxes:
			return []orb.Bound{grow(orb.MultiPoint(asked.Points).Bound(), reachM)}, nil
		default:
			cells[cell] = len(boxes)
			boxes = append(boxes, p.Bound())
		}
	}
	for i := range boxes {
		boxes[i] = grow(boxes[i], reachM)
	}
	return boxes, nil
}

// grow widens a box by a distance on every side.
func grow(b orb.Bound, metres float64) orb.Bound {
	dy := metres / metresPerDegree
	widest := math.Min(89, math.Max(math.Abs(b.Min[1]), math.Abs(b.Max[1]))+dy)
	dx := dy / math.Cos(widest*math.Pi/180)
	return orb.Bound{Min: orb.Point{b.Min[0] - dx, b.Min[1] - dy}, Max: orb.Point{b.Max[0] + dx, b.Max[1] + dy}}
}

// reading is one reading of the register: whose, where and when.
type reading struct {
	tx     pgx.Tx
	layers *layer.Registry
	viewer account.Viewer
	boxes  []orb.Bound // nil: everywhere
	named  []int64     // ids of masts that are read wherever they lie
	date   geo.Date
	known  moment  // zero: now
	only   []int64 // ids of the rows wanted; nil: all

	published *publications // as they are now; of replays too
	exact     bool          // of a recorded verdict: what is kept from the viewer by now was not then

	withoutGround bool
}

func newReading(ctx context.Context, tx pgx.Tx, layers *layer.Registry, asked permit.Asked) (*reading, error) {
	r := &reading{tx: tx, layers: layers, viewer: asked.Viewer, named: asked.Features, date: asked.Date, known: moment{at: asked.KnownAt, snapshot: asked.Snapshot}, exact: asked.Snapshot != "", withoutGround: asked.WithoutGround}
	var err error
	if !asked.KnownAt.IsZero() && !r.exact {
		if r.known.snapshot, err = recordedAt(ctx, tx, asked.KnownAt); err != nil {
			return nil, err
		}
	}
	if asked.Viewer.Known() {
		return r, nil // sees places as they are
	}
	r.published, err = readPublications(ctx, tx)
	return r, err
}

// rows returns what stands behind FROM for a layer as the viewer sees it, as it was at
// the record time, and the conditions on its rows, whatever their dates and places.
func (r *reading) rows(name string) (from string, c *conditions, err error) {
	return r.rowsNear(name, nil)
}

// rowsNear is rows, where only those in the boxes need be.
func (r *reading) rowsNear(name string, boxes []orb.Bound) (from string, c *conditions, err error) {
	l, err := r.layer(name)
	if err != nil {
		return "", nil, err
	}
	c = &conditions{}
	if from, err = r.from(c, name); err != nil {
		return "", nil, err
	}
	return c.view(r.viewer, l, r.published, from, near{boxes}), c, nil
}

// shown is rows, of those in the boxes.
func (r *reading) shown(name string) (from string, c *conditions, err error) {
	if from, c, err = r.rowsNear(name, r.boxes); err != nil {
		return "", nil, err
	}
	r.inBoxes(c)
	if r.only != nil {
		c.add("id = ANY (%s)", c.bind(r.only))
	}
	return from, c, nil
}

// inForce is shown, of the rows in force.
func (r *reading) inForce(name string) (from string, c *conditions, err error) {
	if from, c, err = r.shown(name); err == nil {
		c.inForce(r.date)
	}
	return from, c, err
}

func (r *reading) layer(name string) (*layer.Layer, error) {
	l, ok := r.layers.Get(name)
	if !ok {
		return nil, fmt.Errorf("the registry has no layer %s", name)
	}
	return l, nil
}

func (r *reading) inBoxes(c *conditions) {
	if len(r.boxes) > 0 {
		c.sql = append(c.sql, c.within(r.boxes, 0))
	}
}

// from returns the rows of a layer as they were at the record time, to stand in a FROM
// clause.
func (r *reading) from(c *conditions, name string) (string, error) {
	if r.known.at.IsZero() {
		return quote(name), nil
	}
	l, err := r.layer(name)
	if err != nil {
		return "", err
	}
	return c.knownRows(l, r.known, func(column string) string { return r.image(c, l, column) }, ""), nil
}

// image is a column of a row as it was. To those from whom the row is withheld now it
// was withheld then too, a draft that he does not see now was one then, and a site whose
// province publishes it less than exactly now was of that province then: a replay must
// not tell what an answer may not.
func (r *reading) image(c *conditions, l *layer.Layer, name string) string {
	s := r.viewer.Sight(l.Name)
	var kept []string // values that the row has kept from the viewer now
	hidden := "true"
	switch {
	case r.exact:
		return "r." + name
	case l.HasDrafts() && name == quote("status") && !s.All:
		kept, hidden = []string{layer.Draft}, "NOT "+c.draft(s, l)
	case l.WithheldField != "" && name == quote(l.WithheldField) && !s.Withheld:
		kept = l.WithheldValues
	case l.PublishedAsSet && name == quote("jurisdiction") && !s.Exact && r.published.general():
		kept = slices.Sorted(maps.Keys(r.published.of))
	default:
		return "r." + name
	}
	return fmt.Sprintf("coalesce((SELECT t.%[1]s FROM %[2]s t WHERE t.id = r.id AND t.%[1]s = ANY (%[3]s) AND %[4]s), r.%[1]s)", name, quote(l.Name), c.bind(kept), hidden)
}

// query reads rows under the conditions, in the order of ids.
func (r *reading) query(ctx context.Context, columns, from string, c *conditions) (pgx.Rows, error) {
	return r.tx.Query(ctx, "SELECT "+columns+" FROM "+from+c.where()+" ORDER BY id", c.args...)
}

// checkLayers are the layers that checks depend on.
func checkLayers() []string {
	return []string{"bts_sites", "communes", "mast_zones", "operator_positions", "provinces", "rule_sets", "special_areas"}
}

// sightLayers are those on which what a viewer sees of the others depends.
func sightLayers() []string { return []string{"provinces", "districts", "communes", "publications"} }

// state reads the state that the transaction sees, and the versions that the viewer is
// told of it.
func (r *reading) state(ctx context.Context) (permit.State, layer.Versions, error) {
	state, err := readState(ctx, r.tx)
	if err != nil {
		return state, nil, err
	}
	if state.Moment, err = r.moment(ctx); err != nil {
		return state, nil, err
	}
	shown, err := shownVersions(ctx, r.tx, r.viewer, checkLayers()...)
	return state, shown, err
}

// moment is when the transaction reads, and what it sees. The clock is asked once the
// transaction has its snapshot: what begins later is not part of it.
func (r *reading) moment(ctx context.Context) (m permit.Moment, err error) {
	err = r.tx.QueryRow(ctx, "SELECT pg_current_snapshot()::text, clock_timestamp()").Scan(&m.Snapshot, &m.ReadAt)
	m.ReadAt = m.ReadAt.UTC()
	return m, err
}

// readState reads the versions, of all changes whoever sees them, and which database
// has them, in one statement.
func readState(ctx context.Context, q querier) (permit.State, error) {
	state := permit.State{Versions: layer.Versions{}}
	names := append(checkLayers(), sightLayers()...)
	rows, err := q.Query(ctx, `SELECT layer, sum(version)::bigint, `+identity+`
		FROM layer_versions, pg_database d WHERE layer = ANY ($1) AND d.datname = current_database() GROUP BY layer, d.oid`, names)
	if err != nil {
		return state, err
	}
	var name string
	var version int64
	_, err = pgx.ForEachRow(rows, []any{&name, &version, &state.Server}, func() error {
		state.Versions[name] = version
		return nil
	})
	for _, name := range names {
		if err == nil && state.Versions[name] == 0 {
			err = errors.New("layer_versions lacks layers that checks depend on")
		}
	}
	return state, err
}

// State returns the present state of the register, its Snapshot left out.
func (s *Store) State(ctx context.Context) (permit.State, error) {
	state, err := readState(ctx, s.pool)
	return state, translate("read the layer versions", err)
}
