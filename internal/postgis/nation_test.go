package postgis_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkb"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/postgis"
	"hatang/internal/testdb"
)

// nation is the national data, at 1/parts of their size: our store over the product's
// register, and a connection for the peer's SQL over the tables both are made from.
type nation struct {
	store *postgis.Store
	peer  *pgx.Conn
	date  geo.Date
}

func openNation(tb testing.TB, parts int) nation {
	tb.Helper()
	ctx := context.Background()
	layers, err := layer.Layers()
	if err != nil {
		tb.Fatal(err)
	}
	made := testdb.National(tb, parts, func(ctx context.Context, url string) error { return postgis.Migrate(ctx, url, layers) })
	n := nation{}
	if n.date, err = geo.ParseDate(testdb.NationDate); err != nil {
		tb.Fatal(err)
	}
	if n.store, err = postgis.Open(ctx, made.URL, layers); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(n.store.Close)
	if n.peer, err = pgx.Connect(ctx, made.Peer()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := n.peer.Close(ctx); err != nil {
			tb.Error(err)
		}
	})
	return n
}

// asked are all facts, for somebody who sees them all.
func (n nation) asked() permit.Asked {
	return permit.Asked{Viewer: account.Terminal("test"), Date: n.date}
}

func (n nation) facts(tb testing.TB) permit.Facts {
	tb.Helper()
	facts, err := n.store.Facts(context.Background(), n.asked())
	if err != nil {
		tb.Fatal(err)
	}
	return facts
}

func rulesOf(tb testing.TB, facts permit.Facts) *zoning.Rules {
	tb.Helper()
	var sets []zoning.TerritoryRules
	for _, set := range facts.RuleSets {
		parsed, err := zoning.ParseRuleSet(set.Body)
		if err != nil {
			tb.Fatal(err)
		}
		sets = append(sets, zoning.TerritoryRules{Territory: set.Jurisdiction, Rules: parsed})
	}
	return zoning.NewRules(sets)
}

// nationSite is a row of the generator's sites.
type nationSite struct {
	id        int64
	operators int
	operating bool
	point     orb.Point
}

func (n nation) sites(tb testing.TB) []nationSite {
	tb.Helper()
	rows, err := n.peer.Query(context.Background(), "SELECT id, cardinality(operators), status = 'operating', ST_X(geom), ST_Y(geom) FROM sites ORDER BY id")
	if err != nil {
		tb.Fatal(err)
	}
	sites, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (nationSite, error) {
		var s nationSite
		return s, row.Scan(&s.id, &s.operators, &s.operating, &s.point[0], &s.point[1])
	})
	if err != nil {
		tb.Fatal(err)
	}
	return sites
}

// units are the areas of a table of the generator's, by id from 1.
func (n nation) units(tb testing.TB, table string) []orb.MultiPolygon {
	tb.Helper()
	rows, err := n.peer.Query(context.Background(), "SELECT ST_AsBinary(geom) FROM "+pgx.Identifier{table}.Sanitize()+" ORDER BY id")
	if err != nil {
		tb.Fatal(err)
	}
	units, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (orb.MultiPolygon, error) {
		var raw []byte
		if err := row.Scan(&raw); err != nil {
			return nil, err
		}
		shape, err := wkb.Unmarshal(raw)
		if err != nil {
			return nil, err
		}
		return shape.(orb.MultiPolygon), nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return units
}

// probes are the generator's proposals, by id from 1. Of every four two are A2b, one
// A2a and one A1b, each with all that the rules ask for.
func (n nation) probes(tb testing.TB, atMost int) []zoning.Proposal {
	tb.Helper()
	rows, err := n.peer.Query(context.Background(), `SELECT lon, lat, height::float8, (ARRAY['VNPT', 'MOBIFONE', 'VIETTEL', 'VIETNAMOBILE', 'SFONE'])[operator],
		(ARRAY['A2b', 'A2b', 'A2a', 'A1b'])[1 + id % 4] FROM probes ORDER BY id LIMIT $1`, atMost)
	if err != nil {
		tb.Fatal(err)
	}
	probes, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (zoning.Proposal, error) {
		p := zoning.Proposal{HalfWidthM: new(0.4), HostBuildingHeightM: new(20.0), Date: n.date}
		var height float64
		var kind string
		err := row.Scan(&p.Point[0], &p.Point[1], &height, &p.Operator, &kind)
		p.MastType, p.HeightM = geo.MastType(kind), &height
		structure, concealed := geo.Rooftop, p.MastType == "A1b"
		if p.MastType == "A2b" {
			structure = geo.SelfSupporting
			p.HostBuildingHeightM = nil
		}
		p.Structure, p.Concealed = &structure, &concealed
		return p, err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return probes
}

// snapshot is the whole register as the product keeps it in memory.
func (n nation) snapshot(tb testing.TB) *permit.Snapshot {
	tb.Helper()
	asked := n.asked()
	s, err := permit.NewChecker(n.store).Snapshot(context.Background(), asked.Viewer, asked.Date, time.Time{})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}
