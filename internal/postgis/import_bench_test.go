package postgis_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/ewkb"

	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// importedRows is how many rows the benchmark brings in.
const importedRows = 200_000

// importedSite is a site of the benchmark: code, name, height and place.
func importedSite(i int) (code, name string, heightM float64, at orb.Point) {
	return fmt.Sprintf("S%06d", i), fmt.Sprintf("Cột số %d", i), float64(20 + i%60), orb.Point{102.2 + float64(i%1499)*0.0009, 20.9 + float64(i%1627)*0.001}
}

// BenchmarkImport compares bringing sites into the register, with all checks, units and
// history, with the least that could be done: a COPY of the same rows into a table with the
// same columns, constraints and indexes. The ratio is the share of its rate that is reached.
func BenchmarkImport(b *testing.B) {
	ctx := context.Background()
	s, layers, url := registered(b)
	l := get(b, layers, "bts_sites")
	conn := connect(b, url)
	var bare, ours time.Duration
	for b.Loop() {
		run(b, conn, "DROP TABLE IF EXISTS bare; CREATE TABLE bare (LIKE bts_sites INCLUDING ALL); TRUNCATE bts_sites, history; CHECKPOINT")
		began := time.Now()
		copyBare(b, conn)
		bare += time.Since(began)
		run(b, conn, "DROP TABLE bare; CHECKPOINT")
		began = time.Now()
		summary, err := s.Import(ctx, officer(), l, correction(b), func(add func(postgis.Incoming) error) error {
			for i := range importedRows {
				code, name, height, at := importedSite(i)
				properties := map[string]any{"code": code, "name": name, "status": "existing", "mast_type": "A2b", "structure": "self_supporting", "height_m": height, "technologies": []string{"2G", "3G"}}
				if err := add(postgis.Incoming{Row: i + 1, Feature: layer.Feature{Properties: properties, Geometry: at}}); err != nil {
					return err
				}
			}
			return nil
		})
		ours += time.Since(began)
		if err != nil || summary.Inserted != importedRows {
			b.Fatalf("%+v, %v", summary, err)
		}
	}
	b.ReportMetric(bare.Seconds()/ours.Seconds(), "ratio")
	b.ReportMetric(importedRows*float64(b.N)/ours.Seconds(), "rows/s")
	b.ReportMetric(importedRows*float64(b.N)/bare.Seconds(), "bare_rows/s")
}

func copyBare(b *testing.B, conn *pgx.Conn) {
	b.Helper()
	ctx := context.Background()
	var oid uint32
	if err := conn.QueryRow(ctx, "SELECT 'geometry'::regtype::oid").Scan(&oid); err != nil {
		b.Fatal(err)
	}
	conn.TypeMap().RegisterType(&pgtype.Type{Name: "geometry", OID: oid, Codec: pgtype.ByteaCodec{}})
	names := []string{"id", "code", "name", "valid_from", "jurisdiction", "status", "mast_type", "structure", "height_m", "technologies", "geom"}
	from := day(b, "2020-12-31").Time()
	i := 0
	_, err := conn.CopyFrom(ctx, pgx.Identifier{"bare"}, names, pgx.CopyFromFunc(func() ([]any, error) {
		if i == importedRows {
			return nil, nil
		}
		code, name, height, at := importedSite(i)
		i++
		raw, err := ewkb.Marshal(at, layer.SRID)
		return []any{int64(i), code, name, from, "11", "existing", "A2b", "self_supporting", height, []string{"2G", "3G"}, raw}, err
	}))
	if err != nil {
		b.Fatal(err)
	}
}
