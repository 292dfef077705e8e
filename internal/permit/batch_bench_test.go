package permit

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"hatang/geo"
	"hatang/geo/zoning"
)

// csvRowsOf is a file of so many good rows.
func csvRowsOf(n int) []byte {
	var b bytes.Buffer
	b.WriteString("id,lon,lat,mast_type,height_m,structure,operator,date\n")
	for i := range n {
		fmt.Fprintf(&b, "T%06d,%d.%06d,21.%06d,A2b,%d.5,self_supporting,VIETTEL,2020-06-30\n", i, 102+i%7, i*7919%1000000, i*104729%1000000, 15+i%40)
	}
	return b.Bytes()
}

func featureRowsOf(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"type":"FeatureCollection","features":[`)
	for i := range n {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, `{"type":"Feature","id":%d,"geometry":{"type":"Point","coordinates":[%d.%06d,21.%06d]},"properties":{"mast_type":"A2b","height_m":%d.5,"structure":"self_supporting","operator":"VIETTEL","date":"2020-06-30"}}`,
			i, 102+i%7, i*7919%1000000, i*104729%1000000, 15+i%40)
	}
	b.WriteString("]}")
	return b.Bytes()
}

// BenchmarkRows is what reading and writing rows costs, without judging them.
func BenchmarkRows(b *testing.B) {
	const n = 100_000
	for _, tt := range []struct {
		name   string
		format RowFormat
		out    OutFormat
		in     []byte
	}{{"csv", CSV, OutCSV, csvRowsOf(n)}, {"geojson", FeatureCollection, OutGeoJSON, featureRowsOf(n)}} {
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				batch := batchOf(tt.format, tt.out, DetailVerdict)
				batch.Open = func(context.Context, geo.Date) (Judge, error) { return quick{}, nil }
				if tally, err := batch.Run(b.Context(), bytes.NewReader(tt.in), io.Discard); err != nil || tally.Bad > 0 || tally.Rows != n {
					b.Fatal(err, tally)
				}
			}
			b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// quick is a judge that takes no time.
type quick struct{ byLongitude }

func (quick) Verdict(zoning.Proposal) (zoning.Place, zoning.Verdict) {
	return zoning.Place{Commune: "03136", District: "094", Territory: "11"}, zoning.Refused
}
