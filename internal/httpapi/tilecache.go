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

// drawnLayer is a layer of a tile; no bytes where it is empty. Nobody changes it.
type drawnLayer struct {
	bytes []byte
	tiles.Result
}

// tileCache holds layers of tiles under what they were made from: what the viewer may
// see, the version he was told, the date, the query, the tile. A layer that several ask
// for at once is drawn once. It is safe for concurrent use.
type tileCache struct {
	cache *otter.Cache[string, drawnLayer]
	found [2][2]atomic.Int64 // by whether the public asked, and whether it was there
}

// newTileCache returns a cache of so many bytes; an error only where that is none.
func newTileCache(most uint64) (*tileCache, error) {
	const overhead = 256 // of an entry, bytes
	cache, err := otter.New(&otter.Options[string, drawnLayer]{
		MaximumWeight: most,
		Weigher:       func(key string, l drawnLayer) uint32 { return uint32(len(key) + len(l.bytes) + overhead) },
	})
	if err != nil {
		return nil, fmt.Errorf("set up the cache of tiles: %w", err)
	}
	return &tileCache{cache: cache}, nil
}

// get returns what is under the key, which load makes where there is nothing. The context
// of load is not the request's: others may wait for what one began who has left.
func (c *tileCache) get(ctx context.Context, v account.Viewer, key string, load func(context.Context) (drawnLayer, error)) (drawnLayer, error) {
	made := false
	l, err := c.cache.Get(ctx, key, otter.LoaderFunc[string, drawnLayer](func(ctx context.Context, _ string) (drawnLayer, error) {
		made = true
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTime)
		defer cancel()
		return load(ctx)
	}))
	public, there := 0, 0
	if !v.Known() {
		public = 1
	}
	if !made {
		there = 1
	}
	c.found[public][there].Add(1)
	return l, err
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
