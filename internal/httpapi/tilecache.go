package httpapi

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/maypok86/otter/v2"
	"github.com/prometheus/client_golang/prometheus"

	"hatang/internal/account"
	"hatang/internal/tiles"
)

// tileCacheBytes is how much memory tiles that have been drawn may hold.
const tileCacheBytes = 128 << 20

// drawn is a layer of a tile, or a whole tile as it is sent; no bytes where it is empty.
// Nobody changes it.
type drawn struct {
	bytes []byte
	tiles.Result
	truncated string // of a whole tile: the layers that do not show everything
	coded     bool   // of a whole tile: it is compressed
}

// tileCache holds layers of tiles, and whole tiles that are sent otherwise than a single
// layer as it was drawn, under what they were made from: what the viewer may see, the
// version he was told, the date, the query, the tile. What several ask for at once is
// drawn once. It is safe for concurrent use.
type tileCache struct {
	*coders
	cache *otter.Cache[string, drawn]
	found [2][2]atomic.Int64 // layers, by whether the public asked, and whether they were there
}

// newTileCache returns a cache of so many bytes; an error only where that is none.
func newTileCache(most uint64) (*tileCache, error) {
	const overhead = 256 // of an entry, bytes
	cache, err := otter.New(&otter.Options[string, drawn]{
		MaximumWeight: most,
		Weigher:       func(key string, d drawn) uint32 { return uint32(len(key) + len(d.bytes) + overhead) },
	})
	if err != nil {
		return nil, fmt.Errorf("set up the cache of tiles: %w", err)
	}
	coders, err := newCoders()
	return &tileCache{coders: coders, cache: cache}, err
}

// find returns what is under the key, if anything is.
func (c *tileCache) find(key string) (drawn, bool) { return c.cache.GetIfPresent(key) }

// get returns what is under the key, which load makes where there is nothing, and whether
// it was there. The context of load is not the request's: others may wait for what one
// began who has left.
func (c *tileCache) get(ctx context.Context, key string, load func(context.Context) (drawn, error)) (d drawn, there bool, err error) {
	there = true
	d, err = c.cache.Get(ctx, key, otter.LoaderFunc[string, drawn](func(ctx context.Context, _ string) (drawn, error) {
		there = false
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTime)
		defer cancel()
		return load(ctx)
	}))
	return d, there, err
}

// count counts layers answered to a viewer.
func (c *tileCache) count(v account.Viewer, layers int, there bool) {
	public, memory := 0, 0
	if !v.Known() {
		public = 1
	}
	if there {
		memory = 1
	}
	c.found[public][memory].Add(int64(layers))
}

// Figures of the cache.
var (
	tilesFigure     = prometheus.NewDesc("hatang_tile_layers_total", "Layers of tiles answered, by what they came from, memory or database, and who asked, public or others.", []string{"from", "viewers"}, nil)
	tileBytesFigure = prometheus.NewDesc("hatang_tile_memory_bytes", "Memory that drawn tiles hold.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c *tileCache) Describe(out chan<- *prometheus.Desc) {
	out <- tilesFigure
	out <- tileBytesFigure
}

// Collect implements prometheus.Collector.
func (c *tileCache) Collect(out chan<- prometheus.Metric) {
	for public, viewers := range []string{"others", account.Anonymous().Class()} {
		for there, from := range []string{"database", "memory"} {
			out <- prometheus.MustNewConstMetric(tilesFigure, prometheus.CounterValue, float64(c.found[public][there].Load()), from, viewers)
		}
	}
	out <- prometheus.MustNewConstMetric(tileBytesFigure, prometheus.GaugeValue, float64(c.cache.WeightedSize()))
}
