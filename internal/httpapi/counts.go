package httpapi

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/maypok86/otter/v2"

	"hatang/internal/layer"
)

const (
	// countsKept is how many counts are remembered.
	countsKept = 10_000
	// countTime is how long counting for a page may take where a filter selects; what
	// takes longer is not told.
	countTime = 250 * time.Millisecond
)

// notTold is remembered of what takes too long to count.
const notTold = -1

// countCache remembers how many features a request selects, by what that depends on: the
// request, what the viewer may see and the version he was told, and the date. However
// many ask for a page, and for however many pages, a version is counted once.
type countCache struct{ cache *otter.Cache[string, int64] }

func newCountCache() (countCache, error) {
	cache, err := otter.New(&otter.Options[string, int64]{MaximumSize: countsKept})
	if err != nil {
		return countCache{}, fmt.Errorf("set up the memory of counts: %w", err)
	}
	return countCache{cache}, nil
}

// matched counts what the request selects, on all pages; false where that would take too
// long. Everything in force on a date is always counted, and so is whatever is asked for
// by resultType=hits. versions were read before.
func (a *api) matched(r *request, p listing, versions layer.Versions) (int64, bool, error) {
	q := p.query
	exact := p.hits || len(q.Boxes) == 0 && len(q.Equal) == 0 && q.Filter == nil
	selecting := url.Values{}
	for name, values := range p.values {
		if !slices.Contains(paging, name) {
			selecting[name] = values
		}
	}
	key := tag(r.layer.Name, strconv.FormatInt(versions[r.layer.Name], 10), r.viewer.Class(), q.Date.String(), selecting.Encode(), strconv.FormatBool(exact))
	n, err := a.counts.cache.Get(r.Context(), key, otter.LoaderFunc[string, int64](func(ctx context.Context, _ string) (int64, error) {
		// Others may wait for what one began who has left.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTime)
		defer cancel()
		if exact {
			return a.Store.CountFeatures(ctx, r.viewer, r.layer, q)
		}
		n, counted, err := a.Store.CountWithin(ctx, r.viewer, r.layer, q, countTime)
		if err == nil && !counted {
			return notTold, nil
		}
		return n, err
	}))
	return n, n != notTold, err
}
