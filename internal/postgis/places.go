package postgis

import (
	"context"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"
	"github.com/tidwall/rtree"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// metresPerDegree is a little less than the shortest degree of latitude on WGS 84
// (110 574 m at the equator), so that boxes made with it are never too small.
const metresPerDegree = 110500.0

// besideM is how far beside a point zones and areas are fetched, metres: more than
// any accuracy by which they may be off.
const besideM = 2000.0

// RuleSets returns the published rule sets in force on the date, by jurisdiction,
// and a version that was current when they were read.
func (s *Store) RuleSets(ctx context.Context, date geo.Date) ([]permit.RuleSet, int64, error) {
	var sets []permit.RuleSet
	var version int64
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, "SELECT version FROM layer_versions WHERE layer = 'rule_sets'").Scan(&version); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT id, version, jurisdiction, body FROM rule_sets
			WHERE state = 'published' AND valid_from <= $1::date AND (valid_to IS NULL OR valid_to > $1::date)
			ORDER BY jurisdiction, id, version`, date.Time())
		if err != nil {
			return err
		}
		sets, err = pgx.CollectRows(rows, pgx.RowToStructByPos[permit.RuleSet])
		return err
	})
	return sets, version, translate("read the rule sets", err)
}

// Places returns the surroundings of each point on the date. All points share one
// reading of the box round them, in one snapshot of the database, so that a
// thousand proposals cost little more than one.
func (s *Store) Places(ctx context.Context, v account.Viewer, points []orb.Point, date geo.Date, reachM float64) ([]permit.Place, layer.Versions, error) {
	if len(points) == 0 {
		return nil, layer.Versions{}, nil
	}
	var w *world
	versions := layer.Versions{}
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, "SELECT layer, version FROM layer_versions")
		if err != nil {
			return err
		}
		var name string
		var version int64
		if _, err := pgx.ForEachRow(rows, []any{&name, &version}, func() error { versions[name] = version; return nil }); err != nil {
			return err
		}
		w, err = reading{tx, s.layers, v, grow(orb.MultiPoint(points).Bound(), max(reachM, besideM)), date}.world(ctx)
		return err
	})
	if err != nil {
		return nil, nil, translate("read the surroundings", err)
	}
	places := make([]permit.Place, len(points))
	for i, p := range points {
		places[i] = w.place(p, reachM)
	}
	return places, versions, nil
}

// grow widens a box by a distance on every side.
func grow(b orb.Bound, metres float64) orb.Bound {
	dy := metres / metresPerDegree
	widest := math.Min(89, math.Max(math.Abs(b.Min[1]), math.Abs(b.Max[1]))+dy)
	dx := dy / math.Cos(widest*math.Pi/180)
	return orb.Bound{Min: orb.Point{b.Min[0] - dx, b.Min[1] - dy}, Max: orb.Point{b.Max[0] + dx, b.Max[1] + dy}}
}

// world is what was read of one box on one date.
type world struct {
	communes  []commune
	inCommune *geo.Index
	provinces []string
	inside    *geo.Index
	zones     rtree.RTreeG[zoning.Zone]
	masts     rtree.RTreeG[zoning.Mast]
	areas     rtree.RTreeG[zoning.Area]
	withheld  map[string][]zoning.Area // by commune: the withheld areas that touch it, without their shape
}

type commune struct {
	code, district string
	urban          bool
}

// place picks what matters to one point.
func (w *world) place(p orb.Point, reachM float64) permit.Place {
	var place permit.Place
	if i, ok := w.inCommune.First(p); ok {
		c := w.communes[i]
		place.Commune, place.District, place.Urban = c.code, c.district, c.urban
		place.Areas = append(place.Areas, w.withheld[c.code]...)
	}
	if i, ok := w.inside.First(p); ok {
		place.Province = w.provinces[i]
	}
	beside := grow(p.Bound(), besideM)
	place.Zones = near(&w.zones, beside)
	place.Areas = append(place.Areas, near(&w.areas, beside)...)
	place.Masts = near(&w.masts, grow(p.Bound(), reachM))
	return place
}

func near[T any](tree *rtree.RTreeG[T], box orb.Bound) []T {
	var found []T
	tree.Search(box.Min, box.Max, func(_, _ [2]float64, item T) bool {
		found = append(found, item)
		return true
	})
	return found
}

// reading is one reading of the register: whose, where and when.
type reading struct {
	tx     pgx.Tx
	layers *layer.Registry
	viewer account.Viewer
	box    orb.Bound
	date   geo.Date
}

// inForce returns the conditions on rows of a layer in the box and in force.
func (r reading) inForce(name string) (*conditions, error) {
	l, ok := r.layers.Get(name)
	if !ok {
		return nil, fmt.Errorf("the registry has no layer %s", name)
	}
	c := &conditions{}
	c.visible(r.viewer, l)
	c.inForce(r.date)
	r.inBox(c)
	return c, nil
}

func (r reading) inBox(c *conditions) {
	c.add("geom && ST_MakeEnvelope(%s, %s, %s, %s, %d)", c.bind(r.box.Min[0]), c.bind(r.box.Min[1]), c.bind(r.box.Max[0]), c.bind(r.box.Max[1]), layer.SRID)
}

func (r reading) world(ctx context.Context) (*world, error) {
	w := &world{withheld: map[string][]zoning.Area{}}
	for _, read := range []func(context.Context, *world) error{r.communes, r.provinces, r.zones, r.masts, r.areas, r.withheld} {
		if err := read(ctx, w); err != nil {
			return nil, err
		}
	}
	return w, nil
}
