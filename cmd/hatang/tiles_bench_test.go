package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/maptile"

	"hatang/internal/layer"
	"hatang/internal/postgis"
	"hatang/internal/testdb"
)

// BenchmarkNationalTileHTTP asks the server for a tile of the nation's sites: cold, with
// a date that nobody has asked for, and warm. The peer's way, whether or not it has made
// the tile before, is ST_AsMVT on one connection.
func BenchmarkNationalTileHTTP(b *testing.B) {
	ctx := context.Background()
	layers, err := layer.Layers()
	if err != nil {
		b.Fatal(err)
	}
	nation := testdb.National(b, 1, func(ctx context.Context, url string) error { return postgis.Migrate(ctx, url, layers) })
	dir, err := os.MkdirTemp(os.Getenv(workDir), "nation")
	if err != nil {
		b.Fatal(err)
	}
	s, err := launch(dir, "--database-url", nation.URL, "--date", testdb.NationDate)
	if err != nil {
		b.Fatal(err)
	}
	defer s.terminate()
	conn, err := pgx.Connect(ctx, nation.Peer())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }() // nothing was written
	if _, err := conn.Exec(ctx, "SET max_parallel_workers_per_gather = 0"); err != nil {
		b.Fatal(err)
	}
	var middle orb.Point
	if err := conn.QueryRow(ctx, "SELECT ST_X(geom), ST_Y(geom) FROM sites WHERE id = 1000").Scan(&middle[0], &middle[1]); err != nil {
		b.Fatal(err)
	}
	day := time.Date(2025, 6, 30, 0, 0, 0, 0, time.UTC)
	for _, zoom := range []maptile.Zoom{6, 9, 12} {
		at := maptile.At(middle, zoom)
		path := fmt.Sprintf("/api/v1/collections/bts_sites/tiles/WebMercatorQuad/%d/%d/%d?datetime=", at.Z, at.Y, at.X)
		peer := func(b *testing.B) {
			var raw []byte
			for b.Loop() {
				err := conn.QueryRow(ctx, `SELECT ST_AsMVT(q, 'sites', 4096, 'g', 'id') FROM (
					SELECT ST_AsMVTGeom(ST_Transform(s.geom, 3857), ST_TileEnvelope($1, $2, $3)) g, s.id, code, mast_type, status, phase
					FROM sites s WHERE s.geom && ST_Transform(ST_TileEnvelope($1, $2, $3), 4326)) q`, at.Z, at.X, at.Y).Scan(&raw)
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		get := func(b *testing.B, day time.Time) {
			a, err := s.try(ctx, http.MethodGet, path+day.Format(time.DateOnly), http.NoBody)
			if err != nil || a.status != http.StatusOK {
				b.Fatalf("%d, %v: %s", a.status, err, a.body)
			}
		}
		b.Run(fmt.Sprintf("z%d_cold/ours", zoom), func(b *testing.B) {
			for b.Loop() {
				day = day.AddDate(0, 0, 1)
				get(b, day)
			}
		})
		b.Run(fmt.Sprintf("z%d_cold/peer", zoom), peer)
		warm := day.AddDate(1000, 0, 0)
		b.Run(fmt.Sprintf("z%d_warm/ours", zoom), func(b *testing.B) {
			get(b, warm)
			for b.Loop() {
				get(b, warm)
			}
		})
		b.Run(fmt.Sprintf("z%d_warm/peer", zoom), peer)
	}
}
