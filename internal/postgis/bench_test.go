package postgis_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/postgis"
	"hatang/internal/testdb"
)

// openFilled returns a store over a register of sites and ward-sized areas.
func openFilled(b *testing.B) (*postgis.Store, *layer.Registry, *pgx.Conn) {
	b.Helper()
	ctx := context.Background()
	layers, err := layer.Layers()
	if err != nil {
		b.Fatal(err)
	}
	url := testdb.New(b)
	if err := postgis.Migrate(ctx, url, layers); err != nil {
		b.Fatal(err)
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := conn.Close(ctx); err != nil {
			b.Error(err)
		}
	})
	for _, sql := range []string{
		`INSERT INTO bts_sites (code, name, valid_from, jurisdiction, source, status, mast_type, structure, height_m, service_radius_m, technologies, geom)
			SELECT 'S' || i, 'Cột ' || i, '2015-01-01', '11', 'benchmark', 'existing', 'A2b', 'self_supporting', 42, 3000, '{2G,3G}',
				ST_SetSRID(ST_MakePoint(102.2 + i % 149 * 0.009, 20.9 + i % 163 * 0.01), 4326) FROM generate_series(1, 20000) i`,
		`INSERT INTO communes (code, name, valid_from, jurisdiction, geom)
			SELECT 'C' || i, 'Xã ' || i, '2015-01-01', '11', ST_Multi(ST_Buffer(ST_SetSRID(ST_MakePoint(102.2 + i % 40 * 0.03, 20.9 + i / 40 * 0.06), 4326), 0.02, 100))
			FROM generate_series(1, 1000) i`,
		"ANALYZE bts_sites, communes",
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			b.Fatal(err)
		}
	}
	s, err := postgis.Open(ctx, url, layers)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Close)
	return s, layers, conn
}

// BenchmarkItems compares a page of features as we write it, from the database's
// bytes, with the peer's way: PostGIS makes the GeoJSON. The ratio is what counts.
func BenchmarkItems(b *testing.B) {
	s, layers, conn := openFilled(b)
	date := geo.NewDate(2020, 1, 1)
	for _, page := range []struct {
		name, layer string
		limit       int
	}{{"points_1000", "bts_sites", 1000}, {"points_10000", "bts_sites", 10000}, {"areas_1000", "communes", 1000}} {
		l, ok := layers.Get(page.layer)
		if !ok {
			b.Fatalf("no layer %s", page.layer)
		}
		b.Run(page.name+"/ours", func(b *testing.B) {
			var body []byte
			for b.Loop() {
				body = body[:0]
				err := s.Features(context.Background(), account.Anonymous(), l, layer.Query{Date: date, Limit: page.limit}, func(r *layer.Row) error {
					var err error
					body, err = formats.AppendFeature(body, l, r, formats.GeoJSONOptions{})
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(body)), "bytes")
		})
		b.Run(page.name+"/peer", func(b *testing.B) {
			var body []byte
			for b.Loop() {
				err := conn.QueryRow(context.Background(), `SELECT json_build_object('type', 'FeatureCollection', 'features', json_agg(ST_AsGeoJSON(t.*, 'geom', 7)::json))::text
					FROM (SELECT * FROM `+pgx.Identifier{l.Name}.Sanitize()+` WHERE valid_from <= '2020-01-01' AND (valid_to IS NULL OR valid_to > '2020-01-01') ORDER BY id LIMIT $1) t`, page.limit).Scan(&body)
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(body)), "bytes")
		})
	}
}
