package postgis_test

import (
	"context"
	"testing"

	"hatang/internal/account"
	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/testdb"
)

// BenchmarkKeysetWalk reads page 10 000 of a walk over the nation's sites, 20 to a page,
// which is the last. What stands for the peer is page 1 of the same walk: by id the last
// page costs what the first does; by a name all that is behind is looked at, so that the
// first page costs most. And page 10 000 by offset, as peers have it, against ours.
func BenchmarkKeysetWalk(b *testing.B) {
	const limit, pages = 20, 10_000
	n := openNation(b, 1)
	ctx := context.Background()
	layers, err := layer.Layers()
	if err != nil {
		b.Fatal(err)
	}
	sites := get(b, layers, "bts_sites")
	first := layer.Query{Date: day(b, testdb.NationDate), Limit: limit}
	var body []byte
	page := func(b *testing.B, q layer.Query) {
		rows := 0
		for b.Loop() {
			rows, body = 0, body[:0]
			err := n.store.Features(ctx, account.Anonymous(), sites, q, func(r *layer.Row) (err error) {
				rows++
				body, err = formats.AppendFeature(body, sites, r, formats.GeoJSONOptions{})
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		if rows != limit {
			b.Fatalf("%d rows", rows)
		}
	}
	for _, order := range []string{"id", "name"} {
		q := first
		if q.Sort = sortedBy(b, sites, order); order == "id" {
			q.Sort = nil
		}
		all := q
		all.Limit, all.NoGeometry, all.Fields = limit*(pages-1), true, []*layer.Field{}
		_, last := readPage(b, n.store, account.Anonymous(), sites, all)
		last.Limit, last.NoGeometry, last.Fields = limit, false, nil
		b.Run(order+"/ours", func(b *testing.B) { page(b, last) })
		b.Run(order+"/peer", func(b *testing.B) { page(b, q) })
		if order != "id" {
			continue
		}
		b.Run("offset/ours", func(b *testing.B) { page(b, last) })
		b.Run("offset/peer", func(b *testing.B) {
			for b.Loop() {
				rows, err := n.peer.Query(ctx, "SELECT * FROM public.bts_sites ORDER BY id LIMIT $1 OFFSET $2", limit, limit*(pages-1))
				if err != nil {
					b.Fatal(err)
				}
				rows.Close()
				if err := rows.Err(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
