package permit_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/postgis"
	"hatang/internal/testdb"
)

// nationalRows are the whole register of national size in memory, and so many of
// the generator's proposals as rows of CSV and of GeoJSON.
func nationalRows(b *testing.B, rows int) (judge permit.Judge, table, collection []byte) {
	b.Helper()
	ctx := context.Background()
	layers, err := layer.Layers()
	if err != nil {
		b.Fatal(err)
	}
	nation := testdb.National(b, 1, func(ctx context.Context, url string) error { return postgis.Migrate(ctx, url, layers) })
	store, err := postgis.Open(ctx, nation.URL, layers)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(store.Close)
	snapshot, err := permit.NewChecker(store).Snapshot(ctx, account.Terminal("test"), day(b, testdb.NationDate), time.Time{})
	if err != nil {
		b.Fatal(err)
	}
	table, collection = rowsOfProbes(b, nation, rows)
	return snapshot, table, collection
}

func rowsOfProbes(b *testing.B, nation testdb.Nation, most int) (table, collection []byte) {
	b.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, nation.Peer())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	found, err := conn.Query(ctx, `SELECT lon, lat, height::float8, (ARRAY['A2b', 'A2b', 'A2a', 'A1b'])[1 + id % 4] FROM probes ORDER BY id LIMIT $1`, most)
	if err != nil {
		b.Fatal(err)
	}
	csv, json := bytes.NewBufferString("id,lon,lat,mast_type,height_m,half_width_m,host_building_height_m,structure,concealed,operator\n"), bytes.NewBufferString(`{"type":"FeatureCollection","features":[`)
	i := 0
	var lon, lat, height float64
	var kind string
	_, err = pgx.ForEachRow(found, []any{&lon, &lat, &height, &kind}, func() error {
		structure := "rooftop"
		if kind == "A2b" {
			structure = "self_supporting"
		}
		fmt.Fprintf(csv, "P%06d,%.6f,%.6f,%s,%g,0.4,20,%s,%t,VIETTEL\n", i, lon, lat, kind, height, structure, kind == "A1b")
		if i > 0 {
			json.WriteString(",\n")
		}
		fmt.Fprintf(json, `{"type":"Feature","id":%d,"geometry":{"type":"Point","coordinates":[%.6f,%.6f]},"properties":{"mast_type":%q,"height_m":%g,"half_width_m":0.4,"host_building_height_m":20,"structure":%q,"concealed":%t,"operator":"VIETTEL"}}`,
			i, lon, lat, kind, height, structure, kind == "A1b")
		i++
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	json.WriteString("]}")
	return csv.Bytes(), json.Bytes()
}

// BenchmarkBatchRows judges a file of rows against a register of national size on
// all cores: read, judged and written.
func BenchmarkBatchRows(b *testing.B) {
	judge, table, collection := nationalRows(b, 200_000)
	for _, tt := range []struct {
		name   string
		format permit.RowFormat
		out    permit.OutFormat
		detail permit.Detail
		in     []byte
	}{
		{"csv/verdict", permit.CSV, permit.OutCSV, permit.DetailVerdict, table},
		{"csv/findings", permit.CSV, permit.OutCSV, permit.DetailFindings, table},
		{"csv/full", permit.CSV, permit.OutCSV, permit.DetailFull, table},
		{"geojson/verdict", permit.FeatureCollection, permit.OutGeoJSON, permit.DetailVerdict, collection},
		{"geojson/findings", permit.FeatureCollection, permit.OutGeoJSON, permit.DetailFindings, collection},
	} {
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			rows, before := int64(0), processorSeconds(b)
			for b.Loop() {
				batch := &permit.Batch{
					Format: tt.format, Out: tt.out, Detail: tt.detail, Language: "en", Date: day(b, testdb.NationDate),
					Open: func(context.Context, geo.Date) (permit.Judge, error) { return judge, nil },
				}
				tally, err := batch.Run(b.Context(), bytes.NewReader(tt.in), io.Discard)
				if err != nil || tally.Bad > 0 || tally.Rows == 0 {
					b.Fatal(err, tally)
				}
				rows += tally.Rows
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(rows)/(processorSeconds(b)-before), "rows/cpu-s")
		})
	}
}

// processorSeconds is how long the program has computed, on all cores together: what
// a row costs, whoever else uses the machine.
func processorSeconds(b *testing.B) float64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
