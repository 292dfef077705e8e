package postgis_test

import (
	"context"
	"strings"
	"testing"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// BenchmarkNationalSearch searches 200 000 sites, their positions and the units of the
// nation; the peer's way is a scan for the text within code or name, in any case of letters.
func BenchmarkNationalSearch(b *testing.B) {
	n := openNation(b, 1)
	layers, err := layer.Layers()
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	for _, tt := range []struct{ name, text string }{
		{"code", "bts-0001"}, {"code_whole", "bts-000123"}, {"name", "trạm 1"}, {"unit", "xa 12"}, {"words", "123 tram"}, {"nothing", "nothing at all"},
	} {
		b.Run(tt.name+"/ours", func(b *testing.B) {
			for b.Loop() {
				q := layer.SearchQuery{Text: tt.text, Layers: layers.All(), Date: n.date, Limit: 10}
				if _, _, err := n.store.Search(ctx, account.Anonymous(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(tt.name+"/peer", func(b *testing.B) {
			var parts []string
			for _, table := range []string{"sites", "communes", "districts"} {
				parts = append(parts, "SELECT code, name FROM "+table+" WHERE code ILIKE $1 OR name ILIKE $1")
			}
			var found int
			for b.Loop() {
				if err := n.peer.QueryRow(ctx, "SELECT count(*) FROM (SELECT * FROM ("+strings.Join(parts, " UNION ALL ")+") r ORDER BY name LIMIT 10) r", "%"+tt.text+"%").Scan(&found); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
