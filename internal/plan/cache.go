package plan

import (
	"sync"

	"hatang/internal/layer"
)

// maxKeptFigures bounds the memory of the cache: past it, all are forgotten.
const maxKeptFigures = 500

// figureCache keeps figures while the layers they were computed from stay as they were.
type figureCache struct {
	mu   sync.Mutex
	kept map[string]keptFigures
}

type keptFigures struct {
	versions layer.Versions
	figures  []UnitFigures
}

func (c *figureCache) get(key string, versions layer.Versions) ([]UnitFigures, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.kept[key]
	return k.figures, ok && holds(k.versions, versions)
}

func (c *figureCache) put(key string, versions layer.Versions, figures []UnitFigures) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) >= maxKeptFigures {
		clear(c.kept)
	}
	c.kept[key] = keptFigures{versions, figures}
}
