package plan

import (
	"sync"

	"hatang/internal/layer"
)

// What caches keep at most; past it, all is forgotten.
const (
	maxKeptFigures   = 500
	maxKeptUncovered = 64
)

// versionedCache keeps answers while the layers they were computed from stay as they were.
type versionedCache[T any] struct {
	mu   sync.Mutex
	most int
	kept map[string]keptAnswer[T]
}

type keptAnswer[T any] struct {
	versions layer.Versions
	answer   T
}

func newCache[T any](most int) *versionedCache[T] {
	return &versionedCache[T]{most: most, kept: map[string]keptAnswer[T]{}}
}

func (c *versionedCache[T]) get(key string, versions layer.Versions) (answer T, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.kept[key]
	return k.answer, ok && k.versions.Agree(versions)
}

func (c *versionedCache[T]) put(key string, versions layer.Versions, answer T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) >= c.most {
		clear(c.kept)
	}
	c.kept[key] = keptAnswer[T]{versions, answer}
}
